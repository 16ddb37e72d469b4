use super::{
    FOUND,
    args::{Global, Lint},
    environment::Environment,
    error::CliError,
    output, say,
};
use crate::{
    Analysis, Error, Options,
    finding::RuleInfo,
    report::{ClusterSummary, Filter, Report, count, printable, summary},
    source::Tree,
};

/// Checks a repository, and says so. The exit code tells whether it is to fail.
pub(super) fn run(lint: &Lint, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let outputs = output::outputs(&lint.outputs)?;
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
    let failed = !lint.exit_zero && report.findings.iter().any(|finding| lint.fail_on.covers(finding.severity));
    Ok(if failed { FOUND } else { 0 })
}

fn analyse(lint: &Lint) -> Result<Analysis, CliError> {
    let options = Options { root: lint.root.clone(), cluster: lint.cluster.clone(), max_path: lint.max_path };
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
