//! The action and the template for GitLab, run as their runners would run them.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use crate::support::{Program, Repository, SYNC, SYNC_FILE, config_map, entries, name, program, root};

/// A machine that runs jobs: a work folder, a folder of programs, and the files that a job writes to.
struct Runner {
    folder: Repository,
    variables: Vec<(String, String)>,
}

struct Job {
    code: i32,
    log: String,
    outputs: String,
    summary: String,
}

impl Runner {
    fn new() -> Self {
        let folder = Repository::empty();
        for name in ["work", "bin", "temp"] {
            fs::create_dir(folder.path(name)).unwrap();
        }
        Self { folder, variables: Vec::new() }
    }

    fn work(&self) -> PathBuf {
        self.folder.path("work")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn program(self, name: &str, script: &str) -> Self {
        let path = self.folder.path("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// A fluxdag that notes its arguments, one on each line, and writes what it is asked for.
    fn with_stand_in(self, findings: &str, code: u8) -> Self {
        let arguments = self.folder.path("arguments");
        self.program(
            "fluxdag",
            &format!(
                "printf '%s\\n' \"$@\" > '{}'\n\
                 for argument; do case $argument in\n\
                 json=*) echo '{{\"findings\": {findings}}}' > \"${{argument#*=}}\" ;;\n\
                 markdown=*) echo 'the findings' > \"${{argument#*=}}\" ;;\n\
                 sarif=*) echo '{{}}' > \"${{argument#*=}}\" ;;\n\
                 esac; done\n\
                 echo '::warning::from the repository'\nexit {code}\n",
                arguments.display()
            ),
        )
        .with("INPUT_VERSION", "installed")
    }

    fn arguments(&self) -> Vec<String> {
        let noted = fs::read_to_string(self.folder.path("arguments")).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }

    fn bash(&self, arguments: &[&str]) -> Program {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path("bin").display());
        let bash = Program::of("bash", self.work(), arguments).env("PATH", path).env("HOME", self.folder.folder());
        self.variables.iter().fold(bash.with_committer(), |bash, (name, value)| bash.env(name, value))
    }

    /// Runs the first step of the action.
    fn act(&self) -> Job {
        let file = |name: &str| self.folder.path(name);
        let script = root().join(".github/action/lint.sh");
        let bash = self.bash(&[script.to_str().unwrap()]);
        let bash = bash
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_STEP_SUMMARY", file("summary"))
            .env("GITHUB_EVENT_PATH", file("event.json"))
            .env("GITHUB_REPOSITORY", "someone/fleet")
            .env("RUNNER_TEMP", file("temp"));
        let done = bash.run();
        let read = |name: &str| fs::read_to_string(file(name)).unwrap_or_default();
        Job { code: done.code, log: done.out + &done.err, outputs: read("output"), summary: read("summary") }
    }
}

#[test]
fn findings_become_outputs_and_a_summary() {
    let runner = Runner::new().with_stand_in("[{}, {}, {\"suppressed\": {\"kind\": \"known\"}}]", 1);
    let job = runner.act();
    assert_eq!(job.code, 0, "the last step fails, not this one: {}", job.log);
    assert_eq!(job.outputs, "exit-code=1\nfindings=2\nsarif-file=\n");
    assert_eq!(job.summary, "the findings\n");
    let arguments = runner.arguments();
    assert_eq!(arguments[..2], ["lint", "--no-progress"]);
    assert_eq!(arguments[arguments.len() - 2..], ["--", "."]);
    assert!(arguments.windows(2).any(|pair| pair == ["-o", "github"]), "{arguments:?}");
}

#[test]
fn every_input_is_one_argument_and_nothing_of_it_is_run() {
    let path = "$(touch pwned) `touch pwned`; touch pwned\n--exit-zero\n* ?";
    let runner = Runner::new()
        .with_stand_in("[]", 0)
        .with("INPUT_PATH", path)
        .with("INPUT_CONFIG", "$(touch pwned)\"; touch pwned")
        .with("INPUT_ARGS", "--cluster $(touch${IFS}pwned) *\n;touch pwned")
        .with("INPUT_FAIL_ON", "warning");
    fs::write(runner.work().join("a file"), "").unwrap();
    let job = runner.act();
    assert_eq!(job.code, 0, "{}", job.log);
    let arguments = runner.arguments();
    let paths = arguments.iter().position(|argument| argument == "--").unwrap();
    assert_eq!(arguments[paths + 1..], path.lines().collect::<Vec<_>>());
    assert!(arguments.contains(&"--config=$(touch pwned)\"; touch pwned".to_owned()), "{arguments:?}");
    assert!(arguments.contains(&"--fail-on=warning".to_owned()), "{arguments:?}");
    let words = ["--cluster", "$(touch${IFS}pwned)", "*", ";touch", "pwned"];
    assert_eq!(arguments[paths - words.len()..paths], words);
    let left: Vec<_> = entries(&runner.work()).iter().map(|path| name(path)).collect();
    assert_eq!(left, ["a file"], "nothing was run");
}

#[test]
fn wrong_inputs_are_refused_in_one_line() {
    let hostile = "1.0.0\n::add-mask::x\r%0A";
    let wrong = [
        ("INPUT_VERSION", hostile),
        ("INPUT_VERSION", "../../evil"),
        ("INPUT_VERSION", "latest"),
        ("INPUT_FAIL_ON", "all"),
        ("INPUT_SARIF", "yes"),
        ("INPUT_ANNOTATIONS", hostile),
        ("INPUT_SUMMARY", "True"),
        ("INPUT_COMMENT", "1"),
    ];
    for (name, value) in wrong {
        let job = Runner::new().with_stand_in("[]", 0).with(name, value).act();
        assert_eq!(job.code, 2, "{name}={value}: {}", job.log);
        let commands: Vec<&str> = job.log.lines().filter(|line| line.trim_start().starts_with("::")).collect();
        let errors: Vec<&&str> = commands.iter().filter(|line| line.starts_with("::error title=fluxdag::")).collect();
        assert_eq!(errors.len(), 1, "{}", job.log);
        assert!(!commands.iter().any(|line| line.starts_with("::add-mask")), "{}", job.log);
        assert!(job.outputs.starts_with("exit-code=2\n"), "{}", job.outputs);
    }
}

#[test]
fn what_the_repository_prints_is_no_command_where_there_are_no_annotations() {
    let job = Runner::new().with_stand_in("[]", 0).with("INPUT_ANNOTATIONS", "false").act();
    let lines: Vec<&str> = job.log.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert_eq!(lines[1..], ["::warning::from the repository", &format!("::{token}::")]);
}

#[test]
fn what_is_not_asked_for_is_not_written() {
    let quiet = Runner::new().with_stand_in("[]", 0).with("INPUT_SUMMARY", "false").act();
    assert_eq!((quiet.summary.as_str(), quiet.outputs.as_str()), ("", "exit-code=0\nfindings=0\nsarif-file=\n"));
    let runner = Runner::new().with_stand_in("[]", 0).with("INPUT_SARIF", "true");
    let sarif = runner.act();
    let file = sarif.outputs.lines().find_map(|line| line.strip_prefix("sarif-file=")).unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), "{}\n");
}

