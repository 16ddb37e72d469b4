use super::{ClusterSummary, Filter, Format, Hidden, Report, Terminal, Unresolved, count, summary};
use crate::{
    finding::{Confidence, Finding, Location, Related, Severity, Subject},
    source::{Span, Tree},
};

const APPS: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  path: ./apps
  dependsOn:
    - name: configs
";

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())))
}

/// The first `needle` in a file.
fn at(tree: &Tree, path: &str, needle: &str) -> Span {
    let file = tree.file(path).expect("a file of the test");
    let start = tree.text(file).and_then(|text| text.find(needle)).expect("a text of the test");
    Span::new(file, start as u32, (start + needle.len()) as u32)
}

fn node(name: &str) -> Subject {
    Subject { kind: "Kustomization".to_owned(), namespace: Some("flux-system".to_owned()), name: name.to_owned() }
}

fn finding(rule: &'static str, location: impl Into<Location>) -> Finding {
    Finding {
        rule,
        severity: Severity::Error,
        confidence: Confidence::High,
        message: "something is wrong".to_owned(),
        subject: node("apps"),
        clusters: Vec::new(),
        location: location.into(),
        label: "here".to_owned(),
        related: Vec::new(),
        why: String::new(),
        help: String::new(),
        edits: Vec::new(),
        key: String::new(),
        cause: String::new(),
        group: String::new(),
        members: Vec::new(),
        fingerprint: "0123456789abcdef".to_owned(),
        suppressed: None,
    }
}

fn cluster(root: &str, nodes: usize, unresolved: usize) -> ClusterSummary {
    ClusterSummary {
        root: root.to_owned(),
        nodes,
        unresolved,
        flux_version: Some("2.8".to_owned()),
        unresolved_details: Vec::new(),
    }
}

struct Sample {
    tree: Tree,
    clusters: Vec<ClusterSummary>,
    findings: Vec<Finding>,
    suppressed: Vec<Finding>,
    hidden: Hidden,
}

impl Sample {
    fn new(tree: Tree, findings: Vec<Finding>) -> Self {
        Self {
            tree,
            clusters: vec![cluster("clusters/prod", 12, 0)],
            findings,
            suppressed: Vec::new(),
            hidden: Hidden::default(),
        }
    }

