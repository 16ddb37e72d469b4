use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
        value::{BorrowedStrDeserializer, U32Deserializer},
    },
};

use super::{
    Entry, Node, Value,
    emit::{json_float, short_float},
    spanned::SPANNED,
};
use crate::source::Span;

/// Why a node does not fit a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// In words: lower case, no full stop.
    pub message: String,
    /// The deepest node at fault: the mapping for a missing field, the key for an unknown one, else the value.
    /// [`Span::NONE`] where no file holds it.
    pub span: Span,
}

/// Reads `node` as a `T`, as the API server reads a typed object: a field that is null is absent, and a number or a
/// truth value is no text. kustomize is as strict with kustomization files (v5.5, `types.Kustomization.Unmarshal`), but
/// takes their field names in any case. Where `T` asks for `&str` it borrows from `node`.
///
/// # Errors
/// Where `node` does not fit `T`.
pub fn decode<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, DecodeError> {
    T::deserialize(NodeDeserializer { node, mode: Mode::Strict })
}

/// Reads `node` as a `T` like [`decode`], but numbers and truth values become text where text is asked for, and so
/// does null (the empty text), as sigs.k8s.io/yaml v1.4 does when it knows the type (`convertToJSONableObject`).
///
/// # Errors
/// Where `node` does not fit `T`.
pub fn decode_lenient<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, DecodeError> {
    T::deserialize(NodeDeserializer { node, mode: Mode::Lenient })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Strict,
    Lenient,
}

impl DecodeError {
    /// Says where, unless something deeper already did.
    fn or_at(mut self, span: Span) -> Self {
        self.span = self.span.or(span);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), span: Span::NONE }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            Unexpected::Unit | Unexpected::Option => Unexpected::Other("null"),
            Unexpected::Map => Unexpected::Other("mapping"),
            Unexpected::Seq => Unexpected::Other("list"),
            found => found,
        };
        Self::custom(format_args!("invalid type: {found}, expected {expected}"))
    }
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de> {
    node: &'de Node,
    mode: Mode,
}

impl<'de> NodeDeserializer<'de> {
    fn at<T>(self, result: Result<T, DecodeError>) -> Result<T, DecodeError> {
        result.map_err(|error| error.or_at(self.node.span))
    }

    fn mismatch<T>(self, visitor: &dyn de::Expected) -> Result<T, DecodeError> {
        let found = match &self.node.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Int(value) => Unexpected::Signed(*value),
            Value::Uint(value) => Unexpected::Unsigned(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Str(text) => Unexpected::Str(text),
            Value::Map(_) => Unexpected::Map,
            Value::Seq(_) => Unexpected::Seq,
        };
        self.at(Err(de::Error::invalid_type(found, visitor)))
    }

    /// Visits the entries of a mapping; those of `fields` that are null count as absent.
    fn map<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Map(map) = &self.node.value else { return self.mismatch(&visitor) };
        let entries = map.entries().iter();
        self.at(visitor.visit_map(Entries { entries, value: None, fields, mode: self.mode }))
    }

    /// A whole number may be written with a fraction of zero or an exponent: JSON does not tell them apart.
    fn whole<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.value {
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
                self.at(visitor.visit_i64(value as i64))
            }
            _ => self.deserialize_any(visitor),
        }
    }
}

macro_rules! whole {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.whole(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DecodeError;

    whole! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }
    whole! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    serde::forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Uint(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Str(text) => visitor.visit_borrowed_str(text),
            Value::Map(_) => return self.map(&[], visitor),
            Value::Seq(items) => visitor.visit_seq(Items { items: items.iter(), mode: self.mode }),
        };
        self.at(result)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.mode == Mode::Strict {
            return self.deserialize_any(visitor);
        }
        let text = match &self.node.value {
            Value::Null => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Uint(value) => value.to_string(),
            Value::Float(value) => short_float(*value),
            _ => return self.deserialize_any(visitor),
        };
        self.at(visitor.visit_string(text))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.node.is_null() { self.at(visitor.visit_none()) } else { self.at(visitor.visit_some(self)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match (name, &self.node.value) {
            (SPANNED, _) => self.at(visitor.visit_seq(SpanThenValue { part: 0, inner: self })),
            // The API takes a quantity written as a number (`cpu: 1`) and prints it as text.
            ("Quantity", Value::Int(number)) => {
                self.at(visitor.visit_newtype_struct(number.to_string().into_deserializer()))
            }
            ("Quantity", Value::Float(number)) => {
                self.at(visitor.visit_newtype_struct(json_float(*number).into_deserializer()))
            }
            _ => self.at(visitor.visit_newtype_struct(self)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.map(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.map(fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let access = match &self.node.value {
            Value::Str(text) => Variant { name: text, name_span: self.node.span, content: None, whole: self },
            Value::Map(map) => match map.entries() {
                [entry] => {
                    let content = Some(NodeDeserializer { node: &entry.value, mode: self.mode });
                    Variant { name: &entry.key, name_span: entry.key_span, content, whole: self }
                }
                _ => return self.mismatch(&visitor),
            },
            _ => return self.mismatch(&visitor),
        };
        self.at(visitor.visit_enum(access))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Node>,
    mode: Mode,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let result = seed.deserialize(NodeDeserializer { node, mode: self.mode });
        result.map(Some).map_err(|error| error.or_at(node.span))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    value: Option<&'de Node>,
    fields: &'static [&'static str],
    mode: Mode,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        let fields = self.fields;
        let absent = |entry: &Entry| entry.value.is_null() && fields.contains(&entry.key.as_str());
        let Some(entry) = self.entries.find(|entry| !absent(entry)) else { return Ok(None) };
        self.value = Some(&entry.value);
        let key = seed.deserialize(BorrowedStrDeserializer::new(&entry.key));
        key.map(Some).map_err(|error: DecodeError| error.or_at(entry.key_span))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        let Some(node) = self.value.take() else { return Err(de::Error::custom("a value without its key")) };
        let result = seed.deserialize(NodeDeserializer { node, mode: self.mode });
        result.map_err(|error| error.or_at(node.span))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Variant<'de> {
    name: &'de str,
    name_span: Span,
    content: Option<NodeDeserializer<'de>>,
    whole: NodeDeserializer<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Self::Error> {
        let name = seed.deserialize(BorrowedStrDeserializer::new(self.name));
        Ok((name.map_err(|error: DecodeError| error.or_at(self.name_span))?, self))
    }
}

impl<'de> Variant<'de> {
    fn content(&self) -> Result<NodeDeserializer<'de>, DecodeError> {
        let missing =
            || self.whole.at(Err(de::Error::invalid_type(Unexpected::UnitVariant, &"a variant with content")));
        self.content.map_or_else(missing, Ok)
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), Self::Error> {
        self.content.map_or(Ok(()), <()>::deserialize)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Self::Error> {
        let content = self.content()?;
        content.at(seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        self.content()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.content()?.map(fields, visitor)
    }
}

/// What a [`Spanned`](super::Spanned) is read from: file, start, end, value.
struct SpanThenValue<'de> {
    part: u8,
    inner: NodeDeserializer<'de>,
}

impl<'de> SeqAccess<'de> for SpanThenValue<'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        let span = self.inner.node.span;
        let number: U32Deserializer<DecodeError> = match self.part {
            0 => (span.file.index() as u32).into_deserializer(),
            1 => span.start.into_deserializer(),
            2 => span.end.into_deserializer(),
            _ => return seed.deserialize(self.inner).map(Some),
        };
        self.part += 1;
        seed.deserialize(number).map(Some)
    }
}

#[cfg(test)]
mod tests;
