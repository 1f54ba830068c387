//! Raft: one leader a term, elected by a majority, and one log that it hands to everybody.
//!
//! After Ongaro and Ousterhout, "In search of an understandable consensus algorithm", USENIX ATC 2014 (figure 2), with what
//! etcd's raft does where the paper leaves a choice: a new leader begins with an empty entry of its own term, a refusal hints
//! at where logs part, who has lost an election is a follower again. Pre-vote is that of Ongaro's dissertation, 9.6: who has
//! heard of a leader within the shortest election time refuses. Check quorum is etcd's: a leader that hears no majority for so
//! long stands down, and who hears a leader takes no part in elections. Snapshots, changes of members and transfers of
//! leadership are left out.

use crate::protocol::{Id, OutOf, Protocol, Wind};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Counts elections. Each has at most one winner.
pub type Term = u64;
/// A place in the log, from 1; 0 is before it.
pub type Index = u64;

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<C> {
    /// The term of the leader that wrote it.
    pub term: Term,
    /// What it orders; nothing in the first entry of a leader.
    pub command: Option<C>,
}

/// What of a place in the log has to agree: index and term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The term, which counts first when two logs are compared.
    pub term: Term,
    /// The index.
    pub index: Index,
}

/// The log of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<C> {
    entries: Vec<Entry<C>>,
}

impl<C> Default for Log<C> {
    fn default() -> Self {
        Log {
            entries: Vec::new(),
        }
    }
}

impl<C: Clone> Log<C> {
    /// A log of these entries.
    pub fn of(entries: Vec<Entry<C>>) -> Log<C> {
        Log { entries }
    }

    /// All entries, the first at index 1.
    pub fn entries(&self) -> &[Entry<C>] {
        &self.entries
    }

    /// The end: index and term of the last entry.
    pub fn last(&self) -> Mark {
        let index = self.entries.len() as Index;
        Mark {
            term: self.term_at(index).unwrap_or(0),
            index,
        }
    }

    /// The term of an entry; that before the first is 0.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        match index.checked_sub(1) {
            None => Some(0),
            Some(at) => self.entries.get(at as usize).map(|entry| entry.term),
        }
    }

    /// Whether a log that ends so knows at least as much (5.4.1): the later last term, or of equal ones the longer log.
    pub fn is_covered_by(&self, last: Mark) -> bool {
        last >= self.last()
    }

    /// Takes what follows `after`, if that agrees. What stands in the way is cut off; what is there already stays, so that an
    /// old message cannot shorten a log. Returns the index of the last of them.
    pub fn take(&mut self, after: Mark, entries: &[Entry<C>]) -> Option<Index> {
        if self.term_at(after.index) != Some(after.term) {
            return None;
        }
        for (index, entry) in (after.index + 1..).zip(entries) {
            let known = self.term_at(index);
            if known == Some(entry.term) {
                continue;
            }
            if known.is_some() {
                self.entries.truncate(index as usize - 1);
            }
            self.entries.push(entry.clone());
        }
        Some(after.index + entries.len() as Index)
    }

    /// The last place at or before `mark` whose term is not later: where logs can agree at best.
    pub fn agrees_at_most(&self, mark: Mark) -> Mark {
        let mut index = mark.index.min(self.last().index);
        while let Some(term) = self.term_at(index) {
            if term <= mark.term || index == 0 {
                return Mark { term, index };
            }
            index -= 1;
        }
        Mark::default()
    }

    fn after(&self, index: Index) -> Vec<Entry<C>> {
        let from = (index as usize).min(self.entries.len());
        self.entries[from..].to_vec()
    }
}

/// How an election stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A majority of all members said yes.
    Won,
    /// No majority can say yes any more.
    Lost,
    /// It is open.
    Pending,
}

// region: tally
/// How an election stands, by what each member has said so far. A majority is one of all, not of those who answer.
pub fn tally(votes: &[Option<bool>]) -> Tally {
    let majority = votes.len() / 2 + 1;
    let yes = votes.iter().filter(|vote| **vote == Some(true)).count();
    let open = votes.iter().filter(|vote| vote.is_none()).count();
    if yes >= majority || votes.is_empty() {
        Tally::Won
    } else if yes + open >= majority {
        Tally::Pending
    } else {
        Tally::Lost
    }
}
// endregion

/// Up to where a majority has the log, by what each member is known to have.
pub fn majority_index(matched: &[Index]) -> Index {
    let mut matched = matched.to_vec();
    matched.sort_unstable();
    let majority = matched.len() / 2 + 1;
    let at = matched.len().checked_sub(majority);
    at.map_or(Index::MAX, |at| matched[at])
}

