//! The stage: clients, balancer and servers from left to right, or from top to bottom where it is narrow.

use super::model::{
    BALANCER, CLIENTS_PART, HOP, Leg, LoadBalancing, Request, Server, Settings, server_part,
};
use crate::kit::figures::{self, DOT, LANE, NodeCard, Urgency};
use algorithms::balancer::Policy;
use engine::scene::{Curve, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use std::f32::consts::FRAC_PI_2;

const DOOR: PartId = PartId::one("door");
/// Wide enough that the longest policy keeps off the dots at the card's sides.
const BALANCER_W: f32 = 134.0;

/// Where everything stands.
struct Layout {
    clients: Rect,
    balancer: Rect,
    /// The row of little boxes that shows whose turn it is.
    turns: Rect,
    servers: Vec<Rect>,
    /// Beside each server: its queue, or what is wrong with it.
    sides: Vec<Rect>,
    door: Curve,
    links: Vec<Curve>,
    /// How far from the request's way the answer's way lies.
    lane: Point,
}

impl Layout {
    fn of(scene: &mut Scene, servers: usize) -> Layout {
        if scene.narrow() {
            Layout::narrow(scene, servers)
        } else {
            Layout::wide(scene, servers)
        }
    }

    fn wide(scene: &mut Scene, count: usize) -> Layout {
        let roomy = scene.width >= 760.0;
        scene.height = (count as f32 * 80.0 + 24.0).max(400.0);
        let (w, h) = (scene.width, scene.height);
        let (server_w, side_w) = if roomy { (158.0, 122.0) } else { (128.0, 86.0) };
        let server_x = w - 12.0 - side_w - server_w;
        let clients = Rect::new((w * 0.045).min(40.0), h / 2.0 - 31.0, 96.0, 62.0);
        let free = server_x - clients.x - clients.w - BALANCER_W;
        let balancer = Rect::new(
            clients.x + clients.w + free * 0.45,
            h / 2.0 - 36.0,
            BALANCER_W,
            72.0,
        );
        let turn = if roomy { 26.0 } else { 22.0 };
        let turns_w = turn * count as f32;
        let centre = balancer.centre().x;
        let turns = Rect::new(centre - turns_w / 2.0, balancer.y - 50.0, turns_w, 42.0);
        let pitch = (h - 24.0) / count as f32;
        let card = |i: usize| {
            Rect::new(
                server_x,
                12.0 + pitch * (i as f32 + 0.5) - 36.0,
                server_w,
                72.0,
            )
        };
        let servers: Vec<Rect> = (0..count).map(card).collect();
        let sides = servers
            .iter()
            .map(|card| Rect::new(card.x + card.w + 12.0, card.y, side_w - 12.0, card.h));
        Layout {
            sides: sides.collect(),
            door: Curve::straight(clients.right(), balancer.left()),
            links: servers
                .iter()
                .map(|card| Curve::across(balancer.right(), card.left()))
                .collect(),
            clients,
            balancer,
            turns,
            servers,
            lane: pt(0.0, LANE),
        }
    }

    fn narrow(scene: &mut Scene, count: usize) -> Layout {
        let w = scene.width;
        let clients = Rect::new(12.0, 10.0, 112.0, 54.0);
        let balancer = Rect::new(12.0, 112.0, 128.0, 62.0);
        let per_row = ((w - 160.0) / 22.0).floor().clamp(1.0, 8.0);
        let rows = (count as f32 / per_row).ceil();
        let turns = Rect::new(
            156.0,
            balancer.y + 6.0,
            22.0 * per_row.min(count as f32),
            18.0 + rows * 24.0,
        );
        let trunk = pt(balancer.x + 24.0, balancer.y + balancer.h);
        let side_w = if w < 340.0 { 76.0 } else { 98.0 };
        let card_x = 70.0;
        let card = |i: usize| {
            Rect::new(
                card_x,
                trunk.y + 24.0 + 80.0 * i as f32,
                (w - card_x - side_w - 10.0).min(240.0),
                70.0,
            )
        };
        let servers: Vec<Rect> = (0..count).map(card).collect();
        scene.height = servers.last().map_or(trunk.y, |card| card.y + card.h) + 12.0;
        let sides = servers
            .iter()
            .map(|card| Rect::new(card.x + card.w + 8.0, card.y, side_w - 8.0, card.h));
        let corner = |card: &Rect| pt(trunk.x, card.left().y);
        Layout {
            sides: sides.collect(),
            door: Curve::straight(pt(60.0, clients.y + clients.h), pt(60.0, balancer.y)),
            links: servers
                .iter()
                .map(|card| Curve::cubic(trunk, corner(card), corner(card), card.left()))
                .collect(),
            clients,
            balancer,
            turns,
            servers,
            lane: pt(LANE, 0.0),
        }
    }
}

/// Draws the system at `at`.
pub(super) fn draw(model: &LoadBalancing, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(scene, model.servers.len());
    clients(model, knobs, &layout, scene);
    balancer(model, knobs, &layout, scene);
    for (i, server) in model.servers.iter().enumerate() {
        link(i, server, &layout, scene);
        card(i, server, model, knobs, at, &layout, scene);
        checks(server, i, at, &layout, scene);
    }
    for request in model.requests() {
        dot(request, at, &layout, scene);
    }
}

fn clients(model: &LoadBalancing, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let load = scene.say("load", &[Arg::Number(model.load_per_s(knobs))]);
    let ink = if model.spike.is_some() {
        Ink::Warn
    } else {
        Ink::Secondary
    };
    let (frame, name) = (layout.clients, scene.name(CLIENTS_PART));
    let border = if model.spike.is_some() {
        Ink::Warn
    } else {
        Ink::LineStrong
    };
    let mut pencil = scene.thing(CLIENTS_PART, frame, load.clone());
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(frame, name, load)
    }
    .draw(&mut pencil);
    let value = scene.say("door", &[]);
    scene
        .link(DOOR, layout.door.frame(), value)
        .line(layout.door.d(), Ink::Mark, 1.5);
}

