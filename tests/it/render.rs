//! `fluxdag render`: the same bytes as kustomize prints, and places that hold: whoever changes the text at the place that
//! a value is said to come from, changes the value.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fluxdag::{
    FolderBuild, Options, build_folder,
    cluster::{Cluster, NodeKey, Scope, discover, resolve},
    kustomize::{Step, legacy_order},
    report::{Objects, Origin},
    source::{FileId, Span, Tree},
    yaml::{Node, Store, Value, parse},
};

use crate::support::{Done, SYNC, SYNC_FILE, corpus, entries as sorted, fixture, fluxdag, name};

#[test]
fn folders_are_printed_byte_for_byte_as_kustomize_does() {
    let Some(corpus) = corpus() else { return };
    let (mut total, mut wrong) = (0, Vec::new());
    for golden in sorted(&corpus.join("golden-full")).iter().flat_map(|folder| sorted(folder)) {
        let repository = corpus.join("repos").join(name(golden.parent().unwrap()));
        let folder = name(&golden).trim_end_matches(".yaml").replace("__", "/");
        let at_root = Options { root: Some(repository.clone()), ..Options::default() };
        let built = build_folder(&repository.join(&folder), &at_root).unwrap();
        let FolderBuild { tree, mut build, .. } = built;
        legacy_order(&mut build.objects);
        let printed = Objects { tree: &tree, objects: &build.objects, origin: Origin::Hidden }.yaml();
        // Comments change nothing of what is read back.
        let noted = Objects { tree: &tree, objects: &build.objects, origin: Origin::All }.yaml();
        let read: Vec<Node> =
            parse(FileId::NONE, noted.as_bytes()).documents.into_iter().map(|document| document.root).collect();
        let same =
            read.len() == build.objects.len() && read.iter().zip(&build.objects).all(|(one, other)| *one == other.node);
        assert!(same, "{}", golden.display());
        total += 1;
        if printed.as_bytes() != fs::read(&golden).unwrap() || !build.errors.is_empty() {
            wrong.push(golden);
        }
    }
    println!("{} of {total} folders are printed byte for byte", total - wrong.len());
    assert!(total > 0 && wrong.is_empty(), "{wrong:#?}");
}

type Files = BTreeMap<String, Vec<u8>>;

/// A scalar of what some node applies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    cluster: String,
    node: NodeKey,
    object: usize,
    pointer: Vec<String>,
}

/// A scalar, and the text that is said to decide it.
#[derive(Debug, Clone)]
struct Scalar {
    place: Place,
    path: String,
    span: Span,
    value: Value,
}

struct Rendering {
    store: Store,
    clusters: Vec<Cluster>,
}

impl Rendering {
    fn of(files: &Files) -> Self {
        let store = Store::new(Tree::from_memory(files.clone()));
        let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
        Self { store, clusters }
    }

    /// Every scalar that stands in a file.
    fn scalars(&self) -> Vec<Scalar> {
        let mut scalars = Vec::new();
        for cluster in self.clusters.iter().filter(|cluster| cluster.reached) {
            for node in &cluster.nodes {
                for (index, object) in node.applied.build.objects.iter().enumerate() {
                    let at = |pointer| Place {
                        cluster: cluster.root.clone(),
                        node: node.key.clone(),
                        object: index,
                        pointer,
                    };
                    let mut found = Vec::new();
                    below(&object.node, &mut Vec::new(), &mut found);
                    for (pointer, scalar) in found {
                        // Nothing but the presence of a generator decides what kind it makes.
                        let is_made = object.changes.iter().any(|change| change.step == Step::Generator);
                        let is_constant =
                            is_made && pointer.len() == 1 && matches!(pointer[0].as_str(), "apiVersion" | "kind");
                        if scalar.span.is_some() && !is_constant {
                            let path = self.store.tree().path(scalar.span.file).to_owned();
                            let value = scalar.value.clone();
                            scalars.push(Scalar { place: at(pointer), path, span: scalar.span, value });
                        }
                    }
                }
            }
        }
        scalars
    }

    /// The object of `place`; `None` where it is no longer there.
    fn object(&self, place: &Place) -> Option<&Node> {
        let cluster = self.clusters.iter().find(|cluster| cluster.root == place.cluster)?;
        let node = cluster.node(cluster.find(&place.node)?);
        node.applied.build.objects.get(place.object).map(|object| &object.node)
    }

