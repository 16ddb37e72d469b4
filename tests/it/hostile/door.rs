//! All output passes one door: whatever a repository is made of, nothing that is printed is obeyed.

use fluxdag::report::Format;
use serde_json::Value;

use crate::support::{Done, Program, Repository, SYNC, SYNC_FILE, config_map, files, fluxdag, root};

/// Texts that somebody obeys. Each stands in every place that a text can have.
const EVIL: [&str; 16] = [
    "##[set-output name=pwn]yes",
    "x ##vso[task.setvariable variable=PWN]yes",
    "##teamcity[setParameter name='a' value='b']",
    "###[error]x",
    "::set-output name=pwn::yes",
    "a\n::stop-commands::x\n  ::add-mask::y",
    "words words words words words words words words words words words words words words ::error::x ::error::y ::error::z",
    "a\r::warning::x\u{85}::error::y\u{2028}::error::z",
    "\u{a0}\u{3000}::debug::x",
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{1b}]8;;http://e.example\u{1b}\\l\u{1b}[2J\u{9b}2J",
    "\u{202e}evil\u{2066}x\u{2069}\u{200b}y\u{200f}\u{feff}",
    "section_start:1:a\r\u{1b}[0K",
    "]]> <![CDATA[ --> <script>alert(1)</script> &#0; ' \"",
    "|a`b``c| [l](http://e.example) @octocat #1",
    "$(touch pwned) `id` ; rm ${IFS}x",
    "\"]; n0 --> n1\n  click n0 href \"javascript:x\"",
];

/// A text in double quotes, as JSON, TOML and YAML have it in ASCII.
fn quoted(text: &str) -> String {
    let letter = |letter: char| match letter {
        '"' | '\\' => format!("\\{letter}"),
        ' '..='~' => letter.to_string(),
        _ => format!("\\u{:04x}", u32::from(letter)),
    };
    format!("\"{}\"", text.chars().map(letter).collect::<String>())
}

/// A Kustomization, all of whose texts are `evil`.
fn kustomization(name: &str, evil: &str) -> String {
    let evil = quoted(evil);
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {}, namespace: flux-system}}\n\
         spec:\n  interval: 10m\n  prune: true\n  wait: true\n  path: {evil}\n  dependsOn: [{{name: {evil}}}]\n  \
         postBuild: {{substitute: {{{evil}: {evil}}}, substituteFrom: [{{kind: ConfigMap, name: {evil}}}]}}\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n",
        quoted(name)
    )
}

/// An object of each kind whose words are repeated in findings.
fn objects(index: usize, evil: &str) -> String {
    let evil = quoted(evil);
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}, namespace: {evil}, labels: {{{evil}: {evil}}}}}\n\
         data: {{{evil}: {evil}, k: {evil}}}\n\
         ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: h{index}, namespace: default}}\n\
         spec: {{interval: 1h, dependsOn: [{{name: {evil}}}], chart: {{spec: {{chart: {evil}, sourceRef: {{kind: HelmRepository, name: {evil}}}}}}}}}\n\
         ---\napiVersion: {evil}\nkind: {evil}\nmetadata: {{name: o{index}, namespace: default}}\n\
         ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: g{index}, namespace: default}}\n\
         spec: {{interval: 1m, url: {evil}, ref: {{branch: {evil}}}}}\n"
    )
}

/// A Git repository that is made of such texts, with a revision before it.
fn repository() -> Repository {
    let repository = Repository::new(&[(SYNC_FILE, SYNC)]).under_git();
    let apps = kustomization("apps", "./apps").replace("dependsOn: [{name: \"./apps\"}]", "dependsOn: []");
    repository.write("clusters/prod/apps.yaml", apps.replace("{\"./apps\": \"./apps\"}", "{a: b}"));
    repository.write("apps/cm.yaml", config_map("a")).commit("base");
    for (index, evil) in EVIL.iter().enumerate() {
        let one = kustomization(evil, &format!("./missing {evil}")) + &kustomization(&format!("node-{index}"), evil);
        repository.write(&format!("clusters/prod/e{index}.yaml"), one);
        repository.write(&format!("apps/o{index}.yaml"), objects(index, evil));
        repository.write(
            &format!("apps/broken{index}.yaml"),
            format!("kind: ConfigMap\n{}: [\n# fluxdag: ignore[{evil}]\n", quoted(evil)),
        );
        let base = format!("resources: [{0}]\ncomponents: [{0}]\npatches: [{{path: {0}}}]\n", quoted(evil));
        repository.write(&format!("base{index}/kustomization.yaml"), base);
        repository.write(
            &format!("clusters/prod/b{index}.yaml"),
            kustomization(&format!("base-{index}"), &format!("./base{index}")),
        );
        if cfg!(unix) {
            let name = evil.replace('/', "_").trim_end().to_owned();
            repository.write(&format!("apps/{name}/{name}.yaml"), objects(100 + index, evil));
            repository.write(
                &format!("clusters/{name}/flux-system/gotk-sync.yaml"),
                SYNC.replace("./clusters/prod", &format!("./clusters/x{index}")),
            );
        }
    }
    repository
}

