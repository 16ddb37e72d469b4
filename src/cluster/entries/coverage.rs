//! How much of what there is of Flux the clusters lead to, and what was not looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    discover::{Discovered, document},
    root::folders_above,
};
use crate::{
    cluster::{Cluster, Folder, Scope},
    finding::{count, list},
    flux::FluxVersion,
    source::{FileId, Tree},
};

/// What was looked at, in numbers, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Kustomizations that files define, patches apart.
    pub declared: usize,
    /// Those of them that no entry point leads to, by the uppermost folder around them that holds nothing else.
    pub unreached: BTreeMap<String, usize>,
    /// The files that define those.
    pub files: usize,
    /// How many Kustomizations take their manifests from each source that is not here.
    pub elsewhere: BTreeMap<String, usize>,
    /// The clusters without any Kustomization and HelmRelease.
    pub empty: Vec<String>,
    /// Which Flux was assumed, and for which clusters.
    pub assumed: Option<Assumed>,
}

/// The release of Flux that was assumed where no file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    /// The release.
    pub version: FluxVersion,
    /// Whether the user named it.
    pub is_set: bool,
    /// The clusters that it was assumed of.
    pub clusters: Vec<String>,
}

/// Something that was not looked at, or was assumed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// What, as a sentence without a full stop.
    pub text: String,
    /// How much it matters.
    pub weight: Weight,
}

/// How much it matters that something was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is more than what was looked at, and is said before anything that was found.
    Most,
    /// It is likely to be a mistake, of the repository or of the call.
    Mistake,
    /// It is part of what there is.
    Part,
    /// It was looked at, under an assumption.
    Assumption,
}

/// Names that are spelled out.
const SHOWN: usize = 5;

impl Coverage {
    /// How much of what files in `scope` define the `clusters` lead to.
    #[must_use]
    pub fn new(tree: &Tree, scope: &Scope, discovered: &Discovered, clusters: &[Cluster]) -> Self {
        let mut coverage = Self::default();
        let reached = clusters.iter().filter(|cluster| cluster.reached);
        let documents: BTreeSet<(FileId, u32)> = reached.flat_map(documents).collect();
        let mut files = BTreeSet::new();
        // The folders that hold something that is reached tell little of what is not.
        let live: BTreeSet<&str> = documents.iter().flat_map(|(file, _)| folders_above(tree.path(*file))).collect();
        for declared in &discovered.kustomizations {
            let path = tree.path(declared.file);
            if !declared.has_source() || !scope.covers(path) {
                continue;
            }
            coverage.declared += 1;
            if !documents.contains(&document(declared.span)) {
                let above: Vec<&str> = folders_above(path).collect();
                let own = above.first().copied().unwrap_or(".");
                let folder = above.iter().rev().find(|folder| !live.contains(*folder)).copied().unwrap_or(own);
                *coverage.unreached.entry(folder.to_owned()).or_default() += 1;
                files.insert(declared.file);
            }
        }
        coverage.files = files.len();
        coverage
    }

    /// The same, with what is not known of `clusters`, those that are reported. `assumed` is the release of Flux that the
    /// user has set.
    #[must_use]
    pub fn of(mut self, clusters: &[&Cluster], assumed: Option<FluxVersion>) -> Self {
        let reached = || clusters.iter().copied().filter(|cluster| cluster.reached);
        for node in reached().flat_map(|cluster| &cluster.nodes) {
            if matches!(node.folder, Folder::Elsewhere(_)) {
                let source = node.source();
                *self.elsewhere.entry(source.to_string()).or_default() += 1;
            }
        }
        self.empty =
            reached().filter(|cluster| is_empty(cluster)).map(|cluster| cluster.shown_root().to_owned()).collect();
        let of: Vec<String> =
            reached().filter(|cluster| !cluster.tells_version).map(|it| it.shown_root().to_owned()).collect();
        self.assumed = (!of.is_empty()).then(|| Assumed {
            version: assumed.unwrap_or(FluxVersion::NEWEST),
            is_set: assumed.is_some(),
            clusters: of,
        });
        self
    }

