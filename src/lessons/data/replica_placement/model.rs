//! Twelve machines in zones, and what becomes of the data when some of them go.

use super::placer::{COPIES, Copies, Dice, MACHINES, NOBODY, Placer, Plan, arrange, named, set_of};
use super::probe;
use super::settings::{Between, Rule, Settings};
use algorithms::copysets::{Set, fatal_by_chance, set, sets, ways};
use engine::random::{Stream, below};
use engine::tape::{Note, NoteId, Tone};
use engine::{Act, Arg, Context, Model, PartId, Time};
use kit::flow::{Marks, aim};
use std::rc::Rc;

/// All sets of as many machines as a partition has copies.
pub(super) const SETS: PartId = PartId::one("sets");
/// What follows from the placement.
pub(super) const RISKS: PartId = PartId::one("risks");
/// How full each machine is.
pub(super) const LOADS: PartId = PartId::one("loads");

/// A machine's part.
pub(super) const fn machine_part(machine: u8) -> PartId {
    PartId::nth("machine", machine as u16 + 1)
}

/// A zone's part.
pub(super) const fn zone_part(zone: u8) -> PartId {
    PartId::nth("zone", zone as u16 + 1)
}

/// A write is shown each so often, and its copies travel so long.
const WRITES: Time = Time::s(6);
pub(super) const HOP: Time = Time::ms(4_500);
/// A machine takes so long for one partition.
pub(super) const COPYING: Time = Time::s(1);
/// All accidents together are tried in so long.
const TRYING: Time = Time::s(8);
/// The most partitions.
const KEYS: usize = 4_096;

const KEY_SALT: Stream = Stream::named("keys");
const TOKENS: Stream = Stream::named("tokens");
const AIM: Stream = Stream::named("aim");
const SHOWN: Stream = Stream::named("writes");

/// What a learner can do, by number.
pub(super) mod deed {
    pub(crate) const KILL: usize = 0;
    pub(crate) const SEVERAL: usize = 1;
    pub(crate) const DARK: usize = 2;
    pub(crate) const LIGHT: usize = 3;
    pub(crate) const FENCE: usize = 4;
    pub(crate) const ANEW: usize = 5;
    pub(crate) const ADD: usize = 6;
    pub(crate) const EACH: usize = 7;
}

/// How a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    /// Without power: it comes back with all that it has.
    Dark,
    /// For ever.
    Dead,
}

/// One machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) zone: u8,
    pub(super) state: State,
    /// It gets nothing new.
    pub(super) fenced: bool,
    /// Copies being sent and received.
    pub(super) sends: u32,
    pub(super) receives: u32,
    /// Copies that it has sent: whoever sent least sends next.
    sent: u32,
    /// Copies that it is named for.
    pub(super) held: u32,
}

/// A copy that must be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Job {
    partition: u16,
    dead: u8,
    target: u8,
}

/// One that is being made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) number: u32,
    job: Job,
    pub(super) source: u8,
    pub(super) from: Time,
}

impl Transfer {
    pub(super) fn target(&self) -> u8 {
        self.job.target
    }
}

/// From the first death to the last copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repair {
    number: u16,
    from: Time,
    pub(super) parts: u32,
    senders: Set,
    receivers: Set,
    cause: NoteId,
    /// How long it took.
    pub(super) took: Option<Time>,
}

impl Repair {
    pub(super) fn senders(&self) -> u32 {
        self.senders.count_ones()
    }

    pub(super) fn receivers(&self) -> u32 {
        self.receivers.count_ones()
    }
}

/// The write that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    pub(super) number: u32,
    pub(super) partition: usize,
    pub(super) at: Time,
    pub(super) refused: bool,
}

/// Every accident once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    turn: u32,
    /// How many have been tried.
    pub(super) tried: usize,
    pub(super) hits: u32,
    /// Partitions lost, over all of them.
    pub(super) lost: u32,
}

/// What follows from a placement.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outlook {
    /// Sets that hold all copies of something, and all of them.
    pub(super) fatal: u32,
    pub(super) all: u32,
    /// The share of the data of which a zone holds all copies, in the mean.
    pub(super) zone: f64,
    /// About how long the repair of one machine takes, s.
    pub(super) repair_s: f64,
    /// The risk of losing data one machine after another, against placement by chance.
    pub(super) one_by_one: f64,
    /// How long a write waits for other copies in the mean, ms.
    pub(super) write_ms: f64,
    /// The fullest machine against the mean.
    pub(super) fullest: f64,
    /// A machine of the smallest zones against one of the largest; 1 where all are of one size.
    pub(super) small: f64,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The next write is shown, if it is still this turn.
    Write(u32),
    /// A copy has arrived.
    Copied(u32),
    /// The next accident is tried.
    Try(u32),
}

