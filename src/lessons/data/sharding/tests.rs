//! Shares of work and capacity by theory, M/D/1, moves, crashes, and that twins meet the same requests.

use super::moves::DOWN;
use super::*;
use algorithms::hash::mix64;
use algorithms::shard_map::{busiest_share, carried, salted_share};
use engine::lesson::sheet;
use engine::show::{Ran, Watch};
use engine::{Player, Run, Show, knobs};
use kit::system::Count;

const CUSTOMER: (&str, f64) = ("by", 1.0);
const ORDER: (&str, f64) = ("by", 2.0);
const SALT: (&str, f64) = ("by", 3.0);

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Sharding);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Sharding>(), seed, first)
}

/// Goes on for so long, and calls `each` after every event that says something.
fn watch(run: &mut Run<System>, s: f64, mut each: impl FnMut(&System)) {
    let until = run.position().at + Time::from_s(s);
    while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
        each(run.model());
    }
    run.audit().unwrap();
}

fn act(run: &mut Run<System>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target }), "{id}");
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

/// Pieces cover the key space without a gap, each with an owner that is there, and each row lies in one.
fn sound(space: &Space, members: usize) -> Result<(), String> {
    let pieces = space.map.pieces();
    if pieces[0].from != 0 || !pieces.is_sorted_by(|one, next| one.from < next.from) {
        return Err("a gap".into());
    }
    if let Some(stray) = pieces.iter().find(|piece| piece.owner >= members) {
        return Err(format!("piece {} belongs to nobody", stray.id));
    }
    let rows: usize = space.counts().into_iter().sum();
    if rows != space.rows.len() {
        return Err(format!("{rows} rows of {}", space.rows.len()));
    }
    let tally = &space.tally;
    let alone = tally.requests - tally.looks.0 - tally.todays.0;
    let asked = alone + tally.looks.1 + tally.todays.1;
    if tally.operations.iter().sum::<u32>() != asked {
        return Err(format!("{:?} is not what was asked", tally.operations));
    }
    Ok(())
}

fn is_sound(system: &System) {
    let members = system.node(SHARD).unwrap().members.len();
    assert_eq!(sound(&system.own::<Seen>().space, members), Ok(()));
}

/// The busiest shard's share of all requests, of twenty runs together.
fn busiest(settings: &[(&str, f64)]) -> f64 {
    let (mut requests, mut operations) = (0, vec![0; 16]);
    for seed in 1..=20 {
        let mut run = run(seed, settings);
        watch(&mut run, 40.0, |_| {});
        let tally = &seen(&run).space.tally;
        requests += tally.requests;
        for (sum, one) in operations.iter_mut().zip(&tally.operations) {
            *sum += one;
        }
    }
    f64::from(*operations.iter().max().unwrap()) / f64::from(requests)
}

#[test]
fn the_busiest_shard_works_as_theory_says() {
    // Customers of the busiest shard, of 200, by CRC16 of their names; a tenth of all requests ask everybody.
    let by_customer = |shards: f64, most: f64| {
        let share = busiest_share(0.9, most / 200.0);
        (vec![CUSTOMER, ("shards", shards)], share)
    };
    let by_order = |shards: f64| {
        (
            vec![ORDER, ("shards", shards)],
            busiest_share(0.6, 1.0 / shards),
        )
    };
    let (h, most) = (0.3, 33.0 / 200.0);
    let famous = ("celebrity", 30.0);
    let hot = busiest_share(0.9, h + (1.0 - h) * most);
    let salted = 0.6 * salted_share(h, 4) + 0.3 * h + 0.9 * (1.0 - h) * most + 0.1;
    for (settings, share) in [
        (vec![], 1.0),
        by_customer(4.0, 51.0),
        by_customer(8.0, 33.0),
        by_customer(16.0, 18.0),
        by_order(4.0),
        by_order(16.0),
        (
            vec![CUSTOMER, ("today", 0.0), ("shards", 4.0)],
            51.0 / 200.0,
        ),
        (vec![CUSTOMER, ("shards", 8.0), famous], hot),
        (vec![SALT, ("shards", 8.0), famous], salted),
    ] {
        let mut run = run(1, &settings);
        watch(&mut run, 0.1, is_sound);
        let expected = seen(&run).space.expected;
        // The salted formula takes cust42 for no customer of the busiest shard.
        let near = (expected / share - 1.0).abs() < 0.005;
        assert!(near, "{settings:?}: {expected}, not {share}");
        let measured = busiest(&settings);
        assert!(
            (measured / share - 1.0).abs() < 0.03,
            "{settings:?}: {measured}, not {share}"
        );
    }
    let carries = |most: f64| carried(20.0, busiest_share(0.9, most / 200.0)).round();
    assert_eq!([51.0, 33.0, 18.0].map(carries), [61.0, 80.0, 110.0]);
}

