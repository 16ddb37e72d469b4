//! Any bytes as YAML: every span lies in the text, and what is printed reads as the same.
#![no_main]

use fluxdag::{
    source::Tree,
    yaml::{self, Node},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let tree = Tree::from_memory([("a.yaml".to_owned(), bytes.to_vec())]);
    let file = tree.file("a.yaml").expect("a file");
    for parsed in [yaml::parse(file, bytes), yaml::parse_legacy(file, bytes)] {
        for document in &parsed.documents {
            assert!(document.span.end as usize <= bytes.len());
            inside(&document.root, bytes.len());
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        for comment in yaml::comments(file, text) {
            assert!(text[comment.span.start as usize..comment.span.end as usize].starts_with('#'));
        }
    }
});

fn inside(node: &Node, length: usize) {
    assert!(node.span.start <= node.span.end && node.span.end as usize <= length);
    node.items().for_each(|item| inside(item, length));
    node.entries().for_each(|entry| inside(&entry.value, length));
}
