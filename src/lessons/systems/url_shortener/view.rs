//! The stage: creators and visitors, servers, where codes come from, the database, and the map of all codes.

use super::model::{
    CAPACITY, CODES, CREATORS, Clash, DATABASE, GUESSES, Hop, MAP, SOURCE, Shortener, Square, Step,
    VISITORS, What, count, server,
};
use super::settings::{Rule, Settings, Way};
use algorithms::base62::codes;
use algorithms::short_code::first_collision;
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::grouped;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{self, DOT};
use kit::layout::{Course, Placed, Slot, Span, Way as Line, lay, part, space};

/// A square that was just taken is seen whole for so long.
const FRESH: Time = Time::ms(900);
/// Whose a code is.
const OWNERS: [Ink; 5] = [Ink::Accent, Ink::Ok, Ink::Hit, Ink::MemberA, Ink::MemberB];
/// Seconds in ten years.
const TEN_YEARS_S: f64 = 60.0 * 60.0 * 24.0 * 365.0 * 10.0;
/// Room above, below and beside the squares of the map.
const HEAD: f32 = 40.0;
const FOOT: f32 = 24.0;
const AXIS: f32 = 18.0;

pub(super) fn draw(it: &Shortener, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(it, scene, narrow);
    links(it, &placed, scene);
    people(it, knobs, &placed, scene);
    for i in 0..it.servers.len() {
        worker(it, i, placed.of(server(i)), at, scene);
    }
    source(it, placed.of(SOURCE), at, scene);
    database(it, placed.of(DATABASE), scene);
    map(it, placed.of(MAP), at, scene);
    let codes = placed.of(CODES);
    last(it, codes, codes.w < 300.0, scene);
    capacity(knobs, placed.of(CAPACITY), scene);
    dots(it, &placed, at, scene);
}

fn between(gap: impl Into<Span>, slots: Vec<Slot>) -> Vec<Slot> {
    let gap = gap.into();
    let mut all = Vec::new();
    for slot in slots {
        if !all.is_empty() {
            all.push(space(gap));
        }
        all.push(slot);
    }
    all
}

fn place(it: &Shortener, scene: &mut Scene, narrow: bool) -> Placed {
    let n = it.servers.len();
    let all = 0..n;
    let stage = if narrow {
        let gap = if n > 3 { 4.0 } else { 6.0 };
        let servers = all.map(|i| part(server(i), Span::rest(48.0, 1.0), 60.0));
        vec![
            Slot::Row(vec![
                part(CREATORS, Span::rest(104.0, 1.0), 64.0),
                space(10.0),
                part(VISITORS, Span::rest(140.0, 1.4), 64.0),
            ]),
            space(24.0),
            Slot::Row(between(gap, servers.collect())),
            space(24.0),
            Slot::Row(vec![
                part(SOURCE, Span::rest(128.0, 1.0), 84.0),
                space(8.0),
                part(DATABASE, Span::rest(128.0, 1.0), 84.0),
            ]),
            space(8.0),
            part(MAP, Span::rest(264.0, 1.0), (250.0, 326.0)),
            space(8.0),
            part(CODES, Span::rest(264.0, 1.0), 74.0),
            space(8.0),
            part(CAPACITY, Span::rest(264.0, 1.0), 74.0),
        ]
    } else {
        // Where the map is narrow its squares need less height.
        let map_h = if scene.width < 700.0 { 256.0 } else { 330.0 };
        let tall = if n > 3 { (44.0, 52.0) } else { (48.0, 78.0) };
        let servers = all.map(|i| part(server(i), (96.0, 164.0), tall));
        vec![
            Slot::Row(vec![
                Slot::Column(vec![
                    part(CREATORS, (88.0, 118.0), (56.0, 84.0)),
                    space((14.0, 60.0)),
                    part(VISITORS, (88.0, 118.0), (84.0, 100.0)),
                ]),
                space(Span::rest(24.0, 1.0)),
                Slot::Column(between((8.0, 26.0), servers.collect())),
                space(Span::rest(26.0, 1.0)),
                Slot::Column(vec![
                    part(SOURCE, (110.0, 150.0), (84.0, 116.0)),
                    space((12.0, 36.0)),
                    part(DATABASE, (110.0, 150.0), (84.0, 116.0)),
                ]),
                space(8.0),
                part(MAP, (184.0, 300.0), (216.0, map_h)),
            ]),
            space(8.0),
            Slot::Row(vec![
                part(CODES, Span::rest(190.0, 1.2), 74.0),
                space(10.0),
                part(CAPACITY, Span::rest(300.0, 1.0), 74.0),
            ]),
        ]
    };
    lay(scene, &Slot::Column(stage))
}

