//! The stage: logins, a row for each day under a glass, the rows that a question takes and what falls out of them, memory.

use super::model::{
    GLASS, LOGINS, MEMORY, Operand, PLATFORM, Query, REGISTER, RESULT, STRIP, SWEEP, Visits, Work,
    asks, reading, row,
};
use super::people::{HASHED, LISTED, REGISTERED};
use super::settings::{PEOPLE, Platform, Question, Settings, Store};
use algorithms::bitmap::{Bitmap, popcount};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::cells::Cells;
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, NodeCard, panel};
use kit::layout::{Slot, Span, lay, part, space};
use std::fmt::Write;

/// Where rows and result stand.
const ROWS: PartId = PartId::one("rows");
/// Squares under the glass: a word, on a narrow stage, too.
const COLUMNS: u64 = 64;
/// Height of the whole row's outline, and of what lies between it and today's row.
const STRIP_H: f32 = 24.0;
const LENS_H: f32 = 10.0;
const GATE_H: f32 = 20.0;
const FOOT_H: f32 = 18.0;
/// Today, whole days, the register, a platform, the result.
const LINES: f32 = 14.0;
/// Stretches of the whole row whose ones are counted together, in bytes of it.
const STRETCH: usize = 64;
/// A bit falls for so long; a login flies for so long; a bit is new for so long.
const FALL: Time = Time::ms(250);
const FLIGHT: Time = Time::ms(450);
const SPRAY: Time = Time::ms(200);
const NEW: Time = Time::ms(1_500);
/// A stall is told for so long.
const TOLD: Time = Time::s(8);
/// Where bars of users end.
const USERS_MAX: f32 = REGISTERED as f32;
/// The ruler's number of users.
const BILLION: u64 = 1_000_000_000;

/// Where everything of the rows stands.
struct Grid {
    area: Rect,
    narrow: bool,
    /// The squares of a row: where they begin, and how broad one is.
    x: f32,
    pitch: f32,
    /// The first row, and how high one is.
    y: f32,
    h: f32,
    /// Where counts end.
    counts: f32,
    /// The first number under the glass.
    start: u64,
}

impl Grid {
    fn new(area: Rect, narrow: bool, start: u64) -> Grid {
        let (labels, counts) = if narrow { (72.0, 46.0) } else { (78.0, 124.0) };
        let x = area.x + labels;
        let rest = area.h - STRIP_H - LENS_H - GATE_H - FOOT_H;
        let right = area.x + area.w;
        Grid {
            area,
            narrow,
            x,
            pitch: (area.w - labels - counts) / COLUMNS as f32,
            y: area.y + STRIP_H + LENS_H,
            h: rest / LINES,
            counts: if narrow { right } else { right - 68.0 },
            start,
        }
    }

    fn w(&self) -> f32 {
        self.pitch * COLUMNS as f32
    }

    /// The squares of a line, counted from today's.
    fn line(&self, line: usize) -> Rect {
        let y = self.y + self.h * line as f32;
        Rect::new(self.x, y + 1.0, self.w(), self.h - 2.0)
    }

    /// The result's squares.
    fn result(&self) -> Rect {
        let y = self.gate() + GATE_H;
        Rect::new(self.x, y + 1.0, self.w(), self.h - 2.0)
    }

    /// Where the gate begins.
    fn gate(&self) -> f32 {
        self.y + self.h * (LINES - 1.0)
    }

    fn operand(&self, operand: Operand) -> Rect {
        match operand {
            Operand::Day(day) => self.line(day),
            Operand::Registered => self.line(11),
            Operand::Platform(_) => self.line(12),
        }
    }

    /// Adds a square of a column to a path.
    fn square(&self, d: &mut String, column: u64, y: f32, h: f32) {
        let w = (self.pitch - 1.0).max(2.0);
        let x = self.x + self.pitch * column as f32 + 0.5;
        let (w, h) = (tenths(w), tenths(h));
        let _ = write!(d, "M{} {}h{w}v{h}h-{w}Z", tenths(x), tenths(y));
    }

