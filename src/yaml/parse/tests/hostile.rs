use super::*;

/// Every span lies in the text, on character boundaries, the right way round; plain keys are where their span says.
pub(super) fn check(text: &str) -> File {
    let file = read(text);
    let sound = |span: Span| {
        assert!(span.start <= span.end, "{span:?} in {text:?}");
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} in {text:?}");
    };
    for document in &file.documents {
        sound(document.span);
        for problem in document.error.iter().chain(&document.problems) {
            sound(problem.span);
            problem.other.into_iter().for_each(sound);
            assert!(!problem.message.is_empty());
        }
        check_node(text, &document.root, &sound);
    }
    for comment in comments(FileId::NONE, text) {
        sound(comment.span);
        assert!(slice(text, comment.span).starts_with('#'), "{comment:?} in {text:?}");
    }
    file
}

fn check_node(text: &str, node: &Node, sound: &impl Fn(Span)) {
    sound(node.span);
    for entry in node.entries() {
        sound(entry.key_span);
        let written = slice(text, entry.key_span);
        let is_plain = !written.starts_with(['"', '\'', '&', '!', '*', '?', '|', '>', '[', '{'])
            && !written.contains(['\n', '\r']);
        if is_plain && !entry.key.is_empty() && resolve_plain(written) == Value::Str(written.into()) {
            assert_eq!(entry.key, written, "{text:?}");
        }
        check_node(text, &entry.value, sound);
    }
    node.items().for_each(|item| check_node(text, item, sound));
}

const SAMPLE: &str = "\
# A comment
apiVersion: kustomize.toolkit.fluxcd.io/v1 # trailing
kind: Kustomization
metadata:
  name: &app \"caf\\u00e9\"
  labels: {app.kubernetes.io/name: *app, 'it''s': [1, 2.5, ~]}
spec:
  <<: &defaults
    interval: 10m
  dependsOn:
    - name: é
      # between
    - {name: b}
  patch: |-
    - op: add
      path: /x
  folded: >
    one
    two

    three
  ? complex
  : !!str 5
---
a: !secret x
...
%YAML 1.2
---
\"last\": 'one'
";

const SMALL: &[&str] = &[
    "\t",
    "a:\t1",
    "\ta: 1",
    "a:\n\tb: 1",
    "a: 1\r\nb: 2\r\n",
    "a: 1\rb: 2\r",
    "\0",
    "a: \0",
    "\u{feff}",
    "\u{feff}a: 1",
    "a: 1\n\u{feff}b: 2",
    "---\n---\n---",
    "...\n...",
    "--- |\n a\n--- >\n b",
    "---a",
    "- - - -",
    "? ? ? ?",
    ": : :",
    ":",
    "?",
    "-",
    "a: *a",
    "a: &a *a",
    "&a a: *a",
    "&a [*a]",
    "&a {b: *a}",
    "*x",
    "*x : y",
    "a: &a",
    "- &a\n- *a",
    "a: *missing\n---\nb: 1",
    "%YAML 1.2\n---\na",
    "%YAML 1.1\n%YAML 1.2\n---\na",
    "%YAML 9.9\n--- a",
    "%TAG ! tag:x,2000:\n--- !a b",
    "%",
    "%FOO",
    "!",
    "!!",
    "!<",
    "!<>",
    "a: !",
    "a: !!int x",
    "a: !!float .inf",
    "a: !!null x",
    "!!binary x",
    "{{ .Values.x }}",
    "a: {{ .Values.x }}",
    "{{- if .x }}\na: 1\n{{- end }}",
    "a: {{",
    "#",
    "#\n#",
    "a #b",
    "a: # c\n  b # d",
    "[ # c\n]",
    "{ # c\n}",
    "a: | # c\n b",
    "a: >-2\n   b",
    "a: |9\n b",
    "a: |0\n b",
    "\"",
    "'",
    "\"\\",
    "\"\\u",
    "\"\\uD800\"",
    "\"\\U00110000\"",
    "\"\\x\"",
    "'''",
    "[",
    "{",
    "]",
    "}",
    "[}",
    "{]",
    "[a",
    "{a",
    "{a:",
    "{a: ",
    "{a: b",
    "[a, , b]",
    "[,]",
    "{,}",
    "[a\n---\nb]",
    "a: [\n]\nb",
    "a: b: c",
    "a:\n- b\n c",
    "a\nb: c",
    "<<: 1",
    "<<: [1]",
    "<<: {a: 1}",
    "<<: *x",
    "<<: &x {<<: *x}",
    "? {a: b}\n: c",
    "? [a]\n: c",
    "[a: b]",
    "{a, b: c}",
    "\u{85}",
    "\u{2028}a: b",
    "a: .nan\n.inf: b",
    "\"a\n\n  b\": c",
    "a: 'x\n---\ny'",
    "a: |\n---\nb: c",
    "a: &\u{1f600} b",
    "😀: &é 😀\n*é : x",
    "~: 1\nnull: 2",
    "1: a\n01: b\n0x1: c",
];

