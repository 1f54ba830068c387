//! The stage: users, checkout and topic, then a row for each subscriber: queue, dead letters, service and workers.

use super::model::{
    CHECKOUT, Design, FALL, HOP, NAMES, Order, PUBLISH, Place, Publishing, Service, Settings, Shop,
    Stage, TOPIC, USERS, User, dead_part, queue_part, service_part,
};
use crate::kit::figures::{self, DOT, LANE, NodeCard};
use engine::scene::{Anchor, Curve, Pencil, Point, Rect, Shape, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};

const DOOR: PartId = PartId::one("door");
const PUBLISH_LINK: PartId = PartId::one("publish");
const PILE: PartId = PartId::one("pile");
/// Height of a service's card, and how much its row of places in memory adds.
const CARD_H: f32 = 92.0;
const MEMORY_H: f32 = 18.0;
/// Height of a queue's box.
const BOX_H: f32 = 40.0;
/// A queue of so many is worth a warning.
const LONG: usize = 10;

/// Where everything stands.
struct Layout {
    users: Rect,
    checkout: Rect,
    pile: Rect,
    topic: Rect,
    queues: Vec<Rect>,
    services: Vec<Rect>,
    door: Curve,
    publish: Curve,
    /// From Checkout straight to each service.
    calls: Vec<Curve>,
    /// From the topic straight to each service.
    pushes: Vec<Curve>,
    /// From the topic to each queue.
    copies: Vec<Curve>,
    /// From each queue to its workers.
    fetches: Vec<Curve>,
    /// How far from the way there the way back lies, on the door, towards the topic and to the services.
    lanes: [Point; 3],
    /// How far a queue's texts may reach.
    label_w: f32,
    /// Whether services show their places in memory.
    memory: bool,
}

impl Layout {
    fn of(model: &Shop, scene: &mut Scene) -> Layout {
        let memory =
            model.design != Design::Queue || model.services.iter().any(|s| !s.memory.is_empty());
        if scene.narrow() {
            Layout::narrow(scene, model.services.len(), memory)
        } else {
            Layout::wide(scene, model.services.len(), memory)
        }
    }

    fn wide(scene: &mut Scene, count: usize, memory: bool) -> Layout {
        let card_h = CARD_H + if memory { MEMORY_H } else { 0.0 };
        scene.height = (count as f32 * 122.0 + 16.0).max(400.0);
        let (w, h) = (scene.width, scene.height);
        let roomy = ((w - 560.0) / 324.0).clamp(0.0, 1.0);
        let size = |least: f32, most: f32| least + (most - least) * roomy;
        let (left_w, topic_w) = (size(104.0, 130.0), size(104.0, 116.0));
        let (queue_w, service_w) = (size(124.0, 200.0), size(118.0, 180.0));
        let margin = size(8.0, 20.0);
        let free = w - 2.0 * margin - left_w - topic_w - queue_w - service_w;
        let middle = h / 2.0;
        let checkout = Rect::new(margin, middle - 37.0, left_w, 74.0);
        let users = Rect::new(margin, checkout.y - 44.0 - 74.0, left_w, 74.0);
        let pile = Rect::new(margin, checkout.y + 74.0 + 8.0, left_w, 92.0);
        let topic = Rect::new(
            checkout.x + left_w + free * 0.30,
            middle - 31.0,
            topic_w,
            62.0,
        );
        let queue_x = topic.x + topic_w + free * 0.38;
        let service_x = w - margin - service_w;
        let pitch = (h - 16.0) / count as f32;
        let row = |i: usize| 8.0 + pitch * (i as f32 + 0.5);
        let queues: Vec<Rect> = (0..count)
            .map(|i| Rect::new(queue_x, row(i) - BOX_H / 2.0, queue_w, BOX_H))
            .collect();
        let services: Vec<Rect> = (0..count)
            .map(|i| Rect::new(service_x, row(i) - card_h / 2.0, service_w, card_h))
            .collect();
        let fan = |from: Point, to: &[Rect]| {
            let to = to.iter().map(|rect| Curve::across(from, rect.left()));
            to.collect::<Vec<_>>()
        };
        Layout {
            door: Curve::straight(users.bottom(), checkout.top()),
            publish: Curve::straight(checkout.right(), topic.left()),
            calls: fan(checkout.right(), &services),
            pushes: fan(topic.right(), &services),
            copies: fan(topic.right(), &queues),
            fetches: queues
                .iter()
                .zip(&services)
                .map(|(queue, service)| Curve::straight(queue.right(), service.left()))
                .collect(),
            lanes: [pt(LANE, 0.0), pt(0.0, LANE), pt(0.0, LANE)],
            label_w: service_x - queue_x - 8.0,
            users,
            checkout,
            pile,
            topic,
            queues,
            services,
            memory,
        }
    }

