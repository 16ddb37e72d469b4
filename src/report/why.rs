//! Why something waits: answers of `fluxdag why`.

use serde::Serialize;

use super::{
    Link, Terminal, Times,
    answer::{LinkJson, TimesJson, at, list, paragraph},
    json::{Place, SCHEMA_VERSION, Tool, escaped},
    printable,
};
use crate::{
    finding::Subject,
    source::{Span, Tree},
};

/// What one object waits for.
#[derive(Debug, Clone)]
pub struct Why {
    /// Root of the cluster.
    pub cluster: String,
    /// The hardware that times are for.
    pub profile: &'static str,
    /// The object.
    pub node: Subject,
    /// Its place.
    pub place: Span,
    /// What happens to it, in order.
    pub happens: Vec<Happening>,
    /// What it waits for itself, the last to happen first.
    pub waits_for: Vec<Link>,
    /// For its start and its end the chain that decides when they happen, from the first step to the last.
    pub decides: Vec<(&'static str, Vec<Link>)>,
    /// What keeps it from ever happening.
    pub stuck: Option<Stuck>,
    /// Errors about it and about what it waits for.
    pub problems: Vec<Problem>,
    /// How many Kustomizations and HelmReleases it waits for in all.
    pub behind: usize,
}

/// Something that happens to an object.
#[derive(Debug, Clone)]
pub struct Happening {
    /// Its name for programs.
    pub event: &'static str,
    /// The end of a sentence.
    pub verb: &'static str,
    /// When; `None` where it never does.
    pub at: Option<Times>,
}

/// A loop that never comes to an end.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// The links from the object to the loop.
    pub way: Vec<Link>,
    /// The loop: each leads from what waits to what it waits for, the last back to the first.
    pub around: Vec<Link>,
}

/// An error that stands in the way.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The rule that found it.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Span,
}

/// Whether one thing waits for another, and through what.
#[derive(Debug, Clone)]
pub struct WhyOn {
    /// Root of the cluster.
    pub cluster: String,
    /// The hardware that times are for.
    pub profile: &'static str,
    /// What may wait.
    pub node: Subject,
    /// What it may wait for.
    pub on: Subject,
    /// The answer.
    pub answer: Answer,
    /// The shortest chains: each begins at `node`, and leads from what waits to what it waits for.
    pub chains: Vec<Vec<Link>>,
    /// Whether there are more as short as these.
    pub more: bool,
    /// Whether `on` waits for `node`.
    pub reverse: Answer,
}

/// Whether something waits for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It cannot be Ready without.
    Waits,
    /// It can, where something else that is also provided elsewhere comes from there.
    MayWait,
    /// Nothing leads from one to the other.
    DoesNotWait,
}

#[derive(Serialize)]
struct WhyJson<'a> {
    schema_version: u32,
    tool: Tool,
    cluster: &'a str,
    profile: &'a str,
    node: &'a Subject,
    location: Option<Place>,
    events: Vec<EventJson<'a>>,
    waits_for: Vec<LinkJson<'a>>,
    decides: Vec<DecidesJson<'a>>,
    stuck: Option<StuckJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
    behind: usize,
}

#[derive(Serialize)]
struct EventJson<'a> {
    event: &'a str,
    at_seconds: Option<TimesJson>,
}

#[derive(Serialize)]
struct DecidesJson<'a> {
    event: &'a str,
    steps: Vec<LinkJson<'a>>,
}

#[derive(Serialize)]
struct StuckJson<'a> {
    way: Vec<LinkJson<'a>>,
    r#loop: Vec<LinkJson<'a>>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    rule: &'a str,
    message: &'a str,
    location: Option<Place>,
}

#[derive(Serialize)]
struct WhyOnJson<'a> {
    schema_version: u32,
    tool: Tool,
    cluster: &'a str,
    profile: &'a str,
    node: &'a Subject,
    on: &'a Subject,
    answer: Answer,
    chains: Vec<Vec<LinkJson<'a>>>,
    more_chains: bool,
    reverse: Answer,
}

fn links<'a>(links: &'a [Link], tree: &Tree) -> Vec<LinkJson<'a>> {
    links.iter().map(|link| link.json(tree)).collect()
}

