//! Listing lessons: what every page knows of them, and what only press asks for.

use engine::lesson::sheet;
use engine::{Card, Code, Lesson, Level, Run, Show};

/// A lesson that can be opened.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name and place.
    pub card: &'static Card,
    /// Opens it at time zero with this seed.
    pub open: fn(seed: u32) -> Box<dyn Show>,
}

/// What press tells of a lesson, and no page's program carries.
#[derive(Clone, Copy)]
pub struct About {
    /// What it asks of a learner.
    pub level: Level,
    /// The code that it shows.
    pub code: &'static [Code],
}

/// Lists the lessons of a chapter, twice: what every page knows of them, and what only press asks for.
#[macro_export]
macro_rules! lessons {
    ($($lesson:ty),* $(,)?) => {
        /// The lessons that are built, in the order of the catalogue. A static, so that they are compiled with their chapter.
        pub static LESSONS: &[$crate::listing::Entry] = &[$($crate::listing::entry::<$lesson>()),*];

        /// What press tells of each, in the same order.
        pub const ABOUT: &[$crate::listing::About] = &[$($crate::listing::about_of::<$lesson>()),*];
    };
}

/// What press tells of a lesson.
pub const fn about_of<L: Lesson>() -> About {
    About {
        level: L::LEVEL,
        code: L::CODE,
    }
}

/// What every page knows of a lesson.
pub const fn entry<L: Lesson>() -> Entry {
    Entry {
        // A copy: whoever lists the catalogue must not lead to all that a sheet leads to.
        card: const { &card::<L>() },
        open: open::<L>,
    }
}

const fn card<L: Lesson>() -> Card {
    L::SHEET.card
}

/// Opens a lesson. The release build cuts the program here: what only this function leads to is that lesson's own
/// file, so press knows it by its name, and nothing may call it but through its [`Entry`].
fn open<L: Lesson>(seed: u32) -> Box<dyn Show> {
    Box::new(Run::new(sheet::<L>(), seed))
}
