//! Which of the two nodes of a link stands before the other.

use std::collections::BTreeSet;

use crate::picture::Drawing;

/// From how many on, nodes with but one neighbour stand on both sides of it.
const CROWD: usize = 6;

/// A number for each node of a connected part: of two neighbours, the one with the lower number stands first. No two have
/// the same.
///
/// It begins at one end of the part, of two the one whose node comes first, and counts links from there. So a chain becomes a row, and what is far apart in the graph
/// is far apart in the picture.
pub fn ranks(part: &Drawing) -> Vec<(isize, usize)> {
    if part.nodes.is_empty() {
        return Vec::new();
    }
    let end = farthest(part, 0);
    let distances = part.distances(end.min(farthest(part, end)));
    let mut ranks: Vec<isize> = distances
        .iter()
        .map(|distance| distance.and_then(|distance| distance.try_into().ok()).unwrap_or(0))
        .collect();
    let neighbours: Vec<BTreeSet<usize>> = part.neighbours().into_iter().map(BTreeSet::from_iter).collect();
    for node in 0..part.nodes.len() {
        spread(&neighbours, node, &mut ranks);
    }
    ranks.into_iter().zip(0..).collect()
}

/// The first of the nodes that are the most links away.
fn farthest(part: &Drawing, from: usize) -> usize {
    let distances = part.distances(from).into_iter().enumerate();
    let farthest = distances.max_by_key(|(node, distance)| (*distance, std::cmp::Reverse(*node)));
    farthest.map_or(from, |(node, _)| node)
}

/// If a node has a crowd of neighbours without others, moves some of them before it, so that both sides have as many.
fn spread(neighbours: &[BTreeSet<usize>], node: usize, ranks: &mut [isize]) {
    let others = neighbours[node].iter().copied().filter(|&other| other != node);
    let (leaves, inner): (Vec<usize>, Vec<usize>) =
        others.partition(|&other| neighbours[other].len() == 1 && ranks[other] > ranks[node]);
    if leaves.len() < CROWD {
        return;
    }
    let before = inner.iter().filter(|&&other| ranks[other] < ranks[node]).count();
    let behind = inner.len() - before;
    let moved = (leaves.len() + behind).saturating_sub(before) / 2;
    for &leaf in leaves.iter().take(moved) {
        ranks[leaf] = ranks[node] - 1;
    }
}
