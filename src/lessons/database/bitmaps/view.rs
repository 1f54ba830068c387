//! The stage: users, a link, and the server with its queue.

use super::model::{LINK, Office, Place, SERVER, Settings, USERS};
use engine::scene::{Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::{DOT, NodeCard, PITCH, queue, sockets};
use kit::layout::{Course, Slot, Span, lay, part, space};

/// Where the queue stands, beside the server.
const QUEUE: PartId = PartId::one("queue");

pub(super) fn draw(office: &Office, knobs: &Settings, at: Time, scene: &mut Scene) {
    let stage = Slot::Spine(vec![
        part(USERS, (110.0, 150.0), 72.0),
        space(Span::rest(90.0, 1.0)),
        Slot::Row(vec![
            part(SERVER, (130.0, 180.0), 72.0),
            space(12.0),
            part(QUEUE, (80.0, 130.0), 72.0),
        ]),
    ]);
    let placed = lay(scene, &stage);
    let way = placed.way(USERS, SERVER);
    let words = scene.say("link", &[]);
    scene
        .link(LINK, way.frame(), words)
        .line(way.d(), Ink::LineStrong, 1.5);

    let load = scene.say("load", &[Arg::Number(knobs.load)]);
    let card = NodeCard::plain(placed.of(USERS), scene.name(USERS), load.clone());
    let mut pencil = scene.thing(USERS, placed.of(USERS), load);
    pencil.figure("load", knobs.load);
    card.draw(&mut pencil);

    let (held, waits) = (office.pool.held.len(), office.pool.queue.len());
    let count = |n: usize| Arg::Count(n as i64);
    let busy = scene.say("busy", &[count(held), count(office.workers)]);
    let waiting = scene.say("waiting", &[count(waits)]);
    let share = held as f32 / office.workers as f32;
    let room = placed.of(QUEUE);
    let card = NodeCard {
        meter: Some((
            share,
            if share < 1.0 { Ink::Accent } else { Ink::Warn },
            false,
        )),
        ..NodeCard::plain(placed.of(SERVER), scene.name(SERVER), busy.clone())
    };
    let slots = card.slots(office.workers);
    let frame = Rect::new(
        card.rect.x,
        card.rect.y,
        room.x + room.w - card.rect.x,
        card.rect.h,
    );
    let mut pencil = scene.thing(SERVER, frame, format!("{busy}, {waiting}"));
    pencil
        .figure("busy", f64::from(share))
        .figure("waiting", waits as f64)
        .figure("refused", f64::from(office.refused));
    card.draw(&mut pencil);
    if let Some(slot) = &slots {
        sockets(&mut pencil, (0..office.workers).map(slot));
    }
    pencil.text(pt(room.x, room.y + 14.0), 12.0, Ink::Secondary, waiting);
    let numbers = office
        .pool
        .queue
        .iter()
        .filter_map(|key| office.requests.get(*key));
    let dots = Rect::new(room.x, room.y + 22.0, room.w, room.h - 22.0);
    // Whole rows, so that the last dot never stands half outside.
    let dots = Rect::new(
        dots.x,
        dots.y,
        dots.w,
        (dots.h / PITCH) as u32 as f32 * PITCH,
    );
    queue(
        scene,
        dots,
        Glyph::Request,
        Ink::Accent,
        numbers.map(|request| request.number),
    );

    if let Some(slot) = &slots {
        for (place, key) in office.pool.held.iter().enumerate().take(office.workers) {
            if let Some(request) = office.requests.get(*key) {
                scene.particle(
                    slot(place),
                    DOT,
                    Glyph::Request,
                    Ink::Accent,
                    request.number,
                );
            }
        }
    }
    for (_, request) in office.requests.iter() {
        let Place::Travels(leg) = request.place else {
            continue;
        };
        let (course, share) = if leg.back {
            (Course::Back, 1.0 - leg.share(at))
        } else {
            (Course::There, leg.share(at))
        };
        let (glyph, ink) = match (leg.back, request.failed) {
            (false, _) => (Glyph::Request, Ink::Accent),
            (true, false) => (Glyph::Response, Ink::Ok),
            (true, true) => (Glyph::Failure, Ink::Bad),
        };
        scene.particle(way.at(share, course), DOT, glyph, ink, request.number);
    }
}
