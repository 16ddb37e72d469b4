//! The rules: what is worth saying about a cluster. A rule is a static and a function; it reads, and does nothing else.
//!
//! To add one: `src/rules/<id>.rs`, its page `rules/<id>.md`, and one line in the list below.

mod attempts;
mod context;
mod deadlocks;
mod dependencies;
mod health;
mod ignores;
mod names;
mod order;
mod references;
mod removal;
mod selection;
mod split;
mod stuck;
mod wording;

pub use context::{Budget, Context, Pair, Situation, pairs};
pub use ignores::{Ignore, leave_out, unused};
pub use missing_substitute_source::missing_inputs;
pub use selection::{ALIASES, Selection, Selector, UnknownRule, find, first_id, named, rename};
pub use stuck::Stuck;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    finding::{Finding, RuleInfo, suppress},
    source::{Span, Tree},
};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// What is known of it without running it.
    pub info: RuleInfo,
    /// Looks at everything, and says what it finds.
    pub check: fn(&Context<'_>, &mut Vec<Finding>),
}

macro_rules! rules {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// Every rule, sorted by id.
        pub static RULES: &[&Rule] = &[$(&$name::RULE),+];
    };
}

rules![
    blind_health_check,
    broken_health_check,
    build_failure,
    class_deadlock,
    crd_deadlock,
    cross_namespace_reference,
    dangling_dependency,
    decryption_missing,
    dependency_cycle,
    different_source_dependency,
    duplicate_node,
    duplicate_owner,
    endless_retry,
    force_on_gate,
    heavy_in_wait,
    ignored_health_checks,
    invalid_expression,
    invalid_manifest,
    invalid_yaml,
    long_critical_path,
    missing_path,
    missing_source,
    missing_substitute_source,
    missing_timeout,
    mutual_apply,
    namespace_deadlock,
    never_ready_object,
    overlapping_path,
    poll_depth,
    ownership_move,
    path_regression,
    redundant_dependency,
    removed_api_version,
    removed_kustomization,
    renamed_reference,
    retry_cliff,
    self_provided_input,
    self_prune,
    single_point_of_failure,
    suspended_dependency,
    teardown_order,
    timeout_below_need,
    umbrella_wait,
    unknown_field,
    unlisted_file,
    unneeded_dependency,
    unordered_crd,
    unordered_input,
    unordered_namespace,
    unordered_secret_store,
    unordered_storage_class,
    unreachable_node,
    unready_gate,
    unset_variable,
    unused_suppression,
    volume_deadlock,
    wait_deadlock,
    wait_starvation,
    wrong_kind_dependency,
    wrong_namespace_dependency,
];

/// What has to hold for a rule to say all that it can.
type Condition = fn(&Context<'_>) -> bool;

/// Rules that find more, or anything at all, under a condition only. A comment for one is not called unused where the
/// condition does not hold.
const CONDITIONAL: &[(&str, Condition)] = &[
    ("long-critical-path", |context| context.max_path.is_some() || !context.budgets.is_empty()),
    ("missing-substitute-source", |context| context.pedantic),
    ("ownership-move", |context| context.before.is_some()),
    ("path-regression", |context| context.before.is_some()),
    ("removed-kustomization", |context| context.before.is_some()),
    ("teardown-order", |context| context.before.is_some()),
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
pub fn heard(context: &Context<'_>) -> Vec<&'static str> {
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
            let asks =
                [".pedantic", ".max_path", "context.before", "context.changed"].iter().any(|flag| text.contains(flag));
            let is_known = CONDITIONAL.iter().any(|(id, _)| *id == rule.info.id);
            assert_eq!(asks, is_known, "{}: it asks for a flag, so `CONDITIONAL` has to name it", rule.info.id);
        }
    }
}
