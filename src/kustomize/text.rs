//! Where nodes and files meet: the text a scalar was written as, and YAML inside YAML.

use crate::{
    source::{FileId, Span, Tree},
    yaml::{Document, Node, Value, parse, resolve_plain},
};

/// The text of a scalar as written: `0644` and not `420`. Empty for null, mappings and lists.
pub(super) fn raw_text(tree: &Tree, node: &Node) -> String {
    if let Value::Map(_) | Value::Seq(_) = node.value {
        return String::new();
    }
    let written = tree
        .text(node.span.file)
        .and_then(|text| text.get(node.span.start as usize..node.span.end as usize))
        .filter(|text| text.len() < 256 && !text.contains('\n'));
    match written {
        Some(written) if resolve_plain(written) == node.value => written.to_owned(),
        _ => super::id::scalar_text(node).unwrap_or_default().to_string(),
    }
}

/// A kustomization file read by the rules of YAML 1.1, which hold for it alone: `yes`, `on`, `y` and their like are truth
/// values (sigs.k8s.io/yaml). `None` where nothing changes.
pub(super) fn yaml_1_1(tree: &Tree, node: &Node) -> Option<Node> {
    let mut changed: Option<Node> = None;
    match &node.value {
        Value::Map(map) => {
            for entry in map.entries() {
                if let Some(new) = yaml_1_1(tree, &entry.value) {
                    changed.get_or_insert_with(|| node.clone()).set(&entry.key, new);
                }
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(new) = yaml_1_1(tree, item)
                    && let Some(items) = changed.get_or_insert_with(|| node.clone()).as_seq_mut()
                {
                    items[index] = new;
                }
            }
        }
        Value::Str(text) => {
            let value = match text.as_str() {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => true,
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => false,
                _ => return None,
            };
            let plain = tree.text(node.span.file)?.get(node.span.start as usize..)?.starts_with(text.as_str());
            if plain && block_mark(tree, node.span).is_none() {
                return Some(Node::new(Value::Bool(value), node.span));
            }
        }
        _ => {}
    }
    changed
}

/// Whether a folded block scalar may begin in the text at `span`.
pub(super) fn may_fold(tree: &Tree, span: Span) -> bool {
    let text = tree.text(span.file).and_then(|text| text.get(span.start as usize..span.end as usize));
    let begins = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_digit() || " \t\r\n+-#".contains(letter));
    text.unwrap_or_default().split('>').skip(1).any(begins)
}

/// What kustomize's last print and parse make of a folded block scalar: go-yaml's emitter puts a line break too many
/// before the first of more indented lines (yaml.v3 `yaml_emitter_write_folded_scalar`). `None` where nothing changes.
pub(super) fn refold(tree: &Tree, node: &Node) -> Option<Node> {
    match &node.value {
        Value::Map(map) => {
            let mut changed: Option<Node> = None;
            for entry in map.entries() {
                if let Some(new) = refold(tree, &entry.value) {
                    changed.get_or_insert_with(|| node.clone()).set(&entry.key, new);
                }
            }
            changed
        }
        Value::Seq(items) => {
            let mut changed: Option<Node> = None;
            for (index, item) in items.iter().enumerate() {
                if let Some(new) = refold(tree, item)
                    && let Some(items) = changed.get_or_insert_with(|| node.clone()).as_seq_mut()
                {
                    items[index] = new;
                }
            }
            changed
        }
        Value::Str(text) if text.contains("\n ") || text.contains("\n\t") => {
            (block_mark(tree, node.span) == Some('>')).then(|| refolded(text))?.map(|new| Node::str(new, node.span))
        }
        _ => None,
    }
}

fn refolded(text: &str) -> Option<String> {
    let blank = |letter: char| letter == ' ' || letter == '\t';
    let starts_blank = text.trim_start_matches('\n').chars().next().is_none_or(blank);
    // Such text is printed in quotes, where nothing goes wrong.
    let quoted = text.contains(" \n")
        || text.ends_with(' ')
        || text.chars().any(|letter| letter.is_control() && !"\n\t".contains(letter));
    if starts_blank || quoted {
        return None;
    }
    let mut new = String::with_capacity(text.len() + 8);
    let mut plain = false;
    for line in text.split('\n') {
        let first = line.chars().next();
        if plain && first.is_some_and(blank) {
            new.push('\n');
        }
        plain = first.map_or(plain, |letter| !blank(letter));
        new.push_str(line);
        new.push('\n');
    }
    new.pop();
    (new != text).then_some(new)
}

