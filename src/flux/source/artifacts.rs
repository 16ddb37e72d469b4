use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use smol_str::SmolStr;

use super::ignore_rules::IgnoreRules;
use crate::{
    flux::{
        FluxVersion,
        api::{self, ArtifactGeneratorSpec, kinds::GroupKind},
    },
    kustomize::Kustomize,
    source::{Artifact, Mapped, Pattern, Tree, normalize},
    yaml::Store,
};

/// Names a source object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceRef {
    /// Kind.
    pub kind: SmolStr,
    /// Namespace.
    pub namespace: SmolStr,
    /// Name.
    pub name: SmolStr,
}

impl SourceRef {
    /// The source that `reference` names, seen from `namespace`.
    #[must_use]
    pub fn new(reference: &api::CrossNamespaceSourceReference, namespace: &str) -> Self {
        Self {
            kind: reference.kind().into(),
            namespace: reference.namespace.as_deref().unwrap_or(namespace).into(),
            name: reference.name.as_str().into(),
        }
    }

    /// Whether it names a source of that kind.
    #[must_use]
    pub fn is(&self, kind: GroupKind) -> bool {
        self.kind == kind.kind
    }
}

impl std::fmt::Display for SourceRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Where the files of a source are.
#[derive(Clone)]
pub enum SourceLocation<'t> {
    /// In this repository.
    Here(Arc<Kustomize<'t>>),
    /// In a folder on disk that stands for the source.
    Mapped {
        /// Builds its folders.
        kustomize: Arc<Kustomize<'t>>,
        /// The folder as the user wrote it.
        written: String,
    },
    /// Not here, and why.
    Elsewhere(String),
}

/// Most patterns of one generated artifact: each file is compared with all of them.
const PATTERNS: usize = 200;

/// The artifacts that can be made of this repository. Equal ones are made once, so that what they build is shared.
pub struct Artifacts<'t> {
    store: &'t Store,
    folder: String,
    assumed_version: Option<FluxVersion>,
    made: Mutex<BTreeMap<Key, Arc<Kustomize<'t>>>>,
}

/// Which files of a repository its GitRepository takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// `spec.ignore`.
    pub ignore: Option<String>,
    /// `spec.sparseCheckout`: folders, all where there are none.
    pub folders: Vec<String>,
}

impl Selection {
    /// The selection that the spec of a source makes.
    #[must_use]
    pub fn new(spec: &api::GitRepositorySpec) -> Self {
        let folders = spec.sparse_checkout.iter().map(|folder| normalize(folder)).collect();
        Self { ignore: spec.ignore.clone(), folders }
    }

    /// Whether a file is checked out (source-controller v1.9: go-git keeps what lies below one of the folders).
    fn holds(&self, path: &str) -> bool {
        let is_below = |folder: &String| {
            folder.is_empty() || path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.folders.is_empty() || self.folders.iter().any(is_below)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Git(Selection),
    Mapped { folder: String, ignore: Option<String> },
    Generated { base: Selection, copies: Vec<(String, String, Vec<String>)> },
}

impl<'t> Artifacts<'t> {
    /// Artifacts of the repository whose root is `folder` of the store's tree.
    #[must_use]
    pub fn new(store: &'t Store, folder: &str) -> Self {
        Self { store, folder: folder.to_owned(), assumed_version: None, made: Mutex::new(BTreeMap::new()) }
    }

    /// The same artifacts, where `version` runs unless the repository tells another.
    #[must_use]
    pub fn assuming(self, version: Option<FluxVersion>) -> Self {
        Self { assumed_version: version, ..self }
    }

    /// The Flux release to go by where the repository tells none.
    #[must_use]
    pub const fn assumed_version(&self) -> Option<FluxVersion> {
        self.assumed_version
    }

    /// The files behind the artifacts, parsed.
    #[must_use]
    pub const fn store(&self) -> &'t Store {
        self.store
    }

    /// The files behind the artifacts.
    #[must_use]
    pub const fn tree(&self) -> &'t Tree {
        self.store.tree()
    }

