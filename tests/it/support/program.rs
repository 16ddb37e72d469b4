use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The built program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_fluxdag"))
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    fn new(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("a process writes text");
        Self { code: status.code().expect("a process ends with a code"), out: text(stdout), err: text(stderr) }
    }

    /// Standard output as JSON. A document of this program fits its schema.
    pub(crate) fn json(&self) -> Value {
        let value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        crate::contract::check_printed(&value);
        value
    }

    /// Standard output on one line, with single spaces.
    pub(crate) fn words(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A process in a folder, with nothing of the user's environment and nothing on standard input.
pub(crate) struct Program {
    command: Command,
    stream: Option<String>,
}

impl Program {
    /// fluxdag with `arguments`.
    pub(crate) fn new(folder: impl AsRef<Path>, arguments: &[&str]) -> Self {
        Self::of(program(), folder, arguments)
    }

    /// Some other program with `arguments`.
    pub(crate) fn of(program: impl AsRef<OsStr>, folder: impl AsRef<Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_clear().env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        if let Some(root) = env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        Self { command, stream: None }
    }

    /// A script of bash, with fluxdag and what the user has on its path. It stops at the first error.
    pub(crate) fn shell(folder: impl AsRef<Path>, home: &Path, script: &str) -> Self {
        let paths = env::var_os("PATH").unwrap_or_default();
        let paths = [program().parent().expect("a folder").to_owned()].into_iter().chain(env::split_paths(&paths));
        Self::of("bash", folder, &["-euo", "pipefail", "-c", script])
            .env("PATH", env::join_paths(paths).expect("a path"))
            .env("HOME", home)
            .with_committer()
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With `stream` on standard input.
    pub(crate) fn fed(mut self, stream: &str) -> Self {
        self.stream = Some(stream.to_owned());
        self
    }

    /// With the name that Git needs for commits, and no configuration of Git's.
    pub(crate) fn with_committer(mut self) -> Self {
        for role in ["AUTHOR", "COMMITTER"] {
            self.command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        self.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
    }

    /// Runs it with a standard output that nobody reads.
    pub(crate) fn run_unread(mut self) -> Done {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Done::new(self.command.stdout(writer).stderr(Stdio::piped()).output().expect("the program starts"))
    }

    /// Runs it; `None` where there is no such program.
    pub(crate) fn try_run(mut self) -> Option<Done> {
        self.command.output().ok().map(Done::new)
    }

    pub(crate) fn run(mut self) -> Done {
        let name = self.command.get_program().to_string_lossy().into_owned();
        let started = |error| panic!("these tests need the program `{name}`: {error}");
        let Some(stream) = self.stream else { return Done::new(self.command.output().unwrap_or_else(started)) };
        let pipes = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("the program starts");
        // A program that refuses its arguments reads nothing.
        let _ = child.stdin.take().expect("a pipe").write_all(stream.as_bytes());
        Done::new(child.wait_with_output().expect("the program ends"))
    }
}

/// Runs fluxdag in a folder.
pub(crate) fn fluxdag(folder: impl AsRef<Path>, arguments: &[&str]) -> Done {
    Program::new(folder, arguments).run()
}

/// Runs Git in a folder, with nothing of the user's.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let settings = ["-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"];
    let git = Program::of("git", folder, &[&settings, arguments].concat()).with_committer();
    let done = git.env("PATH", env::var_os("PATH").unwrap_or_default()).run();
    assert!(done.code == 0, "git {arguments:?}: {}", done.err);
    done.out.trim_end().to_owned()
}
