use super::{
    FOUND,
    args::{Global, Lint},
    baseline,
    environment::Environment,
    error::CliError,
    output::{self, Output},
    progress::Progress,
    say,
    settings::Settings,
    stdin,
};
use crate::{
    Analysis, Error,
    report::{ClusterSummary, Report, count, printable, summary},
    run,
    source::Tree,
};

/// Checks a repository, and says so. The exit code tells whether it is to fail.
pub(super) fn run(lint: &Lint, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let outputs = output::outputs(&lint.outputs, environment.format())?;
    let stdin = stdin::read(lint)?;
    let mut settings = Settings::new(lint, stdin.as_ref(), environment)?;
    settings.options.stdin = stdin;
    let visible = environment.shows_progress() && !lint.no_progress && !global.quiet;
    let progress = Progress::new(&settings.options.stage, visible, environment.stderr(global.color).unicode);
    let mut analysis = analyse(lint, &settings)?;
    drop(progress);
    baseline::apply(lint, &settings, &mut analysis, global.quiet)?;
    let Settings { file, options, filter, fail_on, .. } = settings;
    let Analysis { tree, repository, clusters, findings, warnings, remark, unseen, rest, .. } = analysis;
    rest.leak();
    for error in tree.unreadable() {
        say(&format!("warning: {}; what lies there is not analysed", printable(&error.to_string())));
    }
    for warning in warnings {
        say(&format!("warning: {}", printable(&warning)));
    }
    if lint.since.is_none() && environment.is_for_a_change() && !global.quiet {
        say(NOT_JUDGED);
    }
    if global.verbose > 0 {
        if let Some(file) = file {
            say(&format!("configuration {}", printable(&file.to_string_lossy())));
        }
        describe(&clusters, &tree);
    }
    let (suppressed, findings) = findings.into_iter().partition(|finding| finding.suppressed.is_some());
    let (findings, hidden) = filter.apply(findings);
    let (suppressed, _) = filter.apply(suppressed);
    let rules = crate::rules::enabled(&options.selection, options.pedantic);
    let report = Report {
        tree: &tree,
        repository: repository.as_deref(),
        profile: options.profile.name(),
        clusters: &clusters,
        findings: &findings,
        all: global.verbose > 0,
        suppressed: &suppressed,
        hidden,
        remark: remark.as_deref(),
        unseen: &unseen,
        rules: &rules,
    };
    let summary = (!global.quiet).then(|| summary(&report));
    let terminal = environment.linked(global.color, lint.hyperlinks);
    for output in &outputs {
        output.write(&report, &terminal, summary.as_deref())?;
        if let (Some(path), false) = (&output.path, global.quiet) {
            say(&format!("wrote {}", printable(&path.to_string_lossy())));
        }
    }
    let unsaid = outputs.iter().all(|output| output.path.is_some() || output.leaves_summary_unsaid());
    if let (Some(summary), true) = (summary, unsaid) {
        say(&summary);
    } else if !global.quiet && !outputs.iter().any(Output::has_notes) {
        report.notes().for_each(|note| say(&note));
    }
    Ok(if report.findings.iter().any(|finding| fail_on.covers(finding.severity)) { FOUND } else { 0 })
}

/// What is said where a proposed change is looked at by what it leads to alone.
const NOT_JUDGED: &str = "note: what this change deletes, recreates or slows down was not judged, since the revision before it is not known: run \
                          with `--since` and the branch it goes to, such as origin/main, in a clone with its history (`fetch-depth: 0`, \
                          `GIT_DEPTH: 0`)";

fn analyse(lint: &Lint, settings: &Settings) -> Result<Analysis, CliError> {
    let (paths, options) = (&settings.paths, &settings.options);
    let base = lint.since.as_ref().map(|since| run::base(paths, since, !lint.no_merge_base)).transpose()?;
    let analyse = || match &base {
        None => crate::lint(paths, options),
        Some(base) => crate::lint_since(paths, options, base),
    };
    let result = match lint.threads {
        None => analyse(),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build()
            .map_err(|error| CliError::new(format!("failed to start {threads} threads: {error}")))?
            .install(analyse),
    };
    match result {
        Err(Error::NoFluxObjects { .. }) if lint.allow_empty => Ok(Analysis::nothing()),
        Err(error @ Error::NoFluxObjects { .. }) if settings.options.stdin.is_some() => {
            let message = "no Flux Kustomization and no FluxInstance in what standard input holds";
            let help = match error {
                Error::NoFluxObjects { templates: true, .. } => error.help(),
                _ => "check what is piped in, or pass --allow-empty where there need not be any; other manifests are checked as \
                      part of a repository, with `fluxdag lint`".to_owned(),
            };
            Err(CliError::new(message).with_help(help))
        }
        result => Ok(result?),
    }
}

