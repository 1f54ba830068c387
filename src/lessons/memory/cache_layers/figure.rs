//! The stage: visitors, the caches on their way with the copy that each has, the table; under them who answered.

use super::author::{Due, Rule};
use super::parts::{
    AUTHOR_PART, BROWSER_PART, DB_PART, OLDEST, SHARES, US, VISITORS_PART, WHO, life, part, part_of,
};
use super::seen::{FLIGHT, LAYERS, SHOWN, Seen, Visit};
use super::{
    BALANCER, BROWSER, CACHE_NODES, COUNT_POSTS, DB, EDGE, HOT, PEOPLE, READ_COLUMN, REDIS,
    VISITORS, seat,
};
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::shares::{Fill, Shares, Style};
use kit::figures::{DOT, panel};
use kit::system::{NodeId, Seat, System, Values, thing};

/// Whose chain of causes answers for what is drawn here: its own, as long as it has one.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (VISITORS_PART, VISITORS_PART),
    (VISITORS_PART, BROWSER_PART),
    (VISITORS_PART, DB_PART),
    (BROWSER_PART, BROWSER_PART),
    (BROWSER_PART, DB_PART),
    (AUTHOR_PART, AUTHOR_PART),
    (AUTHOR_PART, DB_PART),
    (WHO, WHO),
    (WHO, US),
    (WHO, DB_PART),
    (SHARES, US),
    (SHARES, DB_PART),
    (OLDEST, US),
    (OLDEST, DB_PART),
];

/// From here on the caches stand side by side.
const WIDE: f32 = 700.0;
/// The lanes on which visits come and go.
const LANES: f32 = 9.0;
/// How each layer is filled in the bar of shares, and its ink in rows.
const STYLES: [Style; 5] = [
    (Fill::Full, Ink::Ok, Ink::Ok),
    (Fill::Full, Ink::Accent, Ink::Accent),
    (Fill::Outline, Ink::MemberB, Ink::Card),
    (Fill::Full, Ink::Hit, Ink::Hit),
    (Fill::Full, Ink::Bad, Ink::Bad),
];

/// Where everything stands.
struct Layout {
    visitors: Rect,
    browser: Rect,
    edges: [Rect; 2],
    balancer: Rect,
    redis: Rect,
    db: Rect,
    author: Rect,
    /// The lane of requests; answers go beside it.
    lane: f32,
    who: Rect,
    shares: Rect,
    oldest: Rect,
    wide: bool,
    bottom: f32,
}

impl Layout {
    fn of(width: f32) -> Layout {
        if width >= WIDE {
            Layout::wide(width)
        } else {
            Layout::narrow(width)
        }
    }

    fn wide(width: f32) -> Layout {
        let inner = width - 24.0;
        let gap = (inner * 0.026).clamp(14.0, 30.0);
        let shares = [0.11, 0.175, 0.195, 0.16, 0.175, 0.185];
        let all = inner - 5.0 * gap;
        let (top, h) = (56.0, 104.0);
        let mut x = 12.0;
        let cards = shares.map(|share| {
            let card = Rect::new(x, top, all * share, h);
            x += card.w + gap;
            card
        });
        let [visitors, browser, edge, balancer, redis, db] = cards;
        let edges = [0.0, 54.0].map(|y| Rect::new(edge.x, top + y, edge.w, 50.0));
        let lane = top + h + 12.0;
        let below = lane + LANES + 14.0;
        let left = (width * 0.6).round();
        let who = Rect::new(12.0, below, width - 24.0, 112.0);
        let last = below + who.h + 8.0;
        Layout {
            visitors,
            browser,
            edges,
            balancer,
            redis,
            db,
            author: Rect::new(db.x, 8.0, db.w, 36.0),
            lane,
            who,
            shares: Rect::new(12.0, last, left - 12.0, 66.0),
            oldest: Rect::new(left + 8.0, last, width - left - 20.0, 66.0),
            wide: true,
            bottom: last + 74.0,
        }
    }

