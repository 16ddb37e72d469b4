//! What the documentation shows is made: the list of rules from the registry, output by the program. `UPDATE=1 cargo test`
//! writes both.

use std::{env, fs};

use fluxdag::{
    finding::{Category, Tier},
    rules::RULES,
};

use crate::support::{fluxdag, root};

const OUTPUT: &str = "<!-- printed by `fluxdag lint fixtures/heavy-in-wait`; `UPDATE=1 cargo test` writes it -->\n";
const OUTPUT_END: &str = "<!-- end of output -->\n";

const ANSWER: &str =
    "<!-- printed by `fluxdag why database core -C fixtures/heavy-in-wait`; `UPDATE=1 cargo test` writes it -->\n";
const ANSWER_END: &str = "<!-- end of answer -->\n";

const CATEGORIES: [(Category, &str); 8] = [
    (Category::Deadlock, "What can never become Ready"),
    (Category::Reference, "Names that lead nowhere, or to the wrong thing"),
    (Category::Gate, "What a wait waits for"),
    (Category::Time, "Minutes: timeouts, retries, the critical path"),
    (Category::Order, "Races"),
    (Category::Ownership, "Who applies, and who prunes"),
    (Category::Build, "Files and builds"),
    (Category::Change, "From one revision to the next"),
];

#[test]
fn the_page_of_rules_lists_each() {
    let mut page = "# Rules\n\nMade from the registry and the pages in `rules/` by `UPDATE=1 cargo test`. `fluxdag explain RULE` prints a page, `fluxdag rules` \
                    this list.\n"
        .to_owned();
    for (category, title) in CATEGORIES {
        let rules: Vec<_> = RULES.iter().map(|rule| rule.info).filter(|info| info.category == category).collect();
        if rules.is_empty() {
            continue;
        }
        page.push_str(&format!("\n## {title}\n\n| rule | severity | what it reports |\n|---|---|---|\n"));
        for info in rules {
            let tier = if info.tier == Tier::Stable { String::new() } else { format!(" ({})", info.tier) };
            let summary = info.summary.trim_end_matches('.');
            page.push_str(&format!("| [`{0}`](../rules/{0}.md) | {1}{tier} | {summary} |\n", info.id, info.severity));
        }
    }
    let path = root().join("docs/rules.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, page).unwrap();
    } else {
        let known = fs::read_to_string(&path).unwrap().replace('\r', "");
        assert!(known == page, "docs/rules.md is not current, `UPDATE=1 cargo test` makes it so");
    }
}

#[test]
fn readme_shows_what_the_program_prints() {
    let output = printed(&["lint", "fixtures/heavy-in-wait"]);
    let (first, _) = output.split_once("\n\n").unwrap();
    hold("README.md", OUTPUT, &format!("```text\n{first}\n```\n"), OUTPUT_END);
}

#[test]
fn the_page_of_questions_shows_an_answer() {
    let output = printed(&["why", "database", "core", "-C", "fixtures/heavy-in-wait"]);
    hold("docs/questions.md", ANSWER, &format!("```text\n{output}```\n"), ANSWER_END);
}

/// What the program prints on standard output.
fn printed(arguments: &[&str]) -> String {
    fluxdag(root(), arguments).out.replace('\r', "")
}

/// Holds what stands between two marks of a page to `text`, or writes it there.
fn hold(page: &str, start: &str, text: &str, end: &str) {
    let path = root().join(page);
    let readme = fs::read_to_string(&path).unwrap().replace('\r', "");
    let (before, rest) = readme.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{start}{text}{end}{after}");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert!(readme == expected, "{page} is not current, `UPDATE=1 cargo test` makes it so:\n{text}");
    }
}
