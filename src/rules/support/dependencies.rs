//! What rules on `dependsOn` say alike.

use super::wording::requeue;
use crate::{
    cluster::Cluster,
    finding::Finding,
    situation::{DependencyFact, Doubt},
};

/// What a dependency that is missing does at run time, as a sentence without full stop, with the controller's message
/// (kustomize-controller v1.9 and helm-controller v1.6, `checkDependencies`).
pub(in crate::rules) fn symptom(cluster: &Cluster, fact: &DependencyFact) -> String {
    let DependencyFact { name, namespace, .. } = fact;
    let message = match fact.subject.kind.as_str() {
        "HelmRelease" => format!("unable to get '{namespace}/{name}' dependency"),
        _ => format!("dependency '{namespace}/{name}' not found"),
    };
    let every = requeue(cluster, &fact.subject.kind);
    format!("It stays at Ready=False, reason DependencyNotReady, `{message}`, and asks again every {every} forever")
}

/// Takes over how sure a fact is, and says why it is no surer.
pub(in crate::rules) fn doubted(mut finding: Finding, fact: &DependencyFact) -> Finding {
    finding.confidence = fact.confidence;
    let doubt = match &fact.doubt {
        None => return finding,
        Some(Doubt::Hidden(by)) => format!(" It may be defined by {by}, which this repository does not show."),
        Some(Doubt::AppliedFromOutside) => {
            " It is applied by something outside this repository, which may define what it depends on as well."
                .to_owned()
        }
        Some(Doubt::Template(by)) => format!(" It may be made by {by}."),
        Some(Doubt::Open(object)) => format!(" It may be {object}, whose name holds a variable."),
    };
    finding.why.push_str(&doubt);
    finding
}
