//! Names that lead nowhere: what decides how sure a finding is, and which rule tells of it.

use fluxdag::{
    Analysis, Options,
    finding::{Confidence, Finding, Severity},
};

use crate::support::Repository;

/// A Kustomization of the folder of its name, with further fields of its spec.
fn kustomization(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 10m, path: ./{name}, prune: true{more}}}\n"
    )
}

const GIT: &str = ", sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}";

fn config_map(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: default}}\ndata: {{{data}}}\n")
}

fn instance(version: &str) -> String {
    format!(
        "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {{name: flux, namespace: flux-system}}\n\
         spec: {{distribution: {{version: {version}, registry: ghcr.io/fluxcd}}}}\n"
    )
}

fn deployment(arguments: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: kustomize-controller\n  namespace: flux-system\n  labels: \
         {{app.kubernetes.io/part-of: flux, app.kubernetes.io/version: v2.9.0}}\nspec: {{template: {{spec: {{containers: [{{name: manager, \
         args: [{arguments}]}}]}}}}}}\n"
    )
}

fn analyse(files: &[(&str, &str)], options: &Options) -> Analysis {
    Repository::cluster(files).analyse(options)
}

fn of<'a>(analysis: &'a Analysis, rule: &str) -> Vec<&'a Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn levels(analysis: &Analysis, rule: &str) -> Vec<(Severity, Confidence)> {
    of(analysis, rule).iter().map(|finding| (finding.severity, finding.confidence)).collect()
}

#[test]
fn the_release_decides_how_bad_a_removed_version_and_an_unset_variable_are() {
    let apps = kustomization("apps", &format!("{GIT}, postBuild: {{substitute: {{A: '1'}}}}"));
    let apps = apps.replace("toolkit.fluxcd.io/v1\n", "toolkit.fluxcd.io/v1beta2\n");
    let settings = config_map("host: 'web.${DOMAIN}'");
    let run = |version: Option<&str>| {
        let version = version.map(instance).unwrap_or_default();
        let files = [
            ("clusters/prod/apps.yaml", apps.as_str()),
            ("clusters/prod/flux-system/version.yaml", &version),
            ("apps/settings.yaml", &settings),
        ];
        let analysis = analyse(&files, &Options::default());
        let reported = |rule| levels(&analysis, rule);
        (reported("removed-api-version"), reported("unset-variable"), reported("build-failure"))
    };
    let (high, medium) = (Confidence::High, Confidence::Medium);
    assert_eq!(run(Some("2.9.1")), (vec![(Severity::Error, high)], vec![(Severity::Error, high)], vec![]));
    assert_eq!(run(Some("2.7.5")), (vec![(Severity::Info, high)], vec![(Severity::Warning, medium)], vec![]));
    assert_eq!(run(None), (vec![(Severity::Warning, medium)], vec![(Severity::Warning, high)], vec![]));
}

