use std::rc::Rc;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, SelectExpr, operators,
};
use smol_str::SmolStr;

use super::{
    parse::Parsed,
    value::{Item, Map, Value},
};

/// Most steps of one evaluation: loops in loops multiply.
const STEPS: usize = 20_000;

/// Longest list or text that is kept.
const LONGEST: usize = 1000;

/// One evaluation, in the logic of three values: what cannot be decided is [`Value::Unknown`].
pub(super) struct Evaluation {
    variables: Vec<(SmolStr, Value)>,
    steps: usize,
}

impl Evaluation {
    pub(super) fn new<const N: usize>(variables: [(&str, Value); N]) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { variables, steps: STEPS }
    }

    pub(super) fn run(mut self, parsed: &Parsed) -> Value {
        self.value(&parsed.root)
    }

    fn value(&mut self, expr: &IdedExpr) -> Value {
        let Some(steps) = self.steps.checked_sub(1) else { return Value::Unknown };
        self.steps = steps;
        match &expr.expr {
            Expr::Ident(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map_or(Value::Unknown, |(_, value)| value.clone())
            }
            Expr::Literal(literal) => literal_value(literal),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.list(list),
            Expr::Map(map) => self.map(map),
            Expr::Comprehension(loops) => self.comprehension(loops),
            Expr::Struct(_) | Expr::Unspecified => Value::Unknown,
        }
    }

    fn select(&mut self, select: &SelectExpr) -> Value {
        let value = self.value(&select.operand).blurred();
        match value {
            Value::Map(map) if select.test => match map.get(&select.field) {
                Some(_) => Value::Bool(true),
                None if map.open => Value::Unknown,
                None => Value::Bool(false),
            },
            Value::Optional(_) | Value::Unknown => field_of(&value, &select.field),
            _ if select.test => Value::Error,
            _ => field_of(&value, &select.field),
        }
    }

    fn list(&mut self, list: &ListExpr) -> Value {
        if !list.optional_indices.is_empty() {
            return Value::Unknown;
        }
        let items: Vec<Value> = list.elements.iter().map(|item| self.value(item)).collect();
        if items.contains(&Value::Error) { Value::Error } else { Value::list(items.into_iter()) }
    }

    fn map(&mut self, map: &MapExpr) -> Value {
        let mut fields = Vec::new();
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { return Value::Unknown };
            match (self.value(&entry.key), self.value(&entry.value)) {
                (Value::Text(key), value) if value != Value::Error && !entry.optional => fields.push((key, value)),
                _ => return Value::Unknown,
            }
        }
        Value::Map(Map::collect(fields.into_iter(), false))
    }

    /// A macro such as `exists`: goes through a list, or the keys of a map. An item that may be there or not leads to
    /// what both ways have in common.
    fn comprehension(&mut self, loops: &ComprehensionExpr) -> Value {
        let items: Vec<Item> = match self.value(&loops.iter_range) {
            Value::List(items) => items.to_vec(),
            Value::Map(map) if !map.open => {
                map.fields().map(|(key, _)| Item { value: Value::Text(key.clone()), maybe: false }).collect()
            }
            Value::Map(_) | Value::Unknown | Value::NotTrue | Value::NotFalse => return Value::Unknown,
            _ => return Value::Error,
        };
        if loops.iter_var2.is_some() {
            return Value::Unknown;
        }
        let mut result = self.value(&loops.accu_init);
        for item in items {
            self.variables.push((loops.iter_var.as_str().into(), item.value));
            self.variables.push((loops.accu_var.as_str().into(), result.clone()));
            let next = self.value(&loops.loop_step);
            self.variables.truncate(self.variables.len() - 2);
            result = if item.maybe { next.or(result) } else { next };
        }
        self.variables.push((loops.accu_var.as_str().into(), result));
        let value = self.value(&loops.result);
        self.variables.pop();
        value
    }

    fn call(&mut self, call: &CallExpr) -> Value {
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_AND, None, args) => self.decide(args, false),
            (operators::LOGICAL_OR, None, args) => self.decide(args, true),
            (operators::LOGICAL_NOT, None, [arg]) => match self.value(arg) {
                Value::Bool(value) => Value::Bool(!value),
                Value::NotTrue => Value::NotFalse,
                Value::NotFalse => Value::NotTrue,
                Value::Unknown => Value::Unknown,
                _ => Value::Error,
            },
            (operators::CONDITIONAL, None, [condition, yes, no]) => match self.value(condition) {
                Value::Bool(true) => self.value(yes),
                Value::Bool(false) => self.value(no),
                Value::NotTrue => self.value(no).or(Value::Error),
                Value::NotFalse => self.value(yes).or(Value::Error),
                Value::Unknown => self.value(yes).or(self.value(no)),
                _ => Value::Error,
            },
            // Only ever the condition of a loop, which ends early what would come to the same in the end.
            (operators::NOT_STRICTLY_FALSE, _, _) => Value::Bool(true),
            (name, None, [left, right]) => {
                let (left, right) = (self.value(left).blurred(), self.value(right).blurred());
                binary(name, &left, &right)
            }
            (name, None, [arg]) => {
                let arg = self.value(arg).blurred();
                unary(name, &arg)
            }
            (name, Some(target), args) => {
                let target = self.value(target).blurred();
                let args: Vec<Value> = args.iter().map(|arg| self.value(arg).blurred()).collect();
                method(name, &target, &args)
            }
            _ => Value::Unknown,
        }
    }

    /// `&&` and `||`: one operand that decides is enough, even where another fails. One that fails, or may only be what
    /// does not decide, keeps the whole from coming to the opposite.
    fn decide(&mut self, args: &[IdedExpr], deciding: bool) -> Value {
        let half = if deciding { Value::NotFalse } else { Value::NotTrue };
        let (mut is_open, mut fails, mut is_half) = (false, false, false);
        for arg in args {
            match self.value(arg) {
                Value::Bool(value) if value == deciding => return Value::Bool(deciding),
                Value::Bool(_) => {}
                value if value == half => is_half = true,
                Value::Unknown | Value::NotTrue | Value::NotFalse => is_open = true,
                _ => fails = true,
            }
        }
        match (is_half || (fails && is_open), fails, is_open) {
            (true, ..) => half,
            (false, true, _) => Value::Error,
            (false, false, true) => Value::Unknown,
            (false, false, false) => Value::Bool(!deciding),
        }
    }
}

