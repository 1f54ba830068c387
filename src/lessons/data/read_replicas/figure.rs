//! The stage: users, the router, the machines with what they are busy with, the feeds; under them what reads found, and the log.

use super::copies::{self, LOG, RECORDS, Reads, part};
use super::{DB, LINK, ROUTER, Seen, USERS, WORKERS, busy, is_read, ruler};
use engine::scene::{Curve, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::fitting;
use kit::figures::{DOT, LANE, NodeCard, on, tenths};
use kit::system::{Frame, Place, System, Values};

const USERS_PART: PartId = PartId::one("users");
pub(super) const ROUTER_PART: PartId = PartId::one("router");
/// What reloads found.
pub(super) const RELOADS: PartId = PartId::one("reloads");
/// How many reads the primary answers.
pub(super) const SHARE: PartId = PartId::one("share");
pub(super) use super::copies::TAIL as WRITES;

/// Whose chain of causes answers for what is drawn here: its own, as long as it has one.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (ROUTER_PART, ROUTER_PART),
    (ROUTER_PART, PartId::nth("db", 2)),
    (ROUTER_PART, PartId::nth("db", 1)),
    (SHARE, ROUTER_PART),
    (SHARE, PartId::nth("db", 2)),
    (SHARE, PartId::nth("db", 1)),
    (RELOADS, RELOADS),
    (RELOADS, PartId::nth("db", 2)),
    (RELOADS, PartId::nth("db", 1)),
    (WRITES, WRITES),
    (WRITES, PartId::nth("db", 1)),
    (LOG, LOG),
    (LOG, PartId::nth("db", 1)),
    (USERS_PART, USERS_PART),
    (USERS_PART, PartId::nth("db", 1)),
];

/// From here on users, router and machines stand side by side.
const WIDE: f32 = 640.0;
const GAP: f32 = 8.0;
/// The feeds run in a lane so wide.
const BUS: f32 = 26.0;
/// More machines than this have lower cards.
const ROOMY: usize = 4;

/// Where everything stands.
struct Layout {
    users: Rect,
    router: Rect,
    cards: Vec<Rect>,
    /// Beside each card: what waits there.
    sides: Vec<Rect>,
    door: Curve,
    links: Vec<Curve>,
    bus: f32,
    wide: bool,
    bottom: f32,
}

impl Layout {
    fn of(width: f32, machines: usize) -> Layout {
        let wide = width >= WIDE;
        let flat = machines > ROOMY || !wide;
        let h = match (wide, flat) {
            (true, false) => 62.0,
            (true, true) => 44.0,
            (false, _) if machines > ROOMY => 42.0,
            (false, _) => 54.0,
        };
        let side_w = if wide {
            (width * 0.15).clamp(84.0, 130.0)
        } else {
            62.0
        };
        let (x, y, w) = if wide {
            let w = (width * 0.3).clamp(192.0, 270.0);
            (width - 12.0 - side_w - BUS - w, 10.0, w)
        } else {
            (36.0, 82.0, width - 36.0 - BUS - side_w - 10.0)
        };
        let cards: Vec<Rect> = (0..machines)
            .map(|i| Rect::new(x, y + (h + GAP) * i as f32, w, h))
            .collect();
        let sides = cards
            .iter()
            .map(|card| Rect::new(card.x + w + BUS, card.y, side_w, h))
            .collect();
        let end = y + (h + GAP) * machines as f32;
        let bottom = if wide { end.max(212.0) } else { end };
        let (users, router) = if wide {
            let middle = (y + bottom - GAP) / 2.0;
            let router_x = 112.0 + (x - 112.0 - 124.0) * 0.38;
            (
                Rect::new(12.0, middle - 36.0, 100.0, 72.0),
                Rect::new(router_x, middle - 31.0, 124.0, 62.0),
            )
        } else {
            let half = (width - 24.0 - 26.0) / 2.0;
            (
                Rect::new(width - 12.0 - half, 8.0, half, 60.0),
                Rect::new(12.0, 8.0, half, 60.0),
            )
        };
        let door = if wide {
            Curve::straight(users.right(), router.left())
        } else {
            Curve::straight(users.left(), router.right())
        };
        let link = |card: &Rect| {
            if wide {
                return Curve::across(router.right(), card.left());
            }
            let corner = pt(22.0, card.left().y);
            Curve::cubic(pt(22.0, router.y + router.h), corner, corner, card.left())
        };
        Layout {
            door,
            links: cards.iter().map(link).collect(),
            bus: x + w + BUS * 0.5,
            users,
            router,
            cards,
            sides,
            wide,
            bottom: bottom + 4.0,
        }
    }

