//! The stage: nodes on a ring with what is under way between them, and beside it what each list says of each member.

use super::settings::Settings;
use super::state::{ACCUSED, CALLS, Column, LISTS, LOAD, Village, node};
use algorithms::membership::{RUMOUR, Word};
use algorithms::protocol::Id;
use algorithms::swim::Health;
use engine::scene::{Rect, pt};
use engine::{Arg, Ink, PartId, Scene, Time, text};
use kit::cluster::{Mesh, messages, ring};
use kit::figures;
use kit::figures::label::fitting;
use kit::layout::{Placed, Slot, Span, lay, part, space};
use std::fmt::Write;

/// Where the nodes stand.
const RING: PartId = PartId::one("ring");
/// From so many members on a column is one bar.
const FEW: Id = 41;
/// Discs of this size have room for a number.
const NUMBERED: f32 = 15.5;
const LOAD_OVER: Time = Time::s(1);

pub(super) fn draw(model: &Village, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow);
    let mesh = Mesh::of(discs(placed.of(RING), model.size));
    detours(model, &mesh, scene);
    for id in model.ids() {
        disc(model, id, mesh.card(id), scene);
    }
    lists(model, placed.of(LISTS), narrow, at, scene);
    load(model, placed.of(LOAD), at, scene);
    calls(model, placed.of(CALLS), scene);
    accused(model, placed.of(ACCUSED), scene);
    messages(&model.cluster, &mesh, at, scene);
}

fn place(scene: &mut Scene, narrow: bool) -> Placed {
    let cards = |h: f32| {
        Slot::Row(vec![
            part(LOAD, Span::rest(80.0, 1.0), h),
            space(if narrow { 6.0 } else { 10.0 }),
            part(CALLS, Span::rest(80.0, 1.0), h),
            space(if narrow { 6.0 } else { 10.0 }),
            part(ACCUSED, Span::rest(80.0, 1.0), h),
        ])
    };
    let stage = if narrow {
        vec![
            part(RING, Span::rest(250.0, 1.0), 300.0),
            space(8.0),
            part(LISTS, Span::rest(250.0, 1.0), 170.0),
            space(8.0),
            cards(76.0),
        ]
    } else {
        let h = 356.0;
        vec![
            Slot::Row(vec![
                part(RING, Span::rest(230.0, 0.86), h),
                space(12.0),
                part(LISTS, Span::rest(270.0, 1.0), h),
            ]),
            space(10.0),
            cards(72.0),
        ]
    };
    lay(scene, &Slot::Column(stage))
}

/// Where the nodes stand: many of them in two rings, so that none covers its neighbour.
fn discs(area: Rect, count: Id) -> Vec<Rect> {
    let side = area.w.min(area.h);
    let middle = area.centre();
    let square = |side: f32| Rect::new(middle.x - side / 2.0, middle.y - side / 2.0, side, side);
    // Squares around discs may meet at their corners.
    let fits = |side: f32| std::f32::consts::PI * side / f32::from(count.max(1)) / 1.45;
    let d = fits(side - 20.0).min(22.0);
    if d >= NUMBERED {
        return ring(square(side), usize::from(count), (d, d));
    }
    let d = (2.0 * fits(side - 60.0)).min(17.0);
    let outer = ring(square(side), usize::from(count), (d, d));
    let inner = ring(square(side - 44.0), usize::from(count), (d, d));
    let pairs = outer.into_iter().zip(inner).enumerate();
    let zigzag = |(at, (outer, inner))| if at % 2 == 0 { outer } else { inner };
    pairs.map(zigzag).collect()
}

