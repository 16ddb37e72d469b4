//! What `docs/install.md` and `docs/ci.md` tell people to type and to copy.
#![cfg(unix)]

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::support::{self, Done, Program, Repository, copy_folder, root};

const PAGES: [&str; 2] = ["docs/install.md", "docs/ci.md"];

/// What takes a compiler, a container engine or flux itself: `.ci/packages` runs what it can of that.
const OTHERS: [&str; 8] = ["cargo ", "pip ", "scripts/archive ", "docker ", "mkdir ", "ln ", "flux ", "maturin "];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The lines behind `$ ` in the fences of a page.
fn commands(page: &str) -> Vec<String> {
    let text = read(page);
    let fences = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    fences.flat_map(str::lines).filter_map(|line| Some(line.strip_prefix("$ ")?.to_owned())).collect()
}

/// A folder with a copy of a fixture in `work`, where commands are run as a user would.
struct Desk(Repository);

impl Desk {
    fn new(fixture: &str) -> Self {
        let desk = Repository::empty();
        copy_folder(&support::fixture(fixture), &desk.path("work"));
        Self(desk)
    }

    fn run(&self, command: &str) -> Done {
        Program::shell(self.0.path("work"), self.0.folder(), command).run()
    }
}

#[test]
fn every_command_of_the_pages_runs() {
    let mut run = 0;
    for page in PAGES {
        for command in commands(page) {
            if OTHERS.iter().any(|other| command.starts_with(other)) {
                continue;
            }
            let done = Desk::new("heavy-in-wait").run(&command);
            let Done { code, err: said, .. } = done;
            // Of findings a strict command may complain, and of nothing else.
            assert!(code == 0 || (code == 1 && command.contains("--fail-on")), "{page}: `{command}` {code}: {said}");
            run += 1;
        }
    }
    assert!(run >= 6, "{run}");
}

#[test]
fn the_page_on_pipelines_lists_what_the_action_and_the_hooks_have() {
    let page = read("docs/ci.md");
    let action: Value = serde_yaml::from_str(&read("action.yml")).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let reported = |head: &str| -> BTreeSet<String> {
        let (_, table) = page.split_once(head).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(reported("| input | default | |"), keys(&action["inputs"]));
    assert_eq!(reported("| output | |"), keys(&action["outputs"]));
    let hooks: Value = serde_yaml::from_str(&read(".pre-commit-hooks.yaml")).unwrap();
    let ids = hooks.as_array().unwrap().iter().map(|hook| hook["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reported("| id | how it gets the program |"), ids);
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    for line in page.lines().filter(|line| line.contains("OWNER/fluxdag@") || line.contains("rev: ")) {
        assert!(line.ends_with(&version), "{line}");
    }
}

#[test]
fn the_recipe_for_pull_requests_stops_what_a_branch_brings() {
    let page = read("docs/ci.md");
    let recipe = page.split("- **What the change adds**: `").nth(1).unwrap().split('`').next().unwrap();
    assert!(commands("README.md").contains(&recipe.to_owned()), "the README has the same");
    assert!(recipe.starts_with("fluxdag lint --since origin/main"), "{recipe}");
    let desk = Desk::new("heavy-in-wait");
    let prepared = desk.run(
        "git init -q -b main && git add -A && git commit -qm start && git update-ref refs/remotes/origin/main main &&\n\
         git switch -qc change",
    );
    assert_eq!(prepared.code, 0, "{}", prepared.err);
    let code = |desk: &Desk| desk.run(recipe).code;
    // The old warnings do not count.
    assert_eq!(code(&desk), 0);
    // A commit that does nothing but delete a file that others need.
    assert!(desk.run("git rm -q clusters/home/issuers.yaml && git commit -qm delete").code == 0);
    let stopped = desk.run(recipe);
    assert_eq!(stopped.code, 1, "{}", stopped.err);
    assert!(stopped.out.contains("dangling-dependency"));
}
