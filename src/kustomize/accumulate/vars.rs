//! `vars`: texts that take the place of `$(NAME)` in configured fields (kustomize `accumulator.ResolveVars`,
//! `filters/refvar`).

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::{
    kustomize::{
        Budget, Step, Unit,
        accumulate::limits,
        id::scalar_text,
        report::{HIDDEN, Report},
        resource::Resource,
        schema::config::{Config, selector},
        transform::{fields::Make, paths},
    },
    source::Span,
    yaml::{Node, Value},
};

struct Var {
    value: Node,
    at: Span,
}

/// Puts the values of `vars` where the configured fields name them.
pub(in crate::kustomize) fn resolve(resources: &mut [Resource], vars: &[Node], config: &Config, report: &mut Report) {
    let mut known: FxHashMap<&str, Var> = FxHashMap::default();
    let names = if vars.is_empty() { return } else { Names::new(resources) };
    for var in vars {
        if !report.affords(limits::COPY, var.span) {
            return;
        }
        let name = var.find_str(&["name"]).unwrap_or_default();
        if let Some(first) = known.get(name) {
            let related = vec![(first.at, "first defined here".to_owned())];
            report.error_with(var.span, format!("the variable `{name}` is defined twice"), related);
        } else if let Some(value) = value(resources, &names, var, name, report) {
            known.insert(name, Var { value, at: var.span });
        }
    }
    if known.is_empty() {
        return;
    }
    for resource in resources.iter_mut() {
        for spec in &config.vars {
            let mut expansion = Expansion { vars: &known, at: Span::NONE, budget: &report.budget };
            let changed =
                spec.apply(resource.node(), Make::Nothing, Span::NONE, &mut |node| Ok(expansion.expand(node)));
            let at = expansion.at;
            if let Ok(Some(node)) = changed {
                let change = resource.replace_node(node, Step::Replacement, at);
                report.spend_change(change, at);
            }
            if report.budget.excess().is_some() {
                return report.tell_excess(at);
            }
        }
        if !report.affords(config.vars.len(), Span::NONE.or(resource.object.source)) {
            return;
        }
    }
}

/// Finds fault with the variables of one kustomization file that several of its objects could be meant by.
pub(in crate::kustomize) fn check(resources: &[Resource], names: &Names, var: &Node, report: &mut Report) {
    let found: Vec<&Resource> = matching(resources, names, var).collect();
    if found.len() > 1 {
        let name = var.find_str(&["name"]).unwrap_or_default();
        let related = found.iter().map(|resource| (resource.object.source, "could be meant".to_owned())).collect();
        report.error_with(var.span, format!("the variable `{name}` refers to several objects"), related);
    }
}

/// Where objects of each name are, and those that had it.
pub(in crate::kustomize) struct Names(FxHashMap<SmolStr, Vec<usize>>);

impl Names {
    pub(in crate::kustomize) fn new(resources: &[Resource]) -> Self {
        let mut names: FxHashMap<SmolStr, Vec<usize>> = FxHashMap::default();
        for (index, resource) in resources.iter().enumerate() {
            for id in resource.previous_ids().chain([resource.id()]) {
                let places = names.entry(id.name).or_default();
                if places.last() != Some(&index) {
                    places.push(index);
                }
            }
        }
        Self(names)
    }
}

fn matching<'r>(resources: &'r [Resource], names: &Names, var: &Node) -> impl Iterator<Item = &'r Resource> {
    let wanted = var.get("objref").cloned().unwrap_or_else(|| Node::empty_map(var.span));
    let gvk = selector(&wanted);
    let places = names.0.get(wanted.find_str(&["name"]).unwrap_or_default()).cloned().unwrap_or_default();
    places.into_iter().filter_map(|index| resources.get(index)).filter(move |resource| {
        let text = |key: &str| wanted.find_str(&[key]).unwrap_or_default();
        resource.any_id(|id| {
            gvk.selects(&id.gvk)
                && id.name == text("name")
                && (text("namespace").is_empty() || id.namespace == text("namespace"))
        })
    })
}

fn value(resources: &[Resource], names: &Names, var: &Node, name: &str, report: &mut Report) -> Option<Node> {
    let path = var.find_str(&["fieldref", "fieldpath"]).or_else(|| var.find_str(&["fieldref", "fieldPath"]));
    let path = path.unwrap_or("metadata.name").replace('[', ".").replace(']', "");
    let mut found = matching(resources, names, var);
    let Some(object) = found.next() else {
        if report.hides_objects() {
            report.unresolved_value(var.span, format!("the variable {name}"), HIDDEN);
        } else {
            report.error(var.span, format!("the variable `{name}` refers to an object that is not in this build"));
        }
        return None;
    };
    let keys = match paths::split(&path) {
        Ok(keys) => keys,
        Err(excess) => {
            report.limit(var.span, excess);
            return None;
        }
    };
    let value = paths::find(object.node(), &keys).filter(|node| scalar_text(node).is_some());
    if value.is_none() {
        report.error(var.span, format!("the variable `{name}` refers to a field that does not exist"));
    }
    value.map(|value| Node::new(value.value.clone(), var.span))
}

/// Variables on their way into one object.
struct Expansion<'v> {
    vars: &'v FxHashMap<&'v str, Var>,
    /// The last one that was used.
    at: Span,
    budget: &'v Budget,
}

impl Expansion<'_> {
    fn expand(&mut self, node: &Node) -> Option<Node> {
        if !self.budget.spend(Unit::Steps, 1) {
            return None;
        }
        match &node.value {
            Value::Seq(items) => {
                let new: Vec<Option<Node>> = items.iter().map(|item| self.expand(item)).collect();
                new.iter().any(Option::is_some).then(|| {
                    let items = new.into_iter().zip(items.iter()).map(|(new, old)| new.unwrap_or_else(|| old.clone()));
                    Node::seq(items.collect(), node.span)
                })
            }
            Value::Map(map) => {
                let mut changed: Option<Node> = None;
                for entry in map.entries() {
                    if let Some(new) = self.expand(&entry.value) {
                        changed.get_or_insert_with(|| node.clone()).set(&entry.key, new);
                    }
                }
                changed
            }
            Value::Str(text) if text.contains('$') => {
                let new = self.expanded(text);
                (new.value != node.value).then_some(new)
            }
            _ => None,
        }
    }

    /// A text that is nothing but `$(NAME)` becomes the value, of whatever type; `$$` is a dollar sign.
    fn expanded(&mut self, text: &str) -> Node {
        let vars = self.vars;
        let find = |name: &str| vars.get(name);
        let whole = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')).and_then(find);
        if let Some(var) = whole {
            self.at = var.at;
            return var.value.clone();
        }
        let mut new = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('$') {
            let (before, after) = rest.split_at(start);
            new.push_str(before);
            let length = match after.as_bytes().get(1) {
                Some(b'$') => {
                    new.push('$');
                    2
                }
                Some(b'(') => {
                    let end = after.find(')').map_or(2, |end| end + 1);
                    match after.get(2..end.saturating_sub(1)).and_then(find) {
                        Some(var) => {
                            let value = scalar_text(&var.value).unwrap_or_default();
                            if self.budget.spend(Unit::Bytes, value.len()) {
                                new.push_str(&value);
                            }
                            self.at = var.at;
                        }
                        None => new.push_str(&after[..end]),
                    }
                    end
                }
                _ => {
                    new.push('$');
                    1
                }
            };
            rest = &after[length..];
        }
        new.push_str(rest);
        Node::str(SmolStr::from(new), self.at)
    }
}
