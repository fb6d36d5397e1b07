use std::time::{Duration, Instant};

use crate::blocking::deadline::Deadline;

/// Time that may be spent in several goes, as on connections that each lead to the next.
#[derive(Debug)]
pub(super) struct TimeBudget(Duration);

impl TimeBudget {
    pub(super) const fn new(whole: Duration) -> Self {
        Self(whole)
    }

    /// Calls `work` with the deadline by which the remaining time is spent, and deducts what it took.
    pub(super) fn spend<T>(&mut self, work: impl FnOnce(Deadline) -> T) -> T {
        let begun = Instant::now();
        let done = work(Deadline::after(self.0));
        self.0 = self.0.saturating_sub(begun.elapsed());
        done
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn what_was_spent_is_not_there_for_the_next() {
        let mut budget = TimeBudget::new(Duration::from_millis(20));
        budget.spend(|deadline| {
            while !deadline.has_passed() {
                sleep(Duration::from_millis(1));
            }
        });
        budget.spend(|deadline| assert!(deadline.has_passed()));
    }

    #[test]
    fn what_was_not_spent_stays() {
        let mut budget = TimeBudget::new(Duration::from_secs(3600));
        for _ in 0..3 {
            budget.spend(|deadline| assert!(!deadline.has_passed()));
        }
        let mut endless = TimeBudget::new(Duration::MAX);
        for _ in 0..3 {
            endless.spend(|deadline| assert!(matches!(deadline.remaining(), Ok(None))));
        }
    }
}