    fn narrow(scene: &mut Scene, count: usize, memory: bool) -> Layout {
        let w = scene.width;
        let roomy = ((w - 288.0) / 272.0).clamp(0.0, 1.0);
        let size = |least: f32, most: f32| least + (most - least) * roomy;
        let card_h = CARD_H + if memory { MEMORY_H } else { 0.0 };
        let checkout = Rect::new(12.0, 10.0, 120.0, 74.0);
        let users = Rect::new(w - 12.0 - 116.0, 10.0, 116.0, 74.0);
        let topic = Rect::new(12.0, 122.0, 120.0, 58.0);
        let pile = Rect::new(150.0, 100.0, w - 162.0, 78.0);
        let (queue_x, service_w, gap) = (46.0, size(114.0, 190.0), size(24.0, 64.0));
        let service_x = w - 12.0 - service_w;
        let queue_w = service_x - gap - queue_x;
        let pitch = card_h + 32.0;
        let top = 196.0;
        scene.height = top + pitch * count as f32 + 6.0;
        let row = |i: usize| top + pitch * i as f32;
        let queues: Vec<Rect> = (0..count)
            .map(|i| Rect::new(queue_x, row(i) + 20.0, queue_w, BOX_H))
            .collect();
        let services: Vec<Rect> = (0..count)
            .map(|i| Rect::new(service_x, row(i) + 20.0, service_w, card_h))
            .collect();
        let trunk = 28.0;
        let branch = |from: f32, to: Point| {
            let corner = pt(trunk, to.y);
            Curve::cubic(pt(trunk, from), corner, corner, to)
        };
        // All ways reach a row at the height of its queue.
        let door_of = |i: usize| pt(services[i].x, queues[i].centre().y);
        let (out, under) = (checkout.y + checkout.h, topic.y + topic.h);
        Layout {
            door: Curve::straight(pt(users.x, 47.0), pt(checkout.x + checkout.w, 47.0)),
            publish: Curve::straight(pt(72.0, out), pt(72.0, topic.y)),
            calls: (0..count).map(|i| branch(out, door_of(i))).collect(),
            pushes: (0..count).map(|i| branch(under, door_of(i))).collect(),
            copies: queues.iter().map(|q| branch(under, q.left())).collect(),
            fetches: (0..count)
                .map(|i| Curve::straight(queues[i].right(), door_of(i)))
                .collect(),
            lanes: [pt(0.0, LANE), pt(LANE, 0.0), pt(0.0, LANE)],
            label_w: service_x - queue_x - 4.0,
            users,
            checkout,
            pile,
            topic,
            queues,
            services,
            memory,
        }
    }

    /// The way of a call or a push to a service.
    fn direct(&self, design: Design, service: usize) -> Option<&Curve> {
        match design {
            Design::InTurn | Design::Parallel => self.calls.get(service),
            Design::Push | Design::Queue => self.pushes.get(service),
        }
    }
}

