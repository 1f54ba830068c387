//! The stage: lanes of numbered records with two groups' bookmarks, the groups at the left, Shop and the brokers at the right.

use super::group::{
    COUNTER, Consumer, GROUPS, Group, Phase, SEARCH, SEARCH_CARD, There, account, reader,
};
use super::lane::{BROKERS, Lane, broker, lane};
use super::model::{SHOP, Streams};
use super::settings::{CleanUp, Settings};
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{self, DOT};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// Where lanes and the consumers of Search stand.
const LANES: PartId = PartId::one("room-lanes");
const SEATS: PartId = PartId::one("room-seats");

/// Each group's colour.
const INKS: [Ink; GROUPS] = [Ink::MemberA, Ink::MemberB];
/// The width of a cell and how many there are at most.
const CELL: f32 = 20.0;
const CELLS: usize = 22;
/// What stands before the cells of a lane: its number and its leader.
const HEAD: f32 = 34.0;
/// Room behind the last cell, where the bookmark of a reader stands that has read all.
const TAIL: f32 = 14.0;
/// A lane is as high as this at most.
const LANE_H: f32 = 86.0;
/// A new cell slides in for so long.
const SLIDE: Time = Time::ms(200);
/// Records are pale in the last part of their time.
const PALE: f64 = 0.8;

fn write_way(l: usize) -> PartId {
    PartId::nth("write", l as u16 + 1)
}

pub(super) fn draw(streams: &Streams, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(streams, scene, narrow);
    let shapes: Vec<Shape> = (0..streams.lanes.len())
        .map(|l| {
            Shape::of(
                placed.of(LANES),
                l,
                &streams.lanes[l],
                streams.lanes.len(),
                at,
            )
        })
        .collect();
    let seats = seats(streams, placed.of(SEATS), narrow);
    ways(streams, &placed, &shapes, &seats, narrow, scene);
    search(streams, placed.of(SEARCH_CARD), placed.of(SEATS), at, scene);
    for (c, rect) in &seats {
        seat(streams, *c, *rect, at, scene);
    }
    counter(streams, placed.of(reader(COUNTER, 0)), at, scene);
    for (l, shape) in shapes.iter().enumerate() {
        draw_lane(streams, knobs, l, shape, at, scene);
    }
    shop(streams, placed.of(SHOP), scene);
    for b in 0..BROKERS {
        keeper(streams, b, placed.of(broker(b)), scene);
    }
    for g in 0..GROUPS {
        accounts(streams, g, placed.of(account(g)), at, scene);
    }
    for (click, l, leg) in &streams.coming {
        let way = writes(&placed, &shapes[*l], narrow);
        let to = way.at(leg.share(at), Course::There);
        scene.particle(to, DOT, Glyph::Message, Ink::Accent, click.number);
    }
}

fn place(streams: &Streams, scene: &mut Scene, narrow: bool) -> Placed {
    let count = streams.lanes.len() as f32;
    let there = |one: &&Consumer| one.there != There::Not;
    let seated = streams.groups[SEARCH].consumers.iter().filter(there);
    let seated = seated.count().max(1) as f32;
    let accounts = |w: Span| {
        [
            part(account(SEARCH), w, 56.0),
            space(8.0),
            part(account(COUNTER), w, 56.0),
        ]
    };
    let all = if narrow {
        let w = Span::rest(250.0, 1.0);
        let third = Span::rest(60.0, 1.0);
        let mut brokers = Vec::new();
        for b in 0..BROKERS {
            brokers.push(part(broker(b), third, 40.0));
            brokers.push(space(if b + 1 < BROKERS { 6.0 } else { 0.0 }));
        }
        let lanes = match streams.lanes.len() {
            ..=3 => 88.0 * count,
            4..=6 => 45.0 * count,
            _ => 23.0 * count,
        };
        let mut all = vec![
            part(SHOP, w, 42.0),
            space(5.0),
            Slot::Row(brokers),
            space(6.0),
            part(LANES, w, lanes),
            space(6.0),
            part(SEARCH_CARD, w, 40.0),
            part(SEATS, w, 25.0 * seated + 4.0),
            space(6.0),
            part(reader(COUNTER, 0), w, 44.0),
            space(6.0),
        ];
        all.extend(accounts(w));
        Slot::Column(all)
    } else {
        let groups: Span = (150.0, 200.0).into();
        let shop: Span = (96.0, 112.0).into();
        let mut right = vec![part(SHOP, shop, (76.0, 104.0)), space((6.0, 14.0))];
        for b in 0..BROKERS {
            right.push(part(broker(b), shop, (38.0, 46.0)));
            right.push(space(if b + 1 < BROKERS {
                (4.0, 8.0)
            } else {
                (0.0, 0.0)
            }));
        }
        let left = vec![
            part(SEARCH_CARD, groups, (44.0, 48.0)),
            part(SEATS, groups, (100.0, 180.0)),
            space((4.0, 8.0)),
            part(reader(COUNTER, 0), groups, (44.0, 52.0)),
        ];
        let top = vec![
            Slot::Column(left),
            space((34.0, 46.0)),
            part(LANES, Span::rest(150.0, 1.0), (192.0, 288.0)),
            space((26.0, 34.0)),
            Slot::Column(right),
        ];
        let bottom = accounts(Span::rest(120.0, 1.0)).to_vec();
        Slot::Column(vec![Slot::Row(top), space(8.0), Slot::Row(bottom)])
    };
    lay(scene, &all)
}

