//! The fleets that benchmarks are made on: they hold no mistake, and what is said of one depends on nothing but its files.

use std::sync::Arc;

use fluxdag::{
    Analysis, Options,
    finding::Severity,
    lint,
    report::{Format, Hidden, Report, Terminal},
};

use self::fleet::{Fleet, Shape};
use crate::support::Repository;

#[path = "../../benches/performance/fleet.rs"]
#[expect(dead_code, reason = "only benchmarks write fleets to folders")]
mod fleet;

/// The analysis of a repository that is in memory alone.
fn analyse(files: &[(String, String)]) -> Analysis {
    let files: Arc<[_]> = files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
    lint(&[], &Options { files: Some(files), ..Options::default() }).unwrap()
}

/// All that is said of a repository, as programs read it.
fn document(analysis: &Analysis) -> String {
    let report = Report {
        tree: &analysis.tree,
        repository: None,
        profile: "slow",
        clusters: &analysis.clusters,
        findings: &analysis.findings,
        all: true,
        suppressed: &[],
        hidden: Hidden::default(),
        remark: analysis.remark.as_deref(),
        unseen: &analysis.unseen,
        rules: &[],
    };
    let mut text = Vec::new();
    report.write(Format::Json, &Terminal::PLAIN, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// How many Kustomizations a fleet of that size has at least, those of entry points left aside.
fn nodes(shape: Shape, count: usize) -> usize {
    match shape {
        Shape::Crds => 2 * count.div_ceil(20),
        Shape::Files => count.div_ceil(40),
        _ => count,
    }
}

#[test]
fn fleets_have_what_they_are_asked_for_and_no_error() {
    for shape in Shape::ALL {
        for count in [1, 2, 45] {
            let fleet = Fleet::new(shape, count, 7);
            let analysis = analyse(&fleet.0);
            let errors = analysis.findings.iter().filter(|finding| finding.severity == Severity::Error);
            let errors: Vec<&str> = errors.map(|finding| finding.message.as_str()).collect();
            assert_eq!(errors, Vec::<&str>::new(), "{shape} {count}");
            let found: usize = analysis.clusters.iter().map(|cluster| cluster.nodes).sum();
            assert!(found > nodes(shape, count), "{shape} {count}: {found}");
            assert!(analysis.clusters.iter().all(|cluster| cluster.unresolved == 0), "{shape} {count}");
        }
    }
}

#[test]
fn a_fleet_follows_from_its_seed() {
    for shape in Shape::ALL {
        assert_eq!(Fleet::new(shape, 45, 7), Fleet::new(shape, 45, 7));
        assert_ne!(Fleet::new(shape, 45, 7), Fleet::new(shape, 45, 8), "{shape}");
    }
}

#[test]
fn a_mistake_in_a_fleet_is_found() {
    let mut fleet = Fleet::new(Shape::Chain, 5, 7);
    let (_, text) = fleet.0.iter_mut().find(|(path, _)| path == "clusters/prod/app-0.yaml").unwrap();
    text.push_str("  dependsOn:\n    - name: app-4\n");
    assert!(analyse(&fleet.0).findings.iter().any(|finding| finding.rule == "dependency-cycle"));
}

#[test]
fn what_is_said_of_a_fleet_depends_on_neither_threads_nor_the_order_of_files() {
    for shape in Shape::ALL {
        let mut files = Fleet::new(shape, 45, 7).0;
        // What is right in all of it leaves little to compare.
        let (_, text) =
            files.iter_mut().find(|(path, _)| path.ends_with("app-0.yaml") || path.ends_with("made-0.yaml")).unwrap();
        text.push_str("  dependsOn:\n    - name: nowhere\n");
        let on = |threads: usize, files: &[(String, String)]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            document(&pool.install(|| analyse(files)))
        };
        let alone = on(1, &files);
        assert!(alone.contains("dangling-dependency"), "{shape}: {alone}");
        assert_eq!(on(4, &files), alone, "{shape} with four threads");
        files.reverse();
        assert_eq!(on(4, &files), alone, "{shape} in reverse");
        let middle = files.len() / 3;
        files.rotate_left(middle);
        assert_eq!(on(1, &files), alone, "{shape} from the middle on");
    }
}

#[test]
fn what_is_said_of_a_fleet_depends_on_neither_folder_nor_language() {
    let mut files = Fleet::new(Shape::Mixed, 20, 7).0;
    let (_, text) = files.iter_mut().find(|(path, _)| path == "clusters/prod/app-3.yaml").unwrap();
    *text = text.replace("path: ./apps/app-3", "path: ./apps/nowhere");
    let repository = Repository::new(&files).under_git();
    let here = repository.json(&["lint"]);
    assert!(here["findings"].to_string().contains("missing-path"), "{here}");
    let within = repository.run_in("apps", &["lint", "..", "-o", "json"]).json();
    assert_eq!(within["findings"], here["findings"]);
    let above = crate::support::Program::new(
        repository.folder().parent().unwrap(),
        &["lint", repository.folder().to_str().unwrap(), "-o", "json"],
    );
    assert_eq!(above.env("LC_ALL", "de_DE.UTF-8").run().json()["findings"], here["findings"]);
}
