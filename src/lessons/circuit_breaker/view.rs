//! The stage: users and three services in a row with a breaker on each call, and below them what the breaker in M2 thinks.

use super::model::{
    Answer, BACKUP_PART, BOUNCE, Call, CircuitBreaker, Fallback, Guard, HOP, INNER, Kind, Leg, M3,
    Machine, OTHER, OUTER, OVERLOAD, Rule, SLOTS, SPARE, Settings, THIRD, USER, USERS,
    breaker_part, service_part,
};
use crate::kit::figures::{self, DOT, LANE, NodeCard};
use algorithms::circuit_breaker::State;
use engine::scene::{Anchor, Curve, Pencil, Point, Rect, Shape, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};

const STATES: PartId = PartId::one("states");
const RECENT: PartId = PartId::one("recent");
const MOST: PartId = PartId::one("most");
const GOT: PartId = PartId::one("got");
const SPARE_LINK: PartId = PartId::nth("link", 4);
const OTHERS_LINK: PartId = PartId::nth("link", 5);
/// Where on its link a breaker stands.
const STANDS: f32 = 0.5;

/// Where everything stands.
struct Layout {
    users: Rect,
    services: [Rect; 3],
    /// In each service: where its threads are drawn.
    grids: [Rect; 3],
    backup: Rect,
    /// The copies of the last good answers.
    copies: [Rect; 2],
    links: [Curve; 3],
    spare: Curve,
    others: Curve,
    /// Where the label of the other callers ends.
    others_label: Point,
    icons: [Rect; 2],
    /// Where the state of each breaker is written.
    labels: [Point; 2],
    /// Where the calls a second on each breaker's link are written.
    rates: [Point; 2],
    /// Where it is written how many calls one request has caused.
    most: Rect,
    states: Rect,
    recent: Rect,
    got: Rect,
    /// How far from the call's way the answer's way lies.
    lane: Point,
    narrow: bool,
    roomy: bool,
}

impl Layout {
    fn of(knobs: &Settings, scene: &mut Scene) -> Layout {
        if scene.narrow() {
            Layout::narrow(knobs, scene)
        } else {
            Layout::wide(scene)
        }
    }

    fn wide(scene: &mut Scene) -> Layout {
        let w = scene.width;
        let roomy = w >= 760.0;
        let pad = if roomy { 20.0 } else { 12.0 };
        let [users_w, service_w, third_w] = if roomy {
            [98.0, 134.0, 156.0]
        } else {
            [80.0, 106.0, 118.0]
        };
        let free = w - 2.0 * pad - users_w - 2.0 * service_w - third_w;
        let (door, gap) = (free * 0.16, free * 0.42);
        let (top, h) = (40.0, 116.0);
        let cy = top + h / 2.0;
        let users = Rect::new(pad, cy - 29.0, users_w, 58.0);
        let x1 = pad + users_w + door;
        let x2 = x1 + service_w + gap;
        let x3 = x2 + service_w + gap;
        let services = [
            Rect::new(x1, top, service_w, h),
            Rect::new(x2, top, service_w, h),
            Rect::new(x3, top, third_w, h),
        ];
        let grids =
            services.map(|card| Rect::new(card.x + 14.0, card.y + 56.0, card.w - 28.0, 36.0));
        let centres = [0, 1].map(|i| services[i].x + service_w + gap * STANDS);
        let bottom = 220.0;
        scene.height = bottom + 198.0;
        let states_w = ((w - 2.0 * pad) * 0.62).floor();
        let states = Rect::new(pad, bottom, states_w, 184.0);
        let side_x = pad + states_w + if roomy { 26.0 } else { 16.0 };
        let side_w = w - pad - side_x;
        let third = services[2];
        let backup = Rect::new(third.x, 162.0, third.w, 54.0);
        let copy = |i: usize| {
            let card = services[i];
            Rect::new(card.x, 178.0, if roomy { 156.0 } else { 144.0 }, 28.0)
        };
        Layout {
            users,
            services,
            grids,
            backup,
            copies: [copy(0), copy(1)],
            links: [
                Curve::straight(users.right(), services[0].left()),
                Curve::straight(services[0].right(), services[1].left()),
                Curve::straight(services[1].right(), third.left()),
            ],
            spare: Curve::across(pt(services[1].x + service_w, top + h - 16.0), backup.left()),
            others: Curve::straight(pt(third.x + third.w / 2.0, 6.0), third.top()),
            others_label: pt(third.x + third.w / 2.0 - 14.0, 22.0),
            icons: centres.map(|x| Rect::new(x - 17.0, cy - 17.0, 34.0, 34.0)),
            labels: centres.map(|x| pt(x, cy + 35.0)),
            rates: centres.map(|x| pt(x, cy - 28.0)),
            states,
            recent: Rect::new(side_x, bottom, side_w, 72.0),
            got: Rect::new(side_x, bottom + 80.0, side_w, 104.0),
            most: Rect::new(third.x - if roomy { 0.0 } else { 10.0 }, 170.0, 136.0, 18.0),
            lane: pt(0.0, LANE),
            narrow: false,
            roomy,
        }
    }

