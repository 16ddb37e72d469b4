use super::*;
use crate::{
    finding::{Confidence, Location, Severity, Subject},
    source::Tree,
};

/// What is read of the comment that begins at the first `#` of `text`.
fn read(text: &str) -> Vec<Suppression> {
    let tree = Tree::from_memory([("a.yaml".to_owned(), text.as_bytes().to_vec())]);
    let file = tree.file("a.yaml").expect("a file of the test");
    let start = text.find('#').expect("a comment");
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let line = text[..start].rsplit('\n').next().unwrap_or_default();
    CommentReader::new(text, false).read(Span::new(file, start as u32, end as u32), !line.trim().is_empty())
}

/// The ids, the reason and the fault of each suppression in a comment.
fn written(comment: &str) -> Vec<(String, String, Option<Fault>)> {
    let text = format!("a: b {comment}\n");
    let parts = |one: Suppression| (one.rules.join("+"), one.reason.unwrap_or_default(), one.fault);
    read(&text).into_iter().map(parts).collect()
}

fn well(rules: &str, reason: &str) -> Vec<(String, String, Option<Fault>)> {
    vec![(rules.to_owned(), reason.to_owned(), None)]
}

#[test]
fn a_comment_lists_rules_and_may_say_why() {
    assert_eq!(written("# fluxdag: ignore[a]"), well("a", ""));
    assert_eq!(written("#fluxdag:ignore[a, b-c ,a] made by hand"), well("a+b-c", "made by hand"));
    assert_eq!(written("# an ordinary comment about fluxdag"), []);
    assert_eq!(written("# see https://x.example/#fluxdag: ignore[a]"), []);
}

#[test]
fn other_markers_stand_beside_it() {
    assert_eq!(written("# {\"$imagepolicy\": \"a:b\"} # fluxdag: ignore[x] because"), well("x", "because"));
    assert_eq!(written("# fluxdag: ignore[x] because # {\"$imagepolicy\": \"a:b\"}"), well("x", "because"));
    assert_eq!(written("# yamllint disable-line rule:x # fluxdag: ignore[x]"), well("x", ""));
    assert_eq!(
        written("# renovate: datasource=docker # fluxdag: ignore[x] see #12 # yamllint x"),
        well("x", "see #12")
    );
    let two = written("# fluxdag: ignore[x] one # fluxdag: ignore[y] two");
    assert_eq!(two, [well("x", "one"), well("y", "two")].concat());
}

#[test]
fn a_malformed_comment_says_what_is_wrong() {
    let fault = |comment: &str| written(comment).into_iter().find_map(|(_, _, fault)| fault);
    assert_eq!(fault("# fluxdag: ignore because"), Some(Fault::NoList));
    assert_eq!(fault("# fluxdag: ignore"), Some(Fault::NoList));
    assert_eq!(fault("# fluxdag: ignore[a"), Some(Fault::OpenList));
    assert_eq!(fault("# fluxdag: ignore[] x"), Some(Fault::EmptyList));
    assert_eq!(fault("# fluxdag: ignore[ , ]"), Some(Fault::EmptyList));
    assert_eq!(fault("# fluxdag: ignore[*]"), Some(Fault::Wildcard));
    assert_eq!(fault("# fluxdag: disable[a]"), Some(Fault::Directive("disable".to_owned())));
    assert_eq!(fault("# fluxdag:"), Some(Fault::Directive(String::new())));
    assert_eq!(fault("# fluxdag: ignore-file[a]"), Some(Fault::NotFirst));
}

#[test]
fn a_reason_may_be_required() {
    let file = FileId::from_index(0);
    let read = |text: &str| CommentReader::new(text, true).read(Span::new(file, 5, text.len() as u32), true);
    assert_eq!(read("a: b # fluxdag: ignore[a]")[0].fault, Some(Fault::NoReason));
    assert_eq!(read("a: b # fluxdag: ignore[a] why")[0].fault, None);
}

#[test]
fn a_comment_means_its_line_or_the_next_one() {
    let line = |text: &str| match read(text)[0].reach {
        Reach::Line(start, end) => Some(text[start as usize..end as usize].to_owned()),
        _ => None,
    };
    assert_eq!(line("a: 1\nb: 2 # fluxdag: ignore[x]\nc: 3\n").as_deref(), Some("b: 2 # fluxdag: ignore[x]"));
    assert_eq!(line("a:\n  # fluxdag: ignore[x]\n  b: 2\n").as_deref(), Some("  b: 2"));
    assert_eq!(line("# fluxdag: ignore[x]\n# more words\nb: 2").as_deref(), Some("b: 2"));
    assert_eq!(line("# fluxdag: ignore[x]\r\nb: 2\r\n").as_deref(), Some("b: 2\r"));
    assert_eq!(line("# fluxdag: ignore[x]\n\nb: 2\n"), None);
    assert_eq!(line("# fluxdag: ignore[x]"), None);
    assert_eq!(line("# fluxdag: ignore[x]\n"), None);
}

