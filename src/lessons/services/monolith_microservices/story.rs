//! The story, its predictions, and things to try.

use super::figure::{COST, GOT, LINKS};
use super::shop::{Outage, Seen};
use super::{BOXES, MONOLITH, ONE_DATABASE, OWN_DATA};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};
use kit::system::System;

const USERS: PartId = PartId::one("users");
const BALANCER: PartId = PartId::one("balancer");
const FIRST_BOX: PartId = PartId::nth("box", 1);
const DATABASE: PartId = PartId::one("database");
const ORDER_DB: PartId = PartId::one("order-db");
const PAYMENT_DB: PartId = PartId::one("payment-db");

fn seen(system: &System) -> &Seen {
    system.own()
}

/// Whether a box has been down for so long.
fn box_down(system: &System, span: Time) -> bool {
    let members = system.node(BOXES).map(|live| live.members.iter());
    let mut down = members.into_iter().flatten().filter_map(|it| it.down);
    down.any(|since| system.now.since(since) >= span)
}

/// Product's outage, once it has lasted for so long.
fn outage(system: &System, span: Time) -> Option<Outage> {
    let outage = seen(system).outage?;
    (system.now.since(outage.began) >= span).then_some(outage)
}

/// Purchases a second in the monolith, once they have been counted for a while.
fn paid_in_boxes(system: &System) -> Option<f64> {
    let seen = seen(system);
    let counted = seen.design == MONOLITH && seen.counted(system.now) >= Time::s(9);
    counted.then(|| seen.pays_per_s(system.now))
}

