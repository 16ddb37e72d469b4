use std::collections::BTreeMap;

use base64::Engine as _;

use super::envsubst::{Lookup, is_variable_name};
use crate::{
    flux::{
        Kustomization,
        api::{SubstituteReference, kinds::SECRET},
    },
    source::Span,
    yaml::Node,
};

/// The variables of one Kustomization, as far as the repository shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct Variables {
    /// Values by name; `None` where a variable exists but its value is encrypted.
    values: BTreeMap<String, Option<String>>,
    /// Whether a source of variables is not in the repository: a name that is not here may be set there.
    pub incomplete: bool,
    /// Whether substitution runs at all.
    pub active: bool,
    /// The `postBuild` that orders the substitution.
    pub span: Span,
    /// Names that no variable may have: one of them fails the build.
    pub invalid: Vec<(String, Span)>,
}

/// The ConfigMaps and Secrets that `kustomization` takes variables from, in order, each with its place.
pub fn variable_sources(kustomization: &Kustomization) -> impl Iterator<Item = (&SubstituteReference, Span)> {
    let references = kustomization.spec.post_build.iter().flat_map(|post_build| &post_build.substitute_from);
    let keys = ["spec", "postBuild", "substituteFrom"];
    references.enumerate().map(move |(index, reference)| (reference, kustomization.item_span(&keys, index)))
}

impl Variables {
    /// Gathers the variables of `kustomization`. `find` gives the ConfigMap or Secret of a reference where the
    /// repository holds it (kustomize-controller v1.9 and fluxcd/pkg kustomize, `LoadVariables`): later sources
    /// override earlier ones, inline variables override all. `has_strategy` tells whether the controller knows
    /// `substituteStrategy`, which came with Flux 2.9.
    #[must_use]
    pub fn gather<'n>(
        kustomization: &Kustomization,
        has_strategy: bool,
        find: &dyn Fn(&SubstituteReference) -> Option<&'n Node>,
    ) -> Self {
        let mut variables = Self {
            values: BTreeMap::new(),
            incomplete: false,
            active: false,
            span: kustomization.span(&["spec", "postBuild"]),
            invalid: Vec::new(),
        };
        let Some(post_build) = &kustomization.spec.post_build else { return variables };
        for reference in &post_build.substitute_from {
            match find(reference) {
                Some(object) => variables.add(object),
                // An optional source may exist all the same.
                None => variables.incomplete = true,
            }
        }
        for (name, value) in &post_build.substitute {
            if !is_variable_name(name) {
                let keys = ["spec", "postBuild", "substitute", name];
                variables.invalid.push((name.clone(), kustomization.span(&keys)));
            }
            variables.values.insert(name.clone(), Some(value.clone()));
        }
        let always = has_strategy && post_build.substitute_strategy.as_deref() == Some("Always");
        variables.active = always || variables.incomplete || !variables.values.is_empty();
        variables
    }

    /// Takes in a ConfigMap or Secret. SOPS hides values, never keys.
    fn add(&mut self, object: &Node) {
        let encrypted = object.get("sops").is_some();
        let is_secret = SECRET.is_kind_of(object);
        for field in ["data", "stringData"] {
            for entry in object.get(field).into_iter().flat_map(Node::entries) {
                if !is_variable_name(&entry.key) {
                    self.invalid.push((entry.key.to_string(), entry.key_span));
                }
                let value = match entry.value.as_str() {
                    Some(text) if encrypted || text.starts_with("ENC[") => None,
                    Some(text) if is_secret && field == "data" => decoded(text),
                    Some(text) => Some(text.to_owned()),
                    None => None,
                };
                self.values.insert(entry.key.to_string(), value);
            }
        }
    }

    /// What is known of the variable `name`.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Lookup {
        match self.values.get(name) {
            Some(Some(value)) => Lookup::Value(value.clone()),
            Some(None) => Lookup::Unknown,
            None if self.incomplete => Lookup::Unknown,
            None => Lookup::Unset,
        }
    }
}

/// The text of a value of a Secret; `None` where it is no text, or was generated of a file that SOPS encrypted, which
/// kustomize-controller decrypts before it builds.
fn decoded(value: &str) -> Option<String> {
    let base64: String = value.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.contains("ENC[AES256_GCM,"))
}
