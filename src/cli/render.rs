use std::{collections::BTreeSet, io, path::PathBuf};

use super::{
    FOUND,
    args::{Global, ObjectFormat, ObjectOrder, Render, ShownOrigin},
    environment::Environment,
    error::CliError,
    print,
    question::prefer,
    say,
    settings::{Configured, configured},
};
use crate::{
    FolderBuild, Options,
    cluster::{Cluster, Folder, Node, Wanted},
    finding::{Confidence, Finding, Location, Related, Severity, Subject},
    kustomize::{self, Object, Unresolved, legacy_order},
    report::{Format, Hidden, Objects, Origin, Report, count, printable},
    source::{Span, Tree},
};

/// What is to be printed.
struct Rendered {
    tree: Tree,
    objects: Vec<Object>,
    faults: Vec<Finding>,
    unresolved: Vec<Unresolved>,
}

/// Prints what a Kustomization or a folder builds, and what is wrong with it. The exit code tells whether it fails.
pub(super) fn run(render: &Render, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let mut rendered = match (&render.path, &render.node) {
        (Some(path), _) => {
            of_folder(crate::build_folder(path, &options(render, std::slice::from_ref(path), environment)?)?)
        }
        (None, node) => of_node(node.as_deref().unwrap_or_default(), render, environment)?,
    };
    if render.sort == ObjectOrder::Legacy {
        legacy_order(&mut rendered.objects);
    }
    let Rendered { tree, objects, faults, unresolved } = &rendered;
    let origin = match render.origin {
        None => Origin::Hidden,
        Some(ShownOrigin::Changed) => Origin::Changed,
        Some(ShownOrigin::All) => Origin::All,
    };
    let objects = Objects { tree, objects, origin };
    print(match render.format {
        ObjectFormat::Yaml => objects.yaml(),
        ObjectFormat::Json => objects.json(),
    })?;
    let report = Report {
        tree,
        repository: None,
        profile: crate::timing::Profile::default().name(),
        clusters: &[],
        findings: faults,
        suppressed: &[],
        hidden: Hidden::default(),
        remark: None,
        rules: &[],
    };
    let mut text = Vec::new();
    let terminal = environment.stderr(global.color);
    let failed = |error: io::Error| CliError::new(format!("failed to describe what is wrong: {error}"));
    report.write(Format::Full, &terminal, &mut text).map_err(failed)?;
    if let Some(text) = String::from_utf8(text).ok().filter(|text| !text.is_empty()) {
        say(text.trim_end());
    }
    if !global.quiet {
        for part in unresolved {
            let at = if part.span.is_some() {
                format!(" ({}:{})", tree.path(part.span.file), tree.position(part.span).line)
            } else {
                String::new()
            };
            say(&format!("note: not resolved: {}", printable(&format!("{}: {}{at}", part.what, part.why))));
        }
    }
    Ok(if faults.iter().any(|fault| fault.severity == Severity::Error) { FOUND } else { 0 })
}

/// What the arguments and the configuration around `paths` say.
fn options(render: &Render, paths: &[PathBuf], environment: &Environment) -> Result<Options, CliError> {
    let Configured { config, marked, .. } = configured(&render.configuration, paths, environment)?;
    Ok(Options {
        root: render.scope.root.clone().or(config.root),
        cluster: render.scope.cluster.clone(),
        flux_version: config.flux_version,
        sources: config.sources,
        marked,
        ..Options::default()
    })
}

fn of_folder(built: FolderBuild) -> Rendered {
    let FolderBuild { tree, folder, build, .. } = built;
    let folder = if folder.is_empty() { ".".to_owned() } else { folder };
    let subject = Subject { kind: "Folder".to_owned(), namespace: None, name: folder };
    let faults = build.errors.iter().map(|error| of_error(error, &subject, Span::NONE)).collect();
    Rendered { tree, objects: build.objects, faults, unresolved: build.unresolved }
}

