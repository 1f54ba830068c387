//! The stage: shop and router, the strip of the key space that glows where the work lands, its newest rows, the shards.

use super::moves::{self, JOBS};
use super::space::{Ask, By, CELEBRITY, DAY, Row, Rules, Space, Tally, date};
use super::{
    GOT, IMPORTER, LINK, READ, ROUTER_PART, SHARD, SHOP, SPACE, Seen, TODAY, WRITE, shard_part,
};
use algorithms::hash_slots::SLOTS;
use algorithms::shard_map::carried;
use engine::scene::{Curve, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, NodeCard, panel};
use kit::flow::Recently;
use kit::system::{Frame, Place, System, Values};

const SHOP_PART: PartId = PartId::one("shop");
/// The newest rows, each in its place.
pub(super) const ROWS: PartId = PartId::one("rows");
/// How many shards a question asks.
pub(super) const ASKED: PartId = PartId::one("asked");
/// How much all shards together can carry.
pub(super) const CARRIES: PartId = PartId::one("carries");
/// What users got.
pub(super) const GOTTEN: PartId = PartId::one("got");

/// Whose chain of causes answers for what is drawn here: its own, as long as it has one.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (SPACE, SPACE),
    (SPACE, ROUTER_PART),
    (ROWS, ROUTER_PART),
    (ASKED, ASKED),
    (ASKED, ROUTER_PART),
    (CARRIES, ROUTER_PART),
    (GOTTEN, ROUTER_PART),
    (SHOP_PART, ROUTER_PART),
];

/// From here on all stands side by side.
const WIDE: f32 = 700.0;
/// Bars reach so many times as high as one machine can do.
const HEADROOM: f64 = 1.6;
/// So many rows are shown.
const SHOWN: usize = 200;
const OWNERS: [Ink; 4] = [Ink::MemberA, Ink::MemberB, Ink::MemberC, Ink::MemberD];

/// What users want, and its word.
const KINDS: [(u8, &str); 3] = [
    (WRITE, "got.write"),
    (READ, "got.read"),
    (TODAY, "got.today"),
];

/// The ink of an owner; its number tells apart those that share one.
fn ink_of(shard: usize) -> Ink {
    OWNERS[shard % OWNERS.len()]
}

/// Where everything stands.
struct Layout {
    wide: bool,
    shop: Rect,
    router: Rect,
    /// The whole strip, and in it the bars and the cells.
    strip: Rect,
    bars: Rect,
    cells: Rect,
    rows: Rect,
    shards: Vec<Rect>,
    panels: [Rect; 3],
    height: f32,
}

impl Layout {
    fn of(width: f32, shards: usize) -> Layout {
        if width >= WIDE {
            Layout::wide(width, shards)
        } else {
            Layout::narrow(width, shards)
        }
    }

    fn wide(width: f32, shards: usize) -> Layout {
        let side = (width * 0.24).clamp(160.0, 214.0);
        let (left, right) = (250.0, width - 12.0 - side);
        let strip = Rect::new(left, 8.0, right - 38.0 - left, 190.0);
        let inner = Rect::new(strip.x + 10.0, 0.0, strip.w - 20.0, 0.0);
        let low = 330.0;
        let n = shards.max(1) as f32;
        let gap = if shards > 6 { 3.0 } else { 8.0 };
        let h = ((low - 8.0 - gap * (n - 1.0)) / n).min(68.0);
        let card = |i: usize| Rect::new(right, 8.0 + (h + gap) * i as f32, side, h);
        Layout {
            wide: true,
            shop: Rect::new(12.0, 8.0, 98.0, 62.0),
            router: Rect::new(130.0, 8.0, 104.0, 62.0),
            strip,
            bars: Rect {
                y: 42.0,
                h: 104.0,
                ..inner
            },
            cells: Rect {
                y: 149.0,
                h: 20.0,
                ..inner
            },
            rows: Rect::new(strip.x, 206.0, strip.w, low - 206.0),
            shards: (0..shards).map(card).collect(),
            panels: [
                Rect::new(12.0, 84.0, 222.0, 62.0),
                Rect::new(12.0, 154.0, 222.0, 62.0),
                Rect::new(12.0, 224.0, 222.0, low - 224.0),
            ],
            height: low + 8.0,
        }
    }

    fn narrow(width: f32, shards: usize) -> Layout {
        let full = width - 24.0;
        let half = (full - 20.0) / 2.0;
        let strip = Rect::new(12.0, 64.0, full, 150.0);
        let inner = Rect::new(strip.x + 8.0, 0.0, strip.w - 16.0, 0.0);
        let columns = if shards > 4 { 2 } else { 1 };
        let (h, gap) = if shards > 4 { (24.0, 4.0) } else { (40.0, 6.0) };
        let rows = Rect::new(12.0, 224.0, full, 92.0);
        let (x, y) = (30.0, 326.0);
        let w = (width - 12.0 - x - 8.0 * (columns - 1) as f32) / columns as f32;
        let per = shards.div_ceil(columns);
        let card = |i: usize| {
            let (column, row) = ((i / per.max(1)) as f32, (i % per.max(1)) as f32);
            Rect::new(x + (w + 8.0) * column, y + (h + gap) * row, w, h)
        };
        let below = y + (h + gap) * per as f32 + 4.0;
        let small = (full - 8.0) / 2.0;
        Layout {
            wide: false,
            shop: Rect::new(12.0, 8.0, half, 48.0),
            router: Rect::new(width - 12.0 - half, 8.0, half, 48.0),
            strip,
            bars: Rect {
                y: 98.0,
                h: 68.0,
                ..inner
            },
            cells: Rect {
                y: 169.0,
                h: 18.0,
                ..inner
            },
            rows,
            shards: (0..shards).map(card).collect(),
            panels: [
                Rect::new(12.0, below, small, 60.0),
                Rect::new(20.0 + small, below, small, 60.0),
                Rect::new(12.0, below + 68.0, full, 104.0),
            ],
            height: below + 180.0,
        }
    }