/// The way between a server and what stands before or behind it. On narrow stages it goes down, along, and down again, so that it
/// passes through no card.
fn way(placed: &Placed, other: PartId, i: usize, narrow: bool) -> Line {
    let here = server(i);
    let before = matches!(other, CREATORS | VISITORS);
    let (from, to) = if before { (other, here) } else { (here, other) };
    let way = if narrow {
        let (a, b) = (placed.of(from).bottom(), placed.of(to).top());
        let first = matches!(other, CREATORS | SOURCE);
        let (level, aside) = if first { (8.0, -9.0) } else { (16.0, 9.0) };
        let (x, end) = if before {
            (a.x, b.x + aside)
        } else {
            (a.x + aside, b.x)
        };
        let y = a.y + level;
        Line::through(&[pt(x, a.y), pt(x, y), pt(end, y), pt(end, b.y)], 6.0)
    } else {
        placed.way(from, to)
    };
    way.lanes(-3.0, 5.0)
}

fn links(it: &Shortener, placed: &Placed, scene: &mut Scene) {
    let narrow = scene.narrow();
    let line = |other: PartId, i: usize| way(placed, other, i, narrow).d();
    let asks = !it.knobs.way.is_scattered() && it.knobs.way != Way::Snowflake;
    let mut ground = scene.background();
    for i in 0..it.servers.len() {
        ground.line(line(VISITORS, i), Ink::LineStrong, 1.0);
        ground.line(line(CREATORS, i), Ink::Mark, 1.5);
        ground.line(line(DATABASE, i), Ink::Mark, 1.5);
        if asks {
            ground.line(line(SOURCE, i), Ink::Mark, 1.5);
        }
    }
}

/// Lines of a card, the first bold, as many as there is room for.
fn lines(pencil: &mut Pencil<'_>, rect: Rect, from: f32, all: &[(String, Ink)]) {
    for (i, (line, ink)) in all.iter().enumerate() {
        let y = rect.y + from + 15.0 * i as f32;
        if y > rect.y + rect.h - 5.0 {
            break;
        }
        let line = fitting(std::slice::from_ref(line), 11.5, false, rect.w - 15.0);
        pencil.text(pt(rect.x + 10.0, y), 11.5, *ink, line);
    }
}

fn card<'a>(
    scene: &'a mut Scene,
    id: PartId,
    rect: Rect,
    border: Ink,
    all: &[(String, Ink)],
) -> Pencil<'a> {
    let name = scene.name(id);
    let said: Vec<&str> = all.iter().map(|(line, _)| line.as_str()).collect();
    let mut pencil = scene.thing(id, rect, said.join(", "));
    let width = if border == Ink::LineStrong { 1.5 } else { 2.0 };
    pencil.bordered(rect, 10.0, Ink::Card, border, width);
    let name = fitting(&[name], 13.5, true, rect.w - 15.0);
    pencil.bold(pt(rect.x + 10.0, rect.y + 19.0), 13.5, Ink::Ink, name);
    lines(&mut pencil, rect, 36.0, all);
    pencil
}

/// A large number in three digits and a word.
fn amount(scene: &Scene, n: f64) -> String {
    let units = [
        (1e12, "trillion"),
        (1e9, "billion"),
        (1e6, "million"),
        (1e5, "thousand"),
    ];
    let Some((unit, word)) = units.into_iter().find(|(unit, _)| n >= *unit) else {
        return grouped(n as u64);
    };
    let n = match word {
        "thousand" => return grouped((n / unit * 100.0).round() as u64 * 1_000),
        _ if n / unit >= 100.0 => (n / unit).round(),
        _ => (n / unit * 10.0).round() / 10.0,
    };
    scene.say(word, &[Arg::Number(n)])
}

