//! Durations of whole repositories: which evidence is stronger, what the hardware changes, what a gate waits for.

use std::time::Duration;

use fluxdag::{
    Options, Survey,
    catalog::Range,
    cluster::NodeKey,
    graph::{Actor, Moment},
    situation::{Situation, View},
    timing::{Override, Profile, Target, unmatched},
};

use crate::support::{Repository, fixture};

const KUSTOMIZATION: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME, namespace: flux-system}\nspec:\n  interval: 1h\n  retryInterval: 2m\n  timeout: 15m\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n  path: ./PATH\n";

/// A repository with one Kustomization `core` over `objects`, with `gate` in its spec.
fn repository(gate: &str, objects: &str) -> (Repository, Survey) {
    let core = KUSTOMIZATION.replace("NAME", "core").replace("PATH", "core");
    let files = [("clusters/prod/core.yaml", format!("{core}{gate}")), ("core/all.yaml", objects.to_owned())];
    let repository = Repository::cluster(&files);
    let survey = repository.survey();
    (repository, survey)
}

/// The one cluster of a repository.
fn situation<'a>(survey: &'a Survey, profile: Profile, overrides: &[Override]) -> Situation<'a> {
    let view = View { cluster: &survey.clusters[0], clusters: &survey.clusters, store: &survey.store };
    Situation::new(view, profile, overrides)
}

/// How long `core` waits after its apply, and where it is told from.
fn own(gate: &str, objects: &str, profile: Profile, overrides: &[Override]) -> (Range, String) {
    let (_folder, survey) = repository(gate, objects);
    let situation = self::situation(&survey, profile, overrides);
    let id = situation.cluster.find(&NodeKey::new("flux-system", "core")).expect("built");
    let own = situation.durations.own(id.index());
    let at = |moment| {
        situation.cold_start.time(situation.graph.id(Actor::Node(id), moment).expect("in the graph")).expect("happens")
    };
    assert_eq!(at(Moment::Ready).typical.saturating_sub(at(Moment::Applied).typical), own.range.typical);
    (own.range, own.origin.to_string())
}

fn seconds(gate: &str, objects: &str) -> u64 {
    own(gate, objects, Profile::Slow, &[]).0.typical.as_secs()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n          image: ghcr.io/org/web:1\n          resources: {requests: {cpu: 1}}\n          readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 20}\n";

const CLUSTER: &str =
    "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: web}\nspec: {instances: 2}\n";

const PROVIDER: &str = "apiVersion: pkg.crossplane.io/v1\nkind: Provider\nmetadata: {name: aws}\nspec: {package: x}\n";

#[test]
fn a_gate_waits_for_images_start_probe_and_warm_up_of_its_own_workloads() {
    // Slow: image 20, start 10, delay 20, period 10, warm-up 15, poll 3.
    assert_eq!(seconds("  wait: true\n", DEPLOYMENT), 78);
    assert_eq!(seconds("", DEPLOYMENT), 0);
    let listed = "  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: web, namespace: web}]\n";
    assert_eq!(seconds(listed, DEPLOYMENT), 78);
    // Fast: image 8 by 2, start 4, delay 20, half a period 5, warm-up 5, poll 3.
    let (fast, origin) = own("  wait: true\n", DEPLOYMENT, Profile::Fast, &[]);
    assert_eq!((fast.typical.as_secs(), fast.low.as_millis(), fast.high.as_secs()), (41, 24_600, 82));
    assert_eq!(origin, "estimated from its objects: 1 workload, 1 image");
}

#[test]
fn a_listed_workload_that_a_chart_makes_takes_as_long_as_its_release() {
    let listed = "  healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: app-operator, namespace: web}]\n";
    let chart = RELEASE.replace("CHART", "kube-prometheus-stack");
    let (_folder, survey) = repository(listed, &chart);
    let situation = self::situation(&survey, Profile::Slow, &[]);
    let id = situation.cluster.find(&NodeKey::new("flux-system", "core")).expect("a node");
    assert_eq!(situation.durations.own(id.index()).range.typical.as_secs(), 0);
    let at = |moment| {
        let time = situation.cold_start.time(situation.graph.id(Actor::Node(id), moment).expect("in the graph"));
        time.expect("happens").typical.as_secs()
    };
    // The release 600, poll 3.
    assert_eq!(at(Moment::Ready) - at(Moment::Applied), 603);
    // Nobody in sight makes it: image 20, start 10, period 10, warm-up 15, poll 3.
    assert_eq!(seconds(&listed.replace("namespace: web", "namespace: other"), &chart), 58);
}

