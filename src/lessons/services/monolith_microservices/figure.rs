//! The stage: a grid of modules by copies whose borders are the processes; databases beside it, what users got under it.

use super::shop::{LATELY, Phase, Seen, module};
use super::{
    BOXES, BROWSERS, BUY, BUYERS, HISTORY, MODULES, MONOLITH, MOST, ONE_DATABASE, ORDER, ORDER_DB,
    ORDER_PAYMENT, ORDER_PRODUCT, OWN_DATA, PAST, PAYMENT, PAYMENT_DB, PRODUCT, SEARCH,
    SEARCH_PRODUCT, SHARED, TO_BOX, TO_ORDER, TO_SEARCH, size,
};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{fitting, pill};
use kit::figures::shares::{Fill, Shares};
use kit::figures::{DOT, panel, queue};
use kit::flow::Member;
use kit::layout::{Course, Way};
use kit::system::{Frame, NodeId, Part, Place, System, Values, died};

/// What users got lately.
pub(super) const GOT: PartId = PartId::one("got");
/// What there is to run, and the order history.
pub(super) const COST: PartId = PartId::one("cost");
/// Ways between services.
pub(super) const LINKS: PartId = PartId::one("links");

/// Whose chain of causes answers for what has none of its own.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &STANDS;
const STANDS: [(PartId, PartId); 36] = {
    const WHO: [&str; 6] = ["got", "cost", "links", "users", "balancer", "order-db"];
    const FIRST: [&str; 3] = ["box", "search", "order"];
    // Payment has nothing to do where Product does not answer.
    const PAID: [&str; 2] = ["payment", "product"];
    let mut all = [(GOT, GOT); 36];
    let mut i = 0;
    while i < all.len() {
        all[i] = match i {
            0..18 => (PartId::one(WHO[i / 3]), PartId::nth(FIRST[i % 3], 1)),
            18..20 => (PartId::one("payment-db"), PartId::nth(PAID[i % 2], 1)),
            _ => (
                PartId::nth("payment", (i / 2 - 9) as u16),
                PartId::nth(PAID[i % 2], 1),
            ),
        };
        i += 1;
    }
    all
};
/// Names of the rows.
const ROWS: [&str; 4] = [
    "module.search",
    "module.product",
    "module.order",
    "module.payment",
];

const PAD: f32 = 10.0;
/// Borders are redrawn within so long.
const REDRAWN: Time = Time::ms(300);
/// The head of a column: its memory, and who waits at a box.
const HEAD: f32 = 38.0;
/// A border is so far outside its modules.
const RIM: f32 = 4.0;
/// Between the lane of a row and its cells.
const LANE: f32 = 9.0;

struct Layout {
    narrow: bool,
    users: Rect,
    balancer: Rect,
    /// Cells of the grid, without what lies between them.
    grid: Rect,
    cell: (f32, f32),
    gap: f32,
    pitch: f32,
    /// Of the one database; of Order's and Payment's.
    databases: [Rect; 3],
    got: Rect,
    cost: Rect,
}

