use std::{path::PathBuf, sync::Arc};

use super::{Analysis, Error, Options, Session, State, Survey, survey::survey_at};
use crate::{
    change,
    source::{Revision, SourceError, is_present, presumed},
};

/// Analyses the repository around `paths`, and the same as it was at `base`. What was found there too is marked as known.
///
/// # Errors
/// As for [`lint`](crate::lint), and where the revision cannot be read.
pub fn lint_since(paths: &[PathBuf], options: &Options, base: &Arc<Revision>) -> Result<Analysis, Error> {
    let past = Options { revision: Some(base.clone()), ..options.clone() };
    let ((found, unread), survey) = compare([paths, paths], [&past, options], |before, mut after| {
        let trees = [before.tree(), after.tree()];
        change::mark_known(&before.found.findings, &mut after.found.findings, trees, &base.short_id());
        let unread = trees[0].unreadable().iter().map(|error| format!("in `{}`, {error}: it is left out", base.name()));
        (after.found, unread.collect::<Vec<_>>())
    })?;
    if survey.store.tree().is_empty() {
        // Here as in any other run: a path that is mistyped must not pass for a clean repository.
        super::survey(paths, options)?;
    }
    let mut analysis = survey.into_analysis(found, options);
    analysis.warnings.extend(unread);
    Ok(analysis)
}

/// Analyses two states of a repository, each with paths and options of its own, and has `tell` look at both. Gives its answer
/// and the later state. What was not there yet, or held nothing of Flux, is an empty repository; so is what is gone.
///
/// # Errors
/// Where one of them cannot be read, and where neither holds anything of Flux.
pub fn compare<T>(
    [paths, later]: [&[PathBuf]; 2],
    [past, options]: [&Options; 2],
    tell: impl FnOnce(State<'_>, State<'_>) -> T,
) -> Result<(T, Survey), Error> {
    let sides = [(paths, past), (later, options)];
    // What is new or gone is in one of the two only; all that is around it is in both.
    for path in paths.iter().chain(later) {
        let real = presumed(path);
        if !sides.iter().any(|(_, options)| is_present(&real, options.revision.as_ref())) {
            return Err(SourceError::Missing(path.clone()).into());
        }
    }
    let [one, other] = sides
        .map(|(paths, options)| move || survey_at(paths.iter().map(|path| presumed(path)).collect(), paths, options));
    let (one, other) = rayon::join(one, other);
    let (mut before, after) = match (one, other) {
        (Err(one), other) if one.is_nothing() => (Survey::nothing(), other?),
        (one, Err(other)) if other.is_nothing() => (one?, Survey::nothing()),
        (one, other) => (one?, other?),
    };
    // Paths in findings count from the root, so both have to have the same one.
    let (root, known) = (after.store.tree().root(), before.store.tree().root());
    if past.root.is_none() && past.revision.is_some() && root != known && !after.clusters.is_empty() {
        let again = Options { root: Some(root.to_owned()), ..past.clone() };
        let again = survey_at(paths.iter().map(|path| presumed(path)).collect(), paths, &again);
        before = again.unwrap_or(before);
    }
    let (one, other) = rayon::join(|| Session::new(&before, past), || Session::new(&after, options));
    let before = State { found: one.findings(None), session: &one };
    let found = other.findings(Some(&before));
    if let Some(error) = [before.tree(), other.tree()].iter().find_map(|tree| tree.lacking()) {
        return Err(SourceError::from(error).into());
    }
    let answer = tell(before, State { session: &other, found });
    drop(other);
    Ok((answer, after))
}
