//! Rate limiting: five limiters that say the same number and mean different things.

mod figure;
mod row;
mod story;

#[cfg(test)]
mod tests;

use algorithms::hash::mix64;
use algorithms::limiter::Verdict;
use algorithms::retry::{Backoff, Jitter};
use engine::{
    Act, ActionSpec, Arg, Card, Code, Glyph, Ink, Lesson, Level, Line, Note, PartId, Plot, Probe,
    Sheet, Time, Tone,
};
use kit::flow::Holds;
use kit::system::{
    Admission, Call, Crowd, Cx, Deed, Dial, Draw, Event, Frame, Gate, Kind, Node, NodeId,
    Otherwise, Own, Plan, Retry, Script, Step, System, Values, Wire, WireId, probe,
};
use row::{Decision, Limiters, Row, Rule};

/// The lesson.
pub struct Limiting;

/// Who asks.
pub const CLIENT: NodeId = NodeId(0);
/// How many limiters there are.
pub const ROWS: usize = 5;
/// The limiters, in the order of their rows.
pub const LIMITERS: [NodeId; ROWS] = [NodeId(1), NodeId(2), NodeId(3), NodeId(4), NodeId(5)];
/// Their parts on the stage.
const PARTS: [&str; ROWS] = ["fixed", "log", "counter", "token", "leaky"];
const FIXED: usize = 0;
const LOG: usize = 1;
const COUNTER: usize = 2;
const TOKEN: usize = 3;
const LEAKY: usize = 4;
/// Why each refuses.
const WHY: [&str; ROWS] = [
    "why.fixed",
    "why.log",
    "why.counter",
    "why.token",
    "why.leaky",
];

/// One way between client and limiter: stretched, so that it can be seen.
const HOP: Time = Time::ms(100);
/// Tries after the first of a client that does not go away.
const RETRIES: u8 = 9;
/// The pause of a client that tries again at once.
const AT_ONCE: Time = Time::ms(100);
/// A stripe shows so many windows.
pub const SHOWN: u64 = 4;
/// An action is at least so many windows away from what came before it, so that nobody remembers that any longer.
const QUIET: f64 = 1.3;
/// Requests of the action that sends many at once, and of the one that hammers.
const AT_A_BLOW: u32 = 20;
const HAMMER: (u32, Time) = (80, Time::ms(50));

/// The timer at which the queue lets one go; the others are the numbers of actions, of which the client sends a request.
const RELEASED: u32 = 0;

/// Actions in their order.
const WORST: usize = 0;
const BOUNDARY: usize = 1;
const TWENTY: usize = 2;

const DIALS: &[Dial] = &[
    Dial::whole("limit", [1, 10], 5),
    Dial::whole("burst", [1, 20], 5),
    Dial::slider("load", [0.0, 20.0, 1.0], "req/s", 4.0),
    Dial::choice("leaky", &["waits", "refuses"], 0),
    Dial::choice("refused", &["leave", "again", "told"], 0),
    Dial::switch("logs-refused", false),
    Dial::slider("window", [0.5, 4.0, 0.5], "s", 1.0),
    Dial::slider("jitter", [0.0, 100.0, 10.0], "%", 0.0),
    Dial::choice("clients", &["thousand", "million", "ten-million"], 1),
];
/// Clients by the choice of the last knob.
const CLIENTS: [u64; 3] = [1_000, 1_000_000, 10_000_000];

const ACTIONS: &[ActionSpec] = &[
    ActionSpec::whole("worst"),
    ActionSpec::whole("boundary"),
    ActionSpec::whole("twenty"),
    ActionSpec::whole("hammer"),
    ActionSpec::whole("quiet"),
];

const DEEDS: &[Deed] = &[
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Own,
    Deed::Surge(CLIENT, 0.0, Time::s(2)),
];

