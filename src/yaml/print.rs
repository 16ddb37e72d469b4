use std::{cmp::Ordering, fmt::Write as _};

use crate::source::{is_obeyed, is_unprintable};

use super::{
    Entry, Map, Node, Style, Value,
    emit::{double_quoted, short_float, style_of},
};

/// The node as YAML, as `kustomize build` prints it (sigs.k8s.io/yaml with go-yaml v2): keys sorted, lists not
/// indented below their key, long lines folded. What it prints reads back as the same node. A text that terminals or the logs
/// of pipelines would obey is an exception: it stands in double quotes, with escapes.
#[must_use]
pub fn to_yaml(node: &Node) -> String {
    to_yaml_with_notes(node, &|_| None)
}

/// As [`to_yaml`], with a comment behind each scalar that `note` has one for. Comments must be one line each.
#[must_use]
pub fn to_yaml_with_notes(node: &Node, note: &dyn Fn(&Node) -> Option<String>) -> String {
    let mut printer = Printer { out: String::new(), column: 0, note };
    match &node.value {
        Value::Map(map) if !map.is_empty() => printer.map(map, 0, false),
        Value::Seq(items) if !items.is_empty() => printer.seq(items, 0, false),
        _ => {
            printer.scalar(node, 2, true);
            printer.end_line();
        }
    }
    printer.out
}

/// The longest key that stands before its `:` on one line.
const SIMPLE_KEY: usize = 128;

/// The column behind which a text is folded at its next space.
const WIDTH: usize = 80;

struct Printer<'n> {
    out: String,
    column: usize,
    note: &'n dyn Fn(&Node) -> Option<String>,
}

impl Printer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn end_line(&mut self) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn map(&mut self, map: &Map, indent: usize, mut inline: bool) {
        for entry in sorted(map) {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            if entry.key.len() <= SIMPLE_KEY && style_of(&entry.key) != Style::Literal {
                self.text(&entry.key, indent + 2, false);
                self.put(":");
                self.value(&entry.value, indent, false);
            } else {
                self.put("? ");
                self.text(&entry.key, indent + 2, true);
                self.end_line();
                self.indent(indent);
                self.put(":");
                self.value(&entry.value, indent, true);
            }
        }
    }

    fn seq(&mut self, items: &[Node], indent: usize, mut inline: bool) {
        for item in items {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            self.put("-");
            self.value(item, indent, true);
        }
    }

    /// What stands behind `key:`, or behind the `-` or `:` on whose line a collection may begin (`inline`).
    fn value(&mut self, node: &Node, indent: usize, inline: bool) {
        match &node.value {
            Value::Map(map) if !map.is_empty() => {
                if inline {
                    self.put(" ");
                } else {
                    self.end_line();
                }
                self.map(map, indent + 2, inline);
            }
            Value::Seq(items) if !items.is_empty() => {
                if inline {
                    self.put(" ");
                    self.seq(items, indent + 2, true);
                } else {
                    self.end_line();
                    self.seq(items, indent, false);
                }
            }
            _ => {
                self.put(" ");
                self.scalar(node, indent + 2, true);
                self.end_line();
            }
        }
    }

    fn scalar(&mut self, node: &Node, indent: usize, folds: bool) {
        let note = (self.note)(node).map(|note| format!(" # {note}")).unwrap_or_default();
        match &node.value {
            Value::Null => self.put("null"),
            Value::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Value::Int(value) => self.put(&value.to_string()),
            Value::Uint(value) => self.put(&value.to_string()),
            // JSON, through which kustomize goes, does not tell such a float from a whole number.
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 18_446_744_073_709_551_616.0 => {
                self.put(&format!("{value:.0}"));
            }
            Value::Float(value) => self.put(&short_float(*value)),
            Value::Str(text) if style_of(text) == Style::Literal => {
                return self.guarded(text, indent, folds, &note, |printer| printer.literal(text, indent, &note));
            }
            Value::Str(text) => self.text(text, indent, folds),
            Value::Map(_) => self.put("{}"),
            Value::Seq(_) => self.put("[]"),
        }
        self.put(&note);
    }

    fn text(&mut self, text: &str, indent: usize, folds: bool) {
        self.guarded(text, indent, folds, "", |printer| printer.plain_text(text, indent, folds));
    }

    /// What `print` prints of `text`, or, where that would be obeyed, the text in double quotes with `note` behind it.
    fn guarded(&mut self, text: &str, indent: usize, folds: bool, note: &str, print: impl FnOnce(&mut Self)) {
        let (length, column) = (self.out.len(), self.column);
        print(self);
        let line = self.out[..length].rfind('\n').map_or(0, |end| end + 1);
        if is_obeyed(&self.out[line..]) {
            self.out.truncate(length);
            self.column = column;
            self.line(&disarmed(text), indent, folds);
            self.put(note);
        }
    }

    fn plain_text(&mut self, text: &str, indent: usize, folds: bool) {
        let printed = match style_of(text) {
            Style::Plain => text.to_owned(),
            Style::SingleQuoted => format!("'{}'", text.replace('\'', "''")),
            Style::DoubleQuoted => double_quoted(text),
            Style::Literal => return self.literal(text, indent, ""),
        };
        self.line(&printed, indent, folds);
    }

    /// One line of text, put on several where it is long.
    fn line(&mut self, printed: &str, indent: usize, folds: bool) {
        if folds && self.column + printed.len() > WIDTH {
            self.fold(printed, indent);
        } else {
            self.put(printed);
        }
    }

    /// Puts one line of text on several: each begins behind the first single space past the width, or in double quotes
    /// behind the first of several, the rest of which a backslash protects.
    fn fold(&mut self, printed: &str, indent: usize) {
        let quoted = usize::from(printed.starts_with(['"', '\'']));
        let inside = quoted + 1..printed.len() - quoted - 1;
        let mut before = '\0';
        for (at, letter) in printed.char_indices() {
            let doubled = letter == ' ' && printed[at + 1..].starts_with(' ');
            let may_break = !doubled || printed.starts_with('"');
            if letter == ' ' && before != ' ' && self.column > WIDTH && may_break && inside.contains(&at) {
                self.end_line();
                self.indent(indent);
                self.put(if doubled { "\\" } else { "" });
            } else {
                self.out.push(letter);
                self.column += 1;
            }
            before = letter;
        }
    }

    /// A block; `note` stands behind its header.
    fn literal(&mut self, text: &str, indent: usize, note: &str) {
        let hint = if text.starts_with([' ', '\n']) { "2" } else { "" };
        let body = text.trim_end_matches('\n');
        let chomping = match text.len() - body.len() {
            0 => "-",
            1 if !body.is_empty() => "",
            _ => "+",
        };
        self.put(&format!("|{hint}{chomping}{note}"));
        self.end_line();
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(indent);
                self.put(line);
            }
            self.out.push('\n');
        }
        self.column = 0;
    }
}