/// Where a lane's cells and marks stand.
struct Shape {
    rect: Rect,
    /// The height of the room for marks above and below, and of a cell.
    marks: f32,
    cell: f32,
    /// The height of a follower's strip; offsets are written where there is room.
    strip: f32,
    offsets: bool,
    pitch: f32,
    /// As many cells are seen.
    cells: usize,
    end: u64,
    /// How far the cells still have to slide.
    slide: f32,
}

impl Shape {
    fn of(area: Rect, l: usize, lane: &Lane, count: usize, at: Time) -> Shape {
        let pitch = area.h / count as f32;
        let h = (pitch - 4.0).min(LANE_H);
        let y = area.y + pitch * l as f32 + (pitch - h) / 2.0;
        let rect = Rect::new(area.x, y, area.w, h);
        let (marks, cell, strip) = match h {
            78.0.. => (17.0, 22.0, 2.5),
            50.0.. => (12.0, 19.0, 3.0),
            36.0.. => (9.0, 15.0, 2.0),
            _ => (5.0, (h - 14.0).max(5.0), 1.0),
        };
        let room = area.w - HEAD - TAIL;
        let cells = ((room / CELL) as usize).clamp(6, CELLS);
        let width = room / cells as f32;
        let slide = 1.0 - at.progress(lane.grown_at, lane.grown_at + SLIDE);
        Shape {
            rect,
            marks,
            cell,
            strip,
            offsets: h >= 78.0,
            pitch: width,
            cells,
            end: lane.log.end(),
            slide: if lane.log.end() > 0 {
                slide * width
            } else {
                0.0
            },
        }
    }

    fn left(&self) -> f32 {
        self.rect.x + HEAD
    }

    fn right(&self) -> f32 {
        self.rect.x + self.rect.w - TAIL
    }

    /// The upper edge of the cells.
    fn top(&self) -> f32 {
        self.rect.y + self.marks + 1.0
    }

    /// The left edge of an offset's cell, seen or not.
    fn x(&self, offset: u64) -> f32 {
        let back = self.end as f32 - offset as f32;
        self.right() - back * self.pitch + self.slide
    }

    fn within(&self, x: f32) -> f32 {
        x.clamp(self.left(), self.right() + self.pitch / 2.0)
    }

    /// Where lines to this group end.
    fn door(&self, g: usize) -> (f32, f32) {
        let y = if g == SEARCH {
            self.top() - self.marks / 2.0
        } else {
            self.top() + self.cell + self.marks / 2.0
        };
        (self.rect.x, y)
    }
}

/// The places of Search's consumers.
fn seats(streams: &Streams, area: Rect, narrow: bool) -> Vec<(usize, Rect)> {
    let there: Vec<usize> = (0..streams.groups[SEARCH].consumers.len())
        .filter(|c| streams.groups[SEARCH].consumers[*c].there != There::Not)
        .collect();
    let most = if narrow { 23.0 } else { 40.0 };
    let pitch = (area.h - 4.0) / there.len().max(1) as f32;
    let h = (pitch - 2.0).min(most);
    let places = there.into_iter().enumerate();
    places
        .map(|(i, c)| {
            let y = area.y + pitch * i as f32 + 1.0;
            (c, Rect::new(area.x + 6.0, y, area.w - 12.0, h))
        })
        .collect()
}

/// From Shop to the end of a lane.
fn writes(placed: &Placed, shape: &Shape, narrow: bool) -> Way {
    let (shop, y) = (placed.of(SHOP), shape.top() + shape.cell / 2.0);
    let end = pt(shape.right() + 3.0, y);
    if narrow {
        let x = shape.rect.x + shape.rect.w + 5.0;
        let from = pt(x, shop.y + shop.h / 2.0);
        Way::through(&[pt(shop.x + shop.w, from.y), from, pt(x, y), end], 5.0)
    } else {
        let x = shape.rect.x + shape.rect.w + 14.0;
        let from = pt(shop.x, shop.y + shop.h / 2.0);
        Way::through(&[from, pt(x, from.y), pt(x, y), end], 5.0)
    }
}

fn ways(
    streams: &Streams,
    placed: &Placed,
    shapes: &[Shape],
    seats: &[(usize, Rect)],
    narrow: bool,
    scene: &mut Scene,
) {
    for (l, shape) in shapes.iter().enumerate() {
        let way = writes(placed, shape, narrow);
        let waits = streams.lanes[l].pending.len();
        let words = scene.say("writes", &[Arg::Count(waits as i64)]);
        let mut pencil = scene.link(write_way(l), way.frame(), words);
        if waits > 0 {
            pencil.dashed_line(way.d(), Ink::Bad, 1.5);
        } else {
            pencil.line(way.d(), Ink::Line, 1.5);
        }
    }
    if narrow {
        return;
    }
    let card = placed.of(reader(COUNTER, 0));
    for (l, shape) in shapes.iter().enumerate() {
        for (g, group) in streams.groups.iter().enumerate() {
            let Some(owner) = group.bookmarks[l].owner else {
                continue;
            };
            let seat = seats.iter().find(|(c, _)| *c == owner);
            let from = match (g, seat) {
                (SEARCH, Some((_, rect))) => rect.right(),
                (SEARCH, None) => continue,
                _ => card.right(),
            };
            let (x, y) = shape.door(g);
            let from = pt(placed.of(SEATS).right().x.max(from.x), from.y);
            let curve = engine::scene::Curve::across(from, pt(x, y));
            let d = curve.d() + "H" + &text::tenths(shape.left() - 2.0);
            let dead = !group.consumers[owner].is_up();
            let mut ground = scene.background();
            if dead {
                ground.dashed_line(d, Ink::Bad, 1.5);
            } else {
                ground.line(d, INKS[g], 1.5);
            }
        }
    }
}

