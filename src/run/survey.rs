use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{Error, Options, Stdin, locate::Search};
use crate::{
    cluster::{
        Cluster, Coverage, Externals, Focus, Scope, SuppressionScope, broken_documents, discover, flux_objects, resolve,
    },
    finding::{Subject, count},
    source::{Invocation, SourceError, Tree, absolute},
    yaml::Store,
};

/// The files and clusters that an analysis is built from.
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
    /// What of them is reported.
    pub focus: Focus,
    /// How many Flux objects of each kind there are, where no entry point reaches any; else nothing.
    pub unreached: BTreeMap<String, usize>,
    /// How much of what there is was looked at, and what was not.
    pub coverage: Coverage,
    /// What was asked about.
    pub(super) scope: Scope,
    /// Which comments can be judged.
    pub(super) sight: SuppressionScope,
}

impl Survey {
    /// A repository without anything of Flux.
    pub(super) fn nothing() -> Self {
        Self {
            store: Store::new(Tree::default()),
            artifact_root: String::new(),
            repository: None,
            clusters: Vec::new(),
            focus: Focus::default(),
            unreached: BTreeMap::new(),
            coverage: Coverage::default(),
            scope: Scope::default(),
            sight: SuppressionScope::all(Scope::default()),
        }
    }

    /// What is reported of the clusters that are, by their roots; `None` for all of one.
    #[must_use]
    pub fn reported(&self) -> BTreeMap<&str, Option<BTreeSet<Subject>>> {
        let clusters = self.clusters.iter().enumerate().filter(|(index, _)| self.focus.has_cluster(*index));
        clusters.map(|(index, cluster)| (cluster.root.as_str(), self.focus.subjects(index, cluster))).collect()
    }

    /// What is to be known of what was looked at, where that is not all of a repository with clusters: a clause.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        if self.unreached.is_empty() {
            return self.focus.text(&self.clusters);
        }
        let kinds = self.unreached.iter().map(|(kind, number)| match kind.strip_suffix('y') {
            Some(stem) if *number != 1 => format!("{number} {stem}ies"),
            _ => count(*number, kind),
        });
        let kinds: Vec<String> = kinds.collect();
        Some(format!("no entry point reaches what there is of Flux: {}", kinds.join(", ")))
    }
}

/// The name of a stream that stands for no file: only what ends so is read.
const STDIN: &str = "stdin.yaml";

/// The files that `paths`, or a stream instead of them, belong to, and what the paths mean there.
pub(super) fn locate(paths: Vec<PathBuf>, options: &Options) -> Result<(Invocation, Store), SourceError> {
    options.stage.enter("reading files");
    if let Some(files) = &options.files {
        return Ok((Invocation::nowhere(), Store::new(Tree::from_memory(files.iter().cloned()))));
    }
    let (root, revision) = (options.root.as_deref(), options.revision.as_ref());
    let (start, stream) = match &options.stdin {
        None => (Invocation::at(paths, root, revision)?, None),
        Some(Stdin { file: None, bytes }) => {
            let tree = Tree::from_memory([(STDIN.to_owned(), bytes.to_vec())]);
            return Ok((Invocation::nowhere(), Store::new(tree)));
        }
        Some(Stdin { file: Some(file), bytes }) => {
            (Invocation::at(vec![file.clone()], root, revision)?, Some((file, bytes)))
        }
    };
    let prepare = |tree: &mut Tree| {
        if let Some((file, bytes)) = stream {
            tree.put(file, bytes.to_vec());
        }
    };
    let marked = options.marked.as_deref();
    let store = Search { start: &start, marked, sources: &options.sources, prepare: &prepare }.run()?;
    Ok((start, store))
}

/// Finds the repository around `paths` and its clusters, and builds what each Kustomization applies.
///
/// # Errors
/// Where the paths cannot be read, where neither they nor what is around them hold a Flux object, or where they do not fit
/// the options.
pub fn survey(paths: &[PathBuf], options: &Options) -> Result<Survey, Error> {
    // A stream, or files in memory, are read instead of them.
    let read: &[PathBuf] = if options.stdin.is_some() || options.files.is_some() { &[] } else { paths };
    let absolute = read.iter().map(|path| absolute(path, options.revision.as_ref())).collect::<Result<_, _>>()?;
    survey_at(absolute, paths, options)
}

