//! The stage: the question and what it costs, the index, the table, and how each kind of index grows.

use super::model::{INDEX, LADDER, Library, QUESTION, TABLE};
use super::settings::{Ids, Kind, Settings};
use super::store::{A_PAGE, Index, Of, Op, Page, Step, ladder};
use super::tree;
use engine::scene::{Point, Rect, pt};
use engine::text::{self, tenths};
use engine::{Arg, Glyph, Ink, Scene, Time};
use kit::bench::State;
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, panel};
use kit::layout::{Placed, Slot, Span, lay, part, space};

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

pub(super) fn draw(library: &Library, _: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    // Without an index the table has the room.
    let (index_w, index_h) = match library.store.kind {
        Kind::None => (Span::from(120.0), Span::from(56.0)),
        _ => (Span::rest(220.0, 2.0), Span::from((150.0, 220.0))),
    };
    let stage = if narrow {
        Slot::Column(vec![
            part(QUESTION, Span::rest(240.0, 1.0), 92.0),
            space(8.0),
            part(INDEX, Span::rest(240.0, 1.0), index_h),
            space(8.0),
            part(TABLE, Span::rest(240.0, 1.0), (134.0, 184.0)),
            space(8.0),
            part(LADDER, Span::rest(240.0, 1.0), 100.0),
        ])
    } else {
        Slot::Column(vec![
            Slot::Row(vec![
                part(QUESTION, (132.0, 164.0), (150.0, 330.0)),
                space(14.0),
                part(INDEX, index_w, (150.0, 330.0)),
                space(14.0),
                part(TABLE, Span::rest(150.0, 1.0), (150.0, 330.0)),
            ]),
            space(12.0),
            part(LADDER, Span::rest(500.0, 1.0), 98.0),
        ])
    };
    let placed = lay(scene, &stage);
    question(library, &placed, narrow, scene);
    let index = index(library, &placed, scene);
    let cells = table(library, &placed, scene);
    ladders(library, &placed, narrow, scene);
    cursor(library, at, &index, &cells, scene);
}

