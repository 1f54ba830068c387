//! The stage: lock servers, workers, and the files that they write; below, a lane of time for each worker with what it believes
//! above what the lock service says of it.

use super::face::{
    BLOCKS, CONVERTER, FILES, File, House, SERVERS, STORE, WORKERS, Word, of, worker, worker_at,
};
use super::judge::{Block, SPAN};
use super::model::{Blow, LANES, Locks, SCORE, SEATS, file, server, worker_part};
use super::settings::{Kept, Settings};
use algorithms::fencing::Token;
use algorithms::lease_lock::{FOREVER, Held, Value};
use algorithms::protocol::Id;
use algorithms::raft;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::cluster::{Face, dial};
use kit::figures::label::{Sample, ending, fitting, legend};
use kit::figures::{self, panel};

const MARGIN: f32 = 12.0;
const TOP: f32 = 8.0;
const GAP: f32 = 6.0;
/// Height of workers and store, wide; of a worker, narrow.
const UPPER: f32 = 226.0;
const WORKER_H: f32 = 48.0;
/// Height of a lane.
const LANE: f32 = 29.0;
/// Lanes of narrow stages look back so far.
const SHORT: Time = Time::s(10);

/// The workers' colours: a number always stands by.
const INKS: [Ink; WORKERS] = [
    Ink::MemberA,
    Ink::MemberB,
    Ink::MemberC,
    Ink::MemberD,
    Ink::Mark,
];

/// Where everything stands.
struct Layout {
    narrow: bool,
    servers: Vec<Rect>,
    /// The room of all of them, and the names of files above them.
    service: Rect,
    heads: bool,
    workers: Vec<Rect>,
    files: Vec<Rect>,
    seats: Option<Rect>,
    score: Rect,
    lanes: Rect,
}

/// So many of the same height, one below the other.
fn stack(area: Rect, n: usize) -> Vec<Rect> {
    let h = (area.h + GAP) / n.max(1) as f32 - GAP;
    let at = |i| Rect::new(area.x, area.y + (h + GAP) * i as f32, area.w, h);
    (0..n).map(at).collect()
}

fn lay(knobs: &Settings, scene: &mut Scene) -> Layout {
    let (w, narrow) = (scene.width, scene.narrow());
    let (n, crew) = (usize::from(knobs.servers()), knobs.workers as usize);
    let (service, workers, store);
    if narrow {
        let h = match n {
            0 => 34.0,
            1 => 118.0,
            2 => 132.0,
            _ => 216.0,
        };
        service = Rect::new(26.0, TOP, w - 26.0 - 22.0, h);
        let y = service.y + service.h + 14.0;
        let tall = (WORKER_H + GAP) * crew as f32 - GAP;
        let left = 0.42 * (w - 50.0);
        workers = Rect::new(26.0, y, left, tall);
        let seats = if knobs.limited() { 16.0 } else { 0.0 };
        store = Rect::new(
            26.0 + left + 20.0,
            y,
            w - 54.0 - left,
            tall.max(238.0 + seats),
        );
    } else {
        let room = w - 2.0 * MARGIN;
        let gap = 0.05 * room;
        service = Rect::new(MARGIN + 8.0, TOP, 0.36 * room - 8.0, UPPER);
        workers = Rect::new(service.x + service.w + gap, TOP, 0.25 * room, UPPER);
        let x = workers.x + workers.w + gap;
        store = Rect::new(x, TOP, w - MARGIN - x, UPPER);
    }
    let heads = n > 1;
    let mut cards = service;
    if heads {
        (cards.y, cards.h) = (cards.y + 16.0, cards.h - 16.0);
    }
    let limited = knobs.limited();
    let file_h = if limited { 43.0 } else { 50.0 };
    let mut y = store.y;
    let mut row = |h: f32| {
        let row = Rect::new(store.x, y, store.w, h);
        y += h + GAP;
        row
    };
    let files = (0..FILES).map(|_| row(file_h)).collect();
    let seats = limited.then(|| row(30.0));
    let rest = store.y + store.h - y;
    let score = Rect::new(store.x, y, store.w, rest);
    let y = workers.y.max(store.y) + workers.h.max(store.h) + 12.0;
    let lanes = Rect::new(
        if narrow { 8.0 } else { MARGIN },
        y,
        w - if narrow { 16.0 } else { 2.0 * MARGIN },
        44.0 + LANE * crew as f32 + if narrow { 16.0 } else { 0.0 },
    );
    scene.height = lanes.y + lanes.h + 8.0;
    Layout {
        narrow,
        servers: stack(cards, n),
        service,
        heads,
        workers: stack(workers, crew),
        files,
        seats,
        score,
        lanes,
    }
}

