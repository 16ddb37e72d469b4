//! Any text as an expression of `readyExpr` and `healthCheckExprs`.
#![no_main]

use fluxdag::flux::expression::{ReadyExpr, check_health_expr};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(expression) = ReadyExpr::compile(text) {
        let _ = expression.demand(None, None);
    }
    let _ = check_health_expr(text);
});
