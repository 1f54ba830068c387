//! Locks of which nobody knows whether the holder still lives: leases, permits, and locks that several stores keep together.
//!
//! A lease is Redis' `SET key value NX PX ttl`: the value is the client's own and fresh for each try, and release and renewal
//! compare it first. The lock over several independent stores is Redlock, both after redis-doc's "Distributed locks". That
//! neither keeps a holder who was paused from writing late is Kleppmann's "How to do distributed locking" (2016); what does is
//! [`crate::fencing`]. The delay after a lost lease is that of Chubby (Burrows 2006) and of Consul's sessions.
//!
//! All times are in ms of the clock of whoever is asked. A [`Table`] is a state machine: it may stand on one server, be copied
//! to another, or be fed from a replicated log.

use crate::fencing::Token;

/// What a client writes into a lock to know it again: its own, and another for each try.
pub type Value = u64;

/// A lease that does not end, in ms: half a million years leave room for sums.
pub const FOREVER: u64 = 1 << 54;

/// A lock that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub value: Value,
    /// Grows with every lock that the table gives.
    pub token: Token,
    /// Its lease ends then.
    pub until: u64,
    /// Once its lease has ended, nobody gets the lock for so long.
    pub delay: u64,
}

/// One lock in one store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    held: Option<Held>,
}

impl Lease {
    /// Who holds it: at the very end of its lease nobody does.
    pub fn held(&self, now: u64) -> Option<Held> {
        self.held.filter(|held| now < held.until)
    }

    /// Whose lease has ended without a release, while its delay lasts.
    pub fn closed(&self, now: u64) -> Option<Held> {
        let closes = |held: &Held| (held.until..held.until + held.delay).contains(&now);
        self.held.filter(closes)
    }

    // region: lease
    /// Gives the lock if nobody has it. Who has it does not get it twice.
    pub fn acquire(&mut self, wanted: Held, now: u64) -> bool {
        let taken = self.held(now).is_some() || self.closed(now).is_some();
        if !taken {
            self.held = Some(wanted);
        }
        !taken
    }

    /// Lengthens the lease of who still has it: one that has ended is lost, even if nobody took it.
    pub fn renew(&mut self, value: Value, now: u64, ttl: u64) -> bool {
        let own = self.held(now).is_some_and(|held| held.value == value);
        if let (true, Some(held)) = (own, &mut self.held) {
            held.until = now + ttl;
        }
        own
    }

    /// Frees the lock if it is still this one's: another's stays.
    pub fn release(&mut self, value: Value, now: u64) -> bool {
        let own = self.held(now).is_some_and(|held| held.value == value);
        if own {
            self.held = None;
        }
        own
    }
    // endregion

    /// Frees the lock, whoever's it is: what a plain `DEL` does.
    pub fn delete(&mut self, now: u64) -> bool {
        self.held(now).is_some() && self.held.take().is_some()
    }
}

/// So many permits, each with a lease of its own; a lock is one with a single permit, except that its holder alone frees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semaphore {
    permits: Vec<Lease>,
}

impl Semaphore {
    /// One that lets so many in at a time.
    pub fn of(permits: usize) -> Semaphore {
        Semaphore {
            permits: vec![Lease::default(); permits],
        }
    }

    /// The permits.
    pub fn permits(&self) -> &[Lease] {
        &self.permits
    }

    /// Who holds a permit.
    pub fn held(&self, now: u64) -> impl Iterator<Item = Held> + '_ {
        self.permits
            .iter()
            .filter_map(move |permit| permit.held(now))
    }

    /// The first permit that is free.
    pub fn acquire(&mut self, wanted: Held, now: u64) -> bool {
        self.permits
            .iter_mut()
            .any(|permit| permit.acquire(wanted, now))
    }

    /// The permit with this value.
    fn of_value(&mut self, value: Value, now: u64) -> Option<&mut Lease> {
        let own = |permit: &&mut Lease| permit.held(now).is_some_and(|held| held.value == value);
        self.permits.iter_mut().find(own)
    }
}

