//! The stage: callers above, the registry beside them, copies below, and under each copy its column in the matrix of beliefs.

use super::world::{REGISTRY, REGISTRY_ROW, ROWS, State, Word, World};
use super::{
    CALLERS, FROM_GATEWAY, OUT, ROOM, STOCK, TO_GATEWAY, WORKERS, caller_part, stock_part, world,
};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, fixed, tenths};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::label::{ending, fitting};
use kit::figures::{self, DOT, LANE};
use kit::system::{Door, Place, System, Values};
use std::f32::consts::TAU;

/// The rows of the matrix: what is so, then who believes what.
pub(super) const ROW_UP: PartId = PartId::one("row-up");
pub(super) const ROW_PARTS: [PartId; ROWS] = [
    PartId::one("row-registry"),
    PartId::one("row-a"),
    PartId::one("row-b"),
    PartId::one("row-c"),
];
const ROW_GATEWAY: PartId = PartId::one("row-gateway");
/// What wrong cells cost.
pub(super) const SCORE: PartId = PartId::one("score");

/// Whose chain of causes answers for what is drawn of it.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (ROW_PARTS[0], REGISTRY),
    (ROW_PARTS[1], PartId::one("caller-a")),
    (ROW_PARTS[2], PartId::one("caller-b")),
    (ROW_PARTS[3], PartId::one("caller-c")),
    (ROW_GATEWAY, PartId::one("gateway")),
    (ROW_UP, REGISTRY),
    (SCORE, REGISTRY),
];

/// Calls are counted over so long.
pub(super) const LATELY: Time = Time::s(8);
/// How long a cell that has turned pulses.
const PULSE: Time = Time::ms(700);
/// Rings of leases and cells.
const RING: f32 = 12.5;
const CELL: f32 = 8.5;
/// From this width on two lines of the score stand side by side where it is under the matrix.
const PAIRS_W: f32 = 336.0;
const QUEUE: usize = super::PLACES as usize;

/// Where everything stands.
struct Layout {
    narrow: bool,
    columns: usize,
    /// The middle of the first column, and from one to the next.
    first: f32,
    pitch: f32,
    callers: [Rect; CALLERS],
    registry: Rect,
    gateway: Option<Rect>,
    cards_y: f32,
    card: (f32, f32),
    rows_y: f32,
    row_h: f32,
    /// Where row labels begin, columns end, and what stands behind them ends.
    ends: (f32, f32, f32),
    score: Rect,
}

impl Layout {
    fn of(world: &World, scene: &Scene) -> Layout {
        let w = scene.width;
        let narrow = w < 700.0;
        let shown = world
            .rows()
            .fold(world.serving(), |bits, row| bits | world.row(row));
        let hurt = (0..ROOM).filter(|i| world.copies[*i].state != State::Absent);
        let last = hurt.max().map_or(0, |last| last + 1);
        let columns = (16 - shown.leading_zeros() as usize).max(last).max(6);
        let side = if narrow { 0.0 } else { 176.0 };
        let label = if narrow { 84.0 } else { 112.0 };
        let behind = if narrow { 46.0 } else { 70.0 };
        let right = w - 12.0 - side;
        let (left, end) = (12.0 + label, right - behind);
        let pitch = (end - left) / columns as f32;
        let top = 18.0;
        let caller = if narrow {
            (((w - 24.0) * 0.62 - 12.0) / 3.0, 46.0)
        } else {
            (128.0_f32.min((end - left) / 3.0 - 8.0), 50.0)
        };
        let third = (end - left) / 3.0;
        let callers = std::array::from_fn(|i| {
            let x = match narrow {
                true => 12.0 + i as f32 * (caller.0 + 6.0),
                false => left + third * (i as f32 + 0.5) - caller.0 / 2.0,
            };
            Rect::new(x, top, caller.0, caller.1)
        });
        let registry = match narrow {
            true => {
                let x = callers[2].x + caller.0 + 10.0;
                Rect::new(x, top, w - 12.0 - x, caller.1)
            }
            false => Rect::new(w - 12.0 - 164.0, top, 164.0, 74.0),
        };
        let below = top + caller.1;
        let way = world.rules.gateway;
        let bar = |x: f32, w: f32| Rect::new(x, below + 34.0, w, 32.0);
        let gateway = way.then(|| match narrow {
            true => bar(12.0, w * 0.55),
            false => bar(left, end - left),
        });
        let cards_y = below + if way { 104.0 } else { 66.0 };
        let card = ((pitch - 6.0).min(92.0), 52.0);
        let rows_y = cards_y + card.1 + 8.0;
        let row_h = if narrow { 32.0 } else { 33.0 };
        let rows = world.rows().len() as f32 + 1.0;
        let bottom = rows_y + rows * row_h;
        let score = match narrow {
            true => Rect::new(
                12.0,
                bottom + 10.0,
                w - 24.0,
                if w - 24.0 >= PAIRS_W { 126.0 } else { 164.0 },
            ),
            false => Rect::new(w - 12.0 - 164.0, 104.0, 164.0, (bottom - 104.0).max(254.0)),
        };
        Layout {
            narrow,
            columns,
            first: left + pitch / 2.0,
            pitch,
            callers,
            registry,
            gateway,
            cards_y,
            card,
            rows_y,
            row_h,
            ends: (12.0, end, right),
            score,
        }
    }