#[test]
fn a_shard_alone_is_a_queue_with_one_server() {
    // By date one shard gets all; M/D/1.
    let (mut sum, mut count) = (0.0, 0.0);
    for seed in 1..=10 {
        let mut run = run(seed, &[("load", 14.0)]);
        watch(&mut run, 100.0, |_| {});
        let row = run.model().member_row(SHARD, 3);
        sum += row.mean().as_s() * f64::from(row.of(Count::Done));
        count += f64::from(row.of(Count::Done));
    }
    let (busy, work) = (14.0 * 0.05, 0.05);
    let theory = work + busy * work / (2.0 * (1.0 - busy));
    assert!((sum / count / theory - 1.0).abs() < 0.05, "{}", sum / count);
}

#[test]
fn one_slow_operation_in_a_hundred_makes_more_of_the_questions_slow() {
    for (shards, share) in [(4, 0.039), (16, 0.149)] {
        let slow = |dice: &u64| {
            let draw = Draw {
                dice: mix64(*dice),
                ..Draw::default()
            };
            (0..shards).any(|shard| draw.unit(SLOW + shard) <= 0.01)
        };
        let measured = (1..=40_000).filter(slow).count() as f64 / 40_000.0;
        assert!((measured - share).abs() < 0.005, "{measured} of {shards}");
    }
}

#[test]
fn a_fifth_shard_takes_six_of_thirty_two_pieces_under_load() {
    for seed in 1..=4 {
        let mut run = run(seed, &[CUSTOMER, ("load", 40.0)]);
        watch(&mut run, 2.0, is_sound);
        act(&mut run, "add", 0);
        watch(&mut run, 12.0, is_sound);
        let Seen { space, moves, .. } = seen(&run);
        assert_eq!((moves.moved, space.map.counts(5)), (6, vec![6, 6, 7, 7, 6]));
        act(&mut run, "remove", 0);
        watch(&mut run, 15.0, is_sound);
        assert_eq!(seen(&run).space.map.counts(5), [8, 8, 8, 8, 0]);
        assert_eq!(moves::shards(run.model()), 4);
    }
}

#[test]
fn a_crash_undoes_a_move_and_it_is_made_again() {
    for shard in [0, 2, 4] {
        let mut run = run(3, &[CUSTOMER, ("load", 40.0)]);
        watch(&mut run, 1.0, is_sound);
        act(&mut run, "add", 0);
        let mut crashed = false;
        while !crashed {
            watch(&mut run, 0.2, is_sound);
            let it = seen(&run).moves.now;
            crashed = it.is_some_and(|it| it.from == shard || it.to == shard);
        }
        let before = seen(&run).space.map.clone();
        act(&mut run, "crash", shard);
        assert!(seen(&run).moves.now.is_none());
        assert_eq!(seen(&run).space.map, before, "no piece has half moved");
        watch(&mut run, 25.0, is_sound);
        assert_eq!(seen(&run).space.map.counts(5), [6, 6, 7, 7, 6]);
    }
}

#[test]
fn a_dead_shard_fails_its_own_and_every_question_for_today() {
    let (mut failed, mut all) = (0, 0);
    for seed in 1..=10 {
        let settings = [CUSTOMER, ("load", 40.0), ("shards", 5.0)];
        let mut run = run(seed, &settings);
        act(&mut run, "crash", seed as usize % 5);
        watch(&mut run, DOWN.as_s() + 4.0, is_sound);
        let crash = seen(&run).crash.unwrap();
        (failed, all) = (failed + crash.soon.1, all + crash.soon.0);
    }
    // 0.9 ÷ 5 and all of the tenth that asks everybody.
    let share = f64::from(failed) / f64::from(all);
    assert!((share - 0.28).abs() < 0.03, "{share}");
}

