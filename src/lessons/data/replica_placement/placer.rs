//! Where copies go: the real algorithms over this lesson's machines, and where a lost copy is made anew.

use super::settings::{Rule, Settings};
use algorithms::block_placement::Topology;
use algorithms::copysets::{Set, groups, set};
use algorithms::hash::mix64;
use algorithms::hash_ring::{HashRing, RING, scattered_points};
use algorithms::replica_placement::{Broker, Striped, across_zones};

/// The most machines: twelve and one that is added.
pub(super) const MACHINES: usize = 13;
/// The most copies.
pub(super) const COPIES: usize = 4;
/// In a list of copies: none.
pub(super) const NOBODY: u8 = u8::MAX;
/// A zone's machines are shuffled so often until the ring is typical.
const SHUFFLES: usize = 4_000;

/// The machines of a partition, the leader first.
pub(super) type Copies = [u8; COPIES];

/// Those that there are.
pub(super) fn named(copies: &Copies) -> impl Iterator<Item = u8> + '_ {
    copies.iter().copied().filter(|one| *one != NOBODY)
}

/// Them as a set.
pub(super) fn set_of(copies: &Copies) -> Set {
    set(named(copies))
}

/// Chance that belongs to one purpose, so that twins draw the same.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn bits(&mut self) -> u32 {
        self.0 = mix64(self.0.wrapping_add(0x9e37_79b9_7f4a_7c15));
        (self.0 >> 32) as u32
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for left in (2..=list.len()).rev() {
            list.swap(left - 1, self.below(left));
        }
    }
}

/// Sets of so many neighbours on the ring of which at least `least` stand in `zone`.
pub(super) fn stretches(zones: &[u8], zone: u8, of: usize, least: usize) -> usize {
    let n = zones.len();
    let inside = |at: usize| (0..of).filter(|i| zones[(at + i) % n] == zone).count();
    (0..n).filter(|at| inside(*at) >= least).count()
}

/// The zone of each machine, in the order of the ring.
///
/// By chance, but where three zones have four machines each, until one is as three zones by chance are in the mean: zone B has one
/// stretch of three to itself, and two of three in a third of all.
pub(super) fn arrange(sizes: &[u8], alternate: bool, salt: u64) -> Vec<u8> {
    let all: u8 = sizes.iter().sum();
    if alternate {
        let mut had = vec![0_u8; sizes.len()];
        return (0..all)
            .map(|_| {
                // Whose share of its own machines is the least.
                let order = |zone: &usize| {
                    (u32::from(had[*zone]) * 2 + 1) * 1_000 / u32::from(sizes[*zone])
                };
                let zone = (0..sizes.len()).min_by_key(order).unwrap_or(0);
                had[zone] += 1;
                zone as u8
            })
            .collect();
    }
    let mut zones: Vec<u8> = (0..)
        .zip(sizes)
        .flat_map(|(zone, size)| vec![zone; usize::from(*size)])
        .collect();
    let mut dice = Dice(salt);
    for _ in 0..SHUFFLES {
        dice.shuffle(&mut zones);
        let typical = stretches(&zones, 1, 3, 3) == 1
            && stretches(&zones, 1, 3, 2) == 4
            && stretches(&zones, 0, 3, 3) + stretches(&zones, 2, 3, 3) == 0;
        if sizes != [4, 4, 4] || typical {
            break;
        }
    }
    zones
}

/// A rule over machines, with all the chance that is in it already drawn.
#[derive(Clone, Debug)]
pub(super) struct Placer {
    pub(super) rule: Rule,
    pub(super) copies: usize,
    /// The zone of each machine.
    zones: Vec<u32>,
    fenced: Vec<bool>,
    /// Who may take copies: the fenced only where there are too few others.
    may: Vec<bool>,
    ring: HashRing,
    /// Copysets: the groups.
    groups: Vec<Vec<usize>>,
    salt: u64,
}

impl Placer {
    pub(super) fn new(knobs: &Settings, zones: &[u8], fenced: &[bool], salt: u64) -> Placer {
        let n = zones.len();
        let copies = knobs.copies as usize;
        let enough = fenced.iter().filter(|fenced| !**fenced).count() >= copies;
        let may: Vec<bool> = fenced.iter().map(|fenced| !enough || !fenced).collect();
        let zones: Vec<u32> = zones.iter().copied().map(u32::from).collect();
        let mut ring = HashRing::new();
        if knobs.rule.rings() {
            for machine in 0..n as u32 {
                if knobs.points == 1 && !knobs.scattered {
                    let at = u64::from(machine) * (RING / n as u64);
                    ring.add_node(machine, [at as u32]);
                } else {
                    ring.add_node(machine, scattered_points(salt, machine, knobs.points));
                }
            }
        }
        let mut dice = Dice(salt ^ 1);
        let there: Vec<usize> = (0..n).filter(|one| may[*one]).collect();
        let of: Vec<u32> = there.iter().map(|one| zones[*one]).collect();
        let groups = if knobs.rule == Rule::Copysets {
            groups(&of, copies, knobs.width as usize, &mut |n| dice.below(n))
        } else {
            Vec::new()
        };
        let own = |group: Vec<usize>| group.into_iter().map(|one| there[one]).collect();
        Placer {
            rule: knobs.rule,
            copies,
            groups: groups.into_iter().map(own).collect(),
            zones,
            fenced: fenced.to_vec(),
            may,
            ring,
            salt,
        }
    }