/// A document of JSON with a line end.
pub(super) fn document(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

fn cluster_name(cluster: &str) -> &str {
    if cluster.is_empty() { "." } else { cluster }
}

/// The line that says what an answer is about.
pub(super) fn head(cluster: &str, subjects: &str, terminal: &Terminal) -> String {
    format!("{} in cluster {}\n\n", terminal.bold(&printable(subjects)), printable(cluster_name(cluster)))
}

impl Why {
    /// For programs.
    #[must_use]
    pub fn json(&self, tree: &Tree) -> String {
        let stuck = self.stuck.as_ref();
        document(&WhyJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            cluster: &self.cluster,
            profile: self.profile,
            node: &self.node,
            location: Place::of(tree, self.place),
            events: self
                .happens
                .iter()
                .map(|happening| EventJson { event: happening.event, at_seconds: happening.at.map(Times::json) })
                .collect(),
            waits_for: links(&self.waits_for, tree),
            decides: self
                .decides
                .iter()
                .map(|(event, steps)| DecidesJson { event, steps: links(steps, tree) })
                .collect(),
            stuck: stuck.map(|stuck| StuckJson { way: links(&stuck.way, tree), r#loop: links(&stuck.around, tree) }),
            problems: self
                .problems
                .iter()
                .map(|found| ProblemJson {
                    rule: found.rule,
                    message: &found.message,
                    location: Place::of(tree, found.place),
                })
                .collect(),
            behind: self.behind,
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, tree: &Tree, terminal: &Terminal) -> String {
        let mut text = head(&self.cluster, &format!("{}{}", self.node, at(tree, self.place)), terminal);
        text.push_str(&paragraph(&self.times(), terminal));
        if let Some(stuck) = &self.stuck {
            text.push('\n');
            if !stuck.way.is_empty() {
                text.push_str("It waits for something that waits for itself:\n");
                text.push_str(&list(&stuck.way, false, tree, terminal));
            }
            text.push_str("These wait for each other in a loop, so none of them ever comes:\n");
            text.push_str(&list(&stuck.around, false, tree, terminal));
        }
        if self.waits_for.is_empty() {
            text.push_str("\nIt waits for nothing.\n");
        } else {
            let note =
                if self.behind > 1 { format!(" ({} in all, directly or not)", self.behind) } else { String::new() };
            text.push_str(&format!("\nIt waits for, longest first{note}:\n"));
            text.push_str(&list(&self.waits_for, true, tree, terminal));
        }
        for (event, steps) in self.decides.iter().filter(|(_, steps)| steps.len() > 1) {
            let verb =
                self.happens.iter().find(|happening| happening.event == *event).map_or("happens", |found| found.verb);
            text.push_str(&format!("\nThe chain that decides when it {verb}, with when each step is done:\n"));
            text.push_str(&list(steps, true, tree, terminal));
        }
        if !self.problems.is_empty() {
            text.push_str("\nErrors stand in the way; the times above hold once they are gone:\n");
            for problem in &self.problems {
                let line = format!("error[{}]: {}{}", problem.rule, problem.message, at(tree, problem.place));
                text.push_str(&super::wrap(&printable(&line), terminal.width, "  ", "    "));
                text.push('\n');
            }
        }
        text
    }

    fn times(&self) -> String {
        let known = self.happens.iter().filter_map(|happening| {
            let at = happening.at?;
            let now = at.high.is_zero();
            Some(format!(
                "{} {}",
                happening.verb,
                if now { "at once".to_owned() } else { format!("after {}", at.text()) }
            ))
        });
        let never: Vec<&str> =
            self.happens.iter().filter(|happening| happening.at.is_none()).map(|happening| happening.verb).collect();
        let never = match never.as_slice() {
            [] => None,
            [one] => Some(format!("never {one}")),
            [most @ .., last] => Some(format!("never {} or {last}", most.join(", "))),
        };
        let all: Vec<String> = known.chain(never).collect();
        match all.as_slice() {
            [] => "Nothing is known of when it happens.".to_owned(),
            [one] => format!("In a cold start on {} hardware it {one}.", self.profile),
            [most @ .., last] => {
                format!("In a cold start on {} hardware it {}, and {last}.", self.profile, most.join(", "))
            }
        }
    }
}

impl WhyOn {
    /// For programs.
    #[must_use]
    pub fn json(&self, tree: &Tree) -> String {
        document(&WhyOnJson {
            schema_version: SCHEMA_VERSION,
            tool: Tool::THIS,
            cluster: &self.cluster,
            profile: self.profile,
            node: &self.node,
            on: &self.on,
            answer: self.answer,
            chains: self.chains.iter().map(|chain| links(chain, tree)).collect(),
            more_chains: self.more,
            reverse: self.reverse,
        })
    }

    /// For people.
    #[must_use]
    pub fn text(&self, tree: &Tree, terminal: &Terminal) -> String {
        let (node, on) = (&self.node, &self.on);
        let mut text = head(&self.cluster, &format!("{node} and {on}"), terminal);
        let answer = match self.answer {
            Answer::Waits => format!("{node} waits for {on}."),
            Answer::MayWait => {
                format!(
                    "{node} may wait for {on}, but can be Ready without: something on the way has another provider as well."
                )
            }
            Answer::DoesNotWait => format!("{node} does not wait for {on}."),
        };
        text.push_str(&paragraph(&answer, terminal));
        match (self.answer, self.reverse) {
            (Answer::DoesNotWait, Answer::DoesNotWait) => text.push_str("Nor the other way round.\n"),
            (Answer::DoesNotWait, Answer::Waits | Answer::MayWait) => {
                text.push_str(&paragraph(&format!("It is the other way round: {on} waits for {node}."), terminal));
            }
            (_, Answer::Waits) => {
                text.push_str(&paragraph(&format!("The other way round too: {on} waits for {node}."), terminal));
            }
            _ => {}
        }
        for (index, chain) in self.chains.iter().enumerate() {
            let head = if index == 0 { "Through:" } else { "And through:" };
            text.push_str(&format!("\n{head}\n{}", list(chain, false, tree, terminal)));
        }
        if self.more {
            text.push_str("\nThere are more chains as short as these.\n");
        }
        text
    }
}
