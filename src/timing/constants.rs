//! Every constant of the time model, with its reason, for both hardware profiles. `docs/minutes.md` says how well they
//! do against measurements.
//!
//! Where nothing else is said, a figure is a judgement. The slow figures have next to no measurements behind them.

use std::time::Duration;

use super::Profile;
use crate::catalog::Range;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn range(low: u64, typical: u64, high: u64) -> Range {
    Range { low: seconds(low), typical: seconds(typical), high: seconds(high) }
}

/// What things cost on one hardware profile.
#[derive(Debug)]
pub(super) struct Constants {
    /// From the start of a Kustomization's reconciliation until the first object is applied: artifact download, build,
    /// dry-run. Source operations are bounded by 60 s (source-controller v1.9, `spec.timeout`).
    pub(super) node_fetch: Range,
    /// From the start of a HelmRelease's reconciliation until the first object is applied: chart download, templates.
    pub(super) chart_fetch: Duration,
    /// Per applied object: server-side apply and its dry-run, API latency included.
    pub(super) object: Duration,
    /// Per MiB of CustomResourceDefinitions. kube-prometheus-stack ships 4.3 MiB of them, kyverno 3.2 MiB.
    pub(super) crd_mib: Duration,
    /// What is fixed about pulling an image: 0.7–4 MB of busybox took 4.5–6 s from Docker Hub in published pull events.
    pub(super) pull: Duration,
    /// What an image of unknown size adds: some 110 MB at the rate of `megabytes_per_second`. Pull events: 21 MB in 6.3 s,
    /// 45 MB in 8.3 s, 69 MB in 27.9 s; 2.5 GB at 7.6 MB/s and 3 GB at 10 MB/s.
    pub(super) unknown_image: Duration,
    /// From the registry.
    pub(super) megabytes_per_second: u64,
    /// Pulls that run at a time: kubelet pulls one by one per node (kubernetes.io/docs/concepts/containers/images,
    /// `serializeImagePulls`); several nodes help, but for one shared uplink.
    pub(super) parallel_pulls: u32,
    /// What the image of a DaemonSet costs, in percent of another's: every node pulls it, over one uplink on slow.
    pub(super) daemon_pull: u32,
    /// Schedule and start. 99 % of stateless pods start within 5 s without image pull and init containers
    /// (kubernetes/community, sig-scalability/slos/pod_startup_latency.md).
    pub(super) start: Duration,
    /// What of a probe's period passes until the probe succeeds, in percent: half of it on average, all of it where the
    /// first try comes too early.
    pub(super) probe_period: u32,
    /// Bind and attach a volume claim. Longhorn users report minutes on bad days (longhorn/longhorn#5229).
    pub(super) volume: Duration,
    /// The run of a Job or of a chart's hook, image apart.
    pub(super) job: Duration,
    /// The run of an init container, image apart.
    pub(super) init: Duration,
    /// Until a Service of type LoadBalancer has an address: from the cloud's API on fast, from MetalLB or Cilium on slow.
    pub(super) load_balancer: Range,
    /// Until a custom resource is Ready whose controller has little to do: an ExternalSecret took 5 s, ten of them 10 s
    /// (blog.tazlab.net, multi-path-tls-eso-vso-kyverno).
    pub(super) custom: Range,
    /// The high end of an estimate, in percent of the typical value.
    pub(super) high: u32,
    /// A chart that nothing is known of. The median of the catalogue's rows is within this range.
    pub(super) unknown_chart: Range,
    /// A HelmRelease that does not wait for its objects (`disableWait`): chart download and apply alone.
    pub(super) chart_without_wait: Range,
}

static SLOW: Constants = Constants {
    node_fetch: range(2, 5, 15),
    chart_fetch: seconds(15),
    object: millis(120),
    crd_mib: seconds(8),
    pull: seconds(5),
    unknown_image: seconds(15),
    megabytes_per_second: 7,
    parallel_pulls: 1,
    daemon_pull: 150,
    start: seconds(10),
    probe_period: 100,
    volume: seconds(15),
    job: seconds(20),
    init: seconds(8),
    load_balancer: range(2, 5, 20),
    custom: range(5, 10, 30),
    high: 220,
    unknown_chart: range(40, 85, 300),
    chart_without_wait: range(8, 20, 60),
};

static FAST: Constants = Constants {
    node_fetch: range(1, 3, 8),
    chart_fetch: seconds(5),
    object: millis(30),
    crd_mib: millis(1500),
    pull: seconds(4),
    unknown_image: seconds(4),
    megabytes_per_second: 27,
    parallel_pulls: 2,
    daemon_pull: 100,
    start: seconds(4),
    probe_period: 50,
    volume: seconds(10),
    job: seconds(6),
    init: seconds(3),
    load_balancer: range(60, 120, 180),
    custom: range(2, 5, 15),
    high: 200,
    unknown_chart: range(15, 40, 150),
    chart_without_wait: range(4, 8, 25),
};

