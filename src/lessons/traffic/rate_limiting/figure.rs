//! The stage: the client, and a row for each limiter: what it knows, what it passed and refused, and its fullest window.

use super::row::Decision;
use super::{
    CLIENT, CLIENTS, COUNTER, FIXED, LEAKY, LIMITERS, LOG, PARTS, ROWS, SHOWN, Seen, TOKEN,
};
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, LANE, NodeCard, on};
use kit::system::{Place, Reason, System, Values};

/// From here on client and rows stand side by side.
const WIDE: f32 = 680.0;
const GAP: f32 = 6.0;
/// Marks on a stripe nearer than this to the one before are drawn as one.
const APART: f32 = 1.5;
/// Retries that come back at one moment are told for so long.
const HERD: Time = Time::s(1);

/// Where everything stands.
struct Layout {
    client: Rect,
    rows: [Rect; ROWS],
    ways: [Curve; ROWS],
    wide: bool,
    bottom: f32,
}

impl Layout {
    fn of(width: f32) -> Layout {
        let wide = width >= WIDE;
        let (x, y, h) = if wide {
            (204.0, 8.0, 60.0)
        } else {
            (34.0, 68.0, 84.0)
        };
        let rows = std::array::from_fn(|row| {
            Rect::new(x, y + (h + GAP) * row as f32, width - x - 12.0, h)
        });
        let client = if wide {
            Rect::new(12.0, 8.0 + 2.0 * (h + GAP) - 6.0, 136.0, 72.0)
        } else {
            Rect::new(12.0, 8.0, width - 24.0, 50.0)
        };
        let ways = std::array::from_fn(|row| {
            let end = rows[row].left();
            if wide {
                return Curve::across(client.right(), end);
            }
            let corner = pt(22.0, end.y);
            Curve::cubic(pt(22.0, client.y + client.h), corner, corner, end)
        });
        Layout {
            client,
            rows,
            ways,
            wide,
            bottom: y + (h + GAP) * ROWS as f32 + 20.0,
        }
    }
}

/// Where the parts of one row stand.
struct Cells {
    state: Rect,
    /// Baseline of what is said of the state.
    said: Point,
    /// Marks lie in its upper half if refused, in its lower if passed; the bracket stands under it.
    stripe: Rect,
}

impl Cells {
    fn of(row: &Rect, wide: bool) -> Cells {
        if wide {
            Cells {
                state: Rect::new(row.x + 12.0, row.y + 23.0, 140.0, 14.0),
                said: pt(row.x + 12.0, row.y + 51.0),
                stripe: Rect::new(row.x + 186.0, row.y + 4.0, row.w - 186.0 - 112.0, 34.0),
            }
        } else {
            let w = (row.w * 0.36).min(118.0);
            Cells {
                state: Rect::new(row.x + 10.0, row.y + 29.0, w, 14.0),
                said: pt(row.x + 10.0, row.y + 59.0),
                stripe: Rect::new(row.x + 22.0 + w, row.y + 24.0, row.w - w - 36.0, 34.0),
            }
        }
    }
}

/// Draws all of it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let layout = Layout::of(scene.width);
    scene.height = layout.bottom;
    let mut bus = scene.background();
    for way in &layout.ways {
        bus.line(way.d(), Ink::Mark, 1.5);
    }
    client(system, &layout, scene);
    for row in 0..ROWS {
        self::row(row, system, knobs, at, &layout, scene);
    }
    axis(system, &layout, scene);
    for (_, frame) in system.frames() {
        let Some(row) = LIMITERS.iter().position(|id| *id == frame.at().0) else {
            continue;
        };
        // What was let through goes on behind the limiter; only refusals come back to see.
        let refused = frame.failed.is_some();
        if frame.place != Place::Travels || (frame.leg.back && !refused) {
            continue;
        }
        let (glyph, ink) = if refused {
            (Glyph::Failure, Ink::Bad)
        } else {
            (Glyph::Request, Ink::Accent)
        };
        let lane = match (frame.leg.back, layout.wide) {
            (false, _) => pt(0.0, 0.0),
            (true, true) => pt(0.0, LANE),
            (true, false) => pt(LANE / 2.0, 0.0),
        };
        let p = on(&layout.ways[row], frame.leg.share(at), lane);
        scene.particle(p, DOT, glyph, ink, frame.number);
    }
}

