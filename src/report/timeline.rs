//! When everything happens in a cold start: answers of `fluxdag timeline`.

use std::time::Duration;

use serde::Serialize;

use super::{
    Terminal, Times,
    answer::{TimesJson, paragraph},
    json::{SCHEMA_VERSION, Tool},
    printable,
    spread::{NodeSpread, TotalSpread},
    text::shortened,
    why::{document, head},
};
use crate::finding::{Subject, about};

/// The cold starts of the clusters of a repository.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// One for each cluster.
    pub clusters: Vec<ClusterTimeline>,
}

/// The cold start of one cluster.
#[derive(Debug, Clone)]
pub struct ClusterTimeline {
    /// Its root.
    pub cluster: String,
    /// The hardware that the figures are for.
    pub profile: &'static str,
    /// The Flux release, where the repository tells.
    pub flux_version: Option<String>,
    /// What was asked about, where it is not the whole cluster.
    pub to: Option<Subject>,
    /// When that is Ready.
    pub total: Option<Times>,
    /// The objects on the critical path, in order.
    pub critical_path: Vec<Subject>,
    /// When the last is Ready that ever is, in the simulation.
    pub simulated_total: Duration,
    /// How much of that goes to waiting for a free worker.
    pub queueing: Duration,
    /// How that varies, where it was asked for.
    pub spread: Option<TotalSpread>,
    /// What the time on it goes to, in words, with seconds.
    pub shares: Vec<(&'static str, u64)>,
    /// Kustomizations and HelmReleases, by their start.
    pub nodes: Vec<NodeTimeline>,
}

/// When one object starts and is Ready.
#[derive(Debug, Clone)]
pub struct NodeTimeline {
    /// The object.
    pub node: Subject,
    /// By the analytic model, timeouts off; `None` where it never starts.
    pub analytic: Option<Analytic>,
    /// What the controllers make of it, with timeouts and retries.
    pub simulated: Simulated,
    /// How that varies, where it was asked for.
    pub spread: Option<NodeSpread>,
    /// What its own duration rests on.
    pub duration_origin: String,
}

/// Times of the simulation, with typical durations.
#[derive(Debug, Clone, Default)]
pub struct Simulated {
    /// When it was first reconciled with everything it depends on in place.
    pub start: Option<Duration>,
    /// When a Kustomization's objects were applied.
    pub applied: Option<Duration>,
    /// When it turned Ready.
    pub ready: Option<Duration>,
    /// Reconciliations that got past its dependencies.
    pub attempts: u32,
    /// When its health checks or Helm actions ended too early.
    pub timed_out: Vec<Duration>,
}

/// Times of the analytic model.
#[derive(Debug, Clone, Copy)]
pub struct Analytic {
    /// When its work begins.
    pub start: Times,
    /// When it is Ready; `None` where it never is.
    pub ready: Option<Times>,
    /// How much later it may be Ready without delaying the end.
    pub slack: Duration,
    /// Whether it is on the critical path.
    pub on_critical_path: bool,
}

#[derive(Serialize)]
struct TimelineJson<'a> {
    schema_version: u32,
    tool: Tool,
    clusters: Vec<ClusterJson<'a>>,
}

#[derive(Serialize)]
struct ClusterJson<'a> {
    cluster: &'a str,
    profile: &'a str,
    flux_version: Option<&'a str>,
    to: Option<&'a Subject>,
    total_s: Option<TimesJson>,
    simulated_total_s: u64,
    /// Of it, what controllers with a worker for everything would not need.
    queueing_s: u64,
    monte_carlo: Option<TotalSpread>,
    critical_path: &'a [Subject],
    critical_path_shares_s: Vec<ShareJson<'a>>,
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct ShareJson<'a> {
    cause: &'a str,
    seconds: u64,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    analytic: Option<AnalyticJson>,
    simulated: SimulatedJson,
    monte_carlo: Option<NodeSpread>,
    duration_origin: &'a str,
}

#[derive(Serialize)]
struct SimulatedJson {
    start_s: Option<u64>,
    applied_s: Option<u64>,
    ready_s: Option<u64>,
    attempts: u32,
    timed_out: Vec<u64>,
}

#[derive(Serialize)]
struct AnalyticJson {
    start_s: u64,
    ready_s: Option<TimesJson>,
    slack_s: u64,
    on_critical_path: bool,
}

