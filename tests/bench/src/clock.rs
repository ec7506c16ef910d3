//! The processor's time stamp counter.

/// Ticks since the processor was started.
#[cfg(target_arch = "x86_64")]
pub fn ticks() -> u64 {
    // SAFETY: every x86_64 processor has the instruction, and systems let programs use it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The mean of the middle half: interrupts fall outside.
pub fn middle_mean(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    let quarter = values.len() / 4;
    let middle = &values[quarter..values.len() - quarter];
    middle.iter().sum::<u64>() / (middle.len() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_off_does_not_count() {
        assert_eq!(middle_mean(vec![9_000, 10, 12, 0, 11, 9, 10, 9_000]), 10);
        assert_eq!(middle_mean(vec![7]), 7);
    }

    #[test]
    fn nothing_takes_no_time() {
        assert_eq!(middle_mean(Vec::new()), 0);
    }
}
