//! The stage: resolvers with their clocks, the tree of name servers, the two servers, and the way past the tree.

use super::model::{
    KEPT_ON, NS1, Naming, Place, RESOLVERS, USERS, addr_word, ns, resolver, server, users,
};
use super::resolver::{Addr, Name, Said};
use super::settings::{Serve, Settings};
use algorithms::dns_cache::Held;
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting, pill};
use kit::figures::shares::{Fill, Shares, Style};
use kit::figures::{self, DOT, NodeCard};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// Where lookups led, and how the last move went.
pub(super) const LED: PartId = PartId::one("led");
pub(super) const MOVE: PartId = PartId::one("move");
/// The figure on where lookups led looks back so far.
const LATELY: Time = Time::s(10);
/// For so long after it a walk and the end of a copy are seen.
const SEEN: Time = Time::ms(1_500);
/// For so long a copy glows that has answered.
const GLOW: Time = Time::ms(700);
/// Height of a resolver, of a name server, of a server, of the figures below.
const CARD: f32 = 84.0;
const NS: f32 = 54.0;
const SERVER: f32 = 68.0;
const FOOT: f32 = 74.0;
/// Room for the way past the name servers.
const LANE: f32 = 30.0;

pub(super) fn draw(naming: &Naming, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow, naming.moved.is_some());
    let outside: Vec<[Way; 2]> = (0..RESOLVERS)
        .map(|i| [0, 1].map(|to| past(&placed, i, to, narrow)))
        .collect();
    lines(naming, &placed, &outside, at, scene);
    for i in 0..RESOLVERS {
        people(naming, i, placed.of(users(i)), at, scene);
        card(naming, knobs, i, placed.of(resolver(i)), at, scene);
    }
    for i in 0..3 {
        name_server(naming, i, placed.of(ns(i)), scene);
    }
    for i in 0..2 {
        shop(naming, i, placed.of(server(i)), at, scene);
    }
    led(naming, placed.of(LED), at, scene);
    if placed.of(MOVE).h > 0.0 {
        the_move(naming, placed.of(MOVE), at, scene);
    }
    dots(naming, &placed, &outside, at, scene);
}

fn place(scene: &mut Scene, narrow: bool, moved: bool) -> Placed {
    let gap = |between: f32, slots: Vec<Slot>| {
        let mut all = Vec::new();
        for slot in slots {
            if !all.is_empty() {
                all.push(space(between));
            }
            all.push(slot);
        }
        all
    };
    let both = |i: usize, users_w: (f32, f32), between: (f32, f32), w: Span| {
        Slot::Row(vec![
            part(users(i), users_w, (80.0, CARD)),
            space(between),
            part(resolver(i), w, (80.0, CARD)),
        ])
    };
    let stage = if narrow {
        let cards =
            (0..RESOLVERS).map(|i| both(i, (34.0, 34.0), (16.0, 16.0), Span::rest(200.0, 1.0)));
        let cards = gap(6.0, cards.collect());
        let tree = (0..3).map(|i| part(ns(i), Span::rest(84.0, 1.0), 66.0));
        let shops = (0..2).map(|i| part(server(i), Span::rest(110.0, 1.0), SERVER));
        let inset = |slot: Slot| Slot::Row(vec![space(10.0), slot, space(8.0)]);
        vec![
            inset(Slot::Column(cards)),
            space(22.0),
            Slot::Row(gap(8.0, tree.collect())),
            space(LANE),
            inset(Slot::Row(gap(10.0, shops.collect()))),
            space(8.0),
            part(LED, Span::rest(250.0, 1.0), FOOT - 10.0),
            space(if moved { 6.0 } else { 0.0 }),
            part(MOVE, Span::rest(250.0, 1.0), if moved { FOOT } else { 0.0 }),
        ]
    } else {
        let cards =
            (0..RESOLVERS).map(|i| both(i, (42.0, 60.0), (16.0, 30.0), (172.0, 244.0).into()));
        let tree = (0..3).map(|i| part(ns(i), (132.0, 196.0), NS));
        let shops = (0..2).map(|i| part(server(i), (106.0, 150.0), SERVER));
        vec![
            Slot::Row(vec![
                space((6.0, 10.0)),
                Slot::Column(gap(12.0, cards.collect())),
                space(Span::rest(36.0, 1.0)),
                Slot::Column(gap(42.0, tree.collect())),
                space(Span::rest(28.0, 0.6)),
                Slot::Column(gap(56.0, shops.collect())),
            ]),
            space(LANE),
            Slot::Row(vec![
                part(LED, Span::rest(210.0, 1.0), FOOT),
                space(10.0),
                part(MOVE, Span::rest(270.0, 1.0), FOOT),
            ]),
        ]
    };
    lay(scene, &Slot::Column(stage))
}

