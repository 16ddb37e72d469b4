use proptest::prelude::*;

use super::*;
use crate::{
    source::{Span, Tree},
    yaml::parse,
};

fn read_all(text: &[u8]) -> Vec<Node> {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    let file = parse(tree.file("a.yaml").expect("present"), text);
    assert_eq!(file.errors().count(), 0, "{}", String::from_utf8_lossy(text));
    file.documents.into_iter().map(|document| document.root).collect()
}

fn read(text: &str) -> Node {
    read_all(text.as_bytes()).remove(0)
}

/// The order in which `kubectl kustomize` (kustomize 5.5.0) printed these keys.
#[test]
fn keys_are_sorted_as_kustomize_prints_them() {
    let keys = [
        "-a", "_x", "0", "00", "1", "01", "2", "9z", "10", "010", "A", "A1", "B", "Z", "a", "a-b", "a.b", "a/b", "a1",
        "a2", "a02", "a002", "a9", "a10", "aB", "ab", "b", "v1.9", "v1.10", "v100", "x-1", "x-2", "x-10", "z0", "z00",
        "z9", "é",
    ];
    let mut sorted = keys.to_vec();
    sorted.reverse();
    sorted.sort_by(|one, other| key_order(one, other));
    assert_eq!(sorted, keys);
}

#[test]
fn yaml_that_is_printed_reads_back() {
    let node = read("b: [1, 1.5, null, true, 'yes', \"a\\nb\", {}]\na10: 'no'\na9: {k: '017'}\n");
    let text = to_yaml(&node);
    assert_eq!(text.find("a9").map(|a9| a9 < text.find("a10").expect("present")), Some(true));
    assert_eq!(read(&text), node);
}

/// Printed by `kubectl kustomize` (kustomize 5.5.0).
#[test]
fn odd_values_are_laid_out_as_kustomize_does() {
    let long = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo";
    let (tail, key) = (&long[1..], "k".repeat(130));
    let text = format!(
        r#"spec:
  "": 1
  ? |-
    a
    b
  : 2
  keep: |+
    a

  ? {key}
  : a: 1
  lead: |2
      a
     b
  long: {long}
    pppp qqqq
  longd: "\t{tail}
    pppp qqqq"
  longq: '*{tail}
    pppp qqqq'
  nl: |2+


    a

  seq:
  - - 1
    - - 2
  - []
  - {{}}
  - a: 1
    b:
    - x
  - |-
    a
    b
  "yes": 1.5e-07
  "é\U0001F600": 'a''b: c'
"#
    )
    .replace("\\'\\'", "''");
    assert_eq!(to_yaml(&read(&text)), text);
}

/// Prints each golden build again and expects the bytes that kustomize printed.
#[test]
fn golden_builds_print_as_they_are() {
    let Ok(corpus) = std::env::var("FLUXDAG_CORPUS") else {
        eprintln!("SKIPPED: FLUXDAG_CORPUS is not set");
        return;
    };
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(std::path::Path::new(&corpus).join("golden-full")) {
        let entry = entry.expect("a readable corpus");
        if entry.path().extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("a readable file");
        let documents = read_all(text.as_bytes());
        seen += documents.len();
        let printed = documents.iter().map(to_yaml).collect::<Vec<_>>().join("---\n");
        let differs = printed.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "{}", entry.path().display());
        assert_eq!(printed.len(), text.len(), "{}", entry.path().display());
    }
    assert!(seen > 100, "{seen} objects");
}

fn any_node() -> impl Strategy<Value = Node> {
    let text = prop_oneof!["[ -~\n\té😀]{0,12}", "[0-9a-z:.~_+-]{0,6}", "(word ){10,30}end"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e30..1e30).prop_map(Value::Float),
        text.clone().prop_map(|text| Value::Str(text.into())),
    ];
    let leaf = leaf.prop_map(|value| Node::new(value, Span::NONE));
    // A merge key is printed like any other, in kustomize too, and merges when it is read.
    let key = text.prop_filter("no merge key", |key| key != "<<");
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let map = proptest::collection::vec((key.clone(), inner.clone()), 0..5).prop_map(|entries| {
            let mut map = Node::empty_map(Span::NONE);
            entries.into_iter().for_each(|(key, value)| map.set(&key, value));
            map
        });
        prop_oneof![map, proptest::collection::vec(inner, 0..5).prop_map(|items| Node::seq(items, Span::NONE))]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(node in any_node()) {
        let printed = to_yaml(&node);
        prop_assert_eq!(canonical(&read(&printed)), canonical(&node), "{}", printed);
    }
}

fn canonical(node: &Node) -> String {
    crate::yaml::canonical_json(node)
}

/// No runner and no terminal finds anything to obey in what is printed, wherever a line is folded.
#[test]
fn what_would_be_obeyed_is_quoted_and_reads_back() {
    let long = "word ".repeat(15);
    for text in [
        "##[set-output name=a]b",
        "a ##vso[task.x]b",
        "a\n::set-output name=a::b\n",
        "a\n  ::add-mask::b",
        &format!("{long} ::set-output name=a::b ::stop-commands::c"),
        "a\u{202e}b\u{2066}c",
        "a\u{200b}b",
        "::error::x",
        "\\##[\"x\"]",
    ] {
        for (key, value) in [("k", text), (text, "v")] {
            let mut node = Node::empty_map(Span::NONE);
            node.set(key, Node::str(value, Span::NONE));
            let printed = to_yaml(&node);
            assert!(!is_obeyed(&printed), "{printed}");
            assert_eq!(read(&printed), node, "{printed}");
        }
    }
    let hosts = "a: |\n  ::1 localhost\n  # [x] ##\n";
    assert_eq!(to_yaml(&read(hosts)), hosts, "what is not obeyed is printed as kustomize prints it");
}