/// What is asked, and what that has cost so far.
fn question(library: &Library, placed: &Placed, narrow: bool, scene: &mut Scene) {
    let r = placed.of(QUESTION);
    let asked = match library.op() {
        None => scene.say("asks.none", &[]),
        Some(op) => {
            let (from, to) = library.store.ids(op);
            let (from, to) = (count(from as i64), count(to as i64));
            match op {
                Op::Row(_) | Op::Id(_) => scene.say("asks.row", &[from]),
                Op::Range(_) => scene.say("asks.range", &[from, to]),
                Op::Open => scene.say("asks.open", &[]),
                Op::Insert => scene.say("asks.insert", &[]),
                Op::InsertId(_) => scene.say("asks.insert-id", &[from]),
            }
        }
    };
    let cost = library.store.cost;
    let none = library.op().is_none();
    let cost = if none { Default::default() } else { cost };
    // Of a new row, what it writes is what it costs.
    let writes = library.op().is_some_and(Op::inserts);
    let read = scene.say(
        if writes {
            "pages-written"
        } else {
            "pages-read"
        },
        &[],
    );
    let ram = scene.say("from-ram", &[count(cost.ram)]);
    let disk = scene.say("from-disk", &[count(cost.disk)]);
    let by = match (library.op(), library.store.plan.by_index) {
        (None | Some(Op::Insert | Op::InsertId(_)), _) => String::new(),
        (_, true) => scene.say("way.index", &[]),
        (_, false) => scene.say("way.scan", &[]),
    };
    let says = scene.say(
        "spoken.question",
        &[count(cost.read()), count(cost.ram), count(cost.disk)],
    );
    let title = scene.name(QUESTION);
    let mut pencil = scene.thing(QUESTION, r, format!("{asked}. {says}"));
    pencil
        .figure("read", f64::from(cost.read()))
        .figure("disk", f64::from(cost.disk))
        .figure("ram", f64::from(cost.ram));
    panel(&mut pencil, r, title);
    let number = if writes { cost.wrote } else { cost.read() }.to_string();
    let asked = fitting(&[asked], 14.0, true, r.w - 22.0);
    if narrow {
        let half = r.x + r.w * 0.5;
        let beside = half + text::width(&number, 26.0, true) + 8.0;
        pencil
            .bold(pt(r.x + 11.0, r.y + 42.0), 14.0, Ink::Ink, asked)
            .text(pt(r.x + 11.0, r.y + 62.0), 12.0, Ink::Secondary, by)
            .bold(pt(half, r.y + 42.0), 26.0, Ink::Accent, number)
            .text(pt(beside, r.y + 40.0), 12.0, Ink::Secondary, read)
            .mark(Glyph::Request, pt(half + 5.0, r.y + 60.0), 4.5, Ink::Accent)
            .text(pt(half + 15.0, r.y + 64.0), 12.0, Ink::Ink, disk)
            .mark(Glyph::Response, pt(half + 5.0, r.y + 77.0), 4.5, Ink::Hit)
            .text(pt(half + 15.0, r.y + 81.0), 12.0, Ink::Ink, ram);
        return;
    }
    let y = r.y + r.h - 16.0;
    let big = r.y + 0.5 * (r.h + 40.0);
    pencil
        .bold(pt(r.x + 11.0, r.y + 44.0), 14.0, Ink::Ink, asked)
        .text(pt(r.x + 11.0, r.y + 63.0), 12.0, Ink::Secondary, by)
        .bold(pt(r.x + 11.0, big), 44.0, Ink::Accent, number)
        .text(pt(r.x + 11.0, big + 18.0), 12.0, Ink::Secondary, read)
        .mark(Glyph::Request, pt(r.x + 16.0, y - 22.0), 4.5, Ink::Accent)
        .text(pt(r.x + 27.0, y - 18.0), 12.0, Ink::Ink, disk)
        .mark(Glyph::Response, pt(r.x + 16.0, y - 4.0), 4.5, Ink::Hit)
        .text(pt(r.x + 27.0, y), 12.0, Ink::Ink, ram);
}

/// How a page is drawn that the hand has to do with.
fn used(library: &Library, page: Page) -> Option<Ink> {
    let hand = library.bench.hand(0);
    let present = hand.step().map(|step| match step {
        Step::Read(page) | Step::Write(page) => (page, page),
        Step::Split(page, new) => (page, new),
    });
    if present.is_some_and(|(a, b)| a == page || b == page) {
        return Some(Ink::Accent);
    }
    let mut found = None;
    for step in hand.begun() {
        match step {
            Step::Read(of) if *of == page => found = found.or(Some(Ink::AccentSoft)),
            Step::Write(of) | Step::Split(of, _) if *of == page => found = Some(Ink::WarnSoft),
            Step::Split(_, new) if *new == page => found = Some(Ink::WarnSoft),
            _ => {}
        }
    }
    found
}

/// The pages that the present or last operation has to do with, each once.
fn touched(library: &Library, of: Of) -> Vec<u32> {
    let mut pages: Vec<u32> = Vec::new();
    for step in library.bench.hand(0).begun() {
        let both = match *step {
            Step::Read(page) | Step::Write(page) => [page, page],
            Step::Split(page, new) => [page, new],
        };
        for (whose, page) in both {
            if whose == of && !pages.contains(&page) {
                pages.push(page);
            }
        }
    }
    pages
}

