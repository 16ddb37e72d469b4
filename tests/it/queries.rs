//! `why` and `impact`: how objects and files are named, and what is answered.

use fluxdag::{
    finding::Subject,
    query::{Answer, Impact, Link},
};

use crate::support::{Repository, config_map, sync};

fn node(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1h
  retryInterval: 2m
  timeout: 5m
  path: ./{name}
  prune: true
  sourceRef: {{kind: GitRepository, name: flux-system}}
{rest}"
    )
}

/// `infra` ← `apps`, with a base that `apps` patches, in the clusters of these names.
fn chain(clusters: &[&str]) -> Repository {
    let repository = Repository::new(&[
        ("infra/settings.yaml", config_map("infra")),
        ("apps/kustomization.yaml", "resources: [../base]\npatches: [{path: patch.yaml}]\n".to_owned()),
        ("apps/patch.yaml", config_map("web").replace("a: b", "a: c")),
        ("base/kustomization.yaml", "resources: [web.yaml]\n".to_owned()),
        ("base/web.yaml", config_map("web")),
        ("docs/README.md", "nothing\n".to_owned()),
    ]);
    for cluster in clusters {
        let (path, text) = sync(cluster);
        repository.write(&path, text);
        repository.write(&format!("clusters/{cluster}/infra.yaml"), node("infra", "  wait: true\n"));
        repository.write(&format!("clusters/{cluster}/apps.yaml"), node("apps", "  dependsOn: [{name: infra}]\n"));
    }
    repository
}

fn impact(repository: &Repository, about: &str) -> Impact {
    repository.ask(|session| session.impact(&[about])).unwrap()
}

fn named<'s>(subjects: impl IntoIterator<Item = &'s Subject>) -> Vec<&'s str> {
    subjects.into_iter().map(|subject| subject.name.as_str()).collect()
}

