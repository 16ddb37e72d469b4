//! The page on formats says what the code writes.

use super::consumers;

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