    fn x(&self, copy: usize) -> f32 {
        self.first + copy as f32 * self.pitch
    }

    fn card(&self, copy: usize) -> Rect {
        Rect::new(
            self.x(copy) - self.card.0 / 2.0,
            self.cards_y,
            self.card.0,
            self.card.1,
        )
    }

    fn row(&self, row: usize) -> Rect {
        let y = self.rows_y + row as f32 * self.row_h;
        Rect::new(self.ends.0, y, self.ends.2 - self.ends.0, self.row_h)
    }

    fn cell(&self, row: usize, copy: usize) -> Point {
        pt(self.x(copy), self.row(row).centre().y)
    }

    /// Where beats reach the registry.
    fn ear(&self) -> Point {
        match self.narrow {
            true => pt(
                self.registry.x + self.registry.w * 0.5,
                self.registry.y + self.registry.h,
            ),
            false => pt(self.registry.x, self.registry.y + self.registry.h - 12.0),
        }
    }

    /// The socket of a worker of a copy, or the place in its queue.
    fn socket(&self, copy: usize, worker: usize) -> Point {
        let card = self.card(copy);
        let first = card.centre().x - (WORKERS as f32 - 1.0) * 6.5;
        let tight = card.w < 30.0;
        match tight {
            true => pt(card.centre().x, card.y + 24.0 + worker as f32 * 13.0),
            false if card.w < 56.0 => pt(first + worker as f32 * 13.0, card.y + 26.0),
            false => pt(card.x + 16.0 + worker as f32 * 13.0, card.y + 30.0),
        }
    }

    fn queued(&self, copy: usize, place: usize) -> Option<Point> {
        let card = self.card(copy);
        (card.w >= 56.0 && place < QUEUE).then(|| {
            let pitch = ((card.w - 46.0) / QUEUE as f32).min(11.0);
            pt(card.x + 43.0 + place as f32 * pitch, card.y + 30.0)
        })
    }
}

/// The point at a share of the way along straight lines.
fn along(points: &[Point], share: f32) -> Point {
    let length = |two: &[Point]| {
        let (x, y) = (two[1].x - two[0].x, two[1].y - two[0].y);
        (x * x + y * y).sqrt()
    };
    let mut left = points.windows(2).map(length).sum::<f32>() * share.clamp(0.0, 1.0);
    for two in points.windows(2) {
        let long = length(two);
        if left <= long && long > 0.0 {
            let part = left / long;
            return pt(
                two[0].x + (two[1].x - two[0].x) * part,
                two[0].y + (two[1].y - two[0].y) * part,
            );
        }
        left -= long;
    }
    points.last().copied().unwrap_or(pt(0.0, 0.0))
}

/// Draws the lesson's stage.
pub(super) fn draw(system: &System, _: &Values, at: Time, scene: &mut Scene) {
    let world = world(system);
    let layout = Layout::of(world, scene);
    scene.height = layout.score.y + layout.score.h + 10.0;
    ground(world, &layout, scene);
    for caller in 0..CALLERS {
        self::caller(system, caller, at, &layout, scene);
    }
    if let Some(rect) = layout.gateway {
        let name = scene.name(caller_part(CALLERS));
        let age = scene.say(
            "list-age",
            &[figures::tenths(at.since(world.callers[CALLERS].made))],
        );
        let mut pencil = scene.thing(caller_part(CALLERS), rect, age.clone());
        pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
        let said = fitting(
            &[format!("{name} · {age}"), name],
            12.5,
            true,
            rect.w - 20.0,
        );
        pencil.centred(
            pt(rect.centre().x, rect.y + 20.5),
            12.5,
            true,
            Ink::Ink,
            said,
        );
    }
    registry(world, at, &layout, scene);
    for copy in 0..layout.columns {
        stock(system, copy, at, &layout, scene);
    }
    truth(world, at, &layout, scene);
    for row in world.rows() {
        belief(world, row, at, &layout, scene);
    }
    score(system, at, &layout, scene);
    letters(world, at, &layout, scene);
    calls(system, at, &layout, scene);
}

