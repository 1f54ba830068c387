//! The shop: reels come one by one, a filter is asked whether the user has watched them, and a database where it says maybe.

use super::probe;
use super::seen::{OWN_FROM, Seen, Shape};
use super::settings::Settings;
use engine::random::{below, chance, unit};
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::flow::{Balance, Key, Leg, Marks, Offer, Pool, Slab, Source};
use std::rc::Rc;

pub(super) const FEED: PartId = PartId::one("feed");
pub(super) const GRID: PartId = PartId::one("grid");
pub(super) const DATABASE: PartId = PartId::one("database");
pub(super) const SHOWN: PartId = PartId::one("shown");
pub(super) const SKIPPED: PartId = PartId::one("skipped");
pub(super) const UNSEEN: PartId = PartId::one("unseen");
pub(super) const MAYBES: PartId = PartId::one("maybes");

/// Questions that the database answers at the same time.
pub(super) const WORKERS: usize = 20;
/// The database is drawn so many times slower than it is, so that its answers can be seen.
pub(super) const SLOWED: f64 = 20.0;
/// One way along a link.
const HOP: Time = Time::ms(250);
/// A reel stays in hand for this share of the mean time between two, at most so long, and is asked about after this share
/// of that.
const HOLD: f64 = 0.7;
const HOLD_MAX: Time = Time::ms(350);
const REACH: f64 = 0.3;
/// "Watch 50 more" brings so many.
pub(super) const MORE: usize = 50;
/// A user who has watched so many makes room for another, or a stack would grow for ever.
const NAMES_MAX: usize = 2_000;
/// The action that puts a reel of the learner's choice in, as a number of the sheet.
const WATCH_OWN: usize = 8;
/// So many reels a learner may name.
const OWN_MAX: usize = 64;
/// The reels that the user has watched as the lesson opens.
const FIRST: usize = 3;
/// What the database said last is seen for so long.
pub(super) const VERDICT: Time = Time::ms(1_600);
/// A name that the filter now denies is offered again after so long.
const AGAIN: Time = Time::ms(400);
/// Reels that are asked about at once, and where their numbers begin if they were never watched.
pub(super) const SIFTED: u32 = 2_000;
const SIFT_FROM: u32 = 2_000_000_000;

const ARRIVALS: Stream = Stream::named("arrivals");
const REELS: Stream = Stream::named("reels");
const MORE_REELS: Stream = Stream::named("more");
const SIFT: Stream = Stream::named("sift");
const ROT: Stream = Stream::named("rot");

/// A link of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Road {
    /// From the feed to those shown, because the filter says no.
    No,
    /// From the feed to the database, because it says maybe.
    Maybe,
    /// From the database to those skipped, or shown after all.
    Watched,
    Lie,
    /// From the feed to those skipped: nobody asks the database.
    Unasked,
}

impl Road {
    /// The word that stands on it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Road::No => "label-no",
            Road::Maybe | Road::Unasked => "label-maybe",
            Road::Watched => "label-watched",
            Road::Lie => "label-lie",
        }
    }

    pub(super) const ALL: [Road; 5] = [
        Road::No,
        Road::Maybe,
        Road::Watched,
        Road::Lie,
        Road::Unasked,
    ];

    pub(super) fn part(self) -> PartId {
        PartId::one(match self {
            Road::No => "road-no",
            Road::Maybe => "road-maybe",
            Road::Watched => "road-watched",
            Road::Lie => "road-lie",
            Road::Unasked => "road-unasked",
        })
    }
}

/// Where a reel is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Waits,
    Held { from: Time, to: Time },
    Travels(Leg<Road>),
    Queued,
    Asked { to: Time },
}

/// What is known of a reel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Unknown,
    New,
    Maybe,
    Watched,
    /// The filter said maybe, and it was never watched.
    Lie,
    /// The filter said no, and it was watched.
    WrongNo,
}

#[derive(Clone, Debug)]
pub(super) struct Reel {
    pub(super) number: u32,
    pub(super) place: Place,
    pub(super) fate: Fate,
    cause: NoteId,
}

/// How far the reel in hand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its fingers reach for their squares.
    Reaches,
    /// The filter has answered.
    Told,
    /// It has left, and set its bits if it was new.
    Left,
}