/// Up to where a leader of this term may commit: what a majority has, if the last of it is of its own term; else nothing
/// more than before (5.4.2).
pub fn commits<C: Clone>(log: &Log<C>, matched: &[Index], term: Term) -> Index {
    let index = majority_index(matched);
    match log.term_at(index) {
        Some(of) if of == term => index,
        _ => 0,
    }
}

/// What a node is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It obeys.
    Follower,
    /// It asks whether it would win (pre-vote); it counts no term for that.
    Asking,
    /// It asks for votes.
    Candidate,
    /// It leads, as far as it knows.
    Leader,
}

/// What nodes tell each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<C> {
    /// RequestVote.
    Ask {
        /// The term that the candidate would lead.
        term: Term,
        /// How its log ends.
        last: Mark,
        /// Whether it only asks what the answer would be.
        pre: bool,
    },
    /// The answer.
    Vote {
        /// The voter's term; of a yes to a pre-vote the term that was asked for.
        term: Term,
        /// Whether it is yes.
        granted: bool,
        /// Whether it answers a pre-vote.
        pre: bool,
    },
    /// AppendEntries; without entries a heartbeat.
    Append {
        /// The leader's term.
        term: Term,
        /// What stands before the entries.
        after: Mark,
        /// What to take.
        entries: Vec<Entry<C>>,
        /// Up to where the leader has committed.
        commit: Index,
    },
    /// The answer.
    Appended {
        /// The follower's term.
        term: Term,
        /// Up to where the logs agree; of a refusal, the index that was refused.
        index: Index,
        /// Of a refusal, where they may agree.
        hint: Option<Mark>,
    },
}

/// The clocks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// So long without a leader, and it asks for votes.
    Election,
    /// A leader speaks again.
    Heartbeat,
    /// It has not heard of a leader for the shortest election time.
    Silence,
    /// A leader counts who answered.
    Quorum,
}

/// A rule that is left out, to see what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Votes for everybody who asks.
    VotesTwice,
    /// Commits whatever a majority has, also of older terms (figure 8).
    CommitsOlder,
    /// Votes without looking at the candidate's log.
    VotesForShort,
    /// Forgets its vote in a crash.
    ForgetsVote,
}

/// The settings of a group.
#[derive(Clone, Debug)]
pub struct Raft<C> {
    /// Nodes 1 to this.
    pub members: Id,
    /// An election clock runs at least so long.
    pub least: u64,
    /// And up to so much longer.
    pub spread: u64,
    /// A leader speaks so often.
    pub heartbeat: u64,
    /// Whether candidates first ask whether they would win.
    pub pre_vote: bool,
    /// Whether a leader stands down that hears no majority for `least`.
    pub check_quorum: bool,
    /// A rule that is left out.
    pub slip: Option<Slip>,
    /// What entries order.
    pub orders: PhantomData<C>,
}

/// What a crash leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk<C> {
    /// The latest term it has seen.
    pub term: Term,
    /// Whom it voted for in that.
    pub voted_for: Option<Id>,
    /// Its log.
    pub log: Log<C>,
}

impl<C> Default for Disk<C> {
    fn default() -> Self {
        Disk {
            term: 0,
            voted_for: None,
            log: Log::default(),
        }
    }
}

/// A node that runs.
#[derive(Clone, Debug)]
pub struct Node<C> {
    /// Which.
    pub me: Id,
    /// What it has written down.
    pub disk: Disk<C>,
    /// What it is.
    pub role: Role,
    /// Whom it obeys.
    pub leader: Option<Id>,
    /// Up to where its log counts.
    pub commit: Index,
    /// Of an asking node or candidate, what each member said, by number less 1.
    pub votes: Vec<Option<bool>>,
    /// Whether it has heard of a leader within the shortest election time.
    pub hears: bool,
    /// Of a leader, what to send each member next, and what each is known to have.
    next: Vec<Index>,
    matched: Vec<Index>,
    /// Of a leader, who has answered since it last counted.
    active: Vec<bool>,
}

impl<C: Clone> Node<C> {
    /// Of a leader, up to where each member is known to have its log, by number less 1.
    pub fn matched(&self) -> &[Index] {
        &self.matched
    }

    fn term(&self) -> Term {
        self.disk.term
    }
}

/// The place of a member in lists.
fn at(id: Id) -> usize {
    usize::from(id).saturating_sub(1)
}

impl<C: Clone + PartialEq> Raft<C> {
    /// A group of so many with the paper's times: clocks of 150 to 300, a heartbeat each 50.
    pub fn of(members: Id) -> Raft<C> {
        Raft {
            members,
            least: 150,
            spread: 150,
            heartbeat: 50,
            pre_vote: false,
            check_quorum: false,
            slip: None,
            orders: PhantomData,
        }
    }