impl Layout {
    /// The way of a message, as corners.
    fn way(&self, from: Id, to: Id, at: u8) -> Vec<Point> {
        let card = |id: Id| match id {
            STORE => self.files[usize::from(at).min(FILES - 1)],
            _ if id > SERVERS => self.workers.get(worker_at(id)).copied().unwrap_or_default(),
            _ => self
                .servers
                .get(usize::from(id) - 1)
                .copied()
                .unwrap_or_default(),
        };
        let (a, b) = (card(from.min(to)), card(from.max(to)));
        let mut way = match (to.max(from), self.narrow) {
            (STORE, _) => vec![a.right(), b.left()],
            (SERVERS.., false) if to.max(from) > SERVERS => vec![a.right(), b.left()],
            (SERVERS.., true) if to.max(from) > SERVERS => {
                vec![
                    a.left(),
                    pt(13.0, a.left().y),
                    pt(13.0, b.left().y),
                    b.left(),
                ]
            }
            // Between servers: to the left of them, or to the right.
            (_, false) => {
                let x = a.x - 8.0;
                vec![a.left(), pt(x, a.left().y), pt(x, b.left().y), b.left()]
            }
            (_, true) => {
                let x = a.x + a.w + 8.0;
                vec![a.right(), pt(x, a.right().y), pt(x, b.right().y), b.right()]
            }
        };
        if from > to {
            way.reverse();
        }
        way
    }
}

/// The point at a share of the length of a way of upright and level pieces, or of one piece.
fn along(way: &[Point], share: f32) -> Point {
    let length = |ends: &[Point]| {
        let (dx, dy) = (ends[1].x - ends[0].x, ends[1].y - ends[0].y);
        if way.len() > 2 {
            dx.abs() + dy.abs()
        } else {
            1.0
        }
    };
    let mut left = share * way.windows(2).map(length).sum::<f32>();
    for ends in way.windows(2) {
        let here = length(ends);
        if left <= here && here > 0.0 {
            let share = left / here;
            return pt(
                ends[0].x + (ends[1].x - ends[0].x) * share,
                ends[0].y + (ends[1].y - ends[0].y) * share,
            );
        }
        left -= here;
    }
    way.last().copied().unwrap_or_default()
}

fn path(way: &[Point]) -> String {
    let mut d = String::new();
    for (at, p) in way.iter().enumerate() {
        d += if at == 0 { "M" } else { "L" };
        d += &tenths(p.x);
        d += " ";
        d += &tenths(p.y);
    }
    d
}

fn count(n: u32) -> Arg {
    Arg::Count(n.into())
}

/// How long it still is, in ms, as seconds.
fn left(ms: u64) -> Arg {
    figures::tenths(Time(ms * 1_000))
}

pub(super) fn draw(locks: &Locks, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = lay(knobs, scene);
    ways(locks, knobs, &layout, scene);
    for id in 1..=knobs.servers() {
        card(locks, id, &layout, scene);
    }
    for (i, rect) in layout.workers.iter().enumerate() {
        person(locks, i, *rect, at, scene);
    }
    let files = locks.files();
    for (i, rect) in layout.files.iter().enumerate() {
        output(knobs, i as u8, &files[i], *rect, scene);
    }
    if let Some(rect) = layout.seats {
        seats(locks, knobs, rect, scene);
    }
    score(locks, layout.score, scene);
    lanes(locks, &layout, at, scene);
    for (key, flight) in locks.cluster.flights() {
        let Some((glyph, ink)) = House::look(&flight.word) else {
            continue;
        };
        let file = match flight.word {
            Word::Block(file, ..) | Word::Refused(file, _) => file,
            _ => 0,
        };
        let way = layout.way(flight.from, flight.to, file);
        let (glyph, ink) = if flight.is_lost(at) {
            (Glyph::Failure, Ink::Warn)
        } else {
            (glyph, ink)
        };
        let dot = House::dot((flight.from, flight.to), &flight.word, key.serial());
        scene.particle(along(&way, flight.share(at)), 4.5, glyph, ink, dot);
    }
}

/// Lines from each worker to the lock servers and to the files, and the names above the servers.
fn ways(locks: &Locks, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let (mut open, mut cut) = (String::new(), String::new());
    for at in 0..layout.workers.len() {
        let lines = if locks.fates[at].cut {
            &mut cut
        } else {
            &mut open
        };
        for id in 1..=knobs.servers() {
            *lines += &path(&layout.way(worker(at), id, 0));
        }
        for file in 0..FILES as u8 {
            open += &path(&layout.way(worker(at), STORE, file));
        }
    }
    for id in 2..=knobs.servers() {
        if matches!(knobs.kept, Kept::Copy | Kept::Log) {
            open += &path(&layout.way(id - 1, id, 0));
        }
    }
    let mut names: Vec<String> = (0..FILES as u8).map(|at| scene.name(file(at))).collect();
    names.push(scene.say("permits", &[]));
    let nobody = scene.say("nobody", &[]);
    let mut ground = scene.background();
    ground.line(open, Ink::Line, 1.0);
    if !cut.is_empty() {
        ground.dashed_line(cut, Ink::Bad, 1.0);
    }
    if layout.heads {
        for (name, cell) in names.into_iter().zip(cells(layout.servers[0], locks)) {
            ground.text(
                pt(cell.x, layout.service.y + 11.0),
                11.0,
                Ink::Secondary,
                name,
            );
        }
    } else if knobs.kept == Kept::Nobody {
        let r = layout.service;
        ground.dashed(r, 12.0, Ink::None, Ink::LineStrong, 1.0);
        let said = fitting(&[nobody], 13.0, false, r.w - 16.0);
        ground.centred(
            pt(r.centre().x, r.centre().y + 4.0),
            13.0,
            false,
            Ink::Secondary,
            said,
        );
    }
}

