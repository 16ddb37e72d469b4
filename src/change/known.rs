//! Which findings of one revision were there in another.

use std::collections::BTreeMap;

use crate::{
    finding::{Confidence, Finding, Subject, Suppressed, SuppressionKind},
    situation::Masking,
    source::Tree,
};

/// For each of the `new` findings the position of the old one that it is, where there is one.
///
/// First those of the same fingerprint. Then, for what was moved to another folder, those of the same rule about the same
/// objects of the same clusters. Then those at the same place of a file that was renamed as it is. Each old finding stands
/// for one new one at most.
#[must_use]
pub fn matched(old: &[Finding], new: &[Finding], trees: [&Tree; 2]) -> Vec<Option<usize>> {
    let mut found = vec![None; new.len()];
    let mut is_free = vec![true; old.len()];
    let mut pass = |key: &dyn Fn(&Finding, &Tree) -> Option<Vec<String>>, fits: &dyn Fn(&Finding, &Finding) -> bool| {
        let mut waiting: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
        for (index, finding) in old.iter().enumerate().filter(|(index, _)| is_free[*index]).rev() {
            if let Some(key) = key(finding, trees[0]) {
                waiting.entry(key).or_default().push(index);
            }
        }
        for (finding, found) in new.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            let Some(known) = key(finding, trees[1]).and_then(|key| waiting.get_mut(&key)) else { continue };
            if let Some(at) = known.iter().rposition(|index| fits(&old[*index], finding)) {
                let index = known.remove(at);
                is_free[index] = false;
                *found = Some(index);
            }
        }
    };
    pass(&|finding, _| Some(vec![finding.fingerprint.clone()]), &|_, _| true);
    pass(&|finding, _| Some(about(finding)), &|_, _| true);
    pass(&place, &|one, other| is_same_text(one, other, trees));
    found
}

/// What a finding is about, whatever folder it is in.
fn about(finding: &Finding) -> Vec<String> {
    let mut parts = vec![finding.rule.to_owned(), finding.key.clone(), finding.subject.to_string()];
    if !finding.members.is_empty() {
        parts.truncate(2);
        parts.extend(finding.members.iter().map(Subject::to_string));
        parts.sort_unstable();
    }
    parts.extend(finding.clusters.iter().cloned());
    parts
}

/// Where in its file a finding is.
fn place(finding: &Finding, _: &Tree) -> Option<Vec<String>> {
    let span = finding.location.span()?;
    Some(vec![finding.rule.to_owned(), span.start.to_string(), span.end.to_string()])
}

/// Whether one file was renamed to the other, and nothing else.
fn is_same_text(one: &Finding, other: &Finding, [before, after]: [&Tree; 2]) -> bool {
    let (Some(one), Some(other)) = (one.location.span(), other.location.span()) else { return false };
    let is_moved = before.file(after.path(other.file)).is_none() && after.file(before.path(one.file)).is_none();
    is_moved && before.bytes(one.file).ok().is_some_and(|bytes| after.bytes(other.file).ok() == Some(bytes))
}

/// Whether a finding was as bad before: one that was silenced, or weighed less, is new.
fn is_as_bad(old: &Finding, new: &Finding) -> bool {
    let is_shown = old.confidence >= new.confidence.min(Confidence::Medium);
    old.suppressed.is_none() && old.severity >= new.severity && is_shown
}

/// Marks those of the `new` findings that were there before, in the commit `since`.
pub fn mark_known(old: &[Finding], new: &mut [Finding], trees: [&Tree; 2], since: &str) {
    let found = matched(old, new, trees);
    for (finding, index) in new.iter_mut().zip(found) {
        // What lies in a submodule cannot be compared.
        let in_submodule =
            finding.location.span().is_some_and(|span| trees[0].is_in_submodule(trees[1].path(span.file)));
        let is_known = in_submodule || index.is_some_and(|index| is_as_bad(&old[index], finding));
        if is_known && finding.suppressed.is_none() {
            let reason = Some(format!("found at {since} too"));
            finding.suppressed = Some(Suppressed { kind: SuppressionKind::Known, reason });
        }
    }
}