    /// Whether the value of `scalar` is what it was; `None` where its object is no longer there.
    fn has_kept(&self, scalar: &Scalar) -> Option<bool> {
        let step = |node: &'_ Node, key: &String| match &node.value {
            Value::Seq(items) => items.get(key.parse::<usize>().ok()?).cloned(),
            _ => node.get(key).cloned(),
        };
        let object = self.object(&scalar.place)?;
        let found = scalar.place.pointer.iter().try_fold(object.clone(), |at, key| step(&at, key));
        Some(found.is_none_or(|found| found.value == scalar.value))
    }
}

fn below<'n>(node: &'n Node, pointer: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'n Node)>) {
    match &node.value {
        Value::Map(map) => {
            for entry in map.entries() {
                pointer.push(entry.key.to_string());
                below(&entry.value, pointer, found);
                pointer.pop();
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push(index.to_string());
                below(item, pointer, found);
                pointer.pop();
            }
        }
        _ => found.push((pointer.clone(), node)),
    }
}

/// Another text in place of `text`, which gives `value`.
fn other(text: &str, value: &Value) -> String {
    match (value, text) {
        (Value::Bool(_), "true") => return "false".to_owned(),
        (Value::Bool(_), "false") => return "true".to_owned(),
        (Value::Null, _) => return " x".to_owned(),
        // An alias names a value that stands elsewhere; here another takes its place.
        (Value::Int(_), alias) if alias.starts_with('*') => return "1".to_owned(),
        (_, alias) if alias.starts_with('*') => return "x".to_owned(),
        _ => {}
    }
    let body = text.trim_end();
    let (more, end) = match (value, body.chars().last()) {
        (_, Some('"' | '\'')) => ("x", body.len() - 1),
        (Value::Int(_) | Value::Uint(_) | Value::Float(_), Some('0'..='9')) => ("1", body.len()),
        _ => ("x", body.len()),
    };
    format!("{}{more}{}", &text[..end], &text[end..])
}

/// `files` with the text behind each of `scalars` changed.
fn changed(files: &Files, scalars: &[&Scalar]) -> Files {
    let mut files = files.clone();
    let mut order: Vec<&&Scalar> = scalars.iter().collect();
    order.sort_by_key(|scalar| (&scalar.path, std::cmp::Reverse(scalar.span.start)));
    let mut last: Option<&Scalar> = None;
    for scalar in order {
        let overlaps = last.is_some_and(|last| last.path == scalar.path && scalar.span.end > last.span.start);
        let Some(bytes) = files.get_mut(&scalar.path).filter(|_| !overlaps) else { continue };
        let range = scalar.span.start as usize..scalar.span.end as usize;
        let Some(text) = bytes.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()) else { continue };
        let text = other(text, &scalar.value);
        bytes.splice(range, text.into_bytes());
        last = Some(scalar);
    }
    files
}

/// Those of `scalars` whose value stays when the text behind them changes; all at once first, then one by one.
fn unmoved<'s>(files: &Files, scalars: &[&'s Scalar]) -> Vec<&'s Scalar> {
    let together = Rendering::of(&changed(files, scalars));
    let is_left = |scalar: &&Scalar| together.has_kept(scalar).unwrap_or(true);
    let mut left: Vec<&Scalar> = scalars.iter().copied().filter(is_left).collect();
    // An object that goes away with the change of one text was decided by it.
    left.retain(|scalar| Rendering::of(&changed(files, &[*scalar])).has_kept(scalar).unwrap_or(false));
    left
}

/// What gives an object its identity: changing that changes what else is built.
fn is_identity(place: &Place) -> bool {
    matches!(
        place.pointer.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["apiVersion" | "kind"] | ["metadata", "name" | "namespace"]
    )
}

/// At most about `most` scalars, spread over the repository, one for each text.
fn sample(rendering: &Rendering, most: usize) -> Vec<Scalar> {
    let mut seen = BTreeSet::new();
    let mut scalars = rendering.scalars();
    scalars.retain(|scalar| seen.insert((scalar.path.clone(), scalar.span)));
    let every = scalars.len().div_ceil(most).max(1);
    scalars.into_iter().step_by(every).collect()
}

