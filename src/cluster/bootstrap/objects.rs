//! The objects in scripts, templates and machine configurations.

use smol_str::SmolStr;

use super::{Maker, places::Place};

/// An object whose lines are being read.
#[derive(Default)]
struct Open {
    kind: Option<SmolStr>,
    name: Option<SmolStr>,
    namespace: Option<SmolStr>,
    /// The indentation of `metadata`, while what is below it is read.
    metadata: Option<usize>,
}

/// Reads the objects of a text that need not be YAML as a whole: a script with documents in it, a template, a machine
/// configuration. Blocks of Terraform (`resource "kubernetes_secret" …`) are objects as well.
pub(super) fn read(text: &str, place: &Place<'_>, made: &mut Vec<Maker>) {
    if !text.contains("metadata") {
        return;
    }
    let mut open = Open::default();
    for line in text.lines() {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        // Lists of documents, and documents behind a command.
        let (trimmed, indent) = match trimmed.strip_prefix("- ") {
            Some(rest) => (rest.trim_start(), indent + 2),
            None => (trimmed, indent),
        };
        if trimmed.starts_with("---") || trimmed.starts_with("apiVersion:") || trimmed.starts_with("resource \"") {
            open.close(place, made);
        }
        if let Some(kind) = terraform_kind(trimmed) {
            open.kind = Some(SmolStr::new_static(kind));
        } else if let Some(value) = field(trimmed, "kind") {
            if open.kind.is_some() && open.metadata.is_none() && open.name.is_some() {
                open.close(place, made);
            }
            // A kind that stands deeper is that of a reference.
            open.kind.get_or_insert_with(|| value.into());
        } else if trimmed.starts_with("metadata:") || trimmed == "metadata {" {
            open.metadata = Some(indent);
            open.flow(trimmed);
        } else if let Some(metadata) = open.metadata {
            if indent <= metadata && !trimmed.is_empty() {
                open.metadata = None;
            } else if let Some(value) = field(trimmed, "name") {
                open.name.get_or_insert_with(|| value.into());
            } else if let Some(value) = field(trimmed, "namespace") {
                open.namespace.get_or_insert_with(|| value.into());
            }
        }
    }
    open.close(place, made);
}

impl Open {
    /// `metadata: {name: x, namespace: y}`
    fn flow(&mut self, line: &str) {
        let Some((_, inner)) = line.split_once('{').filter(|_| line.starts_with("metadata:")) else { return };
        for part in inner.trim_end_matches('}').split(',') {
            if let Some(value) = field(part.trim(), "name") {
                self.name.get_or_insert_with(|| value.into());
            } else if let Some(value) = field(part.trim(), "namespace") {
                self.namespace.get_or_insert_with(|| value.into());
            }
        }
    }

    fn close(&mut self, place: &Place<'_>, made: &mut Vec<Maker>) {
        let Self { kind, name, namespace, .. } = std::mem::take(self);
        if let (Some(kind), Some(name)) = (kind, name) {
            made.push(Maker { kind, namespace, name, stem: place.stem().into() });
        }
    }
}

/// The value of `key: value` or `key = value`.
fn field<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(key)?.trim_start();
    let value = rest.strip_prefix(':').or_else(|| rest.strip_prefix('='))?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

/// The kind that a block of Terraform makes.
fn terraform_kind(line: &str) -> Option<&'static str> {
    let kind = line.strip_prefix("resource \"kubernetes_")?.split('"').next()?;
    Some(match kind.trim_end_matches("_v1") {
        "secret" => "Secret",
        "config_map" => "ConfigMap",
        "namespace" => "Namespace",
        "service_account" => "ServiceAccount",
        _ => return None,
    })
}
