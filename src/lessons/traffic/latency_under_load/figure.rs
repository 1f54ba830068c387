//! The stage: who sends, who stands in line, who works; the curve that draws itself; what users felt beside what is reported.

use super::measure::{Measure, Point};
use super::{
    GIANT, LEAVES, LOOP, PLANNED, Seen, USERS, WORKERS, sender, stands, theory, theory_p99,
};
use algorithms::histogram::Histogram;
use engine::scene::{self, Pencil, Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{Sample, ending, fitting, legend};
use kit::figures::plane::Plane;
use kit::figures::{panel, sockets};
use kit::flow::Key;
use kit::system::{Frame, System, Values};

/// Who asks, if nobody tests.
pub(super) const FROM: PartId = PartId::one("users");
/// Who asks, if somebody tests.
pub(super) const TESTER: PartId = PartId::one("tester");
/// Who waits.
pub(super) const LINE: PartId = PartId::one("line");
/// Who works.
pub(super) const AT_WORK: PartId = PartId::one("workers");
/// Times by load.
pub(super) const CHART: PartId = PartId::one("chart");
/// Times as users felt them.
pub(super) const FELT: PartId = PartId::one("felt");
/// Times as they are reported.
pub(super) const REPORTED: PartId = PartId::one("reported");

/// Whose chain of causes answers for what has none of its own.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (LINE, AT_WORK),
    (CHART, AT_WORK),
    (FELT, AT_WORK),
    (REPORTED, AT_WORK),
    (FROM, AT_WORK),
    (TESTER, AT_WORK),
];

const PAD: f32 = 12.0;
const GAP: f32 = 8.0;
/// The upper row: who sends, the line, the workers.
const TOP_H: f32 = 124.0;
const CHART_H: f32 = 222.0;
const STRIP_H: f32 = 107.0;
/// The curve reaches so many times the work, and twice or four times as far if need be.
const TIMES_TOP: f64 = 30.0;
/// And so much load, in percent.
const LOAD_TOP: f64 = 120.0;
/// Strips reach from here to there, in s, by powers of ten.
const STRIP: [f64; 2] = [0.001, 100.0];
/// Bars of a strip.
const BARS: usize = 40;
/// Whoever must wait walks up to the end of the line in so long.
const WALKS: Time = Time::ms(15);
/// Up to so many workers are sockets, more of them small squares.
const SOCKETS_MAX: usize = 8;
/// Up to so many lines are drawn, of one worker each.
const LINES_MAX: usize = 5;

/// Loads whose means captions lean on.
const MEANS: [(f64, &str); 6] = [
    (10.0, "mean 10"),
    (40.0, "mean 40"),
    (50.0, "mean 50"),
    (80.0, "mean 80"),
    (90.0, "mean 90"),
    (95.0, "mean 95"),
];

/// A time with three figures at most: in ms, from a second on in s.
fn time(s: f64) -> String {
    let ms = s * 1e3;
    match ms {
        ..10.0 => format!("{} ms", text::fixed(ms, 1)),
        ..1_000.0 => format!("{} ms", text::fixed(ms, 0)),
        ..100_000.0 => format!("{} s", text::fixed(s, 2)),
        _ => format!("{} s", text::fixed(s, 0)),
    }
}

/// Draws a run, as [`engine::Sheet::draw`] wants it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let w = scene.width - 2.0 * PAD;
    let narrow = scene.narrow();
    let (who, line, work) = if narrow {
        let half = (w - GAP) / 2.0;
        let top = Rect::new(PAD, 8.0, half, 108.0);
        let work = Rect::new(PAD + half + GAP, 8.0, half, 108.0);
        (top, Rect::new(PAD, 124.0, w, 70.0), work)
    } else {
        let (who_w, work_w) = (124.0, 190.0);
        let who = Rect::new(PAD, 8.0, who_w, TOP_H);
        let work = Rect::new(PAD + w - work_w, 8.0, work_w, TOP_H);
        let x = who.x + who_w + GAP;
        (who, Rect::new(x, 8.0, work.x - GAP - x, TOP_H), work)
    };
    self::who(system, knobs, who, scene);
    self::line(system, knobs, (line, who), at, scene);
    workers(system, knobs, work, at, scene);
    let y = line.y + line.h + GAP;
    let chart_w = if narrow { w } else { (w - GAP) * 0.52 };
    let chart_h = if narrow { 190.0 } else { CHART_H };
    let chart = Rect::new(PAD, y, chart_w, chart_h);
    self::chart(system, knobs, chart, scene);
    let strip_h = if narrow { 96.0 } else { STRIP_H };
    let (x, y, w) = match narrow {
        true => (PAD, y + chart_h + GAP, w),
        false => (PAD + chart_w + GAP, y, w - chart_w - GAP),
    };
    let felt = Rect::new(x, y, w, strip_h);
    let reported = Rect::new(x, y + strip_h + GAP, w, strip_h);
    strips(system, [felt, reported], scene);
    scene.height = (reported.y + reported.h).max(chart.y + chart.h) + PAD;
}

