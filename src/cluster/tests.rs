//! Small repositories, and what becomes of them.

use super::*;
use crate::{source::Tree, yaml::Store};

const INSTANCE: &str = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\n\
                        spec:\n  distribution: {version: VERSION}\n  sync: {kind: GitRepository, url: https://example.org/x, path: cluster}\n";

/// The one cluster of a repository with these files, under that release of Flux. Each file under `cluster/` is applied by
/// the entry point.
fn cluster(version: &str, files: &[(&str, &str)]) -> Cluster {
    let instance = ("cluster/instance.yaml", INSTANCE.replace("VERSION", version));
    let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).chain([instance]);
    let tree = Tree::from_memory(files.map(|(path, text)| (path.to_owned(), text.into_bytes())));
    let store = Store::new(tree);
    let mut clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    assert_eq!(clusters.iter().filter(|cluster| cluster.reached).count(), 1);
    clusters.remove(0)
}

/// A Kustomization of this repository that builds the folder of its name, with `spec` besides.
fn kustomization(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  prune: true\n  path: {name}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{spec}"
    )
}

fn node<'c>(cluster: &'c Cluster, name: &str) -> &'c Node {
    cluster.node(cluster.find(&NodeKey::new("flux-system", name)).expect("a node of that name"))
}

/// Keys of the objects a node applies, and a field of the first.
fn applied(node: &Node) -> Vec<String> {
    node.applied.build.objects.iter().map(|object| object.id().to_string()).collect()
}

fn data<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.applied.build.objects.first()?.node.find_str(&["data", key])
}

fn config_map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: flux-system}}\ndata: {{{data}}}\n")
}

#[test]
fn each_level_of_kustomizations_halves_the_dollars() {
    let inner = kustomization("inner", "  postBuild: {substitute: {A: '1', KEPT: '$${A}'}}\n");
    let outer = kustomization("outer", "  postBuild: {substitute: {A: outer}}\n");
    let files = [
        ("cluster/ks.yaml", outer.as_str()),
        ("outer/ks.yaml", &inner),
        ("inner/a.yaml", &config_map("a", "a: '$${A}', b: '${KEPT}'")),
    ];
    let cluster = cluster("2.9.0", &files);
    let inner = node(&cluster, "inner");
    let post_build = inner.kustomization.spec.post_build.as_ref().expect("as written");
    assert_eq!(post_build.substitute["KEPT"], "${A}");
    assert_eq!((data(inner, "a"), data(inner, "b")), (Some("${A}"), Some("${A}")));
}

