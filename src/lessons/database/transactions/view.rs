//! The stage: the script, the balance, memory and disk of each database, and the strip of places where the power can fail.

use super::model::{BEAM, Bank, COORDINATOR, SCRIPT, STRIP, disk, memory, place};
use super::program::{Line, PAGES, page_of};
use super::settings::{Design, Mail, Program, Settings};
use super::world::{At, LINK, Told};
use algorithms::aries::{Engine, Key, Page, Record, Restart, Row, What};
use algorithms::constraints::Statement;
use algorithms::two_phase_commit::Say;
use engine::scene::{Pencil, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::label::{ending, fitting};
use kit::figures::tape::{Card, Look, Tape};
use kit::figures::{DOT, panel};
use kit::layout::{Course, Placed, Size, Slot, Span, Way, lay, part, space};

const GRID: PartId = PartId::one("grid");
/// Least width of a card on the tape.
const RECORD: f32 = 66.0;
const BEAM_H: f32 = 78.0;
const COORDINATOR_H: f32 = 50.0;
/// Room for messages.
const WAY: f32 = 26.0;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

pub(super) fn draw(bank: &Bank, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let two = bank.world.banks.len() == 2;
    let agree = knobs.design == Design::TwoPhase;
    let rest = || Span::rest(100.0, 1.0);
    let memories = |h: Span| match two {
        true => Slot::Row(vec![
            part(memory(0), rest(), h),
            space(8.0),
            part(memory(1), rest(), h),
        ]),
        false => part(memory(0), rest(), h),
    };
    let wide = Span::rest(100.0, if two { 2.0 } else { 1.0 });
    let disks = |h: Span| match two {
        true => vec![part(disk(0), wide, h), space(8.0), part(disk(1), wide, h)],
        false => vec![part(disk(0), wide, h)],
    };
    let upper = if agree {
        COORDINATOR_H + WAY + 8.0
    } else {
        0.0
    } + BEAM_H
        + 8.0;
    let mut middle = vec![part(BEAM, rest(), BEAM_H), space(8.0)];
    if agree {
        middle.extend([part(COORDINATOR, rest(), COORDINATOR_H), space(WAY)]);
    }
    let (least, best) = if agree { (96.0, 130.0) } else { (112.0, 150.0) };
    let strip = [
        part(STRIP, rest(), 22.0),
        space(2.0),
        Slot::Grid {
            of: GRID,
            n: bank.strip.len(),
            cell: Size {
                w: Span::rest(if narrow { 18.0 } else { 16.0 }, 1.0),
                h: 22.0.into(),
            },
            gap: (2.0, 2.0),
            columns: (1, bank.strip.len().clamp(18, 48) as u16),
        },
    ];
    let mut all = if narrow {
        middle.push(memories((106.0, 112.0).into()));
        let lines = bank.world.script.len().min(9) as f32;
        let mut all = middle;
        all.extend([
            space(8.0),
            part(SCRIPT, rest(), 60.0 + 18.0 * lines),
            space(8.0),
        ]);
        all.extend(disks(if two {
            (88.0, 96.0).into()
        } else {
            (124.0, 160.0).into()
        }));
        all
    } else {
        middle.push(memories((least, best).into()));
        let whole = (upper + least, upper + best);
        let half = (whole.0 / 2.0 - 4.0, whole.1 / 2.0 - 4.0);
        vec![Slot::Row(vec![
            part(SCRIPT, (150.0, 168.0), whole),
            space(10.0),
            Slot::Column(middle),
            space(10.0),
            Slot::Column(disks(if two { half.into() } else { whole.into() })),
        ])]
    };
    all.push(space(8.0));
    all.extend(strip);
    let placed = lay(scene, &Slot::Column(all));
    script(bank, knobs, placed.of(SCRIPT), scene);
    beam(bank, knobs, placed.of(BEAM), scene);
    if agree {
        coordinator(bank, placed.of(COORDINATOR), at, scene);
    }
    for number in 0..bank.world.banks.len() {
        in_memory(bank, knobs, number, placed.of(memory(number)), scene);
        on_disk(bank, knobs, number, placed.of(disk(number)), scene);
    }
    places(bank, &placed, scene);
    if agree {
        words(bank, &placed, at, scene);
    }
}

/// The pages that are shown of a program.
fn pages(knobs: &Settings) -> Vec<usize> {
    let count = match knobs.program {
        Program::Transfer if knobs.savepoint => 4,
        Program::Transfer => 3,
        Program::Post => 2,
        Program::Close => 4,
    };
    let mut pages: Vec<usize> = (0..count).collect();
    if knobs.mail == Mail::Outbox {
        pages.push(PAGES - 1);
    }
    pages
}

/// A row of a page.
fn key(knobs: &Settings, page: usize) -> Key {
    match knobs.program {
        Program::Transfer if page < PAGES - 1 => (0, page as u8),
        _ => (page as u8, 0),
    }
}

/// What a page is called.
fn name(program: Program, page: usize) -> &'static str {
    match (program, page) {
        (Program::Transfer, 0) => "row.a",
        (Program::Transfer, 1) => "row.b",
        (Program::Transfer, 2) => "row.fees",
        (Program::Transfer, 3) => "row.c",
        (Program::Post, 1) => "row.posts",
        (Program::Close, 1) => "row.customers",
        (Program::Close, 2) => "row.accounts",
        (Program::Close, 3) => "row.cards",
        (_, 0) => "row.count",
        _ => "row.outbox",
    }
}

