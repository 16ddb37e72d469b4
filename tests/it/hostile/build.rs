//! Builds that multiply. Each asks for as much as the kind of input that is named does, runs into the budget at a place of
//! its own, and leaves the rest of the repository as it is.

use std::fmt::Write as _;

use fluxdag::{
    Analysis, Options,
    finding::{Finding, Severity},
};

use crate::support::{Repository, config_map};

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/// A Kustomization with further fields of its spec.
fn flux(name: &str, path: &str, more: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 10m, path: ./{path}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}{more}}}\n"
    )
}

/// `count` times what `one` gives.
fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

fn config_maps(count: usize) -> String {
    many(count, |index| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x{index}, namespace: a}}\n"))
}

/// Findings of a repository whose Kustomization `apps` builds these files, beside one that depends on nothing that is there.
/// That one has to be found whatever `apps` does.
fn findings(more: &str, files: &[(&str, String)]) -> Vec<Finding> {
    analyse(more, files).findings
}

fn analyse(more: &str, files: &[(&str, String)]) -> Analysis {
    let mut all = vec![
        ("clusters/prod/apps.yaml", flux("apps", "apps", more)),
        ("clusters/prod/good.yaml", flux("good", "good", ", dependsOn: [{name: gone}]")),
        ("good/cm.yaml", config_map("good")),
    ];
    all.extend(files.iter().cloned());
    let analysis = Repository::cluster(&all).analyse(&Options::default());
    let is_good = |finding: &&Finding| finding.rule == "dangling-dependency" && finding.message.contains("good");
    assert!(analysis.findings.iter().any(|finding| is_good(&finding)), "{:?}", messages(&analysis.findings));
    analysis
}

fn messages(findings: &[Finding]) -> Vec<String> {
    findings.iter().take(20).map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

/// The one finding of the build that says `what`, with the text that it is about.
fn located(findings: &[Finding], what: &str) -> Finding {
    let of_build = |finding: &&Finding| finding.rule == "build-failure" && finding.message.contains(what);
    let found: Vec<&Finding> = findings.iter().filter(of_build).collect();
    let [only] = found.as_slice() else { panic!("{what}: {:?}", messages(findings)) };
    assert!(only.location.span().is_some(), "{}", only.message);
    (*only).clone()
}

fn kustomization(text: &str) -> (&'static str, String) {
    ("apps/kustomization.yaml", format!("{KUSTOMIZATION}{text}"))
}

#[test]
fn a_path_of_five_thousand_parts_is_refused() {
    let path = "/a".repeat(5_000);
    let specs = format!("namePrefix: [{{path: metadata{path}, create: true, kind: ConfigMap}}]\n");
    let files = [
        kustomization("resources: [cm.yaml]\nnamePrefix: p-\nconfigurations: [c.yaml]\n"),
        ("apps/c.yaml", specs),
        ("apps/cm.yaml", config_maps(1)),
    ];
    located(&findings("", &files), "more than 512 parts");
    let dotted = format!("data{}", ".a".repeat(5_000));
    let replacement = |source: &str, target: &str| {
        let source = format!("{{kind: ConfigMap, name: x0, fieldPath: {source}}}");
        let target = format!("{{select: {{kind: ConfigMap}}, fieldPaths: [{target}], options: {{create: true}}}}");
        kustomization(&format!("resources: [cm.yaml]\nreplacements: [{{source: {source}, targets: [{target}]}}]\n"))
    };
    for (source, target) in [("metadata.name", dotted.as_str()), (dotted.as_str(), "data.a")] {
        let files = [replacement(source, target), ("apps/cm.yaml", config_maps(1))];
        located(&findings("", &files), "more than 512 parts");
    }
}

/// Definitions of `crds`, of which each refers to the next one twice.
fn definitions(levels: usize, last: &str) -> String {
    let named = r#""kind": {}, "apiVersion": {}, "metadata": {}"#;
    let one = |index: usize| {
        let next = index + 1;
        format!(
            r##""d{index}": {{"Schema": {{"properties": {{{named}, "a": {{"$ref": "d{next}"}}, "b": {{"$ref": "d{next}"}}}}}}}},"##
        )
    };
    format!(r#"{{{}"d{levels}": {{"Schema": {{"properties": {{"n": {last}}}}}}}}}"#, many(levels, one))
}

#[test]
fn definitions_that_refer_to_the_next_one_twice_are_followed_once_where_they_say_nothing() {
    let build = |last: &str| {
        let files = [
            kustomization("resources: [cm.yaml]\nnamePrefix: p-\ncrds: [c.json]\n"),
            ("apps/c.json", definitions(28, last)),
            ("apps/cm.yaml", config_maps(1)),
        ];
        findings("", &files)
    };
    let silent = build("{}");
    assert!(!silent.iter().any(|finding| finding.rule == "build-failure"), "{:?}", messages(&silent));
    // Where they do, each way to it is another field.
    located(&build(r#"{"x-kubernetes-identity": ""}"#), "takes more than 20,000,000 steps");
}

#[test]
fn aliases_count_as_what_they_stand_for_in_all_documents_together() {
    let nine = |of: usize| format!("a{}: &a{} [{}]\n", of + 1, of + 1, vec![format!("*a{of}"); 9].join(","));
    let document = |index: usize| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: b{index}, namespace: a}}\na0: &a0 {{containers: [{{image: nginx}}]}}\n{}",
            many(5, nine)
        )
    };
    let files = [
        kustomization("resources: [b.yaml]\nimages: [{name: nginx, newTag: \"2\"}]\n"),
        ("apps/b.yaml", many(60, document)),
    ];
    located(&findings("", &files), "takes more than 20,000,000 steps");
}

