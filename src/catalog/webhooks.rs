use std::sync::OnceLock;

use serde::Deserialize;
use smol_str::SmolStr;

use super::{Confidence, sorted_rows};
use crate::yaml::{Node, Value};

static WEBHOOKS: &str = super::compiled!("webhooks");

/// Which charts make admission webhooks that refuse objects while nobody answers them.
#[derive(Debug)]
pub struct WebhookCatalog {
    rows: Vec<WebhookRow>,
}

/// A webhook that is sent the objects of some kinds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookRow {
    /// API group of the objects.
    pub group: SmolStr,
    /// Their kinds; all of the group where empty.
    #[serde(default)]
    pub kinds: Vec<SmolStr>,
    /// The charts that make the webhook and answer it.
    pub charts: Vec<SmolStr>,
    /// Name of the webhook, as errors have it.
    pub webhook: SmolStr,
    /// `value=text` of the chart with any of which it refuses nothing.
    #[serde(default)]
    pub off: Vec<SmolStr>,
    /// `value=text` of the chart without any of which it refuses nothing.
    #[serde(default)]
    pub on: Vec<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

impl WebhookCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<WebhookCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(WEBHOOKS).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The webhooks of a chart with these values.
    #[must_use]
    pub fn of_chart(&self, chart: &str, values: Option<&Node>) -> Vec<&WebhookRow> {
        let is_of = |row: &&WebhookRow| row.charts.iter().any(|known| known.eq_ignore_ascii_case(chart));
        self.rows.iter().filter(is_of).filter(|row| row.refuses(values)).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let key = |row: &WebhookRow| (row.group.clone(), row.charts.first().cloned());
        Ok(Self { rows: sorted_rows(text, key, |row| row.group.to_string())? })
    }
}

impl WebhookRow {
    /// Whether the objects of a kind are sent to the webhook.
    #[must_use]
    pub fn is_sent(&self, group: &str, kind: &str) -> bool {
        self.group == group && (self.kinds.is_empty() || self.kinds.iter().any(|known| known == kind))
    }

    fn refuses(&self, values: Option<&Node>) -> bool {
        let is_set = |entry: &SmolStr| {
            entry.split_once('=').is_some_and(|(path, text)| {
                let keys: Vec<&str> = path.split('.').collect();
                values.and_then(|values| values.find(&keys)).is_some_and(|found| match &found.value {
                    Value::Bool(set) => text.parse() == Ok(*set),
                    _ => found.as_str() == Some(text),
                })
            })
        };
        !self.off.iter().any(is_set) && (self.on.is_empty() || self.on.iter().any(is_set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn every_row_has_a_source_and_entries_that_can_be_compared() {
        for row in &WebhookCatalog::builtin().rows {
            assert!(row.source.contains('/') && row.webhook.contains('.'), "{}", row.group);
            assert!(!row.charts.is_empty() && row.kinds.is_sorted(), "{}", row.group);
            assert!(row.off.iter().chain(&row.on).all(|entry| entry.contains('=')), "{}", row.group);
        }
    }

    #[test]
    fn a_chart_refuses_the_kinds_of_its_rows_unless_a_value_turns_that_off() {
        let catalog = WebhookCatalog::builtin();
        let refuses = |chart: &str, values: Option<&Node>, group: &str, kind: &str| {
            catalog.of_chart(chart, values).iter().any(|row| row.is_sent(group, kind))
        };
        assert!(refuses("cert-manager", None, "cert-manager.io", "ClusterIssuer"));
        assert!(!refuses("cert-manager-webhook-hetzner", None, "cert-manager.io", "ClusterIssuer"));
        assert!(refuses("External-Secrets", None, "external-secrets.io", "SecretStore"));
        assert!(!refuses("external-secrets", None, "external-secrets.io", "PushSecret"));
        let mut values = Node::empty_map(Span::NONE);
        let webhook = values.ensure_map(&["webhook"], Span::NONE).expect("made");
        webhook.set("failurePolicy", Node::str("Ignore", Span::NONE));
        assert!(!refuses("external-secrets", Some(&values), "external-secrets.io", "SecretStore"));
    }

    #[test]
    fn a_chart_whose_webhook_lets_pass_refuses_only_with_the_value_that_says_so() {
        let refuses = |values| {
            let rows = WebhookCatalog::builtin().of_chart("kube-prometheus-stack", values);
            rows.iter().any(|row| row.is_sent("monitoring.coreos.com", "PrometheusRule"))
        };
        assert!(!refuses(None));
        let mut values = Node::empty_map(Span::NONE);
        let keys = ["prometheusOperator", "admissionWebhooks"];
        values.ensure_map(&keys, Span::NONE).expect("made").set("failurePolicy", Node::str("Fail", Span::NONE));
        assert!(refuses(Some(&values)));
    }
}