/// The number that stands for a page: a balance, a count, or how many rows there are.
fn number(program: Program, page: usize, rows: &Page) -> i64 {
    match program == Program::Transfer && page < PAGES - 1 || page == 0 {
        true => rows.rows.first().map_or(0, |(_, row)| row.value),
        false => rows.rows.len() as i64,
    }
}

/// A line of the script as text.
fn line(scene: &Scene, program: Program, line: Line) -> String {
    let statement = |statement: Statement, instead: bool| match statement {
        Statement::Add((_, page), by) => {
            let row = scene.say(name(program, usize::from(page)), &[]);
            let sign = if by < 0 { "\u{2212}" } else { "+" };
            let or = if instead {
                scene.say("or", &[])
            } else {
                String::new()
            };
            format!("{or} {row} {sign} {}", by.unsigned_abs())
                .trim_start()
                .to_owned()
        }
        Statement::Insert((4, _), _) => scene.say("sql.outbox", &[]),
        Statement::Insert((_, id), _) => scene.say("sql.insert", &[count(id + 1)]),
        Statement::Delete((_, id)) => scene.say("sql.delete", &[count(id + 1)]),
    };
    match line {
        Line::Begin => scene.say("sql.begin", &[]),
        Line::Run(one) => statement(one, false),
        Line::Instead(one) => statement(one, true),
        Line::Savepoint => scene.say("sql.savepoint", &[]),
        Line::FallBack => scene.say("sql.fall-back", &[]),
        Line::Commit(_) => scene.say("sql.commit", &[]),
        Line::Agree => scene.say("sql.agree", &[]),
        Line::Mail => scene.say("sql.mail", &[]),
        Line::Send => scene.say("sql.send", &[]),
        Line::Rollback => scene.say("sql.rollback", &[]),
    }
}

/// What the client was answered last.
fn reply(bank: &Bank) -> (&'static str, Ink) {
    let world = &bank.world;
    let all = world.banks.len();
    let commits = |line: &Line| match line {
        Line::Commit(bank) => bank + 1 == all,
        line => *line == Line::Agree,
    };
    let last = world
        .told
        .iter()
        .zip(&world.script)
        .rfind(|(told, _)| **told != Told::Open);
    match last {
        None => ("reply.none", Ink::Secondary),
        Some((Told::Done, line)) if commits(line) => ("reply.committed", Ink::Ok),
        Some((Told::Done | Told::Skipped | Told::Open, _)) => ("reply.ok", Ink::Ok),
        Some((Told::Broken(_), _)) => ("reply.error", Ink::Bad),
        Some((Told::Ignored, _)) => ("reply.ignored", Ink::Warn),
        Some((Told::RolledBack, _)) => ("reply.rolled-back", Ink::Warn),
        Some((Told::Nobody, _)) => ("reply.nobody", Ink::Bad),
    }
}

