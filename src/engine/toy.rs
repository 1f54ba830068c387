//! A tiny lesson for the engine's own tests: a ball that bounces at random intervals.

use crate::lesson::sheet;
use crate::*;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(crate) struct Pace {
    pub(crate) per_s: f64,
    pub(crate) double: bool,
}
impl Default for Pace {
    fn default() -> Self {
        Pace {
            per_s: 10.0,
            double: false,
        }
    }
}
impl Knobs for Pace {
    fn visit(&mut self, v: &mut dyn Visit) {
        v.slider("pace", [1.0, 100.0, 1.0], "/s", &mut self.per_s);
        v.switch("double", &mut self.double);
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Kick;
impl Action for Kick {
    fn from_act(act: Act) -> Option<Kick> {
        (act.spec < 3).then_some(Kick)
    }
}

#[derive(Clone)]
pub(crate) struct Ball {
    pub(crate) bounces: i64,
    pub(crate) kicks: i64,
    pub(crate) name: Option<Typed>,
}

const GAPS: Stream = Stream::named("gaps");

impl Model for Ball {
    type Knobs = Pace;
    type Event = ();
    type Action = Kick;
    fn new(_: &Pace, cx: &mut Context<'_, ()>) -> Ball {
        cx.schedule(Time::ms(100), ());
        Ball {
            bounces: 0,
            kicks: 0,
            name: None,
        }
    }
    fn on_event(&mut self, (): (), knobs: &Pace, cx: &mut Context<'_, ()>) {
        self.bounces += if knobs.double { 2 } else { 1 };
        cx.sample(0, 1.0);
        // Every third bounce is worth a word; each goes back to the one before.
        if self.bounces % 3 == 0 {
            cx.say(
                Note::new("bounce")
                    .with(Arg::Count(self.bounces))
                    .about(PartId::one("ball"))
                    .dot(1),
            );
        }
        let gap = random::exponential(cx.random(GAPS), Time::from_s(1.0 / knobs.per_s));
        cx.schedule(gap, ());
    }
    fn on_knobs(&mut self, _: &Pace, _: &mut Context<'_, ()>) {}
    fn on_action(&mut self, _: Kick, _: &Pace, cx: &mut Context<'_, ()>) {
        self.kicks += 1;
        cx.say(Note::new("kick").about(PartId::one("ball")).mark(Tone::Bad));
    }
    fn on_typed(&mut self, _: Kick, name: Typed, _: &Pace, cx: &mut Context<'_, ()>) {
        self.name = Some(name);
        cx.say(Note::new("named").with(Arg::Typed(name)));
    }
    fn refuses(&self, _: Kick, name: &str) -> Option<&'static str> {
        (self.name.map(Typed::text) == Some(name)).then_some("taken")
    }
    fn audit(&self) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) struct Bounce;
impl Lesson for Bounce {
    type Model = Ball;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<Ball> = Sheet {
        actions: &[
            ActionSpec::whole("kick"),
            ActionSpec::turning("faster", "pace", 10.0),
            ActionSpec::typed(
                "name",
                &Field {
                    most: 12,
                    refusals: &["taken"],
                    samples: &["Ada"],
                },
            ),
        ],
        probes: &[Probe::Count],
        plots: &[Plot {
            id: "bounces",
            lines: &[Line {
                id: "bounces",
                probe: 0,
                statistic: Statistic::Mean,
                ink: Ink::Accent,
                area: true,
            }],
            scale: 1.0,
            top_min: 1.0,
        }],
        story: &[
            Beat {
                id: "start",
                ..Beat::at_once()
            },
            Beat {
                id: "ten",
                when: |ball| ball.bounces >= 10,
                predict: Some(Prediction {
                    id: "kicks",
                    options: &["none", "one"],
                    truth: |ball| (ball.kicks > 0).then_some(1),
                    hides: &[],
                }),
                ..Beat::at_once()
            },
            Beat {
                id: "kicked",
                setup: &[Setup::Act("kick", 0)],
                when: |ball| ball.kicks > 0,
                ..Beat::at_once()
            },
            Beat {
                id: "never",
                when: |_| false,
                ..Beat::at_once()
            },
        ],
        challenges: &[Challenge {
            id: "hundred",
            progress: |ball, _| Progress::of(ball.bounces as f64, 100.0),
            solution: &[Setup::Wait(Time::s(20))],
        }],
        twin: ("double", 1.0),
        ..Sheet::usual(
            Card {
                slug: "bounce",
                chapter: "toys",
                tables: &[],
            },
            Pace::default,
            |ball, _, _, scene| {
                scene
                    .thing(
                        PartId::one("ball"),
                        scene::Rect::new(0.0, 0.0, 90.0, 40.0),
                        ball.bounces.to_string(),
                    )
                    .figure("bounces", ball.bounces as f64);
            },
        )
    };
}

/// The toy, opened.
pub(crate) fn bounce(seed: u32) -> Run<Ball> {
    Run::new(sheet::<Bounce>(), seed)
}

/// The toy with a story that compares in its second beat and ends that in its third.
pub(crate) fn comparing() -> Run<Ball> {
    static COMPARING: Sheet<Ball> = Sheet {
        story: &[
            Beat {
                id: "start",
                ..Beat::at_once()
            },
            Beat {
                id: "compare",
                setup: &[Setup::Twin("double", 1.0), Setup::Wait(Time::s(2))],
                ..Beat::at_once()
            },
            Beat {
                id: "alone",
                setup: &[Setup::Alone, Setup::Wait(Time::s(2))],
                ..Beat::at_once()
            },
        ],
        ..Bounce::SHEET
    };
    Run::new(&COMPARING, 1)
}

/// What a run shows: its place, picture and tape.
pub(crate) fn face(run: &dyn Show) -> (run::Position, String, u64) {
    let mut scene = Scene::new(600.0, Rc::default());
    run.draw(&mut scene);
    (run.position(), scene.outline(), run.tape().fingerprint())
}

/// The toy after five seconds that nobody saw.
pub(crate) fn warm(seed: u32) -> Run<Ball> {
    static WARM: Sheet<Ball> = Sheet {
        warm_up: Time::s(5),
        ..Bounce::SHEET
    };
    Run::new(&WARM, seed)
}
