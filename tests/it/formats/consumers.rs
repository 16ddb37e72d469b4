//! A reader for each format. Each gives how many findings it read, and panics where the text is not what the format says.

use std::{collections::BTreeSet, sync::LazyLock};

use fluxdag::report::Format;
use serde_json::Value;

static SARIF: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| validator(include_str!("../../schemas/sarif-2.1.0.json")));
static RDJSON: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator(include_str!("../../schemas/rdjson.json")));
static JSON: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| validator(include_str!("../../../schema/lint.schema.json")));

/// Gives how many findings there are in a text.
pub(super) type Reader = fn(&str) -> usize;

/// Every format that has a reader of its own.
pub(super) const READERS: [(Format, Reader); 8] = [
    (Format::Json, json),
    (Format::Sarif, sarif),
    (Format::Github, github),
    (Format::Gitlab, gitlab),
    (Format::Junit, junit),
    (Format::Checkstyle, checkstyle),
    (Format::Rdjson, rdjson),
    (Format::Markdown, markdown),
];

fn validator(schema: &str) -> jsonschema::Validator {
    // The official schema of SARIF has a pattern for `language` that is no regular expression: a `]` too many.
    let schema = &schema.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}?$");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn valid(text: &str, validator: &jsonschema::Validator) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:.200}"));
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).take(5).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    value
}

pub(super) fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("a list, not {value}"))
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

pub(super) fn json(out: &str) -> usize {
    list(&valid(out, &JSON)["findings"]).len()
}

/// The official schema, and what GitHub's code scanning asks for beyond it ("SARIF support for code scanning").
pub(super) fn sarif(out: &str) -> usize {
    let log = valid(out, &SARIF);
    let run = &log["runs"][0];
    let rules = list(&run["tool"]["driver"]["rules"]);
    for rule in rules {
        for key in ["shortDescription", "fullDescription"] {
            let length = text(&rule[key]["text"]).chars().count();
            assert!((1..=1024).contains(&length), "{}: {key} of {length}", rule["id"]);
        }
        assert!(!text(&rule["help"]["markdown"]).is_empty() && !text(&rule["help"]["text"]).is_empty());
        assert!(list(&rule["properties"]["tags"]).len() <= 20);
        assert!(["high", "medium", "low"].contains(&text(&rule["properties"]["precision"])));
        assert!(["error", "warning", "recommendation"].contains(&text(&rule["properties"]["problem.severity"])));
    }
    let results = list(&run["results"]);
    assert!(results.len() <= 25_000);
    for result in results {
        let at = result["ruleIndex"].as_u64().map(|index| &rules[index as usize]["id"]);
        assert!(rules.is_empty() || at == Some(&result["ruleId"]), "{}", result["ruleId"]);
        assert!(!text(&result["partialFingerprints"]["fluxdag/v1"]).is_empty());
        let related: &[Value] = result["relatedLocations"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(list(&result["locations"]).len() == 1 && related.len() <= 1000);
        let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array();
        let steps = steps.into_iter().flatten().map(|step| &step["location"]);
        for place in list(&result["locations"]).iter().chain(related).chain(steps) {
            physical(&place["physicalLocation"]);
        }
        assert_eq!(links(text(&result["message"]["text"])), (1..=related.len()).collect::<Vec<_>>());
        for (index, place) in related.iter().enumerate() {
            assert_eq!(place["id"], index + 1);
        }
    }
    results.len()
}

fn physical(place: &Value) {
    let uri = text(&place["artifactLocation"]["uri"]);
    assert!(!uri.is_empty() && !uri.starts_with(['/', '.']) || uri == ".", "{uri}");
    assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
    let of = |key: &str| place["region"][key].as_u64().unwrap_or_else(|| panic!("{key} in {place}"));
    assert_eq!(of("startLine"), of("endLine"));
    assert!(of("startColumn") >= 1 && of("endColumn") >= of("startColumn"), "{place}");
}

/// The numbers that the links of a message lead to (SARIF 3.11.6).
fn links(message: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.find("](") {
        let backslashes = rest[..at].len() - rest[..at].trim_end_matches('\\').len();
        let is_escaped = backslashes % 2 == 1;
        rest = &rest[at + 2..];
        let target = rest.split(')').next().unwrap_or_default();
        if !is_escaped {
            found.push(target.parse().unwrap_or_else(|_| panic!("a link to `{target}` in {message}")));
        }
    }
    found
}

/// What GitLab documents of its Code Quality report: unknown severities, double fingerprints and absolute paths are
/// dropped.
pub(super) fn gitlab(out: &str) -> usize {
    let items: Value = serde_json::from_str(out).expect("JSON");
    let mut fingerprints = BTreeSet::new();
    for item in list(&items) {
        let keys: Vec<&str> = item.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys.iter().copied().collect::<BTreeSet<_>>(),
            BTreeSet::from(["check_name", "description", "fingerprint", "location", "severity"])
        );
        let name = text(&item["check_name"]);
        assert!(text(&item["description"]).starts_with(&format!("{name}: ")), "{item}");
        assert!(fingerprints.insert(text(&item["fingerprint"])), "{item}");
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&text(&item["severity"])), "{item}");
        let path = text(&item["location"]["path"]);
        assert!(!path.is_empty() && !path.starts_with('/') && !path.starts_with("./"), "{path}");
        assert!(item["location"]["lines"]["begin"].as_u64().is_some_and(|line| line >= 1), "{item}");
    }
    list(&items).len()
}

