//! The run against what the rules come to by computation, and laws under whatever a learner breaks.

use super::DistributedLocks;
use super::face::{SERVERS, STORE, WORKERS, worker};
use super::judge::Block;
use super::model::{Locks, deed};
use super::settings::{Kept, Settings};
use engine::lesson::sheet;
use engine::random::{Streams, below};
use engine::show::Watch;
use engine::{Act, Player, Run, Show, Stream, Time};
use kit::cluster::Past;

const SEEDS: u32 = 20;

fn first(kept: Kept) -> Settings {
    Settings {
        kept,
        ..Settings::default()
    }
}

fn start(settings: Settings, seed: u32) -> Run<Locks> {
    Run::with_knobs(sheet::<DistributedLocks>(), seed, settings)
}

/// Goes on to a moment since the workers began.
fn to(run: &mut Run<Locks>, s: f64) {
    let begun = run.model().judge.tally.since;
    let until = begun + Time::from_s(s);
    // The run's clock shows less than the model's, by the warm-up.
    let shown = until.since(run.model().now).0 + run.position().at.0;
    run.run(Time(shown), Watch::Nothing, u64::MAX);
}

fn act(run: &mut Run<Locks>, spec: usize, target: usize) {
    assert!(run.act(Act { spec, target }), "action {spec}");
}

/// A run that begins now, with everybody fresh.
fn fresh(settings: Settings, seed: u32) -> Run<Locks> {
    let mut run = start(settings, seed);
    run.run(Time::ms(1), Watch::Nothing, u64::MAX);
    act(&mut run, 10, 0);
    run
}

fn near(value: f64, wanted: f64, tolerance: f64, what: &str) {
    let off = (value - wanted).abs();
    assert!(
        off <= tolerance,
        "{what}: {value}, not {wanted} ± {tolerance}"
    );
}

/// Means over seeds of what a minute brings.
fn minute(settings: &Settings) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for seed in 1..=SEEDS {
        let mut run = fresh(settings.clone(), seed);
        to(&mut run, 60.0);
        run.audit().unwrap();
        let tally = run.model().judge.tally;
        for (sum, n) in sums
            .iter_mut()
            .zip([tally.counted, tally.vain, tally.overlaps])
        {
            *sum += f64::from(n) / f64::from(SEEDS);
        }
    }
    sums
}

#[test]
fn a_minute_brings_what_is_computed() {
    let [counted, vain, _] = minute(&first(Kept::Nobody));
    near(counted, 14.0, 0.5, "no lock: count");
    near(counted + vain, 56.0, 2.0, "no lock: all");
    let [counted, vain, overlaps] = minute(&first(Kept::One));
    near(counted, 41.0, 1.5, "one server");
    assert_eq!((vain, overlaps), (0.0, 0.0));
    let long = Settings {
        work: 8.0,
        ..first(Kept::One)
    };
    let [counted, _, overlaps] = minute(&long);
    // Of some 29, half are in vain: whoever comes second begins on what the first is about to finish.
    near(counted, 15.0, 1.5, "work longer than the lease");
    assert!(overlaps > 1.0);
    let renewed = Settings {
        renew: true,
        ..long
    };
    let [counted, vain, overlaps] = minute(&renewed);
    near(counted, 21.0, 1.0, "renewed");
    assert_eq!((vain, overlaps), (0.0, 0.0));
}

/// From the first grant: when somebody else has the same file, and for how long both have it.
fn second_holder(run: &mut Run<Locks>) -> (f64, f64) {
    let begun = run.model().judge.tally.since;
    let mut from = None;
    for tenth in 1..200 {
        to(run, f64::from(tenth) * 0.05);
        let two = run.model().judge.two.since();
        match (from, two) {
            (None, Some(since)) => from = Some(since),
            (Some(from), None) => {
                let now = run.model().now;
                return (from.since(begun).as_s(), now.since(from).as_s());
            }
            _ => {}
        }
    }
    panic!("never two");
}

#[test]
fn a_lease_ends_in_the_middle_of_a_long_job() {
    let long = Settings {
        work: 8.0,
        ..first(Kept::One)
    };
    let mut overlap = 0.0;
    for seed in 1..=SEEDS {
        let mut run = fresh(long.clone(), seed);
        let (from, span) = second_holder(&mut run);
        assert!((5.05..5.6).contains(&from), "seed {seed}: {from}");
        overlap += span / f64::from(SEEDS);
    }
    near(overlap, 2.7, 0.3, "overlap");
}

#[test]
fn who_deletes_lets_a_third_in() {
    let long = Settings {
        work: 8.0,
        checked: false,
        ..first(Kept::One)
    };
    for seed in 1..=SEEDS {
        let mut run = fresh(long.clone(), seed);
        to(&mut run, 10.0);
        let tally = run.model().judge.tally;
        let walked = tally
            .walked_in
            .expect("somebody walks in")
            .since(tally.since)
            .as_s();
        assert!((8.2..8.9).contains(&walked), "seed {seed}: {walked}");
    }
}

