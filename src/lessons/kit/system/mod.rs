//! Requests that flow through parts: one composed model for lessons about traffic, and the view that goes with it.

mod frame;
mod guard;
mod ledger;
mod model;
mod plan;
mod script;
mod state;
mod view;

#[cfg(test)]
mod tests;

pub use frame::{Draw, Frame, Place, Reason};
pub use guard::Breaker;
pub use ledger::{Count, Row, Since};
pub use model::{BOUNCE, Event, System};
pub use plan::{
    Arrivals, Budget, Call, Crowd, Gate, Guard, Health, IDS_MAX, Kind, Node, NodeId, Otherwise,
    Plan, Retry, Service, Spread, Step, Wire, WireId,
};
pub use script::{Cx, Deed, Dial, Own, Script, Values};
pub use state::{Dog, Live, LiveWire, Part};
pub use view::{draw, policy_word};

/// What every system measures: [`probe::ALL`] are a sheet's probes, to which a lesson may add its own.
pub mod probe {
    use engine::Probe;

    /// Requests that users sent, a second.
    pub const CAME: usize = 0;
    /// Requests answered well, a second.
    pub const DONE: usize = 1;
    /// Requests that failed or whose user left, a second.
    pub const FAILED: usize = 2;
    /// From asking to the answer less the time on wires, in µs; of users who waited in vain, how long.
    pub const LATENCY: usize = 3;
    /// Calls that wait in queues.
    pub const WAITING: usize = 4;
    /// Calls sent, each try of its own, a second.
    pub const CALLS: usize = 5;
    /// Of these, tries after the first.
    pub const RETRIES: usize = 6;
    /// The first number that is free for a lesson's own probes.
    pub const OWN: usize = 7;

    /// These probes, in their order.
    pub const ALL: [Probe; OWN] = [
        Probe::Count,
        Probe::Count,
        Probe::Count,
        Probe::Spread,
        Probe::Level,
        Probe::Count,
        Probe::Count,
    ];
}
