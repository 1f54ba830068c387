//! What the model is made of: knobs, connections, requests, the page as the browser sees it.

use algorithms::connections::{self, CONNECTIONS_PER_HOST, Design, Link, STREAMS};
use algorithms::connections::{Security, Transport};
use algorithms::http_exchange::{self, Window};
use engine::tape::NoteId;
use engine::{PartId, Time, choices};

use kit::flow::Key;

pub(super) const BROWSER: PartId = PartId::one("browser");
pub(super) const SERVER: PartId = PartId::one("server");
pub(super) const PAGE: PartId = PartId::one("page");
pub(super) const LADDER: PartId = PartId::one("ladder");
pub(super) const NEWS: PartId = PartId::one("news");

/// The pipe of this number from 0; the last is the one for news.
pub(super) const fn pipe(slot: usize) -> PartId {
    PartId::nth("pipe", slot as u16 + 1)
}

/// The row of a file; the document is number 0.
pub(super) const fn row(file: usize) -> PartId {
    PartId::nth("row", file as u16 + 1)
}

/// Connections of pages.
pub(super) const PAGE_SLOTS: usize = CONNECTIONS_PER_HOST;
/// The connection on which news come.
pub(super) const NEWS_SLOT: usize = PAGE_SLOTS;
/// Pipes in all.
pub(super) const SLOTS: usize = PAGE_SLOTS + 1;
/// Most files of a page, the document among them.
pub(super) const FILES_MAX: usize = 12;
/// A long poll is answered without news after this long.
pub(super) const HOLD: Time = Time::s(30);

/// How the browser uses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    NewForEach,
    KeptOne,
    KeptSix,
    Http2,
    Http3,
}
choices!(Way {
    "new" => Way::NewForEach,
    "one" => Way::KeptOne,
    "six" => Way::KeptSix,
    "http2" => Way::Http2,
    "http3" => Way::Http3,
});

impl Way {
    /// All of them, the slowest on a far link first.
    pub(super) const ALL: [Way; 5] = [
        Way::NewForEach,
        Way::KeptOne,
        Way::KeptSix,
        Way::Http2,
        Way::Http3,
    ];

    pub(super) fn design(self) -> Design {
        match self {
            Way::NewForEach => Design::NewForEach(1),
            Way::KeptOne => Design::Kept(1),
            Way::KeptSix => Design::Kept(CONNECTIONS_PER_HOST),
            Way::Http2 | Way::Http3 => Design::Streams(STREAMS),
        }
    }

    /// Pipes that are drawn for it.
    pub(super) fn pipes(self) -> usize {
        if self == Way::KeptSix { PAGE_SLOTS } else { 1 }
    }
}

/// What keeps the bytes secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    None,
    Tls12,
    Resumed,
    Tls13,
    Early,
}
choices!(Tls {
    "none" => Tls::None,
    "tls12" => Tls::Tls12,
    "resumed" => Tls::Resumed,
    "tls13" => Tls::Tls13,
    "early" => Tls::Early,
});

/// How the browser hears of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hears {
    Off,
    Poll,
    LongPoll,
    WebSocket,
}
choices!(Hears {
    "off" => Hears::Off,
    "poll" => Hears::Poll,
    "long" => Hears::LongPoll,
    "websocket" => Hears::WebSocket,
});

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How the browser uses connections.
        way: choice Way "design" = Way::NewForEach,
        /// There and back, ms.
        rtt: slider "rtt" [5.0, 300.0, 1.0] "ms" = 100.0,
        /// What keeps the bytes secret.
        tls: choice Tls "tls" = Tls::Tls13,
        /// Files of the page, the document among them.
        files: whole "files" [1, 12] "" = 10,
        /// What the server takes for a request, ms.
        server: slider "server" [0.0, 500.0, 5.0] "ms" = 20.0,
        /// How news come.
        hears: choice Hears "news" = Hears::Off,
        /// From poll to poll, s.
        poll: slider "poll" [1.0, 30.0, 1.0] "s" = 5.0,
        /// The server ends a connection that was idle for so long, s.
        idle: slider "idle" [1.0, 75.0, 1.0] "s" = 5.0,
        /// Size of an answer, kB (1,000 bytes).
        size: slider "size" [1.0, 500.0, 1.0] "kB" = 1.0,
        /// Whether the document names the other files.
        first: switch "document" = true,
        /// Mean time from news to news, s.
        every: slider "every" [1.0, 20.0, 1.0] "s" = 4.0,
        /// At most so much is added to each way, ms.
        jitter: slider "jitter" [0.0, 50.0, 1.0] "ms" = 0.0,
    }
}

