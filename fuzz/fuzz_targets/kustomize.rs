//! Any kustomization file over objects of arbitrary structure: a build ends.
#![no_main]

use fluxdag::{
    kustomize::Kustomize,
    source::{Artifact, Tree},
    yaml::Store,
};
use fluxdag_fuzz::Repository;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Repository, &str)| {
    let (repository, text) = input;
    let mut files = repository.files();
    files.push(("top/kustomization.yaml".to_owned(), text.as_bytes().to_vec()));
    let store = Store::new(Tree::from_memory(files));
    let artifact = Artifact::new(store.tree(), "", |_| true);
    let kustomize = Kustomize::new(&store, artifact);
    for folder in ["top", "apps/a", "apps/b", "apps/c"] {
        let build = kustomize.build(folder, None);
        for object in &build.objects {
            let _ = fluxdag::yaml::to_yaml(&object.node);
        }
    }
});
