//! The findings and the model are one answer: what the model says is never Ready has a finding or something unresolved that
//! says why, and what a finding says can never become Ready is never Ready in the model.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use fluxdag::{
    Error, Options, Session,
    finding::{Confidence, Finding, Severity, Subject},
    graph::Actor,
    rules::Selection,
    situation::Situation,
    source::{Span, Tree},
};

use crate::{
    rule_pages,
    support::{
        Fate, Reason, actor, actors, cases, corpus, entries, fate, fixture, fixtures, reached, reasons, repositories,
    },
};

/// Rules with errors that are not about Ready, and what they are about.
const NOT_ABOUT_READY: &[(&str, &str)] = &[
    ("decryption-missing", "the ciphertext is applied, and the Kustomization is Ready"),
    ("duplicate-node", "each manifest is applied in turn"),
    ("self-prune", "it is Ready before it is deleted"),
    ("wait-starvation", "workers are no events"),
];

/// A disagreement that is known: repository, object, rule (or `unexplained`), and why.
type Exception = (&'static str, &'static str, &'static str, &'static str);

const EXCEPTIONS: &[Exception] = &[(
    "bornav__fluxcd",
    "Kustomization/flux-system/kube-prometheus-stack",
    UNEXPLAINED,
    "what needs its CRDs has the finding on the loop that it is part of as well",
)];

/// What stands for the rule where nothing explains why an object is never Ready.
const UNEXPLAINED: &str = "unexplained";

/// The findings and the model do not agree on an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Disagreement {
    repository: String,
    object: String,
    rule: &'static str,
    text: String,
}

/// One repository, looked at both ways.
struct Compared<'a> {
    name: &'a str,
    tree: &'a Tree,
    situations: Vec<&'a Situation<'a>>,
    findings: Vec<Finding>,
}

/// What came of the comparisons.
#[derive(Default)]
struct Outcome {
    repositories: usize,
    objects: usize,
    never: usize,
    errors: usize,
    disagreements: BTreeSet<Disagreement>,
}

/// Everything is found, at any level and whatever silences it.
fn options() -> Options {
    let selection = Selection { preview: true, ..Selection::default() };
    Options { pedantic: true, no_ignore_comments: true, selection, ..Options::default() }
}

impl Outcome {
    fn add(&mut self, name: &str, folder: &Path) {
        let (paths, options) = ([folder.to_owned()], options());
        let survey = match fluxdag::survey(&paths, &options) {
            Err(Error::NoFluxObjects { .. }) => return,
            survey => survey.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        let session = Session::new(&survey, &options);
        let findings = session.findings(None).findings;
        let compared = Compared { name, tree: session.tree(), situations: reached(&session), findings };
        self.repositories += 1;
        for situation in &compared.situations {
            for actor in actors(situation) {
                self.objects += 1;
                self.never += usize::from(fate(situation, actor) == Fate::Never);
                self.disagreements.extend(compared.unexplained(situation, actor));
            }
        }
        for finding in compared.findings.iter().filter(|finding| is_about_ready(finding)) {
            self.errors += 1;
            self.disagreements.extend(compared.contradicted(finding));
        }
    }
}

/// Whether a finding says that its subject can never become Ready.
fn is_about_ready(finding: &Finding) -> bool {
    finding.severity == Severity::Error
        && finding.confidence >= Confidence::Medium
        && NOT_ABOUT_READY.iter().all(|(rule, _)| *rule != finding.rule)
}

fn find(situation: &Situation<'_>, subject: &Subject) -> Option<Actor> {
    actor(situation, &subject.kind, subject.namespace.as_deref().unwrap_or_default(), &subject.name)
}

impl Compared<'_> {
    fn disagreement(&self, subject: &Subject, rule: &'static str, text: String) -> Disagreement {
        Disagreement { repository: self.name.to_owned(), object: subject.to_string(), rule, text }
    }

    /// What keeps an object from Ready without that anything is said of it.
    fn unexplained(&self, situation: &Situation<'_>, actor: Actor) -> Vec<Disagreement> {
        if fate(situation, actor) != Fate::Never {
            return Vec::new();
        }
        let subject = actor.subject(situation.cluster);
        let reasons = reasons(situation, actor);
        if reasons.is_empty() {
            return vec![self.disagreement(&subject, UNEXPLAINED, "never Ready, and nothing stops it".to_owned())];
        }
        let here = |finding: &&Finding| finding.clusters.contains(&situation.cluster.root);
        let explains =
            |reason: &Reason| self.findings.iter().filter(here).any(|finding| self.explains(finding, reason));
        let is_silent = |reason: &&Reason| !explains(reason) && !is_unresolved(situation, reason);
        let text = |reason: &Reason| format!("{}, so {subject} is never Ready", reason.text);
        let silent = reasons.iter().filter(is_silent);
        silent.map(|reason| self.disagreement(&reason.subjects[0], UNEXPLAINED, text(reason))).collect()
    }

