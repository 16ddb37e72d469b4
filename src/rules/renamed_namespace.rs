use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier},
    situation::RenamedNamespace,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "renamed-namespace",
        summary: "A Namespace object gets another name by `targetNamespace` or `namespace`, and what belongs in it does not.",
        category: Category::Ownership,
        severity: Severity::Warning,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/renamed-namespace.md"),
    },
    check,
};

/// Objects named in one sentence; the rest is counted.
const USERS: usize = 4;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.renamed_namespaces.iter().map(|fact| report(situation, fact)));
    }
}

fn report(situation: &Situation<'_>, fact: &RenamedNamespace) -> Finding {
    let RenamedNamespace { original, name, .. } = fact;
    let node = situation.cluster.node(fact.node);
    let message = format!("{} makes `{name}` of Namespace/{original}", node.subject());
    let mut finding = situation.finding(&RULE.info, node.subject(), fact.span, message);
    finding.key = original.to_string();
    finding.label = "a Namespace gets this for its name".to_owned();
    finding.related.push(Related::new(format!("called `{original}` here"), None, fact.place));
    for (user, span) in fact.users.iter().take(USERS) {
        finding.related.push(Related::new(format!("belongs in `{original}`"), Some(user.clone()), *span));
    }
    finding.why =
        "kustomize sets the namespace of everything in a build, and of a Namespace that is its name.".to_owned();
    if !fact.users.is_empty() {
        let mut users: Vec<String> = fact.users.iter().map(|(user, _)| user.to_string()).collect();
        users.dedup();
        finding.why.push_str(&format!(
            " So nothing makes `{original}`, and {} will not get there: `namespaces \"{original}\" not found`.",
            short_list(&users, USERS)
        ));
    }
    if fact.is_of_flux {
        finding.why.push_str(&format!(
            " Flux itself runs in `{name}`: the Kustomization owns that namespace from then on, and once the object leaves its build, it \
             deletes Flux with all that it manages (`prune: true`)."
        ));
        finding.confidence = if fact.users.is_empty() { Confidence::Medium } else { Confidence::High };
    }
    finding.help = format!(
        "move Namespace/{original} to a Kustomization without `targetNamespace` (and `namespace`), or drop that and write the namespace into \
         the manifests. Where the object has been applied already, annotate it with `kustomize.toolkit.fluxcd.io/prune: disabled` first, \
         and let that reconcile, so that `{name}` stays"
    );
    finding
}
