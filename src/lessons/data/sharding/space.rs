//! The key space: which piece a row belongs to, who is asked for what, and where the work lands.

use super::{CUSTOMERS, IMPORT, READ, TODAY, WRITE};
use algorithms::hash_slots::{SLOTS, slot_of};
use algorithms::shard_map::{ShardMap, median, salted};
use engine::Time;
use kit::flow::Recently;
use kit::system::Values;
use std::collections::VecDeque;

/// The customer that may become a celebrity, counted from 0: cust42.
pub(super) const CELEBRITY: u16 = 41;
/// A day, in simulated time.
pub(super) const DAY: Time = Time::s(10);
/// Pieces of the space of slots.
const CHUNKS: u64 = 32;
/// Ranges that dates begin with, at least.
const RANGES: usize = 4;
/// The date at time zero of the model's clock: what was ordered before has a date as well.
pub(super) const NEW_YEAR: u64 = 400_000_000;
/// Orders that are there from the beginning, from this date on.
const HISTORY: (u64, u64) = (180, 100_000_000);
/// Older orders than the last so many are archived: nobody asks for them here.
const KEPT: usize = 600;
/// Imported orders are so far apart; their year ends where the history begins.
const IMPORTED: (u64, u64) = (200_000, 500);
/// Requests are followed for so long.
const FOLLOWED: Time = Time::s(60);
/// Heat is what was asked within this span.
pub(super) const LATELY: Time = Time::s(3);

/// What a row's place in the key space follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Date,
    Customer,
    Order,
    Salt,
}

/// The knobs as the lesson reads them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    pub(super) by: By,
    pub(super) shards: usize,
    pub(super) load: f64,
    pub(super) today: f64,
    pub(super) reads: f64,
    pub(super) celebrity: f64,
    pub(super) splits: bool,
    pub(super) salts: u32,
    pub(super) copies: u32,
    pub(super) operation: Time,
    pub(super) slow: f64,
    pub(super) rows_max: usize,
}

impl Rules {
    pub(super) fn of(knobs: &Values) -> Rules {
        let share = |id| knobs.get(id) / 100.0;
        Rules {
            by: match knobs.whole("by") {
                0 => By::Date,
                1 => By::Customer,
                2 => By::Order,
                _ => By::Salt,
            },
            shards: knobs.whole("shards") as usize,
            load: knobs.get("load"),
            today: share("today"),
            reads: share("reads").min(1.0 - share("today")),
            celebrity: share("celebrity"),
            splits: knobs.on("split"),
            salts: knobs.whole("salts"),
            copies: knobs.whole("copies"),
            operation: knobs.ms("operation"),
            slow: share("slow"),
            rows_max: knobs.whole("rows-max") as usize,
        }
    }

    /// Operations a second that one shard does.
    pub(super) fn each(&self) -> f64 {
        1.0 / self.operation.as_s()
    }
}

/// A row of the table: an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its place in the key space.
    pub(super) key: u64,
    pub(super) date: u64,
    pub(super) customer: u16,
    pub(super) number: u32,
    pub(super) salt: u32,
    /// When a shard had it: a copy has it a little later.
    pub(super) written: Time,
}

/// A request at the router, until its user has the answer.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) number: u32,
    pub(super) class: u8,
    /// The row that it writes, or asks for.
    pub(super) row: Row,
    /// Whom it asks, and in which piece if it is in one.
    pub(super) targets: Vec<Target>,
    pub(super) since: Time,
    /// Which shard answered last, and when.
    pub(super) last: Option<(usize, Time)>,
    /// Shards that have yet to answer, whether anybody waits for them or not.
    left: usize,
    /// Its user has the answer, or waits no longer.
    over: bool,
}

/// A shard that is asked, and the key that it is asked for; none if it is asked for all that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) shard: usize,
    pub(super) key: Option<u64>,
}

/// An operation that was asked of a shard.
#[derive(Clone, Copy, Debug)]
struct Hit {
    at: Time,
    target: Target,
    write: bool,
}

/// What was asked since the rules changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u32,
    /// Operations of each shard.
    pub(super) operations: Vec<u32>,
    /// Looks at one customer, and questions for today: how many, and how many shards they asked.
    pub(super) looks: (u32, u32),
    pub(super) todays: (u32, u32),
}

