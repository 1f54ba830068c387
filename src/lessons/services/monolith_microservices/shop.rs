//! What the lesson remembers beyond the ledger: memory that leaks, purchases and their two writes, a deploy under way.

use super::{
    BOXES, BROWSE, BUY, ENTRY, HISTORY, MODULES, MOST, ORDER, ORDER_DB, OWN_DATA, PAYMENT,
    PAYMENT_DB, PRODUCT, Rules, SEARCH, SHARED,
};
use engine::tape::NoteId;
use engine::{Note, Time};
use kit::flow::{Holds, Recently};
use kit::system::{Frame, NodeId, System};
use std::collections::VecDeque;

/// What is told of users lately looks so far back.
pub(super) const LATELY: Time = Time::s(10);
/// Medians are of so many answers.
const ANSWERS: usize = 40;
/// An answer that took longer is slow.
const SLOW: Time = Time::s(1);
/// A process that has so much of its memory is killed, in percent.
const FULL: f64 = 100.0;
/// Memory in use when the leak begins, by column, in percent: processes are never equally old.
const OLD: [f64; MOST] = [84.0, 20.0, 0.0, 45.0, 30.0, 55.0, 10.0, 5.0];
/// Of so many half purchases it is known which they are, so that a late payment finds its order.
const KNOWN: usize = 200;

/// One box after another, or one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The new version is tested until then.
    Tests(Time),
    /// The process of this column gets nothing new and finishes what it has.
    Drains(usize),
    /// It starts.
    Starts(usize),
}

/// The list of a customer's orders with their products' names, as it was last asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    pub(super) number: u32,
    /// Calls to Product.
    pub(super) calls: u32,
    pub(super) took: Option<Time>,
    pub(super) own_data: bool,
}

/// Product is down everywhere: since when, and what came to an end meanwhile by kind, failed or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) began: Time,
    pub(super) over: bool,
    pub(super) note: NoteId,
    pub(super) ended: [u32; 2],
    pub(super) failed: [u32; 2],
}

impl Outage {
    /// The share of a kind that failed.
    pub(super) fn share(&self, kind: usize) -> f64 {
        f64::from(self.failed[kind]) / f64::from(self.ended[kind]).max(1.0)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) design: u32,
    /// The design before, for borders that are still on their way.
    pub(super) before: u32,
    pub(super) switched: Time,
    pub(super) rules: Rules,
    /// How full the process that has Search is, by column, in percent, and whether it has the new version.
    pub(super) memory: [f64; MOST],
    pub(super) fixed: [bool; MOST],
    /// Processes that ran out of memory.
    pub(super) killed: u32,
    /// Fates by kind: well, slowly, failed; twice.
    fates: Recently<6>,
    /// Answers lately by kind: how long they took, and how much of that was on links between services.
    pub(super) answers: [VecDeque<(Time, Time)>; 2],
    /// Of requests under way, what their calls between services spend on links.
    links: Vec<(u32, Time)>,
    /// Whoever asked earlier asked under another rule and is not counted.
    since: Time,
    /// Purchases paid.
    pays: Recently<1>,
    /// Orders stored; of these paid; of the others those whose buyer waits no longer.
    pub(super) orders: u32,
    pub(super) paid: u32,
    pub(super) half: u32,
    /// Orders without a payment: of buyers who wait, and of those who do not.
    pub(super) open: Vec<u32>,
    late: VecDeque<u32>,
    pub(super) outage: Option<Outage>,
    /// The next purchase that reaches Payment brings its process down.
    pub(super) armed: bool,
    /// The design in which a column of orders has a new name that not everybody may know.
    pub(super) renamed: Option<(u32, NoteId)>,
    /// Purchases that Payment failed for it.
    pub(super) misread: u32,
    pub(super) deploy: Option<Phase>,
    pub(super) history: Option<History>,
    /// No purchase has failed, and how often memory had run out when that began.
    pub(super) sells: Holds,
    pub(super) killed_before: u32,
    pub(super) quick: Holds,
    pub(super) ten: Holds,
    pub(super) only_search: Holds,
    /// What is to be measured: kind, and how long it took if it went well.
    pub(super) news: Vec<(usize, Option<Time>)>,
    /// When a knob was last turned.
    pub(super) turned: Option<Time>,
}

