//! The stage: who writes, copies that are still to be made, a thousand inboxes, who makes pages, and your page.

use super::feeds::{FLASH, Feeds, KNOWN, PAIR, Post, READ, STAR, USERS};
use super::{
    AGGREGATOR, AGGREGATORS, ASK, BY_STAR, COPY, GENERATOR, LOOK, LOOKS, POSTS, RETURN, alive,
    reader, workers,
};
use engine::scene::{Curve, Pencil, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::cells::Cells;
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, tenths};
use kit::system::{Place, System, Values};

/// Who writes.
pub(super) const WRITERS: PartId = PartId::one("authors");
/// See [`super::WEB`].
pub(super) const SERVERS: PartId = PartId::one("web");
/// What each author wrote.
pub(super) const OUTBOXES: PartId = PartId::one("outboxes");
/// See [`super::GENERATOR`].
pub(super) const COPIES: PartId = PartId::one("generator");
/// All inboxes.
pub(super) const FIELD: PartId = PartId::one("field");
/// See [`super::AGGREGATOR`].
pub(super) const MERGER: PartId = PartId::one("aggregator");
/// Your page.
pub(super) const PAGE: PartId = PartId::one("page");
/// Work on write and on read.
pub(super) const WORK: PartId = PartId::one("work");
/// How late posts were.
pub(super) const DELAYS: PartId = PartId::one("delays");

/// Whose chain of causes answers for what has none of its own.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (WRITERS, SERVERS),
    (OUTBOXES, SERVERS),
    (FIELD, COPIES),
    (DELAYS, COPIES),
    (WORK, MERGER),
    (PAGE, MERGER),
    (COPIES, SERVERS),
    (MERGER, FIELD),
];

const PAD: f32 = 12.0;
/// Between parts that something moves between, and others.
const WAY: f32 = 26.0;
const GAP: f32 = 12.0;
/// Height of the cards of outboxes and aggregator in a narrow stage.
const CARDS: f32 = 104.0;
/// Lines above the inboxes.
const HEAD: f32 = 38.0;
/// Rows of the page, and how many of them may be what was left out.
const ROWS: usize = 8;
const ROWS_NARROW: usize = 5;
const ROW: f32 = 16.5;
const ROWS_OUT: usize = 3;
/// Posts whose delay is shown.
const DELAYED: usize = 60;
/// Work is shown over so long.
const OVER: Time = Time::s(10);
/// Ends of the axis of delays, s.
const DELAY_MIN: f64 = 0.05;
const DELAY_MAX: f64 = 30.0;

/// Where everything stands.
struct Stage {
    authors: Rect,
    web: Rect,
    outboxes: Rect,
    generator: Rect,
    field: Rect,
    aggregator: Rect,
    page: Rect,
    work: Rect,
    delays: Rect,
    rows: usize,
    narrow: bool,
}

impl Stage {
    fn of(scene: &Scene) -> Stage {
        let w = scene.width - 2.0 * PAD;
        let narrow = scene.narrow();
        if narrow {
            let half = (w - WAY) / 2.0;
            let right = PAD + half + WAY;
            let pitch = w / 50.0;
            let (mut y, top) = (8.0, 84.0);
            let inboxes = HEAD + 2.0 + 20.0 * pitch;
            let mut row = |h: f32, gap: f32| {
                let at = y;
                y += h + gap;
                at
            };
            let first = row(top, 18.0);
            let second = row(104.0, 18.0);
            let field = row(inboxes, GAP);
            let third = row(CARDS, 18.0);
            let page = row(32.0 + ROW * ROWS_NARROW as f32, GAP);
            let work = row(74.0, GAP);
            let delays = row(74.0, PAD);
            Stage {
                authors: Rect::new(PAD, first, half, top),
                web: Rect::new(right, first, half, top),
                generator: Rect::new(PAD, second, w, 104.0),
                field: Rect::new(PAD, field, w, inboxes),
                outboxes: Rect::new(PAD, third, half, CARDS),
                aggregator: Rect::new(right, third, half, CARDS),
                page: Rect::new(PAD, page, w, 32.0 + ROW * ROWS_NARROW as f32),
                work: Rect::new(PAD, work, w, 74.0),
                delays: Rect::new(PAD, delays, w, 74.0),
                rows: ROWS_NARROW,
                narrow,
            }
        } else {
            let side = w * 0.245;
            let middle = w - 2.0 * side - 2.0 * WAY;
            let (centre, right) = (PAD + side + WAY, PAD + side + middle + 2.0 * WAY);
            let bottom = 316.0;
            let half = (w - GAP) / 2.0;
            Stage {
                authors: Rect::new(PAD, 8.0, side, 84.0),
                web: Rect::new(PAD, 110.0, side, 46.0),
                generator: Rect::new(PAD, 174.0, side, 130.0),
                outboxes: Rect::new(centre, 8.0, middle, 66.0),
                field: Rect::new(centre, 88.0, middle, 216.0),
                aggregator: Rect::new(right, 8.0, side, 110.0),
                page: Rect::new(right, 136.0, side, 168.0),
                work: Rect::new(PAD, bottom, half, 74.0),
                delays: Rect::new(PAD + half + GAP, bottom, half, 74.0),
                rows: ROWS,
                narrow,
            }
        }
    }

    /// The squares of the field.
    fn cells(&self) -> Cells {
        let r = self.field;
        let area = Rect::new(r.x + 2.0, r.y + HEAD, r.w - 4.0, r.h - HEAD - 2.0);
        Cells::grid(area, USERS, &[40, 50], 12.0)
    }

    /// The way of looks and pages, below the name of the field.
    fn looks(&self) -> Curve {
        let (field, aggregator) = (self.field, self.aggregator);
        match self.narrow {
            true => Stage::way(field, aggregator),
            false => {
                let y = aggregator.y + aggregator.h - 6.0;
                Curve::straight(pt(field.x + field.w, y), pt(aggregator.x, y))
            }
        }
    }

