//! What may make objects that the repository does not show.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::CrdCatalog,
    cluster::{Cluster, Folder, Node, ObjectKey, Release},
    finding::Subject,
    flux::{
        Reading, ResourceSet, SourceRef,
        api::kinds::{BUCKET, GIT_REPOSITORY, RESOURCE_SET, of_flux},
        is_open_text, reads_as,
    },
    kustomize::{Hidden, Unresolved},
    source::{RemoteUrl, Tree, is_yaml},
    yaml,
};

/// What all API groups of Flux end in.
const TOOLKIT: &str = ".toolkit.fluxcd.io/";

/// An object that nothing in sight makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// What of a cluster the repository does not show, and what of it may hold which objects.
pub(super) struct Unseen<'a> {
    cluster: &'a Cluster,
    /// Kustomizations with the parts of their builds that are not here.
    parts: Vec<(&'a Node, &'a Unresolved)>,
    /// Names of the charts of this repository that are templates, by kind; gathered when first asked for.
    templates: std::cell::OnceCell<BTreeMap<String, Vec<String>>>,
    tree: Option<&'a Tree>,
    /// Who the repositories belong to that the entry points are fed from, host and owner.
    owners: Vec<(String, String)>,
    /// Objects whose name holds variables.
    open: Vec<&'a ObjectKey>,
}

impl<'a> Unseen<'a> {
    /// What is not in sight of `cluster`. Without `tree` no charts are looked at.
    pub(super) fn new(cluster: &'a Cluster, tree: Option<&'a Tree>) -> Self {
        // What a remote Kustomization applies goes to another cluster.
        let nodes = cluster.nodes.iter().filter(|node| !node.is_remote());
        let parts = nodes.map(|node| (node, node.unresolved.iter().filter(|part| part.hides_objects())));
        let parts = parts.flat_map(|(node, parts)| parts.map(move |part| (node, part))).collect();
        let entries = cluster.nodes.iter().filter(|node| node.is_entry);
        let owners = entries.filter_map(|node| RemoteUrl::parse(&url(cluster, node)?).owner()).collect();
        let open = cluster.objects.keys().filter(|key| is_open_text(&key.name)).collect();
        Self { cluster, parts, open, templates: std::cell::OnceCell::new(), tree, owners }
    }

    /// The first part that may well hold `wanted`, as a noun phrase; the Kustomizations that `excused` accepts are passed
    /// over.
    pub(super) fn part(&self, wanted: Wanted<'_>, excused: &dyn Fn(&Subject) -> bool) -> Option<String> {
        self.parts.iter().find_map(|(node, part)| {
            let subject = node.subject();
            let holds = !excused(&subject) && self.may_hold(node, part, wanted);
            holds.then(|| format!("{} of {subject}", part.what))
        })
    }

    fn may_hold(&self, node: &Node, part: &Unresolved, wanted: Wanted<'_>) -> bool {
        // kustomize puts all that it builds there.
        let target = node.kustomization.spec.target_namespace.as_deref().filter(|target| !target.is_empty());
        if let Some(target) = target
            && !wanted.namespace.is_empty()
            && reads_as(target, wanted.namespace) == Reading::No
        {
            return false;
        }
        let set = node.resource_sets.iter().find(|set| set.unresolved.contains(part));
        if let Some(set) = set {
            return self.may_make(set, wanted);
        }
        let url = match (&part.hides, &node.folder) {
            (Hidden::Refused, _) => return false,
            (Hidden::Remote(url), _) => Some(url.to_string()),
            (_, Folder::Elsewhere(_)) => url(self.cluster, node),
            _ => None,
        };
        let revision = || {
            let source = source_object(self.cluster, node)?;
            let reference = |key: &str| source.find_str(&["spec", "ref", key]);
            reference("tag").or_else(|| reference("semver")).map(str::to_owned)
        };
        let path = node.kustomization.spec.path.as_deref().filter(|_| part.hides == Hidden::Objects);
        of_flux(wanted.kind).is_none()
            || url.is_none_or(|url| !self.is_project(&url, path.unwrap_or_default(), revision().as_deref()))
    }

