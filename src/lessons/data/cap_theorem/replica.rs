//! One replica's copy of a thing, under each way of keeping copies in step.

use algorithms::crdt::{LwwRegister, PnCounter};
use algorithms::quorum::Choice;
use algorithms::version_vector::{Relation, Siblings, VersionVector};
use engine::tape::NoteId;
use engine::{Time, choices};

/// Who wrote: replicas have numbers from 1 that are never used again; 0 wrote what the lesson opens with.
pub(super) type Node = u16;
/// What a replica has heard of: how many writes of each.
pub(super) type Seen = VersionVector<Node>;

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// The balance that Ana and Ben share, in dollars.
    Account,
    /// The likes of their photo.
    Photo,
}

/// Both, in the order of arrays.
pub(super) const THINGS: [Thing; 2] = [Thing::Account, Thing::Photo];

impl Thing {
    /// Its value before any write of the run.
    pub(super) const fn first(self) -> i64 {
        match self {
            Thing::Account => 600,
            Thing::Photo => 128,
        }
    }

    /// How many writes led to its first value.
    const fn first_writes(self) -> u64 {
        match self {
            Thing::Account => 7,
            Thing::Photo => 128,
        }
    }
}

/// How two answers given apart become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reconcile {
    /// The later write replaces the other.
    Last,
    /// Both stay, told apart by version vectors, until somebody who saw both writes again.
    Both,
    /// Changes are counted for each replica and added up: a replicated counter.
    Counter,
}
choices!(Reconcile {
    "last" => Reconcile::Last,
    "both" => Reconcile::Both,
    "counter" => Reconcile::Counter,
});

/// How the copies of one thing are kept in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A majority votes for each change.
    Majority,
    /// Every replica answers alone; differences are reconciled later.
    Alone(Reconcile),
}

impl Rule {
    /// What this rule gives up in a partition.
    pub(super) const fn choice(self) -> Choice {
        match self {
            Rule::Majority => Choice::Consistency,
            Rule::Alone(_) => Choice::Availability,
        }
    }
}

/// A value with its past.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Version {
    /// The receipts: what was added and taken at each replica.
    receipts: PnCounter<Node>,
    /// How many writes it is built on: the version number.
    pub(super) writes: u64,
    /// Which writes its writer had heard of.
    pub(super) seen: Seen,
    by: Node,
    pub(super) at: Time,
    /// Where its writing is told.
    pub(super) note: NoteId,
}

impl Version {
    /// The number that it stands for.
    pub(super) fn value(&self, thing: Thing) -> i64 {
        number(thing, &self.receipts)
    }

    /// A change made on top of it.
    pub(super) fn changed(&self, by: Node, change: i64, at: Time, note: NoteId) -> Version {
        let mut next = self.clone();
        next.receipts.add(&by, change);
        next.writes += 1;
        next.seen.increment(&by);
        (next.by, next.at, next.note) = (by, at, note);
        next
    }
}

fn number(thing: Thing, receipts: &PnCounter<Node>) -> i64 {
    thing.first() + i64::try_from(receipts.value()).unwrap_or(0)
}

/// How many writes a vector counts.
pub(super) fn total(seen: &Seen) -> u64 {
    seen.iter().map(|(_, count)| count).sum()
}

/// Orders proposals: the later one counts, ties go to the larger replica.
pub(super) type Ballot = (Time, Node);

/// A call for votes that waits until another is through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// The index of the replica that asks.
    pub(super) from: usize,
    pub(super) ballot: Ballot,
}

/// A copy that changes by majority only. Single-value Paxos, run anew on top of the value before
/// (Rystsov, "CASPaxos: replicated state machines without logs", 2018).
#[derive(Clone, Debug)]
pub(super) struct Voter {
    /// Votes for nothing older than this.
    pub(super) promised: Ballot,
    /// A promise whose write has not come yet: others wait, for a while, before they overtake it.
    pub(super) open: Option<Ballot>,
    pub(super) held: Vec<Held>,
    /// The proposal that it last voted for, and its value.
    pub(super) accepted: Ballot,
    pub(super) version: Version,
}

/// What is kept, by rule.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Voter(Voter),
    Last(LwwRegister<Node, Version>),
    Both(Siblings<Node, Version>),
    Counter(PnCounter<Node>),
}

/// One replica's copy of one thing.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) thing: Thing,
    /// All writes heard of, also those that the rule threw away.
    pub(super) seen: Seen,
    pub(super) store: Store,
    /// The latest write heard of: when, and at which replica.
    touched: (Time, Node),
}

