//! `fluxdag timeline` and `fluxdag what-if` as processes.

use std::process::Command;

use serde_json::Value;

const GATE: &str = "fixtures/heavy-in-wait";

struct Done {
    code: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxdag"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("LC_ALL", "C.UTF-8");
    if let Some(windows) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", windows);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace('\r', "");
    Done { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn json(arguments: &[&str]) -> Value {
    let done = run(&[arguments, &["-o", "json"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    serde_json::from_str(&done.out).unwrap()
}

fn node<'v>(cluster: &'v Value, kind: &str, name: &str) -> &'v Value {
    let nodes = cluster["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["kind"] == kind && node["name"] == name).unwrap()
}

#[test]
fn a_timeline_tells_what_is_needed_and_what_the_controllers_make_of_it() {
    let timeline = json(&["timeline", "-C", GATE]);
    let cluster = &timeline["clusters"][0];
    assert_eq!((&cluster["cluster"], &cluster["profile"]), (&"clusters/home".into(), &"slow".into()));
    let core = node(cluster, "Kustomization", "core");
    assert_eq!(core["analytic"]["on_critical_path"], true);
    // Its timeout of 5 min is half of what it needs: it gives up and tries again.
    let analytic = core["analytic"]["ready_s"]["typical"].as_u64().unwrap();
    assert!((540..=720).contains(&analytic), "{analytic}");
    assert!(!core["simulated"]["timed_out"].as_array().unwrap().is_empty());
    assert!(core["simulated"]["attempts"].as_u64().unwrap() > 1);
    assert!(core["simulated"]["ready_s"].as_u64().unwrap() > analytic);
    let chart = node(cluster, "HelmRelease", "kube-prometheus-stack");
    assert!(chart["duration_origin"].as_str().unwrap().contains("catalogue"));
    let names: Vec<&str> =
        cluster["critical_path"].as_array().unwrap().iter().map(|subject| subject["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"kube-prometheus-stack"), "{names:?}");
    let shares = cluster["critical_path_shares_s"].as_array().unwrap();
    let sum: u64 = shares.iter().map(|share| share["seconds"].as_u64().unwrap()).sum();
    assert!(sum.abs_diff(cluster["total_s"]["typical"].as_u64().unwrap()) <= shares.len() as u64);
}

#[test]
fn a_timeline_ends_where_it_is_asked_to_and_fits_a_terminal() {
    let all = run(&["timeline", "-C", GATE]);
    assert!(all.out.lines().all(|line| line.chars().count() <= 100), "{}", all.out);
    assert!(all.out.contains("gives up at its timeout after"), "{}", all.out);
    let issuers = json(&["timeline", "--to", "issuers", "-C", GATE]);
    let cluster = &issuers["clusters"][0];
    assert_eq!(cluster["to"]["name"], "issuers");
    assert!(cluster["nodes"].as_array().unwrap().iter().all(|node| node["name"] != "blog"));
    let wrong = run(&["timeline", "--to", "isuers", "-C", GATE]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean"), "{}", wrong.err);
}

#[test]
fn many_runs_are_the_same_for_the_same_seed() {
    let total = |seed: &str| {
        json(&["timeline", "--runs", "50", "--seed", seed, "-C", GATE])["clusters"][0]["monte_carlo"].clone()
    };
    let one = total("1");
    assert_eq!(one, total("1"));
    assert_ne!(one["p50_s"], total("2")["p50_s"]);
    assert!(one["p90_s"].as_u64() >= one["p50_s"].as_u64());
}

#[test]
fn many_runs_tell_what_is_critical_how_often() {
    let timeline = json(&["timeline", "--runs", "50", "-C", GATE]);
    let nodes = timeline["clusters"][0]["nodes"].as_array().unwrap();
    let shares: Vec<f64> =
        nodes.iter().map(|node| node["monte_carlo"]["critical_share"].as_f64().expect("a share")).collect();
    assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
    assert!(shares.iter().any(|share| *share > 0.5) && shares.iter().any(|share| *share < 0.5), "{shares:?}");
    let once = json(&["timeline", "-C", GATE]);
    assert!(once["clusters"][0]["nodes"].as_array().unwrap().iter().all(|node| node["monte_carlo"].is_null()));
    let text = run(&["timeline", "--runs", "50", "-C", GATE]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Most often on the path to the last Ready: "), "{text}");
}

#[test]
fn hardware_decides_the_minutes() {
    let total = |profile: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("fluxdag.toml");
        std::fs::write(&config, format!("profile = \"{profile}\"\n")).unwrap();
        let timeline = json(&["timeline", "-C", GATE, "--config", config.to_str().unwrap()]);
        assert_eq!(timeline["clusters"][0]["profile"], profile);
        timeline["clusters"][0]["total_s"]["typical"].as_u64().unwrap()
    };
    assert!(total("slow") > 2 * total("fast"));
}

#[test]
fn a_commit_holds_up_what_depends_on_what_it_changes() {
    let commit = json(&["timeline", "--commit", "infrastructure/traefik/release.yaml", "-C", GATE]);
    let cluster = &commit["clusters"][0];
    let of = |name: &str| {
        let nodes = cluster["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["node"]["name"] == name).unwrap()
    };
    assert_eq!((&of("core")["changed"], &of("blog")["changed"]), (&true.into(), &false.into()));
    let ready = |name: &str| of(name)["ready_s"].as_u64().unwrap();
    assert!(ready("blog") > ready("core") && ready("namespaces") < ready("core"));
    let nothing = run(&["timeline", "--commit", "README.md", "-C", GATE]);
    assert!(nothing.code == 0 && nothing.out.contains("No Kustomization is built from that"), "{}", nothing.out);
    let missing = run(&["timeline", "--commit", "nowhere.yaml", "-C", GATE]);
    assert_eq!(missing.code, 2);
}

#[test]
fn a_change_is_told_in_both_layers() {
    let split = json(&["what-if", "--split", "core", "-C", GATE]);
    let ready = |node: &Value, when: &str| node["ready_s"][when]["typical"].as_u64();
    let blog = split["nodes"].as_array().unwrap().iter().find(|node| node["node"]["name"] == "blog").unwrap();
    assert!(ready(blog, "after") < ready(blog, "before"));
    let timeout = json(&["what-if", "--timeout", "core=30m", "-C", "fixtures/timeout-below-content"]);
    assert_eq!(timeout["total_s"]["before"], timeout["total_s"]["after"], "what is needed stays the same");
    let simulated = |when: &str| timeout["simulated"][when]["total_s"].as_u64().unwrap();
    assert!(simulated("after") < simulated("before"), "but no attempt fails any more");
    let fail = json(&["what-if", "--fail", "issuers", "-C", GATE]);
    let blog = fail["nodes"].as_array().unwrap().iter().find(|node| node["node"]["name"] == "blog").unwrap();
    assert_eq!(ready(blog, "after"), None);
    assert_eq!(fail["simulated"], Value::Null);
}

#[test]
fn what_is_never_ready_then_is_no_gain() {
    let said = |arguments: &[&str]| {
        let done = run(&[&["what-if", "-C", GATE], arguments].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for breaks in [["--add-edge", "core:configs"], ["--fail", "core"]] {
        let out = said(&breaks);
        assert!(
            out.contains("as it is. Then 7 Kustomizations are never Ready, and the last of the others after about"),
            "{out}"
        );
    }
    assert!(said(&["--fail", "notes"]).contains("as it is. Then one Kustomization is never Ready,"));
    let split = said(&["--split", "core"]);
    assert!(split.contains("as it is, and after about"), "{split}");
    // What is made by the change was not late before.
    assert!(!split.contains("never"), "{split}");
    assert!(split.contains(" s Kustomization/flux-system/core-heavy") && split.contains(": new "), "{split}");
}

#[test]
fn what_cannot_be_changed_is_said() {
    let says = |arguments: &[&str], words: &str| {
        let done = run(&[&["what-if", "-C", GATE], arguments].concat());
        assert!(done.code == 2 && done.err.contains(words), "{arguments:?}: {}", done.err);
    };
    says(&[], "there is nothing to change");
    says(&["--unset-wait", "nobody"], "there is no `nobody`");
    says(&["--drop-edge", "core"], "is not of the form NODE:DEPENDENCY");
    says(&["--drop-edge", "core:blog"], "does not depend on");
    says(&["--slow", "kube-prometheus-stack=fast"], "is no factor");
    says(&["--slow", "no-such-chart=2x"], "no HelmRelease is of a chart");
    says(&["--timeout", "core=soon"], "is no duration");
    says(&["--split", "blog"], "has no HelmRelease that takes much longer");
}

/// A cluster of `count` Kustomizations that each wait for a Deployment of their own.
fn alike(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("clusters/prod/flux-system/gotk-sync.yaml", crate::SYNC);
    for index in 0..count {
        let name = format!("app-{index}");
        let node = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: \
             {{interval: 1h, retryInterval: 2m, timeout: 15m, path: ./{name}, prune: true, wait: true, sourceRef: {{kind: GitRepository, \
             name: flux-system}}}}\n"
        );
        let deployment = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: default}}\nspec:\n  selector: {{matchLabels: \
             {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: app, image: \
             ghcr.io/example/app:1}}]}}\n"
        );
        write(&format!("clusters/prod/{name}.yaml"), &node);
        write(&format!("{name}/deployment.yaml"), &deployment);
    }
    folder
}

#[test]
fn what_waits_for_a_worker_is_told_apart() {
    let cluster = |count| {
        let folder = alike(count);
        let timeline = json(&["timeline", "-C", folder.path().to_str().unwrap()]);
        let cluster = &timeline["clusters"][0];
        (cluster["simulated_total_s"].as_u64().unwrap(), cluster["queueing_s"].as_u64().unwrap())
    };
    // Four workers, all of them free for four; a second round for eight.
    let (of_four, queueing) = cluster(4);
    assert_eq!(queueing, 0);
    let (of_eight, queueing) = cluster(8);
    assert!(queueing > 0 && of_eight - queueing <= of_four + 1, "{of_four} s, {of_eight} s, {queueing} s");
    let folder = alike(8);
    let text = run(&["timeline", "-C", folder.path().to_str().unwrap()]).out.replace("\n", " ");
    assert!(text.contains("waiting for a free worker"), "{text}");
}