/// From the users of a resolver to a server, past all name servers.
fn past(placed: &Placed, i: usize, to: usize, narrow: bool) -> Way {
    let (from, shop, led) = (placed.of(users(i)), placed.of(server(to)), placed.of(LED));
    let trunk = 7.0;
    let start = [from.left(), pt(trunk, from.left().y)];
    let end = if narrow {
        let lane = shop.y - 10.0;
        vec![pt(trunk, lane), pt(shop.top().x, lane), shop.top()]
    } else {
        let (lane, up) = (led.y - 10.0, shop.x - 12.0);
        vec![
            pt(trunk, lane),
            pt(up, lane),
            pt(up, shop.left().y),
            shop.left(),
        ]
    };
    Way::through(&[&start[..], &end].concat(), 8.0)
}

/// From a resolver to a name server.
fn asking(placed: &Placed, i: usize, to: usize, narrow: bool) -> Way {
    let (from, ns) = (placed.of(resolver(i)).right(), placed.of(ns(to)));
    if narrow {
        let trunk = from.x + 10.0;
        let lane = ns.y - 11.0;
        let x = ns.top().x;
        Way::through(
            &[
                from,
                pt(trunk, from.y),
                pt(trunk, lane),
                pt(x, lane),
                ns.top(),
            ],
            6.0,
        )
        .lanes(0.0, 4.0)
    } else {
        Way::straight(from, ns.left()).lanes(-4.0, 4.0)
    }
}

fn lines(naming: &Naming, placed: &Placed, outside: &[[Way; 2]], at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let label = fitting(&[scene.say("past", &[])], 11.0, false, scene.width - 60.0);
    let mut ground = scene.background();
    for ways in outside {
        for way in ways {
            ground.line(way.d(), Ink::LineStrong, 1.5);
        }
    }
    let lane = if narrow {
        placed.of(server(0)).y - 10.0
    } else {
        placed.of(LED).y - 10.0
    };
    ground.text(pt(26.0, lane - 6.0), 11.0, Ink::Secondary, label);
    for i in 0..RESOLVERS {
        let ask = placed.way(users(i), resolver(i));
        ground.line(ask.d(), Ink::Mark, 1.5);
        for to in 0..3 {
            ground.line(asking(placed, i, to, narrow).d(), Ink::Line, 1.0);
        }
    }
    for (from, to) in [(0, 1), (1, 2)] {
        ground.dashed_line(placed.way(ns(from), ns(to)).d(), Ink::Mark, 1.5);
    }
    // What the walk in progress, or the one just over, has asked.
    for (i, one) in naming.resolvers.iter().enumerate() {
        let trail = one.trail.filter(|(_, end)| at.since(*end) < SEEN);
        let walks = one.walks.iter().map(|walk| walk.asked);
        for asked in walks.chain(trail.map(|(asked, _)| asked)) {
            let several = asked.iter().filter(|asked| **asked).count() > 1;
            for (turn, to) in (0..3).filter(|to| asked[*to]).enumerate() {
                let way = asking(placed, i, to, narrow).lanes(0.0, 0.0);
                ground.line(way.d(), Ink::Accent, 2.0);
                if !several {
                    continue;
                }
                let end = way.at(1.0 - 14.0 / way.length().max(28.0), Course::There);
                let badge = Rect::new(end.x - 8.0, end.y - 8.0, 16.0, 16.0);
                ground.filled(badge, 8.0, Ink::Accent);
                let turn = (turn + 1).to_string();
                ground.centred(pt(end.x, end.y + 4.0), 11.0, true, Ink::OnAccent, turn);
            }
        }
    }
}

