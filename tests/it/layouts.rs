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
    ]);
    assert_eq!(found(&done), ["missing-path kubernetes/clusters/prod/gone.yaml"]);
    says(&done, &["1 Kustomization takes its manifests from sources that are not here (OCIRepository/flux-system/podinfo: 1)"]);
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
    says(&done, &["no problems found in what was looked at", "sources that are not here (GitRepository/flux-system/next: 1)"]);
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
    says(&done, &["what was looked at: 2 clusters, 4 nodes", "1 Kustomization in 1 file is reached by no entry point (clusters/zero/: 1)"]);
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
