//! Ten ways to lay out a repository: what a default run reports of each, and what the summary says was not looked at.

use crate::support::{Done, Repository, SYNC, SYNC_FILE, config_map, sync};

/// A Kustomization in `flux-system` that is fed from the source of that name.
fn node(name: &str, path: &str, more: &str) -> String {
    of(name, path, "{kind: GitRepository, name: flux-system}", more)
}

/// A Kustomization in `flux-system` with this source.
fn of(name: &str, path: &str, source: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1h, retryInterval: 2m, timeout: 5m, path: {path}, prune: true, sourceRef: {source}{more}}}\n"
    )
}

fn source(kind: &str, name: &str, url: &str, reference: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1m, url: '{url}', ref: {reference}}}\n---\n"
    )
}

/// A dependency on what nothing defines: it shows that the Kustomization was looked at.
const NOBODY: &str = ", dependsOn: [{name: nobody}]";

/// What is no manifest: where it is built, that is an error.
const NO_MANIFEST: &str = "notes: this is no manifest\n";

fn lint(files: &[(&str, String)]) -> Done {
    Repository::new(files).lint(&[])
}

/// Rule and file of what is reported.
fn found(done: &Done) -> Vec<String> {
    let parts = |line: &str| {
        let (file, rest) = line.split_once(':')?;
        let rule = rest.split_once('[')?.1.split_once(']')?.0;
        Some(format!("{rule} {file}"))
    };
    done.out.lines().filter_map(parts).collect()
}

#[track_caller]
fn says(done: &Done, parts: &[&str]) {
    for part in parts {
        assert!(done.err.contains(part), "`{part}` is not in {}", done.err);
    }
}

#[track_caller]
fn says_nothing_of(done: &Done, parts: &[&str]) {
    for part in parts {
        assert!(!done.err.contains(part), "`{part}` is in {}", done.err);
    }
}

/// Paths count from the top, whatever else is there: sources, charts whose templates look like manifests, notes.
#[test]
fn a_monorepo_with_clusters_and_apps_below_a_folder() {
    let done = lint(&[
        ("deploy/clusters/prod/flux-system/gotk-sync.yaml", SYNC.replace("clusters/prod", "deploy/clusters/prod")),
        ("deploy/clusters/prod/apps.yaml", node("apps", "./deploy/apps", NOBODY)),
        ("deploy/apps/web.yaml", config_map("web")),
        ("services/web/chart/templates/ks.yaml", node("'{{ .Release.Name }}'", "./x", "")),
        ("services/web/package.yaml", NO_MANIFEST.to_owned()),
    ]);
    assert_eq!(found(&done), ["dangling-dependency deploy/clusters/prod/apps.yaml"]);
    says(&done, &["found 1 error in 1 cluster, 2 nodes", "(services/: 1)", "Flux 2.9 is assumed"]);
}

/// The artifact is the folder that the workflow pushes, so paths count from there; another artifact is not this repository.
#[test]
fn flux_operator_with_an_artifact_that_a_workflow_pushes() {
    let instance = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                    spec:\n  distribution: {version: 2.8.x, registry: ghcr.io/fluxcd}\n\
                    \u{20} sync: {kind: OCIRepository, url: 'oci://ghcr.io/me/fleet', ref: latest, path: clusters/prod}\n";
    let own = "{kind: OCIRepository, name: flux-system}";
    let push = "run: flux push artifact oci://ghcr.io/${{ github.repository }}:latest --path=./kubernetes\n";
    let other = source("OCIRepository", "podinfo", "oci://ghcr.io/somebody/manifests", "{tag: v1}");
    let done = lint(&[
        (".github/workflows/push.yaml", push.to_owned()),
        ("kubernetes/clusters/prod/instance.yaml", instance.to_owned()),
        ("kubernetes/clusters/prod/apps.yaml", of("apps", "apps", own, "")),
        ("kubernetes/clusters/prod/gone.yaml", of("gone", "apps/gone", own, "")),
        ("kubernetes/apps/web.yaml", config_map("web")),
        (
            "kubernetes/clusters/prod/other.yaml",
            other + &of("podinfo", "./", "{kind: OCIRepository, name: podinfo}", ""),
        ),
        ("notes.yaml", NO_MANIFEST.to_owned()),
        ("labs/one/ks.yaml", of("one", "elsewhere/one", own, "")),
        ("labs/two/ks.yaml", of("two", "elsewhere/two", own, "")),
    ]);
    assert_eq!(found(&done), ["missing-path clusters/prod/gone.yaml"]);
    says(
        &done,
        &["1 Kustomization takes its manifests from sources that are not here (OCIRepository/flux-system/podinfo: 1)"],
    );
    says_nothing_of(&done, &["is assumed", "reached by no entry point"]);
}