impl Layout {
    fn of(width: f32, narrow: bool, columns: usize) -> Layout {
        let columns = columns.clamp(3, MOST) as f32;
        if narrow {
            let (h, gap) = (40.0, 22.0);
            let half = (width - 2.0 * PAD - 30.0) / 2.0;
            let users = Rect::new(PAD, 6.0, half, 50.0);
            let balancer = Rect::new(PAD + half + 30.0, 6.0, half, 50.0);
            let x = PAD + 66.0;
            let pitch = (width - PAD - RIM - x) / columns;
            let w = (pitch - 2.0 * RIM - 4.0).min(70.0);
            let grid = Rect::new(
                x,
                users.y + users.h + 20.0 + HEAD,
                pitch * columns,
                4.0 * h + 3.0 * gap,
            );
            let y = grid.y + grid.h + RIM + 12.0;
            let row = Rect::new(PAD, y, width - 2.0 * PAD, 62.0);
            let two = (row.w - 8.0) / 2.0;
            let got = Rect::new(PAD, y + 70.0, row.w, 82.0);
            return Layout {
                narrow,
                users,
                balancer,
                grid,
                cell: (w, h),
                gap,
                pitch,
                databases: [
                    row,
                    Rect { w: two, ..row },
                    Rect::new(row.x + two + 8.0, y, two, row.h),
                ],
                got,
                cost: Rect::new(PAD, got.y + 90.0, row.w, 64.0),
            };
        }
        let (h, gap) = (46.0, 26.0);
        let top = 32.0 + HEAD;
        let x = 300.0;
        let right = 156.0;
        let pitch = (width - right - x - 10.0) / columns;
        let w = (pitch - 2.0 * RIM - 6.0).min(96.0);
        let grid = Rect::new(x, top, pitch * columns, 4.0 * h + 3.0 * gap);
        let users = Rect::new(PAD, top + 60.0, 106.0, 96.0);
        let balancer = Rect::new(148.0, 8.0, 78.0, grid.y + grid.h + RIM - 8.0);
        let db = Rect::new(width - right, 8.0, right - PAD, balancer.h);
        let beside = |row: f32| Rect::new(db.x, top + row * (h + gap) - 9.0, db.w, 64.0);
        let y = grid.y + grid.h + RIM + 12.0;
        let left = (width - 2.0 * PAD - 8.0) * 0.6;
        let got = Rect::new(PAD, y, left, 82.0);
        let cost = Rect::new(PAD + left + 8.0, y, width - 2.0 * PAD - 8.0 - left, 82.0);
        Layout {
            narrow,
            users,
            balancer,
            grid,
            cell: (w, h),
            gap,
            pitch,
            databases: [db, beside(2.0), beside(3.0)],
            got,
            cost,
        }
    }

    fn cell(&self, column: usize, row: usize) -> Rect {
        let x = self.grid.x + self.pitch * (column as f32 + 0.5) - self.cell.0 / 2.0;
        let y = self.grid.y + (self.cell.1 + self.gap) * row as f32;
        Rect::new(x, y, self.cell.0, self.cell.1)
    }

    /// The process of a column: its modules, and above them its head.
    fn column(&self, column: usize) -> Rect {
        let top = self.cell(column, 0);
        Rect::new(top.x, top.y - HEAD, top.w, self.grid.h + HEAD).grown(RIM)
    }

    /// The border around one module: a quarter of its column's, or, as far as it is open, its own.
    fn border(&self, column: usize, row: usize, open: f32) -> Rect {
        let cell = self.cell(column, row);
        let head = if row == 0 { HEAD } else { 0.0 };
        let more = (self.gap / 2.0 - RIM) * (1.0 - open);
        let up = if row == 0 { head } else { more };
        let down = if row == 3 { 0.0 } else { more };
        Rect::new(cell.x, cell.y - up, cell.w, cell.h + up + down).grown(RIM)
    }

    /// Where a row's lane runs.
    fn lane(&self, row: usize) -> f32 {
        let head = if row == 0 { HEAD } else { 0.0 };
        self.cell(0, row).y - RIM - LANE - head
    }

    /// From the balancer, or past it, to a process of a row.
    fn entry(&self, row: usize, column: usize, past: bool) -> Way {
        let cell = self.cell(column, row);
        let (x, lane) = (cell.centre().x, self.lane(row));
        let end = pt(x, lane + LANE);
        let from = if past { self.users } else { self.balancer };
        let mut points = match (self.narrow, past) {
            (true, _) => vec![pt(from.x + 18.0, from.y + from.h)],
            (false, false) => vec![pt(from.x + from.w, lane)],
            (false, true) => vec![from.bottom(), pt(from.bottom().x, lane)],
        };
        if self.narrow {
            let above = self.lane(0);
            points.push(pt(from.x + 18.0, above));
            if row > 0 {
                points.extend([pt(PAD - 5.0, above), pt(PAD - 5.0, lane)]);
            }
        }
        points.extend([pt(x, lane), end]);
        Way::through(&points, 5.0).lanes(0.0, 6.0)
    }

    /// From a module of one service to one of another, of the row above or below.
    fn call(&self, from: (usize, usize), to: (usize, usize)) -> Way {
        let edge = |at: (usize, usize), down: bool| {
            let rect = self.border(at.0, at.1, 1.0);
            pt(rect.centre().x, if down { rect.y + rect.h } else { rect.y })
        };
        let down = to.1 > from.1;
        let down_there = if to.1 == 0 { false } else { !down };
        Way::straight(edge(from, down), edge(to, down_there)).lanes(0.0, 6.0)
    }

