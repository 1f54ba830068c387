//! The system: a browser, a server, the connections between them, and a page whose files travel on them.

use super::probe;
use super::state::{
    BROWSER, Conn, FILES_MAX, Mark, NEWS_SLOT, PAGE, PAGE_SLOTS, Page, Passing, Place, Request,
    Row, SERVER, SLOTS, Seen, Settings, State, Way, What, pipe, row,
};
use algorithms::connections::{self, Transport};
use algorithms::http_exchange::{
    Choice, Method, Seat, Window, choose, may_try_again, retransmission_timeout, waits_for_lost,
};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, Stream, Time, Tone, random};
use kit::flow::{Balance, Key, Slab, Source};
use std::collections::VecDeque;

const PORTS: Stream = Stream::named("ports");
const JITTER: Stream = Stream::named("jitter");
pub(super) const TIMES: Stream = Stream::named("news");
/// Draws of jitter for a file: six for the set-up of its connection, two for itself.
const LOT: usize = 8;
/// Marks kept.
const MARKS_MAX: usize = 40;

/// Actions, as numbers of the sheet's list.
pub(super) mod act {
    pub(in super::super) const CLICK: usize = 0;
    pub(in super::super) const LOSE: usize = 1;
    pub(in super::super) const RACE: usize = 2;
    pub(in super::super) const RESTART: usize = 3;
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A message of a connection's set-up is at the end of its way.
    Trip(Key),
    /// The answer of a set-up, lost before, is sent again.
    TripAgain(Key),
    /// A request is at the end of its way or work, if its turn is still this one.
    Due(Key, u32),
    /// A lost segment is sent again.
    Again(Key),
    /// What a sender had under way is acknowledged.
    Round(Key),
    /// A connection has been idle for too long, if its clock was not set again.
    Idle(Key, u32),
    /// The end of a connection is half-way to the client.
    Race(Key),
    /// The client hears of the end of a connection.
    Fin(Key),
    /// The next news, if the source's turn is still this one.
    News(u32),
    /// The next poll, if news are still heard of that way.
    Ask(u32),
    /// A frame of a WebSocket arrives.
    Frame(u32),
}

/// Which segment of the server an action lets go missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Armed {
    No,
    /// The next one, whatever it is.
    Next,
    /// The next one of a file that the document names.
    File,
}

