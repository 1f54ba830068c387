//! Shares against theory, bounds of age, what posts come to under each rule, races, counters, and the twin.

use super::author::{Post, Rule};
use super::*;
use engine::lesson::sheet;
use engine::show::{Ran, Watch};
use engine::{Run, Show, knobs};
use kit::system::Count;

const ANEW: f64 = 1.0;

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&CacheLayers);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<CacheLayers>(), seed, first)
}

/// Goes on for so long, and calls `each` after every event that says something.
fn watch(run: &mut Run<System>, s: f64, mut each: impl FnMut(&System)) {
    let until = run.position().at + Time::from_s(s);
    while run.run(until, Watch::Any, u64::MAX) == Ran::Stopped {
        each(run.model());
    }
    run.audit().unwrap();
}

fn go(run: &mut Run<System>, s: f64) {
    let until = run.position().at + Time::from_s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn seen(run: &Run<System>) -> &Seen {
    run.model().own()
}

/// The share of what came to each cache that its copies answered, over seeds.
fn hits(settings: &[(&str, f64)], s: f64, seeds: u32) -> [f64; 4] {
    let mut sums = [[0; 2]; 4];
    for seed in 1..=seeds {
        let mut run = run(seed, settings);
        go(&mut run, s);
        for (sum, node) in sums.iter_mut().zip(CACHE_NODES) {
            let row = run.model().row(node);
            sum[0] += row.of(Count::Came);
            sum[1] += row.of(Count::Hit);
        }
    }
    sums.map(|[came, hit]| f64::from(hit) / f64::from(came.max(1)))
}

/// The share of all visits that each layer answered, the table last.
fn answered(settings: &[(&str, f64)]) -> [f64; 5] {
    let hits = hits(settings, 480.0, 6);
    let mut left = 1.0;
    let mut shares = [0.0; 5];
    for (share, hit) in shares.iter_mut().zip(hits) {
        *share = left * hit;
        left -= *share;
    }
    shares[4] = left;
    shares
}

#[test]
fn one_layer_alone_answers_what_theory_says() {
    let zipf = Zipf::new(200, 1.0).probabilities();
    let theory = |rate: f64, life: f64| -> f64 {
        let hit = |p: &f64| p * (rate * p * life) / (1.0 + rate * p * life);
        zipf.iter().map(hit).sum()
    };
    let off = [("browser", 0.0), ("cdn", 0.0), ("redis", 0.0)];
    for (layer, id, life, rate, known) in [
        (0, "browser", 30.0, 0.5, 0.287),
        (1, "cdn", 60.0, 25.0, 0.902),
        (3, "redis", 60.0, 50.0, 0.944),
    ] {
        let mut settings = off.to_vec();
        settings.push((id, life));
        let measured = hits(&settings, 300.0, 3)[layer];
        let theory = theory(rate, life);
        assert!((theory - known).abs() < 0.001, "{id}: {theory}");
        assert!(
            (measured - theory).abs() < 0.01,
            "{id}: {measured}, {theory}"
        );
    }
}

#[test]
fn layers_in_a_row_leave_each_other_the_rare_pages() {
    for (settings, known) in [
        (vec![], [0.115, 0.786, 0.0, 0.046, 0.053]),
        (vec![("age", ANEW)], [0.288, 0.614, 0.0, 0.045, 0.053]),
        (vec![("redis", 0.0)], [f64::NAN, f64::NAN, 0.0, 0.0, 0.099]),
    ] {
        let measured = answered(&settings);
        for (measured, known) in measured.iter().zip(known) {
            let close = known.is_nan() || (measured - known).abs() < 0.012;
            assert!(
                close,
                "{settings:?}: {measured:.4} of {known}: {measured:?}"
            );
        }
    }
}

#[test]
fn nobody_remembers_and_every_visit_goes_to_the_table() {
    let off = [("browser", 0.0), ("cdn", 0.0), ("redis", 0.0)];
    let mut run = run(1, &off);
    go(&mut run, 60.0);
    let lately = seen(&run).lately(run.model().now);
    assert_eq!(lately.by[..4], [0; 4]);
    let wait = lately.wait.as_s() * 1_000.0;
    assert!((212.0..=216.0).contains(&wait), "{wait}");
}

#[test]
fn no_answer_is_older_than_the_lives_allow() {
    let four = [
        ("browser", 60.0),
        ("cdn", 60.0),
        ("balancer", 60.0),
        ("redis", 60.0),
    ];
    let mut cases = vec![
        (vec![], 120.0),
        (vec![("age", ANEW)], 150.0),
        (vec![("balancer", 90.0), ("redis", 20.0)], 110.0),
        (four.to_vec(), 120.0),
    ];
    let mut anew = four.to_vec();
    anew.push(("age", ANEW));
    cases.push((anew, 240.0));
    for (settings, limit) in cases {
        for seed in 1..=3 {
            let mut run = run(seed, &settings);
            act(&mut run, "worst");
            go(&mut run, 300.0);
            let seen = seen(&run);
            assert_eq!(seen.limit, Time::from_s(limit), "{settings:?}");
            let oldest = seen.oldest.as_s();
            assert!(oldest <= limit + 0.7, "{settings:?}: {oldest}");
            assert!(oldest > limit * 0.75, "{settings:?}: {oldest}");
        }
    }
}

#[test]
fn visits_at_the_worst_moments_find_a_page_that_is_four_minutes_old() {
    let mut settings = vec![("browser", 60.0), ("balancer", 60.0), ("age", ANEW)];
    let mut one = run(1, &settings);
    act(&mut one, "worst");
    go(&mut one, 241.0);
    let oldest = seen(&one).oldest.as_s();
    assert!((238.5..240.0).contains(&oldest), "{oldest}");
    settings.pop();
    let mut one = run(1, &settings);
    act(&mut one, "worst");
    go(&mut one, 241.0);
    let oldest = seen(&one).oldest.as_s();
    assert!((115.0..120.5).contains(&oldest), "{oldest}");
}

/// Posts on the hot page, each 80 s after the one before, and what became of them 50 s later.
fn posts(settings: &[(&str, f64)], how: &str, seeds: u32, in_step: bool) -> Vec<Post> {
    let mut found = Vec::new();
    for seed in 1..=seeds {
        let mut settings = settings.to_vec();
        // Alone on the page, so that old means older than this post.
        settings.push(("changes", 0.0));
        let mut run = run(seed, &settings);
        if in_step {
            act(&mut run, "flush");
        }
        for nth in 0..6 {
            // A purge begins all lives anew: the next post must come at any moment of them.
            go(&mut run, 20.0 + f64::from((seed * 17 + nth * 23) % 60));
            act(&mut run, how);
            let before = run.position().at;
            loop {
                go(&mut run, 0.5);
                let model = run.model();
                let post = seen(&run).author.last_post().copied();
                let age = post.map(|post| model.now.since(post.at));
                if age.is_some_and(|age| age >= Time::ms(44_400)) {
                    found.extend(post);
                    break;
                }
                assert!(run.position().at.since(before) < Time::s(300));
            }
        }
    }
    found
}

fn share(posts: &[Post], span: usize) -> f64 {
    let sum = |i: usize| -> f64 {
        let counts = posts.iter().map(|post| post.old[span][i]);
        counts
            .filter(|count| *count < u32::MAX)
            .map(f64::from)
            .sum()
    };
    sum(1) / sum(0)
}

/// Fifteen seconds after a post, on average. An edge's copies last 60 s, so that three of four outlive the post by as much; what
/// takes the place of the fourth is new, but at the edge that always asks the other one's copy in Redis.
#[test]
fn who_reads_the_old_page_ten_seconds_after_a_post() {
    let quarter_old = 0.75;
    // Who visited while the copy was younger than the browser's life, and at the post it is at least 15 s younger than that.
    let browsers = |age: f64| {
        if age < 15.0 {
            1.0 - exp(-0.5 * hot() * age)
        } else {
            0.0
        }
    };
    let browsers = over_a_life(browsers);
    let inward = refilled(0.15);
    for (settings, in_step, theory) in [
        (vec![("author", 0.0)], true, quarter_old),
        (
            vec![("author", 0.0)],
            false,
            f64::midpoint(quarter_old, 1.0),
        ),
        (vec![("author", 1.0)], false, quarter_old),
        // Browsers that begin anew keep it, too: as it was computed apart from this model.
        (vec![("author", 0.0), ("age", ANEW)], true, 0.88),
        (vec![("author", 3.0)], false, browsers),
        (
            vec![("author", 4.0)],
            false,
            inward + (1.0 - inward) * browsers,
        ),
        (vec![("author", 5.0)], false, 0.0),
    ] {
        let posts = posts(&settings, "post", 24, in_step);
        let measured = share(&posts, 1);
        assert!(
            (measured - theory).abs() < 0.06,
            "{settings:?}, in step {in_step}: {measured}, {theory}"
        );
        let last = posts
            .iter()
            .filter_map(|post| Some(post.last_old?.since(post.at)));
        let last = last.max().unwrap_or(Time::ZERO);
        match settings[0].1 as u32 {
            3 => assert!(last <= Time::ms(30_700), "{last:?}"),
            5 => assert!(last <= Time::ms(400), "{last:?}"),
            _ => {}
        }
    }
}

/// The share of visits that are about the hot page.
fn hot() -> f64 {
    Zipf::new(200, 1.0).probability(0)
}

/// The mean of something over all ages that an edge's copy may have at the moment of a post.
fn over_a_life(of: impl Fn(f64) -> f64) -> f64 {
    let all: f64 = (0..600)
        .map(|tenth| of((f64::from(tenth) + 0.5) / 10.0))
        .sum();
    all / 600.0
}

/// The share of edges that have the old page again, and keep it, after a purge of edges and, two steps later, of Redis.
///
/// Not all of the page's visitors come to an edge: with ages carried, a browser keeps what it got while the edge's copy was
/// younger than the browser's life. So the page's rate at an edge falls from all of it, when its copy is new, to little when
/// the copy is as old as that, and is all of it again from then on. And each visitor who comes before the first answer is there
/// has the edge ask once more. Whoever asks Redis after its purge brings the new page, which takes the place of the old one.
fn refilled(step_s: f64) -> f64 {
    let (browser, way, there_and_back) = (30.0, 0.076, 0.152);
    // Who comes later than this finds Redis purged.
    let window = 2.0 * step_s - way;
    over_a_life(|age| {
        let none_yet = if age < browser {
            exp(-0.5 * hot() * age)
        } else {
            1.0
        };
        let rate = 25.0 * hot() * none_yet;
        // The first visitor, after x, settles it if x is so short that the answer is there within the window; else nobody may
        // come between the window's end and the answer.
        let [early, late] = [window - there_and_back, window + there_and_back];
        1.0 - f64::midpoint(exp(-rate * early), exp(-rate * late))
    })
}

#[test]
fn a_purge_from_outside_in_refills_the_edge_with_the_old_page() {
    for step in [0.15, 0.5, 1.0] {
        let inward = [("author", 4.0), ("step", step)];
        let measured = share(&posts(&inward, "bad", 24, false), 2);
        let theory = refilled(step);
        assert!(
            (measured - theory).abs() < 0.06,
            "{step}: {measured} {theory}"
        );
    }
    let outward = [("author", 3.0), ("step", 1.0)];
    assert_eq!(share(&posts(&outward, "bad", 4, false), 2), 0.0);
}

/// e to this power, by its series: tests need no more.
fn exp(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..60 {
        term *= x / f64::from(n);
        sum += term;
    }
    sum
}

/// The cases of the two races: whoever reads before the write and stores after the delete leaves the old page.
#[test]
fn a_reader_who_stores_late_leaves_redis_with_the_old_page() {
    for rule in [1.0, 2.0, 3.0] {
        for seed in 1..=5 {
            let mut run = run(seed, &[("author", rule), ("changes", 0.0)]);
            go(&mut run, 5.0);
            assert!(!seen(&run).author.raced());
            act(&mut run, "unlucky");
            let mut raced = false;
            watch(&mut run, 2.0, |system| {
                raced |= system.own::<Seen>().author.raced();
            });
            assert!(raced, "rule {rule}, seed {seed}");
        }
    }
    // Under no order there is nothing to break.
    let mut run = run(1, &[("author", 0.0)]);
    act(&mut run, "unlucky");
    go(&mut run, 2.0);
    assert!(!seen(&run).author.raced());
}

#[test]
fn what_came_was_answered_by_somebody() {
    for seed in 1..=3 {
        let mut run = run(
            seed,
            &[("balancer", 20.0), ("changes", 2.0), ("author", 4.0)],
        );
        let mut audits = 0;
        watch(&mut run, 20.0, |_| audits += 1);
        let system = run.model();
        let row = |node| system.row(node);
        for (node, next) in CACHE_NODES.iter().zip(CACHE_NODES[1..].iter().chain([&DB])) {
            let missed = row(*node).of(Count::Came) - row(*node).of(Count::Hit);
            let came = row(*next).of(Count::Came);
            // The author's writes come to the table, too; some visits are on their way.
            let writes = if *next == DB {
                row(AUTHOR).of(Count::Came)
            } else {
                0
            };
            assert!(
                missed.abs_diff(came - writes) <= 12,
                "{node:?}: {missed} {came}"
            );
        }
        let stale = CACHE_NODES.map(|node| row(node).of(Count::Stale));
        assert!(audits > 500 && stale.iter().sum::<u32>() > 20, "{stale:?}");
    }
}

#[test]
fn a_kept_column_is_posts_less_what_was_lost() {
    let mut run = run(1, &[("posts", 1.0), ("changes", 0.0)]);
    let column = |run: &Run<System>| run.model().version(DB, HOT);
    let first = column(&run);
    act(&mut run, "lose");
    for _ in 0..3 {
        act(&mut run, "post");
        go(&mut run, 1.0);
    }
    assert_eq!((column(&run), seen(&run).author.lost), (first + 2, 1));
    act(&mut run, "recount");
    assert_eq!((column(&run), seen(&run).author.lost), (first + 3, 0));
    // Who counts each time finds all by itself.
    act(&mut run, "lose");
    act(&mut run, "post");
    go(&mut run, 1.0);
    run.set_knob("posts", 0.0).unwrap();
    go(&mut run, 1.0);
    assert_eq!((column(&run), seen(&run).author.lost), (first + 4, 0));
}

#[test]
fn a_life_counts_at_once_and_a_new_name_is_known_nowhere() {
    let mut run = run(2, &[("changes", 0.0)]);
    go(&mut run, 5.0);
    for id in ["browser", "cdn", "redis"] {
        run.set_knob(id, 0.0).unwrap();
    }
    let before = run.model().row(DB).of(Count::Came);
    go(&mut run, 2.0);
    assert!(run.model().row(DB).of(Count::Came) - before > 60);
    for id in ["browser", "cdn", "redis"] {
        run.set_knob(id, 300.0).unwrap();
    }
    run.set_knob("author", 5.0).unwrap();
    go(&mut run, 20.0);
    act(&mut run, "post");
    go(&mut run, 1.0);
    let newest = run.model().version(DB, HOT);
    let mut read = 0;
    watch(&mut run, 3.0, |system| {
        let last = system.own::<Seen>().hot.back().unwrap();
        assert_eq!(last.version, newest);
        read += 1;
    });
    assert!(read > 20 && seen(&run).author.rule == Rule::Address);
    // Everything is forgotten at once, and fills up again.
    act(&mut run, "flush");
    let copies = run.model().copies(seat(REDIS)).map_or(0, |it| it.len());
    assert_eq!(copies, 0);
    go(&mut run, 20.0);
}

#[test]
fn every_design_meets_the_same_visits() {
    let crowd = [
        ("visits", "how many come"),
        ("pages", "what they ask for"),
        ("skew", "what they ask for"),
        ("changes", "how much the author writes"),
        ("author", "a new name is another key"),
    ];
    let compared = kit::system::trial::every_design(sheet::<CacheLayers>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 10_000, "{compared:?}");
}