    /// The way from one part to another.
    fn way(from: Rect, to: Rect) -> Curve {
        let middle = |a: f32, b: f32, c: f32, d: f32| (a.max(c) + b.min(d)) / 2.0;
        if to.x >= from.x + from.w || from.x >= to.x + to.w {
            let (ends_low, starts_low) = (from.y + from.h, to.y + to.h);
            let (x1, x2) = match to.x >= from.x + from.w {
                true => (from.x + from.w, to.x),
                false => (from.x, to.x + to.w),
            };
            if to.y < ends_low && from.y < starts_low {
                let y = middle(from.y, ends_low, to.y, starts_low);
                return Curve::straight(pt(x1, y), pt(x2, y));
            }
            return Curve::across(pt(x1, from.centre().y), pt(x2, to.centre().y));
        }
        let x = middle(from.x, from.x + from.w, to.x, to.x + to.w);
        let (y1, y2) = match to.y >= from.y {
            true => (from.y + from.h, to.y),
            false => (from.y, to.y + to.h),
        };
        Curve::straight(pt(x, y1), pt(x, y2))
    }
}

/// Draws a run, as [`engine::Sheet::draw`] wants it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let stage = Stage::of(scene);
    let feeds = system.own::<Feeds>();
    ways(&stage, scene);
    authors(feeds, knobs, stage.authors, scene);
    web(system, stage.web, scene);
    outboxes(feeds, stage.outboxes, scene);
    generator(system, stage.generator, scene);
    field(feeds, &stage, at, scene);
    aggregator(system, stage.aggregator, scene);
    page(feeds, &stage, at, scene);
    work(feeds, stage.work, at, scene);
    delays(feeds, stage.delays, scene);
    dots(system, &stage, at, scene);
    scene.height = stage.delays.y + stage.delays.h + PAD;
}

fn ways(stage: &Stage, scene: &mut Scene) {
    let ways = [
        (stage.authors, stage.web),
        (stage.web, stage.generator),
        (stage.generator, stage.field),
        (stage.outboxes, stage.aggregator),
        (stage.aggregator, stage.page),
    ];
    let mut pencil = scene.background();
    for (from, to) in ways {
        pencil.line(Stage::way(from, to).d(), Ink::Mark, 1.5);
    }
    pencil.line(stage.looks().d(), Ink::Mark, 1.5);
    if !stage.narrow {
        pencil.line(Stage::way(stage.web, stage.outboxes).d(), Ink::Mark, 1.5);
    }
}

fn count(n: usize) -> Arg {
    Arg::Count(n as i64)
}

/// A time as it is read best: in ms below a second.
fn short(span: Time) -> String {
    match span.as_s() {
        s if s < 0.0995 => format!("{} ms", text::fixed(s * 1e3, 0)),
        s if s < 0.9995 => format!("{} ms", text::fixed(s * 100.0, 0) + "0"),
        s if s < 99.5 => format!("{} s", text::fixed(s, 1)),
        s => format!("{} min", text::fixed(s / 60.0, 0)),
    }
}

/// A card: its name, and a line under it that is the longest of `said` that fits.
fn card(pencil: &mut Pencil<'_>, rect: Rect, name: &str, said: &[String], ink: Ink) {
    let bold = ink != Ink::Secondary;
    let border = if bold { ink } else { Ink::LineStrong };
    let width = if bold { 2.0 } else { 1.5 };
    pencil.bordered(rect, 12.0, Ink::Card, border, width);
    let name = fitting(&[name.to_owned()], 14.0, true, rect.w - 20.0);
    pencil.bold(pt(rect.x + 10.0, rect.y + 20.0), 14.0, Ink::Ink, name);
    let line = fitting(said, 11.5, bold, rect.w - 20.0);
    let p = pt(rect.x + 10.0, rect.y + 36.0);
    match bold {
        true => pencil.bold(p, 11.5, ink, line),
        false => pencil.text(p, 11.5, ink, line),
    };
}

/// How an author is drawn: her mark's size, and her ink.
fn face(author: u16) -> (f32, Ink) {
    match usize::from(author) {
        0 => (6.0, Ink::Accent),
        1..=KNOWN => (4.5, Ink::Ink),
        _ => (3.0, Ink::Ink),
    }
}

/// The word for an author.
fn kind(author: u16) -> &'static str {
    match usize::from(author) {
        0 => "kind.star",
        1..=KNOWN => "kind.known",
        _ => "kind.other",
    }
}

fn authors(feeds: &Feeds, knobs: &Values, rect: Rect, scene: &mut Scene) {
    let load = scene.say("load", &[Arg::Number(knobs.get("posts"))]);
    let sizes = [
        (STAR, "size.star", feeds.graph.followers(STAR).len()),
        (1, "size.known", feeds.graph.followers(1).len()),
        (KNOWN as u16 + 1, "size.other", 28),
    ];
    let said = sizes.map(|(author, word, size)| (author, scene.say(word, &[count(size)])));
    let few = sizes.map(|(_, _, size)| size.to_string());
    let head = scene.say("followers", &[]);
    let value = format!(
        "{load}. {head}: {}, {}, {}",
        said[0].1, said[1].1, said[2].1
    );
    let name = scene.name(WRITERS);
    let mut pencil = scene.thing(WRITERS, rect, value);
    pencil.figure("followers", sizes[0].2 as f64);
    let both = format!("{load}. {head}:");
    card(&mut pencil, rect, &name, &[both, load], Ink::Secondary);
    let w = (rect.w - 12.0) / 3.0;
    for (i, ((author, said), few)) in said.into_iter().zip(few).enumerate() {
        let x = rect.x + 6.0 + w * (i as f32 + 0.5);
        let (r, ink) = face(author);
        pencil.mark(Glyph::Message, pt(x, rect.y + 52.0), r + 1.0, ink);
        let said = fitting(&[said, few], 11.0, false, w - 3.0);
        pencil.centred(pt(x, rect.y + 74.0), 11.0, false, Ink::Ink, said);
    }
}

