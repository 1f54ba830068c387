//! What the lesson remembers: what became of each upload, and what each thread did in the last seconds.

use super::{
    AGAIN, APP, CAPTIONS, CROWD, DURABLE, ENCODER, HOP, MEMORY, QUEUE, TRAY, WRITERS, queueing,
};
use engine::Time;
use kit::flow::Key;
use kit::system::{Event, Frame, NodeId, Place, System, Values};
use std::collections::VecDeque;

/// What timers are for; the rest of a timer's number is the upload that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Opening,
    Restart,
    Up,
    Close,
    Ask,
    Tell,
    Wake,
    Fail,
    Again,
}

impl Due {
    const ALL: [Due; 9] = [
        Due::Opening,
        Due::Restart,
        Due::Up,
        Due::Close,
        Due::Ask,
        Due::Tell,
        Due::Wake,
        Due::Fail,
        Due::Again,
    ];

    pub(super) fn timer(self, number: u32) -> Event {
        Event::Timer(number * 16 + self as u32)
    }

    pub(super) fn of(timer: u32) -> (Due, u32) {
        (Due::ALL[timer as usize % 16], timer / 16)
    }
}

/// A timer to be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Todo {
    pub(super) due: Due,
    pub(super) number: u32,
    pub(super) at: Time,
}

impl Todo {
    pub(super) fn of(due: Due, number: u32, at: Time) -> Todo {
        Todo { due, number, at }
    }
}

/// What an uploader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// A page that loads.
    Waits,
    /// "Accepted": the answer 202.
    Accepted,
    /// The video.
    Has,
    /// An error, or "unknown job".
    Error,
    /// Nothing: the tab is closed.
    Closed,
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Seen,
    Ready,
    Nobody,
    Failed,
    Lost,
    Works,
}

/// How many fates there are.
pub(super) const FATES: usize = 6;

/// An upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) number: u32,
    /// Which one since everything started afresh, from 0.
    pub(super) nth: u32,
    pub(super) way: u8,
    pub(super) asked: Time,
    pub(super) user: User,
    /// Its user was told "accepted".
    pub(super) accepted: bool,
    /// When the video was there.
    pub(super) made: Option<Time>,
    /// Who answers questions about it knows nothing of it any more.
    pub(super) forgotten: bool,
    /// It is not there, and nothing works on it.
    pub(super) dead: bool,
}

impl Job {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.user, User::Waits | User::Accepted)
    }

    /// Whether nobody will ever have what is being made, or was.
    pub(super) fn is_for_nobody(&self) -> bool {
        match self.user {
            User::Error => true,
            User::Closed => !self.accepted || self.forgotten,
            User::Accepted => self.forgotten,
            User::Waits | User::Has => false,
        }
    }

    pub(super) fn fate(&self) -> Fate {
        match (self.made, self.user) {
            (Some(_), User::Has) => Fate::Seen,
            (Some(_), _) if self.is_for_nobody() => Fate::Nobody,
            (Some(_), _) => Fate::Ready,
            (None, _) if !self.dead => Fate::Works,
            (None, _) if self.accepted => Fate::Lost,
            (None, _) => Fate::Failed,
        }
    }

    /// Whether nothing can become of it any more.
    fn is_settled(&self) -> bool {
        match self.fate() {
            Fate::Works => false,
            Fate::Ready => !self.is_open(),
            Fate::Seen | Fate::Nobody | Fate::Failed | Fate::Lost => true,
        }
    }
}

/// The last crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) at: Time,
    /// The number of its first upload.
    pub(super) first: u32,
    /// How many of its videos are there, and when the last of these was.
    pub(super) made: u32,
    pub(super) last: Time,
}

/// Pages since the last crowd, or since everything started afresh.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pages {
    pub(super) answered: u32,
    pub(super) errors: u32,
    pub(super) longest: Time,
}

