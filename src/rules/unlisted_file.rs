use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Rule, Situation, wording::short_list};
use crate::{
    finding::{Category, Confidence, Finding, Related, RuleInfo, Severity, Subject, Tier},
    flux::api::kinds::{HELM_RELEASE, NAMESPACE},
    source::{FileId, Span, Tree, parent},
    yaml::{Node, comments},
};

mod additions;
mod listing;
mod references;

pub(super) use listing::Listing;
use references::{Referred, made_by, references};

pub(super) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "unlisted-file",
        summary: "A file with objects lies beside a kustomization file that does not list it.",
        category: Category::Ownership,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        tier: Tier::Stable,
        since: "0.1.0",
        page: include_str!("../../rules/unlisted-file.md"),
    },
    check,
};

/// A file that nothing builds.
struct Unlisted {
    file: FileId,
    /// Its objects, with the places of their names.
    objects: Vec<(Subject, Span)>,
    /// What would be there if it were listed.
    makes: BTreeSet<Referred>,
}

/// What of a file a built object asks for, and where.
struct Missing {
    what: Referred,
    by: Subject,
    at: Span,
}

fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let listing = Listing::new(context);
    for situation in context.situations.iter().filter(|situation| situation.cluster.reached) {
        let used = listing.used_by(context.tree, situation.cluster);
        let unlisted: Vec<Unlisted> =
            used.iter().flat_map(|folder| listing.beside(folder)).filter_map(|file| read(context, file)).collect();
        if !unlisted.is_empty() {
            let wanted = wanted(situation, &unlisted);
            findings.extend(
                unlisted.iter().filter_map(|file| report(context, situation, &listing, file, wanted.get(&file.file))),
            );
        }
        if let Some(before) = context.before {
            findings.extend(additions::report(context, before.tree, situation, &listing));
        }
    }
}

/// The objects of a file. `None` where it holds anything but objects that could be applied.
fn read(context: &Context<'_>, file: FileId) -> Option<Unlisted> {
    let mut unlisted = Unlisted { file, objects: Vec::new(), makes: BTreeSet::new() };
    for document in &context.store.parse(file).documents {
        if document.error.is_some() {
            return None;
        }
        let root = &document.root;
        if root.is_null() {
            continue;
        }
        let text = |keys: &[&str]| root.find_str(keys).filter(|text| !text.is_empty());
        let (api_version, kind) = (text(&["apiVersion"])?, text(&["kind"])?);
        let name = root.find(&["metadata", "name"]).filter(|name| name.as_str().is_some())?;
        let is_tool = api_version.contains(".config.k8s.io/") || kind == "Component";
        let is_local = root.find(&["metadata", "annotations", "config.kubernetes.io/local-config"]).is_some();
        if is_tool || is_local {
            return None;
        }
        let namespace = text(&["metadata", "namespace"]).map(str::to_owned);
        let subject = Subject { kind: kind.to_owned(), namespace, name: name.as_str().unwrap_or_default().to_owned() };
        unlisted.objects.push((subject, name.span));
        unlisted.makes.extend(made_by(root));
    }
    (!unlisted.objects.is_empty()).then_some(unlisted)
}

/// What built objects ask for that only an unlisted file would give.
fn wanted(situation: &Situation<'_>, unlisted: &[Unlisted]) -> BTreeMap<FileId, Missing> {
    let mut candidates: BTreeMap<&Referred, FileId> = BTreeMap::new();
    for file in unlisted {
        for named in &file.makes {
            candidates.entry(named).or_insert(file.file);
        }
    }
    let cluster = situation.cluster;
    let objects = || cluster.nodes.iter().flat_map(|node| &node.applied.build.objects);
    let made = cluster.nodes.iter().flat_map(|node| &node.resource_sets).flat_map(|set| &set.objects);
    for object in objects().chain(made) {
        for named in made_by(&object.node) {
            candidates.remove(&named);
        }
    }
    let mut wanted = BTreeMap::new();
    if candidates.is_empty() {
        return wanted;
    }
    for object in objects() {
        references(&object.node, &mut |named, namespace, at| {
            let Some(file) = candidates.get(&named) else { return };
            let own = |(subject, _): &&(Subject, Span)| subject.name == named.name;
            let declared = unlisted.iter().find(|one| one.file == *file).and_then(|one| one.objects.iter().find(own));
            let theirs = declared.and_then(|(subject, _)| subject.namespace.as_deref());
            let is_same = namespace.is_none() || theirs.is_none() || namespace == theirs;
            if is_same && !wanted.contains_key(file) {
                let by = crate::cluster::ObjectKey::from(object.id()).subject();
                wanted.insert(*file, Missing { what: named, by, at: at.or(object.source) });
            }
        });
    }
    wanted
}

