//! `buildMetadata`: where objects come from and what changed them, written on the objects (kustomize `resource.Origin`,
//! `krusty.Kustomizer.Run`).

use smol_str::{SmolStr, format_smolstr};

use super::{file::Kustomization, folder::kustomization_files};
use crate::{
    kustomize::{
        Step,
        resource::{Origin, Resource},
    },
    source::{Artifact, Span, Tree},
    yaml::Node,
};

pub(in crate::kustomize) const ORIGIN: &str = "config.kubernetes.io/origin";
pub(in crate::kustomize) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What builds of kustomize as a library call themselves, kubectl's and Flux's among them.
const MANAGER: &str = "kustomize-(devel)";

/// Annotations that kustomize takes for its own and takes out (kustomize `resource.BuildAnnotations`).
pub(in crate::kustomize) const BUILD_ANNOTATIONS: [&str; 18] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// Where the kustomization files of a build stand, seen from its root; only that of the root asks for metadata.
#[derive(Debug, Clone, Default)]
pub(in crate::kustomize) struct Metadata {
    /// The root's folder, where origins are followed.
    root: Option<String>,
}

impl Metadata {
    pub(in crate::kustomize) fn new(file: &Kustomization, root: &str) -> Self {
        Self { root: file.items("buildMetadata").next().is_some().then(|| root.to_owned()) }
    }

    /// Whether origins are followed.
    pub(in crate::kustomize) const fn follows(&self) -> bool {
        self.root.is_some()
    }

    /// Notes the file that resources come from.
    pub(in crate::kustomize) fn note_file(&self, resources: &mut [Resource], path: &str) {
        let Some(root) = &self.root else { return };
        let path = SmolStr::from(relative(root, path));
        for resource in resources {
            resource.origin = Some(Origin::File(path.clone()));
        }
    }

    /// Notes the kustomization file of `folder` for what its text holds.
    pub(in crate::kustomize) fn note_folder(
        &self,
        resources: &mut [Resource],
        artifact: &Artifact,
        tree: &Tree,
        folder: &str,
    ) {
        self.note_file(resources, &kustomization_path(artifact, tree, folder));
    }

    /// Notes what made the resources that have no origin yet.
    pub(in crate::kustomize) fn generated(&self, resources: &mut [Resource], by: &By<'_>) {
        let Some(root) = &self.root else { return };
        for resource in resources.iter_mut().filter(|resource| resource.origin.is_none()) {
            let kind = format!("{}Generator", resource.gvk().kind);
            resource.origin = Some(Origin::Made(by.text(root, &kind).into()));
        }
    }

    /// Notes a transformer of all resources.
    pub(in crate::kustomize) fn transformed(&self, resources: &mut [Resource], kind: &str, by: &By<'_>) {
        let Some(root) = &self.root else { return };
        let text = SmolStr::from(by.text(root, kind));
        for resource in resources {
            resource.transformations.push(text.clone());
        }
    }
}

/// What holds the configuration of a generator or transformer.
pub(in crate::kustomize) enum By<'b> {
    /// The kustomization file at this path.
    Kustomization(String),
    /// A configuration of its own.
    Plugin(&'b Resource),
}

impl By<'_> {
    pub(in crate::kustomize) fn kustomization(artifact: &Artifact, tree: &Tree, folder: &str) -> Self {
        Self::Kustomization(kustomization_path(artifact, tree, folder))
    }

    fn text(&self, root: &str, kind: &str) -> String {
        match self {
            Self::Kustomization(path) => {
                let path = relative(root, path);
                format!("configuredIn: {path}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n")
            }
            Self::Plugin(plugin) => {
                let text = |keys: &[&str]| plugin.node().find_str(keys).unwrap_or_default();
                let path = match &plugin.origin {
                    Some(Origin::File(path)) => path.as_str(),
                    _ => "",
                };
                let mut yaml = format!("configuredIn: {path}\nconfiguredBy:\n");
                for (key, value) in [
                    ("apiVersion", text(&["apiVersion"])),
                    ("kind", text(&["kind"])),
                    ("name", text(&["metadata", "name"])),
                    ("namespace", text(&["metadata", "namespace"])),
                ] {
                    if !value.is_empty() {
                        yaml.push_str(&format_smolstr!("  {key}: {value}\n"));
                    }
                }
                yaml
            }
        }
    }
}

fn kustomization_path(artifact: &Artifact, tree: &Tree, folder: &str) -> String {
    match kustomization_files(artifact, folder).first() {
        Some(file) => tree.path(*file).to_owned(),
        None if folder.is_empty() => super::folder::NAMES[0].to_owned(),
        None => format!("{folder}/{}", super::folder::NAMES[0]),
    }
}

/// `path` as seen from the folder `root`.
fn relative(root: &str, path: &str) -> String {
    let mut root: Vec<&str> = root.split('/').filter(|part| !part.is_empty()).collect();
    let mut rest = path;
    while let (Some(first), Some((part, tail))) = (root.first(), rest.split_once('/')) {
        if *first != part {
            break;
        }
        root.remove(0);
        rest = tail;
    }
    format!("{}{rest}", "../".repeat(root.len()))
}

/// How long the text about transformers is.
pub(in crate::kustomize) fn length(resource: &Resource) -> usize {
    resource.transformations.iter().map(SmolStr::len).sum()
}

/// Writes on an object what the root asks for, and takes out what is kustomize's own.
pub(in crate::kustomize) fn write(resource: &mut Resource, file: Option<&Kustomization>) {
    let asked = |option: &str| {
        file.and_then(|file| file.items("buildMetadata").find(|item| item.as_str() == Some(option)))
            .map(|item| item.span)
    };
    if let Some(at) = asked("managedByLabel") {
        set(resource, "labels", MANAGED_BY, MANAGER, at);
        resource.changed(Step::Labels, at);
    }
    for key in BUILD_ANNOTATIONS {
        remove_annotation(resource, key);
    }
    match asked("originAnnotations") {
        Some(at) => {
            let text = match resource.origin.clone() {
                Some(Origin::File(path)) => Some(format!("path: {path}\n")),
                Some(Origin::Made(text)) => Some(text.to_string()),
                None => None,
            };
            if let Some(text) = text {
                set(resource, "annotations", ORIGIN, &text, at);
                resource.changed(Step::Annotations, at);
            }
        }
        None => remove_annotation(resource, ORIGIN),
    }
    match asked("transformerAnnotations") {
        Some(at) if !resource.transformations.is_empty() => {
            let indented = |text: &SmolStr| format!("- {}\n", text.trim_end().replace('\n', "\n  "));
            let text: String = resource.transformations.iter().map(indented).collect();
            set(resource, "annotations", TRANSFORMATIONS, &text, at);
            resource.changed(Step::Annotations, at);
        }
        Some(_) => {}
        None => remove_annotation(resource, TRANSFORMATIONS),
    }
}

fn set(resource: &mut Resource, field: &str, key: &str, value: &str, at: Span) {
    if let Some(map) = resource.object.node.ensure_map(&["metadata", field], at) {
        map.set(key, Node::str(value, at));
    }
}

fn remove_annotation(resource: &mut Resource, key: &str) {
    if let Some(annotations) = resource.object.node.find_mut(&["metadata", "annotations"]) {
        annotations.remove(key);
    }
}
