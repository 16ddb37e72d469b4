use granit_parser::{Event, Options, Parser, Placement, ScalarStyle, ScanError, Tag};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::{
    Comment, Document, Entry, File, Map, Node, Problem, ProblemKind, Value,
    anchors::Named,
    budget::{self, Size},
    scalar::{resolve_legacy, resolve_plain},
};
use crate::source::{FileId, Span};

/// Parses `bytes`, the contents of `file`, as a stream of YAML documents. Never fails as a whole: a document that does
/// not parse is kept with its error, and the next one is read.
#[must_use]
pub fn parse(file: FileId, bytes: &[u8]) -> File {
    parse_with(file, bytes, resolve_plain)
}

/// Like [`parse`], but plain scalars mean what they mean to sigs.k8s.io/yaml, see [`resolve_legacy`]: so Flux reads
/// objects after substitution, and kustomize (v5.5) kustomization files.
#[must_use]
pub fn parse_legacy(file: FileId, bytes: &[u8]) -> File {
    parse_with(file, bytes, resolve_legacy)
}

fn parse_with(file: FileId, bytes: &[u8], resolve: fn(&str) -> Value) -> File {
    if bytes.len() > budget::FILE_BYTES {
        return File::broken(file, "larger than 256 MiB");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Builder::new(file, text, resolve).run(&Named::new(text)),
        Err(error) => {
            let mut broken = File::broken(file, "not UTF-8 text");
            let at = error.valid_up_to() as u32;
            if let Some(problem) = broken.documents.first_mut().and_then(|document| document.error.as_mut()) {
                problem.span = Span::new(file, at, at);
            }
            broken
        }
    }
}

/// The comments of `text`, the contents of `file`, in order. [`parse`] passes them over: few readers ask for them, and
/// collecting them takes a tenth of the time.
#[must_use]
pub fn comments(file: FileId, text: &str) -> Vec<Comment> {
    let mut builder = Builder::new(file, text, resolve_plain);
    builder.comments = Some(Vec::new());
    builder.read(&Named::new(text));
    builder.comments.unwrap_or_default()
}

/// A collection that is being read.
enum Open {
    Seq { items: Vec<Node> },
    Map { map: Map, key: Option<(SmolStr, Span)>, merges: Vec<Node>, index: Option<FxHashSet<SmolStr>> },
}

struct Frame {
    open: Open,
    start: u32,
    anchor: usize,
    flow: bool,
    size: Size,
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    resolve: fn(&str) -> Value,
    out: File,
    /// The comments so far, where they are wanted.
    comments: Option<Vec<Comment>>,
    frames: Vec<Frame>,
    anchors: FxHashMap<usize, (Node, Size)>,
    document: Option<Document>,
    /// End of the last thing read, where block collections end.
    last_end: u32,
}

