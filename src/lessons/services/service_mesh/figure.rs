//! The stage: callers at the left, hosts below, and where they cross, what each proxy believes of each host.

use super::proxy::{Proxy, Rule, place};
use super::{
    End, Got, HOSTS_MAX, Ill, ORDERS, SEEN_FOR, Seen, THIRD, THREADS, Try, USERS, WEB, ZONES,
    host_part, web_part,
};
use engine::scene::{Curve, Point, Rect, pt};
use engine::{Arg, Glyph, Ink, PartId, Scene, Time, text};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, NodeCard, panel};
use kit::system::{System, Values};

/// The control plane.
pub(super) const PLANE: PartId = PartId::one("plane");
/// What each proxy believes.
pub(super) const MATRIX: PartId = PartId::one("matrix");
/// What users got.
pub(super) const GOT: PartId = PartId::one("got");
/// What it took until every proxy knew.
pub(super) const COST: PartId = PartId::one("cost");
const THIRD_PART: PartId = PartId::nth("host", THIRD as u16 + 1);
const CROWD: PartId = PartId::one("users");
/// Whose chain of causes answers for what is drawn here.
pub(super) const STANDS_FOR: &[(PartId, PartId)] = &[
    (MATRIX, THIRD_PART),
    (GOT, THIRD_PART),
    (COST, THIRD_PART),
    (PLANE, PartId::nth("web", 1)),
    (CROWD, PartId::nth("web", 1)),
];

/// From here on parts stand side by side.
const WIDE: f32 = 700.0;
/// So long a dot of an order is at least seen on its way.
const GAP: f32 = 8.0;

/// Where everything stands.
struct Layout {
    users: Rect,
    plane: Rect,
    pods: Vec<Rect>,
    /// The matrix with its head.
    matrix: Rect,
    cells: Rect,
    /// The left edge of each column, by place.
    columns: Vec<(usize, f32)>,
    column: f32,
    row: f32,
    hosts: f32,
    host_h: f32,
    got: Rect,
    cost: Rect,
    height: f32,
}

impl Layout {
    fn of(width: f32, callers: usize, shown: [usize; ZONES]) -> Layout {
        let wide = width >= WIDE;
        let rows = callers.max(1) as f32;
        let row = ((if wide { 216.0 } else { 200.0 }) / rows).clamp(20.0, 52.0);
        let (pod_x, pod_w) = if wide { (116.0, 132.0) } else { (8.0, 96.0) };
        let left = pod_x + pod_w + 22.0;
        let right = if wide { width - 188.0 } else { width - 8.0 };
        let top = if wide { 58.0 } else { 154.0 };
        let head = 22.0;
        let matrix = Rect::new(left, top, right - left, head + rows * row + 4.0);
        let cells = Rect::new(left + 4.0, top + head, matrix.w - 8.0, rows * row);
        let between = if shown[1] > 0 { 10.0 } else { 0.0 };
        let count = (shown[0] + shown[1]).max(1) as f32;
        let column = ((cells.w - between) / count).min(86.0);
        // Few columns stand in the middle.
        let start = cells.x + (cells.w - between - column * count) / 2.0;
        let mut columns = Vec::new();
        for zone in 0..ZONES {
            for host in 0..shown[zone] {
                let before = if zone == 1 { shown[0] } else { 0 };
                let gap = if zone == 1 { between } else { 0.0 };
                let x = start + column * (before + host) as f32 + gap;
                columns.push((place(zone, host), x));
            }
        }
        let pods = (0..callers)
            .map(|web| {
                let y = cells.y + row * web as f32;
                Rect::new(pod_x, y + 1.0, pod_w, row - 3.0)
            })
            .collect();
        let hosts = matrix.y + matrix.h + 14.0;
        let host_h = 62.0;
        let bottom = hosts + host_h + GAP;
        let half = (width - 16.0 - GAP) / 2.0;
        let (users, plane, got, cost) = if wide {
            (
                Rect::new(
                    8.0,
                    cells.y + (rows * row).min(216.0) / 2.0 - 36.0,
                    88.0,
                    72.0,
                ),
                Rect::new(left, 6.0, right - left, 44.0),
                Rect::new(right + 12.0, 58.0, width - right - 20.0, 128.0),
                Rect::new(right + 12.0, 194.0, width - right - 20.0, 96.0),
            )
        } else {
            (
                Rect::new(8.0, 6.0, half, 84.0),
                Rect::new(8.0, 98.0, width - 16.0, 48.0),
                Rect::new(16.0 + half, 6.0, half, 84.0),
                Rect::new(8.0, bottom, width - 16.0, 52.0),
            )
        };
        Layout {
            users,
            plane,
            pods,
            matrix,
            cells,
            columns,
            column,
            row,
            hosts,
            host_h,
            got,
            cost,
            height: if wide {
                bottom.max(298.0)
            } else {
                bottom + 52.0 + GAP
            },
        }
    }

