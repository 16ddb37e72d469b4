//! CEL expressions of `dependsOn[].readyExpr` and `healthCheckExprs`: whether the controllers take them, and what a
//! `readyExpr` demands of the dependency. The only place that knows the CEL crate.
//!
//! The crate parses; what an expression comes to is found by evaluating it here over values that may be unknown, since
//! the repository tells the spec of an object and little of its status.

mod check;
mod evaluate;
mod parse;
mod value;

#[cfg(test)]
mod tests;

use std::{fmt, rc::Rc};

use self::{
    evaluate::Evaluation,
    parse::Parsed,
    value::{Map, Value},
};
use super::api::KUSTOMIZE_GROUP;
use crate::yaml::Node;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    /// It does not parse.
    Syntax {
        /// What the parser says.
        message: String,
        /// Line in the expression, from 1.
        line: usize,
        /// Column in that line, from 1; 0 where the parser does not tell.
        column: usize,
    },
    /// It names a variable that there is none of.
    Variable(String),
    /// It calls a function that there is none of.
    Function(String),
    /// Its static type is not `bool`, but this.
    NotBool(&'static str),
    /// It is longer, or nested deeper, than this program reads. Nothing is known of it.
    TooLarge,
}

/// What a `readyExpr` demands of the dependency before the dependent may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// That it is Ready: in no state in which it is not can the expression be true.
    Ready,
    /// That it exists, and something beside readiness: the expression is, or may be, true while it is not Ready.
    Exists,
}

/// What a repository shows of an object that an expression reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Its manifest; `None` where the repository does not hold it.
    pub object: Option<&'a Node>,
    /// Whether the manifest has all its labels, but those that kustomize-controller adds.
    pub has_all_labels: bool,
}

impl<'a> Shown<'a> {
    /// Its spec.
    #[must_use]
    pub fn spec(self) -> Option<&'a Node> {
        self.object.and_then(|object| object.get("spec"))
    }

    /// Its labels in the cluster, where they are known: those of the manifest, and those that name the Kustomization which
    /// applies it (kustomize-controller v1.9, `SetOwnerLabels`).
    fn labels(self) -> Option<Value> {
        let object = self.object.filter(|_| self.has_all_labels)?;
        let written = object.find(&["metadata", "labels"]).into_iter().flat_map(Node::entries);
        let written = written.map(|entry| (entry.key.clone(), Value::of_node(&entry.value)));
        let owner = ["name", "namespace"].map(|key| (format!("{KUSTOMIZE_GROUP}/{key}").into(), Value::Unknown));
        Some(Value::Map(Map::collect(owner.into_iter().chain(written), false)))
    }
}

/// A `readyExpr` that the controllers accept.
#[derive(Debug)]
pub struct ReadyExpr {
    parsed: Rc<Parsed>,
}

impl ReadyExpr {
    /// Compiles `text` as the controllers do: with the variables `self` and `dep`, and the result type `bool`
    /// (kustomize-controller v1.9 and helm-controller v1.6, `evalReadyExpr`; fluxcd/pkg `runtime/cel`, `NewExpression`
    /// with `WithCompile`, `WithOutputType` and `WithStructVariables`). Types are checked as far as they show without
    /// looking at calls; what is not certain passes.
    ///
    /// # Errors
    /// Where the controllers would call it InvalidCELExpression, and where it is too large to be read here.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let parsed = Parsed::read(text)?;
        check::variables(&parsed, &["self", "dep"])?;
        check::functions(&parsed)?;
        check::is_bool(&parsed)?;
        Ok(Self { parsed })
    }

    /// What it demands of a dependency of these specs; `None` for a spec that is not known.
    ///
    /// It is evaluated over the states in which an object of Flux is not Ready: without a status, as created, and with
    /// Ready at False or Unknown, whatever the reason and whatever else the status says. A state in which it may be true
    /// is one too many.
    #[must_use]
    pub fn demand(&self, own: Option<&Node>, dependency: Option<&Node>) -> Demand {
        let can_be_true = |status: Option<Value>| self.value(own, dependency, status, 1).may_be_true();
        let fresh = Map::closed([("observedGeneration", Value::Number(-1.0))]);
        let states = [None, Some(fresh), Some(with_ready("False")), Some(with_ready("Unknown"))];
        if states.into_iter().any(can_be_true) { Demand::Exists } else { Demand::Ready }
    }

    /// Whether it may be true while the dependency is Ready for an earlier spec, which the controllers' own check does
    /// not accept (kustomize-controller v1.9, `checkDependencies`).
    #[must_use]
    pub fn accepts_outdated(&self, own: Option<&Node>, dependency: Option<&Node>) -> bool {
        let Value::Map(mut status) = with_ready("True") else { return true };
        status.insert("observedGeneration", Value::Number(1.0));
        self.value(own, dependency, Some(Value::Map(status)), 2).may_be_true()
    }

    /// Whether it is false, or fails, even where the dependency is Ready and everything about it is as it should be. A label
    /// that an object does not have fails (`no such key`).
    #[must_use]
    pub fn is_never_true(&self, own: Shown<'_>, dependency: Shown<'_>) -> bool {
        let Value::Map(mut status) = with_ready("True") else { return false };
        status.insert("observedGeneration", Value::Number(1.0));
        let on = object(dependency.spec(), dependency.labels(), Some(Value::Map(status)), Value::Number(1.0));
        let own = object(own.spec(), own.labels(), Some(Value::Map(Map::open([]))), Value::Unknown);
        !Evaluation::new([("self", own), ("dep", on)]).run(&self.parsed).may_be_true()
    }

    /// Whether it looks at the status of the dependency.
    #[must_use]
    pub fn reads_status(&self) -> bool {
        check::reads_field(&self.parsed, "dep", "status")
    }

    fn value(&self, own: Option<&Node>, dependency: Option<&Node>, status: Option<Value>, generation: u32) -> Value {
        let dependency = object(dependency, None, status, Value::Number(f64::from(generation)));
        let own = object(own, None, Some(Value::Map(Map::open([]))), Value::Unknown);
        Evaluation::new([("self", own), ("dep", dependency)]).run(&self.parsed)
    }
}

