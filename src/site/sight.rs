//! What the tape's events lane shows, worked out from the tape; plain data without a browser.

use crate::texts::{t, tx};
use crate::views::Cause;
use engine::knobs::Kind;
use engine::tape::Note;
use engine::{Arg, Knob, Player, Time, Tone, Words, plot, text};

/// Marks nearer than this share of the lane would lie over each other; it also bounds how many there are.
const NEAR: f64 = 0.012;
/// Epochs of one name nearer than this share of the lane are one to the eye.
const NEAR_BANDS: f64 = 0.004;
/// The lane has so many rows for epochs.
const ROWS: usize = 2;
/// A name of an epoch needs this share of the lane, free of marks and other names.
const NAME_MIN: f64 = 0.1;

/// The events lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lane {
    /// The end of the time axis.
    pub(crate) span: Time,
    /// How far the run has been.
    pub(crate) horizon: Time,
    /// Single events.
    pub(crate) marks: Vec<Mark>,
    /// Epochs.
    pub(crate) bands: Vec<BandView>,
    /// Guesses that were settled.
    pub(crate) guesses: Vec<Settled>,
    /// The lost future: from and until.
    pub(crate) ghost: Option<(f64, f64)>,
}

/// A mark, placed as a share of the lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    /// Where it leads.
    pub(crate) time: Time,
    pub(crate) tone: Tone,
    pub(crate) title: String,
    /// Whether it lies in the lost future.
    pub(crate) ghost: bool,
    /// Whether it is a note of the learner's own.
    pub(crate) own: bool,
}

/// An epoch, placed as shares of the lane.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BandView {
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// Which row of the lane it lies in: those that meet lie below each other.
    pub(crate) row: usize,
    pub(crate) tone: Tone,
    pub(crate) title: String,
    /// From and until where its name can be read, if anywhere.
    pub(crate) name: Option<(f64, f64)>,
}

/// A settled guess.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) at: f64,
    pub(crate) time: Time,
    pub(crate) right: bool,
    pub(crate) title: String,
}

/// How much a mark matters where several share a place: what the learner did, then what became of a part, then what
/// became of one request among many.
fn weight(note: &Note) -> u8 {
    let one = note.dot > 0;
    match note.tone {
        Tone::Learner => 6,
        Tone::Bad if !one => 5,
        Tone::Warn if !one => 4,
        Tone::Bad => 3,
        Tone::Warn => 2,
        Tone::Ok => 1,
        Tone::Plain => 0,
    }
}