impl Tally {
    /// Operations of the busiest shard.
    pub(super) fn busiest(&self) -> u32 {
        self.operations.iter().copied().max().unwrap_or(0)
    }

    /// Requests a second that all shards carry together, if one does `each` operations.
    pub(super) fn carries(&self, each: f64) -> f64 {
        f64::from(self.requests) * each / f64::from(self.busiest().max(1))
    }

    /// How many shards a question asks, on average; none before the first.
    pub(super) fn asked((questions, asked): (u32, u32)) -> Option<f64> {
        (questions > 0).then(|| f64::from(asked) / f64::from(questions))
    }
}

/// The table and its map.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) map: ShardMap<u64>,
    by: By,
    /// In the order in which they came.
    pub(super) rows: VecDeque<Row>,
    pub(super) asks: Vec<Ask>,
    hits: VecDeque<Hit>,
    /// Operations asked of each shard lately.
    lately: Vec<Recently<1>>,
    pub(super) tally: Tally,
    /// How many operations a request costs the busiest shard on average, by the map and the rules alone.
    pub(super) expected: f64,
    /// When all rows were laid out: what was asked before says nothing.
    pub(super) laid: Time,
    /// Which salt the next write of the celebrity gets, and which row is imported next.
    turn: u32,
    imported: u64,
}

/// The slot of a key.
fn slot(key: &[u8]) -> u64 {
    u64::from(slot_of(key))
}

/// `cust42`.
fn customer_key(customer: u16) -> Vec<u8> {
    [
        b"cust".as_slice(),
        (u32::from(customer) + 1).to_string().as_bytes(),
    ]
    .concat()
}

/// Where a row belongs.
fn key_of(by: By, row: &Row) -> u64 {
    match by {
        By::Date => row.date,
        By::Order => slot(&[b"order".as_slice(), row.number.to_string().as_bytes()].concat()),
        By::Salt if row.customer == CELEBRITY => {
            slot(&salted(&customer_key(row.customer), row.salt))
        }
        By::Customer | By::Salt => slot(&customer_key(row.customer)),
    }
}

/// The date of a moment.
pub(super) fn date(at: Time) -> u64 {
    NEW_YEAR + at.0
}

/// When the day of a moment began.
fn today(at: Time) -> u64 {
    NEW_YEAR + at.0 / DAY.0 * DAY.0
}

impl Space {
    pub(super) fn new(rules: &Rules) -> Space {
        let (count, from) = HISTORY;
        let step = (NEW_YEAR - from) / count;
        let row = |nth: u64| Row {
            key: from + step * nth,
            date: from + step * nth,
            customer: (nth * 77 % u64::from(CUSTOMERS)) as u16,
            number: 0,
            salt: nth as u32,
            written: Time::ZERO,
        };
        let mut space = Space {
            map: ShardMap::new([(0, 0)]),
            by: rules.by,
            rows: (0..count).map(row).collect(),
            asks: Vec::new(),
            hits: VecDeque::new(),
            lately: Vec::new(),
            tally: Tally::default(),
            expected: 1.0,
            laid: Time::ZERO,
            turn: 0,
            imported: 0,
        };
        space.lay_out(rules, Time::ZERO);
        space
    }

    /// Lays all rows out anew, as if they had always lain so.
    pub(super) fn lay_out(&mut self, rules: &Rules, now: Time) {
        let shards = rules.shards as u64;
        self.by = rules.by;
        for row in &mut self.rows {
            row.salt %= rules.salts.max(1);
            row.key = key_of(rules.by, row);
        }
        self.map = if rules.by == By::Date {
            let ranges = RANGES.max(rules.shards) as u64;
            let mut dates: Vec<u64> = self.rows.iter().map(|row| row.date).collect();
            dates.retain(|date| *date < today(now));
            dates.sort_unstable();
            dates.dedup();
            // History is shared out evenly; the last range is open and takes whatever comes.
            let begins = |range: u64| match range {
                0 => 0,
                last if last + 1 == ranges => today(now),
                range if dates.len() < ranges as usize => today(now) * range / (ranges - 1),
                range => dates[(dates.len() as u64 * range / (ranges - 1)) as usize],
            };
            ShardMap::new((0..ranges).map(|it| (begins(it), (it * shards / ranges) as usize)))
        } else {
            let size = u64::from(SLOTS) / CHUNKS;
            ShardMap::new((0..CHUNKS).map(|it| (it * size, (it * shards / CHUNKS) as usize)))
        };
        for ask in &mut self.asks {
            ask.row.key = key_of(rules.by, &ask.row);
        }
        self.hits.clear();
        self.lately = Vec::new();
        self.laid = now;
        self.begin_count(rules, now);
    }

