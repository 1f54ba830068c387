//! The store: rows on pages, the indexes on them, the pages in RAM, and who chooses the way to an answer.

use super::settings::{Ids, Kind, Planner, Settings};
use algorithms::avl::Avl;
use algorithms::btree::{BTree, Page as TreePage, Rule};
use algorithms::hash::mix64;
use algorithms::hash_index::HashIndex;
use algorithms::trace::{Step as Told, Trace, untold};
use engine::Time;
use kit::bench::{Craft, Verdict};

/// Rows a page of the table, and entries a page of the hash index.
pub(super) const A_PAGE: usize = 8;
/// A page in RAM, one from an SSD, and the next one in sequence: the planner's 4 to 1.
const HIT: Time = Time::us(1);
const DISK: Time = Time::us(100);
const NEXT: Time = Time::us(25);
/// What a split takes, so that it is seen.
const SPLIT: Time = Time::us(60);
/// PostgreSQL's random_page_cost; its seq_page_cost is 1.
const RANDOM: f64 = 4.0;
/// Random ids lie below this.
pub(super) const IDS: u64 = 1_000_000;
/// A range of so many ids through a hash index asks for each; for more it is a scan.
const ONE_BY_ONE: u64 = 1_000;
/// Keys of the second index from here on are those of open orders, up to the end.
const OPEN: u64 = 1 << 60;
const OPEN_END: u64 = OPEN * 2 - 1;

/// Whose page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Table,
    /// The index on the id.
    Id,
    /// The index on status and amount.
    Status,
    /// One on another column.
    Further(u8),
}

pub(super) type Page = (Of, u32);

/// What the hand does, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Read(Page),
    Write(Page),
    /// What did not stay on the first page is on the second.
    Split(Page, Page),
}

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// The row that came as this one.
    Row(u32),
    /// Ids from that of this row on.
    Range(u32),
    /// All open orders.
    Open,
    /// The row of this id, if there is one.
    Id(u64),
    /// One more row.
    Insert,
    /// One more row, of this id.
    InsertId(u64),
}

impl Op {
    /// Whether it brings a row.
    pub(super) fn inserts(self) -> bool {
        matches!(self, Op::Insert | Op::InsertId(_))
    }

    /// Whether it asks for one row.
    pub(super) fn asks_one(self) -> bool {
        matches!(self, Op::Row(_) | Op::Id(_))
    }
}

/// A row: its id, whether its order is open, what it is worth, and whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) open: bool,
    pub(super) amount: u64,
    pub(super) live: bool,
}

/// An index, of whatever kind.
#[derive(Clone, Debug)]
pub(super) enum Index {
    None,
    Hash(HashIndex),
    Avl(Avl),
    Tree(BTree),
}

impl Index {
    /// Of entries in the order of their keys.
    fn of(kind: Kind, entries: &[(u64, u32)], keys: usize) -> Index {
        match kind {
            Kind::None => Index::None,
            Kind::Hash => Index::Hash(HashIndex::of(entries, A_PAGE)),
            Kind::Avl => {
                let mut tree = Avl::new();
                for (key, row) in entries {
                    tree.insert(*key, *row, &mut untold);
                }
                Index::Avl(tree)
            }
            Kind::Tree => Index::Tree(BTree::of(entries, keys, Rule::Growing)),
        }
    }

    /// Rows with keys from the one to the other; none where the index cannot tell.
    fn range(&self, from: u64, to: u64, trace: Trace<'_>) -> Option<Vec<u32>> {
        let rows = |found: Vec<(u64, u32)>| found.iter().map(|(_, row)| *row).collect();
        match self {
            Index::None => None,
            Index::Hash(index) => (to - from < ONE_BY_ONE).then(|| {
                let mut found = Vec::new();
                for key in from..=to {
                    found.extend(index.find(key, trace));
                }
                found
            }),
            Index::Avl(tree) => Some(rows(tree.range(from, to, trace))),
            Index::Tree(tree) => Some(rows(tree.range(from, to, trace))),
        }
    }

    fn insert(&mut self, (key, row): (u64, u32), trace: Trace<'_>) {
        match self {
            Index::None => {}
            Index::Hash(index) => {
                index.insert((key, row), trace);
            }
            Index::Avl(tree) => tree.insert(key, row, trace),
            Index::Tree(tree) => {
                tree.insert((key, row), trace);
            }
        }
    }

