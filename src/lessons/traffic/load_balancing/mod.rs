//! Load balancing: one door, many servers. Who gets the next request?

mod story;

#[cfg(test)]
mod tests;

use algorithms::balancer::Policy;
use engine::tape::NoteId;
use engine::{
    ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Scene, Sheet,
    Statistic, Time,
};
use kit::flow::Holds;
use kit::system::{
    Call, Count, Crowd, Cx, Deed, Dial, Gate, Health, Kind, Node, NodeId, Own, Plan, Script,
    Service, Spread, System, Values, Wire, WireId, draw, face, probe,
};

/// The lesson.
pub struct Balancing;

/// Who sends requests.
pub const CLIENTS: NodeId = NodeId(0);
/// Who passes them on.
pub const BALANCER: NodeId = NodeId(1);
/// Who works on them.
pub const SERVERS: NodeId = NodeId(2);
const DOOR: WireId = WireId(0);
const LINK: WireId = WireId(1);

/// One way along one link. Stretched, so that requests can be seen travelling; latency leaves it out.
const HOP: Time = Time::ms(80);
/// The most servers there can be.
const SERVERS_MAX: u32 = 8;
/// Clients: few enough to tell apart; the first ones are busier, like offices behind one router.
const PEOPLE: u16 = 6;

const CLIENTS_PART: PartId = PartId::one("clients");
const DOOR_PART: PartId = PartId::one("door");
const BALANCER_PART: PartId = PartId::one("balancer");
/// How long it runs unseen, so that links and windows are full.
const WARM_UP: Time = Time::s(5);

const POLICIES: [Policy; 6] = Policy::ALL;
/// Their names on the stage.
const POLICY_WORDS: [&str; 6] = [
    "stage.policy.random",
    "stage.policy.round-robin",
    "stage.policy.weighted",
    "stage.policy.least-connections",
    "stage.policy.two-choices",
    "stage.policy.ip-hash",
];
const SPREADS: [Spread; 3] = [Spread::Fixed, Spread::Exponential, Spread::HeavyTailed];

const fn size(id: &'static str, server: u16) -> Dial {
    Dial::slider(id, [0.5, 4.0, 0.5], "×", 1.0).of(PartId::nth("server", server))
}

const DIALS: &[Dial] = &[
    Dial::choice(
        "policy",
        &[
            "random",
            "round-robin",
            "weighted",
            "least-connections",
            "two-choices",
            "ip-hash",
        ],
        1,
    ),
    Dial::slider("load", [2.0, 200.0, 1.0], "req/s", 30.0),
    Dial::whole("servers", [1, SERVERS_MAX], 3),
    Dial::slider("service", [10.0, 400.0, 5.0], "ms", 100.0),
    Dial::choice("spread", &["fixed", "exponential", "heavy"], 1),
    Dial::slider("check", [0.5, 10.0, 0.5], "s", 1.0),
    Dial::whole("workers", [1, 8], 2),
    Dial::whole("queue", [0, 60], 24),
    Dial::slider("timeout", [0.5, 10.0, 0.5], "s", 3.0),
    Dial::whole("fall", [1, 5], 2),
    Dial::whole("rise", [1, 5], 2),
    size("speed-1", 1),
    size("speed-2", 2),
    size("speed-3", 3),
    size("speed-4", 4),
    size("speed-5", 5),
    size("speed-6", 6),
    size("speed-7", 7),
    size("speed-8", 8),
];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::aimed("crash", "server"),
    ActionSpec::aimed("slow", "server"),
    ActionSpec::aimed("recover", "server"),
    ActionSpec::whole("spike"),
    ActionSpec::turning("add", "servers", 1.0),
    ActionSpec::turning("remove", "servers", -1.0),
];

const DEEDS: &[Deed] = &[
    Deed::Crash(SERVERS),
    Deed::Slow(SERVERS, 0.2),
    Deed::Recover(SERVERS),
    Deed::Surge(CLIENTS, 3.0, Time::s(5)),
    Deed::Turn,
    Deed::Turn,
];

/// What the story and the challenges must know beyond the ledger.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Nothing fails at 100 requests a second or more.
    clean: Holds,
    /// A server is slow and every queue has at most three waiting, at 40 requests a second or more.
    calm: Holds,
    failed: u32,
    turned: Time,
    crash: Option<Crash>,
    slowed: Option<Slowed>,
    /// What was last said of the link to each server.
    links: Vec<Way>,
    /// Nothing has been said since then but what is said of every request.
    settled: bool,
    /// What was last said of how the balancer chooses.
    policy: Option<Policy>,
}