    /// The way from the router into a cell and on to a shard, and back.
    fn way(&self, x: f32, shard: usize) -> Option<Vec<Point>> {
        let card = self.shards.get(shard)?;
        let lane = self.bars.y - 6.0;
        let start = if self.wide {
            pt(self.router.right().x, lane)
        } else {
            self.router.bottom()
        };
        let cell = pt(x, self.cells.y + self.cells.h / 2.0);
        let mut way = vec![start];
        if !self.wide {
            way.push(pt(start.x, lane));
        }
        way.extend([pt(x, lane), cell, card.left()]);
        Some(way)
    }

    fn back(&self, shard: usize) -> Option<Vec<Point>> {
        let card = self.shards.get(shard)?;
        if self.wide {
            let (bus, lane) = (card.x - 16.0, self.strip.y + self.strip.h + 4.0);
            let turn = 242.0;
            let ends = [pt(turn, lane), pt(turn, 62.0), pt(234.0, 62.0)];
            let begin = [card.left(), pt(bus, card.left().y), pt(bus, lane)];
            return Some(begin.into_iter().chain(ends).collect());
        }
        let bus = 21.0;
        let top = self.strip.y + self.strip.h + 5.0;
        let out = if card.x > 40.0 {
            pt(card.x - 4.0, card.left().y)
        } else {
            pt(bus, card.left().y)
        };
        let up = pt(out.x, top);
        Some(vec![
            card.left(),
            out,
            up,
            pt(6.0, top),
            pt(6.0, 60.0),
            pt(self.router.x - 4.0, 60.0),
            pt(self.router.x, 52.0),
        ])
    }
}

/// A place on a way of straight pieces.
fn along(way: &[Point], share: f32) -> Point {
    let length = |ends: &[Point]| {
        (ends[1].x - ends[0].x)
            .abs()
            .max((ends[1].y - ends[0].y).abs())
    };
    let mut left = share.clamp(0.0, 1.0) * way.windows(2).map(length).sum::<f32>();
    for ends in way.windows(2) {
        let here = length(ends);
        if left <= here && here > 0.0 {
            let t = left / here;
            let (a, b) = (ends[0], ends[1]);
            return pt(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t);
        }
        left -= here;
    }
    way[way.len() - 1]
}

/// A rectangle as a path, so that many of one ink are one shape.
fn push(d: &mut String, rect: Rect) {
    let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(text::tenths);
    for part in ["M", &x, " ", &y, "h", &w, "v", &h, "h-", &w, "z"] {
        d.push_str(part);
    }
}

fn path(rect: Rect) -> String {
    let mut d = String::new();
    push(&mut d, rect);
    d
}

/// Where each piece stands on the strip: as wide as its rows are many where pieces are ranges of dates.
struct Cells {
    rects: Vec<Rect>,
    /// Where each piece begins and ends in the key space.
    bounds: Vec<(u64, u64)>,
}

impl Cells {
    fn of(system: &System, at: Time, area: Rect) -> Cells {
        let space = &system.own::<Seen>().space;
        let pieces = space.map.pieces();
        let dated = space.by() == By::Date;
        let end = if dated {
            date(at) + 1
        } else {
            u64::from(SLOTS)
        };
        let ends = (0..pieces.len()).map(|place| {
            let (from, to) = space.map.bounds(place);
            (from, to.unwrap_or(end.max(from + 1)))
        });
        let bounds: Vec<(u64, u64)> = ends.collect();
        let weights: Vec<f32> = match dated {
            true => space
                .counts()
                .into_iter()
                .map(|rows| rows as f32 + 12.0)
                .collect(),
            false => vec![1.0; pieces.len()],
        };
        let unit = area.w / weights.iter().sum::<f32>().max(1.0);
        let mut x = area.x;
        let place = |weight: &f32| {
            let rect = Rect {
                x,
                w: weight * unit,
                ..area
            };
            x += rect.w;
            rect
        };
        let rects = weights.iter().map(place).collect();
        Cells { rects, bounds }
    }

    /// Where a key stands.
    fn x(&self, place: usize, key: u64) -> f32 {
        let (rect, (from, to)) = (self.rects[place], self.bounds[place]);
        let share = key.saturating_sub(from) as f64 / (to - from) as f64;
        rect.x + rect.w * (share as f32).clamp(0.02, 0.98)
    }
}

/// Draws all of it.
pub(super) fn draw(system: &System, _knobs: &Values, at: Time, scene: &mut Scene) {
    let members = system.node(SHARD).map_or(0, |live| live.members.len());
    let layout = Layout::of(scene.width, members);
    scene.height = layout.height;
    let cells = Cells::of(system, at, layout.cells);
    ways(system, &layout, scene);
    shop(system, &layout, scene);
    router(system, &layout, scene);
    strip(system, at, &cells, &layout, scene);
    rows(system, at, &cells, layout.rows, scene);
    for shard in 0..members {
        card(shard, system, at, &layout, scene);
    }
    panels(system, at, &layout, scene);
    for (_, frame) in system.frames() {
        dot(frame, system, at, &cells, &layout, scene);
    }
    moving(system, &layout, scene);
}

fn ways(system: &System, layout: &Layout, scene: &mut Scene) {
    let mut ground = scene.background();
    let door = Curve::straight(layout.shop.right(), layout.router.left());
    ground.line(door.d(), Ink::Mark, 1.5);
    for shard in 0..layout.shards.len() {
        let down = !moves::is_up(system, shard);
        let (card, middle) = (layout.shards[shard], layout.strip.right());
        if layout.wide {
            let way = Curve::across(middle, card.left()).d();
            if down {
                ground.dashed_line(way, Ink::Bad, 1.5);
            } else {
                ground.line(way, Ink::LineStrong, 1.5);
            }
        }
    }
}

