//! Request coalescing: of all who want the same thing at once, one fetches it and the others wait for the answer.
//!
//! Known as *single flight* after Go's `golang.org/x/sync/singleflight`; nginx calls it `proxy_cache_lock`. A flight
//! covers the whole of fetching *and* storing: a caller who missed the cache just before the value was stored still
//! joins it, instead of fetching once more what is already there.

use std::collections::BTreeMap;

/// What a caller has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join<V> {
    /// Nobody is fetching: the caller fetches, and calls [`SingleFlight::land`] or [`SingleFlight::fail`].
    Lead,
    /// Somebody is fetching: wait for the answer.
    Wait,
    /// Somebody has fetched and is still storing: here is the value.
    Ready(V),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Flight<W, V> {
    waiting: Vec<W>,
    value: Option<V>,
}

/// The flights under way: keys `K`, waiting callers `W`, values `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleFlight<K, W, V> {
    flights: BTreeMap<K, Flight<W, V>>,
}

impl<K, W, V> Default for SingleFlight<K, W, V> {
    fn default() -> Self {
        Self {
            flights: BTreeMap::new(),
        }
    }
}

impl<K: Ord, W, V: Clone> SingleFlight<K, W, V> {
    // region: join
    /// Asks for `key`: leads a new flight, waits for the one under way, or takes its value if it has one.
    pub fn join(&mut self, key: K, caller: W) -> Join<V> {
        match self.flights.get_mut(&key) {
            None => {
                let flight = Flight {
                    waiting: Vec::new(),
                    value: None,
                };
                self.flights.insert(key, flight);
                Join::Lead
            }
            Some(Flight {
                value: Some(value), ..
            }) => Join::Ready(value.clone()),
            Some(flight) => {
                flight.waiting.push(caller);
                Join::Wait
            }
        }
    }
    // endregion

    /// The leader has the value: hands back who waited, in the order in which they came. The flight stays open, so
    /// that late callers get the value too, until [`SingleFlight::close`]. No flight, nobody waits.
    pub fn land(&mut self, key: &K, value: V) -> Vec<W> {
        let Some(flight) = self.flights.get_mut(key) else {
            return Vec::new();
        };
        flight.value = Some(value);
        std::mem::take(&mut flight.waiting)
    }

    /// The leader failed: ends the flight and hands back who waited, for they fail with it.
    pub fn fail(&mut self, key: &K) -> Vec<W> {
        self.flights
            .remove(key)
            .map(|flight| flight.waiting)
            .unwrap_or_default()
    }

    /// The value is stored where everybody looks first: ends a flight that has landed.
    pub fn close(&mut self, key: &K) {
        if self.flights.get(key).is_some_and(|f| f.value.is_some()) {
            self.flights.remove(key);
        }
    }

    /// Whether a flight for `key` is under way.
    pub fn is_open(&self, key: &K) -> bool {
        self.flights.contains_key(key)
    }

    /// Who waits for `key`, in the order in which they came.
    pub fn waiting(&self, key: &K) -> &[W] {
        self.flights.get(key).map_or(&[], |f| &f.waiting)
    }

    /// Flights under way, by key, with who waits.
    pub fn flights(&self) -> impl Iterator<Item = (&K, &[W])> {
        self.flights
            .iter()
            .map(|(key, flight)| (key, flight.waiting.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leads_and_the_others_get_its_answer() {
        let mut flights = SingleFlight::default();
        assert_eq!(flights.join("k", 1), Join::Lead);
        assert_eq!(flights.join("k", 2), Join::Wait);
        assert_eq!(flights.join("other", 3), Join::Lead, "keys do not mix");
        assert_eq!(flights.join("k", 4), Join::Wait);
        assert_eq!(flights.waiting(&"k"), [2, 4]);
        assert_eq!(flights.land(&"k", 'v'), [2, 4]);
        assert_eq!(
            flights.join("k", 5),
            Join::Ready('v'),
            "until it is stored, the flight still answers"
        );
        flights.close(&"k");
        assert_eq!(flights.join("k", 6), Join::Lead);
    }

    #[test]
    fn a_failure_fails_all_and_lets_the_next_try() {
        let mut flights: SingleFlight<u8, u8, ()> = SingleFlight::default();
        flights.join(7, 1);
        flights.join(7, 2);
        assert_eq!(flights.fail(&7), [2]);
        assert!(!flights.is_open(&7));
        assert_eq!(flights.join(7, 3), Join::Lead);
    }

    #[test]
    fn only_a_landed_flight_closes() {
        let mut flights: SingleFlight<u8, u8, ()> = SingleFlight::default();
        flights.join(7, 1);
        flights.join(7, 2);
        flights.close(&7);
        assert_eq!(flights.waiting(&7), [2], "nobody who waits is forgotten");
        assert!(flights.land(&8, ()).is_empty() && !flights.is_open(&8));
        assert!(flights.fail(&8).is_empty());
    }
}