impl Settings {
    pub(super) fn round_trip(&self) -> Time {
        Time::from_ms(self.rtt)
    }

    /// The set-up of a connection to a server that was or was not met before, for pages designed like this.
    pub(super) fn setup(&self, way: Way, met: bool) -> (Transport, Security) {
        let security = match self.tls {
            Tls::None => Security::None,
            Tls::Tls12 => Security::Tls12,
            Tls::Resumed => Security::Tls12Resumed,
            Tls::Early if met => Security::Tls13Early,
            Tls::Tls13 | Tls::Early => Security::Tls13,
        };
        match (way, security) {
            (Way::Http3, Security::Tls13Early) => (Transport::Quic, security),
            (Way::Http3, _) => (Transport::Quic, Security::Tls13),
            // Browsers speak HTTP/2 over TLS only.
            (Way::Http2, Security::None) => (Transport::Tcp, Security::Tls13),
            _ => (Transport::Tcp, security),
        }
    }

    fn link(&self, way: Way, met: bool) -> Link {
        let (transport, security) = self.setup(way, met);
        Link {
            round_trip: self.round_trip().0,
            setup_round_trips: connections::setup_round_trips(transport, security),
            server: Time::from_ms(self.server).0,
        }
    }

    /// How long the page takes by counting trips, with nothing lost and answers that fit one flight.
    pub(super) fn theory(&self, way: Way, met: bool) -> Time {
        let links = [self.link(way, met), self.link(way, true)];
        let files = self.files as usize;
        let timings = http_exchange::page(way.design(), links, files, self.first);
        Time(timings.iter().map(|one| one.done).max().unwrap_or(0))
    }

    /// Whether [`Settings::theory`] covers these knobs.
    pub(super) fn is_plain(&self) -> bool {
        self.segments() * u64::from(self.files) <= connections::FIRST_WINDOW + 2
            && self.jitter == 0.0
    }

    /// Segments of an answer.
    pub(super) fn segments(&self) -> u64 {
        ((self.size * 1_000.0) as u64)
            .div_ceil(connections::SEGMENT_BYTES)
            .max(1)
    }

    /// What two pages must share to be compared: everything but the design and what concerns news.
    pub(super) fn conditions(&self) -> Settings {
        let plain = Settings::default();
        Settings {
            way: plain.way,
            hears: plain.hears,
            poll: plain.poll,
            idle: plain.idle,
            every: plain.every,
            ..self.clone()
        }
    }
}

/// Where a connection is in its life, as the client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Opening,
    Open,
    /// The server has closed it, and the client does not know yet.
    Closing,
    Closed,
}

/// A message of set-up or closing on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Passing {
    pub(super) from: Time,
    pub(super) to: Time,
    pub(super) back: bool,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Conn {
    pub(super) slot: usize,
    pub(super) number: u32,
    /// The client's end: a random port tells its connections apart (RFC 6056).
    pub(super) port: u16,
    pub(super) quic: bool,
    pub(super) state: State,
    /// Round trips of the set-up: done, in all, and how often the answer to this one was sent again.
    pub(super) trips: (u64, u64),
    pub(super) tried: u32,
    pub(super) passing: Option<Passing>,
    /// When a message of the set-up was lost, until it is sent again.
    pub(super) gap: Option<(Time, Time)>,
    pub(super) opened: Time,
    pub(super) connected: Option<Time>,
    pub(super) ready: Option<Time>,
    /// Requests on it.
    pub(super) held: Vec<Key>,
    pub(super) requests: u32,
    pub(super) window: Window,
    pub(super) clocked: bool,
    /// Until then TCP hands nothing over, because something before it is missing.
    pub(super) stalled: Time,
    pub(super) stalled_by: NoteId,
    pub(super) free_since: Time,
    /// Changes whenever the idle clock starts again.
    pub(super) idle_turn: u32,
    pub(super) upgraded: bool,
    /// Which draws of jitter are its own.
    pub(super) lot: usize,
    pub(super) cause: NoteId,
}