/// Where a server's card shows the files, and the converter after them: below each other on the only one, else side by side.
fn cells(r: Rect, locks: &Locks) -> Vec<Rect> {
    let knobs = locks.knobs();
    let n = FILES + usize::from(knobs.limited());
    if knobs.servers() == 1 {
        let name = 52.0;
        let area = Rect::new(r.x + name, r.y + 28.0, r.w - name - 8.0, r.h - 34.0);
        return stack(area, n);
    }
    let name = 48.0;
    let w = (r.w - name - 4.0) / n as f32;
    let at = |i| Rect::new(r.x + name + w * i as f32, r.y + 3.0, w - 4.0, r.h - 6.0);
    (0..n).map(at).collect()
}

/// The number of a worker in its colour.
fn chip(pencil: &mut Pencil<'_>, at: Point, value: Value) {
    let i = worker_at(of(value).0).min(WORKERS - 1);
    let r = Rect::new(at.x, at.y - 8.0, 16.0, 16.0);
    pencil.filled(r, 4.0, INKS[i]);
    pencil.centred(
        pt(at.x + 8.0, at.y + 4.0),
        11.5,
        true,
        Ink::Card,
        (i + 1).to_string(),
    );
}

/// A lock server: what it knows of each file.
fn card(locks: &Locks, id: Id, layout: &Layout, scene: &mut Scene) {
    let r = layout.servers[usize::from(id) - 1];
    let house = &locks.cluster.protocol;
    let kept = house.knobs.kept;
    let up = locks.cluster.is_up(id);
    let leads = locks.server(id).and_then(|server| server.raft.as_ref());
    let leads = leads.is_some_and(|raft| raft.role == raft::Role::Leader);
    let state = match kept {
        _ if !up => "is.down",
        _ if house.ahead[usize::from(id) - 1] > 0 => "is.ahead",
        Kept::Copy if id == house.primary => "is.primary",
        Kept::Copy => "is.copy",
        Kept::Log if leads => "is.leader",
        _ => "is.up",
    };
    let mut status = scene.say(state, &[]);
    let name = scene.name(server(id));
    let short = scene.say("server", &[count(id.into())]);
    let permits = scene.say("permits", &[]);
    let words = ["free", "closed"].map(|word| scene.say(word, &[]));
    let [token, unit, dead, holder_dead, no_end] =
        ["token", "s", "dead", "holder-dead", "no-end"].map(|word| scene.say(word, &[]));
    let lettering = Lettering {
        token,
        unit,
        dead,
        holder_dead,
        no_end,
    };
    let names: Vec<String> = (0..FILES as u8)
        .map(file)
        .chain([SEATS])
        .map(|part| scene.name(part))
        .collect();
    // What it knows, place by place.
    let now = house.clock(id);
    let mut shown = Vec::new();
    for (place, cell) in (0..).zip(cells(r, locks)) {
        let leases = locks
            .server(id)
            .map_or(&[][..], |server| server.table.place(place));
        let held: Vec<Held> = leases.iter().filter_map(|lease| lease.held(now)).collect();
        let closed = leases.iter().any(|lease| lease.closed(now).is_some());
        shown.push((place, cell, held, closed));
    }
    let mut spoken = vec![status.clone()];
    for (place, _, held, closed) in &shown {
        let told = match held.first() {
            Some(held) => scene.name(worker_part(worker_at(of(held.value).0))),
            None => words[usize::from(*closed)].clone(),
        };
        spoken.push(text_of(&names[usize::from(*place)], &told));
    }
    let agreed: Vec<Option<Value>> = (0..FILES as u8)
        .map(|place| locks.says(place).first().map(|held| held.value))
        .collect();
    let holds = |held: &&(u8, Rect, Vec<Held>, bool)| held.0 < CONVERTER && !held.2.is_empty();
    let first = locks.judge.passes_first();
    let knows = shown
        .iter()
        .flat_map(|(_, _, held, _)| held)
        .any(|held| Some(held.value) == first);
    let mut pencil = scene.thing(server(id), r, spoken.join(", "));
    pencil
        .figure("held", shown.iter().filter(holds).count() as f64)
        .figure("up", f64::from(u8::from(up)))
        .figure("knows-first", f64::from(u8::from(knows)));
    let (border, ink) = if up {
        (Ink::LineStrong, Ink::Secondary)
    } else {
        (Ink::Bad, Ink::Bad)
    };
    pencil.bordered(r, 10.0, Ink::Card, border, 1.5);
    if house.knobs.servers() == 1 {
        pencil.bold(pt(r.x + 12.0, r.y + 19.0), 13.5, Ink::Ink, name.as_str());
        let room = r.w - 36.0 - text::width(&name, 13.5, true);
        status = fitting(&[status], 11.5, !up, room);
        ending(
            &mut pencil,
            pt(r.x + r.w - 12.0, r.y + 19.0),
            11.5,
            !up,
            ink,
            status,
        );
    } else {
        let y = r.centre().y;
        pencil.bold(pt(r.x + 8.0, y - 2.0), 12.0, Ink::Ink, short);
        let status = fitting(&[status], 11.0, !up, 40.0);
        pencil.text(pt(r.x + 8.0, y + 12.0), 11.0, ink, status);
    }
    for (place, cell, held, closed) in shown {
        if house.knobs.servers() == 1 {
            let name = fitting(
                &[names[usize::from(place)].clone(), permits.clone()],
                11.5,
                false,
                44.0,
            );
            pencil.text(
                pt(r.x + 10.0, cell.centre().y + 4.0),
                11.5,
                Ink::Secondary,
                name,
            );
        }
        let lit = kept == Kept::Majority
            && held.iter().any(|held| {
                agreed
                    .get(usize::from(place))
                    .is_some_and(|value| *value == Some(held.value))
            });
        let ground = if lit { Ink::OkSoft } else { Ink::Paper };
        pencil.filled(cell, 5.0, ground);
        if held.is_empty() {
            let said = fitting(
                &[words[usize::from(closed)].clone()],
                11.0,
                false,
                cell.w - 8.0,
            );
            let ink = if closed { Ink::Warn } else { Ink::Secondary };
            if up {
                pencil.text(pt(cell.x + 5.0, cell.centre().y + 4.0), 11.0, ink, said);
            }
            continue;
        }
        lease(locks, &lettering, &mut pencil, cell, &held, now);
    }
}