#[test]
fn a_copy_takes_over_and_lacks_what_had_not_reached_it() {
    let mut lost = 0;
    for seed in 1..=20 {
        let mut run = run(seed, &[CUSTOMER, ("load", 60.0), ("copies", 1.0)]);
        watch(&mut run, 2.0, is_sound);
        // Orders of the shard that no copy has: written within 100 ms of the crash.
        let crash = run.model().now;
        let late = |space: &Space| {
            let rows = space.rows.iter();
            let own = rows.filter(|row| space.map.owner_of(row.key) == 1);
            let late = own.filter(|row| {
                let after = row.written + Time::ms(100);
                row.written <= crash && after > crash
            });
            late.count()
        };
        act(&mut run, "crash", 1);
        watch(&mut run, 1.9, is_sound);
        assert!(!moves::is_up(run.model(), 1));
        lost += late(&seen(&run).space);
        watch(&mut run, 0.2, is_sound);
        assert!(moves::is_up(run.model(), 1));
        assert_eq!(late(&seen(&run).space), 0);
    }
    assert!(lost >= 5, "{lost} orders in twenty crashes");
}

#[test]
fn growing_keys_are_cut_and_stay_hot() {
    for seed in 1..=5 {
        let mut run = run(seed, &[("split", 1.0)]);
        let (mut hot, mut looks, mut shards) = (0, 0, Vec::new());
        watch(&mut run, 20.0, |system| {
            is_sound(system);
            let Seen { space, rules, .. } = system.own();
            let over = space.counts().into_iter().max().unwrap() > 2 * rules.rows_max;
            assert!(!over, "a range that nobody cuts");
            if let Some(share) = space.writes_of_busiest(system.now) {
                (hot, looks) = (hot + u32::from(share > 0.6), looks + 1);
            }
            let last = space.map.pieces().last().unwrap().owner;
            if shards.last() != Some(&last) {
                shards.push(last);
            }
        });
        assert!(shards.len() >= 4, "the heat wanders: {shards:?}");
        assert!(hot * 10 >= looks * 7, "{hot} of {looks}");
    }
}

#[test]
fn twins_meet_the_same_requests() {
    let traffic = |settings: &[(&str, f64)]| {
        let mut run = run(5, settings);
        let mut all = Vec::new();
        watch(&mut run, 5.0, |system| {
            if let Some(ask) = system.own::<Seen>().space.asks.last() {
                let one = (ask.number, ask.class, ask.row.customer, ask.since);
                if all.last() != Some(&one) {
                    all.push(one);
                }
            }
        });
        all
    };
    let by_date = traffic(&[]);
    assert!(by_date.len() > 100);
    assert_eq!(by_date, traffic(&[CUSTOMER]));
    assert_eq!(by_date, traffic(&[SALT, ("shards", 16.0)]));
}

#[test]
fn whatever_is_turned_each_row_has_one_owner() {
    for seed in 1..=6 {
        let mut run = run(seed, &[("split", 1.0), ("load", 60.0)]);
        let mut dice = u64::from(seed);
        for _ in 0..25 {
            dice = mix64(dice);
            let (what, value) = (dice % 7, (dice >> 32) as f64 / 4_294_967_296.0);
            match what {
                0 => _ = run.set_knob("shards", (1.0 + value * 15.0).round()),
                1 => _ = run.set_knob("by", (value * 3.0).round()),
                2 => _ = run.set_knob("salts", (2.0 + value * 14.0).round()),
                3 => _ = run.set_knob("celebrity", (value * 60.0).round()),
                other => {
                    let spec = [0, 2, 3][other as usize - 4];
                    run.act(Act {
                        spec,
                        target: (value * 4.0) as usize,
                    });
                }
            }
            watch(&mut run, 0.7, is_sound);
        }
    }
}

#[test]
fn the_checker_notices_a_piece_without_an_owner() {
    let mut space = Space::new(&Rules::of(&Values::first(&Sharding)));
    assert_eq!(sound(&space, 4), Ok(()));
    assert!(sound(&space, 3).is_err());
    space.map.give(0, 9);
    assert!(sound(&space, 4).is_err());
}

#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=3 {
        let mut player = Player::new(Box::new(run(seed, &[])));
        for beat in 1..player.beats().len() {
            player.jump(beat);
            if player.beats()[beat].predict.is_some() {
                player.guess(0);
            }
            let run = player.main();
            for (nth, id) in run.challenges().iter().enumerate() {
                assert!(!run.challenge_done(nth), "beat {beat} reaches {id}");
            }
        }
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [
        ("load", "how many come"),
        ("reads", "what they ask for"),
        ("today", "how many of them ask for what was sold today"),
    ];
    let compared = kit::system::trial::every_design(sheet::<Sharding>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 20_000, "{compared:?}");
}
