//! Changes in mind.
#![no_main]

use arbitrary::Arbitrary;
use fluxdag::query::Change;
use fluxdag_fuzz::{Name, Repository, analyse};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Mind {
    UnsetWait(Name),
    Drop(Name, Name),
    Add(Name, Name),
    Move(Name, Name),
    Split(Name),
    Timeout(Name, u16),
    Slow(f64),
}

fuzz_target!(|input: (Repository, Vec<Mind>)| {
    let (repository, changes) = input;
    let name = |name: Name| name.text().to_owned();
    let changes: Vec<Change> = changes
        .into_iter()
        .take(4)
        .map(|change| match change {
            Mind::UnsetWait(node) => Change::UnsetWait(name(node)),
            Mind::Drop(of, on) => Change::DropDependency { of: name(of), on: name(on) },
            Mind::Add(of, on) => Change::AddDependency { of: name(of), on: name(on) },
            Mind::Move(object, to) => Change::Move { object: format!("ConfigMap/a/{}", name(object)), to: name(to) },
            Mind::Split(node) => Change::Split(name(node)),
            Mind::Timeout(node, seconds) => Change::Timeout { node: name(node), timeout: format!("{seconds}s") },
            Mind::Slow(factor) => Change::Slow { chart: "redis".to_owned(), factor },
        })
        .collect();
    analyse(repository.files(), |_, session| {
        let _ = session.what_if(&changes);
    });
});
