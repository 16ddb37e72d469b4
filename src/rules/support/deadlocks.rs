//! What the rules on deadlocks share: each tells the loops of one kind in its own words.

use super::{
    Context, Situation,
    wording::{place, subject_of, tell_links},
};
use crate::{
    cluster::{Cluster, NodeId},
    finding::{Confidence, Finding, RuleInfo, Subject},
    graph::{Actor, CycleKind, Loop, Reason, Step},
    kustomize::Object,
    source::Span,
};

/// A loop as a rule tells it.
pub(in crate::rules) struct Case<'a> {
    pub(in crate::rules) context: &'a Context<'a>,
    pub(in crate::rules) situation: &'a Situation<'a>,
    /// The links, the one that the rule is about first.
    pub(in crate::rules) links: Vec<&'a Step>,
}

/// The words of a rule for one loop.
pub(in crate::rules) struct Words {
    pub(in crate::rules) message: String,
    pub(in crate::rules) why: String,
    pub(in crate::rules) help: String,
}

/// Tells every loop of `kind`; the links are turned so that the one with `reason` comes first.
pub(in crate::rules) fn tell(
    context: &Context<'_>,
    rule: &RuleInfo,
    kind: CycleKind,
    is_first: fn(&Step) -> bool,
    words: fn(&Case<'_>) -> Option<Words>,
    findings: &mut Vec<Finding>,
) {
    for situation in context.situations {
        for deadlock in situation.deadlocks().iter().filter(|deadlock| deadlock.cycle_kind() == kind) {
            findings.extend(report(context, situation, rule, deadlock, is_first, words));
        }
    }
}

fn report(
    context: &Context<'_>,
    situation: &Situation<'_>,
    rule: &RuleInfo,
    deadlock: &Loop,
    is_first: fn(&Step) -> bool,
    words: fn(&Case<'_>) -> Option<Words>,
) -> Option<Finding> {
    let mut links: Vec<&Step> = deadlock.links().collect();
    let first = links.iter().position(|step| is_first(step)).unwrap_or(0);
    links.rotate_left(first);
    let case = Case { context, situation, links };
    let Words { message, why, help } = words(&case)?;
    let first = case.links.first()?;
    let subject = subject_of(situation.cluster, first.after.actor);
    let mut finding = situation.finding(rule, subject, first.edge.span, message);
    tell_links(situation.cluster, &case.links, &mut finding);
    finding.confidence = deadlock.confidence();
    finding.why = format!("{why} {}", persistence(situation, deadlock));
    if finding.confidence < Confidence::High {
        finding.why.push_str(doubt(deadlock));
    }
    finding.help = help;
    Some(situation.weighed(finding, lies_inside(deadlock.cycle_kind())))
}

/// Whether nothing outside the Kustomizations of a loop could undo it. What they lack otherwise, anything in the cluster may
/// bring.
const fn lies_inside(kind: CycleKind) -> bool {
    match kind {
        CycleKind::Dependencies | CycleKind::MutualApply | CycleKind::Gate => true,
        CycleKind::Class | CycleKind::Crd | CycleKind::Namespace | CycleKind::Volume | CycleKind::Input => false,
    }
}

/// Whether a running cluster feels it too.
pub(in crate::rules) fn persistence(situation: &Situation<'_>, deadlock: &Loop) -> &'static str {
    if deadlock.is_lasting(situation.cluster) {
        "A running cluster is blocked by it as well, on every new revision."
    } else {
        "A cluster that got past this once keeps running, and fails when it is rebuilt."
    }
}

/// What a loop that is less than certain rests on.
fn doubt(deadlock: &Loop) -> &'static str {
    let rests_on = |reason: Reason| {
        deadlock.links().any(|step| step.edge.reason == reason && step.edge.confidence < Confidence::High)
    };
    if rests_on(Reason::NeedsKind) {
        " That this chart provides the CRD is known from a catalogue; where something outside the repository installs it first, \
         nothing is wrong."
    } else if rests_on(Reason::NeedsNamespace) {
        " No build holds the Namespace: where it is made by hand beforehand, nothing is wrong."
    } else if rests_on(Reason::Consumer) {
        " The storage class is in no build: with `volumeBindingMode: Immediate` nothing is wrong."
    } else {
        ""
    }
}

impl Case<'_> {
    pub(in crate::rules) fn cluster(&self) -> &Cluster {
        self.situation.cluster
    }

    /// What the first link waits for.
    pub(in crate::rules) fn wanted(&self) -> Option<Subject> {
        Some(subject_of(self.cluster(), self.links.first()?.before.actor))
    }

    /// What the rule's own link belongs to.
    pub(in crate::rules) fn waiting(&self) -> Option<Subject> {
        Some(subject_of(self.cluster(), self.links.first()?.after.actor))
    }

    /// What provides what the first link waits for: where the second link leads to.
    pub(in crate::rules) fn provider(&self) -> Option<Subject> {
        Some(subject_of(self.cluster(), self.links.get(1)?.before.actor))
    }

    /// The edit that puts an object behind what provides its CRD: a Kustomization of its own, after the one that
    /// applies the provider.
    pub(in crate::rules) fn move_behind_provider(&self, object: &Object) -> Option<String> {
        let cluster = self.cluster();
        let (owner, gate) = match self.links.get(1)?.before.actor {
            Actor::Release(index) => {
                let release = &cluster.releases[index as usize];
                let provider = release.providers.first()?;
                let owner = cluster.node(provider.node);
                // Nothing stands above an entry point, so what moves out of it is its child, and may not wait for it.
                if owner.is_entry {
                    return Some(format!(
                        "move {} ({}) into a Kustomization of its own with `wait: true`, and {} ({}) into another one that has that in `dependsOn`: \
                         neither may wait for {}, which applies them",
                        release.subject(),
                        self.place(cluster.object(*provider).place()),
                        object.id(),
                        self.place(object.place()),
                        owner.key.name
                    ));
                }
                (
                    owner,
                    format!(
                        ", and have {} wait for {} (`wait: true`, or an entry of `healthChecks`)",
                        owner.key.name,
                        release.subject()
                    ),
                )
            }
            Actor::Node(node) => (cluster.node(node), String::new()),
            _ => return None,
        };
        Some(format!(
            "move {} ({}) into a Kustomization of its own that has `dependsOn: [{{name: {}}}]`{gate}",
            object.id(),
            self.place(object.place()),
            owner.key.name
        ))
    }

    /// The object of the Kustomization of the first link that stands at the link's place.
    pub(in crate::rules) fn object(&self) -> Option<&Object> {
        let first = self.links.first()?;
        let Actor::Node(node) = first.after.actor else { return None };
        object_at(self.cluster(), node, first.edge.span)
    }

    /// `path:line`.
    pub(in crate::rules) fn place(&self, span: Span) -> String {
        place(self.context.tree, span)
    }
}

/// The object that `node` applies and that stands at `span`.
fn object_at(cluster: &Cluster, node: NodeId, span: Span) -> Option<&Object> {
    cluster.node(node).applied.build.objects.iter().find(|object| object.place() == span)
}
