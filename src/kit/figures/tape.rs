//! A log as a tape: records as cards, oldest first, of which a window shows the newest or the one that is being read.

use engine::scene::{Pencil, Rect, pt};
use engine::text::{self, tenths};
use engine::{Glyph, Ink};
use std::ops::Range;

/// What is the matter with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing.
    Whole,
    /// Only its first half is there.
    Torn,
    /// It is there, and something else than was written.
    Bad,
    /// It should be there.
    Missing,
    /// It is whole, but nobody goes by it.
    Unread,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What it says, as far as there is room.
    pub text: String,
    /// What its state is told by: its ground, and its border.
    pub ground: Ink,
    /// See `ground`.
    pub border: Ink,
    /// What is the matter with it.
    pub look: Look,
}

/// Where the cards of a tape stand, row by row.
#[derive(Clone, Debug)]
pub struct Tape {
    area: Rect,
    columns: usize,
    rows: usize,
    pitch: f32,
    /// The cards that are seen.
    pub shown: Range<usize>,
}

/// Units between two cards of a row, and between two rows.
const GAP: f32 = 4.0;
const ROW_GAP: f32 = 7.0;

impl Tape {
    /// A tape of `count` cards in so many rows of `area`, each at least `width` wide. Seen are the newest, or as many as there is
    /// room for around card number `focus`.
    pub fn of(area: Rect, rows: usize, width: f32, count: usize, focus: Option<usize>) -> Tape {
        let columns = (((area.w + GAP) / (width + GAP)) as usize).max(1);
        let places = columns * rows.max(1);
        let newest = count.saturating_sub(places);
        let first = focus.map_or(newest, |focus| focus.saturating_sub(places / 2).min(newest));
        Tape {
            area,
            columns,
            rows: rows.max(1),
            pitch: (area.w + GAP) / columns as f32,
            shown: first..count.min(first + places),
        }
    }

    /// The place of a card; one that is not seen counts as the nearest that is.
    pub fn at(&self, card: usize) -> Rect {
        let last = self.columns * self.rows - 1;
        let place = card.saturating_sub(self.shown.start).min(last);
        let h = self.area.h / self.rows as f32;
        Rect::new(
            self.area.x + self.pitch * (place % self.columns) as f32,
            self.area.y + h * (place / self.columns) as f32,
            self.pitch - GAP,
            h - ROW_GAP,
        )
    }

    /// Draws a card at its place.
    pub fn card(&self, pencil: &mut Pencil<'_>, number: usize, card: &Card) {
        let at = self.at(number);
        let width = if card.border == Ink::Line { 1.0 } else { 1.5 };
        match card.look {
            Look::Whole => {
                pencil.bordered(at, 4.0, card.ground, card.border, width);
            }
            Look::Unread => {
                pencil.dashed(at, 4.0, Ink::Card, Ink::LineStrong, 1.0);
            }
            Look::Missing => {
                pencil.dashed(at, 4.0, Ink::None, Ink::Bad, 1.5);
            }
            Look::Bad => {
                pencil.bordered(at, 4.0, Ink::BadHatch, Ink::Bad, 1.5);
            }
            Look::Torn => {
                // Torn off along a zigzag in its middle.
                let (x, y, w, step) = (at.x, at.y, at.w * 0.45, at.h / 4.0);
                let (n, s) = (tenths, tenths(step));
                let d = format!(
                    "M{} {}h{}l4 {s}l-4 {s}l4 {s}l-4 {s}h-{}Z",
                    n(x),
                    n(y),
                    n(w),
                    n(w)
                );
                pencil.area(d.as_str(), card.ground);
                pencil.line(d, Ink::Bad, 1.5);
            }
        }
        if matches!(card.look, Look::Torn | Look::Bad) {
            let right = pt(at.x + at.w - 9.0, at.y + at.h / 2.0);
            pencil.mark(Glyph::Failure, right, 6.0, Ink::Bad);
        } else if text::width(&card.text, 11.0, false) <= at.w - 3.0 {
            let ink = match card.look {
                Look::Whole => Ink::Ink,
                _ => Ink::Secondary,
            };
            let middle = pt(at.x + at.w / 2.0, at.y + at.h / 2.0 + 4.0);
            pencil.centred(middle, 11.0, false, ink, card.text.as_str());
        }
    }

