//! Template of a lesson on `kit::bench`: how many numbers must be looked at to find one?

mod model;
mod story;
mod view;

#[cfg(test)]
mod tests;

pub use model::{Desk, Settings};

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct Template;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Looks that an answer took.
    pub(super) const LOOKS: usize = 0;
}

const PLOTS: &[Plot] = &[Plot::of(
    "looks",
    &[Line::mean("looks", probe::LOOKS, Ink::Accent).filled()],
    64.0,
)];

impl Lesson for Template {
    type Model = Desk;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Desk> = Sheet {
        actions: &[ActionSpec::whole("last")],
        probes: &[Probe::Spread],
        plots: PLOTS,
        key: &[(Glyph::Request, Ink::Accent)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 1.0,
        twin: ("way", 1.0),
        still: Time::s(1),
        ..Sheet::usual(
            Card {
                slug: "template-bench",
                chapter: "database",
                tables: &[],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[Code {
        file: "lessons/templates/template_bench/model.rs",
        region: "search",
        marks: &[("looks", "trace(Step(at));")],
    }];
}
