//! What the targets share: repositories of arbitrary structure, and runs over repositories that are in memory alone.

use std::sync::Arc;

use arbitrary::Arbitrary;
use fluxdag::{Options, Session, Survey, survey};

/// A repository whose files are made of pieces that mean something to Flux, so that a run gets behind the first parser.
#[derive(Debug, Clone, Arbitrary)]
pub struct Repository {
    /// The Kustomizations that the cluster's folder holds.
    nodes: Vec<Node>,
    /// The folders that they apply.
    folders: Vec<Folder>,
    /// A further file, wherever it lies.
    stray: Option<(Name, String)>,
}

/// A name among few, so that references meet.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Name {
    A,
    B,
    C,
    FluxSystem,
    Variable,
    Hostile,
}

impl Name {
    /// How it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
            Self::FluxSystem => "flux-system",
            Self::Variable => "${name:-a}",
            Self::Hostile => "##[x]\u{1b}[31m`|<b>]]>",
        }
    }
}

#[derive(Debug, Clone, Arbitrary)]
struct Node {
    name: Name,
    path: Name,
    depends_on: Vec<Name>,
    wait: Option<bool>,
    timeout: Option<u16>,
    interval: u16,
    suspend: bool,
    target_namespace: Option<Name>,
    substitute: Option<(Name, String)>,
    patch: Option<String>,
    health_check: Option<Name>,
    ready_expr: Option<String>,
    extra: Option<String>,
}

#[derive(Debug, Clone, Arbitrary)]
struct Folder {
    name: Name,
    listed: Option<Vec<Entry>>,
    objects: Vec<Object>,
    raw: Option<String>,
}

#[derive(Debug, Clone, Arbitrary)]
enum Entry {
    Own,
    Folder(Name),
    Component(Name),
    Generator(Name, String),
    Replacement(Name, Name),
    Patch(Name, String),
    Prefix(Name),
    Namespace(Name),
    Raw(String),
}

#[derive(Debug, Clone, Arbitrary)]
enum Object {
    ConfigMap(Name, String),
    Namespace(Name),
    Deployment(Name),
    Job(Name),
    Claim(Name),
    Release(Name, Name, bool),
    Source(Name),
    Crd(Name),
    Custom(Name),
    Child(Node),
    Raw(String),
}

impl Repository {
    /// Its files.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let sync = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n\
                    spec: {interval: 1m, url: 'https://example.com/x.git'}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: \
                    Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 10m, path: ./clusters/p, \
                    prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
        let mut files = vec![("clusters/p/flux-system/gotk-sync.yaml".to_owned(), sync.into())];
        let nodes: Vec<String> = self.nodes.iter().take(24).map(Node::text).collect();
        files.push(("clusters/p/nodes.yaml".to_owned(), nodes.join("---\n").into_bytes()));
        for folder in self.folders.iter().take(12) {
            folder.add(&mut files);
        }
        if let Some((name, text)) = &self.stray {
            files.push((format!("{}.yaml", name.text()), text.clone().into_bytes()));
        }
        files
    }
}

/// A text as a double-quoted scalar.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl Node {
    fn text(&self) -> String {
        let mut text = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {}, namespace: flux-system}}\nspec:\n  \
             interval: {}s\n  prune: true\n  path: ./apps/{}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n",
            quoted(self.name.text()),
            self.interval,
            self.path.text()
        );
        let depends_on: Vec<String> = self
            .depends_on
            .iter()
            .take(8)
            .map(|name| match &self.ready_expr {
                Some(expression) => {
                    format!("{{name: {}, readyExpr: {}}}", quoted(name.text()), quoted(expression))
                }
                None => format!("{{name: {}}}", quoted(name.text())),
            })
            .collect();
        if !depends_on.is_empty() {
            text += &format!("  dependsOn: [{}]\n", depends_on.join(", "));
        }
        if let Some(wait) = self.wait {
            text += &format!("  wait: {wait}\n");
        }
        if let Some(timeout) = self.timeout {
            text += &format!("  timeout: {timeout}s\n");
        }
        if self.suspend {
            text += "  suspend: true\n";
        }
        if let Some(namespace) = self.target_namespace {
            text += &format!("  targetNamespace: {}\n", quoted(namespace.text()));
        }
        if let Some((name, value)) = &self.substitute {
            text += &format!("  postBuild: {{substitute: {{{}: {}}}}}\n", name.text(), quoted(value));
        }
        if let Some(patch) = &self.patch {
            text += &format!("  patches: [{{patch: {}, target: {{kind: Deployment}}}}]\n", quoted(patch));
        }
        if let Some(name) = self.health_check {
            text += &format!(
                "  healthChecks: [{{apiVersion: apps/v1, kind: Deployment, name: {}, namespace: a}}]\n",
                quoted(name.text())
            );
        }
        if let Some(extra) = &self.extra {
            text += &format!("  {}\n", extra.replace('\n', "\n  "));
        }
        text
    }
}