/// What taking in another copy brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// Something new.
    pub(super) news: bool,
    /// Last writer wins: the value kept and the one thrown away, though its writer had not seen the other, and where the
    /// writing of that one is told.
    pub(super) thrown: Option<(i64, i64, NoteId)>,
    /// Keep both: there are more values than before.
    pub(super) conflict: bool,
}

impl Copy {
    /// The copy that every replica opens with.
    pub(super) fn new(thing: Thing, rule: Rule) -> Copy {
        let seen: Seen = [(0, thing.first_writes())].into_iter().collect();
        let version = Version {
            receipts: PnCounter::new(),
            writes: thing.first_writes(),
            seen: seen.clone(),
            by: 0,
            at: Time::ZERO,
            note: NoteId::NONE,
        };
        let mut copy = Copy {
            thing,
            seen,
            store: Store::Counter(PnCounter::new()),
            touched: (Time::ZERO, 0),
        };
        copy.keep(version, rule);
        copy
    }

    fn keep(&mut self, version: Version, rule: Rule) {
        self.seen.merge(&version.seen);
        self.store = match rule {
            Rule::Majority => {
                self.seen = version.seen.clone();
                Store::Voter(Voter {
                    promised: (version.at, version.by),
                    open: None,
                    held: Vec::new(),
                    accepted: (version.at, version.by),
                    version,
                })
            }
            Rule::Alone(Reconcile::Last) => {
                Store::Last(LwwRegister::new(version.at.0, version.by, version))
            }
            Rule::Alone(Reconcile::Both) => {
                // Written again as its first writer wrote it, so that equal values have equal dots everywhere.
                let before = version
                    .seen
                    .iter()
                    .map(|(node, count)| (*node, count - u64::from(*node == version.by)));
                let (by, before) = (version.by, before.collect());
                self.seen = version.seen.clone();
                let mut siblings = Siblings::new();
                siblings.write(&by, &before, version);
                Store::Both(siblings)
            }
            Rule::Alone(Reconcile::Counter) => Store::Counter(version.receipts),
        };
    }

    /// Whether this copy is kept by this rule.
    pub(super) fn follows(&self, rule: Rule) -> bool {
        matches!(
            (&self.store, rule),
            (Store::Voter(_), Rule::Majority)
                | (Store::Last(_), Rule::Alone(Reconcile::Last))
                | (Store::Both(_), Rule::Alone(Reconcile::Both))
                | (Store::Counter(_), Rule::Alone(Reconcile::Counter))
        )
    }

    /// Goes on under another rule with the value that it has; of several, last writer wins keeps the latest and
    /// counters add them up.
    pub(super) fn convert(&mut self, rule: Rule) {
        let mut version = match &self.store {
            Store::Voter(voter) => voter.version.clone(),
            Store::Last(register) => register.value.clone(),
            Store::Counter(_) => self.resolved(),
            Store::Both(_) if rule == Rule::Alone(Reconcile::Counter) => self.resolved(),
            Store::Both(siblings) => siblings
                .values()
                .map(|(_, version)| version)
                .max_by_key(|version| (version.at, version.by))
                .map_or_else(|| self.resolved(), Version::clone),
        };
        // What an earlier rule lost has been booked as lost.
        version.writes = total(&version.seen);
        self.keep(version, rule);
    }

    /// One version that has seen everything this copy has, all receipts added up.
    fn resolved(&self) -> Version {
        let mut receipts = PnCounter::new();
        match &self.store {
            Store::Voter(voter) => receipts.merge(&voter.version.receipts),
            Store::Last(register) => receipts.merge(&register.value.receipts),
            Store::Counter(counter) => receipts.merge(counter),
            Store::Both(siblings) => siblings
                .values()
                .for_each(|(_, version)| receipts.merge(&version.receipts)),
        }
        Version {
            receipts,
            writes: total(&self.seen),
            seen: self.seen.clone(),
            by: self.touched.1,
            at: self.touched.0,
            note: NoteId::NONE,
        }
    }

    /// The values that a reader gets: one, or more while they contradict each other.
    pub(super) fn values(&self) -> Vec<i64> {
        match &self.store {
            Store::Voter(voter) => vec![voter.version.value(self.thing)],
            Store::Last(register) => vec![register.value.value(self.thing)],
            Store::Counter(counter) => vec![number(self.thing, counter)],
            Store::Both(siblings) => siblings
                .values()
                .map(|(_, version)| version.value(self.thing))
                .collect(),
        }
    }

