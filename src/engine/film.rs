//! Films: which moments of a run become frames, what each says, and how a frame is drawn.
//!
//! A film is made from a run of its own with the seed and the inputs of the one on screen, which goes from frame to
//! frame; how long that takes changes nothing. The frames of two films of the same are the same, byte for byte.

use crate::ids::{Ink, PartId};
use crate::place::Position;
use crate::player::Player;
use crate::scene::Scene;
use crate::show::Show;
use crate::svg::{self, DARK, HATCH, LIGHT, Sink, Writer, escape};
use crate::text::{tenths, width, wrap};
use crate::time::Time;
use crate::words::Words;
use std::fmt::Write;
use std::rc::Rc;

/// A film has at most so many frames: a minute at 30 a second.
pub const FRAMES_MAX: usize = 1_800;
/// A caption stands for so long after its step has come up, and so much longer for each word: 200 words a minute.
const HOLD_US: u64 = 1_500_000;
const WORD_US: u64 = 300_000;
/// The first step has no way that leads to it: the film shows what follows, in real time.
const OPENING_S: f64 = 5.0;
/// A step whose way is not known begins so long before it, in real time.
const WAY_S: f64 = 6.0;

/// Space around everything, in units of the frame, and the height of the line above the stage.
const MARGIN: f32 = 24.0;
const HEAD: f32 = 56.0;
/// The size of a caption, the least it may shrink to, and the lines that there is room for.
const CAPTION: f32 = 23.0;
const CAPTION_MIN: f32 = 14.0;
const LINE: f32 = 1.35;
const LINES: f32 = 2.0;
const LINES_UPRIGHT: f32 = 3.0;
/// How much larger than on the page a scene may be drawn; its width is chosen among the room's divided by these.
const SCALES: [f32; 10] = [1.8, 1.6, 1.45, 1.3, 1.15, 1.0, 0.9, 0.8, 0.7, 0.6];

/// What a film is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// The way to this beat (from 0), and then the beat itself for as long as it takes to read it.
    Beat(usize),
    /// From one moment to another.
    Range(Time, Time),
}

/// What stands under a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying {
    /// What this beat waits for.
    Way(usize),
    /// The caption of this beat.
    Beat(usize),
}

/// The moments of a film.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    from: Time,
    to: Time,
    /// Simulated seconds a second.
    speed: f64,
    /// Frames a second.
    rate: u32,
    /// How many frames lead to `to`, and for how many more it stands.
    moving: usize,
    held: usize,
}

impl Plan {
    /// The frames between two moments at a speed and a rate: at even steps from the first, up to but without the last,
    /// which then stands for as long as `hold`, one frame at least. None where that makes no film: an empty or backward
    /// span, no speed.
    pub fn new(from: Time, to: Time, speed: f64, rate: u32, hold: Time) -> Option<Plan> {
        let sound = speed.is_finite() && speed > 0.0 && rate > 0 && from <= to;
        if !sound || (from == to && hold == Time::ZERO) {
            return None;
        }
        let exact = to.since(from).as_s() / speed * f64::from(rate);
        // Rounded up, but not for what arithmetic leaves over; what is far too many need not be exact.
        let whole = exact.min(1e9) as usize;
        let moving = whole + usize::from(exact - whole as f64 > 1e-6);
        let held = (hold.0 * u64::from(rate)).div_ceil(1_000_000).max(1) as usize;
        Some(Plan {
            from,
            to,
            speed,
            rate,
            moving,
            held,
        })
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.moving.saturating_add(self.held)
    }

    /// From this frame on all are the same.
    pub fn still(&self) -> usize {
        self.moving
    }

    /// The simulated moment of a frame.
    pub fn moment(&self, frame: usize) -> Time {
        if frame >= self.moving {
            return self.to;
        }
        let after = frame as f64 * self.speed / f64::from(self.rate);
        (self.from + Time::from_s(after)).min(self.to)
    }

    /// When a frame is shown, counted from the beginning of the film.
    pub fn shown(&self, frame: usize) -> Time {
        Time(frame as u64 * 1_000_000 / u64::from(self.rate))
    }
}

/// How long a caption stands.
fn hold(caption: &str) -> Time {
    Time(HOLD_US + WORD_US * caption.split_whitespace().count() as u64)
}

/// What is said from a frame on, up to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// The frame.
    pub frame: usize,
    /// What is said.
    pub text: String,
}

