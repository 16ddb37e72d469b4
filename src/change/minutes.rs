//! What became of the minutes of a cold start.

use std::time::Duration;

use crate::{
    catalog::Range,
    finding::Subject,
    graph::{Actor, EventId, Moment},
    situation::{Pair, Situation, State},
    source::Tree,
    timing::{Culprit, Side, culprit, differences},
};

/// Two cold starts of one cluster.
#[derive(Debug, Clone, Default)]
pub struct Minutes {
    /// When the last thing is Ready that ever is, before and after.
    pub total: [Option<Range>; 2],
    /// How many Kustomizations never become Ready, before and after: the totals leave them out.
    pub never: [usize; 2],
    /// The critical path before and after: the Kustomizations on it, and what ends it.
    pub paths: [Vec<Subject>; 2],
    /// What makes the difference: of the whole cluster, and of the Kustomization that it matters most to.
    pub culprits: Vec<Told>,
    /// Kustomizations of both that are Ready earlier or later, those that change most first.
    pub nodes: Vec<(Subject, [Range; 2])>,
}

/// What makes a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The Kustomization whose time it is; `None` for that of the cluster.
    pub of: Option<Subject>,
    /// In a sentence without full stop.
    pub sentence: String,
    /// The object whose change it is.
    pub subject: Subject,
    /// How much it makes.
    pub by: Duration,
    /// Whether that is saved.
    pub is_gain: bool,
    /// `path:line` of what declares it; where that is gone, in the revision that had it.
    pub place: Option<String>,
}

/// Differences below this are not worth telling.
const NOTEWORTHY: Duration = Duration::from_secs(30);

/// A cluster with its graph and times.
pub(super) const fn side<'a>(situation: &'a Situation<'a>) -> Side<'a> {
    Side { cluster: situation.cluster, graph: &situation.graph, cold_start: &situation.cold_start }
}

impl Minutes {
    pub(super) fn of(pair: Pair<'_>, trees: [&Tree; 2]) -> Self {
        let sides = [pair.before, pair.after];
        let lasts = sides.map(|situation| situation?.cold_start.last(&situation?.graph));
        let total = [0, 1].map(|at| sides[at]?.cold_start.time(lasts[at]?));
        let never = [0, 1].map(|at| sides[at].map_or(0, never));
        let paths = [0, 1].map(|at| sides[at].zip(lasts[at]).map(|(it, last)| path(it, last)).unwrap_or_default());
        let Some((before, after)) = pair.before.zip(pair.after) else {
            return Self { total, never, paths, ..Self::default() };
        };
        let (before, after) = (side(before), side(after));
        let mut culprits = Vec::new();
        if let [Some(one), Some(other)] = total
            && one.typical.abs_diff(other.typical) >= NOTEWORTHY
        {
            let is_gain = other.typical < one.typical;
            let (slow, fast, end) = if is_gain { (before, after, lasts[0]) } else { (after, before, lasts[1]) };
            let found = end.and_then(|end| culprit(slow, fast, end));
            culprits.extend(found.map(|found| Told::of(None, found, is_gain, trees)));
        }
        let mut nodes = differences(before, after);
        nodes.retain(|(_, [one, other])| one.typical.abs_diff(other.typical) >= NOTEWORTHY);
        if let Some((key, [one, other])) = nodes.first() {
            let is_gain = other.typical < one.typical;
            let (slow, fast) = if is_gain { (before, after) } else { (after, before) };
            let id = slow.cluster.find(key);
            let end = id.and_then(|id| slow.graph.id(Actor::Node(id), Moment::Ready));
            let found = end.and_then(|end| culprit(slow, fast, end));
            let told = found.map(|found| Told::of(Some(key.subject("Kustomization")), found, is_gain, trees));
            culprits.extend(told.filter(|told| culprits.iter().all(|known: &Told| known.sentence != told.sentence)));
        }
        let nodes = nodes.into_iter().map(|(key, times)| (key.subject("Kustomization"), times)).collect();
        Self { total, never, paths, culprits, nodes }
    }

    /// How many seconds the cluster takes longer; negative where it takes less.
    #[must_use]
    pub fn seconds(&self) -> Option<i64> {
        let [before, after] = self.total;
        let of = |range: Range| i64::try_from(range.typical.as_secs()).ok();
        Some(of(after?)? - of(before?)?)
    }
}

fn never(situation: &Situation<'_>) -> usize {
    let states = situation.cluster.nodes().map(|(id, _)| situation.state(Actor::Node(id)));
    states.filter(|state| matches!(state, State::Never)).count()
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

impl Told {
    fn of(of: Option<Subject>, culprit: Culprit, is_gain: bool, [before, after]: [&Tree; 2]) -> Self {
        let tree = if is_gain { before } else { after };
        let place = culprit
            .place
            .is_some()
            .then(|| format!("{}:{}", tree.path(culprit.place.file), tree.position(culprit.place).line));
        Self { of, sentence: culprit.text(is_gain), subject: culprit.subject, by: culprit.by, is_gain, place }
    }
}
