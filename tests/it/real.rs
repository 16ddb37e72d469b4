//! Who becomes Ready, compared with what real controllers did: kustomize-controller 1.9.4 and helm-controller 1.6.3 on a real
//! API server, without a kubelet. The recordings lie where `FLUXDAG_REAL` says.

mod exceptions;

use std::{collections::BTreeMap, time::Duration};

use exceptions::EXCEPTIONS;

use fluxdag::{
    Options, Session,
    config::Config,
    graph::Actor,
    situation::Situation,
    timing::{Assumptions, Quantile, Run, Simulation},
};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Fate, Repository, actor, fate, reached, recorded};

/// A repository that was applied to a real cluster, and what became of its objects.
#[derive(Debug, Deserialize)]
struct Recording {
    #[serde(alias = "name")]
    label: String,
    files: BTreeMap<String, String>,
    /// The path of the root Kustomization.
    #[serde(default = "prod")]
    entry: String,
    /// What the cluster did not have. Then the recording says nothing.
    lab_lacks: Option<Value>,
    /// Flags that are not in the repository, by controller.
    #[serde(default)]
    controller_flags: BTreeMap<String, Vec<String>>,
    /// Entries of `fluxdag.toml`.
    #[serde(default)]
    durations: Vec<BTreeMap<String, String>>,
    watched_s: f64,
    observed: BTreeMap<String, Observed>,
}

#[derive(Debug, Deserialize)]
struct Observed {
    /// When it became Ready; `None` where it did not while it was watched.
    ready_s: Option<f64>,
    /// Its last condition: status, reason and message; nothing where it had none.
    last: Option<[Option<String>; 3]>,
}

fn prod() -> String {
    "clusters/prod".to_owned()
}

/// How prediction and observation compare.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Agree,
    /// It was not Ready when the watch ended, and is predicted to be so later.
    Undecided,
    /// What was predicted.
    Disagree(String),
}

fn recordings() -> Option<Vec<Recording>> {
    let mut all: Vec<Recording> = recorded("examples.json")?;
    all.extend(recorded::<Vec<Recording>>("scenarios.json")?);
    all.retain(|recording| recording.lab_lacks.is_none());
    Some(all)
}

fn options(recording: &Recording, repository: &Repository) -> Options {
    let entries = recording.durations.iter().map(|entry| {
        let keys = entry.iter().map(|(key, value)| format!("{key} = {value:?}\n"));
        format!("[[durations]]\n{}", keys.collect::<String>())
    });
    let config = Config::parse(&entries.collect::<String>(), &repository.path("fluxdag.toml"), None).unwrap();
    Options { durations: config.durations, ..Options::default() }
}

/// The controllers as they ran.
fn assumptions(recording: &Recording, situation: &Situation<'_>) -> Assumptions {
    let mut assumptions = Assumptions::new(situation.cluster);
    for (controller, flags) in &recording.controller_flags {
        for flag in flags {
            match (controller.as_str(), flag.as_str()) {
                ("kustomize", "--requeue-dependency=5s") => assumptions.kustomize_requeue = Duration::from_secs(5),
                other => panic!("{}: a flag that is not known here: {other:?}", recording.label),
            }
        }
    }
    assumptions
}

fn verdict(situation: &Situation<'_>, run: &Run, name: &str, observed: &Observed, watched_s: f64) -> Verdict {
    let parts: Vec<&str> = name.split('/').collect();
    let [kind @ ("Kustomization" | "HelmRelease"), namespace, name] = parts[..] else {
        panic!("{name} is not predicted")
    };
    let actor = actor(situation, kind, namespace, name);
    let is_ready = actor.is_some_and(|actor| fate(situation, actor) == Fate::Ready);
    let ready = match actor {
        Some(Actor::Node(node)) => run.nodes[node.index()].ready,
        Some(Actor::Release(release)) => run.releases[release as usize].ready,
        _ => None,
    };
    let ready = ready.filter(|_| is_ready).map(|ready| ready.as_secs_f64());
    match (ready, observed.ready_s) {
        // How long it took is another question: charts of the lab are stubs.
        (None, None) | (Some(_), Some(_)) => Verdict::Agree,
        (Some(at), None) if at > watched_s => Verdict::Undecided,
        (Some(at), None) => Verdict::Disagree(format!("Ready after {at:.0} s")),
        (None, Some(_)) => Verdict::Disagree("never Ready".to_owned()),
    }
}

/// The verdict on each object of a recording, with what was observed last.
fn compare(recording: &Recording) -> Vec<(String, Verdict, String)> {
    let files: Vec<_> = recording.files.iter().collect();
    let repository = Repository::new(&files);
    let options = options(recording, &repository);
    let survey = repository.survey();
    let session = Session::new(&survey, &options);
    let situation = reached(&session).into_iter().find(|situation| situation.cluster.root == recording.entry);
    let situation = situation.unwrap_or_else(|| panic!("{}: no cluster {}", recording.label, recording.entry));
    let simulation =
        Simulation::new(situation.cluster, &situation.graph, &situation.durations, assumptions(recording, situation));
    let run = simulation.run(Quantile::Typical);
    let judge = |(name, observed): (&String, &Observed)| {
        let last = observed.last.iter().flatten().skip(1).flatten().cloned().collect::<Vec<_>>().join(": ");
        (name.clone(), verdict(situation, &run, name, observed, recording.watched_s), last)
    };
    recording.observed.iter().map(judge).collect()
}

#[test]
fn who_becomes_ready_is_as_real_controllers_had_it() {
    let Some(recordings) = recordings() else { return };
    let (mut agree, mut undecided, mut total) = (0, 0, 0);
    let mut disagreements: BTreeMap<(String, String), String> = BTreeMap::new();
    for recording in recordings {
        for (object, verdict, last) in compare(&recording) {
            total += 1;
            match verdict {
                Verdict::Agree => agree += 1,
                Verdict::Undecided => undecided += 1,
                Verdict::Disagree(predicted) => {
                    let text = format!("predicted: {predicted}; observed: {}", last.replace('\n', " "));
                    disagreements.insert((recording.label.clone(), object), text);
                }
            }
        }
    }
    println!("{agree} of {} objects agree, {undecided} of {total} were not watched long enough", total - undecided);
    for ((label, object), text) in &disagreements {
        println!("{label} | {object} | {text}");
    }
    let mut problems = Vec::new();
    for (reason, objects) in EXCEPTIONS {
        println!("{} exceptions: {reason}", objects.len());
        for (label, object) in *objects {
            if disagreements.remove(&((*label).to_owned(), (*object).to_owned())).is_none() {
                problems.push(format!("{label}, {object}: agrees, so it is no exception any more ({reason})"));
            }
        }
    }
    problems.extend(disagreements.iter().map(|((label, object), text)| format!("{label}, {object}: {text}")));
    assert!(total > 400, "{total} objects");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