    /// Where a worker of a module has what it works on, and how large that is.
    fn socket(&self, column: usize, row: usize, worker: usize, workers: usize) -> (Point, f32) {
        let cell = self.cell(column, row);
        let across = workers.clamp(1, 4);
        let pitch = ((cell.w - 4.0) / across as f32).min(20.0);
        let rows = workers.div_ceil(4);
        let (i, j) = ((worker % 4) as f32, (worker / 4) as f32);
        let x = cell.centre().x + pitch * (i - (across as f32 - 1.0) / 2.0);
        let y = cell.y + cell.h * 0.42 + 12.0 * (j - (rows as f32 - 1.0) / 2.0);
        (pt(x, y), (pitch * 0.42).min(DOT + 1.0))
    }

    /// Where one waits at a process of a row; boxes have a row of their own for that.
    fn waits(&self, column: usize, row: Option<usize>, place: usize) -> (Point, f32) {
        let pitch = ((self.cell.0 - 2.0) / 6.0).min(10.0);
        let cell = self.cell(column, row.unwrap_or(0));
        let x = cell.centre().x + pitch * (place as f32 - 2.5);
        let y = match row {
            Some(_) => cell.y + cell.h - 6.0,
            None => cell.y - 8.0,
        };
        (pt(x, y), (pitch * 0.4).min(3.5))
    }
}

/// Draws a run, as [`engine::Sheet::draw`] wants it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let design = knobs.whole("design");
    let boxed = design == MONOLITH;
    let all = [BOXES].into_iter().chain(MODULES);
    let columns = all.map(|node| members(system, node).len()).max();
    let layout = Layout::of(scene.width, scene.narrow(), columns.unwrap_or(1));
    scene.height = layout.got.y.max(layout.cost.y) + layout.cost.h + 8.0;
    // As far as borders have come since the design was switched.
    let moved = at.progress(seen.switched, seen.switched + REDRAWN);
    let was_boxed = seen.before == MONOLITH;
    let open = match (was_boxed, boxed) {
        (true, true) => 0.0,
        (false, false) => 1.0,
        (true, false) => moved,
        (false, true) => 1.0 - moved,
    };
    ways(system, &layout, boxed, scene);
    users(system, &layout, scene);
    balancer(system, at, &layout, scene);
    for (row, word) in ROWS.into_iter().enumerate() {
        let name = scene.say(word, &[]);
        let cell = layout.cell(0, row);
        let p = pt(layout.grid.x - 64.0, cell.y + cell.h / 2.0 + 4.0);
        scene.background().bold(p, 12.0, Ink::Ink, name);
    }
    if !boxed {
        links(system, knobs, &layout, scene);
    }
    for node in super::processes(design) {
        for column in 0..members(system, *node).len().min(MOST) {
            process(system, (*node, column), (&layout, open), at, scene);
        }
    }
    match design {
        OWN_DATA => {
            database(system, ORDER_DB, layout.databases[1], at, scene);
            database(system, PAYMENT_DB, layout.databases[2], at, scene);
        }
        _ => database(system, SHARED, layout.databases[0], at, scene),
    }
    got(system, at, layout.got, scene);
    cost(system, knobs, layout.cost, scene);
    for node in [BOXES].into_iter().chain(MODULES) {
        inside(system, node, &layout, scene);
    }
    for (key, frame) in system.frames() {
        let caller = system.caller(key).map(Frame::at);
        travels(frame, caller, &layout, at, scene);
    }
}

type Process = Member<Part>;

fn members(system: &System, node: NodeId) -> Vec<&Process> {
    let live = system.node(node).into_iter();
    live.flat_map(|live| live.members.iter()).collect()
}

fn row_of(node: NodeId) -> Option<usize> {
    MODULES.iter().position(|it| *it == node)
}

fn ink_of(frame: &Frame) -> Ink {
    match frame.draw.class {
        HISTORY => Ink::Warn,
        BUY => Ink::Hit,
        _ => Ink::Accent,
    }
}