/// What the `readyExpr` `text` demands of the dependency, given what the repository tells of the specs of the two
/// objects. See [`ReadyExpr`].
///
/// # Errors
/// Where the controllers would not take the expression, or where it is too large to be read here.
pub fn ready_expr_demand(
    text: &str,
    own_spec: Option<&Node>,
    dependency_spec: Option<&Node>,
) -> Result<Demand, ExpressionError> {
    Ok(ReadyExpr::compile(text)?.demand(own_spec, dependency_spec))
}

/// Checks an expression of `healthCheckExprs`. The controllers only parse it, since its variables are the fields of
/// whatever object it is for (fluxcd/pkg `runtime/cel`, `NewStatusEvaluator`).
///
/// # Errors
/// Where it does not parse, or is too large to be read here. A variable that no object of Kubernetes has as a field
/// (`self`, `dep`, `object`) is an error too: the controllers take it, and fail whenever they evaluate it.
pub fn check_health_expr(text: &str) -> Result<(), ExpressionError> {
    let parsed = Parsed::read(text)?;
    check::no_variables(&parsed, &["self", "dep", "object"])
}

/// An object as an expression sees it. Of the metadata only the generation is fixed, and the labels where they are known; a
/// spec may hold defaults that no file shows.
fn object(spec: Option<&Node>, labels: Option<Value>, status: Option<Value>, generation: Value) -> Value {
    let spec = spec.map_or_else(|| Value::Map(Map::open([])), Value::of_node);
    let mut metadata = Map::open([("generation", generation)]);
    if let Some(labels) = labels {
        metadata.insert("labels", labels);
    }
    let metadata = Value::Map(metadata);
    let mut fields =
        Map::new([("apiVersion", Value::Unknown), ("kind", Value::Unknown), ("metadata", metadata), ("spec", spec)]);
    if let Some(status) = status {
        fields.insert("status", status);
    }
    Value::Map(fields)
}

/// A status whose condition Ready has this value: other conditions may be there or not, and all else is unknown.
fn with_ready(value: &str) -> Value {
    let condition = |kind: Value, status: Value| Value::Map(Map::open([("type", kind), ("status", status)]));
    let ready = condition(Value::Text("Ready".into()), Value::Text(value.into()));
    let other = condition(Value::TextExcept("Ready"), Value::Unknown);
    Value::Map(Map::open([("conditions", Value::conditions(ready, other))]))
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, line, column: 0 } if *line <= 1 => f.write_str(message),
            Self::Syntax { message, line, column } => write!(f, "{message} (line {line}, column {column})"),
            Self::Variable(name) => write!(f, "undeclared reference to `{name}`"),
            Self::Function(name) => write!(f, "undeclared reference to `{name}()`"),
            Self::NotBool(found) => write!(f, "expected bool, got {found}"),
            Self::TooLarge => f.write_str("too large to be read"),
        }
    }
}
