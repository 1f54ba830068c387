//! Keyed copies with a version and an age: what one of several caches in a row remembers.
//!
//! Source: RFC 9111 (HTTP caching), sections 4.2 (freshness) and 4.2.3 (age). A copy is fresh while its age is less than the
//! life that *this* cache gives it. What arrives from another cache has an age already; whoever reads it goes on counting, with
//! the whole time of the request, since nobody knows which half of it was the way back. Whoever does not read it begins at
//! zero, and then the lives of caches in a row add up.

/// What one cache remembers of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy<V> {
    /// What is remembered.
    pub value: V,
    /// When it was new, as far as this cache knows: its age is the time since.
    pub born_us: u64,
    /// When it came here.
    pub kept_us: u64,
    /// When it was last used.
    used_us: u64,
}

impl<V> Copy<V> {
    /// Its age, as far as this cache knows.
    pub fn age_us(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.born_us)
    }

    /// Whether a cache that keeps things for so long may use it. At exactly the end of its life it may not.
    pub fn is_fresh(&self, life_us: u64, now_us: u64) -> bool {
        self.age_us(now_us) < life_us
    }
}

/// An answer as it reaches a cache, with what is known of its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The age that it brings, if anybody reads it; 0 from the origin.
    pub age_us: u64,
    /// When this cache asked for it.
    pub asked_us: u64,
    /// Now.
    pub now_us: u64,
}

// region: arrives
impl Arrival {
    /// When the answer was new, as far as a cache knows that reads its age, or does not.
    pub fn born_us(&self, reads_age: bool) -> u64 {
        if reads_age {
            self.asked_us.saturating_sub(self.age_us)
        } else {
            self.now_us
        }
    }
}
// endregion

/// More copies than that, and twice as many as last time, and those past their life are let go.
const SWEPT_MIN: usize = 256;

/// The copies of one cache, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies<V> {
    copies: Vec<(u64, Copy<V>)>,
    swept: usize,
}

impl<V> Copies<V> {
    /// Nothing is remembered.
    pub const fn new() -> Copies<V> {
        Copies {
            copies: Vec::new(),
            swept: 0,
        }
    }

    fn place(&self, key: u64) -> Result<usize, usize> {
        self.copies.binary_search_by_key(&key, |(key, _)| *key)
    }

    // region: fresh
    /// The copy that answers for a key, if there is one that is fresh; counts as a use.
    pub fn get(&mut self, key: u64, life_us: u64, now_us: u64) -> Option<&Copy<V>> {
        let place = self.place(key).ok()?;
        let copy = &mut self.copies.get_mut(place)?.1;
        if !copy.is_fresh(life_us, now_us) {
            return None;
        }
        copy.used_us = now_us;
        Some(copy)
    }
    // endregion

    /// The copy of a key, fresh or not; counts as no use.
    pub fn peek(&self, key: u64) -> Option<&Copy<V>> {
        let place = self.place(key).ok()?;
        self.copies.get(place).map(|(_, copy)| copy)
    }

    /// Remembers an answer, in place of an older copy; false if it is past its life on arrival or there is no room at all.
    /// Without room for one more, the copy goes that was used longest ago.
    pub fn put(
        &mut self,
        key: u64,
        value: V,
        (born_us, life_us): (u64, u64),
        room: Option<usize>,
        now_us: u64,
    ) -> bool {
        let copy = Copy {
            value,
            born_us,
            kept_us: now_us,
            used_us: now_us,
        };
        if !copy.is_fresh(life_us, now_us) || room == Some(0) {
            return false;
        }
        match self.place(key) {
            Ok(place) => self.copies[place].1 = copy,
            Err(_) => {
                self.sweep(life_us, now_us);
                while room.is_some_and(|room| self.copies.len() >= room) {
                    let used = self.copies.iter().map(|(_, copy)| copy.used_us);
                    let oldest = used.enumerate().min_by_key(|(_, used)| *used);
                    let Some((oldest, _)) = oldest else { break };
                    self.copies.remove(oldest);
                }
                let place = self.place(key).unwrap_or_else(|place| place);
                self.copies.insert(place, (key, copy));
            }
        }
        true
    }

    /// Lets go of what is past its life, now and then: a cache that nobody bounds would else remember everything.
    fn sweep(&mut self, life_us: u64, now_us: u64) {
        if self.copies.len() < (2 * self.swept).max(SWEPT_MIN) {
            return;
        }
        self.copies
            .retain(|(_, copy)| copy.is_fresh(life_us, now_us));
        self.swept = self.copies.len();
    }

