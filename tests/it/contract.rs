//! The JSON documents: each against its schema in `schema/`, and all of them against each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use fluxdag::{
    Options,
    cluster::Focus,
    query::{Change, Document, Model, TimelineOptions, render},
    report::{Hidden, Linted, Report, document, schemas},
};
use jsonschema::Validator;
use serde_json::Value;

use crate::support::{ask, entries, fixture, fluxdag, name, root};

/// Repositories that have something to say in every document.
const FIXTURES: [&str; 7] = [
    "clean-bootstrap",
    "clean-home-ops",
    "heavy-in-wait",
    "timeout-below-content",
    "deadlock-no-wait",
    "resource-set-conflict",
    "broken-references",
];

/// The schemas, by name.
static SCHEMAS: LazyLock<BTreeMap<&str, (Value, Validator)>> = LazyLock::new(|| {
    let schemas = schemas().into_iter().map(|(name, text)| (name, serde_json::from_str::<Value>(&text).unwrap()));
    schemas.map(|(name, schema)| (name, (schema.clone(), jsonschema::validator_for(&schema).unwrap()))).collect()
});

fn schema(name: &str) -> &'static Value {
    &SCHEMAS[name].0
}

/// Checks a document of this name.
fn check(name: &str, value: &Value) {
    let errors: Vec<String> = SCHEMAS[name].1.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {}\n{value:.2000}", errors.join("\n"));
}

/// Checks what the program printed, where that is a document.
pub(crate) fn check_printed(value: &Value) {
    let (Some(command), true) = (value["command"].as_str(), value["schema_version"].is_u64()) else { return };
    match command {
        "why" if !value["clusters"][0]["on"].is_null() => check("why-on", value),
        _ => check(&command.replace(" --", "-").replace(' ', "-"), value),
    }
}

#[test]
fn the_schemas_are_those_that_the_code_yields() {
    let folder = root().join("schema");
    let mut files = BTreeSet::from(["fluxdag.schema.json".to_owned()]);
    for (name, schema) in schemas() {
        let file = format!("{name}.schema.json");
        let path = folder.join(&file);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == schema, "{} is not what the types say; UPDATE=1 cargo test writes it", path.display());
        files.insert(file);
    }
    let present: BTreeSet<String> = entries(&folder).iter().map(|path| name(path)).collect();
    assert_eq!(present, files, "each schema has a document");
}

#[test]
fn every_document_has_the_same_head() {
    for (name, _) in schemas() {
        let schema = schema(name);
        let required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
        for field in ["schema_version", "tool", "command", "clusters"] {
            assert!(required.contains(&field), "{name} has no `{field}`");
        }
        assert_eq!(schema["properties"]["clusters"]["type"], "array", "{name}");
        assert!(schema["properties"]["command"]["const"].is_string(), "{name}");
        assert!(
            !SCHEMAS[name].1.is_valid(&serde_json::json!({"schema_version": 2, "clusters": []})),
            "{name} can fail"
        );
    }
}

/// A field of a document: the schema, where in it, and what is said of it.
struct Field {
    document: &'static str,
    name: String,
    /// Whether it is a number in `counts` or `summary`.
    is_count: bool,
    shape: Option<String>,
    description: Option<String>,
}

/// Every field of every document.
fn fields() -> Vec<Field> {
    let mut all = Vec::new();
    for (document, _) in schemas() {
        let schema = schema(document);
        let none = serde_json::Map::new();
        let defs = schema["$defs"].as_object().unwrap_or(&none);
        let objects: Vec<(&str, &Value)> =
            defs.iter().map(|(name, object)| (name.as_str(), object)).chain([("", schema)]).collect();
        let counted: BTreeSet<String> = objects
            .iter()
            .flat_map(|(_, object)| ["counts", "summary"].map(|field| &object["properties"][field]))
            .filter_map(reference)
            .collect();
        for (name, object) in objects.iter().flat_map(|(name, object)| variants(object).map(move |it| (*name, it))) {
            for (field, value) in object["properties"].as_object().into_iter().flatten() {
                all.push(Field {
                    document,
                    name: field.clone(),
                    is_count: counted.contains(name),
                    shape: shape(value, defs),
                    description: value["description"].as_str().map(str::to_owned),
                });
            }
        }
    }
    all
}

