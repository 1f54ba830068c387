//! What the learner sets.

use algorithms::membership::Telling;
use engine::choices;

/// How rumours go round, as a knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Push,
    Pull,
    PushPull,
}
choices!(Way { "push" => Way::Push, "pull" => Way::Pull, "push-pull" => Way::PushPull });

impl Way {
    pub(super) fn telling(self) -> Telling {
        match self {
            Way::Push => Telling::Push,
            Way::Pull => Telling::Pull,
            Way::PushPull => Telling::PushPull,
        }
    }
}

engine::knobs! {
    /// What the learner sets.
    pub struct Settings {
        /// How many nodes there are at first.
        nodes: whole "nodes" [1, 100] "" = 32,
        /// How rumours go round.
        telling: choice Way "telling" = Way::Push,
        /// So many others are called in each round.
        fan_out: whole "fan-out" [1, 5] "" = 1,
        /// A suspicion lasts so many times the logarithm of the group, in periods.
        suspicion: whole "suspicion" [1, 12] "" = 4,
        /// Helpers that ping for one who got no answer.
        helpers: whole "helpers" [0, 5] "" = 3,
        /// The share of messages that is lost, in percent.
        loss: slider "loss" [0.0, 50.0, 1.0] "%" = 0.0,
        /// An item is told so many times the logarithm of the group by each.
        told: whole "told" [1, 5] "" = 4,
        /// Whether each tells an item for ever.
        for_ever: switch "for-ever" = false,
        /// A round each, ms.
        round: slider "round" [50.0, 1000.0, 50.0] "ms" = 200.0,
        /// A ping each, ms.
        period: slider "period" [200.0, 5000.0, 100.0] "ms" = 1000.0,
        /// A ping waits so long for its answer, ms.
        timeout: slider "timeout" [50.0, 2000.0, 50.0] "ms" = 500.0,
        /// Whether members are pinged in turn.
        in_turn: switch "in-turn" = false,
        /// Two whole lists are compared by each node each, s; 0 for never.
        exchange: slider "exchange" [0.0, 60.0, 5.0] "s" = 30.0,
        /// Whether the dead are called now and then.
        call_dead: switch "call-dead" = false,
        /// Whether a death is noticed by each alone, and forgotten.
        forgets: switch "forgets" = false,
        /// One way of a message, ms.
        delay: slider "delay" [5.0, 500.0, 5.0] "ms" = 20.0,
    }
}
