//! The system: users, the resolvers that they ask, the name servers that these ask, and a shop that moves.

use super::probe;
use super::resolver::{Addr, Name, Resolver, Said, WAY_TTL_S, Walk};
use super::settings::{Serve, Settings};
use algorithms::dns_cache::Found;
use algorithms::single_flight::Join;
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Balance, Key, Leg, Recently, Slab, Source};

pub(super) const RESOLVERS: usize = 3;
/// Users of each resolver.
pub(super) const USERS: usize = 4;
/// The name server of shop.com, among the three.
pub(super) const NS1: usize = 2;
/// So long after a move the server that was left still runs.
pub(super) const KEPT_ON: Time = Time::s(40);
/// So long a wrong address is published, and a name is missing when it is asked for too soon.
const SLIP: Time = Time::s(1);
/// When the first user of each resolver asks, ms: one after another, so that the first walk is seen alone and clocks differ.
const OPENING_MS: [u64; RESOLVERS] = [400, 5_000, 10_000];
/// The first walk is over before the same users ask again.
const ALONE: Time = Time::ms(1_800);
/// A user who got no answer asks again after so long, and at most so often; stub resolvers wait 5 s.
const AGAIN: Time = Time::s(2);
const TRIES: u32 = 3;
/// Who wants the new name asks again after so long.
const SOON_AGAIN: Time = Time::s(3);
/// A window for the challenge of the quiet name server, and what it may hold.
pub(super) const QUIET: u32 = 3;

const WANTS: [Stream; RESOLVERS] = [
    Stream::named("users-a"),
    Stream::named("users-b"),
    Stream::named("users-public"),
];

/// Where a lookup is, and the request that comes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// The question is on its way to the resolver.
    Asks(Leg<()>),
    /// The resolver asks.
    Waits,
    /// The answer is on its way to the user.
    Hears(Leg<()>),
    /// No answer: the user will ask again.
    Pauses,
    /// The request is on its way to the address; whether it is past the name servers.
    Visits(Leg<()>, bool),
    /// It was refused, or nobody is there.
    Fails(Leg<()>),
}

/// A user who wants a name's server.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) of: usize,
    user: usize,
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) said: Said,
    /// The answer came from a copy that had ended.
    pub(super) stale: bool,
    tries: u32,
    /// When it reached the resolver, and the questions that this one asked for it.
    reached: Time,
    questions: u32,
    cause: NoteId,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Users of this resolver want the shop, if their source's turn is still this one.
    Want(usize, u32),
    /// A lookup is at the end of its way or of its pause.
    Due(Key),
    /// A question or answer of this resolver is at the end of its way.
    Step(usize, u32),
    /// A question has had no answer for so long.
    TimeOut(usize, u32),
    /// A copy may have ended.
    Ends(usize, Name),
    /// The server that was left in this move is switched off.
    Off(u32),
    /// The wrong address is taken back.
    Mended,
    /// The new name is created, and asked for.
    Created,
    SoonAgain,
}

