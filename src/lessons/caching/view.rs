//! The stage: the app, the cache as a grid in the order of eviction, the database, and the strip of all keys.

use super::model::{
    APP, CACHE_PART, COLD, Caching, DATABASE, FAR_LINK, GRID, Job, KEYS, Kind, LATE, LATE_LINK,
    Leg, NEAR, NEAR_LINK, Outcome, STRIP, Settings, VICTIM, clock_us, key_part,
};
use super::route::Route;
use crate::kit::{self, Card, DOT, LANE};
use algorithms::cache_write::{Step, WritePolicy};
use algorithms::eviction::Policy;
use engine::scene::{Anchor, Pencil, Point, Rect, Shape, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};

/// A used or newly kept card shows it for this long.
const PULSE: Time = Time::ms(90);
/// A stale read is a warning for this long.
const RECENT: Time = Time::s(2);
/// A key that had to leave is spoken of for this long.
const FAREWELL: Time = Time::ms(350);
/// A card that makes room slides the last stretch to its new place, this far and in this span: less than the gap,
/// so that cards never touch.
const NUDGED: f32 = GAP / 2.0;
const NUDGE: Time = Time::ms(30);
/// Radius of the dots that matter less.
const SMALL: f32 = 3.5;
const GAP: f32 = 6.0;
const SLOT_H: f32 = 50.0;
/// Heights of the cache's card above and below the grid.
const HEAD: f32 = 60.0;
const FOOT: f32 = 36.0;
const STRIP_H: f32 = 84.0;

/// Where everything stands.
struct Layout {
    app: Rect,
    /// Where requests wait for somebody else's query.
    joined: Rect,
    cache: Rect,
    columns: usize,
    slot: (f32, f32),
    database: Rect,
    /// What the database is asked too often, and its queue.
    hot: Rect,
    queue: Rect,
    strip: Rect,
    near: Route,
    far: Route,
    back: Route,
    late: Route,
    hit_at: Point,
    miss_at: Point,
    /// How far from the way to the cache the way back lies.
    lane: Point,
}

impl Layout {
    fn of(scene: &mut Scene, slots: usize) -> Layout {
        if scene.narrow() {
            Layout::narrow(scene, slots)
        } else {
            Layout::wide(scene, slots)
        }
    }

    fn wide(scene: &mut Scene, slots: usize) -> Layout {
        let w = scene.width;
        let roomy = w >= 760.0;
        let (app_w, gap, late_gap, database_w, side) = if roomy {
            (118.0, 96.0, 48.0, 158.0, 20.0)
        } else {
            (88.0, 78.0, 26.0, 122.0, 10.0)
        };
        let x = side + app_w + gap;
        let room = w - side - database_w - late_gap - x;
        let slot_w = if roomy { 60.0 } else { 48.0 };
        let fit = ((room - 28.0 + GAP) / (slot_w + GAP)) as usize;
        let columns = slots.div_ceil(3).clamp(4, fit.max(4));
        let rows = slots.div_ceil(columns).clamp(3, 8);
        let slot_w = slot_w.min((room - 28.0 + GAP) / columns as f32 - GAP);
        let cache_w = 28.0 + columns as f32 * (slot_w + GAP) - GAP;
        // What the grid does not need is shared by the gaps at its sides.
        let spare = (room - cache_w).max(0.0);
        let x = x + spare * 0.4;
        let cache_h = HEAD + rows as f32 * (SLOT_H + GAP) - GAP + FOOT;
        let cache = Rect::new(x, 12.0, cache_w, cache_h);
        let middle = 12.0 + HEAD + (SLOT_H + GAP) * 1.2;
        let app = Rect::new(side, middle - 38.0, app_w, 76.0);
        let database = Rect::new(w - side - database_w, middle - 48.0, database_w, 96.0);
        let far_y = (cache.y + cache.h + 30.0).max(database.y + database.h + 70.0);
        let strip_y = far_y + 38.0;
        scene.height = (strip_y + STRIP_H + 6.0).max(400.0);
        let strip = Rect::new(side, scene.height - STRIP_H - 6.0, w - 2.0 * side, STRIP_H);
        let (left, right) = (app.x + 20.0, database.x + database.w - 20.0);
        let u = |left: f32, right: f32, y: f32| {
            Route::through(&[
                pt(left, app.y + app.h),
                pt(left, y),
                pt(right, y),
                pt(right, database.y + database.h),
            ])
        };
        let near_middle = (app.x + app.w + cache.x) / 2.0;
        let queue_top = database.y + database.h + 8.0;
        Layout {
            joined: Rect::new(app.x, 12.0, app_w + gap - 24.0, app.y - 20.0),
            columns,
            slot: (slot_w, SLOT_H),
            hot: Rect::new(database.x, 12.0, database_w, database.y - 20.0),
            queue: Rect::new(
                database.x,
                queue_top,
                database_w - 42.0,
                far_y - LANE - 6.0 - queue_top,
            ),
            strip,
            near: Route::through(&[app.right(), pt(cache.x, app.right().y)]),
            far: u(left, right, far_y),
            back: u(left + LANE, right - LANE, far_y - LANE),
            late: Route::through(&[pt(cache.x + cache.w, database.left().y), database.left()]),
            hit_at: pt(near_middle, app.right().y + 31.0),
            miss_at: pt(cache.centre().x, far_y + 16.0),
            lane: pt(0.0, LANE),
            app,
            cache,
            database,
        }
    }

