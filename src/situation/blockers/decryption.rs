//! Objects that SOPS encrypted, in the build of a Kustomization without `spec.decryption`.

use base64::Engine as _;

use super::{Blocker, Cause, View};
use crate::{
    cluster::{Cluster, Node, NodeId, ObjectKey},
    finding::Confidence,
    flux::{Health, Policy, health_of},
    graph::{Actor, Moment, Reason, stages},
    kustomize::{Object, Step},
    source::Span,
    yaml,
};

/// A Kustomization that builds encrypted objects and does not decrypt them.
#[derive(Debug, Clone)]
pub struct SealedFact {
    /// The Kustomization.
    pub node: NodeId,
    /// The objects, in the order of the build; at least one.
    pub objects: Vec<SealedObject>,
    /// How sure it is: the Flux Operator may set `decryption` on what it makes.
    pub confidence: Confidence,
}

/// An encrypted object.
#[derive(Debug, Clone)]
pub struct SealedObject {
    /// The object.
    pub key: ObjectKey,
    /// Its place.
    pub span: Span,
    /// What becomes of it.
    pub fate: SealedFate,
    /// The stage that would apply it.
    stage: Moment,
}

/// What becomes of an encrypted object. Before the check for encrypted Secrets, kustomize-controller v1.9 converts objects of
/// Kubernetes' own kinds to their Go types and back, which drops the field `sops` (`apply`; fluxcd/pkg ssa,
/// `normalize.UnstructuredList`). Where the conversion fails, the object goes on unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedFate {
    /// A Secret whose `data` is no base64, so that it cannot be converted: the controller finds `sops`, and applies nothing of
    /// the build.
    RefusedSecret,
    /// A custom resource: its schema has no field `sops`, so the dry-run fails.
    RefusedField,
    /// Any other: it is applied with the ciphertext in it.
    Applied,
}

/// Exempts an object from decryption and from the check for it (kustomize-controller, `decryptor.IsDecryptionDisabled`).
const EXEMPT: &str = "kustomize.toolkit.fluxcd.io/decryption";

/// What every value that SOPS encrypts begins with.
const CIPHERTEXT: &str = "ENC[AES256_GCM";

impl SealedFact {
    /// The object that is worst off: the first of those that are refused, or the first.
    #[must_use]
    pub fn worst(&self) -> Option<&SealedObject> {
        self.objects.iter().min_by_key(|object| object.fate)
    }

    /// What it keeps from happening: ciphertext that is applied keeps nothing.
    #[must_use]
    pub fn blocker(&self) -> Option<Blocker> {
        let worst = self.worst()?;
        let object = worst.key.subject();
        let text = match worst.fate {
            SealedFate::RefusedSecret => {
                format!("builds {object}, which SOPS encrypted, and has no `spec.decryption`")
            }
            SealedFate::RefusedField => format!("applies {object}, whose schema has no field `sops`"),
            SealedFate::Applied => return None,
        };
        Some(Blocker {
            actor: Actor::Node(self.node),
            moment: worst.stage,
            reason: Reason::DryRun,
            cause: Cause::RefusedManifest,
            text,
            span: worst.span,
            confidence: self.confidence,
        })
    }
}

/// The facts of a cluster, in the order of its Kustomizations.
pub(super) fn find(view: View<'_>) -> Vec<SealedFact> {
    view.nodes().filter_map(|(id, node)| fact(view.cluster, id, node)).collect()
}

fn fact(cluster: &Cluster, id: NodeId, node: &Node) -> Option<SealedFact> {
    // What is set and cannot be read is another matter.
    if node.kustomization.object.node.find(&["spec", "decryption"]).is_some_and(|decryption| !decryption.is_null()) {
        return None;
    }
    let mut objects = Vec::new();
    for object in &node.applied.build.objects {
        let Some(fate) = fate(object) else { continue };
        // The check for encrypted Secrets comes before the first stage.
        let stage = match fate {
            SealedFate::RefusedSecret => stages::first(cluster, node),
            SealedFate::RefusedField | SealedFate::Applied => stages::of(cluster, &object.node),
        };
        objects.push(SealedObject { key: object.id().into(), span: object.place(), fate, stage });
    }
    let confidence = if node.is_generated { Confidence::Low } else { Confidence::High };
    (!objects.is_empty()).then_some(SealedFact { node: id, objects, confidence })
}

/// What becomes of `object` without decryption; `None` where it is not encrypted.
fn fate(object: &Object) -> Option<SealedFate> {
    let node = &object.node;
    let is_exempt =
        node.find_str(&["metadata", "annotations", EXEMPT]).is_some_and(|value| value.eq_ignore_ascii_case("disabled"));
    if is_exempt || !Policy::new(node).applied {
        return None;
    }
    let id = object.id();
    let is_secret = id.kind == "Secret" && id.group.is_empty() && id.version == "v1";
    if node.get("sops").is_some_and(|sops| sops.get("mac").is_some() || sops.get("lastmodified").is_some()) {
        let is_custom = id.group.ends_with(".fluxcd.io") || health_of(&id.group, &id.kind) == Health::Custom;
        return Some(match is_custom {
            true => SealedFate::RefusedField,
            false if is_secret && !is_convertible(node) => SealedFate::RefusedSecret,
            false => SealedFate::Applied,
        });
    }
    // A file that SOPS encrypted may be what a Secret is generated from.
    let is_generated = object.changes.iter().any(|change| change.step == Step::Generator);
    let is_ciphertext = |entry: &yaml::Entry| entry.value.as_str().is_some_and(holds_ciphertext);
    let holds = node.get("data").is_some_and(|data| data.entries().any(is_ciphertext));
    (is_secret && is_generated && holds).then_some(SealedFate::Applied)
}

/// Whether the `data` of a Secret can be converted to bytes (apimachinery `runtime`, `sliceFromUnstructured`).
fn is_convertible(secret: &yaml::Node) -> bool {
    let is_base64 = |entry: &yaml::Entry| entry.value.as_str().is_none_or(|text| decoded(text).is_some());
    secret.get("data").is_none_or(|data| data.entries().all(is_base64))
}

/// Whether a text stands for bytes. Go's decoder passes line breaks over, and nothing else (`encoding/base64`, `StdEncoding`).
pub(super) fn is_base64(text: &str) -> bool {
    decoded(text).is_some()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', '\r'], "")).ok()
}

/// Whether base64 stands for the contents of a file that SOPS encrypted.
fn holds_ciphertext(text: &str) -> bool {
    String::from_utf8_lossy(&decoded(text).unwrap_or_default()).contains(CIPHERTEXT)
}
