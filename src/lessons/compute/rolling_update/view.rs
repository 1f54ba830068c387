//! The stage: two streets of pods, each pod passing from pending to ready to terminating, and what is ready
//! against what is needed.

use super::knobs::{How, Settings};
use super::layout::{CHANNEL, Layout, SIDE};
use super::model::{
    BEAT, CHART, DEPLOYMENT, DOOR, FIRST_RELEASE, HOP, Kind, Leg, NODES, PULL, Request,
    RollingUpdate, SERVICE, USERS, WINDOW, node_part, pod_part, road_part, street_part,
};
use super::pods::{GLIDE, Lane, Place, Pod};
use algorithms::self_healing::{NodeState, Phase};
use engine::scene::{Rect, pt};
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::label::{Sample, ending, fitting, legend};
use kit::figures::steps::{Level, Steps};
use kit::figures::{self, DOT, NodeCard};
use kit::layout::Course;

fn count(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

/// Draws the system at `at`.
pub(super) fn draw(model: &RollingUpdate, knobs: &Settings, at: Time, scene: &mut Scene) {
    let layout = Layout::of(scene, knobs.replicas);
    ends(model, knobs, at, &layout, scene);
    deployment(model, knobs, at, &layout, scene);
    for i in 0..NODES {
        node(i, model, at, &layout, scene);
    }
    for i in 0..2 {
        street(i, model, &layout, scene);
    }
    for pod in &model.pods {
        pod_card(pod, model, knobs, at, &layout, scene);
    }
    chart(model, knobs, at, &layout, scene);
    for request in model.requests() {
        dot(request, model, at, &layout, scene);
    }
}

/// The users, the Service and the link between them.
fn ends(model: &RollingUpdate, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let release = &model.release;
    let (word, ink) = match release.failed {
        0 => ("none-failed", Ink::Ok),
        _ => ("failed", Ink::Bad),
    };
    let failed = count(release.failed);
    let said = scene.say(word, &[failed]);
    let spoken = scene.say("failed-since", &[failed]);
    let name = scene.name(USERS);
    let frame = layout.placed.of(USERS);
    let status = fitting(
        &[said.clone(), release.failed.to_string()],
        12.5,
        true,
        frame.w - 27.0,
    );
    let mut pencil = scene.thing(USERS, frame, spoken);
    pencil.figure("failed", f64::from(release.failed));
    NodeCard {
        ink,
        ..NodeCard::plain(frame, name, status)
    }
    .draw(&mut pencil);
    let load = scene.say("load", &[Arg::Number(knobs.load_per_s)]);
    scene
        .link(DOOR, layout.door.frame(), load.clone())
        .line(layout.door.d(), Ink::Mark, 1.5);

    let routed = model.routed().count() as u32;
    let (name, frame) = (scene.name(SERVICE), layout.placed.of(SERVICE));
    let status = match model.gap {
        Some(since) => {
            let long = scene.say("nobody", &[figures::tenths(at.since(since))]);
            let texts = [long, scene.say("nobody-short", &[])];
            fitting(&texts, 12.5, true, frame.w - 27.0)
        }
        None => scene.say("pods", &[count(routed)]),
    };
    let bad = model.gap.is_some();
    let value = format!("{load}, {status}");
    let mut pencil = scene.thing(SERVICE, frame, value);
    match model.gap {
        Some(since) => pencil.figure("nobody s", at.since(since).as_s()),
        None => pencil.figure("pods", f64::from(routed)),
    };
    NodeCard {
        ink: if bad { Ink::Bad } else { Ink::Secondary },
        border: if bad { Ink::Bad } else { Ink::LineStrong },
        ..NodeCard::plain(frame, name, status)
    }
    .draw(&mut pencil);
    if frame.h > 70.0 {
        pencil.text(
            pt(frame.x + 14.0, frame.y + 63.0),
            12.5,
            Ink::Secondary,
            load,
        );
    }
}

/// The Deployment: what is asked for, and how far it is.
fn deployment(
    model: &RollingUpdate,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let (state, ink, told) = state(model, knobs, at, scene);
    let front = knobs.deployment(knobs.replicas);
    let replicas = count(knobs.replicas);
    let (surge, down) = (count(front.max_surge()), count(front.max_unavailable()));
    let short = scene.say("replicas", &[replicas]);
    let limits = match knobs.how {
        How::Recreate => vec![scene.say("limits.recreate", &[replicas]), short],
        How::Rolling => vec![
            scene.say("limits.rolling", &[replicas, surge, down]),
            scene.say("limits.rolling-short", &[surge, down]),
            short,
        ],
        How::BlueGreen => vec![scene.say("limits.blue-green", &[replicas]), short],
        How::Canary => vec![
            scene.say("limits.canary", &[replicas, count(knobs.canary_pods())]),
            short,
        ],
    };
    let (name, frame) = (scene.name(DEPLOYMENT), layout.placed.of(DEPLOYMENT));
    let border = match ink {
        Ink::Bad => Ink::Bad,
        Ink::Warn => Ink::Warn,
        _ => Ink::LineStrong,
    };
    let used = text::width(&name, 14.5, true);
    let line = fitting(&limits, 12.0, false, frame.w - 50.0 - used);
    let value = format!("{state}; {}", limits[0]);
    let state = fitting(
        &[state.clone(), shorten(&state)],
        12.5,
        true,
        frame.w - 26.0,
    );
    let mut pencil = scene.thing(DEPLOYMENT, frame, value);
    if let Some((name, figure)) = told {
        pencil.figure(name, f64::from(figure));
    }
    let card = NodeCard {
        ink,
        border,
        ..NodeCard::plain(frame, name, state)
    };
    card.draw(&mut pencil);
    pencil.text(
        pt(frame.x + 32.0 + used, card.baselines()[0] - 0.5),
        12.0,
        Ink::Secondary,
        line,
    );
}

/// What stands before the first comma or full stop.
fn shorten(sentence: &str) -> String {
    let end = sentence.find([',', ';']).unwrap_or(sentence.len());
    sentence[..end].to_owned()
}

/// The state of the rollout in one line, and the figure in it that captions lean on.
fn state(
    model: &RollingUpdate,
    knobs: &Settings,
    at: Time,
    scene: &Scene,
) -> (String, Ink, Option<(&'static str, u32)>) {
    let wanted = count(model.wanted);
    let release = &model.release;
    let available = model.front().status();
    if model.kinds.len() == 1 {
        let left = figures::tenths((model.opened + FIRST_RELEASE).since(at));
        return (scene.say("state.soon", &[left]), Ink::Secondary, None);
    }
    if release.aborted {
        let tried = [count(release.version), wanted];
        let told = Some(("withdrawn", release.version));
        return (scene.say("state.withdrawn", &tried), Ink::Warn, told);
    }
    if release.done.is_some() {
        let beside = &model.rollouts[1 - model.active];
        if knobs.how == How::BlueGreen && at < model.keep_until && beside.deployment.replicas > 0 {
            let kept = [
                wanted,
                count(beside.template()),
                figures::tenths(model.keep_until.since(at)),
            ];
            return (scene.say("state.kept", &kept), Ink::Ok, None);
        }
        let fewest = release.ready_min;
        let done = [wanted, count(fewest)];
        let told = Some(("fewest", fewest));
        return (scene.say("state.done", &done), Ink::Ok, told);
    }
    if release.stalled.is_some() {
        let deadline = count(knobs.deadline_s);
        let told = Some(("stuck s", knobs.deadline_s));
        return (
            scene.say("state.stalled", &[wanted, deadline]),
            Ink::Bad,
            told,
        );
    }
    let main = &model.rollouts[model.active];
    if let Some(trial) = model.trial.filter(|_| main.template() != model.wanted) {
        let seen = [wanted, count(trial.answers), count(trial.errors)];
        let told = Some(("errors", trial.errors));
        return (scene.say("state.trial", &seen), Ink::Warn, told);
    }
    let new = model.pods.iter().filter(|pod| {
        pod.version == model.wanted
            && pod.core.is_available(at.0, knobs.min_ready_us())
            && std::ptr::eq(&model.rollouts[pod.side], model.front())
    });
    let new = new.count() as u32;
    let size = model
        .front()
        .deployment
        .replicas
        .max(available.updated.min(1));
    let done = [wanted, count(new), count(size)];
    let word = if release.back {
        "state.back"
    } else {
        "state.rolling"
    };
    (scene.say(word, &done), Ink::Accent, Some(("new", new)))
}

fn node(i: usize, model: &RollingUpdate, at: Time, layout: &Layout, scene: &mut Scene) {
    let (frame, part, node) = (
        layout.placed.of(node_part(i)),
        node_part(i),
        &model.nodes[i],
    );
    let on = |pod: &&Pod| pod.core.node == Some(i as u32);
    let held = model.pods.iter().filter(on).count() as u32;
    let (status, ink, border) = match (node.dark, node.state) {
        (Some(_), NodeState::Evicting) => (scene.say("node.gone", &[]), Ink::Bad, Ink::Bad),
        (Some(_), NodeState::Unreachable) => (scene.say("node.silent", &[]), Ink::Bad, Ink::Bad),
        (Some(since), NodeState::Ready) => {
            let dark = figures::tenths(at.since(since));
            (scene.say("node.dark", &[dark]), Ink::Bad, Ink::Bad)
        }
        (None, _) => (
            scene.say("node.well", &[count(held)]),
            Ink::Secondary,
            Ink::LineStrong,
        ),
    };
    let name = scene.name(part);
    let mut pencil = scene.thing(part, frame, status.clone());
    let middle = frame.centre().y;
    if node.dark.is_some() {
        pencil.dashed(frame, 10.0, Ink::Card, border, 2.0);
    } else {
        pencil.bordered(frame, 10.0, Ink::Card, border, 1.5);
    }
    pencil.bold(pt(frame.x + 9.0, middle - 4.0), 12.5, Ink::Ink, name);
    let at_status = pt(frame.x + 9.0, middle + 13.0);
    if ink == Ink::Secondary {
        pencil.text(at_status, 11.5, ink, status);
    } else {
        pencil.bold(at_status, 11.0, ink, status);
    }
    // A heartbeat leaves the node while it is fresh.
    let age = at.since(node.heard);
    if node.dark.is_none() && node.heard > Time::ZERO && age < BEAT {
        let up = age.0 as f32 / BEAT.0 as f32;
        let p = pt(frame.x + frame.w - 9.0, middle - 6.0 - 10.0 * up);
        scene.particle(p, 5.0, Glyph::Heartbeat, Ink::Secondary, 0);
    }
}

/// A street: the label with the ReplicaSets, the road, and the headings of its lanes.
fn street(i: usize, model: &RollingUpdate, layout: &Layout, scene: &mut Scene) {
    let road = layout.road(i).d();
    let routed = model.routed().any(|pod| pod.street() == i);
    let value = scene.say(if routed { "road.used" } else { "road.idle" }, &[]);
    let frame = layout.road_frame(i);
    let mut pencil = scene.link(road_part(i), frame, value);
    if routed {
        pencil.line(road, Ink::Mark, 1.5);
    } else {
        pencil.dashed_line(road, Ink::LineStrong, 1.5);
    }
    if let Some(rest) = layout.exit_road(i) {
        pencil.dashed_line(rest.d(), Ink::LineStrong, 1.5);
    }

    let mut versions: Vec<(u32, u32)> = Vec::new();
    for set in model.rollouts.iter().flat_map(|r| r.replica_sets()) {
        let alive = set.replicas > 0 || model.pods.iter().any(|pod| pod.version == set.template);
        if model.street_of(set.template) != i || !alive {
            continue;
        }
        match versions
            .iter_mut()
            .find(|(version, _)| *version == set.template)
        {
            Some((_, wants)) => *wants += set.replicas,
            None => versions.push((set.template, set.replicas)),
        }
    }
    let wants = |scene: &Scene, id: &str, (version, wants): (u32, u32)| {
        scene.say(id, &[count(version), count(wants)])
    };
    let label = match versions.as_slice() {
        [] => scene.say("set.none", &[]),
        [only] => wants(scene, "set.one", *only),
        several => several
            .iter()
            .map(|set| wants(scene, "set.short", *set))
            .collect::<Vec<_>>()
            .join(" · "),
    };
    if let Some(zone) = layout.ready_zone(i) {
        scene.background().filled(zone, 12.0, Ink::OkSoft);
    }
    let row = layout.label(i);
    let spoken = label.clone();
    let room = layout
        .heading_x(Lane::Ready)
        .map_or(row.w - 70.0, |x| x - row.x - 8.0);
    let label = fitting(&[label.clone(), shorten_sets(&label)], 12.5, true, room);
    let more = |lane: Option<Lane>| {
        let hidden = model.pods.iter().filter(|pod| {
            pod.street() == i
                && lane.is_none_or(|lane| pod.place.lane == lane)
                && layout.seat(&pod.place).is_none()
        });
        hidden.count() as u32
    };
    let in_lane = |lane: Lane| {
        let here = move |pod: &&Pod| pod.street() == i && pod.place.lane == lane;
        model.pods.iter().filter(here)
    };
    let heading = |lane: Lane, [word, some]: [&str; 2]| {
        let hidden = more(Some(lane));
        let heading = (!word.is_empty()).then(|| match in_lane(lane).count() as u32 {
            0 => scene.say(word, &[]),
            pods => scene.say(some, &[count(pods)]),
        });
        let more = (hidden > 0).then(|| scene.say("more", &[count(hidden)]));
        let said: Vec<String> = heading.into_iter().chain(more).collect();
        said.join(" ")
    };
    let headings = [
        (
            Lane::Ready,
            heading(Lane::Ready, ["lane.ready", "lane.ready.some"]),
        ),
        (
            Lane::Going,
            heading(Lane::Going, ["lane.going", "lane.going.some"]),
        ),
    ];
    let coming = heading(Lane::Coming, [""; 2]);
    let [soon, ready] = [Lane::Coming, Lane::Ready].map(|lane| in_lane(lane).count() as f64);
    let going = in_lane(Lane::Going).filter(|pod| pod.held() > 0);
    let draining = going.count() as f64;
    let all_hidden = scene.say("more", &[count(more(None))]);
    let ink = if versions.is_empty() {
        Ink::Secondary
    } else {
        Ink::Ink
    };
    let label_w = text::width(&label, 12.5, true);
    let mut pencil = scene.thing(street_part(i), row, spoken);
    pencil.figure("coming", soon);
    pencil.figure("ready", ready);
    pencil.figure("draining", draining);
    pencil.bold(pt(row.x, row.y + 13.0), 12.5, ink, label);
    if layout.lanes {
        for (lane, said) in headings {
            if let Some(x) = layout.heading_x(lane) {
                pencil.text(pt(x, row.y + 13.0), 12.0, Ink::Secondary, said);
            }
        }
        let room = layout.heading_x(Lane::Ready).unwrap_or(0.0) - row.x - label_w - 12.0;
        if !coming.is_empty() && text::width(&coming, 11.5, false) <= room {
            let at = pt(row.x + label_w + 2.0, row.y + 13.0);
            pencil.text(at, 11.5, Ink::Secondary, coming);
        }
    } else if more(None) > 0 {
        let at = pt(row.x + row.w, row.y + 13.0);
        ending(&mut pencil, at, 11.5, false, Ink::Secondary, all_hidden);
    }
}

fn shorten_sets(label: &str) -> String {
    let start = label.find(' ').map_or(0, |at| at + 1);
    label[start..].to_owned()
}

/// How a pod looks.
struct Look {
    word: &'static str,
    ink: Ink,
    ground: Ink,
    border: Ink,
    dashed: bool,
    meter: f32,
    meter_ink: Ink,
    dead: bool,
}

fn look(pod: &Pod, model: &RollingUpdate, knobs: &Settings, at: Time) -> Look {
    let busy = pod.serving.len() as f32 / knobs.workers as f32;
    let calm = Look {
        word: "pod.pending",
        ink: Ink::Secondary,
        ground: Ink::Card,
        border: Ink::LineStrong,
        dashed: true,
        meter: 0.0,
        meter_ink: Ink::Accent,
        dead: false,
    };
    let broken = |word| Look {
        word,
        ink: Ink::Bad,
        border: Ink::Bad,
        dead: true,
        ..calm
    };
    let dark = model.dark(pod);
    match pod.core.phase {
        Phase::Terminating { .. } if dark => broken("pod.stuck"),
        Phase::Starting if dark => broken("pod.lost"),
        Phase::Ready { .. } if dark => Look {
            dashed: false,
            ..broken("pod.dark")
        },
        Phase::Pending => {
            let since = Time(pod.core.created_at_us);
            Look {
                meter: 0.15 * at.progress(since, since + PULL),
                meter_ink: Ink::Mark,
                ..calm
            }
        }
        Phase::Starting => {
            let since = pod.started.unwrap_or(at);
            // Past twice its usual time something is wrong.
            let late = at.since(since).0 > 2 * pod.boot.0;
            let booted = at.progress(since, since + pod.boot + Time::ms(120));
            Look {
                word: if late { "pod.unready" } else { "pod.starting" },
                ink: if late { Ink::Warn } else { Ink::Accent },
                border: if late { Ink::Warn } else { Ink::LineStrong },
                meter: 0.15 + 0.85 * booted,
                meter_ink: if late { Ink::Warn } else { Ink::Accent },
                ..calm
            }
        }
        Phase::Ready { .. } => {
            let full = !pod.queue.is_empty();
            let settled = pod.core.is_available(at.0, knobs.min_ready_us());
            // Ready, but not in the colour that the Service selects.
            let standby = knobs.how == How::BlueGreen && pod.side != model.active;
            let word = match (standby, settled) {
                (true, _) => "pod.standby",
                (false, false) => "pod.settling",
                (false, true) => "pod.ready",
            };
            Look {
                word,
                ink: Ink::Ok,
                border: if pod.routed { Ink::Ok } else { Ink::LineStrong },
                dashed: false,
                meter: pod.busy_share(knobs.workers, at),
                meter_ink: if full { Ink::Warn } else { Ink::Ok },
                ..calm
            }
        }
        Phase::Terminating { .. } | Phase::CrashLoopBackOff { .. } | Phase::Ended => Look {
            word: if pod.held() > 0 {
                "pod.draining"
            } else {
                "pod.stopping"
            },
            ink: Ink::Warn,
            ground: Ink::WarnSoft,
            border: Ink::Warn,
            meter: busy,
            meter_ink: Ink::Warn,
            ..calm
        },
    }
}

fn pod_card(
    pod: &Pod,
    model: &RollingUpdate,
    knobs: &Settings,
    at: Time,
    layout: &Layout,
    scene: &mut Scene,
) {
    let Some(seat) = layout.seat(&pod.place) else {
        return;
    };
    let look = look(pod, model, knobs, at);
    let status = scene.say(look.word, &[]);
    let version = scene.say("version", &[count(pod.version)]);
    let node = pod.core.node.map(|node| count(node + 1));
    let mut value = format!("{version}, {status}");
    if let Some(node) = node {
        value = format!("{value}, {}", scene.say("on-node", &[node]));
    }
    let held = count(pod.held() as u32);
    value = format!("{value}, {}", scene.say("holds", &[held]));
    let badge = node.map(|node| scene.say("node-badge", &[node]));
    let waiting =
        (!pod.queue.is_empty()).then(|| scene.say("waiting", &[count(pod.queue.len() as u32)]));
    let full = waiting.map(|waiting| format!("{status} {waiting}"));
    let room = seat.w - 9.0;
    let lines: Vec<String> = full.into_iter().chain([status]).collect();
    let size = if text::width(&lines[0], 12.0, true) <= room {
        12.0
    } else {
        11.0
    };
    let line = fitting(&lines, size, true, room);
    let glide = at.progress(pod.moved, pod.moved + GLIDE);
    let width = if look.border == Ink::LineStrong {
        1.5
    } else {
        2.0
    };
    let wanted = pod.version == model.wanted;
    let kind = model.kind(pod.version);
    let mut pencil = scene.thing(pod_part(pod.core.id), seat, value);
    let mut card = seat;
    let gliding = glide < 1.0 && pod.from != pod.place && layout.lanes;
    if gliding {
        // On its way the card has no words, so that no text runs over another.
        let from = layout.spot(&pod.from);
        card.x = from.x + (seat.x - from.x) * glide;
        card.y = from.y + (seat.y - from.y) * glide;
    }
    if look.dashed {
        pencil.dashed(card, 9.0, look.ground, look.border, width);
    } else {
        pencil.bordered(card, 9.0, look.ground, look.border, width);
    }
    let (ground, ink) = match (kind, wanted) {
        (Kind::Dead | Kind::Faulty, _) => (Ink::BadSoft, Ink::Bad),
        (Kind::Good, true) => (Ink::AccentSoft, Ink::Accent),
        (Kind::Good, false) => (Ink::Rail, Ink::Ink),
    };
    let chip_w = text::width(&version, 12.0, true) + 8.0;
    // Above 34 units there is air between the lines; below, down to 28, they move together.
    let roomy = ((seat.h - 34.0) / 11.0).clamp(0.0, 1.0);
    let flat = ((34.0 - seat.h) / 6.0).clamp(0.0, 1.0);
    let top = card.y + 3.0 + 2.0 * roomy - 1.5 * flat;
    let chip = Rect::new(card.x + 5.0, top, chip_w, 15.0 - 2.0 * flat);
    pencil.filled(chip, 4.5, ground);
    let low = card.y + card.h - 4.5 - 4.0 * roomy + 1.8 * flat;
    let meter = Rect::new(
        card.x + 6.0,
        low,
        card.w - 12.0,
        3.0 + 1.5 * roomy - 1.2 * flat,
    );
    if gliding {
        pencil.meter(meter, look.meter, look.meter_ink, look.dead);
        return;
    }
    let baseline = chip.y + 11.7 - flat;
    pencil.centred(pt(chip.centre().x, baseline), 12.0, true, ink, version);
    let mut free = seat.w - chip_w - 12.0;
    if let Some(badge) = badge {
        let w = text::width(&badge, 11.0, false);
        if w + 4.0 <= free {
            let p = pt(seat.x + seat.w - 6.0, baseline - 0.4);
            ending(&mut pencil, p, 11.0, false, Ink::Secondary, badge);
            free -= w + 4.0;
        }
    }
    pencil.bold(
        pt(seat.x + 5.5, seat.y + 28.0 + 4.5 * roomy - 4.5 * flat),
        size,
        look.ink,
        line,
    );
    pencil.meter(meter, look.meter, look.meter_ink, look.dead);
    // What is being served sits between version and node, where there is room for it.
    let workers = knobs.workers as usize;
    let pitch = 9.0;
    if pod.core.phase != Phase::Pending && free >= workers as f32 * pitch {
        let x = chip.x + chip.w + (free - workers as f32 * pitch) / 2.0 + 4.5 + 1.0;
        for (j, slot) in pod.serving.iter().take(workers).enumerate() {
            let p = pt(x + j as f32 * pitch, chip.centre().y);
            let n = model.number(*slot);
            scene.particle(p, 3.6, Glyph::Request, Ink::Accent, n);
        }
    }
}

/// Ready pods over the last seconds, a band for each version, against what the load needs and what was allowed.
fn chart(model: &RollingUpdate, knobs: &Settings, at: Time, layout: &Layout, scene: &mut Scene) {
    let area = layout.placed.of(CHART);
    let need = (knobs.load_per_s / knobs.per_pod()) as f32;
    let floor = model.past.back().and_then(|level| level.floor);
    let most = model.past.iter().map(|level| f32::from(level.sum()));
    let most = most.fold(knobs.replicas as f32, f32::max);
    let ready: u32 = model.ready(knobs).iter().sum();
    let now = scene.say("chart.ready", &[count(ready)]);
    let tenths = Arg::Tenths((need * 10.0 + 0.5) as u32);
    let needs = scene.say("chart.need", &[tenths]);
    let floor = floor.map(|floor| scene.say("chart.floor", &[count(u32::from(floor))]));
    let said = [Some(now.clone()), Some(needs.clone()), floor.clone()];
    let value = said.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let title = scene.name(CHART);
    let grounds = [
        (
            Ink::AccentSoft,
            scene.say("chart.wanted", &[count(model.wanted)]),
        ),
        (Ink::Rail, scene.say("chart.others", &[])),
    ];
    let past = scene.say("chart.past", &[Arg::Span(WINDOW)]);
    let names: Vec<String> = (0..=model.kinds.len() as u32)
        .map(|version| scene.say("version", &[count(version)]))
        .collect();
    let promised = model.past.back().and_then(|level| level.floor);
    let mut pencil = scene.thing(CHART, area, value);
    pencil.figure("ready", f64::from(ready));
    if let Some(promised) = promised {
        pencil.figure("floor", f64::from(promised));
    }
    let levels: Vec<Level<'_>> = model
        .past
        .iter()
        .map(|level| Level {
            since: level.since,
            bands: &level.versions,
            floor: level.floor.map(f32::from),
        })
        .collect();
    let chart = Steps {
        plot: Rect::new(area.x, area.y + 20.0, area.w, area.h - 20.0),
        now: at,
        window: WINDOW,
        top: most.max(need.min(16.0)) + 0.6,
        need,
        levels: &levels,
    };
    chart.draw(&mut pencil, |version| {
        let ink = match version {
            wanted if wanted == model.wanted => Ink::AccentSoft,
            _ => Ink::Rail,
        };
        (
            ink,
            names.get(version as usize).cloned().unwrap_or_default(),
        )
    });
    let mut at = pt(area.x, area.y + 12.5);
    let mut right = area.x + area.w;
    if layout.lanes {
        let end = pt(right, at.y);
        right -= text::width(&past, 11.5, false) + 12.0;
        ending(&mut pencil, end, 11.5, false, Ink::Secondary, past);
        let w = text::width(&title, 12.5, true);
        pencil.bold(at, 12.5, Ink::Ink, title);
        at.x += w + 20.0;
    }
    let short = f64::from(ready) * knobs.per_pod() < knobs.load_per_s;
    let main = if short { Ink::Bad } else { Ink::Ok };
    let lines = [(Sample::Main, main, now), (Sample::Line, Ink::Ink, needs)];
    let floor = floor.map(|floor| (Sample::Dashed, Ink::Warn, floor));
    at.x = legend(&mut pencil, at, right, lines.into_iter().chain(floor));
    // Both grounds are named or neither: one alone would leave the other to guess.
    let widths = grounds
        .iter()
        .map(|(_, said)| 37.0 + text::width(said, 12.0, false));
    if at.x + widths.sum::<f32>() - 16.0 <= right {
        let grounds = grounds.map(|(ink, said)| (Sample::Ground, ink, said));
        legend(&mut pencil, at, right + 0.5, grounds);
    }
}

/// A request or its answer on its way.
fn dot(request: &Request, model: &RollingUpdate, at: Time, layout: &Layout, scene: &mut Scene) {
    let share = 1.0 - request.arrives.since(at).0 as f32 / HOP.0 as f32;
    let place = request.place;
    let spot = |place: &Place| layout.spot(place).centre();
    let target = match model.pod(request.pod) {
        // A card that is gliding takes the end of the way along.
        Some(pod) if request.leg == Leg::ToPod => {
            let glide = at.progress(pod.moved, pod.moved + GLIDE);
            let (a, b) = (spot(&pod.from), spot(&pod.place));
            pt(a.x + (b.x - a.x) * glide, a.y + (b.y - a.y) * glide)
        }
        _ => spot(&place),
    };
    let (there, back) = (Course::There, Course::Back);
    let (p, back) = match request.leg {
        Leg::ToService => (layout.door.at(share, there), false),
        Leg::ToUsers => (layout.door.at(share, back), true),
        Leg::ToPod => (layout.way(place.street, target).at(share, there), false),
        Leg::FromPod => (layout.way(place.street, target).at(share, back), true),
        Leg::Waiting | Leg::InService => return,
    };
    let (glyph, ink) = match (back, request.failed) {
        (false, _) => (Glyph::Request, Ink::Accent),
        (true, false) => (Glyph::Response, Ink::Ok),
        (true, true) => (Glyph::Failure, Ink::Bad),
    };
    scene.particle(p, DOT - 0.5, glyph, ink, request.number);
}

/// Dots pass each other within the channel.
const _: () = assert!(CHANNEL >= 2.0 * (SIDE + DOT));