/// Lanes from the balancer, and ways to the databases.
fn ways(system: &System, layout: &Layout, boxed: bool, scene: &mut Scene) {
    let mut ground = scene.background();
    let door = Way::between(layout.users, layout.balancer);
    ground.line(door.d(), Ink::Mark, 1.5);
    let rows: &[(usize, NodeId)] = match boxed {
        true => &[(0, BOXES)],
        false => &[(0, SEARCH), (2, ORDER)],
    };
    for (row, node) in rows {
        for column in 0..members(system, *node).len() {
            let way = layout.entry(*row, column, false);
            ground.line(way.d(), Ink::Mark, 1.5);
        }
    }
    let own = !boxed && system.own::<Seen>().design == OWN_DATA;
    let rows: &[usize] = if own { &[2, 3] } else { &[3] };
    for (i, row) in rows.iter().enumerate() {
        let db = layout.databases[if own { i + 1 } else { 0 }];
        let node = if boxed { BOXES } else { MODULES[*row] };
        let last = members(system, node).len().saturating_sub(1);
        let from = layout.border(last, *row, 1.0).right();
        let way = match layout.narrow {
            true => Way::straight(pt(db.centre().x, db.y - 10.0), db.top()),
            false => Way::straight(from, pt(db.x, from.y)),
        };
        ground.line(way.d(), Ink::Mark, 1.5);
    }
    if own && !layout.narrow {
        // Search and Product have data of their own, too, which nobody writes here.
        for (row, word) in ["data.search", "data.product"].into_iter().enumerate() {
            let words = scene.say(word, &[]);
            let db = layout.databases[1];
            let y = layout.cell(0, row).centre().y;
            let rect = Rect::new(db.x, y - 14.0, db.w, 28.0);
            let words = fitting(&[words], 11.0, false, rect.w - 20.0);
            let mut ground = scene.background();
            ground.bordered(rect, 8.0, Ink::Card, Ink::Line, 1.0);
            ground.text(pt(rect.x + 10.0, y + 4.0), 11.0, Ink::Secondary, words);
        }
    }
    // Who was inside when the design was switched finishes under the old borders.
    let old: &[NodeId] = if boxed { &MODULES } else { &[BOXES] };
    for node in old {
        for column in 0..MOST {
            if super::holds(system, *node, column) {
                let rect = match row_of(*node) {
                    Some(row) => layout.border(column, row, 1.0),
                    None => layout.column(column),
                };
                let mut ground = scene.background();
                ground.dashed(rect.grown(4.0), 10.0, Ink::None, Ink::Mark, 1.5);
            }
        }
    }
}

/// Calls that leave a process: from each caller to each callee.
fn links(system: &System, knobs: &Values, layout: &Layout, scene: &mut Scene) {
    let first = layout.border(0, 0, 1.0);
    let x = first.x;
    let frame = Rect::new(
        x,
        first.y + first.h,
        layout.grid.x + layout.grid.w - x,
        layout.grid.h - 2.0 * layout.cell.1,
    );
    let words = scene.say("links", &[Arg::Number(knobs.get("hop"))]);
    let count = |row: usize| members(system, MODULES[row]).len();
    let mut pencil = scene.link(LINKS, frame, words);
    let many = count(0) > 3;
    for (from, to) in [(0, 1), (2, 1), (2, 3)] {
        for caller in 0..count(from) {
            for callee in 0..count(to) {
                let way = layout.call((caller, from), (callee, to));
                let ink = if many { Ink::Line } else { Ink::LineStrong };
                pencil.line(way.d(), ink, 1.0);
            }
        }
    }
}

fn users(system: &System, layout: &Layout, scene: &mut Scene) {
    let rect = layout.users;
    let part = PartId::one("users");
    let rates = [(BROWSERS, "browse", Ink::Accent), (BUYERS, "buy", Ink::Hit)];
    let lines = rates.map(|(node, word, ink)| {
        let rate = Arg::Number(system.load_per_s(node));
        (scene.say(word, &[rate]), ink)
    });
    let spoken = format!("{}, {}", lines[0].0, lines[1].0);
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, spoken);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    let x = rect.x + 10.0;
    pencil.bold(pt(x, rect.y + 18.0), 13.0, Ink::Ink, name);
    let step = if layout.narrow { 13.0 } else { 19.0 };
    let first = if layout.narrow { 32.0 } else { 40.0 };
    for (i, (line, ink)) in lines.into_iter().enumerate() {
        let y = rect.y + first + step * i as f32;
        pencil.mark(Glyph::Request, pt(x + 4.0, y - 4.0), 4.0, ink);
        let line = fitting(&[line], 11.0, false, rect.w - 30.0);
        pencil.text(pt(x + 13.0, y), 11.0, Ink::Secondary, line);
    }
}

