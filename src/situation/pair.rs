use super::Situation;

/// A cluster before a change and after it.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// As it was; `None` where it is new.
    pub before: Option<&'a Situation<'a>>,
    /// As it is; `None` where it is gone.
    pub after: Option<&'a Situation<'a>>,
}

/// The clusters that entry points lead to, before a change and after it: those of one root belong together, and of the
/// others those that share the most Kustomizations, where that is half of them: a folder can be renamed.
#[must_use]
pub fn pairs<'a>(before: &'a [Situation<'a>], after: &'a [Situation<'a>]) -> Vec<Pair<'a>> {
    let reached = |situations: &'a [Situation<'a>]| situations.iter().filter(|one| one.cluster.reached);
    let mut left: Vec<&Situation<'_>> = reached(before).collect();
    let mut pairs: Vec<Pair<'a>> = reached(after)
        .map(|after| {
            let same = left.iter().position(|before| before.cluster.root == after.cluster.root);
            Pair { before: same.map(|index| left.remove(index)), after: Some(after) }
        })
        .collect();
    for pair in pairs.iter_mut().filter(|pair| pair.before.is_none()) {
        let Some(after) = pair.after else { continue };
        let shared = |before: &Situation<'_>| {
            before.cluster.nodes.iter().filter(|node| after.cluster.find(&node.key).is_some()).count()
        };
        let most = after.cluster.nodes.len();
        let best = (0..left.len()).map(|index| (shared(left[index]), std::cmp::Reverse(index))).max();
        if let Some((_, std::cmp::Reverse(index))) = best.filter(|(shared, _)| shared * 2 >= most && *shared > 1) {
            pair.before = Some(left.remove(index));
        }
    }
    pairs.extend(left.into_iter().map(|before| Pair { before: Some(before), after: None }));
    pairs
}
