//! Who supplies what objects need without saying whose it is: the CRDs of custom resources, namespaces, and the
//! Secrets that controllers make of other objects.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{
    Externals, Node, ObjectKey, Provider, Release,
    bootstrap::{Bootstrap, NamespaceTexts},
    model::charts::chart_in,
};
use crate::{
    catalog::{Confidence, CrdCatalog, CrdOwner},
    flux::{
        api::{
            OPERATOR_GROUP,
            kinds::{self, GroupKind},
        },
        variable_sources,
    },
    source::{FileId, Tree},
    yaml,
};

/// What the nodes of a cluster supply to each other.
#[derive(Debug, Clone, Default)]
pub struct Implicit {
    /// Kinds of custom resources whose CRD something in the cluster provides, sorted.
    pub kinds: Vec<CustomKind>,
    /// Namespaces that something in the cluster makes, sorted.
    pub namespaces: Vec<MadeNamespace>,
    /// Kinds whose CRD is there from the start, although a chart of the cluster provides it as well.
    preinstalled: BTreeSet<(SmolStr, SmolStr)>,
    /// Objects that no build holds and that a controller makes of an object of one, sorted.
    pub made: Vec<Made>,
    /// What is made outside the repository, as the user says.
    externals: Externals,
    /// What is installed before Flux runs.
    bootstrap: Bootstrap,
    /// Objects of the builds that are there before Flux applies them.
    given: BTreeSet<ObjectKey>,
}

/// A kind of custom resources, and what provides its CRD.
#[derive(Debug, Clone)]
pub struct CustomKind {
    /// API group.
    pub group: SmolStr,
    /// Kind.
    pub kind: SmolStr,
    /// The CustomResourceDefinitions in builds.
    pub crds: Vec<Provider>,
    /// The HelmReleases whose charts install it, by the catalogue.
    pub charts: Vec<ChartProvider>,
    /// Whether objects of it are mere additions (monitors, dashboards).
    pub is_soft: bool,
}

/// A HelmRelease that provides a CRD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartProvider {
    /// Position in [`Cluster::releases`](super::Cluster::releases).
    pub release: usize,
    /// How sure the catalogue is.
    pub confidence: Confidence,
    /// Whether a controller of the chart makes the CRD, once it runs.
    pub at_runtime: bool,
}

/// A namespace, and what makes it.
#[derive(Debug, Clone)]
pub struct MadeNamespace {
    /// Its name.
    pub name: SmolStr,
    /// The Namespaces in builds.
    pub objects: Vec<Provider>,
    /// The HelmReleases that create it (`install.createNamespace`), by position.
    pub releases: Vec<usize>,
}

/// An object that a controller makes: a Secret, or an ExternalArtifact.
#[derive(Debug, Clone)]
pub struct Made {
    /// The object.
    pub key: ObjectKey,
    /// The objects it is built from.
    pub makers: Vec<ObjectKey>,
}

/// Namespaces that exist before Flux applies anything.
const GIVEN: [&str; 5] = ["default", "flux-system", "kube-node-lease", "kube-public", "kube-system"];