fn text_of(name: &str, told: &str) -> String {
    let mut text = name.to_owned();
    text += " ";
    text += told;
    text
}

/// Who holds a lock: number, token, and how much of the lease is left.
fn lease(
    locks: &Locks,
    scene_words: &Lettering,
    pencil: &mut Pencil<'_>,
    cell: Rect,
    held: &[Held],
    now: u64,
) {
    let h = cell.h.min(36.0);
    let cell = Rect::new(cell.x, cell.centre().y - h / 2.0, cell.w, h);
    let mid = cell.centre().y - 3.5;
    let mut x = cell.x + 4.0;
    for held in held {
        if x + 16.0 <= cell.x + cell.w {
            chip(pencil, pt(x, mid), held.value);
        }
        x += 20.0;
    }
    let (alone, held) = (held.len() == 1, held[0]);
    let mut right = cell.x + cell.w - 4.0;
    let who = worker_at(of(held.value).0);
    let dead = locks.worker(who).is_none();
    let endless = held.until >= FOREVER;
    if cell.w > 150.0 {
        let said = match endless {
            true => scene_words.no_end.clone(),
            false => seconds(held.until.saturating_sub(now), &scene_words.unit),
        };
        let w = text::width(&said, 11.0, false);
        ending(
            pencil,
            pt(right, mid + 4.0),
            11.0,
            false,
            if endless { Ink::Bad } else { Ink::Secondary },
            said,
        );
        right -= w + 8.0;
    }
    let mut said: Vec<String> = Vec::new();
    if dead {
        said.extend([scene_words.holder_dead.clone(), scene_words.dead.clone()]);
    } else if locks.knobs().kept != Kept::Majority {
        let token = held.token.to_string();
        said.extend([text_of(&scene_words.token, &token), token]);
    }
    if alone && !said.is_empty() && right - x > 12.0 {
        let ink = if dead { Ink::Bad } else { Ink::Ink };
        pencil.bold(
            pt(x + 1.0, mid + 4.0),
            11.0,
            ink,
            fitting(&said, 11.0, true, right - x),
        );
    }
    let bar = Rect::new(cell.x + 4.0, cell.y + cell.h - 5.0, cell.w - 8.0, 3.5);
    let ttl = locks.knobs().ttl();
    let share = held.until.saturating_sub(now) as f32 / ttl.clamp(1, FOREVER) as f32;
    let (share, ink) = if endless {
        (1.0, Ink::Bad)
    } else {
        (share, Ink::Hit)
    };
    pencil.meter(bar, share, ink, dead && endless);
}

/// Words of a server's card.
struct Lettering {
    token: String,
    unit: String,
    dead: String,
    holder_dead: String,
    no_end: String,
}