    /// The baseline of a text in a line.
    fn base(&self, r: Rect) -> f32 {
        r.y + r.h / 2.0 + 4.0
    }

    /// Where a person stands in the whole row.
    fn across(&self, person: u32) -> f32 {
        self.x + self.w() * person as f32 / PEOPLE as f32
    }
}

/// A number of bytes.
fn bytes(scene: &Scene, bytes: u64) -> String {
    let (word, unit) = match bytes {
        ..1_000 => ("bytes", 1.0),
        1_000..1_000_000 => ("kb", 1e3),
        1_000_000..1_000_000_000 => ("mb", 1e6),
        _ => ("gb", 1e9),
    };
    let value = bytes as f64 / unit;
    let value = if value < 100.0 {
        (value * 10.0 + 0.5) as u64 as f64 / 10.0
    } else {
        (value + 0.5) as u64 as f64
    };
    scene.say(word, &[Arg::Number(value)])
}

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

pub(super) fn draw(visits: &Visits, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let logins = if narrow {
        part(LOGINS, Span::rest(200.0, 1.0), 70.0)
    } else {
        part(LOGINS, (104.0, 124.0), Span::rest(200.0, 1.0))
    };
    let stage = Slot::Column(vec![
        Slot::Spine(vec![
            logins,
            space(if narrow { 8.0 } else { 14.0 }),
            part(ROWS, Span::rest(260.0, 6.0), (244.0, 300.0)),
        ]),
        space(8.0),
        part(MEMORY, Span::rest(200.0, 1.0), (78.0, 82.0)),
    ]);
    let placed = lay(scene, &stage);
    let grid = Grid::new(placed.of(ROWS), narrow, knobs.start());
    door(visits, placed.of(LOGINS), at, scene);
    let query = visits.standing();
    strip(visits, &query, &grid, placed.of(LOGINS), at, scene);
    for day in 0..=visits.days.len() {
        let of = if day == 0 {
            &visits.today
        } else {
            &visits.days[day - 1]
        };
        let operand = Operand::Day(day);
        line(visits, &grid, row(day), operand, of.count, at, scene);
    }
    let registered = Operand::Registered;
    line(visits, &grid, REGISTER, registered, REGISTERED, at, scene);
    if let Some(on) = visits.people.on(knobs.platform) {
        let (theirs, operand) = (on.count() as u32, Operand::Platform(knobs.platform));
        line(visits, &grid, PLATFORM, operand, theirs, at, scene);
    }
    result(visits, &query, &grid, at, scene);
    memory(visits, placed.of(MEMORY), scene);
    flights(visits, &grid, placed.of(LOGINS), at, scene);
}

