//! Names that mean something to the reader of a format, in every place that a name can have.

use fluxdag::{
    finding::{Location, Severity, Suppressed, SuppressionKind},
    report::{ClusterSummary, Format, Terminal},
};

use super::{Sample, consumers, consumers::list, finding, related};

const EVIL: [&str; 20] = [
    "plain",
    "%0A::error::x %25 %",
    "::set-output name=a::b",
    "##[error]x",
    "a,b:c=d::e",
    "]]> <![CDATA[ --> <!-- <?x?>",
    "<script>alert(1)</script> &amp; &#0; ' \"",
    "a|b`c``d ` e",
    "@octocat #1 !2 $3 ~x &4 %5 ^6 GH-7 a@b.example o/r#8",
    "[l](http://e.example) ![i](http://e.example) <http://e.example> [x]: http://e www.e.example",
    "[1](1) a[0]](2) \\](3)",
    "# h\n- l\n> q\n```\ncode\n```\n    code",
    "* a _b_ **c** ~~d~~ __e__",
    "\u{1b}[31mred\u{1b}]8;;http://x\u{7} \u{9b}2J",
    "\u{0}\u{1}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{7f}\u{85}",
    "\u{fffe}\u{ffff}\u{fdd0}\u{1ffff}",
    "\u{2028}\u{2029}\u{202e}\u{200b}\u{feff}\u{e0001}",
    "😀 漢字 é e\u{301}",
    "a\r\nb\tc\\d",
    "${{ github.token }} {0} {x} $(id) %s",
];

/// A finding for each name: in its path, its words, its objects, its clusters, and behind it on the line.
fn sample() -> Sample {
    let files: Vec<(String, String)> = EVIL
        .iter()
        .enumerate()
        .map(|(index, evil)| (format!("d{index}/{evil}.yaml"), format!("😀 {evil} é: here\nb: 2\n")))
        .collect();
    let mut sample = Sample::new(&files);
    for (index, evil) in EVIL.into_iter().enumerate() {
        let severity = [Severity::Error, Severity::Warning, Severity::Info][index % 3];
        let path = &files[index].0;
        let mut found = finding(severity, sample.at(path, "here"), evil);
        found.clusters = vec![format!("clusters/{evil}"), "clusters/b".to_owned()];
        found.related = vec![
            related(evil, sample.at(path, "b: 2")),
            related(evil, fluxdag::source::Span::NONE),
            related(evil, sample.at(path, "here\nb:")),
        ];
        found.members = vec![super::subject(evil), super::subject("b")];
        let mut lost = finding(severity, Location::Nowhere(evil.to_owned()), evil);
        lost.clusters = found.clusters.clone();
        let mut silent = found.clone();
        silent.suppressed = Some(Suppressed { kind: SuppressionKind::Inline, reason: Some(evil.to_owned()) });
        sample.findings.extend([found, lost]);
        sample.suppressed.push(silent);
        sample.clusters.push(ClusterSummary {
            root: format!("clusters/{evil}"),
            nodes: 1,
            unresolved: 0,
            flux_version: Some(evil.to_owned()),
            unresolved_details: Vec::new(),
        });
    }
    sample
}

#[test]
fn no_name_breaks_a_format() {
    let sample = sample();
    let (shown, silent) = (sample.findings.len(), sample.suppressed.len());
    assert_eq!(consumers::json(&sample.text(Format::Json)), shown + silent);
    assert_eq!(consumers::sarif(&sample.text(Format::Sarif)), shown + silent);
    assert_eq!(consumers::gitlab(&sample.text(Format::Gitlab)), shown);
    assert_eq!(consumers::junit(&sample.text(Format::Junit)), shown);
    assert_eq!(consumers::checkstyle(&sample.text(Format::Checkstyle)), shown);
    assert_eq!(consumers::rdjson(&sample.text(Format::Rdjson)), shown);
    assert_eq!(consumers::markdown(&sample.text(Format::Markdown)), shown);
    // Ten errors, ten warnings, and nine notices beside the one that counts the rest.
    assert_eq!(consumers::github(&sample.text(Format::Github)), 29);
}