/// Somebody asks for a name before it exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Soon {
    created: bool,
    /// Who of Providers A and B has got the address.
    pub(super) got: [bool; 2],
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Naming {
    pub(super) resolvers: Vec<Resolver>,
    pub(super) lookups: Slab<Lookup>,
    gone: u64,
    sources: [Source; RESOLVERS],
    /// Whether the first user of each resolver has asked.
    begun: [bool; RESOLVERS],
    serials: u32,
    /// Addresses that users keep themselves, and until when.
    pub(super) own: [[Option<(Addr, Time)>; USERS]; RESOLVERS],
    /// Where the shop is, and since when each server is without it.
    pub(super) home: usize,
    pub(super) left: [Option<Time>; 2],
    pub(super) slip: bool,
    pub(super) slipped: Option<Time>,
    pub(super) moved: Option<Time>,
    pub(super) moves: u32,
    pub(super) soon: Option<Soon>,
    /// Questions to each name server, and requests to each server.
    pub(super) asked: [u32; 3],
    pub(super) visits: [u32; 2],
    /// Requests to the present server, to the old one, and lookups that led nowhere.
    pub(super) led: Recently<3>,
    /// When a user of Provider A had an answer for the first time, and how many questions were asked for the next lookup.
    told: Option<Time>,
    pub(super) passed: bool,
    pub(super) second: Option<u32>,
    /// Users of Provider A who were told that a name does not exist after it did.
    pub(super) told_late: u32,
    /// Users who asked for the shop and heard of a failure; given answers that had ended.
    pub(super) forgot: u32,
    pub(super) given_stale: u32,
    /// Since the last move: refused, and served since the old server is off.
    pub(super) refused: u32,
    pub(super) since_off: u32,
    /// The longest lifetime of an address so far.
    pub(super) longest_s: u32,
    /// Since when the name server is silent, and what that goes back to; users who have failed since.
    pub(super) silent: Option<(Time, NoteId)>,
    pub(super) failed_since: u32,
    /// A stretch in which the shop's name server was asked at most [`QUIET`] times: its beginning, questions, lookups.
    pub(super) quiet: (Time, u32, u32),
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const fn users(i: usize) -> PartId {
    PartId::nth("users", i as u16 + 1)
}

pub(super) const fn resolver(i: usize) -> PartId {
    PartId::nth("resolver", i as u16 + 1)
}

/// Root, .com, and the name server of shop.com.
pub(super) const fn ns(i: usize) -> PartId {
    PartId::one(["root", "com", "ns1"][i])
}

pub(super) const fn server(i: usize) -> PartId {
    PartId::one(["ten", "twenty"][i])
}

/// The word for a name.
fn name_word(name: Name) -> Arg {
    Arg::Word(match name {
        Name::New => "stage.name.new",
        _ => "stage.name.shop",
    })
}

/// The word for an address.
pub(super) fn addr_word(addr: Addr) -> Arg {
    Arg::Word(match addr {
        Addr::Server(0) => "stage.addr.ten",
        Addr::Server(_) => "stage.addr.twenty",
        Addr::Wrong => "stage.addr.wrong",
    })
}

fn seconds(s: u32) -> Arg {
    Arg::Span(Time::s(u64::from(s)))
}

/// A note about a part.
fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

/// The name of a resolver.
fn who(i: usize) -> Arg {
    Arg::Part(resolver(i))
}

impl Naming {
    /// What the shop's name server says now.
    pub(super) fn published(&self) -> Addr {
        if self.slip {
            Addr::Wrong
        } else {
            Addr::Server(self.home)
        }
    }

    /// Whether a server that the shop has left is switched off.
    pub(super) fn is_off(&self, server: usize, now: Time) -> bool {
        self.left[server].is_some_and(|left| now.since(left) >= KEPT_ON)
    }

    /// Whether a resolver gives the address of the server that the shop has left.
    pub(super) fn is_old(&self, i: usize, now: Time) -> bool {
        self.resolvers[i].gives(now) == Some(Addr::Server(1 - self.home))
    }

    /// Since the last move no resolver gives an old address any more.
    pub(super) fn settled(&self) -> bool {
        self.moved.is_some() && self.resolvers.iter().all(|one| one.turned.is_some())
    }

    /// Every resolver holds a copy that is good for a while.
    pub(super) fn full(&self) -> bool {
        let holds = |one: &Resolver| one.left(Name::Shop, self.now) >= Time::s(1);
        self.resolvers.iter().all(holds)
    }

    /// For how long after the last move the last old address was given; until now if it still is.
    pub(super) fn slowest(&self, now: Time) -> Time {
        let Some(moved) = self.moved else {
            return Time::ZERO;
        };
        let turned = self.resolvers.iter().map(|one| one.turned.unwrap_or(now));
        turned.max().map_or(Time::ZERO, |at| at.since(moved))
    }

    /// The next of these users wants the shop after a gap.
    fn next(&mut self, i: usize, cx: Cx<'_, '_>) {
        let gap = Source::poisson(self.knobs.rate, cx.random(WANTS[i]));
        let first = !std::mem::replace(&mut self.begun[i], true);
        let gap = gap + if first { ALONE } else { Time::ZERO };
        let turn = self.sources[i].next(self.knobs.rate, gap, cx.now());
        cx.schedule(gap, Event::Want(i, turn));
    }

    fn want(&mut self, i: usize, cx: Cx<'_, '_>) {
        let user = below(cx.random(WANTS[i]), USERS);
        match self.own[i][user].filter(|(_, until)| cx.now() < *until) {
            Some((addr, until)) => {
                let key = self.asks(i, user, Name::Shop, cx);
                let told = [addr_word(addr), Arg::Span(until.since(cx.now()))];
                let cause = cx.say(note("own-copy", users(i), &told).dot(key.serial()));
                self.visit(key, addr, cause, cx);
            }
            None => self.ask(i, user, Name::Shop, cx),
        }
    }

    fn asks(&mut self, of: usize, user: usize, name: Name, cx: Cx<'_, '_>) -> Key {
        let cause = cx.cause();
        self.lookups.insert(Lookup {
            of,
            user,
            name,
            place: Place::Waits,
            said: Said::Way,
            stale: false,
            tries: 0,
            reached: cx.now(),
            questions: 0,
            cause,
        })
    }

    fn ask(&mut self, i: usize, user: usize, name: Name, cx: Cx<'_, '_>) {
        let key = self.asks(i, user, name, cx);
        self.say(key, "asks", users(i), cx);
        self.go(key, Place::Asks, cx);
    }

    /// A note about a lookup, in the chain of those that were said of it.
    fn say(&mut self, key: Key, word: &'static str, part: PartId, cx: Cx<'_, '_>) {
        if let Some(lookup) = self.lookups.get_mut(key) {
            cx.because(lookup.cause);
            let told = [name_word(lookup.name), who(lookup.of)];
            lookup.cause = cx.say(note(word, part, &told).dot(key.serial()));
        }
    }

    /// Sets out on one link.
    fn go(&mut self, key: Key, place: impl Fn(Leg<()>) -> Place, cx: Cx<'_, '_>) {
        let hop = self.knobs.hop();
        if let Some(lookup) = self.lookups.get_mut(key) {
            lookup.place = place(Leg::new((), cx.now(), hop, false));
            cx.schedule(hop, Event::Due(key));
        }
    }

    /// The request leaves for the address; its way is two links long.
    fn visit(&mut self, key: Key, addr: Addr, cause: NoteId, cx: Cx<'_, '_>) {
        let hop = self.knobs.hop();
        if let Some(lookup) = self.lookups.get_mut(key) {
            lookup.cause = cause;
            lookup.said = Said::At(addr);
            lookup.place = Place::Visits(Leg::new((), cx.now(), hop + hop, false), false);
            cx.schedule(hop, Event::Due(key));
        }
    }

    fn done(&mut self, key: Key) {
        if self.lookups.forget(key) {
            self.gone += 1;
        }
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(lookup) = self.lookups.get(key) else {
            return;
        };
        let (i, said) = (lookup.of, lookup.said);
        cx.because(lookup.cause);
        match lookup.place {
            Place::Asks(_) => self.reaches(key, cx),
            Place::Hears(_) => self.hears(key, cx),
            Place::Pauses => {
                self.say(key, "asks-again", users(i), cx);
                self.go(key, Place::Asks, cx);
            }
            Place::Visits(leg, false) => {
                self.passed = true;
                if let Some(lookup) = self.lookups.get_mut(key) {
                    lookup.place = Place::Visits(leg, true);
                }
                cx.schedule(leg.to.since(cx.now()), Event::Due(key));
            }
            Place::Visits(..) => self.arrives(key, i, said, cx),
            Place::Fails(_) => self.done(key),
            Place::Waits => {}
        }
    }

    /// A question reaches its resolver.
    fn reaches(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(lookup) = self.lookups.get_mut(key) else {
            return;
        };
        let (i, name) = (lookup.of, lookup.name);
        (lookup.reached, lookup.questions) = (now, 0);
        lookup.place = Place::Waits;
        self.quiet.2 += 1;
        let may_ask = self.may_ask(i, name, now);
        let one = &mut self.resolvers[i];
        one.lookups += 1;
        match one.cache.look(now.0, &name) {
            Found::Fresh { data, ttl_s } => {
                let said = *data;
                one.from_copy += 1;
                one.hit = Some((name, now));
                self.reply(key, said, "from-copy", ttl_s, cx);
            }
            Found::Stale { data, ttl_s } => {
                let said = *data;
                self.give_stale(key, said, ttl_s, cx);
                if may_ask && self.resolvers[i].walk(name).is_none() {
                    self.start(i, name, None, cx);
                }
            }
            Found::Miss if !may_ask => match one.cache.fall_back(now.0, &name) {
                Some((data, ttl_s)) => {
                    let said = *data;
                    self.give_stale(key, said, ttl_s, cx);
                }
                None => {
                    one.failed += 1;
                    self.reply(key, Said::Failed, "still-failed", 0, cx);
                }
            },
            Found::Miss => {
                // Behind a stale answer somebody may be asking already.
                let refreshes = one.walk(name).is_some_and(|walk| walk.lead.is_none());
                match one.flights.join(name, key) {
                    Join::Lead if refreshes => {
                        if let Some(walk) = one.walk(name) {
                            walk.lead = Some(key);
                        }
                    }
                    Join::Lead => self.start(i, name, Some(key), cx),
                    Join::Wait | Join::Ready(()) => self.say(key, "joins", users(i), cx),
                }
            }
        }
    }

    /// Whether a resolver does not remember that nobody answered.
    fn may_ask(&self, i: usize, name: Name, now: Time) -> bool {
        self.resolvers[i].failures.look(now.0, &name) == Found::Miss
    }

    fn give_stale(&mut self, key: Key, said: Said, ttl_s: u32, cx: Cx<'_, '_>) {
        if let Some(lookup) = self.lookups.get_mut(key) {
            let one = &mut self.resolvers[lookup.of];
            one.stale += 1;
            one.hit = Some((lookup.name, cx.now()));
            lookup.stale = true;
        }
        self.given_stale += 1;
        self.reply(key, said, "stale", ttl_s, cx);
    }

    /// The resolver answers a user.
    fn reply(&mut self, key: Key, said: Said, word: &'static str, ttl_s: u32, cx: Cx<'_, '_>) {
        let Some(lookup) = self.lookups.get_mut(key) else {
            return;
        };
        lookup.said = said;
        let i = lookup.of;
        let from_copy = lookup.questions == 0 && said != Said::Failed && !lookup.stale;
        cx.sample(probe::COPY, if from_copy { 100.0 } else { 0.0 });
        let what = match said {
            Said::At(addr) => addr_word(addr),
            _ => Arg::Word("stage.no-such"),
        };
        let told = [who(i), what, seconds(ttl_s)];
        // What is given goes back to where the resolver has it from.
        cx.because(self.resolvers[i].causes[usize::from(lookup.name == Name::New)]);
        lookup.cause = cx.say(note(word, users(i), &told).dot(key.serial()));
        self.go(key, Place::Hears, cx);
    }

    /// A resolver begins to ask.
    fn start(&mut self, i: usize, name: Name, lead: Option<Key>, cx: Cx<'_, '_>) {
        let dot = lead.map_or(0, Key::serial);
        let one = &mut self.resolvers[i];
        let cause = cx.cause();
        one.walks.push(Walk {
            name,
            server: one.closest(cx.now()),
            leg: None,
            reply: Said::Way,
            ttl_s: 0,
            again: false,
            serial: 0,
            lead,
            dot,
            asked: [false; 3],
            questions: 0,
            cause,
        });
        self.question(i, name, cx);
    }

    /// A resolver asks the name server that its walk has come to.
    fn question(&mut self, i: usize, name: Name, cx: Cx<'_, '_>) {
        let (hop, time_out) = (self.knobs.hop(), Time::from_s(self.knobs.timeout));
        self.serials += 1;
        let serial = self.serials;
        let Some(walk) = self.resolvers[i].walk(name) else {
            return;
        };
        walk.serial = serial;
        walk.questions += 1;
        walk.asked[walk.server] = true;
        walk.leg = Some(Leg::new((), cx.now(), hop, false));
        cx.because(walk.cause);
        let told = [who(i), Arg::Part(ns(walk.server)), name_word(name)];
        walk.cause = cx.say(note("walks", resolver(i), &told).dot(walk.dot));
        cx.schedule(hop, Event::Step(i, serial));
        cx.schedule(time_out, Event::TimeOut(i, serial));
    }

    /// A question has reached a name server, or its answer the resolver.
    fn step(&mut self, i: usize, serial: u32, cx: Cx<'_, '_>) {
        let (now, published) = (cx.now(), self.published());
        let exists = self.soon.is_some_and(|soon| soon.created);
        let one = &mut self.resolvers[i];
        let Some(walk) = one.walks.iter_mut().find(|walk| walk.serial == serial) else {
            return;
        };
        let (name, at) = (walk.name, walk.server);
        cx.because(walk.cause);
        let there = walk.leg.is_some_and(|leg| !leg.back);
        if there {
            self.asked[at] += 1;
            if at == NS1 {
                cx.sample(probe::ASKED, 1.0);
                self.quiet.1 += 1;
                if self.quiet.1 > QUIET {
                    self.quiet = (now, 0, 0);
                }
            }
            if at == NS1 && !self.knobs.answers {
                walk.leg = None;
                return;
            }
            let (word, what) = match (at, name) {
                (NS1, Name::New) if !exists => {
                    (walk.reply, walk.ttl_s) = (Said::No, self.knobs.negative);
                    ("says-no", name_word(name))
                }
                (NS1, _) => {
                    (walk.reply, walk.ttl_s) = (Said::At(published), self.knobs.ttl);
                    ("answers", addr_word(published))
                }
                _ => {
                    (walk.reply, walk.ttl_s) = (Said::Way, WAY_TTL_S);
                    ("refers", Arg::Part(ns(at + 1)))
                }
            };
            let good_for = match walk.reply {
                Said::Way => Arg::Word("stage.two-days"),
                _ => seconds(walk.ttl_s),
            };
            let hop = self.knobs.hop();
            walk.leg = Some(Leg::new((), now, hop, true));
            let told = [Arg::Part(ns(at)), what, good_for];
            walk.cause = cx.say(note(word, ns(at), &told).dot(walk.dot));
            cx.schedule(hop, Event::Step(i, serial));
            return;
        }
        if walk.reply == Said::Way {
            let (ttl_s, of) = (walk.ttl_s, [Name::Com, Name::Zone][at.min(1)]);
            walk.server += 1;
            one.keep(of, Said::Way, ttl_s, now);
            self.question(i, name, cx);
        } else {
            self.finish(i, name, cx);
        }
    }

    fn time_out(&mut self, i: usize, serial: u32, cx: Cx<'_, '_>) {
        let verify = self.knobs.stale == Serve::Verify;
        let one = &mut self.resolvers[i];
        let Some(walk) = one.walks.iter_mut().find(|walk| walk.serial == serial) else {
            return;
        };
        let (name, again) = (walk.name, walk.again);
        walk.again = true;
        // Why there was none matters more than who asked.
        cx.because(self.silent.map_or(walk.cause, |(_, silence)| silence));
        let told = [Arg::Part(ns(walk.server)), who(i)];
        let silence = note("no-answer", resolver(i), &told).dot(walk.dot);
        walk.cause = cx.say(silence.mark(Tone::Bad));
        // Who has an old answer to give does not let users wait for a second try.
        let old = one.cache.fall_back(cx.now().0, &name);
        if again || (verify && old.is_some()) {
            walk.reply = Said::Failed;
            self.finish(i, name, cx);
        } else {
            self.question(i, name, cx);
        }
    }

    /// A walk is over: what it brought is kept and given to all who waited for it.
    fn finish(&mut self, i: usize, name: Name, cx: Cx<'_, '_>) {
        let now = cx.now();
        let one = &mut self.resolvers[i];
        let Some(place) = one.walks.iter().position(|walk| walk.name == name) else {
            return;
        };
        let walk = one.walks.remove(place);
        let waiting = one.flights.fail(&name);
        let kept_s = one.keep(name, walk.reply, walk.ttl_s, now);
        one.trail = Some((walk.asked, now));
        cx.because(walk.cause);
        let (word, what) = match walk.reply {
            Said::At(addr) if kept_s == 0 => ("keeps-not", addr_word(addr)),
            Said::At(addr) => ("keeps", addr_word(addr)),
            Said::No => ("keeps-no", name_word(name)),
            _ => ("gives-up", name_word(name)),
        };
        let told = [who(i), what, seconds(kept_s)];
        let kept = cx.say(note(word, resolver(i), &told).dot(walk.dot));
        one.causes[usize::from(name == Name::New)] = kept;
        if let (Name::Shop, Said::At(_)) = (name, walk.reply) {
            one.fetches += 1;
            self.longest_s = self.longest_s.max(kept_s);
        }
        if kept_s > 0 && walk.reply != Said::Failed {
            cx.schedule(Time::s(u64::from(kept_s)), Event::Ends(i, name));
        }
        for key in walk.lead.into_iter().chain(waiting) {
            if let Some(lookup) = self.lookups.get_mut(key) {
                lookup.questions = walk.questions;
            }
            let one = &mut self.resolvers[i];
            let old = one.cache.fall_back(now.0, &name);
            if let (Said::Failed, Some((data, ttl_s))) = (walk.reply, old) {
                let said = *data;
                self.give_stale(key, said, ttl_s, cx);
                continue;
            }
            let (count, word) = match walk.reply {
                Said::Failed => (&mut one.failed, "failed"),
                _ => (&mut one.fetched, "fetched"),
            };
            *count += 1;
            self.reply(key, walk.reply, word, kept_s, cx);
        }
    }

    /// A user has an answer.
    fn hears(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(lookup) = self.lookups.get_mut(key) else {
            return;
        };
        let (i, user, name, said) = (lookup.of, lookup.user, lookup.name, lookup.said);
        if i == 0 {
            match self.told {
                None => self.told = Some(now),
                Some(told) if self.second.is_none() && lookup.reached > told => {
                    self.second = Some(lookup.questions);
                }
                Some(_) => {}
            }
        }
        match said {
            Said::At(addr) => {
                let own = Time::s(u64::from(self.knobs.own));
                if name == Name::Shop {
                    self.own[i][user] = (own > Time::ZERO).then_some((addr, now + own));
                } else if let Some(got) = self.soon.as_mut().and_then(|soon| soon.got.get_mut(i)) {
                    *got = true;
                }
                let leaves = note("visits", users(i), &[addr_word(addr)]);
                let cause = cx.say(leaves.dot(key.serial()));
                self.visit(key, addr, cause, cx);
            }
            Said::Failed if lookup.tries + 1 < TRIES => {
                lookup.tries += 1;
                lookup.place = Place::Pauses;
                self.forgot += u32::from(name == Name::Shop);
                cx.schedule(AGAIN, Event::Due(key));
            }
            _ => {
                let late = self.soon.is_some_and(|soon| soon.created);
                if said == Said::No && late {
                    self.told_late += u32::from(i == 0);
                    let late = note("told-late", users(i), &[name_word(name), who(i)]);
                    cx.say(late.dot(key.serial()).mark(Tone::Bad));
                } else {
                    self.say(key, "nothing", users(i), cx);
                }
                self.failed(cx);
                self.done(key);
            }
        }
    }

    /// A user has not reached what they wanted.
    fn failed(&mut self, cx: Cx<'_, '_>) {
        self.led.add(2, cx.now());
        self.failed_since += 1;
        cx.sample(probe::FAILED, 1.0);
    }

    /// A request is at the address that was given.
    fn arrives(&mut self, key: Key, i: usize, said: Said, cx: Cx<'_, '_>) {
        let now = cx.now();
        let word = match said {
            Said::At(Addr::Server(at)) if at == self.home => {
                self.visits[at] += 1;
                self.led.add(0, now);
                cx.sample(probe::NEW, 1.0);
                let off = self.is_off(1 - at, now);
                self.since_off += u32::from(off && self.moved.is_some());
                return self.served(key, "serves", at, cx);
            }
            Said::At(Addr::Server(at)) if !self.is_off(at, now) => {
                self.visits[at] += 1;
                self.led.add(1, now);
                cx.sample(probe::OLD, 1.0);
                return self.served(key, "serves-old", at, cx);
            }
            Said::At(Addr::Server(at)) => {
                self.refused += 1;
                let refuses = note("refuses", server(at), &[Arg::Part(server(at))]);
                cx.say(refuses.dot(key.serial()).mark(Tone::Bad));
                "refused"
            }
            _ => "nobody",
        };
        self.failed(cx);
        if let Some(lookup) = self.lookups.get_mut(key) {
            lookup.cause = cx.cause();
        }
        self.say(key, word, users(i), cx);
        self.go(key, Place::Fails, cx);
    }

    fn served(&mut self, key: Key, word: &'static str, at: usize, cx: Cx<'_, '_>) {
        cx.say(note(word, server(at), &[Arg::Part(server(at))]).dot(key.serial()));
        self.done(key);
    }

    fn move_shop(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.left[self.home] = Some(now);
        self.home = 1 - self.home;
        self.left[self.home] = None;
        self.moved = Some(now);
        self.moves += 1;
        (self.refused, self.since_off) = (0, 0);
        let told = [addr_word(Addr::Server(self.home))];
        let moves = cx.say(note("moves", ns(NS1), &told).mark(Tone::Learner));
        cx.schedule(KEPT_ON, Event::Off(self.moves));
        for at in [self.home, 1 - self.home] {
            let word = if at == self.home { "opens" } else { "left" };
            cx.because(moves);
            let told = [Arg::Part(server(at)), Arg::Span(KEPT_ON)];
            cx.say(note(word, server(at), &told));
        }
        for one in &mut self.resolvers {
            one.turned = None;
        }
    }

    /// Users of Provider A, and some of B, ask for the new name.
    fn ask_soon(&mut self, both: bool, cx: Cx<'_, '_>) {
        let cause = cx.cause();
        let got = self.soon.map_or([true; 2], |soon| soon.got);
        for (i, got) in got.into_iter().enumerate() {
            if !got && (both || i == 0) {
                cx.because(cause);
                self.ask(i, 0, Name::New, cx);
            }
        }
    }

    /// What is watched all the time.
    fn look(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        self.now = now;
        if self.moved.is_none() {
            return;
        }
        for i in 0..RESOLVERS {
            let old = self.is_old(i, now);
            let turned = &mut self.resolvers[i].turned;
            if old {
                *turned = None;
            } else if turned.is_none() {
                *turned = Some(now);
            }
        }
    }
}

impl Model for Naming {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Naming {
        let mut naming = Naming {
            resolvers: (0..RESOLVERS).map(|i| Resolver::new(i, knobs)).collect(),
            lookups: Slab::default(),
            gone: 0,
            sources: [Source::default(); RESOLVERS],
            begun: [false; RESOLVERS],
            serials: 0,
            own: [[None; USERS]; RESOLVERS],
            home: 0,
            left: [None; 2],
            slip: false,
            slipped: None,
            moved: None,
            moves: 0,
            soon: None,
            asked: [0; 3],
            visits: [0; 2],
            led: Recently::new(cx.now()),
            told: None,
            passed: false,
            second: None,
            told_late: 0,
            forgot: 0,
            given_stale: 0,
            refused: 0,
            since_off: 0,
            longest_s: 0,
            silent: (!knobs.answers).then_some((cx.now(), NoteId::NONE)),
            failed_since: 0,
            quiet: (cx.now(), 0, 0),
            knobs: knobs.clone(),
            now: cx.now(),
        };
        cx.sample(probe::EXPECTED, 100.0 * knobs.expected());
        let servers = (0..3).map(ns).chain((0..2).map(server));
        let here = servers.zip(["knows-com", "knows-zone", "knows-shop", "opens", "empty"]);
        let idle = (0..RESOLVERS).flat_map(|i| [(users(i), "want"), (resolver(i), "knows-none")]);
        for (part, word) in here.chain(idle) {
            cx.because(NoteId::NONE);
            cx.say(note(word, part, &[Arg::Part(part)]));
        }
        cx.because(NoteId::NONE);
        for (i, ms) in OPENING_MS.into_iter().enumerate() {
            let gap = Time::ms(ms);
            let turn = naming.sources[i].next(knobs.rate, gap, cx.now());
            cx.schedule(gap, Event::Want(i, turn));
        }
        naming
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Want(i, turn) if self.sources[i].is_due(turn) => {
                cx.because(NoteId::NONE);
                self.want(i, cx);
                cx.because(NoteId::NONE);
                self.next(i, cx);
            }
            Event::Want(..) => {}
            Event::Due(key) => self.due(key, cx),
            Event::Step(i, serial) => self.step(i, serial, cx),
            Event::TimeOut(i, serial) => self.time_out(i, serial, cx),
            Event::Ends(i, name) => {
                let held = self.resolvers[i].cache.held(&name);
                if held.is_some_and(|held| held.ends_us() == cx.now().0) {
                    cx.say(note("ends", resolver(i), &[who(i), name_word(name)]));
                }
            }
            Event::Off(moves) if moves == self.moves => {
                let at = 1 - self.home;
                let off = note("off", server(at), &[Arg::Part(server(at))]);
                cx.say(off.mark(Tone::Plain));
            }
            Event::Off(_) => {}
            Event::Mended => {
                self.slip = false;
                cx.say(note("mended", ns(NS1), &[addr_word(self.published())]));
            }
            Event::Created => {
                if let Some(soon) = &mut self.soon {
                    soon.created = true;
                    cx.say(note("created", ns(NS1), &[]).mark(Tone::Plain));
                }
            }
            Event::SoonAgain => {
                if self.soon.is_some_and(|soon| soon.got == [true; 2]) {
                    self.soon = None;
                } else if self.soon.is_some() {
                    let again = cx.cause();
                    self.ask_soon(true, cx);
                    cx.because(again);
                    cx.schedule(SOON_AGAIN, Event::SoonAgain);
                }
            }
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        for (i, one) in self.resolvers.iter_mut().enumerate() {
            one.cache.set(knobs.cache(i));
            one.failures.set(knobs.cache(i));
            if let Some((gap, turn)) = self.sources[i].turn(knobs.rate, now) {
                cx.schedule(gap, Event::Want(i, turn));
            }
        }
        if knobs.answers != self.knobs.answers {
            self.failed_since = 0;
            // Nobody waits for a new name while nobody can say whether there is one.
            self.soon = None;
            let word = if knobs.answers { "speaks" } else { "silent" };
            let said = cx.say(note(word, ns(NS1), &[]));
            self.silent = (!knobs.answers).then_some((now, said));
        }
        self.knobs = knobs.clone();
        self.quiet = (now, 0, 0);
        cx.sample(probe::EXPECTED, 100.0 * knobs.expected());
        cx.empty_windows();
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        match act.spec {
            1 => !self.slip,
            4 => {
                let known = |one: &Resolver| one.left(Name::New, self.now) > Time::ZERO;
                self.soon.is_none() && self.knobs.answers && !self.resolvers.iter().any(known)
            }
            _ => true,
        }
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        match act.spec {
            0 => self.move_shop(cx),
            1 => {
                self.slip = true;
                self.slipped = Some(cx.now());
                let slips = note("slips", ns(NS1), &[addr_word(Addr::Wrong)]);
                cx.say(slips.mark(Tone::Learner));
                cx.schedule(SLIP, Event::Mended);
            }
            4 => {
                self.soon = Some(Soon {
                    created: false,
                    got: [false; 2],
                });
                let soon = note("soon", users(0), &[name_word(Name::New)]);
                cx.say(soon.mark(Tone::Learner));
                self.ask_soon(false, cx);
                cx.schedule(SLIP, Event::Created);
                cx.schedule(SLIP + SLIP, Event::SoonAgain);
            }
            5 => {
                let i = act.target.min(RESOLVERS - 1);
                let one = &mut self.resolvers[i];
                one.cache.flush_all();
                one.failures.flush_all();
                let emptied = note("emptied", resolver(i), &[who(i)]);
                one.causes = [cx.say(emptied.mark(Tone::Learner)); 2];
            }
            _ => {}
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.lookups.bytes()
    }

    /// Every lookup that waits is known to its resolver, and to it alone.
    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        for (i, one) in self.resolvers.iter().enumerate() {
            balance.claim("a walk", one.walks.iter().filter_map(|walk| walk.lead));
            let joined = one.flights.flights().flat_map(|(_, waiting)| waiting);
            balance.claim("a walk", joined.copied());
            let waits = |lookup: &Lookup| lookup.of == i && lookup.place == Place::Waits;
            let waits = self.lookups.iter().filter(|(_, lookup)| waits(lookup));
            let answered = one.from_copy + one.fetched + one.stale + one.failed;
            if one.lookups != answered + waits.count() as u32 {
                return Err(format!("{} asked, {answered} answered", one.lookups));
            }
        }
        balance.check(&self.lookups, self.gone, |_, lookup| {
            (lookup.place == Place::Waits).then_some("a walk")
        })
    }
}