/// The script, line by line, and what the client was answered.
fn script(bank: &Bank, knobs: &Settings, r: Rect, scene: &mut Scene) {
    let world = &bank.world;
    let cut = world.crashed && world.coordinator_up;
    let (word, ink) = match reply(bank) {
        (word, ink) if !cut || word == "reply.committed" => (word, ink),
        _ => ("reply.cut", Ink::Bad),
    };
    let answer = scene.say(word, &[]);
    let lines: Vec<String> = world
        .script
        .iter()
        .map(|one| line(scene, knobs.program, *one))
        .collect();
    let title = scene.name(SCRIPT);
    let failed = world
        .told
        .iter()
        .filter(|told| matches!(told, Told::Broken(_)))
        .count();
    let at = world.at.min(lines.len().saturating_sub(1));
    let says = format!("{}. {answer}", lines.get(at).map_or("", |line| line));
    let mut pencil = scene.thing(SCRIPT, r, says);
    pencil
        .figure("line", world.at as f64)
        .figure("failed", failed as f64)
        .figure("answered", f64::from(world.answered));
    panel(&mut pencil, r, title);
    let room = (((r.h - 56.0) / 18.0) as usize).max(1);
    // A long script is seen around the line that it is at.
    let first = at
        .saturating_sub(room * 2 / 3)
        .min(lines.len().saturating_sub(room));
    for (row, number) in (first..lines.len().min(first + room)).enumerate() {
        let y = r.y + 30.0 + 18.0 * row as f32;
        let told = world.told[number];
        if number == world.at && bank.running() && !world.crashed {
            pencil.filled(
                Rect::new(r.x + 5.0, y, r.w - 10.0, 18.0),
                4.0,
                Ink::AccentSoft,
            );
        }
        // Where the power failed.
        if cut && number == world.at {
            let below = if told == Told::Open { y } else { y + 18.0 };
            let (x, y) = (tenths(r.x + 6.0), tenths(below));
            pencil.dashed_line(format!("M{x} {y}h{}", tenths(r.w - 12.0)), Ink::Bad, 2.0);
        }
        // What COMMIT, ROLLBACK or a restart took back.
        let later = world.told[number..].iter().zip(&world.script[number..]);
        let undone = later
            .take_while(|(_, line)| **line != Line::Begin || **line == world.script[number])
            .any(|(told, _)| *told == Told::RolledBack)
            || cut && bank.judged().is_some_and(|one| one.done == Some(0));
        let ink = match told {
            Told::Open | Told::Skipped | Told::Ignored => Ink::Secondary,
            _ => Ink::Ink,
        };
        let mark = pt(r.x + 15.0, y + 9.0);
        match told {
            Told::Done => pencil.mark(Glyph::Response, mark, 4.0, Ink::Ok),
            Told::Broken(_) | Told::Nobody => pencil.mark(Glyph::Failure, mark, 5.0, Ink::Bad),
            Told::RolledBack => pencil.mark(Glyph::Response, mark, 4.0, Ink::Warn),
            _ => &mut pencil,
        };
        let text = fitting(&[lines[number].clone()], 13.0, false, r.w - 36.0);
        let w = text::width(&text, 13.0, false);
        pencil.text(pt(r.x + 26.0, y + 13.5), 13.0, ink, text);
        if undone && told == Told::Done || told == Told::Ignored {
            let (x, y) = (tenths(r.x + 25.0), tenths(y + 9.5));
            pencil.line(format!("M{x} {y}h{}", tenths(w + 2.0)), Ink::Warn, 1.5);
        }
    }
    let y = r.y + r.h - 10.0;
    let answer = fitting(&[answer], 12.0, true, r.w - 34.0);
    let glyph = if ink == Ink::Bad {
        Glyph::Failure
    } else {
        Glyph::Response
    };
    pencil.mark(glyph, pt(r.x + 15.0, y - 4.0), 4.5, ink);
    pencil.bold(pt(r.x + 26.0, y), 12.0, ink, answer);
}

/// The balance: what is there, and what ought to be.
fn beam(bank: &Bank, knobs: &Settings, r: Rect, scene: &mut Scene) {
    let world = &bank.world;
    let (there, ought) = world.balance();
    let down = world.dark || !world.up();
    let word = match knobs.program {
        Program::Transfer => "sum",
        Program::Post => "sum.posts",
        Program::Close => "sum.customers",
    };
    let title = scene.say(word, &[count(there), count(ought)]);
    let dark = scene.say(if world.dark { "dark" } else { "restarts" }, &[]);
    let even = there == ought;
    let mut pencil = scene.thing(BEAM, r, if down { dark.clone() } else { title.clone() });
    pencil
        .figure("there", there as f64)
        .figure("ought", ought as f64)
        .figure("down", f64::from(u8::from(down)));
    let (ink, ground) = match (down, even) {
        (true, _) => (Ink::Secondary, Ink::Card),
        (_, true) => (Ink::Ok, Ink::Card),
        _ => (Ink::Bad, Ink::BadSoft),
    };
    pencil.bordered(
        r,
        8.0,
        ground,
        if even || down {
            Ink::LineStrong
        } else {
            Ink::Bad
        },
        1.5,
    );
    let text = if down { dark } else { title };
    let text = fitting(&[text], 13.0, true, r.w - 20.0);
    pencil.bold(
        pt(r.x + 10.0, r.y + 19.0),
        13.0,
        if even { Ink::Ink } else { ink },
        text,
    );
    // It tilts to the heavier side, as far as there is room.
    let off = if down { 0 } else { ought - there };
    let tilt = (off as f32 * 2.6).clamp(-13.0, 13.0);
    let (cx, cy) = (r.x + r.w / 2.0, r.y + 46.0);
    let half = (r.w / 2.0 - 34.0).min(150.0);
    let (x, y) = (tenths, tenths);
    pencil.area(
        format!("M{} {}l9 18h-18Z", x(cx), y(cy + 1.0)),
        Ink::LineStrong,
    );
    let (left, right) = (pt(cx - half, cy - tilt), pt(cx + half, cy + tilt));
    pencil.line(
        format!("M{} {}L{} {}", x(left.x), y(left.y), x(right.x), y(right.y)),
        ink,
        4.0,
    );
    if !down {
        for (end, value) in [(left, there), (right, ought)] {
            let pan = Rect::new(end.x - 17.0, end.y - 10.0, 34.0, 20.0);
            pencil.bordered(pan, 10.0, Ink::Card, ink, 1.5);
            pencil.centred(
                pt(end.x, end.y + 4.5),
                13.0,
                true,
                Ink::Ink,
                value.to_string(),
            );
        }
    }
}

