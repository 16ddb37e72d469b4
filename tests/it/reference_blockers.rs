//! What references keep from happening: small repositories, and the events that can never happen in them.

use fluxdag::{
    cluster::{External, Externals, Scope, discover, resolve},
    flux::FluxVersion,
    graph::{Blocker, Cause, EventGraph, Moment},
    situation::{Facts, View},
    source::{Pattern, Tree},
    yaml::Store,
};

use crate::support::{SYNC, SYNC_FILE};

/// A cluster to look for blockers in.
#[derive(Default)]
struct Repository {
    files: Vec<(&'static str, String)>,
    version: Option<FluxVersion>,
    externals: Vec<External>,
}

fn repository(files: &[(&'static str, &str)]) -> Repository {
    let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    Repository { files, ..Repository::default() }
}

impl Repository {
    /// The blockers of all clusters, each as `object moment cause confidence`.
    fn blockers(&self) -> Vec<String> {
        self.look(|blocker, subject, _| {
            format!("{subject} {:?} {:?} {:?}", blocker.moment, blocker.cause, blocker.confidence)
        })
    }

    fn look(&self, see: impl Fn(&Blocker, String, &EventGraph) -> String) -> Vec<String> {
        let sync = (SYNC_FILE, SYNC.to_owned());
        let files = self.files.iter().chain([&sync]);
        let bytes = files.map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes()));
        let store = Store::new(Tree::from_memory(bytes));
        let mut clusters = resolve(&store, "", &discover(&store, &Scope::default()), self.version);
        clusters.iter_mut().for_each(|cluster| cluster.declare(&Externals::new(self.externals.clone())));
        let mut seen = Vec::new();
        for cluster in &clusters {
            let graph = EventGraph::new(cluster, Vec::new());
            let facts = Facts::find(View { cluster, clusters: &clusters, store: &store });
            for blocker in facts.blockers() {
                let subject = blocker.actor.subject(cluster);
                assert!(graph.id(blocker.actor, blocker.moment).is_some(), "{subject} has no {:?}", blocker.moment);
                assert!(blocker.span.is_some(), "{subject}: a place");
                seen.push(see(&blocker, subject.to_string(), &graph));
            }
        }
        seen
    }
}

/// A Kustomization of the cluster's folder, with further fields of its spec.
fn kustomization(name: &str, more: &str) -> String {
    let source = if more.contains("sourceRef") { "" } else { ", sourceRef: {kind: GitRepository, name: flux-system}" };
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 10m, path: ./apps, prune: true{source}{more}}}\n"
    )
}

fn release(name: &str, more: &str) -> String {
    let chart = if more.contains("chart") { "" } else { ", chartRef: {kind: HelmChart, name: made}" };
    format!(
        "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1h{chart}{more}}}\n"
    )
}

fn source(kind: &str, name: &str, more: &str) -> String {
    let scheme = if kind == "OCIRepository" { "oci" } else { "https" };
    format!(
        "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1h, url: '{scheme}://example.org/{name}'{more}}}\n"
    )
}

const FILLED: (&str, &str) =
    ("apps/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n");

/// The blockers of a cluster that holds `objects`.
fn of(objects: &str) -> Vec<String> {
    repository(&[("clusters/prod/objects.yaml", objects), FILLED]).blockers()
}

#[test]
fn a_dependency_that_nothing_defines_keeps_the_dependent_from_starting() {
    let objects = kustomization("web", ", dependsOn: [{name: data}]") + &release("site", ", dependsOn: [{name: db}]");
    assert_eq!(
        of(&objects),
        [
            "Kustomization/flux-system/web Start MissingDependency High",
            "HelmRelease/flux-system/site Start MissingDependency High",
        ]
    );
    let defined = kustomization("data", "") + &release("db", "") + &objects;
    assert_eq!(of(&defined), [""; 0]);
    let by_expression = kustomization("web", ", dependsOn: [{name: data, readyExpr: 'true'}]");
    assert_eq!(of(&by_expression), ["Kustomization/flux-system/web Start MissingDependency High"]);
}

#[test]
fn a_dependency_of_another_kind_or_namespace_is_missing() {
    let crossed = kustomization("web", ", dependsOn: [{name: db}]") + &release("db", ", dependsOn: [{name: web}]");
    assert_eq!(
        of(&crossed),
        [
            "Kustomization/flux-system/web Start MissingDependency High",
            "HelmRelease/flux-system/db Start MissingDependency High",
        ]
    );
    let objects = kustomization("data", "") + &kustomization("web", ", dependsOn: [{name: data, namespace: other}]");
    assert_eq!(of(&objects), ["Kustomization/flux-system/web Start MissingDependency High"]);
}