/// Above this many keys a mapping gets an index for finding duplicates.
const INDEXED: usize = 16;

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t str, resolve: fn(&str) -> Value) -> Self {
        let out = File::default();
        Self {
            file,
            text,
            resolve,
            out,
            comments: None,
            frames: Vec::new(),
            anchors: FxHashMap::default(),
            document: None,
            last_end: 0,
        }
    }

    fn run(mut self, named: &Named<'_>) -> File {
        self.read(named);
        self.out
    }

    fn read(&mut self, named: &Named<'_>) {
        let mut refused = named.refused;
        let mut options = Options::default();
        options.emit_comments = self.comments.is_some();
        options.max_buffered_comment_events = 1 << 20;
        // As go-yaml: a block scalar at the end of a file without line break has none either.
        options.block_scalar_eof_without_line_feed = true;
        let mut parser = Parser::new_from_str_with_options(&named.text, options);
        loop {
            match parser.next_event() {
                None => break,
                Some(Ok((Event::StreamEnd, _))) => break,
                Some(Ok((event, span))) => {
                    let range = span.byte_range().unwrap_or(0..0);
                    let [start, end] = [range.start, range.end].map(|at| named.original(at as u32));
                    let is_refused = |at: &mut u32| matches!(event, Event::StreamEnd) || start >= *at;
                    let read = match refused.take_if(is_refused) {
                        Some(at) => Err(self.refused(at)),
                        None => self.event(event, start, end),
                    };
                    if let Err(problem) = read {
                        self.fail(problem);
                        if !matches!(parser.proceed_next_document(), Ok(true)) {
                            break;
                        }
                    }
                }
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().map_or(0, |at| named.original(at as u32));
                    let problem = self.syntax(&error, at);
                    self.fail(problem);
                    if !matches!(parser.proceed_next_document(), Ok(true)) {
                        break;
                    }
                }
            }
        }
    }

    /// An anchor or alias whose name go-yaml refuses.
    fn refused(&self, at: u32) -> Problem {
        let message = "the name of an anchor or alias has another sign than letters, digits, `-` and `_`".to_owned();
        Problem { kind: ProblemKind::Syntax, message, span: Span::new(self.file, at, at), other: None }
    }

    fn syntax(&self, error: &ScanError, at: u32) -> Problem {
        let at = at.min(self.text.len() as u32);
        let message = error.info();
        Problem { kind: ProblemKind::Syntax, message, span: Span::new(self.file, at, at), other: None }
    }

    /// Ends the present document with an error.
    fn fail(&mut self, problem: Problem) {
        self.frames.clear();
        let document = self.document.take().unwrap_or_else(|| self.new_document(problem.span.start));
        self.out.documents.push(Document { root: Node::NULL, error: Some(problem), ..document });
        self.anchors.clear();
    }

    fn new_document(&self, start: u32) -> Document {
        Document { root: Node::NULL, span: Span::new(self.file, start, start), error: None, problems: Vec::new() }
    }

    fn event(&mut self, event: Event<'_>, start: u32, end: u32) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.document = Some(self.new_document(start));
            }
            Event::DocumentEnd => {
                if let Some(mut document) = self.document.take() {
                    document.span.end = self.last_end.max(document.span.start);
                    self.out.documents.push(document);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let text = if self.lacks_last_break(&text, style, end) { &text[..text.len() - 1] } else { &*text };
                let size = Size::of_text(text.len());
                let value = scalar(text, style, tag.as_deref(), self.resolve);
                let span = Span::new(self.file, start, end.max(start));
                if matches!(value, Value::Float(value) if !value.is_finite()) {
                    self.problem(ProblemKind::NotJson, format!("`{text}` has no form in JSON"), span, None);
                }
                let end = start as usize + self.text[start as usize..end as usize].trim_end().len();
                self.last_end = end as u32;
                self.node(Node::new(value, Span { end: end as u32, ..span }), size, anchor)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(Open::Seq { items: Vec::new() }, start, anchor, style == granit_parser::StructureStyle::Flow);
            }
            Event::MappingStart(style, anchor, _) => {
                let open = Open::Map { map: Map::default(), key: None, merges: Vec::new(), index: None };
                self.open(open, start, anchor, style == granit_parser::StructureStyle::Flow);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end)?,
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    let message = "an alias inside the node it stands for".to_owned();
                    let span = Span::new(self.file, start, end);
                    return Err(Problem { kind: ProblemKind::Syntax, message, span, other: None });
                };
                self.last_end = end;
                // The place of use decides the value here; what is inside keeps the place where it was written.
                self.node(Node::new(node.value, Span::new(self.file, start, end)), size, 0)?;
            }
            Event::Comment(_, placement) => {
                let trailing = matches!(placement, Placement::Right) || self.stands_behind_text(start);
                let comment = Comment { span: Span::new(self.file, start, end), trailing };
                self.comments.get_or_insert_default().push(comment);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a block scalar ends with a file that does not end in a line break: go-yaml adds none, the parser does.
    fn lacks_last_break(&self, text: &str, style: ScalarStyle, end: u32) -> bool {
        let is_last = end as usize == self.text.len() && !self.text.ends_with(['\n', '\r']);
        if !is_last || !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return false;
        }
        fn last_line(text: &str) -> &str {
            text.rsplit(['\n', '\r']).next().unwrap_or_default()
        }
        // Blanks no deeper than the indentation are no line of the scalar.
        let has_text = |line: &str| !line.trim_matches([' ', '\t']).is_empty();
        text.strip_suffix('\n').is_some_and(|body| {
            let last = last_line(body);
            has_text(last_line(self.text)) || (!last.is_empty() && !has_text(last))
        })
    }

    fn stands_behind_text(&self, at: u32) -> bool {
        let before = &self.text[..at as usize];
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        !line.trim().is_empty()
    }

    fn open(&mut self, open: Open, start: u32, anchor: usize, flow: bool) {
        self.last_end = self.last_end.max(start);
        self.frames.push(Frame { open, start, anchor, flow, size: Size { nodes: 1, bytes: 0, depth: 1 } });
    }

    fn close(&mut self, end: u32) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let end = if frame.flow { end } else { self.last_end.max(frame.start) };
        self.last_end = end;
        let value = match frame.open {
            Open::Seq { items } => Value::Seq(items.into()),
            Open::Map { mut map, merges, .. } => {
                merge_into(&mut map, &merges);
                Value::Map(map.into())
            }
        };
        self.node(Node::new(value, Span::new(self.file, frame.start, end)), frame.size, frame.anchor)
    }

    /// Puts a finished node where it belongs: into the open collection, or at the root.
    fn node(&mut self, node: Node, size: Size, anchor: usize) -> Result<(), Problem> {
        if let Some(excess) = size.excess() {
            return Err(Problem {
                kind: ProblemKind::TooLarge,
                message: excess.to_owned(),
                span: node.span,
                other: None,
            });
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(frame) = self.frames.last_mut() else {
            if let Some(document) = &mut self.document {
                document.root = node;
            }
            return Ok(());
        };
        frame.size.add(size);
        let (map, key, merges, index) = match &mut frame.open {
            Open::Seq { items } => {
                items.push(node);
                return Ok(());
            }
            Open::Map { map, key, merges, index } => (map, key, merges, index),
        };
        let Some((name, key_span)) = key.take() else {
            let Some(name) = key_text(&node) else {
                *key = Some((SmolStr::new_static(""), node.span));
                let message = "a mapping or a list as a key, which a Kubernetes object cannot have".to_owned();
                self.problem(ProblemKind::ComplexKey, message, node.span, None);
                return Ok(());
            };
            *key = Some((name, node.span));
            return Ok(());
        };
        if name == "<<" {
            match &node.value {
                Value::Map(_) => merges.push(node),
                Value::Seq(items) if items.iter().all(|item| item.as_map().is_some()) => {
                    merges.extend(items.iter().cloned());
                }
                _ => self.problem(ProblemKind::BadMerge, "a merge key needs a mapping".to_owned(), key_span, None),
            }
            return Ok(());
        }
        if map.len() == INDEXED {
            *index = Some(map.entries().iter().map(|entry| entry.key.clone()).collect());
        }
        let is_new = match index {
            Some(index) => index.insert(name.clone()),
            None => map.entry(&name).is_none(),
        };
        let entry = Entry { key: name, key_span, value: node };
        if is_new {
            map.push(entry);
            return Ok(());
        }
        let first = map.entry(&entry.key).map(|old| old.key_span);
        let message = format!("the key `{}` is already set in this mapping", entry.key);
        map.insert(entry);
        self.problem(ProblemKind::DuplicateKey, message, key_span, first);
        Ok(())
    }

    fn problem(&mut self, kind: ProblemKind, message: String, span: Span, other: Option<Span>) {
        if let Some(document) = &mut self.document {
            document.problems.push(Problem { kind, message, span, other });
        }
    }
}