    /// How many are a majority.
    pub fn majority(&self) -> usize {
        usize::from(self.members) / 2 + 1
    }

    fn others(&self, me: Id) -> impl Iterator<Item = Id> + use<C> {
        (1..=self.members).filter(move |id| *id != me)
    }

    fn wind_election(&self, out: &mut OutOf<Self>) {
        let (least, spread) = (self.least, self.spread);
        out.wind(Timer::Election, Wind::Within { least, spread });
    }

    /// It obeys, in a term that is at least its own.
    fn follow(&self, node: &mut Node<C>, term: Term, leader: Option<Id>, out: &mut OutOf<Self>) {
        if term > node.term() {
            (node.disk.term, node.disk.voted_for) = (term, None);
        }
        if node.role == Role::Leader {
            out.wind(Timer::Heartbeat, Wind::Off);
            out.wind(Timer::Quorum, Wind::Off);
            // A leader has no election clock that runs.
            self.wind_election(out);
        }
        (node.role, node.leader) = (Role::Follower, leader);
        node.votes.clear();
    }

    // region: campaign
    /// Asks for votes, or whether it would get them.
    fn campaign(&self, node: &mut Node<C>, pre: bool, out: &mut OutOf<Self>) {
        node.leader = None;
        node.votes = vec![None; usize::from(self.members)];
        node.votes[at(node.me)] = Some(true);
        if pre {
            node.role = Role::Asking;
        } else {
            node.role = Role::Candidate;
            (node.disk.term, node.disk.voted_for) = (node.term() + 1, Some(node.me));
        }
        self.wind_election(out);
        let (term, last) = (node.term() + Term::from(pre), node.disk.log.last());
        for to in self.others(node.me) {
            out.send(to, Word::Ask { term, last, pre });
        }
        self.count(node, out);
    }
    // endregion

    /// What follows from the votes so far.
    fn count(&self, node: &mut Node<C>, out: &mut OutOf<Self>) {
        match (tally(&node.votes), node.role) {
            (Tally::Won, Role::Asking) => self.campaign(node, false, out),
            (Tally::Won, Role::Candidate) => self.lead(node, out),
            (Tally::Lost, _) => self.follow(node, node.term(), None, out),
            _ => {}
        }
    }

    fn lead(&self, node: &mut Node<C>, out: &mut OutOf<Self>) {
        let members = usize::from(self.members);
        (node.role, node.leader) = (Role::Leader, Some(node.me));
        node.next = vec![node.disk.log.last().index + 1; members];
        node.matched = vec![0; members];
        node.active = vec![false; members];
        node.votes.clear();
        out.wind(Timer::Election, Wind::Off);
        out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
        if self.check_quorum {
            out.wind(Timer::Quorum, Wind::After(self.least));
        }
        self.write(node, None, out);
    }

    /// A leader writes an entry of its term and hands it on.
    fn write(&self, node: &mut Node<C>, command: Option<C>, out: &mut OutOf<Self>) {
        let term = node.term();
        node.disk.log.entries.push(Entry { term, command });
        node.matched[at(node.me)] = node.disk.log.last().index;
        self.commit(node);
        for to in self.others(node.me) {
            self.append(node, to, out);
        }
    }

    /// Hands a member what it is not known to have.
    fn append(&self, node: &Node<C>, to: Id, out: &mut OutOf<Self>) {
        let index = node.next[at(to)] - 1;
        let term = node.disk.log.term_at(index).unwrap_or(0);
        let word = Word::Append {
            term: node.term(),
            after: Mark { term, index },
            entries: node.disk.log.after(index),
            commit: node.commit,
        };
        out.send(to, word);
    }

    /// Commits what a majority has, if it is of the leader's own term (5.4.2). Tells whether that is more than before.
    fn commit(&self, node: &mut Node<C>) -> bool {
        let mut index = commits(&node.disk.log, &node.matched, node.term());
        if self.slip == Some(Slip::CommitsOlder) {
            index = majority_index(&node.matched);
        }
        let more = index > node.commit;
        node.commit = node.commit.max(index);
        more
    }

    /// Whether a node would vote for a candidate with such a log.
    fn believes(&self, node: &Node<C>, last: Mark) -> bool {
        node.disk.log.is_covered_by(last) || self.slip == Some(Slip::VotesForShort)
    }

