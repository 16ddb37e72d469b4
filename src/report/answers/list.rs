//! Clusters, Kustomizations and HelmReleases: answers of `fluxdag list`.

use super::{Text, head, timeline::short};
use crate::{
    finding::{Subject, about, count},
    query::{ListedCluster, ListedNode, ListedState, Listing},
    report::{Terminal, printable, text::shortened, wrap},
};

impl Text for Listing {
    fn text(&self, terminal: &Terminal) -> String {
        let mut texts: Vec<String> = self.clusters.iter().map(|cluster| of_cluster(cluster, terminal)).collect();
        if !self.unreached.is_empty() {
            let number = count(self.unreached.len(), "Kustomization");
            let mut text = format!("{} that no entry point reaches:\n", terminal.bold(&number));
            for one in &self.unreached {
                let at = one.location.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
                text.push_str(&printable(&format!("  {}{at}", short(&one.node))));
                text.push('\n');
            }
            texts.push(text);
        }
        texts.join("\n")
    }
}

impl Listing {
    /// One name in each line, for scripts and shells.
    #[must_use]
    pub fn lines(&self) -> String {
        self.names().into_iter().map(|subject| format!("{subject}\n")).collect()
    }
}

/// Columns of a state and of a time, the most of a name and of what applies it, and the least of a path.
const STATE: usize = 9;
const TIME: usize = 8;
const NAME: usize = 44;
const OWNER: usize = 20;
const PATH: usize = 13;

fn of_cluster(cluster: &ListedCluster, terminal: &Terminal) -> String {
    let is_node = |listed: &&ListedNode| listed.node.kind == "Kustomization";
    let nodes = cluster.nodes.iter().filter(is_node).count();
    let all = format!("{} and {}", count(nodes, "Kustomization"), count(cluster.nodes.len() - nodes, "HelmRelease"));
    let mut text = head(&cluster.cluster, &all, terminal);
    let states =
        [(ListedState::Ready, "Ready"), (ListedState::Suspended, "suspended"), (ListedState::Never, "never Ready")];
    let states = states.map(|(state, word)| (cluster.count(state), word)).into_iter().filter(|(number, _)| *number > 0);
    let states: Vec<String> = states.map(|(number, word)| format!("{number} {word}")).collect();
    if !states.is_empty() {
        text.push_str(&format!("{}.\n\n", states.join(", ")));
    }
    let names: Vec<String> = cluster.nodes.iter().map(|listed| printable(&short(&listed.node)).into_owned()).collect();
    let longest = |texts: &[String]| texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
    let name = longest(&names).clamp("NAME".len(), NAME);
    let owners: Vec<String> = cluster.nodes.iter().map(ListedNode::owners).collect();
    let owner = longest(&owners).clamp("APPLIED BY".len(), OWNER);
    let places: Vec<String> = cluster.nodes.iter().map(ListedNode::place).collect();
    let space = terminal.width.saturating_sub(STATE + TIME + name + owner + 8);
    let path = longest(&places).min(space).max(PATH);
    let row = |cells: [&str; 5]| {
        let [state, time, named, place, by] = cells;
        let line = format!("{state:<STATE$}  {time:>TIME$}  {named:<name$}  {place:<path$}  {by}");
        format!("{}\n", line.trim_end())
    };
    text.push_str(&terminal.bold(&row(["STATE", "READY", "NAME", "PATH OR CHART", "APPLIED BY"])));
    for (((listed, named), by), place) in cluster.nodes.iter().zip(&names).zip(&owners).zip(&places) {
        let time = listed.ready.map(|ready| about(ready.typical)).unwrap_or_default();
        text.push_str(&row([
            listed.state.word(),
            &time,
            &shortened(named, name, terminal),
            &shortened(place, path, terminal),
            &shortened(by, owner, terminal),
        ]));
        if let Some(why) = listed.why() {
            let indent = " ".repeat(STATE + 2);
            text.push_str(&wrap(&printable(&why), terminal.width, &indent, &indent));
            text.push('\n');
        }
    }
    text
}

impl ListedNode {
    /// What it applies or installs.
    fn place(&self) -> String {
        printable(self.path.as_deref().or(self.chart.as_deref()).unwrap_or_default()).into_owned()
    }

    /// What keeps it from becoming Ready, in short: of what is ahead of it, only where to look.
    fn why(&self) -> Option<String> {
        let obstacle = self.obstacle.as_ref().filter(|_| self.state == ListedState::Never)?;
        let own = obstacle.message.strip_prefix(&format!("{} ", self.node));
        let place = || obstacle.location.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        Some(match own {
            Some(own) => format!("{own}{}", place()),
            None => format!("behind {}: {}", short(&obstacle.node), obstacle.cause),
        })
    }

    /// What applies it, in short: nearly always a Kustomization beside Flux itself.
    fn owners(&self) -> String {
        let name = |owner: &Subject| match (owner.kind.as_str(), owner.namespace.as_deref()) {
            ("Kustomization", Some("flux-system")) => owner.name.clone(),
            _ => short(owner),
        };
        let names: Vec<String> = self.applied_by.iter().map(|owner| printable(&name(owner)).into_owned()).collect();
        if names.is_empty() { "(entry point)".to_owned() } else { names.join(", ") }
    }
}

impl ListedState {
    const fn word(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Suspended => "Suspended",
            Self::Never => "Never",
        }
    }
}
