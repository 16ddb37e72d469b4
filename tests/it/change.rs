//! Revisions of Git repositories, side by side: `fluxdag lint --since` and `fluxdag diff`.

use std::{fs, process::Command, sync::Arc};

use fluxdag::{Options, lint, source};
use serde_json::Value;

use crate::support::{Repository, SYNC, SYNC_FILE, config_map as map, corpus, entries, fixture, fluxdag, git, root};

/// A Kustomization.
fn node(name: &str, extra: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\nspec:\n  \
         interval: 1h\n  retryInterval: 1m\n  timeout: 5m\n  path: ./{name}\n  prune: true\n  sourceRef: {{kind: GitRepository, name: \
         flux-system}}\n{extra}"
    )
}

fn depends(on: &str) -> String {
    format!("  dependsOn:\n    - name: {on}\n")
}

/// A cluster of `base`, with a gate, and `apps`, which depends on it.
fn cluster() -> Vec<(&'static str, String)> {
    vec![
        (SYNC_FILE, SYNC.to_owned()),
        ("clusters/prod/base.yaml", node("base", "  wait: true\n")),
        ("clusters/prod/apps.yaml", node("apps", &depends("base"))),
        ("base/map.yaml", map("base")),
        ("apps/map.yaml", map("apps")),
    ]
}