/// What a client wants of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// To have it for so long; and if that time is not enough, that nobody gets it for `delay` more.
    Acquire {
        /// The lease, ms.
        ttl: u64,
        /// See [`Held::delay`].
        delay: u64,
    },
    /// To have it for so long from now on.
    Renew {
        /// The lease, ms.
        ttl: u64,
    },
    /// To give it back.
    Release,
    /// That it be free, whoever's it is.
    Delete,
}

/// An order to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which lock.
    pub place: u8,
    /// Of whom.
    pub value: Value,
    /// What.
    pub order: Order,
}

/// The locks of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    places: Vec<Semaphore>,
    /// The highest token that was given.
    pub given: Token,
    /// Nobody gets anything before: who has restarted and forgotten may wait until all that it gave has ended.
    pub opens: u64,
}

impl Table {
    /// Locks with so many permits each.
    pub fn of(permits: &[usize]) -> Table {
        Table {
            places: permits
                .iter()
                .map(|permits| Semaphore::of(*permits))
                .collect(),
            given: 0,
            opens: 0,
        }
    }

    /// One of its locks; a place that it has not is a semaphore without permits.
    pub fn place(&self, place: u8) -> &[Lease] {
        let place = self.places.get(usize::from(place));
        place.map_or(&[], |place| place.permits())
    }

    /// Who holds a lock.
    pub fn held(&self, place: u8, now: u64) -> Option<Held> {
        self.place(place).iter().find_map(|lease| lease.held(now))
    }

    /// Follows an order, and gives the token of the lock that it was about; none if it is refused. `next` is the token of a new
    /// lock: the next number where a server counts, the entry's index where a log orders.
    pub fn apply(&mut self, command: Command, next: Token, now: u64) -> Option<Token> {
        let place = self.places.get_mut(usize::from(command.place))?;
        let value = command.value;
        match command.order {
            Order::Acquire { ttl, delay } => {
                let wanted = Held {
                    value,
                    token: next,
                    until: now + ttl,
                    delay,
                };
                let gives = now >= self.opens && place.acquire(wanted, now);
                self.given = self.given.max(if gives { next } else { 0 });
                gives.then_some(next)
            }
            Order::Renew { ttl } => {
                let own = place.of_value(value, now)?;
                let token = own.held(now)?.token;
                own.renew(value, now, ttl).then_some(token)
            }
            Order::Release => {
                let own = place.of_value(value, now)?;
                let token = own.held(now)?.token;
                own.release(value, now).then_some(token)
            }
            Order::Delete => {
                let mut permits = place.permits.iter_mut();
                let any = permits.find(|permit| permit.held(now).is_some())?;
                let token = any.held(now)?.token;
                any.delete(now).then_some(token)
            }
        }
    }

    /// Gives every lease that has not ended anew: what a new leader does who does not know how much of each is over.
    pub fn anew(&mut self, now: u64, ttl: u64) {
        for permit in self.places.iter_mut().flat_map(|place| &mut place.permits) {
            if let Some(held) = &mut permit.held
                && now < held.until
            {
                held.until = held.until.max(now + ttl);
            }
        }
    }
}

/// How many of so many stores are a majority.
pub fn majority(stores: u32) -> u32 {
    quorum(stores, 1)
}

/// How many stores must give a permit so that no more than `permits` clients have one: one more such client would need more
/// permits than all stores have together. For one permit that is a majority.
pub fn quorum(stores: u32, permits: u32) -> u32 {
    stores * permits / (permits + 1) + 1
}

/// What Redlock takes off a lease because clocks differ: a hundredth of it and 2 ms.
pub fn drift(ttl: u64) -> u64 {
    ttl / 100 + 2
}

/// How long a lock over several stores is good for, in ms, once so many of them gave it within `elapsed`; `None` if it is not
/// held, and every store has to be asked to free it.
pub fn redlock(stores: u32, locked: u32, elapsed: u64, ttl: u64) -> Option<u64> {
    good_for(elapsed, ttl, drift(ttl)).filter(|_| locked >= majority(stores))
}

