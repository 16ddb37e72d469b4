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
    assert_eq!(parse(""), Ok(Config::default()));
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
    let (line, _, message, help) = fault("\n[rules.dependency-cycle]\nseverity = \"off\"\n");
    assert_eq!((line, message.as_str()), (2, "unknown key `rules`"));
    assert!(help.starts_with("known here are root, flux-version, "), "{help}");
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
        ("sources = 1", 1, "invalid type: integer `1`, expected a sequence"),
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
