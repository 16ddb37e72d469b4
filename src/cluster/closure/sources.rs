use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{
    cluster::entries::origin::Origin,
    flux::{
        Artifacts, Selection, SourceLocation, SourceRef,
        api::{
            ArtifactGeneratorSpec, GeneratorSource, GitRepositorySpec, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP,
            kinds::{ARTIFACT_GENERATOR, EXTERNAL_ARTIFACT},
        },
    },
    kustomize::Object,
    source::{RemoteUrl, is_below, normalize},
    yaml::{Node, decode},
};

/// The sources of one cluster, and which of them are this repository.
pub(in crate::cluster) struct Sources<'a, 't> {
    artifacts: &'a Artifacts<'t>,
    origin: &'a Origin<'t>,
    own: Vec<SourceRef>,
    known: BTreeMap<SourceRef, Known>,
    generators: Vec<(SmolStr, ArtifactGeneratorSpec)>,
    mapped: MappedSources,
}

/// What a source object says.
struct Known {
    url: String,
    /// What it checks out, where that is reported.
    revision: Option<String>,
    /// Its `spec.ignore`.
    selection: Selection,
    /// Folders that its `spec.include` fills from other repositories.
    included: Vec<String>,
}

impl<'a, 't> Sources<'a, 't> {
    /// Sources of a cluster whose entry points are fed from `own`, given all objects known so far.
    pub(in crate::cluster) fn new<'o>(
        artifacts: &'a Artifacts<'t>,
        origin: &'a Origin<'t>,
        own: &[SourceRef],
        objects: impl Iterator<Item = &'o Object>,
    ) -> Self {
        let mut sources = Self {
            artifacts,
            origin,
            own: own.to_vec(),
            known: BTreeMap::new(),
            generators: Vec::new(),
            mapped: MappedSources::default(),
        };
        for object in objects {
            sources.add(object);
        }
        sources
    }

    fn add(&mut self, object: &Object) {
        let api_version = object.node.find_str(&["apiVersion"]).unwrap_or_default();
        let is_source = api_version.starts_with(SOURCE_GROUP);
        if !is_source && !api_version.starts_with(SOURCE_EXTENSIONS_GROUP) {
            return;
        }
        let id = object.id();
        let Some(spec) = object.node.get("spec") else { return };
        let namespace = id.namespace.unwrap_or_default();
        if ARTIFACT_GENERATOR.is(&id.group, &id.kind) {
            if let Ok(spec) = decode(spec) {
                self.generators.push((namespace, spec));
            }
            return;
        }
        let source = SourceRef { kind: id.kind, namespace, name: id.name };
        self.mapped.add(&source, spec);
        let Some(url) = spec.find_str(&["url"]) else { return };
        let selection = decode(spec).map(|spec: GitRepositorySpec| Selection::new(&spec)).unwrap_or_default();
        let known = Known {
            url: RemoteUrl::parse(url).identity(),
            revision: revision(spec),
            selection,
            included: included(spec),
        };
        self.known.insert(source, known);
    }

    /// Why `folder` of `source`, which is this repository, may exist although no file of it does.
    pub(in crate::cluster) fn filled_from(&self, source: &SourceRef, folder: &str) -> Option<String> {
        let included = self.known.get(source).map(|known| known.included.as_slice()).unwrap_or_default();
        if included.iter().any(|path| is_below(folder, path)) {
            return Some(format!("`spec.include` of its source {source} fills `{folder}` from another repository"));
        }
        let is_submodule = self.artifacts.submodules().iter().any(|path| is_below(folder, path));
        is_submodule.then(|| format!("`{folder}` lies in a Git submodule"))
    }

    /// Where the files of `source` are.
    pub(in crate::cluster) fn find(&self, source: &SourceRef) -> SourceLocation<'t> {
        if source.name.is_empty() {
            return SourceLocation::Elsewhere(
                "it names no source: `spec.sourceRef` needs a kind and a name".to_owned(),
            );
        }
        if let Some(mapped) = self.mapped.find(self.artifacts, source, self.own(source).is_ok()) {
            return mapped;
        }
        if source.is(EXTERNAL_ARTIFACT) && !self.is_named(source) {
            return self.generated(source);
        }
        match self.own(source) {
            Ok(selection) => SourceLocation::Here(self.artifacts.git(&selection)),
            Err(why) => SourceLocation::Elsewhere(why),
        }
    }

    /// What is taken of `source`, if its files are those of this repository; else why not.
    fn own(&self, source: &SourceRef) -> Result<Selection, String> {
        let known = self.known.get(source);
        if self.is_named(source) {
            return Ok(known.map(|known| known.selection.clone()).unwrap_or_default());
        }
        let known = known.ok_or_else(|| format!("its source {source} is in no file of this repository"))?;
        let same_url: Vec<&Known> =
            self.own.iter().filter_map(|own| self.known.get(own)).filter(|own| own.url == known.url).collect();
        if same_url.is_empty() {
            if self.origin.is_remote(&known.url) {
                return Ok(known.selection.clone());
            }
            match self.origin.pushed_from(&known.url) {
                Some("") => return Ok(known.selection.clone()),
                Some(folder) => {
                    return Err(format!(
                        "its source {source} is an artifact ({}) that a pipeline makes of the folder `{folder}` of this repository",
                        known.url
                    ));
                }
                None => {}
            }
            return Err(format!("its source {source} is another repository ({})", known.url));
        }
        // Another branch of this repository may hold anything.
        let is_same = |own: &&Known| match (&own.revision, &known.revision) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        if same_url.iter().any(is_same) {
            return Ok(known.selection.clone());
        }
        let revision = known.revision.as_deref().unwrap_or_default();
        Err(format!("its source {source} is this repository at another revision ({revision})"))
    }

    /// Whether an entry point is fed from `source`. A namespace that only a kustomization outside every build sets is
    /// not known.
    fn is_named(&self, source: &SourceRef) -> bool {
        self.own.iter().any(|own| {
            let is_open = own.namespace.is_empty() || source.namespace.is_empty();
            own.kind == source.kind && own.name == source.name && (is_open || own.namespace == source.namespace)
        })
    }

    fn generated(&self, artifact: &SourceRef) -> SourceLocation<'t> {
        let makes = |(namespace, spec): &&(SmolStr, ArtifactGeneratorSpec)| {
            *namespace == artifact.namespace && spec.artifacts.iter().any(|entry| entry.name == artifact.name)
        };
        let Some((namespace, spec)) = self.generators.iter().find(makes) else {
            return SourceLocation::Elsewhere(format!(
                "its source {artifact} is made by something outside this repository"
            ));
        };
        let source_of = |source: &GeneratorSource| {
            let namespace = source.namespace.as_deref().map_or_else(|| namespace.clone(), SmolStr::new);
            SourceRef { kind: source.kind.as_str().into(), namespace, name: source.name.as_str().into() }
        };
        let is_here = |source: &GeneratorSource| self.own(&source_of(source)).is_ok();
        let own = spec.sources.iter().find_map(|source| self.own(&source_of(source)).ok());
        match self.artifacts.generated(spec, &artifact.name, &own.unwrap_or_default(), &is_here) {
            Ok(kustomize) => SourceLocation::Here(kustomize),
            Err(why) => SourceLocation::Elsewhere(format!(
                "its source {artifact} cannot be made from this repository alone: {why}"
            )),
        }
    }
}

