//! The text of a change that something comes from.

use super::super::{Context, Situation};
use crate::{
    cluster::{Node, ObjectKey},
    finding::Related,
    kustomize::Kustomize,
    situation::fates::{Cause, Owner},
    source::{FileId, Span, Tree},
    yaml::{self, Value},
};

use super::removal::former;

/// Where a change was made, and in words what it is.
#[derive(Debug, Clone)]
pub(in crate::rules) struct Place {
    /// The text of the later revision.
    pub at: Span,
    /// What it does.
    pub label: String,
    /// Who decides what follows from it, where that is said elsewhere.
    pub owner: Option<Related>,
    /// Whether no text of the change itself is left, so that it is where its owner says that it prunes.
    pub is_elsewhere: bool,
}

/// Fields of a Kustomization that decide which objects it applies, and under which names.
const DECIDING: &[&str] = &[
    "path",
    "targetNamespace",
    "namePrefix",
    "nameSuffix",
    "sourceRef",
    "components",
    "patches",
    "postBuild",
    "commonMetadata",
    "kubeConfig",
];

/// The trees of the earlier revision and the later one.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Trees<'a> {
    pub before: &'a Tree,
    pub after: &'a Tree,
}

impl<'a> Trees<'a> {
    pub(in crate::rules) fn of(context: &Context<'a>) -> Option<Self> {
        Some(Self { before: context.before?.tree, after: context.tree })
    }

    /// The text of the change that leads to `cause`.
    pub(in crate::rules) fn place(self, before: &Situation<'_>, after: &Situation<'_>, cause: &Cause) -> Place {
        let providers = before.cluster.objects.get(cause.object()).map(Vec::as_slice).unwrap_or_default();
        let own = providers.iter().find(|one| Owner::of(before.cluster, **one) == *cause.owner());
        let source = own.map_or(Span::NONE, |one| before.cluster.object(*one).source);
        let node = own.map(|one| before.cluster.node(one.node));
        let now = node.and_then(|node| after.cluster.find(&node.key)).map(|id| after.cluster.node(id));
        let prunes = |now: &Node| {
            let at = now.kustomization.span(&["spec", "prune"]);
            Related::new("deletes what leaves its build", Some(now.subject()), at)
        };
        if let Cause::Forced { object, field, .. } = cause
            && let Some(place) = self.forced(before, after, object, field)
        {
            return place;
        }
        let found = node.zip(now).and_then(|(node, now)| self.decided(source, node, now));
        match (found, now) {
            (Some((at, label)), now) => Place { at, label, owner: now.map(prunes), is_elsewhere: false },
            (None, Some(now)) => Place {
                at: now.kustomization.span(&["spec", "prune"]),
                label: "deletes what leaves its build".to_owned(),
                owner: None,
                is_elsewhere: true,
            },
            (None, None) => Place { at: Span::NONE, label: String::new(), owner: None, is_elsewhere: true },
        }
    }

    /// What changed in the object that is recreated.
    fn forced(self, before: &Situation<'_>, after: &Situation<'_>, key: &ObjectKey, field: &str) -> Option<Place> {
        let at = changed_value(before, after, key, field)?;
        let provider = *after.cluster.objects.get(key)?.first()?;
        let node = after.cluster.node(provider.node);
        let owner = node.kustomization.spec.force.then(|| {
            Related::new("recreates by force", Some(node.subject()), node.kustomization.span(&["spec", "force"]))
        });
        Some(Place { at, label: "cannot be changed in place".to_owned(), owner, is_elsewhere: false })
    }

    /// The text that took the object at `source` out of the build.
    fn decided(self, source: Span, node: &Node, now: &Node) -> Option<(Span, String)> {
        let text = |tree: &'a Tree, file: FileId| tree.text(file);
        let path = source.is_some().then(|| self.before.path(source.file));
        let kept = path.and_then(|path| self.after.file(path));
        let document = text(self.before, source.file).and_then(|text| text.get(source.start as usize..source.end as usize));
        let is_untouched = kept.zip(document).is_some_and(|(file, document)| {
            text(self.after, file).is_some_and(|text| text.contains(document.trim()))
        });
        let in_file = || Some((self.changed_line(path?)?, "changed here".to_owned()));
        let in_list = || {
            let at = self.changed_kustomization(path?, node, now)?;
            let name = path?.rsplit('/').next().unwrap_or_default();
            let names = |tree: &Tree, file: Option<FileId>| {
                file.and_then(|file| tree.text(file)).is_some_and(|text| text.contains(name))
            };
            let before = self.before.file(self.after.path(at.file));
            let is_dropped = names(self.before, before) && !names(self.after, Some(at.file));
            let label = if is_dropped { format!("no longer lists `{name}`") } else { "changed here".to_owned() };
            Some((at, label))
        };
        let in_spec = || changed_field(node, now).or_else(|| {
            let is_same = DECIDING.iter().all(|field| spec_of(node, field) == spec_of(now, field));
            let file = self.before.path(node.kustomization.object.source.file);
            (!is_same).then(|| Some((self.changed_line(file)?, "changed here".to_owned()))).flatten()
        });
        if kept.is_some() && !is_untouched {
            return in_file().or_else(in_spec).or_else(in_list);
        }
        // A file that is gone is missed by the list that named it; one that is still there is left out, renamed, or not looked at.
        if kept.is_none() { in_list().or_else(in_spec) } else { in_spec().or_else(in_list) }
    }

