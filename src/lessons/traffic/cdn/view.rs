//! The stage: the map with everything that moves on it, and how long the last viewers of each region waited.

use super::edge::Store;
use super::map::Map;
use super::model::{
    By, Delivery, ORIGIN, PLACES, Place, SHIELD, SHOWN, Told, Way as Fetching, capacity, edge,
    region, viewers,
};
use super::settings::{EDGES, REGIONS, Settings};
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::DOT;
use kit::figures::label::{ending, fitting};
use kit::layout::{Course, Way};

/// The waits of a region's viewers.
pub(super) const fn waits(i: usize) -> PartId {
    PartId::nth("waits", (EDGES + i) as u16 + 1)
}

/// The shortest and the longest wait of the strips' logarithmic scale, ms.
const SCALE_MS: (f32, f32) = (8.0, 3_000.0);
/// The words for the regions.
const NAMES: [&str; REGIONS] = ["nth.9", "nth.10", "nth.11", "nth.12"];

/// So few in the origin's queue are no strain.
const CALM: usize = 5;
/// What a change of edges has come to is told for so long.
const SEEN: Time = Time::s(5);

pub(super) fn draw(delivery: &Delivery, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let map = Map::lay(delivery, scene.width, narrow);
    scene.height = map.height;
    links(delivery, knobs, &map, scene);
    origin(delivery, knobs, &map, at, scene);
    if let Some(rect) = map.shield {
        shield(delivery, rect, at, scene);
    }
    for i in 0..REGIONS {
        for place in [i, i + REGIONS] {
            if place < delivery.count() {
                card(delivery, place, &map, at, scene);
            }
        }
        crowd(delivery, knobs, i, &map, scene);
        strip(delivery, i, &map, scene);
    }
    dots(delivery, &map, at, scene);
}

/// A trip in words, on its way.
fn label(scene: &mut Scene, said: String, x: f32, y: f32, ink: Ink) {
    let w = text::width(&said, 11.0, true) + 8.0;
    let mut ground = scene.background();
    ground.filled(Rect::new(x - w / 2.0, y - 8.0, w, 16.0), 4.0, Ink::Paper);
    ground.centred(pt(x, y + 4.0), 11.0, true, ink, said);
}

fn links(delivery: &Delivery, knobs: &Settings, map: &Map, scene: &mut Scene) {
    let direct = delivery.count() == 0;
    let narrow = scene.narrow();
    let ms = |scene: &Scene, span: Time| scene.say("ms", &[Arg::Count(span.as_ms() as i64)]);
    for i in 0..REGIONS {
        let here = i < delivery.count();
        let busy = if direct {
            delivery.viewers.iter().any(|(_, one)| one.of == i)
        } else {
            let of = |by: By| matches!(by, By::Edge(at, _) if region(at) == i);
            delivery.fetches.iter().any(|(_, one)| of(one.by))
        };
        let way = &map.long[i];
        if here || direct {
            let (ink, width) = if busy {
                (Ink::Mark, 2.0)
            } else {
                (Ink::Line, 1.5)
            };
            scene.background().line(way.d(), ink, width);
        }
        let to = delivery.route(i, false);
        let abroad = to.filter(|to| region(*to) != i);
        if here {
            let d = map.short[i].d();
            if abroad.is_some() {
                // Where kilometres would lead.
                scene.background().dashed_line(d, Ink::LineStrong, 1.5);
            } else {
                scene.background().line(d, Ink::Mark, 2.0);
            }
        }
        if let Some(to) = abroad {
            let trip = knobs.to_edge(i, region(to));
            let way = map.abroad(i, region(to), trip.as_ms() as f32);
            scene.background().line(way.d(), Ink::Mark, 2.0);
            // Beside the way where it leaves, on it where it is level; where regions stand close there is no room.
            let p = way.at(if here { 0.14 } else { 0.45 }, Course::There);
            let aside = match here {
                true if region(to) < i => -26.0,
                true => 26.0,
                false => 0.0,
            };
            if !narrow && map.between() > 40.0 {
                let said = ms(scene, trip);
                label(scene, said, p.x + aside, p.y, Ink::Ink);
            }
        }
        if here || direct {
            let said = ms(scene, knobs.to_origin(i));
            let ink = if busy { Ink::Ink } else { Ink::Secondary };
            let home = i == knobs.at();
            let share = if home { 0.5 } else { 0.6 };
            let mut p = way.at(share, Course::There);
            if home {
                p.x += 26.0;
            } else if narrow {
                // In the gutter, over the ways from farther rows.
                p = map.sites[i].right();
                (p.x, p.y) = (p.x + 22.0, p.y - 15.0);
            }
            label(scene, said, p.x, p.y, ink);
        }
        if here && !narrow && abroad.is_none() {
            let p = map.short[i].at(0.5, Course::There);
            let said = ms(scene, knobs.to_edge(i, i));
            label(scene, said, p.x + 26.0, p.y, Ink::Secondary);
        }
    }
}

