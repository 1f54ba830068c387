//! Load balancing: which of several peers gets the next request, under six policies that share one state.

use rand::{Rng, RngExt};

use crate::hash::{Crc32, cache_memcached};

/// How a [`Balancer`] chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Any peer, with probability in proportion to its weight (nginx `random`).
    Random,
    /// The peers in turn, blind to weight and load.
    RoundRobin,
    /// nginx's smooth weighted round robin: a peer of weight 5 among peers of weight 1 gets five of
    /// seven requests, spread out instead of in one burst.
    WeightedRoundRobin,
    /// The fewest active connections per unit of weight; ties go to smooth weighted round robin
    /// among the tied (nginx `least_conn`).
    LeastConnections,
    /// Two distinct peers drawn in proportion to weight; of these the one with fewer active
    /// connections per unit of weight (Mitzenmacher 2001; nginx `random two least_conn`).
    PowerOfTwoChoices,
    /// The first three octets of the client's address, hashed (nginx `ip_hash`).
    IpHash,
}

impl Policy {
    /// Every policy, in the order in which they are explained.
    pub const ALL: [Policy; 6] = [
        Policy::Random,
        Policy::RoundRobin,
        Policy::WeightedRoundRobin,
        Policy::LeastConnections,
        Policy::PowerOfTwoChoices,
        Policy::IpHash,
    ];
}

/// One server behind a [`Balancer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Share of the traffic, relative to the other peers; 0 drains the peer.
    pub weight: u32,
    /// Whether health checks let it be chosen.
    pub eligible: bool,
    /// Connections opened and not yet closed.
    pub active: u32,
    /// Standing in smooth weighted round robin: the greatest is chosen next.
    pub current_weight: i64,
}

impl Peer {
    fn available(&self) -> bool {
        self.eligible && self.weight > 0
    }

    /// Compares connections per weight by cross product, so that no division rounds.
    fn load_against(&self, other: &Peer) -> std::cmp::Ordering {
        let own = u64::from(self.active) * u64::from(other.weight);
        own.cmp(&(u64::from(other.active) * u64::from(self.weight)))
    }
}

/// A list of peers and all that the policies remember about them.
///
/// Peers are named by their index. A peer that is not eligible or has weight 0 is never picked.
/// Every method ignores an index that names no peer. No pick allocates: random and two-choice picks
/// take O(log n), round robin O(1) while peers are healthy, the others O(n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balancer {
    peers: Vec<Peer>,
    /// Sums of available weight up to and including each peer, so that one number below the last
    /// sum draws a peer in proportion to its weight.
    cumulative: Vec<u64>,
    cursor: usize,
}

/// Hashes that nginx tries before it gives up and takes the next peer in turn.
const HASH_TRIES: u32 = 21;

impl Balancer {
    /// A balancer without peers, which picks none.
    pub fn new() -> Balancer {
        Balancer::default()
    }

    /// A balancer with one eligible peer per weight.
    pub fn with_weights(weights: &[u32]) -> Balancer {
        let mut balancer = Balancer::new();
        for &weight in weights {
            balancer.add_peer(weight);
        }
        balancer
    }

    /// Adds an eligible peer at the end and returns its index. It joins the current turn.
    pub fn add_peer(&mut self, weight: u32) -> usize {
        self.peers.push(Peer {
            weight,
            eligible: true,
            active: 0,
            current_weight: 0,
        });
        self.cumulative.push(0);
        self.sum_weights();
        self.peers.len() - 1
    }

    /// Removes a peer; those behind it move down by one. The turn goes on where it was.
    pub fn remove_peer(&mut self, peer: usize) {
        if peer >= self.peers.len() {
            return;
        }
        self.peers.remove(peer);
        self.cumulative.pop();
        if self.cursor > peer {
            self.cursor -= 1;
        }
        self.sum_weights();
    }

