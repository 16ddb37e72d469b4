use std::collections::BTreeSet;

use super::{
    args::{AnswerFormat, Global, WhatIf},
    environment::Environment,
    error::CliError,
    print,
    question::{Found, find, only, situations, survey},
};
use crate::{
    catalog::Range,
    cluster::{Cluster, Edit, Focus, NodeId, NodeKey, ObjectKey, chart_of},
    flux::parse_duration,
    graph::Actor,
    report::{NodeTimes, Times, WhatIf as Report},
    situation::Situation,
    timing::{Comparison, Disturbance, compare, simulate_both},
};

/// Says what a change would do to the minutes of a cold start.
pub(super) fn run(what_if: &WhatIf, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let (survey, options) = survey(&what_if.paths, &what_if.question.model, global, environment)?;
    let situations = situations(&survey, &options);
    let focus = &survey.focus;
    let mut wishes = Wishes { situations: &situations, focus, quiet: global.quiet, cluster: None, edits: Vec::new() };
    let mut disturbances = Vec::new();
    for text in &what_if.unset_wait {
        let node = wishes.node(text)?;
        wishes.edits.push(Edit::UnsetWait(node));
    }
    for text in &what_if.drop_edge {
        let (of, on) = pair(text, ':', "NODE:DEPENDENCY")?;
        let (of, on) = (wishes.node(of)?, wishes.node(on)?);
        wishes.edits.push(Edit::DropDependency { of, on });
    }
    for text in &what_if.add_edge {
        let (of, on) = pair(text, ':', "NODE:DEPENDENCY")?;
        let (of, on) = (wishes.node(of)?, wishes.node(on)?);
        wishes.edits.push(Edit::AddDependency { of, on });
    }
    for text in &what_if.move_object {
        let (object, to) = pair(text, ':', "OBJECT:NODE")?;
        let (object, to) = (wishes.object(object)?, wishes.node(to)?);
        wishes.edits.push(Edit::Move { object, to });
    }
    for text in &what_if.split {
        let of = wishes.node(text)?;
        let edit = wishes.split(&of)?;
        wishes.edits.push(edit);
    }
    for text in &what_if.timeout {
        let (node, timeout) = pair(text, '=', "NODE=15m")?;
        if parse_duration(timeout).is_none() {
            return Err(CliError::new(format!("`{timeout}` is no duration; write it like 90s, 15m or 1h30m")));
        }
        let node = wishes.node(node)?;
        wishes.edits.push(Edit::Timeout(node, timeout.to_owned()));
    }
    for text in &what_if.slow {
        disturbances.push(wishes.slow(text)?);
    }
    for text in &what_if.fail {
        disturbances.push(Disturbance::Fail(wishes.node(text)?));
    }
    if wishes.edits.is_empty() && disturbances.is_empty() {
        return Err(CliError::new("there is nothing to change").with_help(
            "name a change: --unset-wait NODE, --drop-edge NODE:DEPENDENCY, --add-edge NODE:DEPENDENCY, --move OBJECT:NODE, --split NODE, --timeout NODE=15m, --slow CHART=2x or \
             --fail NODE",
        ));
    }
    let Wishes { cluster, edits, .. } = wishes;
    let reported: Vec<usize> = (0..situations.len()).filter(|index| focus.has_cluster(*index)).collect();
    let situation = match (cluster, reported.as_slice()) {
        (Some(index), _) => &situations[index],
        (None, [one]) => &situations[*one],
        (None, _) => return Err(several(&situations)),
    };
    let cluster = situation.cluster;
    let after = cluster.edited(&edits).map_err(|error| CliError::new(error.to_string()))?;
    let comparison = compare(cluster, &situation.durations, &after, &disturbances);
    let simulated = simulate_both(cluster, &situation.durations, &after, &disturbances);
    let simulated = simulated.map(|runs| runs.map(|run| (run.total, run.never)));
    let report = report(situation, &edits, &disturbances, &comparison, simulated);
    print(match what_if.question.format {
        AnswerFormat::Text => report.text(&environment.stdout(global.color)),
        AnswerFormat::Json => report.json(),
    })
}

fn several(situations: &[Situation<'_>]) -> CliError {
    let roots: Vec<&str> = situations.iter().map(|situation| situation.cluster.root.as_str()).collect();
    CliError::new("there are several clusters").with_help(format!("pick one with --cluster: {}", roots.join(", ")))
}

fn pair<'t>(text: &'t str, by: char, form: &str) -> Result<(&'t str, &'t str), CliError> {
    let parts = text.split_once(by).filter(|(one, other)| !one.is_empty() && !other.is_empty());
    parts.ok_or_else(|| CliError::new(format!("`{text}` is not of the form {form}")))
}

/// What was asked for, in the one cluster that it is about.
struct Wishes<'a> {
    situations: &'a [Situation<'a>],
    focus: &'a Focus,
    quiet: bool,
    cluster: Option<usize>,
    edits: Vec<Edit>,
}