/// A holder freezes in the middle; its lease was renewed, and ends.
fn frozen(settings: &Settings, seed: u32) -> Run<Locks> {
    let mut run = fresh(settings.clone(), seed);
    act(&mut run, deed::FREEZE, 0);
    to(&mut run, 14.0);
    run.audit().unwrap();
    run
}

#[test]
fn a_frozen_holder_is_followed_and_writes_late_unless_the_store_compares() {
    for kept in [Kept::One, Kept::Log] {
        let plain = Settings {
            renew: true,
            ..first(kept)
        };
        for seed in 1..=SEEDS {
            let mut run = fresh(plain.clone(), seed);
            act(&mut run, deed::FREEZE, 0);
            to(&mut run, 6.3);
            assert_eq!(run.model().judge.tally.overlaps, 0, "seed {seed}");
            to(&mut run, 7.9);
            assert_eq!(run.model().judge.tally.overlaps, 1, "seed {seed}");
            let late = |settings: &Settings| {
                let run = frozen(settings, seed);
                let tally = run.model().judge.tally;
                (tally.late, tally.refused)
            };
            assert_eq!(late(&plain), (5, 0), "seed {seed}");
            let looks = Settings {
                looks: true,
                ..plain.clone()
            };
            assert_eq!(late(&looks), (1, 0), "seed {seed}");
            let fence = Settings {
                fence: true,
                ..plain.clone()
            };
            // Whoever is refused stops.
            assert_eq!(late(&fence), (0, 1), "seed {seed}");
        }
    }
}

#[test]
fn who_was_frozen_in_another_life_wakes_nobody_in_this_one() {
    let mut run = fresh(first(Kept::One), 1);
    act(&mut run, deed::FREEZE, 0);
    to(&mut run, 7.0);
    act(&mut run, 10, 0);
    act(&mut run, deed::FREEZE, 0);
    to(&mut run, 9.0);
    assert!(run.model().fates[0].wakes.is_some());
}

#[test]
fn redlock_has_no_token_that_could_be_compared() {
    let settings = Settings {
        renew: true,
        fence: true,
        ..first(Kept::Majority)
    };
    let run = frozen(&settings, 3);
    let tally = run.model().judge.tally;
    assert_eq!((tally.late, tally.refused), (5, 0));
}

#[test]
fn a_copy_forgets_what_had_not_crossed_and_a_majority_does_not() {
    for seed in 1..=SEEDS {
        for (kept, two) in [(Kept::Copy, 2), (Kept::Majority, 1), (Kept::Log, 1)] {
            let mut run = fresh(first(kept), seed);
            act(&mut run, deed::KILL_AFTER, 0);
            to(&mut run, 2.4);
            assert_eq!(run.model().judge.most, two, "{kept:?}, seed {seed}");
        }
    }
}

/// What a lock takes until it is given. The log's leader tells of the commit afterwards, which is not counted.
#[test]
fn locks_cost_so_many_messages() {
    for (kept, each) in [(Kept::One, 2), (Kept::Majority, 10), (Kept::Log, 10)] {
        let mut run = fresh(
            Settings {
                workers: 2,
                ..first(kept)
            },
            1,
        );
        to(&mut run, 0.6);
        let begun = run.model().judge.tally.since;
        let of_it = |past: &&Past| past.leaves >= begun && past.dot == 16 + u32::from(worker(0));
        let sent: Vec<Past> = run.model().cluster.past().filter(of_it).copied().collect();
        let outside = |past: &&Past| past.from.max(past.to) > SERVERS && past.to != STORE;
        let asked: Vec<&Past> = sent.iter().filter(outside).collect();
        // Each copy of the entry that leaves as the leader hears the question is answered once.
        let heard = asked
            .iter()
            .map(|past| past.arrives)
            .min()
            .expect("it asks");
        let copies = sent
            .iter()
            .filter(|past| past.to <= SERVERS && past.leaves == heard && past.from <= SERVERS);
        assert_eq!(asked.len() + 2 * copies.count(), each, "{kept:?}");
    }
}