/// Draws the system at `at`.
pub(super) fn draw(model: &Shop, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(model, scene);
    let published = |order: &Order| order.publishing != Publishing::No;
    let copied = |order: &Order| {
        let on_the_way = |p: Place| matches!(p, Place::ToQueue(_));
        order.shares.iter().any(|share| on_the_way(share.place))
    };
    let with_topic = !model.design.calls()
        || model
            .orders()
            .any(|order| published(order) || copied(order));
    doors(model, with_topic, &layout, scene);
    for (i, service) in model.services.iter().enumerate() {
        ways(i, service, model, &layout, scene);
    }
    users(model, &layout, scene);
    checkout(model, knobs, &layout, scene);
    pile(model, &layout, scene);
    if with_topic {
        let (name, status) = (scene.name(TOPIC), scene.say("topic", &[]));
        let mut pencil = scene.thing(TOPIC, layout.topic, status.clone());
        NodeCard::plain(layout.topic, name, status).draw(&mut pencil);
    }
    for (i, service) in model.services.iter().enumerate() {
        if has_queue(service, model) {
            queue(i, service, model, at, &layout, scene);
        }
        card(i, service, model, knobs, at, &layout, scene);
        deliveries(i, service, model, at, &layout, scene);
    }
    for order in model.orders() {
        dots(order, at, &layout, scene);
    }
    for fallen in &model.fallen {
        let (Some(card), age) = (layout.services.get(fallen.service), at.since(fallen.at)) else {
            continue;
        };
        if age < FALL {
            let share = age.0 as f32 / FALL.0 as f32;
            let door = layout.pushes[fallen.service].at(1.0);
            let below = pt(card.x - 11.0, door.y + 8.0 + 30.0 * share * share);
            scene.particle(below, DOT, Glyph::Failure, Ink::Bad, fallen.dot);
        }
    }
}

/// Whether a queue is on the stage: in its design, and as long as it holds something.
fn has_queue(service: &Service, model: &Shop) -> bool {
    model.design == Design::Queue
        || !service.queue.is_empty()
        || !service.dead.is_empty()
        || !service.deliveries.is_empty()
}

/// The first text that fits into `limit`, or the last.
fn fit(texts: impl IntoIterator<Item = String>, size: f32, bold: bool, limit: f32) -> String {
    let mut last = String::new();
    for candidate in texts {
        last = candidate;
        if text::width(&last, size, bold) <= limit {
            break;
        }
    }
    last
}

/// How big things are drawn when `count` share `area`: the distance between two, and how many make a row.
fn packing(area: Rect, count: usize) -> (f32, usize, usize) {
    let mut found = (13.0, 1, 1);
    for (pitch, rows_max) in [(13.0, 1), (13.0, 9), (6.0, 99), (2.0, 99), (1.6, 99)] {
        let columns = ((area.w / pitch) as usize).max(1);
        let rows = ((area.h / pitch) as usize).clamp(1, rows_max);
        found = (pitch, columns, rows);
        if columns * rows >= count {
            break;
        }
    }
    found
}

/// The places of the first things in `area`, column after column from the right, and their radius.
fn places(area: Rect, count: usize) -> (f32, impl Iterator<Item = Point>) {
    let (pitch, columns, rows) = packing(area, count);
    let top = area.centre().y - pitch * (rows as f32 - 1.0) / 2.0;
    let right = area.x + area.w - pitch / 2.0;
    let place = move |i: usize| {
        let (column, row) = ((i / rows) as f32, (i % rows) as f32);
        pt(right - pitch * column, top + pitch * row)
    };
    (
        (pitch * 0.4).clamp(0.9, DOT - 0.3),
        (0..columns * rows).map(place),
    )
}

fn doors(model: &Shop, with_topic: bool, layout: &Layout, scene: &mut Scene) {
    let value = scene.say("door", &[]);
    scene
        .link(DOOR, layout.door.frame(), value)
        .line(layout.door.d(), Ink::Mark, 1.5);
    if with_topic {
        let value = scene.say("publish", &[]);
        let ink = if model.design.calls() {
            Ink::Line
        } else {
            Ink::Mark
        };
        scene
            .link(PUBLISH_LINK, layout.publish.frame(), value)
            .line(layout.publish.d(), ink, 1.5);
    }
}

/// The links of one subscriber.
fn ways(i: usize, service: &Service, model: &Shop, layout: &Layout, scene: &mut Scene) {
    let down = service.down.is_some();
    let mut draw = |kind: &'static str, curve: &Curve, broken: bool| {
        let word = if broken { "link.dead" } else { "link.alive" };
        let value = scene.say(word, &[]);
        let id = PartId::nth(kind, i as u16 + 1);
        let mut pencil = scene.link(id, curve.frame(), value);
        if broken {
            pencil.dashed_line(curve.d(), Ink::Bad, 2.0);
        } else {
            pencil.line(curve.d(), Ink::Mark, 1.5);
        }
    };
    match model.design {
        Design::Queue => draw("copy", &layout.copies[i], false),
        Design::Push => draw("copy", &layout.pushes[i], down),
        Design::InTurn | Design::Parallel => draw("copy", &layout.calls[i], down),
    }
    if has_queue(service, model) {
        draw("fetch", &layout.fetches[i], down);
    }
}