impl Folder {
    fn add(&self, files: &mut Vec<(String, Vec<u8>)>) {
        let folder = format!("apps/{}", self.name.text());
        let objects: Vec<String> = self.objects.iter().take(12).map(Object::text).collect();
        files.push((format!("{folder}/own.yaml"), objects.join("---\n").into_bytes()));
        if let Some(listed) = &self.listed {
            let lines: Vec<String> = listed.iter().take(10).map(Entry::text).collect();
            files.push((format!("{folder}/kustomization.yaml"), lines.concat().into_bytes()));
        }
        if let Some(raw) = &self.raw {
            files.push((format!("{folder}/raw.yaml"), raw.clone().into_bytes()));
        }
    }
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Own => "resources: [own.yaml, raw.yaml]\n".to_owned(),
            Self::Folder(name) => format!("resources: [own.yaml, ../{}]\n", name.text()),
            Self::Component(name) => format!("components: [../{}]\n", name.text()),
            Self::Generator(name, value) => {
                format!("configMapGenerator: [{{name: {}, literals: [{}]}}]\n", quoted(name.text()), quoted(value))
            }
            Self::Replacement(from, to) => format!(
                "replacements: [{{source: {{kind: ConfigMap, name: {}}}, targets: [{{select: {{name: {}}}, fieldPaths: \
                 [metadata.labels.x, spec.template.spec.containers.*.image], options: {{create: true}}}}]}}]\n",
                quoted(from.text()),
                quoted(to.text())
            ),
            Self::Patch(name, text) => {
                format!("patches: [{{target: {{name: {}}}, patch: {}}}]\n", quoted(name.text()), quoted(text))
            }
            Self::Prefix(name) => format!("namePrefix: {}\n", quoted(name.text())),
            Self::Namespace(name) => format!("namespace: {}\n", quoted(name.text())),
            Self::Raw(text) => format!("{text}\n"),
        }
    }
}

impl Object {
    fn text(&self) -> String {
        let simple = |api: &str, kind: &str, name: Name, rest: &str| {
            format!(
                "apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {}, namespace: a}}\n{rest}",
                quoted(name.text())
            )
        };
        match self {
            Self::ConfigMap(name, value) => {
                simple("v1", "ConfigMap", *name, &format!("data: {{key: {}}}\n", quoted(value)))
            }
            Self::Namespace(name) => simple("v1", "Namespace", *name, ""),
            Self::Deployment(name) => simple(
                "apps/v1",
                "Deployment",
                *name,
                "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: \
                 'x:1'}]}}}\n",
            ),
            Self::Job(name) => simple("batch/v1", "Job", *name, "spec: {template: {spec: {restartPolicy: Never}}}\n"),
            Self::Claim(name) => {
                simple("v1", "PersistentVolumeClaim", *name, "spec: {accessModes: [ReadWriteOnce], resources: {}}\n")
            }
            Self::Release(name, on, crds) => simple(
                "helm.toolkit.fluxcd.io/v2",
                "HelmRelease",
                *name,
                &format!(
                    "spec: {{interval: 1h, dependsOn: [{{name: {}}}], chart: {{spec: {{chart: {}, sourceRef: {{kind: HelmRepository, name: \
                     a}}}}}}}}\n",
                    quoted(on.text()),
                    if *crds { "cert-manager" } else { "redis" }
                ),
            ),
            Self::Source(name) => simple(
                "source.toolkit.fluxcd.io/v1",
                "HelmRepository",
                *name,
                "spec: {interval: 1h, url: 'https://example.com'}\n",
            ),
            Self::Crd(name) => format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {}s.x.y}}\nspec: {{group: x.y, \
                 names: {{kind: K, plural: {}s}}, scope: Namespaced, versions: [{{name: v1, served: true, storage: true}}]}}\n",
                name.text(),
                name.text()
            ),
            Self::Custom(name) => simple("cert-manager.io/v1", "Certificate", *name, "spec: {secretName: x}\n"),
            Self::Child(node) => node.text(),
            Self::Raw(text) => format!("{text}\n"),
        }
    }
}

/// Options for files in memory.
pub fn options(files: Vec<(String, Vec<u8>)>) -> Options {
    Options { files: Some(Arc::from(files)), pedantic: true, ..Options::default() }
}

/// Analyses files in memory, and lets `look` have the result. Without anything of Flux there is none.
pub fn analyse(files: Vec<(String, Vec<u8>)>, look: impl FnOnce(&Survey, &Session<'_>)) {
    let options = options(files);
    if let Ok(survey) = survey(&[], &options) {
        let session = Session::new(&survey, &options);
        look(&survey, &session);
    }
}
