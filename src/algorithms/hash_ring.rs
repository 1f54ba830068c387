//! Consistent hashing: nodes own points on a ring, and a key belongs to the next point clockwise.

use std::collections::BTreeMap;

use crate::hash::{Crc32, crc32, ketama_quarters, mix64};

/// How many positions the ring has.
pub const RING: u64 = 1 << 32;

/// A virtual node: one of the places at which a node sits on the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Where on the ring, from 0 to below [`RING`].
    pub position: u32,
    /// Whose point it is.
    pub node: u32,
}

/// A stretch of the ring, clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arc {
    /// The position before its first.
    pub after: u32,
    /// Its last position. An arc with `to == after` is the whole ring.
    pub to: u32,
}

impl Arc {
    /// How many positions it holds, from 1 to [`RING`].
    pub fn length(self) -> u64 {
        u64::from(self.to.wrapping_sub(self.after).wrapping_sub(1)) + 1
    }

    /// Whether a position lies on it.
    pub fn contains(self, position: u32) -> bool {
        let distance = position.wrapping_sub(self.after).wrapping_sub(1);
        u64::from(distance) < self.length()
    }
}

/// A stretch whose keys change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The stretch.
    pub arc: Arc,
    /// Who owned it: nobody, if the ring was empty.
    pub from: Option<u32>,
    /// Who owns it now: nobody, if the ring is empty.
    pub to: Option<u32>,
}

/// Points of nodes on a ring of 2³² positions (Karger et al. 1997).
///
/// A node with more points gets more keys, so a weight is a number of points. Of two nodes with a
/// point at one position the lower number owns it, whichever came first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashRing {
    /// Sorted, without doubles.
    points: Vec<Point>,
}

impl HashRing {
    /// A ring that nobody sits on.
    pub fn new() -> HashRing {
        HashRing::default()
    }

    // region: join
    /// Puts a node at these positions, beside any it holds already, and tells what it took over.
    pub fn add_node(&mut self, node: u32, positions: impl IntoIterator<Item = u32>) -> Vec<Moved> {
        let before = self.clone();
        let points = positions
            .into_iter()
            .map(|position| Point { position, node });
        self.points.extend(points);
        self.points.sort_unstable();
        self.points.dedup();
        self.moved_since(&before)
    }

    /// Takes a node off the ring and tells who took over what.
    pub fn remove_node(&mut self, node: u32) -> Vec<Moved> {
        let before = self.clone();
        self.points.retain(|point| point.node != node);
        self.moved_since(&before)
    }
    // endregion

    // region: moved
    /// Every stretch that has another owner here than it had in `before`, clockwise from 0, with
    /// neighbours that changed alike joined into one.
    pub fn moved_since(&self, before: &HashRing) -> Vec<Moved> {
        let mut ends: Vec<u32> = (self.points.iter())
            .chain(&before.points)
            .map(|point| point.position)
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let Some(&last) = ends.last() else {
            return Vec::new();
        };
        let mut after = last;
        let mut moved: Vec<Moved> = Vec::new();
        for to in ends {
            let (from, now) = (before.owner(to), self.owner(to));
            if from != now {
                match moved.last_mut() {
                    Some(held) if held.arc.to == after && (held.from, held.to) == (from, now) => {
                        held.arc.to = to;
                    }
                    _ => moved.push(Moved {
                        arc: Arc { after, to },
                        from,
                        to: now,
                    }),
                }
            }
            after = to;
        }
        moved
    }
    // endregion

    /// All points, by rising position.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    // region: owner
    /// The point that a position belongs to: the first at or after it, round the end if need be.
    pub fn point_at(&self, position: u32) -> Option<Point> {
        self.clockwise(position).next()
    }

    /// The node that a position belongs to.
    pub fn owner(&self, position: u32) -> Option<u32> {
        self.point_at(position).map(|point| point.node)
    }
    // endregion

    // region: copies
    /// The first `count` distinct eligible nodes clockwise: the owner and the nodes that hold its
    /// replicas, or stand in for it. Fewer if the ring has fewer.
    pub fn preference_list(
        &self,
        position: u32,
        count: usize,
        eligible: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let mut nodes = Vec::new();
        for point in self.clockwise(position) {
            if nodes.len() == count {
                break;
            }
            if !nodes.contains(&point.node) && eligible(point.node) {
                nodes.push(point.node);
            }
        }
        nodes
    }
    // endregion

