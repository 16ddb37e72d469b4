//! What the configuration and its flags change, the files that `init` writes, what `config` prints, and the examples of the page.

use std::fs;

use fluxdag::{
    Options,
    cluster::{External, Externals},
    config::{Config, schema},
    lint,
    source::Pattern,
};
use serde_json::{Value, json};

use crate::{
    rule_pages,
    support::{self, Program, Repository, SYNC, SYNC_FILE, root, sync},
};

fn fixture(name: &str) -> Repository {
    Repository::fixture(name)
}

#[test]
fn flags_say_which_rules_run() {
    let fixture = fixture("heavy-in-wait");
    let rules = |arguments: &[&str]| -> Vec<String> {
        let done = fixture.lint(arguments);
        assert_eq!(done.code, 0, "{}", done.err);
        let ids = done.out.lines().filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()));
        ids.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(rules(&[]), ["duplicate-owner", "heavy-in-wait"]);
    assert_eq!(rules(&["--select", "gate"]), ["heavy-in-wait"]);
    assert_eq!(rules(&["--select=deadlock,duplicate-owner"]), ["duplicate-owner"]);
    assert_eq!(rules(&["--ignore", "gate", "--ignore", "deadlock"]), ["duplicate-owner"]);
    fixture.write(
        "fluxdag.toml",
        "select = [\"gate\"]\nignore = [\"ownership\"]\n[rules.heavy-in-wait]\nseverity = \"off\"\n",
    );
    assert!(rules(&[]).is_empty());
    // By its id on the command line a rule runs whatever the file says.
    assert_eq!(rules(&["--select", "heavy-in-wait,duplicate-owner"]), ["duplicate-owner", "heavy-in-wait"]);
    fixture.write("fluxdag.toml", "[rules.heavy-in-wait]\nseverity = \"error\"\n");
    let done = fixture.lint(&[]);
    assert!(done.code == 1 && done.out.contains("error[heavy-in-wait]"), "{}{}", done.out, done.err);
    let done = fixture.lint(&["--select", "heavy-in-wiat"]);
    assert!(done.code == 2 && done.err.contains("did you mean `heavy-in-wait`?"), "{}", done.err);
}

#[test]
fn what_the_file_silences_is_kept_in_json_and_told_where_it_is_of_no_use() {
    let fixture = fixture("heavy-in-wait");
    fixture.write(
        "fluxdag.toml",
        "[rules.duplicate-owner]\nignore = [\n  { object = \"HelmRelease/**\", reason = \"moved on Friday\" },\n  { path = \"nowhere\" },\n]\n",
    );
    let done = fixture.lint(&["-o", "json=out.json"]);
    assert!(!done.out.contains("duplicate-owner"), "{}", done.out);
    assert!(done.err.contains("warning: fluxdag.toml:4: this entry of `ignore` silences nothing"), "{}", done.err);
    let json: Value = serde_json::from_slice(&fs::read(fixture.path("out.json")).expect("written")).expect("JSON");
    let findings = json["findings"].as_array().expect("a list");
    let silenced: Vec<&Value> = findings.iter().filter(|finding| finding["rule"] == "duplicate-owner").collect();
    assert!(!silenced.is_empty());
    for finding in silenced {
        assert_eq!(finding["suppressed"], json!({"kind": "config", "reason": "moved on Friday"}));
    }
    // A part of the repository, or a rule that does not run, does not tell.
    assert!(!fixture.lint(&["--cluster", "home"]).err.contains("silences nothing"));
    assert!(!fixture.lint(&["--ignore", "duplicate-owner"]).err.contains("silences nothing"));
}

