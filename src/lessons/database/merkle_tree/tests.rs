//! The subject held against theory: hashes, round trips, bytes and time of whole runs.

use super::model::{COPY, End, SOURCE};
use super::settings::{Blocks, HASH, How, Odd, Spread, Trust};
use super::{Copies, MerkleTree, Settings};
use algorithms::merkle_sync::expected_hashes;
use algorithms::merkle_tree::leaf_hash;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Player, Refusal, Run, Show, Time};

/// A run of these knobs for so many seconds of simulated time, audited to its end.
fn ran(first: Settings, seed: u32, acts: &[(usize, usize)], until: Time) -> Run<Copies> {
    let mut run = Run::with_knobs(sheet::<MerkleTree>(), seed, first);
    for (spec, target) in acts.iter().copied() {
        assert!(run.act(Act { spec, target }), "{spec} cannot be done");
    }
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run
}

fn settings(method: How, blocks: usize, bad: u32) -> Settings {
    Settings {
        method,
        blocks: Blocks(blocks),
        bad,
        ..Settings::default()
    }
}

#[test]
fn one_bad_block_costs_what_the_specification_says() {
    for (method, blocks, hashes, rounds) in [
        (How::Tree, 16, 9, 5),
        (How::Tree, 64, 13, 7),
        (How::Tree, 1_024, 21, 11),
        (How::Two, 16, 9, 3),
        (How::Two, 1_024, 21, 6),
        (How::List, 16, 16, 1),
        (How::List, 1_024, 1_024, 1),
        (How::Whole, 16, 1, 1),
    ] {
        for seed in 1..=5 {
            let run = ran(settings(method, blocks, 1), seed, &[], Time::s(100));
            let copies = run.model();
            let said = (copies.sync.hashes, copies.sync.rounds);
            assert_eq!(said, (hashes, rounds), "{method:?}, {blocks}");
            assert!(copies.ended(End::Mended));
            let sent = if method == How::Whole { blocks } else { 1 };
            assert_eq!(copies.come, sent);
            // Bytes sent: so many hashes and blocks, and nothing else.
            let cost = copies.costs[method as usize];
            assert_eq!((cost.hashes, cost.blocks as usize), (hashes, sent));
        }
    }
}

#[test]
fn waiting_is_round_trips_and_bytes_on_the_line() {
    for (method, blocks) in [(How::Tree, 16), (How::Two, 64), (How::List, 1_024)] {
        let first = settings(method, blocks, 1);
        let run = ran(first.clone(), 3, &[], Time::s(20));
        let copies = run.model();
        let waited = copies.found.unwrap().since(copies.begun).as_s();
        let on_line = 8.0 * HASH as f64 * f64::from(copies.sync.hashes) / (first.line * 1e6);
        let theory = f64::from(copies.sync.rounds) * first.rtt / 1e3 + on_line;
        assert!((waited - theory).abs() < 1e-4, "{waited} s of {theory} s");
    }
    // A block of 64 MB takes 5.12 s on 100 Mbit/s.
    let block = Settings::default().on_line(Settings::default().block_bytes());
    assert_eq!(block, Time::ms(5_120));
    assert_eq!(Settings::default().hashed(1_024_000_000), Time::ms(2_048));
}

#[test]
fn random_damage_costs_what_theory_expects() {
    for bad in [2, 3, 8] {
        let seeds = 150;
        let mut sum = 0;
        let mut expected = 0.0;
        for seed in 1..=seeds {
            let first = Settings {
                spread: Spread::Random,
                ..settings(How::Tree, 16, bad)
            };
            let run = ran(first, seed, &[], Time::ms(500));
            let copies = run.model();
            sum += copies.sync.hashes;
            expected = expected_hashes(copies.sides[SOURCE].tree.shape(), bad as usize);
        }
        let mean = f64::from(sum) / f64::from(seeds);
        // Three standard errors of a spread of about two hashes.
        assert!((mean - expected).abs() < 0.6, "{bad}: {mean} of {expected}");
    }
}

const FRONT: usize = 2;
const FORGE: usize = 3;
const DOUBLE: usize = 4;
const WRITE: usize = 5;
const PROVE: usize = 6;

#[test]
fn a_byte_in_front_makes_every_block_differ_and_is_repaired() {
    for blocks in [4, 5, 7, 13, 16, 64] {
        for method in [How::List, How::Tree, How::Two] {
            let first = settings(method, blocks, 0);
            let run = ran(first, 1, &[(FRONT, 0)], Time::s(200));
            let copies = run.model();
            assert_eq!(copies.come, blocks);
            assert!(copies.ended(End::Mended));
            if method == How::Tree {
                assert_eq!(copies.sync.hashes as usize, 2 * blocks - 1);
            }
        }
    }
}

