//! The story, its predictions, and things to try.

use super::model::{Fleet, LOADS, RISKS, SETS, machine_part, zone_part};
use super::settings::{Rule, Zones};
use engine::claim::figure;
use engine::{Beat, Challenge, PartId, Prediction, Progress, Setup, Time};

const CLOCKWISE: f64 = 0.0;
const ZONES: f64 = 1.0;
const STRIPED: f64 = 2.0;
const HDFS: f64 = 3.0;
const CHANCE: f64 = 4.0;
const COPYSETS: f64 = 5.0;
/// The layouts of zones, by place.
const EVEN: f64 = 0.0;
const UNEVEN: f64 = 2.0;
const TWO: f64 = 3.0;
const REGIONS: f64 = 2.0;
/// The machine that dies in the story, from 0, and the zone that goes dark.
const VICTIM: usize = 3;
const ZONE: usize = 1;
/// All machines, all zones.
const MACHINE: PartId = PartId::one("machine");
const AT_ZONES: PartId = PartId::one("zone");
/// As fast as a lesson opens.
const USUAL: Setup = Setup::Speed(4.0);

/// Whether a placement of this rule has been there for a moment.
fn rests(fleet: &Fleet, rule: Rule) -> bool {
    fleet.rule() == rule
        && fleet
            .write
            .is_some_and(|write| fleet.now.since(write.at) == Time::ZERO)
}

fn zones(fleet: &Fleet, zones: Zones) -> bool {
    fleet.laid().is_some_and(|laid| laid.zones == zones)
}

/// Every accident has been tried.
fn tried(fleet: &Fleet) -> bool {
    fleet.trial.is_some_and(|trial| trial.tried == fleet.sets())
}

/// What is lost or held with the usual amounts, so that a challenge cannot be reached with next to nothing.
fn whole(fleet: &Fleet) -> bool {
    fleet
        .laid()
        .is_some_and(|laid| laid.copies == 3 && laid.partitions >= 1_024.0)
}

