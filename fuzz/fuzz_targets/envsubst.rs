//! Any text with variables: substitution ends, and what it says was used stands in the text.
#![no_main]

use fluxdag::flux::envsubst::{Lookup, substitute};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, bool)| {
    let (text, value, strict) = input;
    let lookup = |name: &str| match name.len() % 3 {
        0 => Lookup::Unset,
        1 => Lookup::Value(value.to_owned()),
        _ => Lookup::Unknown,
    };
    if let Ok(done) = substitute(text, &lookup, strict) {
        for used in done.uses {
            assert!(text.get(used.at).is_some_and(|text| text.starts_with('$')));
        }
    }
});
