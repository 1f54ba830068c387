//! The stage: nodes on a ring with their clocks, the ladder of elections, what the newest one cost, and the servers.

use super::group::{Brief, Order, Role};
use super::settings::{Method, Settings};
use super::state::{
    CHART, COUNTS, LADDER, NODES_MAX, Orchestra, Rung, SERVERS, State, clock_of, link, node, server,
};
use algorithms::protocol::Id;
use algorithms::raft::Entry;
use engine::scene::{Pencil, Rect, pt};
use engine::{Arg, Ink, PartId, Scene, Time, text};
use kit::cluster::{Chart, Mesh, chart, dial, messages, ring};
use kit::figures;
use kit::figures::label::{ending, fitting, pill};
use kit::layout::{Placed, Slot, Span, lay, part, space};

/// Where the nodes stand.
const GROUP: PartId = PartId::one("group");
/// How many servers run.
pub(super) const RUNNING: PartId = PartId::one("running");
const SERVER_H: f32 = 50.0;
/// The sequence chart shows so much, with lines so far apart.
const CHART_SPAN: Time = Time::ms(200);
const CHART_TICK: Time = Time::ms(50);
/// A node's card shows so many orders.
const ORDERS: usize = 6;

pub(super) fn draw(model: &Orchestra, knobs: &Settings, at: Time, scene: &mut Scene) {
    let narrow = scene.narrow();
    let placed = place(scene, narrow, knobs);
    let mesh = Mesh::of(cards(placed.of(GROUP), model.size(), narrow));
    for b in 2..=model.size() {
        for a in 1..b {
            wire(model, &mesh, a, b, scene);
        }
    }
    for id in model.ids() {
        card(model, id, mesh.card(id), at, scene);
    }
    ladder(model, placed.of(LADDER), scene);
    counts(model, placed.of(COUNTS), at, scene);
    for i in 0..SERVERS {
        one_server(model, i, placed.of(server(i)), at, scene);
    }
    running(model, placed.of(RUNNING), scene);
    if knobs.chart {
        let lanes: Vec<String> = model.ids().map(|id| scene.name(node(id))).collect();
        let ms = scene.say("ms-ago", &[]);
        let ago = |span: Time| format!("{}{ms}", text::trim_number(-span.as_ms()));
        let told = [Arg::Count(model.cluster.flights().count() as i64)];
        let (title, value) = (scene.say("chart", &[]), scene.say("chart.value", &told));
        let shown = Chart {
            part: CHART,
            rect: placed.of(CHART),
            title,
            value,
            lanes: &lanes,
            span: CHART_SPAN,
            tick: CHART_TICK,
            ago: &ago,
        };
        chart(&model.cluster, &shown, at, scene);
    }
    messages(&model.cluster, &mesh, at, scene);
}

fn place(scene: &mut Scene, narrow: bool, knobs: &Settings) -> Placed {
    let many = knobs.nodes >= 6;
    let row = |h: f32| {
        let mut slots = Vec::new();
        for i in 0..SERVERS {
            slots.push(part(server(i), Span::rest(56.0, 1.0), h));
            slots.push(space(if narrow { 6.0 } else { 10.0 }));
        }
        slots.push(part(RUNNING, Span::rest(60.0, 1.1), h));
        Slot::Row(slots)
    };
    let mut stage = if narrow {
        let group_h = if many { 510.0 } else { 370.0 };
        vec![
            part(GROUP, Span::rest(260.0, 1.0), group_h),
            space(10.0),
            part(LADDER, Span::rest(250.0, 1.0), 92.0),
            space(6.0),
            part(COUNTS, Span::rest(250.0, 1.0), 62.0),
            space(6.0),
            row(SERVER_H + 6.0),
        ]
    } else {
        let group_h = if many && scene.width < 720.0 {
            510.0
        } else {
            322.0
        };
        vec![
            Slot::Row(vec![
                part(GROUP, Span::rest(300.0, 1.0), group_h),
                space(14.0),
                Slot::Column(vec![
                    part(LADDER, (226.0, 268.0), 186.0),
                    space(10.0),
                    part(COUNTS, (226.0, 268.0), 126.0),
                ]),
            ]),
            space(12.0),
            row(SERVER_H),
        ]
    };
    if knobs.chart {
        stage.push(space(10.0));
        let lanes = 26.0 * knobs.nodes as f32;
        stage.push(part(CHART, Span::rest(250.0, 1.0), 56.0 + lanes));
    }
    lay(scene, &Slot::Column(stage))
}