/// `text` between double quotes, with all escaped that is obeyed, or may be once a line is folded.
fn disarmed(text: &str) -> String {
    let quoted = double_quoted(text).replace("##", "\\x23\\x23").replace("::", "\\x3A\\x3A");
    let mut out = String::with_capacity(quoted.len());
    for letter in quoted.chars() {
        match letter {
            letter if is_unprintable(letter) => {
                let _ = write!(out, "\\U{:08X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out
}

fn sorted(map: &Map) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = map.entries().iter().collect();
    entries.sort_by(|one, other| key_order(&one.key, &other.key));
    entries
}

/// The order of keys in go-yaml v2 (`sorter.go` `keyList.Less`): numbers in them by size, other characters before
/// letters. Theirs is no order at all where a number meets a letter (`v100`, `v10a`, `v11`); this one takes the numbers
/// as wholes there.
fn key_order(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (Some(left), Some(right)) = (one.chars().next(), other.chars().next()) else {
            return one.len().cmp(&other.len());
        };
        if left.is_ascii_digit() && right.is_ascii_digit() {
            let (number, rest) = leading_number(one);
            let (other_number, other_rest) = leading_number(other);
            let size = |digits: &str| digits.trim_start_matches('0').len();
            let significant = |number: &'_ str| number.trim_start_matches('0').to_owned();
            let order = size(number)
                .cmp(&size(other_number))
                .then_with(|| significant(number).cmp(&significant(other_number)))
                .then(number.len().cmp(&other_number.len()));
            if order != Ordering::Equal {
                return order;
            }
            (one, other) = (rest, other_rest);
            continue;
        }
        if left != right {
            let class = |letter: char| (letter.is_alphabetic(), letter.is_ascii_digit(), letter);
            return class(left).cmp(&class(right));
        }
        (one, other) = (&one[left.len_utf8()..], &other[right.len_utf8()..]);
    }
}

fn leading_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests;