    /// How many Kustomizations no entry point leads to.
    #[must_use]
    pub fn unreached(&self) -> usize {
        self.unreached.values().sum()
    }

    /// Whether an entry point leads to less than half of what there is.
    #[must_use]
    pub fn is_little(&self) -> bool {
        self.unreached() * 2 > self.declared
    }

    /// What was not looked at, what matters most first.
    #[must_use]
    pub fn unseen(&self) -> Vec<Unseen> {
        let mut all = Vec::new();
        let unreached = self.unreached();
        let folders = numbered(&self.unreached, "/");
        let files = count(self.files, "file");
        let verb = if unreached == 1 { "is" } else { "are" };
        if self.is_little() {
            let text = format!(
                "less than half was looked at in a cluster: {unreached} of {} in {files} {verb} reached by no entry point ({folders}); where \
                 that is wrong, name the folder that paths count from (--root), or map sources that are this repository \
                 ([sources])",
                count(self.declared, "Kustomization"),
            );
            all.push(Unseen { text, weight: Weight::Most });
        } else if unreached > 0 {
            let what = count(unreached, "Kustomization");
            let text =
                format!("not looked at in any cluster: {what} in {files} {verb} reached by no entry point ({folders})");
            all.push(Unseen { text, weight: Weight::Part });
        }
        for root in &self.empty {
            let text = format!(
                "cluster {root} has no Kustomization and no HelmRelease: nothing that its path holds was found here"
            );
            all.push(Unseen { text: format!("warning: {text}"), weight: Weight::Mistake });
        }
        if !self.elsewhere.is_empty() {
            let nodes: usize = self.elsewhere.values().sum();
            let verb = if nodes == 1 { "takes its manifests" } else { "take their manifests" };
            let what = count(nodes, "Kustomization");
            let sources = numbered(&self.elsewhere, "");
            let text = format!(
                "not looked at: {what} {verb} from sources that are not here ({sources}); [sources] maps a source to a folder"
            );
            all.push(Unseen { text, weight: Weight::Part });
        }
        all.extend(self.assumed.as_ref().map(|assumed| Unseen { text: assumed.text(), weight: Weight::Assumption }));
        all
    }
}

impl Assumed {
    fn text(&self) -> String {
        let Self { version, is_set, clusters } = self;
        let why = if *is_set { "as `flux-version` says" } else { "the newest release that fluxdag knows" };
        let verb = if clusters.len() == 1 { "runs" } else { "run" };
        format!("Flux {version} is assumed, {why}: no file tells what {} {verb}", short(clusters))
    }
}

/// The documents that define the Kustomizations of a cluster, and those that it applies to others.
fn documents(cluster: &Cluster) -> impl Iterator<Item = (FileId, u32)> {
    cluster.nodes.iter().flat_map(|node| {
        let applied = node.applied.build.objects.iter().filter(|_| node.is_remote());
        let defined = node.manifests.iter().map(|manifest| &manifest.object);
        defined.chain(applied).map(|object| document(object.source))
    })
}

fn is_empty(cluster: &Cluster) -> bool {
    cluster.nodes.iter().all(|node| node.is_generated) && cluster.releases.is_empty()
}

/// Each name with its number, the largest first.
fn numbered(all: &BTreeMap<String, usize>, end: &str) -> String {
    let mut all: Vec<(&String, &usize)> = all.iter().collect();
    all.sort_by_key(|(name, number)| (std::cmp::Reverse(**number), (*name).clone()));
    let end = |name: &str| if name == "." { String::new() } else { end.to_owned() };
    let mut shown: Vec<String> =
        all.iter().take(SHOWN).map(|(name, number)| format!("{name}{}: {number}", end(name))).collect();
    if all.len() > SHOWN {
        let rest: usize = all[SHOWN..].iter().map(|(_, number)| **number).sum();
        shown.push(format!("elsewhere: {rest}"));
    }
    shown.join(", ")
}

fn short(names: &[String]) -> String {
    match names {
        [one] => format!("cluster {one}"),
        few if few.len() <= SHOWN => format!("clusters {}", list(few)),
        many => format!("{} clusters", many.len()),
    }
}