    fn narrow(scene: &mut Scene, slots: usize) -> Layout {
        let w = scene.width;
        let app = Rect::new(12.0, 10.0, 116.0, 72.0);
        let body_w = w - 24.0 - 40.0;
        let columns = (((body_w - 20.0 + GAP) / (46.0 + GAP)) as usize).clamp(3, 6);
        let rows = slots.div_ceil(columns).max(2);
        let slot_w = (body_w - 20.0 + GAP) / columns as f32 - GAP;
        let cache_h = HEAD + rows as f32 * (SLOT_H + GAP) - GAP + FOOT;
        let cache = Rect::new(12.0, 138.0, body_w, cache_h);
        let database = Rect::new(12.0, cache.y + cache.h + 44.0, body_w, 96.0);
        let hot = Rect::new(12.0, database.y + database.h + 8.0, body_w, 22.0);
        let queue = Rect::new(12.0, hot.y + 26.0, body_w, 50.0);
        let strip = Rect::new(12.0, queue.y + queue.h + 10.0, w - 24.0, STRIP_H + 16.0);
        scene.height = strip.y + strip.h + 8.0;
        let channel = w - 20.0;
        let u = |x: f32, inner: f32| {
            Route::through(&[
                pt(app.x + app.w, app.y + 16.0 + inner),
                pt(x - inner, app.y + 16.0 + inner),
                pt(x - inner, database.y + 48.0 - inner),
                pt(database.x + database.w, database.y + 48.0 - inner),
            ])
        };
        Layout {
            joined: Rect::new(140.0, 44.0, w - 40.0 - 140.0, 46.0),
            columns,
            slot: (slot_w, SLOT_H),
            near: Route::through(&[pt(36.0, app.y + app.h), pt(36.0, cache.y)]),
            far: u(channel, 0.0),
            back: u(channel, LANE),
            late: Route::through(&[pt(36.0, cache.y + cache.h), pt(36.0, database.y)]),
            hit_at: pt(100.0, 108.0),
            miss_at: pt(w - 40.0 - 40.0, 108.0),
            lane: pt(LANE, 0.0),
            app,
            cache,
            database,
            hot,
            queue,
            strip,
        }
    }

    /// The upper left corner of a place in the grid.
    fn place(&self, place: u8) -> Point {
        let (column, row) = (
            usize::from(place) % self.columns,
            usize::from(place) / self.columns,
        );
        let inset = (self.cache.w - self.columns as f32 * (self.slot.0 + GAP) + GAP) / 2.0;
        pt(
            self.cache.x + inset + column as f32 * (self.slot.0 + GAP),
            self.cache.y + HEAD + row as f32 * (self.slot.1 + GAP),
        )
    }
}

/// Draws the system at `at`.
pub(super) fn draw(model: &Caching, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(scene, knobs.capacity as usize);
    links(model, knobs, &layout, scene);
    app(model, knobs, at, &layout, scene);
    cache(model, at, &layout, scene);
    database(model, knobs, at, &layout, scene);
    strip(model, &layout, scene);
    for job in model.jobs() {
        dot(job, at, &layout, scene);
    }
}

/// A number of seconds that keeps its width while it runs: `4.1 s`, then `12 s`.
fn seconds(span: Time) -> Arg {
    if span < Time::s(10) {
        kit::tenths(span)
    } else {
        Arg::Count(span.as_s() as i64)
    }
}