#[test]
fn a_comment_for_the_file_stands_before_its_content() {
    let fault = |text: &str| read(text)[0].fault.clone();
    assert_eq!(fault("# fluxdag: ignore-file[x]\na: 1\n"), None);
    assert_eq!(fault("\u{feff}---\n\n%YAML 1.2\n--- # fluxdag: ignore-file[x]\na: 1\n"), None);
    assert_eq!(fault("a: 1\n---\n# fluxdag: ignore-file[x]\nb: 1\n"), Some(Fault::NotFirst));
    assert_eq!(read("# fluxdag: ignore-file[x]\na: 1\n")[0].reach, Reach::File);
}

fn finding(rule: &'static str, span: Span) -> Finding {
    Finding {
        rule,
        severity: Severity::Error,
        confidence: Confidence::High,
        message: "something is wrong".to_owned(),
        subject: Subject::file("a.yaml"),
        clusters: Vec::new(),
        location: Location::At(span),
        label: String::new(),
        related: Vec::new(),
        why: String::new(),
        help: String::new(),
        edits: Vec::new(),
        key: String::new(),
        cause: String::new(),
        group: String::new(),
        members: Vec::new(),
        fingerprint: String::new(),
        suppressed: None,
    }
}

#[test]
fn findings_are_silenced_by_any_line_of_any_of_their_spans() {
    let text = "a: 1 # fluxdag: ignore[x] known\nb: 2\nc: 3\n";
    let found = read(text);
    let file = found[0].span.file;
    let at = |words: &str| {
        let start = text.find(words).expect("in the text");
        Span::new(file, start as u32, (start + words.len()) as u32)
    };
    let end_of_first = text.find('\n').expect("a line") as u32;
    let other_file = Span { file: FileId::from_index(7), ..at("a: 1") };
    let mut related = finding("x", at("c: 3"));
    related.related.push(crate::finding::Related::new("here", None, at("a: 1")));
    let mut findings = [
        finding("x", at("1")),
        finding("x", at("known\nb: 2\nc")),
        finding("x", Span::new(file, end_of_first, end_of_first)),
        related,
        finding("y", at("1")),
        finding("x", at("b: 2")),
        finding("x", Span::new(file, end_of_first + 1, end_of_first + 1)),
        finding("x", other_file),
    ];
    let used = suppress(&mut findings, &found);
    let silenced: Vec<bool> = findings.iter().map(|finding| finding.suppressed.is_some()).collect();
    assert_eq!(silenced, [true, true, true, true, false, false, false, false]);
    assert_eq!(findings[0].suppressed.as_ref().and_then(|by| by.reason.as_deref()), Some("known"));
    assert_eq!(used.into_iter().collect::<Vec<_>>(), [(0, "x")]);
}

#[test]
fn a_whole_value_belongs_to_the_line_of_its_key() {
    let text = "a: # fluxdag: ignore[x]\n  b: 1\n  c: 2\n";
    let mut found = read(text);
    let whole = Span::new(found[0].span.file, 26, 37);
    found[0].value = Some(whole);
    let mut findings = [finding("x", whole), finding("x", Span { end: 30, ..whole })];
    suppress(&mut findings, &found);
    assert!(findings[0].suppressed.is_some() && findings[1].suppressed.is_none());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_breaks_the_reading(before in "[a-z:# \n\r]{0,20}", comment in "#[ #{\\[\\],*a-zé😀]{0,10}(fluxdag:)?[ #\\[\\],a-zé-]{0,30}", after in "[a-z# \n]{0,20}") {
        let text = format!("{before}{comment}{after}");
        let span = Span::new(FileId::from_index(0), before.len() as u32, (before.len() + comment.len()) as u32);
        for trailing in [true, false] {
            for found in CommentReader::new(&text, false).read(span, trailing) {
                proptest::prop_assert!(text.get(found.span.start as usize..found.span.end as usize).is_some_and(|text| text.starts_with('#')));
            }
        }
    }
}