/// Who sends: users, or a tester and what each connection does.
fn who(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let node = sender(knobs);
    let part = if node == USERS { FROM } else { TESTER };
    let load = system.load_per_s(node);
    let name = scene.name(part);
    let connections = Arg::Count(i64::from(knobs.whole("connections")));
    let whole = |rate: f64| Arg::Number((rate * 10.0).round() / 10.0);
    let (status, how) = match node {
        USERS => (scene.say("load", &[whole(load)]), scene.say("open", &[])),
        LOOP => (
            scene.say("connections", &[connections]),
            scene.say("loops", &[]),
        ),
        _ => {
            let how = match knobs.get("sends") {
                super::PACES => "paces",
                _ => "schedules",
            };
            (scene.say("load", &[whole(load)]), scene.say(how, &[]))
        }
    };
    let live = system.node(node);
    let waits: Vec<bool> = match (node, live) {
        (PLANNED, Some(live)) => live.connections().collect(),
        (LOOP, _) => {
            let mine = |frame: &Frame| frame.is_request() && frame.at().0 == LOOP;
            let all = system.frames().filter(|(_, frame)| mine(frame)).count();
            (0..knobs.whole("connections") as usize)
                .map(|nth| nth < all)
                .collect()
        }
        _ => Vec::new(),
    };
    let missed = system.own::<Seen>().measure.missed;
    let mut pencil = scene.thing(part, rect, format!("{status}, {how}"));
    pencil
        .figure("load", load)
        .figure("connections", waits.len() as f64)
        .figure("missed", f64::from(missed));
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let x = rect.x + 12.0;
    pencil.bold(pt(x, rect.y + 24.0), 14.5, Ink::Ink, name);
    pencil.text(pt(x, rect.y + 42.0), 12.5, Ink::Secondary, status);
    let lines = text::wrap(&how, 11.0, false, rect.w - 26.0);
    for (i, line) in lines.into_iter().take(2).enumerate() {
        let p = pt(x, rect.y + 60.0 + 14.0 * i as f32);
        pencil.text(p, 11.0, Ink::Secondary, line);
    }
    // A connection that waits for an answer is hollow: it cannot ask.
    let per_row = ((rect.w - 20.0) / 10.0) as usize;
    let rows = if rect.h > 110.0 { 3 } else { 1 };
    for (i, waits) in waits.iter().take(per_row * rows).enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let dot = Rect::new(x + 10.0 * column, rect.y + 82.0 + 11.0 * row, 8.0, 8.0);
        match waits {
            true => pencil.bordered(dot, 4.0, Ink::None, Ink::Accent, 1.5),
            false => pencil.filled(dot, 4.0, Ink::Accent),
        };
    }
}

/// How large the dot of a call is: its area goes with its work.
fn radius(system: &System, call: &Frame, work: Time) -> f32 {
    let giants = &system.own::<Seen>().giants;
    let takes = match giants.contains(&call.number) {
        true => GIANT,
        false => system.work_of(call).unwrap_or(work),
    };
    let times = takes.as_s() / work.as_s().max(1e-6);
    (5.0 * times.sqrt() as f32).clamp(3.0, 9.0)
}

