//! The subject held against theory: what a crash takes under each rule, how fast a disk lets answer, and what must come back.

use super::WriteAheadLog;
use super::model::{Phase, Store};
use super::settings::{Disk, Failed, Logs, Settings, Sync};
use engine::lesson::sheet;
use engine::random::{Streams, below};
use engine::show::Watch;
use engine::{Act, Player, Refusal, Run, Show, Stream, Time};

const SYNCED: [Sync; 2] = [Sync::Group, Sync::EachWrite];
const LOGGED: [Sync; 4] = [Sync::Never, Sync::EachSecond, Sync::Group, Sync::EachWrite];

fn with(sync: Sync) -> Settings {
    Settings {
        sync,
        ..Settings::default()
    }
}

fn run(seed: u32, first: Settings, span: Time) -> Run<Store> {
    let mut run = Run::with_knobs(sheet::<WriteAheadLog>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Store>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Store>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("the action exists");
    assert!(run.act(Act { spec, target: 0 }), "{id}");
    run.audit().unwrap();
}

/// Until the store is up again.
fn restart(run: &mut Run<Store>) {
    while run.model().phase != Phase::Up {
        go_on(run, Time::ms(1));
    }
}

fn lost(run: &Run<Store>) -> u32 {
    run.model().crash.expect("it has crashed").lost
}

/// Writes since the last sync: λ · (½ s + half a sync), for half of what is being synced gets there.
#[test]
fn synced_each_second_a_plug_takes_half_a_second_of_answers() {
    let (runs, mut sum) = (250, 0);
    let first = Settings {
        writes: 200,
        fsync: 20.0,
        ..Settings::default()
    };
    for seed in 0..runs {
        let plug = Time::from_s(1.4 + (f64::from(seed) + 0.5) / f64::from(runs));
        let mut run = run(seed, first.clone(), plug);
        act(&mut run, "plug");
        assert!(lost(&run) <= 280, "a second and a sync at most");
        sum += lost(&run);
    }
    let mean = f64::from(sum) / f64::from(runs);
    let theory = 200.0 * (0.5 + 0.020 / 2.0);
    assert!((mean / theory - 1.0).abs() < 0.05, "{mean} of {theory}");
}

/// The bracket grows for a second and a sync: λ · (½ s + a sync) on average.
#[test]
fn what_is_at_risk_agrees_with_theory() {
    let first = Settings {
        writes: 200,
        fsync: 20.0,
        ..Settings::default()
    };
    let theory = first.risk().expect("synced each second");
    let mut run = run(1, first, Time::ms(400));
    let (mut sum, samples) = (0, 1_000);
    for _ in 0..samples {
        go_on(&mut run, Time::ms(15));
        sum += run.model().at_risk();
    }
    let mean = f64::from(sum) / f64::from(samples);
    assert!((mean / theory - 1.0).abs() < 0.05, "{mean} of {theory}");
}

/// One after another a disk lets 1 ÷ sync answer; in groups all, about λ · sync at a time, within two syncs.
#[test]
fn one_sync_for_all_who_wait_is_as_fast_as_they_come() {
    let first = |sync| Settings {
        writes: 300,
        fsync: 20.0,
        ..with(sync)
    };
    let (mut alone, mut group) = (
        run(1, first(Sync::EachWrite), Time::s(1)),
        run(1, first(Sync::Group), Time::s(1)),
    );
    let before = [&alone, &group].map(|run| (run.model().answered, run.model().syncs));
    go_on(&mut alone, Time::s(4));
    let mut reached = Vec::new();
    for _ in 0..200 {
        // Who waits now is answered 40 ms later.
        reached.push(group.model().waiting.back().map_or(0, |one| one.0));
        go_on(&mut group, Time::ms(20));
        let oldest = group.model().waiting.front().map_or(u64::MAX, |one| one.0);
        assert!(reached.len() < 3 || reached[reached.len() - 3] < oldest);
    }
    let answers = |run: &Run<Store>, i: usize| run.model().answered - before[i].0;
    assert!((195..=200).contains(&answers(&alone, 0)), "50 a second");
    let rate = f64::from(answers(&group, 1)) / 4.0;
    assert!((rate / 300.0 - 1.0).abs() < 0.1, "{rate} a second");
    let syncs = f64::from(group.model().syncs - before[1].1);
    let batch = f64::from(answers(&group, 1)) / syncs;
    assert!((batch / 6.0 - 1.0).abs() < 0.1, "{batch} a sync");
}

/// An honest disk that was waited for loses nothing, at whatever moment; a dead process loses nothing under any rule.
#[test]
fn what_was_synced_before_its_answer_comes_back() {
    let mut streams = Streams::new(1);
    let mut moment = || below(streams.get(Stream::named("moment")), 900_000) as u64;
    for seed in 0..60 {
        for sync in SYNCED {
            let mut run = run(seed, with(sync), Time::us(300_000 + moment()));
            act(&mut run, "plug");
            assert_eq!(lost(&run), 0, "seed {seed}, {sync:?}");
            go_on(&mut run, Time::us(moment() * 4));
        }
    }
    for (seed, sync) in (0..12).zip(LOGGED.into_iter().cycle()) {
        let mut run = run(seed, with(sync), Time::us(300_000 + moment()));
        let table = run.model().table;
        run.set_knob("writes", 5.0).unwrap();
        act(&mut run, "kill");
        let known = run.model().entries.len();
        restart(&mut run);
        assert_eq!((lost(&run), run.model().crash.unwrap().read), (0, known));
        assert_eq!(run.model().table, table, "seed {seed}, {sync:?}");
    }
}

/// What the bracket says is what a plug takes, whatever the disk claims.
#[test]
fn what_is_at_risk_is_what_a_plug_takes() {
    for (sync, disk, failed) in [
        (Sync::NoLog, Disk::Honest, Failed::Stop),
        (Sync::Never, Disk::Honest, Failed::Stop),
        (Sync::EachSecond, Disk::Honest, Failed::Stop),
        (Sync::EachSecond, Disk::Volatile, Failed::Stop),
        (Sync::EachWrite, Disk::Volatile, Failed::Stop),
        (Sync::Group, Disk::Honest, Failed::Retry),
        (Sync::EachSecond, Disk::Honest, Failed::Retry),
    ] {
        for seed in 1..=8 {
            let first = Settings {
                disk,
                failed,
                ..with(sync)
            };
            let mut run = run(seed, first, Time::ms(300));
            if failed == Failed::Retry {
                act(&mut run, "fail");
            }
            go_on(&mut run, Time::ms(1_500 + 37 * u64::from(seed)));
            while run.model().syncing.is_some() {
                go_on(&mut run, Time::us(100));
            }
            let risk = run.model().at_risk();
            assert!(risk > 0, "{sync:?}, {disk:?}");
            act(&mut run, "plug");
            restart(&mut run);
            assert_eq!(lost(&run), risk, "{sync:?}, {disk:?}, seed {seed}");
        }
    }
}

#[test]
fn a_plug_at_any_millisecond_of_a_snapshot_loses_nothing() {
    for ms in (0..=140).step_by(20).chain(145..=170) {
        let mut run = run(3, with(Sync::Group), Time::ms(700));
        act(&mut run, "snapshot");
        go_on(&mut run, Time::ms(ms));
        act(&mut run, "plug");
        restart(&mut run);
        let model = run.model();
        assert_eq!((model.lost, model.table), (0, model.truth), "after {ms} ms");
        assert_eq!(model.rewrites, u32::from(ms > 155), "after {ms} ms");
    }
}

#[test]
fn crashes_in_a_restart_and_a_stop_after_a_failed_sync_are_survived() {
    let mut run = run(2, with(Sync::EachSecond), Time::ms(300));
    let above = run.model().at_risk();
    act(&mut run, "kill");
    go_on(&mut run, Time::ms(1_000));
    assert!(matches!(run.model().phase, Phase::Reads { .. }));
    act(&mut run, "plug");
    restart(&mut run);
    assert_eq!(run.model().lost, above);
    // It stops by itself, and what nobody was told may go.
    run.set_knob("sync", 3.0).unwrap();
    act(&mut run, "fail");
    go_on(&mut run, Time::ms(200));
    assert!(matches!(
        run.model().phase,
        Phase::Dark { power: false, .. }
    ));
    restart(&mut run);
    assert_eq!(run.model().lost, above);
}

#[test]
fn statements_come_back_as_another_past_and_values_do_not() {
    for (logs, another) in [(Logs::Value, false), (Logs::Statement, true)] {
        let first = Settings {
            logs,
            replay: 200,
            ..Settings::default()
        };
        let mut run = run(1, first, Time::s(2));
        act(&mut run, "kill");
        restart(&mut run);
        assert_eq!(run.model().wrong >= 3, another, "{}", run.model().wrong);
    }
}

#[test]
fn a_full_disk_answers_nobody_until_a_snapshot_makes_room() {
    let first = Settings {
        writes: 400,
        ..with(Sync::Group)
    };
    let mut run = run(1, first, Time::s(14));
    let (answered, refused) = (run.model().answered, run.model().refused);
    assert!(refused > 100 && run.model().entries.len() > 3_500);
    go_on(&mut run, Time::s(1));
    assert_eq!(run.model().answered, answered);
    act(&mut run, "snapshot");
    go_on(&mut run, Time::s(1));
    assert!(run.model().answered > answered + 200);
    assert!(run.model().entries.len() < 500);
}

#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=4 {
        let run = Run::new(sheet::<WriteAheadLog>(), seed);
        let mut player = Player::new(Box::new(run));
        for beat in 1..player.beats().len() {
            player.jump(beat);
        }
        player.set_playing(true);
        for _ in 0..400 {
            player.frame(0.05);
        }
        assert!(player.done().iter().all(|done| !done), "seed {seed}");
    }
}