fn users(model: &Shop, layout: &Layout, scene: &mut Scene) {
    let frame = layout.users;
    let name = scene.name(USERS);
    let inner = frame.w - 28.0;
    let errors = model.watch.errors.iter().filter(|error| **error).count();
    let (status, ink) = match model.wait() {
        None => (scene.say("wait.none", &[]), Ink::Secondary),
        Some(wait) => {
            let ink = match wait {
                // A quick error is no good wait.
                _ if errors > 0 => Ink::Secondary,
                _ if wait <= Time::ms(100) => Ink::Ok,
                _ if wait < Time::s(1) => Ink::Warn,
                _ => Ink::Bad,
            };
            let long = scene.say("wait", &[Arg::Span(wait)]);
            let short = scene.say("wait.short", &[Arg::Span(wait)]);
            (fit([long, short], 12.5, true, inner), ink)
        }
    };
    let (line, line_ink) = match errors {
        0 => (scene.say("errors.none", &[]), Ink::Secondary),
        n => {
            let of = [
                Arg::Count(n as i64),
                Arg::Count(model.watch.errors.len() as i64),
            ];
            (scene.say("errors", &of), Ink::Bad)
        }
    };
    let border = if errors > 0 {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    let value = format!("{status}, {line}");
    let mut pencil = scene.thing(USERS, frame, value);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(frame, name, status)
    }
    .draw(&mut pencil);
    let at = pt(frame.x + 14.0, frame.y + 63.0);
    if errors > 0 {
        pencil.bold(at, 12.0, line_ink, line);
    } else {
        pencil.text(at, 12.0, line_ink, line);
    }
}

fn checkout(model: &Shop, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let frame = layout.checkout;
    let name = scene.name(CHECKOUT);
    let bursting = model.burst_left > 0;
    let (status, ink, border) = if bursting {
        let left = [Arg::Count(i64::from(model.burst_left))];
        let texts = ["burst", "burst.short"].map(|word| scene.say(word, &left));
        (fit(texts, 12.5, true, frame.w - 28.0), Ink::Warn, Ink::Warn)
    } else {
        let load = scene.say("load", &[Arg::Number(knobs.load_per_s)]);
        (load, Ink::Secondary, Ink::LineStrong)
    };
    let does = match model.design {
        Design::InTurn => "calls.in-turn",
        Design::Parallel => "calls.parallel",
        Design::Push | Design::Queue => "calls.publish",
    };
    let does = scene.say(does, &[]);
    let value = format!("{status}, {does}");
    let mut pencil = scene.thing(CHECKOUT, frame, value);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(frame, name, status)
    }
    .draw(&mut pencil);
    pencil.text(
        pt(frame.x + 14.0, frame.y + 63.0),
        12.0,
        Ink::Secondary,
        does,
    );
}

/// The users whom Checkout keeps waiting while it calls. What it publishes takes no longer than its travel, which
/// the wait leaves out and the dots show.
fn pile(model: &Shop, layout: &Layout, scene: &mut Scene) {
    let frame = layout.pile;
    let waiting: Vec<&Order> = model
        .orders()
        .filter(|order| order.user == User::Waiting && order.design.calls())
        .collect();
    let count = [Arg::Count(waiting.len() as i64)];
    let long = waiting.len() >= LONG;
    let label = ["pile", "pile.short"].map(|word| scene.say(word, &count));
    let label = fit(label, 12.0, long, frame.w - 4.0);
    let mut pencil = scene.thing(PILE, frame, label.clone());
    let at = pt(frame.x + 2.0, frame.y + 13.0);
    if long {
        pencil.bold(at, 12.0, Ink::Warn, label);
    } else {
        pencil.text(at, 12.0, Ink::Secondary, label);
    }
    let area = Rect::new(frame.x, frame.y + 20.0, frame.w, frame.h - 22.0);
    let (pitch, columns, rows) = packing(area, waiting.len());
    let r = (pitch * 0.38).clamp(0.9, DOT);
    for (i, order) in waiting.iter().take(columns * rows).enumerate() {
        let (column, row) = ((i % columns) as f32, (i / columns) as f32);
        let at = pt(
            area.x + pitch * (column + 0.5),
            area.y + pitch * (row + 0.5),
        );
        scene.particle(at, r, Glyph::Request, Ink::Accent, order.dot_whole());
    }
}