    fn remove(&mut self, (key, row): (u64, u32)) {
        match self {
            Index::None => {}
            Index::Hash(index) => {
                index.remove((key, row), &mut untold);
            }
            Index::Avl(tree) => {
                tree.remove(key, &mut untold);
            }
            Index::Tree(tree) => {
                tree.remove((key, row), &mut untold);
            }
        }
    }

    /// How many entries it has; none where there is no index.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Index::None => None,
            Index::Hash(index) => Some(index.len()),
            Index::Avl(tree) => Some(tree.len()),
            Index::Tree(tree) => Some(tree.len()),
        }
    }

    fn sound(&self) -> Result<(), String> {
        match self {
            Index::Avl(tree) => tree.sound(),
            Index::Tree(tree) => tree.sound(),
            Index::None | Index::Hash(_) => Ok(()),
        }
    }

    /// How many bytes it holds, about.
    fn bytes(&self) -> usize {
        self.len().unwrap_or(0) * 32
    }
}

/// What the ways to an answer cost by the planner's rule, and which one is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) scan: f64,
    /// None where the index does not serve.
    pub(super) index: Option<f64>,
    pub(super) by_index: bool,
    /// Rows that match.
    pub(super) rows: u32,
}

/// What an operation has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) ram: u32,
    pub(super) disk: u32,
    pub(super) wrote: u32,
    pub(super) splits: u32,
}

impl Cost {
    pub(super) fn read(self) -> u32 {
        self.ram + self.disk
    }
}

/// Rows, indexes, RAM, planner.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) rows: Vec<Row>,
    pub(super) by_id: Index,
    pub(super) by_status: Index,
    further: Vec<Index>,
    /// What the present insert makes of an index, until the first of its pages is written.
    next: Vec<(Of, Index)>,
    /// Pages in RAM, the one used last at the end.
    pub(super) ram: Vec<Page>,
    room: usize,
    read_last: Option<Page>,
    pub(super) cost: Cost,
    pub(super) plan: Plan,
    pub(super) kind: Kind,
    keys: usize,
    ids: Ids,
    open: u32,
    planner: Planner,
    width: u64,
}

impl Store {
    pub(super) fn new(knobs: &Settings) -> Store {
        let mut store = Store {
            rows: Vec::new(),
            by_id: Index::None,
            by_status: Index::None,
            further: Vec::new(),
            next: Vec::new(),
            ram: Vec::new(),
            room: 0,
            read_last: None,
            cost: Cost::default(),
            plan: Plan {
                scan: 0.0,
                index: None,
                by_index: false,
                rows: 0,
            },
            kind: knobs.index,
            keys: knobs.keys as usize,
            ids: knobs.ids,
            open: knobs.open,
            planner: knobs.planner,
            width: 0,
        };
        store.fill(knobs);
        store
    }

    /// The table as it is at first, and its indexes; RAM is empty.
    fn fill(&mut self, knobs: &Settings) {
        self.rows.clear();
        for row in 0..knobs.rows as u32 {
            let row = self.row(row);
            self.rows.push(row);
        }
        self.build();
        self.set(knobs);
        self.ram.clear();
    }

    /// The row that comes as this one: only its id differs between ids that are counted and random ones.
    fn row(&self, row: u32) -> Row {
        let dice = mix64(u64::from(row) + 1);
        let id = match self.ids {
            Ids::Counted => u64::from(row) + 1,
            Ids::Random => random_id(row),
        };
        Row {
            id,
            open: is_open(row, self.open),
            amount: dice & 0xF_FFFF,
            live: true,
        }
    }

    /// What an index on another column holds of a row.
    fn entry(&self, of: Of, row: u32) -> (u64, u32) {
        let it = &self.rows[row as usize];
        let key = match of {
            Of::Status if self.kind == Kind::Hash => u64::from(it.open) * OPEN,
            Of::Status => u64::from(it.open) * OPEN + (it.amount << 20) + u64::from(row),
            Of::Further(n) => {
                let column = mix64(it.amount + (u64::from(n) << 24)) >> 40;
                (column << 20) + u64::from(row)
            }
            Of::Table | Of::Id => it.id,
        };
        (key, row)
    }

    fn entries(&self, of: Of) -> Vec<(u64, u32)> {
        let live = (0..self.rows.len() as u32).filter(|row| self.rows[*row as usize].live);
        let mut entries: Vec<(u64, u32)> = live.map(|row| self.entry(of, row)).collect();
        entries.sort_unstable();
        entries
    }

    fn built(&self, of: Of) -> Index {
        Index::of(self.kind, &self.entries(of), self.keys)
    }

