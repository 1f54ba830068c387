//! The stage: a publisher, a topic, a tank and a card for each subscriber, and the rows of who has got what.

use super::model::{
    DOOR, HOP, LATELY, Market, PUBLISHER, Place, ROWS, TOPIC, buffer, link, subscriber,
};
use super::settings::{Full, Push, Settings, Sorted};
use super::subscriber::{ALERTS, Fate, LATECOMER, Lost, SUBSCRIBERS};
use algorithms::output_buffer::WhenFull;
use engine::scene::{Anchor, Pencil, Rect, Shape, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::label::fitting;
use kit::figures::{self, DOT, NodeCard};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// Prices in a row, on wide and on narrow stages.
const COLUMNS: usize = 36;
const COLUMNS_NARROW: usize = 22;
/// The height of a row of prices.
const ROW: f32 = 17.0;
/// How long a price that is turned back is seen.
const STUB: Time = Time::ms(500);
/// The height of a card and of the tank before it.
const CARD: f32 = 44.0;
const TANK: f32 = 30.0;
/// Names of subscribers before their rows.
const NAMES_W: f32 = 82.0;

pub(super) fn draw(market: &Market, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow);
    let ways: Vec<Way> = (0..SUBSCRIBERS).map(|i| way(&placed, i, narrow)).collect();
    links(market, &placed, &ways, scene);
    publisher(market, placed.of(PUBLISHER), at, scene);
    topic(market, placed.of(TOPIC), scene);
    for i in 0..SUBSCRIBERS {
        tank(market, i, placed.of(buffer(i)), at, scene);
        card(market, i, placed.of(subscriber(i)), at, scene);
    }
    rows(market, placed.of(ROWS), narrow, scene);
    dots(market, &placed, &ways, at, scene);
}

fn place(scene: &mut Scene, narrow: bool) -> Placed {
    let lines = |i: usize| {
        let (tank, card) = if narrow {
            (
                part(buffer(i), (58.0, 84.0), TANK),
                part(subscriber(i), (150.0, 230.0), CARD),
            )
        } else {
            (
                part(buffer(i), (64.0, 130.0), TANK),
                part(subscriber(i), (170.0, 270.0), CARD),
            )
        };
        let way = if narrow {
            Span::rest(22.0, 1.0)
        } else {
            Span::rest(28.0, 1.0)
        };
        Slot::Row(vec![tank, space(way), card])
    };
    let mut column = Vec::new();
    for i in 0..SUBSCRIBERS {
        column.push(lines(i));
        column.push(space(5.0));
    }
    let head = [
        part(PUBLISHER, (100.0, 124.0), 68.0),
        space(Span::rest(if narrow { 30.0 } else { 18.0 }, 0.6)),
        part(TOPIC, (112.0, 116.0), 68.0),
    ];
    let stage = if narrow {
        let column = Slot::Row(vec![space(26.0), Slot::Column(column)]);
        vec![Slot::Row(head.to_vec()), space(12.0), column]
    } else {
        let mut row = head.to_vec();
        row.extend([space(Span::rest(20.0, 0.6)), Slot::Column(column)]);
        vec![Slot::Row(row)]
    };
    let mut all = stage;
    let rows = SUBSCRIBERS as f32 * ROW + 54.0;
    all.extend([space(8.0), part(ROWS, Span::rest(250.0, 1.0), rows)]);
    lay(scene, &Slot::Column(all))
}

/// From the topic to a tank.
fn copy_way(placed: &Placed, i: usize, narrow: bool) -> Way {
    let (topic, tank) = (placed.of(TOPIC), placed.of(buffer(i)));
    if narrow {
        let x = 14.0;
        let (left, y) = (topic.x, topic.y + topic.h - 10.0);
        let down = placed.of(buffer(0)).y - 7.0;
        Way::through(
            &[
                pt(left + 16.0, y + 10.0),
                pt(left + 16.0, down),
                pt(x, down),
                pt(x, tank.left().y),
                tank.left(),
            ],
            6.0,
        )
    } else {
        Way::straight(topic.right(), tank.left())
    }
}

fn way(placed: &Placed, i: usize, _: bool) -> Way {
    Way::straight(
        placed.of(buffer(i)).right(),
        placed.of(subscriber(i)).left(),
    )
}

