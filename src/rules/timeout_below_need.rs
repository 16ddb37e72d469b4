use std::time::Duration;

use super::{
    Context, Rule, Situation,
    attempts::{Attempts, Need},
    wording::{about, names, short_list, subject_of},
};
use crate::{
    cluster::{Node, NodeId, Release},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::{HelmAction, HelmFailure, format_duration, helm_timeout},
    graph::{Actor, EventId, Moment, Reason},
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "timeout-below-need",
        summary: "The timeout of a waiting Kustomization or of a HelmRelease is shorter than what it waits for takes.",
        category: Category::Time,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/timeout-below-need.md"),
    },
    check,
};

/// From this delay on, a timeout that is too short is worth a warning: below it, a next attempt heals it soon.
const DELAY: Duration = Duration::from_secs(10 * 60);

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(situation.cluster.nodes().filter_map(|(id, node)| report(situation, id, node)));
        findings.extend((0..situation.cluster.releases.len()).filter_map(|index| of_release(situation, index)));
    }
}

/// A HelmRelease whose installation typically takes longer than Helm waits, and that is not tried again.
fn of_release(situation: &Situation<'_>, index: usize) -> Option<Finding> {
    let (cluster, duration) = (situation.cluster, situation.durations.release(index));
    let release = &cluster.releases[index];
    let action = HelmAction::install(&release.helm.spec, &cluster.controllers);
    let timeout = action.timeout?;
    let is_final = matches!(action.failure, HelmFailure::Remediate(0));
    let is_above = duration.range.typical > timeout + timeout / 10;
    if release.helm.spec.suspend || !is_final || !is_above || !duration.is_trusted() {
        return None;
    }
    let ready = situation.graph.id(Actor::Release(index as u32), Moment::Ready)?;
    let (subject, text) = (release.subject(), format_duration(timeout));
    let takes = about(duration.range.typical);
    let message =
        format!("{subject} fails at its timeout of {text}, and typically takes about {takes}; no retry is configured");
    let spec = &release.helm.object.node;
    let written =
        [&["spec", "install", "timeout"][..], &["spec", "timeout"]].into_iter().find_map(|keys| spec.find(keys));
    let at = written.map_or(release.helm.name_span(), |value| value.span);
    let mut finding = situation.finding(&RULE.info, subject.clone(), at, message);
    finding.label = match written {
        Some(_) => format!("Helm waits for {text}"),
        None => format!("`timeout` is unset: Helm waits for {text}"),
    };
    let range = duration.range;
    let figures = format!("typically {}, up to {} ({})", about(range.typical), about(range.high), duration.origin);
    finding.related.push(Related::new(figures, Some(subject), release.helm.name_span()));
    let mut waiting: Vec<String> = Vec::new();
    for (after, edge) in
        situation.graph.outputs(ready).filter(|(_, edge)| edge.reason.is_gate() || edge.reason == Reason::DependsOn)
    {
        let subject = subject_of(cluster, situation.graph.event(after).actor);
        waiting.push(subject.to_string());
        finding.related.push(Related::new(format!("{} waits for it", subject.name), Some(subject), edge.span));
    }
    finding.related.truncate(6);
    finding.why = format!(
        "On a cold start on {} hardware the installation ends with `context deadline exceeded` (reason InstallFailed) although nothing is \
         wrong. Without retries the release is Stalled (RetriesExceeded) then, and nothing tries it again until its spec changes.",
        situation.durations.profile(),
    );
    if !waiting.is_empty() {
        finding.why.push_str(&format!(" What waits for it never becomes Ready: {}.", short_list(&waiting, 4)));
    }
    let minutes = range.high.as_secs().div_ceil(300) * 5;
    finding.help = format!(
        "set `spec.timeout: {minutes}m`, which covers a slow day; or `spec.install.strategy.name: RetryOnFailure`, which tries again without \
         taking down what is there"
    );
    finding.confidence = Confidence::Medium;
    Some(finding)
}

