//! Expressions that the controllers refuse, that can never be true, or that say something else than they seem to:
//! `readyExpr` of `dependsOn`, and `healthCheckExprs`.

use std::cell::{Cell, RefCell};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Blocker, Cause, View};
use crate::{
    cluster::{Cluster, HealthSet, Manifest, Node, NodeKey, Release},
    finding::{Confidence, Subject},
    flux::{
        ApiObject, FluxVersion,
        api::{DependencyReference, HealthCheckExpr},
        expression::{Demand, ExpressionError, ReadyExpr, Shown, check_health_expr},
        is_open_text,
    },
    graph::{Actor, Moment, Reason},
    source::Span,
    yaml,
};

/// An expression, of a Kustomization or a HelmRelease, that does not do what it is written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFact {
    /// The object that has it, by name.
    pub subject: Subject,
    /// The dependency that a `readyExpr` is for, or the kinds that an entry of `healthCheckExprs` is for.
    pub about: String,
    /// The place of the expression, else of its entry.
    pub span: Span,
    /// What is wrong with it.
    pub problem: ExpressionProblem,
    /// How sure that is.
    pub confidence: Confidence,
    /// What never happens because of it.
    stops: Option<Stop>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionProblem {
    /// The controllers refuse the `readyExpr` when they come to its entry (`InvalidCELExpression`, `Stalled=True`).
    Refused(ExpressionError),
    /// The `readyExpr` is false, or fails, even where the dependency is Ready (`DependencyNotReady`).
    NeverTrue,
    /// The `readyExpr` may be true before the dependency is Ready.
    Early {
        /// Whether it looks at the status of the dependency.
        reads_status: bool,
    },
    /// The `readyExpr` may be true for an earlier spec of the dependency.
    Outdated,
    /// A second entry of `healthCheckExprs` for the same group and kind (`InvalidCELExpression`, `Stalled=True`).
    Twice {
        /// The place of the first.
        first: Span,
    },
    /// An entry of `healthCheckExprs` for a whole group, in a Flux release whose API server refuses such.
    NoKind(FluxVersion),
    /// It is not read: the expressions of the cluster have more than 256 KiB together.
    Unread,
    /// An entry of `healthCheckExprs` without `current`. The API server refuses the object where the field is missing, and
    /// the controller where it is empty.
    NoCurrent,
    /// An expression of `healthCheckExprs` that does not parse, or whose evaluation always fails.
    Unsound {
        /// The field of the entry.
        field: &'static str,
        /// What is wrong.
        error: ExpressionError,
    },
}

/// The event that never happens, as in [`Blocker`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stop {
    actor: Actor,
    moment: Moment,
    reason: Reason,
    cause: Cause,
    /// Whether it happens to the object that has the expression, and not to what applies that.
    is_own: bool,
}

impl ExpressionFact {
    /// What is wrong, as a clause that follows the name of the object that has the expression.
    #[must_use]
    pub fn clause(&self) -> String {
        let about = &self.about;
        match &self.problem {
            ExpressionProblem::Refused(error) => {
                format!("has a `readyExpr` for `{about}` that the controller refuses: {error}")
            }
            ExpressionProblem::NeverTrue => {
                format!("has a `readyExpr` for `{about}` that is not true even when the dependency is Ready")
            }
            ExpressionProblem::Early { .. } => {
                format!("has a `readyExpr` for `{about}` that may be true before the dependency is Ready")
            }
            ExpressionProblem::Outdated => {
                format!("has a `readyExpr` for `{about}` that does not compare the generation")
            }
            ExpressionProblem::Twice { .. } => format!("has two entries of `healthCheckExprs` for {about}"),
            ExpressionProblem::NoKind(version) => {
                format!("has an entry of `healthCheckExprs` for {about} without `kind`, which Flux {version} asks for")
            }
            ExpressionProblem::Unread => {
                format!("has an expression for {about} that is not read: those of its cluster have more than 256 KiB")
            }
            ExpressionProblem::NoCurrent => format!("has an entry of `healthCheckExprs` for {about} without `current`"),
            ExpressionProblem::Unsound { field, error } => {
                format!("has a `{field}` expression for {about} that fails: {error}")
            }
        }
    }

