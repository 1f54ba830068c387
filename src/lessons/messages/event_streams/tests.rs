//! The subject held against arithmetic and against its own laws, in runs of many seeds.

use super::EventStreams;
use super::group::{COUNTER, SEARCH};
use super::model::{FORGOTTEN, HOP, Streams};
use super::settings::{Acks, Assign, CleanUp, Commit, KeyOf, Settings, Start};
use algorithms::queueing::md1;
use engine::lesson::sheet;
use engine::random::{Stream, Streams as Chances, below};
use engine::show::Watch;
use engine::{Act, Model, Player, Run, Show, Time};

fn run(seed: u32, first: Settings, span: Time) -> Run<Streams> {
    let mut run = Run::with_knobs(sheet::<EventStreams>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Streams>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Streams>, id: &str, target: usize) -> bool {
    let specs = sheet::<EventStreams>().actions;
    let spec = specs.iter().position(|spec| spec.id == id).unwrap();
    run.act(Act { spec, target })
}

/// A lane has one reader in a group, so three lanes do as much with six consumers as with three.
#[test]
fn three_lanes_do_no_more_with_six_consumers() {
    for consumers in [3, 6] {
        for seed in 1..=3 {
            let first = Settings {
                clicks: 20,
                consumers,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(40));
            let before = run.model().groups[SEARCH].done;
            go_on(&mut run, Time::s(100));
            let search = &run.model().groups[SEARCH];
            let rate = (search.done - before) as f64 / 100.0;
            assert!((rate - 15.0).abs() < 0.2, "{consumers}: {rate}");
            assert_eq!(search.readers(), 3);
        }
    }
}

/// Below what a lane's reader can do, what waits is that of a queue with random arrivals and fixed work (M/D/1) whose server
/// needs a trip to begin after it was idle (Welch 1964).
#[test]
fn a_lane_below_its_limit_is_a_queue_of_fixed_work() {
    let (rate, work, trip) = (10.0, 0.05, HOP.as_s());
    let first = Settings {
        lanes: 1,
        consumers: 1,
        clicks: 10,
        work: 1_000.0 * work,
        batch: 50,
        behind: 0.0,
        ..Settings::default()
    };
    let mut all = 0.0;
    let (seeds, steps) = (4, 4_000);
    for seed in 1..=seeds {
        let mut run = run(seed, first.clone(), Time::s(10));
        for _ in 0..steps {
            go_on(&mut run, Time::ms(97));
            all += run.model().groups[SEARCH].open() as f64;
        }
    }
    let measured = all / f64::from(seeds * steps);
    let begin = (2.0 * trip + rate * trip * trip) / (2.0 * (1.0 + rate * trip));
    let theory = md1(rate, work).expect("below the limit").in_system + rate * begin;
    assert!(
        (measured / theory - 1.0).abs() < 0.08,
        "{measured} instead of {theory}"
    );
}

/// Users who move click past their own where something waits, and hardly where nothing does.
#[test]
fn more_lanes_let_clicks_overtake() {
    for seed in 1..=6 {
        for (clicks, range) in [(6, 0..=2), (18, 10..=120)] {
            let first = Settings {
                clicks,
                consumers: 6,
                reset: Start::Earliest,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(8));
            run.set_knob("lanes", 6.0).unwrap();
            go_on(&mut run, Time::s(40));
            let search = &run.model().groups[SEARCH];
            assert_eq!((run.model().moved, search.lost), (11, 0));
            let overtaken = search.overtaken;
            assert!(range.contains(&overtaken), "{clicks}: {overtaken}");
        }
    }
}

/// As long as a full batch takes longer than the poll limit, nothing is ever committed. Then retention overtakes the bookmarks.
#[test]
fn who_is_too_slow_does_the_same_for_ever() {
    for seed in 1..=6 {
        let mut run = run(seed, Settings::default(), Time::s(2));
        run.set_knob("work", 1_000.0).unwrap();
        assert!(act(&mut run, "begin", 0));
        go_on(&mut run, Time::s(20));
        let committed = run.model().committed(SEARCH);
        let again = run.model().groups[SEARCH].again;
        go_on(&mut run, Time::s(35));
        assert_eq!(run.model().committed(SEARCH), committed, "{seed}");
        assert!(run.model().groups[SEARCH].again >= again + 40);
        // Half the batch is done in time.
        run.set_knob("batch", 5.0).unwrap();
        go_on(&mut run, Time::s(30));
        let (before, again) = (
            run.model().committed(SEARCH),
            run.model().groups[SEARCH].again,
        );
        go_on(&mut run, Time::s(30));
        assert!(run.model().committed(SEARCH) >= before + 60);
        assert_eq!(run.model().groups[SEARCH].again, again);
    }
}

#[test]
fn who_sleeps_longer_than_records_are_kept_loses_ten_or_thirty_seconds() {
    for (reset, lost_s) in [(Start::Latest, 30.0), (Start::Earliest, 10.0)] {
        let mut all = 0.0;
        for seed in 1..=6 {
            let first = Settings {
                retention: 20,
                reset,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(2));
            assert!(act(&mut run, "begin", 0) && act(&mut run, "sleep", 0));
            go_on(&mut run, Time::s(35));
            all += run.model().groups[SEARCH].lost as f64 / 6.0;
            assert_eq!(run.model().groups[COUNTER].lost, 0);
        }
        // 12 a second; six runs of a Poisson count.
        let mean = 12.0 * lost_s;
        assert!((all - mean).abs() < 0.1 * mean, "{reset:?}: {all}");
    }
}

#[test]
fn a_crash_repeats_or_loses_by_when_it_was_committed() {
    for seed in 1..=6 {
        for commit in [Commit::Before, Commit::After] {
            let first = Settings {
                clicks: 24,
                commit,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(5));
            assert!(act(&mut run, "kill", 1));
            go_on(&mut run, Time::s(15));
            let search = &run.model().groups[SEARCH];
            let (again, lost) = (search.again, search.lost);
            match commit {
                Commit::Before => assert!(again == 0 && (2..=9).contains(&lost), "{again}, {lost}"),
                Commit::After => assert!(lost == 0 && (2..=9).contains(&again), "{again}, {lost}"),
            }
        }
    }
}

#[test]
fn only_what_moves_stops_where_a_group_cooperates() {
    use Assign::{Cooperative, Range, RoundRobin, Sticky};
    for (assignor, lanes) in [(Range, 6), (RoundRobin, 6), (Sticky, 6), (Cooperative, 1)] {
        for seed in 1..=6 {
            let first = Settings {
                lanes: 6,
                clicks: 24,
                assignor,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(5));
            run.set_knob("consumers", 4.0).unwrap();
            go_on(&mut run, Time::s(10));
            let search = &run.model().groups[SEARCH];
            assert_eq!(search.stop.lanes, lanes, "{assignor:?}");
            // A batch of ten at most, and the time to assign.
            assert!(search.stop.longest <= Time::ms(2_500), "{:?}", search.stop);
            assert_eq!((search.readers(), search.again), (4, 0));
        }
    }
}

#[test]
fn what_all_have_answered_is_never_gone() {
    for seed in 1..=10 {
        for (acks, behind) in [(Acks::All, 2.0), (Acks::Leader, 1.0)] {
            let first = Settings {
                acks,
                behind,
                in_sync: 1,
                clicks: 18,
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(5));
            assert!(act(&mut run, "kill-broker", 0));
            go_on(&mut run, Time::s(8));
            assert!(act(&mut run, "kill-broker", 1));
            go_on(&mut run, Time::s(8));
            let model = run.model();
            assert_eq!(model.gone > 0, acks == Acks::Leader, "{}", model.gone);
            assert!(model.lanes.iter().all(|lane| lane.led_by() == Some(2)));
        }
    }
}

#[test]
fn too_few_in_sync_make_shop_wait_and_nothing_is_lost() {
    let mut run = run(4, Settings::default(), Time::s(2));
    for broker in [0, 1] {
        assert!(act(&mut run, "kill-broker", broker));
        go_on(&mut run, Time::s(8));
    }
    let waits = |run: &Run<Streams>| -> usize {
        run.model()
            .lanes
            .iter()
            .map(|lane| lane.pending.len())
            .sum()
    };
    assert!(waits(&run) > 20);
    assert!(act(&mut run, "kill-broker", 2));
    go_on(&mut run, Time::s(5));
    assert!(run.model().lanes.iter().all(|lane| lane.led_by().is_none()));
    // Nobody may lead but who was in sync to the end.
    assert!(act(&mut run, "revive", 0));
    go_on(&mut run, Time::s(3));
    assert!(run.model().lanes.iter().all(|lane| lane.led_by().is_none()));
    assert!(act(&mut run, "revive", 2) && act(&mut run, "revive", 1));
    go_on(&mut run, Time::s(5));
    assert_eq!((waits(&run), run.model().gone), (0, 0));
}

#[test]
fn compaction_keeps_the_last_of_each_user_and_a_tombstone_deletes() {
    let first = Settings {
        clean_up: CleanUp::Compact,
        clicks: 30,
        ..Settings::default()
    };
    let mut run = run(2, first, Time::s(2));
    assert!(act(&mut run, "forget", 0));
    run.set_knob("clicks", 0.0).unwrap();
    go_on(&mut run, Time::s(12));
    assert!(act(&mut run, "compact", 0) && act(&mut run, "compact", 0));
    let lanes = &run.model().lanes;
    let mut users: Vec<u8> = lanes
        .iter()
        .flat_map(|lane| lane.log.read(0, u64::MAX).filter_map(|one| one.key))
        .collect();
    users.sort_unstable();
    let others = (1..=24).filter(|user| *user != FORGOTTEN);
    assert!(users.into_iter().eq(others), "all but user 7, each once");
}

/// Anything in any order: the audit holds after each, and bookmarks go back only with Counter.
#[test]
fn whatever_happens_every_record_has_one_fate() {
    for seed in 0..40 {
        let mut chances = Chances::new(seed);
        let mut chance = |n: usize| below(chances.get(Stream::named("chances")), n);
        let mut run = run(seed, Settings::default(), Time::s(1));
        for _ in 0..40 {
            let before: Vec<_> = committed(&run);
            let specs = sheet::<EventStreams>().actions.len() - 1;
            let age = run.model().age;
            if chance(3) == 0 {
                let knobs = run.knobs();
                let (knob, _) = &knobs[chance(knobs.len())];
                let value = knob.from_steps(chance(60) as u32);
                run.set_knob(knob.id, value).unwrap();
            } else {
                let (spec, target) = (chance(specs + 1), chance(9));
                run.act(Act { spec, target });
            }
            go_on(&mut run, Time::ms(chance(4_000) as u64));
            if run.model().age == age {
                let after = committed(&run);
                let kept = before.iter().zip(&after).all(|(old, new)| new >= old);
                assert!(kept, "{seed}: {before:?} {after:?}");
            }
        }
    }
}

/// What Search has committed, lane by lane.
fn committed(run: &Run<Streams>) -> Vec<Option<u64>> {
    let lanes = run.model().groups[SEARCH].bookmarks.iter();
    lanes.map(|one| one.committed).collect()
}

/// An audit that finds nothing proves nothing.
#[test]
fn the_audit_finds_each_broken_rule() {
    let run = run(1, Settings::default(), Time::s(5));
    let broken = |change: &dyn Fn(&mut Streams)| {
        let mut model = run.model().clone();
        change(&mut model);
        model.audit().is_err()
    };
    assert!(!broken(&|_| {}));
    assert!(broken(&|model| model.groups[SEARCH].consumers[0]
        .lanes
        .push(1)));
    assert!(broken(
        &|model| model.groups[SEARCH].consumers[0].member = false
    ));
    assert!(broken(
        &|model| model.groups[SEARCH].bookmarks[0].position = 10_000
    ));
    assert!(broken(&|model| model.groups[COUNTER].done -= 1));
    assert!(broken(&|model| model.groups[COUNTER].appended(0, 1, 1)));
    assert!(broken(&|model| model.lanes[0].replicas.ends[1] = 0));
    assert!(broken(&|model| drop(model.lanes[0].log.truncate(3))));
    assert!(broken(&|model| model.written += 1));
}

#[test]
fn odd_settings_are_no_trouble() {
    for (lanes, consumers, key) in [
        (1, 0, KeyOf::Nothing),
        (12, 8, KeyOf::Nothing),
        (12, 1, KeyOf::User),
    ] {
        let first = Settings {
            lanes,
            consumers,
            key,
            clicks: 40,
            retention: 10,
            ..Settings::default()
        };
        let mut run = run(3, first, Time::s(40));
        // In the middle of assigning anew.
        run.set_knob("consumers", 5.0).unwrap();
        go_on(&mut run, Time::ms(3_100));
        act(&mut run, "kill", 0);
        act(&mut run, "hang", 2);
        go_on(&mut run, Time::s(30));
        assert!(run.model().groups[SEARCH].readers() >= 1);
    }
}

/// What the story does must not tick what a learner is to find.
#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=5 {
        let mut player = Player::new((kit::listing::entry::<EventStreams>().open)(seed));
        for beat in 1..player.beats().len() {
            player.jump(beat);
            player.set_playing(true);
            for _ in 0..60 {
                player.frame(0.05);
            }
            assert!(
                player.done().iter().all(|done| !done),
                "{seed}, {beat}: {:?}",
                player.done()
            );
        }
    }
}

#[test]
fn random_use_reaches_no_challenge() {
    for seed in 1..=12 {
        let mut chances = Chances::new(seed);
        let mut chance = |n: usize| below(chances.get(Stream::named("chances")), n);
        let mut player = Player::new((kit::listing::entry::<EventStreams>().open)(seed));
        player.set_playing(true);
        for _ in 0..40 {
            if chance(2) == 0 {
                let knobs = player.main().knobs();
                let (knob, _) = &knobs[chance(knobs.len())];
                let value = knob.from_steps(chance(60) as u32);
                player.set_knob(knob.id, value).unwrap();
            } else {
                let target = chance(8);
                player.act(Act {
                    spec: chance(10),
                    target,
                });
            }
            for _ in 0..chance(100) {
                player.frame(0.05);
            }
        }
        assert!(
            player.done().iter().all(|done| !done),
            "{seed}: {:?}",
            player.done()
        );
    }
}