fn draw_lane(
    streams: &Streams,
    knobs: &Settings,
    l: usize,
    shape: &Shape,
    at: Time,
    scene: &mut Scene,
) {
    let one = &streams.lanes[l];
    let name = scene.name(lane(l));
    let (start, end) = (one.log.start(), one.log.end());
    let lags = [SEARCH, COUNTER].map(|g| streams.lag_of(g, l));
    let counts = [start, end, lags[0]].map(|n| Arg::Count(n as i64));
    let spoken = scene.say("lane", &counts);
    let behind = scene.say("lane.counter", &[Arg::Count(lags[1] as i64)]);
    let led = one.led_by();
    let leader = match led {
        Some(b) => scene.name(broker(b)),
        None => scene.say("closed", &[]),
    };
    let dead = led.is_none_or(|b| !streams.brokers[b].up);
    let lost = streams.groups[SEARCH].bookmarks[l].lost;
    // What has been lost is said where it was; else the last lane has room to say what its marks mean.
    let told = if one.gone > 0 {
        Told::Bad(scene.say("gone", &[Arg::Count(one.gone as i64)]))
    } else if lost > 0 {
        Told::Bad(scene.say("lane.lost", &[Arg::Count(lost as i64)]))
    } else if l + 1 == streams.lanes.len() {
        let words = ["key.user", "key.next", "key.hand", "key.copies"];
        Told::Key(words.map(|word| scene.say(word, &[])))
    } else {
        Told::Nothing
    };
    let value = match &told {
        Told::Bad(said) => format!("{spoken}, {behind}, {leader}, {said}"),
        _ => format!("{spoken}, {behind}, {leader}"),
    };
    let mut pencil = scene.thing(lane(l), shape.rect, value);
    pencil
        .figure("end", end as f64)
        .figure("uncopied", end.saturating_sub(one.watermark()) as f64)
        .figure("search", lags[0] as f64)
        .figure("counter", lags[1] as f64);
    let ground = Rect::new(
        shape.left() - 2.0,
        shape.top() - 2.0,
        shape.rect.x + shape.rect.w - shape.left() + 2.0,
        shape.cell + 4.0,
    );
    pencil.filled(ground, 4.0, Ink::Line);
    head(shape, &name, led, dead, &mut pencil);
    cells(streams, knobs, l, shape, at, &mut pencil);
    for g in 0..GROUPS {
        bookmark(
            &streams.groups[g],
            g,
            l,
            shape,
            one.watermark(),
            &mut pencil,
        );
    }
    strips(streams, l, shape, &mut pencil);
    if shape.offsets {
        offsets(one, shape, &told, &mut pencil);
    }
}

/// The lane's number and who leads it.
fn head(shape: &Shape, name: &str, led: Option<usize>, dead: bool, pencil: &mut Pencil<'_>) {
    let (x, y) = (shape.rect.x + 3.0, shape.top() + shape.cell / 2.0);
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let tall = shape.offsets;
    let baseline = if tall { y } else { y + 4.5 };
    pencil.bold(pt(x, baseline), 13.0, Ink::Ink, digits);
    if tall {
        let ink = if dead { Ink::Bad } else { Ink::Secondary };
        let leader = led.map_or("–".to_owned(), |b| format!("B{}", b + 1));
        pencil.text(pt(x, y + 14.0), 11.0, ink, leader);
    }
    if dead {
        pencil.mark(Glyph::Failure, pt(shape.left() - 9.0, y), 5.0, Ink::Bad);
    }
}

fn cells(
    streams: &Streams,
    knobs: &Settings,
    l: usize,
    shape: &Shape,
    at: Time,
    pencil: &mut Pencil<'_>,
) {
    let one = &streams.lanes[l];
    let focus = streams.groups[SEARCH].overtaken_user;
    let from = shape.end.saturating_sub(shape.cells as u64);
    let watermark = one.watermark();
    let texts = shape.pitch >= 17.0 && shape.cell >= 14.0;
    for record in one.log.read(from, shape.end) {
        let x = shape.x(record.offset);
        if x < shape.left() - 0.5 || x + shape.pitch > shape.right() + 0.5 {
            continue;
        }
        let rect = Rect::new(x + 1.0, shape.top(), shape.pitch - 2.0, shape.cell);
        let age = at.since(Time(record.at_us)).as_s();
        let old = knobs.clean_up == CleanUp::Delete && age > PALE * f64::from(knobs.retention);
        let user = record.key.or_else(|| {
            let entry = streams.groups[SEARCH].bookmarks[l].entry(record.offset);
            entry.map(|entry| entry.user)
        });
        let mine = focus > 0 && user == Some(focus);
        let mut ink = Ink::Ink;
        if record.offset >= watermark {
            pencil.dashed(rect, 3.0, Ink::Card, Ink::Mark, 1.0);
        } else if old {
            pencil.bordered(rect, 3.0, Ink::Card, Ink::Line, 1.0);
            ink = Ink::Secondary;
        } else {
            pencil.bordered(rect, 3.0, Ink::HitSoft, Ink::LineStrong, 0.75);
        }
        if mine {
            pencil.bordered(rect, 3.0, Ink::None, Ink::Warn, 2.0);
        }
        if texts {
            let said = match record.value {
                Some(_) => user.unwrap_or(0).to_string(),
                None => "✕".to_owned(),
            };
            let at = pt(rect.centre().x, rect.centre().y + 4.0);
            pencil.centred(at, 11.0, mine, ink, said);
        }
    }
}

