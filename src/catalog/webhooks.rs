use std::sync::OnceLock;

use serde::Deserialize;
use smol_str::SmolStr;

use super::{Confidence, is_set, sorted_rows};
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
    /// `label=text` of a Namespace whose objects are not sent, as long as no value sets another selector.
    #[serde(default)]
    pub unless: Vec<SmolStr>,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Where it was read.
    pub source: SmolStr,
}

/// Which objects of its kinds a release leaves to its webhook, as far as its manifest tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All, but for those that the chart itself leaves out.
    Default,
    /// Those that belong to no namespace; of the others, nobody can tell.
    ClusterScoped,
    /// Of none it can be told.
    Unknown,
}

impl Selection {
    /// Reads the `spec` of a HelmRelease: values that select objects or leave nobody to answer, and patches of the webhook.
    #[must_use]
    pub fn of_release(spec: &Node) -> Self {
        if spec.get("postRenderers").is_some_and(patches_webhooks) {
            return Self::Unknown;
        }
        spec.get("values").map_or(Self::Default, |values| of_values(values, false))
    }
}

/// Whether a text of a patch names the objects that make webhooks, or their fields.
fn patches_webhooks(node: &Node) -> bool {
    let names =
        |text: &str| ["WebhookConfiguration", "/webhooks", "failurePolicy"].iter().any(|name| text.contains(name));
    node.as_str().is_some_and(names)
        || node.items().any(patches_webhooks)
        || node.entries().any(|entry| names(&entry.key) || patches_webhooks(&entry.value))
}

/// What values select, below a key that speaks of webhooks if `is_about`.
fn of_values(values: &Node, is_about: bool) -> Selection {
    let mut found = Selection::Default;
    for entry in values.entries() {
        let (value, is_set) =
            (&entry.value, entry.value.entries().next().is_some() || entry.value.items().next().is_some());
        let is_zero = || value.as_str() == Some("0") || matches!(value.value, Value::Int(0));
        match entry.key.as_str() {
            "objectSelector" | "matchConditions" if is_about && is_set => return Selection::Unknown,
            "replicaCount" | "replicas" if is_about && is_zero() => return Selection::Unknown,
            "namespaceSelector" if is_about && is_set => found = Selection::ClusterScoped,
            key => match of_values(value, is_about || key.to_ascii_lowercase().contains("webhook")) {
                Selection::Unknown => return Selection::Unknown,
                Selection::ClusterScoped => found = Selection::ClusterScoped,
                Selection::Default => {}
            },
        }
    }
    found
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

    /// Whether objects in a namespace with these labels are not sent.
    #[must_use]
    pub fn spares(&self, labels: &Node) -> bool {
        let is_set = |entry: &SmolStr| {
            entry.split_once('=').is_some_and(|(label, text)| labels.find_str(&[label]) == Some(text))
        };
        self.unless.iter().any(is_set)
    }

    fn refuses(&self, values: Option<&Node>) -> bool {
        let holds = |entry: &SmolStr| {
            let Some((path, text)) = entry.split_once('=') else { return false };
            let keys: Vec<&str> = path.split('.').collect();
            values.is_some_and(|values| is_set(values, &keys, text))
        };
        !self.off.iter().any(holds) && (self.on.is_empty() || self.on.iter().any(holds))
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
            assert!(row.off.iter().chain(&row.on).chain(&row.unless).all(|entry| entry.contains('=')), "{}", row.group);
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
    fn values_and_patches_tell_what_a_webhook_is_sent() {
        let selection = |text: &str| {
            let mut spec = Node::empty_map(Span::NONE);
            for (path, value) in text.split(';').filter_map(|part| part.split_once('=')) {
                let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
                let keys: Vec<&str> = parent.split('.').collect();
                spec.ensure_map(&keys, Span::NONE).expect("made").set(key, Node::str(value, Span::NONE));
            }
            Selection::of_release(&spec)
        };
        for (text, wanted) in [
            ("values.webhook.namespaceSelector.matchLabels.checked=yes", Selection::ClusterScoped),
            ("values.controller.admissionWebhooks.objectSelector.matchLabels.a=b", Selection::Unknown),
            ("values.webhook.replicaCount=0", Selection::Unknown),
            ("values.webhook.replicaCount=2;values.replicaCount=0", Selection::Default),
            ("values.monitor.namespaceSelector.matchLabels.a=b", Selection::Default),
            ("postRenderers.patch=kind: MutatingWebhookConfiguration", Selection::Unknown),
            ("postRenderers.patch=kind: Deployment", Selection::Default),
        ] {
            assert_eq!(selection(text), wanted, "{text}");
        }
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
