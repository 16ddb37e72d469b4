//! Questions about analysed clusters. Each is a function: data in, a plain answer out.
//!
//! An answer needs neither graph nor files any more. It has the form of its JSON document, see [`Document`]; `report` has the
//! text for people. What cannot be answered is an [`Error`], for instance a name that nothing has.

mod commit;
mod contract;
mod error;
mod files;
mod headline;
mod impact;
mod link;
mod list;
mod names;
mod render;
mod timeline;
mod what_if;
mod why;

pub use commit::{ClusterCommit, Commit, CommittedNode, SourceCommit, commit};
pub use contract::{
    Document, Envelope, ReportedEdit, ReportedFinding, ReportedPlace, ReportedUnresolved, SCHEMA_VERSION, Seconds,
    Sides, Tool,
};
pub use error::Error;
pub use headline::{ClusterOutcome, Headline, OutcomeCounts, ReportedObstacle};
pub use impact::{Built, BuiltCounts, ClusterImpact, Impact, ImpactCounts, Revision, built, impact, of_cluster};
pub use link::Link;
pub use list::{ListedCluster, ListedNode, ListedState, Listing, Unreached, has_safe_name, list};
pub use names::{Found, Matches};
pub use render::{
    Manifest, Rendered, RenderedCluster, RenderedObject, Rendering, Trace, TraceStep, render, render_folder,
};
pub use timeline::{
    Analytic, ClusterTimeline, MonteCarloTotal, NodeMonteCarlo, NodeTimeline, PathShare, Simulated, Timeline,
    TimelineOptions, timeline,
};
pub use what_if::{Change, ClusterWhatIf, NodeWhatIf, WhatIf, what_if};
pub use why::{Answer, ClusterWhy, ClusterWhyOn, Decides, Happening, Stuck, Why, WhyOn, why, why_on};

pub use crate::catalog::Range;
use crate::{cluster::Focus, situation::Situation, yaml::Store};

/// What questions are asked of.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The files, parsed.
    pub store: &'a Store,
    /// The clusters, and the groups that nothing reaches.
    pub situations: &'a [Situation<'a>],
    /// What is reported of them. Names are looked up in all, there first.
    pub focus: &'a Focus,
    /// The hardware that times are for.
    pub profile: &'static str,
}

impl<'a> Model<'a> {
    /// The clusters that are reported, of those that an entry point reaches, with their positions.
    pub fn reported(self) -> impl Iterator<Item = (usize, &'a Situation<'a>)> {
        let situations = self.situations.iter().enumerate();
        situations.filter(move |(index, one)| one.cluster.reached && self.focus.has_cluster(*index))
    }
}
