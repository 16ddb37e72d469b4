//! Patches that change nothing. kustomize says nothing of them: a target may mean objects that are not there today. Only where it
//! names one object, and one object of the build is nearly that, is it a slip.

use crate::{
    kustomize::{IdlePatch, Miss, id::ResId, report::Report, resource::Resource},
    source::{
        Span,
        names::{COMPARED, nearest_of_all},
    },
    yaml::Node,
};

/// Notes a patch whose `target` takes none of `resources`, where one is nearly what it names.
pub(super) fn note(resources: &[Resource], target: &Node, at: Span, report: &mut Report) {
    if report.hides_objects() || resources.len() > COMPARED {
        return;
    }
    let text = |key: &str| target.find_str(&[key]).unwrap_or_default();
    let is_plain = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-./".contains(letter));
    let has_selector = !text("labelSelector").is_empty() || !text("annotationSelector").is_empty();
    let parts = ["group", "version", "kind", "name", "namespace"];
    if has_selector
        || text("kind").is_empty()
        || text("name").is_empty()
        || !parts.iter().all(|key| is_plain(text(key)))
    {
        return;
    }
    let fits = |key: &str, value: &str| text(key).is_empty() || text(key) == value;
    let of_kind =
        || resources.iter().map(|resource| (resource, resource.id())).filter(|(_, id)| id.gvk.kind == text("kind"));
    let is_version = |id: &ResId| fits("group", &id.gvk.group) && fits("version", &id.gvk.version);
    let has_name =
        |resource: &Resource, id: &ResId| id.name == text("name") || resource.original_id().name == text("name");
    let has_namespace = |resource: &Resource, id: &ResId| {
        fits("namespace", &id.namespace) || fits("namespace", &resource.original_id().namespace)
    };
    let named = of_kind().find(|(resource, id)| has_name(resource, id));
    let (near, miss, key) = match named {
        Some((resource, id)) if !is_version(&id) && has_namespace(resource, &id) => {
            (resource, Miss::ApiVersion, if fits("group", &id.gvk.group) { "version" } else { "group" })
        }
        Some((resource, id)) if is_version(&id) => (resource, Miss::Namespace, "namespace"),
        Some(_) => return,
        None => {
            let others: Vec<(&Resource, ResId)> =
                of_kind().filter(|(resource, id)| is_version(id) && has_namespace(resource, id)).collect();
            let Some(name) = nearest_of_all(text("name"), others.iter().map(|(_, id)| id.name.as_str())) else {
                return;
            };
            // One name that goes on from the other is another object more often than a slip.
            if name.starts_with(text("name")) || text("name").starts_with(name) {
                return;
            }
            let Some((resource, _)) = others.iter().find(|(_, id)| id.name == name) else { return };
            (*resource, Miss::Name, "name")
        }
    };
    let namespace = if text("namespace").is_empty() { String::new() } else { format!("{}/", text("namespace")) };
    report.idle(IdlePatch {
        at,
        span: target.get(key).map_or(target.span, |part| part.span),
        target: format!("{}/{namespace}{}", text("kind"), text("name")),
        miss,
        near: near.object.id(),
        place: near.object.source,
    });
}
