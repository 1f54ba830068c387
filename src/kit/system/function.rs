//! What a function keeps: its instances, who is with which, and how long they have had work.

use super::kept::Keeps;
use super::plan::Function;
use crate::flow::Key;
use algorithms::functions::{Functions, Instance, InstanceId, Settings};
use engine::Time;

/// What is known of an instance beyond the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Its name; later ones have larger numbers.
    pub id: InstanceId,
    /// When its building began.
    pub since: Time,
    /// When it is built.
    pub until: Time,
    /// Since when it has work, or is built for it.
    pub(super) busy: Option<Time>,
    /// Since when it is kept ready.
    pub(super) kept: Option<Time>,
}

/// The state of a function.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub(super) functions: Functions,
    pub(super) boxes: Vec<Sandbox>,
    /// Who is with which instance.
    pub(super) placed: Vec<(Key, InstanceId)>,
    /// Memory times span so far, in MB-microseconds; see [`super::Price`].
    spans: [u64; 3],
    memory_mb: u32,
    /// When something happens to it by itself, and which look that is.
    pub(super) look_at: Time,
    pub(super) turn: u32,
}

impl Keeps for Fleet {
    fn copy(&self) -> Box<dyn Keeps> {
        Box::new(self.clone())
    }

    fn rests(&self) -> bool {
        self.placed.is_empty()
    }
}

/// A plan's rule as the algorithm has it.
pub(super) fn settings(rule: &Function) -> Settings {
    Settings {
        limit: rule.limit as usize,
        kept_us: rule.kept.0,
        at_once: rule.at_once.max(1) as usize,
        allowance: rule.allowance,
        provisioned: rule.provisioned as usize,
    }
}

impl Fleet {
    pub(super) fn new(rule: &Function, now: Time) -> Fleet {
        Fleet {
            functions: Functions::new(now.0, settings(rule)),
            boxes: Vec::new(),
            placed: Vec::new(),
            spans: [0; 3],
            memory_mb: rule.memory_mb,
            look_at: Time::NEVER,
            turn: 0,
        }
    }

    /// The instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = (&Sandbox, &Instance)> {
        let known = |it| self.functions.instance(it);
        self.boxes
            .iter()
            .filter_map(move |it| Some((it, known(it.id)?)))
    }

    /// The version that new requests meet.
    pub fn version(&self) -> u64 {
        self.functions.version()
    }

    /// The instance that a request is with.
    pub fn with(&self, request: Key) -> Option<InstanceId> {
        let mut all = self.placed.iter();
        all.find(|(key, _)| *key == request).map(|(_, id)| *id)
    }

    /// When something happens to it by itself: an instance is built, or has been idle too long.
    pub(super) fn next(&self) -> Time {
        let built = self.instances().filter(|(_, it)| !it.started);
        let built = built.map(|(it, _)| it.until).min();
        let ends = self.functions.next_expiry_us().map(Time);
        built.into_iter().chain(ends).min().unwrap_or(Time::NEVER)
    }

    /// Knows of instances that have come and forgets those that are gone; charges what begins and ends.
    pub(super) fn follow(&mut self, build: Time, now: Time) {
        let newest = self.boxes.last().map_or(0, |it| it.id.0);
        let new = self
            .functions
            .instances()
            .filter(|(id, _)| id.0 > newest)
            .map(|(id, _)| Sandbox {
                id,
                since: now,
                until: now + build,
                busy: None,
                kept: None,
            });
        self.boxes.extend(new);
        let memory = u64::from(self.memory_mb);
        for it in &mut self.boxes {
            let instance = self.functions.instance(it.id);
            let busy = instance.is_some_and(|it| it.requests > 0);
            let kept = instance.is_some_and(|it| it.provisioned);
            if (busy, kept) == (it.busy.is_some(), it.kept.is_some()) {
                continue;
            }
            // What it was until now is charged; what it is now begins.
            charge(&mut self.spans, it, memory, now);
            (it.busy, it.kept) = (busy.then_some(now), kept.then_some(now));
        }
        let known = &self.functions;
        self.boxes.retain(|it| known.instance(it.id).is_some());
    }

    /// From now on instances have so much memory.
    pub(super) fn resize(&mut self, memory_mb: u32, now: Time) {
        let memory = u64::from(std::mem::replace(&mut self.memory_mb, memory_mb));
        if self.memory_mb as u64 == memory {
            return;
        }
        for it in &mut self.boxes {
            charge(&mut self.spans, it, memory, now);
            it.busy = it.busy.map(|_| now);
            it.kept = it.kept.map(|_| now);
        }
    }

    /// Memory times span so far; see [`super::Price`].
    pub(super) fn metered(&self, at: Time) -> [u64; 3] {
        let mut spans = self.spans;
        for it in &self.boxes {
            charge(&mut spans, it, u64::from(self.memory_mb), at);
        }
        spans
    }

    /// Whether each request that is with an instance is known to it.
    pub(super) fn audit(
        &self,
        held: &[Key],
        waits: impl Iterator<Item = Key>,
    ) -> Result<(), String> {
        let waits: Vec<Key> = waits.collect();
        if self.placed.len() != held.len() + waits.len() {
            return Err(format!(
                "{} requests are with instances, {} work and {} wait",
                self.placed.len(),
                held.len(),
                waits.len()
            ));
        }
        for (key, id) in &self.placed {
            let Some(instance) = self.functions.instance(*id) else {
                return Err(format!("a request is with {id:?}, which is gone"));
            };
            let with = if instance.started { held } else { &waits };
            if !with.contains(key) {
                return Err(format!("a request of {id:?} is somewhere else"));
            }
        }
        for (id, instance) in self.functions.instances() {
            let with = self.placed.iter().filter(|(_, its)| *its == id).count();
            if with != instance.requests || !self.boxes.iter().any(|it| it.id == id) {
                return Err(format!("{id:?} believes in {} requests", instance.requests));
            }
        }
        if self.boxes.len() == self.functions.instances().count() {
            return Ok(());
        }
        Err("instances are known that are gone".to_owned())
    }
}

fn charge(spans: &mut [u64; 3], it: &Sandbox, memory_mb: u64, now: Time) {
    let so_long = |since: Option<Time>| since.map_or(0, |since| memory_mb * now.since(since).0);
    spans[usize::from(it.kept.is_some())] += so_long(it.busy);
    spans[2] += so_long(it.kept);
}
