use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{
    Error, Fault, Hidden, IdlePatch, ObjectId, Unresolved,
    budget::{Budget, Unit},
    resource::Change,
};
use crate::source::Span;

/// Most errors kept of one build: hostile input can multiply them without end.
const MOST: usize = 10_000;

/// Why something that is not there may yet be.
pub(super) const HIDDEN: &str = "it may be in what this build cannot see";

/// What goes wrong while a build goes on.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<Error>,
    pub(super) unresolved: Vec<Unresolved>,
    pub(super) idle: Vec<IdlePatch>,
    /// What the build may still cost.
    pub(super) budget: Arc<Budget>,
}

impl Report {
    /// A report of a build that may cost as much as `budget` has left.
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: budget.clone(), ..Self::default() }
    }

    /// Spends `steps` for what the text at `span` asks for. Where they are not there it must not be done, and that is an
    /// error there, the first time.
    pub(super) fn affords(&mut self, steps: usize, span: Span) -> bool {
        self.spend(Unit::Steps, steps, span)
    }

    /// As [`Self::affords`], of any unit.
    pub(super) fn spend(&mut self, unit: Unit, count: usize, span: Span) -> bool {
        let was_there = self.budget.excess().is_none();
        if was_there && !self.budget.spend(unit, count) {
            self.tell_excess(span);
        }
        was_there && self.budget.excess().is_none()
    }

    /// Spends what a change of an object cost, for the text at `span`.
    pub(super) fn spend_change(&mut self, change: Change, span: Span) -> bool {
        self.spend(Unit::Steps, change.seen, span) && self.spend(Unit::Nodes, change.made, span)
    }

    /// Tells what is used up.
    pub(super) fn tell_excess(&mut self, span: Span) {
        if let Some(excess) = self.budget.excess() {
            self.limit(span, format!("it {excess}"));
        }
    }

    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.error_with(span, message, Vec::new());
    }

    pub(super) fn error_with(&mut self, span: Span, message: impl Into<String>, related: Vec<(Span, String)>) {
        self.push(Error { message: message.into(), span, related, twice: None, fault: Fault::Other });
    }

    /// A limit of this program that the text at `span` runs into.
    pub(super) fn limit(&mut self, span: Span, message: impl Into<String>) {
        self.fault(span, message, Fault::Limit);
    }

    /// A fault of a sort with a cure of its own.
    pub(super) fn fault(&mut self, span: Span, message: impl Into<String>, fault: Fault) {
        self.push(Error { message: message.into(), span, related: Vec::new(), twice: None, fault });
    }

    /// Two objects of one name.
    pub(super) fn twice(&mut self, id: ObjectId, span: Span, related: Vec<(Span, String)>) {
        let message = format!("{id} is already in this build");
        self.push(Error { message, span, related, twice: Some(id), fault: Fault::Other });
    }

    fn push(&mut self, mut error: Error) {
        error.related.retain(|(at, _)| at.is_some());
        if self.errors.len() < MOST {
            self.errors.push(error);
        }
    }

    /// Notes that objects at a URL cannot be known.
    pub(super) fn remote(&mut self, span: Span, what: &str, url: &str) {
        let (what, why) = (format!("{what} {url}"), "it is not in the repository".to_owned());
        self.unknown(Unresolved { what, why, span, hides: Hidden::Remote(url.into()) });
    }

    /// Notes that objects are left out which Flux does not make either.
    pub(super) fn refused(&mut self, span: Span, what: impl Into<String>, why: impl Into<String>) {
        self.unknown(Unresolved { what: what.into(), why: why.into(), span, hides: Hidden::Refused });
    }

    /// Notes that objects cannot be known.
    pub(super) fn unresolved(&mut self, span: Span, what: impl Into<String>, why: impl Into<String>) {
        self.unknown(Unresolved { what: what.into(), why: why.into(), span, hides: Hidden::Objects });
    }

    fn unknown(&mut self, part: Unresolved) {
        if self.unresolved.len() < MOST {
            self.unresolved.push(part);
        }
    }

    /// Notes that the value of a field cannot be known.
    pub(super) fn unresolved_value(&mut self, span: Span, what: impl Into<String>, why: impl Into<String>) {
        self.unknown(Unresolved { what: what.into(), why: why.into(), span, hides: Hidden::Values });
    }

    /// Whether objects may be missing because of what cannot be seen.
    pub(super) fn hides_objects(&self) -> bool {
        self.unresolved.iter().any(Unresolved::hides_objects)
    }

    /// Adds what `other` has more: bases that are used twice report once.
    pub(super) fn absorb(&mut self, other: &Self) {
        let room = |len: usize| MOST.saturating_sub(len);
        let known: FxHashSet<(Span, &str)> =
            self.errors.iter().map(|error| (error.span, error.message.as_str())).collect();
        let is_new = |error: &&Error| !known.contains(&(error.span, error.message.as_str()));
        let errors: Vec<Error> = other.errors.iter().filter(is_new).take(room(known.len())).cloned().collect();
        self.errors.extend(errors);
        let known: FxHashSet<&Unresolved> = self.unresolved.iter().collect();
        let is_new = |unresolved: &&Unresolved| !known.contains(unresolved);
        let unresolved: Vec<Unresolved> =
            other.unresolved.iter().filter(is_new).take(room(known.len())).cloned().collect();
        self.unresolved.extend(unresolved);
        let idle: Vec<IdlePatch> = other.idle.iter().filter(|patch| !self.idle.contains(patch)).cloned().collect();
        self.idle.extend(idle.into_iter().take(room(self.idle.len())));
    }

    /// Notes a patch that changes nothing.
    pub(super) fn idle(&mut self, patch: IdlePatch) {
        if self.idle.len() < MOST {
            self.idle.push(patch);
        }
    }
}