/// A small tinted label around its point.
fn pill(pencil: &mut Pencil<'_>, at: Point, label: String, ground: Ink, ink: Ink) {
    let w = text::width(&label, 12.0, true) + 16.0;
    let b = Rect::new(at.x - w / 2.0, at.y - 10.0, w, 20.0);
    pencil.filled(b, 10.0, ground);
    pencil.centred(pt(at.x, at.y + 4.5), 12.0, true, ink, label);
}

/// A line of text that ends at its point.
fn ending(at: Point, size: f32, ink: Ink, bold: bool, text: String) -> Shape {
    Shape::Text {
        at,
        size,
        bold,
        ink,
        anchor: Anchor::End,
        text,
    }
}

fn links(model: &Caching, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let down = model.down.is_some();
    let hit = scene.say("hit", &[Arg::Share(model.recent.ratio())]);
    let miss = scene.say("miss", &[Arg::Share(1.0 - model.recent.ratio())]);
    let mut pencil = scene.link(NEAR_LINK, layout.near.frame(), hit.clone());
    if down {
        pencil.dashed_line(layout.near.d(), Ink::Bad, 2.0);
    } else {
        pencil.line(layout.near.d(), Ink::Mark, 1.5);
    }
    pill(&mut pencil, layout.hit_at, hit, Ink::HitSoft, Ink::Hit);
    let mut pencil = scene.link(FAR_LINK, layout.far.frame(), miss.clone());
    pencil.line(layout.far.d(), Ink::Mark, 1.5);
    pill(&mut pencil, layout.miss_at, miss, Ink::WarnSoft, Ink::Warn);
    let late = knobs.writing.0 == WritePolicy::Back
        || model
            .jobs()
            .any(|job| job.kind == Kind::Late && job.leg == Leg::Late);
    if late {
        let dirty = model.store.dirty_keys().count();
        let value = scene.say("late", &[Arg::Count(dirty as i64)]);
        scene
            .link(LATE_LINK, layout.late.frame(), value)
            .dashed_line(layout.late.d(), Ink::Mark, 1.5);
    }
}

fn app(model: &Caching, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let load = scene.say("load", &[Arg::Number(knobs.load_per_s)]);
    let stale = model.watch.stale;
    let scan = model.watch.scan.filter(|scan| !scan.over);
    let (words, number, ink) = match (scan, stale) {
        (Some(scan), _) => (["scanning", "scanning.short"], scan.sent, Ink::Warn),
        (None, 0) => (["no-stale", "no-stale.short"], 0, Ink::Secondary),
        (None, _) if at.since(model.watch.stale_at) > RECENT => {
            (["stale-reads", "stale-reads.short"], stale, Ink::Secondary)
        }
        (None, _) => (["stale-reads", "stale-reads.short"], stale, Ink::Warn),
    };
    let [long, short] = words.map(|word| scene.say(word, &[Arg::Count(i64::from(number))]));
    let fits = text::width(&long, 11.5, true) <= layout.app.w - 22.0;
    let line = if fits { long } else { short };
    let most = model.joined().max_by_key(|(_, who)| who.len());
    let all: Vec<u32> = model
        .joined()
        .flat_map(|(_, who)| who.iter().copied())
        .collect();
    let waiting = most.map(|(key, _)| {
        let name = Arg::Part(key_part(key));
        scene.say("joined", &[Arg::Count(all.len() as i64), name])
    });
    let value = match &waiting {
        Some(waiting) => format!("{load}, {line}, {waiting}"),
        None => format!("{load}, {line}"),
    };
    let card = layout.app;
    let crowd = waiting.map(|words| Crowd::of(words, all.len(), layout));
    let frame = match &crowd {
        Some(crowd) => around(card, crowd.area),
        None => card,
    };
    let name = scene.name(APP);
    let mut pencil = scene.thing(APP, frame, value);
    Card::plain(card, name, load).draw(&mut pencil);
    let at = pt(card.x + 14.0, card.y + 63.0);
    if ink == Ink::Warn {
        pencil.bold(at, 11.5, ink, line);
    } else {
        pencil.text(at, 11.5, ink, line);
    }
    let Some(crowd) = crowd else { return };
    for (i, line) in crowd.lines.iter().enumerate() {
        let at = pt(crowd.area.x, crowd.area.y + 11.0 + 14.0 * i as f32);
        pencil.bold(at, 12.0, Ink::Accent, line.as_str());
    }
    let numbers = all.iter().map(|slot| model.job(*slot).number);
    kit::queue(scene, crowd.dots, Glyph::Request, Ink::Accent, numbers);
}