impl Lane {
    /// The lane of a player's tape.
    pub(crate) fn of(
        player: &Player,
        words: &Words,
        reached: &[(Time, usize)],
        jotted: &[(Time, String)],
    ) -> Lane {
        let main = player.main();
        let tape = main.tape();
        let horizon = main.horizon().at;
        let span = plot::span(horizon, main.speed());
        let share = |at: Time| (at.as_s() / span.as_s()).min(1.0);
        let knobs = main.knobs();
        let mut marks: Vec<Mark> = Vec::new();
        let mut last_weight = 0;
        let mut add = |note: &Note, ghost: bool| {
            let (at, weight) = (share(note.at), weight(note));
            if let Some(last) = marks.last_mut()
                && last.ghost == ghost
                && at - last.at < NEAR
            {
                // Of those that share a place the one that matters most is seen.
                if weight <= last_weight {
                    return;
                }
                marks.pop();
            }
            last_weight = weight;
            let title = note_text(note, words, &knobs);
            marks.push(Mark {
                at,
                time: note.at,
                tone: note.tone,
                title,
                ghost,
                own: false,
            });
        };
        tape.marks().iter().for_each(|note| add(note, false));
        let ghost = tape.ghost().and_then(|ghost| {
            let lost = ghost.lines.first().map_or(0, Vec::len);
            let until = Time((ghost.first + lost) as u64 * tape.every().0);
            ghost.marks.iter().for_each(|note| add(note, true));
            (until > ghost.from).then(|| (share(ghost.from), share(until)))
        });
        // What was noted beyond the axis is listed, but stands nowhere on it.
        let jotted = jotted.iter().filter(|(at, _)| *at <= span);
        marks.extend(jotted.map(|(at, text)| Mark {
            at: share(*at),
            time: *at,
            tone: Tone::Learner,
            title: text.clone(),
            ghost: false,
            own: true,
        }));
        let mut bands: Vec<BandView> = Vec::new();
        for band in tape.bands() {
            let title = words.get(&format!("epoch.{}", band.word)).to_owned();
            let (from, to) = (share(band.from), share(band.until.unwrap_or(horizon)));
            let mut before = bands.iter_mut().rev();
            match before.find(|before| (before.tone, &before.title) == (band.tone, &title)) {
                Some(before) if from - before.to < NEAR_BANDS => before.to = before.to.max(to),
                _ => bands.push(BandView {
                    from,
                    to,
                    row: 0,
                    tone: band.tone,
                    title,
                    name: None,
                }),
            }
        }
        // An epoch that meets another lies in a row of its own as long as there is one.
        for at in 1..bands.len() {
            let (before, now) = bands.split_at_mut(at);
            let taken = |row: usize| {
                let meets = |band: &BandView| band.row == row && band.to + NEAR_BANDS > now[0].from;
                before.iter().any(meets)
            };
            now[0].row = (0..ROWS).find(|row| !taken(*row)).unwrap_or(ROWS - 1);
        }
        let guesses = player.guesses().iter().filter_map(|guess| {
            let (at, truth) = guess.settled?;
            let right = truth == guess.choice;
            let title = t(if right { "guess.right" } else { "guess.wrong" });
            Some(Settled {
                at: share(at),
                time: at,
                right,
                title,
            })
        });
        let mut guesses: Vec<Settled> = guesses.collect();
        let ids = main.challenges();
        let goals = reached.iter().filter(|(at, _)| *at <= horizon);
        guesses.extend(goals.filter_map(|(at, challenge)| {
            let id = format!("challenge.{}", ids.get(*challenge)?);
            Some(Settled {
                at: share(*at),
                time: *at,
                right: true,
                title: tx("challenge.reached", words.get(&id)),
            })
        }));
        let mut taken = Vec::new();
        for at in (marks.iter().map(|mark| mark.at)).chain(guesses.iter().map(|guess| guess.at)) {
            take(&mut taken, (at - NEAR, at + NEAR));
        }
        name_bands(&mut bands, taken);
        Lane {
            span,
            horizon,
            bands,
            guesses,
            marks,
            ghost,
        }
    }
}

impl Lane {
    /// The mark nearest to a place of the lane, at most `reach` away: where it is, when, and what it says. Under no mark
    /// an epoch is told, without a time to go to.
    pub(crate) fn near(&self, at: f64, reach: f64) -> Option<(f64, Option<Time>, String)> {
        let marks = self
            .marks
            .iter()
            .map(|mark| (mark.at, mark.time, &mark.title));
        let guesses = self.guesses.iter();
        let all = marks.chain(guesses.map(|guess| (guess.at, guess.time, &guess.title)));
        let near = all.min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs()));
        if let Some((place, time, title)) = near.filter(|mark| (mark.0 - at).abs() <= reach) {
            return Some((place, Some(time), format!("{time} · {title}")));
        }
        let mut bands = self.bands.iter().rev();
        let band = bands.find(|band| (band.from..=band.to).contains(&at))?;
        Some((at, None, band.title.clone()))
    }
}

/// Adds a stretch of the lane where something lies to those `taken`, which are in order.
fn take(taken: &mut Vec<(f64, f64)>, stretch: (f64, f64)) {
    let at = taken.partition_point(|other| other.0 < stretch.0);
    taken.insert(at, stretch);
}

