//! The file of findings that are known: reading it, marking what it knows, writing and pruning it.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    args::Lint,
    error::CliError,
    files::{self, NamedBy},
    origins::Origin,
    say,
    settings::Settings,
};
use crate::{
    Analysis,
    finding::{Baseline, Finding},
    report::{Filter, count, printable},
    source::{Syntax, harmless, shell_word},
};

/// The file where none is named.
const NAME: &str = "fluxdag-baseline.json";

/// Bytes of the largest file that is read.
const MOST: u64 = 64 * 1024 * 1024;

/// Entries that are reported one by one; the rest is counted.
const REPORTED: usize = 10;

/// Writes, reads or prunes the baseline, as asked for, and marks the findings it knows.
pub(super) fn apply(lint: &Lint, settings: &Settings, analysis: &mut Analysis, quiet: bool) -> Result<(), CliError> {
    // The paths of the configuration are those of every run.
    let is_usual = matches!(settings.origins.of("paths"), Origin::File(_)) && settings.options.cluster.is_none();
    let is_partial = !analysis.is_whole && !is_usual;
    if let Some(file) = &lint.write_baseline {
        let path = target(file.as_deref(), settings)?;
        let shown = shown(settings.filter, &analysis.findings);
        let baseline = Baseline::from_findings(shown);
        write(&path, analysis.tree.root(), &baseline)?;
        if !quiet {
            if is_partial {
                say(
                    "note: only a part of the repository was looked at; what is found elsewhere is not in the baseline",
                );
            }
            let findings = count(baseline.known().len(), "finding");
            say(&format!("wrote {findings} to {}", printable(&path.to_string_lossy())));
            if settings.baseline.as_deref() != Some(&*path) {
                let name = printable(&shell_word(&path.to_string_lossy())).into_owned();
                say(&format!(
                    "note: runs read it with --baseline={name}, or `baseline = \"{name}\"` in the configuration"
                ));
            }
        }
        baseline.mark(&mut analysis.findings, &|_| false);
        return Ok(());
    }
    let Some(path) = &settings.baseline else {
        if lint.prune_baseline {
            let help = "name it with --baseline, or set `baseline` in the configuration; --write-baseline makes one";
            return Err(CliError::new("there is no baseline to prune").with_help(help));
        }
        return Ok(());
    };
    let named_by = match settings.origins.of("baseline") {
        Origin::File(_) => NamedBy::Repository,
        Origin::Flag(_) | Origin::Variable(_) | Origin::Default => NamedBy::User,
    };
    let baseline = read(path, named_by)?;
    if lint.prune_baseline && is_partial {
        let help = "run it without paths and --cluster, so that all of the repository is looked at";
        return Err(
            CliError::new("a part of a repository does not tell what is gone from its baseline").with_help(help)
        );
    }
    let complete = &analysis.complete;
    let masking = &analysis.masking;
    let gone = baseline.mark(&mut analysis.findings, &|entry| {
        // A rule that is no more finds nothing either.
        let has_run = crate::rules::find(&entry.rule).is_none_or(|info| complete.contains(&info.id));
        !is_partial && has_run && !masking.hides(&entry.subject)
    });
    if gone.is_empty() {
        return Ok(());
    }
    let number = gone.iter().map(|entry| entry.count).sum();
    let (found, name) = (count(number, "finding"), printable(&path.to_string_lossy()).into_owned());
    if lint.prune_baseline {
        write(path, analysis.tree.root(), &baseline.without(&gone))?;
        if !quiet {
            say(&format!("removed {found} from {name}"));
        }
    } else if !quiet {
        say(&format!(
            "note: {found} of {name} {}:",
            if number == 1 {
                "is gone; --prune-baseline removes it"
            } else {
                "are gone; --prune-baseline removes them"
            }
        ));
        for entry in gone.iter().take(REPORTED) {
            say(&printable(&format!("  {}[{}] {}", entry.subject, entry.rule, entry.message)));
        }
        if gone.len() > REPORTED {
            say(&format!("  and {} more", gone.len() - REPORTED));
        }
    }
    Ok(())
}

/// The findings that a run shows where it has no baseline.
fn shown(filter: Filter, findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(move |finding| finding.suppressed.is_none() && filter.shows(finding))
}

/// Where a baseline goes: what the flag says, else the one that is read, else the usual name, beside the configuration where
/// there is one.
fn target(flag: Option<&Path>, settings: &Settings) -> Result<PathBuf, CliError> {
    if let Some(named) = flag.or(settings.baseline.as_deref()) {
        return Ok(named.to_owned());
    }
    let beside = settings.file.as_ref().and_then(|file| file.parent()).unwrap_or_else(|| Path::new(""));
    Ok(beside.join(NAME))
}

fn read(path: &Path, named_by: NamedBy) -> Result<Baseline, CliError> {
    let name = path.display();
    let text = files::read(path, named_by, MOST).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::NotFound => {
                "--write-baseline makes it; else correct --baseline or `baseline` in the configuration"
            }
            _ => "check the path that --baseline or the configuration names",
        };
        CliError::new(format!("failed to read the baseline {name}: {error}")).with_help(help)
    })?;
    Baseline::parse(&text).map_err(|error| {
        CliError::new(format!("{name}:{error}"))
            .with_help("this is no baseline that can be read; remove it, and --write-baseline makes it anew")
    })
}

/// Writes a baseline, in the place of another one or of nothing.
fn write(path: &Path, top: &Path, baseline: &Baseline) -> Result<(), CliError> {
    let failed = |error: io::Error| {
        let message = format!("failed to write the baseline {}: {error}", path.display());
        CliError::new(message).with_help(files::help(&error))
    };
    let text = baseline.text().map_err(|error| failed(error.into()))?;
    let text = harmless(&text, Syntax::Json);
    files::check(path, Some(top)).map_err(failed)?;
    if path.is_file() {
        let present = files::read(path, NamedBy::Repository, MOST).unwrap_or_else(|_| "no text".to_owned());
        if !present.trim().is_empty() && !Baseline::is_one(&present) {
            let message = format!("{} is there, and is no baseline", path.display());
            return Err(CliError::new(message).with_help("remove it, or name another file: --write-baseline=FILE"));
        }
    }
    files::write(path, NamedBy::Repository, Some(top), text.as_bytes()).map_err(failed)
}