/// The index that serves the question, and where its pages stand.
fn index(library: &Library, placed: &Placed, scene: &mut Scene) -> Vec<tree::Stand> {
    let r = placed.of(INDEX);
    let of = library.of();
    let index = library.store.index(of);
    let on = match of {
        Of::Status => "on.status",
        _ => "on.id",
    };
    let on = scene.say(on, &[]);
    let shape = match index {
        Index::None => scene.say("shape.none", &[]),
        Index::Hash(index) => scene.say(
            "shape.hash",
            &[count(index.buckets() as i64), count(index.pages())],
        ),
        Index::Avl(tree) => scene.say(
            "shape.avl",
            &[count(tree.height()), count(tree.len() as i64)],
        ),
        Index::Tree(tree) => {
            let leaves = tree.leaves().len() as i64;
            let full = Arg::Share(tree.fill());
            scene.say("shape.tree", &[count(tree.levels()), count(leaves), full])
        }
    };
    let plan = library.store.plan;
    let asks = library.op().is_some_and(|op| !op.inserts());
    let costs = match plan.index.filter(|_| asks) {
        None => String::new(),
        Some(index) => {
            let args = [count(index as i64), count(plan.scan as i64)];
            let word = match plan.by_index {
                true => "plan.index",
                false => "plan.scan",
            };
            scene.say(word, &args)
        }
    };
    let splits = match library.grown.rows {
        0 => String::new(),
        rows => scene.say("grown", &[count(rows), count(library.grown.splits)]),
    };
    let none = scene.say("none", &[]);
    let title = scene.name(INDEX);
    let title = match index {
        Index::None => title,
        _ => format!("{title} {on}"),
    };
    let full = library.fill().unwrap_or(0.0);
    let mut pencil = scene.thing(INDEX, r, format!("{title}: {shape}. {costs} {splits}"));
    pencil
        .figure("cost", plan.index.unwrap_or(0.0))
        .figure("splits", f64::from(library.grown.splits))
        .figure("rows", f64::from(library.grown.rows))
        .figure("percent", (full * 100.0 + 0.5) as u32 as f64)
        .figure(
            "levels",
            match &library.store.by_id {
                Index::Tree(tree) => f64::from(tree.levels()),
                _ => 0.0,
            },
        );
    panel(&mut pencil, r, title);
    if matches!(index, Index::None) {
        pencil.centred(r.centre(), 13.0, false, Ink::Secondary, none);
        return Vec::new();
    }
    pencil.text(
        pt(r.x + 10.0, r.y + 34.0),
        12.0,
        Ink::Ink,
        fitting(&[shape], 12.0, false, r.w - 20.0),
    );
    // What the planner weighed, and how the tree has grown.
    let foot = r.y + r.h - 10.0;
    let foots = match (costs.is_empty(), splits.is_empty()) {
        (false, _) => costs,
        (true, false) => splits,
        (true, true) => String::new(),
    };
    pencil.text(
        pt(r.x + 10.0, foot),
        12.0,
        Ink::Secondary,
        fitting(&[foots], 12.0, false, r.w - 20.0),
    );
    let area = Rect::new(r.x + 12.0, r.y + 44.0, r.w - 24.0, r.h - 72.0);
    let stands = tree::draw(index, area, &mut pencil);
    if let (Index::Hash(hash), Some(op @ Op::Range(_))) = (index, library.op()) {
        // Where the neighbours went.
        let (mut found, mut here) = (String::new(), vec![0_u8; hash.buckets()]);
        for row in library.store.matches(op) {
            let bucket = hash.bucket(library.store.rows[row as usize].id);
            if let Some(cell) = tree::find(&stands, bucket as u32) {
                let slot = cell.w / A_PAGE as f32;
                let x = cell.x + slot * f32::from(here[bucket].min(A_PAGE as u8 - 1));
                here[bucket] += 1;
                let bar = Rect::new(x, cell.y + 2.0, (slot * 0.8).max(1.0), cell.h - 4.0);
                tree::boxed(&mut found, bar);
            }
        }
        pencil.area(found, Ink::Ok);
    }
    let path: Vec<u32> = touched(library, of);
    if let Index::Avl(_) = index {
        // The way down, which the strip would hide.
        let mut d = String::new();
        let down = path.iter().filter_map(|page| tree::find(&stands, *page));
        for (place, rect) in down.take(16).enumerate() {
            let c = rect.centre();
            d.push_str(if place == 0 { "M" } else { "L" });
            d.push_str(&format!("{} {}", tenths(c.x), tenths(c.y)));
        }
        if library.op().is_some_and(Op::asks_one) {
            pencil.line(d, Ink::Accent, 1.5);
        }
    }
    for page in path {
        let Some(rect) = tree::find(&stands, page) else {
            continue;
        };
        let Some(ink) = used(library, (of, page)) else {
            continue;
        };
        let rect = if rect.w < 5.0 { rect.grown(1.5) } else { rect };
        let border = if ink == Ink::WarnSoft {
            Ink::Warn
        } else {
            Ink::Accent
        };
        pencil.bordered(rect, 2.0, ink, border, 1.5);
    }
    stands
}