/// What became of the request that an action sent as a connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    None,
    Waits,
    Sent,
    Done,
    Failed,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Browsing {
    pub(super) knobs: Settings,
    pub(super) now: Time,
    pub(super) conns: Slab<Conn>,
    pub(super) requests: Slab<Request>,
    pub(super) slots: [Option<Key>; SLOTS],
    pub(super) waiting: VecDeque<Key>,
    pub(super) page: Page,
    /// The rows of the page before.
    pub(super) ghost: Vec<Row>,
    pub(super) marks: Vec<Mark>,
    pub(super) post: Post,
    armed: Armed,
    /// Whether the server was met with keys to remember.
    pub(super) met: bool,
    jitters: Vec<f64>,
    requests_gone: u64,
    conns_gone: u64,
    click: NoteId,
    // News.
    pub(super) source: Source,
    pub(super) unread: Vec<Seen>,
    pub(super) births: u32,
    pub(super) frames: VecDeque<Seen>,
    pub(super) seen: VecDeque<Seen>,
    pub(super) ages: (f64, u32),
    pub(super) asked: u32,
    /// News born from here on count: the first question has met the server.
    pub(super) counts_from: Time,
    pub(super) hears_since: Time,
    pub(super) news_turn: u32,
    pub(super) news_note: NoteId,
    pub(super) key: [u8; 16],
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

impl Browsing {
    /// One way along the link, with the jitter of this draw.
    pub(super) fn one_way(&self, lot: usize, step: usize) -> Time {
        let draw = self.jitters.get(lot * LOT + step).copied().unwrap_or(0.0);
        Time(self.knobs.round_trip().0 / 2) + Time::from_ms(self.knobs.jitter * draw)
    }

    pub(super) fn conn(&self, slot: usize) -> Option<&Conn> {
        self.slots[slot].and_then(|key| self.conns.get(key))
    }

    fn put(&mut self, key: Key, place: Place, due: Option<Time>, cx: Cx<'_, '_>) {
        if let Some(request) = self.requests.get_mut(key) {
            request.place = place;
            request.turn += 1;
            if let Some(at) = due {
                cx.schedule(at.since(cx.now()), Event::Due(key, request.turn));
            }
        }
    }

    /// A note about a request and the row that it fills, in the chain of those that were said of it.
    pub(super) fn say(&mut self, key: Key, note: Note, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        cx.because(request.cause);
        let part = match request.what {
            What::File(file) => row(file),
            What::Post => BROWSER,
            What::Poll | What::LongPoll | What::Upgrade => super::state::NEWS,
        };
        let note = note.with(Arg::Part(part)).about(part);
        request.cause = cx.say(note.dot(request.number));
    }

    pub(super) fn request(&mut self, what: What, cx: Cx<'_, '_>) -> Key {
        let number = self.requests.born() + 1;
        self.requests.insert(Request {
            number,
            what,
            place: Place::Waits,
            conn: None,
            asked: cx.now(),
            lost: None,
            flight: Time::ZERO,
            brings: Vec::new(),
            turn: 0,
            cause: cx.cause(),
        })
    }

    /// Loads the page: from nothing if `fresh`, else on the connections that are there.
    fn load(&mut self, fresh: bool, note: Note, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.click = cx.say(note.about(BROWSER));
        if let Some(total) = self.page.total()
            && total > Time::ZERO
        {
            self.ghost.clone_from(&self.page.rows);
            let begun = self.page.begun;
            for row in &mut self.ghost {
                row.sent = row.sent.map(|at| at.since(begun));
                row.done = row.done.map(|at| at.since(begun));
            }
        }
        for slot in 0..PAGE_SLOTS {
            let Some(key) = self.slots[slot] else {
                continue;
            };
            // A click gives up what is under way; a new design begins without any connection.
            if fresh
                || self
                    .conns
                    .get(key)
                    .is_some_and(|conn| !conn.held.is_empty())
            {
                self.forget(slot);
            }
        }
        if self.post != Post::Waits {
            self.post = Post::None;
        }
        for key in std::mem::take(&mut self.waiting) {
            self.requests.remove(key);
            self.requests_gone += 1;
        }
        self.jitters = (0..FILES_MAX * LOT)
            .map(|_| random::unit(cx.random(JITTER)))
            .collect();
        self.page = Page {
            begun: now,
            fresh: (0..PAGE_SLOTS).all(|slot| self.conn(slot).is_none_or(Conn::is_vacant)),
            clean: true,
            met: self.met,
            ..Page::default()
        };
        let first = if self.knobs.first {
            1
        } else {
            self.knobs.files as usize
        };
        self.want(first, cx);
    }

    /// Lets go of a connection and of all that is on it.
    pub(super) fn forget(&mut self, slot: usize) {
        let Some(conn) = self.slots[slot]
            .take()
            .and_then(|key| self.conns.remove(key))
        else {
            return;
        };
        self.conns_gone += 1;
        for key in conn.held {
            self.requests.remove(key);
            self.requests_gone += 1;
        }
    }

    /// Asks for further files, until `upto` of them are asked for.
    fn want(&mut self, upto: usize, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        for file in self.page.rows.len()..upto {
            self.page.rows.push(Row {
                wanted: cx.now(),
                ..Row::default()
            });
            cx.because(cause);
            let key = self.request(What::File(file), cx);
            let named = file > 0 && self.knobs.first;
            let word = if named { "names" } else { "asks" };
            self.say(key, Note::new(word), cx);
            self.waiting.push_back(key);
        }
        self.dispatch(cx);
    }

    /// Gives connections to what waits for one.
    fn dispatch(&mut self, cx: Cx<'_, '_>) {
        while let Some(&key) = self.waiting.front() {
            let mut seats = Vec::new();
            let mut keys = Vec::new();
            for slot in 0..PAGE_SLOTS {
                let Some(conn) = self.conn(slot).filter(|conn| !conn.is_vacant()) else {
                    continue;
                };
                // A closed one that still holds requests takes none, and keeps its pipe until they have come back.
                let gone = conn.state == State::Closed;
                seats.push(Seat {
                    open: !gone && conn.state != State::Opening,
                    busy: if gone { usize::MAX } else { conn.held.len() },
                    free_since: conn.free_since.0,
                });
                keys.extend(self.slots[slot]);
            }
            let conn = match choose(self.knobs.way.design(), &seats) {
                Choice::On(at) => keys[at],
                Choice::Open => {
                    let vacant = |slot: &usize| self.conn(*slot).is_none_or(Conn::is_vacant);
                    let slot = (0..PAGE_SLOTS).find(vacant).unwrap_or(0);
                    self.open(slot, key, cx)
                }
                Choice::Waits => break,
            };
            self.waiting.pop_front();
            self.board(key, conn, cx);
        }
        for key in self.waiting.clone() {
            let told = |request: &Request| request.turn > 0;
            if !self.requests.get(key).is_some_and(told) {
                self.put(key, Place::Waits, None, cx);
                self.say(key, Note::new("waits"), cx);
            }
        }
    }

    /// Puts a request on a connection; it leaves at once if that is open.
    pub(super) fn board(&mut self, key: Key, conn: Key, cx: Cx<'_, '_>) {
        let Some(connection) = self.conns.get_mut(conn) else {
            return;
        };
        connection.held.push(key);
        let open = connection.state != State::Opening;
        if let Some(request) = self.requests.get_mut(key) {
            request.conn = Some(conn);
        }
        if open {
            self.send(key, cx);
        }
    }

    /// Opens a connection for a request.
    pub(super) fn open(&mut self, slot: usize, owner: Key, cx: Cx<'_, '_>) -> Key {
        self.forget(slot);
        let way = if slot == NEWS_SLOT {
            Way::KeptOne
        } else {
            self.knobs.way
        };
        let (transport, security) = self.knobs.setup(way, self.met);
        let trips = connections::setup_round_trips(transport, security);
        let what = self.requests.get(owner).map(|request| request.what);
        let lot = match what {
            Some(What::File(file)) => file,
            _ => 0,
        };
        if let Some(request) = self.requests.get(owner) {
            cx.because(request.cause);
        }
        let note = Note::new(if trips == 0 { "opens-early" } else { "opens" });
        let cause = cx.say(note.with(count(trips)).about(pipe(slot)));
        let ports = 65_536 - 49_152;
        let key = self.conns.insert(Conn {
            slot,
            number: self.conns.born() + 1,
            port: 49_152 + random::below(cx.random(PORTS), ports) as u16,
            quic: transport == Transport::Quic,
            state: State::Opening,
            trips: (0, trips),
            tried: 0,
            passing: None,
            gap: None,
            opened: cx.now(),
            connected: None,
            ready: None,
            held: Vec::new(),
            requests: 0,
            window: Window::default(),
            clocked: false,
            stalled: Time::ZERO,
            stalled_by: NoteId::NONE,
            free_since: cx.now(),
            idle_turn: 0,
            upgraded: false,
            lot,
            cause,
        });
        self.slots[slot] = Some(key);
        if let Some(What::File(file)) = what {
            self.row(file, |row| row.opened = Some(cx.now()));
        }
        if trips == 0 {
            self.ready(key, cx);
        } else {
            self.pass(key, false, cx);
        }
        key
    }

    fn row(&mut self, file: usize, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.page.rows.get_mut(file) {
            change(row);
        }
    }

    /// Lets a message of the set-up leave.
    fn pass(&mut self, key: Key, back: bool, cx: Cx<'_, '_>) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let step = 2 * (conn.trips.0 as usize).min(2) + usize::from(back);
        let (from, to) = (cx.now(), cx.now() + self.one_way(conn.lot, step));
        if let Some(conn) = self.conns.get_mut(key) {
            conn.passing = Some(Passing { from, to, back });
            conn.gap = None;
            cx.schedule(to.since(from), Event::Trip(key));
        }
    }

    fn trip(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if conn.state != State::Opening {
            return;
        }
        let back = conn.passing.take().is_some_and(|passing| passing.back);
        if !back {
            self.answer_setup(key, cx);
            return;
        }
        (conn.trips.0, conn.tried) = (conn.trips.0 + 1, 0);
        let (slot, trips, quic, lot) = (conn.slot, conn.trips, conn.quic, conn.lot);
        if trips.0 == 1 && !quic {
            conn.connected = Some(cx.now());
        }
        if slot != NEWS_SLOT {
            self.page.trips += 1;
            self.page.empty += 1;
            if trips.0 == 1 && !quic {
                self.row(lot, |row| row.connected = Some(cx.now()));
            }
        }
        cx.sample(probe::HEADS, super::heads::SETUP_BYTES as f64);
        if trips.0 < trips.1 {
            self.pass(key, false, cx);
        } else {
            self.ready(key, cx);
        }
    }

    /// The server's part of a round trip of the set-up, which may get lost.
    fn answer_setup(&mut self, key: Key, cx: Cx<'_, '_>) {
        let round_trip = self.knobs.round_trip().0;
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if self.armed != Armed::Next || conn.slot == NEWS_SLOT {
            self.pass(key, true, cx);
            return;
        }
        self.armed = Armed::No;
        let measured = (conn.trips.0 > 0).then_some(round_trip);
        let after = Time(retransmission_timeout(measured, conn.tried));
        conn.tried += 1;
        conn.gap = Some((cx.now(), cx.now() + after));
        let note = Note::new("setup-lost")
            .with(Arg::Span(after))
            .mark(Tone::Bad);
        cx.because(conn.cause);
        conn.cause = cx.say(note.about(pipe(conn.slot)));
        (self.page.clean, self.page.losses) = (false, self.page.losses + 1);
        cx.schedule(after, Event::TripAgain(key));
    }

    /// The set-up is over: what waits for it leaves.
    fn ready(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        (conn.state, conn.ready) = (State::Open, Some(cx.now()));
        cx.because(conn.cause);
        let span = cx.now().since(conn.opened);
        let note = Note::new("ready")
            .with(Arg::Span(span))
            .about(pipe(conn.slot));
        conn.cause = cx.say(note);
        let (slot, lot, held) = (conn.slot, conn.lot, conn.held.clone());
        let secure = self.knobs.tls != super::state::Tls::None || self.knobs.way == Way::Http3;
        self.met |= secure;
        if slot != NEWS_SLOT {
            self.row(lot, |row| row.ready = Some(cx.now()));
        }
        for request in held {
            self.send(request, cx);
        }
    }

    fn send(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let (what, conn) = (request.what, request.conn);
        let Some(conn) = conn.and_then(|key| self.conns.get_mut(key)) else {
            return;
        };
        let streams = matches!(self.knobs.way, Way::Http2 | Way::Http3) && conn.slot != NEWS_SLOT;
        cx.sample(
            probe::HEADS,
            super::heads::request_bytes(streams, conn.requests) as f64,
        );
        conn.requests += 1;
        let (slot, lot) = (
            conn.slot,
            if let What::File(file) = what { file } else { 0 },
        );
        if let What::File(file) = what {
            self.page.trips += 1;
            self.row(file, |row| row.sent = Some(cx.now()));
        }
        if what == What::Post {
            self.post = Post::Sent;
        }
        let note = match what {
            What::File(_) => "sends",
            What::Post => "posts",
            What::Poll | What::LongPoll => "polls",
            What::Upgrade => "upgrades",
        };
        self.say(key, Note::new(note).with(Arg::Part(pipe(slot))), cx);
        let (from, to) = (cx.now(), cx.now() + self.one_way(lot, 6));
        self.put(key, Place::Out { from, to }, Some(to), cx);
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let (what, place, conn) = (request.what, request.place, request.conn);
        match place {
            Place::Out { .. } => {
                let Some(conn) = conn.and_then(|key| self.conns.get_mut(key)) else {
                    return;
                };
                conn.idle_turn += 1;
                if conn.is_shut() {
                    self.reset(key, cx);
                    return;
                }
                let server = if what == What::LongPoll {
                    super::state::HOLD
                } else {
                    Time::from_ms(self.knobs.server)
                };
                self.put(key, Place::Served, Some(cx.now() + server), cx);
                if what == What::LongPoll && !self.unread.is_empty() {
                    self.answer(key, cx);
                }
            }
            Place::Served => self.answer(key, cx),
            Place::Back { from, .. } => self.arrived(key, from, cx),
            Place::Reset { .. } => self.met_closed(key, cx),
            Place::Waits | Place::Sends(_) => {}
        }
    }

    /// The server answers.
    pub(super) fn answer(&mut self, key: Key, cx: Cx<'_, '_>) {
        let plain = self.knobs.segments();
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        let (what, conn) = (request.what, request.conn);
        let segments = match what {
            What::File(_) => plain,
            _ => 1,
        };
        if matches!(what, What::Poll | What::LongPoll) {
            request.brings = std::mem::take(&mut self.unread);
        }
        if matches!(what, What::Poll | What::LongPoll | What::Upgrade) {
            self.counts_from = self.counts_from.min(cx.now());
        }
        cx.because(request.cause);
        let note = Note::new("serves")
            .with(count(request.number))
            .about(SERVER);
        request.cause = cx.say(note.dot(request.number));
        if let What::File(file) = what {
            self.row(file, |row| row.served = Some(cx.now()));
        }
        self.put(key, Place::Sends(segments), None, cx);
        if let Some(conn) = conn {
            self.pump(conn, cx);
            if what == What::Upgrade {
                self.upgrade(conn, cx);
            }
        }
    }

    /// Sends what a connection has to send and its window lets leave: a segment of each answer in turn.
    fn pump(&mut self, key: Key, cx: Cx<'_, '_>) {
        let held = self.conns.get(key).map(|conn| conn.held.clone());
        let held = held.unwrap_or_default();
        let mut more = true;
        while std::mem::take(&mut more) {
            for &request in &held {
                let place = self.requests.get(request).map(|request| request.place);
                let Some(Place::Sends(left @ 1..)) = place else {
                    continue;
                };
                let conn = self.conns.get_mut(key);
                if conn.is_none_or(|conn| conn.window.send(1) == 0) {
                    continue;
                }
                more = true;
                self.segment(request, key, left - 1, cx);
            }
        }
        let round_trip = self.knobs.round_trip();
        if let Some(conn) = self.conns.get_mut(key)
            && conn.window.flying > 0
            && !conn.clocked
        {
            conn.clocked = true;
            cx.schedule(round_trip, Event::Round(key));
        }
    }

    /// One segment of an answer leaves; `left` follow.
    fn segment(&mut self, key: Key, conn: Key, left: u64, cx: Cx<'_, '_>) {
        let (now, round_trip) = (cx.now(), self.knobs.round_trip());
        let (Some(request), Some(connection)) =
            (self.requests.get_mut(key), self.conns.get_mut(conn))
        else {
            return;
        };
        request.place = Place::Sends(left);
        request.flight = now;
        let file = match request.what {
            What::File(file) => Some(file),
            _ => None,
        };
        let lot = file.unwrap_or(0);
        let hit = match self.armed {
            Armed::No => false,
            Armed::Next => connection.slot != NEWS_SLOT,
            Armed::File => file.is_some_and(|file| file > 0),
        };
        if hit {
            self.armed = Armed::No;
            (self.page.clean, self.page.losses) = (false, self.page.losses + 1);
            let after = Time(retransmission_timeout(Some(round_trip.0), 0));
            let repaired = now + after + Time(round_trip.0 / 2);
            request.lost = Some((now, now + after));
            cx.because(request.cause);
            let note = Note::new("lost")
                .with(Arg::Part(row(lot)))
                .with(Arg::Span(after));
            let note = note.about(pipe(connection.slot)).dot(request.number);
            request.cause = cx.say(note.mark(Tone::Bad));
            if waits_for_lost(connection.quic, false) {
                connection.stalled = repaired;
                connection.stalled_by = request.cause;
            }
            cx.schedule(after, Event::Again(key));
        }
        if left > 0 {
            return;
        }
        let arrives = now + self.one_way(lot, 7);
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        let own = request
            .lost
            .map_or(Time::ZERO, |(_, again)| again + Time(round_trip.0 / 2));
        let (stalled, by) = self
            .conns
            .get(conn)
            .map_or((Time::ZERO, NoteId::NONE), |conn| {
                (conn.stalled, conn.stalled_by)
            });
        let until = arrives.max(own).max(stalled);
        if until > arrives {
            if own < stalled || request.lost.is_none() {
                cx.because(by);
                let note = Note::new("held-back").with(Arg::Part(row(lot)));
                request.cause = cx.say(note.about(row(lot)).dot(request.number));
                self.page.behind += 1;
            }
            self.row(lot, |row| row.held = Some((arrives, until)));
        }
        let back = Place::Back {
            from: now,
            to: until,
        };
        self.put(key, back, Some(until), cx);
    }

    /// A round trip after a flight: all of it is acknowledged.
    fn round(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        conn.clocked = false;
        conn.window.acknowledge();
        let (slot, held) = (conn.slot, conn.held.clone());
        let requests = held.iter().filter_map(|key| self.requests.get(*key));
        let more = requests
            .filter(|request| matches!(request.place, Place::Sends(1..)))
            .count();
        if more > 0 && slot != NEWS_SLOT {
            self.page.trips += 1;
        }
        self.pump(key, cx);
    }

    /// The client has an answer.
    fn arrived(&mut self, key: Key, left: Time, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let (what, on, asked) = (request.what, request.conn, request.asked);
        cx.sample(probe::HEADS, super::heads::ANSWER_BYTES as f64);
        self.leave(key);
        let idle = Time::from_s(self.knobs.idle);
        let each = self.knobs.way == Way::NewForEach;
        if let Some(conn) = on.and_then(|key| self.conns.get_mut(key)) {
            conn.free_since = cx.now();
            if each && conn.slot != NEWS_SLOT {
                conn.state = State::Closed;
            } else if conn.held.is_empty() && conn.state == State::Open && !conn.upgraded {
                conn.idle_turn += 1;
                let rest = (left + idle).since(cx.now());
                cx.schedule(rest, Event::Idle(on.unwrap_or(key), conn.idle_turn));
            }
        }
        let took = Arg::Span(cx.now().since(asked));
        match what {
            What::File(file) => {
                cx.sample(probe::BYTES, self.knobs.size * 1_000.0);
                self.row(file, |row| row.done = Some(cx.now()));
                self.say(key, Note::new("answered").with(took), cx);
                if file == 0 && self.knobs.first {
                    self.want(self.knobs.files as usize, cx);
                }
                if self.page.answered() == self.knobs.files as usize {
                    self.complete(cx);
                }
            }
            What::Post => {
                self.post = Post::Done;
                let note = Note::new("posted").mark(Tone::Ok);
                self.say(key, note.with(took), cx);
            }
            What::Poll | What::LongPoll | What::Upgrade => self.heard(key, cx),
        }
        self.requests.remove(key);
        self.requests_gone += 1;
        self.dispatch(cx);
    }

    fn complete(&mut self, cx: Cx<'_, '_>) {
        let total = cx.now().since(self.page.begun);
        self.page.done = Some(cx.now());
        let note = Note::new("complete").with(Arg::Span(total));
        let note = note
            .with(count(self.page.trips))
            .with(count(self.page.empty));
        cx.say(note.about(PAGE).mark(Tone::Ok));
        let mark = Mark {
            way: self.knobs.way,
            conditions: self.knobs.conditions(),
            fresh: self.page.fresh,
            clean: self.page.clean,
            total,
        };
        self.marks.retain(|old| {
            Mark {
                total,
                ..old.clone()
            } != mark
        });
        if self.marks.len() >= MARKS_MAX {
            self.marks.remove(0);
        }
        self.marks.push(mark);
    }

    /// Takes a request off its connection.
    fn leave(&mut self, key: Key) {
        let on = self.requests.get_mut(key).and_then(|r| r.conn.take());
        if let Some(conn) = on.and_then(|on| self.conns.get_mut(on)) {
            conn.held.retain(|held| *held != key);
        }
    }

    /// A request is at a server that has closed its connection.
    fn reset(&mut self, key: Key, cx: Cx<'_, '_>) {
        let what = self.requests.get(key).map(|request| request.what);
        let post = what == Some(What::Post);
        let word = if post { "post-reset" } else { "reset" };
        self.say(key, Note::new(word).mark(Tone::Warn), cx);
        self.page.clean = false;
        let (from, to) = (cx.now(), cx.now() + self.one_way(0, 7));
        self.put(key, Place::Reset { from, to }, Some(to), cx);
    }

    /// The client hears that a request met a closed connection.
    fn met_closed(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        if let Some(conn) = request.conn.and_then(|key| self.conns.get_mut(key)) {
            conn.state = State::Closed;
        }
        let what = request.what;
        let method = match what {
            What::Post => Method::Post,
            _ => Method::Get,
        };
        if may_try_again(method) {
            self.say(key, Note::new("again"), cx);
            self.queue_again(key, cx);
        } else {
            self.post = Post::Failed;
            let note = Note::new("post-failed").mark(Tone::Bad);
            self.say(key, note, cx);
            self.leave(key);
            self.requests.remove(key);
            self.requests_gone += 1;
        }
        self.dispatch(cx);
    }

    /// Has a request wait for another connection.
    fn queue_again(&mut self, key: Key, cx: Cx<'_, '_>) {
        self.leave(key);
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        (request.lost, request.place) = (None, Place::Waits);
        match request.what {
            What::File(file) => {
                self.row(file, |row| {
                    *row = Row {
                        wanted: row.wanted,
                        ..Row::default()
                    };
                });
                self.waiting.push_back(key);
            }
            What::Post => self.waiting.push_back(key),
            What::Poll | What::LongPoll | What::Upgrade => {
                let conn = self.open(NEWS_SLOT, key, cx);
                self.board(key, conn, cx);
            }
        }
    }

    /// The server ends a connection; the client hears of it half a round trip later.
    fn shut(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        let way = self.one_way(0, 7);
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        conn.state = State::Closing;
        conn.passing = Some(Passing {
            from: cx.now(),
            to: cx.now() + way,
            back: true,
        });
        let note = Note::new(word).with(Arg::Number(self.knobs.idle));
        conn.cause = cx.say(note.about(pipe(conn.slot)));
        let held = conn.held.clone();
        if self.post == Post::Waits && conn.slot != NEWS_SLOT {
            self.post = Post::None;
            cx.schedule(Time(way.0 / 2), Event::Race(key));
        }
        cx.schedule(way, Event::Fin(key));
        for request in held {
            let place = self.requests.get(request).map(|request| request.place);
            if matches!(place, Some(Place::Served | Place::Sends(_))) {
                self.reset(request, cx);
            }
        }
    }

    fn fin(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        (conn.state, conn.passing) = (State::Closed, None);
        for request in conn.held.clone() {
            let place = self.requests.get(request).map(|request| request.place);
            if place == Some(Place::Waits) {
                self.say(request, Note::new("again"), cx);
                self.queue_again(request, cx);
            }
        }
        self.lost_news(key, cx);
        self.dispatch(cx);
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let open = (0..SLOTS).filter(|slot| self.conn(*slot).is_some_and(Conn::is_there));
        cx.sample(probe::OPEN, open.count() as f64);
        let flies = |request: &Request| request.place != Place::Waits;
        let flying = self.requests.iter().filter(|(_, r)| flies(r)).count();
        cx.sample(probe::FLYING, flying as f64);
    }
}