fn balancer(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let rect = layout.balancer;
    let part = PartId::one("balancer");
    let nth = |column: usize| Arg::Count(column as i64 + 1);
    let (said, ink) = match system.own::<Seen>().deploy {
        Some(Phase::Tests(until)) => {
            let left = Arg::Number(until.since(at).as_s().ceil());
            (scene.say("deploy.tests", &[left]), Ink::Accent)
        }
        Some(Phase::Drains(it)) => (scene.say("deploy.drains", &[nth(it)]), Ink::Accent),
        Some(Phase::Starts(it)) => (scene.say("deploy.starts", &[nth(it)]), Ink::Accent),
        None => (scene.say("fewest", &[]), Ink::Secondary),
    };
    let name = scene.name(part);
    let mut pencil = scene.thing(part, rect, said.clone());
    pencil.bordered(rect, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    pencil.bold(pt(rect.x + 10.0, rect.y + 18.0), 13.0, Ink::Ink, name);
    let room = rect.w - 18.0;
    let lines = text::wrap(&said, 11.0, false, room);
    let most = if layout.narrow { 2 } else { 7 };
    for (i, line) in lines.into_iter().take(most).enumerate() {
        let p = pt(rect.x + 10.0, rect.y + 33.0 + 12.5 * i as f32);
        pencil.text(p, 11.0, ink, fitting(&[line], 11.0, false, room));
    }
}

/// A process: one border around four modules, or around one.
fn process(
    system: &System,
    (node, column): (NodeId, usize),
    (layout, open): (&Layout, f32),
    at: Time,
    scene: &mut Scene,
) {
    let Some(live) = system.node(node) else {
        return;
    };
    let Some(it) = live.members.get(column) else {
        return;
    };
    let (rect, rows) = match row_of(node) {
        Some(row) => (layout.border(column, row, open), row..row + 1),
        None => (layout.column(column), 0..4),
    };
    let held = Arg::Count(it.own.pool.held.len() as i64);
    let busy = [held, Arg::Count(live.workers() as i64)];
    let starts = it.own.starting.map(|it| it.until.since(at).as_s().ceil());
    let (said, short) = match (it.down, starts) {
        (Some(_), Some(left)) => (
            scene.say("restarting", &[Arg::Number(left)]),
            format!("{left} s"),
        ),
        (Some(_), None) => (scene.say("down", &[]), "✕".to_owned()),
        (None, _) if it.leaving => (scene.say("leaving", &[]), String::new()),
        (None, _) => (scene.say("busy", &busy), String::new()),
    };
    let died = died(it, at, scene).zip(it.own.dying(at));
    let died = died.map(|(died, (_, many))| [died, format!("✕ {many}")]);
    let share = system.own::<Seen>().memory[column] / 100.0;
    let words = ["memory", "memory.short"].map(|word| scene.say(word, &[Arg::Share(share)]));
    let leaks = rows.start == 0;
    let spoken = match leaks {
        true => format!("{said}, {}", words[0]),
        false => said.clone(),
    };
    let mut pencil = scene.thing(live.node.part_of(column), rect, spoken);
    pencil.figure("down", f64::from(u8::from(it.down.is_some())));
    let ink = if it.leaving { Ink::Mark } else { Ink::Ink };
    if rows.len() > 1 && open > 0.0 {
        for row in rows.clone() {
            pencil.bordered(layout.border(column, row, open), 8.0, Ink::Card, ink, 2.0);
        }
    } else {
        pencil.bordered(rect, 8.0, Ink::Card, ink, 2.0);
    }
    let label = |pencil: &mut Pencil<'_>, at: Point, texts: &[String]| {
        let text = fitting(texts, 11.0, true, rect.w - 26.0);
        if !text.is_empty() {
            pill(pencil, at, text, Ink::Card, Ink::Bad);
        }
    };
    let mut below = layout.cell(column, rows.start).bottom();
    below.y += if rows.len() > 1 {
        layout.gap * 1.5 + layout.cell.1
    } else {
        -10.0
    };
    if it.down.is_some() {
        pencil.filled(rect, 8.0, Ink::BadSoft);
        pencil.filled(rect, 8.0, Ink::BadHatch);
        pencil.dashed(rect, 8.0, Ink::None, Ink::Bad, 2.0);
        label(&mut pencil, rect.centre(), &[said, short]);
    } else {
        if leaks {
            memory(share, layout.cell(column, 0), &words, &mut pencil);
        }
        for row in rows.clone() {
            sockets(
                system,
                it,
                layout,
                (column, row, live.workers()),
                &mut pencil,
            );
        }
    }
    if let Some(died) = died.filter(|_| it.down.is_none() || rows.len() > 1) {
        label(&mut pencil, below, &died);
    }
}