/// An object, or the objects that it may be.
fn variants(object: &Value) -> impl Iterator<Item = &Value> {
    object["oneOf"].as_array().into_iter().flatten().chain([object])
}

fn reference(field: &Value) -> Option<String> {
    field["$ref"].as_str().map(|path| path.trim_start_matches("#/$defs/").to_owned())
}

/// What a field holds, `null` and the two sides of a comparison left aside; `None` where that may be anything.
fn shape(field: &Value, defs: &serde_json::Map<String, Value>) -> Option<String> {
    if let Some(any) = field["anyOf"].as_array() {
        let one = any.iter().find(|one| one["type"] != "null").unwrap();
        return shape(one, defs);
    }
    if let Some(name) = reference(field) {
        let object = &defs[&name];
        if !object["properties"]["before"].is_null() {
            return shape(&object["properties"]["before"], defs);
        }
        let is_object = object["type"] == "object" || variants(object).any(|it| it["type"] == "object");
        return Some(if is_object { name } else { "string".to_owned() });
    }
    let types = match &field["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    types.into_iter().find(|one| *one != "null").map(str::to_owned)
}

#[test]
fn the_same_name_has_the_same_form_everywhere() {
    let mut forms: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    let sides = ["before", "after"];
    for field in fields().into_iter().filter(|field| !field.is_count && !sides.contains(&field.name.as_str())) {
        // What is counted differs from document to document.
        if let Some(shape) = field.shape.filter(|_| !["counts", "summary"].contains(&field.name.as_str())) {
            forms.entry(field.name).or_default().entry(shape).or_default().insert(field.document);
        }
    }
    assert!(forms.len() > 80, "{} names", forms.len());
    let wrong: Vec<_> = forms.iter().filter(|(_, shapes)| shapes.len() > 1).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn seconds_are_whole_numbers_that_say_so() {
    let mut seconds = 0;
    for field in fields() {
        if field.name.ends_with("_s") {
            seconds += 1;
            assert!(matches!(field.shape.as_deref(), Some("integer" | "array")), "{}: {}", field.document, field.name);
        }
        let says_so = field.description.is_some_and(|words| words.to_lowercase().contains("second"));
        assert!(!says_so || field.name.ends_with("_s"), "{}: `{}` has seconds", field.document, field.name);
    }
    assert!(seconds > 20, "{seconds} fields");
}

#[test]
fn every_field_is_described_and_stands_on_a_page() {
    let pages = [include_str!("../../docs/formats.md"), include_str!("../../docs/questions.md")].concat();
    for field in fields() {
        let Field { document, name, .. } = &field;
        assert!(
            pages.contains(&format!("`{name}`")),
            "neither docs/formats.md nor docs/questions.md has `{name}` of {document}"
        );
        let is_tag = name == "kind" && *document == "config-show";
        assert!(
            is_tag || field.description.as_ref().is_some_and(|words| !words.is_empty()),
            "`{name}` of {document} has no description"
        );
    }
    for (name, _) in schemas() {
        assert!(pages.contains(&format!("schema/{name}.schema.json")), "no page links the schema of {name}");
    }
}

/// Names of the first Kustomizations and HelmReleases of each cluster, which only one object has.
fn names(model: Model<'_>) -> Vec<String> {
    let clusters = model.situations.iter().map(|situation| situation.cluster);
    let names = clusters.flat_map(|cluster| {
        let nodes = cluster.nodes.iter().map(|node| node.subject().to_string()).take(6);
        nodes.chain(cluster.releases.iter().map(|release| release.subject().to_string()).take(6))
    });
    names.filter(|name| model.find(name).is_ok_and(|matches| matches.found.len() == 1)).collect()
}

fn checked<D: Document>(name: &str, answer: &D) -> Value {
    let value: Value = serde_json::from_str(&document(answer)).unwrap();
    assert_eq!(value["command"], D::COMMAND);
    check(name, &value);
    value
}

#[test]
fn what_is_answered_about_fixtures_fits_the_schemas() {
    let mut answers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |name| *answers.entry(name).or_default() += 1;
    for name in FIXTURES {
        ask(&fixture(name), &Options::default(), |session| {
            let names = names(session.model());
            for runs in [0, 5] {
                checked("timeline", &session.timeline(&TimelineOptions { runs, seed: 1, to: None }).unwrap());
                count("timeline");
            }
            for name in &names {
                checked("why", &session.why(name).unwrap());
                checked("impact", &session.impact(&[name]).unwrap());
                count("why");
                for other in &names {
                    if let Ok(answer) = session.why_on(name, other) {
                        checked("why-on", &answer);
                        count("why-on");
                    }
                }
                if let Ok(answer) = session.what_if(&[Change::Fail(name.clone())]) {
                    checked("what-if", &answer);
                    count("what-if");
                }
                if let Ok(answer) = session.what_if(&[Change::UnsetWait(name.clone())]) {
                    checked("what-if", &answer);
                }
                if let Ok(rendering) = render(&session.survey.clusters, &Focus::default(), name) {
                    for is_traced in [false, true] {
                        checked("render", &rendering.document(session.tree(), is_traced));
                        count("render");
                    }
                }
            }
            let folder = checked("impact", &session.impact(&["."]).unwrap());
            assert!(!folder["files"].as_array().unwrap().is_empty(), "{name}");
            checked("timeline-commit", &session.commit(&["."]).unwrap());
        });
    }
    for name in ["timeline", "why", "why-on", "what-if", "render"] {
        assert!(answers.get(name).is_some_and(|number| *number >= 8), "{answers:?}");
    }
}

#[test]
fn what_is_found_in_fixtures_fits_the_schema() {
    let mut findings = 0;
    for name in FIXTURES {
        let analysis = fluxdag::lint(&[fixture(name)], &Options::default()).unwrap();
        let report = Report {
            remark: None,
            unseen: &analysis.unseen,
            tree: &analysis.tree,
            repository: analysis.repository.as_deref(),
            profile: "slow",
            clusters: &analysis.clusters,
            findings: &analysis.findings,
            suppressed: &[],
            hidden: Hidden::default(),
            rules: &[],
        };
        let value = checked("lint", &Linted::new(&report));
        findings += value["findings"].as_array().unwrap().len();
    }
    assert!(findings > 10, "{findings} findings");
}

#[test]
fn a_process_prints_the_documents() {
    let home = "fixtures/heavy-in-wait";
    let cases: [(&str, &[&str]); 10] = [
        ("lint", &["lint", home, "--exit-zero", "-o", "json"]),
        ("why", &["why", "core", "-C", home, "-o", "json"]),
        ("why-on", &["why", "blog", "core", "-C", home, "-o", "json"]),
        ("impact", &["impact", "core", "-C", home, "-o", "json"]),
        ("timeline", &["timeline", "-C", home, "-o", "json"]),
        ("timeline-commit", &["timeline", "--commit", "infrastructure/traefik/release.yaml", "-C", home, "-o", "json"]),
        ("what-if", &["what-if", "--split", "core", "-C", home, "-o", "json"]),
        ("render", &["render", "core", home, "-o", "json", "--origin"]),
        ("rules", &["rules", "-o", "json"]),
        ("explain", &["explain", "dependency-cycle", "-o", "json"]),
    ];
    for (name, arguments) in cases {
        let done = fluxdag(root(), arguments);
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        check(name, &done.json());
    }
}
