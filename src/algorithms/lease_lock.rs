//! Locks of which nobody knows whether the holder still lives: leases, locks in several stores, and tokens that fence.
//!
//! A lease is Redis' `SET key value NX PX ttl` with a release that compares the value first, and the lock over several
//! independent stores is Redlock, after redis-doc's "Distributed locks". That neither keeps a holder who was paused from
//! writing late, and that a token which only grows does, is Kleppmann's "How to do distributed locking" (2016).

/// Who holds or wants a lock.
pub type Client = u32;
/// Grows with every lock that is given.
pub type Token = u64;

/// One lock in one store. Times in ms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    held: Option<(Client, Token, u64)>,
    given: Token,
}

impl Lease {
    /// A lock of which so many have been given already.
    pub fn after(given: Token) -> Lease {
        Lease { held: None, given }
    }

    /// Who holds it, by the store's clock.
    pub fn holder(&self, now: u64) -> Option<Client> {
        self.valid(now).map(|(client, _)| client)
    }

    fn valid(&self, now: u64) -> Option<(Client, Token)> {
        let (client, token, until) = self.held?;
        (now < until).then_some((client, token))
    }

    /// Gives the lock if nobody has it; at the very end of a lease it is free. Who has it does not get it twice.
    pub fn acquire(&mut self, client: Client, now: u64, ttl: u64) -> Option<Token> {
        if self.valid(now).is_some() {
            return None;
        }
        self.given += 1;
        self.held = Some((client, self.given, now + ttl));
        Some(self.given)
    }

    /// Lengthens the lease of who still has it.
    pub fn renew(&mut self, token: Token, now: u64, ttl: u64) -> bool {
        let own = self.valid(now).is_some_and(|(_, held)| held == token);
        if let (true, Some(held)) = (own, &mut self.held) {
            held.2 = now + ttl;
        }
        own
    }

    /// Frees the lock if it is still this one's: another's stays.
    pub fn release(&mut self, client: Client, token: Token, now: u64) -> bool {
        let own = self.valid(now) == Some((client, token));
        if own {
            self.held = None;
        }
        own
    }
}

/// What a lock protects. It either takes every write or looks at tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected<T> {
    /// What stands in it.
    pub value: Option<T>,
    /// The highest token that it has seen; none if it does not look.
    pub fence: Option<Token>,
    /// The token under which the value was written.
    pub written_under: Token,
}

impl<T> Protected<T> {
    /// One that refuses tokens lower than it has seen.
    pub fn fenced() -> Protected<T> {
        Protected {
            value: None,
            fence: Some(0),
            written_under: 0,
        }
    }

    /// One that takes what comes.
    pub fn open() -> Protected<T> {
        Protected {
            fence: None,
            ..Protected::fenced()
        }
    }

    /// Writes, and tells whether it did.
    pub fn write(&mut self, token: Token, value: T) -> bool {
        if let Some(fence) = &mut self.fence {
            if token < *fence {
                return false;
            }
            *fence = token;
        }
        (self.value, self.written_under) = (Some(value), token);
        true
    }
}

/// How many of so many stores are a majority.
pub fn majority(stores: u32) -> u32 {
    stores / 2 + 1
}

/// What Redlock takes off a lease because clocks differ: a hundredth of it and 2 ms.
pub fn drift(ttl: u64) -> u64 {
    ttl / 100 + 2
}

/// How long a lock over several stores is good for, in ms, once so many of them gave it within `elapsed`; `None` if it is not
/// held, and every store has to be asked to free it.
pub fn redlock(stores: u32, locked: u32, elapsed: u64, ttl: u64) -> Option<u64> {
    let left = ttl.checked_sub(elapsed + drift(ttl));
    left.filter(|left| locked >= majority(stores) && *left > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_holder_writes_late_unless_it_is_fenced() {
        for (mut store, last) in [
            (Protected::open(), "late"),
            (Protected::fenced(), "in time"),
        ] {
            let mut lock = Lease::after(32);
            let first = lock.acquire(1, 0, 1_000).unwrap();
            // The first is paused; its lease ends without it.
            let second = lock.acquire(2, 1_500, 1_000).unwrap();
            assert_eq!((first, second), (33, 34));
            assert!(store.write(second, "in time"));
            assert_eq!(store.write(first, "late"), last == "late");
            assert_eq!(store.value, Some(last));
        }
    }

    #[test]
    fn who_is_late_neither_renews_nor_frees_what_another_holds() {
        let mut lock = Lease::default();
        let first = lock.acquire(1, 0, 100).unwrap();
        assert!(lock.renew(first, 50, 100));
        let second = lock.acquire(2, 150, 100).unwrap();
        assert!(!lock.renew(first, 160, 100) && !lock.release(1, first, 160));
        assert_eq!(lock.holder(160), Some(2));
        assert!(lock.release(2, second, 160) && lock.holder(160).is_none());
    }

    #[test]
    fn a_lock_of_several_stores_ends_before_any_of_its_leases() {
        assert_eq!(redlock(5, 3, 50, 10_000), Some(9_848));
        assert_eq!(redlock(5, 5, 9_898, 10_000), None);
        assert_eq!(redlock(4, 2, 0, 10_000), None);
    }
}
