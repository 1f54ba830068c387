//! The stage: browser, pipes and server; below them the page as a waterfall, and what each design takes on one axis.

use super::model::{Browsing, Post, count};
use super::state::{
    BROWSER, Conn, Hears, LADDER, NEWS, NEWS_SLOT, PAGE, PAGE_SLOTS, Place, Request, Row, SERVER,
    Settings, State, Way, pipe, row, text_of,
};
use algorithms::connections;
use algorithms::websocket::{Frame, Opcode};
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::label::{Sample, ending, fitting, legend};
use kit::figures::{DOT, PITCH};

/// Height of browser, pipes and server.
const TOP: f32 = 150.0;
/// From pipe to pipe.
const PIPE_PITCH: f32 = 18.0;
/// Height of a row of the waterfall, and of a design on the axis.
const ROW: f32 = 15.0;
const RUNG: f32 = 16.0;
/// Rows of the waterfall where there is little room.
const ROWS_NARROW: usize = 8;
/// News of so long are shown.
const SPAN: Time = Time::s(20);
/// Radius of messages that carry nothing.
const SMALL: f32 = 3.5;

/// Moments of a page across its axis.
#[derive(Clone, Copy)]
struct Axis {
    left: f32,
    width: f32,
    span: Time,
}

impl Axis {
    fn x(&self, at: Time) -> f32 {
        self.left + self.width * (at.0 as f64 / self.span.0.max(1) as f64).min(1.0) as f32
    }
}

pub(super) fn draw(office: &Browsing, knobs: &Settings, at: Time, scene: &mut Scene) {
    let (w, narrow) = (scene.width, scene.narrow());
    let margin = if narrow { 8.0 } else { 20.0 };
    let card_w = if narrow { 96.0 } else { 168.0 };
    let browser = Rect::new(margin, 8.0, card_w, TOP - 8.0);
    let server = Rect::new(w - margin - card_w, 8.0, card_w, TOP - 8.0);
    pipes(office, knobs, at, scene, (browser, server));
    cards(office, knobs, scene, (browser, server));
    moving(office, at, scene, (browser, server));

    let label_w = if narrow { 66.0 } else { 96.0 };
    let right = if narrow { 26.0 } else { 60.0 };
    let longest = Way::ALL.map(|way| knobs.theory(way, office.page.met));
    let longest = longest.into_iter().max().unwrap_or_default();
    let end = office.page.done.unwrap_or(at).since(office.page.begun);
    let axis = Axis {
        left: margin + label_w,
        width: w - 2.0 * margin - label_w - right,
        span: round_span(longest.max(end)),
    };
    let mut y = waterfall(office, knobs, at, scene, TOP + 10.0, axis, margin);
    if knobs.hears == Hears::Off {
        y = ladder(office, knobs, scene, y + 8.0, axis, margin);
    } else {
        y = news(office, knobs, at, scene, y + 8.0, margin);
    }
    scene.height = y + 8.0;
}

/// A span in seconds, to the hundredth: times on one axis are told in one unit.
fn seconds(span: Time) -> Arg {
    Arg::Number((span.as_s() * 100.0).round() / 100.0)
}

/// A round span that leaves some room behind this one, so that pages that differ little share an axis.
fn round_span(longest: Time) -> Time {
    let wanted = longest.0.max(1_000) / 20 * 21;
    let mut unit = 100;
    loop {
        let fits = [10, 15, 20, 25, 30, 40, 50, 60, 80]
            .into_iter()
            .map(|n| n * unit);
        match fits.into_iter().find(|span| *span >= wanted) {
            Some(span) => return Time(span),
            None => unit *= 10,
        }
    }
}

/// Where a pipe runs; the one for news stands apart.
fn pipe_y(slot: usize, count: usize, area: Rect) -> f32 {
    if slot == NEWS_SLOT {
        return area.y + area.h - 14.0;
    }
    let middle = area.y + (area.h - 28.0) / 2.0 + 4.0;
    middle + PIPE_PITCH * (slot as f32 - (count as f32 - 1.0) / 2.0)
}

fn pipe_count(office: &Browsing, knobs: &Settings) -> usize {
    let used = (0..PAGE_SLOTS)
        .rev()
        .find(|slot| office.conn(*slot).is_some_and(Conn::is_there));
    knobs.way.pipes().max(used.map_or(0, |slot| slot + 1))
}

