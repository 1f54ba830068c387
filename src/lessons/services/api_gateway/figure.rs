//! The stage: who asks, the door with its places, and the services, each with its part of the latest page in time.

use super::{
    COPIES, Fate, GATEWAY, IN, KEY, LATELY, LOGIN, ODD, PAGE, PARTNER, PARTS, PATHS, PHONE,
    RATINGS, REVIEWS, SERVICES, Seen, Timing, WEB, class_of, direct, rule_word,
};
use engine::scene::{Curve, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, LANE, NodeCard, on};
use kit::system::{Frame, NodeId, Place, System, Values, died};

/// From here on the parts stand side by side.
const WIDE: f32 = 700.0;
/// The page and its axis.
pub(super) const PAGE_PART: PartId = PartId::one("page");
/// Whose chain of causes answers for what is drawn here: who asks is asked about by what was asked.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (PAGE_PART, PartId::one("product")),
    (PartId::one("phone"), PartId::one("product")),
    (PartId::one("web"), PartId::one("login")),
    (PartId::one("web"), PartId::nth("gateway", 1)),
    (PartId::one("partner"), PartId::nth("gateway", 1)),
];
/// On a narrow stage the way to all services goes down here.
const SPINE: f32 = 30.0;
/// Places are drawn one by one up to so many.
const CELLS: usize = 20;

/// What takes less on a wire is not drawn there: nobody could see it.
const SEEN: Time = Time::ms(5);

/// Where everything stands.
struct Layout {
    clients: [Rect; 3],
    gateways: Vec<Rect>,
    rows: [Rect; PAGE + 2],
    /// Where bars begin and end in a row.
    bars: (f32, f32),
    page: Rect,
    wide: bool,
}

impl Layout {
    fn of(width: f32, gateways: usize, split: bool) -> Layout {
        // The ratings stand between the parts of before and the login.
        let place = |service: usize| match (service, split) {
            (LOGIN, false) => PAGE as f32,
            _ => service as f32,
        };
        let rows = (PAGE + 1 + usize::from(split)) as f32;
        let count = gateways.max(1) as f32;
        if width >= WIDE {
            let pitch = (320.0 / rows).min(40.0);
            let row =
                |i: usize| Rect::new(456.0, 8.0 + pitch * place(i), width - 468.0, pitch - 3.0);
            let h = (320.0 - (count - 1.0) * 8.0) / count;
            let h = h.min(150.0);
            // Low, so that the phone's own calls pass above it.
            let top = 324.0 - count * h - (count - 1.0) * 8.0;
            return Layout {
                clients: std::array::from_fn(|i| {
                    Rect::new(12.0, 8.0 + 108.0 * i as f32, 150.0, 96.0)
                }),
                gateways: (0..gateways)
                    .map(|i| Rect::new(240.0, top + (h + 8.0) * i as f32, 148.0, h))
                    .collect(),
                rows: std::array::from_fn(row),
                bars: (652.0, width - 24.0),
                page: Rect::new(456.0, 332.0, width - 468.0, 44.0),
                wide: true,
            };
        }
        let w = (width - 24.0 - 12.0) / 3.0;
        let each = (width - 52.0 - 6.0 * (count - 1.0)) / count;
        Layout {
            clients: std::array::from_fn(|i| Rect::new(12.0 + (w + 6.0) * i as f32, 8.0, w, 82.0)),
            gateways: (0..gateways)
                .map(|i| Rect::new(40.0 + (each + 6.0) * i as f32, 112.0, each, 114.0))
                .collect(),
            rows: std::array::from_fn(|i| {
                Rect::new(40.0, 242.0 + 40.0 * place(i), width - 52.0, 36.0)
            }),
            bars: (40.0 + (width - 52.0) * 0.5, width - 20.0),
            page: Rect::new(40.0, 242.0 + 40.0 * rows, width - 52.0, 44.0),
            wide: false,
        }
    }

    fn service(&self, node: NodeId) -> Option<usize> {
        SERVICES.iter().position(|id| *id == node)
    }

    /// From a client to a gateway.
    fn door(&self, client: usize, gateway: usize) -> Option<Curve> {
        let (from, to) = (self.clients[client], self.gateways.get(gateway)?);
        Some(if self.wide {
            Curve::across(from.right(), to.left())
        } else {
            Curve::down(from.bottom(), to.top())
        })
    }

