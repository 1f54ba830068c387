//! The stage: who reads and who uploads, each thread's last seconds, what lies between the services, and what became of uploads.

use super::uploads::{BASES, FATES, Fate, Job, Lanes, PAST, Seen, State, User};
use super::{
    APP, CAPTION, CAPTIONS, DURABLE, ENCODE, ENCODER, FREE, LIST, MEMORY, PAGE, PAGE_DOOR, PASS,
    PULL, PUT, QUEUE, RUN, STATUS, TAKE, TRAY, UPLOAD_DOOR, messages, pool,
};
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::shares::{Fill, Shares, Style};
use kit::figures::{DOT, tenths};
use kit::layout::LANE;
use kit::system::{Frame, NodeId, Place, Pulling, System, Values, WireId};

/// What became of uploads.
pub(super) const BAR: PartId = PartId::one("bar");
/// Between the web app and the encoder.
pub(super) const QUEUED: PartId = PartId::one("queue");
/// Between the encoder and the captions.
pub(super) const PASSED: PartId = PartId::one("tray");
/// Whose thread it is all about.
pub(super) const WEB_APP: PartId = PartId::one("app");
/// See [`super::READERS`].
pub(super) const PAGES: PartId = PartId::one("readers");
/// See [`super::UPLOADERS`].
pub(super) const TABS: PartId = PartId::one("uploaders");
/// See [`super::ENCODER`].
pub(super) const ENCODERS: PartId = PartId::one("encoder");
/// See [`super::CAPTIONS`].
pub(super) const WRITERS: PartId = PartId::one("captions");

/// Whose chain of causes answers for what has none of its own.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (PAGES, WEB_APP),
    (TABS, WEB_APP),
    (BAR, WEB_APP),
    (QUEUED, ENCODERS),
    (PASSED, WRITERS),
    (ENCODERS, WEB_APP),
    (WRITERS, ENCODERS),
];

const PAD: f32 = 12.0;
const GAP: f32 = 8.0;
/// From one thread's lane to the next.
const PITCH: f32 = 17.0;
/// Above the lanes of a card: its name and a line.
const HEAD: f32 = 50.0;
/// The door, and what is drawn under it, in the web app's card.
const DOOR_H: f32 = 40.0;
const BELOW_H: f32 = 46.0;
/// A queue's tray, and the higher one beside the web app.
const TRAY_H: f32 = 40.0;
const QUEUE_H: f32 = 92.0;
/// Readers and uploaders above each other.
const TABS_H: f32 = 306.0;
/// The same beside each other, on a narrow stage.
const TOP_H: f32 = 118.0;
/// Tabs that are shown.
const TABS_MAX: usize = 10;
/// On a narrow stage so many threads have a lane, and half of the past is shown.
const NARROW_MAX: usize = 6;

/// Where everything stands.
struct Stage {
    readers: Rect,
    uploaders: Rect,
    app: Rect,
    queue: Rect,
    encoder: Rect,
    tray: Rect,
    captions: Rect,
    bar: Rect,
    threads: usize,
    /// From one thread's lane to the next in the web app's card.
    pitch: f32,
    narrow: bool,
}

