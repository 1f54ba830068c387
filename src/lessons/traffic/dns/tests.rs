//! The subject held against theory: hit ratios, how a move spreads, and what no resolver may do.

use super::Dns;
use super::model::{Naming, RESOLVERS};
use super::resolver::{Addr, Name};
use super::settings::{KEEPER, Serve, Settings};
use algorithms::dns_cache::{hit_ratio, upstream_rate};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn run(seed: u32, first: Settings, span: Time) -> Run<Naming> {
    let mut run = Run::with_knobs(sheet::<Dns>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Naming>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Naming>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("the action exists");
    assert!(run.act(Act { spec, target }), "{id}");
}

/// Hits last a TTL, after a fetch of a round trip: λT of 1 + λ(T + d) lookups. Answers, too, are accounted for.
#[test]
fn hit_ratio_and_questions_agree_with_theory() {
    let first = Settings {
        travel: 20.0,
        ..Settings::default()
    };
    let (lambda, ttl_s) = (first.rate, f64::from(first.ttl));
    let span = Time::s(2_000);
    let (mut copies, mut all, mut asked) = (0.0, 0.0, 0.0);
    for seed in 1..=20 {
        let run = run(seed, first.clone(), span);
        let model = run.model();
        for one in &model.resolvers {
            copies += f64::from(one.from_copy);
            all += f64::from(one.from_copy + one.fetched);
            assert_eq!((one.stale, one.failed), (0, 0));
        }
        asked += f64::from(model.asked[2]);
        let fetches: u32 = model.resolvers.iter().map(|one| one.fetches).sum();
        let under_way: usize = model.resolvers.iter().map(|one| one.walks.len()).sum();
        assert!(model.asked[2] - fetches <= under_way as u32);
        // Ways are kept for two days: everybody has asked the root once.
        assert_eq!(model.asked[..2], [3, 3]);
    }
    let ratio = copies / all;
    assert!((ratio - first.expected()).abs() < 0.002, "{ratio}");
    assert!((ratio - hit_ratio(lambda, ttl_s)).abs() < 0.02, "{ratio}");
    let asked = asked / 20.0 / span.as_s() / RESOLVERS as f64;
    let theory = upstream_rate(lambda, ttl_s);
    assert!((asked / theory - 1.0).abs() < 0.02, "{asked} of {theory}");
}

/// After a move at any moment, λT ÷ (1 + λT) · (1 − t ÷ T) of the resolvers still give the old address.
#[test]
fn a_move_spreads_as_copies_run_out() {
    let (runs, mut old) = (500, [0_u32; 4]);
    for seed in 1..=runs {
        let first = Settings {
            travel: 20.0,
            ..Settings::default()
        };
        let mut run = run(seed, first, Time::ms(60_000 + 44 * u64::from(seed)));
        act(&mut run, "move", 0);
        for old in &mut old {
            let model = run.model();
            *old += (0..RESOLVERS)
                .filter(|i| model.is_old(*i, model.now))
                .count() as u32;
            go_on(&mut run, Time::s(5));
        }
        go_on(&mut run, Time::s(2));
        assert!(run.model().settled(), "nothing outlives its TTL");
    }
    for (step, old) in old.into_iter().enumerate() {
        let left = 1.0 - 5.0 * step as f64 / 20.0;
        let share = f64::from(old) / f64::from(runs * RESOLVERS as u32);
        let theory = hit_ratio(0.5, 20.0) * left;
        assert!((share - theory).abs() < 0.02, "{step}: {share}, {theory}");
    }
}

/// Whatever is done, no answer is older than TTL and travel, unless stale ones are given or a least lifetime is set.
#[test]
fn an_old_address_ends_with_its_copy_or_when_told_otherwise() {
    for (stale, minimum, at_most, exactly) in [
        (Serve::Off, 0, 20.4, false),
        (Serve::Off, 50, 50.4, true),
        (Serve::AtOnce, 0, 60.0, false),
    ] {
        let first = Settings {
            stale,
            minimum,
            ..Settings::default()
        };
        let mut run = run(5, first, Time::s(20));
        // A lower TTL does not reach copies already taken.
        run.set_knob("ttl", 2.0).unwrap();
        let before = run.model().resolvers[KEEPER].left(Name::Shop, run.model().now);
        assert!(before > Time::s(2));
        act(&mut run, "move", 0);
        go_on(&mut run, Time::s(100));
        let slowest = run.model().slowest(run.model().now).as_s();
        assert!(run.model().settled() && slowest <= at_most, "{slowest}");
        assert!(!exactly || slowest > 20.4, "{slowest}");
        assert!(slowest > 2.4, "the old clock stays: {slowest}");
    }
    // An answer that was sent before the move and arrives after it counts from its arrival.
    let mut run = run(1, Settings::default(), Time::ms(1_350));
    act(&mut run, "move", 0);
    assert!(!run.model().is_old(0, run.model().now));
    go_on(&mut run, Time::s(1));
    assert!(run.model().is_old(0, run.model().now));
    go_on(&mut run, Time::s(30));
    assert_eq!(run.model().slowest(run.model().now), Time::ms(20_100));
}

#[test]
fn stale_answers_do_not_renew_a_copy_and_a_failure_is_remembered() {
    for (stale, fails) in [
        (Serve::Off, true),
        (Serve::AtOnce, false),
        (Serve::Verify, false),
    ] {
        let first = Settings {
            stale,
            rate: 2.0,
            ..Settings::default()
        };
        let mut run = run(2, first, Time::s(20));
        run.set_knob("answers", 0.0).unwrap();
        go_on(&mut run, Time::s(100));
        let model = run.model();
        assert_eq!(model.failed_since > 0, fails, "{stale:?}");
        assert_eq!(model.given_stale > 100, !fails, "{stale:?}");
        for one in &model.resolvers {
            assert_eq!(one.left(Name::Shop, model.now), Time::ZERO);
        }
        // One question and at most one more, then 5 s of memory: not each lookup asks.
        assert!(model.asked[2] < 80, "{stale:?}: {}", model.asked[2]);
        run.set_knob("answers", 1.0).unwrap();
        go_on(&mut run, Time::s(12));
        let model = run.model();
        let all =
            (0..RESOLVERS).all(|i| model.resolvers[i].left(Name::Shop, model.now) > Time::ZERO);
        assert!(all, "{stale:?}: everybody has a copy again");
    }
}

/// The name server is silent for the first question and there for the second.
#[test]
fn a_second_try_reaches_a_name_server_that_has_returned() {
    let first = Settings {
        answers: false,
        ..Settings::default()
    };
    let mut run = run(1, first, Time::ms(1_500));
    assert_eq!(run.model().asked, [1, 1, 1]);
    run.set_knob("answers", 1.0).unwrap();
    go_on(&mut run, Time::s(3));
    let one = &run.model().resolvers[0];
    assert_eq!((one.failed, one.fetches), (0, 1));
    assert_eq!(run.model().asked, [1, 1, 2]);
}

#[test]
fn a_slip_of_a_second_lasts_a_ttl_where_it_was_asked_for() {
    let first = Settings {
        rate: 5.0,
        ..Settings::default()
    };
    let mut run = run(1, first, Time::s(15));
    // An empty cache asks its whole way within the second.
    act(&mut run, "empty", 1);
    run.set_knob("travel", 50.0).unwrap();
    act(&mut run, "slip", 0);
    let mut lasted = 0;
    for _ in 0..300 {
        go_on(&mut run, Time::ms(100));
        let model = run.model();
        lasted += u32::from(model.resolvers[1].gives(model.now) == Some(Addr::Wrong));
    }
    assert!((195..=205).contains(&lasted), "{lasted}");
}

#[test]
fn a_no_is_kept_only_where_it_was_heard() {
    let mut run = run(1, Settings::default(), Time::s(20));
    act(&mut run, "soon", 0);
    go_on(&mut run, Time::s(4));
    assert_eq!(run.model().told_late, 1, "Provider A's user");
    go_on(&mut run, Time::s(30));
    assert!(run.model().soon.is_none(), "in the end everybody has it");
}