/// The origin: what it is asked, what it can, who waits.
fn origin(delivery: &Delivery, knobs: &Settings, map: &Map, at: Time, scene: &mut Scene) {
    let rect = map.origin;
    let (rate, can) = (delivery.origin_per_s(at), capacity(knobs));
    let queue = delivery.pool.queue.len();
    let refused = delivery.origin.sum(1, Time::s(5), at);
    let over = rate > can;
    let ink = match () {
        () if refused > 0 => Ink::Bad,
        () if over || queue > CALM => Ink::Warn,
        () => Ink::Ink,
    };
    let told = [Arg::Tenths((10.0 * rate + 0.5) as u32), Arg::Number(can)];
    let rates = ["origin.rate", "origin.rate.short"].map(|word| scene.say(word, &told));
    let told = [Arg::Count(queue as i64), Arg::Count(PLACES as i64)];
    let queues = ["origin.queue", "origin.queue.short"].map(|word| scene.say(word, &told));
    let told = [Arg::Count(refused.into())];
    let turned = ["origin.refused", "origin.refused.short"].map(|word| scene.say(word, &told));
    // For a while after it has been counted, what a change of edges has come to.
    let counted = delivery
        .change
        .and_then(|change| Some((change, change.after?)));
    let counted = counted.filter(|(change, _)| at.since(change.counted()) < SEEN);
    let settled = counted.map(|(change, after)| {
        let told = [change.before, after].map(|rate| Arg::Tenths((10.0 * rate + 0.5) as u32));
        ["origin.change", "origin.change.short"].map(|word| scene.say(word, &told))
    });
    let place = knobs.at();
    let names = ["origin.virginia", "origin.sydney"].map(|word| scene.say(word, &[]));
    let name = names[usize::from(place > 0)].clone();
    let short = scene.name(ORIGIN);
    let version = scene.say("version", &[Arg::Count(i64::from(delivery.version) + 1)]);
    let spoken = format!("{}, {}, {}, {version}", rates[0], queues[0], turned[0]);
    let mut pencil = scene.thing(ORIGIN, rect, spoken);
    pencil
        .figure("rate", rate)
        .figure("capacity", can)
        .figure("queue", queue as f64)
        .figure("refused", f64::from(refused))
        .figure("version", f64::from(delivery.version));
    if let Some(change) = delivery.change {
        pencil
            .figure("before", change.before)
            .figure("after", change.after.unwrap_or_default());
    }
    let border = if ink == Ink::Ink {
        Ink::LineStrong
    } else {
        ink
    };
    let width = if ink == Ink::Ink { 1.5 } else { 2.0 };
    pencil.bordered(rect, 10.0, Ink::Card, border, width);
    let (left, right) = (rect.x + 10.0, rect.x + rect.w - 10.0);
    let room = right - left;
    let name = fitting(&[name, short], 14.0, true, room);
    let name_w = text::width(&name, 14.0, true);
    pencil.bold(pt(left, rect.y + 20.0), 14.0, Ink::Ink, name);
    if delivery.version > 0 && room - name_w > 40.0 {
        let version = fitting(&[version], 11.0, true, room - name_w - 8.0);
        ending(
            &mut pencil,
            pt(right, rect.y + 20.0),
            11.0,
            true,
            Ink::Hit,
            version,
        );
    }
    let rates = fitting(&rates, 14.0, true, room);
    pencil.bold(pt(left, rect.y + 40.0), 14.0, ink, rates);
    let meter = Rect::new(left, rect.y + 47.0, room, 7.0);
    let fill = if ink == Ink::Ink { Ink::Ok } else { ink };
    pencil.meter(meter, (rate / can) as f32, fill, false);
    let lines = match settled {
        Some(change) => change,
        None if refused > 0 => turned,
        None => queues,
    };
    let bold = ink != Ink::Ink || counted.is_some();
    let line = fitting(&lines, 12.0, bold, room);
    let y = rect.y + 70.0;
    if !bold {
        pencil.text(pt(left, y), 12.0, Ink::Secondary, line);
    } else {
        pencil.bold(pt(left, y), 12.0, ink, line);
    }
    let rail = Rect::new(left, rect.y + 76.0, room, 6.0);
    pencil.meter(rail, queue as f32 / PLACES as f32, fill, false);
}