fn web(system: &System, rect: Rect, scene: &mut Scene) {
    let posts = system.load_per_s(super::AUTHORS);
    let looks = system.load_per_s(super::READERS);
    let round = |it: f64| Arg::Number(libm::round(it * 10.0) / 10.0);
    let said = scene.say("web", &[round(posts), round(looks)]);
    let few = scene.say("web.short", &[round(looks)]);
    let name = scene.name(SERVERS);
    let mut pencil = scene.thing(SERVERS, rect, said.clone());
    pencil.figure("looks/s", looks);
    card(&mut pencil, rect, &name, &[said, few], Ink::Secondary);
}

/// What authors wrote, and who is fetched.
fn outboxes(feeds: &Feeds, rect: Rect, scene: &mut Scene) {
    let you = feeds.you;
    let example = [STAR, 1, KNOWN as u16 + 1];
    let fetched = example.map(|author| {
        let mut readers = feeds.graph.followers(author).iter();
        readers.any(|it| !feeds.sleeps(*it) && !feeds.is_copied(author, *it))
    });
    let asked = feeds.asked(you, 0).len();
    let above = Arg::Count(feeds.rule.above as i64);
    let say = |word: &str| scene.say(word, &[above]);
    let [said, few] = match feeds.rule.design {
        READ => [say("fetch.all"), say("fetch.all.short")],
        PAIR => [say("fetch.pair"), say("fetch.pair.short")],
        _ if asked > 0 => [say("fetch.above"), say("fetch.above.short")],
        _ => [say("fetch.none"), say("fetch.none.short")],
    };
    let star_per_s = feeds.star_fetches_per_s();
    // Between two posts of hers, if she writes by the clock.
    let between = star_per_s * feeds.rule.every.unwrap_or(0.0);
    let star = match feeds.rule.every {
        Some(_) => {
            let fetches = text::grouped(libm::round(between) as u64);
            format!("{fetches} {}", scene.say("fetch.between", &[]))
        }
        None => scene.say("fetch.star", &[Arg::Number(libm::round(star_per_s))]),
    };
    let words = ["kind.star", "kind.known", "kind.other"].map(|word| scene.say(word, &[]));
    let [yes, no] = ["fetched", "copied"].map(|word| scene.say(word, &[]));
    let value = match fetched[0] {
        true => format!("{said}, {star}"),
        false => said.clone(),
    };
    let name = scene.name(OUTBOXES);
    let mut pencil = scene.thing(OUTBOXES, rect, value);
    pencil
        .figure("fetched a look", asked as f64)
        .figure("star fetches/s", star_per_s)
        .figure("fetches between posts", between);
    let lines = match fetched[0] {
        true => vec![format!("{said}, {star}"), star, few],
        false => vec![said, few],
    };
    card(&mut pencil, rect, &name, &lines, Ink::Secondary);
    let w = (rect.w - 16.0) / 3.0;
    let beside = rect.h < 80.0;
    for (i, word) in words.into_iter().enumerate() {
        let x = rect.x + 10.0 + w * i as f32;
        let y = rect.y + rect.h - 13.0;
        let (r, ink) = face(example[i]);
        let mark = match beside {
            true => pt(x + 6.0, y - 4.0),
            false => pt(x + w / 2.0, y - 22.0),
        };
        pencil.mark(Glyph::Message, mark, r, ink);
        let (ink, bold) = match fetched[i] {
            true => (Ink::Hit, true),
            false => (Ink::Secondary, false),
        };
        // A rim says so where there is no room for the word.
        if fetched[i] {
            let rim = Rect::new(mark.x - 8.0, mark.y - 8.0, 16.0, 16.0);
            pencil.bordered(rim, 4.0, Ink::None, Ink::Hit, 1.5);
        }
        if !beside {
            let said = fitting(&[word], 11.0, bold, w);
            pencil.centred(pt(mark.x, y), 11.0, bold, ink, said);
            continue;
        }
        let how = if fetched[i] { &yes } else { &no };
        let both = [format!("{word}: {how}"), word];
        if text::width(&both[1], 11.0, bold) <= w - 18.0 {
            let said = fitting(&both, 11.0, bold, w - 18.0);
            let p = pt(x + 16.0, y);
            match bold {
                true => pencil.bold(p, 11.0, ink, said),
                false => pencil.text(p, 11.0, ink, said),
            };
        }
    }
}

