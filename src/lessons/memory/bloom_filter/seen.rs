//! The filter: three kinds behind one face, and beside it, for explaining only, who set each bit first and how often it lies.

use super::settings::{Bits, KeyOf, Kind, Settings};
use algorithms::bloom_filter::{self, BloomFilter, expected_fill, murmur3_x64_128, rate_of_fill};
use algorithms::counting_bloom_filter::CountingBloomFilter;
use algorithms::stacked_bloom_filter::StackedBloomFilter;
use engine::{Time, Typed};
use std::collections::VecDeque;
use std::rc::Rc;

/// The two hashes of a key.
type Hash = (u64, u64);

/// Names never watched that the rate of lies is measured with, and the number of the first: no reel comes that far.
pub(super) const STRANGERS: usize = 1_000;
const FIRST_STRANGER: u32 = 1_000_000_000;
/// Reels that a learner named are numbered from here on.
pub(super) const OWN_FROM: u32 = 900_000_000;
/// For so long a bit is newly set.
pub(super) const NEW: Time = Time::s(1);
/// Who set a bit is remembered for so many bits: more could not be told apart on the stage.
const OWNED_MAX: u64 = 4_096;

#[derive(Clone, Debug)]
enum Sieve {
    Plain(BloomFilter),
    Counting(CountingBloomFilter),
    Stacked(StackedBloomFilter),
}

/// What decides where bits are: a change means that all names must be hashed anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) bits: u64,
    pub(super) hashes: u32,
    kind: Kind,
    key: KeyOf,
}

impl Shape {
    pub(super) fn of(knobs: &Settings) -> Shape {
        let Bits(bits) = knobs.bits;
        Shape {
            bits,
            hashes: knobs.hashes,
            kind: knobs.kind,
            key: knobs.key,
        }
    }

    /// The right size for so many names: bits in whole words, as Guava takes them, and the best number of functions.
    pub(super) fn fitting(self, names: usize, error: f64) -> Shape {
        let sized = BloomFilter::for_rate(names as u64, error);
        Shape {
            bits: sized.bits(),
            hashes: sized.hashes(),
            ..self
        }
    }
}

/// The filter. Places of a stack are numbered through all its filters, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) shape: Shape,
    /// The names of those reels that a learner named.
    pub(super) own: Rc<[Typed]>,
    sieve: Sieve,
    /// Who set each bit first; 0 for nobody.
    owners: Vec<u32>,
    /// Bits set in the last second, and when.
    pub(super) fresh: VecDeque<(u64, Time)>,
    /// Bits that were cleared and have not been set since.
    pub(super) cleared: Vec<u64>,
    strangers: Rc<[Hash]>,
    /// Strangers that are known for such: a filter that only fills up never learns to tell one again.
    told_apart: Vec<u16>,
}

impl Seen {
    /// A filter that holds these names.
    pub(super) fn new(shape: Shape, own: Rc<[Typed]>, names: &[u32], now: Time) -> Seen {
        let (bits, hashes) = (shape.bits, shape.hashes);
        let numbers = (FIRST_STRANGER..).take(STRANGERS);
        let mut seen = Seen {
            shape,
            own,
            sieve: match shape.kind {
                Kind::Plain => Sieve::Plain(BloomFilter::new(bits, hashes)),
                Kind::Counting => Sieve::Counting(CountingBloomFilter::new(bits, hashes)),
                Kind::Stacked => Sieve::Stacked(StackedBloomFilter::new(bits, hashes)),
            },
            owners: Vec::new(),
            fresh: VecDeque::new(),
            cleared: Vec::new(),
            strangers: numbers
                .map(|number| hash(shape.key, &reel(number)))
                .collect(),
            told_apart: Vec::new(),
        };
        for name in names {
            seen.put(*name, now);
        }
        seen.fresh.clear();
        seen.measure_anew();
        seen
    }

    fn hash(&self, number: u32) -> Hash {
        murmur3_x64_128(self.key(number).as_bytes(), 0)
    }

    /// The name that a learner gave a reel.
    pub(super) fn name(&self, number: u32) -> Option<Typed> {
        let own = number.checked_sub(OWN_FROM)?;
        self.own.get(own as usize).copied()
    }

    /// The key of a reel as text.
    pub(super) fn key(&self, number: u32) -> String {
        let key = self.shape.key;
        match self.name(number) {
            Some(name) => key.text(name.text()),
            None => key.text(&reel(number)),
        }
    }

