//! The stage: machines on a ring or in zones, a dot for every set of machines that can die together, what follows.

use super::model::{
    COPYING, Fleet, HOP, LOADS, Machine, RISKS, SETS, State, machine_part, zone_part,
};
use super::placer::named;
use super::settings::Settings;
use algorithms::copysets::{Set, ways};
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::DOT;
use kit::figures::bars::{Bar, bars};
use kit::figures::label::{ending, fitting};
use libm::{cosf, sinf};
use std::fmt::Write;
use text::tenths;

/// A machine's box.
const BOX: (f32, f32) = (40.0, 30.0);
/// A zone's label.
const CHIP: f32 = 24.0;
/// A dot of the matrix stands at most so far from the next.
const PITCH: f32 = 21.0;
/// The share of a write's time that it takes to reach the leader.
const ENTRY: f32 = 0.3;

/// The colour of a zone.
fn ink(zone: u8) -> Ink {
    [Ink::MemberA, Ink::MemberB, Ink::MemberC, Ink::MemberD][usize::from(zone) % 4]
}

/// Where everything is.
struct Layout {
    machines: Vec<Point>,
    /// The labels of zones.
    chips: Vec<Rect>,
    /// The ring, if machines stand on one: its middle and half its width and height.
    ring: Option<(Point, (f32, f32))>,
    /// The grounds of the zones otherwise.
    grounds: Vec<Rect>,
    sets: Rect,
    risks: Rect,
    loads: Rect,
}

impl Layout {
    fn new(fleet: &Fleet, scene: &mut Scene) -> Layout {
        let wide = !scene.narrow();
        let left = if wide {
            (scene.width * 0.44 - 12.0).min(390.0)
        } else {
            scene.width - 24.0
        };
        let area = Rect::new(12.0, 8.0, left, 296.0);
        let x = if wide { area.x + area.w + 22.0 } else { 12.0 };
        let w = scene.width - 12.0 - x;
        let sets = Rect::new(
            x,
            if wide { 8.0 } else { 312.0 },
            w,
            if wide { 236.0 } else { 214.0 },
        );
        let risks = Rect::new(x, sets.y + sets.h + 8.0, w, 152.0);
        let loads = if wide {
            Rect::new(12.0, 312.0, left, 92.0)
        } else {
            Rect::new(12.0, risks.y + risks.h + 8.0, left, 92.0)
        };
        scene.height = if wide { 412.0 } else { loads.y + loads.h + 8.0 };
        let mut layout = Layout {
            machines: Vec::new(),
            chips: Vec::new(),
            ring: None,
            grounds: Vec::new(),
            sets,
            risks,
            loads,
        };
        if fleet.rule().rings() {
            layout.on_ring(fleet, area);
        } else {
            layout.in_zones(fleet, area);
        }
        layout
    }

    fn on_ring(&mut self, fleet: &Fleet, area: Rect) {
        let c = area.centre();
        let half = (((area.w - BOX.0) / 2.0).min(150.0), (area.h - BOX.1) / 2.0);
        self.ring = Some((c, half));
        let n = fleet.machines.len() as f32;
        self.machines = (0..fleet.machines.len())
            .map(|one| around(c, half, one as f32 / n))
            .collect();
        let zones = f32::from(fleet.zones);
        let top = c.y - (zones * (CHIP + 4.0) - 4.0) / 2.0;
        self.chips = (0..fleet.zones)
            .map(|zone| Rect::new(c.x - 46.0, top + f32::from(zone) * (CHIP + 4.0), 92.0, CHIP))
            .collect();
    }

    fn in_zones(&mut self, fleet: &Fleet, area: Rect) {
        const ROWS: usize = 6;
        let sizes: Vec<usize> = (0..fleet.zones)
            .map(|zone| fleet.machines.iter().filter(|one| one.zone == zone).count())
            .collect();
        let columns: Vec<usize> = sizes
            .iter()
            .map(|size| size.div_ceil(ROWS).max(1))
            .collect();
        let all: usize = columns.iter().sum();
        let gap = 6.0;
        let each = (area.w - gap * (sizes.len() as f32 - 1.0)) / all as f32;
        self.machines = vec![Point::default(); fleet.machines.len()];
        let mut x = area.x;
        for (zone, count) in columns.iter().enumerate() {
            let ground = Rect::new(x, area.y, each * *count as f32, area.h);
            let chip = (ground.w - 8.0).min(110.0);
            self.chips.push(Rect::new(
                ground.centre().x - chip / 2.0,
                ground.y + 4.0,
                chip,
                CHIP,
            ));
            let rows = sizes[zone].div_ceil(*count);
            let room = ground.h - CHIP - 8.0;
            let here = fleet.machines.iter().enumerate();
            let here = here.filter(|(_, one)| usize::from(one.zone) == zone);
            for (place, (number, _)) in here.enumerate() {
                let (column, row) = ((place / rows) as f32, (place % rows) as f32);
                self.machines[number] = pt(
                    ground.x + each * (column + 0.5),
                    ground.y + CHIP + 8.0 + room * (row + 0.5) / rows as f32,
                );
            }
            self.grounds.push(ground);
            x += ground.w + gap;
        }
    }