impl Conn {
    pub(super) fn is_there(&self) -> bool {
        self.state != State::Closed
    }

    /// Whether its pipe is free for another.
    pub(super) fn is_vacant(&self) -> bool {
        self.state == State::Closed && self.held.is_empty()
    }

    pub(super) fn is_shut(&self) -> bool {
        matches!(self.state, State::Closing | State::Closed)
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A file of the page; 0 is the document.
    File(usize),
    /// Something that changes the server.
    Post,
    /// News, if there are any.
    Poll,
    /// News, as soon as there are any.
    LongPoll,
    /// To go on as a WebSocket.
    Upgrade,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// At the client, for a connection or until the one it has is open.
    Waits,
    Out {
        from: Time,
        to: Time,
    },
    /// At the server, which works or has it wait for news.
    Served,
    /// Its answer is being sent; so many segments are left.
    Sends(u64),
    /// The last of its answer left at `from`; the client can read it at `to`.
    Back {
        from: Time,
        to: Time,
    },
    /// It met a closed connection.
    Reset {
        from: Time,
        to: Time,
    },
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) what: What,
    pub(super) place: Place,
    pub(super) conn: Option<Key>,
    pub(super) asked: Time,
    /// When a segment of its answer was lost, and when it is sent again.
    pub(super) lost: Option<(Time, Time)>,
    /// When segments of its answer left last.
    pub(super) flight: Time,
    /// The news that its answer brings.
    pub(super) brings: Vec<Seen>,
    pub(super) turn: u32,
    pub(super) cause: NoteId,
}

/// What the waterfall shows of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) wanted: Time,
    /// The set-up of a connection that was opened for it.
    pub(super) opened: Option<Time>,
    pub(super) connected: Option<Time>,
    pub(super) ready: Option<Time>,
    pub(super) sent: Option<Time>,
    pub(super) served: Option<Time>,
    /// When the answer was lost or came behind something lost, until it could be read.
    pub(super) held: Option<(Time, Time)>,
    pub(super) done: Option<Time>,
}

/// A page as it loads.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) begun: Time,
    /// Whether it began without any connection.
    pub(super) fresh: bool,
    /// Whether nothing was lost or reset.
    pub(super) clean: bool,
    /// Whether keys from before were there when it began.
    pub(super) met: bool,
    pub(super) rows: Vec<Row>,
    pub(super) trips: u32,
    pub(super) empty: u32,
    /// Answers that waited for what another one lost.
    pub(super) behind: u32,
    pub(super) losses: u32,
    pub(super) done: Option<Time>,
}

impl Page {
    pub(super) fn total(&self) -> Option<Time> {
        self.done.map(|done| done.since(self.begun))
    }

    pub(super) fn answered(&self) -> usize {
        self.rows.iter().filter(|row| row.done.is_some()).count()
    }
}

/// How long a page took that was loaded before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) way: Way,
    pub(super) conditions: Settings,
    pub(super) fresh: bool,
    pub(super) clean: bool,
    pub(super) total: Time,
}

/// A piece of news, and when it is or was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) number: u32,
    pub(super) born: Time,
    pub(super) seen: Time,
}

/// What a piece of news says, as bytes: only its hex is shown.
pub(super) fn text_of(born: Time) -> String {
    format!("like {}", born.0 / 1_000 % 1_000)
}
