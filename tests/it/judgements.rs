//! What a default run says about real repositories, each finding judged by a person in `tests/judgements.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use fluxdag::{
    Error, Options,
    finding::{Confidence, Severity},
    lint,
};
use serde::Deserialize;

use crate::support::{corpus, repositories};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judgements.toml");

/// One finding in this many may be false.
const FALSE_ONE_IN: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgements {
    #[serde(default)]
    judgement: Vec<Judgement>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    repository: String,
    rule: String,
    /// The one finding, or, where there is none, all that no other entry names.
    fingerprint: Option<String>,
    subject: Option<String>,
    count: Option<usize>,
    verdict: String,
    reason: String,
}

/// A finding that a default run shows.
#[derive(Debug, Clone)]
struct Found {
    repository: String,
    rule: String,
    fingerprint: String,
    subject: String,
    message: String,
    is_error: bool,
}

/// What came of comparing findings with judgements.
#[derive(Debug, Default)]
struct Outcome {
    problems: Vec<String>,
    /// Findings that no entry speaks of.
    unjudged: Vec<Found>,
    /// Rule and verdict, and how many findings.
    totals: BTreeMap<(String, String), usize>,
}

impl Outcome {
    fn of(found: &[Found], judgements: &[Judgement]) -> Self {
        let mut outcome = Self::default();
        outcome.problems.extend(judgements.iter().filter_map(malformed));
        if !judgements.is_sorted_by_key(key) {
            outcome.problems.push("the entries are not sorted by repository, rule and fingerprint".to_owned());
        }
        let twice = judgements.windows(2).filter(|pair| key(&pair[0]) == key(&pair[1]));
        outcome.problems.extend(twice.map(|pair| format!("judged twice: {}", name(&pair[0]))));

        let one_of: BTreeMap<_, &Judgement> = judgements.iter().map(|entry| (key(entry), entry)).collect();
        let mut met: BTreeMap<&Judgement, usize> = BTreeMap::new();
        for finding in found {
            let single = (finding.repository.as_str(), finding.rule.as_str(), Some(finding.fingerprint.as_str()));
            let Some(entry) = one_of.get(&single).or_else(|| one_of.get(&(single.0, single.1, None))) else {
                outcome.problems.push(format!("not judged: {}", show(finding)));
                outcome.unjudged.push(finding.clone());
                continue;
            };
            *met.entry(*entry).or_default() += 1;
            *outcome.totals.entry((finding.rule.clone(), entry.verdict.clone())).or_default() += 1;
            if entry.subject.as_ref().is_some_and(|subject| *subject != finding.subject) {
                outcome.problems.push(format!("{} is about {}", name(entry), finding.subject));
            }
            if entry.verdict == "false" && finding.is_error {
                outcome.problems.push(format!("false, and of severity error: {}", show(finding)));
            }
        }
        for entry in judgements {
            let (met, wanted) = (met.get(entry).copied().unwrap_or_default(), entry.count.unwrap_or(1));
            if met == 0 {
                outcome.problems.push(format!("not found any more: {}", name(entry)));
            } else if met != wanted {
                outcome.problems.push(format!("{}: {met} findings, {wanted} are judged", name(entry)));
            }
        }
        if outcome.of_verdict("false") * FALSE_ONE_IN > outcome.total() {
            outcome.problems.push(format!("more than 1 in {FALSE_ONE_IN} is false"));
        }
        outcome
    }

    fn of_verdict(&self, verdict: &str) -> usize {
        self.totals.iter().filter(|((_, other), _)| other == verdict).map(|(_, count)| count).sum()
    }

    fn total(&self) -> usize {
        self.totals.values().sum()
    }

    /// The totals, as a table.
    fn summary(&self) -> String {
        let rules: BTreeSet<&str> = self.totals.keys().map(|(rule, _)| rule.as_str()).collect();
        let count = |rule: &str, verdict: &str| {
            self.totals.get(&(rule.to_owned(), verdict.to_owned())).copied().unwrap_or_default()
        };
        let mut lines = vec![format!("{:<28} {:>6} {:>9} {:>6}", "rule", "true", "intended", "false")];
        for rule in rules {
            let [is, meant, not] = ["true", "intended", "false"].map(|verdict| count(rule, verdict));
            lines.push(format!("{rule:<28} {is:>6} {meant:>9} {not:>6}"));
        }
        lines.push(format!("{} of {} findings are false", self.of_verdict("false"), self.total()));
        lines.join("\n")
    }
}