    fn asked(&self, node: &mut Node<C>, from: Id, word: (Term, Mark, bool), out: &mut OutOf<Self>) {
        let (term, last, pre) = word;
        if pre {
            let granted = term > node.term() && !node.hears && self.believes(node, last);
            let term = if granted { term } else { node.term() };
            return out.send(from, Word::Vote { term, granted, pre });
        }
        if self.check_quorum && node.hears && term > node.term() {
            return; // Its leader is well.
        }
        if term > node.term() {
            self.follow(node, term, None, out);
        }
        // region: vote
        let free = match node.disk.voted_for {
            Some(other) => other == from || self.slip == Some(Slip::VotesTwice),
            None => node.leader.is_none(),
        };
        let granted = term == node.term() && free && self.believes(node, last);
        if granted {
            node.disk.voted_for = Some(from);
            self.wind_election(out);
        }
        let term = node.term();
        out.send(from, Word::Vote { term, granted, pre });
        // endregion
    }

    fn voted(&self, node: &mut Node<C>, from: Id, word: (Term, bool, bool), out: &mut OutOf<Self>) {
        let (term, granted, pre) = word;
        // A yes to a pre-vote says the term that was asked for, which nobody is in yet.
        if term > node.term() && !(pre && granted) {
            return self.follow(node, term, None, out);
        }
        let (role, asked) = match pre {
            true => (Role::Asking, node.term() + Term::from(granted)),
            false => (Role::Candidate, node.term()),
        };
        if node.role == role && term == asked {
            node.votes[at(from)].get_or_insert(granted);
            self.count(node, out);
        }
    }

    fn told(
        &self,
        node: &mut Node<C>,
        from: Id,
        word: (Term, Mark, &[Entry<C>], Index),
        out: &mut OutOf<Self>,
    ) {
        let (term, after, entries, commit) = word;
        if term < node.term() {
            let (term, index, hint) = (node.term(), after.index, Some(Mark::default()));
            return out.send(from, Word::Appended { term, index, hint });
        }
        self.follow(node, term, Some(from), out);
        node.hears = true;
        self.wind_election(out);
        out.wind(Timer::Silence, Wind::After(self.least));
        let (index, hint) = if after.index < node.commit {
            // An old message: what it has is committed here already.
            (node.commit, None)
        } else if let Some(last) = node.disk.log.take(after, entries) {
            node.commit = node.commit.max(commit.min(last));
            (last, None)
        } else {
            (after.index, Some(node.disk.log.agrees_at_most(after)))
        };
        out.send(from, Word::Appended { term, index, hint });
    }

    fn heard_back(
        &self,
        node: &mut Node<C>,
        from: Id,
        word: (Term, Index, Option<Mark>),
        out: &mut OutOf<Self>,
    ) {
        let (term, index, hint) = word;
        if term > node.term() {
            return self.follow(node, term, None, out);
        }
        if node.role != Role::Leader || term < node.term() {
            return;
        }
        let of = at(from);
        node.active[of] = true;
        if let Some(hint) = hint {
            // The answer to something older is not repeated.
            if index + 1 == node.next[of] && index > node.matched[of] {
                let agreed = node.disk.log.agrees_at_most(hint).index;
                node.next[of] = (agreed + 1).min(index).max(node.matched[of] + 1);
                self.append(node, from, out);
            }
            return;
        }
        if index > node.matched[of] {
            node.matched[of] = index;
        }
        node.next[of] = node.next[of].max(index + 1);
        if self.commit(node) {
            for to in self.others(node.me) {
                self.append(node, to, out);
            }
        } else if node.next[of] <= node.disk.log.last().index {
            self.append(node, from, out);
        }
    }
}

impl<C: Clone + PartialEq> Protocol for Raft<C> {
    type Node = Node<C>;
    type Disk = Disk<C>;
    type Word = Word<C>;
    type Timer = Timer;
    type Ask = C;

    fn boot(&self, me: Id, disk: Option<Disk<C>>, out: &mut OutOf<Self>) -> Node<C> {
        self.wind_election(out);
        Node {
            me,
            disk: disk.unwrap_or_default(),
            role: Role::Follower,
            leader: None,
            commit: 0,
            votes: Vec::new(),
            hears: false,
            next: Vec::new(),
            matched: Vec::new(),
            active: Vec::new(),
        }
    }

    fn hear(&self, node: &mut Node<C>, from: Id, word: Word<C>, out: &mut OutOf<Self>) {
        match word {
            Word::Ask { term, last, pre } => self.asked(node, from, (term, last, pre), out),
            Word::Vote { term, granted, pre } => {
                self.voted(node, from, (term, granted, pre), out);
            }
            Word::Append {
                term,
                after,
                entries,
                commit,
            } => self.told(node, from, (term, after, &entries, commit), out),
            Word::Appended { term, index, hint } => {
                self.heard_back(node, from, (term, index, hint), out);
            }
        }
    }

