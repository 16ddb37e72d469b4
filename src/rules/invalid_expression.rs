use super::{Context, Rule, Situation, wording::requeue};
use crate::{
    cluster::NodeKey,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::{
        ApiObject, FluxVersion,
        api::{DependencyReference, HealthCheckExpr},
        expression::{Demand, ExpressionError, ReadyExpr, check_health_expr},
        is_open_text,
    },
    source::Span,
    yaml::Node,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "invalid-expression",
        summary: "A CEL expression that the controllers refuse, or that says something else than it seems to.",
        category: Category::Gate,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/invalid-expression.md"),
    },
    check,
};

/// A Kustomization or HelmRelease, as far as expressions are concerned.
struct Owner<'a> {
    situation: &'a Situation<'a>,
    subject: Subject,
    key: &'a NodeKey,
    object: &'a Node,
    source: Span,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        for node in &situation.cluster.nodes {
            let it = &node.kustomization;
            let owner = Owner::new(situation, node.subject(), &node.key, it);
            owner.ready_exprs(&it.spec.depends_on, findings);
            owner.health_exprs(&it.spec.health_check_exprs, findings);
        }
        for release in &situation.cluster.releases {
            let it = &release.helm;
            let owner = Owner::new(situation, release.subject(), &release.key, it);
            owner.ready_exprs(&it.spec.depends_on, findings);
            owner.health_exprs(&it.spec.health_check_exprs, findings);
        }
    }
}

impl<'a> Owner<'a> {
    fn new<S>(situation: &'a Situation<'a>, subject: Subject, key: &'a NodeKey, object: &'a ApiObject<S>) -> Self {
        Self { situation, subject, key, object: &object.object.node, source: object.object.source }
    }

    /// The place of `key` in entry `index` of a list of the spec, else of the entry.
    fn span(&self, list: &str, index: usize, key: &str) -> Span {
        let entry = self.object.find(&["spec", list]).and_then(|list| list.as_seq()?.get(index));
        let span =
            entry.map_or(Span::NONE, |entry| entry.get(key).map_or(Span::NONE, |value| value.span).or(entry.span));
        span.or(self.source)
    }

    fn finding(&self, at: Span, message: String) -> Finding {
        self.situation.finding(&RULE.info, self.subject.clone(), at, message)
    }

    /// Whether the controller keeps its own check beside a `readyExpr`.
    fn is_additive(&self) -> bool {
        self.situation.cluster.controllers.of_kind(&self.subject.kind).has_gate("AdditiveCELDependencyCheck")
    }

    fn ready_exprs(&self, entries: &[DependencyReference], findings: &mut Vec<Finding>) {
        for (index, entry) in entries.iter().enumerate() {
            let Some(text) = entry.ready_expr.as_deref().filter(|text| !text.is_empty() && !is_open_text(text)) else {
                continue;
            };
            let at = self.span("dependsOn", index, "readyExpr");
            let found = match ReadyExpr::compile(text) {
                Err(error) => self.refused(&entry.name, at, &error),
                Ok(expr) => self.judged(entry, at, &expr),
            };
            findings.extend(found.map(|finding| self.situation.weighed(finding, true)));
        }
    }

    fn refused(&self, dependency: &str, at: Span, error: &ExpressionError) -> Option<Finding> {
        let what = match error {
            ExpressionError::TooLarge => return None,
            ExpressionError::Syntax { .. } => "does not parse",
            ExpressionError::Variable(_) => "names an unknown variable",
            ExpressionError::Function(_) => "calls an unknown function",
            ExpressionError::NotBool(_) => "is not a truth value",
        };
        let message = format!("the `readyExpr` of {} for `{dependency}` {what}: {error}", self.subject);
        let mut finding = self.finding(at, message);
        finding.label = error.to_string();
        finding.why = "As soon as the check reaches this entry it ends at Ready=False, reason InvalidCELExpression, and Stalled=True: it is not \
                       tried again before the spec changes, and all that depends on it waits."
            .to_owned();
        finding.help = match error {
            ExpressionError::Variable(name) => {
                format!(
                    "the variables are `self`, the dependent, and `dep`, the dependency: write `dep.{name}`, or `self.{name}`"
                )
            }
            ExpressionError::NotBool("dyn") => {
                "a field has no static type: compare it, as in `dep.status.x == true`".to_owned()
            }
            ExpressionError::NotBool(_) => {
                "compare the value with something, so that the whole is true or false".to_owned()
            }
            ExpressionError::Function(_) => {
                finding.confidence = Confidence::Medium;
                "the functions are those of CEL and of its extensions for strings, sets, encoders and optional values; those of Kubernetes \
                 are not there"
                    .to_owned()
            }
            ExpressionError::Syntax { .. } | ExpressionError::TooLarge => SYNTAX.to_owned(),
        };
        Some(finding)
    }

