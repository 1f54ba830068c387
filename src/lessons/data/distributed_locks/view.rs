//! The stage: lock servers, workers, and the files that they write; below, a lane of time for each worker with what it believes
//! above what the lock service says of it.

use super::face::{
    BLOCKS, CONVERTER, FILES, File, House, SERVERS, STORE, WORKERS, Word, of, worker, worker_at,
};
use super::judge::{Block, SPAN};
use super::model::{Blow, LANES, Locks, SCORE, SEATS, file, place, server, worker_part};
use super::settings::{Kept, Settings};
use algorithms::fencing::Token;
use algorithms::lease_lock::{FOREVER, Held, Value};
use algorithms::protocol::Id;
use algorithms::raft;
use engine::scene::{Anchor, Pencil, Point, Rect, Shape, pt};
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
    number(pencil, r, 4.0, i);
}

fn number(pencil: &mut Pencil<'_>, r: Rect, radius: f32, i: usize) {
    pencil.filled(r, radius, INKS[i]);
    let p = pt(r.centre().x, r.centre().y + 4.0);
    pencil.centred(p, 11.0, true, Ink::Card, (i + 1).to_string());
}

/// How a line is written: its size, whether it is bold, its ink.
type Style = (f32, bool, Ink);

/// The first of these texts that has room, from a point on; a point to the right of its room ends the line there.
fn put(pencil: &mut Pencil<'_>, at: Point, room: f32, (size, bold, ink): Style, texts: &[String]) {
    let text = fitting(texts, size, bold, room.abs());
    let anchor = if room < 0.0 {
        Anchor::End
    } else {
        Anchor::Start
    };
    pencil.shape(Shape::Text {
        at,
        size,
        bold,
        ink,
        anchor,
        text,
    });
}

/// A card; what is not as usual has a border in its ink.
fn frame(pencil: &mut Pencil<'_>, r: Rect, ink: Ink) {
    let (border, width) = if ink == Ink::Secondary {
        (Ink::LineStrong, 1.5)
    } else {
        (ink, 2.0)
    };
    pencil.bordered(r, 10.0, Ink::Card, border, width);
}

/// What a server's card shows of a lock.
struct Cell {
    rect: Rect,
    name: String,
    held: Vec<Held>,
    /// The service says the same.
    agreed: bool,
    /// Its holder is dead.
    dead: bool,
    /// What is written beside the holder's number, and how long the lease still is.
    said: Vec<String>,
    left: String,
    /// How much of the lease is left; none if it has no end.
    share: Option<f32>,
    ink: Ink,
}

fn cell(locks: &Locks, id: Id, at: u8, rect: Rect, scene: &Scene) -> Cell {
    let house = &locks.cluster.protocol;
    let now = house.clock(id);
    let leases = locks
        .server(id)
        .map_or(&[][..], |server| server.table.place(at));
    let held: Vec<Held> = leases.iter().filter_map(|lease| lease.held(now)).collect();
    let closed = leases.iter().any(|lease| lease.closed(now).is_some());
    let first = held.first().copied();
    let dead = first.is_some_and(|held| locks.worker(worker_at(of(held.value).0)).is_none());
    let (words, ink): (&[&str], Ink) = match first {
        None if closed => (&["closed"], Ink::Warn),
        None if locks.cluster.is_up(id) => (&["free"], Ink::Secondary),
        Some(_) if dead => (&["holder-dead", "dead"], Ink::Bad),
        Some(_) if held.len() == 1 && house.knobs.kept != Kept::Majority => {
            (&["token", "token.brief"], Ink::Ink)
        }
        _ => (&[], Ink::Ink),
    };
    let token = Arg::Count(first.map_or(0, |held| held.token) as i64);
    let rest = first.map_or(0, |held| held.until).saturating_sub(now);
    let endless = rest >= FOREVER / 2;
    let says = if endless { "no-end" } else { "span" };
    Cell {
        rect,
        name: scene.name(place(at)),
        agreed: locks.says(at).first().map(|held| held.value) == first.map(|held| held.value),
        dead,
        said: words.iter().map(|word| scene.say(word, &[token])).collect(),
        left: scene.say(says, &[left(if endless { 0 } else { rest })]),
        share: (!endless).then(|| rest as f32 / house.knobs.ttl() as f32),
        ink,
        held,
    }
}