/// The smallest rectangle around two.
fn around(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let right = (a.x + a.w).max(b.x + b.w);
    let bottom = (a.y + a.h).max(b.y + b.h);
    Rect::new(x, y, right - x, bottom - y)
}

/// Requests that wait for the query of another, close to the app's card: words, then dots.
struct Crowd {
    lines: Vec<String>,
    area: Rect,
    dots: Rect,
}

impl Crowd {
    fn of(words: String, waiting: usize, layout: &Layout) -> Crowd {
        let (card, side) = (layout.app, layout.joined);
        let mut lines = text::wrap(&words, 12.0, true, side.w);
        lines.truncate(2);
        let head = lines.len() as f32 * 14.0 + 4.0;
        let per_row = ((side.w / kit::PITCH) as usize).max(1);
        let tall = head + 2.0 + waiting.div_ceil(per_row) as f32 * kit::PITCH;
        let top = if side.y < card.y {
            (side.y + side.h - tall).max(side.y)
        } else {
            side.y
        };
        let h = tall.min(side.y + side.h - top);
        let widest = lines
            .iter()
            .map(|line| text::width(line, 12.0, true))
            .fold(per_row.min(waiting) as f32 * kit::PITCH, f32::max);
        Crowd {
            area: Rect::new(side.x, top, widest.min(side.w), h),
            dots: Rect::new(side.x, top + head, side.w, h - head),
            lines,
        }
    }
}

const fn policy_word(policy: Policy) -> [&'static str; 2] {
    match policy {
        Policy::Lru => ["policy.lru", "order.lru"],
        Policy::Lfu => ["policy.lfu", "order.lfu"],
        Policy::Fifo => ["policy.fifo", "order.fifo"],
        Policy::Random => ["policy.random", "order.random"],
        Policy::Clock => ["policy.clock", "order.clock"],
        Policy::Sieve => ["policy.sieve", "order.sieve"],
    }
}

/// What the policy knows of a cached key: the short text on its card, and how safe that makes it (0 to 1).
fn standing(model: &Caching, key: u16, at: Time, scene: &Scene) -> (String, f32) {
    let store = model.store.cache();
    let mark = store.slot_of(&key).and_then(|slot| store.mark(slot));
    let fade = |span: Time| 1.0 / (1.0 + span.as_s() as f32);
    match store.policy() {
        Policy::Lru => {
            let unused = model.unused(key, at);
            (scene.say("slot.s", &[seconds(unused)]), fade(unused))
        }
        Policy::Fifo => {
            let age = model.age(key, at);
            (scene.say("slot.s", &[seconds(age)]), fade(age))
        }
        Policy::Lfu => {
            let uses = mark.map_or(0, |mark| mark.uses);
            let uses_shown = Arg::Count(uses.min(9_999) as i64);
            let share = uses as f32 / (uses as f32 + 20.0);
            (scene.say("slot.uses", &[uses_shown]), share)
        }
        Policy::Clock | Policy::Sieve => {
            let bit = mark.is_some_and(|mark| mark.referenced);
            let word = if bit { "slot.spared" } else { "slot.bare" };
            (scene.say(word, &[]), f32::from(u8::from(bit)))
        }
        Policy::Random => (scene.say("slot.random", &[]), 0.5),
    }
}

