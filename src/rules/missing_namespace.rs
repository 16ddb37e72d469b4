use super::{Context, Rule, Situation, names::nearest, wording::short_list};
use crate::{
    cluster::Cluster,
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Tier, count},
    situation::{NamespaceFact, NamespaceField, NamespaceUse},
    source::Span,
};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "missing-namespace",
        summary: "Objects go into a namespace that nothing makes.",
        category: Category::Reference,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/missing-namespace.md"),
    },
    check,
};

/// Names in a sentence; the rest is counted.
const SHOWN: usize = 3;

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for situation in context.situations {
        findings.extend(situation.facts.namespaces.iter().filter_map(|fact| report(context, situation, fact)));
    }
}

fn report(context: &Context<'_>, situation: &Situation<'_>, fact: &NamespaceFact) -> Option<Finding> {
    let (first, others) = fact.uses.split_first()?;
    let name = &fact.name;
    let users: Vec<String> = fact.uses.iter().map(|used| used.user.to_string()).collect();
    let into = if users.len() == 1 { "puts objects into" } else { "put objects into" };
    let message = format!("{} {into} namespace {name}, which nothing makes", short_list(&users, SHOWN));
    let mut finding = situation.finding(&RULE.info, first.user.clone(), first.span, message);
    finding.key = name.to_string();
    finding.confidence = fact.confidence;
    finding.label = "no such namespace".to_owned();
    finding.related =
        others.iter().map(|used| Related::new("named here too", Some(used.user.clone()), used.span)).collect();
    let file = fact.unlisted.map(|file| (context.tree.path(file), Span::file_start(file)));
    if let Some((_, place)) = file {
        finding.related.push(Related::new("this Namespace is in no build of the cluster", None, place));
    }
    finding.why = why(fact, first);
    finding.help = help(situation.cluster, fact, file.map(|(path, _)| path));
    Some(finding)
}

/// What the controllers say.
fn why(fact: &NamespaceFact, first: &NamespaceUse) -> String {
    let name = &fact.name;
    let mut why = match first.field {
        NamespaceField::OfRelease => format!(
            "Helm does not create the target namespace unless `install.createNamespace` is true: the install fails with `namespaces \"{name}\" \
             not found`, and so does every retry."
        ),
        NamespaceField::OfKustomization | NamespaceField::OfObjects => {
            let many =
                if first.objects > 1 { format!(" of {}", count(first.objects, "object")) } else { String::new() };
            format!(
                "No build of the cluster holds Namespace/{name}, and no release creates it. Unless somebody made it by hand, the dry-run{many} ends with \
                 `{} not found: namespaces \"{name}\" not found`: {} stays at Ready=False, reason ReconciliationFailed, and nothing of the stage is \
                 applied.",
                first.first.subject(),
                first.user
            )
        }
    };
    if let Some(maybe) = &fact.maybe {
        why.push_str(&format!(" It may be made by {maybe}, which this repository does not show."));
    }
    why
}

/// The maker that fits.
fn help(cluster: &Cluster, fact: &NamespaceFact, file: Option<&str>) -> String {
    let name = fact.name.as_str();
    let known = cluster.implicit.namespaces.iter().map(|namespace| namespace.name.as_str());
    let near = nearest(name, known).map(|near| format!("did you mean `{near}`? Else ")).unwrap_or_default();
    let users: Vec<String> = fact.uses.iter().map(|used| used.user.to_string()).collect();
    let is_release = fact.uses.iter().all(|used| used.field == NamespaceField::OfRelease);
    let cure = match (file, users.as_slice()) {
        (Some(path), _) => format!("list `{path}` in a kustomization file of the build, or of one that it depends on"),
        (None, [_]) if is_release => {
            "set `spec.install.createNamespace: true`, or add a Namespace to the build that applies the release"
                .to_owned()
        }
        (None, [user]) => {
            format!("add a Namespace `{name}` to the build of {user}, whose first stage creates it before the rest")
        }
        (None, _) => format!(
            "add a Namespace `{name}` to a Kustomization that {} depend on (`spec.dependsOn`)",
            short_list(&users, SHOWN)
        ),
    };
    format!("{near}{cure}; where it is made outside the repository, name it in `[[externals]]` of fluxdag.toml")
}
