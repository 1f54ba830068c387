//! Schedules with loss, copies, delays, cuts and crashes, the judge asked after every event; and rules left out, which it finds.

use super::*;
use crate::protocol::Out;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeSet;

type Group = Raft<u32>;

/// What will happen.
#[derive(Clone, Debug)]
enum Event {
    Arrives(Id, Id, Word<u32>),
    Rings(Id, Timer, u64),
    Crash,
    Cut,
    Asks,
}

/// How bad a network is.
#[derive(Clone, Copy)]
struct Weather {
    /// In percent.
    lost: u32,
    /// In percent.
    twice: u32,
    delay: u64,
    /// So many crashes and cuts a thousand units.
    trouble: u64,
}

const FAIR: Weather = Weather {
    lost: 0,
    twice: 0,
    delay: 10,
    trouble: 0,
};
const FOUL: Weather = Weather {
    lost: 10,
    twice: 10,
    delay: 50,
    trouble: 3,
};

struct World {
    group: Group,
    weather: Weather,
    rng: Pcg64Mcg,
    now: u64,
    agenda: BTreeMap<(u64, u64), Event>,
    count: u64,
    nodes: Vec<Option<Node<u32>>>,
    disks: Vec<Disk<u32>>,
    /// When each clock was wound last.
    clocks: BTreeMap<(Id, Timer), u64>,
    /// One side of a cut.
    cut: BTreeSet<Id>,
    judge: Judge<u32>,
    asked: u32,
}

impl World {
    fn new(group: Group, weather: Weather, seed: u64) -> World {
        let members = usize::from(group.members);
        let mut world = World {
            group,
            weather,
            rng: Pcg64Mcg::seed_from_u64(seed),
            now: 0,
            agenda: BTreeMap::new(),
            count: 0,
            nodes: vec![None; members],
            disks: vec![Disk::default(); members],
            clocks: BTreeMap::new(),
            cut: BTreeSet::new(),
            judge: Judge::default(),
            asked: 0,
        };
        for id in 1..=members as Id {
            world.boot(id);
        }
        if weather.trouble > 0 {
            world.put(300, Event::Crash);
            world.put(500, Event::Cut);
        }
        world.put(400, Event::Asks);
        world
    }

    fn put(&mut self, after: u64, event: Event) {
        self.count += 1;
        self.agenda.insert((self.now + after, self.count), event);
    }

    fn boot(&mut self, id: Id) {
        let mut out = Out::default();
        let disk = self.disks[at(id)].clone();
        self.nodes[at(id)] = Some(self.group.boot(id, Some(disk), &mut out));
        self.carry(id, out);
    }

    fn crash(&mut self, id: Id) {
        self.nodes[at(id)] = None;
        self.clocks.retain(|(of, _), _| *of != id);
    }

    fn carry(&mut self, from: Id, out: OutOf<Group>) {
        for (to, word) in out.sent {
            let copies = match self.rng.random_range(0..100) {
                n if n < self.weather.lost => 0,
                n if n < self.weather.lost + self.weather.twice => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let delay = self.rng.random_range(1..=self.weather.delay);
                self.put(delay, Event::Arrives(from, to, word.clone()));
            }
        }
        for (timer, wind) in out.wound {
            let after = match wind {
                Wind::Off => None,
                Wind::After(span) => Some(span),
                Wind::Within { least, spread } => Some(least + self.rng.random_range(0..=spread)),
            };
            self.clocks.remove(&(from, timer));
            if let Some(after) = after {
                self.put(after, Event::Rings(from, timer, self.count + 1));
                self.clocks.insert((from, timer), self.count);
            }
        }
    }

    fn node(&mut self, id: Id, act: impl FnOnce(&Group, &mut Node<u32>, &mut OutOf<Group>)) {
        let Some(mut node) = self.nodes[at(id)].take() else {
            return;
        };
        let mut out = Out::default();
        act(&self.group, &mut node, &mut out);
        // What it says it has written is written before anybody hears of it.
        self.disks[at(id)] = self.group.disk(&node);
        self.nodes[at(id)] = Some(node);
        self.carry(id, out);
    }

