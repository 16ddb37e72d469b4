//! The rules: what is worth saying about a cluster. A rule is a static and a function; it reads, and does nothing else.
//!
//! To add one: `src/rules/<id>.rs`, its page `rules/<id>.md`, one `mod` line and one line of [`RULES`] below.

mod blind_health_check;
mod broken_health_check;
mod build_failure;
mod class_deadlock;
mod crd_deadlock;
mod cross_namespace_reference;
mod dangling_dependency;
mod data_loss;
mod decryption_missing;
mod dependency_cycle;
mod different_source_dependency;
mod duplicate_node;
mod duplicate_owner;
mod endless_retry;
mod force_on_gate;
mod heavy_in_wait;
mod idle_patch;
mod ignored_health_checks;
mod immutable_field;
mod invalid_expression;
mod invalid_manifest;
mod invalid_yaml;
mod long_critical_path;
mod missing_controller;
mod missing_namespace;
mod missing_path;
mod missing_reference;
mod missing_source;
mod missing_substitute_source;
mod missing_timeout;
mod mutual_apply;
mod namespace_deadlock;
mod never_ready_object;
mod object_without_namespace;
mod overlapping_path;
mod ownership_move;
mod path_regression;
mod poll_depth;
mod recreated_workload;
mod redundant_dependency;
mod removed_api_version;
mod removed_kustomization;
mod renamed_namespace;
mod renamed_reference;
mod retry_cliff;
mod self_provided_input;
mod self_prune;
mod single_point_of_failure;
mod suspended_dependency;
mod teardown_order;
mod timeout_below_need;
mod umbrella_wait;
mod unknown_field;
mod unlisted_file;
mod unneeded_dependency;
mod unordered_crd;
mod unordered_input;
mod unordered_namespace;
mod unordered_secret_store;
mod unordered_storage_class;
mod unordered_webhook;
mod unreachable_node;
mod unreadable_values;
mod unready_gate;
mod unset_variable;
mod unused_suppression;
mod volume_deadlock;
mod wait_deadlock;
mod wait_starvation;
mod wrong_kind_dependency;
mod wrong_namespace_dependency;

mod context;
mod ignores;
mod proviso;
mod selection;
mod support;

pub use context::{Budget, Context};
pub use ignores::{Ignore, leave_out, unused};
pub use selection::{ALIASES, Selection, Selector, UnknownRule, find, first_id, named, rename};

use std::collections::BTreeMap;

use rayon::prelude::*;

// What rules share is named as if it stood beside them.
use support::{
    attempts, changed, deadlocks, dependencies, health, loss, order, references, removal, split, uppermost, wording,
};

use crate::{
    finding::{Finding, RuleInfo, suppress},
    situation::Situation,
    source::{Span, Tree, names},
};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// What is known of it without running it.
    pub info: RuleInfo,
    /// Looks at everything, and says what it finds.
    pub check: fn(&Context<'_>, &mut Vec<Finding>),
}

/// Every rule, sorted by id.
pub static RULES: &[&Rule] = &[
    &blind_health_check::RULE,
    &broken_health_check::RULE,
    &build_failure::RULE,
    &class_deadlock::RULE,
    &crd_deadlock::RULE,
    &cross_namespace_reference::RULE,
    &dangling_dependency::RULE,
    &data_loss::RULE,
    &decryption_missing::RULE,
    &dependency_cycle::RULE,
    &different_source_dependency::RULE,
    &duplicate_node::RULE,
    &duplicate_owner::RULE,
    &endless_retry::RULE,
    &force_on_gate::RULE,
    &heavy_in_wait::RULE,
    &idle_patch::RULE,
    &ignored_health_checks::RULE,
    &immutable_field::RULE,
    &invalid_expression::RULE,
    &invalid_manifest::RULE,
    &invalid_yaml::RULE,
    &long_critical_path::RULE,
    &missing_controller::RULE,
    &missing_namespace::RULE,
    &missing_path::RULE,
    &missing_reference::RULE,
    &missing_source::RULE,
    &missing_substitute_source::RULE,
    &missing_timeout::RULE,
    &mutual_apply::RULE,
    &namespace_deadlock::RULE,
    &never_ready_object::RULE,
    &object_without_namespace::RULE,
    &overlapping_path::RULE,
    &ownership_move::RULE,
    &path_regression::RULE,
    &poll_depth::RULE,
    &recreated_workload::RULE,
    &redundant_dependency::RULE,
    &removed_api_version::RULE,
    &removed_kustomization::RULE,
    &renamed_namespace::RULE,
    &renamed_reference::RULE,
    &retry_cliff::RULE,
    &self_provided_input::RULE,
    &self_prune::RULE,
    &single_point_of_failure::RULE,
    &suspended_dependency::RULE,
    &teardown_order::RULE,
    &timeout_below_need::RULE,
    &umbrella_wait::RULE,
    &unknown_field::RULE,
    &unlisted_file::RULE,
    &unneeded_dependency::RULE,
    &unordered_crd::RULE,
    &unordered_input::RULE,
    &unordered_namespace::RULE,
    &unordered_secret_store::RULE,
    &unordered_storage_class::RULE,
    &unordered_webhook::RULE,
    &unreachable_node::RULE,
    &unreadable_values::RULE,
    &unready_gate::RULE,
    &unset_variable::RULE,
    &unused_suppression::RULE,
    &volume_deadlock::RULE,
    &wait_deadlock::RULE,
    &wait_starvation::RULE,
    &wrong_kind_dependency::RULE,
    &wrong_namespace_dependency::RULE,
];

