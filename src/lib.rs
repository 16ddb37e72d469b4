//! Static analysis of the dependency graph of Flux GitOps repositories.
//!
//! The whole program is [`lint`]: find the files, find the clusters, build what each Kustomization applies, draw the
//! graph of what waits for what, and let the rules look at it. See `ARCHITECTURE.md` for the rooms and the doors
//! between them. The library exists for the program, its tests and its benchmarks; it is no stable interface.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rayon::prelude::*;

pub mod catalog;
pub mod change;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod finding;
pub mod flux;
pub mod graph;
pub mod kustomize;
pub mod report;
pub mod rules;
pub mod source;
pub mod timing;
pub mod yaml;

use cluster::{Cluster, Scope, Sight, discover, find_root, resolve};
use finding::Finding;
use flux::{Artifacts, FluxVersion, Selection, generated_kustomization};
use kustomize::{Build, Kustomize};
use report::ClusterSummary;
use rules::{Context, Situation};
use source::{Artifact, MappedSource, Revision, SourceError, Start, Tree, absolute, slashed};
use timing::{Override, Profile};
use yaml::Store;

/// What the user may choose about an analysis.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The folder that every `spec.path` is relative to.
    pub root: Option<PathBuf>,
    /// Look at this cluster alone.
    pub cluster: Option<String>,
    /// Budget for the critical path of a cold start.
    pub max_path: Option<Duration>,
    /// Whether rules of the pedantic tier run as well.
    pub pedantic: bool,
    /// The Flux release that runs where the repository does not tell.
    pub flux_version: Option<FluxVersion>,
    /// Folders on disk that stand for what is not in the repository.
    pub sources: Vec<MappedSource>,
    /// The hardware that durations are for.
    pub profile: Profile,
    /// Durations that the user set.
    pub durations: Vec<Override>,
    /// Whether comments silence nothing.
    pub no_ignore_comments: bool,
    /// Whether a comment has to say why, to silence anything.
    pub require_reason: bool,
    /// The revision to look at; the work tree where there is none.
    pub revision: Option<Arc<Revision>>,
}

/// What an analysis yields.
#[derive(Debug)]
pub struct Analysis {
    /// The files.
    pub tree: Tree,
    /// The folder that every `spec.path` is relative to, as seen from the working directory where that is above it.
    pub artifact_root: String,
    /// The clusters, sorted by root.
    pub clusters: Vec<ClusterSummary>,
    /// Everything found, sorted. What a comment silences is part of it, and marked.
    pub findings: Vec<Finding>,
    /// What the options ask for and the repository does not have, in words.
    pub warnings: Vec<String>,
}

