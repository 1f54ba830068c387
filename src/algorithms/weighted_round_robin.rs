//! Two older weighted round robins, kept to show what the smooth one improves on.

/// Gives each server its whole weight in one burst before the next: A A A B for weights 3 and 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NaiveWeightedRoundRobin {
    weights: Vec<u32>,
    server: usize,
    given: u32,
}

impl NaiveWeightedRoundRobin {
    /// Starts at the first server. Servers of weight 0 get nothing.
    pub fn new(weights: Vec<u32>) -> NaiveWeightedRoundRobin {
        NaiveWeightedRoundRobin {
            weights,
            server: 0,
            given: 0,
        }
    }

    /// The next server, or none when no weight is positive.
    pub fn pick(&mut self) -> Option<usize> {
        // Passing every server once and coming back to the first decides that all weights are 0.
        for _ in 0..=self.weights.len() {
            if self.given < *self.weights.get(self.server)? {
                self.given += 1;
                return Some(self.server);
            }
            self.given = 0;
            self.server = (self.server + 1) % self.weights.len();
        }
        None
    }
}

/// The Linux Virtual Server's `wrr`: passes over the servers with a threshold that falls from the
/// greatest weight by the greatest common divisor, picking those whose weight reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LvsWeightedRoundRobin {
    weights: Vec<u32>,
    next: usize,
    threshold: u32,
}

impl LvsWeightedRoundRobin {
    /// Starts at the first server. Servers of weight 0 get nothing.
    pub fn new(weights: Vec<u32>) -> LvsWeightedRoundRobin {
        LvsWeightedRoundRobin {
            weights,
            next: 0,
            threshold: 0,
        }
    }

    /// The weight that a server must reach to be picked in this pass.
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// The next server, or none when no weight is positive.
    pub fn pick(&mut self) -> Option<usize> {
        let greatest = self.weights.iter().copied().max().filter(|&max| max > 0)?;
        let step = self.weights.iter().copied().fold(0, gcd);
        loop {
            if self.next == 0 {
                let lowered = self.threshold.saturating_sub(step);
                self.threshold = if lowered == 0 { greatest } else { lowered };
            }
            let server = self.next;
            self.next = (self.next + 1) % self.weights.len();
            if self.weights[server] >= self.threshold {
                return Some(server);
            }
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_honour_weights_over_a_cycle_and_skip_zero() {
        let weights = [0, 6, 2, 0, 4];
        let mut naive = NaiveWeightedRoundRobin::new(weights.to_vec());
        let mut lvs = LvsWeightedRoundRobin::new(weights.to_vec());
        let mut counts = [[0; 5]; 2];
        for _ in 0..24 {
            counts[0][naive.pick().unwrap()] += 1;
            counts[1][lvs.pick().unwrap()] += 1;
        }
        assert_eq!(counts, [[0, 12, 4, 0, 8]; 2]);
    }

    #[test]
    fn nothing_to_pick() {
        for weights in [vec![], vec![0], vec![0, 0, 0]] {
            assert_eq!(NaiveWeightedRoundRobin::new(weights.clone()).pick(), None);
            assert_eq!(LvsWeightedRoundRobin::new(weights).pick(), None);
        }
    }
}
