//! The subject held against theory.

use super::model::{Numbers, Way};
use kit::bench::Craft;

fn looks(way: Way, count: u32, op: u32) -> u32 {
    let mut looks = 0;
    Numbers { way, count }.run(0, &op, &mut |_| looks += 1);
    looks
}

#[test]
fn halving_takes_the_logarithm_and_one_by_one_half_of_all() {
    for count in [16, 64, 256] {
        let most = (0..count).map(|op| looks(Way::Halves, count, op)).max();
        assert_eq!(most, Some(count.ilog2() + 1));
        let all: u32 = (0..count).map(|op| looks(Way::Each, count, op)).sum();
        assert_eq!(all, count * (count + 1) / 2);
    }
}
