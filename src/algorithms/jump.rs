//! Jump consistent hash: a key's bucket from arithmetic alone, with no ring to store (Lamping and Veach 2014).

/// The bucket of a key, from 0 to below `buckets`; none when there are no buckets.
///
/// Raising `buckets` from n to n + 1 moves 1/(n + 1) of the keys, all to the new bucket. Buckets can
/// only be added and removed at the end, so it suits numbered shards, not servers that may crash.
pub fn jump_hash(key: u64, buckets: u32) -> Option<u32> {
    let mut bucket = None;
    for jump in jumps(key, buckets) {
        bucket = Some(jump);
    }
    bucket
}

/// The buckets that a key has lived in as their number grew to `buckets`; the last is where it is.
pub fn jumps(key: u64, buckets: u32) -> impl Iterator<Item = u32> {
    let mut state = key;
    let mut next = 0_u64;
    std::iter::from_fn(move || {
        if next >= u64::from(buckets) {
            return None;
        }
        let bucket = next;
        state = state
            .wrapping_mul(2_862_933_555_777_941_757)
            .wrapping_add(1);
        // One over a number from above 0 to 1; the next move happens when buckets exceed (b + 1) times that. Divided first
        // and then multiplied, as in the paper: the other order now and then rounds to another bucket.
        let stretch = (1_u64 << 31) as f64 / ((state >> 33) + 1) as f64;
        next = ((bucket + 1) as f64 * stretch) as u64;
        Some(bucket as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_moves_keys_to_the_new_bucket_only() {
        for key in 0..500 {
            for buckets in 1..60 {
                let (before, after) = (jump_hash(key, buckets), jump_hash(key, buckets + 1));
                assert!(before == after || after == Some(buckets));
                assert!(after.unwrap() <= buckets);
            }
        }
    }

    #[test]
    fn the_jumps_are_the_history() {
        let history: Vec<u32> = jumps(42, 100).collect();
        assert!(history.is_sorted());
        for (index, bucket) in history.iter().enumerate() {
            // It moved there when that bucket was new.
            assert_eq!(jump_hash(42, bucket + 1), Some(history[index]));
        }
    }

    #[test]
    fn edges() {
        assert_eq!(jump_hash(1, 0), None);
        assert!(jump_hash(u64::MAX, u32::MAX).is_some());
    }
}
