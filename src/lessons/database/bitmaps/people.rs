//! Who there is, who comes on which day, and the rows that remember it.

use super::settings::{Ids, PEOPLE, Platform};
use algorithms::bitmap::Bitmap;
use algorithms::hash::mix64;
use std::rc::Rc;

/// Numbers that belong to somebody still.
pub(super) const REGISTERED: u32 = 60_000;
/// How many have each habit, and with what chance they come on a day.
const HABITS: [(u32, f64); 3] = [(6_000, 0.8), (36_000, 0.09), (18_000, 0.0)];
/// Of whoever comes, one in so many comes a second time.
const AGAIN: u64 = 8;
/// The user of a far number.
pub(super) const FAR: u64 = 999_999_999;
/// Bytes of an id in a list, and of a key in a hash table.
pub(super) const LISTED: u64 = 4;
pub(super) const HASHED: u64 = 56;

/// Everybody.
#[derive(Debug)]
pub(super) struct People {
    /// The chance of each number to come on a day; none for a number that is nobody's.
    chances: Vec<f64>,
    pub(super) registered: Rc<Bitmap>,
    platforms: [Rc<Bitmap>; 3],
}

/// A number below `n` from a number of 64 bits.
fn below(random: u64, n: u64) -> u64 {
    ((u128::from(random) * u128::from(n)) >> 64) as u64
}

/// Fisher and Yates' shuffle.
fn shuffle<T>(things: &mut [T], seed: u64) {
    for last in (1..things.len()).rev() {
        let other = below(mix64(seed ^ last as u64), last as u64 + 1);
        things.swap(last, other as usize);
    }
}

fn set_of(people: impl Iterator<Item = u32>) -> Bitmap {
    let mut bits = Bitmap::from(vec![0; PEOPLE as usize / 8]);
    for person in people {
        bits.set(person.into(), true);
    }
    bits
}

impl People {
    pub(super) fn new(seed: u64) -> People {
        let mut chances = vec![f64::NAN; PEOPLE as usize];
        let habits = HABITS.iter();
        let each = habits.flat_map(|(count, chance)| (0..*count).map(|_| *chance));
        for (place, chance) in chances.iter_mut().zip(each) {
            *place = chance;
        }
        shuffle(&mut chances, seed);
        let somebody = |person: &u32| !chances[*person as usize].is_nan();
        let registered = Rc::new(set_of((0..PEOPLE).filter(somebody)));
        // Two fifths on a phone, the rest on a Mac or a PC.
        let on = |person: u32| match below(mix64(!seed ^ u64::from(person)), 10) {
            0..=3 => 0,
            4..=6 => 1,
            _ => 2,
        };
        let platforms = [0, 1, 2].map(|platform| {
            let theirs = (0..PEOPLE).filter(somebody);
            Rc::new(set_of(theirs.filter(|person| on(*person) == platform)))
        });
        People {
            chances,
            registered,
            platforms,
        }
    }

    /// The row of a platform.
    pub(super) fn on(&self, platform: Platform) -> Option<&Rc<Bitmap>> {
        match platform {
            Platform::All => None,
            Platform::Phone => Some(&self.platforms[0]),
            Platform::Mac => Some(&self.platforms[1]),
            Platform::Pc => Some(&self.platforms[2]),
        }
    }

    /// Whoever comes on the day of this seed if that share of them does, by number.
    pub(super) fn come(&self, seed: u64, share: u32) -> impl Iterator<Item = u32> {
        let share = f64::from(share) / 100.0;
        (0..PEOPLE).filter(move |person| {
            let dice = mix64(seed ^ u64::from(*person)) >> 11;
            // Never true of a number that is nobody's.
            (dice as f64) < self.chances[*person as usize] * share * (1_u64 << 53) as f64
        })
    }

    /// The logins of such a day, in their order.
    pub(super) fn logins(&self, seed: u64, share: u32) -> Vec<u32> {
        let mut logins: Vec<u32> = self.come(seed, share).collect();
        for i in 0..logins.len() {
            if below(mix64(!seed ^ u64::from(logins[i])), AGAIN) == 0 {
                logins.push(logins[i]);
            }
        }
        shuffle(&mut logins, seed);
        logins
    }
}

/// One day.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// A bit for each person. With numbers counted from 0 these are the string's own bits; otherwise the zeros between the
    /// numbers are counted and not held.
    pub(super) bits: Rc<Bitmap>,
    /// How many came.
    pub(super) count: u32,
    /// Whether user [`FAR`] did.
    pub(super) far: bool,
    /// Whether it was not cut short.
    pub(super) whole: bool,
    pub(super) seed: u64,
}

impl Row {
    pub(super) fn new(seed: u64) -> Row {
        Row {
            bits: Rc::default(),
            count: 0,
            far: false,
            whole: true,
            seed,
        }
    }

    /// A day that is over.
    pub(super) fn over(people: &People, seed: u64, share: u32) -> Row {
        let bits = set_of(people.come(seed, share));
        Row {
            count: bits.count() as u32,
            bits: Rc::new(bits),
            ..Row::new(seed)
        }
    }

    /// SETBIT; whether the bit was set before.
    pub(super) fn set(&mut self, person: u32) -> bool {
        let before = Rc::make_mut(&mut self.bits).set(person.into(), true);
        let before = before == Some(true);
        self.count += u32::from(!before);
        before
    }

    /// How long the string is.
    pub(super) fn bytes(&self, ids: Ids) -> u64 {
        if self.far {
            return length(&self.bits, ids).max(FAR / 8 + 1);
        }
        length(&self.bits, ids)
    }
}

/// How many bytes a row of these people takes: up to the greatest number.
pub(super) fn length(bits: &Bitmap, ids: Ids) -> u64 {
    let last = bits.last();
    last.map_or(0, |person| ids.of(person as u32) / 8 + 1)
}