/// Memory of the process that has Search, in the head of a column.
fn memory(share: f64, cell: Rect, words: &[String], pencil: &mut Pencil<'_>) {
    let ink = match share {
        x if x >= 0.8 => Ink::Bad,
        x if x >= 0.5 => Ink::Warn,
        _ => Ink::Secondary,
    };
    let label = fitting(words, 11.0, false, cell.w - 2.0);
    let y = cell.y - HEAD;
    pencil.text(pt(cell.x, y + 10.0), 11.0, Ink::Secondary, label);
    let meter = Rect::new(cell.x, y + 14.0, cell.w, 6.0);
    pencil.meter(meter, share as f32, ink, false);
}

/// Workers of one module. One who waits for somebody else's answer is a ring: held, and not working.
fn sockets(
    system: &System,
    process: &Process,
    layout: &Layout,
    (column, row, workers): (usize, usize, usize),
    pencil: &mut Pencil<'_>,
) {
    pencil.filled(layout.cell(column, row), 5.0, Ink::Paper);
    for worker in 0..workers {
        let (p, r) = layout.socket(column, row, worker, workers);
        let ring = Rect::new(p.x - r, p.y - r, 2.0 * r, 2.0 * r);
        let held = process.own.pool.held.get(worker);
        let frame = held.and_then(|key| system.frame(*key));
        let waits = frame.filter(|it| it.works_since().is_none() && module(it) == Some(row));
        let (ink, w) = waits.map_or((Ink::Line, 1.0), |frame| (ink_of(frame), 2.5));
        pencil.bordered(ring, r, Ink::Card, ink, w);
    }
}

/// What processes work on, and what waits at them.
fn inside(system: &System, node: NodeId, layout: &Layout, scene: &mut Scene) {
    let Some(live) = system.node(node) else {
        return;
    };
    for (column, it) in live.members.iter().enumerate().take(MOST) {
        for (worker, key) in it.own.pool.held.iter().enumerate() {
            let frame = system.frame(*key);
            let works = frame.filter(|it| it.works_since().is_some());
            if let Some((frame, row)) = works.and_then(|it| Some((it, module(it)?))) {
                let (p, r) = layout.socket(column, row, worker, live.workers());
                let r = r.min(DOT);
                scene.particle(p, r, Glyph::Request, ink_of(frame), frame.number);
            }
        }
        for (place, key) in it.own.pool.queue.iter().enumerate() {
            if let Some(frame) = system.frame(*key) {
                let (p, r) = layout.waits(column, row_of(node), place.min(5));
                scene.particle(p, r, Glyph::Request, ink_of(frame), frame.number);
            }
        }
    }
}