/// A group's place: what is read next as a triangle, up to where is committed as a line, what is in hand between the two.
fn bookmark(
    group: &Group,
    g: usize,
    l: usize,
    shape: &Shape,
    watermark: u64,
    pencil: &mut Pencil<'_>,
) {
    let place = &group.bookmarks[l];
    let (ink, reading) = (INKS[g], group.reading(l));
    let above = g == SEARCH;
    let edge = if above {
        shape.top() - 2.0
    } else {
        shape.top() + shape.cell + 2.0
    };
    let away = if above { -1.0 } else { 1.0 };
    let h = (shape.marks - 3.0).max(5.0);
    let num = text::tenths;
    if let Some(committed) = place.committed {
        let x = shape.within(shape.x(committed));
        let next = place.position.max(committed).min(watermark);
        let upto = shape.within(shape.x(next));
        // What has been fetched and not committed.
        if upto > x + 0.5 {
            let y = num(edge + away * 1.0);
            pencil.line(format!("M{} {y}H{}", num(x), num(upto)), ink, 2.5);
        }
        if shape.x(committed) >= shape.left() - 0.5 {
            let y = if above { edge - h } else { edge + h };
            pencil.line(format!("M{} {}V{}", num(x), num(y), num(edge)), ink, 1.5);
        }
    }
    let seen = shape.x(reading) + shape.pitch / 2.0;
    let at = shape.within(seen);
    let wide = (h * 0.6).clamp(2.5, 7.0);
    let tip = edge;
    let base = tip + away * (h - 1.0).min(10.0);
    let (x0, x1) = (num(at - wide), num(at + wide));
    let d = if seen < shape.left() {
        // Further back than is seen.
        let (mid, half) = (edge + away * h / 2.0, h.min(10.0) / 2.0);
        let x = shape.left();
        let (top, low) = (num(mid - half), num(mid + half));
        format!(
            "M{} {}L{} {top}V{low}Z",
            num(x),
            num(mid),
            num(x + 2.0 * half)
        )
    } else {
        format!("M{} {}L{x0} {b}H{x1}Z", num(at), num(tip), b = num(base))
    };
    if place.owner.is_some() {
        pencil.area(d, ink);
    } else {
        pencil.line(d, Ink::Mark, 1.25);
    }
    let hidden = shape.end.saturating_sub(shape.cells as u64);
    if seen < shape.left() && shape.cell >= 14.0 {
        let hidden = hidden.saturating_sub(reading).to_string();
        if shape.marks >= 16.0 {
            let y = edge + away * h / 2.0 + 4.0;
            pencil.bold(pt(shape.left() + 13.0, y), 11.0, ink, hidden);
        } else {
            // Beside the lane's number, between the lines that lead to its marks.
            let (_, y) = shape.door(g);
            let at = pt(shape.left() - 5.0, if above { y + 11.0 } else { y - 3.0 });
            ending(pencil, at, 11.0, true, ink, hidden);
        }
    }
}

/// How far each follower has copied.
fn strips(streams: &Streams, l: usize, shape: &Shape, pencil: &mut Pencil<'_>) {
    let one = &streams.lanes[l];
    let mut y = shape.top() + shape.cell + shape.marks + 1.0;
    let followers = (0..BROKERS).filter(|replica| Some(*replica) != one.replicas.leader);
    for replica in followers.take(2) {
        let upto = shape.within(shape.x(one.replicas.ends[replica]).min(shape.right()));
        let up = streams.brokers[one.broker_of(replica)].up;
        let ink = match (up, one.replicas.in_sync[replica]) {
            (false, _) => Ink::Bad,
            (true, true) => Ink::Mark,
            (true, false) => Ink::Warn,
        };
        let line = |from: f32, to: f32| {
            let num = text::tenths;
            format!("M{} {}H{}", num(from), num(y), num(to))
        };
        pencil.line(line(shape.left(), shape.right()), Ink::Line, shape.strip);
        if upto > shape.left() + 0.5 {
            let d = line(shape.left(), upto);
            if up {
                pencil.line(d, ink, shape.strip);
            } else {
                pencil.dashed_line(d, ink, shape.strip.min(1.5));
            }
        }
        y += shape.strip + 1.5;
    }
}

/// What is written below a lane, between its offsets.
enum Told {
    Nothing,
    Bad(String),
    /// What marks mean: a user, the next record, what is in hand, a record that not all copies have.
    Key([String; 4]),
}

