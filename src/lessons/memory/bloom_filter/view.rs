//! The stage: the feed with the reel in hand, the grid of bits that its fingers reach for, the database, and two bars of lies.

use super::model::{
    DATABASE, FEED, Fate, GRID, MAYBES, Phase, Place, Reel, Road, SHOWN, SKIPPED, SLOWED, Shop,
    UNSEEN, VERDICT, Verdict, WORKERS,
};
use super::seen::NEW;
use super::settings::Settings;
use engine::scene::{Pencil, Point, Rect, Shape, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::figures::cells::Cells;
use kit::figures::label::{Sample, ending, fitting, legend, pill};
use kit::figures::{DOT, NodeCard, queue};
use kit::layout::{Course, Placed, Slot, Span, Way, lay, part, space};

/// More squares than these could not be told apart: each then stands for several bits.
const SQUARES_MAX: u64 = 2_048;
/// Rows of squares are as long as one of these.
const ROWS: &[usize] = &[8, 16, 24, 32, 48, 64];
/// The greatest distance of two squares.
const PITCH_MAX: f32 = 40.0;
/// Squares at least so large show what a counter holds.
const DIGITS: f32 = 17.0;
/// Units for what stands above and below the squares.
const HEAD: f32 = 22.0;
const FOOT: f32 = 20.0;
/// So many squares are labelled with who set them.
const TAGS: usize = 6;
/// With so many bits a reel there is room for the word.
const NAMED: usize = 4;
/// The widest label of a reel that a learner named.
const TAG: f32 = 64.0;
/// The reel in hand.
const HAND: f32 = 19.0;
/// How far from the grid reels pass it.
const RAIL: f32 = 9.0;

pub(super) fn draw(shop: &Shop, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow);
    let (hand, from) = hand_at(placed.of(FEED), narrow);
    let ways = Road::ALL.map(|road| way(road, &placed, hand.x, scene.width, narrow));
    for (road, way) in Road::ALL.into_iter().zip(&ways).rev() {
        // Whether the database is asked decides which way there is for a maybe.
        if road
            == if shop.knobs.ask {
                Road::Unasked
            } else {
                Road::Maybe
            }
        {
            continue;
        }
        let words = scene.say(road.part().kind, &[]);
        let label = scene.say(road.label(), &[]);
        let mut pencil = scene.link(road.part(), way.frame(), words);
        pencil.line(way.d(), Ink::LineStrong, 1.5);
        if !narrow {
            name(road, &label, &placed, way, &mut pencil);
        }
    }
    feed(shop, placed.of(FEED), hand, narrow, scene);
    database(shop, placed.of(DATABASE), at, scene);
    tally(shop, placed.of(SHOWN), placed.of(SKIPPED), scene);
    grid(shop, placed.of(GRID), from, placed.of(DATABASE), at, scene);
    bars(shop, placed.of(UNSEEN), placed.of(MAYBES), scene);
    dots(shop, &ways, from, at, scene);
}

/// Writes on a link who goes there.
fn name(road: Road, label: &str, placed: &Placed, way: &Way, pencil: &mut Pencil<'_>) {
    let frame = way.frame();
    let w = text::width(label, 12.0, true);
    let at = match road {
        Road::Watched | Road::Lie => {
            let at = pt(frame.x - 7.0, frame.centre().y + 4.0);
            return ending(pencil, at, 11.0, false, Ink::Secondary, label);
        }
        Road::Maybe => pt(placed.of(GRID).top().x, frame.y),
        Road::No => pt(placed.of(GRID).top().x, frame.y + frame.h),
        // Where the way to those shown has left it.
        Road::Unasked => pt(placed.of(SKIPPED).x - 12.0, frame.y + frame.h),
    };
    let ground = Rect::new(at.x - w / 2.0 - 6.0, at.y - 7.0, w + 12.0, 14.0);
    pencil.filled(ground, 0.0, Ink::Paper);
    let ink = if road == Road::No { Ink::Ok } else { Ink::Warn };
    pencil.centred(pt(at.x, at.y + 4.0), 12.0, true, ink, label);
}

