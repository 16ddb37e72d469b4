use proptest::prelude::*;

use super::*;
use crate::{
    source::{Span, Tree},
    yaml::{self, Node, Value, canonical_json},
};

fn lookup(name: &str) -> Lookup {
    Lookup::Value(
        match name {
            "X" => "value",
            "empty" => "",
            "path" => "/path/to/file.tar.gz",
            "mixed" => "hELLO",
            "é" => "accent",
            "lines" => "a\nb\n",
            "yes" => "yes",
            "num" => "080",
            "int" => "8080",
            "date" => "2024-01-01",
            "quote" => "\"",
            "map" => "{a: 1, b: [x, yes]}",
            "colon" => "a: b",
            "comment" => "a # b",
            "apostrophe" => "it's",
            "key" => "name",
            "true" => "true",
            "unknown" => return Lookup::Unknown,
            _ => return Lookup::Unset,
        }
        .to_owned(),
    )
}

fn text(from: &str) -> Result<String, SubstErrorKind> {
    substitute(from, &lookup, false).map(|done| done.text).map_err(|error| error.kind)
}

#[test]
fn operators_give_what_flux_gives() {
    for (from, to) in [
        ("a ${X} b", "a value b"),
        ("${X}${X}", "valuevalue"),
        ("${é}", "accent"),
        ("${none}", ""),
        ("${lines}", "ab"),
        ("${none:-d}", "d"),
        ("${empty:-d}", "d"),
        ("${none:=d}", "d"),
        ("${none=d}", "d"),
        ("${X:-d}", "value"),
        ("${none:-}", ""),
        ("${none:=}", ""),
        // Parsed, but no different from the other defaults.
        ("${X:+d}", "value"),
        ("${none:+d}", "d"),
        ("${none:?d}", "d"),
        ("${none:=a ${X} b}", "a value b"),
        ("${none:=${empty:=${X}}}", "value"),
        ("${none:=https://x.y/z?a=b}", "https://x.y/z?a=b"),
        ("${none:=a$$b}", "a$$b"),
        ("${none:=$}", "$"),
        ("${none==d}", "=d"),
        ("$${X}", "${X}"),
        ("$$$${X}", "$${X}"),
        ("$$${X}", "$value"),
        ("a$$b$c $(d) {{ e }} $", "a$b$c $(d) {{ e }} $"),
        ("\\${X}", "\\value"),
        ("${#X}", "5"),
        ("${#none}", "0"),
        ("${#é}", "6"),
        ("${X^}", "Value"),
        ("${X^^}", "VALUE"),
        ("${mixed,}", "hELLO"),
        ("${mixed,,}", "hello"),
        ("${mixed,^}", "hELLO"),
        ("${X:1}", "alue"),
        ("${X:1:2}", "al"),
        ("${X:-2}", "value"),
        ("${X:0:-1}", "valu"),
        ("${X:9}", ""),
        ("${X:9:-1}", ""),
        ("${X:1:99}", "alue"),
        ("${X: -2}", "value"),
        ("${X:a}", "value"),
        ("${X:1:a}", "value"),
        ("${X:9223372036854775807:1}", ""),
        ("${X:1::2}", "al"),
        ("${path#*/}", "path/to/file.tar.gz"),
        ("${path##*/}", "file.tar.gz"),
        ("${path%.*}", "/path/to/file.tar"),
        ("${path%%.*}", "/path/to/file"),
        ("${path#nope}", "/path/to/file.tar.gz"),
        ("${path#[}", "/path/to/file.tar.gz"),
        ("${path/t/T}", "/paTh/to/file.tar.gz"),
        ("${path//t/T}", "/paTh/To/file.Tar.gz"),
        ("${path//\\//-}", "-path-to-file.tar.gz"),
        ("${X/a/}", "vlue"),
        ("${X/#v/V}", "Value"),
        ("${X/%e/E}", "valuE"),
        ("${X/#a/V}", "value"),
        ("${X/#/pre-}", "pre-value"),
        ("${X/%/-post}", "value-post"),
        ("${X/a//b}", "vblue"),
        ("${X//${none:=a}/b}", "vblue"),
        ("${X/a/${mixed}}", "vhELLOlue"),
        ("${unknown}", "${unknown}"),
        ("a ${unknown:-${X}} ${X}", "a ${unknown:-${X}} value"),
        ("${none:=${unknown}}", "${none:=${unknown}}"),
        ("${X:=${unknown}}", "value"),
    ] {
        assert_eq!(text(from).as_deref(), Ok(to), "{from}");
    }
}

