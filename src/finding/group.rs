//! Findings that have one cause are one to the reader: the first is shown, and the others are counted.

use std::collections::BTreeMap;

use super::{Finding, Related, Severity};
use crate::source::Span;

/// So many findings of one cause are each shown. Where there are more, the first stands for all.
const FEW: usize = 3;

/// Places of the others that the first one names.
const NAMED: usize = 3;

/// What findings of one rule and severity have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Common {
    /// The place: clusters that share a base have it each.
    Place(Span),
    /// What the rule says is behind them.
    Cause(String),
    /// The object.
    Subject(String),
}

type Key = (&'static str, Severity, Common);

/// Gives all findings of one cause the same [`Finding::group`]: the fingerprint of the first of them. A single one, and a few, have
/// none. `findings` are all of one run, in the order in which they are shown, and have their fingerprints.
pub fn group(findings: &mut [Finding]) {
    let mut at_place: BTreeMap<(&str, Severity, Span), usize> = BTreeMap::new();
    for finding in findings.iter() {
        if let Some(span) = place(finding) {
            *at_place.entry((finding.rule, finding.severity, span)).or_default() += 1;
        }
    }
    let common = |finding: &Finding| match place(finding) {
        Some(span) if at_place[&(finding.rule, finding.severity, span)] > 1 => Common::Place(span),
        // Objects of one name in two clusters are two.
        _ if finding.cause.is_empty() => Common::Subject(format!("{} {}", finding.subject, finding.clusters.join(" "))),
        _ => Common::Cause(finding.cause.clone()),
    };
    let keys: Vec<Key> = findings.iter().map(|finding| (finding.rule, finding.severity, common(finding))).collect();
    let mut groups: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        groups.entry(key).or_default().push(index);
    }
    for (key, members) in groups {
        let least = if matches!(key.2, Common::Place(_)) { 1 } else { FEW };
        if members.len() > least {
            let name = findings[members[0]].fingerprint.clone();
            members.into_iter().for_each(|index| findings[index].group.clone_from(&name));
        }
    }
}

fn place(finding: &Finding) -> Option<Span> {
    finding.location.span().filter(|span| span.is_some())
}

/// The findings to read: of each group the first, which counts the others and names some of their places.
#[must_use]
pub fn condensed(findings: &[Finding]) -> Vec<Finding> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others: Vec<Vec<&Finding>> = Vec::new();
    let mut shown: Vec<&Finding> = Vec::new();
    for finding in findings {
        match first.get(finding.group.as_str()) {
            Some(index) if !finding.group.is_empty() => others[*index].push(finding),
            _ => {
                first.insert(&finding.group, shown.len());
                shown.push(finding);
                others.push(Vec::new());
            }
        }
    }
    shown.into_iter().zip(others).map(|(finding, others)| with_others(finding, &others)).collect()
}

fn with_others(finding: &Finding, others: &[&Finding]) -> Finding {
    let mut finding = finding.clone();
    if others.is_empty() {
        return finding;
    }
    let all = others.len() + 1;
    finding.message.push_str(&format!(" (all {all}: -v)"));
    let mut places: Vec<Span> = place(&finding).into_iter().collect();
    for other in others {
        finding.clusters.extend(other.clusters.iter().cloned());
        if let Some(span) = place(other).filter(|span| !places.contains(span) && places.len() <= NAMED) {
            places.push(span);
            finding.related.push(Related::new("and here", Some(other.subject.clone()), span));
        }
    }
    finding.clusters.sort_unstable();
    finding.clusters.dedup();
    finding
}

/// How many causes there are among `findings`.
pub fn causes<'f>(findings: impl Iterator<Item = &'f Finding>) -> usize {
    let mut known: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    findings.filter(|finding| finding.group.is_empty() || known.insert(&finding.group)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{finding::Subject, rules::RULES, source::Span};

    fn finding(name: &str, cause: &str, fingerprint: &str) -> Finding {
        let subject = Subject { kind: "Kustomization".to_owned(), namespace: None, name: name.to_owned() };
        let mut finding = Finding::new(&RULES[0].info, subject, Span::NONE, format!("of {name}"));
        (finding.cause, finding.fingerprint) = (cause.to_owned(), fingerprint.to_owned());
        finding
    }

    #[test]
    fn many_of_one_cause_are_one_and_few_are_not() {
        let many = |count: usize| -> Vec<Finding> {
            let mut all: Vec<Finding> = (0..count)
                .map(|index| finding(&format!("app-{index}"), "GitRepository/x", &index.to_string()))
                .collect();
            all.push(finding("other", "GitRepository/y", "other"));
            group(&mut all);
            all
        };
        let few = many(3);
        assert!(few.iter().all(|finding| finding.group.is_empty()));
        assert_eq!((condensed(&few).len(), causes(few.iter())), (4, 4));
        let all = many(20);
        assert!(all[..20].iter().all(|finding| finding.group == "0"));
        let read = condensed(&all);
        assert_eq!((read.len(), causes(all.iter())), (2, 2));
        assert_eq!(read[0].message, "of app-0 (all 20: -v)");
        assert_eq!(read[1], all[20]);
    }

    #[test]
    fn many_about_one_object_are_one() {
        let mut all: Vec<Finding> = (0..5).map(|index| finding("app", "", &index.to_string())).collect();
        group(&mut all);
        assert_eq!(condensed(&all).len(), 1);
    }
}
