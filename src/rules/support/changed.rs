//! The text of a change that something comes from.

use std::ops::Range;

use super::super::{Context, Situation};
use crate::{
    cluster::{Node, ObjectKey},
    finding::Related,
    kustomize::Kustomize,
    situation::fates::{Cause, Owner, stored},
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
        let set = || {
            let Owner::ResourceSet(_) = cause.owner() else { return None };
            let provider = *before.cluster.objects.get(&cause.owner().key())?.first()?;
            let path = self.before.path(before.cluster.object(provider).source.file);
            Some((self.changed_list(path)?, "changed here".to_owned()))
        };
        let found = node.zip(now).and_then(|(node, now)| self.decided(source, node, now)).or_else(set);
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
        let document =
            text(self.before, source.file).and_then(|text| text.get(source.start as usize..source.end as usize));
        let is_untouched = kept
            .zip(document)
            .is_some_and(|(file, document)| text(self.after, file).is_some_and(|text| text.contains(document.trim())));
        let within = |at: Span, _: &str| at.file == source.file && at.start < source.end && at.end > source.start;
        let in_file = || Some((self.changed_line(path?, &within)?, "changed here".to_owned()));
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
        let in_spec = || {
            changed_field(node, now).or_else(|| {
                let is_same = DECIDING.iter().all(|field| spec_of(node, field) == spec_of(now, field));
                let file = self.before.path(node.kustomization.object.source.file);
                let own = node.kustomization.object.source;
                let within = |at: Span, _: &str| at.file == own.file && at.start < own.end && at.end > own.start;
                (!is_same).then(|| Some((self.changed_line(file, &within)?, "changed here".to_owned()))).flatten()
            })
        };
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
        let name = path.rsplit('/').next().unwrap_or(path);
        all.into_iter().find_map(|one| self.changed_line(one, &|_, text| text.contains(name)))
    }

    /// A line of a file that differs between the two revisions: of several places the one that `is_meant` wants, given what stood
    /// there before and where. Where lines are gone, the one before them.
    fn changed_line(self, path: &str, is_meant: &dyn Fn(Span, &str) -> bool) -> Option<Span> {
        let file = self.after.file(path)?;
        let new = self.after.text(file)?;
        let Some(former) = self.before.file(path) else { return Some(deciding_line(file, new)) };
        let old = self.before.text(former).unwrap_or_default();
        if old == new {
            return None;
        }
        let (one, other): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let hunks = hunks(&one, &other);
        let offset = |line: usize| old.split_inclusive('\n').take(line).map(str::len).sum::<usize>() as u32;
        let was = |hunk: &Hunk| {
            let at = Span::new(former, offset(hunk.old.start), offset(hunk.old.end));
            is_meant(at, &one[hunk.old.clone()].join("\n"))
        };
        let is_text = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#') && line.trim() != "---";
        let says = |hunk: &&Hunk| one[hunk.old.clone()].iter().chain(&other[hunk.new.clone()]).any(is_text);
        let hunk =
            hunks.iter().filter(says).find(|hunk| was(hunk)).or_else(|| hunks.iter().find(says)).or(hunks.first())?;
        let line = hunk.new.clone().find(|line| is_text(&other[*line]));
        let line = line.or_else(|| (0..hunk.new.start).rev().find(|line| is_text(&other[*line])));
        let line = line.or_else(|| (0..other.len()).find(|line| is_text(&other[*line])))?;
        let start: usize = new.split_inclusive('\n').take(line).map(str::len).sum();
        let indent = other[line].len() - other[line].trim_start().len();
        Some(Span::new(file, (start + indent) as u32, (start + other[line].trim_end().len()) as u32))
    }

    /// Where a kustomization file changed, if it did.
    pub(in crate::rules) fn changed_list(self, path: &str) -> Option<Span> {
        self.changed_line(path, &|_, _| true)
    }

    /// Where an object stood before.
    pub(in crate::rules) fn former(self, span: Span, what: &str, subject: crate::finding::Subject) -> Related {
        former(self.before, span, what, subject)
    }
}

/// Lines that stand for others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
}

/// More than so many pairs of lines are not compared one by one.
const MOST_PAIRS: usize = 4_000_000;

/// What differs between two texts, in order: what a longest common subsequence of their lines leaves.
fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let same = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let most = old.len().min(new.len()) - same;
    let rest = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    let (one, other) = (&old[same..old.len() - rest], &new[same..new.len() - rest]);
    let width = other.len() + 1;
    if (one.len() + 1) * width > MOST_PAIRS {
        return vec![Hunk { old: same..old.len() - rest, new: same..new.len() - rest }];
    }
    // How many lines the texts behind two lines share.
    let mut shared = vec![0_u32; (one.len() + 1) * width];
    for (row, line) in one.iter().enumerate().rev() {
        for (column, against) in other.iter().enumerate().rev() {
            shared[row * width + column] = if line == against {
                shared[(row + 1) * width + column + 1] + 1
            } else {
                shared[(row + 1) * width + column].max(shared[row * width + column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut found: Vec<Hunk> = Vec::new();
    while row < one.len() || column < other.len() {
        if row < one.len() && column < other.len() && one[row] == other[column] {
            (row, column) = (row + 1, column + 1);
            continue;
        }
        let (from, to) = (same + row, same + column);
        let takes_old = column == other.len()
            || (row < one.len() && shared[(row + 1) * width + column] >= shared[row * width + column + 1]);
        if takes_old {
            row += 1;
        } else {
            column += 1;
        }
        match found.last_mut().filter(|last| last.old.end == from && last.new.end == to) {
            Some(last) => (last.old.end, last.new.end) = (same + row, same + column),
            None => found.push(Hunk { old: from..same + row, new: to..same + column }),
        }
    }
    found
}

/// The line of a new kustomization file that decides what is built.
fn deciding_line(file: FileId, text: &str) -> Span {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("resources:") {
            return Span::new(file, start, start + "resources:".len() as u32);
        }
        start += line.len() as u32;
    }
    Span::file_start(file)
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
    // What only looks different is passed over.
    let stored = stored(&old.node, &keys).zip(stored(&new.node, &keys));
    let at = stored.and_then(|(one, other)| first_difference(&one, &other));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_differ_are_found_one_by_one() {
        let of = |old: &str, new: &str| {
            let (old, new): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), new.split(' ').collect());
            hunks(&old, &new).into_iter().map(|hunk| (hunk.old, hunk.new)).collect::<Vec<_>>()
        };
        assert_eq!(of("a b c d e", "a x c d"), [(1..2, 1..2), (4..5, 4..4)]);
        assert_eq!(of("a a a", "a a"), [(2..3, 2..2)]);
        assert_eq!(of("a b", "a b"), []);
        assert_eq!(of("b", "a b c"), [(0..0, 0..1), (1..1, 2..3)]);
    }
}
