//! What a Kustomization applies (kustomize-controller v1.9, `generate`, `build` and `apply`).

pub mod envsubst;
pub(super) mod generate;
mod overlay;
pub(super) mod rewrite;
pub(super) mod variables;

use std::sync::Arc;

use super::{Kustomization, Variables, api::kinds::CRD};
use crate::{
    kustomize::{Budget, Build, Change, Cost, Error, Fault, Kustomize, Object, ObjectId, Step},
    source::{Span, join},
    yaml::{Entry, Node},
};
use envsubst::{FaultKind, Lookup, Outcome};
use generate::{Generated, generated_kustomization};
use overlay::overlay;

/// What a Kustomization is built from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a, 't> {
    /// The most that the build may cost.
    pub most: Cost,
    /// Builds folders of the artifact.
    pub kustomize: &'a Kustomize<'t>,
    /// Folder in the artifact, normalised.
    pub folder: &'a str,
}

/// What a Kustomization applies.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// Objects, errors, and what is unknown.
    pub build: Build,
    /// Variables that were used but are known only in the cluster.
    pub unknown_variables: Vec<(String, Span)>,
    /// Variables that were used and are set nowhere: strict substitution fails the build for them, otherwise nothing
    /// stands in their place.
    pub unset_variables: Vec<VariableUse>,
    /// Expressions that a shell would read in another way: see [`envsubst::ObjectUse::is_misread`].
    pub misread_variables: Vec<VariableUse>,
    /// Expressions with a default that stay as they are written: `postBuild` is there, but no variable, and without one
    /// substitution does not run.
    pub literal_variables: Vec<VariableUse>,
    /// Expressions that Flux cannot read, for which the build fails as well.
    pub expression_errors: Vec<Error>,
}

/// The use of a variable in an object.
#[derive(Debug, Clone)]
pub struct VariableUse {
    /// The variable.
    pub name: String,
    /// The scalar that uses it.
    pub span: Span,
    /// The object.
    pub object: ObjectId,
    /// The sign behind the colon, where the expression gives a default.
    pub operator: Option<char>,
}

/// Builds the folder of `kustomization`, Flux's own fields included, up to but without the substitution of variables
/// (kustomize-controller v1.9, `generate` and `build`).
#[must_use]
pub fn build(kustomization: &Kustomization, inputs: Inputs<'_, '_>) -> Build {
    let Inputs { most, kustomize, folder } = inputs;
    let artifact = kustomize.artifact();
    let Generated { root, mut errors, mut reads } = match kustomize.kustomization_node(folder) {
        Some(root) => Generated { root: known_fields(root), ..Generated::default() },
        None => generated_kustomization(kustomize.store(), artifact, folder),
    };
    reads.add_kustomization(folder, &Kustomize::kustomization_files(artifact, folder));
    errors.extend(faults(kustomize, folder, &root));
    let has_component = |path: &str| join(folder, path).is_some_and(|path| artifact.is_folder(&path));
    for path in kustomization.spec.components.iter().filter_map(|path| join(folder, path)) {
        if !artifact.is_folder(&path) {
            reads.add_absent(path);
        }
    }
    let root = overlay(root, kustomization, &has_component, &mut errors);
    let mut build = kustomize.build_within(most, folder, Some(&root));
    reads.add_base(&build.reads);
    build.reads = Arc::new(reads);
    build.errors.splice(0..0, errors);
    build.objects = expand(std::mem::take(&mut build.objects));
    build
}

/// The kustomization less the fields that kustomize does not know: Flux reads the root file without strictness and writes
/// it anew, so they are lost before kustomize could refuse them (fluxcd/pkg kustomize, `Generator.WriteFile`). In bases they
/// fail the build.
fn known_fields(mut root: Node) -> Node {
    let is_known = |entry: &Entry| Kustomize::is_kustomization_field(&entry.key);
    if !root.entries().all(is_known)
        && let Some(map) = root.as_map_mut()
    {
        map.retain(is_known);
    }
    root
}

