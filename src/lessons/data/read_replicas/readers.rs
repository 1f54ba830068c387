//! The readers: what each knows, what each read showed, and whether that was old.

use super::copies::Copies;
use algorithms::replication::{Position, Session};
use engine::Time;
use kit::flow::Recently;
use kit::system::Draw;
use std::collections::{BTreeMap, VecDeque};

/// Users, each with a page of their own.
pub(super) const PEOPLE: usize = 40;
/// Reloads that are remembered.
pub(super) const RELOADS: usize = 40;
/// The flag stays for so long.
const FLAG: Time = Time::ms(250);
/// A read that takes longer is slow.
const SLOW: Time = Time::ms(600);
/// Purposes of draws: whether a read is of one's own page, and else of whose.
const OWN: u64 = 200;
const WHOSE: u64 = 201;

/// The page that a request is about; users write their own, and reload it then.
pub(super) fn page(draw: &Draw, is_read: bool) -> u16 {
    if !is_read || draw.key > 0 || draw.unit(OWN) <= 0.5 {
        return draw.person;
    }
    ((draw.unit(WHOSE) * PEOPLE as f64) as u16).min(PEOPLE as u16 - 1)
}

/// Shares of reads are told over this span.
const LATELY: Time = Time::s(5);

/// A user.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reader {
    pub(super) session: Session,
    /// When the last own write was answered.
    pub(super) answered: Option<Time>,
}

impl Reader {
    /// Whether an own write was answered less than a span ago.
    pub(super) fn wrote_within(&self, span: Time, now: Time) -> bool {
        self.answered.is_some_and(|at| now.since(at) < span)
    }
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    page: u16,
    asked: Time,
    /// Known to the reader when she asked: the position of the last own write, and of what she had seen of this page.
    written: Position,
    before: Position,
    /// The newest answered write of the page then.
    newest: Position,
    /// The position of the write that it reloads; 0 for none.
    reloads: Position,
    /// Of a read, what it sees; of a write, its place in the log.
    position: Option<Position>,
    /// Who answers it, and whether the record that it misses had come there.
    member: usize,
    arrived: bool,
    /// It sees less than her own last write.
    pub(super) misses: bool,
}

/// A read of one's own change that was taken lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub(super) at: Time,
    pub(super) position: Position,
    pub(super) member: usize,
    pub(super) shown: Position,
}

impl Flag {
    pub(super) fn misses(&self) -> bool {
        self.shown < self.position
    }
}

/// What reads showed since something was set or done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) reads: u32,
    pub(super) missing: u32,
    pub(super) back: u32,
    pub(super) stale: u32,
    /// Reads that the primary answered.
    pub(super) at_primary: u32,
    pub(super) writes: u32,
    pub(super) write_time: Time,
}

/// What became of a read or write, to be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Read {
        asked: Time,
        took: Time,
        missing: bool,
        stale: bool,
    },
    Missing {
        number: u32,
        person: u16,
        /// The own write, what was shown instead, by whom, and whether that one had received it.
        position: Position,
        shown: Position,
        member: usize,
        arrived: bool,
    },
    Write {
        asked: Time,
        took: Time,
    },
    /// A read goes to the primary because no replica may be asked.
    FallsBack {
        number: u32,
        why: &'static str,
    },
    Reload {
        person: u16,
        position: Position,
        dice: u64,
    },
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    pub(super) all: Vec<Reader>,
    /// What each has seen of each page, and the newest answered write of each.
    seen: Vec<u32>,
    newest: Vec<Position>,
    flights: BTreeMap<u32, Flight>,
    pub(super) told: Vec<Told>,
    pub(super) tally: Tally,
    /// It counts what was asked since then.
    counted_from: Time,
    /// The last reloads: when they were asked, and whether they missed their write.
    pub(super) reloads: VecDeque<(Time, bool)>,
    pub(super) flag: Option<Flag>,
    /// When a read last missed an own write.
    pub(super) missed: Option<Time>,
    /// About the mean time of a read lately, in seconds, and reads lately that were quick and slow.
    pub(super) read_s: f64,
    pub(super) pace: Recently<2>,
    /// Reads lately, by who answered and whether it was older than the newest answered write: see [`Readers::lately`].
    fresh: Recently<4>,
    /// When a write was last answered.
    pub(super) written: Time,
}

impl Readers {
    pub(super) fn new() -> Readers {
        Readers {
            all: vec![Reader::default(); PEOPLE],
            seen: vec![0; PEOPLE * PEOPLE],
            newest: vec![0; PEOPLE],
            flights: BTreeMap::new(),
            told: Vec::new(),
            tally: Tally::default(),
            counted_from: Time::ZERO,
            reloads: VecDeque::new(),
            flag: None,
            missed: None,
            read_s: 0.0,
            pace: Recently::new(Time::ZERO),
            fresh: Recently::new(Time::ZERO),
            written: Time::ZERO,
        }
    }

    /// Counts anew what is asked from now on.
    pub(super) fn count_from(&mut self, now: Time) {
        self.tally = Tally::default();
        self.counted_from = now;
        self.fresh.restart(now);
    }

    /// Which shares of the reads of the last [`LATELY`] the primary answered, and were stale.
    pub(super) fn lately(&self, now: Time) -> [f64; 2] {
        let share = |kind| self.fresh.share(kind, LATELY, now).unwrap_or(0.0);
        [share(2) + share(3), share(1) + share(3)]
    }

