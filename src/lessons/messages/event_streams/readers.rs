//! How consumers poll, work and commit, and how a group assigns its lanes.

use super::group::{
    COUNTER, Consumer, Fate, Phase, SEARCH, SEARCH_CARD, Stop, There, Worked, account, reader,
};
use super::lane::lane;
use super::model::{AWAY, Cx, Due, HANG, HOP, SLEEP, Streams, count, name};
use super::probe;
use super::settings::{Assign, Commit};
use algorithms::assignor::Assignor;
use algorithms::log::{Resume, resume};
use engine::{Arg, Note, Time, Tone};

/// An idle member hears from the group after so long at the latest.
const HEARTBEAT: Time = Time::ms(300);
/// The group's keeper and leader agree on who gets what.
const SYNC: Time = Time::ms(200);
/// A consumer that is to crash does so at the latest with so many records in hand.
const HANDFUL: usize = 4;

fn lane_word(l: usize) -> Arg {
    count(l + 1)
}

impl Streams {
    fn one(&mut self, g: usize, c: usize) -> &mut Consumer {
        &mut self.groups[g].consumers[c]
    }

    /// An idle consumer polls soon.
    pub(super) fn ask(&mut self, g: usize, c: usize, after: Time, cx: Cx<'_, '_>) {
        let one = self.one(g, c);
        if one.asked || one.busy() || !one.is_up() || one.hung.is_some() {
            return;
        }
        one.asked = true;
        let turn = one.turn;
        self.due(after, Due::Poll(g, c, turn), cx);
    }

    // region: poll
    /// A consumer asks for records from where it stands in each of its lanes.
    pub(super) fn poll(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let one = self.one(g, c);
        if one.busy() || !one.is_up() || one.hung.is_some() {
            return;
        }
        if !one.member {
            return self.enter(g, c, cx);
        }
        self.give_back(g, c, cx);
        self.join(g, c, cx);
        for l in self.one(g, c).lanes.clone() {
            if self.groups[g].bookmarks[l].position < self.lanes[l].log.start() {
                self.resume(g, l, cx);
            }
        }
        let group = &mut self.groups[g];
        let one = &mut group.consumers[c];
        (one.polled_at, one.worked) = (now, 0);
        one.batch.clear();
        let most = self.knobs.batch as usize;
        for step in 0..one.lanes.len() {
            let l = one.lanes[(one.first + step) % one.lanes.len()];
            let bookmark = &mut group.bookmarks[l];
            let (log, below) = (&self.lanes[l].log, self.lanes[l].watermark());
            let room = most - one.batch.len();
            for record in log.read(bookmark.position, below).take(room) {
                bookmark.position = record.offset + 1;
                one.batch.push((l, record.offset));
            }
        }
        one.first += 1;
        if !one.batch.is_empty() {
            self.begin_batch(g, c, cx);
        }
    }
    // endregion

    fn begin_batch(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        for record in self.one(g, c).batch.clone() {
            self.groups[g].hold(record, 1);
        }
        let size = self.one(g, c).batch.len();
        if self.knobs.commit == Commit::Before {
            self.commit(g, c, size, cx);
        }
        self.due(self.knobs.poll_limit(), Due::Late(g, c), cx);
        self.begin_work(g, c, cx);
    }

    fn begin_work(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let span = self.knobs.work_of(g);
        let one = self.one(g, c);
        one.work = Some((cx.now(), cx.now() + span));
        one.turn += 1;
        let turn = one.turn;
        self.due(span, Due::Worked(g, c, turn), cx);
    }

    /// The record in hand is worked.
    pub(super) fn worked(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(record) = self.groups[g].consumers[c].work.take().and_then(|_| {
            let one = &self.groups[g].consumers[c];
            one.batch.get(one.worked).copied()
        }) else {
            return;
        };
        let entry = self.groups[g].bookmarks[record.0].entry(record.1).copied();
        let number = entry.map_or(0, |entry| entry.number);
        let user = entry.map_or(0, |entry| entry.user);
        let outcome = self.groups[g].work(record);
        self.one(g, c).worked += 1;
        let (word, probe) = match outcome {
            Worked::First => ("works", probe::DONE),
            Worked::Overtaking => ("overtakes", probe::DONE),
            Worked::Again => ("works-again", probe::AGAIN),
        };
        cx.because(self.groups[g].consumers[c].cause);
        let note = Note::new(word).with(name(g, c)).with(count(number));
        let note = note.with(count(user)).about(reader(g, c)).dot(number);
        cx.say(note);
        if outcome != Worked::Again {
            self.groups[g].rate.add(0, now);
        }
        if g == SEARCH {
            cx.sample(probe, 1.0);
        }
        if outcome != Worked::First {
            let kind = usize::from(outcome == Worked::Again) + 1;
            if self.groups[g].marks[kind].due(now) {
                let word = if kind == 1 { "overtaken" } else { "again" };
                let note = Note::new(word).with(count(number)).with(count(user));
                cx.say(note.about(account(g)).dot(number).mark(Tone::Warn));
            }
        }
        let one = self.one(g, c);
        let (worked, size) = (one.worked, one.batch.len());
        if one.doomed.is_some() && size >= HANDFUL && 2 * worked >= size && one.busy() {
            return self.crash(c, cx);
        }
        if one.busy() {
            self.begin_work(g, c, cx);
        } else {
            self.finish(g, c, cx);
        }
    }