/// Requests of one action, which carry its number as their key.
#[derive(Clone, Copy, Debug)]
struct Burst {
    spec: usize,
    /// How many it sends, and how many it has sent.
    size: u32,
    sent: u32,
    /// When the last one leaves.
    until: Time,
    /// First tries passed and refused, by row.
    passed: [u32; ROWS],
    refused: [u32; ROWS],
}

impl Burst {
    /// Whether every row has decided on all of it.
    fn is_over(&self) -> bool {
        (0..ROWS).all(|row| self.passed[row] + self.refused[row] >= self.size)
    }
}

/// What the five say to one request's first try, until all have spoken.
#[derive(Clone, Copy, Debug, Default)]
struct Vote {
    number: u32,
    heard: u32,
    passed: u32,
}

/// What the lesson remembers beyond the ledger.
#[derive(Clone, Debug)]
struct Seen {
    limiters: Limiters,
    rows: [Row; ROWS],
    /// Counts on the stage begin here: a knob was turned, or an action began.
    from: Time,
    turned: Time,
    /// Who is refused goes away.
    leaves: bool,
    bursts: u32,
    burst: Option<Burst>,
    /// Requests sent by actions.
    sent: u64,
    vote: Vote,
    /// Requests in a row on which all five agreed, and refusals among them.
    agreed: (u32, u32),
    /// First tries decided by token bucket and leaky bucket since counts began.
    mirrored: u32,
    /// Times in a row that the token bucket let twenty at once shop and the log did not.
    shopped: u32,
    /// For how long a row has let nothing through while somebody asked.
    locked: [Holds; ROWS],
    /// All that the five have decided since counts began, first tries of these, and how many of those passed.
    decided: u32,
    firsts: u32,
    first_passed: u32,
}

impl Seen {
    fn new() -> Seen {
        Seen {
            limiters: Limiters::new(Rule::FIRST),
            rows: Default::default(),
            from: Time::ZERO,
            turned: Time::ZERO,
            leaves: true,
            bursts: 0,
            burst: None,
            sent: 0,
            vote: Vote::default(),
            agreed: (0, 0),
            mirrored: 0,
            shopped: 0,
            locked: Default::default(),
            decided: 0,
            firsts: 0,
            first_passed: 0,
        }
    }

    /// Since when what is on the stage counts: it shows [`SHOWN`] windows, or less after a change.
    fn since(&self, at: Time) -> Time {
        let shown = self.limiters.rule.window.0 * SHOWN;
        self.from.max(Time(at.0.saturating_sub(shown)))
    }

    /// The fullest window of a row on the stage, by its end, and how many it let through.
    fn most(&self, row: usize, at: Time) -> (Time, u32) {
        self.rows[row].fullest(self.since(at), at, self.limiters.rule.window)
    }

    /// Whether a row has kept its word as far as one sees.
    fn keeps(&self, row: usize, at: Time) -> bool {
        u64::from(self.most(row, at).1) <= self.limiters.rule.limit
    }

    /// The last action's burst, if it is of this kind, and all of it is decided.
    fn over(&self, spec: usize) -> Option<Burst> {
        self.burst
            .filter(|burst| burst.spec == spec && burst.is_over())
    }

    /// The share of first tries that were let through since counts began; none if there were none.
    fn through(&self) -> Option<f64> {
        (self.firsts > 0).then(|| f64::from(self.first_passed) / f64::from(self.firsts))
    }

    /// Tries for each first one since counts began; none if there were none.
    fn tries_each(&self) -> Option<f64> {
        (self.firsts > 0).then(|| f64::from(self.decided) / f64::from(self.firsts))
    }

    fn begin(&mut self, now: Time) {
        self.from = now;
        self.mirrored = 0;
        (self.decided, self.firsts, self.first_passed) = (0, 0, 0);
    }

