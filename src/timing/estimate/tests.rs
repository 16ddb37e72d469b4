//! The estimate against figures that were published, and against itself. `UPDATE=1 cargo test` writes the tables of
//! `docs/minutes.md`.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use super::*;
use crate::catalog::Catalog;

/// A chart whose installation, with Helm waiting, somebody timed in public: its layout with default values, KiB of
/// CRDs, the median in seconds, and how many were timed. Sources are in `rules/catalog/charts-evidence.yaml`.
struct Measured(&'static str, &'static str, usize, u64, u32);

/// Charts that the constants were adjusted to.
const TUNED: [&str; 4] = ["argo-cd", "cert-manager", "kube-prometheus-stack", "metrics-server"];

const MEASURED: [Measured; 23] = [
    Measured("argo-cd", "Deploy:6 STS:1 hookJob:1 readyDelay:10s", 1757, 78, 10),
    Measured("aws-ebs-csi-driver", "Deploy:1 DS:1 readyDelay:10s", 0, 41, 2),
    Measured("aws-load-balancer-controller", "Deploy:1 readyDelay:10s", 30, 45, 1),
    Measured("cert-manager", "Deploy:3 Job:1 readyDelay:5s", 977, 59, 9),
    Measured("cilium", "Deploy:1 DS:2 readyDelay:5s", 0, 30, 1),
    Measured("crossplane", "Deploy:2", 900, 96, 1),
    Measured("elasticsearch", "STS:4(x2 max) readyDelay:90s", 0, 118, 1),
    Measured("external-secrets", "Deploy:3 readyDelay:20s", 0, 45, 1),
    Measured("grafana", "Deploy:1", 0, 42, 1),
    Measured("ingress-nginx", "Deploy:1 hookJob:2 readyDelay:10s", 0, 48, 2),
    Measured("jenkins", "Deploy:1 readyDelay:30s", 0, 144, 1),
    Measured("kafka", "STS:1(x3 max) readyDelay:5s", 0, 99, 1),
    Measured("karpenter", "Deploy:1 readyDelay:5s", 120, 63, 1),
    Measured("keda", "Deploy:3 readyDelay:10s", 1200, 48, 1),
    Measured("kube-prometheus-stack", "Deploy:3 DS:1 hookJob:2 readyDelay:5s", 4402, 122, 5),
    Measured("metallb", "Deploy:1 DS:1 readyDelay:10s", 61, 13, 1),
    Measured("metrics-server", "Deploy:1 readyDelay:20s", 0, 30, 4),
    Measured("nginx-ingress-controller", "Deploy:2 readyDelay:10s", 0, 113, 1),
    Measured("prometheus", "Deploy:3 STS:1 DS:1 readyDelay:30s", 0, 76, 4),
    Measured("rancher", "Deploy:1 hookJob:1 readyDelay:30s", 0, 65, 3),
    Measured("sentry", "Deploy:30 STS:8(x3 max) hookJob:6 readyDelay:60s", 0, 1234, 2),
    Measured("tetragon", "Deploy:1 DS:1 readyDelay:5s", 0, 44, 1),
    Measured("vault", "Deploy:1 STS:1 readyDelay:5s", 0, 14, 4),
];

/// A chart of which somebody said in public how long it takes, and which no constant was adjusted to.
struct Reported {
    chart: &'static str,
    layout: &'static str,
    crds: usize,
    profile: Profile,
    seconds: u64,
    /// Whether it is known only that it takes longer.
    at_least: bool,
    source: &'static str,
}

const fn reported(
    chart: &'static str,
    layout: &'static str,
    crds: usize,
    profile: Profile,
    seconds: u64,
    source: &'static str,
) -> Reported {
    Reported { chart, layout, crds, profile, seconds, at_least: false, source }
}

const fn longer(
    chart: &'static str,
    layout: &'static str,
    crds: usize,
    profile: Profile,
    source: &'static str,
) -> Reported {
    Reported { chart, layout, crds, profile, seconds: 300, at_least: true, source }
}

const BLOG: &str = "blog.tazlab.net, sdd-context-dag-fix-first-shot: 1–2 min each";

