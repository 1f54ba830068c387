//! The stage: keys by their hash inside the ring, and the shelves of the nodes on which they stand.

use super::model::{
    Change, ConsistentHashing, DATABASE_PART, DIAL, FLIGHT, Flight, From, Key, Leg, Node, Place,
    Request, SCHEMES, Scheme, Settings, State, TALLY, What, index_of, node_part,
};
use algorithms::hash_ring::{Arc, RING};
use engine::scene::{Curve, Point, Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::{self, DOT};
use std::f32::consts::TAU;
use std::fmt::Write;

/// How far shapes reach beyond the ring.
const RIM: f32 = 34.0;
/// Room for the word above the shelves.
const HEADER: f32 = 20.0;
/// Height of the database and of the tally.
const FOOT: f32 = 84.0;
/// Colours of nodes before they come again.
const COLOURS: usize = 5;
/// The most virtual nodes on average that are drawn as numbered discs.
const DISCS_MAX: usize = 10;

/// Radius of a point's disc, and how far the outer row of discs stands from the inner.
const DISC: f32 = 8.0;
const OUTER: f32 = 19.0;
/// Radius of requests and answers: smaller than elsewhere, for the keys are what the picture is about.
const READ: f32 = 4.0;

/// The colour of a node, which is that of no state; from the sixth on colours come again with filled discs.
fn ink(node: u8) -> Ink {
    const INKS: [Ink; COLOURS] = [
        Ink::MemberA,
        Ink::MemberB,
        Ink::MemberC,
        Ink::MemberD,
        Ink::Ink,
    ];
    INKS[usize::from(node) % INKS.len()]
}

fn polar(centre: Point, radius: f32, angle: f32) -> Point {
    let (sin, cos) = libm::sincosf(angle);
    pt(centre.x + radius * cos, centre.y + radius * sin)
}

/// Where on the dial a position lies: 0 at the top, clockwise.
fn angle(position: u32) -> f32 {
    position as f32 / RING as f32 * TAU - TAU / 4.0
}

/// Where everything stands.
struct Layout {
    centre: Point,
    radius: f32,
    /// Requests and keys walk here.
    lane: f32,
    key_r: f32,
    clients: Rect,
    /// Half the width and height of the ellipse around the words in the middle: dots begin and end at it.
    words: (f32, f32),
    /// The nodes shown and their cards.
    cards: Vec<(u8, Rect)>,
    /// Room for waiting requests left of each card.
    gap: f32,
    /// Widths of a card's left and right columns.
    columns: (f32, f32),
    /// Distance and rows of keys on every shelf.
    pitch: f32,
    rows: usize,
    /// How many keys a shelf holds on average.
    average: f32,
    database: Rect,
    tally: Rect,
    /// Where each key stands inside the ring.
    places: Vec<Point>,
}

impl Layout {
    fn of(model: &ConsistentHashing, scene: &mut Scene) -> Layout {
        let shown: Vec<u8> = (0..model.nodes.len() as u8)
            .filter(|node| model.nodes[usize::from(*node)].state != State::Absent)
            .collect();
        let n = shown.len().max(1) as f32;
        let w = scene.width;
        let narrow = scene.narrow();
        let radius = if narrow {
            ((w - 24.0) / 2.0 - RIM).clamp(90.0, 136.0)
        } else {
            (w * 0.19).clamp(100.0, 150.0)
        };
        let small = radius < 130.0;
        let gap = match (narrow, w >= 760.0) {
            (true, _) => 18.0,
            (false, true) => 52.0,
            (false, false) => 20.0,
        };
        let (x, top, pitch) = if narrow {
            (gap + 14.0, 2.0 * (radius + RIM) + HEADER + 4.0, 64.0)
        } else {
            let room = 420.0 - HEADER - FOOT - 24.0;
            let x = 10.0 + 2.0 * (radius + RIM) + gap;
            (x, HEADER + 4.0, (room / n).clamp(50.0, 94.0))
        };
        let width = w - 12.0 - x;
        let cards: Vec<(u8, Rect)> = (shown.iter().enumerate())
            .map(|(i, node)| {
                let y = top + pitch * i as f32;
                (*node, Rect::new(x, y, width, pitch - 8.0))
            })
            .collect();
        let foot = top + pitch * n + 4.0;
        let database_w = if width >= 300.0 { 116.0 } else { 100.0 };
        let database = Rect::new(x, foot, database_w, FOOT - 20.0);
        let tally_x = x + database_w + 14.0;
        let tally = Rect::new(tally_x, foot, w - 12.0 - tally_x, FOOT);
        scene.height = if narrow {
            foot + FOOT + 10.0
        } else {
            (foot + FOOT + 10.0).max(420.0)
        };
        let centre = if narrow {
            pt(w / 2.0, radius + RIM + 2.0)
        } else {
            pt(10.0 + radius + RIM, scene.height / 2.0)
        };
        let columns = if width >= 340.0 {
            (122.0, 78.0)
        } else {
            (100.0, 66.0)
        };
        let shelf = Rect::new(0.0, 0.0, width - columns.0 - columns.1, pitch - 8.0 - 14.0);
        let copies: u32 = model.nodes.iter().map(Node::held).sum();
        let members = model.members().len().max(1) as f32;
        let average = copies as f32 / members;
        let longest = model.nodes.iter().map(|node| node.shelf.len()).max();
        let longest = longest.unwrap_or(0).max((2.0 * average) as usize).max(12);
        let fit = |rows: usize| {
            let columns = longest.div_ceil(rows) as f32;
            (shelf.w / columns).min(shelf.h / rows as f32).min(13.0)
        };
        let rows = (1..=8).fold(1, |best, rows| {
            if fit(rows) > fit(best) + 0.2 {
                rows
            } else {
                best
            }
        });
        let key_r: f32 = match model.keys.len() {
            ..=60 => 3.6,
            61..=120 => 3.0,
            _ => 2.4,
        };
        let pill = if small { (78.0, 36.0) } else { (96.0, 40.0) };
        let down = if small { 14.0 } else { 16.0 };
        let mut layout = Layout {
            centre,
            radius,
            lane: if small { radius - 8.5 } else { radius - 11.0 },
            key_r: if small { key_r - 0.4 } else { key_r },
            clients: Rect::new(
                centre.x - pill.0 / 2.0,
                centre.y + down - pill.1 / 2.0,
                pill.0,
                pill.1,
            ),
            words: if small { (80.0, 64.0) } else { (104.0, 82.0) },
            cards,
            gap,
            columns,
            pitch: fit(rows),
            rows,
            average,
            database,
            tally,
            places: Vec::new(),
        };
        layout.places = layout.place(&model.keys);
        layout
    }

    /// Keys stand at their angle just inside the lane; neighbours that would touch step inwards.
    fn place(&self, keys: &[Key]) -> Vec<Point> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|key| keys[*key].hash);
        let pitch = 2.0 * self.key_r + 1.2;
        let mut free_from = [f32::NEG_INFINITY; 4];
        let mut places = vec![self.centre; keys.len()];
        for key in order {
            let at = angle(keys[key].hash);
            let level = free_from
                .iter()
                .position(|free| *free <= at)
                .unwrap_or_else(|| {
                    let least = |a: &usize, b: &usize| free_from[*a].total_cmp(&free_from[*b]);
                    (0..free_from.len()).min_by(least).unwrap_or(0)
                });
            let radius = self.lane - self.key_r - 5.5 - pitch * level as f32;
            free_from[level] = at + pitch / radius;
            places[key] = polar(self.centre, radius, at);
        }
        places
    }

    fn card(&self, node: u8) -> Option<Rect> {
        let found = self.cards.iter().find(|(shown, _)| *shown == node);
        found.map(|(_, card)| *card)
    }

    /// Where requests reach a node.
    fn door(&self, node: u8) -> Option<Point> {
        self.card(node).map(|card| card.left())
    }

    /// Where the shelf of a card begins, and its height.
    fn shelf(&self, card: Rect) -> Rect {
        Rect::new(
            card.x + self.columns.0,
            card.y + 7.0,
            card.w - self.columns.0 - self.columns.1,
            card.h - 14.0,
        )
    }

    /// A place on a node's shelf: column by column, so that a longer shelf holds more.
    fn slot(&self, node: u8, at: usize) -> Option<Point> {
        let shelf = self.shelf(self.card(node)?);
        let (column, row) = ((at / self.rows) as f32, (at % self.rows) as f32);
        let height = self.pitch * self.rows as f32;
        let top = shelf.y + (shelf.h - height) / 2.0;
        Some(pt(
            (shelf.x + self.pitch * (column + 0.5)).min(shelf.x + shelf.w - 2.0),
            top + self.pitch * (row + 0.5),
        ))
    }

    fn shelf_r(&self) -> f32 {
        (self.pitch * 0.38).clamp(1.0, 4.6)
    }

    /// On the lane, `share` of the way clockwise from a position to a stop.
    fn walked(&self, from: u32, stop: u32, share: f32) -> Point {
        let way = stop.wrapping_sub(from) as f32 / RING as f32 * TAU;
        polar(self.centre, self.lane, angle(from) + way * share)
    }

    /// From the dial to a card: straight from the near side, round the ring from the far side.
    fn around(&self, from: Point, to: Point) -> Curve {
        let c = self.centre;
        let (dx, dy) = (to.x - c.x, to.y - c.y);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let u = pt(dx / length, dy / length);
        let f = pt(from.x - c.x, from.y - c.y);
        let ahead = f.x * u.x + f.y * u.y;
        if ahead > 0.1 * self.radius {
            return Curve::straight(from, to);
        }
        let side = if f.x * -u.y + f.y * u.x >= 0.0 {
            1.0
        } else {
            -1.0
        };
        let out = 1.3 * self.radius * side;
        let bend = |along: f32| {
            pt(
                c.x - u.y * out + u.x * along * self.radius,
                c.y + u.x * out + u.y * along * self.radius,
            )
        };
        Curve::cubic(from, bend(-0.8), bend(0.7), to)
    }

    /// From the dial to a door: on a narrow stage down the gutter, past the cards above.
    fn to_door(&self, from: Point, door: Point) -> Way {
        if self
            .cards
            .first()
            .is_none_or(|(_, card)| card.x > self.centre.x)
        {
            return Way(self.around(from, door), None);
        }
        let turn = pt(self.gap * 0.5, self.centre.y + self.radius + RIM);
        let down = Curve::cubic(turn, pt(turn.x, door.y), pt(turn.x, door.y), door);
        Way(self.around(from, turn), Some(down))
    }

    /// Between two doors, through the gap left of the cards.
    fn beside(&self, from: Point, to: Point) -> Curve {
        let x = from.x.min(to.x) - self.gap * 0.9;
        Curve::cubic(from, pt(x, from.y), pt(x, to.y), to)
    }
}