impl Profile {
    pub(super) const fn constants(self) -> &'static Constants {
        match self {
            Self::Slow => &SLOW,
            Self::Fast => &FAST,
        }
    }
}

/// The low end of an estimate, in percent of the typical value.
pub(super) const LOW: u32 = 60;

/// What a health check notices late: it polls every 5 s (kustomize-controller v1.9, `checkHealth`; the same of
/// helm-controller v1.6).
pub(super) const HEALTH_POLL: Range = range(0, 3, 5);

/// What a dependent waits after its dependency turned Ready: it polls at this interval (`--requeue-dependency` of
/// kustomize-controller v1.9 and helm-controller v1.6), so half of it on average.
pub(super) fn dependency_poll(requeue: Duration) -> Range {
    Range { low: seconds(0), typical: requeue / 2, high: requeue }
}

/// `initialDelaySeconds` beyond this is a guess of its author, not what the software needs.
pub(super) const LONGEST_DELAY: Duration = seconds(120);

/// `periodSeconds` where a probe does not say (Kubernetes, `core/v1` `Probe`).
pub(super) const PROBE_PERIOD: Duration = seconds(10);

/// `failureThreshold` where a probe does not say (Kubernetes, `core/v1` `Probe`).
pub(super) const FAILURE_THRESHOLD: u64 = 3;

/// Objects per workload of a chart whose templates are not read: service account, roles, service, configuration.
pub(super) const OBJECTS_PER_WORKLOAD: usize = 8;

/// What software does between the start of its process and its first successful probe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Warmup {
    /// A single binary that listens at once.
    #[default]
    Binary,
    /// A database that starts empty.
    Database,
    /// A network plug-in: until the node's datapath is up.
    Network,
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// PHP that installs itself at its first start.
    Php,
    /// Java.
    Java,
    /// Django with its migrations.
    Django,
    /// A memberlist ring that has to settle.
    Ring,
    /// Java that starts a search engine or a distributed database.
    HeavyJava,
    /// Rails with its migrations.
    Rails,
    /// A kernel driver that is compiled.
    Driver,
}

impl Warmup {
    /// Judgement, adjusted to the measured charts of `docs/minutes.md`.
    pub(super) const fn time(self, profile: Profile) -> Duration {
        let (fast, slow) = match self {
            Self::Binary => (5, 15),
            Self::Database => (12, 30),
            Self::Network => (10, 40),
            Self::Node => (15, 45),
            Self::Python => (20, 60),
            Self::Php => (40, 120),
            Self::Java => (40, 150),
            Self::Django => (40, 180),
            Self::Ring => (45, 90),
            Self::HeavyJava => (70, 240),
            Self::Rails => (90, 300),
            Self::Driver => (120, 240),
        };
        seconds(match profile {
            Profile::Fast => fast,
            Profile::Slow => slow,
        })
    }

    /// By the name of a chart, or of an image without registry and tag: the first entry that is part of it.
    pub(super) fn new(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let known = SOFTWARE.iter().find(|(part, _)| name.contains(part));
        known.map(|(_, warmup)| *warmup).unwrap_or_default()
    }
}

/// What well-known software is written in, by a part of its name. Operators and exporters of the same name are single
/// binaries, so they come first.
const SOFTWARE: &[(&str, Warmup)] = &[
    ("exporter", Warmup::Binary),
    ("nvidia-driver", Warmup::Driver),
    ("gpu-operator", Warmup::Driver),
    ("falco", Warmup::Driver),
    ("eck-operator", Warmup::Binary),
    ("operator", Warmup::Binary),
    ("gitlab-runner", Warmup::Binary),
    ("postgres-backup", Warmup::Binary),
    ("elasticsearch", Warmup::HeavyJava),
    ("opensearch", Warmup::HeavyJava),
    ("cassandra", Warmup::HeavyJava),
    ("sonarqube", Warmup::HeavyJava),
    ("solr", Warmup::HeavyJava),
    ("cilium", Warmup::Network),
    ("calico", Warmup::Network),
    ("flannel", Warmup::Network),
    ("mimir", Warmup::Ring),
    ("loki", Warmup::Ring),
    ("tempo-distributed", Warmup::Ring),
    ("cortex", Warmup::Ring),
    ("sentry", Warmup::Django),
    ("authentik", Warmup::Django),
    ("netbox", Warmup::Django),
    ("paperless", Warmup::Django),
    ("superset", Warmup::Django),
    ("gitlab", Warmup::Rails),
    ("mastodon", Warmup::Rails),
    ("discourse", Warmup::Rails),
    ("nextcloud", Warmup::Php),
    ("wordpress", Warmup::Php),
    ("firefly", Warmup::Php),
    ("bookstack", Warmup::Php),
    ("keycloak", Warmup::Java),
    ("jenkins", Warmup::Java),
    ("kafka", Warmup::Java),
    ("zookeeper", Warmup::Java),
    ("metabase", Warmup::Java),
    ("dependency-track", Warmup::Java),
    ("minecraft", Warmup::Java),
    ("openjdk", Warmup::Java),
    ("tomcat", Warmup::Java),
    ("unifi", Warmup::Java),
    ("home-assistant", Warmup::Python),
    ("homeassistant", Warmup::Python),
    ("airflow", Warmup::Python),
    ("python", Warmup::Python),
    ("grafana", Warmup::Node),
    ("rancher", Warmup::Node),
    ("n8n", Warmup::Node),
    ("backstage", Warmup::Node),
    ("immich", Warmup::Node),
    ("postgres", Warmup::Database),
    ("mariadb", Warmup::Database),
    ("mysql", Warmup::Database),
    ("mongo", Warmup::Database),
    ("redis", Warmup::Database),
    ("valkey", Warmup::Database),
    ("influxdb", Warmup::Database),
    ("clickhouse", Warmup::Database),
];

