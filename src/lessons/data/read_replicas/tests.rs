//! Lag as M/D/1, busy shares, what each rule promises, commits, failovers, and the twin.

use super::copies::Answered;
use super::*;
use algorithms::replication::{Position, capacity};
use engine::lesson::sheet;
use engine::random::{Streams, below, unit};
use engine::show::{Ran, Watch};
use engine::{Player, Run, Show, Stream, knobs};

const TOKEN: f64 = 4.0;
const SAME: f64 = 2.0;
const ONE_RECEIVED: f64 = 1.0;
const ALL_RECEIVED: f64 = 2.0;
const ALL_REPLAYED: f64 = 3.0;

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&ReadReplicas);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<ReadReplicas>(), seed, first)
}

/// Goes on for so long, and calls `each` after every event that says something.
fn watch(run: &mut Run<System>, s: f64, mut each: impl FnMut(&System)) {
    let until = run.position().at + Time::from_s(s);
    while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
        each(run.model());
    }
    run.audit().unwrap();
}

fn go(run: &mut Run<System>, s: f64) {
    watch(run, s, |_| {});
}

fn act_on(run: &mut Run<System>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target }), "{id}");
}

fn act(run: &mut Run<System>, id: &str) {
    act_on(run, id, 0);
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

/// Each machine has a part of one log.
fn is_sound(system: &System) {
    let sound = system.own::<Seen>().copies.group().sound();
    assert_eq!(sound, Ok(()));
}

#[test]
fn lag_is_the_feed_and_a_queue_with_one_server() {
    // Six writes a second leave the primary's four workers nearly at random. With reads away, M/D/1 gives the rest.
    let (rate, work) = (6.0, 0.08);
    let load = rate * work;
    let theory = 0.1 + work * (1.0 + load / (2.0 * (1.0 - load)));
    let (mut sum, mut count) = (0.0, 0_u32);
    for seed in 1..=20 {
        let mut run = run(seed, &[("reads", 0.0), ("load", 12.0), ("writes", 50.0)]);
        let mut shown: Position = seen(&run).copies.shown(1);
        watch(&mut run, 60.0, |system| {
            let copies = &system.own::<Seen>().copies;
            while shown < copies.shown(1) {
                shown += 1;
                let written = copies.group().log().written_at(shown).unwrap();
                sum += system.now.since(Time(written)).as_s();
                count += 1;
            }
        });
    }
    let mean = sum / f64::from(count);
    assert!(
        count > 6_000 && (mean / theory - 1.0).abs() < 0.03,
        "{mean} {theory}"
    );
}

#[test]
fn beyond_what_one_thread_can_do_lag_grows_by_the_difference() {
    let mut run = run(1, &[("writes", 30.0), ("arrivals", 1.0)]);
    let behind = |run: &Run<System>| {
        let copies = &seen(run).copies;
        copies.group().head() - copies.shown(1)
    };
    go(&mut run, 10.0);
    let before = (
        seen(&run).copies.group().head(),
        seen(&run).copies.shown(1),
        behind(&run),
    );
    go(&mut run, 40.0);
    let written = seen(&run).copies.group().head() - before.0;
    let replayed = seen(&run).copies.shown(1) - before.1;
    assert!(
        (499..=501).contains(&replayed),
        "one each 80 ms: {replayed}"
    );
    assert_eq!(behind(&run) - before.2, written - replayed);
    let [reads, writes] = busy(1, run.model(), run.model().now);
    assert!(reads + writes < 0.8, "{reads} {writes}");
    run.set_knob("appliers", 4.0).unwrap();
    go(&mut run, 30.0);
    assert!(behind(&run) < 20, "{}", behind(&run));
}

#[test]
fn each_copy_repeats_every_write() {
    for (replicas, writes) in [(2, 10.0), (3, 50.0), (6, 50.0), (6, 20.0)] {
        let share = writes / 100.0;
        let settings = [
            ("replicas", f64::from(replicas)),
            ("writes", writes),
            ("appliers", 4.0),
            ("load", 45.0),
        ];
        let (mut sum, mut count) = (0.0, 0);
        for seed in 1..=6 {
            let mut run = run(seed, &settings);
            go(&mut run, 10.0);
            for member in 1..=replicas as usize {
                sum += busy(member, run.model(), run.model().now)
                    .iter()
                    .sum::<f64>();
                count += 1;
            }
        }
        let theory = (share + (1.0 - share) / f64::from(replicas)) * 45.0 * 0.08 / 4.0;
        let mean = sum / f64::from(count);
        assert!(
            (mean / theory - 1.0).abs() < 0.08,
            "{replicas} at {share}: {mean} {theory}"
        );
        // The same as the law says: the work of one machine, over what so many can do.
        let ideal = 45.0 * 0.08 / 4.0 / capacity(replicas, share);
        assert!((theory - ideal).abs() < 1e-9);
    }
}

#[test]
fn a_position_misses_nothing_whatever_happens_to_replicas() {
    for seed in 1..=4 {
        let settings = [
            ("reads", TOKEN),
            ("last", 8.0),
            ("feeds", 1.0),
            ("replicas", 3.0),
        ];
        let mut run = run(seed, &settings);
        for what in ["long", "crash", "twice", "long", "recover"] {
            act_on(&mut run, what, 2);
            watch(&mut run, 8.0, is_sound);
        }
        let tally = seen(&run).readers.tally;
        assert_eq!(
            (tally.missing, tally.back),
            (0, 0),
            "seed {seed}: {tally:?}"
        );
        assert!(
            tally.reads > 300 && tally.at_primary < tally.reads,
            "{tally:?}"
        );
    }
}

#[test]
fn the_same_replica_never_goes_back_but_any_does() {
    let back = |reads| -> u32 {
        let each = (1..=3).map(|seed| {
            let mut run = run(seed, &[("reads", reads), ("last", 10.0), ("writes", 20.0)]);
            go(&mut run, 30.0);
            seen(&run).readers.tally.back
        });
        each.sum()
    };
    assert_eq!(back(SAME), 0);
    assert!(back(1.0) >= 10);
}

#[test]
fn what_all_have_replayed_is_stale_nowhere() {
    let mut run = run(
        2,
        &[
            ("answered", ALL_REPLAYED),
            ("writes", 15.0),
            ("replicas", 4.0),
        ],
    );
    watch(&mut run, 40.0, is_sound);
    let tally = seen(&run).readers.tally;
    assert!(tally.reads > 1_000 && tally.writes > 200, "{tally:?}");
    assert_eq!((tally.stale, tally.missing), (0, 0), "{tally:?}");
}

#[test]
fn writes_take_their_ways_their_work_and_the_word_they_wait_for() {
    // 100 ms there and back, 80 ms of work; received: a record's way and the reply's; replayed: its replay between them.
    for (answered, least) in [
        (0.0, 280),
        (ONE_RECEIVED, 480),
        (ALL_RECEIVED, 480),
        (ALL_REPLAYED, 560),
    ] {
        let mut run = run(3, &[("answered", answered), ("load", 10.0)]);
        go(&mut run, 60.0);
        let tally = seen(&run).readers.tally;
        let mean = tally.write_time.as_s() / f64::from(tally.writes);
        let least = f64::from(least) / 1_000.0;
        assert!(mean >= least && mean < least + 0.02, "{answered}: {mean}");
    }
}

/// Cuts the primary off and waits for the failover.
fn cut(seed: u32, answered: f64) -> Run<System> {
    let mut run = run(seed, &[("answered", answered)]);
    go(&mut run, 5.0);
    act(&mut run, "cut");
    watch(&mut run, 3.0, is_sound);
    run
}

#[test]
fn a_cut_loses_what_was_answered_unless_a_replica_had_it() {
    let mut lost = Vec::new();
    for seed in 1..=20 {
        let one = cut(seed, 0.0);
        let other = cut(seed, ONE_RECEIVED);
        let failovers = [&one, &other].map(|run| seen(run).copies.failover.unwrap());
        assert_eq!(
            (failovers[0].unanswered, failovers[1].lost),
            (0, 0),
            "seed {seed}"
        );
        lost.push(failovers[0].lost as f64);
    }
    // 2 s at six a second, and what had been on its way.
    let mean = lost.iter().sum::<f64>() / lost.len() as f64;
    assert!((mean - 12.6).abs() < 3.0, "{mean}: {lost:?}");
}

#[test]
fn a_cut_that_heals_in_time_loses_nothing() {
    let mut run = run(5, &[]);
    go(&mut run, 3.0);
    act(&mut run, "cut");
    go(&mut run, 1.5);
    assert!(seen(&run).copies.age(1, run.model().now) >= Time::s(1));
    act(&mut run, "heal");
    watch(&mut run, 6.0, is_sound);
    let copies = &seen(&run).copies;
    assert!(copies.failover.is_none() && copies.primary() == 0);
    assert!(copies.group().head() - copies.shown(1) < 8);
}

#[test]
fn a_crash_promotes_who_received_most_and_the_old_primary_follows() {
    for answered in [0.0, ONE_RECEIVED, ALL_RECEIVED] {
        let mut run = run(6, &[("answered", answered), ("last", 20.0)]);
        go(&mut run, 5.0);
        let received = |run: &Run<System>, member: usize| seen(run).copies.group().received(member);
        assert!(received(&run, 1) > received(&run, 2));
        act(&mut run, "crash-primary");
        watch(&mut run, 4.0, is_sound);
        assert_eq!(seen(&run).copies.primary(), 1);
        let failover = seen(&run).copies.failover.unwrap();
        assert!(answered == 0.0 || failover.lost == 0, "{failover:?}");
        act_on(&mut run, "recover", 0);
        watch(&mut run, 10.0, is_sound);
        let copies = &seen(&run).copies;
        assert!(copies.group().head() - copies.shown(0) < 12, "it follows");
    }
}

#[test]
fn edges_have_an_answer() {
    // No replica: reads go to the primary, and a write that waits for one waits for ever.
    let mut alone = run(7, &[("replicas", 0.0), ("load", 20.0)]);
    go(&mut alone, 5.0);
    let tally = seen(&alone).readers.tally;
    assert!(tally.reads > 50 && tally.reads == tally.at_primary && tally.missing == 0);
    alone.set_knob("answered", ONE_RECEIVED).unwrap();
    go(&mut alone, 10.0);
    assert_eq!(seen(&alone).readers.tally.writes, 0);
    alone.set_knob("give-up", 1.0).unwrap();
    go(&mut alone, 10.0);
    let tally = seen(&alone).readers.tally;
    assert!(tally.writes > 5, "MySQL answers then: {tally:?}");
    // With nobody to promote, the manager waits until there is somebody.
    let mut two = run(8, &[("replicas", 1.0)]);
    act_on(&mut two, "crash", 1);
    act(&mut two, "crash-primary");
    go(&mut two, 5.0);
    assert!(seen(&two).copies.failover.is_none());
    act_on(&mut two, "recover", 1);
    watch(&mut two, 3.0, is_sound);
    assert_eq!(seen(&two).copies.primary(), 1);
    // One that is to go hands its part over, and loses nothing.
    act_on(&mut two, "recover", 0);
    go(&mut two, 5.0);
    let before = seen(&two).copies.group().head();
    two.set_knob("replicas", 0.0).unwrap();
    watch(&mut two, 5.0, is_sound);
    let copies = &seen(&two).copies;
    assert_eq!(copies.failover.unwrap().lost, 0);
    assert!(copies.primary() == 0 && copies.group().head() >= before);
}

#[test]
fn twins_meet_the_same_requests_and_only_one_loses() {
    let mut player = Player::new(Box::new(Run::new(sheet::<ReadReplicas>(), 1)));
    let cut = player
        .beats()
        .iter()
        .position(|beat| beat.id == "cut")
        .unwrap();
    player.jump(cut);
    let lost = |run: &dyn Show| {
        let mut scene = engine::Scene::new(884.0, std::rc::Rc::default());
        run.draw(&mut scene);
        let figure = |name| scene.figure(figure::WRITES, name).unwrap();
        (figure("lost"), figure("unanswered"))
    };
    let (main, twin) = (lost(player.main()), lost(&*player.twin().unwrap().run));
    assert!(main.0 >= 3.0 && main.1 == 0.0, "{main:?}");
    assert_eq!(
        (twin.0, twin.1),
        (0.0, main.0),
        "what one loses was unanswered in the other"
    );
}

#[test]
fn the_rules_are_read_when_several_knobs_turn_at_once() {
    let mut run = run(9, &[]);
    run.set_knob("writes", 20.0).unwrap();
    run.set_knob("answered", ALL_REPLAYED).unwrap();
    go(&mut run, 0.1);
    let rules = seen(&run).rules;
    assert_eq!((rules.answered, rules.share), (Answered::AllReplayed, 0.2));
}

#[test]
fn whatever_is_done_each_machine_has_a_part_of_one_log() {
    let mut failovers = 0;
    for seed in 1..=20 {
        let mut streams = Streams::new(seed);
        let rng = streams.get(Stream::named("use"));
        let mut run = run(seed, &[]);
        for _ in 0..25 {
            if below(rng, 3) == 0 {
                let knobs = run.knobs();
                let (knob, _) = knobs[below(rng, knobs.len())];
                let value = knob.from_steps(below(rng, 200) as u32);
                run.set_knob(knob.id, value).unwrap();
            } else {
                let act = Act {
                    spec: below(rng, ACTIONS.len()),
                    target: below(rng, 4),
                };
                run.act(act);
            }
            watch(&mut run, unit(rng) * 3.0, is_sound);
        }
        failovers += u32::from(seen(&run).copies.failover.is_some());
        // Put right again, all catch up, and writes are answered.
        let knobs: Vec<(&str, f64)> = DIALS.iter().map(|it| (it.knob.id, it.first)).collect();
        for (id, value) in knobs {
            run.set_knob(id, value).unwrap();
        }
        run.set_knob("load", 20.0).unwrap();
        run.set_knob("appliers", 4.0).unwrap();
        for target in 0..7 {
            let spec = |id| run.actions().iter().position(|spec| spec.id == id);
            for spec in ["heal", "recover"].map(|id| spec(id).unwrap()) {
                run.act(Act { spec, target });
            }
        }
        watch(&mut run, 60.0, is_sound);
        let (copies, tally) = (&seen(&run).copies, seen(&run).readers.tally);
        for member in 0..3 {
            let lacks = copies.group().head() - copies.shown(member);
            assert!(lacks < 10, "seed {seed}: machine {member} lacks {lacks}");
        }
        assert!(tally.writes > 60, "seed {seed}: {tally:?}");
    }
    assert!(failovers >= 10, "{failovers}");
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [
        ("load", "how many come"),
        ("writes", "what they ask for"),
        ("arrivals", "whether they come evenly"),
    ];
    let compared = kit::system::trial::every_design(sheet::<ReadReplicas>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 50_000, "{compared:?}");
}
