//! Three-colour markers: meters that do not drop packets but say how far each one exceeds its rate.
//!
//! The single-rate marker (RFC 2697) lets what overflows its committed bucket fill the excess bucket;
//! the two-rate marker (RFC 2698) fills one bucket at the committed and one at the peak rate. Both may
//! heed the colour that a packet already has: none ever gets a better one. Times are nanoseconds and
//! do not run back; buckets start full and fill continuously.

/// How a packet conforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Color {
    /// Within the committed rate.
    Green,
    /// Beyond it, within what is tolerated.
    Yellow,
    /// Beyond that.
    Red,
}

const NS_PER_S: u128 = 1_000_000_000;

/// Tokens of a byte each, with what has grown of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// In parts of `1 / NS_PER_S` of a byte.
    level: u128,
    size: u128,
}

impl Bucket {
    fn full(size_bytes: u64) -> Bucket {
        let size = u128::from(size_bytes) * NS_PER_S;
        Bucket { level: size, size }
    }

    /// Fills up and returns what did not fit.
    fn fill(&mut self, parts: u128) -> u128 {
        let taken = parts.min(self.size - self.level);
        self.level += taken;
        parts - taken
    }

    fn holds(self, bytes: u64) -> bool {
        self.level >= u128::from(bytes) * NS_PER_S
    }

    fn take(&mut self, bytes: u64) {
        self.level = self.level.saturating_sub(u128::from(bytes) * NS_PER_S);
    }

    fn bytes(self) -> f64 {
        self.level as f64 / NS_PER_S as f64
    }
}

/// The single-rate three-colour marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleRateMarker {
    rate: u64,
    committed: Bucket,
    excess: Bucket,
    latest_ns: u64,
}

impl SingleRateMarker {
    /// CIR in bytes per second, CBS and EBS in bytes.
    pub fn new(
        committed_bytes_per_s: u64,
        committed_burst: u64,
        excess_burst: u64,
    ) -> SingleRateMarker {
        SingleRateMarker {
            rate: committed_bytes_per_s,
            committed: Bucket::full(committed_burst),
            excess: Bucket::full(excess_burst),
            latest_ns: 0,
        }
    }

    /// Marks a packet. `colored` is the colour that it has already; green in colour-blind mode.
    pub fn mark(&mut self, now_ns: u64, bytes: u64, colored: Color) -> Color {
        let grown = grown(self.rate, &mut self.latest_ns, now_ns);
        let over = self.committed.fill(grown);
        self.excess.fill(over);
        if colored == Color::Green && self.committed.holds(bytes) {
            self.committed.take(bytes);
            Color::Green
        } else if colored <= Color::Yellow && self.excess.holds(bytes) {
            self.excess.take(bytes);
            Color::Yellow
        } else {
            Color::Red
        }
    }

    /// Tc and Te, in bytes, as of the latest packet.
    pub fn levels(&self) -> (f64, f64) {
        (self.committed.bytes(), self.excess.bytes())
    }
}

/// The two-rate three-colour marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoRateMarker {
    committed_rate: u64,
    peak_rate: u64,
    committed: Bucket,
    peak: Bucket,
    latest_ns: u64,
}

impl TwoRateMarker {
    /// CIR and PIR in bytes per second, CBS and PBS in bytes. The RFC wants PIR ≥ CIR; a lower one is
    /// taken as it is.
    pub fn new(
        committed_bytes_per_s: u64,
        committed_burst: u64,
        peak_bytes_per_s: u64,
        peak_burst: u64,
    ) -> TwoRateMarker {
        TwoRateMarker {
            committed_rate: committed_bytes_per_s,
            peak_rate: peak_bytes_per_s,
            committed: Bucket::full(committed_burst),
            peak: Bucket::full(peak_burst),
            latest_ns: 0,
        }
    }

    /// Marks a packet. `colored` is the colour that it has already; green in colour-blind mode.
    pub fn mark(&mut self, now_ns: u64, bytes: u64, colored: Color) -> Color {
        let mut latest_ns = self.latest_ns;
        let committed_grown = grown(self.committed_rate, &mut latest_ns, now_ns);
        self.committed.fill(committed_grown);
        let peak_grown = grown(self.peak_rate, &mut self.latest_ns, now_ns);
        self.peak.fill(peak_grown);
        if colored == Color::Red || !self.peak.holds(bytes) {
            return Color::Red;
        }
        self.peak.take(bytes);
        if colored == Color::Yellow || !self.committed.holds(bytes) {
            return Color::Yellow;
        }
        self.committed.take(bytes);
        Color::Green
    }

    /// Tc and Tp, in bytes, as of the latest packet.
    pub fn levels(&self) -> (f64, f64) {
        (self.committed.bytes(), self.peak.bytes())
    }
}

fn grown(bytes_per_s: u64, latest_ns: &mut u64, now_ns: u64) -> u128 {
    let elapsed_ns = now_ns.saturating_sub(*latest_ns);
    *latest_ns = now_ns.max(*latest_ns);
    u128::from(bytes_per_s) * u128::from(elapsed_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_of_exactly_what_is_left_conforms() {
        let mut marker = SingleRateMarker::new(0, 10, 10);
        assert_eq!(marker.mark(0, 10, Color::Green), Color::Green);
        assert_eq!(marker.mark(0, 11, Color::Green), Color::Red);
        assert_eq!(marker.mark(0, 10, Color::Green), Color::Yellow);
        assert_eq!(marker.mark(u64::MAX, 1, Color::Green), Color::Red);
        assert_eq!(marker.mark(u64::MAX, 0, Color::Green), Color::Green);
    }

    #[test]
    fn colour_aware_a_packet_never_gets_better() {
        let mut single = SingleRateMarker::new(1, 100, 100);
        assert_eq!(single.mark(0, 10, Color::Yellow), Color::Yellow);
        assert_eq!(single.mark(0, 10, Color::Red), Color::Red);
        assert_eq!(single.levels(), (100.0, 90.0));
        let mut two = TwoRateMarker::new(1, 100, 2, 100);
        assert_eq!(two.mark(0, 10, Color::Yellow), Color::Yellow);
        assert_eq!(two.mark(0, 10, Color::Red), Color::Red);
        assert_eq!(two.levels(), (100.0, 90.0));
    }

    #[test]
    fn excess_fills_only_from_what_overflows() {
        let mut marker = SingleRateMarker::new(10, 100, 100);
        marker.mark(0, 100, Color::Green);
        marker.mark(0, 100, Color::Green);
        marker.mark(4 * NS_PER_S as u64, 0, Color::Green);
        assert_eq!(marker.levels(), (40.0, 0.0));
        marker.mark(12 * NS_PER_S as u64, 0, Color::Green);
        assert_eq!(marker.levels(), (100.0, 20.0));
        marker.mark(u64::MAX, u64::MAX, Color::Green);
        assert_eq!(marker.levels(), (100.0, 100.0));
    }
}