#[test]
fn a_workload_that_fits_no_type_counts_as_an_ordinary_one() {
    let broken = DEPLOYMENT.replace("initialDelaySeconds: 20", "initialDelaySeconds: '${DELAY}'");
    // Image 20, start 10, period 10, warm-up 15, poll 3.
    assert_eq!(seconds("  wait: true\n", &broken), 58);
    assert_eq!(seconds("  wait: true\n", &DEPLOYMENT.replace("  selector:", "  replicas: 0\n  selector:")), 0);
}

#[test]
fn a_custom_resource_counts_where_its_status_is_read() {
    // The first instance 135, another 75, poll 3.
    assert_eq!(seconds("  wait: true\n", CLUSTER), 213);
    assert_eq!(seconds("  wait: true\n", PROVIDER), 0);
    let expression = "  wait: true\n  healthCheckExprs:\n    - {apiVersion: pkg.crossplane.io/v1, kind: Provider, current: 'true'}\n";
    assert_eq!(seconds(expression, PROVIDER), 183);
}

const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: app, namespace: web}\nspec:\n  interval: 1h\n  chart: {spec: {chart: CHART, sourceRef: {kind: HelmRepository, name: charts}}}\n";

const VALUES: &str = "  values:\n    controllers: {app: {containers: {app: {image: {repository: ghcr.io/org/app, tag: '1'}}}}}\n    service: {app: {type: LoadBalancer}}\n";

/// The duration of the only HelmRelease.
fn release(chart: &str, more: &str, profile: Profile, overrides: &[Override], version: &str) -> (u64, String, bool) {
    let objects = format!("{}{more}", RELEASE.replace("CHART", chart));
    let (_folder, mut survey) = repository("  wait: true\n", &objects);
    survey.clusters[0].version = fluxdag::flux::FluxVersion::parse(version);
    let situation = self::situation(&survey, profile, overrides);
    let duration = situation.durations.release(0);
    (duration.range.typical.as_secs(), duration.origin.to_string(), duration.is_trusted())
}

#[test]
fn the_strongest_evidence_is_taken() {
    let of = |chart, more, overrides: &[Override]| release(chart, more, Profile::Slow, overrides, "");
    let range = |minutes: u64| {
        let typical = Duration::from_mins(minutes);
        Range { low: typical / 2, typical, high: typical * 2 }
    };
    let set = |target: Target, minutes| Override { target, range: range(minutes) };
    let chart = || set(Target::Chart("kube-prometheus-stack".to_owned()), 4);
    let object = || set(Target::object("HelmRelease/web/app").expect("valid"), 7);
    let kps = "kube-prometheus-stack";
    assert_eq!(of(kps, "", &[]), (600, "catalogue: kube-prometheus-stack, high confidence".to_owned(), true));
    assert_eq!(of(kps, VALUES, &[]).0, 600, "what is measured is stronger than what is estimated");
    assert_eq!(of(kps, "", &[chart()]), (240, "set in the configuration".to_owned(), true));
    assert_eq!(of(kps, "", &[chart(), object()]).0, 420, "the object is stronger than its chart");
    let (estimate, origin, trusted) = of("app-template", VALUES, &[]);
    assert!((60..=100).contains(&estimate) && !trusted, "{estimate}");
    assert_eq!(origin, "estimated from its values: 1 workload, 1 image");
    assert!(of("app-template", "", &[]).1.starts_with("catalogue: app-template"));
    assert_eq!(of("unheard-of", "", &[]), (85, "default for an unknown chart".to_owned(), false));
    assert_eq!(of("unheard-of", VALUES, &[]).1, "estimated from its values: 1 workload, 1 image");
    assert_eq!(of(kps, "  install: {disableWait: true}\n", &[]).1, "Helm does not wait for its objects");
}

#[test]
fn hardware_and_flux_release_change_the_figures() {
    let of = |profile, version| release("app-template", VALUES, profile, &[], version).0;
    assert!(of(Profile::Fast, "2.8") < of(Profile::Slow, "2.8"));
    // Helm 3 waited for the address of a load balancer, kstatus does not: 120 s in a cloud.
    assert!(of(Profile::Fast, "2.7") >= of(Profile::Fast, "2.8") + 60);
    let legacy = format!("  waitStrategy: {{name: legacy}}\n{VALUES}");
    let of_legacy = release("app-template", &legacy, Profile::Fast, &[], "2.8").0;
    assert_eq!(of_legacy, of(Profile::Fast, "2.7"));
    assert_eq!(release("kube-prometheus-stack", "", Profile::Fast, &[], "").0, 120);
    let kyverno = |version| release("kyverno-policies", "", Profile::Slow, &[], version).1;
    assert!(kyverno("2.8").starts_with("catalogue") && kyverno("2.7").starts_with("Helm does not wait"));
}