    fn narrow(width: f32) -> Layout {
        let (x, w) = (40.0, (width * 0.42).clamp(138.0, 230.0));
        let row = |y: f32, h: f32| Rect::new(x, y, w, h);
        let visitors = row(8.0, 30.0);
        let browser = row(44.0, 46.0);
        let edges = [row(96.0, 46.0), row(146.0, 46.0)];
        let balancer = row(198.0, 46.0);
        let redis = row(250.0, 46.0);
        let db = row(302.0, 46.0);
        let right = x + w + 8.0;
        let rest = width - right - 12.0;
        Layout {
            visitors,
            browser,
            edges,
            balancer,
            redis,
            db,
            author: Rect::new(right, 312.0, rest, 36.0),
            lane: 16.0,
            who: Rect::new(right, 8.0, rest, 296.0),
            shares: Rect::new(12.0, 356.0, width - 24.0, 66.0),
            oldest: Rect::new(12.0, 428.0, width - 24.0, 58.0),
            wide: false,
            bottom: 494.0,
        }
    }

    /// The card of a layer.
    fn card(&self, layer: usize, edge: usize) -> Rect {
        match layer {
            0 => self.browser,
            1 => self.edges[edge.min(1)],
            2 => self.balancer,
            3 => self.redis,
            _ => self.db,
        }
    }

    /// Where the lane passes a card.
    fn stop(&self, card: Rect) -> Point {
        match self.wide {
            true => pt(card.x + card.w / 2.0, self.lane),
            false => pt(self.lane, card.y + card.h / 2.0),
        }
    }
}

/// Draws all of it.
pub(super) fn draw(system: &System, _knobs: &Values, at: Time, scene: &mut Scene) {
    let layout = Layout::of(scene.width);
    scene.height = layout.bottom;
    lanes(&layout, scene);
    visitors(system, &layout, scene);
    browsers(system, at, &layout, scene);
    for (member, card) in layout.edges.iter().enumerate() {
        cache(EDGE, member, system, at, *card, scene);
    }
    cache(BALANCER, 0, system, at, layout.balancer, scene);
    cache(REDIS, 0, system, at, layout.redis, scene);
    table(system, &layout, scene);
    author(system, &layout, scene);
    who(system, at, &layout, scene);
    shares(system, at, &layout, scene);
    oldest(system, at, &layout, scene);
    let seen = system.own::<Seen>();
    for visit in &seen.flights {
        flight(visit, at, &layout, scene);
    }
    orders(system, at, &layout, scene);
}

fn lanes(layout: &Layout, scene: &mut Scene) {
    let (first, last) = (layout.stop(layout.visitors), layout.stop(layout.db));
    let mut pencil = scene.background();
    pencil.line(Curve::straight(first, last).d(), Ink::Line, 1.0);
    let stops = [
        layout.visitors,
        layout.browser,
        layout.edges[1],
        layout.balancer,
        layout.redis,
        layout.db,
    ];
    for card in stops {
        let stop = layout.stop(card);
        let end = match layout.wide {
            true => pt(stop.x, card.y + card.h),
            false => pt(card.x, stop.y),
        };
        pencil.line(Curve::straight(end, stop).d(), Ink::Line, 1.0);
    }
}

/// A visit on its way out, then back, slower than it was; a copy in the visitor's own browser is not far.
fn flight(visit: &Visit, at: Time, layout: &Layout, scene: &mut Scene) {
    let share = at.progress(visit.at, visit.at + FLIGHT);
    if share >= 1.0 {
        return;
    }
    let from = layout.stop(layout.visitors);
    let to = layout.stop(layout.card(visit.layer, visit.edge));
    let back = share >= 0.5;
    let way = if back { 2.0 - 2.0 * share } else { 2.0 * share };
    let lane = if back { LANES } else { 0.0 };
    let (dx, dy) = if layout.wide {
        (0.0, lane)
    } else {
        (lane, 0.0)
    };
    let p = pt(
        from.x + (to.x - from.x) * way + dx,
        from.y + (to.y - from.y) * way + dy,
    );
    let (glyph, ink) = match (back, visit.old) {
        (false, _) => (Glyph::Request, Ink::Accent),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Response, Ink::Warn),
    };
    scene.particle(p, DOT - 1.0, glyph, ink, visit.number);
}