fn pipes(office: &Browsing, knobs: &Settings, at: Time, scene: &mut Scene, ends: (Rect, Rect)) {
    let count_ = pipe_count(office, knobs);
    let (from, to) = (ends.0.x + ends.0.w, ends.1.x);
    let news = (knobs.hears != Hears::Off).then_some(NEWS_SLOT);
    let each = knobs.way;
    for slot in (0..count_).chain(news) {
        let y = pipe_y(slot, count_, ends.0);
        let conn = office.conn(slot);
        let state = match conn.map(|conn| conn.state) {
            None => "none",
            Some(State::Opening) => "opening",
            Some(State::Closing) => "closing",
            Some(State::Closed) => "closed",
            Some(State::Open) if conn.is_some_and(|conn| !conn.held.is_empty()) => "in-use",
            Some(State::Open) if conn.is_some_and(|conn| conn.upgraded) => "upgraded",
            Some(State::Open) => "idle",
        };
        let mut said = scene.say("pipe", &[Arg::Word(state_word(state))]);
        if let Some(conn) = conn {
            let number = scene.say("number", &[count(conn.number)]);
            said = format!("{number}, {said}");
        }
        let hint = hint(office, knobs, at, scene, conn);
        let lone = count_ == 1;
        let frame = Rect::new(from, y - 8.0, to - from, 16.0);
        let mut pencil = scene.link(pipe(slot), frame, said);
        let line = |a: f32, b: f32| {
            format!(
                "M{} {}H{}",
                text::tenths(a),
                text::tenths(y),
                text::tenths(b)
            )
        };
        match state {
            "opening" => {
                pencil.dashed_line(line(from, to), Ink::Warn, 2.0);
            }
            "in-use" => {
                pencil.line(line(from, to), Ink::Accent, 4.0);
            }
            "upgraded" => {
                pencil.line(line(from, to), Ink::Hit, 4.0);
            }
            "idle" => {
                pencil.line(line(from, to), Ink::Rail, 4.0);
                // What is left of the idle time drains towards the server, which counts it.
                if let Some(conn) = conn {
                    let gone = at.since(conn.free_since).as_s() / knobs.idle;
                    let rest = (1.0 - gone).clamp(0.0, 1.0) as f32;
                    pencil.line(line(to - (to - from) * rest, to), Ink::Mark, 2.0);
                }
            }
            "none" | "closed" => {
                let middle = (from + to) / 2.0;
                pencil.dashed_line(line(from, middle - 10.0), Ink::LineStrong, 1.5);
                pencil.dashed_line(line(middle + 10.0, to), Ink::LineStrong, 1.5);
                if state == "closed" && (each != Way::NewForEach || slot == NEWS_SLOT) {
                    pencil.mark(Glyph::Failure, pt(middle, y), DOT, Ink::Bad);
                }
            }
            _ => {
                pencil.dashed_line(line(from, to), Ink::Bad, 2.0);
            }
        }
        // What a lone pipe does stands above it, in as many lines as it needs.
        if lone {
            let size = if scene.narrow() { 11.0 } else { 12.0 };
            let lines = text::wrap(&hint, size, false, to - from - 12.0);
            if lines.len() > 4 {
                continue;
            }
            let mut top = y - 12.0 - 13.0 * lines.len().saturating_sub(1) as f32;
            for said in lines {
                let middle = pt((from + to) / 2.0, top);
                scene
                    .background()
                    .centred(middle, size, false, Ink::Secondary, said);
                top += 13.0;
            }
        }
    }
}

