//! Names that everything else speaks of: parts, the roles of colours, the shapes of moving things.

use std::fmt;

/// The name of a part: its kind and, where there are several, its number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartId {
    /// Such as `server`.
    pub kind: &'static str,
    /// From 1; 0 for the only one of its kind.
    pub number: u16,
}

impl PartId {
    /// The only part of its kind.
    pub const fn one(kind: &'static str) -> PartId {
        PartId { kind, number: 0 }
    }

    /// One of several, counted from 1.
    pub const fn nth(kind: &'static str, number: u16) -> PartId {
        PartId { kind, number }
    }

    /// Whether this is how the part is written.
    pub fn is(self, written: &str) -> bool {
        written
            .strip_prefix(self.kind)
            .is_some_and(|rest| match rest.strip_prefix('-') {
                Some(number) => self.number > 0 && number.parse() == Ok(self.number),
                None => rest.is_empty() && self.number == 0,
            })
    }
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if self.number > 0 {
            write!(f, "-{}", self.number)?;
        }
        Ok(())
    }
}

/// What figures that belong to no part are told of.
pub const BACKDROP: PartId = PartId::one("backdrop");

/// The role of a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Not drawn.
    #[default]
    None,
    /// The page behind everything.
    Paper,
    /// The face of a card.
    Card,
    /// Text.
    Ink,
    /// Lesser text.
    Secondary,
    /// Hairlines.
    Line,
    /// Borders of cards.
    LineStrong,
    /// Links and arrows: lines that carry meaning.
    Mark,
    /// The empty part of a meter.
    Rail,
    /// Requests and whatever is selected.
    Accent,
    /// Good.
    Ok,
    /// Broken.
    Bad,
    /// Strained.
    Warn,
    /// Cached, stored, replicated.
    Hit,
    /// Tinted grounds of the five colours above.
    AccentSoft,
    /// See [`Ink::AccentSoft`].
    OkSoft,
    /// See [`Ink::AccentSoft`].
    BadSoft,
    /// See [`Ink::AccentSoft`].
    WarnSoft,
    /// See [`Ink::AccentSoft`].
    HitSoft,
    /// Text on a ground filled with the accent.
    OnAccent,
    /// Text on a ground filled with bad.
    OnBad,
    /// Diagonal hatching in the bad colour.
    BadHatch,
    /// Members of a group that are told apart: four colours that no state has.
    MemberA,
    /// See [`Ink::MemberA`].
    MemberB,
    /// See [`Ink::MemberA`].
    MemberC,
    /// See [`Ink::MemberA`].
    MemberD,
}

impl Ink {
    /// All of them; an ink's place here is `ink as usize`.
    pub const ALL: [Ink; 26] = [
        Ink::None,
        Ink::Paper,
        Ink::Card,
        Ink::Ink,
        Ink::Secondary,
        Ink::Line,
        Ink::LineStrong,
        Ink::Mark,
        Ink::Rail,
        Ink::Accent,
        Ink::Ok,
        Ink::Bad,
        Ink::Warn,
        Ink::Hit,
        Ink::AccentSoft,
        Ink::OkSoft,
        Ink::BadSoft,
        Ink::WarnSoft,
        Ink::HitSoft,
        Ink::OnAccent,
        Ink::OnBad,
        Ink::BadHatch,
        Ink::MemberA,
        Ink::MemberB,
        Ink::MemberC,
        Ink::MemberD,
    ];

    /// Its name in class names (`f-accent` fills, `s-accent` strokes).
    pub const fn name(self) -> &'static str {
        match self {
            Ink::None => "none",
            Ink::Paper => "paper",
            Ink::Card => "card",
            Ink::Ink => "ink",
            Ink::Secondary => "secondary",
            Ink::Line => "line",
            Ink::LineStrong => "line-strong",
            Ink::Mark => "mark",
            Ink::Rail => "rail",
            Ink::Accent => "accent",
            Ink::Ok => "ok",
            Ink::Bad => "bad",
            Ink::Warn => "warn",
            Ink::Hit => "hit",
            Ink::AccentSoft => "accent-soft",
            Ink::OkSoft => "ok-soft",
            Ink::BadSoft => "bad-soft",
            Ink::WarnSoft => "warn-soft",
            Ink::HitSoft => "hit-soft",
            Ink::OnAccent => "on-accent",
            Ink::OnBad => "on-bad",
            Ink::BadHatch => "hatch-bad",
            Ink::MemberA => "member-a",
            Ink::MemberB => "member-b",
            Ink::MemberC => "member-c",
            Ink::MemberD => "member-d",
        }
    }
}

/// The shape of a moving thing; every kind differs in shape as well as in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Glyph {
    /// ● A request.
    Request,
    /// ○ A response.
    Response,
    /// ▲ A failure.
    Failure,
    /// ■ A message.
    Message,
    /// ◆ A write on its way to a replica.
    Replica,
    /// | A heartbeat or health check.
    Heartbeat,
}

impl Glyph {
    /// Its name, for outlines and legends (word `glyph.<name>`).
    pub const fn name(self) -> &'static str {
        match self {
            Glyph::Request => "request",
            Glyph::Response => "response",
            Glyph::Failure => "failure",
            Glyph::Message => "message",
            Glyph::Replica => "replica",
            Glyph::Heartbeat => "heartbeat",
        }
    }
}
