//! Named random streams and distributions that give the same numbers on every target.

use crate::time::Time;
use rand::Rng;
use rand_pcg::Pcg32;

/// The name of a random stream, hashed at compile time.
///
/// Streams keep causes apart: a policy that draws numbers of its own cannot change the traffic,
/// so twins see identical arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream(u64);

impl Stream {
    /// The stream of this name.
    pub const fn named(name: &str) -> Stream {
        // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        Stream(hash)
    }

    /// One of many streams that share a name, such as one for each server.
    pub const fn nth(self, n: u64) -> Stream {
        Stream(mix(self.0 ^ mix(n + 1)))
    }
}

/// SplitMix64's finaliser (Steele, Lea and Flood 2014): spreads nearby seeds over the whole range.
const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// All random streams of one run; each starts from the run's seed and its own name.
#[derive(Clone, Debug)]
pub struct Streams {
    seed: u32,
    open: Vec<(u64, Pcg32)>,
}

impl Streams {
    /// The streams of a run with this seed.
    pub fn new(seed: u32) -> Streams {
        Streams {
            seed,
            open: Vec::new(),
        }
    }

    /// The generator of `stream`, opened at its first use.
    #[inline]
    pub fn get(&mut self, stream: Stream) -> &mut Pcg32 {
        let found = self.open.iter().position(|(name, _)| *name == stream.0);
        let index = found.unwrap_or_else(|| {
            let state = mix(u64::from(self.seed) ^ stream.0);
            self.open.push((stream.0, Pcg32::new(state, stream.0)));
            self.open.len() - 1
        });
        &mut self.open[index].1
    }
}

/// A number above 0 and up to 1, so that its logarithm is finite.
#[inline]
pub fn unit(rng: &mut impl Rng) -> f64 {
    (f64::from(rng.next_u32()) + 1.0) / 4_294_967_296.0
}

/// True with probability `share` (0 to 1).
#[inline]
pub fn chance(rng: &mut impl Rng, share: f64) -> bool {
    unit(rng) <= share
}

/// A whole number below `n`; 0 if `n` is 0. (Lemire's multiply-shift; its bias below 2⁻³² · n does not show.)
#[inline]
pub fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// An exponential span with this mean, by inversion: the gaps of Poisson arrivals.
#[inline]
pub fn exponential(rng: &mut impl Rng, mean: Time) -> Time {
    Time((-libm::log(unit(rng)) * mean.0 as f64) as u64)
}

/// A heavy-tailed span with this mean: Pareto with shape `alpha` above 1, by inversion.
///
/// Its variance is infinite for `alpha` up to 2; `cap` bounds one draw at that many means, so that one
/// request cannot outlast a lesson (the mean falls slightly below the nominal one).
#[inline]
pub fn pareto(rng: &mut impl Rng, mean: Time, alpha: f64, cap: f64) -> Time {
    let least = (alpha - 1.0) / alpha;
    let factor = least * libm::pow(unit(rng), -1.0 / alpha);
    Time((factor.min(cap) * mean.0 as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_not_moved_by_another() {
        let (mut alone, mut beside) = (Streams::new(7), Streams::new(7));
        beside.get(Stream::named("service")).next_u32();
        let a = Stream::named("arrivals");
        assert_eq!(alone.get(a).next_u64(), beside.get(a).next_u64());
    }

    #[test]
    fn seeds_names_and_numbers_give_different_streams() {
        let first = |seed, stream| Streams::new(seed).get(stream).next_u64();
        let a = Stream::named("a");
        assert_ne!(first(1, a), first(2, a));
        assert_ne!(first(1, a), first(1, Stream::named("b")));
        assert_ne!(first(1, a.nth(0)), first(1, a.nth(1)));
    }

    #[test]
    fn the_first_numbers_never_change() {
        // Links restore a run by its seed, so these values are a promise.
        let mut streams = Streams::new(1);
        let rng = streams.get(Stream::named("arrivals"));
        let drawn: Vec<u32> = (0..3).map(|_| rng.next_u32()).collect();
        assert_eq!(drawn, PROMISED);
    }
    const PROMISED: [u32; 3] = [1_945_343_244, 984_011_669, 414_194_200];

    #[test]
    fn means_are_as_named() {
        let mut streams = Streams::new(3);
        let rng = streams.get(Stream::named("test"));
        let n = 200_000;
        let mean =
            |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        let exp = mean(&mut || exponential(rng, Time::s(1)).as_s());
        assert!(
            (exp - 1.0).abs() < 0.01,
            "exponential mean {exp}: five standard errors are 0.011"
        );
        let par = mean(&mut || pareto(rng, Time::s(1), 2.5, 1e9).as_s());
        assert!(
            (par - 1.0).abs() < 0.02,
            "Pareto mean {par}: the standard error is about 0.002"
        );
        let heads = mean(&mut || f64::from(u8::from(chance(rng, 0.3))));
        assert!(
            (heads - 0.3).abs() < 0.006,
            "share {heads}: five standard errors are 0.005"
        );
        assert!((0..1000).all(|_| below(rng, 5) < 5));
    }
}