    /// The artifact of a source that is mapped to a folder on disk, with the `spec.ignore` of the source.
    #[must_use]
    pub fn mapped(&self, mapped: &Mapped<'t>, ignore: Option<&str>) -> SourceLocation<'t> {
        let Mapped { mapping, path } = mapped;
        let key = Key::Mapped { folder: mapping.reserved(path), ignore: ignore.map(str::to_owned) };
        let kustomize = self.get_or_make(key, || {
            let tree = self.store.tree();
            let all = Artifact::of_mapping(tree, mapping, path, |_| true);
            let rules = IgnoreRules::for_files(tree, all.iter(), ignore);
            Artifact::of_mapping(tree, mapping, path, |path| rules.keeps(path)).cut(rules.is_cut())
        });
        SourceLocation::Mapped { kustomize, written: mapping.written().to_owned() }
    }

    /// The artifact of the repository, as far as its source takes it.
    pub fn git(&self, selection: &Selection) -> Arc<Kustomize<'t>> {
        self.get_or_make(Key::Git(selection.clone()), || {
            let tree = self.store.tree();
            let rules = IgnoreRules::for_git(tree, &self.folder, selection.ignore.as_deref());
            Artifact::new(tree, &self.folder, |path| selection.holds(path) && rules.keeps(path)).cut(rules.is_cut())
        })
    }

    /// The folders that `.gitmodules` gives to other repositories. Their files are in the artifact where the source sets
    /// `recurseSubmodules`, and as a rule not among those that were read.
    #[must_use]
    pub fn submodules(&self) -> Vec<String> {
        let tree = self.store.tree();
        let path = crate::source::join(&self.folder, ".gitmodules").unwrap_or_default();
        let text = tree.file(&path).and_then(|file| tree.text(file)).unwrap_or_default();
        let values = text.lines().filter_map(|line| line.trim().strip_prefix("path")?.trim().strip_prefix('='));
        values.map(|value| crate::source::normalize(value.trim())).filter(|path| !path.is_empty()).collect()
    }

    /// The artifact `name` of a generator, where all it copies comes from this repository: `is_here` tells that of a
    /// source (source-watcher v2.2).
    ///
    /// # Errors
    /// Why the artifact cannot be made from this repository alone.
    pub fn generated(
        &self,
        generator: &ArtifactGeneratorSpec,
        name: &str,
        selection: &Selection,
        is_here: &dyn Fn(&api::GeneratorSource) -> bool,
    ) -> Result<Arc<Kustomize<'t>>, String> {
        let artifact = generator
            .artifacts
            .iter()
            .find(|artifact| artifact.name == name)
            .ok_or_else(|| format!("no entry of `spec.artifacts` is named `{name}`"))?;
        let mut copies = Vec::new();
        for copy in &artifact.copy {
            let from = copy.from.strip_prefix('@').and_then(|from| from.split_once('/'));
            let (alias, glob) = from.ok_or_else(|| format!("`{}` is not of the form `@alias/path`", copy.from))?;
            let source = generator.sources.iter().find(|source| source.alias == alias);
            let source = source.ok_or_else(|| format!("`@{alias}` is no alias of `spec.sources`"))?;
            if !is_here(source) {
                return Err(format!("it copies from {} `{}`, which is not this repository", source.kind, source.name));
            }
            let to = copy.to.strip_prefix("@artifact").unwrap_or(&copy.to).trim_start_matches('/');
            copies.push((glob.to_owned(), to.to_owned(), copy.exclude.clone()));
        }
        let patterns = || copies.iter().flat_map(|(from, _, exclude)| exclude.iter().chain([from]));
        if patterns().count() > PATTERNS {
            return Err(format!("it has more than {PATTERNS} patterns"));
        }
        if let Some(fault) = patterns().find_map(|glob| Pattern::parse(glob).err()) {
            return Err(fault);
        }
        let base = self.git(selection);
        let key = Key::Generated { base: selection.clone(), copies: copies.clone() };
        Ok(self.get_or_make(key, || {
            copied(base.artifact(), &copies).beside(self.store.tree()).cut(base.artifact().is_cut())
        }))
    }

    fn get_or_make(&self, key: Key, make: impl FnOnce() -> Artifact) -> Arc<Kustomize<'t>> {
        if let Some(made) = self.lock().get(&key) {
            return Arc::clone(made);
        }
        let made = Arc::new(Kustomize::new(self.store, make()));
        Arc::clone(self.lock().entry(key).or_insert(made))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Arc<Kustomize<'t>>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copied(base: &Artifact, copies: &[(String, String, Vec<String>)]) -> Artifact {
    let mut files = BTreeMap::new();
    for (from, to, exclude) in copies {
        let exclude: Vec<Pattern> = exclude.iter().filter_map(|glob| Pattern::parse(glob).ok()).collect();
        let literal = literal_prefix(from);
        let glob = Pattern::parse(from).ok();
        for (path, file) in base.iter() {
            let Some(target) = target(path, from, literal, glob.as_ref(), to, base) else { continue };
            if !exclude.iter().any(|glob| glob.matches(path)) {
                files.insert(target, file);
            }
        }
    }
    files.into_iter().collect()
}

