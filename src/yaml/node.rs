use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::source::Span;

/// A YAML value and the text that decided it. Cloning is cheap: maps and lists are shared until changed.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written; [`Span::NONE`] where no file holds it.
    pub span: Span,
}

/// What a node holds, resolved to JSON's types as kustomize does before it prints.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 signed bits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(SmolStr),
    /// A mapping, in the order of the file.
    Map(Arc<Map>),
    /// A sequence.
    Seq(Arc<Vec<Node>>),
}

/// A mapping: keys in the order of the file, each at most once (the last one wins).
#[derive(Debug, Default)]
pub struct Map {
    entries: Vec<Entry>,
    /// The places of the keys, once one was looked for among many.
    index: OnceLock<Box<FxHashMap<SmolStr, usize>>>,
}

/// Above this many keys a mapping gets an index. Nearly all have fewer, and looking through them takes less.
const INDEXED: usize = 48;

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, turned into text.
    pub key: SmolStr,
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// Equality of values; where they were written does not count, nor does the order of keys.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What is shared is the same without a look inside: most comparisons are of an object before and after a step that
/// changed one field.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Int(one), Self::Int(two)) => one == two,
            (Self::Uint(one), Self::Uint(two)) => one == two,
            (Self::Float(one), Self::Float(two)) => one == two,
            (Self::Str(one), Self::Str(two)) => one == two,
            (Self::Map(one), Self::Map(two)) => Arc::ptr_eq(one, two) || one == two,
            (Self::Seq(one), Self::Seq(two)) => Arc::ptr_eq(one, two) || one == two,
            _ => false,
        }
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        // Most maps that are compared have their keys in the same order.
        let has = |(index, entry): (usize, &Entry)| match other.entries.get(index) {
            Some(same) if same.key == entry.key => same.value == entry.value,
            _ => other.get(&entry.key).is_some_and(|value| *value == entry.value),
        };
        self.len() == other.len() && self.entries.iter().enumerate().all(has)
    }
}

impl Clone for Map {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), index: OnceLock::new() }
    }
}

impl Node {
    /// A null written nowhere.
    pub const NULL: Self = Self { value: Value::Null, span: Span::NONE };

    /// A node of `value`, decided by the text at `span`.
    #[must_use]
    pub const fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// A text node.
    #[must_use]
    pub fn str(text: impl Into<SmolStr>, span: Span) -> Self {
        Self::new(Value::Str(text.into()), span)
    }

    /// An empty mapping.
    #[must_use]
    pub fn empty_map(span: Span) -> Self {
        Self::new(Value::Map(Arc::default()), span)
    }

    /// A sequence of `items`.
    #[must_use]
    pub fn seq(items: Vec<Self>, span: Span) -> Self {
        Self::new(Value::Seq(Arc::new(items)), span)
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The text, where this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = &self.value { Some(text) } else { None }
    }

