//! Limits that keep hostile input from costing more than its size.

/// Largest file that is parsed, in bytes. Real manifests stay far below; offsets are 32 bits wide.
pub(super) const FILE_BYTES: usize = 256 << 20;

/// Deepest nesting, aliases followed. Trees are walked and dropped by recursion.
pub(super) const DEPTH: u32 = 512;

/// Most nodes one document may stand for when its aliases are expanded, however few it writes. kustomize has no such
/// limit and takes all memory of the machine instead.
pub(super) const EXPANDED_NODES: u64 = 1_000_000;

/// Most bytes of text one document may stand for when its aliases are expanded.
pub(super) const EXPANDED_BYTES: u64 = 64 << 20;

/// What a node stands for when its aliases are expanded.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Size {
    pub(super) nodes: u64,
    pub(super) bytes: u64,
    pub(super) depth: u32,
}

impl Size {
    pub(super) fn of_text(bytes: usize) -> Self {
        Self { nodes: 1, bytes: bytes as u64, depth: 1 }
    }

    /// Takes a child in.
    pub(super) fn add(&mut self, child: Self) {
        self.nodes = self.nodes.saturating_add(child.nodes);
        self.bytes = self.bytes.saturating_add(child.bytes);
        self.depth = self.depth.max(child.depth.saturating_add(1));
    }

    /// What is too large about it, if anything.
    pub(super) fn excess(self) -> Option<&'static str> {
        if self.depth > DEPTH {
            Some("nested deeper than 512 levels")
        } else if self.nodes > EXPANDED_NODES {
            Some("more than 1,000,000 nodes once its aliases are expanded")
        } else if self.bytes > EXPANDED_BYTES {
            Some("more than 64 MiB of text once its aliases are expanded")
        } else {
            None
        }
    }
}