    /// The object never starts, never becomes Ready, or is never applied.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let Stop { actor, moment, reason, cause, is_own } = self.stops?;
        let text = if is_own { self.clause() } else { format!("applies {}, which {}", self.subject, self.clause()) };
        Some(Blocker { actor, moment, reason, cause, text, span: self.span, confidence: self.confidence })
    }
}

/// Most bytes of the expressions of one cluster, each counted once. Reading them is the slow part, 3 ms for each kilobyte at
/// worst; ten thousand real ones that are all different have about as much.
const MOST: usize = 256 << 10;

/// The expressions of a cluster that were read.
#[derive(Default)]
struct Reading<'a> {
    known: RefCell<FxHashSet<&'a str>>,
    bytes: Cell<usize>,
    is_reported: Cell<bool>,
}

impl<'a> Reading<'a> {
    /// Whether an expression is read as well.
    fn takes(&self, text: &'a str) -> bool {
        if self.bytes.get() > MOST {
            return self.known.borrow().contains(text);
        }
        if self.known.borrow_mut().insert(text) {
            self.bytes.set(self.bytes.get() + text.len());
        }
        self.bytes.get() <= MOST
    }
}

/// Finds those of a cluster: of its Kustomizations, then of its HelmReleases, each in the order of the entries.
pub(super) fn find(view: View<'_>) -> Vec<ExpressionFact> {
    let cluster = view.cluster;
    let mut facts = Vec::new();
    let reading = Reading::default();
    for (id, node) in cluster.nodes() {
        let (it, applied_by) = (&node.kustomization, node.manifests.first().and_then(|it| applier(cluster, it)));
        let owner = Owner {
            node: Some(node),
            applied_by,
            ..Owner::new(cluster, &reading, Actor::Node(id), node.subject(), it)
        };
        owner.ready_exprs(&it.spec.depends_on, shown(node), &mut facts);
        owner.health_exprs(&it.spec.health_check_exprs, &mut facts);
    }
    for (index, release) in cluster.releases.iter().enumerate() {
        let (it, actor) = (&release.helm, Actor::Release(index as u32));
        let applied_by = release.providers.first().filter(|provider| provider.set.is_none());
        let applied_by = applied_by.map(|provider| Actor::Node(provider.node));
        let owner = Owner { applied_by, ..Owner::new(cluster, &reading, actor, release.subject(), it) };
        owner.ready_exprs(&it.spec.depends_on, shown_release(release), &mut facts);
        owner.health_exprs(&it.spec.health_check_exprs, &mut facts);
    }
    facts
}

/// The Kustomization that applies an object, where no ResourceSet stands between them.
fn applier(cluster: &Cluster, manifest: &Manifest) -> Option<Actor> {
    let owner = manifest.owner.as_ref().filter(|_| manifest.resource_set.is_none())?;
    cluster.find(owner).map(Actor::Node)
}

/// What the repository shows of a Kustomization. The Flux Operator adds labels to what it makes.
fn shown(node: &Node) -> Shown<'_> {
    let is_applied = !node.is_generated && node.manifests.iter().all(|it| it.resource_set.is_none());
    Shown { object: Some(&node.kustomization.object.node), has_all_labels: is_applied && node.manifests.len() <= 1 }
}

fn shown_release(release: &Release) -> Shown<'_> {
    let has_all_labels = matches!(release.providers.as_slice(), [only] if only.set.is_none());
    Shown { object: Some(&release.helm.object.node), has_all_labels }
}

/// A Kustomization or HelmRelease, as far as expressions are concerned.
struct Owner<'a> {
    cluster: &'a Cluster,
    actor: Actor,
    subject: Subject,
    namespace: &'a str,
    object: &'a yaml::Node,
    source: Span,
    /// The Kustomization itself; `None` for a HelmRelease, whose health checks are on what its chart holds.
    node: Option<&'a Node>,
    /// The Kustomization that applies it.
    applied_by: Option<Actor>,
    reading: &'a Reading<'a>,
}