/// The cards of the nodes on their ring.
fn cards(area: Rect, count: Id, narrow: bool) -> Vec<Rect> {
    let (share, h) = if count > 5 {
        (0.29, 78.0)
    } else {
        (0.34, 82.0)
    };
    let most = match (count, narrow || area.w < 440.0) {
        (6.., true) => 96.0,
        (_, true) => 108.0,
        (6.., false) => 116.0,
        (_, false) => 128.0,
    };
    let size = ((share * area.w).min(most), h);
    ring(area, usize::from(count), size)
}

fn wire(model: &Orchestra, mesh: &Mesh, a: Id, b: Id, scene: &mut Scene) {
    let net = &model.cluster.net;
    let open = net.reaches(a, b) && net.reaches(b, a);
    let (from, to) = mesh.way(a, b);
    let value = scene.say(if open { "link.open" } else { "link.cut" }, &[]);
    let frame = Rect::new(
        from.x.min(to.x),
        from.y.min(to.y),
        (from.x - to.x).abs(),
        (from.y - to.y).abs(),
    );
    let [ax, ay, bx, by] = [from.x, from.y, to.x, to.y].map(text::tenths);
    let d = format!("M{ax} {ay}L{bx} {by}");
    let mut pencil = scene.link(link(a, b), frame, value);
    if open {
        pencil.line(d, Ink::Line, 1.0);
    } else {
        pencil.dashed_line(d, Ink::Bad, 2.5);
    }
}

/// What a card says of a node's role, long and short, and the inks of its words and its border.
fn role(model: &Orchestra, id: Id, brief: Option<Brief>, scene: &Scene) -> ([String; 2], Ink, Ink) {
    let Some(brief) = brief else {
        return (
            ["down", "down"].map(|word| scene.say(word, &[])),
            Ink::Bad,
            Ink::Bad,
        );
    };
    if !model.cluster.runs(id) {
        return (
            ["paused", "paused"].map(|word| scene.say(word, &[])),
            Ink::Warn,
            Ink::Line,
        );
    }
    let (words, ink, border) = match (brief.role, brief.leader) {
        (Role::Leads, _) if model.charge != Some(id) => {
            (["believes", "believes.short"], Ink::Warn, Ink::Warn)
        }
        (Role::Leads, _) => (["leads"; 2], Ink::Ok, Ink::Ok),
        (Role::Candidate, _) => (["asks", "asks.short"], Ink::Warn, Ink::Warn),
        (Role::Asks, _) => (["asks-whether", "asks.short"], Ink::Warn, Ink::Warn),
        (Role::Follows, Some(_)) => (
            ["follows", "follows.short"],
            Ink::Secondary,
            Ink::LineStrong,
        ),
        (Role::Follows, None) => (["waits", "waits.short"], Ink::Secondary, Ink::LineStrong),
    };
    let leader = [Arg::Count(brief.leader.unwrap_or(0).into())];
    (words.map(|word| scene.say(word, &leader)), ink, border)
}

