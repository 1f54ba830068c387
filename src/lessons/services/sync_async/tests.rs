//! Threads, hand-offs and losses, held against arithmetic and queueing theory.

use super::uploads::{BASES, Fate, Seen, State, User};
use super::{
    APP, CROWD, DURABLE, FREE, MEMORY, QUEUE, READERS, STATUS, SyncAsync, UPLOAD, WAIT, pool,
};
use algorithms::queueing;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};
use std::collections::BTreeMap;

/// A run with these settings and without the crowd that comes by itself.
fn run(seed: u32, way: u8, settings: &str) -> Run<System> {
    let mut first = Values::first(&SyncAsync);
    knobs::set(&mut first, "way", f64::from(way)).unwrap();
    for setting in settings.split_whitespace() {
        let (id, value) = setting.split_once('=').unwrap();
        knobs::set(&mut first, id, value.parse().unwrap()).unwrap();
    }
    let mut run = Run::with_knobs(sheet::<SyncAsync>(), seed, first);
    act(&mut run, "fresh");
    run
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, ms: u64) {
    let until = run.position().at + Time::ms(ms);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

fn fates(run: &Run<System>) -> [u32; 6] {
    seen(run).fates()
}

/// When each video of a crowd was there, in s after the crowd.
fn made(run: &Run<System>) -> Vec<f64> {
    let crowd = seen(run).crowd.unwrap();
    let jobs = seen(run).jobs.iter();
    let made = jobs.filter_map(|job| Some(job.made?.since(crowd.at).as_s()));
    let mut made: Vec<f64> = made.collect();
    made.sort_by(f64::total_cmp);
    made
}

fn close(what: &str, measured: f64, theory: f64, share: f64) {
    let off = (measured / theory - 1.0).abs();
    assert!(off <= share, "{what}: {measured}, in theory {theory}");
}

#[test]
fn ten_by_waiting_are_ready_in_four_rounds_of_seven_seconds() {
    let mut run = run(1, WAIT, "uploads=0 gateway=60");
    act(&mut run, "crowd");
    go(&mut run, 30_000);
    let rounds = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4].map(|round| 7.04 * f64::from(round));
    for (made, round) in made(&run).iter().zip(rounds) {
        close("ready", *made, round, 0.03);
    }
    assert_eq!(fates(&run)[Fate::Seen as usize], CROWD);
    // A page behind them waits for two rounds: six threads serve nine first.
    close("page", seen(&run).pages.longest.as_s(), 13.9, 0.05);
}

#[test]
fn with_ten_seconds_of_patience_three_are_seen_six_are_for_nobody_and_one_is_dropped() {
    let mut run = run(1, WAIT, "uploads=0");
    act(&mut run, "crowd");
    go(&mut run, 30_000);
    assert_eq!(fates(&run), [3, 0, 6, 1, 0, 0]);
}

#[test]
fn a_hand_off_is_answered_at_once_and_ready_as_late() {
    for (way, last) in [(DURABLE, 25.4), (MEMORY, 28.6)] {
        let mut run = run(1, way, "uploads=0");
        act(&mut run, "crowd");
        go(&mut run, 500);
        let accepted = |run: &Run<System>| {
            let jobs = seen(run).jobs.iter();
            jobs.filter(|job| job.user == User::Accepted).count()
        };
        assert_eq!(accepted(&run), CROWD as usize);
        go(&mut run, 32_000);
        close("the last", *made(&run).last().unwrap(), last, 0.02);
        assert_eq!(fates(&run)[Fate::Seen as usize], CROWD);
    }
}

#[test]
fn a_parked_connection_holds_no_thread_and_fails_with_the_encoder() {
    let mut run = run(1, FREE, "uploads=0 gateway=60");
    act(&mut run, "crowd");
    go(&mut run, 3_000);
    assert!(seen(&run).pages.longest < Time::ms(100));
    act(&mut run, "encoder");
    go(&mut run, 1_000);
    assert_eq!(fates(&run), [0, 0, 0, CROWD, 0, 0]);
    act(&mut run, "crowd");
    go(&mut run, 7_500);
    act(&mut run, "crowd");
    go(&mut run, 29_000);
    assert_eq!(fates(&run)[Fate::Seen as usize], CROWD);
}

#[test]
fn held_threads_are_rate_times_time_and_refusals_are_erlangs() {
    let (mut held, mut looks, mut came) = (0, 0, 0);
    for seed in 1..=8 {
        let mut run = run(seed, WAIT, "uploads=18 threads=12 encoders=6 pages=0");
        for _ in 0..1_200 {
            go(&mut run, 500);
            (held, looks) = (held + pool(APP, run.model()).0, looks + 1);
        }
        came += seen(&run).came;
    }
    let per_s = f64::from(came) / (8.0 * 600.0);
    close(
        "threads",
        held as f64 / f64::from(looks),
        queueing::little(per_s, 7.3),
        0.1,
    );
    let (mut came, mut refused) = (0, 0);
    for seed in 1..=8 {
        let settings = "uploads=40 encoders=6 pages=0 door=0";
        let mut run = run(seed, WAIT, settings);
        go(&mut run, 900_000);
        came += seen(&run).came;
        refused += seen(&run).refused;
    }
    let theory = queueing::erlang_b(6, 40.0 / 60.0 * 7.12).unwrap();
    close(
        "refused",
        f64::from(refused) / f64::from(came),
        theory,
        0.06,
    );
    // One in sixty-eight, without the ways between services.
    close(
        "B",
        queueing::erlang_b(6, 0.3 * 7.04).unwrap(),
        1.0 / 68.0,
        0.03,
    );
}