fn place(scene: &mut Scene, narrow: bool) -> Placed {
    let wide = |weight: f32| Span::rest(if narrow { 130.0 } else { 100.0 }, weight);
    let bar = if narrow { (50.0, 54.0) } else { (52.0, 62.0) };
    let stage = if narrow {
        Slot::Column(vec![
            Slot::Row(vec![
                part(FEED, (112.0, 140.0), 104.0),
                space(Span::rest(20.0, 1.0)),
                part(DATABASE, (144.0, 180.0), 104.0),
            ]),
            space(16.0),
            Slot::Row(vec![
                space(16.0),
                part(GRID, wide(1.0), (186.0, 216.0)),
                space(16.0),
            ]),
            space(16.0),
            Slot::Row(vec![
                part(SHOWN, wide(1.0), 46.0),
                space(10.0),
                part(SKIPPED, wide(1.0), 46.0),
            ]),
            space(8.0),
            part(UNSEEN, wide(1.0), bar),
            space(6.0),
            part(MAYBES, wide(1.0), bar),
        ])
    } else {
        Slot::Column(vec![
            Slot::Row(vec![
                part(FEED, (112.0, 134.0), (180.0, 230.0)),
                space((22.0, 34.0)),
                Slot::Column(vec![
                    space(18.0),
                    part(GRID, Span::rest(230.0, 1.0), (196.0, 262.0)),
                    space(18.0),
                ]),
                space((30.0, 44.0)),
                Slot::Column(vec![
                    part(DATABASE, (150.0, 236.0), (104.0, 128.0)),
                    space((34.0, 44.0)),
                    Slot::Row(vec![
                        part(SHOWN, (70.0, 112.0), 52.0),
                        space((10.0, 12.0)),
                        part(SKIPPED, (70.0, 112.0), 52.0),
                    ]),
                ]),
            ]),
            space((4.0, 10.0)),
            Slot::Row(vec![
                part(UNSEEN, wide(1.0), bar),
                space(14.0),
                part(MAYBES, wide(1.0), bar),
            ]),
        ])
    };
    lay(scene, &stage)
}

/// The middle of the reel in hand, and where its fingers begin: on the side of the grid.
fn hand_at(feed: Rect, narrow: bool) -> (Point, Point) {
    let x = feed.x + feed.w - HAND - 10.0;
    if narrow {
        (pt(x, feed.y + HAND + 9.0), pt(x, feed.y + feed.h))
    } else {
        let y = feed.centre().y;
        (pt(x, y), pt(x + HAND, y))
    }
}

fn way(road: Road, placed: &Placed, hand_x: f32, width: f32, narrow: bool) -> Way {
    let [grid, database, shown, skipped] = [GRID, DATABASE, SHOWN, SKIPPED].map(|id| placed.of(id));
    let feed = placed.of(FEED);
    let down = |to: Rect| {
        let x = database.right().x - to.w / 2.0;
        let x = to.top().x.min(x);
        Way::straight(pt(x, database.y + database.h), pt(x, to.y))
    };
    let points = if narrow {
        let gap = shown.y - RAIL + 1.0;
        let (left, right) = (grid.x - RAIL, (grid.x + grid.w + RAIL).min(width - 5.0));
        let under = grid.y - RAIL + 1.0;
        let back = |to: Rect| {
            let x = database.x + database.w - 24.0;
            let low = database.y + database.h;
            let corner = [pt(right, under), pt(right, gap), pt(to.top().x, gap)];
            [[pt(x, low), pt(x, under)].as_slice(), &corner, &[to.top()]].concat()
        };
        let straight = |to: Rect| {
            let (x, low) = (feed.x + 20.0, feed.y + feed.h);
            let corner = [pt(left, under), pt(left, gap), pt(to.top().x, gap)];
            [[pt(x, low), pt(x, under)].as_slice(), &corner, &[to.top()]].concat()
        };
        match road {
            Road::Maybe => vec![feed.right(), database.left()],
            Road::No => straight(shown),
            Road::Unasked => straight(skipped),
            Road::Watched => back(skipped),
            Road::Lie => back(shown),
        }
    } else {
        let (over, under) = (grid.y - RAIL, grid.y + grid.h + RAIL);
        let turn = grid.x + grid.w + (database.x - grid.x - grid.w) / 2.0;
        match road {
            Road::Maybe => vec![
                pt(hand_x, feed.y),
                pt(hand_x, over),
                pt(turn, over),
                pt(turn, database.left().y),
                database.left(),
            ],
            Road::No => vec![
                pt(hand_x, feed.y + feed.h),
                pt(hand_x, under),
                pt(turn, under),
                pt(turn, shown.left().y),
                shown.left(),
            ],
            Road::Unasked => vec![
                pt(hand_x, feed.y + feed.h),
                pt(hand_x, under),
                pt(skipped.top().x, under),
                skipped.bottom(),
            ],
            Road::Watched => return down(skipped),
            Road::Lie => {
                return Way::straight(pt(shown.top().x, database.y + database.h), shown.top());
            }
        }
    };
    Way::through(&points, 8.0)
}

