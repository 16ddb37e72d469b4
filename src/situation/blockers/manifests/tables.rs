//! What schemas ask of fields. Those of Flux's objects: the validation markers of kustomize-controller v1.9,
//! `api/v1/kustomization_types.go` and `reference_types.go`, of helm-controller v1.6, `api/v2/helmrelease_types.go`, and the CRDs of Flux 2.9.3
//! (`install.yaml`).

use super::flaw::Form;
use crate::flux::api::{IMAGE_GROUP, NOTIFICATION_GROUP, SOURCE_GROUP, kinds};

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
    required(&["spec", "sourceRef", "kind"], Form::OneOf(kinds::KUSTOMIZATION_SOURCES)),
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
    optional(&["spec", "chart", "spec", "sourceRef", "kind"], Form::OneOf(kinds::CHART_SOURCES)),
    required(&["spec", "chart", "spec", "sourceRef", "name"], Form::Length(1, 253)),
    required(&["spec", "chartRef", "kind"], Form::OneOf(kinds::CHART_REFERENCES)),
    required(&["spec", "chartRef", "name"], Form::Length(1, 253)),
    required(&["spec", "valuesFrom", "*", "kind"], CONFIGS),
    required(&["spec", "valuesFrom", "*", "name"], Form::Length(1, 253)),
    optional(&["spec", "valuesFrom", "*", "valuesKey"], Form::Key),
    optional(&["spec", "valuesFrom", "*", "targetPath"], Form::ValuePath),
    optional(&["spec", "install", "crds"], Form::OneOf(&["Skip", "Create", "CreateReplace"])),
    optional(&["spec", "upgrade", "crds"], Form::OneOf(&["Skip", "Create", "CreateReplace"])),
];

/// Secrets and other objects that fields name.
const REFERENCES: [&[&str]; 3] =
    [&["spec", "secretRef", "name"], &["spec", "certSecretRef", "name"], &["spec", "proxySecretRef", "name"]];

const fn name_in(path: &'static [&'static str]) -> Field {
    required(path, Form::Text)
}