/// The same URL at another branch holds other files than those in sight.
#[test]
fn a_branch_for_each_environment() {
    let next = source("GitRepository", "next", "ssh://git@example.com/x", "{branch: staging}");
    let done = lint(&[
        (SYNC_FILE, SYNC.replace("x.git'", "x.git', ref: {branch: prod}")),
        ("clusters/prod/apps.yaml", node("apps", "./apps", "")),
        (
            "clusters/prod/preview.yaml",
            next + &of("preview", "./not-in-this-branch", "{kind: GitRepository, name: next}", ""),
        ),
        ("apps/web.yaml", config_map("web")),
    ]);
    assert_eq!(found(&done), Vec::<String>::new());
    says(
        &done,
        &["no problems found in what was looked at", "sources that are not here (GitRepository/flux-system/next: 1)"],
    );
}

/// A folder here of the name that a tenant's path has is not the tenant's. What a tenant's namespace has nobody here knows.
#[test]
fn tenants_in_repositories_of_their_own() {
    let tenant = source("GitRepository", "team", "https://example.com/team/deploy", "{branch: main}");
    let node_of_team = of("team", "./deploy", "{kind: GitRepository, name: team}", "");
    let waits = node("portal", "./portal", ", dependsOn: [{name: shop, namespace: team}]");
    let done = lint(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/team.yaml", tenant + &node_of_team),
        ("clusters/prod/portal.yaml", waits),
        ("portal/web.yaml", config_map("web")),
        ("deploy/notes.yaml", NO_MANIFEST.to_owned()),
    ]);
    assert_eq!(found(&done), ["dangling-dependency clusters/prod/portal.yaml"]);
    assert!(done.out.contains("warning[dangling-dependency]"), "{}", done.out);
    says(&done, &["found 1 warning in 1 cluster", "(GitRepository/flux-system/team: 1)"]);
}

/// What a script copies to make a cluster is none, whatever it is called; those that it made are.
#[test]
fn clusters_that_a_script_generates() {
    let mut files = vec![
        ("hack/new-cluster.sh".to_owned(), "cp -r clusters/zero \"clusters/$1\"\n".to_owned()),
        ("clusters/zero/apps.yaml".to_owned(), node("apps", "./apps/NAME", "")),
    ];
    for cluster in ["eu", "us"] {
        files.push(sync(cluster));
        files.push((format!("clusters/{cluster}/apps.yaml"), node("apps", &format!("./apps/{cluster}"), "")));
        files.push((format!("apps/{cluster}/web.yaml"), config_map("web")));
    }
    let done = Repository::new(&files).lint(&[]);
    assert_eq!(found(&done), Vec::<String>::new());
    says(
        &done,
        &[
            "what was looked at: 2 clusters, 4 nodes",
            "1 Kustomization in 1 file is reached by no entry point (clusters/zero/: 1)",
        ],
    );
}

/// k3s applies the files in its folder, so they are an entry point though no build holds them.
#[test]
fn manifests_that_k3s_applies() {
    let own = source("GitRepository", "flux-system", "https://example.com/me/lab", "{branch: main}");
    let done = lint(&[
        ("k3s/server/manifests/flux.yaml", own + &node("cluster", "./cluster", "")),
        ("cluster/apps.yaml", node("apps", "./apps", NOBODY)),
        ("apps/web.yaml", config_map("web")),
    ]);
    assert_eq!(found(&done), ["dangling-dependency cluster/apps.yaml"]);
    says(&done, &["found 1 error in 1 cluster, 2 nodes"]);
}