/// Who stands in line, the next one at the right; and what has just left.
fn line(system: &System, knobs: &Values, (rect, who): (Rect, Rect), at: Time, scene: &mut Scene) {
    let work = knobs.ms("work");
    let narrow = scene.narrow();
    let waiting = system.waiting() as usize;
    let title = scene.say("line", &[Arg::Count(waiting as i64)]);
    let free = scene.say("line.free", &[]);
    let mut said = if waiting == 0 { free } else { title };
    // How long a standstill is felt: until somebody does not wait any longer.
    let seconds = |span: Time| Arg::Tenths((span.as_s() * 10.0).round() as u32);
    let stall = system.own::<Seen>().stall;
    let since = stall.map(|stall| (stall.over.unwrap_or(at).since(stall.began), stall.over));
    if let Some((span, over)) = since {
        let word = if over.is_some() { "felt-for" } else { "feels" };
        said = format!("{said} · {}", scene.say(word, &[seconds(span)]));
    }
    let spoken = said.clone();
    let lines: Vec<Vec<Key>> = system
        .node(WORKERS)
        .into_iter()
        .flat_map(|live| live.members.iter())
        .take(LINES_MAX)
        .map(|member| member.own.pool.queue.iter().copied().take(60).collect())
        .collect();
    let shown = lines.len().max(1) as f32;
    let (top, bottom) = (rect.y + 24.0, rect.y + rect.h - 18.0);
    let pitch = (bottom - top) / shown;
    let mut dots = Vec::new();
    let mut seen = 0;
    for (row, keys) in lines.iter().enumerate() {
        let y = top + pitch * (row as f32 + 0.5);
        let mut x = rect.x + rect.w - 10.0;
        for key in keys {
            let Some(call) = system.frame(*key) else {
                continue;
            };
            let r = radius(system, call, work).min(pitch / 2.0 - 0.5).max(2.0);
            x -= r;
            if x - r < rect.x + 58.0 {
                break;
            }
            // Whoever comes walks up to the end of the line.
            let share = at.progress(call.reached, call.reached + WALKS);
            let from = match narrow {
                true => pt(rect.x + 9.0, y),
                false => pt(who.x + who.w + 9.0, y),
            };
            dots.push((pt(from.x + (x - from.x) * share, y), r, call.number));
            x -= r + 2.0;
            seen += 1;
        }
    }
    let mut pencil = scene.thing(LINE, rect, spoken);
    pencil.figure("waiting", waiting as f64);
    if let Some((span, Some(_))) = since {
        pencil.figure("felt s", (span.as_s() * 10.0).round() / 10.0);
    }
    let said = fitting(&[said], 12.0, true, rect.w - 20.0);
    panel(&mut pencil, rect, said);
    let more = waiting.saturating_sub(seen);
    if more > 0 {
        let p = pt(rect.x + 10.0, (top + bottom) / 2.0 + 4.0);
        pencil.bold(p, 13.0, Ink::Warn, format!("+{more}"));
    }
    for (p, r, number) in dots {
        scene.particle(p, r, Glyph::Request, Ink::Accent, number);
    }
    // Answers, and who was turned away, go back under the line.
    let y = rect.y + rect.h - 9.0;
    for (left, number, refused) in &system.own::<Seen>().left {
        let share = at.progress(*left, *left + LEAVES);
        if share >= 1.0 || *left > at {
            continue;
        }
        let (from, glyph, ink) = match refused {
            true => (rect.x + rect.w * 0.3, Glyph::Failure, Ink::Bad),
            false => (rect.x + rect.w - 6.0, Glyph::Response, Ink::Ok),
        };
        let p = pt(from + (rect.x + 6.0 - from) * share, y);
        scene.particle(p, 4.5, glyph, ink, *number);
    }
}

