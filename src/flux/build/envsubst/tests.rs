mod objects;

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