/// The balancer, and whom it would choose next or chose last.
fn balancer(model: &LoadBalancing, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let policy = knobs.policy.0;
    let (label, chosen) = match policy {
        Policy::RoundRobin => ("next", model.balancer.next_in_turn()),
        Policy::WeightedRoundRobin => ("next", preview(model, policy)),
        Policy::LeastConnections => ("fewest", preview(model, policy)),
        Policy::Random | Policy::PowerOfTwoChoices | Policy::IpHash => ("last", model.last_pick),
    };
    let label = scene.say(label, &[]);
    let status = scene.say(policy_word(policy), &[]);
    let value = match chosen {
        Some(i) => format!("{status}, {label}: {}", scene.name(server_part(i))),
        None => format!("{status}, {}", scene.say("nobody", &[])),
    };
    let (card, turns, name) = (layout.balancer, layout.turns, scene.name(BALANCER));
    let narrow = scene.narrow();
    let label_w = if narrow {
        text::width(&label, 12.0, false)
    } else {
        0.0
    };
    let right = (card.x + card.w).max(turns.x + turns.w.max(label_w));
    let left = card.x.min(turns.x);
    let top = card.y.min(turns.y);
    let frame = Rect::new(
        left,
        top,
        right - left,
        (card.y + card.h).max(turns.y + turns.h) - top,
    );
    let mut pencil = scene.thing(BALANCER, frame, value);
    NodeCard::plain(card, name, status).draw(&mut pencil);
    if narrow {
        pencil.text(pt(turns.x, turns.y + 11.0), 12.0, Ink::Secondary, label);
    } else {
        pencil.centred(
            pt(turns.centre().x, turns.y + 11.0),
            12.0,
            false,
            Ink::Secondary,
            label,
        );
    }
    let per_row = if narrow {
        (turns.w / 22.0).max(1.0) as usize
    } else {
        model.servers.len()
    };
    let pitch = turns.w / per_row.min(model.servers.len()).max(1) as f32;
    for (i, server) in model.servers.iter().enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let b = Rect::new(
            turns.x + pitch * column + 1.0,
            turns.y + 18.0 + 24.0 * row,
            pitch - 3.0,
            22.0,
        );
        let counted = policy == Policy::LeastConnections;
        let active = model.balancer.peers()[i].active;
        let mark = if counted {
            active.min(99).to_string()
        } else {
            (i + 1).to_string()
        };
        let at = pt(b.centre().x, b.y + 15.5);
        if chosen == Some(i) {
            pencil
                .filled(b, 6.0, Ink::Accent)
                .centred(at, 12.0, true, Ink::OnAccent, mark);
        } else if server.out() || server.leaving {
            pencil
                .dashed(b, 6.0, Ink::None, Ink::LineStrong, 1.0)
                .centred(at, 12.0, false, Ink::Secondary, "–");
        } else {
            pencil
                .bordered(b, 6.0, Ink::Card, Ink::LineStrong, 1.0)
                .centred(at, 12.0, false, Ink::Secondary, mark);
        }
    }
}

