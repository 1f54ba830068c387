//! The subject held against theory: hits by expiry, by room and behind a shield, light's floor, and what no edge may do.

use super::Cdn;
use super::edge::Url;
use super::map::Map;
use super::model::{Delivery, LOCK, Place, Way};
use super::settings::{
    Connections, EDGES, Edges, Expired, Home, INDIA, KeyRule, Protection, Purge, REGIONS, Settings,
    TRIP_MS, VIDEOS, hops,
};
use algorithms::connections::round_trip_floor_ms;
use algorithms::zipf::{Zipf, lru_hit_ratio};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn run(seed: u32, first: Settings, span: Time) -> Run<Delivery> {
    let mut run = Run::with_knobs(sheet::<Cdn>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Delivery>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Delivery>, id: &str, target: usize) {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("the action exists");
    assert!(run.act(Act { spec, target }), "{id}");
}

/// Hits of all edges, answers of all edges, requests at the origin.
fn totals(model: &Delivery) -> [f64; 3] {
    let edges = model.edges.iter().map(|one| one.counts);
    let hits: u32 = edges.clone().map(|counts| counts.hits).sum();
    let all: u32 = edges.map(|counts| counts.requests).sum();
    [f64::from(hits), f64::from(all), f64::from(model.asked)]
}

/// The share of hits and the origin's rate, from the third minute on, over these runs.
fn measured(seeds: std::ops::RangeInclusive<u32>, first: &Settings, span: Time) -> (f64, f64) {
    let (mut sums, mut seconds) = ([0.0; 3], 0.0);
    for seed in seeds {
        let mut run = run(seed, first.clone(), Time::s(150));
        let before = totals(run.model());
        go_on(&mut run, span);
        let after = totals(run.model());
        for (sum, (after, before)) in sums.iter_mut().zip(after.into_iter().zip(before)) {
            *sum += after - before;
        }
        seconds += span.as_s();
        if first.protection == Protection::Off {
            // Each miss is one request to the origin, there by now or on its way.
            let model = run.model();
            let there = |fetch: &super::model::Fetch| matches!(fetch.way, Way::There(_));
            let there = model.fetches.iter().filter(|(_, fetch)| there(fetch));
            assert_eq!(after[1] - after[0], after[2] + there.count() as f64);
        }
        assert!(run.model().oldest < 1.0, "no answer is older than its life");
    }
    (sums[0] / sums[1], sums[2] / seconds)
}

/// Of λ requests a second for a copy that lives T, λT ÷ (1 + λT) find it.
fn by_life(rate: f64, life_s: f64) -> f64 {
    let chances = Zipf::new(VIDEOS, 0.9).probabilities();
    let hit = |p: &f64| p * (p * rate * life_s) / (1.0 + p * rate * life_s);
    chances.iter().map(hit).sum()
}

#[test]
fn hits_and_the_origins_load_agree_with_theory() {
    for (edges, seeds, rate, origin) in [
        (Edges::Four, 100, 20.0, 9.8),
        (Edges::Eight, 25, 10.0, 15.9),
    ] {
        let first = Settings {
            edges,
            ..Settings::default()
        };
        let (share, per_s) = measured(1..=seeds, &first, Time::s(90));
        let theory = by_life(rate, 60.0);
        assert!(
            (share - theory).abs() < 0.01,
            "{edges:?}: {share}, {theory}"
        );
        assert!((per_s - origin).abs() < 0.06 * origin, "{edges:?}: {per_s}");
    }
}

/// Behind a shield, with ages carried on, the origin sees one cache of all traffic, however many edges there are.
#[test]
fn a_shield_makes_one_cache_of_all() {
    for (edges, hits) in [(Edges::Four, 0.859), (Edges::Eight, 0.77)] {
        let first = Settings {
            edges,
            protection: Protection::Shield,
            ..Settings::default()
        };
        // Copies that were stored together end together, so that what is counted must be long.
        let (share, per_s) = measured(1..=8, &first, Time::s(600));
        let theory = 80.0 * (1.0 - by_life(80.0, 60.0));
        assert!(
            (per_s - theory).abs() < 0.05 * theory,
            "{edges:?}: {per_s}, {theory}"
        );
        assert!((share - hits).abs() < 0.02, "{edges:?}: {share}");
    }
}

#[test]
fn with_little_room_and_long_lives_hits_are_those_of_lru() {
    let first = Settings {
        life: 300,
        slots: 40,
        rate: 40,
        workers: 20,
        ..Settings::default()
    };
    let (share, _) = measured(1..=10, &first, Time::s(100));
    let theory = lru_hit_ratio(&Zipf::new(VIDEOS, 0.9).probabilities(), 40);
    assert!((share - theory).abs() < 0.02, "{share}, {theory}");
}

/// Great circles between Ashburn, Frankfurt, Mumbai and Sydney, km.
const KM: [[f64; REGIONS]; REGIONS] = [
    [0.0, 6_540.0, 12_860.0, 15_690.0],
    [6_540.0, 0.0, 6_570.0, 16_490.0],
    [12_860.0, 6_570.0, 0.0, 10_150.0],
    [15_690.0, 16_490.0, 10_150.0, 0.0],
];

#[test]
fn no_trip_is_faster_than_light_in_fibre_and_the_shortest_path_is_not_the_nearest() {
    for (trips, km) in TRIP_MS.iter().zip(KM) {
        for (trip, km) in trips.iter().zip(km) {
            assert!(
                *trip as f64 > round_trip_floor_ms(km, 200.0),
                "{trip} ms, {km} km"
            );
        }
    }
    for (from, km) in KM.into_iter().enumerate() {
        let best = (0..REGIONS).min_by_key(|to| hops(from, *to, from == INDIA));
        let nearest = (0..REGIONS).min_by_key(|to| km[*to] as u64);
        assert_eq!(best == nearest, from != INDIA);
    }
}

/// Two trips for keys and one for the request: 670 ms without an edge, 320 with an empty one, 30 with a copy.
#[test]
fn the_first_viewers_wait_as_counted() {
    for (edges, connections, waits) in [
        (Edges::Four, Connections::New, [320, 30]),
        (Edges::None, Connections::New, [670, 670]),
        (Edges::Four, Connections::Kept, [300, 10]),
        (Edges::None, Connections::Kept, [290, 290]),
        (Edges::One, Connections::New, [680, 570]),
    ] {
        let first = Settings {
            edges,
            connections,
            ..Settings::default()
        };
        let run = run(1, first, Time::ms(2_000));
        let bars = &run.model().strips[INDIA];
        let seen = [bars.front(), bars.iter().min_by_key(|bar| bar.1)];
        let seen = seen.map(|bar| bar.map(|bar| bar.1));
        let waits = waits.map(|ms| Some(Time::ms(ms)));
        assert_eq!(seen, waits, "{edges:?}, {connections:?}");
    }
}

#[test]
fn what_was_fetched_before_a_purge_is_given_and_not_stored() {
    for protection in [Protection::Off, Protection::Collapse, Protection::Shield] {
        for purge in [Purge::Hard, Purge::Soft] {
            let first = Settings {
                protection,
                purge,
                ..Settings::default()
            };
            // The first fetch of Mumbai is on its way back when the purge comes at 345 ms.
            let mut run = run(1, first, Time::ms(100));
            act(&mut run, "purge", 0);
            go_on(&mut run, Time::ms(310));
            let model = run.model();
            assert!(model.edges[INDIA].cache.is_empty(), "{protection:?}");
            assert_eq!(model.strips[INDIA].len(), 1, "the viewer has it");
        }
    }
}

#[test]
fn a_lock_that_lasts_too_long_lets_the_next_one_through() {
    let first = Settings {
        protection: Protection::Collapse,
        edges: Edges::One,
        workers: 1,
        rate: 40,
        skew: 0.0,
        ..Settings::default()
    };
    let mut run = run(1, first, Time::s(1));
    let mut twice = false;
    for _ in 0..400 {
        go_on(&mut run, Time::ms(50));
        let model = run.model();
        let mut keys: Vec<(u32, Time)> = (model.fetches.iter())
            .map(|(_, fetch)| fetch.asks())
            .collect();
        keys.sort_unstable();
        for two in keys.windows(2).filter(|two| two[0].0 == two[1].0) {
            assert!(two[1].1.since(two[0].1) >= LOCK);
            twice = true;
        }
    }
    assert!(twice, "the origin takes up to nine seconds");
}

#[test]
fn a_copy_ends_exactly_with_its_life_and_a_dead_edge_takes_its_viewers_along() {
    let mut run = run(1, Settings::default(), Time::s(30));
    let model = run.model();
    let entry = model.edges[INDIA].cache.slots().iter().flatten().next();
    let copy = entry.expect("there is a copy").value;
    // RFC 9111 counts the whole time of the request as age.
    let end = copy.asked + Time::s(60);
    assert!(copy.is_fresh(Time(end.0 - 1)) && !copy.is_fresh(end));
    let waits = |model: &Delivery| {
        let at = |one: &super::model::Viewer| one.edge.is_some_and(|(at, _)| at == INDIA);
        let here = model.viewers.iter().filter(|(_, one)| at(one));
        here.filter(|(_, one)| one.place == Place::Waits).count() as u32
    };
    for _ in 0..200 {
        if waits(run.model()) > 0 {
            break;
        }
        go_on(&mut run, Time::ms(20));
    }
    let (waiting, failed) = (waits(run.model()), run.model().failed[INDIA]);
    assert!(waiting > 0);
    act(&mut run, "down", INDIA);
    assert_eq!(run.model().failed[INDIA], failed + waiting);
    assert_eq!(run.model().route(INDIA, false), Some(INDIA));
    go_on(&mut run, Time::ms(1_100));
    assert_eq!(run.model().route(INDIA, false), Some(1));
    go_on(&mut run, Time::s(15));
    assert_eq!(run.model().route(INDIA, false), Some(INDIA));
}

#[test]
fn the_whole_url_tells_links_apart_by_query_and_by_its_order() {
    let link = |id, turned| Url {
        video: 7,
        query: Some((id, turned)),
    };
    let links = [
        link(1, false),
        link(1, true),
        link(2, false),
        Url {
            video: 7,
            query: None,
        },
    ];
    let mut whole = links.map(|link| link.key(KeyRule::Url)).to_vec();
    whole.sort_unstable();
    whole.dedup();
    assert_eq!(whole.len(), 4);
    assert_eq!(links.map(|link| link.key(KeyRule::Path)), [7; 4]);
}

/// Stale copies are given after a soft purge, and nobody else is.
#[test]
fn stale_answers_are_given_only_where_they_may() {
    for (expired, purge, some) in [
        (Expired::Fetch, Purge::Soft, false),
        (Expired::Stale, Purge::Hard, false),
        (Expired::Stale, Purge::Soft, true),
    ] {
        let first = Settings {
            expired,
            purge,
            life: 300,
            edges: Edges::Eight,
            ..Settings::default()
        };
        let mut run = run(3, first, Time::s(60));
        let stale = |run: &Run<Delivery>| -> u32 {
            run.model().edges[..EDGES]
                .iter()
                .map(|one| one.counts.stale)
                .sum()
        };
        assert_eq!(stale(&run), 0);
        act(&mut run, "purge", 0);
        go_on(&mut run, Time::s(3));
        assert_eq!(stale(&run) > 50, some, "{expired:?}, {purge:?}");
    }
}

/// Dots of equal speed tell the truth: every long way is as long as its round trip, on wide stages and narrow ones.
#[test]
fn long_ways_are_as_long_as_their_round_trips() {
    for home in [Home::Virginia, Home::Sydney] {
        let first = Settings {
            home,
            ..Settings::default()
        };
        let run = run(1, first, Time::s(1));
        for (width, narrow) in [
            (366.0, true),
            (700.0, false),
            (884.0, false),
            (1_000.0, false),
        ] {
            let map = Map::lay(run.model(), width, narrow);
            for i in 0..REGIONS {
                let trip = run.model().knobs.to_origin(i).as_ms() as f32;
                let told = map.long[i].length() / map.per_ms / trip;
                // Cards leave no room for the ten milliseconds of the origin's own region on a narrow stage.
                let off = if i == run.model().knobs.at() {
                    0.3
                } else {
                    0.03
                };
                assert!((told - 1.0).abs() < off, "{home:?}, {width}, {i}: {told}");
            }
        }
    }
}
