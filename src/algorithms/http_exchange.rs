//! Rules that a browser and its connections follow while a page loads: who takes a request, when a lost segment is sent
//! again and who waits for it, how many segments may be under way, and what becomes of a request that met a closed door.
//!
//! Sources: RFC 9112 and 9113 (connections and streams), 6298 (retransmission timer; Linux's least time-out), 5681 and
//! 6928 (slow start, first window), 9000 (streams of QUIC do not wait for each other), 9110 §9.2.2 (idempotent methods).
//! Times are microseconds.

use crate::connections::{Design, FIRST_WINDOW, Link, Timing, load};

/// A connection as the client sees it when it has a request to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whether its set-up is over.
    pub open: bool,
    /// Requests on it that are not answered yet.
    pub busy: usize,
    /// When it became free, or was opened.
    pub free_since: u64,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// On the connection of this number, at once or as soon as it is open.
    On(usize),
    /// On a connection that is opened for it.
    Open,
    /// Nowhere yet: it waits until a connection is free.
    Waits,
}

// region: choose
/// Which of the connections that are there takes the next request.
pub fn choose(design: Design, seats: &[Seat]) -> Choice {
    let free = |seat: &Seat| seat.open && seat.busy == 0;
    match design {
        // Nobody takes a second request: each needs a connection of its own.
        Design::NewForEach(at_once) if seats.len() < at_once.max(1) => Choice::Open,
        Design::NewForEach(_) => Choice::Waits,
        Design::Kept(most) => {
            let idle = (0..seats.len()).filter(|&c| free(&seats[c]));
            match idle.min_by_key(|&c| (seats[c].free_since, c)) {
                Some(first_free) => Choice::On(first_free),
                None if seats.len() < most.max(1) => Choice::Open,
                None => Choice::Waits,
            }
        }
        Design::Streams(most) => match seats.first() {
            None => Choice::Open,
            Some(seat) if seat.busy < most.max(1) => Choice::On(0),
            Some(_) => Choice::Waits,
        },
        Design::Pipelined => match seats.first() {
            None => Choice::Open,
            Some(_) => Choice::On(0),
        },
    }
}
// endregion

/// When each file of a page is there if nothing is lost: a document and then what it names, or all at once. `links` are
/// for the first connection and for later ones, which may have keys from before.
pub fn page(design: Design, links: [Link; 2], files: usize, document_first: bool) -> Vec<Timing> {
    let mut free = Vec::new();
    let [fresh, later] = links;
    let first = match design {
        _ if document_first => files.min(1),
        // Whoever comes after the first can use the keys of the first.
        Design::NewForEach(at_once) if fresh != later => files.min(at_once.max(1)),
        _ => files,
    };
    let mut timings = load(design, fresh, 0, first, &mut free);
    if let Some(&document) = timings.first().filter(|_| first < files) {
        timings.extend(load(design, later, document.done, files - first, &mut free));
    }
    timings
}

/// Before any round trip was measured, a segment is sent again after this long (RFC 6298).
pub const FIRST_TIMEOUT_US: u64 = 1_000_000;
/// Linux adds at least this to the measured round trip.
pub const TIMEOUT_MARGIN_US: u64 = 200_000;

// region: timeout
/// How long the sender of a lost segment waits before it sends it again: `tried` says how often it did so already.
pub fn retransmission_timeout(measured: Option<u64>, tried: u32) -> u64 {
    let first = match measured {
        None => FIRST_TIMEOUT_US,
        Some(round_trip) => round_trip.saturating_add(TIMEOUT_MARGIN_US),
    };
    first.saturating_mul(1 << tried.min(16))
}

/// Whether an answer has to wait for what another one on its connection lost. TCP hands bytes over in order and knows
/// nothing of answers; QUIC keeps each stream in order by itself.
pub fn waits_for_lost(over_quic: bool, same_answer: bool) -> bool {
    same_answer || !over_quic
}
// endregion

/// What a sender may have under way: a round's segments leave together, and their acknowledgements make room for twice
/// as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Segments that may be under way.
    pub size: u64,
    /// Segments that are.
    pub flying: u64,
}

