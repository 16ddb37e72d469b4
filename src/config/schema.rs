//! The JSON Schema of the file, made of the types that read it: editors complete and check with it.

use schemars::{Schema, generate::SchemaSettings};
use serde_json::Value;

use super::file::File;

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