/// A way of one or two curves, travelled at constant speed.
struct Way(Curve, Option<Curve>);

impl Way {
    fn at(&self, share: f32) -> Point {
        let Some(second) = &self.1 else {
            return self.0.at(share);
        };
        let (a, b) = (self.0.length(), second.length());
        let gone = share.clamp(0.0, 1.0) * (a + b);
        if gone < a {
            self.0.at(gone / a.max(1.0))
        } else {
            second.at((gone - a) / b.max(1.0))
        }
    }
}

/// Draws the system at `at`.
pub(super) fn draw(model: &ConsistentHashing, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(model, scene);
    dial(model, knobs, &layout, scene);
    if let Some((_, first)) = layout.cards.first() {
        average(&layout, *first, scene);
    }
    for (node, card) in &layout.cards {
        shelf(*node, *card, model, knobs, at, &layout, scene);
    }
    database(model, &layout, scene);
    tally(model, knobs, &layout, scene);
    keys(model, &layout, scene);
    for flight in &model.flights {
        fly(flight, model, at, &layout, scene);
    }
    for request in model.requests() {
        dot(request, model, at, &layout, scene);
    }
}

/// The word over the dashed line that shows how much an average shelf holds.
fn average(layout: &Layout, first: Rect, scene: &mut Scene) {
    let shelf = layout.shelf(first);
    let x = shelf.x + layout.average / layout.rows as f32 * layout.pitch;
    let word = scene.say("average", &[]);
    let half = text::width(&word, 11.0, false) / 2.0;
    let at = pt(x.clamp(half + 2.0, scene.width - half - 2.0), first.y - 5.0);
    scene
        .background()
        .centred(at, 11.0, false, Ink::Secondary, word);
}