#[test]
fn exponential_work_behind_a_queue_waits_as_erlang_c_says() {
    let mut times = Vec::new();
    for seed in 1..=10 {
        let settings = "uploads=20 spread=1 captions=0 places=200";
        let mut run = run(seed, DURABLE, settings);
        let mut all = BTreeMap::new();
        for _ in 0..150 {
            go(&mut run, 10_000);
            let jobs = seen(&run).jobs.iter();
            all.extend(jobs.filter_map(|job| Some((job.number, job.made?.since(job.asked)))));
        }
        times.extend(all.into_values().map(Time::as_s));
    }
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    // A worker is held for the work and for four ways: it hands on and asks for more.
    let theory = queueing::mmc(20.0 / 60.0, 1.0 / 6.08, 3).unwrap();
    close("ready after", mean, theory.means.time_in_system + 0.2, 0.1);
}

#[test]
fn who_asks_learns_it_half_a_period_late_and_who_is_told_at_once() {
    for (told, every, lag) in [(0.0, 3.0, 1.6), (0.0, 1.0, 0.6), (1.0, 3.0, 0.1)] {
        let mut sum = (Time::ZERO, 0);
        for seed in 1..=4 {
            let settings = &format!("learns={told} every={every} spread=1 uploads=20");
            let mut run = run(seed, DURABLE, settings);
            go(&mut run, 300_000);
            let (all, count) = seen(&run).lag;
            sum = (sum.0 + all, sum.1 + count);
        }
        close("known", sum.0.as_s() / f64::from(sum.1), lag, 0.1);
    }
}

#[test]
fn a_restart_loses_the_list_and_not_the_queue() {
    for (way, expected) in [(MEMORY, [0, 0, 3, 0, 7, 0]), (DURABLE, [10, 0, 0, 0, 0, 0])] {
        let mut run = run(2, way, "uploads=0");
        act(&mut run, "crowd");
        act(&mut run, "restart");
        go(&mut run, 34_000);
        assert_eq!(fates(&run), expected, "way {way}");
    }
}

#[test]
fn what_was_accepted_is_in_the_queue_whenever_the_web_app_dies() {
    for ms in (100..=400).step_by(10) {
        let mut run = run(3, DURABLE, "uploads=0");
        act(&mut run, "restart");
        go(&mut run, 2_000 - ms);
        act(&mut run, "crowd");
        go(&mut run, 4_000);
        let jobs = seen(&run).jobs.iter();
        let accepted = jobs.filter(|job| job.accepted).count();
        let stored = run.model().row(QUEUE).of(Count::Done) as usize;
        assert!(
            accepted <= stored,
            "{accepted} accepted, {stored} stored, {ms} ms"
        );
        go(&mut run, 34_000);
        let fates = fates(&run);
        assert_eq!(fates[Fate::Lost as usize] + fates[Fate::Works as usize], 0);
        assert!(fates[Fate::Seen as usize] as usize == accepted, "{fates:?}");
    }
}

#[test]
fn a_tab_that_is_closed_at_the_door_starts_no_work() {
    let mut run = run(4, WAIT, "uploads=0");
    act(&mut run, "crowd");
    go(&mut run, 3_000);
    for _ in 0..CROWD {
        act(&mut run, "close");
        go(&mut run, 10);
    }
    go(&mut run, 30_000);
    // Six had threads; the others were still at the door.
    assert_eq!(fates(&run), [0, 0, 6, 4, 0, 0]);
}

#[test]
fn an_encoder_that_dies_fails_who_waits_and_the_others_try_again() {
    for (way, failed, by) in [
        (WAIT, 1, 8.0),
        (FREE, 1, 8.0),
        (MEMORY, 0, 40.0),
        (DURABLE, 0, 40.0),
    ] {
        let mut run = run(5, way, "uploads=0 gateway=60");
        act(&mut run, "crowd");
        go(&mut run, 3_000);
        act(&mut run, "die");
        go(&mut run, 45_000);
        let fates = fates(&run);
        assert_eq!(fates[Fate::Failed as usize], failed, "way {way}: {fates:?}");
        assert_eq!(
            fates[Fate::Seen as usize],
            CROWD - failed,
            "way {way}: {fates:?}"
        );
        assert!(made(&run)[0] <= by);
    }
}

#[test]
fn twins_meet_the_same_readers_and_everything_is_somewhere() {
    let ways = [WAIT, FREE, MEMORY, DURABLE].map(|way| {
        let mut run = run(7, way, "uploads=30 again=1");
        let acts = [
            "crowd", "close", "restart", "die", "captions", "crowd", "encoder",
        ];
        for id in acts.iter().cycle().take(21) {
            let spec = run.actions().iter().position(|spec| spec.id == *id);
            run.act(Act {
                spec: spec.unwrap(),
                target: 0,
            });
            go(&mut run, 2_700);
            let (all, seen) = (fates(&run).iter().sum::<u32>(), seen(&run));
            assert_eq!(all, seen.came, "way {way}");
            let lanes = &seen.lanes;
            let states = [State::Works, State::Waits, State::Nobody];
            let busy: usize = states.map(|state| lanes.count(0, state)).iter().sum();
            assert_eq!(busy, pool(APP, run.model()).0, "way {way}");
            assert!(lanes.now[..BASES[1]].iter().flatten().count() <= 12);
        }
        run.model().row(READERS).of(Count::Came)
    });
    assert!(ways.iter().all(|came| *came == ways[0]), "{ways:?}");
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("uploads", "how many upload"), ("pages", "how many read")];
    // An upload's class tells the way that it goes, which is the design.
    let asks = |class| match class {
        UPLOAD..STATUS => UPLOAD,
        other => other,
    };
    let compared = kit::system::trial::every_design_by(sheet::<SyncAsync>(), &crowd, asks)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 5_000, "{compared:?}");
}
