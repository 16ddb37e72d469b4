//! Comments that silence findings: which they mean, what is said of those that are of no use, and what is shown.

use fluxdag::{
    Analysis, Options,
    finding::{Finding, SuppressionKind},
    lint,
};

use crate::support::{Done, Repository, SYNC, SYNC_FILE, sync};

/// A Kustomization that lacks its folder, with `extra` behind `path` and `above` on the lines above it.
fn node(name: &str, above: &str, extra: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\nspec:\n  \
         interval: 1h\n  retryInterval: 1m\n  timeout: 5m\n{above}  path: ./{name}{extra}\n  prune: true\n  sourceRef: {{kind: GitRepository, \
         name: flux-system}}\n"
    )
}

/// One cluster, whose Kustomizations are `text`.
fn one(text: &str) -> Repository {
    Repository::cluster(&[("clusters/prod/apps.yaml", text)])
}

/// Rule and line of what is shown, with the rules of what is suppressed.
fn reported(analysis: &Analysis) -> (Vec<String>, Vec<String>) {
    let line = |finding: &Finding| {
        let line = finding.location.span().map_or(0, |span| analysis.tree.position(span).line);
        format!("{}:{line}", finding.rule)
    };
    let (suppressed, shown): (Vec<&Finding>, Vec<&Finding>) =
        analysis.findings.iter().partition(|finding| finding.suppressed.is_some());
    (shown.into_iter().map(line).collect(), suppressed.into_iter().map(line).collect())
}

fn told_of(text: &str) -> (Vec<String>, Vec<String>) {
    reported(&one(text).analyse(&Options::default()))
}

/// As [`told_of`], for what is expected.
fn lines(shown: &[&str], suppressed: &[&str]) -> (Vec<String>, Vec<String>) {
    let of = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    (of(shown), of(suppressed))
}

#[test]
fn a_comment_silences_its_line_the_next_one_or_the_file() {
    let silent = lines(&[], &["missing-path:10"]);
    assert_eq!(told_of(&node("apps", "", "")), lines(&["missing-path:10"], &[]));
    assert_eq!(told_of(&node("apps", "", " # fluxdag: ignore[missing-path] later")), silent);
    assert_eq!(
        told_of(&node("apps", "", " # {\"$imagepolicy\": \"a:b\"} # fluxdag: ignore[missing-path] later")),
        silent
    );
    assert_eq!(told_of(&node("apps", "  # fluxdag: ignore[missing-path]\n", "")), lines(&[], &["missing-path:11"]));
    let whole = format!(
        "---\n# yaml-language-server: $schema=x\n# fluxdag: ignore-file[missing-path] x\n{}",
        node("apps", "", "")
    );
    assert_eq!(told_of(&whole), lines(&[], &["missing-path:13"]));
    let windows = node("apps", "  # fluxdag: ignore[missing-path]\n", "").replace('\n', "\r\n");
    assert_eq!(told_of(&windows), lines(&[], &["missing-path:11"]));
}

#[test]
fn a_comment_elsewhere_silences_nothing_and_is_called_unused() {
    let both = lines(&["unused-suppression:9", "missing-path:10"], &[]);
    let text = node("apps", "", "").replace("timeout: 5m", "timeout: 5m # fluxdag: ignore[missing-path]");
    assert_eq!(told_of(&text), both);
    let other_rule = node("apps", "", " # fluxdag: ignore[dependency-cycle]");
    assert_eq!(told_of(&other_rule), lines(&["missing-path:10", "unused-suppression:10"], &[]));
    let half = node("apps", "", " # fluxdag: ignore[dependency-cycle, missing-path]");
    let analysis = one(&half).analyse(&Options::default());
    assert_eq!(reported(&analysis), lines(&["unused-suppression:10"], &["missing-path:10"]));
    let unused = analysis.findings.iter().find(|finding| finding.suppressed.is_none()).unwrap();
    assert!(unused.message.contains("`dependency-cycle` finds nothing here"), "{}", unused.message);
    assert_eq!(
        (unused.subject.to_string(), unused.help.as_str()),
        ("File/clusters/prod/apps.yaml".to_owned(), "take `dependency-cycle` off its list")
    );
}

#[test]
fn text_in_scalars_is_no_comment() {
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: default\ndata:\n  script: |\n    # fluxdag: \
               ignore[missing-path]\n    a # fluxdag: ignore[nothing]\n  folded: >-\n    # fluxdag: ignore[]\n  quoted: \"x # fluxdag: ignore[*]\"\n  \
               single: 'x # fluxdag: ignore'\n  lines: \"x\n    # fluxdag: ignore\n    y\"\n  plain: x#fluxdag:ignore\n";
    assert_eq!(told_of(&format!("{}{map}", node("apps", "", ""))), lines(&["missing-path:10"], &[]));
    let header = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: default\ndata:\n  script: | # fluxdag: ignore[missing-path]\n    x\n";
    let expected = lines(&["missing-path:10", "unused-suppression:20"], &[]);
    assert_eq!(
        told_of(&format!("{}{header}", node("apps", "", ""))),
        expected,
        "the head of a block scalar may have one"
    );
}