/// Whom a policy without dice would choose now: asks a copy.
fn preview(model: &LoadBalancing, policy: Policy) -> Option<usize> {
    struct NoDice;
    impl rand::TryRng for NoDice {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0);
            Ok(())
        }
    }
    model.balancer.clone().pick(policy, [0; 4], &mut NoDice)
}

const fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "policy.random",
        Policy::RoundRobin => "policy.round-robin",
        Policy::WeightedRoundRobin => "policy.weighted",
        Policy::LeastConnections => "policy.least-connections",
        Policy::PowerOfTwoChoices => "policy.two-choices",
        Policy::IpHash => "policy.ip-hash",
    }
}

fn link(i: usize, server: &Server, layout: &Layout, scene: &mut Scene) {
    let curve = &layout.links[i];
    let id = PartId::nth("link", i as u16 + 1);
    let dead = server.crashed.is_some() || server.out();
    let value = scene.say(if dead { "link.dead" } else { "link.alive" }, &[]);
    let mut pencil = scene.link(id, curve.frame(), value);
    match (server.crashed.is_some(), server.out() || server.leaving) {
        (true, false) => pencil.dashed_line(curve.d(), Ink::Bad, 2.0),
        (_, true) => pencil.dashed_line(curve.d(), Ink::Mark, 1.5),
        (false, false) => pencil.line(curve.d(), Ink::Mark, 1.5),
    };
}

/// What a server's card says about it.
struct Condition {
    status: String,
    ink: Ink,
    border: Ink,
    spoken: String,
}

fn condition(server: &Server, knobs: &Settings, at: Time, scene: &Scene) -> Condition {
    let busy = [
        Arg::Count(server.serving.len() as i64),
        Arg::Count(i64::from(knobs.workers)),
    ];
    let waiting = Arg::Count(server.queue.len() as i64);
    // The dots on the card say who is busy now; the words speak of the meter, which is an average.
    let lately = [figures::roughly(server.busy_share(knobs.workers, at))];
    let now = scene.say("busy", &busy);
    let spoken = |status: &str| format!("{now}, {status}, {}", scene.say("waiting", &[waiting]));
    if let Some(since) = server.crashed {
        let status = scene.say("crashed", &[figures::tenths(at.since(since))]);
        let rotation = scene.say(if server.out() { "out" } else { "still-in" }, &[]);
        return Condition {
            spoken: format!("{status}, {rotation}"),
            status,
            ink: Ink::Bad,
            border: Ink::Bad,
        };
    }
    let (status, ink, border) = if server.out() {
        (scene.say("not-trusted", &[]), Ink::Warn, Ink::Warn)
    } else if server.leaving {
        (scene.say("leaving", &[]), Ink::Warn, Ink::LineStrong)
    } else if server.slow {
        (scene.say("slow", &lately), Ink::Warn, Ink::Warn)
    } else {
        (
            scene.say("lately", &lately),
            Ink::Secondary,
            Ink::LineStrong,
        )
    };
    Condition {
        spoken: spoken(&status),
        status,
        ink,
        border,
    }
}

