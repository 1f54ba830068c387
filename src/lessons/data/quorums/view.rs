//! The stage: a writer above, five cards with their cells, two readers below; beside them what was measured.

use super::face::{READERS, Store, WRITER};
use super::judge::Verdict;
use super::model::{Ended, Group, MATRIX, READS, WAITS, WRITER_PART, node, part, reader};
use super::settings::{NODES, Settings};
use algorithms::protocol::Id;
use algorithms::replicated::{Cell, KEYS, State, bit};
use engine::scene::{Anchor, Pencil, Point, Rect, Shape, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::cluster::{Chart, Face, Mesh, chart};
use kit::figures::label::{Sample, ending, fitting, legend};
use kit::figures::panel;
use kit::figures::shares::{Fill, Shares, Style};

/// The sequence chart, in place of the cards.
const CHART: PartId = PartId::one("chart");
/// The sequence chart looks back so far.
const SPAN: Time = Time::ms(20);
const MARGIN: f32 = 12.0;
/// Stages narrower than this have what was measured below.
const BESIDE: f32 = 760.0;
/// Width of what was measured where it stands beside; the height of each panel.
const SIDE: f32 = 184.0;
const HEIGHTS: [f32; 3] = [206.0, 66.0, 98.0];
/// How thick a lit edge is.
const EDGE: f32 = 7.0;
/// From so many requests on there is a 99th percentile.
const ENOUGH: usize = 300;

/// Where everything stands.
struct Layout {
    narrow: bool,
    mesh: Mesh,
    /// Where messages go between the sides of replicas that face the writer, and readers.
    ways: [Mesh; 2],
    /// The room of cards, writer and readers.
    area: Rect,
    panels: [Rect; 3],
    /// Where the legend begins, and how many entries a line of it has.
    legend: f32,
    entries: usize,
}

fn place(knobs: &Settings, scene: &mut Scene) -> Layout {
    let (w, narrow) = (scene.width, scene.narrow());
    let beside = w >= BESIDE;
    let area_w = w - 2.0 * MARGIN - if beside { SIDE + 14.0 } else { 0.0 };
    let mut cards = Vec::new();
    let bottom;
    if narrow {
        // The writer to the left, readers to the right of a column of cards.
        let side = if w < 340.0 { 66.0 } else { 78.0 };
        let x = 6.0 + side + if w < 340.0 { 16.0 } else { 20.0 };
        let card_w = w - 2.0 * x;
        let card_h = if w < 340.0 { 78.0 } else { 73.0 };
        let mut y = 10.0;
        for id in 1..=NODES {
            // Who has no part in it takes little room.
            let h = if takes_part(knobs, id) { card_h } else { 28.0 };
            cards.push(Rect::new(x, y, card_w, h));
            y += h + 8.0;
        }
        bottom = y.max(296.0);
        let middle = (bottom - 8.0 + 10.0) / 2.0;
        cards.push(Rect::new(6.0, middle - 66.0, side, 132.0));
        for y in [middle - 138.0, middle + 6.0] {
            cards.push(Rect::new(w - 6.0 - side, y, side, 132.0));
        }
    } else {
        let gap = if beside { 12.0 } else { 8.0 };
        let card_w = ((area_w - 4.0 * gap) / 5.0).min(140.0);
        let left = MARGIN + (area_w - 5.0 * card_w - 4.0 * gap) / 2.0;
        for i in 0..NODES {
            let x = left + (card_w + gap) * f32::from(i);
            cards.push(Rect::new(x, 126.0, card_w, 118.0));
        }
        let middle = MARGIN + area_w / 2.0;
        cards.push(Rect::new(middle - 150.0, 10.0, 300.0, 58.0));
        let reader_w = (area_w / 2.0 - 24.0).min(262.0);
        for x in [middle - 12.0 - reader_w, middle + 12.0] {
            cards.push(Rect::new(x, 300.0, reader_w, 58.0));
        }
        bottom = 364.0;
    }
    let legend = bottom + 18.0;
    let mut panels = [Rect::default(); 3];
    let entries = match w {
        _ if narrow => 1,
        ..660.0 => 2,
        _ => 4,
    };
    let lines = if knobs.chart { 1 } else { 4 / entries };
    let below = legend + 15.0 * lines as f32;
    let columns = !beside && w >= 340.0;
    let whole = w - 2.0 * MARGIN;
    let mut y = if beside { 10.0 } else { below };
    for (panel, h) in panels.iter_mut().zip(HEIGHTS) {
        let x = if beside { w - MARGIN - SIDE } else { MARGIN };
        *panel = Rect::new(x, y, if beside { SIDE } else { whole }, h);
        y += h + 8.0;
    }
    if columns {
        let half = (whole - 8.0) / 2.0;
        let right = MARGIN + half + 8.0;
        panels[0].w = half;
        panels[1] = Rect::new(right, below, half, 84.0);
        panels[2] = Rect::new(right, below + 92.0, half, HEIGHTS[0] - 92.0);
        y = below + HEIGHTS[0] + 8.0;
    }
    scene.height = if beside { y.max(legend + 8.0) } else { y };
    Layout {
        narrow,
        ways: [true, false].map(|writer| {
            let mut ends = cards.clone();
            for card in ends.iter_mut().take(NODES.into()) {
                let p = match (narrow, writer) {
                    (false, true) => card.top(),
                    (false, false) => card.bottom(),
                    (true, true) => card.left(),
                    (true, false) => card.right(),
                };
                *card = Rect::new(p.x, p.y, 0.0, 0.0);
            }
            Mesh::of(ends)
        }),
        mesh: Mesh::of(cards),
        area: Rect::new(MARGIN, 10.0, area_w, bottom - 10.0),
        panels,
        legend,
        entries,
    }
}

/// Whether a node is a home or may stand in for one.
fn takes_part(knobs: &Settings, id: Id) -> bool {
    u32::from(id) <= knobs.n || knobs.stand_ins
}

/// The way of a message between two nodes.
fn way(layout: &Layout, from: Id, to: Id) -> &Mesh {
    &layout.ways[usize::from(from.max(to) > WRITER)]
}

/// What is under way.
fn dots(group: &Group, layout: &Layout, at: Time, scene: &mut Scene) {
    for (key, flight) in group.cluster.flights() {
        let ends = (flight.from, flight.to);
        let p = way(layout, ends.0, ends.1).at(ends.0, ends.1, flight.share(at));
        let look = Store::look(&flight.word).filter(|_| !flight.is_lost(at));
        let (glyph, ink) = look.unwrap_or((Glyph::Failure, Ink::Bad));
        let dot = Store::dot(ends, &flight.word, key.serial());
        scene.particle(p, 5.5, glyph, ink, dot);
    }
}

/// Which edges of a card are lit.
#[derive(Clone, Copy, Default)]
struct Lit {
    /// It has stored the write that is looked at.
    write: bool,
    /// It has answered the read, and its answer counted.
    read: bool,
    late: bool,
    /// Its answer had the write.
    both: bool,
}

fn lit(group: &Group, id: Id) -> Lit {
    let focus = group.focus;
    let version = focus.version;
    let write = version > 0 && group.cell(id, focus.key).version >= version;
    let Some(read) = focus.read else {
        return Lit {
            write,
            ..Lit::default()
        };
    };
    let told = read.told[usize::from(id) - 1];
    let counts = read.ended.is_none() && read.counted == 0 || read.counted & bit(id) != 0;
    let answered = told.is_some() && counts;
    Lit {
        write,
        read: answered,
        late: told.is_some() && !counts,
        both: answered && version > 0 && told.is_some_and(|told| told >= version),
    }
}

pub(super) fn draw(group: &Group, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = place(knobs, scene);
    if knobs.chart {
        sequence(group, &layout, at, scene);
    } else {
        ways(group, knobs, &layout, scene);
        for id in 1..=NODES {
            card(group, knobs, id, &layout, scene);
        }
        writer(group, layout.mesh.card(WRITER), &layout, at, scene);
        for (i, id) in READERS.into_iter().enumerate() {
            reads(group, i, layout.mesh.card(id), &layout, scene);
        }
        dots(group, &layout, at, scene);
    }
    if !knobs.chart {
        let words = ["stored", "answered", "older", "both"].map(|word| scene.say(word, &[]));
        let inks = [Ink::Accent, Ink::Hit, Ink::Warn, Ink::Ok];
        let mut at = pt(layout.area.x, layout.legend);
        let right = layout.area.x + layout.area.w;
        for (i, (ink, word)) in inks.into_iter().zip(words).enumerate() {
            let entry = (Sample::Ground, ink, word);
            at.x = legend(&mut scene.background(), at, right, [entry]);
            if (i + 1) % layout.entries == 0 {
                at = pt(layout.area.x, at.y + 15.0);
            }
        }
    }
    matrix(group, knobs, layout.panels[0], scene);
    waits(group, layout.panels[1], scene);
    tally(group, layout.panels[2], scene);
}

/// Lines from writer and readers to the homes, and the cut.
fn ways(group: &Group, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let mesh = &layout.mesh;
    let mut d = String::new();
    for id in 1..=NODES {
        if !takes_part(knobs, id) {
            continue;
        }
        for from in [WRITER, READERS[0], READERS[1]] {
            let (a, b) = way(layout, from, id).way(from, id);
            let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(tenths);
            d += &format!("M{ax} {ay}L{bx} {by}");
        }
    }
    let cut = scene.say("cut", &[]);
    let mut ground = scene.background();
    ground.line(d, Ink::Line, 1.0);
    if !group.cluster.net.is_parted() {
        return;
    }
    let (a, b, c) = (mesh.card(1), mesh.card(2), mesh.card(3));
    let area = layout.area;
    let (d, label) = if layout.narrow {
        let (x, between) = (tenths(a.x - 7.0), tenths((b.y + b.h + c.y) / 2.0));
        let (right, low) = (tenths(a.x + a.w + 7.0), tenths(area.y + area.h));
        let d = format!("M{x} {}V{between}H{right}V{low}", tenths(area.y));
        (
            d,
            pt(a.x - 12.0 - text::width(&cut, 12.0, true), area.y + 12.0),
        )
    } else {
        let x = tenths((b.x + b.w + c.x) / 2.0);
        let [left, right] = [area.x, area.x + area.w].map(tenths);
        let [up, low] = [a.y - 16.0, a.y + a.h + 16.0].map(tenths);
        let d = format!("M{left} {up}H{x}V{low}H{right}");
        (d, pt(area.x, a.y - 22.0))
    };
    ground.dashed_line(d, Ink::Bad, 2.5);
    ground.bold(label, 12.0, Ink::Bad, cut);
}

/// A replica: its name, its cells, and its edges.
fn card(group: &Group, knobs: &Settings, id: Id, layout: &Layout, scene: &mut Scene) {
    let r = layout.mesh.card(id);
    let home = u32::from(id) <= knobs.n;
    let up = group.cluster.is_up(id);
    let disk = group.cluster.disk(id).unwrap_or_default();
    let lit = if up { lit(group, id) } else { Lit::default() };
    let behind = group.behind_of(id);
    let hints = disk.hints.len() as u32;
    let holds = disk.cells.iter().any(|cell| cell.version > 0);
    let state = match (up, home) {
        (false, _) => "is.down",
        (_, false) if hints > 0 => "is.holds",
        (_, false) => "is.by",
        _ if behind > 0 => "is.behind",
        _ => "is.newest",
    };
    let told = [Arg::Count(
        if state == "is.holds" { hints } else { behind }.into(),
    )];
    let status = scene.say(state, &told);
    let edges = [
        (lit.write, "lit.write"),
        (lit.both, "lit.both"),
        (lit.read && !lit.both, "lit.older"),
    ];
    let mut spoken = vec![status.clone()];
    for (_, word) in edges.into_iter().filter(|(is, _)| *is) {
        spoken.push(scene.say(word, &[]));
    }
    let name = scene.name(node(id));
    let mut pencil = scene.thing(node(id), r, spoken.join(", "));
    for (figure, is) in [("write", lit.write), ("read", lit.read), ("both", lit.both)] {
        pencil.figure(figure, f64::from(u8::from(is)));
    }
    pencil.figure("behind", behind.into());
    pencil.figure("ahead", f64::from(u8::from(ahead(group, id))));
    let (ground, border, width) = match (up, lit.both) {
        (false, _) => (Ink::Card, Ink::Bad, 2.0),
        (_, true) => (Ink::OkSoft, Ink::Ok, 2.0),
        _ if home => (Ink::Card, Ink::LineStrong, 2.0),
        _ => (Ink::Card, Ink::Line, 1.0),
    };
    pencil.bordered(r, 8.0, ground, border, width);
    light(&mut pencil, r, lit, layout.narrow);
    let left = r.x + if layout.narrow { EDGE + 7.0 } else { 9.0 };
    let inner = r.w - 2.0 * (left - r.x);
    let y = r.y + if layout.narrow { 17.0 } else { EDGE + 17.0 };
    pencil.bold(
        pt(left, y),
        13.5,
        if up { Ink::Ink } else { Ink::Bad },
        name.as_str(),
    );
    let room = inner - text::width(&name, 13.5, true) - 6.0;
    let ink = match state {
        "is.down" => Ink::Bad,
        "is.behind" | "is.holds" => Ink::Warn,
        _ => Ink::Secondary,
    };
    let status = fitting(&[status], 11.0, ink != Ink::Secondary, room);
    ending(
        &mut pencil,
        pt(left + inner, y),
        11.0,
        ink != Ink::Secondary,
        ink,
        status,
    );
    if hints > 0 {
        flag(&mut pencil, left + text::width(&name, 13.5, true) + 6.0, y);
    }
    if !home && !holds || r.h < 40.0 {
        return;
    }
    let area = Rect::new(
        left,
        y + 6.0,
        inner,
        r.y + r.h - y - 10.0 - if layout.narrow { 4.0 } else { EDGE },
    );
    let columns = if inner >= 150.0 { 6 } else { 4 };
    cells(group, &disk.cells, area, columns, (up, home), &mut pencil);
}

/// Whether a node has something that was not answered.
fn ahead(group: &Group, id: Id) -> bool {
    (0..KEYS as u8).any(|key| group.cell(id, key).version > group.judge.answered[usize::from(key)])
}

/// A flag: it keeps something for another.
fn flag(pencil: &mut Pencil<'_>, x: f32, base: f32) {
    let [x, y] = [x, base].map(tenths);
    pencil.line(format!("M{x} {y}v-11"), Ink::Warn, 1.5);
    pencil.area(format!("M{x} {y}m0 -11l7 3l-7 3Z"), Ink::Warn);
}

/// The lit edges: above for the write and below for the read, or to the left and to the right; a bar where news gets through.
fn light(pencil: &mut Pencil<'_>, r: Rect, lit: Lit, narrow: bool) {
    let edge = |first: bool, thick: f32| match (narrow, first) {
        (false, true) => Rect::new(r.x, r.y, r.w, thick),
        (false, false) => Rect::new(r.x, r.y + r.h - thick, r.w, thick),
        (true, true) => Rect::new(r.x, r.y, thick, r.h),
        (true, false) => Rect::new(r.x + r.w - thick, r.y, thick, r.h),
    };
    if lit.both {
        let bar = if narrow {
            Rect::new(r.x, r.y + r.h - 5.0, r.w, 5.0)
        } else {
            Rect::new(r.x, r.y, 5.0, r.h)
        };
        let [x, y, w, h] = [bar.x, bar.y, bar.w, bar.h].map(tenths);
        pencil.area(format!("M{x} {y}h{w}v{h}h-{w}Z"), Ink::Ok);
    }
    if lit.write {
        pencil.filled(edge(true, EDGE), 3.0, Ink::Accent);
    }
    if lit.read {
        // An answer without the write is seen as such, even if the write comes a moment later.
        let ink = if lit.both { Ink::Hit } else { Ink::Warn };
        pencil.filled(edge(false, EDGE), 3.0, ink);
    } else if lit.late {
        pencil.bordered(
            edge(false, EDGE).grown(-1.0),
            2.0,
            Ink::HitSoft,
            Ink::Hit,
            1.0,
        );
    }
}

/// Twelve cells with their versions: struck where older than what was answered, tinted where not answered yet.
fn cells(
    group: &Group,
    cells: &[Cell; KEYS],
    area: Rect,
    columns: usize,
    (up, home): (bool, bool),
    pencil: &mut Pencil<'_>,
) {
    let rows = KEYS.div_ceil(columns);
    let (w, h) = (area.w / columns as f32, area.h / rows as f32);
    let mut strikes = String::new();
    for (key, cell) in cells.iter().enumerate() {
        let (column, row) = ((key % columns) as f32, (key / columns) as f32);
        let r = Rect::new(
            area.x + w * column + 0.5,
            area.y + h * row + 0.5,
            w - 1.0,
            h - 1.0,
        );
        let newest = group.judge.answered[key];
        let old = cell.version < newest && (home || cell.version > 0);
        let looked_at = key == usize::from(group.focus.key);
        let ground = match cell.version {
            version if version > newest && looked_at => Ink::AccentSoft,
            _ if old => Ink::WarnSoft,
            _ => Ink::Card,
        };
        let (border, width) = if looked_at {
            (Ink::Ink, 1.5)
        } else {
            (Ink::Line, 0.75)
        };
        pencil.bordered(r, 2.0, ground, border, width);
        if old {
            let [x, y, w, h] = [r.x + 2.0, r.y + r.h - 2.0, r.w - 4.0, r.h - 4.0].map(tenths);
            strikes += &format!("M{x} {y}l{w} -{h}");
        }
        if cell.version > 0 {
            // The last digits, where there is no room for all.
            let shown = if w < 26.0 {
                cell.version % 1_000
            } else {
                cell.version % 10_000
            };
            let middle = pt(r.x + r.w / 2.0, r.y + r.h / 2.0 + 4.0);
            let ink = if up { Ink::Ink } else { Ink::Secondary };
            pencil.centred(middle, 11.0, looked_at, ink, shown.to_string());
        }
    }
    pencil.line(strikes, Ink::Warn, 1.0);
}

/// A line of text, as far as there is room: its size, whether it is bold, its ink.
fn put(pencil: &mut Pencil<'_>, at: Point, room: f32, style: (f32, bool, Ink), said: &str) {
    let (size, bold, ink) = style;
    let text = fitting(&[said.to_owned()], size, bold, room);
    let anchor = Anchor::Start;
    pencil.shape(Shape::Text {
        at,
        size,
        bold,
        ink,
        anchor,
        text,
    });
}

/// A card of writer or reader: name, what it is about, and what it came to in its ink.
fn person(
    pencil: &mut Pencil<'_>,
    r: Rect,
    name: &str,
    lines: [String; 2],
    ink: Ink,
    narrow: bool,
) {
    let bold = ink != Ink::Secondary;
    let border = if bold { ink } else { Ink::LineStrong };
    pencil.bordered(r, 10.0, Ink::Card, border, 2.0);
    let [first, second] = lines;
    if !narrow {
        put(
            pencil,
            pt(r.x + 12.0, r.y + 22.0),
            r.w,
            (14.0, true, Ink::Ink),
            name,
        );
        let room = r.w - 30.0 - text::width(name, 14.0, true);
        let first = fitting(&[first], 12.0, false, room);
        let end = pt(r.x + r.w - 12.0, r.y + 22.0);
        ending(pencil, end, 12.0, false, Ink::Secondary, first);
        let at = pt(r.x + 12.0, r.y + 44.0);
        return put(pencil, at, r.w - 24.0, (13.0, bold, ink), &second);
    }
    let (room, mut at) = (r.w - 8.0, pt(r.x + 5.0, r.y + 16.0));
    put(pencil, at, room, (11.5, true, Ink::Ink), name);
    for (said, most, bold, ink) in [(first, 3, false, Ink::Secondary), (second, 4, bold, ink)] {
        for line in text::wrap(&said, 11.0, bold, room).iter().take(most) {
            at.y += 14.0;
            put(pencil, at, room, (11.0, bold, ink), line);
        }
        at.y += 4.0;
    }
}

fn key_arg(key: u8) -> Arg {
    Arg::Count(i64::from(key) + 1)
}

fn count(n: u32) -> Arg {
    Arg::Count(n.into())
}

fn writer(group: &Group, r: Rect, layout: &Layout, at: Time, scene: &mut Scene) {
    let node = group.cluster.node(WRITER);
    let hints = node.map_or(0, |node| node.disk.hints.len() as u32);
    let (first, second, ink) = match group.write {
        None => (String::new(), scene.say("write.none", &[]), Ink::Secondary),
        Some(write) => {
            let told = [key_arg(write.key), count(write.cell.version)];
            let needs = [count(write.heard.count_ones()), count(write.needs)];
            let (word, ink) = match write.state {
                State::Failed => ("write.failed", Ink::Bad),
                State::Answered => ("write.answered", Ink::Ok),
                _ if group.fails => ("write.again", Ink::Bad),
                _ => ("write.waits", Ink::Accent),
            };
            (scene.say("key", &told), scene.say(word, &needs), ink)
        }
    };
    let mut lines = vec![first];
    if group.rests(at) && !group.chase.on {
        lines.push(scene.say("rests", &[]));
    }
    if hints > 0 {
        lines.push(scene.say("kept", &[count(hints)]));
    }
    let first = lines.join(" · ");
    let name = scene.name(WRITER_PART);
    let mut pencil = scene.thing(WRITER_PART, r, format!("{first} {second}"));
    pencil.figure("failed", group.judge.tally.unwritten.into());
    person(&mut pencil, r, &name, [first, second], ink, layout.narrow);
    if hints > 0 && !layout.narrow {
        let x = r.x + 20.0 + text::width(&name, 14.0, true);
        flag(&mut pencil, x, r.y + 22.0);
    }
}

/// What a read came to, in words, and in which ink.
fn verdict(ended: Ended, scene: &Scene) -> (String, Ink) {
    let (word, told, ink) = match (ended.back, ended.verdict) {
        (Some(from), _) => ("got.back", from, Ink::Bad),
        (_, Verdict::Failed) => ("got.failed", 0, Ink::Bad),
        (_, Verdict::Old(behind)) => ("got.old", behind, Ink::Warn),
        (_, Verdict::Early) if ended.ghost => ("got.ghost", 0, Ink::Hit),
        (_, Verdict::Early) => ("got.early", 0, Ink::Hit),
        _ => ("got.fresh", 0, Ink::Ok),
    };
    (scene.say(word, &[count(ended.version), count(told)]), ink)
}

fn reads(group: &Group, i: usize, r: Rect, layout: &Layout, scene: &mut Scene) {
    let id = READERS[i];
    let read = group.focus.read;
    let under_way = read.filter(|read| read.reader == id && read.ended.is_none());
    let (first, second, ink) = match (under_way, group.last[i]) {
        (Some(read), _) => {
            let heard = read.told.iter().flatten().count() as u32;
            let told = [count(heard), count(group.knobs.quorum().0 as u32)];
            let key = scene.say("key.asked", &[key_arg(group.focus.key)]);
            (key, scene.say("read.waits", &told), Ink::Hit)
        }
        (None, Some((key, ended))) => {
            let (said, ink) = verdict(ended, scene);
            (scene.say("key.asked", &[key_arg(key)]), said, ink)
        }
        _ => (String::new(), scene.say("read.none", &[]), Ink::Secondary),
    };
    let name = scene.name(reader(i));
    let mut pencil = scene.thing(reader(i), r, format!("{first} {second}"));
    person(&mut pencil, r, &name, [first, second], ink, layout.narrow);
}

/// R by W: the share of reads that were not old right after a write, and the staircase from which on sets overlap.
fn matrix(group: &Group, knobs: &Settings, r: Rect, scene: &mut Scene) {
    let n = knobs.n as usize;
    let (now_r, now_w) = knobs.quorum();
    let judged = |r: usize, w: usize| {
        let (all, fresh) = group.judge.matrix[r - 1][w - 1];
        (all, f64::from(fresh) / f64::from(all.max(1)))
    };
    let (all, share) = judged(now_r, now_w);
    let title = scene.say("matrix", &[]);
    let foot = scene.say("matrix.foot", &[]);
    let now = [
        Arg::Count(now_r as i64),
        Arg::Count(now_w as i64),
        Arg::Share(share),
    ];
    let value = if all > 0 {
        scene.say("matrix.now", &now)
    } else {
        scene.say("matrix.none", &now)
    };
    let mut heads = Vec::new();
    for i in 1..=n {
        let told = [Arg::Count(i as i64)];
        heads.push(["matrix.r", "matrix.w"].map(|word| scene.say(word, &told)));
    }
    let mut pencil = scene.thing(MATRIX, r, value);
    pencil
        .figure("share", share)
        .figure("count", all.into())
        .figure("overlap", f64::from(u8::from(knobs.overlaps())));
    panel(&mut pencil, r, fitting(&[title], 12.0, true, r.w - 20.0));
    let (x, y) = (r.x + 39.0, r.y + 42.0);
    let (w, h) = ((r.w - 48.0) / n as f32, (r.h - 42.0 - 24.0) / n as f32);
    for (i, [head_r, head_w]) in heads.into_iter().enumerate() {
        let at = i as f32;
        pencil.centred(
            pt(x + w * (at + 0.5), y - 6.0),
            11.0,
            i + 1 == now_r,
            Ink::Secondary,
            head_r,
        );
        let side = pt(r.x + 8.0, y + h * (at + 0.5) + 4.0);
        put(
            &mut pencil,
            side,
            30.0,
            (11.0, i + 1 == now_w, Ink::Secondary),
            &head_w,
        );
    }
    for row in 1..=n {
        for column in 1..=n {
            let (all, share) = judged(column, row);
            let rect = Rect::new(x + w * (column - 1) as f32, y + h * (row - 1) as f32, w, h);
            let ground = match all {
                0 => Ink::Card,
                _ if share >= 1.0 => Ink::OkSoft,
                _ => Ink::WarnSoft,
            };
            pencil.bordered(rect, 0.0, ground, Ink::Line, 1.0);
            if all == 0 {
                continue;
            }
            let middle = rect.centre();
            // Whatever is not all is not rounded to all.
            let percent = if share < 1.0 {
                (100.0 * share).min(99.0)
            } else {
                100.0
            };
            let shown = text::fixed(percent, 0);
            let sign = format!("{shown} %");
            let shown = fitting(&[sign, shown], 12.5, true, w - 6.0);
            let number = all.to_string();
            let two = h >= 30.0 && text::width(&number, 11.0, false) <= w - 2.0;
            let up = if two { 1.0 } else { -5.0 };
            pencil.centred(pt(middle.x, middle.y - up), 12.5, true, Ink::Ink, shown);
            if two {
                pencil.centred(
                    pt(middle.x, middle.y + 13.0),
                    11.0,
                    false,
                    Ink::Secondary,
                    number,
                );
            }
        }
    }
    let mut stairs = format!("M{} {}", tenths(x + w * (n - 1) as f32), tenths(y));
    for step in 1..=n {
        stairs += &format!("v{}", tenths(h));
        if step < n {
            stairs += &format!("h-{}", tenths(w));
        }
    }
    pencil.line(stairs, Ink::Ink, 3.0);
    let ring = Rect::new(x + w * (now_r - 1) as f32, y + h * (now_w - 1) as f32, w, h);
    pencil.bordered(ring.grown(-2.0), 3.0, Ink::None, Ink::Accent, 2.5);
    let foot = fitting(&[foot], 11.0, false, r.w - 18.0);
    pencil.text(pt(r.x + 9.0, r.y + r.h - 8.0), 11.0, Ink::Secondary, foot);
}

/// Milliseconds, to three digits.
fn ms(value: f64) -> String {
    text::fixed(value, if value < 10.0 { 2 } else { 1 })
}

/// How long reads and writes wait.
fn waits(group: &Group, r: Rect, scene: &mut Scene) {
    let all = [0, 1].map(|kind| group.judge.waits(kind));
    let few = all.iter().any(|(n, _)| *n < ENOUGH);
    let words = [
        "waits",
        "waits.p50",
        if few { "waits.most" } else { "waits.p99" },
    ];
    let [title, p50, p99] = words.map(|word| scene.say(word, &[]));
    let names = ["waits.read", "waits.write"].map(|word| scene.say(word, &[]));
    let mut spoken = Vec::new();
    for (name, (n, [half, most])) in names.iter().zip(all) {
        spoken.push(match n {
            0 => format!("{name}: –"),
            _ => format!("{name}: {p50} {}, {p99} {}", ms(half), ms(most)),
        });
    }
    let mut pencil = scene.thing(WAITS, r, spoken.join(", "));
    pencil
        .figure("read", all[0].1[1])
        .figure("write", all[1].1[1]);
    let columns = [r.x + r.w * 0.66, r.x + r.w - 10.0];
    panel(&mut pencil, r, fitting(&[title], 12.0, true, r.w * 0.42));
    for (x, head) in columns.into_iter().zip([p50, p99]) {
        ending(
            &mut pencil,
            pt(x, r.y + 17.0),
            11.0,
            false,
            Ink::Secondary,
            head,
        );
    }
    for (i, (name, (n, values))) in names.into_iter().zip(all).enumerate() {
        let y = r.y + 37.0 + (r.h - 46.0) * i as f32;
        pencil.text(pt(r.x + 10.0, y), 12.5, Ink::Ink, name);
        for (x, value) in columns.into_iter().zip(values) {
            let said = if n > 0 { ms(value) } else { "–".to_owned() };
            ending(&mut pencil, pt(x, y), 12.5, true, Ink::Ink, said);
        }
    }
}

const STYLES: [Style; 3] = [
    (Fill::Full, Ink::Ok, Ink::Ok),
    (Fill::Outline, Ink::Hit, Ink::HitSoft),
    (Fill::Hatched, Ink::BadHatch, Ink::WarnSoft),
];

/// What the judge says of the reads since the last turn or action.
fn tally(group: &Group, r: Rect, scene: &mut Scene) {
    let tally = &group.judge.tally;
    let all = f64::from(tally.reads().max(1));
    let counts = [tally.fresh, tally.early, tally.old];
    let words = ["reads.fresh", "reads.early", "reads.old"];
    let mut names = Vec::new();
    for (word, n) in words.into_iter().zip(counts) {
        names.push(scene.say(word, &[count(n)]));
    }
    let more = if tally.mended > 0 && tally.failed == 0 {
        scene.say("reads.mended", &[count(tally.back), count(tally.mended)])
    } else {
        scene.say("reads.back", &[count(tally.back), count(tally.failed)])
    };
    let title = scene.say("reads", &[]);
    let both = (1..=NODES).filter(|id| lit(group, *id).both).count();
    let mut pencil = scene.thing(READS, r, format!("{}, {more}", names.join(", ")));
    pencil
        .figure("both", both as f64)
        .figure("old", tally.old.into())
        .figure("old-share", tally.old_share())
        .figure("back", tally.back.into())
        .figure("new", group.chase.new.into())
        .figure("chased", group.chase.reads.into())
        .figure("mended", tally.mended.into());
    // What there is none of is left out where there is little room.
    let mut named: Vec<(usize, String)> = names.into_iter().enumerate().collect();
    named.retain(|(kind, _)| *kind == 0 || counts[*kind] > 0);
    Shares {
        rect: r,
        title,
        styles: &STYLES,
        bars: &[(String::new(), counts.map(|n| f64::from(n) / all).to_vec())],
        names: named,
    }
    .draw(&mut pencil);
    let ink = if tally.back > 0 {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    let at = pt(r.x + 10.0, r.y + 60.0);
    put(
        &mut pencil,
        at,
        r.w - 20.0,
        (11.5, tally.back > 0, ink),
        &more,
    );
}

/// Who told whom in the last 20 ms.
fn sequence(group: &Group, layout: &Layout, at: Time, scene: &mut Scene) {
    let lanes: Vec<String> = (1..=READERS[1]).map(|id| scene.name(part(id))).collect();
    let (title, value) = (scene.say("chart", &[]), scene.say("chart.value", &[]));
    let unit = scene.say("ms", &[]);
    let ago = |ago: Time| match ago.0 / 1_000 {
        0 => "0".to_owned(),
        ms => format!("-{ms} {unit}"),
    };
    let it = Chart {
        part: CHART,
        rect: layout.area,
        title,
        value,
        lanes: &lanes,
        span: SPAN,
        tick: Time::ms(5),
        ago: &ago,
    };
    chart(&group.cluster, &it, at, scene);
}