/// Orders to forget the page, on their way from the author.
fn orders(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let author = layout.author;
    for order in &system.own::<Seen>().author.orders {
        let Due::Purge(node) = order.due else {
            continue;
        };
        if thing(order.key) != HOT {
            continue;
        }
        let cards = match node {
            EDGE => layout.edges.to_vec(),
            BALANCER => vec![layout.balancer],
            _ => vec![layout.redis],
        };
        let share = at.progress(order.left, order.at);
        for card in cards {
            let (from, to) = match layout.wide {
                true => (author.left(), card.top()),
                false => (author.left(), card.right()),
            };
            let p = Curve::straight(from, to).at(share);
            scene.particle(p, DOT, Glyph::Message, Ink::Bad, order.dot);
        }
    }
}

fn visitors(system: &System, layout: &Layout, scene: &mut Scene) {
    let part = VISITORS_PART;
    let per_s = system.load_per_s(VISITORS);
    let says = ["visits", "visits.short"].map(|word| scene.say(word, &[Arg::Number(per_s)]));
    let status = says[0].clone();
    let name = scene.name(part);
    let rect = layout.visitors;
    let mut pencil = scene.thing(part, rect, status.clone());
    pencil.figure("load", per_s);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    let room = rect.w - 16.0;
    let (name_y, status_at) = match layout.wide {
        true => (20.0, pt(rect.x + 8.0, rect.y + 38.0)),
        false => (19.0, pt(rect.x + 84.0, rect.y + 19.0)),
    };
    let name = fitting(&[name], 12.5, true, room);
    pencil.bold(pt(rect.x + 8.0, rect.y + name_y), 12.5, Ink::Ink, name);
    let room = rect.x + rect.w - 6.0 - status_at.x;
    let status = fitting(&says, 11.0, false, room);
    pencil.text(status_at, 11.0, Ink::Secondary, status);
}

/// The frame of a card: pale and dashed if it keeps nothing.
fn frame(pencil: &mut Pencil<'_>, rect: Rect, off: bool, old: bool) {
    match (off, old) {
        (true, _) => pencil.dashed(rect, 10.0, Ink::None, Ink::Line, 1.5),
        (false, true) => pencil.bordered(rect, 10.0, Ink::Card, Ink::Warn, 2.0),
        (false, false) => pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5),
    };
}

/// Twenty of the browsers, each a square, and how many of all hundred have the page.
fn browsers(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let part = BROWSER_PART;
    let rect = layout.browser;
    let life = life(system, BROWSER);
    let off = life == Time::ZERO;
    let key = system.own::<Seen>().author.name_of(HOT);
    let newest = system.version(DB, HOT);
    let copy = |person: u16| -> Option<bool> {
        let (kept, age) = system.copy_of(seat(BROWSER), person, key, at)?;
        (age < life).then_some(kept.version < newest)
    };
    let all: Vec<Option<bool>> = (0..PEOPLE).map(copy).collect();
    let have = all.iter().flatten().count();
    let old = all.iter().flatten().filter(|old| **old).count();
    let status = match off {
        true => scene.say("off", &[]),
        false => scene.say(
            "browsers",
            &[Arg::Count(have as i64), Arg::Count(old as i64)],
        ),
    };
    let short = scene.say("browsers.short", &[Arg::Count(old as i64)]);
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, status.clone());
    pencil.figure("old", old as f64).figure("have", have as f64);
    frame(&mut pencil, rect, off, old > 0);
    let ink = if off { Ink::Secondary } else { Ink::Ink };
    let name = fitting(&[name], 12.5, true, rect.w - 16.0);
    pencil.bold(pt(rect.x + 8.0, rect.y + 18.0), 12.5, ink, name);
    if off {
        pencil.text(
            pt(rect.x + 8.0, rect.y + 36.0),
            11.0,
            Ink::Secondary,
            status,
        );
        return;
    }
    let (across, side, first) = match layout.wide {
        true => (
            5,
            ((rect.w - 16.0) / 5.0).min(13.0),
            pt(rect.x + 8.0, rect.y + 27.0),
        ),
        false => (10, 6.0, pt(rect.x + rect.w - 66.0, rect.y + 8.0)),
    };
    let gap = if layout.wide { 2.5 } else { 1.5 };
    for (i, has) in all.iter().take(20).enumerate() {
        let (column, row) = ((i % across) as f32, (i / across) as f32);
        let x = first.x + column * side;
        let square = Rect::new(x, first.y + row * side, side - gap, side - gap);
        match has {
            None => pencil.bordered(square, 2.0, Ink::None, Ink::Line, 1.0),
            Some(false) => pencil.filled(square, 2.0, Ink::Ok),
            Some(true) => pencil.bordered(square, 2.0, Ink::WarnSoft, Ink::Warn, 1.5),
        };
    }
    let y = rect.y + rect.h - 9.0;
    let words = fitting(&[status, short], 11.0, false, rect.w - 16.0);
    let ink = if old > 0 { Ink::Warn } else { Ink::Secondary };
    pencil.text(pt(rect.x + 8.0, y), 11.0, ink, words);
}