    /// A row has decided on a call.
    fn decide(&mut self, row: usize, call: &Frame, verdict: Verdict, now: Time) {
        let release = match verdict {
            Verdict::Allowed => Some(now),
            Verdict::Delayed(by) => Some(now + Time(by)),
            Verdict::Refused { .. } => None,
        };
        let again = call.nth > 0;
        let decision = Decision {
            at: now,
            release,
            again,
        };
        let keep = self.limiters.rule.window.0 * (SHOWN + 1);
        self.rows[row].add(decision, Time(keep));
        self.locked[row].set(release.is_none(), now);
        let counts = now >= self.from;
        self.decided += u32::from(counts);
        if again {
            return;
        }
        self.mirrored += u32::from(row == LEAKY && counts);
        let passed = u32::from(release.is_some());
        self.firsts += u32::from(counts);
        self.first_passed += passed * u32::from(counts);
        if self.vote.number != call.number {
            self.vote = Vote {
                number: call.number,
                ..Vote::default()
            };
        }
        self.vote.heard += 1;
        self.vote.passed += passed;
        if self.vote.heard == ROWS as u32 {
            self.agreed = match self.vote.passed {
                0 => (self.agreed.0 + 1, self.agreed.1 + 1),
                5 => (self.agreed.0 + 1, self.agreed.1),
                _ => (0, 0),
            };
        }
        let key = self.bursts;
        let Some(burst) = self.burst.as_mut().filter(|_| call.draw.key == key) else {
            return;
        };
        burst.passed[row] += passed;
        burst.refused[row] += 1 - passed;
        if row == LEAKY && burst.is_over() && burst.spec == TWENTY {
            let shops = burst.refused[TOKEN] == 0 && burst.refused[LOG] > 0;
            self.shopped = if shops { self.shopped + 1 } else { 0 };
        }
    }
}

/// What a client does that is refused.
fn retry(knobs: &Values) -> Option<Retry> {
    let waits = Backoff {
        base_us: AT_ONCE.0,
        cap_us: AT_ONCE.0,
        multiplier: 1.0,
        jitter: Jitter::None,
    };
    let heeds = (knobs.whole("refused") == 2).then(|| knobs.get("jitter") / 100.0);
    (knobs.whole("refused") > 0).then_some(Retry {
        retries: RETRIES,
        backoff: waits,
        budget: None,
        heeds,
    })
}

