//! Whether building a folder can yield a Kustomization at all, told from what its kustomization files list: most folders of a
//! repository hold the manifests of an application, and building them twice would cost as much as all the rest.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::{
    kustomize::Kustomize,
    source::{FileId, join},
    yaml::Node,
};

/// Fields of a kustomization file that list files and folders with objects.
const LISTS: [&str; 3] = ["resources", "bases", "components"];

/// Fields whose plugins may make any object.
const PLUGINS: [&str; 3] = ["generators", "transformers", "helmCharts"];

/// Whether the build of `folder` may hold an object out of one of `files`. Where that cannot be told, it may.
pub(super) fn may_hold_any(kustomize: &Kustomize<'_>, folder: &str, files: &FxHashSet<FileId>) -> bool {
    let artifact = kustomize.artifact();
    let mut seen = BTreeSet::from([folder.to_owned()]);
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        // Without a kustomization file everything below counts.
        let Some(root) = kustomize.kustomization_node(&folder) else { return true };
        if PLUGINS.iter().any(|field| root.get(field).is_some()) {
            return true;
        }
        for entry in LISTS.iter().filter_map(|field| root.get(field)).flat_map(Node::items) {
            let Some(path) = entry.as_str().and_then(|path| join(&folder, path)) else { return true };
            match artifact.file(&path) {
                Some(file) if files.contains(&file) => return true,
                Some(_) => {}
                None if artifact.is_folder(&path) => {
                    if seen.insert(path.clone()) {
                        open.push(path);
                    }
                }
                None => return true,
            }
        }
    }
    false
}