fn shield(delivery: &Delivery, rect: Rect, at: Time, scene: &mut Scene) {
    let one = &delivery.shield;
    let share = one.hit_share(at);
    let words = match share {
        None => ["empty"; 2],
        Some(_) => ["hits", "hits.short"],
    };
    let told = [Arg::Share(share.unwrap_or_default())];
    let hits = words.map(|word| scene.say(word, &told));
    let asks = one.flights.flights().count();
    let fetching = scene.say("shield.asks", &[Arg::Count(asks as i64)]);
    let name = scene.name(SHIELD);
    let mut pencil = scene.thing(SHIELD, rect, format!("{}, {fetching}", hits[0]));
    pencil.figure("hits", share.unwrap_or_default());
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Hit, 2.0);
    let (left, room) = (rect.x + 8.0, rect.w - 16.0);
    let name = fitting(&[name], 13.0, true, room);
    pencil.bold(pt(left, rect.y + 20.0), 13.0, Ink::Ink, name);
    let hits = fitting(&hits, 12.0, true, room);
    pencil.bold(pt(left, rect.y + 40.0), 12.0, Ink::Hit, hits);
    let rail = Rect::new(left, rect.y + 47.0, room, 7.0);
    fill(&mut pencil, one, one.kinds(delivery.version, at), rail);
    let fetching = fitting(&[fetching], 11.0, false, room);
    pencil.text(pt(left, rect.y + 70.0), 11.0, Ink::Secondary, fetching);
}

/// The places of a cache: with copies that are good, with old versions, and with copies that are over.
fn fill(pencil: &mut Pencil<'_>, one: &Store, kinds: [usize; 3], rail: Rect) {
    pencil.filled(rail, rail.h / 2.0, Ink::Rail);
    let mut x = rail.x;
    let inks = [Ink::Hit, Ink::Warn, Ink::Card];
    for (n, ink) in kinds.into_iter().zip(inks) {
        let w = rail.w * n as f32 / one.cache.capacity().max(1) as f32;
        if w >= 1.0 {
            let line = if ink == Ink::Card { Ink::Mark } else { ink };
            let bar = Rect::new(x, rail.y, w, rail.h);
            pencil.bordered(bar, rail.h / 2.0, ink, line, 1.0);
        }
        x += w;
    }
}

