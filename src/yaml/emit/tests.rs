use super::*;
use crate::{
    source::{Span, Tree},
    yaml::{Node, canonical_json, parse},
};

fn read(text: &str) -> Node {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents.remove(0).root
}

/// Every row was printed by `kubectl kustomize` (kustomize 5.5.0).
#[test]
#[expect(clippy::too_many_lines, reason = "a table is read best in one piece")]
fn texts_print_in_the_style_of_kustomize() {
    let rows: [(Style, &[&str]); 4] = [
        (
            Style::Plain,
            &[
                "${X}",
                "a:b",
                "a#b",
                "-a",
                "?a",
                ":a",
                "a,b",
                "a{b}",
                "1:99",
                "2024-13-01",
                "\u{e9}",
                "\u{a0}",
                "=",
                "<<",
                ".",
                "..5",
                "+",
                "1e400",
                "$",
                "a$",
                "a'b",
                "a\"b",
                "\\a",
                "_1",
                "0x",
                "nan",
                "NaN",
                "Infinity",
                "inf",
            ],
        ),
        (
            Style::SingleQuoted,
            &[
                "a: b",
                "a #b",
                "- a",
                "-",
                "?",
                "? a",
                ": a",
                "a:",
                "a: ",
                "*a",
                "&a",
                "!a",
                "|",
                "> a",
                "@a",
                "`a",
                "%a",
                "'a",
                "\"a",
                "{a",
                "}a",
                "[a",
                "]a",
                ",a",
                " a",
                "a ",
                "---",
                "--- a",
                "...",
                "...a",
                "----",
                "a\u{2028}b",
                "#a",
                "- ",
                "1 ",
            ],
        ),
        (
            Style::DoubleQuoted,
            &[
                "yes",
                "Yes",
                "n",
                "y",
                "on",
                "true",
                "null",
                "~",
                "",
                "1",
                "0x1",
                "1e3",
                "0o7",
                "0b1",
                "1_000",
                "12:30",
                "1:2:3.5",
                "2024-01-01",
                "2024-1-1",
                "2024-01-01T00:00:00Z",
                "a\tb",
                "\ta",
                "a \nb",
                "a\nb ",
                "\u{1f600}",
                "\u{feff}a",
                ".inf",
                ".nan",
                ".5",
                "+1",
                "0777",
                "08",
                "1.",
                "a\rb",
                "-1",
                "a:\tb",
                "a\t#b",
                "1__0",
                "+.inf",
                "0.1e1_0",
                "12e03",
                "-2E+05",
                "190:20:30",
                "1:30:00",
                "+1:30",
                "0:0",
            ],
        ),
        (Style::Literal, &["a\nb", "a\nb\n", "a\n b", "\na"]),
    ];
    for (style, texts) in rows {
        for text in texts {
            assert_eq!(style_of(text), style, "{text:?}");
        }
    }
    assert!(style_of("${X}") == Style::Plain && style_of("*.${X}") != Style::Plain);
}

#[test]
fn canonical_json_is_what_the_readme_of_the_corpus_asks_for() {
    let node = read(concat!(
        "{b: 1e3, a: [1.5, 1e22, 0.00001, 9007199254740993.0, -0.5, 123456789012345680.0, ~, true], ",
        "é: \"\\u0001\\b\\f\\n\\r\\t\\\\\\\"/é\\x7f\", Z: 18446744073709551615, '': {}}"
    ));
    assert_eq!(
        canonical_json(&node),
        concat!(
            r#"{"":{},"Z":18446744073709551615,"a":[1.5,1e+22,1e-05,9007199254740992.0,-0.5,1.2345678901234568e+17,"#,
            "null,true],\"b\":1000,\"é\":\"\\u0001\\b\\f\\n\\r\\t\\\\\\\"/é\u{7f}\"}"
        )
    );
    assert_eq!(canonical_json(&Node::new(Value::Float(f64::NAN), Span::NONE)), "null");
}
