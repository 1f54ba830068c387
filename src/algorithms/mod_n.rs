//! Hash modulo n: the plainest way to spread keys over nodes, and the one that moves most of them.

/// The node of a hash among `nodes`; none when there are no nodes.
pub fn mod_n(hash: u64, nodes: u32) -> Option<u32> {
    // A remainder below a 32-bit number fits 32 bits.
    hash.checked_rem(u64::from(nodes)).map(|node| node as u32)
}

/// The share of evenly hashed keys that move when the nodes change from `from` to `to` in number:
/// all but those with equal remainders. None when either is 0.
pub fn moved_share(from: u32, to: u32) -> Option<f64> {
    let (from, to) = (u64::from(from), u64::from(to));
    // Remainders repeat after the least common multiple, and below it only the numbers below both
    // have the same remainder twice.
    let repeats_after = (from * to).checked_div(gcd(from, to))?;
    (repeats_after > 0).then(|| 1.0 - from.min(to) as f64 / repeats_after as f64)
}

/// The share of keys that any scheme must move to fill a new node, or empty an old one, when all
/// nodes are to hold the same: what consistent hashing comes close to. None when either is 0.
pub fn moved_share_least(from: u32, to: u32) -> Option<f64> {
    (from > 0 && to > 0).then(|| f64::from(from.abs_diff(to)) / f64::from(from.max(to)))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_what_counting_finds() {
        for (from, to) in [(3, 4), (4, 3), (4, 8), (6, 10), (5, 5), (1, 2)] {
            let keys = 120_u64;
            let moved = (0..keys)
                .filter(|&key| mod_n(key, from) != mod_n(key, to))
                .count();
            let counted = moved as f64 / keys as f64;
            let computed = moved_share(from, to).unwrap();
            assert!((counted - computed).abs() < 1e-12, "{from} to {to}");
            assert!(computed >= moved_share_least(from, to).unwrap());
        }
    }

    #[test]
    fn no_nodes() {
        assert_eq!(mod_n(9, 0), None);
        assert_eq!(moved_share(0, 0), None);
        assert_eq!(moved_share(0, 3), None);
        assert_eq!(moved_share(3, 0), None);
        assert_eq!(moved_share_least(0, 3), None);
    }
}