fn people(it: &Shortener, knobs: &Settings, placed: &Placed, scene: &mut Scene) {
    let quiet = Ink::Secondary;
    let load = scene.say("load", &[count(knobs.load)]);
    let came = scene.say("came", &[count(it.count.asked)]);
    let trips = scene.say("trips", &[]);
    let rect = placed.of(CREATORS);
    card(
        scene,
        CREATORS,
        rect,
        Ink::LineStrong,
        &[(load, quiet), (came, quiet), (trips, quiet)],
    )
    .figure("asked", f64::from(it.count.asked));

    let share = it.visits.counted_share();
    let visits = grouped(u64::from(knobs.load * knobs.visits));
    let visits = format!("{visits} {}", scene.say("visits", &[]));
    let reach = scene.say("reach", &[Arg::Share(share)]);
    let mut said = Vec::new();
    if let Some((_, guesses, hits)) = it.scan {
        let line = scene.say("scan", &[count(hits), count(guesses)]);
        said.push((line, Ink::Bad));
    } else if let Some((_, other)) = it.misled {
        let line = scene.say("misled", &[count(other)]);
        said.push((line, Ink::Bad));
    }
    let ink = if share < 0.9 { Ink::Warn } else { quiet };
    said.extend([(reach, ink), (visits, quiet)]);
    let border = if it.misled.is_some() && it.scan.is_none() {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    card(scene, VISITORS, placed.of(VISITORS), border, &said)
        .figure("hits", f64::from(it.scan.map_or(0, |scan| scan.2)))
        .figure("guesses", f64::from(it.scan.map_or(0, |scan| scan.1)))
        .figure("misled", f64::from(it.count.misled))
        .figure("counted", share);
}

fn worker(it: &Shortener, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let Some(one) = it.servers.get(i) else {
        return;
    };
    let own = &one.own;
    let waits = count(own.waiting.len());
    let (status, ink) = if let Some(back) = own.back_at {
        let left = figures::tenths(back.since(at));
        (scene.say("down", &[left]), Ink::Bad)
    } else if let Some(until) = own.waits_until {
        let left = figures::tenths(until.since(at));
        (scene.say("clock", &[left, waits]), Ink::Warn)
    } else if own.saw_free {
        (scene.say("saw-free", &[]), Ink::Warn)
    } else {
        let status = match it.knobs.way {
            Way::Random => scene.say("draws", &[]),
            Way::Hex | Way::Base62 => scene.say("hashes", &[]),
            Way::Counter | Way::Stride => scene.say("asks", &[]),
            Way::Snowflake => scene.say("own-clock", &[]),
            Way::Ranges if own.range.end == 0 => scene.say("no-range", &[]),
            Way::Ranges => {
                let end = grouped(own.range.end - 1);
                format!("{} {end}", scene.say("up-to", &[]))
            }
        };
        (status, Ink::Secondary)
    };
    let name = scene.name(server(i));
    let tall = rect.h >= 56.0 && rect.w > 60.0;
    let next = (it.knobs.way == Way::Ranges && one.down.is_none() && own.range.end > 0)
        .then(|| format!("{} {}", scene.say("next", &[]), grouped(own.range.next)));
    let owner = OWNERS[i % OWNERS.len()];
    let mut pencil = scene.thing(server(i), rect, status.clone());
    pencil
        .figure("left", own.range.left() as f64)
        .figure("saw-free", f64::from(u8::from(own.saw_free)))
        .figure("down", f64::from(u8::from(one.down.is_some())));
    let border = match ink {
        Ink::Secondary => owner,
        other => other,
    };
    if one.down.is_some() {
        pencil.dashed(rect, 10.0, Ink::Card, border, 2.0);
    } else {
        pencil.bordered(rect, 10.0, Ink::Card, border, 2.0);
    }
    pencil.filled(
        Rect::new(rect.x + 10.0, rect.y + 10.0, 10.0, 10.0),
        2.0,
        owner,
    );
    let name_w = text::width(&name, 13.5, true);
    pencil.bold(pt(rect.x + 25.0, rect.y + 19.5), 13.5, Ink::Ink, name);
    if let Some(next) = next {
        let room = rect.w - 45.0 - name_w;
        let next = fitting(&[next, grouped(own.range.next)], 11.0, false, room);
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 10.0, rect.y + 19.0),
            11.0,
            false,
            Ink::Ink,
            next,
        );
    }
    let status = fitting(&[status], 11.5, false, rect.w - 20.0);
    pencil.text(pt(rect.x + 10.0, rect.y + 36.0), 11.5, ink, status);
    if it.knobs.way == Way::Ranges && one.down.is_none() && tall {
        let size = it.knobs.size as f32;
        let share = (own.range.left() as f32 / size).min(1.0);
        let bar = Rect::new(rect.x + 10.0, rect.y + rect.h - 15.0, rect.w - 20.0, 6.0);
        pencil.meter(bar, share, owner, false);
    }
}