fn report(situation: &Situation<'_>, id: NodeId, node: &Node) -> Option<Finding> {
    let spec = &node.kustomization.spec;
    if !node.has_gate() || node.is_remote() || spec.suspend {
        return None;
    }
    let attempts = Attempts::new(spec)?;
    let need = Need::above(attempts.timeout, situation, id)?;
    let ready = situation.graph.id(Actor::Node(id), Moment::Ready)?;
    let declared = declared_inversion(situation, ready, attempts.timeout);
    let is_typical = need.range.typical > attempts.timeout + attempts.timeout / 10;
    // That a bad day of what nobody knows takes longer is true of everything.
    let is_trusted = need.slowest.is_some_and(|index| situation.durations.release(index).is_trusted());
    let is_slow_day = is_trusted && need.range.high > attempts.timeout + attempts.timeout / 4;
    if !(is_typical || is_slow_day || declared.is_some()) {
        return None;
    }
    let need_of_attempt = if is_typical { need.range.typical } else { need.range.high };
    let delay = attempts.passes_after(need_of_attempt).saturating_sub(need_of_attempt);
    let (subject, timeout) = (node.subject(), format_duration(attempts.timeout));
    let takes = if is_typical { "typically takes" } else { "can take" };
    let takes_time = about(if is_typical { need.range.typical } else { need.range.high });
    let message = format!("{subject} gives up after {timeout}, but what it waits for {takes} about {takes_time}");
    let key = if spec.timeout.is_some() { "timeout" } else { "interval" };
    let mut finding = situation.finding(&RULE.info, subject, node.kustomization.span(&["spec", key]), message);
    finding.label = match spec.timeout {
        Some(_) => format!("the health check ends after {timeout}"),
        None => {
            format!("`timeout` is unset: the health check ends after {timeout} (`interval` less 30 s, at least 30 s)")
        }
    };
    if let Some(release) = need.slowest.map(|index| (index, &situation.cluster.releases[index])) {
        finding.related.push(slowest(situation, release.0, release.1));
    } else if let own = situation.durations.own(id.index())
        && own.range.typical > Duration::ZERO
    {
        let text = format!(
            "what it applies itself: typically {}, up to {} ({})",
            about(own.range.typical),
            about(own.range.high),
            own.origin
        );
        finding.related.push(Related::new(text, Some(node.subject()), node.span()));
    }
    let held: Vec<NodeId> = situation.graph.held_back_by(ready);
    for (dependent, edge) in situation.graph.outputs(ready).filter(|(_, edge)| edge.reason == Reason::DependsOn).take(5)
    {
        let subject = subject_of(situation.cluster, situation.graph.event(dependent).actor);
        finding.related.push(Related::new(format!("{} waits for it", subject.name), Some(subject), edge.span));
    }
    finding.why = why(situation, node, &attempts, &need, &held);
    finding.help = help(node, &attempts, &need);
    let is_known = need.known > attempts.timeout || need.range.low > attempts.timeout;
    let is_awaited = situation.graph.outputs(ready).next().is_some();
    if !(is_typical || declared.is_some()) || !is_awaited || delay < DELAY {
        finding.severity = Severity::Info;
    } else if !is_known && declared.is_none() {
        finding.confidence = Confidence::Low;
    }
    if let Some(release) = declared {
        let text = format!("its own `timeout` allows {}", format_duration(helm_timeout(&release.helm.spec)));
        finding.related.push(Related::new(text, Some(release.subject()), release.helm.span(&["spec", "timeout"])));
    }
    Some(finding)
}

/// A HelmRelease of the health set that is given at least twice the time, and may need more than `timeout`.
fn declared_inversion<'a>(situation: &'a Situation<'_>, ready: EventId, timeout: Duration) -> Option<&'a Release> {
    let awaited = situation.graph.inputs(ready).filter_map(|(input, _)| match situation.graph.event(input).actor {
        Actor::Release(index) => Some(index as usize),
        _ => None,
    });
    awaited
        .filter(|index| {
            let (release, duration) = (&situation.cluster.releases[*index], situation.durations.release(*index));
            let is_declared = release.helm.spec.timeout.is_some() && helm_timeout(&release.helm.spec) >= timeout * 2;
            is_declared && duration.is_trusted() && duration.range.high > timeout
        })
        .map(|index| &situation.cluster.releases[index])
        .next()
}

fn slowest(situation: &Situation<'_>, index: usize, release: &Release) -> Related {
    let duration = situation.durations.release(index);
    let text = format!(
        "slowest: typically {}, up to {} ({})",
        about(duration.range.typical),
        about(duration.range.high),
        duration.origin
    );
    Related::new(text, Some(release.subject()), release.helm.name_span())
}

fn why(situation: &Situation<'_>, node: &Node, attempts: &Attempts, need: &Need, held: &[NodeId]) -> String {
    let waiting_for = need.member.map_or_else(
        || "…".to_owned(),
        |actor| format!("{} status: 'InProgress'", subject_of(situation.cluster, actor)),
    );
    let pause = format_duration(attempts.pause);
    let next = if attempts.has_retry_interval {
        format!("{pause} later (`retryInterval`)")
    } else {
        format!("{pause} later, at its `interval`, because `retryInterval` is unset")
    };
    let mut why = format!(
        "On a cold start on {} hardware the first attempt fails after {} (reason HealthCheckFailed, `timeout waiting for: \
         [{waiting_for}]`) although nothing is wrong; the next one comes {next}.",
        situation.durations.profile(),
        format_duration(attempts.timeout)
    );
    let worst = if need.range.typical > attempts.timeout { need.range.typical } else { need.range.high };
    let passes = attempts.passes_after(worst);
    if passes > worst + Duration::from_secs(30) {
        why.push_str(&format!(" It turns Ready about {} after its apply instead of {}.", about(passes), about(worst)));
    }
    if !held.is_empty() {
        let verb = if held.len() == 1 { "waits" } else { "wait" };
        why.push_str(&format!(" Until then {} {verb}.", short_list(&names(situation.cluster, held), 6)));
    }
    if node.kustomization.spec.timeout.is_none() {
        why.push_str(" Without `timeout` the budget is the interval less 30 s, and never below 30 s.");
    }
    why
}

fn help(node: &Node, attempts: &Attempts, need: &Need) -> String {
    let minutes = need.range.high.as_secs().div_ceil(300) * 5;
    let mut help = format!("set `spec.timeout: {minutes}m`, which covers a slow day");
    if !attempts.has_retry_interval {
        help.push_str(", and `spec.retryInterval: 2m`, so that a failed attempt costs minutes");
    }
    if node.kustomization.spec.wait {
        help.push_str("; or move what is slow to a Kustomization that nothing depends on");
    }
    help
}