/// The documents of YAML written as the text of a scalar. Spans point into the scalar where it is a literal block or
/// free of escapes and folding, else at the whole of it.
pub(super) fn parse_scalar(tree: &Tree, text: &str, at: Span) -> Vec<Document> {
    let mut documents = parse(FileId::NONE, text.as_bytes()).documents;
    let places = Places::new(tree, text, at);
    for document in &mut documents {
        document.span = places.of(document.span);
        document.root = document.root.moved(&|span| places.of(span));
        for problem in document.problems.iter_mut().chain(&mut document.error) {
            problem.span = places.of(problem.span);
            problem.other = problem.other.map(|span| places.of(span));
        }
    }
    documents
}

/// Where each line of a scalar's text stands in its file.
struct Places {
    at: Span,
    /// Offset in the text and in the file, by line; empty where they do not correspond.
    lines: Vec<(u32, u32)>,
}

impl Places {
    fn new(tree: &Tree, text: &str, at: Span) -> Self {
        let literal = block_mark(tree, at) == Some('|');
        let lines = tree.text(at.file).and_then(|source| {
            if literal { literal_lines(source, text, at.start) } else { written_lines(source, text, at) }
        });
        Self { at, lines: lines.unwrap_or_default() }
    }

    fn of(&self, span: Span) -> Span {
        let end = self.file_offset(span.end);
        match (self.file_offset(span.start), end) {
            (Some(start), Some(end)) => Span::new(self.at.file, start, end.clamp(start, self.at.end.max(start))),
            _ => self.at,
        }
    }

    fn file_offset(&self, offset: u32) -> Option<u32> {
        let line = self.lines.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
        let (text, file) = self.lines[line];
        Some(file + (offset - text))
    }
}

/// `|` or `>` where a block scalar is written at `span`, which starts at its first letter.
fn block_mark(tree: &Tree, span: Span) -> Option<char> {
    let before = tree.text(span.file)?.get(..span.start as usize)?.trim_end();
    let header = before.rsplit('\n').next()?;
    let header = header.find(" #").map_or(header, |comment| &header[..comment]).trim_end();
    let mark = header.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '+' || letter == '-');
    mark.chars().next_back().filter(|mark| matches!(mark, '|' | '>'))
}

/// A text that is written without escapes or folding stands in its file as one piece.
fn written_lines(source: &str, text: &str, at: Span) -> Option<Vec<(u32, u32)>> {
    let written = source.get(at.start as usize..at.end as usize)?;
    let inner = written.strip_prefix(['"', '\'']).unwrap_or(written);
    inner.starts_with(text).then(|| vec![(0, at.start + (written.len() - inner.len()) as u32)])
}

fn literal_lines(source: &str, text: &str, start: u32) -> Option<Vec<(u32, u32)>> {
    let offset = |at: usize| u32::try_from(at).ok();
    let first = text.len() - text.trim_start_matches('\n').len();
    let mut lines = if first == 0 { Vec::new() } else { vec![(0, start)] };
    let mut source_at = source.get(..start as usize)?.rfind('\n').map_or(0, |at| at + 1);
    let mut text_at = first;
    for line in text[first..].split_inclusive('\n') {
        let rest = source.get(source_at..)?;
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let content = line.trim_end_matches(['\n', '\r']);
        let written = rest[..length].trim_end_matches(['\n', '\r']);
        match written.len().checked_sub(content.len()) {
            Some(indent) if written.ends_with(content) => lines.push((offset(text_at)?, offset(source_at + indent)?)),
            None if content.trim().is_empty() => lines.push((offset(text_at)?, offset(source_at)?)),
            _ => return None,
        }
        text_at += line.len();
        source_at += length;
    }
    Some(lines)
}
