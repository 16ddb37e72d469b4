//! How much of what real repositories hold the catalogues of custom resources know.
//!
//! The repositories are read from the folder that `FLUXDAG_CORPUS` names; without it these tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};

use fluxdag::{
    Options,
    catalog::{CrdCatalog, KindCatalog},
    cluster::chart_of,
    timing::{Durations, Origin, Profile},
};

use crate::support::{corpus, repositories};

/// Groups under `k8s.io` that are no part of Kubernetes itself.
const NOT_BUILT_IN: [&str; 6] = [
    "aadpodidentity.k8s.io",
    "autoscaling.k8s.io",
    "externaldns.k8s.io",
    "gateway.networking.k8s.io",
    "groupsnapshot.storage.k8s.io",
    "snapshot.storage.k8s.io",
];

/// Whether Kubernetes serves the group without any definition, or Flux installs it.
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

/// What the durations of the HelmReleases of a repository rest on.
#[derive(Debug, Default, Clone, Copy)]
struct Coverage {
    listed: usize,
    estimated: usize,
    without_wait: usize,
    by_default: usize,
}

impl Coverage {
    /// How many have more than a default, and how many there are for which it matters.
    const fn known(self) -> (usize, usize) {
        let known = self.listed + self.estimated;
        (known, known + self.by_default)
    }
}

/// Nearly all of its charts are the organisation's own.
const OWN_CHARTS: &str = "hmcts__sds-flux-config";

/// By repository, and the charts without a row by how many HelmReleases have them.
fn coverage() -> Option<(BTreeMap<String, Coverage>, BTreeMap<String, usize>)> {
    let (mut by_repository, mut unlisted) = (BTreeMap::new(), BTreeMap::new());
    for (name, path) in repositories(&corpus()?) {
        let Ok(survey) = fluxdag::survey(&[path], &Options::default()) else { continue };
        let coverage: &mut Coverage = by_repository.entry(name.clone()).or_default();
        for cluster in &survey.clusters {
            let durations = Durations::new(cluster, Profile::Slow, &[]);
            for (index, release) in cluster.releases.iter().enumerate() {
                let duration = durations.release(index);
                match duration.origin {
                    Origin::Catalog(_) => coverage.listed += 1,
                    Origin::Values(_) => coverage.estimated += 1,
                    Origin::WithoutWait => coverage.without_wait += 1,
                    Origin::Config | Origin::Objects(_) | Origin::Default => coverage.by_default += 1,
                }
                if let (None, Some(chart)) = (duration.row, chart_of(cluster, release))
                    && name != OWN_CHARTS
                {
                    *unlisted.entry(chart.name).or_default() += 1;
                }
            }
        }
    }
    Some((by_repository, unlisted))
}

#[test]
fn most_releases_of_real_repositories_have_more_than_a_default() {
    let Some((by_repository, unlisted)) = coverage() else { return };
    let mut total = Coverage::default();
    println!("repository: by a row, by values, not waited for, by default");
    for (name, coverage) in &by_repository {
        let Coverage { listed, estimated, without_wait, by_default } = *coverage;
        println!("{name}: {listed}, {estimated}, {without_wait}, {by_default}");
        if name != OWN_CHARTS {
            total.listed += listed;
            total.estimated += estimated;
            total.without_wait += without_wait;
            total.by_default += by_default;
        }
    }
    let mut most: Vec<(usize, String)> = unlisted.into_iter().map(|(chart, count)| (count, chart)).collect();
    most.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    println!("without {OWN_CHARTS}: {total:?}; most used charts without a row: {:?}", &most[..most.len().min(30)]);
    let (known, all) = total.known();
    assert!(all > 500, "only {all} HelmReleases were found");
    assert!(known * 10 >= all * 8, "{known} of {all}");
}
