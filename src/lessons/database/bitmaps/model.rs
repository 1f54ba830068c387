//! The system: users whose requests travel to one server, wait there, and travel back.

use super::probe;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use kit::flow::{Balance, Key, Leg, Offer, Pool, Slab, Source};

pub(super) const USERS: PartId = PartId::one("users");
pub(super) const SERVER: PartId = PartId::one("server");
pub(super) const LINK: PartId = PartId::one("link");
/// One way along the link, stretched so that it can be seen.
pub(super) const HOP: Time = Time::ms(160);
/// A rush brings so many at once.
pub(super) const RUSH: u32 = 12;

const ARRIVALS: Stream = Stream::named("arrivals");

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// Requests a second.
        load: slider "load" [1.0, 60.0, 1.0] "req/s" = 10.0,
        /// Workers of the server.
        workers: whole "workers" [1, 8] "" = 2,
        /// Places in its queue.
        queue: whole "queue" [0, 40] "" = 20,
        /// What a request takes, ms.
        work: slider "work" [20.0, 500.0, 10.0] "ms" = 100.0,
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Travels(Leg<()>),
    Waits,
    Worked { from: Time, to: Time },
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) place: Place,
    pub(super) failed: bool,
    asked: Time,
    cause: NoteId,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request comes, if the source's turn is still this one.
    Arrive(u32),
    /// A request is at the end of its way or of its work.
    Due(Key),
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Office {
    pub(super) requests: Slab<Request>,
    pub(super) pool: Pool,
    pub(super) workers: usize,
    pub(super) load_per_s: f64,
    source: Source,
    gone: u64,
    /// Answered and turned away since the last turn of a knob.
    pub(super) done: u32,
    pub(super) refused: u32,
    /// When a knob was last turned; none if never.
    pub(super) turned: Option<Time>,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Office {
    fn next(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let gap = Source::poisson(knobs.load, cx.random(ARRIVALS));
        let turn = self.source.next(knobs.load, gap, cx.now());
        cx.schedule(gap, Event::Arrive(turn));
    }

    fn arrive(&mut self, cx: Cx<'_, '_>) {
        let number = self.requests.born() + 1;
        let note = Note::new("asks").with(Arg::Count(i64::from(number)));
        let cause = cx.say(note.about(USERS).dot(number));
        let key = self.requests.insert(Request {
            number,
            place: Place::Travels(Leg::new((), cx.now(), HOP, false)),
            failed: false,
            asked: cx.now(),
            cause,
        });
        cx.schedule(HOP, Event::Due(key));
    }

    /// A note about a request, in the chain of those that were said of it.
    fn say(&mut self, key: Key, word: &'static str, cx: Cx<'_, '_>) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        cx.because(request.cause);
        let note = Note::new(word).with(Arg::Count(i64::from(request.number)));
        request.cause = cx.say(note.about(SERVER).dot(request.number));
    }

    fn due(&mut self, key: Key, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(request) = self.requests.get(key) else {
            return;
        };
        match request.place {
            Place::Travels(leg) if leg.back => {
                cx.sample(
                    if request.failed {
                        probe::FAILED
                    } else {
                        probe::DONE
                    },
                    1.0,
                );
                cx.sample_asked(
                    probe::LATENCY,
                    now.since(request.asked).0 as f64,
                    request.asked,
                );
                if request.failed {
                    self.refused += 1;
                } else {
                    self.done += 1;
                }
                self.requests.remove(key);
                self.gone += 1;
            }
            Place::Travels(_) => {
                let places = knobs.queue as usize;
                match self.pool.offer(key, self.workers, places, now) {
                    Offer::AtOnce => self.work(key, knobs, cx),
                    Offer::Waits(_) => {
                        self.say(key, "waits", cx);
                        self.put(key, Place::Waits);
                    }
                    Offer::Full => {
                        self.say(key, "refused", cx);
                        self.back(key, true, cx);
                    }
                }
            }
            Place::Worked { .. } => {
                self.say(key, "answered", cx);
                self.pool.release(key, now);
                self.back(key, false, cx);
                self.take(knobs, cx);
            }
            Place::Waits => {}
        }
    }

    fn put(&mut self, key: Key, place: Place) {
        if let Some(request) = self.requests.get_mut(key) {
            request.place = place;
        }
    }

    fn back(&mut self, key: Key, failed: bool, cx: Cx<'_, '_>) {
        if let Some(request) = self.requests.get_mut(key) {
            request.failed = failed;
            request.place = Place::Travels(Leg::new((), cx.now(), HOP, true));
            cx.schedule(HOP, Event::Due(key));
        }
    }

    fn work(&mut self, key: Key, knobs: &Settings, cx: Cx<'_, '_>) {
        let span = Time::from_ms(knobs.work);
        let (from, to) = (cx.now(), cx.now() + span);
        self.put(key, Place::Worked { from, to });
        cx.schedule(span, Event::Due(key));
    }

    /// Free workers take what waits.
    fn take(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        while let Some(next) = self.pool.next(self.workers, false, cx.now()) {
            self.work(next, knobs, cx);
        }
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        cx.sample(probe::WAITING, self.pool.queue.len() as f64);
    }
}

impl Model for Office {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Office {
        let mut office = Office {
            requests: Slab::default(),
            pool: Pool::default(),
            workers: knobs.workers as usize,
            load_per_s: knobs.load,
            source: Source::default(),
            gone: 0,
            done: 0,
            refused: 0,
            turned: None,
            now: cx.now(),
        };
        office.next(knobs, cx);
        office
    }

    fn on_start(&mut self, _: &Settings, _: Cx<'_, '_>) {
        (self.done, self.refused) = (0, 0);
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Arrive(turn) if self.source.is_due(turn) => {
                self.arrive(cx);
                self.next(knobs, cx);
            }
            Event::Arrive(_) => {}
            Event::Due(key) => self.due(key, knobs, cx),
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.workers, self.load_per_s) = (knobs.workers as usize, knobs.load);
        (self.done, self.refused) = (0, 0);
        self.turned = Some(cx.now());
        if let Some((gap, turn)) = self.source.turn(knobs.load, cx.now()) {
            cx.schedule(gap, Event::Arrive(turn));
        }
        self.take(knobs, cx);
        self.look(cx);
    }

    fn on_action(&mut self, _: Act, _: &Settings, cx: Cx<'_, '_>) {
        let note = Note::new("rush").with(Arg::Count(i64::from(RUSH)));
        let rush = cx.say(note.about(USERS).mark(Tone::Learner));
        for _ in 0..RUSH {
            cx.because(rush);
            self.arrive(cx);
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.requests.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        let mut balance = Balance::default();
        balance.claim("a worker", self.pool.held.iter().copied());
        balance.claim("the queue", self.pool.queue.iter().copied());
        balance.check(&self.requests, self.gone, |_, request| {
            match request.place {
                Place::Travels(_) => None,
                Place::Waits => Some("the queue"),
                Place::Worked { .. } => Some("a worker"),
            }
        })
    }
}