#[test]
fn excluded_files_are_not_told_about_whatever_is_asked_for() {
    let fixture = fixture("heavy-in-wait");
    let before = fixture.lint(&[]).out;
    let place =
        before.lines().find(|line| line.contains("[heavy-in-wait]")).expect("found").split(':').next().expect("a path");
    fixture.write("fluxdag.toml", format!("exclude = [\"{place}\"]\n"));
    for path in [".", place, "clusters"] {
        let done = fixture.lint(&[path]);
        assert!(!done.out.contains("[heavy-in-wait]"), "{path}: {}", done.out);
    }
    assert!(fixture.lint(&[]).out.contains("[duplicate-owner]"));
    // Patterns count from the folder of the file, wherever the artifact root is.
    let nested = Repository::empty();
    for (path, text) in fixture.files() {
        nested.write(&format!("kubernetes/{path}"), &text);
    }
    nested.write(".git/HEAD", "");
    fs::remove_file(nested.path("kubernetes/fluxdag.toml")).expect("removed");
    nested.write("fluxdag.toml", format!("exclude = [\"kubernetes/{place}\"]\nroot = \"kubernetes\"\n"));
    let done = nested.lint(&[]);
    assert!(
        done.out.contains("[duplicate-owner]") && !done.out.contains("[heavy-in-wait]"),
        "{}{}",
        done.out,
        done.err
    );
}

#[test]
fn the_file_says_where_to_look_and_the_command_line_says_it_louder() {
    let repository = Repository::empty();
    for cluster in ["prod", "dev"] {
        let (path, text) = sync(cluster);
        repository.write(&path, text);
    }
    repository.write(".git/HEAD", "").write("fluxdag.toml", "paths = [\"clusters/dev\"]\n");
    let looked_at = |folder: &str, arguments: &[&str]| repository.lint_in(folder, &[&["-v"], arguments].concat()).err;
    let file = looked_at("", &[]);
    assert!(file.contains("cluster clusters/dev:") && !file.contains("cluster clusters/prod:"), "{file}");
    assert!(!looked_at("clusters/prod", &[]).contains("cluster clusters/prod:"));
    let flag = looked_at("", &["clusters/prod"]);
    assert!(flag.contains("cluster clusters/prod:") && !flag.contains("cluster clusters/dev:"), "{flag}");
}

/// Kind, namespace and name.
type ObjectRef<'a> = (&'a str, Option<&'a str>, &'a str);