impl Implicit {
    /// What the objects and releases of a cluster implicit. What `bootstrap` installs is there from the start. `path` gives
    /// the paths of files.
    pub(super) fn new(
        nodes: &[Node],
        releases: &[Release],
        objects: &BTreeMap<ObjectKey, Vec<Provider>>,
        bootstrap: &Bootstrap,
        tree: &Tree,
    ) -> Self {
        let hidden = hidden(nodes);
        let is_preinstalled = |group: &str, kind: &str, charts: &[&str], releases: &[&str]| {
            bootstrap.installs_crd(group, kind, CrdCatalog::builtin().owner(group, kind))
                || is_named(&hidden, group)
                || charts.iter().any(|chart| bootstrap.installs(chart) || is_named(&hidden, chart))
                // A helmfile names its releases, as a rule like those of Flux, or their charts. A single word may be anything.
                || releases.iter().any(|name| (name.contains('-') && bootstrap.installs(name)) || is_named(&hidden, name))
        };
        let (kinds, preinstalled) = kinds(nodes, releases, objects, &is_preinstalled);
        let given = given(nodes, objects, bootstrap, tree);
        let mut made = made(nodes, objects);
        made.retain(|made| !bootstrap.makes(&made.key, &[]));
        let mut namespaces = namespaces(nodes, releases, objects);
        namespaces.retain(|namespace| {
            let key = ObjectKey::new(kinds::NAMESPACE, "", namespace.name.clone());
            !given.contains(&key) && !bootstrap.makes(&key, &file_names(nodes, &namespace.objects, tree))
        });
        let externals = Externals::default();
        Self { kinds, preinstalled, namespaces, made, externals, bootstrap: bootstrap.clone(), given }
    }

    /// The same after an edit: what was there from the start still is.
    pub(super) fn again(
        &self,
        nodes: &[Node],
        releases: &[Release],
        objects: &BTreeMap<ObjectKey, Vec<Provider>>,
    ) -> Self {
        let is_preinstalled =
            |group: &str, kind: &str, _: &[&str], _: &[&str]| self.preinstalled.contains(&(group.into(), kind.into()));
        let (kinds, preinstalled) = kinds(nodes, releases, objects, &is_preinstalled);
        let (mut namespaces, mut made) = (namespaces(nodes, releases, objects), made(nodes, objects));
        made.retain(|made| !self.bootstrap.makes(&made.key, &[]));
        namespaces.retain(|namespace| !self.is_given(&ObjectKey::new(kinds::NAMESPACE, "", namespace.name.clone())));
        let (bootstrap, given) = (self.bootstrap.clone(), self.given.clone());
        let mut implicit =
            Self { kinds, preinstalled, namespaces, made, externals: Externals::default(), bootstrap, given };
        implicit.declare(self.externals.clone());
        implicit
    }

    /// Takes what is made outside the repository as there from the start: nothing in it has to be waited for.
    pub(super) fn declare(&mut self, externals: Externals) {
        self.kinds.retain(|kind| {
            let is_preinstalled = externals.have_crd(&kind.group, &kind.kind);
            if is_preinstalled {
                self.preinstalled.insert((kind.group.clone(), kind.kind.clone()));
            }
            !is_preinstalled
        });
        self.namespaces.retain(|namespace| !externals.have(kinds::NAMESPACE.kind, "", &namespace.name));
        self.made.retain(|made| !externals.have(&made.key.kind, &made.key.namespace, &made.key.name));
        self.externals = externals;
    }

    /// Whether something that sets the cluster up makes an object that no build holds.
    #[must_use]
    pub fn is_made_before(&self, key: &ObjectKey) -> bool {
        self.bootstrap.makes(key, &[])
    }

    /// What the files of the repository, which `store` holds, say of namespaces.
    #[must_use]
    pub fn namespace_texts(&self, store: &yaml::Store) -> &NamespaceTexts {
        self.bootstrap.namespaces(store)
    }

    /// Whether something that sets the cluster up names the chart, or a release of that name.
    #[must_use]
    pub fn is_installed_before(&self, chart: &str) -> bool {
        self.bootstrap.installs(chart)
    }

    /// Whether an object of a build is there before Flux applies it: what sets the cluster up makes it, or an entry point
    /// needs it.
    #[must_use]
    pub fn is_given(&self, key: &ObjectKey) -> bool {
        self.given.contains(key)
    }

    /// What is made outside the repository.
    #[must_use]
    pub const fn externals(&self) -> &Externals {
        &self.externals
    }

    /// The position of a kind.
    #[must_use]
    pub fn kind(&self, group: &str, kind: &str) -> Option<usize> {
        self.kinds.binary_search_by(|known| (known.group.as_str(), known.kind.as_str()).cmp(&(group, kind))).ok()
    }