/// Who works, and how busy they were.
fn workers(system: &System, knobs: &Values, rect: Rect, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let work = knobs.ms("work");
    let Some(live) = system.node(WORKERS) else {
        return;
    };
    let pools = live.members.iter().map(|member| &member.own.pool);
    let held: Vec<Key> = pools.flat_map(|pool| pool.held.iter().copied()).collect();
    let count = knobs.whole("workers") as usize;
    let lately = seen.lately.mean(at) / count as f64;
    let still = stands(system);
    let args = [Arg::Count(held.len() as i64), Arg::Count(count as i64)];
    let status = match (still, seen.stall) {
        (true, Some(stall)) => {
            let left = Arg::Tenths((stall.until.since(at).as_s() * 10.0).ceil() as u32);
            scene.say("still", &[left])
        }
        _ => scene.say("busy", &args),
    };
    let share = Arg::Share((lately * 100.0).round() / 100.0);
    let over = scene.say("lately", &[share]);
    let name = scene.name(AT_WORK);
    let mut pencil = scene.thing(AT_WORK, rect, format!("{status}, {over}"));
    pencil
        .figure("busy", held.len() as f64)
        .figure("busy lately %", (lately * 100.0).round());
    let (border, ink) = match still {
        true => (Ink::Bad, Ink::Bad),
        false => (Ink::LineStrong, Ink::Secondary),
    };
    pencil.bordered(rect, 12.0, Ink::Card, border, if still { 2.0 } else { 1.5 });
    let x = rect.x + 12.0;
    pencil.bold(pt(x, rect.y + 24.0), 14.5, Ink::Ink, name);
    let status = fitting(&[status], 12.5, still, rect.w - 20.0);
    let p = pt(x, rect.y + 42.0);
    match still {
        true => pencil.bold(p, 12.5, ink, status),
        false => pencil.text(p, 12.5, ink, status),
    };
    let meter = Rect::new(x, rect.y + rect.h - 12.0, rect.w - 24.0, 5.0);
    let full = if lately > 0.99 {
        Ink::Warn
    } else {
        Ink::Accent
    };
    pencil.meter(meter, lately.min(1.0) as f32, full, false);
    let over = fitting(&[over], 11.0, false, rect.w - 20.0);
    pencil.text(pt(x, meter.y - 6.0), 11.0, Ink::Secondary, over);
    let place = |i: usize| {
        let pitch = ((rect.w - 24.0) / SOCKETS_MAX as f32).min(20.0);
        pt(x + pitch * (i as f32 + 0.5), rect.y + rect.h - 46.0)
    };
    if count > SOCKETS_MAX {
        // On a narrow stage fewer rows are left over the meter.
        let columns = if rect.h > 110.0 { 25 } else { 34 };
        let size = ((rect.w - 24.0) / columns as f32).min(7.0);
        for i in 0..count {
            let (column, row) = ((i % columns) as f32, (i / columns) as f32);
            let y = rect.y + 48.0 + (size + 0.5) * row;
            let cell = Rect::new(x + size * column, y, size - 1.0, size - 1.0);
            let fill = if i < held.len() {
                Ink::Accent
            } else {
                Ink::Rail
            };
            pencil.filled(cell, 1.0, fill);
        }
        return;
    }
    sockets(&mut pencil, (0..count).map(place));
    for (i, key) in held.iter().take(count).enumerate() {
        if let Some(call) = system.frame(*key) {
            let r = radius(system, call, work);
            scene.particle(place(i), r, Glyph::Request, Ink::Accent, call.number);
        }
    }
}

