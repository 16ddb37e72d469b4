//! When everything happens in a cold start: the text of `fluxdag timeline`.

use std::time::Duration;

use super::{Text, head, headline, paragraph};
use crate::{
    finding::{Subject, about},
    query::{ClusterTimeline, MonteCarloTotal, NodeTimeline, Seconds, Timeline},
    report::{Terminal, printable, text::shortened, wrap},
};

impl Text for Timeline {
    fn text(&self, terminal: &Terminal) -> String {
        let texts: Vec<String> =
            self.clusters.iter().map(|cluster| of_cluster(cluster, self.profile, terminal)).collect();
        texts.join("\n")
    }
}

fn of_cluster(cluster: &ClusterTimeline, profile: &str, terminal: &Terminal) -> String {
    let mut text = head(&cluster.cluster, "Cold start", terminal);
    if cluster.to.is_none() {
        text.push_str(&headline::outcome(&cluster.outcome));
    }
    text.push_str(&paragraph(&headline::timeline(cluster, profile), terminal));
    text.push('\n');
    text.push_str(&chart(cluster, terminal));
    let path: Vec<&str> = cluster.critical_path.iter().map(|subject| subject.name.as_str()).collect();
    if !path.is_empty() {
        let arrow = if terminal.unicode { " → " } else { " -> " };
        text.push('\n');
        text.push_str(&paragraph(&format!("Critical path (*): {}.", path.join(arrow)), terminal));
        let shares = cluster.critical_path_shares.iter();
        let shares: Vec<String> = shares.map(|share| format!("{} {}", share.time_s.about(), share.cause)).collect();
        text.push_str(&paragraph(&format!("Of it: {}.", shares.join(", ")), terminal));
    }
    text.push_str(&troubles(cluster, terminal));
    text
}

/// What the controllers make of it.
fn troubles(cluster: &ClusterTimeline, terminal: &Terminal) -> String {
    let mut text = String::from("\n");
    text.push_str(&paragraph(&controllers(cluster), terminal));
    let troubles: Vec<String> = cluster.nodes.iter().filter_map(trouble).collect();
    for trouble in troubles.iter().take(TROUBLES) {
        text.push_str(&wrap(&printable(&format!("{trouble}.")), terminal.width, "  ", "    "));
        text.push('\n');
    }
    if troubles.len() > TROUBLES {
        text.push_str(&format!("  and {} more\n", troubles.len() - TROUBLES));
    }
    text
}

fn controllers(cluster: &ClusterTimeline) -> String {
    let nodes = cluster.nodes.iter();
    let never = nodes.filter(|node| node.simulated.ready_s.is_none()).count();
    let total = cluster.simulated_total_s.about();
    let queueing = match cluster.queueing_s {
        time if time < QUEUEING => String::new(),
        time => format!("; {} of it is waiting for a free worker", time.about()),
    };
    let monte_carlo = cluster
        .monte_carlo_total
        .map_or_else(String::new, |monte_carlo| monte_carlo_text(monte_carlo, &most_critical(cluster)));
    match never {
        0 => format!(
            "With workers, timeouts and retries the controllers have all of it Ready after about {total}{queueing}.{monte_carlo}"
        ),
        _ => format!(
            "With workers, timeouts and retries {never} of them never become Ready; the last of the others is after about \
             {total}{queueing}.{monte_carlo}"
        ),
    }
}

/// What is on the path to the end in most runs, with the share of them.
fn most_critical(cluster: &ClusterTimeline) -> Vec<(String, f64)> {
    let mut shares: Vec<(String, f64)> = cluster
        .nodes
        .iter()
        .filter_map(|node| Some((short(&node.node), node.monte_carlo?.critical_share)))
        .filter(|(_, share)| *share > 0.0)
        .collect();
    shares.sort_by(|one, other| other.1.total_cmp(&one.1));
    shares.truncate(CRITICAL);
    shares
}

/// One line for each object: its name, a bar from its start until it is Ready, and when that is.
fn chart(cluster: &ClusterTimeline, terminal: &Terminal) -> String {
    let end = cluster.nodes.iter().filter_map(|node| Some(node.analytic?.ready?.typical)).max().unwrap_or_default();
    let bars = terminal.width.clamp(60, 100) - NAME - TIME - 4;
    let mut text = String::new();
    for node in &cluster.nodes {
        let mark = if node.analytic.is_some_and(|analytic| analytic.on_critical_path) { '*' } else { ' ' };
        let name = shortened(&printable(&short(&node.node)), NAME, terminal);
        let ready = node.analytic.and_then(|analytic| analytic.ready);
        let at = ready.map_or_else(|| "never".to_owned(), |ready| about(ready.typical));
        let line = format!("{mark} {name:<NAME$} {} {at:>TIME$}", bar(node, end, bars, terminal));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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

/// Objects that give up on the way, reported one by one.
const TROUBLES: usize = 12;

/// Less is not worth a word.
const QUEUEING: Seconds = Seconds(Duration::from_secs(10));

/// Objects that are named as most often critical.
const CRITICAL: usize = 5;

/// Columns of a name, and of a time.
const NAME: usize = 42;
const TIME: usize = 8;

/// What the controllers make of an object that gives up on the way.
fn trouble(node: &NodeTimeline) -> Option<String> {
    let simulated = &node.simulated;
    let times: Vec<String> = simulated.timed_out_s.iter().take(3).map(|at| at.about()).collect();
    let more = if simulated.timed_out_s.len() > 3 { ", and again and again" } else { "" };
    let ready =
        simulated.ready_s.map_or_else(|| "is never Ready".to_owned(), |at| format!("is Ready after {}", at.about()));
    let name = short(&node.node);
    (!times.is_empty()).then(|| format!("{name} gives up at its timeout after {}{more}, and {ready}", times.join(", ")))
}

/// Columns from the beginning of the cold start to its end: dots until the object starts, and then a bar.
fn bar(node: &NodeTimeline, end: Duration, columns: usize, terminal: &Terminal) -> String {
    let Some(analytic) = node.analytic else { return " ".repeat(columns) };
    let column =
        |at: Duration| (at.as_millis() * columns as u128 / end.as_millis().max(1)).min(columns as u128) as usize;
    let start = column(analytic.starts.typical).min(columns - 1);
    let stop = analytic.ready.map_or(columns, |ready| column(ready.typical)).max(start + 1);
    let (full, dot) = if terminal.unicode { ("█", "·") } else { ("#", ".") };
    let bar = if analytic.ready.is_some() { full } else { "?" };
    format!("{}{}{}", dot.repeat(start), bar.repeat(stop - start), " ".repeat(columns - stop))
}

/// A sentence that follows the one on the total, and what is most often critical.
fn monte_carlo_text(monte_carlo: MonteCarloTotal, critical: &[(String, f64)]) -> String {
    let at = |time: Option<Seconds>| time.map_or_else(|| "never".to_owned(), Seconds::about);
    let (runs, half, most) = (monte_carlo.runs, at(monte_carlo.p50_s), at(monte_carlo.p90_s));
    let mut text = format!(" In {runs} runs with varying durations: {half} in half of them, {most} in nine of ten.");
    if !critical.is_empty() {
        let critical: Vec<String> =
            critical.iter().map(|(name, share)| format!("{name} ({:.0} %)", share * 100.0)).collect();
        text.push_str(&format!(" Most often on the path to the last Ready: {}.", critical.join(", ")));
    }
    text
}