    /// The truth value, where this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self.value { Some(value) } else { None }
    }

    /// The whole number, where this is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Int(value) = self.value { Some(value) } else { None }
    }

    /// The mapping, where this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value { Some(map) } else { None }
    }

    /// The items, where this is a sequence.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Self]> {
        if let Value::Seq(items) = &self.value { Some(items) } else { None }
    }

    /// The items of a sequence; nothing for anything else.
    pub fn items(&self) -> impl Iterator<Item = &Self> {
        self.as_seq().unwrap_or_default().iter()
    }

    /// The entries of a mapping; nothing for anything else.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.as_map().map(Map::entries).unwrap_or_default().iter()
    }

    /// The value at `key` of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value at the end of `keys`, one mapping below the other.
    #[must_use]
    pub fn find(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text at the end of `keys`.
    #[must_use]
    pub fn find_str(&self, keys: &[&str]) -> Option<&str> {
        self.find(keys)?.as_str()
    }

    /// The span of the value at the end of `keys`, or of the deepest mapping on the way there: where a finding about a
    /// field points, present or not.
    #[must_use]
    pub fn nearest_span(&self, keys: &[&str]) -> Span {
        let mut node = self;
        for key in keys {
            match node.get(key) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.span
    }

    /// The mapping, to be changed; copied first where it is shared.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(map) = &mut self.value { Some(Arc::make_mut(map)) } else { None }
    }

    /// The items, to be changed; copied first where they are shared.
    pub fn as_seq_mut(&mut self) -> Option<&mut Vec<Self>> {
        if let Value::Seq(items) = &mut self.value { Some(Arc::make_mut(items)) } else { None }
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        // Looked up before the copy: a miss leaves shared maps shared.
        self.get(key)?;
        self.as_map_mut()?.get_mut(key)
    }

    /// The value at the end of `keys`, to be changed.
    pub fn find_mut(&mut self, keys: &[&str]) -> Option<&mut Self> {
        self.find(keys)?;
        keys.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// The same value in another place: `place` says where each span goes.
    #[must_use]
    pub fn moved(&self, place: &impl Fn(Span) -> Span) -> Self {
        let entry = |entry: &Entry| Entry {
            key: entry.key.clone(),
            key_span: place(entry.key_span),
            value: entry.value.moved(place),
        };
        let value = match &self.value {
            Value::Map(map) => {
                Value::Map(Arc::new(Map { entries: map.entries.iter().map(entry).collect(), index: OnceLock::new() }))
            }
            Value::Seq(items) => Value::Seq(Arc::new(items.iter().map(|item| item.moved(place)).collect())),
            other => other.clone(),
        };
        Self::new(value, place(self.span))
    }

    /// Sets `key` of a mapping; anything else becomes a mapping first.
    pub fn set(&mut self, key: &str, value: Self) {
        if self.as_map().is_none() {
            self.value = Value::Map(Arc::default());
        }
        if let Some(map) = self.as_map_mut() {
            map.set(key, value);
        }
    }

    /// Takes `key` out of a mapping.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        self.get(key)?;
        self.as_map_mut()?.remove(key)
    }

    /// The mapping at the end of `keys`, made where it is missing or null; new mappings get `span`. `None` where
    /// something that is no mapping stands in the way.
    pub fn ensure_map(&mut self, keys: &[&str], span: Span) -> Option<&mut Self> {
        let mut node = self;
        for key in keys {
            let map = node.as_map_mut()?;
            if map.get(key).is_none_or(Self::is_null) {
                map.set(key, Self::empty_map(span));
            }
            node = map.get_mut(key)?;
        }
        node.as_map().is_some().then_some(node)
    }
}

impl Map {
    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where `key` is.
    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= INDEXED {
            return self.entries.iter().position(|entry| entry.key == key);
        }
        let keys = || self.entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
        self.index.get_or_init(|| Box::new(keys())).get(key).copied()
    }

    /// The entry of `key`.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(self.place(key)?)
    }

    /// The value at `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let at = self.place(key)?;
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Sets `key`, in its place where it exists, else at the end; the key's span becomes the value's for a new key.
    pub fn set(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.push(Entry { key: key.into(), key_span: value.span, value }),
        }
    }

    /// Adds or replaces a whole entry, key span included.
    pub fn insert(&mut self, entry: Entry) {
        match self.place(&entry.key).and_then(|at| self.entries.get_mut(at)) {
            Some(old) => *old = entry,
            None => self.push(entry),
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        // Behind it every place changes.
        self.index.take();
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    /// Keeps the entries that `keep` wants.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.index.take();
        self.entries.retain(keep);
    }

    /// The entries, to be changed in place.
    pub fn entries_mut(&mut self) -> &mut [Entry] {
        self.index.take();
        &mut self.entries
    }

    /// Appends without looking for the key: for builders that know it is new.
    pub(super) fn push(&mut self, entry: Entry) {
        if let Some(index) = self.index.get_mut() {
            index.insert(entry.key.clone(), self.entries.len());
        }
        self.entries.push(entry);
    }
}

impl serde::Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Uint(value) => serializer.serialize_u64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Str(value) => serializer.serialize_str(value),
            Value::Map(map) => serializer.collect_map(map.entries.iter().map(|entry| (&entry.key, &entry.value))),
            Value::Seq(items) => serializer.collect_seq(items.iter()),
        }
    }
}