    /// What is counted from now on belongs to other rules.
    pub(super) fn begin_count(&mut self, rules: &Rules, now: Time) {
        self.tally = Tally::default();
        self.expect(rules, now);
    }

    /// Works out what a request costs the busiest shard: the theory that the count is held against.
    pub(super) fn expect(&mut self, rules: &Rules, now: Time) {
        let owners = self.map.pieces().iter().map(|it| it.owner);
        let mut work = vec![0.0; 1 + owners.max().unwrap_or(0)];
        let mut row = Row {
            key: 0,
            date: date(now),
            customer: 0,
            number: 0,
            salt: 0,
            written: now,
        };
        let kinds = [1.0 - rules.reads - rules.today, rules.reads, rules.today];
        for (class, share) in [WRITE, READ, TODAY].into_iter().zip(kinds) {
            if self.by == By::Order && class == WRITE {
                // Numbers of orders fall into all slots alike, and all pieces have as many.
                let each = share / self.map.pieces().len() as f64;
                self.map
                    .pieces()
                    .iter()
                    .for_each(|it| work[it.owner] += each);
                continue;
            }
            for customer in 0..CUSTOMERS {
                let star = customer == CELEBRITY;
                let famous = if star { rules.celebrity } else { 0.0 };
                let theirs = famous + (1.0 - rules.celebrity) / f64::from(CUSTOMERS);
                let theirs = if class == TODAY {
                    1.0 / f64::from(CUSTOMERS)
                } else {
                    theirs
                };
                let salted = star && class == WRITE && self.by == By::Salt;
                let salts = if salted { rules.salts } else { 1 };
                for salt in 0..salts {
                    (row.customer, row.salt) = (customer, salt);
                    row.key = key_of(self.by, &row);
                    for target in self.targets(class, &row, rules, now) {
                        work[target.shard] += share * theirs / f64::from(salts);
                    }
                }
            }
        }
        self.expected = work.into_iter().fold(0.0, f64::max);
    }

    // region: ask
    /// Whom a request asks: the owner of its key, if it carries what the table is cut by; else everybody.
    fn targets(&self, class: u8, row: &Row, rules: &Rules, now: Time) -> Vec<Target> {
        let one = |key: u64| Target {
            shard: self.map.owner_of(key),
            key: Some(key),
        };
        match (class, self.by) {
            (READ, By::Salt) if row.customer == CELEBRITY => {
                let name = customer_key(row.customer);
                let all = (0..rules.salts).map(|salt| one(slot(&salted(&name, salt))));
                each_shard_once(all)
            }
            (TODAY, By::Date) => {
                let days = self.map.places(today(now), date(now));
                each_shard_once(days.map(|place| one(self.map.bounds(place).0)))
            }
            (TODAY, _) | (READ, By::Order) => {
                let all = self.map.pieces().iter().map(|it| Target {
                    shard: it.owner,
                    key: None,
                });
                each_shard_once(all)
            }
            _ => vec![one(row.key)],
        }
    }
    // endregion