fn shop(system: &System, layout: &Layout, scene: &mut Scene) {
    let rate = system.load_per_s(SHOP);
    let surge = |node| system.node(node).is_some_and(|live| live.surge.is_on());
    let imports = surge(IMPORTER);
    let words = match imports {
        true => ["importing", "importing"],
        false => ["load", "load.short"],
    };
    let said = words.map(|word| scene.say(word, &[Arg::Number(rate.round())]));
    let name = scene.name(SHOP_PART);
    let mut pencil = scene.thing(SHOP_PART, layout.shop, said[0].clone());
    pencil.figure("load", rate);
    let busy = surge(SHOP) || imports;
    let (ink, border) = match busy {
        true => (Ink::Warn, Ink::Warn),
        false => (Ink::Secondary, Ink::LineStrong),
    };
    let status = fitting(&said, 12.5, busy, layout.shop.w - 24.0);
    NodeCard {
        ink,
        border,
        ..NodeCard::plain(layout.shop, name, status)
    }
    .draw(&mut pencil);
}

/// The word that names what the table is cut by.
const fn by_word(by: By) -> &'static str {
    match by {
        By::Date => "by.date",
        By::Customer => "by.customer",
        By::Order => "by.order",
        By::Salt => "by.salt",
    }
}

/// The router, with what it decided last.
fn router(system: &System, layout: &Layout, scene: &mut Scene) {
    let space = &system.own::<Seen>().space;
    let said = match space.asks.last() {
        Some(ask) if ask.targets.len() == 1 => {
            let shard = Arg::Count(ask.targets[0].shard as i64 + 1);
            scene.say("to-one", &[shard])
        }
        Some(ask) => scene.say("to-many", &[Arg::Count(ask.targets.len() as i64)]),
        None => scene.say("to-none", &[]),
    };
    let by = scene.say(by_word(space.by()), &[]);
    let name = scene.name(ROUTER_PART);
    let rect = layout.router;
    let mut pencil = scene.thing(ROUTER_PART, rect, format!("{by}; {said}"));
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let [first, step] = if layout.wide {
        [20.0, 17.0]
    } else {
        [16.0, 14.0]
    };
    let room = rect.w - 20.0;
    let x = rect.x + 11.0;
    pencil.bold(pt(x, rect.y + first), 13.5, Ink::Ink, name);
    let by = fitting(&[by], 12.0, true, room);
    pencil.bold(pt(x, rect.y + first + step), 12.0, Ink::Accent, by);
    let said = fitting(&[said], 11.5, false, room);
    pencil.text(
        pt(x, rect.y + first + 2.0 * step),
        11.5,
        Ink::Secondary,
        said,
    );
}

