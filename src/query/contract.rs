//! What JSON documents have in common. The same thing has the same name and the same form in all of them.
//!
//! Numbers of seconds have names that end in `_s`. Numbers of things stand in `counts` and `summary`, under the name of the
//! list that they count.

mod finding;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

pub use finding::{ReportedEdit, ReportedFinding, ReportedPlace};

use crate::{finding::about, source::Place};

/// Raised when a field of any document changes its meaning or goes away. Added fields do not raise it.
pub const SCHEMA_VERSION: u32 = 2;

/// What a command prints for programs. It has a list of `clusters`.
pub trait Document: Serialize + JsonSchema {
    /// The command that prints it.
    const COMMAND: &'static str;

    /// What there is to know about the question, beside the answer. Not part of the document.
    fn notes(&self) -> &[String] {
        &[]
    }
}

/// A document with what is in front of each.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a, D> {
    /// Raised when a field of any document changes its meaning or goes away. Added fields do not raise it.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The program.
    tool: Tool,
    /// The command that printed it.
    command: &'static str,
    #[serde(flatten)]
    body: &'a D,
}

/// The program that wrote a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tool {
    /// Its name, `fluxdag`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The same thing in two states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sides<T> {
    /// As it is, or was.
    pub before: T,
    /// As it would be, or is now.
    pub after: T,
}

/// A time, counted from the first reconciliation, or an amount of time. Whole seconds in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

/// Something that only the cluster, another repository or a key would show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Unresolved")]
pub struct ReportedUnresolved {
    /// What: an object, a field, a path.
    pub what: String,
    /// Why it is not known.
    pub why: String,
    /// Where it is asked for; `null` where no file holds that.
    pub location: Option<Place>,
}

impl ReportedUnresolved {
    /// With its place.
    #[must_use]
    pub fn new(what: &str, why: &str, location: Option<Place>) -> Self {
        Self { what: what.to_owned(), why: why.to_owned(), location }
    }
}

impl<'a, D: Document> Envelope<'a, D> {
    /// Puts the head in front of `body`.
    pub const fn new(body: &'a D) -> Self {
        Self { schema_version: SCHEMA_VERSION, tool: Tool::THIS, command: D::COMMAND, body }
    }
}

impl Tool {
    /// This program.
    pub const THIS: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

impl<T> Sides<T> {
    /// The same of what comes of both.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Sides<U> {
        Sides { before: change(self.before), after: change(self.after) }
    }

    /// Both, borrowed.
    pub const fn as_ref(&self) -> Sides<&T> {
        Sides { before: &self.before, after: &self.after }
    }
}

impl<T> From<[T; 2]> for Sides<T> {
    fn from([before, after]: [T; 2]) -> Self {
        Self { before, after }
    }
}

impl Seconds {
    /// As people say it.
    #[must_use]
    pub fn about(self) -> String {
        about(self.0)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_secs())
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        u64::json_schema(generator)
    }
}