impl Stage {
    fn of(system: &System, knobs: &Values, scene: &Scene) -> Stage {
        let w = scene.width - 2.0 * PAD;
        let narrow = scene.narrow();
        let lanes = &system.own::<Seen>().lanes;
        let busy = lanes.now[..BASES[1]].iter().rposition(Option::is_some);
        let threads = (knobs.whole("threads") as usize).max(busy.map_or(0, |last| last + 1));
        let threads = if narrow {
            threads.min(NARROW_MAX)
        } else {
            threads
        };
        let card = |lanes: usize| HEAD + PITCH * lanes as f32 + 8.0;
        let app_h = card(threads) + 16.0 + DOOR_H + BELOW_H;
        let encoders = knobs.whole("encoders") as usize;
        if narrow {
            let left = w * 0.37;
            let (top, mut y) = (8.0, 8.0 + TOP_H + 20.0);
            let app = Rect::new(PAD, y, w, app_h);
            y += app_h + GAP;
            let half = (w - GAP) / 2.0;
            let tray = |x: f32, y: f32| Rect::new(x, y, half, TRAY_H);
            let right = PAD + half + GAP;
            let (queue, passed) = (tray(PAD, y), tray(right, y));
            y += if system.own::<Seen>().way == DURABLE {
                TRAY_H + GAP
            } else {
                12.0
            };
            let h = card(encoders.max(3));
            Stage {
                readers: Rect::new(PAD, top, left, TOP_H),
                uploaders: Rect::new(PAD + left + GAP, top, w - left - GAP, TOP_H),
                app,
                queue,
                encoder: Rect::new(PAD, y, half, h),
                tray: passed,
                captions: Rect::new(right, y, half, h),
                bar: Rect::new(PAD, y + h + GAP, w, 66.0),
                threads,
                pitch: PITCH,
                narrow,
            }
        } else {
            let left = (w * 0.165).max(104.0);
            let (door, between) = (w * 0.04, (w * 0.12).max(66.0));
            let app_w = w * 0.42;
            let x = PAD + left + door + app_w + between;
            let right = PAD + w - x;
            let (encoder_h, captions_h) = (card(encoders), card(3));
            let h = app_h
                .max(encoder_h + TRAY_H + 20.0 + captions_h)
                .max(TABS_H);
            let pitch = PITCH + (h - app_h) / threads as f32;
            let lower = 8.0 + h - captions_h;
            let app = Rect::new(PAD + left + door, 8.0, app_w, h);
            let middle = 8.0 + encoder_h / 2.0;
            let room = lower - 8.0 - encoder_h;
            Stage {
                readers: Rect::new(PAD, 8.0, left, 90.0),
                uploaders: Rect::new(PAD, 106.0, left, h - 98.0),
                app,
                queue: Rect::new(
                    app.right().x + 12.0,
                    (middle - QUEUE_H / 2.0).max(8.0),
                    between - 24.0,
                    QUEUE_H,
                ),
                encoder: Rect::new(x, 8.0, right, encoder_h),
                tray: Rect::new(x, 8.0 + encoder_h + (room - TRAY_H) / 2.0, right, TRAY_H),
                captions: Rect::new(x, lower, right, captions_h),
                bar: Rect::new(PAD, 8.0 + h + GAP, w, 66.0),
                threads,
                pitch,
                narrow,
            }
        }
    }

    /// The way that a wire leads on the stage, as things go.
    fn way(&self, wire: WireId) -> Option<Curve> {
        let (from, to) = match wire {
            PAGE_DOOR => (&self.readers, &self.app),
            UPLOAD_DOOR => (&self.uploaders, &self.app),
            ENCODE | RUN => (&self.app, &self.encoder),
            PUT => (&self.app, &self.queue),
            PULL => (&self.queue, &self.encoder),
            CAPTION => (&self.encoder, &self.captions),
            PASS => (&self.encoder, &self.tray),
            TAKE => (&self.tray, &self.captions),
            _ => return None,
        };
        // In the middle of what both have side by side, or one under the other.
        let middle = |a: f32, b: f32, c: f32, d: f32| (a.max(c) + b.min(d)) / 2.0;
        Some(if to.x >= from.x + from.w {
            let y = middle(from.y, from.y + from.h, to.y, to.y + to.h);
            Curve::straight(pt(from.x + from.w, y), pt(to.x, y))
        } else {
            let x = middle(from.x, from.x + from.w, to.x, to.x + to.w);
            Curve::straight(pt(x, from.y + from.h), pt(x, to.y))
        })
    }
}

/// Draws a run, as [`engine::Sheet::draw`] wants it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let stage = Stage::of(system, knobs, scene);
    ways(system, &stage, scene);
    readers(system, knobs, stage.readers, scene);
    uploaders(system, stage.uploaders, scene);
    app(system, knobs, &stage, at, scene);
    worker(system, (ENCODER, 1), &stage, at, scene);
    worker(system, (CAPTIONS, 2), &stage, at, scene);
    if system.own::<Seen>().way == DURABLE {
        tray(system, (QUEUE, QUEUED), stage.queue, at, scene);
        tray(system, (TRAY, PASSED), stage.tray, at, scene);
    }
    bar(system, stage.bar, scene);
    dots(system, &stage, at, scene);
    scene.height = stage.bar.y + stage.bar.h + PAD;
}