fn count(n: impl TryInto<i64>) -> Arg {
    Arg::Count(n.try_into().unwrap_or(i64::MAX))
}

fn feed(shop: &Shop, r: Rect, hand: Point, narrow: bool, scene: &mut Scene) {
    let held = &shop.hand;
    let rate = scene.say("rate", &[count(shop.knobs.rate)]);
    let reel = scene.say("in-hand", &[shop.named(held.number)]);
    let (word, ground, ink) = match (held.phase, held.proof) {
        (Phase::Reaches, _) => ("asks", Ink::AccentSoft, Ink::Ink),
        (Phase::Told, Some(_)) if held.watched => ("wrong-no", Ink::Bad, Ink::OnBad),
        (Phase::Left, _) if shop.hand_set() => ("sets", Ink::AccentSoft, Ink::Ink),
        (_, None) => ("maybe", Ink::WarnSoft, Ink::Ink),
        (_, Some(_)) => ("no", Ink::OkSoft, Ink::Ink),
    };
    let told = scene.say(word, &[count(held.places.len())]);
    let key = fitting(&[shop.seen.key(held.number)], 11.0, false, r.w - 16.0);
    let name = scene.name(FEED);
    let mut pencil = scene.thing(FEED, r, format!("{rate}; {reel}: {told}"));
    pencil.figure("waiting", shop.feed.queue.len() as f64);
    NodeCard::plain(r, name, rate).draw(&mut pencil);
    let ring = Rect::new(hand.x - HAND, hand.y - HAND, 2.0 * HAND, 2.0 * HAND);
    pencil.bordered(ring, HAND, Ink::AccentSoft, Ink::Accent, 2.0);
    let called = shop.seen.name(held.number);
    let size = if held.number < 1_000 { 13.0 } else { 11.0 };
    let number = called.map_or(held.number.to_string(), |name| name.text().to_owned());
    let number = fitting(&[number], size, true, 2.0 * HAND - 8.0);
    pencil.centred(pt(hand.x, hand.y + 4.5), size, true, Ink::Ink, number);
    // Under the ring, and never outside the card; where the fingers go down there is no room for the key.
    let inside = |half: f32| hand.x.min(r.x + r.w - half - 5.0);
    if !narrow {
        let x = inside(text::width(&key, 11.0, false) / 2.0);
        let at = pt(x, hand.y + HAND + 15.0);
        pencil.centred(at, 11.0, false, Ink::Secondary, key);
    }
    let x = inside(text::width(&told, 12.0, true) / 2.0 + 8.0);
    let y = if narrow {
        r.y + r.h - 16.0
    } else {
        hand.y + HAND + 32.0
    };
    pill(&mut pencil, pt(x, y), told, ground, ink);
    let waits = shop.feed.queue.iter();
    let waits = waits.filter_map(|key| shop.reels.get(*key));
    let wide = if narrow {
        r.w - 24.0
    } else {
        hand.x - HAND - r.x - 20.0
    };
    let high = if narrow { 18.0 } else { 90.0 };
    let area = Rect::new(r.x + 12.0, r.y + 54.0, wide, high);
    let numbers = waits.map(|reel| reel.number);
    queue(scene, area, Glyph::Request, Ink::Accent, numbers);
}

