//! `[rules.<id>]`, `select` and `ignore`: which rules run, how much they matter, and what of them is silenced.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Config, ConfigError,
    places::ConfigText,
    texts::{RuleLevel, ids},
    values::{Checked, RuleSeverity},
};
use crate::{
    rules::{Ignore, Selector, find, named},
    source::Pattern,
};

/// `[rules.<id>]`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleTable {
    /// The severity of all that the rule finds, or `off`. A pedantic rule that has one runs without `--pedantic`.
    #[schemars(with = "Option<RuleLevel>")]
    severity: Option<Spanned<Checked<RuleSeverity>>>,
    /// Findings of the rule that are silenced.
    #[serde(default)]
    #[schemars(with = "Vec<IgnoreEntry>")]
    ignore: Vec<Spanned<IgnoreEntry>>,
}

/// A table for each rule.
pub(super) struct RuleTables;

impl JsonSchema for RuleTables {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RuleTables".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RuleTable>();
        let of = |id: &'static str| {
            let summary = find(id).map(|info| info.summary).unwrap_or_default();
            (id.to_owned(), serde_json::json!({"description": summary, "allOf": [table.clone()]}))
        };
        let properties: serde_json::Map<String, serde_json::Value> = ids().map(of).collect();
        json_schema!({"type": "object", "additionalProperties": false, "properties": properties})
    }
}

/// Findings to silence. All that is set has to hold; `object`, `path` or `cluster` has to be set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct IgnoreEntry {
    /// What they are about, as `Kind/namespace/name`; a glob may stand for it.
    #[schemars(with = "Option<String>")]
    object: Option<Spanned<String>>,
    /// The file they point to, or a folder that holds it, from the folder of this file; a glob may stand for it.
    #[schemars(with = "Option<String>")]
    path: Option<Spanned<String>>,
    /// The cluster they hold in, by its root or one folder of it.
    cluster: Option<String>,
    /// Why. `require-reason` asks for it.
    reason: Option<String>,
}

/// Most entries of one file: each finding is compared with all of them.
const ENTRIES: usize = 1000;

/// Reads the tables into `config`.
pub(super) fn read(
    tables: &BTreeMap<Spanned<String>, RuleTable>,
    place: &ConfigText<'_>,
    require_reason: bool,
    config: &mut Config,
) -> Result<(), ConfigError> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, table) in tables {
        let start = id.span().start;
        let info =
            named(id.get_ref()).map_err(|unknown| place.fault(start, unknown.to_string(), Some(&unknown.help())))?;
        if let Some(other) = known.insert(info.id, id.get_ref()) {
            let message = format!("`{}` and `{other}` are one rule", id.get_ref());
            return Err(place.fault(start, message, Some("keep one of the two tables")));
        }
        if let Some(severity) = &table.severity {
            config.severities.insert(info.id, severity.get_ref().0.0);
            config.lines.insert(format!("rules.{}.severity", info.id), place.line(severity.span().start));
        }
        for (index, entry) in table.ignore.iter().enumerate() {
            let start = entry.span().start;
            if config.ignores.len() >= ENTRIES {
                return Err(place.fault(start, format!("more than {ENTRIES} entries of `ignore`"), None));
            }
            let line = place.line(start);
            config.ignores.push(ignore(info.id, entry, place, require_reason)?);
            config.lines.insert(format!("rules.{}.ignore[{index}]", info.id), line);
        }
    }
    Ok(())
}

fn ignore(
    rule: &'static str,
    entry: &Spanned<IgnoreEntry>,
    place: &ConfigText<'_>,
    require_reason: bool,
) -> Result<Ignore, ConfigError> {
    let IgnoreEntry { object, path, cluster, reason } = entry.get_ref();
    let start = entry.span().start;
    if object.is_none() && path.is_none() && cluster.is_none() {
        let help =
            format!("name an `object`, a `path` or a `cluster`; `severity = \"off\"` turns off `{rule}` as a whole");
        return Err(place.fault(start, "an entry that silences everything".to_owned(), Some(&help)));
    }
    let reason = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    if require_reason && reason.is_none() {
        let help = "add `reason = \"…\"`; `require-reason` asks for that";
        return Err(place.fault(start, "an entry of `ignore` without a reason".to_owned(), Some(help)));
    }
    if let Some(object) = object.as_ref().filter(|object| !object.get_ref().contains(['/', '*', '{'])) {
        let message = format!("`{}` is no object", object.get_ref());
        let help = "write it as findings do, `Kind/namespace/name`, for instance `Kustomization/flux-system/apps` or `HelmRelease/media/*`";
        return Err(place.fault(object.span().start, message, Some(help)));
    }
    Ok(Ignore {
        rule,
        object: object.as_ref().map(|object| pattern(object, place)).transpose()?,
        path: path.as_ref().map(|path| path_pattern(path, place)).transpose()?,
        cluster: cluster.clone(),
        reason,
        place: format!("{}:{}", place.path.display(), place.line(start)),
    })
}

/// A glob.
pub(super) fn pattern(written: &Spanned<String>, place: &ConfigText<'_>) -> Result<Pattern, ConfigError> {
    Pattern::parse(written.get_ref()).map_err(|message| place.fault(written.span().start, message, None))
}

/// A glob over paths. `./` at its head and `/` at its end are of no account.
pub(super) fn path_pattern(written: &Spanned<String>, place: &ConfigText<'_>) -> Result<Pattern, ConfigError> {
    let text = written.get_ref();
    let trimmed = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
    if trimmed.is_empty() || trimmed.starts_with(['/', '!']) || trimmed.split('/').any(|part| part == "..") {
        let message = format!("`{text}` is no pattern of paths below the folder of this file");
        let help = "write it like `vendor`, `**/testdata/**` or `apps/*/generated.yaml`";
        return Err(place.fault(written.span().start, message, Some(help)));
    }
    Pattern::parse(trimmed).map_err(|message| place.fault(written.span().start, message, None))
}

/// `select` or `ignore`.
pub(super) fn selectors(
    written: Option<&Spanned<Vec<Spanned<String>>>>,
    place: &ConfigText<'_>,
) -> Result<Vec<Selector>, ConfigError> {
    let all = written.iter().flat_map(|all| all.get_ref());
    all.map(|text| {
        let selector = text.get_ref().parse::<Selector>();
        selector.map_err(|unknown| place.fault(text.span().start, unknown.to_string(), Some(&unknown.help())))
    })
    .collect()
}
