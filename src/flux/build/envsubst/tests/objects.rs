//! Objects that are substituted.

use super::*;

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