fn client(system: &System, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let part = PartId::one("client");
    let load = system.load_per_s(CLIENT);
    let left = seen.burst.map_or(0, |burst| burst.size - burst.sent);
    let status = if left > 0 {
        scene.say("to-send", &[Arg::Count(i64::from(left))])
    } else {
        scene.say("load", &[Arg::Number(load)])
    };
    let through = seen.through().map(|share| (share * 100.0).round());
    let tries = seen.tries_each().map(|each| (each * 10.0).round() / 10.0);
    let line = match (seen.leaves, through, tries) {
        (true, Some(percent), _) => scene.say("through", &[Arg::Number(percent)]),
        (false, _, Some(tries)) => scene.say("tries", &[Arg::Number(tries)]),
        _ => scene.say("nothing", &[]),
    };
    let name = scene.name(part);
    let rect = layout.client;
    let mut pencil = scene.thing(part, rect, format!("{status}, {line}"));
    pencil.figure("load", load);
    if let Some(tries) = tries {
        pencil.figure("tries", tries);
    }
    if layout.wide {
        NodeCard::plain(rect, name, status).draw(&mut pencil);
        let line = fitting(&[line], 12.0, false, rect.w - 20.0);
        pencil.text(pt(rect.x + 14.0, rect.y + 62.0), 12.0, Ink::Secondary, line);
        return;
    }
    let room = rect.w - 28.0 - text::width(&line, 12.0, false) - 10.0;
    let status = fitting(&[status], 12.0, false, room);
    NodeCard::plain(rect, name, status).draw(&mut pencil);
    let end = pt(rect.x + rect.w - 14.0, rect.y + 28.0);
    ending(&mut pencil, end, 12.0, false, Ink::Secondary, line);
}

/// What the stripes mean from left to right.
fn axis(system: &System, layout: &Layout, scene: &mut Scene) {
    let window = system.own::<Seen>().limiters.rule.window;
    let span = Arg::Span(Time(window.0 * SHOWN));
    let (ago, now) = (scene.say("ago", &[span]), scene.say("now", &[]));
    let stripe = Cells::of(&layout.rows[ROWS - 1], layout.wide).stripe;
    let y = layout.bottom - 8.0;
    let mut pencil = scene.background();
    pencil.text(pt(stripe.x, y), 11.0, Ink::Secondary, ago);
    let end = pt(stripe.x + stripe.w, y);
    ending(&mut pencil, end, 11.0, false, Ink::Secondary, now);
}