#[test]
fn what_flux_refuses_is_refused() {
    use SubstErrorKind::{BadOperand, BadSubstitution, BadVariableName, MissingClosingBrace};
    for (from, kind) in [
        ("${}", BadVariableName),
        ("${", BadVariableName),
        ("${ X}", BadVariableName),
        ("${-}", BadVariableName),
        ("${X", MissingClosingBrace),
        ("${X }", MissingClosingBrace),
        ("${a.b}", MissingClosingBrace),
        ("${a-b}", MissingClosingBrace),
        ("${X+b}", MissingClosingBrace),
        ("${X?b}", MissingClosingBrace),
        ("${X@b}", MissingClosingBrace),
        ("${X:-b", BadOperand),
        ("${X:-${Y}", BadOperand),
        ("${X:}", BadOperand),
        ("${X:", BadSubstitution),
        ("${X:é}", BadSubstitution),
        ("${X:1", BadSubstitution),
        ("${X:1:}", BadOperand),
        ("${#}", BadSubstitution),
        ("${#X#}", BadSubstitution),
        ("${X^^^}", BadSubstitution),
        ("${X#}", BadOperand),
        ("${X%%}", BadOperand),
        ("${X#a${X}}", BadSubstitution),
        ("${X/a}", BadSubstitution),
        ("${X//}", BadSubstitution),
        ("${X/a/b", BadSubstitution),
    ] {
        assert_eq!(text(from), Err(kind), "{from}");
    }
    let error = substitute("é ${X} ${Y:-${a.b}}", &lookup, false).expect_err("refused");
    assert_eq!((error.at, error.variable.as_deref()), (13, Some("a")));
    assert_eq!(error.to_string(), "missing closing brace: `a`");
}

#[test]
fn strict_wants_a_value_or_a_default() {
    let strict = |from: &str| substitute(from, &lookup, true);
    for from in ["${none}", "${none^^}", "${#none}", "${none:1}", "${none/a/b}", "${X:-${none}}", "${none,^}"] {
        let error = strict(from).expect_err(from);
        assert_eq!((error.kind, error.variable.as_deref()), (SubstErrorKind::Unset, Some("none")), "{from}");
    }
    for from in ["${none:-}", "${none=}", "${none:+a}", "${none:?}", "${empty}", "${unknown}", "$${none}"] {
        assert!(strict(from).is_ok(), "{from}");
    }
    assert_eq!(strict("${unknown} ${a.b}").map_err(|error| error.kind), Err(SubstErrorKind::MissingClosingBrace));
}

#[test]
fn uses_tell_where_and_how() {
    let done = substitute("${X} ${a:=${b:-c}} ${d} ${unknown}", &lookup, false).expect("it works");
    let uses: Vec<_> = done.uses.iter().map(|used| (used.name.as_str(), used.at.clone(), used.outcome)).collect();
    assert_eq!(
        uses,
        [
            ("X", 0..4, Outcome::Value),
            ("a", 5..18, Outcome::Default),
            ("b", 10..17, Outcome::Default),
            ("d", 19..23, Outcome::Nothing),
            ("unknown", 24..34, Outcome::Unknown),
        ]
    );
}

#[test]
fn names_of_variables() {
    assert!(["a", "_", "A1_b"].into_iter().all(is_variable_name));
    assert!(!["", "1a", "a-b", "a.b", "é"].into_iter().any(is_variable_name));
}

#[test]
fn hostile_expressions_end_early() {
    let deep = "${a:=".repeat(100_000);
    assert_eq!(text(&deep), Err(SubstErrorKind::TooLarge));
    let long = "a".repeat(1 << 20);
    let big = |name: &str| Lookup::Value(if name == "v" { long.clone() } else { long[..1 << 10].to_owned() });
    for from in ["${v//a/${v}}", "${v//a/${w//a/${w}}}", "${v#${v}}", "${v%%${w}*${v}*}"] {
        let _ = substitute(from, &big, true);
    }
    assert_eq!(substitute("${v//a/${v}}", &big, true).map_err(|error| error.kind), Err(SubstErrorKind::TooLarge));
}

fn read(text: &str) -> Node {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    yaml::parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents.remove(0).root
}

fn object(text: &str) -> SubstitutedObject {
    substitute_object(&read(text), &lookup, true)
}

