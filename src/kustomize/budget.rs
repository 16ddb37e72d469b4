//! What one build may cost, whatever its files ask for.
//!
//! A few bytes of text can ask for any amount of work: bases that name each other twice over, patches times objects,
//! aliases of aliases. Limits on single texts do not add up to a limit of the whole, so each build has one budget, and
//! what does the work spends from it. What no longer fits is an error at the text that asks for it, and the build goes
//! on with what it has.
//!
//! What a base costs is charged to every build that uses it, also where another build has accumulated it already: the
//! outcome must not depend on which thread came first.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::yaml::{Node, Value};

/// Most steps of one build. A step is a node or an object that is looked at, compared or made: 20 to 50 ns. The largest
/// build that may be meant seriously, 20,000 objects of a hundred nodes under ten transformers, takes about 15 million, and
/// 50 patches of each of 3,000 objects take about as many.
const STEPS: u64 = 20_000_000;

/// Most nodes that one build may add to those that were parsed: changed or made, 100 bytes each in memory. The same largest
/// build changes some 50 nodes of each object.
const NODES: u64 = 1_500_000;

/// Most bytes of new text in one build: 32 generated objects of the largest size that a cluster stores.
const BYTES: u64 = 32 << 20;

/// What a cost is a cost of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nodes and objects looked at.
    Steps,
    /// Nodes made.
    Nodes,
    /// Bytes of text made.
    Bytes,
}

/// What something cost, or may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Nodes and objects looked at.
    pub steps: u64,
    /// Nodes made.
    pub nodes: u64,
    /// Bytes of text made.
    pub bytes: u64,
}

impl Cost {
    /// The most that one build may cost.
    pub const BUILD: Self = Self { steps: STEPS, nodes: NODES, bytes: BYTES };

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What is left of it after `other`.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_sub(other.steps),
            nodes: self.nodes.saturating_sub(other.nodes),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// The smaller of each.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        Self {
            steps: self.steps.min(other.steps),
            nodes: self.nodes.min(other.nodes),
            bytes: self.bytes.min(other.bytes),
        }
    }

    /// This many times as much.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self {
            steps: self.steps.saturating_mul(count),
            nodes: self.nodes.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
        }
    }

    /// Whether any part of it is more than that of `most`.
    #[must_use]
    pub const fn exceeds(self, most: Self) -> bool {
        most.lacking(self).is_some()
    }

    const fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Steps => self.steps,
            Unit::Nodes => self.nodes,
            Unit::Bytes => self.bytes,
        }
    }

    /// What of it is used up.
    const fn lacking(self, spent: Self) -> Option<Unit> {
        if spent.steps > self.steps {
            Some(Unit::Steps)
        } else if spent.nodes > self.nodes {
            Some(Unit::Nodes)
        } else if spent.bytes > self.bytes {
            Some(Unit::Bytes)
        } else {
            None
        }
    }
}

/// What is left of the most that something may cost. One thread spends from it.
#[derive(Debug)]
pub struct Budget {
    most: Cost,
    steps: AtomicU64,
    nodes: AtomicU64,
    bytes: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Cost::BUILD)
    }
}

impl Budget {
    /// A budget of `most`.
    #[must_use]
    pub const fn new(most: Cost) -> Self {
        Self { most, steps: AtomicU64::new(0), nodes: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Spends `count` of `unit`. False once more is spent than there was.
    pub fn spend(&self, unit: Unit, count: usize) -> bool {
        let spent = match unit {
            Unit::Steps => &self.steps,
            Unit::Nodes => &self.nodes,
            Unit::Bytes => &self.bytes,
        };
        let new = spent.load(Relaxed).saturating_add(count as u64);
        spent.store(new, Relaxed);
        new <= self.most.of(unit)
    }

    /// Spends `cost`. False once more is spent than there was.
    pub fn spend_all(&self, cost: Cost) -> bool {
        let [steps, nodes, bytes] = [(&self.steps, cost.steps), (&self.nodes, cost.nodes), (&self.bytes, cost.bytes)]
            .map(|(spent, count)| {
                let new = spent.load(Relaxed).saturating_add(count);
                spent.store(new, Relaxed);
                new
            });
        self.most.lacking(Cost { steps, nodes, bytes }).is_none()
    }

    /// What is spent.
    #[must_use]
    pub fn spent(&self) -> Cost {
        Cost { steps: self.steps.load(Relaxed), nodes: self.nodes.load(Relaxed), bytes: self.bytes.load(Relaxed) }
    }

    /// What is left.
    #[must_use]
    pub fn left(&self) -> Cost {
        self.most.less(self.spent())
    }

    /// Whether `cost` is still there.
    #[must_use]
    pub fn has(&self, cost: Cost) -> bool {
        self.most.lacking(self.spent().and(cost)).is_none()
    }

    /// What is used up, in words; `None` where nothing is.
    #[must_use]
    pub fn excess(&self) -> Option<String> {
        let unit = self.most.lacking(self.spent())?;
        let most = grouped(self.most.of(unit));
        Some(match unit {
            Unit::Steps => format!("takes more than {most} steps"),
            Unit::Nodes => format!("makes more than {most} nodes"),
            Unit::Bytes => format!("makes more than {most} bytes of text"),
        })
    }
}

/// What `work` gives, or what a panic in it says: a bug of ours costs what is done here, and nothing else. What it changes on
/// the way must go with it, but for caches that hold whole entries only.
///
/// # Errors
/// Where it panics.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("this program failed in this build, which is a bug of it: {}", text.unwrap_or("it does not say why"))
    })
}

/// A number as people write it: `1,500,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How many nodes `node` stands for, aliases expanded. A long text counts as several.
#[must_use]
pub fn size(node: &Node) -> usize {
    match &node.value {
        Value::Map(map) => 1 + map.entries().iter().map(|entry| size(&entry.value)).sum::<usize>(),
        Value::Seq(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Str(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_its_words_kept() {
        let failed = caught(|| -> usize { panic!("at {}", "once") });
        assert!(failed.is_err_and(|why| why.contains("a bug of it: at once")));
        assert_eq!(caught(|| 1), Ok(1));
    }

    #[test]
    fn what_is_spent_is_gone() {
        let budget = Budget::new(Cost { steps: 3, nodes: 2, bytes: 1 });
        assert!(budget.spend(Unit::Steps, 3) && budget.excess().is_none());
        assert!(!budget.has(Cost { steps: 1, ..Cost::default() }) && budget.has(Cost { nodes: 2, ..Cost::default() }));
        assert!(!budget.spend(Unit::Nodes, 3));
        assert_eq!(budget.excess().as_deref(), Some("makes more than 2 nodes"));
        assert_eq!(budget.left(), Cost { steps: 0, nodes: 0, bytes: 1 });
    }
}
