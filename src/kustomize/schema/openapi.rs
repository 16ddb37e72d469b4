//! `openapi`: the schema that says which lists strategic merge patches merge. Of a whole build the first one counts, even
//! that of a base (kyaml `openapi.SetSchema`, kustomize 5.5).

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

use rustc_hash::FxHashMap;

use super::{merge_keys, scope::is_cluster_scoped};
use crate::{
    kustomize::{Step, report::Report, resource::Resource},
    source::{FileId, Span},
    yaml::{Node, Store},
};

/// Most `$ref`s followed one after the other, so that those that go in circles end.
const REFERENCES: usize = 100;

/// A type of the schema: of the table, or a schema object of a file.
#[derive(Debug, Clone, Copy)]
pub(in crate::kustomize) enum Type<'s> {
    BuiltIn(merge_keys::Type),
    Custom(&'s Node),
}

/// A field of a type.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct Field<'s> {
    /// The keys of a merged list, most important first; an empty key where the items are scalars.
    pub(in crate::kustomize) keys: Option<Cow<'s, [&'s str]>>,
    /// The type of the field.
    pub(in crate::kustomize) of: Option<Type<'s>>,
    /// The type of the items, where it is a list.
    pub(in crate::kustomize) items: Option<Type<'s>>,
}

/// The definitions of a file.
#[derive(Debug)]
struct Custom<'t> {
    definitions: FxHashMap<&'t str, &'t Node>,
    kinds: FxHashMap<(String, &'t str), &'t Node>,
    /// Whether the built-in schema holds too, as it does once it has been read.
    beside_built_in: bool,
}

/// The schema of one build.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct Schema<'t> {
    /// What was chosen, if anything; nothing in it where that is the built-in schema.
    chosen: OnceCell<Option<Custom<'t>>>,
    used: Cell<bool>,
    /// Steps that merging lists took beyond one for each node.
    extra: Cell<usize>,
}

impl<'t> Schema<'t> {
    /// Whether a kustomization file has chosen the schema.
    pub(in crate::kustomize) fn is_chosen(&self) -> bool {
        self.chosen.get().is_some()
    }

    /// Notes that resources are there: kustomize reads the schema for patches, and to learn the scope of a kind that is
    /// not built in.
    pub(in crate::kustomize) fn note(&self, resources: &[Resource]) {
        if !self.used.get() && !self.is_chosen() {
            self.used.set(resources.iter().any(needs_schema));
        }
    }

    /// Lets a kustomization file choose the schema: by `path`, with the file it leads to, or by `version`. Whether it does.
    pub(in crate::kustomize) fn choose(
        &self,
        store: &'t Store,
        path: Option<(Span, Option<FileId>)>,
        version: Option<&Node>,
        report: &mut Report,
    ) -> bool {
        match (path, version.map(|version| (version.span, version.as_str()))) {
            (None, None | Some((_, Some("")))) | (Some((_, None)), _) => {}
            (None, Some((_, Some("v1.21.2")))) => drop(self.chosen.set(None)),
            (None, Some((at, _))) => {
                report.error(at, "this version of the OpenAPI document is not built into kustomize");
            }
            (Some((_, Some(_))), Some((at, _))) => report.error(at, "`openapi` cannot have both `path` and `version`"),
            (Some((path, Some(id))), None) => match Custom::read(store, id, self.used.get()) {
                Ok(custom) => drop(self.chosen.set(Some(custom))),
                Err((at, why)) => {
                    let used = vec![(path, "used here".to_owned())];
                    report.error_with(at, format!("not an OpenAPI schema: {why}"), used);
                }
            },
        }
        self.is_chosen()
    }

    /// Notes that merging lists takes so many steps more than there are nodes.
    pub(in crate::kustomize) fn add_steps(&self, steps: usize) {
        self.extra.set(self.extra.get().saturating_add(steps));
    }

    /// What was noted since the last time.
    pub(in crate::kustomize) fn take_steps(&self) -> usize {
        self.extra.take()
    }

    fn custom(&self) -> Option<&Custom<'t>> {
        self.chosen.get().and_then(Option::as_ref)
    }

    /// The type of a kind.
    pub(in crate::kustomize) fn type_of<'s>(&'s self, api_version: &str, kind: &str) -> Option<Type<'s>> {
        self.used.set(true);
        let built_in = || merge_keys::type_of(api_version, kind).map(Type::BuiltIn);
        let Some(custom) = self.custom() else { return built_in() };
        let found = custom.kinds.get(&(api_version.to_owned(), kind)).copied().map(Type::Custom);
        found.or_else(|| built_in().filter(|_| custom.beside_built_in))
    }

    /// The field of a type; without a type where the schema says nothing of it.
    pub(in crate::kustomize) fn field<'s>(&'s self, of: Type<'s>, name: &str) -> Field<'s> {
        match of {
            Type::BuiltIn(of) => merge_keys::field(of, name).map_or_else(Field::default, |field| {
                let of = Some(field.of).filter(|of| !of.is_empty()).map(Type::BuiltIn);
                Field { keys: field.keys.map(Cow::Borrowed), of, items: of }
            }),
            Type::Custom(of) => self.custom().and_then(|custom| custom.field(of, name)).unwrap_or_default(),
        }
    }
}