    /// The way of the feed between two machines: out, along the lane, in.
    fn feed(&self, from: usize, to: usize) -> Option<[Point; 4]> {
        let (from, to) = (self.cards.get(from)?.right(), self.cards.get(to)?.right());
        Some([from, pt(self.bus, from.y), pt(self.bus, to.y), to])
    }
}

/// A place on a way of straight pieces.
fn along(way: &[Point; 4], share: f32) -> Point {
    let length = |i: usize| (way[i + 1].x - way[i].x).abs() + (way[i + 1].y - way[i].y).abs();
    let mut left = share * (0..3).map(length).sum::<f32>();
    for i in 0..3 {
        if left <= length(i) || i == 2 {
            let t = (left / length(i).max(0.01)).min(1.0);
            let (a, b) = (way[i], way[i + 1]);
            return pt(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t);
        }
        left -= length(i);
    }
    way[3]
}

/// Draws all of it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let machines = system.node(DB).map_or(0, |live| live.members.len());
    let layout = Layout::of(scene.width, machines);
    scene.height = layout.bottom;
    links(system, &layout, scene);
    users(system, knobs, &layout, scene);
    router(system, &layout, scene);
    for member in 0..machines {
        machine(member, system, at, &layout, scene);
    }
    feeds(system, at, &layout, scene);
    for (_, frame) in system.frames() {
        dot(frame, system, at, &layout, scene);
    }
    let y = strip(system, &layout, scene);
    scene.height = ruler::draw(system, at, y, scene);
}

fn links(system: &System, layout: &Layout, scene: &mut Scene) {
    let live = system.node(DB);
    let mut bus = scene.background();
    bus.line(layout.door.d(), Ink::Mark, 1.5);
    for (member, way) in layout.links.iter().enumerate() {
        let down = live.and_then(|live| live.members.get(member));
        if down.is_none_or(|it| it.down.is_some()) {
            bus.dashed_line(way.d(), Ink::Bad, 1.5);
        } else {
            bus.line(way.d(), Ink::Mark, 1.5);
        }
    }
    let copies = &system.own::<Seen>().copies;
    for member in 0..layout.cards.len() {
        let Some(way) = layout.feed(copies.primary(), member) else {
            continue;
        };
        if member == copies.primary() {
            continue;
        }
        let d = format!(
            "M{} {}H{}V{}H{}",
            text::tenths(way[0].x),
            text::tenths(way[0].y),
            text::tenths(way[1].x),
            text::tenths(way[2].y),
            text::tenths(way[3].x)
        );
        let flows = copies::hears(system, copies.primary()) && copies::hears(system, member);
        if flows {
            bus.line(d, Ink::LineStrong, 1.5);
        } else {
            bus.dashed_line(d, Ink::Bad, 1.5);
        }
    }
}

fn users(system: &System, knobs: &Values, layout: &Layout, scene: &mut Scene) {
    let part = USERS_PART;
    let rate = system.load_per_s(USERS);
    let load = rate / (1.0 - knobs.get("writes") / 100.0);
    let surge = system.node(USERS).is_some_and(|live| live.surge.is_on());
    let [status, short] =
        ["load", "load.short"].map(|word| scene.say(word, &[Arg::Number(load.round())]));
    let line = scene.say("writes-of-it", &[Arg::Share(knobs.get("writes") / 100.0)]);
    let name = scene.name(part);
    let rect = layout.users;
    let mut pencil = scene.thing(part, rect, format!("{status}, {line}"));
    pencil.figure("load", load);
    let (ink, border) = match surge {
        true => (Ink::Warn, Ink::Warn),
        false => (Ink::Secondary, Ink::LineStrong),
    };
    let status = fitting(&[status, short], 12.5, surge, rect.w - 24.0);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(rect, name, status)
    }
    .draw(&mut pencil);
    if layout.wide {
        let line = fitting(&[line], 12.0, false, rect.w - 20.0);
        pencil.text(pt(rect.x + 14.0, rect.y + 61.0), 12.0, Ink::Secondary, line);
    }
}