/// The ways that are gone in the way of processing that is set.
fn ways(system: &System, stage: &Stage, scene: &mut Scene) {
    let shown: &[WireId] = match system.own::<Seen>().way {
        DURABLE if stage.narrow => &[PAGE_DOOR, UPLOAD_DOOR, PUT, PULL, TAKE],
        DURABLE => &[PAGE_DOOR, UPLOAD_DOOR, PUT, PULL, PASS, TAKE],
        _ => &[PAGE_DOOR, UPLOAD_DOOR, ENCODE, CAPTION],
    };
    let mut pencil = scene.background();
    for way in shown.iter().filter_map(|wire| stage.way(*wire)) {
        pencil.line(way.d(), Ink::Mark, 1.5);
    }
}

/// Name, and one line under it.
fn head(
    pencil: &mut Pencil<'_>,
    rect: Rect,
    name: String,
    line: String,
    (ink, border): (Ink, Ink),
) {
    let strong = border != Ink::LineStrong;
    pencil.bordered(
        rect,
        12.0,
        Ink::Card,
        border,
        if strong { 2.0 } else { 1.5 },
    );
    let x = rect.x + 12.0;
    let name = fitting(&[name], 14.5, true, rect.w - 20.0);
    pencil.bold(pt(x, rect.y + 23.0), 14.5, Ink::Ink, name);
    let bold = ink != Ink::Secondary;
    let line = fitting(&[line], 12.0, bold, rect.w - 20.0);
    let p = pt(x, rect.y + 40.0);
    match bold {
        true => pencil.bold(p, 12.0, ink, line),
        false => pencil.text(p, 12.0, ink, line),
    };
}

/// A time as it is read best: in ms below a second.
fn short(span: Time) -> String {
    match span.as_s() {
        s if s < 0.9995 => format!("{} ms", text::fixed(s * 1e3, 0)),
        s => format!("{} s", text::fixed(s, 1)),
    }
}

fn count(n: usize) -> Arg {
    Arg::Count(n as i64)
}

/// Who wants pages, and how long they took.
fn readers(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let pages = system.own::<Seen>().pages;
    let load = scene.say("load", &[Arg::Number(knobs.get("pages"))]);
    let errors = scene.say("errors", &[Arg::Count(i64::from(pages.errors))]);
    let longest = match pages.answered + pages.errors {
        0 => scene.say("longest.none", &[]),
        _ => format!("{} {}", scene.say("longest", &[]), short(pages.longest)),
    };
    let slow = pages.longest >= Time::s(1);
    let name = scene.name(PAGES);
    let mut pencil = scene.thing(PAGES, rect, format!("{load}, {longest}, {errors}"));
    pencil
        .figure("longest s", pages.longest.as_s())
        .figure("answered", f64::from(pages.answered))
        .figure("errors", f64::from(pages.errors));
    head(
        &mut pencil,
        rect,
        name,
        load,
        (Ink::Secondary, Ink::LineStrong),
    );
    let lines = [
        (longest, slow, Ink::Warn),
        (errors, pages.errors > 0, Ink::Bad),
    ];
    for (i, (line, strong, ink)) in lines.into_iter().enumerate() {
        let p = pt(rect.x + 12.0, rect.y + 60.0 + 18.0 * i as f32);
        let line = fitting(&[line], 12.0, strong, rect.w - 20.0);
        match strong {
            true => pencil.bold(p, 12.0, ink, line),
            false => pencil.text(p, 12.0, Ink::Secondary, line),
        };
    }
}

/// What an uploader's tab shows.
fn face(user: User) -> Option<(Glyph, Ink)> {
    match user {
        User::Waits => Some((Glyph::Request, Ink::Hit)),
        User::Accepted => Some((Glyph::Message, Ink::Accent)),
        User::Has => Some((Glyph::Response, Ink::Ok)),
        User::Error => Some((Glyph::Failure, Ink::Bad)),
        User::Closed => None,
    }
}

