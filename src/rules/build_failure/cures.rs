//! What to do about a build that fails, and what the user reads of it.

use crate::{
    cluster::{Folder, Node},
    kustomize::{Error, Fault, Kustomize, ObjectId},
    rules::{
        Context,
        overlapping_path::kustomization_file,
        wording::{list, place},
    },
    situation::BuildFact,
    source::{Artifact, Entry, Span, join, parent},
};

/// What the user reads in the status, where that has words to look for.
pub(super) fn answer(error: &Error) -> String {
    match (&error.fault, &error.twice) {
        (_, Some(id)) => format!(" (`may not add resource with an already registered id: {}`)", registered(id)),
        (Fault::Listed | Fault::Misnamed, _) => " (`failed to decode Kubernetes YAML from …`)".to_owned(),
        (Fault::Missing { .. } | Fault::NoScheme, _) => " (`… no such file or directory`)".to_owned(),
        (Fault::Chart, _) => {
            " (`trouble configuring builtin HelmChartInflationGenerator …: must specify --enable-helm`)".to_owned()
        }
        (Fault::Plugin(kind), _) => {
            format!(" (`external plugins disabled; unable to load external plugin '{kind}'`)")
        }
        _ => String::new(),
    }
}

/// An id as kustomize prints it (kustomize `resid.ResId`, `String`).
fn registered(id: &ObjectId) -> String {
    let part = |text: &str, empty: &str| if text.is_empty() { empty.to_owned() } else { text.to_owned() };
    format!(
        "{}.{}.{}/{}.{}",
        id.kind,
        part(&id.version, "[noVer]"),
        part(&id.group, "[noGrp]"),
        id.name,
        part(id.namespace.as_deref().unwrap_or_default(), "[noNs]")
    )
}

/// Whether `kustomize build` of the path shows the same fault: not what Flux adds to the build, nor what it makes of a folder without a
/// kustomization file, nor what its artifact leaves out.
pub(super) fn fails_by_hand(context: &Context<'_>, node: &Node, error: &Error) -> bool {
    let Folder::Here(folder) = &node.folder else { return false };
    let added = ["components", "images", "namePrefix", "nameSuffix", "patches", "targetNamespace"];
    let spec = node.kustomization.object.node.get("spec");
    let is_plain = added.iter().all(|field| spec.is_none_or(|spec| spec.get(field).is_none()));
    let is_of_flux = match &error.fault {
        Fault::Listed
        | Fault::Misnamed
        | Fault::Chart
        | Fault::Plugin(_)
        | Fault::Limit
        | Fault::Bug
        | Fault::TooLong => true,
        Fault::Missing { .. } => is_on_disk(context, error.span),
        _ => false,
    };
    is_plain && !is_of_flux && kustomization_file(context.tree, folder).is_some()
}

/// Whether the path that is written at `span` leads somewhere in the work tree: `.sourceignore` leaves it out of the artifact, or it is
/// a symbolic link, which Flux drops.
fn is_on_disk(context: &Context<'_>, span: Span) -> bool {
    let tree = context.tree;
    let text = tree.text(span.file).and_then(|text| text.get(span.start as usize..span.end as usize));
    let path = text.and_then(|text| join(parent(tree.path(span.file)), text.trim_matches(['"', '\''])));
    path.is_some_and(|path| {
        let ends = path.char_indices().filter(|(_, letter)| *letter == '/').map(|(at, _)| at).chain([path.len()]);
        let is_link = ends.into_iter().any(|end| tree.entry(&path[..end]) == Some(Entry::Link));
        is_link || tree.entry(&path).is_some()
    })
}

/// What to do about it.
pub(super) fn cure(context: &Context<'_>, fact: &BuildFact, node: &Node, twice_listed: &[Span]) -> String {
    let (tree, error) = (context.tree, &fact.error);
    let path = if fact.span.is_some() { tree.path(fact.span.file) } else { "" };
    match (&error.fault, &error.twice) {
        (Fault::Limit, _) => "make it smaller, or split it into several Kustomizations".to_owned(),
        (Fault::Bug, _) => "report it, with what was printed on standard error".to_owned(),
        (Fault::TooLong, _) => {
            "keep files of that size elsewhere: in an image, a volume or a bucket, or in several objects".to_owned()
        }
        (Fault::Misnamed, _) => format!(
            "rename `{path}` to `kustomization.yaml`: that, `kustomization.yml` and `Kustomization` are the names that kustomize knows"
        ),
        (Fault::Listed, _) => format!(
            "move `{path}` out of the folder, or add a kustomization.yaml that lists what is to be applied; a manifest needs `apiVersion`, `kind` \
             and `metadata.name`"
        ),
        (Fault::NotKustomization, _) => format!(
            "rename `{path}`, for instance to `{}`: under its name kustomize takes it for a file of its own",
            beside(parent(path), "manifest.yaml")
        ),
        (Fault::Missing { meant: Some(meant) }, _) => {
            let is_spec = node.kustomization.object.source.file == fact.span.file;
            let from = if is_spec { "`spec.path`" } else { "the folder of this file" };
            format!("write `{meant}` at {}: paths count from {from}", place(tree, fact.span))
        }
        (Fault::Chart, _) => "install the chart with a HelmRelease, whose `spec.postRenderers` patch what it makes, or commit what \
                              `helm template` prints: no flag lets kustomize-controller run Helm"
            .to_owned(),
        (Fault::Plugin(kind), _) if kind.eq_ignore_ascii_case("ksops") => {
            "list the encrypted files as resources, and let Flux decrypt them: `spec.decryption: {provider: sops}` in the Kustomization"
                .to_owned()
        }
        (Fault::Plugin(_), _) => "commit what the plugin makes: no flag lets kustomize-controller run one".to_owned(),
        (Fault::NoScheme, _) => format!(
            "put `https://` in front of it at {}; only `github.com/…` is known without a scheme",
            place(tree, fact.span)
        ),
        (_, Some(_)) if !twice_listed.is_empty() => {
            let places: Vec<String> = twice_listed.iter().map(|span| place(tree, *span)).collect();
            format!(
                "keep one of the entries at {}, or give each of their kustomization files a `namespace`, `namePrefix` or `nameSuffix` of its own",
                list(&places)
            )
        }
        (_, Some(_)) => "give one of the two another name or namespace, or take it out of the build".to_owned(),
        _ => match component(context, error) {
            Some(component) => format!(
                "take `{component}` in where only the objects are that are meant, or let it name them (`target.name` of a patch): a component works \
                 on all that was gathered before it, whatever folder that is from"
            ),
            None => "correct the place shown".to_owned(),
        },
    }
}

/// The component whose patch, namespace or the like hits an object that lies elsewhere.
fn component(context: &Context<'_>, error: &Error) -> Option<String> {
    let tree = context.tree;
    let artifact = Artifact::new(tree, "", |_| true);
    let file = Some(error.span.file).filter(|_| error.span.is_some())?;
    let folder = parent(tree.path(file));
    let below = format!("{folder}/");
    let is_elsewhere = |span: &Span| span.is_some() && !tree.path(span.file).starts_with(&below);
    error.related.iter().find(|(span, _)| is_elsewhere(span))?;
    let file = Kustomize::kustomization_file(&artifact, folder)?;
    let document = context.store.parse(file).documents.first()?;
    (document.root.find_str(&["kind"]) == Some("Component")).then(|| folder.to_owned())
}

fn beside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