    fn x_of(&self, place: usize) -> Option<f32> {
        let found = self.columns.iter().find(|it| it.0 == place)?;
        Some(found.1)
    }

    fn cell(&self, web: usize, place: usize) -> Option<Rect> {
        let y = self.cells.y + self.row * web as f32;
        let x = self.x_of(place)?;
        Some(Rect::new(
            x + 1.5,
            y + 1.5,
            self.column - 3.0,
            self.row - 3.0,
        ))
    }

    fn host(&self, place: usize) -> Option<Rect> {
        let x = self.x_of(place)?;
        Some(Rect::new(
            x + 1.0,
            self.hosts,
            self.column - 2.0,
            self.host_h,
        ))
    }

    /// Along a row, then down a column: where a call is after a share of its way. Answers keep to the other side.
    fn on_way(&self, web: usize, place: usize, share: f32, back: bool) -> Option<Point> {
        let (pod, x) = (self.pods.get(web)?, self.x_of(place)?);
        let side = if back { -1.0 } else { 1.0 };
        let lane = (self.row * 0.3).min(9.0);
        let y = pod.centre().y + side * -lane;
        let x = x + self.column / 2.0 + side * (self.column * 0.22).min(9.0);
        let start = pod.x + pod.w + 6.0;
        let (along, down) = ((x - start).max(1.0), (self.hosts - y).max(1.0));
        let gone = share * (along + down);
        Some(if gone < along {
            pt(start + gone, y)
        } else {
            pt(x, y + gone - along)
        })
    }
}

/// Draws all of it.
pub(super) fn draw(system: &System, knobs: &Values, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let members = |node| system.node(node).map_or(0, |live| live.members.len());
    let shown = ORDERS.map(|node| members(node).min(HOSTS_MAX));
    let layout = Layout::of(scene.width, members(WEB).min(super::CALLERS_MAX), shown);
    scene.height = layout.height;
    ways(&layout, seen, scene);
    users(system, &layout, scene);
    plane(system, &layout, at, scene);
    for web in 0..layout.pods.len() {
        pod(web, system, &layout, scene);
    }
    matrix(system, &layout, at, scene);
    for (place, _) in layout.columns.clone() {
        host(place, system, &layout, at, scene);
    }
    got(seen, at, layout.got, scene);
    cost(seen, knobs, layout.cost, scene);
    for it in &seen.tries {
        dot(it, at, &layout, scene);
    }
    orders(seen, at, &layout, scene);
}

/// The ways of orders, and from users to callers.
fn ways(layout: &Layout, seen: &Seen, scene: &mut Scene) {
    let wide =
        layout.users.x + layout.users.w < layout.cells.x && layout.users.y > layout.plane.y + 40.0;
    let mut pencil = scene.background();
    if wide {
        for pod in &layout.pods {
            let way = Curve::across(layout.users.right(), pod.left());
            pencil.line(way.d(), Ink::Line, 1.5);
        }
    }
    if seen.mesh {
        for web in 0..layout.pods.len() {
            let ink = if seen.down { Ink::Line } else { Ink::Hit };
            let [from, corner, to] = order_way(layout, web);
            let d = format!(
                "M{} {}V{}H{}",
                text::tenths(from.x),
                text::tenths(from.y),
                text::tenths(corner.y),
                text::tenths(to.x)
            );
            pencil.dashed_line(d, ink, 1.0);
        }
    }
}

