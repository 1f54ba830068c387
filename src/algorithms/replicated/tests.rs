//! Safety over many random schedules: messages that overtake each other, are lost, meet crashed nodes and cut links.

use super::*;
use crate::protocol::Out;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;

const WRITER: Id = 6;
const READERS: [Id; 2] = [7, 8];
const NODES: usize = 8;

fn rules() -> Replicated {
    Replicated {
        replicas: 5,
        n: 3,
        w: 2,
        r: 2,
        repair: Repair::Off,
        hints: true,
        stand_ins: false,
        timeout: 100,
        offer: 10,
        keep: 1_000,
        pass: 200,
    }
}

enum Due {
    Land(Id, Id, Word),
    Ring(Id, Timer, u32),
    Boot(Id),
}

/// What reads have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    reads: u32,
    failed: u32,
    old: u32,
    back: u32,
}

struct World {
    rules: Replicated,
    nodes: Vec<Option<Node>>,
    disks: Vec<Disk>,
    turns: BTreeMap<(Id, Timer), u32>,
    due: BTreeMap<(u64, u64), Due>,
    born: u64,
    now: u64,
    rng: Pcg64Mcg,
    loss: f64,
    /// Nodes on the other side of a cut.
    side: u32,
    answered: [u32; KEYS],
    read: [u32; KEYS],
    open: BTreeMap<(Id, u32), (u32, u32)>,
    seen: Seen,
}