    /// What a sound expression is worth.
    fn judged(&self, entry: &DependencyReference, at: Span, expr: &ReadyExpr) -> Option<Finding> {
        let cluster = self.situation.cluster;
        let key = NodeKey::new(entry.namespace.as_deref().unwrap_or(&self.key.namespace), entry.name.as_str());
        let dependency = if self.subject.kind == "Kustomization" {
            cluster.find(&key).map(|id| &cluster.node(id).kustomization.object.node)
        } else {
            cluster.release(&key).map(|index| &cluster.releases[index].helm.object.node)
        };
        let (own, on) = (self.object.get("spec"), dependency.and_then(|node| node.get("spec")));
        let name = &entry.name;
        if expr.is_never_true(own, on) {
            let message = format!(
                "the `readyExpr` of {} for `{name}` is not true even when the dependency is Ready",
                self.subject
            );
            let mut finding = self.finding(at, message);
            finding.label = "never true".to_owned();
            finding.confidence = Confidence::Medium;
            finding.why = format!(
                "It stays at Ready=False, reason DependencyNotReady (`is not ready according to readyExpr eval`), and asks again every {} for \
                 ever.",
                requeue(self.situation.cluster, &self.subject.kind)
            );
            finding.help =
                "mind that the status of a condition is text: `c.type == 'Ready' && c.status == 'True'`".to_owned();
            return Some(finding);
        }
        let is_weak = expr.demand(own, on) == Demand::Exists;
        if is_weak { self.weak(name, at, expr) } else { self.outdated(name, at, expr.accepts_outdated(own, on)) }
    }

    /// True although the dependency is not Ready. What reads no status at all was hardly meant to replace the check.
    fn weak(&self, name: &str, at: Span, expr: &ReadyExpr) -> Option<Finding> {
        if self.is_additive() {
            return None;
        }
        let message =
            format!("the `readyExpr` of {} for `{name}` may be true before the dependency is Ready", self.subject);
        let mut finding = self.finding(at, message);
        finding.label = "takes the place of the check for Ready".to_owned();
        finding.severity = if expr.reads_status() { Severity::Info } else { Severity::Warning };
        finding.confidence = Confidence::Medium;
        finding.why = "A `readyExpr` replaces the controller's own check: neither the Ready condition, nor the generation, nor the revision is \
                       looked at. It starts while the dependency is still at work, or has failed."
            .to_owned();
        finding.help = "add `&& dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') && dep.status.observedGeneration == \
                        dep.metadata.generation`, or start the controller with `--feature-gates=AdditiveCELDependencyCheck=true`"
            .to_owned();
        Some(finding)
    }

    fn outdated(&self, name: &str, at: Span, is_outdated: bool) -> Option<Finding> {
        if !is_outdated || self.is_additive() {
            return None;
        }
        let message = format!("the `readyExpr` of {} for `{name}` does not compare the generation", self.subject);
        let mut finding = self.finding(at, message);
        finding.label = "true for an earlier spec as well".to_owned();
        finding.severity = Severity::Info;
        finding.why = "After a change of the dependency it starts at once, since the Ready condition is still that of the earlier spec.".to_owned();
        finding.help = "add `&& dep.status.observedGeneration == dep.metadata.generation`".to_owned();
        Some(finding)
    }