    /// Puts a name in.
    pub(super) fn insert(&mut self, number: u32, now: Time) {
        self.put(number, now);
        let mut told = std::mem::take(&mut self.told_apart);
        told.retain(|i| self.denies(self.strangers[usize::from(*i)]));
        self.told_apart = told;
    }

    fn put(&mut self, number: u32, now: Time) {
        let hash = self.hash(number);
        while self.fresh.front().is_some_and(|(_, at)| *at + NEW < now) {
            self.fresh.pop_front();
        }
        let before = self.layer(hash);
        let unset: Vec<u64> = self.places_in(hash, before).collect();
        let unset: Vec<u64> = unset.into_iter().filter(|at| !self.bit(*at)).collect();
        match &mut self.sieve {
            Sieve::Plain(filter) => _ = filter.insert_hash(hash),
            Sieve::Counting(filter) => filter.insert(hash),
            Sieve::Stacked(stack) => _ = stack.insert(hash),
        }
        let layer = self.layer(hash);
        let set = match layer == before {
            true => unset,
            false => self.places_in(hash, layer).collect(),
        };
        for place in set {
            self.cleared.retain(|other| *other != place);
            self.own(place, number);
            if self.fresh.back() != Some(&(place, now)) {
                self.fresh.push_back((place, now));
            }
        }
    }

    /// Shows the bits of a name as newly set.
    pub(super) fn touch(&mut self, number: u32, now: Time) {
        for place in self.places(number) {
            self.fresh.push_back((place, now));
        }
    }

    fn own(&mut self, place: u64, number: u32) {
        if place >= OWNED_MAX {
            return;
        }
        let place = place as usize;
        if self.owners.len() <= place {
            self.owners.resize(place + 1, 0);
        }
        if self.owners[place] == 0 {
            self.owners[place] = number;
        }
    }

    /// Who set a bit first; 0 if nobody knows.
    pub(super) fn owner(&self, place: u64) -> u32 {
        let owner = self.owners.get(place as usize);
        owner.copied().unwrap_or(0)
    }

    /// Takes a name out: a filter that counts counts down, any other can only have the bits cleared. `left` are the names
    /// that are to stay.
    pub(super) fn forget(&mut self, number: u32, left: &[u32]) {
        let hash = self.hash(number);
        if let Sieve::Counting(filter) = &mut self.sieve {
            filter.remove(hash);
        } else {
            let places: Vec<u64> = self.places_in(hash, self.layer(hash)).collect();
            for place in places {
                self.clear(place);
            }
        }
        self.owners.clear();
        for name in left {
            let hash = self.hash(*name);
            let places: Vec<u64> = self.places_in(hash, self.layer(hash)).collect();
            for place in places {
                if self.bit(place) {
                    self.own(place, *name);
                }
            }
        }
        self.measure_anew();
    }

    /// A bit that was 1 reads 0.
    pub(super) fn rot(&mut self, place: u64) {
        self.clear(place);
        self.measure_anew();
    }

    fn clear(&mut self, place: u64) {
        let (layer, start) = self.locate(place);
        match &mut self.sieve {
            Sieve::Plain(filter) => filter.clear(place),
            Sieve::Counting(filter) => filter.clear(place),
            Sieve::Stacked(stack) => stack.clear(layer, place - start),
        }
        if let Some(owner) = self.owners.get_mut(place as usize) {
            *owner = 0;
        }
        if !self.cleared.contains(&place) {
            self.cleared.push(place);
        }
    }

    /// The first empty bit of a name: proof that it was never put in; none if it may have been.
    pub(super) fn ask(&self, number: u32) -> Option<u64> {
        self.proof(self.hash(number))
    }

    fn denies(&self, hash: Hash) -> bool {
        match &self.sieve {
            Sieve::Plain(filter) => filter.proof(hash).is_some(),
            Sieve::Counting(filter) => filter.proof(hash).is_some(),
            Sieve::Stacked(stack) => stack.holder(hash).is_none(),
        }
    }

    fn proof(&self, hash: Hash) -> Option<u64> {
        match &self.sieve {
            Sieve::Plain(filter) => filter.proof(hash),
            Sieve::Counting(filter) => filter.proof(hash),
            Sieve::Stacked(stack) if stack.holder(hash).is_some() => None,
            Sieve::Stacked(_) => self
                .places_in(hash, self.layer(hash))
                .find(|at| !self.bit(*at)),
        }
    }

