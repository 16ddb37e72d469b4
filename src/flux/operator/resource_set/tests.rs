use super::*;
use crate::{source::Tree, yaml::parse};

fn sets(text: &str) -> Vec<ResourceSet> {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    let text = format!("apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\n{text}");
    let node = parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents[0].root.clone();
    let object = Object { source: node.span, node, changes: Vec::new() };
    expand_resource_sets([&object].into_iter())
}

fn set(spec: &str) -> ResourceSet {
    sets(&format!("metadata: {{name: s, namespace: ops}}\nspec:\n{spec}")).remove(0)
}

fn names(set: &ResourceSet) -> Vec<String> {
    set.objects.iter().map(|object| object.id().to_string()).collect()
}

const MAP: &str = "  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: ";

#[test]
fn each_input_fills_each_template_once() {
    let set = set(&format!(
        "  commonMetadata: {{labels: {{a: b}}}}\n  inputs:\n  - {{tenant: x, app: {{ready: true, count: 3, version: \"1\"}}}}\n  \
         - {{tenant: y, app: {{ready: false, count: 4, version: \"2\"}}}}\n  resources:\n{MAP}c-<< inputs.tenant >>\n      \
         namespace: << inputs.provider.namespace >>\n      labels: {{<< inputs.tenant >>: \"v<<inputs.app.version>>\"}}\n    \
         data: {{ready: << inputs.app.ready >>, count: \"<<- inputs.app.count ->>\"}}\n{MAP}same\n"
    ));
    assert_eq!(names(&set), ["ConfigMap/ops/c-x", "ConfigMap/ops/c-y", "ConfigMap/same"]);
    assert_eq!(set.unresolved, []);
    let first = &set.objects[0];
    assert_eq!(first.node.find_str(&["metadata", "labels", "x"]), Some("v1"));
    assert_eq!(first.node.find_str(&["metadata", "labels", "a"]), Some("b"));
    assert_eq!(first.node.find(&["data", "ready"]).and_then(Node::as_bool), Some(true));
    assert_eq!(first.node.find(&["data", "count"]).and_then(Node::as_i64), Some(3));
    assert_eq!(first.changes[0].step, Step::Template);
    let other = &set.objects[1];
    assert_eq!(first.node.nearest_span(&["metadata", "name"]), other.node.nearest_span(&["metadata", "name"]));
}

#[test]
fn without_inputs_templates_stand_for_themselves() {
    assert_eq!(names(&set(&format!("  resources:\n{MAP}c\n"))), ["ConfigMap/c"]);
    let failing = set(&format!("  resources:\n{MAP}d\n{MAP}c-<< inputs.x >>\n"));
    assert!(failing.objects.is_empty() && failing.unresolved[0].hides_objects());
    assert!(failing.unresolved[0].why.contains("inputs.x"), "{:?}", failing.unresolved);
    assert!(sets("metadata: {name: s, annotations: {fluxcd.controlplane.io/reconcile: disabled}}\nspec: {resources: [{kind: A}]}\n")[0].objects.is_empty());
}

#[test]
fn text_templates_give_several_documents() {
    let set = set(
        "  inputs: [{name: x}]\n  resourcesTemplate: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: << inputs.name >>}\n    \
         ---\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: y\n      annotations: {fluxcd.controlplane.io/reconcile: disabled}\n",
    );
    assert_eq!(names(&set), ["ConfigMap/x"]);
    assert!(set.objects[0].node.nearest_span(&["metadata", "name"]).is_some());
}

#[test]
fn what_is_more_than_a_plain_input_is_said_and_the_rest_made() {
    let value = set(&format!("  inputs: [{{a: 1}}]\n  resources:\n{MAP}c\n    data: {{v: << inputs.a | quote >>}}\n"));
    assert_eq!((names(&value).len(), &value.unresolved[0].hides), (1, &Hidden::Values));
    let name = set(&format!("  inputs: [{{a: 1}}]\n  resources:\n{MAP}<< inputs.a | quote >>\n{MAP}d\n"));
    assert_eq!(names(&name), ["ConfigMap/d"]);
    assert!(name.unresolved.iter().any(Unresolved::hides_objects));
    let flow = set("  inputs: [{a: 1}]\n  resourcesTemplate: |\n    <<- if inputs.a >>\n    kind: A\n    <<- end >>\n");
    assert!(flow.objects.is_empty() && flow.unresolved[0].hides_objects());
    let provided =
        set(&format!("  inputsFrom: [{{name: p}}]\n  inputs: [{{a: x}}]\n  resources:\n{MAP}<< inputs.a >>\n"));
    assert_eq!((names(&provided).len(), &provided.unresolved[0].hides), (1, &Hidden::Objects));
    let permuted =
        set(&format!("  inputStrategy: {{name: Permute}}\n  inputs: [{{a: x}}]\n  resources:\n{MAP}<< inputs.a >>\n"));
    assert!(permuted.objects.is_empty() && permuted.unresolved[0].hides_objects());
    let steps = set(&format!("  steps:\n  - name: s\n    resources:\n{MAP}c\n")
        .replace("\n  - apiV", "\n    - apiV")
        .replace("\n    kind", "\n      kind")
        .replace("\n    metadata:\n      name", "\n      metadata:\n        name"));
    assert_eq!((names(&steps).len(), &steps.unresolved[0].hides), (1, &Hidden::Values));
}

#[test]
fn hostile_sets_end_early() {
    let many = |count: usize, item: &str| item.repeat(count);
    let text = format!(
        "metadata: {{name: s}}\nspec:\n  inputs: [{}]\n  resources:\n{}",
        many(3000, "{a: x}, "),
        many(300, &format!("{MAP}<< inputs.a >>\n    data: {{v: << b >>, w: << c | d >>}}\n")),
    );
    let sets = sets(&text);
    assert!(sets[0].objects.is_empty() && sets[0].unresolved.iter().any(Unresolved::hides_objects));
    assert!(sets[0].unresolved.len() <= UNRESOLVED);
}

#[test]
fn sets_may_make_sets_but_not_without_end() {
    let nested = "metadata: {name: s}\nspec:\n  inputs: [{a: x}]\n  resources:\n  - apiVersion: fluxcd.controlplane.io/v1\n    kind: ResourceSet\n    \
                  metadata: {name: << inputs.a >>}\n    spec: {resources: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}]}\n";
    let sets = sets(nested);
    assert_eq!(sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>(), ["s", "x"]);
    assert_eq!(names(&sets[1]), ["ConfigMap/c"]);
}