    /// Values that contradict each other, each with the writes that its writer had heard of; one value if all is settled.
    pub(super) fn siblings(&self) -> Vec<(i64, Seen)> {
        match &self.store {
            Store::Both(siblings) => siblings
                .values()
                .map(|(_, version)| (version.value(self.thing), version.seen.clone()))
                .collect(),
            _ => vec![(self.value(), self.seen.clone())],
        }
    }

    /// Who wrote last here.
    pub(super) fn writer(&self) -> Node {
        self.touched.1
    }

    /// What somebody who read all values would go by.
    pub(super) fn value(&self) -> i64 {
        match &self.store {
            Store::Both(siblings) if siblings.values().len() != 1 => {
                self.resolved().value(self.thing)
            }
            _ => self.values().first().copied().unwrap_or_default(),
        }
    }

    /// How many writes the value is built on.
    pub(super) fn version(&self) -> u64 {
        match &self.store {
            Store::Voter(voter) => voter.version.writes,
            Store::Last(register) => register.value.writes,
            Store::Both(_) | Store::Counter(_) => total(&self.seen),
        }
    }

    /// Writes heard of that are in no value any more.
    pub(super) fn lost(&self) -> u64 {
        total(&self.seen).saturating_sub(self.version())
    }

    /// Takes a write without asking anybody. Copies that change by majority stay as they are.
    pub(super) fn write_alone(&mut self, node: Node, change: i64, at: Time, note: NoteId) {
        match &mut self.store {
            Store::Voter(_) => return,
            Store::Last(register) => {
                let mut version = register.value.changed(node, change, at, note);
                self.seen.increment(&node);
                version.seen = self.seen.clone();
                *register = LwwRegister::new(at.0, node, version);
            }
            Store::Both(_) => {
                // The writer has read all siblings, so its value has seen and replaces them all.
                let context = self.seen.clone();
                let version = self.resolved().changed(node, change, at, note);
                if let Store::Both(siblings) = &mut self.store {
                    siblings.write(&node, &context, version);
                    self.seen = siblings.context().clone();
                }
            }
            Store::Counter(counter) => {
                counter.add(&node, change);
                self.seen.increment(&node);
            }
        }
        self.touched = (at, node);
    }

    /// Takes in another copy of the same thing; copies kept by different rules leave each other alone.
    pub(super) fn merge(&mut self, other: &Copy) -> Merged {
        let mut merged = Merged {
            news: !self.seen.dominates(&other.seen),
            ..Merged::default()
        };
        match (&mut self.store, &other.store) {
            (Store::Voter(own), Store::Voter(theirs)) => {
                // A vote passed on by a third replica is the same vote, only later.
                if theirs.accepted <= own.accepted || theirs.accepted < own.promised {
                    return Merged::default();
                }
                own.promised = theirs.accepted;
                own.accepted = theirs.accepted;
                own.version = theirs.version.clone();
                own.open = own.open.filter(|ballot| *ballot > theirs.accepted);
                // What no majority confirmed and a later vote replaced was never a write.
                self.seen = own.version.seen.clone();
                self.touched = other.touched;
                merged.news = true;
                return merged;
            }
            (Store::Last(own), Store::Last(theirs)) => {
                let thrown = own.merge(theirs);
                let kept = own.value.value(self.thing);
                merged.thrown = thrown
                    .filter(|thrown| thrown.seen.relation(&own.value.seen) == Relation::Concurrent)
                    .filter(|_| merged.news)
                    .map(|thrown| (kept, thrown.value(self.thing), thrown.note));
            }
            (Store::Both(own), Store::Both(theirs)) => {
                let before = own.values().len();
                own.merge(theirs);
                merged.conflict = own.values().len() > before;
            }
            (Store::Counter(own), Store::Counter(theirs)) => own.merge(theirs),
            _ => return Merged::default(),
        }
        self.seen.merge(&other.seen);
        self.touched = self.touched.max(other.touched);
        merged
    }

    // region: accept
    /// Votes for a proposal: from now on this is its value. Copies under other rules stay as they are.
    pub(super) fn accept(&mut self, ballot: Ballot, version: &Version) {
        if let Store::Voter(voter) = &mut self.store {
            voter.promised = ballot;
            voter.accepted = ballot;
            voter.version = version.clone();
            voter.open = None;
            self.seen = version.seen.clone();
            self.touched = (version.at, version.by);
        }
    }
    // endregion

    /// The majority's copy, if that is the rule.
    pub(super) fn voter(&mut self) -> Option<&mut Voter> {
        match &mut self.store {
            Store::Voter(voter) => Some(voter),
            _ => None,
        }
    }
}