/// An edge: its share of hits, and its places.
fn card(delivery: &Delivery, place: usize, map: &Map, at: Time, scene: &mut Scene) {
    let one = &delivery.edges[place];
    let rect = map.edge(place, delivery.count());
    let share = one.hit_share(at);
    let dead = one.down.is_some();
    let words = match share {
        _ if one.withdrawn => ["withdrawn", "dead"],
        _ if dead => ["dead"; 2],
        None if one.cache.is_empty() => ["empty"; 2],
        None => ["idle"; 2],
        Some(_) => ["hits", "hits.short"],
    };
    let told = [Arg::Share(share.unwrap_or_default())];
    let states = words.map(|word| scene.say(word, &told));
    let copies = one.cache.len();
    let kinds = one.kinds(delivery.version, at);
    let told = [copies, one.cache.capacity(), kinds[1]].map(|n| Arg::Count(n as i64));
    let words = if kinds[1] > 0 {
        ["copies.old", "copies.old.short"]
    } else {
        ["copies", "copies.short"]
    };
    let copied = words.map(|word| scene.say(word, &told));
    let name = scene.name(edge(place));
    let far = delivery.knobs.to_origin(region(place));
    let far = scene.say("far", &[Arg::Span(far)]);
    let spoken = format!("{}, {}, {far}", states[0], copied[0]);
    let mut pencil = scene.thing(edge(place), rect, spoken);
    let (border, width) = if dead {
        (Ink::Bad, 2.0)
    } else {
        (Ink::LineStrong, 1.5)
    };
    pencil.bordered(rect, 8.0, Ink::Card, border, width);
    let ink = match share {
        _ if dead => Ink::Bad,
        Some(share) if share >= 0.5 => Ink::Hit,
        _ => Ink::Secondary,
    };
    let flat = rect.h < 40.0;
    let pad = if rect.w < 90.0 || flat { 6.0 } else { 10.0 };
    let (left, right, room) = (rect.x + pad, rect.x + rect.w - pad, rect.w - 2.0 * pad);
    let rail = |y: f32, h: f32| Rect::new(left, rect.y + y, room, h);
    if flat {
        let state = fitting(&states[1..], 11.0, true, 0.6 * room);
        let state_w = text::width(&state, 11.0, true) + 4.0;
        let name = fitting(&[name], 11.0, true, room - state_w);
        pencil.bold(pt(left, rect.y + 14.0), 11.0, Ink::Ink, name);
        ending(
            &mut pencil,
            pt(right, rect.y + 14.0),
            11.0,
            true,
            ink,
            state,
        );
        fill(&mut pencil, one, kinds, rail(19.0, 4.0));
    } else {
        let size = if room < 80.0 { 12.0 } else { 13.5 };
        let name = fitting(&[name], size, true, room);
        pencil.bold(pt(left, rect.y + 18.0), size, Ink::Ink, name);
        let state = fitting(&states[usize::from(room < 80.0)..], 13.5, true, room);
        let state_w = text::width(&state, 13.5, true);
        pencil.bold(pt(left, rect.y + 37.0), 13.5, ink, state);
        // Whole or not at all: the meter below says it, too.
        let room = room - state_w - 8.0;
        let fits = |said: &&String| text::width(said, 11.0, false) <= room;
        if let Some(copied) = copied.iter().find(fits) {
            let p = pt(right, rect.y + 37.0);
            let ink = if kinds[1] > 0 {
                Ink::Warn
            } else {
                Ink::Secondary
            };
            ending(&mut pencil, p, 11.0, false, ink, copied.as_str());
        }
        fill(&mut pencil, one, kinds, rail(45.0, 7.0));
    }
    pencil
        .figure("hits", share.unwrap_or_default())
        .figure("copies", copies as f64)
        .figure("good", kinds[0] as f64)
        .figure("old", kinds[1] as f64)
        .figure("dead", f64::from(u8::from(dead)));
}

fn crowd(delivery: &Delivery, knobs: &Settings, i: usize, map: &Map, scene: &mut Scene) {
    let rect = map.crowds[i];
    let to = delivery.route(i, false);
    let trip = match to {
        Some(to) => knobs.to_edge(i, region(to)),
        None => knobs.to_origin(i),
    };
    let whom = to.map_or(ORIGIN, edge);
    let told = [
        Arg::Count(knobs.rate.into()),
        Arg::Part(whom),
        Arg::Span(trip),
    ];
    let spoken = scene.say("viewers", &told);
    let name = scene.words().write(&Arg::Word(NAMES[i]));
    let rate = scene.say("rate", &[Arg::Count(knobs.rate.into())]);
    let narrow = scene.narrow();
    let mut pencil = scene.thing(viewers(i), rect, spoken);
    pencil
        .figure("trip", trip.as_ms())
        .figure("rate", knobs.rate.into())
        .figure(
            "abroad",
            f64::from(u8::from(to.is_some_and(|to| region(to) != i))),
        );
    pencil.bordered(rect, rect.h.min(34.0) / 2.0, Ink::Card, Ink::Line, 1.0);
    let size = if rect.w < 80.0 { 11.0 } else { 12.5 };
    let name = fitting(&[name], size, true, rect.w - 10.0);
    let [wide, rate_w] =
        [(&name, true), (&rate, false)].map(|(said, bold)| text::width(said, size, bold));
    // As many faces as there is room for.
    let (from, n) = if narrow {
        let middle = rect.centre().x;
        pencil.centred(pt(middle, rect.y + 18.0), size, true, Ink::Ink, name);
        pencil.centred(pt(middle, rect.y + 33.0), 11.0, false, Ink::Secondary, rate);
        (pt(middle - 15.0, rect.y + 45.0), 3)
    } else {
        let n = ((rect.w - wide - rate_w - 44.0) / 13.0).clamp(0.0, 6.0) as usize;
        let all = wide + rate_w + 20.0 + 13.0 * n as f32;
        let (left, y) = (rect.centre().x - all / 2.0, rect.y + 21.5);
        pencil.bold(pt(left, y), size, Ink::Ink, name);
        let x = left + wide + 7.0;
        pencil.text(pt(x, y), size, Ink::Secondary, rate);
        (pt(x + rate_w + 13.0, rect.centre().y), n)
    };
    for face in 0..n {
        let pitch = if narrow { 15.0 } else { 13.0 };
        let p = pt(from.x + pitch * face as f32, from.y);
        let face = Rect::new(p.x - 4.5, p.y - 4.5, 9.0, 9.0);
        pencil.bordered(face, 4.5, Ink::AccentSoft, Ink::Mark, 1.0);
    }
}