    fn step(&mut self) -> Result<(), String> {
        let Some(((now, _), event)) = self.agenda.pop_first() else {
            return Ok(());
        };
        self.now = now;
        let mut whom = None;
        match event {
            Event::Arrives(from, to, word) => {
                if self.cut.contains(&from) == self.cut.contains(&to) {
                    self.node(to, |group, node, out| group.hear(node, from, word, out));
                    whom = Some(to);
                }
            }
            Event::Rings(id, timer, wound) => {
                if self.clocks.get(&(id, timer)) == Some(&wound) {
                    self.node(id, |group, node, out| group.ring(node, timer, out));
                    whom = Some(id);
                }
            }
            Event::Crash => {
                let id = self.rng.random_range(1..=self.group.members);
                match self.nodes[at(id)] {
                    Some(_) => self.crash(id),
                    None => self.boot(id),
                }
                let after = self.rng.random_range(1..=1_000 / self.weather.trouble);
                self.put(after, Event::Crash);
            }
            Event::Cut => {
                self.cut.clear();
                for id in 1..=self.group.members {
                    if self.rng.random_range(0..3) == 0 {
                        self.cut.insert(id);
                    }
                }
                let after = self.rng.random_range(1..=4_000 / self.weather.trouble);
                self.put(after, Event::Cut);
            }
            Event::Asks => {
                self.asked += 1;
                let (id, what) = (self.rng.random_range(1..=self.group.members), self.asked);
                self.node(id, |group, node, out| {
                    group.ask(node, what, out);
                });
                whom = Some(id);
                self.put(30, Event::Asks);
            }
        }
        if let Some(node) = whom.and_then(|id| self.nodes[at(id)].as_ref()) {
            self.judge.look(node)?;
        }
        let nodes: Vec<_> = self.nodes.iter().map(Option::as_ref).collect();
        self.group.sound(&nodes)
    }

    fn run(&mut self, until: u64) -> Result<(), String> {
        while self.now < until {
            self.step()
                .map_err(|error| format!("at {}: {error}", self.now))?;
        }
        Ok(())
    }

    fn leaders(&self) -> Vec<Id> {
        let up = self.nodes.iter().flatten();
        let leaders = up.filter(|node| node.role == Role::Leader);
        leaders.map(|node| node.me).collect()
    }
}

/// A group with the settings that this seed chooses.
fn group(seed: u64) -> Group {
    Group {
        pre_vote: seed.is_multiple_of(2),
        check_quorum: seed.is_multiple_of(3),
        ..Group::of([3, 5, 4, 1, 2, 7][seed as usize % 6])
    }
}

#[test]
fn nothing_that_must_hold_breaks_in_foul_weather() {
    let (mut committed, mut terms) = (0, 0);
    let schedules = crate::schedules(300);
    for seed in 0..schedules {
        let mut world = World::new(group(seed), FOUL, seed);
        if let Err(error) = world.run(20_000) {
            panic!("seed {seed}: {error}");
        }
        committed += world.judge.committed().len();
        terms += world.judge.leaders().len();
    }
    // The schedules are such that something happens in them.
    let (entries, terms) = (committed as u64 / schedules, terms as u64 / schedules);
    assert!(entries > 15 && terms > 4, "{entries}, {terms}");
}

#[test]
fn after_foul_weather_somebody_leads_and_everybody_has_the_log() {
    for seed in 0..crate::schedules(100) {
        let mut world = World::new(group(seed), FOUL, seed);
        world.run(5_000).unwrap();
        world.cut.clear();
        world.weather = FAIR;
        world
            .agenda
            .retain(|_, event| !matches!(event, Event::Crash | Event::Cut | Event::Asks));
        for id in 1..=world.group.members {
            if world.nodes[at(id)].is_none() {
                world.boot(id);
            }
        }
        world.run(world.now + 10_000).unwrap();
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "seed {seed}");
        let nodes: Vec<_> = world.nodes.iter().flatten().collect();
        let commits: BTreeSet<Index> = nodes.iter().map(|node| node.commit).collect();
        let logs: BTreeSet<Index> = nodes
            .iter()
            .map(|node| node.disk.log.last().index)
            .collect();
        assert!(
            commits.len() == 1 && commits == logs,
            "seed {seed}: {commits:?}, {logs:?}"
        );
    }
}

/// Whether the judge finds a rule that is left out, in any of so many schedules.
fn is_found(slip: Slip, seeds: u64) -> bool {
    (0..seeds).any(|seed| {
        let group = Group {
            slip: Some(slip),
            ..Group::of(5)
        };
        World::new(group, FOUL, seed).run(20_000).is_err()
    })
}

