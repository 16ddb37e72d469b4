//! Features of kustomize one by one. Every expectation was printed by `kubectl kustomize` (kustomize 5.5.0).

use fluxdag::{
    kustomize::{Build, Kustomize, legacy_order},
    source::{Artifact, FileId, Tree},
    yaml::{Node, Store, parse},
};

fn build(files: &[(&str, &str)]) -> Build {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    let store = Store::new(tree);
    let artifact = Artifact::of(store.tree(), "", |_| true);
    let dir = if artifact.is_folder("top") { "top" } else { "" };
    Kustomize::new(&store, artifact).build(dir, None)
}

fn gives(files: &[(&str, &str)], wanted: &str) {
    let mut build = build(files);
    let errors: Vec<_> = build.errors.iter().map(|error| &error.message).collect();
    assert!(errors.is_empty(), "{errors:?}");
    legacy_order(&mut build.objects);
    let wanted: Vec<Node> = parse(FileId::NONE, wanted.as_bytes()).documents.into_iter().map(|it| it.root).collect();
    let wanted: Vec<Node> = wanted.into_iter().filter(|node| !node.is_null()).collect();
    let built: Vec<Node> = build.objects.into_iter().map(|object| object.node).collect();
    let json = |nodes: &[Node]| nodes.iter().map(|node| serde_json::to_string(node).expect("JSON")).collect::<Vec<_>>();
    assert_eq!(json(&built).len(), json(&wanted).len(), "{:#?}", json(&built));
    for (built, wanted) in built.iter().zip(&wanted) {
        assert!(built == wanted, "built {built:#?}\nwanted {wanted:#?}");
    }
}

#[test]
fn a_namespace_reaches_what_may_have_one() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: Namespace
metadata: {name: old}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: x}
subjects: [{kind: ServiceAccount, name: default}, {kind: ServiceAccount, name: sa, namespace: default}, {kind: ServiceAccount, name: far, namespace: away}]
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
namespace: new
"#,
            ),
        ],
        r#"apiVersion: v1
kind: Namespace
metadata:
  name: new
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: sa
  namespace: new
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: binding
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: x
subjects:
- kind: ServiceAccount
  name: default
  namespace: new
- kind: ServiceAccount
  name: sa
  namespace: new
- kind: ServiceAccount
  name: far
  namespace: away
"#,
    );
}

#[test]
fn hashed_and_prefixed_names_are_followed() {
    gives(
        &[
            (
                "base/r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "base/kustomization.yaml",
                r#"resources: [r.yaml]
configMapGenerator:
- name: conf
  literals: [x=1]
nameSuffix: -z
"#,
            ),
            (
                "top/kustomization.yaml",
                r#"resources: [../base]
namePrefix: p-
"#,
            ),
        ],
        r#"apiVersion: v1
data:
  x: "1"
kind: ConfigMap
metadata:
  name: p-conf-z-hmg6f82fh6
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: p-web-z
spec:
  template:
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: p-conf-z-hmg6f82fh6
        image: nginx:1.0
        name: a
      - image: example.org:5000/x/y@sha256:abc
        name: b
"#,
    );
}

#[test]
fn generators_take_files_literals_and_env_files() {
    gives(
        &[
            (
                "a.txt",
                r#"hello
"#,
            ),
            (
                "e.env",
                r#"# c
A=x=y
B=
"#,
            ),
            (
                "kustomization.yaml",
                r#"configMapGenerator:
- name: files
  files: [a.txt, k=a.txt]
- name: literals
  envs: [e.env]
  literals: ['q="1"', "h=<&>"]
  options: {labels: {a: b}, disableNameSuffixHash: true, immutable: true}
secretGenerator:
- name: secret
  literals: [p=q]
generatorOptions: {annotations: {g: o}}
"#,
            ),
        ],
        r#"apiVersion: v1
data:
  a.txt: |
    hello
  k: |
    hello
kind: ConfigMap
metadata:
  annotations:
    g: o
  name: files-g68d682kg5
---
apiVersion: v1
data:
  A: x=y
  B: ""
  h: <&>
  q: "1"
immutable: true
kind: ConfigMap
metadata:
  annotations:
    g: o
  labels:
    a: b
  name: literals
---
apiVersion: v1
data:
  p: cQ==
kind: Secret
metadata:
  annotations:
    g: o
  name: secret-hb2dth72f6
type: Opaque
"#,
    );
}