    /// The position of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<usize> {
        self.namespaces.binary_search_by(|known| known.name.as_str().cmp(name)).ok()
    }

    /// Whether every cluster has the namespace before Flux applies anything.
    #[must_use]
    pub fn is_given_namespace(name: &str) -> bool {
        GIVEN.contains(&name)
    }

    /// The position of an object that a controller makes.
    #[must_use]
    pub fn made(&self, key: &ObjectKey) -> Option<usize> {
        self.made.binary_search_by(|known| known.key.cmp(key)).ok()
    }
}

/// Whether the CRD of a kind is there from the start, by group, kind, charts that install it, and their releases.
type IsPreinstalled<'a> = dyn Fn(&str, &str, &[&str], &[&str]) -> bool + 'a;

fn object(nodes: &[Node], provider: Provider) -> &yaml::Node {
    &nodes[provider.node.index()].object(provider).node
}

fn kinds(
    nodes: &[Node],
    releases: &[Release],
    objects: &BTreeMap<ObjectKey, Vec<Provider>>,
    is_preinstalled: &IsPreinstalled<'_>,
) -> (Vec<CustomKind>, BTreeSet<(SmolStr, SmolStr)>) {
    let mut crds: BTreeMap<(&str, &str), Vec<Provider>> = BTreeMap::new();
    for (_, providers) in objects.iter().filter(|(key, _)| key.is(kinds::CRD)) {
        for provider in providers {
            let spec = object(nodes, *provider).get("spec");
            let text = |keys: &[&str]| spec.and_then(|spec| spec.find_str(keys));
            if let (Some(group), Some(kind)) = (text(&["group"]), text(&["names", "kind"])) {
                crds.entry((group, kind)).or_default().push(*provider);
            }
        }
    }
    let used: BTreeSet<(&str, &str)> = objects
        .keys()
        .filter(|key| key.group.contains('.') && !is_of_flux(&key.group))
        .map(|key| (key.group.as_str(), key.kind.as_str()))
        .collect();
    let names: Vec<Option<String>> =
        releases.iter().map(|release| chart_in(nodes, objects, release).map(|chart| chart.name)).collect();
    let (mut kinds, mut preinstalled) = (Vec::new(), BTreeSet::new());
    for (group, kind) in used {
        let row = CrdCatalog::builtin().owner(group, kind);
        let crds = crds.remove(&(group, kind)).unwrap_or_default();
        let charts: Vec<(ChartProvider, &str)> = row.map_or_else(Vec::new, |row| installers(row, releases, &names));
        let from: Vec<&str> = charts.iter().map(|(chart, _)| releases[chart.release].key.name.as_str()).collect();
        let named: Vec<&str> = charts.iter().map(|(_, name)| *name).collect();
        let is_brought = !crds.is_empty() || !charts.is_empty();
        if is_preinstalled(group, kind, &named, &from) {
            preinstalled.insert((group.into(), kind.into()));
        } else if is_brought {
            let charts = charts.into_iter().map(|(chart, _)| chart).collect();
            let is_soft = row.is_some_and(|row| row.soft);
            kinds.push(CustomKind { group: group.into(), kind: kind.into(), crds, charts, is_soft });
        }
    }
    (kinds, preinstalled)
}

