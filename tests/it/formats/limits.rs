//! What readers take at most, and findings without a place.

use fluxdag::{
    finding::{Location, Severity},
    report::Format,
    source::Span,
};

use super::{Sample, consumers, finding, related};

fn numbered(severities: &[(Severity, usize)]) -> Sample {
    let mut sample = Sample::new(&[("clusters/a/x.yaml".to_owned(), "a: 1\n".to_owned())]);
    let at = sample.at("clusters/a/x.yaml", "1");
    for (severity, count) in severities {
        for number in 0..*count {
            sample.findings.push(finding(*severity, at, &format!("{severity} {number}")));
        }
    }
    sample
}

#[test]
fn annotations_are_ten_of_a_level_worst_first() {
    use Severity::{Error, Info, Warning};
    let few = numbered(&[(Info, 10), (Warning, 10), (Error, 10)]).text(Format::Github);
    assert_eq!((consumers::github(&few), few.lines().count()), (30, 30));

    let many = numbered(&[(Info, 10), (Warning, 11), (Error, 12)]).text(Format::Github);
    let commands: Vec<_> = many.lines().filter_map(consumers::command).collect();
    let names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
    assert_eq!(names, [["error"; 10], ["warning"; 10], ["notice"; 10]].concat());
    assert!(commands[0].message.contains("error 0") && commands[9].message.contains("error 9"));
    let last = &commands[29].message;
    assert!(last.starts_with("4 more findings not annotated (2 errors, 1 warning, 1 info): "), "{last}");
}

#[test]
fn code_scanning_gets_as_many_results_as_it_takes() {
    let mut sample = numbered(&[(Severity::Warning, 3), (Severity::Error, 24_999)]);
    sample.suppressed = vec![sample.findings[0].clone()];
    let out = sample.text(Format::Sarif);
    assert_eq!(consumers::sarif(&out), 25_000);
    let log: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let run = &log["runs"][0];
    // The order stays, the least severe go.
    assert_eq!((&run["results"][0]["level"], &run["results"][1]["level"]), (&"warning".into(), &"error".into()));
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(consumers::text(note).starts_with("3 results left out"), "{note}");
}

#[test]
fn a_finding_may_have_many_places() {
    let mut sample = numbered(&[(Severity::Error, 1)]);
    let at = sample.at("clusters/a/x.yaml", "a");
    sample.findings[0].related = vec![related("there", at); 5_000];
    let sarif: serde_json::Value = serde_json::from_str(&sample.text(Format::Sarif)).expect("JSON");
    assert_eq!(consumers::sarif(&sample.text(Format::Sarif)), 1);
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(consumers::list(&result["relatedLocations"]).len(), 100);
    assert_eq!(consumers::list(&result["codeFlows"][0]["threadFlows"][0]["locations"]).len(), 1_000);
    assert!(consumers::text(&result["message"]["text"]).contains("4900 more places not listed"));
    for format in [Format::Github, Format::Junit, Format::Markdown] {
        let out = sample.text(format);
        assert!(out.contains("4988 more places not listed") && out.len() < 10_000, "{format}");
    }
}

#[test]
fn annotations_keep_their_help() {
    let mut sample = numbered(&[(Severity::Error, 1)]);
    let at = sample.at("clusters/a/x.yaml", "a");
    sample.findings[0].related = vec![related(&"long ".repeat(150), at); 8];
    sample.findings[0].help = "this is the help".to_owned();
    let command = consumers::command(sample.text(Format::Github).trim_end()).expect("a command");
    assert!(command.message.chars().count() <= 4_096, "{}", command.message.len());
    assert!(command.message.ends_with("\nand 4 more places not listed\nwhy: error 0\nhelp: this is the help"));
}

#[test]
fn a_comment_leaves_out_whole_findings() {
    let mut sample = numbered(&[(Severity::Warning, 900), (Severity::Error, 3)]);
    // One that fits in no comment keeps the others from nothing.
    sample.findings[901].why = "😀".repeat(40_000);
    let out = sample.text(Format::Markdown);
    let shown = consumers::markdown(&out);
    assert!((100..902).contains(&shown), "{shown}");
    let left_out = format!("\n{} more findings not shown here (1 error, {} warnings), ", 903 - shown, 902 - shown);
    assert!(out.contains(&left_out), "{}", &out[out.len() - 200..]);
    assert!(out.contains("| error | `missing-path` | 3 |\n| warning | `missing-path` | 900 |\n"));
    assert!(out.find("error 2").expect("shown") < out.find("warning 0").expect("shown"));
    assert_eq!(out, sample.text(Format::Markdown));
}