/// Whoever logs in, and who waits for the thread.
fn door(visits: &Visits, rect: Rect, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let rate = scene.say("rate", &[count((visits.rate() + 0.5) as i64)]);
    let hour = (visits.hour(at) * 24.0) as i64;
    let clock = scene.say("clock", &[count(hour)]);
    let came = scene.say("came", &[count(visits.came())]);
    let users = scene.say("users", &[count(visits.today.count)]);
    let waiting = visits.waiting(at);
    let told = visits.waited.filter(|told| at.since(told.until) < TOLD);
    let work = |work| match work {
        Work::Count => "counts",
        Work::Grow => "grows",
    };
    let (state, ink) = match (visits.stall, told) {
        (Some(stall), _) => {
            let gone = count(at.since(stall.since).as_ms() as i64);
            let args = [gone, Arg::Span(stall.span)];
            (scene.say(work(stall.work), &args), Ink::Bad)
        }
        (None, Some(told)) => {
            let word = match told.work {
                Work::Count => "counted",
                Work::Grow => "grew",
            };
            (scene.say(word, &[Arg::Span(told.span)]), Ink::Warn)
        }
        _ => (scene.say("free", &[]), Ink::Secondary),
    };
    let queue = match (visits.stall, told) {
        (Some(_), _) => scene.say("wait", &[count(waiting)]),
        (None, Some(told)) => scene.say("waited", &[count(told.longest)]),
        _ => String::new(),
    };
    let ids = visits.knobs.ids;
    let user = |one: &(u32, Time)| scene.say("user", &[count(ids.of(one.0) as i64)]);
    let seen = (
        scene.say("seen", &[]),
        visits.fresh.iter().map(user).collect(),
    );
    let name = scene.name(LOGINS);
    let mut spoken = format!("{rate}, {clock}, {came}, {users}, {state}");
    if !queue.is_empty() {
        let _ = write!(spoken, ", {queue}");
    }
    let mut pencil = scene.thing(LOGINS, rect, spoken);
    let longest = told.map_or(0, |told| told.longest).max(waiting);
    let span = told.map_or(Time::ZERO, |told| told.span);
    pencil
        .figure("logins", visits.came().into())
        .figure("users", visits.today.count.into())
        .figure("waited", longest.into())
        .figure("span", span.as_ms());
    let border = if visits.stall.is_some() {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    NodeCard {
        border,
        ..NodeCard::plain(rect, name, rate)
    }
    .draw(&mut pencil);
    let (left, room) = (rect.x + 14.0, rect.w - 24.0);
    let texts: &[(String, Ink)] = &[
        (clock, Ink::Secondary),
        (came, Ink::Secondary),
        (users, Ink::Ink),
        (state, ink),
        (queue, ink),
    ];
    let dots = if narrow {
        let middle = rect.x + rect.w * 0.42;
        for (i, (said, ink)) in texts.iter().enumerate().skip(1) {
            let y = rect.y + 17.0 + 15.0 * (i - 1) as f32;
            let said = fitting(std::slice::from_ref(said), 11.0, false, rect.w * 0.3);
            pencil.text(pt(middle, y), 11.0, *ink, said);
        }
        let x = rect.x + rect.w * 0.74;
        Rect::new(x, rect.y + 8.0, rect.x + rect.w - 8.0 - x, rect.h - 16.0)
    } else {
        for (i, (said, ink)) in texts.iter().enumerate() {
            let y = rect.y + 70.0 + 17.0 * i as f32 + if i > 2 { 8.0 } else { 0.0 };
            let said = fitting(std::slice::from_ref(said), 11.5, i == 4, room);
            if i == 4 {
                pencil.bold(pt(left, y), 11.5, *ink, said);
            } else {
                pencil.text(pt(left, y), 11.5, *ink, said);
            }
        }
        let y = rect.y + 70.0 + 17.0 * 5.0 + 4.0;
        Rect::new(left, y, room, rect.y + rect.h - 8.0 - y)
    };
    let shown = if visits.stall.is_some() {
        waiting
    } else {
        told.map_or(0, |told| told.longest)
    };
    let shown = shown.min(240) as usize;
    if shown == 0 {
        if !narrow {
            last(visits, dots, seen, &mut pencil);
        }
        return;
    }
    let cells = Cells::of(dots, shown, (dots.h / 6.0) as usize, 11.0);
    if visits.stall.is_none() {
        cells.sockets(&mut pencil, shown);
        return;
    }
    let (r, mut d) = (tenths(cells.r), String::new());
    for i in 0..shown {
        let p = cells.at(i);
        let (x, y, w) = (tenths(p.x - cells.r), tenths(p.y), tenths(2.0 * cells.r));
        let _ = write!(d, "M{x} {y}a{r} {r} 0 1 0 {w} 0a{r} {r} 0 1 0 -{w} 0");
    }
    pencil.area(d, Ink::Warn);
}

/// Who came last of those under the glass.
fn last(
    visits: &Visits,
    area: Rect,
    (title, users): (String, Vec<String>),
    pencil: &mut Pencil<'_>,
) {
    let rows = (area.h / 16.0) as usize;
    if visits.fresh.is_empty() || rows < 2 {
        return;
    }
    let title = fitting(&[title], 11.0, false, area.w);
    pencil.text(pt(area.x, area.y + 14.0), 11.0, Ink::Secondary, title);
    for (i, user) in users.into_iter().enumerate().take(rows - 1) {
        let base = area.y + 14.0 + 16.0 * (i + 1) as f32;
        let user = fitting(&[user], 11.5, false, area.w - 12.0);
        pencil.mark(
            Glyph::Request,
            pt(area.x + 5.0, base - 4.0),
            3.5,
            Ink::Accent,
        );
        pencil.text(pt(area.x + 13.0, base), 11.5, Ink::Ink, user);
    }
}

/// The outline of a whole row: the share of ones in each stretch, up to a share of its length.
fn outline(grid: &Grid, bits: &Bitmap, upto: f32, closed: bool) -> String {
    let base = grid.area.y + STRIP_H - 1.0;
    let all = PEOPLE as usize / 8 / STRETCH;
    let w = grid.w() / all as f32;
    let mut d = String::new();
    let shown = (all as f32 * upto) as usize;
    for (i, stretch) in bits.bytes().chunks(STRETCH).take(shown).enumerate() {
        let ones: u32 = stretch.iter().map(|byte| byte.count_ones()).sum();
        let share = ones as f32 / (STRETCH * 8) as f32;
        let y = tenths(base - (STRIP_H - 3.0) * share);
        let x = grid.x + w * i as f32;
        if i == 0 && closed {
            let _ = write!(d, "M{} {}", tenths(x), tenths(base));
        }
        let go = if i == 0 && !closed {
            format!("M{} ", tenths(x))
        } else {
            "V".to_owned()
        };
        let _ = write!(d, "{go}{y}H{}", tenths(x + w));
    }
    if closed && !d.is_empty() {
        let _ = write!(d, "V{}Z", tenths(base));
    }
    d
}

/// Today's whole row, what the question has found of its own, and the glass.
fn strip(visits: &Visits, query: &Query, grid: &Grid, from: Rect, at: Time, scene: &mut Scene) {
    let r = Rect::new(grid.x, grid.area.y, grid.w(), STRIP_H);
    let frame = Rect::new(grid.area.x, grid.area.y, grid.area.w, STRIP_H);
    let share = f64::from(visits.today.count) / f64::from(PEOPLE);
    let spoken = scene.say("ones", &[Arg::Share(share)]);
    let short = scene.say("ones-short", &[Arg::Share(share)]);
    let label = scene.name(STRIP);
    let mut pencil = scene.thing(STRIP, frame, spoken.clone());
    let base = r.y + 16.0;
    if grid.narrow {
        let label = fitting(&[label], 11.0, false, grid.x - grid.area.x - 6.0);
        pencil.text(pt(frame.x, base), 11.0, Ink::Secondary, label);
    } else {
        let end = pt(frame.x + frame.w, base);
        let room = frame.x + frame.w - r.x - r.w - 8.0;
        let said = fitting(&[spoken, short], 11.0, false, room);
        ending(&mut pencil, end, 11.0, false, Ink::Secondary, said);
    }
    pencil.bordered(r, 2.0, Ink::Card, Ink::Line, 1.0);
    pencil.area(outline(grid, &visits.today.bits, 1.0, true), Ink::Hit);
    let swept = swept(query, at);
    if query.asked.question != Question::Today && swept > 0.0 {
        let found = outline(grid, &query.result, swept, false);
        pencil.line(found, Ink::Accent, 1.5);
    }
    if swept > 0.0 && swept < 1.0 {
        let x = tenths(r.x + r.w * swept);
        pencil.line(
            format!("M{x} {}v{}", tenths(r.y), tenths(STRIP_H)),
            Ink::Accent,
            2.0,
        );
    }
    // The glass: where the squares below lie in the whole row.
    let x = grid.across(visits.knobs.first as u32).min(r.x + r.w - 3.0);
    let glass = Rect::new(x, r.y - 1.0, 4.0, STRIP_H + 2.0);
    pencil.bordered(glass, 1.0, Ink::None, Ink::Ink, 1.2);
    let (top, low) = (tenths(r.y + STRIP_H + 1.0), tenths(grid.y));
    let lens = format!(
        "M{} {top}L{} {low}M{} {top}L{} {low}",
        tenths(x),
        tenths(r.x),
        tenths(x + 4.0),
        tenths(r.x + r.w)
    );
    pencil.line(lens, Ink::LineStrong, 1.0);
    // Logins on their way, as specks.
    if visits.stall.is_some() {
        return;
    }
    let out = if grid.narrow {
        from.bottom()
    } else {
        pt(from.x + from.w, r.y + r.h / 2.0)
    };
    let mut d = String::new();
    let due = visits.due(at);
    let coming = &visits.logins[due.min(visits.logins.len())..];
    for (i, person) in coming.iter().enumerate() {
        let left = visits.comes(due + i).since(at);
        if left >= SPRAY {
            break;
        }
        let p = on_the_way(out, pt(grid.across(*person), r.y + 2.0), left, SPRAY);
        let _ = write!(d, "M{} {}h2v2h-2Z", tenths(p.x - 1.0), tenths(p.y - 1.0));
    }
    pencil.area(d, Ink::Accent);
}

/// Where something is that will be at the end of its way in `left` of `span`.
fn on_the_way(from: Point, to: Point, left: Time, span: Time) -> Point {
    let share = 1.0 - left.0 as f32 / span.0 as f32;
    pt(
        from.x + (to.x - from.x) * share,
        from.y + (to.y - from.y) * share,
    )
}

/// How far a question has come in the whole row, from 0 to 1.
fn swept(query: &Query, at: Time) -> f32 {
    if query.done {
        return 1.0;
    }
    at.progress(query.since + GLASS, query.since + GLASS + SWEEP)
}

/// How far a column's bits have fallen, from 0 to 1.
fn fallen(query: &Query, column: u64, at: Time) -> f32 {
    if query.done {
        return 1.0;
    }
    let begins = query.since + Time((GLASS.0 - FALL.0) * column / COLUMNS);
    if at < begins {
        return 0.0;
    }
    at.progress(begins, begins + FALL)
}

fn operand_name(visits: &Visits, operand: Operand, scene: &Scene) -> String {
    match operand {
        Operand::Day(day) => scene.name(row(day)),
        Operand::Registered => scene.name(REGISTER),
        Operand::Platform(_) => {
            let word = match visits.knobs.platform as usize {
                1 => "on-phone",
                2 => "on-mac",
                _ => "on-pc",
            };
            scene.say(word, &[])
        }
    }
}

/// A bar of users behind a count.
fn bar(pencil: &mut Pencil<'_>, grid: &Grid, r: Rect, users: u32) -> Option<Rect> {
    let room = grid.area.x + grid.area.w - grid.counts - 6.0;
    let w = room * (users as f32 / USERS_MAX).min(1.0);
    if grid.narrow || w < 0.5 {
        return None;
    }
    let h = r.h.min(9.0);
    let rail = Rect::new(grid.counts + 6.0, r.y + (r.h - h) / 2.0, room, h);
    pencil.filled(rail, 2.0, Ink::Line);
    Some(Rect { w, ..rail })
}

/// A row under the glass, with its count.
fn line(
    visits: &Visits,
    grid: &Grid,
    id: PartId,
    operand: Operand,
    users: u32,
    at: Time,
    scene: &mut Scene,
) {
    let r = grid.operand(operand);
    let frame = Rect::new(grid.area.x, r.y - 1.0, grid.area.w, grid.h);
    let chosen = visits.query.rows().any(|row| row == operand);
    let bits = visits.bits(operand);
    let is_set = |column: u64| {
        let person = visits.knobs.ids.whose(grid.start + column)?;
        bits.get(person.into()).then_some(person)
    };
    let seen = (0..COLUMNS).filter(|column| is_set(*column).is_some());
    let seen = seen.count();
    let spoken = scene.say("row", &[count(users), count(seen as i64)]);
    let name = operand_name(visits, operand, scene);
    let mut pencil = scene.thing(id, frame, spoken);
    pencil
        .figure("count", users.into())
        .figure("seen", seen as f64)
        .figure("chosen", f64::from(u8::from(chosen)));
    let base = grid.base(r);
    let ink = if chosen { Ink::Ink } else { Ink::Secondary };
    let name = fitting(&[name], 11.0, false, grid.x - grid.area.x - 6.0);
    pencil.text(pt(frame.x, base), 11.0, ink, name);
    let (border, width) = if chosen {
        (Ink::Accent, 1.5)
    } else {
        (Ink::None, 0.0)
    };
    pencil.bordered(r, 2.0, Ink::Line, border, width);
    let (mut old, mut new) = (String::new(), String::new());
    for column in 0..COLUMNS {
        let Some(person) = is_set(column) else {
            continue;
        };
        let fresh = |one: &&(u32, Time)| one.0 == person && at.since(one.1) < NEW;
        let just = operand == Operand::Day(0) && visits.fresh.iter().any(|one| fresh(&one));
        let d = if just { &mut new } else { &mut old };
        grid.square(d, column, r.y + 0.5, r.h - 1.0);
    }
    let ink = match operand {
        Operand::Day(_) => Ink::Hit,
        _ => Ink::Mark,
    };
    pencil.area(old, ink).area(new, Ink::Accent);
    let at = pt(grid.counts, base);
    ending(&mut pencil, at, 11.0, false, Ink::Ink, users.to_string());
    if let Some(full) = bar(&mut pencil, grid, r, users) {
        pencil.filled(full, 2.0, ink);
    }
}

/// How many users a question has found by now.
fn found(query: &Query, grid: &Grid, visits: &Visits, at: Time) -> u32 {
    if query.done {
        return query.count;
    }
    let swept = swept(query, at);
    let columns = (0..COLUMNS).filter(|column| {
        let person = visits.knobs.ids.whose(grid.start + column);
        let set = person.is_some_and(|person| query.result.get(person.into()));
        set && fallen(query, *column, at) >= 1.0
    });
    let glass = columns.count() as u32;
    let words = (query.result.word_count() as f32 * swept) as usize;
    let ones: u32 = query.result.words().take(words).map(popcount).sum();
    ones.max(glass)
}

/// What falls out of the rows.
fn result(visits: &Visits, query: &Query, grid: &Grid, at: Time, scene: &mut Scene) {
    let r = grid.result();
    let top = grid.gate();
    let bottom = grid.area.y + grid.area.h;
    let frame = Rect::new(grid.area.x, top, grid.area.w, bottom - top);
    let users = found(query, grid, visits, at);
    let all = query.asked.platform == Platform::All;
    let gate = match query.asked.question {
        Question::Today if all => "gate.count",
        Question::Any if all => "gate.any",
        Question::Any => "gate.any-on",
        Question::Today | Question::Every => "gate.every",
        Question::Fresh | Question::Inactive => "gate.not",
    };
    let gate = scene.say(gate, &[]);
    let label = scene.say("result", &[]);
    let asked = scene.words().get(asks(query.asked.question)).to_owned();
    let (word, read) = match (visits.knobs.store, query.words) {
        (Store::List, _) => ("ids", count(query.listed as i64)),
        (_, ..1_000_000) => ("words", count(query.words as i64)),
        _ => (
            "words-millions",
            Arg::Tenths((query.words / 100_000) as u32),
        ),
    };
    let short = scene.say(word, &[read]);
    let real = reading(query.words);
    let read = match (visits.knobs.store, real.0) {
        (Store::List, _) => short.clone(),
        (_, ..1_000) => format!(
            "{short}, {}",
            scene.say("really-us", &[count(real.0 as i64)])
        ),
        _ => format!("{short}, {}", scene.say("really", &[Arg::Span(real)])),
    };
    let mistaken = query.mistaken.filter(|_| query.done);
    let not = match query.asked.question {
        Question::Any => scene.say("added", &[]),
        _ => scene.say("zeros", &[]),
    };
    let mut spoken = format!("{asked}: {users}, {read}");
    if let Some(wrong) = mistaken {
        let _ = write!(spoken, ", {not} {wrong}");
    }
    let mut pencil = scene.thing(RESULT, frame, spoken);
    pencil
        .figure("count", users.into())
        .figure("mistaken", mistaken.unwrap_or(0).into())
        .figure("done", f64::from(u8::from(query.done)))
        .figure("rows", query.operands.len() as f64);
    // The gate: open for any, closed unless all are there.
    let middle = top + GATE_H / 2.0;
    pencil.bold(pt(frame.x, middle + 4.0), 11.0, Ink::Accent, gate);
    let across = format!("M{} {}h{}", tenths(r.x), tenths(middle), tenths(r.w));
    match query.asked.question {
        Question::Today | Question::Any if all => pencil.dashed_line(across, Ink::Accent, 1.5),
        _ => pencil.line(across, Ink::Accent, 2.5),
    };
    pencil.bordered(r, 2.0, Ink::Line, Ink::Ink, 1.0);
    let (mut falls, mut lies) = (String::new(), String::new());
    for column in 0..COLUMNS {
        let Some(person) = visits.knobs.ids.whose(grid.start + column) else {
            continue;
        };
        let through = query.result.get(person.into());
        let share = fallen(query, column, at);
        if share >= 1.0 && through {
            grid.square(&mut lies, column, r.y + 0.5, r.h - 1.0);
        }
        if share <= 0.0 || share >= 1.0 {
            continue;
        }
        for (place, operand) in query.rows().enumerate() {
            let takes_away =
                place == 1 && matches!(query.asked.question, Question::Fresh | Question::Inactive);
            if takes_away || !visits.bits(operand).get(person.into()) {
                continue;
            }
            let from = grid.operand(operand);
            let to = if through { r.y } else { middle - from.h };
            let y = from.y + (to - from.y) * share * share;
            grid.square(&mut falls, column, y + 0.5, from.h - 1.0);
        }
    }
    pencil.area(lies, Ink::Accent).area(falls, Ink::Accent);
    let lines = if visits.knobs.platform == Platform::All {
        LINES - 2.0
    } else {
        LINES - 1.0
    };
    seams(grid, lines, r, &mut pencil);
    let base = grid.base(r);
    pencil.bold(pt(frame.x, base), 11.0, Ink::Ink, label);
    let (said, size) = (users.to_string(), if grid.narrow { 11.0 } else { 13.0 });
    let end = pt(grid.counts, base + 0.5);
    ending(&mut pencil, end, size, true, Ink::Accent, said);
    if let Some(full) = bar(&mut pencil, grid, r, users) {
        pencil.filled(full, 2.0, Ink::Accent);
    }
    let foot = Rect::new(r.x, bottom - FOOT_H, r.w, FOOT_H - 2.0);
    let base = foot.y + 13.0;
    let mut room = r.w;
    if let Some(wrong) = mistaken {
        let wrong_text = wrong.to_string();
        let w = text::width(&wrong_text, 12.0, false);
        let end = pt(grid.counts, base);
        ending(&mut pencil, end, 12.0, false, Ink::Secondary, wrong_text);
        let y = tenths(base - 4.0);
        let strike = format!("M{} {y}h{}", tenths(grid.counts - w - 2.0), tenths(w + 4.0));
        pencil.line(strike, Ink::Bad, 1.5);
        if let Some(full) = bar(&mut pencil, grid, foot, wrong) {
            pencil.bordered(full.grown(-0.5), 2.0, Ink::Card, Ink::Secondary, 1.0);
        }
        let w = text::width(&not, 11.0, false);
        let end = pt(r.x + r.w - 2.0, base);
        ending(&mut pencil, end, 11.0, false, Ink::Secondary, not);
        room -= w + 12.0;
    }
    let read = fitting(&[read, short], 11.0, false, room);
    pencil.text(pt(r.x, base), 11.0, Ink::Secondary, read);
}

/// Lines between the squares of all rows.
fn seams(grid: &Grid, lines: f32, result: Rect, pencil: &mut Pencil<'_>) {
    let (top, rows) = (tenths(grid.y), tenths(grid.h * lines));
    let (low, h) = (tenths(result.y), tenths(result.h));
    let mut d = String::new();
    for column in 1..COLUMNS {
        let x = tenths(grid.x + grid.pitch * column as f32);
        let _ = write!(d, "M{x} {top}v{rows}M{x} {low}v{h}");
    }
    pencil.line(d, Ink::Card, 1.0);
}

/// What today's row takes, in three ways, and what it would with a billion users.
fn memory(visits: &Visits, rect: Rect, scene: &mut Scene) {
    let narrow = scene.narrow();
    let takes = visits.memory();
    let share = f64::from(visits.today.count) / f64::from(REGISTERED);
    let come = (BILLION as f64 * share) as u64;
    let ruler = [BILLION / 8, LISTED * come, HASHED * come];
    let names = ["bitmap", "list", "set"].map(|word| scene.say(word, &[]));
    let sizes = takes.map(|size| bytes(scene, size));
    let ruled = ruler.map(|size| bytes(scene, size));
    let title = scene.say("memory", &[]);
    let header = scene.say("billion", &[]);
    let said: Vec<String> = (0..3)
        .map(|i| format!("{} {}; {header} {}", names[i], sizes[i], ruled[i]))
        .collect();
    let mut pencil = scene.thing(MEMORY, rect, said.join("; "));
    pencil
        .figure("bitmap", takes[0] as f64)
        .figure("list", takes[1] as f64)
        .figure("set", takes[2] as f64);
    panel(&mut pencil, rect, title);
    let right = rect.x + rect.w - 12.0;
    let (value, ruler_w) = (62.0, if narrow { 0.0 } else { 118.0 });
    if !narrow {
        let at = pt(right, rect.y + 17.0);
        ending(&mut pencil, at, 11.0, false, Ink::Secondary, header);
    }
    let label = names.iter().map(|name| text::width(name, 11.0, true));
    let x = rect.x + 12.0 + label.fold(0.0, f32::max) + 8.0;
    let room = right - ruler_w - value - x;
    let most = takes.iter().copied().max().unwrap_or(0).max(1) as f32;
    let kept = usize::from(visits.knobs.store == Store::List);
    let h = (rect.h - 28.0) / 3.0;
    for (i, ink) in [Ink::Hit, Ink::Accent, Ink::Mark].into_iter().enumerate() {
        let y = rect.y + 24.0 + h * i as f32;
        let base = y + h / 2.0 + 4.0;
        let at = pt(rect.x + 12.0, base);
        if i == kept {
            pencil.bold(at, 11.0, Ink::Ink, names[i].as_str());
        } else {
            pencil.text(at, 11.0, Ink::Secondary, names[i].as_str());
        }
        let w = room * takes[i] as f32 / most;
        let rail = Rect::new(x, y + 2.0, room, h - 5.0);
        pencil.filled(rail, 2.0, Ink::Line);
        if w > 0.5 {
            pencil.filled(Rect { w, ..rail }, 2.0, ink);
        }
        let at = pt(x + room + value, base);
        ending(
            &mut pencil,
            at,
            11.0,
            i == kept,
            Ink::Ink,
            sizes[i].as_str(),
        );
        if !narrow {
            let at = pt(right, base);
            ending(
                &mut pencil,
                at,
                11.0,
                false,
                Ink::Secondary,
                ruled[i].as_str(),
            );
        }
    }
}

/// Logins that will be seen under the glass.
fn flights(visits: &Visits, grid: &Grid, from: Rect, at: Time, scene: &mut Scene) {
    if visits.stall.is_some() {
        return;
    }
    let due = visits.due(at);
    let ids = visits.knobs.ids;
    let r = grid.line(0);
    let out = if grid.narrow {
        from.bottom()
    } else {
        pt(from.x + from.w, r.y + r.h / 2.0)
    };
    for (i, person) in visits.logins.iter().enumerate().skip(due) {
        let left = visits.comes(i).since(at);
        if left >= FLIGHT {
            break;
        }
        let column = ids.of(*person).wrapping_sub(grid.start);
        if column >= COLUMNS {
            continue;
        }
        let to = pt(grid.x + grid.pitch * (column as f32 + 0.5), r.y + r.h / 2.0);
        let p = on_the_way(out, to, left, FLIGHT);
        scene.particle(p, DOT, Glyph::Request, Ink::Accent, person + 1);
    }
}