#[test]
fn only_a_seal_tells_a_forged_source() {
    let first = settings(How::Tree, 16, 0);
    let sealed = Settings {
        trust: Trust::Seal,
        ..first.clone()
    };
    for seed in 1..=5 {
        let run = ran(first.clone(), seed, &[(FORGE, SOURCE)], Time::s(8));
        let copies = run.model();
        assert!(copies.ended(End::Mended) && copies.sides[COPY].tree.root() != copies.seal);
        // A copy that is as sealed asks nobody; one that is not takes nothing from a source that is not.
        let run = ran(sealed.clone(), seed, &[(FORGE, SOURCE)], Time::s(8));
        assert_eq!((run.model().sync.hashes, run.model().come), (0, 0));
        let both = [(FORGE, COPY), (FORGE, SOURCE)];
        let run = ran(sealed.clone(), seed, &both, Time::s(8));
        assert!(run.model().ended(End::Refused) && run.model().come == 0);
        let run = ran(sealed.clone(), seed, &[(FORGE, COPY)], Time::s(8));
        assert!(run.model().sides[COPY].tree.root() == run.model().seal);
    }
}

#[test]
fn doubling_fools_the_root_for_odd_numbers_only_and_never_the_list() {
    for blocks in [4, 5, 7, 13, 16] {
        for (odd, method) in [
            (Odd::Doubled, How::Tree),
            (Odd::Doubled, How::List),
            (Odd::Up, How::Tree),
        ] {
            let first = Settings {
                odd,
                ..settings(method, blocks, 0)
            };
            let run = ran(first, 1, &[(DOUBLE, 0)], Time::s(200));
            let fooled = odd == Odd::Doubled && method == How::Tree && blocks % 2 == 1;
            assert_eq!(run.model().ended(End::Fooled), fooled, "{blocks}, {odd:?}");
            assert!(fooled || run.model().ended(End::Mended));
        }
    }
}

#[test]
fn a_write_between_building_and_comparing_sends_a_block_for_nothing() {
    let run = ran(settings(How::Tree, 16, 0), 1, &[(WRITE, 0)], Time::s(8));
    let copies = run.model();
    assert_eq!(
        (copies.come, copies.for_nothing, copies.differed),
        (1, 1, 0)
    );
}

#[test]
fn a_proof_takes_the_siblings_only_and_fails_for_a_bad_block() {
    for (blocks, hashes) in [(4, 2), (16, 4), (1_024, 10)] {
        for bad in [0, 1] {
            let first = settings(How::Tree, blocks, bad);
            let run = ran(first, 1, &[(PROVE, 0)], Time::s(1));
            let copies = run.model();
            assert!(copies.ended(End::Proved(bad == 0)));
            assert_eq!(copies.hashes(), hashes);
        }
    }
}

#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=3 {
        let mut player = Player::new(Box::new(Run::new(sheet::<MerkleTree>(), seed)));
        for beat in 1..player.beats().len() {
            player.jump(beat);
            let reached = player.done().iter().any(|done| *done);
            assert!(!reached, "seed {seed}, beat {beat}: {:?}", player.done());
        }
    }
}

const OWN: Act = Act { spec: 8, target: 0 };

/// By RFC 6962 (2.1) a leaf is SHA-256 of a zero byte and the entry, and of nothing else.
#[test]
fn a_typed_block_is_hashed_as_it_was_typed_and_reaches_the_copy() {
    let mut run = ran(settings(How::Tree, 16, 0), 1, &[], Time::s(20));
    for text in ["an entry of mine", "狐", &"x".repeat(32)] {
        run.type_in(OWN, text).unwrap();
        assert_eq!(run.type_in(OWN, text), Err(Refusal::Because("there")));
        let leaf = leaf_hash(text.as_bytes());
        let block = run.model().sides[SOURCE].tree.leaves();
        let block = block.iter().position(|known| *known == leaf).expect(text);
        assert_eq!(run.model().differed, 1);
        let until = run.position().at + Time::s(20);
        run.run(until, Watch::Nothing, u64::MAX);
        run.audit().unwrap();
        let copies = run.model();
        assert!(copies.ended(End::Mended) && copies.come == 1);
        assert_eq!(copies.sides[COPY].tree.leaves()[block], leaf);
        assert_eq!(copies.sides[COPY].tree.root(), copies.seal);
    }
    let long = run.type_in(OWN, &"狐".repeat(11));
    assert_eq!(long, Err(Refusal::Because("no-room")));
    // Of a file that is made anew nothing is left of it.
    assert!(run.act(Act { spec: 7, target: 0 }));
    assert_eq!(run.model().own(SOURCE), []);
    run.type_in(OWN, "狐").unwrap();
}

#[test]
fn a_file_takes_so_many_blocks_of_ones_own() {
    let mut run = ran(settings(How::Tree, 1_024, 0), 1, &[], Time::s(1));
    for n in 0..32 {
        run.type_in(OWN, &format!("own {n}")).unwrap();
    }
    assert_eq!(
        run.type_in(OWN, "one more"),
        Err(Refusal::Because("enough"))
    );
}