/// A database: who writes, who waits for that, and orders without a payment.
fn database(system: &System, node: NodeId, rect: Rect, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let Some(process) = members(system, node).first().copied() else {
        return;
    };
    let pool = &process.own.pool;
    let waiting = pool.queue.len();
    let rate = seen.pays_per_s(at);
    let per_s = scene.say("paid", &[Arg::Tenths((rate * 10.0 + 0.5) as u32)]);
    let waits = scene.say("writes", &[Arg::Count(waiting as i64)]);
    let has_half = node == PAYMENT_DB && seen.half > 0;
    let half = scene.say("half", &[Arg::Count(i64::from(seen.half))]);
    let renamed = seen.is_renamed() && node != PAYMENT_DB;
    let breaks = renamed && seen.design == ONE_DATABASE;
    let (column, writer) = (scene.say("renamed", &[]), scene.say("writer", &[]));
    let part = system.node(node).map_or(GOT, |live| live.node.part_of(0));
    let name = scene.name(part);
    let tall = rect.h > 100.0;
    let slow = if waiting > 5 {
        Ink::Warn
    } else {
        Ink::Secondary
    };
    let mut lines = match (has_half, node, tall) {
        (true, ..) => vec![(format!("▲ {half}"), Ink::Bad)],
        (_, SHARED, true) => vec![(waits, slow), (per_s, Ink::Secondary)],
        (_, SHARED, false) => vec![(format!("{waits}, {per_s}"), slow)],
        _ => vec![(waits, slow)],
    };
    if renamed {
        let ink = if breaks { Ink::Bad } else { Ink::Secondary };
        lines.push((column, ink));
    }
    let spoken: Vec<&str> = lines.iter().map(|it| it.0.as_str()).collect();
    let mut pencil = scene.thing(part, rect, spoken.join(", "));
    pencil
        .figure("waiting", waiting as f64)
        .figure("paid/s", rate)
        .figure("half", f64::from(seen.half))
        .figure("renamed", f64::from(u8::from(breaks)));
    let bad = breaks || has_half;
    let border = if bad { Ink::Bad } else { Ink::LineStrong };
    pencil.bordered(rect, 10.0, Ink::Card, border, 1.5);
    // The lid of a cylinder.
    let (x, w) = (tenths(rect.x + 8.0), tenths(rect.w - 16.0));
    pencil.line(format!("M{x} {}h{w}", tenths(rect.y + 5.0)), Ink::Line, 1.0);
    let (x, room) = (rect.x + 10.0, rect.w - 18.0);
    let name = fitting(&[name], 12.0, true, room);
    pencil.bold(pt(x, rect.y + 20.0), 12.0, Ink::Ink, name);
    let mut below = rect.y + 35.0;
    for (line, ink) in lines {
        let line = fitting(&[line], 11.0, false, room);
        pencil.text(pt(x, below), 11.0, ink, line);
        below += 15.0;
    }
    below -= 8.0;
    if tall {
        below = rect.centre().y - 8.0;
        pencil.text(pt(x, below - 8.0), 11.0, Ink::Secondary, writer);
    }
    let area = Rect::new(x - 2.0, below, room, rect.y + rect.h - below - 2.0);
    let writes = pool.held.iter().chain(&pool.queue);
    let dots = writes.filter_map(|key| Some(system.frame(*key)?.number));
    queue(scene, area, Glyph::Message, Ink::Hit, dots);
}