    fn at(&self, machine: u8) -> Point {
        self.machines
            .get(usize::from(machine))
            .copied()
            .unwrap_or_default()
    }

    /// Where a write comes from: its key on the ring, or above the machines.
    fn entry(&self, fleet: &Fleet, knobs: &Settings, partition: usize) -> Option<Point> {
        let (c, half) = self.ring?;
        let turn = f64::from(fleet.key(partition)) / 4_294_967_296.0;
        let exact = knobs.points == 1 && !knobs.scattered && fleet.machines.len() == all(knobs);
        // Inside the machines, so that none covers it.
        let half = (half.0 - 40.0, half.1 - 32.0);
        exact.then(|| around(c, half, turn as f32))
    }
}

/// As many machines as the knob asks for; one more may have been added.
fn all(knobs: &Settings) -> usize {
    knobs.zones.0.iter().map(|size| usize::from(*size)).sum()
}

/// A share of the way round, clockwise from the top.
fn around(c: Point, half: (f32, f32), share: f32) -> Point {
    let angle = share * std::f32::consts::TAU;
    pt(c.x + half.0 * sinf(angle), c.y - half.1 * cosf(angle))
}

pub(super) fn draw(fleet: &Fleet, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::new(fleet, scene);
    grounds(fleet, knobs, &layout, scene);
    for zone in 0..fleet.zones {
        chip(zone, fleet, &layout, scene);
    }
    for (number, one) in (0..).zip(&fleet.machines) {
        machine(number, one, fleet, &layout, scene);
    }
    sets(fleet, &layout, scene);
    risks(fleet, &layout, scene);
    loads(fleet, &layout, scene);
    moving(fleet, knobs, at, &layout, scene);
}

/// The ring or the zones, and whose copies the shown partition has.
fn grounds(fleet: &Fleet, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let mut pencil = scene.background();
    if let Some((c, (w, h))) = layout.ring {
        let d = format!(
            "M{} {}a{} {} 0 1 1 {} 0a{} {} 0 1 1 -{} 0",
            tenths(c.x - w),
            tenths(c.y),
            tenths(w),
            tenths(h),
            tenths(2.0 * w),
            tenths(w),
            tenths(h),
            tenths(2.0 * w)
        );
        pencil.line(d, Ink::Line, 6.0);
    }
    for (zone, ground) in (0..).zip(&layout.grounds) {
        pencil.bordered(*ground, 10.0, Ink::None, ink(zone), 1.0);
    }
    let Some(write) = fleet.write else { return };
    let Some(copies) = fleet.placed.get(write.partition) else {
        return;
    };
    let corners: Vec<Point> = named(copies).map(|one| layout.at(one)).collect();
    let mut d = String::new();
    for (i, p) in corners.iter().enumerate() {
        let _ = write!(
            d,
            "{}{} {}",
            if i == 0 { "M" } else { "L" },
            tenths(p.x),
            tenths(p.y)
        );
    }
    let colour = if write.refused { Ink::Bad } else { Ink::Accent };
    pencil.line(d + "Z", colour, 2.0);
    if let Some(p) = layout.entry(fleet, knobs, write.partition) {
        let to = layout.at(copies[0]);
        pencil.dashed_line(
            format!(
                "M{} {}L{} {}",
                tenths(p.x),
                tenths(p.y),
                tenths(to.x),
                tenths(to.y)
            ),
            colour,
            1.2,
        );
        pencil.mark(Glyph::Message, p, 4.0, colour);
    }
}