/// Adds an arc of the ring to path data.
fn arc_path(d: &mut String, layout: &Layout, radius: f32, arc: Arc) {
    let share = arc.length() as f32 / RING as f32;
    let from = angle(arc.after);
    // SVG cannot draw a full circle as one arc, so long ones are drawn in two halves.
    let halves = if share > 0.5 { 2 } else { 1 };
    let p = polar(layout.centre, radius, from);
    let _ = write!(d, "M{} {}", tenths(p.x), tenths(p.y));
    for half in 1..=halves {
        let end = from + share * TAU * half as f32 / halves as f32;
        let p = polar(layout.centre, radius, end);
        let (r, x, y) = (tenths(radius), tenths(p.x), tenths(p.y));
        let _ = write!(d, "A{r} {r} 0 0 1 {x} {y}");
    }
}

/// The ring with its points, and in the middle the clients and what happened last.
fn dial(model: &ConsistentHashing, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let (c, r) = (layout.centre, layout.radius);
    let small = r < 130.0;
    let members = Arg::Count(model.members().len() as i64);
    let rule = match knobs.scheme {
        Scheme::Ring => scene.say("rule.ring", &[]),
        Scheme::ModN => scene.say("rule.mod-n", &[members]),
        Scheme::Jump => scene.say("rule.jump", &[members]),
    };
    let keys = Arg::Count(model.keys.len() as i64);
    let (heading, moved, least) = match (&model.hot, &model.change) {
        (Some((key, _)), _) => (
            scene.say("hot", &[Arg::Count(i64::from(*key) + 1)]),
            scene.say("hot-load", &[Arg::Number(knobs.load_per_s * 1.5)]),
            String::new(),
        ),
        (None, Some(change)) => {
            let moved = Arg::Count(i64::from(change.moved_now()));
            let all = Arg::Count(i64::from(change.keys));
            let least = change
                .least
                .map(|least| scene.say("least", &[Arg::Number((least * 10.0).round() / 10.0)]));
            (
                headline(change, scene),
                scene.say("moved", &[moved, all]),
                least.unwrap_or_default(),
            )
        }
        (None, None) => (
            scene.say("keys-in-all", &[keys]),
            scene.say("on-nodes", &[members]),
            String::new(),
        ),
    };
    let uneven = model.uneven_keys();
    let fullest = (uneven * 10.0 + 0.5) as u32;
    let fullest = scene.say("fullest", &[Arg::Tenths(fullest)]);
    let value = [&rule, &heading, &moved, &fullest].map(String::as_str);
    let (clients, load) = (
        scene.say("clients", &[]),
        scene.say("load", &[Arg::Number(knobs.load_per_s)]),
    );
    let value = value.join(", ");
    let ringed = knobs.scheme == Scheme::Ring;
    let discs = ringed && model.ring.points().len() <= DISCS_MAX * model.members().len();
    let walk = if discs && knobs.copies > 1 {
        Walk::of(model)
    } else {
        None
    };
    let half = r + if discs { RIM } else { 8.0 };
    let frame = Rect::new(c.x - half, c.y - half, 2.0 * half, 2.0 * half);

    let rule = walk.as_ref().map_or(rule, |walk| {
        let node = |i: usize| Arg::Count(i64::from(walk.nodes[i]) + 1);
        let key = Arg::Count(i64::from(walk.key) + 1);
        scene.say("rule.copies", &[key, node(0), node(1)])
    });
    let said = model.hot.is_none().then_some(model.change).flatten();
    let walking = model
        .requests()
        .filter(|request| matches!(request.leg, Leg::Walking(_)));
    let walking = walking.count() as f64;
    let mut pencil = scene.thing(DIAL, frame, value);
    pencil
        .figure("walking", walking)
        .figure("nodes", f64::from(model.members().len() as u32));
    pencil
        .figure("keys", f64::from(model.keys.len() as u32))
        .figure("fullest", uneven);
    pencil.figure("walks-on", f64::from(u8::from(walk.is_some())));
    if let Some(change) = said {
        pencil.figure("moved", f64::from(change.moved_now()));
    }
    let busiest = model.nodes.iter().map(|node| node.queue.len()).max();
    pencil.figure("waiting", f64::from(busiest.unwrap_or(0) as u32));
    // Draws nothing, but makes the ground round on which the page shows that this part is meant.
    pencil.bordered(frame, half, Ink::None, Ink::None, 0.0);
    let circle = {
        let mut d = String::new();
        let whole = Arc { after: 0, to: 0 };
        arc_path(&mut d, layout, r, whole);
        d
    };
    if ringed && !model.ring.points().is_empty() {
        ring(model, discs, layout, &mut pencil);
        if let Some(walk) = &walk {
            walk.draw(layout, &mut pencil);
        }
    } else {
        pencil.dashed_line(circle, Ink::LineStrong, 2.0);
    }
    let sizes = if small {
        (13.0, 11.5, 11.0)
    } else {
        (14.5, 12.5, 12.0)
    };
    let lines = if small {
        [-34.0, -19.0, -7.0]
    } else {
        [-52.0, -34.0, -17.0]
    };
    let hot = model.hot.is_some();
    let (first, second) = if hot {
        (Ink::Warn, Ink::Warn)
    } else {
        (Ink::Ink, Ink::Hit)
    };
    pencil.centred(pt(c.x, c.y + lines[0]), sizes.0, true, first, heading);
    if model.change.is_some() || hot {
        pencil.centred(pt(c.x, c.y + lines[1]), sizes.1, true, second, moved);
    } else {
        pencil.centred(
            pt(c.x, c.y + lines[1]),
            sizes.2,
            false,
            Ink::Secondary,
            moved,
        );
    }
    if !small && !least.is_empty() {
        pencil.centred(
            pt(c.x, c.y + lines[2]),
            sizes.2,
            false,
            Ink::Secondary,
            least,
        );
    }
    let pill = layout.clients;
    pencil.bordered(pill, 10.0, Ink::Card, Ink::LineStrong, 1.5);
    let middle = pill.centre();
    pencil.centred(
        pt(middle.x, middle.y - 3.0),
        sizes.1,
        true,
        Ink::Ink,
        clients,
    );
    pencil.centred(
        pt(middle.x, middle.y + 12.0),
        11.5,
        false,
        Ink::Secondary,
        load,
    );
    let below = pill.y + pill.h + if small { 14.0 } else { 20.0 };
    pencil.centred(pt(c.x, below), sizes.2, !small, Ink::Secondary, rule);
}