#[test]
fn what_is_made_outside_the_repository_is_there() {
    let objects = kustomization("web", ", dependsOn: [{name: data}]")
        + &kustomization("site", ", sourceRef: {kind: GitRepository, name: site}");
    let mut repository = repository(&[("clusters/prod/objects.yaml", &objects), FILLED]);
    assert_eq!(repository.blockers().len(), 2);
    let external = |kind: &str, name: &str| External {
        kind: Pattern::parse(kind).expect("a pattern"),
        namespace: None,
        name: Pattern::parse(name).expect("a pattern"),
        reason: None,
    };
    repository.externals = vec![external("Kustomization", "data")];
    assert_eq!(repository.blockers(), ["Kustomization/flux-system/site Start MissingSource Medium"]);
    repository.externals.push(external("GitRepository", "site"));
    assert_eq!(repository.blockers(), [""; 0]);
}

#[test]
fn what_the_repository_does_not_show_leaves_doubt() {
    let objects = kustomization("web", ", dependsOn: [{name: data}]")
        + &source("GitRepository", "elsewhere", "")
        + &kustomization("rest", ", sourceRef: {kind: GitRepository, name: elsewhere}");
    assert_eq!(of(&objects), ["Kustomization/flux-system/web Start MissingDependency Low"]);
    // Where no entry point leads, nobody knows what else is applied.
    let stray = kustomization("stray", ", dependsOn: [{name: data}]");
    let stray = repository(&[("stray/objects.yaml", &stray), FILLED]).blockers();
    assert_eq!(stray, ["Kustomization/flux-system/stray Start MissingDependency Low"]);
}

#[test]
fn an_overlay_that_renames_breaks_references() {
    let overlay = "namePrefix: team-\nresources: [objects.yaml]\n";
    let objects = kustomization("web", ", dependsOn: [{name: data}], sourceRef: {kind: GitRepository, name: own}")
        + &kustomization("data", "")
        + &source("GitRepository", "own", "");
    let files = [
        ("clusters/prod/kustomization.yaml", "resources: [flux-system, ../../team]\n"),
        ("clusters/prod/flux-system/kustomization.yaml", "resources: [gotk-sync.yaml]\n"),
        ("team/kustomization.yaml", overlay),
        ("team/objects.yaml", &objects),
        FILLED,
    ];
    assert_eq!(
        repository(&files).blockers(),
        [
            "Kustomization/flux-system/team-web Start MissingDependency High",
            "Kustomization/flux-system/team-web Start MissingSource High",
        ]
    );
}

#[test]
fn a_source_that_is_nowhere_keeps_its_users_from_starting() {
    let web = kustomization("web", ", sourceRef: {kind: GitRepository, name: web}");
    assert_eq!(of(&web), ["Kustomization/flux-system/web Start MissingSource Medium"]);
    let of_other_kind = source("OCIRepository", "web", "") + &web;
    assert_eq!(of(&of_other_kind), ["Kustomization/flux-system/web Start MissingSource High"]);
    let there = source("GitRepository", "web", "") + &web;
    assert_eq!(of(&there), [""; 0]);
    let chart = |namespace: &str| {
        let reference = format!("sourceRef: {{kind: HelmRepository, name: charts, namespace: {namespace}}}");
        source("HelmRepository", "charts", "")
            + &release("web", &format!(", chart: {{spec: {{chart: web, {reference}}}}}"))
    };
    assert_eq!(of(&chart("flux-system")), [""; 0]);
    assert_eq!(of(&chart("web")), ["HelmRelease/flux-system/web Start MissingSource High"]);
}

fn deployment(argument: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: kustomize-controller\n  namespace: flux-system\n  labels: \
         {{app.kubernetes.io/part-of: flux, app.kubernetes.io/version: v2.9.0}}\nspec: {{selector: {{matchLabels: {{app: flux}}}}, template: {{metadata: \
         {{labels: {{app: flux}}}}, spec: {{containers: [{{name: manager, image: 'x:1', args: [{argument}]}}]}}}}}}\n"
    )
}