/// Width of the sample before the words that explain it.
const SAMPLE: f32 = 15.0;

/// The place of a message that is out for delivery: a square like it, empty.
fn outline(pencil: &mut Pencil<'_>, at: Point, r: f32) {
    let place = Rect::new(at.x - r, at.y - r, 2.0 * r, 2.0 * r);
    pencil.bordered(place, 1.0, Ink::WarnSoft, Ink::Warn, 1.2);
}

/// A queue: its messages, those lent out as empty places, and what comes back when.
fn queue(i: usize, service: &Service, model: &Shop, at: Time, layout: &Layout, scene: &mut Scene) {
    let rect = layout.queues[i];
    let backlog = service.backlog();
    let long = backlog >= LONG;
    let args = [Arg::Word(NAMES[i]), Arg::Count(backlog as i64)];
    let label = fit(
        ["queue", "queue.short", "queue.bare"].map(|word| scene.say(word, &args)),
        12.5,
        long,
        layout.label_w,
    );
    // A message that nobody works on any more comes back when its time-out is over.
    let held = |message: u64, serial: u64| {
        service.deliveries.iter().any(|(_, delivery)| {
            let receipt = delivery.receipt;
            (receipt.message.0, receipt.serial) == (message, serial)
                && !matches!(delivery.stage, Stage::Missing(_))
        })
    };
    let lent = service.lent.iter();
    let let_fall = lent
        .filter(|lent| !held(lent.receipt.message.0, lent.receipt.serial))
        .map(|lent| lent.until)
        .min();
    let note = match let_fall {
        Some(until) => {
            let back = [figures::tenths(until.since(at))];
            let texts = [scene.say("back", &back), scene.say("back.short", &back)];
            Some((fit(texts, 11.5, true, rect.w - SAMPLE), true))
        }
        None if !service.lent.is_empty() => {
            let out = [Arg::Count(service.lent.len() as i64)];
            let texts = [scene.say("out", &out), scene.say("out.short", &out)];
            Some((fit(texts, 11.5, false, rect.w - SAMPLE), false))
        }
        None => None,
    };
    let value = match &note {
        Some((note, _)) => format!("{label}, {note}"),
        None => label.clone(),
    };
    let area = Rect::new(rect.x + 6.0, rect.y + 4.0, rect.w - 12.0, rect.h - 8.0);
    let (r, spots) = places(area, service.queue.len());
    let mut shown: Vec<(Point, bool, u32)> = Vec::new();
    for (message, spot) in service.queue.messages().zip(spots) {
        let hidden = message.visible_at_us > at.0;
        shown.push((spot, hidden, message.body));
    }
    let label_w = text::width(&label, 12.5, long);
    // With air around the words, so that an outline of the frame does not touch them.
    let below = if note.is_some() { 20.0 } else { 5.0 };
    let frame = Rect::new(
        rect.x - 5.0,
        rect.y - 24.0,
        rect.w.max(label_w) + 10.0,
        rect.h + 24.0 + below,
    );
    let border = if long { Ink::Warn } else { Ink::LineStrong };
    let width = if long { 2.0 } else { 1.5 };
    let mut pencil = scene.thing(queue_part(i), frame, value);
    pencil.bordered(rect, 10.0, Ink::Card, border, width);
    let above = pt(rect.x, rect.y - 8.0);
    if long {
        pencil.bold(above, 12.5, Ink::Warn, label);
    } else {
        pencil.text(above, 12.5, Ink::Secondary, label);
    }
    if let Some((note, bold)) = note {
        // Before the words stands what they speak of: a place like those of the messages that are out.
        let y = rect.y + rect.h + 14.0;
        outline(&mut pencil, pt(rect.x + 5.0, y - 4.0), 4.5);
        let ink = if bold { Ink::Warn } else { Ink::Secondary };
        pencil.shape(Shape::Text {
            at: pt(rect.x + SAMPLE, y),
            size: 11.5,
            bold,
            ink,
            anchor: Anchor::Start,
            text: note,
        });
    }
    for (spot, _, _) in shown.iter().filter(|(_, hidden, _)| *hidden) {
        outline(&mut pencil, *spot, r);
    }
    for (spot, _, slot) in shown.iter().filter(|(_, hidden, _)| !*hidden) {
        let order = model.order(*slot);
        let (r, ink) = look(order.shares[i].poison, r);
        scene.particle(*spot, r, Glyph::Message, ink, order.dot(i));
    }
    dead(i, service, model, rect, scene);
}