/// What has been sent when a server fell ill: to it and to all.
#[derive(Clone, Copy, Debug)]
struct Slowed {
    sent: u32,
    all: u32,
}

/// How a link to a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Its server is down, and requests are sent there all the same.
    Dead,
    /// Nothing is sent there.
    Spared,
}

/// The last crash, until the checks have noticed it.
#[derive(Clone, Copy, Debug)]
struct Crash {
    server: PartId,
    at: Time,
    /// All other servers were well.
    alone: bool,
    load_per_s: f64,
    noticed: Option<Time>,
    picked: u32,
    picked_dead: u32,
}

impl Script for Balancing {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let mut clients = Crowd::poisson(knobs.get("load"), Call::over(DOOR));
        (clients.people, clients.skew) = (PEOPLE, 2.0);
        let mut service = Service::new(
            knobs.whole("workers"),
            knobs.whole("queue"),
            knobs.ms("service"),
            SPREADS[knobs.whole("spread") as usize],
        );
        service.patience = Some(knobs.s("timeout"));
        let count = knobs.whole("servers") as usize;
        let mut servers = Node::many(SERVERS, "server", Kind::Service(service), count);
        let sizes = DIALS.iter().filter(|dial| dial.knob.part.is_some());
        servers.sizes = sizes.map(|dial| knobs.get(dial.knob.id)).collect();
        let gate = Gate {
            routes: vec![LINK],
            ..Gate::default()
        };
        let link = Wire {
            policy: POLICIES[knobs.whole("policy") as usize],
            health: Some(Health {
                every: knobs.s("check"),
                fall: knobs.whole("fall"),
                rise: knobs.whole("rise"),
            }),
            ..Wire::new(LINK, BALANCER, SERVERS, "link", HOP)
        };
        Plan {
            nodes: vec![
                Node::one(CLIENTS, "clients", Kind::Crowd(clients)),
                Node::one(BALANCER, "balancer", Kind::Gate(gate)),
                servers,
            ],
            wires: vec![Wire::new(DOOR, CLIENTS, BALANCER, "door", HOP), link],
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::default())
    }

    fn heard(&self, note: &Note, system: &mut System) {
        let now = system.now;
        if !matches!(note.word, "picked" | "waits" | "answered") {
            system.own_mut::<Seen>().settled = false;
        }
        let Some(part) = note.part else { return };
        match note.word {
            "picked" => {
                let crash = system.own_mut::<Seen>().crash.as_mut();
                if let Some(crash) = crash.filter(|crash| crash.noticed.is_none()) {
                    crash.picked += 1;
                    crash.picked_dead += u32::from(part == crash.server);
                }
            }
            "crashed" => {
                let load_per_s = system.load_per_s(CLIENTS);
                let ill = |i: usize| server(system, i).is_some_and(|it| it.ill);
                let alone = (0..servers(system))
                    .all(|i| PartId::nth("server", i as u16 + 1) == part || !ill(i));
                let out = (0..servers(system)).any(|i| {
                    PartId::nth("server", i as u16 + 1) == part
                        && server(system, i).is_some_and(|it| it.out)
                });
                system.own_mut::<Seen>().crash = Some(Crash {
                    server: part,
                    at: now,
                    alone,
                    load_per_s,
                    noticed: out.then_some(now),
                    picked: 0,
                    picked_dead: 0,
                });
            }
            "slowed" => {
                let all = (0..servers(system)).filter_map(|i| server(system, i));
                let all: u32 = all.map(|server| server.sent).sum();
                let here = (0..servers(system))
                    .find(|i| PartId::nth("server", *i as u16 + 1) == part)
                    .and_then(|i| server(system, i));
                let sent = here.map_or(0, |server| server.sent);
                system.own_mut::<Seen>().slowed = Some(Slowed { sent, all });
            }
            "ejected" => {
                let crash = system.own_mut::<Seen>().crash.as_mut();
                if let Some(crash) = crash.filter(|crash| crash.server == part) {
                    crash.noticed = Some(now);
                }
            }
            _ => {}
        }
    }

    fn look(&self, system: &mut System, _knobs: &Values, now: Time) {
        let load = system
            .node(CLIENTS)
            .map_or(0.0, |live| match &live.node.kind {
                Kind::Crowd(crowd) => crowd.arrivals.per_s(now),
                _ => 0.0,
            });
        let failed = |node| {
            system
                .node(node)
                .map_or(0, |live| live.row.of(Count::Failed))
        };
        let failed = failed(SERVERS) + failed(BALANCER);
        // Called after every event: the queues are looked at only when it matters.
        let members = || {
            let live = system.node(SERVERS).into_iter();
            live.flat_map(|live| live.members.iter())
        };
        let calm = load >= 40.0
            && system.own::<Seen>().slowed.is_some()
            && members().any(|member| member.own.rate < 1.0)
            && members().all(|member| member.own.pool.queue.len() <= 3);
        let turned = system.turned;
        let seen = system.own_mut::<Seen>();
        if seen.turned != turned || seen.failed != failed {
            seen.clean.restart(now);
        }
        if seen.turned != turned {
            seen.calm.restart(now);
        }
        (seen.turned, seen.failed) = (turned, failed);
        seen.clean.set(load >= 100.0, now);
        seen.calm.set(calm, now);
    }

    fn report(&self, system: &mut System, _knobs: &Values, cx: Cx<'_, '_>) {
        let policy = system.wire(LINK).map(|wire| wire.wire.policy);
        let seen = system.own::<Seen>();
        // Called after every event, and nearly always nothing has changed.
        if seen.policy == policy
            && seen.links.len() == servers(system)
            && (seen.settled || ways(system).eq(seen.links.iter().copied()))
        {
            system.own_mut::<Seen>().settled = true;
            return;
        }
        let ways: Vec<Way> = ways(system).collect();
        let (before, chose) = (seen.links.clone(), seen.policy);
        let cause = cx.cause();
        // Before anybody looks, what the parts are there for.
        if before.is_empty() && cx.now() < WARM_UP {
            let load = Arg::Number(system.load_per_s(CLIENTS));
            for note in [
                Note::new("clients-send").with(load).about(CLIENTS_PART),
                Note::new("door-leads").about(DOOR_PART),
                Note::new("passes-on").about(BALANCER_PART),
            ] {
                cx.because(NoteId::NONE);
                cx.say(note);
            }
        }
        if let Some(policy) = policy.filter(|policy| chose.is_some_and(|chose| chose != *policy)) {
            cx.because(cause);
            let word =
                Arg::Word(POLICY_WORDS[POLICIES.iter().position(|it| *it == policy).unwrap_or(0)]);
            cx.say(Note::new("chooses").with(word).about(BALANCER_PART));
        }
        let told = !before.is_empty() || cx.now() < WARM_UP;
        for (i, way) in ways.iter().enumerate().filter(|_| told) {
            let word = match (way, before.get(i)) {
                (now, Some(then)) if now == then => continue,
                (Way::Open, _) => "link-open",
                (Way::Dead, _) => "link-dead",
                (Way::Spared, _) => "link-spared",
            };
            let (link, name) = (
                PartId::nth("link", i as u16 + 1),
                PartId::nth("server", i as u16 + 1),
            );
            cx.because(if before.is_empty() {
                NoteId::NONE
            } else {
                cause
            });
            cx.say(Note::new(word).with(Arg::Part(name)).about(link));
        }
        cx.because(cause);
        let seen = system.own_mut::<Seen>();
        (seen.links, seen.policy) = (ways, policy);
    }

    fn remark(&self, wire: WireId, scene: &Scene) -> Vec<String> {
        if wire == DOOR {
            vec![
                scene.say("stretched", &[Arg::Span(HOP)]),
                scene.say("really", &[]),
            ]
        } else {
            Vec::new()
        }
    }

    fn line(&self, node: NodeId, member: usize, system: &System, scene: &Scene) -> Option<String> {
        let wire = system.wire(LINK)?;
        let by_address = wire.wire.policy == Policy::IpHash;
        if node == CLIENTS {
            let letters: Vec<String> = (0..PEOPLE).map(|person| face(person).to_string()).collect();
            return by_address.then(|| letters.join(" "));
        }
        if node != SERVERS {
            return None;
        }
        let sent = Arg::Count(i64::from(wire.sent.get(member).copied().unwrap_or(0)));
        // What a crash has cost is counted until the server is back.
        let gone = server(system, member).is_some_and(|it| it.down || it.out);
        let crash = system.since("crashed").filter(|_| gone);
        let failed = crash.map_or(0, |since| since.member(SERVERS, member).of(Count::Failed));
        if failed > 0 {
            return Some(scene.say("sent-failed", &[sent, Arg::Count(i64::from(failed))]));
        }
        let mut line = scene.say("sent", &[sent]);
        if by_address {
            let goes = |person: &u16| {
                let address = system.address(*person);
                wire.balancer
                    .clone()
                    .pick(Policy::IpHash, address, &mut NoDice)
                    == Some(member)
            };
            let letters: Vec<String> = (0..PEOPLE)
                .filter(goes)
                .map(|person| face(person).to_string())
                .collect();
            if !letters.is_empty() {
                line = format!("{line} · {}", letters.join(" "));
            }
        }
        Some(line)
    }
}