/// What users got lately.
fn got(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let kinds = ["got.browse", "got.buy"].map(|word| scene.say(word, &[]));
    let shares = [0, 1].map(|kind| [0, 1, 2].map(|fate| seen.share(kind, fate, at)));
    let median = |kind: usize| {
        let it = seen.median(kind).unwrap_or(Time::ZERO);
        Arg::Number((it.0 as f64 / 1_000.0).round())
    };
    let span = Arg::Number(LATELY.min(seen.counted(at)).as_s().floor());
    let links = (seen.on_links(0).as_s() * 1e3).round();
    let args = [span, median(0), median(1), Arg::Number(links)];
    // There are medians of the two, or there are too few answers of one.
    let words = match seen.median(0).and(seen.median(1)) {
        Some(_) if links > 0.0 => ["got.links", "got.links.short"],
        Some(_) => ["got", "got.short"],
        None => ["got.few", "got.few"],
    };
    let [title, short] = words.map(|word| scene.say(word, &args));
    let percent = |share: f64| Arg::Share((share * 100.0).round() / 100.0);
    let spoken = [0, 1].map(|kind| {
        let args = shares[kind].map(percent);
        format!("{}: {}", kinds[kind], scene.say("got.value", &args))
    });
    let fates = ["got.well", "got.slow", "got.failed"];
    let names = fates.map(|word| scene.say(word, &[]));
    let spoken = format!("{title}; {}", spoken.join("; "));
    let title = fitting(&[title, short], 12.0, true, rect.w - 20.0);
    let mut pencil = scene.thing(GOT, rect, spoken);
    let ms = seen.median(0).map_or(0.0, |it| it.as_s() * 1e3);
    pencil
        .figure("browse failed %", shares[0][2] * 100.0)
        .figure("buy failed %", shares[1][2] * 100.0)
        .figure("browse ms", ms.round())
        .figure("links ms", links);
    let [browse, buy] = kinds;
    Shares {
        rect,
        title,
        styles: &[
            (Fill::Full, Ink::Ok, Ink::None),
            (Fill::Outline, Ink::Warn, Ink::WarnSoft),
            (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
        ],
        bars: &[(browse, shares[0].to_vec()), (buy, shares[1].to_vec())],
        names: names.into_iter().enumerate().collect(),
    }
    .draw(&mut pencil);
}

/// What there is to run, what is down, and the order history.
fn cost(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (processes, mb) = size(knobs, knobs.whole("more"));
    let count = |n: usize| Arg::Count(n as i64);
    let title = scene.say(
        "cost",
        &[count(processes as usize), Arg::Tenths(mb.div_ceil(100))],
    );
    let nodes = super::processes(knobs.whole("design"));
    let down = nodes.iter().flat_map(|node| members(system, *node));
    let down = down.filter(|it| it.down.is_some()).count();
    let killed = [count(down), Arg::Count(i64::from(seen.killed))];
    let state = scene.say("cost.down", &killed);
    let calls = seen.history.map_or(0, |it| it.calls);
    let took = seen.history.and_then(|it| it.took);
    let ms = took.unwrap_or(Time::ZERO).0 / 1_000;
    let args = [Arg::Count(i64::from(calls)), Arg::Number(ms as f64)];
    let word = match (seen.history, took) {
        (None, _) => "history.none",
        (_, None) => "history.asks",
        (_, Some(_)) => "history",
    };
    let history = scene.say(word, &args);
    let spoken = format!("{title}, {state}, {history}");
    let room = rect.w - 20.0;
    let mut pencil = scene.thing(COST, rect, spoken);
    pencil
        .figure("processes", f64::from(processes))
        .figure("GB", f64::from(mb) / 1_000.0)
        .figure("down", down as f64)
        .figure("calls", f64::from(calls))
        .figure("history ms", ms as f64);
    panel(&mut pencil, rect, fitting(&[title], 12.0, true, room));
    for (i, line) in [state, history].into_iter().enumerate() {
        let bad = i == 0 && down > 0;
        let ink = if bad { Ink::Bad } else { Ink::Ink };
        let p = pt(rect.x + 10.0, rect.y + 36.0 + 18.0 * i as f32);
        pencil.text(p, 11.5, ink, fitting(&[line], 11.5, false, room));
    }
}

/// A call or answer on its way.
fn travels(
    frame: &Frame,
    caller: Option<(NodeId, usize)>,
    layout: &Layout,
    at: Time,
    scene: &mut Scene,
) {
    let moves = matches!(frame.place, Place::Travels | Place::Bounces);
    let Some(way) = way(frame, caller, layout).filter(|_| moves) else {
        return;
    };
    let share = frame.leg.share(at);
    let p = match frame.leg.back {
        true => way.at(1.0 - share, Course::Back),
        false => way.at(share, Course::There),
    };
    let (glyph, ink) = match (frame.leg.back, frame.failed.is_some()) {
        (false, false) => (Glyph::Request, ink_of(frame)),
        (true, false) => (Glyph::Response, Ink::Ok),
        (_, true) => (Glyph::Failure, Ink::Bad),
    };
    scene.particle(p, DOT - 0.5, glyph, ink, frame.number);
}

/// The way that a call is on.
fn way(frame: &Frame, caller: Option<(NodeId, usize)>, layout: &Layout) -> Option<Way> {
    let column = frame.at().1.min(MOST - 1);
    let call = |from: NodeId, to: NodeId| {
        let (row, to) = (row_of(from)?, row_of(to)?);
        Some(layout.call((caller?.1, row), (column, to)))
    };
    match frame.leg.on {
        TO_BOX | TO_SEARCH => Some(layout.entry(0, column, false)),
        TO_ORDER => Some(layout.entry(2, column, false)),
        PAST => Some(layout.entry(1, column, true)),
        SEARCH_PRODUCT => call(SEARCH, PRODUCT),
        ORDER_PRODUCT => call(ORDER, PRODUCT),
        ORDER_PAYMENT => call(ORDER, PAYMENT),
        on if super::IN.contains(&on) => Some(Way::between(layout.users, layout.balancer)),
        _ => None,
    }
}
