//! How much of what real repositories hold the catalogues of custom resources know.
//!
//! The repositories are read from the folder that `FLUXDAG_CORPUS` names; without it these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};

use fluxdag::{
    Options,
    catalog::{CrdCatalog, KindCatalog},
};

use crate::corpus::{corpus, repositories};

/// Groups under `k8s.io` that are no part of Kubernetes itself.
const NOT_BUILT_IN: [&str; 6] = [
    "aadpodidentity.k8s.io",
    "autoscaling.k8s.io",
    "externaldns.k8s.io",
    "gateway.networking.k8s.io",
    "groupsnapshot.storage.k8s.io",
    "snapshot.storage.k8s.io",
];

/// Whether Kubernetes serves the group without any definition, or Flux brings it along.
fn comes_with_the_cluster(group: &str) -> bool {
    !group.contains('.')
        || group.ends_with(".toolkit.fluxcd.io")
        || (group.ends_with(".k8s.io") && !group.ends_with(".cncf.io") && !NOT_BUILT_IN.contains(&group))
}

/// Group and kind of the custom resources that Flux applies in the repositories, and in how many objects.
fn custom_resources() -> Option<BTreeMap<(String, String), usize>> {
    let mut found = BTreeMap::new();
    for (_, path) in repositories(&corpus()?) {
        let Ok(survey) = fluxdag::survey(&[path], &Options::default()) else { continue };
        for key in survey.clusters.iter().flat_map(|cluster| cluster.objects.keys()) {
            if !comes_with_the_cluster(&key.group) {
                *found.entry((key.group.to_string(), key.kind.to_string())).or_insert(0) += 1;
            }
        }
    }
    Some(found)
}

#[test]
fn it_is_known_how_the_definitions_of_real_custom_resources_get_there() {
    let Some(found) = custom_resources() else { return };
    let known = |group: &str, kind: &str| CrdCatalog::builtin().owner(group, kind).is_some();
    let unknown: Vec<_> = found.iter().filter(|((group, kind), _)| !known(group, kind)).collect();
    let groups: BTreeSet<_> = found.keys().map(|(group, _)| group).collect();
    println!("{} kinds of {} groups, without a row: {unknown:#?}", found.len(), groups.len());
    assert!(found.len() > 100, "only {} kinds were found", found.len());
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn it_is_known_what_the_health_check_reads_off_real_custom_resources() {
    let Some(found) = custom_resources() else { return };
    let known = |group: &str, kind: &str| KindCatalog::builtin().status(group, kind).is_some();
    let unknown: Vec<_> = found.iter().filter(|((group, kind), _)| !known(group, kind)).collect();
    println!("{} kinds of custom resources, without a row: {unknown:#?}", found.len());
    assert!(unknown.is_empty(), "{unknown:#?}");
}