/// The key space, coloured by owner; above each piece what was asked of it lately.
fn strip(system: &System, at: Time, cells: &Cells, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (space, rules) = (&seen.space, &seen.rules);
    let pieces = space.map.pieces();
    let heat = space.heat(at);
    let total: f64 = heat.iter().map(|it| it[0] + it[1]).sum();
    let hottest = (0..heat.len()).max_by(|one, other| {
        let sum = |place: usize| heat[place][0] + heat[place][1];
        sum(*one).total_cmp(&sum(*other))
    });
    let hottest = hottest.unwrap_or(0);
    let peak = heat[hottest][0] + heat[hottest][1];
    let owner = pieces[hottest].owner;
    let rounded = peak.round();
    let spoken = scene.say(
        "space",
        &[
            Arg::Count(pieces.len() as i64),
            Arg::Number(rounded),
            Arg::Part(shard_part(owner)),
        ],
    );
    let titles = ["space.title", "space.title.short", "space.title.shortest"];
    let titles = titles.map(|word| scene.say(word, &[]));
    let limits = ["limit", "limit.short", "per-s"];
    let limits = limits.map(|word| scene.say(word, &[Arg::Number(rules.each().round())]));
    let tall = scene.say("per-s", &[Arg::Number(rounded)]);
    let ends = match space.by() {
        By::Date => ["axis.old", "axis.now"].map(|word| scene.say(word, &[])),
        _ => ["axis.first", "axis.last"].map(|word| scene.say(word, &[])),
    };
    let kinds = ["heat.own", "heat.all", "heat.machine"].map(|word| scene.say(word, &[]));
    let down: Vec<bool> = (0..layout.shards.len().max(owner + 1))
        .map(|shard| !moves::is_up(system, shard))
        .collect();
    let is_dead = |owner: usize| down.get(owner).copied().unwrap_or(true);
    let dead_pieces = pieces.iter().filter(|it| is_dead(it.owner)).count();
    let frame = layout.strip;
    let mut pencil = scene.thing(SPACE, frame, spoken);
    pencil
        .figure("hottest", peak)
        .figure(
            "hottest share",
            if total > 0.0 { peak / total } else { 0.0 },
        )
        .figure(
            "all share",
            if total > 0.0 {
                heat.iter().map(|it| it[1]).sum::<f64>() / total
            } else {
                0.0
            },
        )
        .figure("pieces", pieces.len() as f64)
        .figure("cuts", f64::from(seen.moves.cuts))
        .figure("moved", f64::from(seen.moves.moved))
        .figure("dead", dead_pieces as f64);
    pencil.bordered(frame, 10.0, Ink::Card, Ink::Line, 1.0);
    let room = frame.w - 20.0;
    let title = fitting(&titles, 12.0, true, room);
    pencil.bold(
        pt(frame.x + 10.0, frame.y + 17.0),
        12.0,
        Ink::Secondary,
        title,
    );
    // The line that no machine gets over, whatever is asked of it.
    let bars = layout.bars;
    let unit = f64::from(bars.h) / (rules.each() * HEADROOM);
    let base = bars.y + bars.h;
    let line = base - (rules.each() * unit) as f32;
    pencil.dashed_line(
        format!(
            "M{} {}h{}",
            text::tenths(bars.x),
            text::tenths(line),
            text::tenths(bars.w)
        ),
        Ink::LineStrong,
        1.0,
    );
    let high = |value: f64| (value * unit).min(f64::from(bars.h)) as f32;
    let mut own = [const { String::new() }; OWNERS.len()];
    let (mut all, mut cold) = (String::new(), [const { String::new() }; OWNERS.len()]);
    let (mut dead, mut excess) = (String::new(), String::new());
    let mut machines = vec![0.0; down.len()];
    for (place, piece) in pieces.iter().enumerate() {
        let rect = cells.rects[place];
        let w = (rect.w - 1.0).max(1.0);
        let [alone, shared] = heat[place];
        let ground = &mut cold[piece.owner % OWNERS.len()];
        push(ground, Rect { w, ..rect });
        if is_dead(piece.owner) {
            push(&mut dead, Rect { w, ..rect });
        }
        let h = high(alone);
        if h > 0.3 {
            push(
                &mut own[piece.owner % OWNERS.len()],
                Rect::new(rect.x, base - h, w, h),
            );
        }
        let upper = high(alone + shared) - h;
        if upper > 0.3 {
            push(&mut all, Rect::new(rect.x, base - h - upper, w, upper));
        }
        let above = high(alone + shared) - high(rules.each());
        if above > 0.3 {
            push(&mut excess, Rect::new(rect.x, line - above, w, above));
        }
        if let Some(sum) = machines.get_mut(piece.owner) {
            *sum += alone + shared;
        }
    }
    for (d, ink) in cold
        .into_iter()
        .zip(OWNERS)
        .chain(own.into_iter().zip(OWNERS))
    {
        if !d.is_empty() {
            pencil.area(d, ink);
        }
    }
    if !all.is_empty() {
        pencil.area(all, Ink::Warn);
    }
    // What is above the line, nobody can do.
    if !excess.is_empty() {
        pencil.area(excess, Ink::Bad);
    }
    if !dead.is_empty() {
        pencil
            .area(dead.clone(), Ink::Card)
            .area(dead, Ink::BadHatch);
    }

    // Neighbours with one owner share its number, and a line as high as all that is asked of it.
    let mut begin = 0;
    for place in 1..=pieces.len() {
        let same = pieces
            .get(place)
            .is_some_and(|it| it.owner == pieces[begin].owner);
        if same {
            continue;
        }
        let (from, to) = (cells.rects[begin], cells.rects[place - 1]);
        let owner = pieces[begin].owner;
        let sum = machines.get(owner).copied().unwrap_or(0.0);
        let glows = (begin..place).any(|it| heat[it][0] + heat[it][1] > 0.0);
        if sum > 0.0 && glows {
            let y = base - high(sum);
            let d = format!(
                "M{} {}H{}",
                text::tenths(from.x),
                text::tenths(y),
                text::tenths(to.x + to.w - 1.0)
            );
            let ink = if sum > rules.each() {
                Ink::Bad
            } else {
                ink_of(owner)
            };
            pencil.line(d, ink, 2.0);
        }
        let middle = pt((from.x + to.x + to.w) / 2.0, from.y + from.h / 2.0 + 4.0);
        let label = text::trim_number(owner as f64 + 1.0);
        let ink = match down.get(owner) {
            Some(false) => Ink::OnAccent,
            _ => Ink::Bad,
        };
        if to.x + to.w - from.x >= text::width(&label, 11.0, true) + 1.0 {
            pencil.centred(middle, 11.0, true, ink, label);
        }
        begin = place;
    }
    if let Some(it) = seen.moves.now
        && let Some(place) = space.map.find(it.piece)
    {
        let rect = cells.rects[place];
        let ring = Rect::new(rect.x - 1.0, rect.y - 2.0, rect.w + 1.0, rect.h + 4.0);
        pencil.dashed_line(path(ring), Ink::Ink, 2.0);
    }
    let axis = layout.cells.y + layout.cells.h + 15.0;
    let [first, last] = ends;
    let asks_all = heat.iter().any(|it| it[1] > 0.0);
    let taken = [&first, &last].map(|end| text::width(end, 11.0, false) + 16.0);
    // As much of the legend as there is room for.
    let room = bars.w - taken[0] - taken[1];
    let widths = kinds
        .each_ref()
        .map(|it| text::width(it, 11.0, false) + 25.0);
    let inks = [ink_of(owner), Ink::Warn, ink_of(owner)];
    let (mut x, mut left) = (bars.x + taken[0], if asks_all { room + 12.0 } else { 0.0 });
    let spare = room + 12.0 - widths.iter().sum::<f32>();
    x += (spare / 2.0).max(0.0);
    for (nth, said) in kinds.into_iter().enumerate() {
        left -= widths[nth];
        if left < 0.0 {
            break;
        }
        let (y, h) = if nth == 2 {
            (axis - 5.0, 2.0)
        } else {
            (axis - 8.5, 9.0)
        };
        pencil.filled(Rect::new(x, y, 9.0, h), 1.0, inks[nth]);
        pencil.text(pt(x + 13.0, axis), 11.0, Ink::Secondary, said);
        x += widths[nth];
    }
    pencil.text(pt(bars.x, axis), 11.0, Ink::Secondary, first);
    let end = pt(bars.x + bars.w, axis);
    ending(&mut pencil, end, 11.0, false, Ink::Secondary, last);
    let rect = cells.rects[hottest];
    let x = rect.x + rect.w / 2.0;
    let crowded = peak >= rules.each() * 0.25;
    let tall_w = text::width(&tall, 12.5, true);
    let from = (x - tall_w / 2.0).clamp(bars.x, bars.x + bars.w - tall_w);
    // What is written at the line keeps to the wider side of the bars that reach it.
    let end = bars.x + bars.w;
    let reaches = |place: &usize| heat[*place][0] + heat[*place][1] > rules.each() * 0.9;
    let tops: Vec<usize> = (0..heat.len()).filter(reaches).collect();
    let left = tops.first().map_or(end, |place| cells.rects[*place].x) - bars.x;
    let right = tops
        .last()
        .map_or(0.0, |place| end - cells.rects[*place].right().x);
    // Beside the highest bar stands what it is asked.
    let room = left.max(right) - if tops.is_empty() { 0.0 } else { tall_w + 12.0 };
    let limit = limits
        .iter()
        .find(|it| text::width(it, 11.0, false) <= room);
    if let Some(limit) = limit {
        let at = pt(if left >= right { bars.x } else { end }, line - 4.0);
        match left >= right {
            true => _ = pencil.text(at, 11.0, Ink::Secondary, limit.as_str()),
            false => ending(&mut pencil, at, 11.0, false, Ink::Secondary, limit.as_str()),
        }
    }
    if crowded {
        let over = peak > rules.each();
        let ink = if over { Ink::Bad } else { Ink::Ink };
        // Beside the bar where it is too high to write above it.
        let top = base - high(peak) - 4.0;
        let at = if top < bars.y + 8.0 {
            let left = rect.x - tall_w - 4.0;
            let beside = if left > bars.x {
                left
            } else {
                rect.x + rect.w + 4.0
            };
            pt(beside, bars.y + 12.0)
        } else {
            pt(from, top)
        };
        pencil.bold(at, 12.5, ink, tall);
    }
}

