//! Clocks, polls, bursts and losses, held against arithmetic.

use super::{Lending, QUEUE, Seen, WORKERS, asked, deliveries};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time, knobs};
use kit::system::{Count, System, Values};

fn run(seed: u32, settings: &[(&str, f64)]) -> Run<System> {
    let mut first = Values::first(&Lending);
    for (id, value) in settings {
        knobs::set(&mut first, id, *value).unwrap();
    }
    Run::with_knobs(sheet::<Lending>(), seed, first)
}

fn act(run: &mut Run<System>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id).unwrap();
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn go(run: &mut Run<System>, s: u64) {
    let until = run.position().at + Time::s(s);
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// No orders but the one that this sends.
const ALONE: (&str, f64) = ("orders", 0.0);

#[test]
fn work_longer_than_the_clock_is_sent_three_times_and_filed_as_dead() {
    // Lent at 0, 4 and 8 s; receipts stale at 5 and 9; put aside at 12; the last receipt finds nothing.
    let mut run = run(1, &[ALONE, ("work", 5.0)]);
    let sends = |run: &Run<System>| run.model().own::<Seen>().orders.back().map(|it| it.sent);
    let dead = |run: &Run<System>| run.model().row(QUEUE).of(Count::Buried);
    run.set_knob("orders", 1.0).unwrap();
    while run.model().requests() == 0 {
        run.run(run.position().at + Time::ms(10), Watch::Nothing, u64::MAX);
    }
    run.set_knob("orders", 0.0).unwrap();
    assert_eq!(run.model().requests(), 1);
    go(&mut run, 4);
    assert_eq!((sends(&run), dead(&run)), (None, 0));
    go(&mut run, 2);
    assert_eq!((sends(&run), dead(&run)), (Some(1), 0));
    go(&mut run, 4);
    assert_eq!((sends(&run), dead(&run)), (Some(2), 0));
    go(&mut run, 4);
    assert_eq!((sends(&run), dead(&run)), (Some(3), 1));
    let row = run.model().row(QUEUE);
    assert_eq!((row.of(Count::Lent), row.of(Count::Deleted)), (3, 0));
    assert!(run.model().shelf(QUEUE).unwrap().queue().is_empty());
}

#[test]
fn polls_find_nothing_as_often_as_poisson_says() {
    // Five ask each 1.1 s and share orders that come each 10 s; with patience each order and each end of a wait is a request.
    for (polling, least, most) in [(0.0, 260.0, 285.0), (1.0, 12.0, 24.0)] {
        let mut run = run(2, &[("orders", 0.1), ("polling", polling)]);
        go(&mut run, 600);
        let row = run.model().row(QUEUE);
        let per_minute = f64::from(row.of(Count::Asked)) / 10.0;
        assert!(
            (least..=most).contains(&per_minute),
            "{polling}: {per_minute} a minute"
        );
        let found = per_minute - f64::from(row.of(Count::Empty)) / 10.0;
        assert!((found - 6.0).abs() < 1.5, "{polling}: {found} found");
        let (last, _) = asked(run.model(), run.model().now).unwrap();
        assert!((least - 8.0..=most + 8.0).contains(&last), "{last}");
    }
}

#[test]
fn a_burst_drains_at_capacity_less_arrivals() {
    // An order costs a worker 0.4 s and two ways of 50 ms: five do ten a second.
    for seed in 1..=3 {
        let mut run = run(seed, &[]);
        act(&mut run, "burst");
        go(&mut run, 240);
        let (from, to) = run.model().own::<Seen>().burst.unwrap();
        let took = to.unwrap().since(from).as_s();
        assert!((took - 167.0).abs() < 25.0, "seed {seed}: {took}");
    }
}

#[test]
fn a_heartbeat_keeps_what_lives_and_lets_go_what_dies() {
    let slow = [("work", 5.0), ("orders", 0.5), ("heartbeat", 1.0)];
    let mut run = run(3, &slow);
    go(&mut run, 60);
    let row = run.model().row(QUEUE);
    assert!(
        row.of(Count::Deleted) >= 20 && row.of(Count::Again) == 0,
        "{row:?}"
    );
    act(&mut run, "kill");
    let number = run.model().own::<Seen>().killed.unwrap().number;
    assert!(number > 0);
    go(&mut run, 5);
    let killed = run.model().own::<Seen>().killed.unwrap();
    let after = killed.again.unwrap().since(killed.at);
    assert!(after <= Time::s(4), "{after:?}");
}

#[test]
fn a_lost_receipt_is_a_second_e_mail_unless_the_provider_knows_the_order() {
    for (key, sent) in [(0.0, 2), (1.0, 1)] {
        let mut run = run(4, &[("key", key)]);
        act(&mut run, "lose");
        go(&mut run, 8);
        let seen = run.model().own::<Seen>();
        let order = seen.order(seen.lost).unwrap();
        assert_eq!((order.done, order.sent), (2, sent));
    }
}

#[test]
fn whoever_takes_ten_lets_nine_clocks_run() {
    let mut run = run(5, &[("batch", 10.0), ("work", 1.0), ("orders", 6.0)]);
    go(&mut run, 2);
    run.set_knob("deliveries", 10.0).unwrap();
    go(&mut run, 90);
    let (first, again) = deliveries(run.model());
    assert!(again * 2 >= first, "{again} of {first}");
}

#[test]
fn what_is_sent_is_somewhere() {
    for seed in 1..=3 {
        let mut run = run(seed, &[("work", 3.0), ("retention", 60.0), ("spread", 1.0)]);
        for act_id in ["poison", "lose", "kill", "redrive", "burst", "kill"] {
            let spec = run.actions().iter().position(|spec| spec.id == act_id);
            run.act(Act {
                spec: spec.unwrap(),
                target: 0,
            });
            go(&mut run, 25);
        }
        let totals = run.model().shelf(QUEUE).unwrap().queue().totals();
        assert!(totals.expired > 0 && totals.dead_lettered > 0, "{totals:?}");
        let done = run.model().row(WORKERS).of(Count::Done);
        assert!(u64::from(done) >= totals.deleted, "{done} {totals:?}");
    }
}

#[test]
fn every_design_meets_the_same_requests() {
    let crowd = [("orders", "how many come")];
    let compared = kit::system::trial::every_design(sheet::<Lending>(), &crowd)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        compared.requests >= 5_400 && compared.works >= 4_500,
        "{compared:?}"
    );
}