/// The users of a resolver; who keeps an old address of their own is marked.
fn people(naming: &Naming, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let own = naming.own[i].map(|own| own.filter(|(_, until)| at < *until));
    let keep = own.iter().flatten().count();
    let said = scene.say(
        "users",
        &[Arg::Count(USERS as i64), Arg::Count(keep as i64)],
    );
    let label = scene.say("users.short", &[]);
    let mut pencil = scene.thing(users(i), rect, said);
    let middle = pt(rect.centre().x, rect.centre().y - 7.0);
    for (user, own) in own.into_iter().enumerate() {
        let (column, row) = ((user % 2) as f32 - 0.5, (user / 2) as f32 - 0.5);
        let p = pt(middle.x + 15.0 * column, middle.y + 15.0 * row);
        let (ground, ink) = match own {
            Some((addr, _)) if addr == naming.published() => (Ink::HitSoft, Ink::Hit),
            Some(_) => (Ink::Warn, Ink::Warn),
            None => (Ink::Card, Ink::Mark),
        };
        pencil.bordered(
            Rect::new(p.x - 5.5, p.y - 5.5, 11.0, 11.0),
            5.5,
            ground,
            ink,
            1.5,
        );
    }
    let label = fitting(&[label], 11.0, false, rect.w);
    pencil.centred(
        pt(middle.x, middle.y + 31.0),
        11.0,
        false,
        Ink::Secondary,
        label,
    );
}

/// What a row of a resolver says.
struct Row {
    name: String,
    what: String,
    ink: Ink,
    /// What is left, from 0 to 1, as a bar, and in words.
    left: Option<f32>,
    clock: String,
    /// It has just answered.
    hit: bool,
}

fn row(
    naming: &Naming,
    knobs: &Settings,
    i: usize,
    name: Name,
    at: Time,
    scene: &Scene,
) -> Option<Row> {
    let one = &naming.resolvers[i];
    let word = match name {
        Name::New => "name.new",
        _ => "name.shop",
    };
    let line = |what, ink, left, clock| Row {
        name: scene.say(word, &[]),
        what,
        ink,
        left,
        clock,
        hit: one
            .hit
            .is_some_and(|(hit, from)| hit == name && at.since(from) < GLOW),
    };
    let clock = |held: Held<'_, Said>| {
        let left = Time(held.ends_us()).since(at);
        let share = left.as_s() / f64::from(held.ttl_s.max(1));
        let seconds = left.0.div_ceil(1_000_000) as i64;
        (
            Some(share as f32),
            scene.say("left", &[Arg::Count(seconds)]),
        )
    };
    let what = |said: Said| match said {
        Said::At(addr) => scene.words().write(&addr_word(addr)),
        _ => scene.say("no-such", &[]),
    };
    let good = |held: &Held<'_, Said>| at < Time(held.ends_us());
    let held = one.cache.held(&name);
    if let Some(held) = held.filter(good) {
        let ink = match *held.data {
            Said::At(addr) if addr == naming.published() => Ink::Hit,
            Said::At(_) => Ink::Warn,
            _ => Ink::Bad,
        };
        let (left, clock) = clock(held);
        return Some(line(what(*held.data), ink, left, clock));
    }
    let ended = held.map(|held| (*held.data, at.since(Time(held.ends_us()))));
    if let Some((said, span)) = ended.filter(|_| knobs.stale != Serve::Off && name == Name::Shop) {
        let clock = scene.say("ended", &[Arg::Count((span.0 / 1_000_000) as i64)]);
        return Some(line(what(said), Ink::Warn, None, clock));
    }
    if let Some(held) = one.failures.held(&name).filter(good) {
        let (left, clock) = clock(held);
        return Some(line(scene.say("servfail", &[]), Ink::Bad, left, clock));
    }
    let (said, _) = ended.filter(|(_, span)| *span < SEEN)?;
    let over = scene.say("over", &[]);
    Some(line(what(said), Ink::Secondary, Some(0.0), over))
}