const UNITS: &[&str] = &[
    "[",
    "{",
    "- ",
    "? ",
    "{a: ",
    "[[",
    "a: [",
    "!a ",
    "&a ",
    "*a ",
    "\n",
    " ",
    "#\n",
    "---\n",
    "'",
    "\"",
    "\\",
    "é",
    "\t",
    ": ",
    ", ",
    "%A\n",
    "| ",
    "!!",
    "{{",
    "}}",
    "a: b\n---\n",
    "[\n---\n",
    "&a [*a]\n---\n",
    "a: # b\n",
    "a, ",
    "\r",
    "\r\n",
];

#[test]
fn hostile_text_is_survived() {
    let mut texts: Vec<String> = SMALL.iter().map(|text| (*text).to_owned()).collect();
    for unit in UNITS {
        texts.push(unit.repeat(60_000));
        texts.push(format!("a: {}", unit.repeat(60_000)));
        texts.push(format!("[{}", unit.repeat(60_000)));
    }
    texts.push((0..3_000).map(|level| " ".repeat(level) + "a:\n").collect());
    texts.push(format!("a: {}", "x".repeat(5_000_000)));
    texts.push(format!("{}: 1", "x".repeat(2_000_000)));
    texts.push(format!("\"{}\"", "\\n".repeat(1_000_000)));
    texts.push((0..50_000).map(|n| format!("k{n}: v\n")).collect());
    texts.push((0..50_000).map(|n| format!("- &a{n} x\n")).collect());
    texts.push(format!("a: &a {{b: c}}\n{}", "<<: *a\n".repeat(20_000)));
    let keys: String = (0..2_000).map(|n| format!("k{n}: v, ")).collect();
    texts.push(format!("a: &a {{{keys}}}\nb: {{{}}}", "<<: *a, ".repeat(400)));
    texts.push(format!("a: &a {{{keys}}}\nb: [{}]", "{<<: *a, k: v}, ".repeat(400)));
    for text in &texts {
        let start = Instant::now();
        check(text);
        let begin: String = text.chars().take(20).collect();
        assert!(start.elapsed().as_secs() < 60, "{begin:?} took {:?}", start.elapsed());
    }
}

#[test]
fn every_prefix_of_a_file_is_survived() {
    assert_eq!(check(SAMPLE).errors().count(), 0);
    for (end, _) in SAMPLE.char_indices() {
        check(&SAMPLE[..end]);
        check(&SAMPLE[end..]);
        check(&SAMPLE[..end].replace('\n', "\r\n"));
    }
}

const LINES: &[&str] = &[
    "a: 1",
    "  b: 2",
    "- c",
    "  - d: e",
    "---",
    "...",
    "# f",
    "  # g",
    "k: |",
    "    text",
    "l: >-",
    "m: &x",
    "n: *x",
    "<<: *x",
    "{o: p}",
    "q: [",
    "]",
    "r: 'it''s'",
    "s: \"t",
    "\"",
    "? u",
    ": v",
    "%YAML 1.2",
    "\t",
    "",
    "{{ w }}",
    "x: {{ y }}",
    "é: ü # z",
    "!!str 1",
    "a: 1 # b",
];

proptest! {
    #[test]
    fn bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
        let file = parse(tree.file("a.yaml").expect("present"), &bytes);
        prop_assert!(file.documents.iter().all(|document| document.span.end as usize <= bytes.len()));
    }

    #[test]
    fn indicators_are_survived(text in "[ab \n\t\r:,?#&*!|>'\"%@`{}\\[\\]<~.0é\u{feff}\0-]{0,60}") {
        check(&text);
    }

    #[test]
    fn lines_in_any_order_are_survived(
        lines in proptest::collection::vec(proptest::sample::select(LINES), 0..14),
        ending in proptest::sample::select(vec!["\n", "\r\n"]),
    ) {
        check(&lines.join(ending));
    }
}