fn key(entry: &Judgement) -> (&str, &str, Option<&str>) {
    (&entry.repository, &entry.rule, entry.fingerprint.as_deref())
}

fn name(entry: &Judgement) -> String {
    let which = entry.fingerprint.as_deref().unwrap_or("the group");
    format!("{} {} {which} {}", entry.repository, entry.rule, entry.subject.as_deref().unwrap_or_default())
}

fn show(finding: &Found) -> String {
    format!("{} {} {} {}", finding.repository, finding.rule, finding.fingerprint, finding.message)
}

fn malformed(entry: &Judgement) -> Option<String> {
    let what = match entry {
        Judgement { verdict, .. } if verdict == "?" => "has no verdict yet",
        Judgement { verdict, .. } if !["true", "intended", "false"].contains(&verdict.as_str()) => {
            "has an unknown verdict"
        }
        Judgement { reason, .. } if reason.trim().is_empty() => "gives no reason",
        Judgement { fingerprint: Some(_), count: Some(_), .. } => "has a fingerprint and a count",
        Judgement { fingerprint: None, count: None, .. } => "has neither fingerprint nor count",
        _ => return None,
    };
    Some(format!("{} {what}", name(entry)))
}

/// What a default run shows for every repository.
fn found(corpus: &std::path::Path) -> Vec<Found> {
    let mut all = Vec::new();
    for (repository, path) in repositories(corpus) {
        let analysis = match lint(&[path], &Options::default()) {
            Ok(analysis) => analysis,
            Err(Error::NoFluxObjects { .. }) => continue,
            Err(error) => panic!("{repository}: {error}"),
        };
        let shown = analysis.findings.into_iter().filter(|finding| {
            let is_high = finding.severity >= Severity::Warning && finding.confidence >= Confidence::Medium;
            is_high && finding.suppressed.is_none()
        });
        all.extend(shown.map(|finding| Found {
            repository: repository.clone(),
            rule: finding.rule.to_owned(),
            subject: finding.subject.to_string(),
            is_error: finding.severity == Severity::Error,
            fingerprint: finding.fingerprint,
            message: finding.message,
        }));
    }
    all
}

