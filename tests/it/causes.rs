//! Deadlocks by cause: small clusters that differ from one that comes up in a single thing.

use fluxdag::{
    Analysis, Options,
    finding::{Category, Confidence, Severity},
    rules::RULES,
};

use crate::support::{Repository, fixture};

/// A Kustomization of the cluster's folder, and what it applies.
struct Node {
    name: &'static str,
    spec: &'static str,
    objects: &'static str,
}

const fn node(name: &'static str, spec: &'static str, objects: &'static str) -> Node {
    Node { name, spec, objects }
}

fn run(nodes: &[Node]) -> Analysis {
    run_beside(nodes, &[])
}

/// The same, with files that no Kustomization builds.
fn run_beside(nodes: &[Node], others: &[(&str, &str)]) -> Analysis {
    let mut files: Vec<(String, String)> =
        others.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    for node in nodes {
        let kustomization = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {0}, namespace: flux-system}}\nspec:\n  \
             interval: 1h\n  retryInterval: 1m\n  timeout: 10m\n  path: ./{0}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: \
             flux-system}}\n{1}",
            node.name, node.spec
        );
        files.push((format!("clusters/prod/{}.yaml", node.name), kustomization));
        let own =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: own-{}, namespace: default}}\n", node.name);
        files.push((format!("{}/all.yaml", node.name), format!("{own}---\n{}", node.objects)));
    }
    Repository::cluster(&files).analyse(&Options::default())
}

/// The deadlocks that a default run shows.
fn deadlocks(nodes: &[Node]) -> Vec<(&'static str, String)> {
    deadlocks_of(run(nodes))
}

fn deadlocks_of(analysis: Analysis) -> Vec<(&'static str, String)> {
    let is_deadlock =
        |id: &str| RULES.iter().any(|rule| rule.info.id == id && rule.info.category == Category::Deadlock);
    analysis
        .findings
        .into_iter()
        .filter(|finding| is_deadlock(finding.rule))
        .filter(|finding| finding.severity == Severity::Error && finding.confidence >= Confidence::Medium)
        .map(|finding| (finding.rule, finding.subject.to_string()))
        .collect()
}

/// With `closing` the last node depends on the first, which it needs something of; without it all comes up.
fn held(nodes: [Node; 2], closing: &'static str, rule: &'static str, subject: &str) {
    let [first, last] = nodes;
    let closed = Node { spec: closing, ..last };
    assert_eq!(deadlocks(&[Node { ..first }, closed]), [(rule, subject.to_owned())]);
    let open = Node { spec: "", ..last };
    assert_eq!(deadlocks(&[first, open]), []);
}

const AFTER_READER: &str = "  dependsOn: [{name: reader}]\n";
const STORE: &str =
    "apiVersion: external-secrets.io/v1\nkind: ClusterSecretStore\nmetadata: {name: vault}\nspec: {provider: {}}\n";
const EXTERNAL_SECRET: &str = "apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: login, namespace: flux-system}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: vault}, target: {name: login}}
";

#[test]
fn variables_that_a_controller_makes_of_what_comes_later() {
    let reader = node("reader", "  postBuild: {substituteFrom: [{kind: Secret, name: login}]}\n", "");
    let maker = node("maker", "", EXTERNAL_SECRET);
    held([reader, maker], AFTER_READER, "self-provided-input", "Kustomization/flux-system/reader");
}

#[test]
fn a_store_that_comes_after_who_waits_for_its_secrets() {
    let reader = node("reader", "  wait: true\n", EXTERNAL_SECRET);
    let stores = node("stores", "", STORE);
    held([reader, stores], AFTER_READER, "wait-deadlock", "Kustomization/flux-system/stores");
}

#[test]
fn a_storage_class_that_comes_after_who_waits_for_its_claims() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: default}\nspec: {storageClassName: fast}\n";
    let class =
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: example.org/disk\n";
    let reader = node("reader", "  wait: true\n", claim);
    held([reader, node("classes", "", class)], AFTER_READER, "wait-deadlock", "Kustomization/flux-system/classes");
}

