//! The stage: a field of instances, a comb of connections, times of answers on two floors, and the bill.

use super::bill::{SERVER_MONTH, break_even, dollars};
use super::model::{
    By, Cell, Cloud, DATABASE, DOOR, FUNCTION, Fate, HOP, Place, SERVER, SERVER_QUEUE,
    SERVER_WORKERS, USERS, Who, count, part as cell_part,
};
use super::settings::{Connections, Settings};
use algorithms::functions::State;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{fixed, tenths};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::cells::Cells;
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, NodeCard, panel};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// Times of answers, and what a month costs.
pub(super) const ANSWERS: PartId = PartId::one("answers");
pub(super) const BILL: PartId = PartId::one("bill");
/// The figure of answers looks back so far; where hardly anybody comes, further.
const LATELY: Time = Time::s(30);
const LONG: Time = Time::s(600);
/// There is always room for so many instances: as many as are allowed, and some old ones.
const ROOM: usize = 60;
/// Height of the field's head.
const HEAD: f32 = 34.0;

/// Where the instances stand: places a row, how far apart rows are, and how far apart columns.
struct Field {
    area: Rect,
    columns: usize,
    pitch: f32,
    across: f32,
}

impl Field {
    fn of(area: Rect, count: usize) -> Field {
        let mut best = (1, 0.0_f32);
        for columns in 4..=40 {
            let rows = count.div_ceil(columns);
            let pitch = (area.w / columns as f32).min(area.h / rows as f32);
            if pitch > best.1 + 0.01 {
                best = (columns, pitch);
            }
        }
        let (columns, pitch) = (best.0, best.1.min(48.0));
        Field {
            area,
            columns,
            pitch,
            across: (area.w / columns as f32).min(1.3 * pitch),
        }
    }

    fn cell(&self, place: usize) -> Rect {
        let side = 0.76 * self.pitch;
        let (column, row) = (place % self.columns, place / self.columns);
        Rect::new(
            self.area.x + self.across * (column as f32 + 0.5) - side / 2.0,
            self.area.y + self.pitch * (row as f32 + 0.12),
            side,
            side,
        )
    }
}

pub(super) fn draw(cloud: &Cloud, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow);
    let all = placed.of(FUNCTION);
    let inside = Rect::new(all.x + 6.0, all.y + HEAD, all.w - 12.0, all.h - HEAD - 5.0);
    let room = ROOM.max(knobs.limit as usize);
    let field = Field::of(inside, room.max(cloud.cells.len().next_multiple_of(10)));
    ground(cloud, &placed, &field, narrow, scene);
    users(cloud, placed.of(USERS), scene);
    door(cloud, placed.of(DOOR), scene);
    if cloud.is_server() {
        server(cloud, all, scene);
    } else {
        function(cloud, knobs, all, scene);
        for (i, cell) in cloud.cells.iter().enumerate() {
            if let Some(cell) = cell {
                instance(cloud, cell, i, field.cell(i), at, scene);
            }
        }
    }
    database(cloud, placed.of(DATABASE), narrow, scene);
    answers(cloud, knobs, placed.of(ANSWERS), at, scene);
    bill(cloud, knobs, placed.of(BILL), at, scene);
    dots(cloud, &placed, &field, at, scene);
}

fn place(scene: &mut Scene, narrow: bool) -> Placed {
    let stage = if narrow {
        vec![
            Slot::Row(vec![
                part(USERS, Span::rest(100.0, 1.0), 48.0),
                space(40.0),
                part(DOOR, Span::rest(120.0, 1.0), 48.0),
            ]),
            space(18.0),
            part(FUNCTION, Span::rest(250.0, 1.0), (190.0, 240.0)),
            space(6.0),
            part(DATABASE, Span::rest(250.0, 1.0), 30.0),
            space(8.0),
            part(ANSWERS, Span::rest(250.0, 1.0), (112.0, 136.0)),
            space(8.0),
            part(BILL, Span::rest(250.0, 1.0), (82.0, 92.0)),
        ]
    } else {
        vec![
            Slot::Row(vec![
                Slot::Column(vec![
                    part(USERS, (84.0, 122.0), 58.0),
                    space((30.0, 40.0)),
                    part(DOOR, (84.0, 122.0), 74.0),
                ]),
                space((18.0, 34.0)),
                part(FUNCTION, Span::rest(280.0, 1.0), (170.0, 262.0)),
                space((26.0, 44.0)),
                part(DATABASE, (92.0, 116.0), (170.0, 262.0)),
            ]),
            space(10.0),
            Slot::Row(vec![
                part(ANSWERS, Span::rest(300.0, 1.6), (112.0, 150.0)),
                space(10.0),
                part(BILL, Span::rest(200.0, 1.0), (112.0, 150.0)),
            ]),
        ]
    };
    lay(scene, &Slot::Column(stage))
}