/// What keeps the kustomization file of `folder` from being read (fluxcd/pkg kustomize, `Generator.WriteFile`, which lets
/// keys be set twice).
fn faults(kustomize: &Kustomize<'_>, folder: &str, root: &Node) -> Vec<Error> {
    let Some(file) = Kustomize::kustomization_file(kustomize.artifact(), folder) else { return Vec::new() };
    let error =
        |span: Span, message: String| Error { message, span, related: Vec::new(), twice: None, fault: Fault::Other };
    if Kustomize::kustomization_files(kustomize.artifact(), folder).len() > 1 {
        let message = format!("`{}` holds more than one kustomization file", shown(folder));
        let others = Kustomize::kustomization_files(kustomize.artifact(), folder);
        let related = others[1..].iter().map(|file| (Span::file_start(*file), "another one".to_owned())).collect();
        return vec![Error { related, ..error(Span::file_start(file), message) }];
    }
    let documents = &kustomize.store().parse(file).documents;
    let broken = documents.iter().find_map(|document| document.error.as_ref());
    let mut faults: Vec<Error> =
        broken.map(|problem| error(problem.span, format!("malformed YAML: {}", problem.message))).into_iter().collect();
    if faults.is_empty() && root.as_map().is_none() && !root.is_null() {
        faults.push(error(root.span, "not a kustomization: expected a mapping".to_owned()));
    }
    faults
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "the root of the source" } else { folder }
}

/// Substitutes variables in a build and sets common metadata (kustomize-controller v1.9, `build` and `apply`).
#[must_use]
pub fn substitute(
    kustomization: &Kustomization,
    build: &Build,
    variables: &Variables,
    strict: bool,
    most: Cost,
) -> Applied {
    let mut applied = Applied { build: build.clone(), ..Applied::default() };
    if kustomization.spec.post_build.is_some() && variables.active {
        let Applied { build, unknown_variables, unset_variables, misread_variables, expression_errors, .. } =
            &mut applied;
        // fluxcd/pkg kustomize, `LoadVariables`, refuses them all for one bad name.
        build.errors.extend(variables.invalid.iter().map(|(name, span)| Error {
            message: format!(
                "`{name}` is no name for a variable: letters, digits and `_` make one, and no digit begins it"
            ),
            span: *span,
            related: vec![(variables.span, "used as variables here".to_owned())],
            twice: None,
            fault: Fault::Other,
        }));
        let budget = Budget::new(most.at_most(envsubst::SUBSTITUTION));
        for object in &mut build.objects {
            let substituted = substitute_object(object, variables, strict, &budget);
            if let Some(excess) = budget.excess() {
                build.errors.push(Error {
                    message: format!("its substitution {excess}"),
                    span: variables.span,
                    related: vec![(object.source, "as far as this object".to_owned())],
                    twice: None,
                    fault: Fault::Limit,
                });
                break;
            }
            build.errors.extend(substituted.errors);
            unknown_variables.extend(substituted.unknown);
            unset_variables.extend(substituted.unset);
            misread_variables.extend(substituted.misread);
            expression_errors.extend(substituted.unreadable);
        }
        build.cost = build.cost.and(budget.spent());
    } else if kustomization.spec.post_build.is_some() {
        let budget = Budget::new(most.at_most(envsubst::SUBSTITUTION));
        applied.literal_variables = build.objects.iter().flat_map(|object| defaults(object, &budget)).collect();
    }
    if let Some(metadata) = kustomization.object.node.find(&["spec", "commonMetadata"]) {
        for object in &mut applied.build.objects {
            for field in ["labels", "annotations"] {
                common_metadata(object, field, metadata.get(field));
            }
        }
    }
    applied
}

#[derive(Default)]
struct Substituted {
    errors: Vec<Error>,
    unknown: Vec<(String, Span)>,
    unset: Vec<VariableUse>,
    misread: Vec<VariableUse>,
    unreadable: Vec<Error>,
}

impl VariableUse {
    fn new(used: envsubst::ObjectUse, object: &Object) -> Self {
        let span = used.span.or(object.source);
        Self { name: used.name.to_string(), span, object: object.id(), operator: used.operator }
    }
}