#[test]
fn substitution_has_one_budget_for_all_objects() {
    let object = |index: usize| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}, namespace: a}}\ndata: {{k: \"${{a}}${{a}}\"}}\n"
        )
    };
    let more = format!(", postBuild: {{substitute: {{a: \"{}\"}}}}", "x".repeat(100_000));
    let found = located(&findings(&more, &[("apps/cm.yaml", many(200, object))]), "16,777,216 bytes of text");
    assert!(found.message.contains("its substitution makes more than"), "{}", found.message);
}

#[test]
fn what_a_generator_makes_is_no_larger_than_a_cluster_stores() {
    let generator = |count: usize| {
        kustomization(&format!(
            "configMapGenerator:\n{}",
            many(count, |index| format!("- {{name: g{index}, namespace: a, files: [big.txt]}}\n"))
        ))
    };
    let files = [generator(1), ("apps/big.txt", "a".repeat(1_100_000))];
    let found = located(&findings("", &files), "too large to be applied: ConfigMap/g0 holds 1074 KiB");
    assert!(found.why.contains("Too long: must have at most 1048576 bytes"), "{}", found.why);
    // And not without number.
    let files = [generator(200), ("apps/big.txt", "a".repeat(400_000))];
    located(&findings("", &files), "makes more than 33,554,432 bytes of text");
}

#[test]
fn a_generator_of_very_many_keys_takes_them_all() {
    let files = [
        kustomization("configMapGenerator: [{name: g, namespace: a, envs: [big.env]}]\n"),
        ("apps/big.env", many(50_000, |index| format!("K{index}=v\n"))),
    ];
    let found = findings("", &files);
    assert!(!found.iter().any(|finding| finding.rule == "build-failure"), "{:?}", messages(&found));
}

#[test]
fn expressions_are_read_up_to_a_number_of_bytes_in_all() {
    let expression = |index: usize| many(120, |part| format!("a{part}.b == '{index}' && ")) + "true";
    let apps = many(140, |index| {
        let entry = format!("{{apiVersion: v1, kind: ConfigMap, current: \"{}\"}}", expression(index));
        flux(&format!("k{index}"), "apps", &format!(", healthCheckExprs: [{entry}]"))
    });
    let files = [("clusters/prod/k.yaml", apps), ("apps/cm.yaml", config_map("x"))];
    let found = findings("", &files);
    let unread: Vec<&Finding> = found.iter().filter(|finding| finding.message.contains("is not read")).collect();
    let [unread] = unread.as_slice() else { panic!("{:?}", messages(&found)) };
    assert_eq!((unread.rule, unread.severity), ("invalid-expression", Severity::Info));
    assert!(unread.location.span().is_some());
}