/// The machines and the data on them.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub(super) now: Time,
    pub(super) machines: Vec<Machine>,
    pub(super) zones: u8,
    placer: Rc<Placer>,
    /// Where each partition lies on the ring.
    keys: Rc<[u32]>,
    salt: u64,
    round: u64,
    /// The knobs that the placement follows.
    laid: Option<Settings>,
    pub(super) placed: Vec<Copies>,
    /// How many partitions each set of machines has to itself, by set.
    pub(super) counts: Vec<u16>,
    pub(super) outlook: Outlook,
    plan: Plan,
    jobs: Vec<Job>,
    pub(super) running: Vec<Transfer>,
    pub(super) repair: Option<Repair>,
    pub(super) write: Option<Write>,
    pub(super) trial: Option<Trial>,
    turn: u32,
    numbers: u32,
    repairs: u16,
    /// Partitions of which no copy is left.
    pub(super) lost: u32,
    /// Partitions without a live copy, and without a majority.
    pub(super) gone: u32,
    pub(super) stuck: u32,
    /// The zone without power.
    pub(super) dark: Option<u8>,
    darkness: u16,
    /// Why it is as it is: the placement.
    cause: NoteId,
    refusals: Marks,
    /// Zones that went dark and left a majority of everything.
    pub(super) survived: u8,
    /// Sets that died at once since the rule changed, and how many of them took data.
    pub(super) accidents: (u32, u32),
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Fleet {
    fn is(&self, machine: u8, state: State) -> bool {
        self.machines
            .get(usize::from(machine))
            .is_some_and(|one| one.state == state)
    }

    /// How many live copies a partition has.
    pub(super) fn live(&self, partition: usize) -> usize {
        let copies = self.placed.get(partition);
        copies.map_or(0, |copies| {
            named(copies).filter(|one| self.is(*one, State::Up)).count()
        })
    }

    /// Who leads a partition: the first that lives.
    pub(super) fn leader(&self, partition: usize) -> Option<u8> {
        named(self.placed.get(partition)?).find(|one| self.is(*one, State::Up))
    }

    pub(super) fn rule(&self) -> Rule {
        self.placer.rule
    }

    /// How many copies each partition has.
    pub(super) fn copies(&self) -> usize {
        self.placer.copies
    }

    /// The machines that are dead or dark.
    pub(super) fn out(&self) -> Set {
        let out = (0..)
            .zip(&self.machines)
            .filter(|(_, one)| one.state != State::Up);
        set(out.map(|(machine, _)| machine))
    }

    pub(super) fn key(&self, partition: usize) -> u32 {
        self.keys.get(partition).copied().unwrap_or(0)
    }

    /// Partitions that are to have another copy.
    pub(super) fn short(&self) -> usize {
        self.jobs.len() + self.running.len()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.machines.iter().any(|one| one.state == State::Dead)
    }

    /// Whether nothing has happened since everything was placed.
    fn is_fresh(&self) -> bool {
        self.out() == 0
    }

    /// The knobs that the placement follows are these.
    pub(super) fn laid(&self) -> Option<&Settings> {
        self.laid.as_ref()
    }

    /// Places everything by the knobs, on machines that all live.
    fn lay(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let same = self
            .laid
            .as_ref()
            .is_some_and(|laid| (laid.zones, laid.alternate) == (knobs.zones, knobs.alternate));
        if !same {
            let zones = arrange(knobs.zones.0, knobs.alternate, self.salt);
            let fresh = |zone| Machine {
                zone,
                state: State::Up,
                fenced: false,
                sends: 0,
                receives: 0,
                sent: 0,
                held: 0,
            };
            self.machines = zones.into_iter().map(fresh).collect();
            self.zones = knobs.zones.0.len() as u8;
        }
        for one in &mut self.machines {
            (one.state, one.held) = (State::Up, 0);
            (one.sends, one.receives, one.sent) = (0, 0, 0);
        }
        self.jobs.clear();
        self.running.clear();
        if let Some(repair) = self.repair.take().filter(|repair| repair.took.is_none()) {
            cx.say(
                Note::new("given-up")
                    .about(SETS)
                    .ends("repair", repair.number),
            );
        }
        self.light(cx);
        (self.trial, self.lost) = (None, 0);
        let zones: Vec<u8> = self.machines.iter().map(|one| one.zone).collect();
        let fenced: Vec<bool> = self.machines.iter().map(|one| one.fenced).collect();
        let salt = self.salt ^ (self.round << 8);
        self.placer = Rc::new(Placer::new(knobs, &zones, &fenced, salt));
        self.plan = Plan::new(salt);
        self.placed = self
            .placer
            .place(&self.keys[..(knobs.partitions as usize).min(KEYS)]);
        self.counts = vec![0; 1 << self.machines.len()];
        for copies in &self.placed {
            self.counts[usize::from(set_of(copies))] += 1;
            for one in named(copies) {
                self.machines[usize::from(one)].held += 1;
            }
        }
        self.laid = Some(knobs.clone());
        self.look_ahead(knobs);
        let word = match knobs.rule {
            Rule::Clockwise => "placed-clockwise",
            Rule::Zones => "placed-zones",
            Rule::Striped => "placed-striped",
            Rule::Hdfs => "placed-hdfs",
            Rule::Chance => "placed-chance",
            Rule::Copysets => "placed-copysets",
        };
        let note = Note::new(word)
            .with(Arg::Count(self.placed.len() as i64))
            .with(Arg::Count(i64::from(self.outlook.fatal)))
            .with(Arg::Count(i64::from(self.outlook.all)));
        self.cause = cx.say(note.about(SETS).mark(Tone::Plain));
        for (number, one) in (0..).zip(&self.machines) {
            cx.because(self.cause);
            let note = Note::new("holds").with(Arg::Part(machine_part(number)));
            let note = note.with(Arg::Count(i64::from(one.held)));
            cx.say(
                note.with(Arg::Part(zone_part(one.zone)))
                    .about(machine_part(number)),
            );
        }
        for zone in 0..self.zones {
            cx.because(self.cause);
            let there = self.machines.iter().filter(|one| one.zone == zone).count();
            let note = Note::new("stands").with(Arg::Part(zone_part(zone)));
            cx.say(note.with(Arg::Count(there as i64)).about(zone_part(zone)));
        }
        self.count(knobs);
        cx.because(self.cause);
        self.next_write(knobs, cx);
        self.sample(cx);
    }

    /// What follows from the placement as it is.
    fn look_ahead(&mut self, knobs: &Settings) {
        let (n, copies) = (self.machines.len(), self.copies());
        let parts = self.placed.len().max(1) as f64;
        let fatal = self.fatal();
        let all = ways(n as u32, copies as u32);
        let one_zone = |copies: &&Copies| {
            let mut zones = named(copies).map(|one| self.machines[usize::from(one)].zone);
            let first = zones.next();
            zones.all(|zone| Some(zone) == first)
        };
        let together = self.placed.iter().filter(one_zone).count() as f64;
        let needs = copies / 2;
        let far = |copies: &&Copies| {
            let zone = |one: u8| self.machines[usize::from(one)].zone;
            let near = named(copies)
                .skip(1)
                .filter(|one| zone(*one) == zone(copies[0]));
            near.count() < needs
        };
        let waits = self.placed.iter().filter(far).count() as f64 / parts;
        let mean = parts * copies as f64 / n as f64;
        let most = self.machines.iter().map(|one| one.held).max().unwrap_or(0);
        let sizes: Vec<usize> = (0..self.zones)
            .map(|zone| self.machines.iter().filter(|one| one.zone == zone).count())
            .collect();
        let (least, largest) = (sizes.iter().min().copied(), sizes.iter().max().copied());
        let fill = |size: Option<usize>| {
            let there = self
                .machines
                .iter()
                .filter(|one| Some(sizes[usize::from(one.zone)]) == size);
            let held: Vec<f64> = there.map(|one| f64::from(one.held)).collect();
            held.iter().sum::<f64>() / held.len().max(1) as f64
        };
        let repair_s = self.forecast(knobs);
        let by_chance = mean / (n as f64 - 1.0) / f64::from(knobs.streams);
        let risk = |fatal: f64, repair_s: f64| fatal * repair_s * repair_s;
        let chance = risk(fatal_by_chance(all, parts), by_chance);
        self.outlook = Outlook {
            fatal,
            all: all as u32,
            zone: together / parts / f64::from(self.zones.max(1)),
            repair_s,
            one_by_one: risk(f64::from(fatal), repair_s) / chance,
            write_ms: waits * knobs.between.ms(),
            fullest: f64::from(most) / mean,
            small: fill(least) / fill(largest).max(1e-9),
        };
    }

    /// Sets that have a partition to themselves.
    pub(super) fn fatal(&self) -> u32 {
        self.counts.iter().filter(|count| **count > 0).count() as u32
    }

    /// How long the repair of a machine takes in the mean, by who would send and receive: s.
    fn forecast(&self, knobs: &Settings) -> f64 {
        let n = self.machines.len();
        // A quarter of many partitions tells as much as all.
        let stride = (self.placed.len() / 1_024).max(1);
        let mut whole = 0.0;
        for dead in 0..n as u8 {
            let mut plan = Plan::new(u64::from(dead));
            let up: Vec<bool> = (0..n).map(|one| one != usize::from(dead)).collect();
            let (mut parts, mut senders) = (0_u32, 0);
            for (partition, copies) in self.placed.iter().enumerate().step_by(stride) {
                if !named(copies).any(|one| one == dead) {
                    continue;
                }
                let held: Vec<u8> = named(copies).filter(|one| *one != dead).collect();
                if held.is_empty() {
                    continue;
                }
                let found = self
                    .placer
                    .instead(self.keys[partition], &held, &up, &mut plan);
                if let Some(target) = found {
                    plan.due[usize::from(target)] += 1;
                    senders |= set(held);
                    parts += 1;
                }
            }
            let most = plan.due.iter().max().copied().unwrap_or(0);
            let each = parts.div_ceil(senders.count_ones().max(1));
            whole += f64::from(most.max(each)) * stride as f64;
        }
        whole / n as f64 / f64::from(knobs.streams)
    }

    /// Counts what is out of reach.
    fn count(&mut self, knobs: &Settings) {
        (self.gone, self.stuck) = (0, 0);
        for partition in 0..self.placed.len() {
            let live = self.live(partition);
            self.gone += u32::from(live == 0);
            self.stuck += u32::from(live < knobs.majority());
        }
    }

    fn sample(&self, cx: Cx<'_, '_>) {
        cx.sample(probe::SHORT, self.short() as f64);
        cx.sample(probe::FATAL, f64::from(self.fatal()));
        cx.sample(probe::STUCK, f64::from(self.stuck));
    }

    /// A write to a partition: to one that cannot be written while there is any.
    fn next_write(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.turn += 1;
        cx.schedule(WRITES, Event::Write(self.turn));
        if self.short() > 0 || self.trial.is_some_and(|trial| trial.tried < self.sets()) {
            self.write = None;
            return;
        }
        let stuck: Vec<usize> = (0..self.placed.len())
            .filter(|partition| self.stuck > 0 && self.live(*partition) < knobs.majority())
            .collect();
        let partition = match stuck.len() {
            0 => below(cx.random(SHOWN), self.placed.len()),
            some => stuck[below(cx.random(SHOWN), some)],
        };
        let leader = self.leader(partition);
        let first = self.placed[partition][0];
        self.numbers += 1;
        let refused = self.stuck > 0;
        self.write = Some(Write {
            number: self.numbers,
            partition,
            at: cx.now(),
            refused,
        });
        let note = Note::new(if refused { "refused" } else { "written" });
        let note = note.with(Arg::Count(partition as i64 + 1));
        let part = machine_part(leader.unwrap_or(first));
        let note = note
            .with(Arg::Count(self.live(partition) as i64))
            .with(Arg::Part(part));
        let note = note.about(part).dot(self.numbers);
        cx.say(match refused && self.refusals.due(cx.now()) {
            true => note.mark(Tone::Bad),
            false => note,
        });
    }

    /// Machines die for ever.
    fn die(&mut self, dead: &[u8], knobs: &Settings, cx: Cx<'_, '_>) {
        let fresh = self.is_fresh();
        let cause = cx.cause();
        for one in dead {
            self.machines[usize::from(*one)].state = State::Dead;
        }
        // What was on its way from or to them stops, and begins again with others.
        let stops = |transfer: &Transfer| {
            dead.contains(&transfer.source) || dead.contains(&transfer.job.target)
        };
        for transfer in self.running.clone().iter().filter(|one| stops(one)) {
            self.stop(transfer.number);
            self.jobs.push(transfer.job);
        }
        self.jobs.retain(|job| !dead.contains(&job.target));
        let before = self.lost;
        self.lost += self.lost_with(dead);
        let lost = self.lost - before;
        let (added, number) = self.find_places(cause, cx);
        let one = dead.first().copied().unwrap_or(0);
        let mut note = match dead {
            [one] => Note::new("dies")
                .with(Arg::Part(machine_part(*one)))
                .with(Arg::Count(added as i64)),
            _ if lost > 0 => Note::new("lost")
                .with(Arg::Count(dead.len() as i64))
                .with(Arg::Count(i64::from(lost))),
            _ => Note::new("spared").with(Arg::Count(dead.len() as i64)),
        };
        if number > 0 {
            note = note.begins("repair", number);
        }
        let part = if dead.len() == 1 {
            machine_part(one)
        } else {
            SETS
        };
        let cause = cx.say(note.about(part).mark(Tone::Bad));
        for other in dead.iter().filter(|_| dead.len() > 1) {
            cx.because(cause);
            let note = Note::new("dies-too").with(Arg::Part(machine_part(*other)));
            cx.say(note.about(machine_part(*other)));
        }
        if dead.len() == 1 && lost > 0 {
            cx.because(cause);
            let note = Note::new("lost-last").with(Arg::Count(i64::from(lost)));
            cx.say(note.about(SETS).mark(Tone::Bad));
        }
        if let Some(repair) = &mut self.repair {
            repair.cause = cause;
        }
        if dead.len() == self.copies() && fresh {
            self.accidents.0 += 1;
            self.accidents.1 += u32::from(lost > 0);
        }
        (self.write, self.trial) = (None, None);
        cx.because(cause);
        self.copy(knobs, cx);
        self.count(knobs);
        if self.jobs.is_empty() && self.running.is_empty() {
            self.next_write(knobs, cx);
        }
    }

    /// Partitions of which the last copies went with these; nobody can copy them any more.
    fn lost_with(&mut self, dead: &[u8]) -> u32 {
        let gone = |copies: &Copies| named(copies).all(|one| self.is(one, State::Dead));
        let now = |copies: &Copies| named(copies).any(|one| dead.contains(&one));
        let lost = self
            .placed
            .iter()
            .filter(|copies| gone(copies) && now(copies));
        let lost = lost.count() as u32;
        let left: Vec<Job> = (self.jobs.iter().copied())
            .filter(|job| !gone(&self.placed[usize::from(job.partition)]))
            .collect();
        self.jobs = left;
        lost
    }

    /// Finds a place for every copy that is missing: how many were found, and the number of the repair if one begins.
    fn find_places(&mut self, cause: NoteId, cx: Cx<'_, '_>) -> (usize, u16) {
        let up: Vec<bool> = self
            .machines
            .iter()
            .map(|one| one.state == State::Up && !one.fenced)
            .collect();
        let before = self.jobs.len();
        self.plan.due = [0; MACHINES];
        for job in self
            .jobs
            .iter()
            .chain(self.running.iter().map(|one| &one.job))
        {
            self.plan.due[usize::from(job.target)] += 1;
        }
        // What is known of each partition already, so that none is looked for in a long list.
        let mut known: Vec<Job> = self.jobs.clone();
        known.extend(self.running.iter().map(|one| one.job));
        known.sort_unstable_by_key(|job| job.partition);
        for partition in 0..self.placed.len() {
            let copies = self.placed[partition];
            let dead = |one: &u8| self.is(*one, State::Dead);
            let missing: Vec<u8> = named(&copies).filter(dead).collect();
            let mut held: Vec<u8> = named(&copies).filter(|one| !dead(one)).collect();
            if missing.is_empty() || held.is_empty() {
                continue;
            }
            let from = known.partition_point(|job| usize::from(job.partition) < partition);
            let mine = known[from..]
                .iter()
                .take_while(|job| usize::from(job.partition) == partition);
            let mine: Vec<Job> = mine.copied().collect();
            held.extend(mine.iter().map(|job| job.target));
            for one in missing {
                if mine.iter().any(|job| job.dead == one) {
                    continue;
                }
                let found = self
                    .placer
                    .instead(self.keys[partition], &held, &up, &mut self.plan);
                if let Some(target) = found {
                    self.plan.due[usize::from(target)] += 1;
                    held.push(target);
                    self.jobs.push(Job {
                        partition: partition as u16,
                        dead: one,
                        target,
                    });
                }
            }
        }
        let added = self.jobs.len() - before;
        let mut number = 0;
        if !self.jobs.is_empty() && self.repair.is_none_or(|repair| repair.took.is_some()) {
            self.repairs += 1;
            number = self.repairs;
            self.repair = Some(Repair {
                number,
                from: cx.now(),
                parts: 0,
                senders: 0,
                receivers: 0,
                cause,
                took: None,
            });
        }
        if let Some(repair) = self.repair.as_mut().filter(|repair| repair.took.is_none()) {
            repair.parts += added as u32;
        }
        (added, number)
    }

    /// Finds places again, where there were none.
    fn resume(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let (added, number) = self.find_places(cause, cx);
        if number > 0 {
            let note = Note::new("resumes").with(Arg::Count(added as i64));
            let cause = cx.say(note.about(SETS).mark(Tone::Plain).begins("repair", number));
            if let Some(repair) = &mut self.repair {
                repair.cause = cause;
            }
        }
        self.copy(knobs, cx);
    }

    /// Starts whatever can be sent and received now.
    fn copy(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut waiting = Vec::with_capacity(self.jobs.len());
        for job in std::mem::take(&mut self.jobs) {
            let free = |count: u32| count < knobs.streams;
            let target = &self.machines[usize::from(job.target)];
            let takes = target.state == State::Up && free(target.receives);
            let holders = named(&self.placed[usize::from(job.partition)]);
            let source = holders
                .filter(|_| takes)
                .filter(|one| {
                    self.is(*one, State::Up) && free(self.machines[usize::from(*one)].sends)
                })
                .min_by_key(|one| {
                    let one = &self.machines[usize::from(*one)];
                    (one.sends, one.sent)
                });
            let Some(source) = source else {
                waiting.push(job);
                continue;
            };
            self.machines[usize::from(source)].sends += 1;
            self.machines[usize::from(source)].sent += 1;
            self.machines[usize::from(job.target)].receives += 1;
            self.numbers += 1;
            self.running.push(Transfer {
                number: self.numbers,
                job,
                source,
                from: cx.now(),
            });
            if let Some(repair) = &mut self.repair {
                repair.senders |= set([source]);
                repair.receivers |= set([job.target]);
                cx.because(repair.cause);
            }
            let note = Note::new("sends")
                .with(Arg::Part(machine_part(source)))
                .with(Arg::Count(i64::from(job.partition) + 1))
                .with(Arg::Part(machine_part(job.target)));
            cx.say(note.about(machine_part(job.target)).dot(self.numbers));
            cx.schedule(COPYING, Event::Copied(self.numbers));
        }
        self.jobs = waiting;
    }

    /// A transfer is over, done or not.
    fn stop(&mut self, number: u32) -> Option<Transfer> {
        let place = self.running.iter().position(|one| one.number == number)?;
        let transfer = self.running.remove(place);
        self.machines[usize::from(transfer.source)].sends -= 1;
        self.machines[usize::from(transfer.job.target)].receives -= 1;
        Some(transfer)
    }

    fn copied(&mut self, number: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(Transfer { job, .. }) = self.stop(number) else {
            return;
        };
        let copies = &mut self.placed[usize::from(job.partition)];
        self.counts[usize::from(set_of(copies))] -= 1;
        for copy in copies.iter_mut().filter(|copy| **copy == job.dead) {
            *copy = job.target;
        }
        self.counts[usize::from(set_of(copies))] += 1;
        self.machines[usize::from(job.dead)].held -= 1;
        self.machines[usize::from(job.target)].held += 1;
        let due = &mut self.plan.due[usize::from(job.target)];
        *due = due.saturating_sub(1);
        cx.sample(probe::COPIED, 1.0);
        self.copy(knobs, cx);
        if self.jobs.is_empty() && self.running.is_empty() {
            self.repaired(knobs, cx);
        }
    }

    fn repaired(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(repair) = self.repair.as_mut().filter(|repair| repair.took.is_none()) else {
            return;
        };
        let took = cx.now().since(repair.from);
        repair.took = Some(took);
        let note = Note::new("repaired")
            .with(Arg::Span(took))
            .with(Arg::Count(i64::from(repair.senders())))
            .with(Arg::Count(i64::from(repair.receivers())));
        cx.because(repair.cause);
        cx.say(
            note.about(SETS)
                .mark(Tone::Ok)
                .ends("repair", repair.number),
        );
        self.count(knobs);
        self.next_write(knobs, cx);
    }

    fn darken(&mut self, zone: u8, knobs: &Settings, cx: Cx<'_, '_>) {
        for one in self.machines.iter_mut().filter(|one| one.zone == zone) {
            if one.state == State::Up {
                one.state = State::Dark;
            }
        }
        for transfer in self.running.clone() {
            let out = |one: u8| self.is(one, State::Dark);
            if out(transfer.source) || out(transfer.job.target) {
                self.stop(transfer.number);
                self.jobs.push(transfer.job);
            }
        }
        self.dark = Some(zone);
        self.darkness += 1;
        self.count(knobs);
        let all = self.placed.len().max(1) as f64;
        let share = |count: u32| Arg::Share((f64::from(count) / all * 1_000.0).round() / 1_000.0);
        let note = Note::new("dark")
            .with(Arg::Part(zone_part(zone)))
            .with(share(self.gone))
            .with(share(self.stuck));
        let cause = cx.say(
            note.about(zone_part(zone))
                .mark(Tone::Bad)
                .begins("dark", self.darkness),
        );
        for number in 0..self.machines.len() as u8 {
            if self.machines[usize::from(number)].zone == zone {
                cx.because(cause);
                let note = Note::new("no-power").with(Arg::Part(machine_part(number)));
                cx.say(
                    note.with(Arg::Part(zone_part(zone)))
                        .about(machine_part(number)),
                );
            }
        }
        if self.stuck == 0 {
            self.survived |= 1 << zone;
        }
        cx.because(cause);
        self.copy(knobs, cx);
        self.next_write(knobs, cx);
    }

    /// The power is back, with all that was there.
    fn light(&mut self, cx: Cx<'_, '_>) {
        let Some(zone) = self.dark.take() else { return };
        for one in self
            .machines
            .iter_mut()
            .filter(|one| one.state == State::Dark)
        {
            one.state = State::Up;
        }
        let note = Note::new("light").with(Arg::Part(zone_part(zone)));
        let cause = cx.say(
            note.about(zone_part(zone))
                .mark(Tone::Ok)
                .ends("dark", self.darkness),
        );
        for number in 0..self.machines.len() as u8 {
            if self.machines[usize::from(number)].zone == zone && self.is(number, State::Up) {
                cx.because(cause);
                let note = Note::new("powered").with(Arg::Part(machine_part(number)));
                cx.say(note.about(machine_part(number)));
            }
        }
        cx.because(cause);
    }

    /// A random set of as many machines as there are copies dies.
    fn several(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let mut up: Vec<u8> = (0..self.machines.len() as u8)
            .filter(|one| self.is(*one, State::Up))
            .collect();
        let copies = self.copies().min(up.len());
        for at in 0..copies {
            let other = at + below(cx.random(AIM), up.len() - at);
            up.swap(at, other);
        }
        up.truncate(copies);
        up.sort_unstable();
        self.die(&up, knobs, cx);
    }

    /// All sets, in the order of the matrix.
    pub(super) fn all_sets(&self) -> Vec<Set> {
        sets(self.machines.len() as u8, self.copies() as u8)
    }

    pub(super) fn sets(&self) -> usize {
        self.outlook.all as usize
    }

    fn attempt(&mut self, turn: u32, cx: Cx<'_, '_>) {
        let all = self.all_sets();
        let Some(trial) = self.trial.as_mut().filter(|trial| trial.turn == turn) else {
            return;
        };
        let Some(next) = all.get(trial.tried) else {
            return;
        };
        let takes = self.counts[usize::from(*next)];
        trial.tried += 1;
        trial.hits += u32::from(takes > 0);
        trial.lost += u32::from(takes);
        if trial.tried < all.len() {
            cx.schedule(Time(TRYING.0 / all.len() as u64), Event::Try(turn));
            return;
        }
        let note = Note::new("tried")
            .with(Arg::Count(all.len() as i64))
            .with(Arg::Count(i64::from(trial.hits)))
            .with(Arg::Count(i64::from(trial.lost)));
        cx.say(note.about(SETS).mark(Tone::Ok));
    }
}

