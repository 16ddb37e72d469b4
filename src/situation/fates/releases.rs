//! Helm releases that helm-controller uninstalls.

use std::collections::BTreeMap;

use super::Deletion;
use crate::{
    cluster::{Cluster, NodeKey, ObjectKey, Release},
    flux::api::kinds::HELM_RELEASE,
};

/// A Helm release that is uninstalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uninstall {
    /// Why.
    pub reason: UninstallReason,
    /// Whether it is installed again.
    pub again: bool,
    /// Whether it depends on who comes first.
    pub race: bool,
}

/// Why a Helm release is uninstalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UninstallReason {
    /// Its HelmRelease is deleted.
    Deleted,
    /// This field of the HelmRelease has another value, and with it the release is another one.
    Field(&'static str),
}

/// Those that the change from `before` to `after` uninstalls, where `deleted` knows how objects go.
pub(super) fn uninstalled(
    before: &Cluster,
    after: &Cluster,
    deleted: &dyn Fn(&ObjectKey) -> Option<Deletion>,
) -> BTreeMap<NodeKey, Uninstall> {
    let mut found = BTreeMap::new();
    // Deleting a suspended one leaves the release as it is (helm-controller v1.6, `reconcileDelete`).
    for release in before.releases.iter().filter(|release| !release.helm.spec.suspend) {
        let key = ObjectKey::new(HELM_RELEASE, release.key.namespace.clone(), release.key.name.clone());
        let now = after.release(&release.key).map(|index| &after.releases[index]);
        let gone = deleted(&key).map(|deletion| Uninstall {
            again: deletion.again,
            race: deletion.race,
            reason: UninstallReason::Deleted,
        });
        let changed = || {
            let field = target_change(release, now?)?;
            Some(Uninstall { reason: UninstallReason::Field(field), again: true, race: false })
        };
        if let Some(uninstall) = gone.or_else(changed) {
            found.insert(release.key.clone(), uninstall);
        }
    }
    found
}

/// The field that makes another release of a HelmRelease (helm-controller v1.6, `action.ReleaseTargetChanged`). With another
/// `targetNamespace` the former objects stayed in a real cluster, so that is none of them.
fn target_change(one: &Release, other: &Release) -> Option<&'static str> {
    if other.helm.spec.suspend || one.helm.spec.target_namespace != other.helm.spec.target_namespace {
        return None;
    }
    let text = |release: &Release, keys: &[&str], default: &str| {
        release.helm.object.node.find_str(keys).filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
    };
    let differs = |keys: &[&str], default: &str| {
        let (one, other) = (text(one, keys, default), text(other, keys, default));
        one != other && ![&one, &other].iter().any(|text| text.contains("${"))
    };
    let target = one.helm.spec.target_namespace.as_deref();
    let name = target.map_or_else(|| one.key.name.to_string(), |target| format!("{target}-{}", one.key.name));
    if differs(&["spec", "releaseName"], &name) {
        return Some("releaseName");
    }
    if differs(&["spec", "storageNamespace"], &one.key.namespace) {
        return Some("storageNamespace");
    }
    // Only the name in a Helm repository is the chart's own; a path or a URL may end in anything.
    let is_plain = |release: &Release| {
        let chart = release.helm.spec.chart.as_ref();
        chart.is_some_and(|chart| {
            chart.spec.source_ref.kind.as_deref() == Some("HelmRepository") && !chart.spec.chart.contains('/')
        })
    };
    let is_other = is_plain(one) && is_plain(other) && differs(&["spec", "chart", "spec", "chart"], "");
    is_other.then_some("chart")
}
