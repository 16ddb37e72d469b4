use std::fs;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("vendor/a")).expect("created");
    Config::parse(text, &folder.path().join("fluxdag.toml"), Some(folder.path()))
}

/// Line, column, message and help of what is wrong.
fn fault(text: &str) -> (usize, usize, String, String) {
    match parse(text) {
        Err(ConfigError::Invalid { line, column, message, help, .. }) => {
            (line, column, message, help.unwrap_or_default())
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_key_is_read() {
    let config = parse(
        "root = \"vendor\"\nprofile = \"fast\"\nflux-version = \"v2.8\"\nmax-path = \"1h30m\"\nfail-on = \"never\"\nmin-severity = \"info\"\n\
         min-confidence = \"low\"\nrequire-reason = true\n[[sources]]\nurl = \"https://github.com/org/repo\"\nref = \"v1\"\npath = \"vendor/a\"\n",
    )
    .expect("valid");
    assert!(config.root.expect("set").ends_with("vendor"));
    assert_eq!(config.flux_version, FluxVersion::parse("2.8"));
    assert_eq!(config.max_path, Some(Duration::from_secs(5400)));
    assert_eq!(config.fail_on, Some(FailOn::Never));
    assert_eq!((config.min_severity, config.min_confidence), (Some(Severity::Info), Some(Confidence::Low)));
    assert_eq!((config.require_reason, config.profile), (Some(true), Some(Profile::Fast)));
    let source = &config.sources[0];
    assert_eq!((source.url.text(), source.reference.as_deref()), ("github.com/org/repo", Some("v1")));
    assert_eq!(source.written, "vendor/a");
    let empty = parse("").expect("valid");
    assert_eq!(Config { folder: None, ..empty }, Config::default());
}

#[test]
fn an_unknown_key_is_answered_with_the_likely_one() {
    let (line, column, message, help) = fault("# text\nmax_path = \"10m\"\n");
    assert_eq!((line, column), (2, 1));
    assert_eq!(message, "unknown key `max_path`");
    assert_eq!(help, "did you mean `max-path`?");
    let (line, _, message, help) =
        fault("[[sources]]\nurl = \"https://x.example/a\"\npath = \"vendor\"\nreff = \"v1\"\n");
    assert_eq!((line, message.as_str(), help.as_str()), (4, "unknown key `reff`", "did you mean `ref`?"));
    let (line, _, message, help) = fault("\n[zzz]\nseverity = \"off\"\n");
    assert_eq!((line, message.as_str()), (2, "unknown key `zzz`"));
    assert!(help.starts_with("known here are root, paths, "), "{help}");
    let (_, _, message, _) = fault("\"a`b\" = 1\n");
    assert_eq!(message, "unknown key `a`b`");
}

#[test]
fn a_value_that_does_not_fit_is_located() {
    let cases = [
        ("\nmax-path = \"ten\"", 2, "`ten` is no duration"),
        ("max-path = 10", 1, "invalid type: integer `10`, expected a string"),
        ("flux-version = 2.9", 1, "invalid type: floating point `2.9`, expected a string"),
        ("flux-version = \"2.x\"", 1, "`2.x` is no Flux release"),
        ("\n\nfail-on = \"all\"", 3, "`all` is not one of error, warning, info, never"),
        ("min-severity = \"never\"", 1, "`never` is not one of error, warning, info"),
        ("min-confidence = \"x\"", 1, "`x` is not one of high, medium, low"),
        ("require-reason = \"yes\"", 1, "invalid type: string \"yes\", expected a boolean"),
        ("root = \"nowhere\"", 1, "`nowhere` is no folder"),
        ("sources = 1", 1, "invalid type: integer `1`, expected a list"),
        ("paths = \"clusters\"", 1, "invalid type: string \"clusters\", expected a list"),
        ("[rules]\nheavy-in-wait = \"off\"", 2, "invalid type: string \"off\", expected a table"),
        ("[[sources]]\nurl = \"https://x.example/a\"", 1, "missing field `path`"),
        ("[[sources]]\nurl = \"https://x.example/a\"\npath = \"no\"", 3, "`no` is no folder"),
        ("[[sources]]\nurl = \"\"\npath = \"vendor\"", 2, "`` is no URL"),
        ("[[sources]]\nurl = \"https://x.example/a?ref=b\"\npath = \"vendor\"", 2, "is no URL of a repository"),
        ("root = \"..\"", 1, "`..` lies outside the repository"),
        ("[[sources]]\nurl = \"https://x.example/a\"\npath = \"/\"", 3, "`/` lies outside the repository"),
        ("profile = \"medium\"", 1, "`medium` is not one of slow, fast"),
        ("[[durations]]\nchart = \"a\"", 1, "missing field `typical`"),
        ("[[durations]]\nchart = \"a\"\ntypical = \"ten\"", 3, "`ten` is no duration"),
        ("\n[[durations]]\ntypical = \"1m\"", 2, "a duration of nothing"),
        ("[[durations]]\nchart = \"a\"\nnode = \"b/c\"\ntypical = \"1m\"", 1, "a duration of several things"),
        ("[[durations]]\nchart = \"oci://a/b\"\ntypical = \"1m\"", 2, "`oci://a/b` is not the name of a chart"),
        ("[[durations]]\nnode = \"core\"\ntypical = \"1m\"", 2, "`core` is not `namespace/name`"),
        ("[[durations]]\nobject = \"media/plex\"\ntypical = \"1m\"", 2, "`media/plex` is not `Kind/namespace/name`"),
        ("[[durations]]\nchart = \"a\"\ntypical = \"1m\"\nlow = \"2m\"", 4, "`low` is longer than `typical`"),
        ("[[durations]]\nchart = \"a\"\ntypical = \"1m\"\nhigh = \"30s\"", 4, "`high` is shorter than `typical`"),
        ("root = ", 1, "string values must be quoted"),
        ("root = \"vendor\"\nroot = \"vendor\"", 2, "duplicate key"),
    ];
    for (text, line, part) in cases {
        let (at, _, message, _) = fault(text);
        assert!(at == line && message.contains(part) && !message.contains('\n'), "{text:?}: {at}: {message}");
    }
}

#[test]
fn two_sources_of_one_url_differ_in_their_reference() {
    let source = |url: &str, rest: &str| format!("[[sources]]\nurl = \"{url}\"\npath = \"vendor\"\n{rest}");
    let https = source("https://github.com/org/repo", "");
    let (line, _, message, _) = fault(&format!("{https}{}", source("git@github.com:Org/repo.git", "")));
    assert_eq!((line, message.as_str()), (5, "`git@github.com:Org/repo.git` is mapped twice"));
    assert!(parse(&format!("{https}{}", source("https://github.com/org/repo", "ref = \"v1\"\n"))).is_ok());
}

#[test]
fn the_nearest_file_is_found_no_further_up_than_the_top() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (top, middle, start) = (folder.path(), folder.path().join("a"), folder.path().join("a/b"));
    fs::create_dir_all(&start).expect("created");
    fs::write(top.join("fluxdag.toml"), "").expect("written");
    assert_eq!(find(&start, Some(top)), Ok(Some(top.join("fluxdag.toml"))));
    assert_eq!(find(&start, Some(&middle)), Ok(None));
    fs::write(middle.join(".fluxdag.toml"), "").expect("written");
    assert_eq!(find(&start, Some(top)), Ok(Some(middle.join(".fluxdag.toml"))));
    fs::write(middle.join("fluxdag.toml"), "").expect("written");
    let both = find(&start, Some(top)).expect_err("two");
    assert!(matches!(both, ConfigError::Both { .. }) && both.help().is_some(), "{both}");
}

#[test]
fn a_file_that_is_trusted_may_name_any_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fluxdag.toml");
    assert!(Config::parse("root = \"..\"", &path, None).is_ok());
}

#[test]
fn the_number_of_sources_is_limited() {
    let sources: String =
        (0..101).map(|n| format!("[[sources]]\nurl = \"https://x.example/{n}\"\npath = \"vendor\"\n")).collect();
    let (line, _, message, _) = fault(&sources);
    assert_eq!((line, message.as_str()), (301, "more than 100 sources"));
}

#[test]
fn durations_are_read_with_ends_of_their_own_or_usual_ones() {
    let config = parse(
        "[[durations]]\nchart = \"kube-prometheus-stack\"\ntypical = \"10m\"\n[[durations]]\nobject = \"HelmRelease/media/plex\"\n\
         typical = \"2m\"\nlow = \"1m\"\nhigh = \"9m\"\n",
    )
    .expect("valid");
    let seconds = |one: &Override| [one.range.low, one.range.typical, one.range.high].map(|end| end.as_secs());
    assert_eq!(config.durations.iter().map(seconds).collect::<Vec<_>>(), [[360, 600, 1200], [60, 120, 540]]);
    assert_eq!(config.durations[1].target.to_string(), "object `HelmRelease/media/plex`");
}

#[test]
fn two_durations_of_one_thing_and_keys_that_nobody_knows_are_faults() {
    let one = "[[durations]]\nnode = \"flux-system/core\"\ntypical = \"1m\"\n";
    let (line, _, message, _) = fault(&format!("{one}{one}"));
    assert_eq!((line, message.as_str()), (5, "two durations for node `flux-system/core`"));
    let (line, _, message, help) = fault(&format!("{one}typcial = \"2m\"\n"));
    assert_eq!((line, message.as_str(), help.as_str()), (4, "unknown key `typcial`", "did you mean `typical`?"));
    let many: String = (0..201).map(|n| format!("[[durations]]\nchart = \"a{n}\"\ntypical = \"1m\"\n")).collect();
    let (line, _, message, _) = fault(&many);
    assert_eq!((line, message.as_str()), (601, "more than 200 durations"));
}

#[test]
fn rules_are_turned_down_off_and_silenced() {
    let config = parse(
        "select = [\"deadlock\", \"missing-path\"]\nignore = [\"gate\"]\npreview = true\nexclude = [\"./vendor/\"]\npaths = [\"vendor\"]\n\
         baseline = \"known.json\"\n[rules.heavy-in-wait]\nseverity = \"off\"\n[rules.missing-path]\nseverity = \"info\"\n\
         ignore = [{ object = \"Kustomization/*/apps\", reason = \" why \" }, { path = \"vendor/a\", cluster = \"prod\" }]\n",
    )
    .expect("valid");
    assert_eq!(config.select, ["deadlock", "missing-path"].map(|text| text.parse::<Selector>().expect("known")));
    assert_eq!((config.ignore.len(), config.preview), (1, Some(true)));
    assert_eq!(config.severities, [("heavy-in-wait", None), ("missing-path", Some(Severity::Info))].into());
    assert_eq!(config.exclude[0].text(), "vendor");
    assert!(config.paths[0].ends_with("vendor") && config.baseline.expect("set").ends_with("known.json"));
    let [first, second] = config.ignores.as_slice() else { panic!("two entries") };
    assert_eq!((first.rule, first.reason.as_deref()), ("missing-path", Some("why")));
    assert!(first.place.ends_with("fluxdag.toml:11") && first.object.is_some() && first.path.is_none());
    assert_eq!((second.cluster.as_deref(), second.reason.as_ref()), (Some("prod"), None));
    assert_eq!(config.lines["rules.missing-path.severity"], 10);
    assert_eq!((config.lines["select"], config.lines["rules.missing-path.ignore[1]"]), (1, 11));
}

#[test]
fn externals_and_budgets_are_read() {
    let config = parse(
        "[[externals]]\nkind = \"Secret\"\nnamespace = \"flux-system\"\nname = \"cluster-*\"\nreason = \"Terraform\"\n\
         [[budgets]]\nnode = \"apps\"\ncluster = \"prod\"\nmax-path = \"5m\"\n",
    )
    .expect("valid");
    assert!(config.externals.have("Secret", "flux-system", "cluster-vars"));
    assert!(!config.externals.have("Secret", "default", "cluster-vars"));
    let budget = &config.budgets[0];
    assert_eq!((budget.node.text(), budget.cluster.as_deref(), budget.max_path.as_secs()), ("apps", Some("prod"), 300));
    assert_eq!((config.lines["externals[0]"], config.lines["budgets[0]"]), (1, 6));
}

#[test]
fn what_is_said_of_rules_and_objects_is_checked() {
    let ignore = |entry: &str| format!("require-reason = true\n[rules.missing-path]\nignore = [{entry}]");
    let many: String = (0..201).map(|n| format!("[[externals]]\nkind = \"A\"\nname = \"{n}\"\n")).collect();
    let cases = [
        (
            "[rules.missing-pth]\nseverity = \"off\"".to_owned(),
            1,
            "no rule `missing-pth`",
            "did you mean `missing-path`?",
        ),
        (
            "[rules.missing-path]\nseverity = \"none\"".to_owned(),
            2,
            "`none` is not one of error, warning, info, off",
            "",
        ),
        ("[rules.missing-path]\nseverty = \"off\"".to_owned(), 2, "unknown key `severty`", "did you mean `severity`?"),
        ("select = [\"gates\"]".to_owned(), 1, "no rule or category `gates`", "did you mean `gate`?"),
        ("ignore = [\"x\"]".to_owned(), 1, "no rule or category `x`", "the categories are deadlock, "),
        (ignore("{ object = \"A/b/c\" }"), 3, "without a reason", "`require-reason` asks"),
        (ignore("{ reason = \"why\" }"), 3, "silences everything", "severity = \"off\""),
        (ignore("{ object = \"apps\", reason = \"why\" }"), 3, "`apps` is no object", "Kustomization/flux-system/apps"),
        (ignore("{ object = \"A/[\", reason = \"why\" }"), 3, "`A/[` is no pattern", ""),
        (ignore("{ path = \"../x\", reason = \"why\" }"), 3, "`../x` is no pattern of paths", ""),
        ("exclude = [\"/x\"]".to_owned(), 1, "`/x` is no pattern of paths", ""),
        ("paths = [\"nowhere\"]".to_owned(), 1, "`nowhere` is no file or folder", ""),
        ("baseline = \"../known.json\"".to_owned(), 1, "`../known.json` lies outside the repository", ""),
        ("baseline = \"/etc/hostname\"".to_owned(), 1, "lies outside the repository", ""),
        ("baseline = \"vendor\"".to_owned(), 1, "`vendor` is a folder", ""),
        ("[[externals]]\nkind = \"*\"\nname = \"*\"".to_owned(), 2, "externals of every kind and name", ""),
        ("[[externals]]\nkind = \"Secret\"\nname = \"\"".to_owned(), 3, "an empty name", ""),
        ("[[externals]]\nkind = \"Secret\"".to_owned(), 1, "missing field `name`", ""),
        ("[[budgets]]\nnode = \"a/b/c\"\nmax-path = \"1m\"".to_owned(), 2, "`a/b/c` is not `namespace/name`", ""),
        ("[[budgets]]\nnode = \"a\"\nmax-path = \"soon\"".to_owned(), 3, "`soon` is no duration", ""),
        (many, 601, "more than 200 externals", ""),
    ];
    for (text, line, part, advice) in cases {
        let (at, _, message, help) = fault(&text);
        assert!(at == line && message.contains(part) && help.contains(advice), "{text:?}: {at}: {message} / {help}");
    }
}

#[cfg(unix)]
#[test]
fn a_baseline_is_no_link() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink("/tmp/fluxdag-elsewhere.json", folder.path().join("known.json")).expect("linked");
    let path = folder.path().join("fluxdag.toml");
    let error = Config::parse("baseline = \"known.json\"", &path, Some(folder.path())).expect_err("a link");
    assert!(error.to_string().contains("`known.json` lies outside the repository"), "{error}");
}
