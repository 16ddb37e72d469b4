//! Every command that the documentation and the help texts show is run, in a repository that has what they name.
#![cfg(unix)]

use std::{fs, path::PathBuf};

use crate::support::{Done, Program, Repository, copy_folder, entries, fixture, root};

/// Infos of fenced blocks that hold commands. Those of `console` have a prompt.
const SHELLS: [&str; 3] = ["console", "sh", "bash"];

/// A copy of the repository that the documentation speaks of, in a folder `fleet`, under git: `main` and `origin/main` are one
/// commit behind, which is a change of an image; another change is not committed. A baseline has what is found.
struct Fleet(Repository);

impl Fleet {
    fn new() -> Self {
        let folder = Repository::empty();
        copy_folder(&fixture("documentation"), &folder.path("fleet"));
        let this = Self(folder);
        let git = |arguments: &str| {
            let done = this.shell(&format!("git {arguments}"));
            assert_eq!(done.code, 0, "git {arguments}: {}", done.err);
        };
        assert_eq!(this.shell("fluxdag lint --write-baseline").code, 0, "a baseline");
        git("init -q -b main");
        git("add -A");
        git("commit -q -m one");
        git("update-ref refs/remotes/origin/main main");
        git("tag v1.0");
        git("checkout -q -b change");
        this.0.edit("fleet/apps/base/web.yaml", "web:1.0.0", "web:1.1.0");
        git("commit -q -a -m two");
        git("branch feature");
        let settings = this.0.read("fleet/dns/settings.yaml");
        this.0.write("fleet/dns/settings.yaml", settings + "  ttl: 1h\n");
        this
    }

    /// Runs a line of a shell in it, with fluxdag on the path.
    fn shell(&self, line: &str) -> Done {
        Program::shell(self.0.path("fleet"), self.0.folder(), line).run()
    }

    /// What is wrong with a command that is shown; a finding is not.
    fn try_out(&self, line: &str) -> Option<String> {
        let Done { code, err: said, .. } = self.shell(line);
        let is_well = matches!(code, 0 | 1) && !said.contains("panicked");
        (!is_well).then(|| format!("{line}\n    {code}: {said}"))
    }
}

/// The commands of each block of a page.
fn blocks(page: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, Vec<String>)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, lines)| lines)),
            (Some(info), None) => open = Some((SHELLS.contains(&info), Vec::new())),
            (None, Some((true, lines))) => {
                let line = line.strip_prefix("$ ").unwrap_or(line);
                if line.starts_with("fluxdag ") {
                    lines.push(line.to_owned());
                }
            }
            (None, _) => {}
        }
    }
    blocks.retain(|lines| !lines.is_empty());
    blocks
}

/// The pages that lie in a folder.
fn markdown(folder: &str) -> Vec<PathBuf> {
    let mut pages = entries(&root().join(folder));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
}

fn pages() -> Vec<PathBuf> {
    let mut pages = markdown("docs");
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

#[test]
fn commands_of_the_documentation_work() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for page in pages() {
        for block in blocks(&fs::read_to_string(&page).unwrap()) {
            let fleet = Fleet::new();
            tried += block.len();
            wrong.extend(block.iter().filter_map(|line| Some(format!("{}: {}", page.display(), fleet.try_out(line)?))));
        }
    }
    assert!(tried > 10, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The commands that a help text names, one in each line under `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The examples of a help text, without what they are said to do.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("fluxdag "));
    lines.map(|line| line.split("  ").next().unwrap_or(line).to_owned()).collect()
}

#[test]
fn examples_of_the_help_work() {
    let help = |command: &str| {
        let done = Fleet::new().shell(&format!("fluxdag {command} --help"));
        done.out
    };
    let top = help("");
    let commands = commands(&top);
    assert!(commands.contains(&"lint".to_owned()) && commands.contains(&"rules".to_owned()), "{commands:?}");
    let mut wrong = Vec::new();
    for (command, text) in
        std::iter::once(("", top)).chain(commands.iter().map(|command| (command.as_str(), help(command))))
    {
        let examples = examples(&text);
        assert!(!examples.is_empty(), "the help of `{command}` has no example");
        for line in examples {
            wrong.extend(Fleet::new().try_out(&line).map(|what| format!("help of `{command}`: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_and_examples_are_found() {
    let page = "```console\n$ fluxdag lint\nfound 0\n$ cargo test\n```\ntext\n```yaml\nfluxdag lint\n```\n```sh\nfluxdag rules\n```\n";
    assert_eq!(blocks(page), [["fluxdag lint"], ["fluxdag rules"]]);
    assert_eq!(commands("x\n\nCommands:\n  lint   Check\n         more\n  help   Print\n\nOptions:\n  -q\n"), ["lint"]);
    assert_eq!(examples("Examples:\n  fluxdag lint a    Check\n    more\n"), ["fluxdag lint a"]);
}

/// The targets of the links of a page, without those to other sites.
fn links(page: &str) -> Vec<&str> {
    let mut fenced = false;
    let lines = page.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced
    });
    let targets = lines.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target).filter(|target| !target.contains("://")).collect()
}

/// What a link may name behind `#`: the headings of a page, as GitHub writes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let anchor =
        |heading: &str| heading.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>();
    headings.map(|heading| anchor(heading).replace(' ', "-")).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut pages = markdown("rules");
    pages.extend(self::pages());
    let (mut tried, mut wrong) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            tried += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let leads = target.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).iter().any(|it| it == heading)));
            if !leads {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(tried > 50, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(links("[a](b.md#c-d), [e](https://f.example)\n```\n[g](h)\n```\n"), ["b.md#c-d"]);
    assert_eq!(anchors("## `[rules.<id>]` and A key\n"), ["rulesid-and-a-key"]);
}