/// The walk of one key to its owner and on to the node of its second copy, as an example.
struct Walk {
    key: u16,
    hash: u32,
    nodes: [u8; 2],
    stops: [u32; 2],
}

impl Walk {
    /// The key whose walk is seen best: if there is one, of the node that the story breaks.
    fn of(model: &ConsistentHashing) -> Option<Walk> {
        let walks = model.keys.iter().enumerate().filter_map(|(key, entry)| {
            let [first, second, ..] = entry.owners[..] else {
                return None;
            };
            let stops = [
                model.stop_of(entry.hash, first)?,
                model.stop_of(entry.hash, second)?,
            ];
            Some(Walk {
                key: key as u16,
                hash: entry.hash,
                nodes: [first, second],
                stops,
            })
        });
        let share = |from: u32, to: u32| to.wrapping_sub(from) as f32 / RING as f32;
        walks.min_by_key(|walk| {
            let legs = [
                share(walk.hash, walk.stops[0]),
                share(walk.stops[0], walk.stops[1]),
            ];
            // Both legs long enough to be seen, neither once round.
            let off = legs.map(|leg| ((leg - 0.09).abs() * 1_000.0) as u32);
            (walk.nodes[0] != 1, off[0] + off[1], walk.key)
        })
    }

    fn draw(&self, layout: &Layout, pencil: &mut engine::scene::Pencil<'_>) {
        let mut from = self.hash;
        for (stop, node) in self.stops.into_iter().zip(self.nodes) {
            let arc = Arc {
                after: from,
                to: stop,
            };
            let mut d = String::new();
            arc_path(&mut d, layout, layout.lane, arc);
            pencil.line(d, ink(node), 3.0);
            // An arrow head, on the lane just before the point.
            let end = angle(stop);
            let tip = polar(layout.centre, layout.lane, end);
            let [a, b] = [-4.5, 4.5]
                .map(|side| polar(layout.centre, layout.lane + side, end - 7.0 / layout.lane));
            let point = |p: Point| format!("{} {}", tenths(p.x), tenths(p.y));
            pencil.line(
                format!("M{}L{}L{}", point(a), point(tip), point(b)),
                ink(node),
                3.0,
            );
            from = stop;
        }
    }
}

/// What happened last, in a few words.
fn headline(change: &Change, scene: &Scene) -> String {
    let name = Arg::Part(node_part(usize::from(change.node)));
    let many = change.nodes > 1;
    let nodes = Arg::Count(i64::from(change.nodes));
    match change.what {
        What::Joined if many => scene.say("many-joined", &[nodes]),
        What::Joined => scene.say("joined", &[name]),
        What::Left if many => scene.say("many-left", &[nodes]),
        What::Left => scene.say("left", &[name]),
        What::Out => scene.say("out", &[name]),
        What::Returned => scene.say("returned", &[name]),
        What::Points => scene.say("points", &[]),
        What::Scheme => scene.say("scheme", &[]),
        What::Copies => scene.say("copies", &[]),
    }
}

fn crashed(node: &Node) -> bool {
    matches!(node.state, State::Crashed(_))
}