#[test]
fn a_source_whose_login_comes_later() {
    let source = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: other, namespace: flux-system}
spec: {interval: 1m, url: 'https://example.org/other', secretRef: {name: login}}
";
    let login = "apiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: flux-system}\n";
    let reader = node("reader", "  wait: true\n", source);
    held([reader, node("logins", "", login)], AFTER_READER, "wait-deadlock", "Kustomization/flux-system/logins");
}

#[test]
fn a_service_account_and_a_kubeconfig_that_come_later() {
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: deployer, namespace: flux-system}\n";
    let reader = node("reader", "  serviceAccountName: deployer\n", "");
    held(
        [reader, node("accounts", "", account)],
        AFTER_READER,
        "self-provided-input",
        "Kustomization/flux-system/reader",
    );
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: remote, namespace: flux-system}\n";
    let reader = node("reader", "  kubeConfig: {secretRef: {name: remote}}\n", "");
    held(
        [reader, node("remotes", "", secret)],
        AFTER_READER,
        "self-provided-input",
        "Kustomization/flux-system/reader",
    );
}

#[test]
fn a_key_that_is_encrypted_itself_was_there_before() {
    let key = "apiVersion: v1\nkind: Secret\nmetadata: {name: age, namespace: flux-system}\nsops: {version: 3.9.0}\n";
    let reader = node("reader", "  decryption: {provider: sops, secretRef: {name: age}}\n", key);
    assert_eq!(deadlocks(&[reader]), []);
}

#[test]
fn a_resource_set_waits_for_any_kind() {
    let set = "apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: tenants, namespace: flux-system}
spec:
  dependsOn: [{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, name: late, namespace: flux-system, ready: true}]
  resources:
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: default}}
";
    let reader = node("reader", "  wait: true\n", set);
    held([reader, node("late", "", "")], AFTER_READER, "wait-deadlock", "Kustomization/flux-system/late");
}

#[test]
fn the_gate_that_keeps_the_check_beside_an_expression_closes_a_loop() {
    let lenient = "  wait: true\n";
    let child = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: child, namespace: flux-system}
spec:
  interval: 1h
  path: ./leaf
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn: [{name: reader, readyExpr: 'has(dep.metadata.name)'}]
";
    let leaf = || node("leaf", "", "");
    assert_eq!(deadlocks(&[node("reader", lenient, child), leaf()]), []);
    let controller = "apiVersion: apps/v1
kind: Deployment
metadata: {name: kustomize-controller, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}
spec:
  selector: {matchLabels: {app: kustomize-controller}}
  template:
    metadata: {labels: {app: kustomize-controller}}
    spec:
      containers:
        - name: manager
          image: ghcr.io/fluxcd/kustomize-controller:v1.9.4
          args: ['--feature-gates=AdditiveCELDependencyCheck=true']
";
    let found = deadlocks(&[node("reader", lenient, child), leaf(), node("flux", "", controller)]);
    assert_eq!(found, [("wait-deadlock", "Kustomization/flux-system/child".to_owned())]);
}

#[test]
fn what_a_helmfile_installs_before_is_no_deadlock() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: issuer-operator, namespace: default}
spec:
  interval: 1h
  chart: {spec: {chart: cert-manager, sourceRef: {kind: HelmRepository, name: jetstack}}}
  values: {crds: {enabled: true}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: own, namespace: default}
spec: {selfSigned: {}}
";
    assert_eq!(
        deadlocks(&[node("issuers", "", release)]),
        [("crd-deadlock", "Kustomization/flux-system/issuers".to_owned())]
    );
    let helmfile = "releases: [{name: issuers, chart: jetstack/cert-manager}]\n";
    let before = run_beside(&[node("issuers", "", release)], &[("bootstrap/helmfile.yaml", helmfile)]);
    assert_eq!(deadlocks_of(before), []);
    // What Flux builds from comes with Flux, not before it.
    let built = node("bootstrap", "", "# chart: jetstack/cert-manager\n");
    assert_eq!(
        deadlocks(&[node("issuers", "", release), built]),
        [("crd-deadlock", "Kustomization/flux-system/issuers".to_owned())]
    );
}