/// A resolver: a small table of copies with their clocks.
fn card(naming: &Naming, knobs: &Settings, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let (one, part) = (&naming.resolvers[i], resolver(i));
    let rows = [Name::Shop, Name::New].map(|name| row(naming, knobs, i, name, at, scene));
    let given = one.gives(at);
    let old = naming.is_old(i, at);
    let told = given.filter(|_| naming.moved.is_some() || naming.slipped.is_some());
    let tag = told.map(|addr| match addr {
        Addr::Wrong => ("tag.wrong", Ink::BadSoft, Ink::Bad),
        _ if old => ("tag.old", Ink::WarnSoft, Ink::Warn),
        _ => ("tag.new", Ink::OkSoft, Ink::Ok),
    });
    let tag = tag.map(|(word, ground, ink)| (scene.say(word, &[]), ground, ink));
    let counts = [one.from_copy, one.fetches].map(|n| Arg::Count(n.into()));
    let counts = ["counts", "counts.short"].map(|word| scene.say(word, &counts));
    let none = scene.say("no-copy", &[]);
    let way = one.left(Name::Zone, at);
    let way = if way > Time::ZERO {
        let days = (way.as_s() / 86_400.0 + 0.5) as i64;
        let word = if days > 0 { "way.days" } else { "way.short" };
        scene.say(word, &[Arg::Count(days)])
    } else {
        scene.say("way.none", &[])
    };
    let mut spoken: Vec<String> = rows
        .iter()
        .flatten()
        .map(|row| format!("{} {} {}", row.name, row.what, row.clock))
        .collect();
    if spoken.is_empty() {
        spoken.push(none.clone());
    }
    spoken.extend(tag.iter().map(|(tag, ..)| tag.clone()));
    spoken.extend([counts[0].clone(), way.clone()]);
    // How long "no such name" is kept, and whether the new name's address is known.
    let new = one.cache.held(&Name::New).map(|held| *held.data);
    let new_left = one.left(Name::New, at).as_s();
    let [no, got] = [new == Some(Said::No), matches!(new, Some(Said::At(_)))];
    let name = scene.name(part);
    let wide = text::width(&name, 13.5, true);
    let mut pencil = scene.thing(part, rect, spoken.join(", "));
    pencil
        .figure("left", one.left(Name::Shop, at).as_s())
        .figure("no-left", if no { new_left } else { 0.0 })
        .figure("soon-left", if got { new_left } else { 0.0 })
        .figure("old", f64::from(u8::from(old)))
        .figure("copies", f64::from(one.from_copy))
        .figure("fetches", f64::from(one.fetches));
    let border = match &tag {
        Some((_, _, ink)) => *ink,
        None => Ink::LineStrong,
    };
    let width = if tag.is_some() { 2.0 } else { 1.5 };
    pencil.bordered(rect, 10.0, Ink::Card, border, width);
    pencil.bold(pt(rect.x + 10.0, rect.y + 18.0), 13.5, Ink::Ink, name);
    let right = rect.x + rect.w - 10.0;
    match tag {
        Some((tag, ground, ink)) => {
            let w = text::width(&tag, 12.0, true) + 16.0;
            let middle = pt(right - w / 2.0 + 4.0, rect.y + 14.0);
            pill(&mut pencil, middle, tag, ground, ink);
        }
        None => {
            let counts = fitting(&counts, 11.0, false, rect.w - 30.0 - wide);
            let end = pt(right, rect.y + 18.0);
            ending(&mut pencil, end, 11.0, false, Ink::Secondary, counts);
        }
    }
    let [shop, new] = rows;
    match shop {
        Some(row) => copy(&mut pencil, row, rect, rect.y + 41.0, true),
        None => {
            let at = pt(rect.x + 10.0, rect.y + 41.0);
            pencil.text(at, 12.5, Ink::Secondary, none);
        }
    }
    if let Some(row) = new {
        copy(&mut pencil, row, rect, rect.y + 58.0, false);
    }
    let way = fitting(&[way], 11.0, false, rect.w - 20.0);
    let at = pt(rect.x + 10.0, rect.y + rect.h - 8.0);
    pencil.text(at, 11.0, Ink::Secondary, way);
}

