//! The lesson's own figure: who is told what, capacity by cores as measured, what users got, and the bill.

use super::{FLIGHT, Fate, MACHINES, MOST, Seen, computing};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time};
use kit::figures::label::{Sample, fitting, legend};
use kit::figures::panel;
use kit::figures::plane::Plane;
use kit::figures::shares::{Fill, Shares};
use kit::system::{System, Values};

/// Requests a second by cores.
pub(super) const CHART: PartId = PartId::one("chart");
/// What users got lately.
pub(super) const GOT: PartId = PartId::one("got");
/// What it costs.
pub(super) const BILL: PartId = PartId::one("bill");

/// Whose chain of causes answers for what is drawn here, and for those who only pass requests on.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (CHART, PartId::one("stock")),
    (GOT, PartId::one("stock")),
    (BILL, PartId::one("stock")),
    (PartId::one("users"), PartId::one("stock")),
    (PartId::one("balancer"), PartId::one("stock")),
];

const PAD: f32 = 12.0;
const CHART_H: f32 = 170.0;
const GOT_H: f32 = 78.0;
const BILL_H: f32 = 84.0;

/// Figures of the chart, by cores.
const POINTS: [[&str; MOST + 1]; 2] = [
    [
        "up 0", "up 1", "up 2", "up 3", "up 4", "up 5", "up 6", "up 7", "up 8",
    ],
    [
        "out 0", "out 1", "out 2", "out 3", "out 4", "out 5", "out 6", "out 7", "out 8",
    ],
];

/// Draws all of it and returns the height of what stands under the parts.
pub(super) fn draw(
    system: &System,
    knobs: &Values,
    at: Time,
    area: Rect,
    scene: &mut Scene,
) -> f32 {
    messages(system, at, scene);
    let wide = area.w >= 560.0;
    let (y, w) = (area.y + 4.0, area.w - 2.0 * PAD);
    let left = if wide { (w - PAD) * 0.58 } else { w };
    let chart = Rect::new(PAD, y, left, CHART_H);
    self::chart(system, knobs, chart, scene);
    let (x, below, w) = match wide {
        true => (PAD + left + PAD, y, w - left - PAD),
        false => (PAD, y + CHART_H + 8.0, w),
    };
    let got = Rect::new(x, below, w, GOT_H);
    self::got(system, at, got, scene);
    let bill = Rect::new(x, got.y + GOT_H + 8.0, w, BILL_H);
    self::bill(system, at, bill, scene);
    (bill.y + bill.h).max(chart.y + chart.h) + 8.0 - area.y
}

/// Where a part stands.
fn card(scene: &Scene, id: PartId) -> Option<Rect> {
    let part = scene.parts().iter().find(|part| part.id == id)?;
    Some(part.frame)
}

/// Messages from who has the stock to each other machine, drawn slower than they are.
fn messages(system: &System, at: Time, scene: &mut Scene) {
    let Some(live) = system.node(MACHINES) else {
        return;
    };
    let frames: Vec<Option<Rect>> = (0..live.members.len())
        .map(|i| card(scene, live.node.part_of(i)))
        .collect();
    let Some(stock) = card(scene, PartId::one("stock")) else {
        return;
    };
    let narrow = scene.narrow();
    let from = if narrow {
        pt(stock.x + 20.0, stock.y)
    } else {
        pt(stock.x, stock.y + 41.0)
    };
    for hold in &system.own::<Seen>().holds {
        let told = (0..MOST).filter(|i| *i != hold.by && hold.up & 1 << i != 0);
        for (nth, member) in told.enumerate() {
            let leaves = hold.began + hold.shared + Time(hold.each.0 * nth as u64);
            if at < leaves || at.since(leaves) >= FLIGHT || hold.each == Time::ZERO {
                continue;
            }
            let Some(Some(rect)) = frames.get(member) else {
                continue;
            };
            let to = if narrow {
                pt(rect.x + rect.w, rect.centre().y)
            } else {
                pt(rect.x + rect.w, rect.y + 15.0)
            };
            let p = between(from, to, at.progress(leaves, leaves + FLIGHT), narrow);
            scene.particle(p, 3.0, Glyph::Message, Ink::Warn, 0);
        }
    }
}