pub(super) const STORY: &[Beat<Fleet>] = &[
    Beat {
        id: "clockwise",
        points: &[MACHINE],
        shows: &[
            figure(SETS, "copies").is(3.0),
            figure(machine_part(0), "copies").within(200.0, 312.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "dots",
        setup: &[
            Setup::Alone,
            Setup::Set("placement", CLOCKWISE),
            Setup::Set("zones", EVEN),
            Setup::Set("copies", 3.0),
            Setup::Set("partitions", 1_024.0),
            Setup::Set("points", 1.0),
            Setup::Wait(Time::s(3)),
        ],
        when: |fleet| rests(fleet, Rule::Clockwise),
        points: &[SETS, MACHINE],
        shows: &[
            figure(SETS, "fatal").is(12.0),
            figure(SETS, "all").is(220.0),
        ],
        predict: Some(Prediction {
            id: "chance",
            options: &["one", "tenth", "nearly"],
            truth: |fleet| {
                let share = f64::from(fleet.fatal()) / f64::from(fleet.outlook.all.max(1));
                (fleet.rule() == Rule::Chance).then_some(match share {
                    ..0.03 => 0,
                    ..0.5 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "chance",
        setup: &[
            Setup::Alone,
            Setup::Set("placement", CHANCE),
            Setup::Wait(Time::s(3)),
        ],
        when: |fleet| rests(fleet, Rule::Chance),
        points: &[SETS],
        shows: &[
            figure(SETS, "fatal").at_least(210.0),
            figure(SETS, "all").is(220.0),
        ],
        predict: Some(Prediction {
            id: "mean",
            options: &["more", "same", "less"],
            truth: |fleet| {
                let trial = fleet.trial.filter(|_| tried(fleet))?;
                // The ring loses each partition once in all accidents together, as every rule does.
                Some(match trial.lost as usize {
                    lost if lost > fleet.placed.len() => 0,
                    lost if lost == fleet.placed.len() => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "mean",
        setup: &[
            USUAL,
            Setup::Alone,
            Setup::Set("placement", CHANCE),
            Setup::Twin("placement", CLOCKWISE),
            Setup::Act("each", 0),
        ],
        when: tried,
        points: &[SETS],
        shows: &[
            figure(SETS, "tried").is(220.0),
            figure(SETS, "hits").at_least(210.0),
            figure(SETS, "lost-in-all").is(1_024.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "sets",
        setup: &[
            Setup::Alone,
            Setup::Set("width", 4.0),
            Setup::Set("placement", COPYSETS),
            Setup::Wait(Time::s(3)),
        ],
        when: |fleet| rests(fleet, Rule::Copysets),
        points: &[SETS],
        shows: &[
            figure(SETS, "fatal").is(8.0),
            figure(SETS, "each").within(12.5, 12.5),
        ],
        predict: Some(Prediction {
            id: "repair",
            options: &["copysets", "chance", "equal"],
            truth: |fleet| {
                let repair = fleet.repair.filter(|_| fleet.rule() == Rule::Copysets)?;
                // By chance all others help.
                let others = fleet.machines.len().max(2) - 1;
                let chance = f64::from(repair.parts) / others as f64;
                let took = repair.took?.as_s();
                Some(match took / chance {
                    ..0.8 => 0,
                    1.25.. => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "repair",
        setup: &[
            Setup::Speed(12.0),
            Setup::Set("streams", 2.0),
            Setup::Twin("placement", CHANCE),
            Setup::Act("kill", VICTIM),
        ],
        when: |fleet| fleet.repair.is_some_and(|repair| repair.took.is_some()),
        points: &[RISKS, MACHINE],
        shows: &[
            figure(RISKS, "took").within(55.0, 80.0),
            figure(RISKS, "senders").is(4.0),
            figure(RISKS, "receivers").is(2.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "zone",
        setup: &[
            USUAL,
            Setup::Alone,
            Setup::Set("alternate", 0.0),
            Setup::Set("placement", CLOCKWISE),
            Setup::Twin("placement", ZONES),
            // The twin has kept its placement, and with it what happened to it.
            Setup::Act("anew", 0),
            Setup::Act("dark", ZONE),
            Setup::Wait(Time::s(2)),
        ],
        when: |fleet| fleet.dark.is_some() && fleet.write.is_some_and(|write| write.refused),
        points: &[zone_part(ZONE as u8), SETS],
        shows: &[
            figure(SETS, "stuck").within(28.0, 39.0),
            figure(SETS, "gone").within(4.0, 13.0),
        ],
        predict: Some(Prediction {
            id: "uneven",
            options: &["same", "twice", "half"],
            truth: |fleet| {
                (zones(fleet, Zones(&[6, 3, 3])) && fleet.rule().spreads()).then_some(
                    match fleet.outlook.small {
                        ..0.75 => 2,
                        ..1.5 => 0,
                        _ => 1,
                    },
                )
            },
            hides: &[],
        }),
    },
    Beat {
        id: "uneven",
        setup: &[
            Setup::Alone,
            Setup::Set("placement", STRIPED),
            Setup::Set("zones", UNEVEN),
            Setup::Wait(Time::s(3)),
        ],
        when: |fleet| rests(fleet, Rule::Striped) && zones(fleet, Zones(&[6, 3, 3])),
        points: &[LOADS, AT_ZONES],
        shows: &[figure(LOADS, "small").within(1.95, 2.05)],
        predict: Some(Prediction {
            id: "two",
            options: &["all", "half", "nothing"],
            truth: |fleet| {
                let dark = zones(fleet, Zones(&[6, 6])) && fleet.dark.is_some();
                let share = f64::from(fleet.stuck) / fleet.placed.len().max(1) as f64;
                dark.then_some(match share {
                    ..0.25 => 0,
                    ..0.75 => 1,
                    _ => 2,
                })
            },
            hides: &[],
        }),
    },
    Beat {
        id: "two",
        setup: &[
            Setup::Alone,
            Setup::Set("placement", STRIPED),
            Setup::Set("zones", TWO),
            Setup::Act("dark", ZONE),
            Setup::Wait(Time::s(2)),
        ],
        when: |fleet| fleet.dark.is_some() && fleet.write.is_some_and(|write| write.refused),
        points: &[zone_part(ZONE as u8), SETS],
        shows: &[
            figure(SETS, "stuck").within(48.0, 52.0),
            figure(SETS, "gone").is(0.0),
        ],
        ..Beat::at_once()
    },
    Beat {
        id: "far",
        setup: &[
            Setup::Alone,
            Setup::Set("placement", STRIPED),
            Setup::Set("zones", EVEN),
            Setup::Set("between", REGIONS),
            Setup::Wait(Time::s(3)),
        ],
        when: |fleet| rests(fleet, Rule::Striped) && zones(fleet, Zones(&[4, 4, 4])),
        points: &[RISKS],
        shows: &[
            figure(RISKS, "write").is(80.0),
            figure(RISKS, "zone").is(0.0),
        ],
        ..Beat::at_once()
    },
];

pub(super) const CHALLENGES: &[Challenge<Fleet>] = &[
    Challenge {
        id: "writable",
        progress: |fleet, _| {
            let right = whole(fleet) && fleet.zones >= 3;
            let survived = if right {
                fleet.survived.count_ones()
            } else {
                0
            };
            Progress::of(f64::from(survived), f64::from(fleet.zones.max(3)))
        },
        solution: &[
            Setup::Set("placement", STRIPED),
            Setup::Act("dark", 0),
            Setup::Wait(Time::s(1)),
            Setup::Act("light", 0),
            Setup::Act("dark", 1),
            Setup::Wait(Time::s(1)),
            Setup::Act("light", 0),
            Setup::Act("dark", 2),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "eight",
        progress: |fleet, _| {
            let right = whole(fleet) && fleet.outlook.zone == 0.0 && fleet.out() == 0;
            let few = 8.0 / f64::from(fleet.fatal().max(1));
            Progress::of(if right { few } else { 0.0 }, 1.0)
        },
        solution: &[Setup::Set("placement", COPYSETS), Setup::Wait(Time::s(1))],
    },
    Challenge {
        id: "half-minute",
        progress: |fleet, _| {
            let usual = whole(fleet) && fleet.laid().is_some_and(|laid| laid.streams == 1);
            let right = usual && fleet.outlook.zone == 0.0;
            let repair = fleet.repair.filter(|repair| right && repair.parts >= 150);
            let took = repair.and_then(|repair| repair.took);
            Progress::of(took.map_or(0.0, |took| 30.0 / took.as_s()), 1.0)
        },
        solution: &[
            Setup::Set("placement", HDFS),
            Setup::Act("kill", VICTIM),
            Setup::Wait(Time::s(32)),
        ],
    },
    Challenge {
        id: "level",
        progress: |fleet, _| {
            let right = whole(fleet) && zones(fleet, Zones(&[6, 3, 3])) && fleet.out() == 0;
            let right = right && fleet.outlook.zone == 0.0;
            Progress::of(
                if right {
                    1.15 / fleet.outlook.fullest
                } else {
                    0.0
                },
                1.0,
            )
        },
        solution: &[
            Setup::Set("zones", UNEVEN),
            Setup::Set("alternate", 1.0),
            Setup::Wait(Time::s(1)),
        ],
    },
    Challenge {
        id: "ten",
        progress: |fleet, _| {
            let (all, hit) = fleet.accidents;
            let right = whole(fleet) && hit <= 1;
            Progress::of(if right { f64::from(all) } else { 0.0 }, 10.0)
        },
        solution: TEN,
    },
];

/// An accident, and everything placed anew; ten times.
const TEN: &[Setup] = &[
    Setup::Set("placement", COPYSETS),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Act("anew", 0),
    Setup::Act("several", 0),
    Setup::Wait(Time::s(1)),
];