/// Ways, free places, and the column that the last act was about.
fn ground(world: &World, layout: &Layout, scene: &mut Scene) {
    let ear = layout.ear();
    let [callers, copies] = ["callers", "copies"].map(|word| scene.say(word, &[]));
    let mut pencil = scene.background();
    if !layout.narrow {
        let y = layout.callers[0].centre().y + 4.0;
        pencil.text(pt(layout.ends.0 + 2.0, y), 12.0, Ink::Secondary, callers);
    }
    let y = layout.cards_y + layout.card.1 / 2.0 + 4.0;
    pencil.text(pt(layout.ends.0 + 2.0, y), 12.0, Ink::Secondary, copies);
    for copy in 0..layout.columns {
        let card = layout.card(copy);
        let it = &world.copies[copy];
        if it.state == State::Absent {
            pencil.dashed(card, 8.0, Ink::None, Ink::Line, 1.0);
            continue;
        }
        let from = pt(card.centre().x + 5.0, card.y);
        let way = format!(
            "M{} {}L{} {}",
            tenths(from.x),
            tenths(from.y),
            tenths(ear.x),
            tenths(ear.y)
        );
        match it.cut || !world.running {
            true => pencil.dashed_line(way, Ink::Bad, 1.0),
            false => pencil.line(way, Ink::Line, 1.0),
        };
    }
    for row in 1..=world.rows().len() {
        let y = layout.row(row).y;
        let d = format!(
            "M{} {}H{}",
            tenths(layout.ends.0),
            tenths(y),
            tenths(layout.ends.2)
        );
        pencil.line(d, Ink::Line, 1.0);
    }
    if let Some(column) = world.tally.column.filter(|it| *it < layout.columns) {
        let rows = world.rows().len() as f32 + 1.0;
        let w = (layout.pitch - 4.0).min(56.0);
        let rect = Rect::new(
            layout.x(column) - w / 2.0,
            layout.rows_y + 1.0,
            w,
            rows * layout.row_h - 2.0,
        );
        pencil.bordered(rect, 8.0, Ink::AccentSoft, Ink::Accent, 1.5);
    }
}

fn caller(system: &System, caller: usize, at: Time, layout: &Layout, scene: &mut Scene) {
    let (world, rect) = (world(system), layout.callers[caller]);
    let part = caller_part(caller);
    let age = at.since(world.list_of(caller).made);
    let status = match world.rules.gateway {
        true => scene.say("by-gateway", &[]),
        false => scene.say("list-age", &[figures::tenths(age)]),
    };
    let short = match world.rules.gateway {
        true => scene.say("by-gateway.short", &[]),
        false => scene.say("span", &[figures::tenths(age)]),
    };
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, status.clone());
    pencil.figure("age", age.as_s());
    pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    let x = rect.x + 10.0;
    let status = fitting(&[status, short], 12.0, false, rect.w - 16.0);
    pencil
        .bold(pt(x, rect.y + 20.0), 14.5, Ink::Ink, name)
        .text(pt(x, rect.y + 38.0), 12.0, Ink::Secondary, status);
}

fn registry(world: &World, at: Time, layout: &Layout, scene: &mut Scene) {
    let rect = layout.registry;
    let listed = world.listed().count_ones();
    let lists = scene.say("registry-lists", &[Arg::Count(i64::from(listed))]);
    let left = world.sweep_at.since(at);
    let silent = world.silent_until.since(at);
    let ago = figures::tenths(at.since(world.registry_since));
    let sweep = figures::tenths(left);
    let (word, short, arg, ink) = match () {
        () if !world.running => ("stopped", "stopped.short", ago, Ink::Bad),
        () if silent > Time::ZERO => ("silent", "silent.short", figures::tenths(silent), Ink::Warn),
        () if world.kept.is_some() => ("kept", "kept.short", ago, Ink::Warn),
        () if at < world.storm_until => ("storm", "storm.short", ago, Ink::Warn),
        () if world.rules.asks => ("asks", "asks.short", ago, Ink::Secondary),
        () => ("sweep-in", "sweep-in.short", sweep, Ink::Secondary),
    };
    let [status, short] = [word, short].map(|word| scene.say(word, &[arg]));
    let renewals = world.kept.map(|kept| {
        let all = [kept.expected, kept.came, kept.threshold + 1];
        scene.say("renewals", &all.map(|n| Arg::Count(i64::from(n))))
    });
    let name = scene.name(REGISTRY);
    let line = renewals.unwrap_or(lists.clone());
    let line = fitting(&[line], 11.5, false, rect.w - 18.0);
    let mut pencil = scene.thing(REGISTRY, rect, format!("{lists}, {status}"));
    pencil.figure("listed", f64::from(listed));
    if let Some(kept) = world.kept {
        pencil
            .figure("expected", f64::from(kept.expected))
            .figure("came", f64::from(kept.came))
            .figure("threshold", f64::from(kept.threshold));
    }
    let border = if ink == Ink::Secondary {
        Ink::LineStrong
    } else {
        ink
    };
    pencil.bordered(
        rect,
        10.0,
        Ink::Card,
        border,
        if ink == Ink::Secondary { 1.5 } else { 2.0 },
    );
    let (x, room) = (rect.x + 10.0, rect.w - 18.0);
    pencil.bold(
        pt(x, rect.y + 20.0),
        14.5,
        Ink::Ink,
        fitting(&[name], 14.5, true, room),
    );
    let bold = ink != Ink::Secondary;
    let said = fitting(&[status, short], 12.0, bold, room);
    let y = rect.y + 38.0;
    match bold {
        true => pencil.bold(pt(x, y), 12.0, ink, said),
        false => pencil.text(pt(x, y), 12.0, ink, said),
    };
    if layout.narrow {
        return;
    }
    pencil.text(pt(x, rect.y + 54.0), 11.5, Ink::Secondary, line);
    if world.running && !world.rules.asks && world.rules.sweep > Time::ZERO {
        let share = 1.0 - left.as_s() / world.rules.sweep.as_s().max(1e-3);
        let meter = Rect::new(x, rect.y + rect.h - 11.0, room, 4.0);
        pencil.meter(meter, share as f32, Ink::Mark, false);
    }
}