    /// The machines of each key.
    pub(super) fn place(&self, keys: &[u32]) -> Vec<Copies> {
        let n = self.zones.len();
        let mut dice = Dice(self.salt ^ 2);
        let brokers: Vec<Broker> = (0..n)
            .map(|one| Broker {
                id: one as u32,
                rack: Some(self.zones[one].to_string()),
                fenced: self.fenced[one],
            })
            .collect();
        let mut striped = Striped::new(&brokers, &mut |n| dice.below(n));
        let mut there: Vec<usize> = (0..n).filter(|one| self.may[*one]).collect();
        let place = |key: &u32| -> Copies {
            let mut chosen: Vec<usize> = match self.rule {
                Rule::Clockwise | Rule::Zones => self.clockwise(*key, &self.may),
                Rule::Striped => {
                    let placed = striped.next(self.copies, &mut |n| dice.below(n));
                    placed
                        .unwrap_or_default()
                        .iter()
                        .map(|one| *one as usize)
                        .collect()
                }
                Rule::Hdfs => {
                    let mut chosen = Vec::new();
                    let writer = there[dice.below(there.len())];
                    let topology = Topology {
                        racks: &self.zones,
                        may: &self.may,
                    };
                    topology.choose(writer, &mut chosen, self.copies, &mut |n| dice.below(n));
                    chosen
                }
                Rule::Chance => {
                    for at in 0..self.copies {
                        let other = at + dice.below(there.len() - at);
                        there.swap(at, other);
                    }
                    there[..self.copies].to_vec()
                }
                Rule::Copysets => {
                    let first = there[dice.below(there.len())];
                    let mine = self.groups.iter().filter(|group| group.contains(&first));
                    let mine: Vec<&Vec<usize>> = mine.collect();
                    let mut group = mine[dice.below(mine.len())].clone();
                    let lead = group.iter().position(|one| *one == first).unwrap_or(0);
                    group.swap(0, lead);
                    group
                }
            };
            // Nobody leads of whom nothing is heard.
            if let Some(leads) = chosen.iter().position(|one| !self.fenced[*one]) {
                chosen.swap(0, leads);
            }
            let mut copies = [NOBODY; COPIES];
            for (copy, machine) in copies.iter_mut().zip(chosen) {
                *copy = machine as u8;
            }
            copies
        };
        keys.iter().map(place).collect()
    }

    /// The machines that a key names on the ring without those that are out.
    fn clockwise(&self, key: u32, may: &[bool]) -> Vec<usize> {
        let may = |machine: u32| may[machine as usize];
        let list = if self.rule == Rule::Clockwise {
            self.ring.preference_list(key, self.copies, may)
        } else {
            let order = self.ring.preference_list(key, self.zones.len(), may);
            across_zones(&order, |machine| self.zones[machine as usize], self.copies)
        };
        list.into_iter().map(|one| one as usize).collect()
    }

    /// Who takes the copy that is missing of a partition that `held` hold; those who are `up` may. None if all that may have it already.
    pub(super) fn instead(
        &self,
        key: u32,
        held: &[u8],
        up: &[bool],
        plan: &mut Plan,
    ) -> Option<u8> {
        let may = up;
        let free = |one: &usize| may[*one] && !held.contains(&(*one as u8));
        if self.rule.rings() {
            let next = self.clockwise(key, may).into_iter().find(free);
            if next.is_some() {
                return next.map(|one| one as u8);
            }
        }
        let all = (0..may.len()).filter(free);
        let in_zone = |one: usize| {
            let there = held
                .iter()
                .filter(|held| self.zones[usize::from(**held)] == self.zones[one]);
            there.count()
        };
        let due = |one: usize, plan: &Plan| plan.due[one];
        let chosen = match self.rule {
            Rule::Hdfs if !held.is_empty() => {
                let mut best: Option<usize> = None;
                for _ in 0..4 {
                    let mut chosen: Vec<usize> = held.iter().copied().map(usize::from).collect();
                    let topology = Topology {
                        racks: &self.zones,
                        may,
                    };
                    let sender = chosen[plan.dice.below(chosen.len())];
                    topology.choose(sender, &mut chosen, 1, &mut |n| plan.dice.below(n));
                    let found = chosen.get(held.len()).copied();
                    // Of a few choices whoever has least to do.
                    best = best
                        .into_iter()
                        .chain(found)
                        .min_by_key(|one| due(*one, plan));
                }
                best
            }
            Rule::Copysets => {
                let group = set(held.iter().copied());
                let known = plan.mended.iter().find(|mended| mended.0 == group);
                let known = known
                    .map(|mended| usize::from(mended.1))
                    .filter(|one| free(one));
                known.or_else(|| {
                    let used = |one: usize, plan: &Plan| {
                        plan.mended
                            .iter()
                            .filter(|mended| usize::from(mended.1) == one)
                            .count()
                    };
                    let best =
                        all.min_by_key(|one| (in_zone(*one), used(*one, plan), due(*one, plan)));
                    plan.mended.extend(best.map(|one| (group, one as u8)));
                    best
                })
            }
            Rule::Chance | Rule::Hdfs => all.min_by_key(|one| due(*one, plan)),
            _ => all.min_by_key(|one| (in_zone(*one), due(*one, plan))),
        };
        chosen.map(|one| one as u8)
    }
}

/// What a repair has in hand.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How many copies each machine is to receive.
    pub(super) due: [u32; MACHINES],
    /// Copysets: who takes the place in a group of whom these are left.
    pub(super) mended: Vec<(Set, u8)>,
    pub(super) dice: Dice,
}

impl Plan {
    pub(super) fn new(salt: u64) -> Plan {
        Plan {
            due: [0; MACHINES],
            mended: Vec::new(),
            dice: Dice(salt ^ 3),
        }
    }
}