#[test]
fn what_runs_already_is_told_from_what_is_built_anew() {
    let why = |nodes: &[Node]| {
        let found = run(nodes).findings.into_iter().find(|finding| finding.rule == "wait-deadlock");
        found.map(|finding| finding.why).unwrap_or_default()
    };
    let child = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: child, namespace: flux-system}
spec: {interval: 1h, path: ./leaf, prune: true, sourceRef: {kind: GitRepository, name: flux-system}, dependsOn: [{name: reader}]}
";
    let lasting = why(&[node("reader", "  wait: true\n", child), node("leaf", "", "")]);
    assert!(lasting.contains("on every new revision"), "{lasting}");
    let fresh = why(&[node("reader", "  wait: true\n", EXTERNAL_SECRET), node("stores", AFTER_READER, STORE)]);
    assert!(fresh.contains("fails when it is rebuilt"), "{fresh}");
}

#[test]
fn what_a_catalogue_knows_stops_a_node_and_hides_no_minutes() {
    use fluxdag::{
        Survey,
        cluster::NodeKey,
        graph::{EventGraph, Repaired},
        survey,
        timing::{ColdStart, Durations, Profile},
    };
    let Survey { clusters, .. } = survey(&[fixture("cr-beside-operator")], &Options::default()).unwrap();
    let cluster = clusters.iter().find(|cluster| cluster.reached).unwrap();
    let graph = EventGraph::new(cluster, Vec::new());
    assert_eq!(graph.loops().len(), 1);
    let durations = Durations::new(cluster, Profile::Slow, &[]);
    let node = cluster.find(&NodeKey::new("flux-system", "cert-manager")).unwrap();
    let ready = |repaired| ColdStart::new(&graph, &durations, repaired).ready(&graph, node);
    assert_eq!(ready(Repaired::Nothing), None, "what a catalogue knows stops it");
    assert!(ready(Repaired::Everything).is_some(), "and this is what it takes once that is mended");
}

const WAITING_CLAIM: &str = "apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: example.org/disk
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {storageClassName: local, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
";
const MOUNTING_JOB: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: job, namespace: default}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: job}], volumes: [{name: data, persistentVolumeClaim: {claimName: \
                            data}}]}}}
";

/// The deadlocks of a claim that is waited for, with `mover` beside it and its user behind.
fn claim_beside(mover: &'static str) -> Vec<(&'static str, String)> {
    let objects: &'static str = Box::leak(format!("{WAITING_CLAIM}{mover}").into_boxed_str());
    deadlocks(&[
        node("storage", "  wait: true\n", objects),
        node("user", "  dependsOn: [{name: storage}]\n", MOUNTING_JOB),
    ])
}

#[test]
fn a_backup_that_reads_the_claim_itself_binds_it_and_one_of_a_copy_does_not() {
    let deadlock = vec![("volume-deadlock", "Kustomization/flux-system/storage".to_owned())];
    let source = |method: &str| -> &'static str {
        Box::leak(
            format!(
                "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationSource\nmetadata: {{name: data, namespace: default}}\nspec: {{sourcePVC: data, \
                 restic: {{repository: data, copyMethod: {method}}}}}\n"
            )
            .into_boxed_str(),
        )
    };
    assert_eq!(claim_beside(source("Snapshot")), deadlock);
    assert_eq!(claim_beside(source("Direct")), []);
    let restore = "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationDestination\nmetadata: {name: data, namespace: default}\nspec: {restic: \
                   {repository: data, copyMethod: Direct, destinationPVC: data}}\n";
    assert_eq!(claim_beside(restore), []);
}