    /// From the phone to a service.
    fn past(&self, service: usize) -> Curve {
        let (from, to) = (self.clients[0], self.rows[service].left());
        if self.wide {
            let start = from.right();
            return Curve::cubic(start, pt(to.x - 26.0, start.y), pt(to.x - 36.0, to.y), to);
        }
        let start = pt(24.0, from.y + from.h);
        let corner = pt(24.0, to.y);
        Curve::cubic(start, corner, corner, to)
    }

    /// From a gateway to where its ways to the services begin: of several on a narrow stage only the first is beside them.
    fn out(&self, gateway: usize) -> Option<Curve> {
        let from = self.gateways.get(gateway).filter(|_| !self.wide)?;
        let foot = from.y + from.h;
        Some(match gateway {
            0 => Curve::straight(pt(from.x, foot - 16.0), pt(SPINE, foot + 8.0)),
            _ => {
                let bend = pt(from.centre().x, foot + 8.0);
                Curve::cubic(from.bottom(), bend, bend, pt(SPINE, foot + 8.0))
            }
        })
    }

    /// From a gateway to a service.
    fn inside(&self, gateway: usize, service: usize) -> Option<Curve> {
        let (from, to) = (self.gateways.get(gateway)?, self.rows[service].left());
        if self.wide {
            return Some(Curve::across(from.right(), to));
        }
        // Beside the services, where all ways are one.
        let start = pt(SPINE, from.y + from.h + 8.0);
        let corner = pt(SPINE, to.y);
        Some(Curve::cubic(start, corner, corner, to))
    }
}

/// Draws all of it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let gateways = system.node(GATEWAY).map_or(1, |live| live.members.len());
    let seen = system.own::<Seen>();
    let layout = Layout::of(scene.width, gateways, seen.split);
    let shown = |service: &usize| *service != RATINGS || seen.split;
    scene.height = layout.page.y + layout.page.h + 8.0;
    let mut ways = scene.background();
    for client in 0..3 {
        for gateway in 0..gateways {
            if let Some(way) = layout.door(client, gateway) {
                // Who calls by itself passes by the door.
                let used = client > 0 || seen.door;
                let ink = if used { Ink::Mark } else { Ink::Line };
                ways.line(way.d(), ink, 1.5);
            }
        }
    }
    for way in (0..gateways).filter_map(|gateway| layout.out(gateway)) {
        ways.line(way.d(), Ink::Mark, 1.5);
    }
    for service in (0..SERVICES.len()).filter(shown) {
        let id = SERVICES[service];
        let held = |frame: &Frame| frame.at().0 == id;
        let used = system.frames().any(|(_, frame)| held(frame));
        for gateway in 0..gateways {
            if let Some(way) = layout.inside(gateway, service) {
                let ink = if used { Ink::Mark } else { Ink::Line };
                ways.line(way.d(), ink, 1.5);
            }
        }
        if service < PAGE && !seen.door {
            ways.line(layout.past(service).d(), Ink::Accent, 1.0);
        }
    }
    phone(system, at, layout.clients[0], scene);
    web(system, at, layout.clients[1], scene);
    partner(system, knobs, at, layout.clients[2], scene);
    for gateway in 0..gateways {
        self::gateway(gateway, system, at, layout.gateways[gateway], scene);
    }
    let axis = axis(seen);
    for service in (0..SERVICES.len()).filter(shown) {
        row(service, system, at, &layout, axis, scene);
    }
    page(system, &layout, axis, scene);
    for (_, frame) in system.frames() {
        dot(frame, at, &layout, scene);
    }
}

/// Calls on the long ways.
fn dot(frame: &Frame, at: Time, layout: &Layout, scene: &mut Scene) {
    let (node, member) = frame.at();
    if frame.place != Place::Travels || frame.leg.to.since(frame.leg.from) < SEEN {
        return;
    }
    let over = frame.leg.on;
    let way = match IN.iter().position(|wire| *wire == over) {
        Some(client) if client < 2 => layout.door(client, member),
        Some(_) => layout.door(2, 0),
        None if over.0 >= direct(0).0 => layout.service(node).map(|service| layout.past(service)),
        None => None,
    };
    let Some(way) = way else { return };
    let (glyph, ink) = match (frame.leg.back, frame.failed.is_some()) {
        (false, _) => (Glyph::Request, Ink::Accent),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Failure, Ink::Bad),
    };
    let lane = match (frame.leg.back, layout.wide) {
        (false, _) => pt(0.0, 0.0),
        (true, true) => pt(0.0, LANE),
        (true, false) => pt(LANE, 0.0),
    };
    let p = on(&way, frame.leg.share(at), lane);
    scene.particle(p, DOT, glyph, ink, frame.number);
}

