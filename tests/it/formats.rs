//! The output formats: what their readers make of them.
//!
//! `consumers` holds one reader for each format: an official schema, or a parser that follows the rules of the tool
//! that reads it. `limits` and `hostile` write reports that no repository here would yield; `runs` starts the program.

mod consumers;
mod hostile;
mod limits;
mod runs;
mod schema;

use fluxdag::{
    finding::{Confidence, Finding, Location, Related, Severity, Subject},
    report::{ClusterSummary, Format, Hidden, Report, Terminal},
    rules,
    source::{Span, Tree},
};

/// A report and what it is built from.
struct Sample {
    tree: Tree,
    clusters: Vec<ClusterSummary>,
    findings: Vec<Finding>,
    suppressed: Vec<Finding>,
}

impl Sample {
    fn new(files: &[(String, String)]) -> Self {
        let tree = Tree::from_memory(files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())));
        Self { tree, clusters: Vec::new(), findings: Vec::new(), suppressed: Vec::new() }
    }

    fn write(&self, format: Format, terminal: &Terminal) -> String {
        let rules = rules::enabled(&rules::Selection::default(), true);
        let report = Report {
            tree: &self.tree,
            repository: None,
            profile: "slow",
            clusters: &self.clusters,
            findings: &self.findings,
            suppressed: &self.suppressed,
            hidden: Hidden::default(),
            remark: None,
            unseen: &[],
            rules: &rules,
        };
        let mut out = Vec::new();
        report.write(format, terminal, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    fn text(&self, format: Format) -> String {
        self.write(format, &Terminal::PLAIN)
    }

    /// The first `needle` in a file.
    fn at(&self, path: &str, needle: &str) -> Span {
        let file = self.tree.file(path).expect("a file of the test");
        let start = self.tree.text(file).and_then(|text| text.find(needle)).expect("a text of the test");
        Span::new(file, start as u32, (start + needle.len()) as u32)
    }
}

fn subject(name: &str) -> Subject {
    Subject { kind: "Kustomization".to_owned(), namespace: Some("flux-system".to_owned()), name: name.to_owned() }
}

/// A finding of `missing-path`, complete but for its fingerprint.
fn finding(severity: Severity, at: impl Into<Location>, words: &str) -> Finding {
    let rule = rules::enabled(&rules::Selection::default(), true)
        .into_iter()
        .find(|rule| rule.id == "missing-path")
        .expect("a rule there is");
    let mut finding = Finding::new(rule, subject(words), Span::NONE, words.to_owned());
    finding.severity = severity;
    finding.confidence = Confidence::Medium;
    finding.location = at.into();
    finding.label = words.to_owned();
    finding.why = words.to_owned();
    finding.help = words.to_owned();
    finding.fingerprint = "0123456789abcdef".to_owned();
    finding
}

fn related(words: &str, at: Span) -> Related {
    Related::new(words, Some(subject("other")), at)
}
