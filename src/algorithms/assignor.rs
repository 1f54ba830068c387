//! Who of a consumer group reads which partition.
//!
//! Each partition has exactly one reader in the group; a member may have none. Members are walked in the order of
//! [`Member::name`]. *Range* cuts each topic into stretches, *round robin* deals partitions like cards, *sticky* balances and
//! moves as little as it can, *cooperative* does the same in two steps, so that nobody stops but those whose partitions move.
//! Source: Apache Kafka, `RangeAssignor`, `RoundRobinAssignor`, `AbstractStickyAssignor`, `CooperativeStickyAssignor` (KIP-429).

/// A partition: the number of its topic, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    /// The topic, from 0.
    pub topic: usize,
    /// From 0.
    pub number: usize,
}

/// One of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// A name of its own that outlives it, for those who have one; they come before the others.
    pub instance: Option<String>,
    /// The name that the group gave it.
    pub id: String,
    /// The topics that it wants.
    pub topics: Vec<usize>,
    /// What it had before; only the sticky ones ask.
    pub owned: Vec<Partition>,
}

impl Member {
    /// What members are ordered by.
    pub fn name(&self) -> (bool, &str) {
        match &self.instance {
            Some(instance) => (false, instance),
            None => (true, &self.id),
        }
    }
}

/// How partitions are given to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignor {
    /// Topic by topic, each member a stretch.
    Range,
    /// All partitions in turn.
    RoundRobin,
    /// Balanced, and each keeps as much as it can.
    Sticky,
    /// As sticky; what moves is first given back and assigned in a second round.
    Cooperative,
}

impl Assignor {
    /// Whether members go on reading what they keep while the group assigns anew.
    pub fn is_cooperative(self) -> bool {
        self == Assignor::Cooperative
    }

    /// What each member gets, in the order of `members`; `topics` tells how many partitions each topic has.
    pub fn assign(self, topics: &[usize], members: &[Member]) -> Vec<Vec<Partition>> {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_unstable_by(|a, b| members[*a].name().cmp(&members[*b].name()));
        match self {
            Assignor::Range => range(topics, members, &order),
            Assignor::RoundRobin => round_robin(topics, members, &order),
            Assignor::Sticky => sticky(topics, members, &order),
            Assignor::Cooperative => withhold(sticky(topics, members, &order), members),
        }
    }
}

fn partitions(topics: &[usize], topic: usize) -> impl Iterator<Item = Partition> {
    let count = topics.get(topic).copied().unwrap_or(0);
    (0..count).map(move |number| Partition { topic, number })
}

// region: range
/// Stretch by stretch; the first members get one more where it does not divide.
fn range(topics: &[usize], members: &[Member], order: &[usize]) -> Vec<Vec<Partition>> {
    let mut all = vec![Vec::new(); members.len()];
    for (topic, count) in topics.iter().enumerate() {
        let wants = |at: &&usize| members[**at].topics.contains(&topic);
        let readers: Vec<usize> = order.iter().filter(wants).copied().collect();
        let mut next = partitions(topics, topic);
        for (place, reader) in readers.iter().enumerate() {
            let more = usize::from(place < count % readers.len());
            all[*reader].extend(next.by_ref().take(count / readers.len() + more));
        }
    }
    all
}
// endregion

fn round_robin(topics: &[usize], members: &[Member], order: &[usize]) -> Vec<Vec<Partition>> {
    let mut all = vec![Vec::new(); members.len()];
    let mut turn = 0;
    for partition in (0..topics.len()).flat_map(|topic| partitions(topics, topic)) {
        // The next one in the circle that wants this topic.
        let wants = |step: &usize| {
            let at = order[(turn + step) % order.len()];
            members[at].topics.contains(&partition.topic)
        };
        if let Some(step) = (0..order.len()).find(wants) {
            all[order[(turn + step) % order.len()]].push(partition);
            turn = (turn + step + 1) % order.len();
        }
    }
    all
}

/// For members that all want the same topics, those of the first. Each keeps what it had, up to its fair share; what is left
/// goes to those who have too little. Members are asked for their surplus from the last to the first, as the table that
/// Kafka keeps them in happens to do.
fn sticky(topics: &[usize], members: &[Member], order: &[usize]) -> Vec<Vec<Partition>> {
    let mut all: Vec<Vec<Partition>> = vec![Vec::new(); members.len()];
    let Some(first) = members.first() else {
        return all;
    };
    let mut free: Vec<Partition> = first
        .topics
        .iter()
        .flat_map(|topic| partitions(topics, *topic))
        .collect();
    let (least, with_more) = (free.len() / members.len(), free.len() % members.len());
    let most = least + usize::from(with_more > 0);
    let mut fuller = 0;
    for at in order.iter().rev() {
        // What is gone, or kept by a member before, counts in no share.
        let mut owned = members[*at].owned.clone();
        owned.retain(|one| free.contains(one));
        owned.sort_unstable_by_key(|one| (one.number, one.topic));
        let share = if owned.len() >= most && fuller < with_more {
            fuller += 1;
            most
        } else {
            least
        };
        for partition in owned {
            if all[*at].len() < share
                && let Some(place) = free.iter().position(|one| *one == partition)
            {
                free.remove(place);
                all[*at].push(partition);
            }
        }
    }
    // First everybody gets the least share, one by one in turn; then the first who have just that get one more.
    let mut turn = 0;
    for partition in free {
        let in_turn = |step: &usize| all[order[(turn + step) % order.len()]].len() < least;
        let next = (0..order.len()).find(in_turn);
        let place = match next {
            Some(step) => (turn + step) % order.len(),
            None => {
                let has_just_that = |at: &usize| all[*at].len() == least;
                order.iter().position(has_just_that).unwrap_or(0)
            }
        };
        all[order[place]].push(partition);
        turn = place + 1;
    }
    all
}