/// A card for a page: its name, its number, whether it is locked, and whether the disk lacks it.
fn in_memory(bank: &Bank, knobs: &Settings, at: usize, r: Rect, scene: &mut Scene) {
    let world = &bank.world;
    let engine = &world.banks[at];
    let down = !engine.is_up();
    let doubt = world.in_doubt(at);
    let shown: Vec<usize> = pages(knobs)
        .into_iter()
        .filter(|page| world.bank_of(key(knobs, *page)) == at)
        .collect();
    let title = heading(scene, "memory", at, world.banks.len());
    let status = match (world.dark, down, doubt) {
        (true, ..) => scene.say("dark", &[]),
        (_, true, _) => scene.say("restarts", &[]),
        (_, _, true) => scene.say("doubt", &[]),
        _ => String::new(),
    };
    let names: Vec<String> = shown
        .iter()
        .map(|page| scene.say(name(knobs.program, *page), &[]))
        .collect();
    let (was, unsaved) = (
        |n: i64| scene.say("was", &[count(n)]),
        scene.say("unsaved", &[]),
    );
    let numbers: Vec<(i64, i64)> = shown
        .iter()
        .map(|page| {
            let now = number(knobs.program, *page, &engine.memory[*page]);
            (now, seen(knobs, engine, *page))
        })
        .collect();
    let befores: Vec<String> = numbers.iter().map(|(_, before)| was(*before)).collect();
    let closed = scene.say("closed", &[]);
    let mut says = format!("{title}: {status}");
    for (name, (now, _)) in names.iter().zip(&numbers) {
        says.push_str(&format!(" {name} {now}"));
    }
    let mut pencil = scene.thing(memory(at), r, says);
    const FIGURES: [&str; PAGES] = ["p0", "p1", "p2", "p3", "p4"];
    for (page, (now, _)) in shown.iter().zip(&numbers) {
        pencil.figure(FIGURES[*page], *now as f64);
    }
    pencil.figure("doubt", f64::from(u8::from(doubt)));
    panel(&mut pencil, r, title);
    if !status.is_empty() {
        let ink = if doubt { Ink::Warn } else { Ink::Secondary };
        ending(
            &mut pencil,
            pt(r.x + r.w - 10.0, r.y + 17.0),
            12.0,
            true,
            ink,
            status,
        );
    }
    let n = shown.len().max(1) as f32;
    let w = ((r.w - 16.0 + 6.0) / n - 6.0).min(110.0);
    let any = shown.iter().any(|page| engine.is_dirty(*page)) && !world.dark;
    for (place, page) in shown.iter().enumerate() {
        let card = Rect::new(
            r.x + 8.0 + (w + 6.0) * place as f32,
            r.y + 26.0,
            w,
            r.h - 48.0,
        );
        let rows = engine.memory[*page].rows.iter();
        let locked = rows.clone().any(|(key, _)| engine.is_locked(*key))
            || numbers[place].0 != numbers[place].1;
        if world.dark {
            pencil.bordered(card, 6.0, Ink::BadHatch, Ink::LineStrong, 1.0);
            continue;
        }
        match (doubt && locked, locked) {
            (true, _) => pencil.dashed(card, 6.0, Ink::WarnSoft, Ink::Warn, 2.0),
            (_, true) => pencil.bordered(card, 6.0, Ink::AccentSoft, Ink::Accent, 2.0),
            _ => pencil.bordered(card, 6.0, Ink::Card, Ink::LineStrong, 1.0),
        };
        let middle = card.x + w / 2.0;
        let label = fitting(&[names[place].clone()], 11.0, false, w - 6.0);
        pencil.centred(
            pt(middle, card.y + 15.0),
            11.0,
            false,
            Ink::Secondary,
            label,
        );
        let text = numbers[place].0.to_string();
        let fits = |size: &f32| card.h > 2.3 * size && text::width(&text, *size, true) < w - 8.0;
        let big = [34.0, 20.0].into_iter().find(fits).unwrap_or(14.0);
        let y = card.y + 18.0 + big;
        pencil.centred(
            pt(middle, y),
            big,
            true,
            Ink::Ink,
            numbers[place].0.to_string(),
        );
        let below = pt(middle, (y + 16.0).min(card.y + card.h - 5.0));
        if locked {
            padlock(&mut pencil, card.x + w - 10.0, card.y + card.h - 11.0);
        }
        let is_closed = rows.clone().any(|(_, row)| row.closed);
        if is_closed || locked {
            let text = if is_closed {
                closed.clone()
            } else {
                befores[place].clone()
            };
            // Beside the padlock, if there is one.
            let room = if locked { w - 36.0 } else { w - 4.0 };
            if text::width(&text, 11.0, false) < room {
                pencil.centred(below, 11.0, false, Ink::Secondary, text);
            }
        }
        if engine.is_dirty(*page) {
            let (x, y) = (tenths(card.x + w), tenths(card.y));
            pencil.area(format!("M{x} {y}v12l-12 -12Z"), Ink::Warn);
        }
    }
    if any {
        let y = r.y + r.h - 8.0;
        let (x, top) = (tenths(r.x + 19.0), tenths(y - 9.0));
        pencil.area(format!("M{x} {top}v10l-10 -10Z"), Ink::Warn);
        let text = fitting(&[unsaved], 11.0, false, r.w - 32.0);
        pencil.text(pt(r.x + 24.0, y), 11.0, Ink::Secondary, text);
    }
}