/// The tabs of the last uploaders, and what each shows.
fn uploaders(system: &System, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let skipped = seen.jobs.len().saturating_sub(TABS_MAX);
    let shown: Vec<&Job> = seen.jobs.iter().skip(skipped).collect();
    let users = [User::Waits, User::Accepted, User::Has, User::Error];
    let words = ["tab.waits", "tab.accepted", "tab.has", "tab.error"];
    let counts = users.map(|user| shown.iter().filter(|job| job.user == user).count());
    let closed = shown.iter().filter(|job| job.user == User::Closed).count();
    let lines: Vec<String> = words
        .iter()
        .zip(counts)
        .map(|(word, n)| scene.say(word, &[count(n)]))
        .collect();
    let name = scene.name(TABS);
    let spoken = format!(
        "{}, {}",
        lines.join(", "),
        scene.say("tab.closed", &[count(closed)])
    );
    let narrow = scene.narrow();
    let mut pencil = scene.thing(TABS, rect, spoken);
    pencil
        .figure("wait", counts[0] as f64)
        .figure("accepted", counts[1] as f64)
        .figure("have it", counts[2] as f64)
        .figure("errors", counts[3] as f64)
        .figure("closed", closed as f64);
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let x = rect.x + 12.0;
    pencil.bold(pt(x, rect.y + 23.0), 14.5, Ink::Ink, name);
    let columns = if narrow { 5 } else { 2 };
    let (w, h) = ((rect.w - 24.0) / columns as f32, 19.0);
    let top = rect.y + 32.0;
    for slot in 0..TABS_MAX {
        let (column, row) = ((slot % columns) as f32, (slot / columns) as f32);
        let tab = Rect::new(x + w * column + 1.0, top + h * row, w - 3.0, h - 3.0);
        let job = shown.iter().find(|job| job.nth as usize % TABS_MAX == slot);
        match job.map(|job| job.user) {
            None => pencil.bordered(tab, 3.0, Ink::None, Ink::Line, 1.0),
            Some(User::Closed) => pencil.dashed(tab, 3.0, Ink::None, Ink::LineStrong, 1.0),
            Some(user) => {
                pencil.bordered(tab, 3.0, Ink::Paper, Ink::LineStrong, 1.0);
                match face(user) {
                    Some((glyph, ink)) => pencil.mark(glyph, tab.centre(), 5.0, ink),
                    None => &mut pencil,
                }
            }
        };
    }
    let below = top + h * (TABS_MAX / columns) as f32 + 12.0;
    let columns = if narrow { 2 } else { 1 };
    let w = (rect.w - 24.0) / columns as f32;
    for (i, (line, user)) in lines.into_iter().zip(users).enumerate() {
        let p = pt(
            x + w * (i % columns) as f32,
            below + 16.0 * (i / columns) as f32,
        );
        if let Some((glyph, ink)) = face(user) {
            pencil.mark(glyph, pt(p.x + 5.0, p.y - 4.0), 4.5, ink);
        }
        let line = fitting(&[line], 11.0, false, w - 13.0);
        pencil.text(pt(p.x + 13.0, p.y), 11.0, Ink::Ink, line);
    }
}

/// A stretch of a thread's time: full, hatched, or an empty dashed box.
fn stretch(pencil: &mut Pencil<'_>, rect: Rect, state: State) {
    match state {
        State::Works => pencil.filled(rect, 1.0, Ink::Accent),
        State::Waits => {
            pencil.filled(rect, 1.0, Ink::WarnSoft);
            let mut d = String::new();
            let (mut x, h) = (rect.x - rect.h, rect.h);
            while x < rect.x + rect.w {
                let from = x.max(rect.x);
                let to = (x + h).min(rect.x + rect.w);
                let y = |at: f32| text::tenths(rect.y + h - (at - x));
                let (from_x, to_x) = (text::tenths(from), text::tenths(to));
                d += &format!("M{from_x} {}L{to_x} {}", y(from), y(to));
                x += 6.0;
            }
            pencil.line(d, Ink::Warn, 1.5)
        }
        State::Nobody if rect.w < 16.0 => {
            pencil.bordered(rect.grown(-0.5), 1.0, Ink::Paper, Ink::Ink, 1.0)
        }
        State::Nobody => pencil.dashed(rect.grown(-0.5), 1.0, Ink::Paper, Ink::Ink, 1.0),
        State::Down => pencil
            .filled(rect, 1.0, Ink::BadSoft)
            .filled(rect, 1.0, Ink::BadHatch),
    };
}