/// What a copy that is not well says of itself, also in short.
fn ill(state: State) -> Option<(&'static str, &'static str, Ink)> {
    match state {
        State::Up | State::Absent => None,
        State::Leaves => Some(("leaves", "leaves.short", Ink::Warn)),
        State::Hung => Some(("hung", "hung.short", Ink::Bad)),
        State::Killed => Some(("killed", "killed.short", Ink::Bad)),
        State::Gone => Some(("gone", "gone.short", Ink::Bad)),
    }
}

fn stock(system: &System, copy: usize, at: Time, layout: &Layout, scene: &mut Scene) {
    let world = world(system);
    let it = &world.copies[copy];
    let live = system.node(STOCK);
    let member = live.and_then(|live| live.members.get(copy));
    let Some(member) = member.filter(|_| it.state != State::Absent) else {
        return;
    };
    let (part, rect) = (stock_part(copy), layout.card(copy));
    let (held, queued) = (&member.own.pool.held, &member.own.pool.queue);
    let number = (copy + 1).to_string();
    let names = [scene.name(part), number];
    let ago = figures::tenths(at.since(it.since));
    let busy = scene.say(
        "busy",
        &[
            Arg::Count(held.len() as i64),
            Arg::Count(queued.len() as i64),
        ],
    );
    let cut = it.cut.then_some(("cut-off", "cut-off.short", Ink::Bad));
    let came = matches!(world.tally.deed, "deploy" | "start") && it.since >= world.tally.since;
    let new = came.then_some(("new", "new", Ink::Ok));
    let said = ill(it.state).or(cut).or(new).map(|(word, short, ink)| {
        let texts = [scene.say(word, &[ago]), scene.say(short, &[])];
        (texts, ink)
    });
    let spoken = match &said {
        Some(([said, _], _)) => format!("{said}, {busy}"),
        None => busy.clone(),
    };
    let dead = matches!(it.state, State::Gone | State::Killed);
    let mut pencil = scene.thing(part, rect, spoken);
    pencil.figure("held", held.len() as f64);
    let (ground, border) = match (&said, dead) {
        (_, true) => (Ink::BadSoft, Ink::Bad),
        (Some((_, ink)), _) if it.state != State::Up => (Ink::Card, *ink),
        _ => (Ink::Card, Ink::LineStrong),
    };
    pencil.bordered(
        rect,
        8.0,
        ground,
        border,
        if border == Ink::LineStrong { 1.5 } else { 2.0 },
    );
    let middle = rect.centre().x;
    let name = fitting(&names, 12.5, true, rect.w - 8.0);
    let wide = rect.w >= 56.0;
    match wide {
        true => pencil.bold(pt(rect.x + 10.0, rect.y + 17.0), 12.5, Ink::Ink, name),
        false => pencil.centred(pt(middle, rect.y + 15.0), 12.0, true, Ink::Ink, name),
    };
    if !dead {
        let sockets = (0..WORKERS as usize).map(|worker| layout.socket(copy, worker));
        figures::sockets(&mut pencil, sockets);
    }
    if dead && rect.w < 30.0 {
        pencil.mark(Glyph::Failure, pt(middle, rect.y + 32.0), 5.0, Ink::Bad);
    }
    if let Some((texts, ink)) = said.filter(|_| rect.w >= 30.0) {
        let text = fitting(&texts, 11.0, true, rect.w - 4.0);
        pencil.centred(pt(middle, rect.y + 46.5), 11.0, true, ink, text);
    }
    let ink = if it.state == State::Hung {
        Ink::Mark
    } else {
        Ink::Accent
    };
    let number = |key| system.frame(key).map_or(0, |frame| frame.number);
    for (worker, key) in held.iter().take(WORKERS as usize).enumerate() {
        scene.particle(
            layout.socket(copy, worker),
            4.5,
            Glyph::Request,
            ink,
            number(*key),
        );
    }
    for (place, key) in queued.iter().enumerate() {
        if let Some(p) = layout.queued(copy, place) {
            scene.particle(p, 4.0, Glyph::Request, ink, number(*key));
        }
    }
}

