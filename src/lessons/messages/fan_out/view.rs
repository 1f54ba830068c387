//! The stage: users, checkout and topic, then a row for each subscriber: queue, dead letters, service and workers.

use super::model::{
    CHECKOUT, Design, FALL, HOP, NAMES, Order, PILE, PUBLISH, Place, Publishing, Service, Settings,
    Shop, Stage, TOPIC, USERS, User, dead_part, queue_part, service_part,
};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, LANE, NodeCard, sockets, tenths};
use kit::layout::{Course, Way};

const DOOR: PartId = PartId::one("door");
const PUBLISH_LINK: PartId = PartId::one("publish");
/// Height of a service's card, and how much its row of places in memory adds.
const CARD_H: f32 = 78.0;
const MEMORY_H: f32 = 18.0;
/// Height of a queue's box.
const BOX_H: f32 = 40.0;
/// A queue of so many is worth a warning.
const LONG: usize = 10;
/// How far corners of links are rounded.
const BEND: f32 = 12.0;

/// Where everything stands.
struct Layout {
    users: Rect,
    checkout: Rect,
    pile: Rect,
    topic: Rect,
    queues: Vec<Rect>,
    services: Vec<Rect>,
    door: Way,
    publish: Way,
    /// From Checkout straight to each service.
    calls: Vec<Way>,
    /// From the topic straight to each service.
    pushes: Vec<Way>,
    /// From the topic to each queue.
    copies: Vec<Way>,
    /// From each queue to its workers.
    fetches: Vec<Way>,
    /// Where it says what travel takes.
    travel: Point,
    /// How far a queue's texts may reach.
    label_w: f32,
    /// Whether services show their places in memory.
    memory: bool,
}

impl Layout {
    fn of(model: &Shop, scene: &mut Scene) -> Layout {
        let memory =
            model.design != Design::Queue || model.services.iter().any(|s| !s.memory.is_empty());
        let card_h = CARD_H + if memory { MEMORY_H } else { 0.0 };
        let layout = if scene.narrow() {
            Layout::narrow(scene, model.services.len(), card_h)
        } else {
            Layout::wide(scene, model.services.len(), card_h)
        };
        Layout { memory, ..layout }
    }

    fn wide(scene: &mut Scene, count: usize, card_h: f32) -> Layout {
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
        let pile = Rect::new(margin, checkout.y + 74.0 + 8.0, left_w, 112.0);
        let topic_x = checkout.x + left_w + free * 0.30;
        let topic = Rect::new(topic_x, middle - 31.0, topic_w, 62.0);
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
        // From the middle of one side to the middle of the other, whatever heights both share.
        let fan = |from: Rect, to: &[Rect]| -> Vec<Way> {
            let slim = |r: &Rect| Rect::new(r.x, r.centre().y, r.w, 0.0);
            let from = slim(&from);
            to.iter().map(|to| Way::between(from, slim(to))).collect()
        };
        let fetches = queues.iter().zip(&services);
        Layout {
            door: Way::straight(users.bottom(), checkout.top()),
            publish: Way::straight(checkout.right(), topic.left()),
            calls: fan(checkout, &services),
            pushes: fan(topic, &services),
            copies: fan(topic, &queues),
            fetches: fetches
                .map(|(queue, service)| Way::straight(queue.right(), service.left()))
                .collect(),
            travel: pt(users.centre().x + 12.0, checkout.y - 18.0),
            label_w: service_x - queue_x - 8.0,
            users,
            checkout,
            pile,
            topic,
            queues,
            services,
            memory: false,
        }
    }

