//! The parts of the stage, and which of them stands for what.

use super::{AUTHOR, BALANCER, BROWSER, EDGE, REDIS, VISITORS};
use engine::{PartId, Time};
use kit::system::{Kind, NodeId, System};

pub(super) const VISITORS_PART: PartId = PartId::one("visitors");
pub(super) const BROWSER_PART: PartId = PartId::one("browser");
pub(super) const US: PartId = PartId::nth("edge", 1);
pub(super) const INDIA: PartId = PartId::nth("edge", 2);
pub(super) const BALANCER_PART: PartId = PartId::one("balancer");
pub(super) const REDIS_PART: PartId = PartId::one("redis");
pub(super) const DB_PART: PartId = PartId::one("db");
pub(super) const AUTHOR_PART: PartId = PartId::one("author");
/// Who answered the last visits to the page.
pub(super) const WHO: PartId = PartId::one("who");
/// Who answered how many.
pub(super) const SHARES: PartId = PartId::one("shares");
/// The oldest answer.
pub(super) const OLDEST: PartId = PartId::one("oldest");

/// The part of a node, or of its first member.
pub(super) fn part(node: NodeId) -> PartId {
    part_of(node, 0)
}

/// The part of a member.
pub(super) fn part_of(node: NodeId, member: usize) -> PartId {
    match node {
        VISITORS => VISITORS_PART,
        BROWSER => BROWSER_PART,
        EDGE => PartId::nth("edge", member as u16 + 1),
        BALANCER => BALANCER_PART,
        REDIS => REDIS_PART,
        AUTHOR => AUTHOR_PART,
        _ => DB_PART,
    }
}

/// How long a cache keeps things.
pub(super) fn life(system: &System, node: NodeId) -> Time {
    match system.node(node).map(|live| &live.node.kind) {
        Some(Kind::Cache(cache)) => cache.life,
        _ => Time::ZERO,
    }
}
