//! Questions about a graph: through what one thing waits for another, what never happens where something fails, and
//! what everything needs.

use std::collections::{BTreeSet, VecDeque};

use petgraph::{
    Direction,
    graph::{EdgeIndex, NodeIndex},
    visit::EdgeRef as _,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Actor, Edge, Event, EventGraph, EventId, Loop, Moment, Reason, Step};
use crate::cluster::NodeId;

/// Steps looked at for chains before the search is content with what it has.
const WORK: usize = 200_000;

impl EventGraph {
    /// The events of `actor`, in their order.
    #[must_use]
    pub fn events_of(&self, actor: Actor) -> Vec<EventId> {
        Moment::ALL.into_iter().filter_map(|moment| self.id(actor, moment)).collect()
    }

    /// Why `after` cannot happen before `before`, where that is so; the first of several reasons.
    #[must_use]
    pub fn edge(&self, before: EventId, after: EventId) -> Option<&Edge> {
        self.inputs(after).find(|(input, _)| *input == before).map(|(_, edge)| edge)
    }

    /// The Kustomizations that one applies.
    #[must_use]
    pub fn children(&self, node: NodeId) -> Vec<NodeId> {
        let Some(applied) = self.id(Actor::Node(node), Moment::Applied) else { return Vec::new() };
        let child = |(after, _)| match self.event(after) {
            Event { actor: Actor::Node(child), moment: Moment::Exists } => Some(child),
            _ => None,
        };
        self.outputs(applied).filter_map(child).collect()
    }

