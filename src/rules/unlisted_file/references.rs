//! What objects ask for by name, and what objects would give it.

use std::fmt;

use smol_str::SmolStr;

use crate::{source::Span, yaml::Node};

/// Something that objects refer to by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Referred {
    pub(super) kind: SmolStr,
    pub(super) name: SmolStr,
}

impl Referred {
    fn new(kind: &str, name: &str) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }
}

impl fmt::Display for Referred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// What is there once `object` is applied: itself, and the Secret that a controller makes of it.
pub(super) fn made_by(object: &Node) -> Vec<Referred> {
    let (Some(kind), Some(name)) = (object.find_str(&["kind"]), object.find_str(&["metadata", "name"])) else {
        return Vec::new();
    };
    let mut made = vec![Referred::new(kind, name)];
    let secret = match kind {
        "ExternalSecret" => Some(object.find_str(&["spec", "target", "name"]).unwrap_or(name)),
        "Certificate" => object.find_str(&["spec", "secretName"]),
        "Secret" => None,
        // SealedSecret, InfisicalSecret, VaultStaticSecret and the like make a Secret of their own name.
        kind if kind.ends_with("Secret") || kind == "OnePasswordItem" => Some(name),
        _ => None,
    };
    made.extend(secret.map(|secret| Referred::new("Secret", secret)));
    let group =
        object.find_str(&["apiVersion"]).and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    for (of, by, makes, endings) in MADE_BY_OPERATORS {
        if group == *of && kind == *by {
            made.extend(endings.iter().map(|ending| Referred::new(makes, &format!("{name}{ending}"))));
        }
    }
    made
}

/// What operators make of their custom resources, by group, kind, the kind that is made, and what follows the name. From the operators'
/// documentation of generated objects.
const MADE_BY_OPERATORS: &[(&str, &str, &str, &[&str])] = &[
    ("postgresql.cnpg.io", "Cluster", "Secret", &["-app", "-superuser", "-ca", "-server", "-replication"]),
    ("postgresql.cnpg.io", "Cluster", "ServiceAccount", &[""]),
    ("postgres-operator.crunchydata.com", "PostgresCluster", "Secret", &["-cluster-cert"]),
    ("k8s.mariadb.com", "MariaDB", "Secret", &["-root", "-password", "-ca", "-ca-bundle"]),
    ("k8s.mariadb.com", "MariaDB", "ServiceAccount", &[""]),
    ("kafka.strimzi.io", "Kafka", "Secret", &["-cluster-ca-cert", "-clients-ca-cert", "-cluster-ca", "-clients-ca"]),
    ("kafka.strimzi.io", "KafkaUser", "Secret", &[""]),
    ("rabbitmq.com", "RabbitmqCluster", "Secret", &["-default-user", "-erlang-cookie"]),
    ("rabbitmq.com", "User", "Secret", &["-user-credentials"]),
    (
        "elasticsearch.k8s.elastic.co",
        "Elasticsearch",
        "Secret",
        &["-es-elastic-user", "-es-http-certs-public", "-es-http-ca-internal"],
    ),
    ("kibana.k8s.elastic.co", "Kibana", "Secret", &["-kb-http-certs-public", "-kb-user"]),
    ("objectbucket.io", "ObjectBucketClaim", "Secret", &[""]),
    ("objectbucket.io", "ObjectBucketClaim", "ConfigMap", &[""]),
    ("k8s.keycloak.org", "Keycloak", "Secret", &["-initial-admin"]),
    ("grafana.integreatly.org", "Grafana", "Secret", &["-admin-credentials"]),
    ("psmdb.percona.com", "PerconaServerMongoDB", "Secret", &["-secrets", "-ssl"]),
    ("mongodbcommunity.mongodb.com", "MongoDBCommunity", "Secret", &["-agent-password"]),
    ("trust.cert-manager.io", "Bundle", "ConfigMap", &[""]),
    ("trust.cert-manager.io", "Bundle", "Secret", &[""]),
];

/// Keys whose text is a name, and of what.
const BY_KEY: &[(&str, &str)] = &[
    ("secretName", "Secret"),
    ("existingSecret", "Secret"),
    ("claimName", "PersistentVolumeClaim"),
    ("existingClaim", "PersistentVolumeClaim"),
    ("serviceAccountName", "ServiceAccount"),
];

