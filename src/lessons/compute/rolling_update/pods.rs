//! Pods: what runs in them, where they are in their life, and where they sit on the stage.

use algorithms::self_healing::{self, Phase, Probe, ProbeSettings};
use engine::Time;
use engine::tape::NoteId;
use std::collections::VecDeque;

/// Distance of two readiness probes.
pub(super) const PROBE_EVERY: Time = Time::ms(250);

/// How long a card glides to another lane.
pub(super) const GLIDE: Time = Time::ms(150);

/// Smoothing of the meters, so that they can be read.
const SMOOTHING: Time = Time::ms(1_500);

/// The part of its life that a pod is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// Pending or starting.
    #[default]
    Coming,
    /// Ready.
    Ready,
    /// Terminating.
    Going,
}

/// A place on a street.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) street: u8,
    pub(super) lane: Lane,
    pub(super) seat: u8,
    /// Its place on a stage without lanes.
    pub(super) home: u8,
}

/// One pod.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// What the controllers see of it.
    pub(super) core: self_healing::Pod,
    /// Which of the two Deployments it belongs to.
    pub(super) side: usize,
    pub(super) version: u32,
    pub(super) probe: Probe,
    pub(super) started: Option<Time>,
    pub(super) boot: Time,
    pub(super) answers_at: Time,
    /// Told apart from earlier lives, so that work of a lost container does not finish.
    pub(super) life: u32,
    /// Whether the Service sends it requests.
    pub(super) routed: bool,
    /// Whether it was told to stop and refuses new requests.
    pub(super) deaf: bool,
    pub(super) exiting: bool,
    pub(super) queue: VecDeque<u32>,
    pub(super) serving: Vec<u32>,
    /// Busy workers as a moving average, and until when.
    meter: (f32, Time),
    pub(super) place: Place,
    pub(super) from: Place,
    pub(super) moved: Time,
    pub(super) home: u8,
    pub(super) note: NoteId,
}

impl Pod {
    pub(super) fn new(id: u32, side: usize, version: u32, now: Time) -> Pod {
        Pod {
            core: self_healing::Pod {
                id,
                created_at_us: now.0,
                node: None,
                phase: Phase::Pending,
                restarts: 0,
            },
            side,
            version,
            probe: Pod::readiness(),
            started: None,
            boot: Time::ZERO,
            answers_at: Time::NEVER,
            life: 0,
            routed: false,
            deaf: false,
            exiting: false,
            queue: VecDeque::new(),
            serving: Vec::new(),
            meter: (0.0, now),
            place: Place::default(),
            from: Place::default(),
            moved: now,
            home: 0,
            note: NoteId::NONE,
        }
    }

    /// A fresh readiness probe.
    pub(super) fn readiness() -> Probe {
        let settings = ProbeSettings {
            period_us: PROBE_EVERY.0,
            ..ProbeSettings::default()
        };
        Probe::new(settings, false)
    }

    /// Requests waiting or in service.
    pub(super) fn held(&self) -> usize {
        self.queue.len() + self.serving.len()
    }

    /// The share of busy workers, averaged over the last moments.
    pub(super) fn busy_share(&self, workers: u32, at: Time) -> f32 {
        let (old, since) = self.meter;
        let now = (self.serving.len() as f32 / workers as f32).min(1.0);
        let dt = at.since(since).0 as f32;
        // A rational filter instead of an exponential one: the same on every target and cheaper.
        old + (now - old) * dt / (dt + SMOOTHING.0 as f32)
    }

    /// Brings the average up to date before the number of busy workers changes.
    pub(super) fn meter_until(&mut self, workers: u32, at: Time) {
        self.meter = (self.busy_share(workers, at), at);
    }

    /// Starts the average at a value, for a pod that has been running for a while.
    pub(super) fn warm(&mut self, share: f32) {
        self.meter.0 = share;
    }

    pub(super) fn street(&self) -> usize {
        usize::from(self.place.street)
    }

    /// Goes to a lane; the seat is chosen by the street.
    pub(super) fn seated(&mut self, lane: Lane, now: Time) {
        self.from = self.place;
        self.moved = now;
        self.place.lane = lane;
        self.place.home = self.home;
    }
}
