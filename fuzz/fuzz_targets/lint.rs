//! All rules, the minutes and the answers about repositories of arbitrary structure: what is found is the same twice.
#![no_main]

use fluxdag::query::TimelineOptions;
use fluxdag_fuzz::{Repository, analyse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|repository: Repository| {
    let run = || {
        let mut seen = Vec::new();
        analyse(repository.files(), |_, session| {
            seen = session.findings(None).findings.iter().map(|finding| format!("{finding:?}")).collect();
            let _ = session.list();
            let _ = session.timeline(&TimelineOptions::default());
            for name in ["a", "b", "c"] {
                let _ = session.why(name);
                let _ = session.impact(&[name]);
            }
        });
        seen
    };
    assert_eq!(run(), run());
});