/// A row: name, address, a bar that drains, what is left; the shop's is the larger one.
fn copy(pencil: &mut Pencil<'_>, row: Row, rect: Rect, y: f32, large: bool) {
    let (left, right) = (rect.x + 10.0, rect.x + rect.w - 10.0);
    let (size, bar_h): (f32, f32) = if large { (15.0, 12.0) } else { (12.0, 7.0) };
    if row.hit {
        let (up, h) = if large { (15.0, 20.0) } else { (11.0, 15.0) };
        let ground = Rect::new(rect.x + 4.0, y - up, rect.w - 8.0, h);
        pencil.filled(ground, 5.0, Ink::HitSoft);
    }
    let name = fitting(&[row.name], size.min(13.0), false, 0.38 * rect.w);
    let name_w = text::width(&name, size.min(13.0), false) + 8.0;
    pencil.text(pt(left, y), size.min(13.0), Ink::Ink, name);
    let clock = if row.left.is_some() { size } else { 12.0 };
    let clock_w = text::width(&row.clock, clock, true).max(34.0);
    ending(pencil, pt(right, y), clock, true, row.ink, row.clock);
    let room = right - clock_w - 8.0 - (left + name_w);
    let what = fitting(&[row.what], size, true, room);
    let what_w = text::width(&what, size, true).max(26.0) + 8.0;
    pencil.bold(pt(left + name_w, y), size, row.ink, what);
    let x = left + name_w + what_w;
    let bar = Rect::new(x, y - 0.36 * size - bar_h / 2.0, room - what_w, bar_h);
    if let Some(left) = row.left.filter(|_| bar.w > 18.0) {
        pencil.meter(bar, left, row.ink, false);
    }
}

fn name_server(naming: &Naming, i: usize, rect: Rect, scene: &mut Scene) {
    let published = naming.published();
    let silent = i == NS1 && naming.silent.is_some();
    let (words, ink) = match i {
        _ if silent => (["ns.silent", "ns.silent.short"], Ink::Bad),
        NS1 if published == Addr::Wrong => (["ns.at", "ns.at.short"], Ink::Bad),
        NS1 => (["ns.at", "ns.at.short"], Ink::Ok),
        0 => (["ns.root", "ns.root.short"], Ink::Secondary),
        _ => (["ns.com", "ns.com.short"], Ink::Secondary),
    };
    let told = [addr_word(published), Arg::Count(naming.knobs.ttl.into())];
    let [status, short] = words.map(|word| scene.say(word, &told));
    let asked = [Arg::Count(naming.asked[i].into())];
    let asked = ["asked", "asked.short"].map(|word| scene.say(word, &asked));
    let mut names = vec![scene.name(ns(i))];
    if i == NS1 {
        names.push(scene.say("ns1", &[]));
    }
    let narrow = scene.narrow();
    let mut pencil = scene.thing(ns(i), rect, format!("{status}, {}", asked[0]));
    pencil
        .figure("asked", f64::from(naming.asked[i]))
        .figure("silent", f64::from(u8::from(silent)));
    let border = if silent { Ink::Bad } else { Ink::LineStrong };
    let room = rect.w - 24.0;
    let name = fitting(&names, 14.5, true, room);
    let wide = text::width(&name, 14.5, true);
    let status = fitting(&[status, short], 12.5, true, room);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(rect, name, status)
    }
    .draw(&mut pencil);
    let (y, room) = if narrow {
        (60.0, room)
    } else {
        (26.0, room - wide - 6.0)
    };
    let asked = fitting(&asked, 11.0, false, room);
    let at = pt(rect.x + rect.w - 10.0, rect.y + y);
    ending(&mut pencil, at, 11.0, false, Ink::Secondary, asked);
}

