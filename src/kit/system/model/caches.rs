//! Caches and what stores know: copies that answer, requests that are passed on, versions that are read, written and handed back.

use super::{System, count};
use crate::flow::Key;
use crate::system::cache::{Answer, Book, Fact, Versions, place, thing};
use crate::system::frame::{Frame, Place};
use crate::system::ledger::Count;
use crate::system::parcel::Seat;
use crate::system::plan::{Cache, Kind, NodeId};
use crate::system::script::Cx;
use algorithms::copies::{Arrival, Copies};
use engine::{Arg, Time};

impl Book {
    fn say(&mut self, to: Key, answer: Answer) {
        match self.said.iter_mut().find(|(key, _)| *key == to) {
            Some(said) => said.1 = answer,
            None => self.said.push((to, answer)),
        }
    }

    fn hear(&self, key: Key) -> Option<Answer> {
        let said = self.said.iter().find(|said| said.0 == key);
        said.map(|said| said.1)
    }

    fn versions(&mut self, store: u16) -> &mut Versions {
        let known = self.stores.iter().position(|it| it.store == store);
        let place = known.unwrap_or_else(|| {
            self.stores.push(Versions {
                store,
                of: Vec::new(),
            });
            self.stores.len() - 1
        });
        &mut self.stores[place]
    }
}

impl System {
    /// The rule of a cache; none for what is no cache.
    pub(super) fn cache_rule(&self, node: u16) -> Option<&Cache> {
        match &self.live(node)?.node.kind {
            Kind::Cache(cache) => Some(cache),
            _ => None,
        }
    }

    // region: come
    /// A request has come to a cache: a copy that is fresh answers it, else the cache asks on.
    pub(in crate::system) fn look_up(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (node, member, draw) = (frame.node, frame.member, frame.draw);
        let Some(cache) = self.cache_rule(node) else {
            return;
        };
        let (life, tells) = (cache.life, cache.tells_age);
        let owner = if cache.private { draw.person } else { 0 };
        let now = cx.now();
        let Some(part) = self.part_mut(node, member) else {
            return;
        };
        let copies = part.copies.as_mut();
        let copy = copies.and_then(|it| it.get(place(owner, draw.key), life.0, now.0).copied());
        let Some(copy) = copy else {
            part.pool.hold(key, now);
            return self.start(key, cx);
        };
        let age = Time(copy.age_us(now.0));
        let seat = Seat {
            node: NodeId(node),
            member: usize::from(member),
        };
        self.answer_from(key, copy.value, (seat, age, tells), cx);
    }
    // endregion

