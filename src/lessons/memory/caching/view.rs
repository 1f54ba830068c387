//! The stage: the app, the cache as a grid in the order of eviction, the database, and the strip of all keys.

use super::model::{
    APP, CACHE_PART, COLD, Caching, DATABASE, FAR_LINK, GRID, Job, KEYS, Kind, LATE, LATE_LINK,
    Leg, NEAR, NEAR_LINK, Outcome, STAMPEDE, STRIP, Settings, VICTIM, clock_us, key_part,
};
use algorithms::cache_write::{Step, WritePolicy};
use algorithms::eviction::Policy;
use engine::scene::{Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::bars::{Bar, bars};
use kit::figures::label::{ending, pill};
use kit::figures::{self, DOT, LANE, NodeCard};
use kit::layout::{BEND, Course, Placed, Size, Slot, Span, Way, around, lay, part, space};

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
/// From so many reads on a share of them means something.
const SHARE_MIN: u32 = 30;
/// Room kept free: for requests that wait for another's query, for what the database is asked too often, for its queue,
/// and for the way past the cache.
const JOINED: PartId = PartId::one("joined");
const HOT: PartId = PartId::one("hot");
const QUEUE: PartId = PartId::one("queue");
const PAST: PartId = PartId::one("past");

/// Where everything stands.
struct Layout {
    placed: Placed,
    near: Way,
    far: Way,
    late: Way,
    hit_at: Point,
    miss_at: Point,
}

impl Layout {
    fn of(scene: &mut Scene, slots: usize) -> Layout {
        let narrow = scene.narrow();
        let (w, roomy) = (scene.width, scene.width >= 760.0);
        let all = |least: f32| Span::rest(least, 1.0);
        let gap = |least: f32, best: f32, grow: f32| {
            let span: Span = (least, best).into();
            space(Span { grow, ..span })
        };
        let strip = part(STRIP, all(200.0), (54.0, if narrow { 100.0 } else { 84.0 }));
        let cell = |w: f32, grow: f32| Size {
            w: Span::rest(w, grow),
            h: (36.0, 50.0).into(),
        };
        let grid = |cell: Size, columns: (u16, u16), side: f32| Slot::Around {
            of: GRID,
            head: (40.0, 60.0).into(),
            foot: (24.0, 36.0).into(),
            side,
            inner: Box::new(Slot::Grid {
                of: CACHE_PART,
                n: slots,
                cell,
                gap: (GAP, GAP),
                columns,
            }),
        };
        if narrow {
            let head = vec![
                part(APP, 116.0, 72.0),
                space(12.0),
                Slot::Column(vec![space(26.0), part(JOINED, all(80.0), 50.0)]),
            ];
            let body = vec![
                Slot::Row(head),
                space((40.0, 56.0)),
                grid(cell(46.0, 1.0), (3, 6), 10.0),
                space((30.0, 44.0)),
                part(DATABASE, all(200.0), 96.0),
                space(8.0),
                part(HOT, all(200.0), 22.0),
                space(4.0),
                part(QUEUE, all(200.0), 50.0),
            ];
            let stage = vec![
                Slot::Row(vec![Slot::Column(body), space(28.0)]),
                space((4.0, 10.0)),
                strip,
            ];
            let placed = lay(scene, &Slot::Column(stage));
            let (app, cache) = (placed.of(APP), placed.of(GRID));
            let database = placed.of(DATABASE);
            let pills = f32::midpoint(app.y + app.h, cache.y);
            let (x, y) = (w - 20.0, app.y + 16.0);
            let far = [
                pt(app.x + app.w, y),
                pt(x, y),
                pt(x, database.centre().y),
                database.right(),
            ];
            let near = pt(app.x + 24.0, app.y + app.h);
            return Layout {
                near: Way::straight(near, pt(near.x, cache.y)).lanes(0.0, -LANE),
                far: Way::through(&far, BEND),
                late: placed.way(GRID, DATABASE),
                hit_at: pt(100.0, pills),
                miss_at: pt(w - 80.0, pills),
                placed,
            };
        }
        // Things at the sides have as much room above as below, so that they stand beside the cache's middle.
        let side = (46.0, 82.0);
        let (app_w, database_w) = if roomy { (118.0, 158.0) } else { (88.0, 122.0) };
        let card = if roomy { 60.0 } else { 47.0 };
        let fit = (w - app_w - database_w - if roomy { 196.0 } else { 156.0 }) / (card + GAP);
        let columns = slots.div_ceil(3).clamp(4, (fit as usize).max(4)) as u16;
        let row = vec![
            Slot::Column(vec![
                part(JOINED, app_w, side),
                part(APP, app_w, 76.0),
                space(side),
            ]),
            gap(66.0, 96.0, 0.6),
            grid(cell(card, 0.0), (columns, columns), 14.0),
            gap(24.0, 48.0, 0.4),
            Slot::Column(vec![
                part(HOT, database_w, (42.0, 82.0)),
                part(DATABASE, database_w, 96.0),
                part(QUEUE, database_w - 42.0, (42.0, 82.0)),
            ]),
        ];
        let stage = Slot::Column(vec![
            Slot::Row(row),
            part(PAST, all(200.0), (38.0, 62.0)),
            strip,
        ]);
        let placed = lay(scene, &stage);
        let (app, cache) = (placed.of(APP), placed.of(GRID));
        let (database, past) = (placed.of(DATABASE), placed.of(PAST));
        let y = past.centre().y - 6.0;
        let far = [
            pt(app.x + 20.0, app.y + app.h),
            pt(app.x + 20.0, y),
            pt(database.x + database.w - 20.0, y),
            pt(database.x + database.w - 20.0, database.y + database.h),
        ];
        let near = placed.way(APP, GRID);
        Layout {
            hit_at: pt(f32::midpoint(app.x + app.w, cache.x), near.frame().y + 31.0),
            miss_at: pt(cache.centre().x, y + 16.0),
            far: Way::through(&far, BEND).lanes(0.0, -LANE),
            late: placed.way(GRID, DATABASE),
            near,
            placed,
        }
    }

    /// A place in the grid.
    fn place(&self, place: u8) -> Rect {
        self.placed.cell(CACHE_PART, usize::from(place))
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
        figures::tenths(span)
    } else {
        Arg::Count(span.as_s() as i64)
    }
}

fn links(model: &Caching, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let down = model.down.is_some();
    let (hits, reads) = (model.recent.hits(), model.recent.reads);
    // A share of a few reads says nothing, unless none of them can hit.
    let sure = down || model.store.cache().capacity() == 0;
    let share = (sure || reads >= SHARE_MIN).then_some(model.recent.ratio());
    let words = |scene: &Scene, [whole, few]: [&str; 2], share: Option<f64>, of: u32| match share {
        Some(share) => scene.say(whole, &[Arg::Share(share)]),
        None => scene.say(few, &[of, reads].map(|n| Arg::Count(i64::from(n)))),
    };
    let hit = words(scene, ["hit", "hit-of"], share, hits);
    let missed = share.map(|share| 1.0 - share);
    let miss = words(scene, ["miss", "miss-of"], missed, reads - hits);
    let mut pencil = scene.link(NEAR_LINK, layout.near.frame(), hit.clone());
    pencil.figure("drops", model.drops() as f64);
    if let Some(share) = share {
        pencil.figure("hit %", share * 100.0);
    }
    if down {
        pencil.dashed_line(layout.near.d(), Ink::Bad, 2.0);
    } else {
        pencil.line(layout.near.d(), Ink::Mark, 1.5);
    }
    pill(&mut pencil, layout.hit_at, hit, Ink::HitSoft, Ink::Hit);
    let mut pencil = scene.link(FAR_LINK, layout.far.frame(), miss.clone());
    if let Some(missed) = missed {
        pencil.figure("miss %", missed * 100.0);
    }
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
    let fits = text::width(&long, 11.5, true) <= layout.placed.of(APP).w - 22.0;
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
    let card = layout.placed.of(APP);
    let crowd = waiting.map(|words| Crowd::of(words, all.len(), layout));
    let frame = match &crowd {
        Some(crowd) => around(card, crowd.area),
        None => card,
    };
    let name = scene.name(APP);
    let mut pencil = scene.thing(APP, frame, value);
    pencil.figure("waiting", all.len() as f64);
    if scan.is_none() {
        pencil.figure("stale", f64::from(stale));
    }
    NodeCard::plain(card, name, load).draw(&mut pencil);
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
    figures::queue(scene, crowd.dots, Glyph::Request, Ink::Accent, numbers);
}

/// Requests that wait for the query of another, close to the app's card: words, then dots.
struct Crowd {
    lines: Vec<String>,
    area: Rect,
    dots: Rect,
}

impl Crowd {
    fn of(words: String, waiting: usize, layout: &Layout) -> Crowd {
        let (card, side) = (layout.placed.of(APP), layout.placed.of(JOINED));
        let mut lines = text::wrap(&words, 12.0, true, side.w);
        lines.truncate(2);
        let head = lines.len() as f32 * 14.0 + 4.0;
        let per_row = ((side.w / figures::PITCH) as usize).max(1);
        let tall = head + 2.0 + waiting.div_ceil(per_row) as f32 * figures::PITCH;
        let top = if side.y < card.y {
            (side.y + side.h - tall).max(side.y)
        } else {
            side.y
        };
        let h = tall.min(side.y + side.h - top);
        let widest = lines
            .iter()
            .map(|line| text::width(line, 12.0, true))
            .fold(per_row.min(waiting) as f32 * figures::PITCH, f32::max);
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
        if text::width(&longer, 11.5, false) <= layout.placed.of(GRID).w - 28.0 {
            order = longer;
        }
    }
    let b = layout.placed.of(GRID);
    let next = model.next_to_leave();
    let room = b.w - 28.0;
    let (foot, foot_ink) = match (model.down, next) {
        (Some(since), _) => (
            scene.say("down", &[figures::tenths(at.since(since))]),
            Ink::Bad,
        ),
        (None, Some(next)) => (next_in_words(model, next, at, room, scene), Ink::Warn),
        (None, None) if store.capacity() == 0 => (scene.say("no-slots", &[]), Ink::Secondary),
        (None, None) => {
            let free = Arg::Count((store.capacity() - store.len()) as i64);
            (scene.say("free", &[free]), Ink::Secondary)
        }
    };
    let name = scene.name(CACHE_PART);
    let grid = layout.placed.of(CACHE_PART);
    let (head, foot_h) = (grid.y - b.y, b.y + b.h - grid.y - grid.h);
    let (left, down) = (grid.x, model.down.is_some());
    let right = b.x + b.w - (left - b.x);
    // The card lies behind its keys, so that they can be picked; its head and foot are the things read out.
    let (border, width) = if down {
        (Ink::Bad, 2.0)
    } else {
        (Ink::LineStrong, 1.5)
    };
    let value = format!("{status}, {foot}");
    let mut pencil = scene.link(GRID, b, value);
    let stale = model.cached().filter(|key| model.is_stale(*key, at));
    pencil.figure("stale", stale.count() as f64);
    pencil.figure("kept", model.spots.len() as f64);
    pencil.bordered(b, 12.0, Ink::Card, border, width);
    for place in 0..store.capacity() as u8 {
        let socket = layout.place(place);
        if down {
            pencil.bordered(socket, 8.0, Ink::BadHatch, Ink::Bad, 1.0);
        } else if usize::from(place) >= store.len() {
            pencil.dashed(socket, 8.0, Ink::None, Ink::LineStrong, 1.0);
        }
    }
    let name_y = b.y + head * 0.43;
    let upper = Rect::new(b.x, b.y, b.w, head - 4.0);
    let value = format!("{status}, {order}");
    let mut pencil = scene.thing(CACHE_PART, upper, value);
    pencil.bold(pt(left, name_y), 14.5, Ink::Ink, name);
    let end = pt(right, name_y);
    ending(&mut pencil, end, 12.5, false, Ink::Secondary, status);
    if store.capacity() > 0 {
        pencil.text(pt(left, b.y + head * 0.78), 11.5, Ink::Secondary, order);
    }
    let evicted = model
        .watch
        .evicted
        .filter(|(.., when)| at.since(*when) < FAREWELL && model.down.is_none());
    let gone = evicted.map(|(key, newcomer, _)| {
        let said = scene.say("left", &[key, newcomer].map(|key| Arg::Part(key_part(key))));
        (key, newcomer, said)
    });
    let spoken = match &gone {
        Some((_, _, gone)) => format!("{foot}, {gone}"),
        None => foot.clone(),
    };
    // Who has just left is said beside who is next, in as many words as there is room for.
    let taken = |foot: &str| right - left - text::width(foot, 12.0, true) - 12.0;
    let fits = |foot: &str, gone: &str| text::width(gone, 12.0, true) <= taken(foot);
    let short = next.map(|next| scene.say("next.short", &[Arg::Part(key_part(next))]));
    let foot = match (&gone, short) {
        (Some((_, _, gone)), Some(short)) if !fits(&foot, gone) => short,
        _ => foot,
    };
    let gone = gone.filter(|(_, _, gone)| fits(&foot, gone));
    let feet = Rect::new(b.x, b.y + b.h - foot_h + 4.0, b.w, foot_h - 4.0);
    let mut pencil = scene.thing(VICTIM, feet, spoken);
    let foot_at = pt(left, b.y + b.h - foot_h * 0.36);
    if foot_ink == Ink::Secondary {
        pencil.text(foot_at, 12.0, foot_ink, foot);
    } else {
        pencil.bold(foot_at, 12.0, foot_ink, foot);
    }
    if let Some((key, newcomer, said)) = gone {
        pencil.figure("left", f64::from(key));
        pencil.figure("came", f64::from(newcomer));
        ending(
            &mut pencil,
            pt(right, foot_at.y),
            12.0,
            true,
            Ink::Ink,
            said,
        );
    }
    // The one used last lies on top while it glides over the others.
    let mut spots: Vec<_> = model.spots.iter().collect();
    spots.sort_by_key(|spot| std::cmp::Reverse(spot.to));
    for spot in spots {
        let mut frame = layout.place(spot.to);
        let shift = f32::from(spot.from) - f32::from(spot.to);
        // Cards that make room are seen to move up by one; all others stand where they belong at once, so that
        // every moment can be read.
        if layout.place(spot.from).y == frame.y && shift.abs() <= 1.0 {
            let t = at.progress(spot.since, spot.since + NUDGE);
            frame.x += shift * NUDGED * (1.0 - t) * (1.0 - t);
        }
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
    // The key for which another had to leave is marked as long as that one is spoken of.
    let new = model
        .watch
        .evicted
        .is_some_and(|(_, newcomer, when)| newcomer == key && at.since(when) < FAREWELL);
    let name = scene.name(part);
    let mut pencil = scene.link(part, frame, value);
    // Who leaves next is what the grid is about, so that mark goes before all that is momentary.
    let (ground, ink) = match (stale, next, fresh) {
        (true, ..) => (Ink::BadSoft, Ink::Bad),
        (false, true, _) => (Ink::WarnSoft, Ink::Warn),
        (false, false, _) if new => (Ink::AccentSoft, Ink::Accent),
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
    let flat = 50.0 - frame.h;
    let name_at = pt(frame.x + inset, frame.y + 18.0 - 0.3 * flat);
    let plus = name_at.x + text::width(&name, 13.0, true) + 3.0;
    let detail_at = pt(name_at.x, frame.y + 32.0 - 0.45 * flat);
    pencil.bold(name_at, 13.0, ink, name);
    pencil.text(detail_at, 11.0, lesser, detail);
    if new && plus + 9.0 <= frame.x + frame.w {
        pencil.bold(pt(plus, name_at.y), 13.0, ink, "+");
    }
    if dirty {
        let at = pt(frame.x + frame.w - 9.0, detail_at.y - 4.0);
        pencil.mark(Glyph::Replica, at, 4.0, Ink::Warn);
    }
    let low = frame.y + 39.0 - 0.75 * flat;
    let bar = Rect::new(frame.x + inset, low, frame.w - 2.0 * inset, 4.0);
    match life {
        Some(life) => {
            pencil.meter(bar, life, Ink::Hit, false);
        }
        None => {
            pencil.meter(bar, share, lesser, false);
        }
    }
}

fn database(model: &Caching, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let per_s = model.queries_per_s(at).round();
    let status = scene.say("queries", &[Arg::Count(per_s as i64)]);
    let waiting = model.queue.len();
    let waiting_text = scene.say("waiting", &[Arg::Count(waiting as i64)]);
    let can = 1_000.0 * knobs.connections / knobs.query_ms;
    let can_do = scene.say("can", &[Arg::Number(can.round())]);
    // While everybody wants one new key: how often the database was asked for it until the cache had it.
    let star = model
        .watch
        .celebrity
        .filter(|star| star.active && star.queries > 0);
    let star = star.filter(|_| model.down.is_none());
    let asked = model.asking.iter().map(|(key, asking)| (*asking, *key));
    // Without slots there is nothing that could spare the database a question.
    let keeps = model.down.is_none() && model.store.cache().capacity() > 0;
    let most = asked
        .filter(|(asking, _)| keeps && *asking >= STAMPEDE)
        .max();
    let hot = match (star, most) {
        (Some(star), _) => Some((star.queries, star.key, "star")),
        (None, most) => most.map(|(asking, key)| (asking, key, "hot")),
    };
    let same = hot.map(|(queries, ..)| queries);
    let hot = hot.map(|(queries, key, word)| {
        let word = if queries == 1 { "star.one" } else { word };
        let name = Arg::Part(key_part(key));
        scene.say(word, &[Arg::Count(i64::from(queries)), name])
    });
    let value = match &hot {
        Some(hot) => format!("{status}, {waiting_text}, {hot}"),
        None => format!("{status}, {waiting_text}"),
    };
    let [card, side, below] = [DATABASE, HOT, QUEUE].map(|part| layout.placed.of(part));
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
    let per_row = ((below.w / figures::PITCH) as usize).max(1);
    let mut frame = card;
    if let Some((_, side)) = &hot {
        frame = around(frame, *side);
    }
    if waiting > 0 {
        let rows = waiting.div_ceil(per_row) as f32;
        let h = (20.0 + rows * figures::PITCH).min(below.h);
        frame = around(frame, Rect { h, ..below });
    }
    let connections = knobs.connections();
    let busy = model.serving.len();
    let share = (busy as f32 / connections as f32).min(1.0);
    let full = waiting > 0 && busy >= connections;
    let name = scene.name(DATABASE);
    let face = NodeCard {
        rect: Rect { h: 78.0, ..card },
        name,
        status,
        ink: Ink::Secondary,
        border: if full { Ink::Warn } else { Ink::LineStrong },
        meter: None,
    };
    let slots = face.slots(connections);
    let area = Rect::new(below.x, below.y + 18.0, below.w, below.h - 18.0);
    let rows = ((area.h - 11.0) / figures::PITCH).floor().max(0.0) as usize + 1;
    // What finds no room in the queue's rows is a number in their last two places.
    let fits = per_row * rows;
    let drawn = if waiting > fits {
        fits.saturating_sub(2)
    } else {
        waiting
    };
    let place = |i: usize| {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        pt(
            area.x + 6.0 + figures::PITCH * column,
            area.y + 6.0 + figures::PITCH * row,
        )
    };
    let rest = Arg::Count((waiting - drawn) as i64);
    let more = (drawn < waiting).then(|| scene.say("more", &[rest]));
    let mut pencil = scene.thing(DATABASE, frame, value);
    pencil.figure("queries/s", per_s);
    pencil.figure("can/s", can.round());
    pencil.figure("busy", busy as f64);
    pencil.figure("waiting", waiting as f64);
    if let Some(same) = same {
        pencil.figure("same key", f64::from(same));
    }
    NodeCard { rect: card, ..face }.draw(&mut pencil);
    let meter = Rect::new(card.x + 14.0, card.y + 56.0, card.w - 28.0, 6.0);
    let ink = if full { Ink::Warn } else { Ink::Accent };
    pencil.meter(meter, share, ink, false);
    pencil.text(
        pt(card.x + 14.0, card.y + 82.0),
        12.0,
        Ink::Secondary,
        can_do,
    );
    if let Some(slots) = &slots {
        figures::sockets(&mut pencil, (0..connections).map(slots));
    }
    if let Some((lines, b)) = hot {
        let many = same.is_some_and(|same| same > 1);
        let (ground, ink) = if many {
            (Ink::BadSoft, Ink::Bad)
        } else {
            (Ink::OkSoft, Ink::Ok)
        };
        pencil.filled(b, 8.0, ground);
        for (i, line) in lines.iter().enumerate() {
            let at = pt(b.x + 8.0, b.y + 15.0 + 14.0 * i as f32);
            pencil.bold(at, 12.0, ink, line.as_str());
        }
    }
    if waiting > 0 {
        let at = pt(below.x, below.y + 11.0);
        pencil.text(at, 12.0, Ink::Secondary, waiting_text);
        if let Some(more) = more {
            let at = place(drawn);
            pencil.bold(pt(at.x - 5.0, at.y + 2.5), 11.0, Ink::Accent, more);
        }
    }
    if let Some(slots) = &slots {
        for (i, held) in model.serving.iter().take(connections).enumerate() {
            let job = model.job(*held);
            let (glyph, ink) = sent(job);
            scene.particle(slots(i), DOT - 0.5, glyph, ink, job.number);
        }
    }
    for (i, held) in model.queue.iter().take(drawn).enumerate() {
        let job = model.job(*held);
        let (glyph, ink) = sent(job);
        scene.particle(place(i), size(job), glyph, ink, job.number);
    }
}

/// All keys by popularity, and which of them are kept.
fn strip(model: &Caching, layout: &Layout, scene: &mut Scene) {
    let b = layout.placed.of(STRIP);
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
    pencil.figure("kept %", share * 100.0);
    pencil.figure(
        "cold",
        kept.iter().filter(|key| **key > COLD).count() as f64,
    );
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
    let bar = |key: u16| Bar {
        share: (share_of(key) / most) as f32,
        ink: if kept.contains(&key) {
            Ink::Hit
        } else {
            Ink::Mark
        },
        full: kept.contains(&key),
    };
    let plot = Rect::new(b.x, base - tall, b.w, tall);
    bars(&mut pencil, plot, pitch, (1..=KEYS).map(bar));
    let end = Rect {
        x: b.x + pitch * (f32::from(KEYS) + 1.6),
        ..plot
    };
    let celebrity = celebrity.map(|celebrity| bar(celebrity.key));
    bars(&mut pencil, end, pitch, celebrity.into_iter());
    let under = base + 13.0;
    pencil.text(pt(b.x, under), 11.0, Ink::Secondary, first);
    let last_x = b.x + pitch * f32::from(KEYS);
    match star {
        Some(star) => ending(
            &mut pencil,
            pt(b.x + b.w, under),
            11.0,
            true,
            Ink::Warn,
            star,
        ),
        None => ending(
            &mut pencil,
            pt(last_x, under),
            11.0,
            false,
            Ink::Secondary,
            last,
        ),
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
    let (there, back) = (Course::There, Course::Back);
    let (p, back) = match job.leg {
        Leg::ToCache | Leg::Fill => (layout.near.at(come(NEAR), there), false),
        Leg::FromCache => (layout.near.at(come(NEAR), back), true),
        Leg::ToDatabase => (layout.far.at(come(job.far), there), false),
        Leg::FromDatabase => (layout.far.at(come(job.far), back), true),
        Leg::Late => (layout.late.at(come(LATE), there), false),
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