fn verdict(shop: &Shop, at: Time) -> Option<&Verdict> {
    let verdict = shop.verdict.as_ref();
    verdict.filter(|verdict| at.since(verdict.at) < VERDICT)
}

fn database(shop: &Shop, r: Rect, at: Time, scene: &mut Scene) {
    let held = shop.database.held.len();
    let (asked, saved) = (shop.counts.asked, shop.counts.noes);
    let status = scene.say("asked", &[count(asked), count(saved)]);
    let short = scene.say("asked.short", &[count(asked)]);
    let slow = [
        scene.say("slowed", &[count(shop.knobs.database), Arg::Number(SLOWED)]),
        scene.say("slowed.short", &[Arg::Number(SLOWED)]),
    ];
    let waits = shop.database.queue.len();
    let waiting = (waits > 0).then(|| scene.say("waits", &[count(waits)]));
    let said = verdict(shop, at).map(|verdict| {
        let words = if verdict.lie {
            ["never", "never.short"]
        } else {
            ["watched", "watched.short"]
        };
        let said = words.map(|word| scene.say(word, &[shop.named(verdict.number)]));
        (fitting(&said, 12.0, true, r.w - 28.0), verdict.lie)
    });
    let unasked = scene.say("nobody-asks", &[]);
    let name = scene.name(DATABASE);
    let room = r.w - 28.0;
    let line = match (&said, waiting) {
        _ if !shop.knobs.ask => (unasked, Ink::Secondary),
        (Some((said, true)), _) => (said.clone(), Ink::Warn),
        (Some((said, false)), _) => (said.clone(), Ink::Ok),
        (None, Some(waiting)) => (waiting, Ink::Warn),
        (None, None) => (fitting(&slow, 11.0, false, room), Ink::Secondary),
    };
    let spoken = format!("{status}; {}", line.0);
    let mut pencil = scene.thing(DATABASE, r, spoken);
    pencil
        .figure("asked", f64::from(asked))
        .figure("saved", f64::from(saved));
    let status = fitting(&[status, short], 12.5, false, room);
    NodeCard::plain(r, name, status).draw(&mut pencil);
    let cells = places(r);
    cells.sockets(&mut pencil, WORKERS);
    let y = r.y + r.h - 12.0;
    let bold = line.1 != Ink::Secondary;
    let line = (fitting(&[line.0], 12.0, bold, room), line.1);
    if bold {
        pencil.bold(pt(r.x + 14.0, y), 12.0, line.1, line.0);
    } else {
        pencil.text(pt(r.x + 14.0, y), 11.0, line.1, line.0);
    }
    let asks = shop
        .database
        .held
        .iter()
        .filter_map(|key| shop.reels.get(*key));
    for (i, reel) in asks.enumerate().take(held.min(WORKERS)) {
        scene.particle(cells.at(i), cells.r, Glyph::Request, Ink::Warn, reel.number);
    }
}

/// Where the database holds its questions.
fn places(r: Rect) -> Cells {
    let room = Rect::new(r.x + 13.0, r.y + 52.0, r.w - 26.0, 28.0);
    Cells::of(room, WORKERS, 2, 14.0)
}