/// A span in ms as seconds with one decimal.
fn seconds(ms: u64, unit: &str) -> String {
    let tenths = ms / 100;
    let mut said = (tenths / 10).to_string();
    said += ".";
    said += &(tenths % 10).to_string();
    said += " ";
    said += unit;
    said
}

/// A worker: what it does, and its lease as it believes it to be.
fn person(locks: &Locks, i: usize, r: Rect, at: Time, scene: &mut Scene) {
    let (me, fate) = (worker_part(i), locks.fates[i]);
    let node = locks.worker(i);
    let named = |place: u8| Arg::Part(super::model::place(place));
    let (word, told) = match node {
        None => ("does.dead", vec![]),
        Some(_) if fate.wakes.is_some() => {
            let wakes = fate.wakes.unwrap_or(at);
            ("does.frozen", vec![figures::tenths(wakes.since(at))])
        }
        Some(worker) => match (worker.writes, &worker.asks, worker.holds.first()) {
            (Some((file, _)), ..) => (
                "does.writes",
                vec![
                    named(file),
                    count(worker.blocks.into()),
                    count(BLOCKS.into()),
                ],
            ),
            (_, Some((place, ..)), _) => ("does.asks", vec![named(*place)]),
            (.., Some(hold)) => ("does.waits-seat", vec![named(hold.place)]),
            _ => ("does.waits", vec![]),
        },
    };
    let status = scene.say(word, &told);
    let brief = match word {
        "does.writes" => scene.say("does.writes.brief", &told),
        "does.frozen" => scene.say("does.frozen.brief", &told),
        "does.waits-seat" => scene.say("does.waits-seat.brief", &told),
        _ => status.clone(),
    };
    let soon = match fate.blow {
        Some(Blow::Freezes) => scene.say("soon.freezes", &[]),
        Some(Blow::Dies) => scene.say("soon.dies", &[]),
        None if fate.cut => scene.say("soon.cut", &[]),
        None => String::new(),
    };
    let frozen = word == "does.frozen";
    let ink = match word {
        "does.dead" => Ink::Bad,
        "does.frozen" => Ink::Warn,
        _ => Ink::Secondary,
    };
    let name = scene.name(me);
    let hold = node.and_then(|worker| worker.holds.first());
    let over = hold.is_some_and(|hold| hold.until <= locks.cluster.protocol.ms());
    let own = match hold {
        Some(hold) if hold.until < FOREVER => {
            let left_ms = hold.until.saturating_sub(at.0 / 1_000);
            scene.say(
                if over { "lease.over" } else { "lease.left" },
                &[left(left_ms)],
            )
        }
        Some(_) => scene.say("no-end", &[]),
        None => String::new(),
    };
    let mut spoken = vec![status.clone()];
    spoken.extend(
        [soon.clone(), own.clone()]
            .into_iter()
            .filter(|word| !word.is_empty()),
    );
    let mut pencil = scene.thing(me, r, spoken.join(", "));
    pencil
        .figure("frozen", f64::from(u8::from(frozen)))
        .figure("dead", f64::from(u8::from(node.is_none())))
        .figure("over", f64::from(u8::from(over)))
        .figure("blocks", f64::from(node.map_or(0, |worker| worker.blocks)));
    let border = if ink == Ink::Secondary {
        Ink::LineStrong
    } else {
        ink
    };
    pencil.bordered(
        r,
        10.0,
        Ink::Card,
        border,
        if ink == Ink::Secondary { 1.5 } else { 2.0 },
    );
    let stripe = Rect::new(r.x + 6.0, r.y + 7.0, 6.0, r.h - 14.0);
    pencil.filled(
        stripe,
        3.0,
        if ink == Ink::Secondary {
            INKS[i]
        } else {
            Ink::BadHatch
        },
    );
    let (x, right) = (r.x + 19.0, r.x + r.w - 10.0);
    let middle = r.centre().y;
    pencil.bold(
        pt(x, middle - 4.0),
        13.0,
        Ink::Ink,
        fitting(std::slice::from_ref(&name), 13.0, true, r.w - 48.0),
    );
    let mut end = right;
    if let Some(hold) = hold.filter(|hold| hold.until < FOREVER) {
        let left = hold.until.saturating_sub(at.0 / 1_000) as f32 / locks.knobs().ttl() as f32;
        dial(
            &mut pencil,
            pt(right - 8.0, middle - 8.0),
            7.0,
            left,
            if over { Ink::Bad } else { Ink::Accent },
        );
        end -= 22.0;
    }
    let beside = x + text::width(&name, 13.0, true) + 8.0;
    let (said, bad) = if soon.is_empty() {
        (own, over)
    } else {
        (soon, true)
    };
    if end - beside > 24.0 && !said.is_empty() {
        let said = fitting(&[said, String::new()], 11.0, bad, end - beside);
        ending(
            &mut pencil,
            pt(end, middle - 4.0),
            11.0,
            bad,
            if bad { Ink::Bad } else { Ink::Secondary },
            said,
        );
    }
    let bold = ink != Ink::Secondary;
    let status = fitting(&[status, brief], 11.5, bold, right - x);
    if bold {
        pencil.bold(pt(x, middle + 12.0), 11.5, ink, status);
    } else {
        pencil.text(pt(x, middle + 12.0), 11.5, ink, status);
    }
}