/// Posts whose copies are still to be made, each as long as these are many.
fn generator(system: &System, rect: Rect, scene: &mut Scene) {
    let feeds = system.own::<Feeds>();
    let (dead, busy) = workers(system);
    let (all, waiting) = (alive(system), feeds.waiting() as usize);
    let waiting = waiting.saturating_sub(busy);
    let mut tasks: Vec<(u32, u32, bool)> = feeds
        .tasks
        .iter()
        .filter_map(|task| {
            let star = feeds.post(task.post)?.author == STAR;
            Some((task.post, task.left(), star))
        })
        .collect();
    tasks.sort_unstable();
    let args = [count(busy), count(all), count(waiting)];
    let said = scene.say("generator", &args);
    let few = scene.say("generator.short", &args[2..]);
    let dead_said = scene.say("dead", &[count(dead)]);
    let of_star: u32 = tasks.iter().filter(|it| it.2).map(|it| it.1).sum();
    let behind = feeds.beside.map_or(0, |beside| {
        let later = tasks.iter().filter(|it| it.0 > beside.post);
        later.map(|it| it.1).sum::<u32>()
    });
    let names: Vec<[String; 2]> = tasks
        .iter()
        .map(|(post, _, star)| match star {
            true => [scene.say("kind.star", &[]), String::new()],
            false => {
                let post = Arg::Count(i64::from(*post));
                [scene.say("row", &[post]), scene.say("number", &[post])]
            }
        })
        .collect();
    let more = |n: usize| scene.say("more", &[count(n)]);
    let rows = ((rect.h - 46.0) / 12.0) as usize;
    let more = more(tasks.len().saturating_sub(rows));
    let value = match dead {
        0 => said.clone(),
        _ => format!("{said}, {dead_said}"),
    };
    let name = scene.name(COPIES);
    let mut pencil = scene.thing(COPIES, rect, value);
    pencil
        .figure("busy", busy as f64)
        .figure("dead", dead as f64)
        .figure("waiting", waiting as f64)
        .figure("star's", f64::from(of_star))
        .figure("behind her", f64::from(behind));
    // A second of work and more.
    let strained = feeds.rule.copy.as_s() * waiting as f64 > all as f64;
    let ink = match (dead, strained) {
        (1.., _) => Ink::Bad,
        (0, true) => Ink::Warn,
        _ => Ink::Secondary,
    };
    let lines = match dead {
        0 => vec![said, few],
        _ => vec![
            format!("{said}, {dead_said}"),
            format!("{few}, {dead_said}"),
            dead_said,
        ],
    };
    card(&mut pencil, rect, &name, &lines, ink);
    // Its workers, if they are few enough to be told apart.
    let held = busy + dead;
    for i in 0..(all + dead) * usize::from(all + dead <= 6) {
        let p = pt(rect.x + rect.w - 15.0 - 13.0 * i as f32, rect.y + 15.0);
        match i {
            i if i < dead => pencil.mark(Glyph::Failure, p, 4.5, Ink::Bad),
            i if i < held => pencil.mark(Glyph::Request, p, 4.5, Ink::Accent),
            _ => pencil.mark(Glyph::Response, p, 4.5, Ink::Mark),
        };
    }
    let over = tasks.len() > rows;
    let shown = if over { rows - 1 } else { tasks.len() };
    let longest = tasks.iter().map(|it| it.1).max().unwrap_or(0).max(300);
    // Whose bar it is stands before it, how many copies are left behind it.
    let (before, behind) = (if rect.w < 200.0 { 32.0 } else { 58.0 }, 30.0);
    let area = rect.w - 20.0 - before - behind;
    for (i, (_, left, star)) in tasks.iter().take(shown).enumerate() {
        let (x, y) = (rect.x + 10.0, rect.y + 44.0 + 12.0 * i as f32);
        let w = (area * *left as f32 / longest as f32).max(2.0);
        let (bar, ink) = match star {
            true => (Ink::Accent, Ink::Accent),
            false => (Ink::Mark, Ink::Secondary),
        };
        let bar_x = x + before;
        pencil.filled(Rect::new(bar_x, y, w, 9.0), 2.0, bar);
        let said = fitting(&names[i], 11.0, *star, before - 4.0);
        let (name, number) = (pt(x, y + 8.5), pt(bar_x + w + 5.0, y + 8.5));
        match star {
            true => pencil.bold(name, 11.0, ink, said),
            false => pencil.text(name, 11.0, ink, said),
        };
        match star {
            true => pencil.bold(number, 11.0, ink, left.to_string()),
            false => pencil.text(number, 11.0, ink, left.to_string()),
        };
    }
    if over {
        let p = pt(rect.x + 10.0, rect.y + 44.0 + 12.0 * shown as f32 + 9.0);
        pencil.text(p, 11.0, Ink::Secondary, more);
    }
}

/// Squares around these places as one path.
fn squares(cells: &Cells, places: impl Iterator<Item = usize>, side: f32) -> String {
    let (half, w) = (side / 2.0, text::tenths(side));
    let mut d = String::new();
    for place in places {
        let p = cells.at(place);
        let (x, y) = (text::tenths(p.x - half), text::tenths(p.y - half));
        for piece in ["M", &x, " ", &y, "h", &w, "v", &w, "h-", &w, "Z"] {
            d += piece;
        }
    }
    d
}