    /// Forgets what it has for these keys; how many copies these were.
    pub fn purge(&mut self, mut which: impl FnMut(u64) -> bool) -> usize {
        let before = self.copies.len();
        self.copies.retain(|(key, _)| !which(*key));
        before - self.copies.len()
    }

    /// All copies by key, fresh or not.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Copy<V>)> {
        self.copies.iter().map(|(key, copy)| (*key, copy))
    }

    /// How many there are, fresh or not.
    pub fn len(&self) -> usize {
        self.copies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// About what they take.
    pub fn bytes(&self) -> usize {
        self.copies.capacity() * size_of::<(u64, Copy<V>)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    fn arrives(age_s: u64, asked_s: u64, now_s: u64) -> Arrival {
        Arrival {
            age_us: age_s * S,
            asked_us: asked_s * S,
            now_us: now_s * S,
        }
    }

    #[test]
    fn a_copy_answers_until_its_life_is_over_and_not_at_its_end() {
        let mut cache = Copies::new();
        let born = arrives(0, 10, 12).born_us(false);
        assert!(cache.put(7, 'a', (born, 60 * S), None, 12 * S));
        assert!(cache.get(7, 60 * S, 72 * S - 1).is_some());
        assert!(cache.get(7, 60 * S, 72 * S).is_none());
        // A shorter life counts at once, and a longer one, too.
        assert!(cache.get(7, 5 * S, 20 * S).is_none());
        assert!(cache.get(7, 90 * S, 80 * S).is_some());
        assert!(cache.get(7, 0, 12 * S).is_none() && cache.get(8, 60 * S, 12 * S).is_none());
    }

    #[test]
    fn age_is_read_with_the_whole_time_of_the_request_or_begins_anew() {
        assert_eq!(arrives(40, 100, 103).born_us(true), 60 * S);
        assert_eq!(arrives(40, 100, 103).born_us(false), 103 * S);
        assert_eq!(arrives(40, 10, 11).born_us(true), 0, "older than time");
        let mut cache = Copies::new();
        // Older than its life on arrival: not stored.
        assert!(!cache.put(1, 'a', (60 * S, 40 * S), None, 100 * S));
        assert!(cache.put(1, 'a', (60 * S, 41 * S), None, 100 * S));
        assert_eq!(cache.peek(1).map(|it| it.age_us(100 * S)), Some(40 * S));
    }

    #[test]
    fn lives_in_a_row_add_up_unless_age_is_carried() {
        // Four caches that each ask the one before at the last moment of its copy's life.
        let oldest = |reads_age: bool| {
            let (life, mut age, mut now) = (60 * S, 0, 0);
            for _ in 0..4 {
                let arrival = Arrival {
                    age_us: age,
                    asked_us: now,
                    now_us: now,
                };
                let born = arrival.born_us(reads_age);
                let mut cache = Copies::new();
                if cache.put(1, (), (born, life), None, now) {
                    now = born + life - 1;
                }
                age = cache.get(1, life, now).map_or(age, |copy| copy.age_us(now));
            }
            now
        };
        assert_eq!(oldest(true), 60 * S - 1);
        assert_eq!(oldest(false), 4 * (60 * S - 1));
    }

    #[test]
    fn a_purge_is_no_promise_about_what_is_on_its_way() {
        let mut cache = Copies::new();
        cache.put(1, 41, (0, 60 * S), None, 0);
        cache.put((9 << 32) | 1, 41, (0, 60 * S), None, 0);
        assert_eq!(cache.purge(|key| key as u32 == 1), 2);
        // What was read before the purge arrives after it.
        cache.put(1, 41, (S, 60 * S), None, 2 * S);
        assert_eq!(cache.get(1, 60 * S, 30 * S).map(|it| it.value), Some(41));
    }

    #[test]
    fn without_room_the_one_goes_that_was_used_longest_ago() {
        let mut cache = Copies::new();
        for key in 0..3 {
            cache.put(key, key, (0, S), Some(3), 10 + key);
        }
        cache.get(0, S, 20);
        cache.put(5, 5, (0, S), Some(3), 30);
        let keys: Vec<u64> = cache.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [0, 2, 5]);
        assert!(!cache.put(6, 6, (0, S), Some(0), 30));
        // Less room than before, and what is past its life goes by itself.
        cache.put(7, 7, (0, S), Some(1), 40);
        assert_eq!((cache.len(), cache.is_empty()), (1, false));
        let mut free = Copies::new();
        for key in 0..2_000 {
            free.put(key, (), (key * S, 10 * S), None, key * S);
        }
        assert!(free.len() < 600, "{}", free.len());
        assert!(free.bytes() > 0);
    }
}