/// Images that are known to be large, by a part of their name, and roughly how many megabytes of compressed layers they
/// have. General knowledge, rounded down. All others count as of unknown size.
pub(super) const LARGE_IMAGES: &[(&str, u64)] = &[
    ("nvidia/cuda", 1500),
    ("pytorch", 3000),
    ("tensorflow", 2000),
    ("ollama", 1000),
    ("immich-machine-learning", 500),
    ("stable-diffusion", 3000),
    ("gitlab-ce", 1000),
    ("gitlab-ee", 1000),
    ("home-assistant", 500),
    ("homeassistant", 500),
    ("nextcloud", 350),
    ("elasticsearch", 500),
    ("opensearch", 500),
];

/// What a custom resource costs from its apply until it does its work, on fast and on slow hardware.
pub(super) struct CustomCost {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    fast: Range,
    slow: Range,
}

impl CustomCost {
    pub(super) const fn on(&self, profile: Profile) -> Range {
        match profile {
            Profile::Fast => self.fast,
            Profile::Slow => self.slow,
        }
    }
}

const fn custom(group: &'static str, kind: &'static str, fast: Range, slow: Range) -> CustomCost {
    CustomCost { group, kind, fast, slow }
}

/// Custom resources that take longer than most, sorted. None of it was measured, save for what is named.
pub(super) const CUSTOM: &[CustomCost] = &[
    custom("acid.zalan.do", "postgresql", range(40, 90, 180), range(90, 180, 420)),
    // 17 of 30 public repositories raised the timeout to 10–60 min; each disk is prepared by a Job.
    custom("ceph.rook.io", "CephCluster", range(180, 360, 900), range(420, 900, 1800)),
    // Of an ACME issuer with DNS-01. Another issuer signs at once.
    custom("cert-manager.io", "Certificate", range(60, 90, 180), range(60, 120, 400)),
    custom("cluster.x-k8s.io", "Cluster", range(180, 360, 900), range(240, 600, 1800)),
    // The operators' pods themselves are spawned only then.
    custom("elasticsearch.k8s.elastic.co", "Elasticsearch", range(60, 135, 300), range(150, 360, 800)),
    custom("kafka.strimzi.io", "Kafka", range(90, 180, 360), range(240, 450, 900)),
    custom("kibana.k8s.elastic.co", "Kibana", range(60, 135, 300), range(150, 360, 800)),
    custom("monitoring.coreos.com", "Alertmanager", range(20, 45, 90), range(60, 150, 330)),
    custom("monitoring.coreos.com", "Prometheus", range(20, 45, 90), range(60, 165, 360)),
    custom("nvidia.com", "ClusterPolicy", range(150, 300, 900), range(420, 900, 1800)),
    custom("operator.victoriametrics.com", "VMAgent", range(20, 45, 90), range(40, 120, 260)),
    custom("operator.victoriametrics.com", "VMSingle", range(20, 45, 90), range(40, 120, 260)),
    custom("pkg.crossplane.io", "Provider", range(20, 60, 120), range(40, 180, 400)),
    custom("postgres-operator.crunchydata.com", "PostgresCluster", range(40, 90, 180), range(90, 180, 420)),
    // The first instance; see `cluster_replica` for the others.
    custom("postgresql.cnpg.io", "Cluster", range(40, 65, 150), range(80, 135, 330)),
];

/// What each further instance of a CloudNativePG `Cluster` adds: they join one after the other.
pub(super) const fn cluster_replica(profile: Profile) -> Duration {
    match profile {
        Profile::Fast => seconds(40),
        Profile::Slow => seconds(75),
    }
}

/// What the recovery of a CloudNativePG `Cluster` from a backup adds, small databases: 2 to 4 min were measured on slow
/// hardware (blog.tazlab.net, phoenix-protocol-s3-pitr-validation and eliminating-ansible-from-cluster-rebirth).
pub(super) const fn recovery(profile: Profile) -> Duration {
    match profile {
        Profile::Fast => seconds(60),
        Profile::Slow => seconds(90),
    }
}