/// What is left of a lease that was asked for so long ago, after something is taken off for the clocks.
fn good_for(elapsed: u64, ttl: u64, drift: u64) -> Option<u64> {
    let left = ttl.checked_sub(elapsed + drift);
    left.filter(|left| *left > 0)
}

/// A client's question to one store or several, all asked at once: for a lock, or for more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When it was sent, by the client's clock: the lease is counted from here.
    pub asked: u64,
    /// The lease.
    pub ttl: u64,
    /// How many stores were asked, at most 32.
    pub stores: u32,
    /// So many must say yes.
    pub needs: u32,
    yes: u32,
    no: u32,
    token: Token,
}

/// What a client knows after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More must answer.
    Open,
    /// It has the lock until then, by its own clock.
    Held {
        /// When it must have finished.
        until: u64,
        /// The token of the store that answered last; several stores have none that says more than the others'.
        token: Token,
    },
    /// It has not.
    Lost,
}

impl Poll {
    /// A question to so many stores, of which so many must say yes.
    pub fn of(stores: u32, needs: u32, asked: u64, ttl: u64) -> Poll {
        Poll {
            asked,
            ttl,
            stores,
            needs,
            yes: 0,
            no: 0,
            token: 0,
        }
    }

    // region: majority
    /// A store, counted from 0, has answered at this time of the client's clock.
    pub fn answer(&mut self, store: u32, given: Option<Token>, now: u64) -> Outcome {
        let bit = 1_u32 << (store & 31);
        match given {
            Some(token) => (self.yes, self.token) = (self.yes | bit, token),
            None => self.no |= bit,
        }
        // One store has one clock; several are believed as far as the worst of them.
        let several = self.stores > 1;
        let off = if several { drift(self.ttl) } else { 0 };
        let elapsed = now.saturating_sub(self.asked);
        if self.yes.count_ones() >= self.needs {
            let left = good_for(elapsed, self.ttl, off);
            let token = if several { 0 } else { self.token };
            left.map_or(Outcome::Lost, |left| Outcome::Held {
                until: now + left,
                token,
            })
        } else if self.stores - self.no.count_ones() < self.needs {
            Outcome::Lost
        } else {
            Outcome::Open
        }
    }
    // endregion