/// Times by load: what was measured, over what theory says.
fn chart(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let work = knobs.ms("work").as_s();
    let load = match sender(knobs) {
        LOOP => 100.0,
        node => 100.0 * system.load_per_s(node) / super::per_s(100.0, knobs),
    };
    let now = seen.measure.point(load.round());
    let answers = seen.measure.times.total();
    let percent = Arg::Share(load.round() / 100.0);
    let times = |mean: f64| {
        let times = mean / work;
        let step = if times < 2.0 { 100.0 } else { 10.0 };
        Arg::Number((times * step).round() / step)
    };
    let minutes = seen.minutes.as_ref();
    let title = match (minutes, now) {
        (Some(minutes), _) if !minutes.points.is_empty() => {
            let means = minutes.points.iter().map(|point| time(point.mean));
            let means = means.collect::<Vec<_>>().join(", ");
            format!("{} {means}", scene.say("chart.minutes", &[percent]))
        }
        (_, Some(point)) => {
            let words = scene.say("chart", &[percent, times(point.mean)]);
            words.replace("[t]", &time(point.mean))
        }
        (_, None) => scene.say("chart.wait", &[percent, Arg::Count(answers as i64)]),
    };
    let said = seen.curve.points.iter().map(|point| {
        let load = text::fixed(point.busy, 0);
        format!("{load} %: {}", time(point.mean))
    });
    let said = said.collect::<Vec<_>>().join(", ");
    let spoken = format!("{title}; {said}");
    let names = ["chart.mean", "chart.p99", "chart.theory"].map(|id| scene.say(id, &[]));
    let axes = ["chart.busy", "chart.ms"].map(|id| scene.say(id, &[]));
    let mut pencil = scene.thing(CHART, rect, spoken);
    pencil.figure("answers", answers as f64);
    for (load, name) in MEANS {
        if let Some(mean) = seen.curve.at(load) {
            pencil.figure(name, mean * 1e3);
        }
    }
    if let Some(point) = now {
        pencil
            .figure("mean", point.mean * 1e3)
            .figure("times", point.mean / work)
            .figure("p99", point.p99 * 1e3);
    }
    if let Some(minutes) = minutes {
        pencil
            .figure("minutes", minutes.points.len() as f64)
            .figure("largest over smallest", minutes.ratio())
            .figure("mean of p99", minutes.mean_p99() * 1e3);
    }
    panel(
        &mut pencil,
        rect,
        fitting(&[title], 12.0, true, rect.w - 20.0),
    );
    let [mean, p99, line] = names;
    let y = rect.y + 36.0;
    let mut x = rect.x + 14.0;
    for (filled, label) in [(true, mean), (false, p99)] {
        dot(&mut pencil, pt(x, y - 4.0), 4.0, filled);
        pencil.text(pt(x + 8.0, y), 12.0, Ink::Secondary, label.as_str());
        x += 24.0 + text::width(&label, 12.0, false);
    }
    legend(
        &mut pencil,
        pt(x, y),
        rect.x + rect.w - 6.0,
        [(Sample::Line, Ink::Hit, line)],
    );
    let mut top = TIMES_TOP * work * 1e3;
    while now.is_some_and(|now| now.mean * 1e3 > top) {
        top *= 2.0;
    }
    let plane = Plane {
        rect: Rect::new(rect.x + 40.0, rect.y + 48.0, rect.w - 56.0, rect.h - 72.0),
        right: LOAD_TOP,
        top,
    };
    // On a narrow chart the unit stands where the last figure would.
    let across: &[u32] = match rect.w < 400.0 {
        true => &[0, 20, 40, 60, 80],
        false => &[0, 20, 40, 60, 80, 100],
    };
    plane.axes(&mut pencil, across, &plane.marks(5));
    let [busy, ms] = axes;
    ending(
        &mut pencil,
        pt(rect.x + rect.w - 8.0, plane.rect.y + plane.rect.h + 14.0),
        11.0,
        false,
        Ink::Secondary,
        busy,
    );
    pencil.text(
        pt(plane.rect.x + 4.0, plane.rect.y + 10.0),
        11.0,
        Ink::Secondary,
        ms,
    );
    let x = plane.at(load, 0.0).x;
    let p = plane.rect;
    pencil.dashed_line(
        format!("M{} {}v{}", tenths(x), tenths(p.y), tenths(p.h)),
        Ink::Mark,
        1.0,
    );
    // Theory goes as far as somebody has measured: what comes after is for the learner to find out.
    let points = &seen.curve.points;
    let reach = points.iter().map(|point| point.busy).fold(0.0, f64::max);
    let loads = || (1..=240).map(|half| f64::from(half) * 0.5);
    for of in [theory, theory_p99] {
        let line = loads().filter(|load| *load <= reach);
        let line = line.filter_map(|load| Some((load, of(load, knobs)? * 1e3)));
        let line = line.take_while(|(_, ms)| *ms <= plane.top);
        pencil.line(plane.path(line), Ink::Hit, 1.0);
    }
    let others = |point: &&Point| now.is_none_or(|now| now.busy != point.busy);
    for point in points.iter().filter(others) {
        measured(&mut pencil, &plane, point, false);
    }
    // Minutes stand side by side, behind what they are together.
    for (nth, point) in minutes.iter().flat_map(|it| &it.points).enumerate() {
        let p = plane.at(point.busy, point.mean * 1e3);
        dot(
            &mut pencil,
            pt(p.x + 14.0 + 10.0 * nth as f32, p.y),
            4.0,
            true,
        );
    }
    match (minutes, now) {
        (Some(minutes), _) => {
            if let Some(all) = minutes.all.point(load.round()) {
                measured(&mut pencil, &plane, &all, true);
            }
        }
        (None, Some(now)) => measured(&mut pencil, &plane, &now, true),
        (None, None) => {}
    }
}

/// A disc for a mean, a ring for a percentile.
fn dot(pencil: &mut Pencil<'_>, p: scene::Point, r: f32, filled: bool) {
    let b = Rect::new(p.x - r, p.y - r, 2.0 * r, 2.0 * r);
    match filled {
        true => pencil.filled(b, r, Ink::Accent),
        false => pencil.bordered(b, r, Ink::Card, Ink::Warn, 1.5),
    };
}