#[test]
fn a_renamed_dependency_is_told_once() {
    let files = [
        ("clusters/prod/apps.yaml", kustomization("apps", GIT)),
        ("apps/kustomization.yaml", "namePrefix: team-\nresources: [ks.yaml]\n".to_owned()),
        (
            "apps/ks.yaml",
            kustomization("web", &format!("{GIT}, dependsOn: [{{name: data}}]")) + &kustomization("data", GIT),
        ),
        ("web/settings.yaml", config_map("")),
        ("data/settings.yaml", config_map("").replace("settings", "data")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let analysis = analyse(&files, &Options::default());
    let reported: Vec<&str> = analysis.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(reported, ["renamed-reference"], "{:#?}", analysis.findings);
    assert!(analysis.findings[0].help.contains("team-data"));
}

#[test]
fn inputs_from_outside_the_repository_are_told_to_those_who_ask() {
    let apps =
        kustomization("apps", &format!("{GIT}, postBuild: {{substituteFrom: [{{kind: Secret, name: cluster-vars}}]}}"));
    let settings = config_map("host: 'web.${DOMAIN}'");
    let files = [("clusters/prod/apps.yaml", apps.as_str()), ("apps/settings.yaml", &settings)];
    assert_eq!(analyse(&files, &Options::default()).findings, []);
    let asked = analyse(&files, &Options { pedantic: true, ..Options::default() });
    assert_eq!(levels(&asked, "missing-substitute-source"), [(Severity::Info, Confidence::Low)]);
    let optional = apps.replace("cluster-vars", "cluster-vars, optional: true");
    let files = [("clusters/prod/apps.yaml", optional.as_str()), ("apps/settings.yaml", &settings)];
    let asked = analyse(&files, &Options { pedantic: true, ..Options::default() });
    assert_eq!(levels(&asked, "missing-substitute-source"), []);
}

#[test]
fn what_another_object_may_make_is_not_missing() {
    let apps =
        kustomization("apps", &format!("{GIT}, postBuild: {{substituteFrom: [{{kind: Secret, name: cluster-vars}}]}}"));
    let elsewhere = "apiVersion: v1\nkind: Secret\nmetadata: {name: cluster-vars, namespace: default}\n";
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: vars, namespace: flux-system}\n\
                    spec: {target: {name: cluster-vars}}\n";
    let files = [
        ("clusters/prod/apps.yaml", apps.as_str()),
        ("clusters/prod/vars.yaml", elsewhere),
        ("apps/kustomization.yaml", "{}"),
    ];
    assert_eq!(
        levels(&analyse(&files, &Options::default()), "missing-substitute-source"),
        [(Severity::Warning, Confidence::Medium)]
    );
    let files = [files[0], files[1], files[2], ("clusters/prod/external.yaml", external)];
    assert_eq!(levels(&analyse(&files, &Options::default()), "missing-substitute-source"), []);
}

#[test]
fn an_external_artifact_needs_its_gate_where_the_arguments_are_known() {
    let generator = "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {name: parts, namespace: flux-system}\n\
                     spec:\n  sources: [{alias: repo, kind: GitRepository, name: flux-system}]\n  artifacts:\n    - name: apps\n      copy: [{from: \
                     '@repo/apps/**', to: '@artifact/apps/'}]\n";
    let apps = kustomization("apps", ", sourceRef: {kind: ExternalArtifact, name: apps}");
    let settings = config_map("");
    let run = |arguments: Option<&str>| {
        let deployment = arguments.map(deployment).unwrap_or_default();
        let files = [
            ("clusters/prod/apps.yaml", apps.as_str()),
            ("clusters/prod/parts.yaml", generator),
            ("clusters/prod/flux-system/gotk-components.yaml", &deployment),
            ("apps/settings.yaml", &settings),
        ];
        let analysis = analyse(&files, &Options::default());
        assert_eq!(of(&analysis, "missing-source").len(), 0, "the generator makes it");
        of(&analysis, "cross-namespace-reference").len()
    };
    assert_eq!(
        (run(Some("--log-level=info")), run(Some("--feature-gates=ExternalArtifact=true")), run(None)),
        (1, 0, 0)
    );
}

#[test]
fn a_release_that_depends_on_a_suspended_one_is_told() {
    let release = |name: &str, more: &str| {
        format!(
            "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: default}}\n\
             spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: {name}}}{more}}}\n"
        )
    };
    let run = |more: &str| {
        let text =
            release("data", ", suspend: true") + &release("web", &format!(", dependsOn: [{{name: data{more}}}]"));
        let files = [("clusters/prod/apps.yaml", text.as_str())];
        of(&analyse(&files, &Options::default()), "suspended-dependency").len()
    };
    assert_eq!((run(""), run(", readyExpr: 'true'")), (1, 0));
}

#[test]
fn an_alert_that_is_suspended_sends_nothing_anyway() {
    let run = |more: &str| {
        let alert = format!(
            "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata: {{name: chat, namespace: flux-system}}\nspec: {{type: slack, \
             address: 'https://chat.example.com'}}\n---\napiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {{name: all, \
             namespace: flux-system}}\nspec: {{providerRef: {{name: chat}}, eventSources: [{{kind: HelmRelease, name: none}}]{more}}}\n"
        );
        analyse(&[("clusters/prod/alert.yaml", alert.as_str())], &Options::default())
    };
    let severity = |more: &str| levels(&run(more), "missing-reference").first().map(|(severity, _)| *severity);
    assert_eq!(severity(""), Some(Severity::Warning));
    assert_eq!(severity(", suspend: true"), Some(Severity::Info));
    let suspended = run(", suspend: true");
    assert!(of(&suspended, "missing-reference")[0].why.ends_with("this holds once it is resumed."));
}