impl Cell {
    fn draw(&self, pencil: &mut Pencil<'_>, majority: bool) {
        let r = self.rect;
        let lit = majority && self.agreed && !self.held.is_empty();
        pencil.filled(r, 5.0, if lit { Ink::OkSoft } else { Ink::Paper });
        if self.held.is_empty() {
            let at = pt(r.x + 5.0, r.centre().y + 4.0);
            return put(pencil, at, r.w - 8.0, (11.0, false, self.ink), &self.said);
        }
        let h = r.h.min(36.0);
        let r = Rect::new(r.x + 4.0, r.centre().y - h / 2.0, r.w - 8.0, h);
        let (mid, mut right) = (r.centre().y - 3.5, r.x + r.w);
        let mut x = r.x;
        for held in self.held.iter().take(((r.w + 4.0) / 20.0) as usize) {
            chip(pencil, pt(x, mid), held.value);
            x += 20.0;
        }
        let end = if self.share.is_none() {
            Ink::Bad
        } else {
            Ink::Secondary
        };
        if r.w > 142.0 {
            put(
                pencil,
                pt(right, mid + 4.0),
                -80.0,
                (11.0, false, end),
                std::slice::from_ref(&self.left),
            );
            right -= text::width(&self.left, 11.0, false) + 8.0;
        }
        if right - x > 12.0 {
            put(
                pencil,
                pt(x + 1.0, mid + 4.0),
                right - x,
                (11.0, true, self.ink),
                &self.said,
            );
        }
        let bar = Rect::new(r.x, r.y + r.h - 5.0, r.w, 3.5);
        let ink = if self.share.is_none() {
            Ink::Bad
        } else {
            Ink::Hit
        };
        pencil.meter(
            bar,
            self.share.unwrap_or(1.0),
            ink,
            self.dead && self.share.is_none(),
        );
    }
}

/// A lock server: what it knows of each file.
fn card(locks: &Locks, id: Id, layout: &Layout, scene: &mut Scene) {
    let r = layout.servers[usize::from(id) - 1];
    let house = &locks.cluster.protocol;
    let (kept, alone) = (house.knobs.kept, house.knobs.servers() == 1);
    let up = locks.cluster.is_up(id);
    let leads = locks.server(id).and_then(|server| server.raft.as_ref());
    let leads = leads.is_some_and(|raft| raft.role == raft::Role::Leader);
    let state = match kept {
        _ if !up => "is.down",
        _ if locks.doomed && id == locks.authority() => "is.doomed",
        _ if house.ahead[usize::from(id) - 1] > 0 => "is.ahead",
        Kept::Copy if id == house.primary => "is.primary",
        Kept::Copy => "is.copy",
        Kept::Log if leads => "is.leader",
        _ => "is.up",
    };
    let status = scene.say(state, &[]);
    let names = [
        scene.name(server(id)),
        scene.say("server", &[count(id.into())]),
    ];
    let permits = scene.say("permits", &[]);
    let places = (0..).zip(cells(r, locks));
    let cells: Vec<Cell> = places
        .map(|(at, rect)| cell(locks, id, at, rect, scene))
        .collect();
    let mut spoken = vec![status.clone()];
    for cell in &cells {
        let holder = cell
            .held
            .first()
            .map(|held| scene.name(worker_part(worker_at(of(held.value).0))));
        let told = holder.or_else(|| cell.said.first().cloned());
        spoken.extend(told.map(|told| [cell.name.as_str(), &told].join(": ")));
    }
    let first = locks.judge.passes_first();
    let mut held = cells.iter().flat_map(|cell| &cell.held);
    let knows = held.any(|held| Some(held.value) == first);
    let mut pencil = scene.thing(server(id), r, spoken.join(", "));
    pencil
        .figure("up", f64::from(u8::from(up)))
        .figure("knows-first", f64::from(u8::from(knows)));
    let ink = if up { Ink::Secondary } else { Ink::Bad };
    frame(&mut pencil, r, ink);
    if alone {
        put(
            &mut pencil,
            pt(r.x + 12.0, r.y + 19.0),
            r.w - 24.0,
            (13.5, true, Ink::Ink),
            &names,
        );
        let room = r.w - 36.0 - text::width(&names[0], 13.5, true);
        put(
            &mut pencil,
            pt(r.x + r.w - 12.0, r.y + 19.0),
            -room,
            (11.5, !up, ink),
            &[status],
        );
    } else {
        let (x, y) = (r.x + 8.0, r.centre().y);
        put(
            &mut pencil,
            pt(x, y - 2.0),
            40.0,
            (12.0, true, Ink::Ink),
            &names[1..],
        );
        put(
            &mut pencil,
            pt(x, y + 12.0),
            40.0,
            (11.0, !up, ink),
            &[status],
        );
    }
    for cell in cells {
        if alone {
            let at = pt(r.x + 10.0, cell.rect.centre().y + 4.0);
            let names = [cell.name.clone(), permits.clone()];
            put(&mut pencil, at, 44.0, (11.5, false, Ink::Secondary), &names);
        }
        cell.draw(&mut pencil, kept == Kept::Majority);
    }
}

