//! The step from one repository to another.
#![no_main]

use fluxdag::compare;
use fluxdag_fuzz::{Repository, options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Repository, Repository)| {
    let [before, after] = [input.0, input.1].map(|repository| options(repository.files()));
    let _ = compare([&[], &[]], [&before, &after], |_, after| after.found.findings.len());
});
