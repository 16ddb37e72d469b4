//! Any text as `fluxdag.toml`.
#![no_main]

use std::path::Path;

use fluxdag::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Config::parse(text, Path::new("/nowhere/fluxdag.toml"), Some(Path::new("/nowhere")));
});
