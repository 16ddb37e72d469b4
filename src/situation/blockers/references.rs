//! References of Flux's image and notification objects, of ArtifactGenerators and of ResourceSets that lead nowhere, or to where the
//! object cannot do its work.

mod pushes;

use super::{
    Blocker, Cause, View,
    hidden::{Unseen, Wanted},
    known_sources::of_entries,
};
use crate::{
    cluster::{Cluster, HealthSet, NodeId, NodeKey, ObjectKey},
    finding::{Confidence, Subject},
    flux::{
        api::{IMAGE_GROUP, NOTIFICATION_GROUP, OPERATOR_GROUP, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP, kinds},
        is_open_text,
    },
    graph::{Actor, Moment, Reason},
    kustomize::ApiVersion,
    source::{
        Span,
        names::{NEAR, best_by, likeness},
    },
    yaml,
};

/// A reference that leads to no object of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceFact {
    /// The object that has it.
    pub key: ObjectKey,
    /// The place of that.
    pub place: Span,
    /// The field: `spec.imageRepositoryRef`, …
    pub field: &'static str,
    /// The object that it names.
    pub wanted: ObjectKey,
    /// The place of the name.
    pub span: Span,
    /// Why it leads nowhere.
    pub problem: ReferenceProblem,
    /// The Kustomizations whose health check waits for the object, with the text that has it checked.
    pub waiting: Vec<(NodeId, Span, Reason)>,
    /// The event of the object itself that it stops, where the graph has it.
    own: Option<Actor>,
    /// Whether it is one of several of an alert, which the others still make useful, and no slip.
    pub is_minor: bool,
    /// Whether the object is suspended: nothing comes of it today.
    pub is_suspended: bool,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Why a reference leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceProblem {
    /// Nothing makes the object.
    Missing {
        /// The object of that kind whose name is most like it.
        similar: Option<Subject>,
        /// What may make it all the same.
        hidden: Option<String>,
    },
    /// The text holds a placeholder of a ResourceSet, which is not filled in there.
    Template(String),
    /// The namespace is left out, and nothing sets a default.
    NoNamespace,
    /// Nothing says to which branch an automation pushes.
    NoPushBranch,
    /// A source over HTTP has no credentials, so that nobody may push to it.
    NoCredentials,
}

/// What an alert is for.
const EVENT_SOURCES: &str = "spec.eventSources";

/// A reference, as a manifest has it.
struct Reference<'o> {
    field: &'static str,
    wanted: ObjectKey,
    name: &'o yaml::Node,
    /// The first text of it with a placeholder of a ResourceSet.
    template: Option<&'o yaml::Node>,
    lacks_namespace: bool,
}

impl ReferenceFact {
    /// What is wrong, as a clause that follows the name of the object.
    #[must_use]
    pub fn clause(&self) -> String {
        match &self.problem {
            ReferenceProblem::Missing { .. } => {
                format!("refers to {} (`{}`), which nothing in this cluster makes", self.wanted.subject(), self.field)
            }
            ReferenceProblem::Template(text) => {
                format!("depends on `{text}`, and the Flux Operator fills in no placeholders in `{}`", self.field)
            }
            ReferenceProblem::NoNamespace => {
                format!("depends on {} without a namespace, and there is no default", self.wanted.subject())
            }
            ReferenceProblem::NoPushBranch => {
                format!("commits to {}, and nothing says to which branch", self.wanted.subject())
            }
            ReferenceProblem::NoCredentials => {
                format!("pushes to {}, which has no `secretRef` to log in with", self.wanted.subject())
            }
        }
    }

    /// What it keeps from happening: the object itself, where it is an event, and the health checks that wait for it.
    pub fn blockers(&self) -> impl Iterator<Item = Blocker> + '_ {
        let blocker = |actor, moment, reason| Blocker {
            actor,
            moment,
            reason,
            cause: if moment == Moment::Start { Cause::MissingDependency } else { Cause::HopelessHealthCheck },
            text: match moment {
                Moment::Start => self.clause(),
                _ => format!("waits for {}, which {}", self.key.subject(), self.clause()),
            },
            span: self.span,
            confidence: self.confidence,
        };
        let own = self.own.map(|actor| blocker(actor, Moment::Start, Reason::DependsOn));
        let gates =
            self.waiting.iter().map(move |(node, _, reason)| blocker(Actor::Node(*node), Moment::Ready, *reason));
        own.into_iter().chain(gates)
    }
}