/// Uploads that are remembered.
const KEPT: usize = 60;

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// By number.
    pub(super) jobs: VecDeque<Job>,
    /// What became of uploads that are not remembered, by [`Fate`].
    gone: [u32; FATES],
    /// Uploads since everything started afresh.
    pub(super) came: u32,
    /// Uploads whose user waits no longer and that somebody may still work on.
    pub(super) orphans: Vec<u32>,
    pub(super) todo: Vec<Todo>,
    pub(super) lanes: Lanes,
    pub(super) crowd: Option<Crowd>,
    /// Uploads that came in crowds, so far.
    pub(super) dealt: u32,
    /// Everything started afresh then, and the first request after that.
    pub(super) since: Time,
    pub(super) first: u32,
    pub(super) pages: Pages,
    pages_since: Time,
    /// Times of pages that are to be measured, and when these were asked for.
    pub(super) times: Vec<(Time, Time)>,
    /// When the web app restarts, and when encoder and captions are up again.
    pub(super) restart: Option<Time>,
    pub(super) up: [Time; 2],
    pub(super) restarts: u32,
    /// Encoders that died after a restart.
    pub(super) deaths: u32,
    /// Hand-offs that found no place, and requests that found none at the door.
    pub(super) full: u32,
    pub(super) refused: u32,
    /// From when a video was there until its user knew it: all such times, and how many, of hand-offs.
    pub(super) lag: (Time, u32),
    /// Nobody has done anything: a crowd comes by itself. And whether its timer is set.
    pub(super) opens: bool,
    pub(super) opening: bool,
    /// As far as knobs are needed where they are not at hand.
    pub(super) turned: Time,
    pub(super) set: bool,
    pub(super) way: u8,
    pub(super) another_way: bool,
    told: bool,
    every: Time,
    again: bool,
    /// The share of uploads that Erlang's B refuses, if uploads are refused at once and nothing else comes.
    pub(super) erlang: Option<f64>,
}

impl Seen {
    pub(super) fn new(now: Time) -> Seen {
        Seen {
            since: now,
            pages_since: now,
            ..Seen::default()
        }
    }

    /// Everything is counted from now on.
    pub(super) fn renew(&mut self, first: u32, now: Time) {
        *self = Seen {
            first,
            lanes: std::mem::take(&mut self.lanes),
            dealt: self.dealt,
            opens: self.opens,
            opening: self.opening,
            turned: self.turned,
            set: self.set,
            way: self.way,
            told: self.told,
            every: self.every,
            again: self.again,
            erlang: self.erlang,
            ..Seen::new(now)
        };
    }

    /// Only what is under way counts from now on.
    pub(super) fn settle(&mut self) {
        self.jobs.retain(|job| !job.is_settled());
        (self.gone, self.refused) = ([0; FATES], 0);
        self.came = self.jobs.len() as u32;
    }

    /// Reads the knobs that are needed where they are not at hand.
    pub(super) fn turn(&mut self, knobs: &Values, now: Time) {
        let way = knobs.whole("way") as u8;
        self.another_way = self.set && way != self.way;
        self.way = way;
        let told = knobs.whole("learns") == 1;
        (self.every, self.again) = (knobs.s("every"), knobs.on("again"));
        if told != self.told {
            self.told = told;
            let accepted = self.jobs.iter().filter(|job| job.user == User::Accepted);
            let todo = accepted.filter_map(|job| match (told, job.made) {
                (false, _) => Some(Todo::of(Due::Ask, job.number, now + self.every)),
                (true, Some(_)) => Some(Todo::of(Due::Tell, job.number, now + HOP)),
                (true, None) => None,
            });
            self.todo.extend(todo);
        }
        let alone = knobs.get("pages") == 0.0 && knobs.whole("door") == 0;
        // A thread is held for its own work, four ways between services, and the work of both.
        let held = super::WORK.as_s()
            + 4.0 * super::WAY.as_s()
            + knobs.get("encoding")
            + knobs.get("captions");
        let erlangs = knobs.get("uploads") / 60.0 * held;
        let threads = knobs.whole("threads");
        let plain = alone && way == super::WAIT && knobs.whole("encoders") >= threads;
        let erlang = queueing::erlang_b(threads, erlangs).filter(|_| plain);
        if erlang != self.erlang {
            self.erlang = erlang;
            // A crowd is not what theory speaks of.
            self.opens &= erlang.is_none();
            self.settle();
        }
    }

    pub(super) fn job(&self, number: u32) -> Option<&Job> {
        let place = self.jobs.binary_search_by_key(&number, |job| job.number);
        self.jobs.get(place.ok()?)
    }

    pub(super) fn job_mut(&mut self, number: u32) -> Option<&mut Job> {
        let place = self.jobs.binary_search_by_key(&number, |job| job.number);
        self.jobs.get_mut(place.ok()?)
    }

