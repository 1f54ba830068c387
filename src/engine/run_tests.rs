//! Tests of runs: time travel changes nothing, forks keep ghosts, twins share their chance.

use crate::journey::Journey;
use crate::run::{Position, Run};
use crate::show::{Picked, Show, Watch};
use crate::state::Link;
use crate::tape::{Note, NoteId};
use crate::toy::{Ball, bounce, face, warm};
use crate::*;

fn run_to(seed: u32, s: u64) -> Run<Ball> {
    let mut run = bounce(seed);
    run.run(Time::s(s), Watch::Nothing, u64::MAX);
    run
}

/// The place of the last thing said before here.
fn before(run: &mut dyn Show, fine: bool) -> Option<Position> {
    let mut journey = Journey::before(run, fine)?;
    // Short slices: where a search pauses must not matter.
    while let Journey::Before(_) = journey {
        journey = journey.go(run, 3)?;
    }
    match journey {
        Journey::Place(place) => Some(place),
        _ => None,
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    assert_eq!(face(&run_to(5, 20)), face(&run_to(5, 20)));
    assert_ne!(face(&run_to(5, 20)).2, face(&run_to(6, 20)).2);
}

#[test]
fn frames_do_not_change_what_happens() {
    let whole = run_to(5, 20);
    let mut steps = bounce(5);
    let mut at = Time::ZERO;
    while at < Time::s(20) {
        at = (at + Time::us(16_667)).min(Time::s(20));
        steps.run(at, Watch::Nothing, u64::MAX);
    }
    assert_eq!(face(&whole), face(&steps));
}

#[test]
fn seeking_back_and_forth_is_the_same_as_running_straight() {
    let mut run = run_to(9, 60);
    let tape = run.tape().fingerprint();
    for at in [3_300, 59_999, 0, 41_000, 41_000, 12_345, 12_344] {
        run.seek(Time::ms(at));
        let mut straight = bounce(9);
        straight.run(Time::ms(at), Watch::Nothing, u64::MAX);
        assert_eq!(face(&run).1, face(&straight).1, "at {at} ms");
        assert_eq!(run.position(), straight.position());
    }
    assert_eq!(
        run.tape().fingerprint(),
        tape,
        "replays leave the tape alone"
    );
}

#[test]
fn a_step_stops_at_what_is_said_and_stepping_back_returns() {
    let mut run = run_to(2, 3);
    let mut places = vec![run.position()];
    for _ in 0..40 {
        assert_eq!(
            run.run(Time::s(300), Watch::Say, u64::MAX),
            show::Ran::Stopped
        );
        places.push(run.position());
    }
    for place in places.iter().rev().skip(1).take(39) {
        let before = before(&mut run, false).unwrap();
        run.seek_to(before);
        if *place != places[0] {
            assert_eq!(run.position(), *place);
        }
    }
}

#[test]
fn fine_steps_move_one_event() {
    let mut run = run_to(2, 3);
    let here = run.position().events;
    run.run(Time::s(9), Watch::Any, u64::MAX);
    assert_eq!(run.position().events, here + 1);
    let back = before(&mut run, true).unwrap();
    run.seek_to(back);
    assert_eq!(run.position().events, here);
    run.seek_to(Position::default());
    assert_eq!(before(&mut run, true), None);
}

#[test]
fn an_input_in_the_past_forks_and_leaves_a_ghost() {
    let mut run = run_to(4, 30);
    run.seek(Time::s(10));
    assert!(run.act(Act { spec: 0, target: 0 }));
    assert_eq!(run.horizon().at, Time::s(10));
    let ghost = run.tape().ghost().unwrap();
    assert_eq!(ghost.from, Time::s(10));
    assert_eq!(
        ghost.lines[0].len(),
        100,
        "twenty seconds of samples were lost"
    );
    run.run(Time::s(30), Watch::Nothing, u64::MAX);
    // The kick drew no random number, so the bounces are those of the lost future.
    assert_eq!(run.model().bounces, run_to(4, 30).model().bounces);
    assert_eq!(run.model().kicks, 1);
    run.seek(Time::s(9));
    assert_eq!(run.model().kicks, 0);
    run.seek(Time::s(11));
    assert_eq!(
        run.model().kicks,
        1,
        "the input lies on the tape and happens again"
    );
}

#[test]
fn two_inputs_at_one_moment_between_two_events_replay_in_order() {
    let mut run = run_to(4, 1);
    run.run(Time::s(30), Watch::Say, u64::MAX);
    let place = run.position();
    run.set_knob("pace", 50.0).unwrap();
    run.act(Act { spec: 0, target: 0 });
    run.run(Time::s(20), Watch::Nothing, u64::MAX);
    let straight = face(&run);
    run.seek(Time::ZERO);
    run.seek(Time::s(20));
    assert_eq!(face(&run), straight);
    run.seek_to(place);
    assert_eq!(
        run.model().kicks,
        0,
        "the place before the inputs is still there"
    );
}

#[test]
fn a_run_is_restored_from_its_state_to_the_exact_place() {
    let mut run = run_to(4, 5);
    run.set_knob("pace", 37.0).unwrap();
    run.run(Time::s(9), Watch::Say, u64::MAX);
    run.act(Act { spec: 1, target: 0 });
    run.run(Time::s(15), Watch::Nothing, u64::MAX);
    run.seek(Time::s(7));
    let state = run.state();
    let mut copy = run.restore(&state);
    for place in state.way(copy.inputs().len()) {
        copy.seek_to(place);
    }
    assert_eq!((copy.position(), copy.inputs().len()), (run.position(), 2));
    assert_eq!(face(&*copy).1, face(&run).1);
    for show in [&mut run as &mut dyn Show, &mut *copy] {
        show.run(Time::s(40), Watch::Nothing, u64::MAX);
    }
    assert_eq!(face(&*copy), face(&run));
}

#[test]
fn a_twin_shares_chance_and_inputs_but_holds_its_knob() {
    let mut run = run_to(4, 5);
    run.act(Act { spec: 0, target: 0 });
    run.set_knob("double", 0.0).unwrap();
    run.run(Time::s(20), Watch::Nothing, u64::MAX);
    let mut twin = run.twin("double", 1.0).unwrap();
    twin.run(Time::s(20), Watch::Nothing, u64::MAX);
    assert_eq!(
        twin.position().events,
        run.position().events,
        "the gaps are the same"
    );
    let mut scene = Scene::new(600.0, Default::default());
    twin.draw(&mut scene);
    assert_eq!(
        scene.parts()[0].value,
        (2 * run.model().bounces).to_string()
    );
    assert_eq!(twin.set_knob("double", 0.0), Ok(1.0));
    assert!(run.twin("nothing", 1.0).is_err() && run.twin("pace", f64::NAN).is_err());
}

#[test]
fn why_follows_causes_even_where_the_tape_has_forgotten() {
    let mut run = bounce(4);
    run.set_knob("pace", 100.0).unwrap();
    run.run(Time::s(1_500), Watch::Nothing, u64::MAX);
    run.seek(Time::s(20));
    let chain = run.why(Picked::Dot(1), 8);
    assert_eq!(chain.len(), 8);
    assert!(chain[0].at <= Time::s(20));
    // What happened last, and what it began with.
    let leads = |pair: &[Note]| pair[0].cause == pair[1].id;
    assert!(chain[..6].windows(2).all(leads) && leads(&chain[6..]));
    assert_eq!(chain[7].cause, NoteId::NONE);
    assert!(run.why(Picked::Dot(99), 8).is_empty());
}

#[test]
fn memory_stays_bounded_and_runs_end() {
    let mut run = bounce(1);
    run.set_knob("pace", 100.0).unwrap();
    assert_eq!(
        run.run(Time::NEVER, Watch::Nothing, u64::MAX),
        show::Ran::AtEnd
    );
    assert_eq!(run.position().at, tape::END);
    let (pending, keyframes, _) = run.weight();
    assert!(pending == 1 && keyframes <= 64);
    run.seek(Time::s(3_000));
    assert_eq!(run.position().at, Time::s(3_000));
}

#[test]
fn an_action_may_turn_a_knob() {
    let mut run = bounce(1);
    let faster = Act { spec: 1, target: 0 };
    assert!(run.act(faster));
    assert_eq!(run.knobs_now().per_s, 20.0);
    run.set_knob("pace", 100.0).unwrap();
    assert!(!run.can(faster) && !run.act(faster));
}

const NAME: Act = Act { spec: 2, target: 0 };

#[test]
fn what_is_typed_is_an_input_as_any_other() {
    let mut run = run_to(4, 5);
    let events = run.position().events;
    for (text, why) in [
        ("", Refusal::Empty),
        ("longer than twelve", Refusal::Long(12)),
        ("a\0", Refusal::Unreadable),
    ] {
        assert_eq!(run.type_in(NAME, text), Err(why));
    }
    let plain = Act { spec: 0, target: 0 };
    assert_eq!(
        run.type_in(plain, "Ada"),
        Err(Refusal::Now),
        "takes no text"
    );
    assert!(!run.act(NAME), "no text, no deed");
    assert!(run.inputs().is_empty() && run.position().events == events);
    run.type_in(NAME, " Ada ").unwrap();
    assert_eq!(run.type_in(NAME, "Ada"), Err(Refusal::Because("taken")));
    run.run(Time::s(9), Watch::Nothing, u64::MAX);
    let said = run.tape().notes().rfind(|note| note.word == "named");
    let ada = Typed::new("Ada", 12).unwrap();
    assert_eq!(said.and_then(|note| note.args[0]), Some(Arg::Typed(ada)));
    let there = face(&run);
    run.seek(Time::s(2));
    assert_eq!(run.model().name, None);
    run.seek(Time::s(9));
    assert_eq!((run.model().name, face(&run)), (Some(ada), there));
}

#[test]
fn what_is_typed_goes_with_links_and_to_twins() {
    let mut run = run_to(4, 5);
    run.type_in(NAME, "Ada").unwrap();
    run.run(Time::s(9), Watch::Nothing, u64::MAX);
    let link = Link {
        run: run.state(),
        twin: None,
        beat: 0,
        also: None,
    };
    let link = Link::decode(&link.encode().unwrap()).unwrap();
    let mut copy = run.restore(&link.run);
    copy.seek(Time::s(9));
    assert_eq!(face(&*copy), face(&run));
    let mut twin = run.twin("double", 1.0).unwrap();
    twin.run(Time::s(9), Watch::Nothing, u64::MAX);
    assert_eq!(twin.type_in(NAME, "Ada"), Err(Refusal::Because("taken")));
    // The other half of the story: the twin exists already, and lives through the text now.
    run.type_in(NAME, "Grace").unwrap();
    twin.echo(run.inputs());
    assert_eq!(twin.type_in(NAME, "Grace"), Err(Refusal::Because("taken")));
}

#[test]
fn a_warm_run_opens_in_the_middle_of_its_life() {
    let mut run = warm(4);
    assert_eq!(run.position(), Position::default());
    assert!(run.model().bounces > 20, "five seconds at ten a second");
    assert!(run.tape().marks().is_empty() && run.tape().line(0).is_empty());
    assert!(run.tape().notes().all(|note| note.at == Time::ZERO));
    let before = run.tape().notes().count();
    run.run(Time::s(3), Watch::Nothing, u64::MAX);
    let samples = run.tape().line(0);
    assert_eq!(samples.len(), 15);
    assert!(
        samples[0] > 2.0,
        "{}: the first second was full",
        samples[0]
    );
    // What is said first goes back to what was said before anybody looked.
    let first = run.tape().notes().nth(before).copied().unwrap();
    assert!(first.at > Time::ZERO && run.tape().note(first.cause).is_some());
    // What happens is what a cold run of the same seed does five seconds later.
    let mut cold = bounce(4);
    cold.run(Time::s(8), Watch::Nothing, u64::MAX);
    assert_eq!(run.model().bounces, cold.model().bounces);
    assert_eq!(run.tape().line(0), &cold.tape().line(0)[25..]);
}

#[test]
fn a_warm_run_seeks_forks_and_twins_as_any_other() {
    let mut run = warm(2);
    run.run(Time::s(4), Watch::Nothing, u64::MAX);
    run.seek(Time::s(2));
    run.tell_knob("pace", 50.0).unwrap();
    run.run(Time::s(6), Watch::Nothing, u64::MAX);
    let (there, tape) = (face(&run), run.tape().fingerprint());
    let set = run.tape().marks()[0];
    assert_eq!((set.word, set.at), ("story-set", Time::s(2)));
    for s in [1, 5, 0, 3, 6] {
        run.seek(Time::s(s));
    }
    assert_eq!(
        (face(&run), run.tape().fingerprint()),
        (there.clone(), tape)
    );
    let mut copy = run.restore(&run.state());
    copy.seek(Time::s(6));
    assert_eq!((face(&*copy).1, copy.tape().fingerprint()), (there.1, tape));
    let mut twin = run.twin("double", 1.0).unwrap();
    twin.run(Time::s(6), Watch::Nothing, u64::MAX);
    assert_eq!(twin.inputs().len(), 1);
    assert_eq!(twin.position().events, run.position().events);
}