    /// The line that differs in a kustomization file, of the builds of either revision, that is nearest to `path`.
    fn changed_kustomization(self, path: &str, node: &Node, now: &Node) -> Option<Span> {
        let files = |tree: &'a Tree, node: &Node| -> Vec<&'a str> {
            let files = node.applied.build.reads.files().into_iter().map(|file| tree.path(file));
            files.filter(|path| Kustomize::is_kustomization_file(path.rsplit('/').next().unwrap_or(path))).collect()
        };
        let mut all = files(self.before, node);
        all.extend(files(self.after, now));
        let shared = |one: &str| one.split('/').zip(path.split('/')).take_while(|(one, other)| one == other).count();
        all.sort_by_key(|one| (std::cmp::Reverse(shared(one)), *one));
        all.into_iter().find_map(|one| self.changed_line(one))
    }

    /// The first line of a file that differs between the two revisions. Where lines are gone, the one before them.
    pub(in crate::rules) fn changed_line(self, path: &str) -> Option<Span> {
        let file = self.after.file(path)?;
        let new = self.after.text(file)?;
        let old = self.before.file(path).and_then(|file| self.before.text(file)).unwrap_or_default();
        if old == new {
            return None;
        }
        let (one, other): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let rest = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
        let rest = rest.min(other.len() - same).min(one.len() - same);
        if one.is_empty() {
            // Of a new kustomization file the list is what decides.
            let start = new.lines().take_while(|line| !line.starts_with("resources:"));
            let start: usize = start.map(|line| line.len() + 1).sum();
            if new.get(start..).is_some_and(|rest| rest.starts_with("resources:")) {
                return Some(Span::new(file, start as u32, (start + "resources:".len()) as u32));
            }
        }
        let is_text = |line: &usize| {
            let text = other[*line].trim();
            !text.is_empty() && !text.starts_with('#') && text != "---"
        };
        let line = (same..other.len() - rest).find(is_text).or_else(|| (0..same.min(other.len())).rev().find(is_text));
        let line = line.or_else(|| (0..other.len()).find(is_text))?;
        let start: usize = new.split_inclusive('\n').take(line).map(str::len).sum();
        let indent = other[line].len() - other[line].trim_start().len();
        Some(Span::new(file, (start + indent) as u32, (start + other[line].trim_end().len()) as u32))
    }

    /// Where an object stood before.
    pub(in crate::rules) fn former(self, span: Span, what: &str, subject: crate::finding::Subject) -> Related {
        former(self.before, span, what, subject)
    }
}

fn spec_of<'n>(node: &'n Node, field: &str) -> Option<&'n yaml::Node> {
    node.kustomization.object.node.find(&["spec", field])
}

/// The field of a Kustomization that has another value now.
fn changed_field(node: &Node, now: &Node) -> Option<(Span, String)> {
    let mut changed = DECIDING.iter().filter(|field| spec_of(node, field) != spec_of(now, field));
    let field = changed.find(|field| spec_of(now, field).is_some_and(|value| value.span.is_some()))?;
    let label = match spec_of(node, field).and_then(yaml::Node::as_str) {
        Some(former) => format!("was `{former}`"),
        None => format!("`{field}` has changed"),
    };
    Some((spec_of(now, field)?.span, label))
}

/// The first value of a field that differs in an object that both revisions apply.
pub(in crate::rules) fn changed_value(
    before: &Situation<'_>,
    after: &Situation<'_>,
    key: &ObjectKey,
    field: &str,
) -> Option<Span> {
    let object = |situation: &Situation<'_>| {
        let provider = *situation.cluster.objects.get(key)?.first()?;
        Some(situation.cluster.object(provider).clone())
    };
    let (old, new) = (object(before)?, object(after)?);
    let keys: Vec<&str> = field.split('.').collect();
    let at = old.node.find(&keys).zip(new.node.find(&keys)).and_then(|(one, other)| first_difference(one, other));
    Some(at.unwrap_or(Span::NONE).or(new.node.nearest_span(&keys)).or(new.place()))
}

fn first_difference(old: &yaml::Node, new: &yaml::Node) -> Option<Span> {
    if old == new {
        return None;
    }
    match (&old.value, &new.value) {
        (Value::Map(one), Value::Map(other)) => {
            let inner = other.entries().iter().find_map(|entry| match one.get(&entry.key) {
                Some(old) => first_difference(old, &entry.value),
                None => Some(entry.value.span),
            });
            inner.or(Some(new.span))
        }
        (Value::Seq(one), Value::Seq(other)) => {
            let inner = other.iter().zip(one.iter()).find_map(|(new, old)| first_difference(old, new));
            inner.or(Some(new.span))
        }
        _ => Some(new.span),
    }
}