    /// An upload sets out.
    pub(super) fn begin(&mut self, number: u32, way: u8, now: Time) {
        let nth = self.jobs.back().map_or(self.came, |job| job.nth + 1);
        self.came += 1;
        self.jobs.push_back(Job {
            number,
            nth,
            way,
            asked: now,
            user: User::Waits,
            accepted: false,
            made: None,
            forgotten: false,
            dead: false,
        });
        while self.jobs.len() > KEPT && self.jobs.front().is_some_and(Job::is_settled) {
            if let Some(job) = self.jobs.pop_front() {
                self.gone[job.fate() as usize] += 1;
            }
        }
    }

    pub(super) fn crowd(&mut self, first: u32, now: Time) {
        self.crowd = Some(Crowd {
            at: now,
            first,
            made: 0,
            last: now,
        });
        (self.pages, self.pages_since) = (Pages::default(), now);
    }

    /// The upload whose tab somebody might close: the first that has not come back.
    pub(super) fn open_tab(&self) -> Option<u32> {
        let mut open = self.jobs.iter().filter(|job| job.is_open());
        open.next().map(|job| job.number)
    }

    /// A video is there; with a queue it may be made twice.
    pub(super) fn made(&mut self, number: u32, now: Time) {
        let told = self.told;
        let Some(job) = self.job_mut(number).filter(|job| job.made.is_none()) else {
            return;
        };
        job.made = Some(now);
        if told && job.user == User::Accepted {
            self.todo.push(Todo::of(Due::Tell, number, now + HOP));
        }
        if let Some(crowd) = &mut self.crowd
            && (crowd.first..crowd.first + CROWD).contains(&number)
        {
            (crowd.made, crowd.last) = (crowd.made + 1, now);
        }
    }

    /// A user knows that a video is there.
    pub(super) fn learns(&mut self, number: u32, now: Time) {
        let Some(job) = self.job_mut(number) else {
            return;
        };
        let Some(made) = job.made.filter(|_| job.user == User::Accepted) else {
            return;
        };
        if job.forgotten {
            return;
        }
        job.user = User::Has;
        self.lag = (self.lag.0 + now.since(made), self.lag.1 + 1);
    }

    /// The answer to an upload is back, or there is none.
    pub(super) fn upload_over(&mut self, number: u32, failed: bool, now: Time) {
        let (told, again, every) = (self.told, self.again, self.every);
        let Some(job) = self.job_mut(number) else {
            return;
        };
        let hands_off = job.way == MEMORY || job.way == DURABLE;
        if failed {
            let stays = job.user != User::Closed;
            if stays {
                job.user = User::Error;
            }
            self.orphans.push(number);
            if again && stays {
                self.todo.push(Todo::of(Due::Again, number, now + AGAIN));
            }
        } else if hands_off {
            (job.user, job.accepted) = (User::Accepted, true);
            let made = job.made.is_some();
            if !told {
                self.todo.push(Todo::of(Due::Ask, number, now + every));
            } else if made {
                self.todo.push(Todo::of(Due::Tell, number, now));
            }
        } else {
            job.user = User::Has;
        }
    }

    /// The answer to a question about an upload is back: it left the web app a while ago.
    pub(super) fn status(&mut self, number: u32, asked: Time, failed: bool, now: Time) {
        let every = self.every;
        let Some(job) = self.job_mut(number) else {
            return;
        };
        if job.user != User::Accepted {
            return;
        }
        if !failed && job.forgotten {
            job.user = User::Error;
        } else if !failed && job.made.is_some_and(|made| made + HOP <= now) {
            self.learns(number, now);
        } else {
            let at = (asked + every).max(now);
            self.todo.push(Todo::of(Due::Ask, number, at));
        }
    }

    pub(super) fn page(&mut self, took: Time, asked: Time, failed: bool) {
        if asked < self.since {
            return;
        }
        self.times.push((took, asked));
        if asked >= self.pages_since {
            let pages = &mut self.pages;
            pages.answered += u32::from(!failed);
            pages.errors += u32::from(failed);
            pages.longest = pages.longest.max(took);
        }
    }

    /// Nothing works on these any more.
    pub(super) fn bury(&mut self, numbers: &[u32]) {
        for number in numbers {
            if let Some(job) = self.job_mut(*number) {
                job.dead = job.made.is_none();
            }
        }
    }

    /// Uploads by what became of them, in the order of [`Fate`].
    pub(super) fn fates(&self) -> [u32; FATES] {
        let mut all = self.gone;
        for job in &self.jobs {
            all[job.fate() as usize] += 1;
        }
        all
    }
}