impl Model for Browsing {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Browsing {
        let mut browsing = Browsing {
            knobs: knobs.clone(),
            now: cx.now(),
            conns: Slab::default(),
            requests: Slab::default(),
            slots: [None; SLOTS],
            waiting: VecDeque::new(),
            page: Page::default(),
            ghost: Vec::new(),
            marks: Vec::new(),
            post: Post::None,
            armed: Armed::No,
            met: false,
            jitters: Vec::new(),
            requests_gone: 0,
            conns_gone: 0,
            click: NoteId::NONE,
            source: Source::default(),
            unread: Vec::new(),
            births: 0,
            frames: VecDeque::new(),
            seen: VecDeque::new(),
            ages: (0.0, 0),
            asked: 0,
            counts_from: Time::NEVER,
            hears_since: cx.now(),
            news_turn: 0,
            news_note: NoteId::NONE,
            key: [0; 16],
        };
        browsing.next_news(cx);
        browsing.listen(cx);
        cx.because(NoteId::NONE);
        browsing.load(true, Note::new("clicks"), cx);
        browsing.look(cx);
        browsing
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Trip(key) => self.trip(key, cx),
            Event::TripAgain(key) => {
                if let Some(conn) = self.conns.get_mut(key)
                    && conn.state == State::Opening
                {
                    self.answer_setup(key, cx);
                }
            }
            Event::Due(key, turn) => {
                if self.requests.get(key).is_some_and(|r| r.turn == turn) {
                    self.due(key, cx);
                }
            }
            Event::Again(key) => {
                let note = Note::new("resent").mark(Tone::Ok);
                self.say(key, note, cx);
            }
            Event::Round(key) => self.round(key, cx),
            Event::Idle(key, turn) => {
                let conn = self.conns.get(key);
                let due = |conn: &Conn| conn.idle_turn == turn && conn.state == State::Open;
                if conn.is_some_and(due) {
                    if let Some(conn) = conn {
                        cx.because(conn.cause);
                    }
                    self.shut(key, "closes", cx);
                }
            }
            Event::Race(key) => {
                cx.because(self.click);
                let request = self.request(What::Post, cx);
                if self.conns.get(key).is_some_and(Conn::is_there) {
                    self.board(request, key, cx);
                } else {
                    self.waiting.push_back(request);
                    self.dispatch(cx);
                }
            }
            Event::Fin(key) => self.fin(key, cx),
            Event::News(turn) => self.news(turn, cx),
            Event::Ask(turn) => self.ask_in_turn(turn, cx),
            Event::Frame(turn) => self.frame(turn, cx),
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let old = std::mem::replace(&mut self.knobs, knobs.clone());
        let cause = cx.cause();
        if old.every != knobs.every {
            self.turn_news(cx);
        }
        if old.idle != knobs.idle {
            // The clocks of what is idle now are set to the new end.
            for slot in 0..SLOTS {
                let idle = Time::from_s(knobs.idle);
                if let Some(key) = self.slots[slot]
                    && let Some(conn) = self.conns.get_mut(key)
                    && conn.state == State::Open
                    && conn.held.is_empty()
                    && !conn.upgraded
                {
                    conn.idle_turn += 1;
                    // Its last answer left the server half a round trip before.
                    let left = conn.free_since.since(Time(knobs.round_trip().0 / 2));
                    let rest = (left + idle).since(cx.now());
                    cx.schedule(rest, Event::Idle(key, conn.idle_turn));
                }
            }
        }
        let anew = old.conditions() != knobs.conditions();
        if anew || old.hears != knobs.hears || old.poll != knobs.poll {
            cx.because(cause);
            self.listen(cx);
        }
        if anew || old.way != knobs.way {
            cx.because(cause);
            self.load(true, Note::new("clicks"), cx);
        }
        self.look(cx);
    }