/// The objects of the builds that are there before Flux applies them.
fn given(
    nodes: &[Node],
    objects: &BTreeMap<ObjectKey, Vec<Provider>>,
    bootstrap: &Bootstrap,
    tree: &Tree,
) -> BTreeSet<ObjectKey> {
    let is_applied = |provider: &Provider| {
        let node = &nodes[provider.node.index()];
        provider.set.is_none() && bootstrap.applies(node.object(*provider).source.file)
    };
    let of_bootstrap = objects.iter().filter(|(key, providers)| {
        providers.iter().any(is_applied) || bootstrap.makes(key, &file_names(nodes, providers, tree))
    });
    let mut given: BTreeSet<ObjectKey> = of_bootstrap.map(|(key, _)| key.clone()).collect();
    // Entry points were set up by hand, and with them all that they need to start.
    for node in nodes.iter().filter(|node| node.is_entry) {
        let spec = node.kustomization.object.node.get("spec");
        let text = |keys: &[&str]| spec.and_then(|spec| spec.find_str(keys)).map(SmolStr::new);
        let own = |kind: GroupKind, name: SmolStr| ObjectKey::new(kind, node.key.namespace.clone(), name);
        let source = ObjectKey::from(&node.source());
        let secrets = [["decryption", "secretRef", "name"], ["kubeConfig", "secretRef", "name"]];
        given.extend(secrets.iter().filter_map(|keys| text(keys)).map(|name| own(kinds::SECRET, name)));
        given.extend(text(&["kubeConfig", "configMapRef", "name"]).map(|name| own(kinds::CONFIG_MAP, name)));
        for (reference, _) in variable_sources(&node.kustomization).filter(|(reference, _)| !reference.optional) {
            let kind = if reference.kind == kinds::SECRET.kind { kinds::SECRET } else { kinds::CONFIG_MAP };
            given.insert(own(kind, reference.name.as_str().into()));
        }
        let object_of_source = objects.get(&source).and_then(|providers| providers.first());
        let secret =
            object_of_source.and_then(|provider| object(nodes, *provider).find_str(&["spec", "secretRef", "name"]));
        given.extend(secret.map(|name| ObjectKey::new(kinds::SECRET, source.namespace.clone(), name)));
        given.insert(source);
    }
    given
}

/// The names of the files that hold the object.
fn file_names<'t>(nodes: &[Node], providers: &[Provider], tree: &'t Tree) -> Vec<&'t str> {
    let file = |provider: &Provider| nodes[provider.node.index()].object(*provider).source.file;
    let known = providers.iter().map(file).filter(|file| *file != FileId::NONE);
    known.map(|file| tree.path(file).rsplit('/').next().unwrap_or_default()).collect()
}

/// What is known of the parts of builds that the repository does not show: they may well hold CRDs.
fn hidden(nodes: &[Node]) -> Vec<String> {
    let texts = nodes.iter().flat_map(|node| {
        let spec = &node.kustomization.spec;
        let path = spec.path.as_deref().unwrap_or_default();
        let place = format!("{} {path} {}", node.key, spec.source_ref.name);
        let is_elsewhere = !matches!(node.folder, super::Folder::Here(_) | super::Folder::Mapped(_));
        let parts = node.unresolved.iter().filter(|part| part.hides_objects()).map(|part| part.what.clone());
        is_elsewhere.then_some(place).into_iter().chain(parts)
    });
    texts.map(|text| text.to_ascii_lowercase()).collect()
}

fn is_named(hidden: &[String], name: &str) -> bool {
    hidden.iter().any(|text| text.contains(name))
}

/// Whether a release of `chart` installs the CRDs of `row`, with its values.
#[must_use]
pub fn installs_crds(release: &Release, chart: &str, row: &CrdOwner) -> bool {
    let spec = &release.helm.object.node;
    let value = |path: &str| {
        let keys: Vec<&str> = ["spec", "values"].into_iter().chain(path.split('.')).collect();
        spec.find(&keys).and_then(yaml::Node::as_bool)
    };
    let skips = spec.find_str(&["spec", "install", "crds"]) == Some("Skip");
    row.is_installed_by(chart, &value) && !(skips && row.is_in_crds_folder_of(chart))
}