fn literal_value(literal: &LiteralValue) -> Value {
    match literal {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Int(value) => Value::Number(*value.inner() as f64),
        LiteralValue::UInt(value) => Value::Number(*value.inner() as f64),
        LiteralValue::Double(value) => Value::Number(*value.inner()),
        LiteralValue::String(value) => Value::Text(value.inner().into()),
        LiteralValue::Null => Value::Null,
        LiteralValue::Bytes(_) => Value::Unknown,
    }
}

fn field_of(value: &Value, key: &str) -> Value {
    match value {
        Value::Map(map) => match map.get(key) {
            Some(value) => value.clone(),
            None if map.open => Value::Unknown,
            None => Value::Error,
        },
        Value::Optional(Some(value)) => optional_field(value, key),
        Value::Optional(None) => Value::Optional(None),
        Value::Unknown => Value::Unknown,
        _ => Value::Error,
    }
}

/// `value.?key`.
fn optional_field(value: &Value, key: &str) -> Value {
    match value {
        Value::Map(map) => match map.get(key) {
            Some(Value::Unknown) => Value::Unknown,
            Some(value) => Value::Optional(Some(Rc::new(value.clone()))),
            None if map.open => Value::Unknown,
            None => Value::Optional(None),
        },
        Value::Optional(Some(value)) => optional_field(value, key),
        Value::Optional(None) => Value::Optional(None),
        Value::Unknown => Value::Unknown,
        _ => Value::Error,
    }
}

