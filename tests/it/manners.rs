//! How the program behaves where people meet it: completion, manual pages, links, streams, other names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{Done, Program, Repository, fixture, fluxdag};

const COMMANDS: [&str; 11] =
    ["lint", "render", "why", "impact", "what-if", "timeline", "list", "explain", "rules", "completions", "man"];

fn heavy() -> PathBuf {
    fixture("heavy-in-wait")
}

fn run(arguments: &[&str]) -> Done {
    fluxdag(heavy(), arguments)
}

fn fed(folder: &Path, arguments: &[&str], stream: &str) -> Done {
    Program::new(folder, arguments).fed(stream).run()
}

/// What bash is offered behind `words`, the last of which is being typed.
fn offered(folder: &Path, words: &[&str]) -> Vec<String> {
    let program = Program::new(folder, &[&["--", "fluxdag"], words].concat());
    let program = program.env("FLUXDAG_COMPLETE", "bash").env("_CLAP_IFS", "\n");
    let done = program.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).run();
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
    done.out.lines().map(str::to_owned).collect()
}

#[test]
fn rules_nodes_and_clusters_are_completed() {
    let here = heavy();
    assert_eq!(offered(&here, &["expl"]), ["explain"]);
    assert_eq!(offered(&here, &["explain", "dependency-c"]), ["dependency-cycle"]);
    let all = offered(&here, &["explain", ""]);
    assert!(fluxdag::rules::RULES.iter().all(|rule| all.iter().any(|offer| offer == rule.info.id)), "{all:?}");
    assert_eq!(offered(&here, &["why", "dat"]), ["data-operators", "database"]);
    assert_eq!(offered(&here, &["why", "database", "cor"]), ["core"]);
    assert_eq!(offered(&here, &["why", "flux-system/dat"]), ["flux-system/data-operators", "flux-system/database"]);
    assert_eq!(offered(&here, &["why", "hr/monitoring/"]), ["hr/monitoring/kube-prometheus-stack"]);
    assert_eq!(offered(&here, &["render", "cor"]), ["core"]);
    assert_eq!(offered(&here, &["timeline", "--to", "cor"]), ["core"]);
    assert_eq!(offered(&here, &["what-if", "--unset-wait", "cor"]), ["core"]);
    let either = offered(&here, &["impact", "c"]);
    assert!(
        either.iter().any(|offer| offer == "configs") && either.iter().any(|offer| offer.starts_with("clusters")),
        "{either:?}"
    );
    assert_eq!(offered(&here, &["lint", "--cluster", ""]), ["clusters/home"]);
    assert_eq!(offered(&here, &["lint", "--fail-on", "w"]), ["warning"]);
    assert_eq!(offered(&here, &["lint", "--select", "dea"]), ["deadlock"]);
    assert_eq!(offered(&here, &["lint", "-o", "sa"]), ["sarif"]);
}

#[test]
fn another_repository_is_completed_from() {
    let elsewhere = Repository::empty();
    let repository = heavy();
    assert_eq!(offered(elsewhere.folder(), &["why", "-C", repository.to_str().unwrap(), "cor"]), ["core"]);
}

#[test]
fn where_there_is_nothing_to_complete_nothing_is_said() {
    let empty = Repository::empty();
    assert_eq!(offered(empty.folder(), &["why", "cor"]), Vec::<String>::new());
    empty.write("fluxdag.toml", "nonsense");
    assert_eq!(offered(empty.folder(), &["why", "cor"]), Vec::<String>::new());
    let unknown = Program::new(empty.folder(), &["--", "fluxdag", "why", ""]);
    let unknown = unknown.env("FLUXDAG_COMPLETE", "no-such-shell").run();
    assert_eq!((unknown.code, unknown.out.as_str(), unknown.err.as_str()), (0, "", ""));
}