/// A file: who wrote each block of what stands in it.
fn output(knobs: &Settings, at: u8, of_file: &File, r: Rect, scene: &mut Scene) {
    let mixed = of_file.is_mixed();
    let written = of_file.cells.iter().flatten().count() as u32;
    let seen: Token = of_file.fence.seen;
    let state = match (of_file.refused, mixed) {
        (true, _) => "file.refused",
        (_, true) => "file.mixed",
        _ => "file.whole",
    };
    let state = scene.say(state, &[count(written)]);
    let highest = scene.say("file.seen", &[Arg::Count(seen as i64)]);
    let name = scene.name(file(at));
    let mut spoken = vec![state.clone()];
    spoken.extend((seen > 0).then(|| highest.clone()));
    let mut pencil = scene.thing(file(at), r, spoken.join(", "));
    pencil
        .figure("mixed", f64::from(u8::from(mixed)))
        .figure("refused", f64::from(u8::from(of_file.refused)))
        .figure("seen", seen as f64);
    let border = match (of_file.refused, mixed) {
        (true, _) => Ink::Ok,
        (_, true) => Ink::Bad,
        _ => Ink::LineStrong,
    };
    pencil.bordered(
        r,
        10.0,
        Ink::Card,
        border,
        if border == Ink::LineStrong { 1.5 } else { 2.0 },
    );
    let (left, right, y) = (r.x + 9.0, r.x + r.w - 9.0, r.y + 15.0);
    pencil.bold(pt(left, y), 12.5, Ink::Ink, name.as_str());
    let mut end = right;
    if knobs.fence {
        shield(&mut pencil, pt(right - 6.0, y - 4.5));
        end -= 17.0;
    }
    let beside = left + text::width(&name, 12.5, true) + 8.0;
    let ink = match border {
        Ink::LineStrong => Ink::Secondary,
        ink => ink,
    };
    let bold = ink != Ink::Secondary;
    let said = match (bold, seen) {
        (true, _) => state,
        (_, 0) => String::new(),
        _ => highest,
    };
    let said = fitting(&[said], 11.0, bold, end - beside);
    ending(&mut pencil, pt(end, y), 11.0, bold, ink, said);
    let area = Rect::new(left, r.y + 20.0, right - left, r.h - 26.0);
    let w = area.w / f32::from(BLOCKS);
    for (i, cell) in of_file.cells.iter().enumerate() {
        let box_ = Rect::new(
            area.x + w * i as f32 + 0.5,
            area.y,
            w - 1.5,
            area.h.min(22.0),
        );
        match cell {
            Some(value) => {
                let who = worker_at(of(*value).0).min(WORKERS - 1);
                pencil.filled(box_, 2.0, INKS[who]);
                let middle = pt(box_.centre().x, box_.centre().y + 4.0);
                pencil.centred(middle, 11.0, true, Ink::Card, (who + 1).to_string());
            }
            None => {
                pencil.bordered(box_, 2.0, Ink::None, Ink::Line, 1.0);
            }
        }
    }
}

/// A shield: the store looks at tokens.
fn shield(pencil: &mut Pencil<'_>, at: Point) {
    let [x, y] = [at.x, at.y].map(tenths);
    let mut d = String::from("M");
    d += &x;
    d += " ";
    d += &y;
    d += "m0 -7l6 2v4c0 4 -3 6 -6 8c-3 -2 -6 -4 -6 -8v-4Z";
    pencil.area(d, Ink::Ok);
}