    fn health_exprs(&self, entries: &[HealthCheckExpr], findings: &mut Vec<Finding>) {
        let mut known: Vec<(&str, Option<&str>)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let key = (entry.group(), entry.kind.as_deref().filter(|kind| !kind.is_empty()));
            let title = format!("{}{}", key.1.map(|kind| format!("{kind} of ")).unwrap_or_default(), key.0);
            if let Some(first) = known.iter().position(|other| *other == key) {
                findings.push(self.twice(index, first, &title));
            }
            known.push(key);
            findings.extend(self.without_kind(index, entry, &title));
            if entry.current.as_deref().is_none_or(str::is_empty) {
                findings.push(self.without_current(index, &title));
            }
            let texts = [("current", &entry.current), ("inProgress", &entry.in_progress), ("failed", &entry.failed)];
            for (field, text) in texts {
                let text = text.as_deref().filter(|text| !text.is_empty() && !is_open_text(text));
                let error = text.and_then(|text| check_health_expr(text).err());
                findings.extend(error.and_then(|error| self.unsound(index, field, &title, &error)));
            }
        }
    }

    fn twice(&self, index: usize, first: usize, title: &str) -> Finding {
        let at = self.span("healthCheckExprs", index, "apiVersion");
        let message = format!("{} has two entries of `healthCheckExprs` for {title}", self.subject);
        let mut finding = self.finding(at, message);
        finding.label = "the second".to_owned();
        finding.related.push(Related::new("the first", None, self.span("healthCheckExprs", first, "apiVersion")));
        finding.why = STALLED.to_owned();
        finding.help =
            "keep one of them; the version counts for nothing, group and kind are what an entry is for".to_owned();
        self.situation.weighed(finding, true)
    }

    /// An entry for a whole group, where a release runs that does not know such.
    fn without_kind(&self, index: usize, entry: &HealthCheckExpr, title: &str) -> Option<Finding> {
        let version = self.situation.cluster.version.filter(|version| *version < FluxVersion { major: 2, minor: 9 })?;
        if entry.kind.as_deref().is_some_and(|kind| !kind.is_empty()) {
            return None;
        }
        let at = self.span("healthCheckExprs", index, "apiVersion");
        let message = format!(
            "an entry of `healthCheckExprs` of {} for {title} has no `kind`, which Flux {version} asks for",
            self.subject
        );
        let mut finding = self.finding(at, message);
        finding.label = "no `kind`".to_owned();
        finding.why = "The API server refuses the object (`kind: Required value`), so whatever applies it ends at ReconciliationFailed. Entries for \
                       a whole group came with Flux 2.9."
            .to_owned();
        finding.help = "write an entry for each kind".to_owned();
        Some(self.situation.weighed(finding, true))
    }

    fn without_current(&self, index: usize, title: &str) -> Finding {
        let at = self.span("healthCheckExprs", index, "current");
        let message = format!("the entry of `healthCheckExprs` of {} for {title} has no `current`", self.subject);
        let mut finding = self.finding(at, message);
        finding.label = "no `current`".to_owned();
        finding.why = "Without `current` the API server refuses the object (`Required value`), and with an empty one it ends at Ready=False, \
                       reason InvalidCELExpression (`expression Current not specified`), and Stalled=True."
            .to_owned();
        finding.help = "add `current`, the expression that is true once the object is as it should be".to_owned();
        self.situation.weighed(finding, true)
    }

    fn unsound(&self, index: usize, field: &str, title: &str, error: &ExpressionError) -> Option<Finding> {
        let at = self.span("healthCheckExprs", index, field);
        let of = format!("the `{field}` expression of {} for {title}", self.subject);
        let mut finding = match error {
            ExpressionError::Syntax { .. } => {
                let mut finding = self.finding(at, format!("{of} does not parse: {error}"));
                finding.why = STALLED.to_owned();
                finding.help = SYNTAX.to_owned();
                finding
            }
            ExpressionError::Variable(name) => {
                let mut finding = self.finding(at, format!("{of} names `{name}`, which is no field of the object"));
                finding.why = "It is accepted, and fails whenever it is evaluated: the object is Unknown to the health check until that times out \
                               (HealthCheckFailed)."
                    .to_owned();
                finding.help = format!(
                    "the variables are the fields of the object itself: leave out `{name}.`, as in `status.phase == 'Ready'`"
                );
                finding
            }
            ExpressionError::Function(_) | ExpressionError::NotBool(_) | ExpressionError::TooLarge => return None,
        };
        finding.label = error.to_string();
        Some(self.situation.weighed(finding, true))
    }
}

const SYNTAX: &str =
    "correct the expression: CEL compares with `==`, joins with `&&` and `||`, and puts text in quotes";

const STALLED: &str = "Every reconciliation ends at once at Ready=False, reason InvalidCELExpression, and Stalled=True: nothing is applied any \
                       more, and all that depends on it waits.";