#[test]
fn a_generator_merges_into_a_base() {
    gives(
        &[
            (
                "base/kustomization.yaml",
                r#"configMapGenerator:
- name: conf
  literals: [x=1]
"#,
            ),
            (
                "top/kustomization.yaml",
                r#"resources: [../base]
configMapGenerator:
- name: conf
  behavior: merge
  literals: [y=2]
"#,
            ),
        ],
        r#"apiVersion: v1
data:
  x: "1"
  "y": "2"
kind: ConfigMap
metadata:
  name: conf-gc87g97b68
"#,
    );
}

#[test]
fn labels_reach_selectors_only_when_told() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
labels:
- pairs: {a: "1"}
- pairs: {b: "2"}
  includeSelectors: true
- pairs: {c: "3"}
  includeTemplates: true
commonAnnotations: {d: "4"}
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    d: "4"
  labels:
    a: "1"
    b: "2"
    c: "3"
  name: web
spec:
  selector:
    matchLabels:
      b: "2"
  template:
    metadata:
      annotations:
        d: "4"
      labels:
        b: "2"
        c: "3"
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: conf
        image: nginx:1.0
        name: a
      - image: example.org:5000/x/y@sha256:abc
        name: b
"#,
    );
}

#[test]
fn images_and_replicas_are_set() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
images: [{name: nginx, newName: other/nginx, newTag: v2}, {name: "example.org:5000/x/y", digest: "sha256:def"}]
replicas: [{name: web, count: 3}]
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  template:
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: conf
        image: other/nginx:v2
        name: a
      - image: example.org:5000/x/y@sha256:def
        name: b
"#,
    );
}

#[test]
fn merge_patches_put_their_items_first() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - {name: b, command: [x]}
          - {name: new, image: i}
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - command:
        - x
        image: example.org:5000/x/y@sha256:abc
        name: b
      - image: i
        name: new
      - envFrom:
        - configMapRef:
            name: conf
        image: nginx:1.0
        name: a
"#,
    );
}

#[test]
fn merge_patches_delete_and_replace() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: null
      template:
        spec:
          containers:
          - {name: a, $patch: delete}
          - {name: b, image: kept, $patch: replace}
          volumes: [{name: v, $patch: delete}]
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - image: example.org:5000/x/y@sha256:abc
        name: b
      volumes: []
"#,
    );
}

#[test]
fn a_patch_can_delete_an_object() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    $patch: delete
"#,
            ),
        ],
        r#""#,
    );
}

#[test]
fn a_targeted_patch_ignores_its_own_name() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: other}
    spec: {replicas: 2}
  target: {kind: "Deploy.*", name: w.b}
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: conf
        image: nginx:1.0
        name: a
      - image: example.org:5000/x/y@sha256:abc
        name: b
"#,
    );
}

#[test]
fn json_patches_follow_evanphx() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
patches:
- patch: |
    - {op: replace, path: /spec/missing, value: 1}
    - {op: add, path: /spec/template/spec/containers/-, value: {name: c}}
    - {op: copy, from: /spec/nothing, path: /spec/copied}
    - {op: remove, path: /spec/template/spec/containers/0/envFrom}
    - {op: add, path: "/metadata/annotations", value: {"a/b": "c"}}
    - {op: replace, path: "/metadata/annotations/a~1b", value: "d"}
  target: {kind: Deployment}
"#,
            ),
        ],
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    a/b: d
  name: web
spec:
  copied: null
  missing: 1
  template:
    spec:
      containers:
      - image: nginx:1.0
        name: a
      - image: example.org:5000/x/y@sha256:abc
        name: b
      - name: c
"#,
    );
}

#[test]
fn components_act_on_everything_so_far() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
"#,
            ),
            (
                "c/kustomization.yaml",
                r#"apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
namePrefix: c-
resources: [svc.yaml]
"#,
            ),
            (
                "c/svc.yaml",
                r#"apiVersion: v1
kind: Service
metadata: {name: svc}
spec: {ports: [{port: 80}]}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
components: [c]
namespace: n1
"#,
            ),
        ],
        r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: c-sa
  namespace: n1
