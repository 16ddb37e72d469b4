use super::*;
use crate::{
    source::{Artifact, Tree},
    yaml::Store,
};

fn documents(text: &str) -> (Store, Vec<Object>) {
    let store = Store::new(Tree::from_memory([("a.yaml".to_owned(), text.as_bytes().to_vec())]));
    let file = store.tree().file("a.yaml").expect("present");
    let objects = store.parse(file).documents.iter();
    let objects =
        objects.map(|document| Object { node: document.root.clone(), source: document.span, changes: Vec::new() });
    let objects = objects.collect();
    (store, objects)
}

fn deployment(name: &str, component: &str, arguments: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels: {{app.kubernetes.io/part-of: flux, \
         app.kubernetes.io/component: {component}}}\nspec: {{template: {{spec: {{containers: [{{name: manager, args: [{arguments}]}}]}}}}}}\n---\n"
    )
}

fn instance(text: &str) -> (Store, Controllers) {
    let (store, objects) = documents(text);
    let kustomize = Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true));
    let controllers = Controllers::of_instance(&objects[0].node, "flux-system", &kustomize);
    drop(kustomize);
    (store, controllers)
}

fn text(store: &Store, span: Span) -> &str {
    &store.tree().text(span.file).expect("text")[span.start as usize..span.end as usize]
}

#[test]
fn nothing_read_means_the_controllers_own_defaults() {
    let controllers = Controllers::default();
    assert!(!controllers.is_read());
    assert_eq!(controllers.kustomize.workers(), Setting { value: 4, span: Span::NONE });
    assert_eq!(controllers.helm.requeue_dependency(), Setting { value: Duration::from_secs(30), span: Span::NONE });
    assert!(!controllers.no_cross_namespace_refs("HelmRelease").value);
    let strict = |major, minor| controllers.has_strict_substitution(Some(FluxVersion { major, minor }));
    assert!(controllers.has_strict_substitution(None) && strict(2, 9) && !strict(2, 8));
}

#[test]
fn deployments_tell_their_arguments_and_where_they_stand() {
    let arguments = "--log-level=info, --concurrent=8, --concurrent, '12', --requeue-dependency=5s, \
                     '--feature-gates=A=true,B=false', --feature-gates=StrictPostBuildSubstitutions=true, --no-remote-bases, \
                     --default-service-account=tenant";
    let text_of_all =
        deployment(KUSTOMIZE, KUSTOMIZE, arguments) + &deployment(HELM, HELM, "--no-cross-namespace-refs=true");
    let (store, objects) = documents(&text_of_all);
    let controllers = Controllers::of_deployments(objects.iter()).expect("both");
    let kustomize = &controllers.kustomize;
    assert_eq!((kustomize.workers().value, kustomize.requeue_dependency().value), (12, Duration::from_secs(5)));
    assert_eq!(text(&store, kustomize.requeue_dependency().span), "--requeue-dependency=5s");
    assert!(kustomize.has_gate("A") && !kustomize.has_gate("B") && !kustomize.has_gate("C"));
    assert!(kustomize.gate("B").is_some() && kustomize.gate("C").is_none());
    assert!(kustomize.no_remote_bases().value && !kustomize.no_cross_namespace_refs().value);
    assert_eq!(kustomize.default_service_account().expect("set").value, "tenant");
    assert!(controllers.no_cross_namespace_refs("HelmRelease").value);
    assert!(!controllers.no_cross_namespace_refs("Kustomization").value);
    assert!(controllers.has_strict_substitution(Some(FluxVersion { major: 2, minor: 8 })));
    assert_eq!(controllers.helm.workers().value, 4);
}

#[test]
fn shards_stand_beside_the_main_instance() {
    let shard = deployment("kustomize-controller-a", KUSTOMIZE, "--watch-label-selector=sharding.fluxcd.io/key=a");
    let main = deployment(KUSTOMIZE, KUSTOMIZE, "'--watch-label-selector=!sharding.fluxcd.io/key', --concurrent=7");
    for text in [shard.clone() + &main, main.clone() + &shard] {
        let (_store, objects) = documents(&text);
        let controllers = Controllers::of_deployments(objects.iter()).expect("two");
        assert_eq!((controllers.kustomize.workers().value, controllers.helm.is_read), (7, false));
        let selectors: Vec<_> = controllers.shards.iter().filter_map(Controller::label_selector).collect();
        assert_eq!(selectors.len(), 1);
        assert_eq!(selectors[0].value, "sharding.fluxcd.io/key=a");
    }
    let (_store, objects) = documents(&deployment("app", "app", "--concurrent=7"));
    assert_eq!(Controllers::of_deployments(objects.iter()), None);
}

