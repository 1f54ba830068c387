//! A lesson on `kit::flow` with a model of its own: what happens when more come than one server can do?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Office, Settings};

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Bitmaps;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Answers a second.
    pub(super) const DONE: usize = 0;
    /// Requests turned away, a second.
    pub(super) const FAILED: usize = 1;
    /// From asking to the answer, µs.
    pub(super) const LATENCY: usize = 2;
    /// Requests that wait.
    pub(super) const WAITING: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "answers",
        &[
            Line::mean("answered", probe::DONE, Ink::Ok).filled(),
            Line::mean("failed", probe::FAILED, Ink::Bad),
        ],
        30.0,
    ),
    Plot::of(
        "waiting",
        &[Line::mean("waiting", probe::WAITING, Ink::Hit).filled()],
        20.0,
    ),
    Plot::ms(
        "latency",
        &[Line::quantile("p50", probe::LATENCY, 0.5, Ink::Accent)],
        500.0,
    ),
];

impl Lesson for Bitmaps {
    type Model = Office;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Office> = Sheet {
        actions: &[ActionSpec::whole("rush")],
        probes: &[Probe::Count, Probe::Count, Probe::Spread, Probe::Level],
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        twin: ("workers", 4.0),
        still: Time::s(4),
        warm_up: Time::s(6),
        ..Sheet::usual(
            Card {
                slug: "bitmaps",
                chapter: "database",
                tables: &[],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[Code {
        file: "kit/flow/pool.rs",
        region: "offer",
        marks: &[("waits", "Offer::Waits("), ("refused", "Offer::Full")],
    }];
}
