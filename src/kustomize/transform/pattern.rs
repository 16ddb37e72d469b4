//! Regular expressions that a repository writes.

use regex::{Regex, RegexBuilder};

/// Most bytes of a compiled pattern. Names of Kubernetes are matched by a few hundred.
const COMPILED: usize = 1 << 20;

/// Compiles a pattern; `None` where it is not valid, or too large.
pub(in crate::kustomize) fn compile(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(COMPILED).build().ok()
}

/// Steps that compiling the patterns in `texts` takes, roughly: each repetition by a number repeats what stands before it.
pub(in crate::kustomize) fn cost<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    texts.map(cost_of).sum()
}

fn cost_of(text: &str) -> usize {
    let counts = text.split('{').skip(1).filter_map(|rest| {
        let counts = rest.split_once('}')?.0;
        counts.split(',').filter_map(|count| count.trim().parse::<usize>().ok()).max()
    });
    let times = counts.fold(1, |times: usize, count| times.saturating_mul(count.clamp(1, 1_000)).min(1_000_000));
    // Classes such as `\\w` are those of Unicode, with hundreds of ranges.
    let classes = 100 * text.matches('\\').count();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/'));
    if is_plain { 100 } else { 500 + times.saturating_mul(4 * (text.len() + classes)).min(4_000_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cost_what_they_repeat() {
        let cost = |text: &str| cost([text].into_iter());
        assert!(cost("(a{1,30}){1,30}") > 20 * cost("a.*"));
        assert!(cost("podinfo") < cost(".*"));
        // Honest patterns of names stay far below the budget.
        assert!(cost("[a-z]{1,63}-[0-9]{1,10}") < 100_000);
        assert!(cost("((a{1,1000}){1,1000}){1,1000}") <= 4_000_500);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        assert!(compile("(a{1,1000}){1,1000}").is_none());
        assert!(compile("^(?:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$").is_some());
    }
}
