use std::{io, path::PathBuf};

use super::{
    FOUND,
    args::{Choices, Global, ObjectFormat, ObjectOrder, Render, ShownOrigin},
    environment::Environment,
    error::CliError,
    print, say, say_on,
    settings::Settings,
};
use crate::{
    finding::Severity,
    kustomize::legacy_order,
    query::{Rendering, render, render_folder},
    report::{Format, Hidden, Objects, Origin, Report, document, printable},
    source::{Syntax, Tree},
};

/// Prints what a Kustomization or a folder builds, and what is wrong with it. The exit code tells whether it fails.
pub(super) fn run(asked: &Render, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let (tree, mut rendering) = built(asked, environment)?;
    if asked.sort == ObjectOrder::Legacy {
        legacy_order(&mut rendering.objects);
    }
    let origin = match asked.origin {
        None => Origin::Hidden,
        Some(ShownOrigin::Changed) => Origin::Changed,
        Some(ShownOrigin::All) => Origin::All,
    };
    match asked.format {
        ObjectFormat::Yaml => {
            print(&Objects { tree: &tree, objects: &rendering.objects, origin }.yaml(), Syntax::Yaml)?;
        }
        ObjectFormat::Json => {
            print(&document(&rendering.document(&tree, origin != Origin::Hidden)), Syntax::Json)?;
        }
    }
    complain(&tree, &rendering, global, environment)?;
    Ok(if rendering.findings.iter().any(|fault| fault.severity == Severity::Error) { FOUND } else { 0 })
}

fn built(asked: &Render, environment: &Environment) -> Result<(Tree, Rendering), CliError> {
    let settings = |paths: &[PathBuf]| {
        let choices = Choices {
            paths: paths.to_vec(),
            scope: asked.scope.clone(),
            configuration: asked.configuration.clone(),
            ..Choices::default()
        };
        Settings::chosen(&choices, environment)
    };
    if let Some(path) = &asked.path {
        let built = crate::build_folder(path, &settings(std::slice::from_ref(path))?.options)?;
        return Ok((built.tree, render_folder(&built.folder, built.build)));
    }
    let Settings { options, paths, .. } = settings(&asked.paths)?;
    let survey = crate::survey(&paths, &options).map_err(|error| {
        CliError::of_question(error, "give a folder that holds Flux Kustomizations, or build one with --path")
    })?;
    let rendering = render(&survey.clusters, &survey.focus, asked.node.as_deref().unwrap_or_default())?;
    Ok((survey.store.into_tree(), rendering))
}

/// Says what is wrong with a build, and what is not known of it.
fn complain(tree: &Tree, rendering: &Rendering, global: &Global, environment: &Environment) -> Result<(), CliError> {
    let report = Report {
        tree,
        repository: None,
        profile: crate::timing::Profile::default().name(),
        clusters: &[],
        findings: &rendering.findings,
        all: true,
        suppressed: &[],
        hidden: Hidden::default(),
        remark: None,
        unseen: &[],
        rules: &[],
    };
    let mut text = Vec::new();
    let failed = |error: io::Error| CliError::new(format!("failed to describe what is wrong: {error}"));
    let terminal = environment.stderr(global.color);
    report.write(Format::Full, &terminal, &mut text).map_err(failed)?;
    if let Some(text) = String::from_utf8(text).ok().filter(|text| !text.is_empty()) {
        say_on(&terminal, text.trim_end());
    }
    for part in rendering.unresolved.iter().filter(|_| !global.quiet) {
        let at = tree.place(part.span).map_or_else(String::new, |place| format!(" ({place})"));
        say(&format!("note: not resolved: {}", printable(&format!("{}: {}{at}", part.what, part.why))));
    }
    Ok(())
}
