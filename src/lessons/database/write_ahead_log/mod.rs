//! Write-ahead log: pull the plug. Which of the answered writes come back?

mod crash;
mod log;
mod model;
mod settings;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::Store;
pub use settings::Settings;

use engine::{
    ActionSpec, Card, Code, Field, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time,
};

/// The lesson.
pub struct WriteAheadLog;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Writers told ok, and told that it failed, a second.
    pub(super) const ANSWERED: usize = 0;
    pub(super) const REFUSED: usize = 1;
    /// Answered writes that a power cut would take.
    pub(super) const RISK: usize = 2;
    /// Records of the log, and how long a restart would read them, s.
    pub(super) const LENGTH: usize = 3;
    pub(super) const RESTART: usize = 4;
    /// What theory expects of the answers and, on average, of what is at risk.
    pub(super) const ANSWERS: usize = 5;
    pub(super) const MEAN_RISK: usize = 6;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "answers",
        &[
            Line::mean("answered", probe::ANSWERED, Ink::Ok).filled(),
            Line::mean("refused", probe::REFUSED, Ink::Bad),
            Line::mean("expected", probe::ANSWERS, Ink::Secondary),
        ],
        30.0,
    ),
    Plot::of(
        "risk",
        &[
            Line::mean("risk", probe::RISK, Ink::Warn).filled(),
            Line::mean("expected", probe::MEAN_RISK, Ink::Secondary),
        ],
        20.0,
    ),
    Plot::of(
        "length",
        &[Line::mean("length", probe::LENGTH, Ink::Hit).filled()],
        60.0,
    ),
    Plot::of(
        "restart",
        &[Line::mean("restart", probe::RESTART, Ink::Accent)],
        5.0,
    ),
];

const WRITE: &Field = &Field {
    most: 20,
    refusals: &["no-write", "no-key", "no-value"],
    samples: &["k7 = 512", "1=0"],
};

impl Lesson for WriteAheadLog {
    type Model = Store;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<Store> = Sheet {
        actions: &[
            ActionSpec::whole("plug"),
            ActionSpec::whole("late"),
            ActionSpec::whole("kill"),
            ActionSpec::whole("tear"),
            ActionSpec::whole("rot"),
            ActionSpec::whole("fail"),
            ActionSpec::whole("snapshot"),
            ActionSpec::whole("begin"),
            ActionSpec::typed("write", WRITE),
        ],
        probes: &[
            Probe::Count,
            Probe::Count,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
            Probe::Level,
        ],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Message, Ink::Hit),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        twin: ("sync", 3.0),
        still: Time::ms(300),
        warm_up: Time::ms(1_600),
        stands_for: &[
            (model::SYNC, model::DISK),
            (model::PROMISES, model::CLIENTS),
        ],
        ..Sheet::usual(
            Card {
                slug: "write-ahead-log",
                chapter: "database",
                tables: &["wal_recovery_compaction"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/wal.rs",
            region: "frame",
            marks: &[(
                "appended",
                "file.extend(checksum(kind, piece).to_le_bytes());",
            )],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "policy",
            marks: &[(
                "answered",
                "matches!(self, Policy::Never | Policy::EachSecond)",
            )],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "power-cut",
            marks: &[("power-gone", "self.bytes.truncate(end);")],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "check",
            marks: &[
                ("finds-bad", "if checksum(header[6], payload) != stored {"),
                ("finds-torn", "body.get(..length).ok_or(Stop::Torn)?;"),
            ],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "recover",
            marks: &[("reads", "let records = reader.by_ref().collect();")],
        },
        Code {
            file: "lessons/database/write_ahead_log/crash.rs",
            region: "replay",
            marks: &[("redone", "self.table[key] = again.on(self.table[key]);")],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "hole",
            marks: &[("retries", "let hole = self.synced..upto.min(self.written);")],
        },
        Code {
            file: "algorithms/wal.rs",
            region: "rewrite",
            marks: &[(
                "renamed",
                "self.file = self.fresh.take().unwrap_or_default();",
            )],
        },
    ];
}
