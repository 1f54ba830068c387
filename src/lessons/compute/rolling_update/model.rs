//! The system: users, a Service, the Deployments behind it, their pods and the nodes that these run on.

use super::knobs::{Break, How, Settings};
use super::pods::{Lane, PROBE_EVERY, Place, Pod};
use super::probe;
use algorithms::rollout::{DeploymentStatus, Observed, Progress, Rollout};
use algorithms::self_healing::{self, NodeMonitor, NodeState, Phase};
use engine::random::{exponential, unit};
use engine::tape::NoteId;
use engine::{Act, Action, Arg, Context, Model, Note, PartId, Stream, Time, Tone};
use std::collections::VecDeque;

/// One way along one link. Stretched, so that requests can be seen travelling; latency leaves it out.
pub(super) const HOP: Time = Time::ms(160);
/// Machines that pods run on.
pub(super) const NODES: usize = 3;
/// How often the controllers look.
const TICK: Time = Time::ms(100);
/// From being given a node to the container's start: the image is fetched.
pub(super) const PULL: Time = Time::ms(400);
/// How long a container takes to end once it holds nothing.
const EXIT: Time = Time::ms(200);
/// Distance of two heartbeats of a node.
const HEARTBEAT: Time = Time::ms(500);
/// How long a heartbeat travels.
pub(super) const BEAT: Time = Time::ms(200);
/// When the team ships by itself, unless the learner was first.
pub(super) const FIRST_RELEASE: Time = Time::ms(1_500);
/// How much of the past the stage shows.
pub(super) const WINDOW: Time = Time::s(14);
/// Failures closer than this share one mark on the tape.
const FAILURE_MARKS: Time = Time::s(1);
/// Answers of a canary below which nothing is concluded.
const CANARY_ANSWERS: u32 = 12;

const ARRIVALS: Stream = Stream::named("arrivals");
const WORK: Stream = Stream::named("work");
const LUCK: Stream = Stream::named("luck");

pub(super) const USERS: PartId = PartId::one("users");
pub(super) const SERVICE: PartId = PartId::one("service");
pub(super) const DEPLOYMENT: PartId = PartId::one("deployment");
pub(super) const CHART: PartId = PartId::one("chart");

/// The part of a node by its index.
pub(super) const fn node_part(index: usize) -> PartId {
    PartId::nth("node", index as u16 + 1)
}

/// The part of a pod.
pub(super) fn pod_part(id: u32) -> PartId {
    // Parts count in 16 bits; numbers start anew before that matters.
    PartId::nth("pod", (id % 60_000) as u16)
}

/// The part of a street.
pub(super) const fn street_part(index: usize) -> PartId {
    PartId::nth("street", index as u16 + 1)
}

/// The link between users and Service.
pub(super) const DOOR: PartId = PartId::one("door");

/// The road of a street.
pub(super) const fn road_part(index: usize) -> PartId {
    PartId::nth("link", index as u16 + 1)
}

/// What a version is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    /// Never passes its readiness probe.
    Dead,
    /// Fails a share of its requests.
    Faulty,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    ToService,
    ToPod,
    Waiting,
    InService,
    FromPod,
    ToUsers,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) leg: Leg,
    pub(super) arrives: Time,
    pub(super) pod: u32,
    /// Where that pod stood when it was last dealt with: pods go while answers still travel.
    pub(super) place: Place,
    pub(super) failed: bool,
    version: u32,
    /// Drawn on arrival, so that twins serve the same requests.
    work: Time,
    luck: f64,
    reached: Time,
    note: NoteId,
}

/// One machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) dark: Option<Time>,
    pub(super) state: NodeState,
    pub(super) heard: Time,
    note: NoteId,
}

/// A trial of a canary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub(super) since: Time,
    pub(super) answers: u32,
    pub(super) errors: u32,
}

/// What was ready for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) since: Time,
    /// Ready pods of each version that has some, in the order of versions.
    pub(super) versions: Vec<(u32, u8)>,
    /// The fewest available pods that a rolling update allows, while that is how releases go.
    pub(super) floor: Option<u8>,
}

impl Level {
    /// All ready pods.
    pub(super) fn sum(&self) -> u8 {
        self.versions.iter().map(|(_, pods)| *pods).sum()
    }
}

/// One release from being asked for to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    pub(super) version: u32,
    pub(super) kind: Kind,
    pub(super) how: How,
    pub(super) since: Time,
    /// Whether it goes back to an earlier version.
    pub(super) back: bool,
    pub(super) replicas: u32,
    /// Fewest ready pods among those that the Service selects.
    pub(super) ready_min: u32,
    /// Most pods that were not terminating.
    pub(super) pods_max: u32,
    pub(super) served: u32,
    pub(super) failed: u32,
    /// Failures at pods that had been told to stop.
    pub(super) refused: u32,
    /// Whether ready pods always had room for the load.
    pub(super) enough: bool,
    pub(super) node_lost: bool,
    /// When its deadline passed without progress.
    pub(super) stalled: Option<Time>,
    pub(super) aborted: bool,
    pub(super) done: Option<Time>,
    /// Whether a knob was turned on the way.
    pub(super) touched: bool,
}

