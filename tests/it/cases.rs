//! Small repositories with what is true of them in a real cluster, compared with what the program says: `check.py` does it, in the
//! folder that `FLUXDAG_CASES` names.

use std::{collections::BTreeSet, env};

use crate::support::{Program, cases, program};

/// Cases of which the program does not say yet what is true. One that it does say is taken off the list.
const FALLS_SHORT: &[&str] = &[];

#[test]
fn what_is_said_of_the_cases_is_true() {
    let Some(folder) = cases() else { return };
    let path = env::var_os("PATH").unwrap_or_default();
    let python = |arguments: &[&str]| Program::of("python3", &folder, arguments).env("PATH", &path).try_run();
    if python(&["-c", "import tomllib"]).is_none_or(|done| done.code != 0) {
        eprintln!("SKIPPED: no Python 3.11 on the path, so no case is compared with what is true of it");
        return;
    }
    let done = python(&["check.py", program().to_str().unwrap(), "-v"]).unwrap();
    assert!(done.code < 2, "{}{}", done.out, done.err);
    let lines = |mark: &str| -> Vec<&str> { done.out.lines().filter_map(|line| line.strip_prefix(mark)).collect() };
    let (passed, reasons) = (lines("ok   "), lines("FAIL "));
    let failed: BTreeSet<&str> =
        reasons.iter().map(|line| line.split_once(": ").map_or(*line, |(name, _)| name)).collect();
    println!("{} of {} cases pass", passed.len(), passed.len() + failed.len());
    let is_known = |line: &&&str| FALLS_SHORT.iter().any(|name| line.starts_with(&format!("{name}: ")));
    let mut problems: Vec<String> =
        reasons.iter().filter(|line| !is_known(line)).map(|line| (*line).to_owned()).collect();
    let better = FALLS_SHORT.iter().filter(|name| !failed.contains(**name));
    problems.extend(better.map(|name| format!("{name}: passes or is gone, so it does not fall short any more")));
    assert!(passed.len() + failed.len() > 80, "{}", done.out);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
