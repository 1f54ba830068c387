//! A store of things by key, in which a key of a thing that is gone finds nothing, whoever lives in its slot now.

/// The name of a thing in a [`Slab`]: its slot, and which tenant of the slab it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    slot: u32,
    serial: u32,
}

impl Key {
    /// Finds nothing in any slab.
    pub const NONE: Key = Key { slot: 0, serial: 0 };

    /// Which thing of its slab it names, counted from 1; never used twice. 0 for [`Key::NONE`].
    #[inline]
    pub fn serial(self) -> u32 {
        self.serial
    }

    /// Where the thing is among [`Slab::places`], as long as it is there: for what is reckoned up beside a slab.
    #[inline]
    pub fn place(self) -> usize {
        self.slot as usize
    }
}

/// Things in slots that are used again. Inserting, finding and removing take O(1); the order of [`Slab::iter`] is by slot,
/// which is the same in every run with the same history.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    born: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            slots: Vec::new(),
            free: Vec::new(),
            born: 0,
        }
    }
}

impl<T> Slab<T> {
    /// Takes a thing in.
    #[inline]
    pub fn insert(&mut self, thing: T) -> Key {
        self.born = self.born.wrapping_add(1).max(1);
        let serial = self.born;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = (serial, Some(thing));
                slot
            }
            None => {
                self.slots.push((serial, Some(thing)));
                self.slots.len() as u32 - 1
            }
        };
        Key { slot, serial }
    }

    /// Gives a thing out; none if it is gone.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let (serial, thing) = self.slots.get_mut(key.slot as usize)?;
        if *serial != key.serial {
            return None;
        }
        let thing = thing.take()?;
        *serial = 0;
        self.free.push(key.slot);
        Some(thing)
    }

    /// Lets a thing go without giving it out; false if it is gone.
    #[inline]
    pub fn forget(&mut self, key: Key) -> bool {
        let Some((serial, thing)) = self.slots.get_mut(key.slot as usize) else {
            return false;
        };
        if *serial != key.serial || thing.is_none() {
            return false;
        }
        *thing = None;
        *serial = 0;
        self.free.push(key.slot);
        true
    }

    /// The thing of this key; none if it is gone, also when another one has its slot.
    #[inline(always)]
    pub fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.slot as usize) {
            Some((serial, thing)) if *serial == key.serial => thing.as_ref(),
            _ => None,
        }
    }

    /// As [`Slab::get`], to change it.
    #[inline(always)]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.slot as usize) {
            Some((serial, thing)) if *serial == key.serial => thing.as_mut(),
            _ => None,
        }
    }

    /// Whether the thing of this key is there.
    pub fn has(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// All things that are there, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(slot, (serial, thing))| {
                let key = Key {
                    slot: slot as u32,
                    serial: *serial,
                };
                thing.as_ref().map(|thing| (key, thing))
            })
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many places it has, taken or not: every [`Key::place`] of a thing in it is less.
    pub fn places(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there have ever been.
    pub fn born(&self) -> u32 {
        self.born
    }

    /// Bytes of its slots, for [`engine::Model::bytes`].
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<(u32, Option<T>)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_find_the_next_tenant() {
        let mut slab = Slab::default();
        let a = slab.insert('a');
        assert_eq!(slab.remove(a), Some('a'));
        let b = slab.insert('b');
        assert_eq!(a.slot, b.slot);
        assert_eq!((slab.get(a), slab.get(b)), (None, Some(&'b')));
        assert_eq!(slab.get_mut(a), None);
        assert_eq!(slab.remove(a), None);
        assert!(!slab.forget(a));
        assert_eq!((slab.len(), slab.born()), (1, 2));
        assert!(!slab.has(Key::NONE));
        assert!(slab.forget(b) && !slab.has(b) && slab.is_empty());
    }

    #[test]
    fn what_is_there_is_told_by_slot() {
        let mut slab = Slab::default();
        let keys = ['a', 'b', 'c'].map(|thing| slab.insert(thing));
        slab.remove(keys[1]);
        slab.insert('d');
        let told: Vec<(u32, char)> = slab.iter().map(|(key, c)| (key.serial(), *c)).collect();
        assert_eq!(told, [(1, 'a'), (4, 'd'), (3, 'c')]);
    }
}