/// A shared cache: the number that its copy shows, how old that is, and how much of its life is left.
fn cache(node: NodeId, member: usize, system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let part = part_of(node, member);
    let life = life(system, node);
    let off = life == Time::ZERO;
    let key = system.own::<Seen>().author.name_of(HOT);
    let copy = system.copy_of(Seat { node, member }, 0, key, at);
    let copy = copy.filter(|(_, age)| *age < life);
    let newest = system.version(DB, HOT);
    let old = copy.is_some_and(|(kept, _)| kept.version < newest);
    let name = scene.name(part);
    let status = match copy {
        _ if off => scene.say("off", &[]),
        None => scene.say("no-copy", &[]),
        Some((_, age)) => scene.say("aged", &[Arg::Count(age.as_s() as i64)]),
    };
    let number = copy.map(|(kept, _)| kept.version);
    let spoken = match number {
        Some(number) => format!("{number}, {status}"),
        None => status.clone(),
    };
    let mut pencil = scene.thing(part, rect, spoken);
    pencil
        .figure("old", f64::from(u8::from(old)))
        .figure("has", f64::from(u8::from(copy.is_some())))
        .figure("number", f64::from(number.unwrap_or(0)));
    frame(&mut pencil, rect, off, old);
    let tall = rect.h > 80.0;
    let ink = if off { Ink::Secondary } else { Ink::Ink };
    let big = if tall { 26.0 } else { 20.0 };
    let room = rect.w - 16.0 - if tall { 0.0 } else { 30.0 };
    let name = fitting(&[name], 12.5, true, room);
    pencil.bold(pt(rect.x + 8.0, rect.y + 18.0), 12.5, ink, name);
    let status_y = match (off, tall) {
        (true, _) => 36.0,
        (false, true) => rect.h - 20.0,
        (false, false) => 32.0,
    };
    let room = rect.w - 16.0 - if tall { 0.0 } else { 34.0 };
    let status = fitting(&[status], 11.0, false, room);
    let at = pt(rect.x + 8.0, rect.y + status_y);
    pencil.text(at, 11.0, Ink::Secondary, status);
    let Some((kept, age)) = copy else { return };
    let ink = if old { Ink::Warn } else { Ink::Ok };
    let number = kept.version.to_string();
    match tall {
        true => {
            let at = pt(rect.x + 8.0, rect.y + 56.0);
            pencil.bold(at, big, ink, number);
        }
        false => ending(
            &mut pencil,
            pt(rect.x + rect.w - 8.0, rect.y + 26.0),
            big,
            true,
            ink,
            number,
        ),
    }
    let left = life.since(age).as_s() / life.as_s().max(0.001);
    let bar = Rect::new(rect.x + 8.0, rect.y + rect.h - 9.0, rect.w - 16.0, 4.0);
    pencil.meter(bar, left as f32, ink, false);
}

