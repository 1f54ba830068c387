//! Two-phase commit: several databases commit one transaction, all of them or none.
//!
//! *Presumed nothing*: both outcomes are logged and acknowledged. The coordinator asks all to prepare; each forces a record that it can
//! do either and votes; one no, or a vote that is missing for too long, is abort; the decision is forced before anybody is told. After
//! a yes a participant may decide nothing alone: until it is told it is **in doubt**, and keeps its locks. For n participants that
//! is 4n messages and 2n + 1 forced writes.
//!
//! Source: Gray, *Notes on Data Base Operating Systems*, 1978; Bernstein, Hadzilacos, Goodman, *Concurrency Control and Recovery in
//! Database Systems*, 1987, ch. 7; Skeen, *Nonblocking Commit Protocols*, 1981.

/// What coordinator and participants tell each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Can you commit?
    Prepare,
    /// Yes, or no.
    Vote(bool),
    /// Commit, or abort.
    Decision(bool),
    /// The decision is done.
    Ack,
    /// What was decided?
    Ask,
}

/// An entry of a participant's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It was asked to prepare.
    Prepare,
    /// It has promised.
    Ready,
    /// What was decided.
    Decided(bool),
}

/// What a participant does when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// It aborts by itself: it has promised nothing.
    Aborts,
    /// It is in doubt, and asks.
    Asks,
    /// It knows.
    Knows(bool),
}

/// What the log of a participant says after a crash.
pub fn back(log: &[Entry]) -> Back {
    match log.last() {
        None | Some(Entry::Prepare) => Back::Aborts,
        Some(Entry::Ready) => Back::Asks,
        Some(Entry::Decided(commit)) => Back::Knows(*commit),
    }
}

/// A participant as its log leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// What it has forced to disk.
    pub log: Vec<Entry>,
}

impl Participant {
    /// Whether it has promised and was not told: it may decide nothing alone.
    pub fn in_doubt(&self) -> bool {
        self.log.last() == Some(&Entry::Ready)
    }

    /// What was decided, as far as it knows.
    pub fn decided(&self) -> Option<bool> {
        match self.log.last() {
            Some(Entry::Decided(commit)) => Some(*commit),
            _ => None,
        }
    }

    // region: participant
    /// Hears something, and answers; `can` says whether it could commit. What it logs is forced before the answer leaves.
    pub fn hear(&mut self, say: Say, can: bool) -> Option<Say> {
        match (say, self.decided()) {
            (Say::Prepare, Some(commit)) => Some(Say::Vote(commit)),
            (Say::Prepare, None) if can || self.in_doubt() => {
                if !self.in_doubt() {
                    self.log.push(Entry::Ready);
                }
                Some(Say::Vote(true))
            }
            (Say::Prepare, None) => {
                // Who votes no needs no answer.
                self.log.push(Entry::Decided(false));
                Some(Say::Vote(false))
            }
            (Say::Decision(commit), known) => {
                // Once more the same, or late: acknowledged, and nothing is done twice. Who has not voted yes cannot be told to commit.
                if known.is_none() && (self.in_doubt() || !commit) {
                    self.log.push(Entry::Decided(commit));
                }
                Some(Say::Ack)
            }
            _ => None,
        }
    }
    // endregion

    /// It is back after a crash: what it asks, if anything.
    pub fn restart(&mut self) -> Option<Say> {
        match back(&self.log) {
            Back::Aborts => {
                self.log.push(Entry::Decided(false));
                None
            }
            Back::Asks => Some(Say::Ask),
            Back::Knows(_) => None,
        }
    }
}

/// Who asks, counts and decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coordinator {
    /// Each participant's vote.
    pub votes: Vec<Option<bool>>,
    /// Who has done what was decided.
    pub acks: Vec<bool>,
    /// The decision, forced to disk before it is told.
    pub decided: Option<bool>,
}

impl Coordinator {
    /// A coordinator of so many participants.
    pub fn new(participants: usize) -> Coordinator {
        Coordinator {
            votes: vec![None; participants],
            acks: vec![false; participants],
            decided: None,
        }
    }

    // region: decide
    /// A vote is in. The decision, if this settles it; it is to be forced, then told to all.
    pub fn vote(&mut self, from: usize, yes: bool) -> Option<bool> {
        let vote = self.votes.get_mut(from)?;
        *vote = Some(yes);
        if self.decided.is_some() {
            return None;
        }
        if !yes {
            self.decided = Some(false);
        } else if self.votes.iter().all(|vote| *vote == Some(true)) {
            self.decided = Some(true);
        }
        self.decided
    }

    /// A vote has been missing for too long, or the coordinator is back and had decided nothing: a missing vote is a no.
    pub fn give_up(&mut self) -> bool {
        *self.decided.get_or_insert(false)
    }
    // endregion

    /// A participant asks: it is told once something is decided.
    pub fn asked(&self) -> Option<Say> {
        self.decided.map(Say::Decision)
    }

    /// A participant has done what was decided.
    pub fn ack(&mut self, from: usize) {
        if let Some(ack) = self.acks.get_mut(from) {
            *ack = true;
        }
    }

    /// Who must be told still.
    pub fn untold(&self) -> impl Iterator<Item = usize> + '_ {
        let count = if self.decided.is_some() {
            self.acks.len()
        } else {
            0
        };
        (0..count).filter(|who| !self.acks[*who])
    }

    /// The power fails: votes are forgotten, the decision is on disk.
    pub fn crash(&mut self) {
        self.votes.fill(None);
        self.acks.fill(false);
    }
}