/// The label at the left of a row, in two lines.
fn label(pencil: &mut Pencil<'_>, layout: &Layout, rect: Rect, name: String, detail: &[String]) {
    let room = layout.first - layout.pitch / 2.0 - rect.x - 4.0;
    let name = fitting(&[name], 12.5, true, room);
    let detail = fitting(detail, 11.0, false, room);
    pencil
        .bold(pt(rect.x + 2.0, rect.y + 14.5), 12.5, Ink::Ink, name)
        .text(
            pt(rect.x + 2.0, rect.y + 28.0),
            11.0,
            Ink::Secondary,
            detail,
        );
}

/// A circle.
fn round(p: Point, r: f32) -> Rect {
    Rect::new(p.x - r, p.y - r, 2.0 * r, 2.0 * r)
}

/// A cell that has just turned.
fn pulse(pencil: &mut Pencil<'_>, p: Point, turned: Time, at: Time) {
    let gone = at.since(turned);
    if turned > Time::ZERO && gone < PULSE {
        let share = gone.as_s() as f32 / PULSE.as_s() as f32;
        let r = CELL + 2.0 + 6.0 * share;
        pencil.bordered(round(p, r), r, Ink::None, Ink::Accent, 2.0);
    }
}

/// The share of a ring, from the top on.
fn arc(p: Point, r: f32, share: f32) -> String {
    let (sin, cos) = libm::sincosf(share.clamp(0.0, 0.999) * TAU);
    let large = u8::from(share > 0.5);
    format!(
        "M{} {}A{} {} 0 {large} 1 {} {}",
        tenths(p.x),
        tenths(p.y - r),
        tenths(r),
        tenths(r),
        tenths(p.x + r * sin),
        tenths(p.y - r * cos)
    )
}

/// The first row: what is so.
fn truth(world: &World, at: Time, layout: &Layout, scene: &mut Scene) {
    let rect = layout.row(0);
    let up = world.up().count_ones();
    let name = scene.name(ROW_UP);
    let detail = scene.say("up", &[Arg::Count(i64::from(up))]);
    let hung = scene.say("hung.short", &[]);
    let mut pencil = scene.thing(ROW_UP, rect, detail.clone());
    pencil.figure("up", f64::from(up));
    label(&mut pencil, layout, rect, name, &[detail]);
    let r = CELL.min(layout.pitch / 2.0 - 1.5);
    for copy in 0..layout.columns {
        let p = layout.cell(0, copy);
        let cell = round(p, r);
        match world.copies[copy].state {
            State::Up => pencil.filled(cell, r, Ink::Ok),
            State::Leaves => pencil.bordered(cell, r, Ink::OkSoft, Ink::Warn, 2.0),
            State::Hung if layout.pitch >= 34.0 => {
                pencil.centred(pt(p.x, p.y + 4.0), 11.0, true, Ink::Bad, hung.as_str())
            }
            State::Hung => pencil.bordered(cell, r, Ink::None, Ink::Bad, 1.5),
            State::Absent | State::Killed | State::Gone => empty(&mut pencil, p),
        };
        pulse(&mut pencil, p, world.turns[ROWS][copy], at);
    }
}

fn empty<'a, 'b>(pencil: &'a mut Pencil<'b>, p: Point) -> &'a mut Pencil<'b> {
    pencil.filled(round(p, 2.0), 2.0, Ink::LineStrong)
}

