//! What the Flux Operator makes of ResourceSets (flux-operator v0.58, `internal/builder/resourceset.go`).

use std::collections::{BTreeSet, VecDeque};

use smol_str::SmolStr;

use super::template::{Fault, Fill};
use crate::{
    flux::{
        api::kinds::RESOURCE_SET,
        build::{
            common_metadata, expand as decoded,
            rewrite::{at_span, replace_in},
        },
    },
    kustomize::{Change, Hidden, Object, ObjectId, Step, Unresolved},
    source::{FileId, Span},
    yaml::{self, Entry, Map, Node, Value},
};

/// Levels of ResourceSets that make ResourceSets.
const DEPTH: usize = 8;

/// Most templates that the ResourceSets of one Kustomization may fill, and most bytes of text and nodes in them; limits
/// of ours.
const TEMPLATES: usize = 20_000;
const WORK: usize = 16 << 20;

/// Most places that are reported of one set.
const UNRESOLVED: usize = 1_000;

/// A ResourceSet and what is built from it.
#[derive(Debug, Clone)]
pub struct ResourceSet {
    /// Its namespace.
    pub namespace: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// The place of its name.
    pub span: Span,
    /// The objects it makes, each at most once. Their nodes carry the spans of the template.
    pub objects: Vec<Object>,
    /// What of it cannot be known from the repository.
    pub unresolved: Vec<Unresolved>,
}

/// Expands the ResourceSets among `objects`, and those that they make in turn.
#[must_use]
pub fn expand_resource_sets<'o>(objects: impl Iterator<Item = &'o Object>) -> Vec<ResourceSet> {
    let mut budget = Budget { templates: TEMPLATES, work: WORK };
    let mut waiting: VecDeque<(Object, usize)> =
        objects.filter(|object| is_resource_set(object)).map(|object| (object.clone(), 0)).collect();
    let mut sets = Vec::new();
    while let Some((object, depth)) = waiting.pop_front() {
        let mut set = expand(&object, &mut budget);
        let nested = set.objects.iter().filter(|object| is_resource_set(object));
        if depth < DEPTH {
            waiting.extend(nested.map(|object| (object.clone(), depth + 1)));
        } else if let Some(nested) = nested.map(|object| object.source).next() {
            let why = format!("it makes ResourceSets more than {DEPTH} levels deep");
            set.unresolved.push(set.hidden(why, nested, Hidden::Objects));
        }
        sets.push(set);
    }
    sets
}

fn is_resource_set(object: &Object) -> bool {
    RESOURCE_SET.is_kind_of(&object.node)
}

struct Budget {
    templates: usize,
    work: usize,
}

impl ResourceSet {
    fn hidden(&self, why: String, span: Span, hides: Hidden) -> Unresolved {
        let what = match self.namespace.as_str() {
            "" => format!("ResourceSet/{}", self.name),
            namespace => format!("ResourceSet/{namespace}/{}", self.name),
        };
        Unresolved { what, why, span, hides }
    }
}

/// The inputs of a set: with none, templates are filled once, without any.
enum Inputs {
    Sets(Vec<Node>),
    None,
}

impl Inputs {
    fn iter(&self) -> impl Iterator<Item = Option<&Node>> {
        let (sets, none): (&[Node], _) = match self {
            Self::Sets(sets) => (sets, None),
            Self::None => (&[], Some(None)),
        };
        sets.iter().map(Some).chain(none)
    }
}

struct Expansion<'b> {
    set: ResourceSet,
    keys: BTreeSet<ObjectId>,
    /// Places that are reported already.
    reported: BTreeSet<(Span, bool)>,
    budget: &'b mut Budget,
}

fn expand(object: &Object, budget: &mut Budget) -> ResourceSet {
    let id = object.id();
    let set = ResourceSet {
        namespace: id.namespace.unwrap_or_default(),
        name: id.name,
        span: object.place(),
        objects: Vec::new(),
        unresolved: Vec::new(),
    };
    let is_paused = reconcile(&object.node).is_some_and(|value| value.eq_ignore_ascii_case("disabled"));
    let Some(spec) = object.node.get("spec").filter(|_| !is_paused) else { return set };
    let mut expansion = Expansion { set, keys: BTreeSet::new(), reported: BTreeSet::new(), budget };
    if let Some(inputs) = expansion.inputs(spec)
        && expansion.run(spec, &inputs).is_none()
    {
        // flux-operator applies all or nothing.
        expansion.set.objects.clear();
    }
    if let Some(metadata) = spec.get("commonMetadata") {
        for object in &mut expansion.set.objects {
            for field in ["labels", "annotations"] {
                common_metadata(object, field, metadata.get(field));
            }
        }
    }
    expansion.set
}

fn reconcile(node: &Node) -> Option<&str> {
    node.find_str(&["metadata", "annotations", "fluxcd.controlplane.io/reconcile"])
}