    fn build(&mut self) {
        self.next.clear();
        self.by_id = self.built(Of::Id);
        self.by_status = self.built(Of::Status);
        let further = self.further.len() as u8;
        self.further = (0..further).map(|n| self.built(Of::Further(n))).collect();
        self.read_last = None;
        // What is in RAM of indexes is of those that were.
        self.ram.retain(|page| page.0 == Of::Table);
    }

    /// The knobs have been turned. True if the table is another.
    pub(super) fn turn(&mut self, knobs: &Settings, was: &Settings) -> bool {
        self.finish();
        let (kind, keys) = (knobs.index, knobs.keys as usize);
        let another = (knobs.ids, knobs.open) != (self.ids, self.open) || knobs.rows != was.rows;
        let rebuilt = (kind, keys) != (self.kind, self.keys);
        (self.kind, self.keys, self.ids, self.open) = (kind, keys, knobs.ids, knobs.open);
        if another {
            self.fill(knobs);
        } else if rebuilt {
            self.build();
        }
        self.set(knobs);
        another
    }

    fn set(&mut self, knobs: &Settings) {
        self.planner = knobs.planner;
        self.width = u64::from(knobs.width);
        self.room = knobs.ram as usize;
        let over = self.ram.len().saturating_sub(self.room);
        self.ram.drain(..over);
        let further = knobs.further as usize;
        self.further.truncate(further);
        while self.further.len() < further {
            let n = self.further.len() as u8;
            self.further.push(self.built(Of::Further(n)));
        }
    }

    /// Whatever an insert has still to put in place is put there.
    pub(super) fn finish(&mut self) {
        for (of, index) in std::mem::take(&mut self.next) {
            self.put(of, index);
        }
    }

    fn put(&mut self, of: Of, index: Index) {
        match of {
            Of::Id => self.by_id = index,
            Of::Status => self.by_status = index,
            Of::Further(n) => self.further[usize::from(n)] = index,
            Of::Table => {}
        }
    }

    pub(super) fn index(&self, of: Of) -> &Index {
        match of {
            Of::Table | Of::Id => &self.by_id,
            Of::Status => &self.by_status,
            Of::Further(n) => &self.further[usize::from(n)],
        }
    }

    /// Pages of the table.
    pub(super) fn pages(&self) -> u32 {
        self.rows.len().div_ceil(A_PAGE) as u32
    }

    /// The first and the last id that are asked for.
    pub(super) fn ids(&self, op: Op) -> (u64, u64) {
        let at = |row: u32| self.rows.get(row as usize).map_or(0, |row| row.id);
        match op {
            Op::Row(row) => (at(row), at(row)),
            Op::Range(row) => {
                // As many rows, whatever the ids.
                let apart = match self.ids {
                    Ids::Counted => 1,
                    Ids::Random => IDS / self.rows.len().max(1) as u64,
                };
                (at(row), at(row) + self.width * apart)
            }
            Op::Open => (OPEN, OPEN_END),
            Op::Id(id) | Op::InsertId(id) => (id, id),
            Op::Insert => (0, 0),
        }
    }