    fn narrow(knobs: &Settings, scene: &mut Scene) -> Layout {
        let w = scene.width;
        let full = (w - 24.0).min(460.0);
        let users = Rect::new(12.0, 10.0, 118.0, 54.0);
        let indent = 30.0;
        let first = Rect::new(12.0, 96.0, full, 74.0);
        let second = Rect::new(12.0, first.y + first.h + 62.0, full, 74.0);
        let third = Rect::new(
            12.0 + indent,
            second.y + second.h + 62.0,
            full - indent,
            78.0,
        );
        let services = [first, second, third];
        let grids = services.map(|card| {
            let x = card.x + 116.0;
            Rect::new(x, card.y + 16.0, card.x + card.w - 14.0 - x, 44.0)
        });
        let backup = Rect::new(third.x, third.y + third.h + 40.0, third.w, 54.0);
        let x = 64.0;
        let mids = [
            (first.y + first.h + second.y) / 2.0,
            (second.y + second.h + third.y) / 2.0,
        ];
        let mut y = third.y + third.h + 42.0;
        if knobs.fallback == Fallback::Backup {
            y += 66.0;
        }
        let states = Rect::new(12.0, y, full, 184.0);
        // Beside each other where there is room, below each other otherwise.
        let beside = full >= 400.0;
        let side_w = if beside {
            full / 2.0 - 12.0
        } else {
            full - 4.0
        };
        let recent = Rect::new(14.0, y + 200.0, side_w, 72.0);
        let got = if beside {
            Rect::new(full / 2.0 + 24.0, recent.y, side_w, 104.0)
        } else {
            Rect::new(14.0, recent.y + 84.0, side_w, 104.0)
        };
        scene.height = got.y + got.h + 10.0;
        let copy_x = x + 26.0 + 62.0;
        let others_x = third.x + third.w - 40.0;
        let edge = 12.0 + indent / 2.0;
        Layout {
            users,
            services,
            grids,
            backup,
            copies: mids
                .map(|y| Rect::new(copy_x, y - 14.0, (12.0 + full - copy_x).min(150.0), 28.0)),
            links: [
                Curve::straight(pt(x, users.y + users.h), pt(x, first.y)),
                Curve::straight(pt(x, first.y + first.h), pt(x, second.y)),
                Curve::straight(pt(x, second.y + second.h), pt(x, third.y)),
            ],
            spare: Curve::cubic(
                pt(edge, second.y + second.h),
                pt(edge, backup.y + 40.0),
                pt(edge, backup.y + 27.0),
                backup.left(),
            ),
            others: Curve::straight(
                pt(others_x, third.y + third.h + 30.0),
                pt(others_x, third.y + third.h),
            ),
            others_label: pt(others_x - 14.0, third.y + third.h + 20.0),
            icons: mids.map(|y| Rect::new(x - 16.0, y - 16.0, 32.0, 32.0)),
            labels: mids.map(|y| pt(x + 24.0, y - 4.0)),
            rates: mids.map(|y| pt(x + 24.0, y + 13.0)),
            states,
            recent,
            got,
            most: Rect::new(x + 24.0, users.y + users.h + 8.0, 138.0, 18.0),
            lane: pt(LANE, 0.0),
            narrow: true,
            roomy: false,
        }
    }
}

/// Draws the system at `at`.
pub(super) fn draw(model: &CircuitBreaker, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(knobs, scene);
    users(model, knobs, at, &layout, scene);
    links(model, &layout, scene);
    for i in 0..2 {
        service(i, model, knobs, &layout, scene);
        breaker(i, model, at, &layout, scene);
        copy(i, model, knobs, at, &layout, scene);
    }
    third(model, knobs, &layout, scene);
    backup(model, knobs, &layout, scene);
    most(model, knobs, &layout, scene);
    states(model, knobs, at, &layout, scene);
    recent(model, knobs, &layout, scene);
    got(model, at, &layout, scene);
    for call in model.calls() {
        dot(call, at, &layout, scene);
    }
}

fn users(model: &CircuitBreaker, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let reloading = model.refreshing.is_some();
    let rate = if reloading {
        libm::round(model.lately.per_s(Kind::Sent, at))
    } else {
        knobs.load_per_s
    };
    let status = scene.say("load", &[Arg::Number(rate)]);
    let value = if reloading {
        format!("{status}, {}", scene.say("reloading", &[]))
    } else {
        status.clone()
    };
    let mut card = NodeCard::plain(layout.users, scene.name(USERS), status);
    let note = scene.say("reloading", &[]);
    let mut frame = layout.users;
    if reloading {
        (card.ink, card.border) = (Ink::Warn, Ink::Warn);
        // The word stands below the card, or beside it where the way down is taken.
        frame = if layout.narrow {
            Rect {
                w: frame.w + 84.0,
                ..frame
            }
        } else {
            Rect {
                h: frame.h + 22.0,
                ..frame
            }
        };
    }
    let mut pencil = scene.thing(USERS, frame, value);
    card.draw(&mut pencil);
    if reloading {
        let r = layout.users;
        let place = if layout.narrow {
            pt(r.x + r.w + 10.0, r.y + 32.0)
        } else {
            pt(r.x + 2.0, r.y + r.h + 16.0)
        };
        pencil.bold(place, 12.0, Ink::Warn, note);
    }
}

