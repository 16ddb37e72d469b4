//! What tells a finding from all others of its repository, through edits of the files around it.
//!
//! A fingerprint is a hash of the rule, the object it is about (or, where several objects are on a par, all of them), the
//! rule's own key, and the folder of the place. Neither lines nor messages are part of it, so it outlives what is written
//! above the place and a rewording.
//!
//! The folder stands for the cluster. One object of two clusters has two objects' worth of findings, which have to be reported
//! apart; but the roots of the clusters do not serve: a finding in a base that clusters share lists all of them, and its
//! fingerprint would change with every cluster that is added. Clusters differ by their folders as well, and adding one
//! moves none of the others'. What is still alike is counted in the order of places.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Finding, Subject};
use crate::source::{Span, Tree};

/// Changes when what is hashed does, so that fingerprints of two sorts never meet.
const VERSION: &str = "fluxdag/v1";

/// Bytes of the hash that are kept.
const BYTES: usize = 8;

/// What tells findings apart, before those that are still alike are counted.
type Identity = Vec<String>;

/// Gives each of `findings`, all of one run, its [`Finding::fingerprint`]. `first_id` tells what a rule was called at first: what
/// is recognized by it outlives a new name of the rule.
pub fn fingerprint(findings: &mut [Finding], tree: &Tree, first_id: &dyn Fn(&'static str) -> &'static str) {
    let mut alike: BTreeMap<Identity, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        alike.entry(identity(finding, tree, first_id)).or_default().push(index);
    }
    for (identity, mut indices) in alike {
        let order = |index: &usize| {
            let finding = &findings[*index];
            let place = finding.location.span().map_or(("", 0), |span| (tree.path(span.file), span.start));
            (place, &finding.clusters, &finding.message)
        };
        indices.sort_by(|left, right| order(left).cmp(&order(right)));
        for (ordinal, index) in indices.into_iter().enumerate() {
            findings[index].fingerprint = hash(&identity, ordinal);
        }
    }
}

