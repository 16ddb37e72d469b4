//! Processes: this one again, for a measure of its own, and other programs.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{clock, measure::Numbers};

/// The longest that one measure may take.
const LONGEST: Duration = Duration::from_secs(600);

/// The built program.
pub(crate) const FLUXDAG: &str = env!("CARGO_BIN_EXE_fluxdag");

/// What a process took, in seconds, on the wall and on processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) wall: f64,
    pub(crate) processor: Option<f64>,
}

/// Has a process of its own measure something, on so many threads. `None` where it did not come to an end.
pub(crate) fn measured(threads: usize, arguments: &[&OsStr]) -> Option<Numbers> {
    let this = env::current_exe().expect("this program");
    let mut command = Command::new(this);
    command.arg("--measure").args(arguments).env("RAYON_NUM_THREADS", threads.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
    let start = Instant::now();
    // An answer is far smaller than what a pipe holds, so the process ends without anybody reading.
    while child.try_wait().expect("a process").is_none() {
        if start.elapsed() > LONGEST {
            child.kill().expect("stopped");
            child.wait().expect("stopped");
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("a process");
    let text = String::from_utf8(output.stdout).expect("text");
    let number =
        |line: &str| line.split_once(' ').and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?)));
    output.status.success().then(|| text.lines().filter_map(number).collect())
}

/// Runs a program to its end, with what it says left aside. `None` where it cannot be started or fails.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Taken> {
    let before = clock::of_children();
    let start = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // What would be fetched is no part of a measure.
    command.env("GIT_ALLOW_PROTOCOL", "none");
    let status = command.status().ok()?;
    let wall = start.elapsed().as_secs_f64();
    let processor = before.zip(clock::of_children()).map(|(from, to)| to - from);
    // One says that something was found.
    (status.success() || (program == FLUXDAG && status.code() == Some(1))).then_some(Taken { wall, processor })
}

/// The same so many times: the least on the wall, and the mean on processors, since the system counts those in hundredths.
pub(crate) fn repeated(program: &str, arguments: &[&str], folder: &Path, times: u32) -> Option<Taken> {
    let before = clock::of_children();
    let mut wall = f64::INFINITY;
    for _ in 0..times {
        wall = wall.min(run(program, arguments, folder)?.wall);
    }
    let processor = before.zip(clock::of_children()).map(|(from, to)| (to - from) / f64::from(times));
    Some(Taken { wall, processor })
}

/// A program that does what `kustomize build` does.
#[derive(Debug)]
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    arguments: &'static [&'static str],
}

impl Rival {
    /// Those that are at hand.
    pub(crate) fn all() -> Vec<Self> {
        let known: [(&str, &[&str], &[&str]); 2] =
            [("kustomize", &["build"], &["version"]), ("kubectl", &["kustomize"], &["version", "--client"])];
        let found = known.into_iter().filter_map(|(name, arguments, version)| {
            let output = Command::new(name).args(version).stdin(Stdio::null()).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            let version = text
                .lines()
                .map(|line| line.replace("Client Version: ", "").replace(" Version:", ""))
                .collect::<Vec<_>>();
            output.status.success().then(|| Self { name, version: version.join(", "), arguments })
        });
        found.collect()
    }

    /// What is shown of it: its name and what it was called with.
    pub(crate) fn command(&self) -> String {
        format!("{} {}", self.name, self.arguments.join(" "))
    }

    /// The time that it takes to build each of `folders` in a process of its own, and how many it could build.
    pub(crate) fn builds(&self, folders: &[String], above: &Path) -> (Taken, usize) {
        let mut all = Taken { wall: 0.0, processor: Some(0.0) };
        let mut built = 0;
        for folder in folders {
            let arguments: Vec<&str> = self.arguments.iter().copied().chain([folder.as_str()]).collect();
            if let Some(taken) = run(self.name, &arguments, above) {
                built += 1;
                all.wall += taken.wall;
                all.processor = all.processor.zip(taken.processor).map(|(all, one)| all + one);
            }
        }
        (all, built)
    }
}

/// The repositories of the corpus, sorted; none where nothing names it.
pub(crate) fn corpus() -> Vec<PathBuf> {
    let Some(corpus) = env::var_os("FLUXDAG_CORPUS") else { return Vec::new() };
    let entries = fs::read_dir(Path::new(&corpus).join("repos")).expect("the folder that FLUXDAG_CORPUS names");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}
