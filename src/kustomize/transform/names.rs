//! References by name follow the names (kustomize `nameReferenceTransformer`, `filters/nameref`).

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::fields::{Make, update};
use crate::{
    kustomize::{
        Budget, Unit,
        accumulate::limits,
        id::{Gvk, ResId, scalar_text},
        report::Report,
        resource::Resource,
        schema::config::{Config, Reference},
    },
    source::Span,
    yaml::{Node, Value},
};

/// Most objects named that could be meant by one reference.
const SHOWN: usize = 10;

/// What is known of a renamed resource while references are looked up.
struct Candidate {
    index: usize,
    id: ResId,
    previous: Vec<ResId>,
    name: Node,
    /// Empty where none is set.
    namespace: Option<Node>,
}

/// Rewrites the names that objects of `resources` use for others that were renamed.
pub(in crate::kustomize) fn fix(resources: &mut [Resource], config: &Config, report: &mut Report) {
    let candidates: Vec<Candidate> = resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| resource.was_renamed())
        .map(|(index, resource)| Candidate {
            index,
            id: resource.id(),
            previous: resource.previous_ids().collect(),
            name: resource.node().find(&["metadata", "name"]).cloned().unwrap_or(Node::NULL),
            namespace: resource.node().find(&["metadata", "namespace"]).filter(|node| !node.is_null()).cloned(),
        })
        .collect();
    if candidates.is_empty() {
        return;
    }
    let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut gvks: FxHashSet<&Gvk> = FxHashSet::default();
    for (at, candidate) in candidates.iter().enumerate() {
        for id in &candidate.previous {
            let places = by_name.entry(id.name.as_str()).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
            gvks.insert(&id.gvk);
        }
    }
    let wanted = |reference: &&Reference| gvks.iter().any(|gvk| reference.target.selects(gvk));
    let references: Vec<&Reference> = config.references.iter().filter(wanted).collect();
    let fields: usize = references.iter().map(|reference| reference.fields.len()).sum();
    let namespaces = original_namespaces(resources);
    let budget = report.budget.clone();
    for index in 0..resources.len() {
        let (at, cost) = (resources[index].object.source, 4 * fields + resources[index].id_cost());
        if !report.affords(cost, at) {
            break;
        }
        let by_name = &by_name;
        let (candidates, namespaces, budget) = (&candidates, &namespaces, &*budget);
        let finder = Finder { resources, candidates, by_name, namespaces, referrer: index, budget };
        if let Some(node) = finder.run(&references, report) {
            resources[index].object.node = node;
        }
        if budget.excess().is_some() {
            report.tell_excess(at);
            break;
        }
    }
}

/// The namespaces that anything had at first.
fn original_namespaces(resources: &[Resource]) -> FxHashSet<SmolStr> {
    let ids = resources.iter().map(Resource::original_id).filter(|id| !id.is_cluster_scoped());
    ids.map(|id| id.namespace).collect()
}

struct Finder<'r> {
    resources: &'r [Resource],
    candidates: &'r [Candidate],
    by_name: &'r FxHashMap<&'r str, Vec<usize>>,
    namespaces: &'r FxHashSet<SmolStr>,
    referrer: usize,
    budget: &'r Budget,
}

impl Finder<'_> {
    fn run(&self, references: &[&Reference], report: &mut Report) -> Option<Node> {
        let referrer = &self.resources[self.referrer];
        let original = referrer.original_id();
        let id = referrer.id();
        let mut changed: Option<Node> = None;
        for reference in references {
            for spec in reference.fields.iter().filter(|spec| spec.gvk.selects(&original.gvk)) {
                let query = Query {
                    finder: self,
                    referrer: &id,
                    target: &reference.target,
                    role: spec.path.ends_with(&["roleRef".into(), "name".into()]),
                };
                let node = changed.as_ref().unwrap_or(referrer.node());
                let new = update(node, &spec.path, Make::Nothing, Span::NONE, &mut |value| query.field(value));
                match new {
                    Ok(Some(node)) => changed = Some(node),
                    Ok(None) => {}
                    Err(error) => report.error(
                        referrer.object.source,
                        format!("the reference at `{}` of {id} cannot be followed: {error}", spec.text()),
                    ),
                }
            }
        }
        changed
    }
}

struct Query<'q> {
    finder: &'q Finder<'q>,
    referrer: &'q ResId,
    target: &'q Gvk,
    /// Whether the field is the name of a `roleRef`, whose group and kind then count too.
    role: bool,
}