/// nextest's reader of JUnit, and the counts that servers show.
pub(super) fn junit(out: &str) -> usize {
    roxmltree::Document::parse(out).unwrap_or_else(|error| panic!("{error}: {out:.400}"));
    let report = quick_junit::Report::deserialize_from_str(out).unwrap_or_else(|error| panic!("{error}: {out:.400}"));
    let mut cases = 0;
    let mut failed = 0;
    for suite in &report.test_suites {
        let of_suite = suite.test_cases.iter().filter(|case| is_failure(case)).count();
        assert_eq!((suite.tests, suite.failures), (suite.test_cases.len(), of_suite), "{}", suite.name.as_str());
        let names: BTreeSet<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), suite.test_cases.len(), "{}", suite.name.as_str());
        cases += suite.test_cases.len();
        failed += of_suite;
    }
    assert_eq!((report.tests, report.failures, report.errors), (cases, failed, 0));
    assert!(cases > 0, "a run without a case is taken as a fault");
    let clean =
        report.test_suites.iter().flat_map(|suite| &suite.test_cases).any(|case| case.name.as_str() == "no findings");
    if clean { cases - 1 } else { cases }
}

fn is_failure(case: &quick_junit::TestCase) -> bool {
    matches!(&case.status, quick_junit::TestCaseStatus::NonSuccess { kind: quick_junit::NonSuccessKind::Failure, .. })
}

pub(super) fn checkstyle(out: &str) -> usize {
    let document = roxmltree::Document::parse(out).unwrap_or_else(|error| panic!("{error}: {out:.400}"));
    let root = document.root_element();
    assert!(root.has_tag_name("checkstyle") && root.attribute("version").is_some());
    let mut errors = 0;
    for file in root.children().filter(roxmltree::Node::is_element) {
        assert!(file.has_tag_name("file") && file.attribute("name").is_some_and(|name| !name.is_empty()));
        for error in file.children().filter(roxmltree::Node::is_element) {
            assert!(error.has_tag_name("error"));
            let number = |name| error.attribute(name).and_then(|text| text.parse::<u32>().ok());
            assert!(number("line").is_some_and(|line| line > 0) && number("column").is_some_and(|column| column > 0));
            assert!(["error", "warning", "info"].contains(&error.attribute("severity").unwrap_or_default()));
            assert!(error.attribute("message").is_some_and(|text| !text.is_empty()));
            assert!(error.attribute("source").is_some_and(|text| text.starts_with("fluxdag.")));
            errors += 1;
        }
    }
    errors
}

pub(super) fn rdjson(out: &str) -> usize {
    let result = valid(out, &RDJSON);
    for diagnostic in list(&result["diagnostics"]) {
        let of = |end: &str| {
            let position = &diagnostic["location"]["range"][end];
            (position["line"].as_u64(), position["column"].as_u64())
        };
        assert!(of("start") <= of("end"), "{diagnostic}");
    }
    list(&result["diagnostics"]).len()
}

/// A workflow command as the runner of GitHub reads it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) properties: Vec<(String, String)>,
    pub(super) message: String,
}

impl Command {
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The rules of actions/runner, `Runner.Common/ActionCommand.cs`: leading space is dropped, the head ends at the next
/// `::`, properties are split at commas and at their first `=`, and percents are unescaped last.
pub(super) fn command(line: &str) -> Option<Command> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str, more: &[(&str, &str)]| {
        let mut text = text.replace("%0D", "\r").replace("%0A", "\n");
        for (escape, sign) in more {
            text = text.replace(escape, sign);
        }
        text.replace("%25", "%")
    };
    let properties = properties.trim().split(',').filter_map(|property| property.split_once('='));
    let properties =
        properties.map(|(key, value)| (key.to_owned(), unescape(value, &[("%3A", ":"), ("%2C", ",")]))).collect();
    Some(Command { name: name.to_owned(), properties, message: unescape(data, &[]) })
}

/// The findings of annotations; the notice at the end is none.
pub(super) fn github(out: &str) -> usize {
    let mut findings = 0;
    for line in out.lines() {
        let command = command(line).unwrap_or_else(|| panic!("no command: {line}"));
        assert!(["error", "warning", "notice"].contains(&command.name.as_str()), "{line}");
        let known = ["file", "line", "endLine", "col", "endColumn", "title"];
        assert!(command.properties.iter().all(|(key, _)| known.contains(&key.as_str())), "{line}");
        if let (Some(file), Some(at), Some(column)) =
            (command.property("file"), command.property("line"), command.property("col"))
        {
            assert!(command.message.starts_with(&format!("{file}:{at}:{column}: ")), "{line}");
            assert_eq!(command.property("endLine"), Some(at), "columns need one line: {line}");
        }
        findings += usize::from(command.property("title") != Some("fluxdag"));
    }
    findings
}

/// A CommonMark parser: nothing from a repository may be a link, an image, HTML or a heading of its own. A heading of
/// the fourth level is a finding.
pub(super) fn markdown(out: &str) -> usize {
    use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};
    assert!(out.encode_utf16().count() <= 65_536);
    let mut findings = 0;
    let mut words = String::new();
    for event in Parser::new_ext(out, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H4, .. }) => findings += 1,
            Event::Start(
                tag @ (Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::CodeBlock(_)
                | Tag::BlockQuote(_)
                | Tag::Strikethrough
                | Tag::Emphasis),
            ) => panic!("{tag:?} in {out}"),
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML {html} in {out}"),
            Event::Text(text) => words.push_str(&text),
            // Code is left alone by those who look for mentions.
            Event::Code(_) => words.push('`'),
            _ => words.push('\n'),
        }
    }
    let is_name = |letter: char| letter.is_alphanumeric();
    let mut letters = words.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        assert!(!("@#!".contains(letter) && is_name(next)), "`{letter}{next}` would be a reference in {words}");
    }
    findings
}
