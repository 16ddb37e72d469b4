//! Repositories of any size, made of a shape, a number and a seed. The same three give the same files on every platform.
//!
//! Every manifest is one that an API server accepts, and nothing in a fleet is a mistake: what takes long in it takes long
//! in a repository without errors.

use std::{
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};

/// What a fleet looks like, and what its number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Kustomizations, each of which depends on one or two earlier ones, as in a repository that grew.
    Mixed,
    /// Kustomizations, each of which depends on the one before.
    Chain,
    /// Kustomizations that all depend on the first.
    Fan,
    /// Kustomizations in clusters of ten, each an overlay of one of ten bases that all clusters share.
    Clusters,
    /// CRDs, in bundles of twenty, and a custom resource of each in a second Kustomization.
    Crds,
    /// Kustomizations that wait for a chart or two, each dependent on an earlier one.
    Charts,
    /// Files, forty to a Kustomization.
    Files,
}

impl Shape {
    /// All of them.
    pub(crate) const ALL: [Self; 7] =
        [Self::Mixed, Self::Chain, Self::Fan, Self::Clusters, Self::Crds, Self::Charts, Self::Files];

    /// The name that [`fmt::Display`] writes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Chain => "chain",
            Self::Fan => "fan",
            Self::Clusters => "clusters",
            Self::Crds => "crds",
            Self::Charts => "charts",
            Self::Files => "files",
        }
    }

    /// What the number of a fleet counts.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Crds => "CRDs",
            Self::Files => "files",
            _ => "Kustomizations",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The files of a repository: path and text of each, in no order that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fleet(pub(crate) Vec<(String, String)>);

impl Fleet {
    /// `count` of what `shape` counts.
    pub(crate) fn new(shape: Shape, count: usize, seed: u64) -> Self {
        let mut yard = Yard { files: Vec::new(), random: Random(seed), root: "clusters/prod".to_owned() };
        match shape {
            Shape::Mixed | Shape::Chain | Shape::Fan => yard.nodes(shape, count, 1),
            Shape::Files => yard.nodes(Shape::Mixed, count.div_ceil(40), 38),
            Shape::Charts => yard.charts(count),
            Shape::Crds => yard.crds(count),
            Shape::Clusters => yard.clusters(count),
        }
        Self(yard.files)
    }

    /// Writes it below `folder`.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.0 {
            let path = folder.join(path);
            if let Some(above) = path.parent() {
                fs::create_dir_all(above)?;
            }
            fs::write(path, text)?;
        }
        Ok(())
    }
}

/// SplitMix64, since what a seed gives must not change with the version of a library.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A fleet that is being built.
struct Yard {
    files: Vec<(String, String)>,
    random: Random,
    /// The folder that the cluster applies.
    root: String,
}

impl Yard {
    fn file(&mut self, path: String, text: String) {
        self.files.push((path, text));
    }

