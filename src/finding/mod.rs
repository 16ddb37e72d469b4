//! What the analyser says about a repository. Plain data: no graph, no printing.

mod baseline;
mod fingerprint;
mod group;
mod levels;
mod rule_info;
mod subject;
mod suppress;
mod words;

pub use baseline::{Baseline, BaselineError, Known};
pub use fingerprint::fingerprint;
pub use group::{causes, condensed, group};
pub use levels::{Confidence, Severity};
pub use rule_info::{Category, RuleInfo, Tier};
pub use subject::Subject;
pub use suppress::{CommentReader, Fault, MARK, Reach, Suppressed, Suppression, SuppressionKind, suppress};
pub use words::{about, count, list};

use crate::source::Span;

/// Something wrong, or worth knowing, in the analysed repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule that found it.
    pub rule: &'static str,
    /// What breaks.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// What is wrong, in one line: lower case, no full stop, understandable alone.
    pub message: String,
    /// The object it is about.
    pub subject: Subject,
    /// Roots of the clusters it holds in, sorted. Empty for what belongs to no cluster.
    pub clusters: Vec<String>,
    /// The place to look at first.
    pub location: Location,
    /// What that place has to do with it: a few words beside the snippet.
    pub label: String,
    /// Other places, in the order to read them: the steps of a loop, the other owner, the dependents.
    pub related: Vec<Related>,
    /// Why it matters at run time: what the controllers will do, and the symptom the user will see.
    pub why: String,
    /// What to do, with the exact key.
    pub help: String,
    /// Changes of files that mend it, all of them together; empty where none is known.
    pub edits: Vec<Edit>,
    /// What tells it from findings of the same rule about the same object, in words that hardly ever change: the name of
    /// the dependency that is missing, not the sentence about it. Empty where there is one such finding at most.
    pub key: String,
    /// What is behind it and others of its rule, where that is one thing: a source that is missing, a file. Empty where that is its
    /// subject.
    pub cause: String,
    /// What all findings of one cause share, where they are many: the fingerprint of the first. Empty for all others.
    pub group: String,
    /// The objects it is about, where these are several on a par: the members of a loop. Empty where it is about its
    /// subject.
    pub members: Vec<Subject>,
    /// What it is recognized by in the next run, see [`fingerprint()`]. Empty until all findings of a run are known.
    pub fingerprint: String,
    /// What keeps it from being shown.
    pub suppressed: Option<Suppressed>,
}

/// Where a finding points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Bytes of a file.
    At(Span),
    /// Nowhere, and why: some objects are written in no file.
    Nowhere(String),
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced; none where something is inserted.
    pub span: Span,
    /// What stands there instead.
    pub text: String,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What this place has to do with it.
    pub message: String,
    /// The object there.
    pub subject: Option<Subject>,
    /// The place; `None` where no file holds it.
    pub location: Option<Span>,
}

impl Finding {
    /// A finding of `rule` about `subject`, to be completed.
    #[must_use]
    pub fn new(rule: &RuleInfo, subject: Subject, at: Span, message: String) -> Self {
        Self {
            rule: rule.id,
            severity: rule.severity,
            confidence: rule.confidence,
            message,
            subject,
            clusters: Vec::new(),
            location: Location::from(at),
            label: String::new(),
            related: Vec::new(),
            why: String::new(),
            help: String::new(),
            edits: Vec::new(),
            key: String::new(),
            cause: String::new(),
            group: String::new(),
            members: Vec::new(),
            fingerprint: String::new(),
            suppressed: None,
        }
    }
}

impl Location {
    /// The bytes, where there are any.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::At(span) => Some(*span),
            Self::Nowhere(_) => None,
        }
    }
}

impl From<Span> for Location {
    fn from(span: Span) -> Self {
        if span.is_some() { Self::At(span) } else { Self::Nowhere("generated: written in no file".to_owned()) }
    }
}

impl Related {
    /// A place and what it has to do with the finding.
    #[must_use]
    pub fn new(message: impl Into<String>, subject: Option<Subject>, location: Span) -> Self {
        Self { message: message.into(), subject, location: location.is_some().then_some(location) }
    }
}