/// Fields of Flux's other kinds: group, versions, kind, and the fields.
static OTHERS: &[(&str, &[&str], &str, &[Field])] = &[
    (
        SOURCE_GROUP,
        &["v1"],
        "GitRepository",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "interval"], Form::Duration),
            required(&["spec", "url"], Form::Url(&["http", "https", "ssh"])),
            optional(&["spec", "timeout"], Form::Duration),
            optional(&["spec", "suspend"], Form::Truth),
            name_in(REFERENCES[0]),
            name_in(REFERENCES[2]),
            required(&["spec", "include", "*", "repository"], Form::Map),
            name_in(&["spec", "include", "*", "repository", "name"]),
        ],
    ),
    (
        SOURCE_GROUP,
        &["v1", "v1beta2"],
        "OCIRepository",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "interval"], Form::Duration),
            required(&["spec", "url"], Form::Url(&["oci"])),
            optional(&["spec", "timeout"], Form::Duration),
            optional(&["spec", "suspend"], Form::Truth),
            optional(&["spec", "ref", "tag"], Form::Text),
            name_in(REFERENCES[0]),
            name_in(REFERENCES[1]),
        ],
    ),
    (
        SOURCE_GROUP,
        &["v1", "v1beta2"],
        "HelmRepository",
        &[
            required(&["spec"], Form::Map),
            optional(&["spec", "interval"], Form::Duration),
            required(&["spec", "url"], Form::Url(&["http", "https", "oci"])),
            optional(&["spec", "type"], Form::OneOf(&["default", "oci"])),
            optional(&["spec", "timeout"], Form::Duration),
            optional(&["spec", "suspend"], Form::Truth),
            name_in(REFERENCES[0]),
            name_in(REFERENCES[1]),
        ],
    ),
    (
        SOURCE_GROUP,
        &["v1", "v1beta2"],
        "Bucket",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "interval"], Form::Duration),
            required(&["spec", "bucketName"], Form::Text),
            required(&["spec", "endpoint"], Form::Text),
            name_in(REFERENCES[0]),
        ],
    ),
    (
        SOURCE_GROUP,
        &["v1", "v1beta2"],
        "HelmChart",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "interval"], Form::Duration),
            required(&["spec", "chart"], Form::Text),
            optional(&["spec", "version"], Form::Text),
            required(&["spec", "sourceRef"], Form::Map),
            required(&["spec", "sourceRef", "kind"], Form::OneOf(kinds::CHART_SOURCES)),
            name_in(&["spec", "sourceRef", "name"]),
        ],
    ),
    (
        IMAGE_GROUP,
        IMAGE_VERSIONS,
        "ImageRepository",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "image"], Form::Text),
            required(&["spec", "interval"], Form::Duration),
            name_in(REFERENCES[0]),
        ],
    ),
    (
        IMAGE_GROUP,
        IMAGE_VERSIONS,
        "ImagePolicy",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "imageRepositoryRef"], Form::Map),
            name_in(&["spec", "imageRepositoryRef", "name"]),
            required(&["spec", "policy"], Form::Map),
            required(&["spec", "policy", "semver", "range"], Form::Text),
        ],
    ),
    (
        IMAGE_GROUP,
        IMAGE_VERSIONS,
        "ImageUpdateAutomation",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "interval"], Form::Duration),
            required(&["spec", "sourceRef"], Form::Map),
            name_in(&["spec", "sourceRef", "name"]),
            required(&["spec", "git", "commit"], Form::Map),
            required(&["spec", "git", "commit", "author"], Form::Map),
            required(&["spec", "git", "commit", "author", "email"], Form::Text),
            required(&["spec", "git", "checkout", "ref"], Form::Map),
        ],
    ),
    (
        NOTIFICATION_GROUP,
        &["v1beta3"],
        "Alert",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "eventSources"], Form::Any),
            required(&["spec", "eventSources", "*", "kind"], Form::Text),
            name_in(&["spec", "eventSources", "*", "name"]),
            required(&["spec", "providerRef"], Form::Map),
            name_in(&["spec", "providerRef", "name"]),
        ],
    ),
    (
        NOTIFICATION_GROUP,
        &["v1beta3"],
        "Provider",
        &[required(&["spec"], Form::Map), required(&["spec", "type"], Form::Text), name_in(REFERENCES[0])],
    ),
    (
        NOTIFICATION_GROUP,
        &["v1"],
        "Receiver",
        &[
            required(&["spec"], Form::Map),
            required(&["spec", "type"], Form::Text),
            required(&["spec", "resources"], Form::Any),
            required(&["spec", "resources", "*", "kind"], Form::Text),
            name_in(&["spec", "resources", "*", "name"]),
            name_in(REFERENCES[0]),
        ],
    ),
];

const IMAGE_VERSIONS: &[&str] = &["v1", "v1beta2"];

/// The fields of Flux's other kinds; none where the version is not known.
pub(super) fn of_flux(group: &str, version: &str, kind: &str) -> &'static [Field] {
    let row = OTHERS.iter().find(|row| row.0 == group && row.2 == kind && row.1.contains(&version));
    row.map_or(&[], |row| row.3)
}

/// Fields of every object (apimachinery `ObjectMeta`). Labels that are no text are lost before the API server could refuse them.
pub(super) static METADATA: &[Field] = &[optional(&["metadata", "annotations", "*"], Form::Text)];

/// Fields of `ConfigMap` v1: maps of text (`k8s.io/api/core/v1`, `ConfigMap`).
pub(super) static CONFIG_MAP: &[Field] =
    &[optional(&["data", "*"], Form::Text), optional(&["binaryData", "*"], Form::Text)];

/// Fields of `Secret` v1: maps of text (`k8s.io/api/core/v1`, `Secret`).
pub(super) static SECRET: &[Field] =
    &[optional(&["data", "*"], Form::Text), optional(&["stringData", "*"], Form::Text)];

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
