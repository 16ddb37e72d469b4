//! Schemas of the texts that a configuration file holds.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::FailOn;
use crate::{
    finding::Category,
    rules::{ALIASES, RULES},
    timing::Profile,
};

/// Gives a type that stands for a text of some form a schema.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $schema:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

text!(
    /// A duration as Go writes it.
    DurationText,
    json_schema!({"type": "string", "pattern": r"^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$", "examples": ["90s", "10m", "1h30m"]})
);
text!(
    /// A release of Flux.
    VersionText,
    json_schema!({"type": "string", "pattern": r"^v?[0-9]+\.[0-9]+", "examples": ["2.9"]})
);
text!(
    /// A severity.
    Level,
    json_schema!({"type": "string", "enum": ["error", "warning", "info"]})
);
text!(
    /// A severity, or none.
    RuleLevel,
    json_schema!({"type": "string", "enum": ["error", "warning", "info", "off"]})
);
text!(
    /// A severity that fails a run.
    FailLevel,
    json_schema!({"type": "string", "enum": FailOn::VALUES})
);
text!(
    /// How sure a rule is.
    Sureness,
    json_schema!({"type": "string", "enum": ["high", "medium", "low"]})
);
text!(
    /// Hardware.
    ProfileName,
    json_schema!({"type": "string", "enum": Profile::VALUES})
);
text!(
    /// A rule or a category.
    SelectorText,
    json_schema!({"type": "string", "enum": Category::ALL.map(Category::name).into_iter().chain(ids()).collect::<Vec<_>>()})
);

/// Every id that names a rule, those of former releases included.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.info.id).chain(ALIASES.iter().map(|(before, _)| *before))
}