/// The last seconds of an owner's threads, now at the right.
fn lanes(
    pencil: &mut Pencil<'_>,
    (lanes, owner): (&Lanes, usize),
    (area, shown): (Rect, usize),
    (at, narrow): (Time, bool),
) {
    let span = if narrow {
        PAST.as_s() / 2.0
    } else {
        PAST.as_s()
    };
    let (base, end) = (BASES[owner], area.x + area.w);
    let pitch = area.h / shown.max(1) as f32;
    let row = |i: usize| Rect::new(area.x, area.y + pitch * i as f32, area.w, pitch - 3.0);
    for i in 0..shown {
        pencil.bordered(row(i), 2.0, Ink::Paper, Ink::Line, 1.0);
    }
    let mut piece = |lane: usize, state: State, from: Time, to: Time| {
        let Some(i) = lane.checked_sub(base).filter(|i| *i < shown) else {
            return;
        };
        let x = |then: Time| end - area.w * (at.since(then).as_s() / span) as f32;
        let left = x(from).max(area.x);
        let right = x(to.min(at)).min(end);
        if right <= area.x {
            return;
        }
        let w = (right - left).max(1.5).min(end - left);
        let r = row(i);
        stretch(pencil, Rect::new(left, r.y, w, r.h), state);
    };
    for it in &lanes.past {
        piece(usize::from(it.lane), it.state, it.from, it.to);
    }
    for (lane, open) in lanes.now.iter().enumerate() {
        if let Some((_, state, from)) = open {
            piece(lane, *state, *from, at);
        }
    }
}

/// What the hatching means, and over which time.
fn legend(pencil: &mut Pencil<'_>, area: Rect, words: [String; 4]) {
    let mut x = area.x;
    let states = [State::Waits, State::Works, State::Nobody];
    let [.., past] = &words;
    let room = area.x + area.w - text::width(past, 11.0, false) - 10.0;
    for (state, word) in states.into_iter().zip(&words) {
        let w = 16.0 + text::width(word, 11.0, false);
        if x + w > room {
            break;
        }
        stretch(pencil, Rect::new(x, area.y - 9.0, 11.0, 10.0), state);
        pencil.text(pt(x + 15.0, area.y), 11.0, Ink::Secondary, word.as_str());
        x += w + 12.0;
    }
    let end = pt(area.x + area.w, area.y);
    ending(pencil, end, 11.0, false, Ink::Secondary, past.as_str());
}