/// The rules that find something in a fixture, at any level.
fn found(name: &str, externals: &[ObjectRef<'_>]) -> Vec<&'static str> {
    let pattern = |text: &str| Pattern::parse(text).expect("valid");
    let externals = externals.iter().map(|(kind, namespace, name)| External {
        kind: pattern(kind),
        namespace: namespace.map(pattern),
        name: pattern(name),
        reason: None,
    });
    let options = Options { externals: Externals::new(externals.collect()), ..Options::default() };
    lint(&[support::fixture(name)], &options)
        .expect("an analysis")
        .findings
        .iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn what_is_made_outside_is_neither_missing_nor_late() {
    let cases: [(&str, &str, ObjectRef<'_>); 8] = [
        ("broken-references", "missing-source", ("HelmRepository", None, "*")),
        ("broken-references", "missing-substitute-source", ("ConfigMap", Some("flux-system"), "cluster-*")),
        ("namespace-without-edge", "unordered-namespace", ("Namespace", None, "media")),
        ("secret-without-edge", "unordered-input", ("Secret", Some("flux-system"), "cluster-secrets")),
        ("input-without-edge", "unordered-input", ("ConfigMap", Some("flux-system"), "cluster-settings")),
        ("cr-beside-operator", "crd-deadlock", ("CustomResourceDefinition", None, "*.cert-manager.io")),
        ("namespace-cycle", "namespace-deadlock", ("Namespace", None, "web")),
        ("namespace-too-late", "namespace-deadlock", ("Namespace", None, "monitoring")),
    ];
    for (name, rule, external) in cases {
        assert!(found(name, &[]).contains(&rule), "{name}: {rule} is not found at all");
        assert!(!found(name, &[external]).contains(&rule), "{name}: {rule} in spite of {external:?}");
        let other = (external.0, external.1, "something-else");
        assert!(found(name, &[other]).contains(&rule), "{name}: {rule} is silenced by another object");
    }
}

/// The bad examples of a rule's page, each a repository.
fn bad_examples(rule: &str) -> Vec<Repository> {
    rule_pages::bad_examples(rule).iter().map(|files| Repository::new(files)).collect()
}

#[test]
fn every_rule_on_what_is_missing_or_late_knows_what_is_made_outside() {
    let cases = [
        ("dangling-dependency", "{Kustomization,HelmRelease}"),
        ("wrong-namespace-dependency", "{Kustomization,HelmRelease}"),
        ("renamed-reference", "{Kustomization,HelmRelease,GitRepository,HelmRepository}"),
        ("missing-source", "{GitRepository,OCIRepository,HelmRepository,Bucket,HelmChart,ExternalArtifact}"),
        ("missing-substitute-source", "{ConfigMap,Secret}"),
        ("unordered-input", "{ConfigMap,Secret,ServiceAccount}"),
        ("self-provided-input", "{ConfigMap,Secret,ServiceAccount,GitRepository,OCIRepository,HelmRepository,Bucket}"),
        ("unordered-namespace", "Namespace"),
        ("namespace-deadlock", "Namespace"),
        ("unordered-crd", "CustomResourceDefinition"),
        ("crd-deadlock", "CustomResourceDefinition"),
        ("unordered-secret-store", "*SecretStore"),
        ("unordered-storage-class", "StorageClass"),
    ];
    for (rule, kind) in cases {
        let pattern = |text: &str| Pattern::parse(text).expect("valid");
        let external = External { kind: pattern(kind), namespace: None, name: pattern("*"), reason: None };
        let externals = Externals::new(vec![external]);
        let found = |repository: &Repository, externals: Externals| {
            let options = Options { externals, pedantic: true, ..Options::default() };
            let findings = repository.analyse(&options).findings;
            findings
                .into_iter()
                .filter(|finding| finding.rule == rule)
                .map(|finding| finding.message)
                .collect::<Vec<_>>()
        };
        let examples = bad_examples(rule);
        assert!(examples.iter().any(|example| !found(example, Externals::default()).is_empty()), "{rule}");
        for example in &examples {
            let left = found(example, externals.clone());
            assert!(left.is_empty(), "{rule}: {left:?}");
        }
    }
}

#[test]
fn dependencies_and_health_checks_may_lead_to_what_is_made_outside() {
    let repository = Repository::new(&[(SYNC_FILE, SYNC)]);
    repository.write(
        "clusters/prod/apps.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec:\n  \
         dependsOn: [{name: platform}]\n  healthChecks:\n    - {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: web, namespace: web}\n  \
         interval: 1h\n  path: ./apps\n  prune: true\n  retryInterval: 2m\n  sourceRef: {kind: GitRepository, name: flux-system}\n  timeout: 5m\n",
    );
    repository
        .write("apps/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n");
    let before = repository.lint(&[]);
    assert!(
        before.out.contains("[dangling-dependency]") && before.out.contains("[broken-health-check]"),
        "{}",
        before.out
    );
    repository.write(
        "fluxdag.toml",
        "[[externals]]\nkind = \"Kustomization\"\nnamespace = \"flux-system\"\nname = \"platform\"\n\
         [[externals]]\nkind = \"HelmRelease\"\nname = \"web\"\n",
    );
    let after = repository.lint(&[]);
    assert_eq!((after.code, after.out.as_str()), (0, ""), "{}", after.err);
}

#[test]
fn a_node_has_a_budget_of_its_own() {
    let fixture = fixture("heavy-in-wait");
    fixture.write("fluxdag.toml", "[[budgets]]\nnode = \"auth\"\nmax-path = \"5m\"\n[[budgets]]\nnode = \"flux-system/notes\"\nmax-path = \"1h\"\n[[budgets]]\nnode = \"noets\"\nmax-path = \"1h\"\n");
    let done = fixture.lint(&["--select", "long-critical-path"]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 1, "{}{}", done.out, done.err);
    assert!(lines[0].contains("Kustomization/flux-system/auth is Ready after about"), "{}", done.out);
    assert!(lines[0].contains("more than its budget of 5m: ") && lines[0].contains(" → auth"), "{}", done.out);
    assert!(
        done.err.contains("sets one for node `noets`, which is not in what was analysed; did you mean `notes`?"),
        "{}",
        done.err
    );
    fixture.write("fluxdag.toml", "[[budgets]]\nnode = \"auth\"\ncluster = \"other\"\nmax-path = \"5m\"\n");
    assert!(fixture.lint(&["--select", "long-critical-path"]).out.is_empty());
}

/// The file without the remarks of `init`, all its settings in force.
fn uncommented(text: &str) -> String {
    let is_setting =
        |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.starts_with("#:") && *line != "#";
    text.lines().filter(is_setting).map(|line| format!("{}\n", &line[1..])).collect()
}

#[test]
fn init_writes_a_file_that_parses_and_changes_nothing() {
    let validator = jsonschema::draft7::new(&serde_json::to_value(schema()).expect("JSON")).expect("a schema");
    let mut files = 0;
    for name in support::fixtures() {
        let fixture = fixture(&name);
        let _ = fs::remove_file(fixture.path("fluxdag.toml"));
        let before = fixture.lint(&["--min-severity", "info", "--min-confidence", "low"]);
        let done = fixture.run(&["init"]);
        if before.code == 2 {
            assert!(done.code == 2 && done.err.contains("help: "), "{name}: {}", done.err);
            continue;
        }
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{name}: {}", done.err);
        let text = fixture.read("fluxdag.toml");
        assert!(text.starts_with("#:schema https://"), "{text}");
        let after = fixture.lint(&["--min-severity", "info", "--min-confidence", "low"]);
        assert_eq!((before.code, before.out), (after.code, after.out), "{name}");
        let value: Value =
            toml::from_str(&uncommented(&text)).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let faults: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}\n{text}");
        files += 1;
    }
    assert!(files > 30, "{files}");
    let fixture = fixture("unreached-cycle");
    let text = fixture.run(&["init", "-"]).out;
    assert_eq!(fixture.run_in("clusters", &["init", "--stdout"]).out, text);
    assert!(!fixture.path("fluxdag.toml").exists());
}

#[test]
fn init_tells_what_it_found() {
    let text = fixture("mapped-sources").run(&["init", "-"]).out;
    assert!(text.contains("#   clusters/prod: 3 nodes"), "{text}");
    assert!(text.contains("#url = \"https://github.com/example/base\"\n#ref = \"v1\""), "{text}");
    assert!(text.contains("#url = \"ssh://git@github.com/example/platform.git\"\n#ref = \"v2\""), "{text}");
    let text = fixture("clean-outside-inputs").run(&["init", "-"]).out;
    assert!(text.contains("#kind = \"ConfigMap\"\n#namespace = \"flux-system\"\n#name = \"cluster-vars\""), "{text}");
    let text = fixture("heavy-in-wait").run(&["init", "-"]).out;
    assert!(text.contains("#max-path = \"20m\"") && text.contains("0 errors and 3 warnings"), "{text}");
}

#[test]
fn init_replaces_nothing_unasked() {
    let fixture = fixture("heavy-in-wait");
    fixture.write(".fluxdag.toml", "fail-on = \"never\"\n");
    let done = fixture.run(&["init"]);
    assert!(
        done.code == 2 && done.err.contains(".fluxdag.toml already") && done.err.contains("--force"),
        "{}",
        done.err
    );
    assert_eq!(fixture.read(".fluxdag.toml"), "fail-on = \"never\"\n");
    assert_eq!(fixture.run(&["init", "--force"]).code, 0);
    assert!(fixture.read(".fluxdag.toml").starts_with("#:schema"));
    assert!(!fixture.path("fluxdag.toml").exists());
    let empty = Repository::new(&[("a.txt", "")]);
    assert_eq!(empty.run(&["init"]).code, 2);
}

#[test]
fn every_setting_is_shown_with_who_says_so() {
    let fixture = fixture("heavy-in-wait");
    fixture.write(
        "fluxdag.toml",
        "profile = \"fast\"\nmax-path = \"10m\"\nexclude = [\"vendor\"]\n[rules.missing-path]\nseverity = \"off\"\n\
         ignore = [{ object = \"A/b\", reason = \"c\" }]\n[[externals]]\nkind = \"Secret\"\nname = \"x\"\n",
    );
    let shown =
        |arguments: &[&str]| Program::new(fixture.folder(), arguments).env("FLUXDAG_FORMAT", "concise").run().out;
    let text = shown(&["config", "show", "--max-path", "5m", "--pedantic"]);
    let line = |key: &str| {
        text.lines().find(|line| line.split(' ').next() == Some(key)).unwrap_or_else(|| panic!("{key}: {text}"))
    };
    let words = |key: &str| line(key).split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert!(text.starts_with("configuration: fluxdag.toml\n"), "{text}");
    assert_eq!(words("profile"), "profile fast fluxdag.toml:1");
    assert_eq!(words("max-path"), "max-path 5m --max-path");
    assert_eq!(words("min-confidence"), "min-confidence low --pedantic");
    assert_eq!(words("fail-on"), "fail-on error default");
    assert_eq!(words("format"), "format concise FLUXDAG_FORMAT");
    assert_eq!(words("rules.missing-path.severity"), "rules.missing-path.severity off fluxdag.toml:5");
    assert!(words("rules.missing-path.ignore[0]").ends_with("fluxdag.toml:6"), "{text}");
    assert!(words("externals[0]").ends_with("fluxdag.toml:7"), "{text}");
    let json: Value = serde_json::from_str(&shown(&["config", "show", "-o", "json"])).expect("JSON");
    crate::contract::check_printed(&json);
    let of = |key: &str| {
        let settings = json["settings"].as_array().expect("a list");
        settings.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}: {json}")).clone()
    };
    let file = json!({"kind": "file", "path": "fluxdag.toml", "line": 3});
    assert_eq!(of("exclude"), json!({"key": "exclude", "value": ["vendor"], "origin": file}));
    assert_eq!(of("format")["origin"], json!({"kind": "environment", "name": "FLUXDAG_FORMAT"}));
    assert_eq!(of("root"), json!({"key": "root", "value": null, "origin": {"kind": "default"}}));
    let none = fixture.run(&["config", "show", "--no-config", "--exit-zero"]).out;
    assert!(none.starts_with("configuration: no file\n") && none.contains("--exit-zero"), "{none}");
}

/// The examples of the page, each of them a file.
fn examples() -> Vec<String> {
    let page = include_str!("../../docs/configuration.md");
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("a fence").to_owned()).collect()
}

#[test]
fn the_schema_is_what_the_types_say() {
    let done = fixture("heavy-in-wait").run(&["config", "schema"]);
    let path = root().join("schema/fluxdag.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, &done.out).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default().replace('\r', "");
    assert!(committed == done.out, "{} is not what the types say; `UPDATE=1 cargo test` writes it", path.display());
}

#[test]
fn the_examples_of_the_page_are_read_and_fit_the_schema() {
    let validator = jsonschema::draft7::new(&serde_json::to_value(schema()).expect("JSON")).expect("a schema");
    let folder = Repository::new(&[("vendor/platform/x", "")]);
    let examples = examples();
    assert!(examples.len() >= 7, "{}", examples.len());
    for example in &examples {
        let read = Config::parse(example, &folder.path("fluxdag.toml"), Some(&folder.path("")));
        assert!(read.is_ok(), "{example}\n{read:?}");
        let value: Value = toml::from_str(example).expect("TOML");
        let faults: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{example}\n{faults:?}");
    }
    // What the program refuses, the schema refuses as well.
    for wrong in [
        "max_path = \"10m\"",
        "max-path = \"ten\"",
        "fail-on = \"all\"",
        "select = [\"gates\"]",
        "[rules.missing-pth]\nseverity = \"off\"",
        "[rules.missing-path]\nseverity = \"none\"",
        "[[externals]]\nkind = \"Secret\"",
    ] {
        let value: Value = toml::from_str(wrong).expect("TOML");
        assert!(!validator.is_valid(&value), "{wrong}");
        assert!(Config::parse(wrong, &folder.path("fluxdag.toml"), None).is_err(), "{wrong}");
    }
}

#[test]
fn every_key_is_on_the_page() {
    let schema = serde_json::to_value(schema()).expect("JSON");
    let page = include_str!("../../docs/configuration.md");
    let keys = schema["properties"].as_object().expect("properties");
    assert!(keys.len() >= 18, "{}", keys.len());
    let all = examples().concat();
    for key in keys.keys() {
        assert!(
            page.contains(&format!("`{key}`")) || page.contains(&format!("`[[{key}]]`")) || key == "rules",
            "{key}"
        );
        assert!(
            all.contains(&format!("{key} = ")) || all.contains(&format!("[[{key}]]")) || all.contains("[rules."),
            "{key}"
        );
    }
}