    fn answer_from(
        &mut self,
        key: Key,
        kept: Fact,
        (by, age, tells): (Seat, Time, bool),
        cx: Cx<'_, '_>,
    ) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, thing) = (frame.number, frame.draw.key);
        let stale = kept.version < self.version(kept.store, thing);
        let (node, member) = (by.node.0, by.member as u16);
        let part = self.part_of(node, member);
        let member = self.live_mut(node).map(|live| {
            let member = live.members.get_mut(by.member);
            (&mut live.row, member.map(|it| &mut it.own.row))
        });
        if let Some((row, own)) = member {
            for row in [Some(row), own].into_iter().flatten() {
                row.add(Count::Hit);
                if stale {
                    row.add(Count::Stale);
                }
            }
        }
        let word = if stale { "answers-old" } else { "answers" };
        let args = [Arg::Part(part), count(kept.version), Arg::Span(age)];
        let note = self.tell(word, args, (part, number), cx);
        cx.because(note);
        if let Some(book) = &mut self.book {
            let answer = Answer {
                store: kept.store,
                version: kept.version,
                read: kept.read,
                by,
                age: if tells { age } else { Time::ZERO },
            };
            book.say(key, answer);
        }
        self.well(key, cx);
        self.give_back(key, cx);
    }

    /// What a cache has asked for is there: it keeps it and hands it on.
    pub(in crate::system) fn brought(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key).copied() else {
            return;
        };
        let (node, member) = (frame.node, frame.member);
        if self.cache_rule(node).is_none() {
            return;
        }
        let said = self.book.as_ref().and_then(|book| book.hear(key));
        // What stands in for an answer is none to keep.
        if let Some(answer) = said.filter(|_| !frame.partial) {
            self.keep_copy(key, &frame, answer, cx);
        }
        if frame.depth == 0 {
            self.forget(key);
        } else {
            self.well(key, cx);
            self.give_back(key, cx);
        }
        if let Some(part) = self.part_mut(node, member) {
            part.pool.release(key, cx.now());
        }
        self.leave_if_done(node);
    }

    fn keep_copy(&mut self, key: Key, frame: &Frame, answer: Answer, cx: Cx<'_, '_>) {
        let now = cx.now();
        let (node, member) = (frame.node, frame.member);
        let Some(cache) = self.cache_rule(node) else {
            return;
        };
        let (life, reads, tells) = (cache.life, cache.reads_age, cache.tells_age);
        let room = cache.room.map(|room| room as usize);
        let owner = if cache.private { frame.draw.person } else { 0 };
        let arrival = Arrival {
            age_us: answer.age.0,
            asked_us: frame.reached.0,
            now_us: now.0,
        };
        let born = arrival.born_us(reads);
        let kept = Fact {
            store: answer.store,
            version: answer.version,
            read: answer.read,
        };
        if let (false, Some(book)) = (tells, &mut self.book) {
            let age = Time::ZERO;
            book.say(key, Answer { age, ..answer });
        }
        let Some(part) = self.part_mut(node, member) else {
            return;
        };
        let copies = part.copies.get_or_insert_with(|| Box::new(Copies::new()));
        let at = place(owner, frame.draw.key);
        if !copies.put(at, kept, (born, life.0), room, now.0) {
            return;
        }
        let part = self.part_of(node, member);
        let age = Time(now.0.saturating_sub(born));
        let args = [Arg::Part(part), count(answer.version), Arg::Span(age)];
        let note = self.tell("keeps", args, (part, frame.number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
    }

    /// A store reads the version of what a call is about, now: the call's answer says so.
    pub(in crate::system) fn read_version(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (store, member) = frame.at();
        let answer = Answer {
            store,
            version: self.version(store, frame.draw.key),
            read: cx.now(),
            by: Seat {
                node: store,
                member,
            },
            age: Time::ZERO,
        };
        if let Some(book) = &mut self.book {
            book.say(key, answer);
        }
    }

    /// A store writes what a call is about: its version is the next one.
    pub(in crate::system) fn write_version(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(frame) = self.frames.get(key) else {
            return;
        };
        let (number, store, member) = (frame.number, frame.node, frame.member);
        let thing = frame.draw.key;
        self.add_versions(NodeId(store), thing, 1);
        let version = self.version(NodeId(store), thing);
        let part = self.part_of(store, member);
        let args = [Arg::Part(part), count(version), count(number)];
        let note = self.tell("writes", args, (part, number), cx);
        if let Some(frame) = self.frames.get_mut(key) {
            frame.note = note;
        }
        self.read_version(key, cx);
    }

    /// The version of a thing is so many more, in a store. Says nothing.
    pub fn add_versions(&mut self, store: NodeId, key: u32, more: u32) {
        let Some(book) = &mut self.book else { return };
        let versions = book.versions(store.0);
        let thing = thing(key) as usize;
        if versions.of.len() <= thing {
            versions.of.resize(thing + 1, 0);
        }
        versions.of[thing] += more;
    }

    /// One member of a cache forgets what it has under a name, whoever it is kept for; how many copies that were. What it has
    /// asked for already it will keep all the same. Says nothing.
    pub fn purge_key(&mut self, seat: Seat, key: u32) -> usize {
        let part = self.part_mut(seat.node.0, seat.member as u16);
        let copies = part.and_then(|part| part.copies.as_mut());
        copies.map_or(0, |copies| copies.purge(|at| at as u32 == key))
    }

    /// A caller has what a call's answer says, as its own.
    pub(in crate::system) fn hand_on(&mut self, call: Key) {
        let Some(frame) = self.frames.get(call) else {
            return;
        };
        let (parent, of) = (frame.parent, frame.of);
        let failed = frame.failed.is_some() || frame.left;
        let waits = !failed && self.awaits(parent, of);
        let Some(book) = &mut self.book else { return };
        let Some(at) = book.said.iter().position(|(key, _)| *key == call) else {
            return;
        };
        let (_, answer) = book.said.swap_remove(at);
        if waits {
            book.say(parent, answer);
        }
    }

    /// A request is over: what it was told is known until the next one is.
    pub(in crate::system) fn tell_home(&mut self, key: Key) {
        let Some(book) = &mut self.book else { return };
        let at = book.said.iter().position(|said| said.0 == key);
        book.told = at.map(|at| book.said.swap_remove(at).1);
        // What was said to those who are gone without having heard it.
        if book.said.len() > 64 {
            let frames = &self.frames;
            book.said.retain(|(key, _)| frames.has(*key));
        }
    }

    /// Calls that a cache has asked on for.
    fn asked_on(&self, node: u16) -> u32 {
        let inside = |frame: &Frame| {
            let held = matches!(frame.place, Place::Held | Place::HeldBack);
            frame.node == node && held && frame.depth > 0
        };
        let all = self.frames.iter().filter(|(_, frame)| inside(frame));
        all.count() as u32
    }

    fn caches(&self) -> impl Iterator<Item = u16> {
        let all = self.nodes.iter().flatten();
        let caches = all.filter(|live| matches!(live.node.kind, Kind::Cache(_)));
        caches.map(|live| live.node.id.0)
    }

    /// The ledger begins anew.
    pub(in crate::system) fn carry(&mut self) {
        let carried = self.caches().map(|node| (node, self.asked_on(node)));
        let carried = carried.collect();
        if let Some(book) = &mut self.book {
            book.carried = carried;
        }
    }

    /// About what copies take.
    pub(in crate::system) fn bytes_of_copies(&self) -> usize {
        let live = self.nodes.iter().flatten();
        let members = live.flat_map(|live| live.members.iter());
        members
            .filter_map(|it| it.own.copies.as_ref())
            .map(|copies| copies.bytes())
            .sum()
    }

    /// What came to a cache was answered by a copy or asked on for, and what was asked on for has come back, has failed or is
    /// under way; no copy is newer than its store, and none is beyond the room.
    pub(in crate::system) fn caches_are_right(&self) -> Result<(), String> {
        let Some(book) = &self.book else {
            return Ok(());
        };
        for node in self.caches() {
            let Some(live) = self.live(node) else {
                continue;
            };
            let row = live.row;
            let carried = book.carried.iter().find(|it| it.0 == node);
            let carried = carried.map_or(0, |it| it.1);
            let inside = self.asked_on(node);
            let out = row.of(Count::Done) + row.of(Count::Failed);
            if row.of(Count::Came) + carried != out + inside {
                return Err(format!(
                    "cache {node} took in {} and {carried}, {out} are out, {inside} under way",
                    row.of(Count::Came)
                ));
            }
            if row.of(Count::Hit) > row.of(Count::Done) || row.of(Count::Stale) > row.of(Count::Hit)
            {
                return Err(format!("cache {node} makes hits up: {row:?}"));
            }
            for (member, it) in live.members.iter().enumerate() {
                let Some(copies) = &it.own.copies else {
                    continue;
                };
                let keys = copies.iter().map(|(key, _)| key);
                if !keys.is_sorted_by(|a, b| a < b) {
                    return Err(format!("cache {node}.{member} has two copies of one key"));
                }
                for (key, copy) in copies.iter() {
                    let kept = copy.value;
                    let newest = self.version(kept.store, key as u32);
                    if kept.version > newest || kept.read > self.now || copy.kept_us > self.now.0 {
                        return Err(format!("cache {node}.{member} is ahead of time: {copy:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}