    /// A reading head that stands before a card: all to its left has been read.
    pub fn head(&self, pencil: &mut Pencil<'_>, card: usize) {
        let at = self.at(card);
        let (x, top) = (at.x - GAP / 2.0, at.y - 2.0);
        let (x, top, h) = (tenths(x), tenths(top), tenths(at.h + 4.0));
        pencil.line(format!("M{x} {top}v{h}"), Ink::Accent, 2.5);
        pencil.area(format!("M{x} {top}l-6 -8h12Z"), Ink::Accent);
    }

    /// A bracket below these cards, as far as they are seen; one piece for each row.
    pub fn bracket(&self, pencil: &mut Pencil<'_>, cards: Range<usize>, ink: Ink) {
        let from = cards.start.max(self.shown.start);
        let until = cards.end.min(self.shown.end);
        let mut at = from;
        while at < until {
            let row_ends = at + self.columns - (at - self.shown.start) % self.columns;
            let end = row_ends.min(until);
            let (first, last) = (self.at(at), self.at(end - 1));
            let y = tenths(first.y + first.h + 1.5);
            let (x, right) = (tenths(first.x), tenths(last.x + last.w));
            pencil.line(format!("M{x} {y}v3H{right}v-3"), ink, 2.0);
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::scene::Shape;
    use engine::{PartId, Scene};
    use std::rc::Rc;

    #[test]
    fn the_window_follows_the_newest_or_what_is_read() {
        let area = Rect::new(10.0, 20.0, 396.0, 60.0);
        for (rows, count, focus, shown) in [
            (1, 0, None, 0..0),
            (1, 3, None, 0..3),
            (1, 50, None, 42..50),
            (2, 50, None, 34..50),
            (1, 50, Some(0), 0..8),
            (1, 50, Some(20), 16..24),
            (1, 50, Some(50), 42..50),
        ] {
            let tape = Tape::of(area, rows, 46.0, count, focus);
            assert_eq!(tape.shown, shown, "{rows} {count} {focus:?}");
            for card in [0, shown.start, shown.end, count, usize::MAX] {
                let at = tape.at(card);
                assert!(at.w >= 46.0 - 0.01 && area.holds(&at), "{card}: {at:?}");
            }
        }
    }

    #[test]
    fn looks_differ_without_colour_and_texts_stay_on_their_cards() {
        let mut scene = Scene::new(400.0, Rc::default());
        let area = Rect::new(0.0, 0.0, 300.0, 28.0);
        let looks = [
            Look::Whole,
            Look::Torn,
            Look::Bad,
            Look::Missing,
            Look::Unread,
        ];
        let tape = Tape::of(area, 1, 46.0, looks.len(), None);
        let mut pencil = scene.thing(PartId::one("a"), area, "x".into());
        for (number, look) in looks.into_iter().enumerate() {
            let card = Card {
                text: "k7 482 and more than fits".into(),
                ground: Ink::HitSoft,
                border: Ink::Ok,
                look,
            };
            tape.card(&mut pencil, number, &card);
        }
        tape.bracket(&mut pencil, 1..9, Ink::Bad);
        tape.head(&mut pencil, 2);
        let shapes = &scene.parts()[0].shapes;
        let marks = shapes
            .iter()
            .filter(|one| matches!(one, Shape::Mark { .. }));
        let texts = shapes
            .iter()
            .filter(|one| matches!(one, Shape::Text { .. }));
        assert_eq!((marks.count(), texts.count()), (2, 0));
        let faults = scene.faults();
        assert!(faults.iter().all(|f| f.contains("no name")), "{faults:?}");
    }
}
