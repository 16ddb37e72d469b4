//! Custom resources: whether a health check waits for them, and how long that takes.

use super::{
    Profile,
    constants::{self, CUSTOM},
};
use crate::{
    catalog::{KindCatalog, Range, Readiness},
    cluster::{Cluster, ObjectKey},
    flux::api::HealthCheckExpr,
    yaml::Node,
};

/// Whether a health check waits until an object of `kind` of `group` does its work: by a condition that kstatus reads, or
/// by an expression that reads another.
pub(super) fn is_awaited(group: &str, kind: &str, expressions: &[HealthCheckExpr]) -> bool {
    let reads = || KindCatalog::builtin().status(group, kind).is_some_and(|row| row.readiness == Readiness::Ready);
    reads() || expressions.iter().any(|entry| entry.covers(group, kind))
}

/// How long `object` takes, from its apply on.
pub(super) fn cost(cluster: &Cluster, key: &ObjectKey, object: &Node, profile: Profile) -> Range {
    let row = CUSTOM.iter().find(|row| row.group == key.group && row.kind == key.kind);
    let ordinary = profile.constants().custom;
    match (key.group.as_str(), key.kind.as_str()) {
        ("cert-manager.io", "Certificate") if !is_acme(cluster, key, object) => ordinary,
        ("postgresql.cnpg.io", "Cluster") => row.map_or(ordinary, |row| database(row.on(profile), object, profile)),
        _ => row.map_or(ordinary, |row| row.on(profile)),
    }
}

/// Whether the issuer of a Certificate asks a server of somebody else. What the repository does not hold, its name tells.
fn is_acme(cluster: &Cluster, key: &ObjectKey, certificate: &Node) -> bool {
    let issuer = |field: &str| certificate.find_str(&["spec", "issuerRef", field]);
    let (kind, name) = (issuer("kind").unwrap_or("Issuer"), issuer("name").unwrap_or_default());
    let namespace = if kind == "ClusterIssuer" { "" } else { key.namespace.as_str() };
    let wanted =
        ObjectKey { group: key.group.clone(), kind: kind.into(), namespace: namespace.into(), name: name.into() };
    match cluster.objects.get(&wanted).and_then(|providers| providers.first()) {
        Some(provider) => cluster.object(*provider).node.find(&["spec", "acme"]).is_some(),
        None => {
            ["letsencrypt", "lets-encrypt", "acme", "zerossl"].iter().any(|part| name.to_lowercase().contains(part))
        }
    }
}

/// A CloudNativePG cluster: its instances join one after the other, and the first may come from a backup.
fn database(first: Range, object: &Node, profile: Profile) -> Range {
    /// Nobody runs more; a typing error must not become a year.
    const MOST_INSTANCES: u32 = 20;
    let instances = object.find(&["spec", "instances"]).and_then(Node::as_i64).unwrap_or(1);
    let others = u32::try_from(instances.saturating_sub(1)).unwrap_or_default().min(MOST_INSTANCES);
    let replica = constants::cluster_replica(profile) * others;
    let is_recovered = object.find(&["spec", "bootstrap", "recovery"]).is_some();
    let recovery = if is_recovered { constants::recovery(profile) } else { std::time::Duration::ZERO };
    let more = replica + recovery;
    first.plus(Range { low: more / 2, typical: more, high: more * 2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileId, yaml};

    #[test]
    fn costs_are_sorted_and_ascend() {
        assert!(CUSTOM.is_sorted_by(|a, b| (a.group, a.kind) < (b.group, b.kind)));
        for row in CUSTOM {
            let (fast, slow) = (row.on(Profile::Fast), row.on(Profile::Slow));
            for range in [fast, slow] {
                assert!(range.low < range.typical && range.typical < range.high, "{}", row.kind);
            }
            assert!(fast.typical <= slow.typical, "{}", row.kind);
        }
    }

    #[test]
    fn what_kstatus_cannot_read_is_waited_for_only_by_an_expression() {
        let expression = HealthCheckExpr {
            api_version: "pkg.crossplane.io/v1".to_owned(),
            kind: Some("Provider".to_owned()),
            ..HealthCheckExpr::default()
        };
        assert!(is_awaited("cert-manager.io", "Certificate", &[]));
        assert!(!is_awaited("pkg.crossplane.io", "Provider", &[]));
        assert!(is_awaited("pkg.crossplane.io", "Provider", &[expression]));
    }

    #[test]
    fn each_instance_of_a_database_and_its_recovery_take_time() {
        let of = |spec: &str| {
            let file = yaml::parse(FileId::NONE, format!("spec: {spec}").as_bytes());
            let seconds = |second: u64| std::time::Duration::from_secs(second);
            let first = Range { low: seconds(80), typical: seconds(135), high: seconds(330) };
            database(first, &file.documents[0].root, Profile::Slow).typical.as_secs()
        };
        assert_eq!(of("{instances: 1}"), 135);
        assert_eq!(of("{instances: 3}"), 135 + 2 * 75);
        assert_eq!(of("{instances: 1, bootstrap: {recovery: {source: x}}}"), 135 + 90);
    }
}
