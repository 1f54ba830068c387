//! The stage: writers, three shelves that a write sinks through, and what has been promised.

use super::log::WRITES;
use super::model::{
    CACHE, CLIENTS, DISK, Entry, HOP, LINK, MEMORY, PROMISES, Phase, Place, SYNC, Store, count,
};
use super::settings::{KEYS, Settings, Sync};
use algorithms::wal::{Kind, Stop};
use engine::scene::{Anchor, Pencil, Rect, Shape, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::tape::{Card, Look, Tape};
use kit::figures::{self, DOT, NodeCard};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// For so long a cell glows that has changed, and a record falls into the cache.
const GLOW: Time = Time::ms(150);
const FALL: Time = HOP;
/// For so long it is told what a snapshot made of the log.
const SHRUNK: Time = Time::ms(1_500);
/// Cells of the table in a row, and in one of a small stage.
const CELLS: usize = 12;
const CELLS_SMALL: usize = 8;
const SMALL: f32 = 700.0;
const CELL: f32 = 36.0;
/// The title of a shelf, a row of records, and the least width of one.
const TITLE: f32 = 26.0;
const ROW: f32 = 28.0;
const RECORD: f32 = 47.0;
/// Rows of records in the cache.
const ROWS: usize = 3;
/// The snapshot's card on the disk.
const BASE: (f32, f32) = (64.0, 34.0);

pub(super) fn draw(store: &Store, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let keys = store.table.iter().rposition(Option::is_some);
    let keys = (store.knobs.keys as usize).max(keys.map_or(0, |last| last + 1));
    let columns = if scene.width < SMALL {
        CELLS_SMALL
    } else {
        CELLS
    };
    let placed = place(scene, narrow, keys.div_ceil(columns));
    let (from, to) = (placed.of(CLIENTS), placed.of(MEMORY));
    let way = if narrow {
        Way::straight(from.bottom(), pt(from.bottom().x, to.y))
    } else {
        Way::straight(pt(from.x + from.w, to.left().y), to.left())
    };
    let way = way.lanes(6.0, -6.0);
    let words = scene.say("link", &[]);
    scene
        .link(LINK, way.frame(), words)
        .line(way.d(), Ink::LineStrong, 1.5);
    clients(store, placed.of(CLIENTS), scene);
    let cells = memory(store, placed.of(MEMORY), (keys, columns), at, scene);
    let cache = cache(store, placed.of(CACHE), scene);
    sync(store, placed.of(SYNC), at, scene);
    disk(store, placed.of(DISK), at, scene);
    promises(store, placed.of(PROMISES), scene);
    for (_, write) in store.writes.iter() {
        let (leg, course, glyph, ink) = match write.place {
            Place::Asks(leg) => (leg, Course::There, Glyph::Request, Ink::Accent),
            Place::Hears(leg, true) => (leg, Course::Back, Glyph::Response, Ink::Ok),
            Place::Hears(leg, false) => (leg, Course::Back, Glyph::Failure, Ink::Bad),
            Place::Queues | Place::Waits => continue,
        };
        let share = leg.share(at);
        let share = if course == Course::Back {
            1.0 - share
        } else {
            share
        };
        scene.particle(way.at(share, course), DOT, glyph, ink, write.number);
    }
    // A record falls from its cell to its place.
    for (back, entry) in store.entries.iter().rev().enumerate() {
        let gone = at.since(entry.at);
        if entry.kind == Kind::Base || gone >= FALL || back >= cache.1 {
            break;
        }
        let from = cells(entry.key);
        let to = cache.0.at(cache.1 - 1 - back);
        let to = pt(to.x + to.w / 2.0, to.y + to.h / 2.0);
        let share = gone.0 as f32 / FALL.0 as f32;
        let p = pt(
            from.x + (to.x - from.x) * share,
            from.y + (to.y - from.y) * share,
        );
        scene.particle(p, DOT, Glyph::Message, Ink::Hit, entry.number);
    }
}

fn place(scene: &mut Scene, narrow: bool, rows: usize) -> Placed {
    let wide = Span::rest(250.0, 1.0);
    let memory = TITLE + CELL * rows.max(1) as f32 + 4.0;
    let cache = (TITLE + ROW + 6.0, TITLE + ROW * ROWS as f32 + 6.0);
    let disk = TITLE + 70.0;
    let all = memory + cache.1 + disk + 40.0;
    let shelves = |w: Span| {
        [
            part(MEMORY, w, memory),
            space(8.0),
            part(CACHE, w, cache),
            space(4.0),
            part(SYNC, w, 24.0),
            space(4.0),
            part(DISK, w, disk),
        ]
    };
    let stage = if narrow {
        let head = Slot::Row(vec![
            part(CLIENTS, (116.0, 150.0), 116.0),
            space(10.0),
            part(PROMISES, Span::rest(140.0, 1.0), 116.0),
        ]);
        let mut all = vec![head, space(36.0)];
        all.extend(shelves(Span::rest(250.0, 1.0)));
        Slot::Column(all)
    } else {
        Slot::Row(vec![
            Slot::Column(vec![
                part(CLIENTS, (104.0, 124.0), 160.0),
                space((0.0, all - 160.0)),
            ]),
            space((28.0, 64.0)),
            Slot::Column(shelves(wide).to_vec()),
            space((10.0, 14.0)),
            part(PROMISES, (122.0, 150.0), 190.0),
        ])
    };
    lay(scene, &stage)
}

fn clients(store: &Store, rect: Rect, scene: &mut Scene) {
    let waits = store.queue.len() + store.waiting.len();
    let load = scene.say("load", &[count(store.knobs.writes)]);
    let rate = store.answers_per_s();
    let answers = scene.say("answers", &[Arg::Count((rate + 0.5) as i64)]);
    let waiting = scene.say("waiting", &[count(waits)]);
    let name = scene.name(CLIENTS);
    let mut pencil = scene.thing(CLIENTS, rect, format!("{load}, {answers}, {waiting}"));
    pencil
        .figure("rate", rate)
        .figure("load", f64::from(store.knobs.writes))
        .figure("waiting", waits as f64)
        .figure("queue", store.queue.len() as f64);
    NodeCard::plain(rect, name, load).draw(&mut pencil);
    let x = rect.x + 14.0;
    pencil.text(pt(x, rect.y + 62.0), 12.0, Ink::Secondary, answers);
    let ink = if waits >= 20 {
        Ink::Warn
    } else {
        Ink::Secondary
    };
    pencil.text(pt(x, rect.y + 79.0), 12.0, ink, waiting);
    let dots = Rect::new(x, rect.y + 86.0, rect.w - 26.0, rect.h - 92.0);
    let keys = store.queue.iter();
    let numbers = keys.filter_map(|key| store.writes.get(*key).map(|write| write.number));
    figures::queue(scene, dots, Glyph::Request, Ink::Accent, numbers);
}

/// A shelf with its name and a line on its state; black where it is without power.
fn shelf(
    pencil: &mut Pencil<'_>,
    rect: Rect,
    name: &str,
    (texts, ink): (&[String], Ink),
    dark: bool,
) {
    let wide = text::width(name, 13.0, true);
    let said = fitting(texts, 12.0, true, rect.w - wide - 40.0);
    if dark {
        pencil.bordered(rect, 8.0, Ink::BadHatch, Ink::Bad, 2.0);
        let both = wide + text::width(&said, 12.0, true) + 38.0;
        let label = Rect::new(rect.x + 4.0, rect.y + 4.0, both.min(rect.w - 8.0), 20.0);
        pencil.filled(label, 5.0, Ink::Card);
    } else {
        pencil.bordered(rect, 8.0, Ink::Card, Ink::LineStrong, 1.0);
    }
    pencil.bold(pt(rect.x + 10.0, rect.y + 18.0), 13.0, Ink::Ink, name);
    let at = pt(rect.x + 22.0 + wide, rect.y + 18.0);
    pencil.shape(Shape::Text {
        at,
        size: 12.0,
        bold: ink != Ink::Secondary,
        ink,
        anchor: Anchor::Start,
        text: said,
    });
}

/// The table; gives the middle of each key's cell.
fn memory(
    store: &Store,
    rect: Rect,
    (keys, columns): (usize, usize),
    at: Time,
    scene: &mut Scene,
) -> impl Fn(usize) -> engine::scene::Point + use<> {
    let dark = matches!(store.phase, Phase::Dark { .. });
    let known = store.table.iter().flatten().count();
    let state = match store.phase {
        Phase::Up if store.wrong > 0 => (scene.say("wrong", &[count(store.wrong)]), Ink::Bad),
        Phase::Up => (scene.say("keys", &[count(known)]), Ink::Secondary),
        Phase::Dark { power: true, .. } => (scene.say("no-power", &[]), Ink::Bad),
        Phase::Dark { .. } => (scene.say("no-process", &[]), Ink::Bad),
        Phase::Reads { read, .. } => {
            let args = [count(read), count(store.entries.len())];
            (scene.say("replay", &args), Ink::Accent)
        }
        Phase::Cuts { .. } => (scene.say("stops", &[]), Ink::Warn),
    };
    let name = scene.name(MEMORY);
    let names: Vec<String> = (0..keys)
        .map(|key| scene.say("key", &[count(key + 1)]))
        .collect();
    let values: Vec<String> = names
        .iter()
        .zip(&store.table)
        .filter_map(|(name, value)| value.map(|value| format!("{name} {value}")))
        .collect();
    let spoken = format!("{}: {}", state.0, values.join(", "));
    let mut pencil = scene.thing(MEMORY, rect, spoken);
    pencil
        .figure("keys", known as f64)
        .figure("wrong", store.wrong as f64)
        .figure("dark", f64::from(u8::from(dark)));
    shelf(&mut pencil, rect, &name, (&[state.0], state.1), dark);
    let inner = rect.w - 16.0;
    let pitch = inner / columns as f32;
    let cell = move |key: usize| {
        let (column, row) = ((key % columns) as f32, (key / columns) as f32);
        let x = rect.x + 8.0 + pitch * column;
        Rect::new(
            x + 1.5,
            rect.y + TITLE + CELL * row,
            pitch - 3.0,
            CELL - 4.0,
        )
    };
    for (key, name) in names
        .into_iter()
        .enumerate()
        .take(if dark { 0 } else { keys })
    {
        let cell = cell(key);
        let glows = store.changed[key] > Time::ZERO && at.since(store.changed[key]) < GLOW;
        let wrong = store.wrong > 0 && store.table[key] != store.truth[key];
        let (border, width) = match (glows, wrong) {
            (_, true) => (Ink::Bad, 2.0),
            (true, _) => (Ink::Accent, 2.0),
            _ => (Ink::Line, 1.0),
        };
        let ground = if glows { Ink::AccentSoft } else { Ink::Card };
        pencil.bordered(cell, 4.0, ground, border, width);
        let middle = cell.x + cell.w / 2.0;
        pencil.centred(pt(middle, cell.y + 12.5), 11.0, false, Ink::Secondary, name);
        if let Some(value) = store.table[key] {
            let said = value.to_string();
            let ink = if wrong { Ink::Bad } else { Ink::Ink };
            pencil.centred(pt(middle, cell.y + 26.5), 12.0, true, ink, said);
        }
    }
    move |key: usize| cell(key.min(KEYS - 1)).centre()
}

/// What a record says of itself.
fn label(entry: &Entry, scene: &Scene) -> String {
    let key = scene.say("key", &[count(entry.key + 1)]);
    match (entry.kind, entry.value) {
        (Kind::Statement, _) => scene.say("statement", &[count(entry.key + 1)]),
        (_, Some(value)) => format!("{key} {value}"),
        (_, None) => scene.say("deleted", &[count(entry.key + 1)]),
    }
}

fn card(entry: &Entry, trusted: usize, scene: &Scene) -> Card {
    let (ground, border) = match (entry.answered, entry.bytes.end <= trusted) {
        (true, true) => (Ink::OkSoft, Ink::Ok),
        (true, false) => (Ink::WarnSoft, Ink::Warn),
        (false, _) => (Ink::Card, Ink::LineStrong),
    };
    Card {
        text: label(entry, scene),
        ground,
        border,
        look: Look::Whole,
    }
}

/// What the system has and the disk does not; gives the places, and how many there are.
fn cache(store: &Store, rect: Rect, scene: &mut Scene) -> (Tape, usize) {
    let power = matches!(store.phase, Phase::Dark { power: true, .. });
    let (synced, trusted) = (store.wal.file.synced(), store.wal.file.trusted());
    let above: Vec<&Entry> = match power {
        true => store.ghosts.iter().collect(),
        false => {
            let newest = store.entries.iter().rev();
            let mut above: Vec<&Entry> = newest.take_while(|one| one.bytes.end > synced).collect();
            above.reverse();
            above
        }
    };
    let told = above.iter().filter(|one| one.answered).count();
    let risk = store.risk;
    let lost = store.crash.unwrap_or_default().lost;
    // What a plug takes is said once it has been seen: before that it is asked.
    let told_of = store.plugged.is_some();
    let (word, n, ink) = match (power, above.len()) {
        (true, _) if lost == 0 => ("gone.none", 0, Ink::Bad),
        (true, _) => ("gone", lost as usize, Ink::Bad),
        (false, _) if risk > 0 && told_of => ("risk", risk as usize, Ink::Bad),
        (false, _) if risk > 0 => ("above", risk as usize, Ink::Bad),
        (false, 0) => ("cache-empty", 0, Ink::Secondary),
        (false, 1) => ("cached.one", 1, Ink::Secondary),
        (false, cached) => ("cached", cached, Ink::Secondary),
    };
    let said = scene.say(word, &[count(n)]);
    let short = match word {
        "risk" => scene.say("risk.short", &[count(n)]),
        "above" => scene.say("above.short", &[count(n)]),
        "gone" | "gone.none" => scene.say("gone.short", &[count(n)]),
        _ => said.clone(),
    };
    let area = Rect::new(
        rect.x + 8.0,
        rect.y + TITLE + 1.0,
        rect.w - 16.0,
        rect.h - TITLE - 2.0,
    );
    let rows = ((area.h / ROW) as usize).max(1);
    let area = Rect::new(area.x, area.y, area.w, ROW * rows as f32);
    let tape = Tape::of(area, rows, RECORD, above.len(), None);
    let name = scene.name(CACHE);
    let cards: Vec<(usize, Card)> = tape
        .shown
        .clone()
        .map(|number| {
            let mut card = card(above[number], trusted, scene);
            if power {
                let ghost = above[number].answered;
                card.border = if ghost { Ink::Bad } else { Ink::LineStrong };
                card.ground = Ink::Card;
            }
            (number, card)
        })
        .collect();
    let mut pencil = scene.thing(CACHE, rect, said.clone());
    pencil
        .figure("records", above.len() as f64)
        .figure("told", told as f64);
    shelf(&mut pencil, rect, &name, (&[said, short], ink), power);
    for (number, card) in &cards {
        tape.card(&mut pencil, *number, card);
    }
    let all = above.len();
    let first = above.iter().position(|one| one.answered);
    if let Some(first) = first.filter(|_| told > 0) {
        tape.bracket(&mut pencil, first..all, Ink::Bad);
    }
    (tape, all)
}

/// The way from the cache to the disk: a bar that goes down while a sync is under way.
fn sync(store: &Store, rect: Rect, at: Time, scene: &mut Scene) {
    let span = Arg::Span(store.knobs.sync_takes());
    let said = match (store.syncing, store.knobs.sync) {
        (None, _) if store.phase != Phase::Up => {
            let alone = matches!(store.phase, Phase::Dark { power: false, .. });
            scene.say(if alone { "sync.later" } else { "sync.down" }, &[])
        }
        (Some(sync), _) if sync.fresh => scene.say("sync.fresh", &[span]),
        (Some(sync), _) => {
            let synced = store.wal.file.synced();
            let new = store.entries.iter().rev();
            let new = new.take_while(|one| one.bytes.end > synced);
            let batch = new.filter(|one| one.bytes.end <= sync.upto).count();
            let word = if batch == 1 { "sync.one" } else { "sync.now" };
            scene.say(word, &[count(batch), span])
        }
        (None, Sync::NoLog) => scene.say("sync.no-log", &[]),
        (None, Sync::Never) => scene.say("sync.never", &[count(store.knobs.flush)]),
        (None, Sync::EachSecond) => {
            let next = figures::tenths(store.next_second(at));
            scene.say("sync.each-second", &[next])
        }
        (None, Sync::Group) => scene.say("sync.group", &[span]),
        (None, Sync::EachWrite) => scene.say("sync.each-write", &[span]),
    };
    let mut pencil = scene.thing(SYNC, rect, said.clone());
    let arrow = rect.x + 18.0;
    let (x, y) = (text::tenths(arrow), text::tenths(rect.y + 3.0));
    let h = text::tenths(rect.h - 10.0);
    let ink = if store.syncing.is_some() {
        Ink::Accent
    } else {
        Ink::Mark
    };
    pencil.line(format!("M{x} {y}v{h}"), ink, 1.5);
    let tip = text::tenths(rect.y + rect.h - 1.0);
    pencil.area(format!("M{x} {tip}l-5 -8h10Z"), ink);
    if let Some(sync) = store.syncing {
        let y = rect.y + 1.0 + (rect.h - 4.0) * at.progress(sync.from, sync.to);
        let bar = Rect::new(rect.x, y, 36.0, 3.0);
        pencil.filled(bar, 1.5, Ink::Accent);
    }
    let ticks = store.knobs.sync == Sync::EachSecond && store.phase == Phase::Up;
    if ticks && rect.w > 400.0 {
        let share = 1.0 - store.next_second(at).as_s() as f32;
        let meter = Rect::new(rect.x + rect.w - 130.0, rect.y + 9.0, 120.0, 6.0);
        pencil.meter(meter, share, Ink::Accent, false);
    }
    let room = rect.w - if rect.w > 400.0 { 190.0 } else { 46.0 };
    let said = fitting(&[said], 12.0, true, room);
    let ink = if store.syncing.is_some() {
        Ink::Accent
    } else {
        Ink::Secondary
    };
    pencil.bold(pt(rect.x + 44.0, rect.y + 16.0), 12.0, ink, said);
}

fn disk(store: &Store, rect: Rect, at: Time, scene: &mut Scene) {
    let (synced, trusted) = (store.wal.file.synced(), store.wal.file.trusted());
    let on_disk =
        |one: &&Entry| one.bytes.end <= synced || (store.torn && one.bytes.start < synced);
    let all: Vec<&Entry> = store
        .entries
        .iter()
        .filter(on_disk)
        .chain(&store.tail)
        .collect();
    let base = all.iter().take_while(|one| one.kind == Kind::Base).count();
    let log = &all[base..];
    let holes: Vec<_> = store
        .wal
        .file
        .damage()
        .filter(|hole| hole.len() > 1)
        .collect();
    let read = match store.phase {
        Phase::Reads { read, .. } => Some(read),
        Phase::Cuts { .. } => Some(store.entries.len()),
        _ => None,
    };
    let restart = store.restart();
    let crash = store.crash.unwrap_or_default();
    let seconds = Arg::Tenths((restart.as_s() * 10.0 + 0.5) as u32);
    let shrunk = store.shrunk.filter(|(when, ..)| at.since(*when) < SHRUNK);
    let state = match (store.phase, store.rewriting) {
        (Phase::Cuts { .. }, _) => {
            let word = match crash.stop {
                Some(Stop::Torn) => "cut.torn",
                _ => "cut.bad",
            };
            (scene.say(word, &[count(crash.untrusted)]), Ink::Bad)
        }
        (Phase::Up, Some(_)) => (scene.say("rewrites", &[]), Ink::Accent),
        (Phase::Up, None) if shrunk.is_some() => {
            let (_, before, after) = shrunk.unwrap_or_default();
            let args = [count(before), count(after), seconds];
            (scene.say("shrunk", &args), Ink::Ok)
        }
        (Phase::Up, None) if !holes.is_empty() => (scene.say("hole", &[]), Ink::Bad),
        (Phase::Up, None) if store.rotten.is_some() => (scene.say("rotten", &[]), Ink::Bad),
        (Phase::Up, None) if trusted < synced => (scene.say("own-cache", &[]), Ink::Warn),
        _ => (
            scene.say("log", &[count(store.entries.len()), seconds]),
            Ink::Secondary,
        ),
    };
    let name = scene.name(DISK);
    let short = match state.1 {
        Ink::Ok => {
            let (_, before, after) = shrunk.unwrap_or_default();
            scene.say("shrunk.short", &[count(before), count(after)])
        }
        Ink::Secondary => scene.say("log.short", &[count(store.entries.len()), seconds]),
        _ => state.0.clone(),
    };
    let snapshot = [
        scene.say("snapshot", &[]),
        scene.say("base", &[count(base)]),
    ];
    let card_at = Rect::new(rect.x + 8.0, rect.y + TITLE + 9.0, BASE.0, BASE.1);
    let inner = Rect::new(
        card_at.x + BASE.0 + 8.0,
        card_at.y,
        rect.w - BASE.0 - 24.0,
        BASE.1 + 7.0,
    );
    // What is read, else the first that is not what was written, else the newest.
    let damaged = store.wal.file.damage().map(|bytes| bytes.start).min();
    let damaged = damaged.and_then(|at| log.iter().position(|one| one.bytes.end > at));
    let focus = read.map(|read| read.saturating_sub(base)).or(damaged);
    let tape = Tape::of(inner, 1, RECORD, log.len(), focus);
    let earlier = scene.say("earlier", &[count(tape.shown.start)]);
    let rotten = store.rotten;
    let cards: Vec<(usize, Card, String)> = tape
        .shown
        .clone()
        .map(|number| {
            let entry = log[number];
            let mut card = card(entry, trusted, scene);
            let past = base + number >= store.entries.len();
            let first = base + number == store.entries.len();
            let hole = |hole: &std::ops::Range<usize>| {
                hole.start < entry.bytes.end && entry.bytes.start < hole.end
            };
            card.look = if past && first && crash.stop == Some(Stop::Torn) && store.torn {
                Look::Torn
            } else if past && first || rotten == Some(entry.sequence) {
                Look::Bad
            } else if past {
                Look::Unread
            } else if store.torn && entry.bytes.end > synced {
                Look::Torn
            } else if holes.iter().any(hole) {
                Look::Missing
            } else {
                Look::Whole
            };
            (number, card, entry.sequence.to_string())
        })
        .collect();
    let bad = |look: Look| cards.iter().filter(|one| one.1.look == look).count() as f64;
    let spoken = format!("{}; {}, {}", state.0, snapshot[0], snapshot[1]);
    let mut pencil = scene.thing(DISK, rect, spoken);
    pencil
        .figure("records", store.entries.len() as f64)
        .figure("before", shrunk.map_or(0.0, |one| one.1 as f64))
        .figure("restart", restart.as_s())
        .figure("torn", bad(Look::Torn))
        .figure("bad", bad(Look::Bad))
        .figure("unread", bad(Look::Unread).min(store.tail.len() as f64))
        .figure("missing", bad(Look::Missing));
    shelf(
        &mut pencil,
        rect,
        &name,
        (&[state.0, short], state.1),
        false,
    );
    let border = if store.rewriting.is_some() {
        Ink::Accent
    } else {
        Ink::Hit
    };
    pencil.bordered(card_at, 4.0, Ink::HitSoft, border, 1.5);
    for (line, said) in snapshot.into_iter().enumerate() {
        let said = fitting(&[said], 11.0, false, BASE.0 - 6.0);
        let y = card_at.y + 14.0 + 14.0 * line as f32;
        pencil.centred(pt(card_at.centre().x, y), 11.0, false, Ink::Ink, said);
    }
    for (number, card, sequence) in &cards {
        tape.card(&mut pencil, *number, card);
        let place = tape.at(*number);
        let below = pt(place.x + place.w / 2.0, place.y + place.h + 16.0);
        pencil.centred(below, 11.0, false, Ink::Secondary, sequence.as_str());
    }
    let below = pt(card_at.x, card_at.y + BASE.1 + 16.0);
    if tape.shown.start > 0 {
        pencil.text(below, 11.0, Ink::Secondary, earlier);
    }
    // What lies on the disk and would not come back.
    let risky = log
        .iter()
        .position(|one| one.answered && one.bytes.end > trusted);
    if let (Some(first), Phase::Up) = (risky, store.phase) {
        tape.bracket(&mut pencil, first..log.len(), Ink::Bad);
    }
    if let Some(rewriting) = store.rewriting {
        let share = at.progress(rewriting.since, rewriting.since + WRITES);
        let meter = Rect::new(card_at.x, card_at.y - 7.0, BASE.0, 4.0);
        pencil.meter(meter, share, Ink::Accent, false);
    }
    match read {
        Some(read) if read < base => {
            let share = read as f32 / base as f32;
            let meter = Rect::new(card_at.x, card_at.y - 7.0, BASE.0, 4.0);
            pencil.meter(meter, share, Ink::Accent, false);
        }
        Some(read) => tape.head(&mut pencil, read - base),
        None => {}
    }
}

fn promises(store: &Store, rect: Rect, scene: &mut Scene) {
    let risk = store.risk;
    let safe = store.answered - store.lost - risk.min(store.answered - store.lost);
    let rows = [
        ("promised", store.answered, Ink::Ink),
        ("on-disk", safe, Ink::Ok),
        (
            if store.plugged.is_some() {
                "not-yet"
            } else {
                "not-on-disk"
            },
            risk,
            if risk > 0 { Ink::Warn } else { Ink::Secondary },
        ),
        (
            "lost",
            store.lost,
            if store.lost > 0 {
                Ink::Bad
            } else {
                Ink::Secondary
            },
        ),
        ("back", store.came_back, Ink::Secondary),
    ];
    let name = scene.name(PROMISES);
    let labels = rows.map(|(word, ..)| scene.say(word, &[]));
    let spoken: Vec<String> = labels
        .iter()
        .zip(&rows)
        .map(|(label, row)| format!("{label}: {}", row.1))
        .collect();
    let mut pencil = scene.thing(PROMISES, rect, spoken.join(", "));
    let crash = store.crash.unwrap_or_default();
    pencil
        .figure("answered", f64::from(store.answered))
        .figure("safe", f64::from(safe))
        .figure("risk", f64::from(risk))
        .figure("lost", f64::from(store.lost))
        .figure("lost-now", f64::from(crash.lost))
        .figure("back", f64::from(store.came_back));
    figures::panel(&mut pencil, rect, name);
    let pitch = ((rect.h - 26.0) / rows.len() as f32).min(30.0);
    for (place, (label, (_, n, ink))) in labels.into_iter().zip(rows).enumerate() {
        let y = rect.y + 24.0 + pitch * (place as f32 + 0.6);
        let number = n.to_string();
        let room = rect.w - 30.0 - text::width(&number, 14.0, true);
        let label = fitting(&[label], 12.0, false, room);
        pencil.text(pt(rect.x + 10.0, y), 12.0, Ink::Secondary, label);
        let right = pt(rect.x + rect.w - 10.0, y);
        ending(&mut pencil, right, 14.0, true, ink, number);
    }
}