/// Poison is bigger and of the bad colour.
fn look(poison: bool, r: f32) -> (f32, Ink) {
    if poison {
        (r + 1.5, Ink::Bad)
    } else {
        (r, Ink::Accent)
    }
}

/// The dead-letter queue, once it holds something.
fn dead(i: usize, service: &Service, model: &Shop, queue: Rect, scene: &mut Scene) {
    let count = service.dead.len();
    if count == 0 {
        return;
    }
    let args = [Arg::Count(count as i64)];
    let label = ["dead", "dead.short"].map(|word| scene.say(word, &args));
    let label = fit(label, 12.0, true, queue.w - 14.0);
    let text_w = text::width(&label, 12.0, true);
    let rect = Rect::new(
        queue.x,
        queue.y + queue.h + 21.0,
        (text_w + 36.0).min(queue.w),
        22.0,
    );
    let mut pencil = scene.thing(dead_part(i), rect, label.clone());
    let roomy = rect.w >= text_w + 34.0;
    pencil.dashed(rect, 7.0, Ink::BadSoft, Ink::Bad, 1.5);
    let x = rect.x + if roomy { 25.0 } else { 7.0 };
    pencil.bold(pt(x, rect.y + 15.5), 12.0, Ink::Bad, label);
    if roomy && let Some(first) = service.dead.messages().next() {
        let dot = model.order(first.body).dot(i);
        let at = pt(rect.x + 14.0, rect.y + 11.0);
        scene.particle(at, 5.5, Glyph::Message, Ink::Bad, dot);
    }
}

/// What a service's card says about it: status, its colour, the border, and what is spoken.
fn condition(
    i: usize,
    service: &Service,
    knobs: &Settings,
    at: Time,
    inner: f32,
    scene: &Scene,
) -> (String, Ink, Ink) {
    if let Some(since) = service.down {
        let since = [figures::tenths(at.since(since))];
        let texts = [scene.say("down", &since), scene.say("down.short", &since)];
        return (fit(texts, 12.5, true, inner), Ink::Bad, Ink::Bad);
    }
    let (ink, border) = if service.leaving {
        (Ink::Warn, Ink::Warn)
    } else {
        (Ink::Secondary, Ink::LineStrong)
    };
    // The dots on the card say who is busy now; the words speak of the meter, which is an average.
    let busy = [
        figures::roughly(service.busy_share(knobs.workers, at)),
        Arg::Span(Time::from_ms(knobs.service_ms[i])),
    ];
    let texts = if service.leaving {
        vec![scene.say("leaving", &[]), scene.say("leaving.short", &[])]
    } else {
        vec![scene.say("busy", &busy), scene.say("busy.short", &busy)]
    };
    (fit(texts, 12.5, service.leaving, inner), ink, border)
}

/// The counts that matter in this design: a plain one and a bad one.
fn counts(service: &Service, design: Design, scene: &Scene) -> (String, Option<(String, Ink)>) {
    let c = service.counts;
    let n = |count: u64| [Arg::Count(count as i64)];
    let done = scene.say("done", &n(c.done));
    if service.miss_next {
        return (done, Some((scene.say("will-miss", &[]), Ink::Warn)));
    }
    let list = [
        (c.lost, "lost", Ink::Bad, design == Design::Push),
        (c.missed, "missed", Ink::Bad, design.calls()),
        (c.again, "again", Ink::Warn, design == Design::Queue),
        (c.expired, "expired", Ink::Bad, design == Design::Queue),
    ];
    let first = list.iter().find(|(count, _, _, fits)| *fits && *count > 0);
    let bad = first.map(|(count, word, ink, _)| (scene.say(word, &n(*count)), *ink));
    (done, bad)
}