impl Timeline {
    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        document(&TimelineJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            clusters: self.clusters.iter().map(ClusterTimeline::json).collect(),
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, terminal: &Terminal) -> String {
        let texts: Vec<String> = self.clusters.iter().map(|cluster| cluster.text(terminal)).collect();
        texts.join("\n")
    }
}

impl ClusterTimeline {
    fn json(&self) -> ClusterJson<'_> {
        ClusterJson {
            cluster: &self.cluster,
            profile: self.profile,
            flux_version: self.flux_version.as_deref(),
            to: self.to.as_ref(),
            total_s: self.total.map(Times::json),
            simulated_total_s: self.simulated_total.as_secs(),
            queueing_s: self.queueing.as_secs(),
            monte_carlo: self.spread,
            critical_path: &self.critical_path,
            critical_path_shares_s: self
                .shares
                .iter()
                .map(|(cause, seconds)| ShareJson { cause, seconds: *seconds })
                .collect(),
            nodes: self.nodes.iter().map(NodeTimeline::json).collect(),
        }
    }

    fn text(&self, terminal: &Terminal) -> String {
        let mut text = head(&self.cluster, "Cold start", terminal);
        text.push_str(&paragraph(&self.sentence(), terminal));
        text.push('\n');
        text.push_str(&self.chart(terminal));
        let path: Vec<String> = self.critical_path.iter().map(|subject| subject.name.clone()).collect();
        if !path.is_empty() {
            let arrow = if terminal.unicode { " → " } else { " -> " };
            text.push('\n');
            text.push_str(&paragraph(&format!("Critical path (*): {}.", path.join(arrow)), terminal));
            let shares: Vec<String> = self
                .shares
                .iter()
                .map(|(cause, seconds)| format!("{} {cause}", about(Duration::from_secs(*seconds))))
                .collect();
            text.push_str(&paragraph(&format!("Of it: {}.", shares.join(", ")), terminal));
        }
        text.push_str(&self.troubles(terminal));
        text
    }

    /// What the controllers make of it.
    fn troubles(&self, terminal: &Terminal) -> String {
        let mut text = String::from("\n");
        text.push_str(&paragraph(&self.controllers(), terminal));
        let troubles: Vec<String> = self.nodes.iter().filter_map(NodeTimeline::trouble).collect();
        for trouble in troubles.iter().take(TROUBLES) {
            text.push_str(&super::wrap(&printable(&format!("{trouble}.")), terminal.width, "  ", "    "));
            text.push('\n');
        }
        if troubles.len() > TROUBLES {
            text.push_str(&format!("  and {} more\n", troubles.len() - TROUBLES));
        }
        text
    }

    fn controllers(&self) -> String {
        let nodes = self.nodes.iter().filter(|node| node.node.kind == "Kustomization");
        let never = nodes.filter(|node| node.simulated.ready.is_none()).count();
        let total = about(self.simulated_total);
        let queueing = match self.queueing {
            time if time < QUEUEING => String::new(),
            time => format!("; {} of it is waiting for a free worker", about(time)),
        };
        let spread = self.spread.as_ref().map_or_else(String::new, |spread| spread.text(&self.most_critical()));
        match never {
            0 => format!(
                "With workers, timeouts and retries the controllers have all of it Ready after about {total}{queueing}.{spread}"
            ),
            _ => format!(
                "With workers, timeouts and retries {} never become Ready; the last of the others is after about {total}{queueing}.{spread}",
                super::count(never, "Kustomization")
            ),
        }
    }

    /// What is on the path to the end in most runs, with the share of them.
    fn most_critical(&self) -> Vec<(String, f64)> {
        let mut shares: Vec<(String, f64)> = self
            .nodes
            .iter()
            .filter_map(|node| Some((short(&node.node), node.spread?.critical_share)))
            .filter(|(_, share)| *share > 0.0)
            .collect();
        shares.sort_by(|one, other| other.1.total_cmp(&one.1));
        shares.truncate(CRITICAL);
        shares
    }

    fn sentence(&self) -> String {
        let what = self.to.as_ref().map_or_else(|| "The whole cluster".to_owned(), Subject::to_string);
        match self.total {
            Some(total) => format!(
                "{what} is Ready after {}, counted from the first reconciliation, with empty image caches on {} hardware, timeouts and \
                 failed attempts left out.",
                total.text(),
                self.profile
            ),
            None => format!("{what} is never Ready."),
        }
    }

    /// One line for each object: its name, a bar from its start until it is Ready, and when that is.
    fn chart(&self, terminal: &Terminal) -> String {
        let end = self.nodes.iter().filter_map(|node| Some(node.analytic?.ready?.typical)).max().unwrap_or_default();
        let bars = terminal.width.clamp(60, 100) - NAME - TIME - 4;
        let mut text = String::new();
        for node in &self.nodes {
            let mark = if node.analytic.is_some_and(|analytic| analytic.on_critical_path) { '*' } else { ' ' };
            let name = shortened(&printable(&short(&node.node)), NAME, terminal);
            let ready = node.analytic.and_then(|analytic| analytic.ready);
            let at = ready.map_or_else(|| "never".to_owned(), |ready| about(ready.typical));
            let line = format!("{mark} {name:<NAME$} {} {at:>TIME$}", node.bar(end, bars, terminal));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The name with the kind as `flux` and `kubectl` shorten it, which `--to` takes as well.
pub(super) fn short(subject: &Subject) -> String {
    let kind = match subject.kind.as_str() {
        "Kustomization" => "ks",
        "HelmRelease" => "hr",
        kind => kind,
    };
    format!("{kind}/{}/{}", subject.namespace.as_deref().unwrap_or_default(), subject.name)
}

/// Objects that give up on the way, told one by one.
const TROUBLES: usize = 12;

/// Less is not worth a word.
const QUEUEING: Duration = Duration::from_secs(10);

/// Objects that are named as most often critical.
const CRITICAL: usize = 5;

/// Columns of a name, and of a time.
const NAME: usize = 42;
const TIME: usize = 8;

impl Simulated {
    fn json(&self) -> SimulatedJson {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        SimulatedJson {
            start_s: seconds(self.start),
            applied_s: seconds(self.applied),
            ready_s: seconds(self.ready),
            attempts: self.attempts,
            timed_out: self.timed_out.iter().map(Duration::as_secs).collect(),
        }
    }
}

impl NodeTimeline {
    fn json(&self) -> NodeJson<'_> {
        NodeJson {
            kind: &self.node.kind,
            namespace: self.node.namespace.as_deref(),
            name: &self.node.name,
            analytic: self.analytic.map(|analytic| AnalyticJson {
                start_s: analytic.start.typical.as_secs(),
                ready_s: analytic.ready.map(Times::json),
                slack_s: analytic.slack.as_secs(),
                on_critical_path: analytic.on_critical_path,
            }),
            simulated: self.simulated.json(),
            monte_carlo: self.spread,
            duration_origin: &self.duration_origin,
        }
    }

    /// What the controllers make of it, where that is more than a minute or an attempt away from what is needed.
    fn trouble(&self) -> Option<String> {
        let name = short(&self.node);
        let times: Vec<String> = self.simulated.timed_out.iter().take(3).map(|at| about(*at)).collect();
        let more = if self.simulated.timed_out.len() > 3 { ", and again and again" } else { "" };
        let ready = self
            .simulated
            .ready
            .map_or_else(|| "is never Ready".to_owned(), |at| format!("is Ready after {}", about(at)));
        (!times.is_empty())
            .then(|| format!("{name} gives up at its timeout after {}{more}, and {ready}", times.join(", ")))
    }

    /// Columns from the beginning of the cold start to its end: dots until it starts, and then a bar.
    fn bar(&self, end: Duration, columns: usize, terminal: &Terminal) -> String {
        let Some(analytic) = self.analytic else { return " ".repeat(columns) };
        let column =
            |at: Duration| (at.as_millis() * columns as u128 / end.as_millis().max(1)).min(columns as u128) as usize;
        let start = column(analytic.start.typical).min(columns - 1);
        let stop = analytic.ready.map_or(columns, |ready| column(ready.typical)).max(start + 1);
        let (full, dot) = if terminal.unicode { ("█", "·") } else { ("#", ".") };
        let bar = if analytic.ready.is_some() { full } else { "?" };
        format!("{}{}{}", dot.repeat(start), bar.repeat(stop - start), " ".repeat(columns - stop))
    }
}
