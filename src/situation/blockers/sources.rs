//! References to sources that nothing in the cluster provides, or that the controllers refuse to follow.

use std::{cell::LazyCell, collections::BTreeSet};

use super::{
    Blocker, Cause, View,
    hidden::{Unseen, Wanted},
    known_sources::{KnownSource, KnownSources},
    renames::{Broken, Rename, Renames},
    source_uses::{SourceUse, Using, source_uses},
};
use crate::{
    cluster::{Cluster, Node, ObjectKey},
    finding::{Confidence, Subject},
    flux::SourceRef,
    graph::{Moment, Reason},
    source::{
        Span,
        names::{is_slip, nearest},
    },
};

/// A reference of a Kustomization or HelmRelease to a source that it never gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFact {
    /// The reference.
    pub used: SourceUse,
    /// Why it never gets the source.
    pub problem: SourceProblem,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Why an object never gets its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceProblem {
    /// Nothing that the repository shows provides the source.
    Missing {
        /// What there is instead.
        instead: Instead,
        /// What may provide it without showing it.
        hidden: Option<String>,
    },
    /// An overlay renamed or moved one of the two objects.
    Renamed(Rename),
    /// It is a source of another namespace, and `--no-cross-namespace-refs` is set (kustomize-controller v1.9 and
    /// helm-controller v1.6).
    OtherTenant {
        /// The namespace of the object.
        own: String,
        /// The text that sets the flag.
        flag: Span,
    },
    /// It is an ExternalArtifact, and the controller runs without that feature gate (kustomize-controller v1.9 and
    /// helm-controller v1.6).
    WithoutGate {
        /// The controller.
        controller: String,
    },
}

/// What there is instead of a missing source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// The same kind and name in another namespace.
    OtherNamespace(KnownSource),
    /// Another kind of that name.
    OtherKind(KnownSource),
    /// A name that differs by a letter or two.
    Misspelt(KnownSource),
    /// Nothing of that name; perhaps one that is alike.
    Nothing {
        /// The name that is most like it.
        similar: Option<String>,
    },
}

impl SourceFact {
    /// What is wrong, as a clause that follows the name of the object.
    #[must_use]
    pub fn clause(&self) -> String {
        let SourceUse { subject, source, .. } = &self.used;
        match &self.problem {
            SourceProblem::Missing { instead, .. } => {
                let what = match instead {
                    Instead::OtherNamespace(found) => {
                        format!("`{}` lives in namespace `{}`", source.name, found.source.namespace)
                    }
                    Instead::OtherKind(found) => format!("`{}` is {}", source.name, with_article(&found.source.kind)),
                    Instead::Misspelt(_) | Instead::Nothing { .. } => "nothing in this cluster builds it".to_owned(),
                };
                format!("takes its {} from {source}, but {what}", self.used.content())
            }
            SourceProblem::Renamed(rename) => format!("names the source {source}, {}", rename.clause(&subject.kind)),
            SourceProblem::OtherTenant { .. } => {
                format!("names {source}, a source of another namespace, which `--no-cross-namespace-refs` forbids")
            }
            SourceProblem::WithoutGate { controller } => {
                format!("names {source}, which {controller} does not look at without the gate `ExternalArtifact`")
            }
        }
    }

    /// The object never starts: the source is looked up before the build, or before the chart is loaded
    /// (kustomize-controller v1.9, `reconcile`; helm-controller v1.6, `reconcileRelease`).
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let cause = match self.problem {
            SourceProblem::Missing { .. } | SourceProblem::Renamed(_) => Cause::MissingSource,
            SourceProblem::OtherTenant { .. } | SourceProblem::WithoutGate { .. } => Cause::RefusedReference,
        };
        Some(Blocker {
            actor: self.used.actor,
            moment: Moment::Start,
            reason: Reason::Source,
            cause,
            text: self.clause(),
            span: self.used.span,
            confidence: self.confidence,
        })
    }
}

/// Finds those of a cluster that an entry point reaches. Elsewhere the sources are those of a cluster that nobody knows.
pub(super) fn find(view: View<'_>) -> Vec<SourceFact> {
    let cluster = view.cluster;
    if !cluster.reached {
        return Vec::new();
    }
    let known = KnownSources::new(cluster);
    let uses = source_uses(cluster);
    let (mut facts, mut missing) = (Vec::new(), Vec::new());
    for using in uses {
        let refused = forbidden(cluster, &using.used).or_else(|| without_gate(cluster, &using.used));
        facts.extend(refused.map(|problem| SourceFact {
            used: using.used.clone(),
            problem,
            confidence: Confidence::High,
        }));
        if !known.has(&using.used.source) {
            missing.push(using);
        }
    }
    facts.extend(explained(view, &known, missing));
    facts
}