fn source(it: &Shortener, rect: Rect, at: Time, scene: &mut Scene) {
    let quiet = Ink::Secondary;
    let (now_us, lag_us) = (at.0, Time::from_ms(it.knobs.lag).0);
    let line =
        |scene: &Scene, word: &str, n: u64| format!("{} {}", scene.say(word, &[]), grouped(n));
    let mut border = Ink::LineStrong;
    let mut said = Vec::new();
    match it.knobs.way {
        Way::Random | Way::Hex | Way::Base62 | Way::Snowflake => {
            border = Ink::Line;
            said.push((scene.say("nobody", &[]), quiet));
            said.push((scene.say("themselves", &[]), quiet));
        }
        Way::Counter => {
            if let Some(until) = it.down_until {
                border = Ink::Bad;
                let left = figures::tenths(until.since(at));
                said.push((scene.say("dead", &[left]), Ink::Bad));
                said.push((scene.say("wait", &[count(it.queue.len())]), Ink::Warn));
                said.push((line(scene, "replica", it.counter.next()), quiet));
            } else {
                said.push((line(scene, "next", it.counter.next()), Ink::Ink));
                let heard = it.counter.heard(now_us, lag_us);
                said.push((line(scene, "replica", heard), quiet));
            }
        }
        Way::Stride => {
            for one in &it.strides {
                said.push((line(scene, "next", one.next()), Ink::Ink));
            }
        }
        Way::Ranges => {
            said.push((line(scene, "next-range", it.tokens.next()), Ink::Ink));
        }
    }
    if it.count.again > 0 {
        border = Ink::Bad;
        said.insert(0, (scene.say("again", &[count(it.count.again)]), Ink::Bad));
    }
    let asked = it.count.asked.max(1);
    let questions = f64::from(it.count.questions) / f64::from(asked);
    if !it.knobs.way.is_scattered() && it.knobs.way != Way::Snowflake && it.down_until.is_none() {
        let rounded = (questions * 100.0).round() / 100.0;
        said.push((scene.say("questions", &[Arg::Number(rounded)]), quiet));
    }
    if it.count.wasted > 0 {
        said.push((line(scene, "lost", it.count.wasted), Ink::Warn));
    }
    card(scene, SOURCE, rect, border, &said)
        .figure("questions", questions)
        .figure("again", f64::from(it.count.again))
        .figure("waiting", it.queue.len() as f64)
        .figure("wasted", it.count.wasted as f64);
}