fn offsets(one: &Lane, shape: &Shape, told: &Told, pencil: &mut Pencil<'_>) {
    let y = shape.rect.y + shape.rect.h - 4.0;
    let first = shape.end.saturating_sub(shape.cells as u64);
    let first = first.max(one.log.start());
    if shape.end == 0 || first + 1 >= shape.end {
        return;
    }
    let x = shape.within(shape.x(first));
    let full = x < shape.left() + 1.5 * shape.pitch;
    // It rests while cells slide.
    let x = if full { shape.left() } else { x };
    pencil.text(pt(x, y), 11.0, Ink::Secondary, first.to_string());
    let last = (shape.end - 1).to_string();
    ending(
        pencil,
        pt(shape.right(), y),
        11.0,
        false,
        Ink::Secondary,
        last,
    );
    let (left, right) = (shape.left() + 34.0, shape.right() - 30.0);
    match told {
        Told::Key(_) if !full => {}
        Told::Nothing => {}
        Told::Bad(said) => {
            // Right of the first offset, or left of it where the lane is short.
            let (left, right) = if full {
                (left, right)
            } else {
                (shape.left(), x - 8.0)
            };
            let said = fitting(std::slice::from_ref(said), 12.0, true, right - left);
            pencil.centred(pt((left + right) / 2.0, y), 12.0, true, Ink::Bad, said);
        }
        Told::Key(words) => key(words, left, right, y, pencil),
    }
}

/// As many entries as there is room for.
fn key(words: &[String; 4], left: f32, right: f32, y: f32, pencil: &mut Pencil<'_>) {
    let num = text::tenths;
    let mut x = left;
    for (i, said) in words.iter().enumerate() {
        let w = text::width(said, 11.0, false) + 30.0;
        if x + w - 8.0 > right {
            return;
        }
        let (low, top) = (num(y), num(y - 8.0));
        match i {
            0 => {
                let cell = Rect::new(x + 2.0, y - 10.0, 14.0, 13.0);
                pencil.bordered(cell, 2.0, Ink::HitSoft, Ink::LineStrong, 0.75);
                pencil.centred(pt(x + 9.0, y), 11.0, false, Ink::Ink, "7");
            }
            1 => {
                let (tip, from, to) = (num(x + 10.0), num(x + 5.0), num(x + 15.0));
                pencil.area(format!("M{tip} {low}L{from} {top}H{to}Z"), Ink::Secondary);
            }
            2 => {
                let d = format!("M{} {top}V{low}H{}", num(x + 2.0), num(x + 16.0));
                pencil.line(d, Ink::Secondary, 2.0);
            }
            _ => {
                let cell = Rect::new(x + 5.0, y - 9.0, 11.0, 11.0);
                pencil.dashed(cell, 2.0, Ink::Card, Ink::Mark, 1.0);
            }
        }
        pencil.text(pt(x + 20.0, y), 11.0, Ink::Secondary, said.as_str());
        x += w;
    }
}

fn search(streams: &Streams, head: Rect, seats: Rect, at: Time, scene: &mut Scene) {
    let group = &streams.groups[SEARCH];
    let there = group
        .consumers
        .iter()
        .filter(|one| one.member && one.is_up());
    let there = there.count();
    let readers = group.readers();
    let rate = group.rate.per_s(0, Time::s(8), at);
    let known = group.rate.span(Time::s(2), at) >= Time::s(2);
    let name = scene.name(SEARCH_CARD);
    let told = [Arg::Count(readers as i64), Arg::Count(there as i64)];
    let word = if there > 0 {
        "search.readers"
    } else {
        "search.nobody"
    };
    let reading = scene.say(word, &told);
    let tenths = Arg::Tenths((10.0 * rate + 0.5) as u32);
    let speed = scene.say("rate", &[tenths]);
    let gathering = group.phase != Phase::Stable;
    let stood = [
        Arg::Count(group.stop.lanes as i64),
        figures::tenths(group.stop.longest),
    ];
    let (line, ink) = if gathering {
        let joined = group.consumers.iter().filter(|one| one.joined).count();
        let members = group.consumers.iter().filter(|one| one.member).count();
        let told = [Arg::Count(joined as i64), Arg::Count(members as i64)];
        (scene.say("gathering", &told), Ink::Warn)
    } else if group.stop.lanes > 0 && there > 0 {
        let word = if group.stop.lanes == 1 {
            "stood.one"
        } else {
            "stood"
        };
        (scene.say(word, &stood), Ink::Secondary)
    } else {
        (reading.clone(), Ink::Secondary)
    };
    let card = Rect::new(head.x, head.y, head.w, head.h + seats.h);
    scene
        .background()
        .bordered(card, 10.0, Ink::Card, INKS[SEARCH], 1.5);
    let spoken = format!("{reading}, {speed}, {line}");
    let mut pencil = scene.thing(SEARCH_CARD, head, spoken);
    pencil
        .figure("readers", readers as f64)
        .figure("idle", there.saturating_sub(readers) as f64)
        .figure("rate", rate)
        .figure("stood", group.stop.lanes as f64)
        .figure("longest", group.stop.longest.as_s());
    let (left, right) = (head.x + 12.0, head.x + head.w - 12.0);
    pencil.bold(pt(left, head.y + 20.0), 14.5, INKS[SEARCH], name);
    if known {
        let at = pt(right, head.y + 20.0);
        ending(&mut pencil, at, 12.5, true, Ink::Ink, speed);
    }
    let line = fitting(&[line], 11.5, gathering, head.w - 24.0);
    let at = pt(left, head.y + 37.0);
    if gathering {
        pencil.bold(at, 11.5, ink, line);
    } else {
        pencil.text(at, 11.5, ink, line);
    }
}

