//! What a page costs in round trips: handshakes, kept connections, streams side by side, polling.
//!
//! Sources: RFC 9293 (TCP), 5246 and 8446 (TLS 1.2 and 1.3), 7413 (TCP Fast Open), 9000 and 9001 (QUIC),
//! 9112 to 9114 (HTTP/1.1, 2 and 3), 6928 and 5681 (first window, slow start); Grigorik, *High
//! Performance Browser Networking*. Times are ticks of any unit. Links are symmetric and lose nothing.

/// How bytes get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One round trip before anything else.
    Tcp,
    /// The first flight rides on the opening, to a server met before.
    TcpFastOpen,
    /// Has its own keys: transport and TLS 1.3 in one handshake.
    Quic,
}

/// How they are kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all. QUIC is never without; for it this counts as TLS 1.3.
    None,
    /// TLS 1.2 with a server not met before.
    Tls12,
    /// TLS 1.2 with a session of earlier.
    Tls12Resumed,
    /// TLS 1.3; resumed it takes as long.
    Tls13,
    /// TLS 1.3 with early data: the request goes with the first flight (0-RTT).
    Tls13Early,
}

/// Round trips before a request may leave.
pub fn setup_round_trips(transport: Transport, security: Security) -> u64 {
    let keys = match security {
        Security::None | Security::Tls13Early => 0,
        Security::Tls12Resumed | Security::Tls13 => 1,
        Security::Tls12 => 2,
    };
    match transport {
        Transport::Tcp => 1 + keys,
        Transport::TcpFastOpen => keys,
        Transport::Quic => u64::from(security != Security::Tls13Early),
    }
}

/// How a client uses connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// A new connection for each request, so many at once (HTTP/1.0: 1, as browsers did it: 6).
    NewForEach(usize),
    /// Up to so many kept connections, one request at a time on each (HTTP/1.1).
    Kept(usize),
    /// One connection; requests are sent at once and answered one after another (pipelining).
    Pipelined,
    /// One connection, up to so many requests on it at once (HTTP/2 and HTTP/3).
    Streams(usize),
}

/// Browsers' limit of connections to one host.
pub const CONNECTIONS_PER_HOST: usize = 6;
/// The least limit of streams that RFC 9113 advises.
pub const STREAMS: usize = 100;

/// The way to the server and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// There and back.
    pub round_trip: u64,
    /// Of [`setup_round_trips`].
    pub setup_round_trips: u64,
    /// What the server takes for a request.
    pub server: u64,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Which connection, counted from 0 in the order in which they are opened.
    pub connection: usize,
    /// When the client wanted it.
    pub wanted: u64,
    /// When the connection for it began to open, if it was opened for this request.
    pub opening: Option<u64>,
    /// When the request left.
    pub sent: u64,
    /// When the answer was there.
    pub done: u64,
}

/// Requests that are all wanted at the same time, on connections that may be there already: one `free`
/// time for each, which this brings up to date. The answers are in the order of the requests.
pub fn load(
    design: Design,
    link: Link,
    wanted: u64,
    requests: usize,
    free: &mut Vec<u64>,
) -> Vec<Timing> {
    let setup = link.setup_round_trips.saturating_mul(link.round_trip);
    let answer = |sent: u64| {
        let trip = sent.saturating_add(link.round_trip);
        trip.saturating_add(link.server)
    };
    let mut timings: Vec<Timing> = Vec::new();
    for i in 0..requests {
        let timing = match design {
            Design::NewForEach(at_once) => {
                // It waits for the request `at_once` before it; all take the same time.
                let before = i.checked_sub(at_once.max(1)).map(|j| timings[j].done);
                let opening = before.unwrap_or(wanted);
                let sent = opening.saturating_add(setup);
                free.push(answer(sent));
                (free.len() - 1, Some(opening), sent, answer(sent))
            }
            Design::Kept(most) => {
                let open = (0..free.len()).min_by_key(|&c| (free[c], c));
                let open = open.filter(|&c| free[c] <= wanted || free.len() >= most.max(1));
                let (connection, opening, sent) = match open {
                    Some(c) => (c, None, free[c].max(wanted)),
                    None => {
                        free.push(0);
                        let sent = wanted.saturating_add(setup);
                        (free.len() - 1, Some(wanted), sent)
                    }
                };
                free[connection] = answer(sent);
                (connection, opening, sent, answer(sent))
            }
            Design::Pipelined | Design::Streams(_) => {
                let opening = free.is_empty().then_some(wanted);
                if free.is_empty() {
                    free.push(wanted.saturating_add(setup));
                }
                let ready = free[0].max(wanted);
                let (sent, done) = match design {
                    Design::Streams(most) => {
                        let before = i.checked_sub(most.max(1)).map(|j| timings[j].done);
                        let sent = before.unwrap_or(ready);
                        (sent, answer(sent))
                    }
                    _ => {
                        let before = timings.last().map(|last| last.done);
                        let turn = before.map_or(0, |done| done.saturating_add(link.server));
                        (ready, answer(ready).max(turn))
                    }
                };
                (0, opening, sent, done)
            }
        };
        let (connection, opening, sent, done) = timing;
        timings.push(Timing {
            connection,
            wanted,
            opening,
            sent,
            done,
        });
    }
    if let (Design::Pipelined, Some(last)) = (design, timings.last()) {
        free[0] = last.done;
    }
    timings
}