/// The reel in hand, or the last that was.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) number: u32,
    pub(super) from: Time,
    /// When its fingers are where they reach.
    pub(super) reached: Time,
    pub(super) phase: Phase,
    pub(super) places: Vec<u64>,
    /// The empty bit that proves it new.
    pub(super) proof: Option<u64>,
    /// It was watched, whatever the filter says.
    pub(super) watched: bool,
}

/// What the database said last: the bits of the reel and who set them.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) number: u32,
    pub(super) at: Time,
    pub(super) lie: bool,
    pub(super) places: Vec<u64>,
    pub(super) owners: Vec<u32>,
}

/// What many questions at once came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sifted {
    pub(super) maybes: u32,
    pub(super) lies: u32,
}

/// Counts since the user began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) came: u32,
    pub(super) noes: u32,
    pub(super) asked: u32,
    pub(super) shown: u32,
    pub(super) skipped: u32,
    pub(super) lies: u32,
    /// Skipped without being asked about, though never watched.
    pub(super) missed: u32,
    pub(super) wrong_noes: u32,
    /// Names taken out again.
    pub(super) forgotten: u32,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next reel comes, if the source's turn is still this one.
    Arrive(u32),
    /// The fingers of the reel in hand are where they reach.
    Reached(Key),
    /// A reel is at the end of its stay, its way or its question.
    Due(Key),
    /// A reel that the filter denies is offered again.
    Again(u32),
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Shop {
    pub(super) reels: Slab<Reel>,
    /// One place: the hand; its queue is the feed.
    pub(super) feed: Pool,
    pub(super) database: Pool,
    gone: u64,
    source: Source,
    /// The number of the last new reel.
    last: u32,
    /// What the database knows: the reels that the user has watched, ascending.
    pub(super) watched: Vec<u32>,
    pub(super) seen: Seen,
    pub(super) hand: Hand,
    pub(super) verdict: Option<Verdict>,
    pub(super) sifted: Option<Sifted>,
    /// Names read when the filter was last built for a rate, and the bits and functions that it got.
    pub(super) rebuilt: Option<usize>,
    pub(super) counts: Counts,
    /// What damaged the filter last.
    damage: NoteId,
    /// Whether a bit has been lost since it was built.
    damaged: bool,
    marks: Marks,
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

/// What notes call a reel: its number, or the name that a learner gave it.
fn named(seen: &Seen, number: u32) -> Arg {
    seen.name(number).map_or(count(number), Arg::Typed)
}

impl Shop {
    fn next(&mut self, cx: Cx<'_, '_>) {
        let rate = f64::from(self.knobs.rate);
        let gap = Source::poisson(rate, cx.random(ARRIVALS));
        let turn = self.source.next(rate, gap, cx.now());
        cx.schedule(gap, Event::Arrive(turn));
    }

    /// The number of a reel never seen: they go up, and some are passed over, for others see them too.
    fn new_number(&mut self, stream: Stream, cx: Cx<'_, '_>) -> u32 {
        self.last += 1 + below(cx.random(stream), 2) as u32;
        self.last
    }

    /// What comes next is drawn alike whatever the filter is.
    fn draw(&mut self, cx: Cx<'_, '_>) -> u32 {
        let share = f64::from(self.knobs.watched) / 100.0;
        let again = chance(cx.random(REELS), share);
        let which = unit(cx.random(REELS));
        let new = self.new_number(REELS, cx);
        let known = self.watched.len();
        match again && known > 0 {
            true => self.watched[((which * known as f64) as usize).min(known - 1)],
            false => new,
        }
    }

    pub(super) fn named(&self, number: u32) -> Arg {
        named(&self.seen, number)
    }

    /// The number of the reel that a text names: one of the shop's, whatever it is called there, or one named before.
    fn meant(&self, text: &str) -> Option<u32> {
        let number = text.strip_prefix("reel-").unwrap_or(text);
        let of_shop = number
            .parse()
            .ok()
            .filter(|n: &u32| (1..OWN_FROM).contains(n) && n.to_string() == number);
        let own = || self.seen.own.iter().position(|own| own.text() == text);
        of_shop.or_else(|| Some(OWN_FROM + own()? as u32))
    }

    /// The number of a reel that a learner names, perhaps for the first time.
    fn called(&mut self, text: Typed) -> u32 {
        self.meant(text.text()).unwrap_or_else(|| {
            let own = self.seen.own.iter().copied();
            self.seen.own = own.chain([text]).collect();
            OWN_FROM + self.seen.own.len() as u32 - 1
        })
    }

    fn knows(&self, number: u32) -> bool {
        self.watched.binary_search(&number).is_ok()
    }

    fn come(&mut self, number: u32, word: &'static str, urgent: bool, cx: Cx<'_, '_>) {
        let note = Note::new(word).with(self.named(number)).about(FEED);
        let note = note.dot(number);
        let cause = cx.say(if word == "comes" {
            note
        } else {
            note.mark(Tone::Learner)
        });
        self.counts.came += 1;
        let key = self.reels.insert(Reel {
            number,
            place: Place::Waits,
            fate: Fate::Unknown,
            cause,
        });
        let now = cx.now();
        let at_once = match urgent {
            true => self.feed.offer_urgent(key, 1, now),
            false => self.feed.offer(key, 1, usize::MAX, now) == Offer::AtOnce,
        };
        if at_once {
            self.hold(key, cx);
        }
    }

    /// A reel is taken in hand, and its fingers reach for their bits.
    fn hold(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let span = Time::from_s(HOLD / f64::from(self.knobs.rate)).min(HOLD_MAX);
        let Some(reel) = self.reels.get_mut(key) else {
            return;
        };
        reel.place = Place::Held {
            from: now,
            to: now + span,
        };
        let number = reel.number;
        cx.because(reel.cause);
        let reach = Time((span.0 as f64 * REACH) as u64);
        self.hand = Hand {
            number,
            from: now,
            reached: now + reach,
            phase: Phase::Reaches,
            places: self.seen.places(number),
            proof: None,
            watched: self.knows(number),
        };
        cx.schedule(reach, Event::Reached(key));
        cx.schedule(span, Event::Due(key));
    }

    /// The filter answers.
    fn answer(&mut self, key: Key, cx: Cx<'_, '_>) {
        let number = self.hand.number;
        let Some(cause) = self.reels.get(key).map(|reel| reel.cause) else {
            return;
        };
        let proof = self.seen.ask(number);
        self.hand.places = self.seen.places(number);
        (self.hand.phase, self.hand.proof) = (Phase::Told, proof);
        self.hand.watched = self.knows(number);
        let (word, fate, bit) = match proof {
            None => ("maybe", Fate::Maybe, self.hand.places.len() as u64),
            Some(bit) if self.hand.watched => ("wrong-no", Fate::WrongNo, bit),
            Some(bit) => ("no", Fate::New, bit),
        };
        cx.because(match fate {
            Fate::WrongNo => self.damage,
            _ => cause,
        });
        let note = Note::new(word).with(self.named(number)).with(count(bit));
        let note = note.about(GRID).dot(number);
        let cause = cx.say(match fate {
            Fate::WrongNo => note.mark(Tone::Bad),
            _ => note,
        });
        if let Some(reel) = self.reels.get_mut(key) {
            (reel.cause, reel.fate) = (cause, fate);
        }
        match fate {
            Fate::Maybe => {}
            Fate::WrongNo => self.counts.wrong_noes += 1,
            _ => {
                self.counts.noes += 1;
                cx.sample(probe::SAVED, 1.0);
            }
        }
    }

    /// The reel in hand goes where the filter's answer sends it.
    fn leave(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some((number, fate)) = self.reels.get(key).map(|reel| (reel.number, reel.fate)) else {
            return;
        };
        self.hand.phase = Phase::Left;
        self.feed.release(key, cx.now());
        match fate {
            Fate::Maybe if self.knobs.ask => self.travel(key, Road::Maybe, cx),
            Fate::Maybe => {
                let lie = !self.knows(number);
                let word = if lie { "missed" } else { "skipped-unasked" };
                self.say(key, word, SKIPPED, lie, cx);
                if let Some(reel) = self.reels.get_mut(key) {
                    reel.fate = if lie { Fate::Lie } else { Fate::Watched };
                }
                self.counts.missed += u32::from(lie);
                self.travel(key, Road::Unasked, cx);
            }
            _ => {
                self.show(number, cx);
                self.say(key, "shown", SHOWN, false, cx);
                self.travel(key, Road::No, cx);
            }
        }
        if let Some(next) = self.feed.next(1, false, cx.now()) {
            self.hold(next, cx);
        }
    }

    /// The user watches a reel: the database and the filter are told.
    fn show(&mut self, number: u32, cx: Cx<'_, '_>) {
        if let Err(place) = self.watched.binary_search(&number) {
            self.watched.insert(place, number);
        }
        self.seen.insert(number, cx.now());
    }

    fn travel(&mut self, key: Key, road: Road, cx: Cx<'_, '_>) {
        if let Some(reel) = self.reels.get_mut(key) {
            reel.place = Place::Travels(Leg::new(road, cx.now(), HOP, false));
            cx.because(reel.cause);
            cx.schedule(HOP, Event::Due(key));
        }
    }

    /// A note about a reel, in the chain of those that were said of it; one that tells a lie is marked once a second.
    fn say(&mut self, key: Key, word: &'static str, part: PartId, lie: bool, cx: Cx<'_, '_>) {
        let Some(reel) = self.reels.get_mut(key) else {
            return;
        };
        cx.because(reel.cause);
        let note = Note::new(word)
            .with(named(&self.seen, reel.number))
            .about(part);
        let note = note.dot(reel.number);
        let marked = lie && self.marks.due(cx.now());
        reel.cause = cx.say(if marked { note.mark(Tone::Warn) } else { note });
    }

    fn due(&mut self, key: Key, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(place) = self.reels.get(key).map(|reel| reel.place) else {
            return;
        };
        match place {
            Place::Held { .. } => self.leave(key, cx),
            Place::Travels(leg) => match leg.on {
                Road::Maybe => {
                    self.counts.asked += 1;
                    self.say(key, "asked", DATABASE, false, cx);
                    match self.database.offer(key, WORKERS, usize::MAX, now) {
                        Offer::AtOnce => self.question(key, cx),
                        _ => self.put(key, Place::Queued),
                    }
                }
                road => {
                    match road {
                        Road::No | Road::Lie => self.counts.shown += 1,
                        _ => self.counts.skipped += 1,
                    }
                    self.reels.remove(key);
                    self.gone += 1;
                }
            },
            Place::Asked { .. } => {
                self.database.release(key, now);
                self.told(key, cx);
                if let Some(next) = self.database.next(WORKERS, false, now) {
                    self.question(next, cx);
                }
            }
            Place::Waits | Place::Queued => {}
        }
    }

    fn put(&mut self, key: Key, place: Place) {
        if let Some(reel) = self.reels.get_mut(key) {
            reel.place = place;
        }
    }

    fn question(&mut self, key: Key, cx: Cx<'_, '_>) {
        let span = Time::from_ms(f64::from(self.knobs.database) * SLOWED);
        let to = cx.now() + span;
        self.put(key, Place::Asked { to });
        if let Some(reel) = self.reels.get(key) {
            cx.because(reel.cause);
        }
        cx.schedule(span, Event::Due(key));
    }

    /// The database has answered.
    fn told(&mut self, key: Key, cx: Cx<'_, '_>) {
        let Some(number) = self.reels.get(key).map(|reel| reel.number) else {
            return;
        };
        let lie = !self.knows(number);
        // A filter that was built anew meanwhile might have known better.
        let still = self.seen.ask(number).is_none();
        let places = self.seen.places(number);
        let owners: Vec<u32> = places.iter().map(|at| self.seen.owner(*at)).collect();
        if lie {
            self.counts.lies += 1;
            if still {
                self.name_owners(key, &owners, cx);
            }
            self.say(key, "lie", DATABASE, true, cx);
            self.show(number, cx);
        } else {
            self.say(key, "watched", DATABASE, false, cx);
        }
        let now = cx.now();
        let shown = |last: &Verdict| last.lie && now.since(last.at) < VERDICT;
        // A lie is seen to its end, unless another is found.
        if still && (lie || !self.verdict.as_ref().is_some_and(shown)) {
            self.verdict = Some(Verdict {
                number,
                at: now,
                lie,
                places,
                owners,
            });
        }
        if let Some(reel) = self.reels.get_mut(key) {
            reel.fate = if lie { Fate::Lie } else { Fate::Watched };
        }
        self.travel(key, if lie { Road::Lie } else { Road::Watched }, cx);
    }

    /// Says whose bits a lie is made of.
    fn name_owners(&mut self, key: Key, owners: &[u32], cx: Cx<'_, '_>) {
        let mut known: Vec<u32> = Vec::new();
        for owner in owners {
            if *owner > 0 && !known.contains(owner) {
                known.push(*owner);
            }
        }
        let word = match known.len() {
            0 => return,
            1 => "owner",
            2 => "owners-2",
            3 => "owners-3",
            _ => "owners-more",
        };
        let Some(reel) = self.reels.get_mut(key) else {
            return;
        };
        cx.because(reel.cause);
        let mut note = Note::new(word).about(GRID).dot(reel.number);
        for owner in known.into_iter().take(3) {
            note = note.with(named(&self.seen, owner));
        }
        reel.cause = cx.say(note);
    }

    /// The filter is built anew from what the database knows.
    fn build(&mut self, shape: Shape, now: Time) {
        self.seen = Seen::new(shape, self.seen.own.clone(), &self.watched, now);
        self.damaged = false;
        (self.verdict, self.sifted, self.rebuilt) = (None, None, None);
        self.hand.places = self.seen.places(self.hand.number);
    }

    /// After the filter was built anew or damaged the answer to the reel in hand may be another.
    fn answer_again(&mut self, cx: Cx<'_, '_>) {
        if self.hand.phase == Phase::Told
            && let Some(key) = self.feed.held.first().copied()
        {
            self.answer(key, cx);
        }
    }

    /// The filter has lost bits: a name that it now denies is offered again soon.
    fn hurt(&mut self, cx: Cx<'_, '_>) {
        self.damaged = true;
        (self.verdict, self.sifted) = (None, None);
        if let Some(denied) = self.denied().next() {
            cx.schedule(AGAIN, Event::Again(denied));
        }
        self.answer_again(cx);
    }

    /// Whether the reel that was in hand last has set its bits.
    pub(super) fn hand_set(&self) -> bool {
        let set = self.hand.proof.is_some() || self.hand.watched && self.counts.came == 0;
        self.hand.phase == Phase::Left && set
    }

    /// Names that were watched and that the filter denies.
    pub(super) fn denied(&self) -> impl Iterator<Item = u32> {
        let names = self.watched.iter().copied();
        names.filter(|name| self.damaged && self.seen.ask(*name).is_some())
    }

    fn sift(&mut self, cx: Cx<'_, '_>) {
        let share = f64::from(self.knobs.watched) / 100.0;
        let mut sifted = Sifted { maybes: 0, lies: 0 };
        for i in 0..SIFTED {
            let rng = cx.random(SIFT);
            let again = chance(rng, share) && !self.watched.is_empty();
            // The names of strangers differ from one time to the next.
            let (which, salt) = (below(rng, self.watched.len()), below(rng, 1 << 20) as u32);
            let number = match again {
                true => self.watched[which],
                false => SIFT_FROM + (i << 16) + salt % (1 << 16),
            };
            let maybe = self.seen.ask(number).is_none();
            sifted.maybes += u32::from(maybe);
            sifted.lies += u32::from(maybe && !again);
        }
        self.sifted = Some(sifted);
        let note = Note::new("sifted").with(count(SIFTED));
        let note = note.with(count(sifted.maybes)).with(count(sifted.lies));
        cx.say(note.about(MAYBES).mark(Tone::Learner));
    }

    /// A new user: nothing is on its way, and three reels were watched.
    fn begin(&mut self, cx: Cx<'_, '_>) {
        let now = cx.now();
        let all = [self.feed.drop_all(now), self.database.drop_all(now)];
        drop(all);
        let keys: Vec<Key> = self.reels.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.reels.remove(key);
            self.gone += 1;
        }
        self.counts = Counts::default();
        self.watched.clear();
        for _ in 0..FIRST {
            let number = self.new_number(MORE_REELS, cx);
            self.watched.push(number);
        }
        self.hand.number = self.last;
        (self.hand.phase, self.hand.proof) = (Phase::Left, None);
        (self.hand.watched, self.hand.from) = (true, now);
        self.build(Shape::of(&self.knobs), now);
        // The last of them has just set its bits.
        self.seen.touch(self.hand.number, now);
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        cx.sample(probe::LIES, self.seen.rate() * 100.0);
        let expected = self.seen.expected_rate(self.watched.len());
        cx.sample(probe::EXPECTED, expected * 100.0);
        cx.sample(probe::FILL, self.seen.fill() * 100.0);
        cx.sample(probe::HALF, 50.0);
    }

    /// Of 100 maybes, how many are lies: as counted last, or as the rate of lies and the share of watched reels make it.
    pub(super) fn false_maybes(&self) -> f64 {
        match self.sifted {
            Some(sifted) => f64::from(sifted.lies) / f64::from(sifted.maybes.max(1)),
            None => false_maybes(self.seen.rate(), f64::from(self.knobs.watched) / 100.0),
        }
    }
}

