//! Rule pages are tests: every example under Bad gives the findings its comments demand, every one under Good none.

mod page;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use fluxdag::{
    Analysis, Options, compare,
    finding::{Confidence, Finding, RuleInfo, Severity},
    lint,
    rules::RULES,
    source::Span,
};
use page::{Case, Page};

use crate::support::{Repository, SYNC, SYNC_FILE, entries, name};

const SECTIONS: [&str; 7] =
    ["What it flags", "Why it matters", "Bad", "Good", "How to fix", "When to ignore", "Sources"];

const FACTS: [&str; 4] = ["severity", "confidence", "tier", "since"];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/rules"))
}

/// The page of the rule `id`.
fn read(id: &str) -> Page {
    let path = folder().join(format!("{id}.md"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Page::parse(&text).unwrap_or_else(|error| panic!("{id}.md: {error}"))
}

/// Every example of every page as a whole repository, with a name; of one in two revisions the later.
pub(super) fn examples() -> Vec<(String, Repository)> {
    let mut all = Vec::new();
    for rule in RULES.iter() {
        let page = read(rule.info.id);
        for (section, cases) in [("bad", &page.bad), ("good", &page.good)] {
            let named =
                |case: &Case| (format!("{}, {section}, {}", page.title, case.name), made(case.without("before")));
            all.extend(cases.iter().map(named));
        }
    }
    all
}

/// The bad examples of a rule's page as whole repositories: path and text of each file.
pub(super) fn bad_examples(id: &str) -> Vec<Vec<(String, String)>> {
    let root = || (SYNC_FILE.to_owned(), SYNC.to_owned());
    read(id).bad.into_iter().map(|case| [root()].into_iter().chain(case.files).collect()).collect()
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.info.id.to_owned()).collect();
    let files = entries(folder()).into_iter().filter(|path| path.is_file());
    let pages: BTreeSet<String> = files.filter_map(|path| Some(name(&path).strip_suffix(".md")?.to_owned())).collect();
    assert_eq!(rules, pages);
}

#[test]
fn pages_follow_the_skeleton() {
    for rule in RULES.iter() {
        let (id, page) = (rule.info.id, read(rule.info.id));
        assert_eq!(page.title, id);
        assert_eq!(page.summary, rule.info.summary, "{id}");
        assert_eq!(page.sections, SECTIONS, "{id}");
        for fact in FACTS {
            assert!(page.fact(fact).is_some(), "{id}: the table has no `{fact}`");
        }
        assert!(!page.bad.is_empty() && !page.good.is_empty(), "{id}: an example each");
        let file = fs::read_to_string(folder().join(format!("{id}.md"))).expect("read before");
        assert_eq!(rule.info.page, file, "{id}: compiled in as it is");
    }
}

#[test]
fn examples_give_the_findings_that_they_demand() {
    let mut wrong = Vec::new();
    for rule in RULES.iter() {
        let (id, page) = (rule.info.id, read(rule.info.id));
        let options = options(&page);
        for case in &page.bad {
            wrong.extend(
                check_bad(id, case, &options).into_iter().map(|text| format!("{id}, bad, `{}`: {text}", case.name)),
            );
        }
        for case in &page.good {
            wrong.extend(
                check_good(&rule.info, case, &options)
                    .into_iter()
                    .map(|text| format!("{id}, good, `{}`: {text}", case.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the page says its examples run with.
fn options(page: &Page) -> Options {
    let flags = page.fact("examples run with").unwrap_or_default();
    if flags == "--pedantic" {
        return Options { pedantic: true, ..Options::default() };
    }
    let max_path = flags.strip_prefix("--max-path ").map(|value| {
        let minutes = value.strip_suffix('m').and_then(|minutes| minutes.parse().ok());
        Duration::from_mins(minutes.unwrap_or_else(|| panic!("{}: a limit in minutes, not {value}", page.title)))
    });
    assert_eq!(flags.is_empty(), max_path.is_none(), "{}: unknown flags {flags}", page.title);
    Options { max_path, ..Options::default() }
}

/// Every demand is met, and nothing is found that none demands.
fn check_bad(rule: &str, case: &Case, options: &Options) -> Vec<String> {
    let demands = case.demands();
    if demands.is_empty() {
        return vec!["demands no finding".to_owned()];
    }
    run(case, options, |analysis| {
        let findings: Vec<_> = analysis.findings.iter().filter(|finding| finding.rule == rule).collect();
        let meets = |finding: &Finding, demand: &page::Demand| {
            let touches = |span| touches(analysis, span, &demand.path, demand.line);
            finding.message.contains(&demand.words) && spans(finding).any(touches)
        };
        let unmet = demands.iter().filter(|demand| !findings.iter().any(|finding| meets(finding, demand)));
        let unasked = findings.iter().filter(|finding| !demands.iter().any(|demand| meets(finding, demand)));
        let unmet = unmet.map(|demand| format!("{}:{}: no finding of `{}`", demand.path, demand.line, demand.words));
        unmet.chain(unasked.map(|finding| format!("not demanded: {}", show(analysis, finding)))).collect()
    })
}

/// Nothing is found that a default run would show, nor anything of a rule whose findings it never shows.
fn check_good(rule: &RuleInfo, case: &Case, options: &Options) -> Vec<String> {
    run(case, options, |analysis| {
        let shown = |finding: &&Finding| {
            let is_high = finding.severity >= Severity::Warning && finding.confidence >= Confidence::Medium;
            let is_advice = rule.severity == Severity::Info && finding.rule == rule.id;
            (is_high || is_advice) && finding.suppressed.is_none()
        };
        analysis.findings.iter().filter(shown).map(|finding| show(analysis, finding)).collect()
    })
}

/// Lints the repository of `case`, made in a temporary folder; of one in two revisions the later, compared with the former.
fn run<T>(case: &Case, options: &Options, judge: impl FnOnce(&Analysis) -> T) -> T {
    let after = made(case.without("before"));
    let paths = [after.folder().to_owned()];
    let analysis = if case.is_change() {
        let before = made(case.without("after"));
        let former = [before.folder().to_owned()];
        compare([&former, &paths], [options, options], |_, after| after.found.findings).map(|(findings, survey)| {
            Analysis {
                tree: survey.store.into_tree(),
                artifact_root: survey.artifact_root,
                findings,
                ..Analysis::nothing()
            }
        })
    } else {
        lint(&paths, options)
    };
    judge(&analysis.unwrap_or_else(|error| panic!("`{}`: {error}", case.name)))
}

fn made<'a>(files: impl Iterator<Item = &'a (String, String)>) -> Repository {
    Repository::cluster(&files.cloned().collect::<Vec<_>>())
}

fn spans(finding: &Finding) -> impl Iterator<Item = Span> {
    let related = finding.related.iter().filter_map(|related| related.location);
    finding.location.span().into_iter().chain(related)
}

/// Whether `span` covers some of line `line` of the file at `path`. Paths of the tree may start above the repository.
fn touches(analysis: &Analysis, span: Span, path: &str, line: u32) -> bool {
    let tree = &analysis.tree;
    let last = span.end.saturating_sub(1).max(span.start);
    Path::new(tree.path(span.file)).ends_with(path)
        && (tree.position(span).line..=tree.position_at(span.file, last).line).contains(&line)
}

/// A finding as one line.
fn show(analysis: &Analysis, finding: &Finding) -> String {
    let places = spans(finding).map(|span| {
        let line = analysis.tree.position(span).line;
        format!("{}:{line}", analysis.tree.path(span.file))
    });
    let places: Vec<_> = places.collect();
    format!("{} [{}] {} ({})", finding.rule, finding.subject, finding.message, places.join(", "))
}
