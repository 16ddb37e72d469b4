use smol_str::SmolStr;

use super::{Lookup, Outcome, SUBSTITUTION, SubstError, SubstErrorKind, substitute_within};
use crate::{
    flux::build::rewrite::{Replace, replace_in},
    kustomize::{Budget, Unit, size},
    source::Span,
    yaml::Node,
};

/// An object after substitution.
#[derive(Debug, Clone, Default)]
pub struct SubstitutedObject {
    /// The object, sharing with the original what did not change; `None` where nothing did.
    pub node: Option<Node>,
    /// The variables used, in the order of the object.
    pub uses: Vec<ObjectUse>,
    /// What is wrong. Flux stops at the first and builds nothing; what is at fault stays as written in `node`.
    pub faults: Vec<Fault>,
}

/// A use of a variable in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUse {
    /// The variable.
    pub name: SmolStr,
    /// The scalar that uses it, or the key.
    pub span: Span,
    /// How it came out.
    pub outcome: Outcome,
    /// What stands behind the colon where the expression gives a default: `-`, `=`, `?` or `+`.
    pub operator: Option<char>,
}

impl ObjectUse {
    /// Whether a shell would have given something else: Flux takes `:?` and `:+` for `:-` (fluxcd/pkg envsubst,
    /// `parseDefaultFunc`), so the message becomes the value, or the value stands where its replacement should.
    #[must_use]
    pub fn is_misread(&self) -> bool {
        match self.operator {
            Some('?') => self.outcome == Outcome::Default,
            Some('+') => matches!(self.outcome, Outcome::Default | Outcome::Value),
            _ => false,
        }
    }
}

/// The sign behind the colon of the expression `${name:…`.
fn operator(expression: &str, name: &str) -> Option<char> {
    let sign = expression.get(2 + name.len()..)?.strip_prefix(':')?.chars().next()?;
    matches!(sign, '-' | '=' | '?' | '+').then_some(sign)
}

/// A fault for which the build fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The scalar, or the key.
    pub span: Span,
}

/// Sorts of [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The expression itself.
    Substitution(SubstError),
    /// The value is not YAML any more once the variables are in it, for the reason given.
    NotYaml(String),
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Substitution(error) => error.fmt(f),
            Self::NotYaml(why) => write!(f, "the result is no YAML: {why}"),
        }
    }
}

const OPT_OUT: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Whether the object `node` asks Flux not to substitute in it, by annotation or by label. The value counts in lower
/// case only.
#[must_use]
pub fn is_opted_out(node: &Node) -> bool {
    ["labels", "annotations"].iter().any(|place| node.find_str(&["metadata", place, OPT_OUT]) == Some("disabled"))
}

/// Replaces the variables in a built object as Flux does: in its YAML text, as kustomize prints it
/// (`resource.AsYAML`), which is then read again. So quotes of the manifest do not count: a text that prints plain
/// becomes a number or a truth value if it looks like one afterwards, and a value may bring structure of its own.
/// See [`substitute`](super::substitute) for `lookup` and `strict`.
///
/// Each scalar is printed and read by itself; an expression that begins in one and ends in another is a fault.
pub fn substitute_object(node: &Node, lookup: &dyn Fn(&str) -> Lookup, strict: bool) -> SubstitutedObject {
    substitute_object_within(node, lookup, strict, &Budget::new(SUBSTITUTION))
}

/// As [`substitute_object`], at no more than `budget` has left.
pub(in crate::flux::build) fn substitute_object_within(
    node: &Node,
    lookup: &dyn Fn(&str) -> Lookup,
    strict: bool,
    budget: &Budget,
) -> SubstitutedObject {
    if is_opted_out(node) || !budget.spend(Unit::Steps, size(node)) {
        return SubstitutedObject::default();
    }
    let mut substitution = Substitution { lookup, strict, out: SubstitutedObject::default(), is_open: false, budget };
    let changed = replace_in(node, &mut substitution);
    SubstitutedObject { node: changed, ..substitution.out }
}

struct Substitution<'l> {
    lookup: &'l dyn Fn(&str) -> Lookup,
    strict: bool,
    out: SubstitutedObject,
    /// Whether the last text holds a variable that is not known.
    is_open: bool,
    budget: &'l Budget,
}

impl Substitution<'_> {
    /// The other variables of a text that are unset where one is: Flux names the first alone, and the next at the next attempt.
    fn unset_beside(&self, printed: &str, first: &SubstError) -> impl Iterator<Item = SubstError> + use<> {
        let is_unset = first.kind == SubstErrorKind::Unset;
        let lenient = is_unset.then(|| substitute_within(printed, self.lookup, false, self.budget).ok()).flatten();
        let mut others: Vec<SubstError> = Vec::new();
        for used in lenient.into_iter().flat_map(|done| done.uses) {
            let has_default = operator(printed.get(used.at.clone()).unwrap_or_default(), &used.name).is_some();
            let name = Some(used.name);
            let is_known = name == first.variable || others.iter().any(|other| other.variable == name);
            if used.outcome == Outcome::Nothing && !has_default && !is_known {
                others.push(SubstError { kind: SubstErrorKind::Unset, at: used.at.start, variable: name });
            }
        }
        others.into_iter()
    }
}

impl Replace for Substitution<'_> {
    fn concerns(&self, text: &str) -> bool {
        text.contains('$')
    }

    fn replace(&mut self, printed: &str, span: Span) -> Option<String> {
        if self.budget.excess().is_some() {
            return None;
        }
        match substitute_within(printed, self.lookup, self.strict, self.budget) {
            Ok(substituted) => {
                self.is_open = substituted.uses.iter().any(|used| used.outcome == Outcome::Unknown);
                let uses = substituted.uses.into_iter();
                self.out.uses.extend(uses.map(|used| {
                    let operator = operator(printed.get(used.at).unwrap_or_default(), &used.name);
                    ObjectUse { name: used.name, span, outcome: used.outcome, operator }
                }));
                Some(substituted.text)
            }
            Err(error) => {
                let more = self.unset_beside(printed, &error);
                self.out.faults.push(Fault { kind: FaultKind::Substitution(error), span });
                self.out.faults.extend(more.map(|error| Fault { kind: FaultKind::Substitution(error), span }));
                None
            }
        }
    }

    fn is_open(&self) -> bool {
        self.is_open
    }

    fn made(&mut self, node: &Node) {
        self.budget.spend(Unit::Nodes, size(node));
    }

    fn not_yaml(&mut self, why: String, span: Span) {
        self.out.faults.push(Fault { kind: FaultKind::NotYaml(why), span });
    }
}

impl FaultKind {
    /// The variable at fault, where one is.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Substitution(error) => error.variable.as_deref(),
            Self::NotYaml(_) => None,
        }
    }

    /// Whether a variable is unset where it must not be.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        matches!(self, Self::Substitution(error) if error.kind == SubstErrorKind::Unset)
    }
}