impl Default for Window {
    fn default() -> Window {
        Window {
            size: FIRST_WINDOW,
            flying: 0,
        }
    }
}

impl Window {
    /// No window grows beyond this many segments, so that no sum can overflow.
    const SIZE_MAX: u64 = 1 << 20;

    /// Sends up to so many; how many left.
    pub fn send(&mut self, wanted: u64) -> u64 {
        let sent = wanted.min(self.size.saturating_sub(self.flying));
        self.flying += sent;
        sent
    }

    /// A round trip later all of them are acknowledged: each makes room for one more (slow start).
    pub fn acknowledge(&mut self) {
        self.size = (self.size + self.flying).min(Self::SIZE_MAX);
        self.flying = 0;
    }
}

/// A method of HTTP, as far as trying again goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Asks for something and changes nothing.
    Get,
    /// Changes something.
    Post,
}

// region: again
/// Whether a client may by itself send a request again that met a closed connection: only if doing it twice is as good
/// as doing it once.
pub fn may_try_again(method: Method) -> bool {
    match method {
        Method::Get => true,
        Method::Post => false,
    }
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::slow_start_round_trips;

    const IDLE: Seat = Seat {
        open: true,
        busy: 0,
        free_since: 5,
    };

    #[test]
    fn requests_go_where_the_design_says() {
        let busy = Seat { busy: 1, ..IDLE };
        let opening = Seat {
            open: false,
            ..busy
        };
        let earlier = Seat {
            free_since: 4,
            ..IDLE
        };
        assert_eq!(choose(Design::NewForEach(1), &[]), Choice::Open);
        assert_eq!(choose(Design::NewForEach(1), &[busy]), Choice::Waits);
        assert_eq!(
            choose(Design::Kept(6), &[busy, IDLE, earlier]),
            Choice::On(2)
        );
        assert_eq!(choose(Design::Kept(6), &[busy, IDLE, IDLE]), Choice::On(1));
        assert_eq!(choose(Design::Kept(3), &[busy, opening]), Choice::Open);
        assert_eq!(choose(Design::Kept(2), &[busy, opening]), Choice::Waits);
        assert_eq!(choose(Design::Streams(2), &[opening]), Choice::On(0));
        assert_eq!(
            choose(Design::Streams(2), &[Seat { busy: 2, ..IDLE }]),
            Choice::Waits
        );
        assert_eq!(choose(Design::Pipelined, &[busy]), Choice::On(0));
    }

    #[test]
    fn a_segment_without_a_sample_waits_a_second_and_then_two() {
        assert_eq!(retransmission_timeout(None, 0), 1_000_000);
        assert_eq!(retransmission_timeout(None, 1), 2_000_000);
        assert_eq!(retransmission_timeout(Some(100_000), 0), 300_000);
        assert_eq!(retransmission_timeout(Some(u64::MAX), 99), u64::MAX);
        assert!(waits_for_lost(false, false) && !waits_for_lost(true, false));
        assert!(waits_for_lost(true, true));
    }

    #[test]
    fn a_window_needs_as_many_rounds_as_slow_start_counts() {
        for segments in [1_u64, 10, 11, 30, 31, 343, 5_000] {
            let (mut window, mut left, mut rounds) = (Window::default(), segments, 0);
            loop {
                left -= window.send(left);
                if left == 0 {
                    break;
                }
                window.acknowledge();
                rounds += 1;
            }
            let bytes = segments * crate::connections::SEGMENT_BYTES;
            assert_eq!(rounds, slow_start_round_trips(bytes, FIRST_WINDOW));
        }
    }

    #[test]
    fn only_what_may_happen_twice_is_tried_again() {
        assert!(may_try_again(Method::Get) && !may_try_again(Method::Post));
    }

    #[test]
    fn a_page_without_a_document_asks_for_all_at_once() {
        let link = Link {
            round_trip: 100,
            setup_round_trips: 1,
            server: 0,
        };
        let last = |first| {
            let timings = page(Design::Streams(100), [link; 2], 10, first);
            timings.iter().map(|t| t.done).max()
        };
        assert_eq!((last(false), last(true)), (Some(200), Some(300)));
        assert!(page(Design::Kept(6), [link; 2], 0, true).is_empty());
    }
}
