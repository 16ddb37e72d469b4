use std::{collections::BTreeMap, rc::Rc};

use smol_str::SmolStr;

use crate::{flux::is_open_text, yaml};

/// Levels of a spec that are looked into.
const LEVELS: usize = 24;

/// A value as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Anything, an error included.
    Unknown,
    /// The evaluation fails.
    Error,
    /// False, or the evaluation fails.
    NotTrue,
    /// True, or the evaluation fails.
    NotFalse,
    Null,
    Bool(bool),
    /// A whole number or fraction; the controllers compare all kinds of number with each other.
    Number(f64),
    Text(SmolStr),
    /// Some text, but not this one.
    TextExcept(&'static str),
    List(Rc<Vec<Item>>),
    Map(Map),
    /// An optional value.
    Optional(Option<Rc<Self>>),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) value: Value,
    /// Whether it is there at all is not known, nor how often.
    pub(super) maybe: bool,
}

/// A map with text keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    fields: Rc<BTreeMap<SmolStr, Value>>,
    /// Whether there may be other fields than those.
    pub(super) open: bool,
}

impl Map {
    /// A map of which only some fields are known.
    pub(super) fn open<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self { open: true, ..Self::new(fields) }
    }

    /// A map that is known in full.
    pub(super) fn new<const N: usize>(fields: [(&str, Value); N]) -> Self {
        let fields = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self { fields: Rc::new(fields), open: false }
    }

    /// The same, as a value.
    pub(super) fn closed<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Value::Map(Self::new(fields))
    }

    pub(super) fn collect(fields: impl Iterator<Item = (SmolStr, Value)>, open: bool) -> Self {
        Self { fields: Rc::new(fields.collect()), open }
    }

    pub(super) fn insert(&mut self, key: &str, value: Value) {
        Rc::make_mut(&mut self.fields).insert(key.into(), value);
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.fields.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }
}

impl Value {
    /// A value of a manifest. Maps are open: the API server sets defaults that no file shows.
    pub(super) fn of_node(node: &yaml::Node) -> Self {
        Self::at_level(node, LEVELS)
    }

    fn at_level(node: &yaml::Node, levels: usize) -> Self {
        let Some(levels) = levels.checked_sub(1) else { return Self::Unknown };
        match &node.value {
            yaml::Value::Null => Self::Unknown,
            yaml::Value::Bool(value) => Self::Bool(*value),
            // Beyond that, numbers of CEL and these ones differ.
            yaml::Value::Int(value) if value.unsigned_abs() < 1 << 53 => Self::Number(*value as f64),
            yaml::Value::Int(_) | yaml::Value::Uint(_) => Self::Unknown,
            yaml::Value::Float(value) => Self::Number(*value),
            yaml::Value::Str(text) if is_open_text(text) => Self::Unknown,
            yaml::Value::Str(text) => Self::Text(text.clone()),
            yaml::Value::Map(map) => {
                let fields = map.entries().iter();
                Self::Map(Map::collect(
                    fields.map(|entry| (entry.key.clone(), Self::at_level(&entry.value, levels))),
                    true,
                ))
            }
            yaml::Value::Seq(items) => Self::list(items.iter().map(|item| Self::at_level(item, levels))),
        }
    }

    /// A list that is known in full.
    pub(super) fn list(items: impl Iterator<Item = Self>) -> Self {
        Self::List(Rc::new(items.map(|value| Item { value, maybe: false }).collect()))
    }

    /// The conditions of a status: one that is there, and others that may be.
    pub(super) fn conditions(sure: Self, other: Self) -> Self {
        Self::List(Rc::new(vec![Item { value: sure, maybe: false }, Item { value: other, maybe: true }]))
    }

    /// Whether it is, or may be, true.
    pub(super) const fn may_be_true(&self) -> bool {
        matches!(self, Self::Bool(true) | Self::NotFalse | Self::Unknown)
    }

    /// What is known where it may be this or the other.
    pub(super) fn or(self, other: Self) -> Self {
        let not_true = |value: &Self| matches!(value, Self::Bool(false) | Self::NotTrue | Self::Error);
        let not_false = |value: &Self| matches!(value, Self::Bool(true) | Self::NotFalse | Self::Error);
        if self == other {
            self
        } else if not_true(&self) && not_true(&other) {
            Self::NotTrue
        } else if not_false(&self) && not_false(&other) {
            Self::NotFalse
        } else {
            Self::Unknown
        }
    }

    /// The value for what does not decide: of half a truth nothing is known.
    pub(super) fn blurred(self) -> Self {
        if matches!(self, Self::NotTrue | Self::NotFalse) { Self::Unknown } else { self }
    }

    const fn is_vague(&self) -> bool {
        matches!(self, Self::Unknown | Self::Error | Self::NotTrue | Self::NotFalse | Self::Optional(_))
    }

    /// Whether two values are equal, where that is certain. Values of different types are not (CEL, heterogeneous
    /// equality).
    pub(super) fn is_equal(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (left, right) if left.is_vague() || right.is_vague() => None,
            (Self::TextExcept(not), Self::Text(text)) | (Self::Text(text), Self::TextExcept(not)) => {
                if text == not {
                    Some(false)
                } else {
                    None
                }
            }
            (Self::TextExcept(_), Self::TextExcept(_)) => None,
            (Self::List(left), Self::List(right)) => are_equal(left, right),
            (Self::Map(left), Self::Map(right)) => left.is_equal(right),
            (left, right) => Some(left == right),
        }
    }
}

fn are_equal(left: &[Item], right: &[Item]) -> Option<bool> {
    if left.iter().chain(right).any(|item| item.maybe) {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    all(left.iter().zip(right).map(|(left, right)| left.value.is_equal(&right.value)))
}

impl Map {
    fn is_equal(&self, other: &Self) -> Option<bool> {
        if self.open || other.open {
            return None;
        }
        if self.len() != other.len() {
            return Some(false);
        }
        all(self.fields().map(|(key, value)| other.get(key).map_or(Some(false), |other| value.is_equal(other))))
    }
}

/// Whether all are true, where that is certain.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut sure = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => sure = None,
        }
    }
    sure
}
