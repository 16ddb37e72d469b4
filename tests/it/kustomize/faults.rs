//! What a build says of faulty and hostile input, and where it says things come from.

use fluxdag::{
    kustomize::{Build, Kustomize, Step},
    source::{Artifact, Span, Tree},
    yaml::{Node, Store},
};

struct Built {
    tree: Tree,
    build: Build,
}

fn build_at(files: &[(&str, &str)], dir: &str) -> Built {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    let store = Store::new(tree);
    let artifact = Artifact::new(store.tree(), "", |_| true);
    let build = Kustomize::new(&store, artifact).build(dir, None);
    Built { tree: store.into_tree(), build }
}

impl Built {
    fn text(&self, span: Span) -> &str {
        &self.tree.text(span.file).expect("a file")[span.start as usize..span.end as usize]
    }

    fn errors(&self) -> Vec<String> {
        let place = |span: Span| format!("{}:{}", self.tree.path(span.file), self.tree.position(span).line);
        self.build.errors.iter().map(|error| format!("{} {}", place(error.span), error.message)).collect()
    }
}

const ACCOUNT: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: sa\n";

#[test]
fn fields_carry_the_text_that_decided_them() {
    let kustomization = "resources: [r.yaml]\nnamespace: new-ns\nnamePrefix: pre-\npatches:\n- patch: |\n    apiVersion: v1\n    kind: ServiceAccount\n    metadata:\n      name: sa\n      labels:\n        a: from-patch\nconfigMapGenerator:\n- name: conf\n  literals: [k=v]\n";
    let built = build_at(&[("r.yaml", ACCOUNT), ("kustomization.yaml", kustomization)], "");
    assert_eq!(built.errors(), Vec::<String>::new());
    let account = &built.build.objects[0];
    let at = |keys: &[&str]| built.text(account.node.find(keys).expect("set").span).to_owned();
    assert_eq!(at(&["metadata", "namespace"]), "new-ns");
    assert_eq!(at(&["metadata", "name"]), "pre-");
    assert_eq!(at(&["metadata", "labels", "a"]), "from-patch");
    assert_eq!(at(&["kind"]), "ServiceAccount");
    assert_eq!(built.tree.path(account.source.file), "r.yaml");
    let steps: Vec<Step> = account.changes.iter().map(|change| change.step).collect();
    assert_eq!(steps, [Step::Patch, Step::Namespace, Step::NamePrefix]);
    let conf = &built.build.objects[1];
    assert_eq!(built.text(conf.node.find(&["data", "k"]).expect("set").span), "k=v");
    assert_eq!(conf.changes[0].step, Step::Generator);
}

#[test]
fn cycles_are_errors_and_the_rest_is_built() {
    let files = [
        ("a/kustomization.yaml", "resources:\n- ../b\n- r.yaml\n"),
        ("a/r.yaml", ACCOUNT),
        ("b/kustomization.yaml", "resources:\n- ../a\n"),
        ("up/x/kustomization.yaml", "resources: [..]\n"),
        ("up/kustomization.yaml", "resources: [x]\n"),
    ];
    let built = build_at(&files, "a");
    assert!(built.errors()[0].starts_with("b/kustomization.yaml:2 cycle of bases"), "{:?}", built.errors());
    assert_eq!(built.build.objects.len(), 1);
    assert_eq!(build_at(&files, "up").errors().len(), 1);
}

