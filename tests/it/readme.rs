//! What the README shows is made: the table of rules from the rule pages, the output by the program.
//! `UPDATE=1 cargo test` writes both.

use std::{env, fs, path::Path, process::Command};

const START: &str = "<!-- made from rules/*.md by `UPDATE=1 cargo test` -->\n";
const END: &str = "<!-- end -->\n";
const OUTPUT: &str = "<!-- printed by `fluxdag lint fixtures/heavy-in-wait`; `UPDATE=1 cargo test` writes it -->\n";
const OUTPUT_END: &str = "<!-- end of output -->\n";

const ANSWER: &str =
    "<!-- printed by `fluxdag why database core -C fixtures/heavy-in-wait`; `UPDATE=1 cargo test` writes it -->\n";
const ANSWER_END: &str = "<!-- end of answer -->\n";

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

    let head = "| rule | severity | what it reports |\n|---|---|---|\n";
    hold(START, &format!("{head}{table}"), END);
}

#[test]
fn readme_shows_what_the_program_prints() {
    let output = printed(&["lint", "fixtures/heavy-in-wait"]);
    let (first, _) = output.split_once("\n\n").unwrap();
    hold(OUTPUT, &format!("```text\n{first}\n```\n"), OUTPUT_END);
}

#[test]
fn readme_shows_an_answer() {
    let output = printed(&["why", "database", "core", "-C", "fixtures/heavy-in-wait"]);
    hold(ANSWER, &format!("```text\n{output}```\n"), ANSWER_END);
}

/// What the program prints on standard output.
fn printed(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxdag"));
    command.args(arguments).current_dir(root).env_clear().env("LC_ALL", "C.UTF-8");
    if let Some(windows) = env::var_os("SystemRoot") {
        command.env("SystemRoot", windows);
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap().replace('\r', "")
}

/// Holds what stands between two marks of the README to `text`, or writes it there.
fn hold(start: &str, text: &str, end: &str) {
    // Two tests write the file: one after the other.
    static FILE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap().replace('\r', "");
    let (before, rest) = readme.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{start}{text}{end}{after}");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(readme == expected, "README.md is not current, `UPDATE=1 cargo test` makes it so:\n{text}");
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