/// Keys whose mapping has a `name`, and of what.
const BY_PARENT: &[(&str, &str)] = &[
    ("secretRef", "Secret"),
    ("secretKeyRef", "Secret"),
    ("imagePullSecrets", "Secret"),
    ("configMapRef", "ConfigMap"),
    ("configMapKeyRef", "ConfigMap"),
    ("configMap", "ConfigMap"),
];

/// Tells every name that `object` refers to, with the namespace it is looked up in where that is known, and its place. What is optional
/// is left out.
pub(super) fn references(object: &Node, found: &mut impl FnMut(Referred, Option<&str>, Span)) {
    let namespace = object.find_str(&["metadata", "namespace"]);
    let own = object.find_str(&["kind"]).unwrap_or_default();
    // Credentials of sources are there before anything is applied, by hand.
    if matches!(own, "GitRepository" | "OCIRepository" | "HelmRepository" | "Bucket") {
        return;
    }
    for part in ["spec", "template", "data"] {
        if let Some(part) = object.get(part) {
            walk(part, "", own, namespace, found);
        }
    }
}

fn walk<'n>(
    node: &'n Node,
    key: &str,
    own: &str,
    namespace: Option<&'n str>,
    found: &mut impl FnMut(Referred, Option<&str>, Span),
) {
    for item in node.items() {
        walk(item, key, own, namespace, found);
    }
    if node.as_map().is_none() || node.get("optional").and_then(Node::as_bool) == Some(true) {
        return;
    }
    if let Some(name) = node.get("name").filter(|name| name.as_str().is_some()) {
        let parent = BY_PARENT.iter().find(|(parent, _)| *parent == key).map(|(_, kind)| *kind);
        let depends = (key == "dependsOn" && matches!(own, "Kustomization" | "HelmRelease")).then_some(own);
        let kind = node.find_str(&["kind"]).filter(|_| key != "target").or(parent).or(depends);
        if let Some(kind) = kind {
            let theirs = node.find_str(&["namespace"]).or(namespace);
            found(Referred::new(kind, name.as_str().unwrap_or_default()), theirs, name.span);
        }
    }
    // So is the key that Secrets are decrypted with.
    for entry in node.entries().filter(|entry| entry.key != "decryption") {
        let by_key = BY_KEY.iter().find(|(key, _)| *key == entry.key).map(|(_, kind)| *kind);
        match (by_key, entry.value.as_str()) {
            (Some(kind), Some(name)) => found(Referred::new(kind, name), namespace, entry.value.span),
            _ => walk(&entry.value, &entry.key, own, namespace, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::Tree, yaml::parse};

    #[test]
    fn names_are_found_wherever_they_stand() {
        let tree = Tree::from_memory([("a.yaml".to_owned(), Vec::new())]);
        let text = "kind: Deployment\nmetadata: {name: a, namespace: n}\nspec:\n  volumes:\n  - configMap: {name: settings}\n  \
                    - persistentVolumeClaim: {claimName: data}\n  env:\n  - valueFrom:\n      secretKeyRef: {name: token, key: t}\n  \
                    envFrom:\n  - secretRef: {name: maybe, optional: true}\n";
        let parsed = parse(tree.file("a.yaml").expect("present"), text.as_bytes());
        let mut names = Vec::new();
        references(&parsed.documents[0].root, &mut |named, namespace, _| {
            names.push(format!("{named} in {}", namespace.unwrap_or_default()));
        });
        let source = "kind: GitRepository\nmetadata: {name: a}\nspec: {secretRef: {name: key}}\n---\nkind: Kustomization\nmetadata: \
                      {name: a}\nspec: {decryption: {secretRef: {name: key}}}\n";
        for document in &parse(tree.file("a.yaml").expect("present"), source.as_bytes()).documents {
            references(&document.root, &mut |named, _, _| names.push(named.to_string()));
        }
        let expected = ["ConfigMap `settings` in n", "PersistentVolumeClaim `data` in n", "Secret `token` in n"];
        assert_eq!(names, expected);
    }
}
