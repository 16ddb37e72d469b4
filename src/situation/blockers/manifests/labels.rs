//! Labels and annotations that the API server refuses (apimachinery, `content.IsLabelValue`, `content.IsLabelKey`; of every object,
//! `ValidateObjectMeta`).

use super::{FieldFault, Flaw, fields::visit};
use crate::{
    flux::is_open_text,
    kustomize::Object,
    yaml::{Node, Trail},
};

/// The longest value of a label, and the longest name in a key.
const LONGEST: usize = 63;

/// The labels and annotations of an object, and the labels of its pods, that are refused.
pub(super) fn faults(object: &Object) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let labels: [&[&str]; 4] = [
        &["metadata", "labels"],
        &["spec", "template", "metadata", "labels"],
        &["spec", "selector", "matchLabels"],
        &["spec", "jobTemplate", "spec", "template", "metadata", "labels"],
    ];
    // Below the metadata, only Kubernetes' own kinds are known to mean labels.
    let is_workload = matches!(object.id().group.as_str(), "apps" | "batch");
    for path in &labels[..if is_workload { labels.len() } else { 1 }] {
        visit(&object.node, path, Trail::Top, &mut |node, _, shown| {
            for entry in node.into_iter().flat_map(Node::entries) {
                let at = entry.value.span.or(entry.key_span).or(object.source);
                let text = entry.value.as_str().filter(|text| !is_open(text));
                let flaw = match text {
                    Some(text) if text.chars().count() > LONGEST => Some(Flaw::LongLabel(text.chars().count())),
                    Some(text) if !text.is_empty() && !is_label(text) => Some(Flaw::NoLabel(text.to_owned())),
                    _ => key_flaw(&entry.key),
                };
                faults.extend(flaw.map(|flaw| FieldFault { path: format!("{shown}.{}", entry.key), flaw, span: at }));
            }
        });
    }
    visit(&object.node, &["metadata", "annotations"], Trail::Top, &mut |node, _, shown| {
        for entry in node.into_iter().flat_map(Node::entries) {
            let span = entry.key_span.or(entry.value.span).or(object.source);
            let flaw = key_flaw(&entry.key);
            faults.extend(flaw.map(|flaw| FieldFault { path: format!("{shown}.{}", entry.key), flaw, span }));
        }
    });
    faults
}

fn is_open(text: &str) -> bool {
    is_open_text(text) || text.contains("{{")
}

/// What is wrong with the key of a label or annotation: a name, below a prefix that is a DNS subdomain.
fn key_flaw(key: &str) -> Option<Flaw> {
    if is_open(key) {
        return None;
    }
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_prefix = |prefix: &str| {
        let letters =
            prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
        letters && !prefix.is_empty() && prefix.len() <= 253
    };
    let is_fine = prefix.is_none_or(is_prefix) && is_label(&name.to_ascii_lowercase()) && name.len() <= LONGEST;
    (!is_fine).then(|| Flaw::NoKey(key.to_owned()))
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(|byte| is_inner(*byte))
}