impl Seen {
    pub(super) fn new(now: Time) -> Seen {
        Seen {
            design: 0,
            before: 0,
            switched: Time::ZERO,
            rules: Rules::default(),
            memory: [0.0; MOST],
            fixed: [false; MOST],
            killed: 0,
            fates: Recently::new(now),
            answers: [VecDeque::new(), VecDeque::new()],
            links: Vec::new(),
            since: now,
            pays: Recently::new(now),
            orders: 0,
            paid: 0,
            half: 0,
            open: Vec::new(),
            late: VecDeque::new(),
            outage: None,
            armed: false,
            renamed: None,
            misread: 0,
            deploy: None,
            history: None,
            sells: Holds::default(),
            killed_before: 0,
            quick: Holds::default(),
            ten: Holds::default(),
            only_search: Holds::default(),
            news: Vec::new(),
            turned: None,
        }
    }

    /// All is well again: nothing is down, and what has leaked is as it was when the leak began.
    pub(super) fn fresh(&mut self, now: Time) {
        *self = Seen {
            design: self.design,
            before: self.before,
            switched: self.switched,
            rules: self.rules,
            turned: self.turned,
            killed: self.killed,
            links: std::mem::take(&mut self.links),
            ..Seen::new(now)
        };
        self.age();
    }

    /// What leaks has leaked for a while.
    fn age(&mut self) {
        self.memory = if self.rules.leak > 0.0 {
            OLD
        } else {
            [0.0; MOST]
        };
    }

    /// Time zero: the leak begins, and purchases are counted.
    pub(super) fn begin(&mut self) {
        self.age();
        (self.orders, self.paid, self.half) = (self.open.len() as u32, 0, 0);
        self.late.clear();
    }

    /// A knob may have been turned.
    pub(super) fn heed(&mut self, rules: Rules, now: Time) {
        if rules.design != self.design {
            (self.before, self.switched) = (self.design, now);
            self.design = rules.design;
            self.deploy = None;
        }
        let leaked = std::mem::replace(&mut self.rules, rules).leak;
        if (rules.leak > 0.0) != (leaked > 0.0) {
            self.age();
            self.fixed = [false; MOST];
        }
        // What follows is counted under another rule.
        self.since = now;
        self.fates.restart(now);
        self.pays.restart(now);
        self.answers = [VecDeque::new(), VecDeque::new()];
    }

    /// A search begins in a column.
    pub(super) fn searches(&mut self, column: usize) {
        if let (Some(memory), Some(false)) = (self.memory.get_mut(column), self.fixed.get(column)) {
            *memory = (*memory + self.rules.leak).min(FULL);
        }
    }

    pub(super) fn is_full(&self, column: usize) -> bool {
        self.memory.get(column).is_some_and(|it| *it >= FULL)
    }

    /// A call sets out over a link between services, which takes so long each way.
    pub(super) fn links(&mut self, number: u32, hop: Time) {
        let both = Time(2 * hop.0);
        match self.links.iter_mut().find(|it| it.0 == number) {
            Some(known) => known.1 += both,
            None => self.links.push((number, both)),
        }
    }

    /// A user's request is over.
    pub(super) fn over(&mut self, request: &Frame, now: Time) {
        let place = self.links.iter().position(|it| it.0 == request.number);
        let links = place.map_or(Time::ZERO, |place| self.links.swap_remove(place).1);
        if let Some(place) = self.open.iter().position(|it| *it == request.number) {
            self.open.swap_remove(place);
            self.half += 1;
            self.late.push_back(request.number);
            if self.late.len() > KNOWN {
                self.late.pop_front();
            }
        }
        let class = request.draw.class;
        let took = now.since(request.asked).since(Time(4 * ENTRY.0));
        if class == HISTORY {
            if let Some(history) = self.history.as_mut()
                && history.number == request.number
                && request.failed.is_none()
            {
                history.took = Some(took);
            }
            return;
        }
        if request.asked < self.since {
            return;
        }
        let kind = usize::from(class == BUY);
        let failed = request.failed.is_some();
        let fate = match failed {
            true => 2,
            false => usize::from(took > SLOW),
        };
        self.fates.add(3 * kind + fate, now);
        if let Some(outage) = self.outage.as_mut().filter(|it| !it.over) {
            outage.ended[kind] += 1;
            outage.failed[kind] += u32::from(failed);
        }
        self.news.push((kind, (!failed).then_some(took)));
        if !failed {
            self.answers[kind].push_back((took, links));
            if self.answers[kind].len() > ANSWERS {
                self.answers[kind].pop_front();
            }
        } else if kind == 1 {
            self.sells.restart(now);
            self.killed_before = self.killed;
        }
    }

