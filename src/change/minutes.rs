//! What became of the minutes of a cold start.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalog::Range,
    finding::Subject,
    graph::{Actor, EventId, Moment},
    query::{ClusterOutcome, Headline, Seconds, Sides},
    situation::{Pair, Situation},
    source::{Place, Tree},
    timing::{Culprit, culprit, differences},
};

/// Two cold starts of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ColdStarts")]
pub struct Minutes {
    /// When the last thing is Ready that ever is; `null` where none is.
    pub total: Sides<Option<Range>>,
    /// How many Kustomizations become Ready, and what keeps the others from it: the totals leave those out.
    pub outcome: Sides<ClusterOutcome>,
    /// The Kustomizations on the critical path, and what ends it.
    pub critical_path: Sides<Vec<Subject>>,
    /// What makes the difference: of the whole cluster, and of the Kustomization that it matters most to.
    pub culprits: Vec<Explained>,
    /// Kustomizations of both that are Ready earlier or later, those that change most first.
    pub nodes: Vec<NodeMinutes>,
}

/// What makes a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Culprit")]
pub struct Explained {
    /// The Kustomization whose time it is; `null` for that of the cluster.
    pub of: Option<Subject>,
    /// In a sentence without full stop.
    pub message: String,
    /// The object whose change it is.
    pub subject: Subject,
    /// How much it makes.
    pub by_s: Seconds,
    /// Whether that is saved.
    pub saves: bool,
    /// What declares it; where that is gone, in the revision that had it. `null` where no file holds it.
    pub location: Option<Place>,
}

/// When a Kustomization is Ready in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeMinutes {
    /// The Kustomization.
    pub node: Subject,
    /// When it is Ready.
    pub ready: Sides<Range>,
}

/// Differences below this are not worth telling.
const NOTEWORTHY: Duration = Duration::from_secs(30);

impl Minutes {
    pub(super) fn new(pair: Pair<'_>, trees: [&Tree; 2]) -> Self {
        let sides = [pair.before, pair.after];
        let heads = sides.map(|situation| situation.map(Headline::of_cluster).unwrap_or_default());
        let lasts = [heads[0].end, heads[1].end];
        let total = [heads[0].total, heads[1].total];
        let paths = [0, 1].map(|at| sides[at].zip(lasts[at]).map(|(it, last)| path(it, last)).unwrap_or_default());
        let alone = Self {
            total: total.into(),
            outcome: Sides::from([0, 1].map(|at| {
                sides[at].map(|situation| ClusterOutcome::of_cluster(situation, trees[at])).unwrap_or_default()
            })),
            critical_path: paths.into(),
            ..Self::default()
        };
        let Some((before, after)) = pair.before.zip(pair.after) else { return alone };
        let (before, after) = (before.side(), after.side());
        let mut culprits = Vec::new();
        if let [Some(one), Some(other)] = total
            && one.typical.abs_diff(other.typical) >= NOTEWORTHY
        {
            let is_gain = other.typical < one.typical;
            let (slow, fast, end) = if is_gain { (before, after, lasts[0]) } else { (after, before, lasts[1]) };
            let found = end.and_then(|end| culprit(slow, fast, end));
            culprits.extend(found.map(|found| Explained::new(None, found, is_gain, trees)));
        }
        let mut nodes = differences(before, after);
        nodes.retain(|(_, [one, other])| one.typical.abs_diff(other.typical) >= NOTEWORTHY);
        if let Some((key, [one, other])) = nodes.first() {
            let is_gain = other.typical < one.typical;
            let (slow, fast) = if is_gain { (before, after) } else { (after, before) };
            let id = slow.cluster.find(key);
            let end = id.and_then(|id| slow.graph.id(Actor::Node(id), Moment::Ready));
            let found = end.and_then(|end| culprit(slow, fast, end));
            let more = found.map(|found| Explained::new(Some(key.subject("Kustomization")), found, is_gain, trees));
            culprits.extend(more.filter(|more| culprits.iter().all(|known: &Explained| known.message != more.message)));
        }
        let nodes = nodes
            .into_iter()
            .map(|(key, times)| NodeMinutes { node: key.subject("Kustomization"), ready: times.into() })
            .collect();
        Self { culprits, nodes, ..alone }
    }

    /// How many seconds the cluster takes longer; negative where it takes less.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        let Sides { before, after } = self.total;
        let of = |range: Range| i64::try_from(range.typical.as_secs()).ok();
        Some(of(after?)? - of(before?)?)
    }
}

/// The Kustomizations on the critical path of a cluster, and what happens last.
fn path(situation: &Situation<'_>, last: EventId) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for id in situation.cold_start.critical_path(last) {
        let actor = situation.graph.event(id).actor;
        if matches!(actor, Actor::Node(_)) || id == last {
            let subject = actor.subject(situation.cluster);
            if subjects.last() != Some(&subject) {
                subjects.push(subject);
            }
        }
    }
    subjects
}

impl Explained {
    fn new(of: Option<Subject>, culprit: Culprit, saves: bool, [before, after]: [&Tree; 2]) -> Self {
        let tree = if saves { before } else { after };
        Self {
            of,
            message: culprit.text(saves),
            location: tree.place(culprit.place),
            subject: culprit.subject,
            by_s: Seconds(culprit.by),
            saves,
        }
    }
}