impl Script for Limiting {
    fn dials(&self) -> &'static [Dial] {
        DIALS
    }

    fn plan(&self, knobs: &Values) -> Plan {
        let wire = |row: usize| WireId(row as u16);
        // All five are asked at once about the same request, and each client's tries after a refusal are for the row that
        // refused.
        let call = |row: usize| Call {
            retry: retry(knobs),
            otherwise: Otherwise::Without,
            ..Call::over(wire(row))
        };
        let mut client = Crowd::poisson(knobs.get("load"), call(0));
        client.programs = vec![vec![Step::All((0..ROWS).map(call).collect())]];
        let gate = || {
            Kind::Gate(Gate {
                limits: true,
                ..Gate::default()
            })
        };
        let mut nodes = vec![Node::one(CLIENT, "client", Kind::Crowd(client))];
        nodes.extend((0..ROWS).map(|row| Node::one(LIMITERS[row], PARTS[row], gate())));
        let wires = (0..ROWS)
            .map(|row| Wire::new(wire(row), CLIENT, LIMITERS[row], "bus", HOP))
            .collect();
        Plan {
            nodes,
            wires,
            ..Plan::default()
        }
    }

    fn deeds(&self) -> &'static [Deed] {
        DEEDS
    }

    fn own(&self) -> Box<dyn Own> {
        Box::new(Seen::new())
    }

    fn start(&self, _: &mut System) {
        // Limiters and stripes go on: what came before time zero is still in their windows.
    }

    fn act(&self, act: Act, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
        let now = cx.now();
        let limit = knobs.whole("limit");
        let window = knobs.s("window");
        let share = |share: f64| Time((window.0 as f64 * share) as u64);
        // The tick that everything is arranged around, once nothing is remembered of what came before.
        let clear = now + HOP + share(QUIET);
        let tick = Time(clear.0.div_ceil(window.0) * window.0) - HOP;
        let before = |nth: u32, of: u32, span: Time| {
            tick - Time(span.0 * u64::from(of - nth) / u64::from(of))
        };
        let times: Vec<Time> = match act.spec {
            WORST => {
                let first = (0..limit).map(|nth| before(nth, limit, share(0.04)));
                let many = (0..limit * 24 / 5)
                    .map(|nth| tick + Time(window.0 * u64::from(nth) / u64::from(limit * 4)));
                first.chain(many).collect()
            }
            BOUNDARY => {
                let first = (0..limit).map(|nth| before(nth, limit, share(0.1)));
                let then = (0..limit)
                    .map(|nth| tick + Time(share(0.1).0 * u64::from(nth) / u64::from(limit)));
                first.chain(then).collect()
            }
            TWENTY => vec![now + share(QUIET); AT_A_BLOW as usize],
            _ => (0..HAMMER.0)
                .map(|nth| now + share(QUIET) + Time(HAMMER.1.0 * u64::from(nth)))
                .collect(),
        };
        let words = ["worst", "boundary", "twenty", "hammer"];
        let note = Note::new(words[act.spec.min(words.len() - 1)])
            .with(Arg::Count(times.len() as i64))
            .about(PartId::one("client"))
            .mark(Tone::Learner);
        let note = system.say(note, cx);
        let seen = system.own_mut::<Seen>();
        // What was under way when it was pressed is no part of it.
        seen.begin(times.first().map_or(now, |first| *first));
        seen.bursts += 1;
        seen.burst = Some(Burst {
            spec: act.spec,
            size: times.len() as u32,
            sent: 0,
            until: times.last().map_or(now, |last| *last + HOP),
            passed: [0; ROWS],
            refused: [0; ROWS],
        });
        let number = seen.bursts;
        for at in times {
            cx.because(note);
            cx.schedule(at.since(now), Event::Timer(number));
        }
    }

    fn timer(&self, number: u32, system: &mut System, _: &Values, cx: Cx<'_, '_>) {
        if number == RELEASED {
            return cx.sample(probe::OWN + LEAKY, 1.0);
        }
        let seen = system.own_mut::<Seen>();
        if number != seen.bursts {
            // Another action has begun since.
            return;
        }
        seen.sent += 1;
        if let Some(burst) = &mut seen.burst {
            burst.sent += 1;
        }
        let draw = Draw {
            dice: mix64(seen.sent),
            key: seen.bursts,
            ..Draw::default()
        };
        system.request(CLIENT.0, draw, 0, cx);
    }

    fn admits(&self, gate: NodeId, call: &Frame, system: &mut System, cx: Cx<'_, '_>) -> Admission {
        let Some(row) = LIMITERS.iter().position(|known| *known == gate) else {
            return Admission::Passes;
        };
        let now = cx.now();
        let seen = system.own_mut::<Seen>();
        let verdict = seen.limiters.ask(row, now);
        seen.decide(row, call, verdict, now);
        match verdict {
            Verdict::Refused { retry_after } => {
                cx.sample(probe::OWN + ROWS + row, 1.0);
                let (why, after) = (WHY[row], retry_after.map(Time));
                Admission::Refused { why, after }
            }
            Verdict::Delayed(by) => {
                cx.sample(probe::OWN + 2 * ROWS, by as f64);
                cx.schedule(Time(by), Event::Timer(RELEASED));
                Admission::Waits(Time(by))
            }
            Verdict::Allowed => {
                cx.sample(probe::OWN + row, 1.0);
                if row == LEAKY {
                    cx.sample(probe::OWN + 2 * ROWS, 0.0);
                }
                let part = PartId::one(PARTS[row]);
                let number = Arg::Count(i64::from(call.number));
                let note = Note::new("passes").with(number).with(Arg::Part(part));
                system.say(note.about(part).dot(call.number), cx);
                Admission::Passes
            }
        }
    }

    fn look(&self, system: &mut System, knobs: &Values, now: Time) {
        let turned = system.turned;
        let rule = Rule::of(knobs);
        let seen = system.own_mut::<Seen>();
        seen.limiters.follow(rule, now);
        seen.leaves = knobs.whole("refused") == 0;
        if seen.turned != turned {
            seen.turned = turned;
            seen.begin(now);
        }
    }
}