/// What goes on in a connection, in words.
fn hint(
    office: &Browsing,
    knobs: &Settings,
    at: Time,
    scene: &Scene,
    conn: Option<&Conn>,
) -> String {
    let Some(conn) = conn else {
        return String::new();
    };
    let (done, all) = conn.trips;
    let trip = [count(done + 1), count(all)];
    let rest = (knobs.idle - at.since(conn.free_since).as_s()).max(0.0);
    let news = conn.slot == NEWS_SLOT;
    let works = |request: &Request| request.place == Place::Served;
    let mut held = conn.held.iter().filter_map(|key| office.requests.get(*key));
    match conn.state {
        State::Opening if conn.gap.is_some() => scene.say("hint.gap", &trip),
        State::Opening if conn.quic => scene.say("hint.quic", &trip),
        State::Opening if done == 0 => scene.say("hint.hello", &trip),
        State::Opening => scene.say("hint.keys", &trip),
        State::Closing => scene.say("hint.closing", &[]),
        State::Closed if office.post == Post::Failed && !news => scene.say("hint.failed", &[]),
        State::Closed if knobs.way == Way::NewForEach && !news => scene.say("hint.used", &[]),
        State::Closed => scene.say("hint.closed", &[]),
        State::Open if conn.upgraded => scene.say("hint.upgraded", &[]),
        State::Open if conn.held.len() == 1 && held.any(works) => {
            let keeps = news && knobs.hears == Hears::LongPoll;
            scene.say(if keeps { "hint.keeps" } else { "hint.works" }, &[])
        }
        State::Open if !conn.held.is_empty() => {
            let many = conn.held.len();
            let lost = conn.stalled > at;
            let word = match (lost, many) {
                (true, 1) => "hint.lost",
                (true, _) => "hint.stalled",
                (_, 1) => "hint.one",
                _ => "hint.many",
            };
            scene.say(word, &[count(if lost { many - 1 } else { many })])
        }
        State::Open => scene.say("hint.idle", &[Arg::Tenths((rest * 10.0) as u32)]),
    }
}

fn state_word(state: &'static str) -> &'static str {
    match state {
        "opening" => "stage.pipe.opening",
        "in-use" => "stage.pipe.in-use",
        "upgraded" => "stage.pipe.upgraded",
        "idle" => "stage.pipe.idle",
        "closing" => "stage.pipe.closing",
        "closed" => "stage.pipe.closed",
        _ => "stage.pipe.none",
    }
}

fn cards(office: &Browsing, knobs: &Settings, scene: &mut Scene, ends: (Rect, Rect)) {
    let (post, post_ink) = match office.post {
        Post::None => (None, Ink::Secondary),
        Post::Waits => (Some("post.waits"), Ink::Secondary),
        Post::Sent => (Some("post.sent"), Ink::Ink),
        Post::Done => (Some("post.done"), Ink::Ok),
        Post::Failed => (Some("post.failed"), Ink::Bad),
    };
    let answered = office.page.answered();
    let loads = scene.say("loads", &[count(answered), count(knobs.files)]);
    let mut lines = vec![(loads, Ink::Secondary)];
    // The client's end of the youngest connection: a new one each time tells that it is another.
    let young = (0..PAGE_SLOTS).filter_map(|slot| office.conn(slot));
    if let Some(conn) = young.max_by_key(|conn| conn.number) {
        let port = format!("{} {}", scene.say("port", &[]), conn.port);
        lines.push((port, Ink::Secondary));
    }
    if let Some(word) = post {
        lines.push((scene.say(word, &[]), post_ink));
    }
    let failed = f64::from(u8::from(office.post == Post::Failed));
    let mut pencil = card(scene, BROWSER, ends.0, &lines);
    pencil
        .figure("failed", failed)
        .figure("answered", answered as f64);

    let works = scene.say("works", &[Arg::Number(knobs.server)]);
    let far = scene.say("far", &[Arg::Number(knobs.rtt)]);
    let mut lines = vec![(far, Ink::Secondary), (works, Ink::Secondary)];
    if knobs.hears != Hears::Off {
        let unread = office.unread.len();
        let ink = if unread > 0 { Ink::Hit } else { Ink::Secondary };
        lines.push((scene.say("unread", &[count(unread)]), ink));
    }
    let mut pencil = card(scene, SERVER, ends.1, &lines);
    pencil
        .figure("server", knobs.server)
        .figure("rtt", knobs.rtt);
}

fn card<'a>(
    scene: &'a mut Scene,
    id: engine::PartId,
    rect: Rect,
    lines: &[(String, Ink)],
) -> Pencil<'a> {
    let name = scene.name(id);
    let said: Vec<&str> = lines.iter().map(|(said, _)| said.as_str()).collect();
    let said = said.join(", ");
    let mut pencil = scene.thing(id, rect, said);
    pencil.bordered(rect, 12.0, Ink::Card, Ink::LineStrong, 1.5);
    pencil.bold(pt(rect.x + 12.0, rect.y + 24.0), 14.5, Ink::Ink, name);
    let mut y = rect.y + 44.0;
    for (said, ink) in lines {
        for part in text::wrap(said, 12.0, *ink != Ink::Secondary, rect.w - 20.0) {
            if *ink == Ink::Secondary {
                pencil.text(pt(rect.x + 12.0, y), 12.0, *ink, part);
            } else {
                pencil.bold(pt(rect.x + 12.0, y), 12.0, *ink, part);
            }
            y += 14.5;
        }
        y += 2.0;
    }
    pencil
}

