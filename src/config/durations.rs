//! `[[durations]]`: how long things take, by those who know.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, texts::DurationText, values::Checked};
use crate::{
    catalog::Range,
    timing::{Override, Target},
};

/// How long something takes: one of `chart`, `node` and `object`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Entry {
    /// The name of a chart, without its repository.
    #[schemars(with = "Option<String>")]
    chart: Option<Spanned<String>>,
    /// A Kustomization as `namespace/name`: from its apply until what it applies itself is healthy.
    #[schemars(with = "Option<String>")]
    node: Option<Spanned<String>>,
    /// An object as `Kind/namespace/name`; stronger than its chart.
    #[schemars(with = "Option<String>")]
    object: Option<Spanned<String>>,
    /// At best; 60 % of `typical` where not set.
    #[schemars(with = "Option<DurationText>")]
    low: Option<Spanned<Checked<Duration>>>,
    /// As a rule.
    #[schemars(with = "DurationText")]
    typical: Spanned<Checked<Duration>>,
    /// At worst; twice of `typical` where not set.
    #[schemars(with = "Option<DurationText>")]
    high: Option<Spanned<Checked<Duration>>>,
}

/// Most entries of one file: each release and object is compared with all of them.
const ENTRIES: usize = 200;

/// Checks the entries. `at` makes an error of a place, what is wrong, and what to do about it.
pub(super) fn read(
    entries: &[Spanned<Entry>],
    at: &dyn Fn(usize, String, Option<&str>) -> ConfigError,
) -> Result<Vec<Override>, ConfigError> {
    if let Some(one_more) = entries.get(ENTRIES) {
        return Err(at(one_more.span().start, format!("more than {ENTRIES} durations"), None));
    }
    let mut known = BTreeSet::new();
    let mut overrides = Vec::new();
    for entry in entries {
        let (target, start) = target(entry, at)?;
        if !known.insert(target.clone()) {
            return Err(at(start, format!("two durations for {target}"), Some("keep one of the two")));
        }
        overrides.push(Override { target, range: range(entry.get_ref(), at)? });
    }
    Ok(overrides)
}

/// What an entry is for, and where that is written.
fn target(
    entry: &Spanned<Entry>,
    at: &dyn Fn(usize, String, Option<&str>) -> ConfigError,
) -> Result<(Target, usize), ConfigError> {
    let Entry { chart, node, object, .. } = entry.get_ref();
    let help = "write one of `chart = \"name\"`, `node = \"namespace/name\"` and `object = \"Kind/namespace/name\"`";
    let (written, target) = match (chart, node, object) {
        (Some(chart), None, None) => {
            let name = chart.get_ref();
            let is_name = !name.is_empty() && !name.contains(['/', ':']) && !name.contains(char::is_whitespace);
            (chart, is_name.then(|| Target::Chart(name.clone())).ok_or("the name of a chart, without its repository"))
        }
        (None, Some(node), None) => (node, Target::node(node.get_ref()).ok_or("`namespace/name` of a Kustomization")),
        (None, None, Some(object)) => {
            (object, Target::object(object.get_ref()).ok_or("`Kind/namespace/name` of an object"))
        }
        (None, None, None) => return Err(at(entry.span().start, "a duration of nothing".to_owned(), Some(help))),
        _ => return Err(at(entry.span().start, "a duration of several things".to_owned(), Some(help))),
    };
    let start = written.span().start;
    target
        .map(|target| (target, start))
        .map_err(|form| at(start, format!("`{}` is not {form}", written.get_ref()), Some(help)))
}

/// From low to high. What is not set is as far from the typical value as estimates are.
fn range(entry: &Entry, at: &dyn Fn(usize, String, Option<&str>) -> ConfigError) -> Result<Range, ConfigError> {
    let typical = entry.typical.get_ref().0;
    let end = |end: &Option<Spanned<Checked<Duration>>>| end.as_ref().map(|end| (end.get_ref().0, end.span().start));
    let help = Some("`low` is at most `typical`, and that at most `high`");
    if let Some((_, start)) = end(&entry.low).filter(|(low, _)| *low > typical) {
        return Err(at(start, "`low` is longer than `typical`".to_owned(), help));
    }
    if let Some((_, start)) = end(&entry.high).filter(|(high, _)| *high < typical) {
        return Err(at(start, "`high` is shorter than `typical`".to_owned(), help));
    }
    Ok(Range {
        low: end(&entry.low).map_or(typical * 3 / 5, |(low, _)| low),
        typical,
        high: end(&entry.high).map_or(typical.saturating_mul(2), |(high, _)| high),
    })
}