#[test]
fn each_rule_that_is_left_out_is_missed() {
    for slip in [Slip::VotesTwice, Slip::VotesForShort, Slip::ForgetsVote] {
        assert!(is_found(slip, 200), "{slip:?}");
    }
}

fn entries(terms: &[Term]) -> Log<u32> {
    let entry = |(term, command): (&Term, u32)| Entry {
        term: *term,
        command: Some(command),
    };
    Log::of(terms.iter().zip(1..).map(entry).collect())
}

/// Figure 8 of the paper: a majority has an entry of an older term, and its leader dies.
fn figure_8(slip: Option<Slip>) -> Result<(), String> {
    let group = Group {
        slip,
        ..Group::of(5)
    };
    let (mut judge, mut out) = (Judge::default(), Out::default());
    let mut node = |me: Id, term: Term, terms: &[Term]| {
        let disk = Disk {
            term,
            voted_for: None,
            log: entries(terms),
        };
        group.boot(me, Some(disk), &mut out)
    };
    // S1 wrote entry 2 in term 2 to S2; S5 wrote another in term 3 to itself alone.
    let mut one = node(1, 3, &[1, 2]);
    let mut others = [node(2, 3, &[1, 2]), node(3, 3, &[1])];
    let mut five = node(5, 3, &[1, 3]);
    let mut wins = |node: &mut Node<u32>, term: Term, voters: &[Id]| {
        group.campaign(node, false, &mut out);
        for &from in voters {
            group.voted(node, from, (term, true, false), &mut out);
        }
        assert_eq!((node.role, node.disk.term), (Role::Leader, term));
    };
    // (c) S1 leads term 4; entry 2 reaches S3, the empty entry of term 4 nobody.
    wins(&mut one, 4, &[2, 3]);
    let mut said = Out::default();
    let after = Mark { term: 1, index: 1 };
    let second = &one.disk.log.entries()[1..2].to_vec();
    for node in &mut others {
        group.told(node, 1, (4, after, second, 0), &mut said);
    }
    for (from, (_, word)) in [2, 3].into_iter().zip(said.sent) {
        group.hear(&mut one, from, word, &mut Out::default());
    }
    judge.look(&one)?;
    // (d) S1 dies; S5 wins term 5 with the votes of S2, S3 and S4, and hands on what it has.
    five.disk.term = 4;
    wins(&mut five, 5, &[2, 3]);
    judge.look(&five)?;
    let own = five.disk.log.entries()[1..].to_vec();
    group.told(&mut others[0], 5, (5, after, &own, 3), &mut Out::default());
    judge.look(&others[0])
}

#[test]
fn an_entry_of_an_older_term_does_not_count_for_being_with_a_majority() {
    assert_eq!(figure_8(None), Ok(()));
    assert!(figure_8(Some(Slip::CommitsOlder)).is_err());
}

#[test]
fn who_was_alone_unseats_a_leader_unless_it_asks_first() {
    let terms_after = |pre_vote: bool| {
        let group = Group {
            pre_vote,
            ..Group::of(5)
        };
        let mut world = World::new(group, FAIR, 1);
        world.run(2_000).unwrap();
        let leader = world.leaders()[0];
        let term = world.nodes[at(leader)].as_ref().unwrap().disk.term;
        world.cut.insert(if leader == 5 { 4 } else { 5 });
        world.run(5_000).unwrap();
        world.cut.clear();
        world.run(7_000).unwrap();
        let terms = world.nodes.iter().flatten().map(|node| node.disk.term);
        terms.max().unwrap() - term
    };
    assert_eq!(terms_after(true), 0);
    assert!(terms_after(false) > 8);
}

#[test]
fn equal_clocks_elect_nobody() {
    let group = Group {
        spread: 0,
        ..Group::of(5)
    };
    let mut world = World::new(group, Weather { delay: 1, ..FAIR }, 1);
    world.run(10_000).unwrap();
    assert!(world.judge.leaders().is_empty());
}

#[test]
fn a_leader_without_a_majority_stands_down_where_it_counts() {
    let left = |check_quorum: bool| {
        let group = Group {
            check_quorum,
            ..Group::of(5)
        };
        let mut world = World::new(group, FAIR, 2);
        world.run(2_000).unwrap();
        let leader = world.leaders()[0];
        world.cut.insert(leader);
        world.run(4_000).unwrap();
        world.leaders().contains(&leader)
    };
    assert!(left(false) && !left(true));
}