/// The table: how many posts there are, the number that the page shows, and how many queries it works on.
fn table(system: &System, layout: &Layout, scene: &mut Scene) {
    let part = DB_PART;
    let rect = layout.db;
    let author = &system.own::<Seen>().author;
    let column = system.version(DB, HOT);
    let posts = column + author.lost;
    let held = system
        .node(DB)
        .and_then(|live| live.members.get(0))
        .map_or(0, |it| it.own.pool.held.len() + it.own.pool.queue.len());
    let rows = match author.keeps {
        true if author.lost > 0 => scene.say("column", &[Arg::Count(i64::from(posts))]),
        true => scene.say("kept", &[Arg::Span(READ_COLUMN)]),
        false => scene.say("counted", &[Arg::Span(COUNT_POSTS)]),
    };
    let busy = scene.say("queries", &[Arg::Count(held as i64)]);
    let name = scene.name(part);
    let wrong = author.lost > 0;
    let mut pencil = scene.thing(part, rect, format!("{column}, {rows}, {busy}"));
    pencil
        .figure("posts", f64::from(posts))
        .figure("column", f64::from(column))
        .figure("lost", f64::from(author.lost))
        .figure("held", held as f64);
    let border = if wrong { Ink::Bad } else { Ink::LineStrong };
    pencil.bordered(rect, 10.0, Ink::Card, border, if wrong { 2.0 } else { 1.5 });
    let room = rect.w - 16.0;
    let name = fitting(
        &[name],
        12.5,
        true,
        room - if layout.wide { 0.0 } else { 36.0 },
    );
    pencil.bold(pt(rect.x + 8.0, rect.y + 18.0), 12.5, Ink::Ink, name);
    let ink = if wrong { Ink::Bad } else { Ink::Secondary };
    if layout.wide {
        let number = column.to_string();
        pencil.bold(pt(rect.x + 8.0, rect.y + 56.0), 26.0, Ink::Ink, number);
        let rows = fitting(&[rows], 11.0, wrong, room);
        match wrong {
            true => pencil.bold(pt(rect.x + 8.0, rect.y + 76.0), 11.0, ink, rows),
            false => pencil.text(pt(rect.x + 8.0, rect.y + 76.0), 11.0, ink, rows),
        };
        let busy = fitting(&[busy], 11.0, false, room);
        pencil.text(pt(rect.x + 8.0, rect.y + 93.0), 11.0, Ink::Secondary, busy);
    } else {
        let at = pt(rect.x + rect.w - 8.0, rect.y + 26.0);
        ending(&mut pencil, at, 20.0, true, Ink::Ink, column.to_string());
        let rows = fitting(&[rows], 11.0, false, room - 34.0);
        pencil.text(pt(rect.x + 8.0, rect.y + 36.0), 11.0, ink, rows);
    }
}

fn author(system: &System, layout: &Layout, scene: &mut Scene) {
    let author = &system.own::<Seen>().author;
    let word = match author.rule {
        Rule::Nothing => "rule.nothing",
        Rule::After => "rule.after",
        Rule::Before => "rule.before",
        Rule::Outward => "rule.outward",
        Rule::Inward => "rule.inward",
        Rule::Address => "rule.address",
    };
    let mut rule = scene.say(word, &[]);
    if author.bad.is_some() {
        rule = scene.say("rule.waits", &[]);
    } else if author.loses {
        rule = scene.say("rule.loses", &[]);
    }
    let (name, rect) = (scene.name(AUTHOR_PART), layout.author);
    let mut pencil = scene.thing(AUTHOR_PART, rect, rule.clone());
    pencil.figure("posts judged", f64::from(author.judged));
    pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    pencil.bold(pt(rect.x + 8.0, rect.y + 15.0), 12.5, Ink::Ink, name);
    let rule = fitting(&[rule], 11.0, false, rect.w - 16.0);
    pencil.text(pt(rect.x + 8.0, rect.y + 29.0), 11.0, Ink::Accent, rule);
    if layout.wide {
        let way = Curve::straight(rect.bottom(), layout.db.top());
        scene.background().line(way.d(), Ink::Line, 1.0);
    }
}