/// Why each of `missing` is missing.
fn explained(view: View<'_>, known: &KnownSources, missing: Vec<Using<'_>>) -> Vec<SourceFact> {
    let cluster = view.cluster;
    let renames = LazyCell::new(|| Renames::new(view));
    let subjects: BTreeSet<&Subject> = missing.iter().map(|using| &using.used.subject).collect();
    let unseen = Unseen::new(cluster, Some(view.store.tree()));
    let explain = |using: &Using<'_>| {
        let wanted = &using.used.source;
        let is_relative = using.used.declared_namespace.is_none();
        let broken = Broken { referrer: using.object, wanted: wanted.clone(), is_relative };
        let exists = |namespace: &str| known.has(&SourceRef { namespace: namespace.into(), ..wanted.clone() });
        if let Some(rename) = renames.explain(&broken, &exists) {
            return (SourceProblem::Renamed(rename), Confidence::High);
        }
        let instead = instead(wanted, known);
        let searched = Wanted { kind: &wanted.kind, namespace: &wanted.namespace, name: &wanted.name };
        let hidden = unseen.part(searched, &|subject| subjects.contains(subject)).or_else(|| unseen.template(searched));
        let mut confidence = match instead {
            Instead::Nothing { .. } => confidence_of_nothing(cluster, using, known, hidden.is_some()),
            _ => Confidence::High,
        };
        if hidden.is_some() {
            confidence = confidence.min(Confidence::Medium);
        }
        (SourceProblem::Missing { instead, hidden }, confidence)
    };
    let problems: Vec<_> = missing.iter().map(explain).collect();
    let facts = missing.into_iter().zip(problems);
    facts.map(|(using, (problem, confidence))| SourceFact { used: using.used, problem, confidence }).collect()
}

fn instead(wanted: &SourceRef, known: &KnownSources) -> Instead {
    let mut same_name = known.named(&wanted.name);
    let is_beside =
        |known: &&KnownSource| known.source.kind != wanted.kind && known.source.namespace == wanted.namespace;
    if let Some(found) = same_name.find(is_beside) {
        return Instead::OtherKind(found.clone());
    }
    if let Some(found) = known.named(&wanted.name).find(|known| known.source.kind == wanted.kind) {
        return Instead::OtherNamespace(found.clone());
    }
    if let Some(found) = known.named(&wanted.name).next() {
        return Instead::OtherKind(found.clone());
    }
    if let Some(found) = known.beside(wanted).find(|known| is_slip(&known.source.name, &wanted.name)) {
        return Instead::Misspelt(found.clone());
    }
    let similar = nearest(&wanted.name, known.beside(wanted).map(|known| known.source.name.as_str()));
    Instead::Nothing { similar: similar.map(str::to_owned) }
}

/// Sources of one kind in one namespace from which on they are kept together there.
const COMPANY: usize = 3;

/// How sure it is that a source is missing whose name nothing bears: it may be made outside the repository.
fn confidence_of_nothing(cluster: &Cluster, using: &Using<'_>, known: &KnownSources, is_hidden: bool) -> Confidence {
    let wanted = &using.used.source;
    // Where all its like are kept together, this one would be there too.
    let is_odd = known.has_kind(&wanted.kind) && (!is_hidden || known.beside(wanted).count() >= COMPANY);
    // What a broken build would hold is not in sight, and the break is reported anyway.
    let is_whole = appliers(cluster, using).all(|node| node.applied.build.errors.is_empty());
    if is_odd && is_whole { Confidence::Medium } else { Confidence::Low }
}

/// The Kustomizations that apply an object with a reference to a source.
fn appliers<'a>(cluster: &'a Cluster, using: &Using<'_>) -> impl Iterator<Item = &'a Node> {
    let providers = cluster.objects.get(&ObjectKey::from(using.object.id())).into_iter().flatten();
    providers.map(|provider| cluster.node(provider.node))
}

fn forbidden(cluster: &Cluster, used: &SourceUse) -> Option<SourceProblem> {
    let flag = cluster.controllers.no_cross_namespace_refs(&used.subject.kind);
    let own = used.subject.namespace.as_deref().unwrap_or_default();
    let is_forbidden = flag.value && !own.is_empty() && used.source.namespace != own;
    is_forbidden.then(|| SourceProblem::OtherTenant { own: own.to_owned(), flag: flag.span })
}

/// Only where all arguments of the controller are known, so that the gate is known to be off.
fn without_gate(cluster: &Cluster, used: &SourceUse) -> Option<SourceProblem> {
    const GATE: &str = "ExternalArtifact";
    let controller = cluster.controllers.of_kind(&used.subject.kind);
    let is_off = used.source.kind == GATE && controller.is_complete && !controller.has_gate(GATE);
    is_off.then(|| SourceProblem::WithoutGate { controller: controller.name.to_string() })
}

/// A kind with its article.
#[must_use]
pub fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {kind}")
}