/// What is obeyed in `text`, if anything is: by a terminal, a runner of GitHub's or Azure's, a reader of Mermaid.
fn obeyed(text: &str, is_annotations: bool) -> Option<String> {
    let is_mark = |line: &str| {
        line.match_indices("##").any(|(at, _)| {
            line[at + 2..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '.' || c == '-').starts_with('[')
        })
    };
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{feff}')
    };
    let is_ours = |line: &str| ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
    let line = text.lines().find(|line| {
        let is_command = line.trim_start().starts_with("::") && !(is_annotations && is_ours(line));
        is_command || is_mark(line) || line.chars().any(hidden)
    });
    line.map(str::to_owned)
}

fn check(arguments: &[&str], done: &Done) {
    assert!(!done.err.contains("internal:"), "{arguments:?}: {}", done.err);
    assert!(done.code <= 2, "{arguments:?}");
    for (stream, text) in [("output", &done.out), ("errors", &done.err)] {
        let line = obeyed(text, arguments.contains(&"github"));
        assert_eq!(line, None, "{arguments:?}, {stream}");
    }
    let is_data = done.code < 2 && !done.out.is_empty();
    if is_data && arguments.iter().any(|argument| ["json", "sarif", "gitlab", "rdjson"].contains(argument)) {
        serde_json::from_str::<Value>(&done.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
    if is_data && arguments.iter().any(|argument| ["junit", "checkstyle"].contains(argument)) {
        roxmltree::Document::parse(&done.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
}

#[test]
fn no_command_prints_what_is_obeyed() {
    let repository = repository();
    let formats: Vec<String> = Format::ALL.iter().map(ToString::to_string).collect();
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for format in &formats {
        commands.push(vec!["lint", "--pedantic", "-o", format]);
        commands.push(vec!["lint", "--since", "HEAD", "--no-merge-base", "-v", "-o", format]);
    }
    for question in [
        &["why", "apps"][..],
        &["why", "node-3"],
        &["why", "apps", "node-4"],
        &["impact", "apps"],
        &["impact", "apps/o1.yaml"],
        &["timeline", "--runs", "3"],
        &["list"],
        &["what-if", "--unset-wait", "node-2"],
        &["diff", "HEAD"],
        &["timeline", "--commit", "apps/o2.yaml"],
    ] {
        commands.push(question.to_vec());
        commands.push([question, &["-o", "json"]].concat());
    }
    for question in [
        &["diff", "HEAD", "-o", "markdown"][..],
        &["list", "-o", "names"],
        &["render", "apps"],
        &["render", "flux-system", "--origin=all"],
        &["render", "flux-system", "--cluster", "clusters/prod", "--origin=all"],
        &["render", "flux-system", "-o", "json"],
        &["render", "--path", "apps", "--origin=all"],
        &["init", "--stdout"],
        &["config", "show"],
        &["rules"],
        &["lint", "-v", "-o", "concise"],
    ] {
        commands.push(question.to_vec());
    }
    let mut found = 0;
    for arguments in commands {
        let done = fluxdag(repository.folder(), &arguments);
        found += usize::from(done.out.contains("pwn"));
        check(&arguments, &done);
    }
    assert!(found > 20, "the texts are in what is printed: {found}");
}

/// A repository with nothing in it that is worth a word.
fn plain() -> Repository {
    Repository::new(&[(SYNC_FILE, SYNC)]).under_git()
}

#[test]
fn no_argument_is_obeyed() {
    let repository = plain();
    for evil in EVIL {
        for arguments in [
            &["why", evil][..],
            &["render", evil],
            &["impact", evil],
            &["lint", evil],
            &["lint", "--cluster", evil],
            &["diff", evil],
            &["explain", evil],
            &["what-if", "--drop-edge", evil],
            &["timeline", "--to", evil],
            &[evil],
            &["lint", "-o", evil],
            &["lint", "--config", evil],
            &["lint", "--baseline", evil],
            &["render", "--path", evil],
        ] {
            check(arguments, &fluxdag(repository.folder(), arguments));
        }
    }
}

#[test]
fn no_configuration_is_obeyed() {
    let repository = plain();
    for evil in EVIL {
        let text = quoted(evil);
        for line in [
            format!("{text} = 1"),
            format!("root = {text}"),
            format!("paths = [{text}]"),
            format!("exclude = [{text}]"),
            format!("select = [{text}]"),
            format!("baseline = {text}"),
            format!("[rules.{text}]\nseverity = \"off\""),
            format!("[rules.missing-path]\nseverity = {text}"),
            format!("[[rules.missing-path.ignore]]\ncluster = {text}\nreason = {text}"),
            format!("[[externals]]\nkind = \"x\"\nname = {text}\nreason = {text}"),
            format!("[[budgets]]\nnode = {text}\nmax-path = \"1m\""),
            format!("[[durations]]\nchart = {text}\ntypical = \"1m\""),
            format!("[[sources]]\nurl = {text}\npath = {text}"),
        ] {
            repository.write("fluxdag.toml", line);
            let arguments = ["lint", "-v", "-o", "concise"];
            check(&arguments, &fluxdag(repository.folder(), &arguments));
        }
    }
}

/// Machines read the very text: an escape of the format stands for what it stands for.
#[test]
fn programs_read_the_texts_as_they_are() {
    let repository = repository();
    let linted = fluxdag(
        repository.folder(),
        &["lint", "--min-severity", "info", "--min-confidence", "low", "-v", "-o", "json"],
    );
    assert!(linted.code < 2, "{}", linted.err);
    let linted: Value = serde_json::from_str(&linted.out).expect("JSON");
    let rendered = fluxdag(repository.folder(), &["render", "flux-system", "--cluster", "clusters/prod", "-o", "json"]);
    assert!(rendered.code < 2, "{}", rendered.err);
    let rendered: Value = serde_json::from_str(&rendered.out).expect("JSON");
    let printed = fluxdag(repository.folder(), &["render", "flux-system", "--cluster", "clusters/prod"]).out;
    let read = Repository::new(&[("a/objects.yaml", &printed)]);
    let again = fluxdag(read.folder(), &["render", "--path", "a", "-o", "json"]);
    assert!(again.code < 2 && again.out.starts_with('{'), "{}", again.err);
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    let names = |document: &Value| -> Vec<String> {
        let objects = document["objects"].as_array().expect("a list");
        objects
            .iter()
            .map(|object| object["manifest"]["metadata"]["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let findings = linted["findings"].as_array().expect("a list");
    for evil in EVIL {
        assert!(names(&rendered).iter().any(|name| name == evil), "{evil:?}");
        assert!(names(&again).iter().any(|name| name == evil), "YAML reads back: {evil:?}");
        assert!(findings.iter().any(|finding| finding["subject"]["name"] == evil), "{evil:?}");
    }
}

/// Nothing but the door writes to a stream, and nothing but the file beside it writes to a file.
#[test]
fn there_is_one_door() {
    let sources = files(&root().join("src"));
    for (path, text) in sources.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let text = String::from_utf8_lossy(text);
        let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (word, door) in [
            ("io::stdout()", "cli/door.rs"),
            ("io::stderr()", "cli/door.rs"),
            ("fs::write(", "cli/files.rs"),
            ("OpenOptions::new()", "cli/files.rs"),
            ("File::create", "cli/files.rs"),
            ("generate_to(", "nowhere"),
            (".print()", "nowhere"),
        ] {
            let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
            assert!(is_test || path == door || !own.contains(word), "{path}: `{word}` belongs into {door}");
        }
    }
}

/// What a shell is offered is put on its command line without quotes.
#[test]
fn no_candidate_means_anything_to_a_shell() {
    let repository = repository();
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-+@/,:\n".contains(letter);
    let mut offered = String::new();
    for words in [
        &["render", ""][..],
        &["why", ""],
        &["why", "flux-system/"],
        &["impact", "apps/"],
        &["lint", "apps/"],
        &["lint", "--cluster", ""],
        &["lint", "--config", "apps/"],
        &["lint", ""],
        &["render", "--path", "clusters/"],
    ] {
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let program = Program::new(repository.folder(), &[&["--", "fluxdag"], words].concat());
            let program = program.env("FLUXDAG_COMPLETE", shell).env("_CLAP_IFS", "\n");
            let done = program.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).run();
            assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
            assert_eq!(obeyed(&done.out.replace(['\t', '\u{b}'], " "), false), None, "{shell} {words:?}");
            if shell == "bash" {
                let bad =
                    done.out.lines().filter(|line| !line.starts_with('-')).find(|line| !line.chars().all(is_plain));
                assert_eq!(bad, None, "{words:?}");
                offered += &format!("{}\n", done.out);
            }
        }
        let flux = fluxdag(repository.folder(), &[&["__complete"], words].concat());
        assert!(!flux.out.contains("pwn") && !flux.out.contains('$'), "{}", flux.out);
    }
    for good in ["apps", "node-1", "flux-system/node-2", "apps/cm.yaml", "clusters/prod/"] {
        assert!(offered.lines().any(|line| line == good), "{good}: {offered}");
    }
}