fn database(it: &Shortener, rect: Rect, scene: &mut Scene) {
    let n = &it.count;
    let rule = match it.knobs.insert {
        Rule::Overwrite => "rule.overwrite",
        Rule::CheckFirst => "rule.check",
        Rule::Unique => "rule.unique",
    };
    let ink = |n: u32, ink: Ink| if n > 0 { ink } else { Ink::Secondary };
    let said = [
        (scene.say("rows", &[count(it.table.len())]), Ink::Ink),
        (
            scene.say("overwritten", &[count(n.overwritten)]),
            ink(n.overwritten, Ink::Bad),
        ),
        (
            scene.say("retries", &[count(n.retries)]),
            ink(n.retries, Ink::Warn),
        ),
        (
            scene.say("cache", &[Arg::Share(it.visits.hit_share())]),
            Ink::Secondary,
        ),
        (scene.say(rule, &[]), Ink::Secondary),
    ];
    let border = if n.overwritten > 0 {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    card(scene, DATABASE, rect, border, &said)
        .figure("rows", it.table.len() as f64)
        .figure("overwritten", f64::from(n.overwritten))
        .figure("retries", f64::from(n.retries))
        .figure("refused", f64::from(n.refused));
}

/// Where the squares lie, and how far apart they are.
struct Grid {
    left: f32,
    top: f32,
    pitch: f32,
    side: u64,
}

impl Grid {
    fn of(it: &Shortener, rect: Rect) -> Grid {
        let side = it.side();
        let room = (rect.w - 2.0 * AXIS).min(rect.h - HEAD - FOOT);
        Grid {
            left: rect.x + (rect.w - room) / 2.0 + 3.0,
            top: rect.y + HEAD,
            pitch: room / side as f32,
            side,
        }
    }

    fn middle(&self, code: u64) -> Point {
        let place = code % (self.side * self.side);
        pt(
            self.left + self.pitch * ((place % self.side) as f32 + 0.5),
            self.top + self.pitch * ((place / self.side) as f32 + 0.5),
        )
    }

    /// Squares as strokes: few paths, however many squares. Whole ones run together along a row, others lie apart.
    fn strokes(&self, share: f32, meant: impl Fn(usize) -> bool) -> String {
        let inset = (1.0 - share) / 2.0;
        let apart = share < 0.85;
        let (mut d, side) = (String::new(), self.side as usize);
        for row in 0..side {
            let y = text::tenths(self.top + self.pitch * (row as f32 + 0.5));
            let mut from = None;
            for column in 0..=side {
                let here = column < side && meant(row * side + column);
                match (here, from) {
                    (true, None) => from = Some(column),
                    (true, Some(_)) if !apart => {}
                    (_, Some(begun)) => {
                        let x = self.left + self.pitch * (begun as f32 + inset);
                        let w = self.pitch * ((column - begun) as f32 - 2.0 * inset);
                        d += &format!("M{} {y}h{}", text::tenths(x), text::tenths(w));
                        from = here.then_some(column);
                    }
                    _ => {}
                }
            }
        }
        d
    }
}

/// The map of all codes by their last two characters.
fn map(it: &Shortener, rect: Rect, at: Time, scene: &mut Scene) {
    let grid = Grid::of(it, rect);
    let many = it.codes_a_square();
    let title = scene.say("map", &[]);
    let each = match many {
        1 => scene.say("each.one", &[]),
        _ => format!("{} {}", amount(scene, many as f64), scene.say("each", &[])),
    };
    let titles = [format!("{title} · {each}"), title.clone()];
    let n = &it.count;
    let (foot, short) = match (n.clashes, n.wasted) {
        (0, 0) => {
            let foot = scene.say("no-clash", &[count(it.table.len())]);
            (foot.clone(), foot)
        }
        (0, wasted) => {
            let foot = scene.say("hatched", &[count(wasted)]);
            (foot.clone(), foot)
        }
        (met, _) => (
            scene.say("clash", &[count(met), count(n.first_clash)]),
            scene.say("clash.short", &[count(met)]),
        ),
    };
    let spoken = format!("{title}, {foot}");
    let marks: &[(usize, &str)] = match it.side() {
        16 => &[(0, "0"), (8, "8"), (15, "f")],
        _ => &[(0, "0"), (10, "a"), (36, "A"), (61, "Z")],
    };
    let mut pencil = scene.thing(MAP, rect, spoken);
    pencil
        .figure("clashes", f64::from(it.count.clashes))
        .figure("first", f64::from(it.count.first_clash))
        .figure("rows", it.table.len() as f64);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let room = rect.w - 20.0;
    let title = fitting(&titles, 12.0, true, room);
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 17.0),
        12.0,
        Ink::Secondary,
        title,
    );
    let all = grid.pitch * grid.side as f32;
    let ground = Rect::new(grid.left - 1.0, grid.top - 1.0, all + 2.0, all + 2.0);
    pencil.bordered(ground, 0.0, Ink::Paper, Ink::LineStrong, 1.0);
    for (place, mark) in marks {
        let along = grid.pitch * (*place as f32 + 0.5);
        pencil.centred(
            pt(grid.left + along, grid.top - 4.0),
            11.0,
            false,
            Ink::Secondary,
            *mark,
        );
        ending(
            &mut pencil,
            pt(grid.left - 4.0, grid.top + along + 4.0),
            11.0,
            false,
            Ink::Secondary,
            *mark,
        );
    }
    let side = (grid.side * grid.side) as usize;
    let squares: &[Square] = it.squares.get(..side).unwrap_or_default();
    let whole = |one: &Square| {
        at.since(one.fresh) < FRESH && one.codes > 0 || u64::from(one.codes) * 2 >= many
    };
    for (owner, ink) in OWNERS.into_iter().enumerate().take(it.servers.len()) {
        for full in [false, true] {
            let share = match (full, grid.side) {
                (true, _) => 0.88,
                (false, 16) => 0.55,
                (false, _) => 0.72,
            };
            let d = grid.strokes(share, |place| {
                let one = &squares[place];
                usize::from(one.owner) == owner && one.codes > 0 && !one.bad && whole(one) == full
            });
            if !d.is_empty() {
                pencil.line(d, ink, grid.pitch * share);
            }
        }
    }
    wasted(it, &grid, &mut pencil);
    scanned(it, &grid, &mut pencil);
    let d = grid.strokes(0.88, |place| squares[place].bad);
    if !d.is_empty() {
        pencil.line(d, Ink::Bad, grid.pitch * 0.88);
        if let Some(clash) = it.clashes.back() {
            let p = grid.middle(clash.code);
            pencil.mark(Glyph::Failure, p, (grid.pitch * 0.8).max(6.0), Ink::Bad);
        }
    }
    let ink = match (n.clashes, n.overwritten) {
        (0, _) => Ink::Secondary,
        (_, 0) => Ink::Warn,
        _ => Ink::Bad,
    };
    let foot = fitting(&[foot, short], 11.5, ink != Ink::Secondary, room);
    let base = pt(
        rect.x + 10.0,
        (ground.y + ground.h + 17.0).min(rect.y + rect.h - 7.0),
    );
    if ink == Ink::Secondary {
        pencil.text(base, 11.5, ink, foot);
    } else {
        pencil.bold(base, 11.5, ink, foot);
    }
}