fn router(system: &System, layout: &Layout, scene: &mut Scene) {
    let part = ROUTER_PART;
    let word = match system.own::<Seen>().rules.reads {
        Reads::Primary => "rule.primary",
        Reads::Any => "rule.any",
        Reads::Same => "rule.same",
        Reads::Timer => "rule.timer",
        Reads::Token => "rule.token",
    };
    let rule = scene.say(word, &[]);
    let name = scene.name(part);
    let rect = layout.router;
    let mut pencil = scene.thing(part, rect, rule.clone());
    NodeCard::plain(rect, name, String::new()).draw(&mut pencil);
    let lines = text::wrap(&rule, 11.5, true, rect.w - 24.0);
    let first = rect.y + 41.0;
    for (i, line) in lines.into_iter().take(2).enumerate() {
        let y = first + 13.0 * i as f32;
        pencil.bold(pt(rect.x + 14.0, y), 11.5, Ink::Accent, line);
    }
}

/// A machine: its part in all this, its workers with what they do, and how busy it was.
fn machine(member: usize, system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let Some(live) = system.node(DB) else { return };
    let Some(it) = live.members.get(member) else {
        return;
    };
    let seen = system.own::<Seen>();
    let all = &seen.copies;
    let (primary, shown) = (member == all.primary(), all.shown(member));
    let age = all.age(member, at);
    let lacks = all.group().head().saturating_sub(shown);
    let late = age >= Time::s(1);
    let lag = ["replica", "replica.short", "replica.shortest"];
    let lag = lag.map(|word| scene.say(word, &[tenths(age)]));
    let (said, ink) = if let Some(since) = it.down {
        (scene.say("crashed", &[tenths(at.since(since))]), Ink::Bad)
    } else if it.own.isolated {
        (scene.say("cut-off", &[]), Ink::Bad)
    } else if it.leaving {
        (scene.say("leaving", &[]), Ink::Warn)
    } else if let (true, Some(_)) = (primary, all.group().catches_up()) {
        (
            scene.say("catching-up", &[Arg::Count(lacks as i64)]),
            Ink::Warn,
        )
    } else if primary {
        (scene.say("primary", &[]), Ink::Accent)
    } else {
        let ink = if late { Ink::Warn } else { Ink::Secondary };
        (lag[0].clone(), ink)
    };
    let [reads, writes] = busy(member, system, at);
    let (reads, writes) = (reads.min(1.0), writes.min(1.0 - reads.min(1.0)));
    let percent = |share: f64| (share * 100.0).round();
    let of = Arg::Share(percent(reads + writes) / 100.0);
    let busy = scene.say("busy", &[of]);
    let queued = it
        .own
        .pool
        .queue
        .iter()
        .filter_map(|key| system.frame(*key));
    let waiting = queued.clone().filter(|frame| !frame.is_job()).count();
    let waits = scene.say("waiting", &[Arg::Count(waiting as i64)]);
    let part = part(member);
    let name = scene.name(part);
    let (card, side) = (layout.cards[member], layout.sides[member]);
    let mut frame = card;
    if waiting > 0 {
        frame.w = side.x + side.w - card.x;
    }
    let down = it.down.is_some();
    let says = match said == lag[0] {
        true => lag.to_vec(),
        false => vec![said.clone()],
    };
    let held = &it.own.pool.held;
    let mut pencil = scene.thing(part, frame, format!("{said}, {busy}, {waits}"));
    pencil
        .figure("busy %", percent(reads + writes))
        .figure("writes %", percent(writes))
        .figure("behind s", age.as_s())
        .figure("waiting", waiting as f64);
    let (border, width) = match (down || it.own.isolated, primary) {
        (true, _) => (Ink::Bad, 2.0),
        (false, true) => (Ink::Accent, 2.0),
        (false, false) => (Ink::LineStrong, 1.5),
    };
    pencil.bordered(card, 10.0, Ink::Card, border, width);
    let top = if card.h > 60.0 { 21.0 } else { 17.0 };
    pencil.bold(
        pt(card.x + 12.0, card.y + top),
        13.5,
        Ink::Ink,
        name.clone(),
    );
    let name_w = text::width(&name, 13.5, true);
    let slot = |i: u32| pt(card.x + card.w - 15.0 - 13.0 * i as f32, card.y + top - 4.5);
    let meter = Rect::new(card.x + 12.0, card.y + card.h - 13.0, card.w - 24.0, 6.0);
    let left = card.w - 24.0;
    // Where there is no room for both, what it says goes before what each worker does.
    let workers = card.h > 50.0 || (layout.wide && card.w >= 230.0);
    if card.h > 50.0 {
        let roomy = card.h > 60.0;
        let busy_w = if roomy {
            text::width(&busy, 11.5, false)
        } else {
            0.0
        };
        let y = card.y + if roomy { 40.0 } else { 34.0 };
        let room = left - busy_w - 8.0;
        let said = fitting(&says, 12.0, ink != Ink::Secondary, room);
        pencil.shape(words(pt(card.x + 12.0, y), 12.0, ink, said));
        if roomy && !down {
            let x = card.x + card.w - 12.0 - busy_w;
            pencil.text(pt(x, y), 11.5, Ink::Secondary, busy);
        }
    } else {
        let sockets = if workers { 13.0 * WORKERS as f32 } else { 0.0 };
        let room = left - name_w - sockets - 16.0;

        let said = fitting(&says, 11.5, ink != Ink::Secondary, room);
        pencil.shape(words(
            pt(card.x + 20.0 + name_w, card.y + top),
            11.5,
            ink,
            said,
        ));
    }
    pencil.filled(meter, 3.0, Ink::Rail);
    let (reads, writes) = (reads as f32 * meter.w, writes as f32 * meter.w);
    if writes > 0.5 && !down {
        pencil.filled(Rect::new(meter.x, meter.y, writes, 6.0), 3.0, Ink::Warn);
    }
    if reads > 0.5 && !down {
        pencil.filled(
            Rect::new(meter.x + writes, meter.y, reads, 6.0),
            3.0,
            Ink::Accent,
        );
    }

    if !down && workers {
        for i in 0..WORKERS {
            let p = slot(i);
            let socket = Rect::new(p.x - 5.5, p.y - 5.5, 11.0, 11.0);
            pencil.bordered(socket, 5.5, Ink::None, Ink::LineStrong, 1.0);
        }
    }
    if waiting > 0 {
        let said = fitting(&[waits], 11.5, false, side.w);
        let y = if side.h > 50.0 {
            side.y + 14.0
        } else {
            side.y + 12.0
        };
        pencil.text(pt(side.x, y), 11.5, Ink::Secondary, said);
    }
    let dots = if workers { WORKERS as usize } else { 0 };
    for (i, key) in held.iter().take(dots).enumerate() {
        if let Some(frame) = system.frame(*key) {
            let (glyph, ink) = face(frame);
            scene.particle(slot(i as u32), DOT - 0.5, glyph, ink, frame.number);
        }
    }
    let per_row = (side.w / 13.0) as usize;
    let rows = ((side.h - 18.0) / 13.0) as usize;
    let dots = queued.filter(|frame| !frame.is_job()).take(per_row * rows);
    for (i, frame) in dots.enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let p = pt(side.x + 6.0 + 13.0 * column, side.y + 25.0 + 13.0 * row);
        let (glyph, ink) = face(frame);
        scene.particle(p, DOT - 0.5, glyph, ink, frame.number);
    }
}