/// A thousand inboxes: whose has the post that is shown.
fn field(feeds: &Feeds, stage: &Stage, at: Time, scene: &mut Scene) {
    let rect = stage.field;
    let cells = stage.cells();
    let shown = feeds.shown(at);
    let post = shown.and_then(|number| Some((number, feeds.post(number)?)));
    let has = |user: &usize| shown.is_some_and(|it| feeds.inboxes.has(*user as u16, it));
    let asleep = |user: &usize| feeds.sleeps(*user as u16);
    let (mut full, mut wasted, mut awake, mut sleepers) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for user in 0..USERS {
        match (has(&user), asleep(&user)) {
            (true, false) => full.push(user),
            (true, true) => wasted.push(user),
            (false, false) => awake.push(user),
            (false, true) => sleepers.push(user),
        }
    }
    let sleeping = wasted.len() + sleepers.len();
    let (there, nobody) = (full.len() + wasted.len(), wasted.len());
    let number = Arg::Count(i64::from(shown.unwrap_or(0)));
    let star = post.is_some_and(|(_, post)| post.author == STAR);
    let took = feeds.star_so_far(at);
    let [said, few] = match post {
        Some((_, post)) if post.deleted.is_some() => ["field.deleted", "field.deleted.short"]
            .map(|word| scene.say(word, &[number, count(there)])),
        Some((_, Post { copies: 0, .. })) if star => {
            [scene.say("field.fetched", &[]), String::new()]
        }
        Some((_, Post { copies: 0, .. })) => [scene.say("field.kept", &[number]), String::new()],
        Some((_, post)) => {
            let all = Arg::Count(i64::from(post.copies.max(there as u32)));
            match took.filter(|_| star) {
                Some(took) => ["field.star", "field.star.short"]
                    .map(|word| scene.say(word, &[count(there), all, tenths(took)])),
                None => ["field", "field.short"]
                    .map(|word| scene.say(word, &[number, count(there), all])),
            }
        }
        None => Default::default(),
    };
    let spared = feeds.spared().unwrap_or(0.0);
    let answer = feeds.answer.filter(|_| star);
    let others = feeds.beside.and_then(|it| it.mean()).filter(|_| star);
    let early = answer.map(|it| {
        let args = [it.early, it.common].map(|it| Arg::Count(i64::from(it)));
        ["field.early", "field.early.short"].map(|word| scene.say(word, &args))
    });
    let [more, less] = early.unwrap_or_default();
    let more = match others {
        _ if !more.is_empty() => more,
        Some(late) => format!("{} {}", scene.say("field.after", &[]), short(late)),
        _ if feeds.rule.skips && feeds.rule.design != READ => {
            scene.say("field.spared", &[Arg::Share(spared)])
        }
        _ if nobody > 0 => scene.say("field.wasted", &[count(nobody)]),
        _ => String::new(),
    };
    let small = [
        scene.say("field.sleepers", &[count(sleeping)]),
        scene.say("field.small", &[]),
    ];
    let you = usize::from(feeds.you);
    let you_said = scene.say("you", &[]);
    let name = scene.name(FIELD);
    let said_all = [&said, &more, &small[0]].map(String::as_str);
    let said_all = said_all.into_iter().filter(|it| !it.is_empty());
    let value = said_all.collect::<Vec<_>>().join(", ");
    let mut pencil = scene.thing(FIELD, rect, value);
    pencil
        .figure("has it", there as f64)
        .figure("for nobody", nobody as f64)
        .figure("asleep", sleeping as f64)
        .figure("spared %", spared * 100.0)
        .figure("star s", took.map_or(0.0, |it| it.as_s()))
        .figure("early", feeds.answer.map_or(0.0, |it| f64::from(it.early)))
        .figure("both", feeds.answer.map_or(0.0, |it| f64::from(it.common)));
    let room = rect.w - 4.0;
    let line = fitting(&[format!("{name}: {said}"), said, few], 12.0, true, room);
    let ink = if star { Ink::Accent } else { Ink::Ink };
    pencil.bold(pt(rect.x + 2.0, rect.y + 14.0), 12.0, ink, line);
    let mores: Vec<String> = [more, less]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect();
    let more = fitting(&mores, 11.0, true, room);
    let left = room - text::width(&more, 11.0, true) - 20.0;
    pencil.bold(pt(rect.x + 2.0, rect.y + 30.0), 11.0, Ink::Ink, more);
    let mut small = small.into_iter();
    if let Some(small) = small.find(|it| text::width(it, 11.0, false) <= left) {
        // The way of looks begins at the edge.
        let end = pt(rect.x + rect.w - 10.0, rect.y + 30.0);
        ending(&mut pencil, end, 11.0, false, Ink::Secondary, small);
    }
    let side = cells.pitch() - (cells.pitch() * 0.15).min(2.0);
    let (ink, soft) = match star {
        true => (Ink::Accent, Ink::AccentSoft),
        false => (Ink::Ink, Ink::LineStrong),
    };
    pencil.area(squares(&cells, awake.into_iter(), side), Ink::Rail);
    pencil.area(squares(&cells, sleepers.into_iter(), side * 0.5), Ink::Rail);
    // What lies in an inbox that nobody opens is small, too.
    pencil.area(squares(&cells, wasted.iter().copied(), side), soft);
    pencil.area(squares(&cells, wasted.into_iter(), side * 0.5), ink);
    pencil.area(squares(&cells, full.into_iter(), side), ink);
    let flashes = feeds.looks.iter().filter(|it| at.since(it.1) <= FLASH);
    let rims = squares(&cells, flashes.map(|it| usize::from(it.0)), side + 1.0);
    if !rims.is_empty() {
        pencil.line(rims, Ink::Ok, 1.5);
    }
    let p = cells.at(you);
    pencil.line(
        squares(&cells, std::iter::once(you), side + 4.0),
        Ink::Ink,
        2.0,
    );
    let (w, h) = (text::width(&you_said, 11.0, true) + 8.0, 15.0);
    let right = p.x + side + w + 4.0 < rect.x + rect.w;
    let x = if right { p.x + side } else { p.x - side - w };
    let label = Rect::new(x, (p.y - h / 2.0).min(rect.y + rect.h - h), w, h);
    pencil.bordered(label, 4.0, Ink::Card, Ink::Ink, 1.0);
    let p = pt(label.centre().x, label.y + 11.0);
    pencil.centred(p, 11.0, true, Ink::Ink, you_said);
}