/// Checks a sample and tells how many of how many places hold; prints the others.
fn check(label: &str, files: &Files, most: usize) -> (usize, usize) {
    let rendering = Rendering::of(files);
    let sample = sample(&rendering, most);
    let (alone, together): (Vec<&Scalar>, Vec<&Scalar>) = sample.iter().partition(|scalar| is_identity(&scalar.place));
    let mut wrong = unmoved(files, &together);
    for scalar in alone {
        wrong.extend(unmoved(files, &[scalar]));
    }
    for Scalar { place, path, span, value } in &wrong {
        let line = rendering.store.tree().position(*span).line;
        let Place { node, object, pointer, .. } = place;
        let shown: String = format!("{value:?}").chars().take(60).collect();
        println!("  {label}: {node} object {object} /{} = {shown} is not decided by {path}:{line}", pointer.join("/"));
    }
    println!("{label}: {} of {} places hold", sample.len() - wrong.len(), sample.len());
    (sample.len() - wrong.len(), sample.len())
}

fn read(folder: &Path) -> Files {
    let tree = Tree::load(folder).unwrap();
    let bytes = |file| tree.bytes(file).map(<[u8]>::to_vec).unwrap_or_default();
    tree.files().map(|file| (tree.path(file).to_owned(), bytes(file))).collect()
}

#[test]
fn the_place_of_a_value_decides_it() {
    let files: Files = EVERYTHING.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    for node in &Rendering::of(&files).clusters[0].nodes {
        assert!(node.applied.build.errors.is_empty() && node.unresolved.is_empty(), "{:?}", node.applied.build.errors);
    }
    let (hold, all) = check("every feature", &files, usize::MAX);
    assert!(all > 50 && hold == all, "{hold} of {all}");
    for name in ["clean-bootstrap", "clean-home-ops", "heavy-in-wait"] {
        let (hold, all) = check(name, &read(&fixture(name)), 40);
        assert_eq!(hold, all, "{name}");
    }
}