/// What has to hold for a rule to say all that it can.
type Condition = fn(&Context<'_>) -> bool;

/// Rules that find more, or anything at all, under a condition only. A comment for one is not called unused where the
/// condition does not hold.
const CONDITIONAL: &[(&str, Condition)] = &[
    ("data-loss", |context| context.before.is_some()),
    ("immutable-field", |context| context.before.is_some()),
    ("long-critical-path", |context| context.max_path.is_some() || !context.budgets.is_empty()),
    ("missing-substitute-source", |context| context.pedantic),
    ("ownership-move", |context| context.before.is_some()),
    ("path-regression", |context| context.before.is_some()),
    ("recreated-workload", |context| context.before.is_some()),
    ("removed-kustomization", |context| context.before.is_some()),
    ("self-prune", |context| context.before.is_some()),
    ("teardown-order", |context| context.before.is_some()),
    ("unlisted-file", |context| context.before.is_some()),
    ("unordered-crd", |context| context.pedantic),
    ("unready-gate", |context| context.pedantic),
];

/// Whether a rule runs.
fn is_on(info: &RuleInfo, context: &Context<'_>) -> bool {
    context.selection.is_on(info, context.pedantic)
}

/// The rules that are selected, sorted by id.
#[must_use]
pub fn enabled(selection: &Selection, pedantic: bool) -> Vec<&'static RuleInfo> {
    RULES.iter().map(|rule| &rule.info).filter(|info| selection.is_on(info, pedantic)).collect()
}

/// The ids of the rules that say all they ever say.
#[must_use]
pub fn complete(context: &Context<'_>) -> Vec<&'static str> {
    RULES.iter().map(|rule| &rule.info).filter(|info| says_all(info, context)).map(|info| info.id).collect()
}

/// Whether a rule runs, and says all that it ever says.
fn says_all(info: &RuleInfo, context: &Context<'_>) -> bool {
    is_on(info, context) && CONDITIONAL.iter().all(|(id, holds)| *id != info.id || holds(context))
}

/// Runs every rule that is selected; those of the pedantic tier where they are asked for. What holds alike in several clusters is one
/// finding; what a comment silences is marked; all are sorted by place.
#[must_use]
pub fn check(context: &Context<'_>) -> Vec<Finding> {
    let found: Vec<Vec<Finding>> = RULES
        .par_iter()
        .filter(|rule| is_on(&rule.info, context))
        .map(|rule| {
            let mut found = Vec::new();
            (rule.check)(context, &mut found);
            proviso::add(&rule.info, context, &mut found);
            found
        })
        .collect();
    let mut findings = merge(found.into_iter().flatten(), context.tree);
    let used = suppress(&mut findings, context.suppressions);
    if is_on(&unused_suppression::RULE.info, context) {
        let mut unused = unused_suppression::unused(context, &used);
        suppress(&mut unused, context.suppressions);
        findings.append(&mut unused);
    }
    context.selection.weigh(&mut findings);
    findings.sort_by(|left, right| sort_key(left, context.tree).cmp(&sort_key(right, context.tree)));
    findings
}

/// Joins findings that differ in their clusters alone.
fn merge(findings: impl Iterator<Item = Finding>, tree: &Tree) -> Vec<Finding> {
    let mut merged: BTreeMap<(String, u32, &str, String, String), Finding> = BTreeMap::new();
    for finding in findings {
        let (path, start) = place(finding.location.span(), tree);
        let key = (path.to_owned(), start, finding.rule, finding.message.clone(), finding.subject.to_string());
        match merged.get_mut(&key) {
            Some(known) => {
                known.clusters.extend(finding.clusters);
                known.clusters.sort_unstable();
                known.clusters.dedup();
                // Where one cluster shows more than another, the stronger statement stands.
                if (finding.severity, finding.confidence) > (known.severity, known.confidence) {
                    let clusters = std::mem::take(&mut known.clusters);
                    *known = Finding { clusters, ..finding };
                }
            }
            None => {
                merged.insert(key, finding);
            }
        }
    }
    merged.into_values().collect()
}

fn place(span: Option<Span>, tree: &Tree) -> (&str, u32) {
    span.map_or(("", 0), |span| (tree.path(span.file), span.start))
}

fn sort_key<'a>(finding: &'a Finding, tree: &'a Tree) -> (&'a str, u32, &'a str, &'a str) {
    let (path, start) = place(finding.location.span(), tree);
    (path, start, finding.rule, &finding.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_say_under_a_condition_only_is_known() {
        for rule in RULES {
            let path = format!("{}/src/rules/{}.rs", env!("CARGO_MANIFEST_DIR"), rule.info.id.replace('-', "_"));
            let text = std::fs::read_to_string(&path).expect("a file for each rule");
            let flags = [".pedantic", ".max_path", "context.before", "context.changed", "steps(context)"];
            let asks = flags.iter().any(|flag| text.contains(flag));
            let is_known = CONDITIONAL.iter().any(|(id, _)| *id == rule.info.id);
            assert_eq!(asks, is_known, "{}: it asks for a flag, so `CONDITIONAL` has to name it", rule.info.id);
        }
    }
}
