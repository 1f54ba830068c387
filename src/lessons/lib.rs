//! The lessons: one folder each, and the catalogue that lists them.
//!
//! A new lesson adds its folder and two lines here: its `mod` and its entry in [`CATALOGUE`].

pub mod caching;
pub mod cap_theorem;
pub mod circuit_breaker;
pub mod consistent_hashing;
pub mod fan_out;
pub mod kit;
pub mod load_balancing;
pub mod message_queue;
pub mod retry_storm;
pub mod rolling_update;

use engine::lesson::sheet;
use engine::{Card, Lesson, Run, Show};

/// A lesson that can be opened.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name and place.
    pub card: &'static Card,
    /// Opens it at time zero with this seed.
    pub open: fn(seed: u32) -> Box<dyn Show>,
}

/// Every lesson that is built, in the order of the catalogue.
pub const CATALOGUE: &[Entry] = &[
    entry::<load_balancing::Balancing>(),
    entry::<caching::Remembering>(),
    entry::<consistent_hashing::Hashing>(),
    entry::<circuit_breaker::Breaking>(),
    entry::<cap_theorem::Cap>(),
    entry::<fan_out::FanOut>(),
    entry::<rolling_update::Rolling>(),
    entry::<retry_storm::Storm>(),
    entry::<message_queue::Lending>(),
];

/// The lesson of this slug.
pub fn find(slug: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.card.slug == slug)
}

const fn entry<L: Lesson>() -> Entry {
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
