//! Names that are alike.

/// From this likeness on, a name is worth asking about.
const NEAR: f64 = 0.75;

/// Most names that a missing one is compared with: where there are more, a slip in one place costs too much time.
pub(crate) const COMPARED: usize = 3000;

/// A name that exists.
pub(crate) type Candidate<'a> = &'a str;

/// The candidate that is most like `name`, if one is near; of several the first.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for (index, candidate) in candidates.enumerate() {
        if index >= COMPARED {
            return None;
        }
        let Some(likeness) = likeness(candidate, name, NEAR).filter(|_| !is_numbered(candidate, name)) else {
            continue;
        };
        if best.is_none_or(|(known, _)| likeness > known) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longer texts are no names, and comparing them would cost time and memory by the square: an object's name has at most
/// 253 letters.
const LONGEST: usize = 253;

/// How alike two names are, from 0 to 1; `None` where that is less than `least`, which is mostly found out without comparing
/// them letter by letter.
pub(crate) fn likeness(left: &str, right: &str, least: f64) -> Option<f64> {
    if left.len() > LONGEST || right.len() > LONGEST {
        return (left == right).then_some(1.0);
    }
    let longest = left.chars().count().max(right.chars().count()) as f64;
    if 1.0 - least_distance(left, right) as f64 / longest.max(1.0) < least {
        return None;
    }
    Some(strsim::normalized_damerau_levenshtein(left, right)).filter(|likeness| *likeness >= least)
}

/// As many letters have to be changed at least, since one text has them and the other has not.
fn least_distance(left: &str, right: &str) -> usize {
    let mut counts = [0_i32; 64];
    for letter in left.chars() {
        counts[letter as usize % 64] += 1;
    }
    for letter in right.chars() {
        counts[letter as usize % 64] -= 1;
    }
    let more: i32 = counts.iter().filter(|count| **count > 0).sum();
    let fewer: i32 = counts.iter().filter(|count| **count < 0).sum();
    more.max(-fewer) as usize
}

/// Whether `left` and `right` differ by a slip of the pen: one or two letters in a name of some length. Names that differ
/// in their digits are numbered, not misspelt.
pub(crate) fn is_slip(left: &str, right: &str) -> bool {
    let length = left.chars().count().min(right.chars().count());
    let most = if length >= 9 { 2 } else { 1 };
    length >= 5
        && left.len().max(right.len()) <= LONGEST
        && least_distance(left, right) <= most
        && strsim::damerau_levenshtein(left, right) <= most
        && !is_numbered(left, right)
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
    fn names_are_as_alike_as_letters_have_to_be_changed() {
        assert_eq!(likeness("podinfo", "podifno", 0.8), Some(1.0 - 1.0 / 7.0));
        assert_eq!(likeness("podinfo", "podifno", 0.9), None);
        assert_eq!((likeness("", "", 0.8), likeness("a", "", 0.8)), (Some(1.0), None));
        assert!(least_distance("kitten", "sitting") <= strsim::damerau_levenshtein("kitten", "sitting"));
    }

    /// Comparing these letter by letter would take terabytes.
    #[test]
    fn what_is_too_long_for_a_name_is_like_itself_only() {
        let (long, other) = ("a".repeat(1_000_000), "a".repeat(999_999));
        assert_eq!((likeness(&long, &long, 0.8), likeness(&long, &other, 0.8)), (Some(1.0), None));
        assert!(!is_slip(&long, &other) && nearest(&long, [other.as_str()].into_iter()).is_none());
    }

    #[test]
    fn a_slip_is_a_letter_or_two_and_no_number() {
        assert!(is_slip("cluster-vars", "cluster-var") && is_slip("podinfo", "podifno"));
        assert!(!is_slip("node-1-secret", "node-2-secret") && !is_slip("app-a", "app-bcd") && !is_slip("ab", "ac"));
    }
}
