//! How long a whole run takes per Kustomization, in repositories of several sizes: `cargo bench`.
//!
//! What counts is the ratio between the sizes of one run: the rate per node stays about the same where nothing grows faster
//! than the repository does.

use std::{fs, path::Path};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fluxdag::{
    Options,
    graph::EventGraph,
    lint, survey,
    timing::{Assumptions, Durations, Profile, Simulation},
};

const SIZES: [usize; 3] = [100, 400, 1600];

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// A repository with `count` Kustomizations that depend on each other like a tree, each with a workload or a chart.
fn repository(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sync = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n\
                spec: {interval: 1m, url: 'https://example.com/x.git'}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: \
                Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 10m, path: ./clusters/prod, prune: \
                true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    write(folder.path(), "clusters/prod/flux-system/gotk-sync.yaml", sync);
    for index in 0..count {
        let needs = if index == 0 { String::new() } else { format!("  dependsOn: [{{name: app-{}}}]\n", index / 4) };
        let node = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: app-{index}, namespace: flux-system}}\n\
             spec:\n{needs}  interval: 1h\n  path: ./apps/app-{index}\n  prune: true\n  retryInterval: 2m\n  sourceRef: {{kind: \
             GitRepository, name: flux-system}}\n  timeout: 5m\n  wait: true\n"
        );
        write(folder.path(), &format!("clusters/prod/app-{index}.yaml"), &node);
        let object = match index % 4 {
            0 => format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: app-{index}, namespace: default}}\nspec: \
                 {{interval: 1h, chart: {{spec: {{chart: redis, sourceRef: {{kind: HelmRepository, name: charts, namespace: \
                 flux-system}}}}}}}}\n"
            ),
            _ => format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app-{index}, namespace: default}}\nspec: {{selector: \
                 {{matchLabels: {{app: a}}}}, template: {{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{{name: app, image: \
                 ghcr.io/example/app:1}}]}}}}}}\n"
            ),
        };
        write(folder.path(), &format!("apps/app-{index}/object.yaml"), &object);
        write(folder.path(), &format!("apps/app-{index}/kustomization.yaml"), "resources: [object.yaml]\n");
    }
    folder
}

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lint");
    group.sample_size(10);
    for count in SIZES {
        let folder = repository(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &folder, |bencher, folder| {
            bencher.iter(|| lint(&[folder.path().to_owned()], &Options::default()).expect("an analysis"));
        });
    }
    group.finish();
}

fn simulations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("100 simulations");
    group.sample_size(10);
    for count in SIZES {
        let folder = repository(count);
        let survey = survey(&[folder.path().to_owned()], &Options::default()).expect("a survey");
        let cluster = survey.clusters.iter().find(|cluster| cluster.reached).expect("a cluster");
        let (graph, durations) = (EventGraph::new(cluster, Vec::new()), Durations::new(cluster, Profile::Slow, &[]));
        let simulation = Simulation::new(cluster, &graph, &durations, Assumptions::new(cluster));
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &simulation, |bencher, simulation| {
            bencher.iter(|| simulation.monte_carlo(100, 1));
        });
    }
    group.finish();
}

criterion_group!(benches, runs, simulations);
criterion_main!(benches);
