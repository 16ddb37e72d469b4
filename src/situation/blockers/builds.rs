//! Builds that fail: `kustomize build`, the kustomization that Flux generates, and the substitution of variables.

use std::iter;

use super::{Blocker, Cause, View};
use crate::{
    cluster::NodeId,
    finding::Confidence,
    graph::{Actor, Moment, Reason, stages},
    kustomize::Error,
    source::Span,
};

/// A fault for which the build of a Kustomization fails: Ready=False, reason `BuildFailed`, and nothing of it is applied
/// (kustomize-controller v1.9, `reconcile`).
#[derive(Debug, Clone)]
pub struct BuildFact {
    /// The Kustomization.
    pub node: NodeId,
    /// The step that fails.
    pub step: BuildStep,
    /// What is wrong.
    pub error: Error,
    /// The place that decides it: that of the error, or `spec.path` where it has none.
    pub span: Span,
    /// The first event that does not happen.
    moment: Moment,
}

/// The steps of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildStep {
    /// Reading the files and everything that kustomize does with them.
    Kustomize,
    /// Reading the `${…}` expressions of what was built.
    Expression,
}

impl BuildFact {
    /// What it keeps from happening.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        Some(Blocker {
            actor: Actor::Node(self.node),
            moment: self.moment,
            reason: Reason::Build,
            cause: Cause::FailedBuild,
            text: format!("fails to build: {}", self.error.message),
            span: self.span,
            confidence: Confidence::High,
        })
    }
}

/// The faults of a cluster, in the order of its Kustomizations.
pub(super) fn find(view: View<'_>) -> Vec<BuildFact> {
    let mut facts = Vec::new();
    for (id, node) in view.nodes() {
        let moment = stages::first(view.cluster, node);
        let steps = iter::repeat(BuildStep::Kustomize)
            .zip(&node.applied.build.errors)
            .chain(iter::repeat(BuildStep::Expression).zip(&node.applied.expression_errors));
        facts.extend(steps.map(|(step, error)| {
            let span = error.span.or(node.kustomization.span(&["spec", "path"]));
            BuildFact { node: id, step, error: error.clone(), span, moment }
        }));
    }
    facts
}