/// From the control plane to a proxy.
fn order_way(layout: &Layout, web: usize) -> [Point; 3] {
    let pod = layout.pods[web];
    let x = layout.matrix.x - 9.0;
    let y = pod.centre().y;
    [
        pt(x, layout.plane.y + layout.plane.h - 8.0),
        pt(x, y),
        pt(pod.x + pod.w, y),
    ]
}

/// Orders on their way.
fn orders(seen: &Seen, at: Time, layout: &Layout, scene: &mut Scene) {
    for (web, proxy) in seen.live().iter().enumerate().take(layout.pods.len()) {
        for it in &proxy.coming {
            let [from, corner, to] = order_way(layout, web);
            let share = at.progress(it.left, it.arrives);
            let (down, across) = ((corner.y - from.y).max(1.0), (from.x - to.x).max(1.0));
            let gone = share * (down + across);
            let p = if gone < down {
                pt(from.x, from.y + gone)
            } else {
                pt(from.x - (gone - down), corner.y)
            };
            scene.particle(p, DOT, Glyph::Message, Ink::Hit, 0);
        }
    }
}

/// A try on its way, which is drawn longer than it takes.
fn dot(it: &Try, at: Time, layout: &Layout, scene: &mut Scene) {
    let (share, back, glyph, ink) = match it.ended {
        Some((ended, end)) if at >= ended => {
            let share = 1.0 - at.progress(ended, ended + SEEN_FOR);
            let (glyph, ink) = match end {
                End::Well => (Glyph::Response, Ink::Ok),
                End::Failed | End::Late => (Glyph::Failure, Ink::Bad),
            };
            // Nothing comes back from a host that hangs: the proxy itself gives up.
            let from = if end == End::Late { 0.5 } else { 1.0 };
            (share * from, true, glyph, ink)
        }
        _ => {
            let share = at.progress(it.sent, it.sent + SEEN_FOR);
            let ink = if it.again { Ink::Warn } else { Ink::Accent };
            (share, false, Glyph::Request, ink)
        }
    };
    let over = if back { share <= 0.0 } else { share >= 1.0 };
    if over {
        return;
    }
    if let Some(p) = layout.on_way(it.web, it.place, share, back) {
        scene.particle(p, DOT - 0.5, glyph, ink, it.number);
    }
}

fn users(system: &System, layout: &Layout, scene: &mut Scene) {
    let load = scene.say("load", &[Arg::Number(system.load_per_s(USERS))]);
    let name = scene.name(CROWD);
    let room = layout.users.w - 22.0;
    let mut pencil = scene.thing(CROWD, layout.users, load.clone());
    let load = fitting(&[load], 12.5, false, room);
    NodeCard::plain(layout.users, name, load).draw(&mut pencil);
}

/// The control plane: how many of the proxies have its last order.
fn plane(system: &System, layout: &Layout, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let r = layout.plane;
    let live = seen.live();
    let have = live
        .iter()
        .filter(|it| it.order.is_some() && it.order == seen.ordered)
        .count();
    let count = |n: usize| Arg::Count(n as i64);
    let status = match (seen.mesh, seen.down) {
        (false, _) => scene.say("plane.none", &[]),
        (true, true) => scene.say("plane.down", &[]),
        (true, false) => scene.say("plane.have", &[count(have), count(live.len())]),
    };
    let metrics = seen.mesh && !seen.down;
    let failed = seen.share(Got::Error, at) + seen.share(Got::Refusal, at);
    let args = [Arg::Share((failed * 100.0).round() / 100.0)];
    let metrics = metrics.then(|| scene.say("plane.metrics", &args));
    let name = scene.name(PLANE);
    let spoken: Vec<String> = [Some(status.clone()), metrics.clone()]
        .into_iter()
        .flatten()
        .collect();
    let mut pencil = scene.thing(PLANE, r, spoken.join(", "));
    pencil
        .figure("down", f64::from(u8::from(seen.down)))
        .figure("have", have as f64);
    let (ink, border) = match (seen.mesh, seen.down) {
        (false, _) => (Ink::Secondary, Ink::Line),
        (_, true) => (Ink::Bad, Ink::Bad),
        _ => (Ink::Secondary, Ink::Hit),
    };
    if seen.mesh {
        pencil.bordered(
            r,
            10.0,
            Ink::Card,
            border,
            if seen.down { 2.0 } else { 1.5 },
        );
    } else {
        pencil.dashed(r, 10.0, Ink::Card, border, 1.0);
    }
    let name_w = text::width(&name, 13.5, true);
    let room = r.w - 24.0;
    pencil.bold(pt(r.x + 12.0, r.y + 18.0), 13.5, Ink::Ink, name);
    if let Some(metrics) = metrics
        && text::width(&metrics, 12.0, false) + name_w + 24.0 < room
    {
        ending(
            &mut pencil,
            pt(r.x + r.w - 12.0, r.y + 18.0),
            12.0,
            false,
            Ink::Secondary,
            metrics,
        );
    }
    let at = pt(r.x + 12.0, r.y + 36.0);
    let bold = seen.down && seen.mesh;
    let status = fitting(&[status], 12.0, bold, room);
    if bold {
        pencil.bold(at, 12.0, ink, status);
    } else {
        pencil.text(at, 12.0, ink, status);
    }
}