/// The arcs in the colours of their owners, and the points: numbered discs where there is room, ticks elsewhere.
fn ring(
    model: &ConsistentHashing,
    discs: bool,
    layout: &Layout,
    pencil: &mut engine::scene::Pencil<'_>,
) {
    let (c, r) = (layout.centre, layout.radius);
    // What a node took over is drawn thick, where the pieces are large enough to be told apart.
    let claims = [What::Joined, What::Left, What::Out, What::Returned];
    let claimed = discs && model.change.is_some_and(|c| claims.contains(&c.what));
    for node in 0..model.nodes.len() as u8 {
        let mut d = String::new();
        for (_, arc) in (model.ring.arcs()).filter(|(point, _)| point.node == u32::from(node)) {
            arc_path(&mut d, layout, r, arc);
        }
        if crashed(&model.nodes[usize::from(node)]) {
            pencil.dashed_line(d, Ink::Bad, 5.0);
        } else if !d.is_empty() {
            pencil.line(d, ink(node), if discs { 5.0 } else { 8.0 });
        }
        let mut d = String::new();
        let gained = (model.gained.iter()).filter(|m| claimed && m.to == Some(u32::from(node)));
        for moved in gained.filter(|moved| moved.from.is_some()) {
            arc_path(&mut d, layout, r, moved.arc);
        }
        if !d.is_empty() {
            pencil.line(d, ink(node), 12.0);
        }
    }
    if !discs {
        return;
    }
    // Two rows of discs: those that would touch their neighbour stand outside; where both rows are full, a tick.
    let mut free_from = [f32::NEG_INFINITY; 2];
    let mut firsts = [f32::INFINITY; 2];
    let mut stand = Vec::new();
    for point in model.ring.points() {
        let node = point.node as u8;
        let at = angle(point.position);
        let dead = crashed(&model.nodes[usize::from(node)]);
        let span = |row: usize| (2.0 * DISC + 2.5) / (r + OUTER * row as f32);
        let row = (0..2).find(|row| free_from[*row] <= at && at + span(*row) <= firsts[*row] + TAU);
        let (from, to) = match row {
            Some(0) => (r, r),
            Some(_) => (r, r + OUTER),
            None => (r - 6.0, r + 8.0),
        };
        if from < to {
            let (a, b) = (polar(c, from, at), polar(c, to, at));
            let d = format!(
                "M{} {}L{} {}",
                tenths(a.x),
                tenths(a.y),
                tenths(b.x),
                tenths(b.y)
            );
            pencil.line(d, if dead { Ink::Bad } else { ink(node) }, 3.0);
        }
        if let Some(row) = row {
            free_from[row] = at + span(row);
            firsts[row] = firsts[row].min(at);
            stand.push((polar(c, to, at), node, dead));
        }
    }
    // Discs last, so that no line runs through a number.
    for (at, node, dead) in stand {
        disc(pencil, at, DISC, node, dead);
    }
}

/// A numbered disc: a virtual node, or the sign of a node on its card.
fn disc(pencil: &mut engine::scene::Pencil<'_>, at: Point, radius: f32, node: u8, dead: bool) {
    let rect = Rect::new(at.x - radius, at.y - radius, 2.0 * radius, 2.0 * radius);
    let colour = if dead { Ink::Bad } else { ink(node) };
    let label = (node + 1).to_string();
    let size = if radius < 10.0 { 11.0 } else { 11.5 };
    let base = pt(at.x, at.y + 4.0);
    if usize::from(node) < COLOURS {
        let line = if radius < 10.0 { 1.6 } else { 2.2 };
        pencil.bordered(rect, radius, Ink::Card, colour, line);
        pencil.centred(base, size, true, colour, label);
    } else {
        pencil.filled(rect, radius, colour);
        pencil.centred(base, size, true, Ink::OnAccent, label);
    }
}

