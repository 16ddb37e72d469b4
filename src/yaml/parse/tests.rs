use std::{path::PathBuf, time::Instant};

use proptest::prelude::*;

use super::*;
use crate::source::Tree;

fn read(text: &str) -> File {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    parse(tree.file("a.yaml").expect("present"), text.as_bytes())
}

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

#[test]
fn a_broken_document_does_not_hide_its_neighbours() {
    let file = read("a: 1\n---\nb: [1\n---\nc: 3\n");
    let documents: Vec<_> = file.documents.iter().map(|document| document.error.is_some()).collect();
    assert_eq!(documents, [false, true, false]);
    assert_eq!(file.documents[2].root.get("c").and_then(Node::as_i64), Some(3));
}

#[test]
fn spans_cover_the_text_of_keys_and_values() {
    let text = "\u{feff}é: \"x\"\r\nlist:\r\n  - a: 1\r\n    b: |\r\n      é\r\nlast: {k: v}\r\n";
    let file = read(text);
    let root = &file.documents[0].root;
    let entries = root.as_map().expect("a mapping").entries();
    assert_eq!(slice(text, entries[0].key_span), "é");
    assert_eq!(slice(text, entries[0].value.span), "\"x\"");
    assert_eq!(slice(text, root.find(&["last", "k"]).expect("present").span), "v");
    assert_eq!(slice(text, entries[2].value.span), "{k: v}");
    assert_eq!(slice(text, entries[1].value.span).trim_end(), "- a: 1\r\n    b: |\r\n      é");
}

#[test]
fn merge_keys_and_aliases_keep_both_places() {
    let text = "base: &b\n  wait: true\n  path: x\nks:\n  <<: *b\n  path: y\nother: *b\n";
    let file = read(text);
    let root = &file.documents[0].root;
    assert_eq!(root.find_str(&["ks", "path"]), Some("y"));
    assert_eq!(slice(text, root.find(&["ks", "wait"]).expect("merged").span), "true");
    assert_eq!(slice(text, root.get("other").expect("present").span), "*b");
    assert!(root.find(&["ks", "<<"]).is_none());
}

#[test]
fn a_small_bomb_is_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let file = read(&text);
    assert_eq!(file.documents[0].error.as_ref().map(|error| error.kind), Some(ProblemKind::TooLarge));
}

#[test]
fn deep_nesting_and_alias_towers_are_refused_without_overflowing() {
    let mut tower = format!("a0: &a0 {}{}\n", "[".repeat(200), "]".repeat(200));
    for level in 1..50 {
        let below = level - 1;
        tower += &format!("a{level}: &a{level} {}*a{below}{}\n", "[".repeat(200), "]".repeat(200));
    }
    for text in ["[".repeat(100_000), tower, "- ".repeat(3_000)] {
        assert!(read(&text).errors().count() > 0);
    }
}

#[test]
fn duplicate_keys_are_reported_and_the_last_one_wins() {
    let file = read("a: 1\nb: 2\na: 3\n");
    let document = &file.documents[0];
    assert_eq!(document.root.get("a").and_then(Node::as_i64), Some(3));
    assert_eq!(document.problems[0].kind, ProblemKind::DuplicateKey);
    assert_eq!(document.problems[0].other.map(|span| span.start), Some(0));
}

#[test]
fn empty_and_blank_documents_are_kept_in_their_place() {
    let file = read("---\n# nothing\n---\na: 1\n---\n");
    assert_eq!(file.documents.iter().filter(|document| document.root.is_null()).count(), 2);
}

#[test]
fn text_that_is_not_utf8_is_one_located_error() {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    let file = parse(tree.file("a.yaml").expect("present"), b"a: \xff\xfe");
    assert_eq!(file.documents[0].error.as_ref().map(|error| error.span.start), Some(3));
}

mod hostile;
mod oracle;

/// Every row was printed by `kubectl kustomize` (kustomize 5.5.0).
#[test]
fn a_block_at_the_end_of_a_file_has_the_line_breaks_it_is_written_with() {
    for (block, value) in [
        ("|\n    x", "x"),
        ("|+\n    x", "x"),
        (">\n    x", "x"),
        (">\n    x\n    y", "x y"),
        ("|\n    x\n    ", "x\n"),
        ("|\n    x\n  ", "x\n"),
        ("|\n    x\n\n  ", "x\n"),
        ("|+\n    x\n  ", "x\n"),
        ("|\n    x\n      ", "x\n  "),
        ("|-\n    x\n\n    ", "x"),
        ("|\n    x\n# y", "x\n"),
    ] {
        let file = read(&format!("spec:\n  v: {block}"));
        assert_eq!(file.documents[0].root.find_str(&["spec", "v"]), Some(value), "{block:?}");
    }
}
