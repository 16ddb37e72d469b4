//! Labels and annotations that the API server refuses (apimachinery, `content.IsLabelValue`, `content.IsLabelKey`; of every object,
//! `ValidateObjectMeta`).

use super::{FieldFault, Flaw, KeyFault, fields::visit};
use crate::{
    flux::is_open_text,
    kustomize::Object,
    yaml::{Node, Trail},
};

/// The longest value of a label, and the longest name in a key.
const LONGEST: usize = 63;

/// The longest prefix of a key.
const LONGEST_PREFIX: usize = 253;

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
            let flaw = annotation_flaw(&entry.key);
            faults.extend(flaw.map(|flaw| FieldFault { path: format!("{shown}.{}", entry.key), flaw, span }));
        }
    });
    faults
}

fn is_open(text: &str) -> bool {
    is_open_text(text) || text.contains("{{")
}

/// What is wrong with the key of a label or annotation: a name, below a prefix that is a DNS subdomain (apimachinery,
/// `content.IsLabelKey`).
fn key_flaw(key: &str) -> Option<Flaw> {
    if is_open(key) {
        return None;
    }
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let fault = if name.contains('/') {
        KeyFault::Slashes
    } else if prefix.is_some_and(|prefix| !is_subdomain(prefix)) {
        KeyFault::Prefix
    } else if name.len() > LONGEST {
        KeyFault::LongName
    } else if !is_label(name) {
        KeyFault::Name
    } else {
        return None;
    };
    Some(Flaw::NoKey { key: key.to_owned(), fault })
}

/// What is wrong with the key of an annotation: it is looked at in small letters (apimachinery, `ValidateAnnotations`).
fn annotation_flaw(key: &str) -> Option<Flaw> {
    match key_flaw(&key.to_ascii_lowercase())? {
        Flaw::NoKey { fault, .. } => Some(Flaw::NoKey { key: key.to_owned(), fault }),
        other => Some(other),
    }
}

/// Small letters, digits and `-` between dots, with a letter or digit at both ends of each part.
fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| is_label(part) && part.bytes().all(|byte| !byte.is_ascii_uppercase() && byte != b'_');
    text.len() <= LONGEST_PREFIX && text.split('.').all(is_part)
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(|byte| is_inner(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(flaw: Option<Flaw>) -> Option<KeyFault> {
        flaw.and_then(|flaw| if let Flaw::NoKey { fault, .. } = flaw { Some(fault) } else { None })
    }

    #[test]
    fn only_labels_need_a_prefix_in_small_letters() {
        assert_eq!(fault(key_flaw("Example.COM/Team")), Some(KeyFault::Prefix));
        assert_eq!(fault(annotation_flaw("Example.COM/Team")), None);
        assert_eq!(fault(annotation_flaw("Example_.COM/Team")), Some(KeyFault::Prefix));
        assert_eq!(fault(annotation_flaw("${team}.COM/Team")), None);
    }

    #[test]
    fn the_part_at_fault_is_known() {
        for (key, wanted) in [
            ("a/b/c", KeyFault::Slashes),
            ("/name", KeyFault::Prefix),
            ("-a.example.com/name", KeyFault::Prefix),
            ("example..com/name", KeyFault::Prefix),
            ("example.com/", KeyFault::Name),
            ("example.com/_name", KeyFault::Name),
            ("two words", KeyFault::Name),
        ] {
            assert_eq!(fault(key_flaw(key)), Some(wanted), "{key}");
        }
        assert_eq!(fault(key_flaw(&"n".repeat(64))), Some(KeyFault::LongName));
        assert_eq!(fault(key_flaw("app.kubernetes.io/part_of.A")), None);
    }
}