/// One node: name, keys, requests, and the shelf with its keys.
fn shelf(
    node: u8,
    card: Rect,
    model: &ConsistentHashing,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let part = node_part(usize::from(node));
    let entry = &model.nodes[usize::from(node)];
    let dead = crashed(entry);
    let held = entry.held();
    let first = model
        .keys
        .iter()
        .filter(|key| key.is_at(node) && key.owners.first() == Some(&node))
        .count() as u32;
    let n = |n: u32| Arg::Count(i64::from(n));
    let (status, tone) = match entry.state {
        State::Crashed(since) => (
            scene.say("crashed", &[figures::tenths(at.since(since))]),
            Ink::Bad,
        ),
        State::Leaving => (scene.say("leaving", &[n(held)]), Ink::Warn),
        _ if knobs.copies > 1 => (
            scene.say("keys-and-copies", &[n(first), n(held - first)]),
            Ink::Secondary,
        ),
        _ => (scene.say("keys", &[n(held)]), Ink::Secondary),
    };
    let delta = if dead {
        scene.say(if entry.member { "still-in" } else { "off" }, &[])
    } else if model.change.is_none() || held == entry.before {
        String::new()
    } else if held > entry.before {
        scene.say("gained", &[n(held - entry.before)])
    } else {
        scene.say("gave", &[n(entry.before - held)])
    };
    let rate = entry.rate_per_s();
    let rate_text = scene.say("rate", &[Arg::Tenths((rate * 10.0 + 0.5) as u32)]);
    let waiting = entry.queue.len() as u32;
    let waiting_text = scene.say("waiting", &[n(waiting)]);
    let share = scene.say("share", &[Arg::Share(model.ring_share(node))]);
    let fate = model
        .watch
        .crash
        .filter(|crash| dead && crash.node == node)
        .map(|crash| {
            let [answered, missed, failed] = [crash.answered, crash.missed, crash.failed];
            let all = ["fate", "fate-short"]
                .map(|word| scene.say(word, &[n(answered), n(missed), n(failed)]));
            (
                all,
                [
                    ("answered", answered),
                    ("missed", missed),
                    ("failed", failed),
                ],
            )
        });
    let mut spoken = format!("{status}, {rate_text}");
    if let Some((all, _)) = &fate {
        let _ = write!(spoken, ", {}", all[0]);
    }
    for more in [&delta, &waiting_text] {
        if !more.is_empty() && (more != &waiting_text || waiting > 0) {
            let _ = write!(spoken, ", {more}");
        }
    }
    if knobs.scheme == Scheme::Ring {
        let _ = write!(spoken, ", {share}");
    }
    let name = scene.name(part);
    let shelf = layout.shelf(card);
    let border = if dead { Ink::Bad } else { Ink::LineStrong };
    let slots: Vec<(usize, Place)> = entry.shelf.iter().copied().enumerate().collect();
    let socket = layout.shelf_r();

    let mut pencil = scene.thing(part, card, spoken);
    pencil.bordered(card, 12.0, Ink::Card, border, if dead { 2.0 } else { 1.5 });
    pencil
        .figure("keys", f64::from(held))
        .figure("before", f64::from(entry.before));
    pencil
        .figure("waiting", f64::from(waiting))
        .figure("rate", rate);
    if let Some((all, figures)) = &fate {
        for (name, value) in figures {
            pencil.figure(name, f64::from(*value));
        }
        // A shelf too short for either leaves it to the spoken value.
        let fits = |words: &&String| text::width(words, 12.0, false) <= shelf.w - 12.0;
        if let Some(words) = all.iter().find(fits) {
            let at = pt(shelf.x + 12.0, card.centre().y + 4.0);
            pencil.text(at, 12.0, Ink::Ink, words.as_str());
        }
    }
    // Low cards have two lines, the others a third for what changed.
    let low = card.h < 56.0;
    let top = if low {
        card.y - 3.0
    } else {
        card.centre().y - 30.0
    };
    disc(&mut pencil, pt(card.x + 20.0, top + 17.0), 10.0, node, dead);
    pencil.bold(pt(card.x + 35.0, top + 22.0), 14.5, Ink::Ink, name);
    let tight = layout.columns.0 < 110.0;
    let size = if tight { 11.5 } else { 12.5 };
    let left = card.x + 11.0;
    let both = format!("{status} · {delta}");
    let fits = text::width(&both, size, dead) <= layout.columns.0 - 16.0;
    let status = if low && !delta.is_empty() && fits {
        both
    } else {
        status
    };
    let second = pt(left, top + if low { 39.0 } else { 40.0 });
    if tone == Ink::Secondary {
        pencil.text(second, size, tone, status);
    } else {
        pencil.bold(second, size, tone, status);
    }
    if !low && !delta.is_empty() {
        let colour = if dead { Ink::Bad } else { Ink::Hit };
        pencil.bold(pt(left, top + 53.5), 11.0, colour, delta);
    }
    let right = card.x + card.w - layout.columns.1 + 6.0;
    let middle = card.centre().y;
    if waiting > 0 {
        pencil.bold(pt(right, middle - 3.0), 11.5, Ink::Warn, waiting_text);
    } else {
        pencil.text(pt(right, middle - 3.0), 11.5, Ink::Secondary, rate_text);
    }
    let meter = Rect::new(right, middle + 5.0, layout.columns.1 - 18.0, 6.0);
    let busy = (rate / knobs.capacity_per_s) as f32;
    let colour = if busy > 0.85 { Ink::Warn } else { Ink::Accent };
    pencil.meter(meter, busy, colour, dead);
    // How long the shelf was before the last change, and how long an average one is.
    let length = |keys: f32| keys / layout.rows as f32 * layout.pitch;
    let height = layout.pitch * layout.rows as f32 + 4.0;
    if !dead && model.change.is_some() && entry.before > 0 && entry.before != held {
        let columns = (entry.before as usize).div_ceil(layout.rows) as f32;
        let was = Rect::new(
            shelf.x - 1.5,
            shelf.centre().y - height / 2.0,
            (columns * layout.pitch).min(shelf.w) + 3.0,
            height,
        );
        pencil.dashed(was, 4.0, Ink::None, ink(node), 1.0);
    }
    if !dead {
        let x = tenths(shelf.x + length(layout.average).min(shelf.w));
        let (top, bottom) = (tenths(card.y + 2.0), tenths(card.y + card.h - 2.0));
        pencil.dashed_line(format!("M{x} {top}L{x} {bottom}"), Ink::Mark, 1.0);
    }
    for (i, place) in &slots {
        if let (Place::Coming(_), Some(p)) = (place, layout.slot(node, *i)) {
            let b = Rect::new(p.x - socket, p.y - socket, 2.0 * socket, 2.0 * socket);
            pencil.bordered(b, 1.0, Ink::None, Ink::LineStrong, 1.0);
        }
    }
    let flying = |key: u16| {
        model
            .flights
            .iter()
            .any(|f| (f.key, f.from.0) == (key, node))
    };
    for (i, place) in slots {
        let (Place::Held(key), Some(p)) = (place, layout.slot(node, i)) else {
            continue;
        };
        let owners = &model.keys[usize::from(key)].owners;
        let (glyph, colour) = match owners.iter().position(|owner| *owner == node) {
            Some(0) => (Glyph::Message, ink(node)),
            Some(_) => (Glyph::Replica, ink(node)),
            // No longer its business: grey until the new owner has it.
            None if flying(key) => continue,
            None => (Glyph::Message, Ink::Mark),
        };
        scene.particle(p, socket, glyph, colour, u32::from(key) + 1);
    }
    queue(node, card, model, layout, scene);
}

