use super::{Demand, ExpressionError, ReadyExpr, Shown, check_health_expr, ready_expr_demand};
use crate::{source::FileId, yaml};

const READY: &str = "dep.status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')";

fn demand(text: &str) -> Demand {
    ready_expr_demand(text, None, None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_is_true_only_of_a_ready_dependency_demands_that() {
    let version = "dep.metadata.labels['app/version'] == self.metadata.labels['app/version']";
    for text in [
        READY,
        "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
        "dep.status.conditions.exists_one(c, c.type == 'Ready' && c.status == 'True')",
        "has(dep.status.conditions) && dep.status.conditions.exists(c, c['type'] == 'Ready' && 'True' == c.status)",
        "'True' in dep.status.conditions.filter(c, c.type == 'Ready').map(c, c.status)",
        &format!("{version} && {READY} && dep.metadata.generation == dep.status.observedGeneration"),
        &format!("!({READY}) ? false : {version}"),
        "false",
    ] {
        assert_eq!(demand(text), Demand::Ready, "{text}");
    }
}

#[test]
fn what_may_be_true_of_another_dependency_does_not() {
    for text in [
        "true",
        "has(dep.metadata.name)",
        "dep.metadata.generation == dep.status.observedGeneration",
        "dep.status.observedGeneration >= 0",
        "dep.status.lastAppliedRevision != ''",
        "dep.status.conditions.exists(c, c.type == 'Released' && c.status == 'True')",
        "dep.status.conditions.exists(c, c.type == 'Ready' && c.status != 'False')",
        "dep.status.conditions.exists(c, c.type == 'Ready' && c.reason == 'HealthCheckFailed')",
        "dep.status.conditions[0].status == 'True'",
        "dep.status.?conditions.orValue([]).all(c, c.status == 'True')",
        "!has(dep.status) || dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
        &format!("{READY} || dep.metadata.name == 'a'"),
    ] {
        assert_eq!(demand(text), Demand::Exists, "{text}");
    }
}

#[test]
fn specs_decide_where_they_are_known() {
    let file = yaml::parse(FileId::NONE, b"suspend: true\npath: ./a\nlist: [1, 2]\nopen: ${X}\n");
    let spec = Some(&file.documents[0].root);
    let with = |text: &str| ready_expr_demand(text, None, spec).expect("sound");
    assert_eq!(with(&format!("!dep.spec.suspend || {READY}")), Demand::Ready);
    assert_eq!(with("dep.spec.path == './b' || dep.spec.list.size() == 3 || 3 in dep.spec.list"), Demand::Ready);
    assert_eq!(with("dep.spec.suspend == true"), Demand::Exists);
}

impl ReadyExpr {
    fn outdated(text: &str) -> bool {
        Self::compile(text).expect("sound").accepts_outdated(None, None)
    }

    fn never(text: &str) -> bool {
        Self::compile(text).expect("sound").is_never_true(Shown::default(), Shown::default())
    }
}

#[test]
fn an_earlier_generation_is_noticed_only_where_it_is_compared() {
    assert!(ReadyExpr::outdated(READY));
    assert!(!ReadyExpr::outdated(&format!("{READY} && dep.metadata.generation == dep.status.observedGeneration")));
}

#[test]
fn what_no_ready_object_fulfils_is_told() {
    for text in [
        "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == true)",
        "dep.conditions.exists(c, c.type == 'Ready')",
        "dep.status.conditions.exists(c, c.type == 'Ready' && c.status == 'true')",
    ] {
        assert!(ReadyExpr::never(text), "{text}");
    }
    for text in [READY, "dep.status.phase == 'Running'", "dep.metadata.labels['a'] == 'b'", "dep.spec.x.y"] {
        let never = ReadyExpr::compile(text).is_ok_and(|expr| expr.is_never_true(Shown::default(), Shown::default()));
        assert!(!never, "{text}");
    }
}

#[test]
fn a_label_that_is_not_there_fails_where_all_labels_are_known() {
    let object = |text: &str| yaml::parse(FileId::NONE, text.as_bytes()).documents[0].root.clone();
    let with = object("metadata: {labels: {app/version: v1}}\n");
    let (other, without) = (object("metadata: {labels: {app/version: v2}}\n"), object("metadata: {name: a}\n"));
    let never = |text: &str, own: &yaml::Node, on: &yaml::Node, has_all_labels: bool| {
        let shown = |object| Shown { object: Some(object), has_all_labels };
        ReadyExpr::compile(text).expect("sound").is_never_true(shown(own), shown(on))
    };
    let same = "dep.metadata.labels['app/version'] == self.metadata.labels['app/version']";
    assert!(
        never(same, &with, &without, true) && never(same, &without, &with, true) && never(same, &with, &other, true)
    );
    assert!(!never(same, &with, &with, true) && !never(same, &with, &without, false));
    let tested = format!("!('app/version' in dep.metadata.labels) || {same}");
    assert!(!never(&tested, &with, &without, true) && never(&tested, &with, &other, true));
    // What kustomize-controller adds, and fields other than labels, may be there.
    let owner = "dep.metadata.labels['kustomize.toolkit.fluxcd.io/name'] == 'apps'";
    assert!(!never(owner, &with, &without, true) && !never("dep.metadata.annotations['a'] == 'b'", &with, &with, true));
}

#[test]
fn what_the_controllers_refuse_is_refused() {
    let error = |text: &str| ReadyExpr::compile(text).expect_err(text).to_string();
    assert_eq!(error("dep.status.x"), "expected bool, got dyn");
    assert_eq!(error("dep.status['x'].y"), "expected bool, got dyn");
    assert_eq!(error("'a'"), "expected bool, got string");
    assert_eq!(error("dep.status.conditions.filter(c, true)"), "expected bool, got list");
    assert_eq!(error("size(dep.status.conditions)"), "expected bool, got int");
    assert_eq!(error("status.ready == true"), "undeclared reference to `status`");
    assert_eq!(error("dep.status.all(c, d.type == 'Ready')"), "undeclared reference to `d`");
    assert_eq!(error("isURL(dep.spec.url)"), "undeclared reference to `isURL()`");
    assert_eq!(error("dep.?status.optMap(s, t.x == 1).orValue(false)"), "undeclared reference to `t`");
    assert_eq!(error("has(dep)"), "invalid argument to has() macro (line 1, column 5)");
    let Err(ExpressionError::Syntax { line, column, .. }) = ReadyExpr::compile("dep.status.x ==\n  'a") else {
        panic!("parsed");
    };
    assert_eq!((line, column > 0), (2, true));
}

#[test]
fn what_the_controllers_take_is_taken() {
    for text in [
        "dep.?status.?ready.orValue(false)",
        "dep.?status.optMap(s, s.x == 1).orValue(false)",
        "optional.of(1).hasValue()",
        "sets.contains(dep.spec.a, [1])",
        "type(dep.spec.a) == string && string(1) == '1'",
        "has(dep.status.x)",
        "dep.spec.x.lowerAscii().contains('a')",
        "dep.spec.y ? true : false",
        "duration(dep.spec.interval) < duration('1h')",
        "bool(dep.status.x)",
    ] {
        assert!(ReadyExpr::compile(text).is_ok(), "{text}: {:?}", ReadyExpr::compile(text).err());
    }
}

#[test]
fn health_checks_are_parsed_only() {
    for text in
        ["status.phase == 'Ready'", "anything.at(all)", "status.ready", "data.self == 1", "[1].all(self, self > 0)"]
    {
        assert_eq!(check_health_expr(text), Ok(()), "{text}");
    }
    assert!(matches!(check_health_expr("status.phase = 'x'"), Err(ExpressionError::Syntax { .. })));
    assert_eq!(check_health_expr("self.status.x == 1"), Err(ExpressionError::Variable("self".to_owned())));
}

#[test]
fn hostile_expressions_end_early() {
    let texts = [
        "(".repeat(100_000),
        "[".repeat(4000),
        "!".repeat(4000),
        format!("{}a", "a?b:".repeat(1000)),
        format!("a{}", ".b".repeat(2000)),
        format!("a{}", "[0]".repeat(1300)),
        format!("a{}", "+a".repeat(2000)),
        format!("a{}", " && a".repeat(800)),
        format!("{}1{}", "{1:".repeat(24), "}".repeat(24)),
        format!("{}a{}", "(".repeat(24), ")".repeat(24)),
        (0..12).fold("true".to_owned(), |text, at| format!("[1].all(x{at},{text})")),
        "'''\"\"\"\0é🦀\u{feff}".repeat(100),
        String::new(),
    ];
    for text in texts {
        let _result = (ReadyExpr::compile(&text), check_health_expr(&text));
    }
    let items = "[1,1,1,1,1,1,1,1,1,1]";
    let loops = (0..10).fold("true".to_owned(), |text, at| format!("{items}.all(x{at}, {text})"));
    assert_eq!(demand(&loops), Demand::Exists);
    assert_eq!(ReadyExpr::compile(&"(".repeat(5000)).err(), Some(ExpressionError::TooLarge));
}
