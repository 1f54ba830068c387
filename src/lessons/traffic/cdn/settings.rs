//! What the learner sets, and the world that it is set in: regions, how far they are apart, and who is reached how.

use engine::{Time, choices};

/// Regions of viewers: United States, Europe, India, Australia.
pub(super) const REGIONS: usize = 4;
/// At most two edges a region; the second ones come after the first.
pub(super) const EDGES: usize = 2 * REGIONS;
pub(super) const INDIA: usize = 2;
pub(super) const EUROPE: usize = 1;
/// Videos, whose popularity is Zipf's.
pub(super) const VIDEOS: usize = 200;

/// Round trips between Ashburn, Frankfurt, Mumbai and Sydney, ms: as measured between clouds there, 1.3 to 1.7 times what light needs.
pub(super) const TRIP_MS: [[u64; REGIONS]; REGIONS] = [
    [10, 90, 190, 200],
    [90, 10, 110, 250],
    [190, 110, 10, 150],
    [200, 250, 150, 10],
];

/// What a path costs the networks of a region (row) to the edges of another: hops between networks, not kilometres.
const HOPS: [[u8; REGIONS]; REGIONS] = [[1, 2, 5, 4], [2, 1, 4, 6], [5, 3, 1, 4], [4, 6, 4, 1]];
/// What the path from India to Mumbai costs while its networks exchange traffic in Frankfurt.
const ASTRAY: u8 = 6;

/// How many edges there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edges {
    None,
    One,
    Four,
    Eight,
}
choices!(Edges {
    "none" => Edges::None,
    "one" => Edges::One,
    "four" => Edges::Four,
    "eight" => Edges::Eight,
});

/// Who keeps the origin from being asked for the same thing over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    Off,
    /// An edge fetches a video once; who asks meanwhile waits for it.
    Collapse,
    /// What all edges lack goes through one more cache beside the origin.
    Shield,
}
choices!(Protection {
    "none" => Protection::Off,
    "collapse" => Protection::Collapse,
    "shield" => Protection::Shield,
});

/// What an edge does with a copy that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    Fetch,
    Stale,
}
choices!(Expired { "fetch" => Expired::Fetch, "stale" => Expired::Stale });

/// Whether a viewer's connection is open already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connections {
    New,
    Kept,
}
choices!(Connections { "new" => Connections::New, "kept" => Connections::Kept });

/// What of an address tells copies apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRule {
    Url,
    Path,
}
choices!(KeyRule { "url" => KeyRule::Url, "path" => KeyRule::Path });

/// What a purge does to copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purge {
    Hard,
    Soft,
}
choices!(Purge { "hard" => Purge::Hard, "soft" => Purge::Soft });

/// Where the origin stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Virginia,
    Sydney,
}
choices!(Home { "virginia" => Home::Virginia, "sydney" => Home::Sydney });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How many edges there are.
        edges: choice Edges "edges" = Edges::Four,
        /// `s-maxage`, s.
        life: whole "life" [5, 300] "s" = 60,
        /// Copies that an edge has room for.
        slots: whole "slots" [10, 200] "" = 200,
        /// How the origin is protected.
        protection: choice Protection "protection" = Protection::Off,
        /// What is done with expired copies.
        expired: choice Expired "expired" = Expired::Fetch,
        /// Viewers of a region, a second.
        rate: whole "rate" [1, 40] "/s" = 20,
        /// Zipf's exponent.
        skew: slider "skew" [0.0, 1.4, 0.1] "" = 0.9,
        /// Whether viewers are connected already.
        connections: choice Connections "connections" = Connections::New,
        /// Requests that the origin works on at a time.
        workers: whole "workers" [1, 20] "" = 3,
        /// What of an address tells copies apart.
        key: choice KeyRule "key" = KeyRule::Url,
        /// What a purge does.
        purge: choice Purge "purge" = Purge::Hard,
        /// Round trip from viewers to the edge of their region, ms.
        trip: whole "trip" [2, 50] "ms" = 10,
        /// Where the origin stands.
        home: choice Home "home" = Home::Virginia,
    }
}

impl Settings {
    /// How many edges there are.
    pub(super) fn count(&self) -> usize {
        match self.edges {
            Edges::None => 0,
            Edges::One => 1,
            Edges::Four => REGIONS,
            Edges::Eight => EDGES,
        }
    }

    /// The region of the origin.
    pub(super) fn at(&self) -> usize {
        match self.home {
            Home::Virginia => 0,
            Home::Sydney => REGIONS - 1,
        }
    }

    /// A round trip from viewers of a region to the edge of one.
    pub(super) fn to_edge(&self, from: usize, to: usize) -> Time {
        if from == to {
            Time::ms(self.trip.into())
        } else {
            Time::ms(TRIP_MS[from][to])
        }
    }

    /// A round trip from a region to the origin.
    pub(super) fn to_origin(&self, from: usize) -> Time {
        Time::ms(TRIP_MS[from][self.at()])
    }

    /// Round trips before a request can leave: TCP and TLS 1.3 (RFC 8446).
    pub(super) fn shakes(&self) -> u64 {
        match self.connections {
            Connections::New => 2,
            Connections::Kept => 0,
        }
    }
}

/// What the path from a region to another's edges costs.
pub(super) fn hops(from: usize, to: usize, astray: bool) -> u8 {
    if astray && from == INDIA && to == INDIA {
        ASTRAY
    } else {
        HOPS[from][to]
    }
}