#[test]
fn bases_that_double_at_each_level_end() {
    let mut files: Vec<(String, String)> = Vec::new();
    for level in 0..18 {
        for side in ["a", "b"] {
            let text = format!(
                "{KUSTOMIZATION}namePrefix: {side}{level}-\nresources: [../../{0}/a, ../../{0}/b]\n",
                level + 1
            );
            files.push((format!("e/{level}/{side}/kustomization.yaml"), text));
        }
    }
    for side in ["a", "b"] {
        files.push((format!("e/18/{side}/kustomization.yaml"), format!("{KUSTOMIZATION}resources: [cm.yaml]\n")));
        files.push((format!("e/18/{side}/cm.yaml"), config_map(side)));
    }
    let mut all = vec![kustomization("resources: [../e/0/a, ../e/0/b]\n")];
    all.extend(files.iter().map(|(path, text)| (path.as_str(), text.clone())));
    let found = findings("", &all);
    let is_limit =
        |finding: &&Finding| finding.rule == "build-failure" && finding.message.contains("not followed to its end");
    assert!(found.iter().any(|finding| is_limit(&finding)), "{:?}", messages(&found));
}

#[test]
fn patches_times_objects_are_counted() {
    let json = |index: usize| {
        format!("- target: {{kind: ConfigMap}}\n  patch: |\n    - {{op: add, path: /data/b{index}, value: c}}\n")
    };
    let merge = |index: usize| {
        format!(
            "- target: {{kind: ConfigMap}}\n  patch: |\n    {{apiVersion: v1, kind: ConfigMap, metadata: {{name: x}}, data: {{b{index}: c}}}}\n"
        )
    };
    // Few objects with many keys take as many steps as many objects with few.
    let keys = many(10_000, |index| format!("  a{index}: b\n"));
    let object = |index: usize| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x{index}, namespace: a}}\ndata:\n{keys}")
    };
    for patches in [many(40, json), many(80, merge)] {
        let files =
            [kustomization(&format!("resources: [cm.yaml]\npatches:\n{patches}")), ("apps/cm.yaml", many(40, object))];
        located(&findings("", &files), "takes more than 20,000,000 steps");
    }
}

#[test]
fn fifty_patches_of_each_of_many_objects_are_applied() {
    let patch = |index: usize| {
        format!(
            "- target: {{kind: ConfigMap}}\n  patch: |\n    {{apiVersion: v1, kind: ConfigMap, metadata: {{name: x, labels: {{l{index}: c}}}}}}\n"
        )
    };
    let files = [
        kustomization(&format!("resources: [cm.yaml]\npatches:\n{}", many(50, patch))),
        ("apps/cm.yaml", config_maps(3_000)),
    ];
    let found = findings("", &files);
    assert!(!found.iter().any(|finding| finding.rule == "build-failure"), "{:?}", messages(&found));
}

#[test]
fn patterns_of_targets_cost_what_compiling_them_takes() {
    let patch = |index: usize| {
        format!(
            "- target: {{kind: ConfigMap, name: '(a{{1,30}}){{1,30}}{index}'}}\n  patch: |\n    - {{op: add, path: /data, value: {{a: b}}}}\n"
        )
    };
    let files = [
        kustomization(&format!("resources: [cm.yaml]\npatches:\n{}", many(1_000, patch))),
        ("apps/cm.yaml", config_maps(1)),
    ];
    located(&findings("", &files), "takes more than 20,000,000 steps");
    let files = [
        kustomization(
            "resources: [cm.yaml]\npatches: [{target: {name: '(a{1,1000}){1,1000}'}, patch: '[{\"op\": \"remove\", \"path\": \"/a\"}]'}]\n",
        ),
        ("apps/cm.yaml", config_maps(1)),
    ];
    located(&findings("", &files), "one too large");
}