/// Terraform makes source and root Kustomization, so no file has them: the folder of the cluster stands for them.
#[test]
fn a_cluster_that_terraform_bootstraps() {
    let done = lint(&[
        ("terraform/main.tf", "resource \"helm_release\" \"flux\" { chart = \"flux-instance\" }\n".to_owned()),
        ("clusters/prod/infra.yaml", node("infra", "./infra", "")),
        ("clusters/prod/apps.yaml", node("apps", "./apps", ", dependsOn: [{name: infra}, {name: nobody}]")),
        ("infra/settings.yaml", config_map("settings")),
        ("apps/web.yaml", config_map("web")),
    ]);
    assert_eq!(found(&done), ["dangling-dependency clusters/prod/apps.yaml"]);
    says(&done, &["found 1 error in 1 cluster, 2 nodes"]);
    says_nothing_of(&done, &["not looked at"]);
}

/// The root Kustomization holds its own file, however deep. What lies beside it for the build is not for the cluster.
#[test]
fn flux_bootstrap_into_a_subfolder() {
    let done = lint(&[
        ("ops/k8s/flux/prod/flux-system/gotk-sync.yaml", SYNC.replace("clusters/prod", "ops/k8s/flux/prod")),
        ("ops/k8s/flux/prod/apps.yaml", node("apps", "./ops/k8s/apps", NOBODY)),
        ("ops/k8s/apps/web.yaml", config_map("web")),
        ("ops/k8s/archive/old.yaml", node("old", "./ops/k8s/gone", "")),
        ("src/config.yaml", NO_MANIFEST.to_owned()),
    ]);
    assert_eq!(found(&done), ["dangling-dependency ops/k8s/flux/prod/apps.yaml"]);
    says(&done, &["found 1 error in 1 cluster, 2 nodes", "(ops/k8s/archive/: 1)"]);
}

/// What is applied to a workload cluster is none of the management cluster's, and equal names in two of them do not clash.
#[test]
fn a_fleet_of_cluster_api() {
    let remote = |name: &str| {
        let to = format!(", kubeConfig: {{secretRef: {{name: {name}-kubeconfig}}}}");
        node(name, &format!("./workload/{name}"), &to)
    };
    let done = lint(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/east.yaml", remote("east")),
        ("clusters/prod/west.yaml", remote("west")),
        ("workload/east/apps.yaml", node("apps", "./apps", "")),
        ("workload/west/apps.yaml", node("apps", "./apps", "")),
        ("apps/web.yaml", config_map("web")),
    ]);
    assert_eq!(found(&done), Vec::<String>::new());
    says(&done, &["no problems found in 1 cluster, 3 nodes"]);
    says_nothing_of(&done, &["reached by no entry point"]);
}

/// Bases are for the clusters of others: none is here, and what their paths mean is not known.
#[test]
fn a_library_of_bases() {
    let done = lint(&[
        ("bases/catalog/ks.yaml", of("catalog", "./charts", "{kind: GitRepository, name: catalog}", NOBODY)),
        ("bases/all/ks.yaml", of("all", "./", "{kind: GitRepository, name: fleet}", "")),
        ("bases/web/web.yaml", config_map("web")),
        ("notes.yaml", NO_MANIFEST.to_owned()),
    ]);
    assert_eq!(found(&done), Vec::<String>::new());
    says(&done, &["no entry point reaches what there is of Flux: 2 Kustomizations"]);
    says_nothing_of(&done, &["in 1 cluster"]);
}

/// Most of what is there lies outside the cluster: that is what a reader has to know first, with the flags that help.
#[test]
fn a_repository_of_which_little_is_reached_says_so_first() {
    let repository = Repository::new(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("library/a/ks.yaml", node("a", "./library/a/app", "")),
        ("library/b/ks.yaml", node("b", "./library/b/app", "")),
        ("clusters/prod/web.yaml", config_map("web")),
    ]);
    let done = repository.lint(&[]);
    let lines: Vec<&str> = done.err.lines().collect();
    assert!(
        lines[0].starts_with("less than half was looked at in a cluster: 2 of 3 Kustomizations in 2 files"),
        "{lines:?}"
    );
    assert!(
        lines[0].contains("(library/: 2)") && lines[0].contains("--root") && lines[0].contains("[sources]"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("no problems found in what was looked at: 1 cluster, 1 node"), "{lines:?}");
    // One that was asked about alone is all that there is.
    says_nothing_of(&repository.lint(&["--cluster", "prod"]), &["reached by no entry point"]);
    says_nothing_of(&repository.lint(&["clusters/prod"]), &["reached by no entry point"]);
}

