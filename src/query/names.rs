//! Finding what a question names.

use super::{Error, Model};
use crate::{
    cluster::{Cluster, ObjectKey, ObjectQuery, ObjectRef, Provider},
    finding::{Subject, count},
    graph::{Actor, EventGraph, EventId, Moment},
    source::shell_word,
};

/// An object that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its cluster, by position in [`Model::situations`].
    pub cluster: usize,
    /// The object.
    pub actor: Actor,
}

/// The objects that have a name.
#[derive(Debug, Clone)]
pub struct Matches {
    /// The name.
    pub name: String,
    /// The objects, at least one. All are of one rank: Kustomizations, or HelmReleases, or others.
    pub found: Vec<Found>,
    /// That an object of another rank has the name too.
    pub note: Option<String>,
}

/// Choices listed where a name is ambiguous.
pub(super) const LISTED: usize = 20;

impl Model<'_> {
    /// The objects with a name: those of the first rank that has any, in clusters that an entry point reaches where those
    /// have any, and among what is reported where that has any.
    ///
    /// # Errors
    /// Where nothing has the name.
    pub fn find(self, text: &str) -> Result<Matches, Error> {
        let wanted = ObjectQuery::parse(text).map_err(|_| Error::NoName(text.to_owned()))?;
        let named = |cluster: usize| {
            let found = wanted.find_in(self.situations[cluster].cluster);
            found.into_iter().map(move |named| Found { cluster, actor: actor(named) })
        };
        let all: Vec<Found> = (0..self.situations.len()).flat_map(named).collect();
        let in_graph = |found: &Found| {
            let is_object = matches!(found.actor, Actor::Object(_));
            !is_object || !self.situations[found.cluster].graph.events_of(found.actor).is_empty()
        };
        let mut found: Vec<Found> = all.iter().copied().filter(in_graph).collect();
        if found.iter().any(|found| self.situations[found.cluster].cluster.reached) {
            found.retain(|found| self.situations[found.cluster].cluster.reached);
        }
        let Some(first) = found.iter().map(|found| rank(found.actor)).min() else {
            return Err(self.unknown(text, &wanted, &all));
        };
        let other = found.iter().find(|found| rank(found.actor) != first);
        let note = other
            .map(|other| format!("{} has that name too; write it like this to ask about it", self.subject(*other)));
        found.retain(|found| rank(found.actor) == first);
        prefer(&mut found, |found| self.focus.has_cluster(found.cluster));
        prefer(&mut found, |found| {
            let reported = self.focus.subjects(found.cluster, self.situations[found.cluster].cluster);
            reported.is_none_or(|reported| reported.contains(&self.subject(*found)))
        });
        Ok(Matches { name: text.to_owned(), found, note })
    }

    /// The object that is meant.
    pub(super) fn subject(self, found: Found) -> Subject {
        found.actor.subject(self.situations[found.cluster].cluster)
    }

    /// The one object that `matches` has.
    ///
    /// # Errors
    /// Where there are several.
    pub fn only(self, matches: &Matches) -> Result<Found, Error> {
        if let [one] = matches.found.as_slice() {
            return Ok(*one);
        }
        let choice = |found: &Found| {
            let root = &self.situations[found.cluster].cluster.root;
            format!("{} --cluster {}", shell_word(&self.subject(*found).to_string()), shell_word(root))
        };
        let choices = matches.found.iter().take(LISTED).map(choice).collect();
        Err(Error::Ambiguous { name: matches.name.clone(), what: "object", number: matches.found.len(), choices })
    }

    /// The two objects that are meant, in the one cluster that has both.
    ///
    /// # Errors
    /// Where no cluster or several clusters have both, and where both are the same.
    pub fn both(self, mut one: Matches, mut other: Matches) -> Result<(Found, Found), Error> {
        let clusters = |matches: &Matches| matches.found.iter().map(|found| found.cluster).collect::<Vec<_>>();
        let (of_one, of_other) = (clusters(&one), clusters(&other));
        one.found.retain(|found| of_other.contains(&found.cluster));
        other.found.retain(|found| of_one.contains(&found.cluster));
        let names = || [one.name.clone(), other.name.clone()];
        if one.found.is_empty() {
            let root = |of: &[usize]| {
                of.first().map_or_else(String::new, |first| self.situations[*first].cluster.root.clone())
            };
            return Err(Error::Apart { names: names(), clusters: [root(&of_one), root(&of_other)] });
        }
        let (node, on) = (self.only(&one)?, self.only(&other)?);
        if node == on { Err(Error::Same { names: names() }) } else { Ok((node, on)) }
    }

    fn unknown(self, text: &str, wanted: &ObjectQuery, all: &[Found]) -> Error {
        if let Some(Found { cluster, actor: Actor::Object(object) }) = all.first() {
            let cluster = self.situations[*cluster].cluster;
            let object = cluster.objects.iter().nth(*object as usize);
            let owner = object
                .and_then(|(_, providers): (&ObjectKey, &Vec<Provider>)| Some(cluster.owner(*providers.first()?)));
            return Error::NoEvents { name: text.to_owned(), owner: owner.map(|owner| owner.to_string()) };
        }
        let nodes = self.situations.iter().map(|situation| situation.cluster.nodes.len()).sum();
        let releases = self.situations.iter().map(|situation| situation.cluster.releases.len()).sum();
        let clusters: Vec<&Cluster> = self.situations.iter().map(|situation| situation.cluster).collect();
        let help = wanted.similar_object(&clusters).map_or_else(
            || format!("there are {} and {}", count(nodes, "Kustomization"), count(releases, "HelmRelease")),
            |similar| format!("did you mean `{similar}`?"),
        );
        let help = match std::path::Path::new(text).exists() {
            true => format!("{help}; for the file or folder, write `./{text}`"),
            false => help,
        };
        Error::Unknown { name: text.to_owned(), help }
    }
}

/// Leaves those that `holds` of, where it does of any.
pub(super) fn prefer<T>(found: &mut Vec<T>, holds: impl Fn(&T) -> bool) {
    if found.iter().any(&holds) {
        found.retain(holds);
    }
}

const fn actor(named: ObjectRef) -> Actor {
    match named {
        ObjectRef::Node(id) => Actor::Node(id),
        ObjectRef::Release(index) => Actor::Release(index as u32),
        ObjectRef::Object(index) => Actor::Object(index as u32),
    }
}

const fn rank(actor: Actor) -> u8 {
    match actor {
        Actor::Node(_) => 0,
        Actor::Release(_) => 1,
        Actor::Object(_) | Actor::Kind(_) | Actor::Namespace(_) | Actor::Made(_) => 2,
    }
}

/// The event after which an object is done.
pub(super) fn done(graph: &EventGraph, actor: Actor) -> Option<EventId> {
    graph.id(actor, Moment::Ready).or_else(|| graph.events_of(actor).last().copied())
}

/// The subjects of `actors`, each once, Kustomizations first.
pub(super) fn subjects(cluster: &Cluster, actors: impl Iterator<Item = Actor>) -> Vec<Subject> {
    let mut actors: Vec<Actor> = actors.collect();
    actors.sort_unstable();
    actors.dedup();
    actors.into_iter().map(|actor| actor.subject(cluster)).collect()
}
