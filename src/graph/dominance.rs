//! What everything needs: which events never happen without which, in the graph in which everything is repaired.

use petgraph::{graph::NodeIndex, visit::EdgeRef as _};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Assume, Edge, Event, EventGraph, EventId};

impl EventGraph {
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
        let solution = self.reach(Assume::REPAIRED);
        let order = solution.order();
        let mut inputs: Vec<Vec<usize>> = vec![Vec::new(); self.graph.node_count()];
        for edge in self.graph.edge_references().filter(|edge| self.counts(edge.id(), Assume::REPAIRED)) {
            if allow(self.graph[edge.source()], self.graph[edge.target()], edge.weight()) {
                inputs[edge.target().index()].push(edge.source().index());
            }
        }
        let happens = |input: &&usize| solution.happens(EventId(NodeIndex::new(**input)));
        for (block, members) in of.chunks(BLOCK).enumerate() {
            let mut needs = Needs { table: vec![[0; WORDS]; self.graph.node_count()] };
            let mut own = vec![[0; WORDS]; self.graph.node_count()];
            for (bit, id) in members.iter().enumerate() {
                own[id.index()][bit / 64] |= 1 << (bit % 64);
            }
            // From above: what is not settled yet needs everything.
            for id in order {
                needs.table[id.index()] = [u64::MAX; WORDS];
            }
            let settles = (0..ROUNDS).any(|_| {
                let mut changed = false;
                for id in order {
                    let at = id.index();
                    let before = inputs[at].iter().filter(happens);
                    let mut new = if self.is_met_by_repair(id.0) && self.graph[id.0].is_or() {
                        [0; WORDS]
                    } else if self.graph[id.0].is_or() {
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
