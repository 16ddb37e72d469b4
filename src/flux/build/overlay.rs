use crate::{
    flux::Kustomization,
    kustomize::{Error, Fault},
    source::Span,
    yaml::{Entry, Node},
};

/// The kustomization that kustomize-controller builds: the root file (or the generated one) with the fields of the Flux
/// object written into it, as if the user had typed them there (fluxcd/pkg kustomize, `Generator.WriteFile`).
#[must_use]
pub(in crate::flux) fn overlay(
    mut root: Node,
    kustomization: &Kustomization,
    has_component: &dyn Fn(&str) -> bool,
    errors: &mut Vec<Error>,
) -> Node {
    let Some(spec) = kustomization.object.node.get("spec") else { return root };
    if root.as_map().is_none() {
        root = Node::empty_map(root.span);
    }
    for (field, key) in [("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")] {
        if let Some(value) = spec.get(field).filter(|value| value.as_str().is_some_and(|text| !text.is_empty())) {
            root.set(key, value.clone());
        }
    }
    if let Some(value) = spec.get("buildMetadata").filter(|value| value.items().next().is_some()) {
        root.set("buildMetadata", value.clone());
    }
    append(&mut root, "patches", spec.get("patches").map(|patches| patches.items().cloned().collect()));
    let tolerant = kustomization.spec.ignore_missing_components;
    let components = spec.get("components").map(|components| {
        let (local, other): (Vec<_>, Vec<_>) =
            components.items().cloned().partition(|item| item.as_str().is_none_or(is_local));
        errors.extend(other.iter().map(not_local));
        let wanted = |item: &Node| !tolerant || item.as_str().is_none_or(has_component);
        local.into_iter().filter(wanted).collect()
    });
    append(&mut root, "components", components);
    if let Some(images) = spec.get("images") {
        merge_images(&mut root, images);
    }
    root
}

/// Whether a component is a path that starts from `spec.path`: Flux takes no others.
fn is_local(component: &str) -> bool {
    !component.starts_with('/') && !component.contains("://") && !component.starts_with("git@")
}

fn not_local(component: &Node) -> Error {
    let message = format!(
        "component path must be local and relative: `{}` is neither a folder of the artifact nor found from `spec.path`",
        component.as_str().unwrap_or_default()
    );
    Error { message, span: component.span, related: Vec::new(), twice: None, fault: Fault::Missing { meant: None } }
}

fn append(root: &mut Node, key: &str, items: Option<Vec<Node>>) {
    let Some(items) = items.filter(|items| !items.is_empty()) else { return };
    let span = items.first().map_or(Span::NONE, |item| item.span);
    match root.get_mut(key).and_then(Node::as_seq_mut) {
        Some(list) => list.extend(items),
        None => root.set(key, Node::seq(items, span)),
    }
}

/// Images are merged field by field into the entry of the same name (fluxcd/pkg kustomize, `checkKustomizeImageExists`).
fn merge_images(root: &mut Node, images: &Node) {
    if root.get("images").and_then(Node::as_seq).is_none() {
        root.set("images", Node::seq(Vec::new(), images.span));
    }
    let Some(list) = root.get_mut("images").and_then(Node::as_seq_mut) else { return };
    for image in images.items() {
        let name = image.find_str(&["name"]);
        match list.iter_mut().find(|old| old.find_str(&["name"]) == name) {
            Some(old) => {
                for Entry { key, value, .. } in image.entries() {
                    old.set(key, value.clone());
                }
            }
            None => list.push(image.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kustomize::Object, source::Tree, yaml::parse};

    fn node(text: &str) -> Node {
        let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
        parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents[0].root.clone()
    }

    #[test]
    fn fields_of_the_flux_object_land_in_the_root_kustomization() {
        let flux = node(
            "metadata: {name: x, namespace: n}\nspec:\n  targetNamespace: apps\n  components: [../c, ../gone, /etc, 'https://example.org/x']\n  \
             ignoreMissingComponents: true\n  images: [{name: a, newTag: v2}]\n  patches: [{patch: p}]\n",
        );
        let object = Object { node: flux, source: Span::NONE, changes: Vec::new() };
        let root = node("namespace: old\nimages: [{name: a, newName: b}]\npatches: [{path: q.yaml}]\n");
        let mut errors = Vec::new();
        let root = overlay(root, &Kustomization::read(object), &|path| path == "../c", &mut errors);
        assert_eq!(errors.len(), 2);
        assert_eq!(root.find_str(&["namespace"]), Some("apps"));
        assert_eq!(root.get("patches").map(|list| list.items().count()), Some(2));
        assert_eq!(root.get("components").map(|list| list.items().count()), Some(1));
        let image = root.get("images").and_then(|images| images.items().next()).expect("one image");
        assert_eq!((image.find_str(&["newName"]), image.find_str(&["newTag"])), (Some("b"), Some("v2")));
    }
}