fn row(row: usize, system: &System, knobs: &Values, at: Time, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let rule = seen.limiters.rule;
    let since = seen.since(at);
    let (passed, refused) = seen.rows[row].tally(since, at);
    let (end, most) = seen.most(row, at);
    let together = seen.rows[row].together(HERD, at);
    let waiting = seen.rows[row].waiting(at);
    let bytes = seen.limiters.clone().bytes(row);
    let clients = CLIENTS[knobs.whole("clients").min(2) as usize];
    let megabytes = (bytes * clients) as f64 / 1e6;
    let count = |n: u32| Arg::Count(i64::from(n));
    let state = state_of(row, seen, at);
    let state = scene.say(state.0, &state.1);
    // What died here within the last second, as far as it counts.
    let lately = since.max(Time(at.0.saturating_sub(Time::s(1).0)));
    let (_, dead) = seen.rows[row].tally(lately, at);
    let dead = (dead > 0).then(|| {
        let died = scene.say("died", &[count(dead), Arg::Word(Reason::Limited.label())]);
        let herd = scene.say("together", &[count(together)]);
        if together > 0 {
            vec![format!("{died} · {herd}"), herd]
        } else {
            vec![died]
        }
    });
    let most_said = scene.say("most", &[count(most), Arg::Span(rule.window)]);
    let numbers = [
        scene.say("passed", &[count(passed)]),
        scene.say("refused", &[count(refused)]),
        scene.say("memory", &[Arg::Number(megabytes)]),
    ];
    let part = PartId::one(PARTS[row]);
    let name = scene.name(part);
    let rect = layout.rows[row];
    let cells = Cells::of(&rect, layout.wide);
    let spoken = format!("{state}, {}, {most_said}", numbers.join(", "));
    let mut pencil = scene.thing(part, rect, spoken);
    pencil
        .figure("passed", f64::from(passed))
        .figure("refused", f64::from(refused))
        .figure("most", f64::from(most))
        .figure("waiting", waiting as f64)
        .figure("together", f64::from(together))
        .figure("megabytes", megabytes);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let head = pt(cells.state.x, rect.y + 17.0);
    if layout.wide {
        let name = fitting(&[name], 13.0, true, 166.0);
        pencil.bold(head, 13.0, Ink::Ink, name);
        let x = rect.x + rect.w - 12.0;
        for (i, said) in numbers.into_iter().enumerate() {
            let said = fitting(&[said], 11.0, false, 92.0);
            let at = pt(x, rect.y + 18.0 + 16.0 * i as f32);
            ending(&mut pencil, at, 11.0, false, Ink::Secondary, said);
        }
    } else {
        let [passed, refused, memory] = numbers;
        let short = fitting(
            &[format!("{passed} · {refused}"), refused],
            11.0,
            false,
            rect.w * 0.6,
        );
        let room = rect.w - 30.0 - text::width(&short, 11.0, false);
        let end = pt(rect.x + rect.w - 10.0, rect.y + 17.0);
        ending(&mut pencil, end, 11.0, false, Ink::Secondary, short);
        let name = fitting(&[name], 13.0, true, room);
        pencil.bold(head, 13.0, Ink::Ink, name);
        let memory = fitting(&[memory], 11.0, false, cells.state.w + 6.0);
        let low = pt(cells.state.x, rect.y + 75.0);
        pencil.text(low, 11.0, Ink::Secondary, memory);
    }
    self::state(row, seen, at, cells.state, &mut pencil);
    let room = cells.stripe.x - cells.said.x - 8.0;
    match dead {
        Some(texts) => {
            let said = fitting(&texts, 11.0, true, room);
            pencil.bold(cells.said, 11.0, Ink::Bad, said);
        }
        None => {
            let said = fitting(&[state], 11.0, false, room);
            pencil.text(cells.said, 11.0, Ink::Secondary, said);
        }
    }
    stripe(row, seen, at, cells.stripe, &mut pencil);
    bracket(seen, (end, most), at, cells.stripe, &mut pencil);
}

/// What a limiter knows at a moment, as a word and its figures.
fn state_of(row: usize, seen: &Seen, at: Time) -> (&'static str, Vec<Arg>) {
    let rule = seen.limiters.rule;
    let mut limiters = seen.limiters.clone();
    let tenth = |x: f64| Arg::Number((x * 10.0).round() / 10.0);
    let count = |n: u64| Arg::Count(n as i64);
    match row {
        FIXED => {
            let left = limiters.fixed.available(at.0).max(0) as u64;
            let used = rule.limit.saturating_sub(left);
            ("state.fixed", vec![count(used), count(rule.limit)])
        }
        LOG => {
            let logged = limiters.log.count(at.0);
            ("state.log", vec![count(logged), count(rule.limit)])
        }
        COUNTER => {
            let believed = limiters.counter.estimate(at.0);
            ("state.counter", vec![tenth(believed), count(rule.limit)])
        }
        TOKEN => {
            // A token that has not grown whole is none.
            let whole = limiters.token.available(at.0).max(0) as u64;
            ("state.token", vec![count(whole), count(rule.burst)])
        }
        _ if rule.meter => {
            let level = limiters.leaky.level(at.0);
            ("state.meter", vec![tenth(level), count(rule.burst)])
        }
        _ => {
            let waiting = seen.rows[LEAKY].waiting(at) as u64;
            ("state.queue", vec![count(waiting), count(rule.burst - 1)])
        }
    }
}

