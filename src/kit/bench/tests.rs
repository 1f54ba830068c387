//! Two hands at a counter with a lock: steps are played one after the other, one waits for the other, and whoever lets go is left alone.

use super::*;
use engine::show::Watch;
use engine::{Act, Card, Context, Model, Run, Scene, Sheet, Show, Time};

/// A counter that one hand at a time may raise. Each operation raises it by so much, one a step.
#[derive(Clone, Default)]
struct Counter {
    value: u32,
    held: Option<usize>,
    begun: Vec<u32>,
}

impl Craft for Counter {
    type Op = u32;
    type Step = u32;

    fn run(&mut self, hand: usize, op: &u32, trace: &mut dyn FnMut(u32)) -> Verdict {
        if *op > 100 {
            return Verdict::Refused;
        }
        if self.held.is_some_and(|holder| holder != hand) {
            return Verdict::Waits;
        }
        self.held = Some(hand);
        for _ in 0..*op {
            self.value += 1;
            trace(self.value);
        }
        Verdict::Done
    }

    fn begin(&mut self, _: usize, step: u32) -> Time {
        self.begun.push(step);
        Time::ms(10)
    }
}

engine::knobs! { struct None { nothing: switch "nothing" = false } }

#[derive(Clone)]
struct Room {
    craft: Counter,
    bench: Bench<Counter>,
    played: Vec<(u64, Played<u32>)>,
    over: Vec<(u64, u32)>,
    said: Vec<Verdict>,
}

#[derive(Clone, Copy)]
struct Event(Turn);

impl From<Turn> for Event {
    fn from(turn: Turn) -> Event {
        Event(turn)
    }
}

impl Model for Room {
    type Knobs = None;
    type Event = Event;
    type Action = Act;

    fn new(_: &None, cx: &mut Context<'_, Event>) -> Room {
        Room {
            craft: Counter::default(),
            bench: Bench::new(2, cx.now()),
            played: Vec::new(),
            over: Vec::new(),
            said: Vec::new(),
        }
    }

    fn on_event(&mut self, event: Event, _: &None, cx: &mut Context<'_, Event>) {
        let Some(played) = self.bench.on_event(event.0) else {
            return;
        };
        self.played.push((cx.now().0 / 1_000, played));
        if let Some(op) = self.bench.go_on(played.hand, &mut self.craft, cx) {
            self.over.push((cx.now().0 / 1_000, op));
            self.craft.held = None;
            for hand in 0..2 {
                self.said
                    .extend(self.bench.ask_again(hand, &mut self.craft, cx));
            }
        }
    }

    fn on_knobs(&mut self, _: &None, _: &mut Context<'_, Event>) {}

    /// Action 0 and 1: that hand starts an operation of so much; 2: the hand lets go.
    fn on_action(&mut self, act: Act, _: &None, cx: &mut Context<'_, Event>) {
        if act.spec == 2 {
            self.bench.give_up(act.target, cx.now());
            self.craft.held = None;
            return;
        }
        let verdict = self
            .bench
            .start(act.spec, act.target as u32, &mut self.craft, cx);
        self.said.push(verdict);
    }

    fn audit(&self) -> Result<(), String> {
        Ok(())
    }
}

fn nothing(_: &Room, _: &None, _: Time, _: &mut Scene) {}

static SHEET: Sheet<Room> = Sheet::usual(
    Card {
        slug: "counter",
        chapter: "data",
        tables: &[],
    },
    None::default,
    nothing,
);

fn run(until_ms: u64, acts: &[(u64, usize, usize)]) -> Run<Room> {
    let mut run = Run::new(&SHEET, 7);
    for (at, spec, target) in acts {
        run.run(Time::ms(*at), Watch::Nothing, u64::MAX);
        let (spec, target) = (*spec, *target);
        run.act(Act { spec, target });
    }
    run.run(Time::ms(until_ms), Watch::Nothing, u64::MAX);
    run
}

#[test]
fn steps_follow_each_other_and_the_operation_is_over_with_the_last() {
    let run = run(100, &[(5, 0, 3)]);
    let room = run.model();
    let steps: Vec<_> = room
        .played
        .iter()
        .map(|(at, played)| (*at, played.step))
        .collect();
    assert_eq!(steps, [(15, Some(1)), (25, Some(2)), (35, Some(3))]);
    assert_eq!(room.over, [(35, 3)]);
    assert_eq!(room.bench.free(), Some(0));
}

#[test]
fn between_two_steps_a_hand_is_where_it_is() {
    let run = run(20, &[(5, 0, 3)]);
    let hand = run.model().bench.hand(0);
    assert_eq!(
        (hand.state, hand.over, hand.step()),
        (State::Plays, 1, Some(2))
    );
    assert_eq!(hand.begun(), [1, 2]);
    assert!((hand.share(Time::ms(20)) - 0.5).abs() < 1e-6);
    // The craft is told of a step when it begins, not before.
    assert_eq!(run.model().craft.begun, [1, 2]);
}

#[test]
fn an_operation_without_steps_is_over_at_once() {
    let run = run(5, &[(5, 0, 0)]);
    assert_eq!(run.model().over, [(5, 0)]);
    assert_eq!(run.model().played[0].1.step, Option::None);
}

#[test]
fn one_waits_until_the_other_is_over() {
    let run = run(100, &[(0, 0, 2), (5, 1, 1)]);
    let room = run.model();
    assert_eq!(room.said, [Verdict::Done, Verdict::Waits, Verdict::Done]);
    assert_eq!(room.over, [(20, 2), (30, 1)]);
    let waits = run_waiting();
    assert_eq!(waits.model().bench.hand(1).state, State::Waits);
    assert_eq!(waits.model().bench.hand(1).since, Time::ms(5));
}

fn run_waiting() -> Run<Room> {
    run(15, &[(0, 0, 2), (5, 1, 1)])
}

#[test]
fn what_is_refused_leaves_its_hand_free() {
    let run = run(50, &[(0, 0, 101)]);
    let room = run.model();
    assert_eq!(room.said, [Verdict::Refused]);
    assert_eq!(room.bench.hand(0).state, State::Free);
    assert!(room.bench.hand(0).op.is_none() && room.played.is_empty());
}

#[test]
fn a_hand_that_lets_go_plays_no_further_and_can_start_anew() {
    let run = run(100, &[(0, 0, 3), (15, 2, 0), (18, 0, 1)]);
    let room = run.model();
    let at: Vec<u64> = room.played.iter().map(|(at, _)| *at).collect();
    // The step that would have ended at 20 does not.
    assert_eq!(at, [10, 28]);
    let let_go = self::run(16, &[(0, 0, 3), (15, 2, 0)]);
    assert!(let_go.model().bench.hand(0).begun().is_empty());
    assert_eq!(room.over, [(28, 1)]);
}

#[test]
fn a_second_start_gives_the_first_up() {
    let run = run(100, &[(0, 0, 3), (15, 0, 1)]);
    assert_eq!(run.model().over, [(25, 1)]);
}
