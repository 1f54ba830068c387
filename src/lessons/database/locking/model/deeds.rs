//! What a learner does: sends two into a circle or to one account, one for coffee, a long job over many accounts.

use super::*;
use crate::locking::store::BALANCE;
use algorithms::versioned::Versioned;

/// The two who are sent for the same accounts; fewer workers than that many send the first two.
const SENT: [usize; 2] = [2, 5];
/// So long the others rest when two are sent to one account; what is on it, in which version, and what each adds.
const ASIDE: Time = Time::s(1);
const PAIR_HOLDS: Versioned = Versioned {
    value: 14,
    version: 2,
};
const PAIR_ADDS: [i64; 2] = [3, 2];
/// The long job: on so many accounts, and computed for so long.
const LONG_ROWS: usize = 8;
const LONG_COMPUTES: Time = Time::ms(500);

impl Bank {
    /// A hand leaves its job, which is then neither done nor undone. Says whether that broke the last circle.
    fn recalled(&mut self, hand: usize, cx: Cx<'_, '_>) -> bool {
        let broke = self.breaks(hand, cx.now());
        self.stops(hand, cx.now());
        let pieces = self.workers[hand].pieces.iter_mut().rev();
        let open = self.store.jobs[hand]
            .take()
            .map_or(cx.now(), |job| job.since);
        for piece in pieces.take_while(|piece| piece.from >= open) {
            if piece.kind == Kind::Works {
                piece.kind = Kind::Thrown;
            }
        }
        self.workers[hand].rests = false;
        if std::mem::take(&mut self.workers[hand].coffee) {
            let note = says("coffee-ends", &[who(hand)]).about(worker(hand));
            cx.say(note.ends("coffee", hand as u16));
        }
        self.turns += 1;
        self.workers[hand].turn = self.turns;
        broke
    }

    /// All leave what they are at, and the accounts are as at first.
    pub(super) fn anew(&mut self, cx: Cx<'_, '_>) {
        let mut broke = false;
        for hand in 0..HANDS {
            broke |= self.recalled(hand, cx);
        }
        let note = says(
            "team",
            &[count(self.knobs.workers), count(self.knobs.accounts)],
        );
        let note = note.about(RATE);
        self.team = cx.say(if broke { note.ends("circle", 0) } else { note });
        if self.long.is_some_and(|long| long.took.is_none()) {
            cx.say(says("long-gone", &[]).about(RATE).ends("long", 0));
        }
        self.circles.clear();
        self.workers.iter_mut().for_each(|one| one.pieces.clear());
        (self.long, self.coffee, self.pair, self.by_hand) = (None, None, None, false);
        self.store.way = self.knobs.way;
        self.store.locks = LockTable::default();
        self.store.computes.clear();
        self.store.table = Table::new(self.knobs.accounts as usize, BALANCE);
        self.store.books = BALANCE * i64::from(self.knobs.accounts);
        for row in 0..self.knobs.accounts {
            cx.because(self.team);
            let note = says("holds", &[which(row), count(BALANCE)]);
            cx.say(note.about(account(row)));
        }
    }

    pub(super) fn all_go_on(&mut self, cx: Cx<'_, '_>) {
        for hand in self.team() {
            let free = self.bench.hand(hand).state == State::Free;
            if free && !self.workers[hand].rests {
                self.go_on(hand, cx);
            }
        }
    }

    /// Two are sent for the same two accounts, each for another one first.
    pub(super) fn close_circle(&mut self, cx: Cx<'_, '_>) {
        let pair = match self.knobs.workers as usize > SENT[1] {
            true => SENT,
            false => [0, 1],
        };
        let mut broke = false;
        for hand in pair {
            broke |= self.recalled(hand, cx);
        }
        let note = says("sent", &[who(pair[0]), who(pair[1])]).about(RATE);
        let note = note.mark(Tone::Learner);
        let sent = cx.say(if broke { note.ends("circle", 0) } else { note });
        for hand in pair {
            self.frees(hand, cx);
        }
        let taken = |row: &Row| {
            let locks = &self.store.locks;
            let mut all = locks.held().iter().chain(locks.line());
            all.any(|lock| lock.row == *row)
        };
        let mut rows: Vec<Row> = (0..self.knobs.accounts).collect();
        rows.sort_by_key(taken);
        self.worked_on = None;
        for (hand, rows) in pair
            .into_iter()
            .zip([[rows[0], rows[1]], [rows[1], rows[0]]])
        {
            let job = self.job(&rows, Time::from_ms(self.knobs.compute), cx.now());
            cx.because(sent);
            self.takes(hand, job, cx);
        }
    }

    /// Two are sent to one account, and the others rest.
    pub(super) fn send_pair(&mut self, cx: Cx<'_, '_>) {
        self.anew(cx);
        self.counts_anew(cx);
        self.pair = Some(0);
        let row = self.pair_row();
        self.store.table.put(row, PAIR_HOLDS);
        self.store.books += PAIR_HOLDS.value - BALANCE;
        let note = says("pair", &[which(row), count(PAIR_HOLDS.value)]);
        let note = note.with(count(PAIR_HOLDS.version)).about(account(row));
        let sent = cx.say(note.mark(Tone::Learner));
        for (hand, more) in PAIR_ADDS.into_iter().enumerate() {
            let mut job = self.job(&[row], Time::from_ms(self.knobs.compute), cx.now());
            job.changes[0].1 = more;
            cx.because(sent);
            self.takes(hand, job, cx);
        }
        self.turns += 1;
        cx.schedule(ASIDE, Event::AllGoOn(self.turns));
        self.aside = self.turns;
    }

    /// A job on many accounts, for a hand of its own.
    pub(super) fn sends_long(&mut self, cx: Cx<'_, '_>) {
        let mut rows: Vec<Row> = (0..self.knobs.accounts).collect();
        let most = LONG_ROWS.min(rows.len());
        for place in 0..most {
            let other = place + below(cx.random(ACTS), rows.len() - place);
            rows.swap(place, other);
        }
        let note = says("long", &[count(most)]).about(RATE);
        cx.say(note.mark(Tone::Learner).begins("long", 0));
        self.long = Some(Sent {
            at: cx.now(),
            tries: 1,
            took: None,
            others: 0,
        });
        let job = self.job(&rows[..most], LONG_COMPUTES, cx.now());
        self.takes(LONG, job, cx);
    }

    /// Once it has all that it wants, it is away for a while, and lets go of nothing.
    pub(super) fn sends_for_coffee(&mut self, hand: usize, cx: Cx<'_, '_>) {
        let note = says("coffee", &[who(hand)]).about(worker(hand));
        self.workers[hand].note = cx.say(note.mark(Tone::Learner));
        self.workers[hand].coffee = true;
        if self.bench.hand(hand).op != Some(Op::Compute) {
            return;
        }
        // It has all that it wants: it goes at once, and computes afterwards.
        let (one, now) = (self.bench.hand(hand), cx.now());
        let span = now.since(one.since);
        match one.state {
            State::Waits => self.ledger.waited += span,
            _ => {
                if let Some(job) = &mut self.store.jobs[hand] {
                    job.spent += span;
                }
            }
        }
        self.bench.give_up(hand, now);
        self.closes(hand, now);
        self.store.computes.retain(|other| *other != hand);
        self.computes_next(cx);
        self.go_on(hand, cx);
    }
}