/// Where the connection of this number ends at the comb.
fn tooth(rect: Rect, slots: usize, slot: usize) -> Point {
    let (top, room) = (rect.y + 56.0, rect.h - 66.0);
    pt(
        rect.x,
        top + room * (slot as f32 + 0.5) / slots.max(1) as f32,
    )
}

/// Links, the frame of the field, and a hairline for each connection.
fn ground(cloud: &Cloud, placed: &Placed, field: &Field, narrow: bool, scene: &mut Scene) {
    let (all, base) = (placed.of(FUNCTION), placed.of(DATABASE));
    let door = placed.of(DOOR);
    let slots = cloud.knobs.slots as usize;
    let mut pencil = scene.background();
    pencil.line(placed.way(USERS, DOOR).d(), Ink::Mark, 1.5);
    pencil.bordered(all, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let end = if narrow {
        pt(door.centre().x, all.y)
    } else {
        pt(all.x, door.right().y)
    };
    let from = if narrow { door.bottom() } else { door.right() };
    pencil.line(Way::straight(from, end).d(), Ink::Mark, 1.5);
    if narrow {
        return;
    }
    let pooled = cloud.is_server() || cloud.knobs.connections == Connections::Pooler;
    if pooled {
        let from = pt(all.x + all.w, base.centre().y);
        pencil.line(Way::straight(from, base.left()).d(), Ink::Mark, 3.0);
    }
    if cloud.is_server() {
        return;
    }
    let (mut idle, mut busy) = (String::new(), String::new());
    for (i, cell) in cloud.cells.iter().enumerate() {
        if let Some((id, slot)) = cell.as_ref().and_then(|cell| Some((cell.id, cell.slot?))) {
            let one = cloud.functions.instance(id);
            let works = one.is_some_and(|one| one.requests > 0);
            let d = if works { &mut busy } else { &mut idle };
            let (from, to) = (
                field.cell(i).right(),
                tooth(base, slots, slot.min(slots - 1)),
            );
            let edge = tenths(all.x + all.w);
            *d += &format!(
                "M{} {}L{edge} {}H{}",
                tenths(from.x),
                tenths(from.y),
                tenths(to.y),
                tenths(to.x)
            );
        }
    }
    pencil.line(idle, Ink::LineStrong, 0.75);
    pencil.line(busy, Ink::Accent, 1.0);
}

/// A card at the edge of the system; in the bad colour where something is wrong.
fn card(rect: Rect, names: &[String], status: &[String], bad: bool, pencil: &mut Pencil<'_>) {
    let room = rect.w - 26.0;
    let plain = NodeCard::plain(
        rect,
        fitting(names, 14.5, true, room),
        fitting(status, 12.5, true, room),
    );
    let [ink, border] = if bad {
        [Ink::Bad; 2]
    } else {
        [plain.ink, plain.border]
    };
    NodeCard {
        ink,
        border,
        ..plain
    }
    .draw(pencil);
}

fn users(cloud: &Cloud, rect: Rect, scene: &mut Scene) {
    let rate = cloud.rate();
    let word = match () {
        () if cloud.is_silent() => "silence",
        () if cloud.requests.born() == 0 => "nobody-yet",
        () => "rate",
    };
    let status = scene.say(word, &[Arg::Number(rate)]);
    let name = scene.name(USERS);
    let mut pencil = scene.thing(USERS, rect, status.clone());
    pencil.figure("rate", rate);
    card(rect, &[name], &[status], cloud.is_attacked(), &mut pencil);
}

/// The front door, and why it has refused the last one that it refused.
fn door(cloud: &Cloud, rect: Rect, scene: &mut Scene) {
    let refused = cloud.tally.refused;
    let told = [count(refused)];
    let status = ["refused", "refused.short"].map(|word| scene.say(word, &told));
    let names = ["door", "door.short"].map(|word| scene.say(word, &[]));
    let reason = match cloud.refusal {
        "growth" => scene.say("because.growth", &[]),
        "full" => scene.say("because.full", &[]),
        _ => scene.say("because.limit", &[count(cloud.knobs.limit)]),
    };
    let bad = refused > 0;
    let mut spoken = status[0].clone();
    if bad {
        spoken = format!("{spoken}, {reason}");
    }
    let room = rect.w - 26.0;
    let mut pencil = scene.thing(DOOR, rect, spoken.clone());
    pencil.figure("refused", f64::from(refused));
    // On a low card the reason shares the line, if there is room.
    let low = rect.h < 70.0;
    let [long, short] = status;
    let status = if low {
        [spoken, long, short]
    } else {
        [long, short.clone(), short]
    };
    card(rect, &names, &status, bad, &mut pencil);
    if bad && !low {
        let reason = fitting(&[reason], 11.5, false, room);
        pencil.text(pt(rect.x + 14.0, rect.y + 62.0), 11.5, Ink::Bad, reason);
    }
}

/// The head of the field: how many are in use, and how many ought to be.
fn function(cloud: &Cloud, knobs: &Settings, area: Rect, scene: &mut Scene) {
    let rect = Rect { h: HEAD, ..area };
    let counts = cloud.counts;
    let work = cloud.work_mean().as_s();
    let needed = cloud.rate() * work / f64::from(knobs.at_once);
    let full = counts.in_use >= knobs.limit;
    let alive = counts.building + counts.busy + counts.frozen;
    let (in_use, limit) = (count(counts.in_use), count(knobs.limit));
    let said = ["in-use", "in-use.short"].map(|word| scene.say(word, &[in_use, limit]));
    let told = [
        Arg::Number(cloud.rate()),
        Arg::Number(work),
        Arg::Tenths((needed * 10.0 + 0.5) as u32),
    ];
    let sums = ["sum", "sum.short"].map(|word| scene.say(word, &told));
    let kinds = [counts.building, counts.busy, counts.frozen].map(count);
    let spoken = format!("{}, {}, {}", said[0], scene.say("kinds", &kinds), sums[0]);
    if alive == 0 {
        let nothing = scene.say("nothing", &[]);
        let middle = pt(area.centre().x, area.centre().y + 8.0);
        scene
            .background()
            .centred(middle, 13.0, false, Ink::Secondary, nothing);
    }
    let mut pencil = scene.thing(FUNCTION, rect, spoken);
    pencil
        .figure("in-use", f64::from(counts.in_use))
        .figure("building", f64::from(counts.building))
        .figure("frozen", f64::from(counts.frozen))
        .figure("old", f64::from(counts.old))
        .figure("alive", f64::from(alive))
        .figure("needed", needed);
    let (left, right) = (rect.x + 12.0, rect.x + rect.w - 12.0);
    let y = rect.y + 22.0;
    let said = fitting(&said, 14.5, true, 0.5 * rect.w);
    let ink = if full { Ink::Bad } else { Ink::Ink };
    let room = rect.w - 40.0 - text::width(&said, 14.5, true);
    pencil.bold(pt(left, y), 14.5, ink, said);
    let ink = if needed > f64::from(knobs.limit) {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    let sum = fitting(&sums, 12.5, true, room);
    ending(&mut pencil, pt(right, y), 12.5, true, ink, sum);
}

/// The first `share` of a square's border, clockwise from the middle above.
fn border(rect: Rect, share: f32) -> String {
    let (a, half) = (rect.w, rect.w / 2.0);
    let mut left = 4.0 * a * share.clamp(0.0, 1.0);
    let mut d = format!("M{} {}", tenths(rect.x + half), tenths(rect.y));
    for (dx, dy, length) in [
        (1.0, 0.0, half),
        (0.0, 1.0, a),
        (-1.0, 0.0, a),
        (0.0, -1.0, a),
        (1.0, 0.0, half),
    ] {
        let go = left.min(length);
        if go <= 0.0 {
            break;
        }
        d += &format!("l{} {}", tenths(dx * go), tenths(dy * go));
        left -= go;
    }
    d
}

/// One instance: a ring that closes while it is built, filled at work, pale with a rim that shortens while it is idle.
fn instance(cloud: &Cloud, cell: &Cell, place: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let Some(one) = cloud.functions.instance(cell.id) else {
        return;
    };
    let old = one.version != cloud.functions.version();
    let span = |span: Time| Arg::Tenths((span.as_s() * 10.0 + 0.5) as u32);
    let kept = cloud.knobs.kept();
    let (state, share) = match one.state() {
        State::Starting => (
            scene.say("cell.building", &[span(cell.ready.since(at))]),
            at.progress(cell.built, cell.ready),
        ),
        State::Busy => (scene.say("cell.busy", &[count(one.requests)]), 1.0),
        State::Idle { .. } if one.provisioned => (scene.say("cell.kept", &[]), 1.0),
        State::Idle { since_us } => {
            let end = Time(since_us) + kept;
            let share = 1.0 - at.progress(Time(since_us), end);
            (scene.say("cell.frozen", &[span(end.since(at))]), share)
        }
    };
    let version = scene.say("cell.version", &[count(one.version)]);
    let value = if old {
        format!("{state}, {version}")
    } else {
        state
    };
    let mut pencil = scene.thing(cell_part(place), rect, value);
    let side = rect.w;
    let number = if old {
        version
    } else {
        (place + 1).to_string()
    };
    let thick = (side * 0.09).clamp(1.5, 3.0);
    let ink = match one.state() {
        State::Starting => {
            pencil.dashed(rect, 3.0, Ink::WarnSoft, Ink::LineStrong, 1.0);
            pencil.line(border(rect, share), Ink::Warn, thick + 1.0);
            Ink::Warn
        }
        State::Busy => {
            // Where several requests fit, it is as full as it is.
            let full = (one.requests as f32 / cloud.knobs.at_once as f32).clamp(0.15, 1.0);
            pencil.bordered(rect, 3.0, Ink::AccentSoft, Ink::Accent, 1.5);
            let h = rect.h * full;
            let (x, low, w) = (tenths(rect.x), tenths(rect.y + rect.h), tenths(rect.w));
            pencil.area(format!("M{x} {low}v-{}h{w}V{low}Z", tenths(h)), Ink::Accent);
            if full > 0.6 { Ink::OnAccent } else { Ink::Ink }
        }
        State::Idle { .. } if old => {
            pencil.dashed(rect, 3.0, Ink::Card, Ink::LineStrong, 1.0);
            pencil.line(border(rect, share), Ink::Secondary, thick);
            Ink::Secondary
        }
        State::Idle { .. } => {
            pencil.bordered(rect, 3.0, Ink::AccentSoft, Ink::Line, 1.0);
            let thick = if one.provisioned { 1.0 } else { thick };
            pencil.line(border(rect, share), Ink::Accent, thick);
            Ink::Secondary
        }
    };
    if one.provisioned {
        let around = border(rect.grown(0.11 * side), 1.0);
        pencil.line(around, Ink::Accent, (0.05 * side).max(1.0));
    }
    let size = if side >= 28.0 { 13.0 } else { 11.0 };
    if side >= 17.0 && text::width(&number, size, true) < side - 2.0 {
        let middle = rect.centre();
        pencil.centred(
            pt(middle.x, middle.y + 0.36 * size),
            size,
            true,
            ink,
            number,
        );
    }
}

/// One machine that is always on.
fn server(cloud: &Cloud, rect: Rect, scene: &mut Scene) {
    let (busy, waiting) = (cloud.server.held.len(), cloud.server.queue.len());
    let told = [count(busy), count(SERVER_WORKERS), count(waiting)];
    let status = ["server", "server.short"].map(|word| scene.say(word, &told));
    let name = scene.name(SERVER);
    let rect = rect.grown(-5.0);
    let mut pencil = scene.thing(SERVER, rect, status[0].clone());
    pencil
        .figure("busy", busy as f64)
        .figure("waiting", waiting as f64);
    let (x, room) = (rect.x + 8.0, rect.w - 16.0);
    let full = waiting >= SERVER_QUEUE;
    let ink = if full { Ink::Bad } else { Ink::Secondary };
    let status = fitting(&status, 12.5, true, room);
    pencil
        .bold(pt(x, rect.y + 20.0), 14.5, Ink::Ink, name)
        .bold(pt(x, rect.y + 38.0), 12.5, ink, status);
    let pitch = (room / SERVER_WORKERS as f32).min(46.0);
    for i in 0..SERVER_WORKERS {
        let side = 0.8 * pitch;
        let worker = Rect::new(x + pitch * i as f32, rect.y + 50.0, side, side);
        if i < busy {
            pencil.filled(worker, 3.0, Ink::Accent);
        } else {
            pencil.bordered(worker, 3.0, Ink::AccentSoft, Ink::Line, 1.0);
        }
    }
    let top = rect.y + 58.0 + pitch;
    let area = Rect::new(x, top, room, rect.y + rect.h - top - 4.0);
    if area.h > 20.0 {
        let places = Cells::of(area, SERVER_QUEUE, 5, 22.0);
        places.pips(&mut pencil, SERVER_QUEUE);
        for i in 0..waiting.min(SERVER_QUEUE) {
            pencil.mark(Glyph::Request, places.at(i), places.r, Ink::Accent);
        }
    }
}

/// The database with its comb of connections.
fn database(cloud: &Cloud, rect: Rect, narrow: bool, scene: &mut Scene) {
    let knobs = &cloud.knobs;
    let slots = knobs.slots as usize;
    let pooler = knobs.connections == Connections::Pooler;
    let held = cloud.slots_taken();
    let (own, lent) = (held.len(), cloud.pooler.held.len());
    let open = if cloud.is_server() {
        SERVER_WORKERS
    } else {
        own + if pooler { cloud.pool() } else { 0 }
    };
    let told = [count(open), count(slots)];
    let mut status = vec![
        scene.say("connections", &told),
        scene.say("connections.short", &told),
    ];
    let slow = cloud.is_slow();
    let more = if slow {
        scene.say("slow", &[])
    } else if pooler && !cloud.is_server() {
        scene.say("lent", &[count(lent)])
    } else {
        String::new()
    };
    let name = scene.name(DATABASE);
    let spoken = [status[0].as_str(), &more].join(" ");
    let mut pencil = scene.thing(DATABASE, rect, spoken);
    pencil
        .figure("open", open as f64)
        .figure("slots", slots as f64)
        .figure("lent", lent as f64);
    // A pooler takes its connections once and for all.
    let full = open >= slots && !pooler;
    let border = match () {
        () if full => Ink::Bad,
        () if slow => Ink::Warn,
        () => Ink::LineStrong,
    };
    pencil.bordered(rect, 12.0, Ink::Card, border, if full { 2.0 } else { 1.5 });
    let ink = if full { Ink::Bad } else { Ink::Secondary };
    if narrow {
        let y = rect.y + 20.0;
        let wide = text::width(&name, 13.5, true);
        pencil.bold(pt(rect.x + 12.0, y), 13.5, Ink::Ink, name);
        let room = rect.w - wide - 40.0;
        let first = status[0].clone();
        status.insert(0, format!("{first} {more}"));
        let status = fitting(&status, 12.0, true, room);
        let end = pt(rect.x + rect.w - 12.0, y);
        ending(&mut pencil, end, 12.0, true, ink, status);
        return;
    }
    let (x, room) = (rect.x + 10.0, rect.w - 20.0);
    let name = fitting(&[name], 14.5, true, room);
    let status = fitting(&status, 12.0, true, room);
    pencil
        .bold(pt(x, rect.y + 20.0), 14.5, Ink::Ink, name)
        .bold(pt(x, rect.y + 37.0), 12.0, ink, status);
    if !more.is_empty() {
        let ink = if slow { Ink::Warn } else { Ink::Secondary };
        let more = fitting(&[more], 11.5, true, rect.w - 34.0);
        pencil.bold(pt(rect.x + 24.0, rect.y + 60.0), 11.5, ink, more);
    }
    let (mut free, mut used, mut pool) = (String::new(), String::new(), String::new());
    for slot in 0..slots {
        let taken = match () {
            () if cloud.is_server() => slot < SERVER_WORKERS,
            () if pooler && slot < cloud.pool() => slot < lent,
            () => held.contains(&slot),
        };
        let p = tooth(rect, slots, slot);
        let d = match () {
            () if taken => &mut used,
            () if slot < open && pooler => &mut pool,
            () => &mut free,
        };
        *d += &format!("M{} {}h12", tenths(p.x + 1.0), tenths(p.y));
    }
    let thick = (0.55 * (rect.h - 66.0) / slots as f32).clamp(0.5, 3.0);
    pencil.line(free, Ink::LineStrong, thick.min(1.5));
    pencil.line(pool, Ink::Mark, thick);
    pencil.line(used, if full { Ink::Bad } else { Ink::Accent }, thick);
}

/// How each kind of answer is drawn and named.
const KINDS: [(Fate, Glyph, Ink, &str); 4] = [
    (Fate::Warm, Glyph::Request, Ink::Accent, "answers.warm"),
    (Fate::Waited, Glyph::Request, Ink::Warn, "answers.waited"),
    (Fate::Refused, Glyph::Failure, Ink::Bad, "answers.refused"),
    (Fate::Failed, Glyph::Failure, Ink::Bad, "answers.failed"),
];

/// Times of answers over the time at which they were asked for: two floors, and nothing between.
fn answers(cloud: &Cloud, knobs: &Settings, rect: Rect, at: Time, scene: &mut Scene) {
    let back = if knobs.rate < 0.5 && knobs.rate > 0.0 {
        LONG
    } else {
        LATELY
    };
    let (tally, burst) = (cloud.tally, cloud.burst);
    let recent = burst.size > 1 && at.since(burst.at) < LATELY && !cloud.is_server();
    let lost = burst.tally.refused + burst.tally.failed;
    let mut told = [burst.size, burst.unmet, lost].map(count);
    let titles = match () {
        () if recent && lost > 0 => ["answers.lost", "answers.lost.short"],
        () if recent => ["answers.burst", "answers.burst.short"],
        () => {
            told[0] = Arg::Number(back.as_s());
            ["answers", "answers.short"]
        }
    };
    let titles = titles.map(|word| scene.say(word, &told));
    let counts = [tally.warm, tally.waited, tally.refused, tally.failed];
    let mut entries = Vec::new();
    for ((_, glyph, ink, word), n) in KINDS.into_iter().zip(counts) {
        // What has not happened needs no room.
        if n > 0 || word == "answers.warm" || word == "answers.waited" {
            entries.push((glyph, ink, scene.say(word, &[count(n)])));
        }
    }
    let since = scene.say("answers.since", &[]);
    let named: Vec<&str> = entries.iter().map(|(.., name)| name.as_str()).collect();
    let spoken = format!("{}; {since} {}", titles[0], named.join(", "));
    let last = cloud.answers.back();
    let floor = cloud.work_mean().as_s();
    let labels = [floor, floor + knobs.cold / 1_000.0, 10.0, 1.0, 0.1];
    let labels = labels.map(|s| (s, scene.say("seconds", &[Arg::Number(s)])));
    let mut pencil = scene.thing(ANSWERS, rect, spoken);
    pencil
        .figure("warm", f64::from(tally.warm))
        .figure("waited", f64::from(tally.waited))
        .figure("refused", f64::from(tally.refused))
        .figure("failed", f64::from(tally.failed))
        .figure("burst", f64::from(burst.size))
        .figure("burst-unmet", f64::from(burst.unmet))
        .figure("burst-failed", f64::from(burst.tally.failed))
        .figure("last", last.map_or(0.0, |one| one.took.as_s()));
    let title = fitting(&titles, 12.0, true, rect.w - 20.0);
    panel(&mut pencil, rect, title);
    let (mut x, y, right) = (rect.x + 10.0, rect.y + 34.0, rect.x + rect.w - 8.0);
    let since_w = text::width(&since, 11.5, false) + 12.0;
    let all: f32 = entries
        .iter()
        .map(|(.., name)| text::width(name, 11.5, true) + 26.0)
        .sum();
    if x + since_w + all < right {
        pencil.text(pt(x, y), 11.5, Ink::Secondary, since);
        x += since_w;
    }
    for (glyph, ink, name) in entries {
        let w = text::width(&name, 11.5, true) + 14.0;
        if x + w > right {
            break;
        }
        pencil.mark(glyph, pt(x + 4.0, y - 4.0), 4.0, ink);
        pencil.bold(pt(x + 12.0, y), 11.5, Ink::Ink, name);
        x += w + 12.0;
    }
    let plot = Rect::new(rect.x + 42.0, rect.y + 50.0, rect.w - 56.0, rect.h - 60.0);
    let up = |s: f64| {
        let share = (libm::log10(s.clamp(0.1, 10.0)) + 1.0) / 2.0;
        plot.y + plot.h * (1.0 - share as f32)
    };
    // The two floors first; what is too near to them has no room.
    let mut taken: Vec<f32> = Vec::new();
    for (i, (s, label)) in labels.into_iter().enumerate() {
        let y = up(s);
        if taken.iter().any(|other| (other - y).abs() < 11.0) || (i == 1 && cloud.is_server()) {
            continue;
        }
        taken.push(y);
        let d = format!("M{} {}h{}", tenths(plot.x), tenths(y), tenths(plot.w));
        let ink = if i < 2 { Ink::LineStrong } else { Ink::Line };
        pencil.line(d, ink, 1.0);
        let end = pt(plot.x - 6.0, y + 4.0);
        ending(&mut pencil, end, 11.0, i < 2, Ink::Secondary, label);
    }
    // All dots of a kind are one path, so that hundreds of them cost no more than one.
    let mut dots: [String; 4] = Default::default();
    let mut labelled = [f32::MAX; 4];
    for one in cloud.answers.iter().rev() {
        let ago = at.since(one.asked);
        if ago >= back {
            continue;
        }
        let kind = one.fate as usize;
        let (_, glyph, ink, _) = KINDS[kind];
        let x = plot.x + plot.w * (1.0 - (ago.as_s() / back.as_s()) as f32);
        // Whoever came at the same moment stands in a block of rows of three.
        let together = if one.burst { one.count.min(30) } else { 1 };
        let high = 2.1 * (together.div_ceil(3) - 1) as f32;
        let y = if glyph == Glyph::Failure {
            let at = [tenths(x - 3.5), tenths(plot.y - 2.0)];
            dots[kind] += &format!("M{} {}h7l-3.5-6.5z", at[0], at[1]);
            plot.y - 9.0
        } else {
            let y = up(one.took.as_s());
            for i in 0..together {
                let column = if together < 3 {
                    0.0
                } else {
                    (i % 3) as f32 - 1.0
                };
                let (x, y) = (x + 4.2 * column, y + 4.2 * (i / 3) as f32 - high);
                let at = [tenths(x - 2.2), tenths(y)];
                dots[kind] += &format!(
                    "M{} {}a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0",
                    at[0], at[1]
                );
            }
            y - high - 5.0
        };
        // With its number, as far as it keeps off the one to its right.
        if together >= 4 && one.fate != Fate::Warm && labelled[kind] - x > 26.0 {
            labelled[kind] = x;
            let label = one.count.to_string();
            let half = text::width(&label, 11.5, true) / 2.0;
            let (x, y) = if glyph == Glyph::Failure {
                (x - 8.0 - half, y + 9.0)
            } else {
                (x.min(plot.x + plot.w + 10.0 - half), y)
            };
            pencil.centred(pt(x, y), 11.5, true, ink, label);
        }
    }
    for (d, (_, _, ink, _)) in dots.into_iter().zip(KINDS) {
        pencil.area(d, ink);
    }
}

/// An amount of dollars as short as it can be told.
fn money(amount: f64) -> String {
    let digits = if amount < 9.95 { 2 } else { 0 };
    format!("${}", fixed(amount, digits))
}

/// What a month costs at this pace: functions, and one server.
fn bill(cloud: &Cloud, knobs: &Settings, rect: Rect, at: Time, scene: &mut Scene) {
    let so_far = dollars(cloud.meter_at(at).price());
    // Before anything is charged no pace needs to be measured.
    let month = cloud.month(at).or((so_far == 0.0).then_some(0));
    let server = dollars(SERVER_MONTH);
    let amount = month.map_or(0.0, dollars);
    let even = break_even(knobs.memory_mb(), cloud.work_mean());
    let span = [Arg::Number(cloud.pace(at).as_s().floor())];
    let words = match cloud.month(at) {
        Some(_) => ["bill", "bill.short"],
        None => ["bill.new"; 2],
    };
    let titles = words.map(|word| scene.say(word, &span));
    let server_mode = cloud.is_server();
    let would = ["bill.functions", "bill.would"][usize::from(server_mode)];
    let names = [would, "bill.server"].map(|word| scene.say(word, &[]));
    let told = month.map_or_else(|| "…".to_owned(), |_| money(amount));
    let values = [told, money(server)];
    let even_said = [Arg::Tenths((even * 10.0 + 0.5) as u32)];
    let feet = ["bill.foot", "bill.foot.short"].map(|word| scene.say(word, &even_said));
    let sum = scene.say("bill.so-far", &[Arg::Number((so_far * 1e7).round() / 10.0)]);
    let spoken = format!(
        "{}: {} {}, {} {}; {}, {sum}",
        titles[0], names[0], values[0], names[1], values[1], feet[1]
    );
    let mut pencil = scene.thing(BILL, rect, spoken);
    pencil
        .figure("month", amount)
        .figure("server", server)
        .figure("times", amount / server)
        .figure("even", even);
    let title = fitting(&titles, 12.0, true, rect.w - 20.0);
    panel(&mut pencil, rect, title);
    let top = engine::plot::round_up(amount.max(server) * 1.05) as f32;
    let low = rect.h < 122.0;
    let pitch = if low { 19.0 } else { 0.2 * rect.h + 2.0 };
    let left = rect.x + 10.0;
    let name_w = (names.iter().map(|name| text::width(name, 12.0, false)))
        .fold(0.0_f32, f32::max)
        .min(0.42 * rect.w);
    let rail_w = rect.w - 20.0 - name_w - 8.0 - 54.0;
    let thick = if low { 10.0 } else { 18.0 };
    for (i, (name, value)) in names.into_iter().zip(values).enumerate() {
        let y = rect.y + if low { 37.0 } else { 45.0 } + pitch * i as f32;
        let (amount, ink) = if i == 0 {
            (amount, if amount > server { Ink::Warn } else { Ink::Ok })
        } else {
            (server, Ink::Mark)
        };
        let here = (i == 1) == server_mode;
        let name = fitting(&[name], 12.0, here, name_w);
        let at = pt(left, y);
        if here {
            pencil.bold(at, 12.0, Ink::Ink, name);
        } else {
            pencil.text(at, 12.0, Ink::Secondary, name);
        }
        let (x, up) = (left + name_w + 8.0, y - 3.6 - thick / 2.0);
        let rail = Rect::new(x, up, rail_w, thick);
        pencil.meter(rail, amount as f32 / top, ink, false);
        let end = pt(rect.x + rect.w - 10.0, y);
        ending(&mut pencil, end, 13.0, true, Ink::Ink, value);
        if i == 0 {
            let x = rail.x + rail.w * server as f32 / top;
            let d = format!(
                "M{} {}v{}",
                tenths(x),
                tenths(rail.y - 3.0),
                tenths(pitch + thick / 2.0)
            );
            pencil.line(d, Ink::Ink, 1.5);
        }
    }
    let y = rect.y + rect.h - 10.0;
    if !low {
        let sum = fitting(&[sum], 11.5, false, rect.w - 20.0);
        pencil.text(pt(left, y - 17.0), 11.5, Ink::Secondary, sum);
    }
    let foot = fitting(&feet, 11.5, false, rect.w - 20.0);
    pencil.text(pt(left, y), 11.5, Ink::Secondary, foot);
}

const REQUEST: (Glyph, Ink) = (Glyph::Request, Ink::Accent);
const PING: (Glyph, Ink) = (Glyph::Heartbeat, Ink::Hit);

/// What is on its way.
fn dots(cloud: &Cloud, placed: &Placed, field: &Field, at: Time, scene: &mut Scene) {
    let come = placed.way(USERS, DOOR);
    let door = placed.of(DOOR);
    let narrow = scene.narrow();
    let gate = if narrow { door.bottom() } else { door.right() };
    let server = placed.of(FUNCTION);
    let home = |by: By| match by {
        By::Cell(_, place) => Way::straight(gate, field.cell(place).centre()),
        By::Server if narrow => Way::straight(gate, pt(gate.x, server.y + 14.0)),
        By::Server => Way::straight(gate, pt(server.x + 14.0, gate.y)),
    };
    let mut ahead = 0_u16;
    for (key, request) in cloud.requests.iter() {
        let ping = request.who == Who::Ping;
        let asking = if ping { PING } else { REQUEST };
        let answer = match request.fate {
            Fate::Warm => (Glyph::Response, Ink::Ok),
            Fate::Waited => (Glyph::Response, Ink::Warn),
            Fate::Refused | Fate::Failed => (Glyph::Failure, Ink::Bad),
        };
        let gone = at.since(request.asked);
        let (p, (glyph, ink)) = match request.place {
            Place::Comes(leg) => {
                let p = come.at(leg.share(at), Course::There);
                // Those who come together are seen beside each other.
                let aside = match request.who {
                    Who::Burst(_) => {
                        ahead += 1;
                        f32::from(ahead % 7) * 6.0 - 18.0
                    }
                    _ => 0.0,
                };
                let p = if narrow {
                    pt(p.x, p.y + aside * 0.8)
                } else {
                    pt(p.x + aside, p.y)
                };
                (p, asking)
            }
            Place::Builds(by) | Place::Works(by) if gone < HOP => {
                let share = gone.as_s() / HOP.as_s();
                (home(by).at(share as f32, Course::There), asking)
            }
            Place::Leaves(leg, Some(by)) => {
                let share = leg.share(at);
                let p = if share < 0.5 {
                    home(by).at(2.0 * share, Course::Back)
                } else {
                    come.at(2.0 * share - 1.0, Course::Back)
                };
                (p, answer)
            }
            Place::Leaves(leg, None) => (come.at(leg.share(at), Course::Back), answer),
            _ => continue,
        };
        scene.particle(p, DOT, glyph, ink, key.serial());
    }
}