const WRITE: Act = Act { spec: 8, target: 0 };

#[test]
fn a_typed_write_goes_the_way_of_any_other_and_comes_back_as_it_was() {
    for logs in [Logs::Value, Logs::Statement] {
        let first = Settings {
            logs,
            writes: 1,
            ..with(Sync::EachWrite)
        };
        let mut run = run(1, first, Time::s(1));
        for (text, why) in [
            ("fox", "no-write"),
            ("k7", "no-write"),
            ("=5", "no-key"),
            ("k7 = ", "no-write"),
            ("k7 = -1", "no-write"),
            ("k0 = 5", "no-key"),
            ("k999 = 5", "no-key"),
            ("9999999999999999 = 5", "no-key"),
            ("k2 = 10000", "no-value"),
            ("k2=9999999999999999", "no-value"),
        ] {
            let refused = run.type_in(WRITE, text);
            assert_eq!(refused, Err(Refusal::Because(why)), "{text}");
        }
        run.type_in(WRITE, "K5=4321").unwrap();
        go_on(&mut run, Time::ms(500));
        assert_eq!(run.model().table[4], Some(4_321));
        act(&mut run, "plug");
        restart(&mut run);
        assert_eq!((lost(&run), run.model().table[4]), (0, Some(4_321)));
    }
}
