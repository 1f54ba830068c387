//! The page held against counting trips, and what loss, idle ends and news do to it.

use super::model::{Post, act};
use super::state::{Hears, Page, Row, Settings, Tls, Way};
use super::{Browsing, ClientServer};
use engine::lesson::sheet;
use engine::show::Watch;
use engine::{Act, Run, Show, Time};

fn run(first: Settings, span: Time) -> Run<Browsing> {
    let mut run = Run::with_knobs(sheet::<ClientServer>(), 1, first);
    run.run(span, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
    run
}

/// Each row wants, opens, asks and gets in this order.
fn rows_are_in_order(page: &Page) -> bool {
    page.rows.iter().all(|row| {
        let first = [Some(row.wanted), row.opened, row.ready];
        let then = [row.sent, row.served, row.done];
        first.iter().chain(&then).flatten().is_sorted()
    })
}

#[test]
fn every_design_takes_what_counting_trips_says() {
    for way in Way::ALL {
        for tls in [Tls::None, Tls::Tls12, Tls::Resumed, Tls::Tls13, Tls::Early] {
            for (files, rtt, server, first) in [
                (10, 100.0, 20.0, true),
                (10, 100.0, 0.0, false),
                (12, 35.0, 50.0, true),
                (1, 50.0, 10.0, false),
                (6, 30.0, 5.0, false),
                (7, 5.0, 500.0, true),
            ] {
                let settings = Settings {
                    way,
                    tls,
                    files,
                    rtt,
                    server,
                    first,
                    ..Settings::default()
                };
                let run = run(settings.clone(), Time::s(20));
                let page = &run.model().page;
                let counted = settings.theory(way, false);
                assert_eq!(page.total(), Some(counted), "{settings:?}");
                assert!(rows_are_in_order(page), "{settings:?}");
            }
        }
    }
}

fn act(run: &mut Run<Browsing>, spec: usize, span: Time) {
    run.act(Act { spec, target: 0 });
    run.run(run.position().at + span, Watch::Nothing, u64::MAX);
    run.audit().unwrap();
}

/// How many files came later than without a loss, and how much later the last.
fn loss(way: Way) -> (usize, u32, Time) {
    let settings = Settings {
        way,
        idle: 75.0,
        ..Settings::default()
    };
    let mut run = run(settings, Time::s(5));
    act(&mut run, act::CLICK, Time::s(5));
    let clean = run.model().page.clone();
    act(&mut run, act::LOSE, Time::s(5));
    let lossy = &run.model().page;
    assert_eq!((lossy.losses, lossy.clean), (1, false));
    let late = clean.rows.iter().zip(&lossy.rows).filter(|(well, ill)| {
        let took = |page: &Page, row: &Row| row.done.unwrap().since(page.begun);
        took(lossy, ill) > took(&clean, well)
    });
    let more = lossy.total().unwrap().since(clean.total().unwrap());
    (late.count(), lossy.behind, more)
}

#[test]
fn a_lost_segment_holds_all_of_tcp_and_one_stream_of_quic() {
    // A time-out of the round trip and 200 ms.
    assert_eq!(loss(Way::Http2), (9, 8, Time::ms(300)));
    assert_eq!(loss(Way::Http3), (1, 0, Time::ms(300)));
    let (late, behind, _) = loss(Way::KeptSix);
    assert!((1..=3).contains(&late) && behind == 0, "{late}");
}

#[test]
fn a_lost_answer_to_the_opening_costs_a_second() {
    let mut run = run(Settings::default(), Time::ZERO);
    act(&mut run, act::LOSE, Time::s(8));
    let page = &run.model().page;
    assert_eq!(page.total(), Some(Time::ms(4_200)));
    assert_eq!((page.losses, page.clean), (1, false));
    let mut run = Run::with_knobs(sheet::<ClientServer>(), 1, Settings::default());
    act(&mut run, act::LOSE, Time::ms(200));
    act(&mut run, act::LOSE, Time::s(10));
    let page = &run.model().page;
    assert_eq!(
        (page.total(), page.losses),
        (Some(Time::ms(3_200 + 1_000 + 2_000)), 2)
    );
}

#[test]
fn a_get_is_tried_again_and_a_post_is_not() {
    let settings = Settings {
        way: Way::KeptOne,
        idle: 1.0,
        ..Settings::default()
    };
    let mut run = run(settings, Time::s(2));
    act(&mut run, act::RACE, Time::s(4));
    assert_eq!(run.model().post, Post::Failed);
    let mut run = Run::with_knobs(
        sheet::<ClientServer>(),
        1,
        Settings {
            way: Way::Http2,
            ..Settings::default()
        },
    );
    run.run(Time::ms(380), Watch::Nothing, u64::MAX);
    act(&mut run, act::RESTART, Time::s(4));
    let page = &run.model().page;
    assert_eq!((page.answered(), page.clean), (10, false));
}

#[test]
fn a_connection_that_idles_too_long_is_closed_and_the_next_click_opens_another() {
    for (wait_s, trips) in [(4, 10), (6, 12)] {
        let settings = Settings {
            way: Way::KeptOne,
            ..Settings::default()
        };
        let mut run = run(settings, Time::ms(1_400) + Time::s(wait_s));
        act(&mut run, act::CLICK, Time::s(4));
        assert_eq!(run.model().page.trips, trips);
    }
}

#[test]
fn news_are_as_old_as_theory_says() {
    let mean = |hears, span| {
        let settings = Settings {
            hears,
            idle: 75.0,
            ..Settings::default()
        };
        let run = run(settings, Time::s(span));
        let office = run.model();
        (office.age_mean().unwrap(), office.asked_per_min())
    };
    let theory = algorithms::connections::poll_delay_mean(5.0, 0.1);
    let (age, asked) = mean(Hears::Poll, 7_000);
    assert!((age - theory).abs() < 0.1, "{age} for {theory}");
    assert!((asked - 12.0).abs() < 0.1, "{asked}");
    let (age, asked) = mean(Hears::LongPoll, 600);
    assert!(age < 0.1 && asked < 20.0, "{age}, {asked}");
    let (age, asked) = mean(Hears::WebSocket, 600);
    assert!((age - 0.05).abs() < 1e-6 && asked < 0.2, "{age}, {asked}");
}

#[test]
fn the_upgrade_is_really_computed() {
    let settings = Settings {
        hears: Hears::WebSocket,
        ..Settings::default()
    };
    let run = run(settings, Time::s(3));
    let (key, proof) = run.model().handshake();
    assert_eq!((key.len(), proof.len()), (24, 28));
    assert_eq!(algorithms::websocket::accept(&key), proof);
}

#[test]
fn early_data_needs_a_server_that_was_met_before() {
    let settings = Settings {
        way: Way::Http3,
        tls: Tls::Early,
        idle: 1.0,
        ..Settings::default()
    };
    let mut run = run(settings, Time::s(3));
    assert_eq!(run.model().page.total(), Some(Time::ms(340)));
    act(&mut run, act::CLICK, Time::s(2));
    assert_eq!(run.model().page.total(), Some(Time::ms(240)));
}

#[test]
fn a_poll_that_meets_the_end_of_its_connection_in_the_same_microsecond_is_asked_again() {
    let settings = Settings {
        hears: Hears::Poll,
        server: 0.0,
        ..Settings::default()
    };
    let run = run(settings, Time::s(61));
    let office = run.model();
    // Every five seconds, and the server keeps what is idle for as long: every other poll meets the end, and what opens
    // for it anew is late enough for the next.
    assert_eq!(office.asked, 13);
    assert!(office.ages.1 > 5);
    let news = office.conn(super::state::NEWS_SLOT);
    assert!(news.is_some_and(|conn| conn.number > 10 + 1 + 3));
}