/// A node: its role and term, a ring that drains, whom it voted for, its last orders.
fn card(model: &Orchestra, id: Id, rect: Rect, at: Time, scene: &mut Scene) {
    let brief = model.brief(id);
    let (words, ink, border) = role(model, id, brief, scene);
    let raft = model.method() == Method::Raft;
    let name = scene.name(node(id));
    let clock = clock_of(model, id).filter(|_| model.cluster.runs(id));
    let left = clock.and_then(|(clock, leads)| if leads { Some(1.0) } else { clock.left(at) });
    let disk = model.cluster.disk(id).filter(|_| raft);
    let term = disk.as_ref().map_or(0, |disk| disk.term);
    let voted = disk
        .as_ref()
        .and_then(|disk| disk.voted_for)
        .filter(|_| brief.is_some());
    let told = [
        Arg::Count(term as i64),
        Arg::Count(voted.unwrap_or(0).into()),
    ];
    let terms = if !raft {
        [String::new(), String::new()]
    } else if voted.is_some() {
        ["term.voted", "term.voted.short"].map(|word| scene.say(word, &told))
    } else {
        ["term", "term.short"].map(|word| scene.say(word, &told))
    };
    let log = disk.as_ref().map_or(&[][..], |disk| disk.log.entries());
    let commit = brief.map_or(0, |brief| brief.commit) as usize;
    let hollow = |(at, entry): (usize, &Entry<Order>)| entry.command.is_some() && at >= commit;
    let orders = log.iter().filter(|entry| entry.command.is_some()).count();
    let open = log
        .iter()
        .enumerate()
        .filter(|(at, entry)| hollow((*at, entry)))
        .count();
    let mut spoken = vec![words[0].clone()];
    if raft {
        let counts = [Arg::Count(orders as i64), Arg::Count(open as i64)];
        spoken.extend([terms[0].clone(), scene.say("orders", &counts)]);
    }
    let is = |yes: bool| f64::from(u8::from(yes));
    let mut pencil = scene.thing(node(id), rect, spoken.join(", "));
    pencil
        .figure("up", is(brief.is_some()))
        .figure(
            "leads",
            is(brief.is_some_and(|brief| brief.role == Role::Leads)),
        )
        .figure("term", term as f64)
        .figure("orders", orders as f64)
        .figure("open", if brief.is_some() { open as f64 } else { 0.0 });
    if brief.is_none() {
        pencil.dashed(rect, 10.0, Ink::BadHatch, Ink::Bad, 1.5);
        let label = Rect::new(rect.x + 6.0, rect.y + 6.0, rect.w - 12.0, 36.0);
        pencil.filled(label, 6.0, Ink::Card);
    } else {
        let width = if border == Ink::LineStrong { 1.5 } else { 2.5 };
        pencil.bordered(rect, 10.0, Ink::Card, border, width);
    }
    let (x, room) = (rect.x + 10.0, rect.w - 18.0);
    pencil.bold(pt(x, rect.y + 19.0), 13.5, Ink::Ink, name);
    if let Some(left) = left {
        let leads = clock.is_some_and(|(_, leads)| leads);
        let ink = match left {
            _ if leads => Ink::Ok,
            ..0.25 => Ink::Warn,
            _ => Ink::Accent,
        };
        dial(
            &mut pencil,
            pt(rect.x + rect.w - 17.0, rect.y + 16.5),
            9.5,
            left,
            ink,
        );
    }
    let status = fitting(&words, 12.0, true, room);
    pencil.bold(pt(x, rect.y + 39.0), 12.0, ink, status);
    if brief.is_none() {
        return;
    }
    let terms = fitting(&terms, 11.0, false, room);
    pencil.text(pt(x, rect.y + 54.0), 11.0, Ink::Secondary, terms);
    cells(&mut pencil, log, commit, rect);
}

/// The last orders of a log: hollow until they count.
fn cells(pencil: &mut Pencil<'_>, log: &[Entry<Order>], commit: usize, rect: Rect) {
    let fits = ((rect.w - 16.0) / 17.0) as usize;
    let orders: Vec<(usize, Order)> = log
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| Some((at, entry.command?)))
        .collect();
    let skip = orders.len().saturating_sub(ORDERS.min(fits));
    for (place, (at, order)) in orders.into_iter().skip(skip).enumerate() {
        let cell = Rect::new(
            rect.x + 9.0 + 17.0 * place as f32,
            rect.y + rect.h - 20.0,
            15.0,
            15.0,
        );
        if at < commit {
            pencil.bordered(cell, 3.0, Ink::OkSoft, Ink::Ok, 1.0);
        } else {
            pencil.dashed(cell, 3.0, Ink::None, Ink::Warn, 1.5);
        }
        let label = (order.server + 1).to_string();
        pencil.centred(pt(cell.x + 7.5, cell.y + 11.5), 11.0, true, Ink::Ink, label);
    }
}