/// A mean with two standard errors on both sides, and its 99th percentile.
fn measured(pencil: &mut Pencil<'_>, plane: &Plane, point: &Point, current: bool) {
    let mean = plane.at(point.busy, point.mean * 1e3);
    if let Some(error) = point.error {
        let ends = [-2.0, 2.0].map(|side| point.mean + side * error);
        let [low, high] = ends.map(|end| plane.at(point.busy, end.max(0.0) * 1e3).y);
        let x = mean.x;
        pencil.line(
            format!(
                "M{} {}V{}M{} {}h8M{} {}h8",
                tenths(x),
                tenths(low),
                tenths(high),
                tenths(x - 4.0),
                tenths(low),
                tenths(x - 4.0),
                tenths(high)
            ),
            Ink::Accent,
            1.0,
        );
    }
    let p99 = plane.at(point.busy, point.p99 * 1e3);
    if point.p99 * 1e3 <= plane.top {
        dot(pencil, p99, 3.5, false);
    } else {
        // It lies farther up than the chart goes.
        let (x, y) = (tenths(p99.x - 4.5), tenths(p99.y + 8.0));
        pencil.line(format!("M{x} {y}l4.5 -7l4.5 7Z"), Ink::Warn, 1.5);
    }
    if current {
        let halo = Rect::new(mean.x - 8.0, mean.y - 8.0, 16.0, 16.0);
        pencil.bordered(halo, 8.0, Ink::None, Ink::Accent, 1.5);
    }
    dot(pencil, mean, if current { 5.0 } else { 4.0 }, true);
}

/// What users felt, and what is reported.
fn strips(system: &System, [felt, reported]: [Rect; 2], scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let measure = match &seen.minutes {
        Some(minutes) if minutes.points.len() == super::MINUTES => &minutes.all,
        _ => &seen.measure,
    };
    let own = &measure.times;
    // What a paced tester did not ask: as its correction has it, which makes up for what is missing.
    let made_up = match seen.interval {
        Some(interval) if !seen.corrects => Some(own.corrected(interval.0)),
        _ => None,
    };
    let unknown = seen.sender == LOOP;
    let title = match (seen.sender, seen.interval) {
        (USERS, _) => "felt",
        (LOOP, _) => "felt.unknown",
        (_, None) => "felt.plan",
        (_, Some(_)) => "felt.missed",
    };
    let title = scene.say(title, &[Arg::Count(i64::from(measure.missed))]);
    let all = made_up.as_ref().unwrap_or(own);
    let none = Histogram::new(3);
    let all = if unknown { &none } else { all };
    strip(
        (FELT, Ink::Accent),
        (title, all),
        made_up.is_some().then_some(own),
        felt,
        measure,
        scene,
    );
    let word = match (seen.sender, seen.corrects && seen.interval.is_some()) {
        (USERS, _) => "reported.same",
        (_, true) => "reported.corrected",
        (_, false) => "reported",
    };
    let answers = Arg::Count(own.total() as i64);
    let mut title = scene.say(word, &[answers]);
    if measure.refused > 0 {
        let loss = Arg::Share((measure.loss() * 100.0).round() / 100.0);
        title = format!("{title}, {}", scene.say("refused", &[loss]));
    }
    // What says the same again is pale.
    let ink = if seen.sender == USERS {
        Ink::AccentSoft
    } else {
        Ink::Accent
    };
    strip(
        (REPORTED, ink),
        (title, own),
        None,
        reported,
        measure,
        scene,
    );
}

