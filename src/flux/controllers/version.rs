use std::fmt;

use crate::yaml::Node;

/// A Flux release, as far as behaviour depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FluxVersion {
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
}

impl FluxVersion {
    /// The newest release whose behaviour is known: it is assumed where nothing tells which one runs.
    pub const NEWEST: Self = Self { major: 2, minor: 9 };

    /// Reads `v2.7.5`, `2.7.x` or `2.7`. `None` for open ranges such as `2.x`: any release may come of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', '=', '~', '^']);
        let mut parts = text.split('.');
        let version = Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? };
        (version.major < 100).then_some(version)
    }

    /// Whether a variable that is set nowhere fails the build (kustomize-controller v1.9, gate
    /// `StrictPostBuildSubstitutions`).
    #[must_use]
    pub fn has_strict_substitution(self) -> bool {
        self >= Self { major: 2, minor: 9 }
    }

    /// Whether kinds that end in `Class` are applied in a stage of their own (fluxcd/pkg ssa, `ApplyAllStaged`, in
    /// kustomize-controller v1.7).
    #[must_use]
    pub fn has_class_stage(self) -> bool {
        self >= Self { major: 2, minor: 7 }
    }

    /// Whether Helm waits for what a chart provides with kstatus, so for custom resources too (helm-controller v1.5, which came
    /// with Helm 4).
    #[must_use]
    pub fn has_kstatus_wait(self) -> bool {
        self >= Self { major: 2, minor: 8 }
    }

    /// The version that `object` tells, if it is one of those that tell it: controllers of `gotk-components.yaml`, a
    /// FluxInstance, or the OCIRepository of the Flux manifests.
    #[must_use]
    pub fn told_by(object: &Node) -> Option<Self> {
        let text = |keys: &[&str]| object.find_str(keys);
        match text(&["kind"])? {
            "FluxInstance" => Self::parse(text(&["spec", "distribution", "version"])?),
            "OCIRepository" if text(&["spec", "url"])?.ends_with("/flux-manifests") => {
                Self::parse(text(&["spec", "ref", "tag"]).or_else(|| text(&["spec", "ref", "semver"]))?)
            }
            "Namespace" | "Deployment" | "CustomResourceDefinition" => {
                let label = |key: &str| object.find_str(&["metadata", "labels", key]);
                let is_flux = label("app.kubernetes.io/part-of") == Some("flux");
                is_flux.then(|| label("app.kubernetes.io/version").and_then(Self::parse)).flatten()
            }
            _ => None,
        }
    }
}

impl fmt::Display for FluxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_where_they_are_definite() {
        assert_eq!(FluxVersion::parse("v2.8.3"), Some(FluxVersion { major: 2, minor: 8 }));
        assert_eq!(FluxVersion::parse("2.7.x"), Some(FluxVersion { major: 2, minor: 7 }));
        assert_eq!(FluxVersion::parse("2.x"), None);
        assert_eq!(FluxVersion::parse("latest"), None);
    }
}