/// A worker: what it does, and its lease as it believes it to be.
fn person(locks: &Locks, i: usize, r: Rect, at: Time, scene: &mut Scene) {
    let (me, fate) = (worker_part(i), locks.fates[i]);
    let node = locks.worker(i);
    let hold = node.and_then(|worker| worker.holds.first());
    let named = |at: u8| Arg::Part(place(at));
    let (words, told, ink): (&[&str], [Arg; 2], Ink) = match (node, fate.wakes) {
        (None, _) => (&["does.dead"], [count(0); 2], Ink::Bad),
        (_, Some(wakes)) => {
            let left = figures::tenths(wakes.since(at));
            (&["does.frozen", "does.frozen.brief"], [left; 2], Ink::Warn)
        }
        (Some(worker), _) => {
            let (words, told): (&[&str], _) = match (worker.writes, &worker.asks, hold) {
                (Some((file, _)), ..) => {
                    let written = count(worker.blocks.into());
                    (
                        &["does.writes", "does.writes.brief"],
                        [named(file), written],
                    )
                }
                (_, Some((at, ..)), _) => (&["does.asks"], [named(*at); 2]),
                (.., Some(hold)) => (
                    &["does.waits-seat", "does.waits-seat.brief"],
                    [named(hold.place); 2],
                ),
                _ => (&["does.waits"], [count(0); 2]),
            };
            (words, told, Ink::Secondary)
        }
    };
    let status: Vec<String> = words.iter().map(|word| scene.say(word, &told)).collect();
    let rest = hold.map_or(0, |hold| hold.until.saturating_sub(at.0 / 1_000));
    let over = hold.is_some() && rest == 0;
    let beside = match (fate.blow, hold) {
        (Some(Blow::Freezes), _) => scene.say("soon.freezes", &[]),
        (Some(Blow::Dies), _) => scene.say("soon.dies", &[]),
        _ if fate.cut => scene.say("soon.cut", &[]),
        (_, None) => String::new(),
        _ if over => scene.say("lease.over", &[]),
        _ if rest >= FOREVER / 2 => scene.say("no-end", &[]),
        _ => scene.say("lease.left", &[left(rest)]),
    };
    let bad = over || fate.blow.is_some() || fate.cut;
    let name = scene.name(me);
    let mut spoken = vec![status[0].clone()];
    spoken.extend((!beside.is_empty()).then(|| beside.clone()));
    let mut pencil = scene.thing(me, r, spoken.join(", "));
    pencil
        .figure("dead", f64::from(u8::from(node.is_none())))
        .figure("over", f64::from(u8::from(over)));
    frame(&mut pencil, r, ink);
    let stripe = Rect::new(r.x + 6.0, r.y + 7.0, 6.0, r.h - 14.0);
    let usual = ink == Ink::Secondary;
    pencil.filled(stripe, 3.0, if usual { INKS[i] } else { Ink::BadHatch });
    let (x, mut right) = (r.x + 19.0, r.x + r.w - 10.0);
    let middle = r.centre().y;
    put(
        &mut pencil,
        pt(x, middle + 12.0),
        right - x,
        (11.5, !usual, ink),
        &status,
    );
    put(
        &mut pencil,
        pt(x, middle - 4.0),
        r.w - 48.0,
        (13.0, true, Ink::Ink),
        std::slice::from_ref(&name),
    );
    if hold.is_some() && rest < FOREVER / 2 {
        let share = rest as f32 / locks.knobs().ttl() as f32;
        let ink = if over { Ink::Bad } else { Ink::Accent };
        dial(&mut pencil, pt(right - 8.0, middle - 8.0), 7.0, share, ink);
        right -= 22.0;
    }
    let room = right - x - text::width(&name, 13.0, true) - 8.0;
    if room > 24.0 {
        let ink = if bad { Ink::Bad } else { Ink::Secondary };
        put(
            &mut pencil,
            pt(right, middle - 4.0),
            -room,
            (11.0, bad, ink),
            &[beside, String::new()],
        );
    }
}