fn padlock(pencil: &mut Pencil<'_>, x: f32, y: f32) {
    pencil.filled(Rect::new(x - 4.0, y, 8.0, 6.0), 1.0, Ink::Accent);
    pencil.line(
        format!("M{} {}v-2a2.5 2.5 0 0 1 5 0v2", tenths(x - 2.5), tenths(y)),
        Ink::Accent,
        1.5,
    );
}

/// A page's number as others may see it.
fn seen(knobs: &Settings, engine: &Engine, page: usize) -> i64 {
    let first = key(knobs, page);
    if knobs.program == Program::Transfer && page < PAGES - 1 || page == 0 {
        return engine.seen(first).map_or(0, |row| row.value);
    }
    (0..16_u8)
        .filter(|id| engine.seen((first.0, *id)).is_some())
        .count() as i64
}

fn heading(scene: &Scene, kind: &str, at: usize, banks: usize) -> String {
    let word = match (kind, banks) {
        ("memory", 1) => "memory",
        ("memory", _) => "memory.of",
        (_, 1) => "disk",
        _ => "disk.of",
    };
    scene.say(word, &[count(at as i64 + 1)])
}

/// What a log record says, as short as can be.
fn record(scene: &Scene, program: Program, record: &Record) -> String {
    let page = |key: Key| scene.say(name(program, page_of(key)), &[]);
    let one = |row: Option<Row>| row.map_or(String::new(), |row| row.value.to_string());
    let (tx, undo) = (record.tx, scene.say("log.undo", &[]));
    match record.what {
        What::Change { key, before, after } if before.is_some() && after.is_some() => {
            format!("T{tx} {} {}\u{2192}{}", page(key), one(before), one(after))
        }
        What::Change { key, after, .. } => {
            let sign = if after.is_some() { "+" } else { "\u{2212}" };
            format!("T{tx} {sign}{} {}", page(key), key.1 + 1)
        }
        What::Undo { key, after, .. } if key.0 == 0 => {
            format!("T{tx} {undo} {} {}", page(key), one(after))
        }
        What::Undo { key, .. } => format!("T{tx} {undo} {} {}", page(key), key.1 + 1),
        What::Prepare => format!("T{tx} {}", scene.say("log.ready", &[])),
        What::Commit => format!("T{tx} {}", scene.say("log.commit", &[])),
        What::Abort => format!("T{tx} {}", scene.say("log.abort", &[])),
    }
}

