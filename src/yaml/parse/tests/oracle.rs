//! Compared with serde_yaml, where both read a text.

use super::{hostile::check, *};

/// A flow or block text whose scalars mean the same to every YAML reader.
fn yaml_text(depth: u32) -> BoxedStrategy<String> {
    let scalar = prop_oneof![
        "[a-z][a-z0-9/.]{0,8}x".boxed(),
        "'([ -&(-~é]|''){0,10}'".boxed(),
        "\"([ !#-\\[\\]-~é]|\\\\n|\\\\\"|\\\\u00e9){0,10}\"".boxed(),
        "[1-9][0-9]{0,8}".boxed(),
        proptest::sample::select(vec!["true", "false", "null", "~", "1.5", "-3"]).prop_map(str::to_owned).boxed(),
    ];
    if depth == 0 {
        return scalar.boxed();
    }
    let flow = proptest::collection::vec(flow_text(2), 0..4);
    let block = proptest::collection::vec(yaml_text(depth - 1), 1..5);
    prop_oneof![
        scalar,
        flow.prop_map(|items| format!("[{}]", items.join(", "))),
        block.clone().prop_map(|items| items.iter().map(|item| format!("- {}\n", hang(item))).collect()),
        block.prop_map(|items| {
            let entries = items.iter().enumerate();
            entries.map(|(n, item)| format!("k{n}: # c\n  {}\n", hang(item))).collect()
        }),
    ]
    .boxed()
}

fn flow_text(depth: u32) -> BoxedStrategy<String> {
    let scalar = prop_oneof!["[a-z]{1,5}x", "'[ -&(-~]{0,6}'", "[1-9]{1,4}"];
    if depth == 0 {
        return scalar.boxed();
    }
    let items = proptest::collection::vec(flow_text(depth - 1), 0..3);
    prop_oneof![
        scalar,
        items.clone().prop_map(|items| format!("[{}]", items.join(", "))),
        items.prop_map(|items| {
            let entries: Vec<_> = items.iter().enumerate().map(|(n, item)| format!("k{n}: {item}")).collect();
            format!("{{{}}}", entries.join(", "))
        }),
    ]
    .boxed()
}

fn hang(text: &str) -> String {
    text.trim_end_matches('\n').replace('\n', "\n  ")
}

proptest! {
    #[test]
    fn generated_yaml_reads_alike(text in yaml_text(3)) {
        let file = check(&text);
        prop_assert_eq!(file.errors().count(), 0, "{}", text);
        let theirs: serde_yaml::Value = serde_yaml::from_str(&text).expect("valid YAML");
        prop_assert!(same(&file.documents[0].root, &theirs), "{}", text);
    }
}

/// Whether both read the same, up to what plain scalars mean.
fn same(ours: &Node, theirs: &serde_yaml::Value) -> bool {
    use serde_yaml::Value as Theirs;
    match (&ours.value, theirs) {
        (_, Theirs::Tagged(tagged)) => same(ours, &tagged.value),
        (Value::Map(_), Theirs::Mapping(map)) if map.contains_key("<<") => true,
        (Value::Map(one), Theirs::Mapping(other)) => {
            let key_fits = |ours: &str, theirs: &Theirs| {
                theirs.as_str().is_none_or(|key| key == ours || resolve_plain(key) != Value::Str(key.into()))
            };
            one.len() == other.len()
                && one
                    .entries()
                    .iter()
                    .zip(other)
                    .all(|(entry, (key, value))| key_fits(&entry.key, key) && same(&entry.value, value))
        }
        (Value::Seq(one), Theirs::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (value, Theirs::String(text)) => *value == Value::Str(text.into()) || *value == resolve_plain(text),
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(one), Theirs::Bool(other)) => one == other,
        (Value::Int(one), Theirs::Number(other)) => other.as_i64() == Some(*one),
        (Value::Uint(one), Theirs::Number(other)) => other.as_u64() == Some(*one),
        (Value::Float(one), Theirs::Number(other)) => other.as_f64() == Some(*one),
        _ => false,
    }
}

/// serde_yaml takes the last of several anchors of one name even for aliases before it.
fn sets_an_anchor_twice(text: &str) -> bool {
    let anchors = text.split_whitespace().filter(|word| word.starts_with('&'));
    let mut seen = std::collections::BTreeSet::new();
    anchors.into_iter().any(|anchor| !seen.insert(anchor))
}

fn corpus_files() -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let Ok(corpus) = std::env::var("FLUXDAG_CORPUS") else {
        eprintln!("SKIPPED: FLUXDAG_CORPUS is not set");
        return None;
    };
    let entries = walkdir::WalkDir::new(PathBuf::from(corpus).join("repos")).sort_by_file_name().into_iter();
    let paths = entries.filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    let yaml = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
    Some(yaml.filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect())
}

#[test]
fn the_corpus_reads_alike() {
    let Some(files) = corpus_files() else { return };
    let (mut alike, mut both_fail, mut wrong) = (0, 0, Vec::new());
    for (path, bytes) in &files {
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let file = check(text);
        let (mut theirs, mut their_error) = (Vec::new(), None);
        for document in serde_yaml::Deserializer::from_str(text) {
            match <serde_yaml::Value as serde::Deserialize>::deserialize(document) {
                Ok(value) => theirs.push(value),
                // They repeat an error forever.
                Err(error) => {
                    their_error = Some(error.to_string());
                    break;
                }
            }
        }
        let our_error = file.errors().next().map(|error| error.message.clone());
        let has_problem = file.documents.iter().any(|document| !document.problems.is_empty());
        match (&our_error, &their_error) {
            (None, None) => {
                let roots = file.documents.iter().map(|document| &document.root);
                let is_alike =
                    file.documents.len() == theirs.len() && roots.zip(&theirs).all(|(ours, theirs)| same(ours, theirs));
                // A text of comments is one empty document to them.
                let is_empty = file.documents.is_empty() && theirs.iter().all(serde_yaml::Value::is_null);
                if is_alike || is_empty || sets_an_anchor_twice(text) {
                    alike += 1;
                } else {
                    wrong.push(format!("{}: {} and {} documents", path.display(), file.documents.len(), theirs.len()));
                }
            }
            (Some(_), Some(_)) => both_fail += 1,
            (None, Some(_)) if has_problem => both_fail += 1,
            _ => wrong.push(format!("{}: ours {our_error:?}, theirs {their_error:?}", path.display())),
        }
    }
    eprintln!("{alike} files read alike, {both_fail} fail in both, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "a measurement, for release builds"]
fn throughput() {
    let Some(files) = corpus_files() else { return };
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    let id = tree.file("a.yaml").expect("present");
    for _ in 0..7 {
        let start = Instant::now();
        let documents: usize = files.iter().map(|(_, bytes)| parse(id, bytes).documents.len()).sum();
        let seconds = start.elapsed().as_secs_f64();
        let rate = bytes as f64 / 1e6 / seconds;
        eprintln!("{} files, {documents} documents, {bytes} bytes: {seconds:.3} s, {rate:.1} MB/s", files.len());
    }
}