/// Why there is no analysis: nothing to do with what the files say.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is nothing to analyse.
    #[error("no Flux Kustomization and no FluxInstance under {}", shown(.paths))]
    NoFluxObjects {
        /// Where they were looked for.
        paths: Vec<PathBuf>,
        /// Whether there are templates that would make some.
        templates: bool,
    },
    /// `--cluster` names none.
    #[error("no cluster is named `{wanted}`; {}", known_clusters(.known))]
    NoSuchCluster {
        /// What was asked for.
        wanted: String,
        /// The roots there are.
        known: Vec<String>,
    },
    /// What was to be built holds nothing that Flux would see.
    #[error("{} is no folder of manifests", .0.display())]
    NoFolder(PathBuf),
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn known_clusters(known: &[String]) -> String {
    if known.is_empty() { "there is none at all".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

impl Error {
    /// Whether there is simply nothing to look at.
    const fn is_nothing(&self) -> bool {
        matches!(self, Self::NoFluxObjects { .. } | Self::NoSuchCluster { .. } | Self::Source(SourceError::Missing(_)))
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        let help = match self {
            Self::Source(SourceError::Git(error)) => return error.help(),
            Self::Source(SourceError::OutsideRoot { .. }) => {
                "the root, from --root or the configuration, has to hold every path that is analysed"
            }
            Self::Source(_) => "check the path, and that it can be read",
            Self::NoFluxObjects { templates: true, .. } => {
                "the manifests here are templates; render them first and point at the result, or pass --allow-empty"
            }
            Self::NoFluxObjects { .. } => {
                "point at a folder that holds Flux Kustomizations, or pass --allow-empty where there need not be any"
            }
            Self::NoSuchCluster { .. } => "name a cluster by its root, or by one folder of it",
            Self::NoFolder(_) => "name a folder that holds files",
        };
        help.to_owned()
    }
}

/// The files and clusters that an analysis is made of.
#[derive(Debug)]
pub struct Survey {
    /// The files, and what was parsed of them.
    pub store: Store,
    /// The folder that every `spec.path` is relative to, as seen from the working directory where that is above it.
    pub artifact_root: String,
    /// The clusters that were asked about, and groups of what no entry point reaches.
    pub clusters: Vec<Cluster>,
    /// What was asked about.
    scope: Scope,
    /// Whether findings have to be narrowed to the scope, see [`Scope::narrow`].
    is_narrowed: bool,
    /// Which comments can be judged.
    sight: Sight,
}

/// Finds the files and the clusters around `paths`, and builds what each Kustomization applies.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn survey(paths: &[PathBuf], options: &Options) -> Result<Survey, Error> {
    let start = Start::of(paths, options.root.as_deref(), options.revision.as_ref())?;
    let mut store = Store::new(start.tree(&options.sources)?);
    let asked = Scope::new(start.scope.clone());
    let found = discover(&store, &asked);
    // A document that cannot be read may be a Flux object: then that is what is wrong.
    let is_broken = || cluster::broken_documents(&store).iter().any(|broken| broken.mentions_flux);
    if found.is_empty() && !is_broken() {
        // What could not be looked at may well hold some.
        let mut tree = store.into_tree();
        if let Some(error) = tree.take_unreadable() {
            return Err(error.into());
        }
        let templates = tree.files().map(|file| tree.path(file)).any(|path| asked.covers(path) && is_template(path));
        return Err(Error::NoFluxObjects { paths: paths.to_vec(), templates });
    }
    let top = start.root.clone();
    let top = top.unwrap_or_else(|| find_root(&start.folder, start.repository.as_deref(), store.tree(), &found));
    if top != start.folder && top.starts_with(&start.folder) {
        // What lies beside the root is no part of the artifact.
        let is_near = |path: &&PathBuf| {
            absolute(path, options.revision.as_ref()).is_ok_and(|path| path.starts_with(&top) || top.starts_with(&path))
        };
        let paths: Vec<PathBuf> = paths.iter().filter(is_near).cloned().collect();
        return survey(&paths, &Options { root: Some(top), ..options.clone() });
    }
    let scope = asked.below(&store.widen(&top)?);

    let discovered = discover(&store, &Scope::default());
    let mut clusters = resolve(&store, "", &discovered, options.flux_version);
    let (is_narrowed, mut left_out) = scope.narrow(store.tree(), &mut clusters);
    if let Some(wanted) = &options.cluster {
        let known: Vec<String> =
            clusters.iter().filter(|cluster| cluster.reached).map(|cluster| cluster.root.clone()).collect();
        left_out.extend(clusters.extract_if(.., |cluster| !cluster.reached || !cluster.is_named(wanted)));
        if clusters.is_empty() {
            return Err(Error::NoSuchCluster { wanted: wanted.clone(), known });
        }
    }
    let sight = match scope.is_everything() && options.cluster.is_none() {
        true => Sight::all(scope.clone()),
        false => Sight::part(scope.clone(), &clusters, &left_out),
    };
    Ok(Survey { artifact_root: start.shown(&top), store, clusters, scope, is_narrowed, sight })
}

/// One state of a repository, and what is found in it.
#[derive(Debug)]
pub struct State<'a> {
    /// Its files and clusters.
    pub survey: &'a Survey,
    /// The clusters with their graphs and times.
    pub situations: &'a [Situation<'a>],
    /// Everything found, sorted.
    pub findings: Vec<Finding>,
}