---
apiVersion: v1
kind: Service
metadata:
  name: c-svc
  namespace: n1
spec:
  ports:
  - port: 80
"#,
    );
}

#[test]
fn replacements_copy_values() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", envFrom: [{configMapRef: {name: conf}}]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
replacements:
- source: {kind: ServiceAccount, fieldPath: metadata.name}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=b].image", spec.template.spec.serviceAccountName]
    options: {create: true}
  - select: {kind: Deployment}
    fieldPaths: [spec.template.spec.containers.0.image]
    options: {delimiter: ":", index: 1}
"#,
            ),
        ],
        r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: sa
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - envFrom:
        - configMapRef:
            name: conf
        image: nginx:sa
        name: a
      - image: sa
        name: b
      serviceAccountName: sa
"#,
    );
}

#[test]
fn configurations_add_references_and_fields() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: x.y/v1
kind: Foo
metadata: {name: foo}
spec: {ref: {name: conf}, img: "nginx:1"}
"#,
            ),
            (
                "k.yaml",
                r#"nameReference:
- kind: ConfigMap
  version: v1
  fieldSpecs: [{kind: Foo, path: spec/ref/name}]
images: [{kind: Foo, path: spec/img}]
namespace: [{kind: Foo, path: spec/ns, create: true}]
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
configMapGenerator:
- name: conf
  literals: [x=1]
configurations: [k.yaml]
images: [{name: nginx, newTag: "2"}]
namespace: n1
"#,
            ),
        ],
        r#"apiVersion: v1
data:
  x: "1"
kind: ConfigMap
metadata:
  name: conf-hmg6f82fh6
  namespace: n1
---
apiVersion: x.y/v1
kind: Foo
metadata:
  name: foo
  namespace: n1
spec:
  img: nginx:2
  ns: n1
  ref:
    name: conf-hmg6f82fh6
"#,
    );
}

#[test]
fn built_in_transformers_are_run() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
"#,
            ),
            (
                "t.yaml",
                r#"apiVersion: builtin
kind: PrefixTransformer
metadata: {name: x}
prefix: t-
fieldSpecs: [{path: metadata/name}]
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
transformers:
- t.yaml
- |-
  apiVersion: builtin
  kind: LabelTransformer
  metadata: {name: y}
  labels: {a: b}
  fieldSpecs: [{path: metadata/labels, create: true}]
"#,
            ),
        ],
        r#"apiVersion: v1
kind: ServiceAccount
metadata:
  labels:
    a: b
  name: t-sa
"#,
    );
}

#[test]
fn lists_are_taken_apart_and_local_objects_dropped() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {config.kubernetes.io/local-config: "true"}}}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
"#,
            ),
        ],
        r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
"#,
    );
}

#[test]
fn annotations_come_out_as_text() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {x: true, n: 0644}, labels: {l: 1}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, annotations: {}}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
"#,
            ),
        ],
        r#"apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    "n": "0644"
    x: "true"
  labels:
    l: 1
  name: a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
"#,
    );
}

#[test]
fn folded_text_gains_a_line_break() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  k: >-
    x
      y
    z
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
"#,
            ),
        ],
        r#"apiVersion: v1
data:
  k: |-
    x

      y
    z
kind: ConfigMap
metadata:
  name: a
"#,
    );
}

#[test]
fn vars_are_expanded() {
    gives(
        &[
            (
                "r.yaml",
                r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - {name: a, image: "nginx:1.0", args: ["--to=$(SVC)", "$(OTHER)"]}
      - {name: b, image: "example.org:5000/x/y@sha256:abc"}
---
apiVersion: v1
kind: Service
metadata: {name: svc}
spec: {ports: [{port: 80}]}
"#,
            ),
            (
                "kustomization.yaml",
                r#"resources: [r.yaml]
namePrefix: p-
vars:
- name: SVC
  objref: {kind: Service, name: svc, apiVersion: v1}
"#,
            ),
        ],
        r#"apiVersion: v1
kind: Service
metadata:
  name: p-svc
spec:
  ports:
  - port: 80
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: p-web
spec:
  template:
    spec:
      containers:
      - args:
        - --to=p-svc
        - $(OTHER)
        image: nginx:1.0
        name: a
      - image: example.org:5000/x/y@sha256:abc
        name: b
"#,
    );
}
