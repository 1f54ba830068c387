//! One resolver: its copies, with their clocks, and the questions that it has under way.

use super::settings::Settings;
use algorithms::dns_cache::{Answer, DnsCache, Found};
use algorithms::single_flight::SingleFlight;
use engine::Time;
use engine::tape::NoteId;
use kit::flow::{Key, Leg};

/// TTL of what root and .com answer: two days, as in the real zones.
pub(super) const WAY_TTL_S: u32 = 172_800;
/// TTL of the zone's SOA record, s; what counts for a "no" is the smaller of it and the record's last field.
const SOA_TTL_S: u32 = 3_600;

/// What a resolver can hold a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Who knows the names under .com.
    Com,
    /// Who knows the names under shop.com.
    Zone,
    /// The address of shop.com.
    Shop,
    /// The address of new.shop.com, which does not exist at first.
    New,
}

/// An address, by who is there: one of the two servers, or nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addr {
    Server(usize),
    Wrong,
}

/// What somebody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Whom to ask next.
    Way,
    At(Addr),
    /// There is no such name.
    No,
    /// The name server did not answer.
    Failed,
}

/// Questions that a resolver asks for one name, one name server after another.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) name: Name,
    /// The name server asked: root, .com, shop.com's.
    pub(super) server: usize,
    /// Where question or answer is; none while nobody answers.
    pub(super) leg: Option<Leg<()>>,
    /// What was answered, and the TTL that it was given there.
    pub(super) reply: Said,
    pub(super) ttl_s: u32,
    /// This question was asked before, without an answer.
    pub(super) again: bool,
    /// Tells the events of this question from those of an earlier one.
    pub(super) serial: u32,
    /// Who made the resolver ask; none for a copy that is refreshed behind a stale answer.
    pub(super) lead: Option<Key>,
    pub(super) dot: u32,
    /// Which name servers were asked so far, and how many questions that took.
    pub(super) asked: [bool; 3],
    pub(super) questions: u32,
    pub(super) cause: NoteId,
}

/// One resolver.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    /// Addresses, ways and "no such name".
    pub(super) cache: DnsCache<Name, Said>,
    /// That nobody answered, kept apart, so that it does not displace a copy that may still be given.
    pub(super) failures: DnsCache<Name, Said>,
    /// Who waits for which answer.
    pub(super) flights: SingleFlight<Name, Key, ()>,
    pub(super) walks: Vec<Walk>,
    /// The last walk that came to its end: which servers it asked, and when it ended.
    pub(super) trail: Option<([bool; 3], Time)>,
    /// The copy that answered last, and when.
    pub(super) hit: Option<(Name, Time)>,
    /// Questions of users that reached it.
    pub(super) lookups: u32,
    /// Answers to users: from a copy, fetched, from an expired copy, failures.
    pub(super) from_copy: u32,
    pub(super) fetched: u32,
    pub(super) stale: u32,
    pub(super) failed: u32,
    /// Walks that brought an address of the shop.
    pub(super) fetches: u32,
    /// When it held no old address any more, after the last move.
    pub(super) turned: Option<Time>,
    /// What it knows of the shop and of the new name goes back to this.
    pub(super) causes: [NoteId; 2],
}

impl Resolver {
    pub(super) fn new(resolver: usize, knobs: &Settings) -> Resolver {
        let cache = DnsCache::new(knobs.cache(resolver));
        Resolver {
            failures: cache.clone(),
            cache,
            flights: SingleFlight::default(),
            walks: Vec::new(),
            trail: None,
            hit: None,
            lookups: 0,
            from_copy: 0,
            fetched: 0,
            stale: 0,
            failed: 0,
            fetches: 0,
            turned: None,
            causes: [NoteId::NONE; 2],
        }
    }

    pub(super) fn walk(&mut self, name: Name) -> Option<&mut Walk> {
        self.walks.iter_mut().find(|walk| walk.name == name)
    }

    // region: closest
    /// The name server closest to the name of which it knows: what it was told on an earlier way is good for two days.
    pub(super) fn closest(&self, now: Time) -> usize {
        let knows = |name| matches!(self.cache.look(now.0, &name), Found::Fresh { .. });
        if knows(Name::Zone) {
            2
        } else if knows(Name::Com) {
            1
        } else {
            0
        }
    }
    // endregion

    /// Keeps what was said with this TTL, as of now; says for how long, in seconds.
    pub(super) fn keep(&mut self, name: Name, said: Said, ttl_s: u32, now: Time) -> u32 {
        let answer = match said {
            Said::Way | Said::At(_) => Answer::Records {
                data: said,
                ttls_s: vec![ttl_s],
            },
            Said::No => Answer::Negative {
                soa: Some((SOA_TTL_S, ttl_s)),
                data: said,
            },
            Said::Failed => return self.failures.store(now.0, name, Answer::Failure(said)),
        };
        self.failures.flush(&name);
        self.cache.store(now.0, name, answer)
    }

    /// The address of the shop that it gives to who asks now, if it has one.
    pub(super) fn gives(&self, now: Time) -> Option<Addr> {
        match self.cache.look(now.0, &Name::Shop) {
            Found::Fresh {
                data: Said::At(addr),
                ..
            }
            | Found::Stale {
                data: Said::At(addr),
                ..
            } => Some(*addr),
            _ => None,
        }
    }

    /// How long its copy of the shop's address is still good; zero if there is none.
    pub(super) fn left(&self, name: Name, now: Time) -> Time {
        let held = self.cache.held(&name);
        held.map_or(Time::ZERO, |held| Time(held.ends_us()).since(now))
    }
}