/// How high a wait stands on the strip, from 0 to 1.
fn height(wait: Time) -> f32 {
    let log = |ms: f32| libm::log10f(ms.max(1.0));
    let (least, most) = (log(SCALE_MS.0), log(SCALE_MS.1));
    ((log(wait.as_ms() as f32) - least) / (most - least)).clamp(0.04, 1.0)
}

/// The waits of a region's last viewers.
fn strip(delivery: &Delivery, i: usize, map: &Map, scene: &mut Scene) {
    let rect = map.strips[i];
    let bars = &delivery.strips[i];
    let median = delivery.median(i);
    let failed = bars.iter().filter(|bar| bar.0 == Told::Failed).count();
    let last = bars.back().map_or(0.0, |bar| bar.1.as_ms());
    let told = [
        Arg::Count(median.map_or(0, |wait| wait.as_ms() as i64)),
        Arg::Count(if failed > 0 {
            failed as i64
        } else {
            last as i64
        }),
        Arg::Count(bars.len() as i64),
    ];
    let words = match failed {
        _ if bars.is_empty() => ["waits.none", "waits.none.short", "waits.none.short"],
        0 => ["waits", "waits.short", "waits.bare"],
        _ => ["waits.failed", "waits.failed.short", "waits.failed.short"],
    };
    let titles = words.map(|word| scene.say(word, &told));
    let scale = ["scale.second", "scale.tenth"].map(|word| scene.say(word, &[]));
    let mut pencil = scene.thing(waits(i), rect, titles[0].clone());
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or_default();
    pencil
        .figure("last", last)
        .figure("median", median.map_or(0.0, Time::as_ms))
        .figure("most", most.as_ms())
        .figure("failed", failed as f64);
    pencil.bordered(rect, 6.0, Ink::Card, Ink::Line, 1.0);
    let ink = if failed > 0 { Ink::Bad } else { Ink::Secondary };
    let title = fitting(&titles, 11.0, true, rect.w - 12.0);
    pencil.bold(pt(rect.x + 6.0, rect.y + 14.0), 11.0, ink, title);
    let side = if rect.w > 140.0 { 38.0 } else { 4.0 };
    let plot = Rect::new(
        rect.x + side,
        rect.y + 20.0,
        rect.w - side - 6.0,
        rect.h - 24.0,
    );
    for (ms, said) in [1_000, 100].into_iter().zip(scale) {
        let y = plot.y + plot.h * (1.0 - height(Time::ms(ms)));
        let line = format!(
            "M{} {}h{}",
            text::tenths(plot.x),
            text::tenths(y),
            text::tenths(plot.w)
        );
        pencil.line(line, Ink::Line, 1.0);
        if side > 10.0 {
            ending(
                &mut pencil,
                pt(plot.x - 4.0, y + 4.0),
                11.0,
                false,
                Ink::Secondary,
                said,
            );
        }
    }
    let pitch = plot.w / SHOWN as f32;
    let empty = SHOWN - bars.len();
    for (n, (told, wait)) in bars.iter().enumerate() {
        let h = plot.h * height(*wait);
        let x = plot.x + pitch * (empty + n) as f32;
        let bar = Rect::new(x, plot.y + plot.h - h, 0.78 * pitch, h);
        let ink = match told {
            Told::Hit => Ink::Hit,
            Told::Stale => Ink::Warn,
            Told::Miss => Ink::Ok,
            Told::Failed => Ink::Bad,
        };
        if *told == Told::Stale {
            pencil.bordered(bar, 0.0, Ink::WarnSoft, ink, 1.0);
        } else if *told == Told::Failed {
            pencil.filled(
                Rect::new(x, plot.y, 0.78 * pitch, plot.h),
                0.0,
                Ink::BadSoft,
            );
            pencil.mark(Glyph::Failure, pt(x + 0.4 * pitch, plot.y + 4.0), 3.0, ink);
        } else {
            pencil.filled(bar, 0.0, ink);
        }
    }
}