/// The end of an address, from its slash on.
fn path(it: &Shortener, link: u32) -> String {
    let whole = it.address(link);
    whole[whole.find('/').unwrap_or(0)..].to_owned()
}

/// "6985 = /91, /130"
fn meets(it: &Shortener, clash: &Clash) -> String {
    let code = it.text(clash.code);
    format!(
        "{code} = {}, {}",
        path(it, clash.first),
        path(it, clash.second)
    )
}

/// The codes that are being guessed, framed row by row.
fn scanned(it: &Shortener, grid: &Grid, pencil: &mut Pencil<'_>) {
    let Some((code, ..)) = it.scan else {
        return;
    };
    let all = grid.side * grid.side;
    let (first, last) = (code.saturating_sub(GUESSES / 2), code + GUESSES / 2);
    let mut d = String::new();
    let mut from = first;
    while from <= last {
        let to = last.min(from - from % grid.side + grid.side - 1);
        let (a, b) = (grid.middle(from % all), grid.middle(to % all));
        let half = grid.pitch / 2.0 + 1.0;
        let (x, y) = (text::tenths(a.x - half), text::tenths(a.y - half));
        let (w, h) = (
            text::tenths(b.x - a.x + 2.0 * half),
            text::tenths(2.0 * half),
        );
        d += &format!("M{x} {y}h{w}v{h}h-{w}Z");
        from = to + 1;
    }
    pencil.line(d, Ink::Ink, 1.5);
}

/// Numbers that a crashed server took along: a hatched stroke for each square.
fn wasted(it: &Shortener, grid: &Grid, pencil: &mut Pencil<'_>) {
    if it.knobs.scatter {
        return;
    }
    let space = it.knobs.space();
    let reach = grid.pitch * 0.38;
    let mut d = String::new();
    for range in &it.wasted {
        let end = range.end.min(space).min(range.next + grid.side * grid.side);
        for number in range.next..end {
            let p = grid.middle(number);
            let (x, y) = (text::tenths(p.x - reach), text::tenths(p.y + reach));
            let by = text::tenths(2.0 * reach);
            d += &format!("M{x} {y}l{by} -{by}");
        }
    }
    if !d.is_empty() {
        pencil.line(d, Ink::Warn, 1.5);
    }
}