/// The newest rows: each stands above its place in the key space, the newest on top.
fn rows(system: &System, at: Time, cells: &Cells, area: Rect, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let space = &seen.space;
    let famous = seen.rules.celebrity > 0.0;
    let count = space.rows.len().min(SHOWN);
    let began = date(Time(at.0 / DAY.0 * DAY.0));
    let newest = space.rows.iter().rev().take(SHOWN);
    let is_fresh = |row: &&Row| row.date >= began;
    let fresh = newest.clone().filter(is_fresh).count();
    let all_fresh = space.rows.iter().filter(is_fresh).count();
    let owners = |want: &dyn Fn(u16, u64) -> bool| {
        let mut found = 0_u32;
        for row in space.rows.iter().filter(|row| want(row.customer, row.date)) {
            found |= 1 << space.map.owner_of(row.key).min(31);
        }
        f64::from(found.count_ones())
    };
    let on = owners(&|_, date| date >= began);
    let theirs = owners(&|customer, _| customer == CELEBRITY);
    let args = [Arg::Count(all_fresh as i64), Arg::Number(on)];
    let said = scene.say("rows", &args);
    let titles = match famous {
        true => {
            ["rows.famous", "rows.famous.short"].map(|word| scene.say(word, &[Arg::Number(theirs)]))
        }
        false => ["rows.title", "rows.title.short"].map(|word| scene.say(word, &args)),
    };
    let today = scene.say("rows.today", &[]);
    let mut pencil = scene.thing(ROWS, area, said);
    pencil.figure("today on", on).figure("cust42 on", theirs);
    pencil.bordered(area, 10.0, Ink::Card, Ink::Line, 1.0);
    let title = fitting(&titles, 12.0, true, area.w - 20.0);
    pencil.bold(
        pt(area.x + 10.0, area.y + 17.0),
        12.0,
        Ink::Secondary,
        title,
    );
    let (top, high) = (area.y + 26.0, area.h - 34.0);
    let step = high / SHOWN as f32;
    let (mut others, mut todays, mut stars) = (String::new(), String::new(), String::new());
    for (nth, row) in newest.enumerate() {
        let x = cells.x(space.map.place_of(row.key), row.key);
        let y = top + step * nth as f32;
        let star = famous && row.customer == CELEBRITY;
        let (d, side) = match (star, row.date >= began) {
            (true, _) => (&mut stars, 4.0),
            (_, true) => (&mut todays, 3.0),
            _ => (&mut others, 2.5),
        };
        push(d, Rect::new(x - side / 2.0, y - side / 2.0, side, side));
    }
    for (d, ink) in [(others, Ink::Mark), (todays, Ink::Warn), (stars, Ink::Hit)] {
        if !d.is_empty() {
            pencil.area(d, ink);
        }
    }
    if fresh > 0 && fresh < count {
        let y = top + step * (fresh as f32 - 0.5);
        let d = format!(
            "M{} {}h{}",
            text::tenths(area.x + 8.0),
            text::tenths(y),
            text::tenths(area.w - 16.0)
        );
        pencil.dashed_line(d, Ink::Warn, 1.0);
        let at = pt(area.x + area.w - 10.0, (y - 4.0).max(area.y + 30.0));
        if space.by() != By::Date || y > area.y + 42.0 {
            let w = text::width(&today, 11.0, true) + 6.0;
            let ground = Rect::new(at.x - w + 3.0, at.y - 9.5, w, 12.0);
            pencil.area(path(ground), Ink::Card);
            ending(&mut pencil, at, 11.0, true, Ink::Warn, today);
        }
    }
}

/// What a call looks like.
fn face(frame: &Frame) -> (Glyph, Ink) {
    if frame.is_job() {
        return (Glyph::Message, Ink::Secondary);
    }
    if frame.failed.is_some() {
        return (Glyph::Failure, Ink::Bad);
    }
    if frame.place == Place::Travels && frame.leg.back {
        return (Glyph::Response, Ink::Ok);
    }
    let ink = match frame.draw.class {
        READ => Ink::Hit,
        TODAY => Ink::Warn,
        _ => Ink::Accent,
    };
    (Glyph::Request, ink)
}

