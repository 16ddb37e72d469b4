use super::{
    Context, Rule, Situation,
    dependencies::{Entry, Target, entries},
    references::{Explained, KnownSources, Renames, source_uses, symptom},
};
use crate::{
    cluster::{Cluster, NodeKey},
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::SourceRef,
    kustomize::Object,
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "renamed-reference",
        summary: "An overlay renames or moves Flux objects, but not the references between them.",
        category: Category::Reference,
        severity: Severity::Error,
        confidence: Confidence::High,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/renamed-reference.md"),
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let cluster = situation.cluster;
        let known = KnownSources::of(cluster);
        let dangling: Vec<Entry<'_>> =
            entries(situation).into_iter().filter(|entry| entry.target != Target::Found).collect();
        let missing: Vec<_> = source_uses(cluster).into_iter().filter(|used| !known.has(&used.source)).collect();
        if dangling.is_empty() && missing.is_empty() {
            continue;
        }
        let renames = Renames::of(context, cluster);
        for entry in &dangling {
            if let Some(why) = explained(context, cluster, &renames, entry) {
                let what = format!("depends on {}", entry.wanted());
                let mut finding = report(situation, &entry.subject, entry.span, &what, "`dependsOn` entry", &why);
                finding.why.push_str(&format!(" {}.", entry.symptom(cluster)));
                findings.push(finding);
            }
        }
        for used in &missing {
            let exists = |namespace: &str| known.has(&SourceRef { namespace: namespace.into(), ..used.source.clone() });
            let is_relative = used.declared_namespace.is_none();
            if let Some(why) = renames.explain(context, used.object, &used.source, is_relative, &exists) {
                let what = format!("names the source {}", used.source);
                let field = format!("`{}`", used.field);
                let mut finding = report(situation, &used.subject, used.span, &what, &field, &why);
                finding.why.push_str(&format!(" {}", symptom(used)));
                findings.push(finding);
            }
        }
    }
}

/// Which rename explains that an entry of `dependsOn` leads nowhere, if one does.
pub(super) fn explained<'r>(
    context: &Context<'_>,
    cluster: &Cluster,
    renames: &'r Renames<'_>,
    entry: &Entry<'_>,
) -> Option<Explained<'r>> {
    let (kind, key) = (entry.subject.kind.as_str(), |namespace: &str| NodeKey::new(namespace, entry.name));
    let is_node = kind == "Kustomization";
    let exists = |namespace: &str| {
        if is_node { cluster.find(&key(namespace)).is_some() } else { cluster.release(&key(namespace)).is_some() }
    };
    let own = NodeKey::new(entry.subject.namespace.as_deref().unwrap_or_default(), entry.subject.name.as_str());
    let referrer: &Object = if is_node {
        &cluster.node(cluster.find(&own)?).kustomization.object
    } else {
        &cluster.releases[cluster.release(&own)?].helm.object
    };
    let wanted = SourceRef { kind: kind.into(), namespace: entry.namespace.as_str().into(), name: entry.name.into() };
    renames.explain(context, referrer, &wanted, entry.declared_namespace.is_none(), &exists)
}

/// The entries of `dependsOn` that lead nowhere for another reason than a rename, which this rule tells.
pub(super) fn unexplained<'a>(context: &Context<'_>, situation: &Situation<'a>) -> Vec<Entry<'a>> {
    let mut entries = entries(situation);
    entries.retain(|entry| entry.target != Target::Found);
    if situation.cluster.reached && !entries.is_empty() {
        let renames = Renames::of(context, situation.cluster);
        entries.retain(|entry| explained(context, situation.cluster, &renames, entry).is_none());
    }
    entries
}

fn report(
    situation: &Situation<'_>,
    subject: &Subject,
    at: Span,
    what: &str,
    field: &str,
    why: &Explained<'_>,
) -> Finding {
    let message = match why {
        Explained::Target(renamed) => {
            format!("{subject} {what}, which an overlay renamed to `{}`", renamed.object.id().name)
        }
        Explained::Referrer { from, .. } => {
            format!(
                "{subject} {what}, which is in namespace `{from}`: an overlay moved the {} away from there",
                subject.kind
            )
        }
    };
    let mut finding = situation.finding(&RULE.info, subject.clone(), at, message);
    match why {
        Explained::Target(renamed) => {
            let id = renamed.object.id();
            finding.label = "the name from before".to_owned();
            finding.related.push(Related::new("this prefix or suffix renames it", None, renamed.at));
            let named = Subject {
                kind: id.kind.to_string(),
                namespace: id.namespace.map(Into::into),
                name: id.name.to_string(),
            };
            finding.related.push(Related::new("the object that is meant", Some(named), renamed.object.place()));
            finding.why = "kustomize follows a new name in references between the kinds of Kubernetes only; what Flux objects call each other stays as \
                           it is written."
                .to_owned();
            finding.help = format!(
                "write `{}` in the {field}, or name the field in a `configurations` file (`nameReference`), or do without the prefix or suffix",
                id.name
            );
        }
        Explained::Referrer { from, at } => {
            finding.label = "looked up in the new namespace".to_owned();
            finding.related.push(Related::new("this sets the namespace", None, *at));
            finding.why = "A reference without `namespace` is looked up in the namespace that the object has after the build, and that is another one \
                           than in its file."
                .to_owned();
            finding.help = format!("set `namespace: {from}` in the {field}, or leave the object in its namespace");
        }
    }
    finding
}
