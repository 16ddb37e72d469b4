use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    cluster::Node,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    flux::Policy,
    kustomize::{Object, Step},
    yaml,
};

use base64::Engine as _;

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "decryption-missing",
        summary: "A Kustomization builds SOPS-encrypted objects but has no `spec.decryption`.",
        category: Category::Ownership,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/decryption-missing.md"),
    },
    check,
};

/// Exempts an object from decryption and from the check for it (kustomize-controller, `decryptor.IsDecryptionDisabled`).
const EXEMPT: &str = "kustomize.toolkit.fluxcd.io/decryption";

/// What every value that SOPS encrypts begins with.
const SEALED: &str = "ENC[AES256_GCM";

/// What is encrypted about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sealed {
    /// A Secret with SOPS's own data in it: refused.
    Secret,
    /// Another object with it: a field that its schema does not have.
    Other,
    /// Generated of an encrypted file: ciphertext is applied.
    Contents,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        findings.extend(situation.cluster.nodes.iter().filter_map(|node| report(situation, node)));
    }
}

fn report(situation: &Situation<'_>, node: &Node) -> Option<Finding> {
    // What is written there and cannot be read is another matter.
    if node.kustomization.object.node.find(&["spec", "decryption"]).is_some_and(|decryption| !decryption.is_null()) {
        return None;
    }
    let sealed: Vec<(&Object, Sealed)> =
        node.applied.build.objects.iter().filter_map(|object| Some((object, sealed(object)?))).collect();
    let (first, _) = sealed.first()?;
    let ids: Vec<String> = sealed.iter().map(|(object, _)| object.id().to_string()).collect();
    let subject = node.subject();
    let message = format!(
        "{subject} has no `decryption`, but builds {} with SOPS: {}",
        encrypted(ids.len()),
        short_list(&ids, 3)
    );
    let mut finding = situation.finding(&RULE.info, subject, node.span(), message);
    finding.label = "no `spec.decryption`".to_owned();
    for (object, _) in sealed.iter().take(5) {
        finding.related.push(Related::new(
            "encrypted",
            Some(crate::cluster::ObjectKey::from(object.id()).subject()),
            object.place(),
        ));
    }
    let is = |wanted: Sealed| sealed.iter().any(|(_, sealed)| *sealed == wanted);
    finding.why = if is(Sealed::Secret) {
        format!(
            "It ends with Ready=False, reason ReconciliationFailed, `{} is SOPS encrypted, configuring decryption is required for this \
             secret to be reconciled`; nothing of it is applied, and what depends on it waits.",
            first.id()
        )
    } else if is(Sealed::Other) {
        "The field `sops` is in no schema, so the dry-run fails (`field not declared in schema`, reason ReconciliationFailed); nothing of \
         it is applied, and what depends on it waits."
            .to_owned()
    } else {
        "The ciphertext is applied as it stands, and what reads it gets `ENC[AES256_GCM,…]`.".to_owned()
    };
    finding.help = "set `spec.decryption.provider: sops` and `spec.decryption.secretRef.name` to the Secret that holds the key, on it or with \
                    a patch from its parent"
        .to_owned();
    if node.is_generated {
        finding.confidence = Confidence::Low;
        finding.why.push_str(" It is made by the Flux Operator; patches of the FluxInstance may set it.");
    }
    Some(finding)
}

fn encrypted(count: usize) -> String {
    if count == 1 { "an object encrypted".to_owned() } else { format!("{count} objects encrypted") }
}

fn sealed(object: &Object) -> Option<Sealed> {
    let node = &object.node;
    let is_exempt =
        node.find_str(&["metadata", "annotations", EXEMPT]).is_some_and(|value| value.eq_ignore_ascii_case("disabled"));
    if is_exempt || !Policy::of(node).applied {
        return None;
    }
    let is_secret = node.find_str(&["kind"]) == Some("Secret") && node.find_str(&["apiVersion"]) == Some("v1");
    if node.get("sops").is_some_and(|sops| sops.get("mac").is_some() || sops.get("lastmodified").is_some()) {
        return Some(if is_secret { Sealed::Secret } else { Sealed::Other });
    }
    let is_generated = object.changes.iter().any(|change| change.step == Step::Generator);
    let is_ciphertext = |entry: &yaml::Entry| entry.value.as_str().is_some_and(holds_ciphertext);
    let holds = node.get("data").is_some_and(|data| data.entries().any(is_ciphertext));
    (is_secret && is_generated && holds).then_some(Sealed::Contents)
}

/// Whether base64 stands for the contents of a file that SOPS encrypted: its values, and SOPS's own data beside them.
fn holds_ciphertext(text: &str) -> bool {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', ' '], "")).unwrap_or_default();
    let decoded = String::from_utf8_lossy(&bytes);
    decoded.contains(SEALED)
}