fn shop(naming: &Naming, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let (words, ink, border) = match naming.left[i] {
        _ if naming.home == i => (["shop.here", "shop.here.short"], Ink::Ok, Ink::Ok),
        None => (["shop.none", "shop.none.short"], Ink::Secondary, Ink::Line),
        Some(_) if naming.is_off(i, at) => {
            (["shop.off", "shop.off.short"], Ink::Secondary, Ink::Line)
        }
        Some(_) => (["shop.left", "shop.left.short"], Ink::Warn, Ink::Warn),
    };
    let left = naming.left[i].map_or(Time::ZERO, |left| (left + KEPT_ON).since(at));
    let left = [Arg::Count(left.0.div_ceil(1_000_000) as i64)];
    let status = words.map(|word| scene.say(word, &left));
    let visits = scene.say("visits", &[Arg::Count(naming.visits[i].into())]);
    let name = scene.name(server(i));
    let mut pencil = scene.thing(server(i), rect, format!("{}, {visits}", status[0]));
    pencil.figure("visits", f64::from(naming.visits[i]));
    let status = fitting(&status, 12.5, true, rect.w - 28.0);
    let name = fitting(&[name], 14.5, true, rect.w - 28.0);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(rect, name, status)
    }
    .draw(&mut pencil);
    let visits = fitting(&[visits], 11.0, false, rect.w - 28.0);
    pencil.text(
        pt(rect.x + 14.0, rect.y + 60.0),
        11.0,
        Ink::Secondary,
        visits,
    );
}