/// The share of lies among maybes, where this share of strangers draws a maybe and this share of all was watched.
pub(super) fn false_maybes(rate: f64, watched: f64) -> f64 {
    let lies = (1.0 - watched) * rate;
    if lies + watched > 0.0 {
        lies / (lies + watched)
    } else {
        0.0
    }
}

impl Model for Shop {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Shop {
        let mut shop = Shop {
            reels: Slab::default(),
            feed: Pool::default(),
            database: Pool::default(),
            gone: 0,
            source: Source::default(),
            last: 0,
            watched: Vec::new(),
            seen: Seen::new(Shape::of(knobs), Rc::default(), &[], cx.now()),
            hand: Hand {
                number: 0,
                from: cx.now(),
                reached: cx.now(),
                phase: Phase::Left,
                places: Vec::new(),
                proof: None,
                watched: true,
            },
            verdict: None,
            sifted: None,
            rebuilt: None,
            counts: Counts::default(),
            damage: NoteId::NONE,
            damaged: false,
            marks: Marks::default(),
            knobs: knobs.clone(),
            now: cx.now(),
        };
        shop.begin(cx);
        for (word, part) in [
            ("feed-brings", FEED),
            ("grid-holds", GRID),
            ("database-knows", DATABASE),
            ("shown-are", SHOWN),
            ("skipped-are", SKIPPED),
            ("maybes-are", MAYBES),
        ] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).about(part));
        }
        cx.because(NoteId::NONE);
        shop.next(cx);
        shop.look(cx);
        shop
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Arrive(turn) if self.source.is_due(turn) => {
                if self.watched.len() >= NAMES_MAX {
                    self.begin(cx);
                    let note = Note::new("enough").with(count(NAMES_MAX));
                    cx.say(note.about(GRID).mark(Tone::Plain));
                }
                let number = self.draw(cx);
                cx.because(NoteId::NONE);
                self.come(number, "comes", false, cx);
                cx.because(NoteId::NONE);
                self.next(cx);
            }
            Event::Arrive(_) => {}
            Event::Reached(key) => self.answer(key, cx),
            Event::Due(key) => self.due(key, cx),
            Event::Again(number) => self.come(number, "comes-again", true, cx),
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let turned = Shape::of(knobs) != Shape::of(&self.knobs);
        let share = knobs.watched != self.knobs.watched;
        self.knobs = knobs.clone();
        if share {
            self.sifted = None;
        }
        if turned {
            self.build(Shape::of(knobs), cx.now());
            let note = Note::new("hashed-anew").with(count(self.watched.len()));
            cx.say(note.about(GRID));
            self.answer_again(cx);
        }
        if let Some((gap, turn)) = self.source.turn(f64::from(knobs.rate), cx.now()) {
            cx.schedule(gap, Event::Arrive(turn));
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        match act.spec {
            0 => self.watched.len() + MORE < NAMES_MAX,
            1 | 3 | 4 => !self.watched.is_empty(),
            5 => self.seen.set() > 0,
            _ => true,
        }
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        match act.spec {
            0 => {
                cx.say(
                    Note::new("watch-more")
                        .with(count(MORE))
                        .about(GRID)
                        .mark(Tone::Learner),
                );
                for _ in 0..MORE {
                    let number = self.new_number(MORE_REELS, cx);
                    self.show(number, cx);
                }
                self.answer_again(cx);
            }
            1 => {
                let number = self.watched.remove(self.watched.len() / 2);
                self.counts.forgotten += 1;
                self.seen.forget(number, &self.watched);
                let word = if self.seen.counts() {
                    "counted-down"
                } else {
                    "cleared"
                };
                let note = Note::new(word).with(self.named(number));
                self.damage = cx.say(note.about(GRID).dot(number).mark(Tone::Learner));
                if self.seen.counts() {
                    self.answer_again(cx);
                } else {
                    self.hurt(cx);
                }
            }
            2 => {
                let number = self.new_number(MORE_REELS, cx);
                self.come(number, "asked-new", true, cx);
            }
            3 => self.sift(cx),
            4 => {
                let shape = Shape::of(&self.knobs);
                let names = self.watched.len();
                self.build(shape.fitting(names, self.knobs.error / 100.0), now);
                self.rebuilt = Some(names);
                let made = self.seen.shape;
                let note = Note::new("rebuilt")
                    .with(count(made.bits))
                    .with(count(made.hashes));
                cx.say(note.with(count(names)).about(GRID).mark(Tone::Learner));
                self.answer_again(cx);
            }
            5 => {
                let set = below(cx.random(ROT), self.seen.set() as usize);
                let mut places = (0..self.seen.bits()).filter(|place| self.seen.bit(*place));
                let Some(place) = places.nth(set) else { return };
                self.seen.rot(place);
                let note = Note::new("rot").with(count(place));
                self.damage = cx.say(note.about(GRID).mark(Tone::Learner));
                self.hurt(cx);
            }
            6 => {
                self.begin(cx);
                cx.say(
                    Note::new("new-user")
                        .with(count(FIRST))
                        .about(GRID)
                        .mark(Tone::Learner),
                );
            }
            _ => {}
        }
        self.look(cx);
    }

    fn refuses(&self, act: Act, text: &str) -> Option<&'static str> {
        let watched = act.spec == WATCH_OWN && self.watched.len() + 1 >= NAMES_MAX;
        let named = self.meant(text).is_none() && self.seen.own.len() >= OWN_MAX;
        (watched || named).then_some("enough")
    }

    fn on_typed(&mut self, act: Act, text: Typed, _: &Settings, cx: Cx<'_, '_>) {
        let number = self.called(text);
        if act.spec == WATCH_OWN {
            let note = Note::new("watch-own").with(self.named(number));
            cx.say(note.about(GRID).dot(number).mark(Tone::Learner));
            self.show(number, cx);
            self.answer_again(cx);
        } else {
            self.come(number, "ask-own", true, cx);
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.reels.bytes() + self.watched.len() * 4 + self.seen.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        balance.claim("the hand", self.feed.held.iter().copied());
        balance.claim("the feed", self.feed.queue.iter().copied());
        balance.claim("the database", self.database.held.iter().copied());
        balance.claim("its queue", self.database.queue.iter().copied());
        balance.check(&self.reels, self.gone, |_, reel| match reel.place {
            Place::Held { .. } => Some("the hand"),
            Place::Waits => Some("the feed"),
            Place::Asked { .. } => Some("the database"),
            Place::Queued => Some("its queue"),
            Place::Travels(_) => None,
        })?;
        let counts = self.counts;
        let under_way = self.reels.iter().count() as u32;
        if counts.came != counts.shown + counts.skipped + under_way {
            return Err(format!("{counts:?}, and {under_way} are under way"));
        }
        if let Some(denied) = self
            .watched
            .iter()
            .find(|name| !self.damaged && self.seen.ask(**name).is_some())
        {
            return Err(format!(
                "reel {denied} was watched, and the filter denies it"
            ));
        }
        Ok(())
    }
}
