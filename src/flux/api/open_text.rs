//! Text that holds a variable or a template: what it may become.

use crate::flux::build::envsubst::{Lookup, Outcome, substitute};

/// Whether a variable or a template that is not known stands in `text`.
#[must_use]
pub fn is_open_text(text: &str) -> bool {
    text.contains("${") || text.contains("<<")
}

/// Whether a text with variables or templates is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// What stands around its variables says that it is not.
    No,
    /// It holds nothing but variables, which may become anything.
    Anything,
    /// What stands around its variables fits.
    Fits,
    /// It is the same, if its variables have the defaults that it gives.
    Default,
    /// It is the same text.
    Same,
}

/// Whether `text` may turn out to be `wanted`: by the defaults of its variables (`${X:=y}`), or by what stands around them,
/// around `<<…>>` and around `{{…}}`.
#[must_use]
pub fn reads_as(text: &str, wanted: &str) -> Reading {
    if text == wanted {
        return Reading::Same;
    }
    let pieces = literals(text);
    if pieces.len() == 1 {
        return Reading::No;
    }
    if text.contains("${")
        && let Ok(read) = substitute(text, &|_| Lookup::Unset, false)
        && read.text == wanted
        && read.uses.iter().all(|used| used.outcome == Outcome::Default)
    {
        return Reading::Default;
    }
    if !fits(&pieces, wanted) {
        Reading::No
    } else if pieces.iter().all(|piece| !piece.contains(char::is_alphanumeric)) {
        Reading::Anything
    } else {
        Reading::Fits
    }
}

const BRACKETS: [(&str, &str); 3] = [("${", "}"), ("<<", ">>"), ("{{", "}}")];

/// What stands before, between and behind the variables of a text.
fn literals(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    loop {
        let opening = BRACKETS.iter().filter_map(|(open, close)| Some((rest.find(open)?, *open, *close))).min();
        let Some((at, open, close)) = opening else {
            pieces.push(rest);
            return pieces;
        };
        pieces.push(&rest[..at]);
        let inner = &rest[at + open.len()..];
        rest = end(inner, open, close).map_or("", |end| &inner[end..]);
    }
}

/// Where a variable ends, those inside it included.
fn end(inner: &str, open: &str, close: &str) -> Option<usize> {
    let (mut depth, mut at) = (1_usize, 0);
    loop {
        let closing = at + inner.get(at..)?.find(close)?;
        depth += inner[at..closing].matches(open).count();
        depth -= 1;
        at = closing + close.len();
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Whether the pieces stand in `wanted` in their order, the first at its beginning and the last at its end.
fn fits(pieces: &[&str], wanted: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(mut rest) = wanted.strip_prefix(first) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_what_stands_around_variables_tell_what_a_name_may_be() {
        for (text, wanted, reading) in [
            ("app", "app", Reading::Same),
            ("app", "apps", Reading::No),
            ("${CHART:=app-template}", "app-template", Reading::Default),
            ("${CHART:-app}-${TIER:-web}", "app-web", Reading::Default),
            ("${CHART:=app-template}", "podinfo", Reading::Anything),
            ("${CHART}", "", Reading::Anything),
            ("${APP}-db", "shop-db", Reading::Fits),
            ("${APP}-db", "shop-cache", Reading::No),
            ("db-${APP:=${OTHER:=x}}", "db-x", Reading::Default),
            ("tenant-<< inputs.name >>-<< inputs.stage >>", "tenant-a-prod", Reading::Fits),
            ("{{ include \"x.fullname\" . }}", "anything", Reading::Anything),
            ("{{ .Release.Name }}-crds", "x-crds", Reading::Fits),
            ("a${X}a", "a", Reading::No),
            ("${broken", "x", Reading::Anything),
        ] {
            assert_eq!(reads_as(text, wanted), reading, "{text} {wanted}");
        }
    }
}
