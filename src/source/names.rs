//! Names that are alike: the one measure behind every "did you mean".

/// From this likeness on, a name is worth asking about.
pub(crate) const NEAR: f64 = 0.75;

/// Most names that a missing one is compared with: where there are more, a slip in one place costs too much time.
pub(crate) const COMPARED: usize = 3000;

/// A name that exists.
pub(crate) type Candidate<'a> = &'a str;

/// The candidate that is most like `name`, if one is near; of several the first. None where there are too many to compare.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Option<&'a str> {
    let mut count = 0;
    let found = nearest_of_all(name, candidates.take(COMPARED + 1).inspect(|_| count += 1));
    found.filter(|_| count <= COMPARED)
}

/// The candidate that is most like `name`, if one is near; of several the first. For what a user types, which is compared
/// once.
pub(crate) fn nearest_of_all<'a>(name: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Option<&'a str> {
    best(candidates.filter_map(|candidate| Some((near(candidate, name)?, candidate))))
}

/// The candidate that `score` finds most alike, and how much; of several the least. None where there are too many to compare.
pub(crate) fn best_by<T: Ord>(
    candidates: impl Iterator<Item = T>,
    score: impl Fn(&T) -> Option<f64>,
) -> Option<(f64, T)> {
    let mut count = 0;
    let found = best_of_all_by(candidates.take(COMPARED + 1).inspect(|_| count += 1), score);
    found.filter(|_| count <= COMPARED)
}

/// The same, however many there are: for what a user types, which is compared once.
pub(crate) fn best_of_all_by<T: Ord>(
    candidates: impl Iterator<Item = T>,
    score: impl Fn(&T) -> Option<f64>,
) -> Option<(f64, T)> {
    let scored = candidates.filter_map(|candidate| Some((score(&candidate)?, candidate)));
    scored.max_by(|(one, left), (other, right)| one.total_cmp(other).then_with(|| right.cmp(left)))
}

/// The path that is most like `path`, if one is: it has as many parts, and those that differ are near.
pub(crate) fn nearest_path<'a>(path: &str, candidates: impl Iterator<Item = Candidate<'a>>) -> Option<&'a str> {
    let parts: Vec<&str> = path.split('/').collect();
    let likeness = |candidate: &str| {
        let mut sum = 0.0;
        let mut rest = candidate.split('/');
        for part in &parts {
            let other = rest.next()?;
            sum += if other == *part { 1.0 } else { near(other, part)? };
        }
        rest.next().is_none().then_some(sum)
    };
    best(candidates.filter_map(|candidate| Some((likeness(candidate)?, candidate))))
}

fn best<'a>(scored: impl Iterator<Item = (f64, &'a str)>) -> Option<&'a str> {
    let better = |best: (f64, &'a str), next: (f64, &'a str)| if next.0 > best.0 { next } else { best };
    scored.reduce(better).map(|(_, candidate)| candidate)
}

/// How alike two names are that may be taken for each other.
fn near(candidate: &str, name: &str) -> Option<f64> {
    let plural = is_plural(candidate, name).then_some(NEAR);
    likeness(candidate, name, NEAR).or(plural).filter(|_| !is_numbered(candidate, name))
}

/// Whether one of the words is the plural of the other.
fn is_plural(left: &str, right: &str) -> bool {
    let of = |one: &str, many: &str| many.strip_prefix(one).is_some_and(|end| matches!(end, "s" | "es"));
    of(left, right) || of(right, left)
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
    let kept = |text: &str, keep: fn(char) -> bool| text.chars().filter(|letter| keep(*letter)).collect::<String>();
    let same = |keep: fn(char) -> bool| kept(left, keep) == kept(right, keep);
    left == right || (same(char::is_alphabetic) && !same(char::is_numeric))
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
        assert_eq!(nearest("max_path", ["min-path", "max-path"].into_iter()), Some("max-path"));
        assert_eq!(nearest("patch", ["path", "patches", "images"].into_iter()), Some("path"));
        assert_eq!(nearest("patch", ["patches", "images"].into_iter()), Some("patches"));
    }

    #[test]
    fn of_too_many_names_none_is_compared_unless_a_user_typed_it() {
        let names: Vec<String> = (0..=COMPARED).map(|_| "other".to_owned()).chain(["cluster".to_owned()]).collect();
        let all = || names.iter().map(String::as_str);
        assert_eq!((nearest("clutser", all()), nearest_of_all("clutser", all())), (None, Some("cluster")));
        assert_eq!(nearest("clutser", all().skip(2)), Some("cluster"));
    }

    #[test]
    fn a_path_is_near_where_the_parts_that_differ_are() {
        let paths = ["apps/web/ks.yaml", "apps/db/ks.yaml", "base/web.yaml", "web.yaml"];
        let nearest = |path: &str| nearest_path(path, paths.into_iter());
        assert_eq!(nearest("base/wev.yaml"), Some("base/web.yaml"));
        assert_eq!(nearest("aps/web/ks.yml"), Some("apps/web/ks.yaml"));
        assert_eq!((nearest("apps/cache/ks.yaml"), nearest("web/ks.yaml")), (None, None));
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
