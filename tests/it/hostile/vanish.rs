//! Files that go, or become something else, between the moment they are listed and the moment they are read.

use std::fs;

use fluxdag::{
    cluster::{Scope, broken_documents, discover, resolve},
    source::Tree,
    yaml::Store,
};

use crate::support::{Repository, config_map};

fn node(name: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: \
         {{interval: 1h, path: ./{name}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}}}\n"
    )
}

fn repository() -> Repository {
    Repository::cluster(&[
        ("clusters/prod/apps.yaml", node("apps").as_str()),
        ("clusters/prod/infra.yaml", &node("infra")),
        ("apps/kustomization.yaml", "resources: [cm.yaml, base]\n"),
        ("apps/cm.yaml", &config_map("a")),
        ("apps/base/kustomization.yaml", "resources: [cm.yaml]\n"),
        ("apps/base/cm.yaml", &config_map("b")),
        ("infra/cm.yaml", &config_map("c")),
    ])
}

#[test]
fn a_file_that_is_gone_when_it_is_read_is_located_and_hides_nothing_else() {
    let whole = repository();
    let paths: Vec<String> = whole.files().into_iter().map(|(path, _)| path).collect();
    let paths = paths.iter().filter(|path| path.ends_with(".yaml") && !path.contains("flux-system"));
    let mut looked_at = 0;
    for path in paths {
        for becomes_folder in [false, true] {
            let repository = repository();
            let tree = Tree::load(repository.folder()).expect("a folder");
            fs::remove_file(repository.path(path)).expect("removed");
            if becomes_folder {
                fs::create_dir(repository.path(path)).expect("a folder");
            }
            let store = Store::new(tree);
            let clusters = resolve(&store, "", &discover(&store, &Scope::default()), None);
            let broken: Vec<&str> =
                broken_documents(&store).iter().map(|broken| store.tree().path(broken.span.file)).collect();
            assert_eq!(broken, [path.as_str()], "{path}");
            let built: Vec<String> = clusters
                .iter()
                .flat_map(|cluster| &cluster.nodes)
                .flat_map(|node| &node.applied.build.objects)
                .map(|object| object.id().name.to_string())
                .collect();
            let is_other = |file: &str| !path.starts_with(file.split('/').next().unwrap_or_default());
            for (name, file) in [("a", "apps/cm.yaml"), ("c", "infra/cm.yaml")] {
                let is_left = is_other(file) && !path.starts_with("clusters/");
                assert!(!is_left || built.iter().any(|built| built == name), "{path}: {name} of {built:?}");
            }
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 14);
}
