//! Static analysis of the dependency graph of Flux GitOps repositories.
//!
//! The whole program is [`lint`]: find the files, find the clusters, build what each Kustomization applies, draw the
//! graph of what waits for what, and let the rules look at it. See `ARCHITECTURE.md` for the rooms and the doors
//! between them. The library exists for the program, its tests and its benchmarks; it is no stable interface.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rayon::prelude::*;

pub mod catalog;
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

use cluster::{Cluster, Externals, Scope, Sight, discover, find_root, resolve};
use finding::Finding;
use flux::{Artifacts, FluxVersion, Selection, generated_kustomization};
use kustomize::{Build, Kustomize};
use report::ClusterSummary;
use rules::{Budget, Context, Ignore, Situation};
use source::{Artifact, MappedSource, Pattern, SourceError, Tree, slashed};
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
    /// Which rules run, and how much what they find matters.
    pub selection: rules::Selection,
    /// Files that nothing is told about. What Flux makes of them is built all the same.
    pub exclude: Vec<Pattern>,
    /// Findings that the user silences.
    pub ignores: Vec<Ignore>,
    /// The folder that paths in `exclude` and `ignores` count from: the artifact root where not set.
    pub patterns_from: Option<PathBuf>,
    /// Objects that are made outside the repository.
    pub externals: Externals,
    /// How long single Kustomizations may take.
    pub budgets: Vec<Budget>,
    /// What to read instead of a file, or instead of files altogether.
    pub stdin: Option<Stdin>,
    /// Where an analysis says how far it is.
    pub stage: Stage,
}

/// What an analysis yields.
#[derive(Debug)]
pub struct Analysis {
    /// The files.
    pub tree: Tree,
    /// The folder that every `spec.path` is relative to, as seen from the working directory where that is above it.
    pub artifact_root: String,
    /// The root of the Git repository around the files, where there is one.
    pub repository: Option<PathBuf>,
    /// The clusters, sorted by root.
    pub clusters: Vec<ClusterSummary>,
    /// Everything found, sorted. What a comment silences is part of it, and marked.
    pub findings: Vec<Finding>,
    /// What the options ask for and the repository does not have, in words.
    pub warnings: Vec<String>,
    /// Whether the whole repository was looked at.
    pub is_whole: bool,
    /// Ids of the rules that said all they ever say.
    pub heard: Vec<&'static str>,
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
    /// `--root` and the paths have nothing in common.
    #[error("{} is not below the root {}", .path.display(), .root.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn known_clusters(known: &[String]) -> String {
    if known.is_empty() { "there is none at all".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Source(_) => "check the path, and that it can be read",
            Self::NoFluxObjects { templates: true, .. } => {
                "the manifests here are templates; render them first and point at the result, or pass --allow-empty"
            }
            Self::NoFluxObjects { .. } => {
                "point at a folder that holds Flux Kustomizations, or pass --allow-empty where there need not be any"
            }
            Self::NoSuchCluster { .. } => "name a cluster by its root, or by one folder of it",
            Self::NoFolder(_) => "name a folder that holds files",
            Self::OutsideRoot { .. } => {
                "the root, from --root or the configuration, has to hold every path that is analysed"
            }
        }
    }
}

/// The files and clusters that an analysis is made of.
#[derive(Debug)]
pub struct Survey {
    /// The files, and what was parsed of them.
    pub store: Store,
    /// The folder that every `spec.path` is relative to, as seen from the working directory where that is above it.
    pub artifact_root: String,
    /// The root of the Git repository around the files, where there is one.
    pub repository: Option<PathBuf>,
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
    let (start, tree) = Start::with_files(paths, options)?;
    let mut store = Store::new(tree);
    let found = discover(&store, &start.scope);
    // A document that cannot be read may be a Flux object: then that is what is wrong.
    let is_broken = || cluster::broken_documents(&store).iter().any(|broken| broken.mentions_flux);
    if found.is_empty() && !is_broken() {
        // What could not be looked at may well hold some.
        let mut tree = store.into_tree();
        if let Some(error) = tree.take_unreadable() {
            return Err(error.into());
        }
        let templates =
            tree.files().map(|file| tree.path(file)).any(|path| start.scope.covers(path) && is_template(path));
        return Err(Error::NoFluxObjects { paths: paths.to_vec(), templates });
    }
    let top = start.root.clone();
    let top = top.unwrap_or_else(|| find_root(&start.folder, start.repository.as_deref(), store.tree(), &found));
    if top != start.folder && top.starts_with(&start.folder) {
        // What lies beside the root is no part of the artifact.
        let is_near =
            |path: &&PathBuf| path.canonicalize().is_ok_and(|path| path.starts_with(&top) || top.starts_with(&path));
        let paths: Vec<PathBuf> = paths.iter().filter(is_near).cloned().collect();
        return survey(&paths, &Options { root: Some(top), ..options.clone() });
    }
    let scope = start.scope.below(&store.widen(&top)?);