/// A histogram on a logarithmic axis, with what people read from it. `solid` are those of its values that were measured; the rest
/// is made up.
fn strip(
    (part, ink): (PartId, Ink),
    (title, times): (String, &Histogram),
    solid: Option<&Histogram>,
    rect: Rect,
    measure: &Measure,
    scene: &mut Scene,
) {
    let s = |us: u64| Time(us).as_s();
    let of = |per_mille: u32| times.at_per_mille(per_mille).map(s);
    let mean = times.mean().map(|us| us / 1e6);
    let tells = times.total() >= 20;
    let value = |value: Option<f64>| match value.filter(|_| tells) {
        Some(value) => time(value),
        None => "–".to_owned(),
    };
    // Few answers have a slowest one, and no 99th percentile.
    let (last, tail) = match times.total() {
        300.. => ("p99", of(990)),
        _ => ("most", times.max().map(s)),
    };
    let numbers = [
        ("mean", value(mean)),
        ("p50", value(of(500))),
        ("p95", value(of(950))),
        (last, value(tail)),
    ];
    let numbers: Vec<String> = numbers
        .iter()
        .map(|(id, value)| format!("{} {value}", scene.say(id, &[])))
        .collect();
    let mut spoken = numbers.join(", ");
    if title != scene.name(part) {
        spoken = format!("{title}: {spoken}");
    }
    let mut pencil = scene.thing(part, rect, spoken);
    pencil
        .figure("answers", times.total() as f64)
        .figure("missed", f64::from(measure.missed))
        .figure("refused %", measure.loss() * 100.0);
    for (name, at) in [("mean", mean), ("p95", of(950)), ("p99", of(990))] {
        if let Some(at) = at {
            pencil.figure(name, at * 1e3);
        }
    }
    panel(
        &mut pencil,
        rect,
        fitting(&[title], 12.0, true, rect.w - 20.0),
    );
    // As many of the numbers as there is room for, the last one first: it is what the lesson is about.
    let (last, first) = numbers
        .split_last()
        .map_or(("", &[][..]), |(l, f)| (l.as_str(), f));
    let y = rect.y + 35.0;
    let right = rect.x + rect.w - 10.0;
    ending(&mut pencil, pt(right, y), 12.5, true, Ink::Ink, last);
    let room = rect.w - 34.0 - text::width(last, 12.5, true);
    let rest = [
        first.join(" · "),
        first[..first.len().min(2)].join(" · "),
        String::new(),
    ];
    let rest = fitting(&rest, 12.0, false, room);
    pencil.text(pt(rect.x + 10.0, y), 12.0, Ink::Secondary, rest);
    let axis = Rect::new(rect.x + 14.0, rect.y + 42.0, rect.w - 28.0, rect.h - 60.0);
    let decades = libm::log10(STRIP[1] / STRIP[0]);
    let share = |s: f64| (libm::log10(s.max(1e-6) / STRIP[0]) / decades).clamp(0.0, 1.0) as f32;
    let base = axis.y + axis.h;
    for (nth, label) in ["1 ms", "10", "100", "1 s", "10", "100"]
        .into_iter()
        .enumerate()
    {
        let x = axis.x + axis.w * nth as f32 / decades as f32;
        let mark = format!("M{} {}v4", tenths(x), tenths(base));
        pencil.line(mark, Ink::LineStrong, 1.0);
        pencil.centred(pt(x, base + 14.0), 11.0, false, Ink::Secondary, label);
    }
    let floor = format!("M{} {}h{}", tenths(axis.x), tenths(base), tenths(axis.w));
    pencil.line(floor, Ink::LineStrong, 1.0);
    let bars = |times: &Histogram| {
        let mut bars = [0_u32; BARS];
        for (us, count) in times.buckets() {
            let bar = (share(s(us)) * BARS as f32) as usize;
            bars[bar.min(BARS - 1)] += count;
        }
        bars
    };
    let all = bars(times);
    let real = solid.map_or(all, bars);
    let most = all.iter().copied().max().unwrap_or(0).max(1);
    let w = axis.w / BARS as f32;
    // By the cube root, so that few can be seen beside thousands.
    let height = |count: u32| match count {
        0 => 0.0,
        _ => (libm::cbrt(f64::from(count) / f64::from(most)) as f32 * axis.h).max(5.0),
    };
    for (i, (all, real)) in all.iter().zip(&real).enumerate() {
        let x = axis.x + w * i as f32;
        let (high, solid) = (height(*all), height(*real));
        if high > solid {
            let b = Rect::new(x + 0.5, base - high, w - 1.0, high);
            pencil.bordered(b, 0.0, Ink::BadSoft, Ink::Bad, 1.0);
        }
        if solid > 0.0 {
            let b = Rect::new(x + 0.5, base - solid, w - 1.0, solid);
            pencil.bordered(b, 1.0, ink, Ink::Accent, 0.5);
        }
    }
    if let Some(at) = tail.filter(|_| tells) {
        let x = axis.x + axis.w * share(at);
        let mark = format!("M{} {}v{}", tenths(x), tenths(axis.y), tenths(axis.h));
        pencil.line(mark, Ink::Warn, 2.0);
    }
}