#[test]
fn what_is_refused_behind_a_build_that_fails_says_what_comes_first() {
    let refused =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: numbers, namespace: default}\ndata: {replicas: 2}\n";
    let files = |list: &str| {
        let entry = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\nspec: {interval: \
                     1h, path: ./web, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
        Repository::cluster(&[
            ("clusters/prod/web.yaml", entry.to_owned()),
            ("web/kustomization.yaml", format!("resources: [{list}]\n")),
            ("web/map.yaml", refused.to_owned()),
        ])
    };
    let why = |list: &str| {
        let found = files(list).analyse(&Options::default()).findings;
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
        let finding =
            found.iter().find(|finding| finding.rule == "invalid-manifest").unwrap_or_else(|| panic!("{rules:?}"));
        (rules.contains(&"build-failure"), finding.why.clone())
    };
    let (fails, behind) = why("map.yaml, none.yaml");
    assert!(
        fails
            && behind.starts_with("Today it never comes to this, since Kustomization/flux-system/web fails to build: "),
        "{behind}"
    );
    let (fails, alone) = why("map.yaml");
    assert!(!fails && alone.starts_with("Kustomization/flux-system/web ends"), "{alone}");
}

#[test]
fn a_namespace_that_comes_after_its_objects_is_told_once() {
    let set = "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: teams, namespace: default}\nspec: {inputs: [{team: one}], \
               resources: [{apiVersion: v1, kind: Namespace, metadata: {name: '<< inputs.team >>'}}]}\n";
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: early, namespace: one}\n";
    let rules = |files: &[(&str, String)]| {
        let found = Repository::cluster(files).analyse(&Options::default()).findings;
        let found = found.into_iter().filter(|finding| finding.rule.contains("namespace"));
        found.map(|finding| (finding.rule, finding.help)).collect::<Vec<_>>()
    };
    let beside = rules(&[("clusters/prod/all.yaml", format!("{set}---\n{object}"))]);
    let [("namespace-deadlock", help)] = &beside[..] else { panic!("{beside:?}") };
    assert!(help.starts_with("add a Namespace `one` to the build of Kustomization/flux-system/flux-system"), "{help}");
    // Where another entry point makes it as well, it is a race, and nothing stands beside an entry point to wait for.
    let sync = |name: &str, path: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: {{interval: 1h, \
             path: ./{path}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
        )
    };
    let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 1m, \
                  url: 'https://git.example.com/fleet', ref: {branch: main}}\n";
    let entries = format!("{source}---\n{}---\n{}", sync("flux-system", "apps"), sync("zones", "zones"));
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n";
    let twice = rules(&[
        ("clusters/prod/flux-system/gotk-sync.yaml", entries),
        ("apps/all.yaml", format!("{set}---\n{object}")),
        ("zones/namespace.yaml", namespace.to_owned()),
    ]);
    let [("unordered-namespace", help)] = &twice[..] else { panic!("{twice:?}") };
    assert!(help.contains("neither may wait for flux-system") && !help.contains("beside"), "{help}");
}

#[test]
fn the_error_of_a_key_is_about_the_part_that_is_wrong() {
    let of = |labels: &'static str| {
        let object: &'static str = Box::leak(
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: keys, namespace: default, labels: {{{labels}: 'on'}}}}\n")
                .into_boxed_str(),
        );
        let found = run(&[node("apps", "", object)]).findings;
        let finding = found.into_iter().find(|finding| finding.rule == "invalid-manifest");
        finding.map(|finding| (finding.why, finding.help)).unwrap_or_default()
    };
    let (why, help) = of("Example.COM/scrape");
    assert!(
        why.contains("(Invalid): … metadata.labels: Invalid value: prefix part a lowercase RFC 1123 subdomain"),
        "{why}"
    );
    assert!(help.starts_with("write what stands before the `/` of `Example.COM/scrape`"), "{help}");
    let (why, help) = of("example.com/a b");
    assert!(why.contains("Invalid value: name part must consist of"), "{why}");
    assert!(help.starts_with("correct the name"), "{help}");
}