#[test]
fn values_are_read_again_as_flux_reads_them() {
    for (value, json) in [
        ("${X}", r#""value""#),
        ("'${X}'", r#""value""#),
        ("a-${X}", r#""a-value""#),
        ("${int}", "8080"),
        ("'${int}'", "8080"),
        ("${num}", "80"),
        ("v${num}", r#""v080""#),
        ("${yes}", "true"),
        ("${true}", "true"),
        ("${date}", r#""2024-01-01""#),
        ("${empty}", "null"),
        ("${none:=~}", "null"),
        ("${none:=on}", "true"),
        ("${none:=1}.5", "1.5"),
        // Quoted by the value itself, the usual trick for numbers that must stay text.
        ("${quote}${int}${quote}", r#""8080""#),
        (r#"'"${int}"'"#, r#""\"8080\"""#),
        ("${map}", r#"{"a":1,"b":["x",true]}"#),
        ("${comment}", r#""a""#),
        // Printed in quotes, so text whatever it holds.
        ("'*.${X}'", r#""*.value""#),
        ("'a: ${colon}'", r#""a: a: b""#),
        ("'@${int} ${none:=''}'", r#""@8080 '""#),
        ("\"${int}\\t\"", r#""8080\t""#),
        ("\"😀 ${X}\"", r#""😀 value""#),
        ("|\n  ${int}\n", r#""8080\n""#),
        ("|-\n  a\n  ${empty}\n", r#""a""#),
        ("|\n  a: ${colon}\n  '${apostrophe}\n", r#""a: a: b\n'it's\n""#),
        ("$${X}", r#""${X}""#),
        ("'a $${X}: b'", r#""a ${X}: b""#),
        ("[\"${colon}\", '${int}']", r#"[{"a":"b"},8080]"#),
        ("${unknown}", r#""${unknown}""#),
        ("{'${key}': 1, '${yes}': 2, '${int}': 3, b: 4}", r#"{"8080":3,"b":4,"name":1,"true":2}"#),
    ] {
        let done = object(&format!("k: {value}\n"));
        assert_eq!(done.faults, [], "{value}");
        let node = done.node.unwrap_or_else(|| read(&format!("k: {value}\n")));
        assert_eq!(canonical_json(node.get("k").expect("present")), json, "{value}");
    }
}

#[test]
fn a_text_with_a_variable_that_is_not_known_is_not_read_as_yaml() {
    for (from, to) in [
        ("${map}${unknown}", "{a: 1, b: [x, yes]}${unknown}"),
        ("${colon}${unknown}", "a: b${unknown}"),
        ("'${quote}: ${unknown}'", "\": ${unknown}"),
        ("'- ${X} ${unknown}'", "- value ${unknown}"),
        ("${int}${unknown}", "8080${unknown}"),
    ] {
        let done = object(&format!("k: {from}\n"));
        assert!(done.faults.is_empty(), "{from}: {:?}", done.faults);
        assert_eq!(done.node.as_ref().and_then(|node| node.find_str(&["k"])), Some(to), "{from}");
    }
}

#[test]
fn what_breaks_the_yaml_is_a_fault_at_its_scalar() {
    let text = "a: ${colon}\nb: ${X}\nc: '*${apostrophe}'\nd: ${quote}\ne: ${none}\nf: ${X:-${a.b}}\n${map}: 1\n";
    let done = object(text);
    let at: Vec<_> =
        done.faults.iter().map(|fault| &text[fault.span.start as usize..fault.span.end as usize]).collect();
    assert_eq!(at, ["${colon}", "'*${apostrophe}'", "${quote}", "${none}", "${X:-${a.b}}", "${map}"]);
    assert_eq!(done.faults[3].kind.variable(), Some("none"));
    assert!(done.faults[3].kind.is_unset());
    assert_eq!(done.node.expect("changed").find_str(&["b"]), Some("value"));
}

#[test]
fn what_does_not_change_is_shared_and_what_does_keeps_its_span() {
    let text = "same: {deep: [1, 2]}\nlist: [a, '${X}', {b: c}]\n";
    let node = read(text);
    let done = substitute_object(&node, &lookup, true).node.expect("changed");
    let shared =
        |path: &[&str]| match (&node.find(path).expect("present").value, &done.find(path).expect("present").value) {
            (Value::Map(one), Value::Map(other)) => std::sync::Arc::ptr_eq(one, other),
            _ => false,
        };
    assert!(shared(&["same"]));
    let item = &done.get("list").and_then(Node::as_seq).expect("a list")[1];
    assert_eq!(&text[item.span.start as usize..item.span.end as usize], "'${X}'");
    assert!(object("a: b\nc: [d, $e]\n").node.is_none());
    for opted_out in ["labels", "annotations"] {
        let text =
            format!("metadata: {{{opted_out}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}}}\na: ${{X}}\n");
        assert!(object(&text).node.is_none());
        assert!(object(&text.replace("disabled", "Disabled")).node.is_some());
    }
}

proptest! {
    #[test]
    fn text_without_dollar_is_unchanged(from in "[^$]{0,40}") {
        prop_assert_eq!(text(&from), Ok(from));
    }

    #[test]
    fn no_text_panics(from in "[${}:=#%/^,a0é \\\\*?\\[\\]\n-]{0,30}", strict: bool) {
        let _ = substitute(&from, &lookup, strict);
        let node = Node::seq(vec![Node::str(from, Span::NONE)], Span::NONE);
        let _ = substitute_object(&node, &lookup, strict);
    }

    /// With nothing to replace, printing a text and reading it again gives the text.
    #[test]
    fn printed_text_reads_back(from in "(\\$\\{unknown\\})?([ -#%-~]|[\t\n é😀:#'\"]){0,20}") {
        let text = Node::str(format!("{from}${{unknown}}"), Span::NONE);
        let done = substitute_object(&Node::seq(vec![text], Span::NONE), &|_| Lookup::Unknown, true);
        prop_assert_eq!(done.faults, []);
        prop_assert!(done.node.is_none());
    }

    /// One scalar at a time gives what the text of the whole object gives, which is what Flux works on.
    #[test]
    fn scalar_by_scalar_is_the_whole_text(texts in proptest::collection::vec(
        ("[a-z*@ ]{0,3}", proptest::sample::select(EXPRESSIONS), "[a-z:# '\n]{0,4}"), 1..6,
    )) {
        let texts: Vec<_> = texts.iter().map(|(before, expression, after)| format!("{before}{expression}{after}")).collect();
        let items = texts.iter().map(|text| Node::str(text.clone(), Span::NONE)).collect();
        let mut object = Node::empty_map(Span::NONE);
        object.set("items", Node::seq(items, Span::NONE));
        for (index, text) in texts.iter().enumerate() {
            object.set(&format!("k{index}"), Node::str(text.clone(), Span::NONE));
        }
        compare_with_whole_text(&object)?;
    }
}

const EXPRESSIONS: &[&str] = &[
    "${X}",
    "${int}",
    "${empty}",
    "${quote}",
    "${map}",
    "${colon}",
    "${comment}",
    "${apostrophe}",
    "${date}",
    "${yes}",
    "${none:-d e}",
    "${none:='}",
    "$${X}",
    "$",
    "${int}${int}",
    "${path##*/}",
    "${true}",
    "${X:=${none:-a}}",
];

fn compare_with_whole_text(object: &Node) -> Result<(), TestCaseError> {
    let printed = yaml::to_yaml(object);
    let Ok(substituted) = substitute(&printed, &lookup, false) else {
        prop_assert!(!substitute_object(object, &lookup, false).faults.is_empty(), "{printed}");
        return Ok(());
    };
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    let mut file = yaml::parse_legacy(tree.file("a.yaml").expect("present"), substituted.text.as_bytes());
    let is_broken = file.errors().count() > 0 || file.documents.iter().any(|document| !document.problems.is_empty());
    let done = substitute_object(object, &lookup, false);
    if done.faults.is_empty() {
        prop_assert!(!is_broken, "{}", substituted.text);
        let whole = file.documents.remove(0).root;
        let ours = done.node.unwrap_or_else(|| object.clone());
        prop_assert_eq!(canonical_json(&ours), canonical_json(&whole), "{}", substituted.text);
    }
    // A quote that one scalar opens and the next one closes is a fault here, and an accident there.
    Ok(())
}

#[test]
fn golden_builds_substitute_as_their_text_does() {
    let Ok(corpus) = std::env::var("FLUXDAG_CORPUS") else {
        eprintln!("SKIPPED: FLUXDAG_CORPUS is not set");
        return;
    };
    let (mut objects, mut uses) = (0, 0);
    for entry in walkdir::WalkDir::new(std::path::Path::new(&corpus).join("golden-full")) {
        let entry = entry.expect("a readable corpus");
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
        for document in yaml::parse(tree.file("a.yaml").expect("present"), &bytes).documents {
            if !is_opted_out(&document.root) {
                compare_with_whole_text(&document.root).expect("alike");
                uses += substitute_object(&document.root, &lookup, false).uses.len();
                objects += 1;
            }
        }
    }
    assert!(objects > 100 && uses > 50, "{objects} objects, {uses} uses");
}