    /// The rows that an answer has.
    pub(super) fn matches(&self, op: Op) -> impl Iterator<Item = u32> + use<'_> {
        let (from, to) = self.ids(op);
        (0..self.rows.len() as u32).filter(move |row| {
            let row = &self.rows[*row as usize];
            let is = match op {
                Op::Open => row.open,
                _ => (from..=to).contains(&row.id),
            };
            is && row.live
        })
    }

    /// What a scan and the index would cost, and which is taken.
    fn planned(&self, op: Op) -> (Plan, Vec<Page>) {
        let of = if op == Op::Open { Of::Status } else { Of::Id };
        let (from, mut to) = self.ids(op);
        if op == Op::Open && self.kind == Kind::Hash {
            to = from;
        }
        let mut read = Vec::new();
        let found = self.index(of).range(from, to, &mut |step| {
            if let Told::Reads(page) = step {
                read.push((of, page));
            }
        });
        let scan = f64::from(self.pages());
        let rows = self.matches(op).count() as u32;
        let Some(found) = found else {
            let plan = Plan {
                scan,
                index: None,
                by_index: false,
                rows,
            };
            return (plan, Vec::new());
        };
        // region: plan
        let index = RANDOM * read.len() as f64;
        for row in found {
            let page = (Of::Table, row / A_PAGE as u32);
            // A page that is at hand is not asked for again.
            if read.last() != Some(&page) {
                read.push(page);
            }
        }
        // Where ids and places agree, the pages follow each other; else each row costs a page from anywhere.
        let agree = op != Op::Open && self.ids == Ids::Counted;
        let table = match agree {
            true => (read.iter().filter(|page| page.0 == Of::Table)).count() as f64,
            false => RANDOM * f64::from(rows),
        };
        let index = index + table;
        let by_index = match self.planner {
            Planner::Decides => index < scan,
            Planner::Always => true,
            Planner::Never => false,
        };
        // endregion
        let plan = Plan {
            scan,
            index: Some(index),
            by_index,
            rows,
        };
        (plan, read)
    }

    // region: scan
    /// Page after page. Who looks for one row stops where it is.
    fn scan(&self, op: Op, trace: &mut dyn FnMut(Step)) {
        let last = match op {
            _ if op.asks_one() => self.matches(op).next(),
            _ => None,
        };
        let pages = last.map_or(self.pages(), |row| row / A_PAGE as u32 + 1);
        for page in 0..pages {
            trace(Step::Read((Of::Table, page)));
        }
    }
    // endregion

    /// Whether a row has this id, or had it and its id is not free again.
    pub(super) fn has(&self, id: u64) -> bool {
        self.rows.iter().any(|row| row.id == id)
    }

    fn insert(&mut self, id: Option<u64>, trace: &mut dyn FnMut(Step)) {
        let row = self.rows.len() as u32;
        let page = (Of::Table, row / A_PAGE as u32);
        if !row.is_multiple_of(A_PAGE as u32) {
            trace(Step::Read(page));
        }
        trace(Step::Write(page));
        let it = self.row(row);
        self.rows.push(Row {
            id: id.unwrap_or(it.id),
            ..it
        });
        if self.kind == Kind::None {
            return;
        }
        let further = (0..self.further.len() as u8).map(Of::Further);
        for of in [Of::Id, Of::Status].into_iter().chain(further) {
            let mut index = self.index(of).clone();
            index.insert(self.entry(of, row), &mut |step| match step {
                Told::Reads(page) => trace(Step::Read((of, page))),
                Told::Splits(page, new) => trace(Step::Split((of, page), (of, new))),
                Told::Writes(page) | Told::Turns(page, _) => trace(Step::Write((of, page))),
                Told::Merges(..) | Told::Shares(..) | Told::Frees(_) => {}
            });
            self.next.push((of, index));
        }
    }

    /// Every second row goes. How many.
    pub(super) fn delete(&mut self) -> u32 {
        self.finish();
        let live: Vec<u32> = (0..self.rows.len() as u32)
            .filter(|row| self.rows[*row as usize].live)
            .collect();
        let gone = live.iter().skip(1).step_by(2);
        let mut count = 0;
        for row in gone {
            let id = self.entry(Of::Id, *row);
            self.by_id.remove(id);
            let status = self.entry(Of::Status, *row);
            self.by_status.remove(status);
            for n in 0..self.further.len() {
                let entry = self.entry(Of::Further(n as u8), *row);
                self.further[n].remove(entry);
            }
            self.rows[*row as usize].live = false;
            count += 1;
        }
        count
    }

    // region: ram
    /// A page is used: how long that takes, and whether it had to come from disk.
    fn touch(&mut self, page: Page) -> (Time, bool) {
        let place = self.ram.iter().position(|held| *held == page);
        let follows = self
            .read_last
            .is_some_and(|(of, last)| of == page.0 && last + 1 == page.1);
        self.read_last = Some(page);
        if let Some(place) = place {
            self.ram.remove(place);
        } else if self.ram.len() >= self.room && self.room > 0 {
            // The one that nobody has used for longest.
            self.ram.remove(0);
        }
        if self.room > 0 {
            self.ram.push(page);
        }
        match place {
            Some(_) => (HIT, false),
            None if follows && page.0 == Of::Table => (NEXT, true),
            None => (DISK, true),
        }
    }
    // endregion

    pub(super) fn live(&self) -> usize {
        self.rows.iter().filter(|row| row.live).count()
    }

    pub(super) fn bytes(&self) -> usize {
        let indexes = self.further.iter().chain([&self.by_id, &self.by_status]);
        let indexes: usize = indexes.map(Index::bytes).sum();
        self.rows.len() * size_of::<Row>() + indexes
    }

    /// Indexes are sound and have an entry for each row.
    pub(super) fn sound(&self) -> Result<(), String> {
        for of in [Of::Id, Of::Status] {
            let late = self.next.iter().any(|(next, _)| *next == of);
            let index = self.index(of);
            index.sound()?;
            let rows = self.live() - usize::from(late);
            if index.len().is_some_and(|len| len != rows) {
                return Err(format!(
                    "{of:?} has {:?} entries of {rows} rows",
                    index.len()
                ));
            }
        }
        if self.ram.len() > self.room {
            return Err(format!(
                "{} pages in room for {}",
                self.ram.len(),
                self.room
            ));
        }
        Ok(())
    }
}

