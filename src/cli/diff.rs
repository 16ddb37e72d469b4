//! What lies between two revisions: `fluxdag diff`.

use std::path::{Path, PathBuf};

use super::{
    FOUND,
    args::{Choices, Diff, DiffFormat, Global},
    environment::Environment,
    error::CliError,
    print,
    question::or_here,
    say,
    settings::Settings,
};
use crate::{
    Options,
    change::Revised,
    report::{Text as _, diff_markdown, document, printable},
    run,
    source::{GitError, Syntax},
};

/// Compares, and says what came of it. The exit code tells whether there is something new to fail for.
pub(super) fn run(diff: &Diff, global: &Global, environment: &Environment) -> Result<u8, CliError> {
    let Asked { base, head, merge_base, paths } = asked(diff)?;
    let choices = Choices { fail_on: diff.fail_on, ..diff.target.choices(&paths) };
    let Settings { options, filter, fail_on, .. } = Settings::chosen(&choices, environment)?;
    let repository = run::repository(&paths)?;
    let name = if merge_base { format!("merge base of {base}") } else { base.to_owned() };
    let base = run::between(&repository, base, head.unwrap_or("HEAD"), merge_base)?;
    let head = head.map(|name| repository.revision(name)).transpose()?.map(std::sync::Arc::new);
    if head.is_none() && repository.is_bare() {
        return Err(GitError::NoWorkTree(repository.top().to_owned()).into());
    }
    let past = Options { revision: Some(base.clone()), ..options.clone() };
    let options = Options { revision: head.clone(), ..options };
    let head = head.map_or_else(
        || Revised { name: "the work tree".to_owned(), commit: None },
        |head| Revised { name: head.name().to_owned(), commit: Some(head.id()) },
    );
    let base = Revised { name, commit: Some(base.id()) };
    let found = run::diff(&paths, [&past, &options], [base, head], filter)?;
    found.warnings.iter().for_each(|warning| say(&format!("warning: {}", printable(warning))));
    if let Some(remark) = found.remark.as_ref().filter(|_| !global.quiet) {
        say(&printable(&format!("note: {remark}")));
    }
    match diff.format {
        DiffFormat::Text => {
            let terminal = environment.stdout(global.color);
            print(&found.text(&terminal), terminal.syntax())?;
        }
        DiffFormat::Json => print(&document(&found), Syntax::Json)?,
        DiffFormat::Markdown => print(&diff_markdown(&found), Syntax::Text)?,
    }
    Ok(if found.new_findings.iter().any(|finding| fail_on.covers(finding.severity)) { FOUND } else { 0 })
}

/// What is to be compared.
struct Asked<'d> {
    base: &'d str,
    /// The work tree where there is none.
    head: Option<&'d str>,
    /// Whether the common ancestor with `base` is meant, and not `base` itself.
    merge_base: bool,
    paths: Vec<PathBuf>,
}

/// The two revisions and the paths. As for `git diff`, `a..b` and `a...b` mean two
/// revisions, and what names no revision and is there is a path.
fn asked(diff: &Diff) -> Result<Asked<'_>, CliError> {
    let mut paths: Vec<PathBuf> = diff.paths.iter().chain(&diff.more).cloned().collect();
    let mut head = diff.head.as_deref();
    if let Some(text) = head.filter(|text| Path::new(text).exists())
        && (diff.base.contains("..") || run::repository(&or_here(paths.clone()))?.revision(text).is_err())
    {
        paths.insert(0, PathBuf::from(text));
        head = None;
    }
    let range = |by: &str| diff.base.split_once(by).filter(|_| head.is_none());
    let (base, head, merge_base) = match (range("..."), range("..")) {
        (Some((base, head)), _) => (or_head(base), Some(or_head(head)), true),
        (None, Some((base, head))) => (or_head(base), Some(or_head(head)), diff.merge_base),
        (None, None) => (diff.base.as_str(), head, diff.merge_base),
    };
    Ok(Asked { base, head, merge_base, paths: or_here(paths) })
}

const fn or_head(name: &str) -> &str {
    if name.is_empty() { "HEAD" } else { name }
}
