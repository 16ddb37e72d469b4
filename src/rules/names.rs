//! Names that are alike.

/// From this likeness on, a name is worth asking about.
const NEAR: f64 = 0.75;

/// Most names that a missing one is compared with: where there are more, a slip in one place costs too much time.
const COMPARED: usize = 3000;

/// A name that exists.
pub(super) type Candidate<'a> = &'a str;

/// The candidate that is most like `name`, if one is near; of several the first.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for (index, candidate) in candidates.enumerate() {
        if index >= COMPARED {
            return None;
        }
        if !is_of_like_length(candidate, name) || is_numbered(candidate, name) {
            continue;
        }
        let likeness = strsim::normalized_damerau_levenshtein(candidate, name);
        if likeness >= NEAR && best.is_none_or(|(known, _)| likeness > known) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether texts of these lengths can be alike at all, which is much cheaper to find out than how alike they are.
fn is_of_like_length(left: &str, right: &str) -> bool {
    let (left, right) = (left.chars().count(), right.chars().count());
    left.abs_diff(right) * 4 <= left.max(right)
}

/// Whether `left` and `right` differ by a slip of the pen: one or two letters in a name of some length. Names that differ
/// in their digits are numbered, not misspelt.
pub(super) fn is_slip(left: &str, right: &str) -> bool {
    let length = left.chars().count().min(right.chars().count());
    let most = if length >= 9 { 2 } else { 1 };
    length >= 5 && !is_numbered(left, right) && strsim::damerau_levenshtein(left, right) <= most
}

/// Whether the two are the same but for their digits: one of a series, or equal.
fn is_numbered(left: &str, right: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).collect::<String>();
    letters(left) == letters(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_if_any_is_near() {
        let names = ["cluster-settings", "cluster-secrets", "other"];
        assert_eq!(nearest("cluster-setting", names.into_iter()), Some("cluster-settings"));
        assert_eq!(nearest("database", names.into_iter()), None);
        assert_eq!(nearest("other", names.into_iter()), None);
        assert_eq!(nearest("SECRET_DOMAIN_2", ["SECRET_DOMAIN", "SECRET_DOMAIN_1"].into_iter()), None);
    }

    #[test]
    fn a_slip_is_a_letter_or_two_and_no_number() {
        assert!(is_slip("cluster-vars", "cluster-var") && is_slip("podinfo", "podifno"));
        assert!(!is_slip("node-1-secret", "node-2-secret") && !is_slip("app-a", "app-bcd") && !is_slip("ab", "ac"));
    }
}