/// The last codes, and beside them the two that are the same.
fn last(it: &Shortener, rect: Rect, narrow: bool, scene: &mut Scene) {
    let title = scene.say("last", &[]);
    let clash = it.clashes.back().copied();
    let said = match it.knobs.insert {
        Rule::Overwrite | Rule::CheckFirst if it.count.overwritten > 0 => "gone",
        _ => "tries-another",
    };
    let said = scene.say(said, &[]);
    let shown = match (narrow, clash) {
        (true, Some(_)) => 1,
        (false, None) => 6,
        _ => 3,
    };
    let shown: Vec<_> = it.last.iter().rev().take(shown).copied().collect();
    let mut spoken = match shown.first() {
        Some(entry) => format!("{}: {}", it.text(entry.code), it.address(entry.link)),
        None => scene.say("none", &[]),
    };
    if let Some(clash) = &clash {
        spoken = format!("{spoken}, {}, {said}", meets(it, clash));
    }
    let mut pencil = scene.thing(CODES, rect, spoken);
    figures::panel(&mut pencil, rect, title);
    let column_w = (rect.w - 20.0) / if narrow { 1.0 } else { 2.0 };
    let at = |column: usize, row: usize| {
        pt(
            rect.x + 10.0 + column_w * column as f32,
            rect.y + 33.0 + 16.0 * row as f32,
        )
    };
    let mut line = |p: Point, code: u64, link: u32, ink: Ink| {
        let code = it.text(code);
        let code_w = text::width(&code, 12.0, true);
        pencil.bold(pt(p.x + 14.0, p.y), 12.0, ink, code);
        let to = [it.address(link), path(it, link)].map(|to| format!("→ {to}"));
        let to = fitting(&to, 12.0, false, column_w - 26.0 - code_w);
        pencil.text(pt(p.x + 20.0 + code_w, p.y), 12.0, Ink::Secondary, to);
    };
    for (i, entry) in shown.iter().enumerate() {
        line(at(i / 3, i % 3), entry.code, entry.link, Ink::Ink);
    }
    let pair = if narrow { (0, 1) } else { (1, 0) };
    if let Some(clash) = &clash {
        for (row, link) in [clash.first, clash.second].into_iter().enumerate() {
            line(at(pair.0, pair.1 + row), clash.code, link, Ink::Bad);
        }
    }
    for (i, entry) in shown.iter().enumerate() {
        let (p, owner) = (at(i / 3, i % 3), OWNERS[entry.server % OWNERS.len()]);
        pencil.filled(Rect::new(p.x, p.y - 9.0, 9.0, 9.0), 2.0, owner);
    }
    if clash.is_some() {
        let p = at(pair.0, pair.1);
        let (x, y) = (text::tenths(p.x + 9.0), text::tenths(p.y - 4.0));
        pencil.line(format!("M{x} {y}h-6v16h6"), Ink::Bad, 2.0);
        if !narrow {
            let said = fitting(&[said], 11.0, false, column_w - 20.0);
            let p = at(pair.0, 2);
            pencil.text(pt(p.x + 14.0, p.y), 11.0, Ink::Bad, said);
        }
    }
}