/// The web app: a lane for each thread, who waits at its door, and what it does with an upload.
fn app(system: &System, knobs: &Values, stage: &Stage, at: Time, scene: &mut Scene) {
    let (seen, rect) = (system.own::<Seen>(), stage.app);
    let lanes = &seen.lanes;
    let all = knobs.whole("threads") as usize;
    let works = lanes.count(0, State::Works);
    let nobody = lanes.count(0, State::Nobody);
    let waits = lanes.count(0, State::Waits);
    let live = system.node(APP).and_then(|live| live.members.get(0));
    let starting = live.and_then(|member| member.own.starting);
    let (held, queued) = pool(APP, system);
    let free = all.saturating_sub(held);
    let stuck = held >= all && waits + nobody >= all;
    let (status, ink) = match (starting, seen.restart) {
        (Some(starting), _) => {
            let left = tenths(starting.until.since(at));
            (scene.say("restarting", &[left]), Ink::Bad)
        }
        (None, Some(due)) => (
            scene.say("restarts-in", &[tenths(due.since(at))]),
            Ink::Warn,
        ),
        _ if stuck => (scene.say("stuck", &[count(all)]), Ink::Warn),
        _ => {
            let args = [works, waits + nobody, free].map(count);
            (scene.say("threads", &args), Ink::Secondary)
        }
    };
    let queue = live.into_iter().flat_map(|member| &member.own.pool.queue);
    let queue: Vec<&Frame> = queue.filter_map(|key| system.frame(*key)).collect();
    let longest = queue.iter().map(|call| at.since(call.reached)).max();
    let longest = longest.unwrap_or(Time::ZERO);
    let door = match seen.erlang {
        Some(loss) => {
            let came = Arg::Count(i64::from(seen.came));
            let refused = f64::from(seen.refused) / f64::from(seen.came.max(1));
            let percent = |share: f64| Arg::Number((share * 1e3).round() / 10.0);
            scene.say("door.erlang", &[came, percent(refused), percent(loss)])
        }
        None if queued == 0 => scene.say("door.free", &[]),
        None => scene.say("door", &[count(queued), tenths(longest)]),
    };
    let parked = live.map_or(0, |member| member.own.parked.len());
    let (listing, waiting) = pool(LIST, system);
    let listed = listing + waiting;
    let lost = seen.fates()[Fate::Lost as usize] as usize;
    let below = match seen.way {
        FREE => scene.say("below.free", &[count(parked)]),
        MEMORY if lost > 0 => scene.say("below.lost", &[count(listed), count(lost)]),
        MEMORY => scene.say("below.memory", &[count(listed)]),
        DURABLE => scene.say("below.queue", &[]),
        _ => scene.say("below.wait", &[]),
    };
    let words = ["lane.waits", "lane.works", "lane.nobody"].map(|word| scene.say(word, &[]));
    let span = if stage.narrow { 6 } else { 12 };
    let past = scene.say("lane.past", &[Arg::Count(span)]);
    let [one, two, three] = words;
    let name = scene.name(WEB_APP);
    let mut pencil = scene.thing(WEB_APP, rect, format!("{status}, {door}, {below}"));
    pencil
        .figure("working", works as f64)
        .figure("waiting", (waits + nobody) as f64)
        .figure("door", queued as f64)
        .figure("longest s", longest.as_s())
        .figure("parked", parked as f64)
        .figure("listed", listed as f64);
    let border = if ink == Ink::Secondary {
        Ink::LineStrong
    } else {
        ink
    };
    head(&mut pencil, rect, name, status, (ink, border));
    let area = Rect::new(
        rect.x + 10.0,
        rect.y + HEAD,
        rect.w - 20.0,
        stage.pitch * stage.threads as f32,
    );
    let when = (at, stage.narrow);
    self::lanes(&mut pencil, (lanes, 0), (area, stage.threads), when);
    let under = area.y + area.h + 12.0;
    let line = Rect::new(area.x, under, area.w, 12.0);
    legend(&mut pencil, line, [one, two, three, past]);
    // The door.
    let door_y = under + 20.0;
    let warn = longest >= Time::s(1);
    let said = fitting(&[door], 12.0, warn, area.w);
    let p = pt(area.x, door_y);
    match warn {
        true => pencil.bold(p, 12.0, Ink::Warn, said),
        false => pencil.text(p, 12.0, Ink::Ink, said),
    };
    // What it does with uploads.
    let top = rect.y + rect.h - BELOW_H + 2.0;
    let text_y = top + 12.0;
    if seen.way == MEMORY {
        let list = Rect::new(area.x - 2.0, top - 4.0, area.w + 4.0, BELOW_H - 6.0);
        pencil.dashed(list, 6.0, Ink::HitSoft, Ink::Hit, 1.5);
    }
    let said = fitting(&[below], 12.0, false, area.w - 8.0);
    let p = pt(area.x + 4.0, text_y + 1.0);
    match seen.way == MEMORY && lost > 0 {
        true => pencil.bold(p, 12.0, Ink::Bad, said),
        false => pencil.text(p, 12.0, Ink::Ink, said),
    };
    let (marks, glyph) = match seen.way {
        FREE => (parked, Glyph::Request),
        MEMORY => (listed, Glyph::Message),
        _ => (0, Glyph::Message),
    };
    let fit = ((area.w - 12.0) / 14.0) as usize;
    for i in 0..marks.min(fit) {
        let p = pt(area.x + 10.0 + 14.0 * i as f32, text_y + 15.0);
        pencil.mark(glyph, p, 4.5, Ink::Hit);
    }
    let fit = ((area.w - 34.0) / 13.0) as usize;
    if queued > fit {
        let p = pt(area.x + area.w, door_y + 17.0);
        ending(
            &mut pencil,
            p,
            12.0,
            true,
            Ink::Warn,
            format!("+{}", queued - fit),
        );
    }
    for (i, call) in queue.into_iter().take(fit).enumerate() {
        let ink = if call.draw.class == PAGE {
            Ink::Accent
        } else {
            Ink::Hit
        };
        let p = pt(area.x + 7.0 + 13.0 * i as f32, door_y + 13.0);
        let (glyph, ink) = match call.draw.class {
            STATUS => (Glyph::Heartbeat, Ink::Secondary),
            _ => (Glyph::Request, ink),
        };
        scene.particle(p, DOT, glyph, ink, call.number);
    }
}