const STYLES: [Style; 3] = [
    (Fill::Full, Ink::Ok, Ink::Ok),
    (Fill::Outline, Ink::Warn, Ink::WarnSoft),
    (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
];

/// Where lookups of the last seconds led.
fn led(naming: &Naming, rect: Rect, at: Time, scene: &mut Scene) {
    let counts = [0, 1, 2].map(|kind| naming.led.sum(kind, LATELY, at));
    let all: u32 = counts.iter().sum();
    let shares = counts.map(|n| f64::from(n) / f64::from(all.max(1)));
    let words = ["led.new", "led.old", "led.failed"];
    let names: Vec<String> = words
        .iter()
        .zip(counts)
        .map(|(word, n)| scene.say(word, &[Arg::Count(n.into())]))
        .collect();
    let title = scene.say("led", &[]);
    let mut pencil = scene.thing(LED, rect, names.join(", "));
    for (figure, share) in ["new", "old", "failed"].into_iter().zip(shares) {
        pencil.figure(figure, share);
    }
    pencil.figure("all", f64::from(all));
    Shares {
        rect,
        title,
        styles: &STYLES,
        bars: &[(String::new(), shares.to_vec())],
        names: names.into_iter().enumerate().collect(),
    }
    .draw(&mut pencil);
}

/// When each resolver turned to the new address after the last move.
fn the_move(naming: &Naming, rect: Rect, at: Time, scene: &mut Scene) {
    let old = (0..RESOLVERS).filter(|i| naming.is_old(*i, at)).count();
    let slowest = naming.slowest(at);
    let since = naming.moved.map(|moved| at.since(moved));
    let of_3 = Arg::Count(old as i64);
    let done = ["move.done", "move.done.short"];
    let (words, told) = match since {
        None => (["move.none"; 2], of_3),
        Some(since) if old > 0 => (
            ["move.under-way", "move.under-way.short"],
            figures::tenths(since),
        ),
        Some(_) => (done, figures::tenths(slowest)),
    };
    let titles = words.map(|word| scene.say(word, &[told, of_3]));
    let rows = [0, 1, 2].map(|i| {
        let until = naming.resolvers[i].turned.unwrap_or(at);
        let span = naming.moved.map_or(Time::ZERO, |moved| until.since(moved));
        let said = scene.say("seconds", &[figures::tenths(span)]);
        (scene.name(resolver(i)), span, said)
    });
    let hint = scene.say("move.hint", &[]);
    let spoken = match since {
        None => vec![titles[0].clone()],
        Some(_) => {
            let rows = rows.iter().map(|(name, _, said)| format!("{name} {said}"));
            rows.chain([titles[0].clone()]).collect()
        }
    };
    let mut pencil = scene.thing(MOVE, rect, spoken.join(", "));
    pencil
        .figure("old", old as f64)
        .figure("slowest", slowest.as_s());
    let title = fitting(&titles, 12.0, true, rect.w - 20.0);
    figures::panel(&mut pencil, rect, title);
    if since.is_none() {
        let hint = fitting(&[hint], 11.5, false, rect.w - 20.0);
        pencil.text(pt(rect.x + 10.0, rect.y + 36.0), 11.5, Ink::Secondary, hint);
        return;
    }
    // The same axis for a short TTL and a long one, so that two runs can be compared.
    let axis = slowest.as_s().max(20.0);
    for (i, (name, span, said)) in rows.into_iter().enumerate() {
        let y = rect.y + 33.0 + 15.0 * i as f32;
        let turned = naming.resolvers[i].turned.is_some();
        let ink = if turned { Ink::Ok } else { Ink::Warn };
        pencil.text(pt(rect.x + 10.0, y), 11.0, Ink::Ink, name);
        let rail = Rect::new(rect.x + 84.0, y - 8.0, rect.w - 84.0 - 54.0, 8.0);
        pencil.meter(rail, (span.as_s() / axis) as f32, ink, false);
        let end = pt(rect.x + rect.w - 10.0, y);
        ending(&mut pencil, end, 11.0, true, ink, said);
    }
}

/// How an answer looks on its way.
fn answer(said: Said, stale: bool) -> (Glyph, Ink) {
    match said {
        Said::Way => (Glyph::Message, Ink::Accent),
        Said::Failed => FAILURE,
        Said::No => (Glyph::Response, Ink::Bad),
        Said::At(_) if stale => (Glyph::Response, Ink::Warn),
        Said::At(_) => (Glyph::Response, Ink::Ok),
    }
}

const QUESTION: (Glyph, Ink) = (Glyph::Request, Ink::Accent);
const FAILURE: (Glyph, Ink) = (Glyph::Failure, Ink::Bad);

fn dots(naming: &Naming, placed: &Placed, outside: &[[Way; 2]], at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    for (i, one) in naming.resolvers.iter().enumerate() {
        for walk in &one.walks {
            let Some(leg) = walk.leg else { continue };
            let way = asking(placed, i, walk.server, narrow);
            let (p, (glyph, ink)) = if leg.back {
                let gone = 1.0 - leg.share(at);
                (way.at(gone, Course::Back), answer(walk.reply, false))
            } else {
                (way.at(leg.share(at), Course::There), QUESTION)
            };
            scene.particle(p, DOT + 1.0, glyph, ink, walk.dot);
        }
    }
    let mut waiting = [0_u16; RESOLVERS];
    for (key, lookup) in naming.lookups.iter() {
        let i = lookup.of;
        let (group, card) = (placed.of(users(i)), placed.of(resolver(i)));
        let ask = placed.way(users(i), resolver(i));
        // Nobody is at a wrong address: the request ends under way.
        let (to, far) = match lookup.said {
            Said::At(Addr::Server(to)) => (to, 1.0),
            _ => (0, 0.5),
        };
        let visit = |share: f32| outside[i][to].at(share * far, Course::There);
        let (p, (glyph, ink)) = match lookup.place {
            Place::Asks(leg) => (ask.at(leg.share(at), Course::There), QUESTION),
            // At the door of their resolver, as far as there is room.
            Place::Waits if waiting[i] < 5 => {
                waiting[i] += 1;
                (pt(card.x, card.y + 14.0 * f32::from(waiting[i])), QUESTION)
            }
            Place::Waits => continue,
            Place::Hears(leg) => {
                let look = answer(lookup.said, lookup.stale);
                (ask.at(leg.share(at), Course::Back), look)
            }
            Place::Pauses => (pt(group.x + group.w, group.y + 12.0), FAILURE),
            Place::Visits(leg, _) => {
                let current = lookup.said == Said::At(Addr::Server(naming.home));
                let ink = if current { Ink::Ok } else { Ink::Warn };
                (visit(leg.share(at)), (Glyph::Replica, ink))
            }
            Place::Fails(leg) => (visit(1.0 - leg.share(at)), FAILURE),
        };
        let more = if glyph == Glyph::Replica { 1.5 } else { 0.0 };
        scene.particle(p, DOT + more, glyph, ink, key.serial());
    }
}