    /// Each point with the stretch that belongs to it, clockwise from 0. A point that shares its
    /// position with a lower-numbered node has none and is left out.
    pub fn arcs(&self) -> impl Iterator<Item = (Point, Arc)> + '_ {
        let mut after = self.points.last().map_or(0, |point| point.position);
        let mut first = true;
        self.points.iter().filter_map(move |&point| {
            let to = point.position;
            if to == after && !first {
                return None;
            }
            first = false;
            let arc = Arc { after, to };
            after = to;
            Some((point, arc))
        })
    }

    /// How many positions each node on the ring owns; together [`RING`].
    pub fn lengths(&self) -> BTreeMap<u32, u64> {
        let mut lengths: BTreeMap<u32, u64> =
            self.points.iter().map(|point| (point.node, 0)).collect();
        for (point, arc) in self.arcs() {
            *lengths.entry(point.node).or_default() += arc.length();
        }
        lengths
    }

    fn clockwise(&self, position: u32) -> impl Iterator<Item = Point> + '_ {
        let start = self
            .points
            .partition_point(|point| point.position < position);
        let (before, from) = self.points.split_at(start);
        from.iter().chain(before).copied()
    }
}

/// As many positions for a node as it has virtual nodes, scattered evenly at random. A longer list
/// begins with the shorter one, so raising a weight moves keys only towards the node.
pub fn scattered_points(seed: u64, node: u32, virtual_nodes: u32) -> impl Iterator<Item = u32> {
    let base = mix64(seed ^ mix64(u64::from(node)));
    (0..virtual_nodes).map(move |index| (mix64(base.wrapping_add(u64::from(index))) >> 32) as u32)
}

/// The MD5 digests that ketama gives a node when all have the same weight; each yields four points.
pub const KETAMA_DIGESTS: u32 = 40;

/// The digests of a node that holds `weight` of a ring's `weight_total` among `nodes` nodes:
/// [`KETAMA_DIGESTS`] on average, rounded down. 0 when the total is 0.
pub fn ketama_digests(weight: u32, weight_total: u32, nodes: u32) -> u32 {
    let share = u128::from(weight) * u128::from(KETAMA_DIGESTS) * u128::from(nodes);
    let digests = share.checked_div(u128::from(weight_total)).unwrap_or(0);
    u32::try_from(digests).unwrap_or(u32::MAX)
}

/// The positions of a node on a ketama ring: four for each digest of `name-0`, `name-1` and so on,
/// where the name is `host:port`.
pub fn ketama_points(name: &str, digests: u32) -> impl Iterator<Item = u32> {
    (0..digests).flat_map(move |index| ketama_quarters(format!("{name}-{index}").as_bytes()))
}

/// How uneven the load on a ring of random points is expected to be: the standard deviation of a
/// node's share over its mean. Arc lengths follow a Dirichlet distribution, hence
/// √((n − 1) / (nv + 1)). 0 without nodes.
pub fn unevenness_expected(nodes: u32, virtual_nodes: u32) -> f64 {
    let (n, v) = (f64::from(nodes), f64::from(virtual_nodes));
    ((n - 1.0).max(0.0) / (n * v + 1.0)).sqrt()
}

/// Points that nginx gives a server per unit of weight.
const NGINX_POINTS: u32 = 160;

/// Places on an [`NginxContinuum`] that are tried before giving up.
const NGINX_TRIES: usize = 21;

/// The ring of nginx's `hash ... consistent`, compatible with Cache::Memcached::Fast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NginxContinuum {
    /// By rising position, one for each position.
    points: Vec<Point>,
}

impl NginxContinuum {
    /// Builds the ring from `host` or `host:port` names and weights. Nodes are numbered in order.
    pub fn new(servers: &[(&str, u32)]) -> NginxContinuum {
        let mut points = Vec::new();
        for (node, &(name, weight)) in (0..).zip(servers) {
            let (host, port) = split_port(name);
            let mut base = Crc32::new();
            base.update(host.as_bytes());
            base.update(&[0]);
            base.update(port.as_bytes());
            // Each point's hash goes into the next, so a heavier server keeps its first points.
            let mut position = 0_u32;
            for _ in 0..weight.saturating_mul(NGINX_POINTS) {
                let mut crc = base;
                crc.update(&position.to_le_bytes());
                position = crc.finish();
                points.push(Point { position, node });
            }
        }
        points.sort_unstable();
        points.dedup_by_key(|point| point.position);
        NginxContinuum { points }
    }

    /// The points, by rising position.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The server of a key: the first eligible one within 21 points clockwise of the key's CRC-32.
    /// nginx takes the next server in turn when there is none.
    pub fn owner(&self, key: &[u8], eligible: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = crc32(key);
        let start = self.points.partition_point(|point| point.position < hash);
        let (before, from) = self.points.split_at(start);
        (from.iter().chain(before))
            .take(NGINX_TRIES)
            .map(|point| point.node)
            .find(|&node| eligible(node))
    }
}