/// The `old` findings that are gone. Left out are those that were silenced, and those that the later run cannot judge.
#[must_use]
pub fn fixed<'f>(old: &'f [Finding], new: &[Finding], trees: [&Tree; 2], masking: &Masking) -> Vec<&'f Finding> {
    let mut is_left = vec![false; old.len()];
    for index in matched(old, new, trees).into_iter().flatten() {
        is_left[index] = true;
    }
    let gone = old.iter().zip(is_left).filter(|(finding, is_left)| !is_left && finding.suppressed.is_none());
    gone.filter(|(finding, _)| !masking.hides_object(&finding.subject)).map(|(finding, _)| finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{RuleInfo, Severity, fingerprint},
        source::Span,
    };

    const RULE: RuleInfo = RuleInfo { severity: Severity::Warning, ..RuleInfo::SAMPLE };

    fn tree(files: &[&str]) -> Tree {
        Tree::from_memory(files.iter().map(|path| ((*path).to_owned(), b"a: 1\nb: 2\n".to_vec())))
    }

    fn finding(tree: &Tree, path: &str, subject: &str) -> Finding {
        let span = Span::new(tree.file(path).expect("a file of the test"), 0, 1);
        let subject = Subject { kind: "Kustomization".to_owned(), namespace: None, name: subject.to_owned() };
        Finding::new(&RULE, subject, span, "wrong".to_owned())
    }

    fn known(before: (&Tree, Vec<Finding>), after: (&Tree, Vec<Finding>)) -> Vec<bool> {
        let ((one, mut old), (other, mut new)) = (before, after);
        fingerprint(&mut old, one, &|id| id);
        fingerprint(&mut new, other, &|id| id);
        mark_known(&old, &mut new, [one, other], "1a2b");
        new.iter().map(|finding| finding.suppressed.is_some()).collect()
    }

    #[test]
    fn each_old_finding_stands_for_one_new_one() {
        let tree = tree(&["a.yaml"]);
        let one = || finding(&tree, "a.yaml", "apps");
        assert_eq!(known((&tree, vec![one()]), (&tree, vec![one(), one()])), [true, false]);
        assert_eq!(known((&tree, vec![one(), one()]), (&tree, vec![one()])), [true]);
        assert_eq!(known((&tree, vec![]), (&tree, vec![one()])), [false]);
    }

    #[test]
    fn a_file_may_be_renamed_or_moved() {
        let (before, after) = (tree(&["a/a.yaml"]), tree(&["b/c.yaml"]));
        let old = || vec![finding(&before, "a/a.yaml", "apps")];
        assert_eq!(known((&before, old()), (&after, vec![finding(&after, "b/c.yaml", "apps")])), [true]);
        // A file is its own subject where no object could be read.
        let moved = |subject: &str| vec![finding(&after, "b/c.yaml", subject)];
        assert_eq!(
            known((&before, vec![finding(&before, "a/a.yaml", "a/a.yaml")]), (&after, moved("b/c.yaml"))),
            [true]
        );
        let both = tree(&["a/a.yaml", "b/c.yaml"]);
        let copied = vec![finding(&both, "a/a.yaml", "a/a.yaml"), finding(&both, "b/c.yaml", "b/c.yaml")];
        assert_eq!(known((&before, vec![finding(&before, "a/a.yaml", "a/a.yaml")]), (&both, copied)), [true, false]);
    }

    #[test]
    fn what_gets_worse_or_was_silenced_is_new() {
        let tree = tree(&["a.yaml"]);
        let one = || finding(&tree, "a.yaml", "apps");
        let milder = || Finding { severity: Severity::Info, ..one() };
        assert_eq!(known((&tree, vec![milder()]), (&tree, vec![one()])), [false]);
        assert_eq!(known((&tree, vec![one()]), (&tree, vec![milder()])), [true]);
        let silenced = Suppressed { kind: SuppressionKind::Inline, reason: None };
        let silenced = || Finding { suppressed: Some(silenced.clone()), ..one() };
        assert_eq!(known((&tree, vec![silenced()]), (&tree, vec![one()])), [false]);
        assert!(fixed(&[silenced()], &[], [&tree, &tree], &Masking::default()).is_empty());
        assert_eq!(fixed(&[one()], &[], [&tree, &tree], &Masking::default()).len(), 1);
    }
}