/// When the last of `requests` is answered that are all wanted at time 0 without any connection.
pub fn load_time(design: Design, link: Link, requests: usize) -> u64 {
    let timings = load(design, link, 0, requests, &mut Vec::new());
    timings.iter().map(|timing| timing.done).max().unwrap_or(0)
}

/// A page: a document, then the files that it names, wanted when the document is there. `files` counts
/// all of them, the document included.
pub fn page(design: Design, link: Link, files: usize) -> Vec<Timing> {
    let mut free = Vec::new();
    let mut timings = load(design, link, 0, files.min(1), &mut free);
    if let Some(&document) = timings.first() {
        timings.extend(load(design, link, document.done, files - 1, &mut free));
    }
    timings
}

/// Bytes of a full segment, without headers, on common links.
pub const SEGMENT_BYTES: u64 = 1_460;
/// Segments that a fresh connection may send before the first acknowledgement (RFC 6928).
pub const FIRST_WINDOW: u64 = 10;

/// Round trips beyond the first that so many bytes need on a connection whose window is `window`
/// segments (at least 1) and doubles each round trip: slow start without loss.
pub fn slow_start_round_trips(bytes: u64, window: u64) -> u64 {
    let (mut segments, mut window) = (bytes.div_ceil(SEGMENT_BYTES), window.max(1));
    let mut round_trips = 0;
    while segments > window {
        segments -= window;
        window = window.saturating_mul(2);
        round_trips += 1;
    }
    round_trips
}

/// How old news are on average when the client hears of them by polling each `interval` over a kept
/// connection: half an interval until the next question arrives, and half a round trip back.
pub fn poll_delay_mean(interval: f64, round_trip: f64) -> f64 {
    interval / 2.0 + push_delay(round_trip)
}

/// How old they are when the server may speak first.
pub fn push_delay(round_trip: f64) -> f64 {
    round_trip / 2.0
}

/// Questions in a time of this length when one is asked each `interval` (above 0).
pub fn polls(length: f64, interval: f64) -> f64 {
    length / interval
}

/// Kilometres that light in fibre goes in a millisecond: two thirds of its speed in a vacuum.
pub const FIBRE_KM_PER_MS: f64 = 200.0;

/// No round trip over this distance is shorter, in milliseconds.
pub fn round_trip_floor_ms(km: f64, km_per_ms: f64) -> f64 {
    2.0 * km / km_per_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_designs_on_a_page_of_ten() {
        let tls = Link {
            round_trip: 100,
            setup_round_trips: setup_round_trips(Transport::Tcp, Security::Tls13),
            server: 20,
        };
        let quic = Link {
            setup_round_trips: setup_round_trips(Transport::Quic, Security::Tls13),
            ..tls
        };
        let done = |design, link| page(design, link, 10).iter().map(|t| t.done).max();
        assert_eq!(done(Design::NewForEach(1), tls), Some(3_200));
        assert_eq!(done(Design::Kept(1), tls), Some(1_400));
        assert_eq!(done(Design::Kept(CONNECTIONS_PER_HOST), tls), Some(760));
        assert_eq!(done(Design::Streams(STREAMS), tls), Some(440));
        assert_eq!(done(Design::Streams(STREAMS), quic), Some(340));
        assert!(page(Design::Pipelined, tls, 0).is_empty());
        let waits: Vec<u64> = page(Design::Kept(2), tls, 4)
            .iter()
            .map(|t| t.sent)
            .collect();
        assert_eq!(waits, [200, 320, 520, 440]);
    }

    #[test]
    fn streams_and_pipelines_have_their_limits() {
        let link = Link {
            round_trip: 10,
            setup_round_trips: 1,
            server: 3,
        };
        assert_eq!(load_time(Design::Streams(2), link, 5), 10 + 3 * 13);
        assert_eq!(load_time(Design::Streams(0), link, 2), 10 + 2 * 13);
        assert_eq!(load_time(Design::Pipelined, link, 4), 10 + 10 + 4 * 3);
        assert_eq!(load_time(Design::NewForEach(6), link, 7), 2 * 23);
        assert_eq!(load_time(Design::Kept(6), link, 0), 0);
        let endless = Link {
            round_trip: u64::MAX,
            ..link
        };
        assert_eq!(load_time(Design::Kept(1), endless, 3), u64::MAX);
    }

    #[test]
    fn a_first_window_holds_fourteen_kilobytes() {
        let first = SEGMENT_BYTES * FIRST_WINDOW;
        assert_eq!(slow_start_round_trips(0, FIRST_WINDOW), 0);
        assert_eq!(slow_start_round_trips(first, FIRST_WINDOW), 0);
        assert_eq!(slow_start_round_trips(first + 1, FIRST_WINDOW), 1);
        assert_eq!(slow_start_round_trips(60_000, FIRST_WINDOW), 2);
        assert!(slow_start_round_trips(u64::MAX, 0) < 64);
    }
}
