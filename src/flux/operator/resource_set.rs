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
mod tests {
    use super::*;
    use crate::{source::Tree, yaml::parse};

    fn sets(text: &str) -> Vec<ResourceSet> {
        let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
        let text = format!("apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\n{text}");
        let node = parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents[0].root.clone();
        let object = Object { source: node.span, node, changes: Vec::new() };
        expand_resource_sets([&object].into_iter())
    }

    fn set(spec: &str) -> ResourceSet {
        sets(&format!("metadata: {{name: s, namespace: ops}}\nspec:\n{spec}")).remove(0)
    }

    fn names(set: &ResourceSet) -> Vec<String> {
        set.objects.iter().map(|object| object.id().to_string()).collect()
    }

    const MAP: &str = "  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: ";

    #[test]
    fn each_input_fills_each_template_once() {
        let set = set(&format!(
            "  commonMetadata: {{labels: {{a: b}}}}\n  inputs:\n  - {{tenant: x, app: {{ready: true, count: 3, version: \"1\"}}}}\n  \
             - {{tenant: y, app: {{ready: false, count: 4, version: \"2\"}}}}\n  resources:\n{MAP}c-<< inputs.tenant >>\n      \
             namespace: << inputs.provider.namespace >>\n      labels: {{<< inputs.tenant >>: \"v<<inputs.app.version>>\"}}\n    \
             data: {{ready: << inputs.app.ready >>, count: \"<<- inputs.app.count ->>\"}}\n{MAP}same\n"
        ));
        assert_eq!(names(&set), ["ConfigMap/ops/c-x", "ConfigMap/ops/c-y", "ConfigMap/same"]);
        assert_eq!(set.unresolved, []);
        let first = &set.objects[0];
        assert_eq!(first.node.find_str(&["metadata", "labels", "x"]), Some("v1"));
        assert_eq!(first.node.find_str(&["metadata", "labels", "a"]), Some("b"));
        assert_eq!(first.node.find(&["data", "ready"]).and_then(Node::as_bool), Some(true));
        assert_eq!(first.node.find(&["data", "count"]).and_then(Node::as_i64), Some(3));
        assert_eq!(first.changes[0].step, Step::Template);
        let other = &set.objects[1];
        assert_eq!(first.node.nearest_span(&["metadata", "name"]), other.node.nearest_span(&["metadata", "name"]));
    }

    #[test]
    fn without_inputs_templates_stand_for_themselves() {
        assert_eq!(names(&set(&format!("  resources:\n{MAP}c\n"))), ["ConfigMap/c"]);
        let failing = set(&format!("  resources:\n{MAP}d\n{MAP}c-<< inputs.x >>\n"));
        assert!(failing.objects.is_empty() && failing.unresolved[0].hides_objects());
        assert!(failing.unresolved[0].why.contains("inputs.x"), "{:?}", failing.unresolved);
        assert!(sets("metadata: {name: s, annotations: {fluxcd.controlplane.io/reconcile: disabled}}\nspec: {resources: [{kind: A}]}\n")[0].objects.is_empty());
    }

    #[test]
    fn text_templates_give_several_documents() {
        let set = set(
            "  inputs: [{name: x}]\n  resourcesTemplate: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: << inputs.name >>}\n    \
             ---\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: y\n      annotations: {fluxcd.controlplane.io/reconcile: disabled}\n",
        );
        assert_eq!(names(&set), ["ConfigMap/x"]);
        assert!(set.objects[0].node.nearest_span(&["metadata", "name"]).is_some());
    }

    #[test]
    fn what_is_more_than_a_plain_input_is_said_and_the_rest_made() {
        let value =
            set(&format!("  inputs: [{{a: 1}}]\n  resources:\n{MAP}c\n    data: {{v: << inputs.a | quote >>}}\n"));
        assert_eq!((names(&value).len(), &value.unresolved[0].hides), (1, &Hidden::Values));
        let name = set(&format!("  inputs: [{{a: 1}}]\n  resources:\n{MAP}<< inputs.a | quote >>\n{MAP}d\n"));
        assert_eq!(names(&name), ["ConfigMap/d"]);
        assert!(name.unresolved.iter().any(Unresolved::hides_objects));
        let flow =
            set("  inputs: [{a: 1}]\n  resourcesTemplate: |\n    <<- if inputs.a >>\n    kind: A\n    <<- end >>\n");
        assert!(flow.objects.is_empty() && flow.unresolved[0].hides_objects());
        let provided =
            set(&format!("  inputsFrom: [{{name: p}}]\n  inputs: [{{a: x}}]\n  resources:\n{MAP}<< inputs.a >>\n"));
        assert_eq!((names(&provided).len(), &provided.unresolved[0].hides), (1, &Hidden::Objects));
        let permuted = set(&format!(
            "  inputStrategy: {{name: Permute}}\n  inputs: [{{a: x}}]\n  resources:\n{MAP}<< inputs.a >>\n"
        ));
        assert!(permuted.objects.is_empty() && permuted.unresolved[0].hides_objects());
        let steps = set(&format!("  steps:\n  - name: s\n    resources:\n{MAP}c\n")
            .replace("\n  - apiV", "\n    - apiV")
            .replace("\n    kind", "\n      kind")
            .replace("\n    metadata:\n      name", "\n      metadata:\n        name"));
        assert_eq!((names(&steps).len(), &steps.unresolved[0].hides), (1, &Hidden::Values));
    }

    #[test]
    fn hostile_sets_end_early() {
        let many = |count: usize, item: &str| item.repeat(count);
        let text = format!(
            "metadata: {{name: s}}\nspec:\n  inputs: [{}]\n  resources:\n{}",
            many(3000, "{a: x}, "),
            many(300, &format!("{MAP}<< inputs.a >>\n    data: {{v: << b >>, w: << c | d >>}}\n")),
        );
        let sets = sets(&text);
        assert!(sets[0].objects.is_empty() && sets[0].unresolved.iter().any(Unresolved::hides_objects));
        assert!(sets[0].unresolved.len() <= UNRESOLVED);
    }

    #[test]
    fn sets_may_make_sets_but_not_without_end() {
        let nested = "metadata: {name: s}\nspec:\n  inputs: [{a: x}]\n  resources:\n  - apiVersion: fluxcd.controlplane.io/v1\n    kind: ResourceSet\n    \
                      metadata: {name: << inputs.a >>}\n    spec: {resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}]}\n";
        let sets = sets(nested);
        assert_eq!(sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>(), ["s", "x"]);
        assert_eq!(names(&sets[1]), ["ConfigMap/c"]);
    }
}