fn tally(shop: &Shop, shown: Rect, skipped: Rect, scene: &mut Scene) {
    let counts = shop.counts;
    let late = (counts.wrong_noes > 0).then(|| scene.say("twice", &[count(counts.wrong_noes)]));
    let lost = (counts.missed > 0).then(|| scene.say("missed", &[count(counts.missed)]));
    for (id, r, n, wrong) in [
        (SHOWN, shown, counts.shown, late),
        (SKIPPED, skipped, counts.skipped, lost),
    ] {
        let name = scene.name(id);
        let spoken = n.to_string();
        let spoken = match &wrong {
            Some(wrong) => format!("{spoken}, {wrong}"),
            None => spoken,
        };
        let mut pencil = scene.thing(id, r, spoken);
        pencil.figure("count", f64::from(n));
        let border = if wrong.is_some() {
            Ink::Bad
        } else {
            Ink::LineStrong
        };
        pencil.bordered(r, 10.0, Ink::Card, border, 1.5);
        let (high, low) = (pt(r.x + 10.0, r.y + 20.0), pt(r.x + 10.0, r.y + r.h - 11.0));
        // Name and count side by side, or one below the other with the count alone.
        let beside = r.w >= 96.0;
        let under = match (wrong, beside) {
            (Some(wrong), true) => Some(fitting(&[wrong], 11.0, true, r.w - 20.0)),
            (Some(wrong), false) => {
                let both = format!("{n}, {wrong}");
                Some(fitting(&[both, n.to_string()], 11.0, true, r.w - 20.0))
            }
            (None, false) => Some(n.to_string()),
            (None, true) => None,
        };
        let name_at = if under.is_some() {
            high
        } else {
            pt(high.x, r.centre().y + 5.0)
        };
        pencil.bold(name_at, 13.0, Ink::Ink, name);
        if beside {
            let at = pt(r.x + r.w - 10.0, name_at.y);
            ending(&mut pencil, at, 13.0, true, Ink::Ink, n.to_string());
        }
        if let Some(under) = under {
            let ink = if border == Ink::Bad {
                Ink::Bad
            } else {
                Ink::Ink
            };
            pencil.bold(low, 11.0, ink, under);
        }
    }
}

/// The squares of the bits.
struct Squares {
    cells: Cells,
    area: Rect,
    /// So many bits share a square.
    bits_each: u64,
    count: usize,
}

impl Squares {
    fn of(bits: u64, r: Rect) -> Squares {
        let bits_each = bits.div_ceil(SQUARES_MAX).next_power_of_two();
        let count = bits.div_ceil(bits_each) as usize;
        let area = Rect::new(r.x, r.y + HEAD, r.w, r.h - HEAD - FOOT);
        Squares {
            cells: Cells::grid(area, count, ROWS, PITCH_MAX),
            area,
            bits_each,
            count,
        }
    }

    fn of_bit(&self, place: u64) -> usize {
        ((place / self.bits_each) as usize).min(self.count.saturating_sub(1))
    }

    fn at(&self, place: u64) -> Point {
        self.cells.at(self.of_bit(place))
    }
}