impl Wishes<'_> {
    /// What `text` names, in the cluster that the others are of.
    fn named(&mut self, text: &str) -> Result<(&Cluster, Actor), CliError> {
        let mut found: Vec<Found> = find(text, self.situations, self.focus, self.quiet)?;
        if let Some(cluster) = self.cluster
            && found.iter().any(|(index, _)| *index == cluster)
        {
            found.retain(|(index, _)| *index == cluster);
        }
        let (index, actor) = only(text, &found, self.situations)?;
        match self.cluster {
            Some(cluster) if cluster != index => {
                return Err(CliError::new(format!("`{text}` is of another cluster than the rest"))
                    .with_help("ask about one cluster at a time, with --cluster"));
            }
            _ => self.cluster = Some(index),
        }
        Ok((self.situations[index].cluster, actor))
    }

    fn node(&mut self, text: &str) -> Result<NodeKey, CliError> {
        match self.named(text)? {
            (cluster, Actor::Node(id)) => Ok(cluster.node(id).key.clone()),
            (cluster, actor) => Err(CliError::new(format!("{} is no Kustomization", actor.subject(cluster)))),
        }
    }

    fn object(&mut self, text: &str) -> Result<ObjectKey, CliError> {
        let (cluster, actor) = self.named(text)?;
        let wanted = actor.subject(cluster);
        let mut keys = cluster.objects.keys();
        let key = keys.find(|key| key.subject() == wanted).cloned();
        key.ok_or_else(|| CliError::new(format!("no Kustomization applies {wanted}")))
    }

    /// The HelmReleases of a Kustomization that take longest go to one of their own: those that take more than half as
    /// long as the longest, as long as others stay.
    fn split(&self, of: &NodeKey) -> Result<Edit, CliError> {
        let situation = &self.situations[self.cluster.unwrap_or_default()];
        let cluster = situation.cluster;
        let id = cluster.find(of).unwrap_or(NodeId(0));
        let mut releases: Vec<(std::time::Duration, ObjectKey)> = cluster
            .applied_by(id)
            .filter(ObjectKey::is_helm_release)
            .filter_map(|key| {
                let index = cluster.release(&NodeKey::new(key.namespace.clone(), key.name.clone()))?;
                Some((situation.durations.release(index).range.typical, key))
            })
            .collect();
        releases.sort();
        let longest = releases.last().map(|(longest, _)| *longest).unwrap_or_default();
        let heavy: Vec<ObjectKey> =
            releases.iter().filter(|(typical, _)| *typical * 2 > longest).map(|(_, key)| key.clone()).collect();
        if releases.len() < 2 || heavy.len() == releases.len() {
            return Err(CliError::new(format!("{of} has no HelmRelease that takes much longer than its others"))
                .with_help("name what is to go with --move OBJECT:NODE"));
        }
        Ok(Edit::Split { of: of.clone(), objects: heavy, name: format!("{}-heavy", of.name).into() })
    }

    fn slow(&self, text: &str) -> Result<Disturbance, CliError> {
        let (chart, factor) = pair(text, '=', "CHART=2x")?;
        let number = factor.strip_suffix('x').unwrap_or(factor).parse::<f64>().ok();
        let Some(factor) = number.filter(|factor| factor.is_finite() && *factor > 0.0) else {
            return Err(CliError::new(format!("`{factor}` is no factor; write it like 2x or 0.5x")));
        };
        let clusters = self.situations.iter().map(|situation| situation.cluster);
        let mut charts = clusters
            .flat_map(|cluster| cluster.releases.iter().filter_map(|release| Some(chart_of(cluster, release)?.name)));
        if charts.any(|name| name.eq_ignore_ascii_case(chart)) {
            return Ok(Disturbance::Slow { chart: chart.to_owned(), factor });
        }
        Err(CliError::new(format!("no HelmRelease is of a chart `{chart}`")))
    }
}

fn report(
    situation: &Situation<'_>,
    edits: &[Edit],
    disturbances: &[Disturbance],
    comparison: &Comparison,
    simulated: Option<[(std::time::Duration, usize); 2]>,
) -> Report {
    let told = disturbances.iter().map(|disturbance| match disturbance {
        Disturbance::Slow { chart, factor } => format!("the chart {chart} takes {factor} times as long"),
        Disturbance::Fail(node) => format!("{node} never becomes Ready"),
    });
    let times = |range: Range| Times { low: range.low, typical: range.typical, high: range.high };
    let known: BTreeSet<&NodeKey> = situation.cluster.nodes.iter().map(|node| &node.key).collect();
    Report {
        cluster: situation.cluster.root.clone(),
        profile: situation.durations.profile().name(),
        edits: edits.iter().map(Edit::to_string).chain(told).collect(),
        total: comparison.total.map(|total| total.map(times)),
        simulated,
        nodes: comparison
            .changes
            .iter()
            .map(|change| NodeTimes {
                node: change.node.subject("Kustomization"),
                ready: [change.before, change.after].map(|ready| ready.map(times)),
                is_new: !known.contains(&change.node),
            })
            .collect(),
    }
}