    // region: commit
    /// A batch is worked. Who is no member any more has worked it in vain: somebody else gets the same records.
    fn finish(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let size = self.one(g, c).batch.len();
        if self.knobs.commit == Commit::After {
            self.commit(g, c, size, cx);
        }
        self.one(g, c).batch.clear();
        self.one(g, c).worked = 0;
        self.poll(g, c, cx);
    }

    fn commit(&mut self, g: usize, c: usize, worked: usize, cx: Cx<'_, '_>) {
        let one = &self.groups[g].consumers[c];
        let Some((l, offset)) = one.batch[..worked].last().copied() else {
            return;
        };
        cx.because(one.cause);
        if one.member {
            self.groups[g].commit(c, worked);
            let note = Note::new("commits").with(name(g, c)).with(lane_word(l));
            cx.say(note.with(count(offset + 1)).about(reader(g, c)));
        } else {
            let over = count(self.groups[g].generation);
            let note = Note::new("refused")
                .with(name(g, c))
                .with(count(offset + 1));
            let note = note.with(over).about(reader(g, c)).mark(Tone::Bad);
            self.one(g, c).cause = cx.say(note);
            if g == SEARCH && self.stuck.is_none() {
                self.stuck = Some((cx.now(), self.committed(g)));
            }
        }
    }
    // endregion

    /// A consumer becomes a member.
    pub(super) fn enter(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let one = self.one(g, c);
        (one.member, one.joined) = (true, true);
        cx.because(one.cause);
        let note = Note::new("joins").with(name(g, c));
        let said = cx.say(note.about(reader(g, c)));
        self.one(g, c).cause = said;
        self.rebalance(g, cx);
    }

    /// The group assigns its lanes anew: each member is to join when it polls next.
    pub(super) fn rebalance(&mut self, g: usize, cx: Cx<'_, '_>) {
        let cooperative = g == SEARCH && self.knobs.assignor == Assign::Cooperative;
        let group = &mut self.groups[g];
        group.cause = cx.cause();
        match group.phase {
            Phase::Stable => {}
            // Whoever is there when lanes are assigned is counted in, and who has left is waited for no longer.
            Phase::Gathering { .. } | Phase::Assigning { .. } => return self.all_there(g, cx),
        }
        group.phase = Phase::Gathering { cooperative };
        group.turn += 1;
        group.stop = Stop::default();
        if g == SEARCH {
            group.cause = cx.say(Note::new("anew").about(SEARCH_CARD));
        }
        let group = &self.groups[g];
        let (turn, limit) = (group.turn, self.knobs.poll_limit());
        self.due(limit, Due::Timeout(g, turn), cx);
        for c in 0..self.groups[g].consumers.len() {
            let one = &self.groups[g].consumers[c];
            if one.member && !one.joined {
                self.one(g, c).asked = false;
                self.ask(g, c, HEARTBEAT, cx);
            }
        }
        self.all_there(g, cx);
    }

    // region: rebalance
    /// A member that polls while the group gathers joins; with the eager rules it stops reading.
    fn join(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let group = &mut self.groups[g];
        let Phase::Gathering { cooperative } = group.phase else {
            return;
        };
        if std::mem::replace(&mut group.consumers[c].joined, true) {
            return;
        }
        if !cooperative {
            group.release_all(c, cx.now());
            cx.because(group.cause);
            let note = Note::new("stops").with(name(g, c));
            cx.say(note.about(reader(g, c)));
        }
        self.all_there(g, cx);
    }
    // endregion