/// The rules of the findings that are not suppressed.
fn rules(json: &Value) -> Vec<String> {
    let shown = json["findings"].as_array().unwrap().iter().filter(|finding| finding["suppressed"].is_null());
    shown.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_revision_is_analysed_as_its_checkout_is() {
    for folder in entries(&fixture("")) {
        let repository = Repository::empty().under_git();
        repository.fill(&folder);
        repository.commit("all");
        repository.git(&["gc", "--quiet"]);
        let paths = [repository.folder().to_owned()];
        let head = source::Repository::around(repository.folder()).unwrap().revision("HEAD").unwrap();
        let of_revision = Options { revision: Some(Arc::new(head)), ..Options::default() };
        let found = |options: &Options| match lint(&paths, options) {
            Ok(analysis) => {
                let tree = &analysis.tree;
                let place = |finding: &fluxdag::finding::Finding| {
                    let at =
                        finding.location.span().map(|span| (tree.path(span.file).to_owned(), span.start, span.end));
                    (at, finding.rule, finding.message.clone(), finding.fingerprint.clone())
                };
                Ok(analysis.findings.iter().map(place).collect::<Vec<_>>())
            }
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(found(&of_revision), found(&Options::default()), "{}", folder.display());
    }
}

#[test]
fn a_fix_shows_what_it_mends_and_what_it_saves() {
    let repository = Repository::empty().under_git();
    repository.fill(&fixture("heavy-in-wait"));
    repository.commit("before");
    repository.fill(&fixture("heavy-in-wait-fixed"));
    repository.commit("after");
    let recipe = ["lint", "--since", "HEAD~1", "--fail-on", "warning"];
    let fixed = repository.run(&recipe);
    assert_eq!(fixed.code, 0, "{}", fixed.out);
    let done = repository.run(&["diff", "HEAD~1", "HEAD", "-o", "markdown"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for words in [
        "0 new findings, ",
        "#### Fixed findings",
        "warning\\[heavy-in-wait\\]",
        "#### Cold start, on slow hardware",
        " min earlier",
        "no longer so: Kustomization/flux-system/core waits until HelmRelease/",
        "```mermaid\nflowchart LR\n  n0",
        "#### Reach of ",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    let json = repository.json(&["diff", "HEAD~1", "HEAD"]);
    let core = json["clusters"][0]["cold_start"]["nodes"].as_array().unwrap();
    let core = core.iter().find(|node| node["node"]["name"] == "core").unwrap();
    let seconds = |side: &str| core["ready"][side]["typical_s"].as_u64().unwrap();
    assert!(seconds("before") > seconds("after") + 300, "{core}");
    assert_eq!(json["summary"]["new"], 0);

    // The other way round it does not get in.
    repository.fill(&fixture("heavy-in-wait"));
    let reverse = repository.run(&recipe.map(|word| if word == "HEAD~1" { "HEAD" } else { word }));
    assert_eq!(reverse.code, 1, "{}", reverse.out);
    assert!(reverse.out.contains("heavy-in-wait") && reverse.out.contains("path-regression"), "{}", reverse.out);
    let text = repository.run(&["diff", "HEAD", "--fail-on", "warning"]);
    assert_eq!(text.code, 1, "{}", text.out);
    assert!(text.out.contains("now Kustomization/flux-system/core waits until HelmRelease/"), "{}", text.out);
}

#[test]
fn the_origin_repository_shows_its_fix() {
    let Some(corpus) = corpus() else { return };
    let repository = Repository::empty().under_git();
    repository.fill(&corpus.join("tazlab-dag-fix/before"));
    repository.commit("before");
    repository.fill(&corpus.join("tazlab-dag-fix/after"));
    repository.commit("after");
    assert_eq!(repository.run(&["lint", "--since", "HEAD~1", "--fail-on", "warning"]).code, 0);
    let done = repository.run(&["diff", "HEAD~1", "-o", "markdown"]);
    assert_eq!(done.code, 0);
    assert!(done.out.contains("0 new findings, 4 fixed") && done.out.len() < 65_536, "{}", done.out);
    assert!(done.out.contains("`Kustomization/flux-system/apps-static` is Ready after"), "{}", done.out);
    let culprit = "waits until HelmRelease/monitoring/kube-prometheus-stack is Ready";
    assert!(done.out.contains(culprit), "{}", done.out);
    repository.fill(&corpus.join("tazlab-dag-fix/before"));
    let reverse = repository.run(&["lint", "--since", "main", "--fail-on", "warning", "-o", "concise"]);
    assert_eq!(reverse.code, 1);
    assert!(reverse.out.contains("warning[heavy-in-wait]"), "{}", reverse.out);
}

#[test]
fn only_what_is_new_counts() {
    let mut files = cluster();
    files.push(("clusters/prod/old.yaml", node("old", &depends("nowhere"))));
    files.push(("old/map.yaml", map("old")));
    let repository = Repository::committed(&files);
    assert_eq!(repository.run(&["lint"]).code, 1, "what was there fails a plain run");
    let known = repository.run(&["lint", "--since", "HEAD"]);
    assert_eq!(known.code, 0, "{}", known.out);
    assert!(
        known.out.contains("no problems found") && known.out.contains("1 known before and hidden"),
        "{}",
        known.out
    );
    let json = repository.json(&["lint", "--since", "HEAD"]);
    assert_eq!(rules(&json), [""; 0]);
    let marked = &json["findings"][0];
    assert_eq!((&marked["rule"], &marked["suppressed"]["kind"]), (&"dangling-dependency".into(), &"known".into()));

    repository.write("clusters/prod/new.yaml", node("new", &depends("nowhere")));
    repository.write("new/map.yaml", map("new"));
    let json = repository.json(&["lint", "--since", "HEAD"]);
    assert_eq!(rules(&json), ["dangling-dependency"]);
    assert_eq!(repository.run(&["lint", "--since", "HEAD"]).code, 1);
    assert_eq!(repository.run(&["lint", "--since", "HEAD", "--exit-zero"]).code, 0);
}

#[test]
fn edits_that_change_nothing_and_renames_are_nothing_new() {
    let mut files = cluster();
    files.push(("clusters/prod/old.yaml", node("old", &depends("nowhere"))));
    files.push(("old/map.yaml", map("old")));
    files.push(("apps/broken.yaml", "a: [1\n".to_owned()));
    let repository = Repository::committed(&files);
    assert_eq!(repository.run(&["lint"]).code, 1);
    let nothing = |what: &str| {
        let json = repository.json(&["lint", "--since", "HEAD", "--min-severity", "info"]);
        assert_eq!(rules(&json), [""; 0], "{what}");
        assert_eq!(repository.run(&["lint", "--since", "HEAD", "--fail-on", "info"]).code, 0, "{what}");
    };
    repository.write("clusters/prod/old.yaml", format!("# a comment\n\n{}\n", node("old", &depends("nowhere"))));
    nothing("lines and comments");
    repository.git(&["checkout", "--quiet", "."]);
    repository.git(&["mv", "clusters/prod/old.yaml", "clusters/prod/other.yaml"]);
    repository.git(&["mv", "apps/broken.yaml", "apps/still-broken.yaml"]);
    nothing("other names");
    repository.git(&["reset", "--quiet", "--hard"]);
    fs::create_dir(repository.folder().join("clusters/prod/sub")).unwrap();
    repository.git(&["mv", "clusters/prod/old.yaml", "clusters/prod/sub/old.yaml"]);
    nothing("another folder");
    repository.git(&["reset", "--quiet", "--hard"]);
    repository.write("clusters/prod/old.yaml", node("old", &depends("nowhere")).replace('\n', "\r\n"));
    let json = repository.json(&["diff", "HEAD"]);
    assert_eq!((&json["summary"]["new"], &json["summary"]["files"]), (&0.into(), &0.into()), "other line ends");
}

#[test]
fn a_cycle_fails_a_plain_run() {
    let repository = Repository::committed(&cluster());
    assert_eq!(repository.run(&["lint"]).code, 0);
    repository.write("clusters/prod/base.yaml", node("base", &format!("  wait: true\n{}", depends("apps"))));
    assert_eq!(repository.run(&["lint"]).code, 1);
    let since = repository.run(&["lint", "--since", "main", "-o", "concise"]);
    assert_eq!(since.code, 1);
    assert!(since.out.contains("error[dependency-cycle]"), "{}", since.out);
    let diff = repository.run(&["diff", "main", "-o", "markdown"]);
    assert_eq!(diff.code, 1);
    assert!(
        diff.out.contains("### fluxdag: 1 of 3 Kustomizations and HelmReleases become Ready, 3 of 3 before; 1 new"),
        "{}",
        diff.out
    );
    assert!(diff.out.contains("- stops 2, new: "), "{}", diff.out);
    assert!(diff.out.contains(":::failing") && diff.out.contains("+ is needed by"), "{}", diff.out);
    // What never happens makes nothing faster.
    assert!(!diff.out.contains("s less"), "{}", diff.out);
}

#[test]
fn a_deletion_that_others_need_is_caught() {
    let repository = Repository::committed(&cluster());
    repository.remove("clusters/prod/base.yaml");
    repository.remove("base/map.yaml");
    repository.commit("delete base");
    let done = repository.run(&["lint", "--since", "HEAD~1", "-o", "concise"]);
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(done.out.contains("error[dangling-dependency]"), "{}", done.out);
    let json = repository.json(&["diff", "HEAD~1"]);
    let gone = json["clusters"][0]["nodes"].as_array().unwrap();
    assert!(gone.iter().any(|node| node["node"]["name"] == "base" && node["change"] == "removed"), "{json}");
    let reach = json["reach"][0].to_string();
    assert!(reach.contains("\"name\":\"apps\""), "what needed it before: {reach}");
    // One file of a folder that is built by name.
    let repository = Repository::committed(&cluster());
    repository.write("apps/kustomization.yaml", "resources: [map.yaml]\n");
    repository.commit("list");
    repository.remove("apps/map.yaml");
    let done = repository.run(&["lint", "--since", "HEAD", "-o", "concise"]);
    assert_eq!(done.code, 1);
    assert!(done.out.contains("build-failure"), "{}", done.out);
}

/// Markdown without its code, as CommonMark reads it: what a number of backticks begins, as many end.
fn without_code(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let length = rest[at..].chars().take_while(|letter| *letter == '`').count();
        let (fence, behind) = rest[at..].split_at(length);
        let is_escaped = out.ends_with('\\');
        let mut end = behind.match_indices('`').map(|(index, _)| index).filter(|index| {
            let run = behind[*index..].chars().take_while(|letter| *letter == '`').count();
            run == length && !behind[..*index].ends_with('`')
        });
        rest = match end.next().filter(|_| !is_escaped) {
            Some(end) => &behind[end + fence.len()..],
            None => behind,
        };
    }
    out + rest
}

#[test]
fn hostile_names_stay_names() {
    let repository = Repository::committed(&cluster());
    let name = "x\"]:::a%%<script>@everyone `![i](http:\\/\\/e.example)`";
    let hostile = node("apps", &depends("base")).replace("name: apps", &format!("name: '{name}'"));
    repository.write("clusters/prod/evil.yaml", &hostile);
    repository.write("clusters/prod/more.yaml", node("more", &depends("'a b|<b> @me #12'")));
    repository.write("more/map.yaml", map("more"));
    let markdown = repository.run(&["diff", "main", "-o", "markdown"]).out;
    let outside_code = without_code(&markdown);
    for wrong in ["<script", "<b>", "@everyone", "@me ", " #12", "](http"] {
        assert!(!outside_code.contains(wrong), "{wrong}: {outside_code}");
    }
    let (_, drawing) = markdown.split_once("```mermaid\n").unwrap();
    let (drawing, rest) = drawing.split_once("\n```\n").unwrap();
    assert!(!rest.contains("```"), "{rest}");
    for line in drawing.lines().filter(|line| line.trim_start().starts_with('n')) {
        assert!(line.matches('"').count() == 2 && !line.contains('<') && !line.contains('%'), "{line}");
    }
    let text = repository.run(&["diff", "main"]);
    assert!(!text.out.contains('\u{1b}'), "{}", text.out);
}

#[test]
fn the_merge_base_is_what_a_branch_began_with() {
    let repository = Repository::committed(&cluster());
    repository.git(&["checkout", "--quiet", "-b", "feature"]);
    repository.write("apps/more.yaml", map("more"));
    repository.commit("feature");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("clusters/prod/old.yaml", node("old", &depends("base")));
    repository.write("old/map.yaml", map("old"));
    repository.commit("main goes on");
    repository.git(&["checkout", "--quiet", "feature"]);
    // Seen from main itself, the branch takes a Kustomization away.
    let exact = repository.json(&["diff", "main"]);
    assert!(exact["clusters"][0]["nodes"].to_string().contains("\"change\":\"removed\""), "{exact}");
    let own = repository.json(&["diff", "--merge-base", "main"]);
    assert!(!own["clusters"][0]["nodes"].to_string().contains("\"change\":\"removed\""), "{own}");
    for (range, same) in
        [("main..feature", &["main", "feature"][..]), ("main...feature", &["--merge-base", "main", "feature"])]
    {
        let summary = |arguments: &[&str]| repository.json(&[&["diff"], arguments].concat())["clusters"].clone();
        assert_eq!(summary(&[range]), summary(same));
    }
    let info = ["--min-severity", "info", "-o", "concise"];
    let since = repository.run(&[&["lint", "--since", "main"], &info[..]].concat());
    assert!(!since.out.contains("removed-kustomization"), "{}", since.out);
    let exact = repository.run(&[&["lint", "--since", "main", "--no-merge-base"], &info[..]].concat());
    assert!(exact.out.contains("removed-kustomization"), "{}", exact.out);
}

#[test]
fn clones_of_every_kind_are_read() {
    let repository = Repository::committed(&cluster());
    repository.write("clusters/prod/base.yaml", node("base", &format!("  wait: true\n{}", depends("apps"))));
    repository.commit("cycle");
    repository.git(&["gc", "--quiet", "--prune=now"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let bare = elsewhere.path().join("bare.git");
    let shallow = elsewhere.path().join("shallow");
    let url = format!("file://{}", repository.folder().display());
    git(elsewhere.path(), &["clone", "--quiet", "--bare", &url, "bare.git"]);
    git(elsewhere.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    let worktree = elsewhere.path().join("worktree");
    repository.git(&["worktree", "add", "--quiet", worktree.to_str().unwrap(), "HEAD"]);

    assert_eq!(fluxdag(&worktree, &["lint", "--since", "HEAD~1"]).code, 1);
    repository.git(&["tag", "--annotate", "--message", "one", "v1", "HEAD~1"]);
    let short = repository.git(&["rev-parse", "--short", "HEAD~1"]);
    for name in ["v1", "main^", short.as_str(), "refs/tags/v1"] {
        let done = repository.run(&["lint", "--since", name]);
        assert_eq!(done.code, 1, "{name}: {}", done.err);
    }
    let done = fluxdag(&bare, &["diff", "HEAD~1", "HEAD"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    assert!(done.out.contains("dependency-cycle"));
    for arguments in [&["diff", "HEAD~1"][..], &["lint", "--since", "HEAD~1"]] {
        let done = fluxdag(&bare, arguments);
        assert!(done.code == 2 && done.err.contains("is a bare repository"), "{}", done.err);
    }
    let done = fluxdag(&shallow, &["lint", "--since", "HEAD~1"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("shallow") && done.err.contains("fetch-depth: 0"), "{}", done.err);
    let done = fluxdag(&shallow, &["lint", "--since", "main"]);
    assert_eq!(done.code, 0, "the one commit there is: {}", done.err);
    let done = repository.run(&["lint", "--since", "nowhere"]);
    assert!(done.code == 2 && done.err.contains("there is no revision `nowhere`"), "{}", done.err);
    let plain = tempfile::tempdir().unwrap();
    let done = fluxdag(plain.path(), &["lint", "--since", "main"]);
    assert!(done.code == 2 && done.err.contains("no Git repository"), "{}", done.err);
}

/// Takes a loose object out of the clone.
fn lose(repository: &Repository, name: &str) {
    let id = repository.git(&["rev-parse", name]);
    let (folder, file) = id.split_at(2);
    fs::remove_file(repository.folder().join(".git/objects").join(folder).join(file)).unwrap();
}

#[test]
fn what_flux_does_not_see_is_not_read_and_what_it_does_has_to_be_there() {
    let mut files = cluster();
    files.push(("docs/picture.bin", "x".to_owned()));
    let repository = Repository::committed(&files);
    repository.write("docs/picture.bin", "y");
    lose(&repository, "HEAD:docs/picture.bin");
    let done = repository.run(&["diff", "HEAD"]);
    assert_eq!(done.code, 0, "{}", done.err);
    lose(&repository, "HEAD:apps/map.yaml");
    for arguments in [&["diff", "HEAD"][..], &["lint", "--since", "HEAD"]] {
        let done = repository.run(arguments);
        assert!(done.code == 2 && done.err.contains("this clone lacks `apps/map.yaml`"), "{}", done.err);
    }
}

#[test]
fn a_tree_that_stands_for_any_number_of_files_is_refused() {
    let repository = Repository::committed(&cluster());
    let tree = |lines: String| {
        let file = repository.folder().join(".git/lines");
        fs::write(&file, lines).unwrap();
        let mut command = Command::new("git");
        let command = command.arg("mktree").current_dir(repository.folder()).stdin(fs::File::open(file).unwrap());
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let blob = repository.git(&["rev-parse", "HEAD:apps/map.yaml"]);
    let entries = |kind: &str, id: &str, end: &str| -> String {
        (0..10).map(|index| format!("{kind} {id}\t{index}{end}\n")).collect()
    };
    let mut id = tree(entries("100644 blob", &blob, ".yaml"));
    for _ in 0..8 {
        id = tree(entries("040000 tree", &id, ""));
    }
    let commit = repository.git(&["commit-tree", "-m", "bomb", &id]);
    let done = repository.run(&["diff", &commit]);
    assert!(done.code == 2 && done.err.contains("are those of one folder under other names"), "{}", done.err);
}

#[test]
fn submodules_are_told_and_links_are_not_followed() {
    let other = Repository::committed(&[("map.yaml", map("other"))]);
    let repository = Repository::committed(&cluster());
    repository.git(&["submodule", "--quiet", "add", other.folder().to_str().unwrap(), "vendor/other"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../base/map.yaml", repository.folder().join("apps/link.yaml")).unwrap();
    repository.commit("submodule");
    let done = repository.run(&["diff", "HEAD", "HEAD"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("vendor/other is a submodule"), "{}", done.err);
    assert!(done.out.contains("no cluster is built otherwise"), "{}", done.out);
    // The work tree has its files; what is wrong in them is not new.
    repository.write("vendor/other/broken.yaml", "a: [1\nkind: Kustomization\n");
    repository.write("vendor/other/ks.yaml", node("stray", &depends("nowhere")));
    let since = repository.run(&["lint", "--since", "HEAD", "--min-severity", "info", "-o", "concise"]);
    assert_eq!(since.code, 0, "{}", since.out);
    assert!(since.err.contains("vendor/other is a submodule"), "{}", since.err);
    let diff = repository.run(&["diff", "HEAD"]);
    assert!(diff.err.contains("a revision is read without it, so that a work tree has more"), "{}", diff.err);
}

#[test]
fn a_cluster_may_be_new_or_gone() {
    let repository = Repository::committed(&[("README.md", "x".to_owned())]);
    for (path, text) in cluster() {
        repository.write(path, &text);
    }
    repository.commit("cluster");
    let new = repository.json(&["diff", "HEAD~1", "HEAD"]);
    assert_eq!(new["clusters"][0]["change"], "added");
    let gone = repository.json(&["diff", "HEAD", "HEAD~1"]);
    assert_eq!(gone["clusters"][0]["change"], "removed");
    assert_eq!(repository.run(&["lint", "--since", "HEAD~1"]).code, 0);
    // Nothing left is nothing to check, as in any other run.
    repository.git(&["rm", "--quiet", "-r", "clusters", "apps", "base"]);
    for arguments in [&["lint", "--since", "HEAD"][..], &["lint", "nowhere", "--since", "HEAD"]] {
        assert_eq!(repository.run(arguments).code, 2);
    }
    assert_eq!(repository.run(&["lint", "--since", "HEAD", "--allow-empty"]).code, 0);
    assert_eq!(repository.run(&["diff", "HEAD"]).code, 0);
    repository.git(&["reset", "--quiet", "--hard"]);
    let narrow = repository.run(&["lint", "clusters/prod", "--since", "HEAD~1"]);
    assert_eq!(narrow.code, 0, "{}", narrow.err);
    assert_eq!(repository.run(&["diff", "HEAD~1", "-C", "clusters/prod"]).code, 0);
}

#[test]
fn edges_and_gates_are_told() {
    let repository = Repository::committed(&cluster());
    repository.write("clusters/prod/base.yaml", node("base", "").replace("timeout: 5m", "timeout: 7m"));
    repository.write("clusters/prod/apps.yaml", node("apps", ""));
    let json = repository.json(&["diff", "HEAD"]);
    let cluster = &json["clusters"][0];
    assert_eq!(cluster["edges"].as_array().unwrap().len(), 1);
    let edge = &cluster["edges"][0];
    assert_eq!(
        (&edge["kind"], &edge["to"]["name"], &edge["change"]),
        (&"dependsOn".into(), &"base".into(), &"removed".into())
    );
    let gates: Vec<_> = cluster["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| (&gate["field"], &gate["value"]["before"], &gate["value"]["after"]))
        .collect();
    assert_eq!(
        gates,
        [(&"wait".into(), &"true".into(), &Value::Null), (&"timeout".into(), &"5m".into(), &"7m".into())]
    );
}

#[test]
fn output_does_not_depend_on_threads_or_the_working_directory() {
    let repository = Repository::committed(&cluster());
    repository.remove("clusters/prod/base.yaml");
    let one = repository.run(&["lint", "--since", "HEAD", "-o", "json", "--threads", "1"]);
    let many = repository.run(&["lint", "--since", "HEAD", "-o", "json", "--threads", "4"]);
    assert_eq!(one.out, many.out);
    let here = repository.run(&["diff", "HEAD", "-o", "markdown"]);
    let path = repository.folder().to_str().unwrap();
    let there = fluxdag(root(), &["diff", "HEAD", "-o", "markdown", "-C", path]);
    assert_eq!(here.out, there.out);
}

/// A HelmRelease of a chart, and its repository.
fn release(chart: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts, namespace: flux-system}}\nspec: {{interval: \
         1h, url: 'https://charts.example.org'}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: thing, \
         namespace: flux-system}}\nspec:\n  interval: 1h\n  timeout: 30m\n  chart:\n    spec:\n      chart: {chart}\n      sourceRef: {{kind: \
         HelmRepository, name: charts}}\n"
    )
}

#[test]
fn the_culprit_is_what_is_new_what_waits_or_what_takes_longer() {
    let slow = || node("base", "  wait: true\n").replace("timeout: 5m", "timeout: 40m");
    let regression = |repository: &Repository| {
        let json = repository.json(&["lint", "--since", "HEAD"]);
        let found = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "path-regression");
        found.unwrap_or_else(|| panic!("{json}"))["message"].as_str().unwrap().to_owned()
    };
    let mut files = cluster();
    files[1].1 = slow();
    let repository = Repository::committed(&files);
    repository.write("base/release.yaml", release("kube-prometheus-stack"));
    let new = regression(&repository);
    assert!(new.ends_with("HelmRelease/flux-system/thing is new"), "{new}");

    repository.write("base/release.yaml", release("metrics-server"));
    repository.commit("a small chart");
    repository.write("base/release.yaml", release("kube-prometheus-stack"));
    let takes = regression(&repository);
    assert!(takes.contains("HelmRelease/flux-system/thing takes about") && takes.ends_with("longer"), "{takes}");

    repository.write("clusters/prod/base.yaml", slow().replace("  wait: true\n", ""));
    repository.commit("no gate");
    repository.write("clusters/prod/base.yaml", slow());
    let waits = regression(&repository);
    assert!(
        waits.ends_with(
            "now Kustomization/flux-system/base waits until HelmRelease/flux-system/thing is Ready (`wait: true`)"
        ),
        "{waits}"
    );
    let gain = repository.run(&["diff", "HEAD", "HEAD~1"]);
    assert!(gain.out.contains("Cold start"), "{}", gain.out);
}

#[test]
fn what_never_came_about_before_is_no_regression() {
    let mut files = cluster();
    let straight = files[1].1.clone();
    files[1].1 = node("base", &format!("  wait: true\n{}", depends("apps")));
    files[2].1 = node("apps", &format!("  wait: true\n{}", depends("base"))).replace("timeout: 5m", "timeout: 40m");
    files.push(("apps/release.yaml", release("kube-prometheus-stack")));
    let repository = Repository::committed(&files);
    repository.write("clusters/prod/base.yaml", &straight);
    let fixed = repository.run(&["lint", "--since", "HEAD", "--fail-on", "warning"]);
    assert_eq!(fixed.code, 0, "{}", fixed.out);
    let diff = repository.run(&["diff", "HEAD"]);
    assert!(diff.out.contains("becomes Ready, and never did before") && diff.out.contains("1 fixed"), "{}", diff.out);
}

#[test]
fn a_dependency_that_was_nowhere_is_mended_not_a_regression() {
    let mut files = cluster();
    files[1].1 = node("base", "  wait: true\n").replace("timeout: 5m", "timeout: 40m");
    files.push(("base/release.yaml", release("kube-prometheus-stack")));
    files.push(("clusters/prod/web.yaml", node("web", &depends("apps"))));
    files.push(("web/map.yaml", map("web")));
    let good = files[1].1.clone();
    let repository = Repository::committed(&files);
    // What it depends on was not there.
    repository.remove("clusters/prod/base.yaml");
    repository.commit("gone");
    repository.write("clusters/prod/base.yaml", &good);
    let fixed = repository.run(&["lint", "--since", "HEAD", "--fail-on", "warning"]);
    assert_eq!(fixed.code, 0, "{}", fixed.out);
    // The entry had another name.
    repository.write("clusters/prod/apps.yaml", node("apps", &depends("bsae")));
    repository.commit("a slip");
    repository.write("clusters/prod/apps.yaml", node("apps", &depends("base")));
    let fixed = repository.run(&["lint", "--since", "HEAD", "--fail-on", "warning"]);
    assert_eq!(fixed.code, 0, "{}", fixed.out);
    // There was none.
    repository.write("clusters/prod/apps.yaml", node("apps", ""));
    repository.commit("none");
    repository.write("clusters/prod/apps.yaml", node("apps", &depends("base")));
    let slower = repository.run(&["lint", "--since", "HEAD", "--fail-on", "warning"]);
    assert!(slower.code == 1 && slower.out.contains("warning[path-regression]"), "{}", slower.out);
}

#[test]
fn what_depends_on_what_is_gone_is_never_ready_and_not_sooner() {
    let mut files = cluster();
    files[1].1 = node("base", "  wait: true\n").replace("timeout: 5m", "timeout: 40m");
    files.push(("base/release.yaml", release("kube-prometheus-stack")));
    let repository = Repository::committed(&files);
    repository.remove("clusters/prod/base.yaml");
    let diff = repository.run(&["diff", "HEAD"]);
    assert!(
        diff.code == 1
            && diff.out.contains("\n1 of 2 Kustomizations and HelmReleases become Ready, 4 of 4 before; 1 new"),
        "{}",
        diff.out
    );
    assert!(diff.out.contains("  stops 1, new: Kustomization/flux-system/apps depends on"), "{}", diff.out);
    assert!(!diff.out.contains("earlier"), "{}", diff.out);
}

#[test]
fn histories_without_a_common_ancestor_are_told_what_to_do() {
    let repository = Repository::committed(&cluster());
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.commit("other");
    for arguments in [&["lint", "--since", "main"][..], &["diff", "main...other"]] {
        let done = repository.run(arguments);
        assert_eq!(done.code, 2);
        assert!(done.err.contains("`main` and `") && done.err.contains("--no-merge-base"), "{}", done.err);
    }
    assert_eq!(repository.run(&["lint", "--since", "main", "--no-merge-base"]).code, 0);
}

#[test]
fn what_nobody_waited_for_is_not_new() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: default}\nspec:\n  \
                 storageClassName: slow\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: slow}\nprovisioner: example.org/slow\n\
                 volumeBindingMode: Immediate\n";
    let mut files = cluster();
    files[1].1 = node("base", "  wait: true\n").replace("timeout: 5m", "timeout: 40m");
    files[2].1 = node("apps", "");
    files.push(("base/release.yaml", release("kube-prometheus-stack")));
    files.push(("clusters/prod/storage.yaml", node("storage", &depends("base"))));
    files.push(("storage/class.yaml", class.to_owned()));
    files.push(("apps/claim.yaml", claim.to_owned()));
    let repository = Repository::committed(&files);
    repository.write("clusters/prod/apps.yaml", node("apps", "  wait: true\n"));
    let diff = repository.run(&["diff", "HEAD"]);
    assert!(diff.out.contains("later") && !diff.out.contains("is new"), "{}", diff.out);
    let flat = diff.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("now Kustomization/flux-system/apps waits until PersistentVolumeClaim/default/data"),
        "{flat}"
    );
}

#[test]
fn one_that_waits_longer_alone_is_advice() {
    let severity = |repository: &Repository| {
        let json = repository.json(&["lint", "--since", "HEAD", "--min-severity", "info"]);
        let found = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "path-regression");
        found.unwrap_or_else(|| panic!("{json}"))["severity"].as_str().unwrap().to_owned()
    };
    let mut files = cluster();
    files[1].1 = node("base", "  wait: true\n").replace("timeout: 5m", "timeout: 40m");
    files[2].1 = node("apps", "");
    files.push(("base/release.yaml", release("kube-prometheus-stack")));
    let repository = Repository::committed(&files);
    repository.write("clusters/prod/apps.yaml", node("apps", &depends("base")));
    assert_eq!(severity(&repository), "info");
    // What waits for it did not ask for that.
    repository.write("clusters/prod/web.yaml", node("web", &depends("apps")));
    repository.write("web/map.yaml", map("web"));
    repository.git(&["stash", "--quiet", "--", "clusters/prod/apps.yaml"]);
    repository.commit("web");
    repository.git(&["stash", "pop", "--quiet"]);
    assert_eq!(severity(&repository), "warning");
}

#[test]
fn an_owner_that_changes_is_told_with_the_safe_order() {
    let repository = Repository::committed(&cluster());
    repository.write(
        "base/claim.yaml",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: default}\n\
         spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    );
    repository.commit("claim");
    repository.git(&["mv", "base/claim.yaml", "apps/claim.yaml"]);
    let json = repository.json(&["lint", "--since", "HEAD"]);
    assert_eq!(rules(&json), ["ownership-move"]);
    let help = json["findings"][0]["help"].as_str().unwrap();
    assert!(help.contains("set `prune: false` on Kustomization/flux-system/base;"), "{help}");
    assert_eq!(
        repository.run(&["lint", "--since", "HEAD"]).code,
        1,
        "the new owner waits, so the claim goes: an error"
    );
    // Between two that do not wait for each other it is a race.
    repository.write("clusters/prod/apps.yaml", node("apps", ""));
    assert_eq!(repository.run(&["lint", "--since", "HEAD"]).code, 0, "a warning");
    assert_eq!(repository.run(&["lint", "--since", "HEAD", "--fail-on", "warning"]).code, 1);
}
