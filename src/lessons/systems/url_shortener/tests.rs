//! The subject held against theory, and its laws over random crashes.

use super::model::Shortener;
use super::settings::{Redirect, Rule, Settings, Way};
use super::{UrlShortener, model};
use algorithms::short_code;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Player, Refusal, Run, Show, Time};

const CRASH: usize = 1;
const FAILOVER: usize = 2;
const SCAN: usize = 5;

fn run(seed: u32, first: Settings, span: Time) -> Run<Shortener> {
    let mut run = Run::with_knobs(sheet::<UrlShortener>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Shortener>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Shortener>, spec: usize, target: usize) {
    assert!(run.act(Act { spec, target }));
}

#[test]
fn the_first_collision_is_the_one_that_was_found_beforehand() {
    for seed in 1..=5 {
        let run = run(seed, Settings::default(), Time::s(14));
        let it = run.model();
        assert_eq!(it.count.first_clash, 131);
        let clash = it.clashes[0];
        assert_eq!((clash.first, clash.second), (91, 130));
        assert_eq!(it.text(clash.code), "6985");
        assert!(it.count.overwritten > 0 && it.misled.is_some());
    }
}

#[test]
fn pairs_grow_with_the_square_of_the_links() {
    let first = Settings {
        way: Way::Random,
        length: 2,
        load: 100,
        ..Settings::default()
    };
    let (mut pairs, mut theory) = (0.0, 0.0);
    for seed in 1..=10 {
        let run = run(seed, first.clone(), Time::s(4));
        let count = run.model().count;
        pairs += f64::from(count.clashes);
        theory += algorithms::short_code::pairs(f64::from(count.stored), 3_844.0);
    }
    assert!(
        (pairs - theory).abs() < 0.1 * theory,
        "{pairs} for {theory}"
    );
}

/// Increments of the last 300 ms: λ · lag, within three standard deviations of the mean.
#[test]
fn a_failover_repeats_what_the_replica_has_not_heard_of() {
    let (mut repeated, runs) = (0.0, 40);
    for seed in 1..=runs {
        let first = Settings {
            way: Way::Counter,
            load: 50,
            ..Settings::default()
        };
        let mut run = run(seed, first, Time::s(3));
        act(&mut run, FAILOVER, 0);
        let forgotten = run.model().count.forgotten;
        go_on(&mut run, Time::s(5));
        let count = run.model().count;
        assert_eq!(u64::from(count.again), forgotten);
        assert_eq!(u64::from(count.overwritten), forgotten);
        repeated += forgotten as f64;
    }
    let (mean, theory) = (repeated / f64::from(runs), 50.0 * 0.3);
    let sigma = (theory / f64::from(runs)).sqrt();
    assert!((mean - theory).abs() < 3.0 * sigma, "{mean} for {theory}");
}

/// Servers crash at every moment of a link's course: nobody's link is lost to another's.
#[test]
fn no_two_links_under_one_code_whatever_crashes() {
    for (way, insert) in [
        (Way::Ranges, Rule::Overwrite),
        (Way::Snowflake, Rule::Overwrite),
        (Way::Counter, Rule::Overwrite),
        (Way::Stride, Rule::Overwrite),
        (Way::Base62, Rule::Unique),
        (Way::Hex, Rule::Unique),
    ] {
        for seed in 1..=4 {
            let first = Settings {
                way,
                insert,
                size: 20.0,
                load: 60,
                length: if way.is_scattered() { 3 } else { 4 },
                ..Settings::default()
            };
            let mut run = run(seed, first, Time::s(1));
            for step in 0..24 {
                let target = (step as usize + seed as usize) % 3;
                if run.model().life_of(target).is_some() {
                    act(&mut run, CRASH, target);
                }
                go_on(&mut run, Time::ms(130 + 70 * (step % 7)));
            }
            let it = run.model();
            assert_eq!(it.count.overwritten, 0, "{way:?}");
            assert!(it.count.stored > 50);
            if way == Way::Ranges {
                assert!(it.count.wasted > 0);
            }
        }
    }
}

/// The law can be broken: without the key the same hashes overwrite.
#[test]
fn without_the_key_links_are_lost() {
    for insert in [Rule::Overwrite, Rule::Unique] {
        let first = Settings {
            way: Way::Base62,
            length: 2,
            load: 100,
            insert,
            ..Settings::default()
        };
        let count = run(3, first, Time::s(5)).model().count;
        assert_eq!(count.overwritten == 0, insert == Rule::Unique);
        assert_eq!(count.retries > 0, insert == Rule::Unique);
    }
}

#[test]
fn two_servers_race_between_look_and_write_and_only_the_key_sees_both() {
    for (way, length) in [
        (Way::Hex, 4),
        (Way::Base62, 7),
        (Way::Random, 7),
        (Way::Hex, 8),
    ] {
        for (insert, ended) in [
            (Rule::Overwrite, 1),
            (Rule::CheckFirst, 1),
            (Rule::Unique, 2),
        ] {
            let first = Settings {
                way,
                length,
                insert,
                ..Settings::default()
            };
            let mut run = run(1, first, Time::s(1));
            act(&mut run, 0, 0);
            go_on(&mut run, Time::s(3));
            assert_eq!(run.model().pair_ended, Some(ended), "{way:?} {insert:?}");
        }
    }
}

#[test]
fn a_range_is_asked_for_once_and_its_rest_is_lost_with_its_server() {
    let first = Settings {
        way: Way::Ranges,
        load: 100,
        ..Settings::default()
    };
    let mut run = run(2, first, Time::s(20));
    let count = run.model().count;
    let a_link = f64::from(count.questions) / f64::from(count.asked);
    assert!(a_link < 0.013, "{a_link}");
    act(&mut run, CRASH, 1);
    assert!(run.model().count.wasted > 0);
}

#[test]
fn counted_codes_have_neighbours_and_scattered_ones_have_none() {
    for (scatter, least, most) in [(false, 15, 20), (true, 0, 1)] {
        let first = Settings {
            way: Way::Ranges,
            load: 60,
            scatter,
            ..Settings::default()
        };
        let mut run = run(2, first, Time::s(8));
        act(&mut run, SCAN, 0);
        go_on(&mut run, Time::s(4));
        let (_, guesses, hits) = run.model().scan.unwrap();
        assert_eq!(u64::from(guesses), model::GUESSES);
        assert!((least..=most).contains(&hits), "{hits}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_its_server_wait_and_repeats_nothing() {
    let first = Settings {
        way: Way::Snowflake,
        ..Settings::default()
    };
    let mut run = run(2, first, Time::s(2));
    act(&mut run, 4, 0);
    go_on(&mut run, Time::s(2));
    let one = &run.model().servers.get(0).unwrap().own;
    assert!(one.waits_until.is_some() && !one.waiting.is_empty());
    go_on(&mut run, Time::s(5));
    let one = &run.model().servers.get(0).unwrap().own;
    assert!(one.waits_until.is_none() && one.waiting.is_empty());
    assert_eq!(run.model().count.overwritten, 0);
}

#[test]
fn a_permanent_redirect_hides_visits() {
    let shares = [Redirect::Found, Redirect::Permanent].map(|redirect| {
        let first = Settings {
            redirect,
            ..Settings::default()
        };
        run(2, first, Time::s(25)).model().visits.counted_share()
    });
    assert_eq!(shares[0], 1.0);
    assert!(shares[1] < 0.5, "{shares:?}");
}

#[test]
fn the_story_reaches_no_challenge() {
    let first = Settings::default();
    let mut player = Player::new(Box::new(run(1, first, Time::ZERO)));
    for beat in 0..player.beats().len() {
        player.jump(beat);
        player.guess(0);
        assert!(!player.done().contains(&true), "beat {beat}");
    }
}

const SHORTEN: Act = Act { spec: 7, target: 0 };
const ALIAS: Act = Act { spec: 8, target: 0 };

#[test]
fn a_typed_address_gets_the_code_of_its_hash() {
    let mut run = run(1, Settings::default(), Time::s(1));
    run.type_in(SHORTEN, "Example.org/Fox?q=1").unwrap();
    go_on(&mut run, Time::s(3));
    let code = short_code::hex_digits("https://Example.org/Fox?q=1", 4);
    let it = run.model();
    let link = it.table.get(code).expect("it is stored");
    assert_eq!(it.address(link), "Example.org/Fox?q=1");
    for (text, why) in [
        ("fox", "no-address"),
        ("javascript:alert(1)", "no-address"),
        ("https://user@example.org", "no-address"),
    ] {
        assert_eq!(run.type_in(SHORTEN, text), Err(Refusal::Because(why)));
    }
}

#[test]
fn a_chosen_code_is_stored_refused_or_overwrites_by_the_rule() {
    for (rule, stays) in [
        (Rule::Overwrite, false),
        (Rule::CheckFirst, true),
        (Rule::Unique, true),
    ] {
        let first = Settings {
            insert: rule,
            ..Settings::default()
        };
        let mut run = run(1, first, Time::s(1));
        assert_eq!(run.type_in(ALIAS, "f0c5"), Err(Refusal::Because("no-link")));
        run.type_in(SHORTEN, "example.org/a").unwrap();
        for text in ["F0C5", "f0c", "f0c55", "foxy", "ü123"] {
            assert_eq!(run.type_in(ALIAS, text), Err(Refusal::Because("no-code")));
        }
        run.type_in(ALIAS, "f0c5").unwrap();
        go_on(&mut run, Time::s(3));
        let first = run.model().table.get(0xf0c5).expect("it is stored");
        assert_eq!(run.model().address(first), "example.org/a");
        assert_eq!(run.type_in(ALIAS, "f0c5"), Err(Refusal::Because("same")));
        run.type_in(SHORTEN, "example.org/b").unwrap();
        run.type_in(ALIAS, "f0c5").unwrap();
        let refused = run.model().count.refused;
        go_on(&mut run, Time::s(3));
        let it = run.model();
        assert_eq!(it.table.get(0xf0c5) == Some(first), stays, "{rule:?}");
        let taken = run.tape().notes().any(|note| note.word == "alias-taken");
        assert_eq!(
            (taken, it.count.refused - refused),
            (stays, u32::from(stays))
        );
    }
}