fn needs_schema(resource: &Resource) -> bool {
    let gvk = resource.gvk();
    let api_version = resource.node().find_str(&["apiVersion"]).unwrap_or_default();
    let built_in =
        merge_keys::type_of(api_version, &gvk.kind).is_some() || is_cluster_scoped(&gvk.group, &gvk.version, &gvk.kind);
    !built_in || resource.object.changes.iter().any(|change| change.step == Step::Patch)
}

impl<'t> Custom<'t> {
    /// The definitions of a file, else what is wrong with it.
    fn read(store: &'t Store, file: FileId, beside_built_in: bool) -> Result<Self, (Span, String)> {
        let start = Span::file_start(file);
        // kustomize reads what starts with a brace as JSON, and anything else as YAML.
        let bytes = store.tree().bytes(file).unwrap_or_default();
        if bytes.first() == Some(&b'{')
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
        {
            return Err((start, format!("malformed JSON: {error}")));
        }
        let Some(document) = store.parse(file).documents.first() else {
            return Err((start, "the file is empty".to_owned()));
        };
        if let Some(problem) = &document.error {
            return Err((problem.span, format!("malformed YAML: {}", problem.message)));
        }
        let map = |node: &Node, what: &str| match node.as_map() {
            Some(_) => Ok(()),
            None => Err((node.span.or(start), format!("{what} must be a mapping"))),
        };
        map(&document.root, "the document")?;
        let definitions = document.root.get("definitions").filter(|definitions| !definitions.is_null());
        definitions.map_or(Ok(()), |definitions| map(definitions, "`definitions`"))?;
        let (mut by_name, mut kinds) = (FxHashMap::default(), FxHashMap::default());
        for definition in definitions.into_iter().flat_map(Node::entries).filter(|entry| !entry.value.is_null()) {
            map(&definition.value, "a definition")?;
            by_name.insert(definition.key.as_str(), &definition.value);
            let marks = definition.value.get("x-kubernetes-group-version-kind");
            for mark in marks.into_iter().flat_map(Node::items) {
                let text = |key: &str| mark.find_str(&[key]).unwrap_or_default();
                let (Some(version), Some(kind)) = (mark.find_str(&["version"]), mark.find_str(&["kind"])) else {
                    continue;
                };
                let api_version = match text("group") {
                    "" => version.to_owned(),
                    group => format!("{group}/{version}"),
                };
                kinds.insert((api_version, kind), &definition.value);
            }
        }
        Ok(Self { definitions: by_name, kinds, beside_built_in })
    }

    fn field<'s>(&'s self, of: &'s Node, name: &str) -> Option<Field<'s>> {
        let values = || of.get("additionalProperties").filter(|values| values.as_map().is_some());
        let field = self.resolved(of.find(&["properties", name]).or_else(values)?)?;
        let merged = field.find_str(&["x-kubernetes-patch-strategy"]).is_some_and(|way| way.contains("merge"));
        let keys = || {
            let listed = field.get("x-kubernetes-list-map-keys").into_iter().flat_map(Node::items);
            let listed: Vec<&str> = listed.filter_map(Node::as_str).collect();
            let key = || vec![field.find_str(&["x-kubernetes-patch-merge-key"]).unwrap_or_default()];
            Cow::Owned(if listed.is_empty() { key() } else { listed })
        };
        let is_list = field.get("type").is_some_and(|of| {
            of.as_str() == Some("array") || of.as_seq().is_some() && of.items().map(Node::as_str).eq([Some("array")])
        });
        let items = field.get("items").filter(|_| is_list).and_then(|items| self.resolved(items));
        Some(Field { keys: merged.then(keys), of: Some(Type::Custom(field)), items: items.map(Type::Custom) })
    }

    /// What a schema object refers to, else itself.
    fn resolved<'s>(&'s self, mut of: &'s Node) -> Option<&'s Node> {
        for _ in 0..REFERENCES {
            let Some(reference) = of.find_str(&["$ref"]).filter(|reference| !reference.is_empty()) else {
                return Some(of);
            };
            let (_, pointer) = reference.split_once('#')?;
            let mut keys = pointer.strip_prefix("/definitions/")?.split('/').map(unescaped);
            let definition = *self.definitions.get(keys.next()?.as_str())?;
            of = keys.try_fold(definition, |node, key| node.get(&key))?;
        }
        None
    }
}

/// A step of a JSON pointer.
fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}