/// How many cells the table has in a row, and how large they are.
fn grid(area: Rect, pages: usize) -> (usize, f32, f32) {
    let pages = pages.max(1);
    let columns = (1..=pages)
        .find(|columns| {
            let rows = pages.div_ceil(*columns);
            area.w / *columns as f32 <= 1.25 * area.h / rows as f32
        })
        .unwrap_or(pages);
    let rows = pages.div_ceil(columns);
    let pitch = (area.w / columns as f32).min(40.0);
    (columns, pitch, (area.h / rows as f32).min(pitch))
}

/// The table, page by page, and where they stand.
fn table(library: &Library, placed: &Placed, scene: &mut Scene) -> Vec<tree::Stand> {
    let r = placed.of(TABLE);
    let pages = library.store.pages() as usize;
    let rows = library.store.live() as i64;
    let shape = scene.say("rows", &[count(rows), count(pages as i64)]);
    let scan = library.store.plan.scan;
    let (in_ram, match_word) = (scene.say("in-ram", &[]), scene.say("matches", &[]));
    let title = scene.name(TABLE);
    let ordered = match library.ids() {
        Ids::Counted => String::new(),
        Ids::Random => scene.say("random", &[]),
    };
    let mut pencil = scene.thing(TABLE, r, format!("{shape} {ordered}"));
    pencil
        .figure("pages", pages as f64)
        .figure("scan", scan)
        .figure("rows", rows as f64);
    panel(&mut pencil, r, title);
    let head = fitting(&[shape], 12.0, false, r.w - 20.0);
    pencil.text(pt(r.x + 10.0, r.y + 34.0), 12.0, Ink::Ink, head);
    let area = Rect::new(r.x + 12.0, r.y + 44.0, r.w - 24.0, r.h - 76.0);
    let (columns, w, h) = grid(area, pages);
    let gap = (w * 0.14).min(3.0);
    let cells: Vec<tree::Stand> = (0..pages)
        .map(|page| {
            let (column, row) = ((page % columns) as f32, (page / columns) as f32);
            let at = Rect::new(area.x + w * column, area.y + h * row, w - gap, h - gap);
            (page as u32, at)
        })
        .collect();
    let mut plain = String::new();
    for (_, cell) in &cells {
        tree::boxed(&mut plain, *cell);
    }
    pencil.area(plain, Ink::Rail);
    let read = touched(library, Of::Table);
    for page in &read {
        let of = (Of::Table, *page);
        if let (Some(ink), Some(cell)) = (used(library, of), tree::find(&cells, *page)) {
            pencil.filled(cell, 2.0, ink);
        }
    }
    // The rows that match, each at its place on its page, as far as the pages have been read.
    let mut found = String::new();
    let asked = library.op().filter(|op| !op.inserts());
    for row in asked.iter().flat_map(|op| library.store.matches(*op)) {
        let page = row / A_PAGE as u32;
        if let Some(cell) = tree::find(&cells, page).filter(|_| read.contains(&page)) {
            let slot = cell.w / A_PAGE as f32;
            let x = cell.x + slot * (row % A_PAGE as u32) as f32;
            let bar = Rect::new(x, cell.y + 2.0, (slot * 0.8).max(1.0), cell.h - 4.0);
            tree::boxed(&mut found, bar);
        }
    }
    pencil.area(found, Ink::Ok);
    for (of, page) in &library.store.ram {
        if let Some(cell) = tree::find(&cells, *page).filter(|_| *of == Of::Table) {
            pencil.bordered(cell.grown(-0.5), 2.0, Ink::None, Ink::Hit, 1.5);
        }
    }
    let foot = r.y + r.h - 12.0;
    let swatch = Rect::new(r.x + 12.0, foot - 9.0, 10.0, 10.0);
    pencil.bordered(swatch, 2.0, Ink::None, Ink::Hit, 1.5).text(
        pt(r.x + 27.0, foot),
        11.0,
        Ink::Secondary,
        in_ram.as_str(),
    );
    let x = r.x + 45.0 + text::width(&in_ram, 11.0, false);
    pencil
        .filled(Rect::new(x, foot - 9.0, 4.0, 10.0), 1.0, Ink::Ok)
        .text(pt(x + 9.0, foot), 11.0, Ink::Secondary, match_word);
    cells
}