/// The links; what an open breaker cuts off is dashed.
fn links(model: &CircuitBreaker, layout: &Layout, scene: &mut Scene) {
    for (i, curve) in layout.links.iter().enumerate() {
        let cut = i > 0
            && model.guards[i - 1]
                .as_ref()
                .is_some_and(|guard| guard.state == State::Open);
        let value = scene.say(if cut { "link.cut" } else { "link.open" }, &[]);
        let id = PartId::nth("link", i as u16 + 1);
        // With reduced motion the calls of a link are counted in the middle of its frame. Where a breaker stands, or
        // a card is near, the frame reaches to where there is room: below the row, or to the left of the breaker.
        let guarded = i > 0 && model.guards[i - 1].is_some();
        let f = curve.frame();
        let frame = match (guarded, layout.narrow, layout.roomy) {
            (true, true, _) => Rect::new(8.0, f.y, 51.0, f.h),
            (true, false, _) => Rect::new(f.x, f.y - 6.0, f.w, 112.0),
            (false, false, false) if i == 0 => Rect::new(f.x, f.y - 6.0, f.w, 172.0),
            _ => f,
        };
        let mut pencil = scene.link(id, frame, value);
        if cut {
            let middle = curve.at(STANDS);
            let (near, far) = (
                Curve::straight(curve.at(0.0), middle),
                Curve::straight(middle, curve.at(1.0)),
            );
            pencil.line(near.d(), Ink::Mark, 1.5);
            pencil.dashed_line(far.d(), Ink::Bad, 1.5);
        } else {
            pencil.line(curve.d(), Ink::Mark, 1.5);
        }
    }
    if model.overload.is_some()
        || model
            .calls()
            .any(|call| call.level == OTHER && call.leg == Leg::Going)
    {
        let value = scene.say("others", &[Arg::Number(OVERLOAD.1)]);
        let mut pencil = scene.link(OTHERS_LINK, layout.others.frame(), value.clone());
        pencil.line(layout.others.d(), Ink::Warn, 1.5);
        pencil.shape(Shape::Text {
            at: layout.others_label,
            size: 12.0,
            bold: true,
            ink: Ink::Warn,
            anchor: Anchor::End,
            text: value,
        });
    }
}

/// What a service's card says about it.
fn pool_card(
    pool: usize,
    rect: Rect,
    part: PartId,
    model: &CircuitBreaker,
    knobs: &Settings,
    scene: &Scene,
) -> (NodeCard, String, Option<String>) {
    let (busy, size) = (model.pools[pool].held.len(), knobs.size(pool));
    let waiting = model.pools[pool].queue.len();
    let nobody = model.for_nobody(pool);
    let busy_words = scene.say("busy", &[count(busy), count(size)]);
    let full = busy >= size;
    let status = if full && waiting > 0 {
        scene.say("full", &[count(waiting)])
    } else {
        busy_words.clone()
    };
    let nobody_words = scene.say("nobody", &[count(nobody)]);
    let spoken = format!(
        "{busy_words}, {}, {nobody_words}",
        scene.say("waiting", &[count(waiting)])
    );
    let name = match pool {
        0 => scene.say("name.1", &[]),
        1 => scene.say("name.2", &[]),
        THIRD => scene.say("name.3", &[]),
        _ => scene.name(part),
    };
    let mut card = NodeCard::plain(rect, name, status);
    if full {
        (card.ink, card.border) = if pool < THIRD || waiting > 0 {
            (Ink::Bad, Ink::Bad)
        } else {
            (Ink::Secondary, Ink::LineStrong)
        };
    }
    (card, spoken, (nobody > 0).then_some(nobody_words))
}

/// A service that calls another: its threads as a grid that fills.
fn service(i: usize, model: &CircuitBreaker, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let part = service_part(i);
    let rect = layout.services[i];
    let (card, spoken, nobody) = pool_card(i, rect, part, model, knobs, scene);
    let size = knobs.size(i).max(model.pools[i].held.len());
    let cells = Cells::of(layout.grids[i], size, 3, 13.0);
    let mut pencil = scene.thing(part, rect, spoken);
    card.draw(&mut pencil);
    cells.sockets(&mut pencil, size);
    nobody_line(&mut pencil, rect, nobody);
    fill(model, &model.pools[i].held, &cells, scene);
}

fn nobody_line(pencil: &mut Pencil<'_>, rect: Rect, nobody: Option<String>) {
    if let Some(words) = nobody {
        let place = pt(rect.x + 22.5, rect.y + rect.h - 9.0);
        let dot = pt(rect.x + 15.5, place.y - 4.0);
        pencil.mark(Glyph::Request, dot, 4.0, Ink::Mark);
        pencil.text(place, 12.0, Ink::Ink, words);
    }
}

/// M3: its workers as places, and its queue below them.
fn third(model: &CircuitBreaker, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let rect = layout.services[THIRD];
    let (mut card, mut spoken, nobody) = pool_card(THIRD, rect, M3, model, knobs, scene);
    if knobs.fail_percent > 0.0 {
        card.status = scene.say("fails", &[Arg::Share(knobs.fail_percent / 100.0)]);
        (card.ink, card.border) = (Ink::Bad, Ink::Bad);
        spoken = format!("{}, {spoken}", card.status);
    }
    let grid = layout.grids[THIRD];
    let pool = &model.pools[THIRD];
    let size = knobs.size(THIRD).max(pool.held.len());
    let workers = Cells::of(Rect { h: 13.0, ..grid }, size, 1, 13.0);
    let below = Rect::new(grid.x, grid.y + 16.0, grid.w, grid.h - 16.0);
    let queue = Cells::of(below, (knobs.queue as usize).max(pool.queue.len()), 2, 10.0);
    let mut pencil = scene.thing(M3, rect, spoken);
    card.draw(&mut pencil);
    workers.sockets(&mut pencil, size);
    queue.pips(&mut pencil, knobs.queue as usize);
    nobody_line(&mut pencil, rect, nobody);
    fill(model, &pool.held, &workers, scene);
    for (i, slot) in pool.queue.iter().enumerate() {
        waiting_dot(model.at(*slot), queue.at(i), queue.r, scene);
    }
}