/// A caller with its threads, and at its right edge its proxy.
fn pod(web: usize, system: &System, layout: &Layout, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let r = layout.pods[web];
    let Some(member) = system.node(WEB).and_then(|live| live.members.get(web)) else {
        return;
    };
    let part = web_part(web);
    let busy = member.own.pool.held.len();
    let waiting = member.own.pool.queue.len();
    let proxy = seen.proxies.get(web);
    let order = proxy.and_then(|it| it.order);
    let threads = scene.say(
        "threads",
        &[Arg::Count(busy as i64), Arg::Count(i64::from(THREADS.0))],
    );
    let team = scene.say(["team.set", "team.forgot"][web % 2], &[]);
    let kind = match (order, seen.mesh && seen.down && seen.ordered.is_some()) {
        (Some(_), _) => scene.say("proxied", &[]),
        (None, true) => scene.say("proxied.none", &[]),
        (None, false) => team,
    };
    let waits = (waiting > 0).then(|| scene.say("waiting", &[Arg::Count(waiting as i64)]));
    let name = scene.name(part);
    let full = busy >= THREADS.0 as usize;
    let spoken: Vec<String> = [Some(kind.clone()), Some(threads.clone()), waits.clone()]
        .into_iter()
        .flatten()
        .collect();
    let mut pencil = scene.thing(part, r, spoken.join(", "));
    pencil
        .figure("busy", busy as f64)
        .figure("waiting", waiting as f64)
        .figure("proxy", f64::from(u8::from(order.is_some())));
    let border = if full { Ink::Bad } else { Ink::LineStrong };
    pencil.bordered(r, 6.0, Ink::Card, border, if full { 2.0 } else { 1.0 });
    if order.is_some() {
        let bar = Rect::new(r.x + r.w - 8.0, r.y, 8.0, r.h);
        pencil.bordered(bar, 3.0, Ink::HitSoft, Ink::Hit, 1.5);
    }
    let room = r.w - 20.0;
    let share = busy as f32 / THREADS.0 as f32;
    let ink = if full { Ink::Bad } else { Ink::Accent };
    if r.h < 30.0 {
        let size = if r.h < 19.0 { 11.0 } else { 12.0 };
        let w = text::width(&name, size, true);
        pencil.bold(pt(r.x + 8.0, r.centre().y + 4.0), size, Ink::Ink, name);
        let x = r.x + 14.0 + w;
        let meter = Rect::new(x, r.centre().y - 3.0, (r.x + r.w - 14.0 - x).max(4.0), 6.0);
        pencil.meter(meter, share, ink, false);
        return;
    }
    let w = text::width(&name, 12.5, true);
    pencil.bold(pt(r.x + 8.0, r.y + 15.0), 12.5, Ink::Ink, name);
    if text::width(&kind, 11.0, false) <= room - w - 8.0 {
        let at = pt(r.x + r.w - 13.0, r.y + 15.0);
        ending(&mut pencil, at, 11.0, false, Ink::Secondary, kind);
    }
    if r.h >= 44.0 {
        let said = waits.filter(|_| full).unwrap_or(threads);
        let said = fitting(&[said, format!("{busy}/{}", THREADS.0)], 11.0, full, room);
        let at = pt(r.x + 8.0, r.y + 30.0);
        if full {
            pencil.bold(at, 11.0, Ink::Bad, said);
        } else {
            pencil.text(at, 11.0, Ink::Secondary, said);
        }
    }
    pencil.meter(
        Rect::new(r.x + 8.0, r.y + r.h - 11.0, room, 6.0),
        share,
        ink,
        false,
    );
}