/// A row of cells, filled up to `level`.
fn cells(pencil: &mut Pencil<'_>, area: Rect, count: u64, level: f64, ink: Ink, round: bool) {
    let pitch = (area.w / count.max(1) as f32).min(16.0);
    let side = (pitch - 2.0).min(area.h);
    let radius = if round { side / 2.0 } else { 2.0 };
    for i in 0..count {
        let cell = Rect::new(
            area.x + pitch * i as f32,
            area.y + (area.h - side) / 2.0,
            side,
            side,
        );
        let share = (level - i as f64).clamp(0.0, 1.0) as f32;
        pencil.bordered(cell, radius, Ink::Card, Ink::Mark, 1.0);
        if share >= 1.0 {
            pencil.filled(cell, radius, ink);
        } else if share > 0.02 {
            // What has not grown whole grows from within.
            let grown = cell.grown(-(side / 2.0) * (1.0 - share));
            pencil.filled(grown, radius * share, Ink::Mark);
        }
    }
}

/// What a limiter knows, drawn.
fn state(row: usize, seen: &Seen, at: Time, area: Rect, pencil: &mut Pencil<'_>) {
    let rule = seen.limiters.rule;
    let mut limiters = seen.limiters.clone();
    let limit = rule.limit.max(1);
    match row {
        FIXED => {
            // Boxes that fill, and how much of the window is over: at its end all empty.
            let left = limiters.fixed.available(at.0).max(0) as u64;
            let used = limit.saturating_sub(left);
            cells(pencil, area, limit, used as f64, Ink::Accent, false);
            let over = (at.0 % rule.window.0) as f32 / rule.window.0 as f32;
            let y = area.y + area.h + 1.0;
            let w = (area.w / limit as f32).min(16.0) * limit as f32 - 2.0;
            pencil.filled(Rect::new(area.x, y, w, 2.0), 1.0, Ink::Rail);
            pencil.filled(Rect::new(area.x, y, w * over, 2.0), 1.0, Ink::Mark);
        }
        LOG => {
            // Time stamps in a window that slides: now is at its right end.
            let y = area.y + area.h / 2.0;
            let (left, right) = (area.x, area.x + area.w);
            pencil.filled(Rect::new(left, y - 6.0, area.w, 12.0), 3.0, Ink::Rail);
            limiters.log.count(at.0);
            for (came, _) in limiters.log.entries() {
                let age = at.since(Time(came)).0 as f32 / rule.window.0 as f32;
                let x = right - 2.0 - (area.w - 4.0) * age.clamp(0.0, 1.0);
                pencil.line(format!("M{x} {}v10", y - 5.0), Ink::Accent, 2.5);
            }
            let (top, foot) = (y - 7.0, y + 7.0);
            let bracket = format!(
                "M{} {top}H{left}V{foot}h5M{} {top}H{right}V{foot}h-5",
                left + 5.0,
                right - 5.0
            );
            pencil.line(bracket, Ink::Ink, 1.5);
        }
        COUNTER => {
            // What is left of the old count, and the new one behind it.
            let (_, current) = limiters.counter.counts(at.0);
            let believed = limiters.counter.estimate(at.0) as f32;
            let scale = area.w / limit as f32;
            let bar = Rect::new(area.x, area.y, area.w, area.h);
            pencil.filled(bar, 3.0, Ink::Rail);
            let old = ((believed - current as f32).max(0.0) * scale).min(area.w);
            let new = (current as f32 * scale).min(area.w - old);
            if old > 0.5 {
                let faded = Rect::new(area.x, area.y, old, area.h);
                pencil.bordered(faded, 2.0, Ink::HitSoft, Ink::Hit, 1.0);
            }
            if new > 0.5 {
                pencil.filled(
                    Rect::new(area.x + old, area.y, new, area.h),
                    2.0,
                    Ink::Accent,
                );
            }
        }
        TOKEN => cells(
            pencil,
            area,
            rule.burst,
            limiters.token.level(at.0),
            Ink::Ok,
            true,
        ),
        _ if rule.meter => {
            let level = (limiters.leaky.level(at.0) / rule.burst as f64) as f32;
            pencil.filled(area, 3.0, Ink::Rail);
            let water = Rect::new(area.x, area.y, area.w * level.clamp(0.0, 1.0), area.h);
            pencil.filled(water, 3.0, Ink::Accent);
        }
        _ => {
            let waiting = seen.rows[LEAKY].waiting(at) as f64;
            cells(pencil, area, rule.burst - 1, waiting, Ink::Warn, false);
        }
    }
}