fn fill(model: &CircuitBreaker, held: &[u32], cells: &Cells, scene: &mut Scene) {
    for (i, slot) in held.iter().enumerate() {
        waiting_dot(model.at(*slot), cells.at(i), cells.r, scene);
    }
}

/// A call that is held or waits; grey if nobody waits for it, amber if it is none of this chain.
fn waiting_dot(call: &Call, at: Point, r: f32, scene: &mut Scene) {
    let ink = match (call.level, call.left) {
        (OTHER, _) => Ink::Warn,
        (_, true) => Ink::Mark,
        (_, false) => Ink::Accent,
    };
    scene.particle(at, r, Glyph::Request, ink, call.number);
}

/// A block of small places in rows.
struct Cells {
    area: Rect,
    per_row: usize,
    pitch: f32,
    r: f32,
}

impl Cells {
    fn of(area: Rect, count: usize, rows: usize, pitch_max: f32) -> Cells {
        let per_row = count.div_ceil(rows).max(1);
        let pitch = (area.w / per_row as f32)
            .min(area.h / rows as f32)
            .min(pitch_max);
        Cells {
            area,
            per_row,
            pitch,
            r: (pitch * 0.42).min(DOT),
        }
    }

    fn at(&self, i: usize) -> Point {
        let (column, row) = ((i % self.per_row) as f32, (i / self.per_row) as f32);
        pt(
            self.area.x + self.pitch * (column + 0.5),
            self.area.y + self.pitch * (row + 0.5),
        )
    }

    /// Specks for places in a queue, as one path.
    fn pips(&self, pencil: &mut Pencil<'_>, count: usize) {
        let d: String = (0..count)
            .map(|i| {
                let p = self.at(i);
                format!("M{} {}h2v2h-2Z", tenths(p.x - 1.0), tenths(p.y - 1.0))
            })
            .collect();
        pencil.area(d, Ink::LineStrong);
    }

    /// Rings for empty places, as one path.
    fn sockets(&self, pencil: &mut Pencil<'_>, count: usize) {
        let r = (self.r - 0.4).max(1.5);
        let d: String = (0..count)
            .map(|i| {
                let p = self.at(i);
                let (x, y) = (tenths(p.x - r), tenths(p.y));
                format!(
                    "M{x} {y}a{r} {r} 0 1 0 {w} 0a{r} {r} 0 1 0 -{w} 0",
                    r = tenths(r),
                    w = tenths(2.0 * r)
                )
            })
            .collect();
        pencil.line(d, Ink::LineStrong, 1.0);
    }
}

fn colours(state: State) -> (Ink, Ink) {
    match state {
        State::Closed => (Ink::OkSoft, Ink::Ok),
        State::Open => (Ink::BadSoft, Ink::Bad),
        State::HalfOpen => (Ink::WarnSoft, Ink::Warn),
    }
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::Closed => "state.closed",
        State::Open => "state.open",
        State::HalfOpen => "state.half-open",
    }
}