#[test]
fn every_format_says_what_was_not_looked_at() {
    let repository = Repository::new(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/apps.yaml", node("apps", "./apps", "")),
        ("apps/web.yaml", config_map("web")),
        ("archive/old.yaml", node("old", "./old", "")),
    ]);
    let unreached = "1 Kustomization in 1 file is reached by no entry point (archive/: 1)";
    let json = repository.json(&["lint"]);
    let notes: Vec<&str> = json["not_looked_at"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].ends_with(unreached) && notes[1].starts_with("Flux 2.9 is assumed"), "{notes:?}");
    let sarif = repository.run(&["lint", "-o", "sarif"]);
    let told = &sarif.json()["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert_eq!((told[0]["level"].as_str(), told[0]["message"]["text"].as_str()), (Some("note"), Some(notes[0])));
    for format in ["full", "markdown"] {
        let done = repository.run(&["lint", "-o", format]);
        assert!(done.out.contains("reached by no entry point") && done.err.is_empty(), "{format}: {}", done.out);
    }
    for format in ["concise", "github", "gitlab", "junit", "checkstyle", "rdjson"] {
        let done = repository.run(&["lint", "-o", format]);
        assert!(done.err.contains(unreached) && !done.out.contains(unreached), "{format}: {}", done.err);
        assert_eq!(repository.run(&["lint", "-q", "-o", format]).err, "", "{format}");
    }
}

/// An entry point whose folder is empty is a mistake of the repository, or of the root that was found.
#[test]
fn a_cluster_without_anything_is_a_warning() {
    let values = "instance:\n  sync: {kind: GitRepository, url: 'https://example.com/x', path: clusters/none}\n";
    let done = lint(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("flux/values.yaml", values.to_owned()),
        ("clusters/none/settings.yaml", config_map("settings")),
    ]);
    says(&done, &["warning: cluster clusters/none has no Kustomization and no HelmRelease", "in what was looked at"]);
}

/// The release is assumed of the clusters whose files do not tell it, and the configuration says another one.
#[test]
fn the_assumed_release_is_named_with_the_reason() {
    let files = |more: &str| [(SYNC_FILE, SYNC.to_owned()), ("fluxdag.toml", more.to_owned())];
    says(
        &lint(&files("")),
        &["Flux 2.9 is assumed, the newest release that fluxdag knows: no file tells what cluster clusters/prod runs"],
    );
    says(&lint(&files("flux-version = \"2.7\"\n")), &["Flux 2.7 is assumed, as `flux-version` says"]);
}

/// Where an entry point leads to less, what is left as it was beside it is not counted a second time.
#[test]
fn roots_that_an_operator_has_taken_over_are_no_cluster_of_their_own() {
    let instance = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                    spec: {distribution: {version: 2.8.x}, sync: {kind: GitRepository, url: 'https://example.com/x', path: flux}}\n";
    let done = lint(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/kustomization.yaml", "resources: [flux-system/gotk-sync.yaml, ../../all]\n".to_owned()),
        ("flux/instance.yaml", instance.to_owned()),
        ("flux/kustomization.yaml", "resources: [instance.yaml, ../all]\n".to_owned()),
        ("all/kustomization.yaml", "resources: [apps.yaml]\n".to_owned()),
        ("all/apps.yaml", node("apps", "./apps", "")),
        ("apps/web.yaml", config_map("web")),
    ]);
    says(&done, &["1 cluster, 2 nodes"]);
}

/// Tops of one folder are one cluster whatever feeds them, so what one of them defines is there for the others.
#[test]
fn one_folder_is_one_cluster_whatever_its_sources() {
    let own = source("GitRepository", "fleet", "https://example.com/me/fleet", "{branch: main}");
    let other = source("GitRepository", "copy", "https://example.com/me/fleet.git", "{branch: main}");
    let copy = "{kind: GitRepository, name: copy}";
    let fleet = "{kind: GitRepository, name: fleet}";
    let done = lint(&[
        ("clusters/prod/infra.yaml", own + &of("infra", "./infra", fleet, "")),
        ("clusters/prod/apps.yaml", other + &of("apps", "./apps", copy, ", dependsOn: [{name: infra}]")),
        ("infra/settings.yaml", config_map("settings")),
        ("apps/web.yaml", config_map("web")),
    ]);
    assert_eq!(found(&done), Vec::<String>::new());
    says(&done, &["no problems found in 1 cluster, 2 nodes"]);
}

