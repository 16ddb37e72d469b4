use super::{
    FOUND,
    args::{Global, Lint},
    environment::Environment,
    error::CliError,
    output, say,
};
use crate::{
    Analysis, Error, Options,
    finding::{RuleInfo, Severity},
    report::{ClusterSummary, Filter, Report, count, printable, summary},
    source::Tree,
};

/// Checks a repository, and says so. The exit code tells whether it is to fail.
pub(super) fn run(lint: &Lint, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let outputs = output::outputs(&lint.outputs, environment.format())?;
    let Analysis { tree, artifact_root, clusters, findings } = analyse(lint)?;
    if global.verbose > 0 {
        describe(&clusters, &tree);
    }
    let filter = Filter { min_severity: lint.min_severity, min_confidence: lint.min_confidence };
    let (findings, hidden) = filter.apply(findings);
    let rules: Vec<&'static RuleInfo> = crate::rules::RULES.iter().map(|rule| &rule.info).collect();
    let report = Report {
        tree: &tree,
        artifact_root: &artifact_root,
        clusters: &clusters,
        findings: &findings,
        hidden,
        rules: &rules,
    };
    let summary = (!global.quiet).then(|| summary(&report));
    let terminal = environment.stdout(global.color);
    for output in &outputs {
        output.write(&report, &terminal, summary.as_deref())?;
        if let (Some(path), false) = (&output.path, global.quiet) {
            say(&format!("wrote {}", printable(&path.to_string_lossy())));
        }
    }
    let unsaid = outputs.iter().all(|output| output.path.is_some() || output.leaves_summary_unsaid());
    if let (Some(summary), true) = (summary, unsaid) {
        say(&summary);
    }
    Ok(exit_code(lint, report.findings.iter().map(|finding| finding.severity)))
}

fn exit_code(lint: &Lint, mut shown: impl Iterator<Item = Severity>) -> u8 {
    if !lint.exit_zero && shown.any(|severity| lint.fail_on.covers(severity)) { FOUND } else { 0 }
}

fn analyse(lint: &Lint) -> Result<Analysis, CliError> {
    let options = Options {
        root: lint.root.clone(),
        cluster: lint.cluster.clone(),
        max_path: lint.max_path,
        ..Options::default()
    };
    let analyse = || crate::lint(&lint.paths, &options);
    let result = match lint.threads {
        None => analyse(),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build()
            .map_err(|error| CliError::new(format!("failed to start {threads} threads: {error}")))?
            .install(analyse),
    };
    match result {
        Err(Error::NoFluxObjects { .. }) if lint.allow_empty => Ok(Analysis {
            tree: Tree::from_memory([]),
            artifact_root: String::new(),
            clusters: Vec::new(),
            findings: Vec::new(),
        }),
        result => Ok(result?),
    }
}

fn describe(clusters: &[ClusterSummary], tree: &Tree) {
    say(&count(tree.len(), "file"));
    for cluster in clusters {
        let version = cluster.flux_version.as_ref().map_or_else(String::new, |version| format!(", Flux {version}"));
        let line = format!("cluster {}: {}{version}", cluster.root, count(cluster.nodes, "node"));
        say(&printable(&line));
        for detail in &cluster.unresolved_details {
            let at = detail
                .location
                .map_or_else(String::new, |span| format!(" ({}:{})", tree.path(span.file), tree.position(span).line));
            say(&format!("  not resolved: {}", printable(&format!("{}: {}{at}", detail.what, detail.why))));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Arguments, Command};

    fn exit_code_of(flags: &[&str], shown: &[Severity]) -> u8 {
        let arguments = Arguments::try_parse_from([&["fluxdag", "lint"], flags].concat()).expect("flags of the test");
        let Command::Lint(lint) = arguments.command else { unreachable!("the command is lint") };
        exit_code(&lint, shown.iter().copied())
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
        let all = "-o concise -o json=x.json --min-severity info --min-confidence low --no-progress --allow-empty \
                   --root r --cluster c --max-path 1h30m --threads 2 --color never -v a b";
        assert_eq!(exit_code_of(&all.split_whitespace().collect::<Vec<_>>(), &[]), 0);
        for wrong in [
            "--threads 0",
            "--max-path ten",
            "--fail-on all",
            "--min-severity x",
            "--exit-zero --fail-on error",
            "-q -v",
        ] {
            let flags: Vec<_> = ["fluxdag", "lint"].into_iter().chain(wrong.split_whitespace()).collect();
            assert!(Arguments::try_parse_from(flags).is_err(), "{wrong}");
        }
    }
}