/// Pages for one row as the table grows, by the size of real pages.
fn ladders(library: &Library, placed: &Placed, narrow: bool, scene: &mut Scene) {
    let r = placed.of(LADDER);
    let kinds = [
        (Kind::None, "kind.none"),
        (Kind::Hash, "kind.hash"),
        (Kind::Avl, "kind.avl"),
        (Kind::Tree, "kind.tree"),
    ];
    let sizes = [1_000_u64, 1_000_000, 1_000_000_000];
    let names: Vec<String> = kinds.iter().map(|(_, word)| scene.say(word, &[])).collect();
    let heads = match narrow {
        true => ["thousand.short", "million.short", "billion.short"],
        false => ["thousand", "million", "billion"],
    }
    .map(|word| scene.say(word, &[]));
    let (title, short) = (scene.name(LADDER), scene.say("ladder.short", &[]));
    let here = ladder(library.store.kind, sizes[2]);
    let says = scene.say("spoken.ladder", &[count(here as i64)]);
    let says = format!(
        "{}: {says}",
        names[kinds
            .iter()
            .position(|(kind, _)| *kind == library.store.kind)
            .unwrap_or(0)]
    );
    let texts: Vec<Vec<String>> = kinds
        .iter()
        .map(|(kind, _)| {
            let pages = sizes.iter().map(|rows| ladder(*kind, *rows) as i64);
            let text = |pages: i64| match pages {
                1_000_000.. => scene.say("millions", &[count(pages / 1_000_000)]),
                1_000.. => scene.say("thousands", &[count(pages / 1_000)]),
                _ => scene.say("number", &[count(pages)]),
            };
            pages.map(text).collect()
        })
        .collect();
    let mut pencil = scene.thing(LADDER, r, says);
    pencil
        .figure("here", here as f64)
        .figure("scan", ladder(Kind::None, sizes[2]) as f64)
        .figure("avl", ladder(Kind::Avl, sizes[2]) as f64)
        .figure("tree", ladder(Kind::Tree, sizes[2]) as f64);
    // The names, two columns of numbers, then a bar and its number for a billion; narrow stages have no bars.
    let left = r.x + 11.0;
    let right = r.x + r.w - 12.0;
    let ends = match narrow {
        true => [left + 104.0, left + 104.0 + (right - left - 104.0) / 2.0],
        false => [left + r.w * 0.4, left + r.w * 0.53],
    };
    let room = ends[0] - left - 70.0;
    let title = match narrow {
        true => String::new(),
        false => fitting(&[title, short], 12.0, true, room),
    };
    panel(&mut pencil, r, title);
    let bar_x = ends[1] + 0.04 * r.w;
    let bar_w = (right - 70.0 - bar_x).max(20.0);
    let top = r.y + 17.0;
    for (end, head) in ends.iter().zip(&heads) {
        ending(
            &mut pencil,
            pt(*end, top),
            11.0,
            false,
            Ink::Secondary,
            head.as_str(),
        );
    }
    match narrow {
        true => ending(
            &mut pencil,
            pt(right, top),
            11.0,
            false,
            Ink::Secondary,
            heads[2].as_str(),
        ),
        false => {
            pencil.text(pt(bar_x, top), 11.0, Ink::Secondary, heads[2].as_str());
        }
    }
    let most = log10(ladder(Kind::None, sizes[2])) + 0.3;
    for (place, (kind, _)) in kinds.iter().enumerate() {
        let y = top + 19.0 * (place as f32 + 1.0);
        let chosen = *kind == library.store.kind;
        let ink = if chosen { Ink::Accent } else { Ink::Ink };
        if chosen {
            pencil.bold(pt(left, y), 12.0, ink, names[place].as_str());
        } else {
            pencil.text(pt(left, y), 12.0, ink, names[place].as_str());
        }
        for (end, text) in ends.iter().zip(&texts[place]) {
            ending(&mut pencil, pt(*end, y), 12.0, chosen, ink, text.as_str());
        }
        let text = texts[place][2].as_str();
        if narrow {
            ending(&mut pencil, pt(right, y), 12.0, chosen, ink, text);
            continue;
        }
        let share = (log10(ladder(*kind, sizes[2])) + 0.3) / most;
        let bar = Rect::new(bar_x, y - 9.0, bar_w * share, 9.0);
        pencil.filled(bar, 2.0, if chosen { Ink::Accent } else { Ink::LineStrong });
        let end = pt(bar_x + bar_w * share + 6.0, y);
        if chosen {
            pencil.bold(end, 12.0, ink, text);
        } else {
            pencil.text(end, 12.0, ink, text);
        }
    }
}

