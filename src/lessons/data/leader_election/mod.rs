//! Leader election: the one in charge is gone. Who decides who is next?

mod group;
mod model;
mod settings;
mod state;
mod story;
mod tell;
mod view;

#[cfg(test)]
mod tests;

pub use settings::Settings;
pub use state::Orchestra;

use engine::{ActionSpec, Card, Code, Glyph, Ink, Lesson, Level, Line, Plot, Probe, Sheet, Time};

/// The lesson.
pub struct LeaderElection;

/// What the model measures, as numbers of the sheet's probes.
mod probe {
    /// Nodes that believe that they lead, and nodes that ask for votes.
    pub(super) const LEADERS: usize = 0;
    pub(super) const ASKING: usize = 1;
    /// How long nobody was in charge the last time, ms.
    pub(super) const GAP: usize = 2;
    /// Servers that run.
    pub(super) const RUNNING: usize = 3;
}

const PLOTS: &[Plot] = &[
    Plot::of(
        "roles",
        &[
            Line::mean("leaders", probe::LEADERS, Ink::Ok).filled(),
            Line::mean("asking", probe::ASKING, Ink::Warn),
        ],
        3.0,
    ),
    Plot::of("gap", &[Line::mean("gap", probe::GAP, Ink::Bad)], 300.0),
    Plot::of(
        "servers",
        &[Line::mean("running", probe::RUNNING, Ink::Accent).filled()],
        4.0,
    ),
];

impl Lesson for LeaderElection {
    type Model = Orchestra;
    const LEVEL: Level = Level::Advanced;
    const SHEET: Sheet<Orchestra> = Sheet {
        actions: &[
            ActionSpec::whole("kill-leader"),
            ActionSpec::aimed("kill", "node"),
            ActionSpec::aimed("restart", "node"),
            ActionSpec::whole("cut"),
            ActionSpec::whole("heal"),
            ActionSpec::whole("alone"),
            ActionSpec::aimed("expire", "node"),
            ActionSpec::aimed("kill-server", "server"),
            ActionSpec::whole("miss"),
            ActionSpec::aimed("pause", "node"),
            ActionSpec::aimed("resume", "node"),
            ActionSpec::aimed("cut-link", "link"),
            ActionSpec::on_dot("lose"),
            ActionSpec::on_dot("hold").pulled(),
            ActionSpec::whole("revive"),
        ],
        probes: &[Probe::Level, Probe::Level, Probe::Level, Probe::Level],
        plots: PLOTS,
        key: &[
            (Glyph::Heartbeat, Ink::Accent),
            (Glyph::Message, Ink::Warn),
            (Glyph::Response, Ink::Ok),
            (Glyph::Failure, Ink::Warn),
            (Glyph::Replica, Ink::Accent),
            (Glyph::Replica, Ink::Ok),
            (Glyph::Failure, Ink::Bad),
        ],
        story: story::STORY,
        challenges: story::CHALLENGES,
        speed: 0.05,
        sample: Time::ms(10),
        twin: ("method", 1.0),
        warm_up: Time::ms(600),
        still: Time::ms(290),
        stands_for: &[
            (view::RUNNING, state::server(1)),
            (view::RUNNING, state::server(0)),
            (state::CHART, state::LADDER),
        ],
        ..Sheet::usual(
            Card {
                slug: "leader-election",
                chapter: "data",
                tables: &["raft", "leader_election_bully_ring"],
            },
            Settings::default,
            view::draw,
        )
    };
    const CODE: &'static [Code] = &[
        Code {
            file: "algorithms/raft.rs",
            region: "campaign",
            marks: &[
                ("asks", "node.role = Role::Candidate;"),
                ("asks-again", "node.role = Role::Candidate;"),
                ("asks-whether", "node.role = Role::Asking;"),
            ],
        },
        Code {
            file: "algorithms/raft.rs",
            region: "vote",
            marks: &[
                ("votes", "node.disk.voted_for = Some(from);"),
                ("voted-already", "Some(other) => other == from"),
                ("knows-more", "self.believes(node, last);"),
            ],
        },
        Code {
            file: "algorithms/raft.rs",
            region: "tally",
            marks: &[("leads", "Tally::Won")],
        },
        Code {
            file: "algorithms/bully.rs",
            region: "bully",
            marks: &[
                ("asks-higher", "out.send(to, Word::Election);"),
                (
                    "leads-by-number",
                    "(node.electing, node.leader) = (false, Some(node.me));",
                ),
            ],
        },
    ];
}