/// Splits `host:port`; a name without a number behind its last colon is all host.
fn split_port(name: &str) -> (&str, &str) {
    match name.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(nodes: u32, virtual_nodes: u32) -> HashRing {
        let mut ring = HashRing::new();
        for node in 0..nodes {
            ring.add_node(node, scattered_points(1, node, virtual_nodes));
        }
        ring
    }

    fn positions() -> impl Iterator<Item = u32> {
        (0..2_000).map(|key| (mix64(key) >> 32) as u32)
    }

    #[test]
    fn an_empty_ring_owns_nothing() {
        let mut empty = HashRing::new();
        assert_eq!(empty.owner(5), None);
        assert_eq!(empty.arcs().count(), 0);
        assert!(empty.preference_list(5, 3, |_| true).is_empty());
        assert!(empty.remove_node(0).is_empty());
        assert!(empty.add_node(0, []).is_empty());
    }

    #[test]
    fn the_next_point_clockwise_owns_and_the_end_wraps() {
        let mut ring = HashRing::new();
        let whole = ring.add_node(7, [100]);
        assert_eq!(whole.len(), 1);
        assert_eq!(whole[0].arc.length(), RING);
        assert!(whole[0].arc.contains(0) && whole[0].arc.contains(100));
        assert_eq!((whole[0].from, whole[0].to), (None, Some(7)));
        let moved = ring.add_node(8, [200, 300]);
        assert_eq!(
            moved,
            [Moved {
                arc: Arc {
                    after: 100,
                    to: 300
                },
                from: Some(7),
                to: Some(8)
            }]
        );
        for (position, owner) in [(0, 7), (100, 7), (101, 8), (300, 8), (301, 7), (!0, 7)] {
            assert_eq!(ring.owner(position), Some(owner));
        }
    }

    #[test]
    fn exactly_the_reported_arcs_change_hands() {
        let before = ring(5, 8);
        let mut after = before.clone();
        let gains = after.add_node(5, scattered_points(1, 5, 8));
        assert!(gains.iter().all(|moved| moved.to == Some(5)));
        for position in positions() {
            let reported = gains.iter().find(|moved| moved.arc.contains(position));
            let (from, to) = (before.owner(position), after.owner(position));
            assert_eq!(reported.map(|moved| (moved.from, moved.to)), {
                (from != to).then_some((from, to))
            });
        }
        let length: u64 = gains.iter().map(|moved| moved.arc.length()).sum();
        assert_eq!(after.lengths()[&5], length);

        let losses = after.remove_node(5);
        assert_eq!(after, before);
        assert_eq!(
            losses.iter().map(|moved| moved.arc.length()).sum::<u64>(),
            length
        );
    }

    #[test]
    fn arcs_cover_the_ring_once() {
        let mut crowded = ring(4, 30);
        // Ties: the lower number wins, and the loser's empty arc counts for nothing.
        let taken: Vec<u32> = crowded.points().iter().map(|p| p.position).collect();
        assert!(crowded.add_node(9, taken).is_empty());
        assert_eq!(crowded.lengths()[&9], 0);
        assert_eq!(crowded.lengths().values().sum::<u64>(), RING);
        for (point, arc) in crowded.arcs() {
            assert_eq!(crowded.owner(arc.to), Some(point.node));
            assert_eq!(crowded.owner(arc.after.wrapping_add(1)), Some(point.node));
        }
    }

    #[test]
    fn replicas_are_distinct_and_step_in_for_the_dead() {
        let ring = ring(6, 20);
        for position in positions().take(200) {
            let list = ring.preference_list(position, 3, |_| true);
            assert_eq!(list.len(), 3);
            assert_eq!(Some(list[0]), ring.owner(position));
            assert!(list[0] != list[1] && list[1] != list[2] && list[0] != list[2]);
            let without = ring.preference_list(position, 2, |node| node != list[0]);
            assert_eq!(without, list[1..]);
            let mut removed = ring.clone();
            removed.remove_node(list[0]);
            assert_eq!(removed.owner(position), Some(list[1]));
        }
        assert_eq!(ring.preference_list(0, 99, |_| true).len(), 6);
    }

    #[test]
    fn a_heavier_node_only_gains() {
        let mut ring = ring(3, 10);
        let moved = ring.add_node(1, scattered_points(1, 1, 40));
        assert!(!moved.is_empty());
        assert!(moved.iter().all(|moved| moved.to == Some(1)));
    }

    #[test]
    fn ketama_shares_digests_by_weight() {
        assert_eq!(ketama_digests(1, 4, 4), KETAMA_DIGESTS);
        assert_eq!(ketama_digests(1, 3, 2), 26);
        assert_eq!(ketama_digests(1, 0, 2), 0);
        assert_eq!(ketama_points("a:1", 40).count(), 160);
    }

    #[test]
    fn nginx_names_split_at_their_port() {
        assert_eq!(split_port("s1"), ("s1", ""));
        assert_eq!(split_port("s1:80"), ("s1", "80"));
        assert_eq!(split_port("a:b"), ("a:b", ""));
    }

    #[test]
    fn a_continuum_walks_past_the_dead() {
        let continuum = NginxContinuum::new(&[("s1", 1), ("s2", 1)]);
        assert!(continuum.points().is_sorted());
        assert_eq!(continuum.owner(b"key", |node| node == 1), Some(1));
        assert_eq!(continuum.owner(b"key", |_| false), None);
        assert_eq!(NginxContinuum::new(&[]).owner(b"key", |_| true), None);
    }
}
