//! Several pieces of work at the same time, their results in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Tests have a hosted kernel each, but one FreeBSD between them.
fn workers() -> usize {
    if cfg!(target_os = "freebsd") {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Works on every item, some at the same time, and shows each result as soon as those before it are shown.
pub fn in_order<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, mut show: impl FnMut(R)) {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers() {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    // The other end stays until every worker is done.
                    let _ = sender.send((index, work(item)));
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut shown = 0;
        for (index, result) in results {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&shown) {
                show(result);
                shown += 1;
            }
        }
    });
}

#[cfg(test)]
mod check {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let items: Vec<u64> = (0..20).collect();
        let mut shown = Vec::new();
        let slow_first = |item: &u64| {
            std::thread::sleep(std::time::Duration::from_millis(20 - item));
            *item
        };
        in_order(&items, slow_first, |item| shown.push(item));
        assert_eq!(shown, items);
    }
}