/// What a source checks out (source-controller v1.9, precedence in `spec.ref`). `None` where that is not reported, or only
/// by a variable.
fn revision(spec: &Node) -> Option<String> {
    let reference = spec.get("ref")?;
    let keys = ["digest", "commit", "name", "semver", "tag", "branch"];
    let (key, value) = keys.iter().find_map(|key| Some((*key, reference.find_str(&[key])?)))?;
    let (key, value) = match (key, value) {
        ("name", name) => match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
            (Some(branch), _) => ("branch", branch),
            (None, Some(tag)) => ("tag", tag),
            (None, None) => ("name", name),
        },
        other => other,
    };
    (!value.contains("${")).then(|| format!("{key} `{value}`"))
}

/// The folders that `spec.include` fills (source-controller v1.9, `GetToPath`).
fn included(spec: &Node) -> Vec<String> {
    let entries = spec.get("include").into_iter().flat_map(Node::items);
    let to = |entry: &Node| {
        let path = entry.find_str(&["toPath"]).filter(|path| !path.is_empty());
        path.or_else(|| entry.find_str(&["repository", "name"])).map(normalize)
    };
    entries.filter_map(to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::Tree, yaml::parse};

    #[test]
    fn a_revision_is_the_strongest_entry_of_a_reference() {
        let reported = |text: &str| {
            let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
            let parsed = parse(tree.file("a.yaml").expect("present"), text.as_bytes());
            revision(&parsed.documents[0].root)
        };
        assert_eq!(reported("ref: {name: refs/heads/main}"), reported("ref: {branch: main}"));
        assert_eq!(reported("ref: {branch: main, tag: v1}").as_deref(), Some("tag `v1`"));
        assert_ne!(reported("ref: {branch: main}"), reported("ref: {branch: release}"));
        assert_eq!(reported("ref: {branch: '${BRANCH}'}"), None);
        assert_eq!(reported("url: x"), None);
    }
}