/// A file: who wrote each block of what stands in it.
fn output(knobs: &Settings, at: u8, of_file: &File, r: Rect, scene: &mut Scene) {
    let mixed = of_file.is_mixed();
    let written = of_file.cells.iter().flatten().count() as u32;
    let seen: Token = of_file.fence.seen;
    let (words, ink) = match (of_file.refused, mixed) {
        (true, _) => (["file.refused", "file.refused.brief"], Ink::Ok),
        (_, true) => (["file.mixed", "file.mixed.brief"], Ink::Bad),
        _ => (["file.whole", "file.whole"], Ink::Secondary),
    };
    let state = words.map(|word| scene.say(word, &[count(written)]));
    let highest = ["file.seen", "token"].map(|word| scene.say(word, &[Arg::Count(seen as i64)]));
    let name = scene.name(file(at));
    let mut spoken = vec![state[0].clone()];
    spoken.extend((seen > 0).then(|| highest[0].clone()));
    let mut pencil = scene.thing(file(at), r, spoken.join(", "));
    pencil
        .figure("mixed", f64::from(u8::from(mixed)))
        .figure("seen", seen as f64);
    frame(&mut pencil, r, ink);
    let (x, mut right, y) = (r.x + 9.0, r.x + r.w - 9.0, r.y + 15.0);
    let w = (right - x) / f32::from(BLOCKS);
    for (i, cell) in of_file.cells.iter().enumerate() {
        let block = Rect::new(
            x + w * i as f32 + 0.5,
            r.y + 20.0,
            w - 1.5,
            (r.h - 26.0).min(22.0),
        );
        match cell {
            Some(value) => number(
                &mut pencil,
                block,
                2.0,
                worker_at(of(*value).0).min(WORKERS - 1),
            ),
            None => {
                pencil.bordered(block, 2.0, Ink::None, Ink::Line, 1.0);
            }
        }
    }
    pencil.bold(pt(x, y), 12.5, Ink::Ink, name.as_str());
    if knobs.fence {
        shield(&mut pencil, pt(right - 6.0, y - 4.5));
        right -= 17.0;
    }
    let usual = ink == Ink::Secondary;
    let said = match (usual, seen) {
        (false, _) => state,
        (_, 0) => return,
        _ => highest,
    };
    let room = right - x - text::width(&name, 12.5, true) - 8.0;
    put(&mut pencil, pt(right, y), -room, (11.0, !usual, ink), &said);
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
        let pieces = text::wrap(line, 11.5, bold, r.w - 18.0);
        // Nothing is said by halves.
        if at.y + 15.0 * pieces.len() as f32 - 11.0 > r.y + r.h {
            return;
        }
        for piece in pieces {
            put(&mut pencil, at, r.w, (11.5, bold, ink), &[piece]);
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
    let keys = [
        ("lane.belief", Ink::Accent),
        ("lane.lease", Ink::HitSoft),
        ("lane.overlap", Ink::BadHatch),
        ("lane.frozen", Ink::Card),
    ]
    .map(|(word, ink)| (ink, scene.say(word, &[])));
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
        spoken.push([scene.name(worker_part(i)), told.join(" / ")].join(": "));
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
    for (ink, said) in keys {
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
        // Where the lease was lengthened.
        let mut notches = String::new();
        for when in lane.renewed.iter().filter(|when| **when > begin) {
            notches += &path(&[pt(x(*when), y + 11.5), pt(x(*when), y + 24.5)]);
        }
        if !notches.is_empty() {
            pencil.line(notches, Ink::Hit, 2.0);
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
