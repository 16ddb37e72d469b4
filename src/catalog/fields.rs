use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

static FIELDS: &str = super::compiled!("flux-fields");

/// The fields that the CRDs of Flux's own kinds declare.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct FieldCatalog {
    kinds: BTreeMap<String, KindFields>,
}

/// The fields of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindFields {
    /// API group.
    pub group: String,
    /// The version they hold for: the only one that is served.
    pub version: String,
    /// Fields of the spec.
    pub spec: Fields,
}

/// The fields of an object, by name. Items of a list stand for the list; what has no fields of its own may hold anything.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Fields(Option<BTreeMap<String, Self>>);

impl FieldCatalog {
    /// The catalogue that is compiled in; parsed when first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<FieldCatalog> = OnceLock::new();
        BUILTIN.get_or_init(|| super::read(FIELDS).expect("internal: the compiled-in catalogue is well formed"))
    }

    /// The fields of `kind` of `group` in `version`, if that is the one that is known.
    #[must_use]
    pub fn of(&self, group: &str, version: &str, kind: &str) -> Option<&Fields> {
        let known = self.kinds.get(kind)?;
        (known.group == group && known.version == version).then_some(&known.spec)
    }
}

impl Fields {
    /// The fields, where they are known.
    #[must_use]
    pub const fn known(&self) -> Option<&BTreeMap<String, Self>> {
        self.0.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_knows_fields_at_every_level() {
        let of = |group: &str, version, kind| {
            FieldCatalog::builtin().of(&format!("{group}.toolkit.fluxcd.io"), version, kind)
        };
        let kustomization = of("kustomize", "v1", "Kustomization").and_then(Fields::known).expect("known");
        assert!(kustomization.contains_key("sourceRef") && !kustomization.contains_key("validation"));
        let post_build = kustomization["postBuild"].known().expect("an object");
        assert!(post_build["substituteFrom"].known().expect("a list of objects").contains_key("optional"));
        assert!(post_build["substitute"].known().is_none());
        let release = of("helm", "v2", "HelmRelease").and_then(Fields::known).expect("known");
        assert!(
            release["values"].known().is_none()
                && release["install"].known().expect("an object").contains_key("remediation")
        );
        assert!(of("kustomize", "v1beta2", "Kustomization").is_none() && of("helm", "v1", "Kustomization").is_none());
    }
}
