//! What the model says of a repository. Tests that compare it with something else ask here, so that they do not depend on how
//! it is asked.

use fluxdag::{
    Options, Survey,
    graph::Actor,
    situation::{Situation, State, View},
};

/// What becomes of an object in a cold start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Ready,
    Suspended,
    Never,
}

/// The model of each cluster that an entry point leads to.
pub(crate) fn situations<'a>(survey: &'a Survey, options: &Options) -> Vec<Situation<'a>> {
    let reached = survey.clusters.iter().filter(|cluster| cluster.reached);
    let view = |cluster| View { cluster, clusters: &survey.clusters, store: &survey.store };
    reached.map(|cluster| Situation::new(view(cluster), options.profile, &options.durations)).collect()
}

/// What becomes of a Kustomization or HelmRelease.
pub(crate) fn fate(situation: &Situation<'_>, actor: Actor) -> Fate {
    match situation.state(actor) {
        State::Ready(_) => Fate::Ready,
        State::Suspended => Fate::Suspended,
        State::Never => Fate::Never,
    }
}
