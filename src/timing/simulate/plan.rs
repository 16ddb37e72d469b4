//! The event graph as the simulation runs over it: flat arrays, nothing to look up.

use super::{
    Assumptions,
    clock::{Millis, NEVER, millis},
    lists::{Lists, NONE},
    process::Process,
};
use crate::{
    cluster::Cluster,
    graph::{Actor, Assume, Event, EventGraph, EventId, Moment, Reason},
};

/// How an event comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// As soon as its inputs have happened.
    Plain,
    /// Likewise, and then this process is queued.
    Exists(u32),
    /// At the first period after its inputs, counted from the event `anchor`.
    Timed { anchor: u32, period: Millis },
    /// By its process. Whether the simulation runs on until it has happened.
    Own { awaited: bool },
}

/// What never changes from run to run.
#[derive(Debug)]
pub(super) struct Plan {
    /// Kustomizations, then HelmReleases.
    pub(super) processes: Vec<Process>,
    /// How many of them are Kustomizations.
    pub(super) nodes: usize,
    pub(super) ids: Vec<EventId>,
    pub(super) roles: Vec<Role>,
    /// By event, the process it happens to.
    pub(super) owners: Vec<u32>,
    pub(super) is_or: Vec<bool>,
    /// What has to happen before an event.
    pub(super) inputs: Lists,
    /// What has to wait for an event.
    pub(super) outputs: Lists,
    /// How many inputs an event lacks at the start.
    pub(super) missing: Vec<u32>,
    /// By process, what it looks for one after the other: its sources, its dependencies, what else it reads.
    pub(super) sources: Lists,
    pub(super) dependencies: Lists,
    pub(super) reads: Lists,
    /// By process, what the dry-runs of the stage of classes and of the last one need.
    pub(super) class_needs: Lists,
    pub(super) needs: Lists,
    /// By process, its health set.
    pub(super) members: Lists,
    /// By process, the Kustomizations that have it in their health set.
    pub(super) watchers: Lists,
    /// By process, the HelmReleases it applies.
    pub(super) releases: Lists,
    /// Which events never happen, whatever the times.
    pub(super) unreachable: Vec<bool>,
    /// An event behind all others that never happens: what is missing where a blocker stops something.
    pub(super) never: u32,
    /// How many inputs of an event may happen.
    pub(super) open: Vec<u32>,
    /// How many awaited events happen at all.
    pub(super) awaited: u32,
    pub(super) assumptions: Settings,
}

/// The assumptions in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) workers: [u32; 2],
    pub(super) requeue: [Millis; 2],
    pub(super) poll: Millis,
    pub(super) timeouts: bool,
    pub(super) source_events: bool,
    /// Whether a health check ends once something in it has failed for good (kustomize-controller v1.9, gate
    /// `DisableFailFastBehavior`).
    pub(super) fails_early: bool,
    pub(super) kept_percent: u32,
    pub(super) backoff: Millis,
    pub(super) longest_backoff: Millis,
    pub(super) horizon: Millis,
}

/// The edges of the graph by what the controllers make of them.
#[derive(Default)]
struct Edges {
    inputs: Vec<(u32, u32)>,
    outputs: Vec<(u32, u32)>,
    sources: Vec<(u32, u32)>,
    dependencies: Vec<(u32, u32)>,
    reads: Vec<(u32, u32)>,
    class_needs: Vec<(u32, u32)>,
    needs: Vec<(u32, u32)>,
    members: Vec<(u32, u32)>,
    watchers: Vec<(u32, u32)>,
}

impl Plan {
    pub(super) fn new(cluster: &Cluster, graph: &EventGraph, assumptions: Assumptions) -> Self {
        let nodes = cluster.nodes.len();
        let processes: Vec<Process> = (cluster.nodes.iter().map(Process::of_node))
            .chain(cluster.releases.iter().map(|release| Process::of_release(cluster, release)))
            .collect();
        let ids: Vec<EventId> = graph.events().collect();
        let (settings, count) = (Settings::new(cluster, assumptions), processes.len());
        let mut plan = Self {
            nodes,
            roles: vec![Role::Plain; ids.len() + 1],
            owners: vec![NONE; ids.len() + 1],
            is_or: ids.iter().map(|id| graph.event(*id).is_or()).chain([false]).collect(),
            inputs: Lists::default(),
            outputs: Lists::default(),
            missing: Vec::new(),
            sources: Lists::default(),
            dependencies: Lists::default(),
            reads: Lists::default(),
            class_needs: Lists::default(),
            needs: Lists::default(),
            members: Lists::default(),
            watchers: Lists::default(),
            releases: releases(cluster, count),
            unreachable: Vec::new(),
            never: ids.len() as u32,
            open: Vec::new(),
            awaited: 0,
            assumptions: settings,
            processes,
            ids,
        };
        for index in 0..plan.ids.len() {
            let event = graph.event(plan.ids[index]);
            plan.roles[index] = plan.role(graph, event, millis(assumptions.resource_set_requeue));
            plan.place(event, index as u32);
        }
        let assume = Assume { least: assumptions.least, repaired: assumptions.repaired, failing: &[] };
        plan.read_edges(graph, assume);
        plan.settle(graph, assume);
        plan
    }

    /// The process of an actor.
    fn process(&self, actor: Actor) -> Option<u32> {
        match actor {
            Actor::Node(node) => Some(node.0),
            Actor::Release(release) => Some(self.nodes as u32 + release),
            _ => None,
        }
    }