#[test]
fn an_instance_tells_by_its_size_and_its_tenants() {
    let (store, controllers) =
        instance("cluster: {size: medium, multitenant: true, tenantDefaultServiceAccount: flux}\n");
    for controller in [&controllers.kustomize, &controllers.helm] {
        assert!(controller.is_read);
        assert_eq!((controller.workers().value, controller.requeue_dependency().value), (10, Duration::from_secs(5)));
        assert_eq!(text(&store, controller.workers().span), "medium");
        assert!(controller.no_cross_namespace_refs().value);
        assert_eq!(controller.default_service_account().expect("set").value, "flux");
    }
    assert!(controllers.kustomize.no_remote_bases().value && !controllers.helm.no_remote_bases().value);
    let (_store, plain) = instance("cluster: {multitenant: false}\n");
    assert!(plain.is_read() && !plain.kustomize.no_cross_namespace_refs().is_set());
}

#[test]
fn patches_of_an_instance_come_last() {
    let (store, controllers) = instance(
        "cluster: {size: small, multitenant: true}\nkustomize:\n  patches:\n    - target: {kind: Deployment, name: (kustomize-controller|helm-controller)}\n      \
         patch: |\n        - op: add\n          path: /spec/template/spec/containers/0/args/-\n          value: --concurrent=10\n    - target: {kind: Deployment, name: \
         kustomize-controller}\n      patch: |\n        - op: replace\n          path: /spec/template/spec/volumes/0\n          value: {name: temp, emptyDir: {medium: Memory}}\n        \
         - op: add\n          path: /spec/template/spec/containers/0/args/-\n          value: --feature-gates=CancelHealthCheckOnNewRevision=true\n    - target: {kind: \
         Deployment, name: helm-controller}\n      patch: |\n        - op: add\n          path: /spec/template/spec/containers/0/args/-\n          value: --no-cross-namespace-refs=false\n",
    );
    assert_eq!((controllers.kustomize.workers().value, controllers.helm.workers().value), (10, 10));
    assert_eq!(controllers.kustomize.requeue_dependency().value, Duration::from_secs(10));
    assert!(controllers.kustomize.has_gate("CancelHealthCheckOnNewRevision"));
    assert!(controllers.kustomize.no_cross_namespace_refs().value && !controllers.helm.no_cross_namespace_refs().value);
    assert!(text(&store, controllers.helm.workers().span).contains("--concurrent=10"));
}

#[test]
fn a_merge_patch_sets_all_arguments_at_once() {
    let (_store, controllers) = instance(
        "kustomize:\n  patches:\n    - target: {kind: Deployment, name: helm-controller}\n      patch: |\n        apiVersion: apps/v1\n        kind: \
         Deployment\n        metadata: {name: all}\n        spec: {template: {spec: {containers: [{name: manager, args: [--concurrent=6, \
         --feature-gates=UseHelm3Defaults=true]}]}}}\n",
    );
    assert_eq!((controllers.helm.workers().value, controllers.kustomize.workers().value), (6, 4));
    assert!(controllers.helm.has_gate("UseHelm3Defaults"));
}

#[test]
fn patches_alone_tell_of_controllers_that_are_elsewhere() {
    let files = [
        ("flux-system/kustomization.yaml", "patches:\n  - path: helm.yaml\n"),
        (
            "flux-system/helm.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: helm-controller, namespace: flux-system}\nspec: {template: {spec: \
             {containers: [{name: manager, args: [--concurrent=9]}]}}}\n",
        ),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let kustomize = Kustomize::new(&store, Artifact::new(store.tree(), "", |_| true));
    let patches: Vec<Node> = kustomize
        .kustomization_node("flux-system")
        .expect("there")
        .get("patches")
        .into_iter()
        .flat_map(Node::items)
        .cloned()
        .collect();
    let controllers = Controllers::of_patches(&kustomize, "flux-system", &patches).expect("one argument");
    assert_eq!(
        (controllers.helm.workers().value, controllers.helm.is_read, controllers.kustomize.is_read),
        (9, true, false)
    );
    assert_eq!(Controllers::of_patches(&kustomize, "flux-system", &[]), None);
}