fn describe(clusters: &[ClusterSummary], tree: &Tree) {
    say(&count(tree.len(), "file"));
    for cluster in clusters {
        let version = cluster.flux_version.as_ref().map_or_else(String::new, |version| format!(", Flux {version}"));
        let root = if cluster.root.is_empty() { "." } else { &cluster.root };
        let line = format!("cluster {root}: {}{version}", count(cluster.nodes, "node"));
        say(&printable(&line));
        for detail in &cluster.unresolved_details {
            let place = detail.location.and_then(|span| tree.place(span));
            let at = place.map_or_else(String::new, |place| format!(" ({place})"));
            say(&format!("  not resolved: {}", printable(&format!("{}: {}{at}", detail.what, detail.why))));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{
        cli::args::{Arguments, Command},
        config::{Config, FailOn},
        finding::{Confidence, Severity},
    };

    fn merged(flags: &[&str], config: Config) -> Settings {
        let arguments = Arguments::try_parse_from([&["fluxdag", "lint"], flags].concat()).expect("flags of the test");
        let Command::Lint(lint) = arguments.command else { unreachable!("the command is lint") };
        Settings::merged(&lint.choices, config, None)
    }

    fn exit_code_of(flags: &[&str], shown: &[Severity]) -> u8 {
        let fail_on = merged(flags, Config::default()).fail_on;
        if shown.iter().any(|severity| fail_on.covers(*severity)) { FOUND } else { 0 }
    }

    #[test]
    fn flags_are_stronger_than_the_file_and_the_file_than_defaults() {
        let file = || Config {
            fail_on: Some(FailOn::Never),
            min_severity: Some(Severity::Info),
            min_confidence: Some(Confidence::Low),
            max_path: Some(std::time::Duration::from_secs(60)),
            require_reason: Some(true),
            ..Config::default()
        };
        let default = merged(&[], Config::default());
        assert!(!default.options.require_reason);
        assert!(merged(&[], file()).options.require_reason);
        assert_eq!(
            (default.filter.min_severity, default.filter.min_confidence),
            (Severity::Warning, Confidence::Medium)
        );
        assert_eq!(default.fail_on, FailOn::AtLeast(Severity::Error));
        let of_file = merged(&[], file());
        assert_eq!((of_file.filter.min_severity, of_file.filter.min_confidence), (Severity::Info, Confidence::Low));
        assert_eq!((of_file.fail_on, of_file.options.max_path.map(|limit| limit.as_secs())), (FailOn::Never, Some(60)));
        let flags = ["--fail-on", "warning", "--min-severity", "error", "--min-confidence", "high", "--max-path", "2m"];
        let flagged = merged(&flags, file());
        assert_eq!((flagged.filter.min_severity, flagged.filter.min_confidence), (Severity::Error, Confidence::High));
        assert_eq!(flagged.fail_on, FailOn::AtLeast(Severity::Warning));
        assert_eq!(flagged.options.max_path.map(|limit| limit.as_secs()), Some(120));
    }

    #[test]
    fn the_exit_code_follows_what_is_shown() {
        use Severity::{Error, Info, Warning};
        assert_eq!(exit_code_of(&[], &[]), 0);
        assert_eq!(exit_code_of(&[], &[Warning, Info]), 0);
        assert_eq!(exit_code_of(&[], &[Warning, Error]), 1);
        assert_eq!(exit_code_of(&["--fail-on", "warning"], &[Warning]), 1);
        assert_eq!(exit_code_of(&["--fail-on", "warning"], &[Info]), 0);
        assert_eq!(exit_code_of(&["--fail-on", "info"], &[Info]), 1);
        assert_eq!(exit_code_of(&["--fail-on", "never"], &[Error]), 0);
        assert_eq!(exit_code_of(&["--exit-zero"], &[Error]), 0);
    }

    #[test]
    fn every_flag_is_read() {
        let all = "-o concise -o json=x.json --min-severity info --min-confidence low --no-ignore-comments --no-progress --allow-empty \
                   --config f --root r --cluster c --max-path 1h30m --threads 2 --color never -v a b";
        assert_eq!(exit_code_of(&all.split_whitespace().collect::<Vec<_>>(), &[]), 0);
        for wrong in [
            "--threads 0",
            "--max-path ten",
            "--fail-on all",
            "--min-severity x",
            "--exit-zero --fail-on error",
            "-q -v",
            "--config x --no-config",
        ] {
            let flags: Vec<_> = ["fluxdag", "lint"].into_iter().chain(wrong.split_whitespace()).collect();
            assert!(Arguments::try_parse_from(flags).is_err(), "{wrong}");
        }
    }
}
