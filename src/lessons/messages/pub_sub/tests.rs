//! The subject held against arithmetic: when a slow subscriber is cut off, and what it gets under each rule.

use super::PubSub;
use super::model::Market;
use super::settings::{Full, Push, Settings};
use super::subscriber::{ALERTS, AUDIT, Fate, Lost, PHONE, SCREEN, SUBSCRIBERS};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn run(seed: u32, first: Settings, span: Time) -> Run<Market> {
    let mut run = Run::with_knobs(sheet::<PubSub>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Market>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// Soft / (r − m) until the soft limit, then its time; all that waits goes, and then it is away for a second.
#[test]
fn a_slow_subscriber_is_cut_off_when_arithmetic_says_so() {
    for (hard, cut_s, share) in [(64, 14.0, 0.74), (256, 38.0, 0.78)] {
        for seed in 1..=5 {
            let first = Settings {
                hard,
                ..Settings::default()
            };
            let cycle = Time::from_s(cut_s + 1.0);
            // Many cycles, so that where in one it ends hardly matters, counted from the beginning of the run, which is the warm-up's before the shown time zero.
            let warm_up = sheet::<PubSub>().warm_up;
            let run = run(seed, first, Time(20 * cycle.0 - warm_up.0));
            let alerts = &run.model().subscribers[ALERTS];
            let first_cut = alerts.first_cut.unwrap().as_s();
            assert!((first_cut - cut_s).abs() < 0.8, "{hard}: {first_cut}");
            assert!(
                (alerts.share() - share).abs() < 0.02,
                "{hard}: {}",
                alerts.share()
            );
        }
    }
}

#[test]
fn who_drops_gets_as_many_as_it_can_handle_and_keeps_its_connection() {
    for full in [Full::DropNewest, Full::DropOldest, Full::Latest] {
        let first = Settings {
            full,
            hard: 16,
            ..Settings::default()
        };
        let run = run(3, first, Time::s(120));
        let alerts = &run.model().subscribers[ALERTS];
        assert_eq!(alerts.cuts, 0);
        assert!(
            (alerts.share() - 0.8).abs() < 0.02,
            "{full:?}: {}",
            alerts.share()
        );
        // What is dropped last waits longest: a whole buffer's time.
        let age = alerts.age.as_s();
        match full {
            Full::DropNewest => assert!((age - 16.0 / 8.0).abs() < 0.6, "{age}"),
            Full::Latest => assert!(age < 1.0, "{age}"),
            _ => {}
        }
    }
}

#[test]
fn a_publisher_that_waits_goes_at_the_speed_of_the_slowest() {
    for alerts in [4, 8] {
        let first = Settings {
            full: Full::Wait,
            hard: 8,
            alerts,
            ..Settings::default()
        };
        let run = run(5, first, Time::s(60));
        let market = run.model();
        for i in [SCREEN, PHONE, AUDIT, ALERTS] {
            assert_eq!(market.subscribers[i].lost, [0; 5]);
        }
        let rate = market.subscribers[SCREEN]
            .done
            .per_s(0, Time::s(10), market.now);
        let can = f64::from(alerts);
        assert!((rate - can).abs() < 0.02 * can + 0.1, "{rate} of {can}");
    }
}

/// The prices that each subscriber handled, in the order in which it did.
fn handled(run: &mut Run<Market>, span: Time) -> [Vec<u32>; SUBSCRIBERS] {
    let mut all: [Vec<u32>; SUBSCRIBERS] = Default::default();
    for _ in 0..(span.0 / Time::ms(20).0) {
        go_on(run, Time::ms(20));
        for (i, one) in run.model().subscribers.iter().enumerate() {
            if all[i].last() != Some(&one.last) && one.last > 0 {
                all[i].push(one.last);
            }
        }
    }
    all
}

#[test]
fn a_connection_keeps_the_order_and_an_address_does_not() {
    let away = Act {
        spec: 0,
        target: PHONE,
    };
    let mut order = Vec::new();
    for push in [Push::Connection, Push::Address] {
        let first = Settings {
            push,
            ..Settings::default()
        };
        let mut run = run(7, first, Time::s(2));
        assert!(run.act(away));
        let all = handled(&mut run, Time::s(12));
        order.push(all[PHONE].is_sorted());
        let phone = &run.model().subscribers[PHONE];
        let lost: u64 = phone.lost.iter().sum();
        if push == Push::Connection {
            assert!((28..=32).contains(&lost), "{lost}");
        } else {
            assert_eq!(
                lost, 0,
                "three tries, two seconds apart, outlast three seconds"
            );
        }
    }
    assert_eq!(order, [true, false]);
}

#[test]
fn what_an_address_never_takes_is_given_up_or_kept_as_a_dead_letter() {
    for (push, why) in [
        (Push::Address, Lost::GivenUp),
        (Push::DeadLetters, Lost::Dead),
    ] {
        let first = Settings {
            push,
            ..Settings::default()
        };
        let mut run = run(2, first, Time::s(1));
        // Again and again: nine seconds outlast the first push and three more.
        for _ in 0..3 {
            assert!(run.act(Act {
                spec: 0,
                target: PHONE
            }));
            go_on(&mut run, Time::ms(3_010));
        }
        go_on(&mut run, Time::s(8));
        let lost = &run.model().subscribers[PHONE].lost;
        assert_eq!(lost.iter().sum::<u64>(), lost[why as usize]);
        assert!(lost[why as usize] > 5, "{lost:?}");
    }
}

#[test]
fn a_lost_answer_makes_a_price_come_twice() {
    let first = Settings {
        push: Push::Address,
        ..Settings::default()
    };
    let mut run = run(4, first, Time::s(1));
    assert!(run.act(Act {
        spec: 5,
        target: PHONE
    }));
    go_on(&mut run, Time::s(6));
    assert_eq!(run.model().subscribers[PHONE].twice, 1);
}

#[test]
fn a_latecomer_is_told_of_nothing_before() {
    let mut run = run(1, Settings::default(), Time::s(3));
    let before = run.model().prices.back().unwrap().number;
    assert!(run.act(Act { spec: 3, target: 0 }));
    go_on(&mut run, Time::s(2));
    for price in &run.model().prices {
        let told = price.fates[4] != Fate::Absent;
        assert_eq!(told, price.number > before, "{}", price.number);
    }
}