/// What a consumer does, and how urgent that is.
fn doing(streams: &Streams, c: usize, at: Time, scene: &Scene) -> (String, Ink) {
    let group = &streams.groups[SEARCH];
    let one = &group.consumers[c];
    let left = |until: Time| [figures::tenths(until.since(at))];
    match one.there {
        There::Not => (scene.say("seat.none", &[]), Ink::Secondary),
        There::Starting(until) => (scene.say("seat.starts", &left(until)), Ink::Secondary),
        There::Dead(until) => (scene.say("seat.dead", &left(until)), Ink::Bad),
        There::Asleep(until) => (scene.say("seat.asleep", &left(until)), Ink::Secondary),
        There::Up if one.hung.is_some() => (scene.say("seat.hangs", &[]), Ink::Warn),
        There::Up if !one.member => (scene.say("seat.out", &[]), Ink::Bad),
        There::Up if one.doomed.is_some() => (scene.say("seat.doomed", &[]), Ink::Warn),
        There::Up if one.joined => (scene.say("seat.waits", &[]), Ink::Warn),
        There::Up if one.lanes.is_empty() => (scene.say("seat.idle", &[]), Ink::Secondary),
        There::Up => {
            let lanes: Vec<String> = one.lanes.iter().map(|l| (l + 1).to_string()).collect();
            let word = if lanes.len() == 1 {
                "seat.lane"
            } else {
                "seat.lanes"
            };
            let said = format!("{} {}", scene.say(word, &[]), lanes.join(", "));
            (said, Ink::Ink)
        }
    }
}

/// A consumer of Search: its lanes, its batch, and how near the poll limit it is.
fn seat(streams: &Streams, c: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let one = &streams.groups[SEARCH].consumers[c];
    let (status, ink) = doing(streams, c, at, scene);
    let limit = streams.knobs.poll_limit();
    let counts = [one.worked, one.batch.len()].map(|n| Arg::Count(n as i64));
    let batch = scene.say("batch", &counts);
    let idle = one.is_up() && one.member && one.lanes.is_empty() && !one.joined;
    let part = reader(SEARCH, c);
    let name = scene.say("seat", &[Arg::Count(c as i64 + 1)]);
    let mut pencil = scene.thing(part, rect, format!("{status}, {batch}"));
    let waited = if one.busy() || one.hung.is_some() {
        at.since(one.polled_at).0 as f32 / limit.0.max(1) as f32
    } else {
        0.0
    };
    pencil
        .figure("worked", one.worked as f64)
        .figure("batch", one.batch.len() as f64)
        .figure("waited", f64::from(waited));
    let border = match ink {
        Ink::Ink | Ink::Secondary => Ink::LineStrong,
        ink => ink,
    };
    if idle {
        pencil.dashed(rect, 6.0, Ink::None, Ink::LineStrong, 1.0);
        hatch(rect, &mut pencil);
    } else {
        pencil.bordered(
            rect,
            6.0,
            Ink::Card,
            border,
            if border == Ink::LineStrong { 1.0 } else { 1.75 },
        );
    }
    let tall = rect.h >= 34.0;
    let y = if tall {
        rect.y + 15.0
    } else {
        rect.y + rect.h / 2.0 + 4.0
    };
    pencil.bold(pt(rect.x + 8.0, y), 12.0, Ink::Ink, name);
    let bar = if tall {
        Rect::new(rect.x + 30.0, rect.y + 22.0, rect.w - 38.0, 6.0)
    } else {
        let w = (0.4 * rect.w).min(80.0);
        Rect::new(
            rect.x + rect.w - w - 8.0,
            rect.y + rect.h / 2.0 - 4.0,
            w,
            5.0,
        )
    };
    let shows = one.is_up() && !idle && rect.h >= 14.0;
    let room = if tall || !shows {
        rect.w - 38.0
    } else {
        bar.x - rect.x - 36.0
    };
    let status = fitting(&[status], 11.5, ink != Ink::Secondary, room);
    let to = pt(rect.x + 30.0, y);
    if ink == Ink::Secondary {
        pencil.text(to, 11.5, ink, status);
    } else {
        pencil.bold(to, 11.5, ink, status);
    }
    if shows {
        slots(one, bar, &mut pencil);
        let meter = Rect::new(
            bar.x,
            bar.y + bar.h + if tall { 3.0 } else { 1.5 },
            bar.w,
            if tall { 3.0 } else { 2.0 },
        );
        let ink = if waited > 0.75 { Ink::Bad } else { Ink::Warn };
        pencil.filled(meter, 1.0, Ink::Rail);
        if waited > 0.0 {
            let w = meter.w * waited.min(1.0);
            pencil.filled(Rect { w, ..meter }, 1.0, ink);
        }
    }
}

