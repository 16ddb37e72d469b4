//! How long each phase of a run takes, what it takes beside reading, how that grows with the repository, and what other
//! programs take: `cargo bench --bench performance`. With `--write FILE` the page goes to a file, with `--large` fleets are ten
//! times larger, `--only TEXT` leaves out repositories and shapes whose names do not hold that.
//!
//! What counts are ratios within one run: seconds are those of one machine.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "a benchmark that cannot go on says so and ends, and its answer goes to the terminal"
)]

mod clock;
mod fleet;
mod measure;
mod page;
mod process;

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use fleet::{Fleet, Shape};
use measure::Numbers;
use process::{FLUXDAG, Rival, Taken};

/// The seed of every fleet.
const SEED: u64 = 1;

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    is_large: bool,
    only: Option<String>,
    write: Option<PathBuf>,
}

/// What was measured of one repository.
#[derive(Debug)]
struct Measured {
    name: String,
    /// On one thread, see [`measure::phases`].
    phases: Numbers,
    /// Seconds of a run on the wall, on one thread and on two.
    walls: [f64; 2],
    /// The most memory of a run on one thread, in bytes.
    peak: Option<f64>,
}

/// A fleet of one size.
#[derive(Debug)]
struct Grown {
    shape: Shape,
    count: usize,
    /// `None` where it took too long, or more memory than there is.
    measured: Option<Measured>,
}

/// What other programs took for one repository.
#[derive(Debug)]
struct Compared {
    name: String,
    /// Folders that all of the programs build.
    folders: usize,
    lint: Taken,
    /// What each program took, and how many folders it could build.
    rivals: Vec<(Taken, usize)>,
}

/// Measures that are single numbers, in seconds.
#[derive(Debug, Default)]
struct Single {
    start: Option<Taken>,
    render: Option<(String, Taken)>,
    cold_starts: Option<Numbers>,
    /// The most memory of a run on one Kustomization, in bytes.
    least: Option<f64>,
}

/// All that was measured.
#[derive(Debug)]
struct Measures {
    is_large: bool,
    repositories: Vec<Measured>,
    rivals: Vec<Rival>,
    compared: Vec<Compared>,
    fleets: Vec<Grown>,
    single: Single,
}

fn main() {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    // Cargo says that to every benchmark.
    arguments.retain(|argument| argument != "--bench");
    if arguments.first().is_some_and(|first| first == "--measure") {
        return answer(&arguments[1..]);
    }
    let mut asked = Asked::default();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--large" => asked.is_large = true,
            "--only" => asked.only = rest.next(),
            "--write" => asked.write = rest.next().map(PathBuf::from),
            other => panic!("`{other}` is not known; known are --large, --only TEXT and --write FILE"),
        }
    }
    let page = page::page(&measure_all(&asked));
    match asked.write {
        Some(path) => fs::write(path, page).expect("a file that can be written"),
        None => print!("{page}"),
    }
}

/// Measures one thing and says its numbers, for the process that asked.
fn answer(arguments: &[String]) {
    let [what, folder, number] = arguments else { panic!("a measure is named by three words") };
    let (folder, number) = (Path::new(folder), number.parse().expect("a number"));
    if what == "phases" {
        // The thread whose time is taken does everything.
        rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("a thread");
    }
    let numbers = match what.as_str() {
        "phases" => measure::phases(folder),
        "runs" => measure::runs(folder, number),
        "cold-starts" => measure::cold_starts(folder, number as u32),
        other => panic!("`{other}` is no measure"),
    };
    for (name, number) in numbers {
        println!("{name} {number}");
    }
}

fn measure_all(asked: &Asked) -> Measures {
    let is_wanted = |name: &str| asked.only.as_deref().is_none_or(|only| name.contains(only));
    let (rivals, mut compared, mut repositories) = (Rival::all(), Vec::new(), Vec::new());
    for folder in process::corpus().into_iter().filter(|folder| is_wanted(&name(folder))) {
        let Some(measured) = measured(&name(&folder), &folder) else { continue };
        compared.extend(against(&rivals, &measured, &folder));
        repositories.push(measured);
    }
    repositories.sort_by(|one, other| other.phases["bytes"].total_cmp(&one.phases["bytes"]));
    let mut fleets = Vec::new();
    for shape in Shape::ALL.into_iter().filter(|shape| is_wanted(shape.name())) {
        let smallest = if shape == Shape::Files { 1000 } else { 100 };
        let sizes = [smallest, smallest * 10, smallest * 100];
        for count in sizes.into_iter().take(if asked.is_large { 3 } else { 2 }) {
            let folder = written(shape, count);
            let measured = measured(&format!("{shape} {count}"), folder.path());
            let errors = measured.as_ref().map_or(0.0, |measured| measured.phases["errors"]);
            assert!(errors == 0.0, "{errors} errors in a fleet that has none: {shape}, {count}");
            fleets.push(Grown { shape, count, measured });
        }
    }
    Measures { is_large: asked.is_large, repositories, rivals, compared, fleets, single: single(is_wanted("single")) }
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().replace("__", "/")
}

/// A fleet in a folder.
fn written(shape: Shape, count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Fleet::new(shape, count, SEED).write(folder.path()).expect("files that can be written");
    folder
}

/// What there is to measure of a repository. `None` where no entry point leads anywhere in it.
fn measured(name: &str, folder: &Path) -> Option<Measured> {
    eprintln!("{name}");
    let ask = |threads, what: &str, rounds: &str| {
        process::measured(threads, &[OsStr::new(what), folder.as_os_str(), OsStr::new(rounds)])
    };
    let once = ask(1, "runs", "1")?;
    let rounds = if *once.get("wall")? > 5.0 { "1" } else { "7" };
    let (phases, one, two) = (ask(1, "phases", "0")?, ask(1, "runs", rounds)?, ask(2, "runs", rounds)?);
    let peak = once.get("peak").copied();
    Some(Measured { name: name.to_owned(), phases, walls: [one["wall"], two["wall"]], peak })
}

/// The program against others, over the folders of a repository that is worth it.
fn against(rivals: &[Rival], measured: &Measured, folder: &Path) -> Option<Compared> {
    let folders = measure::kustomizations(folder);
    if folders.len() < 20 || rivals.is_empty() {
        return None;
    }
    let lint = process::repeated(FLUXDAG, &["lint", "--threads", "1"], folder, 10)?;
    let rivals = rivals.iter().map(|rival| rival.builds(&folders, folder)).collect();
    Some(Compared { name: measured.name.clone(), folders: folders.len(), lint, rivals })
}

fn single(is_wanted: bool) -> Single {
    if !is_wanted {
        return Single::default();
    }
    eprintln!("single measures");
    let start = process::repeated(FLUXDAG, &["--version"], Path::new("."), 50);
    let render = process::corpus().into_iter().find_map(|folder| {
        let path = measure::kustomizations(&folder).into_iter().nth(20)?;
        Some((name(&folder), process::repeated(FLUXDAG, &["render", "--path", &path], &folder, 20)?))
    });
    let folder = written(Shape::Chain, 1);
    let numbers = process::measured(1, &[OsStr::new("runs"), folder.path().as_os_str(), OsStr::new("1")]);
    let least = numbers.and_then(|numbers| numbers.get("peak").copied());
    let folder = written(Shape::Mixed, 10_000);
    let arguments = [OsStr::new("cold-starts"), folder.path().as_os_str(), OsStr::new("1000")];
    Single { start, render, cold_starts: process::measured(2, &arguments), least }
}
