//! The table of rules in the README is made from the rule pages: `UPDATE=1 cargo test` writes it.

use std::{env, fs, path::Path};

const START: &str = "<!-- made from rules/*.md by `UPDATE=1 cargo test` -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn readme_lists_every_rule_as_its_page_has_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = fs::read_dir(root.join("rules")) else { return };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut rows: Vec<Row> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| Row::of_page(&fs::read_to_string(path).unwrap()))
        .collect();
    rows.sort();
    let table: String = rows.iter().map(Row::to_line).collect();

    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).unwrap().replace('\r', "");
    let (before, rest) = readme.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let head = "| rule | severity | what it reports |\n|---|---|---|\n";
    let expected = format!("{before}{START}{head}{table}{END}{after}");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(readme == expected, "README.md is not current, `UPDATE=1 cargo test` makes it so:\n{head}{table}");
    }
}

#[test]
fn a_row_is_made_of_id_severity_and_summary() {
    let page = "# some-rule\n\nWhat it reports.\n\n| severity | confidence |\n|---|---|\n| error | high |\n";
    assert_eq!(Row::of_page(page).to_line(), "| [`some-rule`](rules/some-rule.md) | error | What it reports |\n");
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    severity: String,
    id: String,
    summary: String,
}

impl Row {
    fn of_page(page: &str) -> Self {
        let mut lines = page.lines().filter(|line| !line.is_empty());
        let id = lines.next().unwrap().trim_start_matches("# ").to_owned();
        let summary = lines.next().unwrap().trim_end_matches('.').to_owned();
        let severity = lines.nth(2).unwrap().split('|').nth(1).unwrap().trim().to_owned();
        Self { severity, id, summary }
    }

    fn to_line(&self) -> String {
        let Self { severity, id, summary } = self;
        format!("| [`{id}`](rules/{id}.md) | {severity} | {summary} |\n")
    }
}