/// Slanted lines: nothing to do.
fn hatch(rect: Rect, pencil: &mut Pencil<'_>) {
    let num = text::tenths;
    let mut d = String::new();
    let mut x = rect.x + 0.62 * rect.w;
    while x + rect.h - 6.0 < rect.x + rect.w {
        let (low, top) = (num(rect.y + rect.h - 3.0), num(rect.y + 3.0));
        d += &format!("M{} {low}L{} {top}", num(x), num(x + rect.h - 6.0));
        x += 7.0;
    }
    pencil.line(d, Ink::LineStrong, 1.0);
}

/// The records of a batch: worked ones are full.
fn slots(one: &Consumer, bar: Rect, pencil: &mut Pencil<'_>) {
    let size = one.batch.len();
    if size == 0 {
        return;
    }
    if size > 12 {
        let share = one.worked as f32 / size.max(1) as f32;
        pencil.meter(bar, share, INKS[SEARCH], false);
        return;
    }
    let pitch = (bar.w / size as f32).min(14.0);
    for i in 0..size {
        let cell = Rect::new(bar.x + pitch * i as f32, bar.y, pitch - 1.5, bar.h);
        if i < one.worked {
            pencil.filled(cell, 1.5, INKS[SEARCH]);
        } else {
            pencil.bordered(cell, 1.5, Ink::Card, INKS[SEARCH], 1.0);
        }
    }
}

fn counter(streams: &Streams, rect: Rect, at: Time, scene: &mut Scene) {
    let group = &streams.groups[COUNTER];
    let id = reader(COUNTER, 0);
    let rate = group.rate.per_s(0, Time::s(8), at);
    let lag = streams.lag(COUNTER);
    let speed = scene.say("rate", &[Arg::Tenths((10.0 * rate + 0.5) as u32)]);
    let behind = if lag > 20 {
        scene.say("counter.behind", &[Arg::Count(lag as i64)])
    } else {
        scene.say("counter.end", &[])
    };
    let known = group.rate.span(Time::s(2), at) >= Time::s(2);
    let name = scene.name(id);
    let mut pencil = scene.thing(id, rect, format!("{behind}, {speed}"));
    pencil.figure("lag", lag as f64);
    pencil.bordered(rect, 10.0, Ink::Card, INKS[COUNTER], 1.5);
    let (left, right) = (rect.x + 12.0, rect.x + rect.w - 12.0);
    pencil.bold(pt(left, rect.y + 20.0), 14.5, INKS[COUNTER], name);
    if known {
        let to = pt(right, rect.y + 20.0);
        ending(&mut pencil, to, 12.5, true, Ink::Ink, speed);
    }
    let behind = fitting(&[behind], 11.5, false, rect.w - 24.0);
    pencil.text(pt(left, rect.y + 37.0), 11.5, Ink::Secondary, behind);
}

fn shop(streams: &Streams, rect: Rect, scene: &mut Scene) {
    let pending: usize = streams.lanes.iter().map(|lane| lane.pending.len()).sum();
    let clicks = scene.say("clicks", &[Arg::Count(streams.knobs.clicks.into())]);
    let answered = scene.say("answered", &[Arg::Count(streams.answered as i64)]);
    let waits = scene.say("pending", &[Arg::Count(pending as i64)]);
    let gone = scene.say("gone", &[Arg::Count(streams.gone as i64)]);
    let moved = scene.say("moved", &[Arg::Count(streams.moved as i64)]);
    let name = scene.name(SHOP);
    let spoken = format!("{clicks}, {answered}, {waits}, {gone}, {moved}");
    let mut pencil = scene.thing(SHOP, rect, spoken);
    pencil
        .figure("answered", streams.answered as f64)
        .figure("pending", pending as f64)
        .figure("gone", streams.gone as f64)
        .figure("moved", streams.moved as f64);
    let bad = streams.gone > 0 || pending > 0;
    let border = if bad { Ink::Bad } else { Ink::LineStrong };
    pencil.bordered(rect, 10.0, Ink::Card, border, if bad { 2.0 } else { 1.5 });
    let (x, room) = (rect.x + 10.0, rect.w - 20.0);
    let last = match () {
        () if streams.gone > 0 => Some((gone, Ink::Bad)),
        () if pending > 0 => Some((waits, Ink::Warn)),
        () if streams.moved > 0 => Some((moved, Ink::Warn)),
        () => None,
    };
    let name_w = text::width(&name, 14.0, true);
    pencil.bold(pt(x, rect.y + 19.0), 14.0, Ink::Ink, name);
    if rect.h < 60.0 {
        // In one line and a half.
        let to = pt(rect.x + rect.w - 10.0, rect.y + 18.0);
        let clicks = fitting(&[clicks], 12.0, false, room - name_w - 8.0);
        ending(&mut pencil, to, 12.0, false, Ink::Secondary, clicks);
        let (line, ink) = last.unwrap_or((answered, Ink::Secondary));
        let line = fitting(&[line], 11.5, true, room);
        pencil.bold(pt(x, rect.y + 35.0), 11.5, ink, line);
        return;
    }
    let clicks = fitting(&[clicks], 12.0, false, room);
    pencil.text(pt(x, rect.y + 37.0), 12.0, Ink::Secondary, clicks);
    let answered = fitting(&[answered], 12.0, false, room);
    pencil.text(pt(x, rect.y + 54.0), 12.0, Ink::Secondary, answered);
    if let Some((line, ink)) = last {
        let lines = text::wrap(&line, 11.5, true, room);
        for (i, line) in lines.into_iter().enumerate() {
            let y = rect.y + 70.0 + 14.0 * i as f32;
            if y < rect.y + rect.h - 3.0 {
                pencil.bold(pt(x, y), 11.5, ink, line);
            }
        }
    }
}