    /// A Kustomization and all those that it leads to.
    #[must_use]
    pub fn subtree(&self, node: NodeId) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::from([node]);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            open.extend(self.children(node).into_iter().filter(|child| found.insert(*child)));
        }
        found
    }

    /// The step from `before` to `after`, where there is one.
    #[must_use]
    pub fn step(&self, before: EventId, after: EventId) -> Option<Step> {
        let edge = self.edge(before, after)?;
        Some(Step { before: self.event(before), after: self.event(after), edge: edge.clone() })
    }

    /// What else would do in place of `step`: the other providers of an object that one of them is enough for.
    #[must_use]
    pub fn alternatives(&self, step: &Step) -> Vec<Actor> {
        let Some(after) = self.id(step.after.actor, step.after.moment).filter(|_| step.after.is_or()) else {
            return Vec::new();
        };
        let mut others: Vec<Actor> = self.inputs(after).map(|(input, _)| self.event(input).actor).collect();
        others.retain(|actor| *actor != step.before.actor);
        others.dedup();
        others
    }

    /// The shortest chains through which `after` waits for one of the events `before`, at most `most` of them: each begins at `after`, and
    /// leads from something that waits to what it waits for. Moments of one object count for nothing. With `sure` no step
    /// has an alternative.
    #[must_use]
    pub fn chains(&self, after: Actor, before: &[EventId], most: usize, sure: bool) -> Vec<Vec<Step>> {
        let links = self.links_from(before, sure);
        let ends = self.events_of(after);
        let Some(best) = ends.iter().map(|id| links[id.index()]).min().filter(|best| *best < u32::MAX) else {
            return Vec::new();
        };
        // Each entry is an event, and the way on from it to `after`.
        let mut ways: Vec<(EdgeIndex, Option<usize>)> = Vec::new();
        let mut open: Vec<(NodeIndex, Option<usize>)> =
            ends.iter().rev().filter(|id| links[id.index()] == best).map(|id| (id.0, None)).collect();
        let (mut chains, mut known) = (Vec::new(), FxHashSet::default());
        let mut work = WORK;
        while let Some((at, way)) = open.pop() {
            if work == 0 || chains.len() >= most {
                break;
            }
            work -= 1;
            if before.contains(&EventId(at)) {
                let edges = self.links_of(&ways, way);
                if known.insert(edges.clone()) {
                    chains.push(edges.into_iter().filter_map(|edge| self.step_of(edge)).collect());
                }
                continue;
            }
            let mut edges: Vec<_> = self.graph.edges_directed(at, Direction::Incoming).collect();
            edges.sort_by_key(|edge| std::cmp::Reverse(edge.id()));
            for edge in edges {
                let weight = weight(edge.weight());
                // The moments of `after` itself are all tried.
                let is_own = way.is_none() && weight == 0;
                if !is_own && links[edge.source().index()].checked_add(weight) == Some(links[at.index()]) {
                    ways.push((edge.id(), way));
                    open.push((edge.source(), Some(ways.len() - 1)));
                }
            }
        }
        chains
    }

    /// Whether an event can do without one of its inputs.
    fn has_choice(&self, node: NodeIndex) -> bool {
        self.graph[node].is_or() && self.graph.edges_directed(node, Direction::Incoming).nth(1).is_some()
    }

    /// How many links lead from any of `events` to each event; `u32::MAX` where none do.
    fn links_from(&self, events: &[EventId], sure: bool) -> Vec<u32> {
        let mut links = vec![u32::MAX; self.graph.node_count()];
        let mut open: VecDeque<NodeIndex> = VecDeque::new();
        for id in events {
            links[id.index()] = 0;
            open.push_back(id.0);
        }
        while let Some(at) = open.pop_front() {
            for edge in self.graph.edges_directed(at, Direction::Outgoing) {
                let (weight, next) = (weight(edge.weight()), edge.target());
                let length = links[at.index()] + weight;
                if length < links[next.index()] && !(sure && self.has_choice(next)) {
                    links[next.index()] = length;
                    if weight == 0 {
                        open.push_front(next);
                    } else {
                        open.push_back(next);
                    }
                }
            }
        }
        links
    }

    fn links_of(&self, ways: &[(EdgeIndex, Option<usize>)], way: Option<usize>) -> Vec<EdgeIndex> {
        let mut edges = Vec::new();
        let mut at = way;
        while let Some((edge, next)) = at.and_then(|index| ways.get(index)) {
            edges.push(*edge);
            at = *next;
        }
        edges.reverse();
        edges.retain(|edge| self.graph.edge_weight(*edge).is_some_and(|edge| weight(edge) > 0));
        edges
    }

    fn step_of(&self, edge: EdgeIndex) -> Option<Step> {
        let (before, after) = self.graph.edge_endpoints(edge)?;
        let edge = self.graph.edge_weight(edge)?.clone();
        Some(Step { before: self.graph[before], after: self.graph[after], edge })
    }

    /// The events that happen where none of `blocked` does, each behind what lets it happen.
    #[must_use]
    pub fn happening(&self, blocked: &[EventId]) -> Vec<EventId> {
        let mut missing: Vec<usize> = self.graph.node_indices().map(|node| self.inputs_needed(EventId(node))).collect();
        // One that is never free of missing inputs never happens.
        for id in blocked {
            missing[id.index()] = usize::MAX;
        }
        let mut done: Vec<EventId> =
            self.graph.node_indices().filter(|node| missing[node.index()] == 0).map(EventId).collect();
        let mut next = 0;
        while let Some(id) = done.get(next).copied() {
            next += 1;
            for edge in self.graph.edges_directed(id.0, Direction::Outgoing) {
                let left = &mut missing[edge.target().index()];
                if *left == 0 || *left == usize::MAX {
                    continue;
                }
                *left -= 1;
                if *left == 0 {
                    done.push(EventId(edge.target()));
                }
            }
        }
        done
    }

    /// The events that happen, but would not if none of `failing` did; those themselves left out, in the order of ids.
    #[must_use]
    pub fn lost_without(&self, failing: &[EventId]) -> Vec<EventId> {
        let mut lost = vec![false; self.graph.node_count()];
        for id in self.happening(&[]) {
            lost[id.index()] = true;
        }
        for id in self.happening(failing).into_iter().chain(failing.iter().copied()) {
            lost[id.index()] = false;
        }
        self.events().filter(|id| lost[id.index()]).collect()
    }

    /// Everything that one of `ids` needs, directly or not, in the order of ids.
    #[must_use]
    pub fn behind(&self, ids: &[EventId]) -> Vec<EventId> {
        let mut seen = vec![false; self.graph.node_count()];
        let mut open: Vec<_> = ids.iter().map(|id| id.0).collect();
        while let Some(at) = open.pop() {
            for before in self.graph.neighbors_directed(at, Direction::Incoming) {
                if !std::mem::replace(&mut seen[before.index()], true) {
                    open.push(before);
                }
            }
        }
        self.events().filter(|id| seen[id.index()]).collect()
    }

    /// The nearest of `loops` that keeps `id` from happening, and the links that lead from `id` to it.
    #[must_use]
    pub fn stuck_in<'l>(&self, id: EventId, loops: &'l [Loop]) -> Option<(Vec<Step>, &'l Loop)> {
        let mut in_loop: FxHashMap<Event, &'l Loop> = FxHashMap::default();
        for found in loops {
            for step in &found.steps {
                in_loop.entry(step.after).or_insert(found);
            }
        }
        let mut happens = vec![false; self.graph.node_count()];
        for id in self.happening(&[]) {
            happens[id.index()] = true;
        }
        if happens[id.index()] {
            return None;
        }
        let mut came: FxHashMap<NodeIndex, EdgeIndex> = FxHashMap::default();
        let mut open = VecDeque::from([id.0]);
        while let Some(at) = open.pop_front() {
            if let Some(found) = in_loop.get(&self.graph[at]) {
                let mut steps = Vec::new();
                let mut node = at;
                while node != id.0 {
                    let edge = *came.get(&node)?;
                    steps.extend(self.step_of(edge).filter(|step| step.edge.reason != Reason::Progress));
                    node = self.graph.edge_endpoints(edge)?.1;
                }
                steps.reverse();
                return Some((steps, found));
            }
            let mut edges: Vec<_> = self.graph.edges_directed(at, Direction::Incoming).collect();
            edges.sort_by_key(|edge| edge.id());
            for edge in edges {
                let before = edge.source();
                if !happens[before.index()] && before != id.0 && !came.contains_key(&before) {
                    came.insert(before, edge.id());
                    open.push_back(before);
                }
            }
        }
        None
    }

    /// For each of `of`, how many of `counted` never happen without it. Only edges that `allow` allows count.
    ///
    /// Exact: an event needs what any of its inputs needs; one that a single input is enough for needs what all of its
    /// inputs need.
    #[must_use]
    pub fn needed_by(&self, of: &[EventId], counted: &[EventId]) -> Vec<usize> {
        let mut counts = vec![0; of.len()];
        self.each_block(of, &|_, _, _| true, &mut |offset, needs| {
            for id in counted {
                needs.of(*id, &mut |bit| {
                    if let Some(count) = counts.get_mut(offset + bit).filter(|_| of[offset + bit] != *id) {
                        *count += 1;
                    }
                });
            }
        });
        counts
    }

    /// Those of `wanted`, pairs of positions in `of`, whose first needs the second, over edges that `allow` allows.
    #[must_use]
    pub fn needs_among(
        &self,
        of: &[EventId],
        allow: &dyn Fn(Event, Event, &Edge) -> bool,
        wanted: &[(usize, usize)],
    ) -> FxHashSet<(usize, usize)> {
        let mut by_block: FxHashMap<usize, Vec<(usize, usize)>> = FxHashMap::default();
        for pair in wanted {
            by_block.entry(pair.1 / BLOCK).or_default().push(*pair);
        }
        let mut found = FxHashSet::default();
        self.each_block(of, allow, &mut |offset, needs| {
            for (one, other) in by_block.get(&(offset / BLOCK)).into_iter().flatten() {
                if needs.has(of[*one], *other - offset) {
                    found.insert((*one, *other));
                }
            }
        });
        found
    }

    /// Computes what needs the events `of`, a block of them at a time, so that memory stays bounded.
    fn each_block(
        &self,
        of: &[EventId],
        allow: &dyn Fn(Event, Event, &Edge) -> bool,
        see: &mut dyn FnMut(usize, &Needs),
    ) {
        let order = self.happening(&[]);
        let mut inputs: Vec<Vec<usize>> = vec![Vec::new(); self.graph.node_count()];
        for edge in self.graph.edge_references() {
            if allow(self.graph[edge.source()], self.graph[edge.target()], edge.weight()) {
                inputs[edge.target().index()].push(edge.source().index());
            }
        }
        let mut happens = vec![false; self.graph.node_count()];
        for id in &order {
            happens[id.index()] = true;
        }
        for (block, members) in of.chunks(BLOCK).enumerate() {
            let mut needs = Needs { table: vec![[0; WORDS]; self.graph.node_count()] };
            let mut own = vec![[0; WORDS]; self.graph.node_count()];
            for (bit, id) in members.iter().enumerate() {
                own[id.index()][bit / 64] |= 1 << (bit % 64);
            }
            // From above: what is not settled yet needs everything.
            for id in &order {
                needs.table[id.index()] = [u64::MAX; WORDS];
            }
            let settles = (0..ROUNDS).any(|_| {
                let mut changed = false;
                for id in &order {
                    let at = id.index();
                    let before = inputs[at].iter().filter(|input| happens[**input]);
                    let mut new = if self.graph[id.0].is_or() {
                        let all = before.map(|input| needs.table[*input]);
                        all.reduce(|one, other| join(one, other, |one, other| one & other)).unwrap_or([0; WORDS])
                    } else {
                        before.fold([0; WORDS], |all, input| join(all, needs.table[*input], |one, other| one | other))
                    };
                    new = join(new, own[at], |one, other| one | other);
                    changed |= new != needs.table[at];
                    needs.table[at] = new;
                }
                !changed
            });
            if settles {
                see(block * BLOCK, &needs);
            }
        }
    }
}

/// Events whose dependents are computed at a time.
const BLOCK: usize = 512;
const WORDS: usize = BLOCK / 64;
/// Passes until what is needed stands still. Two do where objects have one provider each.
const ROUNDS: usize = 64;

/// For each event, which of a block of events it needs.
struct Needs {
    table: Vec<[u64; WORDS]>,
}

impl Needs {
    fn has(&self, id: EventId, bit: usize) -> bool {
        self.table[id.index()][bit / 64] >> (bit % 64) & 1 == 1
    }

    fn of(&self, id: EventId, see: &mut dyn FnMut(usize)) {
        for (index, word) in self.table[id.index()].iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                see(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

fn join(one: [u64; WORDS], other: [u64; WORDS], by: impl Fn(u64, u64) -> u64) -> [u64; WORDS] {
    let mut joined = one;
    for (word, other) in joined.iter_mut().zip(other) {
        *word = by(*word, other);
    }
    joined
}

fn weight(edge: &Edge) -> u32 {
    u32::from(edge.reason != Reason::Progress)
}
