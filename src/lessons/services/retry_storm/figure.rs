//! The lesson's own figure: calls that wait for their next try, calls a second against what the service can do, the queue
//! cell by cell, and what users got.

use super::{Fate, LATELY, SAVED, SERVICE, Seen, stalled};
use engine::scene::{Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::label::fitting;
use kit::figures::panel;
use kit::figures::shares::{Fill, Shares};
use kit::system::{Place, System, Values};

/// Calls that pause before their next try.
pub(super) const LANES: PartId = PartId::one("lanes");
/// Calls a second.
pub(super) const RATE_PART: PartId = PartId::one("rate");
/// The queue of the service, a cell a call.
pub(super) const QUEUE: PartId = PartId::one("queue");
/// What users got lately.
pub(super) const GOT: PartId = PartId::one("got");
/// Retries that the budget has saved.
pub(super) const JAR: PartId = PartId::one("jar");

/// Whose chain of causes answers for what is drawn here.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (LANES, PartId::one("users")),
    (RATE_PART, PartId::one("users")),
    (GOT, PartId::one("users")),
    (JAR, PartId::one("users")),
    (QUEUE, PartId::one("service")),
];

/// Rows of the lanes: before the second, third and fourth try; later tries share the last.
const ROWS: usize = 3;
const ROW_H: f32 = 22.0;
const PAD: f32 = 12.0;
/// The scale of the rates ends here, in calls a second.
const TOP: f64 = 200.0;
const CELL: f32 = 8.0;

/// Draws all of it under the parts and returns its height.
pub(super) fn draw(
    system: &System,
    knobs: &Values,
    at: Time,
    area: Rect,
    scene: &mut Scene,
) -> f32 {
    let wide = area.w >= 560.0;
    let y = area.y + 4.0;
    let w = area.w - 2.0 * PAD;
    let (lanes, queue) = if wide {
        let left = (w - PAD) * 0.58;
        (
            Rect::new(PAD, y, left, 96.0),
            Rect::new(PAD + left + PAD, y, w - left - PAD, 96.0),
        )
    } else {
        (
            Rect::new(PAD, y, w, 96.0),
            Rect::new(PAD, y + 104.0, w, 96.0),
        )
    };
    let below = queue.y + queue.h + 8.0;
    let (rate, got) = if wide {
        let left = (w - PAD) * 0.58;
        (
            Rect::new(PAD, below, left, 62.0),
            Rect::new(PAD + left + PAD, below, w - left - PAD, 62.0),
        )
    } else {
        (
            Rect::new(PAD, below, w, 62.0),
            Rect::new(PAD, below + 70.0, w, 62.0),
        )
    };
    self::lanes(system, knobs, at, lanes, scene);
    self::queue(system, knobs, queue, scene);
    self::rate(system, knobs, at, rate, scene);
    self::got(system, at, got, scene);
    got.y + got.h + 8.0 - area.y
}

