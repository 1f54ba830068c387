//! Where HDFS puts the copies of a block: one here, two together elsewhere.
//!
//! The first copy stays on the writer's machine, the second goes to another rack, the third to the second's rack: a write crosses
//! between racks once, and no rack holds all. Further copies go anywhere, at most (copies − 1) ÷ racks + 2 to a rack, one less if
//! that were all of them. Source: Apache Hadoop, `BlockPlacementPolicyDefault`.

/// What a choice is made from: machines by number, from 0.
#[derive(Clone, Debug)]
pub struct Topology<'a> {
    /// The rack of each machine.
    pub racks: &'a [u32],
    /// The machines that may take a copy.
    pub may: &'a [bool],
}

impl Topology<'_> {
    /// The most copies that one rack may hold of so many.
    pub fn most_in_a_rack(&self, copies: usize) -> usize {
        let mut racks = self.racks.to_vec();
        racks.sort_unstable();
        racks.dedup();
        if racks.len() < 2 || copies < 2 {
            return copies;
        }
        let most = (copies - 1) / racks.len() + 2;
        if most == copies { most - 1 } else { most }
    }

    fn rack(&self, machine: usize) -> u32 {
        self.racks[machine]
    }

    /// A random machine that `fits`, may take a copy, has none, and whose rack is not full.
    fn random(
        &self,
        chosen: &[usize],
        most: usize,
        fits: impl Fn(u32) -> bool,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<usize> {
        let in_rack = |rack| chosen.iter().filter(|one| self.rack(**one) == rack).count();
        let can = |machine: &usize| {
            let rack = self.rack(*machine);
            self.may[*machine] && !chosen.contains(machine) && fits(rack) && in_rack(rack) < most
        };
        let can: Vec<usize> = (0..self.racks.len()).filter(can).collect();
        (!can.is_empty()).then(|| can[below(can.len())])
    }

    // region: block
    /// Adds up to `more` machines to those that hold a block already, the first of which is the writer's. `below(n)` gives a random
    /// number below `n`. Fewer are added if there are too few machines.
    pub fn choose(
        &self,
        writer: usize,
        chosen: &mut Vec<usize>,
        more: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) {
        let wanted = chosen.len() + more;
        let most = self.most_in_a_rack(wanted);
        let fresh = chosen.is_empty();
        while chosen.len() < wanted {
            let anywhere = |_: u32| true;
            let found = match chosen[..] {
                [] if self.may[writer] => Some(writer),
                [] => {
                    let near = |rack| rack == self.rack(writer);
                    self.random(chosen, most, near, below)
                }
                [first] => self.random(chosen, most, |rack| rack != self.rack(first), below),
                [first, second] if self.rack(first) == self.rack(second) => {
                    self.random(chosen, most, |rack| rack != self.rack(first), below)
                }
                [_, second] => {
                    // Of a block that is repaired the copy goes near whoever sends it.
                    let near = self.rack(if fresh { second } else { writer });
                    self.random(chosen, most, |rack| rack == near, below)
                }
                _ => None,
            };
            let found = found
                .or_else(|| self.random(chosen, most, anywhere, below))
                // HDFS gives up on racks before it gives up on a copy.
                .or_else(|| self.random(chosen, wanted, anywhere, below));
            match found {
                Some(machine) => chosen.push(machine),
                None => break,
            }
        }
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> impl FnMut(usize) -> usize {
        let mut state = 1;
        move |n| {
            state = crate::hash::mix64(state);
            state as usize % n
        }
    }

    #[test]
    fn one_here_two_elsewhere_and_a_repair_makes_it_so_again() {
        let racks: Vec<u32> = (0..12).map(|machine| machine / 4).collect();
        let mut below = random();
        for writer in 0..12 {
            for _ in 0..50 {
                let mut may = [true; 12];
                let mut chosen = Vec::new();
                let all = Topology {
                    racks: &racks,
                    may: &may,
                };
                all.choose(writer, &mut chosen, 3, &mut below);
                let [a, b, c] = chosen[..] else {
                    panic!("{chosen:?}")
                };
                assert!(a == writer && b != c);
                assert!(racks[a] != racks[b] && racks[b] == racks[c]);
                let dead = chosen.remove(below(3));
                may[dead] = false;
                let all = Topology {
                    racks: &racks,
                    may: &may,
                };
                let sender = chosen[below(2)];
                all.choose(sender, &mut chosen, 1, &mut below);
                let mut held: Vec<u32> = chosen.iter().map(|one| racks[*one]).collect();
                held.dedup();
                held.sort_unstable();
                held.dedup();
                assert_eq!((chosen.len(), held.len()), (3, 2), "{chosen:?}");
            }
        }
    }

    #[test]
    fn too_few_machines_are_all_taken() {
        let mut chosen = Vec::new();
        let few = Topology {
            racks: &[0, 0],
            may: &[true, true],
        };
        few.choose(1, &mut chosen, 3, &mut random());
        assert_eq!(chosen, [1, 0]);
        assert_eq!(few.most_in_a_rack(3), 3);
    }

    #[test]
    fn the_most_of_a_rack() {
        let racks: Vec<u32> = (0..10).collect();
        let may = [true; 10];
        for (count, copies, most) in [(2, 3, 2), (3, 3, 2), (3, 4, 3), (10, 4, 2), (2, 10, 6)] {
            let some = Topology {
                racks: &racks[..count],
                may: &may[..count],
            };
            assert_eq!(some.most_in_a_rack(copies), most, "{count} racks, {copies}");
        }
    }
}