/// The last visits to the page: who answered each, by row, and whether it was told of an older page.
fn who(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let [hot, _] = seen.old(at);
    let percent = (hot * 100.0).round();
    let numbers = seen.numbers(at);
    let title = ["who", "who.short"].map(|word| scene.say(word, &[Arg::Share(percent / 100.0)]));
    let back = scene.say("back", &[]);
    let rect = layout.who;
    let names = LAYERS.map(|node| scene.name(part(node)));
    let cdn = scene.say("cdn", &[]);
    let mut pencil = scene.thing(WHO, rect, title[0].clone());
    pencil
        .figure("old %", percent)
        .figure("numbers", numbers as f64)
        .figure("back", seen.hot.iter().filter(|it| it.back).count() as f64);
    let room = rect.w - 20.0 - if layout.wide { 150.0 } else { 0.0 };
    panel(&mut pencil, rect, fitting(&title, 12.0, true, room));
    if layout.wide {
        let p = pt(rect.x + rect.w - 132.0, rect.y + 13.0);
        pencil.mark(Glyph::Failure, p, 4.5, Ink::Bad);
        let p = pt(p.x + 10.0, rect.y + 17.0);
        pencil.text(p, 11.0, Ink::Secondary, back);
    }
    let label = if layout.wide { 84.0 } else { 6.0 };
    let columns = match layout.wide {
        true => SHOWN,
        false => ((rect.w - 18.0) / 8.0) as usize,
    };
    let pitch = (rect.w - label - 14.0) / columns as f32;
    let row_y = |layer: usize| match layout.wide {
        true => rect.y + 32.0 + 17.0 * layer as f32,
        false => layout.card(layer, 0).centre().y + if layer == 1 { 25.0 } else { 0.0 },
    };
    for (layer, name) in names.iter().enumerate() {
        let y = row_y(layer);
        if layer == 4 && !layout.wide {
            continue;
        }
        let way = Curve::straight(pt(rect.x + label, y), pt(rect.x + rect.w - 8.0, y));
        pencil.line(way.d(), Ink::Line, 1.0);
        if layout.wide {
            let name = if layer == 1 { &cdn } else { name };
            let name = fitting(std::slice::from_ref(name), 11.0, false, label - 16.0);
            pencil.text(pt(rect.x + 10.0, y + 4.0), 11.0, Ink::Secondary, name);
        }
    }
    let r = (pitch * 0.42).min(4.5);
    for (i, visit) in seen.hot.iter().rev().take(columns).enumerate() {
        let x = rect.x + rect.w - 10.0 - pitch * (i as f32 + 0.5);
        let y = row_y(visit.layer).min(rect.y + rect.h - 8.0);
        let dot = Rect::new(x - r, y - r, 2.0 * r, 2.0 * r);
        match visit.old {
            true => pencil.filled(dot, 0.5, Ink::Warn),
            false => pencil.filled(dot, r, Ink::Ok),
        };
        if visit.back {
            pencil.mark(Glyph::Failure, pt(x, y - r - 4.5), 3.5, Ink::Bad);
        }
    }
}