/// Calls that pause: the right end of a row is their next try.
fn lanes(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let pausing: Vec<(usize, f32, u32)> = system
        .frames()
        .filter(|(_, frame)| frame.place == Place::Pauses)
        .map(|(_, frame)| {
            let left = frame.leg.to.since(at).as_s() / knobs.get("longest").max(0.1);
            let row = usize::from(frame.nth.saturating_sub(1)).min(ROWS - 1);
            (row, 1.0 - left.min(1.0) as f32, frame.number)
        })
        .collect();
    let count = Arg::Count(pausing.len() as i64);
    let title = scene.say("lanes", &[count]);
    let budget = knobs.get("budget") > 0.0;
    let jar_w = if budget { 74.0 } else { 0.0 };
    let labels: Vec<String> = (0..ROWS)
        .map(|row| scene.say("before-try", &[Arg::Count(row as i64 + 2)]))
        .collect();
    let mut pencil = scene.thing(
        LANES,
        Rect::new(rect.x, rect.y, rect.w - jar_w, rect.h),
        title.clone(),
    );
    let whole = Rect::new(rect.x, rect.y, rect.w - jar_w, rect.h);
    pencil.figure("pausing", pausing.len() as f64);
    panel(&mut pencil, whole, title);
    let from = whole.x + 58.0;
    let to = whole.x + whole.w - 14.0;
    let row_y = |row: usize| whole.y + 36.0 + ROW_H * row as f32;
    for (row, label) in labels.iter().enumerate() {
        pencil.text(
            pt(whole.x + 10.0, row_y(row) + 4.0),
            11.0,
            Ink::Secondary,
            label.as_str(),
        );
        pencil.line(format!("M{from} {}H{to}", row_y(row)), Ink::Line, 1.0);
        pencil.line(format!("M{to} {}v12", row_y(row) - 6.0), Ink::Mark, 1.5);
    }
    if budget {
        let saved = system.saved(0);
        let jar = Rect::new(whole.x + whole.w + 8.0, rect.y, jar_w - 8.0, rect.h);
        let value = scene.say("jar", &[Arg::Number((saved * 10.0).floor() / 10.0)]);
        let name = scene.say("jar.name", &[]);
        let mut pencil = scene.thing(JAR, jar, value);
        pencil.figure("saved", saved);
        panel(&mut pencil, jar, fitting(&[name], 12.0, true, jar.w - 20.0));
        for token in 0..SAVED {
            let (column, row) = ((token % 5) as f32, (token / 5) as f32);
            let p = pt(jar.x + 13.0 + column * 10.0, jar.y + 70.0 - row * 14.0);
            let full = f64::from(token + 1) <= saved;
            let dot = Rect::new(p.x - 4.0, p.y - 4.0, 8.0, 8.0);
            pencil.bordered(
                dot,
                4.0,
                if full { Ink::Ok } else { Ink::None },
                Ink::Mark,
                1.0,
            );
        }
    }
    for (row, share, number) in pausing {
        let x = from + (to - from) * share;
        // Dots of one moment stand a little apart, so that many look like many.
        let jitter = (number % 5) as f32 * 2.0 - 4.0;
        scene.particle(
            pt(x, row_y(row) + jitter),
            4.0,
            Glyph::Request,
            Ink::Warn,
            number,
        );
    }
}

/// The queue, a cell a call: filled while its caller waits, hatched once the caller has left.
fn queue(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let places = knobs.whole("queue") as usize;
    let live = system.node(SERVICE).and_then(|live| live.members.get(0));
    let waiting: Vec<bool> = live
        .iter()
        .flat_map(|member| &member.own.pool.queue)
        .filter_map(|key| system.frame(*key))
        .map(|call| system.is_for_nobody(call))
        .collect();
    let nobody = waiting.iter().filter(|left| **left).count();
    let args = [waiting.len(), places, nobody].map(|n| Arg::Count(n as i64));
    let (title, short) = (scene.say("queue", &args), scene.say("queue.short", &args));
    let mut pencil = scene.thing(QUEUE, rect, title.clone());
    pencil
        .figure("waiting", waiting.len() as f64)
        .figure("nobody", nobody as f64)
        .figure(
            "for-nobody %",
            nobody as f64 * 100.0 / waiting.len().max(1) as f64,
        );
    panel(
        &mut pencil,
        rect,
        fitting(&[title, short], 12.0, true, rect.w - 20.0),
    );
    // A cell stands for more than one call where there are more than fit.
    let columns = ((rect.w - 20.0) / CELL).floor().max(1.0) as usize;
    let rows = ((rect.h - 34.0) / CELL).floor().max(1.0) as usize;
    let each = places.div_ceil(columns * rows).max(1);
    for cell in 0..places.div_ceil(each) {
        let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
        let r = Rect::new(
            rect.x + 10.0 + column * CELL,
            rect.y + 26.0 + row * CELL,
            CELL - 1.5,
            CELL - 1.5,
        );
        let held = waiting.get(cell * each..((cell + 1) * each).min(waiting.len()));
        match held.filter(|held| !held.is_empty()) {
            None => pencil.filled(r, 1.5, Ink::Rail),
            Some(held) if held.iter().filter(|left| **left).count() * 2 > held.len() => pencil
                .filled(r, 1.5, Ink::BadSoft)
                .filled(r, 1.5, Ink::BadHatch),
            Some(_) => pencil.filled(r, 1.5, Ink::Accent),
        };
    }
}