fn card(
    i: usize,
    server: &Server,
    model: &LoadBalancing,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let (card, side) = (layout.servers[i], layout.sides[i]);
    let part = server_part(i);
    let name = scene.name(part);
    let now = condition(server, knobs, at, scene);
    let note = side_note(server, at, scene);
    let waiting = scene.say("waiting", &[Arg::Count(server.queue.len() as i64)]);
    // The frame ends where what stands beside the card ends: at the callout, or at the longest row of the queue.
    let right = match (&note, server.queue.len()) {
        (Some(_), _) => side.x + side.w,
        (None, 0) => card.x + card.w,
        (None, queue) => {
            let dots = (queue as f32 * figures::PITCH).min(side.w);
            side.x + dots.max(text::width(&waiting, 12.0, false))
        }
    };
    let frame = Rect::new(card.x, card.y, right - card.x, card.h);
    let share = server.busy_share(knobs.workers, at);
    let dead = server.crashed.is_some();
    let face = NodeCard {
        rect: card,
        name,
        status: now.status,
        ink: now.ink,
        border: now.border,
        meter: Some((
            share,
            if share > 0.85 { Ink::Warn } else { Ink::Accent },
            dead,
        )),
    };
    let workers = knobs.workers as usize;
    let slots = face.slots(workers).filter(|_| !dead);

    let mut pencil = scene.thing(part, frame, now.spoken);
    face.draw(&mut pencil);
    if let Some(slot) = &slots {
        figures::sockets(&mut pencil, (0..workers).map(slot));
    }
    // A server out of rotation may still have a queue: its dots then stand in one row under the callout.
    let row = figures::PITCH;
    let (side, below) = match (&note, server.queue.is_empty()) {
        (None, _) => (
            side,
            Rect::new(side.x, side.y + 20.0, side.w, side.h - 20.0),
        ),
        (Some(_), true) => (side, side),
        (Some(_), false) => (
            Rect::new(side.x, side.y, side.w, side.h - row - 3.0),
            Rect::new(side.x, side.y + side.h - row, side.w, row),
        ),
    };
    match note {
        Some((heading, detail)) => {
            let urgency = if still_chosen(server) {
                Urgency::Bad
            } else {
                Urgency::Warn
            };
            figures::callout(&mut pencil, &heading, &detail, side, urgency);
        }
        None if !server.queue.is_empty() => {
            pencil.text(pt(side.x, side.y + 13.0), 12.0, Ink::Secondary, waiting);
        }
        None => {}
    }
    if let Some(slot) = &slots {
        for (j, held) in server.serving.iter().take(workers).enumerate() {
            scene.particle(
                slot(j),
                DOT - 0.5,
                Glyph::Request,
                Ink::Accent,
                model.request(*held).number,
            );
        }
    }
    let numbers = server.queue.iter().map(|held| model.request(*held).number);
    figures::queue(scene, below, Glyph::Request, Ink::Accent, numbers);
}

fn still_chosen(server: &Server) -> bool {
    server.crashed.is_some() && !server.out()
}

/// The short note beside a server that is in trouble: heading and detail.
fn side_note(server: &Server, at: Time, scene: &Scene) -> Option<(String, String)> {
    let check = scene.say("check-in", &[figures::tenths(server.check_at.since(at))]);
    match (server.crashed.is_some(), server.out()) {
        (true, false) => Some((scene.say("still-in", &[]), check)),
        (true, true) | (false, true) => Some((scene.say("out", &[]), check)),
        (false, false) => None,
    }
}

/// A health check on its way to a server or back.
fn checks(server: &Server, i: usize, at: Time, layout: &Layout, scene: &mut Scene) {
    let Some((left, found)) = server.check else {
        return;
    };
    let (share, ink) = match found {
        None => (at.progress(left, left + HOP), Ink::Secondary),
        Some(true) => (1.0 - at.progress(left + HOP, left + HOP + HOP), Ink::Ok),
        Some(false) => (1.0 - at.progress(left + HOP, left + HOP + HOP), Ink::Bad),
    };
    let p = layout.links[i].at(share);
    let lane = layout.lane;
    scene.particle(
        pt(p.x - lane.x, p.y - lane.y),
        6.0,
        Glyph::Heartbeat,
        ink,
        0,
    );
}

/// A request or its answer on a link.
fn dot(request: &Request, at: Time, layout: &Layout, scene: &mut Scene) {
    let share = 1.0 - request.arrives.since(at).0 as f32 / HOP.0 as f32;
    let link = layout.links.get(usize::from(request.server));
    let (curve, share, back) = match request.leg {
        Leg::ToBalancer => (Some(&layout.door), share, false),
        Leg::ToServer => (link, share, false),
        Leg::FromServer => (link, 1.0 - share, true),
        Leg::ToClient => (Some(&layout.door), 1.0 - share, true),
        Leg::Waiting | Leg::InService => return,
    };
    let Some(curve) = curve else { return };
    let (glyph, ink) = match (back, request.failed) {
        (false, _) => (Glyph::Request, Ink::Accent),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Failure, Ink::Bad),
    };
    let to_server = matches!(request.leg, Leg::FromServer | Leg::ToServer);
    let lane = match back {
        false => pt(0.0, 0.0),
        // On a narrow stage these links turn from down to right, and the lane beside them turns too; else answers
        // would begin on the server's words.
        true if to_server && scene.narrow() => {
            let (sin, cos) = libm::sincosf(share * FRAC_PI_2);
            pt(LANE * cos, -LANE * sin)
        }
        true => layout.lane,
    };
    let p = figures::on(curve, share, lane);
    scene.particle(p, DOT, glyph, ink, request.number);
}