/// Where a moment stands on a stripe whose right end is now.
fn x_of(moment: Time, at: Time, seen: &Seen, area: Rect) -> f32 {
    let shown = (seen.limiters.rule.window.0 * SHOWN) as f32;
    let ago = at.0 as f32 - moment.0 as f32;
    area.x + area.w * (1.0 - ago / shown)
}

/// What a row passed and refused: what came before the counts began is pale.
fn stripe(row: usize, seen: &Seen, at: Time, area: Rect, pencil: &mut Pencil<'_>) {
    let window = seen.limiters.rule.window.0;
    let shown = window * SHOWN;
    let x = |moment: Time| x_of(moment, at, seen, area);
    pencil.filled(area, 4.0, Ink::Paper);
    let ticks = (at.0.saturating_sub(shown) / window + 1)..=at.0 / window;
    for tick in ticks {
        let x = text::tenths(x(Time(tick * window)));
        pencil.line(format!("M{x} {}v{}", area.y, area.h), Ink::LineStrong, 1.0);
    }
    let (high, low) = (area.y + 9.0, area.y + area.h - 9.0);
    let mut last = [f32::NEG_INFINITY; 2];
    let mut waits = String::new();
    for one in &seen.rows[row].past {
        let Decision {
            at: came, release, ..
        } = *one;
        let fresh = came >= seen.from;
        let shown_at = release.unwrap_or(came).min(at);
        if at.0 - shown_at.0 > shown || came > at {
            continue;
        }
        let (lane, y) = if release.is_some() {
            (1, low)
        } else {
            (0, high)
        };
        let place = x(shown_at).clamp(area.x + 4.0, area.x + area.w - 4.0);
        if release.is_some_and(|release| release > came) {
            let start = x(came).clamp(area.x + 4.0, place);
            waits += &format!("M{} {y}H{}", text::tenths(start), text::tenths(place));
        }
        let held = release.is_some_and(|release| release > at);
        if held || place - last[lane] < APART {
            continue;
        }
        last[lane] = place;
        let (glyph, ink) = match (release.is_some(), fresh) {
            (true, true) => (Glyph::Request, Ink::Ok),
            (false, true) => (Glyph::Failure, Ink::Bad),
            (true, false) => (Glyph::Request, Ink::LineStrong),
            (false, false) => (Glyph::Failure, Ink::LineStrong),
        };
        pencil.mark(glyph, pt(place, y), 3.5, ink);
    }
    if !waits.is_empty() {
        pencil.line(waits, Ink::Warn, 1.5);
    }
}

/// A bracket of one window at its fullest place, and how many went through there.
fn bracket(seen: &Seen, (end, most): (Time, u32), at: Time, area: Rect, pencil: &mut Pencil<'_>) {
    if most == 0 {
        return;
    }
    let window = seen.limiters.rule.window;
    let right = x_of(end, at, seen, area) + 4.0;
    let left = x_of(Time(end.0.saturating_sub(window.0)), at, seen, area) + 4.0;
    let (left, right) = (left.max(area.x), right.min(area.x + area.w));
    let y = area.y + area.h + 2.0;
    let (ink, width) = if u64::from(most) > seen.limiters.rule.limit {
        (Ink::Bad, 2.0)
    } else {
        (Ink::Ink, 1.5)
    };
    pencil.line(format!("M{left} {y}v4H{right}v-4"), ink, width);
    let middle = ((left + right) / 2.0).clamp(area.x + 10.0, area.x + area.w - 10.0);
    pencil.centred(pt(middle, y + 16.0), 14.0, true, ink, most.to_string());
}