/// Finds those of a cluster.
pub(super) fn find(view: View<'_>) -> Vec<ReferenceFact> {
    let cluster = view.cluster;
    if !cluster.reached {
        return Vec::new();
    }
    let mut found = Vec::new();
    for ((key, providers), index) in cluster.objects.iter().zip(0_u32..) {
        let Some(provider) = providers.first().filter(|first| !cluster.node(first.node).is_remote()) else { continue };
        let object = cluster.object(*provider);
        for reference in references(key, &object.node) {
            let problem = reference.problem(view).or_else(|| pushes::problem(cluster, key, &object.node, &reference));
            let Some(problem) = problem else { continue };
            let confidence = match &problem {
                ReferenceProblem::Missing { hidden: Some(_), similar: None } => Confidence::Low,
                ReferenceProblem::Missing { .. } | ReferenceProblem::NoNamespace | ReferenceProblem::NoCredentials => {
                    Confidence::Medium
                }
                ReferenceProblem::Template(_) | ReferenceProblem::NoPushBranch => Confidence::High,
            };
            let is_slip = matches!(problem, ReferenceProblem::Missing { similar: Some(_), .. });
            let events = object.node.find(&["spec", "eventSources"]).map_or(0, |entries| entries.items().count());
            let is_minor = reference.field == EVENT_SOURCES && !is_slip && events > 1;
            // Without anything to push it is Ready.
            let is_held = is_awaited(key) && problem != ReferenceProblem::NoCredentials;
            found.push(ReferenceFact {
                key: key.clone(),
                place: object.place(),
                field: reference.field,
                span: reference.template.unwrap_or(reference.name).span.or(object.place()),
                problem,
                waiting: if is_held { waiting(cluster, key) } else { Vec::new() },
                own: (key.is(kinds::RESOURCE_SET)).then_some(Actor::Object(index)),
                wanted: reference.wanted,
                is_minor,
                is_suspended: object.node.find(&["spec", "suspend"]).and_then(yaml::Node::as_bool) == Some(true),
                confidence,
            });
        }
    }
    found
}

/// Whether an object without what it refers to holds a health check from the first look on: the CRDs of the image controllers set
/// `status.observedGeneration` to -1 (image-reflector-controller v1.0, `api/v1/imagepolicy_types.go`).
fn is_awaited(key: &ObjectKey) -> bool {
    key.group == IMAGE_GROUP
}

/// The Kustomizations whose health check looks at an object.
fn waiting(cluster: &Cluster, key: &ObjectKey) -> Vec<(NodeId, Span, Reason)> {
    let gates = cluster.nodes().filter(|(_, node)| node.has_gate() && !node.is_remote());
    gates
        .filter_map(|(id, node)| {
            let set = HealthSet::of_kinds(node, &|kind| kind == key.kind);
            let member = set.lasting().find(|member| member.key == *key)?;
            let reason = if member.entry.is_some() { Reason::HealthCheck } else { Reason::Wait };
            Some((id, member.span, reason))
        })
        .collect()
}

/// The references of an object, where its kind has some.
fn references<'o>(key: &ObjectKey, object: &'o yaml::Node) -> Vec<Reference<'o>> {
    let items = |path: &[&str]| object.find(path).into_iter().flat_map(yaml::Node::items);
    let one = |path: &[&str]| object.find(path).into_iter();
    let mut found = Vec::new();
    match (key.group.as_str(), key.kind.as_str()) {
        (IMAGE_GROUP, "ImagePolicy") => {
            let entries = one(&["spec", "imageRepositoryRef"]);
            let field = "spec.imageRepositoryRef";
            found
                .extend(entries.filter_map(|entry| reference(field, entry, IMAGE_GROUP, Some("ImageRepository"), key)));
        }
        (IMAGE_GROUP, "ImageUpdateAutomation") => {
            let entries = one(&["spec", "sourceRef"]);
            found.extend(entries.filter_map(|entry| reference("spec.sourceRef", entry, SOURCE_GROUP, None, key)));
        }
        (NOTIFICATION_GROUP, "Alert") => {
            let entries = one(&["spec", "providerRef"]);
            let field = "spec.providerRef";
            found
                .extend(entries.filter_map(|entry| reference(field, entry, NOTIFICATION_GROUP, Some("Provider"), key)));
            let sources = items(&["spec", "eventSources"]);
            found.extend(sources.filter_map(|entry| reference(EVENT_SOURCES, entry, "", None, key)));
        }
        (NOTIFICATION_GROUP, "Receiver") => {
            let entries = items(&["spec", "resources"]);
            found.extend(entries.filter_map(|entry| reference("spec.resources", entry, "", None, key)));
        }
        (SOURCE_EXTENSIONS_GROUP, "ArtifactGenerator") => {
            let entries = items(&["spec", "sources"]);
            found.extend(entries.filter_map(|entry| reference("spec.sources", entry, SOURCE_GROUP, None, key)));
        }
        (OPERATOR_GROUP, "ResourceSet") => {
            found.extend(items(&["spec", "dependsOn"]).filter_map(dependency));
            let entries = items(&["spec", "inputsFrom"]);
            let kind = Some("ResourceSetInputProvider");
            found.extend(entries.filter_map(|entry| reference("spec.inputsFrom", entry, OPERATOR_GROUP, kind, key)));
        }
        _ => {}
    }
    found
}

