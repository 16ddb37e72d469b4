//! What was found before and is known: a file of fingerprints, so that only what is new fails a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Finding, Suppressed, SuppressionKind};

/// Raised when older releases would misread the file.
const VERSION: u32 = 1;

/// Findings that are known, each fingerprint once, sorted by rule, subject and fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    known: Vec<Known>,
}

/// A finding that is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its rule. Like the rest but the fingerprint and the count, this is for people.
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// By what it is recognized.
    pub fingerprint: String,
    /// How many findings there are of that fingerprint.
    pub count: usize,
    /// What it said.
    pub message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<Known>,
}

/// What is wrong with the text of a baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct BaselineError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Baseline {
    /// What `findings` are, all of them known from now on.
    #[must_use]
    pub fn from_findings<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let known = findings.into_iter().map(|finding| Known {
            rule: finding.rule.to_owned(),
            subject: finding.subject.to_string(),
            fingerprint: finding.fingerprint.clone(),
            count: 1,
            message: finding.message.clone(),
        });
        Self::new(known)
    }

    fn new(entries: impl IntoIterator<Item = Known>) -> Self {
        let mut by_fingerprint: BTreeMap<String, Known> = BTreeMap::new();
        for entry in entries {
            match by_fingerprint.get_mut(&entry.fingerprint) {
                Some(known) => known.count = known.count.saturating_add(entry.count),
                None => {
                    by_fingerprint.insert(entry.fingerprint.clone(), entry);
                }
            }
        }
        let mut known: Vec<Known> = by_fingerprint.into_values().filter(|entry| entry.count > 0).collect();
        known.sort_unstable();
        Self { known }
    }

    /// Whether `text` is a baseline, of whatever version.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        #[derive(Deserialize)]
        struct Any {
            #[serde(rename = "version")]
            _version: u32,
            #[serde(rename = "findings")]
            _findings: Vec<serde_json::Map<String, serde_json::Value>>,
        }
        serde_json::from_str::<Any>(text).is_ok()
    }

    /// Reads the text of a baseline.
    ///
    /// # Errors
    /// Where it is none, or one of another version; with the place.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        // A file of a later release may look different: then its version is what is wrong with it.
        if let Ok(Head { version }) = serde_json::from_str::<Head>(text)
            && version != VERSION
        {
            let before = text.find("\"version\"").map_or("", |at| &text[..at]);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let message = format!("version {version} of this file is not known; this release reads version {VERSION}");
            return Err(BaselineError { line, column, message });
        }
        let file: File = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
            BaselineError { line: error.line().max(1), column: error.column().max(1), message }
        })?;
        Ok(Self::new(file.findings))
    }

    /// The text of the file.
    ///
    /// # Errors
    /// None that could be reported: text of any kind is JSON.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let file = File { version: VERSION, findings: self.known.clone() };
        serde_json::to_string_pretty(&file).map(|text| text + "\n")
    }

    /// Its entries.
    #[must_use]
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// Marks the findings that are known and that nothing else silences. Gives the entries that there is no finding for any
    /// more, with how many less there are, of those that `is_judged` says would have been found.
    pub fn mark(&self, findings: &mut [Finding], is_judged: &dyn Fn(&Known) -> bool) -> Vec<Known> {
        let mut left: BTreeMap<&str, usize> =
            self.known.iter().map(|entry| (entry.fingerprint.as_str(), entry.count)).collect();
        let silenced = |finding: &Finding| finding.suppressed.as_ref().map(|suppressed| suppressed.kind);
        // What was there in a former revision too is no less there for that.
        let is_there = |finding: &Finding| matches!(silenced(finding), None | Some(SuppressionKind::Known));
        for finding in findings.iter_mut().filter(|finding| is_there(finding)) {
            if let Some(count) = left.get_mut(finding.fingerprint.as_str()).filter(|count| **count > 0) {
                *count -= 1;
                let kind = SuppressionKind::Baseline;
                finding.suppressed.get_or_insert(Suppressed { kind, reason: None });
            }
        }
        let gone = self.known.iter().filter(|entry| is_judged(entry)).map(|entry| Known {
            count: left.get(entry.fingerprint.as_str()).copied().unwrap_or_default(),
            ..entry.clone()
        });
        gone.filter(|entry| entry.count > 0).collect()
    }

    /// It without the entries that are `gone`.
    #[must_use]
    pub fn without(&self, gone: &[Known]) -> Self {
        let gone: BTreeMap<&str, usize> = gone.iter().map(|entry| (entry.fingerprint.as_str(), entry.count)).collect();
        let left = |entry: &Known| {
            let less = gone.get(entry.fingerprint.as_str()).copied().unwrap_or_default();
            Known { count: entry.count.saturating_sub(less), ..entry.clone() }
        };
        Self::new(self.known.iter().map(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{RuleInfo, Subject},
        source::Span,
    };

    fn finding(fingerprint: &str, name: &str) -> Finding {
        let found = Finding::new(&RuleInfo::SAMPLE, Subject::file(name), Span::NONE, format!("{name} is \"wrong\""));
        Finding { fingerprint: fingerprint.to_owned(), ..found }
    }

    #[test]
    fn what_is_written_is_read_and_sorted() {
        let baseline = Baseline::from_findings(&[finding("b", "z"), finding("a", "y"), finding("b", "z")]);
        let counts: Vec<_> = baseline.known().iter().map(|entry| (entry.fingerprint.as_str(), entry.count)).collect();
        assert_eq!(counts, [("a", 1), ("b", 2)]);
        let text = baseline.text().expect("text");
        assert_eq!(Baseline::parse(&text), Ok(baseline));
        assert!(text.contains("\"version\": 1") && text.ends_with("}\n"), "{text}");
    }

    #[test]
    fn what_is_known_is_marked_as_often_as_it_was_there() {
        let baseline = Baseline::from_findings(&[finding("a", "y"), finding("gone", "x")]);
        let mut now = [finding("a", "y"), finding("a", "y"), finding("new", "n")];
        let gone = baseline.mark(&mut now, &|_| true);
        let kinds = now.map(|finding| finding.suppressed.map(|it| it.kind));
        assert_eq!(kinds, [Some(SuppressionKind::Baseline), None, None]);
        assert_eq!(gone.iter().map(|entry| entry.fingerprint.as_str()).collect::<Vec<_>>(), ["gone"]);
        assert_eq!(baseline.without(&gone), Baseline::from_findings(&[finding("a", "y")]));
        assert_eq!(baseline.mark(&mut [], &|entry| entry.rule == "other"), []);
    }

    #[test]
    fn what_a_comment_silences_is_not_needed_any_more() {
        let mut now = [finding("a", "y")];
        now[0].suppressed = Some(Suppressed { kind: SuppressionKind::Inline, reason: None });
        assert_eq!(Baseline::from_findings(&[finding("a", "y")]).mark(&mut now, &|_| true).len(), 1);
        assert_eq!(now[0].suppressed.as_ref().map(|it| it.kind), Some(SuppressionKind::Inline));
    }

    #[test]
    fn what_was_there_in_a_former_revision_is_not_gone() {
        let known = Some(Suppressed { kind: SuppressionKind::Known, reason: None });
        let mut now = [Finding { suppressed: known, ..finding("a", "y") }, finding("a", "y")];
        assert_eq!(Baseline::from_findings(&[finding("a", "y")]).mark(&mut now, &|_| true), []);
        let kinds = now.map(|finding| finding.suppressed.map(|it| it.kind));
        assert_eq!(kinds, [Some(SuppressionKind::Known), None], "one of the two is new");
    }

    #[test]
    fn what_is_no_baseline_is_an_error_with_its_place() {
        let fault = |text: &str| Baseline::parse(text).expect_err("wrong").to_string();
        assert_eq!(
            fault("{\n  \"version\": 2, \"findings\": 3}"),
            "2:3: version 2 of this file is not known; this release reads version 1"
        );
        assert!(fault("[]").starts_with("1:"), "{}", fault("[]"));
        assert!(fault("").starts_with("1:1: EOF"), "{}", fault(""));
        let unknown = fault("{\"version\": 1,\n \"finding\": []}");
        assert!(unknown.starts_with("2:") && unknown.contains("unknown field `finding`"), "{unknown}");
    }
}
