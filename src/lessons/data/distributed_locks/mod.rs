//! Distributed locks: two workers, one file. Who may write, and who makes sure?

mod face;
mod judge;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Locks;
pub use settings::Settings;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct DistributedLocks;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Passes a minute that count, and that do not.
    pub(super) const COUNTED: usize = 0;
    pub(super) const VAIN: usize = 1;
    /// How many believe to hold the same file.
    pub(super) const HOLDERS: usize = 2;
    /// File-seconds that were locked by nobody alive.
    pub(super) const VACANT: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "passes",
        &[
            Line::mean("counted", probe::COUNTED, Ink::Ok).filled(),
            Line::mean("vain", probe::VAIN, Ink::Warn),
        ],
        50.0,
    ),
    Plot::of(
        "holders",
        &[Line::mean("holders", probe::HOLDERS, Ink::Bad).filled()],
        4.0,
    ),
    Plot::of(
        "vacant",
        &[Line::mean("vacant", probe::VACANT, Ink::Warn).filled()],
        10.0,
    ),
];

impl Lesson for DistributedLocks {
    type Model = Locks;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Locks> = Sheet {
        actions: &[
            ActionSpec::aimed("freeze", "worker"),
            ActionSpec::aimed("kill", "worker"),
            ActionSpec::aimed("restart", "worker"),
            ActionSpec::aimed("kill-server", "server"),
            ActionSpec::aimed("restart-server", "server"),
            ActionSpec::whole("kill-after"),
            ActionSpec::aimed("jump", "server"),
            ActionSpec::whole("slow"),
            ActionSpec::aimed("cut", "worker"),
            ActionSpec::whole("heal"),
            ActionSpec::whole("again"),
            ActionSpec::on_dot("lose"),
            ActionSpec::on_dot("hold").pulled(),
        ],
        probes: &[Probe::Level, Probe::Level, Probe::Level, Probe::Level],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Warn),
            (Glyph::Replica, Ink::Accent),
            (Glyph::Message, Ink::Hit),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        warm_up: Time::ms(10_800),
        twin: ("kept", 1.0),
        still: Time::ms(2_000),
        stands_for: &[
            (model::LANES, model::worker_part(0)),
            (model::SCORE, model::file(0)),
        ],
        ..Sheet::usual(
            Card {
                slug: "distributed-locks",
                chapter: "data",
                tables: &["distributed_lock_fencing"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/lease_lock.rs",
            region: "lease",
            marks: &[
                ("gives", "self.held = Some(wanted);"),
                ("is-taken", "let taken = self.held(now).is_some()"),
                ("renews", "held.until = now + ttl;"),
                ("frees", "self.held = None;"),
            ],
        },
        Code {
            file: "algorithms/lease_lock.rs",
            region: "majority",
            marks: &[
                ("gets-random", "if self.yes.count_ones() >= self.needs"),
                ("gets-random-too", "if self.yes.count_ones() >= self.needs"),
                ("misses", "self.stores - self.no.count_ones() < self.needs"),
            ],
        },
        Code {
            file: "algorithms/fencing.rs",
            region: "fence",
            marks: &[("store-refuses", "let admits = token >= self.seen;")],
        },
        Code {
            file: "lessons/data/distributed_locks/face.rs",
            region: "store",
            marks: &[
                ("store-refuses", "if late && self.knobs.fence"),
                ("lands-late", "let late = !file.fence.admits(token);"),
            ],
        },
        Code {
            file: "lessons/data/distributed_locks/face.rs",
            region: "look",
            marks: &[("stops-clock", "if self.knobs.looks && over")],
        },
        Code {
            file: "lessons/data/distributed_locks/face.rs",
            region: "log",
            marks: &[("leads", "server.table.anew(at, ttl)")],
        },
        Code {
            file: "lessons/data/distributed_locks/face.rs",
            region: "release",
            marks: &[
                ("deletes", "false => Order::Delete"),
                ("keeps", "true => Order::Release"),
            ],
        },
    ];
}
