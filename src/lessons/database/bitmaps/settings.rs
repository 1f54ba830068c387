//! What the learner sets.

use engine::{Time, choices};

/// Numbers that have been given out.
pub(super) const PEOPLE: u32 = 65_536;

/// What the query machine is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Who has come today.
    Today,
    /// Who came on any of the whole days.
    Any,
    /// Who came on every one of them.
    Every,
    /// Who has come today and did not come yesterday.
    Fresh,
    /// Who is registered and has not come today.
    Inactive,
}
choices!(Question {
    "today" => Question::Today,
    "any" => Question::Any,
    "every" => Question::Every,
    "fresh" => Question::Fresh,
    "inactive" => Question::Inactive,
});

/// On what a user comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    All,
    Phone,
    Mac,
    Pc,
}
choices!(Platform {
    "all" => Platform::All,
    "phone" => Platform::Phone,
    "mac" => Platform::Mac,
    "pc" => Platform::Pc,
});

/// How users are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    Counted,
    /// Every sixteenth number.
    Gaps,
    /// Numbers of 30 bits.
    Random,
}
choices!(Ids { "counted" => Ids::Counted, "gaps" => Ids::Gaps, "random" => Ids::Random });

impl Ids {
    /// The number of a person. People are numbered in the order of their ids, whatever those are; of random ones each has a
    /// stretch of its own, so that no table is needed.
    pub(super) fn of(self, person: u32) -> u64 {
        let person = u64::from(person);
        match self {
            Ids::Counted => person,
            Ids::Gaps => person << 4,
            Ids::Random => person << 14 | algorithms::hash::mix64(person) & 0x3FFF,
        }
    }

    /// Whose number it is, if it is anybody's.
    pub(super) fn whose(self, id: u64) -> Option<u32> {
        let person = match self {
            Ids::Counted => id,
            Ids::Gaps => id >> 4,
            Ids::Random => id >> 14,
        };
        let person = u32::try_from(person).ok().filter(|who| *who < PEOPLE)?;
        (self.of(person) == id).then_some(person)
    }
}

/// How a day is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Bitmap,
    List,
}
choices!(Store { "bitmap" => Store::Bitmap, "list" => Store::List });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// What is asked again and again.
        question: choice Question "question" = Question::Today,
        /// How many whole days, yesterday first.
        days: whole "days" [1, 10] "" = 7,
        /// Of which platform only.
        platform: choice Platform "platform" = Platform::All,
        /// How users are numbered.
        ids: choice Ids "ids" = Ids::Counted,
        /// How many come of those who would.
        share: whole "share" [0, 100] "%" = 100,
        /// How a day is kept.
        store: choice Store "store" = Store::Bitmap,
        /// Length of a day.
        day: whole "day" [4, 60] "s" = 12,
        /// In how many pieces a billion bits are counted.
        pieces: whole "pieces" [1, 64] "" = 1,
        /// The first person under the glass.
        first: slider "first" [0.0, 65472.0, 64.0] "" = 20480.0,
    }
}

impl Settings {
    /// How long a day lasts.
    pub(super) fn length(&self) -> Time {
        Time::s(u64::from(self.day))
    }

    /// The first number under the glass.
    pub(super) fn start(&self) -> u64 {
        self.ids.of(self.first as u32) & !63
    }
}