fn whole_ms(span: Time) -> Arg {
    Arg::Count((span.as_ms() + 0.5) as i64)
}

/// What the ladder says of an election: its name, its outcome long and short, and the ink of that.
fn rung_words(model: &Orchestra, rung: &Rung, scene: &Scene) -> (String, [String; 2], Ink) {
    let raft = model.method() == Method::Raft;
    let name = scene.say(
        if raft { "rung.term" } else { "rung" },
        &[Arg::Count(rung.term as i64)],
    );
    match rung.leader {
        Some((id, when)) => {
            let span = whole_ms(when.since(rung.began));
            let votes = Arg::Count(rung.votes_of(id) as i64);
            let told = [Arg::Count(id.into()), votes, span];
            let words = if raft {
                ["won", "won.short"]
            } else {
                ["won.plain", "won.plain.short"]
            };
            (name, words.map(|word| scene.say(word, &told)), Ink::Ok)
        }
        None => {
            let mut split: Vec<usize> = (1..=NODES_MAX as Id).map(|id| rung.votes_of(id)).collect();
            split.retain(|votes| *votes > 0);
            let votes: Vec<String> = split.iter().map(usize::to_string).collect();
            let nobody = scene.say("nobody", &[]);
            let long = if votes.is_empty() {
                nobody.clone()
            } else {
                format!("{nobody}: {}", votes.join(", "))
            };
            (name, [long, nobody], Ink::Secondary)
        }
    }
}

/// The newest elections, one below the other; a leader of an older one that still believes keeps a hatched rung.
fn ladder(model: &Orchestra, rect: Rect, scene: &mut Scene) {
    let leaders = model.leaders();
    let rows = ((rect.h - 26.0) / 22.0) as usize;
    let rungs: Vec<(String, [String; 2], Ink, bool)> = model
        .rungs
        .iter()
        .rev()
        .take(rows)
        .map(|rung| {
            let (name, words, ink) = rung_words(model, rung, scene);
            let believes = rung.leader.is_some_and(|(id, _)| {
                let leads = leaders
                    .iter()
                    .any(|(other, term)| *other == id && (*term == 0 || *term == rung.term));
                leads && model.charge != Some(id)
            });
            (name, words, ink, believes)
        })
        .collect();
    let title = scene.say("ladder", &[]);
    let none = scene.say("no-term", &[]);
    let spoken: Vec<String> = rungs
        .iter()
        .map(|(name, words, ..)| format!("{name}: {}", words[0]))
        .collect();
    let spoken = if spoken.is_empty() {
        none.clone()
    } else {
        spoken.join("; ")
    };
    let newest = model.rungs.back();
    let held = newest.and_then(|rung| rung.leader).map_or(0, |(id, _)| id);
    let misses = model.misses;
    // What a node that was alone has counted up to meanwhile.
    let counted = model.alone.map_or(0, |alone| {
        let term = model.cluster.disk(alone.node).map_or(0, |disk| disk.term);
        term.saturating_sub(alone.term)
    });
    let mut pencil = scene.thing(LADDER, rect, spoken);
    pencil
        .figure("term", newest.map_or(0, |rung| rung.term) as f64)
        .figure("leader", f64::from(held))
        .figure("votes", newest.map_or(0, |rung| rung.votes_of(held)) as f64)
        .figure("leaders", leaders.len() as f64)
        .figure("vain", f64::from(model.in_vain))
        .figure("yes", misses.map_or(0.0, |misses| f64::from(misses.yes)))
        .figure("no", misses.map_or(0.0, |misses| f64::from(misses.no)))
        .figure("counted", counted as f64);
    figures::panel(&mut pencil, rect, title);
    if rungs.is_empty() {
        pencil.text(pt(rect.x + 10.0, rect.y + 40.0), 12.0, Ink::Secondary, none);
    }
    for (place, (name, words, ink, believes)) in rungs.into_iter().enumerate() {
        let y = rect.y + 26.0 + 22.0 * place as f32;
        let row = Rect::new(rect.x + 6.0, y, rect.w - 12.0, 19.0);
        if believes {
            pencil.bordered(row, 5.0, Ink::BadHatch, Ink::Warn, 1.0);
            let inner = Rect::new(row.x + 4.0, row.y + 2.0, row.w - 8.0, row.h - 4.0);
            pencil.filled(inner, 4.0, Ink::Card);
        } else if place == 0 && ink == Ink::Ok {
            pencil.filled(row, 5.0, Ink::OkSoft);
        }
        let name_w = text::width(&name, 12.0, true);
        pencil.bold(pt(row.x + 8.0, y + 14.0), 12.0, Ink::Ink, name);
        let words = fitting(&words, 12.0, false, row.w - name_w - 26.0);
        ending(
            &mut pencil,
            pt(row.x + row.w - 8.0, y + 14.0),
            12.0,
            false,
            ink,
            words,
        );
    }
}