/// A row of the matrix: who is listed, and whether that is so.
fn belief(world: &World, row: usize, at: Time, layout: &Layout, scene: &mut Scene) {
    let gateway = world.rules.gateway && row > REGISTRY_ROW;
    let part = if gateway { ROW_GATEWAY } else { ROW_PARTS[row] };
    let rect = layout.row(row + 1);
    let (list, up, serving) = (world.row(row), world.up(), world.serving());
    let (ghosts, strangers) = ((list & !serving).count_ones(), (up & !list).count_ones());
    let count = |n: u32| Arg::Count(i64::from(n));
    let right = scene.say(
        "right",
        &[count((list & up).count_ones()), count(up.count_ones())],
    );
    let spoken = scene.say(
        "row",
        &[count(list.count_ones()), count(ghosts), count(strangers)],
    );
    let details = match (row, world.kept) {
        (REGISTRY_ROW, _) if !world.running => vec![scene.say("stopped.short", &[])],
        (REGISTRY_ROW, Some(kept)) => {
            vec![scene.say("came", &[count(kept.came), count(kept.expected)])]
        }
        (REGISTRY_ROW, None) => vec![scene.say("listed", &[count(list.count_ones())])],
        _ => {
            let age = at.since(world.list_of(row - 1).made);
            let age = figures::tenths(age);
            vec![
                scene.say("listed-old", &[count(list.count_ones()), age]),
                scene.say("age", &[age]),
            ]
        }
    };
    let after = world.tally.turned[row].map(|turned| turned.since(world.tally.since));
    let behind = after.map(|after| {
        let tenth = figures::tenths(after);
        [scene.say("after", &[tenth]), scene.say("span", &[tenth])]
    });
    let kept = scene.say("just-in-case", &[]);
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, format!("{spoken} {right}"));
    pencil
        .figure("listed", f64::from(list.count_ones()))
        .figure("ghosts", f64::from(ghosts))
        .figure("strangers", f64::from(strangers));
    if let Some(after) = after {
        pencil.figure("after", libm::round(after.as_s() * 10.0) / 10.0);
    }
    let registers = row == REGISTRY_ROW;
    let keeps = registers && world.kept.is_some();
    let (first, end) = (layout.first - layout.pitch / 2.0, layout.ends.1);
    if keeps {
        let band = Rect::new(first, rect.y + 2.0, layout.ends.2 - first, rect.h - 4.0);
        pencil.dashed(band, 8.0, Ink::WarnSoft, Ink::Warn, 1.0);
    }
    label(&mut pencil, layout, rect, name, &details);
    for copy in 0..layout.columns {
        let (bit, p) = (1 << copy, layout.cell(row + 1, copy));
        // The registry's cells have a ring around them.
        let most = layout.pitch / 2.0 - if registers { 4.5 } else { 1.5 };
        let r = CELL.min(most);
        let cell = round(p, r);
        match (list & bit != 0, serving & bit != 0, up & bit != 0) {
            (true, true, _) => {
                let ground = if registers { Ink::OkSoft } else { Ink::Ok };
                pencil.bordered(cell, r, ground, Ink::Ok, 1.5);
            }
            (true, false, _) => {
                pencil.bordered(cell, 3.0, Ink::BadHatch, Ink::Bad, 1.5);
                pencil.mark(Glyph::Failure, p, r * 0.6, Ink::Bad);
            }
            (false, _, true) => {
                pencil.bordered(cell, r, Ink::None, Ink::Accent, 2.5);
            }
            (false, ..) => {
                empty(&mut pencil, p);
            }
        }
        if registers && list & bit != 0 && world.running {
            doubt(&mut pencil, (world, copy, at), p, layout.pitch);
        }
        pulse(&mut pencil, p, world.turns[row][copy], at);
    }
    let y = rect.centre().y + 4.0;
    match (keeps, behind) {
        (true, _) => {
            let said = fitting(&[kept], 11.0, true, layout.ends.2 - end - 4.0);
            ending(
                &mut pencil,
                pt(layout.ends.2 - 3.0, y),
                11.0,
                true,
                Ink::Warn,
                said,
            );
        }
        (false, Some(texts)) => {
            let said = fitting(&texts, 12.0, true, layout.ends.2 - end - 2.0);
            ending(
                &mut pencil,
                pt(layout.ends.2 - 2.0, y),
                12.0,
                true,
                Ink::Accent,
                said,
            );
        }
        (false, None) => {}
    }
}

/// What the registry goes by: how much of the lease is left, how suspect a silence is, how many answers are missing.
fn doubt(pencil: &mut Pencil<'_>, (world, copy, at): (&World, usize, Time), p: Point, pitch: f32) {
    let it = &world.copies[copy];
    let number = match () {
        () if world.rules.asks => Some(it.health.streak().to_string()),
        () if world.rules.phi => Some(fixed(it.phi(at).min(99.0), 0)),
        () => None,
    };
    if let Some(number) = number {
        if it.serves() && pitch >= 24.0 {
            pencil.centred(pt(p.x, p.y + 4.0), 11.0, true, Ink::Ink, number);
        } else if pitch >= 48.0 {
            // Beside the mark of a ghost.
            pencil.bold(pt(p.x + 12.0, p.y + 4.0), 11.0, Ink::Bad, number);
        }
        return;
    }
    let Some(left) = world.lease_left(copy, at) else {
        return;
    };
    let r = RING.min(pitch / 2.0 - 1.0);
    let ring = round(p, r);
    if left < 0.0 {
        pencil.bordered(ring, r, Ink::None, Ink::Warn, 2.5);
        return;
    }
    pencil.bordered(ring, r, Ink::None, Ink::Line, 1.0);
    let ink = if left < 0.34 { Ink::Warn } else { Ink::Ok };
    pencil.line(arc(p, r, left as f32), ink, 2.0);
}

