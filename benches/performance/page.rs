//! The page that the measures are printed as.

use std::fmt::Write as _;

use super::{Compared, Grown, Measured, Measures, SEED, Single, measure::PHASES};

/// Text of the page.
pub(crate) fn page(measures: &Measures) -> String {
    let mut page = String::new();
    head(&mut page, measures);
    repositories(&mut page, &measures.repositories);
    rivals(&mut page, measures);
    growth(&mut page, &measures.fleets);
    single(&mut page, &measures.single);
    page
}

fn head(page: &mut String, measures: &Measures) {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let large = if measures.is_large { " --large" } else { "" };
    let processors = if threads == 1 { "one processor".to_owned() } else { format!("{threads} processors") };
    let _ = write!(
        page,
        "# Performance\n\n<!-- Written by `cargo bench --bench performance -- --write docs/performance.md`: edit \
         benches/performance/page.rs instead. -->\n\nWhat a run takes, and how that grows with the repository. All of it was measured in \
         one run of\n\n```text\nFLUXDAG_CORPUS=… cargo bench --bench performance --{large} --write docs/performance.md\n```\n\non {} ({}) \
         with {processors}, with cargo's profile for benchmarks. Ratios are what counts: they compare numbers of the same run, while \
         milliseconds are those of one machine, which may have had other work. Times are on the processor and on one thread where \
         nothing else is said, the best of up to ten rounds with the files in the system's cache; memory is the most that a process \
         had that analysed the repository once.\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
}

/// A table. The first column is text.
fn table(page: &mut String, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let _ = writeln!(page, "\n| {} |\n|---{}|", head.join(" | "), "|---:".repeat(head.len() - 1));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
}

fn ratio(one: f64, other: f64) -> String {
    if other > 0.0 { format!("{:.1}×", one / other) } else { "–".to_owned() }
}

/// Seconds in milliseconds, with no more digits than they are worth.
fn ms(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

fn mb(bytes: f64) -> String {
    format!("{:.1}", bytes / 1e6)
}

fn input(measured: &Measured) -> f64 {
    measured.phases["walk"] + measured.phases["read"] + measured.phases["parse"]
}

fn repositories(page: &mut String, all: &[Measured]) {
    if all.is_empty() {
        page.push_str("\nNo repositories were at hand: `FLUXDAG_CORPUS` names the folder of some.\n");
        return;
    }
    page.push_str(
        "\n## Real repositories\n\nWhat an analysis takes beside the least that it has to do: walk the folder, read the files, parse \
         them. Both sides are of this program, so the ratio falls also where parsing gets slower.\n",
    );
    let head = [
        "repository",
        "files",
        "YAML, MB",
        "Kustomizations",
        "lint, ms",
        "lint ÷ (walk + read + parse)",
        "one thread ÷ two, wall",
        "memory, MB",
        "memory ÷ YAML",
    ];
    let row = |one: &Measured| {
        vec![
            one.name.clone(),
            one.phases["files"].to_string(),
            mb(one.phases["bytes"]),
            one.phases["nodes"].to_string(),
            ms(one.phases["lint"]),
            ratio(one.phases["lint"], input(one)),
            ratio(one.walls[0], one.walls[1]),
            one.peak.map_or_else(|| "–".to_owned(), mb),
            one.peak.map_or_else(|| "–".to_owned(), |peak| ratio(peak, one.phases["bytes"])),
        ]
    };
    table(page, &head, all.iter().map(row));
    page.push_str(
        "\nA small repository has a high ratio of memory, since the program itself takes some, see the last section. \
         Where the time goes, in milliseconds:\n",
    );
    let phases = |one: &Measured| -> Vec<String> {
        let parts = PHASES.iter().chain(&["locate", "times"]);
        [one.name.clone()].into_iter().chain(parts.map(|phase| ms(one.phases[*phase]))).collect()
    };
    let head: Vec<&str> = ["repository"].into_iter().chain(PHASES).chain(["locate", "times"]).collect();
    table(page, &head, all.iter().map(phases));
    page.push_str(
        "\n*Walk* lists files and *read* reads those that are parsed. *Build* is `kustomize build` of each folder that a \
         Kustomization applies. *Close* is the rest of finding all Kustomizations: entry points, what Flux adds to builds, who \
         applies what; it is measured as a difference. *Graph* draws what waits for what and finds loops, *stuck* looks for what \
         stops events. *Rules* judge, and *report* prints in the format `full`. *Simulate* is one cold start with every controller \
         in each cluster, which `lint` leaves out. *Locate*, also a difference, finds the top of the repository and what nothing \
         reaches; *times* is the critical path.\n",
    );
}

fn rivals(page: &mut String, measures: &Measures) {
    page.push_str("\n## Beside kustomize\n");
    for name in ["kustomize", "kubectl"] {
        if !measures.rivals.iter().any(|rival| rival.name == name) {
            let _ = write!(page, "\n`{name}` was not at hand, so nothing is said of it.\n");
        }
    }
    if measures.compared.is_empty() {
        return;
    }
    page.push_str(
        "\nOne `fluxdag lint --threads 1` of a repository, and one process for each folder with a kustomization file that a \
         Kustomization there applies, as a script in CI would build them: processor time of all processes together. The others build only, and \
         start anew for each folder; `lint` builds the same folders, and what Flux makes of them, and judges the whole. Folders that \
         a program cannot build, for want of a network or since Flux adds what they lack, count for fluxdag alone; where they are more \
         than a tenth, there is no ratio.\n",
    );
    let names: Vec<String> = measures
        .rivals
        .iter()
        .flat_map(|rival| [format!("{}, ms", rival.command()), "÷ lint".to_owned(), "built".to_owned()])
        .collect();
    let head: Vec<&str> =
        ["repository", "folders", "lint, ms"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let row = |one: &Compared| {
        let mut row = vec![one.name.clone(), one.folders.to_string()];
        let time = |taken: &super::Taken| taken.processor.unwrap_or(taken.wall);
        row.push(ms(time(&one.lint)));
        for (taken, built) in &one.rivals {
            // Where much could not be built, the times are of different work.
            let is_alike = built * 10 >= one.folders * 9;
            let by = if is_alike { ratio(time(taken), time(&one.lint)) } else { "–".to_owned() };
            row.extend([ms(time(taken)), by, built.to_string()]);
        }
        row
    };
    table(page, &head, measures.compared.iter().map(row));
    page.push('\n');
    for rival in &measures.rivals {
        let _ = writeln!(page, "- `{}`: {}", rival.command(), rival.version);
    }
}

/// By how much a number grows where a fleet doubles.
fn per_doubling(from: f64, to: f64, factor: f64) -> Option<f64> {
    // What takes less than that is noise.
    (from > 0.0005 && to > 0.0).then(|| ((to / from).ln() / factor.ln()).exp2())
}

fn growth(page: &mut String, fleets: &[Grown]) {
    if fleets.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "\n## Growth\n\nFleets of several shapes, made from the seed {SEED} by `benches/performance/fleet.rs`; none has an error. The \
         last column is the factor by which `lint` grows where the fleet doubles, from the row above: 2 is linear, 4 is quadratic.\n"
    );
    let head = [
        "fleet",
        "size",
        "files",
        "YAML, MB",
        "lint, ms",
        "÷ (walk + read + parse)",
        "one thread ÷ two, wall",
        "memory, MB",
        "memory ÷ YAML",
        "per doubling",
    ];
    let rows = fleets.iter().enumerate().map(|(index, grown)| {
        let mut row = vec![grown.shape.to_string(), format!("{} {}", grown.count, grown.shape.unit())];
        let Some(one) = &grown.measured else {
            row.push("gave up after ten minutes".to_owned());
            row.resize(head.len(), String::new());
            return row;
        };
        row.extend([
            one.phases["files"].to_string(),
            mb(one.phases["bytes"]),
            ms(one.phases["lint"]),
            ratio(one.phases["lint"], input(one)),
            ratio(one.walls[0], one.walls[1]),
            one.peak.map_or_else(|| "–".to_owned(), mb),
            one.peak.map_or_else(|| "–".to_owned(), |peak| ratio(peak, one.phases["bytes"])),
            before(fleets, index)
                .and_then(|last| growths(last, grown, "lint"))
                .map_or_else(|| "–".to_owned(), |by| format!("{by:.1}")),
        ]);
        row
    });
    table(page, &head, rows);
    page.push_str("\nThe same factor for each phase, between the two largest sizes of a shape; – where it takes less than half a millisecond:\n");
    let parts = || PHASES.iter().chain(&["locate", "times"]);
    let head: Vec<&str> = ["fleet"].into_iter().chain(parts().copied()).collect();
    let largest = fleets
        .iter()
        .enumerate()
        .filter(|(index, one)| fleets.get(index + 1).is_none_or(|next| next.shape != one.shape));
    let rows = largest.filter_map(|(index, grown)| {
        let last = before(fleets, index)?;
        let factor = |phase: &&str| growths(last, grown, phase).map_or_else(|| "–".to_owned(), |by| format!("{by:.1}"));
        Some([grown.shape.to_string()].into_iter().chain(parts().map(factor)).collect::<Vec<_>>())
    });
    table(page, &head, rows);
    page.push_str("\nAnd what each phase takes at the largest size, in milliseconds:\n");
    let largest = fleets
        .iter()
        .enumerate()
        .filter(|(index, one)| fleets.get(index + 1).is_none_or(|next| next.shape != one.shape));
    let rows = largest.filter_map(|(_, grown)| {
        let one = grown.measured.as_ref()?;
        Some([one.name.clone()].into_iter().chain(parts().map(|phase| ms(one.phases[*phase]))).collect::<Vec<_>>())
    });
    table(page, &head, rows);
}

/// The next smaller fleet of the same shape.
fn before(fleets: &[Grown], index: usize) -> Option<&Grown> {
    let last = fleets.get(index.checked_sub(1)?)?;
    (last.shape == fleets[index].shape).then_some(last)
}

fn growths(last: &Grown, grown: &Grown, phase: &str) -> Option<f64> {
    let numbers = |grown: &Grown| grown.measured.as_ref().map(|one| one.phases[phase]);
    per_doubling(numbers(last)?, numbers(grown)?, grown.count as f64 / last.count as f64)
}

fn single(page: &mut String, single: &Single) {
    page.push_str("\n## Single measures\n");
    let processor = |taken: &super::Taken| {
        taken.processor.map_or_else(String::new, |time| format!(", {} on the processor", ms(time)))
    };
    if let Some(taken) = &single.start {
        let _ = write!(
            page,
            "\n- To start and end, `fluxdag --version`: {} ms on the wall{}.",
            ms(taken.wall),
            processor(taken)
        );
    }
    if let Some((name, taken)) = &single.render {
        let _ = write!(
            page,
            "\n- `fluxdag render --path` of one folder of {name}: {} ms on the wall{}.",
            ms(taken.wall),
            processor(taken)
        );
    }
    if let Some(bytes) = single.least {
        let _ = write!(page, "\n- Memory of a run on one Kustomization: {} MB.", mb(bytes));
    }
    if let Some(numbers) = &single.cold_starts {
        let _ = write!(
            page,
            "\n- 1,000 simulated cold starts of {} Kustomizations, durations drawn at random, on two threads: {:.1} s on the wall.",
            numbers["nodes"], numbers["wall"]
        );
    }
    page.push('\n');
}