/// A broker and the lanes that it leads.
fn keeper(streams: &Streams, b: usize, rect: Rect, scene: &mut Scene) {
    let one = &streams.brokers[b];
    let led: Vec<String> = (0..streams.lanes.len())
        .filter(|l| streams.lanes[*l].led_by() == Some(b))
        .map(|l| (l + 1).to_string())
        .collect();
    let said = match (one.up, led.is_empty()) {
        _ if one.doomed.is_some() => scene.say("broker.doomed", &[]),
        (false, _) => scene.say("broker.dead", &[]),
        (true, true) => scene.say("broker.follows", &[]),
        (true, false) => format!("{} {}", scene.say("broker.leads", &[]), led.join(", ")),
    };
    let name = scene.name(broker(b));
    let mut pencil = scene.thing(broker(b), rect, said.clone());
    pencil
        .figure("up", f64::from(u8::from(one.up)))
        .figure("leads", led.len() as f64);
    let (ink, border, width) = match (one.up, one.doomed) {
        (false, _) => (Ink::Bad, Ink::Bad, 2.0),
        (true, Some(_)) => (Ink::Warn, Ink::Warn, 1.75),
        (true, None) => (Ink::Secondary, Ink::LineStrong, 1.0),
    };
    pencil.bordered(rect, 8.0, Ink::Card, border, width);
    let room = rect.w - 18.0;
    let name = fitting(&[name], 12.0, true, room);
    let said = fitting(&[said], 11.0, false, room);
    let y = rect.y + rect.h / 2.0;
    pencil.bold(pt(rect.x + 9.0, y - 3.0), 12.0, Ink::Ink, name);
    pencil.text(pt(rect.x + 9.0, y + 12.0), 11.0, ink, said);
    if !one.up {
        pencil.mark(
            Glyph::Failure,
            pt(rect.x + rect.w - 12.0, y - 7.0),
            5.0,
            Ink::Bad,
        );
    }
}

/// What a group has done, twice, not at all and out of order, and how far behind it is.
fn accounts(streams: &Streams, g: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let group = &streams.groups[g];
    let lag = streams.lag(g);
    let seconds = streams.lag_time(g, at);
    let values = [group.done, group.again, group.lost, group.overtaken, lag];
    let words = ["done", "again", "lost", "overtaken", "lag"];
    let mut labels = words.map(|word| scene.say(word, &[]));
    let wide = |label: &String| text::width(label, 11.0, false).max(34.0);
    if labels.iter().map(wide).sum::<f32>() > rect.w - 48.0 {
        labels[4] = scene.say("lag.short", &[]);
    }
    let unit = scene.say("seconds", &[figures::tenths(seconds)]);
    let name = scene.name(account(g));
    let spoken: Vec<String> = labels
        .iter()
        .zip(values)
        .map(|(label, value)| format!("{label} {value}"))
        .collect();
    let spoken = format!("{}, {unit}", spoken.join(", "));
    let stuck = streams.stuck.map_or(0, |(_, committed)| {
        streams.committed(SEARCH).saturating_sub(committed)
    });
    let mut pencil = scene.thing(account(g), rect, spoken);
    for (word, value) in words.into_iter().zip(values) {
        pencil.figure(word, value as f64);
    }
    pencil
        .figure("seconds", seconds.as_s())
        .figure("stuck", stuck as f64);
    pencil.bordered(rect, 10.0, Ink::Card, Ink::Line, 1.0);
    let title = fitting(&[name], 11.5, true, rect.w - 20.0);
    pencil.bold(pt(rect.x + 10.0, rect.y + 15.0), 11.5, INKS[g], title);
    // Columns by the lengths of their labels; all alike, and labels cut, in a language that has no room for that.
    let room = rect.w - 20.0;
    let mut widths = labels.each_ref().map(wide);
    if widths.iter().sum::<f32>() > room - 12.0 {
        widths = [(room - 16.0) / 5.0; 5];
        labels = labels.map(|label| fitting(&[label], 11.0, false, widths[0]));
    }
    let gap = (room - widths.iter().sum::<f32>()) / 4.0;
    let mut next = rect.x + 10.0;
    for (i, (label, value)) in labels.into_iter().zip(values).enumerate() {
        let (x, column) = (next, widths[i]);
        next += column + gap;
        let ink = match (i, value) {
            (2, 1..) => Ink::Bad,
            (1 | 3, 1..) => Ink::Warn,
            _ => Ink::Ink,
        };
        let number = value.to_string();
        let w = text::width(&number, 14.0, true);
        pencil.bold(pt(x, rect.y + 33.0), 14.0, ink, number);
        pencil.text(pt(x, rect.y + 48.0), 11.0, Ink::Secondary, label);
        if i == 4 && w + 6.0 + text::width(&unit, 11.0, false) < column + 1.0 {
            let to = pt(x + w + 6.0, rect.y + 33.0);
            pencil.text(to, 11.0, Ink::Secondary, unit.as_str());
        }
    }
}