#[test]
fn what_is_set_for_a_node_or_an_object_replaces_the_estimate() {
    let typical = Duration::from_mins(6);
    let set = |target: Option<Target>| {
        [Override { target: target.expect("valid"), range: Range { low: typical, typical, high: typical } }]
    };
    let (range, origin) = own("  wait: true\n", DEPLOYMENT, Profile::Slow, &set(Target::node("flux-system/core")));
    assert_eq!((range.typical, origin.as_str()), (typical, "set in the configuration"));
    let (range, _) = own("  wait: true\n", DEPLOYMENT, Profile::Slow, &set(Target::object("Deployment/web/web")));
    assert_eq!(range.typical, typical);
    // Without a gate nothing waits for it.
    assert_eq!(own("", DEPLOYMENT, Profile::Slow, &set(Target::node("flux-system/core"))).0, Range::default());
}

#[test]
fn a_duration_for_something_that_is_not_there_is_told_with_what_is_like_it() {
    let (_folder, survey) = repository("", &RELEASE.replace("CHART", "traefik"));
    let set = |target: Target| Override { target, range: Range::default() };
    let known = [set(Target::Chart("Traefik".to_owned())), set(Target::node("flux-system/core").expect("valid"))];
    assert_eq!(unmatched(&known, &survey.clusters), [""; 0]);
    let lost = [set(Target::Chart("treafik".to_owned())), set(Target::object("HelmRelease/web/apps").expect("valid"))];
    let reported = unmatched(&lost, &survey.clusters);
    assert!(
        reported[0].contains("chart `treafik`") && reported[0].ends_with("did you mean `traefik`?"),
        "{reported:?}"
    );
    assert!(reported[1].ends_with("did you mean `HelmRelease/web/app`?"), "{reported:?}");
}

#[test]
fn values_of_a_config_map_are_read_too() {
    let config = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: values, namespace: web}\ndata:\n  values.yaml: |\n    controllers: {app: {containers: {app: {image: {repository: ghcr.io/org/app}}, sidecar: {image: {repository: ghcr.io/org/sidecar}}}}}\n";
    let from = format!("  valuesFrom: [{{kind: ConfigMap, name: values}}]\n{config}");
    let two = "estimated from its values: 1 workload, 2 images";
    assert_eq!(release("app-template", &from, Profile::Slow, &[], "").1, two);
    // What is no map of values is none.
    let broken = from.replacen("name: values}", "name: values}, {kind: ConfigMap, name: values, valuesKey: text}", 1)
        + "  text: plain\n";
    assert_eq!(release("app-template", &broken, Profile::Slow, &[], "").1, two);
}

#[test]
fn the_profile_and_the_durations_of_the_file_reach_the_findings() {
    let fixture = fixture("heavy-in-wait");
    let why = |options: &Options| {
        let analysis = fluxdag::lint(std::slice::from_ref(&fixture), options).expect("a repository");
        analysis.findings.into_iter().find(|finding| finding.rule == "heavy-in-wait").map(|finding| finding.why)
    };
    assert!(why(&Options::default()).is_some_and(|why| why.contains("slow hardware it is Ready after about 10.5 min")));
    let fast = Options { profile: Profile::Fast, ..Options::default() };
    assert!(why(&fast).is_none_or(|why| why.contains("fast hardware")));
    let short = Range { low: Duration::from_secs(20), typical: Duration::from_secs(30), high: Duration::from_secs(60) };
    let charts =
        ["kube-prometheus-stack", "pgo"].map(|name| Override { target: Target::Chart(name.to_owned()), range: short });
    assert_eq!(why(&Options { durations: charts.to_vec(), ..Options::default() }), None);
}

#[test]
fn the_source_of_a_helm_chart_tells_whose_chart_it_is() {
    let of = |url: &str| {
        let chart = "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: {name: gateway, namespace: web}\nspec: {interval: 1h, chart: gateway, sourceRef: {kind: HelmRepository, name: charts}}\n";
        let source = format!(
            "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts, namespace: web}}\nspec: {{interval: 1h, url: '{url}'}}\n"
        );
        let release = RELEASE.lines().filter(|line| !line.contains("chart:")).collect::<Vec<_>>().join("\n");
        let (_folder, survey) =
            repository("", &format!("{release}\n  chartRef: {{kind: HelmChart, name: gateway}}\n{chart}{source}"));
        situation(&survey, Profile::Slow, &[]).durations.release(0).origin.to_string()
    };
    assert_eq!(of("https://istio-release.storage.googleapis.com/charts"), "catalogue: gateway, low confidence");
    assert_eq!(of("https://example.org/charts"), "default for an unknown chart");
}