/// A shard: what it is asked, what waits there, and how it is.
fn card(shard: usize, system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let Some(it) = system.node(SHARD).and_then(|live| live.members.get(shard)) else {
        return;
    };
    let seen = system.own::<Seen>();
    let (space, rules) = (&seen.space, &seen.rules);
    let rate = space.rate(shard, at);
    let each = rules.each();
    let places = system
        .node(SHARD)
        .and_then(|live| live.service())
        .map_or(1, |it| it.places);
    let queued = it
        .own
        .pool
        .queue
        .iter()
        .filter_map(|key| system.frame(*key));
    let waiting = queued.clone().filter(|frame| !frame.is_job()).count();
    let full = waiting as u32 >= places;
    let rounded = [rate.round(), each.round()].map(Arg::Number);
    let asked = ["asked-of", "asked-of.short"].map(|word| scene.say(word, &rounded));
    let pieces = space.map.counts(shard + 1)[shard];
    let (state, ink) = if let Some(since) = it.down {
        let s = Arg::Tenths((at.since(since).as_s() * 10.0) as u32);
        (Some(scene.say("crashed", &[s])), Ink::Bad)
    } else if full {
        (Some(scene.say("full", &[])), Ink::Bad)
    } else if it.leaving {
        (Some(scene.say("leaving", &[])), Ink::Warn)
    } else if it.own.rate < 1.0 {
        (Some(scene.say("slow", &[])), Ink::Warn)
    } else {
        (None, Ink::Secondary)
    };
    let idle = scene.say("idle", &[]);
    let gone = scene.say("crashed.short", &[]);
    let its_copies = scene.say("copies", &[Arg::Count(i64::from(rules.copies))]);
    let waits = scene.say("waiting", &[Arg::Count(waiting as i64)]);
    let part = shard_part(shard);
    let name = scene.name(part);
    let mut spoken = format!("{}, {waits}", asked[0]);
    if let Some(state) = &state {
        spoken = format!("{state}, {spoken}");
    }
    let rect = layout.shards[shard];
    let mut pencil = scene.thing(part, rect, spoken);
    pencil
        .figure("asked", rate)
        .figure("waiting", waiting as f64)
        .figure("pieces", pieces as f64);
    let down = it.down.is_some();
    let border = match (down || full, ink) {
        (true, _) => Ink::Bad,
        (_, Ink::Warn) => Ink::Warn,
        _ => Ink::LineStrong,
    };
    let width = if border == Ink::LineStrong { 1.5 } else { 2.0 };
    pencil.bordered(rect, 8.0_f32.min(rect.h / 3.0), Ink::Card, border, width);
    pencil.filled(
        Rect::new(rect.x + 6.0, rect.y + 4.0, 5.0, rect.h - 8.0),
        2.0,
        ink_of(shard),
    );
    let inner = rect.x + 17.0;
    let room = rect.w - 27.0;
    let over = rate > each;
    let roomy = rect.h >= 36.0;
    let tiny = rect.h < 22.0;
    let size = if tiny { 11.0 } else { 12.5 };
    let medium = roomy && rect.h < 52.0;
    let name_y = if roomy {
        rect.y + if medium { 14.0 } else { 16.0 }
    } else {
        rect.y + rect.h / 2.0 + 4.0
    };
    let number = text::trim_number(shard as f64 + 1.0);
    let name_w = text::width(&name, size, true);
    let short = room < name_w + text::width(&asked[1], size, over) + 60.0 && !roomy;
    let (name, name_w) = match short {
        true => (number.clone(), text::width(&number, size, true)),
        false => (name, name_w),
    };
    pencil.bold(pt(inner, name_y), size, Ink::Ink, name);
    if rules.copies > 0 && roomy && !medium {
        let at = pt(inner + name_w + 6.0, name_y);
        pencil.text(at, 11.0, Ink::Secondary, its_copies);
    }
    let right = rect.x + rect.w - 10.0;
    let said = match &state {
        Some(_) if down => vec![state.clone().unwrap_or_default(), gone],
        Some(state) if !roomy || medium => vec![state.clone()],
        None if !roomy && waiting >= 5 => vec![waits.clone(), asked[1].clone()],
        _ if !roomy => vec![asked[1].clone()],
        _ => asked.to_vec(),
    };
    let inked = match (&state, over) {
        (Some(_), _) if down || !roomy || medium => ink,
        (_, true) => Ink::Bad,
        _ => Ink::Secondary,
    };
    // Where they share a line, the meter needs room as well.
    let copied = if rules.copies > 0 && roomy && !medium {
        20.0
    } else {
        0.0
    };
    let rest = room - name_w - copied - if roomy { 8.0 } else { 40.0 };
    let said = fitting(&said, size, inked != Ink::Secondary, rest);
    let said_w = text::width(&said, size, inked != Ink::Secondary);
    ending(
        &mut pencil,
        pt(right, name_y),
        size,
        inked != Ink::Secondary,
        inked,
        said,
    );
    // The meter, and in it what one machine can do.
    let share = (rate / each) as f32;
    let meter = if roomy {
        let low = if medium { 7.0 } else { 11.0 };
        Rect::new(inner, rect.y + rect.h - low, room, low * 0.55)
    } else {
        // As long on all cards, unless a text is longer.
        let x = inner + name_w.max(if short { 14.0 } else { 50.0 }) + 8.0;
        let w = right - said_w.max(56.0) - 8.0 - x;
        Rect::new(x, rect.y + rect.h / 2.0 - 3.0, w.max(4.0), 6.0)
    };
    let tone = if over { Ink::Bad } else { ink_of(shard) };
    pencil.meter(meter, share, tone, down);
    if !roomy {
        return;
    }
    if let Some(state) = state.filter(|_| !down && !medium) {
        let state = fitting(&[state], 11.5, true, 60.0);
        ending(
            &mut pencil,
            pt(right, rect.y + 33.0),
            11.5,
            true,
            ink,
            state,
        );
    }
    if rate == 0.0 && it.own.pool.held.is_empty() && !down && !medium {
        pencil.text(pt(inner, rect.y + 34.0), 11.5, Ink::Secondary, idle);
    }
    let small = 3.6;
    let pitch = 8.2;
    let (per_row, lines, first) = if medium {
        ((room / pitch) as usize, 1, 23.0)
    } else {
        let lines = ((rect.h - 34.0) / pitch) as usize;
        (((room - 66.0) / pitch) as usize, lines, 27.0)
    };
    let held = it.own.pool.held.iter().filter_map(|key| system.frame(*key));
    let dots = held.chain(queued).take(per_row * lines);
    for (i, frame) in dots.enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let p = pt(inner + 4.0 + pitch * column, rect.y + first + pitch * row);
        let (glyph, ink) = face(frame);
        scene.particle(p, small, glyph, ink, frame.number);
    }
}