#[test]
fn faults_are_located_and_do_not_hide_each_other() {
    let kustomization = "resources:\n- r.yaml\n- r2.yaml\n- nope.yaml\n- ../../out.yaml\n- https://example.org/x.yaml\n- github.com/a/b//c?ref=d\nresorces: []\nnamePrefix: 3\nimages:\n- {name: a, newtag: b}\n- {name: a, tag: b}\npatches:\n- target: {kind: ServiceAccount}\n  patch: |\n    - op: remove\n      path: /spec/x\nhelmCharts:\n- name: chart\n";
    let built = build_at(
        &[
            ("r.yaml", ACCOUNT),
            (
                "r2.yaml",
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n---\na: [\n---\nkind: X\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, name: t}\n",
            ),
            ("kustomization.yaml", kustomization),
        ],
        "",
    );
    let errors = built.errors();
    for wanted in [
        "r2.yaml:3 ServiceAccount/sa is already in this build",
        "malformed YAML",
        "r2.yaml:7 `metadata.name` of this X is missing",
        "r2.yaml:11 ",
        "kustomization.yaml:4 `nope.yaml` does not exist",
        "kustomization.yaml:5 `../../out.yaml` leads out",
        "kustomization.yaml:8 unknown field `resorces` of this kustomization; did you mean `resources`?",
        "kustomization.yaml:9 `namePrefix` holds a number where kustomize wants text",
        "kustomization.yaml:12 unknown field `tag`",
        "kustomization.yaml:16 cannot remove `/spec/x`",
    ] {
        assert!(errors.iter().any(|error| error.contains(wanted)), "{wanted}: {errors:#?}");
    }
    assert_eq!(built.build.unresolved.len(), 3, "{:?}", built.build.unresolved);
    assert_eq!(built.build.objects.len(), 2);
}

#[test]
fn empty_kustomizations_build_to_nothing() {
    for text in ["", "# nothing\n", "resources: []\n", "kind: Kustomization\n"] {
        let built = build_at(&[("kustomization.yaml", text)], "");
        assert_eq!((built.errors().len(), built.build.objects.len()), (0, 0), "{text}");
    }
    assert_eq!(build_at(&[("a.yaml", "")], "").errors().len(), 1);
    let several = build_at(&[("kustomization.yaml", ""), ("Kustomization", "")], "");
    assert!(several.errors()[0].contains("several"));
}

#[test]
fn a_kustomization_may_stand_in_for_the_file() {
    let tree = Tree::from_memory([
        ("a/r.yaml".to_owned(), ACCOUNT.as_bytes().to_vec()),
        ("root.yaml".to_owned(), b"resources: [r.yaml]\nnamespace: given\n".to_vec()),
    ]);
    let store = Store::new(tree);
    let artifact = Artifact::new(store.tree(), "a", |_| true);
    let root = &store.parse(store.tree().file("root.yaml").expect("there")).documents[0].root;
    let build = Kustomize::new(&store, artifact).build("", Some(root));
    assert_eq!(build.objects[0].node.find_str(&["metadata", "namespace"]), Some("given"));
}