#[test]
fn replacements_that_double_an_object_end() {
    let double = |index: usize| {
        format!(
            "- {{source: {{kind: ConfigMap, name: x0, fieldPath: data}}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [data.d{index}], options: {{create: true}}}}]}}\n"
        )
    };
    let files = [
        kustomization(&format!("resources: [cm.yaml]\nreplacements:\n{}", many(40, double))),
        (
            "apps/cm.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x0, namespace: a}\ndata: {a: b}\n".to_owned(),
        ),
    ];
    let found = findings("", &files);
    let is_limit =
        |finding: &&Finding| finding.rule == "build-failure" && finding.message.contains("not followed to its end");
    assert!(found.iter().any(|finding| is_limit(&finding)), "{:?}", messages(&found));
}

#[test]
fn replacements_times_objects_are_counted() {
    let one = |index: usize| {
        format!(
            "- {{source: {{kind: ConfigMap, name: x{index}}}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [data.q{index}], options: {{create: true}}}}]}}\n"
        )
    };
    let files = [
        kustomization(&format!("resources: [cm.yaml]\nreplacements:\n{}", many(700, one))),
        ("apps/cm.yaml", config_maps(700)),
    ];
    located(&findings("", &files), "takes more than 20,000,000 steps");
}

#[test]
fn a_copy_of_a_copy_ends() {
    let copy = |index: usize| format!("    - {{op: copy, from: /data, path: /data/x{index}}}\n");
    let text = format!(
        "resources: [cm.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: |\n    - {{op: add, path: /data, value: {{a: b}}}}\n{}",
        many(40, copy)
    );
    let files = [kustomization(&text), ("apps/cm.yaml", config_maps(1))];
    located(&findings("", &files), "grows beyond 1,000,000 nodes or 512 levels");
}

#[test]
fn a_cluster_that_builds_itself_under_ever_new_namespaces_ends() {
    let one = |index: usize| flux(&format!("n{index}"), "clusters/prod", &format!(", targetNamespace: ns{index}"));
    let files = [("clusters/prod/self.yaml", many(30, one)), ("apps/cm.yaml", config_map("x"))];
    let analysis = analyse("", &files);
    let details = analysis.clusters.iter().flat_map(|cluster| &cluster.unresolved_details);
    assert!(details.into_iter().any(|detail| detail.why.contains("goes on building itself")));
    let nodes: usize = analysis.clusters.iter().map(|cluster| cluster.nodes).sum();
    assert!(nodes < 200, "{nodes} nodes");
}

#[test]
fn merging_many_keys_into_many_takes_them_all() {
    let keys = |prefix: &str, indent: &str| many(20_000, |index| format!("{indent}{prefix}{index}: x\n"));
    let object = |prefix: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x, namespace: a}}\ndata:\n{}", keys(prefix, "  "))
    };
    let files = [
        kustomization("resources: [cm.yaml]\npatches: [{path: p.yaml}]\n"),
        ("apps/cm.yaml", object("a")),
        ("apps/p.yaml", object("b")),
    ];
    let found = findings("", &files);
    assert!(!found.iter().any(|finding| finding.rule == "build-failure"), "{:?}", messages(&found));
}

#[test]
fn long_lists_are_merged_by_one_key_and_refused_by_several() {
    let object = |from: usize, item: &dyn Fn(usize) -> String, list: &str| {
        let mut text =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nspec:\n  containers:\n  - name: c\n"
                .to_owned();
        let _ = writeln!(text, "    {list}:");
        text + &many(10_000, |index| format!("    - {}\n", item(from + index)))
    };
    let build = |item: &dyn Fn(usize) -> String, list: &str| {
        let files = [
            kustomization("resources: [p.yaml]\npatches: [{path: patch.yaml}]\n"),
            ("apps/p.yaml", object(1, item, list)),
            ("apps/patch.yaml", object(20_000, item, list)),
        ];
        findings("", &files)
    };
    let env = build(&|index| format!("{{name: e{index}, value: x}}"), "env");
    assert!(!env.iter().any(|finding| finding.rule == "build-failure"), "{:?}", messages(&env));
    located(&build(&|index| format!("{{containerPort: {index}}}"), "ports"), "too long to be merged by several keys");
}

#[test]
fn a_panic_can_be_caught_in_every_profile() {
    let manifest = include_str!("../../../Cargo.toml");
    assert!(!manifest.contains("panic = \"abort\""), "a build that aborts catches no panic");
}