    /// Where a name's bits are: in the filter of a stack that may hold it, else in the newest.
    pub(super) fn places(&self, number: u32) -> Vec<u64> {
        let hash = self.hash(number);
        self.places_in(hash, self.layer(hash)).collect()
    }

    fn layer(&self, hash: Hash) -> usize {
        match &self.sieve {
            Sieve::Stacked(stack) => stack.holder(hash).unwrap_or(stack.layers().len() - 1),
            _ => 0,
        }
    }

    /// How many filters lie on each other.
    pub(super) fn layers(&self) -> usize {
        match &self.sieve {
            Sieve::Stacked(stack) => stack.layers().len(),
            _ => 1,
        }
    }

    fn places_in(&self, hash: Hash, layer: usize) -> impl Iterator<Item = u64> + use<> {
        let start = (self.shape.bits << layer) - self.shape.bits;
        let hashes = self.shape.hashes + layer as u32;
        bloom_filter::places(hash, self.shape.bits << layer, hashes).map(move |at| start + at)
    }

    /// In which filter of a stack a place lies, and where that begins: each is twice as large as the one before.
    fn locate(&self, place: u64) -> (usize, u64) {
        let layer = (place / self.shape.bits + 1).ilog2();
        let layer = if self.layers() > 1 { layer } else { 0 };
        (layer as usize, (self.shape.bits << layer) - self.shape.bits)
    }

    /// Whether a bit is set, or a counter above 0.
    pub(super) fn bit(&self, place: u64) -> bool {
        self.count(place) > 0
    }

    /// What a counter holds; 1 for a bit that is set.
    pub(super) fn count(&self, place: u64) -> u8 {
        let (layer, start) = self.locate(place);
        match &self.sieve {
            Sieve::Plain(filter) => u8::from(filter.bit(place)),
            Sieve::Counting(filter) => filter.counter(place),
            Sieve::Stacked(stack) => u8::from(stack.bit(layer, place - start)),
        }
    }

    pub(super) fn counts(&self) -> bool {
        matches!(self.sieve, Sieve::Counting(_))
    }

    /// Bits, or counters, of all filters together.
    pub(super) fn bits(&self) -> u64 {
        (self.shape.bits << self.layers()) - self.shape.bits
    }

    /// How many bits are set.
    pub(super) fn set(&self) -> u64 {
        match &self.sieve {
            Sieve::Plain(filter) => filter.ones(),
            Sieve::Counting(filter) => filter.above_zero(),
            Sieve::Stacked(stack) => stack.layers().map(|(filter, _)| filter.ones()).sum(),
        }
    }

    /// The share of bits that are set.
    pub(super) fn fill(&self) -> f64 {
        self.set() as f64 / self.bits() as f64
    }

    fn measure_anew(&mut self) {
        let all = 0..STRANGERS as u16;
        let told = all.filter(|i| self.denies(self.strangers[usize::from(*i)]));
        self.told_apart = told.collect();
    }

    /// How many of a thousand names never watched the filter says maybe to, as a share.
    pub(super) fn rate(&self) -> f64 {
        1.0 - self.told_apart.len() as f64 / STRANGERS as f64
    }

    /// What theory expects of that with so many names in: all bits of a stranger are set, in one filter at least.
    pub(super) fn expected_rate(&self, names: usize) -> f64 {
        let one = |bits, hashes, names| rate_of_fill(expected_fill(bits, hashes, names), hashes);
        match &self.sieve {
            Sieve::Stacked(stack) => {
                let honest = |(filter, held): (&BloomFilter, u64)| {
                    1.0 - one(filter.bits(), filter.hashes(), held)
                };
                1.0 - stack.layers().map(honest).product::<f64>()
            }
            _ => one(self.shape.bits, self.shape.hashes, names as u64),
        }
    }

    /// The share of lies that the same names would draw with another number of functions.
    pub(super) fn rate_with(&self, hashes: u32, names: &[u32]) -> f64 {
        let shape = Shape {
            hashes,
            ..self.shape
        };
        Seen::new(shape, self.own.clone(), names, Time::ZERO).rate()
    }

    pub(super) fn bytes(&self) -> usize {
        let bits = if self.counts() { 4 } else { 1 } * self.bits();
        bits as usize / 8 + self.owners.len() * 4 + self.told_apart.len() * 2
    }
}

fn hash(key: KeyOf, reel: &str) -> Hash {
    murmur3_x64_128(key.text(reel).as_bytes(), 0)
}

fn reel(number: u32) -> String {
    format!("reel-{number}")
}