/// A line of text, bold where its colour means something.
fn words(at: Point, size: f32, ink: Ink, text: String) -> engine::scene::Shape {
    engine::scene::Shape::Text {
        at,
        size,
        bold: ink != Ink::Secondary,
        ink,
        anchor: engine::scene::Anchor::Start,
        text,
    }
}

/// What a frame looks like: reads, writes, records that are replayed.
fn face(frame: &Frame) -> (Glyph, Ink) {
    if frame.is_job() {
        (Glyph::Replica, Ink::Warn)
    } else if is_read(&frame.draw) {
        (Glyph::Request, Ink::Accent)
    } else {
        (Glyph::Request, Ink::Warn)
    }
}

/// Records on their way to replicas, and what these say of themselves.
fn feeds(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    for parcel in system.parcels() {
        let Some(way) = layout.feed(parcel.from.member, parcel.to.member) else {
            continue;
        };
        let p = along(&way, parcel.share(at));
        if parcel.kind == RECORDS {
            scene.particle(p, DOT, Glyph::Replica, Ink::Warn, parcel.number);
        } else {
            let p = pt(p.x + 5.0, p.y);
            scene.particle(p, DOT, Glyph::Heartbeat, Ink::Secondary, parcel.number);
        }
    }
}

/// A request or its answer on a wire.
fn dot(frame: &Frame, system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    if frame.place != Place::Travels || frame.is_request() || frame.is_job() {
        return;
    }
    let curve = if frame.leg.on == LINK {
        layout.links.get(frame.at().1)
    } else if frame.at().0 == ROUTER || frame.leg.back {
        Some(&layout.door)
    } else {
        None
    };
    let Some(curve) = curve else { return };
    let misses = system.own::<Seen>().readers.flight(frame.number);
    let misses = misses.is_some_and(|flight| flight.misses);
    let (glyph, ink) = match (frame.leg.back, frame.failed.is_some() || misses) {
        (false, _) => face(frame),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Failure, Ink::Bad),
    };
    let lane = match (frame.leg.back, layout.wide) {
        (false, _) => pt(0.0, 0.0),
        (true, true) => pt(0.0, LANE),
        (true, false) if frame.leg.on == LINK => pt(LANE / 2.0, 0.0),
        (true, false) => pt(0.0, LANE),
    };
    let p = on(curve, frame.leg.share(at), lane);
    scene.particle(p, DOT, glyph, ink, frame.number);
}

