//! `[[externals]]` and `[[budgets]]`: what is known of single objects.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, places::ConfigText, rules::pattern, texts::DurationText, values::Checked};
use crate::{
    cluster::{External, Externals},
    rules::Budget,
};

/// Objects that are made outside the repository, and are there before Flux starts: nothing is missing because of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExternalEntry {
    /// Their kind, for instance `Secret`; a glob may stand for it.
    #[schemars(with = "String")]
    kind: Spanned<String>,
    /// Their namespace; any, and none, where not set. A glob may stand for it.
    #[schemars(with = "Option<String>")]
    namespace: Option<Spanned<String>>,
    /// Their name; a glob may stand for it.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// Who makes them.
    reason: Option<String>,
}

/// How long it may take until a Kustomization is Ready in a cold start.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BudgetEntry {
    /// The Kustomization: `namespace/name`, or the name alone; a glob may stand for it.
    #[schemars(with = "String")]
    node: Spanned<String>,
    /// The cluster, by its root or one folder of it; each where not set.
    cluster: Option<String>,
    /// How long, from the first reconciliation.
    #[schemars(with = "DurationText")]
    max_path: Checked<Duration>,
}

/// Most entries of each sort: each object or node is compared with all of them.
const ENTRIES: usize = 200;

/// Checks `[[externals]]`.
pub(super) fn externals(entries: &[Spanned<ExternalEntry>], place: &ConfigText<'_>) -> Result<Externals, ConfigError> {
    limit(entries, place, "externals")?;
    let external = |entry: &Spanned<ExternalEntry>| {
        let ExternalEntry { kind, namespace, name, reason } = entry.get_ref();
        if let Some(empty) =
            [Some(kind), namespace.as_ref(), Some(name)].into_iter().flatten().find(|text| text.get_ref().is_empty())
        {
            let help = "leave `namespace` out for any; `kind` and `name` have to say something, `*` if need be";
            return Err(place.fault(empty.span().start, "an empty name".to_owned(), Some(help)));
        }
        if kind.get_ref() == "*" && name.get_ref() == "*" {
            let help = "name the kinds or the names that are made outside the repository";
            return Err(place.fault(kind.span().start, "externals of every kind and name".to_owned(), Some(help)));
        }
        Ok(External {
            kind: pattern(kind, place)?,
            namespace: namespace.as_ref().map(|namespace| pattern(namespace, place)).transpose()?,
            name: pattern(name, place)?,
            reason: reason.clone(),
        })
    };
    Ok(Externals::new(entries.iter().map(external).collect::<Result<_, _>>()?))
}

/// Checks `[[budgets]]`.
pub(super) fn budgets(entries: &[Spanned<BudgetEntry>], place: &ConfigText<'_>) -> Result<Vec<Budget>, ConfigError> {
    limit(entries, place, "budgets")?;
    let budget = |entry: &Spanned<BudgetEntry>| {
        let BudgetEntry { node, cluster, max_path } = entry.get_ref();
        let text = node.get_ref();
        if text.is_empty() || text.matches('/').count() > 1 || text.contains(char::is_whitespace) {
            let message = format!("`{text}` is not `namespace/name` of a Kustomization, nor a name");
            return Err(place.fault(node.span().start, message, None));
        }
        Ok(Budget { node: pattern(node, place)?, cluster: cluster.clone(), max_path: max_path.0 })
    };
    entries.iter().map(budget).collect()
}

fn limit<T>(entries: &[Spanned<T>], place: &ConfigText<'_>, what: &str) -> Result<(), ConfigError> {
    match entries.get(ENTRIES) {
        Some(one_more) => Err(place.fault(one_more.span().start, format!("more than {ENTRIES} {what}"), None)),
        None => Ok(()),
    }
}