    /// Whether the files at a URL are those of a project that anybody may use. Such files hold no Flux objects that a
    /// repository could wait for.
    fn is_project(&self, url: &str, path: &str, revision: Option<&str>) -> bool {
        let parsed = RemoteUrl::parse(url);
        let text = parsed.text().to_ascii_lowercase();
        let Some(owner) = parsed.owner().filter(|owner| !self.owners.contains(owner)) else { return false };
        let name = owner.1.as_str();
        let is_known = name == "fluxcd"
            || name == "controlplaneio-fluxcd"
            || CrdCatalog::builtin().rows().any(|row| row.projects().any(|project| is_owner(project, name)));
        let below = format!("{text}/{}", path.to_ascii_lowercase());
        let is_release = below.contains("/releases/download/") || below.split('/').any(is_of_release);
        // Who is fed from elsewhere as well follows a branch; projects are taken at a version.
        let is_version = |text: &str| {
            let text = text.trim_start_matches(['v', '>', '<', '=', '~', '^', ' ']);
            text.contains('.') && text.starts_with(|letter: char| letter.is_ascii_digit())
        };
        let at_version = parsed.reference().or(revision).is_some_and(is_version);
        is_known || is_release || (!self.owners.is_empty() && at_version)
    }

    /// Whether a template of a ResourceSet may become `wanted`.
    fn may_make(&self, set: &ResourceSet, wanted: Wanted<'_>) -> bool {
        let key = ObjectKey::new(RESOURCE_SET, set.namespace.clone(), set.name.clone());
        let provider = self.cluster.objects.get(&key).and_then(|providers| providers.first());
        let spec = provider.and_then(|provider| self.cluster.object(*provider).node.get("spec"));
        // One that another set makes is not looked up.
        let Some(spec) = spec else { return true };
        let steps = spec.get("steps").into_iter().flat_map(yaml::Node::items);
        let makes = |section: &yaml::Node| {
            let text = section.find_str(&["resourcesTemplate"]);
            section.get("resources").into_iter().flat_map(yaml::Node::items).any(|template| is_it(template, wanted))
                || text.is_some_and(|text| {
                    makes_of_kind(text, wanted.kind) && fields(text, "name:").any(|name| fits(name, wanted.name))
                })
        };
        std::iter::once(spec).chain(steps).any(makes)
    }

    /// What templates may make `wanted`, as a noun phrase: a chart of this repository.
    pub(super) fn template(&self, wanted: Wanted<'_>) -> Option<String> {
        let release = self.cluster.releases.iter().find(|release| is_homemade(release))?;
        let tree = self.tree?;
        let templates = self.templates.get_or_init(|| templates(tree));
        let of_kind = templates.iter().filter(|(kind, _)| fits(kind, wanted.kind));
        let is_made = of_kind.flat_map(|(_, names)| names).any(|name| fits(name, wanted.name));
        is_made.then(|| format!("a chart in this repository, as that of {} may be", release.subject()))
    }

    /// An object of the cluster whose name holds variables and may become that of `wanted`, the likeliest, and how likely
    /// that is.
    pub(super) fn open(&self, wanted: Wanted<'_>) -> Option<(Reading, Subject)> {
        let is_beside = |key: &&&ObjectKey| {
            let namespace = key.namespace.as_str();
            key.kind == wanted.kind
                && (namespace.is_empty() || wanted.namespace.is_empty() || fits(namespace, wanted.namespace))
        };
        let read = self.open.iter().filter(is_beside).map(|key| (reads_as(&key.name, wanted.name), *key));
        // The first of those that are as likely.
        let best = read.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (reading, key) = best.filter(|(reading, _)| *reading != Reading::No)?;
        Some((reading, key.subject()))
    }
}

/// Whether a part of a path is one of those under which projects keep what others apply.
fn is_of_release(part: &str) -> bool {
    const FILES: [&str; 8] = ["bundle", "components", "crd", "deploy", "install", "manifest", "operator", "release"];
    let is_file = is_yaml(part);
    part.contains("crd")
        || matches!(part, "charts" | "config" | "deploy" | "manifests" | "releases")
        || (is_file && FILES.iter().any(|name| part.contains(name)))
}