fn binary(name: &str, left: &Value, right: &Value) -> Value {
    if *left == Value::Error || *right == Value::Error {
        return Value::Error;
    }
    let truth = |known: Option<bool>| known.map_or(Value::Unknown, Value::Bool);
    match name {
        operators::EQUALS => truth(left.is_equal(right)),
        operators::NOT_EQUALS => truth(left.is_equal(right).map(|equal| !equal)),
        operators::IN => is_in(left, right),
        operators::INDEX => match (left, right) {
            (_, Value::Text(key)) => field_of(left, key),
            (Value::List(items), Value::Number(at)) => item_at(items, *at),
            _ => Value::Unknown,
        },
        operators::OPT_SELECT | operators::OPT_INDEX => match right {
            Value::Text(key) => optional_field(left, key),
            _ => Value::Unknown,
        },
        operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {
            compare(name, left, right)
        }
        operators::ADD => add(left, right),
        operators::SUBSTRACT => match (left, right) {
            (Value::Number(left), Value::Number(right)) => Value::Number(left - right),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

fn compare(name: &str, left: &Value, right: &Value) -> Value {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Unknown | Value::TextExcept(_), _) | (_, Value::Unknown | Value::TextExcept(_)) => {
            return Value::Unknown;
        }
        _ => return Value::Error,
    };
    Value::Bool(order.is_some_and(|order| match name {
        operators::LESS => order.is_lt(),
        operators::LESS_EQUALS => order.is_le(),
        operators::GREATER => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn add(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Value::Number(left + right),
        (Value::Text(left), Value::Text(right)) if left.len() + right.len() <= LONGEST => {
            Value::Text(format!("{left}{right}").into())
        }
        (Value::List(left), Value::List(right)) if left.len() + right.len() <= LONGEST => {
            Value::List(Rc::new(left.iter().chain(right.iter()).cloned().collect()))
        }
        _ => Value::Unknown,
    }
}

fn is_in(item: &Value, all: &Value) -> Value {
    match (item, all) {
        (_, Value::List(items)) => {
            let mut result = Value::Bool(false);
            for known in items.iter() {
                match known.value.is_equal(item) {
                    Some(true) if !known.maybe => return Value::Bool(true),
                    Some(false) => {}
                    _ => result = Value::Unknown,
                }
            }
            result
        }
        (Value::Text(key), Value::Map(map)) => match map.get(key) {
            Some(_) => Value::Bool(true),
            None if map.open => Value::Unknown,
            None => Value::Bool(false),
        },
        (_, Value::Map(_) | Value::Unknown) => Value::Unknown,
        _ => Value::Error,
    }
}

fn item_at(items: &[Item], at: f64) -> Value {
    // Conditions come in no order that could be relied on.
    if items.iter().any(|item| item.maybe) {
        return Value::Unknown;
    }
    items
        .iter()
        .zip(0_u32..)
        .find(|(_, index)| f64::from(*index) == at)
        .map_or(Value::Error, |(item, _)| item.value.clone())
}

fn unary(name: &str, arg: &Value) -> Value {
    match (name, arg) {
        (_, Value::Error) => Value::Error,
        ("size", arg) => size(arg),
        (operators::NEGATE, Value::Number(value)) => Value::Number(-value),
        ("bool", Value::Bool(value)) => Value::Bool(*value),
        ("string", Value::Text(text)) => Value::Text(text.clone()),
        ("dyn", arg) => arg.clone(),
        _ => Value::Unknown,
    }
}

fn size(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Number(text.chars().count() as f64),
        Value::List(items) if items.iter().all(|item| !item.maybe) => Value::Number(items.len() as f64),
        Value::Map(map) if !map.open => Value::Number(map.len() as f64),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::Error => Value::Error,
        _ => Value::Unknown,
    }
}

fn method(name: &str, target: &Value, args: &[Value]) -> Value {
    match (name, target, args) {
        ("orValue", Value::Optional(Some(value)), _) => value.as_ref().clone(),
        ("orValue", Value::Optional(None), [other]) => other.clone(),
        ("hasValue", Value::Optional(value), []) => Value::Bool(value.is_some()),
        ("value", Value::Optional(Some(value)), []) => value.as_ref().clone(),
        (_, Value::Error, _) | ("value", Value::Optional(None), []) => Value::Error,
        (_, _, args) if args.contains(&Value::Error) => Value::Error,
        ("size", target, []) => size(target),
        ("startsWith", Value::Text(text), [Value::Text(part)]) => Value::Bool(text.starts_with(part.as_str())),
        ("endsWith", Value::Text(text), [Value::Text(part)]) => Value::Bool(text.ends_with(part.as_str())),
        ("contains", Value::Text(text), [Value::Text(part)]) => Value::Bool(text.contains(part.as_str())),
        _ => Value::Unknown,
    }
}