    fn all_there(&mut self, g: usize, cx: Cx<'_, '_>) {
        let group = &mut self.groups[g];
        let Phase::Gathering { cooperative } = group.phase else {
            return;
        };
        if group.all_joined() {
            group.phase = Phase::Assigning { cooperative };
            let turn = group.turn;
            self.due(SYNC, Due::Assigned(g, turn), cx);
        }
    }

    /// The group waits no longer.
    pub(super) fn timeout(&mut self, g: usize, turn: u32, cx: Cx<'_, '_>) {
        let group = &self.groups[g];
        if group.turn != turn || !matches!(group.phase, Phase::Gathering { .. }) {
            return;
        }
        for c in 0..self.groups[g].consumers.len() {
            let one = &self.groups[g].consumers[c];
            if one.member && !one.joined {
                self.put_out(g, c, "not-joined", self.knobs.poll_limit(), cx);
            }
        }
        self.all_there(g, cx);
    }

    /// Lanes get their readers, and each reader its place in them.
    pub(super) fn assign(&mut self, g: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let cooperative = matches!(self.groups[g].phase, Phase::Assigning { cooperative: true });
        let rule = match self.knobs.assignor.rule() {
            rule if g == SEARCH && rule.is_cooperative() == cooperative => rule,
            _ if cooperative => Assignor::Cooperative,
            // A round that was begun by the old rules ends by them.
            _ => Assignor::Sticky,
        };
        let rule = if g == COUNTER { Assignor::Range } else { rule };
        let given = self.groups[g].assign(rule);
        let group = &mut self.groups[g];
        group.generation += 1;
        (group.phase, group.assigned_at) = (Phase::Stable, now);
        let why = group.cause;
        if g == SEARCH {
            let members = group.consumers.iter().filter(|one| one.member);
            let note = Note::new("assigned").with(count(group.generation));
            let note = note
                .with(count(self.lanes.len()))
                .with(count(members.count()));
            cx.because(why);
            cx.say(note.about(SEARCH_CARD));
        }
        for (c, lanes) in given.iter().enumerate() {
            let one = &mut self.groups[g].consumers[c];
            if !one.member {
                continue;
            }
            one.joined = false;
            one.had.clear();
            let had = one.lanes.clone();
            let revoked = had.iter().filter(|l| !lanes.contains(l)).copied();
            one.revoked = revoked.collect();
            let gains: Vec<usize> = lanes.iter().filter(|l| !had.contains(l)).copied().collect();
            cx.because(why);
            if lanes.is_empty() && one.revoked.is_empty() {
                let all = count(self.lanes.len());
                let note = Note::new("no-lane").with(name(g, c)).with(all);
                let said = cx.say(note.about(reader(g, c)));
                self.one(g, c).cause = said;
            }
            for l in gains {
                cx.because(why);
                self.take(g, c, l, cx);
            }
        }
        for c in 0..self.groups[g].consumers.len() {
            let one = &self.groups[g].consumers[c];
            if one.member && (!one.lanes.is_empty() || !one.revoked.is_empty()) {
                self.one(g, c).asked = false;
                self.ask(g, c, Time::ZERO, cx);
            }
        }
        self.groups[g].rate.restart(now);
    }

    // region: take
    /// A consumer takes a lane from where the group has committed it, or from where it is reset to.
    fn take(&mut self, g: usize, c: usize, l: usize, cx: Cx<'_, '_>) {
        let bookmark = &mut self.groups[g].bookmarks[l];
        bookmark.owner = Some(c);
        let stopped = bookmark.stopped.take();
        if let Some(since) = stopped {
            let span = cx.now().since(since);
            let stop = &mut self.groups[g].stop;
            stop.lanes += 1;
            stop.longest = stop.longest.max(span);
        }
        self.one(g, c).lanes.push(l);
        self.one(g, c).lanes.sort_unstable();
        let note = Note::new("takes").with(name(g, c)).with(lane_word(l));
        let said = cx.say(note.about(reader(g, c)));
        self.one(g, c).cause = said;
        self.resume(g, l, cx);
    }

    /// Where a group goes on in a lane.
    fn resume(&mut self, g: usize, l: usize, cx: Cx<'_, '_>) {
        let (start, end) = (self.lanes[l].log.start(), self.lanes[l].watermark());
        let committed = self.groups[g].bookmarks[l].committed;
        let next = match resume(committed, start, end, self.knobs.reset.rule()) {
            Resume::At(next) => next,
            Resume::Reset(next) => {
                for offset in committed.unwrap_or(start)..next {
                    self.groups[g].lose(l, offset, Fate::Lost);
                }
                if let Some(old) = committed {
                    let note = Note::new("out-of-range").with(lane_word(l));
                    let note = note.with(count(old)).with(count(next)).about(account(g));
                    self.groups[g].cause = cx.say(note.mark(Tone::Bad));
                }
                next
            }
        };
        let bookmark = &mut self.groups[g].bookmarks[l];
        (bookmark.committed, bookmark.position) = (Some(next), next);
    }
    // endregion