const REPORTED: [Reported; 14] = [
    reported(
        "cassandra",
        "STS:1(x3 max) readyDelay:60s",
        0,
        Profile::Fast,
        360,
        "k8ssandra/k8ssandra#395: 2 min per node, one by one",
    ),
    reported(
        "gpu-operator",
        "Deploy:2 DS:1 hookJob:1 readyDelay:10s",
        326,
        Profile::Fast,
        300,
        "canonical/data-science-stack#131: about 5 min",
    ),
    reported(
        "loki",
        "Deploy:1 STS:3 DS:1 readyDelay:30s",
        0,
        Profile::Fast,
        200,
        "jenkins-infra/kubernetes-management#294: about 200 s, an older chart",
    ),
    reported(
        "mimir-distributed",
        "Deploy:6 STS:6(x3 max) hookJob:1 readyDelay:60s",
        0,
        Profile::Fast,
        540,
        "kubermatic/kubermatic#11753: 3 min for each of 3 ingesters",
    ),
    reported(
        "redpanda",
        "Deploy:1 STS:1(x3 max) hookJob:2 readyDelay:10s",
        0,
        Profile::Fast,
        300,
        "redpanda-data/documentation#1808: right around 5 min",
    ),
    longer(
        "pmm-ha",
        "Deploy:3 STS:5(x3 max) hookJob:2 readyDelay:30s",
        500,
        Profile::Fast,
        "Percona-Lab/jenkins-pipelines#4363: 5 min is too tight",
    ),
    longer(
        "yugabyte",
        "STS:2(x3 max) hookJob:1 readyDelay:10s",
        0,
        Profile::Fast,
        "yugabyte/yugabyte-db#1737: 5 min is not enough",
    ),
    reported("dex", "Deploy:1", 0, Profile::Slow, 90, BLOG),
    reported(
        "gitlab",
        "Deploy:9 STS:3(x2 max) hookJob:4 readyDelay:60s",
        0,
        Profile::Slow,
        1050,
        "gist rushins/d00ba43f: 15–20 min on minikube",
    ),
    reported("oauth2-proxy", "Deploy:1", 0, Profile::Slow, 90, BLOG),
    reported("reloader", "Deploy:1 readyDelay:10s", 0, Profile::Slow, 90, BLOG),
    reported("traefik", "Deploy:1 readyDelay:2s", 419, Profile::Slow, 90, BLOG),
    longer(
        "kuadrant-operator",
        "Deploy:4 readyDelay:5s",
        1500,
        Profile::Slow,
        "rwlove/home-ops#13844: four cold images, more than 5 min",
    ),
    longer(
        "longhorn",
        "Deploy:2 DS:1 readyDelay:5s",
        144,
        Profile::Slow,
        "blog.tazlab.net, orchestrating-ephemeral-castle: 14 min with it, 8 min 20 s without",
    ),
];

/// A layout as it is written in the tables: `Deploy:3 STS:4(x2 max) DS:1 hookJob:2 readyDelay:5s`, one image for each
/// workload.
fn layout(chart: &str, text: &str, kib: usize) -> Layout {
    let mut layout = Layout { crds: kib * 1024, ..Layout::default() };
    let delay = text.split_once("readyDelay:").map_or(0, |(_, rest)| {
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("seconds")
    });
    let text = text.replace(" max)", ")");
    for part in text.split_whitespace() {
        let (kind, count) = part.split_once(':').expect("kind:count");
        let (count, replicas) = count.split_once("(x").unwrap_or((count, "1)"));
        let replicas = replicas.trim_end_matches(')').parse().expect("replicas");
        let count: u32 = if kind == "readyDelay" { 0 } else { count.parse().expect("count") };
        if kind == "hookJob" {
            layout.hooks += count;
            continue;
        }
        for index in 0..count {
            layout.add_image(&format!("{kind}-{index}"), kind == "DS");
            layout.workloads.push(Workload {
                delay: Duration::from_secs(delay),
                period: constants::PROBE_PERIOD,
                warmup: Warmup::new(chart),
                replicas,
                is_ordered: kind == "STS",
                has_volume: kind == "STS",
                is_job: kind == "Job",
                ..Workload::default()
            });
        }
    }
    layout.objects = constants::OBJECTS_PER_WORKLOAD * (layout.workloads.len() + layout.hooks as usize);
    layout
}

