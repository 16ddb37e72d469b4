//! The operators, as `fluxcd/pkg/envsubst/funcs.go` computes them: lengths and positions count bytes.

use super::syntax::Operator;
use crate::flux::source::glob::Glob;

/// The result would be larger, or would take longer, than is allowed.
pub(super) struct TooLarge;

/// Applies `operator` to `value`. `limit` bounds the bytes of the result, and the steps on the way to it.
pub(super) fn apply(operator: Operator, value: String, operands: &[String], limit: usize) -> Result<String, TooLarge> {
    let operand = |index: usize| operands.get(index).map_or("", String::as_str);
    Ok(match operator {
        Operator::Plain | Operator::Default => value,
        Operator::Length => value.len().to_string(),
        Operator::Lower => map_letters(&value, usize::MAX, lower),
        Operator::LowerFirst => map_letters(&value, 1, lower),
        Operator::Upper => map_letters(&value, usize::MAX, upper),
        Operator::UpperFirst => map_letters(&value, 1, upper),
        Operator::Substring => substring(value, operands),
        Operator::TrimPrefix => trim(&value, operand(0), false, limit)?,
        Operator::TrimLongestPrefix => trim(&value, operand(0), true, limit)?,
        Operator::TrimSuffix => reverse(&trim(&reverse(&value), &reverse(operand(0)), false, limit)?),
        Operator::TrimLongestSuffix => reverse(&trim(&reverse(&value), &reverse(operand(0)), true, limit)?),
        Operator::Replace => value.replacen(operand(0), operand(1), 1),
        Operator::ReplaceAll => {
            let most = (value.len() + 1).saturating_mul(operand(1).len());
            if most > limit && value.matches(operand(0)).count().saturating_mul(operand(1).len()) > limit {
                return Err(TooLarge);
            }
            value.replace(operand(0), operand(1))
        }
        Operator::ReplacePrefix => match (operands, value.strip_prefix(operand(0))) {
            ([_, replacement], Some(rest)) => format!("{replacement}{rest}"),
            _ => value,
        },
        Operator::ReplaceSuffix => match (operands, value.strip_suffix(operand(0))) {
            ([_, replacement], Some(rest)) => format!("{rest}{replacement}"),
            _ => value,
        },
    })
}

fn map_letters(text: &str, most: usize, map: fn(char) -> char) -> String {
    text.chars().enumerate().map(|(index, letter)| if index < most { map(letter) } else { letter }).collect()
}

/// The lower case of `letter`, where that is one character, as in Go.
fn lower(letter: char) -> char {
    let mut letters = letter.to_lowercase();
    if letters.len() == 1 { letters.next().unwrap_or(letter) } else { letter }
}

fn upper(letter: char) -> char {
    let mut letters = letter.to_uppercase();
    if letters.len() == 1 { letters.next().unwrap_or(letter) } else { letter }
}

fn reverse(text: &str) -> String {
    text.chars().rev().collect()
}

/// `${v:position}` and `${v:position:length}`. What is no number leaves the value as it is.
fn substring(value: String, operands: &[String]) -> String {
    let bytes = value.as_bytes();
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let Some(Ok(position)) = operands.first().map(|operand| operand.parse::<i64>()) else { return value };
    let start = if position < 0 { (size.saturating_add(position)).max(0) } else { position };
    let end = match operands.get(1).map(|operand| operand.parse::<i64>()) {
        None => size,
        Some(Err(_)) => return value,
        Some(Ok(length)) if length < 0 => size.saturating_add(length),
        Some(Ok(length)) => start.saturating_add(length).min(size),
    };
    let range = usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(0);
    bytes.get(range).map_or_else(String::new, |part| String::from_utf8_lossy(part).into_owned())
}

/// Takes off the shortest or the longest start of `value` that matches `pattern`.
fn trim(value: &str, pattern: &str, longest: bool, limit: usize) -> Result<String, TooLarge> {
    let Some(glob) = Glob::new(pattern) else { return Ok(value.to_owned()) };
    if value.len().saturating_mul(glob.len()) > limit {
        return Err(TooLarge);
    }
    let mut end = 0;
    glob.prefixes(value, |at| {
        end = at;
        longest || at == 0
    });
    Ok(value[end..].to_owned())
}
