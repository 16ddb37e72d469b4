//! What a process of its own measures, so that neither memory nor caches of one measure are in another, and how it answers:
//! one line for each number, with its name.

use std::{collections::BTreeMap, hint::black_box, path::Path};

use fluxdag::{
    Options, Session, Survey,
    cluster::{Cluster, Folder, Scope, discover, resolve},
    finding::{Confidence, Severity},
    flux::{Artifacts, Selection},
    graph::{EventGraph, Repaired, Stuck},
    lint,
    report::{Format, Hidden, Report, Terminal},
    situation::{Facts, View},
    source::Tree,
    survey,
    timing::{Assumptions, ColdStart, Durations, Profile, Quantile, Simulation},
    yaml::Store,
};

use super::clock::{self, Clock};

/// Numbers by name. Times are in seconds, memory in bytes.
pub(crate) type Numbers = BTreeMap<String, f64>;

/// The phases of a run, in the order they happen in.
pub(crate) const PHASES: [&str; 10] =
    ["walk", "read", "parse", "build", "close", "graph", "stuck", "rules", "simulate", "report"];

/// Phases that are the rest of something, and what is not part of them.
const DIFFERENCES: [(&str, &str, &[&str]); 2] =
    [("locate", "survey", &["walk", "read", "parse", "resolve"]), ("close", "resolve", &["build"])];

/// Keeps the least of each number.
fn keep(best: &mut Numbers, name: &str, number: f64) {
    let known = best.entry(name.to_owned()).or_insert(number);
    *known = known.min(number);
}

/// Does something, and notes how long that took.
fn timed<T>(best: &mut Numbers, name: &str, act: impl FnOnce() -> T) -> T {
    let clock = Clock::start();
    let done = black_box(act());
    keep(best, name, clock.seconds());
    done
}

/// Each phase of `lint` and the whole, the best of some rounds on one thread.
pub(crate) fn phases(folder: &Path) -> Numbers {
    let options = Options { is_whole: true, ..Options::default() };
    let paths = [folder.to_owned()];
    let mut best = Numbers::new();
    let start = Clock::start();
    for round in 0..10 {
        let survey = timed(&mut best, "survey", || survey(&paths, &options)).expect("a repository with clusters");
        let session = timed(&mut best, "session", || Session::new(&survey, &options));
        let found = timed(&mut best, "rules", || session.findings(None));
        drop((found, session));
        files(&mut best, &survey);
        clusters(&mut best, &survey.clusters, &survey.store);
        if round == 0 {
            counts(&mut best, &survey);
        }
        drop(survey);
        whole(&mut best, &options, folder);
        let passed = start.wall();
        if passed > 20.0 || (round >= 2 && passed > 2.0) {
            break;
        }
    }
    for (of, whole, parts) in DIFFERENCES {
        let rest = parts.iter().fold(best[whole], |rest, part| rest - best[*part]);
        best.insert(of.to_owned(), rest.max(0.0));
    }
    best
}

/// The same files as an analysis reads and parses, and what is built of them.
fn files(best: &mut Numbers, survey: &Survey) {
    let known = survey.store.tree();
    let paths: Vec<&str> = survey.store.parsed().map(|(file, _)| known.path(file)).collect();
    let tree = timed(best, "walk", || Tree::load(known.root())).expect("a folder");
    let files: Vec<_> = paths.iter().filter_map(|path| tree.file(path)).collect();
    let bytes: usize = timed(best, "read", || files.iter().map(|file| tree.bytes(*file).map_or(0, <[u8]>::len)).sum());
    best.insert("bytes".to_owned(), bytes as f64);
    best.insert("files".to_owned(), files.len() as f64);
    let store = Store::new(tree);
    timed(best, "parse", || {
        for file in &files {
            black_box(store.parse(*file));
        }
    });
    let clusters = timed(best, "resolve", || resolve(&store, "", &discover(&store, &Scope::default()), None));
    let folders: Vec<&str> = clusters.iter().flat_map(folders).collect();
    let artifacts = Artifacts::new(&store, "");
    let kustomize = artifacts.git(&Selection::default());
    timed(best, "build", || {
        for folder in &folders {
            if kustomize.kustomization_node(folder).is_some() {
                drop(black_box(kustomize.build(folder, None)));
            }
        }
    });
}

/// The folders that the Kustomizations of a cluster apply.
fn folders(cluster: &Cluster) -> impl Iterator<Item = &str> {
    cluster.nodes.iter().filter_map(|node| match &node.folder {
        Folder::Here(path) => Some(path.as_str()),
        _ => None,
    })
}