/// Whether somebody works on an upload, or will: a call that has not failed and is not on its way back, or a message.
pub(super) fn alive(number: u32, system: &System) -> bool {
    let works = |frame: &Frame| {
        let back = frame.place == Place::Travels && frame.leg.back;
        !frame.is_request() && frame.failed.is_none() && !back
    };
    let mut frames = system.frames().map(|(_, frame)| frame);
    let shelves = [QUEUE, TRAY].map(|node| system.shelf(node));
    let mut messages = shelves
        .into_iter()
        .flatten()
        .flat_map(|shelf| shelf.queue().messages());
    frames.any(|frame| frame.number == number && works(frame))
        || messages.any(|message| message.body.number == number)
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Works,
    /// For somebody else's answer.
    Waits,
    /// Either, and nobody will have the result.
    Nobody,
    Down,
}

/// A stretch of a thread's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) lane: u8,
    pub(super) state: State,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// What a thread does now, on what, since when.
type Open = (Key, State, Time);

/// Threads and workers whose time is drawn: of the web app, the encoder, the captions.
pub(super) const OWNERS: [NodeId; 3] = [APP, ENCODER, CAPTIONS];
/// The first lane of each, and one beyond the last.
pub(super) const BASES: [usize; 4] = [0, 12, 18, 18 + WRITERS as usize];
/// So far back their time is kept.
pub(super) const PAST: Time = Time::s(12);

/// What each thread did in the last seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    /// By when they ended.
    pub(super) past: VecDeque<Stretch>,
    pub(super) now: [Option<Open>; BASES[3]],
}

impl Lanes {
    pub(super) fn clear(&mut self) {
        *self = Lanes::default();
    }

    /// How many threads of an owner are in a state.
    pub(super) fn count(&self, owner: usize, state: State) -> usize {
        let mine = self.now[BASES[owner]..BASES[owner + 1]].iter().flatten();
        mine.filter(|(_, now, _)| *now == state).count()
    }

    fn set(&mut self, lane: usize, now: Time, then: Option<(Key, State)>) {
        if let Some((key, state, from)) = self.now[lane] {
            if then == Some((key, state)) {
                return;
            }
            if from < now {
                let (lane, to) = (lane as u8, now);
                self.past.push_back(Stretch {
                    lane,
                    state,
                    from,
                    to,
                });
            }
        }
        self.now[lane] = then.map(|(key, state)| (key, state, now));
    }
}

/// Notes what threads and workers do from now on.
pub(super) fn watch(system: &mut System, now: Time) {
    let mut lanes = std::mem::take(&mut system.own_mut::<Seen>().lanes);
    let seen = system.own::<Seen>();
    while lanes.past.front().is_some_and(|it| now.since(it.to) > PAST) {
        lanes.past.pop_front();
    }
    for (owner, node) in OWNERS.into_iter().enumerate() {
        let Some(live) = system.node(node) else {
            continue;
        };
        let Some(member) = live.members.get(0) else {
            continue;
        };
        let (range, workers) = (BASES[owner]..BASES[owner + 1], live.workers());
        if member.down.is_some() {
            for lane in range {
                let down = (lane - BASES[owner] < workers).then_some((Key::NONE, State::Down));
                lanes.set(lane, now, down);
            }
            continue;
        }
        let held = &member.own.pool.held;
        let state = |key: &Key| {
            let frame = system.frame(*key)?;
            let nobody = seen.job(frame.number).is_some_and(Job::is_for_nobody);
            Some(match (nobody, frame.waits()) {
                (true, _) => State::Nobody,
                (false, true) => State::Waits,
                (false, false) => State::Works,
            })
        };
        for lane in range.clone() {
            let key = lanes.now[lane].map(|open| open.0);
            let goes_on = key.filter(|key| held.contains(key));
            lanes.set(lane, now, goes_on.and_then(|key| Some((key, state(&key)?))));
        }
        for key in held {
            let mut has = lanes.now[range.clone()].iter().flatten();
            if has.any(|open| open.0 == *key) {
                continue;
            }
            let free = range.clone().find(|lane| lanes.now[*lane].is_none());
            if let (Some(lane), Some(state)) = (free, state(key)) {
                lanes.set(lane, now, Some((*key, state)));
            }
        }
    }
    system.own_mut::<Seen>().lanes = lanes;
}