impl Survey {
    /// The clusters with their graphs and times.
    fn situations(&self, options: &Options) -> Vec<Situation<'_>> {
        self.clusters.par_iter().map(|cluster| Situation::of(cluster, options.profile, &options.durations)).collect()
    }

    /// A repository without anything of Flux.
    fn nothing() -> Self {
        let (scope, sight) = (Scope::default(), Sight::all(Scope::default()));
        let store = Store::new(Tree::default());
        Self { store, artifact_root: String::new(), clusters: Vec::new(), scope, is_narrowed: false, sight }
    }

    /// What the rules say, and where there is a state before this one, what they say of the step between them.
    fn findings(&self, situations: &[Situation<'_>], options: &Options, before: Option<&State<'_>>) -> Vec<Finding> {
        let broken = cluster::broken_documents(&self.store);
        let suppressions = match options.no_ignore_comments {
            true => Vec::new(),
            false => cluster::suppressions(&self.store, &self.sight, options.require_reason),
        };
        let context = Context {
            store: &self.store,
            tree: self.store.tree(),
            situations,
            broken: &broken,
            suppressions: &suppressions,
            max_path: options.max_path,
            pedantic: options.pedantic,
            before: None,
        };
        let before = before.map(|before| Context {
            store: &before.survey.store,
            tree: before.survey.store.tree(),
            situations: before.situations,
            broken: &[],
            suppressions: &[],
            ..context
        });
        let mut findings = rules::check(&Context { before: before.as_ref(), ..context });
        finding::fingerprint(&mut findings, self.store.tree());
        if self.is_narrowed {
            findings.retain(|finding| {
                let others = finding.related.iter().filter_map(|related| related.location);
                self.scope.touches(self.store.tree(), finding.location.span(), others)
            });
        }
        findings
    }

    fn into_analysis(self, findings: Vec<Finding>, options: &Options) -> Analysis {
        let warnings = timing::unmatched(&options.durations, &self.clusters);
        let clusters = self.clusters.iter().filter(|cluster| cluster.reached).map(summary).collect();
        Analysis { artifact_root: self.artifact_root, clusters, findings, warnings, tree: self.store.into_tree() }
    }
}

/// Analyses the repository around `paths`.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn lint(paths: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let survey = survey(paths, options)?;
    let findings = survey.findings(&survey.situations(options), options, None);
    if let Some(error) = survey.store.tree().lacking() {
        return Err(SourceError::from(error).into());
    }
    Ok(survey.into_analysis(findings, options))
}

/// Analyses the repository around `paths`, and the same as it was at `base`. What was found there too is marked as known.
///
/// # Errors
/// As for [`lint`], and where the revision cannot be read.
pub fn lint_since(paths: &[PathBuf], options: &Options, base: &Arc<Revision>) -> Result<Analysis, Error> {
    let past = Options { revision: Some(base.clone()), ..options.clone() };
    let ((findings, unread), survey) = compare([paths, paths], [&past, options], |before, mut after| {
        let trees = [before.survey.store.tree(), after.survey.store.tree()];
        change::mark_known(&before.findings, &mut after.findings, trees, &base.short_id());
        let unread = trees[0].unreadable().iter().map(|error| format!("in `{}`, {error}: it is left out", base.name()));
        (after.findings, unread.collect::<Vec<_>>())
    })?;
    if survey.store.tree().is_empty() {
        // Here as in any other run: a path that is mistyped must not pass for a clean repository.
        self::survey(paths, options)?;
    }
    let mut analysis = survey.into_analysis(findings, options);
    analysis.warnings.extend(unread);
    Ok(analysis)
}

/// Analyses two states of a repository, each with paths and options of its own, and has `tell` look at both. Gives its answer
/// and the later state. What was not there yet, or held nothing of Flux, is an empty repository; so is what is gone.
///
/// # Errors
/// Where one of them cannot be read, and where neither holds anything of Flux.
pub fn compare<T>(
    [paths, later]: [&[PathBuf]; 2],
    [past, options]: [&Options; 2],
    tell: impl FnOnce(State<'_>, State<'_>) -> T,
) -> Result<(T, Survey), Error> {
    let (one, other) = rayon::join(|| survey(paths, past), || survey(later, options));
    let (mut before, after) = match (one, other) {
        (Err(one), other) if one.is_nothing() => (Survey::nothing(), other?),
        (one, Err(other)) if other.is_nothing() => (one?, Survey::nothing()),
        (one, other) => (one?, other?),
    };
    // Paths in findings count from the root, so both have to have the same one.
    let (root, known) = (after.store.tree().root(), before.store.tree().root());
    if past.root.is_none() && past.revision.is_some() && root != known && !after.clusters.is_empty() {
        let again = survey(paths, &Options { root: Some(root.to_owned()), ..past.clone() });
        before = again.unwrap_or(before);
    }
    let (one, other) = rayon::join(|| before.situations(past), || after.situations(options));
    let findings = before.findings(&one, past, None);
    let before = State { survey: &before, situations: &one, findings };
    let findings = after.findings(&other, options, Some(&before));
    if let Some(error) = [before.survey, &after].iter().find_map(|survey| survey.store.tree().lacking()) {
        return Err(SourceError::from(error).into());
    }
    let told = tell(before, State { survey: &after, situations: &other, findings });
    drop(other);
    Ok((told, after))
}