/// The log as a tape, and below it the pages as they are on disk.
fn on_disk(bank: &Bank, knobs: &Settings, at: usize, r: Rect, scene: &mut Scene) {
    let world = &bank.world;
    let engine = &world.banks[at];
    let reader = world.reader[at];
    let title = heading(scene, "disk", at, world.banks.len());
    let shown: Vec<usize> = pages(knobs)
        .into_iter()
        .filter(|page| world.bank_of(key(knobs, *page)) == at)
        .collect();
    let pages: Vec<(String, i64)> = shown
        .iter()
        .map(|page| {
            (
                scene.say(name(knobs.program, *page), &[]),
                number(knobs.program, *page, &engine.disk[*page]),
            )
        })
        .collect();
    let (focus, doing) = match reader {
        None => (None, String::new()),
        Some(Restart::Analysed(_)) => (Some(0), scene.say("reader.reads", &[])),
        Some(Restart::Redone(lsn, true)) => (Some(lsn), scene.say("reader.repeats", &[])),
        Some(Restart::Redone(lsn, false)) => (Some(lsn), scene.say("reader.skips", &[])),
        Some(Restart::Undone(lsn)) => (Some(lsn - 1), scene.say("reader.undoes", &[])),
        Some(Restart::Ended(_)) => (Some(engine.log.len()), scene.say("reader.undoes", &[])),
    };
    let (redone, undone) = (world.redone[at], world.undone[at]);
    let (did, short) = match world.crashed && engine.is_up() && redone + undone > 0 {
        true => {
            let both = [count(redone), count(undone)];
            (scene.say("did", &both), scene.say("did.short", &both))
        }
        false => (doing, String::new()),
    };
    let empty = scene.say("log.empty", &[]);
    let on_pages = ["pages", "pages.short"].map(|word| scene.say(word, &[]));
    let records: Vec<String> = engine
        .log
        .iter()
        .map(|one| record(scene, knobs.program, one))
        .collect();
    let mut says = format!(
        "{title}: {did} {}",
        scene.say("spoken.log", &[count(engine.flushed as i64)])
    );
    for (name, value) in &pages {
        says.push_str(&format!(" {name} {value}"));
    }
    let mut pencil = scene.thing(disk(at), r, says);
    pencil
        .figure("records", engine.flushed as f64)
        .figure("redone", f64::from(redone))
        .figure("undone", f64::from(undone))
        .figure("d0", pages.first().map_or(0.0, |(_, value)| *value as f64));
    panel(&mut pencil, r, title.as_str());
    let undoes = matches!(reader, Some(Restart::Undone(_) | Restart::Ended(_)));
    if !did.is_empty() {
        let ink = if undoes { Ink::Warn } else { Ink::Accent };
        let room = r.w - 36.0 - text::width(&title, 13.0, true);
        let did = fitting(&[did, short], 12.0, true, room);
        ending(
            &mut pencil,
            pt(r.x + r.w - 10.0, r.y + 17.0),
            12.0,
            true,
            ink,
            did,
        );
    }
    // The pages at the foot, the tape above.
    let low = r.h < 140.0;
    let foot = if low { 26.0 } else { 64.0 };
    let area = Rect::new(r.x + 10.0, r.y + 34.0, r.w - 20.0, r.h - 40.0 - foot);
    let rows = ((area.h / 28.0) as usize).clamp(1, 5);
    let area = Rect {
        h: rows as f32 * (area.h / rows as f32).min(32.0),
        ..area
    };
    // As wide as the longest record asks for.
    let widths = records
        .iter()
        .map(|one| text::width(one, 11.0, false) + 8.0);
    let width = widths.fold(RECORD, f32::max).min(area.w);
    let tape = Tape::of(area, rows, width, records.len(), focus);
    if records.is_empty() {
        let empty = fitting(&[empty], 12.0, false, area.w);
        pencil.text(pt(area.x, area.y + 14.0), 12.0, Ink::Secondary, empty);
    }
    for number in tape.shown.clone() {
        let (ground, border) = match engine.log[number].what {
            What::Commit => (Ink::Ok, Ink::Ok),
            What::Undo { .. } | What::Abort => (Ink::WarnSoft, Ink::Warn),
            What::Prepare => (Ink::AccentSoft, Ink::Accent),
            What::Change { .. } => (Ink::Card, Ink::LineStrong),
        };
        let border = match reader {
            Some(Restart::Redone(lsn, true)) if lsn == number + 1 => Ink::Accent,
            Some(Restart::Undone(lsn)) if lsn == number + 1 => Ink::Warn,
            _ => border,
        };
        let safe = number < engine.flushed;
        let card = Card {
            text: records[number].clone(),
            ground: if ground == Ink::Ok {
                Ink::OkSoft
            } else {
                ground
            },
            border,
            look: if safe { Look::Whole } else { Look::Unread },
        };
        tape.card(&mut pencil, number, &card);
    }
    if let Some(head) = focus.filter(|_| !records.is_empty()) {
        tape.head(&mut pencil, head.min(records.len() - 1));
    }
    let (h, bottom) = (if low { 22.0 } else { 38.0 }, r.y + r.h - 8.0);
    if !low {
        let on_pages = fitting(&on_pages, 11.0, false, r.w - 20.0);
        pencil.text(
            pt(r.x + 10.0, bottom - h - 6.0),
            11.0,
            Ink::Secondary,
            on_pages,
        );
    }
    let w = ((r.w - 20.0 + 6.0) / pages.len().max(1) as f32 - 6.0).min(110.0);
    for (place, (name, value)) in pages.iter().enumerate() {
        let x = r.x + 10.0 + (w + 6.0) * place as f32;
        let cell = Rect::new(x, bottom - h, w, h);
        pencil.bordered(cell, 3.0, Ink::HitSoft, Ink::Hit, 1.0);
        let (middle, value) = (x + w / 2.0, value.to_string());
        if low {
            let both = [format!("{name} {value}"), value];
            let text = fitting(&both, 12.0, false, w - 6.0);
            pencil.centred(pt(middle, bottom - 6.5), 12.0, false, Ink::Ink, text);
        } else {
            let name = fitting(std::slice::from_ref(name), 11.0, false, w - 4.0);
            pencil.centred(pt(middle, cell.y + 13.0), 11.0, false, Ink::Secondary, name);
            pencil.centred(pt(middle, cell.y + 31.0), 16.0, true, Ink::Ink, value);
        }
    }
}