fn cache(model: &Caching, at: Time, layout: &Layout, scene: &mut Scene) {
    let store = model.store.cache();
    let [policy, order] = policy_word(store.policy());
    let slots = Arg::Count(store.capacity() as i64);
    let policy = scene.say(policy, &[]);
    let slots = match store.capacity() {
        1 => scene.say("slots.one", &[]),
        _ => scene.say("slots", &[slots]),
    };
    let status = format!("{slots} · {policy}");
    let mut order = scene.say(order, &[]);
    if model.store.ttl_us.is_some() {
        let longer = format!("{order} · {}", scene.say("bar", &[]));
        if text::width(&longer, 11.5, false) <= layout.cache.w - 28.0 {
            order = longer;
        }
    }
    let b = layout.cache;
    let next = model.next_to_leave();
    let room = b.w - 28.0;
    let (foot, foot_ink) = match (model.down, next) {
        (Some(since), _) => (scene.say("down", &[kit::tenths(at.since(since))]), Ink::Bad),
        (None, Some(next)) => (next_in_words(model, next, at, room, scene), Ink::Warn),
        (None, None) if store.capacity() == 0 => (scene.say("no-slots", &[]), Ink::Secondary),
        (None, None) => {
            let free = Arg::Count((store.capacity() - store.len()) as i64);
            (scene.say("free", &[free]), Ink::Secondary)
        }
    };
    let name = scene.name(CACHE_PART);
    let (left, down) = (layout.place(0).x, model.down.is_some());
    let right = b.x + b.w - (left - b.x);
    // The card lies behind its keys, so that they can be picked; its head and foot are the things read out.
    let (border, width) = if down {
        (Ink::Bad, 2.0)
    } else {
        (Ink::LineStrong, 1.5)
    };
    let value = format!("{status}, {foot}");
    let mut pencil = scene.link(GRID, b, value);
    pencil.bordered(b, 12.0, Ink::Card, border, width);
    for place in 0..store.capacity() as u8 {
        let p = layout.place(place);
        let socket = Rect::new(p.x, p.y, layout.slot.0, layout.slot.1);
        if down {
            pencil.bordered(socket, 8.0, Ink::BadHatch, Ink::Bad, 1.0);
        } else if usize::from(place) >= store.len() {
            pencil.dashed(socket, 8.0, Ink::None, Ink::LineStrong, 1.0);
        }
    }
    let head = Rect::new(b.x, b.y, b.w, HEAD - 4.0);
    let value = format!("{status}, {order}");
    let mut pencil = scene.thing(CACHE_PART, head, value);
    pencil.bold(pt(left, b.y + 26.0), 14.5, Ink::Ink, name);
    pencil.shape(ending(
        pt(right, b.y + 26.0),
        12.5,
        Ink::Secondary,
        false,
        status,
    ));
    if store.capacity() > 0 {
        pencil.text(pt(left, b.y + 47.0), 11.5, Ink::Secondary, order);
    }
    let evicted = model
        .watch
        .evicted
        .filter(|(.., when)| at.since(*when) < FAREWELL);
    let gone = evicted.map(|(key, ..)| scene.say("left", &[Arg::Part(key_part(key))]));
    let feet = Rect::new(b.x, b.y + b.h - FOOT + 4.0, b.w, FOOT - 4.0);
    let mut pencil = scene.thing(VICTIM, feet, foot.clone());
    let foot_at = pt(left, b.y + b.h - 13.0);
    let taken = text::width(&foot, 12.0, true) + 12.0;
    if foot_ink == Ink::Secondary {
        pencil.text(foot_at, 12.0, foot_ink, foot);
    } else {
        pencil.bold(foot_at, 12.0, foot_ink, foot);
    }
    if let Some(gone) = gone.filter(|gone| text::width(gone, 12.0, true) + taken <= right - left) {
        pencil.shape(ending(pt(right, foot_at.y), 12.0, Ink::Ink, true, gone));
    }
    // The one used last lies on top while it glides over the others.
    let mut spots: Vec<_> = model.spots.iter().collect();
    spots.sort_by_key(|spot| std::cmp::Reverse(spot.to));
    for spot in spots {
        let mut corner = layout.place(spot.to);
        let shift = f32::from(spot.from) - f32::from(spot.to);
        // Cards that make room are seen to move up by one; all others stand where they belong at once, so that
        // every moment can be read.
        if layout.place(spot.from).y == corner.y && shift.abs() <= 1.0 {
            let t = at.progress(spot.since, spot.since + NUDGE);
            corner.x += shift * NUDGED * (1.0 - t) * (1.0 - t);
        }
        let frame = Rect::new(corner.x, corner.y, layout.slot.0, layout.slot.1);
        slot(model, spot.key, next == Some(spot.key), at, frame, scene);
    }
}

/// The foot of the card: who leaves next and why, or the name alone where there is no room.
fn next_in_words(model: &Caching, next: u16, at: Time, room: f32, scene: &Scene) -> String {
    let name = Arg::Part(key_part(next));
    let store = model.store.cache();
    let mark = store.next_victim().and_then(|slot| store.mark(slot));
    let long = match store.policy() {
        Policy::Lru => scene.say("next.lru", &[name, seconds(model.unused(next, at))]),
        Policy::Fifo => scene.say("next.fifo", &[name, seconds(model.age(next, at))]),
        Policy::Lfu => {
            let uses = mark.map_or(0, |mark| mark.uses);
            scene.say("next.lfu", &[name, Arg::Count(uses as i64)])
        }
        Policy::Random => scene.say("next.random", &[name]),
        Policy::Clock | Policy::Sieve => scene.say("next.hand", &[name]),
    };
    if text::width(&long, 12.0, true) <= room {
        long
    } else {
        scene.say("next.short", &[name])
    }
}