fn grid(shop: &Shop, r: Rect, from: Point, database: Rect, at: Time, scene: &mut Scene) {
    let (seen, narrow) = (&shop.seen, scene.narrow());
    let squares = Squares::of(seen.bits(), r);
    let (set, names) = (seen.set(), shop.watched.len());
    let word = if seen.counts() {
        "counters-set"
    } else {
        "bits-set"
    };
    let title = scene.say(word, &[count(set), count(seen.bits())]);
    let per_reel = seen.bits() as f64 / names.max(1) as f64;
    let tenths_per_reel = Arg::Tenths((per_reel * 10.0 + 0.5) as u32);
    let made = [count(seen.shape.hashes), tenths_per_reel];
    let shape = match (shop.rebuilt, seen.layers()) {
        (_, layers @ 2..) => vec![scene.say("stack", &[count(layers)])],
        (Some(_), _) => vec![scene.say("shape.rebuilt", &made), scene.say("shape", &made)],
        _ => vec![scene.say("shape", &made)],
    };
    let shape: Vec<String> = shape
        .into_iter()
        .chain(["per-reel", "per-reel.short"].map(|word| scene.say(word, &made)))
        .collect();
    let entries = [
        (Ink::Card, scene.say("empty", &[])),
        (Ink::Hit, scene.say("set", &[])),
        (Ink::Accent, scene.say("new", &[])),
        (Ink::BadSoft, scene.say("lost", &[])),
    ];
    let kinds = entries.len() - usize::from(seen.cleared.is_empty());
    let shared = (squares.bits_each > 1).then(|| scene.say("shared", &[count(squares.bits_each)]));
    let told = verdict(shop, at);
    let words = scene.words().clone();
    let tag = |owner: u32, short: bool| match (shop.seen.name(owner), short) {
        (Some(name), _) => fitting(&[name.quoted()], 11.0, true, TAG),
        (None, false) => words.fill("stage.in-hand", &[count(owner)]),
        (None, true) => owner.to_string(),
    };
    let spoken = match told.filter(|verdict| verdict.lie) {
        Some(lie) => scene.say("spoken-lie", &[shop.named(lie.number)]),
        None => scene.say(
            "spoken",
            &[shop.named(shop.hand.number), count(shop.hand.places.len())],
        ),
    };
    let spoken = format!("{title}; {}; {spoken}", shape[0]);
    let empty = shop
        .hand
        .places
        .iter()
        .filter(|place| !seen.bit(**place))
        .count();
    let mut pencil = scene.thing(GRID, r, spoken);
    pencil
        .figure("reels", names as f64)
        .figure("set", set as f64)
        .figure("fill", seen.fill() * 100.0)
        .figure("fingers", shop.hand.places.len() as f64)
        .figure("empty", empty as f64)
        .figure("hashes", f64::from(seen.shape.hashes))
        .figure("per-reel", per_reel)
        .figure("wrong-noes", f64::from(shop.counts.wrong_noes));
    let tags = told
        .map(|verdict| tags(verdict, &squares, tag))
        .unwrap_or_default();
    paint(shop, &squares, &tags, at, &mut pencil);
    fingers(
        shop,
        &squares,
        from,
        told.is_some_and(|verdict| verdict.lie),
        at,
        &mut pencil,
    );
    if let Some(verdict) = told {
        expose(verdict, &squares, tags, database, narrow, &mut pencil);
    }
    // Above whatever passes.
    let room = r.w - text::width(&title, 13.0, true) - 16.0;
    pencil.bold(pt(r.x, r.y + 14.0), 13.0, Ink::Ink, title);
    let shape = fitting(&shape, 12.0, false, room);
    ending(
        &mut pencil,
        pt(r.x + r.w, r.y + 14.0),
        12.0,
        false,
        Ink::Secondary,
        shape,
    );
    let foot = pt(r.x, r.y + r.h - 5.0);
    let entries = entries.into_iter().take(kinds);
    let entries = entries.map(|(ink, said)| (Sample::Ground, ink, said));
    let x = legend(&mut pencil, foot, r.x + r.w, entries);
    let fits = |said: &String| x + text::width(said, 11.0, false) <= r.x + r.w;
    if let Some(shared) = shared.filter(fits) {
        pencil.text(pt(x, foot.y), 11.0, Ink::Secondary, shared);
    }
}

/// The squares themselves, each colour as one shape.
fn paint(
    shop: &Shop,
    squares: &Squares,
    tags: &[(Rect, String)],
    at: Time,
    pencil: &mut Pencil<'_>,
) {
    let seen = &shop.seen;
    let each = squares.bits_each;
    let set = |square: usize| {
        let first = square as u64 * each;
        let last = (first + each).min(seen.bits());
        let on = (first..last).filter(|place| seen.bit(*place)).count() as u64;
        2 * on >= last - first
    };
    let on: Vec<bool> = (0..squares.count).map(set).collect();
    let all = 0..squares.count;
    // An empty one differs in shape, too: not everybody sees colours.
    pencil.shape(Shape::Path {
        d: squares.cells.squares(all.clone().filter(|i| !on[*i])),
        fill: Ink::Card,
        stroke: Ink::LineStrong,
        width: 1.0,
        dashed: false,
    });
    pencil.area(squares.cells.squares(all.filter(|i| on[*i])), Ink::Hit);
    let fresh = seen
        .fresh
        .iter()
        .filter(|(_, since)| at.since(*since) < NEW);
    let fresh: Vec<usize> = fresh.map(|(place, _)| squares.of_bit(*place)).collect();
    if !fresh.is_empty() {
        pencil.area(squares.cells.squares(fresh.into_iter()), Ink::Accent);
    }
    if !seen.cleared.is_empty() {
        let lost = seen.cleared.iter().map(|place| squares.of_bit(*place));
        let lost = squares.cells.squares(lost);
        pencil
            .area(lost.clone(), Ink::BadSoft)
            .line(lost, Ink::Bad, 2.0);
    }
    if seen.counts() && squares.cells.pitch() >= DIGITS {
        for place in 0..seen.bits() {
            let n = seen.count(place);
            let p = squares.at(place);
            let digit = Rect::new(p.x - 8.0, p.y - 8.0, 16.0, 16.0);
            if n > 0 && !tags.iter().any(|(tag, _)| tag.overlaps(&digit)) {
                pencil.centred(pt(p.x, p.y + 4.0), 11.0, true, Ink::OnAccent, n.to_string());
            }
        }
    }
}