/// Where a thing is that has gone a share of a way, there or back.
fn on(way: &Way, share: f32, back: bool) -> engine::scene::Point {
    way.at(share, if back { Course::Back } else { Course::There })
}

fn dots(delivery: &Delivery, map: &Map, at: Time, scene: &mut Scene) {
    for (_, fetch) in delivery.fetches.iter() {
        let By::Edge(place, _) = fetch.by else {
            continue;
        };
        let way = &map.long[region(place)];
        let dot = fetch.dot();
        let (p, glyph, ink) = match fetch.way {
            Fetching::There(leg) => (on(way, leg.share(at), false), Glyph::Request, Ink::Accent),
            Fetching::Back(leg) => {
                let look = if fetch.failed {
                    (Glyph::Failure, Ink::Bad)
                } else {
                    (Glyph::Replica, Ink::Hit)
                };
                (on(way, 1.0 - leg.share(at), true), look.0, look.1)
            }
            Fetching::Shield | Fetching::Origin => continue,
        };
        scene.particle(p, DOT, glyph, ink, dot);
    }
    for (place, leg) in &delivery.purges {
        // Until it leaves, it stands at the origin.
        if *place < EDGES {
            let p = on(&map.long[region(*place)], leg.share(at), true);
            scene.particle(p, DOT, Glyph::Message, Ink::Bad, 0);
        }
    }
    let mut waiting = [0_u16; EDGES];
    for (key, viewer) in delivery.viewers.iter() {
        let way = map.way(delivery, viewer);
        let (p, glyph, ink) = match viewer.place {
            Place::Asks(leg) => {
                let trips = 2.0 * viewer.shakes as f32 + 1.0;
                let gone = leg.share(at) * trips;
                let whole = (gone as u32).min(2 * viewer.shakes as u32);
                let back = whole % 2 == 1;
                let p = on(&way, gone - whole as f32, back);
                if whole < 2 * viewer.shakes as u32 {
                    (p, Glyph::Heartbeat, Ink::Secondary)
                } else {
                    (p, Glyph::Request, Ink::Accent)
                }
            }
            Place::Waits => {
                // At the edge's door, as far as there is room.
                let Some((place, _)) = viewer.edge else {
                    continue;
                };
                let rect = map.edge(place, delivery.count());
                waiting[place] += 1;
                let n = 12.0 * f32::from(waiting[place]);
                let p = if scene.narrow() {
                    pt(rect.x, rect.y + n - 4.0)
                } else {
                    pt(map.sites[region(place)].centre().x - n, rect.y + rect.h)
                };
                if p.x < rect.x || p.y > rect.y + rect.h {
                    continue;
                }
                (p, Glyph::Request, Ink::Accent)
            }
            Place::Hears(leg) => {
                let look = match viewer.told {
                    Told::Failed => (Glyph::Failure, Ink::Bad),
                    _ if viewer.old => (Glyph::Response, Ink::Warn),
                    Told::Hit => (Glyph::Response, Ink::Hit),
                    _ => (Glyph::Response, Ink::Ok),
                };
                (on(&way, 1.0 - leg.share(at), true), look.0, look.1)
            }
            Place::Left => continue,
        };
        scene.particle(p, DOT, glyph, ink, key.serial());
    }
}
