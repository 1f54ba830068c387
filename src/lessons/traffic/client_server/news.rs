//! News: how they are born at the server, and how the client comes to know them.

use super::model::{Browsing, Cx, Event, TIMES, count};
use super::probe;
use super::state::{Conn, Hears, NEWS, NEWS_SLOT, Place, SERVER, Seen, What, text_of};
use algorithms::websocket::{Frame, Opcode, accept, key};
use engine::{Arg, Note, Stream, Time};
use kit::flow::{Key, Source};
use rand::Rng as _;

/// News that are remembered for the stage.
const SEEN_MAX: usize = 60;
const KEYS: Stream = Stream::named("websocket-key");

impl Browsing {
    fn per_s(&self) -> f64 {
        1.0 / self.knobs.every
    }

    pub(super) fn next_news(&mut self, cx: Cx<'_, '_>) {
        let gap = Source::poisson(self.per_s(), cx.random(TIMES));
        let turn = self.source.next(self.per_s(), gap, cx.now());
        cx.schedule(gap, Event::News(turn));
    }

    /// News come at another rate from here on.
    pub(super) fn turn_news(&mut self, cx: Cx<'_, '_>) {
        if let Some((gap, turn)) = self.source.turn(self.per_s(), cx.now()) {
            cx.schedule(gap, Event::News(turn));
        }
    }

    /// Begins to hear of news in the way that the knob says, or ceases to.
    pub(super) fn listen(&mut self, cx: Cx<'_, '_>) {
        self.forget(NEWS_SLOT);
        self.unread.clear();
        self.frames.clear();
        (self.ages, self.asked) = ((0.0, 0), 0);
        self.hears_since = cx.now();
        self.counts_from = Time::NEVER;
        self.news_turn += 1;
        let word = match self.knobs.hears {
            Hears::Off => return,
            Hears::Poll => "by-poll",
            Hears::LongPoll => "by-long-poll",
            Hears::WebSocket => "by-websocket",
        };
        let note = Note::new(word).with(Arg::Number(self.knobs.poll));
        self.news_note = cx.say(note.about(NEWS));
        self.ask(cx);
        if self.knobs.hears == Hears::Poll {
            self.next_ask(cx);
        }
    }

    fn next_ask(&mut self, cx: Cx<'_, '_>) {
        let every = Time::from_s(self.knobs.poll);
        cx.schedule(every, Event::Ask(self.news_turn));
    }

    pub(super) fn ask_in_turn(&mut self, turn: u32, cx: Cx<'_, '_>) {
        if turn == self.news_turn {
            cx.because(self.news_note);
            self.ask(cx);
            self.next_ask(cx);
        }
    }

    /// Asks for news on the connection that is there, else on a new one; not while another question is out.
    fn ask(&mut self, cx: Cx<'_, '_>) {
        let what = match self.knobs.hears {
            Hears::Off => return,
            Hears::Poll => What::Poll,
            Hears::LongPoll => What::LongPoll,
            Hears::WebSocket => What::Upgrade,
        };
        let there = self.conn(NEWS_SLOT).filter(|conn| !conn.is_vacant());
        if there.is_some_and(|conn| !conn.held.is_empty()) {
            return;
        }
        let there = there.is_some();
        self.asked += 1;
        if what == What::Upgrade {
            let bytes = u128::from(cx.random(KEYS).next_u64()) << 64;
            self.key = (bytes | u128::from(cx.random(KEYS).next_u64())).to_be_bytes();
        }
        let key = self.request(what, cx);
        let conn = match self.slots[NEWS_SLOT] {
            Some(conn) if there => conn,
            _ => self.open(NEWS_SLOT, key, cx),
        };
        self.board(key, conn, cx);
    }

    /// The client's key for the upgrade and the answer that proves that the server speaks the protocol.
    pub(super) fn handshake(&self) -> (String, String) {
        let key = key(self.key);
        let proof = accept(&key);
        (key, proof)
    }