/// A hash draws nothing.
struct NoDice;

impl rand::TryRng for NoDice {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

/// What the story asks about a server.
struct Server {
    down: bool,
    slow: bool,
    /// Down or slow.
    ill: bool,
    /// Out of rotation.
    out: bool,
    waiting: usize,
    done: u32,
    sent: u32,
}

fn servers(system: &System) -> usize {
    system.node(SERVERS).map_or(0, |live| live.members.len())
}

fn server(system: &System, index: usize) -> Option<Server> {
    let member = system.node(SERVERS)?.members.get(index)?;
    let wire = system.wire(LINK)?;
    let (down, slow) = (member.down.is_some(), member.own.rate < 1.0);
    Some(Server {
        down,
        slow,
        ill: down || slow,
        out: wire.out(index),
        waiting: member.own.pool.queue.len(),
        done: member.own.row.of(Count::Done),
        sent: wire.sent.get(index).copied().unwrap_or(0),
    })
}

/// How the link to each server is.
fn ways(system: &System) -> impl Iterator<Item = Way> {
    let ends = system.node(SERVERS).zip(system.wire(LINK));
    ends.into_iter().flat_map(|(servers, wire)| {
        let members = servers.members.iter().enumerate();
        members.map(|(i, member)| match (wire.out(i), member.down.is_some()) {
            (true, _) => Way::Spared,
            (false, true) => Way::Dead,
            (false, false) => Way::Open,
        })
    })
}

/// Requests sent to all servers since the policy or the servers changed.
fn sent(system: &System) -> u32 {
    system.wire(LINK).map_or(0, |wire| wire.sent.iter().sum())
}

const fn line(id: &'static str, probe: usize, statistic: Statistic, ink: Ink, area: bool) -> Line {
    Line {
        id,
        probe,
        statistic,
        ink,
        area,
    }
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "served",
        &[
            line("served", probe::DONE, Statistic::Mean, Ink::Accent, true),
            line("failed", probe::FAILED, Statistic::Mean, Ink::Bad, false),
        ],
        20.0,
    ),
    Plot::ms(
        "latency",
        &[
            line(
                "p99",
                probe::LATENCY,
                Statistic::Quantile(0.99),
                Ink::Warn,
                false,
            ),
            line(
                "p50",
                probe::LATENCY,
                Statistic::Quantile(0.5),
                Ink::Secondary,
                false,
            ),
        ],
        200.0,
    ),
    Plot::of(
        "waiting",
        &[line(
            "waiting",
            probe::WAITING,
            Statistic::Mean,
            Ink::Hit,
            true,
        )],
        10.0,
    ),
];