/// Lines from a point to squares, as one path; `share` of the way.
fn rays(from: Point, to: impl Iterator<Item = Point>, share: f32) -> String {
    let mut d = String::new();
    for p in to {
        let end = pt(
            from.x + (p.x - from.x) * share,
            from.y + (p.y - from.y) * share,
        );
        for piece in [
            "M",
            &tenths(from.x),
            " ",
            &tenths(from.y),
            "L",
            &tenths(end.x),
            " ",
        ] {
            d += piece;
        }
        d += &tenths(end.y);
    }
    d
}

/// The fingers of the reel in hand; faint while a lie is shown.
fn fingers(
    shop: &Shop,
    squares: &Squares,
    from: Point,
    behind: bool,
    at: Time,
    pencil: &mut Pencil<'_>,
) {
    let held = &shop.hand;
    let mut reach = |places: &[u64], share: f32, ink: Ink, width: f32| {
        let ends = places.iter().map(|place| squares.at(*place));
        pencil.line(rays(from, ends, share), ink, width);
        if share == 1.0 {
            let marks = places.iter().map(|place| squares.of_bit(*place));
            pencil.line(squares.cells.squares(marks), ink, width);
        }
    };
    let (told, new) = (held.phase == Phase::Told, held.proof.is_some());
    let share = match held.phase {
        Phase::Reaches => at.progress(held.from, held.reached).min(0.99),
        _ => 1.0,
    };
    let (ink, width) = match held.phase {
        _ if behind => (Ink::LineStrong, 1.0),
        Phase::Reaches => (Ink::Accent, 1.5),
        Phase::Told if !new => (Ink::Warn, 2.0),
        Phase::Left if shop.hand_set() => (Ink::Accent, 1.5),
        _ => (Ink::Mark, 1.0),
    };
    reach(&held.places, share, ink, width);
    if told && new && !behind {
        let empty = held.places.iter().filter(|place| !shop.seen.bit(**place));
        let empty: Vec<u64> = empty.copied().collect();
        let ink = if held.watched { Ink::Bad } else { Ink::Ok };
        reach(&empty, 1.0, ink, 2.5);
    }
}

/// Who set the bits of a lie, on labels at these.
fn tags(
    verdict: &Verdict,
    squares: &Squares,
    words: impl Fn(u32, bool) -> String,
) -> Vec<(Rect, String)> {
    let mut tags: Vec<(Rect, String)> = Vec::new();
    let mut done: Vec<u64> = Vec::new();
    let area = squares.area;
    for (place, owner) in verdict.places.iter().zip(&verdict.owners) {
        if !verdict.lie || *owner == 0 || done.contains(place) || tags.len() == TAGS {
            continue;
        }
        done.push(*place);
        let label = match verdict.places.len() {
            ..=NAMED => words(*owner, false),
            _ => words(*owner, true),
        };
        let (w, h) = (text::width(&label, 12.0, true) + 12.0, 18.0);
        let p = squares.at(*place);
        let x = (p.x - w / 2.0).clamp(area.x, (area.x + area.w - w).max(area.x));
        let mut tag = Rect::new(x, p.y - h / 2.0, w, h);
        while tags
            .iter()
            .any(|(other, _)| other.grown(1.0).overlaps(&tag))
        {
            tag.y += h + 2.0;
        }
        if tag.y + h <= area.y + area.h {
            tags.push((tag, label));
        }
    }
    tags
}