/// What wrong cells cost, and what cells look like.
fn score(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let (world, rect) = (world(system), layout.score);
    let tally = &world.tally;
    let (ghosts, strangers) = world.wrong();
    let count = |n: u32| Arg::Count(i64::from(n));
    let wrong = scene.say("wrong", &[count(ghosts + strangers)]);
    let to_ghosts = scene.say("to-ghosts", &[count(tally.ghosts)]);
    let failed = scene.say("failed", &[count(tally.failed), count(tally.over)]);
    let lately = Time::s(3);
    let talk = world.talk.per_s(0, lately, at);
    let talk = libm::round(talk);
    let talks = scene.say("talks", &[Arg::Number(talk)]);
    let fine = world.fates.share(0, LATELY, at).unwrap_or(1.0);
    let share = scene.say("fine", &[Arg::Share(libm::round(fine * 100.0) / 100.0)]);
    let turned: Option<Vec<Time>> = world.rows().map(|row| tally.turned[row]).collect();
    let last = turned.and_then(|all| all.into_iter().max());
    let last = last.map(|last| libm::round(last.since(tally.since).as_s() * 10.0) / 10.0);
    let all_know = last.map(|last| scene.say("all-know", &[Arg::Number(last)]));
    let struck = scene.say("wrongly", &[count(tally.wrongly)]);
    let key = key(world, scene);
    let spoken = format!("{wrong}, {to_ghosts}, {failed}, {share}, {talks}, {struck}");
    let mut pencil = scene.thing(SCORE, rect, spoken);
    pencil
        .figure("wrong", f64::from(ghosts + strangers))
        .figure("to-ghosts", f64::from(tally.ghosts))
        .figure("failed", f64::from(tally.failed))
        .figure("over", f64::from(tally.over))
        .figure("fine %", libm::round(fine * 100.0))
        .figure("wrongly", f64::from(tally.wrongly))
        .figure("talk/s", talk);
    if let Some(last) = last {
        pencil.figure("last", last);
    }
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let room = rect.w - 18.0;
    let x = rect.x + 10.0;
    let y = rect.y + 46.0;
    let bad = ghosts + strangers > 0;
    let ink = if bad { Ink::Bad } else { Ink::Ok };
    let wrong = fitting(&[wrong], 14.5, true, room);
    pencil.bold(pt(x, rect.y + 22.0), 14.5, ink, wrong);
    let lines = [
        (to_ghosts, tally.ghosts > 0),
        (failed, tally.failed > 0),
        (share, fine < 0.9),
        (talks, false),
        match all_know {
            Some(all_know) => (all_know, false),
            None => (struck, tally.wrongly > 0),
        },
    ];
    let pairs = layout.narrow && rect.w >= PAIRS_W;
    let (room, step) = match (pairs, layout.narrow) {
        (true, _) => (rect.w / 2.0 - 14.0, 20.0),
        (false, true) => (room, 20.0),
        (false, false) => (room, 21.0),
    };
    for (i, (line, bad)) in lines.into_iter().enumerate() {
        let (column, nth) = if pairs { (i % 2, i / 2) } else { (0, i) };
        let p = pt(x + column as f32 * rect.w / 2.0, y + nth as f32 * step);
        let ink = if bad { Ink::Bad } else { Ink::Secondary };
        let line = fitting(&[line], 12.0, bad, room);
        match bad {
            true => pencil.bold(p, 12.0, ink, line),
            false => pencil.text(p, 12.0, ink, line),
        };
    }
    draw_key(&mut pencil, world, key, layout);
}

/// The texts of the key, long and short: three kinds of cells, and what the registry goes by.
fn key(world: &World, scene: &Scene) -> [[String; 2]; 4] {
    let doubt = match (world.rules.asks, world.rules.phi) {
        (true, _) => ["key.misses", "key.misses.short"],
        (_, true) => ["key.phi", "key.phi.short"],
        (false, false) => ["key.lease", "key.lease.short"],
    };
    let all = [
        ["key.right", "key.right.short"],
        ["key.ghost", "key.ghost.short"],
        ["key.stranger", "key.stranger.short"],
        doubt,
    ];
    all.map(|texts| texts.map(|word| scene.say(word, &[])))
}

/// What cells look like: in one line under the matrix, with the long texts if all of them fit; else one under the other.
fn draw_key(pencil: &mut Pencil<'_>, world: &World, texts: [[String; 2]; 4], layout: &Layout) {
    const SIZE: f32 = 12.0;
    const R: f32 = 7.0;
    const GAP: f32 = 27.0;
    let rect = layout.score;
    let leases = !world.rules.asks && !world.rules.phi;
    let long = |texts: &[String; 2]| text::width(&texts[0], SIZE, false) + GAP;
    let all: f32 = texts.iter().map(long).sum();
    let short = layout.narrow && all > rect.w - 18.0;
    let up = if layout.narrow { 16.0 } else { 88.0 };
    let mut p = pt(rect.x + 17.0, rect.y + rect.h - up);
    for (i, texts) in texts.into_iter().enumerate() {
        let cell = round(p, R);
        match i {
            0 => pencil.filled(cell, R, Ink::Ok),
            1 => pencil
                .bordered(cell, 3.0, Ink::BadHatch, Ink::Bad, 1.5)
                .mark(Glyph::Failure, p, 4.5, Ink::Bad),
            2 => pencil.bordered(cell, R, Ink::None, Ink::Accent, 2.5),
            _ if leases => pencil.bordered(cell, R, Ink::None, Ink::Line, 1.0).line(
                arc(p, R, 0.7),
                Ink::Ok,
                2.0,
            ),
            _ => pencil.bordered(cell, R, Ink::OkSoft, Ink::Ok, 1.5),
        };
        let room = rect.x + rect.w - p.x - 18.0;
        let said = fitting(&texts[usize::from(short)..], SIZE, false, room);
        let w = text::width(&said, SIZE, false);
        pencil.text(pt(p.x + 13.0, p.y + 4.0), SIZE, Ink::Secondary, said);
        match layout.narrow {
            true => p.x += w + GAP,
            false => p.y += 24.0,
        }
    }
}