impl Lesson for Balancing {
    type Model = System;
    const LEVEL: Level = Level::Basics;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: &probe::ALL,
        plots: PLOTS,
        key: &[
            (Glyph::Request, Ink::Accent),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
            (Glyph::Heartbeat, Ink::Ok),
        ],
        story: story::STORY,
        scales: story::SCALES,
        challenges: story::CHALLENGES,
        twin: ("policy", 3.0),
        still: Time::ms(2_400),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "load-balancing",
                chapter: "traffic",
                tables: &[
                    "lb_smooth_weighted_round_robin",
                    "lb_round_robin_least_conn_hash",
                    "lb_round_robin_haproxy_lvs",
                    "lb_ip_hash",
                    "power_of_two_choices",
                    "queueing_latency",
                ],
            },
            || Values::first(&Balancing),
            draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/balancer.rs",
            region: "turn",
            marks: &[("picked round-robin", "self.cursor = picked + 1")],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "least",
            marks: &[("picked least-connections", "best = Some(index)")],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "two-choices",
            marks: &[("picked two-choices", "self.lighter(first, second)")],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "address",
            marks: &[("picked ip-hash", "hash = ip_hash(hash, client_ipv4)")],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "smooth",
            marks: &[
                ("picked weighted", "peer.current_weight += weight"),
                ("picked weighted", "current_weight -= total"),
            ],
        },
        Code {
            file: "algorithms/balancer.rs",
            region: "random",
            marks: &[("picked random", "rng.random_range(0..total)")],
        },
    ];
}