/// The converter: who has a permit.
fn seats(locks: &Locks, knobs: &Settings, r: Rect, scene: &mut Scene) {
    let held = locks.says(CONVERTER);
    let told = [count(held.len() as u32), count(knobs.permits)];
    let (name, value) = (scene.name(SEATS), scene.say("seats", &told));
    let dead = held
        .iter()
        .filter(|held| locks.worker(worker_at(of(held.value).0)).is_none())
        .count();
    let mut pencil = scene.thing(SEATS, r, value);
    pencil
        .figure("taken", held.len() as f64)
        .figure("of", knobs.permits.into())
        .figure("dead", dead as f64);
    pencil.bordered(r, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    pencil.bold(pt(r.x + 9.0, r.y + 19.0), 12.5, Ink::Ink, name);
    for seat in 0..knobs.permits as usize {
        let x = r.x + r.w - 28.0 - 24.0 * (knobs.permits as usize - 1 - seat) as f32;
        let place = Rect::new(x - 2.0, r.y + 5.0, 20.0, 20.0);
        let lost = held
            .get(seat)
            .is_some_and(|held| locks.worker(worker_at(of(held.value).0)).is_none());
        pencil.bordered(
            place,
            5.0,
            if lost { Ink::BadHatch } else { Ink::None },
            if lost { Ink::Bad } else { Ink::LineStrong },
            1.0,
        );
        if let Some(held) = held.get(seat) {
            chip(&mut pencil, pt(x, r.y + 15.0), held.value);
        }
    }
}

/// What has come of it since the rules that hold.
fn score(locks: &Locks, r: Rect, scene: &mut Scene) {
    let tally = locks.judge.tally;
    let rate = tally.a_minute(tally.counted).map(libm::round);
    let passes = [tally.counted, tally.vain, rate.unwrap_or(0.0) as u32].map(count);
    let harm = [tally.late, tally.mixed, tally.refused].map(count);
    let vacant = [figures::tenths(Time::from_s(locks.judge.vacant))];
    let with_rate = if rate.is_some() {
        "score.rate"
    } else {
        "score.passes"
    };
    let lines = [
        scene.say(with_rate, &passes),
        scene.say("score.harm", &harm),
        scene.say("score.vacant", &vacant),
    ];
    let mut pencil = scene.thing(SCORE, r, lines.join(", "));
    pencil
        .figure("rate", rate.unwrap_or(0.0))
        .figure("counted", tally.counted.into())
        .figure("vain", tally.vain.into())
        .figure("late", tally.late.into())
        .figure("mixed", tally.mixed.into())
        .figure("refused", tally.refused.into())
        .figure("renewed", tally.renewed.into())
        .figure("foreign", tally.foreign.into())
        .figure("vacant", locks.judge.vacant);
    pencil.bordered(r, 10.0, Ink::Card, Ink::Line, 1.0);
    let mut at = pt(r.x + 9.0, r.y + 16.0);
    for (i, line) in lines.iter().enumerate() {
        let (bold, ink) = match i {
            0 => (true, Ink::Ink),
            1 if tally.late + tally.mixed > 0 => (true, Ink::Bad),
            _ => (false, Ink::Secondary),
        };
        for piece in text::wrap(line, 11.5, bold, r.w - 18.0) {
            if at.y + 4.0 > r.y + r.h {
                return;
            }
            if bold {
                pencil.bold(at, 11.5, ink, piece);
            } else {
                pencil.text(at, 11.5, ink, piece);
            }
            at.y += 15.0;
        }
    }
}

/// Belief above lease, on one axis.
fn lanes(locks: &Locks, layout: &Layout, at: Time, scene: &mut Scene) {
    let r = layout.lanes;
    let span = if layout.narrow { SHORT } else { SPAN };
    let judge = &locks.judge;
    let names: Vec<String> = (0..FILES as u8).map(|at| scene.name(file(at))).collect();
    let keys = ["lane.belief", "lane.frozen", "lane.lease", "lane.overlap"]
        .map(|word| scene.say(word, &[]));
    let marks = ["lane.block", "lane.late"].map(|word| scene.say(word, &[]));
    let unit = scene.say("s", &[]);
    let title = scene.name(LANES);
    let mut spoken = Vec::new();
    for i in 0..layout.workers.len() {
        let lane = &judge.lanes[i];
        let held = |bar: Option<&super::judge::Bar>| {
            let open = bar.filter(|bar| bar.to.is_none());
            open.map_or_else(
                || "–".to_owned(),
                |bar| names[usize::from(bar.file)].clone(),
            )
        };
        let told = [held(lane.belief.back()), held(lane.lease.back())];
        spoken.push(text_of(&scene.name(worker_part(i)), &told.join(" / ")));
    }
    let mut pencil = scene.thing(LANES, r, spoken.join(", "));
    pencil
        .figure("most", judge.most as f64)
        .figure("late", judge.tally.late.into());
    panel(
        &mut pencil,
        r,
        fitting(std::slice::from_ref(&title), 12.0, true, r.w - 20.0),
    );
    // What the bars are, beside the title or below it.
    let beside = r.x + 10.0 + text::width(&title, 12.0, true) + 20.0;
    let mut from = if layout.narrow {
        pt(r.x + 10.0, r.y + 33.0)
    } else {
        pt(beside, r.y + 17.0)
    };
    let inks = [Ink::Accent, Ink::HitSoft, Ink::BadHatch, Ink::Card];
    for (ink, said) in inks.into_iter().zip(keys) {
        if layout.narrow && ink == Ink::Card {
            continue;
        }
        if layout.narrow && ink == Ink::BadHatch {
            from = pt(beside, r.y + 17.0);
        }
        from.x = legend(
            &mut pencil,
            from,
            r.x + r.w - 6.0,
            [(Sample::Ground, ink, said)],
        );
    }
    // Blocks, and those that came late, where there is room to say so.
    let [block, late] = marks;
    let w = text::width(&block, 12.0, false) + text::width(&late, 12.0, false) + 50.0;
    if from.x + w < r.x + r.w {
        pencil.line(
            path(&[
                pt(from.x + 4.0, from.y - 9.0),
                pt(from.x + 4.0, from.y + 1.0),
            ]),
            Ink::Ink,
            1.0,
        );
        pencil.text(
            pt(from.x + 11.0, from.y),
            12.0,
            Ink::Secondary,
            block.as_str(),
        );
        let x = from.x + 26.0 + text::width(&block, 12.0, false);
        pencil.mark(Glyph::Failure, pt(x, from.y - 4.0), 4.5, Ink::Bad);
        pencil.text(pt(x + 9.0, from.y), 12.0, Ink::Secondary, late);
    }
    let top = r.y + 24.0 + if layout.narrow { 16.0 } else { 0.0 };
    let plot = Rect::new(r.x + 30.0, top, r.w - 40.0, r.y + r.h - 18.0 - top);
    let begin = at.since(span);
    let x = |when: Time| plot.x + plot.w * (1.0 - at.since(when).0 as f32 / span.0 as f32).max(0.0);
    let mut grid = String::new();
    for back in (0..=span.0 / 1_000_000).step_by(if layout.narrow { 5 } else { 3 }) {
        let x = plot.x + plot.w * (1.0 - back as f32 * 1e6 / span.0 as f32);
        grid += &path(&[pt(x, plot.y), pt(x, plot.y + plot.h)]);
        let mut label = String::from(if back == 0 { "0" } else { "-" });
        if back > 0 {
            label += &back.to_string();
            label += " ";
            label += &unit;
        }
        let half = text::width(&label, 11.0, false) / 2.0;
        let p = pt((x + half).min(plot.x + plot.w + 6.0), r.y + r.h - 6.0);
        ending(&mut pencil, p, 11.0, false, Ink::Secondary, label);
    }
    pencil.line(grid, Ink::Line, 1.0);
    for i in 0..layout.workers.len() {
        let y = plot.y + LANE * i as f32;
        let lane = &judge.lanes[i];
        chip(
            &mut pencil,
            pt(r.x + 8.0, y + LANE / 2.0),
            Value::from(worker(i)) << 32,
        );
        let stretch = |from: Time, to: Time, top: f32, h: f32| {
            let (a, b) = (x(from.max(begin)), x(to));
            Rect::new(a, y + top, (b - a).max(1.0), h)
        };
        // Two at once, behind what each believes.
        for bar in &lane.belief {
            for (from, to) in judge.overlaps(i, bar, at) {
                if to > begin {
                    let r = stretch(from, to, 1.0, LANE - 3.0);
                    let [left, right, up, low] = [r.x, r.x + r.w, r.y, r.y + r.h].map(tenths);
                    // A path, because names of files may stand across its edge.
                    let mut d = String::from("M");
                    for piece in [&left, " ", &up, "H", &right, "V", &low, "H", &left, "Z"] {
                        d += piece;
                    }
                    pencil.area(d.clone(), Ink::BadHatch);
                    pencil.line(d, Ink::Bad, 1.0);
                }
            }
        }
        for bar in lane
            .lease
            .iter()
            .filter(|bar| bar.to.is_none_or(|to| to > begin))
        {
            let r = stretch(bar.from, bar.to.unwrap_or(at), 11.0, 14.0);
            pencil.bordered(r, 3.0, Ink::HitSoft, Ink::Hit, 1.0);
            let name = &names[usize::from(bar.file)];
            if r.w > text::width(name, 11.0, false) + 6.0 {
                pencil.text(pt(r.x + 4.0, r.y + 11.0), 11.0, Ink::Ink, name.as_str());
            }
        }
        for bar in lane
            .belief
            .iter()
            .filter(|bar| bar.to.is_none_or(|to| to > begin))
        {
            let r = stretch(bar.from, bar.to.unwrap_or(at), 4.0, 5.0);
            pencil.filled(r, 2.0, Ink::Accent);
        }
        // Frozen: it still believes, and does nothing.
        for (from, to) in lane
            .frozen
            .iter()
            .filter(|(_, to)| to.is_none_or(|to| to > begin))
        {
            let r = stretch(*from, to.unwrap_or(at), 4.0, 5.0);
            pencil.bordered(r, 2.0, Ink::Card, Ink::Accent, 1.0);
        }
        let mut ticks = String::new();
        for (when, kind) in lane.blocks.iter().filter(|(when, _)| *when > begin) {
            let x = x(*when);
            match kind {
                Block::Wrote => ticks += &path(&[pt(x, y + 2.0), pt(x, y + 10.5)]),
                Block::Late => {
                    pencil.mark(Glyph::Failure, pt(x, y + 6.5), 4.5, Ink::Bad);
                }
                Block::Refused => {
                    pencil.mark(Glyph::Failure, pt(x, y + 6.5), 4.5, Ink::Warn);
                }
            }
        }
        if !ticks.is_empty() {
            pencil.line(ticks, Ink::Ink, 1.0);
        }
    }
}