    /// A request has come to the router: remembers whom it asks.
    pub(super) fn ask(
        &mut self,
        number: u32,
        class: u8,
        customer: u16,
        rules: &Rules,
        now: Time,
    ) -> &Ask {
        let mut row = Row {
            key: 0,
            date: date(now),
            customer,
            number,
            salt: 0,
            written: now,
        };
        if class == IMPORT {
            let (gap, rows) = IMPORTED;
            row.date = self.imported % rows * gap;
            self.imported += 1;
        }
        if customer == CELEBRITY && class == WRITE {
            row.salt = self.turn % rules.salts.max(1);
            self.turn += 1;
        }
        row.key = key_of(self.by, &row);
        let targets = self.targets(class, &row, rules, now);
        let write = class == WRITE || class == IMPORT;
        self.tally.requests += 1;
        for target in &targets {
            self.hits.push_back(Hit {
                at: now,
                target: *target,
                write,
            });
            let shard = target.shard;
            if self.lately.len() <= shard {
                // What was asked before it was first asked is known, too: nothing.
                let known = Time(now.0.saturating_sub(LATELY.0).max(self.laid.0));
                self.lately.resize_with(shard + 1, || Recently::new(known));
            }
            self.lately[shard].add(0, now);
            if self.tally.operations.len() <= shard {
                self.tally.operations.resize(shard + 1, 0);
            }
            self.tally.operations[shard] += 1;
        }
        let asked = targets.len() as u32;
        let count = match class {
            READ => Some(&mut self.tally.looks),
            TODAY => Some(&mut self.tally.todays),
            _ => None,
        };
        if let Some((questions, shards)) = count {
            (*questions, *shards) = (*questions + 1, *shards + asked);
        }
        let old = |hit: &Hit| now.since(hit.at) > LATELY;
        while self.hits.front().is_some_and(old) {
            self.hits.pop_front();
        }
        let left = targets.len();
        let ask = Ask {
            number,
            class,
            row,
            targets,
            since: now,
            last: None,
            left,
            over: false,
        };
        // What a crowded shard takes longer for is not followed any further.
        let followed = |ask: &Ask| now.since(ask.since) < FOLLOWED;
        if self.asks.first().is_some_and(|ask| !followed(ask)) {
            self.asks.retain(followed);
        }
        self.asks.push(ask);
        &self.asks[self.asks.len() - 1]
    }

    /// The request of this number.
    pub(super) fn asked(&self, number: u32) -> Option<&Ask> {
        self.asks.iter().rev().find(|ask| ask.number == number)
    }

    /// A shard is done with a request, and has answered it, or not. What it wrote is there, whether anybody still waits or not.
    pub(super) fn done(&mut self, number: u32, shard: usize, well: bool, now: Time) {
        let Some(place) = self.asks.iter().rposition(|ask| ask.number == number) else {
            return;
        };
        let ask = &mut self.asks[place];
        ask.left = ask.left.saturating_sub(1);
        let (class, row) = (ask.class, ask.row);
        if well {
            ask.last = Some((shard, now));
        }
        if ask.left == 0 && ask.over {
            self.asks.remove(place);
        }
        if well && (class == WRITE || class == IMPORT) {
            self.rows.push_back(Row {
                written: now,
                ..row
            });
            if self.rows.len() > KEPT {
                self.rows.pop_front();
                self.join_empty();
            }
        }
    }

    /// A user has the answer, or waits no longer. Shards may still be at it.
    pub(super) fn over(&mut self, number: u32) -> Option<Ask> {
        let place = self.asks.iter().position(|ask| ask.number == number)?;
        let ask = &mut self.asks[place];
        ask.over = true;
        let told = ask.clone();
        if told.left == 0 {
            self.asks.remove(place);
        }
        Some(told)
    }

    /// Ranges whose rows are all archived become part of the next: there is nothing to move.
    fn join_empty(&mut self) {
        if self.by != By::Date || self.map.pieces().len() <= RANGES {
            return;
        }
        let oldest = self.map.bounds(1).0;
        if !self.rows.iter().any(|row| row.key < oldest) {
            self.map.join_next(0);
        }
    }