impl<'a> Owner<'a> {
    fn new<S>(
        cluster: &'a Cluster,
        reading: &'a Reading<'a>,
        actor: Actor,
        subject: Subject,
        it: &'a ApiObject<S>,
    ) -> Self {
        let (object, source) = (&it.object.node, it.object.source);
        Self {
            cluster,
            actor,
            subject,
            namespace: &it.namespace,
            object,
            source,
            node: None,
            applied_by: None,
            reading,
        }
    }

    /// The place of `key` in entry `index` of a list of the spec, else of the entry.
    fn span(&self, list: &str, index: usize, key: &str) -> Span {
        let entry = self.object.find(&["spec", list]).and_then(|list| list.as_seq()?.get(index));
        let span =
            entry.map_or(Span::NONE, |entry| entry.get(key).map_or(Span::NONE, |value| value.span).or(entry.span));
        span.or(self.source)
    }

    fn fact(&self, about: &str, span: Span, problem: ExpressionProblem, stops: Option<Stop>) -> ExpressionFact {
        let (subject, about) = (self.subject.clone(), about.to_owned());
        ExpressionFact { subject, about, span, problem, confidence: Confidence::High, stops }
    }

    /// The object never gets to work.
    fn never_starts(&self, reason: Reason, cause: Cause) -> Option<Stop> {
        Some(Stop { actor: self.actor, moment: Moment::Start, reason, cause, is_own: true })
    }

    /// Whether the controller keeps its own check beside a `readyExpr`.
    fn is_additive(&self) -> bool {
        self.cluster.controllers.of_kind(&self.subject.kind).has_gate("AdditiveCELDependencyCheck")
    }

    fn ready_exprs(&self, entries: &'a [DependencyReference], own: Shown<'_>, facts: &mut Vec<ExpressionFact>) {
        for (index, entry) in entries.iter().enumerate() {
            let Some(text) = entry.ready_expr.as_deref().filter(|text| !text.is_empty() && !is_open_text(text)) else {
                continue;
            };
            let span = self.span("dependsOn", index, "readyExpr");
            if !self.reading.takes(text) {
                facts.extend(self.unread(&entry.name, span));
                continue;
            }
            facts.extend(match ReadyExpr::compile(text) {
                Err(error) => self.refused(&entry.name, span, error),
                Ok(expr) => self.judged(entry, span, &expr, own),
            });
        }
    }

    /// The first expression that is not read.
    fn unread(&self, about: &str, span: Span) -> Option<ExpressionFact> {
        let is_first = !self.reading.is_reported.replace(true);
        is_first.then(|| self.fact(about, span, ExpressionProblem::Unread, None))
    }

    fn refused(&self, dependency: &str, span: Span, error: ExpressionError) -> Option<ExpressionFact> {
        let confidence = match error {
            ExpressionError::TooLarge => return None,
            ExpressionError::Function(_) => Confidence::Medium,
            _ => Confidence::High,
        };
        let stops = self.never_starts(Reason::DependsOnExpr, Cause::InvalidExpression);
        let problem = ExpressionProblem::Refused(error);
        Some(ExpressionFact { confidence, ..self.fact(dependency, span, problem, stops) })
    }

    /// What an expression is worth that the controllers take.
    fn judged(
        &self,
        entry: &DependencyReference,
        span: Span,
        expr: &ReadyExpr,
        own: Shown<'_>,
    ) -> Option<ExpressionFact> {
        let on = self.dependency(entry);
        let (problem, stops) = if expr.is_never_true(own, on) {
            let stops = self.never_starts(Reason::DependsOnExpr, Cause::UnmetExpression);
            (ExpressionProblem::NeverTrue, stops)
        } else if self.is_additive() {
            return None;
        } else if expr.demand(own.spec(), on.spec()) == Demand::Exists {
            (ExpressionProblem::Early { reads_status: expr.reads_status() }, None)
        } else if expr.accepts_outdated(own.spec(), on.spec()) {
            (ExpressionProblem::Outdated, None)
        } else {
            return None;
        };
        let confidence = if problem == ExpressionProblem::Outdated { Confidence::High } else { Confidence::Medium };
        Some(ExpressionFact { confidence, ..self.fact(&entry.name, span, problem, stops) })
    }