    fn ring(&self, node: &mut Node<C>, timer: Timer, out: &mut OutOf<Self>) {
        match timer {
            Timer::Election if node.role != Role::Leader => {
                self.campaign(node, self.pre_vote, out);
            }
            Timer::Heartbeat if node.role == Role::Leader => {
                for to in self.others(node.me) {
                    self.append(node, to, out);
                }
                out.wind(Timer::Heartbeat, Wind::After(self.heartbeat));
            }
            Timer::Quorum if node.role == Role::Leader => {
                let answered = node.active.iter().filter(|active| **active).count();
                if answered + 1 < self.majority() {
                    self.follow(node, node.term(), None, out);
                } else {
                    node.active.fill(false);
                    out.wind(Timer::Quorum, Wind::After(self.least));
                }
            }
            Timer::Silence => node.hears = false,
            _ => {}
        }
    }

    fn ask(&self, node: &mut Node<C>, what: C, out: &mut OutOf<Self>) -> bool {
        let leads = node.role == Role::Leader;
        if leads {
            self.write(node, Some(what), out);
        }
        leads
    }

    fn disk(&self, node: &Node<C>) -> Disk<C> {
        let mut disk = node.disk.clone();
        if self.slip == Some(Slip::ForgetsVote) {
            disk.voted_for = None;
        }
        disk
    }

    /// Log matching, and that what two nodes have committed is the same. What needs a memory is [`Judge`]'s.
    fn sound(&self, nodes: &[Option<&Node<C>>]) -> Result<(), String> {
        let up: Vec<&Node<C>> = nodes.iter().flatten().copied().collect();
        for (place, one) in up.iter().enumerate() {
            for other in &up[place + 1..] {
                let pairs = one.disk.log.entries.iter().zip(&other.disk.log.entries);
                let agree = pairs.clone().rposition(|(a, b)| a.term == b.term);
                let agree = agree.map_or(0, |last| last + 1);
                let same = pairs.take_while(|(a, b)| a == b).count();
                let committed = one.commit.min(other.commit) as usize;
                if same < agree.max(committed) {
                    let (one, other, index) = (one.me, other.me, same + 1);
                    return Err(format!(
                        "nodes {one} and {other} differ at {index}, before where they agree"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Remembers what must never change, and finds what does: figure 3 of the paper, asked after every event.
#[derive(Clone, Debug)]
pub struct Judge<C> {
    leaders: BTreeMap<Term, Id>,
    votes: BTreeMap<(Term, Id), Id>,
    committed: Vec<Entry<C>>,
}

impl<C> Default for Judge<C> {
    fn default() -> Self {
        Judge {
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            committed: Vec::new(),
        }
    }
}

impl<C: Clone + PartialEq> Judge<C> {
    /// Everything that was ever committed.
    pub fn committed(&self) -> &[Entry<C>] {
        &self.committed
    }

    /// Who has won which term.
    pub fn leaders(&self) -> &BTreeMap<Term, Id> {
        &self.leaders
    }

    /// Looks at a node after an event.
    ///
    /// # Errors
    /// Two leaders of a term, two votes of one node in a term, a committed entry that changes, a new leader without one.
    pub fn look(&mut self, node: &Node<C>) -> Result<(), String> {
        let (me, term) = (node.me, node.disk.term);
        if let Some(vote) = node.disk.voted_for {
            let first = *self.votes.entry((term, me)).or_insert(vote);
            if first != vote {
                return Err(format!(
                    "node {me} votes for {first} and {vote} in term {term}"
                ));
            }
        }
        let log = node.disk.log.entries();
        if node.role == Role::Leader {
            let first = *self.leaders.entry(term).or_insert(me);
            if first != me {
                return Err(format!("{first} and {me} both lead term {term}"));
            }
            // Of its own term it may have written what nobody has yet; of older ones it has all that is committed.
            let older = self.committed.iter().take_while(|entry| entry.term < term);
            if let Some(at) = older
                .zip(0..)
                .position(|(entry, at)| log.get(at) != Some(entry))
            {
                return Err(format!("{me} leads term {term} without entry {}", at + 1));
            }
        }
        for (at, entry) in log.iter().enumerate().take(node.commit as usize) {
            match self.committed.get(at) {
                Some(known) if known != entry => {
                    return Err(format!("entry {} changes after it was committed", at + 1));
                }
                Some(_) => {}
                None => self.committed.push(entry.clone()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
