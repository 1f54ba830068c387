//! Work, delays and pages, held against arithmetic and queueing theory.

use super::SocialFeed;
use super::feeds::{Feeds, MIXED, PAIR, READ, USERS, WRITE};
use algorithms::queueing;
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{System, Values};

/// A run with these settings.
fn run(seed: u32, design: u8, settings: &str) -> Run<System> {
    let mut first = Values::first(&SocialFeed);
    knobs::set(&mut first, "design", f64::from(design)).unwrap();
    for setting in settings.split_whitespace() {
        let (id, value) = setting.split_once('=').unwrap();
        knobs::set(&mut first, id, value.parse().unwrap()).unwrap();
    }
    Run::with_knobs(sheet::<SocialFeed>(), seed, first)
}

fn set(run: &mut Run<System>, id: &str, value: f64) {
    run.set_knob(id, value).unwrap();
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

fn feeds(run: &Run<System>) -> &Feeds {
    run.model().own()
}

fn close(what: &str, measured: f64, theory: f64, share: f64) {
    let off = (measured / theory - 1.0).abs();
    assert!(off <= share, "{what}: {measured}, in theory {theory}");
}

/// Runs in steps, and gives the mean of what is measured at each.
fn mean(run: &mut Run<System>, steps: usize, what: impl Fn(&Feeds, Time) -> f64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..steps {
        go(run, 10_000);
        sum += what(feeds(run), run.model().now);
    }
    sum / steps as f64
}

#[test]
fn work_on_write_and_on_read_is_as_paces_and_prices_have_it() {
    // Followers, looks and prices alone: 27,800 other copies are to be made of posts, 40 looks a second come.
    for (design, settings, write, read) in [
        (WRITE, "", 1.85, 0.20),
        (READ, "", 0.0, 3.75),
        (MIXED, "", 0.95, 0.44),
        (MIXED, "sleepers=1", 0.38, 0.44),
        (PAIR, "", 0.38, 0.36),
    ] {
        let mut all = [0.0; 2];
        for seed in 1..=4 {
            let mut run = run(seed, design, settings);
            // Without the star's post.
            act(&mut run, "fresh");
            let theory = feeds_after(&mut run).theory();
            close("write in theory", theory[0] + 0.01, write + 0.01, 0.02);
            close("read in theory", theory[1], read, 0.02);
            for (nth, sum) in all.iter_mut().enumerate() {
                *sum += mean(&mut run, 6, |it, now| it.work(Time::s(10), now).0[nth]) / 4.0;
            }
        }
        // 480 posts on average, a seventh of them with five times as many copies.
        assert!((all[0] - write).abs() <= 0.12 * write, "{design}: {all:?}");
        close("read", all[1], read, 0.05);
    }
}

fn feeds_after(run: &mut Run<System>) -> &Feeds {
    go(run, 1_000);
    feeds(run)
}

#[test]
fn on_write_and_on_read_cost_the_same_at_twenty_looks_a_second() {
    let at = |looks: &str| {
        let mut run = run(1, READ, looks);
        let feeds = feeds_after(&mut run);
        let (read, write) = (feeds.theory(), feeds.all_copied());
        read[1] - write[0] - write[1]
    };
    assert!(at("looks=20") < 0.0 && at("looks=22") > 0.0);
}

#[test]
fn others_wait_four_seconds_behind_the_star_first_come_and_less_in_turns() {
    let mut late = [[0.0; 2]; 2];
    let mut done = [0.0; 2];
    for order in [0, 1] {
        let mut many = 0;
        for seed in 1..=12 {
            let mut run = run(seed, WRITE, &format!("order={order}"));
            go(&mut run, 3_000);
            act(&mut run, "fresh");
            act(&mut run, "star");
            while feeds(&run).star_done().is_none() {
                go(&mut run, 1_000);
            }
            go(&mut run, 6_000);
            let beside = feeds(&run).beside.unwrap();
            if let Some(mean) = beside.mean() {
                late[order][0] += mean.as_s();
                many += 1;
            }
            done[order] += feeds(&run).star_done().unwrap().as_s() / 12.0;
        }
        late[order][0] /= f64::from(many);
        late[order][1] = f64::from(many);
    }
    let [first, turns] = late.map(|it| it[0]);
    assert!((2.8..5.2).contains(&first), "first come: {first}");
    assert!(turns < first / 2.0, "in turns: {turns}");
    // 600 copies at 150 a second, and whatever stood before them.
    assert!((4.0..4.6).contains(&done[0]), "{done:?}");
    assert!(done[1] > 1.5 * done[0], "{done:?}");
}

#[test]
fn first_come_never_shows_an_answer_first_and_turns_do() {
    for seed in 1..=6 {
        for (order, least, most) in [(0, 0, 0), (1, 9, 17)] {
            let mut run = run(seed, WRITE, &format!("order={order}"));
            act(&mut run, "answer");
            go(&mut run, 12_000);
            let answer = feeds(&run).answer.unwrap();
            assert_eq!(answer.common, 17);
            let fan = feeds(&run).fan;
            assert_eq!(feeds(&run).graph.followers(fan).len(), 28);
            assert!(
                (least..=most).contains(&answer.early),
                "{order}: {answer:?}"
            );
        }
    }
}

#[test]
fn the_star_fetched_is_there_before_any_answer() {
    let mut run = run(2, MIXED, "order=1");
    act(&mut run, "answer");
    go(&mut run, 12_000);
    assert_eq!(feeds(&run).early, 0);
    let feeds = feeds(&run);
    for user in 0..USERS as u16 {
        let page = feeds.page(user, &feeds.asked(user, 0));
        assert!(page.rows.iter().all(|it| !it.1), "reader {user}");
    }
}

#[test]
fn all_designs_make_the_same_page_once_nothing_is_under_way() {
    let mut run = run(3, WRITE, "reshares=30");
    go(&mut run, 9_000);
    act(&mut run, "star");
    go(&mut run, 3_000);
    let mut pages: Vec<Vec<Vec<(u32, bool)>>> = Vec::new();
    for (design, above) in [
        (WRITE, 100.0),
        (READ, 100.0),
        (MIXED, 100.0),
        (MIXED, 20.0),
        (PAIR, 100.0),
    ] {
        set(&mut run, "design", f64::from(design));
        set(&mut run, "above", above);
        act(&mut run, "fresh");
        let feeds = feeds(&run);
        // By pair, who never looks has nothing copied and would fetch everything.
        let page = |user: u16| feeds.page(user, &feeds.asked(user, 0)).rows;
        pages.push((0..USERS as u16).map(page).collect());
    }
    assert!(pages[0].iter().all(|page| page.len() > 5));
    for other in &pages[1..] {
        assert!(pages[0] == *other);
    }
}

#[test]
fn each_inbox_holds_the_newest_of_its_authors_once_nothing_is_under_way() {
    let mut run = run(4, WRITE, "workers=20 copy=1");
    go(&mut run, 20_000);
    let mut waited = 0;
    while feeds(&run).waiting() > 0 {
        go(&mut run, 10);
        waited += 1;
        assert!(waited < 1_000);
    }
    let feeds = feeds(&run);
    for user in (0..USERS as u16).step_by(7) {
        let authors = feeds.graph.follows(user).iter();
        let mut all: Vec<u32> = authors
            .flat_map(|it| feeds.outboxes.of(*it).iter().copied())
            .collect();
        all.sort_unstable();
        let newest = &all[all.len().saturating_sub(50)..];
        assert_eq!(feeds.inboxes.of(user), newest, "reader {user}");
    }
}

#[test]
fn copies_are_as_many_as_followers_whoever_dies() {
    let mut run = run(5, WRITE, "");
    act(&mut run, "star");
    go(&mut run, 1_500);
    act(&mut run, "die");
    let one = feeds(&run).waiting();
    go(&mut run, 1_000);
    // One worker of three is left: 50 copies a second.
    assert!(feeds(&run).waiting() + 70 >= one, "{one}");
    go(&mut run, 40_000);
    let (_, post) = feeds(&run).star_post().unwrap();
    assert_eq!((post.copies, post.made), (600, 600));
    assert!(post.done.is_some());
}

#[test]
fn a_sleeper_who_returns_finds_a_feed_rebuilt_or_an_empty_page() {
    for (empty, rows) in [(0, 5..=20), (1, 0..=0)] {
        let mut run = run(6, WRITE, &format!("sleepers=1 return={empty}"));
        go(&mut run, 1_000);
        let sleeper = feeds(&run).sleeper().unwrap();
        assert!(feeds(&run).inboxes.of(sleeper).is_empty());
        act(&mut run, "sleeper");
        go(&mut run, 250);
        let feeds = feeds(&run);
        let (user, asked, is_empty) = feeds.back.unwrap();
        assert_eq!((user, is_empty), (sleeper, empty == 1));
        let page = feeds.page(user, &feeds.asked(user, 0));
        assert!(rows.contains(&page.rows.len()), "{empty}: {page:?}");
        assert_eq!(asked > 20, empty == 0, "{asked}");
    }
}

#[test]
fn what_was_deleted_unfollowed_or_is_double_falls_out_of_the_page() {
    let mut run = run(7, WRITE, "reshares=50");
    act(&mut run, "star");
    go(&mut run, 9_000);
    act(&mut run, "delete");
    go(&mut run, 5_000);
    let (number, post) = feeds(&run).star_post().unwrap();
    assert!(post.deleted.is_some());
    for user in 0..USERS as u16 {
        let page = feeds(&run).page(user, &[]);
        assert!(page.rows.iter().all(|it| it.0 != number));
    }
    assert!(feeds(&run).thrown.deleted > 50);
    act(&mut run, "collect");
    go(&mut run, 5_000);
    let collector = feeds(&run).collector;
    assert_eq!(feeds(&run).graph.follows(collector).len(), USERS - 1);
    act(&mut run, "collect");
    go(&mut run, 500);
    let feeds = feeds(&run);
    assert!(feeds.graph.follows(collector).len() < 60);
    assert!(feeds.page(collector, &[]).thrown.left > 0);
    let (mut double, all) = (0, 0..USERS as u16);
    all.for_each(|it| double += feeds.page(it, &[]).thrown.double);
    assert!(double > 0);
}

#[test]
fn a_look_at_everybody_takes_three_seconds_and_a_lossy_one_a_tenth_of_one() {
    for (lossy, asked, most) in [(500, 999, 3.3), (30, 30, 0.15)] {
        let settings = format!("looks=10 lossy={lossy}");
        let mut run = run(8, READ, &settings);
        go(&mut run, 1_000);
        act(&mut run, "collect");
        go(&mut run, 4_500);
        let (outboxes, took) = feeds(&run).collected.unwrap();
        // 500 is off.
        assert_eq!(outboxes, asked, "{lossy}");
        assert!(took.as_s() <= most, "{lossy}: {took:?}");
    }
}

#[test]
fn one_worker_serves_posts_as_m_g_1_has_it() {
    // Whoever comes first is served first, and a post takes as long as it has followers.
    let (mut sum, mut many) = (0.0, 0.0);
    let mut sizes: Vec<(f64, f64)> = Vec::new();
    for seed in 1..=6 {
        let mut run = run(seed, WRITE, "workers=1 copy=6");
        go(&mut run, 400_000);
        let feeds = feeds(&run);
        if sizes.is_empty() {
            let size = |it: u16| feeds.graph.followers(it).len() as f64 * 0.006;
            sizes.extend((1..10).map(|it| (0.15 / 9.0, size(it))));
            sizes.extend((10..USERS as u16).map(|it| (0.85 / 990.0, size(it))));
        }
        for (_, post) in feeds.last(700) {
            if let (Some(done), true) = (post.done, post.at_us > 0) {
                sum += post.age(done).as_s();
                many += 1.0;
            }
        }
    }
    let mean: f64 = sizes.iter().map(|(share, size)| share * size).sum();
    let square: f64 = sizes.iter().map(|(share, size)| share * size * size).sum();
    let cv2 = square / (mean * mean) - 1.0;
    let theory = queueing::mg1(2.0, mean, cv2).unwrap().time_in_system;
    close("time of a post", sum / many, theory, 0.1);
}

#[test]
fn on_read_looks_wait_as_four_servers_have_it() {
    let (mut sum, mut many, mut theory) = (0.0, 0.0, 0.0);
    for seed in 1..=4 {
        let mut run = run(seed, READ, "looks=35");
        act(&mut run, "fresh");
        for _ in 0..50 {
            // What is over since, for looks of the last two seconds are kept.
            go(&mut run, 2_000);
            let recent = feeds(&run).recent.iter();
            sum += recent.clone().map(|it| it.1.as_s()).sum::<f64>();
            many += recent.len() as f64;
        }
        // A look costs 5 ms and 3 ms for each outbox: of those who look, each as often.
        let feeds = feeds(&run);
        let awake = (0..USERS as u16).filter(|it| !feeds.sleeps(*it));
        let costs = awake.map(|it| 0.005 + 0.003 * feeds.graph.follows(it).len() as f64);
        let costs: Vec<f64> = costs.collect();
        let n = costs.len() as f64;
        let cost = costs.iter().sum::<f64>() / n;
        let square = costs.iter().map(|it| it * it).sum::<f64>() / n;
        let cv2 = square / (cost * cost) - 1.0;
        // Allen and Cunneen: a queue of M/M/4 by half of what varies.
        let exponential = queueing::mmc(35.0, 1.0 / cost, 4).unwrap().means;
        theory = cost + (exponential.time_in_system - cost) * (1.0 + cv2) / 2.0;
    }
    close("time of a look", sum / many, theory, 0.1);
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("looks", "how many look"), ("posts", "how many write")];
    let compared = kit::system::trial::every_design(sheet::<SocialFeed>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(compared.requests >= 5_000, "{compared:?}");
}
