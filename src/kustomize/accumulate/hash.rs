//! The hash in the names of generated objects (kustomize `internal/hasher`).

use sha2::{Digest as _, Sha256};

use crate::yaml::Node;

/// The ten letters of a generated object's content.
pub(in crate::kustomize) fn suffix(node: &Node) -> String {
    let kind = node.find_str(&["kind"]).unwrap_or_default();
    let mut parts: Vec<(&str, String)> = Vec::new();
    let map = |key: &str| node.get(key).filter(|node| node.as_map().is_some());
    let part = |key: &str| map(key).map_or_else(|| "\"\"".to_owned(), json);
    let extra = match kind {
        "ConfigMap" => Some("binaryData"),
        "Secret" => Some("stringData"),
        _ => None,
    };
    let encoded = match extra {
        None => json(node),
        Some(extra) => {
            if let (Some(_), "binaryData") = (map(extra), extra) {
                parts.push((extra, part(extra)));
            }
            parts.push(("data", part("data")));
            parts.push(("kind", json_text(kind)));
            // The name has its place in what is hashed, but kustomize leaves it empty.
            parts.push(("name", json_text("")));
            if let (Some(_), "stringData") = (map(extra), extra) {
                parts.push((extra, part(extra)));
            }
            if kind == "Secret" {
                parts.push(("type", json_text(node.find_str(&["type"]).unwrap_or_default())));
            }
            let fields: Vec<String> = parts.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        }
    };
    letters(&Sha256::digest(encoded.as_bytes()))
}

/// The first ten hexadecimal digits, with those replaced that could spell words.
fn letters(digest: &[u8]) -> String {
    let hex = digest.iter().take(5).flat_map(|byte| [byte >> 4, byte & 15]);
    hex.map(|digit| match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        digit => char::from_digit(u32::from(digit), 16).unwrap_or('0'),
    })
    .collect()
}

/// JSON as Go's encoder writes it: keys sorted, and `<`, `>`, `&` and two line separators escaped.
fn json(node: &Node) -> String {
    let value = serde_json::to_value(node).unwrap_or_default();
    let sorted = sorted(value);
    escape(&sorted.to_string())
}

fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|one, two| one.0.cmp(&two.0));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn json_text(text: &str) -> String {
    escape(&serde_json::Value::from(text).to_string())
}

/// These characters stand only inside strings of JSON.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            letter => out.push(letter),
        }
    }
    out
}