/// The decimal logarithm of a whole number, near enough for a bar: digits, and the leading ones between.
fn log10(n: u64) -> f32 {
    let (mut digits, mut rest) = (0.0, n.max(1) as f32);
    while rest >= 10.0 {
        rest /= 10.0;
        digits += 1.0;
    }
    // Between 1 and 10 a chord in three pieces.
    digits
        + match rest {
            r if r < 2.0 => 0.301 * (r - 1.0),
            r if r < 5.0 => 0.301 + 0.1327 * (r - 2.0),
            r => 0.699 + 0.0602 * (r - 5.0),
        }
}

/// The question goes from page to page.
fn cursor(
    library: &Library,
    at: Time,
    index: &[tree::Stand],
    cells: &[tree::Stand],
    scene: &mut Scene,
) {
    let hand = library.bench.hand(0);
    if hand.state != State::Plays {
        return;
    }
    let of = library.of();
    let place = |step: &Step| -> Option<Point> {
        let (Step::Read(page) | Step::Write(page) | Step::Split(page, _)) = step;
        let stands = match page.0 {
            Of::Table => cells,
            whose if whose == of => index,
            _ => return None,
        };
        tree::find(stands, page.1).map(|rect| rect.centre())
    };
    let begun = hand.begun();
    let Some(here) = begun.last().and_then(place) else {
        return;
    };
    // It jumps in the first third of a step, and then reads.
    let from = begun.iter().rev().skip(1).find_map(place).unwrap_or(here);
    let share = (hand.share(at) * 3.0).min(1.0);
    let p = pt(
        from.x + (here.x - from.x) * share,
        from.y + (here.y - from.y) * share,
    );
    scene.particle(p, DOT, Glyph::Request, Ink::Accent, library.ops);
}