/// Calls a second now, first tries and retries, against users and what the service can do.
fn rate(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (first, again) = seen.per_s(at);
    let capacity = knobs.get("capacity");
    let whole = |x: f64| Arg::Count(x.round() as i64);
    let args = [whole(first + again), whole(again)];
    let (title, short) = (scene.say("rate", &args), scene.say("rate.short", &args));
    let can = scene.say("can", &[whole(capacity)]);
    let mut pencil = scene.thing(RATE_PART, rect, format!("{title}, {can}"));
    pencil
        .figure("calls/s", first + again)
        .figure("retries/s", again)
        .figure("most", f64::from(seen.most))
        .figure("capacity/s", capacity);
    panel(
        &mut pencil,
        rect,
        fitting(&[title, short], 12.0, true, rect.w - 20.0),
    );
    let bar = Rect::new(rect.x + 10.0, rect.y + 27.0, rect.w - 20.0, 12.0);
    let x = |rate: f64| bar.x + bar.w * (rate / TOP).clamp(0.0, 1.0) as f32;
    pencil.filled(bar, 3.0, Ink::Rail);
    let split = x(first);
    pencil.filled(
        Rect::new(bar.x, bar.y, split - bar.x, bar.h),
        3.0,
        Ink::Accent,
    );
    let end = x(first + again);
    if end - split > 0.5 {
        let part = Rect::new(split, bar.y, end - split, bar.h);
        pencil.bordered(part, 2.0, Ink::WarnSoft, Ink::Warn, 1.5);
    }
    let tick = x(capacity);
    pencil.line(format!("M{tick} {}v18", bar.y - 3.0), Ink::Ink, 2.0);
    let room = rect.x + rect.w - 10.0 - tick;
    let label_x = if room > 100.0 {
        tick + 4.0
    } else {
        tick - 96.0
    };
    pencil.text(
        pt(label_x, bar.y + 26.0),
        11.0,
        Ink::Ink,
        fitting(&[can], 11.0, false, 110.0),
    );
}

/// What users got lately.
fn got(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let share = |fate: Fate| seen.fates.share(fate as usize, LATELY, at).unwrap_or(0.0);
    let shares = [Fate::First, Fate::Retried, Fate::Error].map(share);
    let args = shares.map(|share| Arg::Share((share * 100.0).round() / 100.0));
    let spoken = scene.say("got.value", &args);
    let title = scene.say(
        if stalled(system) {
            "got.stalled"
        } else {
            "got"
        },
        &[],
    );
    let words = ["got.first", "got.retried", "got.error"];
    let name = |i: usize| format!("{} {}", scene.say(words[i], &[]), percent(shares[i]));
    let names = (0..3).map(|i| (i, name(i))).collect();
    let mut pencil = scene.thing(GOT, rect, spoken);
    pencil
        .figure("first %", shares[0] * 100.0)
        .figure("retried %", shares[1] * 100.0)
        .figure("errors %", shares[2] * 100.0)
        .figure("answered %", (shares[0] + shares[1]) * 100.0);
    Shares {
        rect,
        title,
        styles: &[
            (Fill::Full, Ink::Ok, Ink::None),
            (Fill::Outline, Ink::Hit, Ink::HitSoft),
            (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
        ],
        bars: &[(String::new(), shares.to_vec())],
        names,
    }
    .draw(&mut pencil);
}

fn percent(share: f64) -> String {
    format!("{} %", engine::text::fixed(share * 100.0, 0))
}