/// A dot on its way.
fn dot(
    frame: &Frame,
    system: &System,
    at: Time,
    cells: &Cells,
    layout: &Layout,
    scene: &mut Scene,
) {
    if frame.is_request() || frame.is_job() {
        return;
    }
    let shard = frame.at().1;
    let (glyph, ink) = face(frame);
    let at = match frame.place {
        Place::Travels if frame.leg.on == LINK => {
            let share = frame.leg.share(at);
            if frame.leg.back {
                layout.back(shard).map(|way| along(&way, share))
            } else {
                let x = through(frame, system, cells);
                layout.way(x, shard).map(|way| along(&way, share))
            }
        }
        Place::Travels => {
            let door = [layout.shop.right(), layout.router.left()];
            let share = frame.leg.share(at);
            let share = if frame.leg.back { 1.0 - share } else { share };
            let lane = if frame.leg.back { 6.0 } else { -6.0 };
            let p = along(&door, share);
            Some(pt(p.x, p.y + lane))
        }
        Place::Bounces => Some(layout.router.right()),
        _ => None,
    };
    if let Some(at) = at {
        scene.particle(at, DOT, glyph, ink, frame.number);
    }
}

/// Where a call crosses the strip: at its key, or in the middle of all that its shard has.
fn through(frame: &Frame, system: &System, cells: &Cells) -> f32 {
    let space = &system.own::<Seen>().space;
    let target = space
        .asked(frame.number)
        .and_then(|ask: &Ask| ask.targets.get(frame.branch()));
    if let Some(key) = target.and_then(|target| target.key) {
        return cells.x(space.map.place_of(key), key);
    }
    let shard = frame.at().1;
    let own = space
        .map
        .pieces()
        .iter()
        .zip(&cells.rects)
        .filter(|(piece, _)| piece.owner == shard);
    let (sum, count) = own.fold((0.0, 0), |(sum, count), (_, rect)| {
        (sum + rect.x + rect.w / 2.0, count + 1)
    });
    if count > 0 {
        sum / count as f32
    } else {
        cells.rects[0].x
    }
}

/// A piece that moves travels as a frame from its old owner to the new one.
fn moving(system: &System, layout: &Layout, scene: &mut Scene) {
    let Some(it) = system.own::<Seen>().moves.now else {
        return;
    };
    let (Some(from), Some(to)) = (layout.shards.get(it.from), layout.shards.get(it.to)) else {
        return;
    };
    let lane = |card: &Rect| pt(card.x - 9.0, card.left().y);
    let share = f32::from(it.done) / f32::from(JOBS);
    let p = along(&[lane(from), lane(to)], share);
    scene.particle(p, DOT + 1.5, Glyph::Message, Ink::Secondary, 0);
}

/// What all shards carry together, how many a question asks, and what users got.
fn panels(system: &System, at: Time, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (tally, rules) = (&seen.space.tally, &seen.rules);
    carries(
        &seen.space,
        rules,
        moves::shards(system),
        layout.panels[0],
        scene,
    );
    asked(tally, layout.panels[1], scene);
    got(seen, at, layout.panels[2], scene);
}

fn carries(space: &Space, rules: &Rules, shards: usize, rect: Rect, scene: &mut Scene) {
    let tally = &space.tally;
    let theory = carried(rules.each(), space.expected);
    let known = tally.requests >= 10;
    let value = if known {
        tally.carries(rules.each())
    } else {
        0.0
    };
    let all = rules.each() * shards as f64;
    let big = match known {
        true => scene.say("per-s", &[Arg::Number(value.round())]),
        false => scene.say("counting", &[]),
    };
    let title = ["carries", "carries.short"].map(|word| scene.say(word, &[]));
    let of = [Arg::Number(all.round()), Arg::Number(theory.round())];
    let of = ["carries.of", "carries.of.short"].map(|word| scene.say(word, &of));
    let mut pencil = scene.thing(CARRIES, rect, format!("{}: {big}, {}", title[0], of[0]));
    pencil.figure("carries", value).figure("theory", theory);
    panel(
        &mut pencil,
        rect,
        fitting(&title, 12.0, true, rect.w - 20.0),
    );
    let big_w = text::width(&big, 17.0, true);
    pencil.bold(pt(rect.x + 10.0, rect.y + 37.0), 17.0, Ink::Ink, big);
    let room = rect.w - 28.0 - big_w;
    if room > 40.0 {
        let of = fitting(&of, 11.5, false, room);
        pencil.text(
            pt(rect.x + 18.0 + big_w, rect.y + 37.0),
            11.5,
            Ink::Secondary,
            of,
        );
    }
    let meter = Rect::new(rect.x + 10.0, rect.y + rect.h - 15.0, rect.w - 20.0, 6.0);
    pencil.meter(meter, (value / all) as f32, Ink::Accent, false);
    // Where theory would have it.
    let x = meter.x + meter.w * ((theory / all) as f32).clamp(0.0, 1.0);
    pencil.filled(
        Rect::new(x - 1.0, meter.y - 3.0, 2.0, meter.h + 6.0),
        1.0,
        Ink::Ink,
    );
}