#[test]
fn flux_completes_its_plugin() {
    let done = run(&["__complete", "why", "dat"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let expected = "data-operators\tKustomization flux-system/data-operators\n\
                    database\tKustomization flux-system/database\n:0\n";
    assert_eq!(done.out, expected);
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = run(&["completions", shell]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{shell}");
        assert!(done.out.contains("FLUXDAG_COMPLETE") && done.out.contains("fluxdag"), "{shell}: {}", done.out);
    }
    let wrong = run(&["completions", "bsh"]);
    assert!(wrong.code == 2 && wrong.err.contains("'bash'"), "{}", wrong.err);
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes_with_its_script() {
    let folder = Repository::empty();
    let script = "source <(fluxdag completions bash)\n\
                  COMP_WORDS=(fluxdag explain wait-d) COMP_CWORD=2 COMP_TYPE=9\n\
                  $(complete -p fluxdag | sed -E 's/.*-F ([^ ]+).*/\\1/') fluxdag wait-d explain\n\
                  echo \"${COMPREPLY[@]}\"";
    let done = Program::shell(heavy(), folder.folder(), script).run();
    assert_eq!((done.out.trim(), done.err.as_str()), ("wait-deadlock", ""));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Repository::empty();
    let out = folder.path("share/man1");
    let written = run(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!((written.code, written.out.as_str()), (0, ""));
    assert!(written.err.starts_with("wrote manual pages to "), "{}", written.err);
    let mut pages: Vec<String> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    let mut expected: Vec<String> = COMMANDS.iter().map(|command| format!("fluxdag-{command}.1")).collect();
    expected.push("fluxdag.1".to_owned());
    expected.sort();
    for page in &expected {
        assert!(pages.contains(page), "{page} is not in {pages:?}");
    }
    for (arguments, page) in [(vec!["man"], "fluxdag.1"), (vec!["man", "lint"], "fluxdag-lint.1")] {
        let printed = run(&arguments);
        assert_eq!(printed.code, 0, "{}", printed.err);
        assert_eq!(printed.out, fs::read_to_string(out.join(page)).unwrap(), "{page}");
        assert!(printed.out.contains("\n.TH ") && printed.out.contains("Examples:"), "{page}");
    }
    let wrong = run(&["man", "lin"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `lint`?"), "{}", wrong.err);
}

#[test]
fn help_teaches_with_examples() {
    let top = run(&["--help"]).out;
    assert!(top.contains("Examples:"), "{top}");
    // Commands that come later are held to it as well.
    let listed = top.split("Commands:").nth(1).unwrap().lines().skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(COMMANDS.iter().all(|command| names.contains(command)), "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let help = run(&[name, "--help"]).out;
        assert!(help.contains("Examples:\n  ") && help.contains(&format!("fluxdag {name}")), "{help}");
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_likely_one() {
    let wrong: [(&[&str], &str); 8] = [
        (&["lnt"], "'lint'"),
        (&["lint", "--fail-no", "error"], "'--fail-on'"),
        (&["explain", "dependency-cicle"], "`dependency-cycle`"),
        (&["why", "cor"], "core`"),
        (&["render", "cor"], "core`"),
        (&["impact", "cor"], "core`"),
        (&["timeline", "--to", "cor"], "core`"),
        (&["what-if", "--fail", "cor"], "core`"),
    ];
    for (arguments, likely) in wrong {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains(likely), "{arguments:?}: {}", done.err);
    }
}

#[test]
fn links_are_drawn_on_demand_and_never_into_files() {
    const LINK: &str = "\u{1b}]8;;";
    let place = format!("{LINK}file://");
    assert!(!run(&["lint"]).out.contains(LINK));
    assert!(!run(&["lint", "--hyperlinks", "never", "--color", "always"]).out.contains(LINK));
    for color in ["always", "never"] {
        let linked = run(&["lint", "--hyperlinks", "always", "--color", color]).out;
        assert!(linked.contains(&place), "{linked}");
        let target = linked.split(&place).nth(1).unwrap();
        assert!(target.contains("/clusters/home/core.yaml\u{1b}\\clusters/home/core.yaml:17:9\u{1b}]8;;\u{1b}\\"));
        assert_eq!(linked.matches(LINK).count() % 2, 0, "each link ends");
        let other = run(&["lint", "-o", "concise", "--hyperlinks", "always"]).out;
        assert!(!other.contains(LINK), "{other}");
    }
    let folder = Repository::empty();
    let file = folder.path("out.txt");
    run(&["lint", "--hyperlinks", "always", "-o", &format!("full={}", file.display())]);
    assert!(!fs::read_to_string(file).unwrap().contains('\u{1b}'));
}

#[cfg(not(any(windows, target_os = "macos")))]
#[test]
fn glyphs_follow_the_locale() {
    let reported = |locale: &str| Program::new(fixture("unreached-cycle"), &["lint"]).env("LC_ALL", locale).run().out;
    let drawn = reported("C.UTF-8");
    assert!(drawn.contains('╭') && drawn.contains(" → "), "{drawn}");
    let ascii = reported("C");
    assert!(ascii.is_ascii() && ascii.contains(" -> "), "{ascii}");
}

#[test]
fn what_is_no_terminal_sees_no_progress() {
    let done = run(&["lint", "-o", "json"]);
    assert_eq!(done.err, "");
    assert_eq!(done.out, run(&["lint", "-o", "json", "--no-progress"]).out);
}

#[test]
fn nobody_reading_is_no_error() {
    for arguments in [&["lint"][..], &["completions", "zsh"], &["man"], &["timeline"], &["render", "core"]] {
        let done = Program::new(heavy(), arguments).run_unread();
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{arguments:?}");
    }
}

/// Two Kustomizations that wait for each other.
fn cycle() -> String {
    let one = |name: &str, on: &str| {
        format!(
            "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
             metadata: {{name: {name}, namespace: flux-system}}\n\
             spec:\n  interval: 1h\n  path: ./apps\n  prune: true\n  dependsOn: [{{name: {on}}}]\n  \
             sourceRef: {{kind: GitRepository, name: flux-system}}\n"
        )
    };
    one("left", "right") + &one("right", "left")
}

#[test]
fn a_stream_is_checked_alone() {
    let empty = Repository::empty();
    let found = fed(empty.folder(), &["lint", "-", "-o", "concise"], &cycle());
    assert_eq!(found.code, 1, "{}", found.err);
    assert!(found.out.starts_with("stdin.yaml:9:22: error[dependency-cycle]"), "{}", found.out);
    assert_eq!(found.out.lines().count(), 1, "paths of a stream lead nowhere that is known: {}", found.out);
    // The repository around the working directory is not part of it.
    assert_eq!(fed(&heavy(), &["lint", "-", "-o", "concise"], &cycle()).out, found.out);
    let nothing = fed(empty.folder(), &["lint", "-"], "");
    assert_eq!((nothing.code, nothing.out.as_str()), (2, ""));
    assert!(nothing.err.contains("in what standard input holds"), "{}", nothing.err);
    assert_eq!(fed(empty.folder(), &["lint", "-", "--allow-empty"], "").code, 0);
    assert_eq!(fed(empty.folder(), &["lint", "-"], "kind: Kustomization\n  spec: {").code, 2);
}

#[test]
fn a_stream_stands_for_a_file_of_the_repository() {
    let arguments = |name| ["lint", "-", "--root", ".", "-o", "concise", "--stdin-filename", name];
    // One that is not there yet.
    let new = fed(&heavy(), &arguments("clusters/home/new.yaml"), &cycle());
    assert_eq!(new.code, 1, "{}", new.err);
    assert!(new.out.contains("\nclusters/home/new.yaml:9:22: error[dependency-cycle]"), "{}", new.out);
    // One that is there, as it is on disk and as it will be.
    let core = fs::read_to_string(heavy().join("clusters/home/core.yaml")).unwrap();
    let same = fed(&heavy(), &arguments("clusters/home/core.yaml"), &core);
    assert_eq!(same.out, run(&["lint", "clusters/home/core.yaml", "--root", ".", "-o", "concise"]).out);
    assert!(same.out.contains("heavy-in-wait"), "{}", same.out);
    let changed = core.replace("wait: true", "wait: false");
    assert_ne!(changed, core);
    let changed = fed(&heavy(), &arguments("clusters/home/core.yaml"), &changed);
    assert!(!changed.out.contains("heavy-in-wait"), "{}", changed.out);
    // One whose folder is nowhere: the stream is all there is.
    let nowhere = fed(&heavy(), &["lint", "-", "-o", "concise", "--stdin-filename", "no/such/x.yaml"], &cycle());
    assert!(nowhere.out.starts_with("stdin.yaml:9:22: "), "{}", nowhere.out);
    let folder = fed(&heavy(), &["lint", "-", "--stdin-filename", "clusters"], &cycle());
    assert!(folder.code == 2 && folder.err.contains("names a folder, clusters"), "{}", folder.err);
}

#[test]
fn a_stream_is_asked_for_alone() {
    for arguments in [&["lint", "-", "clusters"][..], &["lint", "--stdin-filename", "a.yaml"]] {
        let done = fed(&heavy(), arguments, &cycle());
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains("`-`"), "{}", done.err);
    }
}

#[cfg(unix)]
#[test]
fn the_name_it_is_called_by_does_not_matter() {
    let folder = Repository::empty();
    let plugin = folder.path("flux-dag");
    std::os::unix::fs::symlink(crate::support::program(), &plugin).unwrap();
    for arguments in [&["lint", "-o", "concise"][..], &["--version"], &["lint", "--help"], &["__complete", "why", "a"]]
    {
        let (plain, called) = (run(arguments), Program::of(&plugin, heavy(), arguments).run());
        assert_eq!((plain.code, plain.out, plain.err), (called.code, called.out, called.err), "{arguments:?}");
    }
}