fn report(
    context: &Context<'_>,
    situation: &Situation<'_>,
    listing: &Listing,
    unlisted: &Unlisted,
    wanted: Option<&Missing>,
) -> Option<Finding> {
    let tree: &Tree = context.tree;
    let path = tree.path(unlisted.file);
    let (subject, span) = unlisted.objects.first()?;
    let kustomization = listing.kustomization(parent(path))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let objects: Vec<String> = unlisted.objects.iter().map(|(subject, _)| subject.to_string()).collect();
    let list = tree.path(kustomization);
    let message = match wanted {
        Some(wanted) => format!("`{path}` is not listed in `{list}`, though {} needs {} of it", wanted.by, wanted.what),
        None => format!("`{path}` is not listed in `{list}`: {} is never applied", short_list(&objects, 3)),
    };
    let mut finding = situation.finding(&RULE.info, subject.clone(), *span, message);
    finding.label = "in no build".to_owned();
    let parsed = context.store.parse(kustomization);
    let listing = tree.text(kustomization).unwrap_or_default();
    let comments = comments(kustomization, listing);
    let texts = comments.iter().map(|comment| &listing[comment.span.start as usize..comment.span.end as usize]);
    let is_commented_out = texts.into_iter().any(|comment| comment.contains(name));
    let root = parsed.documents.first().map(|document| &document.root);
    let resources = root.and_then(|root| root.get("resources")).map_or(Span::NONE, place_of_list);
    let at = resources.or(Span::file_start(kustomization));
    finding.related.push(Related::new("its neighbours are listed here", None, at));
    if let Some(wanted) = wanted {
        finding.related.push(Related::new(format!("needs {}", wanted.what), Some(wanted.by.clone()), wanted.at));
        finding.why = format!(
            "Where a folder has a kustomization file, only what that lists is built; the file is in the artifact, and nothing applies it. \
             Nothing else in this repository makes {}, so {} waits for it or fails.",
            wanted.what, wanted.by
        );
    } else {
        finding.severity = Severity::Info;
        finding.why = "Where a folder has a kustomization file, only what that lists is built; the file is in the artifact, and nothing \
                       applies it. That may be intended."
            .to_owned();
    }
    let is_added = context.before.is_some_and(|before| before.tree.file(path).is_none());
    if is_added && wanted.is_none() {
        finding.severity = Severity::Warning;
        finding.why = "Where a folder has a kustomization file, only what that lists is built. The file is new in this change, so nothing of \
                       it is ever applied, and nothing fails either."
            .to_owned();
    }
    if wanted.is_none()
        && let Some(namespace) = left_empty(context.tree, situation, unlisted)
    {
        finding.severity = Severity::Warning;
        finding.why = format!(
            "Where a folder has a kustomization file, only what that lists is built. Of this folder that is Namespace/{namespace} alone, so \
             the namespace is made for {}, which is never applied; nothing fails.",
            short_list(&objects, 3)
        );
    }
    if is_model(name) {
        finding.severity = Severity::Info;
    }
    if is_commented_out {
        finding.severity = Severity::Info;
        finding.why.push_str(
            " A comment of the kustomization file names it, so somebody seems to have taken it out on purpose.",
        );
    }
    let line = tree.position(at).line;
    finding.help = format!("add `- {name}` to `resources` of {list}:{line}, or delete the file if it is not wanted");
    Some(finding)
}

/// The namespace that is all that is built of the folder, where a workload of the file belongs into it.
fn left_empty(tree: &Tree, situation: &Situation<'_>, unlisted: &Unlisted) -> Option<String> {
    let folder = parent(tree.path(unlisted.file));
    let nodes = situation.cluster.nodes.iter();
    let objects = nodes.flat_map(|node| &node.applied.build.objects).filter(|object| object.source.is_some());
    let mut namespaces: BTreeSet<String> = BTreeSet::new();
    for object in objects.filter(|object| parent(tree.path(object.source.file)) == folder) {
        if !NAMESPACE.is_kind_of(&object.node) {
            return None;
        }
        namespaces.insert(object.id().name.to_string());
    }
    let is_workload =
        |kind: &str| kind == HELM_RELEASE.kind || matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet");
    let workloads = unlisted.objects.iter().filter(|(subject, _)| is_workload(&subject.kind));
    workloads.filter_map(|(subject, _)| subject.namespace.clone()).find(|namespace| namespaces.contains(namespace))
}

/// Whether a name says that a file is there to be copied.
fn is_model(name: &str) -> bool {
    ["example", "sample", "template"].iter().any(|word| name.contains(word))
}

/// The last item of a list: one line, next to which the new one goes.
fn place_of_list(list: &Node) -> Span {
    list.items().last().map_or(list.span, |item| item.span)
}