#[test]
fn a_related_place_counts_as_the_main_one_does() {
    let cycle = |marked: usize| {
        let of = |index: usize, name: &str, other: &str| {
            let mark = if index == marked { " # fluxdag: ignore[dependency-cycle]" } else { "" };
            let text = node(name, "", "").replace(&format!("./{name}"), "./apps");
            format!("{text}  dependsOn:\n    - name: {other}{mark}\n")
        };
        let apps = [of(0, "a", "b"), of(1, "b", "c"), of(2, "c", "a")].join("---\n");
        let repository = one(&apps);
        repository.write("apps/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: x}\n");
        let (shown, suppressed) = reported(&repository.analyse(&Options::default()));
        let of_cycle = |lines: &[String]| lines.iter().filter(|line| line.starts_with("dependency-cycle")).count();
        (of_cycle(&shown), of_cycle(&suppressed))
    };
    assert_eq!(cycle(9), (1, 0));
    for marked in 0..3 {
        assert_eq!(cycle(marked), (0, 1), "the entry of node {marked}");
    }
}

#[test]
fn malformed_comments_are_told_and_silence_nothing() {
    let message = |comment: &str, options: &Options| {
        let analysis = one(&node("apps", "", &format!(" {comment}"))).analyse(options);
        assert!(analysis.findings.iter().all(|finding| finding.suppressed.is_none()), "{comment}");
        let found = analysis.findings.into_iter().find(|finding| finding.rule == "unused-suppression").unwrap();
        (found.message, found.help)
    };
    let plain = |comment: &str| message(comment, &Options::default());
    let (said, help) = plain("# fluxdag: ignore[mising-path]");
    assert!(
        said.contains("`mising-path`, which is no rule") && help.contains("did you mean `missing-path`?"),
        "{said} {help}"
    );
    assert!(plain("# fluxdag: ignore missing-path").0.contains("no list"));
    assert!(plain("# fluxdag: ignore[]").0.contains("empty"));
    assert!(plain("# fluxdag: ignore[*]").0.contains("`*` names no rule"));
    assert!(plain("# fluxdag: ignore[missing-path").0.contains("not closed"));
    assert!(plain("# fluxdag: ignore-file[missing-path]").0.contains("behind the first content"));
    assert!(plain("# fluxdag: disable[missing-path]").0.contains("`disable` is neither"));
    let strict = Options { require_reason: true, ..Options::default() };
    assert!(message("# fluxdag: ignore[missing-path]", &strict).0.contains("gives no reason"));
    let reasoned = one(&node("apps", "", " # fluxdag: ignore[missing-path] later")).analyse(&strict);
    assert_eq!(reported(&reasoned), lines(&[], &["missing-path:10"]));
}

#[test]
fn a_comment_for_a_rule_that_does_not_run_is_left_alone() {
    let text = node("apps", "", " # fluxdag: ignore[missing-path, long-critical-path]");
    assert_eq!(told_of(&text), lines(&[], &["missing-path:10"]));
    let limited = Options { max_path: Some(std::time::Duration::from_secs(36_000)), ..Options::default() };
    let repository = one(&text);
    assert_eq!(reported(&repository.analyse(&limited)), lines(&["unused-suppression:10"], &["missing-path:10"]));
    let kept = node("apps", "", " # fluxdag: ignore[missing-path, dependency-cycle, unused-suppression]");
    assert_eq!(told_of(&kept), lines(&[], &["missing-path:10", "unused-suppression:10"]));
}

/// Two clusters with a base in common. The comment in the base and the one in staging are of use in staging alone.
fn two_clusters() -> Repository {
    let comment = "# fluxdag: ignore[duplicate-owner] known\n";
    let shared = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  {comment}  name: x\n  namespace: default\n");
    let (staging, sync) = sync("staging");
    let good = |name: &str| node(name, "", "").replace(&format!("./{name}"), "./base");
    Repository::new(&[
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/apps.yaml", good("apps")),
        (
            "clusters/prod/more.yaml",
            format!("{}# fluxdag: ignore[dependency-cycle]\n", node("more", "", "").replace("./more", "./prod")),
        ),
        ("prod/y.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y, namespace: y}\n".to_owned()),
        (staging.as_str(), sync),
        ("clusters/staging/apps.yaml", format!("{}---\n{}", good("apps"), node("again", "", ""))),
        ("clusters/staging/broken.yaml", node("broken", "", " # fluxdag: ignore[missing-path] later")),
        (
            "clusters/staging/kustomization.yaml",
            "resources: [flux-system/gotk-sync.yaml, apps.yaml, broken.yaml]\n# fluxdag: ignore[build-failure]\n"
                .to_owned(),
        ),
        ("base/x.yaml", shared),
        ("again/kustomization.yaml", "resources: [../base/x.yaml]\n".to_owned()),
    ])
}