/// Captions beside the film, as WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format").
pub fn vtt(plan: &Plan, cues: &[Cue]) -> String {
    let mut out = "WEBVTT\n".to_owned();
    let stamp = |time: Time| {
        let ms = time.0 / 1_000;
        let (s, m) = (ms / 1_000, ms / 60_000);
        format!(
            "{:02}:{:02}:{:02}.{:03}",
            m / 60,
            m % 60,
            s % 60,
            ms % 1_000
        )
    };
    for (at, cue) in cues.iter().enumerate() {
        let end = cues.get(at + 1).map_or(plan.frames(), |next| next.frame);
        if cue.text.is_empty() {
            continue;
        }
        let (from, to) = (stamp(plan.shown(cue.frame)), stamp(plan.shown(end)));
        // A cue ends with an empty line, so none may stand in it; and an arrow is escaped with all else.
        let lines: Vec<_> = cue.text.split_whitespace().collect();
        let text = escape(&lines.join(" ")).replace("&quot;", "\"");
        let _ = write!(out, "\n{}\n{from} --> {to}\n{text}\n", at + 1);
    }
    out
}

/// How a film looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The lesson's name.
    pub title: String,
    /// Whether the ground is dark.
    pub dark: bool,
    /// Width and height of a frame, in units: a caption is 23 high.
    pub size: (f32, f32),
    /// Whether captions are part of the picture.
    pub captions: bool,
}

impl Look {
    /// Whether frames are no wider than high: what is compared stands one above the other.
    fn upright(&self) -> bool {
        let (w, h) = self.size;
        w <= h
    }

    /// The room for the stages: left, top, width, height.
    fn room(&self) -> (f32, f32, f32, f32) {
        let (w, h) = self.size;
        let under = if self.captions { self.foot() } else { MARGIN };
        (MARGIN, HEAD, w - 2.0 * MARGIN, h - HEAD - under)
    }

    fn lines(&self) -> f32 {
        if self.upright() { LINES_UPRIGHT } else { LINES }
    }

    /// The height of what is under the stages.
    fn foot(&self) -> f32 {
        self.lines() * CAPTION * LINE + 2.0 * MARGIN
    }
}

/// What a film takes from the page: words that the engine does not know.
pub trait Teller {
    /// The text under a frame.
    fn say(&self, saying: Saying) -> String;
    /// What a stage shows while two are compared: the knob and its value.
    fn heading(&self, knob: &str, value: f64) -> String;
    /// The words that scenes are drawn with.
    fn words(&self) -> Rc<Words>;
}

/// One run of a film and how its scene is fitted into its room.
struct Side {
    run: Box<dyn Show>,
    /// The width of its scene, and its scale so far; none before the first frame.
    fit: Option<(f32, f32)>,
}

