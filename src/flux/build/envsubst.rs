//! Flux's `postBuild` substitution: the shell-like dialect of `fluxcd/pkg/envsubst` (a fork of drone/envsubst), as
//! kustomize-controller v1.9 applies it to each object it builds (`fluxcd/pkg/kustomize`, `SubstituteVariables`).
//!
//! [`substitute`] works on text, [`substitute_object`] on an object. When to run it is the caller's business: without
//! variables Flux skips it unless `substituteStrategy` is `Always`, and before Flux 2.9 it was not strict.

mod functions;
mod object;
mod syntax;

use std::ops::Range;

use smol_str::SmolStr;

use crate::kustomize::{Budget, Cost, Unit};
use functions::TooLarge;
pub(in crate::flux::build) use object::substitute_object_within;
pub use object::{Fault, FaultKind, ObjectUse, SubstitutedObject, is_opted_out, substitute_object};
use syntax::{Expression, Operator, Part};

/// What is known of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Its value. Line feeds are taken out of it, as Flux does.
    Value(String),
    /// No source of variables has it.
    Unset,
    /// Some source of variables is not in the repository and may have it, or have another value.
    Unknown,
}

/// How an expression came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The variable's own value went into it.
    Value,
    /// The default that the expression gives.
    Default,
    /// Nothing: the variable is unset, and the substitution is not strict.
    Nothing,
    /// The text stays as written, since the variable or one in its default is unknown.
    Unknown,
}

/// A use of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The variable.
    pub name: SmolStr,
    /// The expression, from `$` to `}`, in bytes of the text.
    pub at: Range<usize>,
    /// How it came out.
    pub outcome: Outcome,
}

/// Text with its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substituted {
    /// The text.
    pub text: String,
    /// The uses in it, those inside defaults included, in the order of the text.
    pub uses: Vec<Use>,
}

/// Why a substitution fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}", .variable.as_ref().map(|name| format!(": `{name}`")).unwrap_or_default())]
pub struct SubstError {
    /// What is wrong.
    pub kind: SubstErrorKind,
    /// Where the expression begins, in bytes of the text.
    pub at: usize,
    /// The variable, where the expression got as far as naming one.
    pub variable: Option<SmolStr>,
}

/// Sorts of [`SubstError`]. The words are Flux's own where it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubstErrorKind {
    /// An operator is used in a way that does not parse.
    #[error("bad substitution")]
    BadSubstitution,
    /// What follows the name is no operator that Flux knows (`${a.b}`, `${a-b}`).
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// There is no name (`${}`).
    #[error("unable to parse variable name")]
    BadVariableName,
    /// An operand is missing, or the text ends in it.
    #[error("unable to parse substitution within function")]
    BadOperand,
    /// The variable is unset, and the substitution is strict.
    #[error("variable not set (strict mode)")]
    Unset,
    /// Expressions nested deeper than 64 levels, or more text or work than [`SUBSTITUTION`]; a limit of ours.
    #[error("substitution too large")]
    TooLarge,
}

/// Replaces the variables of `text` by what `lookup` says of them. With `strict`, one that is unset and has no default
/// is an error; otherwise it becomes nothing. An expression that depends on an unknown variable stays as written.
///
/// # Errors
/// The first error in the text, as Flux would report it: syntax before unset variables.
pub fn substitute(text: &str, lookup: &dyn Fn(&str) -> Lookup, strict: bool) -> Result<Substituted, SubstError> {
    substitute_within(text, lookup, strict, &Budget::new(SUBSTITUTION))
}

/// As [`substitute`], at no more than `budget` has left.
fn substitute_within(
    text: &str,
    lookup: &dyn Fn(&str) -> Lookup,
    strict: bool,
    budget: &Budget,
) -> Result<Substituted, SubstError> {
    let parts = syntax::parse(text)?;
    let mut evaluation = Evaluation { lookup, strict, uses: Vec::new(), budget };
    let mut out = String::with_capacity(text.len());
    for part in &parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expression(expression) => match evaluation.expression(expression)? {
                Some(value) => out.push_str(&value),
                None => out.push_str(&text[expression.at.clone()]),
            },
        }
    }
    evaluation.uses.sort_by_key(|used| used.at.start);
    Ok(Substituted { text: out, uses: evaluation.uses })
}

/// Whether Flux takes `name` as a variable: `^[_[:alpha:]][_[:alpha:][:digit:]]*$`. One other name among the variables
/// fails every build.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// The most that substituting in all objects of one Kustomization may cost. Real variables are names and domains: ten
/// thousand objects have room for more than a kilobyte of them each.
pub const SUBSTITUTION: Cost = Cost { bytes: 16 << 20, ..Cost::BUILD };

struct Evaluation<'l> {
    lookup: &'l dyn Fn(&str) -> Lookup,
    strict: bool,
    uses: Vec<Use>,
    budget: &'l Budget,
}

impl Evaluation<'_> {
    /// The value of `expression`; `None` where it is unknown. Operands are evaluated first and always, as in Flux: an
    /// unset variable in a default that is not needed is an error all the same.
    fn expression(&mut self, expression: &Expression<'_>) -> Result<Option<String>, SubstError> {
        let mut operands = Some(Vec::with_capacity(expression.operands.len()));
        for operand in &expression.operands {
            let value = match operand {
                Part::Text(text) => Some(text.to_string()),
                Part::Expression(inner) => self.expression(inner)?,
            };
            operands = operands.zip(value).map(|(mut operands, value)| {
                operands.push(value);
                operands
            });
        }
        let is_default = matches!(expression.operator, Operator::Default);
        let (value, mut outcome) = match (self.lookup)(expression.name) {
            Lookup::Value(value) if value.contains('\n') => (Some(value.replace('\n', "")), Outcome::Value),
            Lookup::Value(value) => (Some(value), Outcome::Value),
            Lookup::Unset if self.strict && !is_default => {
                return Err(expression.error(SubstErrorKind::Unset));
            }
            Lookup::Unset => (Some(String::new()), Outcome::Nothing),
            Lookup::Unknown => (None, Outcome::Unknown),
        };
        let result = match (value, operands) {
            (None, _) => None,
            (Some(value), _) if is_default && !value.is_empty() => Some(value),
            (Some(_), None) => None,
            (Some(_), Some(operands)) if is_default => {
                outcome = if operands.is_empty() { outcome } else { Outcome::Default };
                Some(operands.concat())
            }
            (Some(value), Some(operands)) => {
                let pattern = operands.iter().map(String::len).sum::<usize>();
                let steps = if expression.operator.is_trim() { value.len().saturating_mul(pattern) } else { 0 };
                self.budget.spend(Unit::Steps, value.len() / 4 + steps / 8);
                let left = self.budget.left();
                let limit = usize::try_from(left.bytes.min(left.steps.saturating_mul(8))).unwrap_or(usize::MAX);
                let applied = functions::apply(expression.operator, value, &operands, limit);
                Some(applied.map_err(|TooLarge| expression.error(SubstErrorKind::TooLarge))?)
            }
        };
        self.budget.spend(Unit::Steps, 1);
        self.budget.spend(Unit::Bytes, result.as_ref().map_or(0, String::len));
        if self.budget.excess().is_some() {
            return Err(expression.error(SubstErrorKind::TooLarge));
        }
        let outcome = if result.is_none() { Outcome::Unknown } else { outcome };
        self.uses.push(Use { name: expression.name.into(), at: expression.at.clone(), outcome });
        Ok(result)
    }
}

#[cfg(test)]
mod tests;