/// Whatever is broken, and however often: nothing panics, books balance, and the laws hold whose conditions do.
#[test]
fn laws_hold_under_whatever_is_broken() {
    let mut seen = [0_u32; 3];
    for seed in 0..400_u32 {
        let mut streams = Streams::new(seed);
        let mut draw = |n: usize| below(streams.get(Stream::named("laws")), n);
        let kept = [Kept::One, Kept::Copy, Kept::Majority, Kept::Log][seed as usize % 4];
        let wild = seed % 3 == 0;
        let settings = Settings {
            fence: draw(2) == 0,
            renew: draw(2) == 0,
            work: [2.0, 3.0, 4.0][draw(3)],
            permits: 1 + draw(4) as u32,
            workers: 2 + draw(4) as u32,
            looks: draw(2) == 0,
            ..first(kept)
        };
        let (fence, renew, permits) = (settings.fence, settings.renew, settings.permits as usize);
        let mut run = fresh(settings, seed);
        for _ in 0..40 {
            let s = [0.1, 0.3, 0.7, 1.2][draw(4)];
            let now = run.model().now.since(run.model().judge.tally.since).as_s();
            to(&mut run, now + s);
            run.audit().unwrap();
            let model = run.model();
            let tally = model.judge.tally;
            if fence && kept != Kept::Majority {
                assert_eq!(tally.late, 0, "seed {seed}: late in spite of tokens");
            }
            if !wild {
                // Waiting for a permit costs lease, too.
                assert!(
                    tally.overlaps == 0 || permits < 4 && !renew,
                    "seed {seed}: two at once"
                );
                let converts = (0..WORKERS)
                    .filter_map(|at| model.worker(at))
                    .filter(|one| one.writes.is_some());
                let converts = converts.count();
                assert!(
                    permits == 4 || converts <= permits,
                    "seed {seed}: {converts} of {permits}"
                );
            }
            // Deaths of workers do no harm to anybody else; two servers of five may die for good.
            let spec = match wild {
                true => draw(10),
                false => [deed::KILL, deed::RESTART, deed::KILL_SERVER][draw(3)],
            };
            let down = (1..=SERVERS).filter(|id| !model.cluster.is_up(*id)).count();
            let spared =
                !wild && spec == deed::KILL_SERVER && (model.knobs().servers() < 5 || down >= 2);
            let target = draw(5);
            if !spared && model.can_act(spec, target) {
                seen[0] += 1;
                act(&mut run, spec, target);
            }
        }
        let tally = run.model().judge.tally;
        seen[1] += tally.overlaps;
        seen[2] += tally.refused;
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}

#[test]
fn a_dead_holder_costs_no_more_than_a_lease() {
    for kept in [Kept::One, Kept::Majority, Kept::Log] {
        for seed in 1..=SEEDS {
            let mut run = fresh(
                Settings {
                    renew: true,
                    ..first(kept)
                },
                seed,
            );
            act(&mut run, deed::KILL, 0);
            to(&mut run, 10.0);
            let death = run.model().death.expect("it died with a lock");
            let back = death
                .back
                .expect("somebody has its file")
                .since(death.at)
                .as_s();
            assert!(back < 5.0 + 1.0, "{kept:?}, seed {seed}: {back}");
        }
    }
}

/// Also through deaths of leaders: whoever leads next counts on.
#[test]
fn tokens_of_one_log_only_grow() {
    for seed in 1..=10 {
        let long = Settings {
            work: 8.0,
            renew: true,
            ..first(Kept::Log)
        };
        let mut run = fresh(long, seed);
        let (mut highest, mut deaths) = ([0; 3], 0);
        for half in 1..=120_u32 {
            to(&mut run, f64::from(half) * 0.5);
            for (seen, place) in highest.iter_mut().zip(run.model().judge.places) {
                let token = place.says.map_or(*seen, |held| held.token);
                assert!(token >= *seen, "seed {seed}: {token} after {seen}");
                *seen = token;
            }
            let leader = run.model().leader();
            if half % 20 == 0
                && run
                    .model()
                    .can_act(deed::KILL_SERVER, usize::from(leader) - 1)
            {
                act(&mut run, deed::KILL_SERVER, usize::from(leader) - 1);
                deaths += 1;
                for id in (1..=SERVERS).filter(|id| *id != leader) {
                    if !run.model().cluster.is_up(id) {
                        act(&mut run, deed::RESTART_SERVER, usize::from(id) - 1);
                    }
                }
            }
        }
        assert!(deaths >= 5 && run.model().judge.tally.overlaps == 0);
        assert!(run.model().judge.tally.counted > 10);
    }
}

/// A lease that was given keeps its end when the knob is lowered, and a late block before the next holder's first is taken.
#[test]
fn at_the_edges() {
    let mut run = fresh(
        Settings {
            lease: 20.0,
            work: 20.0,
            ..first(Kept::One)
        },
        1,
    );
    to(&mut run, 1.0);
    run.set_knob("lease", 2.0).unwrap();
    let held = run.model().judge.places[0].says.expect("held");
    assert!(held.until > 10_000);
    // Nobody else is alive, so nobody comes: the frozen one's late blocks are taken, and its release finds nothing.
    let alone = Settings {
        workers: 2,
        fence: true,
        ..first(Kept::One)
    };
    let mut run = fresh(alone, 2);
    act(&mut run, deed::KILL, 1);
    act(&mut run, deed::FREEZE, 0);
    to(&mut run, 13.0);
    assert!(run.model().judge.tally.counted > 0);
    let lane = &run.model().judge.lanes[0];
    assert!(lane.blocks.iter().all(|(_, block)| *block == Block::Wrote));
    // All five dead: nobody gets anything, and nothing breaks.
    let mut run = fresh(first(Kept::Majority), 1);
    for target in 0..5 {
        act(&mut run, deed::KILL_SERVER, target);
    }
    to(&mut run, 12.0);
    run.audit().unwrap();
    assert_eq!(run.model().judge.most, 0);
}

#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=3 {
        let mut player = Player::new(Box::new(Run::new(sheet::<DistributedLocks>(), seed)));
        for beat in 1..player.beats().len() {
            player.jump(beat);
            assert!(
                !player.done().contains(&true),
                "beat {beat}: {:?}",
                player.done()
            );
        }
    }
}
