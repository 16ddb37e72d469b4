use std::{path::Path, sync::Arc};

use super::{Error, Options, survey::locate};
use crate::{
    flux::{Artifacts, Selection, generated_kustomization},
    kustomize::{Build, Kustomize},
    source::{Artifact, SourceError, Tree, absolute, slashed},
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

/// Builds `folder` alone, with the kustomization that Flux generates where it has none. The folder that is Flux's artifact is
/// `root` of the options, or found as [`survey`](crate::survey) finds it. Where there is no repository around the folder,
/// it is the working directory, or the folder itself outside that.
///
/// # Errors
/// Where the folder cannot be read, or does not lie below the root.
pub fn build_folder(folder: &Path, options: &Options) -> Result<FolderBuild, Error> {
    let wanted = absolute(folder, None)?;
    if !wanted.is_dir() {
        return Err(Error::NoFolder(folder.to_owned()));
    }
    if let Some(root) = options.root.as_ref().map(|root| absolute(root, None)).transpose()?
        && !wanted.starts_with(&root)
    {
        return Err(SourceError::OutsideRoot { path: wanted, root }.into());
    }
    let (start, mut store) = locate(vec![wanted.clone()], options)?;
    if store.tree().root() == wanted && start.root.is_none() && start.repository.is_none() {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
        here.filter(|here| wanted.starts_with(here)).map(|here| store.widen(&here)).transpose()?;
    }
    if !wanted.starts_with(store.tree().root()) {
        // It lies beside the artifact: then it is built as kustomize would, out of all there is.
        store = Store::new(start.tree(start.repository.as_deref().unwrap_or(&wanted), &options.sources)?);
    }
    let top = store.tree().root().to_owned();
    let below = wanted.strip_prefix(&top).map(slashed).unwrap_or_default();
    let mut kustomize = Artifacts::new(&store, "").git(&Selection::default());
    if !kustomize.artifact().is_folder(&below) {
        // What no artifact holds can be built all the same, as kustomize would.
        kustomize = Arc::new(Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true)));
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