impl Release {
    fn new(version: u32, kind: Kind, back: bool, how: How, replicas: u32, now: Time) -> Release {
        Release {
            version,
            kind,
            how,
            since: now,
            back,
            replicas,
            ready_min: u32::MAX,
            pods_max: 0,
            served: 0,
            failed: 0,
            refused: 0,
            enough: true,
            node_lost: false,
            stalled: None,
            aborted: false,
            done: None,
            touched: false,
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next request leaves.
    Arrive,
    /// A request reaches the Service.
    AtService(u32),
    /// A request reaches its pod.
    AtPod(u32),
    /// A pod is done with a request, if its container still lives this life.
    Finish(u32, u32),
    /// An answer passes the Service.
    Answered(u32),
    /// An answer reaches its user.
    Home(u32),
    /// A waiting request may have waited too long; its slot and number.
    GiveUp(u32, u32),
    /// The controllers look.
    Tick,
    /// A pod's container starts.
    Start(u32),
    /// A pod is probed, if its container still lives this life.
    Probe(u32, u32),
    /// The Service learns of a pod.
    Hear(u32),
    /// A pod gets SIGTERM.
    Term(u32),
    /// A pod's grace period is over.
    Kill(u32),
    /// A pod's container ends.
    Exit(u32),
    /// A node reports.
    Beat(u8),
    /// The team's own release.
    FirstRelease,
}

/// The simulated system.
#[derive(Clone)]
pub struct RollingUpdate {
    /// One Deployment, and the second one that blue-green and canary need.
    pub(super) rollouts: [Rollout; 2],
    /// Which of them is the main one.
    pub(super) active: usize,
    pub(super) kinds: Vec<Kind>,
    /// The street of each version: across from the one that it was shipped to replace.
    streets: Vec<u8>,
    /// The version asked for, and the one before it.
    pub(super) wanted: u32,
    pub(super) previous: u32,
    previous_before: u32,
    pub(super) trial: Option<Trial>,
    promoted: bool,
    pub(super) keep_until: Time,
    pub(super) pods: Vec<Pod>,
    pub(super) nodes: [Node; NODES],
    pods_born: u32,
    last_pick: u32,
    requests: Vec<Request>,
    free: Vec<u32>,
    born: u64,
    served: u64,
    failed: u64,
    /// When the learner came, by the model's clock.
    pub(super) opened: Time,
    /// What was ready and since when, for the chart.
    pub(super) past: VecDeque<Level>,
    pub(super) gap: Option<Time>,
    /// What was said when it began, for the chain of causes.
    gap_note: NoteId,
    pub(super) now: Time,
    /// The note that last moved the rollout, for the chain of causes.
    mover: NoteId,
    failure_marked: Option<Time>,
    pub(super) release: Release,
    pub(super) finished: Option<Release>,
    /// The kind of version that the running release goes back from, and whether that had taken over.
    pub(super) fled_from: Option<(Kind, bool)>,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

impl Model for RollingUpdate {
    type Knobs = Settings;
    type Event = Event;
    type Action = Break;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> RollingUpdate {
        let node = Node {
            dark: None,
            state: NodeState::Ready,
            heard: Time::ZERO,
            note: NoteId::NONE,
        };
        let rollout = |replicas| Rollout::new(0, knobs.deployment(replicas), 1);
        let mut model = RollingUpdate {
            rollouts: [rollout(knobs.replicas), rollout(0)],
            active: 0,
            kinds: vec![Kind::Good],
            streets: vec![0],
            wanted: 1,
            previous: 0,
            previous_before: 0,
            trial: None,
            promoted: true,
            keep_until: Time::ZERO,
            pods: Vec::new(),
            nodes: [node; NODES],
            pods_born: 0,
            last_pick: 0,
            requests: Vec::new(),
            free: Vec::new(),
            born: 0,
            served: 0,
            failed: 0,
            opened: Time::ZERO,
            past: VecDeque::new(),
            gap: None,
            gap_note: NoteId::NONE,
            now: Time::ZERO,
            mover: NoteId::NONE,
            failure_marked: None,
            release: Release::new(1, Kind::Good, false, knobs.how, knobs.replicas, Time::ZERO),
            finished: None,
            fled_from: None,
        };
        model.release.done = Some(Time::ZERO);
        // Version 1 has been running for a while.
        for rollout in &mut model.rollouts {
            rollout.sync(0);
        }
        let (load, capacity) = (
            knobs.load_per_s,
            knobs.per_pod() * f64::from(knobs.replicas),
        );
        for _ in 0..knobs.replicas {
            let id = model.add_pod(0, 1, knobs, cx);
            let node = model.roomiest_node();
            let pod = model.pod_mut(id);
            pod.core.node = node;
            pod.core.phase = Phase::Ready { since_us: 0 };
            pod.probe.record(true);
            pod.routed = true;
            pod.started = Some(Time::ZERO);
            pod.warm((load / capacity).min(1.0) as f32);
            model.take_seat(id, Lane::Ready, Time::ZERO);
            let pod = model.pod_mut(id);
            pod.from = pod.place;
        }
        model.tell_rollouts(knobs, Time::ZERO);
        for rollout in &mut model.rollouts {
            rollout.sync(0);
        }
        model.measure(knobs, cx);
        for i in 0..NODES {
            let first = Time(HEARTBEAT.0 * (i as u64 + 1) / NODES as u64);
            cx.schedule(first, Event::Beat(i as u8));
        }
        cx.schedule(TICK, Event::Tick);
        // Traffic was flowing before the learner came: fill the links as if it had run for four hops.
        let mut ago = Time(4 * HOP.0);
        loop {
            let gap = model.draw_gap(knobs, cx);
            if gap >= ago {
                cx.schedule(gap - ago, Event::Arrive);
                break;
            }
            ago = ago - gap;
            let slot = model.spawn(knobs, cx);
            if ago < HOP {
                model.travel(slot, Leg::ToService, HOP - ago, cx);
                cx.schedule(HOP - ago, Event::AtService(slot));
            } else {
                model.dispatch(slot, Time(2 * HOP.0).since(ago), knobs, cx);
            }
        }
        model
    }

    fn on_start(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        (self.now, self.opened) = (cx.now(), cx.now());
        (self.release.served, self.release.failed) = (0, 0);
        cx.schedule(FIRST_RELEASE, Event::FirstRelease);
        // What the parts are there for, until something happens to them.
        let load = Arg::Number(knobs.load_per_s);
        let replicas = number(knobs.replicas);
        let nodes = (0..NODES).map(|node| {
            let part = node_part(node);
            Note::new("believed").with(Arg::Part(part)).about(part)
        });
        let others = [
            Note::new("come-in").with(load).about(USERS),
            Note::new("come-in").with(load).about(DOOR),
            Note::new("hands-out").about(SERVICE),
            Note::new("wants").with(replicas).about(DEPLOYMENT),
            Note::new("owns").with(replicas).about(street_part(0)),
            Note::new("free-row").about(street_part(1)),
            Note::new("road").about(road_part(0)),
            Note::new("road").about(road_part(1)),
            Note::new("counts").about(CHART),
        ];
        for note in nodes.chain(others) {
            cx.because(NoteId::NONE);
            cx.say(note);
        }
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match event {
            Event::Arrive => {
                let gap = self.draw_gap(knobs, cx);
                cx.schedule(gap, Event::Arrive);
                let slot = self.spawn(knobs, cx);
                self.travel(slot, Leg::ToService, HOP, cx);
                cx.schedule(HOP, Event::AtService(slot));
            }
            Event::AtService(slot) => self.dispatch(slot, HOP, knobs, cx),
            Event::AtPod(slot) => self.at_pod(slot, knobs, cx),
            Event::Finish(slot, life) => self.finish(slot, life, knobs, cx),
            Event::Answered(slot) => {
                self.travel(slot, Leg::ToUsers, HOP, cx);
                cx.schedule(HOP, Event::Home(slot));
            }
            Event::Home(slot) => self.home(slot, cx),
            Event::GiveUp(slot, number) => self.give_up(slot, number, knobs, cx),
            Event::Tick => self.tick(knobs, cx),
            Event::Start(id) => self.start(id, knobs, cx),
            Event::Probe(id, life) => self.probe(id, life, knobs, cx),
            Event::Hear(id) => self.hear(id, knobs, cx),
            Event::Term(id) => self.term(id, cx),
            Event::Kill(id) => self.kill(id, knobs, cx),
            Event::Exit(id) => self.exit(id, knobs, cx),
            Event::Beat(node) => {
                cx.schedule(HEARTBEAT, event);
                let node = &mut self.nodes[usize::from(node)];
                if node.dark.is_none() {
                    node.heard = cx.now();
                }
            }
            Event::FirstRelease => {
                if self.kinds.len() == 1 {
                    self.ship(Kind::Good, knobs, cx);
                }
            }
        }
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        if self.release.done.is_none() {
            self.release.touched = true;
        }
        // Another strategy may let the Service see other pods.
        for i in 0..self.pods.len() {
            let id = self.pods[i].core.id;
            if self.pods[i].routed != self.chosen(&self.pods[i], knobs) {
                cx.schedule(Time::from_ms(knobs.lag_ms), Event::Hear(id));
            }
            self.put_to_work(id, knobs, cx);
        }
    }

    fn can(&self, action: Break) -> bool {
        let node = |i: usize| self.nodes.get(i);
        match action {
            Break::Ship | Break::ShipDead | Break::ShipFaulty => true,
            Break::RollBack => self.previous > 0 && self.previous != self.wanted,
            Break::Kill(i) => node(i).is_some_and(|node| node.dark.is_none()),
            Break::Revive(i) => node(i).is_some_and(|node| node.dark.is_some()),
        }
    }

    fn aim(&self, spec: usize) -> usize {
        let fits = |i: &usize| {
            Break::from_act(Act { spec, target: *i }).is_some_and(|action| self.can(action))
        };
        // The second one first: any would do, but it should always be the same.
        std::iter::once(1).chain(0..NODES).find(fits).unwrap_or(1)
    }

    fn on_action(&mut self, action: Break, knobs: &Settings, cx: Cx<'_, '_>) {
        self.now = cx.now();
        match action {
            Break::Ship => self.ship(Kind::Good, knobs, cx),
            Break::ShipDead => self.ship(Kind::Dead, knobs, cx),
            Break::ShipFaulty => self.ship(Kind::Faulty, knobs, cx),
            Break::RollBack => self.roll_back(knobs, cx),
            Break::Kill(node) => self.kill_node(node, knobs, cx),
            Break::Revive(node) => self.revive(node, knobs, cx),
        }
    }

    fn audit(&self) -> Result<(), String> {
        let (mut waiting, mut serving, mut moving) = (0_u64, 0_u64, 0_u64);
        for (slot, request) in self.requests.iter().enumerate() {
            if request.number == 0 {
                continue;
            }
            let slot = slot as u32;
            let pod = self.pod(request.pod);
            match request.leg {
                Leg::Waiting if pod.is_some_and(|pod| pod.queue.contains(&slot)) => waiting += 1,
                Leg::InService if pod.is_some_and(|pod| pod.serving.contains(&slot)) => {
                    serving += 1;
                }
                Leg::Waiting | Leg::InService => {
                    return Err(format!(
                        "request {} is {:?} but its pod does not hold it",
                        request.number, request.leg
                    ));
                }
                _ => moving += 1,
            }
        }
        let queued: usize = self.pods.iter().map(|pod| pod.queue.len()).sum();
        let busy: usize = self.pods.iter().map(|pod| pod.serving.len()).sum();
        if (queued as u64, busy as u64) != (waiting, serving) {
            return Err(format!(
                "pods hold {queued} and {busy}, requests say {waiting} and {serving}"
            ));
        }
        let accounted = self.served + self.failed + waiting + serving + moving;
        if self.born != accounted {
            return Err(format!(
                "{} came in, {accounted} are accounted for",
                self.born
            ));
        }
        for (i, pod) in self.pods.iter().enumerate() {
            let twin = self.pods[..i].iter().any(|other| {
                other.street() == pod.street()
                    && ((other.place.lane, other.place.seat) == (pod.place.lane, pod.place.seat)
                        || other.home == pod.home)
            });
            if twin {
                return Err(format!("pod {} sits on another", pod.core.id));
            }
        }
        Ok(())
    }
}

fn number(n: u32) -> Arg {
    Arg::Count(i64::from(n))
}

fn pod_name(id: u32) -> Arg {
    Arg::Part(pod_part(id))
}

impl RollingUpdate {
    /// Requests that are somewhere.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.number > 0)
    }

    /// The number of the request in a slot that a pod holds.
    pub(super) fn number(&self, slot: u32) -> u32 {
        self.requests[slot as usize].number
    }

    /// Requests that came, were served and failed.
    #[cfg(test)]
    pub(super) fn totals(&self) -> (u64, u64, u64) {
        (self.born, self.served, self.failed)
    }

    pub(super) fn kind(&self, version: u32) -> Kind {
        let index = (version as usize).saturating_sub(1);
        self.kinds.get(index).copied().unwrap_or(Kind::Good)
    }

    /// The street that pods of a version stand at.
    pub(super) fn street_of(&self, version: u32) -> usize {
        let index = (version as usize).saturating_sub(1);
        self.streets
            .get(index)
            .map_or(0, |street| usize::from(*street % 2))
    }

    /// The pod of this number, if it still exists.
    pub(super) fn pod(&self, id: u32) -> Option<&Pod> {
        // Pods are kept in order of creation.
        let i = self.pods.binary_search_by_key(&id, |pod| pod.core.id);
        i.ok().map(|i| &self.pods[i])
    }

    fn find(&mut self, id: u32) -> Option<&mut Pod> {
        let i = self.pods.binary_search_by_key(&id, |pod| pod.core.id);
        i.ok().map(|i| &mut self.pods[i])
    }

    fn pod_mut(&mut self, id: u32) -> &mut Pod {
        self.find(id).expect("the caller holds a pod that exists")
    }

    /// Pods that the Service sends requests to.
    pub(super) fn routed(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.routed)
    }

    /// Pods that are ready and that the Service selects, by street; whether it has heard of them yet or not.
    pub(super) fn ready(&self, knobs: &Settings) -> [u32; 2] {
        let mut ready = [0; 2];
        for pod in &self.pods {
            if self.chosen(pod, knobs) && !self.dark(pod) {
                ready[pod.street()] += 1;
            }
        }
        ready
    }

    /// What is ready now, by version, and the floor that holds.
    fn level(&self, knobs: &Settings, since: Time) -> Level {
        let mut versions: Vec<(u32, u8)> = Vec::new();
        for pod in &self.pods {
            if !self.chosen(pod, knobs) || self.dark(pod) {
                continue;
            }
            match versions.binary_search_by_key(&pod.version, |(version, _)| *version) {
                Ok(found) => versions[found].1 += 1,
                Err(place) => versions.insert(place, (pod.version, 1)),
            }
        }
        let deployment = knobs.deployment(knobs.replicas);
        // A floor is promised by a rolling release, not by the strategy that none has used yet.
        let rolls = knobs.how == How::Rolling && self.release.how == How::Rolling;
        let floor = (rolls && self.kinds.len() > 1).then(|| deployment.min_available() as u8);
        Level {
            since,
            versions,
            floor,
        }
    }

    /// Whether the Service should send requests to a pod.
    fn chosen(&self, pod: &Pod, knobs: &Settings) -> bool {
        let selected = knobs.how != How::BlueGreen || pod.side == self.active;
        pod.core.is_ready() && selected
    }

    // ---- pods -------------------------------------------------------------------------------

    fn add_pod(&mut self, side: usize, version: u32, knobs: &Settings, cx: Cx<'_, '_>) -> u32 {
        self.pods_born += 1;
        let id = self.pods_born;
        let mut pod = Pod::new(id, side, version, cx.now());
        pod.place.street = self.street_of(version) as u8;
        pod.home = self.free_seat(&pod, None);
        self.pods.push(pod);
        self.take_seat(id, Lane::Coming, cx.now());
        let pod = self.pod_mut(id);
        pod.from = pod.place;
        pod.boot = boot(id, knobs);
        id
    }

    /// The lowest free seat of a lane of a pod's street, or the lowest free home.
    fn free_seat(&self, pod: &Pod, lane: Option<Lane>) -> u8 {
        let street: Vec<u8> = self
            .pods
            .iter()
            .filter(|other| other.core.id != pod.core.id && other.street() == pod.street())
            .filter_map(|other| match lane {
                None => Some(other.home),
                Some(lane) => (other.place.lane == lane).then_some(other.place.seat),
            })
            .collect();
        (0..u8::MAX)
            .find(|seat| !street.contains(seat))
            .unwrap_or(u8::MAX)
    }

    fn take_seat(&mut self, id: u32, lane: Lane, now: Time) {
        let Some(pod) = self.pod(id) else { return };
        let seat = self.free_seat(pod, Some(lane));
        let pod = self.pod_mut(id);
        pod.seated(lane, now);
        pod.place.seat = seat;
    }

    /// The node with the fewest pods among those believed well.
    fn roomiest_node(&self) -> Option<u32> {
        let held = |node: usize| {
            let on = |pod: &&Pod| pod.core.node == Some(node as u32) && pod.core.is_active();
            self.pods.iter().filter(on).count()
        };
        (0..NODES)
            .filter(|node| self.nodes[*node].state == NodeState::Ready)
            .min_by_key(|node| held(*node))
            .map(|node| node as u32)
    }

    /// Whether a pod's machine is dark, so that whatever is believed of it is out of date.
    pub(super) fn dark(&self, pod: &Pod) -> bool {
        let node = pod.core.node.and_then(|node| self.nodes.get(node as usize));
        node.is_some_and(|node| node.dark.is_some())
    }

    fn start(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(pod) = self.pod(id) else { return };
        if pod.core.phase != Phase::Pending || self.dark(pod) {
            return;
        }
        let (node, version) = (pod.core.node.unwrap_or(0) as usize, pod.version);
        cx.because(pod.note);
        let note = Note::new("starts").with(pod_name(id));
        let note = note.with(number(version)).with(Arg::Part(node_part(node)));
        let note = cx.say(note.about(pod_part(id)));
        self.boot_container(id, note, knobs, cx);
    }

    fn boot_container(&mut self, id: u32, note: NoteId, knobs: &Settings, cx: Cx<'_, '_>) {
        let dead = self
            .pod(id)
            .is_some_and(|pod| self.kind(pod.version) == Kind::Dead);
        let now = cx.now();
        let pod = self.pod_mut(id);
        pod.core.phase = Phase::Starting;
        pod.note = note;
        pod.started = Some(now);
        pod.boot = boot(id, knobs);
        pod.answers_at = if dead { Time::NEVER } else { now + pod.boot };
        let life = pod.life;
        cx.schedule(PROBE_EVERY, Event::Probe(id, life));
    }

    fn probe(&mut self, id: u32, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Some(pod) = self.find(id).filter(|pod| pod.life == life) else {
            return;
        };
        if pod.core.phase != Phase::Starting {
            return;
        }
        if pod.probe.record(now >= pod.answers_at) == Some(true) {
            pod.core.phase = Phase::Ready { since_us: now.0 };
            let version = pod.version;
            cx.because(pod.note);
            let note = Note::new("ready").with(pod_name(id)).with(number(version));
            let note = cx.say(note.about(pod_part(id)).mark(Tone::Ok));
            self.pod_mut(id).note = note;
            self.mover = note;
            self.take_seat(id, Lane::Ready, now);
            cx.schedule(Time::from_ms(knobs.lag_ms), Event::Hear(id));
            self.measure(knobs, cx);
        } else {
            cx.schedule(PROBE_EVERY, Event::Probe(id, life));
        }
    }

    /// The Service learns whether it should send requests to a pod.
    fn hear(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(pod) = self.pod(id) else { return };
        let (chosen, note) = (self.chosen(pod, knobs), pod.note);
        if pod.routed != chosen {
            let word = if chosen { "sends" } else { "spares" };
            cx.because(note);
            cx.say(Note::new(word).with(pod_name(id)).about(SERVICE));
        }
        self.pod_mut(id).routed = chosen;
        self.measure(knobs, cx);
    }

    /// A pod is deleted.
    fn delete(&mut self, id: u32, cause: NoteId, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(pod) = self.pod(id).filter(|pod| pod.core.is_active()) else {
            return;
        };
        let (now, grace) = (cx.now(), Time::from_s(knobs.grace_s));
        cx.because(cause);
        if pod.core.phase == Phase::Pending && !self.dark(pod) {
            let note = Note::new("cancelled").with(pod_name(id));
            self.mover = cx.say(note.about(DEPLOYMENT));
            self.remove(id);
            return;
        }
        let note = if self.dark(pod) {
            Note::new("evicted").with(pod_name(id))
        } else {
            let held = Arg::Count(pod.held() as i64);
            Note::new("terminating").with(pod_name(id)).with(held)
        };
        let note = cx.say(note.about(pod_part(id)));
        let pod = self.pod_mut(id);
        pod.note = note;
        pod.core.phase = Phase::Terminating {
            kill_at_us: (now + grace).0,
        };
        self.take_seat(id, Lane::Going, now);
        cx.schedule(Time::from_ms(knobs.lag_ms), Event::Hear(id));
        cx.schedule(Time::from_s(knobs.pre_stop_s), Event::Term(id));
        cx.schedule(grace, Event::Kill(id));
    }

    fn term(&mut self, id: u32, cx: Cx<'_, '_>) {
        let Some(pod) = self.find(id) else { return };
        pod.deaf = true;
        self.maybe_exit(id, cx);
    }

    /// A container that was told to stop and holds nothing ends soon.
    fn maybe_exit(&mut self, id: u32, cx: Cx<'_, '_>) {
        let Some(pod) = self.find(id) else { return };
        if pod.deaf && !pod.exiting && pod.held() == 0 {
            pod.exiting = true;
            let before = cx.cause();
            cx.because(pod.note);
            cx.schedule(EXIT, Event::Exit(id));
            cx.because(before);
        }
    }

    fn exit(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(pod) = self.pod(id).filter(|pod| !self.dark(pod)) else {
            return;
        };
        cx.because(pod.note);
        let note = Note::new("ended")
            .with(pod_name(id))
            .with(number(pod.version));
        self.mover = cx.say(note.about(street_part(pod.street())));
        self.remove(id);
        self.measure(knobs, cx);
    }

    fn kill(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(pod) = self.pod(id).filter(|pod| !self.dark(pod)) else {
            return;
        };
        cx.because(pod.note);
        let (held, street) = (pod.held(), pod.street());
        let note = Note::new("killed")
            .with(pod_name(id))
            .with(Arg::Count(held as i64));
        let note = cx.say(note.about(street_part(street)).mark(Tone::Bad));
        self.mover = note;
        self.lose_held(id, note, cx);
        self.remove(id);
        self.measure(knobs, cx);
    }

    /// What a pod held is lost.
    fn lose_held(&mut self, id: u32, cause: NoteId, cx: Cx<'_, '_>) {
        let Some(pod) = self.find(id) else { return };
        pod.life += 1;
        let lost: Vec<u32> = pod.queue.drain(..).chain(pod.serving.drain(..)).collect();
        for slot in lost {
            cx.because(cause);
            let n = self.number(slot);
            let note = Note::new("lost").with(number(n)).with(pod_name(id));
            cx.say(note.about(pod_part(id)).dot(n));
            self.fail(slot, cx);
            self.send_back(slot, cx);
        }
    }

    fn remove(&mut self, id: u32) {
        self.pods.retain(|pod| pod.core.id != id);
    }

    // ---- nodes ------------------------------------------------------------------------------

    fn kill_node(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let on: Vec<u32> = self.pods_on(index);
        self.nodes[index].dark = Some(now);
        let note = Note::new("node-dark")
            .with(Arg::Part(node_part(index)))
            .with(Arg::Count(on.len() as i64));
        let note = note.about(node_part(index)).mark(Tone::Bad);
        let note = cx.say(note.begins("dark", index as u16));
        self.nodes[index].note = note;
        self.release.node_lost = true;
        for id in on {
            self.lose_held(id, note, cx);
            self.pod_mut(id).note = note;
        }
        self.measure(knobs, cx);
    }

    fn pods_on(&self, node: usize) -> Vec<u32> {
        let on = |pod: &&Pod| pod.core.node == Some(node as u32);
        self.pods.iter().filter(on).map(|pod| pod.core.id).collect()
    }

    fn revive(&mut self, index: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let node = &mut self.nodes[index];
        node.dark = None;
        node.heard = now;
        node.state = NodeState::Ready;
        let note = Note::new("node-back").with(Arg::Part(node_part(index)));
        let note = note.about(node_part(index)).mark(Tone::Ok);
        let note = cx.say(note.ends("dark", index as u16));
        self.mover = note;
        for id in self.pods_on(index) {
            let pod = self.pod_mut(id);
            match pod.core.phase {
                Phase::Terminating { .. } => {
                    cx.because(note);
                    self.exit(id, knobs, cx);
                }
                Phase::Pending => {
                    cx.because(note);
                    cx.schedule(PULL, Event::Start(id));
                }
                _ => {
                    // The machine has restarted, and with it the container.
                    pod.core.restarts += 1;
                    pod.life += 1;
                    pod.probe = Pod::readiness();
                    pod.routed = false;
                    let lane = pod.place.lane;
                    if lane != Lane::Coming {
                        self.take_seat(id, Lane::Coming, now);
                    }
                    self.boot_container(id, note, knobs, cx);
                }
            }
        }
        self.measure(knobs, cx);
    }

    fn watch_nodes(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let monitor = NodeMonitor {
            grace_us: Time::from_s(knobs.node_grace_s).0,
            toleration_us: Time::from_s(knobs.toleration_s).0,
        };
        for index in 0..NODES {
            let node = self.nodes[index];
            let state = monitor.state(cx.now().0, node.heard.0);
            if state == node.state {
                continue;
            }
            self.nodes[index].state = state;
            cx.because(node.note);
            let silent = Arg::Span(cx.now().since(node.heard));
            let name = Arg::Part(node_part(index));
            let on = self.pods_on(index);
            if state != NodeState::Ready && node.state == NodeState::Ready {
                let note = Note::new("node-silent").with(name).with(silent);
                let note = cx.say(note.about(node_part(index)).mark(Tone::Warn));
                self.nodes[index].note = note;
                for id in &on {
                    let pod = self.pod_mut(*id);
                    if pod.core.is_ready() {
                        pod.core.phase = Phase::Starting;
                    }
                    cx.schedule(Time::from_ms(knobs.lag_ms), Event::Hear(*id));
                }
            }
            if state == NodeState::Evicting {
                cx.because(self.nodes[index].note);
                let note = Note::new("node-evicted").with(name);
                let note = note.with(Arg::Count(on.len() as i64));
                let note = cx.say(note.about(node_part(index)).mark(Tone::Warn));
                self.mover = note;
                for id in on {
                    self.delete(id, note, knobs, cx);
                }
            }
        }
    }

    // ---- the controllers --------------------------------------------------------------------

    fn tick(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        cx.schedule(TICK, Event::Tick);
        self.watch_nodes(knobs, cx);
        self.steer(knobs, cx);
        self.tell_rollouts(knobs, cx.now());
        for side in 0..2 {
            for scaled in self.rollouts[side].sync(cx.now().0) {
                let word = match (scaled.to > scaled.from, side == self.active) {
                    (true, true) => "grows",
                    (false, true) => "shrinks",
                    (true, false) => "grows-beside",
                    (false, false) => "shrinks-beside",
                };
                cx.because(self.mover);
                let note = Note::new(word)
                    .with(number(scaled.template))
                    .with(number(scaled.from))
                    .with(number(scaled.to));
                let row = street_part(self.street_of(scaled.template));
                let note = cx.say(note.about(row));
                self.follow(side, scaled.template, note, knobs, cx);
            }
            // Sets keep their sizes by themselves, whatever became of their pods.
            for set in self.rollouts[side].replica_sets().to_vec() {
                self.follow(side, set.template, self.mover, knobs, cx);
            }
        }
        self.place_pods(cx);
        self.judge(knobs, cx);
        self.measure(knobs, cx);
    }

    /// Tells each ReplicaSet what its pods report.
    fn tell_rollouts(&mut self, knobs: &Settings, now: Time) {
        for side in 0..2 {
            for set in self.rollouts[side].replica_sets().to_vec() {
                let pods = self.pods_of(side, set.template);
                let counts = self_healing::count(&pods, now.0, knobs.min_ready_us());
                let observed = Observed {
                    replicas: counts.active,
                    ready: counts.ready,
                    available: counts.available,
                    terminating: counts.terminating,
                };
                self.rollouts[side].observe(set.template, observed);
            }
        }
    }

    fn pods_of(&self, side: usize, version: u32) -> Vec<self_healing::Pod> {
        self.pods
            .iter()
            .filter(|pod| pod.side == side && pod.version == version)
            .map(|pod| pod.core)
            .collect()
    }

    /// One ReplicaSet goes from the pods that it has to the number that it wants.
    fn follow(
        &mut self,
        side: usize,
        version: u32,
        cause: NoteId,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        let wanted = self.rollouts[side].replicas(version);
        let plan = self_healing::reconcile(wanted, &self.pods_of(side, version));
        for _ in 0..plan.create {
            let id = self.add_pod(side, version, knobs, cx);
            cx.because(cause);
            let note = Note::new("created")
                .with(pod_name(id))
                .with(number(version));
            let note = cx.say(note.about(pod_part(id)));
            self.pod_mut(id).note = note;
        }
        for id in plan.delete {
            self.delete(id, cause, knobs, cx);
        }
    }

    /// Gives pods without a node the roomiest one.
    fn place_pods(&mut self, cx: Cx<'_, '_>) {
        let homeless: Vec<u32> = self
            .pods
            .iter()
            .filter(|pod| pod.core.node.is_none() && pod.core.is_active())
            .map(|pod| pod.core.id)
            .collect();
        for id in homeless {
            let Some(node) = self.roomiest_node() else {
                return;
            };
            let pod = self.pod_mut(id);
            pod.core.node = Some(node);
            cx.because(pod.note);
            cx.schedule(PULL, Event::Start(id));
        }
    }

    /// Decides what each Deployment should run: itself for recreate and rolling update, and what a release
    /// tool does on top of two Deployments for blue-green and canary.
    fn steer(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let (active, beside) = (self.active, 1 - self.active);
        let wanted = self.wanted;
        let mut sizes = [0; 2];
        sizes[active] = knobs.replicas;
        match knobs.how {
            How::Recreate | How::Rolling => {
                self.trial = None;
                self.rollouts[active].set_template(now.0, wanted);
            }
            How::BlueGreen => {
                self.trial = None;
                if self.rollouts[active].template() != wanted {
                    self.rollouts[beside].set_template(now.0, wanted);
                    sizes[beside] = knobs.replicas;
                    if self.all_new(beside, knobs) {
                        self.switch(knobs, cx);
                    }
                } else if now < self.keep_until {
                    sizes[beside] = knobs.replicas;
                }
            }
            How::Canary if self.rollouts[active].template() != wanted => {
                if self.promoted {
                    self.rollouts[active].set_template(now.0, wanted);
                    if self.trial.is_some() {
                        sizes[beside] = knobs.canary_pods();
                    }
                } else {
                    self.rollouts[beside].set_template(now.0, wanted);
                    sizes[beside] = knobs.canary_pods();
                    self.try_canary(beside, knobs, cx);
                    if self.wanted != wanted {
                        sizes[beside] = 0;
                    }
                }
            }
            How::Canary => {
                // The canary stays until the others have followed.
                let follows = self.rollouts[beside].template() == wanted && !self.settled(knobs);
                sizes[beside] = if follows && self.trial.is_some() {
                    knobs.canary_pods()
                } else {
                    0
                };
            }
        }
        for (rollout, size) in self.rollouts.iter_mut().zip(sizes) {
            rollout.deployment = knobs.deployment(size);
        }
    }

    /// Whether a Deployment runs its wanted template alone, all of it available.
    fn all_new(&self, side: usize, knobs: &Settings) -> bool {
        let template = self.rollouts[side].template();
        let size = self.rollouts[side].deployment.replicas;
        let mut status = DeploymentStatus::default();
        for set in self.rollouts[side].replica_sets() {
            let pods = self.pods_of(side, set.template);
            let counts = self_healing::count(&pods, self.now.0, knobs.min_ready_us());
            status.replicas += counts.active;
            status.ready += counts.ready;
            status.available += counts.available;
            if set.template == template {
                status.updated = counts.active;
            }
        }
        size > 0 && status.complete(size)
    }

    fn switch(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.active = 1 - self.active;
        self.keep_until = cx.now() + Time::from_s(knobs.keep_s);
        cx.because(self.mover);
        let note = Note::new("switched").with(number(self.wanted));
        self.mover = cx.say(note.about(SERVICE).mark(Tone::Ok));
        for pod in &self.pods {
            cx.schedule(Time::from_ms(knobs.lag_ms), Event::Hear(pod.core.id));
        }
    }

    /// Lets a canary answer for a while and then decides.
    fn try_canary(&mut self, side: usize, knobs: &Settings, cx: Cx<'_, '_>) {
        let Some(trial) = self.trial else {
            if self.all_new(side, knobs) {
                self.trial = Some(Trial {
                    since: cx.now(),
                    answers: 0,
                    errors: 0,
                });
                cx.because(self.mover);
                let note = Note::new("canary-trial")
                    .with(number(self.wanted))
                    .with(Arg::Span(Time::from_s(knobs.bake_s)));
                self.mover = cx.say(note.about(DEPLOYMENT).mark(Tone::Warn));
            }
            return;
        };
        if trial.answers < CANARY_ANSWERS {
            return;
        }
        let share = f64::from(trial.errors) / f64::from(trial.answers);
        let note = |word| {
            Note::new(word)
                .with(number(self.wanted))
                .with(Arg::Share(share))
                .with(number(trial.answers))
        };
        if share * 100.0 > knobs.limit {
            cx.because(self.mover);
            let note = note("canary-failed").about(DEPLOYMENT).mark(Tone::Bad);
            self.mover = cx.say(note.ends("rollout", self.wanted as u16));
            self.release.aborted = true;
            self.release.done = Some(cx.now());
            self.wanted = self.rollouts[self.active].template();
            self.previous = self.previous_before;
            self.finish_release();
        } else if cx.now().since(trial.since) >= Time::from_s(knobs.bake_s) {
            cx.because(self.mover);
            let note = note("canary-passed").about(DEPLOYMENT).mark(Tone::Ok);
            self.mover = cx.say(note);
            self.promoted = true;
        }
    }

    fn ship(&mut self, kind: Kind, knobs: &Settings, cx: Cx<'_, '_>) {
        self.streets.push(1 - self.street_of(self.wanted) as u8);
        self.kinds.push(kind);
        let version = self.kinds.len() as u32;
        let word = match kind {
            Kind::Good => "shipped",
            Kind::Dead => "shipped-dead",
            Kind::Faulty => "shipped-faulty",
        };
        self.previous_before = self.previous;
        self.previous = self.wanted;
        let note = Note::new(word)
            .with(number(version))
            .with(Arg::Share(knobs.faulty / 100.0));
        self.promoted = false;
        self.set_wanted(version, false, note, knobs, cx);
    }

    fn roll_back(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let version = self.previous;
        self.previous_before = self.previous;
        self.previous = self.wanted;
        let note = Note::new("rolled-back")
            .with(number(version))
            .with(number(self.wanted));
        // Going back needs no trial: that version has served before.
        self.promoted = true;
        self.set_wanted(version, true, note, knobs, cx);
    }

    fn set_wanted(
        &mut self,
        version: u32,
        back: bool,
        note: Note,
        knobs: &Settings,
        cx: Cx<'_, '_>,
    ) {
        self.end_stall(cx);
        let left = self.wanted;
        let took_over = self.release.done.is_some() && !self.release.aborted;
        self.fled_from = back.then_some((self.kind(left), took_over));
        if self.release.done.is_none() {
            let note = Note::new("superseded").with(number(left));
            cx.say(note.about(DEPLOYMENT).ends("rollout", left as u16));
        }
        self.wanted = version;
        self.trial = None;
        let note = note.about(DEPLOYMENT).mark(Tone::Learner);
        self.mover = cx.say(note.begins("rollout", version as u16));
        let kind = self.kind(version);
        self.release = Release::new(version, kind, back, knobs.how, knobs.replicas, cx.now());
        self.measure(knobs, cx);
    }

    fn end_stall(&mut self, cx: Cx<'_, '_>) {
        if self.release.stalled.is_some() && self.release.done.is_none() {
            let note = Note::new("stall-over").with(number(self.release.version));
            cx.say(note.about(DEPLOYMENT).ends("stalled", 0));
        }
    }

    /// Whether the version asked for runs everywhere and alone.
    pub(super) fn settled(&self, knobs: &Settings) -> bool {
        let main = &self.rollouts[self.active];
        main.template() == self.wanted && self.all_new(self.active, knobs)
    }

    /// The Deployment whose progress counts: the one that gets the new version.
    pub(super) fn front(&self) -> &Rollout {
        let main = &self.rollouts[self.active];
        if main.template() == self.wanted {
            main
        } else {
            &self.rollouts[1 - self.active]
        }
    }

    /// Notices the end of a release and a missed deadline.
    fn judge(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        if self.release.done.is_some() {
            return;
        }
        if self.settled(knobs) {
            self.end_stall(cx);
            self.release.done = Some(cx.now());
            let took = Arg::Span(cx.now().since(self.release.since));
            let note = Note::new("complete")
                .with(number(self.wanted))
                .with(took)
                .with(number(self.release.failed));
            cx.because(self.mover);
            let note = note.about(DEPLOYMENT).mark(Tone::Ok);
            cx.say(note.ends("rollout", self.wanted as u16));
            self.finish_release();
            return;
        }
        let late = matches!(self.front().progress(), Progress::DeadlineExceeded { .. });
        match (late, self.release.stalled) {
            (true, None) => {
                self.release.stalled = Some(cx.now());
                cx.because(self.mover);
                let note = Note::new("stalled")
                    .with(number(self.wanted))
                    .with(number(knobs.deadline_s));
                let note = note.about(DEPLOYMENT).mark(Tone::Bad);
                cx.say(note.begins("stalled", 0));
            }
            (false, Some(_)) => {
                self.end_stall(cx);
                self.release.stalled = None;
            }
            _ => {}
        }
    }

    fn finish_release(&mut self) {
        self.trial = None;
        self.finished = Some(self.release);
    }

    /// Measures what is ready, and remembers it for the chart and the story.
    fn measure(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let ready: u32 = self.ready(knobs).iter().sum();
        let active = self.pods.iter().filter(|pod| pod.core.is_active()).count() as u32;
        cx.sample(probe::CAPACITY, f64::from(ready) * knobs.per_pod());
        cx.sample(probe::LOAD, knobs.load_per_s);
        if self.release.done.is_none() {
            let release = &mut self.release;
            release.ready_min = release.ready_min.min(ready);
            release.pods_max = release.pods_max.max(active);
            release.enough &= f64::from(ready) * knobs.per_pod() >= knobs.load_per_s;
        }
        let level = self.level(knobs, now);
        let same = |last: &Level| (&last.versions, last.floor) == (&level.versions, level.floor);
        if !self.past.back().is_some_and(same) {
            self.past.push_back(level);
        }
        // The point before the window's edge is needed to draw what held at the edge.
        while self.past.len() > 1 && now.since(self.past[1].since) > WINDOW {
            self.past.pop_front();
        }
        match (ready, self.gap) {
            (0, None) => {
                self.gap = Some(now);
                let before = cx.cause();
                cx.because(self.mover);
                let note = Note::new("nobody-ready").about(SERVICE).mark(Tone::Bad);
                self.gap_note = cx.say(note.begins("gap", 0));
                cx.because(before);
            }
            (1.., Some(since)) => {
                self.gap = None;
                let note = Note::new("somebody-ready").with(Arg::Span(now.since(since)));
                cx.say(note.about(SERVICE).mark(Tone::Ok).ends("gap", 0));
            }
            _ => {}
        }
    }

    // ---- requests ---------------------------------------------------------------------------

    fn draw_gap(&mut self, knobs: &Settings, cx: Cx<'_, '_>) -> Time {
        exponential(cx.random(ARRIVALS), Time::from_s(1.0 / knobs.load_per_s))
    }

    fn spawn(&mut self, knobs: &Settings, cx: Cx<'_, '_>) -> u32 {
        self.born += 1;
        // Between half and one and a half times the service time, so that pods are busy but never for long.
        let work = Time::from_ms(knobs.service_ms * (0.5 + unit(cx.random(WORK))));
        let request = Request {
            number: self.born as u32,
            leg: Leg::ToService,
            arrives: Time::ZERO,
            pod: 0,
            place: Place::default(),
            failed: false,
            version: 0,
            work,
            luck: unit(cx.random(LUCK)),
            reached: Time::ZERO,
            note: NoteId::NONE,
        };
        if let Some(slot) = self.free.pop() {
            self.requests[slot as usize] = request;
            slot
        } else {
            self.requests.push(request);
            self.requests.len() as u32 - 1
        }
    }

    fn travel(&mut self, slot: u32, leg: Leg, after: Time, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        request.leg = leg;
        request.arrives = cx.now() + after;
    }

    /// The Service passes a request to the next pod in turn.
    fn dispatch(&mut self, slot: u32, hop: Time, knobs: &Settings, cx: Cx<'_, '_>) {
        let n = self.number(slot);
        let last = self.last_pick;
        let next = self.routed().map(|pod| pod.core.id).find(|id| *id > last);
        let Some(id) = next.or_else(|| self.routed().map(|pod| pod.core.id).next()) else {
            cx.because(self.gap_note);
            let note = Note::new("nobody").with(number(n));
            cx.say(note.about(SERVICE).dot(n));
            self.fail(slot, cx);
            self.travel(slot, Leg::ToUsers, HOP, cx);
            cx.schedule(HOP, Event::Home(slot));
            return;
        };
        self.last_pick = id;
        let pod = self.pod_mut(id);
        let (place, version) = (pod.place, pod.version);
        let note = Note::new("picked")
            .with(number(n))
            .with(pod_name(id))
            .with(number(version));
        let note = cx.say(note.about(pod_part(id)).dot(n));
        let request = &mut self.requests[slot as usize];
        request.note = note;
        request.pod = id;
        request.place = place;
        request.version = version;
        self.travel(slot, Leg::ToPod, hop, cx);
        if hop == Time::ZERO {
            self.at_pod(slot, knobs, cx);
        } else {
            cx.schedule(hop, Event::AtPod(slot));
        }
    }

    fn at_pod(&mut self, slot: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let now = cx.now();
        let Request {
            number: n, pod: id, ..
        } = self.requests[slot as usize];
        self.requests[slot as usize].reached = now;
        let (word, stopping) = match self.pod(id) {
            None => (Some("refused"), true),
            Some(pod) if self.dark(pod) => (Some("no-answer"), false),
            Some(pod) if pod.deaf => (Some("refused"), true),
            Some(pod) if matches!(pod.core.phase, Phase::Starting | Phase::Pending) => {
                (Some("not-up"), false)
            }
            Some(pod)
                if pod.serving.len() >= knobs.workers as usize
                    && pod.queue.len() >= knobs.queue as usize =>
            {
                (Some("overflow"), false)
            }
            Some(_) => (None, false),
        };
        if let Some(pod) = self.pod(id) {
            self.requests[slot as usize].place = pod.place;
        }
        if let Some(word) = word {
            let part = self.pod(id).map_or(SERVICE, |_| pod_part(id));
            let note = Note::new(word).with(number(n)).with(pod_name(id));
            cx.say(note.about(part).dot(n));
            self.release.refused += u32::from(stopping);
            self.fail(slot, cx);
            self.send_back(slot, cx);
            return;
        }
        self.requests[slot as usize].leg = Leg::Waiting;
        self.pod_mut(id).queue.push_back(slot);
        self.put_to_work(id, knobs, cx);
        if self.requests[slot as usize].leg == Leg::Waiting {
            let place = self.pod_mut(id).queue.len();
            let note = Note::new("waits")
                .with(number(n))
                .with(pod_name(id))
                .with(Arg::Count(place as i64));
            self.requests[slot as usize].note = cx.say(note.about(pod_part(id)).dot(n));
            cx.schedule(Time::from_s(knobs.timeout_s), Event::GiveUp(slot, n));
        }
    }

    fn put_to_work(&mut self, id: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        loop {
            let Some(pod) = self.find(id) else { return };
            pod.meter_until(knobs.workers, cx.now());
            if pod.serving.len() >= knobs.workers as usize {
                return;
            }
            let Some(slot) = pod.queue.pop_front() else {
                return;
            };
            pod.serving.push(slot);
            let life = pod.life;
            let request = &mut self.requests[slot as usize];
            request.leg = Leg::InService;
            let before = cx.cause();
            cx.because(request.note);
            cx.schedule(request.work, Event::Finish(slot, life));
            cx.because(before);
        }
    }

    fn finish(&mut self, slot: u32, life: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let Request {
            pod: id,
            number: n,
            version,
            luck,
            reached,
            ..
        } = self.requests[slot as usize];
        let Some(pod) = self.find(id).filter(|pod| pod.life == life) else {
            return;
        };
        let Some(at) = pod.serving.iter().position(|held| *held == slot) else {
            return;
        };
        pod.meter_until(knobs.workers, cx.now());
        pod.serving.swap_remove(at);
        let place = pod.place;
        let took = cx.now().since(reached);
        self.requests[slot as usize].place = place;
        let error = self.kind(version) == Kind::Faulty && luck * 100.0 <= knobs.faulty;
        if let Some(trial) = self.trial.as_mut().filter(|_| version == self.wanted) {
            trial.answers += 1;
            trial.errors += u32::from(error);
        }
        if error {
            let note = Note::new("error").with(number(n)).with(pod_name(id));
            cx.say(note.with(number(version)).about(pod_part(id)).dot(n));
            self.fail(slot, cx);
        } else {
            cx.sample(probe::LATENCY, took.0 as f64);
            let note = Note::new("answered").with(pod_name(id)).with(number(n));
            let note = note.with(Arg::Span(took));
            self.requests[slot as usize].note = cx.say(note.about(pod_part(id)).dot(n));
        }
        self.send_back(slot, cx);
        self.put_to_work(id, knobs, cx);
        self.maybe_exit(id, cx);
    }

    fn give_up(&mut self, slot: u32, n: u32, knobs: &Settings, cx: Cx<'_, '_>) {
        let request = self.requests[slot as usize];
        if request.number != n || request.leg != Leg::Waiting {
            return;
        }
        let id = request.pod;
        if let Some(pod) = self.find(id) {
            pod.queue.retain(|held| *held != slot);
        }
        cx.because(request.note);
        let note = Note::new("gave-up").with(number(n)).with(pod_name(id));
        let note = note.with(Arg::Span(Time::from_s(knobs.timeout_s)));
        cx.say(note.about(pod_part(id)).dot(n));
        self.fail(slot, cx);
        self.send_back(slot, cx);
        self.maybe_exit(id, cx);
    }

    fn send_back(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.travel(slot, Leg::FromPod, HOP, cx);
        cx.schedule(HOP, Event::Answered(slot));
    }

    fn home(&mut self, slot: u32, cx: Cx<'_, '_>) {
        let request = &mut self.requests[slot as usize];
        let open = self.release.done.is_none();
        if request.failed {
            self.failed += 1;
            cx.sample(probe::FAILED, 1.0);
        } else {
            self.served += 1;
            self.release.served += u32::from(open);
            cx.sample(probe::SERVED, 1.0);
        }
        // Number 0 tells a free slot from a live one.
        request.number = 0;
        self.free.push(slot);
    }

    /// Marks a request as failed; the note that says why was said just before.
    fn fail(&mut self, slot: u32, cx: Cx<'_, '_>) {
        self.requests[slot as usize].failed = true;
        self.release.failed += 1;
        let fresh = |marked: Time| cx.now().since(marked) >= FAILURE_MARKS;
        if self.failure_marked.is_none_or(fresh) {
            self.failure_marked = Some(cx.now());
            let n = self.number(slot);
            let note = Note::new("failing").with(number(n)).about(USERS);
            cx.say(note.dot(n).mark(Tone::Bad));
        }
    }
}

/// How long a pod needs until it can answer: the readiness delay, give or take a tenth, so that pods started
/// together are not ready at the same instant. The same for the same pod in every run.
fn boot(id: u32, knobs: &Settings) -> Time {
    let spread = f64::from(id * 37 % 21) / 100.0 - 0.1;
    Time::from_s(knobs.ready_s * (1.0 + spread))
}