#[test]
fn variables_may_come_from_what_variables_made() {
    let files = [
        ("cluster/first.yaml", kustomization("first", "  postBuild: {substitute: {STAGE: prod}}\n")),
        ("first/vars.yaml", config_map("vars", "DOMAIN: '${STAGE}.example.org'")),
        (
            "cluster/second.yaml",
            kustomization("second", "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"),
        ),
        ("second/a.yaml", config_map("a", "host: 'x.${DOMAIN}'")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(data(node(&cluster("2.9.0", &files), "second"), "host"), Some("x.prod.example.org"));
}

#[test]
fn a_generated_config_map_has_another_name_and_an_optional_one_may_exist_all_the_same() {
    let spec =
        |from: &str| format!("  postBuild: {{substituteFrom: [{{kind: ConfigMap, name: {from}, optional: true}}]}}\n");
    let (hashed, plain) = (kustomization("hashed", &spec("vars")), kustomization("plain", &spec("fixed")));
    let files = [
        ("cluster/a.yaml", hashed.as_str()),
        ("cluster/b.yaml", &plain),
        ("cluster/c.yaml", &kustomization("generate", "")),
        (
            "generate/kustomization.yaml",
            "namespace: flux-system\nconfigMapGenerator:\n- {name: vars, literals: [A=1]}\n- {name: fixed, literals: [A=x], options: {disableNameSuffixHash: true}}\n",
        ),
        ("hashed/a.yaml", &config_map("a", "v: '${A}'")),
        ("plain/a.yaml", &config_map("b", "v: '${A}'")),
    ];
    let cluster = cluster("2.9.0", &files);
    assert_eq!((data(node(&cluster, "hashed"), "v"), node(&cluster, "hashed").unresolved.len()), (Some("${A}"), 1));
    assert_eq!((data(node(&cluster, "plain"), "v"), node(&cluster, "plain").unresolved.len()), (Some("x"), 0));
}

#[test]
fn secrets_give_what_is_not_encrypted() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\n\
                  data: {A: aGVsbG8=, B: b2xk}\nstringData: {B: new, C: 'ENC[AES256_GCM,data:x]'}\n";
    let files = [
        ("cluster/vars.yaml", secret),
        ("cluster/ks.yaml", &kustomization("app", "  postBuild: {substituteFrom: [{kind: Secret, name: vars}]}\n")),
        ("app/a.yaml", &config_map("a", "a: '${A}', b: '${B}', c: '${C}'")),
    ];
    let cluster = cluster("2.9.0", &files);
    let app = node(&cluster, "app");
    assert_eq!((data(app, "a"), data(app, "b"), data(app, "c")), (Some("hello"), Some("new"), Some("${C}")));
    assert!(app.applied.build.errors.is_empty() && app.unresolved[0].why.contains("encrypted"));
}

#[test]
fn files_that_sops_encrypted_are_generated_from_without_their_values() {
    let generator = "namespace: flux-system\ngeneratorOptions: {disableNameSuffixHash: true}\nsecretGenerator:\n- {name: vars, envs: [vars.env], files: [CA=ca.json]}\n";
    let files = [
        ("cluster/vars.yaml", kustomization("vars", "  decryption: {provider: sops}\n")),
        ("vars/kustomization.yaml", generator.to_owned()),
        ("vars/vars.env", "A=ENC[AES256_GCM,data:abc,type:str]\nB=open\nsops_version=3.9.0\n".to_owned()),
        ("vars/ca.json", "{\"data\": \"ENC[AES256_GCM,data:abc]\", \"sops\": {}}".to_owned()),
        ("cluster/ks.yaml", kustomization("app", "  postBuild: {substituteFrom: [{kind: Secret, name: vars}]}\n")),
        ("app/a.yaml", config_map("a", "a: '${A}', b: '${B}', ca: '${CA}'")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let cluster = cluster("2.9.0", &files);
    let app = node(&cluster, "app");
    assert!(node(&cluster, "vars").applied.build.errors.is_empty());
    assert_eq!((data(app, "a"), data(app, "b"), data(app, "ca")), (Some("${A}"), Some("open"), Some("${CA}")));
}

#[test]
fn what_is_unset_depends_on_the_release_and_so_does_the_strategy() {
    let always = kustomization("always", "  postBuild: {substituteStrategy: Always}\n");
    let files = [
        ("cluster/a.yaml", kustomization("strict", "  postBuild: {substitute: {A: '1'}}\n")),
        ("strict/a.yaml", config_map("a", "v: 'x${B}'")),
        ("cluster/b.yaml", always),
        ("always/a.yaml", config_map("b", "v: '${B:=b}'")),
        ("cluster/c.yaml", kustomization("empty", "  postBuild: {}\n")),
        ("empty/a.yaml", config_map("c", "v: '$${B:=b}'")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let (new, old) = (cluster("2.9.0", &files), cluster("2.8.0", &files));
    assert_eq!((node(&new, "strict").applied.unset_variables.len(), data(node(&old, "strict"), "v")), (1, Some("x")));
    assert_eq!((data(node(&new, "always"), "v"), data(node(&old, "always"), "v")), (Some("b"), Some("${B:=b}")));
    assert_eq!(data(node(&new, "empty"), "v"), Some("$${B:=b}"));
}

#[test]
fn target_namespaces_move_flux_objects_and_common_metadata_comes_last() {
    let spec =
        "  targetNamespace: team\n  commonMetadata: {labels: {stage: '${A}'}}\n  postBuild: {substitute: {A: x}}\n";
    let labelled = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {stage: '${A}'}}\n";
    let files = [
        ("cluster/a.yaml", kustomization("parent", spec)),
        ("parent/a.yaml", labelled.to_owned()),
        ("parent/child.yaml", kustomization("child", "")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let cluster = cluster("2.9.0", &files);
    let parent = node(&cluster, "parent");
    assert_eq!(applied(parent), ["ConfigMap/team/a", "Kustomization/team/child"]);
    let stage = parent.applied.build.objects[0].node.find_str(&["metadata", "labels", "stage"]);
    assert_eq!(stage, Some("${A}"));
    assert!(cluster.find(&NodeKey::new("team", "child")).is_some());
}

#[test]
fn what_flux_does_not_build_is_located() {
    let files = [
        ("cluster/a.yaml", kustomization("generated", "")),
        ("generated/part/kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n".to_owned()),
        ("cluster/b.yaml", kustomization("twofold", "")),
        ("twofold/kustomization.yaml", String::new()),
        ("twofold/kustomization.yml", String::new()),
        ("cluster/c.yaml", kustomization("remote", "  components: ['https://example.org/c', /c, ../gone]\n")),
        ("remote/kustomization.yaml", "resources: []\n".to_owned()),
        ("cluster/d.yaml", kustomization("tolerant", "  components: [../gone]\n  ignoreMissingComponents: true\n")),
        ("tolerant/kustomization.yaml", "resources: []\n".to_owned()),
        ("cluster/e.yaml", kustomization("local", "")),
        (
            "local/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: 'true'}}\n".to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let cluster = cluster("2.9.0", &files);
    let errors = |name: &str| node(&cluster, name).applied.build.errors.clone();
    assert!(errors("generated")[0].message.contains("Component"), "{:?}", errors("generated"));
    assert!(errors("twofold").iter().any(|error| error.message.contains("more than one kustomization file")));
    assert_eq!(errors("remote").len(), 3, "{:?}", errors("remote"));
    assert!(errors("remote").iter().all(|error| error.span.is_some()));
    assert!(errors("tolerant").is_empty() && applied(node(&cluster, "local")).is_empty());
}

#[test]
fn resource_sets_give_nodes_releases_and_sources_with_their_owner() {
    let set = "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: teams, namespace: flux-system}\nspec:\n  \
               inputs: [{team: blue}]\n  resources:\n  - apiVersion: kustomize.toolkit.fluxcd.io/v1\n    kind: Kustomization\n    \
               metadata: {name: << inputs.team >>, namespace: flux-system}\n    \
               spec: {path: ./teams/<< inputs.team >>, sourceRef: {kind: GitRepository, name: flux-system}, \
               postBuild: {substituteFrom: [{kind: ConfigMap, name: copy}]}}\n  \
               - apiVersion: helm.toolkit.fluxcd.io/v2\n    kind: HelmRelease\n    metadata: {name: << inputs.team >>, namespace: flux-system}\n  \
               - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: copy, namespace: flux-system, annotations: {fluxcd.controlplane.io/copyFrom: flux-system/vars}}\n";
    let files = [
        ("cluster/a.yaml", kustomization("sets", "  wait: true\n")),
        ("sets/set.yaml", set.to_owned()),
        ("cluster/vars.yaml", config_map("vars", "TEAM: b")),
        ("teams/blue/a.yaml", config_map("a", "v: '${TEAM}'")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let cluster = cluster("2.9.0", &files);
    let blue = node(&cluster, "blue");
    assert_eq!((blue.folder.clone(), data(blue, "v")), (Folder::Here("teams/blue".to_owned()), Some("b")));
    assert_eq!(blue.manifests[0].owner, Some(NodeKey::new("flux-system", "sets")));
    assert_eq!(applied(node(&cluster, "sets")), ["ResourceSet/flux-system/teams"]);
    let release = &cluster.releases[0];
    assert_eq!(cluster.owner(release.providers[0]).to_string(), "ResourceSet/flux-system/teams");
    assert_eq!(cluster.object(release.providers[0]).id().name, "blue");
}

#[test]
fn a_sparse_checkout_leaves_the_other_folders_out() {
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n\
                  spec: {url: https://example.org/x, sparseCheckout: [./cluster, here]}\n";
    let files = [
        ("cluster/source.yaml", source.to_owned()),
        ("cluster/a.yaml", kustomization("here", "")),
        ("cluster/b.yaml", kustomization("there", "")),
        ("here/a.yaml", config_map("a", "")),
        ("there/a.yaml", config_map("b", "")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let cluster = cluster("2.9.0", &files);
    assert_eq!(node(&cluster, "here").folder, Folder::Here("here".to_owned()));
    assert!(matches!(node(&cluster, "there").folder, Folder::Missing { .. }));
}

#[test]
fn patches_of_an_instance_change_its_entry_point() {
    let instance = INSTANCE.replace("VERSION", "2.9.0").replace("path: cluster}", "path: other}")
        + "  kustomize:\n    patches:\n    - target: {kind: Kustomization, name: flux-system}\n      \
           patch: |\n        - {op: add, path: /spec/wait, value: true}\n        - {op: replace, path: /spec/path, value: cluster}\n    \
           - patch: |\n        apiVersion: kustomize.toolkit.fluxcd.io/v1\n        kind: Kustomization\n        \
           metadata: {name: flux-system, namespace: flux-system}\n        spec: {postBuild: {substitute: {A: x}}}\n    \
           - target: {kind: Deployment}\n      patch: |\n        - {op: remove, path: /spec/replicas}\n";
    let tree = Tree::from_memory([
        ("instance.yaml".to_owned(), instance.into_bytes()),
        ("cluster/a.yaml".to_owned(), config_map("a", "v: '${A}'").into_bytes()),
    ]);
    let store = Store::new(tree);
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    assert_eq!(clusters[0].root, "cluster");
    let root = node(&clusters[0], "flux-system");
    assert!(root.kustomization.spec.wait);
    assert_eq!(data(root, "v"), Some("x"));
}

#[test]
fn the_controllers_are_those_of_the_instance_or_of_the_deployments_that_are_built() {
    let reported = cluster("2.9.0", &[]);
    assert!(reported.controllers.is_read() && !reported.controllers.kustomize.workers().is_set());
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: kustomize-controller, namespace: flux-system}\n\
                      spec: {template: {spec: {containers: [{name: manager, args: [--concurrent=9]}]}}}\n";
    let built = cluster("2.9.0", &[("cluster/gotk-components.yaml", deployment)]);
    assert_eq!(built.controllers.kustomize.workers().value, 9);
}

#[test]
fn a_gate_decides_over_strictness_before_the_version_does() {
    let text = config_map("a", "a: 'x${UNSET}'");
    let inner = kustomization("inner", "  postBuild: {substitute: {A: '1'}}\n");
    let of = |version: &str, value: bool| {
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: kustomize-controller, namespace: flux-system}}\n\
             spec: {{template: {{spec: {{containers: [{{name: manager, args: ['--feature-gates=StrictPostBuildSubstitutions={value}']}}]}}}}}}\n"
        );
        let files = [
            ("cluster/ks.yaml", inner.as_str()),
            ("cluster/gotk-components.yaml", &deployment),
            ("inner/a.yaml", &text),
        ];
        let cluster = cluster(version, &files);
        data(node(&cluster, "inner"), "a").map(str::to_owned)
    };
    assert_eq!(of("2.9.0", false).as_deref(), Some("x"));
    assert_eq!(of("2.8.0", true).as_deref(), Some("x${UNSET}"));
}

#[test]
fn patches_of_the_bootstrap_folder_tell_where_its_manifests_are_missing() {
    let sync = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\n\
                spec: {interval: 10m, path: ./prod, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let patches = "resources: [gotk-sync.yaml]\npatches:\n  - target: {kind: Deployment, name: (kustomize-controller|helm-controller)}\n    \
                   patch: |\n      - {op: add, path: /spec/template/spec/containers/0/args/-, value: --concurrent=20}\n";
    let files = [("prod/flux-system/gotk-sync.yaml", sync), ("prod/flux-system/kustomization.yaml", patches)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
    assert_eq!(clusters[0].controllers.helm.workers().value, 20);
}
