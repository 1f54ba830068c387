//! The system: a few nodes that watch each other.

use super::probe;
use super::watch::{Node, Timer, Watch};
use algorithms::protocol::Id;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Time, Tone};
use kit::cluster::{Cluster, Event, Spur, Turn, aimed_at};
use kit::flow::aim;

/// There are never more nodes.
pub(super) const NODES_MAX: usize = 6;

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How many nodes there are.
        nodes: whole "nodes" [2, 6] "" = 4,
        /// A node speaks so often, ms.
        every: slider "every" [200.0, 2000.0, 100.0] "ms" = 500.0,
        /// Who is not heard for so long is taken for dead, ms.
        patience: slider "patience" [200.0, 5000.0, 100.0] "ms" = 1200.0,
        /// The share of messages that is lost, in percent.
        loss: slider "loss" [0.0, 90.0, 5.0] "%" = 0.0,
        /// One way of a message, ms.
        delay: slider "delay" [50.0, 1000.0, 50.0] "ms" = 300.0,
    }
}

impl Settings {
    fn rules(&self) -> Watch {
        Watch {
            size: self.nodes as Id,
            every: self.every as u64,
            patience: self.patience as u64,
            delay: self.delay as u64,
        }
    }
}

/// The running system.
#[derive(Clone)]
pub struct Group {
    pub(super) cluster: Cluster<Watch>,
    pub(super) nodes: Id,
    /// When a node died last, and how long it took until all others knew.
    pub(super) died: Option<(Id, Time)>,
    pub(super) known_after: Option<Time>,
    /// How often a living node was taken for dead since a knob was turned, and when that was.
    pub(super) mistakes: u32,
    pub(super) since: Time,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const fn node(id: Id) -> PartId {
    PartId::nth("node", id as u16)
}

impl Group {
    pub(super) fn ids(&self) -> std::ops::RangeInclusive<Id> {
        1..=self.nodes
    }

    /// How many of the living take a node for dead.
    pub(super) fn missed_by(&self, id: Id) -> usize {
        let misses = |(_, node): &(Id, &Node)| node.missed & (1 << id) != 0;
        self.cluster.nodes().filter(misses).count()
    }

    fn say(&self, word: &'static str, about: Id, told: &[Id], tone: Option<Tone>, cx: Cx<'_, '_>) {
        let told = told.iter().map(|id| Arg::Part(node(*id)));
        let note = told.fold(Note::new(word), Note::with).about(node(about));
        cx.say(tone.map_or(note, |tone| note.mark(tone)));
    }

    /// A node has done something: it is told, then carried out.
    fn take(&mut self, turn: Option<Turn<Watch>>, cx: Cx<'_, '_>) {
        let Some(turn) = turn else { return };
        let me = turn.at;
        match turn.spur {
            Spur::Booted => self.say("starts", me, &[me], None, cx),
            Spur::Rang(Timer::Silent(other)) => {
                let lives = self.cluster.is_up(other);
                self.mistakes += u32::from(lives);
                let tone = if lives { Tone::Bad } else { Tone::Warn };
                self.say("misses", other, &[me, other], Some(tone), cx);
            }
            Spur::Heard(from, ()) if turn.was.is_some_and(|was| was & (1 << from) != 0) => {
                self.say("hears-again", from, &[me, from], Some(Tone::Ok), cx);
            }
            Spur::Rang(Timer::Beat) => {
                let (first, count) = (self.cluster.next_dot(), turn.out.sent.len());
                let note = Note::new("beats").with(Arg::Part(node(me)));
                cx.say(note.about(node(me)).dots(first, count));
            }
            _ => {}
        }
        self.cluster.carry(turn, cx);
        self.look(cx);
    }

    /// What the story and the plots look at.
    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let by = |id: Id| self.missed_by(id) as f64;
        let all: f64 = self.ids().map(by).sum();
        let wrongly: f64 = self
            .ids()
            .filter(|id| self.cluster.is_up(*id))
            .map(by)
            .sum();
        cx.sample(probe::MISSED, all);
        cx.sample(probe::WRONGLY, wrongly);
        if let Some((id, at)) = self.died
            && self.known_after.is_none()
            && self.missed_by(id) + 1 >= usize::from(self.nodes)
        {
            self.known_after = Some(cx.now().since(at));
        }
    }

    fn boot(&mut self, id: Id, cx: Cx<'_, '_>) {
        let turn = self.cluster.boot(id);
        self.take(turn, cx);
    }
}

impl Model for Group {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Group {
        let mut group = Group {
            cluster: Cluster::new(knobs.rules(), NODES_MAX),
            nodes: knobs.nodes as Id,
            died: None,
            known_after: None,
            mistakes: 0,
            since: Time::ZERO,
            now: Time::ZERO,
        };
        group.cluster.net.loss = knobs.loss / 100.0;
        for id in group.ids() {
            cx.because(NoteId::NONE);
            group.boot(id, cx);
        }
        group
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        let turn = self.cluster.on_event(event, cx);
        self.take(turn, cx);
        self.now = cx.now();
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.cluster.protocol = knobs.rules();
        self.cluster.net.loss = knobs.loss / 100.0;
        (self.mistakes, self.since) = (0, cx.now());
        if self.nodes != knobs.nodes as Id {
            // A group of another size begins anew.
            self.nodes = knobs.nodes as Id;
            self.cluster.clear(cx.now());
            (self.died, self.known_after) = (None, None);
            for id in self.ids() {
                self.boot(id, cx);
            }
        }
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        let id = aimed_at(act.target);
        match act.spec {
            0 => self.cluster.is_up(id),
            1 => act.target < usize::from(self.nodes) && !self.cluster.is_up(id),
            _ => self
                .cluster
                .flights()
                .any(|(key, _)| key.serial() as usize == act.target),
        }
    }

    fn aim(&self, spec: usize) -> usize {
        if spec == 2 {
            let newest = self.cluster.flights().map(|(key, _)| key.serial()).max();
            return newest.map_or(0, |dot| dot as usize);
        }
        aim(1, usize::from(self.nodes), |target| {
            self.can(Act { spec, target })
        })
    }

    fn on_action(&mut self, act: Act, _: &Settings, cx: Cx<'_, '_>) {
        let id = aimed_at(act.target);
        match act.spec {
            0 => {
                self.cluster.crash(id, cx.now());
                (self.died, self.known_after) = (Some((id, cx.now())), None);
                self.say("crashes", id, &[id], Some(Tone::Bad), cx);
            }
            1 => {
                self.say("restarts", id, &[id], Some(Tone::Ok), cx);
                self.boot(id, cx);
            }
            _ => {
                self.cluster.lose(act.target as u32, cx.now());
                cx.say(Note::new("lost").dot(act.target as u32).mark(Tone::Learner));
            }
        }
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        self.cluster.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        self.cluster.audit()
    }
}
