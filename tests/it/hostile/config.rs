//! Configurations and ignore rules that cost too much.

use std::time::{Duration, Instant};

use fluxdag::Options;
use serde_json::json;

use crate::support::{Repository, config_map};

/// Generous, because tests run unoptimised and side by side.
const PATIENCE: Duration = Duration::from_secs(20);

fn nested(depth: usize) -> String {
    format!("{}b{}", "{a,".repeat(depth), "}".repeat(depth))
}

#[test]
fn a_pattern_that_is_too_much_is_an_error_with_its_line() {
    let repository = Repository::cluster(&[("apps/cm.yaml", config_map("a"))]);
    for (text, why) in [
        (format!("\nexclude = [{}]", json!(nested(100))), "fluxdag.toml:2:12: a pattern with more than 8 choices"),
        (format!("exclude = [{}]", json!("*a".repeat(10_000))), "fluxdag.toml:1:12: a pattern of more than 1024"),
        (format!("[[externals]]\nkind = \"A\"\nname = {}", json!(nested(100))), "fluxdag.toml:3:8: a pattern with"),
        (format!("exclude = [{}]", "\"a*\",".repeat(100_000)), "more than 1000 entries of `exclude`"),
        (format!("paths = [{}]", "\".\",".repeat(100_000)), "more than 1000 entries of `paths`"),
        (format!("select = [{}]", "\"deadlock\",".repeat(50_000)), "more than 1000 entries of `select`"),
        ("#".repeat(2_000_000), "it has more than 1048576 bytes"),
    ] {
        repository.write("fluxdag.toml", text);
        let start = Instant::now();
        let done = repository.lint(&[]);
        assert!(done.code == 2 && done.err.contains(why), "{why}: {}", done.err);
        assert!(start.elapsed() < PATIENCE, "{why}");
    }
}

#[test]
fn a_generated_artifact_of_too_costly_patterns_is_not_made() {
    let generator = |copies: &str| {
        format!(
            "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {{name: g, namespace: flux-system}}\n\
             spec:\n  sources: [{{alias: f, kind: GitRepository, name: flux-system}}]\n  artifacts: [{{name: x, copy: [{copies}]}}]\n\
             ---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: x, namespace: flux-system}}\n\
             spec: {{interval: 10m, prune: true, path: ./, sourceRef: {{kind: ExternalArtifact, name: x}}}}\n"
        )
    };
    let copy = |glob: &str| format!("{{from: \"@f/{glob}\", to: \"@artifact/\"}},");
    let many: String = (0..1_000).map(|index| copy(&format!("apps/*{index}"))).collect();
    for (copies, why) in
        [(copy(&nested(100)), "8 choices"), (copy(&"*a".repeat(3_000)), "1024 letters"), (many, "200 patterns")]
    {
        let repository =
            Repository::cluster(&[("clusters/prod/g.yaml", generator(&copies)), ("apps/cm.yaml", config_map("a"))]);
        let analysis = repository.analyse(&Options::default());
        let details: Vec<&str> =
            analysis.clusters[0].unresolved_details.iter().map(|detail| detail.why.as_str()).collect();
        assert!(details.iter().any(|detail| detail.contains(why)), "{why}: {details:?}");
    }
}

#[test]
fn ignore_rules_by_the_thousand_take_no_time_or_are_not_followed() {
    let files: Vec<(String, String)> =
        (0..300).map(|index| (format!("apps/a{index}/cm.yaml"), config_map(&format!("c{index}")))).collect();
    let repository = Repository::cluster(&files);
    let lines =
        |line: &str, number: usize| (0..number).map(|at| line.replace('N', &at.to_string())).collect::<String>();
    for (text, is_followed) in [
        (lines("name-N.txt\n", 9_000), true),
        (lines("apps/aN/none.yaml\n", 9_000), true),
        (lines("name-N.txt\n", 60_000), false),
        (lines("*x*N*y*\n", 5_000), false),
        (format!("{}\n", "*a".repeat(100_000)), false),
    ] {
        repository.write(".sourceignore", text);
        let start = Instant::now();
        let analysis = repository.analyse(&Options::default());
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        let is_told =
            analysis.clusters[0].unresolved_details.iter().any(|detail| detail.why.contains("more rules than"));
        assert_eq!(is_told, !is_followed, "{:?}", analysis.clusters[0].unresolved_details);
    }
}