    pub(super) fn reader(&self, person: u16) -> Reader {
        let known = self.all.get(usize::from(person));
        known.copied().unwrap_or_default()
    }

    pub(super) fn flight(&self, number: u32) -> Option<&Flight> {
        self.flights.get(&number)
    }

    /// A user asks.
    pub(super) fn asks(&mut self, number: u32, draw: &Draw, is_read: bool, now: Time) {
        let page = page(draw, is_read);
        let own = self.reader(draw.person).session.written;
        let (who, what) = (usize::from(draw.person), usize::from(page));
        self.flights.insert(
            number,
            Flight {
                page,
                asked: now,
                written: if page == draw.person { own } else { 0 },
                before: Position::from(self.seen[who * PEOPLE + what]),
                newest: self.newest[what],
                reloads: Position::from(draw.key),
                position: None,
                member: 0,
                arrived: false,
                misses: false,
            },
        );
    }

    /// A write has its place in the log.
    pub(super) fn appended(&mut self, number: u32, position: Position) {
        if let Some(flight) = self.flights.get_mut(&number) {
            flight.position = Some(position);
        }
    }

    /// A worker takes a read and sees so much.
    pub(super) fn sees(
        &mut self,
        number: u32,
        member: usize,
        (received, shown): (Position, Position),
        now: Time,
    ) {
        let Some(flight) = self.flights.get_mut(&number) else {
            return;
        };
        flight.position = Some(shown);
        flight.member = member;
        flight.arrived = received >= flight.written;
        flight.misses = shown < flight.written;
        // One that misses is shown before one that does not, and each for long enough to be seen.
        let (position, misses) = (flight.written.max(flight.reloads), flight.misses);
        let stands = |flag: &Flag| {
            let fresh = now.since(flag.at) < FLAG;
            fresh && (flag.misses() || !misses)
        };
        if (flight.reloads > 0 || misses) && !self.flag.as_ref().is_some_and(stands) {
            self.flag = Some(Flag {
                at: now,
                position,
                member,
                shown,
            });
        }
    }

    /// A user has an answer, or has none.
    pub(super) fn over(
        &mut self,
        (number, draw): (u32, &Draw),
        is_read: bool,
        well: bool,
        copies: &Copies,
        now: Time,
    ) {
        let Some(flight) = self.flights.remove(&number) else {
            return;
        };
        let (true, Some(position)) = (well, flight.position) else {
            return;
        };
        let (who, what) = (usize::from(draw.person), usize::from(flight.page));
        let member = flight.member;
        let (asked, took) = (flight.asked, now.since(flight.asked));
        let counts = asked >= self.counted_from;
        if !is_read {
            self.all[who].session.wrote(position);
            self.all[who].answered = Some(now);
            self.newest[what] = self.newest[what].max(position);
            if counts {
                self.tally.writes += 1;
                self.tally.write_time += took;
            }
            self.written = now;
            self.told.push(Told::Write { asked, took });
            let (person, dice) = (draw.person, draw.dice);
            self.told.push(Told::Reload {
                person,
                position,
                dice,
            });
            return;
        }
        self.read_s += (took.as_s() - self.read_s) * 0.02;
        self.pace.add(usize::from(took > SLOW), now);
        let (missing, stale) = (flight.misses, position < flight.newest);
        if counts {
            let primary = member == copies.primary();
            self.fresh
                .add(usize::from(primary) * 2 + usize::from(stale), now);
            self.tally.reads += 1;
            self.tally.at_primary += u32::from(member == copies.primary());
            self.tally.missing += u32::from(missing);
            self.tally.stale += u32::from(stale);
            self.tally.back += u32::from(position < flight.before);
        }
        if flight.reloads > 0 {
            self.reloads.push_back((asked, position < flight.reloads));
            if self.reloads.len() > RELOADS {
                self.reloads.pop_front();
            }
        }
        self.told.push(Told::Read {
            asked,
            took,
            missing,
            stale,
        });
        if missing {
            self.missed = Some(now);
            self.told.push(Told::Missing {
                number,
                person: draw.person,
                position: flight.written,
                shown: position,
                member,
                arrived: flight.arrived,
            });
        }
        self.all[who].session.saw(position);
        if let Some(version) = copies.version(flight.page, position) {
            self.seen[who * PEOPLE + what] = version as u32;
        }
    }

    /// After a failover nobody knows more than there is.
    pub(super) fn truncate(&mut self, head: Position) {
        for reader in &mut self.all {
            reader.session.truncate(head);
        }
        for seen in &mut self.seen {
            *seen = (*seen).min(head as u32);
        }
        for newest in &mut self.newest {
            *newest = (*newest).min(head);
        }
        for flight in self.flights.values_mut() {
            // What it lacks is gone for good, and so no longer missing.
            flight.misses &= flight.written <= head;
            for position in [
                &mut flight.written,
                &mut flight.before,
                &mut flight.newest,
                &mut flight.reloads,
            ] {
                *position = (*position).min(head);
            }
            flight.position = flight.position.map(|position| position.min(head));
        }
        self.flag = self.flag.filter(|flag| flag.position <= head);
    }

    /// Of the last reloads asked since a moment, at most so many: how many there are, and how many missed their write.
    pub(super) fn last_reloads(&self, most: usize, since: Time) -> (usize, usize) {
        let lately = self.reloads.iter().rev().take(most);
        let lately = lately.take_while(|(asked, _)| *asked >= since);
        lately.fold((0, 0), |(all, missed), (_, misses)| {
            (all + 1, missed + usize::from(*misses))
        })
    }
}
