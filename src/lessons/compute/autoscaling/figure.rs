//! The lesson's own figure: the sum of the autoscaler, the stair of pods after the load, what users got, and the bill.

use super::control::{Brake, Fate, Moment, Seen, needed};
use super::{AUTOSCALER, ROOM, ready};
use engine::scene::{Rect, pt};
use engine::text::tenths;
use engine::{Arg, Ink, PartId, Scene, Time};
use kit::figures::label::{Sample, fitting, legend};
use kit::figures::panel;
use kit::figures::plane::Plane;
use kit::figures::shares::{Fill, Shares};
use kit::system::{System, Values};
use std::f32::consts::TAU;

/// Pods needed, ready and wanted.
pub(super) const CHART: PartId = PartId::one("chart");
/// What users got lately.
pub(super) const GOT: PartId = PartId::one("got");
/// Pods, and what they have cost.
pub(super) const BILL: PartId = PartId::one("bill");

/// Whose chain of causes answers for what is drawn here, and for those who only pass requests on.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (CHART, AUTOSCALER),
    (GOT, AUTOSCALER),
    (BILL, AUTOSCALER),
    (PartId::one("users"), AUTOSCALER),
    (PartId::one("balancer"), AUTOSCALER),
];

const PAD: f32 = 12.0;
const GAP: f32 = 8.0;
const CARD_H: f32 = 88.0;
const BILL_H: f32 = 70.0;
const BILL_LOW_H: f32 = 48.0;
const GOT_H: f32 = 64.0;
const CHART_H: f32 = 138.0;
/// How far the chart reaches back, and where a day is shown.
const BACK: Time = Time::s(30);
const BACK_DAY: Time = Time::s(80);

/// Draws all of it and returns the height of what stands under the parts.
pub(super) fn draw(
    system: &System,
    knobs: &Values,
    at: Time,
    area: Rect,
    scene: &mut Scene,
) -> f32 {
    let (y, w) = (area.y + 4.0, area.w - 2.0 * PAD);
    if area.w < 720.0 {
        let mut y = y;
        let mut next = |h: f32| {
            let rect = Rect::new(PAD, y, w, h);
            y += h + GAP;
            rect
        };
        card(system, knobs, at, next(CARD_H), scene);
        chart(system, knobs, at, next(CHART_H), scene);
        got(system, at, next(GOT_H), scene);
        bill(system, at, next(BILL_LOW_H), scene);
        return y - area.y;
    }
    let left = 270.0;
    let right = Rect::new(PAD + left + GAP, y, w - left - GAP, CARD_H + GAP + BILL_H);
    card(system, knobs, at, Rect::new(PAD, y, left, CARD_H), scene);
    let below = Rect::new(PAD, y + CARD_H + GAP, left, BILL_H);
    bill(system, at, below, scene);
    chart(system, knobs, at, right, scene);
    let got = Rect::new(PAD, right.y + right.h + GAP, w, GOT_H);
    self::got(system, at, got, scene);
    got.y + got.h + GAP - area.y
}