    /// What `flux bootstrap` writes for the cluster.
    fn sync(&mut self) {
        let root = &self.root;
        let text = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: flux-system\n  namespace: \
             flux-system\nspec:\n  interval: 1m\n  url: https://example.com/fleet.git\n  ref:\n    branch: main\n---\napiVersion: \
             kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: flux-system\n  namespace: flux-system\nspec:\n  \
             interval: 10m\n  path: ./{root}\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n"
        );
        self.file(format!("{root}/flux-system/gotk-sync.yaml"), text);
    }

    /// A Kustomization of the cluster.
    fn node(&mut self, name: &str, path: &str, needs: &[String], waits: bool) {
        let mut text = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: \
             flux-system\nspec:\n  interval: 1h\n  retryInterval: 2m\n  timeout: 5m\n  path: ./{path}\n  prune: true\n  wait: \
             {waits}\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n"
        );
        for (index, need) in needs.iter().enumerate() {
            let head = if index == 0 { "  dependsOn:\n" } else { "" };
            let _ = writeln!(text, "{head}    - name: {need}");
        }
        self.file(format!("{}/{name}.yaml", self.root), text);
    }

    /// The kustomization file of a folder.
    fn folder(&mut self, path: &str, resources: &[String]) {
        let mut text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n".to_owned();
        for resource in resources {
            let _ = writeln!(text, "  - {resource}");
        }
        self.file(format!("{path}/kustomization.yaml"), text);
    }

    fn deployment(&mut self, path: String, name: &str) {
        let (replicas, minor) = (1 + self.random.below(3), self.random.below(20));
        let mut text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: default\n  labels:\n    \
             app.kubernetes.io/name: {name}\nspec:\n  replicas: {replicas}\n  selector:\n    matchLabels:\n      \
             app.kubernetes.io/name: {name}\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: {name}\n    \
             spec:\n      containers:\n"
        );
        for container in 0..=self.random.below(3) {
            let _ = write!(
                text,
                "        - name: part-{container}\n          image: ghcr.io/example/part-{container}:1.{minor}.0\n          ports:\n            \
                 - containerPort: {}\n          env:\n            - name: LEVEL\n              value: info\n          resources:\n            \
                 requests:\n              cpu: 10m\n              memory: 64Mi\n",
                8080 + container
            );
        }
        self.file(path, text);
    }

    fn config_map(&mut self, path: String, name: &str) {
        let mut text =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: default\ndata:\n");
        for key in 0..3 + self.random.below(8) {
            let _ = writeln!(text, "  key-{key}: \"{}\"", self.random.below(100_000));
        }
        self.file(path, text);
    }

    /// `count` Kustomizations with so many objects each.
    fn nodes(&mut self, shape: Shape, count: usize, objects: usize) {
        self.sync();
        for index in 0..count {
            let needs = match shape {
                _ if index == 0 => Vec::new(),
                Shape::Chain => vec![format!("app-{}", index - 1)],
                Shape::Fan => vec!["app-0".to_owned()],
                _ => self.earlier(index),
            };
            let (name, folder) = (format!("app-{index}"), format!("apps/app-{index}"));
            self.node(&name, &folder, &needs, true);
            let mut resources = Vec::with_capacity(objects);
            for object in 0..objects {
                let (file, name) = (format!("object-{object}.yaml"), format!("{name}-{object}"));
                match object % 4 {
                    0 => self.deployment(format!("{folder}/{file}"), &name),
                    _ => self.config_map(format!("{folder}/{file}"), &name),
                }
                resources.push(file);
            }
            self.folder(&folder, &resources);
        }
    }

    /// One or two Kustomizations before the one at `index`.
    fn earlier(&mut self, index: usize) -> Vec<String> {
        let mut earlier = vec![self.random.below(index)];
        if self.random.below(2) == 0 {
            earlier.push(self.random.below(index));
        }
        earlier.sort_unstable();
        earlier.dedup();
        earlier.into_iter().map(|other| format!("app-{other}")).collect()
    }

    fn charts(&mut self, count: usize) {
        self.sync();
        self.node("charts", "charts", &[], true);
        let source = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata:\n  name: charts\n  namespace: \
                      flux-system\nspec:\n  interval: 1h\n  url: https://charts.example.com\n";
        self.file("charts/repository.yaml".to_owned(), source.to_owned());
        self.folder("charts", &["repository.yaml".to_owned()]);
        for index in 0..count {
            let needs = if index == 0 { vec!["charts".to_owned()] } else { self.earlier(index) };
            let (name, folder) = (format!("app-{index}"), format!("apps/app-{index}"));
            self.node(&name, &folder, &needs, true);
            let mut resources = Vec::new();
            for release in 0..=self.random.below(2) {
                let (file, chart) = (format!("release-{release}.yaml"), self.random.below(50));
                let text = format!(
                    "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}-{release}\n  namespace: \
                     default\nspec:\n  interval: 1h\n  timeout: 4m\n  chart:\n    spec:\n      chart: part-{chart}\n      version: \
                     1.2.3\n      sourceRef:\n        kind: HelmRepository\n        name: charts\n        namespace: flux-system\n  \
                     install:\n    remediation:\n      retries: 3\n  values:\n    replicas: {}\n    image:\n      tag: 1.0.{chart}\n",
                    1 + self.random.below(3)
                );
                self.file(format!("{folder}/{file}"), text);
                resources.push(file);
            }
            self.folder(&folder, &resources);
        }
    }

    /// `count` CRDs in bundles of twenty, and what is made of them.
    fn crds(&mut self, count: usize) {
        self.sync();
        for (bundle, first) in (0..count).step_by(20).enumerate() {
            let (crds, made) = (format!("crds-{bundle}"), format!("made-{bundle}"));
            self.node(&crds, &format!("crds/bundle-{bundle}"), &[], true);
            self.node(&made, &format!("made/bundle-{bundle}"), std::slice::from_ref(&crds), false);
            let (mut texts, mut objects) = (String::new(), String::new());
            for index in first..count.min(first + 20) {
                self.crd(&mut texts, index);
                let _ = write!(
                    objects,
                    "---\napiVersion: fleet.example.com/v1\nkind: Part{index}\nmetadata:\n  name: part\n  namespace: default\nspec:\n  \
                     field0:\n    name: a\n    size: {}\n",
                    1 + self.random.below(9)
                );
            }
            self.file(format!("crds/bundle-{bundle}/crds.yaml"), texts);
            self.folder(&format!("crds/bundle-{bundle}"), &["crds.yaml".to_owned()]);
            self.file(format!("made/bundle-{bundle}/made.yaml"), objects);
            self.folder(&format!("made/bundle-{bundle}"), &["made.yaml".to_owned()]);
        }
    }

    fn crd(&mut self, texts: &mut String, index: usize) {
        let _ = write!(
            texts,
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
             part{index}s.fleet.example.com\nspec:\n  group: fleet.example.com\n  names:\n    kind: Part{index}\n    listKind: \
             Part{index}List\n    plural: part{index}s\n    singular: part{index}\n  scope: Namespaced\n  versions:\n    - name: v1\n      \
             served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n          type: object\n          properties:\n            \
             spec:\n              type: object\n              properties:\n"
        );
        for field in 0..20 + self.random.below(20) {
            let _ = write!(
                texts,
                "                field{field}:\n                  type: object\n                  description: What the part of number \
                 {field} is made with, in one line.\n                  properties:\n                    name:\n                      \
                 type: string\n                      maxLength: 63\n                    size:\n                      type: integer\n                      \
                 minimum: 1\n"
            );
        }
    }

    /// Clusters of ten Kustomizations, each an overlay of a base.
    fn clusters(&mut self, count: usize) {
        for base in 0..10 {
            let (name, folder) = (format!("app-{base}"), format!("apps/base/app-{base}"));
            self.deployment(format!("{folder}/deployment.yaml"), &name);
            self.config_map(format!("{folder}/settings.yaml"), &name);
            self.folder(&folder, &["deployment.yaml".to_owned(), "settings.yaml".to_owned()]);
        }
        for cluster in 0..count.div_ceil(10) {
            self.root = format!("clusters/site-{cluster}");
            self.sync();
            for base in 0..10.min(count - cluster * 10) {
                let (name, folder) = (format!("app-{base}"), format!("apps/site-{cluster}/app-{base}"));
                let needs = if base == 0 { Vec::new() } else { self.earlier(base) };
                self.node(&name, &folder, &needs, true);
                let text = format!(
                    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - \
                     ../../base/app-{base}\npatches:\n  - target:\n      kind: Deployment\n      name: app-{base}\n    patch: |\n      - \
                     op: replace\n        path: /spec/replicas\n        value: {}\n",
                    1 + self.random.below(5)
                );
                self.file(format!("{folder}/kustomization.yaml"), text);
            }
        }
    }
}