/// Encoder or captions.
fn worker(
    system: &System,
    (node, owner): (NodeId, usize),
    stage: &Stage,
    at: Time,
    scene: &mut Scene,
) {
    let seen = system.own::<Seen>();
    let rect = if node == ENCODER {
        stage.encoder
    } else {
        stage.captions
    };
    let Some(live) = system.node(node) else {
        return;
    };
    let (held, queued) = pool(node, system);
    let waits = seen.lanes.count(owner, State::Waits);
    let nobody = seen.lanes.count(owner, State::Nobody);
    let part = live.node.part_of(0);
    let all = live.workers();
    let down = live.members.get(0).and_then(|member| member.down);
    let args = [held, all, queued].map(count);
    let busy = |word: &str| scene.say(word, &args);
    let (status, few, ink) = match down {
        Some(since) => {
            let span = tenths(at.since(since));
            (scene.say("crashed", &[span]), String::new(), Ink::Bad)
        }
        None if nobody > 0 => {
            let args = [held, all, nobody].map(count);
            let said = scene.say("busy-nobody", &args);
            (said, scene.say("busy-nobody.short", &args[2..]), Ink::Ink)
        }
        None if queued > 0 => (busy("busy-waiting"), busy("busy"), Ink::Secondary),
        None => (busy("busy"), String::new(), Ink::Secondary),
    };
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, status.clone());
    let few = if few.is_empty() { status.clone() } else { few };
    let status = fitting(&[status, few], 12.0, true, rect.w - 20.0);
    pencil
        .figure("busy", held as f64)
        .figure("waiting", queued as f64)
        .figure("waits", waits as f64)
        .figure("nobody", nobody as f64)
        .figure("down", f64::from(u8::from(down.is_some())));
    let border = if down.is_some() {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    head(&mut pencil, rect, name, status, (ink, border));
    let rows = ((rect.h - HEAD) / PITCH) as usize;
    let shown = all.min(rows);
    let area = Rect::new(
        rect.x + 10.0,
        rect.y + HEAD,
        rect.w - 20.0,
        PITCH * shown as f32,
    );
    let when = (at, stage.narrow);
    lanes(&mut pencil, (&seen.lanes, owner), (area, shown), when);
}

/// What a queue keeps: full while it waits, an outline while it is lent.
fn tray(system: &System, (node, part): (NodeId, PartId), rect: Rect, at: Time, scene: &mut Scene) {
    let Some(shelf) = system.shelf(node) else {
        return;
    };
    let (all, visible) = (messages(node, system), shelf.visible(at));
    let lent = all - visible.min(all);
    let spoken = scene.say("kept", &[count(visible), count(lent)]);
    let (name, few) = (scene.name(part), scene.say("kept.short", &[count(visible)]));
    let mut pencil = scene.thing(part, rect, spoken.clone());
    pencil
        .figure("visible", visible as f64)
        .figure("lent", lent as f64);
    pencil.bordered(rect, 8.0, Ink::Card, Ink::Hit, 2.0);
    let tall = rect.h > 50.0;
    let named = |said: &str| format!("{name}: {said}");
    let said = match tall {
        true => vec![name.clone()],
        false => vec![named(&spoken), named(&few), name.clone()],
    };
    let line = fitting(&said, 11.5, true, rect.w - 12.0);
    pencil.bold(pt(rect.x + 6.0, rect.y + 15.0), 11.5, Ink::Ink, line);
    if tall {
        let few = fitting(&[spoken, few], 11.0, true, rect.w - 12.0);
        pencil.bold(pt(rect.x + 6.0, rect.y + 31.0), 11.0, Ink::Ink, few);
    }
    let (per_row, rows) = (((rect.w - 10.0) / 13.0) as usize, if tall { 4 } else { 1 });
    let top = rect.y + if tall { 44.0 } else { rect.h - 13.0 };
    for i in 0..all.min(per_row * rows) {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let p = pt(rect.x + 11.0 + 13.0 * column, top + 12.0 * row);
        let ink = if i < lent { Ink::Mark } else { Ink::Hit };
        pencil.mark(Glyph::Replica, p, 5.0, ink);
    }
}

