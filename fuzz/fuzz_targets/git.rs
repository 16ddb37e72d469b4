//! Any tree and blob as objects of Git: reading a revision ends in an answer or an error, and no path leads out of it.
#![no_main]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use arbitrary::Arbitrary;
use flate2::{Compression, write::ZlibEncoder};
use fluxdag::{Options, revisions, survey};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input {
    entries: Vec<(u8, String, u8)>,
    blob: Vec<u8>,
    raw: Option<Vec<u8>>,
}

const COMMIT: u8 = 0xaa;
const TREE: u8 = 0xbb;
const BLOB: u8 = 0xcc;

/// Writes a loose object whose id is `first` and zeros. Nothing checks that it is the hash of the contents.
fn write(git: &Path, first: u8, kind: &str, contents: &[u8]) {
    let folder = git.join(format!("objects/{first:02x}"));
    fs::create_dir_all(&folder).expect("a folder");
    let file = fs::File::create(folder.join("0".repeat(38))).expect("a file");
    let mut encoder = ZlibEncoder::new(file, Compression::fast());
    write!(encoder, "{kind} {}\0", contents.len()).expect("written");
    encoder.write_all(contents).expect("written");
    encoder.finish().expect("written");
}

fn id(first: u8) -> [u8; 20] {
    let mut id = [0; 20];
    id[0] = first;
    id
}

fuzz_target!(|input: Input| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let git = folder.path().join(".git");
    fs::create_dir_all(git.join("refs/heads")).expect("a folder");
    let commit = format!("{COMMIT:02x}{}", "0".repeat(38));
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("a file");
    fs::write(git.join("config"), "[core]\n\trepositoryformatversion = 0\n").expect("a file");
    fs::write(git.join("refs/heads/main"), format!("{commit}\n")).expect("a file");
    let person = "a <a@example.com> 1700000000 +0000";
    let text = format!("tree {TREE:02x}{}\nauthor {person}\ncommitter {person}\n\nx\n", "0".repeat(38));
    write(&git, COMMIT, "commit", text.as_bytes());
    let mut tree = Vec::new();
    for (mode, name, which) in &input.entries {
        let mode = ["100644", "40000", "120000", "160000", "0", "777777777777"][usize::from(*mode) % 6];
        let first = [TREE, BLOB, COMMIT, 0xdd][usize::from(*which) % 4];
        tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        tree.extend_from_slice(&id(first));
    }
    write(&git, TREE, "tree", input.raw.as_ref().unwrap_or(&tree));
    write(&git, BLOB, "blob", &input.blob);
    let paths: [PathBuf; 1] = [folder.path().to_owned()];
    if let Ok(base) = revisions::base(&paths, "main", false) {
        let options = Options { revision: Some(base), ..Options::default() };
        if let Ok(survey) = survey(&paths, &options) {
            let tree = survey.store.tree();
            for file in tree.files() {
                let path = tree.path(file);
                assert!(!path.split('/').any(|part| matches!(part, "" | "." | ".." | ".git")), "{path:?}");
            }
        }
    }
});
