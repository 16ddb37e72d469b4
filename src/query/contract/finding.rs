use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    finding::{Confidence, Edit, Finding, Location, Related, Severity, Subject, Suppressed},
    source::{Place, Tree},
};

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct ReportedFinding {
    /// Id of the rule.
    pub rule: &'static str,
    /// By what the next run knows it again: it depends on the rule, the objects and the folder, not on lines or words.
    pub fingerprint: String,
    /// What all findings of one cause share, where they are many: the fingerprint of the first; `null` for all others.
    pub group: Option<String>,
    /// What breaks.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// What is wrong, on one line.
    pub message: String,
    /// Roots of the clusters that it holds in; empty for what belongs to no cluster.
    pub clusters: Vec<String>,
    /// The object that it is about.
    pub subject: Subject,
    /// The place to look at first; `null` where no file holds it.
    pub location: Option<Place>,
    /// Why there is no place.
    pub location_reason: Option<String>,
    /// What the place has to do with it.
    pub label: String,
    /// Other places, in reading order.
    pub related: Vec<ReportedPlace>,
    /// What the controllers will do, and what the user will see.
    pub why: String,
    /// What to do.
    pub help: String,
    /// Changes of files that mend it; empty where none is known.
    pub edits: Vec<ReportedEdit>,
    /// What keeps it from being shown; `null` where nothing does.
    pub suppressed: Option<Suppressed>,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Related")]
pub struct ReportedPlace {
    /// What it has to do with the finding.
    pub message: String,
    /// The object there.
    pub subject: Option<Subject>,
    /// The place; `null` where no file holds it.
    pub location: Option<Place>,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Edit")]
pub struct ReportedEdit {
    /// What is replaced; a point where something is inserted.
    pub location: Place,
    /// What stands there instead; empty where something is removed.
    pub text: String,
}

impl ReportedFinding {
    /// A finding with places that can be read without the files.
    #[must_use]
    pub fn new(finding: &Finding, tree: &Tree) -> Self {
        let location = finding.location.span().and_then(|span| tree.place(span));
        let nowhere = match &finding.location {
            Location::Nowhere(reason) => reason.clone(),
            Location::At(_) => "generated: written in no file".to_owned(),
        };
        Self {
            rule: finding.rule,
            fingerprint: finding.fingerprint.clone(),
            group: (!finding.group.is_empty()).then(|| finding.group.clone()),
            severity: finding.severity,
            confidence: finding.confidence,
            message: finding.message.clone(),
            clusters: finding.clusters.clone(),
            subject: finding.subject.clone(),
            location_reason: location.is_none().then_some(nowhere),
            location,
            label: finding.label.clone(),
            related: finding.related.iter().map(|related| ReportedPlace::new(related, tree)).collect(),
            why: finding.why.clone(),
            help: finding.help.clone(),
            edits: finding.edits.iter().filter_map(|edit| ReportedEdit::new(edit, tree)).collect(),
            suppressed: finding.suppressed.clone(),
        }
    }
}

impl ReportedPlace {
    fn new(related: &Related, tree: &Tree) -> Self {
        Self {
            message: related.message.clone(),
            subject: related.subject.clone(),
            location: related.location.and_then(|span| tree.place(span)),
        }
    }
}

impl ReportedEdit {
    fn new(edit: &Edit, tree: &Tree) -> Option<Self> {
        Some(Self { location: tree.place(edit.span)?, text: edit.text.clone() })
    }
}
