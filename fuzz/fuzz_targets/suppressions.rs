//! Any text with comments: what a comment silences lies in the text.
#![no_main]

use fluxdag::{finding::CommentReader, source::Tree, yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let tree = Tree::from_memory([("a.yaml".to_owned(), text.as_bytes().to_vec())]);
    let file = tree.file("a.yaml").expect("a file");
    let mut reader = CommentReader::new(text, true);
    for comment in yaml::comments(file, text) {
        for found in reader.read(comment.span, comment.trailing) {
            assert!(found.span.end as usize <= text.len());
        }
    }
});