impl World {
    fn new(rules: Replicated, seed: u64) -> World {
        let mut out = Out::default();
        let nodes = (1..=NODES as Id).map(|id| Some(rules.boot(id, None, &mut out)));
        World {
            nodes: nodes.collect(),
            disks: vec![Disk::default(); NODES],
            rules,
            turns: BTreeMap::new(),
            due: BTreeMap::new(),
            born: 0,
            now: 1,
            rng: Pcg64Mcg::seed_from_u64(seed),
            loss: 0.0,
            side: 0,
            answered: [0; KEYS],
            read: [0; KEYS],
            open: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    fn at(&mut self, after: u64, due: Due) {
        self.born += 1;
        self.due.insert((self.now + after, self.born), due);
    }

    fn carry(&mut self, from: Id, out: OutOf<Replicated>) {
        for (timer, wind) in out.wound {
            let turn = self.turns.entry((from, timer)).or_default();
            *turn += 1;
            let turn = *turn;
            if let Wind::After(span) = wind {
                self.at(span, Due::Ring(from, timer, turn));
            }
        }
        for (to, word) in out.sent {
            let cut = (self.side >> from ^ self.side >> to) & 1 == 1;
            let lost = self.rng.random::<f64>() < self.loss;
            let slow = self.rng.random::<f64>() < 0.1;
            let travel = 1 + self.rng.next_u64() % if slow { 60 } else { 6 };
            if !cut && !lost {
                self.at(travel, Due::Land(from, to, word));
            }
        }
    }

    fn ask(&mut self, id: Id, what: Ask) {
        let node = self.nodes[usize::from(id) - 1].as_mut().unwrap();
        let mut out = Out::default();
        let number = node.next;
        assert!(self.rules.ask(node, what, &mut out));
        if let Ask::Read(key, _) = what {
            let key = usize::from(key);
            self.open
                .insert((id, number), (self.answered[key], self.read[key]));
        }
        self.carry(id, out);
    }

    fn crash(&mut self, id: Id, back: u64) {
        if let Some(node) = self.nodes[usize::from(id) - 1].take() {
            self.disks[usize::from(id) - 1] = self.rules.disk(&node);
            self.at(back, Due::Boot(id));
        }
    }

    /// Goes on until this moment.
    fn run(&mut self, until: u64) {
        while let Some(((at, _), due)) = self.due.pop_first() {
            if at > until {
                self.due.insert((at, 0), due);
                break;
            }
            self.now = at;
            let mut out = Out::default();
            let (id, ended) = match due {
                Due::Land(from, to, word) => {
                    let Some(node) = &mut self.nodes[usize::from(to) - 1] else {
                        continue;
                    };
                    self.rules.hear(node, from, word, &mut out);
                    (to, node.done.clone())
                }
                Due::Ring(id, timer, turn) => {
                    let Some(node) = &mut self.nodes[usize::from(id) - 1] else {
                        continue;
                    };
                    if self.turns[&(id, timer)] != turn {
                        continue;
                    }
                    self.rules.ring(node, timer, &mut out);
                    (id, node.done.clone())
                }
                Due::Boot(id) => {
                    let disk = self.disks[usize::from(id) - 1].clone();
                    self.nodes[usize::from(id) - 1] =
                        Some(self.rules.boot(id, Some(disk), &mut out));
                    (id, Vec::new())
                }
            };
            self.carry(id, out);
            for one in ended {
                self.judge(id, one);
            }
            let nodes: Vec<Option<&Node>> = self.nodes.iter().map(Option::as_ref).collect();
            self.rules.sound(&nodes).unwrap();
        }
        self.now = until;
    }

    fn judge(&mut self, id: Id, one: Request) {
        let (key, version) = (usize::from(one.key), one.cell.version);
        let failed = one.state == State::Failed;
        if !one.read {
            if !failed {
                self.answered[key] = self.answered[key].max(version);
            }
            return;
        }
        let (must, seen) = self
            .open
            .remove(&(id, one.number))
            .expect("asked once, answered once");
        self.seen.reads += 1;
        if failed {
            self.seen.failed += 1;
            return;
        }
        self.seen.old += u32::from(version < must);
        self.seen.back += u32::from(version < seen);
        self.read[key] = self.read[key].max(version);
    }

    /// Writes, reads, crashes, cuts and heals at random.
    fn stir(&mut self, steps: u32, trouble: bool) {
        for _ in 0..steps {
            let until = self.now + self.rng.next_u64() % 8;
            self.run(until);
            let key = (self.rng.next_u64() % 2) as u8;
            let reader = READERS[(self.rng.next_u64() % 2) as usize];
            match self.rng.next_u64() % 20 {
                0..7 => self.ask(WRITER, Ask::Write(key, self.now as u32, None, self.now)),
                7..18 => self.ask(reader, Ask::Read(key, self.now)),
                18 if trouble => {
                    let id = 1 + (self.rng.next_u64() % 5) as Id;
                    self.crash(id, 150);
                }
                _ if trouble => {
                    self.side = (self.rng.next_u64() % 512) as u32 * u32::from(self.side == 0)
                }
                _ => {}
            }
        }
        self.side = 0;
        self.run(self.now + 3_000);
        assert!(self.open.is_empty(), "every read was answered or failed");
    }
}

fn total(rules: &Replicated, runs: u64, trouble: bool) -> Seen {
    let mut all = Seen::default();
    for seed in 0..runs {
        let mut world = World::new(rules.clone(), seed);
        world.loss = if trouble { 0.05 } else { 0.0 };
        world.stir(60, trouble);
        let seen = world.seen;
        all.reads += seen.reads;
        all.failed += seen.failed;
        all.old += seen.old;
        all.back += seen.back;
    }
    all
}

/// Gifford's rule, over 10,000 schedules with crashes, cuts and losses.
#[test]
fn no_read_is_old_where_quorums_overlap_and_nobody_stands_in() {
    for (n, r, w) in [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3), (5, 2, 4)] {
        for repair in [Repair::Off, Repair::Behind] {
            let rules = Replicated {
                n,
                r,
                w,
                repair,
                ..rules()
            };
            let seen = total(&rules, crate::schedules(1_000), true);
            assert!(
                seen.old == 0 && seen.reads > seen.failed,
                "{n} {r} {w}: {seen:?}"
            );
        }
    }
}

#[test]
fn reads_may_be_old_where_quorums_do_not_overlap_or_somebody_stands_in() {
    let one = Replicated {
        r: 1,
        w: 1,
        ..rules()
    };
    assert!(total(&one, 100, false).old > 100);
    let stand_ins = Replicated {
        stand_ins: true,
        ..rules()
    };
    assert!(total(&stand_ins, 1_000, true).old > 0);
}

/// Attiya, Bar-Noy and Dolev: the same quorums, and reads that write back.
#[test]
fn no_read_goes_back_if_it_repairs_before_it_answers() {
    for (n, r, w) in [(3, 2, 2), (3, 3, 1), (5, 3, 3), (3, 2, 1)] {
        let rules = Replicated {
            n,
            r,
            w,
            repair: Repair::First,
            ..rules()
        };
        let seen = total(&rules, crate::schedules(1_000), true);
        assert_eq!(seen.back, 0, "{n} {r} {w}: {seen:?}");
    }
    // Without it, or where two reads need not meet, they do.
    let off = total(&rules(), 1_000, false);
    assert!(off.back > 0 && off.old == 0, "{off:?}");
    let alone = Replicated {
        r: 1,
        w: 3,
        repair: Repair::First,
        ..rules()
    };
    assert!(total(&alone, 1_000, false).back > 0);
}

/// One answer too few, and the schedules above find it.
#[test]
fn a_mutated_rule_is_caught() {
    let lax = Replicated { w: 1, ..rules() };
    assert!(total(&lax, 300, true).old > 0, "W - 1");
    let lax = Replicated { r: 1, ..rules() };
    assert!(total(&lax, 300, true).old > 0, "R - 1");
}

fn quiet(rules: Replicated) -> World {
    World::new(rules, 1)
}

fn version(world: &World, id: Id) -> u32 {
    world.nodes[usize::from(id) - 1]
        .as_ref()
        .map_or(0, |node| node.disk.cells[0].version)
}

#[test]
fn a_write_that_failed_is_not_undone() {
    let mut world = quiet(Replicated {
        hints: false,
        ..rules()
    });
    world.side = 1 << 2 | 1 << 3; // B and C.
    world.ask(WRITER, Ask::Write(0, 7, None, 1));
    world.run(300);
    assert_eq!(
        (world.answered[0], [1, 2, 3].map(|id| version(&world, id))),
        (0, [1, 0, 0])
    );
}

#[test]
fn hints_come_home_and_a_late_one_changes_nothing() {
    let mut world = quiet(rules());
    world.side = 1 << 3;
    for value in 0..5 {
        world.ask(WRITER, Ask::Write(0, value, None, world.now));
        world.run(world.now + 200);
    }
    assert_eq!((version(&world, 2), version(&world, 3)), (5, 0));
    world.side = 0;
    world.ask(WRITER, Ask::Write(0, 9, None, world.now));
    world.run(world.now + 500);
    let disk = &world.nodes[5].as_ref().unwrap().disk;
    assert_eq!((version(&world, 3), disk.hints.len(), disk.kept), (6, 0, 5));
    assert!(disk.taken >= 1 && disk.taken + disk.dropped == 5);
}

#[test]
fn a_hint_is_given_up_after_its_time() {
    let mut world = quiet(rules());
    world.side = 1 << 3;
    world.ask(WRITER, Ask::Write(0, 1, None, 1));
    world.run(1_050);
    assert_eq!(world.nodes[5].as_ref().unwrap().disk.hints.len(), 1);
    world.run(1_200);
    assert_eq!(world.nodes[5].as_ref().unwrap().disk.dropped, 1);
}

#[test]
fn a_stand_in_counts_and_hands_over() {
    let mut world = quiet(Replicated {
        stand_ins: true,
        hints: false,
        ..rules()
    });
    world.crash(1, 5_000);
    world.crash(2, 600);
    world.ask(WRITER, Ask::Write(0, 1, None, world.now));
    world.run(110);
    assert_eq!(world.answered[0], 0, "nobody stands in before a time-out");
    world.ask(WRITER, Ask::Write(0, 2, None, world.now));
    world.run(250);
    assert_eq!(world.answered[0], 2, "C and D, E");
    assert_eq!([4, 5].map(|id| version(&world, id)), [2, 2]);
    world.run(1_500);
    assert_eq!(
        (version(&world, 2), version(&world, 5)),
        (2, 0),
        "E hands over to B"
    );
    assert_eq!(version(&world, 4), 2, "A is down still");
}

#[test]
fn a_copy_stored_just_before_a_crash_is_there_afterwards() {
    let mut world = quiet(rules());
    world.ask(WRITER, Ask::Write(0, 1, None, 1));
    while version(&world, 3) == 0 {
        world.run(world.now + 1);
    }
    world.crash(3, 50);
    world.run(world.now + 60);
    assert_eq!(version(&world, 3), 1);
}

#[test]
fn more_answers_than_there_are_copies_cannot_be_asked_for() {
    let mut world = quiet(Replicated {
        n: 2,
        w: 5,
        r: 5,
        ..rules()
    });
    world.ask(WRITER, Ask::Write(0, 1, None, 1));
    world.run(90);
    world.ask(READERS[0], Ask::Read(0, world.now));
    world.run(180);
    assert_eq!(
        (world.answered[0], world.seen.reads, world.seen.failed),
        (1, 1, 0)
    );
}

/// What was answered is on W disks, so it outlives W - 1 of them.
#[test]
fn no_answered_version_is_lost_with_fewer_than_w_disks() {
    for (n, w) in [(3, 2), (3, 3), (5, 3)] {
        for seed in 0..300 {
            let mut world = World::new(Replicated { n, w, ..rules() }, seed);
            world.loss = 0.05;
            world.stir(60, true);
            for gone in 0_u8..1 << n {
                if gone.count_ones() >= u32::from(w) {
                    continue;
                }
                for key in 0..2 {
                    let left = (1..=n).filter(|id| gone & bit(*id) == 0);
                    let has = |id: Id| {
                        world.nodes[usize::from(id) - 1]
                            .as_ref()
                            .map_or(0, |node| node.disk.cells[key].version)
                    };
                    let newest = left.map(has).max().unwrap_or(0);
                    assert!(newest >= world.answered[key], "N {n}, W {w}, seed {seed}");
                }
            }
        }
    }
}

#[test]
fn an_acknowledgement_after_the_time_out_changes_nothing() {
    let mut failed = 0;
    for seed in 0..50 {
        let mut world = World::new(
            Replicated {
                timeout: 3,
                hints: false,
                ..rules()
            },
            seed,
        );
        world.ask(WRITER, Ask::Write(0, 1, None, 1));
        world.run(4);
        let late = world.answered[0] == 0;
        failed += u32::from(late);
        world.run(300);
        assert_eq!(world.answered[0] == 0, late, "failed stays failed");
        assert_eq!(
            [1, 2, 3].map(|id| version(&world, id)),
            [1, 1, 1],
            "and the copies stay"
        );
    }
    assert!(failed > 20, "{failed}");
}

#[test]
fn two_reads_may_repair_one_cell() {
    let mut world = quiet(Replicated {
        r: 3,
        w: 1,
        repair: Repair::First,
        ..rules()
    });
    world.ask(WRITER, Ask::Write(0, 1, Some(bit(1)), 1));
    world.run(200);
    assert_eq!([1, 2, 3].map(|id| version(&world, id)), [1, 0, 0]);
    for reader in READERS {
        world.ask(reader, Ask::Read(0, world.now));
    }
    world.run(500);
    let both = Seen {
        reads: 2,
        ..Seen::default()
    };
    assert_eq!(
        (world.seen, [1, 2, 3].map(|id| version(&world, id))),
        (both, [1, 1, 1])
    );
}
