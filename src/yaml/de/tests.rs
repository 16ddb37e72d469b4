use std::collections::BTreeMap;

use kube::{CustomResource, CustomResourceExt as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::*;
use crate::{
    source::Tree,
    yaml::{Spanned, parse},
};

fn read(text: &str) -> Node {
    let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
    parse(tree.file("a.yaml").expect("present"), text.as_bytes()).documents.remove(0).root
}

fn fault<T: fmt::Debug + for<'de> Deserialize<'de>>(text: &str) -> (String, String) {
    let node = read(text);
    let error = decode::<T>(&node).expect_err("a fault");
    (text[error.span.start as usize..error.span.end as usize].to_owned(), error.message)
}

#[derive(Deserialize, Serialize, Debug, Clone, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reference {
    kind: Kind,
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize, Serialize, Debug, Clone, PartialEq, JsonSchema)]
enum Kind {
    GitRepository,
    Bucket,
}

#[derive(CustomResource, Deserialize, Serialize, Debug, Clone, PartialEq, JsonSchema)]
#[kube(group = "kustomize.toolkit.fluxcd.io", version = "v1", kind = "Kustomization", namespaced)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KustomizationSpec {
    interval: Spanned<String>,
    source_ref: Reference,
    #[serde(default)]
    wait: bool,
    #[serde(default)]
    depends_on: Vec<Spanned<Reference>>,
    timeout: Option<Spanned<String>>,
    #[serde(default)]
    #[schemars(schema_with = "anything")]
    values: BTreeMap<String, serde_json::Value>,
}

fn anything(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object" })
}

const OBJECT: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a, namespace: b, labels: null, annotations: {x: 'y'}}
spec:
  interval: 10m
  timeout: ~
  wait: null
  sourceRef: {kind: GitRepository, name: flux-system, namespace:}
  dependsOn:
    - {kind: Bucket, name: b}
  values: {n: null, f: 1.5, l: [1, true, x], big: 18446744073709551615}
";

#[test]
fn a_custom_resource_is_read_with_its_spans() {
    let node = read(OBJECT);
    let object: Kustomization = decode(&node).expect("it fits");
    let text = |span: Span| &OBJECT[span.start as usize..span.end as usize];
    assert_eq!(object.metadata.name.as_deref(), Some("a"));
    assert_eq!(object.metadata.labels, None);
    assert_eq!(text(object.spec.interval.span), "10m");
    assert_eq!((object.spec.wait, object.spec.timeout), (false, None));
    assert_eq!(text(object.spec.depends_on[0].span), "{kind: Bucket, name: b}");
    assert_eq!(object.spec.depends_on[0].kind, Kind::Bucket);
    assert_eq!(object.spec.source_ref.namespace, None);
    assert_eq!(
        json!(object.spec.values),
        json!({"n": null, "f": 1.5, "l": [1, true, "x"], "big": 18_446_744_073_709_551_615_u64})
    );
}

#[test]
fn the_deepest_node_at_fault_is_named() {
    type Spec = KustomizationSpec;
    let source = "sourceRef: {kind: GitRepository, name: x}\n";
    for (text, at, message) in [
        ("{wait: true}".to_owned(), "{wait: true}", "missing field `interval`"),
        (format!("{source}interval: 1m\nx: 1\n"), "x", "unknown field `x`, expected one of"),
        (format!("{source}interval: 1m\nx: null\n"), "x", "unknown field `x`, expected one of"),
        (format!("{source}interval: 5\n"), "5", "invalid type: integer `5`, expected a string"),
        (format!("{source}interval: 1m\nwait: \"true\"\n"), "\"true\"", "invalid type: string \"true\""),
        (format!("{source}interval: 1m\nwait: {{}}\n"), "{}", "invalid type: mapping, expected a boolean"),
        ("interval: 1m\nsourceRef: {name: x}\n".to_owned(), "{name: x}", "missing field `kind`"),
        ("interval: 1m\nsourceRef: {kind: Git, name: x}\n".to_owned(), "Git", "unknown variant `Git`"),
        (
            format!("{source}interval: 1m\ndependsOn:\n  - {{kind: Bucket, name: [y]}}\n"),
            "[y]",
            "invalid type: list, expected a string",
        ),
        (format!("{source}interval: 1m\ndependsOn: [null]\n"), "null", "invalid type: null"),
    ] {
        let (found, said) = fault::<Spec>(&text);
        assert_eq!(found, at, "{text}");
        assert!(said.starts_with(message), "{said}");
    }
}

#[test]
fn text_is_borrowed_and_whole_numbers_may_have_an_exponent() {
    #[derive(Deserialize)]
    struct Borrowing<'a> {
        text: &'a str,
        number: i32,
    }
    let node = read("text: abc\nnumber: 1e3\n");
    let decoded: Borrowing<'_> = decode(&node).expect("it fits");
    assert_eq!(decoded.text.as_ptr(), node.find_str(&["text"]).expect("present").as_ptr());
    assert_eq!(decoded.number, 1000);
}

#[test]
fn lenient_mode_makes_text_of_scalars() {
    let node = read("a: 1\nb: true\nc: 1.50\nd: 1e7\ne: x\nf: ~\ng: 0.00001\n");
    assert!(decode::<BTreeMap<String, String>>(&node).is_err());
    let decoded: BTreeMap<String, String> = decode_lenient(&node).expect("it fits");
    assert_eq!(decoded.values().collect::<Vec<_>>(), ["1", "true", "1.5", "1e+07", "x", "", "1e-05"]);
}

#[test]
fn enums_may_carry_content() {
    #[derive(Deserialize, Debug, PartialEq)]
    enum Shape {
        Unit,
        New(u8),
        Pair(u8, u8),
        Fields { a: Option<u8> },
    }
    let node = read("[Unit, {New: 1}, {Pair: [1, 2]}, {Fields: {a: ~}}]");
    let decoded: Vec<Shape> = decode(&node).expect("it fits");
    assert_eq!(decoded, [Shape::Unit, Shape::New(1), Shape::Pair(1, 2), Shape::Fields { a: None }]);
    assert_eq!(fault::<Shape>("New").0, "New");
}

#[test]
fn quantities_may_be_numbers_and_other_deserializers_give_no_span() {
    use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::util::intstr::IntOrString};
    let node = read("limits: {cpu: 1, memory: 1Gi}\nrequests: {cpu: 0.5}\n");
    let decoded: ResourceRequirements = decode(&node).expect("it fits");
    assert_eq!(decoded.limits.expect("present")["cpu"].0, "1");
    assert_eq!(decoded.requests.expect("present")["cpu"].0, "0.5");
    assert_eq!(decode::<IntOrString>(&read("80")), Ok(IntOrString::Int(80)));
    let spanned: Spanned<u8> = serde_json::from_value(json!(7)).expect("it fits");
    assert_eq!((spanned.value, spanned.span), (7, Span::NONE));
    assert_eq!(serde_json::to_value(spanned).expect("it prints"), json!(7));
    assert!(serde_json::to_value(Kustomization::crd()).expect("it prints").to_string().contains("dependsOn"));
}

#[test]
fn deep_nodes_do_not_overflow() {
    let text = format!("{}1{}", "[".repeat(250), "]".repeat(250));
    assert!(decode::<serde_json::Value>(&read(&text)).is_ok());
    assert!(decode::<de::IgnoredAny>(&read(&text)).is_ok());
}
