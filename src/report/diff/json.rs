//! The same for programs.

use serde::Serialize;

use super::{Diff, Revised};
use crate::{
    change::{ClusterChange, EdgeChange, GateChange, How, NodeChange, Range},
    finding::{Confidence, Finding, Severity, Subject},
    query::{Built, ClusterImpact},
    report::{
        Times,
        answer::TimesJson,
        answer::document,
        json::{Place, SCHEMA_VERSION, Tool},
    },
    source::Tree,
};

#[derive(Serialize)]
struct DiffJson<'a> {
    schema_version: u32,
    tool: Tool,
    base: RevisedJson<'a>,
    head: RevisedJson<'a>,
    profile: &'a str,
    summary: Summary,
    findings: Findings<'a>,
    clusters: Vec<ClusterJson<'a>>,
    files: Vec<FileJson<'a>>,
    reach: Vec<ReachJson<'a>>,
}

#[derive(Serialize)]
struct RevisedJson<'a> {
    name: &'a str,
    commit: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary {
    new: usize,
    fixed: usize,
    known: usize,
    files: usize,
}

#[derive(Serialize)]
struct Findings<'a> {
    new: Vec<FindingJson<'a>>,
    fixed: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    fingerprint: &'a str,
    severity: Severity,
    confidence: Confidence,
    message: &'a str,
    subject: &'a Subject,
    clusters: &'a [String],
    location: Option<Place>,
    why: &'a str,
    help: &'a str,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    cluster: &'a str,
    was: Option<&'a str>,
    change: Option<&'static str>,
    nodes: Vec<NodeJson<'a>>,
    edges: Vec<EdgeJson<'a>>,
    gates: Vec<GateJson<'a>>,
    cold_start: ColdStartJson<'a>,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    node: &'a Subject,
    change: &'static str,
    fields: &'a [String],
    objects: ObjectsJson,
    place: Option<&'a str>,
}

#[derive(Serialize)]
struct ObjectsJson {
    added: usize,
    removed: usize,
    changed: usize,
}

#[derive(Serialize)]
struct EdgeJson<'a> {
    from: &'a Subject,
    kind: &'a str,
    to: &'a Subject,
    change: &'static str,
    detail_before: &'a str,
    detail_after: &'a str,
}

#[derive(Serialize)]
struct GateJson<'a> {
    node: &'a Subject,
    field: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    place: Option<&'a str>,
}

#[derive(Serialize)]
struct ColdStartJson<'a> {
    before_s: Option<TimesJson>,
    after_s: Option<TimesJson>,
    never_ready_before: usize,
    never_ready_after: usize,
    path_before: &'a [Subject],
    path_after: &'a [Subject],
    culprits: Vec<CulpritJson<'a>>,
    nodes: Vec<ReadyJson<'a>>,
}

#[derive(Serialize)]
struct CulpritJson<'a> {
    of: Option<&'a Subject>,
    subject: &'a Subject,
    message: &'a str,
    by_s: u64,
    saves: bool,
    place: Option<&'a str>,
}

#[derive(Serialize)]
struct ReadyJson<'a> {
    node: &'a Subject,
    before_s: TimesJson,
    after_s: TimesJson,
}

#[derive(Serialize)]
struct FileJson<'a> {
    path: &'a str,
    change: &'static str,
}

#[derive(Serialize)]
struct ReachJson<'a> {
    cluster: &'a str,
    built: &'a [Built],
    waits_each_commit: &'a [Subject],
    starts_after: &'a [Subject],
    ready_after: &'a [Subject],
}

impl Diff<'_> {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        document(&DiffJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            base: revised(&self.base),
            head: revised(&self.head),
            profile: self.profile,
            summary: Summary {
                new: self.new.len(),
                fixed: self.fixed.len(),
                known: self.known,
                files: self.files.len(),
            },
            findings: Findings { new: findings(&self.new, self.trees[1]), fixed: findings(&self.fixed, self.trees[0]) },
            clusters: self.clusters.iter().map(cluster).collect(),
            files: self.files.iter().map(|file| FileJson { path: &file.path, change: word(file.how) }).collect(),
            reach: self.reach.iter().map(reach).collect(),
        })
    }
}

fn revised(revised: &Revised) -> RevisedJson<'_> {
    RevisedJson { name: &revised.name, commit: revised.commit.as_deref() }
}

const fn word(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Removed => "removed",
        How::Changed => "changed",
    }
}

fn findings<'a>(found: &[&'a Finding], tree: &Tree) -> Vec<FindingJson<'a>> {
    found.iter().map(|found| finding(found, tree)).collect()
}

fn finding<'a>(finding: &'a Finding, tree: &Tree) -> FindingJson<'a> {
    FindingJson {
        rule: finding.rule,
        fingerprint: &finding.fingerprint,
        severity: finding.severity,
        confidence: finding.confidence,
        message: &finding.message,
        subject: &finding.subject,
        clusters: &finding.clusters,
        location: finding.location.span().and_then(|span| Place::of(tree, span)),
        why: &finding.why,
        help: &finding.help,
    }
}

fn times(range: Range) -> TimesJson {
    Times { low: range.low, typical: range.typical, high: range.high }.json()
}

fn cluster(cluster: &ClusterChange) -> ClusterJson<'_> {
    let minutes = &cluster.minutes;
    ClusterJson {
        cluster: &cluster.root,
        was: cluster.was.as_deref(),
        change: cluster.how.map(word),
        nodes: cluster.nodes.iter().map(node).collect(),
        edges: cluster.edges.iter().map(edge).collect(),
        gates: cluster.gates.iter().map(gate).collect(),
        cold_start: ColdStartJson {
            before_s: minutes.total[0].map(times),
            after_s: minutes.total[1].map(times),
            never_ready_before: minutes.never[0],
            never_ready_after: minutes.never[1],
            path_before: &minutes.paths[0],
            path_after: &minutes.paths[1],
            culprits: minutes
                .culprits
                .iter()
                .map(|told| CulpritJson {
                    of: told.of.as_ref(),
                    subject: &told.subject,
                    message: &told.sentence,
                    by_s: told.by.as_secs(),
                    saves: told.is_gain,
                    place: told.place.as_deref(),
                })
                .collect(),
            nodes: minutes
                .nodes
                .iter()
                .map(|(node, [before, after])| ReadyJson { node, before_s: times(*before), after_s: times(*after) })
                .collect(),
        },
    }
}

fn node(change: &NodeChange) -> NodeJson<'_> {
    let [added, removed, changed] = change.objects;
    NodeJson {
        node: &change.node,
        change: word(change.how),
        fields: &change.fields,
        objects: ObjectsJson { added, removed, changed },
        place: change.place.as_deref(),
    }
}

fn edge(change: &EdgeChange) -> EdgeJson<'_> {
    EdgeJson {
        from: &change.from,
        kind: change.kind,
        to: &change.to,
        change: word(change.how),
        detail_before: &change.detail[0],
        detail_after: &change.detail[1],
    }
}

fn gate(change: &GateChange) -> GateJson<'_> {
    GateJson {
        node: &change.node,
        field: change.field,
        before: change.values[0].as_deref(),
        after: change.values[1].as_deref(),
        place: change.place.as_deref(),
    }
}

fn reach(impact: &ClusterImpact) -> ReachJson<'_> {
    ReachJson {
        cluster: &impact.cluster,
        built: &impact.built,
        waits_each_commit: &impact.waits_each_commit,
        starts_after: &impact.starts_after,
        ready_after: &impact.ready_after,
    }
}