/// Beats, questions and lists on their way.
fn letters(world: &World, at: Time, layout: &Layout, scene: &mut Scene) {
    let registry = layout.registry;
    for letter in &world.letters {
        let share = at.progress(letter.left, letter.comes);
        let (who, ear) = (letter.who, layout.ear());
        let card = layout.card(who.min(ROOM - 1));
        let top = pt(card.centre().x + 5.0, card.y);
        let lines = |up: bool| if up { [top, ear] } else { [ear, top] };
        match letter.word {
            Word::Beat | Word::Register | Word::SignOff => {
                let cut = world.copies[who].cut || letter.lost;
                if who >= layout.columns || (cut && share > 0.5) {
                    continue;
                }
                let ink = if cut { Ink::Bad } else { Ink::Secondary };
                scene.particle(along(&lines(true), share), 6.0, Glyph::Heartbeat, ink, 0);
            }
            Word::Ask(_) | Word::Answer(_) | Word::Unknown => {
                if who >= layout.columns || (world.copies[who].cut && share > 0.5) {
                    continue;
                }
                let up = matches!(letter.word, Word::Answer(_));
                scene.particle(along(&lines(up), share), 4.0, Glyph::Response, Ink::Mark, 0);
            }
            Word::Fetch | Word::List { .. } => {
                let way = list_way(layout, who, registry);
                let back = matches!(letter.word, Word::Fetch);
                let share = if back { 1.0 - share } else { share };
                let p = along(&way, share);
                match back {
                    true => scene.particle(p, 4.0, Glyph::Response, Ink::Mark, 0),
                    false => scene.particle(p, 6.0, Glyph::Message, Ink::Hit, 0),
                }
            }
        }
    }
}

/// From the registry to a caller: over the other callers' heads.
fn list_way(layout: &Layout, who: usize, registry: Rect) -> Vec<Point> {
    match (layout.callers.get(who), layout.gateway) {
        (Some(caller), _) => {
            let (x, lane) = (registry.x + 24.0, 9.0);
            vec![
                pt(x, registry.y),
                pt(x, lane),
                pt(caller.centre().x, lane),
                caller.top(),
            ]
        }
        (None, Some(bar)) => vec![layout.ear(), bar.right()],
        (None, None) => vec![layout.ear(), layout.ear()],
    }
}

/// Calls and answers on their way; and with each caller, the calls that wait for a copy from which nothing comes.
fn calls(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let mut in_vain = [0; CALLERS];
    for (key, frame) in system.frames() {
        if frame.place != Place::Travels || frame.number == 0 || frame.is_request() {
            continue;
        }
        let on = frame.leg.on;
        let (node, copy) = frame.at();
        let bar = layout.gateway.map(|bar| bar.centre());
        let inward = TO_GATEWAY.iter().position(|wire| *wire == on);
        let direct = OUT.iter().position(|wire| *wire == on);
        let under = |caller: usize| layout.callers[caller].bottom();
        let to_card = |from: Point| (from, layout.card(copy.min(layout.columns - 1)).top());
        let way = match (inward, direct, bar) {
            (Some(caller), _, Some(bar)) => (under(caller), pt(under(caller).x, bar.y - 16.0)),
            (_, Some(caller), _) => to_card(under(caller)),
            (_, _, Some(bar)) if on == FROM_GATEWAY => to_card(pt(bar.x, bar.y + 16.0)),
            _ => continue,
        };
        let dark = system.node(STOCK).and_then(|live| live.members.get(copy));
        let dark = node == STOCK && dark.is_some_and(|it| it.own.door == Door::Dark);
        if dark && frame.leg.back {
            let caller = system.caller(key).map(|it| usize::from(it.at().0.0));
            if let Some(caller) = caller.filter(|it| *it < CALLERS && !frame.left) {
                let rect = layout.callers[caller];
                let nth = in_vain[caller] as f32;
                in_vain[caller] += 1;
                let x = rect.x + rect.w - 12.0 - nth * 11.0;
                if x > rect.x + 28.0 {
                    let p = pt(x, rect.y + 15.0);
                    scene.particle(p, 4.5, Glyph::Request, Ink::Warn, frame.number);
                }
            }
            continue;
        }
        let share = frame.leg.share(at);
        let (glyph, ink) = match (frame.leg.back, frame.failed.is_some()) {
            (false, _) if frame.left => (Glyph::Request, Ink::Mark),
            (false, _) => (Glyph::Request, Ink::Accent),
            (true, false) => (Glyph::Response, Ink::Ok),
            (true, true) => (Glyph::Failure, Ink::Bad),
        };
        let mut p = along(&[way.0, way.1], share);
        p.x += if frame.leg.back { LANE } else { 0.0 };
        scene.particle(p, DOT, glyph, ink, frame.number);
    }
}