/// What the database has just said of a maybe: whose bits a lie is made of.
fn expose(
    verdict: &Verdict,
    squares: &Squares,
    tags: Vec<(Rect, String)>,
    database: Rect,
    narrow: bool,
    pencil: &mut Pencil<'_>,
) {
    let from = match narrow {
        true => pt(database.x + 20.0, database.y + database.h),
        false => database.left(),
    };
    let (ink, width) = match verdict.lie {
        true => (Ink::Warn, 2.0),
        false => (Ink::Mark, 1.0),
    };
    let ends = verdict.places.iter().map(|place| squares.at(*place));
    pencil.line(rays(from, ends, 1.0), ink, width);
    let marks = verdict.places.iter().map(|place| squares.of_bit(*place));
    pencil.line(squares.cells.squares(marks), ink, width);
    pencil.figure("tags", tags.len() as f64);
    for (tag, label) in tags {
        pencil.bordered(tag, 9.0, Ink::WarnSoft, Ink::Warn, 1.5);
        let middle = pt(tag.centre().x, tag.centre().y + 4.5);
        pencil.centred(middle, 12.0, true, Ink::Ink, label);
    }
}

fn bars(shop: &Shop, unseen: Rect, maybes: Rect, scene: &mut Scene) {
    let seen = &shop.seen;
    let theory = seen.expected_rate(shop.watched.len());
    let rate = seen.rate();
    let share = f64::from(shop.knobs.watched) / 100.0;
    let tried = ["tried", "tried.short"].map(|word| scene.say(word, &[Arg::Share(theory)]));
    let from = match shop.sifted {
        Some(sifted) => {
            let args = [count(sifted.lies), count(sifted.maybes)];
            [
                scene.say("counted", &args),
                scene.say("counted.short", &args),
            ]
        }
        None => [
            scene.say("at-share", &[Arg::Share(share)]),
            scene.say("at-share.short", &[Arg::Share(share)]),
        ],
    };
    for (id, r, value, tick, words) in [
        (UNSEEN, unseen, rate, Some(theory), tried),
        (MAYBES, maybes, shop.false_maybes(), None, from),
    ] {
        let percent = scene.words().write(&Arg::Share(value));
        let title = scene.name(id);
        let mut pencil = scene.thing(id, r, format!("{percent}; {}", words[0]));
        pencil.figure("lies", value * 100.0);
        let value_w = text::width(&percent, 15.0, true);
        let title = fitting(&[title], 12.5, true, r.w - value_w - 12.0);
        pencil.bold(pt(r.x, r.y + 15.0), 12.5, Ink::Ink, title);
        ending(
            &mut pencil,
            pt(r.x + r.w, r.y + 15.0),
            15.0,
            true,
            Ink::Ink,
            percent,
        );
        let meter = Rect::new(r.x, r.y + 23.0, r.w, 9.0);
        pencil.meter(meter, value as f32, Ink::Warn, false);
        if let Some(theory) = tick {
            let x = tenths(r.x + r.w * theory.clamp(0.0, 1.0) as f32);
            pencil.line(format!("M{x} {}v15", tenths(r.y + 20.0)), Ink::Ink, 2.0);
        }
        let said = fitting(&words, 11.0, false, r.w);
        pencil.text(pt(r.x, r.y + r.h - 5.0), 11.0, Ink::Secondary, said);
    }
}

/// How a reel looks.
fn look(reel: &Reel) -> (Glyph, Ink) {
    match reel.fate {
        Fate::Unknown => (Glyph::Request, Ink::Accent),
        Fate::New => (Glyph::Response, Ink::Ok),
        Fate::Maybe => (Glyph::Request, Ink::Warn),
        Fate::Watched => (Glyph::Response, Ink::Secondary),
        Fate::Lie => (Glyph::Failure, Ink::Warn),
        Fate::WrongNo => (Glyph::Failure, Ink::Bad),
    }
}

fn dots(shop: &Shop, ways: &[Way; 5], from: Point, at: Time, scene: &mut Scene) {
    for (_, reel) in shop.reels.iter() {
        let (glyph, ink) = look(reel);
        match reel.place {
            Place::Held { .. } => {
                scene.particle(from, DOT, glyph, ink, reel.number);
            }
            Place::Travels(leg) => {
                let way = &ways[leg.on as usize];
                let to = way.at(leg.share(at), Course::There);
                scene.particle(to, DOT, glyph, ink, reel.number);
            }
            Place::Waits | Place::Queued | Place::Asked { .. } => {}
        }
    }
}