/// The same of paths that are absolute and free of links, and need not be there. `named` is what the user calls them.
pub(super) fn survey_at(paths: Vec<PathBuf>, named: &[PathBuf], options: &Options) -> Result<Survey, Error> {
    let (start, store) = locate(paths, options)?;
    let root = store.tree().root().to_owned();
    let scope = if options.is_whole { Scope::default() } else { Scope::new(start.scope(&root)) };
    options.stage.enter("building what Flux applies");
    let discovered = discover(&store, &Scope::default());
    // A document that cannot be read may be a Flux object: then that is what is wrong.
    let is_broken = || broken_documents(&store).iter().any(|broken| broken.mentions_flux);
    if discovered.is_empty() && !is_broken() && flux_objects(&store).is_empty() {
        return Err(nothing(store, &scope, named));
    }
    let mut clusters = resolve(&store, "", &discovered, options.flux_version);
    if options.externals != Externals::default() {
        clusters.iter_mut().for_each(|cluster| cluster.declare(&options.externals));
    }
    let unreached = match clusters.iter().any(|cluster| cluster.reached) {
        true => BTreeMap::new(),
        false => flux_objects(&store),
    };
    // With one cluster, what belongs to others was not asked about.
    let asked = if options.cluster.is_some() { Scope::new(Vec::new()) } else { scope.clone() };
    let coverage = Coverage::new(store.tree(), &asked, &discovered, &clusters);
    let mut left_out = Vec::new();
    if let Some(wanted) = &options.cluster {
        let known: Vec<String> =
            clusters.iter().filter(|cluster| cluster.reached).map(|cluster| cluster.root.clone()).collect();
        left_out.extend(clusters.extract_if(.., |cluster| !cluster.reached || !cluster.is_named(wanted)));
        if clusters.is_empty() {
            return Err(Error::NoSuchCluster { wanted: wanted.clone(), known });
        }
    }
    let (focus, beside) = scope.narrow(&store, &mut clusters);
    let reported = clusters.iter().enumerate().filter(|(index, _)| focus.has_cluster(*index));
    let reported: Vec<&Cluster> = reported.map(|(_, cluster)| cluster).collect();
    let mut coverage = coverage.of(&reported, options.flux_version);
    if !unreached.is_empty() {
        // That no entry point leads anywhere is said as such.
        coverage.unreached.clear();
    }
    left_out.extend(beside);
    let sight = match left_out.is_empty() && options.cluster.is_none() {
        true => SuppressionScope::all(scope.clone()),
        false => SuppressionScope::part(scope.clone(), &clusters, &left_out),
    };
    options.stage.enter("checking what waits for what");
    let (artifact_root, repository) = (start.shown(&root), start.repository);
    Ok(Survey { artifact_root, repository, store, clusters, focus, unreached, coverage, scope, sight })
}

/// Why there is nothing to analyse.
fn nothing(store: Store, scope: &Scope, paths: &[PathBuf]) -> Error {
    let mut tree = store.into_tree();
    // What could not be looked at may well hold some.
    if let Some(error) = tree.take_unreadable() {
        return error.into();
    }
    let templates = tree.files().map(|file| tree.path(file)).any(|path| scope.covers(path) && is_template(path));
    Error::NoFluxObjects { paths: paths.to_vec(), templates }
}

/// The folder that every `spec.path` around `path` is relative to.
///
/// # Errors
/// Where the path cannot be read.
pub fn artifact_root(path: &Path) -> Result<PathBuf, Error> {
    let (_, store) = locate(vec![absolute(path, None)?], &Options::default())?;
    Ok(store.tree().root().to_owned())
}

fn is_template(path: &str) -> bool {
    [".j2", ".tmpl", ".tpl", ".gotmpl"].iter().any(|end| path.ends_with(end))
}