/// Who answered how many of a hundred, and of how many that came to each.
fn shares(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let lately = system.own::<Seen>().lately(at);
    let percent = |share: f64| (share * 100.0).round();
    let all: Vec<f64> = (0..5).map(|layer| lately.share(layer)).collect();
    let wait = Arg::Span(Time::ms((lately.wait.as_s() * 1_000.0).round() as u64));
    let queries = Arg::Number((lately.per_s(4) * 10.0).round() / 10.0);
    let title = ["shares", "shares.mid", "shares.short"];
    let title = title.map(|word| scene.say(word, &[wait, queries]));
    let names = ["browser", "cdn", "balancer", "redis", "table"].map(|word| scene.say(word, &[]));
    let shown = |layer: &usize| all[*layer] >= 0.005;
    let told = |of: bool| -> Vec<(usize, String)> {
        let name = |layer: usize| {
            let answers = percent(all[layer]);
            // All that comes to the table it answers.
            if of && layer < 4 {
                let came = percent(all[layer..].iter().sum());
                let args = [answers, came].map(|n| Arg::Count(n as i64));
                format!("{} {}", names[layer], scene.say("of", &args))
            } else {
                format!("{} {answers}", names[layer])
            }
        };
        (0..5)
            .filter(shown)
            .map(|layer| (layer, name(layer)))
            .collect()
    };
    let (long, short) = (told(true), told(false));
    let spoken: Vec<&str> = long.iter().map(|(_, name)| name.as_str()).collect();
    let spoken = format!("{}, {}", title[0], spoken.join(", "));
    let width = |name: &(usize, String)| text::width(&name.1, 11.5, false) + 28.0;
    let fits = long.iter().map(width).sum::<f32>() - 14.0 <= layout.shares.w - 18.0;
    let mut pencil = scene.thing(SHARES, layout.shares, spoken);
    pencil
        .figure("browser %", percent(all[0]))
        .figure("cdn %", percent(all[1]))
        .figure("redis %", percent(all[3]))
        .figure("table %", percent(all[4]))
        .figure("redis hits %", percent(lately.hits(3)))
        .figure("wait ms", lately.wait.as_s() * 1_000.0)
        .figure("queries/s", lately.per_s(4));
    let title = fitting(&title, 12.0, true, layout.shares.w - 20.0);
    Shares {
        rect: layout.shares,
        title,
        styles: &STYLES,
        bars: &[(String::new(), all)],
        names: if fits { long } else { short },
    }
    .draw(&mut pencil);
}

fn oldest(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (oldest, limit) = (seen.oldest_here.as_s(), seen.limit.as_s());
    let rect = layout.oldest;
    let args = [Arg::Count(oldest as i64), Arg::Count(limit as i64)];
    let title = ["oldest", "oldest.short"].map(|word| scene.say(word, &args));
    let limits = ["limit", "limit.short"].map(|word| scene.say(word, &args));
    // When the quiet page is visited next, if that is under way.
    let next = seen.author.orders.iter();
    let next = next.filter(|it| matches!(it.due, Due::Visit(..)) && it.at > at);
    let next = next
        .map(|it| it.at.since(at).as_s().ceil())
        .reduce(f64::min);
    let next = next.map(|s| scene.say("next-visit", &[Arg::Count(s as i64)]));
    let spoken = [Some(&title[0]), Some(&limits[0]), next.as_ref()];
    let spoken: Vec<&str> = spoken.into_iter().flatten().map(String::as_str).collect();
    let mut pencil = scene.thing(OLDEST, rect, spoken.join(", "));
    pencil.figure("oldest s", oldest).figure("limit s", limit);
    panel(
        &mut pencil,
        rect,
        fitting(&title, 12.0, true, rect.w - 20.0),
    );
    let bar = Rect::new(rect.x + 10.0, rect.y + 25.0, rect.w - 20.0, 8.0);
    let share = (oldest / limit.max(1.0)).min(1.0) as f32;
    pencil.meter(
        bar,
        share,
        if share > 0.5 { Ink::Warn } else { Ink::Accent },
        false,
    );
    let next = next.unwrap_or_default();
    let room = rect.w - 20.0 - text::width(&next, 11.0, false);
    let limits = fitting(&limits, 11.0, false, room - 12.0);
    let y = rect.y + rect.h - 10.0;
    pencil.text(pt(rect.x + 10.0, y), 11.0, Ink::Secondary, limits);
    if !next.is_empty() {
        let at = pt(rect.x + rect.w - 10.0, y);
        ending(&mut pencil, at, 11.0, false, Ink::Accent, next);
    }
}

const _: () = assert!(CACHE_NODES.len() + 1 == LAYERS.len());