/// Sources by where they get their files from, for those whose place is mapped to a folder.
#[derive(Debug, Default)]
struct MappedSources {
    origins: BTreeMap<SourceRef, Fetched>,
}

#[derive(Debug)]
struct Fetched {
    url: RemoteUrl,
    /// The names of the revision it checks out.
    references: Vec<String>,
    ignore: Option<String>,
}

/// The fields of `spec.ref` of a GitRepository or an OCIRepository (source-controller v1.9).
const REFERENCES: [&str; 6] = ["branch", "tag", "semver", "name", "commit", "digest"];

impl MappedSources {
    /// Takes in the `spec` of a source.
    fn add(&mut self, source: &SourceRef, spec: &Node) {
        let text = |keys: &[&str]| spec.find_str(keys).map(str::to_owned);
        let bucket = || Some(format!("{}/{}", text(&["endpoint"])?, text(&["bucketName"])?));
        let Some(url) = text(&["url"]).or_else(bucket) else { return };
        let full = |name: &str| {
            ["refs/heads/", "refs/tags/"].iter().find_map(|start| name.strip_prefix(start)).map(str::to_owned)
        };
        let mut references: Vec<String> = REFERENCES.iter().filter_map(|key| text(&["ref", key])).collect();
        references.extend(references.iter().filter_map(|name| full(name)).collect::<Vec<_>>());
        let origin = Fetched { url: RemoteUrl::parse(&url), references, ignore: text(&["ignore"]) };
        self.origins.insert(source.clone(), origin);
    }

    /// The files of `source`, where they are in a mapped folder. For one that `is_own` that takes a mapping of its very
    /// URL to a folder that does not hold what is analysed: a mapping of a whole host or organisation is not about it.
    pub(in crate::cluster) fn find<'t>(
        &self,
        artifacts: &Artifacts<'t>,
        source: &SourceRef,
        is_own: bool,
    ) -> Option<SourceLocation<'t>> {
        let origin = self.origins.get(source)?;
        let references: Vec<&str> = origin.references.iter().map(String::as_str).collect();
        let mapped = artifacts.tree().mapped(&origin.url, &references)?;
        let is_meant = mapped.mapping.is_foreign() && mapped.path.is_empty();
        (is_meant || !is_own).then(|| artifacts.mapped(&mapped, origin.ignore.as_deref()))
    }
}