fn chip(zone: u8, fleet: &Fleet, layout: &Layout, scene: &mut Scene) {
    let part = zone_part(zone);
    let r = layout.chips[usize::from(zone)];
    let dark = fleet.dark == Some(zone);
    let there = fleet.machines.iter().filter(|one| one.zone == zone).count();
    let count = Arg::Count(there as i64);
    let spoken = scene.say(if dark { "zone-dark" } else { "zone" }, &[count]);
    let name = scene.name(part);
    let lines = [
        scene.say(if dark { "chip-dark" } else { "chip" }, &[Arg::Part(part)]),
        name,
    ];
    let mut pencil = scene.thing(part, r, spoken);
    let (ground, border) = if dark {
        (Ink::BadSoft, Ink::Bad)
    } else {
        (Ink::Card, ink(zone))
    };
    pencil.bordered(r, CHIP / 2.0, ground, border, if dark { 2.0 } else { 1.5 });
    let colour = if dark { Ink::Bad } else { Ink::Ink };
    let words = fitting(&lines, 11.5, true, r.w - 10.0);
    pencil.centred(
        pt(r.centre().x, r.centre().y + 4.0),
        11.5,
        true,
        colour,
        words,
    );
}

fn machine(number: u8, one: &Machine, fleet: &Fleet, layout: &Layout, scene: &mut Scene) {
    let p = layout.at(number);
    let r = Rect::new(p.x - BOX.0 / 2.0, p.y - BOX.1 / 2.0, BOX.0, BOX.1);
    let part = machine_part(number);
    let state = match (one.state, one.fenced) {
        (State::Dead, _) => "dead",
        (State::Dark, _) => "no-power",
        (State::Up, true) => "fenced",
        (State::Up, false) => "up",
    };
    let held = Arg::Count(i64::from(one.held));
    let spoken = scene.say(state, &[held, Arg::Part(zone_part(one.zone))]);
    let letter = scene.say(
        "letter",
        &[
            Arg::Count(i64::from(number) + 1),
            Arg::Word(zone_letter(one.zone)),
        ],
    );
    let shown = fleet
        .write
        .and_then(|write| fleet.placed.get(write.partition))
        .is_some_and(|copies| named(copies).any(|copy| copy == number));
    let gone = scene.say("gone", &[]);
    let mut pencil = scene.thing(part, r, spoken);
    pencil.figure("copies", f64::from(one.held));
    let second = match one.state {
        State::Dead => {
            pencil.bordered(r, 7.0, Ink::BadSoft, Ink::Bad, 2.0);
            gone
        }
        State::Dark => {
            pencil.dashed(r, 7.0, Ink::Card, Ink::Bad, 1.5);
            one.held.to_string()
        }
        State::Up if one.fenced => {
            pencil.dashed(r, 7.0, Ink::WarnSoft, Ink::Warn, 2.0);
            one.held.to_string()
        }
        State::Up => {
            let (ground, border) = if shown {
                (Ink::AccentSoft, Ink::Accent)
            } else {
                (Ink::Card, ink(one.zone))
            };
            pencil.bordered(r, 7.0, ground, border, if shown { 2.5 } else { 1.5 });
            one.held.to_string()
        }
    };
    let colour = if one.state == State::Up {
        Ink::Ink
    } else {
        Ink::Secondary
    };
    pencil.centred(pt(p.x, p.y - 2.0), 12.5, true, colour, letter);
    pencil.centred(pt(p.x, p.y + 11.5), 11.0, false, Ink::Secondary, second);
}

/// The word of a zone's letter.
fn zone_letter(zone: u8) -> &'static str {
    ["nth.1", "nth.2", "nth.3", "nth.4"][usize::from(zone) % 4]
}