fn of_node(text: &str, render: &Render, environment: &Environment) -> Result<Rendered, CliError> {
    let wanted = Wanted::kustomization(text).map_err(|error| {
        CliError::new(error.to_string()).with_help(
            "name one as `apps`, `flux-system/apps` or `Kustomization/flux-system/apps`; a folder is built with --path",
        )
    })?;
    let options = options(render, &render.paths, environment)?;
    let survey = crate::survey(&render.paths, &options).map_err(|error| {
        CliError::of_question(error, "give a folder that holds Flux Kustomizations, or build one with --path")
    })?;
    let reported = survey.reported();
    let mut found = wanted.find(&survey.clusters);
    prefer(&mut found, |(cluster, _)| reported.contains_key(cluster.root.as_str()));
    prefer(&mut found, |(cluster, node)| {
        let reported = reported.get(cluster.root.as_str()).and_then(Option::as_ref);
        reported.is_none_or(|reported| reported.contains(&node.subject()))
    });
    let (cluster, node) = match found.as_slice() {
        [one] => *one,
        [] => return Err(unknown(text, &wanted, &survey.clusters)),
        several => return Err(ambiguous(text, several)),
    };
    let faults = faults(cluster, node);
    let (objects, unresolved) = (node.applied.build.objects.clone(), node.unresolved.clone());
    Ok(Rendered { tree: survey.store.into_tree(), objects, faults, unresolved })
}

fn unknown(text: &str, wanted: &Wanted, clusters: &[Cluster]) -> CliError {
    let similar = wanted.similar(clusters);
    let nodes = clusters.iter().map(|cluster| cluster.nodes.len()).sum();
    let help = similar.map_or_else(
        || format!("there are {}; a folder is built with --path", count(nodes, "Kustomization")),
        |similar| format!("did you mean `{similar}`?"),
    );
    CliError::new(format!("there is no Kustomization `{text}`")).with_help(help)
}

fn ambiguous(text: &str, several: &[(&Cluster, &Node)]) -> CliError {
    let mut help = "name one of them:".to_owned();
    for (cluster, node) in several {
        help.push_str(&format!("\n{} --cluster {}", node.key, cluster.root));
    }
    CliError::new(format!("`{text}` names {}", count(several.len(), "Kustomization"))).with_help(help)
}

/// Why the build of `node` fails.
fn faults(cluster: &Cluster, node: &Node) -> Vec<Finding> {
    let path = node.kustomization.span(&["spec", "path"]);
    let subject = node.subject();
    let mut faults = Vec::new();
    if let Folder::Missing { path: folder, similar, .. } = &node.folder {
        let message = format!("the build of {subject} fails: `spec.path` `{folder}` is not a folder of the source");
        let help = similar.as_ref().map_or_else(String::new, |similar| format!("did you mean `{similar}`?"));
        faults.push(Finding { rule: "missing-path", help, ..fault(message, subject.clone(), path) });
    }
    faults.extend(node.applied.build.errors.iter().map(|error| of_error(error, &subject, path)));
    let of_variable = |fault| Finding { rule: "unset-variable", ..fault };
    faults.extend(node.applied.expression_errors.iter().map(|error| of_variable(of_error(error, &subject, path))));
    if cluster.controllers.has_strict_substitution(cluster.version) {
        let mut seen = BTreeSet::new();
        for used in node.applied.unset_variables.iter().filter(|used| seen.insert(&used.name)) {
            let message = format!("the build of {subject} fails: `{}` is set nowhere and has no default", used.name);
            let mut fault = of_variable(fault(message, subject.clone(), used.span));
            if cluster.version.is_none() && cluster.controllers.strict_substitution_gate().is_none() {
                fault.severity = Severity::Warning;
                fault.why = "Since Flux 2.9 substitution is strict. Which release runs here is not in the repository."
                    .to_owned();
            }
            faults.push(fault);
        }
    }
    faults
}

fn of_error(error: &kustomize::Error, subject: &Subject, path: Span) -> Finding {
    let message = format!("the build of {subject} fails: {}", error.message);
    let mut fault = fault(message, subject.clone(), error.span.or(path));
    fault.related = error.related.iter().map(|(span, text)| Related::new(text.clone(), None, *span)).collect();
    fault
}

fn fault(message: String, subject: Subject, at: Span) -> Finding {
    Finding {
        rule: "build-failure",
        severity: Severity::Error,
        confidence: Confidence::High,
        message,
        subject,
        clusters: Vec::new(),
        location: Location::from(at),
        label: "here".to_owned(),
        related: Vec::new(),
        why: String::new(),
        help: String::new(),
        key: String::new(),
        members: Vec::new(),
        fingerprint: String::new(),
        suppressed: None,
    }
}