#[test]
fn why_tells_what_is_waited_for_and_where_that_is_written() {
    let repository = chain(&["prod"]);
    let done = repository.run(&["why", "apps"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("Kustomization/flux-system/apps (clusters/prod/apps.yaml:3)"), "{}", done.out);
    assert!(done.out.contains("depends on Kustomization/flux-system/infra\n"), "{}", done.out);
    assert!(done.out.contains("(clusters/prod/apps.yaml:11)"), "{}", done.out);

    let [why] = repository.ask(|session| session.why("ks/flux-system/apps")).unwrap().clusters;
    let reasons: Vec<_> = why.waits_for.iter().map(|link| link.reason).collect();
    assert_eq!(reasons, ["depends-on", "applied-by", "source"]);
    assert_eq!(why.events[3].event, "ready");
    let at = why.events[3].at.unwrap();
    assert!(at.low <= at.typical && at.typical <= at.high, "{at:?}");
    assert_eq!(why.decides[0].event, "start");
    assert_eq!(why.stuck, None);
    assert!(why.obstacles.is_empty(), "{:?}", why.obstacles);
}

#[test]
fn why_tells_the_chain_between_two() {
    let repository = chain(&["prod"]);
    repository.write("clusters/prod/web.yaml", node("web", "  dependsOn: [{name: apps}]\n").replace("./web", "./base"));
    let [why] = repository.ask(|session| session.why_on("web", "infra")).unwrap().clusters;
    assert_eq!((why.answer, why.reverse), (Answer::Waits, Answer::DoesNotWait));
    let [chain] = why.chains.as_slice() else { panic!("{:?}", why.chains) };
    let steps: Vec<_> = chain.iter().map(|link| [&link.waits, &link.on].map(|it| it.name.as_str())).collect();
    assert_eq!(steps, [["web", "apps"], ["apps", "infra"]]);

    let done = repository.run(&["why", "infra", "web"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("infra does not wait for Kustomization/flux-system/web."), "{}", done.out);
    assert!(done.out.contains("the other way round"), "{}", done.out);
}

#[test]
fn what_two_provide_may_be_waited_for() {
    let repository = chain(&["prod"]);
    let variables = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n";
    repository.write("clusters/prod/web.yaml", node("web", variables).replace("./web", "./base"));
    for name in ["one", "two"] {
        repository.write(&format!("{name}/vars.yaml"), config_map("vars").replace("default", "flux-system"));
        repository.write(&format!("clusters/prod/{name}.yaml"), node(name, ""));
    }
    let [why] = repository.ask(|session| session.why_on("web", "one")).unwrap().clusters;
    assert_eq!(why.answer, Answer::MayWait);
    let last: &Link = why.chains[0].last().unwrap();
    assert_eq!(named(&last.or), ["two"]);
    assert_eq!(impact(&repository, "one").clusters[0].counts.starts_after, 0);
}

#[test]
fn a_loop_is_told_in_order() {
    let repository = chain(&["prod"]);
    repository.write("clusters/prod/infra.yaml", node("infra", "  dependsOn: [{name: apps}]\n"));
    repository.write("clusters/prod/web.yaml", node("web", "  dependsOn: [{name: apps}]\n").replace("./web", "./base"));
    let [why] = repository.ask(|session| session.why("web")).unwrap().clusters;
    assert_eq!(why.events[3].at, None);
    let stuck = why.stuck.unwrap();
    assert_eq!(stuck.way[0].on.name, "apps");
    let [one, other] = stuck.r#loop.as_slice() else { panic!("{:?}", stuck.r#loop) };
    assert_eq!((&one.on, &other.on), (&other.waits, &one.waits));
    let done = repository.run(&["why", "web"]);
    assert!(done.code == 0 && done.out.contains("in a loop"), "{}", done.out);
    assert!(repository.run(&["impact", "web"]).out.contains("that never happens"));
}

#[test]
fn errors_in_the_way_are_told_with_the_times() {
    let repository = chain(&["prod"]);
    repository.write("clusters/prod/infra.yaml", node("infra", "  dependsOn: [{name: nothing}]\n"));
    let [why] = repository.ask(|session| session.why("apps")).unwrap().clusters;
    assert_eq!(why.obstacles[0].cause, "missing-dependency");
    assert_eq!(why.obstacles[0].location.as_ref().unwrap().path, "clusters/prod/infra.yaml");
    let text = repository.run(&["why", "apps"]).out;
    assert!(text.contains("Kustomization/flux-system/infra depends on"), "{text}");
}

#[test]
fn impact_of_a_node_counts_and_names() {
    let repository = chain(&["prod"]);
    let [impact] = &impact(&repository, "infra").clusters[..] else { panic!("one cluster") };
    assert_eq!(impact.counts.reconciles, 3);
    assert_eq!(named(&impact.waits_each_commit), ["apps"]);
    assert_eq!(named(&impact.starts_after), ["apps"]);
    assert_eq!(named(&impact.ready_after), [] as [&str; 0]);
    let done = repository.run(&["impact", "infra"]);
    assert!(done.out.contains("1 held back in a cold start, until it is Ready"), "{}", done.out);
    assert!(repository.run(&["impact", "apps"]).out.contains("Nothing waits for it"));
}

#[test]
fn another_source_does_not_wait_at_each_commit() {
    let repository = chain(&["prod"]);
    let apps = node("apps", "  dependsOn: [{name: infra}]\n")
        .replace("GitRepository, name: flux-system", "GitRepository, name: other");
    repository.write("clusters/prod/apps.yaml", &apps);
    let impact = &impact(&repository, "infra").clusters[0];
    assert_eq!((impact.counts.reconciles, impact.counts.waits_each_commit), (2, 0));
    assert_eq!(named(&impact.starts_after), ["apps"]);
}

#[test]
fn impact_of_a_file_finds_the_builds_that_use_it() {
    let repository = chain(&["prod"]);
    let built = |file: &str| -> Vec<String> {
        let built = &impact(&repository, file).clusters[0].built;
        built.iter().map(|built| built.node.name.clone()).collect()
    };
    // An object, a patch, and kustomization files that no object shows.
    for file in ["base/web.yaml", "apps/patch.yaml", "base/kustomization.yaml", "./apps/kustomization.yaml", "./base"] {
        assert_eq!(built(file), ["apps"], "{file}");
    }
    assert_eq!(built("infra/settings.yaml"), ["infra"]);
    // What defines a Kustomization is built by another.
    assert_eq!(built("clusters/prod/infra.yaml"), ["flux-system", "infra"]);
    let done = repository.run(&["impact", "docs/README.md"]);
    assert_eq!(done.code, 0);
    assert!(done.out.starts_with("No Kustomization is built from docs/README.md"), "{}", done.out);
}

#[test]
fn files_are_found_from_the_working_directory_and_from_the_root() {
    let repository = chain(&["prod"]);
    for file in ["web.yaml", "base/web.yaml"] {
        let done = repository.run_in("base", &["impact", file]);
        assert!(
            done.code == 0 && done.out.contains("base/web.yaml in cluster clusters/prod"),
            "{}{}",
            done.out,
            done.err
        );
    }
    let done = repository.run(&["impact", "base/wev.yaml"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(
        done.err.contains("no file `base/wev.yaml`") && done.err.contains("did you mean `base/web.yaml`?"),
        "{}",
        done.err
    );
    let outside = tempfile::tempdir().unwrap();
    let done = repository.run(&["impact", outside.path().to_str().unwrap()]);
    assert!(done.code == 2 && done.err.contains("no Flux Kustomization"), "{}", done.err);
    let done = repository.run(&["impact", outside.path().to_str().unwrap(), "--", "."]);
    assert!(done.code == 2 && done.err.contains("outside the repository"), "{}", done.err);
}

#[test]
fn a_typo_is_answered_with_the_likely_name() {
    let repository = chain(&["prod"]);
    for arguments in [&["why", "appz"][..], &["why", "infra", "appz"], &["impact", "appz"]] {
        let done = repository.run(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains("did you mean `Kustomization/flux-system/apps`?"), "{}", done.err);
    }
    assert!(repository.run(&["why", "a/b/c/d"]).err.contains("`a/b/c/d` is no name of an object"));
    assert!(repository.run(&["why", "apps", "ks/apps"]).err.contains("are the same object"));
    let done = repository.run(&["why", "ConfigMap/web"]);
    assert!(done.code == 2 && done.err.contains("`Kustomization/flux-system/apps`"), "{}", done.err);
}

#[test]
fn several_clusters_are_told_apart() {
    let repository = chain(&["prod", "staging"]);
    let done = repository.run(&["why", "apps"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("names 2 objects") && done.err.contains("--cluster clusters/staging"), "{}", done.err);
    assert_eq!(repository.run(&["why", "apps", "--cluster", "staging"]).code, 0);
    let impact = impact(&repository, "base/web.yaml");
    let roots: Vec<_> = impact.clusters.iter().map(|cluster| cluster.cluster.as_str()).collect();
    assert_eq!(roots, ["clusters/prod", "clusters/staging"]);
    repository.remove("clusters/staging/infra.yaml");
    repository.write("clusters/staging/extra.yaml", node("extra", "").replace("./extra", "./base"));
    let why = repository.ask(|session| session.why_on("apps", "infra")).unwrap();
    assert_eq!(why.clusters[0].cluster, "clusters/prod");
    let done = repository.run(&["why", "infra", "extra"]);
    assert!(done.code == 2 && done.err.contains("no cluster has both"), "{}", done.err);
}

#[test]
fn one_name_in_two_namespaces_is_to_be_told_apart() {
    let repository = chain(&["prod"]);
    let other = node("apps", "").replace("name: apps, namespace: flux-system", "name: apps, namespace: team");
    repository.write("clusters/prod/team.yaml", &other);
    let done = repository.run(&["impact", "apps"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("Kustomization/team/apps --cluster clusters/prod"), "{}", done.err);
    assert_eq!(repository.run(&["impact", "flux-system/apps"]).code, 0);
}

#[test]
fn an_empty_folder_is_exit_code_2_and_broken_yaml_is_none() {
    let empty = Repository::empty();
    for arguments in [["why", "apps"], ["impact", "apps"]] {
        let done = empty.run(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""));
        assert!(done.err.contains("no Flux Kustomization") && done.err.contains("-C"), "{}", done.err);
    }
    let repository = chain(&["prod"]);
    repository.write("infra/broken.yaml", "a: [\n");
    let [why] = repository.ask(|session| session.why("apps")).unwrap().clusters;
    assert_eq!(why.obstacles[0].cause, "failed-build");
    assert!(impact(&repository, "infra/broken.yaml").clusters[0].built[0].reads);
}

#[test]
fn a_folder_is_told_in_a_headline() {
    let repository = chain(&["prod"]);
    for number in 0..20 {
        repository.write(&format!("base/map-{number}.yaml"), config_map(&format!("map-{number}")));
    }
    let out = repository.run(&["impact", "base"]).out;
    let head = out.lines().next().unwrap();
    assert!(head.contains(" more in cluster clusters/prod") && head.matches(".yaml").count() == 5, "{head}");
    assert!(impact(&repository, "base").files.len() >= 20);
}