/// The releases whose charts install the CRDs of `row`, with the names of these.
fn installers<'a>(row: &CrdOwner, releases: &[Release], names: &'a [Option<String>]) -> Vec<(ChartProvider, &'a str)> {
    let installs = |(index, release): (usize, &Release)| {
        let name = names.get(index)?.as_deref()?;
        let provider = ChartProvider { release: index, confidence: row.confidence, at_runtime: row.at_runtime };
        installs_crds(release, name, row).then_some((provider, name))
    };
    releases.iter().enumerate().filter_map(installs).collect()
}

/// Whether the CRDs of the group come with Flux itself, which is there before it applies anything.
fn is_of_flux(group: &str) -> bool {
    group.ends_with(".fluxcd.io") || group == OPERATOR_GROUP
}

fn namespaces(
    nodes: &[Node],
    releases: &[Release],
    objects: &BTreeMap<ObjectKey, Vec<Provider>>,
) -> Vec<MadeNamespace> {
    let mut made: BTreeMap<SmolStr, MadeNamespace> = BTreeMap::new();
    let entry = |made: &mut BTreeMap<SmolStr, MadeNamespace>, name: &SmolStr, add: &dyn Fn(&mut MadeNamespace)| {
        let preinstalled =
            GIVEN.contains(&name.as_str()) || nodes.iter().any(|node| node.is_entry && node.key.namespace == *name);
        if !preinstalled {
            let namespace = || MadeNamespace { name: name.clone(), objects: Vec::new(), releases: Vec::new() };
            add(made.entry(name.clone()).or_insert_with(namespace));
        }
    };
    for (key, providers) in objects.iter().filter(|(key, _)| key.is(kinds::NAMESPACE)) {
        entry(&mut made, &key.name, &|namespace| namespace.objects.clone_from(providers));
    }
    for (index, release) in releases.iter().enumerate() {
        let creates = release.helm.object.node.find(&["spec", "install", "createNamespace"]);
        let Some(target) = release.helm.spec.target_namespace.as_deref() else { continue };
        // Its own namespace has to be there before it is.
        if creates.and_then(yaml::Node::as_bool) == Some(true) && target != release.key.namespace {
            entry(&mut made, &target.into(), &|namespace| namespace.releases.push(index));
        }
    }
    made.into_values().collect()
}

/// What controllers make of objects: external-secrets (`spec.target.name`), sealed-secrets (the template's name) and
/// cert-manager (`spec.secretName`) make Secrets, source-watcher ExternalArtifacts.
fn made(nodes: &[Node], objects: &BTreeMap<ObjectKey, Vec<Provider>>) -> Vec<Made> {
    let mut made: BTreeMap<ObjectKey, Vec<ObjectKey>> = BTreeMap::new();
    for (key, providers) in objects {
        let name: &[&str] = match (key.group.as_str(), key.kind.as_str()) {
            ("external-secrets.io", "ExternalSecret") => &["target", "name"],
            ("bitnami.com", "SealedSecret") => &["template", "metadata", "name"],
            ("cert-manager.io", "Certificate") => &["secretName"],
            _ if key.is(kinds::ARTIFACT_GENERATOR) => &[],
            _ => continue,
        };
        let Some(spec) = providers.first().and_then(|provider| object(nodes, *provider).get("spec")) else { continue };
        let new = |kind: GroupKind, name: &str| ObjectKey::new(kind, key.namespace.clone(), name);
        if name.is_empty() {
            let artifacts = spec.get("artifacts").into_iter().flat_map(yaml::Node::items);
            for name in artifacts.filter_map(|artifact| artifact.find_str(&["name"])) {
                made.entry(new(kinds::EXTERNAL_ARTIFACT, name)).or_default().push(key.clone());
            }
        } else {
            let secret = new(kinds::SECRET, spec.find_str(name).unwrap_or(&key.name));
            made.entry(secret).or_default().push(key.clone());
        }
    }
    made.into_iter().filter(|(key, _)| !objects.contains_key(key)).map(|(key, makers)| Made { key, makers }).collect()
}