    options.stage.enter("building what Flux applies");
    let discovered = discover(&store, &Scope::default());
    let mut clusters = resolve(&store, "", &discovered, options.flux_version);
    if options.externals != Externals::default() {
        clusters.iter_mut().for_each(|cluster| cluster.declare(&options.externals));
    }
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
    options.stage.enter("checking what waits for what");
    Ok(Survey {
        artifact_root: start.shown(&top),
        repository: start.repository,
        store,
        clusters,
        scope,
        is_narrowed,
        sight,
    })
}

/// Analyses the repository around `paths`.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn lint(paths: &[PathBuf], options: &Options) -> Result<Analysis, Error> {
    let Survey { store, artifact_root, repository, clusters, scope, is_narrowed, sight } = survey(paths, options)?;
    let situations: Vec<Situation<'_>> =
        clusters.par_iter().map(|cluster| Situation::of(cluster, options.profile, &options.durations)).collect();
    let broken = cluster::broken_documents(&store);
    let mut suppressions = match options.no_ignore_comments {
        true => Vec::new(),
        false => cluster::suppressions(&store, &sight, options.require_reason),
    };
    suppressions.iter_mut().flat_map(|comment| &mut comment.rules).for_each(rules::rename);
    let context = Context {
        store: &store,
        tree: store.tree(),
        situations: &situations,
        broken: &broken,
        suppressions: &suppressions,
        max_path: options.max_path,
        pedantic: options.pedantic,
        budgets: &options.budgets,
        selection: &options.selection,
    };
    let mut findings = rules::check(&context);
    let heard = rules::heard(&context);
    finding::fingerprint(&mut findings, store.tree(), &rules::first_id);
    if is_narrowed {
        findings.retain(|finding| {
            scope.touches(
                store.tree(),
                finding.location.span(),
                finding.related.iter().filter_map(|related| related.location),
            )
        });
    }
    drop(situations);
    let is_whole = scope.is_everything() && options.cluster.is_none();
    let mut warnings = timing::unmatched(&options.durations, &clusters);
    warnings.extend(Budget::unmatched(&options.budgets, &clusters));
    let from = options.patterns_from.as_deref();
    let used = rules::leave_out(&mut findings, store.tree(), from, &options.exclude, &options.ignores);
    if is_whole {
        warnings.extend(rules::unused(&options.ignores, &used, &heard));
    }
    let clusters = clusters.iter().filter(|cluster| cluster.reached).map(summary).collect();
    Ok(Analysis { artifact_root, repository, clusters, findings, warnings, is_whole, heard, tree: store.into_tree() })
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
    let start = Start::of(&[folder.to_owned()], root)?;
    let wanted = folder.canonicalize().unwrap_or_default();
    if !wanted.is_dir() {
        return Err(Error::NoFolder(folder.to_owned()));
    }
    if let Some(root) = start.root.as_ref().filter(|root| !wanted.starts_with(root)) {
        return Err(Error::OutsideRoot { path: wanted, root: root.clone() });
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
    let start = Start::of(paths, root)?;
    if let Some(root) = start.root {
        return Ok(root);
    }
    let store = Store::new(start.tree(&[])?);
    let found = discover(&store, &start.scope);
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

/// Where the user stands, and what the paths mean there.
struct Start {
    /// The folder that holds all paths.
    folder: PathBuf,
    /// The paths, relative to it.
    scope: Scope,
    /// The Git repository around it.
    repository: Option<PathBuf>,
    /// The root the user set.
    root: Option<PathBuf>,
}

/// The name of a stream that stands for no file: only what ends so is read.
const STDIN: &str = "stdin.yaml";

impl Start {
    /// Where there are no files around what is analysed.
    fn nowhere() -> Self {
        Self { folder: PathBuf::new(), scope: Scope::default(), repository: None, root: Some(PathBuf::new()) }
    }

    /// Where `paths`, or a stream instead of them, lead, and the files there.
    fn with_files(paths: &[PathBuf], options: &Options) -> Result<(Self, Tree), Error> {
        options.stage.enter("reading files");
        let paths = match &options.stdin {
            Some(Stdin { file: None, bytes }) => {
                return Ok((Self::nowhere(), Tree::from_memory([(STDIN.to_owned(), bytes.to_vec())])));
            }
            Some(Stdin { file: Some(file), .. }) => std::slice::from_ref(file),
            None => paths,
        };
        let start = Self::of(paths, options.root.as_deref())?;
        let mut tree = start.tree(&options.sources)?;
        if let Some(Stdin { file: Some(file), bytes }) = &options.stdin {
            tree.put(file, bytes.to_vec());
        }
        Ok((start, tree))
    }

    fn of(paths: &[PathBuf], root: Option<&Path>) -> Result<Self, Error> {
        let real = |path: &Path| {
            path.canonicalize().map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => SourceError::Missing(path.to_owned()),
                _ => SourceError::Io { path: path.to_owned(), error },
            })
        };
        // What a stream stands for may not be there yet.
        let is_placed = |path: &Path| path.is_absolute() && !path.exists() && path.parent().is_some_and(Path::is_dir);
        let found = |path: &PathBuf| if is_placed(path) { Ok(path.clone()) } else { real(path) };
        let absolute: Vec<PathBuf> = paths.iter().map(found).collect::<Result<_, _>>()?;
        let root = root.map(real).transpose()?;
        if let Some(root) = &root
            && let Some(path) = absolute.iter().find(|path| !path.starts_with(root) && !root.starts_with(path))
        {
            return Err(Error::OutsideRoot { path: path.clone(), root: root.clone() });
        }
        // A root below the paths narrows them to itself.
        let absolute: Vec<PathBuf> = match &root {
            Some(root) => {
                absolute.into_iter().map(|path| if path.starts_with(root) { path } else { root.clone() }).collect()
            }
            None => absolute,
        };
        let folder_of =
            |path: &Path| if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(path).to_owned() };
        let mut folder = absolute.first().map(|path| folder_of(path)).unwrap_or_default();
        while !absolute.iter().all(|path| path.starts_with(&folder)) && folder.pop() {}
        let scope =
            Scope::new(absolute.iter().filter_map(|path| path.strip_prefix(&folder).ok()).map(slashed).collect());
        let repository = folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
        Ok(Self { folder, scope, repository, root })
    }

    /// The files of the folder, and those of mapped ones.
    fn tree(&self, sources: &[MappedSource]) -> Result<Tree, SourceError> {
        let mut tree = Tree::load(&self.folder)?;
        tree.map(sources)?;
        Ok(tree)
    }

    /// `top` for people: relative to the working directory where it lies below it, `.` where it is that.
    fn shown(&self, top: &Path) -> String {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
        match top.strip_prefix(&here) {
            Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
            Ok(below) => slashed(below),
            Err(_) => top.display().to_string(),
        }
    }
}

/// A stream of YAML.
#[derive(Debug, Clone)]
pub struct Stdin {
    /// The file that holds it instead of what is on disk, absolute and free of links; it need not be there, its folder
    /// has to. Without one the stream is all there is.
    pub file: Option<PathBuf>,
    /// What it says.
    pub bytes: Arc<[u8]>,
}

/// What is being done, for whoever waits for it.
#[derive(Debug, Default, Clone)]
pub struct Stage(Arc<Mutex<&'static str>>);

impl Stage {
    /// Says that `name` begins.
    pub fn enter(&self, name: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// What is being done now.
    #[must_use]
    pub fn name(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