/// A dot for each set of machines that can die together.
fn sets(fleet: &Fleet, layout: &Layout, scene: &mut Scene) {
    let r = layout.sets;
    let all = fleet.all_sets();
    let fatal = fleet.fatal();
    let parts = fleet.placed.len().max(1);
    let percent = |count: u32| (f64::from(count) / parts as f64 * 1_000.0).round() / 10.0;
    let share = |count: u32| Arg::Share(percent(count) / 100.0);
    let count = |n: usize| Arg::Count(n as i64);
    let title = scene.say("fatal", &[count(fatal as usize), count(all.len())]);
    let short = scene.say("fatal-short", &[count(fatal as usize), count(all.len())]);
    let below = if let Some(trial) = fleet.trial {
        let said = [
            count(trial.tried),
            count(trial.hits as usize),
            count(trial.lost as usize),
        ];
        [scene.say("tried", &said), scene.say("tried-short", &said)]
    } else if fleet.lost > 0 {
        let said = [count(fleet.lost as usize), share(fleet.lost)];
        [scene.say("lost", &said), scene.say("lost-short", &said)]
    } else if fleet.dark.is_some() {
        let said = [share(fleet.gone), share(fleet.stuck)];
        [scene.say("dark", &said), scene.say("dark-short", &said)]
    } else if fleet.short() > 0 {
        let said = [count(fleet.short())];
        [scene.say("short", &said), scene.say("short", &said)]
    } else {
        let said = [count(fleet.copies()), count(fleet.placed.len())];
        [
            scene.say("each-dot", &said),
            scene.say("each-dot-short", &said),
        ]
    };
    let spoken = format!("{title}. {}", below[0]);
    let mut pencil = scene.thing(SETS, r, spoken);
    pencil
        .figure("fatal", f64::from(fatal))
        .figure("all", all.len() as f64)
        .figure("copies", fleet.copies() as f64)
        .figure("each", 100.0 / f64::from(fatal.max(1)))
        .figure("gone", percent(fleet.gone))
        .figure("stuck", percent(fleet.stuck))
        .figure("lost", f64::from(fleet.lost));
    if let Some(trial) = fleet.trial {
        pencil
            .figure("tried", trial.tried as f64)
            .figure("hits", f64::from(trial.hits))
            .figure("lost-in-all", f64::from(trial.lost));
    }
    let title = fitting(&[title, short], 13.0, true, r.w);
    pencil.bold(pt(r.x, r.y + 13.0), 13.0, Ink::Ink, title);
    let troubled = fleet.lost > 0 || fleet.stuck > 0;
    let below = fitting(&below, 12.0, troubled, r.w);
    let at = pt(r.x, r.y + 30.0);
    if troubled {
        pencil.bold(at, 12.0, Ink::Bad, below);
    } else {
        pencil.text(at, 12.0, Ink::Secondary, below);
    }
    let area = Rect::new(r.x, r.y + 38.0, r.w, r.h - 38.0);
    dots(&mut pencil, area, &all, fleet, parts);
}

fn dots(pencil: &mut Pencil<'_>, area: Rect, all: &[Set], fleet: &Fleet, parts: usize) {
    // The largest pitch at which all fit.
    let mut pitch = PITCH;
    let columns = loop {
        let columns = (area.w / pitch) as usize;
        let rows = (area.h / pitch) as usize;
        if columns * rows >= all.len() || pitch < 5.0 {
            break columns.max(1);
        }
        pitch -= 0.5;
    };
    // What is still near to be lost, or is: not what has been repaired.
    let troubled = fleet.short() > 0 || fleet.lost > 0 || fleet.dark.is_some();
    let out = if troubled { fleet.out() } else { 0 };
    let place = |i: usize| {
        pt(
            area.x + pitch * ((i % columns) as f32 + 0.5),
            area.y + pitch * ((i / columns) as f32 + 0.5),
        )
    };
    let (mut none, mut red, mut near) = (String::new(), String::new(), String::new());
    for (i, one) in all.iter().enumerate() {
        let p = place(i);
        let count = fleet.counts.get(usize::from(*one)).copied().unwrap_or(0);
        if count > 0 {
            let share = f32::from(count) / parts as f32;
            // Its area tells how much, up to an eighth of the data.
            let r = pitch * (0.24 + 0.26 * (share / 0.125).min(1.0).sqrt());
            let _ = write!(
                red,
                "M{} {}l{} {}h-{}Z",
                tenths(p.x),
                tenths(p.y - r),
                tenths(0.9 * r),
                tenths(1.6 * r),
                tenths(1.8 * r)
            );
        } else {
            let r = pitch * 0.16;
            let _ = write!(
                none,
                "M{} {}a{r} {r} 0 1 0 {w} 0a{r} {r} 0 1 0 -{w} 0",
                tenths(p.x - r),
                tenths(p.y),
                r = tenths(r),
                w = tenths(2.0 * r)
            );
        }
        // Those that are left once these are dead, or have died.
        let left = if out.count_ones() < one.count_ones() {
            one & out == out
        } else {
            one & out == *one
        };
        if out != 0 && left {
            let half = pitch * 0.46;
            let _ = write!(
                near,
                "M{} {}h{w}v{w}h-{w}Z",
                tenths(p.x - half),
                tenths(p.y - half),
                w = tenths(2.0 * half)
            );
        }
    }
    for (d, stroke) in [(none, Ink::Mark), (near, Ink::Ink)] {
        if !d.is_empty() {
            pencil.line(d, stroke, 1.0);
        }
    }
    if !red.is_empty() {
        pencil.area(red, Ink::Bad);
    }
    if let Some(trial) = fleet.trial.filter(|trial| trial.tried < all.len()) {
        let p = place(trial.tried);
        let half = pitch * 0.5;
        let cursor = Rect::new(p.x - half, p.y - half, pitch, pitch);
        pencil.bordered(cursor, 3.0, Ink::None, Ink::Accent, 2.5);
    }
}

