//! The stage: two cities, side by side or one above the other, and the cable between them.

use super::model::{
    CABLE_PART, CLIENTS, Ending, Flight, LOCAL, LOSS_SHOWN, Leg, Partition, RECEIPTS, Request,
    SITES, Settings, VERSIONS, Want, Word, replica_part,
};
use super::replica::{Reconcile, Rule, Store, THINGS, Thing};
use algorithms::quorum::{self, WriteAnswer};
use engine::scene::{Point, Rect, Shape, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::{self, DOT, label};
use std::fmt::Write;

/// Stages narrower than this put one city above the other: two would leave no room for values.
const STACKED: f32 = 700.0;
/// How far answers travel beside the way of questions.
const LANE: f32 = 6.0;
/// Half of the gap that a cut leaves.
const GAP: f32 = 16.0;
/// A failure shows at least this long on the card of its client.
const FAILURE_SHOWN: Time = Time::ms(1_200);
/// A change shows this long on the border of a card.
const PULSE: Time = Time::ms(300);

/// Where everything stands.
struct Layout {
    stacked: bool,
    sites: [Rect; 2],
    heads: [Rect; 2],
    cards: Vec<Rect>,
    /// Where each card meets the network of its city.
    ports: Vec<Point>,
    /// The height of each city's network.
    buses: [f32; 2],
    clients: [Rect; 2],
    client_ports: [Point; 2],
    /// Where the cable leaves each city's network.
    gates: [Point; 2],
    middle: Point,
    cable: Rect,
    receipts: Rect,
    /// A place among the cards with nothing in it, for a word on the city.
    spare: [Option<Rect>; 2],
    /// The table of version vectors below the cities.
    versions: Rect,
}

impl Layout {
    fn of(model: &Partition, scene: &mut Scene) -> Layout {
        let mut layout = if scene.width < STACKED {
            Layout::stacked(model, scene)
        } else {
            Layout::side_by_side(model, scene)
        };
        if model.rule(0) == Rule::Alone(Reconcile::Both) {
            let x = layout.sites[0].x;
            let h = if layout.stacked { 136.0 } else { 96.0 };
            layout.versions = Rect::new(x, scene.height, scene.width - 2.0 * x, h);
            scene.height += h + x;
        }
        layout
    }

    fn side_by_side(model: &Partition, scene: &mut Scene) -> Layout {
        let w = scene.width;
        let gap = if w >= 820.0 { 160.0 } else { 128.0 };
        let site_w = (w - 24.0 - gap) / 2.0;
        let (card_h, top) = (96.0, 12.0);
        let counts = [0, 1].map(|site| model.of_site(site).count());
        let two_rows = counts.iter().any(|count| *count > 2);
        let rows = top + 46.0;
        let bus = rows + card_h + 18.0;
        let client_y = if two_rows {
            bus + 18.0 + card_h + 14.0
        } else {
            bus + 18.0
        };
        let bottom: f32 = client_y + 74.0 + 14.0;
        scene.height = (bottom + 12.0).max(360.0);
        let sites = [0, 1].map(|i| {
            let x = 12.0 + (site_w + gap) * i as f32;
            Rect::new(x, top, site_w, scene.height - 24.0)
        });
        let card_w = (site_w - 32.0 - 28.0) / 2.0;
        let slot = |site: usize, k: usize| {
            let x = sites[site].x + 16.0 + (card_w + 28.0) * (k % 2) as f32;
            let y = if k < 2 { rows } else { bus + 18.0 };
            Rect::new(x, y, card_w, card_h)
        };
        let mut cards = Vec::new();
        let mut ports = Vec::new();
        for (site, count) in counts.into_iter().enumerate() {
            for k in 0..count {
                let card = slot(site, k);
                ports.push(if k < 2 { card.bottom() } else { card.top() });
                cards.push(card);
            }
        }
        let middle = pt(w / 2.0, bus);
        let client = |i: usize| Rect::new(sites[i].x + 16.0, client_y, site_w - 32.0, 74.0);
        let spare = [0, 1].map(|i| (two_rows && counts[i] < 4).then(|| slot(i, counts[i].max(2))));
        Layout {
            stacked: false,
            heads: sites.map(|site| Rect::new(site.x + 16.0, site.y + 10.0, site.w - 32.0, 28.0)),
            cards,
            ports,
            buses: [bus, bus],
            clients: [client(0), client(1)],
            client_ports: [0, 1].map(|i| client(i).top()),
            gates: [sites[0].x + sites[0].w, sites[1].x].map(|x| pt(x, bus)),
            middle,
            cable: Rect::new(w / 2.0 - gap / 2.0 + 4.0, bus - 66.0, gap - 8.0, 90.0),
            receipts: Rect::new(w / 2.0 - gap / 2.0 + 10.0, bus + 42.0, gap - 20.0, 112.0),
            sites,
            spare,
            versions: Rect::default(),
        }
    }

    fn stacked(model: &Partition, scene: &mut Scene) -> Layout {
        let w = scene.width;
        let most: usize = match w {
            ..400.0 => 2,
            ..600.0 => 3,
            _ => 4,
        };
        let (card_h, left, right) = (86.0, 34.0, 30.0);
        let room = w - 16.0 - left - right;
        let card_w = (room - 8.0 * (most - 1) as f32) / most as f32;
        let lane = w - 8.0 - 15.0;
        let mut sites = [Rect::default(); 2];
        let mut buses = [0.0; 2];
        let (mut cards, mut ports, mut clients) = (Vec::new(), Vec::new(), [Rect::default(); 2]);
        let mut y = 8.0;
        let mut between = Rect::default();
        for site in 0..2 {
            let count = model.of_site(site).count();
            let (above, below) = (count.min(most), count.saturating_sub(most));
            let top = y + 36.0;
            let bus = top + card_h + 13.0;
            buses[site] = bus;
            for k in 0..count {
                let (column, card_y) = if k < above {
                    (k, top)
                } else {
                    (k - above, bus + 13.0)
                };
                let x = 8.0 + left + (card_w + 8.0) * column as f32;
                let card = Rect::new(x, card_y, card_w, card_h);
                ports.push(if k < above { card.bottom() } else { card.top() });
                cards.push(card);
            }
            let client_y = if below > 0 {
                bus + 13.0 + card_h + 10.0
            } else {
                bus + 14.0
            };
            clients[site] = Rect::new(16.0, client_y, w - 16.0 - 8.0 - right, 70.0);
            sites[site] = Rect::new(8.0, y, w - 16.0, client_y + 80.0 - y);
            y = sites[site].y + sites[site].h;
            if site == 0 {
                between = Rect::new(8.0, y, w - 16.0, 104.0);
                y += 104.0;
            }
        }
        scene.height = y + 8.0;
        let words = 124.0;
        Layout {
            stacked: true,
            heads: sites
                .map(|site| Rect::new(site.x + 8.0, site.y + 5.0, site.w - 8.0 - right, 28.0)),
            cards,
            ports,
            client_ports: clients.map(|client| pt(29.0, client.y)),
            clients,
            gates: [0, 1].map(|i| pt(lane, buses[i])),
            middle: pt(lane, between.centre().y),
            cable: Rect::new(w - 8.0 - words, between.y + 2.0, words, between.h - 4.0),
            receipts: Rect::new(
                8.0,
                between.y + 10.0,
                w - 16.0 - words - 8.0,
                between.h - 20.0,
            ),
            buses,
            sites,
            spare: [None, None],
            versions: Rect::default(),
        }
    }

    fn on_bus(&self, site: usize, at: Point) -> Point {
        pt(at.x, self.buses[site])
    }

    /// The way between two replicas: in one piece within a city, in two, up to the middle of the cable and on,
    /// between cities.
    fn way(&self, from: (usize, usize), to: (usize, usize)) -> (Vec<Point>, Vec<Point>) {
        let ((from, near), (to, far)) = (from, to);
        let (start, end) = (self.ports[from], self.ports[to]);
        let (on, off) = (self.on_bus(near, start), self.on_bus(far, end));
        if near == far {
            return (vec![start, on, off, end], Vec::new());
        }
        (
            vec![start, on, self.gates[near], self.middle],
            vec![self.middle, self.gates[far], off, end],
        )
    }
}

/// The point at `share` of a way.
fn along(way: &[Point], share: f32) -> Point {
    let length = |a: Point, b: Point| (b.x - a.x).abs() + (b.y - a.y).abs();
    let whole: f32 = way.windows(2).map(|pair| length(pair[0], pair[1])).sum();
    let mut left = whole * share.clamp(0.0, 1.0);
    for pair in way.windows(2) {
        let piece = length(pair[0], pair[1]);
        if left <= piece && piece > 0.0 {
            let share = left / piece;
            let between = |a: f32, b: f32| a + (b - a) * share;
            return pt(between(pair[0].x, pair[1].x), between(pair[0].y, pair[1].y));
        }
        left -= piece;
    }
    way.last().copied().unwrap_or_default()
}

/// Path data through points.
fn through(points: &[Point]) -> String {
    let mut d = String::new();
    for (i, p) in points.iter().enumerate() {
        d.push_str(&format!(
            "{}{} {}",
            if i == 0 { "M" } else { "L" },
            tenths(p.x),
            tenths(p.y)
        ));
    }
    d
}

/// Draws the system at `at`.
pub(super) fn draw(model: &Partition, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(model, scene);
    ground(model, &layout, scene);
    for site in 0..2 {
        head(site, model, &layout, scene);
        for index in model.of_site(site) {
            replica(index, model, at, &layout, scene);
        }
        client(site, model, at, &layout, scene);
        if site == 0 {
            cable(model, knobs, at, &layout, scene);
            receipts(model, &layout, scene);
        }
    }
    if layout.versions.h > 0.0 {
        versions(model, &layout, scene);
    }
    for flight in model.flights.values() {
        message(flight, model, at, &layout, scene);
    }
    for request in model.requests.values() {
        dot(request, model, at, &layout, scene);
    }
}

/// The cities and their networks, which are no parts.
fn ground(model: &Partition, layout: &Layout, scene: &mut Scene) {
    let verdicts = [0, 1].map(|site| verdict(site, model, scene));
    let mut pencil = scene.background();
    if model.cut.is_some() {
        // The cut parts the cities from edge to edge, so that it is seen before it is read.
        let [a, b] = layout.sites;
        let strait = if layout.stacked {
            Rect::new(a.x, a.y + a.h, a.w, b.y - a.y - a.h)
        } else {
            Rect::new(a.x + a.w, a.y, b.x - a.x - a.w, a.h)
        };
        pencil.filled(strait.grown(-3.0), 6.0, Ink::BadSoft);
    }
    for (site, (heading, detail, ink)) in verdicts.iter().enumerate() {
        pencil.bordered(layout.sites[site], 14.0, Ink::Paper, Ink::Line, 1.5);
        let gate = layout.gates[site];
        let client = layout.client_ports[site];
        let mut ends = vec![gate.x, client.x];
        for index in model.of_site(site) {
            let port = layout.ports[index];
            ends.push(port.x);
            let stub = through(&[port, layout.on_bus(site, port)]);
            if model.replicas[index].crashed.is_some() {
                pencil.dashed_line(stub, Ink::Bad, 1.5);
            } else {
                pencil.line(stub, Ink::Mark, 1.5);
            }
        }
        let (from, to) = ends
            .iter()
            .fold((f32::MAX, f32::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        let bus = layout.buses[site];
        pencil.line(through(&[pt(from, bus), pt(to, bus)]), Ink::Mark, 1.5);
        pencil.line(
            through(&[client, layout.on_bus(site, client)]),
            Ink::Mark,
            1.5,
        );
        if let Some(spare) = layout.spare[site] {
            let mut y = spare.y + 24.0;
            for line in text::wrap(heading, 13.0, true, spare.w) {
                pencil.bold(pt(spare.x, y), 13.0, *ink, line);
                y += 17.0;
            }
            for line in text::wrap(detail, 12.0, false, spare.w) {
                pencil.text(pt(spare.x, y), 12.0, Ink::Secondary, line);
                y += 15.5;
            }
        }
    }
}

/// What a city can do now: a heading, a detail and a colour.
fn verdict(site: usize, model: &Partition, scene: &Scene) -> (String, String, Ink) {
    let needed = [Arg::Count(i64::from(quorum::majority(
        model.replicas.len() as u32,
    )))];
    let other = [Arg::Part(SITES[1 - site])];
    let any = (0..2).any(|thing| model.rule(thing) != Rule::Majority);
    let all = (0..2).all(|thing| model.rule(thing) != Rule::Majority);
    let (heading, detail, ink) = match (model.may(site, 0), all) {
        (None, _) => ("verdict.down", "detail.down", Ink::Bad),
        (_, true) if model.cut.is_some() => ("verdict.alone-cut", "detail.alone-cut", Ink::Warn),
        (_, true) => ("verdict.alone", "detail.alone", Ink::Ink),
        (Some(WriteAnswer::Refused), _) if any => {
            ("verdict.minority-each", "detail.minority-each", Ink::Bad)
        }
        (Some(WriteAnswer::Refused), _) => ("verdict.minority", "detail.minority", Ink::Bad),
        _ if model.cut.is_some() => ("verdict.majority-cut", "detail.majority-cut", Ink::Ok),
        _ => ("verdict.majority", "detail.majority", Ink::Ink),
    };
    let args = if detail.starts_with("detail.alone") {
        &other
    } else {
        &needed
    };
    (scene.say(heading, &needed), scene.say(detail, args), ink)
}

/// A city's name and how many replicas it reaches.
fn head(site: usize, model: &Partition, layout: &Layout, scene: &mut Scene) {
    let nodes = model.replicas.len() as u32;
    let reached = model.reachable(site);
    let numbers = [Arg::Count(i64::from(reached)), Arg::Count(i64::from(nodes))];
    let voting = (0..2).any(|thing| model.rule(thing) == Rule::Majority);
    let (word, ground, ink) = match (voting, reached >= quorum::majority(nodes)) {
        _ if reached == 0 => ("reach.none", Ink::BadSoft, Ink::Bad),
        (true, true) => ("reach.majority", Ink::OkSoft, Ink::Ok),
        (true, false) => ("reach.minority", Ink::BadSoft, Ink::Bad),
        (false, _) if reached == nodes => ("reach.alone", Ink::OkSoft, Ink::Ok),
        (false, _) => ("reach.alone", Ink::WarnSoft, Ink::Warn),
    };
    let badge = scene.say(word, &numbers);
    let frame = layout.heads[site];
    let name = scene.name(SITES[site]);
    let badge_w = text::width(&badge, 12.0, true) + 20.0;
    let pill = Rect::new(frame.x + frame.w - badge_w, frame.y + 2.0, badge_w, 22.0);
    let mut pencil = scene.thing(SITES[site], frame, badge.clone());
    pencil
        .bold(pt(frame.x + 2.0, frame.y + 19.0), 15.5, Ink::Ink, name)
        .filled(pill, 11.0, ground)
        .centred(pt(pill.centre().x, pill.y + 15.5), 12.0, true, ink, badge);
}

/// An amount of money, with its sign before the currency.
fn money(value: i64, scene: &Scene) -> String {
    let word = if value < 0 { "debt" } else { "money" };
    scene.say(word, &[Arg::Count(value.abs())])
}

/// All values of a copy in one line.
fn values(thing: Thing, values: &[i64], scene: &Scene) -> String {
    let one = |value: &i64| match thing {
        Thing::Account => money(*value, scene),
        Thing::Photo => value.to_string(),
    };
    // Two are enough to see that they differ; the spoken value has them all.
    let mut line: Vec<String> = values.iter().take(2).map(one).collect();
    if values.len() > 2 {
        line.push("…".to_owned());
    }
    let line = line.join(&format!(" {} ", scene.say("or", &[])));
    match thing {
        Thing::Account => line,
        // Two counts say what they are by standing below two balances.
        Thing::Photo if values.len() > 1 => line,
        Thing::Photo => format!("{line} {}", scene.say("likes", &[])),
    }
}

/// What its rule goes by: a time or a vote.
fn evidence(index: usize, model: &Partition, scene: &Scene) -> String {
    match &model.replicas[index].copies[0].store {
        Store::Last(register) => {
            let s = (register.at_us as f64 - model.start.0 as f64) / 1e6;
            scene.say("written", &[Arg::Number(libm::round(s * 10.0) / 10.0)])
        }
        Store::Voter(voter) => voter
            .open
            .and_then(|(_, node)| model.index(node))
            .map_or_else(String::new, |asks| {
                scene.say("votes", &[Arg::Count(asks as i64 + 1)])
            }),
        Store::Both(_) | Store::Counter(_) => String::new(),
    }
}

/// The values of the account, each with the writes that its writer had heard of, so that they can be compared.
fn versions(model: &Partition, layout: &Layout, scene: &mut Scene) {
    let frame = layout.versions;
    let up = |index: &usize| model.replicas[*index].crashed.is_none();
    let mut shown = (0..model.replicas.len()).filter(up);
    let contrary = shown.clone().find(|index| model.keeps_both(*index, 0));
    let index = contrary.or_else(|| shown.next()).unwrap_or(0);
    let all = model.replicas[index].copies[0].siblings();
    let rows = &all[..all.len().min(2)];
    // Writers of whom one has heard more come first: they decide.
    let writes = |node| rows.iter().map(move |(_, seen)| seen.get(&node));
    let spread = |node| writes(node).max() != writes(node).min();
    let nodes = model.replicas.iter().map(|replica| replica.node);
    let heard = nodes.filter(|node| writes(*node).max() > Some(0));
    let (mut columns, rest): (Vec<_>, Vec<_>) = heard.partition(|node| spread(*node));
    columns.extend(rest);
    columns.truncate(if layout.stacked { 2 } else { 3 });
    let title = scene.say("versions", &[]);
    let (word, ink) = match rows.len() {
        2 => ("versions.contrary", Ink::Warn),
        _ => ("versions.one", Ink::Ok),
    };
    let verdict = scene.say(word, &[]);
    let named = |node| {
        model
            .index(node)
            .map(|index| scene.name(replica_part(index)))
    };
    let names: Vec<String> = columns.iter().filter_map(|node| named(*node)).collect();
    let cells = rows.iter().map(|(value, seen)| {
        let counts = columns.iter().map(|node| (seen.get(node), spread(*node)));
        (money(*value, scene), counts.collect::<Vec<_>>())
    });
    let cells: Vec<_> = cells.collect();
    let spoken = cells.iter().map(|(value, counts)| {
        let counts = counts.iter().zip(&names);
        let counts: Vec<String> = counts.map(|((n, _), name)| format!("{name} {n}")).collect();
        format!("{value}: {}", counts.join(", "))
    });
    let spoken = format!("{}. {verdict}", spoken.collect::<Vec<_>>().join("; "));
    let (x, pitch) = (frame.x + 14.0, if layout.stacked { 88.0 } else { 104.0 });
    let column = |k: usize| x + 76.0 + pitch * k as f32;
    let mut pencil = scene.thing(VERSIONS, frame, spoken);
    pencil
        .bordered(frame, 12.0, Ink::Card, ink, 1.5)
        .bold(
            pt(x, frame.y + 21.0),
            12.5,
            Ink::Secondary,
            label::fitting(&[title], 12.5, true, frame.w - 28.0),
        )
        .figure("values", all.len() as f64);
    for (k, name) in names.into_iter().enumerate() {
        let name = label::fitting(&[name], 12.0, false, pitch - 8.0);
        pencil.text(pt(column(k), frame.y + 40.0), 12.0, Ink::Secondary, name);
    }
    for (row, (value, counts)) in cells.into_iter().enumerate() {
        let y = frame.y + 61.0 + 21.0 * row as f32;
        pencil.bold(pt(x, y), 15.0, Ink::Ink, value);
        for (k, (n, decides)) in counts.into_iter().enumerate() {
            let more = writes(columns[k]).max() == Some(n);
            let at = pt(column(k), y);
            match (decides, more) {
                (true, true) => pencil.bold(at, 15.0, Ink::Accent, n.to_string()),
                _ => pencil.text(at, 15.0, Ink::Secondary, n.to_string()),
            };
        }
    }
    let (at, room) = if layout.stacked {
        (pt(x, frame.y + 104.0), frame.w - 28.0)
    } else {
        let at = pt(column(3) + 8.0, frame.y + 40.0);
        (at, frame.x + frame.w - 14.0 - at.x)
    };
    for (k, line) in text::wrap(&verdict, 13.0, true, room)
        .into_iter()
        .enumerate()
    {
        pencil.bold(pt(at.x, at.y + 17.0 * k as f32), 13.0, ink, line);
    }
}

fn replica(index: usize, model: &Partition, at: Time, layout: &Layout, scene: &mut Scene) {
    let (card, replica) = (layout.cards[index], &model.replicas[index]);
    let part = replica_part(index);
    let name = scene.name(part);
    let compact = card.w < 125.0 || layout.stacked;
    let pad = if compact { 9.0 } else { 14.0 };
    let room = card.w - 2.0 * pad;
    let (name_size, big) = if compact { (13.0, 14.5) } else { (14.5, 18.0) };
    if let Some(since) = replica.crashed {
        let status = scene.say("crashed", &[figures::tenths(at.since(since))]);
        let mut pencil = scene.thing(part, card, status.clone());
        pencil.bordered(card, 12.0, Ink::Card, Ink::Bad, 2.0).bold(
            pt(card.x + pad, card.y + 24.0),
            name_size,
            Ink::Ink,
            name,
        );
        for (i, line) in text::wrap(&status, 12.0, true, room)
            .into_iter()
            .enumerate()
        {
            let y = card.y + 43.0 + 15.0 * i as f32;
            pencil.bold(pt(card.x + pad, y), 12.0, Ink::Bad, line);
        }
        let meter = Rect::new(card.x + pad, card.y + card.h - 15.0, room, 6.0);
        pencil.meter(meter, 0.0, Ink::Bad, true);
        return;
    }
    let lines = THINGS.map(|thing| values(thing, &replica.copies[thing as usize].values(), scene));
    let behind = [0, 1].map(|i| model.behind(index, i));
    // Only a majority's versions have one order; of the others it is told what they lack.
    let versions = [0, 1].map(|i| match (model.rule(i), behind[i]) {
        (Rule::Majority, _) => {
            let writes = replica.copies[i].version();
            scene.say("version", &[Arg::Count(writes as i64)])
        }
        (_, 0) => String::new(),
        (_, lacks) => scene.say("lacks", &[Arg::Count(lacks as i64)]),
    });
    let several = [0, 1].map(|i| replica.copies[i].values().len() > 1);
    let conflict = several.contains(&true);
    let note = label::fitting(&[evidence(index, model, scene)], 11.0, false, room);
    let mut spoken = [0, 1]
        .map(|i| {
            format!("{} {}", lines[i], versions[i])
                .trim_end()
                .to_owned()
        })
        .join(", ");
    if conflict {
        spoken = format!("{spoken}, {}", scene.say("conflict", &[]));
    }
    if behind.iter().sum::<u64>() > 0 {
        let missing = [Arg::Count(behind.iter().sum::<u64>() as i64)];
        spoken = format!("{spoken}, {}", scene.say("behind", &missing));
    }
    if !note.is_empty() {
        spoken = format!("{spoken}, {note}");
    }
    let voted = replica_voted(index, model);
    let fresh = replica.changed > Time::ZERO && at.since(replica.changed) < PULSE;
    let (border, width) = match (conflict, fresh) {
        (true, _) => (Ink::Warn, 2.0),
        (_, true) => (Ink::Accent, 2.0),
        _ => (Ink::LineStrong, 1.5),
    };
    let mut pencil = scene.thing(part, card, spoken);
    pencil.bordered(card, 12.0, Ink::Card, border, width).bold(
        pt(card.x + pad, card.y + 22.0),
        name_size,
        Ink::Ink,
        name,
    );
    pencil
        .figure("balance", replica.copies[0].value() as f64)
        .figure("values", replica.copies[0].values().len() as f64)
        .figure("behind", behind.iter().sum::<u64>() as f64);
    if let Some(glyph) = voted {
        let at = pt(card.x + card.w - pad - 2.0, card.y + 17.0);
        pencil.mark(glyph, at, 5.0, Ink::Ok);
    }
    let baseline = [
        card.y + if compact { 42.0 } else { 47.0 },
        card.y + if compact { 60.0 } else { 66.0 },
    ];
    for i in 0..2 {
        let at = pt(card.x + pad, baseline[i]);
        let (size, bold, ink) = match (i, several[i]) {
            (0, false) => (big, true, Ink::Ink),
            (0, true) => (if compact { 12.0 } else { 15.0 }, true, Ink::Warn),
            (_, true) => (if compact { 11.0 } else { 12.5 }, true, Ink::Warn),
            _ => (12.5, false, Ink::Secondary),
        };
        let line = label::fitting(&[lines[i].clone()], size, bold, room);
        let w = text::width(&line, size, bold);
        if bold {
            pencil.bold(at, size, ink, line);
        } else {
            pencil.text(at, size, ink, line);
        }
        let pill_w = text::width(&versions[i], 11.0, true) + 10.0;
        if !versions[i].is_empty() && w + pill_w + 4.0 <= room {
            let pill = Rect::new(
                card.x + card.w - pad - pill_w,
                baseline[i] - 13.0,
                pill_w,
                17.0,
            );
            let ground = if behind[i] > 0 {
                Ink::WarnSoft
            } else {
                Ink::OkSoft
            };
            let ink = if behind[i] > 0 { Ink::Warn } else { Ink::Ok };
            pencil.filled(pill, 6.0, ground).centred(
                pt(pill.centre().x, baseline[i] - 0.5),
                11.0,
                true,
                ink,
                versions[i].clone(),
            );
        }
    }
    if !note.is_empty() {
        pencil.text(
            pt(card.x + pad, card.y + card.h - 11.0),
            11.0,
            Ink::Secondary,
            note,
        );
    }
}

/// How a replica has answered a round that is under way: a ring for a vote, a write for a write.
fn replica_voted(index: usize, model: &Partition) -> Option<Glyph> {
    let rounds = model
        .replicas
        .iter()
        .flat_map(|r| r.rounds.iter().flatten());
    let mut mine = rounds.filter(|round| {
        round
            .tally
            .nodes_answered()
            .any(|node| node == index as u32)
    });
    let round = mine.next()?;
    Some(if round.writing() {
        Glyph::Replica
    } else {
        Glyph::Response
    })
}

/// What a client wants, in words.
fn wish(thing: Thing, want: Want, scene: &Scene) -> String {
    match (thing, want) {
        (Thing::Account, Want::Read) => scene.say("want.balance", &[]),
        (Thing::Photo, Want::Read) => scene.say("want.likes", &[]),
        (Thing::Account, Want::Change(change)) if change < 0 => {
            scene.say("want.withdraw", &[Arg::Count(-change)])
        }
        (Thing::Account, Want::Change(change)) => scene.say("want.deposit", &[Arg::Count(change)]),
        (Thing::Photo, Want::Change(_)) => scene.say("want.like", &[]),
    }
}

/// What a client was told, with its glyph and colour.
fn told(thing: Thing, ending: Ending, scene: &Scene) -> (String, Glyph, Ink) {
    let of = |value: i64| values(thing, &[value], scene);
    let with = |word: &str, value: i64| format!("{} {}", scene.say(word, &[]), of(value));
    match ending {
        Ending::Done(value) => (with("told.done", value), Glyph::Response, Ink::Ok),
        Ending::Old(value) => (with("told.old", value), Glyph::Response, Ink::Warn),
        Ending::Declined(value) => (with("told.declined", value), Glyph::Response, Ink::Ok),
        Ending::Refused => (scene.say("told.refused", &[]), Glyph::Failure, Ink::Bad),
        Ending::Unknown => (scene.say("told.unknown", &[]), Glyph::Failure, Ink::Bad),
        Ending::Down => (scene.say("told.down", &[]), Glyph::Failure, Ink::Bad),
    }
}

fn client(site: usize, model: &Partition, at: Time, layout: &Layout, scene: &mut Scene) {
    let (card, client) = (layout.clients[site], &model.clients[site]);
    let waits = |request: &&Request| {
        request.site == site
            && request.leg == Leg::There
            && at.since(request.issued) > Time::ms(200)
    };
    let waiting = model
        .requests
        .values()
        .filter(waits)
        .max_by_key(|request| (request.hand, at.since(request.issued)));
    // A failure is read before the next wait takes its place.
    let fresh = client
        .last
        .filter(|(_, _, ending, told, _)| ending.failed() && at.since(*told) < FAILURE_SHOWN);
    let waiting = waiting.filter(|_| fresh.is_none());
    let (want, status, glyph, ink) = match (waiting, &client.last) {
        (Some(request), _) => {
            let waited = at.since(request.issued);
            let status = scene.say("told.waits", &[figures::tenths(waited)]);
            let want = wish(request.thing, request.want, scene);
            (want, status, Some(Glyph::Request), Ink::Accent)
        }
        (None, Some((thing, want, ending, _, took))) => {
            let (mut status, glyph, ink) = told(*thing, *ending, scene);
            if !ending.failed() {
                let after = scene.say("told.after", &[figures::tenths(*took)]);
                status = format!("{status}, {after}");
            }
            (wish(*thing, *want, scene), status, Some(glyph), ink)
        }
        (None, None) => (
            scene.say("want.nothing", &[]),
            String::new(),
            None,
            Ink::Secondary,
        ),
    };
    let status = label::fitting(&[status], 12.5, true, card.w - 46.0);
    let counts = [client.answered, client.failed].map(|n| Arg::Count(i64::from(n)));
    let count = scene.say("counts", &counts);
    let old = scene.say("old-count", &[Arg::Count(i64::from(client.old))]);
    let spoken = format!("{want}: {status}, {count}, {old}");
    let name = scene.name(CLIENTS[site]);
    let border = if ink == Ink::Bad {
        Ink::Bad
    } else {
        Ink::LineStrong
    };
    let width = if ink == Ink::Bad { 2.0 } else { 1.5 };
    let mut pencil = scene.thing(CLIENTS[site], card, spoken);
    pencil
        .bordered(card, 12.0, Ink::Card, border, width)
        .bold(pt(card.x + 14.0, card.y + 23.0), 14.5, Ink::Ink, name)
        .text(pt(card.x + 14.0, card.y + 42.0), 12.5, Ink::Secondary, want)
        .figure("failed", f64::from(client.failed));
    if let Some((.., took)) = client.last {
        pencil.figure("wait", took.as_s());
    }
    label::ending(
        &mut pencil,
        pt(card.x + card.w - 14.0, card.y + 22.0),
        11.5,
        false,
        Ink::Secondary,
        count,
    );
    if client.old > 0 {
        label::ending(
            &mut pencil,
            pt(card.x + card.w - 14.0, card.y + 42.0),
            11.5,
            false,
            Ink::Warn,
            old,
        );
    }
    if let Some(glyph) = glyph {
        pencil
            .mark(glyph, pt(card.x + 20.0, card.y + 57.0), 5.0, ink)
            .bold(pt(card.x + 32.0, card.y + 61.0), 12.5, ink, status);
    }
}

fn cable(model: &Partition, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let (frame, middle) = (layout.cable, layout.middle);
    let status = match model.cut {
        Some(since) => scene.say("cut", &[figures::tenths(at.since(since))]),
        None => scene.say("whole", &[Arg::Number(knobs.delay_ms)]),
    };
    let (ink, bold) = if model.cut.is_some() {
        (Ink::Bad, true)
    } else {
        (Ink::Secondary, false)
    };
    let name = scene.name(CABLE_PART);
    let gates = layout.gates;
    let mut pencil = scene.thing(CABLE_PART, frame, status.clone());
    let towards = |gate: Point| {
        let back = |from: f32, to: f32| {
            if to > from {
                GAP
            } else if to < from {
                -GAP
            } else {
                0.0
            }
        };
        pt(
            middle.x + back(middle.x, gate.x),
            middle.y + back(middle.y, gate.y),
        )
    };
    if model.cut.is_some() {
        for gate in gates {
            pencil.line(through(&[gate, towards(gate)]), Ink::Bad, 2.0);
            let end = towards(gate);
            let slash = if layout.stacked {
                [pt(end.x - 13.0, end.y + 5.0), pt(end.x + 13.0, end.y - 5.0)]
            } else {
                [pt(end.x - 5.0, end.y - 18.0), pt(end.x + 5.0, end.y + 18.0)]
            };
            pencil.line(through(&slash), Ink::Bad, 3.0);
        }
    } else {
        pencil.line(through(&[gates[0], gates[1]]), Ink::Mark, 2.5);
    }
    let room = if layout.stacked {
        frame.w - 40.0
    } else {
        frame.w
    };
    let lines = text::wrap(&status, 12.5, bold, room);
    if layout.stacked {
        let mut y = middle.y - 8.0 * lines.len() as f32 + 2.0;
        let x = frame.x + 4.0;
        pencil.bold(pt(x, y), 14.5, Ink::Ink, name);
        for line in lines {
            y += 16.0;
            if bold {
                pencil.bold(pt(x, y), 12.5, ink, line);
            } else {
                pencil.text(pt(x, y), 12.5, ink, line);
            }
        }
        return;
    }
    let mut y = middle.y - 28.0 - 16.0 * (lines.len() - 1) as f32;
    pencil.centred(pt(middle.x, y - 18.0), 14.5, true, Ink::Ink, name);
    for line in lines {
        pencil.centred(pt(middle.x, y), 12.5, bold, ink, line);
        y += 16.0;
    }
}

/// What all acknowledged changes add up to, and whether anybody can still read it.
fn receipts(model: &Partition, layout: &Layout, scene: &mut Scene) {
    let card = layout.receipts;
    let sums = THINGS.map(|thing| values(thing, &[model.receipts[thing as usize]], scene));
    let lost = model.lost(0) + model.lost(1);
    let least = model
        .replicas
        .iter()
        .map(|r| r.copies[0].value())
        .min()
        .unwrap_or(0);
    let (status, ink) = if model.in_conflict(0) || model.in_conflict(1) {
        (scene.say("unsettled", &[]), Ink::Warn)
    } else if lost > 0 {
        (scene.say("lost", &[Arg::Count(lost as i64)]), Ink::Bad)
    } else if least < 0 {
        (scene.say("overdrawn", &[]), Ink::Bad)
    } else if model.apart() > 0 {
        let apart = [Arg::Count(model.apart() as i64)];
        (scene.say("apart", &apart), Ink::Warn)
    } else {
        (scene.say("agree", &[]), Ink::Ok)
    };
    let name = scene.name(RECEIPTS);
    let pad = 12.0;
    let spoken = format!("{}, {}: {status}", sums[0], sums[1]);
    let border = if ink == Ink::Bad { Ink::Bad } else { Ink::Mark };
    // A slip of paper with a torn edge, not a card: it stores nothing that a replica could read.
    let mut pencil = scene.thing(RECEIPTS, card, spoken);
    pencil
        .shape(torn(card, border))
        .figure("balance", model.receipts[0] as f64)
        .figure("lost", lost as f64)
        .figure("apart", model.apart() as f64);
    let x = card.x + pad;
    pencil.bold(pt(x, card.y + 21.0), 12.0, Ink::Secondary, name);
    let mut y = if layout.stacked {
        pencil.text(
            pt(x, card.y + 39.0),
            12.5,
            Ink::Ink,
            format!("{} · {}", sums[0], sums[1]),
        );
        card.y + 57.0
    } else {
        pencil
            .text(pt(x, card.y + 42.0), 14.0, Ink::Ink, sums[0].as_str())
            .text(pt(x, card.y + 60.0), 12.5, Ink::Secondary, sums[1].as_str());
        card.y + 81.0
    };
    let lines = text::wrap(&status, 12.0, true, card.w - 2.0 * pad);
    for line in lines {
        pencil.bold(pt(x, y), 12.0, ink, line);
        y += 15.0;
    }
}

/// A slip of paper whose lower edge is torn off in teeth.
fn torn(slip: Rect, stroke: Ink) -> Shape {
    const TEETH: usize = 12;
    let (right, bottom) = (slip.x + slip.w, slip.y + slip.h);
    let step = slip.w / TEETH as f32;
    let (a, b, low) = (tenths(slip.x), tenths(right), tenths(bottom));
    let mut d = format!("M{a} {low}L{a} {y}L{b} {y}L{b} {low}", y = tenths(slip.y));
    for tooth in 0..TEETH {
        let x = right - step * tooth as f32;
        let _ = write!(
            d,
            "L{} {}L{} {low}",
            tenths(x - step / 2.0),
            tenths(bottom - 5.0),
            tenths(x - step)
        );
    }
    Shape::Path {
        d: d + "Z",
        fill: Ink::Paper,
        stroke,
        width: 1.2,
        dashed: false,
    }
}

/// A message between replicas.
fn message(flight: &Flight, model: &Partition, at: Time, layout: &Layout, scene: &mut Scene) {
    let site = |index: usize| model.replicas[index].site;
    let (out, home) = layout.way(
        (flight.mail.from, site(flight.mail.from)),
        (flight.mail.to, site(flight.mail.to)),
    );
    let answer = matches!(flight.word, Word::Vote(..) | Word::Accepted | Word::No(_));
    let (glyph, ink) = match &flight.word {
        Word::Ask | Word::Prepare => (Glyph::Message, Ink::Hit),
        Word::Vote(..) | Word::Accepted => (Glyph::Response, Ink::Ok),
        Word::No(_) => (Glyph::Failure, Ink::Warn),
        Word::Accept(_) => (Glyph::Replica, Ink::Accent),
        Word::Copies(..) if flight.news => (Glyph::Replica, Ink::Accent),
        Word::Copies(..) => (Glyph::Heartbeat, Ink::Secondary),
    };
    let r = if glyph == Glyph::Heartbeat { 4.5 } else { DOT };
    let aside = if answer { LANE } else { 0.0 };
    if let Some(lost) = flight.lost {
        if at.since(lost) < LOSS_SHOWN && flight.news {
            let last = out
                .get(out.len().wrapping_sub(2))
                .copied()
                .unwrap_or(layout.middle);
            let back = |from: f32, to: f32| {
                if to > from + 1.0 {
                    GAP + 8.0
                } else if to < from - 1.0 {
                    -GAP - 8.0
                } else {
                    0.0
                }
            };
            let m = layout.middle;
            let p = pt(m.x + back(m.x, last.x), m.y + back(m.y, last.y));
            scene.particle(p, r, glyph, Ink::Bad, flight.mail.request);
        }
        return;
    }
    let share = at.progress(flight.leaves, flight.arrives);
    let p = match (home.is_empty(), share < 0.5) {
        (true, _) => along(&out, share),
        (false, true) => along(&out, share * 2.0),
        (false, false) => along(&home, share * 2.0 - 1.0),
    };
    scene.particle(
        pt(p.x + aside, p.y + aside),
        r,
        glyph,
        ink,
        flight.mail.request,
    );
}

/// A request or its answer between a client and its replica.
fn dot(request: &Request, model: &Partition, at: Time, layout: &Layout, scene: &mut Scene) {
    let Some(port) = layout.ports.get(request.replica).copied() else {
        return;
    };
    if model.replicas[request.replica].site != request.site {
        return;
    }
    let client = layout.client_ports[request.site];
    let bus = |p| layout.on_bus(request.site, p);
    let way = [client, bus(client), bus(port), port];
    let share = 1.0 - request.arrives.since(at).0 as f32 / LOCAL.0 as f32;
    let (share, glyph, ink) = match (request.leg, request.ending) {
        (Leg::Out, _) => (share, Glyph::Request, Ink::Accent),
        (Leg::Back, Some(Ending::Old(_))) => (1.0 - share, Glyph::Response, Ink::Warn),
        (Leg::Back, Some(ending)) if !ending.failed() => (1.0 - share, Glyph::Response, Ink::Ok),
        (Leg::Back, _) => (1.0 - share, Glyph::Failure, Ink::Bad),
        (Leg::There, _) => return,
    };
    let aside = if request.leg == Leg::Back { LANE } else { 0.0 };
    let p = along(&way, share);
    scene.particle(
        pt(p.x + aside, p.y + aside),
        DOT,
        glyph,
        ink,
        request.number,
    );
}