/// What each proxy believes of each host.
fn matrix(system: &System, layout: &Layout, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let r = layout.matrix;
    let live = seen.live();
    let aside: usize = layout.columns.iter().map(|it| seen.aside(it.0)).sum();
    let panics = live
        .iter()
        .filter(|it| it.shares.iter().any(|share| share.panics))
        .count();
    let zones = layout.columns.iter().any(|it| it.0 >= HOSTS_MAX);
    // All proxies of one mind, as a rule; else what they send on average.
    let load = |zone: usize| -> f64 {
        let of = |it: &Proxy| {
            it.shares
                .get(zone)
                .map_or(0.0, |share| f64::from(share.load))
        };
        let sum: f64 = live.iter().map(of).sum();
        (sum / live.len().max(1) as f64).round()
    };
    let by_rate = live
        .iter()
        .any(|it| it.order.is_some_and(|it| it.rule == Rule::SuccessRate));
    let mut heads = Vec::new();
    if zones {
        for zone in 0..ZONES {
            let word = ["zone.a", "zone.b"][zone];
            let args = [Arg::Share(load(zone) / 100.0)];
            let short = ["zone.a-short", "zone.b-short"][zone];
            heads.push((zone, scene.say(word, &args), scene.say(short, &args)));
        }
    } else {
        let word = match (live.iter().any(|it| it.order.is_some()), panics > 0) {
            (false, _) => "believes.none",
            (_, true) => "believes.panic",
            _ if by_rate => "believes.rate",
            _ => "believes",
        };
        let short = match word {
            "believes" => "believes-short",
            "believes.rate" => "believes.rate-short",
            word => word,
        };
        heads.push((0, scene.say(word, &[]), scene.say(short, &[])));
    }
    let panic = (zones && panics > 0).then(|| scene.say("believes.panic", &[]));
    let mut spoken: Vec<String> = heads.iter().map(|it| it.1.clone()).collect();
    spoken.extend(panic.clone());
    for (place, _) in &layout.columns {
        let count = seen.aside(*place);
        if count > 0 {
            let name = Arg::Part(host_part(*place));
            let args = [
                name,
                Arg::Count(count as i64),
                Arg::Count(live.len() as i64),
            ];
            spoken.push(scene.say("aside-by", &args));
        }
    }
    let texts: Vec<Vec<Option<Cell>>> = (0..layout.pods.len())
        .map(|web| {
            let cell = |it: &(usize, f32)| cell(live.get(web)?, it.0, at, scene);
            layout.columns.iter().map(cell).collect()
        })
        .collect();
    let mut pencil = scene.thing(MATRIX, r, spoken.join(", "));
    pencil
        .figure("aside", aside as f64)
        .figure("panics", panics as f64)
        .figure("zone A %", load(0))
        .figure("zone B %", load(1));
    pencil.bordered(r, 8.0, Ink::Paper, Ink::Line, 1.0);
    for (zone, head, short) in heads {
        let first = layout
            .columns
            .iter()
            .find(|it| it.0 / HOSTS_MAX == zone || !zones);
        let x = if zones {
            first.map_or(r.x, |it| it.1)
        } else {
            r.x + 6.0
        };
        let bad = !zones && panics > 0;
        let room = if zones {
            (r.x + r.w - x - 6.0) / (2 - zone) as f32
        } else {
            r.w - 12.0
        };
        let ink = if bad { Ink::Bad } else { Ink::Secondary };
        let said = match (&panic, zone) {
            (Some(panic), 0) => fitting(
                &[format!("{head} · {panic}"), head, short],
                12.0,
                true,
                room,
            ),
            _ => fitting(&[head, short], 12.0, true, room),
        };
        let ink = if zone == 0 && panic.is_some() {
            Ink::Bad
        } else {
            ink
        };
        pencil.bold(pt(x + 2.0, r.y + 15.0), 12.0, ink, said);
    }
    for (web, row) in texts.into_iter().enumerate() {
        for (it, (place, _)) in row.into_iter().zip(&layout.columns) {
            if let (Some(it), Some(rect)) = (it, layout.cell(web, *place)) {
                it.draw(rect, &mut pencil);
            }
        }
    }
}