#[test]
fn the_place_of_a_value_decides_it_in_real_repositories() {
    let Some(corpus) = corpus() else { return };
    let most = std::env::var("FLUXDAG_SAMPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let (mut hold, mut all) = (0, 0);
    for repository in sorted(&corpus.join("repos")) {
        let (one, of) = check(&name(&repository), &read(&repository), most);
        (hold, all) = (hold + one, all + of);
    }
    println!("TOTAL {hold} of {all} places hold");
    assert!(hold * 1000 >= all * 995, "{hold} of {all}");
}

/// A repository in which every step of a build has a part.
const EVERYTHING: &[(&str, &str)] = &[
    (SYNC_FILE, SYNC),
    (
        "clusters/prod/apps.yaml",
        r#"apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/prod
  prune: true
  targetNamespace: web
  commonMetadata:
    labels:
      owner: team
  components:
    - ../component
  images:
    - name: app
      newTag: "2.0"
  sourceRef:
    kind: GitRepository
    name: flux-system
  patches:
    - target:
        kind: Deployment
      patch: |
        - op: add
          path: /spec/paused
          value: true
    - patch: |
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: app
        spec:
          minReadySeconds: 5
  postBuild:
    substitute:
      level: debug
"#,
    ),
    (
        "apps/component/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels:\n  - pairs:\n      tier: front\n    \
         includeSelectors: true\ncommonAnnotations:\n  note: \"yes\"\n",
    ),
    (
        "apps/prod/kustomization.yaml",
        r#"resources:
  - ../base
namePrefix: p-
nameSuffix: -s
replicas:
  - name: app
    count: 3
configMapGenerator:
  - name: config
    literals:
      - mode=fast
      - quoted="a b"
    files:
      - app.conf
      - other=settings.txt
    envs:
      - vars.env
    options:
      labels:
        made: here
  - name: merged
    behavior: merge
    literals:
      - changed=2
secretGenerator:
  - name: secret
    type: kubernetes.io/basic-auth
    literals:
      - password=abc
patches:
  - path: patch.yaml
  - path: job-patch.yaml
  - target:
      kind: Job
    patch: |-
      - op: copy
        from: /spec/template/spec/containers/0/name
        path: /metadata/annotations/copied
      - {op: replace, path: /spec/template/spec/volumes/0/name, value: "merged"}
      - op: add
        path: /spec/template/spec/nodeSelector
        value: {"zone": "a", "size": 'l'}
  - target:
      kind: ServiceAccount
    patch: '[{"op": "add", "path": "/automountServiceAccountToken", "value": false}]'
  - target:
      kind: Service
      name: app
    patch: |-
      - op: replace
        path: /spec/ports/0/port
        value: 8080
replacements:
  - source:
      kind: Service
      name: app
      fieldPath: spec.type
    targets:
      - select:
          kind: Deployment
        fieldPaths:
          - metadata.annotations.type
        options:
          create: true
  - source:
      kind: ConfigMap
      name: merged
      fieldPath: data.changed
    targets:
      - select:
          kind: Job
        fieldPaths:
          - spec.template.spec.containers.[name=added].image
        options:
          delimiter: ":"
          index: 1
      - select:
          kind: Job
        fieldPaths:
          - spec.template.metadata.labels.tier
images:
  - name: registry.example.com/other
    newName: mirror/other
    digest: sha256:bbbb
"#,
    ),
    ("apps/prod/app.conf", "one = 1\ntwo = 2\n"),
    ("apps/prod/settings.txt", "text"),
    ("apps/prod/vars.env", "# comment\nFIRST=1\n  SECOND=two\n"),
    (
        "apps/prod/patch.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  template:\n    spec:\n      containers:\n        \
         - name: app\n          env:\n            - name: MORE\n              value: more\n            - name: LEVEL\n              \
         value: ${level}-x\n        - name: side\n          image: side:1\n",
    ),
    (
        "apps/base/kustomization.yaml",
        "resources:\n  - deployment.yaml\n  - service.yaml\n  - list.yaml\n  - job.yaml\nconfigMapGenerator:\n  - name: merged\n    \
         literals:\n      - kept=1\n      - changed=1\nvars:\n  - name: SERVICE\n    objref:\n      kind: Service\n      name: \
         app\n      apiVersion: v1\n    fieldref:\n      fieldpath: metadata.name\n",
    ),
    (
        "apps/base/list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ServiceAccount\n    metadata:\n      name: app\n  - \
         apiVersion: rbac.authorization.k8s.io/v1\n    kind: RoleBinding\n    metadata:\n      name: app\n    roleRef:\n      kind: \
         ClusterRole\n      name: view\n      apiGroup: rbac.authorization.k8s.io\n    subjects:\n      - kind: ServiceAccount\n        \
         name: app\n        namespace: old\n      - kind: ServiceAccount\n        name: default\n        namespace: other\n",
    ),
    (
        "apps/base/job.yaml",
        r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job
  namespace: web
  labels: &labels
    tier: front
    extra: null
  annotations:
    number: 1
    flag: "true"
spec:
  template:
    metadata:
      labels:
        <<: *labels
        own: x
    spec:
      serviceAccountName: app
      restartPolicy: Never
      containers:
        - &main
          name: job
          image: app:2.0
          args: [$(SERVICE), 'it''s', "tab\tbed"]
          ports:
            - containerPort: 80
              protocol: TCP
        - <<: *main
          name: other
          image: registry.example.com/other@sha256:aaaa
      volumes:
        - name: merged
          configMap:
            name: merged
            defaultMode: 0644
"#,
    ),
    (
        "apps/prod/job-patch.yaml",
        r#"apiVersion: batch/v1
kind: Job
metadata:
  name: job
  namespace: web
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: job
          image: app:2.0
          ports:
            - containerPort: 80
              protocol: TCP
              name: http
        - name: added
          image: added:1
"#,
    ),
    (
        "apps/base/deployment.yaml",
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  replicas: 1
  selector:
    matchLabels:
      app: app
  template:
    metadata:
      labels: {app: app, version: "1.0"}
    spec:
      containers:
        - name: app
          image: app:1.0
          args: ["--level", '${level}', "${other:=info}"]
          env:
            - name: LEVEL
              value: old
          envFrom:
            - configMapRef:
                name: config
            - secretRef:
                name: secret
          command:
            - sh
            - -c
            - |
              echo one
              echo two
            - >-
              folded
              text
"#,
    ),
    (
        "apps/base/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: app\nspec:\n  type: ClusterIP\n  ports:\n    - port: 80\n      \
         name: http\n  selector:\n    app: app\n",
    ),
];

/// Runs `fluxdag render` in a fixture.
fn render(name: &str, arguments: &[&str]) -> Done {
    fluxdag(fixture(name), &[&["render"], arguments].concat())
}

#[test]
fn a_node_is_rendered_with_its_origin() {
    let done = render("clean-bootstrap", &["apps", "--cluster", "production", "--origin"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    for expected in [
        "# from apps/base/release.yaml:1\n# patched by apps/production/kustomization.yaml:6\napiVersion: ",
        "\n    replicaCount: 3 # apps/production/podinfo-values.yaml:8:19\n",
    ] {
        assert!(done.out.contains(expected), "{}", done.out);
    }
    let all = render("clean-bootstrap", &["Kustomization/flux-system/apps", "clusters/production", "--origin=all"]);
    assert!(all.out.contains("\nkind: Namespace # apps/base/namespace.yaml:2:7\n"), "{}", all.out);
    let plain = render("clean-bootstrap", &["flux-system/apps", "--cluster=production"]);
    assert_eq!(plain.code, 0);
    assert!(!plain.out.contains('#'), "{}", plain.out);
}

#[test]
fn json_has_the_objects_and_tells_the_place_of_every_scalar() {
    let parse = |done: Done| done.json();
    let node = ["apps", "--cluster", "production", "-o", "json"];
    let plain = parse(render("clean-bootstrap", &node));
    let plain = &plain["objects"];
    assert_eq!(plain[2]["manifest"]["spec"]["values"]["replicaCount"], 3);
    assert_eq!(plain[2]["trace"], serde_json::Value::Null);
    let traced = parse(render("clean-bootstrap", &[&node[..], &["--origin"]].concat()));
    assert_eq!(traced["clusters"][0]["cluster"], "clusters/production");
    let (traced, trace) = (&traced["objects"], &traced["objects"][2]["trace"]);
    assert_eq!(traced[2]["manifest"], plain[2]["manifest"]);
    assert_eq!(trace["steps"][0]["step"], "patches");
    assert_eq!(trace["steps"][0]["location"]["path"], "apps/production/kustomization.yaml");
    let place = &trace["values"]["/spec/values/replicaCount"];
    assert_eq!(place["path"], "apps/production/podinfo-values.yaml");
    assert_eq!(place["start"], serde_json::json!({"line": 8, "column": 19}));
}

#[test]
fn what_names_no_one_node_is_exit_code_2() {
    let of = |arguments: &[&str]| {
        let done = render("clean-bootstrap", arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        done.err
    };
    let several = of(&["apps"]);
    assert!(several.contains("flux-system/apps --cluster clusters/production"), "{several}");
    assert!(of(&["flux-system/app"]).contains("did you mean `flux-system/apps`?"));
    assert!(of(&["HelmRelease/podinfo/podinfo"]).contains("only a Kustomization has a build"));
    assert!(of(&["apps", "--cluster", "nowhere"]).contains("no cluster is named"));
    assert!(of(&["./apps/base"]).contains("--path"));
    assert!(of(&["--path", "no-such-folder"]).contains("no-such-folder"));
    assert!(of(&[]).contains("Usage"));
    assert!(of(&["--path", "apps", "apps"]).contains("cannot be used with"));
}

#[test]
fn what_can_be_built_is_printed_beside_what_fails() {
    let done = render("cyclic-bases", &["--path", "apps"]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("kind: ConfigMap\n"), "{}", done.out);
    assert!(done.err.contains("error[build-failure]: the build of Folder/apps fails: cycle of bases"), "{}", done.err);
    assert!(done.err.contains("[apps/web/kustomization.yaml:4:5]"), "{}", done.err);
}

#[test]
fn a_folder_without_kustomization_file_is_built_as_flux_does() {
    let done = render("clean-bootstrap", &["--path", "clusters/production", "--sort", "legacy"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.contains("kind: Kustomization\n"), "{}", done.out);
}
