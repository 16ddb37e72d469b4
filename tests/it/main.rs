//! Everything that is tested from outside the library, in one binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says on the terminal what it skips"
)]

mod action;
mod advice;
mod architecture;
mod bad_input;
mod baseline;
mod catalog;
mod causes;
mod change;
mod cli;
mod config;
mod configure;
mod corpus;
mod deadlocks;
mod docs;
mod durations;
mod fingerprints;
mod fixtures;
mod formats;
mod judgements;
mod kustomize;
mod manners;
mod minutes;
mod packages;
mod paths;
mod queries;
mod readme;
mod recipes;
mod references;
mod render;
mod rule_pages;
mod suppressions;
mod what_if;

/// What `flux bootstrap --path=clusters/prod` writes.
const SYNC: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: 'https://example.com/x.git'}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./clusters/prod, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
";

/// Copies a folder with all that is in it.
fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