/// Everything that is on its way, and what the server works on.
fn moving(office: &Browsing, at: Time, scene: &mut Scene, ends: (Rect, Rect)) {
    let count_ = pipe_count(office, &office.knobs);
    let (from, to) = (ends.0.x + ends.0.w + 7.0, ends.1.x - 7.0);
    let place = |share: f32, back: bool, y: f32| {
        let share = if back { 1.0 - share } else { share };
        pt(from + (to - from) * share.clamp(0.0, 1.0), y)
    };
    let half = Time(office.knobs.round_trip().0 / 2);
    for (_, conn) in office.conns.iter() {
        let y = pipe_y(conn.slot, count_, ends.0);
        if let Some(passing) = conn.passing {
            let share = at.progress(passing.from, passing.to);
            let p = place(share, passing.back, y);
            let size = if conn.is_shut() { DOT } else { SMALL };
            scene.particle(p, size, Glyph::Message, Ink::Warn, 0);
        }
        if conn.gap.is_some() {
            scene.particle(place(0.5, true, y), DOT, Glyph::Failure, Ink::Bad, 0);
        }
        let held = conn.held.iter().filter_map(|key| office.requests.get(*key));
        let held: Vec<&Request> = held.filter(|one| one.place != Place::Waits).collect();
        // What travels together is a train: together at both ends, one after another between them.
        let pitch = (0.3 * (to - from) / held.len().max(1) as f32).min(PITCH);
        let middle = (held.len() as f32 - 1.0) / 2.0;
        for (i, request) in held.iter().enumerate() {
            let number = request.number;
            let train = |share: f32, back: bool| {
                let apart = (4.0 * share.min(1.0 - share)).clamp(0.0, 1.0) * pitch;
                let at = place(share, back, y);
                pt(at.x + apart * (middle - i as f32), at.y)
            };
            let mut dot = |p, glyph, ink| scene.particle(p, DOT, glyph, ink, number);
            let beside = pitch * i as f32;
            match request.place {
                Place::Waits => {}
                Place::Out { from, to } => {
                    dot(
                        train(at.progress(from, to), false),
                        Glyph::Request,
                        Ink::Accent,
                    );
                }
                // What the server works on stands in a row at its end of the pipe.
                Place::Served => dot(pt(to - beside, y), Glyph::Request, Ink::Accent),
                Place::Sends(_) | Place::Back { .. } => {
                    let lost = request.lost.filter(|(_, again)| at < *again);
                    if let Some((left, _)) = lost {
                        let share = at.progress(left, left + half).min(0.5);
                        dot(place(share, true, y), Glyph::Failure, Ink::Bad);
                        continue;
                    }
                    let left = request.lost.map_or(request.flight, |(_, again)| again);
                    let share = at.progress(left, left + half);
                    // What came behind a loss stands at the client's end, and nobody may read it yet.
                    if share >= 1.0 {
                        dot(pt(from + beside, y), Glyph::Response, Ink::Ok);
                    } else {
                        dot(train(share, true), Glyph::Response, Ink::Ok);
                    }
                }
                Place::Reset { from, to } => {
                    dot(
                        place(at.progress(from, to), true, y),
                        Glyph::Failure,
                        Ink::Bad,
                    );
                }
            }
        }
    }
    let y = pipe_y(NEWS_SLOT, count_, ends.0);
    for frame in &office.frames {
        let left = Time(frame.seen.0.saturating_sub(half.0));
        let p = place(at.progress(left, frame.seen), true, y);
        scene.particle(p, DOT, Glyph::Replica, Ink::Hit, 0);
    }
}