/// Waiting requests left of a card, and the one at work on its edge.
fn queue(node: u8, card: Rect, model: &ConsistentHashing, layout: &Layout, scene: &mut Scene) {
    let (door, colour) = (card.left(), ink(node));
    let entry = &model.nodes[usize::from(node)];
    if let Some(slot) = entry.serving {
        scene.particle(door, READ, Glyph::Request, colour, model.number(slot));
    }
    let per_row = ((layout.gap - 10.0) / 11.0).max(1.0) as usize;
    let rows = (card.h / 11.0).max(1.0) as usize;
    let all = entry.queue.len().div_ceil(per_row).min(rows) as f32;
    for (i, slot) in entry.queue.iter().take(per_row * rows).enumerate() {
        let (column, row) = ((i % per_row) as f32, (i / per_row) as f32);
        let p = pt(
            door.x - 11.0 - 11.0 * column,
            door.y + 11.0 * (row - (all - 1.0) / 2.0),
        );
        scene.particle(p, READ, Glyph::Request, colour, model.number(*slot));
    }
}

fn database(model: &ConsistentHashing, layout: &Layout, scene: &mut Scene) {
    let reads = scene.say("reads", &[Arg::Count(model.misses as i64)]);
    let quiet = model.change.is_none() && model.watch.crash.is_none() && model.hot.is_none();
    let since = scene.say(if quiet { "since-start" } else { "since-then" }, &[]);
    let now = scene.say("reading", &[Arg::Count(i64::from(model.reading))]);
    let name = scene.name(DATABASE_PART);
    let r = layout.database;
    let mut pencil = scene.thing(DATABASE_PART, r, format!("{reads} {since}, {now}"));
    pencil.figure("misses", model.misses as f64);
    let busy = model.reading > 0;
    let border = if busy { Ink::Warn } else { Ink::LineStrong };
    pencil.bordered(r, 12.0, Ink::Card, border, if busy { 2.0 } else { 1.5 });
    pencil.bold(pt(r.x + 11.0, r.y + 22.0), 14.0, Ink::Ink, name);
    pencil.text(pt(r.x + 11.0, r.y + 39.0), 11.5, Ink::Secondary, reads);
    let third = pt(r.x + 11.0, r.y + 54.0);
    if busy {
        pencil.bold(third, 11.5, Ink::Warn, now);
    } else {
        pencil.text(third, 11.5, Ink::Secondary, since);
    }
}

/// How many keys the last change moves under each scheme.
fn tally(model: &ConsistentHashing, knobs: &Settings, layout: &Layout, scene: &mut Scene) {
    let r = layout.tally;
    // Points, copies and a new scheme concern one scheme alone: there is nothing to compare.
    let change = model.change.filter(|change| change.least.is_some());
    let title = match (change, model.change) {
        (Some(_), _) => "tally",
        (None, None) => "tally-none",
        (None, Some(_)) => "tally-other",
    };
    let title = scene.say(title, &[]);
    let names = ["tally.ring", "tally.mod-n", "tally.jump"].map(|id| scene.say(id, &[]));
    let all = change.map_or(1, |change| change.keys).max(1) as f32;
    let moved = change.map_or([0; 3], |change| change.moved);
    let least = change.and_then(|change| change.least);
    let least_word =
        least.map(|least| scene.say("fewest", &[Arg::Number((least * 10.0).round() / 10.0)]));
    let value = match change {
        Some(_) => {
            let each = SCHEMES.map(|s| format!("{} {}", names[index_of(s)], moved[index_of(s)]));
            format!("{title}: {}", each.join(", "))
        }
        None => title.clone(),
    };
    let mut pencil = scene.thing(TALLY, r, value);
    if change.is_none() {
        for (i, line) in text::wrap(&title, 12.0, false, r.w).iter().enumerate() {
            let at = pt(r.x, r.y + 22.0 + 17.0 * i as f32);
            pencil.text(at, 12.0, Ink::Secondary, line.as_str());
        }
        return;
    }
    for (name, scheme) in [
        ("ring", Scheme::Ring),
        ("mod-n", Scheme::ModN),
        ("jump", Scheme::Jump),
    ] {
        pencil.figure(name, f64::from(moved[index_of(scheme)]));
    }
    pencil.bold(pt(r.x, r.y + 12.0), 12.0, Ink::Ink, title);
    let label = 46.0;
    let bar_w = r.w - label - 30.0;
    for (row, scheme) in [Scheme::ModN, Scheme::Ring, Scheme::Jump]
        .into_iter()
        .enumerate()
    {
        let i = index_of(scheme);
        let y = r.y + 29.0 + 17.0 * row as f32;
        let mine = scheme == knobs.scheme;
        let colour = if mine { Ink::Hit } else { Ink::Mark };
        let text_ink = if mine { Ink::Ink } else { Ink::Secondary };
        let bar = Rect::new(r.x + label, y - 8.0, bar_w, 8.0);
        pencil.meter(bar, moved[i] as f32 / all, colour, false);
        if mine {
            pencil.bold(pt(r.x, y), 11.5, text_ink, names[i].as_str());
        } else {
            pencil.text(pt(r.x, y), 11.5, text_ink, names[i].as_str());
        }
        let at = pt(bar.x + bar.w + 6.0, y);
        pencil.bold(at, 11.5, text_ink, moved[i].to_string());
    }
    if let (Some(least), Some(word)) = (least, least_word) {
        let x = r.x + label + bar_w * (least as f32 / all);
        let (at, top, bottom) = (tenths(x), tenths(r.y + 18.0), tenths(r.y + 66.0));
        pencil.dashed_line(format!("M{at} {top}L{at} {bottom}"), Ink::Ink, 1.2);
        let half = text::width(&word, 11.0, false) / 2.0;
        let at = pt(x.clamp(r.x + half, r.x + r.w - half), r.y + 78.0);
        pencil.centred(at, 11.0, false, Ink::Secondary, word);
    }
}