/// What became of uploads, in the order in which it is told: its word, its figure, how it is filled.
const TOLD: [(Fate, &str, &str, Style); FATES] = [
    (
        Fate::Seen,
        "fate.seen",
        "seen",
        (Fill::Full, Ink::Ok, Ink::None),
    ),
    (
        Fate::Ready,
        "fate.ready",
        "ready",
        (Fill::Outline, Ink::Ok, Ink::OkSoft),
    ),
    (
        Fate::Works,
        "fate.works",
        "works",
        (Fill::Outline, Ink::Accent, Ink::AccentSoft),
    ),
    (
        Fate::Nobody,
        "fate.nobody",
        "nobody",
        (Fill::Outline, Ink::Ink, Ink::Paper),
    ),
    (
        Fate::Failed,
        "fate.failed",
        "failed",
        (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
    ),
    (
        Fate::Lost,
        "fate.lost",
        "lost",
        (Fill::Full, Ink::Bad, Ink::None),
    ),
];

/// What became of uploads since everything started afresh.
fn bar(system: &System, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let fates = seen.fates();
    let all: u32 = fates.iter().sum();
    let counts = TOLD.map(|(fate, ..)| fates[fate as usize]);
    let said: Vec<String> = TOLD
        .iter()
        .zip(counts)
        .map(|((_, word, ..), n)| scene.say(word, &[Arg::Count(i64::from(n))]))
        .collect();
    let came = Arg::Count(i64::from(all));
    let (title, few) = match seen.crowd.filter(|crowd| crowd.made > 0) {
        Some(crowd) => {
            let made = Arg::Count(i64::from(crowd.made));
            let args = [came, made, tenths(crowd.last.since(crowd.at))];
            let say = |word| scene.say(word, &args);
            (say("uploads.crowd"), say("uploads.short"))
        }
        None => (scene.say("uploads", &[came]), String::new()),
    };
    let mut pencil = scene.thing(BAR, rect, format!("{title}: {}", said.join(", ")));
    for ((_, _, name, _), n) in TOLD.into_iter().zip(counts) {
        pencil.figure(name, f64::from(n));
    }
    if let Some(crowd) = seen.crowd {
        pencil
            .figure("made", f64::from(crowd.made))
            .figure("last s", crowd.last.since(crowd.at).as_s());
    }
    // What did not happen is not named.
    let names = said.into_iter().enumerate().filter(|(i, _)| counts[*i] > 0);
    let share = |n: u32| f64::from(n) / f64::from(all.max(1));
    Shares {
        rect,
        title: fitting(&[title, few], 12.0, true, rect.w - 20.0),
        styles: &TOLD.map(|(.., style)| style),
        bars: &[(String::new(), counts.map(share).to_vec())],
        names: names.collect(),
    }
    .draw(&mut pencil);
}

/// A place beside a way, for what comes back on it.
fn beside(way: &Curve, share: f32) -> Point {
    let (from, to, p) = (way.at(0.0), way.at(1.0), way.at(share));
    match (to.x - from.x).abs() > (to.y - from.y).abs() {
        true => pt(p.x, p.y + LANE),
        false => pt(p.x + LANE, p.y),
    }
}

/// What is on its way.
fn dots(system: &System, stage: &Stage, at: Time, scene: &mut Scene) {
    for (_, frame) in system.frames() {
        if frame.place != Place::Travels {
            continue;
        }
        let Some(way) = stage.way(frame.leg.on) else {
            continue;
        };
        let share = frame.leg.share(at);
        let (glyph, ink) = match (frame.leg.back, frame.failed.is_some()) {
            (true, true) => (Glyph::Failure, Ink::Bad),
            (true, false) => (Glyph::Response, Ink::Ok),
            _ if frame.leg.on == PUT || frame.leg.on == PASS => (Glyph::Replica, Ink::Hit),
            _ if frame.draw.class == PAGE => (Glyph::Request, Ink::Accent),
            _ if frame.draw.class == STATUS => (Glyph::Heartbeat, Ink::Secondary),
            _ => (Glyph::Request, Ink::Hit),
        };
        let p = if frame.leg.back {
            beside(&way, share)
        } else {
            way.at(share)
        };
        scene.particle(p, DOT, glyph, ink, frame.number);
    }
    // Messages that workers have got and that are on the way to them.
    for (node, _) in [(ENCODER, PULL), (CAPTIONS, TAKE)] {
        let live = system.node(node).and_then(|live| live.members.get(0));
        for puller in live.into_iter().flat_map(|member| &member.own.pullers) {
            let loan = puller
                .batch
                .front()
                .filter(|_| puller.doing == Pulling::Gets);
            if let (Some(loan), Some(way)) = (loan, stage.way(puller.leg.on)) {
                let p = way.at(puller.leg.share(at));
                scene.particle(p, DOT, Glyph::Replica, Ink::Hit, loan.letter.number);
            }
        }
    }
}