    /// Lets health checks take a peer out of rotation, or bring it back.
    pub fn set_eligible(&mut self, peer: usize, eligible: bool) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.eligible = eligible;
            self.sum_weights();
        }
    }

    /// Changes a peer's share; 0 drains it.
    pub fn set_weight(&mut self, peer: usize, weight: u32) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.weight = weight;
            self.sum_weights();
        }
    }

    /// Counts a connection as opened. Picking alone does not, so that a picture can show a choice
    /// before the request arrives.
    pub fn opened(&mut self, peer: usize) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.active = peer.active.saturating_add(1);
        }
    }

    /// Counts a connection as closed.
    pub fn closed(&mut self, peer: usize) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.active = peer.active.saturating_sub(1);
        }
    }

    /// Forgets a peer's connections, as when it crashes and all of them break.
    pub fn close_all(&mut self, peer: usize) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.active = 0;
        }
    }

    /// The peers, by index.
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// How many peers there are, available or not.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there are no peers.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// The peer that round robin would pick now.
    pub fn next_in_turn(&self) -> Option<usize> {
        let available = |peer: &Peer| peer.available();
        let from = self.cursor.min(self.peers.len());
        let (before, after) = self.peers.split_at(from);
        after
            .iter()
            .position(available)
            .map(|offset| from + offset)
            .or_else(|| before.iter().position(available))
    }

    /// Chooses a peer, or none when none is available. Only [`Policy::IpHash`] reads the address.
    pub fn pick<R: Rng + ?Sized>(
        &mut self,
        policy: Policy,
        client_ipv4: [u8; 4],
        rng: &mut R,
    ) -> Option<usize> {
        match policy {
            Policy::Random => self.pick_least_of(1, rng),
            Policy::RoundRobin => self.pick_in_turn(),
            Policy::WeightedRoundRobin => self.pick_smoothly(|_| true),
            Policy::LeastConnections => self.pick_least_connections(),
            Policy::PowerOfTwoChoices => self.pick_of_two(rng),
            Policy::IpHash => self.pick_by_address(client_ipv4),
        }
    }

    // region: random
    /// Draws `choices` peers with replacement and picks the least loaded, the first of equals: the
    /// textbook supermarket model, where a draw may repeat. None for no choices.
    pub fn pick_least_of<R: Rng + ?Sized>(&self, choices: u32, rng: &mut R) -> Option<usize> {
        let total = self.total_available();
        if total == 0 {
            return None;
        }
        let mut best: Option<usize> = None;
        for _ in 0..choices {
            let drawn = self.holder_of(rng.random_range(0..total));
            best = Some(best.map_or(drawn, |held| self.lighter(held, drawn)));
        }
        best
    }
    // endregion

    /// Chooses by a key instead of an address, as nginx's `hash` without `consistent` does: adding
    /// or removing a peer moves most keys. An empty key takes the next peer in turn.
    pub fn pick_by_key(&mut self, key: &[u8]) -> Option<usize> {
        let mut hash = 0;
        if !key.is_empty() && self.peers.len() > 1 {
            for attempt in 0..HASH_TRIES {
                let mut crc = Crc32::new();
                if attempt > 0 {
                    // At most two digits, written without a heap string.
                    if attempt >= 10 {
                        crc.update(&[b'0' + (attempt / 10) as u8]);
                    }
                    crc.update(&[b'0' + (attempt % 10) as u8]);
                }
                crc.update(key);
                hash += u64::from(cache_memcached(crc.finish()));
                if let Some(peer) = self.hashed_peer(hash) {
                    return Some(peer);
                }
            }
        }
        self.pick_smoothly(|_| true)
    }

    // region: turn
    fn pick_in_turn(&mut self) -> Option<usize> {
        let picked = self.next_in_turn()?;
        self.cursor = picked + 1;
        Some(picked)
    }
    // endregion

    // region: smooth
    /// One turn of smooth weighted round robin among the available peers that `among` admits.
    fn pick_smoothly(&mut self, among: impl Fn(&Peer) -> bool) -> Option<usize> {
        let mut total = 0;
        let mut best: Option<(usize, i64)> = None;
        for (index, peer) in self.peers.iter_mut().enumerate() {
            if !peer.available() || !among(peer) {
                continue;
            }
            let weight = i64::from(peer.weight);
            total += weight;
            peer.current_weight += weight;
            if best.is_none_or(|(_, greatest)| peer.current_weight > greatest) {
                best = Some((index, peer.current_weight));
            }
        }
        let (index, _) = best?;
        self.peers[index].current_weight -= total;
        Some(index)
    }
    // endregion

    // region: least
    fn pick_least_connections(&mut self) -> Option<usize> {
        let mut best: Option<usize> = None;
        let mut tied = false;
        for (index, peer) in self.peers.iter().enumerate() {
            if !peer.available() {
                continue;
            }
            match best.map(|held| peer.load_against(&self.peers[held])) {
                None | Some(std::cmp::Ordering::Less) => {
                    best = Some(index);
                    tied = false;
                }
                Some(std::cmp::Ordering::Equal) => tied = true,
                Some(std::cmp::Ordering::Greater) => {}
            }
        }
        if !tied {
            return best;
        }
        let least = self.peers[best?];
        self.pick_smoothly(|peer| peer.load_against(&least).is_eq())
    }
    // endregion

    // region: two-choices
    fn pick_of_two<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<usize> {
        let (first, second) = self.draw_two(rng)?;
        Some(self.lighter(first, second))
    }

    /// The two distinct peers that [`Policy::PowerOfTwoChoices`] looks at, each drawn in proportion to its weight; twice the
    /// same if only one is available.
    pub fn draw_two<R: Rng + ?Sized>(&self, rng: &mut R) -> Option<(usize, usize)> {
        let total = self.total_available();
        if total == 0 {
            return None;
        }
        let first = self.holder_of(rng.random_range(0..total));
        let weight = u64::from(self.peers[first].weight);
        if weight == total {
            return Some((first, first));
        }
        // Draw again as if the first peer's stretch of weights were cut out.
        let mut ticket = rng.random_range(0..total - weight);
        if ticket >= self.cumulative[first] - weight {
            ticket += weight;
        }
        Some((first, self.holder_of(ticket)))
    }
    // endregion

    // region: address
    fn pick_by_address(&mut self, client_ipv4: [u8; 4]) -> Option<usize> {
        let mut hash = IP_HASH_START;
        if self.peers.len() > 1 {
            for _ in 0..HASH_TRIES {
                hash = ip_hash(hash, client_ipv4);
                if let Some(peer) = self.hashed_peer(u64::from(hash)) {
                    return Some(peer);
                }
            }
        }
        self.pick_smoothly(|_| true)
    }
    // endregion

    /// The peer that holds `hash` when the weights of *all* peers lie end to end, if it is
    /// available. Counting the dead too keeps the living where they are when one dies.
    fn hashed_peer(&self, hash: u64) -> Option<usize> {
        let total: u64 = self.peers.iter().map(|peer| u64::from(peer.weight)).sum();
        let mut left = hash.checked_rem(total)?;
        for (index, peer) in self.peers.iter().enumerate() {
            let weight = u64::from(peer.weight);
            if left < weight {
                return peer.available().then_some(index);
            }
            left -= weight;
        }
        None
    }

    /// Of two peers the one with fewer connections for its weight; of equals the first. Both must be peers.
    pub fn lighter(&self, held: usize, drawn: usize) -> usize {
        if self.peers[drawn].load_against(&self.peers[held]).is_lt() {
            drawn
        } else {
            held
        }
    }

    fn total_available(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    fn holder_of(&self, ticket: u64) -> usize {
        self.cumulative.partition_point(|&sum| sum <= ticket)
    }

    fn sum_weights(&mut self) {
        let mut sum = 0;
        for (peer, cumulative) in self.peers.iter().zip(&mut self.cumulative) {
            sum += if peer.available() {
                u64::from(peer.weight)
            } else {
                0
            };
            *cumulative = sum;
        }
    }
}