/// One card of the grid.
fn slot(model: &Caching, key: u16, next: bool, at: Time, frame: Rect, scene: &mut Scene) {
    let part = key_part(key);
    let (standing, share) = standing(model, key, at, scene);
    let now_us = clock_us(at);
    let Some(entry) = model.store.cache().peek(&key) else {
        return;
    };
    let (dirty, expired) = (entry.value.dirty, entry.is_expired(now_us));
    let stale = model.is_stale(key, at);
    let state = if expired {
        Some("slot.expired")
    } else if dirty {
        Some("slot.dirty")
    } else if stale {
        Some("slot.stale")
    } else {
        None
    };
    let detail = state.map_or_else(|| standing.clone(), |word| scene.say(word, &[]));
    let mut value = standing;
    if state.is_some() {
        value = format!("{value}, {detail}");
    }
    if let Some(expires_us) = entry.expires_us.filter(|_| !expired) {
        let left = Time(expires_us.saturating_sub(now_us));
        value = format!("{value}, {}", scene.say("slot.life", &[seconds(left)]));
    }
    if next {
        value = format!("{value}, {}", scene.say("slot.next", &[]));
    }
    let life = entry.expires_us.map(|expires_us| {
        let all = expires_us.saturating_sub(entry.stored_us).max(1);
        expires_us.saturating_sub(now_us) as f32 / all as f32
    });
    let fresh = model.unused(key, at) < PULSE;
    let name = scene.name(part);
    let mut pencil = scene.link(part, frame, value);
    // Who leaves next is what the grid is about, so that mark goes before all that is momentary.
    let (ground, ink) = match (stale, next, fresh) {
        (true, ..) => (Ink::BadSoft, Ink::Bad),
        (false, true, _) => (Ink::WarnSoft, Ink::Warn),
        (false, false, true) => (Ink::HitSoft, Ink::Hit),
        _ if expired => (Ink::Card, Ink::Secondary),
        _ => (Ink::Card, Ink::Ink),
    };
    // A key that no user asks for is grey, so that a scan can be seen to fill the grid.
    let ground = match ground {
        Ink::Card | Ink::HitSoft if key > COLD => Ink::Line,
        ground => ground,
    };
    match ink {
        _ if next => pencil.dashed(frame, 8.0, ground, ink, 2.0),
        Ink::Secondary => pencil.dashed(frame, 8.0, ground, Ink::LineStrong, 1.0),
        Ink::Ink => pencil.bordered(frame, 8.0, ground, Ink::LineStrong, 1.0),
        _ => pencil.bordered(frame, 8.0, ground, ink, 2.0),
    };
    let inset = if frame.w < 54.0 { 5.0 } else { 9.0 };
    let lesser = if ink == Ink::Ink { Ink::Secondary } else { ink };
    pencil.bold(pt(frame.x + inset, frame.y + 18.0), 13.0, ink, name);
    pencil.text(pt(frame.x + inset, frame.y + 32.0), 11.0, lesser, detail);
    if dirty {
        let at = pt(frame.x + frame.w - 9.0, frame.y + 28.0);
        pencil.mark(Glyph::Replica, at, 4.0, Ink::Warn);
    }
    let bar = |y: f32, h: f32| Rect::new(frame.x + inset, frame.y + y, frame.w - 2.0 * inset, h);
    match life {
        Some(life) => {
            pencil.meter(bar(39.0, 4.0), life, Ink::Hit, false);
        }
        None => {
            pencil.meter(bar(39.0, 4.0), share, lesser, false);
        }
    }
}