/// The page as a waterfall; returns where it ends.
fn waterfall(
    office: &Browsing,
    knobs: &Settings,
    at: Time,
    scene: &mut Scene,
    top: f32,
    axis: Axis,
    margin: f32,
) -> f32 {
    let (page, narrow) = (&office.page, scene.narrow());
    let running = page.done.unwrap_or(at).since(page.begun);
    let args = [seconds(running), count(page.trips), count(page.empty)];
    let said = scene.say(
        if page.done.is_some() {
            "after"
        } else {
            "so-far"
        },
        &args,
    );
    let mut kinds = vec![
        (
            Sample::Ground,
            Ink::WarnSoft,
            scene.say("kind.connect", &[]),
        ),
        (Sample::Ground, Ink::HitSoft, scene.say("kind.keys", &[])),
        (Sample::Ground, Ink::Accent, scene.say("kind.asks", &[])),
        (Sample::Ground, Ink::Ok, scene.say("kind.answer", &[])),
        (Sample::Ground, Ink::Rail, scene.say("kind.waits", &[])),
    ];
    if page.rows.iter().any(|row| row.held.is_some()) {
        // Before what is said last: a narrow stage has no room for that.
        kinds.insert(
            4,
            (Sample::Ground, Ink::BadHatch, scene.say("kind.held", &[])),
        );
    }
    if !narrow && page.losses == 0 {
        let trips = grid_every(knobs, axis);
        let word = if trips == 1 {
            "kind.trip"
        } else {
            "kind.trips"
        };
        kinds.push((
            Sample::Line,
            Ink::LineStrong,
            scene.say(word, &[count(trips)]),
        ));
    }
    // Where both do not fit side by side, the legend has a line of its own.
    let stacked = scene.width < 780.0;
    let head_h = if stacked { 42.0 } else { 24.0 };
    let head = Rect::new(margin, top, scene.width - 2.0 * margin, head_h);
    let mut pencil = scene.thing(PAGE, head, said.clone());
    pencil
        .figure("total", running.as_s())
        .figure("trips", f64::from(page.trips))
        .figure("empty", f64::from(page.empty))
        .figure("answered", page.answered() as f64)
        .figure("behind", f64::from(page.behind))
        .figure("losses", f64::from(page.losses));
    let size = if narrow { 14.0 } else { 16.0 };
    let shown = fitting(std::slice::from_ref(&said), size, true, head.w - 4.0);
    pencil.bold(pt(margin + 2.0, top + 17.0), size, Ink::Ink, shown);
    let entries = kinds
        .iter()
        .map(|(_, _, said)| 37.0 + text::width(said, 12.0, false));
    let legend_at = if stacked {
        pt(margin, top + 36.0)
    } else {
        pt(head.x + head.w + 14.0 - entries.sum::<f32>(), top + 16.0)
    };
    legend(&mut pencil, legend_at, head.x + head.w, kinds);

    let files = knobs.files as usize;
    let shown = if narrow {
        files.min(ROWS_NARROW)
    } else {
        files
    };
    let rows_top = top + head_h + 6.0;
    let bottom = rows_top + ROW * shown as f32;
    grid(knobs, scene, axis, rows_top, bottom);
    if page.rows.iter().all(|row| row.done.is_none()) || page.done.is_some() {
        let mut pencil = scene.background();
        for (file, row) in office.ghost.iter().enumerate().take(shown) {
            if let (Some(from), Some(to)) = (row.sent, row.done) {
                let (a, b) = (axis.x(from), axis.x(to));
                let y = rows_top + ROW * file as f32;
                let bar = Rect::new(a, y + 2.5, (b - a).max(1.0), 10.0);
                pencil.dashed(bar, 2.0, Ink::None, Ink::Line, 1.0);
            }
        }
    }
    for (file, one) in page.rows.iter().enumerate().take(shown) {
        let y = rows_top + ROW * file as f32;
        file_row(office, at, scene, file, one, y, axis, margin);
    }
    if page.rows.len() > shown {
        let more = scene.say("more", &[count(page.rows.len() - shown)]);
        let at = pt(margin + 2.0, bottom + 11.0);
        scene.background().text(at, 11.0, Ink::Secondary, more);
        return bottom + 14.0;
    }
    bottom
}