/// The value from which nginx's `ip_hash` starts.
pub const IP_HASH_START: u32 = 89;

/// One round of nginx's `ip_hash` over the first three octets; start from [`IP_HASH_START`] and feed
/// the result back to hash again. Addresses that differ in the last octet only hash alike.
pub fn ip_hash(hash: u32, client_ipv4: [u8; 4]) -> u32 {
    client_ipv4[..3].iter().fold(hash % 6271, |hash, &octet| {
        (hash * 113 + u32::from(octet)) % 6271
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg32;

    const HOME: [u8; 4] = [10, 0, 0, 1];

    fn take(balancer: &mut Balancer, policy: Policy, picks: usize) -> Vec<usize> {
        let mut rng = Pcg32::seed_from_u64(1);
        (0..picks)
            .filter_map(|_| balancer.pick(policy, HOME, &mut rng))
            .collect()
    }

    #[test]
    fn no_policy_picks_an_unavailable_peer() {
        for policy in Policy::ALL {
            let mut rng = Pcg32::seed_from_u64(2);
            assert_eq!(Balancer::new().pick(policy, HOME, &mut rng), None);

            let mut balancer = Balancer::with_weights(&[3, 1, 0, 2]);
            balancer.set_eligible(0, false);
            for octet in 0..=255 {
                let picked = balancer.pick(policy, [octet, 7, 7, 7], &mut rng);
                assert!(
                    matches!(picked, Some(1 | 3)),
                    "{policy:?} picked {picked:?}"
                );
            }
            balancer.set_eligible(1, false);
            balancer.set_weight(3, 0);
            assert_eq!(balancer.pick(policy, HOME, &mut rng), None, "{policy:?}");
        }
    }

    #[test]
    fn every_policy_reaches_a_lone_peer() {
        for policy in Policy::ALL {
            assert_eq!(take(&mut Balancer::with_weights(&[4]), policy, 3), [0; 3]);
        }
    }

    #[test]
    fn unknown_indices_change_nothing() {
        let mut balancer = Balancer::with_weights(&[1, 2]);
        let before = balancer.clone();
        balancer.remove_peer(2);
        balancer.set_eligible(2, false);
        balancer.set_weight(2, 9);
        balancer.opened(2);
        balancer.closed(2);
        balancer.close_all(2);
        assert_eq!(balancer, before);
    }

    #[test]
    fn round_robin_keeps_its_turn_when_peers_come_and_go() {
        let mut balancer = Balancer::with_weights(&[1; 4]);
        assert_eq!(take(&mut balancer, Policy::RoundRobin, 2), [0, 1]);
        balancer.remove_peer(0);
        // What was peer 2 is peer 1 now, and it is still its turn.
        assert_eq!(balancer.next_in_turn(), Some(1));
        assert_eq!(take(&mut balancer, Policy::RoundRobin, 3), [1, 2, 0]);
        balancer.set_eligible(1, false);
        assert_eq!(take(&mut balancer, Policy::RoundRobin, 3), [2, 0, 2]);
        balancer.add_peer(1);
        assert_eq!(take(&mut balancer, Policy::RoundRobin, 2), [3, 0]);
    }

    #[test]
    fn smooth_round_robin_gives_each_its_weight_and_returns_to_rest() {
        let mut balancer = Balancer::with_weights(&[7, 2, 5, 1]);
        let picked = take(&mut balancer, Policy::WeightedRoundRobin, 15);
        for (peer, weight) in [7, 2, 5, 1].into_iter().enumerate() {
            assert_eq!(picked.iter().filter(|&&p| p == peer).count(), weight);
        }
        assert!(balancer.peers().iter().all(|peer| peer.current_weight == 0));
    }

    /// The worked example in the message of the nginx commit that brought the algorithm.
    #[test]
    fn smooth_round_robin_passes_through_the_published_states() {
        let mut balancer = Balancer::with_weights(&[5, 1, 1]);
        let states = [
            [-2, 1, 1],
            [-4, 2, 2],
            [1, -4, 3],
            [-1, -3, 4],
            [4, -2, -2],
            [2, -1, -1],
            [0, 0, 0],
        ];
        for state in states {
            take(&mut balancer, Policy::WeightedRoundRobin, 1);
            let current: Vec<i64> = (balancer.peers().iter())
                .map(|peer| peer.current_weight)
                .collect();
            assert_eq!(current, state);
        }
    }

    #[test]
    fn least_connections_weighs_the_connections() {
        let mut balancer = Balancer::with_weights(&[1, 3]);
        for _ in 0..40 {
            let picked = take(&mut balancer, Policy::LeastConnections, 1)[0];
            balancer.opened(picked);
        }
        assert_eq!(balancer.peers()[0].active, 10);
        assert_eq!(balancer.peers()[1].active, 30);
        for _ in 0..3 {
            balancer.closed(0);
        }
        assert_eq!(take(&mut balancer, Policy::LeastConnections, 1), [0]);
    }

    #[test]
    fn two_choices_are_distinct() {
        // Of two distinct peers among two, the loaded one must never win.
        let mut balancer = Balancer::with_weights(&[5, 1]);
        for _ in 0..6 {
            balancer.opened(0);
        }
        assert_eq!(take(&mut balancer, Policy::PowerOfTwoChoices, 50), [1; 50]);
        // With replacement both draws may hit the loaded one.
        let mut rng = Pcg32::seed_from_u64(3);
        let drawn: Vec<_> = (0..50)
            .filter_map(|_| balancer.pick_least_of(2, &mut rng))
            .collect();
        assert!(drawn.contains(&0));
        assert_eq!(balancer.pick_least_of(0, &mut rng), None);
    }

    #[test]
    fn random_follows_the_weights() {
        let mut balancer = Balancer::with_weights(&[1, 0, 3]);
        let picked = take(&mut balancer, Policy::Random, 4_000);
        let heavy = picked.iter().filter(|&&peer| peer == 2).count();
        // Four standard deviations of a binomial with 4,000 draws at 3/4 are 110.
        assert!(heavy.abs_diff(3_000) < 110, "{heavy}");
    }

    #[test]
    fn ip_hash_ignores_the_last_octet_and_moves_only_the_dead_peers_clients() {
        let mut balancer = Balancer::with_weights(&[1; 5]);
        let mut rng = Pcg32::seed_from_u64(4);
        let mut at = |balancer: &mut Balancer, octet, last| {
            balancer.pick(Policy::IpHash, [192, 168, octet, last], &mut rng)
        };
        let before: Vec<_> = (0..=255).map(|o| at(&mut balancer, o, 1)).collect();
        let neighbours: Vec<_> = (0..=255).map(|o| at(&mut balancer, o, 99)).collect();
        assert_eq!(before, neighbours);
        balancer.set_eligible(2, false);
        for octet in 0..=255_u8 {
            let old = before[usize::from(octet)];
            if old != Some(2) {
                assert_eq!(at(&mut balancer, octet, 1), old);
            }
        }
    }

    #[test]
    fn hashing_falls_back_to_turns_when_its_tries_run_out() {
        // One unit of weight in four thousand million: hashing will not find it.
        let mut balancer = Balancer::with_weights(&[u32::MAX, 1]);
        balancer.set_eligible(0, false);
        assert_eq!(take(&mut balancer, Policy::IpHash, 3), [1; 3]);
        assert_eq!(balancer.pick_by_key(b"key"), Some(1));
    }
}