fn identity(finding: &Finding, tree: &Tree, first_id: &dyn Fn(&'static str) -> &'static str) -> Identity {
    let mut members: Vec<String> = finding.members.iter().map(Subject::to_string).collect();
    members.sort_unstable();
    members.dedup();
    let folder = match members.as_slice() {
        [] => finding.location.span().map_or("", |span| folder(tree, span)).to_owned(),
        // Which of the places is the first one depends on the names of the files.
        _ => common_folder(finding, tree),
    };
    if members.is_empty() {
        members.push(finding.subject.to_string());
    }
    [vec![first_id(finding.rule).to_owned(), finding.key.clone(), folder], members].concat()
}

/// The folder of a file, relative to the artifact root.
fn folder(tree: &Tree, span: Span) -> &str {
    tree.path(span.file).rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder that holds every place of a finding.
fn common_folder(finding: &Finding, tree: &Tree) -> String {
    let related = finding.related.iter().filter_map(|related| related.location);
    let mut folders = finding.location.span().into_iter().chain(related).map(|span| folder(tree, span));
    let mut common: Vec<&str> = folders.next().unwrap_or_default().split('/').collect();
    for folder in folders {
        let shared = common.iter().zip(folder.split('/')).take_while(|(left, right)| **left == *right).count();
        common.truncate(shared);
    }
    common.join("/")
}

/// The hash as hexadecimal digits. Each part is preceded by its length, so that no two lists of parts are one text.
fn hash(identity: &Identity, ordinal: usize) -> String {
    let mut hasher = Sha256::new();
    for part in [VERSION, &ordinal.to_string()].into_iter().chain(identity.iter().map(String::as_str)) {
        hasher.update(format!("{}:{part}", part.len()));
    }
    hasher.finalize().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Related, RuleInfo, Severity};

    const RULE: RuleInfo = RuleInfo::SAMPLE;

    fn tree(files: &[&str]) -> Tree {
        Tree::from_memory(files.iter().map(|path| ((*path).to_owned(), b"a: 1\nb: 2\n".to_vec())))
    }

    fn node(name: &str) -> Subject {
        Subject { kind: "Kustomization".to_owned(), namespace: Some("flux-system".to_owned()), name: name.to_owned() }
    }

    fn finding(tree: &Tree, path: &str, at: u32) -> Finding {
        let span = Span::new(tree.file(path).expect("a file of the test"), at, at + 1);
        Finding::new(&RULE, node("apps"), span, "wrong".to_owned())
    }

    fn prints(tree: &Tree, mut findings: Vec<Finding>) -> Vec<String> {
        fingerprint(&mut findings, tree, &|id| if id == "renamed-rule" { "some-rule" } else { id });
        findings.into_iter().map(|finding| finding.fingerprint).collect()
    }

    #[test]
    fn neither_lines_nor_words_nor_clusters_nor_file_names_matter() {
        let tree = tree(&["apps/a.yaml", "apps/b.yaml"]);
        let first = finding(&tree, "apps/a.yaml", 0);
        let mut other = finding(&tree, "apps/b.yaml", 5);
        other.message = "in other words".to_owned();
        other.severity = Severity::Info;
        other.clusters = vec!["clusters/dev".to_owned()];
        other.related =
            vec![Related::new("x", Some(node("x")), Span::file_start(first.location.span().expect("set").file))];
        let alone = |finding: Finding| prints(&tree, vec![finding]);
        assert_eq!(alone(first.clone()), alone(other));
        assert_eq!(alone(first), ["0b7855f68c371772"]);
    }

    #[test]
    fn rule_object_key_and_folder_matter() {
        let tree = tree(&["clusters/prod/a.yaml", "clusters/dev/a.yaml"]);
        let first = finding(&tree, "clusters/prod/a.yaml", 0);
        let others = [
            Finding { rule: "other-rule", ..first.clone() },
            Finding { subject: node("other"), ..first.clone() },
            Finding { key: "other".to_owned(), ..first.clone() },
            finding(&tree, "clusters/dev/a.yaml", 0),
        ];
        let prints = prints(&tree, [&[first][..], &others].concat());
        let mut distinct = prints.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 5, "{prints:?}");
    }

    #[test]
    fn a_new_name_of_the_rule_does_not_matter() {
        let tree = tree(&["a.yaml"]);
        let first = finding(&tree, "a.yaml", 0);
        let renamed = Finding { rule: "renamed-rule", ..first.clone() };
        assert_eq!(prints(&tree, vec![first]), prints(&tree, vec![renamed]));
    }

    #[test]
    fn what_is_alike_is_counted_by_place() {
        let tree = tree(&["a.yaml"]);
        let (early, late) = (finding(&tree, "a.yaml", 0), finding(&tree, "a.yaml", 5));
        let straight = prints(&tree, vec![early.clone(), late.clone()]);
        let turned = prints(&tree, vec![late, early.clone()]);
        assert_eq!([&straight[0], &straight[1]], [&turned[1], &turned[0]]);
        assert_eq!(straight[0], prints(&tree, vec![early])[0]);
    }

    #[test]
    fn a_loop_is_the_same_wherever_it_begins() {
        let tree = tree(&["clusters/prod/a/a.yaml", "clusters/prod/b/b.yaml"]);
        let of = |first: &str, second: &str| {
            let path = |name: &str| format!("clusters/prod/{name}/{name}.yaml");
            let mut found = finding(&tree, &path(first), 0);
            found.subject = node(first);
            found.members = vec![node(first), node(second)];
            let other = finding(&tree, &path(second), 0).location.span().expect("set");
            found.related = vec![Related::new("then", Some(node(second)), other)];
            found
        };
        assert_eq!(prints(&tree, vec![of("a", "b")]), prints(&tree, vec![of("b", "a")]));
    }
}