#[test]
fn a_run_on_a_part_calls_no_comment_unused_that_another_part_needs() {
    let repository = two_clusters();
    let unused = |analysis: &Analysis| -> Vec<String> {
        let unused = analysis.findings.iter().filter(|finding| finding.rule == "unused-suppression");
        unused.map(|finding| finding.subject.name.clone()).collect()
    };
    let in_prod = "clusters/prod/more.yaml".to_owned();
    let whole = repository.analyse(&Options::default());
    assert_eq!(unused(&whole), [in_prod.clone(), "clusters/staging/kustomization.yaml".to_owned()]);
    let at = |path: &str, cluster: Option<&str>| {
        let options = Options { cluster: cluster.map(str::to_owned), ..Options::default() };
        // Without git the root is found from the whole alone.
        let options = Options { root: Some(repository.folder().to_owned()), ..options };
        lint(&[repository.path(path)], &options).unwrap()
    };
    assert_eq!(unused(&at("clusters/prod", None)), std::slice::from_ref(&in_prod));
    assert_eq!(unused(&at("clusters/prod/apps.yaml", None)), Vec::<String>::new());
    assert_eq!(unused(&at(".", Some("prod"))), [in_prod]);
    assert_eq!(
        unused(&at("clusters/staging", None)),
        Vec::<String>::new(),
        "a kustomization file proves nothing of a part"
    );
    let staging = at(".", Some("staging"));
    assert_eq!(unused(&staging), Vec::<String>::new());
    assert_eq!(staging.findings.iter().filter(|finding| finding.suppressed.is_some()).count(), 2);
}

#[test]
fn one_finding_of_two_clusters_is_silenced_once() {
    let shared = node("apps", "", " # fluxdag: ignore[missing-path] later");
    let import = |cluster: &str| {
        (
            format!("clusters/{cluster}/kustomization.yaml"),
            "resources: [flux-system/gotk-sync.yaml, ../../shared]\n".to_owned(),
        )
    };
    let files = [
        sync("prod"),
        import("prod"),
        sync("staging"),
        import("staging"),
        ("shared/kustomization.yaml".to_owned(), "resources: [apps.yaml]\n".to_owned()),
        ("shared/apps.yaml".to_owned(), shared),
    ];
    let analysis = Repository::new(&files).analyse(&Options::default());
    assert_eq!(reported(&analysis), lines(&[], &["missing-path:10"]));
    assert_eq!(analysis.findings[0].clusters, ["clusters/prod", "clusters/staging"]);
    let suppressed = analysis.findings[0].suppressed.as_ref().unwrap();
    assert_eq!((suppressed.kind, suppressed.reason.as_deref()), (SuppressionKind::Inline, Some("later")));
}

#[test]
fn what_is_suppressed_is_counted_kept_in_json_and_fails_nothing() {
    let repository = one(&node("apps", "", " # fluxdag: ignore[missing-path] later"));
    let Done { code, out, .. } = repository.run(&["lint"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("no problems found") && out.contains("(1 suppressed)") && !out.contains("missing-path"),
        "{out}"
    );
    let Done { code, out, err } = repository.lint(&[]);
    assert!(code == 0 && out.is_empty() && err.contains("1 suppressed"), "{out}{err}");

    let done = repository.run(&["lint", "-o", "json"]);
    let json = done.json();
    assert_eq!((done.code, &json["summary"]["suppressed"], &json["summary"]["errors"]), (0, &1.into(), &0.into()));
    let finding = &json["findings"][0];
    assert_eq!((&finding["rule"], &finding["suppressed"]["kind"]), (&"missing-path".into(), &"inline".into()));
    assert_eq!(finding["suppressed"]["reason"], "later");

    let Done { code, out, .. } = repository.run(&["lint", "--no-ignore-comments"]);
    assert!(code == 1 && out.contains("error[missing-path]") && !out.contains("suppress"), "{out}");
    let unused = one("# fluxdag: ignore-file[dependency-cycle, nonsense]\n");
    assert!(!unused.run(&["lint", "--no-ignore-comments"]).out.contains("unused-suppression"));
    assert!(unused.lint(&[]).out.contains("unused-suppression"));
}

#[test]
fn the_configuration_may_require_a_reason() {
    let repository = one(&node("apps", "", " # fluxdag: ignore[missing-path]"));
    repository.write("fluxdag.toml", "require-reason = true\n");
    let Done { code, out, .. } = repository.lint(&[]);
    assert!(code == 1 && out.contains("missing-path") && out.contains("it gives no reason"), "{out}");
    assert_eq!(repository.lint(&["--no-config"]).code, 0);
}

#[test]
fn files_that_do_not_parse_may_be_silenced_above_their_content() {
    let broken = "# fluxdag: ignore-file[invalid-yaml] a template\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: x}\ndata:\n  a: b: c\n";
    let repository = Repository::cluster(&[("clusters/prod/x.yaml", broken)]);
    assert_eq!(reported(&repository.analyse(&Options::default())).1, ["invalid-yaml:6"]);
    assert!(repository.path("clusters/prod/x.yaml").exists());
}