    /// Rows in each piece.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.map.pieces().len()];
        for row in &self.rows {
            counts[self.map.place_of(row.key)] += 1;
        }
        counts
    }

    // region: cut
    /// Cuts the newest range that has more rows than it may. Says which, where, and how many rows the halves have.
    pub(super) fn cut(&mut self, rules: &Rules) -> Option<Cut> {
        if self.by != By::Date || !rules.splits {
            return None;
        }
        let counts = self.counts();
        let too_many = |place: &usize| counts[*place] > rules.rows_max;
        let (place, keys, at) = (0..counts.len()).rev().filter(too_many).find_map(|place| {
            let within = |row: &&Row| self.map.place_of(row.key) == place;
            let mut keys: Vec<u64> = self.rows.iter().filter(within).map(|it| it.key).collect();
            keys.sort_unstable();
            let at = median(&keys)?;
            Some((place, keys, at))
        })?;
        let id = self.map.pieces()[place].id;
        let upper = keys.iter().filter(|key| **key >= at).count();
        self.map.split(place, at).then(|| Cut {
            id,
            rows: [keys.len() - upper, upper],
            upper: self.map.pieces()[place + 1].id,
        })
    }
    // endregion

    /// Operations a second that were asked of a shard lately.
    pub(super) fn rate(&self, shard: usize, at: Time) -> f64 {
        self.lately
            .get(shard)
            .map_or(0.0, |it| it.per_s(0, LATELY, at))
    }

    /// The shard, of the first so many, that was asked least lately; of these the one with the fewest pieces.
    pub(super) fn calmest(&self, shards: usize, at: Time) -> usize {
        let counts = self.map.counts(shards);
        let load = |shard: &usize| {
            let asked = self
                .lately
                .get(*shard)
                .map_or(0, |it| it.sum(0, LATELY, at));
            (asked, counts[*shard])
        };
        (0..shards).min_by_key(load).unwrap_or(0)
    }

    /// For each piece, the operations a second asked of it alone, and its part of what its shard was asked for all of its pieces.
    pub(super) fn heat(&self, at: Time) -> Vec<[f64; 2]> {
        let pieces = self.map.pieces();
        let span = at.since(self.laid).min(LATELY).as_s().max(0.5);
        let mut heat = vec![[0.0; 2]; pieces.len()];
        let mut all = vec![0.0; 1 + pieces.iter().map(|it| it.owner).max().unwrap_or(0)];
        for hit in self.hits.iter().filter(|hit| at.since(hit.at) <= LATELY) {
            match hit.target.key {
                Some(key) => heat[self.map.place_of(key)][0] += 1.0 / span,
                None => {
                    if let Some(all) = all.get_mut(hit.target.shard) {
                        *all += 1.0 / span;
                    }
                }
            }
        }
        let counts = self.map.counts(all.len());
        for (place, piece) in pieces.iter().enumerate() {
            heat[place][1] = all[piece.owner] / counts[piece.owner].max(1) as f64;
        }
        heat
    }

    /// The busiest shard's share of the writes of the last second; none if there were few.
    pub(super) fn writes_of_busiest(&self, at: Time) -> Option<f64> {
        let mut writes = Vec::new();
        for hit in self
            .hits
            .iter()
            .filter(|hit| hit.write && at.since(hit.at) <= Time::s(1))
        {
            let shard = hit.target.shard;
            writes.resize(writes.len().max(shard + 1), 0);
            writes[shard] += 1;
        }
        let all: u32 = writes.iter().sum();
        (all >= 5).then(|| f64::from(writes.iter().copied().max().unwrap_or(0)) / f64::from(all))
    }

    /// A shard's copy takes its place and lacks what was written after this moment: forgets it, and says how many rows that was.
    pub(super) fn lose(&mut self, shard: usize, since: Time) -> usize {
        let before = self.rows.len();
        let map = &self.map;
        self.rows
            .retain(|row| row.written < since || map.owner_of(row.key) != shard);
        before - self.rows.len()
    }

    /// Which cut of the table this is.
    pub(super) fn by(&self) -> By {
        self.by
    }
}

/// What a cut did: which range, rows on both sides, the number of the newer half.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) id: u32,
    pub(super) rows: [usize; 2],
    pub(super) upper: u32,
}

/// The first target of each shard, in the order of shards.
fn each_shard_once(targets: impl Iterator<Item = Target>) -> Vec<Target> {
    let mut found: Vec<Target> = Vec::new();
    for target in targets {
        let place = found.partition_point(|it| it.shard < target.shard);
        if found.get(place).is_none_or(|it| it.shard != target.shard) {
            found.insert(place, target);
        }
    }
    found
}
