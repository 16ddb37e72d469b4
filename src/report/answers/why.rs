//! Why something waits: the text of `fluxdag why`.

use super::{Text, at, head, listed, paragraph, times};
use crate::{
    query::{Answer, ClusterWhy, ClusterWhyOn, ReportedObstacle, Why, WhyOn},
    report::{Terminal, printable, wrap},
};

impl Text for Why {
    fn text(&self, terminal: &Terminal) -> String {
        let [cluster] = &self.clusters;
        of_object(cluster, self.profile, terminal)
    }
}

impl Text for WhyOn {
    fn text(&self, terminal: &Terminal) -> String {
        let [cluster] = &self.clusters;
        of_two(cluster, terminal)
    }
}

fn of_object(why: &ClusterWhy, profile: &str, terminal: &Terminal) -> String {
    let mut text = head(&why.cluster, &format!("{}{}", why.node, at(why.location.as_ref())), terminal);
    text.push_str(&paragraph(&when(why, profile), terminal));
    text.push_str(&stuck(why, terminal));
    if why.waits_for.is_empty() {
        text.push_str("\nIt waits for nothing.\n");
    } else {
        let note = if why.behind > 1 { format!(" ({} in all, directly or not)", why.behind) } else { String::new() };
        text.push_str(&format!("\nIt waits for, longest first{note}:\n"));
        text.push_str(&listed(&why.waits_for, true, terminal));
    }
    for decides in why.decides.iter().filter(|decides| decides.steps.len() > 1) {
        let verb = why.events.iter().find(|event| event.event == decides.event).map_or("happens", |event| event.verb);
        text.push_str(&format!("\nThe chain that decides when it {verb}, with when each step is done:\n"));
        text.push_str(&listed(&decides.steps, true, terminal));
    }
    text
}

/// What keeps an object from becoming Ready, and what may.
fn stuck(why: &ClusterWhy, terminal: &Terminal) -> String {
    let mut text = String::new();
    if let Some(stuck) = &why.stuck {
        text.push_str("\nIt never becomes Ready");
        match stuck.way.is_empty() {
            true => text.push_str(":\n"),
            false => {
                text.push_str(", since it waits for something that never comes:\n");
                text.push_str(&listed(&stuck.way, false, terminal));
            }
        }
        if stuck.r#loop.is_empty() {
            text.push_str(&obstacle(&stuck.obstacle, terminal));
        } else {
            text.push_str("These wait for each other in a loop, so none of them ever comes:\n");
            text.push_str(&listed(&stuck.r#loop, false, terminal));
        }
        let others: Vec<&ReportedObstacle> = why.obstacles.iter().filter(|other| **other != stuck.obstacle).collect();
        if !others.is_empty() {
            text.push_str("That is not all that is in the way:\n");
            others.into_iter().for_each(|other| text.push_str(&obstacle(other, terminal)));
        }
    }
    if !why.doubts.is_empty() {
        text.push_str("\nIt becomes Ready if this is no fault:\n");
        why.doubts.iter().for_each(|doubt| text.push_str(&obstacle(doubt, terminal)));
    }
    text
}

fn obstacle(obstacle: &ReportedObstacle, terminal: &Terminal) -> String {
    let line = format!("{}{}", obstacle.message, at(obstacle.location.as_ref()));
    wrap(&printable(&line), terminal.width, "  ", "    ") + "\n"
}

/// When it all happens to an object.
fn when(why: &ClusterWhy, profile: &str) -> String {
    let known = why.events.iter().filter_map(|event| {
        let at = event.at?;
        let now = at.high.is_zero();
        Some(format!("{} {}", event.verb, if now { "at once".to_owned() } else { format!("after {}", times(at)) }))
    });
    let never: Vec<&str> = why.events.iter().filter(|event| event.at.is_none()).map(|event| event.verb).collect();
    let never = match never.as_slice() {
        [] => None,
        [one] => Some(format!("never {one}")),
        [most @ .., last] => Some(format!("never {} or {last}", most.join(", "))),
    };
    let all: Vec<String> = known.chain(never).collect();
    match all.as_slice() {
        [] => "Nothing is known of when it happens.".to_owned(),
        [one] => format!("In a cold start on {profile} hardware it {one}."),
        [most @ .., last] => format!("In a cold start on {profile} hardware it {}, and {last}.", most.join(", ")),
    }
}

fn of_two(why: &ClusterWhyOn, terminal: &Terminal) -> String {
    let (node, on) = (&why.node, &why.on);
    let mut text = head(&why.cluster, &format!("{node} and {on}"), terminal);
    let answer = match why.answer {
        Answer::Waits => format!("{node} waits for {on}."),
        Answer::MayWait => {
            format!(
                "{node} may wait for {on}, but can be Ready without: something on the way has another provider as well."
            )
        }
        Answer::DoesNotWait => format!("{node} does not wait for {on}."),
    };
    text.push_str(&paragraph(&answer, terminal));
    match (why.answer, why.reverse) {
        (Answer::DoesNotWait, Answer::DoesNotWait) => text.push_str("Nor the other way round.\n"),
        (Answer::DoesNotWait, Answer::Waits | Answer::MayWait) => {
            text.push_str(&paragraph(&format!("It is the other way round: {on} waits for {node}."), terminal));
        }
        (_, Answer::Waits) => {
            text.push_str(&paragraph(&format!("The other way round too: {on} waits for {node}."), terminal));
        }
        _ => {}
    }
    for (index, chain) in why.chains.iter().enumerate() {
        let head = if index == 0 { "Through:" } else { "And through:" };
        text.push_str(&format!("\n{head}\n{}", listed(chain, false, terminal)));
    }
    if why.more_chains {
        text.push_str("\nThere are more chains as short as these.\n");
    }
    text
}
