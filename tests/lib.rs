//! What the whole-project tests share: scripted runs and random learners.

#[cfg(not(target_arch = "wasm32"))]
pub mod schedule;

use engine::player::Player;
use engine::random::{Streams, below, unit};
use engine::show::Watch;
use engine::{Act, Field, Show, Stream, Time};
use lessons::Entry;

/// Texts of the kind that break what takes texts: marks on marks, families of emoji, right to left, controls, nothing, far too much.
pub const NASTY: &[&str] = &[
    "naïve café",
    "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}algo e\u{301}\u{301}\u{301}",
    "👩‍👩‍👧‍👦🏳️‍🌈 👍🏽",
    "שלום עולם",
    "مرحبا fox بالعالم",
    "狐は素早い",
    "\u{fffd}\u{feff}\u{200b}x",
    "<b>&amp;\"'</b>",
    "{0} {1}",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "-1",
    "18446744073709551616",
    "1e9",
    "https://例え.テスト/ü?q=1#x",
    "\0",
    "a\u{202e}b",
    "",
    " \t\n",
];

/// A text for a field: often one that makes sense, now and then a nasty one or a flood.
pub fn typed(field: &Field, number: usize) -> String {
    match number % 3 {
        0 | 1 if !field.samples.is_empty() => {
            field.samples[number / 3 % field.samples.len()].to_owned()
        }
        _ if number % 30 == 2 => "x".repeat(10_000),
        _ => NASTY[number / 3 % NASTY.len()].to_owned(),
    }
}

/// Half a simulated minute in which every knob is turned once and every action is done once, the same
/// everywhere: what fingerprints are taken of. Nothing is typed.
pub fn scripted(entry: &Entry) -> Box<dyn Show> {
    let mut run = (entry.open)(7);
    let mut at = Time::ZERO;
    let mut wait = |run: &mut dyn Show, ms: u64| {
        at += Time::ms(ms);
        run.run(at, Watch::Nothing, u64::MAX);
    };
    for (spec, action) in run.actions().iter().enumerate() {
        if action.field.is_some() {
            continue;
        }
        wait(&mut *run, 1_370);
        let target = run.aim(spec);
        run.act(Act { spec, target });
    }
    for (knob, value) in run.knobs() {
        wait(&mut *run, 530);
        // The next value up, or the next one round.
        let steps = knob.to_steps(value);
        let up = knob.from_steps(steps + 1);
        let _ = run.set_knob(knob.id, if up == value { knob.from_steps(0) } else { up });
    }
    let rest = at + Time::s(8);
    run.run(rest, Watch::Nothing, u64::MAX);
    run
}

/// What a random learner did last, for the message of a test that fails.
#[derive(Clone, Debug)]
pub enum Did {
    /// Turned a knob.
    Knob(&'static str, f64),
    /// Did an action.
    Act(Act),
    /// Did an action with a text.
    Type(Act, String),
    /// Sought a moment.
    Seek(Time),
    /// Stepped.
    Step {
        /// Forward or back.
        forward: bool,
        /// One event instead of one note.
        fine: bool,
    },
    /// Let time pass.
    Play(f64),
    /// Moved along the story.
    Next,
    /// Moved back along the story.
    Back,
    /// Answered a question.
    Guess(usize),
    /// Opened a comparison.
    Compare(&'static str, f64),
    /// Closed it.
    Alone,
}

/// A learner without a plan: the same seed does the same things.
pub struct Monkey {
    streams: Streams,
}

const WHIM: Stream = Stream::named("whim");

impl Monkey {
    /// The learner of this seed.
    pub fn new(seed: u32) -> Monkey {
        Monkey {
            streams: Streams::new(seed),
        }
    }

    /// Does one random thing.
    pub fn act(&mut self, player: &mut Player) -> Did {
        let rng = self.streams.get(WHIM);
        let did = match below(rng, 12) {
            0..=2 => {
                let knobs = player.main().knobs();
                let (knob, _) = knobs[below(rng, knobs.len())];
                // Mostly values that exist, now and then one far outside.
                Did::Knob(
                    knob.id,
                    knob.from_steps(below(rng, 40) as u32)
                        + if below(rng, 9) == 0 { 1e7 } else { 0.0 },
                )
            }
            3 | 4 => {
                let spec = below(rng, player.main().actions().len().max(1));
                let target = if below(rng, 3) == 0 {
                    below(rng, 12)
                } else {
                    player.main().aim(spec)
                };
                let act = Act { spec, target };
                let action = player.main().actions().get(spec);
                match action.and_then(|action| action.field) {
                    Some(field) => Did::Type(act, typed(field, below(rng, 1 << 20))),
                    None => Did::Act(act),
                }
            }
            5 => Did::Seek(Time::from_s(
                player.main().horizon().at.as_s() * 1.1 * unit(rng),
            )),
            6 => Did::Step {
                forward: below(rng, 2) == 0,
                fine: below(rng, 2) == 0,
            },
            7 => Did::Next,
            8 if below(rng, 3) == 0 => Did::Back,
            9 if below(rng, 3) == 0 => {
                let knobs = player.main().knobs();
                let (knob, value) = knobs[below(rng, knobs.len())];
                Did::Compare(knob.id, value + 1.0)
            }
            10 if below(rng, 3) == 0 => Did::Alone,
            11 => Did::Guess(below(rng, 4)),
            _ => Did::Play(unit(rng) * 1.5),
        };
        match did.clone() {
            Did::Type(act, text) => drop(player.type_in(act, &text)),
            Did::Knob(id, value) => drop(player.set_knob(id, value)),
            Did::Act(act) => drop(player.act(act)),
            Did::Seek(at) => drop(player.seek(at)),
            Did::Step {
                forward: true,
                fine,
            } => drop(player.step_forward(fine)),
            Did::Step {
                forward: false,
                fine,
            } => drop(player.step_back(fine)),
            Did::Next => drop(player.next()),
            Did::Back => drop(player.back()),
            Did::Guess(choice) => drop(player.guess(choice)),
            Did::Compare(id, value) => drop(player.compare(id, value)),
            Did::Alone => player.alone(),
            Did::Play(s) => {
                player.set_playing(true);
                for _ in 0..(s * 60.0) as usize {
                    player.frame(1.0 / 60.0);
                }
            }
        }
        did
    }
}