impl Craft for Store {
    type Op = Op;
    type Step = Step;

    fn run(&mut self, _: usize, op: &Op, trace: &mut dyn FnMut(Step)) -> Verdict {
        self.finish();
        (self.cost, self.read_last) = (Cost::default(), None);
        let id = match *op {
            Op::Insert => Some(None),
            Op::InsertId(id) => Some(Some(id)),
            _ => None,
        };
        if let Some(id) = id {
            self.insert(id, trace);
            return Verdict::Done;
        }
        let (plan, read) = self.planned(*op);
        self.plan = plan;
        if plan.by_index {
            read.into_iter().for_each(|page| trace(Step::Read(page)));
        } else {
            self.scan(*op, trace);
        }
        Verdict::Done
    }

    fn begin(&mut self, _: usize, step: Step) -> Time {
        let (Step::Read(page) | Step::Write(page) | Step::Split(page, _)) = step;
        if !matches!(step, Step::Read(_))
            && let Some(place) = self.next.iter().position(|(of, _)| *of == page.0)
        {
            let (of, index) = self.next.remove(place);
            self.put(of, index);
        }
        match step {
            Step::Read(page) => {
                let (span, disk) = self.touch(page);
                *(if disk {
                    &mut self.cost.disk
                } else {
                    &mut self.cost.ram
                }) += 1;
                span
            }
            Step::Write(page) => {
                self.touch(page);
                self.cost.wrote += 1;
                HIT
            }
            Step::Split(_, new) => {
                self.touch(new);
                (self.cost.wrote, self.cost.splits) = (self.cost.wrote + 1, self.cost.splits + 1);
                SPLIT
            }
        }
    }
}

/// Whether a row's order is open: as many of each stretch of rows as the share says (multiples of the golden ratio are spread evenly),
/// and where more are open, those that were stay so.
fn is_open(row: u32, percent: u32) -> bool {
    let share = u64::from((row + 1).wrapping_mul(0x9E37_79B1)) * 100;
    share >> 32 < u64::from(percent)
}

/// An id from anywhere: no two rows have the same, because an odd factor only stirs what lies below a power of two, and what comes out too
/// great is stirred again.
fn random_id(row: u32) -> u64 {
    let mut id = u64::from(row) + 1;
    loop {
        id = id.wrapping_mul(0x9_E375) & 0xF_FFFF;
        id ^= id >> 10;
        id = id.wrapping_mul(0x5_2F47) & 0xF_FFFF;
        id ^= id >> 9;
        if id < IDS {
            return id;
        }
    }
}

/// Pages read for one row of so many, by the size of real pages: a scan, a hash index, a balanced binary tree, a B+-tree.
pub(super) fn ladder(kind: Kind, rows: u64) -> u64 {
    match kind {
        // A hundred rows of 80 bytes on a page of 8 kB.
        Kind::None => rows.div_ceil(100),
        Kind::Hash => 2,
        // As deep as log2 of the rows, which is the mean of an AVL tree and at most a third less than its worst; and the row's page.
        Kind::Avl => u64::from(u64::BITS - rows.leading_zeros()) + 1,
        // 366 keys of 8 bytes on a page of 8 kB that is nine tenths full.
        Kind::Tree => u64::from(algorithms::btree::levels(rows, 366)) + 1,
    }
}

/// Pages of a tree, level by level from the root, in the order of their keys.
pub(super) fn levels(tree: &BTree) -> Vec<Vec<u32>> {
    let mut levels = vec![vec![tree.root()]];
    loop {
        let above = levels.last().map_or(&[][..], |level| level);
        let below: Vec<u32> = above
            .iter()
            .filter_map(|page| match tree.page(*page) {
                Some(TreePage::Branch { children, .. }) => Some(children.iter().copied()),
                _ => None,
            })
            .flatten()
            .collect();
        if below.is_empty() {
            return levels;
        }
        levels.push(below);
    }
}