    /// Cooperative: what is to move is given back between two polls, and then the group gathers again.
    fn give_back(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let revoked = std::mem::take(&mut self.one(g, c).revoked);
        if revoked.is_empty() {
            return;
        }
        for l in revoked {
            self.groups[g].release(l, cx.now());
            cx.because(self.groups[g].cause);
            let note = Note::new("gives-back").with(name(g, c));
            cx.say(note.with(lane_word(l)).about(reader(g, c)));
        }
        // The second step of a rebalance belongs to the first.
        let stop = self.groups[g].stop;
        self.rebalance(g, cx);
        self.groups[g].stop = stop;
    }

    /// A consumer is put out of its group; it may not know yet.
    fn put_out(&mut self, g: usize, c: usize, word: &'static str, span: Time, cx: Cx<'_, '_>) {
        cx.because(self.groups[g].consumers[c].cause);
        let note = Note::new(word).with(name(g, c)).with(Arg::Span(span));
        let said = cx.say(note.about(reader(g, c)).mark(Tone::Warn));
        self.one(g, c).cause = said;
        self.groups[g].remove(c, cx.now());
    }

    /// All that a group has committed.
    pub(super) fn committed(&self, g: usize) -> u64 {
        let all = self.groups[g].bookmarks.iter();
        all.filter_map(|one| one.committed).sum()
    }

    /// Who has not polled for too long leaves the group by itself, and goes on working in vain.
    pub(super) fn late(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let limit = self.knobs.poll_limit();
        let one = &self.groups[g].consumers[c];
        if !one.member || !one.is_up() || !(one.busy() || one.hung.is_some()) {
            return;
        }
        let gone = cx.now().since(one.polled_at);
        if gone >= limit {
            self.put_out(g, c, "out", limit, cx);
            self.rebalance(g, cx);
        } else {
            self.due(limit - gone, Due::Late(g, c), cx);
        }
    }

    /// What a consumer had in hand when it stopped: committed before the work, it is lost.
    fn let_go(&mut self, g: usize, c: usize, cx: Cx<'_, '_>) {
        let mut lost = 0_u32;
        for (l, offset) in self.groups[g].drop_batch(c) {
            let committed = self.groups[g].bookmarks[l].committed;
            if committed.is_some_and(|next| offset < next) {
                lost += u32::from(self.groups[g].lose(l, offset, Fate::Lost));
            }
        }
        if lost > 0 {
            let note = Note::new("lost").with(name(g, c)).with(count(lost));
            cx.say(note.about(account(g)).mark(Tone::Bad));
        }
    }

    pub(super) fn crash(&mut self, c: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        cx.because(self.groups[SEARCH].consumers[c].cause);
        let note = Note::new("crashes").with(name(SEARCH, c));
        let said = cx.say(note.about(reader(SEARCH, c)).mark(Tone::Bad));
        let one = self.one(SEARCH, c);
        (one.there, one.doomed, one.hung) = (There::Dead(now + AWAY), None, None);
        one.cause = said;
        self.let_go(SEARCH, c, cx);
        for bookmark in &mut self.groups[SEARCH].bookmarks {
            if bookmark.owner == Some(c) {
                bookmark.stopped = Some(now);
                bookmark.position = bookmark.committed.unwrap_or(bookmark.position);
            }
        }
        let turn = self.one(SEARCH, c).turn;
        self.due(Time::from_s(self.knobs.session), Due::Silent(c, turn), cx);
        self.due(AWAY, Due::Wake(SEARCH), cx);
    }

    /// Nobody has heard of a dead consumer for a session.
    pub(super) fn silent(&mut self, c: usize, turn: u32, cx: Cx<'_, '_>) {
        let one = &self.groups[SEARCH].consumers[c];
        if one.turn == turn && one.member && matches!(one.there, There::Dead(_)) {
            let since: Vec<Option<Time>> = self.groups[SEARCH]
                .bookmarks
                .iter()
                .map(|one| one.stopped)
                .collect();
            self.put_out(SEARCH, c, "silent", Time::from_s(self.knobs.session), cx);
            // They have had no reader since the crash.
            for (bookmark, since) in self.groups[SEARCH].bookmarks.iter_mut().zip(since) {
                bookmark.stopped = since.or(bookmark.stopped);
            }
            self.rebalance(SEARCH, cx);
        }
    }