/// The file with all of `entries`, sorted, behind the comment that it begins with.
fn written(old: &str, mut entries: Vec<Judgement>) -> String {
    entries.sort_by(|left, right| key(left).cmp(&key(right)));
    let mut text: String = old.lines().take_while(|line| line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    for entry in entries {
        let mut field = |name: &str, value: Option<String>| {
            text.extend(value.into_iter().map(|value| format!("{name} = {value}\n")));
        };
        // A string of JSON is one of TOML.
        let quoted = |value: &str| serde_json::Value::from(value).to_string();
        field("\n[[judgement]]\nrepository", Some(quoted(&entry.repository)));
        field("rule", Some(quoted(&entry.rule)));
        field("fingerprint", entry.fingerprint.as_deref().map(quoted));
        field("subject", entry.subject.as_deref().map(quoted));
        field("count", entry.count.map(|count| count.to_string()));
        field("verdict", Some(quoted(&entry.verdict)));
        field("reason", Some(quoted(&entry.reason)));
    }
    text
}

#[test]
fn every_finding_in_real_repositories_is_judged() {
    let Some(corpus) = corpus() else { return };
    let text = fs::read_to_string(FILE).unwrap();
    let Judgements { judgement: judgements } = toml::from_str(&text).unwrap();
    let outcome = Outcome::of(&found(&corpus), &judgements);
    println!("{}", outcome.summary());
    if std::env::var_os("UPDATE").is_some() {
        let unjudged = outcome.unjudged.iter().map(|finding| Judgement {
            repository: finding.repository.clone(),
            rule: finding.rule.clone(),
            fingerprint: Some(finding.fingerprint.clone()),
            subject: Some(finding.subject.clone()),
            count: None,
            verdict: "?".to_owned(),
            reason: finding.message.clone(),
        });
        let all = judgements.iter().cloned().chain(unjudged).collect();
        fs::write(FILE, written(&text, all)).unwrap();
    }
    assert!(outcome.problems.is_empty(), "{}\n{}", outcome.problems.join("\n"), outcome.summary());
}

fn sample(fingerprint: &str, is_error: bool) -> Found {
    let text = str::to_owned;
    Found {
        repository: text("repo"),
        rule: text("rule"),
        fingerprint: text(fingerprint),
        subject: text("Kind/name"),
        message: text("something"),
        is_error,
    }
}

fn verdict(fingerprint: Option<&str>, count: Option<usize>, verdict: &str) -> Judgement {
    Judgement {
        repository: "repo".to_owned(),
        rule: "rule".to_owned(),
        fingerprint: fingerprint.map(str::to_owned),
        subject: fingerprint.map(|_| "Kind/name".to_owned()),
        count,
        verdict: verdict.to_owned(),
        reason: "it is so".to_owned(),
    }
}

#[test]
fn what_is_judged_passes() {
    let mut found: Vec<Found> = (0..19).map(|_| sample("x", true)).collect();
    found.push(sample("a", false));
    let outcome = Outcome::of(&found, &[verdict(None, Some(19), "true"), verdict(Some("a"), None, "false")]);
    assert_eq!(outcome.problems, [""; 0]);
    assert!(outcome.summary().ends_with("1 of 20 findings are false"), "{}", outcome.summary());
}

#[test]
fn each_check_of_judgements_can_fail() {
    let problems = |found: &[Found], judgements: &[Judgement]| Outcome::of(found, judgements).problems;
    let one = [sample("a", false)];
    let yes = verdict(Some("a"), None, "true");
    let unjudged = Outcome::of(&one, &[]);
    assert_eq!((unjudged.problems, unjudged.unjudged.len()), (vec!["not judged: repo rule a something".to_owned()], 1));
    assert_eq!(problems(&[], std::slice::from_ref(&yes)), ["not found any more: repo rule a Kind/name"]);
    assert_eq!(problems(&one, &[yes.clone(), yes.clone()]), ["judged twice: repo rule a Kind/name"]);
    let two = [sample("a", false), sample("b", false)];
    assert_eq!(problems(&two, &[verdict(None, Some(3), "true")]), ["repo rule the group : 2 findings, 3 are judged"]);
    let unsorted = [verdict(Some("b"), None, "true"), yes.clone()];
    assert_eq!(problems(&two, &unsorted), ["the entries are not sorted by repository, rule and fingerprint"]);
    let other = Judgement { subject: Some("Kind/other".to_owned()), ..yes.clone() };
    assert_eq!(problems(&one, &[other]), ["repo rule a Kind/other is about Kind/name"]);
    assert_eq!(problems(&one, &[verdict(Some("a"), None, "false")]), ["more than 1 in 20 is false"]);
    let errors: Vec<Found> = (0..20).map(|index| sample(if index == 0 { "a" } else { "b" }, true)).collect();
    let said = problems(&errors, &[verdict(None, Some(19), "true"), verdict(Some("a"), None, "false")]);
    assert_eq!(said, ["false, and of severity error: repo rule a something"]);
    for (entry, what) in [
        (verdict(Some("a"), None, "?"), "has no verdict yet"),
        (verdict(Some("a"), None, "maybe"), "has an unknown verdict"),
        (verdict(Some("a"), Some(1), "true"), "has a fingerprint and a count"),
        (verdict(None, None, "true"), "has neither fingerprint nor count"),
        (Judgement { reason: " ".to_owned(), ..yes }, "gives no reason"),
    ] {
        let said = problems(&one, &[entry]);
        assert!(said.len() == 1 && said[0].ends_with(what), "{said:?}");
    }
}

#[test]
fn an_update_keeps_what_is_judged_and_sorts() {
    let old = "# head\n# of it\n\n[[judgement]]\n";
    let entries = vec![
        verdict(Some("b"), None, "true"),
        Judgement { reason: "\"x\" \\ y".to_owned(), ..verdict(None, Some(2), "?") },
    ];
    let text = written(old, entries.clone());
    assert!(text.starts_with("# head\n# of it\n\n[[judgement]]\nrepository"), "{text}");
    let read: Judgements = toml::from_str(&text).unwrap();
    assert_eq!(read.judgement, [entries[1].clone(), entries[0].clone()]);
}
