use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::{SealedFact, SealedFate},
};

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

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.sealed.iter().filter_map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &SealedFact) -> Option<Finding> {
    let worst = fact.worst()?;
    let node = situation.cluster.node(fact.node);
    let ids: Vec<String> = fact.objects.iter().map(|object| object.key.subject().to_string()).collect();
    let subject = node.subject();
    let message = format!(
        "{subject} has no `decryption`, but builds {} with SOPS: {}",
        encrypted(ids.len()),
        short_list(&ids, 3)
    );
    let mut finding = situation.finding(&RULE.info, subject, node.span(), message);
    finding.label = "no `spec.decryption`".to_owned();
    for object in fact.objects.iter().take(5) {
        finding.related.push(Related::new("encrypted", Some(object.key.subject()), object.span));
    }
    finding.why = match worst.fate {
        SealedFate::RefusedSecret => format!(
            "It ends with Ready=False, reason ReconciliationFailed, `{} is SOPS encrypted, configuring decryption is required for this \
             secret to be reconciled`; nothing of it is applied, and what depends on it waits.",
            worst.key.subject()
        ),
        SealedFate::RefusedField => format!(
            "The schema of {} has no field `sops`, so the dry-run fails (`.sops: field not declared in schema`, reason \
             ReconciliationFailed); nothing of its stage is applied, and what depends on it waits.",
            worst.key.subject()
        ),
        SealedFate::Applied => "The ciphertext is applied as it is, and what reads it gets `ENC[AES256_GCM,…]`. The Kustomization becomes Ready, \
                                so nothing shows the mistake."
            .to_owned(),
    };
    finding.help = "set `spec.decryption.provider: sops` and `spec.decryption.secretRef.name` to the Secret that holds the key, on it or with \
                    a patch from its parent"
        .to_owned();
    finding.confidence = fact.confidence;
    if node.is_generated {
        finding.why.push_str(" It is made by the Flux Operator; patches of the FluxInstance may set it.");
    }
    Some(finding)
}

fn encrypted(count: usize) -> String {
    if count == 1 { "an object encrypted".to_owned() } else { format!("{count} objects encrypted") }
}