#[test]
fn a_reference_that_the_controller_refuses_stalls_its_object() {
    let refused = ["Kustomization/team/web Start RefusedReference High"];
    let web = kustomization("web", ", sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}");
    let web = web.replace("namespace: flux-system}\nspec", "namespace: team}\nspec");
    let web = format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: team}}\n---\n{web}");
    assert_eq!(of(&(deployment("--no-cross-namespace-refs=true") + &web)), refused);
    assert_eq!(of(&(deployment("--log-level=info") + &web)), [""; 0]);

    let generator = "---\napiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n\
                     metadata: {name: parts, namespace: team}\nspec:\n  sources: [{alias: repo, kind: GitRepository, name: flux-system, \
                     namespace: flux-system}]\n  artifacts: [{name: apps, copy: [{from: '@repo/apps/**', to: '@artifact/apps/'}]}]\n";
    let web = web.replace("GitRepository, name: flux-system, namespace: flux-system", "ExternalArtifact, name: apps");
    let objects = generator.to_owned() + &web;
    assert_eq!(of(&(deployment("--log-level=info") + &objects)), refused);
    assert_eq!(of(&(deployment("--feature-gates=ExternalArtifact=true") + &objects)), [""; 0]);
}

/// Who never starts since a source is suspended.
fn held_by_suspension(objects: &str) -> Vec<String> {
    let repository = repository(&[("clusters/prod/objects.yaml", objects), FILLED]);
    repository.look(|blocker, subject, graph| {
        assert_eq!((blocker.moment, blocker.cause), (Moment::Ready, Cause::Suspended));
        let id = graph.id(blocker.actor, blocker.moment).expect("an event of the graph");
        let starts = graph.unreachable_without(&[id]).into_iter().map(|id| graph.event(id));
        let held = starts.filter(|event| event.moment == Moment::Start).count();
        format!("{subject} holds {held}")
    })
}

#[test]
fn a_suspended_source_is_never_fetched() {
    let git = source("GitRepository", "web", ", suspend: true")
        + &kustomization("web", ", sourceRef: {kind: GitRepository, name: web}");
    assert_eq!(held_by_suspension(&git), ["GitRepository/flux-system/web holds 1"]);
    let charts = |more: &str| {
        source("HelmRepository", "charts", &format!(", suspend: true{more}"))
            + &release("web", ", chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}")
    };
    assert_eq!(held_by_suspension(&charts("")), ["HelmRepository/flux-system/charts holds 1"]);
    assert_eq!(held_by_suspension(&charts(", type: oci")), [""; 0]);
    let generator = "---\napiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {name: parts, namespace: \
                     flux-system, annotations: {source.extensions.fluxcd.io/reconcile: Disabled}}\nspec:\n  sources: [{alias: repo, kind: \
                     GitRepository, name: flux-system}]\n  artifacts: [{name: apps, copy: [{from: '@repo/apps/**', to: '@artifact/apps/'}]}]\n";
    let parts = generator.to_owned() + &kustomization("web", ", sourceRef: {kind: ExternalArtifact, name: apps}");
    assert_eq!(held_by_suspension(&parts), ["ArtifactGenerator/flux-system/parts holds 1"]);
}

#[test]
fn a_path_that_is_no_folder_fails_before_the_apply() {
    let of_path = |path: &str, more: &str| {
        let web = kustomization("web", more).replace("./apps", path);
        of(&(source("OCIRepository", "pushed", "") + &kustomization("apps", "") + &web))
    };
    assert_eq!(of_path("./apps", ""), [""; 0]);
    assert_eq!(of_path("./absent", ""), ["Kustomization/flux-system/web Applied MissingPath High"]);
    assert_eq!(of_path("./apps/settings.yaml", ""), ["Kustomization/flux-system/web Applied MissingPath High"]);
    assert_eq!(
        of_path("./absent", ", sourceRef: {kind: OCIRepository, name: pushed}"),
        [""; 0],
        "its files are elsewhere"
    );
}

#[test]
fn an_api_version_that_is_gone_fails_the_apply_that_holds_it() {
    let old = kustomization("web", "").replace("fluxcd.io/v1\n", "fluxcd.io/v1beta2\n");
    let run = |objects: &str, minor: Option<u16>| {
        let version = minor.map(|minor| FluxVersion { major: 2, minor });
        Repository { version, ..repository(&[("clusters/prod/objects.yaml", objects), FILLED]) }.blockers()
    };
    assert_eq!(run(&old, Some(8)), ["Kustomization/flux-system/flux-system Applied UnknownKind High"]);
    assert_eq!(run(&old, None), ["Kustomization/flux-system/flux-system Applied UnknownKind Low"]);
    assert_eq!(run(&old, Some(7)), [""; 0]);
    assert_eq!(run(&kustomization("web", ""), Some(8)), [""; 0]);
    let set = "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: team, namespace: flux-system}\nspec:\n  resources:\n    \
               - apiVersion: kustomize.toolkit.fluxcd.io/v1beta2\n      kind: Kustomization\n      metadata: {name: web, namespace: flux-system}\n      \
               spec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    assert_eq!(run(set, Some(8)), ["ResourceSet/flux-system/team Applied UnknownKind High"]);
}