/// The expressions in `object` that would give their default if substitution ran.
fn defaults(object: &Object, budget: &Budget) -> Vec<VariableUse> {
    let outcome = envsubst::substitute_object_within(&object.node, &|_| Lookup::Unset, false, budget);
    let uses = outcome.uses.into_iter().filter(|used| used.outcome == Outcome::Default);
    uses.map(|used| VariableUse::new(used, object)).collect()
}

fn substitute_object(object: &mut Object, variables: &Variables, strict: bool, budget: &Budget) -> Substituted {
    let mut substituted = Substituted::default();
    if envsubst::is_opted_out(&object.node) {
        return substituted;
    }
    let outcome = envsubst::substitute_object_within(&object.node, &|name| variables.lookup(name), strict, budget);
    let id = object.id();
    let misread = outcome.uses.iter().filter(|used| used.is_misread()).cloned();
    substituted.misread = misread.map(|used| VariableUse::new(used, object)).collect();
    let mut faults = outcome.faults;
    // The CRDs of Flux itself describe variables in their texts.
    let is_text = CRD.is(&id.group, &id.kind);
    if !strict && !is_text && outcome.uses.iter().any(|used| used.outcome == Outcome::Nothing) {
        // What strict substitution would refuse is what nothing stands in place of.
        let lookup = |name: &str| variables.lookup(name);
        let refused = envsubst::substitute_object_within(&object.node, &lookup, true, budget).faults;
        faults.extend(refused.into_iter().filter(|fault| fault.kind.is_unset()));
    }
    if let Some(node) = outcome.node {
        object.node = node;
        object.changes.push(Change { step: Step::Substitution, at: variables.span });
    }
    let unknown = outcome.uses.into_iter().filter(|used| used.outcome == Outcome::Unknown);
    substituted.unknown.extend(unknown.map(|used| (used.name.to_string(), used.span)));
    for fault in faults {
        let span = fault.span.or(object.source);
        if let (true, Some(variable)) = (fault.kind.is_unset(), fault.kind.variable()) {
            let (name, object) = (variable.to_owned(), id.clone());
            substituted.unset.push(VariableUse { name, span, object, operator: None });
            continue;
        }
        let error = Error {
            fault: Fault::Expression { variable: fault.kind.variable().map(str::to_owned) },
            message: format!("substitution in {id} fails: {}", fault.kind),
            span,
            related: vec![(variables.span, "variables come from here".to_owned())],
            twice: None,
        };
        match fault.kind {
            FaultKind::Substitution(_) => substituted.unreadable.push(error),
            FaultKind::NotYaml(_) => substituted.errors.push(error),
        }
    }
    substituted
}

pub(super) fn common_metadata(object: &mut Object, field: &str, values: Option<&Node>) {
    let Some(values) = values.filter(|values| values.as_map().is_some_and(|map| !map.is_empty())) else { return };
    let Some(target) = object.node.ensure_map(&["metadata", field], values.span) else { return };
    for entry in values.entries() {
        target.set(&entry.key, entry.value.clone());
    }
    let step = if field == "labels" { Step::Labels } else { Step::Annotations };
    object.changes.push(Change { step, at: values.span });
}

/// Decodes as Flux does (fluxcd/pkg ssa, `utils.ReadObjects`): lists are taken apart; kustomization files and what is no
/// object are dropped without a word.
pub(super) fn expand(objects: Vec<Object>) -> Vec<Object> {
    let mut expanded = Vec::with_capacity(objects.len());
    for object in objects {
        let id = object.id();
        let items = object.node.get("items").filter(|items| items.as_seq().is_some());
        let is_kustomization_file = id.group == "kustomize.config.k8s.io" && id.kind == "Kustomization";
        if let Some(items) = items.filter(|_| id.kind.ends_with("List")) {
            let items: Vec<Node> = items.items().cloned().collect();
            expanded.extend(items.into_iter().map(|node| Object {
                source: if node.span.is_some() { node.span } else { object.source },
                changes: object.changes.clone(),
                node,
            }));
        } else if !is_kustomization_file && !id.kind.is_empty() && !id.name.is_empty() {
            expanded.push(object);
        }
    }
    expanded
}
