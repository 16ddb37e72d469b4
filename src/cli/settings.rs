//! Which configuration file is in force, and what the flags make of it.

use std::path::{Path, PathBuf};

use super::{
    args::{Choices, Configuration, Lint},
    configured::{Configured, configured},
    environment::Environment,
    error::CliError,
    origins::Origins,
};
use crate::{
    Options, Stdin,
    config::{Config, FailOn},
    finding::Confidence,
    report::Filter,
    rules::{Selection, Selector},
};

/// What is in force: flags, then the environment, then the file, then what is built in.
#[derive(Debug)]
pub(super) struct Settings {
    /// The configuration file, where there is one.
    pub(super) file: Option<PathBuf>,
    /// What is looked at.
    pub(super) paths: Vec<PathBuf>,
    pub(super) options: Options,
    pub(super) filter: Filter,
    pub(super) fail_on: FailOn,
    /// The file of findings that are known.
    pub(super) baseline: Option<PathBuf>,
    /// Who says all that.
    pub(super) origins: Origins,
}

impl Settings {
    /// Finds and reads the configuration file, and lays the flags over it.
    pub(super) fn new(lint: &Lint, stdin: Option<&Stdin>, environment: &Environment) -> Result<Self, CliError> {
        // A stream is configured by what lies around the file it stands for, or else around the working directory.
        let around = stdin.map(|stdin| stdin.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(".")));
        let settings = Self::around(around, &lint.choices, environment)?;
        let options = Options { no_ignore_comments: lint.no_ignore_comments, ..settings.options };
        Ok(Self { options, ..settings })
    }

    /// The same of what is not for `lint` alone.
    pub(super) fn chosen(choices: &Choices, environment: &Environment) -> Result<Self, CliError> {
        Self::around(None, choices, environment)
    }

    /// The file is looked for around `folder`, or else around the paths.
    fn around(folder: Option<&Path>, choices: &Choices, environment: &Environment) -> Result<Self, CliError> {
        let around = match folder {
            Some(folder) => vec![folder.to_owned()],
            None if choices.paths.is_empty() => vec![PathBuf::from(".")],
            None => choices.paths.clone(),
        };
        let Configured { config, file, marked } = in_force(&choices.configuration, &around, environment)?;
        let settings = Self::merged(choices, config, file);
        let options = Options { marked, ..settings.options };
        Ok(Self { options, ..settings })
    }

    pub(super) fn merged(choices: &Choices, mut config: Config, file: Option<PathBuf>) -> Self {
        let mut from = Origins::new(std::mem::take(&mut config.lines));
        let patterns_from = config.folder.take().and_then(|folder| {
            if folder.as_os_str().is_empty() { Path::new(".").canonicalize() } else { folder.canonicalize() }.ok()
        });
        let selection = selection(choices, &mut config, &mut from);
        let fail_on = (if choices.exit_zero { "--exit-zero" } else { "--fail-on" }, exit_code(choices));
        let built_in = Filter::default();
        // What `--pedantic` implies is weaker than what anybody says.
        let is_implied = choices.pedantic && choices.min_confidence.or(config.min_confidence).is_none();
        let min_confidence = match is_implied {
            true => ("--pedantic", Some(Confidence::Low)),
            false => ("--min-confidence", choices.min_confidence),
        };
        let filter = Filter {
            min_severity: from.pick(
                "min-severity",
                ("--min-severity", choices.min_severity),
                config.min_severity,
                built_in.min_severity,
            ),
            min_confidence: from.pick("min-confidence", min_confidence, config.min_confidence, built_in.min_confidence),
        };
        let paths = Some(choices.paths.clone()).filter(|paths| !paths.is_empty());
        let of_file = Some(config.paths).filter(|paths| !paths.is_empty());
        let baseline = choices.baseline.clone().map(Some).or_else(|| choices.no_baseline.then_some(None));
        let baseline_flag = if choices.no_baseline { "--no-baseline" } else { "--baseline" };
        Self {
            file,
            paths: from.pick("paths", ("PATH", paths), of_file, vec![PathBuf::from(".")]),
            options: Options {
                root: from.pick_any("root", ("--root", choices.scope.root.clone()), config.root),
                cluster: from.pick_any("cluster", ("--cluster", choices.scope.cluster.clone()), None),
                max_path: from.pick_any("max-path", ("--max-path", choices.max_path), config.max_path),
                pedantic: from.pick("pedantic", ("--pedantic", choices.pedantic.then_some(true)), None, false),
                flux_version: from.pick_any("flux-version", ("", None), config.flux_version),
                sources: config.sources,
                profile: from.pick(
                    "profile",
                    ("--profile", choices.hardware.profile),
                    config.profile,
                    crate::timing::Profile::default(),
                ),
                durations: config.durations,
                no_ignore_comments: false,
                require_reason: from.pick("require-reason", ("", None), config.require_reason, false),
                selection,
                exclude: config.exclude,
                ignores: config.ignores,
                patterns_from,
                externals: config.externals,
                budgets: config.budgets,
                ..Options::default()
            },
            filter,
            fail_on: from.pick("fail-on", fail_on, config.fail_on, FailOn::default()),
            baseline: from.pick("baseline", (baseline_flag, baseline), config.baseline.map(Some), None),
            origins: from,
        }
    }
}

fn exit_code(choices: &Choices) -> Option<FailOn> {
    if choices.exit_zero { Some(FailOn::Never) } else { choices.fail_on }
}

/// Which rules run. A rule that a flag names runs whatever the file says of it.
fn selection(choices: &Choices, config: &mut Config, from: &mut Origins) -> Selection {
    let list = |list: &[Selector]| Some(list.to_vec()).filter(|list| !list.is_empty());
    let is_flagged =
        |id: &str| choices.select.contains(&Selector::Rule(crate::rules::find(id).map_or("", |info| info.id)));
    config.severities.retain(|id, severity| severity.is_some() || !is_flagged(id));
    config.ignore.retain(|selector| !matches!(selector, Selector::Rule(id) if is_flagged(id)));
    Selection {
        select: from.pick("select", ("--select", list(&choices.select)), list(&config.select), Vec::new()),
        ignore: from.pick("ignore", ("--ignore", list(&choices.ignore)), list(&config.ignore), Vec::new()),
        severities: std::mem::take(&mut config.severities),
        preview: from.pick("preview", ("--preview", choices.preview.then_some(true)), config.preview, false),
    }
}

/// The configuration that the flags, the environment or the folders around `paths` name.
fn in_force(wanted: &Configuration, paths: &[PathBuf], environment: &Environment) -> Result<Configured, CliError> {
    if wanted.no_config {
        return Ok(Configured::default());
    }
    configured(wanted.config.clone().or_else(|| environment.config().map(PathBuf::from)), paths)
}