/// On the way from the stock to a machine, on a narrow stage beside the cards.
fn between(from: Point, to: Point, share: f32, narrow: bool) -> Point {
    if !narrow {
        return pt(
            from.x + (to.x - from.x) * share,
            from.y + (to.y - from.y) * share,
        );
    }
    let lane = to.x + 16.0;
    let legs = [(lane - from.x).abs(), (from.y - to.y).abs(), 16.0];
    let gone = share * legs.iter().sum::<f32>();
    if gone < legs[0] {
        pt(from.x + gone, from.y - 6.0)
    } else if gone < legs[0] + legs[1] {
        pt(lane, from.y - 6.0 - (gone - legs[0]))
    } else {
        pt(lane - (gone - legs[0] - legs[1]), to.y)
    }
}

/// Measured capacity by cores, against what it would be if nothing were shared.
fn chart(system: &System, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let alone = (computing(knobs) + knobs.ms("shared")).as_s().max(1e-6);
    let now = seen.shop.cores;
    let count = |n: f64| Arg::Count(n.round() as i64);
    let cores = Arg::Count(now as i64);
    let (title, short) = match (now, seen.rate) {
        (0, _) => ("chart.down", "chart.down"),
        (_, None) => ("chart.wait", "chart.wait"),
        (_, Some(_)) => ("chart", "chart.short"),
    };
    let args = [cores, count(seen.rate.unwrap_or(0.0))];
    let (title, short) = (scene.say(title, &args), scene.say(short, &args));
    let list = |out: bool| -> String {
        let points = (1..=MOST).filter_map(|cores| Some((cores, seen.point(out, cores)?)));
        let said = points.map(|(cores, rate)| format!("{cores}: {}", rate.round()));
        said.collect::<Vec<_>>().join(", ")
    };
    let names =
        ["chart.up", "chart.out", "chart.alone", "chart.cores"].map(|id| scene.say(id, &[]));
    let spoken = format!(
        "{title}; {} {}; {} {}",
        names[1],
        list(true),
        names[0],
        list(false)
    );
    let plane = Plane {
        rect: Rect::new(rect.x + 40.0, rect.y + 44.0, rect.w - 56.0, rect.h - 66.0),
        right: MOST as f64 + 0.4,
        top: MOST as f64 / alone * 1.05,
    };
    // Every line is named, where there is less room by shorter names.
    let shown = match rect.w < 400.0 {
        true => ["chart.up.short", "chart.out.short", "chart.alone.short"],
        false => ["chart.up", "chart.out", "chart.alone"],
    };
    let shown = shown.map(|id| scene.say(id, &[]));
    let mut pencil = scene.thing(CHART, rect, spoken);
    for (out, names) in [(false, &POINTS[0]), (true, &POINTS[1])] {
        for (cores, name) in names.iter().enumerate().skip(1) {
            if let Some(rate) = seen.point(out, cores) {
                pencil.figure(name, rate.round());
            }
        }
    }
    panel(
        &mut pencil,
        rect,
        fitting(&[title, short], 12.0, true, rect.w - 20.0),
    );
    let [.., cores] = names;
    let [up, out, ideal] = shown;
    legend(
        &mut pencil,
        pt(rect.x + 10.0, rect.y + 35.0),
        rect.x + rect.w - 8.0,
        [
            (Sample::Line, Ink::Accent, out),
            (Sample::Line, Ink::Hit, up),
            (Sample::Dashed, Ink::Mark, ideal),
        ],
    );
    plane.axes(&mut pencil, &[1, 2, 3, 4, 5, 6, 7, 8], &plane.marks(4));
    let label = pt(plane.rect.x - 30.0, rect.y + rect.h - 8.0);
    pencil.text(
        label,
        11.0,
        Ink::Secondary,
        fitting(&[cores], 11.0, false, 34.0),
    );
    let end = MOST as f64;
    pencil.dashed_line(plane.path([(0.0, 0.0), (end, end / alone)]), Ink::Mark, 1.5);
    for (out, ink) in [(false, Ink::Hit), (true, Ink::Accent)] {
        let points = || (1..=MOST).filter_map(|cores| Some((cores, seen.point(out, cores)?)));
        let d = plane.path(points().map(|(cores, rate)| (cores as f64, rate)));
        pencil.line(d, ink, 1.5);
        for (cores, rate) in points() {
            let p = plane.at(cores as f64, rate);
            let current = seen.shop.out == out && cores == now && seen.rate.is_some();
            point(&mut pencil, p, out, ink, current);
            // Below what grows, as long as that is not among the figures of the axis.
            let below = out && p.y + 20.0 < plane.rect.y + plane.rect.h;
            let label = pt(p.x, if below { p.y + 16.0 } else { p.y - 8.0 });
            let bold = current;
            let color = if current { Ink::Ink } else { Ink::Secondary };
            pencil.centred(label, 11.0, bold, color, format!("{}", rate.round()));
        }
    }
}