#[test]
fn what_no_file_holds_is_told_all_the_same() {
    let files = ["apps/a.yaml", "clusters/a/x.yaml", "clusters/b/x.yaml", "clusters/b/y.txt"];
    let mut sample = Sample::new(&files.map(|path| (path.to_owned(), "a: 1\n".to_owned())));
    let lost = |cluster: &str| {
        let mut lost = finding(Severity::Error, Location::Nowhere("made by a ResourceSet".to_owned()), "lost");
        lost.clusters = vec![cluster.to_owned()];
        lost
    };
    let mut with_related = lost("clusters/a");
    with_related.related = vec![related("x", Span::NONE), related("made here", sample.at("clusters/b/x.yaml", "1"))];
    sample.findings = vec![lost("clusters/b"), lost("elsewhere"), with_related];
    let expected = ["clusters/b/x.yaml", "apps/a.yaml", "clusters/b/x.yaml"];

    let gitlab: serde_json::Value = serde_json::from_str(&sample.text(Format::Gitlab)).expect("JSON");
    let sarif: serde_json::Value = serde_json::from_str(&sample.text(Format::Sarif)).expect("JSON");
    let rdjson: serde_json::Value = serde_json::from_str(&sample.text(Format::Rdjson)).expect("JSON");
    for (index, path) in expected.into_iter().enumerate() {
        assert_eq!(gitlab[index]["location"]["path"], path);
        let result = &sarif["runs"][0]["results"][index];
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], path);
        assert!(consumers::text(&result["message"]["text"]).contains("made by a ResourceSet"));
        assert_eq!(rdjson["diagnostics"][index]["location"]["path"], path);
    }
    assert_eq!(consumers::junit(&sample.text(Format::Junit)), 3);
    assert_eq!(consumers::checkstyle(&sample.text(Format::Checkstyle)), 3);
    let github = sample.text(Format::Github);
    let commands: Vec<_> = github.lines().filter_map(consumers::command).collect();
    assert!(commands.iter().all(|command| command.property("file").is_none()), "{github}");
    assert!(commands[0].message.starts_with("(no file): missing-path: lost\n"), "{github}");
}

#[test]
fn a_clean_run_says_so_in_every_format() {
    let sample = numbered(&[]);
    for (format, read) in consumers::READERS {
        assert_eq!(read(&sample.text(format)), 0, "{format}");
    }
    assert_eq!(sample.text(Format::Gitlab), "[]\n");
    assert_eq!(sample.text(Format::Github), "");
    let junit = quick_junit::Report::deserialize_from_str(&sample.text(Format::Junit)).expect("JUnit");
    let cases: Vec<_> = junit.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    assert!(matches!(cases[..], [case] if matches!(case.status, quick_junit::TestCaseStatus::Success { .. })));
}

#[test]
fn advice_fails_no_case() {
    use quick_junit::TestCaseStatus::{NonSuccess, Success};
    let sample = numbered(&[(Severity::Error, 1), (Severity::Warning, 1), (Severity::Info, 1)]);
    let junit = quick_junit::Report::deserialize_from_str(&sample.text(Format::Junit)).expect("JUnit");
    let cases: Vec<_> = junit.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    assert!(cases.iter().all(|case| case.name.as_str().starts_with("missing-path ")));
    let kinds: Vec<Option<&str>> = cases
        .iter()
        .map(|case| match &case.status {
            NonSuccess { ty, .. } => ty.as_ref().map(|ty| ty.as_str()),
            Success { .. } | quick_junit::TestCaseStatus::Skipped { .. } => None,
        })
        .collect();
    assert_eq!(kinds, [Some("error"), Some("warning"), None]);
    let property = &cases[2].properties[0];
    assert_eq!((property.name.as_str(), property.value.as_str()), ("info", "info 0"));
}

#[test]
fn levels_are_those_of_the_table() {
    let page = include_str!("../../../docs/formats.md");
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let row = page.lines().find(|line| line.starts_with(&format!("| {severity} |"))).expect("a row");
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let sample = numbered(&[(severity, 1)]);
        let of = |format| serde_json::from_str::<serde_json::Value>(&sample.text(format)).expect("JSON");
        assert_eq!(of(Format::Sarif)["runs"][0]["results"][0]["level"], cells[1]);
        assert!(sample.text(Format::Github).starts_with(&format!("::{} ", cells[2])));
        assert_eq!(of(Format::Gitlab)[0]["severity"], cells[3]);
        assert_eq!(sample.text(Format::Junit).contains("<failure "), cells[4] == "failure");
        assert_eq!(of(Format::Rdjson)["diagnostics"][0]["severity"], cells[5]);
        assert!(sample.text(Format::Checkstyle).contains(&format!("severity=\"{}\"", cells[6])));
    }
}

#[test]
fn double_fingerprints_are_told_apart() {
    // All findings of these samples have the same.
    let sample = numbered(&[(Severity::Error, 3)]);
    let gitlab: serde_json::Value = serde_json::from_str(&sample.text(Format::Gitlab)).expect("JSON");
    let prints: Vec<&str> = consumers::list(&gitlab).iter().map(|item| consumers::text(&item["fingerprint"])).collect();
    assert_eq!(prints, ["0123456789abcdef", "0123456789abcdef-2", "0123456789abcdef-3"]);
}
