//! What rules on sources say alike.

use crate::{flux::SourceRef, situation::SourceUse};

/// What a missing source does at run time (kustomize-controller v1.9 `reconcile`, helm-controller v1.6 `reconcileRelease`,
/// source-controller v1.9 `helmchart_controller.go`).
pub(in crate::rules) fn symptom(used: &SourceUse) -> String {
    let SourceRef { kind, name, .. } = &used.source;
    match used.field {
        "spec.sourceRef" => format!(
            "It stays at Ready=False, reason ArtifactFailed (`{kind}.source.toolkit.fluxcd.io \"{name}\" not found`), and is tried again at \
             `retryInterval`; nothing of it is applied, and its dependents wait."
        ),
        "spec.chartRef" => "It stays at Ready=False, reason ArtifactFailed (`could not get Source object: … not found`); nothing is installed, and \
                            its dependents wait."
            .to_owned(),
        _ => format!(
            "The HelmChart that is built from it fails with `{kind}.source.toolkit.fluxcd.io \"{name}\" not found`, so the release stays at \
             Ready=False, reason SourceNotReady (`HelmChart … is not ready`); nothing is installed, and its dependents wait."
        ),
    }
}