#[test]
fn components_that_multiply_come_to_an_end() {
    let head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
    let mut files: Vec<(String, String)> = (0..60)
        .map(|level| {
            let next = level + 1;
            (format!("c{level}/kustomization.yaml"), format!("{head}components: [../c{next}, ../c{next}]\n"))
        })
        .collect();
    files.push(("c60/kustomization.yaml".to_owned(), format!("{head}namePrefix: x\n")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(build_at(&files, "c0").errors().iter().any(|error| error.contains("takes more than")));
}

#[test]
fn bases_that_multiply_or_nest_come_to_an_end() {
    let mut files: Vec<(String, String)> = Vec::new();
    for level in 0..40 {
        let next = level + 1;
        for side in ["a", "b"] {
            files.push((
                format!("{side}{level}/kustomization.yaml"),
                format!("namePrefix: {side}\nresources: [../a{next}, ../b{next}]\n"),
            ));
        }
    }
    for side in ["a", "b"] {
        files.push((format!("{side}40/kustomization.yaml"), format!("namePrefix: {side}\nresources: [../r.yaml]\n")));
    }
    files.push(("r.yaml".to_owned(), ACCOUNT.to_owned()));
    for level in 0..400 {
        files.push((format!("n{level}/kustomization.yaml"), format!("resources: [../n{}]\n", level + 1)));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let wide = build_at(&files, "a0").errors();
    assert!(
        wide.iter().any(|error| error.contains("it makes more than") || error.contains("it takes more than")),
        "{:?}",
        wide.first()
    );
    let deep = build_at(&files, "n0").errors();
    assert!(deep.iter().any(|error| error.contains("100 deep")), "{:?}", deep.first());
}

#[test]
fn copies_that_multiply_come_to_an_end() {
    let mut operations = String::new();
    for _ in 0..60 {
        operations += "    - {op: copy, from: /metadata, path: /metadata/x}\n    - {op: copy, from: /metadata, path: /metadata/y}\n";
    }
    let kustomization =
        format!("resources: [r.yaml]\npatches:\n- target: {{kind: ServiceAccount}}\n  patch: |\n{operations}");
    let built = build_at(&[("r.yaml", ACCOUNT), ("kustomization.yaml", &kustomization)], "");
    assert!(built.errors()[0].contains("grows beyond"), "{:?}", built.errors());
}

mod json_patch_equals_the_crate {
    use super::{Node, build_at};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..9).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn operation() -> impl Strategy<Value = Value> {
        let path = || prop::collection::vec("[a-c]|0|1|-", 1..4).prop_map(|keys| format!("/spec/{}", keys.join("/")));
        prop_oneof![
            (path(), value()).prop_map(|(path, value)| json!({"op": "add", "path": path, "value": value})),
            path().prop_map(|path| json!({"op": "remove", "path": path})),
            (path(), path()).prop_map(|(from, path)| json!({"op": "move", "from": from, "path": path})),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

        /// Where the crate, which follows the RFC, applies a patch, so does the build, and with the same result.
        #[test]
        fn wherever_the_rfc_has_a_result(spec in value(), operations in prop::collection::vec(operation(), 1..4)) {
            let mut wanted = json!({"apiVersion": "x/v1", "kind": "Foo", "metadata": {"name": "n"}, "spec": spec});
            let object = wanted.to_string();
            let operations = Value::from(operations);
            let patch: json_patch::Patch = serde_json::from_value(operations.clone()).expect("a patch");
            let applies = json_patch::patch_unsafe(&mut wanted, &patch).is_ok();
            let root = json!({"resources": ["r.yaml"], "patches": [{"patch": operations.to_string(), "target": {"kind": "Foo"}}]});
            let built = build_at(&[("r.yaml", &object), ("kustomization.yaml", &root.to_string())], "");
            if applies {
                prop_assert_eq!(built.errors(), Vec::<String>::new());
                let node: &Node = &built.build.objects[0].node;
                prop_assert_eq!(serde_json::to_value(node).expect("JSON"), wanted);
            }
        }
    }
}

/// kustomize itself follows such references forever.
#[test]
fn references_of_a_schema_that_go_in_circles_come_to_an_end() {
    let schema = r##"{"definitions": {
        "a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}, "c": {"$ref": "#/definitions/c"},
        "fleet": {"x-kubernetes-group-version-kind": [{"group": "example.io", "version": "v1", "kind": "Fleet"}],
            "properties": {"ships": {"$ref": "#/definitions/a"}}, "additionalProperties": {"$ref": "#/definitions/c"}}}}"##;
    let fleet = "apiVersion: example.io/v1\nkind: Fleet\nmetadata: {name: f}\nships: [{hull: a, size: 1}]\n";
    let kustomization = "resources: [r.yaml]\nopenapi: {path: s.json}\npatches:\n- patch: |\n    apiVersion: example.io/v1\n    kind: Fleet\n    metadata: {name: f}\n    ships: [{hull: a}]\n";
    let built = build_at(&[("r.yaml", fleet), ("s.json", schema), ("kustomization.yaml", kustomization)], "");
    assert_eq!(built.errors(), Vec::<String>::new());
    let ships = built.build.objects[0].node.get("ships").expect("ships");
    assert_eq!(serde_json::to_string(ships).expect("JSON"), r#"[{"hull":"a"}]"#);
}