/// The URL that the clone was fetched from says that a source is this repository, so its root is built; without it, nothing does.
#[test]
fn a_git_remote_tells_what_the_repository_is() {
    let own = source("GitRepository", "fleet", "https://example.com/Me/fleet.git", "{branch: main}");
    let files = [
        ("clusters/prod/all.yaml", own + &of("all", "./", "{kind: GitRepository, name: fleet}", "")),
        ("notes/notes.yaml", NO_MANIFEST.to_owned()),
    ];
    let repository = Repository::new(&files).under_git();
    assert_eq!(found(&repository.lint(&[])), Vec::<String>::new());
    repository.git(&["remote", "add", "origin", "ssh://git@example.com:2222/me/fleet"]);
    assert_eq!(found(&repository.lint(&[])), ["build-failure notes/notes.yaml"]);
}

/// During a migration one repository defines what another one depends on: one warning for all, and nothing is held up.
#[test]
fn a_migration_leaves_names_to_the_other_repository() {
    let waits =
        |name: &str, on: &str| node(name, "./apps", &format!(", dependsOn: [{{name: {on}, namespace: legacy}}]"));
    let keeps = node("kept", "./apps", "").replace("prune: true", "deletionPolicy: Orphan, prune: true");
    let files = [
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/a.yaml", waits("a", "db")),
        ("clusters/prod/b.yaml", waits("b", "queue")),
        ("apps/kustomization.yaml", "resources: []\n".to_owned()),
    ];
    let alone = lint(&files);
    assert_eq!(alone.out.matches("error[dangling-dependency]").count(), 2, "{}", alone.out);
    let moving = lint(&[&files[..], &[("clusters/prod/kept.yaml", keeps)]].concat());
    assert_eq!(moving.out.matches("[dangling-dependency]").count(), 1, "{}", moving.out);
    assert!(moving.out.contains("warning[dangling-dependency]"), "{}", moving.out);
}

/// The cause of all that is there twice is the path of the entry point, so neither environment is to be renamed.
#[test]
fn a_root_path_over_two_environments_is_reported_at_the_path() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: web}\n\
                   spec: {interval: 1h, chartRef: {kind: OCIRepository, name: web}}\n---\n\
                   apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: web, namespace: web}\n\
                   spec: {interval: 1h, url: 'oci://example.com/web'}\n---\n\
                   apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n";
    let overlay = "resources: [../base]\n".to_owned();
    let files = |list: &[(&'static str, String)]| {
        let mut all = vec![
            ("flux-system/gotk-sync.yaml", SYNC.replace("./clusters/prod", "./")),
            ("apps/base/release.yaml", release.to_owned()),
            ("apps/base/kustomization.yaml", "resources: [release.yaml]\n".to_owned()),
            ("apps/staging/kustomization.yaml", overlay.clone()),
            ("apps/live/kustomization.yaml", overlay.clone()),
        ];
        all.extend_from_slice(list);
        all
    };
    let done = lint(&files(&[]));
    assert_eq!(found(&done), ["build-failure flux-system/gotk-sync.yaml"]);
    assert!(done.out.contains("its path `./` takes in the whole repository"), "{}", done.out);
    let apps = |of: &str| node("apps", &format!("./apps/{of}"), "");
    let clusters = [("clusters/live/apps.yaml", apps("live")), ("clusters/staging/apps.yaml", apps("staging"))];
    assert_eq!(found(&lint(&files(&clusters))), ["build-failure flux-system/gotk-sync.yaml"]);
    // What a kustomization file lists is meant to be there.
    let listed =
        lint(&files(&[("kustomization.yaml", "resources: [flux-system/gotk-sync.yaml, apps/live]\n".to_owned())]));
    assert_eq!(found(&listed), Vec::<String>::new());
}