/// A film in the making.
pub struct Film {
    plan: Plan,
    cues: Vec<Cue>,
    sides: Vec<Side>,
    /// What the two sides differ in.
    knob: Option<(&'static str, f64)>,
    /// Where the beat was reached, which is more exact than its moment; its parts that are pointed at and hidden.
    end: Option<Position>,
    points: &'static [PartId],
    hides: &'static [PartId],
    look: Look,
    teller: Box<dyn Teller>,
    /// A digest of all frames drawn: FNV-1a (Fowler, Noll, Vo), 64 bits.
    print: u64,
}

/// The plan of a film of what a player has on its timeline; none where there is nothing to show.
pub fn plan(
    player: &Player,
    subject: Subject,
    (speed, rate): (f64, u32),
    teller: &dyn Teller,
) -> Option<Plan> {
    match subject {
        Subject::Range(from, to) => {
            let to = to.min(crate::tape::END);
            (from < to).then(|| Plan::new(from, to, speed, rate, Time::ZERO))?
        }
        Subject::Beat(0) => {
            let to = Time::from_s(OPENING_S * speed).min(crate::tape::END);
            Plan::new(Time::ZERO, to, speed, rate, Time::ZERO)
        }
        Subject::Beat(beat) => {
            let to = player.reached(beat)?.at;
            let before = player.reached(beat - 1).map(|place| place.at);
            let from = before.unwrap_or_else(|| to - Time::from_s(WAY_S * speed));
            let caption = teller.say(Saying::Beat(beat));
            Plan::new(from.min(to), to, speed, rate, hold(&caption))
        }
    }
}

/// What is said in the course of a film.
fn cues(player: &Player, subject: Subject, plan: &Plan, teller: &dyn Teller) -> Vec<Cue> {
    let said = |frame: usize| match subject {
        Subject::Beat(0) => Saying::Beat(0),
        Subject::Beat(beat) if frame < plan.still() => Saying::Way(beat),
        Subject::Beat(beat) => Saying::Beat(beat),
        Subject::Range(..) => {
            let at = plan.moment(frame);
            let reached = |beat: &usize| player.reached(*beat).is_some_and(|place| place.at <= at);
            let last = (0..player.beats().len()).rev().find(reached);
            Saying::Beat(last.unwrap_or(0))
        }
    };
    let mut cues = Vec::new();
    let mut last = None;
    for frame in 0..plan.frames() {
        let saying = said(frame);
        if last.replace(saying) != Some(saying) {
            let text = teller.say(saying).replace("**", "");
            cues.push(Cue { frame, text });
        }
    }
    cues
}

impl Film {
    /// A film of what a player has on its timeline; none where there is nothing to show, or where that takes more than
    /// [`FRAMES_MAX`] frames. The player's run stays where it is.
    pub fn new(
        player: &Player,
        subject: Subject,
        pace: (f64, u32),
        look: Look,
        teller: Box<dyn Teller>,
    ) -> Option<Film> {
        let plan = plan(player, subject, pace, &*teller)?;
        if plan.frames() > FRAMES_MAX {
            return None;
        }
        let beat = match subject {
            Subject::Beat(beat) => Some(beat),
            Subject::Range(..) => None,
        };
        let knob = player.compared(beat.unwrap_or_else(|| player.beat()));
        let first = plan.moment(0);
        let main = player.main().branch(first);
        let twin = knob.and_then(|(knob, value)| match player.twin() {
            Some(twin) if (twin.knob, twin.value) == (knob, value) => Some(twin.run.branch(first)),
            // The knob is the lesson's own.
            _ => player.main().twin(knob, value).ok(),
        });
        let sides = [Some(main), twin].into_iter().flatten();
        let told = beat.filter(|beat| *beat > 0);
        let view = told.and_then(|beat| player.beats().get(beat));
        let open = beat.is_some_and(|beat| player.guess_of(beat).is_none());
        Some(Film {
            cues: cues(player, subject, &plan, &*teller),
            plan,
            knob,
            sides: sides.map(|run| Side { run, fit: None }).collect(),
            end: told.and_then(|beat| player.reached(beat)),
            points: view.map_or(&[], |view| view.points),
            hides: view.filter(|_| open).map_or(&[], |view| view.hides),
            look,
            teller,
            print: 0xcbf2_9ce4_8422_2325,
        })
    }

    /// Its moments.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it says.
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// Takes the runs towards a frame for at most `budget` events each; true once they are there. Frames are gone to in
    /// their order.
    pub fn go(&mut self, frame: usize, budget: u64) -> bool {
        let at = self.plan.moment(frame);
        let end = self.end.filter(|_| frame >= self.plan.still());
        let mut there = true;
        for (place, side) in self.sides.iter_mut().enumerate() {
            there &= match end {
                // Only the run itself has been at that place: the other has events of its own.
                Some(end) if place == 0 => side.run.seek_to_some(end, budget),
                _ => side.run.seek_some(at, budget),
            };
        }
        there
    }

    /// Which share of the way to a frame the last of the runs has behind it.
    pub fn way(&self, frame: usize) -> f64 {
        let runs = self.sides.iter().map(|side| side.run.position().at.as_s());
        let last = runs.fold(f64::INFINITY, f64::min);
        (last / self.plan.moment(frame).as_s().max(1e-6)).clamp(0.0, 1.0)
    }