fn links(market: &Market, placed: &Placed, ways: &[Way], scene: &mut Scene) {
    let narrow = scene.narrow();
    let door = placed.way(PUBLISHER, TOPIC);
    let words = scene.say("door", &[]);
    scene
        .link(DOOR, door.frame(), words)
        .line(door.d(), Ink::Mark, 1.5);
    for (i, way) in ways.iter().enumerate() {
        let one = &market.subscribers[i];
        let copies = copy_way(placed, i, narrow);
        let mut ground = scene.background();
        if one.joined {
            ground.line(copies.d(), Ink::Mark, 1.5);
        } else {
            ground.dashed_line(copies.d(), Ink::LineStrong, 1.0);
        }
        let word = match (one.joined, one.connected) {
            (false, _) => "link.none",
            (true, true) => "link.up",
            (true, false) => "link.down",
        };
        let words = scene.say(word, &[]);
        let mut pencil = scene.link(link(i), way.frame(), words);
        match (one.joined, one.connected) {
            (false, _) => pencil.dashed_line(way.d(), Ink::LineStrong, 1.0),
            (true, true) => pencil.line(way.d(), Ink::Mark, 1.5),
            (true, false) => pencil.dashed_line(way.d(), Ink::Bad, 2.0),
        };
    }
}

fn publisher(market: &Market, rect: Rect, at: Time, scene: &mut Scene) {
    let rate = market.sent.per_s(0, LATELY, at);
    let waits = market.blocked.since().is_some();
    let asked = scene.say("load", &[Arg::Number(market.load)]);
    let sends = scene.say("sends", &[Arg::Tenths((rate * 10.0 + 0.5) as u32)]);
    let answered = scene.say("answered", &[Arg::Count(market.answered.into())]);
    let slowed = rate < 0.9 * market.load && market.stopped > 0;
    let status = if slowed { sends } else { asked };
    let word = if waits {
        scene.say("must-wait", &[])
    } else {
        answered
    };
    let (ink, border) = if waits || slowed {
        (Ink::Warn, Ink::Warn)
    } else {
        (Ink::Secondary, Ink::LineStrong)
    };
    let name = scene.name(PUBLISHER);
    let mut pencil = scene.thing(PUBLISHER, rect, format!("{status}, {word}"));
    pencil.figure("load", market.load).figure("rate", rate);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(rect, name, status)
    }
    .draw(&mut pencil);
    pencil.text(pt(rect.x + 14.0, rect.y + 59.0), 11.0, ink, word);
}

fn topic(market: &Market, rect: Rect, scene: &mut Scene) {
    let held = market.held.len();
    let status = match (market.push, held) {
        (Push::Connection, 0) => scene.say("keeps-none", &[]),
        (Push::Connection, _) => scene.say("holds", &[Arg::Count(held as i64)]),
        (Push::Address | Push::DeadLetters, _) => scene.say("tries", &[]),
    };
    let name = scene.name(TOPIC);
    let mut pencil = scene.thing(TOPIC, rect, status.clone());
    pencil.figure("held", held as f64);
    NodeCard::plain(rect, name, status).draw(&mut pencil);
}