    /// News are born.
    pub(super) fn news(&mut self, turn: u32, cx: Cx<'_, '_>) {
        if !self.source.is_due(turn) {
            return;
        }
        self.next_news(cx);
        if self.knobs.hears == Hears::Off {
            return;
        }
        cx.because(self.news_note);
        cx.say(Note::new("born").about(SERVER));
        self.births += 1;
        self.unread.push(Seen {
            number: self.births,
            born: cx.now(),
            seen: Time::NEVER,
        });
        let Some(conn) = self.conn(NEWS_SLOT).filter(|conn| !conn.is_shut()) else {
            return;
        };
        let held = conn.held.first().copied();
        if conn.upgraded {
            self.push(cx);
        } else if let Some(key) = held
            && let Some(request) = self.requests.get(key)
            && request.what == What::LongPoll
            && request.place == Place::Served
        {
            self.answer(key, cx);
        }
    }

    // region: push
    /// The server speaks first: what nobody has read leaves as frames, at once.
    fn push(&mut self, cx: Cx<'_, '_>) {
        for news in std::mem::take(&mut self.unread) {
            let way = self.one_way(0, 7);
            let seen = cx.now() + way;
            self.frames.push_back(Seen { seen, ..news });
            let frame = Frame::new(Opcode::Text, text_of(news.born));
            let (head, whole) = (frame.header().len(), frame.encode().len());
            cx.sample(probe::HEADS, head as f64);
            cx.sample(probe::BYTES, (whole - head) as f64);
            let note = Note::new("pushes").with(count(head));
            cx.say(note.with(count(whole)).about(NEWS));
            cx.schedule(way, Event::Frame(self.news_turn));
        }
    }
    // endregion

    pub(super) fn frame(&mut self, turn: u32, cx: Cx<'_, '_>) {
        if turn == self.news_turn
            && let Some(frame) = self.frames.pop_front()
        {
            self.see(frame, cx);
        }
    }

    /// The client knows of news.
    fn see(&mut self, news: Seen, cx: Cx<'_, '_>) {
        let (now, born) = (cx.now(), news.born);
        let age = now.since(born);
        // What came before the first question was at the server says nothing about this way of hearing.
        if born >= self.counts_from {
            self.ages = (self.ages.0 + age.as_s(), self.ages.1 + 1);
        }
        self.seen.push_back(Seen { seen: now, ..news });
        if self.seen.len() > SEEN_MAX {
            self.seen.pop_front();
        }
        cx.sample_asked(probe::AGE, age.0 as f64, born);
        cx.say(Note::new("knows").with(Arg::Span(age)).about(NEWS));
    }

    /// An answer to a question for news is there.
    pub(super) fn heard(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let (what, brings, cause) = (request.what, request.brings.clone(), request.cause);
        cx.because(cause);
        if brings.is_empty() && what != What::Upgrade {
            cx.say(Note::new("no-news").about(NEWS));
        }
        for news in brings {
            cx.because(cause);
            self.see(news, cx);
        }
        match what {
            What::Upgrade => self.news_note = cx.say(Note::new("upgraded").about(NEWS)),
            What::LongPoll => self.ask(cx),
            _ => {}
        }
    }

    /// The server has agreed to go on as a WebSocket.
    pub(super) fn upgrade(&mut self, conn: Key, cx: Cx<'_, '_>) {
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.upgraded = true;
        }
        self.push(cx);
    }

    /// The connection for news has ended: a WebSocket is opened again, a poll opens another by itself.
    pub(super) fn lost_news(&mut self, key: Key, cx: Cx<'_, '_>) {
        let ended = self.slots[NEWS_SLOT] == Some(key);
        if ended
            && self.knobs.hears != Hears::Poll
            && self.conn(NEWS_SLOT).is_some_and(Conn::is_vacant)
        {
            self.ask(cx);
        }
    }

    /// Mean age of news when they were seen, in seconds; none before the first.
    pub(super) fn age_mean(&self) -> Option<f64> {
        (self.ages.1 > 0).then(|| self.ages.0 / f64::from(self.ages.1))
    }

    /// Questions a minute since news are heard of this way.
    pub(super) fn asked_per_min(&self) -> f64 {
        let span = self.now.since(self.hears_since).as_s();
        f64::from(self.asked) * 60.0 / span.max(1.0)
    }
}