    fn narrow(scene: &mut Scene, count: usize, card_h: f32) -> Layout {
        let w = scene.width;
        let roomy = ((w - 288.0) / 272.0).clamp(0.0, 1.0);
        let size = |least: f32, most: f32| least + (most - least) * roomy;
        // Users, Checkout and topic stand in the order in which an order passes them.
        let users = Rect::new(12.0, 10.0, 116.0, 74.0);
        let checkout = Rect::new(w - 12.0 - 120.0, 10.0, 120.0, 74.0);
        let topic = Rect::new(checkout.x, 122.0, 120.0, 58.0);
        let pile = Rect::new(12.0, 106.0, w - 12.0 - 120.0 - 24.0 - 12.0, 76.0);
        let (queue_x, service_w, gap) = (46.0, size(114.0, 190.0), size(24.0, 64.0));
        let service_x = w - 12.0 - service_w;
        let queue_w = service_x - gap - queue_x;
        let pitch = card_h + 34.0;
        let top = 206.0;
        scene.height = top + pitch * count as f32 + 6.0;
        let row = |i: usize| top + pitch * i as f32;
        let queues: Vec<Rect> = (0..count)
            .map(|i| Rect::new(queue_x, row(i) + 20.0, queue_w, BOX_H))
            .collect();
        let services: Vec<Rect> = (0..count)
            .map(|i| Rect::new(service_x, row(i) + 20.0, service_w, card_h))
            .collect();
        // All ways run to a trunk at the left, and reach a row at the height of its queue.
        let (trunk, bus) = (26.0, 191.0);
        let branch = |from: Point, to: Point| {
            let corners = [from, pt(from.x, bus), pt(trunk, bus), pt(trunk, to.y), to];
            Way::through(&corners, BEND).lanes(0.0, -LANE)
        };
        let door_of = |i: usize| pt(services[i].x, queues[i].centre().y);
        let branches = |from: Point| (0..count).map(|i| branch(from, door_of(i))).collect();
        Layout {
            door: Way::straight(users.right(), checkout.left()),
            publish: Way::straight(checkout.bottom(), topic.top()),
            calls: branches(checkout.bottom()),
            pushes: branches(topic.bottom()),
            copies: queues
                .iter()
                .map(|queue| branch(topic.bottom(), queue.left()))
                .collect(),
            fetches: (0..count)
                .map(|i| Way::straight(queues[i].right(), door_of(i)))
                .collect(),
            travel: pt(12.0, 99.0),
            label_w: service_x - queue_x - 4.0,
            users,
            checkout,
            pile,
            topic,
            queues,
            services,
            memory: false,
        }
    }

