//! An audit of things in a slab: nothing lost, nothing twice, and whoever holds something holds it alone.

use super::slab::{Key, Slab};

/// Collects who says to hold what; [`Balance::check`] compares it with what the things themselves say.
#[derive(Clone, Debug, Default)]
pub struct Balance {
    claims: Vec<(Key, &'static str)>,
}

impl Balance {
    /// `holder` says that it has these.
    pub fn claim(&mut self, holder: &'static str, keys: impl IntoIterator<Item = Key>) {
        self.claims
            .extend(keys.into_iter().map(|key| (key, holder)));
    }

    /// Checks that as many were born as are gone or present, and that each present thing is held by whom `whose` says:
    /// once, or by nobody for none.
    ///
    /// # Errors
    /// A sentence that says what is off.
    pub fn check<T>(
        self,
        slab: &Slab<T>,
        gone: u64,
        mut whose: impl FnMut(Key, &T) -> Option<&'static str>,
    ) -> Result<(), String> {
        let accounted = gone + slab.len() as u64;
        if u64::from(slab.born()) != accounted {
            return Err(format!(
                "{} came in, {accounted} are accounted for",
                slab.born()
            ));
        }
        // Called after every event of long tests, hence by place: nothing is sorted, nothing searched.
        let mut holders = vec![None; slab.places()];
        for (key, holder) in self.claims {
            if !slab.has(key) {
                return Err(format!("{holder} holds {}, which is gone", key.serial()));
            }
            if let Some(other) = holders[key.place()].replace(holder) {
                return Err(format!(
                    "{} is held twice, by {other} and {holder}",
                    key.serial()
                ));
            }
        }
        for (key, thing) in slab.iter() {
            let (says, holder) = (whose(key, thing), holders[key.place()]);
            if says != holder {
                return Err(format!(
                    "{} says that {says:?} holds it, but {holder:?} does",
                    key.serial()
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_lost_twice_or_not_where_it_says() {
        let mut slab = Slab::default();
        let [a, b] = ["queue", "worker"].map(|place| slab.insert(place));
        let audit = |claims: &[(&'static str, Key)], slab: &Slab<&'static str>, gone| {
            let mut balance = Balance::default();
            for (holder, key) in claims {
                balance.claim(holder, [*key]);
            }
            balance.check(slab, gone, |_, place| Some(*place))
        };
        let right = [("queue", a), ("worker", b)];
        assert_eq!(audit(&right, &slab, 0), Ok(()));
        assert!(audit(&right, &slab, 1).is_err());
        assert!(audit(&[("queue", a), ("queue", a), ("worker", b)], &slab, 0).is_err());
        assert!(audit(&[("worker", a), ("worker", b)], &slab, 0).is_err());
        assert!(audit(&[("queue", a)], &slab, 0).is_err());
        slab.remove(a);
        assert!(audit(&right, &slab, 1).is_err());
        assert_eq!(audit(&right[1..], &slab, 1), Ok(()));
    }
}
