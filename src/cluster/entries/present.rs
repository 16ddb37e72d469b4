use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    flux::api::{OPERATOR_GROUP, SOURCE_EXTENSIONS_GROUP},
    kustomize::ApiVersion,
    source::{FileId, is_yaml},
    yaml::Store,
};

/// How the API groups of the Flux controllers end.
const TOOLKIT: &str = ".toolkit.fluxcd.io";

/// How many Flux objects of each kind the files of the repository hold, as they stand there, unbuilt.
#[must_use]
pub fn flux_objects(store: &Store) -> BTreeMap<String, usize> {
    let tree = store.tree();
    let files: Vec<FileId> = tree.files().filter(|file| is_yaml(tree.path(*file))).collect();
    let kinds: Vec<Vec<String>> = files.into_par_iter().map(|file| kinds(store, file)).collect();
    let mut found = BTreeMap::new();
    for kind in kinds.into_iter().flatten() {
        *found.entry(kind).or_default() += 1;
    }
    found
}

fn kinds(store: &Store, file: FileId) -> Vec<String> {
    let others = [SOURCE_EXTENSIONS_GROUP, OPERATOR_GROUP];
    let may_hold = |text: &str| text.contains(TOOLKIT) || others.iter().any(|group| text.contains(group));
    if !store.tree().text(file).is_some_and(may_hold) {
        return Vec::new();
    }
    let documents = store.parse(file).documents.iter().map(|document| &document.root);
    let of_flux = documents.filter(|root| {
        let group = root.find_str(&["apiVersion"]).map_or("", |text| ApiVersion::parse(text).group);
        group.ends_with(TOOLKIT) || others.contains(&group)
    });
    of_flux.filter_map(|root| root.find_str(&["kind"])).map(str::to_owned).collect()
}
