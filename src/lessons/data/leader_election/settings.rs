//! What the learner sets.

use engine::choices;

/// How a group finds its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Votes of a majority, a term at a time.
    Raft,
    /// The highest number that is alive.
    Bully,
    /// The highest number that comes round.
    Ring,
}
choices!(Method { "raft" => Method::Raft, "bully" => Method::Bully, "ring" => Method::Ring });

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How a leader is found.
        method: choice Method "method" = Method::Raft,
        /// How many nodes there are.
        nodes: whole "nodes" [1, 7] "" = 5,
        /// A clock lasts at least so long, ms.
        least: slider "least" [10.0, 2000.0, 5.0] "ms" = 150.0,
        /// And up to so much longer, ms.
        spread: slider "spread" [0.0, 2000.0, 5.0] "ms" = 150.0,
        /// One way of a message, ms.
        delay: slider "delay" [1.0, 200.0, 1.0] "ms" = 10.0,
        /// Whether candidates first ask whether they would win.
        pre_vote: switch "pre-vote" = false,
        /// A leader speaks so often, ms.
        heartbeat: slider "heartbeat" [5.0, 1000.0, 5.0] "ms" = 50.0,
        /// The share of messages that is lost, in percent.
        loss: slider "loss" [0.0, 50.0, 1.0] "%" = 0.0,
        /// Whether a leader stands down that hears no majority.
        check_quorum: switch "check-quorum" = false,
        /// Under bully, who asks waits so long for an answer, ms.
        waits: slider "waits" [10.0, 500.0, 5.0] "ms" = 40.0,
        /// A server starts in so long, ms.
        boots: slider "boots" [100.0, 2000.0, 50.0] "ms" = 300.0,
        /// Whether the sequence chart is shown.
        chart: switch "chart" = false,
    }
}
