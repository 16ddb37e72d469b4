use std::{fmt, sync::Arc};

use smol_str::SmolStr;

use super::{ApiVersion, Cost, ReadSet};
use crate::{source::Span, yaml::Node};

/// An object that a build produced, and how it came about.
#[derive(Debug, Clone)]
pub struct Object {
    /// The object. Every node in it carries the span of the text that decided it.
    pub node: Node,
    /// The document it came from, or the generator entry that made it.
    pub source: Span,
    /// The steps that changed it, in order, each with the text that ordered the change.
    pub changes: Vec<Change>,
}

/// A step of a build that changed an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which step.
    pub step: Step,
    /// The text that ordered it: a field of a kustomization file or of a Flux object.
    pub at: Span,
}

/// Steps of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Made by `configMapGenerator` or `secretGenerator`.
    Generator,
    /// Changed by a patch.
    Patch,
    /// Namespace set.
    Namespace,
    /// Name prefix added.
    NamePrefix,
    /// Name suffix added.
    NameSuffix,
    /// Labels added.
    Labels,
    /// Annotations added.
    Annotations,
    /// Image changed.
    Images,
    /// Replica count set.
    Replicas,
    /// Value copied from another object.
    Replacement,
    /// Variable substituted by Flux.
    Substitution,
    /// Made of a template, by the Flux Operator.
    Template,
}

/// `apiVersion`, kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: SmolStr,
    /// API version.
    pub version: SmolStr,
    /// Kind.
    pub kind: SmolStr,
    /// Namespace, where one is set.
    pub namespace: Option<SmolStr>,
    /// Name.
    pub name: SmolStr,
}

/// What a build gave. Where there are errors kustomize would have given nothing; the objects that could still be built
/// are here all the same.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// The objects, in the order of `kustomize build` without `sortOptions`.
    pub objects: Vec<Object>,
    /// What is wrong in the files.
    pub errors: Vec<Error>,
    /// What cannot be known from the files.
    pub unresolved: Vec<Unresolved>,
    /// Patches for one object that no object was patched by, though one is nearly what they name.
    pub idle: Vec<IdlePatch>,
    /// Which files it read.
    pub reads: Arc<ReadSet>,
    /// What it took.
    pub cost: Cost,
}

/// A patch whose target names one object and takes none. kustomize passes it over without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdlePatch {
    /// The text of the patch: what its changes would be attributed to.
    pub at: Span,
    /// The part of the target that does not fit.
    pub span: Span,
    /// What the target names.
    pub target: String,
    /// What is different.
    pub miss: Miss,
    /// The object that is nearly it.
    pub near: ObjectId,
    /// The place of that.
    pub place: Span,
}

/// The part of a patch's target that does not fit an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// The group, or the version.
    ApiVersion,
    /// The name.
    Name,
    /// The namespace.
    Namespace,
}

/// A fault for which `kustomize build` fails.
#[derive(Debug, Clone)]
pub struct Error {
    /// In words: lower case, no full stop.
    pub message: String,
    /// Where the fault is.
    pub span: Span,
    /// The other place that belongs to it, and what it is.
    pub related: Vec<(Span, String)>,
    /// The object that is defined twice, where that is the fault.
    pub twice: Option<ObjectId>,
    /// What sort of fault it is.
    pub fault: Fault,
}

/// Sorts of faults, as far as they have cures of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    /// Any other.
    #[default]
    Other,
    /// A path that leads nowhere.
    Missing {
        /// The path that is likely to be meant, as it has to be written.
        meant: Option<String>,
    },
    /// A file that Flux takes for a manifest because its folder has no kustomization file.
    Listed,
    /// The same, of a kustomization file under a name that kustomize does not look for.
    Misnamed,
    /// A manifest under the name of a kustomization file.
    NotKustomization,
    /// More than this program follows. kustomize has no such limit.
    Limit,
    /// A bug of this program.
    Bug,
    /// An object larger than the API server takes.
    TooLong,
    /// A chart that Helm would have to render, which Flux does not run in builds.
    Chart,
    /// A plugin that is not built into kustomize; its kind.
    Plugin(SmolStr),
    /// A URL without its scheme, which kustomize takes for a folder.
    NoScheme,
    /// An expression that Flux cannot read.
    Expression {
        /// The variable, where the expression got as far as naming one.
        variable: Option<String>,
    },
}

/// A part of the picture that the repository alone does not show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unresolved {
    /// What is unknown, for instance `remote base https://…`.
    pub what: String,
    /// Why it is.
    pub why: String,
    /// The text that refers to it.
    pub span: Span,
    /// What may be missing because of it.
    pub hides: Hidden,
}

/// What an [`Unresolved`] part keeps from view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Hidden {
    /// Whole objects.
    Objects,
    /// The objects at this URL.
    Remote(SmolStr),
    /// What a chart or a plugin would make, which Flux does not run.
    Refused,
    /// Values of fields.
    Values,
}

impl Unresolved {
    /// Whether objects may be missing from the build because of it.
    #[must_use]
    pub fn hides_objects(&self) -> bool {
        self.hides != Hidden::Values
    }
}

impl Object {
    /// The place that stands for the object: its name, where that is written in the document itself.
    #[must_use]
    pub fn place(&self) -> Span {
        let name = self.node.find(&["metadata", "name"]).map_or(Span::NONE, |name| name.span);
        // A name that an overlay sets stands elsewhere than the object.
        if name.file == self.source.file && name.is_some() { name } else { self.source }
    }

    /// API group and kind. Missing parts are empty.
    #[must_use]
    pub fn group_and_kind(&self) -> (&str, &str) {
        let text = |key: &str| self.node.find_str(&[key]).unwrap_or_default();
        (ApiVersion::parse(text("apiVersion")).group, text("kind"))
    }

    /// Which object this is. Missing parts are empty.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        let text = |keys: &[&str]| self.node.find_str(keys).map(SmolStr::new);
        let api_version = text(&["apiVersion"]).unwrap_or_default();
        let ApiVersion { group, version } = ApiVersion::parse(&api_version);
        ObjectId {
            group: group.into(),
            version: version.into(),
            kind: text(&["kind"]).unwrap_or_default(),
            namespace: text(&["metadata", "namespace"]).filter(|namespace| !namespace.is_empty()),
            name: text(&["metadata", "name"]).unwrap_or_default(),
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}
