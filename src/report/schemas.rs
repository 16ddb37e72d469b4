//! The JSON Schemas of all documents.

use schemars::generate::SchemaSettings;

use super::{
    json::Linted,
    rules::{RuleList, RulePage},
    settings::ShownSettings,
};
use crate::{
    change::Diff,
    query::{Commit, Document, Envelope, Impact, Listing, Rendered, Timeline, WhatIf, Why, WhyOn},
};

/// The JSON Schema of each document, with the name of its file in `schema/` before `.schema.json`.
#[must_use]
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("lint", schema::<Linted>()),
        ("diff", schema::<Diff>()),
        ("why", schema::<Why>()),
        ("why-on", schema::<WhyOn>()),
        ("impact", schema::<Impact>()),
        ("timeline", schema::<Timeline>()),
        ("timeline-commit", schema::<Commit>()),
        ("what-if", schema::<WhatIf>()),
        ("render", schema::<Rendered>()),
        ("list", schema::<Listing>()),
        ("rules", schema::<RuleList>()),
        ("explain", schema::<RulePage>()),
        ("config-show", schema::<ShownSettings>()),
    ]
}

fn schema<D: Document>() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Envelope<'_, D>>();
    schema.insert("title".to_owned(), format!("fluxdag {}", D::COMMAND).into());
    if let Some(description) = D::json_schema(&mut SchemaSettings::draft2020_12().into_generator()).get("description") {
        schema.insert("description".to_owned(), description.clone());
    }
    if let Some(command) = schema.pointer_mut("/properties/command").and_then(serde_json::Value::as_object_mut) {
        command.insert("const".to_owned(), D::COMMAND.into());
    }
    format!("{:#}\n", schema.as_value())
}