fn typical(chart: &str, text: &str, kib: usize, profile: Profile) -> u64 {
    layout(chart, text, kib).of_chart(profile, Duration::from_secs(300)).typical.as_secs()
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    (ratios[(ratios.len() - 1) / 2] + ratios[ratios.len() / 2]) / 2.0
}

fn near(ratios: &[f64]) -> usize {
    ratios.iter().filter(|ratio| (0.5..=2.0).contains(*ratio)).count()
}

/// Compares what stands between two marks of the page with what it ought to be; `UPDATE=1` writes it.
fn page(mark: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/minutes.md");
    let page = fs::read_to_string(&path).expect("the page");
    let start = page.find(mark).and_then(|at| Some(at + page[at..].find('\n')? + 1)).expect("the mark");
    let end = start + page[start..].find("<!-- end -->").expect("the end of the table");
    if page[start..end] == *text {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "docs/minutes.md is out of date; write it with UPDATE=1 cargo test\n{text}"
    );
    fs::write(&path, format!("{}{text}{}", &page[..start], &page[end..])).expect("written");
}

#[test]
fn measured_charts_are_met_within_a_factor_of_two_mostly() {
    let mut table = "| chart | timed | measured s | estimate s | ratio |\n|---|--:|--:|--:|--:|\n".to_owned();
    let mut ratios = Vec::new();
    let mut unseen = Vec::new();
    for Measured(chart, text, kib, seconds, count) in MEASURED {
        let estimate = typical(chart, text, kib, Profile::Fast);
        let ratio = estimate as f64 / seconds as f64;
        ratios.push(ratio);
        let is_tuned = TUNED.contains(&chart);
        if !is_tuned {
            unseen.push(ratio);
        }
        let mark = if is_tuned { "\\*" } else { "" };
        writeln!(table, "| {chart}{mark} | {count} | {seconds} | {estimate} | {ratio:.2} |").expect("memory");
    }
    writeln!(
        table,
        "\nMedian ratio {:.2}; {} of {} within a factor of two. Without the four that the constants were adjusted to (\\*): median {:.2}, {} of {}.",
        median(ratios.clone()), near(&ratios), ratios.len(), median(unseen.clone()), near(&unseen), unseen.len()
    )
    .expect("memory");
    println!("{table}");
    assert!((0.8..=1.25).contains(&median(ratios.clone())) && near(&ratios) >= 16, "{table}");
    page("<!-- measured:", &table);
}

#[test]
fn figures_that_no_constant_was_adjusted_to_are_met_within_a_factor_of_two_mostly() {
    let mut table =
        "| chart | hardware | reported s | estimate s (high) | ratio | source |\n|---|---|--:|--:|--:|---|\n"
            .to_owned();
    let mut ratios = Vec::new();
    let (mut bounds, mut met) = (0, 0);
    for reported in &REPORTED {
        assert!(
            !TUNED.contains(&reported.chart) && MEASURED.iter().all(|row| row.0 != reported.chart),
            "{}",
            reported.chart
        );
        let range =
            layout(reported.chart, reported.layout, reported.crds).of_chart(reported.profile, Duration::from_secs(300));
        let (estimate, high) = (range.typical.as_secs(), range.high.as_secs());
        let (sign, ratio) = if reported.at_least {
            bounds += 1;
            met += usize::from(high > reported.seconds);
            ("> ", "–".to_owned())
        } else {
            let ratio = estimate as f64 / reported.seconds as f64;
            ratios.push(ratio);
            ("", format!("{ratio:.2}"))
        };
        let Reported { chart, profile, seconds, source, .. } = reported;
        writeln!(table, "| {chart} | {profile} | {sign}{seconds} | {estimate} ({high}) | {ratio} | {source} |")
            .expect("memory");
    }
    writeln!(
        table,
        "\nMedian ratio {:.2}; {} of {} within a factor of two. Of {bounds} charts that are known to take more than 5 min, {met} have a high \
         end above that.",
        median(ratios.clone()), near(&ratios), ratios.len()
    )
    .expect("memory");
    println!("{table}");
    assert!(near(&ratios) * 4 >= ratios.len() * 3, "{table}");
    page("<!-- reported:", &table);
}

