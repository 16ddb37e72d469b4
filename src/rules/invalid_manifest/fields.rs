//! What the schemas of Flux's objects ask of their fields: the validation markers of kustomize-controller v1.9,
//! `api/v1/kustomization_types.go` and `reference_types.go`, and of helm-controller v1.6, `api/v2/helmrelease_types.go`.

/// What a field must hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Anything.
    Any,
    /// Text.
    Text,
    /// True or false.
    Truth,
    /// A mapping.
    Map,
    /// A duration of Flux's own pattern.
    Duration,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Text of at least and at most so many letters.
    Length(usize, usize),
}

/// A field, where it is, and what it must hold. `*` is every item of a list and every value of a mapping.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) path: &'static [&'static str],
    pub(super) form: Form,
    pub(super) required: bool,
}

const fn required(path: &'static [&'static str], form: Form) -> Field {
    Field { path, form, required: true }
}

const fn optional(path: &'static [&'static str], form: Form) -> Field {
    Field { path, form, required: false }
}

const CONFIGS: Form = Form::OneOf(&["Secret", "ConfigMap"]);

/// Fields of `Kustomization` v1.
pub(super) static KUSTOMIZATION: &[Field] = &[
    required(&["spec"], Form::Map),
    required(&["spec", "interval"], Form::Duration),
    optional(&["spec", "retryInterval"], Form::Duration),
    optional(&["spec", "timeout"], Form::Duration),
    required(&["spec", "prune"], Form::Truth),
    optional(&["spec", "wait"], Form::Truth),
    optional(&["spec", "force"], Form::Truth),
    optional(&["spec", "suspend"], Form::Truth),
    optional(&["spec", "path"], Form::Text),
    required(&["spec", "sourceRef"], Form::Map),
    required(
        &["spec", "sourceRef", "kind"],
        Form::OneOf(&["OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"]),
    ),
    required(&["spec", "sourceRef", "name"], Form::Text),
    optional(&["spec", "sourceRef", "namespace"], Form::Text),
    required(&["spec", "dependsOn", "*", "name"], Form::Text),
    required(&["spec", "healthChecks", "*", "kind"], Form::Text),
    required(&["spec", "healthChecks", "*", "name"], Form::Text),
    required(&["spec", "patches", "*", "patch"], Form::Text),
    required(&["spec", "images", "*", "name"], Form::Text),
    required(&["spec", "decryption", "provider"], Form::OneOf(&["sops"])),
    optional(&["spec", "deletionPolicy"], Form::OneOf(&["MirrorPrune", "Delete", "WaitForTermination", "Orphan"])),
    optional(&["spec", "targetNamespace"], Form::Length(1, 63)),
    optional(&["spec", "namePrefix"], Form::Length(1, 200)),
    optional(&["spec", "nameSuffix"], Form::Length(1, 200)),
    optional(&["spec", "postBuild", "substitute", "*"], Form::Text),
    required(&["spec", "postBuild", "substituteFrom", "*", "kind"], CONFIGS),
    required(&["spec", "postBuild", "substituteFrom", "*", "name"], Form::Length(1, 253)),
    optional(&["spec", "serviceAccountName"], Form::Text),
];

/// Fields of `HelmRelease` v2.
pub(super) static HELM_RELEASE: &[Field] = &[
    required(&["spec"], Form::Map),
    required(&["spec", "interval"], Form::Duration),
    optional(&["spec", "timeout"], Form::Duration),
    optional(&["spec", "install", "timeout"], Form::Duration),
    optional(&["spec", "upgrade", "timeout"], Form::Duration),
    optional(&["spec", "rollback", "timeout"], Form::Duration),
    optional(&["spec", "uninstall", "timeout"], Form::Duration),
    optional(&["spec", "test", "timeout"], Form::Duration),
    optional(&["spec", "suspend"], Form::Truth),
    optional(&["spec", "releaseName"], Form::Length(1, 53)),
    optional(&["spec", "targetNamespace"], Form::Length(1, 63)),
    optional(&["spec", "storageNamespace"], Form::Length(1, 63)),
    optional(&["spec", "values"], Form::Any),
    required(&["spec", "dependsOn", "*", "name"], Form::Text),
    required(&["spec", "chart", "spec"], Form::Map),
    required(&["spec", "chart", "spec", "chart"], Form::Text),
    optional(&["spec", "chart", "spec", "version"], Form::Text),
    optional(&["spec", "chart", "spec", "interval"], Form::Duration),
    required(&["spec", "chart", "spec", "sourceRef"], Form::Map),
    optional(
        &["spec", "chart", "spec", "sourceRef", "kind"],
        Form::OneOf(&["HelmRepository", "GitRepository", "Bucket"]),
    ),
    required(&["spec", "chart", "spec", "sourceRef", "name"], Form::Length(1, 253)),
    required(&["spec", "chartRef", "kind"], Form::OneOf(&["OCIRepository", "HelmChart", "ExternalArtifact"])),
    required(&["spec", "chartRef", "name"], Form::Length(1, 253)),
    required(&["spec", "valuesFrom", "*", "kind"], CONFIGS),
    required(&["spec", "valuesFrom", "*", "name"], Form::Length(1, 253)),
    optional(&["spec", "install", "crds"], Form::OneOf(&["Skip", "Create", "CreateReplace"])),
    optional(&["spec", "upgrade", "crds"], Form::OneOf(&["Skip", "Create", "CreateReplace"])),
];

/// Group and kind of objects whose names are DNS subdomains.
pub(super) static NAMED: &[(&str, &str)] = &[
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("source.toolkit.fluxcd.io", "GitRepository"),
    ("source.toolkit.fluxcd.io", "OCIRepository"),
    ("source.toolkit.fluxcd.io", "HelmRepository"),
    ("source.toolkit.fluxcd.io", "Bucket"),
    ("source.toolkit.fluxcd.io", "HelmChart"),
    ("", "Namespace"),
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("", "PersistentVolumeClaim"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
];