/// What a run without failures costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Questions.
    pub prepare: usize,
    /// Votes.
    pub vote: usize,
    /// Decisions told.
    pub decision: usize,
    /// Acknowledgements.
    pub ack: usize,
    /// Records that had to be on disk before the next message.
    pub forced: usize,
    /// What was decided.
    pub committed: bool,
}

/// Runs the protocol for these votes; none is a participant that does not answer in time.
pub fn run(votes: &[Option<bool>]) -> Costs {
    let mut costs = Costs::default();
    let mut coordinator = Coordinator::new(votes.len());
    let mut all = vec![Participant::default(); votes.len()];
    for (who, vote) in votes.iter().enumerate() {
        costs.prepare += 1;
        if let Some(Say::Vote(yes)) = vote.and_then(|can| all[who].hear(Say::Prepare, can)) {
            costs.vote += 1;
            coordinator.vote(who, yes);
        }
    }
    costs.committed = coordinator.give_up();
    costs.forced += 1;
    for (who, one) in all.iter_mut().enumerate() {
        costs.decision += 1;
        if one.hear(Say::Decision(costs.committed), false) == Some(Say::Ack) {
            costs.ack += 1;
            coordinator.ack(who);
        }
        costs.forced += one.log.len();
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random losses, repeats, crashes and restarts of everybody: no bank commits while another aborts, nobody is in doubt who has not
    /// promised, and all come to an end once all are up and nothing is lost.
    #[test]
    fn all_or_none_whatever_is_lost() {
        let mut outcomes = [0, 0];
        for seed in 0..3_000_u32 {
            let mut random = seed;
            let mut roll = |below: u32| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 8) % below
            };
            let n = 2 + roll(2) as usize;
            let can: Vec<bool> = (0..n).map(|_| roll(8) > 0).collect();
            let mut coordinator = Coordinator::new(n);
            let mut all = vec![Participant::default(); n];
            // Who it is to; none is the coordinator.
            let mut post: Vec<(Option<usize>, usize, Say)> =
                (0..n).map(|who| (Some(who), who, Say::Prepare)).collect();
            for round in 0..400 {
                let calm = round > 200;
                if !calm && roll(12) == 0 {
                    coordinator.crash();
                    if roll(2) == 0 {
                        coordinator.give_up();
                    }
                }
                if !calm && roll(12) == 0 {
                    let who = roll(n as u32) as usize;
                    post.extend(all[who].restart().map(|say| (None, who, say)));
                }
                if post.is_empty() {
                    if round > 100 {
                        coordinator.give_up();
                    }
                    post.extend(
                        coordinator
                            .untold()
                            .map(|who| (Some(who), who, Say::Decision(coordinator.give_up_was()))),
                    );
                    let asks = all.iter().enumerate().filter(|(_, one)| one.in_doubt());
                    post.extend(asks.map(|(who, _)| (None, who, Say::Ask)));
                    continue;
                }
                let (to, who, say) = post.swap_remove(roll(post.len() as u32) as usize);
                if !calm && roll(4) == 0 {
                    continue;
                }
                if !calm && roll(6) == 0 {
                    post.push((to, who, say));
                }
                match to {
                    Some(who) => {
                        post.extend(all[who].hear(say, can[who]).map(|say| (None, who, say)))
                    }
                    None => match say {
                        Say::Vote(yes) => {
                            if let Some(commit) = coordinator.vote(who, yes) {
                                post.extend(
                                    (0..n).map(|who| (Some(who), who, Say::Decision(commit))),
                                );
                            }
                        }
                        Say::Ack => coordinator.ack(who),
                        Say::Ask => {
                            post.extend(coordinator.asked().map(|say| (Some(who), who, say)))
                        }
                        _ => {}
                    },
                }
                let commits = all.iter().any(|one| one.decided() == Some(true));
                let aborts = all.iter().any(|one| one.decided() == Some(false));
                assert!(!(commits && aborts), "seed {seed}");
                assert!(
                    !commits
                        || all
                            .iter()
                            .zip(&can)
                            .all(|(one, can)| *can && one.log[0] == Entry::Ready),
                    "seed {seed}"
                );
            }
            let end = coordinator.decided.expect("decided");
            assert!(
                all.iter().all(|one| one.decided() == Some(end)),
                "seed {seed}: {all:?}"
            );
            outcomes[usize::from(end)] += 1;
        }
        assert!(outcomes[0] > 100 && outcomes[1] > 100, "{outcomes:?}");
    }

    impl Coordinator {
        fn give_up_was(&self) -> bool {
            self.decided == Some(true)
        }
    }

    /// What the checker above would see if a participant in doubt decided alone.
    #[test]
    fn who_decides_alone_breaks_it() {
        let mut coordinator = Coordinator::new(2);
        let mut all = [Participant::default(), Participant::default()];
        for (who, one) in all.iter_mut().enumerate() {
            one.hear(Say::Prepare, true);
            coordinator.vote(who, true);
        }
        assert!(all[0].in_doubt() && coordinator.decided == Some(true));
        all[0].log.push(Entry::Decided(false));
        all[1].hear(Say::Decision(true), true);
        assert_ne!(all[0].decided(), all[1].decided());
    }

    #[test]
    fn a_decision_that_comes_twice_is_done_once() {
        let mut one = Participant::default();
        one.hear(Say::Prepare, true);
        assert_eq!(one.hear(Say::Decision(true), true), Some(Say::Ack));
        assert_eq!(one.hear(Say::Decision(true), true), Some(Say::Ack));
        assert_eq!(one.log, [Entry::Ready, Entry::Decided(true)]);
    }
}