/// What follows from the placement.
fn risks(fleet: &Fleet, layout: &Layout, scene: &mut Scene) {
    let r = layout.risks;
    let outlook = fleet.outlook;
    let all = ways(fleet.machines.len() as u32, fleet.copies() as u32).max(1.0);
    let together = f64::from(fleet.fatal()) / all;
    let each = if fleet.fatal() > 0 {
        1.0 / f64::from(fleet.fatal())
    } else {
        0.0
    };
    let share = |share: f64| Arg::Number((share * 1_000.0).round() / 10.0);
    let fine = |share: f64| Arg::Number((share * 10_000.0).round() / 100.0);
    let took = fleet.repair.and_then(|repair| repair.took);
    let repair_s = took.map_or(outlook.repair_s, Time::as_s);
    let tenth = |value: f64| Arg::Number((value * 10.0).round() / 10.0);
    // The name, a shorter one, the value, and how long its bar is.
    let rows = [
        (
            "at-once",
            "at-once-short",
            scene.say("percent", &[share(together)]),
            together,
        ),
        (
            "then",
            "then-short",
            scene.say("percent", &[share(each)]),
            each / 0.25,
        ),
        (
            "mean",
            "mean-short",
            scene.say("percent", &[fine(1.0 / all)]),
            1.0 / all,
        ),
        (
            "one-by-one",
            "one-by-one-short",
            scene.say("times", &[tenth(outlook.one_by_one)]),
            outlook.one_by_one / 8.0,
        ),
        (
            if took.is_some() { "took" } else { "repair" },
            if took.is_some() {
                "took-short"
            } else {
                "repair-short"
            },
            scene.say("seconds", &[Arg::Number(repair_s.round())]),
            repair_s / 260.0,
        ),
        (
            "zone-lost",
            "zone-lost-short",
            scene.say("percent", &[share(outlook.zone)]),
            outlook.zone,
        ),
        (
            "waits",
            "waits-short",
            scene.say("ms", &[tenth(outlook.write_ms)]),
            outlook.write_ms / 80.0,
        ),
    ];
    let rows =
        rows.map(|(id, short, value, bar)| (scene.say(id, &[]), scene.say(short, &[]), value, bar));
    let helpers = fleet.repair.filter(|_| took.is_some()).map(|repair| {
        let counts =
            [repair.senders(), repair.receivers()].map(|count| Arg::Count(i64::from(count)));
        scene.say("helpers", &counts)
    });
    let mut spoken: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: {}", row.0, row.2))
        .collect();
    spoken.extend(helpers.clone());
    let mut pencil = scene.thing(RISKS, r, spoken.join("; "));
    pencil
        .figure("at-once", together * 100.0)
        .figure("zone", outlook.zone * 100.0)
        .figure("write", outlook.write_ms);
    if let Some(repair) = fleet.repair.filter(|_| took.is_some()) {
        pencil
            .figure("took", repair_s)
            .figure("senders", f64::from(repair.senders()))
            .figure("receivers", f64::from(repair.receivers()));
    }
    pencil.bordered(r, 10.0, Ink::Card, Ink::Line, 1.0);
    let step = (r.h - 12.0) / 7.0;
    let bar = (r.w * 0.2).min(90.0);
    for (i, (name, short, value, share)) in rows.into_iter().enumerate() {
        let y = r.y + 6.0 + step * (i as f32 + 0.5) + 4.0;
        let right = r.x + r.w - bar - 18.0;
        let w = text::width(&value, 12.0, true);
        let hurts = i < 2 || i == 3 || i == 5;
        let (name, short) = match helpers.as_ref().filter(|_| i == 4) {
            Some(helpers) => (format!("{name}, {helpers}"), name),
            None => (name, short),
        };
        let name = fitting(&[name, short], 12.0, false, right - w - r.x - 18.0);
        pencil.text(pt(r.x + 10.0, y), 12.0, Ink::Secondary, name);
        ending(&mut pencil, pt(right, y), 12.0, true, Ink::Ink, value);
        let rail = Rect::new(right + 8.0, y - 7.0, bar, 6.0);
        let colour = if hurts { Ink::Bad } else { Ink::Accent };
        pencil.meter(rail, share as f32, colour, false);
    }
}