/// Who merges inbox and outboxes, and what is left out.
fn aggregator(system: &System, rect: Rect, scene: &mut Scene) {
    let feeds = system.own::<Feeds>();
    let live = system.node(AGGREGATOR).and_then(|live| live.members.get(0));
    let (busy, waiting) = live.map_or((0, 0), |it| {
        (it.own.pool.held.len(), it.own.pool.queue.len())
    });
    let all = AGGREGATORS as usize;
    let said = scene.say("aggregator", &[count(busy), count(all), count(waiting)]);
    let few = scene.say("aggregator.short", &[count(busy), count(all)]);
    let took = feeds.look_time().unwrap_or(Time::ZERO);
    let look = scene.say("look", &[]);
    let look = format!("{look} {}", short(took));
    let thrown = feeds.thrown;
    let out = [
        ("out.deleted", thrown.deleted),
        ("out.double", thrown.double),
        ("out.left", thrown.left),
        ("out.held", thrown.held),
    ];
    let out: Vec<String> = out
        .into_iter()
        .filter(|it| it.1 > 0)
        .map(|(word, n)| scene.say(word, &[Arg::Count(i64::from(n))]))
        .collect();
    let out = match out.is_empty() {
        true => scene.say("out.none", &[]),
        false => format!("{} {}", scene.say("out", &[]), out.join(", ")),
    };
    let all_out = scene.say("out.all", &[Arg::Count(i64::from(thrown.all()))]);
    let back = feeds.back.map(|(user, asked, empty)| {
        let word = match (empty, asked) {
            (true, _) => "back.empty",
            (false, 0) => "back",
            _ => "back.rebuilt",
        };
        scene.say(
            word,
            &[Arg::Count(i64::from(user)), Arg::Count(i64::from(asked))],
        )
    });
    let collected = feeds.collected.filter(|it| it.1 > Time::ZERO);
    let collected = collected.map(|(asked, took)| {
        let who = [feeds.collector.into(), asked].map(|it: u32| Arg::Count(i64::from(it)));
        let said = scene.say("collected", &who);
        format!("{said} {}", short(took))
    });
    let extra = collected.or(back).or_else(|| {
        let (_, refused, _) = feeds.surge?;
        (refused > 0).then(|| scene.say("refused", &[Arg::Count(i64::from(refused))]))
    });
    let value = match &extra {
        Some(extra) => format!("{said}, {look}, {out}, {extra}"),
        None => format!("{said}, {look}, {out}"),
    };
    let name = scene.name(MERGER);
    let mut pencil = scene.thing(MERGER, rect, value);
    pencil
        .figure("busy", busy as f64)
        .figure("waiting", waiting as f64)
        .figure("look ms", took.as_s() * 1e3)
        .figure("deleted", f64::from(thrown.deleted))
        .figure("double", f64::from(thrown.double))
        .figure("left out", f64::from(thrown.all()))
        .figure("refused", feeds.surge.map_or(0.0, |it| f64::from(it.1)))
        .figure("rebuilt from", feeds.back.map_or(0.0, |it| f64::from(it.1)));
    let ink = if waiting > 0 {
        Ink::Warn
    } else {
        Ink::Secondary
    };
    card(&mut pencil, rect, &name, &[said, few], ink);
    let slow = took >= Time::ms(100);
    let mut y = rect.y + 54.0;
    let x = rect.x + 10.0;
    let look = fitting(&[look, short(took)], 12.5, true, rect.w - 20.0);
    pencil.bold(
        pt(x, y),
        12.5,
        if slow { Ink::Warn } else { Ink::Ink },
        look,
    );
    y += 17.0;
    let fit = ((rect.y + rect.h - y + 9.0) / 14.0) as usize;
    let wrap = |said: &str, bold: bool| text::wrap(said, 11.0, bold, rect.w - 20.0);
    let extra = extra.map_or(Vec::new(), |said| wrap(&said, true));
    let mut lines = wrap(&out, false);
    if lines.len() + extra.len() > fit {
        lines = vec![fitting(&[all_out], 11.0, false, rect.w - 20.0)];
        lines.truncate(fit.saturating_sub(extra.len()));
    }
    let plain = lines.len();
    for (i, line) in lines.into_iter().chain(extra).take(fit).enumerate() {
        let p = pt(x, y + 14.0 * i as f32);
        match i < plain {
            true => pencil.text(p, 11.0, Ink::Secondary, line),
            false => pencil.bold(p, 11.0, Ink::Ink, line),
        };
    }
}

/// A row of a page: a post by this author, one that is missing, or one that was left out.
#[derive(Clone, Copy)]
enum Row {
    Post(u16),
    Gap,
    Out,
}

/// What you would see if you looked now.
fn page(feeds: &Feeds, stage: &Stage, at: Time, scene: &mut Scene) {
    let rect = stage.page;
    let made = feeds.page(feeds.you, &feeds.asked(feeds.you, 0));
    let early = made.rows.iter().filter(|it| it.1).count();
    let mut lines: Vec<(Row, Vec<String>, String)> = Vec::new();
    // What was left out stands where it would be; what was deleted rather than what is double.
    let mut out: Vec<(u32, &str)> = made.out.clone();
    out.sort_by_key(|it| it.1 == "out-double");
    out.truncate(ROWS_OUT);
    let kept = made.rows.iter().map(|it| (it.0, None, it.1));
    let out = out.iter().map(|it| (it.0, Some(it.1), false));
    let mut all: Vec<(u32, Option<&str>, bool)> = kept.chain(out).collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.0));
    for (number, out, early) in all.into_iter().take(stage.rows) {
        let Some(post) = feeds.post(number) else {
            continue;
        };
        let n = Arg::Count(i64::from(number));
        if let Some(word) = out {
            lines.push((Row::Out, vec![scene.say(word, &[n])], String::new()));
            continue;
        }
        let few = scene.say("number", &[n]);
        let said = match (post.answers, post.shares) {
            (Some(to), _) => {
                let args = [n, Arg::Count(i64::from(to))];
                vec![
                    scene.say("row.answer", &args),
                    scene.say("row.reply", &args),
                    few,
                ]
            }
            (_, Some(what)) => {
                let args = [n, Arg::Count(i64::from(what))];
                vec![scene.say("row.share", &args), scene.say("row", &[n]), few]
            }
            _ => {
                let (who, what) = (scene.say(kind(post.author), &[]), scene.say("row", &[n]));
                vec![format!("{who}: {what}"), what, few]
            }
        };
        lines.push((Row::Post(post.author), said, short(post.age(at))));
        if early {
            let to = Arg::Count(i64::from(post.answers.unwrap_or(0)));
            let gap = ["row.gap", "row.gap.short"].map(|word| scene.say(word, &[to]));
            lines.push((Row::Gap, gap.to_vec(), String::new()));
        }
    }
    lines.truncate(stage.rows);
    let newest = lines.first().map(|it| it.1[0].clone());
    let empty = scene.say("row.none", &[]);
    let name = scene.name(PAGE);
    let value = match early {
        0 => newest.unwrap_or_else(|| empty.clone()),
        _ => scene.say("row.early", &[count(early)]),
    };
    let mut pencil = scene.thing(PAGE, rect, value);
    pencil
        .figure("early", early as f64)
        .figure("rows", made.rows.len() as f64)
        .figure("left out", made.out.len() as f64);
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    let name = fitting(&[name], 14.0, true, rect.w - 20.0);
    pencil.bold(pt(rect.x + 10.0, rect.y + 20.0), 14.0, Ink::Ink, name);
    if lines.is_empty() {
        let p = pt(rect.x + 10.0, rect.y + 40.0);
        pencil.bold(p, 12.0, Ink::Bad, empty);
    }
    for (i, (row, said, age)) in lines.into_iter().enumerate() {
        let y = rect.y + 40.0 + ROW * i as f32;
        let x = rect.x + 10.0;
        let author = match row {
            Row::Post(author) => author,
            Row::Gap => {
                let slot = Rect::new(x, y - 12.0, rect.w - 20.0, ROW - 1.5);
                pencil.dashed(slot, 3.0, Ink::BadSoft, Ink::Bad, 1.0);
                let said = fitting(&said, 11.0, true, rect.w - 30.0);
                pencil.bold(pt(x + 5.0, y - 1.0), 11.0, Ink::Bad, said);
                continue;
            }
            Row::Out => {
                let said = fitting(&said, 11.0, false, rect.w - 37.0);
                let (from, w) = (text::tenths(x + 17.0), text::width(&said, 11.0, false));
                let line = format!("M{from} {}h{}", text::tenths(y - 4.0), text::tenths(w));
                pencil.text(pt(x + 17.0, y), 11.0, Ink::Secondary, said);
                pencil.line(line, Ink::Secondary, 1.0);
                continue;
            }
        };
        let (r, ink) = face(author);
        pencil.mark(Glyph::Message, pt(x + 6.0, y - 4.0), r, ink);
        let end = pt(rect.x + rect.w - 10.0, y);
        let age_w = text::width(&age, 11.0, false);
        let said = fitting(&said, 11.0, author == STAR, rect.w - 44.0 - age_w);
        let p = pt(x + 17.0, y);
        match author == STAR {
            true => pencil.bold(p, 11.0, Ink::Accent, said),
            false => pencil.text(p, 11.0, Ink::Ink, said),
        };
        ending(&mut pencil, end, 11.0, false, Ink::Secondary, age);
    }
}