fn card(
    i: usize,
    service: &Service,
    model: &Shop,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let rect = layout.services[i];
    let inner = rect.w - 28.0;
    let part = service_part(i);
    let name = scene.name(part);
    let (status, ink, border) = condition(i, service, knobs, at, inner, scene);
    let (done, bad) = counts(service, model.design, scene);
    let in_memory = scene.say("memory", &[Arg::Count(service.memory.len() as i64)]);
    let shelf_word = scene.say("shelf", &[]);
    let now = [service.busy(), knobs.workers as usize].map(|n| Arg::Count(n as i64));
    let mut spoken = format!("{status}, {}, {done}", scene.say("now", &now));
    if let Some((bad, _)) = &bad {
        spoken += &format!(", {bad}");
    }
    if layout.memory {
        spoken += &format!(", {in_memory}");
    }
    let down = service.down.is_some();
    let share = service.busy_share(knobs.workers, at);
    let face = NodeCard {
        rect,
        name,
        status,
        ink,
        border,
        meter: Some((
            share,
            if share > 0.9 { Ink::Warn } else { Ink::Accent },
            down,
        )),
    };
    let workers = knobs.workers as usize;
    let slots = face.slots(workers).filter(|_| !down);
    let mut pencil = scene.thing(part, rect, spoken);
    face.draw(&mut pencil);
    if let Some(slot) = &slots {
        figures::sockets(&mut pencil, (0..workers).map(slot));
    }
    tally(&mut pencil, rect, &done, bad);
    let places = knobs.places as usize;
    // Filled column by column over the whole shelf, so that it shows how full the memory is.
    let rows = if inner / places.max(1) as f32 >= 9.0 {
        1
    } else {
        2
    };
    let pitch = (inner / places.div_ceil(rows).max(1) as f32).min(12.5);
    let r = if rows == 1 {
        4.0
    } else {
        (pitch * 0.4).min(2.8)
    };
    let shelf = Rect::new(rect.x + 13.0, rect.y + rect.h - 34.0, inner + 2.0, 15.0);
    let spot = |j: usize| {
        let (column, row) = ((j / rows) as f32, (j % rows) as f32);
        pt(
            rect.x + 14.0 + pitch * (column + 0.5),
            shelf.centre().y + 6.4 * (row - (rows as f32 - 1.0) / 2.0),
        )
    };
    if layout.memory && !down {
        // Dashed: what stands here is gone with the service.
        pencil.dashed(shelf, 5.0, Ink::None, Ink::Mark, 1.0);
        if service.memory.is_empty() {
            let at = pt(shelf.centre().x, shelf.y + 11.5);
            pencil.centred(at, 11.0, false, Ink::Secondary, shelf_word);
        }
    }
    for (j, slot) in service.memory.iter().take(places).enumerate() {
        let order = model.order(*slot);
        let (r, ink) = look(order.shares[i].poison, r);
        scene.particle(spot(j), r, glyph(order.design), ink, order.dot(i));
    }
    if let Some(slot) = &slots {
        let working = service.working.iter().map(|(_, order)| *order);
        let fetched = service.deliveries.iter();
        let fetched = fetched
            .filter(|(_, delivery)| delivery.stage == Stage::Working)
            .map(|(_, delivery)| delivery.order);
        for (j, held) in working.chain(fetched).take(workers).enumerate() {
            let order = model.order(held);
            let (r, ink) = look(order.shares[i].poison, DOT - 1.0);
            scene.particle(slot(j), r, glyph(order.design), ink, order.dot(i));
        }
    }
}

/// The line of counts: the bad one bold behind the plain one, or alone where both do not fit.
fn tally(pencil: &mut Pencil<'_>, rect: Rect, done: &str, bad: Option<(String, Ink)>) {
    let mut at = pt(rect.x + 14.0, rect.y + 64.0);
    let inner = rect.w - 28.0;
    let Some((bad, ink)) = bad else {
        pencil.text(at, 12.0, Ink::Secondary, done);
        return;
    };
    let done = format!("{done} · ");
    let done_w = text::width(&done, 12.0, false);
    if done_w + text::width(&bad, 12.0, true) <= inner {
        pencil.text(at, 12.0, Ink::Secondary, done);
        at.x += done_w;
    }
    pencil.bold(at, 12.0, ink, bad);
}