    /// Whether a finding is about what stops an object: it points to the text that decides it, or it is an error of an object
    /// that is stopped by it.
    fn explains(&self, finding: &Finding, reason: &Reason) -> bool {
        let related = finding.related.iter().filter_map(|related| related.location);
        let mut spans = finding.location.span().into_iter().chain(related);
        let is_there = spans.any(|span| reason.spans.iter().any(|other| shares_line(self.tree, span, *other)));
        let is_its = reason.subjects.contains(&finding.subject);
        finding.severity >= Severity::Warning && (is_there || (is_its && finding.severity == Severity::Error))
    }

    /// What a finding says is never Ready, and becomes Ready in every cluster that it holds in. It stands for several where it
    /// is the same in all, and may be an error in one of them alone.
    fn contradicted(&self, finding: &Finding) -> Option<Disagreement> {
        let here = self.situations.iter().filter(|situation| finding.clusters.contains(&situation.cluster.root));
        let mut fates = here.filter_map(|one| Some(fate(one, find(one, &finding.subject)?))).peekable();
        let is_ready = fates.peek().is_some() && fates.all(|fate| fate == Fate::Ready);
        is_ready.then(|| self.disagreement(&finding.subject, finding.rule, finding.message.clone()))
    }
}

/// Whether something that an obstacle is about is not known from the repository.
fn is_unresolved(situation: &Situation<'_>, reason: &Reason) -> bool {
    reason.subjects.iter().any(|subject| match find(situation, subject) {
        Some(Actor::Node(node)) => !situation.cluster.nodes[node.index()].unresolved.is_empty(),
        _ => false,
    })
}

fn shares_line(tree: &Tree, one: Span, other: Span) -> bool {
    let lines = |span: Span| {
        let last = span.end.saturating_sub(1).max(span.start);
        (tree.position(span).line, tree.position_at(span.file, last).line)
    };
    if !one.is_some() || !other.is_some() || one.file != other.file {
        return false;
    }
    let ((first, last), (from, to)) = (lines(one), lines(other));
    first <= to && from <= last
}

fn is_exception((repository, object, rule, _): &Exception, one: &Disagreement) -> bool {
    *repository == one.repository && *object == one.object && *rule == one.rule
}

fn is_listed(one: &Disagreement) -> bool {
    EXCEPTIONS.iter().any(|listed| is_exception(listed, one))
}

/// The cases that hold a repository: name and folder; of a commit what it leads to.
fn folders_of_cases(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut parts = entries(&folder.join("false"));
    for fault in entries(&folder.join("faults")) {
        parts.extend(entries(&fault));
    }
    let named = parts.into_iter().map(|path| (path.strip_prefix(folder).unwrap().to_string_lossy().into_owned(), path));
    named.map(|(name, path)| (name, Some(path.join("after")).filter(|after| after.is_dir()).unwrap_or(path))).collect()
}

#[test]
fn findings_and_model_agree_on_who_becomes_ready() {
    let mut outcome = Outcome::default();
    for (name, repository) in rule_pages::examples() {
        outcome.add(&name, repository.folder());
    }
    let mut folders: Vec<(String, PathBuf)> = fixtures().iter().map(|name| (name.clone(), fixture(name))).collect();
    folders.extend(cases().iter().flat_map(|folder| folders_of_cases(folder)));
    folders.extend(corpus().iter().flat_map(|corpus| repositories(corpus)));
    for (name, path) in &folders {
        outcome.add(name, path);
    }
    let Outcome { repositories, objects, never, errors, disagreements } = outcome;
    println!("{repositories} repositories: {objects} objects, {never} never Ready; {errors} errors");
    assert!(never > 30 && errors > 50, "{never} objects, {errors} errors");
    for Disagreement { repository, object, rule, text } in &disagreements {
        println!("{rule} | {repository} | {object} | {text}");
    }
    let new = disagreements.iter().filter(|one| !is_listed(one));
    let mut problems: Vec<String> = new.map(|one| format!("{one:?}")).collect();
    // Without the data of elsewhere fewer disagreements show.
    if cases().is_some() && corpus().is_some() {
        let is_gone = |listed: &&Exception| !disagreements.iter().any(|one| is_exception(listed, one));
        problems
            .extend(EXCEPTIONS.iter().filter(is_gone).map(|listed| format!("{listed:?}: it agrees, so it is none")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