#[test]
fn nothing_but_text_reaches_a_terminal() {
    let sample = sample();
    for format in Format::ALL {
        let out = sample.text(format);
        let bad = out.chars().find(|letter| letter.is_control() && *letter != '\n');
        assert_eq!(bad, None, "{format}");
        assert!(!out.contains(['\u{2028}', '\u{202e}', '\u{feff}']), "{format}");
    }
}

#[test]
fn programs_read_the_names_as_they_are() {
    let sample = sample();
    let of = |format| serde_json::from_str::<serde_json::Value>(&sample.text(format)).expect("JSON");
    let (sarif, gitlab, rdjson) = (of(Format::Sarif), of(Format::Gitlab), of(Format::Rdjson));
    let results = list(&sarif["runs"][0]["results"]);
    for (index, evil) in EVIL.iter().enumerate() {
        let path = format!("d{index}/{evil}.yaml");
        assert_eq!(list(&gitlab)[2 * index]["location"]["path"], path.as_str());
        assert_eq!(list(&gitlab)[2 * index]["description"], format!("missing-path: {evil}"));
        assert_eq!(list(&rdjson["diagnostics"])[2 * index]["location"]["path"], path.as_str());
        let uri = &results[2 * index]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(decoded(consumers::text(uri)), path);
        assert_eq!(results[2 * index]["properties"]["subject"], format!("Kustomization/flux-system/{evil}"));
    }
}

fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(&tail[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).expect("text")
}

#[test]
fn columns_count_what_the_format_counts() {
    let sample = sample();
    let of = |format| serde_json::from_str::<serde_json::Value>(&sample.text(format)).expect("JSON");
    // `😀 plain é: here`: the emoji is one character, two units of UTF-16, four bytes; the accent one, one and two.
    let region = &of(Format::Sarif)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startColumn"], &region["endColumn"]), (&13.into(), &17.into()));
    let range = &of(Format::Rdjson)["diagnostics"][0]["location"]["range"];
    assert_eq!((&range["start"]["column"], &range["end"]["column"]), (&16.into(), &20.into()));
    let github = sample.text(Format::Github);
    let first = consumers::command(github.lines().next().expect("a line")).expect("a command");
    assert_eq!((first.property("col"), first.property("endColumn")), (Some("12"), Some("16")));
}

#[test]
fn ranges_over_lines_have_no_columns_in_annotations() {
    let mut sample = Sample::new(&[("a.yaml".to_owned(), "a: 1\r\nb: 2\n".to_owned())]);
    sample.findings = vec![finding(Severity::Error, sample.at("a.yaml", "1\r\nb"), "x")];
    let github = sample.text(Format::Github);
    let command = consumers::command(github.trim_end()).expect("a command");
    assert_eq!((command.property("line"), command.property("endLine")), (Some("1"), Some("2")));
    assert_eq!((command.property("col"), command.property("endColumn")), (None, None));
    assert!(command.message.starts_with("a.yaml:1:4: missing-path: x"), "{}", command.message);
    // Code scanning gets the first of the lines, without its end.
    let sarif: serde_json::Value = serde_json::from_str(&sample.text(Format::Sarif)).expect("JSON");
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, serde_json::json!({"startLine": 1, "startColumn": 4, "endLine": 1, "endColumn": 5}));
}

#[test]
fn colours_are_for_people_only() {
    let sample = sample();
    let colourful = Terminal { color: true, unicode: false, width: 20, links: false };
    for format in Format::ALL {
        let same = sample.write(format, &colourful) == sample.text(format);
        assert_eq!(same, !matches!(format, Format::Full | Format::Concise), "{format}");
    }
}