/// Calls are requests; pushes and copies are messages.
fn glyph(design: Design) -> Glyph {
    if design.calls() {
        Glyph::Request
    } else {
        Glyph::Message
    }
}

/// Messages on their way to workers, and acknowledgements on their way back.
fn deliveries(
    i: usize,
    service: &Service,
    model: &Shop,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let curve = &layout.fetches[i];
    for (_, delivery) in &service.deliveries {
        let order = model.order(delivery.order);
        let dot = order.dot(i);
        let (r, ink) = look(order.shares[i].poison, DOT - 0.3);
        match delivery.stage {
            Stage::Coming(until) => {
                scene.particle(curve.at(way(at, until)), r, Glyph::Message, ink, dot);
            }
            Stage::Ready => scene.particle(curve.at(1.0), r, Glyph::Message, ink, dot),
            Stage::Working => {}
            Stage::Acknowledging(until) => {
                let p = figures::on(curve, 1.0 - way(at, until), layout.lanes[2]);
                scene.particle(p, DOT, Glyph::Response, Ink::Ok, dot);
            }
            Stage::Missing(until) => {
                let share = way(at, until);
                let p = figures::on(curve, 1.0 - share.min(0.5), layout.lanes[2]);
                if share < 0.5 {
                    scene.particle(p, DOT, Glyph::Response, Ink::Ok, dot);
                } else {
                    scene.particle(p, DOT, Glyph::Failure, Ink::Bad, dot);
                }
            }
        }
    }
}

/// How far something has come that arrives at `until`.
fn way(at: Time, until: Time) -> f32 {
    1.0 - (until.since(at).0 as f32 / HOP.0 as f32).min(1.0)
}

/// Whatever travels because of an order, but for deliveries.
fn dots(order: &Order, at: Time, layout: &Layout, scene: &mut Scene) {
    let whole = order.dot_whole();
    match order.user {
        User::Asking(until) => {
            let p = layout.door.at(way(at, until));
            scene.particle(p, DOT, Glyph::Request, Ink::Accent, whole);
        }
        User::Answered(until) => {
            let p = figures::on(&layout.door, 1.0 - way(at, until), layout.lanes[0]);
            let (glyph, ink) = answer(order.failed);
            scene.particle(p, DOT, glyph, ink, whole);
        }
        User::Waiting | User::Gone => {}
    }
    match order.publishing {
        Publishing::Out(until) => {
            let p = layout.publish.at(way(at, until));
            scene.particle(p, DOT, Glyph::Message, Ink::Accent, whole);
        }
        Publishing::Back(until) if until.since(at) <= HOP.max(PUBLISH) => {
            let p = figures::on(&layout.publish, 1.0 - way(at, until), layout.lanes[1]);
            scene.particle(p, DOT, Glyph::Response, Ink::Ok, whole);
        }
        Publishing::Back(_) | Publishing::No => {}
    }
    for (i, share) in order.shares.iter().enumerate() {
        let (r, ink) = look(share.poison, DOT - 0.3);
        match share.place {
            Place::ToService(until) => {
                if let Some(curve) = layout.direct(order.design, i) {
                    let p = curve.at(way(at, until));
                    scene.particle(p, r, glyph(order.design), ink, order.dot(i));
                }
            }
            Place::ToQueue(until) => {
                if let Some(curve) = layout.copies.get(i) {
                    let p = curve.at(way(at, until));
                    scene.particle(p, r, Glyph::Message, ink, order.dot(i));
                }
            }
            Place::Returning(until) => {
                if let Some(curve) = layout.calls.get(i) {
                    let p = figures::on(curve, 1.0 - way(at, until), layout.lanes[2]);
                    let (glyph, ink) = answer(share.failed);
                    scene.particle(p, DOT, glyph, ink, order.dot(i));
                }
            }
            _ => {}
        }
    }
}

fn answer(failed: bool) -> (Glyph, Ink) {
    if failed {
        (Glyph::Failure, Ink::Bad)
    } else {
        (Glyph::Response, Ink::Ok)
    }
}