/// What is computed of each cluster. The parts are sums over clusters, so each is measured over all of them.
fn clusters(best: &mut Numbers, clusters: &[Cluster], store: &Store) {
    let views = || clusters.iter().map(|cluster| View { cluster, clusters, store });
    let facts: Vec<Facts> = timed(best, "facts", || views().map(Facts::find).collect());
    let graphs: Vec<EventGraph> = timed(best, "graph", || {
        clusters.iter().zip(&facts).map(|(cluster, facts)| EventGraph::new(cluster, facts.blockers())).collect()
    });
    timed(best, "solve", || {
        for graph in &graphs {
            black_box((Stuck::new(graph, Confidence::Medium), Stuck::new(graph, Confidence::Low)));
        }
    });
    best.insert("stuck".to_owned(), best["facts"] + best["solve"]);
    let durations: Vec<Durations> = timed(best, "durations", || {
        clusters.iter().map(|cluster| Durations::new(cluster, Profile::Slow, &[])).collect()
    });
    timed(best, "times", || {
        for (graph, durations) in graphs.iter().zip(&durations) {
            black_box(ColdStart::new(graph, durations, Repaired::Nothing));
        }
    });
    timed(best, "simulate", || {
        for ((cluster, graph), durations) in clusters.iter().zip(&graphs).zip(&durations) {
            black_box(Simulation::new(cluster, graph, durations, Assumptions::new(cluster)).run(Quantile::Typical));
        }
    });
}

/// A whole run, and its report.
fn whole(best: &mut Numbers, options: &Options, folder: &Path) {
    let analysis = timed(best, "lint", || lint(&[folder.to_owned()], options)).expect("an analysis");
    let errors = analysis.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    best.insert("errors".to_owned(), errors as f64);
    let report = Report {
        tree: &analysis.tree,
        repository: None,
        profile: options.profile.name(),
        clusters: &analysis.clusters,
        findings: &analysis.findings,
        all: false,
        suppressed: &[],
        hidden: Hidden::default(),
        remark: None,
        unseen: &analysis.unseen,
        rules: &[],
    };
    let mut text = Vec::new();
    timed(best, "report", || report.write(Format::Full, &Terminal::PLAIN, &mut text)).expect("written to memory");
}

fn counts(best: &mut Numbers, survey: &Survey) {
    let reached = || survey.clusters.iter().filter(|cluster| cluster.reached);
    best.insert("clusters".to_owned(), reached().count() as f64);
    best.insert("nodes".to_owned(), reached().map(|cluster| cluster.nodes.len()).sum::<usize>() as f64);
}

/// How long whole runs take on the wall, the best of `rounds`, on as many threads as the environment says, and the most
/// memory that they took. Nothing where there is nothing to analyse.
pub(crate) fn runs(folder: &Path, rounds: usize) -> Numbers {
    let options = Options { is_whole: true, ..Options::default() };
    let mut best = Numbers::new();
    for _ in 0..rounds {
        let clock = Clock::start();
        let Ok(analysis) = lint(&[folder.to_owned()], &options) else { return best };
        keep(&mut best, "wall", clock.wall());
        drop(analysis);
    }
    best.extend(clock::peak().map(|bytes| ("peak".to_owned(), bytes)));
    best
}

/// So many cold starts of the first cluster, on the wall and on all processors.
pub(crate) fn cold_starts(folder: &Path, runs: u32) -> Numbers {
    let survey = survey(&[folder.to_owned()], &Options::default()).expect("a repository with clusters");
    let cluster = survey.clusters.iter().find(|cluster| cluster.reached).expect("a cluster");
    let (graph, durations) = (EventGraph::new(cluster, Vec::new()), Durations::new(cluster, Profile::Slow, &[]));
    let simulation = Simulation::new(cluster, &graph, &durations, Assumptions::new(cluster));
    let clock = Clock::start();
    black_box(simulation.monte_carlo(runs, 1));
    Numbers::from([("wall".to_owned(), clock.wall()), ("nodes".to_owned(), cluster.nodes.len() as f64)])
}

/// The folders with a kustomization file that Kustomizations apply, each once.
pub(crate) fn kustomizations(folder: &Path) -> Vec<String> {
    let Ok(survey) = survey(&[folder.to_owned()], &Options::default()) else { return Vec::new() };
    let root = survey.store.tree().root();
    let mut paths: Vec<String> = survey
        .clusters
        .iter()
        .filter(|cluster| cluster.reached)
        .flat_map(folders)
        .map(|path| root.join(path))
        .filter(|path| path.join("kustomization.yaml").is_file())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    paths.sort();
    paths.dedup();
    paths
}
