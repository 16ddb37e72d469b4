//! The JSON Schema of the file, made of the types that read it: editors complete and check with it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

use super::{FailOn, file::File, rules::RuleTable};
use crate::{
    finding::Category,
    rules::{ALIASES, RULES},
    timing::Profile,
};

/// Where the schema is to be had: the first line of a file names it for editors.
pub const SCHEMA_URL: &str = "https://json.schemastore.org/fluxdag.json";

/// The JSON Schema of `fluxdag.toml`.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<File>();
    schema.insert("$id".to_owned(), SCHEMA_URL.into());
    schema.insert("title".to_owned(), "fluxdag.toml".into());
    let mut value = schema.to_value();
    tidy(&mut value);
    Schema::try_from(value).unwrap_or_default()
}

/// Takes out `null`, which TOML has not, and the line ends of comments.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match (key.as_str(), &mut *field) {
                    ("description", Value::String(text)) => *text = text.replace('\n', " "),
                    ("type", Value::Array(types)) => {
                        types.retain(|name| name != "null");
                        if let [only] = types.as_slice() {
                            *field = only.clone();
                        }
                    }
                    ("enum", Value::Array(values)) => values.retain(|value| !value.is_null()),
                    _ => tidy(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

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

fn ids() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.info.id).chain(ALIASES.iter().map(|(before, _)| *before))
}

/// A table for each rule.
pub(super) struct RuleTables;

impl JsonSchema for RuleTables {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RuleTables".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RuleTable>();
        let of = |id: &'static str| {
            let summary = crate::rules::find(id).map(|info| info.summary).unwrap_or_default();
            (id.to_owned(), serde_json::json!({"description": summary, "allOf": [table.clone()]}))
        };
        let properties: serde_json::Map<String, serde_json::Value> = ids().map(of).collect();
        json_schema!({"type": "object", "additionalProperties": false, "properties": properties})
    }
}