    /// Draws the frame that the runs stand at, as a picture of its own.
    pub fn draw(&mut self, frame: usize) -> String {
        let look = &self.look;
        let (w, h) = look.size;
        let still = frame >= self.plan.still();
        let points = if still { self.points } else { &[] };
        let hides = if still { self.hides } else { &[] };
        let mut body = Writer::default();
        let clock = self.sides.first().map_or_else(String::new, |side| {
            side.run.position().at.at_speed(side.run.speed())
        });
        let right = width(&clock, 19.0, false) + 2.0 * MARGIN;
        let title = shrunk(&look.title, 21.0, 1.0, w - right - 2.0 * MARGIN);
        for (line, size) in &title {
            line_of(
                &mut body,
                (MARGIN, 36.0),
                *size,
                "f-ink t-600",
                "start",
                line,
            );
        }
        line_of(
            &mut body,
            (w - MARGIN, 36.0),
            19.0,
            "f-secondary",
            "end",
            &clock,
        );
        let values: Vec<f64> = self.compared().collect();
        let (left, top, all_w, all_h) = look.room();
        let count = self.sides.len().max(1) as f32;
        let gap = MARGIN * (count - 1.0);
        let head = if values.is_empty() { 0.0 } else { 30.0 };
        let (room_w, room_h) = match look.upright() {
            true => (all_w, (all_h - gap) / count - head),
            false => ((all_w - gap) / count, all_h - head),
        };
        for (at, side) in self.sides.iter_mut().enumerate() {
            let step = at as f32;
            let (x, y) = match look.upright() {
                true => (left, top + step * (room_h + head + MARGIN)),
                false => (left + step * (room_w + MARGIN), top),
            };
            if let (Some(value), Some((knob, _))) = (values.get(at), self.knob) {
                let name = if at == 0 { "A" } else { "B" };
                let heading = format!("{name} · {}", self.teller.heading(knob, *value));
                for (line, size) in shrunk(&heading, 17.0, 1.0, room_w) {
                    line_of(
                        &mut body,
                        (x, y + 17.0),
                        size,
                        "f-ink t-600",
                        "start",
                        &line,
                    );
                }
            }
            let words = self.teller.words();
            let (scene, scale) = side.fitted((room_w, room_h), &words);
            body.open("g");
            let (sx, sy) = (
                x + (room_w - scene.width * scale) / 2.0,
                y + head + (room_h - scene.height * scale) / 2.0,
            );
            let thousandths = (scale * 1_000.0) as u32;
            body.attr(
                "transform",
                &format!(
                    "translate({} {}) scale({}.{:03})",
                    tenths(sx),
                    tenths(sy),
                    thousandths / 1_000,
                    thousandths % 1_000
                ),
            );
            svg::marked(&scene, &mut body, &|part| {
                if svg::names(hides, part.id) {
                    None
                } else if points.is_empty() || svg::names(points, part.id) {
                    Some("")
                } else {
                    Some("dim")
                }
            });
            body.close();
        }
        let said = self.cues.iter().rev().find(|cue| cue.frame <= frame);
        if let Some(cue) = said.filter(|_| look.captions) {
            let lines = shrunk(&cue.text, CAPTION, look.lines(), w - 2.0 * MARGIN);
            let (top, foot) = (h - look.foot(), look.foot());
            let height: f32 = lines.iter().map(|(_, size)| size * LINE).sum();
            let mut y = top + (foot - height) / 2.0;
            for (line, size) in &lines {
                y += size * LINE;
                let at = (w / 2.0, y - size * 0.35);
                line_of(&mut body, at, *size, "f-ink", "middle", line);
            }
        }
        let text = page(&body.finish(), (w, h), look);
        for byte in text.bytes() {
            self.print = (self.print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        text
    }

    /// What the sides hold, where there are two.
    fn compared(&self) -> impl Iterator<Item = f64> + use<'_> {
        let knob = self.knob.filter(|_| self.sides.len() > 1);
        self.sides.iter().filter_map(move |side| {
            let (id, _) = knob?;
            let mut knobs = side.run.knobs().into_iter();
            knobs
                .find(|(knob, _)| knob.id == id)
                .map(|(_, value)| value)
        })
    }

    /// What tells this film from another: equal where all frames drawn so far are.
    pub fn print(&self) -> String {
        format!("{:016x}", self.print)
    }
}

impl Side {
    /// The scene at the width at which it is drawn largest. Once chosen that stays, and the scale only falls, where
    /// the scene grows out of its room.
    fn fitted(&mut self, (w, h): (f32, f32), words: &Rc<Words>) -> (Scene, f32) {
        let run = &*self.run;
        let draw = |across: f32| {
            let mut scene = Scene::new(across, words.clone());
            run.draw(&mut scene);
            let scale = (w / scene.width).min(h / scene.height);
            (scene, scale)
        };
        let Some((across, scale)) = self.fit else {
            let mut best: Option<(f32, Scene, f32)> = None;
            for across in SCALES.map(|scale| w / scale) {
                let (scene, scale) = draw(across);
                if best.as_ref().is_none_or(|(.., least)| scale > *least) {
                    best = Some((across, scene, scale));
                }
            }
            let (across, scene, scale) = best.unwrap_or_else(|| {
                let (scene, scale) = draw(w);
                (w, scene, scale)
            });
            self.fit = Some((across, scale));
            return (scene, scale);
        };
        let (scene, fits) = draw(across);
        let scale = scale.min(fits);
        self.fit = Some((across, scale));
        (scene, scale)
    }
}

/// A text in at most so many lines, each with its size: smaller where it would need more.
fn shrunk(text: &str, size: f32, lines: f32, room: f32) -> Vec<(String, f32)> {
    let mut size = size;
    loop {
        let wrapped = wrap(text, size, true, room);
        if wrapped.len() as f32 <= lines || size <= CAPTION_MIN {
            return wrapped.into_iter().map(|line| (line, size)).collect();
        }
        size -= 1.0;
    }
}

fn line_of(
    sink: &mut Writer,
    (x, y): (f32, f32),
    size: f32,
    class: &str,
    anchor: &str,
    text: &str,
) {
    sink.open("text");
    sink.attr("x", &tenths(x));
    sink.attr("y", &tenths(y));
    sink.attr("font-size", &tenths(size));
    sink.attr("class", class);
    sink.attr("text-anchor", anchor);
    sink.text(text);
    sink.close();
}

/// A frame as a picture of its own. Its style begins with nothing else, so that a font can be put before it.
fn page(body: &str, (w, h): (f32, f32), look: &Look) -> String {
    let mut css = String::new();
    for (ink, value) in if look.dark { DARK } else { LIGHT } {
        let name = ink.name();
        let _ = write!(css, ".f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}");
    }
    let secondary = Ink::Secondary.name();
    let secondary = if look.dark { DARK } else { LIGHT }
        .iter()
        .find(|(ink, _)| ink.name() == secondary)
        .map_or("", |(_, value)| value);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">\
         <style>text{{font-family:Inter,system-ui,sans-serif;font-variant-numeric:tabular-nums}}.t-600{{font-weight:600}}\
         .f-none{{fill:none}}.s-none{{stroke:none}}.f-hatch-bad{{fill:url(#hatch-bad)}}{css}\
         .dim [class*=\"s-\"]{{stroke-opacity:.4}}.dim text{{fill:{secondary}}}\
         .dim [class*=\"f-\"]:not(text,.f-card,.f-paper,.f-none){{fill-opacity:.35}}</style>\
         {HATCH}<rect width=\"{w}\" height=\"{h}\" class=\"f-paper\"/>{body}</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::{bounce, comparing};

    struct Plain;
    impl Teller for Plain {
        fn say(&self, saying: Saying) -> String {
            match saying {
                Saying::Way(beat) => format!("towards {beat}"),
                Saying::Beat(beat) => format!("**beat** {beat} & more"),
            }
        }
        fn heading(&self, knob: &str, value: f64) -> String {
            format!("{knob}: {value}")
        }
        fn words(&self) -> Rc<Words> {
            Rc::default()
        }
    }

    const LOOK: Look = Look {
        title: String::new(),
        dark: false,
        size: (1_280.0, 720.0),
        captions: true,
    };

    fn film(player: &Player, subject: Subject, look: Look) -> Film {
        Film::new(player, subject, (1.0, 10), look, Box::new(Plain)).expect("something to show")
    }

    /// All its frames.
    fn frames(film: &mut Film) -> Vec<String> {
        let count = film.plan().frames();
        let shot = |frame| {
            while !film.go(frame, 3) {}
            film.draw(frame)
        };
        (0..count).map(shot).collect()
    }

    fn told() -> Player {
        let mut player = Player::new(Box::new(bounce(1)));
        player.jump(2);
        player
    }

    #[test]
    fn frames_lie_at_even_steps_of_simulated_time() {
        let plan = Plan::new(Time::s(2), Time::s(4), 0.5, 12, Time::ZERO).expect("a plan");
        assert_eq!((plan.still(), plan.frames()), (48, 49));
        assert_eq!(plan.moment(0), Time::s(2));
        assert_eq!(plan.moment(12), Time::ms(2_500));
        assert_eq!(plan.moment(48), Time::s(4));
        assert_eq!(plan.shown(12), Time::s(1));
        assert_eq!(plan.shown(49), Time::us(4_083_333));
        // What does not divide ends at the last moment all the same.
        let odd = Plan::new(Time::ZERO, Time::ms(1_010), 1.0, 10, Time::s(2)).expect("a plan");
        assert_eq!((odd.still(), odd.frames()), (11, 31));
        assert_eq!(
            [10, 11, 30].map(|at| odd.moment(at).0),
            [1_000_000, 1_010_000, 1_010_000]
        );
        for at in 0..odd.frames() {
            assert!(odd.moment(at) <= odd.moment(at + 1));
        }
    }

    #[test]
    fn what_makes_no_film_is_none() {
        let (a, b) = (Time::s(1), Time::s(2));
        for (from, to, speed, rate) in [
            (b, a, 1.0, 12),
            (a, a, 1.0, 12),
            (a, b, 0.0, 12),
            (a, b, -1.0, 12),
            (a, b, f64::NAN, 12),
            (a, b, f64::INFINITY, 12),
            (a, b, 1.0, 0),
        ] {
            assert_eq!(Plan::new(from, to, speed, rate, Time::ZERO), None);
        }
        // Hours at a snail's pace are a number of frames like any other, and never made.
        let long = Plan::new(Time::ZERO, Time::s(7_200), 1e-4, 30, Time::ZERO).expect("a plan");
        assert!(long.frames() > FRAMES_MAX);
        let player = told();
        for subject in [
            Subject::Range(Time::ZERO, Time::s(600)),
            Subject::Beat(3),
            Subject::Beat(99),
        ] {
            let made = Film::new(&player, subject, (1.0, 30), LOOK, Box::new(Plain));
            assert!(made.is_none(), "{subject:?}");
        }
    }

    #[test]
    fn a_step_is_its_way_and_then_stands_to_be_read() {
        let player = told();
        let reached = player.reached(1).expect("told").at;
        let mut film = film(&player, Subject::Beat(1), LOOK);
        let plan = film.plan().clone();
        assert_eq!(plan.moment(0), Time::ZERO);
        assert_eq!(plan.moment(plan.still()), reached);
        let texts: Vec<_> = film
            .cues()
            .iter()
            .map(|cue| (cue.frame, &*cue.text))
            .collect();
        assert_eq!(texts, [(0, "towards 1"), (plan.still(), "beat 1 & more")]);
        // Four words, and what everything stands at least.
        assert_eq!(plan.frames() - plan.still(), 27);
        let drawn = frames(&mut film);
        assert!(drawn[0].contains("towards 1") && drawn[0].contains("00:00.00"));
        assert!(drawn[plan.still()].contains("beat 1 &amp; more"));
        assert!(drawn[plan.still()].contains(&reached.to_string()));
        assert_eq!(drawn[plan.still()], drawn[plan.frames() - 1]);
    }

    #[test]
    fn two_films_of_the_same_have_the_same_frames_whatever_the_player_did_between() {
        let mut player = told();
        let mut one = film(&player, Subject::Beat(2), LOOK);
        let first = frames(&mut one);
        let here = player.main().position();
        player.seek(Time::ms(700));
        player.seek_to(here);
        let mut other = film(&player, Subject::Beat(2), LOOK);
        assert_eq!(frames(&mut other), first);
        assert_eq!(other.print(), one.print());
        // The film has gone its own way.
        assert_eq!(player.main().position(), here);
        let dark = Look { dark: true, ..LOOK };
        let mut night = film(&player, Subject::Beat(2), dark);
        frames(&mut night);
        assert_ne!(night.print(), one.print());
        // Another seed is another film.
        player.reset(2);
        player.jump(2);
        let mut strange = film(&player, Subject::Beat(2), LOOK);
        frames(&mut strange);
        assert_ne!(strange.print(), one.print());
    }

    #[test]
    fn a_late_film_sets_out_from_near_its_beginning_and_shows_the_same() {
        let mut player = Player::new(Box::new(bounce(1)));
        player.seek(Time::s(7));
        let _ = player.set_knob("pace", 100.0);
        player.seek(Time::s(900));
        let range = Subject::Range(Time::s(800), Time::s(801));
        let mut late = film(&player, range, LOOK);
        let begins = late.sides[0].run.position().at;
        assert!(begins > Time::s(700) && begins <= Time::s(800), "{begins}");
        // One that knows nothing but the inputs goes all the way.
        let whole = Player::new(player.main().restore(&player.main().state()));
        let mut from_zero = film(&whole, range, LOOK);
        assert_eq!(from_zero.sides[0].run.position().at, Time::ZERO);
        assert!(!from_zero.go(0, 3) && from_zero.way(0) < 0.5);
        assert_eq!(frames(&mut late), frames(&mut from_zero));
        assert_eq!(
            (late.way(0), player.main().position().at),
            (1.0, Time::s(900))
        );
    }

    #[test]
    fn a_twin_of_two_differences_is_filmed_with_both() {
        let mut player = Player::new(Box::new(comparing()));
        player.seek(Time::s(1));
        player.compare("double", 1.0).expect("a knob");
        assert!(player.compare_also(Some(crate::Difference::Knob("pace", 100.0))));
        player.seek(Time::s(5));
        let mut film = film(&player, Subject::Range(Time::s(2), Time::s(3)), LOOK);
        while !film.go(film.plan().still(), 50) {}
        let twin = &player.twin().expect("compared").run;
        assert_eq!(film.sides[1].run.knobs(), twin.knobs());
    }

    #[test]
    fn a_step_that_was_not_reached_is_filmed_from_a_scout() {
        let mut told = Player::new(Box::new(bounce(1)));
        told.jump(1);
        let before = told.main().state();
        let mut scout = told.scout();
        scout.jump(2);
        let mut ahead = film(&scout, Subject::Beat(2), LOOK);
        assert_eq!((told.beat(), told.reached(2)), (1, None));
        assert_eq!(
            told.main().state(),
            before,
            "the reader's own run is where it was"
        );
        told.jump(2);
        assert_eq!(scout.reached(2), told.reached(2));
        let mut reached = film(&told, Subject::Beat(2), LOOK);
        assert_eq!(frames(&mut ahead), frames(&mut reached));
    }

    #[test]
    fn what_the_learner_did_is_filmed_too() {
        let mut player = Player::new(Box::new(bounce(1)));
        player.seek(Time::s(1));
        let _ = player.set_knob("pace", 100.0);
        player.seek(Time::s(3));
        let range = Subject::Range(Time::s(1), Time::s(3));
        let mut film = film(&player, range, LOOK);
        let last = film.plan().still();
        while !film.go(last, 5) {}
        let run = &*film.sides[0].run;
        assert_eq!(crate::toy::face(run), crate::toy::face(player.main()));
    }

    #[test]
    fn what_is_compared_stands_side_by_side_or_one_above_the_other() {
        let mut player = Player::new(Box::new(comparing()));
        player.jump(2);
        assert_eq!(player.compared(1), Some(("double", 1.0)));
        assert_eq!(player.compared(2), None);
        let mut both = film(&player, Subject::Beat(1), LOOK);
        let drawn = frames(&mut both).pop().expect("frames");
        assert!(drawn.contains("A · double: 0") && drawn.contains("B · double: 1"));
        let square = Look {
            size: (720.0, 720.0),
            ..LOOK
        };
        let mut tall = film(&player, Subject::Beat(1), square);
        let drawn = frames(&mut tall).pop().expect("frames");
        assert!(drawn.contains("viewBox=\"0 0 720 720\"") && drawn.contains("B · double: 1"));
        let mut one = film(&player, Subject::Beat(2), LOOK);
        assert!(!frames(&mut one)[0].contains("B · double"));
    }

    #[test]
    fn captions_are_web_vtt() {
        let plan = Plan::new(Time::ZERO, Time::s(1), 1.0, 10, Time::s(3_600)).expect("a plan");
        let cue = |frame, text: &str| Cue {
            frame,
            text: text.to_owned(),
        };
        let cues = [
            cue(0, "a --> b\n\n<b> & \"c\""),
            cue(5, ""),
            cue(10, "the last"),
        ];
        let text = vtt(&plan, &cues);
        assert_eq!(
            text,
            "WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.500\na --&gt; b &lt;b&gt; &amp; \"c\"\n\
             \n3\n00:00:01.000 --> 01:00:01.000\nthe last\n"
        );
    }

    #[test]
    fn a_long_caption_is_written_smaller() {
        let text = "word ".repeat(60);
        let lines = shrunk(&text, CAPTION, LINES, 1_200.0);
        assert!(lines.len() <= 2 && lines[0].1 < CAPTION, "{lines:?}");
        assert_eq!(
            shrunk("short", CAPTION, LINES, 1_200.0),
            [("short".to_owned(), CAPTION)]
        );
    }
}
