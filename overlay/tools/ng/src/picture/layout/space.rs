//! Moves what stands too close together apart, as little as possible.

/// Something in a layer, across the direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Where its middle is to be.
    pub middle: f64,
    /// How large it is.
    pub extent: f64,
    /// How much room it wants beside it; of two neighbours, the larger wish counts.
    pub gap: f64,
}

/// New middles for items that keep their order: those for which the sum of the squares of all moves is the least.
///
/// With the distances that items need taken off, it is isotonic regression, which pooling adjacent violators solves
/// (Ayer et al., 1955).
pub fn apart(items: &[Item]) -> Vec<f64> {
    let mut needs = Vec::with_capacity(items.len());
    let mut need = 0.0;
    for (index, item) in items.iter().enumerate() {
        if let Some(last) = index.checked_sub(1).map(|last| items[last]) {
            need += (last.extent + item.extent) / 2.0 + last.gap.max(item.gap);
        }
        needs.push(need);
    }
    let wishes = items.iter().zip(&needs).map(|(item, need)| item.middle - need);
    rising(wishes)
        .into_iter()
        .zip(needs)
        .map(|(place, need)| place + need)
        .collect()
}

/// The sequence nearest to the one given that never falls.
fn rising(wishes: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut pools: Vec<(f64, u32)> = Vec::new();
    for wish in wishes {
        let (mut mean, mut count) = (wish, 1);
        while let Some((last, size)) = pools.pop_if(|(last, _)| *last >= mean) {
            mean = (mean * f64::from(count) + last * f64::from(size)) / f64::from(count + size);
            count += size;
        }
        pools.push((mean, count));
    }
    let spread = pools
        .into_iter()
        .flat_map(|(mean, count)| (0..count).map(move |_| mean));
    spread.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(middles: &[f64]) -> Vec<Item> {
        let item = |&middle| Item {
            middle,
            extent: 10.0,
            gap: 2.0,
        };
        middles.iter().map(item).collect()
    }

    #[test]
    fn what_has_room_stays() {
        assert_eq!(apart(&items(&[0.0, 12.0, 100.0])), [0.0, 12.0, 100.0]);
        assert_eq!(apart(&[]), Vec::<f64>::new());
    }

    #[test]
    fn what_has_none_moves_to_both_sides() {
        assert_eq!(apart(&items(&[0.0, 0.0])), [-6.0, 6.0]);
        assert_eq!(apart(&items(&[5.0, 4.0, 3.0, 100.0])), [-8.0, 4.0, 16.0, 100.0]);
    }

    #[test]
    fn the_larger_wish_counts() {
        let mut two = items(&[0.0, 1.0]);
        two[1].gap = 20.0;
        let places = apart(&two);
        assert!((places[1] - places[0] - 30.0).abs() < 1e-9, "{places:?}");
    }
}