fn is(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// The inks of a state: ground, soft ground, and the word for it.
fn inks(health: Option<Health>) -> (Ink, Ink) {
    match health {
        Some(Health::Alive) => (Ink::Ok, Ink::OkSoft),
        Some(Health::Suspect) => (Ink::Warn, Ink::WarnSoft),
        Some(Health::Dead) => (Ink::Bad, Ink::BadSoft),
        None => (Ink::LineStrong, Ink::Rail),
    }
}

/// What most lists say of a member.
fn most(column: Column) -> Option<Health> {
    let counts = [column.alive, column.suspect, column.dead, column.unknown];
    let most = counts.iter().max().copied().unwrap_or(0);
    match counts.iter().position(|count| *count == most) {
        _ if column.lists() == 0 => Some(Health::Alive),
        Some(0) => Some(Health::Alive),
        Some(1) => Some(Health::Suspect),
        Some(2) => Some(Health::Dead),
        _ => None,
    }
}

fn disc(model: &Village, id: Id, rect: Rect, scene: &mut Scene) {
    let column = model.column(id);
    let (runs, up) = (model.cluster.runs(id), model.cluster.is_up(id));
    let news = model.latest_news();
    let knows = up && news.is_some_and(|news| model.knows(id, news.about));
    let held = most(column);
    let told = [
        Arg::Count(column.alive as i64),
        Arg::Count(column.suspect as i64),
        Arg::Count(column.dead as i64),
    ];
    let word = match () {
        () if !up => "down",
        () if !runs => "asleep",
        () if model.slow == Some(id) => "slow",
        () if knows => "knows",
        () => "runs",
    };
    let spoken = format!("{}, {}", scene.say(word, &[]), scene.say("held", &told));
    let focus = model.focus() == Some(id);
    let r = rect.w / 2.0;
    let mut pencil = scene.thing(node(id), rect, spoken);
    pencil
        .figure("knows", is(knows))
        .figure("suspect", column.suspect as f64)
        .figure("dead", column.dead as f64)
        .figure("up", is(up));
    let slow = model.slow == Some(id);
    let (border, ground) = if slow {
        (Ink::Warn, Ink::WarnSoft)
    } else {
        inks(held)
    };
    let mut ink = Ink::Ink;
    if !up {
        pencil.dashed(rect, r, Ink::Card, Ink::Bad, 2.0);
        ink = Ink::Bad;
    } else if !runs {
        pencil.dashed(rect, r, Ink::WarnSoft, Ink::Warn, 2.0);
    } else if knows {
        pencil.bordered(rect, r, Ink::Accent, Ink::Accent, 1.5);
        ink = Ink::OnAccent;
    } else {
        let width = if focus || slow || held != Some(Health::Alive) {
            2.5
        } else {
            1.0
        };
        pencil.bordered(rect, r, ground, border, width);
    }
    if rect.w >= NUMBERED {
        let middle = rect.centre();
        pencil.centred(
            pt(middle.x, middle.y + 4.0),
            11.0,
            focus,
            ink,
            id.to_string(),
        );
    }
}

/// Ways of pings for somebody else, and where the network is cut.
fn detours(model: &Village, mesh: &Mesh, scene: &mut Scene) {
    let mut d = String::new();
    for (_, flight) in model.cluster.flights() {
        let helps = match &flight.word {
            Word::Help { .. } => true,
            Word::Ping { helps, .. } | Word::Ack { helps, .. } => *helps,
            _ => false,
        };
        if helps {
            let (a, b) = mesh.way(flight.from, flight.to);
            line(&mut d, a.x, a.y, b.x, b.y);
        }
    }
    if !d.is_empty() {
        scene.background().dashed_line(d, Ink::Mark, 1.0);
    }
    if model.cluster.net.is_parted() {
        let between = |a: Id, b: Id| {
            let (a, b) = (mesh.card(a).centre(), mesh.card(b).centre());
            pt((a.x + b.x) / 2.0, (a.y + b.y) / 2.0)
        };
        let (a, b) = (between(model.half, model.half + 1), between(model.size, 1));
        let mut d = String::new();
        line(&mut d, a.x, a.y, b.x, b.y);
        scene.background().dashed_line(d, Ink::Bad, 2.5);
    }
}

fn line(d: &mut String, ax: f32, ay: f32, bx: f32, by: f32) {
    let [ax, ay, bx, by] = [ax, ay, bx, by].map(text::tenths);
    // Writing to a string cannot fail.
    let _ = write!(d, "M{ax} {ay}L{bx} {by}");
}

fn block(d: &mut String, rect: Rect) {
    let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(text::tenths);
    let _ = write!(d, "M{x} {y}h{w}v{h}h-{w}z");
}

/// Paths of the grounds: strong and soft of alive, suspect, dead, unknown.
#[derive(Default)]
struct Grounds {
    paths: [String; 8],
}

impl Grounds {
    fn add(&mut self, state: usize, strong: bool, rect: Rect) {
        if rect.h > 0.0 {
            block(&mut self.paths[state + if strong { 0 } else { 4 }], rect);
        }
    }
}

fn state(health: Option<Health>) -> usize {
    match health {
        Some(Health::Alive) => 0,
        Some(Health::Suspect) => 1,
        Some(Health::Dead) => 2,
        None => 3,
    }
}

/// By which number the watched member says that it lives.
fn number(model: &Village) -> i64 {
    let of = model.ordeal.map_or(0, |ordeal| ordeal.of);
    let belief = model.cluster.node(of).and_then(|node| node.belief(of));
    belief.map_or(0, |belief| belief.incarnation as i64)
}

/// What is said above the lists: long and short.
fn headline(model: &Village, at: Time, scene: &Scene) -> [String; 2] {
    let Some(about) = model.focus() else {
        let wrong = [Arg::Count(model.wrong() as i64)];
        let words = match () {
            () if model.two_worlds() => ["two-worlds", "two-worlds.short"],
            () if model.is_whole() => ["agree", "agree.short"],
            () => ["wrong", "wrong.short"],
        };
        return words.map(|word| scene.say(word, &wrong));
    };
    let column = model.column(about);
    if let Some(news) = model.latest_news() {
        let (know, lists) = model.knowing(about);
        let told = [Arg::Count(know as i64), Arg::Count(lists as i64)];
        let word = if news.about == RUMOUR {
            "rumour.known"
        } else {
            "join.known"
        };
        return [word, "known.short"].map(|word| scene.say(word, &told));
    }
    let since = model
        .ordeal
        .map_or(Time::ZERO, |ordeal| at.since(ordeal.since));
    let told = [
        Arg::Part(node(about)),
        Arg::Count(column.suspect as i64),
        Arg::Count(column.dead as i64),
    ];
    let span = [
        Arg::Tenths((since.as_ms() / 100.0) as u32),
        Arg::Count(number(model)),
    ];
    let short = scene.say("opinion.short", &told);
    let word = match () {
        () if !model.cluster.is_up(about) => "since.dead",
        () if !model.cluster.runs(about) => "since.sleeps",
        () if model.slow == Some(about) => "since.slow",
        () => "since.runs",
    };
    let long = format!("{short}; {}", scene.say(word, &span));
    [long, short]
}

/// The table of opinions: a row for each node's list, a column for each member.
fn lists(model: &Village, rect: Rect, narrow: bool, at: Time, scene: &mut Scene) {
    let focus = model.focus();
    let about = focus.unwrap_or(RUMOUR);
    let column = model.column(about);
    let headline = headline(model, at, scene);
    let title = scene.say("lists", &[]);
    let axes = ["axes", "axes.short"].map(|word| scene.say(word, &[]));
    let bars = narrow || model.size >= FEW;
    let under = match bars {
        true => ["bars", "bars.short"].map(|word| scene.say(word, &[])),
        false => axes,
    };
    let news = scene.say("news", &[]);
    let quiet = model.is_quiet();
    let know = focus.map_or(0, |about| model.knowing(about).0);
    let lists = column.lists();
    let first = model
        .ordeal
        .and_then(|it| Some(it.first?.since(it.since).as_s()));
    let dead = model
        .ordeal
        .and_then(|it| Some(it.dead?.since(it.since).as_s()));
    let mut pencil = scene.thing(LISTS, rect, headline[0].clone());
    pencil
        .figure("know", know as f64)
        .figure("unknown", column.unknown as f64)
        .figure("suspect", column.suspect as f64)
        .figure("dead", column.dead as f64)
        .figure("lists", lists as f64)
        .figure("quiet", is(quiet))
        .figure("number", number(model) as f64)
        .figure("worlds", is(model.two_worlds()))
        .figure("whole", is(model.is_whole()));
    for (name, value) in [("first", first), ("verdict", dead)] {
        if let Some(value) = value {
            pencil.figure(name, libm::round(10.0 * value) / 10.0);
        }
    }
    figures::panel(&mut pencil, rect, title);
    let room = rect.w - 24.0;
    let said = fitting(&headline, 14.0, true, room);
    pencil.bold(pt(rect.x + 12.0, rect.y + 40.0), 14.0, Ink::Ink, said);
    let foot = fitting(&under, 11.0, false, room);
    pencil.text(
        pt(rect.x + 12.0, rect.y + rect.h - 9.0),
        11.0,
        Ink::Secondary,
        foot,
    );

    let plot = Rect::new(rect.x + 12.0, rect.y + 62.0, room, rect.h - 90.0);
    let rumour = focus == Some(RUMOUR);
    let columns = f32::from(model.size) + if rumour { 1.8 } else { 0.0 };
    let w = (plot.w / columns).min(24.0);
    let h = plot.h / f32::from(model.size);
    let x = |of: Id| match of {
        RUMOUR => plot.x + w * (f32::from(model.size) + 0.8),
        _ => plot.x + w * f32::from(of - 1),
    };
    let mut grounds = Grounds::default();
    let (mut marks, mut strokes) = (String::new(), String::new());
    let (mut ticks, mut soft_ticks) = (String::new(), String::new());
    let firsts = if rumour { RUMOUR } else { 1 };
    for of in firsts..=model.size {
        let strong = focus == Some(of);
        if bars {
            let column = model.column(of);
            let lists = column.lists().max(1) as f32;
            let mut y = plot.y + plot.h;
            let counts = [column.alive, column.suspect, column.dead, column.unknown];
            for (state, count) in counts.into_iter().enumerate() {
                let part = plot.h * count as f32 / lists;
                y -= part;
                grounds.add(state, strong, Rect::new(x(of), y, w, part));
            }
            continue;
        }
        // Cells of one column that say the same are one block.
        let (mut from, mut held) = (1, None);
        for list in 1..=model.size + 1 {
            let node = model.cluster.node(list).filter(|_| list <= model.size);
            let belief = node
                .and_then(|node| node.belief(of))
                .filter(|_| model.knows(list, of));
            let health = belief.map(|belief| belief.health);
            let now = node.map(|_| state(health));
            let y = plot.y + h * f32::from(list - 1);
            if now != held || list > model.size {
                if let Some(state) = held {
                    let top = plot.y + h * f32::from(from - 1);
                    grounds.add(state, strong, Rect::new(x(of), top, w, y - top));
                }
                (from, held) = (list, now);
            }
            match health {
                Some(Health::Suspect) => {
                    let middle = (x(of) + w / 2.0, y + h / 2.0);
                    line(
                        &mut marks,
                        middle.0 - 1.0,
                        middle.1,
                        middle.0 + 1.0,
                        middle.1,
                    );
                }
                Some(Health::Dead) => {
                    line(
                        &mut strokes,
                        x(of) + 2.0,
                        y + h - 2.0,
                        x(of) + w - 2.0,
                        y + 2.0,
                    );
                }
                _ => {}
            }
            let alive = health == Some(Health::Alive) && of != RUMOUR;
            if alive && belief.is_some_and(|belief| belief.incarnation > 0) {
                let ticks = if strong { &mut ticks } else { &mut soft_ticks };
                line(ticks, x(of) + w - 5.0, y + 2.5, x(of) + w - 2.0, y + 2.5);
            }
        }
    }
    let alive = if about == RUMOUR || model.latest_news().is_some() {
        Ink::Accent
    } else {
        Ink::Ok
    };
    // What is unusual is strong in every column.
    let inks = [alive, Ink::Warn, Ink::Bad, Ink::LineStrong];
    let soft = [Ink::OkSoft, Ink::Warn, Ink::Bad, Ink::Rail];
    for (d, ink) in grounds.paths.into_iter().zip(inks.into_iter().chain(soft)) {
        if !d.is_empty() {
            pencil.area(d, ink);
        }
    }
    let mut grid = String::new();
    let right = plot.x + w * columns;
    for of in 0..=model.size {
        let x = plot.x + w * f32::from(of);
        line(&mut grid, x, plot.y, x, plot.y + plot.h);
        let y = plot.y + h * f32::from(of);
        if !bars {
            line(&mut grid, plot.x, y, right, y);
        }
    }
    pencil.line(grid, Ink::Card, 1.0);
    for (d, ink, width) in [
        (marks, Ink::Card, 3.0),
        (strokes, Ink::Card, 1.2),
        (soft_ticks, Ink::Ok, 1.0),
        (ticks, Ink::Card, 1.5),
    ] {
        if !d.is_empty() {
            pencil.line(d, ink, width);
        }
    }
    if let Some(of) = focus {
        let label = if of == RUMOUR { news } else { of.to_string() };
        let half = text::width(&label, 12.0, true) / 2.0;
        let middle = (x(of) + w / 2.0).clamp(plot.x + half, rect.x + rect.w - 8.0 - half);
        pencil.centred(pt(middle, plot.y - 5.0), 12.0, true, Ink::Ink, label);
        let frame = Rect::new(x(of) - 0.5, plot.y - 0.5, w + 1.0, plot.h + 1.0);
        pencil.bordered(frame, 1.0, Ink::None, Ink::Ink, 1.5);
    }
    // The list of one who accuses others: its row.
    if let Some(slow) = model.slow.filter(|_| !bars) {
        let y = plot.y + h * f32::from(slow - 1);
        let frame = Rect::new(
            plot.x - 0.5,
            y - 0.5,
            w * f32::from(model.size) + 1.0,
            h + 1.0,
        );
        pencil.bordered(frame, 1.0, Ink::None, Ink::Ink, 1.5);
    }
}

/// What a card says: title, main line and a line below, each long and short, and a bar.
struct Said {
    texts: [[String; 2]; 3],
    ink: Ink,
    share: f64,
    bar: Ink,
}

fn card(scene: &mut Scene, part: PartId, rect: Rect, said: Said, figures: &[(&'static str, f64)]) {
    let texts = &said.texts;
    let spoken = format!("{}; {}", texts[1][0], texts[2][0]);
    let mut pencil = scene.thing(part, rect, spoken);
    for (name, value) in figures {
        pencil.figure(name, *value);
    }
    let (x, room) = (rect.x + 12.0, rect.w - 20.0);
    let title = fitting(&texts[0], 12.5, true, room);
    figures::panel(&mut pencil, rect, title);
    let main = fitting(&texts[1], 14.0, true, room);
    pencil.bold(pt(x, rect.y + 38.0), 14.0, said.ink, main);
    let more = fitting(&texts[2], 11.0, false, room);
    pencil.text(pt(x, rect.y + 54.0), 11.0, Ink::Secondary, more);
    let bar = Rect::new(x, rect.y + rect.h - 11.0, rect.w - 24.0, 5.0);
    pencil.meter(bar, said.share as f32, said.bar, false);
}

fn load(model: &Village, rect: Rect, at: Time, scene: &mut Scene) {
    let per_s = model.recent.per_s(0, LOAD_OVER, at);
    let n = i64::from(model.size);
    let told = [Arg::Count(libm::round(per_s) as i64)];
    let all = [Arg::Count(n * (n - 1))];
    let texts = [
        ["load", "load.short"].map(|word| scene.say(word, &[])),
        ["load.now", "load.now.short"].map(|word| scene.say(word, &told)),
        ["load.all", "load.all.short"].map(|word| scene.say(word, &all)),
    ];
    let figures = [
        ("messages", libm::round(per_s)),
        ("all", (n * (n - 1)) as f64),
    ];
    let said = Said {
        texts,
        ink: Ink::Ink,
        share: per_s / (n * (n - 1)).max(1) as f64,
        bar: Ink::Accent,
    };
    card(scene, LOAD, rect, said, &figures);
}

fn calls(model: &Village, rect: Rect, scene: &mut Scene) {
    let Some(news) = model.news else {
        let texts = [
            ["calls", "calls.short"].map(|word| scene.say(word, &[])),
            ["calls.none"; 2].map(|word| scene.say(word, &[])),
            ["calls.wait", "calls.wait.short"].map(|word| scene.say(word, &[])),
        ];
        let said = Said {
            texts,
            ink: Ink::Secondary,
            share: 0.0,
            bar: Ink::Accent,
        };
        return card(scene, CALLS, rect, said, &[]);
    };
    let idle = news.calls.saturating_sub(news.fresh);
    let rounds = news.all.unwrap_or(model.rounds - news.before);
    let told = [Arg::Count(news.calls.into()), Arg::Count(idle.into())];
    let half = [
        Arg::Count(news.half.unwrap_or(0).into()),
        Arg::Count(rounds.into()),
    ];
    let words = match (news.half, news.all) {
        (_, Some(_)) => ["rounds.all", "rounds.all.short"],
        (Some(_), None) => ["rounds.half", "rounds.half.short"],
        (None, None) => ["rounds.now", "rounds.now.short"],
    };
    let texts = [
        ["calls", "calls.short"].map(|word| scene.say(word, &[])),
        words.map(|word| scene.say(word, &half)),
        ["calls.idle", "calls.idle.short"].map(|word| scene.say(word, &told)),
    ];
    let figures = [
        ("calls", f64::from(news.calls)),
        ("idle", f64::from(idle)),
        ("half", f64::from(news.half.unwrap_or(0))),
        ("rounds", f64::from(rounds)),
        ("all", is(news.all.is_some())),
    ];
    let said = Said {
        texts,
        ink: Ink::Ink,
        share: f64::from(news.fresh) / f64::from(news.calls.max(1)),
        bar: Ink::Accent,
    };
    card(scene, CALLS, rect, said, &figures);
}

fn accused(model: &Village, rect: Rect, scene: &mut Scene) {
    let (who, count) = model.keenest();
    let told = [
        Arg::Count(model.accused.into()),
        Arg::Count(model.falsely.into()),
    ];
    let by = [Arg::Count(count.into()), Arg::Count(who.into())];
    let dead = model.ordeal.filter(|it| !model.cluster.is_up(it.of));
    let first = dead.and_then(|it| Some(it.first?.since(it.since).as_ms()));
    let (by, by_words) = match (count, first) {
        (0, _) => (by, ["accused.none", "accused.none.short"]),
        (_, Some(first)) => {
            let first = Arg::Tenths((first / 100.0) as u32);
            ([first, first], ["accused.first", "accused.first.short"])
        }
        _ => (by, ["accused.by", "accused.by.short"]),
    };
    let texts = [
        ["accused", "accused.short"].map(|word| scene.say(word, &[])),
        ["accused.now", "accused.now.short"].map(|word| scene.say(word, &told)),
        by_words.map(|word| scene.say(word, &by)),
    ];
    let ink = if model.falsely > 0 {
        Ink::Bad
    } else {
        Ink::Ink
    };
    let figures = [
        ("accused", f64::from(model.accused)),
        ("falsely", f64::from(model.falsely)),
        ("keenest", f64::from(count)),
        ("who", f64::from(who)),
    ];
    let said = Said {
        texts,
        ink,
        // Of those who accuse a dead node nobody is the one to look at.
        share: is(model.falsely > 0) * f64::from(count) / f64::from(model.accused.max(1)),
        bar: Ink::Bad,
    };
    card(scene, ACCUSED, rect, said, &figures);
}
