//! The view.

use algorithms::balancer::Policy;

/// Why a policy chose whom it chose, as a word for `picked`.
pub(super) const fn because(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "because.random",
        Policy::RoundRobin => "because.round-robin",
        Policy::WeightedRoundRobin => "because.weighted",
        Policy::LeastConnections => "because.least-connections",
        Policy::PowerOfTwoChoices => "because.two-choices",
        Policy::IpHash => "because.ip-hash",
    }
}