    fn on_action(&mut self, action: Act, _: &Settings, cx: Cx<'_, '_>) {
        let learner = |word| Note::new(word).mark(Tone::Learner);
        match action.spec {
            act::CLICK => self.load(false, learner("clicks-again"), cx),
            act::LOSE if self.page.done.is_some() => {
                self.load(false, learner("will-lose-file"), cx);
                self.armed = Armed::File;
            }
            act::LOSE => {
                cx.say(learner("will-lose").about(BROWSER));
                self.armed = Armed::Next;
            }
            act::RACE => {
                let note = learner("will-race").with(Arg::Number(self.knobs.idle));
                if self.slots[..PAGE_SLOTS].iter().flatten().any(|key| {
                    let conn = self.conns.get(*key);
                    conn.is_some_and(|conn| !conn.is_shut())
                }) {
                    self.click = cx.say(note.about(BROWSER));
                } else {
                    self.load(false, note, cx);
                }
                self.post = Post::Waits;
            }
            act::RESTART => {
                let note = cx.say(learner("restarts").about(SERVER));
                for key in self.slots.into_iter().flatten() {
                    if self.conns.get(key).is_some_and(|conn| !conn.is_shut()) {
                        cx.because(note);
                        self.shut(key, "dropped", cx);
                    }
                }
            }
            _ => {}
        }
        self.look(cx);
    }

    fn can(&self, action: Act) -> bool {
        match action.spec {
            act::CLICK => self.page.done.is_some(),
            act::RACE => self.knobs.way != Way::NewForEach && self.post != Post::Waits,
            act::RESTART => self.conns.iter().any(|(_, conn)| !conn.is_shut()),
            _ => true,
        }
    }

    fn bytes(&self) -> usize {
        self.requests.bytes() + self.conns.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let mut requests = Balance::default();
        requests.claim("the queue", self.waiting.iter().copied());
        for (_, conn) in self.conns.iter() {
            requests.claim("a connection", conn.held.iter().copied());
        }
        requests.check(&self.requests, self.requests_gone, |_, request| {
            Some(match request.conn {
                Some(_) => "a connection",
                None => "the queue",
            })
        })?;
        let mut conns = Balance::default();
        conns.claim("a pipe", self.slots.iter().flatten().copied());
        conns.check(&self.conns, self.conns_gone, |_, _| Some("a pipe"))?;
        if self.page.empty > self.page.trips {
            let (empty, trips) = (self.page.empty, self.page.trips);
            return Err(format!("{empty} of {trips} trips were empty"));
        }
        Ok(())
    }
}