/// What one proxy believes of one host.
struct Cell {
    aside: bool,
    known: bool,
    counts: bool,
    /// Failures in a row, and how many put it aside.
    ticks: (u32, u32),
    says: Option<(String, Ink)>,
}

fn cell(proxy: &Proxy, place: usize, at: Time, scene: &Scene) -> Option<Cell> {
    let order = proxy.order;
    let host = proxy.detector.host(place);
    let mut cell = Cell {
        aside: false,
        known: order.is_none_or(|order| place % HOSTS_MAX < order.hosts[place / HOSTS_MAX]),
        counts: order.is_some(),
        ticks: (0, 1),
        says: None,
    };
    let (Some(order), Some(host)) = (order, host) else {
        return Some(cell);
    };
    if host.aside_since.is_some() {
        let until = proxy.detector.until(place, &order.settings());
        let left = Time(until.unwrap_or_default()).since(at).as_s();
        let args = [
            Arg::Count(libm::ceil(left) as i64),
            Arg::Count(i64::from(host.times)),
        ];
        let word = if host.times > 1 { "left-times" } else { "left" };
        cell.aside = true;
        cell.says = Some((scene.say(word, &args), Ink::Bad));
    } else if order.rule == Rule::InARow {
        cell.ticks = (host.in_a_row.min(order.in_a_row), order.in_a_row.max(1));
    } else if let Some(Some(distance)) = proxy.distances.get(place) {
        let tenths = Arg::Tenths((distance.abs() * 10.0).round() as u32);
        let (word, ink) = if *distance > 0.05 {
            ("below", Ink::Warn)
        } else {
            ("above", Ink::Secondary)
        };
        cell.says = Some((scene.say(word, &[tenths]), ink));
    }
    Some(cell)
}

impl Cell {
    fn draw(self, r: Rect, pencil: &mut engine::scene::Pencil<'_>) {
        if !self.known || !self.counts {
            pencil.dashed(r, 4.0, Ink::Card, Ink::Line, 1.0);
            return;
        }
        let (fill, border) = match self.aside {
            true => (Ink::BadHatch, Ink::Bad),
            false => (Ink::Card, Ink::Line),
        };
        pencil.bordered(r, 4.0, fill, border, 1.0);
        let (count, all) = self.ticks;
        if count > 0 {
            // As many ticks as failures, in as many places as put it aside.
            let pitch = ((r.w - 8.0) / all as f32).min(9.0);
            let h = (r.h - 8.0).clamp(4.0, 18.0);
            let w = (pitch - 2.0).max(1.0);
            let left = r.centre().x - pitch * all as f32 / 2.0;
            for tick in 0..all {
                let x = left + pitch * tick as f32;
                let ink = if tick < count { Ink::Bad } else { Ink::Rail };
                let bar = Rect::new(x, r.centre().y - h / 2.0, w, h);
                pencil.filled(bar, (w / 2.0).min(1.5), ink);
            }
        }
        let Some((says, ink)) = self.says else { return };
        let size = if r.h > 26.0 && r.w > 44.0 { 13.0 } else { 11.0 };
        let w = text::width(&says, size, true);
        if w > r.w - 4.0 || r.h < 16.0 {
            return;
        }
        if self.aside {
            let ground = Rect::new(
                r.centre().x - w / 2.0 - 2.0,
                r.centre().y - size * 0.6,
                w + 4.0,
                size * 1.2,
            );
            pencil.filled(ground, 3.0, Ink::Card);
        }
        pencil.centred(
            pt(r.centre().x, r.centre().y + size * 0.36),
            size,
            true,
            ink,
            says,
        );
    }
}