/// A buffer: how full it is, its limits, and how long it has been above the soft one.
fn tank(market: &Market, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let one = &market.subscribers[i];
    let waits = market.waiting(i);
    let hard = market.limits.hard;
    let watched = market.full == Full::CutOff;
    let over = one.buffer.over_since_us().filter(|_| watched);
    let over = over.map(|since| at.since(Time(since)));
    let soft_for = Time(market.limits.soft_for_us);
    let mut value = scene.say(
        "waiting",
        &[Arg::Count(waits as i64), Arg::Count(hard as i64)],
    );
    if let Some(over) = over {
        let args = [figures::tenths(over), Arg::Span(soft_for)];
        value = format!("{value}, {}", scene.say("over-soft", &args));
    }
    let share = (waits as f32 / hard as f32).min(1.0);
    let clock = over.map(|over| over.0.min(soft_for.0) as f32 / soft_for.0 as f32);
    // What the two lines are is said once, where there is room above the first.
    let labels = (i == 0 && !scene.narrow() && watched)
        .then(|| [scene.say("hard", &[]), scene.say("soft", &[])]);
    let mut frame = rect;
    if labels.is_some() {
        (frame.y, frame.h) = (rect.y - 13.0, rect.h + 13.0);
    }
    let mut pencil = scene.thing(buffer(i), frame, value);
    pencil
        .figure("waiting", waits as f64)
        .figure("over", over.map_or(0.0, Time::as_s));
    let ink = if over.is_some() { Ink::Warn } else { Ink::Hit };
    let border = if one.joined {
        Ink::LineStrong
    } else {
        Ink::Line
    };
    pencil.bordered(rect, 5.0, Ink::Card, border, 1.0);
    // It fills from where it is emptied.
    let w = (rect.w - 4.0) * share;
    if w > 0.5 {
        let soft = if over.is_some() {
            Ink::WarnSoft
        } else {
            Ink::HitSoft
        };
        let level = Rect::new(rect.x + rect.w - 2.0 - w, rect.y + 2.0, w, rect.h - 4.0);
        pencil.bordered(level, 3.0, soft, ink, 1.0);
    }
    if one.joined && market.push == Push::Connection {
        limits(market, rect, labels, &mut pencil);
    }
    if waits > 0 {
        let at = pt(rect.x + 8.0, rect.centre().y + 4.0);
        pencil.bold(at, 12.0, Ink::Ink, waits.to_string());
    }
    if let Some(share) = clock {
        let y = rect.y + rect.h - 3.0;
        let full = rect.w - 8.0;
        let x = text::tenths(rect.x + 4.0);
        let line = |w: f32| format!("M{x} {}h{}", text::tenths(y), text::tenths(w));
        pencil
            .line(line(full), Ink::Rail, 3.0)
            .line(line(full * share), Ink::Bad, 3.0);
    }
}

/// The soft limit as a thin line, the hard one as a thick one.
fn limits(market: &Market, rect: Rect, labels: Option<[String; 2]>, pencil: &mut Pencil<'_>) {
    let x = |n: usize| {
        let share = n as f32 / market.limits.hard as f32;
        rect.x + rect.w - 2.0 - (rect.w - 4.0) * share
    };
    let (top, h) = (rect.y + 2.0, rect.h - 4.0);
    let (top, h) = (text::tenths(top), text::tenths(h));
    let line = |x: f32| format!("M{} {top}v{h}", text::tenths(x));
    if market.full == Full::CutOff {
        pencil.dashed_line(line(x(market.limits.soft)), Ink::Warn, 1.0);
    }
    if let Some([hard, soft]) = labels {
        pencil.text(pt(rect.x, rect.y - 3.0), 11.0, Ink::Bad, hard);
        let at = pt(x(market.limits.soft), rect.y - 3.0);
        pencil.centred(at, 11.0, false, Ink::Warn, soft);
    }
    if market.full.rule() != WhenFull::KeepLatest {
        pencil.line(line(x(market.limits.hard) + 1.0), Ink::Bad, 3.0);
    }
}