/// Work on write and on read, in workers, with what theory says.
fn work(feeds: &Feeds, rect: Rect, at: Time, scene: &mut Scene) {
    let ([write, read], span) = feeds.work(OVER, at);
    let theory = feeds.theory();
    let seconds = Arg::Count(libm::round(span.as_s()) as i64);
    let title = scene.say("work", &[seconds]);
    let few = [scene.say("work.short", &[seconds]), scene.name(WORK)];
    let words = ["work.write", "work.read"].map(|word| scene.say(word, &[]));
    let said: Vec<String> = [write, read]
        .into_iter()
        .zip(theory)
        .map(|(now, theory)| {
            let round = |it: f64| text::fixed(it, 1);
            let in_theory = scene.say("work.theory", &[]);
            format!("{} ({in_theory} {})", round(now), round(theory))
        })
        .collect();
    let took = feeds.look_time().unwrap_or(Time::ZERO);
    let look = format!("{} {}", scene.say("look.small", &[]), short(took));
    let value = format!(
        "{title}: {} {}, {} {}, {look}",
        words[0], said[0], words[1], said[1]
    );
    let mut pencil = scene.thing(WORK, rect, value);
    pencil
        .figure("write", write)
        .figure("read", read)
        .figure("write theory", theory[0])
        .figure("read theory", theory[1])
        .figure("all", write + read);
    let slow = took >= Time::ms(90);
    let look_w = text::width(&look, 11.5, true) + 12.0;
    let [few, fewest] = few;
    let title = fitting(&[title, few, fewest], 12.0, true, rect.w - 4.0 - look_w);
    pencil.bold(pt(rect.x + 2.0, rect.y + 12.0), 12.0, Ink::Ink, title);
    let ink = if slow { Ink::Warn } else { Ink::Secondary };
    let end = pt(rect.x + rect.w - 4.0, rect.y + 12.0);
    ending(&mut pencil, end, 11.5, true, ink, look);
    let label_w = words
        .iter()
        .map(|it| text::width(it, 11.5, false))
        .fold(0.0, f32::max)
        + 10.0;
    let value_w = 108.0;
    let area = rect.w - label_w - value_w;
    let most = [4.0, write, read, theory[0], theory[1]]
        .into_iter()
        .fold(0.0, f64::max);
    for (i, word) in words.into_iter().enumerate() {
        let y = rect.y + 22.0 + 26.0 * i as f32;
        let (now, ink) = [(write, Ink::Accent), (read, Ink::Hit)][i];
        pencil.text(pt(rect.x + 2.0, y + 14.0), 11.5, Ink::Ink, word);
        let x = rect.x + label_w;
        pencil.filled(Rect::new(x, y, area, 20.0), 3.0, Ink::Rail);
        let w = (area * (now / most) as f32).max(1.0);
        pencil.filled(Rect::new(x, y, w, 20.0), 3.0, ink);
        let line = x + area * (theory[i] / most) as f32;
        let (line, top) = (text::tenths(line), text::tenths(y - 2.0));
        pencil.line(format!("M{line} {top}v24"), Ink::Ink, 2.0);
        let said = fitting(
            &[said[i].clone(), text::fixed(now, 1)],
            11.5,
            true,
            value_w - 8.0,
        );
        pencil.bold(pt(x + area + 8.0, y + 14.0), 11.5, Ink::Ink, said);
    }
}