    pub(super) fn hang(&mut self, c: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let note = Note::new("hangs")
            .with(name(SEARCH, c))
            .with(Arg::Span(HANG));
        let said = cx.say(note.about(reader(SEARCH, c)).mark(Tone::Learner));
        let one = self.one(SEARCH, c);
        one.hung = Some(now + HANG);
        one.cause = said;
        one.turn += 1;
        one.asked = false;
        one.work = None;
        if !one.busy() {
            one.polled_at = now;
        }
        self.due(HANG, Due::Wake(SEARCH), cx);
        self.due(Time::ZERO, Due::Late(SEARCH, c), cx);
    }

    /// A consumer stops in order: it commits what it has worked, and leaves.
    pub(super) fn leave(
        &mut self,
        g: usize,
        c: usize,
        there: There,
        word: &'static str,
        cx: Cx<'_, '_>,
    ) {
        let note = Note::new(word).with(name(g, c));
        let said = cx.say(note.about(reader(g, c)));
        let worked = self.one(g, c).worked;
        let member = self.one(g, c).member;
        if member && self.knobs.commit == Commit::After {
            self.groups[g].commit(c, worked);
        }
        let one = self.one(g, c);
        (one.there, one.doomed, one.hung) = (there, None, None);
        one.cause = said;
        self.let_go(g, c, cx);
        self.groups[g].remove(c, cx.now());
        if member {
            cx.because(said);
            self.rebalance(g, cx);
        }
    }

    pub(super) fn sleep(&mut self, cx: Cx<'_, '_>) {
        let note = Note::new("sleeps").with(Arg::Span(SLEEP));
        let said = cx.say(note.mark(Tone::Learner));
        self.trials.awake = None;
        for c in 0..self.groups[SEARCH].consumers.len() {
            let there = self.groups[SEARCH].consumers[c].there;
            if !matches!(there, There::Not | There::Asleep(_)) {
                cx.because(said);
                let until = There::Asleep(cx.now() + SLEEP);
                self.leave(SEARCH, c, until, "asleep", cx);
            }
        }
        self.due(SLEEP, Due::Wake(SEARCH), cx);
    }

    /// Consumers that are due are back, all of them before the first joins.
    pub(super) fn wake(&mut self, g: usize, cx: Cx<'_, '_>) {
        let now = cx.now();
        let mut back = Vec::new();
        for c in 0..self.groups[g].consumers.len() {
            let one = &mut self.groups[g].consumers[c];
            let due = match one.there {
                There::Starting(at) | There::Dead(at) | There::Asleep(at) => Some(at),
                There::Up => one.hung,
                There::Not => None,
            };
            if due.is_none_or(|at| at > now) {
                continue;
            }
            if matches!(one.there, There::Asleep(_)) {
                self.trials.awake = Some(now);
            }
            if one.hung.take().is_some() {
                let note = Note::new("goes-on").with(name(g, c));
                cx.because(one.cause);
                one.cause = cx.say(note.about(reader(g, c)));
                if one.busy() {
                    self.begin_work(g, c, cx);
                } else {
                    self.ask(g, c, Time::ZERO, cx);
                }
                continue;
            }
            one.there = There::Up;
            cx.because(one.cause);
            one.cause = cx.say(Note::new("back").with(name(g, c)).about(reader(g, c)));
            if one.member {
                self.groups[g].remove(c, now);
            }
            let one = self.one(g, c);
            (one.member, one.joined) = (true, true);
            back.push(c);
        }
        if let Some(first) = back.first() {
            cx.because(self.groups[g].consumers[*first].cause);
            self.rebalance(g, cx);
        }
    }

    /// Counter goes back to the first records that are left.
    pub(super) fn rewind(&mut self, cx: Cx<'_, '_>) {
        let said = cx.say(
            Note::new("rewinds")
                .about(reader(COUNTER, 0))
                .mark(Tone::Learner),
        );
        self.groups[COUNTER].drop_batch(0);
        for l in 0..self.lanes.len() {
            let start = self.lanes[l].log.start();
            let bookmark = &mut self.groups[COUNTER].bookmarks[l];
            (bookmark.committed, bookmark.position) = (Some(start), start);
            let note = Note::new("from-start")
                .with(lane_word(l))
                .with(count(start));
            cx.because(said);
            cx.say(note.about(lane(l)));
        }
        self.one(COUNTER, 0).cause = said;
        self.ask(COUNTER, 0, HOP, cx);
    }
}