impl Expansion<'_> {
    fn unresolved(&mut self, why: String, span: Span, hides: Hidden) {
        let span = span.or(self.set.span);
        if self.reported.insert((span, hides == Hidden::Objects)) && self.reported.len() <= UNRESOLVED {
            self.set.unresolved.push(self.set.hidden(why, span, hides));
        }
    }

    /// The static inputs, each with the set itself as its provider (flux-operator, `internal/inputs/provider.go`).
    fn inputs(&mut self, spec: &Node) -> Option<Inputs> {
        let strategy = spec.find(&["inputStrategy", "name"]);
        if let Some(other) = strategy.filter(|name| name.as_str().is_none_or(|name| name != "Flatten")) {
            self.unresolved(
                "its inputs are combined by another strategy than Flatten".to_owned(),
                other.span,
                Hidden::Objects,
            );
            return None;
        }
        let providers = spec.get("inputsFrom").filter(|from| from.items().next().is_some());
        if let Some(from) = providers {
            self.unresolved("it takes inputs from providers in the cluster".to_owned(), from.span, Hidden::Objects);
        }
        let text = |text: &str| Node::str(text, Span::NONE);
        let provider = map([
            ("apiVersion", text("fluxcd.controlplane.io/v1")),
            ("kind", text(RESOURCE_SET.kind)),
            ("name", text(&self.set.name)),
            ("namespace", text(&self.set.namespace)),
        ]);
        let inputs = spec.get("inputs").into_iter().flat_map(Node::items).cloned();
        let inputs: Vec<Node> = inputs
            .map(|mut input| {
                input.set("provider", provider.clone());
                input
            })
            .collect();
        // Providers that give nothing make nothing.
        Some(if inputs.is_empty() && providers.is_none() { Inputs::None } else { Inputs::Sets(inputs) })
    }

    /// Fills every template with every input; `None` where the build fails for it.
    fn run(&mut self, spec: &Node, inputs: &Inputs) -> Option<()> {
        self.section(spec, inputs)?;
        if let Some(steps) = spec.get("steps").filter(|steps| steps.items().next().is_some()) {
            self.unresolved(
                "its steps wait for each other, which is not followed".to_owned(),
                steps.span,
                Hidden::Values,
            );
            for step in steps.items() {
                self.section(step, inputs)?;
            }
        }
        Some(())
    }

    fn section(&mut self, section: &Node, inputs: &Inputs) -> Option<()> {
        for template in section.get("resources").into_iter().flat_map(Node::items) {
            let size = size(template);
            for input in inputs.iter() {
                let mut fill = Fill::new(input);
                let node = replace_in(template, &mut fill).unwrap_or_else(|| template.clone());
                self.spend(size + fill.bytes, template.span)?;
                if self.judge(fill.faults)? {
                    self.add(node, template.span, input);
                }
            }
        }
        let text = section.get("resourcesTemplate");
        if let Some((node, text)) = text.and_then(|node| Some((node, node.as_str()?))) {
            for input in inputs.iter() {
                self.text(text, node.span, input)?;
            }
        }
        Some(())
    }

    /// Fills a text of several documents.
    fn text(&mut self, text: &str, span: Span, input: Option<&Node>) -> Option<()> {
        let mut fill = Fill::new(input);
        let filled = fill.text(text, span);
        self.spend(text.len().max(fill.bytes), span)?;
        let is_sound = self.judge(fill.faults)?;
        let Some(filled) = filled.filter(|_| is_sound) else { return Some(()) };
        for document in yaml::parse_legacy(FileId::NONE, filled.as_bytes()).documents {
            match document.error.as_ref().or(document.problems.first()) {
                Some(problem) => {
                    let why = format!("its `resourcesTemplate` gives no YAML: {}", problem.message);
                    self.unresolved(why, span, Hidden::Objects);
                }
                None => {
                    // A node takes more memory than the letter that makes it.
                    self.spend(16 * size(&document.root), span)?;
                    self.add(at_span(&document.root, span), span, input);
                }
            }
        }
        Some(())
    }

    /// Takes note of what a template could not be filled with. Whether what it gave is an object all the same; `None`
    /// where flux-operator would give up.
    fn judge(&mut self, faults: Vec<(Fault, Span)>) -> Option<bool> {
        let mut is_sound = true;
        for (fault, span) in faults {
            let hides = if fault.hides_objects() { Hidden::Objects } else { Hidden::Values };
            is_sound &= !fault.hides_objects();
            let is_fatal = matches!(fault, Fault::Missing(_));
            self.unresolved(fault.to_string(), span, hides);
            if is_fatal {
                return None;
            }
        }
        Some(is_sound)
    }

    fn spend(&mut self, work: usize, at: Span) -> Option<()> {
        let left = self.budget.work.checked_sub(work).zip(self.budget.templates.checked_sub(1));
        let Some((work, templates)) = left else {
            self.unresolved("it makes more than is looked at".to_owned(), at, Hidden::Objects);
            return None;
        };
        (self.budget.work, self.budget.templates) = (work, templates);
        Some(())
    }

    fn add(&mut self, node: Node, source: Span, input: Option<&Node>) {
        let at = input.map_or(source, |input| input.span.or(source));
        let object = Object { node, source, changes: vec![Change { step: Step::Template, at }] };
        for object in decoded(vec![object]) {
            let id = object.id();
            let is_open = [&id.group, &id.version, &id.kind, &id.name].into_iter().chain(&id.namespace);
            if is_open.into_iter().any(|text| text.contains("<<")) {
                let why = "the name of what it makes is more than a plain input".to_owned();
                self.unresolved(why, object.place(), Hidden::Objects);
                continue;
            }
            let is_left_out = input.is_some() && reconcile(&object.node) == Some("disabled");
            // Which version of an API is used does not tell objects apart.
            if !is_left_out && self.keys.insert(ObjectId { version: SmolStr::default(), ..id }) {
                self.set.objects.push(object);
            }
        }
    }
}

/// How many nodes there are.
fn size(node: &Node) -> usize {
    let inner = node.entries().map(|entry| &entry.value).chain(node.items());
    1 + inner.map(size).sum::<usize>()
}

fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    let mut map = Map::default();
    for (key, value) in entries {
        map.insert(Entry { key: key.into(), key_span: value.span, value });
    }
    Node::new(Value::Map(map.into()), Span::NONE)
}

#[cfg(test)]
mod tests;