    fn role(&self, graph: &EventGraph, event: Event, requeue: Millis) -> Role {
        let of = |moment| graph.id(event.actor, moment).map(|id| id.index() as u32);
        match (self.process(event.actor), event.moment) {
            (Some(process), Moment::Exists) => Role::Exists(process),
            (Some(_), moment) => Role::Own { awaited: !matches!(moment, Moment::Defined | Moment::Classified) },
            // A ResourceSet: what depends on others is looked at again, and so is the health of what it made.
            (None, Moment::Start) => match of(Moment::Exists) {
                Some(anchor) => Role::Timed { anchor, period: requeue },
                None => Role::Plain,
            },
            (None, Moment::Ready) => match of(Moment::Applied) {
                Some(anchor) => Role::Timed { anchor, period: self.assumptions.poll },
                None => Role::Plain,
            },
            (None, _) => Role::Plain,
        }
    }

    fn place(&mut self, event: Event, index: u32) {
        let Some(process) = self.process(event.actor) else { return };
        self.owners[index as usize] = process;
        let process = &mut self.processes[process as usize];
        match event.moment {
            Moment::Exists | Moment::Consumed => process.exists = index,
            Moment::Start => process.start = index,
            Moment::Defined => process.defined = index,
            Moment::Classified => process.classified = index,
            Moment::Applied => process.applied = index,
            Moment::Ready => process.ready = index,
        }
    }

    fn read_edges(&mut self, graph: &EventGraph, assume: Assume<'_>) {
        let mut edges = Edges::default();
        for index in 0..self.ids.len() {
            let after = graph.event(self.ids[index]);
            for (before, edge) in graph.inputs_under(self.ids[index], assume) {
                let pair = (before.index() as u32, index as u32);
                edges.inputs.push((pair.1, pair.0));
                edges.outputs.push(pair);
                if let Some(process) = self.process(after.actor).filter(|_| edge.reason != Reason::Progress) {
                    edges.add(process, pair.0, after.moment, edge.reason);
                    if after.moment == Moment::Ready
                        && let Some(member) = self.process(graph.event(before).actor)
                    {
                        edges.watchers.push((member, process));
                    }
                }
            }
        }
        for (id, blocker) in graph.stops(assume) {
            if let Some(process) = self.process(blocker.actor) {
                edges.add(process, self.never, graph.event(id).moment, blocker.reason);
            }
        }
        let (events, processes) = (self.ids.len() + 1, self.processes.len());
        self.inputs = Lists::new(events, &edges.inputs);
        self.outputs = Lists::new(events, &edges.outputs);
        let of = |pairs: &[(u32, u32)]| Lists::new(processes, pairs);
        self.sources = of(&edges.sources);
        self.dependencies = of(&edges.dependencies);
        self.reads = of(&edges.reads);
        self.class_needs = of(&edges.class_needs);
        self.needs = of(&edges.needs);
        self.members = of(&edges.members);
        self.watchers = of(&edges.watchers);
    }

    /// Finds what never happens.
    fn settle(&mut self, graph: &EventGraph, assume: Assume<'_>) {
        let reach = graph.reach(assume);
        let happens = |event: u32| self.ids.get(event as usize).is_some_and(|id| reach.happens(*id));
        let events = 0..=self.never;
        let missing = |event: u32| {
            let inputs = self.inputs.row(event).len() as u32;
            match self.owners[event as usize] == NONE && !happens(event) {
                // Nothing but its inputs makes it happen, and a blocker may stop it although they have happened.
                true => NONE,
                false if self.is_or[event as usize] => {
                    u32::from(inputs > 0 && !graph.is_preinstalled(self.ids[event as usize], assume))
                }
                false => inputs,
            }
        };
        self.missing = events.clone().map(missing).collect();
        let may = |event: u32| self.inputs.row(event).iter().filter(|input| happens(**input)).count() as u32;
        self.open = events.clone().map(may).collect();
        let is_awaited = |event: &u32| self.roles[*event as usize] == (Role::Own { awaited: true });
        self.awaited = events.clone().filter(|event| happens(*event) && is_awaited(event)).count() as u32;
        self.unreachable = events.map(|event| !happens(event)).collect();
    }
}

impl Edges {
    fn add(&mut self, process: u32, before: u32, moment: Moment, reason: Reason) {
        let list = match (moment, reason) {
            (Moment::Start, Reason::DependsOn | Reason::DependsOnExpr) => &mut self.dependencies,
            (Moment::Start, Reason::Source) => &mut self.sources,
            (Moment::Start, _) => &mut self.reads,
            (Moment::Defined | Moment::Classified, _) => &mut self.class_needs,
            (Moment::Applied, _) => &mut self.needs,
            (Moment::Ready, _) => &mut self.members,
            (Moment::Exists | Moment::Consumed, _) => return,
        };
        list.push((process, before));
    }
}

impl Settings {
    fn new(cluster: &Cluster, assumptions: Assumptions) -> Self {
        Self {
            workers: [assumptions.kustomize_workers.max(1), assumptions.helm_workers.max(1)],
            requeue: [millis(assumptions.kustomize_requeue), millis(assumptions.helm_requeue)],
            poll: millis(assumptions.health_poll),
            timeouts: assumptions.timeouts,
            source_events: assumptions.source_events,
            fails_early: !cluster.controllers.kustomize.has_gate("DisableFailFastBehavior"),
            kept_percent: assumptions.kept_percent.min(100),
            backoff: millis(assumptions.backoff).max(1),
            longest_backoff: millis(assumptions.longest_backoff).max(1),
            horizon: millis(assumptions.horizon).min(NEVER - 1),
        }
    }
}

fn releases(cluster: &Cluster, processes: usize) -> Lists {
    let nodes = cluster.nodes.len();
    let mut pairs = Vec::new();
    for (index, release) in cluster.releases.iter().enumerate() {
        pairs.extend(release.providers.iter().map(|provider| (provider.node.0, (nodes + index) as u32)));
    }
    Lists::new(processes, &pairs)
}