/// From line to line of the grid, in round trips.
fn grid_every(knobs: &Settings, axis: Axis) -> u64 {
    let all = axis.span.0 / knobs.round_trip().0.max(1);
    (all as f32 * 7.0 / axis.width).ceil().max(1.0) as u64
}

/// A line for each round trip, or for some where they would be too dense.
fn grid(knobs: &Settings, scene: &mut Scene, axis: Axis, top: f32, bottom: f32) {
    let trip = knobs.round_trip().0.max(1);
    let (all, every) = (axis.span.0 / trip, grid_every(knobs, axis));
    let mut pencil = scene.background();
    for number in (0..=all).step_by(every as usize) {
        let x = axis.x(Time(number * trip));
        let line = format!(
            "M{} {}V{}",
            text::tenths(x),
            text::tenths(top),
            text::tenths(bottom)
        );
        pencil.line(line, Ink::Line, 0.75);
    }
}

/// One file: waiting, set-up, request and answer, each as wide as it lasts.
#[expect(
    clippy::too_many_arguments,
    reason = "where a row stands is three numbers and an axis"
)]
fn file_row(
    office: &Browsing,
    at: Time,
    scene: &mut Scene,
    file: usize,
    one: &Row,
    y: f32,
    axis: Axis,
    margin: f32,
) {
    let begun = office.page.begun;
    let now = one.done.unwrap_or(at);
    let took = Arg::Span(now.since(one.wanted));
    let state = if one.done.is_some() {
        "row.done"
    } else if one.sent.is_some() {
        "row.sent"
    } else if one.opened.is_some() {
        "row.opens"
    } else {
        "row.waits"
    };
    let said = scene.say(state, &[took]);
    let name = if file == 0 {
        scene.say("row.document", &[])
    } else {
        scene.say("row.file", &[count(file)])
    };
    let right = axis.left + axis.width;
    let mut pencil = scene.thing(
        row(file),
        Rect::new(margin, y, right - margin + 2.0, ROW),
        said,
    );
    pencil
        .figure("done", f64::from(u8::from(one.done.is_some())))
        .figure("took", now.since(one.wanted).as_s());
    pencil.text(pt(margin + 2.0, y + 11.5), 11.5, Ink::Secondary, name);
    let x = |moment: Time| axis.x(moment.since(begun));
    let mut bar = |from: Time, to: Time, tall: bool, fill: Ink, border: Ink| {
        let (a, b) = (x(from), x(to.min(now)));
        if to > from && b > a {
            let (dy, h) = if tall { (2.5, 10.0) } else { (4.5, 6.0) };
            pencil.bordered(Rect::new(a, y + dy, b - a, h), 1.5, fill, border, 0.75);
        }
    };
    let opened = one.opened.or(one.sent).unwrap_or(now);
    bar(one.wanted, opened, false, Ink::Rail, Ink::None);
    if let Some(opened) = one.opened {
        let ready = one.ready.unwrap_or(now);
        let connected = one.connected.unwrap_or(ready).min(ready);
        let (first, second) = if one.connected.is_some() || one.ready.is_none() {
            (connected, ready)
        } else {
            (opened, ready)
        };
        bar(opened, first, false, Ink::WarnSoft, Ink::Warn);
        bar(first, second, false, Ink::HitSoft, Ink::Hit);
        if let Some(sent) = one.sent {
            bar(ready, sent, false, Ink::Rail, Ink::None);
        }
    }
    if let Some(sent) = one.sent {
        let served = one.served.unwrap_or(now);
        bar(sent, served, true, Ink::Accent, Ink::Accent);
        let held = one.held;
        let read = held.map_or(now, |(arrives, _)| arrives);
        bar(served, read, true, Ink::Ok, Ink::Ok);
        if let Some((arrives, until)) = held {
            bar(arrives, until, true, Ink::BadHatch, Ink::Bad);
        }
    }
}