/// A host: how it is, what it holds, and how many callers have put it aside.
fn host(place: usize, system: &System, layout: &Layout, at: Time, scene: &mut Scene) {
    let seen = system.own::<Seen>();
    let (zone, host) = (place / HOSTS_MAX, place % HOSTS_MAX);
    let Some(r) = layout.host(place) else { return };
    let Some(member) = system
        .node(ORDERS[zone])
        .and_then(|live| live.members.get(host))
    else {
        return;
    };
    let part = host_part(place);
    let ill = if zone == 0 { seen.ills[host] } else { None };
    let held = member.own.pool.held.len() + member.own.pool.queue.len();
    let calls = member.own.row.of(kit::system::Count::Came);
    let state = match ill {
        Some(Ill::Fails(_)) => "fails",
        Some(Ill::Hangs(_)) => "hangs",
        Some(Ill::Fifth(_)) => "fifth",
        None if member.leaving => "leaving",
        None if seen.mesh
            && seen
                .live()
                .iter()
                .all(|it| it.known(seen.there)[zone] <= host) =>
        {
            "unknown"
        }
        None => "well",
    };
    let state_said = scene.say(state, &[]);
    let by = seen.aside(place);
    let inside = scene.say("inside", &[Arg::Count(held as i64)]);
    let aside = (by > 0).then(|| {
        let args = [Arg::Count(by as i64), Arg::Count(seen.live().len() as i64)];
        (
            scene.say("aside-of", &args),
            scene.say("aside-short", &args),
        )
    });
    let dying = member.own.dying(at).map(|(reason, count)| {
        let args = [Arg::Count(i64::from(count)), Arg::Word(reason.label())];
        scene.say("died", &args)
    });
    let distances: Vec<f64> = seen
        .live()
        .iter()
        .filter_map(|it| it.distances.get(place).copied().flatten())
        .collect();
    let mean = distances.iter().sum::<f64>() / distances.len().max(1) as f64;
    let name = scene.name(part);
    let number = if zone == 1 {
        format!("B{}", host + 1)
    } else {
        (host + 1).to_string()
    };
    let spoken: Vec<String> = [
        Some(state_said.clone()),
        Some(inside.clone()),
        aside.as_ref().map(|it| it.0.clone()),
        dying.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut pencil = scene.thing(part, r, spoken.join(", "));
    pencil
        .figure("aside", by as f64)
        .figure("inside", held as f64)
        .figure("calls", f64::from(calls))
        .figure("times", f64::from(times(seen, place)))
        .figure("deviations", mean);
    let (border, width) = match ill {
        Some(_) => (Ink::Bad, 2.0),
        None => (Ink::LineStrong, 1.0),
    };
    let fill = if ill.is_some() {
        Ink::BadSoft
    } else {
        Ink::Card
    };
    pencil.bordered(r, 7.0, fill, border, width);
    let room = r.w - 6.0;
    let middle = r.centre().x;
    let mut line = |y: f32, bold: bool, ink: Ink, texts: &[String]| {
        let size = if bold { 12.0 } else { 11.0 };
        // What does not fit whole is left out: it is spoken, and the colour says the rest.
        if let Some(said) = texts.iter().find(|it| text::width(it, size, bold) <= room) {
            pencil.centred(pt(middle, r.y + y), size, bold, ink, said.clone());
        }
    };
    line(16.0, true, Ink::Ink, &[name, number]);
    let ink = if ill.is_some() {
        Ink::Bad
    } else {
        Ink::Secondary
    };
    line(32.0, false, ink, &[state_said]);
    let (low, ink) = match (aside, held > 4) {
        (Some((long, short)), _) => (vec![long, short], Ink::Bad),
        (None, true) => (vec![inside, held.to_string()], Ink::Warn),
        _ => (vec![inside, held.to_string()], Ink::Secondary),
    };
    line(50.0, false, ink, &low);
}

/// How often a host has been put aside in a row, at most.
fn times(seen: &Seen, place: usize) -> u32 {
    let times = seen.live().iter().filter(|it| it.has_aside(place));
    times
        .filter_map(|it| it.detector.host(place))
        .map(|host| host.times)
        .max()
        .unwrap_or(0)
}

/// What users got lately.
fn got(seen: &Seen, at: Time, r: Rect, scene: &mut Scene) {
    let all = [Got::Answer, Got::Error, Got::Refusal];
    let shares = all.map(|got| seen.share(got, at));
    let words = ["got.answer", "got.error", "got.refusal"];
    let said: Vec<String> = (0..3)
        .map(|i| scene.say(words[i], &[Arg::Share((shares[i] * 100.0).round() / 100.0)]))
        .collect();
    let title = scene.name(GOT);
    let mut pencil = scene.thing(GOT, r, said.join(", "));
    pencil
        .figure("answered %", shares[0] * 100.0)
        .figure("failed %", (shares[1] + shares[2]) * 100.0);
    panel(&mut pencil, r, fitting(&[title], 12.0, true, r.w - 20.0));
    let inks = [Ink::Ok, Ink::Bad, Ink::Warn];
    let tall = r.h > 100.0;
    let bar = Rect::new(
        r.x + 10.0,
        r.y + 24.0,
        r.w - 20.0,
        if tall { 14.0 } else { 8.0 },
    );
    pencil.filled(bar, 3.0, Ink::Rail);
    let mut x = bar.x;
    for (share, ink) in shares.iter().zip(inks) {
        let w = bar.w * *share as f32;
        if w >= 1.0 {
            let fill = if ink == Ink::Bad { Ink::BadHatch } else { ink };
            pencil.bordered(Rect::new(x, bar.y, w, bar.h), 2.0, fill, ink, 1.0);
        }
        x += w;
    }
    let (first, pitch) = if tall { (58.0, 22.0) } else { (46.0, 15.0) };
    for (i, (line, ink)) in said.into_iter().zip(inks).enumerate() {
        let at = pt(r.x + 10.0, r.y + first + pitch * i as f32);
        let loud = i > 0 && shares[i] >= 0.005;
        let ink = if loud { ink } else { Ink::Secondary };
        let line = fitting(&[line], 12.0, loud, r.w - 20.0);
        if loud {
            pencil.bold(at, 12.0, ink, line);
        } else {
            pencil.text(at, 12.0, ink, line);
        }
    }
}

/// Errors that callers paid until all of them knew of the host that fell ill.
fn cost(seen: &Seen, _: &Values, r: Rect, scene: &mut Scene) {
    let title = scene.name(COST);
    let lesson = seen
        .lesson
        .filter(|_| seen.live().iter().any(|it| it.order.is_some()));
    let count = |n: u32| Arg::Count(i64::from(n));
    let (value, detail) = match lesson {
        None => ("–".to_owned(), scene.say("cost.none", &[])),
        Some(it) => {
            let detail = match it.known {
                Some(known) => {
                    let took = Arg::Tenths((known.since(it.since).as_s() * 10.0) as u32);
                    scene.say("cost.known", &[count(it.callers), took])
                }
                None => scene.say("cost.open", &[]),
            };
            (it.errors.to_string(), detail)
        }
    };
    let mut pencil = scene.thing(COST, r, format!("{value}, {detail}"));
    if let Some(it) = lesson {
        pencil.figure("errors", f64::from(it.errors));
        pencil.figure("known", f64::from(u8::from(it.known.is_some())));
    }
    let tall = r.h > 60.0;
    panel(
        &mut pencil,
        r,
        fitting(&[title], 12.0, true, r.w - if tall { 20.0 } else { 70.0 }),
    );
    let detail = fitting(&[detail], 11.0, false, r.w - 20.0);
    if tall {
        pencil.bold(pt(r.x + 10.0, r.y + 52.0), 24.0, Ink::Ink, value);
        pencil.text(pt(r.x + 10.0, r.y + 78.0), 11.0, Ink::Secondary, detail);
    } else {
        ending(
            &mut pencil,
            pt(r.x + r.w - 12.0, r.y + 22.0),
            18.0,
            true,
            Ink::Ink,
            value,
        );
        pencil.text(pt(r.x + 10.0, r.y + 40.0), 11.0, Ink::Secondary, detail);
    }
}