fn asked(tally: &Tally, rect: Rect, scene: &mut Scene) {
    let rows = [
        (["asked.one", "asked.one.short"], tally.looks),
        (["asked.today", "asked.today.short"], tally.todays),
    ];
    let texts = rows.map(|(words, count)| {
        let value = Tally::asked(count);
        let said = match value {
            Some(value) => scene.say("of", &[Arg::Tenths((value * 10.0).round() as u32)]),
            None => scene.say("counting", &[]),
        };
        (words.map(|word| scene.say(word, &[])), said, value)
    });
    let titles = ["asked", "asked.short"].map(|word| scene.say(word, &[]));
    let spoken = texts
        .iter()
        .map(|(kind, said, _)| format!("{} {said}", kind[0]));
    let spoken = spoken.collect::<Vec<_>>().join(", ");
    let mut pencil = scene.thing(ASKED, rect, spoken);
    pencil.figure("today", texts[1].2.unwrap_or(0.0));
    pencil.figure("one", texts[0].2.unwrap_or(0.0));
    panel(
        &mut pencil,
        rect,
        fitting(&titles, 12.0, true, rect.w - 20.0),
    );
    for (i, (kind, said, value)) in texts.into_iter().enumerate() {
        let y = rect.y + 36.0 + 17.0 * i as f32;
        let ink = match value {
            Some(value) if value > 1.05 => Ink::Warn,
            _ => Ink::Ink,
        };
        let w = text::width(&said, 12.5, true);
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 10.0, y),
            12.5,
            true,
            ink,
            said,
        );
        let kind = fitting(&kind, 12.0, false, rect.w - 28.0 - w);
        pencil.text(pt(rect.x + 10.0, y), 12.0, Ink::Secondary, kind);
    }
}

fn got(seen: &Seen, at: Time, rect: Rect, scene: &mut Scene) {
    let count = |counts: &Recently<8>, kind| f64::from(counts.sum(kind, GOT, at));
    let mut failed_all = [0.0, 0.0];
    let lines = KINDS.map(|(class, word)| {
        let well = count(&seen.got, usize::from(class) * 2);
        let failed = count(&seen.got, usize::from(class) * 2 + 1);
        failed_all = [failed_all[0] + failed, failed_all[1] + well + failed];
        let share = if well + failed > 0.0 {
            Some(well / (well + failed))
        } else {
            None
        };
        let said = match share {
            Some(share) => scene.say("of", &[Arg::Share((share * 100.0).round() / 100.0)]),
            None => scene.say("counting", &[]),
        };
        (scene.say(word, &[]), said, share)
    });
    let title = ["got", "got.short"].map(|word| scene.say(word, &[]));
    let crash = seen
        .crash
        .filter(|it| at.since(it.at) <= Time::s(12) && it.soon.0 > 0);
    let crash = crash.map(|it| {
        let args = [it.soon.1, it.soon.0].map(|n| Arg::Count(i64::from(n)));
        scene.say("since-crash", &args)
    });
    let spoken = lines.iter().map(|(kind, said, _)| format!("{kind} {said}"));
    let mut spoken = spoken.collect::<Vec<_>>().join(", ");
    if let Some(crash) = &crash {
        spoken = format!("{spoken}; {crash}");
    }
    let mut pencil = scene.thing(GOTTEN, rect, spoken);
    pencil.figure("failed %", failed_all[0] * 100.0 / failed_all[1].max(1.0));
    if let Some(crash) = seen.crash {
        let share = f64::from(crash.soon.1) * 100.0 / f64::from(crash.soon.0.max(1));
        pencil.figure("crash failed %", share);
    }
    panel(
        &mut pencil,
        rect,
        fitting(&title, 12.0, true, rect.w - 20.0),
    );
    for (i, (kind, said, share)) in lines.into_iter().enumerate() {
        let y = rect.y + 36.0 + 17.0 * i as f32;
        let bad = share.is_some_and(|share| share < 0.995);
        let ink = if bad { Ink::Bad } else { Ink::Ink };
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 10.0, y),
            12.0,
            true,
            ink,
            said,
        );
        let kind_w = text::width(&kind, 12.0, false);
        let x = rect.x + 10.0 + (rect.w * 0.38).max(kind_w + 8.0);
        pencil.text(pt(rect.x + 10.0, y), 12.0, Ink::Secondary, kind);
        let meter = Rect::new(x, y - 8.0, rect.x + rect.w - 56.0 - x, 7.0);
        if meter.w > 12.0 {
            pencil.filled(meter, 3.5, if bad { Ink::Bad } else { Ink::Rail });
            let share = share.unwrap_or(0.0) as f32;
            if share > 0.0 {
                pencil.filled(
                    Rect {
                        w: meter.w * share,
                        ..meter
                    },
                    3.5,
                    Ink::Ok,
                );
            }
        }
    }
    if let Some(crash) = crash {
        let crash = fitting(&[crash], 11.5, true, rect.w - 20.0);
        pencil.bold(
            pt(rect.x + 10.0, rect.y + rect.h - 10.0),
            11.5,
            Ink::Bad,
            crash,
        );
    }
}
