use std::collections::BTreeMap;

use crate::{
    flux::{Artifacts, SourceRef, Where},
    source::RemoteUrl,
    yaml::Node,
};

/// Sources by where they get their files from, for those whose place is mapped to a folder.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    origins: BTreeMap<SourceRef, Origin>,
}

#[derive(Debug)]
struct Origin {
    url: RemoteUrl,
    /// The names of the revision it checks out.
    references: Vec<String>,
    ignore: Option<String>,
}

/// The fields of `spec.ref` of a GitRepository or an OCIRepository (source-controller v1.9).
const REFERENCES: [&str; 6] = ["branch", "tag", "semver", "name", "commit", "digest"];

impl Foreign {
    /// Takes in the `spec` of a source.
    pub(super) fn add(&mut self, source: &SourceRef, spec: &Node) {
        let text = |keys: &[&str]| spec.find_str(keys).map(str::to_owned);
        let bucket = || Some(format!("{}/{}", text(&["endpoint"])?, text(&["bucketName"])?));
        let Some(url) = text(&["url"]).or_else(bucket) else { return };
        let full = |name: &str| {
            ["refs/heads/", "refs/tags/"].iter().find_map(|start| name.strip_prefix(start)).map(str::to_owned)
        };
        let mut references: Vec<String> = REFERENCES.iter().filter_map(|key| text(&["ref", key])).collect();
        references.extend(references.iter().filter_map(|name| full(name)).collect::<Vec<_>>());
        let origin = Origin { url: RemoteUrl::parse(&url), references, ignore: text(&["ignore"]) };
        self.origins.insert(source.clone(), origin);
    }

    /// The files of `source`, where they are in a mapped folder. For one that `is_own` that takes a mapping of its very
    /// URL to a folder that does not hold what is analysed: a mapping of a whole host or organisation is not about it.
    pub(super) fn find<'t>(&self, artifacts: &Artifacts<'t>, source: &SourceRef, is_own: bool) -> Option<Where<'t>> {
        let origin = self.origins.get(source)?;
        let references: Vec<&str> = origin.references.iter().map(String::as_str).collect();
        let mapped = artifacts.tree().mapped(&origin.url, &references)?;
        let is_meant = mapped.mapping.is_foreign() && mapped.path.is_empty();
        (is_meant || !is_own).then(|| artifacts.mapped(&mapped, origin.ignore.as_deref()))
    }
}