    /// What the repository shows of a dependency.
    fn dependency(&self, entry: &DependencyReference) -> Shown<'a> {
        let cluster = self.cluster;
        let key = NodeKey::new(entry.namespace.as_deref().unwrap_or(self.namespace), entry.name.as_str());
        let found = match self.actor {
            Actor::Node(_) => cluster.find(&key).map(|id| shown(cluster.node(id))),
            _ => cluster.release(&key).map(|index| shown_release(&cluster.releases[index])),
        };
        found.unwrap_or_default()
    }

    fn health_exprs(&self, entries: &'a [HealthCheckExpr], facts: &mut Vec<ExpressionFact>) {
        let mut known: FxHashMap<(&str, Option<&str>), usize> = FxHashMap::default();
        for (index, entry) in entries.iter().enumerate() {
            let key = (entry.group(), entry.kind.as_deref().filter(|kind| !kind.is_empty()));
            let about = format!("{}{}", key.1.map(|kind| format!("{kind} of ")).unwrap_or_default(), key.0);
            let version = self.span("healthCheckExprs", index, "apiVersion");
            let stalled = self.never_starts(Reason::Progress, Cause::InvalidExpression);
            if let Some(first) = known.get(&key) {
                let first = self.span("healthCheckExprs", *first, "apiVersion");
                facts.push(self.fact(&about, version, ExpressionProblem::Twice { first }, stalled));
            }
            known.entry(key).or_insert(index);
            let is_old = |version: &FluxVersion| *version < FluxVersion { major: 2, minor: 9 };
            if let Some(release) = self.cluster.version.filter(|release| key.1.is_none() && is_old(release)) {
                facts.push(self.fact(&about, version, ExpressionProblem::NoKind(release), self.never_applied()));
            }
            if entry.current.as_deref().is_none_or(str::is_empty) {
                let stops = if entry.current.is_some() { stalled } else { self.never_applied() };
                let span = self.span("healthCheckExprs", index, "current");
                facts.push(self.fact(&about, span, ExpressionProblem::NoCurrent, stops));
            }
            facts.extend(self.unsound(index, entry, &about, stalled));
        }
    }

    /// The API server refuses the object, and with it all that is applied with it.
    fn never_applied(&self) -> Option<Stop> {
        let cause = Cause::RefusedManifest;
        match self.applied_by {
            Some(actor) => {
                Some(Stop { actor, moment: Moment::Applied, reason: Reason::Progress, cause, is_own: false })
            }
            None => self.never_starts(Reason::Progress, cause),
        }
    }

    fn unsound(
        &self,
        index: usize,
        entry: &'a HealthCheckExpr,
        about: &str,
        stalled: Option<Stop>,
    ) -> Vec<ExpressionFact> {
        let texts = [("current", &entry.current), ("inProgress", &entry.in_progress), ("failed", &entry.failed)];
        let facts = texts.into_iter().filter_map(|(field, text)| {
            let text = text.as_deref().filter(|text| !text.is_empty() && !is_open_text(text))?;
            if !self.reading.takes(text) {
                return self.unread(about, self.span("healthCheckExprs", index, field));
            }
            let error = check_health_expr(text).err()?;
            let stops = match error {
                ExpressionError::Syntax { .. } => stalled,
                ExpressionError::Variable(_) => self.never_healthy(index),
                ExpressionError::Function(_) | ExpressionError::NotBool(_) | ExpressionError::TooLarge => return None,
            };
            let span = self.span("healthCheckExprs", index, field);
            Some(self.fact(about, span, ExpressionProblem::Unsound { field, error }, stops))
        });
        facts.collect()
    }

    /// Each evaluation of entry `index` fails, which leaves the object Unknown: the health check never passes where it looks
    /// at one of those objects.
    fn never_healthy(&self, index: usize) -> Option<Stop> {
        let set = HealthSet::new(self.node?);
        let member = set.lasting().find(|member| set.expression(&member.key) == Some(index))?;
        let reason = if member.entry.is_some() { Reason::HealthCheck } else { Reason::Wait };
        let cause = Cause::HopelessHealthCheck;
        Some(Stop { actor: self.actor, moment: Moment::Ready, reason, cause, is_own: true })
    }
}