impl Model for Fleet {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Fleet {
        let mut salt = |stream| below(cx.random(stream), 1 << 31) as u64;
        let (keys, tokens) = (salt(KEY_SALT), salt(TOKENS));
        let mut dice = Dice(keys);
        let keys: Rc<[u32]> = (0..KEYS).map(|_| dice.bits()).collect();
        let mut fleet = Fleet {
            now: cx.now(),
            machines: Vec::new(),
            zones: 0,
            placer: Rc::new(Placer::new(knobs, &[0; MACHINES], &[false; MACHINES], 0)),
            keys,
            salt: tokens,
            round: 0,
            laid: None,
            placed: Vec::new(),
            counts: Vec::new(),
            outlook: Outlook::default(),
            plan: Plan::new(0),
            jobs: Vec::new(),
            running: Vec::new(),
            repair: None,
            write: None,
            trial: None,
            turn: 0,
            numbers: 0,
            repairs: 0,
            lost: 0,
            gone: 0,
            stuck: 0,
            dark: None,
            darkness: 0,
            cause: NoteId::NONE,
            refusals: Marks::default(),
            survived: 0,
            accidents: (0, 0),
        };
        fleet.lay(knobs, cx);
        fleet
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Write(turn) if turn == self.turn => {
                cx.because(self.cause);
                self.next_write(knobs, cx);
            }
            Event::Write(_) => {}
            Event::Copied(number) => self.copied(number, knobs, cx),
            Event::Try(turn) => self.attempt(turn, cx),
        }
        self.sample(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let places = |knobs: &Settings| Settings {
            between: Between::Racks,
            streams: 1,
            ..knobs.clone()
        };
        if self.laid.as_ref().map(places) == Some(places(knobs)) {
            self.laid = Some(knobs.clone());
            self.look_ahead(knobs);
            self.copy(knobs, cx);
        } else {
            (self.survived, self.accidents) = (0, (0, 0));
            self.lay(knobs, cx);
        }
        self.sample(cx);
    }

