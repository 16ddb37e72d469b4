//! The part of Go's templates that ResourceSets mostly use: `<< inputs.a.b >>` and nothing else.

use std::fmt;

use crate::{
    flux::build::rewrite::Replace,
    source::Span,
    yaml::{Node, Value},
};

/// Words that begin an action which is more than a value (Go `text/template`).
const CONTROL: [&str; 10] = ["if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"];

/// Why a template could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::flux) enum Fault {
    /// An input that is not there: the build fails (`missingkey=error`).
    Missing(String),
    /// An expression that is not understood; it stays as written.
    Value(String),
    /// Control flow, or a template that does not parse: what it makes is unknown.
    Flow(String),
    /// What came out is no YAML.
    NotYaml(String),
}

impl Fault {
    pub(in crate::flux) const fn hides_objects(&self) -> bool {
        !matches!(self, Self::Value(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "its build fails, since no input gives `{name}`"),
            Self::Value(text) | Self::Flow(text) => write!(f, "`{text}` is more than a plain input"),
            Self::NotYaml(why) => write!(f, "its template gives no YAML: {why}"),
        }
    }
}

/// Fills templates with one set of inputs.
pub(in crate::flux) struct Fill<'i> {
    input: Option<&'i Node>,
    /// What went wrong, each with its place.
    pub(in crate::flux) faults: Vec<(Fault, Span)>,
    /// Bytes of the text that came out.
    pub(in crate::flux) bytes: usize,
}

impl<'i> Fill<'i> {
    pub(in crate::flux) const fn new(input: Option<&'i Node>) -> Self {
        Self { input, faults: Vec::new(), bytes: 0 }
    }

    /// `template` with its inputs in place; `None` where what it gives is unknown.
    pub(in crate::flux) fn text(&mut self, template: &str, span: Span) -> Option<String> {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find("<<") {
            let Some(action) = Action::read(&rest[start..]) else {
                return self.fault(Fault::Flow(shortened(&rest[start..])), span);
            };
            let before = &rest[..start];
            out.push_str(if action.trims_before { before.trim_end() } else { before });
            match self.value(action.inner) {
                Ok(value) => out.push_str(&value),
                Err(fault) if fault.hides_objects() => return self.fault(fault, span),
                Err(fault) => {
                    self.faults.push((fault, span));
                    out.push_str(action.text);
                }
            }
            rest = &rest[start + action.text.len()..];
            if action.trims_after {
                rest = rest.trim_start();
            }
        }
        out.push_str(rest);
        self.bytes = self.bytes.saturating_add(out.len());
        Some(out)
    }

    fn fault(&mut self, fault: Fault, span: Span) -> Option<String> {
        self.faults.push((fault, span));
        None
    }

    fn value(&self, action: &str) -> Result<String, Fault> {
        let path = action.strip_prefix("inputs.").unwrap_or_default();
        let is_plain = !path.is_empty() && path.split('.').all(is_identifier);
        if !is_plain {
            let word = action.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
            let is_flow = CONTROL.contains(&word) || action.starts_with("/*") || action.starts_with('$');
            let text = shortened(&format!("<< {action} >>"));
            return Err(if is_flow { Fault::Flow(text) } else { Fault::Value(text) });
        }
        let found = path.split('.').try_fold(self.input, |node, key| Some(Some(node?.get(key)?))).flatten();
        match found.map(|node| &node.value) {
            None => Err(Fault::Missing(action.to_owned())),
            Some(Value::Str(text)) => Ok(text.to_string()),
            Some(Value::Bool(value)) => Ok(value.to_string()),
            Some(Value::Int(value)) => Ok(number(*value as f64)),
            Some(Value::Uint(value)) => Ok(number(*value as f64)),
            Some(Value::Float(value)) => Ok(number(*value)),
            Some(Value::Null) => Ok("<no value>".to_owned()),
            Some(Value::Map(_) | Value::Seq(_)) => Err(Fault::Value(format!("<< {action} >>"))),
        }
    }
}

impl Replace for Fill<'_> {
    fn concerns(&self, text: &str) -> bool {
        text.contains("<<")
    }

    fn replace(&mut self, printed: &str, span: Span) -> Option<String> {
        self.text(printed, span)
    }

    fn not_yaml(&mut self, why: String, span: Span) {
        self.faults.push((Fault::NotYaml(why), span));
    }
}

/// One `<< … >>`.
struct Action<'t> {
    text: &'t str,
    inner: &'t str,
    trims_before: bool,
    trims_after: bool,
}

impl<'t> Action<'t> {
    /// Reads the action that `text` begins with; marks inside quotes do not end it.
    fn read(text: &'t str) -> Option<Self> {
        let mut quote = None;
        let mut is_escaped = false;
        let mut end = None;
        for (at, letter) in text.char_indices().skip(2) {
            match quote {
                Some(_) if is_escaped => is_escaped = false,
                Some('"') if letter == '\\' => is_escaped = true,
                Some(open) if letter == open => quote = None,
                Some(_) => {}
                None if matches!(letter, '"' | '`') => quote = Some(letter),
                None if text[at..].starts_with(">>") => {
                    end = Some(at);
                    break;
                }
                None => {}
            }
        }
        let end = end?;
        let is_blank = |letter: char| letter.is_ascii_whitespace();
        let inner = &text[2..end];
        let before = inner.strip_prefix('-').filter(|rest| rest.starts_with(is_blank));
        let inner = before.unwrap_or(inner);
        let after = inner.strip_suffix('-').filter(|rest| rest.ends_with(is_blank));
        Some(Self {
            text: &text[..end + 2],
            inner: after.unwrap_or(inner).trim(),
            trims_before: before.is_some(),
            trims_after: after.is_some(),
        })
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|letter: char| letter == '_' || letter.is_alphabetic())
        && text.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// A number as Go prints it: every number of an input is a `float64`, whose shortest form has an exponent below 10^-4
/// and from 10^6 on (Go 1.24 `strconv`, `formatDigits`).
fn number(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