/// Who asks both banks, the votes, and what was decided.
fn coordinator(bank: &Bank, r: Rect, at: Time, scene: &mut Scene) {
    let world = &bank.world;
    let one = world.coordinator.as_ref();
    let decided = one.and_then(|one| one.decided);
    let votes = one.map_or(0, |one| one.votes.iter().flatten().count());
    let waits = world
        .doubt_since
        .map_or(0, |since| bank.world_at(at).since(since).0);
    let doubt = scene.say("doubt.for", &[Arg::Tenths((waits / 100_000) as u32)]);
    let (word, ink) = match (world.coordinator_up, one.is_some(), decided) {
        (false, ..) => ("agree.dead", Ink::Bad),
        (_, false, _) => ("agree.idle", Ink::Secondary),
        (_, _, Some(true)) => ("agree.commit", Ink::Ok),
        (_, _, Some(false)) => ("agree.abort", Ink::Warn),
        _ => ("agree.asks", Ink::Accent),
    };
    let status = scene.say(word, &[count(votes as i64)]);
    let costs = scene.say("agree.costs", &[count(world.messages), count(world.forced)]);
    let title = scene.name(COORDINATOR);
    let mut pencil = scene.thing(COORDINATOR, r, format!("{status}. {costs}"));
    pencil
        .figure("doubt", waits as f64 / 1e6)
        .figure("messages", f64::from(world.messages))
        .figure("forced", f64::from(world.forced))
        .figure("up", f64::from(u8::from(world.coordinator_up)));
    if world.coordinator_up {
        pencil.bordered(r, 8.0, Ink::Card, Ink::LineStrong, 1.0);
    } else {
        pencil.bordered(r, 8.0, Ink::Card, Ink::Bad, 2.0);
    }
    let title = fitting(&[title], 13.0, true, r.w * 0.5);
    pencil.bold(pt(r.x + 10.0, r.y + 19.0), 13.0, Ink::Ink, title);
    let below = if world.doubt_since.is_some() {
        doubt
    } else {
        costs
    };
    let ink_below = if world.doubt_since.is_some() {
        Ink::Warn
    } else {
        Ink::Secondary
    };
    let below = fitting(&[below], 12.0, false, r.w - 20.0);
    pencil.text(pt(r.x + 10.0, r.y + 38.0), 12.0, ink_below, below);
    let status = fitting(&[status], 12.0, true, r.w * 0.5 - 14.0);
    ending(
        &mut pencil,
        pt(r.x + r.w - 10.0, r.y + 19.0),
        12.0,
        true,
        ink,
        status,
    );
}

/// Messages between the coordinator and the banks.
fn words(bank: &Bank, placed: &Placed, at: Time, scene: &mut Scene) {
    let world = &bank.world;
    let top = placed.of(COORDINATOR);
    for number in 0..world.banks.len() {
        let below = placed.of(memory(number));
        let x = below.x + below.w / 2.0;
        let way = Way::straight(pt(x, top.y + top.h), pt(x, below.y));
        let cut = world.cut && number == 1;
        let mut pencil = scene.background();
        if cut {
            pencil.dashed_line(way.d(), Ink::Bad, 1.5);
            let middle = way.at(0.5, Course::There);
            pencil.mark(Glyph::Failure, middle, 6.0, Ink::Bad);
        } else {
            pencil.line(way.d(), Ink::Mark, 1.5);
        }
        for word in world.words().filter(|word| word.bank == number) {
            let gone = bank.world_at(at).since(word.sent);
            let share = (gone.0 as f32 / LINK.0 as f32).clamp(0.0, 1.0);
            let (course, lane) = if word.down {
                (Course::There, -7.0)
            } else {
                (Course::Back, 7.0)
            };
            let p = way.at(if word.down { share } else { 1.0 - share }, course);
            let (glyph, ink) = match word.say {
                Say::Vote(true) => (Glyph::Request, Ink::Ok),
                Say::Vote(false) => (Glyph::Failure, Ink::Bad),
                _ => (Glyph::Message, Ink::Accent),
            };
            scene.particle(pt(p.x + lane, p.y), DOT, glyph, ink, word.number);
        }
    }
}