/// The keys on the dial: each in its owner's colour, small and grey while the owner does not hold it.
fn keys(model: &ConsistentHashing, layout: &Layout, scene: &mut Scene) {
    for (i, (key, place)) in model.keys.iter().zip(&layout.places).enumerate() {
        let hot = model.hot.is_some_and(|(hot, _)| usize::from(hot) == i);
        let (r, colour) = match key.owners.first() {
            Some(owner) if key.in_place() => (layout.key_r, ink(*owner)),
            _ => (layout.key_r * 0.7, Ink::Mark),
        };
        let r = if hot { r + 4.0 } else { r };
        scene.particle(*place, r, Glyph::Message, colour, i as u32 + 1);
    }
}

/// A key on its way: to its place on the dial, clockwise to the point of its new node, and onto the shelf.
fn fly(flight: &Flight, model: &ConsistentHashing, at: Time, layout: &Layout, scene: &mut Scene) {
    let place = layout.places[usize::from(flight.key)];
    let hash = model.keys[usize::from(flight.key)].hash;
    let share = at.progress(flight.left, flight.left + FLIGHT);
    let to = layout.slot(flight.to.0, flight.to.1);
    // A node that is gone by now has no shelf to come from: its key is first seen at its place.
    let from = layout.slot(flight.from.0, flight.from.1).unwrap_or(place);
    let Some(to) = to else { return };
    let (first, second) = match flight.stop {
        Some(_) => (0.3, 0.68),
        None => (0.48, 0.52),
    };
    let p = if share < first {
        layout.around(place, from).at(1.0 - share / first)
    } else if share < second {
        let walked = (share - first) / (second - first);
        flight
            .stop
            .map_or(place, |stop| layout.walked(hash, stop, walked))
    } else {
        let start = flight
            .stop
            .map_or(place, |stop| layout.walked(hash, stop, 1.0));
        let rest = (share - second) / (1.0 - second);
        layout.around(start, to).at(rest)
    };
    let glyph = if flight.replica {
        Glyph::Replica
    } else {
        Glyph::Message
    };
    let colour = ink(flight.to.0);
    scene.particle(p, DOT, glyph, colour, u32::from(flight.key) + 1);
}

/// Where a straight line from the middle of the dial towards a point leaves the words there, with room for a dot.
fn edge(layout: &Layout, to: Point) -> Point {
    let (c, half) = (layout.centre, layout.words);
    let (dx, dy) = (to.x - c.x, to.y - c.y);
    let (across, down) = (dx / half.0, dy / half.1);
    let out = (across * across + down * down).sqrt().max(1.0);
    pt(c.x + dx / out, c.y + dy / out)
}

/// A request or its answer.
fn dot(request: &Request, model: &ConsistentHashing, at: Time, layout: &Layout, scene: &mut Scene) {
    let left = request.until.since(at).0 as f32;
    let share = 1.0 - left / (request.span.0 as f32).max(1.0);
    let place = layout
        .places
        .get(usize::from(request.key))
        .copied()
        .unwrap_or(layout.centre);
    let door = request.node.and_then(|node| layout.door(node));
    // A request has the colour of its key's owner from the start, like the key that it is sent to.
    let owner = model.keys.get(usize::from(request.key));
    let owner = owner.and_then(|key| key.owners.first().copied());
    let routed = request.node.or(owner).map_or(Ink::Mark, ink);
    let mut look = (Glyph::Request, routed);
    let p = match (request.leg, door) {
        (Leg::ToKey, _) => Curve::straight(edge(layout, place), place).at(share),
        (Leg::Walking(Some(stop)), _) => layout.walked(request.hash, stop, share),
        (Leg::Walking(None), Some(door)) => layout.to_door(place, door).at(share * 0.6),
        (Leg::ToNode(From::Point(stop)), Some(door)) => {
            let point = layout.walked(request.hash, stop, 1.0);
            layout.to_door(point, door).at(share)
        }
        (Leg::ToNode(From::Place), Some(door)) => layout.to_door(place, door).at(0.6 + share * 0.4),
        (Leg::ToNode(From::Node(last)), Some(door)) => {
            let from = layout.door(last).unwrap_or(door);
            layout.beside(from, door).at(share)
        }
        (Leg::Hanging, Some(door)) => {
            look.1 = Ink::Bad;
            door
        }
        (Leg::Reading, Some(door)) => {
            let way = layout.beside(door, layout.database.left());
            if share < 0.5 {
                look.1 = Ink::Warn;
                way.at(2.0 * share)
            } else {
                look = (Glyph::Response, Ink::Warn);
                way.at(2.0 - 2.0 * share)
            }
        }
        (Leg::Back, door) => {
            look = if request.failed {
                (Glyph::Failure, Ink::Bad)
            } else {
                (Glyph::Response, Ink::Ok)
            };
            let from = door.unwrap_or(place);
            let home = edge(layout, from);
            match door {
                Some(door) if scene.narrow() => layout.to_door(home, door).at(1.0 - share),
                _ => Curve::straight(from, home).at(share),
            }
        }
        (Leg::Waiting | Leg::InService | Leg::Walking(None), _) | (_, None) => return,
    };
    scene.particle(p, READ, look.0, look.1, request.number);
}
