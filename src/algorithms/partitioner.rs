//! Which partition of a topic a record goes to.
//!
//! With a key: murmur2 of its bytes, 31 bits of it, modulo the number of partitions. One key therefore stays in one
//! partition, until there are more of them. Without a key: *sticky*, one partition until a batch is full, then another.
//! Source: Apache Kafka, `Utils.murmur2`, `BuiltInPartitioner` (KIP-480, KIP-794).

use rand::Rng;

/// Kafka's seed.
const SEED: u32 = 0x9747_b28c;
const MIX: u32 = 0x5bd1_e995;

/// The 32 bits of MurmurHash2 with Kafka's seed, signed as Java has them.
pub fn murmur2(bytes: &[u8]) -> i32 {
    let mut hash = SEED ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        k = k.wrapping_mul(MIX);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MIX) ^ k.wrapping_mul(MIX);
    }
    let rest = words.remainder();
    for (i, byte) in rest.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * i);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    (hash ^ (hash >> 15)).cast_signed()
}

// region: by_key
/// The partition of a key among so many, at least one.
pub fn by_key(key: &[u8], partitions: usize) -> usize {
    let positive = murmur2(key) & 0x7fff_ffff;
    positive as usize % partitions.max(1)
}
// endregion

/// How often each partition is to be chosen in relation to the others, by what waits for it at the producer: the longest
/// queue once, each shorter one once more for each record that it is shorter.
pub fn frequencies(queues: &[u32]) -> Vec<u32> {
    let longest = queues.iter().copied().max().unwrap_or(0);
    queues.iter().map(|queue| longest + 1 - queue).collect()
}

/// Where records without a key go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sticky {
    partition: Option<usize>,
    sent: u32,
}

impl Sticky {
    /// The partition of the next record: the same for `batch` records, then another one, drawn by `weights`, which are as
    /// many as there are partitions; 0 for one that has no leader. If none has one, all are as good.
    pub fn next(&mut self, batch: u32, weights: &[u32], rng: &mut impl Rng) -> usize {
        let stays = self.partition.filter(|at| *at < weights.len());
        let partition = match stays {
            Some(partition) if self.sent < batch.max(1) => partition,
            last => {
                self.sent = 0;
                draw(weights, last, rng)
            }
        };
        self.partition = Some(partition);
        self.sent += 1;
        partition
    }
}

/// Draws by weight, never `last` while there is another.
fn draw(weights: &[u32], last: Option<usize>, rng: &mut impl Rng) -> usize {
    let open = weights.iter().any(|weight| *weight > 0);
    let others = weights
        .iter()
        .enumerate()
        .any(|(at, weight)| Some(at) != last && (*weight > 0 || !open));
    let weight = |at: usize| match () {
        () if others && Some(at) == last => 0,
        () if open => u64::from(weights[at]),
        () => 1,
    };
    let all: u64 = (0..weights.len()).map(weight).sum();
    let mut left = (u64::from(rng.next_u32()) * all) >> 32;
    for at in 0..weights.len() {
        if left < weight(at) {
            return at;
        }
        left -= weight(at);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg32;

    #[test]
    fn one_key_stays_until_there_are_more_partitions() {
        let user = |n: u32| format!("u{n}");
        let moved = |to: usize| {
            let moves = |n: &u32| by_key(user(*n).as_bytes(), 3) != by_key(user(*n).as_bytes(), to);
            (1..=24).filter(moves).count()
        };
        assert_eq!((moved(4), moved(6)), (17, 11));
        let mut sizes = [0; 3];
        for n in 1..=24 {
            sizes[by_key(user(n).as_bytes(), 3)] += 1;
        }
        assert_eq!(sizes, [7, 8, 9]);
        assert_eq!(by_key(b"", 0), 0);
    }

    #[test]
    fn a_short_queue_is_chosen_more_often_and_a_closed_partition_never() {
        let (mut sticky, mut rng) = (Sticky::default(), Pcg32::seed_from_u64(3));
        let mut chosen = [0_u32; 4];
        for _ in 0..40_000 {
            chosen[sticky.next(1, &[1, 1, 4, 0], &mut rng)] += 1;
        }
        assert_eq!(chosen[3], 0);
        assert!(chosen[2] > chosen[0] && chosen[2] > chosen[1], "{chosen:?}");
        // Fewer partitions than before, or none that is open, must not end it.
        assert_eq!(sticky.next(1, &[0], &mut rng), 0);
        assert_eq!(sticky.next(1, &[], &mut rng), 0);
    }
}