fn card(market: &Market, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let one = &market.subscribers[i];
    let part = subscriber(i);
    let name = scene.name(part);
    let rate = Arg::Number(one.speed());
    let (status, ink, border) = if !one.joined {
        (scene.say("not-there", &[]), Ink::Secondary, Ink::Line)
    } else if let Some(back) = one.back_at.filter(|_| !one.connected) {
        let left = figures::tenths(back.since(at));
        let word = match one.gone {
            Lost::Cut => "cut-off",
            _ => "away",
        };
        (scene.say(word, &[left]), Ink::Bad, Ink::Bad)
    } else if one.slow {
        (scene.say("rate", &[rate]), Ink::Warn, Ink::Warn)
    } else {
        (scene.say("rate", &[rate]), Ink::Secondary, Ink::LineStrong)
    };
    let missed = one.lost[0] - one.lost_away_before.min(one.lost[0]);
    let line = if !one.joined {
        scene.say("sent-nothing", &[])
    } else if i == ALERTS && market.filter == Sorted::There && one.thrown_since > 0 {
        scene.say(
            "threw",
            &[
                Arg::Count(one.thrown_since.into()),
                Arg::Count(one.handled_since.into()),
            ],
        )
    } else {
        let share = Arg::Share(one.share());
        let counts = [
            Arg::Count(one.handled_since.into()),
            Arg::Count(one.lost_since.into()),
            share,
        ];
        let (long, short) = (
            scene.say("counts", &counts),
            scene.say("counts.short", &counts),
        );
        fitting(&[long, short], 11.0, false, rect.w - 24.0)
    };
    let age = scene.say("age", &[figures::tenths(one.age)]);
    let spoken = format!("{status}, {line}, {age}");
    let mut pencil = scene.thing(part, rect, spoken);
    pencil
        .figure("handled", f64::from(one.handled_since))
        .figure("lost", f64::from(one.lost_since))
        .figure("missed", missed as f64)
        .figure("share", one.share() * 100.0)
        .figure("rate", one.done.per_s(0, LATELY, at))
        .figure("age", one.age.as_s())
        .figure("cuts", f64::from(one.cuts))
        .figure("first-cut", one.first_cut.map_or(0.0, Time::as_s))
        .figure("thrown", f64::from(one.thrown_since))
        .figure("dead", one.lost[4] as f64)
        .figure("joined", f64::from(u8::from(one.joined)))
        .figure("away", f64::from(u8::from(!one.connected)));
    if one.joined {
        pencil.bordered(
            rect,
            8.0,
            Ink::Card,
            border,
            if border == Ink::Bad { 2.0 } else { 1.0 },
        );
    } else {
        pencil.dashed(rect, 8.0, Ink::None, border, 1.0);
    }
    let room = rect.w - 32.0 - text::width(&name, 13.0, true);
    let status = fitting(&[status, String::new()], 12.0, false, room);
    let name_w = text::width(&name, 13.0, true);
    pencil.bold(pt(rect.x + 12.0, rect.y + 18.0), 13.0, Ink::Ink, name);
    pencil.text(pt(rect.x + 20.0 + name_w, rect.y + 18.0), 12.0, ink, status);
    pencil.text(pt(rect.x + 12.0, rect.y + 35.0), 11.0, Ink::Secondary, line);
    if one.joined && one.last > 0 && rect.w > 200.0 {
        pencil.shape(Shape::Text {
            at: pt(rect.x + rect.w - 10.0, rect.y + 18.0),
            size: 11.0,
            bold: false,
            ink: Ink::Secondary,
            anchor: Anchor::End,
            text: age,
        });
    }
}

/// Which of the last prices who has got.
fn rows(market: &Market, area: Rect, narrow: bool, scene: &mut Scene) {
    let columns = if narrow { COLUMNS_NARROW } else { COLUMNS };
    let title = scene.say("rows", &[Arg::Count(columns as i64)]);
    let names: Vec<String> = (0..SUBSCRIBERS)
        .map(|i| scene.name(subscriber(i)))
        .collect();
    let labels = ["fate.handled", "fate.waits", "fate.lost", "fate.aside"];
    let labels = labels.map(|word| scene.say(word, &[]));
    let last: Vec<_> = market.prices.iter().rev().take(columns).collect();
    let of = |i: usize, fate: Fate| last.iter().filter(|price| price.fates[i] == fate).count();
    let spoken: Vec<String> = (0..SUBSCRIBERS)
        .filter(|i| market.subscribers[*i].joined)
        .map(|i| {
            let counts = [Fate::Handled, Fate::Waits, Fate::Lost].map(|fate| of(i, fate));
            let [handled, waits, lost] = counts.map(|n| Arg::Count(n as i64));
            format!(
                "{}: {}",
                names[i],
                scene.say("row", &[handled, waits, lost])
            )
        })
        .collect();
    let mut pencil = scene.thing(ROWS, area, spoken.join("; "));
    pencil.figure("alerts-lost", of(ALERTS, Fate::Lost) as f64);
    pencil.figure("late-handled", of(LATECOMER, Fate::Handled) as f64);
    figures::panel(&mut pencil, area, title);
    let grid = Rect::new(
        area.x + NAMES_W,
        area.y + 28.0,
        area.w - NAMES_W - 10.0,
        SUBSCRIBERS as f32 * ROW,
    );
    let pitch = grid.w / columns as f32;
    for (i, name) in names.into_iter().enumerate() {
        let y = grid.y + ROW * i as f32 + ROW / 2.0;
        pencil.text(pt(area.x + 10.0, y + 4.0), 11.0, Ink::Secondary, name);
        for (back, price) in last.iter().enumerate() {
            let at = pt(grid.x + grid.w - pitch * (back as f32 + 0.5), y);
            let r = (pitch * 0.38).min(5.5);
            match price.fates[i] {
                Fate::Absent => {}
                Fate::Handled => {
                    pencil.mark(Glyph::Message, at, r, Ink::Hit);
                }
                Fate::Waits => {
                    pencil.mark(Glyph::Response, at, r, Ink::Hit);
                }
                Fate::Lost => {
                    pencil.mark(Glyph::Failure, at, r + 0.5, Ink::Bad);
                }
                Fate::Aside => {
                    pencil.mark(Glyph::Request, at, 1.5, Ink::Mark);
                }
            }
        }
    }
    let marks = [
        (Glyph::Message, 5.0, Ink::Hit),
        (Glyph::Response, 5.0, Ink::Hit),
        (Glyph::Failure, 5.5, Ink::Bad),
        (Glyph::Request, 1.5, Ink::Mark),
    ];
    let (mut x, y) = (area.x + 16.0, grid.y + grid.h + 14.0);
    for ((glyph, r, ink), label) in marks.into_iter().zip(labels) {
        let w = text::width(&label, 11.0, false);
        if x + 9.0 + w > area.x + area.w - 6.0 {
            break;
        }
        pencil.mark(glyph, pt(x, y), r, ink);
        pencil.text(pt(x + 9.0, y + 4.0), 11.0, Ink::Secondary, label);
        x += w + 26.0;
    }
}