/// A folder as `kustomize build` makes it, without Flux.
#[derive(Debug)]
pub struct FolderBuild {
    /// The files that spans point into.
    pub tree: Tree,
    /// The folder that paths in output are relative to.
    pub artifact_root: String,
    /// The folder, relative to that.
    pub folder: String,
    /// What was built.
    pub build: Build,
}

/// Builds `folder` alone, with the kustomization that Flux generates where it has none. `root` is the folder that is
/// Flux's artifact; where it is not given it is looked for as [`survey`] does, from the working directory or the top of
/// the Git repository, whichever is nearer. `sources` are folders on disk that stand for remote bases.
///
/// # Errors
/// Where the folder cannot be read, or does not lie below the root.
pub fn build_folder(folder: &Path, root: Option<&Path>, sources: &[MappedSource]) -> Result<FolderBuild, Error> {
    let start = Start::of(&[folder.to_owned()], root, None)?;
    let wanted = folder.canonicalize().unwrap_or_default();
    if !wanted.is_dir() {
        return Err(Error::NoFolder(folder.to_owned()));
    }
    if let Some(root) = start.root.as_ref().filter(|root| !wanted.starts_with(root)) {
        return Err(SourceError::OutsideRoot { path: wanted, root: root.clone() }.into());
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let around = [here.as_deref(), start.repository.as_deref()].into_iter().flatten();
    let around = around.filter(|above| wanted.starts_with(above)).max_by_key(|above| above.components().count());
    let from = start.root.as_deref().or(around).unwrap_or(&wanted);
    let mut tree = Tree::load(from)?;
    tree.map(sources)?;
    let mut store = Store::new(tree);
    let found = || discover(&store, &Scope::default());
    let top =
        start.root.clone().unwrap_or_else(|| find_root(from, start.repository.as_deref(), store.tree(), &found()));
    store.widen(&top)?;
    let below = wanted.strip_prefix(&top).map(slashed).unwrap_or_default();
    let mut kustomize = Artifacts::new(&store, "").git(&Selection::default());
    if !kustomize.artifact().is_folder(&below) {
        // What no artifact holds can be built all the same, as kustomize would.
        kustomize = Arc::new(Kustomize::new(&store, Artifact::of(store.tree(), "", |_| true)));
    }
    if !kustomize.artifact().is_folder(&below) {
        return Err(Error::NoFolder(folder.to_owned()));
    }
    let (generated, errors) = match kustomize.kustomization_node(&below) {
        Some(_) => (None, Vec::new()),
        None => {
            let (node, errors) = generated_kustomization(&store, kustomize.artifact(), &below);
            (Some(node), errors)
        }
    };
    let mut build = kustomize.build(&below, generated.as_ref());
    build.errors.splice(0..0, errors);
    drop(kustomize);
    Ok(FolderBuild { artifact_root: start.shown(&top), folder: below, build, tree: store.into_tree() })
}

/// The folder that every `spec.path` around `paths` is relative to; `root` where that is given.
///
/// # Errors
/// Where the paths cannot be read, or do not fit the root.
pub fn artifact_root(paths: &[PathBuf], root: Option<&Path>) -> Result<PathBuf, Error> {
    let start = Start::of(paths, root, None)?;
    if let Some(root) = start.root {
        return Ok(root);
    }
    let store = Store::new(start.tree(&[])?);
    let found = discover(&store, &Scope::new(start.scope.clone()));
    Ok(find_root(&start.folder, start.repository.as_deref(), store.tree(), &found))
}

fn is_template(path: &str) -> bool {
    [".j2", ".tmpl", ".tpl", ".gotmpl"].iter().any(|end| path.ends_with(end))
}

fn summary(cluster: &Cluster) -> ClusterSummary {
    let unresolved = cluster.nodes.iter().flat_map(|node| &node.unresolved);
    let details = unresolved.map(|part| report::Unresolved {
        what: part.what.clone(),
        why: part.why.clone(),
        location: part.span.is_some().then_some(part.span),
    });
    ClusterSummary {
        root: cluster.root.clone(),
        nodes: cluster.nodes.iter().filter(|node| !node.is_generated).count(),
        unresolved: cluster.unresolved_nodes(),
        flux_version: cluster.version.map(|version| version.to_string()),
        unresolved_details: details.collect(),
    }
}