/// What each design takes on the axis of the page: by counting trips, and as run.
fn ladder(
    office: &Browsing,
    knobs: &Settings,
    scene: &mut Scene,
    top: f32,
    axis: Axis,
    margin: f32,
) -> f32 {
    let narrow = scene.narrow();
    let height = RUNG * Way::ALL.len() as f32 + 20.0;
    let frame = Rect::new(margin, top, scene.width - 2.0 * margin, height);
    let conditions = knobs.conditions();
    let marks = Way::ALL.map(|way| {
        let mark = office.marks.iter().rev().find(|mark| {
            mark.way == way && mark.fresh && mark.clean && mark.conditions == conditions
        });
        let theory = knobs.is_plain().then(|| knobs.theory(way, office.page.met));
        (way, mark.map(|mark| mark.total), theory)
    });
    let tried = marks.iter().filter(|(_, run, _)| run.is_some()).count();
    let title = scene.say("ladder", &[]);
    let mut said = vec![title.clone()];
    let mut rungs = Vec::new();
    for (way, run, theory) in marks {
        let name = scene.say(way_word(way), &[]);
        let time = run.or(theory);
        let told = match (run, theory) {
            (Some(total), _) => scene.say("rung.run", &[seconds(total)]),
            (None, Some(total)) => scene.say("rung.counted", &[seconds(total)]),
            (None, None) => scene.say("rung.open", &[]),
        };
        let short = time.map(|total| scene.say("rung.run", &[seconds(total)]));
        said.push(format!("{name}: {told}"));
        let told = [told, short.unwrap_or_default()];
        rungs.push((name, told, time, run.is_some(), way == knobs.way));
    }
    let mut pencil = scene.thing(LADDER, frame, said.join(", "));
    pencil.figure("tried", tried as f64);
    for (way, run, _) in marks {
        if let Some(run) = run {
            pencil.figure(way_figure(way), run.as_s());
        }
    }
    let room = frame.w - 4.0;
    let title = fitting(&[title], 12.0, true, room);
    pencil.bold(pt(margin + 2.0, top + 12.0), 12.0, Ink::Secondary, title);
    for (i, (name, told, time, ran, chosen)) in rungs.into_iter().enumerate() {
        let y = top + 20.0 + RUNG * i as f32;
        let ink = if chosen { Ink::Ink } else { Ink::Secondary };
        let name_room = axis.left - margin - 6.0;
        let name = fitting(&[name], 11.5, chosen, name_room);
        if chosen {
            pencil.bold(pt(margin + 2.0, y + 11.0), 11.5, ink, name);
        } else {
            pencil.text(pt(margin + 2.0, y + 11.0), 11.5, ink, name);
        }
        let x = time.map_or(axis.left, |time| axis.x(time));
        if time.is_some() {
            let bar = Rect::new(axis.left, y + 5.0, (x - axis.left).max(1.0), 5.0);
            if ran {
                pencil.filled(bar, 2.0, if chosen { Ink::Accent } else { Ink::Mark });
            } else {
                pencil.dashed(bar, 2.0, Ink::None, Ink::LineStrong, 1.0);
            }
            let mark = format!("M{} {}v13", text::tenths(x), text::tenths(y + 1.0));
            pencil.line(
                mark,
                if ran { Ink::Ink } else { Ink::Mark },
                if ran { 2.5 } else { 1.0 },
            );
        }
        let size = if narrow { 11.0 } else { 11.5 };
        let room = frame.x + frame.w - x - 6.0;
        let told = fitting(&told, size, ran, room);
        if ran {
            pencil.bold(pt(x + 6.0, y + 11.5), size, ink, told);
        } else {
            pencil.text(pt(x + 6.0, y + 11.5), size, Ink::Secondary, told);
        }
    }
    top + height
}

fn way_word(way: Way) -> &'static str {
    match way {
        Way::NewForEach => "way.new",
        Way::KeptOne => "way.one",
        Way::KeptSix => "way.six",
        Way::Http2 => "way.http2",
        Way::Http3 => "way.http3",
    }
}

fn way_figure(way: Way) -> &'static str {
    match way {
        Way::NewForEach => "new",
        Way::KeptOne => "one",
        Way::KeptSix => "six",
        Way::Http2 => "http2",
        Way::Http3 => "http3",
    }
}

