//! The time, for people and programs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since 1970.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970, exactly.
pub fn seconds(time: Duration) -> String {
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}

/// The time of day, in UTC.
pub fn time_of_day(time: Duration) -> String {
    let seconds = time.as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:06}",
        seconds % 60,
        time.subsec_micros()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_two_ways() {
        let time = Duration::new(1_700_000_000, 1_500);
        assert_eq!(time_of_day(time), "22:13:20.000001");
        assert_eq!(seconds(time), "1700000000.000001500");
    }
}