/// What codes of this length are good for, in both alphabets.
fn capacity(knobs: &Settings, rect: Rect, scene: &mut Scene) {
    let length = knobs.length;
    let title = scene.say("capacity", &[count(length)]);
    let row = |scene: &Scene, base: u64| {
        let all = codes(base, length) as f64;
        let a_second = all / TEN_YEARS_S;
        let carries = if a_second >= 1.0 {
            format!(
                "{}{}",
                grouped((a_second + 0.5) as u64),
                scene.say("a-second", &[])
            )
        } else {
            let a_day = a_second * 86_400.0;
            let a_day = match a_day {
                100.0.. => grouped((a_day + 0.5) as u64),
                _ => text::trim_number((a_day * 10.0).round() / 10.0),
            };
            format!("{a_day} {}", scene.say("a-day", &[]))
        };
        [
            amount(scene, all),
            amount(scene, first_collision(all).round()),
            carries,
        ]
    };
    let heads = ["alphabet", "codes", "meet", "carries"].map(|word| scene.say(word, &[]));
    let rows = [16, 62].map(|base| (base, row(scene, base)));
    let spoken: Vec<String> = rows
        .iter()
        .map(|(base, [all, meet, carries])| {
            let base = count(*base as u32);
            format!(
                "{}: {all} {}, {} {meet}, {carries} {}",
                scene.say("base", &[base]),
                heads[1],
                heads[2],
                heads[3]
            )
        })
        .collect();
    let bases = [16, 62].map(|base| scene.say("base", &[count(base)]));
    let mut pencil = scene.thing(CAPACITY, rect, spoken.join("; "));
    pencil
        .figure("hex", codes(16, length) as f64)
        .figure("all", codes(62, length) as f64)
        .figure("times", (codes(62, length) / codes(16, length)) as f64);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let xs = [0.0, 0.21, 0.5, 0.75].map(|share| rect.x + 10.0 + (rect.w - 20.0) * share);
    let w = |i: usize| {
        let next = if i < 3 {
            xs[i + 1] - 6.0
        } else {
            rect.x + rect.w - 8.0
        };
        next - xs[i]
    };
    let title = fitting(&[title], 12.0, true, w(0));
    pencil.bold(pt(xs[0], rect.y + 18.0), 12.0, Ink::Secondary, title);
    for i in 1..4 {
        let head = fitting(&[heads[i].clone()], 11.0, false, w(i));
        pencil.text(pt(xs[i], rect.y + 18.0), 11.0, Ink::Secondary, head);
    }
    for (line, ((base, cells), name)) in rows.into_iter().zip(bases).enumerate() {
        let y = rect.y + 40.0 + 20.0 * line as f32;
        let used = knobs.way != Way::Snowflake && knobs.way.base() == base;
        let ink = if used { Ink::Ink } else { Ink::Secondary };
        let mut cell = |i: usize, said: String| {
            let said = fitting(&[said], 12.0, used, w(i));
            if used {
                pencil.bold(pt(xs[i], y), 12.0, ink, said);
            } else {
                pencil.text(pt(xs[i], y), 12.0, ink, said);
            }
        };
        cell(0, name);
        for (i, said) in cells.into_iter().enumerate() {
            cell(i + 1, said);
        }
    }
}

fn dots(it: &Shortener, placed: &Placed, at: Time, scene: &mut Scene) {
    let n = it.servers.len();
    let narrow = scene.narrow();
    let ends = [CREATORS, VISITORS, SOURCE, DATABASE];
    let ways: Vec<[Line; 4]> = (0..n)
        .map(|i| ends.map(|other| way(placed, other, i, narrow)))
        .collect();
    for (key, job) in it.jobs.iter() {
        let Some(ways) = ways.get(job.server) else {
            continue;
        };
        if job.step == Step::Queued {
            continue;
        }
        let visitor = matches!(job.what, What::Visit | What::Guess);
        let way = match job.leg.on {
            Hop::Door if visitor => &ways[1],
            Hop::Door => &ways[0],
            Hop::Source => &ways[2],
            Hop::Store => &ways[3],
        };
        let (share, course) = if job.leg.back {
            (1.0 - job.leg.share(at), Course::Back)
        } else {
            (job.leg.share(at), Course::There)
        };
        let (glyph, ink) = match (job.leg.on, job.leg.back) {
            (_, true) if job.failed => (Glyph::Failure, Ink::Bad),
            (Hop::Source, true) => (Glyph::Replica, Ink::Hit),
            (Hop::Source, false) => (Glyph::Request, Ink::Warn),
            (_, true) => (Glyph::Response, Ink::Ok),
            (_, false) if visitor => (Glyph::Request, Ink::Accent),
            (_, false) => (Glyph::Message, Ink::Accent),
        };
        let r = if visitor { DOT - 1.0 } else { DOT - 0.5 };
        scene.particle(way.at(share, course), r, glyph, ink, key.serial());
    }
}