/// How full each machine is, against the mean.
fn loads(fleet: &Fleet, layout: &Layout, scene: &mut Scene) {
    let r = layout.loads;
    let n = fleet.machines.len().max(1);
    let mean = (fleet.placed.len() * fleet.copies()) as f64 / n as f64;
    let most = fleet.machines.iter().map(|one| one.held).max().unwrap_or(0);
    let times = (f64::from(most) / mean * 100.0).round() / 100.0;
    let said = [Arg::Number(mean.round()), Arg::Number(times)];
    let lines = [scene.say("loads", &said), scene.say("loads-short", &said)];
    let mut pencil = scene.thing(LOADS, r, lines[0].clone());
    pencil
        .figure("fullest", f64::from(most) / mean)
        .figure("small", fleet.outlook.small);
    pencil.bordered(r, 10.0, Ink::Card, Ink::Line, 1.0);
    let title = fitting(&lines, 12.0, false, r.w - 20.0);
    pencil.text(pt(r.x + 10.0, r.y + 17.0), 12.0, Ink::Secondary, title);
    let plot = Rect::new(r.x + 10.0, r.y + 24.0, r.w - 20.0, r.h - 30.0);
    let top = f64::from(most).max(mean * 1.25);
    let pitch = plot.w / n as f32;
    let mut order: Vec<&Machine> = fleet.machines.iter().collect();
    // Zones side by side, so that one sees which are full.
    order.sort_by_key(|one| one.zone);
    let drawn = order.iter().map(|one| Bar {
        share: (f64::from(one.held) / top) as f32,
        ink: ink(one.zone),
        full: one.state == State::Up,
    });
    bars(&mut pencil, plot, pitch, drawn);
    let y = plot.y + plot.h * (1.0 - (mean / top) as f32);
    let line = format!("M{} {}h{}", tenths(plot.x), tenths(y), tenths(plot.w));
    pencil.dashed_line(line, Ink::Ink, 1.2);
}

/// The shown write, and copies that are made anew.
fn moving(fleet: &Fleet, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    for transfer in &fleet.running {
        let share = at.progress(transfer.from, transfer.from + COPYING);
        let way = Curve::straight(layout.at(transfer.source), layout.at(transfer.target()));
        scene.particle(
            way.at(share),
            DOT,
            Glyph::Replica,
            Ink::Hit,
            transfer.number,
        );
    }
    let Some(write) = fleet.write else { return };
    let Some(copies) = fleet.placed.get(write.partition) else {
        return;
    };
    let share = at.progress(write.at, write.at + HOP);
    let leader = fleet.leader(write.partition);
    let door = layout.at(leader.unwrap_or(copies[0]));
    if share >= 1.0 && !write.refused {
        return;
    }
    if share < ENTRY {
        let from = layout
            .entry(fleet, knobs, write.partition)
            .unwrap_or(pt(door.x, 10.0));
        let p = Curve::straight(from, door).at(share / ENTRY);
        scene.particle(p, DOT, Glyph::Request, Ink::Accent, write.number);
    } else if write.refused {
        let p = pt(door.x + BOX.0 / 2.0 - 2.0, door.y - BOX.1 / 2.0 + 2.0);
        scene.particle(p, DOT + 2.0, Glyph::Failure, Ink::Bad, write.number);
    } else {
        let live = |one: &u8| {
            fleet
                .machines
                .get(usize::from(*one))
                .is_some_and(|one| one.state == State::Up)
        };
        for copy in named(copies)
            .filter(|one| Some(*one) != leader)
            .filter(live)
        {
            let way = Curve::straight(door, layout.at(copy));
            let p = way.at((share - ENTRY) / (1.0 - ENTRY));
            scene.particle(p, DOT, Glyph::Message, Ink::Accent, write.number);
        }
    }
}