    fn report(&self) -> Report<'_> {
        Report {
            tree: &self.tree,
            repository: None,
            profile: "slow",
            clusters: &self.clusters,
            findings: &self.findings,
            all: false,
            suppressed: &self.suppressed,
            hidden: self.hidden,
            remark: None,
            unseen: &[],
            rules: &[],
        }
    }

    fn text(&self, format: Format, terminal: Terminal) -> String {
        let mut out = Vec::new();
        self.report().write(format, &terminal, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    fn full(&self) -> String {
        self.text(Format::Full, Terminal::PLAIN)
    }
}

/// A loop over three files, in three clusters.
fn cycle() -> Sample {
    let apps = APPS.to_owned();
    let configs = APPS.replace("name: configs", "name: controllers").replace("apps", "configs");
    let controllers = APPS.replace("name: configs", "name: apps").replacen("name: apps", "name: controllers", 1);
    let tree = tree(&[
        ("clusters/base/apps.yaml", &apps),
        ("clusters/base/configs.yaml", &configs),
        ("clusters/base/controllers.yaml", &controllers),
    ]);
    let mut cycle = finding("dependency-cycle", at(&tree, "clusters/base/apps.yaml", "name: configs"));
    cycle.message = "Kustomization/flux-system/apps waits for itself, through configs and controllers".to_owned();
    cycle.label = "apps waits for configs".to_owned();
    let step = |message: &str, to: &str, file: &str, needle: &str| {
        Related::new(message, Some(node(to)), at(&tree, file, needle))
    };
    cycle.related = vec![
        step("configs waits for controllers", "configs", "clusters/base/configs.yaml", "name: controllers"),
        step("controllers waits for apps again", "controllers", "clusters/base/controllers.yaml", "name: apps"),
    ];
    cycle.why = "kustomize-controller starts a Kustomization when everything in its `dependsOn` is Ready. None of the \
                 three ever is, so each stays at `DependencyNotReady` and nothing they apply arrives."
        .to_owned();
    cycle.help = "remove one of the three `dependsOn` entries; the one in clusters/base/controllers.yaml closes the \
                  loop"
        .to_owned();
    cycle.clusters = ["clusters/dev", "clusters/prod", "clusters/stage"].map(str::to_owned).to_vec();
    let mut sample = Sample::new(tree, vec![cycle]);
    sample.clusters = ["clusters/dev", "clusters/prod", "clusters/stage"].map(|root| cluster(root, 12, 1)).to_vec();
    sample.clusters[0].unresolved_details = vec![Unresolved {
        what: "ConfigMap/flux-system/cluster-vars".to_owned(),
        why: "no build makes it".to_owned(),
        location: Some(at(&sample.tree, "clusters/base/apps.yaml", "name: configs")),
    }];
    sample.hidden = Hidden { by_severity: 3, by_confidence: 1 };
    sample
}

/// Two and two duplicates in one file, near and far.
fn duplicates() -> Sample {
    let text = format!("{APPS}---\n{}---\n{}", APPS.replace("configs", "other"), APPS.replace("./apps", "./far"));
    let tree = tree(&[("deep/repo/all.yaml", &text), ("deep/shared.yaml", "a: 1\nb: 2\n")]);
    let mut near = finding("duplicate-node", at(&tree, "deep/repo/all.yaml", "name: apps"));
    near.severity = Severity::Warning;
    near.confidence = Confidence::Medium;
    near.label = "first defined here".to_owned();
    near.related = vec![Related::new("its namespace", None, at(&tree, "deep/repo/all.yaml", "namespace: flux-system"))];
    let mut far = finding("duplicate-owner", at(&tree, "deep/repo/all.yaml", "path: ./apps"));
    far.severity = Severity::Info;
    far.confidence = Confidence::Low;
    far.related = vec![
        Related::new("and here", None, at(&tree, "deep/repo/all.yaml", "path: ./far")),
        Related::new("outside", None, at(&tree, "deep/shared.yaml", "b: 2")),
    ];
    Sample::new(tree, vec![near, far])
}

/// What no file holds.
fn nowhere() -> Sample {
    let mut lost = finding("missing-source", Location::Nowhere("made by ResourceSet/flux-system/all".to_owned()));
    lost.label = "reads a source that is not there".to_owned();
    lost.related = vec![
        Related::new("makes it", Some(node("maker")), Span::NONE),
        Related::new("waits for apps", Some(node("apps")), Span::NONE),
    ];
    Sample::new(tree(&[]), vec![lost])
}

/// A repository that attacks the terminal.
fn hostile() -> Sample {
    let long = format!("{{\"a\":\"{}\",\"needle\":1,\"z\":\"{}\"}}\n", "x".repeat(10_000), "y".repeat(10_000));
    let tree = tree(&[
        ("evil\u{1b}[2J\n.yaml", "a:\tb\r\n\tname: \u{1b}[31mred\u{7}\r\nc: \u{202e}d\r\n"),
        ("long.json", &long),
        ("bom.yaml", "\u{feff}kind: \u{9b}x\n"),
        ("empty.yaml", ""),
        ("document.yaml", "---\n# a comment\nkind: A\nmetadata:\n  name: a\n---\nkind: B\n"),
    ]);
    let evil = "evil\u{1b}[2J\n.yaml";
    let mut escapes = finding("invalid-yaml", at(&tree, evil, "\u{1b}[31mred"));
    escapes.message = "`\u{1b}]8;;http://x\u{7}` is\nnot a\tname \u{202e}".to_owned();
    escapes.subject = Subject::file(evil);
    escapes.label = "\u{1b}[1mbold\u{1b}[0m\nand more".to_owned();
    escapes.why = "line one\u{8}\n  - kept: \u{1b}[0m".to_owned();
    escapes.clusters = vec!["clus\u{1b}ter".to_owned()];
    let mut minified = finding("unknown-field", at(&tree, "long.json", "\"needle\":1"));
    minified.related = vec![Related::new("the whole line", None, at(&tree, "long.json", long.trim_end()))];
    let mut end = finding("invalid-yaml", Span::file_start(tree.file("empty.yaml").expect("a file of the test")));
    let file = tree.file("bom.yaml").expect("a file of the test");
    end.related = vec![
        Related::new("starts", None, Span::file_start(file)),
        Related::new("ends", None, Span::new(file, 999, 9_999)),
        Related::new("no such file", None, Span::new(crate::source::FileId::NONE, 0, 1)),
        Related::new("a whole document", None, at(&tree, "document.yaml", "---\n# a comment\nkind: A\nmetadata:\n  ")),
    ];
    Sample::new(tree, vec![escapes, minified, end])
}

fn each() -> [(&'static str, Sample); 4] {
    [("cycle", cycle()), ("duplicates", duplicates()), ("nowhere", nowhere()), ("hostile", hostile())]
}

#[test]
fn every_format_of_every_sample() {
    for (name, sample) in each() {
        for format in Format::ALL {
            let text = sample.text(format, Terminal::PLAIN);
            let text = text.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"VERSION\"");
            insta::assert_snapshot!(format!("{name}-{format}"), text);
        }
    }
}

#[test]
fn ascii_terminals_get_ascii() {
    let text = cycle().text(Format::Full, Terminal { unicode: false, ..Terminal::PLAIN });
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn nothing_from_the_repository_reaches_the_terminal_as_a_command() {
    for (name, sample) in each() {
        for format in Format::ALL {
            for width in [0, 20, 100] {
                let text = sample.text(format, Terminal { width, ..Terminal::PLAIN });
                let bad = text.chars().find(|c| *c != '\n' && crate::source::is_unprintable(*c));
                assert_eq!(bad, None, "{name} {format}");
                let is_narrow = matches!(format, Format::Full | Format::Concise);
                assert!(!is_narrow || text.lines().all(|line| line.chars().count() < 200), "{name}");
            }
        }
    }
}

#[test]
fn colours_change_no_text() {
    for (name, sample) in each() {
        let plain = sample.full();
        let mut rest = sample.text(Format::Full, Terminal { color: true, ..Terminal::PLAIN });
        assert!(rest.contains('\u{1b}'), "{name}");
        while let Some(start) = rest.find('\u{1b}') {
            let end = rest[start..].find('m').expect("the end of a colour");
            rest.replace_range(start..=start + end, "");
        }
        assert_eq!(rest, plain, "{name}");
    }
}

#[test]
fn one_line_for_each_finding_in_concise() {
    for (name, sample) in each() {
        assert_eq!(sample.text(Format::Concise, Terminal::PLAIN).lines().count(), sample.findings.len(), "{name}");
    }
}

#[test]
fn json_keeps_the_text_of_the_repository() {
    let sample = hostile();
    let json: serde_json::Value = serde_json::from_str(&sample.text(Format::Json, Terminal::PLAIN)).expect("JSON");
    assert_eq!(json["findings"][0]["message"], sample.findings[0].message.as_str());
    assert_eq!(json["findings"][0]["location"]["path"], "evil\u{1b}[2J\n.yaml");
}

#[test]
fn many_places_are_counted_not_drawn() {
    let mut sample = cycle();
    let related = sample.findings[0].related[0].clone();
    sample.findings[0].related = vec![related; 500];
    let text = sample.full();
    assert!(text.contains("… and 489 more places not shown"), "{text}");
    assert!(text.lines().count() < 100);
}

#[test]
fn the_summary_counts_in_words() {
    let mut sample = cycle();
    assert_eq!(
        summary(&sample.report()),
        "found 1 error in 3 clusters, 36 nodes (3 partly resolved; 4 findings hidden, see --min-severity and \
         --min-confidence)"
    );
    sample.findings.clear();
    sample.clusters = vec![cluster("a", 1, 0)];
    sample.hidden = Hidden { by_severity: 1, by_confidence: 0 };
    assert_eq!(
        summary(&sample.report()),
        "no problems found in 1 cluster, 1 node (1 finding hidden, see --min-severity)"
    );
    sample.hidden = Hidden::default();
    assert_eq!(summary(&sample.report()), "no problems found in 1 cluster, 1 node");
    sample.suppressed = vec![finding("missing-path", Span::NONE), finding("missing-path", Span::NONE)];
    assert_eq!(summary(&sample.report()), "no problems found in 1 cluster, 1 node (2 suppressed)");
    sample.suppressed.clear();
    sample.clusters.clear();
    assert_eq!(summary(&sample.report()), "no problems found: there are no Flux objects here");
    assert_eq!([count(0, "node"), count(1, "node"), count(2, "node")], ["0 nodes", "1 node", "2 nodes"]);
}

#[test]
fn the_filter_counts_what_it_hides() {
    let (shown, hidden) = Filter::default().apply(duplicates().findings);
    assert_eq!((shown.len(), hidden), (1, Hidden { by_severity: 1, by_confidence: 0 }));
    let all = Filter { min_severity: Severity::Info, min_confidence: Confidence::Medium };
    let (shown, hidden) = all.apply(duplicates().findings);
    assert_eq!((shown.len(), hidden), (1, Hidden { by_severity: 0, by_confidence: 1 }));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    /// Whatever the files hold and wherever the spans point, every format comes out, and no terminal is obeyed.
    #[test]
    fn no_text_and_no_span_breaks_a_report(
        text in "([a-z é😀漢\t\r\u{feff}\u{202e}\u{1b}#-]{0,30}(\n|\r\n|---\n)?){0,8}",
        long in 0_usize..400,
        spans in proptest::collection::vec((0_u32..300, 0_u32..300), 1..6),
        width in 0_usize..160,
        words in "[a-z \n\t\u{1b}é]{0,60}",
    ) {
        let text = text + &"漢x".repeat(long);
        let tree = tree(&[("a.yaml", &text)]);
        let file = tree.file("a.yaml").expect("a file of the test");
        let mut spans = spans.into_iter().map(|(start, end)| Span::new(file, start, end));
        let mut found = finding("invalid-yaml", spans.next().unwrap_or(Span::NONE));
        found.label.clone_from(&words);
        found.why.clone_from(&words);
        found.related = spans.map(|span| Related::new(words.as_str(), None, span)).collect();
        let sample = Sample::new(tree, vec![found]);
        for format in Format::ALL {
            for unicode in [true, false] {
                let out = sample.text(format, Terminal { color: false, unicode, width, links: false });
                proptest::prop_assert!(!out.chars().any(|c| c != '\n' && crate::source::is_unprintable(c)), "{}", out);
            }
        }
    }
}