    /// A database has committed what a purchase asked for.
    pub(super) fn commits(&mut self, database: NodeId, number: u32, now: Time) {
        match database {
            ORDER_DB => {
                self.orders += 1;
                self.open.push(number);
                return;
            }
            SHARED => self.orders += 1,
            _ => {
                if let Some(place) = self.open.iter().position(|it| *it == number) {
                    self.open.swap_remove(place);
                } else if let Some(place) = self.late.iter().position(|it| *it == number) {
                    self.late.remove(place);
                    self.half -= 1;
                } else {
                    return;
                }
            }
        }
        self.paid += 1;
        self.pays.add(0, now);
    }

    /// The share of a kind (0 browse, 1 buy) that ended so lately: 0 well, 1 slowly, 2 failed.
    pub(super) fn share(&self, kind: usize, fate: usize, at: Time) -> f64 {
        let sum = |fate: usize| f64::from(self.fates.sum(3 * kind + fate, LATELY, at));
        sum(fate) / (sum(0) + sum(1) + sum(2)).max(1.0)
    }

    pub(super) fn ended(&self, kind: usize, at: Time) -> u32 {
        (0..3)
            .map(|fate| self.fates.sum(3 * kind + fate, LATELY, at))
            .sum()
    }

    /// Whether a column has a new name in this design.
    pub(super) fn is_renamed(&self) -> bool {
        self.renamed.is_some_and(|it| it.0 == self.design)
    }

    /// The median of the latest answers of a kind; none if there are few.
    pub(super) fn median(&self, kind: usize) -> Option<Time> {
        let mut all: Vec<Time> = self.answers[kind].iter().map(|it| it.0).collect();
        all.sort_unstable();
        (all.len() >= 5).then(|| all[all.len() / 2])
    }

    /// What the latest answers of a kind spent on links between services, on average.
    pub(super) fn on_links(&self, kind: usize) -> Time {
        let all = &self.answers[kind];
        Time(all.iter().map(|it| it.1.0).sum::<u64>() / (all.len() as u64).max(1))
    }

    /// Purchases paid a second, lately.
    pub(super) fn pays_per_s(&self, at: Time) -> f64 {
        self.pays.per_s(0, LATELY, at)
    }

    /// For how long purchases have been counted, at most [`LATELY`].
    pub(super) fn counted(&self, at: Time) -> Time {
        self.pays.span(LATELY, at)
    }
}

/// The module that a call is in, by its process and the step of its program.
pub(super) fn module(frame: &Frame) -> Option<usize> {
    let (node, _) = frame.at();
    if node != BOXES {
        return MODULES.iter().position(|it| *it == node);
    }
    let way: &[usize] = match frame.draw.class {
        BROWSE => &[0, 1],
        BUY => &[2, 1, 3],
        _ => &[2],
    };
    way.get(frame.step().min(way.len() - 1)).copied()
}

/// A database says that it has answered: what it was asked for is committed, if somebody still waits for it. Else the
/// connection is gone, and it is undone.
pub(super) fn committed(note: &Note, system: &System) -> Option<(NodeId, u32)> {
    let database = match note.part?.kind {
        "database" => SHARED,
        "order-db" => ORDER_DB,
        "payment-db" => PAYMENT_DB,
        _ => return None,
    };
    let asked = system
        .frames()
        .find(|(_, frame)| frame.at().0 == database && frame.number == note.dot)?;
    system.caller(asked.0).map(|_| (database, note.dot))
}

/// The process of Payment that is at work on a purchase whose money has not been taken.
pub(super) fn at_payment(system: &System) -> Option<(NodeId, usize)> {
    let seen = system.own::<Seen>();
    let paying = |frame: &Frame| {
        let works = frame.works_since().is_some() && module(frame) == Some(3);
        let node = frame.at().0;
        let here = processes(seen.design).contains(&node);
        let stored = seen.design != OWN_DATA || seen.open.contains(&frame.number);
        works && here && stored && frame.draw.class == BUY
    };
    let (_, frame) = system.frames().find(|(_, frame)| paying(frame))?;
    Some(frame.at())
}

/// The processes of a design.
pub(super) fn processes(design: u32) -> &'static [NodeId] {
    match design {
        0 => &[BOXES],
        _ => &[SEARCH, PRODUCT, ORDER, PAYMENT],
    }
}

/// The process that has Search, whose memory leaks.
pub(super) fn holder(design: u32) -> NodeId {
    processes(design)[0]
}
