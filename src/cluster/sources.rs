use std::{collections::BTreeMap, sync::Arc};

use smol_str::SmolStr;

use super::foreign::Foreign;
use crate::{
    flux::{
        Artifacts, SourceRef, Where,
        api::{ArtifactGeneratorSpec, GeneratorSource, GitRepositorySpec, SOURCE_EXTENSIONS_GROUP, SOURCE_GROUP},
    },
    kustomize::{Kustomize, Object},
    yaml::decode,
};

/// The sources of one cluster, and which of them are this repository.
pub(super) struct Sources<'a, 't> {
    artifacts: &'a Artifacts<'t>,
    own: Vec<SourceRef>,
    own_url: Option<String>,
    ignore: Option<String>,
    urls: BTreeMap<SourceRef, String>,
    generators: Vec<(SmolStr, ArtifactGeneratorSpec)>,
    foreign: Foreign,
}

impl<'a, 't> Sources<'a, 't> {
    /// Sources of a cluster whose entry points are fed from `own`, given all objects known so far.
    pub(super) fn new<'o>(
        artifacts: &'a Artifacts<'t>,
        own: &[SourceRef],
        objects: impl Iterator<Item = &'o Object>,
    ) -> Self {
        let mut sources = Self {
            artifacts,
            own: own.to_vec(),
            own_url: None,
            ignore: None,
            urls: BTreeMap::new(),
            generators: Vec::new(),
            foreign: Foreign::default(),
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
        if id.kind == "ArtifactGenerator" {
            if let Ok(spec) = decode(spec) {
                self.generators.push((namespace, spec));
            }
            return;
        }
        let source = SourceRef { kind: id.kind, namespace, name: id.name };
        self.foreign.add(&source, spec);
        let Some(url) = spec.find_str(&["url"]) else { return };
        if self.own.contains(&source) {
            self.own_url = Some(comparable(url));
            if let Ok(GitRepositorySpec { ignore, .. }) = decode(spec) {
                self.ignore = ignore;
            }
        }
        self.urls.insert(source, comparable(url));
    }

    /// Where the files of `source` are.
    pub(super) fn find(&self, source: &SourceRef) -> Where<'t> {
        if let Some(mapped) = self.foreign.find(self.artifacts, source, self.is_own(source)) {
            return mapped;
        }
        if self.is_own(source) {
            return Where::Here(self.repository());
        }
        if source.kind == "ExternalArtifact" {
            return self.generated(source);
        }
        match self.urls.get(source) {
            Some(url) => Where::Elsewhere(format!("its source {source} is another repository ({url})")),
            None => Where::Elsewhere(format!("its source {source} is in no file of this repository")),
        }
    }

    /// The artifact of this repository.
    pub(super) fn repository(&self) -> Arc<Kustomize<'t>> {
        self.artifacts.git(self.ignore.as_deref())
    }

    fn is_own(&self, source: &SourceRef) -> bool {
        self.own.contains(source) || (self.own_url.is_some() && self.urls.get(source) == self.own_url.as_ref())
    }

    fn generated(&self, artifact: &SourceRef) -> Where<'t> {
        let makes = |(namespace, spec): &&(SmolStr, ArtifactGeneratorSpec)| {
            *namespace == artifact.namespace && spec.artifacts.iter().any(|entry| entry.name == artifact.name)
        };
        let Some((namespace, spec)) = self.generators.iter().find(makes) else {
            return Where::Elsewhere(format!("its source {artifact} is made by something outside this repository"));
        };
        let is_here = |source: &GeneratorSource| {
            let namespace = source.namespace.as_deref().map_or_else(|| namespace.clone(), SmolStr::new);
            self.is_own(&SourceRef { kind: source.kind.as_str().into(), namespace, name: source.name.as_str().into() })
        };
        match self.artifacts.generated(spec, &artifact.name, self.ignore.as_deref(), &is_here) {
            Ok(kustomize) => Where::Here(kustomize),
            Err(why) => {
                Where::Elsewhere(format!("its source {artifact} cannot be made from this repository alone: {why}"))
            }
        }
    }
}

/// A URL without what does not tell repositories apart: scheme, user, `.git`, trailing slash, and case.
fn comparable(url: &str) -> String {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let url = url.split_once('@').map_or(url, |(_, rest)| rest);
    url.trim_end_matches('/').trim_end_matches(".git").replace(':', "/").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_urls() {
        assert_eq!(comparable("https://github.com/a/B.git"), comparable("ssh://git@github.com/a/b"));
        assert_eq!(comparable("git@github.com:a/b.git"), comparable("https://github.com/a/b/"));
        assert_ne!(comparable("https://github.com/a/b"), comparable("https://github.com/a/c"));
    }
}