    fn can(&self, act: Act) -> bool {
        let there = self.machines.get(act.target);
        let up = self
            .machines
            .iter()
            .filter(|one| one.state == State::Up)
            .count();
        match act.spec {
            deed::KILL => there.is_some_and(|one| one.state == State::Up),
            deed::SEVERAL => up >= self.copies(),
            deed::DARK => {
                let mut there = self
                    .machines
                    .iter()
                    .filter(|one| usize::from(one.zone) == act.target);
                self.dark.is_none() && there.any(|one| one.state == State::Up)
            }
            deed::LIGHT => self.dark.is_some(),
            deed::FENCE => there.is_some_and(|one| {
                // Somebody must be left to lead.
                one.fenced || self.machines.iter().filter(|one| !one.fenced).count() > 1
            }),
            deed::ADD => self.machines.len() < MACHINES,
            deed::EACH => self.trial.is_none_or(|trial| trial.tried >= self.sets()),
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let can = |target| self.can(Act { spec, target });
        match spec {
            deed::DARK => aim(1, usize::from(self.zones), can),
            _ => aim(3, self.machines.len(), can),
        }
    }

    fn on_action(&mut self, act: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match act.spec {
            deed::KILL => self.die(&[act.target as u8], knobs, cx),
            deed::SEVERAL => self.several(knobs, cx),
            deed::DARK => self.darken(act.target as u8, knobs, cx),
            deed::LIGHT => {
                self.light(cx);
                self.count(knobs);
                self.resume(knobs, cx);
                self.next_write(knobs, cx);
            }
            deed::FENCE => {
                let one = &mut self.machines[act.target];
                one.fenced = !one.fenced;
                let part = machine_part(act.target as u8);
                let note = Note::new(if one.fenced { "fenced" } else { "unfenced" });
                cx.say(note.with(Arg::Part(part)).about(part).mark(Tone::Learner));
                self.resume(knobs, cx);
            }
            deed::ADD => {
                let size = |zone: &u8| self.machines.iter().filter(|one| one.zone == *zone).count();
                let zone = (0..self.zones).min_by_key(size).unwrap_or(0);
                let part = machine_part(self.machines.len() as u8);
                self.machines.push(Machine {
                    zone,
                    state: State::Up,
                    fenced: false,
                    sends: 0,
                    receives: 0,
                    sent: 0,
                    held: 0,
                });
                // The placer knows all machines by number, so it learns of the new one at once, and moves nothing.
                self.counts.resize(1 << self.machines.len(), 0);
                self.placer = Rc::new(Placer::new(
                    knobs,
                    &self.machines.iter().map(|one| one.zone).collect::<Vec<_>>(),
                    &self
                        .machines
                        .iter()
                        .map(|one| one.fenced)
                        .collect::<Vec<_>>(),
                    self.salt ^ (self.round << 8),
                ));
                self.trial = None;
                self.look_ahead(knobs);
                let note = Note::new("added")
                    .with(Arg::Part(part))
                    .with(Arg::Part(zone_part(zone)));
                cx.say(note.about(part).mark(Tone::Learner));
                self.resume(knobs, cx);
            }
            deed::EACH => {
                self.turn += 1;
                self.write = None;
                self.trial = Some(Trial {
                    turn: self.turn,
                    tried: 0,
                    hits: 0,
                    lost: 0,
                });
                let note = Note::new("tries").with(Arg::Count(self.sets() as i64));
                let cause = cx.say(note.about(SETS).mark(Tone::Learner));
                self.attempt(self.turn, cx);
                cx.because(cause);
                self.turn += 1;
                cx.schedule(WRITES, Event::Write(self.turn));
            }
            deed::ANEW => {
                self.round += 1;
                cx.say(Note::new("anew").about(SETS).mark(Tone::Learner));
                self.lay(knobs, cx);
            }
            _ => {}
        }
        self.sample(cx);
    }

    fn bytes(&self) -> usize {
        self.placed.len() * COPIES + self.counts.len() * 2 + self.jobs.len() * size_of::<Job>()
    }

    fn audit(&self) -> Result<(), String> {
        let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        let held: u32 = self.machines.iter().map(|one| one.held).sum();
        check(
            held as usize == self.placed.len() * self.copies(),
            "copies were lost or made up",
        )?;
        let mut counts = vec![0_u16; self.counts.len()];
        for copies in &self.placed {
            let machines = set_of(copies);
            check(
                machines.count_ones() as usize == self.copies(),
                "two copies are on one machine",
            )?;
            counts[usize::from(machines)] += 1;
        }
        check(
            counts == self.counts,
            "the sets are not those of the placement",
        )?;
        for (number, one) in (0..).zip(&self.machines) {
            let sends = self
                .running
                .iter()
                .filter(|transfer| transfer.source == number)
                .count();
            let receives = self
                .running
                .iter()
                .filter(|transfer| transfer.job.target == number)
                .count();
            check(
                (one.sends, one.receives) == (sends as u32, receives as u32),
                "a machine sends or receives what is not on its way",
            )?;
            check(
                one.state == State::Up || sends + receives == 0,
                "who is out sends or receives",
            )?;
        }
        if !self.is_dead() || self.short() == 0 {
            // Whoever could be given a copy has one.
            for (partition, copies) in self.placed.iter().enumerate() {
                let dead = named(copies)
                    .filter(|one| self.is(*one, State::Dead))
                    .count();
                let up = self
                    .machines
                    .iter()
                    .filter(|one| one.state == State::Up && !one.fenced)
                    .count();
                check(
                    dead == 0 || dead == self.copies() || up < self.copies() || self.dark.is_some(),
                    &format!("partition {partition} is short and nobody copies it"),
                )?;
            }
        }
        if self.is_fresh() && self.placer.rule.spreads() {
            let zones = usize::from(self.zones).min(self.copies());
            let fenced = self.machines.iter().any(|one| one.fenced);
            for copies in self.placed.iter().filter(|_| !fenced) {
                let there = named(copies).fold(0_u8, |there, one| {
                    there | 1 << self.machines[usize::from(one)].zone
                });
                check(
                    there.count_ones() as usize >= zones,
                    "a zone has two copies while another has none",
                )?;
            }
        }
        check(
            !self
                .placed
                .iter()
                .flatten()
                .any(|one| *one != NOBODY && usize::from(*one) >= self.machines.len()),
            "a copy is nowhere",
        )
    }
}