    /// How many have said yes.
    pub fn yes(&self) -> u32 {
        self.yes.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    const ACQUIRE: Order = Order::Acquire { ttl: 100, delay: 0 };

    fn does(table: &mut Table, value: Value, order: Order, now: u64) -> Option<Token> {
        let command = Command {
            place: 0,
            value,
            order,
        };
        table.apply(command, table.given + 1, now)
    }

    #[test]
    fn who_is_late_neither_renews_nor_frees_what_another_holds() {
        let mut table = Table::of(&[1]);
        assert_eq!(does(&mut table, 7, ACQUIRE, 0), Some(1));
        assert_eq!(does(&mut table, 8, ACQUIRE, 99), None);
        assert!(does(&mut table, 7, Order::Renew { ttl: 100 }, 50).is_some());
        // At the very end it is lost, and free.
        assert_eq!(does(&mut table, 7, Order::Renew { ttl: 100 }, 150), None);
        assert_eq!(does(&mut table, 8, ACQUIRE, 150), Some(2));
        assert_eq!(does(&mut table, 7, Order::Release, 160), None);
        assert_eq!(table.held(0, 160).map(|held| held.value), Some(8));
        // Who deletes frees another's.
        assert_eq!(does(&mut table, 7, Order::Delete, 160), Some(2));
        assert_eq!(table.held(0, 160), None);
    }

    #[test]
    fn after_a_lost_lease_nobody_gets_the_lock_for_its_delay_and_after_a_release_somebody_does() {
        let order = Order::Acquire {
            ttl: 100,
            delay: 50,
        };
        let mut table = Table::of(&[1]);
        assert!(does(&mut table, 1, order, 0).is_some());
        assert_eq!(does(&mut table, 2, order, 149), None);
        assert!(does(&mut table, 2, order, 150).is_some());
        assert!(does(&mut table, 2, Order::Release, 160).is_some());
        assert!(does(&mut table, 3, order, 160).is_some());
    }

    #[test]
    fn permits_are_counted_and_come_back_one_by_one() {
        let mut table = Table::of(&[2]);
        assert!(does(&mut table, 1, ACQUIRE, 0).is_some());
        assert!(does(&mut table, 2, ACQUIRE, 10).is_some());
        assert_eq!(does(&mut table, 3, ACQUIRE, 20), None);
        assert!(does(&mut table, 3, ACQUIRE, 100).is_some());
        assert_eq!(does(&mut table, 1, Order::Release, 105), None);
        assert!(does(&mut table, 2, Order::Release, 105).is_some());
    }

    #[test]
    fn who_has_forgotten_may_wait_and_who_leads_anew_gives_anew() {
        let mut table = Table::of(&[1]);
        table.opens = 100;
        assert_eq!(does(&mut table, 1, ACQUIRE, 99), None);
        assert!(does(&mut table, 1, ACQUIRE, 100).is_some());
        table.anew(150, 100);
        assert!(table.held(0, 249).is_some() && table.held(0, 250).is_none());
        table.anew(260, 100);
        assert!(table.held(0, 261).is_none());
    }

    #[test]
    fn a_lock_of_several_stores_ends_before_any_of_its_leases() {
        assert_eq!(redlock(5, 3, 50, 10_000), Some(9_848));
        assert_eq!(redlock(5, 5, 9_898, 10_000), None);
        assert_eq!(redlock(4, 2, 0, 10_000), None);
        let mut poll = Poll::of(5, 3, 1_000, 10_000);
        assert_eq!(poll.answer(0, Some(9), 1_010), Outcome::Open);
        assert_eq!(poll.answer(0, Some(9), 1_020), Outcome::Open);
        assert_eq!(poll.answer(3, None, 1_020), Outcome::Open);
        assert_eq!(poll.answer(1, Some(2), 1_030), Outcome::Open);
        let until = 1_050 + 9_848;
        let held = Outcome::Held { until, token: 0 };
        assert_eq!(poll.answer(4, Some(4), 1_050), held);
        let mut lost = Poll::of(5, 3, 0, 10_000);
        for store in 0..2 {
            assert_eq!(lost.answer(store, None, 10), Outcome::Open);
        }
        assert_eq!(lost.answer(2, None, 10), Outcome::Lost);
        let held = Outcome::Held {
            until: 500,
            token: 7,
        };
        assert_eq!(Poll::of(1, 1, 0, 500).answer(0, Some(7), 90), held);
    }

    /// Each store gives at most `permits`: then no schedule gives more than that many clients a quorum; one less would.
    #[test]
    fn no_more_clients_have_a_quorum_than_there_are_permits() {
        let mut rng = Pcg64Mcg::seed_from_u64(1);
        let mut broken = 0;
        for _ in 0..10_000 {
            let (stores, permits) = (rng.random_range(1..=7), rng.random_range(1..=4));
            let mut tables = vec![Table::of(&[permits as usize]); stores as usize];
            let mut yes = [0_u32; 8];
            // Everybody asks everybody, in any order.
            for _ in 0..200 {
                let (client, store) = (rng.random_range(0..8), rng.random_range(0..stores));
                let order = Order::Acquire { ttl: 100, delay: 0 };
                let table = &mut tables[store as usize];
                let has = |table: &Table| {
                    let mut all = table.place(0).iter().filter_map(|lease| lease.held(0));
                    all.any(|held| held.value == client)
                };
                if !has(table) && does(table, client, order, 0).is_some() {
                    yes[client as usize] += 1;
                }
            }
            let have = |needs: u32| yes.iter().filter(|yes| **yes >= needs).count() as u32;
            let needs = quorum(stores, permits);
            assert!(have(needs) <= permits, "{stores} stores, {permits} permits");
            broken += u32::from(needs > 1 && have(needs - 1) > permits);
        }
        assert!(broken > 0);
        assert_eq!((majority(5), majority(4), quorum(5, 2)), (3, 3, 4));
    }

    /// What may be wrong with a schedule.
    #[derive(Clone, Copy, Default)]
    struct Wrong {
        /// Clients write whenever they like, as if they had been paused; clocks of stores jump; stores forget.
        harm: bool,
        /// A rule is left out: clients need one store less, or go on after their end, or nobody looks at tokens.
        slip: Option<u8>,
    }

    /// Clients of one store or five, for a while; tells whether two held the lock at once, and whether a write came late.
    fn schedule(seed: u64, stores: u32, wrong: Wrong) -> (bool, bool) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut tables = vec![Table::of(&[1]); stores as usize];
        let mut ahead = vec![0_u64; stores as usize];
        let dead = if stores > 1 {
            rng.random_range(0..=2)
        } else {
            0
        };
        let needs = majority(stores) - u32::from(wrong.slip == Some(0));
        let (mut now, mut fence) = (0, crate::fencing::Fence::default());
        let mut holds: Vec<Option<(Value, Token, u64)>> = vec![None; 4];
        let (mut two, mut late, mut newest) = (false, false, 0);
        for value in 1..=60 {
            now += rng.random_range(0..40);
            let client = rng.random_range(0..4_usize);
            if wrong.harm && rng.random_range(0..8) == 0 {
                let store = rng.random_range(0..stores as usize);
                if rng.random_range(0..2) == 0 {
                    ahead[store] += 100;
                } else {
                    tables[store] = Table::of(&[1]);
                }
            }
            let ends = !wrong.harm && wrong.slip != Some(1);
            for hold in holds.iter_mut().filter(|_| ends) {
                *hold = hold.filter(|(_, _, until)| now < *until);
            }
            if let Some((own, token, _)) = holds[client] {
                if fence.admits(token) || wrong.slip == Some(2) {
                    late |= token < newest;
                    newest = newest.max(token);
                }
                if rng.random_range(0..3) == 0 {
                    holds[client] = None;
                    for (table, ahead) in tables.iter_mut().zip(&ahead) {
                        does(table, own, Order::Release, now + ahead);
                    }
                }
                continue;
            }
            let mut poll = Poll::of(stores, needs, now, 100);
            let mut outcome = Outcome::Open;
            let asked = rng.random_range(0..stores);
            for place in (0..stores).map(|store| (store + asked) % stores) {
                // Some are dead all the time; some questions are lost.
                if place < dead || rng.random_range(0..4) == 0 {
                    continue;
                }
                let at = place as usize;
                let given = does(&mut tables[at], value, ACQUIRE, now + ahead[at]);
                let answer = poll.answer(place, given, now + rng.random_range(0..20));
                if outcome == Outcome::Open {
                    outcome = answer;
                }
            }
            match outcome {
                Outcome::Held { until, token } => {
                    two |= holds.iter().flatten().next().is_some();
                    holds[client] = Some((value, token, until));
                }
                _ => {
                    for (table, ahead) in tables.iter_mut().zip(&ahead) {
                        does(table, value, Order::Release, now + ahead);
                    }
                }
            }
        }
        (two, late)
    }

    #[test]
    fn laws_hold_in_ten_thousand_schedules_and_are_missed_where_a_rule_is_left_out() {
        let any = |stores: u32, wrong: Wrong, n: u64| {
            let all = (0..n).map(|seed| schedule(seed, stores, wrong));
            all.fold((false, false), |any, one| (any.0 | one.0, any.1 | one.1))
        };
        let harm = Wrong {
            harm: true,
            slip: None,
        };
        // True clocks, nobody paused, nothing forgotten: never two. Tokens looked at: never late, whatever happens.
        for stores in [1, 5] {
            assert_eq!(
                any(stores, Wrong::default(), crate::schedules(5_000)),
                (false, false)
            );
            let (two, late) = any(stores, harm, crate::schedules(5_000));
            assert!(two && !late, "{stores}");
        }
        let slip = |slip: u8, harm: bool| Wrong {
            harm,
            slip: Some(slip),
        };
        assert!(any(5, slip(0, false), 500).0);
        assert!(any(1, slip(1, false), 500).0);
        assert!(any(1, slip(2, true), 500).1);
    }
}