/// What the newest election took, and how long nobody was in charge.
fn counts(model: &Orchestra, rect: Rect, at: Time, scene: &mut Scene) {
    let newest = model.rungs.back();
    let messages = newest.map_or([0; 4], |rung| rung.messages);
    let told = messages.map(|n| Arg::Count(n.into()));
    let sent = newest.map_or(0, Rung::sent);
    let words = match model.method() {
        Method::Raft => "counts.raft",
        Method::Bully => "counts.bully",
        Method::Ring => "counts.ring",
    };
    let long = scene.say(words, &told);
    let total = scene.say("counts.all", &[Arg::Count(sent.into())]);
    let gap = match model.vacant {
        Some(since) => at.since(since),
        None => model.gap,
    };
    let vacant = model.vacant.is_some();
    let gaps = if vacant {
        ["gap.now", "gap.now.short"]
    } else {
        ["gap.was", "gap.was.short"]
    };
    let gaps = gaps.map(|word| scene.say(word, &[whole_ms(gap)]));
    let fallen = scene.say("fallen", &[Arg::Count(model.fallen_since.into())]);
    let title = scene.say("counts", &[]);
    let narrow = scene.narrow();
    let mut pencil = scene.thing(
        COUNTS,
        rect,
        [total.clone(), long.clone(), gaps[0].clone(), fallen.clone()].join(", "),
    );
    pencil
        .figure("sent", f64::from(sent))
        .figure("gap", gap.as_ms())
        .figure("vacant", f64::from(u8::from(vacant)))
        .figure("fallen", f64::from(model.fallen_since));
    figures::panel(&mut pencil, rect, title);
    let (x, room) = (rect.x + 10.0, rect.w - 20.0);
    let ink = if vacant { Ink::Bad } else { Ink::Ink };
    if narrow {
        ending(
            &mut pencil,
            pt(rect.x + rect.w - 10.0, rect.y + 17.0),
            12.0,
            true,
            Ink::Ink,
            total,
        );
        pencil.bold(
            pt(x, rect.y + 36.0),
            12.0,
            ink,
            fitting(&gaps, 12.0, true, room),
        );
        pencil.text(
            pt(x, rect.y + 53.0),
            11.0,
            Ink::Secondary,
            fitting(&[long, fallen], 11.0, false, room),
        );
        return;
    }
    pencil.bold(pt(x, rect.y + 40.0), 16.0, Ink::Ink, total);
    pencil.text(
        pt(x, rect.y + 58.0),
        11.5,
        Ink::Secondary,
        fitting(&[long], 11.5, false, room),
    );
    pencil.bold(
        pt(x, rect.y + 84.0),
        12.5,
        ink,
        fitting(&gaps, 12.5, true, room),
    );
    let ink = if model.fallen_since > 0 {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    pencil.text(
        pt(x, rect.y + 108.0),
        11.5,
        ink,
        fitting(&[fallen], 11.5, false, room),
    );
}

fn one_server(model: &Orchestra, i: usize, rect: Rect, at: Time, scene: &mut Scene) {
    let one = &model.servers[i];
    let boots = Time::from_ms(model.knobs.boots);
    let twice = model.twice.filter(|twice| usize::from(twice.server) == i);
    let (words, ink, border) = match one.state {
        _ if twice.is_some() => (["server.twice", "server.twice.short"], Ink::Bad, Ink::Bad),
        State::Runs => (["server.runs"; 2], Ink::Secondary, Ink::LineStrong),
        State::Dead => (["server.dead", "server.dead.short"], Ink::Bad, Ink::Bad),
        State::Starts(_) => (
            ["server.starts", "server.starts.short"],
            Ink::Warn,
            Ink::LineStrong,
        ),
    };
    let by = [Arg::Count(one.by.into())];
    let words = words.map(|word| scene.say(word, &by));
    let name = scene.name(server(i));
    let mut pencil = scene.thing(server(i), rect, words[0].clone());
    pencil
        .figure("runs", f64::from(u8::from(one.state == State::Runs)))
        .figure("dead", f64::from(u8::from(one.state == State::Dead)))
        .figure("started", f64::from(one.started));
    match one.state {
        State::Dead => {
            pencil.dashed(rect, 10.0, Ink::BadHatch, border, 1.5);
            let label = Rect::new(rect.x + 6.0, rect.y + 5.0, rect.w - 12.0, 34.0);
            pencil.filled(label, 6.0, Ink::Card);
        }
        _ => {
            let width = if border == Ink::LineStrong { 1.5 } else { 2.0 };
            pencil.bordered(rect, 10.0, Ink::Card, border, width);
        }
    }
    let room = rect.w - 20.0;
    pencil.bold(
        pt(rect.x + 10.0, rect.y + 18.0),
        13.0,
        Ink::Ink,
        fitting(&[name], 13.0, true, room),
    );
    let words = fitting(&words, 11.5, true, room);
    pencil.bold(pt(rect.x + 10.0, rect.y + 34.0), 11.5, ink, words);
    if let State::Starts(until) = one.state {
        let bar = Rect::new(rect.x + 10.0, rect.y + rect.h - 11.0, room, 5.0);
        pencil.meter(bar, at.progress(until - boots, until), Ink::Warn, false);
    }
}

/// How many servers run, of how many that are wanted: one too many where two have acted.
fn running(model: &Orchestra, rect: Rect, scene: &mut Scene) {
    let runs = model
        .servers
        .iter()
        .filter(|one| one.state == State::Runs)
        .count();
    let extra = model.twice.is_some_and(|twice| twice.runs);
    let all = runs + usize::from(extra);
    let told = [Arg::Count(all as i64), Arg::Count(SERVERS as i64)];
    let words = ["running", "running.short"].map(|word| scene.say(word, &told));
    let twice = scene.say("running.twice", &[]);
    let spoken = if extra {
        format!("{}, {twice}", words[0])
    } else {
        words[0].clone()
    };
    let mut pencil = scene.thing(RUNNING, rect, spoken);
    pencil
        .figure("running", all as f64)
        .figure("twice", f64::from(u8::from(extra)));
    let (ground, border) = if extra {
        (Ink::BadSoft, Ink::Bad)
    } else {
        (Ink::None, Ink::Line)
    };
    pencil.bordered(rect, 10.0, ground, border, 1.0);
    let ink = match all {
        _ if extra => Ink::Bad,
        SERVERS => Ink::Ok,
        _ => Ink::Warn,
    };
    let room = rect.w - 16.0;
    let words = fitting(&words, 13.0, true, room);
    let middle = rect.centre();
    if extra {
        pencil.centred(pt(middle.x, rect.y + 19.0), 13.0, true, ink, words);
        pill(
            &mut pencil,
            pt(middle.x, rect.y + 35.0),
            fitting(&[twice], 12.0, true, room - 16.0),
            Ink::Card,
            Ink::Bad,
        );
    } else {
        pencil.centred(pt(middle.x, middle.y + 4.5), 13.0, true, ink, words);
    }
}