/// A disc for machines side by side, a square for one that grows.
fn point(pencil: &mut Pencil<'_>, p: Point, out: bool, ink: Ink, current: bool) {
    let r = if current { 5.5 } else { 4.0 };
    let radius = if out { r } else { 1.0 };
    let square = Rect::new(p.x - r, p.y - r, 2.0 * r, 2.0 * r);
    pencil.bordered(
        square,
        radius,
        ink,
        if current { Ink::Ink } else { ink },
        1.5,
    );
}

/// What users got lately.
fn got(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let fates = [
        (Fate::InTime, "got.in-time"),
        (Fate::Late, "got.late"),
        (Fate::Refused, "got.refused"),
        (Fate::Lost, "got.lost"),
        (Fate::LoggedOut, "got.logged-out"),
    ];
    let shares = fates.map(|(fate, _)| seen.share(fate, at));
    let args = shares.map(|share| Arg::Share((share * 100.0).round() / 100.0));
    let spoken = scene.say("got.value", &args);
    let per_s = seen.in_time(at);
    let title = scene.say("got", &[Arg::Count(per_s.round() as i64)]);
    let name = |i: usize| {
        let share = engine::text::fixed(shares[i] * 100.0, 0);
        format!("{} {share} %", scene.say(fates[i].1, &[]))
    };
    // Those that nobody met lately stand last, so that the others find room.
    let shown = (0..fates.len()).filter(|i| *i < 3 || shares[*i] > 0.0);
    let (met, unmet): (Vec<usize>, Vec<usize>) = shown.partition(|i| shares[*i] > 0.0);
    let order = met.into_iter().chain(unmet);
    let names = order.map(|i| (i, name(i))).collect();
    let mut pencil = scene.thing(GOT, rect, spoken);
    pencil
        .figure("in time %", shares[0] * 100.0)
        .figure("in time/s", per_s)
        .figure("late %", shares[1] * 100.0)
        .figure("refused %", shares[2] * 100.0)
        .figure("lost %", shares[3] * 100.0)
        .figure("logged out", f64::from(seen.logged_out));
    Shares {
        rect,
        title,
        styles: &[
            (Fill::Full, Ink::Ok, Ink::None),
            (Fill::Outline, Ink::Warn, Ink::WarnSoft),
            (Fill::Hatched, Ink::BadHatch, Ink::BadSoft),
            (Fill::Full, Ink::Bad, Ink::None),
            (Fill::Outline, Ink::Hit, Ink::HitSoft),
        ],
        bars: &[(String::new(), shares.to_vec())],
        names,
    }
    .draw(&mut pencil);
}

/// What it costs an hour, and for a million answers in time.
fn bill(system: &System, at: Time, rect: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let per_s = seen.in_time(at);
    let cents = |dollars: f64| Arg::Number((dollars * 100.0).round() / 100.0);
    let title = scene.say(
        if seen.steep { "bill.steep" } else { "bill" },
        &[cents(seen.bill)],
    );
    let per_million = (per_s >= 1.0).then(|| seen.bill / (per_s * 3_600.0) * 1e6);
    let each = match per_million {
        Some(dollars) => scene.say("bill.each", &[cents(dollars)]),
        None => scene.say("bill.none", &[]),
    };
    let logged = scene.say("logged-out", &[Arg::Count(i64::from(seen.logged_out))]);
    let spoken = format!("{title}, {each}, {logged}");
    let mut pencil = scene.thing(BILL, rect, spoken);
    pencil.figure("$/h", seen.bill);
    panel(
        &mut pencil,
        rect,
        fitting(&[title], 12.0, true, rect.w - 20.0),
    );
    let lines = [each, logged];
    for (i, line) in lines.into_iter().enumerate() {
        let p = pt(rect.x + 10.0, rect.y + 42.0 + 20.0 * i as f32);
        pencil.text(
            p,
            12.0,
            Ink::Ink,
            fitting(&[line], 12.0, false, rect.w - 20.0),
        );
    }
}