#[test]
fn a_run_that_could_not_be_done_says_so() {
    let job = Runner::new().with_stand_in("[]", 2).act();
    assert_eq!((job.code, job.outputs.as_str()), (0, "exit-code=2\nfindings=\nsarif-file=\n"));
    assert_eq!(job.summary, "");
}

/// A `gh` that notes what it is asked, and knows the comments `known`.
fn with_github(runner: Runner, known: &str, code: u8) -> Runner {
    let calls = runner.folder.path("calls");
    runner.folder.write("event.json", r#"{"pull_request": {"number": 7}}"#);
    let script = format!("echo \"$*\" >> '{}'\n[[ $* == *--jq* ]] && printf '{known}'\nexit {code}\n", calls.display());
    runner.program("gh", &script).with("INPUT_COMMENT", "true")
}

#[test]
fn one_comment_is_kept_on_a_pull_request() {
    for (known, expected) in [
        ("", "api --silent repos/someone/fleet/issues/7/comments --field body=@"),
        ("41\\n42\\n", "api --silent --method PATCH repos/someone/fleet/issues/comments/41 --field body=@"),
    ] {
        let runner = with_github(Runner::new().with_stand_in("[{}]", 1), known, 0);
        let job = runner.act();
        assert_eq!(job.code, 0, "{}", job.log);
        let calls = fs::read_to_string(runner.folder.path("calls")).unwrap();
        let last = calls.lines().last().unwrap();
        let body = last.strip_prefix(expected).unwrap_or_else(|| panic!("{calls}"));
        assert_eq!(fs::read_to_string(body).unwrap(), "<!-- fluxdag -->\nthe findings\n");
    }
}

#[test]
fn without_the_right_to_comment_the_summary_has_it() {
    let runner = with_github(Runner::new().with_stand_in("[{}]", 1), "", 1).with("INPUT_SUMMARY", "false");
    let job = runner.act();
    assert_eq!((job.code, job.summary.as_str()), (0, "the findings\n"), "{}", job.log);
    assert!(job.log.contains("::notice title=fluxdag::"), "{}", job.log);
    assert!(job.outputs.contains("exit-code=1\n"), "{}", job.outputs);
}

#[test]
fn an_archive_is_taken_only_with_the_checksum_of_its_release() {
    let releases = Repository::empty();
    let release = releases.path("v9.9.9-rc.1");
    fs::create_dir(&release).unwrap();
    let runner = || {
        Runner::new()
            .with("INPUT_VERSION", "9.9.9-rc.1")
            .with("FLUXDAG_RELEASES", &format!("file://{}", releases.folder().display()))
    };
    let missing = runner().act();
    assert!(missing.code == 2 && missing.log.contains("failed to download"), "{}", missing.log);

    // The archive of this machine, with a stand-in in it.
    let stand_in = Runner::new().with_stand_in("[]", 0);
    let name = missing.log.lines().find_map(|line| line.split("/v9.9.9-rc.1/").nth(1)).unwrap().to_owned();
    let (archive, bin) = (release.join(&name), stand_in.folder.path("bin"));
    let tar = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(bin).arg("fluxdag").status().unwrap();
    assert!(tar.success());
    fs::write(release.join("SHA256SUMS"), format!("{}  {name}\n", "0".repeat(64))).unwrap();
    let wrong = runner().act();
    assert!(wrong.code == 2 && wrong.log.contains("the checksum of "), "{}", wrong.log);

    let script = "(sha256sum \"$0\" || shasum -a 256 \"$0\") 2>/dev/null";
    let sum = Command::new("bash").args(["-c", script]).arg(&archive).output().unwrap().stdout;
    let sum = String::from_utf8(sum).unwrap();
    let sum = sum.split_whitespace().next().unwrap();
    fs::write(release.join("SHA256SUMS"), format!("{sum}  {name}\n")).unwrap();
    let right = runner().act();
    assert_eq!((right.code, right.outputs.as_str()), (0, "exit-code=0\nfindings=0\nsarif-file=\n"), "{}", right.log);
}

#[test]
fn the_action_interpolates_nothing_and_pins_what_it_uses() {
    let mut checked = 0;
    let workflows = entries(&root().join(".github/workflows"));
    for path in workflows.into_iter().chain([root().join("action.yml")]) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}: {line}", path.display(), number + 1);
            if let Some((_, used)) = line.split_once("uses: ") {
                let (action, version) = used.split_once(" # v").unwrap_or_else(|| panic!("{place}"));
                let commit = action.split_once('@').unwrap().1;
                assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{place}");
                assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{place}");
                checked += 1;
            }
            // Only keys of YAML hold expressions, never the lines of a script.
            assert!(!line.contains("${{") || line.trim_start().contains(": "), "{place}");
            assert!(!(line.contains("run: ") && line.contains("${{")), "{place}");
        }
        if path.file_name().unwrap() != "action.yml" {
            assert!(text.contains("\npermissions: {}\n"), "{}", path.display());
        }
    }
    assert!(checked > 10, "{checked}");
}