/// Adds what `merges` have and `map` has not; the first of them wins.
fn merge_into(map: &mut Map, merges: &[Node]) {
    let most = map.len() + merges.iter().map(|merged| merged.entries().count()).sum::<usize>();
    let mut index: Option<FxHashSet<SmolStr>> =
        (most > INDEXED).then(|| map.entries().iter().map(|entry| entry.key.clone()).collect());
    for entry in merges.iter().flat_map(Node::entries) {
        let is_new = match &mut index {
            Some(index) => index.insert(entry.key.clone()),
            None => map.get(&entry.key).is_none(),
        };
        if is_new {
            map.push(entry.clone());
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, resolve: fn(&str) -> Value) -> Value {
    match tag.and_then(Tag::core_suffix) {
        Some("str" | "binary") => return Value::Str(text.into()),
        Some("int" | "float" | "bool" | "null" | "timestamp") => return resolve(text),
        _ => {}
    }
    // A local tag (`!secret x`) keeps go-yaml from resolving the scalar: it stays text.
    if style == ScalarStyle::Plain && tag.is_none() { resolve(text) } else { Value::Str(text.into()) }
}

/// A scalar key as JSON writes it.
pub(crate) fn key_text(node: &Node) -> Option<SmolStr> {
    Some(match &node.value {
        Value::Str(text) => text.clone(),
        Value::Null => SmolStr::new_static("null"),
        Value::Bool(value) => SmolStr::new_static(if *value { "true" } else { "false" }),
        Value::Int(value) => smol_str::format_smolstr!("{value}"),
        Value::Uint(value) => smol_str::format_smolstr!("{value}"),
        Value::Float(value) => smol_str::format_smolstr!("{value}"),
        Value::Map(_) | Value::Seq(_) => return None,
    })
}

#[cfg(test)]
mod tests;