/// A breaker on its link, drawn as the switch it is named after, and the calls a second that pass there.
fn breaker(i: usize, model: &CircuitBreaker, at: Time, layout: &Layout, scene: &mut Scene) {
    let kind = [Kind::CallsToM2, Kind::CallsToM3][i];
    let per_s = libm::round(model.lately.per_s(kind, at));
    let long = layout.roomy || layout.narrow;
    let rate = scene.say(
        if long { "calls" } else { "calls-short" },
        &[Arg::Number(per_s)],
    );
    let rate_ink = if per_s > 30.0 {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    let anchor = if layout.narrow {
        Anchor::Start
    } else {
        Anchor::Middle
    };
    let rate_shape = Shape::Text {
        at: layout.rates[i],
        size: 12.0,
        bold: per_s > 30.0,
        ink: rate_ink,
        anchor,
        text: rate.clone(),
    };
    let Some(guard) = &model.guards[i] else {
        scene.background().shape(rate_shape);
        return;
    };
    let icon = layout.icons[i];
    let word = scene.say(state_word(guard.state), &[]);
    let label = Shape::Text {
        at: layout.labels[i],
        size: if layout.roomy { 12.5 } else { 11.0 },
        bold: true,
        ink: colours(guard.state).1,
        anchor,
        text: word.clone(),
    };
    // With air around the words, so that an outline of the frame does not touch them.
    let words = union(label.bounds(), rate_shape.bounds());
    let mut frame = union(icon.grown(6.0), words.grown(5.0));
    if !layout.narrow {
        let link = layout.links[i + 1].frame();
        let x = frame.x.max(link.x);
        frame.w = (frame.x + frame.w).min(link.x + link.w) - x;
        frame.x = x;
    }
    let (soft, strong) = colours(guard.state);
    let mut pencil = scene.thing(breaker_part(i), frame, format!("{word}, {rate}"));
    pencil.bordered(icon, 9.0, soft, strong, 1.5);
    let c = icon.centre();
    let (left, right) = (pt(c.x - 8.0, c.y), pt(c.x + 8.0, c.y));
    let lever = match guard.state {
        State::Closed => right,
        State::Open => pt(c.x + 5.0, c.y - 11.0),
        State::HalfOpen => pt(c.x + 7.0, c.y - 5.0),
    };
    pencil.line(
        format!(
            "M{} {}H{}M{} {}H{}M{} {}L{} {}",
            tenths(icon.x + 3.0),
            tenths(c.y),
            tenths(left.x),
            tenths(right.x),
            tenths(c.y),
            tenths(icon.x + icon.w - 3.0),
            tenths(left.x),
            tenths(left.y),
            tenths(lever.x),
            tenths(lever.y)
        ),
        strong,
        2.0,
    );
    for p in [left, right] {
        pencil.filled(Rect::new(p.x - 2.5, p.y - 2.5, 5.0, 5.0), 2.5, strong);
    }
    pencil.shape(label).shape(rate_shape);
}

fn union(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Rect::new(
        x,
        y,
        (a.x + a.w).max(b.x + b.w) - x,
        (a.y + a.h).max(b.y + b.h) - y,
    )
}

/// The copy of the last good answer, which is given out while the breaker refuses.
fn copy(
    i: usize,
    model: &CircuitBreaker,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let Some(guard) = &model.guards[i] else {
        return;
    };
    let used = guard.state != State::Closed;
    if knobs.fallback != Fallback::LastGood || (i == 0 && !used) {
        return;
    }
    let Some(since) = model.last_good[i] else {
        return;
    };
    let rect = layout.copies[i];
    let age = [figures::tenths(at.since(since))];
    let mut words = scene.say("copy", &age);
    if text::width(&words, 11.5, false) > rect.w - 34.0 {
        words = scene.say("copy-short", &age);
    }
    let id = PartId::nth("copy", i as u16 + 1);
    let ink = if used { Ink::Hit } else { Ink::LineStrong };
    let mut pencil = scene.thing(id, rect, words.clone());
    if !layout.narrow {
        let card = layout.services[i];
        let x = card.x + 24.0;
        let up = Curve::straight(pt(x, rect.y), pt(x, card.y + card.h));
        if used {
            pencil.dashed_line(up.d(), ink, 1.5);
            arrow(
                &mut pencil,
                pt(x, card.y + card.h + 1.0),
                pt(0.0, -1.0),
                ink,
            );
        } else {
            pencil.dashed_line(up.d(), ink, 1.0);
        }
    }
    let ground = if used { Ink::HitSoft } else { Ink::Card };
    pencil.bordered(rect, 8.0, ground, ink, 1.5);
    pencil.mark(
        Glyph::Replica,
        pt(rect.x + 15.0, rect.y + 14.0),
        5.0,
        Ink::Hit,
    );
    let text_ink = if used { Ink::Ink } else { Ink::Secondary };
    pencil.text(pt(rect.x + 26.0, rect.y + 18.0), 11.5, text_ink, words);
}

fn backup(model: &CircuitBreaker, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    if knobs.fallback != Fallback::Backup {
        return;
    }
    let rect = layout.backup;
    let (card, spoken, _) = pool_card(3, rect, BACKUP_PART, model, knobs, scene);
    let used = model.guards[1]
        .as_ref()
        .is_some_and(|guard| guard.state != State::Closed);
    let value = scene.say(if used { "link.open" } else { "link.spare" }, &[]);
    let mut pencil = scene.link(SPARE_LINK, layout.spare.frame(), value);
    if used {
        pencil.line(layout.spare.d(), Ink::Hit, 1.5);
    } else {
        pencil.dashed_line(layout.spare.d(), Ink::LineStrong, 1.5);
    }
    let mut pencil = scene.thing(BACKUP_PART, rect, spoken);
    card.draw(&mut pencil);
}

/// How many calls to M3 a single request has caused, once it is more than one.
fn most(model: &CircuitBreaker, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let calls = model.calls_of_one();
    if calls < 2 {
        return;
    }
    let mut place = layout.most;
    if knobs.fallback == Fallback::Backup && !layout.narrow {
        // The backup stands where this is written otherwise.
        place.x = layout.services[0].x;
    }
    let words = scene.say("most", &[Arg::Count(i64::from(calls))]);
    let ink = if calls >= 10 {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    let mut pencil = scene.thing(MOST, place, words.clone());
    pencil.bold(pt(place.x, place.y + 13.0), 12.0, ink, words);
}

/// A small arrow head at `tip`, pointing along the unit vector `way`.
fn arrow(pencil: &mut Pencil<'_>, tip: Point, way: Point, ink: Ink) {
    let back = pt(tip.x - 9.0 * way.x, tip.y - 9.0 * way.y);
    let side = pt(-way.y * 4.5, way.x * 4.5);
    pencil.area(
        format!(
            "M{} {}L{} {}L{} {}Z",
            tenths(tip.x),
            tenths(tip.y),
            tenths(back.x + side.x),
            tenths(back.y + side.y),
            tenths(back.x - side.x),
            tenths(back.y - side.y)
        ),
        ink,
    );
}

/// A curve with an arrow head in the direction in which it ends.
fn transition(pencil: &mut Pencil<'_>, curve: &Curve, ink: Ink) {
    let (before, tip) = (curve.at(0.9), curve.at(1.0));
    let (dx, dy) = (tip.x - before.x, tip.y - before.y);
    let length = (dx * dx + dy * dy).sqrt().max(0.01);
    pencil.line(curve.d(), ink, 1.5);
    arrow(pencil, tip, pt(dx / length, dy / length), ink);
}

/// The state diagram of the breaker in M2, with what leads from state to state.
fn states(model: &CircuitBreaker, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let r = layout.states;
    let guard = model.guards[1].as_ref();
    let state = guard.map(|guard| guard.state);
    let details = details(guard, knobs, at, scene);
    let title = scene.name(STATES);
    let opens = match knobs.rule {
        Rule::Share => scene.say(
            "opens.share",
            &[
                Arg::Count(i64::from(knobs.failures_to_open())),
                Arg::Count(i64::from(knobs.window)),
            ],
        ),
        Rule::Row => scene.say(
            if r.w >= 420.0 {
                "opens.row-long"
            } else {
                "opens.row"
            },
            &[Arg::Count(i64::from(knobs.row))],
        ),
    };
    let after = scene.say("after", &[Arg::Number(knobs.open_s)]);
    let fails = scene.say("probe-fails", &[]);
    let succeed = scene.say(
        if knobs.probes == 1 {
            "probe-succeeds"
        } else {
            "probes-succeed"
        },
        &[Arg::Count(i64::from(knobs.probes))],
    );
    let value = match (state, guard) {
        (Some(state), Some(_)) => {
            format!(
                "{}, {}",
                scene.say(state_word(state), &[]),
                details[index(state)]
            )
        }
        _ => scene.say("no-breaker", &[]),
    };
    let off = scene.say("no-breaker", &[]);
    let names =
        [State::Closed, State::Open, State::HalfOpen].map(|s| scene.say(state_word(s), &[]));

    let mut pencil = scene.thing(STATES, r, value);
    pencil.bordered(r, 12.0, Ink::Card, Ink::Line, 1.0);
    let edge = if r.w >= 420.0 { 24.0 } else { 9.0 };
    let pill_w = (r.w * 0.315).min(150.0);
    let pill_h = 48.0;
    let low = r.y + r.h - pill_h - 42.0;
    let pills = [
        Rect::new(r.x + edge, low, pill_w, pill_h),
        Rect::new(r.x + (r.w - pill_w) / 2.0, r.y + 32.0, pill_w, pill_h),
        Rect::new(r.x + r.w - edge - pill_w, low, pill_w, pill_h),
    ];
    pencil.bold(pt(r.x + 16.0, r.y + 22.0), 12.5, Ink::Secondary, title);
    if guard.is_none() {
        let x = r.x + r.w - 16.0;
        let wide = r.w >= 420.0;
        if wide {
            pencil.shape(Shape::Text {
                at: pt(x, r.y + 22.0),
                size: 12.5,
                bold: true,
                ink: Ink::Warn,
                anchor: Anchor::End,
                text: off,
            });
        }
    }
    let [closed, open, half] = pills;
    let out = pt(closed.x + closed.w * 0.82, closed.y);
    let trip = Curve::cubic(
        out,
        pt(out.x, open.centre().y + 6.0),
        pt(out.x + 4.0, open.centre().y),
        open.left(),
    );
    let into = pt(half.x + half.w * 0.18, half.y);
    let probe = Curve::cubic(
        open.right(),
        pt(into.x - 4.0, open.centre().y),
        pt(into.x, open.centre().y + 6.0),
        into,
    );
    let fail_from = pt(half.x, half.y + 16.0);
    let fail_to = pt(open.x + open.w * 0.78, open.y + open.h);
    let again = Curve::cubic(
        fail_from,
        pt(fail_from.x - 14.0, fail_from.y),
        pt(fail_to.x, fail_to.y + 16.0),
        fail_to,
    );
    let well_from = pt(half.x + half.w * 0.35, half.y + half.h);
    let well_to = pt(closed.x + closed.w * 0.65, closed.y + closed.h);
    let well = Curve::cubic(
        well_from,
        pt(well_from.x - 20.0, well_from.y + 28.0),
        pt(well_to.x + 20.0, well_to.y + 28.0),
        well_to,
    );
    let mark = if guard.is_some() {
        Ink::Mark
    } else {
        Ink::LineStrong
    };
    for curve in [&trip, &probe, &again, &well] {
        transition(&mut pencil, curve, mark);
    }
    let small = if r.w >= 300.0 { 12.0 } else { 11.0 };
    let label = |pencil: &mut Pencil<'_>, at: Point, anchor: Anchor, text: String| {
        pencil.shape(Shape::Text {
            at,
            size: small,
            bold: false,
            ink: Ink::Secondary,
            anchor,
            text,
        });
    };
    label(
        &mut pencil,
        pt(out.x - 8.0, closed.y - 10.0),
        Anchor::End,
        opens,
    );
    label(
        &mut pencil,
        pt(into.x + 8.0, half.y - 10.0),
        Anchor::Start,
        after,
    );
    label(
        &mut pencil,
        pt(fail_to.x + 0.2 * (half.x - fail_to.x), half.y + 22.0),
        Anchor::End,
        fails,
    );
    label(
        &mut pencil,
        pt(r.x + r.w / 2.0, r.y + r.h - 7.0),
        Anchor::Middle,
        succeed,
    );
    for (i, (pill, which)) in pills
        .into_iter()
        .zip([State::Closed, State::Open, State::HalfOpen])
        .enumerate()
    {
        let here = state == Some(which);
        let (soft, strong) = colours(which);
        let centre = pill.centre();
        if here {
            pencil.bordered(pill, pill_h / 2.0, soft, strong, 2.5);
        } else if guard.is_some() {
            pencil.bordered(pill, pill_h / 2.0, Ink::Card, Ink::LineStrong, 1.5);
        } else {
            pencil.dashed(pill, pill_h / 2.0, Ink::Card, Ink::LineStrong, 1.5);
        }
        let ink = if here { strong } else { Ink::Secondary };
        pencil.centred(
            pt(centre.x, pill.y + 20.0),
            14.0,
            true,
            ink,
            names[i].as_str(),
        );
        let ink = if here { Ink::Ink } else { Ink::Secondary };
        pencil.centred(
            pt(centre.x, pill.y + 36.0),
            if pill_w < 90.0 { 11.0 } else { 12.0 },
            false,
            ink,
            details[i].as_str(),
        );
        // The open time runs out along the lower edge.
        if let (State::Open, true, Some(guard)) = (which, here, guard)
            && let Some(until) = guard.machine.open_until()
        {
            let share = at.progress(guard.since, until);
            let bar = Rect::new(
                pill.x + pill_w * 0.25,
                pill.y + pill_h - 8.0,
                pill_w * 0.5,
                3.0,
            );
            pencil.meter(bar, share, strong, false);
        }
    }
}

const fn index(state: State) -> usize {
    match state {
        State::Closed => 0,
        State::Open => 1,
        State::HalfOpen => 2,
    }
}

/// The second line of each state, in the order of [`index`].
fn details(guard: Option<&Guard>, knobs: &Settings, at: Time, scene: &Scene) -> [String; 3] {
    let mut lines = ["rest.closed", "rest.open", "rest.half-open"].map(|word| scene.say(word, &[]));
    let Some(guard) = guard else {
        return lines;
    };
    match guard.state {
        State::Closed => {}
        State::Open => {
            let left = guard
                .machine
                .open_until()
                .map_or(Time::ZERO, |until| until.since(at));
            lines[1] = if left > Time::ZERO {
                scene.say("open-for", &[figures::tenths(left)])
            } else {
                scene.say("open-over", &[])
            };
        }
        State::HalfOpen => {
            lines[2] = scene.say(
                "probing",
                &[
                    Arg::Count(i64::from(guard.probes_ok)),
                    Arg::Count(i64::from(knobs.probes)),
                ],
            );
        }
    }
    lines
}

/// What the breaker in M2 has seen: the calls of its window, or the failures in a row.
fn recent(model: &CircuitBreaker, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let r = layout.recent;
    let heading = scene.name(RECENT);
    // Failed, slow or well, for each call; then how many places there are.
    let mut seen: Vec<(Glyph, Ink)> = Vec::new();
    let (places, failed, slow) = match model.guards[1].as_ref().map(|guard| &guard.machine) {
        Some(Machine::Rates(breaker)) => {
            let (mut failed, mut slow) = (0, 0);
            for call in breaker.window().parts() {
                failed += call.failed;
                slow += call.slow - call.slow_failed;
                seen.push(if call.failed > 0 {
                    (Glyph::Failure, Ink::Bad)
                } else if call.slow > 0 {
                    (Glyph::Failure, Ink::Warn)
                } else {
                    (Glyph::Response, Ink::Ok)
                });
            }
            let places = match breaker.window().span() {
                algorithms::circuit_breaker::rates::Span::Calls(n)
                | algorithms::circuit_breaker::rates::Span::Seconds(n) => n as usize,
            };
            (places, failed, slow)
        }
        Some(Machine::Counting(breaker)) => {
            let row = breaker.counts().consecutive_failures;
            seen = vec![(Glyph::Failure, Ink::Bad); row as usize];
            (knobs.row as usize, u64::from(row), 0)
        }
        None => (0, 0, 0),
    };
    let words = match model.guards[1].as_ref().map(|guard| &guard.machine) {
        Some(Machine::Rates(_)) if seen.is_empty() => scene.say("seen.none", &[]),
        Some(Machine::Rates(_)) if slow > 0 => scene.say(
            "seen.slow",
            &[
                Arg::Count(failed as i64),
                Arg::Count(slow as i64),
                count(seen.len()),
            ],
        ),
        Some(Machine::Rates(_)) => scene.say(
            "seen.share",
            &[Arg::Count(failed as i64), count(seen.len())],
        ),
        Some(Machine::Counting(_)) => scene.say("seen.row", &[Arg::Count(failed as i64)]),
        None => scene.say("seen.off", &[]),
    };
    let per_row = ((r.w / 15.0) as usize).clamp(1, 20);
    let rows = places.max(seen.len()).div_ceil(per_row).max(1);
    let pitch = if rows > 2 { 12.0 } else { 15.0 };
    let place = |i: usize| {
        pt(
            r.x + 7.0 + 15.0 * (i % per_row) as f32,
            r.y + 30.0 + pitch * (i / per_row) as f32,
        )
    };
    let y = if places == 0 {
        r.y + 34.0
    } else {
        (r.y + 36.0 + pitch * rows as f32).min(r.y + r.h - 3.0)
    };
    let mut pencil = scene.thing(RECENT, around(r, y), words.clone());
    pencil.bold(pt(r.x, r.y + 14.0), 12.5, Ink::Secondary, heading);
    for i in 0..places.max(seen.len()) {
        match seen.get(i) {
            Some((glyph, ink)) => {
                pencil.mark(*glyph, place(i), 5.0, *ink);
            }
            None => {
                let p = place(i);
                pencil.filled(
                    Rect::new(p.x - 2.0, p.y - 2.0, 4.0, 4.0),
                    2.0,
                    Ink::LineStrong,
                );
            }
        }
    }
    pencil.text(pt(r.x, y), 12.0, Ink::Secondary, words);
}

/// The frame of a part without a card: a little air around what it holds, down to the baseline of its last line.
fn around(area: Rect, last: f32) -> Rect {
    Rect::new(
        area.x - 7.0,
        area.y - 3.0,
        area.w + 11.0,
        last - area.y + 9.0,
    )
}

/// What users got in the last ten seconds, as shares of one bar.
fn got(model: &CircuitBreaker, at: Time, layout: &Layout, scene: &mut Scene) {
    let r = layout.got;
    let kinds = [
        (Kind::Fresh, "got.fresh", Ink::Ok),
        (Kind::LastGood, "got.last-good", Ink::Hit),
        (Kind::Backup, "got.backup", Ink::Accent),
        (Kind::Error, "got.error", Ink::Bad),
    ];
    let counts = kinds.map(|(kind, ..)| model.lately.sum(kind, SLOTS - 1, at));
    let all: u32 = counts.iter().sum();
    let share = |n: u32| {
        if all > 0 {
            f64::from(n) / f64::from(all)
        } else {
            0.0
        }
    };
    let lines: Vec<(String, f64, Ink)> = kinds
        .iter()
        .zip(counts)
        .filter(|((kind, ..), n)| *n > 0 || matches!(kind, Kind::Fresh | Kind::Error))
        .map(|((_, word, ink), n)| (scene.say(word, &[Arg::Share(share(n))]), share(n), *ink))
        .collect();
    let heading = scene.name(GOT);
    let value = lines
        .iter()
        .map(|line| line.0.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let last = r.y + 39.0 + 15.0 * lines.len() as f32;
    let mut pencil = scene.thing(GOT, around(r, last), value);
    pencil.bold(pt(r.x, r.y + 14.0), 12.5, Ink::Secondary, heading);
    let bar = Rect::new(r.x, r.y + 23.0, r.w, 16.0);
    pencil.filled(bar, 4.0, Ink::Rail);
    let mut x = bar.x;
    for (_, share, ink) in &lines {
        let w = bar.w * *share as f32;
        if w > 0.5 {
            pencil.filled(Rect::new(x, bar.y, (w - 1.5).max(1.0), bar.h), 3.0, *ink);
        }
        x += w;
    }
    for (i, (words, _, ink)) in lines.into_iter().enumerate() {
        let y = r.y + 54.0 + 15.0 * i as f32;
        pencil.filled(Rect::new(r.x, y - 8.5, 9.0, 9.0), 2.0, ink);
        pencil.text(pt(r.x + 15.0, y), 12.0, Ink::Ink, words);
    }
}

/// A call or its answer on a link.
fn dot(call: &Call, at: Time, layout: &Layout, scene: &mut Scene) {
    let curve = match call.level {
        USER => &layout.links[0],
        OUTER => &layout.links[1],
        INNER => &layout.links[2],
        SPARE => &layout.spare,
        _ => &layout.others,
    };
    let left = call.arrives.since(at).0 as f32;
    let (share, back) = match call.leg {
        Leg::Going => (1.0 - left / HOP.0 as f32, false),
        Leg::Back => (left / HOP.0 as f32, true),
        // To the breaker, and back from there.
        Leg::Refused => {
            let way = 1.0 - left / BOUNCE.0 as f32;
            ((1.0 - (2.0 * way - 1.0).abs()) * (STANDS - 0.1), way > 0.5)
        }
        Leg::Waiting | Leg::Held => return,
    };
    let (glyph, ink) = match (back, call.answer) {
        (false, _) if call.level == OTHER => (Glyph::Request, Ink::Warn),
        (false, _) if call.is_probe() => (Glyph::Request, Ink::Warn),
        (false, _) if call.left => (Glyph::Request, Ink::Mark),
        (false, _) => (Glyph::Request, Ink::Accent),
        (true, Answer::Fresh) => (Glyph::Response, Ink::Ok),
        (true, Answer::LastGood | Answer::Backup) => (Glyph::Replica, Ink::Hit),
        (true, Answer::Error) => (Glyph::Failure, Ink::Bad),
    };
    let lane = if back { layout.lane } else { pt(0.0, 0.0) };
    let r = if call.is_probe() { DOT + 2.0 } else { DOT };
    let p = figures::on(curve, share, lane);
    scene.particle(p, r, glyph, ink, call.number);
}

fn count(n: usize) -> Arg {
    Arg::Count(n as i64)
}