/// A client's card: name, what it asks for, what it gets.
fn client(
    part: PartId,
    rect: Rect,
    lines: Vec<(String, Ink)>,
    figures: &[(&'static str, f64)],
    scene: &mut Scene,
) {
    let name = scene.name(part);
    let spoken: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
    let spoken = spoken.join(", ");
    let mut pencil = scene.thing(part, rect, spoken);
    for (figure, value) in figures {
        pencil.figure(figure, *value);
    }
    NodeCard::plain(rect, name, String::new()).draw(&mut pencil);
    let edge = if rect.w < 110.0 { 9.0 } else { 14.0 };
    let room = rect.w - 2.0 * edge + 6.0;
    for (i, (line, ink)) in lines.into_iter().enumerate() {
        let at = pt(rect.x + edge, rect.y + 43.0 + 16.0 * i as f32);
        if at.y > rect.y + rect.h - 6.0 {
            break;
        }
        let bold = ink == Ink::Bad;
        let line = fitting(&[line], 11.0, bold, room);
        if bold {
            pencil.bold(at, 11.0, ink, line);
        } else {
            pencil.text(at, 11.0, ink, line);
        }
    }
}

fn percent(share: f64) -> Arg {
    Arg::Number((share * 100.0).round())
}

fn phone(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let load = system.load_per_s(PHONE);
    let calls = if seen.door { 1 } else { PAGE };
    let share = |fate: Fate| seen.pages.share(fate as usize, LATELY, at).unwrap_or(0.0);
    let (partial, failed) = (share(Fate::Partial), share(Fate::Failed));
    let mut lines = vec![
        (scene.say("pages", &[Arg::Number(load)]), Ink::Secondary),
        (
            scene.say("calls", &[Arg::Count(calls as i64)]),
            Ink::Secondary,
        ),
    ];
    if failed > 0.0 {
        lines.push((scene.say("failed", &[percent(failed)]), Ink::Bad));
    } else if partial > 0.0 {
        lines.push((scene.say("partial", &[percent(partial)]), Ink::Warn));
    }
    let figures = [
        ("calls", calls as f64),
        ("partial %", partial * 100.0),
        ("failed %", failed * 100.0),
    ];
    client(PartId::one("phone"), rect, lines, &figures, scene);
}

fn web(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let refused = seen.refused(at).unwrap_or(0.0);
    let load = system.load_per_s(WEB);
    let mut lines = vec![(scene.say("logins", &[Arg::Number(load)]), Ink::Secondary)];
    if refused > 0.0 {
        lines.push((scene.say("refused", &[percent(refused)]), Ink::Bad));
    } else {
        lines.push((scene.say("all-in", &[]), Ink::Secondary));
    }
    let figures = [("refused %", refused * 100.0)];
    client(PartId::one("web"), rect, lines, &figures, scene);
}

fn partner(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let load = system.load_per_s(PARTNER);
    let limit = knobs.whole("limit");
    let said = if limit > 0 {
        scene.say("limit", &[Arg::Count(i64::from(limit))])
    } else {
        scene.say("limit.none", &[])
    };
    let mut lines = vec![
        (scene.say("pages", &[Arg::Number(load)]), Ink::Secondary),
        (said, Ink::Secondary),
    ];
    // The gate that counts its requests has no card of its own.
    let key = system.node(KEY).and_then(|live| live.members.get(0));
    let died = key.and_then(|key| died(key, at, scene));
    lines.extend(died.map(|died| (died, Ink::Bad)));
    client(PartId::one("partner"), rect, lines, &[], scene);
}

/// A gateway: its places, what it last died of, and the last odd path with the rule that it met.
fn gateway(member: usize, system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let Some(live) = system.node(GATEWAY) else {
        return;
    };
    let Some(it) = live.members.get(member) else {
        return;
    };
    let part = PartId::nth("gateway", member as u16 + 1);
    let held = it.own.pool.held.len();
    let down = it.down.is_some();
    let args = [Arg::Count(held as i64), Arg::Count(seen.places as i64)];
    let status = if down {
        scene.say("down", &[])
    } else {
        scene.say("places", &args)
    };
    let short = scene.say(if down { "down" } else { "places.short" }, &args);
    let death = died(it, at, scene);
    let path = seen.odd.map(|odd| {
        let path = scene.say(PATHS[odd], &[]);
        let rule = rule_word(class_of(ODD[odd]));
        [path, format!("→ {}", scene.say(rule, &[]))]
    });
    let name = scene.name(part);
    let spoken = [
        Some(status.clone()),
        death.clone(),
        path.as_ref().map(|it| it.join(" ")),
    ];
    let spoken: Vec<String> = spoken.into_iter().flatten().collect();
    let mut pencil = scene.thing(part, rect, spoken.join(", "));
    pencil
        .figure("places", held as f64)
        .figure("down", f64::from(u8::from(down)));
    let full = held >= seen.places;
    let (ink, border) = match (down, full) {
        (true, _) => (Ink::Bad, Ink::Bad),
        (_, true) => (Ink::Warn, Ink::Warn),
        _ => (Ink::Secondary, Ink::LineStrong),
    };
    let room = rect.w - 24.0;
    let card = NodeCard {
        ink,
        border,
        ..NodeCard::plain(
            rect,
            fitting(&[name], 14.0, true, room),
            fitting(&[status, short], 12.0, ink != Ink::Secondary, room),
        )
    };
    card.draw(&mut pencil);
    // Two rows of places; of many, each cell stands for as many.
    let pitch = (room / (CELLS / 2) as f32).min(12.0);
    let cells = seen.places.min(CELLS);
    let taken = (held * cells).div_ceil(seen.places.max(1));
    for place in 0..cells {
        let (column, line) = ((place % 10) as f32, (place / 10) as f32);
        let cell = Rect::new(
            rect.x + 14.0 + pitch * column,
            rect.y + 54.0 + pitch * line,
            pitch - 2.5,
            pitch - 2.5,
        );
        let fill = if place < taken && !down {
            Ink::Accent
        } else {
            Ink::Card
        };
        pencil.bordered(cell, 2.0, fill, Ink::Mark, 1.0);
    }
    let mut y = rect.y + 54.0 + 2.0 * pitch + 13.0;
    let death = death.map(|line| (line, Ink::Bad)).into_iter();
    let path = path
        .into_iter()
        .flatten()
        .map(|line| (line, Ink::Secondary));
    for (line, ink) in death.chain(path) {
        if y > rect.y + rect.h - 3.0 {
            break;
        }
        let line = fitting(&[line], 11.0, ink == Ink::Bad, room);
        if ink == Ink::Bad {
            pencil.bold(pt(rect.x + 14.0, y), 11.0, ink, line);
        } else {
            pencil.text(pt(rect.x + 14.0, y), 11.0, ink, line);
        }
        y += 15.0;
    }
}

/// The right end of the bars' axis: the first of these that the page fits into.
fn axis(seen: &Seen) -> Time {
    const ENDS: [u64; 9] = [100, 200, 400, 600, 1_000, 2_000, 5_000, 20_000, 60_000];
    let took = seen.last.map_or(Time::ZERO, |last| last.took);
    let end = ENDS.iter().find(|end| Time::ms(**end) >= took);
    Time::ms(*end.unwrap_or(&60_000))
}

fn row(service: usize, system: &System, at: Time, layout: &Layout, axis: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let live = system.node(SERVICES[service]);
    let Some(member) = live.and_then(|live| live.members.get(0)) else {
        return;
    };
    let part = PartId::one(PARTS[service]);
    let rect = layout.rows[service];
    let pool = &member.own.pool;
    let workers = 4 * COPIES[service];
    let busy = [pool.held.len() as i64, i64::from(workers)].map(Arg::Count);
    let busy = scene.say("busy", &busy);
    let waiting = pool.queue.len();
    let slow = member.own.rate < 1.0;
    let mut says = Vec::new();
    if slow {
        says.push(scene.say("hangs", &[]));
    }
    says.push(busy);
    if waiting > 0 {
        says.push(scene.say("waiting", &[Arg::Count(waiting as i64)]));
    }
    let dying = died(member, at, scene);
    let took = seen.last.and_then(|last| bar_of(&last, service));
    let name = scene.name(part);
    let mut spoken = says.clone();
    spoken.extend(dying.clone());
    if let (Some((from, to)), true) = (took, service < LOGIN) {
        spoken.push(scene.say("part-took", &[Arg::Span(to - from)]));
    }
    let mut pencil = scene.thing(part, rect, spoken.join(", "));
    pencil
        .figure("busy", pool.held.len() as f64)
        .figure("waiting", waiting as f64);
    let border = if slow { Ink::Warn } else { Ink::Line };
    pencil.bordered(rect, 8.0, Ink::Card, border, if slow { 2.0 } else { 1.0 });
    let room = layout.bars.0 - rect.x - 18.0;
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 14.0),
        12.0,
        Ink::Ink,
        fitting(&[name], 12.0, true, room),
    );
    let low = pt(rect.x + 10.0, rect.y + 27.0);
    match dying {
        Some(died) => pencil.bold(low, 11.0, Ink::Bad, fitting(&[died], 11.0, true, room)),
        None => {
            let ink = if slow { Ink::Warn } else { Ink::Secondary };
            let all = says.join(" · ");
            pencil.text(low, 11.0, ink, fitting(&[all], 11.0, false, room))
        }
    };
    if service == LOGIN {
        return;
    }
    let x = |time: Time| {
        let share = (time.0 as f32 / axis.0 as f32).min(1.0);
        layout.bars.0 + (layout.bars.1 - layout.bars.0) * share
    };
    let y = rect.y + 10.0;
    pencil.filled(
        Rect::new(layout.bars.0, y, layout.bars.1 - layout.bars.0, 16.0),
        3.0,
        Ink::Rail,
    );
    let Some(last) = seen.last else { return };
    let slowest = (0..LOGIN)
        .filter_map(|part| bar_of(&last, part))
        .map(|(_, to)| to)
        .max();
    match bar_of(&last, service) {
        Some((from, to)) => {
            let ink = if Some(to) == slowest {
                Ink::Warn
            } else {
                Ink::Accent
            };
            let bar = Rect::new(x(from), y, (x(to) - x(from)).max(2.0), 16.0);
            pencil.filled(bar, 3.0, ink);
        }
        None => {
            let from = last.calls[service]
                .0
                .map_or(Time::ZERO, |sent| sent.since(last.began));
            let bar = Rect::new(x(from), y, (x(last.took) - x(from)).max(2.0), 16.0);
            pencil.bordered(bar, 3.0, Ink::BadHatch, Ink::Bad, 1.0);
        }
    }
}