/// Each place where the power can fail, and what is left.
fn places(bank: &Bank, placed: &Placed, scene: &mut Scene) {
    let r = placed.of(STRIP);
    let (torn, tried) = bank.torn();
    let head = match tried {
        0 => scene.say("strip.untried", &[count(bank.strip.len() as i64)]),
        _ => scene.say("strip.tried", &[count(torn as i64), count(tried as i64)]),
    };
    // What the squares mean; the last only where there is one.
    let doubts = bank.strip.iter().flatten().any(|one| one.doubt);
    let keys = [
        ("strip.before", Some(0), false),
        ("strip.after", Some(1), false),
        ("strip.torn", None, false),
        ("strip.doubt", Some(0), true),
    ];
    let keys = &keys[..if doubts { 4 } else { 3 }];
    let texts: Vec<String> = keys.iter().map(|key| scene.say(key.0, &[])).collect();
    let mut pencil = scene.thing(STRIP, r, head.clone());
    pencil
        .figure("torn", torn as f64)
        .figure("tried", tried as f64);
    let ink = match (tried, torn) {
        (0, _) => Ink::Secondary,
        (_, 0) => Ink::Ok,
        _ => Ink::Bad,
    };
    let widths = texts.iter().map(|key| text::width(key, 11.0, false) + 26.0);
    let widths: f32 = widths.sum();
    let legend = text::width(&head, 13.0, true) + widths + 10.0 < r.w;
    let head = fitting(&[head], 13.0, true, r.w);
    pencil.bold(pt(r.x, r.y + 16.0), 13.0, ink, head);
    let mut x = r.x + r.w - widths;
    for ((_, done, doubt), text) in keys.iter().zip(texts).filter(|_| legend) {
        let cell = Rect::new(x + 6.0, r.y + 5.0, 13.0, 13.0);
        square(&mut pencil, cell, Some(*done), *doubt);
        x += text::width(&text, 11.0, false) + 26.0;
        pencil.text(pt(cell.x + 17.0, r.y + 16.0), 11.0, Ink::Secondary, text);
    }
    let here = bank.world.places;
    for (number, verdict) in bank.strip.iter().enumerate() {
        let cell = placed.cell(GRID, number);
        let (line, at) = bank.places[number];
        let kind = scene.say(
            match at {
                At::Message => "at.message",
                At::Log => "at.log",
                At::Flush => "at.flush",
                At::Page => "at.page",
                At::Answer => "at.answer",
                At::End => "at.end",
            },
            &[],
        );
        let left = scene.say(
            match verdict.map(|one| one.done) {
                None => "left.untried",
                Some(None) => "left.torn",
                Some(Some(0)) => "left.before",
                Some(Some(_)) => "left.after",
            },
            &[],
        );
        let mut pencil = scene.thing(place(number), cell, format!("{kind}: {left}"));
        square(
            &mut pencil,
            cell,
            verdict.map(|one| one.done),
            verdict.is_some_and(|one| one.doubt),
        );
        // The first place of each line of the script.
        if number > 0 && bank.places[number - 1].0 != line {
            let (x, y) = (tenths(cell.x + 1.0), tenths(cell.y));
            pencil.line(format!("M{x} {y}v{}", tenths(cell.h)), Ink::Ink, 2.0);
        }
        let present = match bank.trying {
            Some(at) => number + 1 == at,
            None => number == here && bank.running(),
        };
        if present {
            pencil.bordered(cell, 3.0, Ink::None, Ink::Accent, 2.5);
        }
    }
}

/// What a power cut leaves: nothing, all, or a part.
fn square(pencil: &mut Pencil<'_>, cell: Rect, done: Option<Option<u8>>, doubt: bool) {
    match done {
        None => pencil.bordered(cell, 3.0, Ink::Rail, Ink::Line, 1.0),
        Some(None) => {
            pencil.bordered(cell, 3.0, Ink::BadSoft, Ink::Bad, 1.0);
            pencil.mark(
                Glyph::Failure,
                cell.centre(),
                (cell.w * 0.32).min(6.0),
                Ink::Bad,
            )
        }
        Some(Some(0)) => pencil.bordered(cell, 3.0, Ink::OkSoft, Ink::Ok, 1.5),
        Some(Some(_)) => pencil.bordered(cell, 3.0, Ink::Ok, Ink::Ok, 1.5),
    };
    if doubt {
        let foot = Rect::new(cell.x + 3.0, cell.y + cell.h - 6.0, cell.w - 6.0, 4.0);
        pencil.filled(foot, 1.0, Ink::Warn);
    }
}