fn dots(market: &Market, placed: &Placed, ways: &[Way], at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let door = placed.way(PUBLISHER, TOPIC);
    for (number, leg) in &market.coming {
        let to = door.at(leg.share(at), Course::There);
        scene.particle(to, DOT, Glyph::Message, Ink::Accent, *number);
    }
    // The copies of the newest price leave the topic at once, each to its tank.
    if let Some(price) = market.prices.back() {
        let leg = at.since(price.at + HOP);
        if leg < HOP {
            let share = leg.0 as f32 / HOP.0 as f32;
            for i in 0..SUBSCRIBERS {
                let way = copy_way(placed, i, narrow);
                let one = &market.subscribers[i];
                match price.fates[i] {
                    Fate::Absent => continue,
                    Fate::Aside if market.filter == Sorted::Here => continue,
                    Fate::Lost if !one.connected => {
                        let to = way.at(share * 0.6, Course::There);
                        scene.particle(to, DOT, Glyph::Failure, Ink::Bad, price.number);
                    }
                    _ => {
                        let to = way.at(share, Course::There);
                        scene.particle(to, DOT, Glyph::Message, Ink::Hit, price.number);
                    }
                }
            }
        }
    }
    for (i, one) in market.subscribers.iter().enumerate() {
        let Some((number, since)) = one.turned_back else {
            continue;
        };
        let gone = at.since(since);
        if gone < STUB && market.filter == Sorted::Here {
            let share = gone.0 as f32 / STUB.0 as f32;
            let out = if share < 0.5 { share } else { 1.0 - share };
            let to = copy_way(placed, i, narrow).at(out * 0.5, Course::There);
            scene.particle(to, DOT - 1.0, Glyph::Message, Ink::Mark, number);
        }
    }
    for (_, copy) in market.copies.iter() {
        let way = &ways[copy.to];
        match copy.place {
            Place::Waits => {}
            Place::Travels(leg) if leg.back => {
                let to = way.at(1.0 - leg.share(at), Course::Back);
                let (glyph, ink) = if copy.failed {
                    (Glyph::Failure, Ink::Bad)
                } else {
                    (Glyph::Response, Ink::Ok)
                };
                scene.particle(to, DOT - 1.0, glyph, ink, copy.price);
            }
            Place::Travels(leg) => {
                let to = way.at(leg.share(at), Course::There);
                scene.particle(to, DOT, Glyph::Message, Ink::Hit, copy.price);
            }
            Place::Handled { .. } => {}
        }
    }
}