/// How late the last posts were, on an axis of powers of ten.
fn delays(feeds: &Feeds, rect: Rect, scene: &mut Scene) {
    let title = scene.say("delays", &[count(DELAYED)]);
    let few = scene.name(DELAYS);
    let others = feeds.beside.and_then(|it| it.mean());
    let beside = others.map(|it| format!("{} {}", scene.say("field.after", &[]), short(it)));
    let value = match &beside {
        Some(beside) => format!("{title}, {beside}"),
        None => title.clone(),
    };
    let mut pencil = scene.thing(DELAYS, rect, value);
    pencil.figure("others s", others.map_or(0.0, |it| it.as_s()));
    if let Some(beside) = feeds.beside {
        pencil.figure("open", f64::from(beside.open));
    }
    let beside = beside.unwrap_or_default();
    let w = match beside.is_empty() {
        true => 0.0,
        false => text::width(&beside, 11.5, true) + 12.0,
    };
    let title = fitting(&[title, few], 12.0, true, rect.w - 4.0 - w);
    pencil.bold(pt(rect.x + 2.0, rect.y + 12.0), 12.0, Ink::Ink, title);
    if !beside.is_empty() {
        let end = pt(rect.x + rect.w - 2.0, rect.y + 12.0);
        let slow = others.is_some_and(|it| it >= Time::s(1));
        let ink = if slow { Ink::Warn } else { Ink::Ink };
        ending(&mut pencil, end, 11.5, true, ink, beside);
    }
    let plot = Rect::new(rect.x + 34.0, rect.y + 20.0, rect.w - 38.0, rect.h - 24.0);
    let high = |s: f64| {
        let share =
            libm::log(s.clamp(DELAY_MIN, DELAY_MAX) / DELAY_MIN) / libm::log(DELAY_MAX / DELAY_MIN);
        plot.y + plot.h * (1.0 - share as f32)
    };
    for (s, label) in [(0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s")] {
        let y = high(s);
        let line = format!(
            "M{} {}h{}",
            text::tenths(plot.x),
            text::tenths(y),
            text::tenths(plot.w)
        );
        pencil.line(line, Ink::Line, 1.0);
        let p = pt(plot.x - 4.0, y + 4.0);
        ending(&mut pencil, p, 11.0, false, Ink::Secondary, label);
    }
    let pitch = plot.w / DELAYED as f32;
    let (mut copied, mut fetched, mut stars) = (String::new(), String::new(), Vec::new());
    for (i, (_, post)) in feeds.last(DELAYED).enumerate() {
        let Some(mean) = post.mean() else { continue };
        let p = pt(plot.x + pitch * (i as f32 + 0.5), high(mean.as_s()));
        if post.author == STAR {
            stars.push(p);
            continue;
        }
        // What is fetched is there at once.
        let d = if post.made > 0 {
            &mut copied
        } else {
            &mut fetched
        };
        let (x, y) = (text::tenths(p.x - 2.0), text::tenths(p.y - 2.0));
        *d += &format!("M{x} {y}h4v4h-4Z");
    }
    pencil.area(copied, Ink::Mark);
    pencil.area(fetched, Ink::Hit);
    for p in stars {
        pencil.mark(Glyph::Message, p, 4.5, Ink::Accent);
    }
}

/// What moves.
fn dots(system: &System, stage: &Stage, at: Time, scene: &mut Scene) {
    let feeds = system.own::<Feeds>();
    let cells = stage.cells();
    let post_way = Stage::way(stage.authors, stage.web);
    let copy_from = Stage::way(stage.generator, stage.field).at(0.0);
    let look_to = stage.looks().at(1.0);
    let fetch_way = Stage::way(stage.outboxes, stage.aggregator);
    let between =
        |a: Point, b: Point, share: f32| pt(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share);
    for (_, frame) in system.frames() {
        let class = frame.draw.class;
        match frame.place {
            Place::Travels if frame.leg.on == POSTS => {
                let share = frame.leg.share(at);
                let p = post_way.at(if frame.leg.back { 1.0 - share } else { share });
                let (glyph, ink) = match (frame.leg.back, class) {
                    (true, _) => (Glyph::Response, Ink::Ok),
                    (false, BY_STAR) => (Glyph::Message, Ink::Accent),
                    _ => (Glyph::Message, Ink::Ink),
                };
                scene.particle(p, DOT, glyph, ink, frame.number);
            }
            Place::Travels if frame.leg.on == LOOKS => {
                let user = usize::from(reader(&frame.draw, feeds));
                let (a, b) = (cells.at(user.min(USERS - 1)), look_to);
                let share = frame.leg.share(at);
                let share = if frame.leg.back { 1.0 - share } else { share };
                let (glyph, ink) = match (frame.leg.back, frame.failed) {
                    (true, Some(_)) => (Glyph::Failure, Ink::Bad),
                    (true, None) => (Glyph::Response, Ink::Ok),
                    _ => (Glyph::Request, Ink::Hit),
                };
                scene.particle(between(a, b, share), 3.5, glyph, ink, frame.number);
            }
            Place::Held if frame.is_job() && class == COPY && frame.at().0 == GENERATOR => {
                let user = usize::from(frame.draw.person).min(USERS - 1);
                let since = frame.works_since().unwrap_or(at);
                let share = at.since(since).0 as f32 / feeds.rule.copy.0.max(1) as f32;
                let p = between(copy_from, cells.at(user), share.min(1.0));
                scene.particle(p, DOT, Glyph::Replica, Ink::Accent, frame.number);
            }
            Place::Held if frame.at().0 == AGGREGATOR && (LOOK..=RETURN).contains(&class) => {
                let user = reader(&frame.draw, feeds);
                let since = frame.works_since().unwrap_or(at);
                let spent = at.since(since).0.saturating_sub(super::LOOK_WORK.0);
                let fetch = feeds.rule.fetch.0.max(1);
                let asked = feeds.asked(user, frame.draw.dice).len();
                if frame.leg.on == ASK && asked > 0 && spent > 0 {
                    let share = (spent % fetch) as f32 / fetch as f32;
                    let p = fetch_way.at(share);
                    scene.particle(p, DOT, Glyph::Message, Ink::Hit, frame.number);
                }
            }
            _ => {}
        }
    }
}
