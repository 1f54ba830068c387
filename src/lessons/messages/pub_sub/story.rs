//! The story, its predictions, and things to try.

use super::model::{BURST, Market, PUBLISHER, ROWS, TOPIC, buffer, subscriber};
use super::settings::{Full, Push, Sorted};
use super::subscriber::{ALERTS, AUDIT, LATECOMER, Lost, PHONE, SCREEN};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const SCREEN_CARD: PartId = subscriber(SCREEN);
const PHONE_CARD: PartId = subscriber(PHONE);
const ALERTS_CARD: PartId = subscriber(ALERTS);
const ALERTS_TANK: PartId = buffer(ALERTS);
const LATE_CARD: PartId = subscriber(LATECOMER);

/// Alerts was cut off, has come back, and handles prices again.
fn back_after_cut(market: &Market) -> bool {
    let alerts = &market.subscribers[ALERTS];
    alerts.cuts > 0 && alerts.connected && alerts.since_back >= 6
}

pub(super) const STORY: &[Beat<Market>] = &[
    Beat {
        id: "meet",
        points: &[TOPIC, ROWS],
        shows: &[figure(PUBLISHER, "load").is(10.0)],
        predict: Some(Prediction {
            id: "away",
            options: &["all", "latest", "none"],
            truth: |market| {
                let phone = &market.subscribers[PHONE];
                let missed = phone.lost[0] - phone.lost_away_before;
                let back = phone.life > 0 && phone.connected && phone.since_back >= 5;
                back.then_some(match missed {
                    0 => 0,
                    20.. => 2,
                    _ => 1,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "away",
        setup: &[Setup::Act("away", PHONE), Setup::Speed(1.0)],
        when: |market| {
            let phone = &market.subscribers[PHONE];
            phone.connected && phone.life > 0 && phone.since_back >= 5
        },
        points: &[ROWS, PHONE_CARD],
        shows: &[
            figure(PHONE_CARD, "missed").at_least(25.0),
            figure(PHONE_CARD, "away").is(0.0),
        ],
        predict: Some(Prediction {
            id: "slow",
            options: &["late", "most", "less"],
            truth: |market| {
                let alerts = &market.subscribers[ALERTS];
                let cycle = alerts.cuts > 0 && alerts.connected;
                let share = alerts.share();
                cycle.then_some(match () {
                    () if share > 0.9 => 0,
                    () if share > 0.785 => 1,
                    () => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "slow",
        setup: &[Setup::Act("restart", 0), Setup::Speed(3.0)],
        when: back_after_cut,
        points: &[ALERTS_TANK, ALERTS_CARD, ROWS],
        shows: &[
            figure(ALERTS_CARD, "share").within(71.0, 78.5),
            figure(ALERTS_CARD, "cuts").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "bigger",
        setup: &[
            Setup::Twin("hard", 64.0),
            Setup::Set("hard", 256.0),
            Setup::Act("restart", 0),
            Setup::Speed(6.0),
        ],
        when: back_after_cut,
        points: &[ALERTS_TANK, ALERTS_CARD],
        shows: &[
            figure(ALERTS_CARD, "first-cut").within(36.0, 40.0),
            figure(ALERTS_CARD, "share").within(72.0, 80.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "wait",
        setup: &[
            Setup::Alone,
            Setup::Set("hard", 16.0),
            Setup::Set("full", 4.0),
            Setup::Act("restart", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(12)),
        ],
        when: |market| market.stopped > 0,
        points: &[PUBLISHER, ALERTS_TANK, SCREEN_CARD],
        shows: &[
            figure(SCREEN_CARD, "rate").within(7.0, 8.9),
            figure(PUBLISHER, "rate").within(7.0, 8.9),
            figure(SCREEN_CARD, "lost").is(0.0),
            figure(ALERTS_CARD, "lost").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "latest",
        setup: &[
            Setup::Set("full", 3.0),
            Setup::Act("restart", 0),
            Setup::Wait(Time::s(8)),
        ],
        points: &[ALERTS_TANK, ALERTS_CARD],
        shows: &[
            figure(ALERTS_TANK, "waiting").at_most(4.0),
            figure(ALERTS_CARD, "age").at_most(1.0),
        ],
        predict: Some(Prediction {
            id: "sorts",
            options: &["keeps", "falls", "more"],
            truth: |market| {
                let alerts = &market.subscribers[ALERTS];
                if market.filter != Sorted::There {
                    return None;
                }
                match market.now.since(market.since) >= Time::s(20) {
                    _ if alerts.cuts > 0 => Some(1),
                    true => Some(0),
                    false => None,
                }
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "there",
        setup: &[
            Setup::Set("full", 0.0),
            Setup::Set("hard", 64.0),
            Setup::Set("filter", 1.0),
            Setup::Act("restart", 0),
            Setup::Speed(3.0),
        ],
        when: |market| market.subscribers[ALERTS].cuts > 0,
        points: &[ALERTS_TANK, ALERTS_CARD],
        shows: &[
            figure(ALERTS_CARD, "cuts").is(1.0),
            figure(ALERTS_CARD, "thrown").at_least(60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "here",
        setup: &[
            Setup::Set("filter", 2.0),
            Setup::Act("restart", 0),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(6)),
        ],
        points: &[TOPIC, ALERTS_TANK, ALERTS_CARD],
        shows: &[
            figure(ALERTS_CARD, "cuts").is(0.0),
            figure(ALERTS_CARD, "lost").is(0.0),
            figure(ALERTS_TANK, "waiting").at_most(6.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "address",
        setup: &[
            Setup::Set("push", 2.0),
            Setup::Act("away", PHONE),
            Setup::Speed(1.5),
            Setup::Wait(Time::s(7)),
        ],
        when: |market| market.subscribers[PHONE].connected && market.waiting(PHONE) == 0,
        points: &[ROWS, PHONE_CARD],
        shows: &[figure(PHONE_CARD, "lost").is(0.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "yours",
        setup: &[
            Setup::Set("push", 0.0),
            Setup::Set("filter", 0.0),
            Setup::Act("restart", 0),
            Setup::Act("join", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::s(2)),
        ],
        points: &[ROWS, LATE_CARD],
        shows: &[
            figure(LATE_CARD, "joined").is(1.0),
            figure(ROWS, "late-handled").within(5.0, 25.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Market>] = &[
    Challenge {
        id: "nobody-cut",
        progress: |market, now| {
            let alerts = &market.subscribers[ALERTS];
            let well = market.load >= 12.0
                && market.push == Push::Connection
                && alerts.rate <= 8.0
                && market.subscribers.iter().all(|one| one.cuts == 0)
                && market.stopped == 0;
            let since = Some(market.since).filter(|_| well);
            Progress::held(since, now, 30.0)
        },
        solution: &[
            Setup::Set("load", 12.0),
            Setup::Set("filter", 2.0),
            Setup::Wait(Time::s(32)),
        ],
    },
    Challenge {
        id: "burst",
        progress: |market, _| {
            let whole = market.burst_at.is_some_and(|at| at >= market.since)
                && market.subscribers.iter().all(|one| one.lost_since == 0)
                && market.stopped == 0
                && matches!(
                    market.full,
                    Full::CutOff | Full::DropNewest | Full::DropOldest
                );
            let slowest =
                [SCREEN, PHONE, AUDIT, ALERTS].map(|i| market.subscribers[i].handled_since);
            let least = slowest.into_iter().min().unwrap_or(0);
            Progress::of(if whole { f64::from(least) } else { 0.0 }, f64::from(BURST))
        },
        solution: &[
            Setup::Set("load", 4.0),
            Setup::Set("hard", 256.0),
            Setup::Set("soft", 20.0),
            Setup::Act("burst", 0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "slowest",
        progress: |market, now| {
            let screen = &market.subscribers[SCREEN];
            let slow = market.load >= 10.0
                && screen.rate >= 50.0
                && !screen.slow
                && screen.connected
                && market.blocked_for(now) >= Time::s(10)
                && screen.done.per_s(0, Time::s(5), now) < 5.0;
            Progress::all(slow)
        },
        solution: &[
            Setup::Set("full", 4.0),
            Setup::Set("alerts", 4.0),
            Setup::Wait(Time::s(40)),
        ],
    },
    Challenge {
        id: "nothing-lost",
        progress: |market, _| {
            let phone = &market.subscribers[PHONE];
            let came_back = phone.life > 0 && phone.gone == Lost::Away;
            let since = if came_back { phone.since_back } else { 0 };
            let whole = phone.lost_since == 0 && phone.connected && market.push != Push::Connection;
            Progress::of(if whole { f64::from(since) } else { 0.0 }, 40.0)
        },
        solution: &[
            Setup::Set("push", 1.0),
            Setup::Act("away", PHONE),
            Setup::Wait(Time::s(12)),
        ],
    },
    Challenge {
        id: "twice",
        progress: |market, _| {
            let twice: u64 = market.subscribers.iter().map(|one| one.twice).sum();
            Progress::all(twice > 0)
        },
        solution: &[
            Setup::Set("push", 1.0),
            Setup::Act("lose-answer", PHONE),
            Setup::Wait(Time::s(8)),
        ],
    },
];