#[test]
fn a_chart_of_unknown_layout_is_taken_for_the_median_of_the_catalogue() {
    for profile in [Profile::Slow, Profile::Fast] {
        let rows = Catalog::builtin().rows();
        let of_row = |row: &crate::catalog::ChartWeight| if profile == Profile::Slow { row.slow } else { row.fast };
        let mut typical: Vec<Duration> = rows.map(|row| of_row(row).typical).collect();
        typical.sort_unstable();
        let (unknown, middle) = (profile.constants().unknown_chart, typical[typical.len() / 2]);
        assert!((unknown.low..=unknown.high).contains(&middle), "{profile}: {middle:?}");
        let (least, most) = (middle * 2 / 3, middle * 3 / 2);
        assert!((least..=most).contains(&unknown.typical), "{profile}: {middle:?} is the median");
    }
}

/// The formula of the reference that the catalogue was compiled with, at its own figures for all charts.
#[test]
fn the_formula_gives_what_the_reference_gives() {
    let Some(corpus) = std::env::var_os("FLUXDAG_CORPUS") else {
        println!("SKIPPED: FLUXDAG_CORPUS is not set");
        return;
    };
    let Ok(text) = fs::read_to_string(Path::new(&corpus).join("../reference/chart-weights.csv")) else {
        println!("SKIPPED: no chart-weights.csv beside the corpus");
        return;
    };
    let mut lines = text.lines().map(fields);
    let head = lines.next().expect("a head");
    let column = |name: &str| head.iter().position(|field| field == name).expect("a column");
    let [chart, workloads, kib, fast, slow] =
        ["chart", "workloads", "crd_kib", "formula_fast_s", "formula_slow_s"].map(column);
    let mut ratios = [Vec::new(), Vec::new()];
    for row in lines.filter(|row| row[workloads].contains(':')) {
        for (profile, formula) in [(Profile::Fast, fast), (Profile::Slow, slow)] {
            let expected: f64 = row[formula].parse().expect("seconds");
            let estimate = typical(&row[chart], &row[workloads], row[kib].parse().expect("KiB"), profile);
            ratios[usize::from(profile == Profile::Slow)].push(estimate as f64 / expected.max(1.0));
        }
    }
    for ratios in ratios {
        let alike = ratios.iter().filter(|ratio| (0.75..=1.34).contains(*ratio)).count();
        println!("{} rows, median ratio {:.2}, {alike} within a quarter", ratios.len(), median(ratios.clone()));
        assert!(ratios.len() > 150 && (0.9..=1.1).contains(&median(ratios.clone())));
        assert!(alike * 4 >= ratios.len() * 3, "{alike} of {}", ratios.len());
    }
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            letter => fields.last_mut().expect("one").push(letter),
        }
    }
    fields
}

#[test]
fn images_are_told_apart_by_their_name_alone() {
    let names = [
        "ghcr.io/org/app:1.0",
        "ghcr.io/org/app@sha256:ab",
        "org/app",
        "localhost:5000/org/app:1",
        "docker.io/org/app:2@sha256:c",
    ];
    assert_eq!(names.map(image_name), ["org/app"; 5]);
    assert_eq!(image_name("busybox:1.36"), "busybox");
}

#[test]
fn what_comes_one_after_the_other_adds_up() {
    let one = Workload { replicas: 1, is_ordered: true, has_volume: true, ..Workload::default() };
    let three = Workload { replicas: 3, ..one };
    // Slow: start 10, warm-up 15, volume 15; each further one start 10, half the warm-up, volume 15.
    assert_eq!(one.ready(Profile::Slow), Duration::from_secs(40));
    assert_eq!(three.ready(Profile::Slow), Duration::from_millis(40_000 + 2 * 32_500));
    let parallel = Workload { is_ordered: false, ..three };
    assert_eq!(parallel.ready(Profile::Slow), one.ready(Profile::Slow));
}

#[test]
fn a_startup_probe_widens_the_high_end_up_to_the_timeout_alone() {
    let of = |budget: u64| {
        let workload = Workload { replicas: 1, budget: Duration::from_secs(budget), ..Workload::default() };
        Layout { workloads: vec![workload], ..Layout::default() }.of_chart(Profile::Slow, Duration::from_secs(300))
    };
    assert_eq!(of(0).typical, of(3600).typical);
    assert_eq!(of(3600).high, Duration::from_secs(300));
    assert!(of(0).high < Duration::from_secs(300));
}