impl Query<'_> {
    fn field(&self, value: &Node) -> Result<Option<Node>, String> {
        if !self.finder.budget.spend(Unit::Steps, 1) {
            return Ok(None);
        }
        match &value.value {
            Value::Null => Ok(None),
            Value::Map(_) => self.mapping(value),
            Value::Seq(items) => {
                let mut changed: Option<Vec<Node>> = None;
                for (index, item) in items.iter().enumerate() {
                    if let Some(new) = self.field(item)? {
                        changed.get_or_insert_with(|| items.to_vec())[index] = new;
                    }
                }
                Ok(changed.map(|items| Node::seq(items, value.span)))
            }
            _ => self.scalar(value),
        }
    }

    fn scalar(&self, value: &Node) -> Result<Option<Node>, String> {
        let Some(old) = scalar_text(value) else { return Ok(None) };
        let found = self.select(&old, |_| true, |one, two| one.name == two.name)?;
        Ok(found.filter(|found| found.name.as_str() != Some(&old)).map(|found| found.name.clone()))
    }

    /// A reference by name and namespace. Both are set.
    fn mapping(&self, value: &Node) -> Result<Option<Node>, String> {
        let old = value.get("name").ok_or("it has no `name`")?;
        let Some(old) = scalar_text(old) else { return Ok(None) };
        let namespace = value.get("namespace").map(|node| scalar_text(node).unwrap_or_default());
        let same = |one: &Candidate, two: &Candidate| one.name == two.name && one.namespace == two.namespace;
        let original = |candidate: &Candidate| candidate.previous.first().unwrap_or(&candidate.id).namespace.clone();
        // The namespace may be the original or the present one; the original one goes first if anything has it.
        let by_original = |wanted: &SmolStr| self.finder.namespaces.contains(wanted);
        let found = match &namespace {
            None => self.select(&old, |_| true, same)?,
            Some(wanted) if by_original(wanted) => {
                self.select(&old, |candidate| original(candidate) == *wanted, same)?
            }
            Some(wanted) => self.select(&old, |candidate| candidate.id.namespace == *wanted, same)?,
        };
        let Some(found) = found else { return Ok(None) };
        let mut new = value.clone();
        if found.name.as_str() != Some(&old) {
            new.set("name", found.name.clone());
        }
        if let Some(namespace) = found.namespace.as_ref().filter(|namespace| value.get("namespace") != Some(namespace))
        {
            new.set("namespace", namespace.clone());
        }
        Ok((new != *value).then_some(new))
    }

    /// The one resource that had the name `old`, could be meant and may be referred to.
    fn select(
        &self,
        old: &str,
        in_reach: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&Candidate>, String> {
        let Some(places) = self.finder.by_name.get(old) else { return Ok(None) };
        if !self.finder.budget.spend(Unit::Steps, limits::ID * places.len()) {
            return Ok(None);
        }
        let referrer = &self.finder.resources[self.finder.referrer];
        let role = self.role.then(|| role_gvk(referrer.node())).flatten();
        let mut found: Vec<&Candidate> = places
            .iter()
            .map(|at| &self.finder.candidates[*at])
            .filter(|candidate| candidate.previous.iter().any(|id| self.target.selects(&id.gvk)))
            .filter(|candidate| {
                role.as_ref().is_none_or(|role| candidate.previous.iter().any(|id| role.selects(&id.gvk)))
            })
            .filter(|candidate| self.may_refer(candidate, referrer) && in_reach(candidate))
            .collect();
        for empty_matches in [true, false] {
            if found.len() > 1 {
                found.retain(|candidate| {
                    let candidate = &self.finder.resources[candidate.index];
                    same_affixes(&candidate.prefixes, &referrer.prefixes, empty_matches)
                        && same_affixes(&candidate.suffixes, &referrer.suffixes, empty_matches)
                });
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|other| same(first, other)) => Ok(Some(first)),
            _ => {
                let ids: Vec<String> = found.iter().take(SHOWN).map(|candidate| candidate.id.to_string()).collect();
                Err(format!("several objects could be meant: {}", ids.join(", ")))
            }
        }
    }

    fn may_refer(&self, candidate: &Candidate, referrer: &Resource) -> bool {
        if self.referrer.is_cluster_scoped() || candidate.id.is_cluster_scoped() {
            return true;
        }
        if candidate.id.namespace == self.referrer.namespace {
            return true;
        }
        // A binding may name service accounts of other namespaces.
        candidate.id.gvk.kind == "ServiceAccount"
            && self.referrer.gvk.kind == "RoleBinding"
            && referrer.node().get("subjects").is_some_and(|subjects| {
                subjects.items().any(|subject| {
                    subject.find_str(&["kind"]) == Some("ServiceAccount")
                        && subject.find_str(&["namespace"]) == Some(&candidate.id.namespace)
                })
            })
    }
}

fn role_gvk(binding: &Node) -> Option<Gvk> {
    let role = binding.get("roleRef")?;
    Some(Gvk {
        group: role.find_str(&["apiGroup"])?.into(),
        version: SmolStr::default(),
        kind: role.find_str(&["kind"])?.into(),
    })
}

/// Whether the shorter of two lists ends the longer one (kustomize `utils.SameEndingSubSlice`).
fn same_affixes(one: &[SmolStr], two: &[SmolStr], empty_matches: bool) -> bool {
    if one.is_empty() || two.is_empty() {
        return empty_matches || one.len() == two.len();
    }
    let shared = one.len().min(two.len());
    one[one.len() - shared..] == two[two.len() - shared..]
}
