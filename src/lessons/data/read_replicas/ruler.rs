//! The log as a ruler: the last positions, and how far each machine has received and replayed them.

use super::copies::{LOG, part};
use super::{DB, Seen};
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{panel, tenths};
use kit::system::System;

/// From here on it shows more positions.
const WIDE: f32 = 640.0;
const ROW: f32 = 21.0;
const HEAD: f32 = 36.0;
/// Positions shown, and where the stage is narrow.
const USUAL: [u64; 2] = [30, 15];
/// Up to so many positions each has a mark.
const TICKS_MAX: u64 = 60;

/// Where positions stand.
struct Scale {
    x: f32,
    w: f32,
    head: u64,
    shown: u64,
}

impl Scale {
    fn x(&self, position: u64) -> f32 {
        let back = self.head.saturating_sub(position).min(self.shown) as f32;
        self.x + self.w * (1.0 - back / self.shown as f32)
    }
}

/// Draws it from `y` on and returns where it ends.
pub(super) fn draw(system: &System, at: Time, y: f32, scene: &mut Scene) -> f32 {
    let Some(live) = system.node(DB) else {
        return y;
    };
    let seen = system.own::<Seen>();
    let all = &seen.copies;
    let machines = all.machines.len().min(live.members.len());
    let wide = scene.width >= WIDE;
    // Where it is narrow, what the last reload saw has a line of its own.
    let top = if wide { HEAD } else { HEAD + 16.0 };
    let rect = Rect::new(
        12.0,
        y,
        scene.width - 24.0,
        top + ROW * machines as f32 + 8.0,
    );
    let head = all.group().head();
    let least = (0..machines)
        .map(|member| all.shown(member))
        .min()
        .unwrap_or(head);
    let usual = USUAL[usize::from(!wide)];
    let mut shown = usual;
    while head - least.min(head) > shown && shown < 8 * super::copies::KEPT {
        shown *= 2;
    }
    let title = scene.say("log", &[Arg::Count(shown as i64)]);
    let rescaled = scene.say("log.rescaled", &[Arg::Count(shown as i64)]);
    let title = if shown == usual { title } else { rescaled };
    let names: Vec<String> = (0..machines)
        .map(|member| scene.name(part(member)))
        .collect();
    let gone = all.tail().map(|it| {
        let count = Arg::Count((it.tail.1 - it.tail.0) as i64);
        (
            it.old,
            ["gone", "gone.short"].map(|word| scene.say(word, &[count])),
        )
    });
    let says: Vec<(String, String)> = (0..machines)
        .map(|member| {
            let position = Arg::Count(all.shown(member) as i64);
            let age = tenths(all.age(member, at));
            if let Some((_, [long, short])) = gone.as_ref().filter(|(old, _)| *old == member) {
                (long.clone(), short.clone())
            } else if member == all.primary() {
                let at = scene.say("at", &[position]);
                (at.clone(), at)
            } else {
                (
                    scene.say("at-behind", &[position, age]),
                    scene.say("behind-by", &[age]),
                )
            }
        })
        .collect();
    let flag = seen
        .readers
        .flag
        .filter(|flag| flag.member < machines && flag.position > 0);
    let said = flag.map(|flag| {
        let word = if flag.misses() {
            "flag.missing"
        } else {
            "flag"
        };
        let position = Arg::Count(flag.position as i64);
        scene.say(word, &[position, Arg::Count(flag.shown as i64)])
    });
    let spoken: Vec<String> = names
        .iter()
        .zip(&says)
        .map(|(name, (says, _))| format!("{name} {says}"))
        .collect();
    let spoken = format!("{title}: {}", spoken.join(", "));
    let mut pencil = scene.thing(LOG, rect, spoken);
    let most = (0..machines).filter(|member| *member != all.primary());
    let most = most
        .map(|member| all.age(member, at))
        .max()
        .unwrap_or(Time::ZERO);
    pencil
        .figure("head", head as f64)
        .figure("behind s", (most.as_s() * 10.0).round() / 10.0)
        .figure("positions behind", (head - least.min(head)) as f64);
    if let Some(flag) = flag {
        pencil
            .figure("saved at", flag.position as f64)
            .figure("stood at", flag.shown as f64);
    }
    let name_w = names
        .iter()
        .map(|name| text::width(name, 11.5, true))
        .fold(0.0, f32::max);
    let says_w = if wide { 140.0 } else { 74.0 };
    let tail = all.tail().copied();
    let scale = Scale {
        x: rect.x + 12.0 + name_w + 16.0,
        w: rect.w - name_w - says_w - 52.0,
        head: tail.map_or(head, |it| it.tail.1),
        shown,
    };
    panel(&mut pencil, rect, "");
    let room = if said.is_some() && wide {
        rect.w * 0.46
    } else {
        rect.w - 20.0
    };
    let title = fitting(&[title], 12.0, true, room);
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 17.0),
        12.0,
        Ink::Secondary,
        title,
    );
    if let (Some(flag), Some(said)) = (flag, said) {
        let ink = if flag.misses() { Ink::Bad } else { Ink::Ok };
        if wide {
            let end = pt(rect.x + rect.w - 12.0, rect.y + 17.0);
            let said = fitting(&[said], 12.0, true, rect.w * 0.5);
            ending(&mut pencil, end, 12.0, true, ink, said);
        } else {
            let said = fitting(&[said], 12.0, true, rect.w - 20.0);
            pencil.bold(pt(rect.x + 10.0, rect.y + 34.0), 12.0, ink, said);
        }
    }
    for member in 0..machines {
        let middle = rect.y + top + ROW * (member as f32 + 0.5);
        let ink = if member == all.primary() {
            Ink::Accent
        } else {
            Ink::Ink
        };
        pencil.bold(
            pt(rect.x + 12.0, middle + 4.0),
            11.5,
            ink,
            names[member].clone(),
        );
        let down = live.members.get(member).is_none_or(|it| it.down.is_some());
        let (received, shown) = if member == all.primary() && all.group().catches_up().is_none() {
            (head, head)
        } else {
            (all.group().received(member), all.shown(member))
        };
        row(&mut pencil, &scale, middle, (received, shown), down);
        if let Some(it) = tail.filter(|it| it.old == member) {
            let (x, end) = (scale.x(it.tail.0) + 6.0, scale.x(it.tail.1));
            let gone = Rect::new(x, middle - 5.0, (end - x).max(2.0), 10.0);
            pencil.bordered(gone, 2.0, Ink::BadHatch, Ink::Bad, 1.5);
        }
        let (long, short) = &says[member];
        let lost = tail.is_some_and(|it| it.old == member);
        let late = lost || (member != all.primary() && all.age(member, at) >= Time::s(1));
        let ink = match (lost, late) {
            (true, _) => Ink::Bad,
            (false, true) => Ink::Warn,
            (false, false) => Ink::Secondary,
        };
        let room = rect.x + rect.w - 12.0 - (scale.x + scale.w + 14.0);
        let says = fitting(&[long.clone(), short.clone()], 11.5, late, room);
        let p = pt(scale.x + scale.w + 14.0, middle + 4.0);
        if late {
            pencil.bold(p, 11.5, ink, says);
        } else {
            pencil.text(p, 11.5, ink, says);
        }
    }
    if let Some(flag) = flag {
        let x = scale.x(flag.position);
        let (high, foot) = (
            rect.y + top - 8.0,
            rect.y + top + ROW * (flag.member as f32 + 0.5),
        );
        let ink = if flag.misses() { Ink::Bad } else { Ink::Ok };
        let x1 = text::tenths(x);
        pencil.line(
            format!("M{x1} {}V{}", text::tenths(high), text::tenths(foot)),
            ink,
            2.0,
        );
        pencil.area(
            format!("M{x1} {}h9l-3 4l3 4h-9Z", text::tenths(high - 2.0)),
            ink,
        );
    }
    rect.y + rect.h + 8.0
}