/// What was found lately, in a row of three; returns where it ends.
fn strip(system: &System, layout: &Layout, scene: &mut Scene) -> f32 {
    let w = scene.width - 24.0;
    let y = layout.bottom + 4.0;
    let third = (w - 16.0) / 3.0;
    let rect = |i: usize| match layout.wide {
        true => Rect::new(12.0 + (third + 8.0) * i as f32, y, third, 28.0),
        false => Rect::new(12.0, y + 34.0 * i as f32, w, 28.0),
    };
    let seen = system.own::<Seen>();
    let readers = &seen.readers;
    let count = |n: usize| Arg::Count(n as i64);
    let tally = readers.tally;
    let missing = Arg::Count(i64::from(tally.missing));
    let (all, missed) = readers.last_reloads(super::readers::RELOADS, system.turned);
    let of_ten = if all > 0 {
        10.0 * missed as f64 / all as f64
    } else {
        0.0
    };
    let line = match all {
        0 => scene.say("reloads.none", &[missing]),
        _ => scene.say("reloads", &[missing, count(missed), count(all)]),
    };
    let args = [missing, count(missed), count(all)];
    let lines = match all {
        0 => vec![line],
        _ => vec![
            line,
            scene.say("reloads.short", &args),
            scene.say("reloads.shortest", &args),
        ],
    };
    let ink = if missed > 0 { Ink::Bad } else { Ink::Ink };
    let figures = [
        ("missed", missed as f64),
        ("of", all as f64),
        ("of ten", (of_ten * 10.0).round() / 10.0),
        ("missing", f64::from(tally.missing)),
        ("stale", f64::from(tally.stale)),
        ("back", f64::from(tally.back)),
    ];
    panel(RELOADS, rect(0), (lines, ink), &figures, scene);

    let [share, stale] = readers
        .lately(system.now)
        .map(|share| (share * 100.0).round());
    let args = [Arg::Share(share / 100.0), Arg::Share(stale / 100.0)];
    let lines = ["share", "share.short"].map(|word| scene.say(word, &args));
    panel(
        SHARE,
        rect(1),
        (lines.to_vec(), Ink::Ink),
        &[("primary %", share), ("stale %", stale)],
        scene,
    );

    let mean = Time(tally.write_time.0 / u64::from(tally.writes.max(1)));
    let failover = seen.copies.failover.filter(|it| it.at >= system.turned);
    let lost = failover.map_or(0, |it| it.lost);
    let unanswered = failover.map_or(0, |it| it.unanswered);
    let (lines, ink) = match failover {
        Some(_) => {
            let args = [count(lost as usize), count(unanswered as usize)];
            let ink = if lost > 0 { Ink::Bad } else { Ink::Ink };
            (
                vec![scene.say("lost", &args), scene.say("lost.short", &args)],
                ink,
            )
        }
        None => (
            vec![scene.say("write-takes", &[Arg::Span(rounded(mean))])],
            Ink::Ink,
        ),
    };
    let figures = [
        ("s", (mean.as_s() * 100.0).round() / 100.0),
        ("lost", lost as f64),
        ("unanswered", unanswered as f64),
    ];
    panel(WRITES, rect(2), (lines, ink), &figures, scene);
    rect(2).y + 36.0
}

/// A span to two digits, so that it rests.
fn rounded(span: Time) -> Time {
    Time(span.0 / 10_000 * 10_000)
}

fn panel(
    part: PartId,
    rect: Rect,
    (lines, ink): (Vec<String>, Ink),
    figures: &[(&'static str, f64)],
    scene: &mut Scene,
) {
    let mut pencil = scene.thing(part, rect, lines[0].clone());
    for (name, value) in figures {
        pencil.figure(name, *value);
    }
    pencil.bordered(rect, 8.0, Ink::Card, Ink::Line, 1.0);
    let at = pt(rect.x + 10.0, rect.y + 18.5);
    let text = fitting(&lines, 12.0, ink == Ink::Bad, rect.w - 20.0);
    if ink == Ink::Bad {
        pencil.bold(at, 12.0, ink, text);
    } else {
        pencil.text(at, 12.0, ink, text);
    }
}