/// Writes a Flux repository with a fault in it, or without, to the work folder.
fn repository(runner: &Runner, is_good: bool) {
    let on = if is_good { "" } else { "  dependsOn: [{name: nothing}]\n" };
    let apps = format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system}}\n\
         spec:\n  interval: 1h\n  retryInterval: 2m\n  timeout: 5m\n  path: ./apps\n  prune: true\n{on}  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n"
    );
    let files = [(SYNC_FILE, SYNC), ("apps/web.yaml", &config_map("web")), ("clusters/prod/apps.yaml", &apps)];
    for (path, text) in files {
        runner.folder.write(&format!("work/{path}"), text);
    }
}

fn installed() -> Runner {
    let script = format!("exec '{}' \"$@\"\n", program().display());
    Runner::new().program("fluxdag", &script).with("INPUT_VERSION", "installed")
}

#[test]
fn the_action_fails_for_a_bad_repository_and_passes_a_good_one() {
    let bad = installed().with("INPUT_SARIF", "true");
    repository(&bad, false);
    let job = bad.act();
    assert_eq!(job.code, 0, "{}", job.log);
    assert!(job.outputs.contains("exit-code=1\nfindings=1\nsarif-file=/"), "{}", job.outputs);
    assert!(job.log.contains("::error file=clusters/prod/apps.yaml,line="), "{}", job.log);
    assert!(job.summary.contains("dangling-dependency"), "{}", job.summary);
    let good = installed();
    repository(&good, true);
    let job = good.act();
    assert_eq!((job.code, job.outputs.as_str()), (0, "exit-code=0\nfindings=0\nsarif-file=\n"), "{}", job.log);
}