fn database(model: &Caching, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let rate = Arg::Count(model.queries_per_s(at).round() as i64);
    let status = scene.say("queries", &[rate]);
    let waiting = model.queue.len();
    let waiting_text = scene.say("waiting", &[Arg::Count(waiting as i64)]);
    let each = scene.say("each", &[Arg::Number(knobs.query_ms)]);
    let hot = model
        .asking
        .iter()
        .map(|(key, asking)| (*asking, *key))
        .filter(|(asking, _)| *asking >= 4)
        .max();
    let hot = hot.map(|(asking, key)| {
        let name = Arg::Part(key_part(key));
        scene.say("hot", &[Arg::Count(i64::from(asking)), name])
    });
    let value = match &hot {
        Some(hot) => format!("{status}, {waiting_text}, {hot}"),
        None => format!("{status}, {waiting_text}"),
    };
    let (card, side, below) = (layout.database, layout.hot, layout.queue);
    let hot = hot.map(|hot| {
        let lines = text::wrap(&hot, 12.0, true, side.w - 16.0);
        let h = lines.len() as f32 * 14.0 + 8.0;
        // Above the card it stands close to it; below the card it has a place of its own.
        let y = if side.y < card.y {
            side.y + side.h - h
        } else {
            side.y
        };
        (lines, Rect::new(side.x, y, side.w, h))
    });
    let per_row = ((below.w / kit::PITCH) as usize).max(1);
    let mut frame = card;
    if let Some((_, side)) = &hot {
        frame = around(frame, *side);
    }
    if waiting > 0 {
        let rows = waiting.div_ceil(per_row) as f32;
        let h = (20.0 + rows * kit::PITCH).min(below.h);
        frame = around(frame, Rect { h, ..below });
    }
    let share = model.busy_share(knobs, at);
    let full = waiting > 0 && share > 0.9;
    let name = scene.name(DATABASE);
    let face = Card {
        rect: Rect { h: 78.0, ..card },
        name,
        status,
        ink: Ink::Secondary,
        border: if full { Ink::Warn } else { Ink::LineStrong },
        meter: None,
    };
    let connections = knobs.connections();
    let slots = face.slots(connections);
    let mut pencil = scene.thing(DATABASE, frame, value);
    Card { rect: card, ..face }.draw(&mut pencil);
    let meter = Rect::new(card.x + 14.0, card.y + 56.0, card.w - 28.0, 6.0);
    let ink = if share > 0.85 { Ink::Warn } else { Ink::Accent };
    pencil.meter(meter, share, ink, false);
    pencil.text(pt(card.x + 14.0, card.y + 82.0), 12.0, Ink::Secondary, each);
    if let Some(slots) = &slots {
        kit::sockets(&mut pencil, (0..connections).map(slots));
    }
    if let Some((lines, b)) = hot {
        pencil.filled(b, 8.0, Ink::BadSoft);
        for (i, line) in lines.iter().enumerate() {
            let at = pt(b.x + 8.0, b.y + 15.0 + 14.0 * i as f32);
            pencil.bold(at, 12.0, Ink::Bad, line.as_str());
        }
    }
    if waiting > 0 {
        let at = pt(below.x, below.y + 11.0);
        pencil.text(at, 12.0, Ink::Secondary, waiting_text);
    }
    if let Some(slots) = &slots {
        for (i, held) in model.serving.iter().take(connections).enumerate() {
            let job = model.job(*held);
            let (glyph, ink) = sent(job);
            scene.particle(slots(i), DOT - 0.5, glyph, ink, job.number);
        }
    }
    let area = Rect::new(below.x, below.y + 18.0, below.w, below.h - 18.0);
    for (i, held) in model.queue.iter().enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let p = pt(
            area.x + 6.0 + kit::PITCH * column,
            area.y + 6.0 + kit::PITCH * row,
        );
        if p.y + DOT > area.y + area.h {
            break;
        }
        let job = model.job(*held);
        let (glyph, ink) = sent(job);
        scene.particle(p, size(job), glyph, ink, job.number);
    }
}