/// The autoscaler: its sum, what holds it back, and a hand that goes round once a check.
fn card(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (sum, brake) = (seen.sum, seen.brake);
    let round = |x: f64| Arg::Number((x * 100.0).round() / 100.0);
    let cpu = knobs.whole("metric") == 0;
    let word = ["sum.cpu", "sum.arriving", "sum.inside"][knobs.whole("metric").min(2) as usize];
    let digits = if cpu { 0 } else { 1 };
    let text = |x: f64| engine::text::fixed(x, digits);
    let unit = if cpu { " %" } else { "" };
    let value = f64::from(sum.pods) * sum.metric / sum.target.max(1e-9);
    let line = match brake {
        Brake::Silent => scene.say("sum.silent", &[]),
        Brake::Off => scene.say("sum.off", &[Arg::Count(i64::from(sum.set))]),
        _ => format!(
            "{} × {}{unit} / {}{unit} = {} → {}",
            sum.pods,
            text(sum.metric),
            text(sum.target),
            engine::text::fixed(value, 1),
            sum.wanted
        ),
    };
    let args = match brake {
        Brake::NotReady(n) => [Arg::Count(i64::from(n)), Arg::Count(i64::from(sum.set))],
        Brake::Keeps => [round(knobs.get("keep")), Arg::Count(i64::from(sum.set))],
        _ => [Arg::Count(i64::from(sum.set)), Arg::Count(0)],
    };
    let held = scene.say(brake.word(), &args);
    let head = scene.say(word, &[]);
    let name = scene.name(AUTOSCALER);
    let mut pencil = scene.thing(AUTOSCALER, rect, format!("{head}: {line}. {held}"));
    pencil
        .figure("wanted", f64::from(sum.wanted))
        .figure("set", f64::from(sum.set))
        .figure("metric", sum.metric)
        .figure("keeps", f64::from(u8::from(brake == Brake::Keeps)))
        .figure("close", f64::from(u8::from(brake == Brake::Tolerance)));
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let room = rect.w - 28.0;
    pencil
        .bold(pt(rect.x + 14.0, rect.y + 22.0), 14.5, Ink::Ink, name)
        .text(
            pt(rect.x + 14.0, rect.y + 38.0),
            11.5,
            Ink::Secondary,
            fitting(&[head], 11.5, false, room - 30.0),
        )
        .bold(
            pt(rect.x + 14.0, rect.y + 58.0),
            15.0,
            Ink::Ink,
            fitting(&[line], 15.0, true, room),
        );
    let ink = match brake {
        Brake::Free => Ink::Accent,
        Brake::Tolerance | Brake::Off => Ink::Secondary,
        _ => Ink::Warn,
    };
    pencil.bold(
        pt(rect.x + 14.0, rect.y + 77.0),
        12.0,
        ink,
        fitting(&[held], 12.0, true, room),
    );
    let centre = pt(rect.x + rect.w - 26.0, rect.y + 24.0);
    let r = 11.0;
    let face = Rect::new(centre.x - r, centre.y - r, 2.0 * r, 2.0 * r);
    pencil.bordered(face, r, Ink::None, Ink::LineStrong, 1.5);
    let turn = at.progress(seen.checked, seen.checked + seen.check) * TAU;
    let (sin, cos) = libm::sincosf(turn);
    let hand = format!(
        "M{} {}L{} {}",
        tenths(centre.x),
        tenths(centre.y),
        tenths(centre.x + 8.5 * sin),
        tenths(centre.y - 8.5 * cos)
    );
    pencil.line(hand, Ink::Accent, 2.0);
}

/// Pods needed, ready and wanted over the last while; where more are needed than ready, users pay.
fn chart(system: &System, knobs: &Values, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let tally = seen.tally;
    let back = match knobs.whole("shape") {
        1 => BACK_DAY,
        _ => BACK,
    };
    let since = at.since(tally.since).as_s().floor();
    let count = |n: u32| Arg::Count(i64::from(n));
    let args = [Arg::Number(since), count(tally.hurt), count(tally.came)];
    let (title, short) = (scene.say("chart", &args), scene.say("chart.short", &args));
    let up = ready(system).count();
    let now = Moment {
        at,
        needed: needed(system) as f32,
        ready: up as u16,
        wanted: seen.sum.set as u16,
    };
    let names = ["chart.needed", "chart.ready", "chart.wanted"].map(|id| scene.say(id, &[]));
    let figures = [
        engine::text::fixed(f64::from(now.needed), 1),
        up.to_string(),
        seen.sum.set.to_string(),
    ];
    let pairs: Vec<String> = (names.iter().zip(&figures))
        .map(|(name, figure)| format!("{name} {figure}"))
        .collect();
    // Every line is named, where there is less room without its figure.
    let shown = match rect.w < 330.0 {
        true => names.to_vec(),
        false => pairs.clone(),
    };
    let spoken = format!("{title}; {}", pairs.join(", "));
    let few = scene.say("chart.few", &[]);
    let ends = ["chart.ends", "chart.ends.short"];
    let ends = ends.map(|id| scene.say(id, &[Arg::Number(back.as_s())]));
    let plane = Plane {
        rect: Rect::new(rect.x + 30.0, rect.y + 44.0, rect.w - 42.0, rect.h - 62.0),
        right: back.as_s(),
        top: f64::from(ROOM) + 1.0,
    };
    let mut pencil = scene.thing(CHART, rect, spoken);
    pencil
        .figure("needed", f64::from(now.needed))
        .figure("ready", up as f64)
        .figure("wanted", f64::from(seen.sum.set))
        .figure("hurt", f64::from(tally.hurt))
        .figure("came", f64::from(tally.came))
        .figure(
            "hurt %",
            100.0 * f64::from(tally.hurt) / f64::from(tally.came.max(1)),
        )
        .figure("started", f64::from(tally.started))
        .figure("highest", f64::from(tally.highest));
    let title = fitting(&[title, short], 12.0, true, rect.w - 20.0);
    panel(&mut pencil, rect, title);
    let [needs, readies, wants] = [0, 1, 2].map(|i| shown[i].clone());
    let at_legend = pt(rect.x + 10.0, rect.y + 35.0);
    let entries = [
        (Sample::Line, Ink::Ink, needs),
        (Sample::Ground, Ink::AccentSoft, readies),
        (Sample::Dashed, Ink::Warn, wants),
        (Sample::Ground, Ink::BadSoft, few),
    ];
    legend(&mut pencil, at_legend, rect.x + rect.w - 8.0, entries);
    let moments = seen.history.iter().chain(std::iter::once(&now));
    let moments: Vec<Moment> = moments
        .filter(|it| at.since(it.at) <= back)
        .copied()
        .collect();
    let x = |it: Time| {
        plane
            .at((back.as_s() - at.since(it).as_s()).max(0.0), 0.0)
            .x
    };
    let y = |pods: f32| plane.at(0.0, f64::from(pods)).y;
    let base = y(0.0);
    let (mut stair, mut edge, mut need, mut want, mut wedge) = (
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    );
    for (i, it) in moments.iter().enumerate() {
        let from = tenths(x(it.at));
        let end = moments
            .get(i + 1)
            .map_or(plane.rect.x + plane.rect.w, |next| x(next.at));
        let until = tenths(end);
        let (level, load) = (y(f32::from(it.ready)), y(it.needed));
        stair += &format!(
            "M{from} {}V{}H{until}V{}Z",
            tenths(base),
            tenths(level),
            tenths(base)
        );
        if it.needed > f32::from(it.ready) {
            wedge += &format!(
                "M{from} {}V{}H{until}V{}Z",
                tenths(level),
                tenths(load),
                tenths(level)
            );
        }
        let go = |d: &String| {
            if d.is_empty() {
                format!("M{from} ")
            } else {
                "V".to_owned()
            }
        };
        edge += &format!("{}{}H{until}", go(&edge), tenths(level));
        need += &format!("{}{}H{until}", go(&need), tenths(load));
        want += &format!("{}{}H{until}", go(&want), tenths(y(f32::from(it.wanted))));
    }
    pencil.area(stair, Ink::AccentSoft);
    pencil
        .area(wedge.clone(), Ink::BadSoft)
        .area(wedge, Ink::BadHatch);
    plane.axes(&mut pencil, &[], &[0, 10, 20, 30]);
    pencil
        .line(edge, Ink::Accent, 1.5)
        .dashed_line(want, Ink::Warn, 1.5)
        .line(need, Ink::Ink, 2.0);
    let below = pt(plane.rect.x, rect.y + rect.h - 6.0);
    let ends = fitting(&ends, 11.0, false, plane.rect.w);
    pencil.text(below, 11.0, Ink::Secondary, ends);
}