pub(super) const STORY: &[Beat<System>] = &[
    Beat {
        id: "meet",
        points: &[FIRST_BOX, BALANCER],
        shows: &[
            figure(COST, "processes").is(3.0),
            figure(COST, "down").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "leak",
        setup: &[Setup::Speed(0.5)],
        when: |system| box_down(system, Time::ms(300)),
        points: &[FIRST_BOX, GOT],
        shows: &[
            figure(COST, "down").at_least(1.0),
            figure(FIRST_BOX, "down").is(1.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "split",
        setup: &[
            Setup::Twin("design", OWN_DATA as f64),
            Setup::Act("fresh", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::ms(500)),
        ],
        when: |system| box_down(system, Time::ms(800)),
        points: &[FIRST_BOX, COST],
        shows: &[
            figure(FIRST_BOX, "down").is(1.0),
            figure(COST, "processes").is(3.0),
        ],
        predict: Some(Prediction {
            id: "product",
            options: &["pages", "browse", "both"],
            truth: |system| {
                let outage = outage(system, Time::s(4))?;
                Some(match (outage.share(0) > 0.4, outage.share(1) > 0.4) {
                    (true, true) => 2,
                    (true, false) => 1,
                    _ => 0,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "product",
        setup: &[
            Setup::Alone,
            Setup::Set("leak", 0.0),
            Setup::Set("design", OWN_DATA as f64),
            Setup::Act("fresh", 0),
            Setup::Act("kill-product", 0),
            Setup::Speed(1.0),
        ],
        when: |system| outage(system, Time::s(4)).is_some_and(|outage| !outage.over),
        points: &[PartId::nth("product", 1), GOT],
        shows: &[
            figure(PartId::nth("product", 1), "down").is(1.0),
            figure(GOT, "browse failed %").at_least(40.0),
            figure(GOT, "buy failed %").at_least(40.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "hop",
        setup: &[
            Setup::Twin("design", MONOLITH as f64),
            Setup::Set("browse", 3.0),
            Setup::Act("fresh", 0),
            Setup::Speed(2.0),
            Setup::Wait(Time::s(9)),
        ],
        points: &[LINKS, GOT],
        shows: &[
            figure(GOT, "browse ms").within(530.0, 600.0),
            figure(GOT, "links ms").is(60.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "scale",
        setup: &[
            Setup::Alone,
            Setup::Set("browse", 12.0),
            Setup::Set("more", 1.0),
            Setup::Speed(1.0),
            Setup::Wait(Time::s(4)),
        ],
        points: &[PartId::nth("search", 4), COST],
        shows: &[
            figure(COST, "processes").is(13.0),
            figure(COST, "GB").is(6.5),
            figure(PartId::nth("search", 4), "down").is(0.0),
        ],
        predict: Some(Prediction {
            id: "writes",
            options: &["all", "more", "same"],
            truth: |system| {
                Some(match paid_in_boxes(system)? {
                    x if x >= 11.0 => 0,
                    x if x >= 8.0 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
        ..Beat::at_once()
    },
    Beat {
        id: "writes",
        setup: &[
            Setup::Set("design", MONOLITH as f64),
            Setup::Set("more", 0.0),
            Setup::Set("browse", 1.0),
            Setup::Set("buy", 12.0),
            Setup::Set("copies", 5.0),
            Setup::Act("fresh", 0),
            Setup::Speed(4.0),
            Setup::Wait(Time::s(14)),
        ],
        when: |system| paid_in_boxes(system).is_some(),
        points: &[DATABASE, USERS],
        shows: &[
            figure(DATABASE, "paid/s").within(5.8, 7.2),
            figure(DATABASE, "waiting").at_least(3.0),
            figure(COST, "processes").is(5.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "half",
        setup: &[
            Setup::Set("design", OWN_DATA as f64),
            Setup::Set("copies", 3.0),
            Setup::Set("browse", 5.0),
            Setup::Set("buy", 4.0),
            Setup::Act("fresh", 0),
            Setup::Act("crash-payment", 0),
            Setup::Speed(0.5),
            Setup::Wait(Time::ms(1_200)),
        ],
        when: |system| seen(system).half >= 1,
        points: &[ORDER_DB, PAYMENT_DB],
        shows: &[figure(PAYMENT_DB, "half").at_least(1.0)],
        ..Beat::at_once()
    },
    Beat {
        id: "join",
        setup: &[
            Setup::Set("buy", 2.0),
            Setup::Act("fresh", 0),
            Setup::Act("history", 0),
            Setup::Speed(0.5),
        ],
        when: |system| seen(system).history.is_some_and(|it| it.took.is_some()),
        points: &[LINKS, COST],
        shows: &[
            figure(COST, "calls").is(20.0),
            figure(COST, "history ms").at_least(1_000.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "shared",
        setup: &[
            Setup::Set("design", ONE_DATABASE as f64),
            Setup::Act("fresh", 0),
            Setup::Act("rename", 0),
            Setup::Speed(1.0),
            Setup::Wait(Time::ms(2_500)),
        ],
        when: |system| {
            let seen = seen(system);
            seen.misread >= 3 && seen.ended(1, system.now) >= 3
        },
        points: &[DATABASE, GOT],
        shows: &[
            figure(DATABASE, "renamed").is(1.0),
            figure(COST, "processes").is(12.0),
            figure(GOT, "buy failed %").at_least(40.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<System>] = &[
    Challenge {
        id: "leak-and-sell",
        progress: |system, now| {
            let seen = seen(system);
            let leaked = seen.killed > seen.killed_before;
            Progress::held(seen.sells.since().filter(|_| leaked), now, 20.0)
        },
        solution: &[
            Setup::Set("design", OWN_DATA as f64),
            Setup::Wait(Time::s(30)),
        ],
    },
    Challenge {
        id: "fast-and-whole",
        progress: |system, now| Progress::held(seen(system).quick.since(), now, 2.0),
        solution: &[Setup::Set("leak", 0.0), Setup::Wait(Time::s(40))],
    },
    Challenge {
        id: "history",
        progress: |system, _| {
            let history = seen(system).history.filter(|it| it.own_data);
            let took = history.and_then(|it| it.took);
            Progress::all(took.is_some_and(|it| it <= Time::ms(500)))
        },
        solution: &[
            Setup::Set("design", OWN_DATA as f64),
            Setup::Set("rows", 1.0),
            Setup::Act("history", 0),
            Setup::Wait(Time::s(10)),
        ],
    },
    Challenge {
        id: "only-search",
        progress: |system, _| Progress::all(seen(system).only_search.since().is_some()),
        solution: &[
            Setup::Set("design", OWN_DATA as f64),
            Setup::Set("leak", 0.0),
            Setup::Set("more", 2.0),
            Setup::Set("browse", 13.0),
            Setup::Wait(Time::s(60)),
        ],
    },
    Challenge {
        id: "ten-a-second",
        progress: |system, _| {
            let seen = seen(system);
            let rate = seen.pays_per_s(system.now);
            let near = if seen.ten.since().is_some() {
                9.5
            } else {
                rate.min(9.4)
            };
            Progress::of(near, 9.5)
        },
        solution: &[
            Setup::Set("design", OWN_DATA as f64),
            Setup::Set("copies", 5.0),
            Setup::Set("hop", 1.0),
            Setup::Set("browse", 0.0),
            Setup::Set("buy", 11.0),
            Setup::Wait(Time::s(60)),
        ],
    },
];