/// A Kustomization whose build fails or has no folder, so that nothing is known of what it holds.
pub(super) fn failing(cluster: &Cluster) -> Option<&Node> {
    let is_failing = |node: &&Node| {
        !node.applied.build.errors.is_empty() || matches!(node.folder, Folder::Missing { .. } | Folder::Unknown)
    };
    cluster.nodes.iter().filter(|node| !node.is_remote()).find(is_failing)
}

/// Whether any part of a build of `cluster` is not in sight, whatever it may hold.
pub(super) fn is_partial(cluster: &Cluster) -> bool {
    cluster.nodes.iter().any(|node| !node.is_remote() && node.hides_objects())
}

fn fits(name: &str, wanted: &str) -> bool {
    reads_as(name, wanted) != Reading::No
}

fn is_it(template: &yaml::Node, wanted: Wanted<'_>) -> bool {
    let text = |keys: &[&str]| template.find_str(keys);
    let is_namespace = |namespace: &str| wanted.namespace.is_empty() || fits(namespace, wanted.namespace);
    text(&["kind"]).is_none_or(|kind| fits(kind, wanted.kind))
        && text(&["metadata", "name"]).is_none_or(|name| fits(name, wanted.name))
        && text(&["metadata", "namespace"]).is_none_or(is_namespace)
}

fn makes_of_kind(text: &str, kind: &str) -> bool {
    fields(text, "kind:").any(|value| fits(value, kind))
}

/// The values of all fields `key` in a text of YAML that may be a template.
fn fields<'t>(text: &'t str, key: &'static str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| {
        let value = line.trim_start_matches([' ', '-']).strip_prefix(key)?;
        Some(value.trim().trim_matches(['"', '\'']))
    })
}

/// A source in the cluster that is another repository, and that Kustomizations of the cluster are applied from.
pub(super) fn foreign_source(cluster: &Cluster) -> Option<String> {
    let is_foreign = |node: &&Node| matches!(node.folder, Folder::Elsewhere(_)) && !node.is_remote();
    let sources = cluster.nodes.iter().filter(is_foreign).map(|node| {
        let reference = &node.kustomization.spec.source_ref;
        SourceRef::new(reference, &node.key.namespace)
    });
    let mut of_files = sources.filter(|source| source.is(GIT_REPOSITORY) || source.is(BUCKET));
    of_files.next().map(|source| source.to_string())
}

/// The names in templates of charts that make objects of Flux, by kind.
fn templates(tree: &Tree) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in tree.files().filter(|file| tree.path(*file).contains("/templates/")) {
        let Some(text) = tree.text(file).filter(|text| text.contains(TOOLKIT)) else { continue };
        let kinds: BTreeSet<&str> = fields(text, "kind:").collect();
        for kind in kinds {
            found.entry(kind.to_owned()).or_default().extend(fields(text, "name:").map(str::to_owned));
        }
    }
    found
}

/// The source object of a Kustomization, where a build holds it.
fn source_object<'a>(cluster: &'a Cluster, node: &Node) -> Option<&'a yaml::Node> {
    let provider = cluster.objects.get(&ObjectKey::from(&node.source()))?.first()?;
    Some(&cluster.object(*provider).node)
}

/// The URL that a Kustomization is fed from, where the source is known.
fn url(cluster: &Cluster, node: &Node) -> Option<String> {
    source_object(cluster, node)?.find_str(&["spec", "url"]).map(str::to_owned)
}

/// Whether a project, `owner/repository`, belongs to `owner`.
fn is_owner(project: &str, owner: &str) -> bool {
    project.split_once('/').is_some_and(|(of, _)| of.eq_ignore_ascii_case(owner))
}

/// Whether the chart of a release may lie in this repository.
fn is_homemade(release: &Release) -> bool {
    let spec = &release.helm.spec;
    let chart = spec.chart.as_ref().map(|chart| &chart.spec.source_ref);
    let reference = spec.chart_ref.as_ref().or(chart);
    let kind = reference.and_then(|reference| reference.kind.as_deref());
    matches!(kind, Some("GitRepository" | "Bucket" | "ExternalArtifact" | "HelmChart"))
}