// region: withhold
/// What somebody else still has is not handed out yet: its owner gives it back first.
fn withhold(mut all: Vec<Vec<Partition>>, members: &[Member]) -> Vec<Vec<Partition>> {
    for (at, gets) in all.iter_mut().enumerate() {
        let others = || members.iter().enumerate().filter(|(other, _)| *other != at);
        gets.retain(|partition| !others().any(|(_, other)| other.owned.contains(partition)));
    }
    all
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg32;

    fn member(id: usize, owned: &[usize]) -> Member {
        Member {
            id: format!("c{id:02}"),
            topics: vec![0],
            owned: owned
                .iter()
                .map(|number| Partition {
                    topic: 0,
                    number: *number,
                })
                .collect(),
            ..Member::default()
        }
    }

    const ALL: [Assignor; 4] = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::Cooperative,
    ];

    /// Members come and go, partitions are added: every rule is balanced, gives each partition once, and sticky moves no
    /// more than balance asks for.
    #[test]
    fn every_partition_has_one_reader_and_shares_differ_by_one_at_most() {
        for assignor in ALL {
            let mut rng = Pcg32::seed_from_u64(9);
            for _ in 0..200 {
                let mut owned: Vec<Vec<usize>> = vec![Vec::new(); rng.random_range(1..8)];
                let mut partitions = rng.random_range(0..8_usize);
                for _ in 0..12 {
                    match rng.random_range(0..3) {
                        0 => owned.push(Vec::new()),
                        1 if owned.len() > 1 => {
                            owned.remove(rng.random_range(0..owned.len()));
                        }
                        _ => partitions = (partitions + 1).min(12),
                    }
                    let mut rounds = 0;
                    loop {
                        let had = owned.clone();
                        let members: Vec<Member> = had
                            .iter()
                            .enumerate()
                            .map(|(i, owned)| member(i, owned))
                            .collect();
                        let given = assignor.assign(&[partitions], &members);
                        owned = given
                            .iter()
                            .map(|one| one.iter().map(|p| p.number).collect())
                            .collect();
                        rounds += 1;
                        // A cooperative group is done when nobody had to give anything back.
                        let kept = had
                            .iter()
                            .zip(&owned)
                            .all(|(had, has)| had.iter().all(|p| has.contains(p)));
                        if !assignor.is_cooperative() || kept {
                            break;
                        }
                        assert!(rounds < 3, "two rounds are enough");
                    }
                    let mut all: Vec<usize> = owned.concat();
                    all.sort_unstable();
                    assert!(all.into_iter().eq(0..partitions), "{assignor:?}: {owned:?}");
                    let sizes = owned.iter().map(Vec::len);
                    let spread = sizes.clone().max().unwrap() - sizes.min().unwrap();
                    assert!(spread <= 1, "{assignor:?}: {owned:?}");
                }
            }
        }
    }

    #[test]
    fn cooperative_hands_out_what_moves_in_a_second_round() {
        let members = [
            member(1, &[0, 1]),
            member(2, &[2, 3]),
            member(3, &[4, 5]),
            member(4, &[]),
        ];
        let first = Assignor::Cooperative.assign(&[6], &members);
        let sizes: Vec<usize> = first.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 2, 2, 0]);
        let second: Vec<Member> = first
            .iter()
            .enumerate()
            .map(|(i, one)| member(i, &one.iter().map(|p| p.number).collect::<Vec<_>>()))
            .collect();
        let second = Assignor::Cooperative.assign(&[6], &second);
        assert_eq!(
            second[3],
            [Partition {
                topic: 0,
                number: 1
            }]
        );
        // Range moves one lane as well, but everybody stops for it.
        let range = Assignor::Range.assign(&[6], &members);
        assert_eq!(range.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1, 1]);
    }

    #[test]
    fn what_is_gone_or_kept_by_another_counts_in_no_share() {
        let numbers = |members: &[Member], partitions| -> Vec<Vec<usize>> {
            let given = Assignor::Sticky.assign(&[partitions], members);
            let numbers = |one: &Vec<Partition>| one.iter().map(|p| p.number).collect();
            given.iter().map(numbers).collect()
        };
        // Partitions 3 to 5 are gone: the second member has fewer than its share now, and the first keeps what it had.
        let shrunk = [member(1, &[0, 1]), member(2, &[2, 3, 4, 5])];
        assert_eq!(numbers(&shrunk, 3), [vec![0, 1], vec![2]]);
        // The second still claims 0 and 1, which the third has: the first loses nothing for that.
        let late = [member(1, &[2, 3]), member(2, &[0, 1]), member(3, &[0, 1])];
        assert_eq!(numbers(&late, 5), [vec![2, 3], vec![4], vec![0, 1]]);
    }

    #[test]
    fn nobody_and_nothing_are_no_trouble() {
        for assignor in ALL {
            assert!(assignor.assign(&[3], &[]).is_empty());
            assert_eq!(assignor.assign(&[0], &[member(1, &[])]), [Vec::new()]);
        }
    }
}