/// All keys by popularity, and which of them are kept.
fn strip(model: &Caching, layout: &Layout, scene: &mut Scene) {
    let b = layout.strip;
    let kept: Vec<u16> = model.cached().collect();
    let share_of = |key: u16| model.share_now(key);
    let share = kept.iter().fold(0.0, |sum, key| sum + share_of(*key));
    let cold = kept.iter().filter(|key| **key > COLD).count();
    let title = scene.say("strip", &[]);
    let drawn = scene.say("strip.share", &[Arg::Share(share)]);
    let cold = (cold > 0).then(|| scene.say("strip.cold", &[Arg::Count(cold as i64)]));
    let value = match &cold {
        Some(cold) => format!("{drawn}, {cold}"),
        None => drawn.clone(),
    };
    let celebrity = model
        .watch
        .celebrity
        .filter(|celebrity| celebrity.active || kept.contains(&celebrity.key));
    let first = scene.name(key_part(1));
    let last = scene.name(key_part(KEYS));
    let star = celebrity.map(|celebrity| scene.name(key_part(celebrity.key)));
    let narrow = scene.narrow();
    let mut pencil = scene.thing(STRIP, b, value);
    pencil.bold(pt(b.x, b.y + 12.0), 12.0, Ink::Secondary, title.as_str());
    let second = if narrow {
        pt(b.x, b.y + 28.0)
    } else {
        pt(b.x + text::width(&title, 12.0, true) + 16.0, b.y + 12.0)
    };
    pencil.bold(second, 12.0, Ink::Hit, drawn.as_str());
    if let Some(cold) = cold {
        let at = pt(second.x + text::width(&drawn, 12.0, true) + 14.0, second.y);
        pencil.bold(at, 12.0, Ink::Warn, cold);
    }
    let base = b.y + b.h - 16.0;
    let tall = base - second.y - 10.0;
    let pitch = b.w / (f32::from(KEYS) + 3.0);
    let star_share = celebrity.map_or(0.0, |celebrity| share_of(celebrity.key));
    let most = share_of(1).max(star_share).max(1e-9);
    let mut bar = |x: f32, share: f64, on: bool| {
        let h = (tall * (share / most) as f32).clamp(3.0, tall);
        let r = Rect::new(x, base - h, pitch * 0.76, h);
        pencil.filled(r, 2.0, if on { Ink::Hit } else { Ink::LineStrong });
    };
    for key in 1..=KEYS {
        let x = b.x + pitch * f32::from(key - 1);
        bar(x, share_of(key), kept.contains(&key));
    }
    let end = b.x + pitch * (f32::from(KEYS) + 1.6);
    if let Some(celebrity) = celebrity {
        bar(end, star_share, kept.contains(&celebrity.key));
    }
    let under = base + 13.0;
    pencil.text(pt(b.x, under), 11.0, Ink::Secondary, first);
    let last_x = b.x + pitch * f32::from(KEYS);
    match star {
        Some(star) => pencil.shape(ending(pt(b.x + b.w, under), 11.0, Ink::Warn, true, star)),
        None => pencil.shape(ending(pt(last_x, under), 11.0, Ink::Secondary, false, last)),
    };
}

/// What a job looks like on its way to a store.
fn sent(job: &Job) -> (Glyph, Ink) {
    match job.kind {
        Kind::Read => (Glyph::Request, Ink::Accent),
        Kind::Scan | Kind::Refresh => (Glyph::Request, Ink::Secondary),
        Kind::Write if job.at_step() == Some(Step::Invalidate) => (Glyph::Message, Ink::Hit),
        Kind::Write => (Glyph::Replica, Ink::Accent),
        Kind::Late => (Glyph::Replica, Ink::Warn),
    }
}

/// What no user waits for and what carries nothing is smaller.
fn size(job: &Job) -> f32 {
    match job.kind {
        Kind::Scan | Kind::Refresh => SMALL,
        _ if job.leg == Leg::FromCache && job.outcome == Outcome::Miss => SMALL,
        _ => DOT,
    }
}

/// A request, an answer or a value on a link.
fn dot(job: &Job, at: Time, layout: &Layout, scene: &mut Scene) {
    let left = job.arrives.since(at).0 as f32;
    let come = |span: Time| 1.0 - left / span.0 as f32;
    let lane = |p: Point, by: Point| pt(p.x + by.x, p.y + by.y);
    let none = pt(0.0, 0.0);
    let (p, back) = match job.leg {
        Leg::ToCache | Leg::Fill => (lane(layout.near.at(come(NEAR)), none), false),
        Leg::FromCache => (lane(layout.near.at(1.0 - come(NEAR)), layout.lane), true),
        Leg::ToDatabase => (layout.far.at(come(job.far)), false),
        Leg::FromDatabase => (layout.back.at(1.0 - come(job.far)), true),
        Leg::Late => (layout.late.at(come(LATE)), false),
        Leg::Queued | Leg::InService | Leg::Joined => return,
    };
    let (glyph, ink) = match (job.leg, job.outcome) {
        (Leg::Fill, _) => (Glyph::Replica, Ink::Hit),
        _ if !back => sent(job),
        (_, Outcome::Down | Outcome::Refused) => (Glyph::Failure, Ink::Bad),
        // The cache has no value to give, so what comes back is no ring.
        (Leg::FromCache, Outcome::Miss) => (Glyph::Message, Ink::Warn),
        (_, Outcome::Hit) => (Glyph::Response, Ink::Hit),
        (_, Outcome::Done | Outcome::None | Outcome::Miss) => (Glyph::Response, Ink::Ok),
    };
    scene.particle(p, size(job), glyph, ink, job.number);
}