/// What users got lately.
fn got(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let fates = [
        (Fate::InTime, "got.in-time"),
        (Fate::Late, "got.late"),
        (Fate::GaveUp, "got.gave-up"),
        (Fate::Refused, "got.refused"),
    ];
    let shares = fates.map(|(fate, _)| seen.share(fate, at));
    let args = shares.map(|share| Arg::Share((share * 100.0).round() / 100.0));
    let spoken = scene.say("got.value", &args);
    let title = scene.say("got", &[]);
    let name = |i: usize| {
        let share = engine::text::fixed(shares[i] * 100.0, 0);
        (i, format!("{} {share} %", scene.say(fates[i].1, &[])))
    };
    let names = (0..fates.len()).map(name).collect();
    let mut pencil = scene.thing(GOT, rect, spoken);
    pencil.figure("in time %", shares[0] * 100.0);
    Shares {
        rect,
        title,
        styles: &[
            (Fill::Full, Ink::Ok, Ink::None),
            (Fill::Outline, Ink::Warn, Ink::WarnSoft),
            (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
            (Fill::Full, Ink::Bad, Ink::None),
        ],
        bars: &[(String::new(), shares.to_vec())],
        names,
    }
    .draw(&mut pencil);
}

/// Pods now, and what they have cost since the count began.
fn bill(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let tally = seen.tally;
    let pods = super::pods(system).count();
    let spent = tally.pod_us as f64 / 1e6;
    let since = at.since(tally.since).as_s().floor();
    let args = [Arg::Number(spent.round()), Arg::Number(since)];
    let title = scene.say("bill", &args);
    let now = scene.say("bill.now", &[Arg::Count(pods as i64)]);
    let started = scene.say("bill.started", &[Arg::Count(i64::from(tally.started))]);
    let mut pencil = scene.thing(BILL, rect, format!("{title}, {now}, {started}"));
    pencil
        .figure("pod-s", spent)
        .figure("pods", pods as f64)
        .figure("started", f64::from(tally.started));
    let title = fitting(&[title], 12.0, true, rect.w - 20.0);
    panel(&mut pencil, rect, title);
    let lines = match rect.h < BILL_H {
        true => vec![format!("{now}, {started}")],
        false => vec![now, started],
    };
    for (i, line) in lines.into_iter().enumerate() {
        let p = pt(rect.x + 10.0, rect.y + 37.0 + 19.0 * i as f32);
        let line = fitting(&[line], 12.0, false, rect.w - 20.0);
        pencil.text(p, 12.0, Ink::Ink, line);
    }
}