/// For how long the system runs before anybody looks: until a stripe is full.
const WARM_UP: Time = Time::s(6);

const PROBES: &[Probe] = &{
    let mut probes = [Probe::Count; probe::OWN + 2 * ROWS + 1];
    let mut i = 0;
    while i < probe::OWN {
        probes[i] = probe::ALL[i];
        i += 1;
    }
    probes[probe::OWN + 2 * ROWS] = Probe::Spread;
    probes
};

/// The rows' inks in plots.
const INKS: [Ink; ROWS] = [
    Ink::MemberA,
    Ink::MemberB,
    Ink::MemberC,
    Ink::MemberD,
    Ink::Accent,
];

/// One line for each row, from this probe on.
const fn lines(first: usize) -> [Line; ROWS] {
    let mut lines = [Line::mean("", first, Ink::Accent); ROWS];
    let mut row = 0;
    while row < ROWS {
        lines[row] = Line::mean(PARTS[row], first + row, INKS[row]);
        row += 1;
    }
    lines
}

const PLOTS: &[Plot] = &[
    Plot::of("passed", &lines(probe::OWN), 10.0),
    Plot::of("refused", &lines(probe::OWN + ROWS), 10.0),
    Plot::ms(
        "wait",
        &[Line::mean("wait", probe::OWN + 2 * ROWS, Ink::Accent).filled()],
        800.0,
    ),
];

impl Lesson for Limiting {
    type Model = System;
    const LEVEL: Level = Level::Core;
    const SHEET: Sheet<System> = Sheet {
        actions: ACTIONS,
        probes: PROBES,
        plots: PLOTS,
        key: &[(Glyph::Request, Ink::Accent), (Glyph::Failure, Ink::Bad)],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.5,
        twin: ("refused", 1.0),
        still: Time::s(3),
        warm_up: WARM_UP,
        ..Sheet::usual(
            Card {
                slug: "rate-limiting",
                chapter: "traffic",
                tables: &[
                    "rate_fixed_window",
                    "rate_sliding_log",
                    "rate_sliding_window_counter",
                    "rate_token_bucket_go",
                    "rate_token_bucket_bucket4j",
                    "rate_leaky_bucket_nginx",
                    "rate_gcra",
                ],
            },
            || Values::first(&Limiting),
            figure::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/fixed_window.rs",
            region: "fixed",
            marks: &[
                ("passes", "self.permits -= i128::from(permits)"),
                ("limited", "retry_after => Verdict::Refused"),
            ],
        },
        Code {
            file: "algorithms/sliding_log.rs",
            region: "log",
            marks: &[
                ("passes", "return Verdict::Allowed"),
                ("limited", "retry_after: self.retry_after(cost)"),
            ],
        },
        Code {
            file: "algorithms/sliding_window_counter.rs",
            region: "counter",
            marks: &[
                ("passes", "return Verdict::Allowed"),
                ("limited", "let retry_at"),
            ],
        },
        Code {
            file: "algorithms/token_bucket.rs",
            region: "token",
            marks: &[
                ("passes", "self.consume_anyway(now, tokens)"),
                ("limited", "let enough"),
            ],
        },
        Code {
            file: "algorithms/leaky_bucket.rs",
            region: "leaky",
            marks: &[
                ("passes", "Verdict::Allowed"),
                ("delayed", "return Verdict::Delayed(delay)"),
                ("limited", "if after > rim"),
            ],
        },
    ];
}