    /// The way of a call or a push to a service.
    fn direct(&self, design: Design, service: usize) -> Option<&Way> {
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
    pile(model, at, &layout, scene);
    if with_topic {
        let name = scene.name(TOPIC);
        let status = fitting(
            &[scene.say("topic", &[])],
            12.5,
            false,
            layout.topic.w - 28.0,
        );
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
            let door = layout.pushes[fallen.service].at(1.0, Course::There);
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
    let (value, travel) = (scene.say("door", &[]), scene.say("travel", &[]));
    scene
        .link(DOOR, layout.door.frame(), format!("{value}; {travel}"))
        .line(layout.door.d(), Ink::Mark, 1.5)
        .text(layout.travel, 11.0, Ink::Secondary, travel);
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
    let mut draw = |kind: &'static str, curve: &Way, broken: bool| {
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
    let answers = &model.watch.answers;
    let errors = answers.iter().filter(|answer| answer.failed).count();
    let latest = model.latest();
    let (status, ink) = match latest {
        None => (scene.say("wait.none", &[]), Ink::Secondary),
        Some(latest) => {
            let ink = match latest.wait {
                // A quick error is no good wait.
                _ if errors > 0 => Ink::Secondary,
                wait => slowness(wait),
            };
            let wait = [Arg::Span(latest.wait)];
            let texts = ["wait", "wait.short"].map(|word| scene.say(word, &wait));
            (fitting(&texts, 12.5, true, inner), ink)
        }
    };
    let (line, line_ink) = match errors {
        0 => (scene.say("errors.none", &[]), Ink::Secondary),
        n => {
            let of = [n, answers.len()].map(|n| Arg::Count(n as i64));
            (scene.say("errors", &of), Ink::Bad)
        }
    };
    let line = fitting(&[line], 12.0, errors > 0, inner);
    let border = if errors > 0 {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    let value = format!("{status}, {line}");
    let mut pencil = scene.thing(USERS, frame, value);
    if let Some(latest) = latest {
        pencil.figure("wait", latest.wait.as_s() * 1_000.0);
    }
    pencil.figure("errors", errors as f64);
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
        (
            fitting(&texts, 12.5, true, frame.w - 28.0),
            Ink::Warn,
            Ink::Warn,
        )
    } else {
        let load = scene.say("load", &[Arg::Number(knobs.load_per_s)]);
        (load, Ink::Secondary, Ink::LineStrong)
    };
    let does = match model.design {
        Design::InTurn => "calls.in-turn",
        Design::Parallel => "calls.parallel",
        Design::Push | Design::Queue => "calls.publish",
    };
    let does = fitting(&[scene.say(does, &[])], 12.0, false, frame.w - 28.0);
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

/// How bad a wait is.
fn slowness(wait: Time) -> Ink {
    match wait {
        _ if wait <= Time::ms(100) => Ink::Ok,
        _ if wait < Time::s(1) => Ink::Warn,
        _ => Ink::Bad,
    }
}

/// A bar for each user without an answer: it grows while the user waits and falls when the answer is on its way. Those
/// whose order only travels on stretched links are outlines that stand still: the wait leaves travel out.
fn pile(model: &Shop, at: Time, layout: &Layout, scene: &mut Scene) {
    let frame = layout.pile;
    let mut users: Vec<&Order> = model
        .orders()
        .filter(|order| matches!(order.user, User::Waiting | User::Answered(_)))
        .collect();
    users.sort_unstable_by_key(|order| order.number);
    let open = |order: &&&Order| order.user == User::Waiting;
    let grows = |order: &&&Order| order.waited(at).1;
    let waiting = users.iter().filter(open).filter(grows).count();
    let travelling = users.iter().filter(open).count() - waiting;
    let longest = users.iter().map(|order| order.waited(at).0).max();
    let longest = longest.unwrap_or_default();
    let scales = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000].map(Time::ms);
    let top = scales.into_iter().find(|top| *top >= longest);
    let top = top.unwrap_or(longest);
    let long = waiting >= LONG;
    let count = [Arg::Count(waiting as i64)];
    let on_links = [Arg::Count(travelling as i64)];
    let scale = scene.say("wait.short", &[Arg::Span(top)]);
    let room = frame.w - text::width(&scale, 11.0, false) - 12.0;
    let label = ["pile", "pile.short"].map(|word| scene.say(word, &count));
    let label = fitting(&label, 12.0, long, room);
    let links = ["links", "links.short"].map(|word| scene.say(word, &on_links));
    let links = fitting(&links, 11.5, false, frame.w - 4.0);
    let said = scene.say("wait", &[Arg::Span(longest)]);
    let value = format!("{label}, {links}, {said}");
    let mut pencil = scene.thing(PILE, frame, value);
    pencil.figure("waiting", waiting as f64);
    pencil.figure("travelling", travelling as f64);
    let name_at = pt(frame.x + 2.0, frame.y + 13.0);
    if long {
        pencil.bold(name_at, 12.0, Ink::Warn, label);
    } else {
        pencil.text(name_at, 12.0, Ink::Secondary, label);
    }
    let right = frame.x + frame.w - 2.0;
    ending(
        &mut pencil,
        pt(right, frame.y + 13.0),
        11.0,
        false,
        Ink::Secondary,
        scale,
    );
    let foot = pt(frame.x + 2.0, frame.y + frame.h - 3.0);
    pencil.text(foot, 11.5, Ink::Secondary, links);
    // A line for the scale's top; below the bars stand the users.
    let area = Rect::new(frame.x + 2.0, frame.y + 19.0, frame.w - 4.0, frame.h - 46.0);
    let line = |y: f32| {
        format!(
            "M{} {}H{}",
            text::tenths(area.x),
            text::tenths(y),
            text::tenths(right)
        )
    };
    pencil.dashed_line(line(area.y), Ink::Line, 1.0);
    pencil.line(line(area.y + area.h), Ink::Line, 1.0);
    let pitch = (area.w / users.len().max(1) as f32).clamp(2.0, 12.0);
    let shown = (area.w / pitch) as usize;
    let left = |i: usize| area.x + pitch * i as f32;
    for (i, order) in users.iter().take(shown).enumerate() {
        let (wait, grows) = order.waited(at);
        let left_of_it = match order.user {
            User::Answered(until) => 1.0 - way(at, until),
            _ => 1.0,
        };
        let share = wait.0 as f32 / top.0.max(1) as f32 * left_of_it;
        let h = (area.h * share).clamp(1.0, area.h);
        let bar = Rect::new(left(i) + 0.5, area.y + area.h - h, pitch - 1.0, h);
        if grows {
            pencil.filled(bar, 1.5, slowness(wait));
        } else {
            pencil.bordered(bar, 1.5, Ink::None, slowness(wait), 1.0);
        }
    }
    let r = (pitch * 0.4).clamp(0.9, DOT - 1.0);
    let y = area.y + area.h + 6.0;
    for (i, order) in users
        .iter()
        .filter(|order| order.user == User::Waiting)
        .enumerate()
    {
        let place = users.iter().position(|other| other.number == order.number);
        let Some(place) = place.filter(|place| *place < shown && i < shown) else {
            continue;
        };
        let at = pt(left(place) + pitch / 2.0, y);
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
    let texts = ["queue", "queue.short", "queue.bare"].map(|word| scene.say(word, &args));
    let label = fitting(&texts, 12.5, long, layout.label_w);
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
    // What nobody acknowledged has come back, and is delivered again.
    let back_again = service.queue.messages().find(|message| {
        message.receive_count > 1 || message.receive_count == 1 && message.visible_at_us <= at.0
    });
    let note = match (let_fall, back_again) {
        (None, Some(message)) => {
            let nth = message.receive_count + u32::from(message.visible_at_us <= at.0);
            let again = [Arg::Count(i64::from(nth))];
            let texts = ["again.back", "again.short"].map(|word| scene.say(word, &again));
            Some((fitting(&texts, 11.5, true, rect.w - SAMPLE), true))
        }
        (Some(until), _) => {
            let back = [tenths(until.since(at))];
            let texts = ["back", "back.short"].map(|word| scene.say(word, &back));
            Some((fitting(&texts, 11.5, true, rect.w - SAMPLE), true))
        }
        _ if !service.lent.is_empty() => {
            let out = [Arg::Count(service.lent.len() as i64)];
            let texts = ["out", "out.short"].map(|word| scene.say(word, &out));
            Some((fitting(&texts, 11.5, false, rect.w - SAMPLE), false))
        }
        _ => None,
    };
    let value = match &note {
        Some((note, _)) => format!("{label}, {note}"),
        None => label.clone(),
    };
    let area = Rect::new(rect.x + 6.0, rect.y + 4.0, rect.w - 12.0, rect.h - 8.0);
    let (r, spots) = places(area, service.queue.len());
    let mut shown: Vec<(Point, bool, u32, bool)> = Vec::new();
    for (message, spot) in service.queue.messages().zip(spots) {
        let hidden = message.visible_at_us > at.0;
        shown.push((spot, hidden, message.body, message.receive_count > 0));
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
    pencil.figure("waiting", backlog as f64);
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
        let words = pt(rect.x + SAMPLE, y);
        if bold {
            pencil.bold(words, 11.5, ink, note);
        } else {
            pencil.text(words, 11.5, ink, note);
        }
    }
    for (spot, ..) in shown.iter().filter(|(_, hidden, ..)| *hidden) {
        outline(&mut pencil, *spot, r);
    }
    for (spot, _, slot, again) in shown.iter().filter(|(_, hidden, ..)| !*hidden) {
        let order = model.order(*slot);
        let (r, ink) = look(order.shares[i].poison, *again, r);
        scene.particle(*spot, r, Glyph::Message, ink, order.dot(i));
    }
    dead(i, service, model, rect, scene);
}

/// Poison is bigger and of the bad colour; so is what comes again, in the colour of warnings.
fn look(poison: bool, again: bool, r: f32) -> (f32, Ink) {
    match (poison, again) {
        (true, _) => (r + 1.5, Ink::Bad),
        (false, true) => (r + 1.5, Ink::Warn),
        (false, false) => (r, Ink::Accent),
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
    let label = fitting(&label, 12.0, true, queue.w - 14.0);
    let text_w = text::width(&label, 12.0, true);
    let rect = Rect::new(
        queue.x,
        queue.y + queue.h + 21.0,
        (text_w + 36.0).min(queue.w),
        22.0,
    );
    let mut pencil = scene.thing(dead_part(i), rect, label.clone());
    pencil.figure("count", count as f64);
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
        let since = [tenths(at.since(since))];
        let texts = [scene.say("down", &since), scene.say("down.short", &since)];
        return (fitting(&texts, 12.5, true, inner), Ink::Bad, Ink::Bad);
    }
    let (ink, border) = if service.leaving {
        (Ink::Warn, Ink::Warn)
    } else {
        (Ink::Secondary, Ink::LineStrong)
    };
    let busy = [
        Arg::Count(service.busy() as i64),
        Arg::Count(i64::from(knobs.workers)),
        Arg::Span(Time::from_ms(knobs.service_ms[i])),
    ];
    let texts = if service.leaving {
        ["leaving", "leaving.short"].map(|word| scene.say(word, &[]))
    } else {
        ["busy", "busy.short"].map(|word| scene.say(word, &busy))
    };
    (fitting(&texts, 12.5, service.leaving, inner), ink, border)
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
    let mut spoken = format!("{status}, {done}");
    if let Some((bad, _)) = &bad {
        spoken += &format!(", {bad}");
    }
    if layout.memory {
        spoken += &format!(", {in_memory}");
    }
    let down = service.down.is_some();
    let face = NodeCard {
        ink,
        border,
        ..NodeCard::plain(rect, name, status)
    };
    let workers = knobs.workers as usize;
    let slots = face.slots(workers).filter(|_| !down);
    let mut pencil = scene.thing(part, rect, spoken);
    let c = service.counts;
    let figures = [
        ("busy", service.busy() as u64),
        ("workers", u64::from(knobs.workers)),
        ("memory", service.memory.len() as u64),
        ("done", c.done),
        ("lost", c.lost),
        ("again", c.again),
    ];
    for (name, value) in figures {
        pencil.figure(name, value as f64);
    }
    face.draw(&mut pencil);
    if let Some(slot) = &slots {
        sockets(&mut pencil, (0..workers).map(slot));
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
    let shelf = Rect::new(rect.x + 13.0, rect.y + rect.h - 22.0, inner + 2.0, 15.0);
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
        let (r, ink) = look(order.shares[i].poison, false, r);
        scene.particle(spot(j), r, glyph(order.design), ink, order.dot(i));
    }
    if let Some(slot) = &slots {
        let working = service.working.iter().map(|(_, order)| (*order, false));
        let fetched = service.deliveries.iter();
        let fetched = fetched
            .filter(|(_, delivery)| delivery.stage == Stage::Working)
            .map(|(_, delivery)| (delivery.order, delivery.again));
        for (j, (held, again)) in working.chain(fetched).take(workers).enumerate() {
            let order = model.order(held);
            let (r, ink) = look(order.shares[i].poison, again, DOT - 1.0);
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
    let bad = fitting(&[bad], 12.0, true, rect.x + 14.0 + inner - at.x);
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
        let (r, ink) = look(order.shares[i].poison, delivery.again, DOT - 0.3);
        let yes = if delivery.again { Ink::Warn } else { Ink::Ok };
        let mut put = |share, course, r, glyph, ink| {
            scene.particle(curve.at(share, course), r, glyph, ink, dot);
        };
        match delivery.stage {
            Stage::Coming(until) => put(way(at, until), Course::There, r, Glyph::Message, ink),
            Stage::Ready => put(1.0, Course::There, r, Glyph::Message, ink),
            Stage::Working => {}
            Stage::Acknowledging(until) => {
                put(way(at, until), Course::Back, DOT, Glyph::Response, yes);
            }
            Stage::Missing(until) => match way(at, until) {
                share if share < 0.5 => put(share, Course::Back, DOT, Glyph::Response, yes),
                _ => put(0.5, Course::Back, DOT, Glyph::Failure, Ink::Bad),
            },
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
            let p = layout.door.at(way(at, until), Course::There);
            scene.particle(p, DOT, Glyph::Request, Ink::Accent, whole);
        }
        User::Answered(until) => {
            let p = layout.door.at(way(at, until), Course::Back);
            let (glyph, ink) = answer(order.failed);
            scene.particle(p, DOT, glyph, ink, whole);
        }
        User::Waiting | User::Gone => {}
    }
    match order.publishing {
        Publishing::Out(until) => {
            let p = layout.publish.at(way(at, until), Course::There);
            scene.particle(p, DOT, Glyph::Message, Ink::Accent, whole);
        }
        Publishing::Back(until) if until.since(at) <= HOP.max(PUBLISH) => {
            let p = layout.publish.at(way(at, until), Course::Back);
            scene.particle(p, DOT, Glyph::Response, Ink::Ok, whole);
        }
        Publishing::Back(_) | Publishing::No => {}
    }
    for (i, share) in order.shares.iter().enumerate() {
        let (r, ink) = look(share.poison, false, DOT - 0.3);
        match share.place {
            Place::ToService(until) => {
                if let Some(curve) = layout.direct(order.design, i) {
                    let p = curve.at(way(at, until), Course::There);
                    scene.particle(p, r, glyph(order.design), ink, order.dot(i));
                }
            }
            Place::ToQueue(until) => {
                if let Some(curve) = layout.copies.get(i) {
                    let p = curve.at(way(at, until), Course::There);
                    scene.particle(p, r, Glyph::Message, ink, order.dot(i));
                }
            }
            Place::Returning(until) => {
                if let Some(curve) = layout.calls.get(i) {
                    let p = curve.at(way(at, until), Course::Back);
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
