//! The subject held against theory: how many come, what rows say about them, what a row costs.

use super::Bitmaps;
use super::model::{GLASS, SWEEP, Visits, growth_ms, reading};
use super::people::REGISTERED;
use super::settings::{Ids, PEOPLE, Platform, Question, Settings, Store};
use algorithms::bitmap::{Bitmap, Operation};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Model, Player, Run, Show, Time};
use std::collections::BTreeSet;

fn run(seed: u32, first: Settings, span: Time) -> Run<Visits> {
    let mut run = Run::with_knobs(sheet::<Bitmaps>(), seed, first);
    go_on(&mut run, span);
    run
}

fn go_on(run: &mut Run<Visits>, span: Time) {
    let until = run.position().at + span;
    run.run(until, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

fn act(run: &mut Run<Visits>, id: &str) {
    let spec = run.actions().iter().position(|spec| spec.id == id);
    let spec = spec.expect("the action exists");
    assert!(run.act(Act { spec, target: 0 }), "{id}");
}

fn people(row: &Bitmap) -> BTreeSet<u64> {
    let places = 0..u64::from(PEOPLE);
    places.filter(|place| row.get(*place)).collect()
}

/// 6,000 come with a chance of 0.8 a day, 36,000 with 0.09.
#[test]
fn days_any_and_every_agree_with_theory() {
    let theory = |regular: f64, occasional: f64| {
        let spread = |n: f64, p: f64| n * p * (1.0 - p);
        let mean = 6_000.0 * regular + 36_000.0 * occasional;
        let variance = spread(6_000.0, regular) + spread(36_000.0, occasional);
        (mean, variance)
    };
    let power = |base: f64| (0..7).fold(1.0, |product, _| product * base);
    let (mut day, mut any, mut every) = (0.0, 0.0, 0.0);
    for seed in 1..=20 {
        let run = run(seed, Settings::default(), Time::ZERO);
        let days: Vec<&Bitmap> = run.model().days.iter().map(|day| &*day.bits).collect();
        day += days.iter().map(|day| day.count() as f64).sum::<f64>() / 200.0;
        let of = |operation| Bitmap::combine(operation, &days[..7]).count() as f64;
        any += of(Operation::Or) / 20.0;
        every += of(Operation::And) / 20.0;
    }
    for (measured, (mean, variance), runs) in [
        (day, theory(0.8, 0.09), 200.0),
        (any, theory(1.0 - power(0.2), 1.0 - power(0.91)), 20.0),
        (every, theory(power(0.8), power(0.09)), 20.0),
    ] {
        let off = measured - mean;
        assert!(off * off < 16.0 * variance / runs, "{measured}, {mean}");
    }
}

/// What the rows say is what plain sets of people say, for every question.
#[test]
fn rows_say_what_sets_say() {
    for question in [
        Question::Today,
        Question::Any,
        Question::Every,
        Question::Fresh,
        Question::Inactive,
    ] {
        for platform in [Platform::All, Platform::Mac] {
            let first = Settings {
                question,
                platform,
                day: 20,
                ..Settings::default()
            };
            // As they are when the answer is there.
            let run = run(3, first, GLASS + SWEEP);
            let model = run.model();
            assert!(model.answered(question));
            let today: BTreeSet<u64> = model.logins[..model.written]
                .iter()
                .map(|person| u64::from(*person))
                .collect();
            assert_eq!(people(&model.today.bits), today);
            assert_eq!(today.len(), model.today.count as usize);
            assert!(model.came() > model.today.count, "some come twice");
            let days: Vec<_> = model.days.iter().map(|day| people(&day.bits)).collect();
            let on = model.people.on(platform).map(|row| people(row));
            let registered = people(&model.people.registered);
            assert_eq!(registered.len(), REGISTERED as usize);
            assert!(today.is_subset(&registered));
            let week = &days[..7];
            let expected = (0..u64::from(PEOPLE)).filter(|who| {
                let has = |set: &BTreeSet<u64>| set.contains(who);
                let asked = match question {
                    Question::Today => has(&today),
                    Question::Any => week.iter().any(has),
                    Question::Every => week.iter().all(has),
                    Question::Fresh => has(&today) && !has(&days[0]),
                    Question::Inactive => has(&registered) && !has(&today),
                };
                asked && on.as_ref().is_none_or(has)
            });
            let found = model.query.count as usize;
            assert_eq!(found, expected.count(), "{question:?}");
        }
    }
}

#[test]
fn the_audit_sees_a_bit_that_nobody_counted() {
    let run = run(1, Settings::default(), Time::s(1));
    let mut broken = run.model().clone();
    broken.today.count += 1;
    assert!(broken.audit().is_err());
    let mut broken = run.model().clone();
    broken.written += 500;
    assert!(broken.audit().is_err());
}

/// The numbering changes what a row takes and nothing else.
#[test]
fn the_same_people_come_whatever_their_numbers() {
    let of = |ids| {
        let first = Settings {
            ids,
            ..Settings::default()
        };
        run(5, first, Time::s(5))
    };
    let [counted, gaps, random] = [Ids::Counted, Ids::Gaps, Ids::Random].map(of);
    for other in [&gaps, &random] {
        assert_eq!(counted.model().logins, other.model().logins);
        assert_eq!(counted.model().answers, other.model().answers);
    }
    for (run, ids) in [
        (&counted, Ids::Counted),
        (&gaps, Ids::Gaps),
        (&random, Ids::Random),
    ] {
        let yesterday = &run.model().days[0];
        let greatest = people(&yesterday.bits)
            .last()
            .map(|who| ids.of(*who as u32));
        let greatest = greatest.expect("somebody came");
        assert_eq!(yesterday.bytes(ids), greatest / 8 + 1);
        let known = (0..PEOPLE).all(|who| ids.whose(ids.of(who)) == Some(who));
        assert!(known && (1..PEOPLE).all(|who| ids.of(who - 1) < ids.of(who)));
    }
    assert_eq!(Ids::Gaps.whose(17), None);
    assert!(random.model().memory()[0] > 130_000_000);
    // A new row of random numbers makes everybody wait once.
    assert!(random.model().growths > 0 && counted.model().growths == 0);
}

#[test]
fn a_list_is_smaller_below_one_in_thirty_two() {
    for share in [10, 22, 30, 40, 100] {
        let first = Settings {
            share,
            ..Settings::default()
        };
        let run = run(2, first, Time::ZERO);
        for day in &run.model().days {
            let few = u64::from(day.count) * 32 < day.bytes(Ids::Counted) * 8;
            assert_eq!(4 * u64::from(day.count) < day.bytes(Ids::Counted), few);
            assert_eq!(few, share <= 22, "{share}: {}", day.count);
        }
    }
}

#[test]
fn whoever_keeps_the_thread_makes_others_wait() {
    assert_eq!(reading(15_625_000), Time::us(21_094));
    for (mb, ms) in [
        (0, 0.0),
        (8, 8.0),
        (32, 30.0),
        (80, 55.0),
        (128, 80.0),
        (512, 300.0),
    ] {
        assert_eq!(growth_ms(mb << 20), ms);
    }
    for (pieces, least, most) in [(1, 14, 18), (8, 1, 3), (64, 0, 1)] {
        let first = Settings {
            pieces,
            ..Settings::default()
        };
        let mut run = run(4, first, Time::s(1));
        act(&mut run, "billion");
        go_on(&mut run, Time::ms(30));
        let waited = run.model().waited.expect("it is over");
        assert!(
            (least..=most).contains(&waited.longest),
            "{pieces}: {waited:?}"
        );
    }
    for (store, bytes) in [(Store::Bitmap, 125_000_000), (Store::List, 0)] {
        let first = Settings {
            store,
            ..Settings::default()
        };
        let mut run = run(4, first, Time::s(1));
        act(&mut run, "far");
        go_on(&mut run, Time::ms(100));
        let model = run.model();
        assert_eq!(model.today.bytes(Ids::Counted), 125_000_000);
        assert_eq!(model.waited.is_some(), bytes > 0, "a list takes four bytes");
        // The row goes with its day; ten days later it is forgotten.
        for day in 1..=11 {
            act(&mut run, "midnight");
            assert_eq!(run.model().days.iter().any(|day| day.far), day <= 10);
        }
    }
}

#[test]
fn the_three_rows_of_the_glass_give_the_third() {
    let mut run = run(1, Settings::default(), Time::s(1));
    act(&mut run, "seven");
    let model = run.model();
    let start = model.knobs.start();
    let seven = |row: &Bitmap| (0..7).fold(0, |all, at| all << 1 | u8::from(row.get(start + at)));
    assert_eq!(seven(&model.query.result), 0b111_1011);
    assert_eq!(seven(&model.days[2].bits), 0b111_1011);
    let two = [&*model.days[0].bits, &*model.days[1].bits];
    assert_eq!(seven(&Bitmap::combine(Operation::Or, &two)), 0b011_1010);
}

#[test]
fn a_day_of_another_length_goes_on_at_the_same_hour() {
    let mut run = run(1, Settings::default(), Time::s(1));
    for day in [60.0, 4.0, 37.0, 12.0] {
        let (hour, came) = (run.model().hour(run.model().now), run.model().came());
        run.set_knob("day", day).unwrap();
        run.audit().unwrap();
        assert!((run.model().hour(run.model().now) - hour).abs() < 1e-4);
        assert!(run.model().came() >= came);
        go_on(&mut run, Time::ms(300));
    }
}

#[test]
fn the_story_reaches_no_challenge() {
    for seed in 1..=3 {
        let run = Run::with_knobs(sheet::<Bitmaps>(), seed, Settings::default());
        let mut player = Player::new(Box::new(run));
        for beat in 0..player.beats().len() {
            player.jump(beat);
            player.guess(0);
            assert!(player.done().iter().all(|done| !done), "beat {beat}");
        }
    }
}
