use std::{path::Path, sync::Arc};

use super::Error;
use crate::{
    cluster::{Scope, discover, find_root},
    flux::{Artifacts, Selection, generated_kustomization},
    kustomize::{Build, Kustomize},
    source::{Artifact, MappedSource, SourceError, Start, Tree, slashed},
    yaml::Store,
};

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
/// Flux's artifact; where it is not given it is looked for as [`survey`](crate::survey) does, from the working directory or the top of
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
            let generated = generated_kustomization(&store, kustomize.artifact(), &below);
            (Some(generated.root), generated.errors)
        }
    };
    let mut build = kustomize.build(&below, generated.as_ref());
    build.errors.splice(0..0, errors);
    drop(kustomize);
    Ok(FolderBuild { artifact_root: start.shown(&top), folder: below, build, tree: store.into_tree() })
}