/// Gives each epoch the widest place for its name that nothing `taken` lies over, if there is one wide enough.
fn name_bands(bands: &mut [BandView], mut taken: Vec<(f64, f64)>) {
    for band in bands {
        if band.to - band.from < NAME_MIN {
            continue;
        }
        let mut widest = (band.from, band.from);
        let mut free = band.from;
        for (from, to) in taken.iter().copied().chain([(band.to, band.to)]) {
            let until = from.min(band.to);
            if until - free > widest.1 - widest.0 {
                widest = (free, until);
            }
            free = free.max(to);
        }
        if widest.1 - widest.0 >= NAME_MIN {
            band.name = Some(widest);
            take(&mut taken, widest);
        }
    }
}

/// A moment as the clock tells it, which shows no hundredth before it is over; where the axis is short, to a hundredth of a
/// millisecond.
pub(crate) fn told(at: Time, span: Time) -> Time {
    let least = if span < Time::s(1) { 10 } else { 10_000 };
    Time(at.0 / least * least)
}

/// The sentence of a note; turned knobs are named by their labels, and choices by theirs.
pub(crate) fn note_text(note: &Note, words: &Words, knobs: &[(Knob, f64)]) -> String {
    if let ("you-set" | "story-set", Some(Arg::Word(id)), Some(Arg::Number(value))) =
        (note.word, note.args[0], note.args[1])
        && let Some((knob, _)) = knobs.iter().find(|(knob, _)| knob.id == id)
    {
        let label = words.get(&format!("knob.{id}")).to_owned();
        let value = knob_value(knob, value, words);
        return words
            .get(&format!("say.{}", note.word))
            .replace("{0}", &label)
            .replace("{1}", &value);
    }
    words.note(note)
}

/// A note as a link of a chain; `gap` as there.
pub(crate) fn cause(note: &Note, words: &Words, knobs: &[(Knob, f64)], gap: bool) -> Cause {
    Cause {
        text: note_text(note, words, knobs),
        tone: note.tone,
        at: note.at,
        note: note.id,
        gap,
        event: event(note),
    }
}

/// A note as words that mark lines of code: its own, and the last parts of the words that it is told with.
pub(crate) fn event(note: &Note) -> String {
    let mut event = note.word.to_owned();
    for arg in note.args.iter().flatten() {
        if let Arg::Word(word) = arg {
            event.push(' ');
            event += word.rsplit('.').next().unwrap_or_default();
        }
    }
    event
}

/// A knob's value as the learner reads it: `48 req/s`, `Round robin`, `on`.
pub(crate) fn knob_value(knob: &Knob, value: f64, words: &Words) -> String {
    match knob.kind {
        Kind::Choice(options) => {
            let option = options.get(value as usize).copied().unwrap_or_default();
            words.get(&format!("knob.{}.{option}", knob.id)).to_owned()
        }
        Kind::Switch => t(if value > 0.0 { "knob.on" } else { "knob.off" }),
        Kind::Slider { .. } if knob.unit.is_empty() => text::trim_number(value),
        Kind::Slider { .. } => format!("{} {}", text::trim_number(value), knob.unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(from: f64, to: f64) -> BandView {
        BandView {
            from,
            to,
            row: 0,
            tone: Tone::Bad,
            title: String::new(),
            name: None,
        }
    }

    #[test]
    fn a_name_stands_in_the_widest_free_place() {
        let mut bands = [band(0.2, 0.8)];
        name_bands(&mut bands, vec![(0.19, 0.21), (0.3, 0.32), (0.5, 0.52)]);
        assert_eq!(bands[0].name, Some((0.52, 0.8)));
    }

    #[test]
    fn names_neither_cross_marks_nor_each_other() {
        let mut bands = [band(0.0, 0.3), band(0.1, 0.3), band(0.5, 0.55)];
        name_bands(&mut bands, vec![(0.0, 0.12)]);
        let names = bands.map(|band| band.name);
        assert_eq!(names, [Some((0.12, 0.3)), None, None]);
        let mut crowded = [band(0.0, 0.3)];
        name_bands(&mut crowded, vec![(0.05, 0.1), (0.15, 0.2), (0.25, 0.28)]);
        assert_eq!(crowded[0].name, None);
    }
}