/// Where `path` goes, if it is copied: what a glob matches keeps its path below the part before the first wildcard; a
/// folder or file named without one is copied as `cp -r` does, into a target that ends in `/`, else to that name.
fn target(path: &str, from: &str, literal: &str, glob: Option<&Pattern>, to: &str, base: &Artifact) -> Option<String> {
    let below = if literal.len() == from.len() {
        let from = from.trim_end_matches('/');
        let name = from.rsplit('/').next().unwrap_or_default();
        let rest = if base.file(from).is_some() {
            (path == from).then_some("")?
        } else {
            path.strip_prefix(from)?.strip_prefix('/')?
        };
        if to.is_empty() || to.ends_with('/') { format!("{name}/{rest}") } else { rest.to_owned() }
    } else {
        glob?.matches(path).then(|| path.strip_prefix(literal))??.to_owned()
    };
    crate::source::join(to, &below)
}

/// The folders of a glob before its first wildcard, with the slash behind them.
fn literal_prefix(glob: &str) -> &str {
    match glob.find(['*', '?', '[', '{']) {
        Some(wildcard) => &glob[..glob[..wildcard].rfind('/').map_or(0, |slash| slash + 1)],
        None => glob,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Tree;

    #[test]
    fn a_sparse_checkout_takes_its_folders_alone() {
        let selection = |folders: &[&str]| {
            let sparse_checkout = folders.iter().map(|folder| (*folder).to_owned()).collect();
            Selection::new(&api::GitRepositorySpec { sparse_checkout, ..api::GitRepositorySpec::default() })
        };
        let some = selection(&["./apps/", "infra"]);
        assert!(some.holds("apps/a/b.yaml") && some.holds("infra/c.yaml"));
        assert!(!some.holds("apps.yaml") && !some.holds("infrastructure/c.yaml") && !some.holds("README.md"));
        assert!(selection(&[]).holds("README.md") && selection(&["./"]).holds("README.md"));
    }

    #[test]
    fn copies_land_where_the_generator_puts_them() {
        let paths = ["apps/base/p/a.yaml", "apps/staging/b.yaml", "infra/c.yaml", "infra/d/e.md", "README.md"];
        let tree = Tree::from_memory(paths.map(|path| (path.to_owned(), Vec::new())));
        let base = Artifact::new(&tree, "", |_| true);
        let copies =
            [("apps/base/**", "base/"), ("apps/staging/*.yaml", "staging/"), ("infra", ""), ("README.md", "doc.md")];
        let copies: Vec<_> = copies
            .iter()
            .map(|(from, to)| {
                ((*from).to_owned(), (*to).to_owned(), vec!["**/*.md".to_owned(), "infra/d/*".to_owned()])
            })
            .collect();
        let paths: Vec<_> = copied(&base, &copies[..3]).iter().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(paths, ["base/p/a.yaml", "infra/c.yaml", "staging/b.yaml"]);
        let single = [("README.md".to_owned(), "doc.md".to_owned(), Vec::new())];
        assert!(copied(&base, &single).file("doc.md").is_some());
    }
}
