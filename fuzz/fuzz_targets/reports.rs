//! Every format of findings: what is written for programs reads back, and nothing in it acts on a terminal or a CI server.
#![no_main]

use fluxdag::{
    lint,
    report::{Filter, Format, Report, Terminal},
    rules,
};
use fluxdag_fuzz::{Repository, options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|repository: Repository| {
    let options = options(repository.files());
    let Ok(analysis) = lint(&[], &options) else { return };
    let (findings, hidden) = Filter::default().apply(analysis.findings);
    let rules = rules::enabled(&options.selection, options.pedantic);
    let report = Report {
        tree: &analysis.tree,
        repository: None,
        profile: options.profile.name(),
        clusters: &analysis.clusters,
        findings: &findings,
        all: true,
        suppressed: &[],
        hidden,
        remark: analysis.remark.as_deref(),
        unseen: &analysis.unseen,
        rules: &rules,
    };
    for format in Format::ALL {
        let mut out = Vec::new();
        report.write(format, &Terminal::PLAIN, &mut out).expect("memory takes all");
        let text = String::from_utf8(out).expect("text");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{format}: {text}");
        assert!(!text.contains("##["), "{format}: {text}");
        match format {
            Format::Json | Format::Sarif | Format::Gitlab => {
                serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
            }
            Format::Rdjson => {
                for line in text.lines().filter(|_| !text.starts_with('{')) {
                    serde_json::from_str::<serde_json::Value>(line).expect("JSON");
                }
            }
            Format::Junit | Format::Checkstyle => {
                let mut reader = quick_xml::Reader::from_str(&text);
                loop {
                    if let quick_xml::events::Event::Eof = reader.read_event().expect("XML") {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
});