/// One machine's row: all that is replayed is filled, what waits for that is a bar, what has not come is a line.
fn row(pencil: &mut Pencil<'_>, scale: &Scale, y: f32, (received, shown): (u64, u64), down: bool) {
    let (a, b) = (scale.x(shown), scale.x(received));
    let track = Rect::new(scale.x, y - 4.0, scale.w, 8.0);
    pencil.filled(track, 4.0, Ink::Rail);
    let done = Rect::new(scale.x, y - 4.0, (a - scale.x).max(1.0), 8.0);
    let ink = if down { Ink::Mark } else { Ink::HitSoft };
    pencil.filled(done, 4.0, ink);
    if scale.shown <= TICKS_MAX {
        let first = scale.head.saturating_sub(scale.shown);
        let ticks = (first.max(1)..=scale.head).map(|position| {
            let x = text::tenths(scale.x(position));
            format!("M{x} {}v4", text::tenths(y - 2.0))
        });
        pencil.line(ticks.collect::<String>(), Ink::Mark, 1.0);
    }
    if b - a > 0.5 {
        pencil.filled(Rect::new(a, y - 3.0, b - a, 6.0), 2.0, Ink::Warn);
    }
    if received > shown {
        let mark = Rect::new(b - 4.0, y - 4.0, 8.0, 8.0);
        pencil.bordered(mark, 4.0, Ink::Card, Ink::Hit, 2.0);
    }
    pencil.mark(
        Glyph::Request,
        pt(a, y),
        5.0,
        if down { Ink::Bad } else { Ink::Hit },
    );
}
