//! `schema/report.schema.json` and the page on formats say what the code writes.

use std::fs;

use super::consumers::{self, text};
use crate::support::root;

#[test]
fn the_schema_is_the_one_that_the_code_yields() {
    let path = root().join("schema/report.schema.json");
    let schema = fluxdag::report::json_schema();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, &schema).expect("written");
    }
    let committed = fs::read_to_string(&path).expect("a schema; UPDATE=1 writes it");
    assert_eq!(committed, schema, "UPDATE=1 cargo test writes {}", path.display());
}

#[test]
fn the_schema_can_fail() {
    let schema: serde_json::Value = serde_json::from_str(&fluxdag::report::json_schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(!validator.is_valid(&serde_json::json!({"schema_version": 1})));
    assert!(!validator.is_valid(&serde_json::json!([])));
}

#[test]
fn the_page_on_formats_names_every_field() {
    let page = include_str!("../../../docs/formats.md");
    let schema: serde_json::Value = serde_json::from_str(&fluxdag::report::json_schema()).expect("JSON");
    let definitions = schema["$defs"].as_object().expect("definitions");
    let objects = definitions.values().chain([&schema]).filter_map(|object| object["properties"].as_object());
    let mut fields = 0;
    for (name, field) in objects.flatten() {
        assert!(page.contains(&format!("`{name}`")), "docs/formats.md does not name `{name}`");
        assert!(field.get("description").is_some_and(|words| !text(words).is_empty()), "`{name}` has no description");
        fields += 1;
    }
    assert!(fields > 40, "{fields} fields");
}

#[test]
fn the_page_on_formats_names_every_format_and_level() {
    let page = include_str!("../../../docs/formats.md");
    for format in fluxdag::report::Format::ALL {
        assert!(page.contains(&format!("\n## {format}\n")), "docs/formats.md has no section on {format}");
    }
    for row in [
        "| error | error | error | major | failure | ERROR | error |",
        "| warning | warning | warning | minor | failure | WARNING | warning |",
        "| info | note | notice | info | property only | INFO | info |",
    ] {
        assert!(page.contains(row), "{row}");
    }
}

/// The blocks of a language below a heading of the page on formats.
fn examples(heading: &str, language: &str) -> Vec<String> {
    let page = include_str!("../../../docs/formats.md");
    let section = page.split("\n## ").find(|section| section.lines().next() == Some(heading)).expect("a heading");
    let start = format!("```{language}\n");
    section.split(&start).skip(1).map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_examples_on_the_page_are_read_by_the_readers() {
    let one = |heading: &str, language: &str| {
        let blocks = examples(heading, language);
        let [block] = &blocks[..] else { panic!("{heading} has {} examples", blocks.len()) };
        block.clone()
    };
    assert_eq!(consumers::json(&one("json", "json")), 1);
    assert_eq!(consumers::gitlab(&one("gitlab", "json")), 1);
    assert_eq!(consumers::github(&one("github", "text")), 1);
    let run = r#"{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{"tool": {"driver": {"name": "fluxdag", "rules": []}}, "results": [RESULT]}]}"#;
    assert_eq!(consumers::sarif(&run.replace("RESULT", &one("sarif", "json"))), 1);
    assert_eq!(
        consumers::checkstyle(&format!("<checkstyle version='4.3'>{}</checkstyle>", one("checkstyle", "xml"))),
        1
    );
    let suites = "<testsuites name='fluxdag' tests='1' failures='1' errors='0'>";
    assert_eq!(consumers::junit(&format!("{suites}{}</testsuites>", one("junit", "xml"))), 1);
}