/// A reference to an object of `kind`, or of the kind that `entry` names. A `*` and a selector stand for any, and for none.
fn reference<'o>(
    field: &'static str,
    entry: &'o yaml::Node,
    group: &str,
    kind: Option<&str>,
    of: &ObjectKey,
) -> Option<Reference<'o>> {
    let name = entry.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty() && name != "*"))?;
    let kind = kind.or_else(|| entry.find_str(&["kind"]))?;
    let group = if group.is_empty() { group_of(kind, entry)? } else { group };
    let namespace = entry.find_str(&["namespace"]).unwrap_or(&of.namespace);
    let wanted = ObjectKey {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.as_str().unwrap_or_default().into(),
    };
    Some(Reference { field, wanted, name, template: None, lacks_namespace: false })
}

/// The group of a kind of Flux that an entry names without one.
fn group_of<'k>(kind: &str, entry: &'k yaml::Node) -> Option<&'k str> {
    if let Some(version) = entry.find_str(&["apiVersion"]) {
        return Some(ApiVersion::parse(version).group);
    }
    match kind {
        "ImageRepository" => Some(IMAGE_GROUP),
        _ => kinds::of_flux(kind).map(|id| id.group),
    }
}

/// An entry of `dependsOn` of a ResourceSet. It names any object, is taken as it is written, and its namespace has no default
/// (flux-operator v0.58, `internal/controller/resourceset_controller.go`, `checkDependencies`).
fn dependency(entry: &yaml::Node) -> Option<Reference<'_>> {
    let text = |field: &str| entry.find_str(&[field]).unwrap_or_default();
    let name = entry.get("name").filter(|name| name.as_str().is_some())?;
    let template = ["name", "namespace", "kind", "apiVersion"]
        .into_iter()
        .filter_map(|field| entry.get(field))
        .find(|node| node.as_str().is_some_and(|text| text.contains("<<")));
    let group = ApiVersion::parse(text("apiVersion")).group;
    let wanted = ObjectKey {
        group: group.into(),
        kind: text("kind").into(),
        namespace: text("namespace").into(),
        name: text("name").into(),
    };
    let lacks_namespace = wanted.namespace.is_empty() && kinds::is_namespaced(group, &wanted.kind) == Some(true);
    Some(Reference { field: "spec.dependsOn", wanted, name, template, lacks_namespace })
}

impl Reference<'_> {
    fn problem(&self, view: View<'_>) -> Option<ReferenceProblem> {
        if let Some(text) = self.template.and_then(yaml::Node::as_str) {
            return Some(ReferenceProblem::Template(text.to_owned()));
        }
        if self.lacks_namespace {
            return Some(ReferenceProblem::NoNamespace);
        }
        let (cluster, wanted) = (view.cluster, &self.wanted);
        let is_open = [&wanted.kind, &wanted.namespace, &wanted.name].into_iter().any(|text| is_open_text(text));
        if is_open || !is_known_kind(wanted) || exists(cluster, wanted) {
            return None;
        }
        let similar = cluster.objects.keys().filter(|key| key.group == wanted.group && key.kind == wanted.kind);
        let similar = best_by(similar, |key| likeness(&key.name, &wanted.name, NEAR));
        let unseen = Unseen::new(cluster, Some(view.store.tree()));
        let searched = Wanted { kind: &wanted.kind, namespace: &wanted.namespace, name: &wanted.name };
        let hidden = unseen.part(searched, &|_| false).or_else(|| unseen.template(searched));
        Some(ReferenceProblem::Missing { similar: similar.map(|(_, key)| key.subject()), hidden })
    }
}

/// Whether only manifests of the repository make objects of the kind: charts and controllers make others too. A HelmChart is made
/// of a HelmRelease, an ExternalArtifact of an ArtifactGenerator.
pub(super) fn is_known_kind(wanted: &ObjectKey) -> bool {
    let is_made = wanted.is(kinds::HELM_CHART) || wanted.is(kinds::EXTERNAL_ARTIFACT);
    let is_fluxs = kinds::of_flux(&wanted.kind).is_some_and(|id| id.group == wanted.group);
    let is_input = wanted.group == OPERATOR_GROUP && wanted.kind == "ResourceSetInputProvider";
    !is_made && (is_fluxs || is_input || wanted.group == IMAGE_GROUP || wanted.group == NOTIFICATION_GROUP)
}

fn exists(cluster: &Cluster, wanted: &ObjectKey) -> bool {
    let is_node = wanted.is(kinds::KUSTOMIZATION)
        && cluster.find(&NodeKey::new(wanted.namespace.clone(), wanted.name.clone())).is_some();
    // Bootstrap makes the source of an entry point.
    let is_of_entry = || of_entries(cluster).any(|source| ObjectKey::from(&source) == *wanted);
    cluster.objects.contains_key(wanted)
        || is_node
        || is_of_entry()
        || cluster.implicit.made(wanted).is_some()
        || cluster.implicit.externals().have(&wanted.kind, &wanted.namespace, &wanted.name)
}