/// News of the last seconds: each from its birth to the moment in which the client knew it, and the latest bytes.
fn news(
    office: &Browsing,
    knobs: &Settings,
    at: Time,
    scene: &mut Scene,
    top: f32,
    margin: f32,
) -> f32 {
    const LANES: u32 = 5;
    let narrow = scene.narrow();
    let frame = Rect::new(margin, top, scene.width - 2.0 * margin, 100.0);
    let mean = office.age_mean();
    let args = [
        Arg::Number((mean.unwrap_or(0.0) * 100.0).round() / 100.0),
        count(office.ages.1),
        count(office.asked),
    ];
    let title = match mean {
        Some(_) => scene.say("age", &args),
        None => scene.say("no-age", &[]),
    };
    let short = match mean {
        Some(_) => scene.say("age-short", &args),
        None => title.clone(),
    };
    let wire = match knobs.hears {
        Hears::WebSocket => {
            let (_, proof) = office.handshake();
            let last = office.seen.back().map(|seen| seen.born);
            let last = last.filter(|born| *born >= office.hears_since);
            match last {
                None => format!("{} {proof}", scene.say("accept", &[])),
                Some(born) => {
                    let bytes = Frame::new(Opcode::Text, text_of(born)).encode();
                    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
                    format!("{} {}", scene.say("frame", &[]), hex.join(" "))
                }
            }
        }
        Hears::LongPoll => scene.say("by.long", &[]),
        _ => {
            let trip = knobs.round_trip().as_s();
            let mean = connections::poll_delay_mean(knobs.poll, trip);
            let mean = Arg::Number((mean * 100.0).round() / 100.0);
            scene.say("by.poll", &[Arg::Number(knobs.poll), mean])
        }
    };
    let born = scene.say("born-axis", &[count(SPAN.0 / 1_000_000)]);
    let mut pencil = scene.thing(NEWS, frame, format!("{title}, {wire}"));
    pencil.figure("seen", f64::from(office.ages.1));
    if let Some(mean) = mean {
        pencil.figure("age", mean);
    }
    pencil.figure("asked", f64::from(office.asked));
    let room = frame.w - 4.0;
    let title = fitting(&[title, short], 14.0, true, room);
    pencil.bold(pt(margin + 2.0, top + 14.0), 14.0, Ink::Ink, title);
    let wire = fitting(&[wire], 11.5, false, room);
    pencil.text(pt(margin + 2.0, top + 30.0), 11.5, Ink::Secondary, wire);
    let (left, right) = (margin + 2.0, margin + frame.w - 2.0);
    let x = |moment: Time| {
        let ago = at.since(moment).as_s() / SPAN.as_s();
        right - (right - left) * (ago as f32).clamp(0.0, 1.0)
    };
    let base = top + 36.0;
    let floor = format!(
        "M{} {}H{}",
        text::tenths(left),
        text::tenths(base + 50.0),
        text::tenths(right)
    );
    pencil.line(floor, Ink::Line, 1.0);
    let size = if narrow { 11.0 } else { 11.5 };
    ending(
        &mut pencil,
        pt(right, top + 95.0),
        size,
        false,
        Ink::Secondary,
        born,
    );
    if at.since(office.hears_since) < SPAN {
        let since = format!(
            "M{} {}v46",
            text::tenths(x(office.hears_since)),
            text::tenths(base + 4.0)
        );
        pencil.dashed_line(since, Ink::Mark, 1.0);
    }
    let shown = office.seen.iter().filter(|seen| at.since(seen.born) < SPAN);
    let lane = |number: u32| base + 4.0 + 9.0 * (number % LANES) as f32;
    for seen in shown {
        let y = lane(seen.number);
        let (a, b) = (x(seen.born), x(seen.seen));
        pencil.filled(Rect::new(a, y, (b - a).max(2.0), 5.0), 2.0, Ink::Hit);
        pencil.mark(Glyph::Replica, pt(a, y + 2.5), 3.0, Ink::Hit);
    }
    for news in office.unread.iter().chain(&office.frames) {
        let (y, a) = (lane(news.number), x(news.born));
        pencil.bordered(
            Rect::new(a, y, (right - a).max(2.0), 5.0),
            2.0,
            Ink::HitSoft,
            Ink::Hit,
            1.0,
        );
    }
    top + 102.0
}