/// When a part of a page was asked for and there, since the page was asked for; none if it was left out.
fn bar_of(page: &Timing, service: usize) -> Option<(Time, Time)> {
    let (sent, back) = page.calls.get(service).copied()?;
    let (from, to) = (sent?.since(page.began), back?.since(page.began));
    (to <= page.took).then_some((from, to))
}

/// How long the latest page took, and pages as a rule.
fn page(system: &System, layout: &Layout, axis: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let rect = layout.page;
    let last = seen.last.map(|last| last.took);
    let median = seen.median();
    let took = match last {
        Some(took) => scene.say("page", &[Arg::Span(took)]),
        None => scene.say("page.none", &[]),
    };
    let (slow, all) = seen.slow;
    let slow = f64::from(slow) / f64::from(all.max(1));
    let drags = seen.drags;
    let usual = median.map(|(median, count)| {
        if drags {
            return scene.say("slow-pages", &[percent(slow), Arg::Count(i64::from(all))]);
        }
        let args = [Arg::Span(median), Arg::Count(count as i64)];
        scene.say("median", &args)
    });
    let end = scene.say("axis", &[Arg::Span(axis)]);
    let spoken = [Some(took.clone()), usual.clone()];
    let spoken: Vec<String> = spoken.into_iter().flatten().collect();
    let mut pencil = scene.thing(PAGE_PART, rect, spoken.join(", "));
    if let Some((median, count)) = median {
        pencil
            .figure("median ms", median.as_s() * 1_000.0)
            .figure("pages", count as f64);
    }
    if drags {
        pencil.figure("slow %", slow * 100.0);
    }
    pencil.figure(
        "reviews",
        f64::from(u8::from(
            seen.last
                .is_some_and(|last| bar_of(&last, REVIEWS).is_some()),
        )),
    );
    let y = rect.y + 13.0;
    ending(
        &mut pencil,
        pt(layout.bars.1, y),
        11.0,
        false,
        Ink::Secondary,
        end,
    );
    pencil.text(pt(layout.bars.0, y), 11.0, Ink::Secondary, "0");
    if let Some(took) = last {
        let share = (took.0 as f32 / axis.0 as f32).min(1.0);
        let x = layout.bars.0 + (layout.bars.1 - layout.bars.0) * share;
        pencil.line(
            format!("M{} {}v10", text::tenths(x), rect.y - 6.0),
            Ink::Ink,
            2.0,
        );
    }
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 30.0),
        13.0,
        Ink::Ink,
        fitting(&[took], 13.0, true, layout.bars.0 - rect.x - 14.0),
    );
    if let Some(usual) = usual {
        let room = layout.bars.1 - layout.bars.0;
        let usual = fitting(&[usual], 12.0, drags, room);
        let at = pt(layout.bars.0, rect.y + 31.0);
        if drags {
            pencil.bold(at, 12.0, Ink::Warn, usual);
        } else {
            pencil.text(at, 12.0, Ink::Secondary, usual);
        }
    }
}