/// Puts what is in the work folder under git, as `main` of the server, and goes on in a branch.
fn committed(runner: &Runner) {
    let line = "git init -q -b main && git add -A && git commit -qm one && \
                git update-ref refs/remotes/origin/main main && git switch -qc change";
    let done = runner.bash(&["-c", line]).run();
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn a_pull_request_is_told_what_it_changes_and_fails_for_that_alone() {
    // What is bad already is not the branch's.
    let old = installed().with("INPUT_SINCE", "origin/main");
    repository(&old, false);
    committed(&old);
    let job = old.act();
    assert_eq!((job.code, job.outputs.as_str()), (0, "exit-code=0\nfindings=0\nsarif-file=\n"), "{}", job.log);
    let new = installed().with("INPUT_SINCE", "origin/main").with("INPUT_PATH", ".\nclusters");
    repository(&new, true);
    committed(&new);
    repository(&new, false);
    let job = new.act();
    assert!(job.outputs.contains("exit-code=1\nfindings=1\n"), "{} {}", job.outputs, job.log);
    // The edge is reported beside the finding.
    assert!(job.summary.contains("dangling-dependency") && job.summary.contains("mermaid"), "{}", job.summary);
    let hostile = installed().with("INPUT_SINCE", "$(touch hacked) --output=x");
    repository(&hostile, true);
    committed(&hostile);
    let job = hostile.act();
    assert!(job.outputs.contains("exit-code=2"), "{}", job.outputs);
    assert!(!hostile.work().join("hacked").exists() && !hostile.work().join("x").exists());
}

#[test]
fn the_script_for_gitlab_fails_for_a_bad_repository_and_passes_a_good_one() {
    let text = fs::read_to_string(root().join("templates/gitlab-ci.yml")).unwrap();
    let (_, script) = text.split_once("\n  script:\n    - >-\n").unwrap();
    let lines = script.lines().take_while(|line| line.starts_with("      "));
    let script = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    assert!(script.starts_with("fluxdag lint "), "{script}");
    assert!(text.contains(&format!("FLUXDAG_VERSION: \"{}\"", env!("CARGO_PKG_VERSION"))), "the version is current");
    for (is_good, code) in [(true, 0), (false, 1)] {
        let runner = installed();
        repository(&runner, is_good);
        let done = runner.bash(&["-c", &script]).run();
        assert_eq!(done.code, code, "{}", done.err);
        let report = fs::read_to_string(runner.work().join("gl-code-quality-report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report.as_array().unwrap().is_empty(), is_good);
    }
}
