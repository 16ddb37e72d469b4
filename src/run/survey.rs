use std::path::{Path, PathBuf};

use super::{Error, Options, Stdin};
use crate::{
    cluster::{Cluster, Externals, Scope, Sight, broken_documents, discover, find_root, resolve},
    source::{SourceError, Start, Tree, absolute},
    yaml::Store,
};

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
    pub(super) scope: Scope,
    /// Whether findings have to be narrowed to the scope, see [`Scope::narrow`].
    pub(super) is_narrowed: bool,
    /// Which comments can be judged.
    pub(super) sight: Sight,
}

impl Survey {
    /// A repository without anything of Flux.
    pub(super) fn nothing() -> Self {
        let (scope, sight) = (Scope::default(), Sight::all(Scope::default()));
        Self {
            store: Store::new(Tree::default()),
            artifact_root: String::new(),
            repository: None,
            clusters: Vec::new(),
            scope,
            is_narrowed: false,
            sight,
        }
    }
}

/// The name of a stream that stands for no file: only what ends so is read.
const STDIN: &str = "stdin.yaml";

/// Where `paths`, or a stream instead of them, lead, and the files there.
fn files(paths: &[PathBuf], options: &Options) -> Result<(Start, Tree), SourceError> {
    options.stage.enter("reading files");
    let (root, revision) = (options.root.as_deref(), options.revision.as_ref());
    match &options.stdin {
        None => {
            let start = Start::of(paths, root, revision)?;
            let tree = start.tree(&options.sources)?;
            Ok((start, tree))
        }
        Some(Stdin { file: None, bytes }) => {
            Ok((Start::nowhere(), Tree::from_memory([(STDIN.to_owned(), bytes.to_vec())])))
        }
        Some(Stdin { file: Some(file), bytes }) => {
            let start = Start::at(vec![file.clone()], root, revision)?;
            let mut tree = start.tree(&options.sources)?;
            tree.put(file, bytes.to_vec());
            Ok((start, tree))
        }
    }
}

/// Finds the files and the clusters around `paths`, and builds what each Kustomization applies.
///
/// # Errors
/// Where the paths cannot be read, hold no Flux object, or do not fit the options.
pub fn survey(paths: &[PathBuf], options: &Options) -> Result<Survey, Error> {
    let (start, tree) = files(paths, options)?;
    let mut store = Store::new(tree);
    let asked = Scope::new(start.scope.clone());
    let found = discover(&store, &asked);
    // A document that cannot be read may be a Flux object: then that is what is wrong.
    let is_broken = || broken_documents(&store).iter().any(|broken| broken.mentions_flux);
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
    let (artifact_root, repository) = (start.shown(&top), start.repository);
    Ok(Survey { artifact_root, repository, store, clusters, scope, is_narrowed, sight })
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
