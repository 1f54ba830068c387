//! Two-phase commit in a run: messages that travel and may be lost, records that are forced, and what is left to those in doubt.

use super::settings::Design;
use super::world::{ASK, At, Due, FLUSH, GIVE_UP, Happened, LINK, PAGE, Step, Told, Word, World};
use algorithms::two_phase_commit::{Coordinator, Say};
use engine::Time;

impl World {
    pub(super) fn send(&mut self, bank: usize, down: bool, say: Say) {
        self.messages += 1;
        let word = Word {
            bank,
            down,
            say,
            sent: self.now,
            number: self.messages,
        };
        self.after(LINK, Due::Word(word));
    }

    // region: agree
    /// A message arrives, unless the line is cut or nobody is there.
    pub(super) fn hear(&mut self, word: Word) -> Happened {
        self.place(At::Message);
        let bank = word.bank;
        if self.cut && bank == 1
            || !word.down && !self.coordinator_up
            || word.down && !self.banks[bank].is_up()
        {
            return Happened::Lost(word);
        }
        match word.say {
            Say::Prepare => self.after(FLUSH, Due::Ready(bank)),
            Say::Vote(yes) => self.after(PAGE, Due::Count(bank, yes)),
            Say::Decision(commit) => self.after(FLUSH, Due::Do(bank, commit)),
            Say::Ack => {
                if let Some(coordinator) = &mut self.coordinator {
                    coordinator.ack(bank);
                }
            }
            Say::Ask => {
                let known = self.coordinator.as_ref().and_then(Coordinator::asked);
                if let Some(say) = known {
                    self.send(bank, true, say);
                }
            }
        }
        Happened::Heard(word)
    }

    /// A bank forces that it can commit, and votes. From here on it may decide nothing alone.
    pub(super) fn ready(&mut self, bank: usize) -> Happened {
        self.place(At::Flush);
        let tx = self.tx[bank];
        let vote = self.parts[bank].hear(Say::Prepare, tx.is_some());
        if let Some(tx) = tx.filter(|_| vote == Some(Say::Vote(true))) {
            self.banks[bank].prepare(tx);
            self.banks[bank].flush();
            self.forced += 1;
        }
        if let Some(vote) = vote {
            self.send(bank, false, vote);
        }
        self.after(GIVE_UP, Due::Again);
        Happened::Ready(bank)
    }

    /// The coordinator counts a vote; the last one settles it.
    pub(super) fn count(&mut self, bank: usize, yes: bool) -> Happened {
        let Some(coordinator) = self.coordinator.as_mut().filter(|_| self.coordinator_up) else {
            return Happened::Nothing;
        };
        let others = coordinator
            .votes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != bank);
        let last = yes && others.into_iter().all(|(_, vote)| *vote == Some(true));
        if last && self.doomed {
            return self.kill();
        }
        match coordinator.vote(bank, yes) {
            Some(commit) => self.decide(commit),
            None => Happened::Voted(bank, yes),
        }
    }

    /// The decision is forced, then told to all, and to the client.
    pub(super) fn decide(&mut self, commit: bool) -> Happened {
        self.place(At::Flush);
        self.forced += 1;
        for bank in 0..self.banks.len() {
            self.send(bank, true, Say::Decision(commit));
        }
        self.after(GIVE_UP, Due::Again);
        if !self.crashed {
            let told = if commit { Told::Done } else { Told::RolledBack };
            self.hand.push_back(Step::Answer(told));
            self.after(ASK, Due::Hand);
        }
        Happened::Decided(commit)
    }

    /// A bank does what was decided, forces it, and says so.
    pub(super) fn obey(&mut self, bank: usize, commit: bool) -> Happened {
        self.place(At::Flush);
        let known = self.parts[bank].decided();
        if let Some(ack) = self.parts[bank].hear(Say::Decision(commit), false) {
            self.send(bank, false, ack);
        }
        if let Some(tx) = self.tx[bank].take_if(|_| known.is_none()) {
            if commit {
                self.banks[bank].commit(tx);
            } else {
                self.banks[bank].roll_back(tx);
            }
            self.banks[bank].flush();
            self.forced += 1;
        }
        Happened::Did(bank, commit)
    }

    /// A vote is missing for too long: that is a no.
    pub(super) fn patience(&mut self) -> Happened {
        let Some(coordinator) = self.coordinator.as_mut().filter(|_| self.coordinator_up) else {
            return Happened::Nothing;
        };
        if coordinator.decided.is_some() || self.dark {
            return Happened::Nothing;
        }
        coordinator.give_up();
        self.decide(false);
        Happened::GaveUp
    }

    /// Who is in doubt asks; who has decided tells those who have not answered.
    pub(super) fn again(&mut self) -> Happened {
        if self.dark || !self.up() || self.due.iter().any(|(.., due)| *due == Due::Again) {
            return Happened::Nothing;
        }
        let mut going = false;
        for bank in 0..self.banks.len() {
            if self.in_doubt(bank) {
                self.send(bank, false, Say::Ask);
                going = true;
            }
        }
        if let Some(coordinator) = self.coordinator.as_ref().filter(|_| self.coordinator_up) {
            let (untold, decided): (Vec<usize>, _) =
                (coordinator.untold().collect(), coordinator.decided);
            for bank in untold {
                self.send(bank, true, Say::Decision(decided == Some(true)));
                going = true;
            }
        }
        if going {
            self.after(GIVE_UP, Due::Again);
        }
        Happened::Nothing
    }
    // endregion

    /// The coordinator dies.
    pub(super) fn kill(&mut self) -> Happened {
        (self.doomed, self.coordinator_up) = (false, false);
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.crash();
        }
        // The client hears nothing more.
        self.give_up();
        Happened::Killed
    }

    /// It is back, and the line is joined.
    pub(super) fn mend(&mut self) {
        let was = std::mem::replace(&mut self.coordinator_up, true);
        (self.cut, self.doomed) = (false, false);
        if !was {
            self.back();
        }
        self.after(Time::ms(1), Due::Again);
    }

    /// The coordinator reads its log: what is not decided is aborted.
    pub(super) fn back(&mut self) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let decided = coordinator.decided.is_some();
        let commit = coordinator.give_up();
        if !decided {
            self.decide(commit);
        }
        self.after(Time::ms(1), Due::Again);
    }

    /// Whether a bank has voted yes and was not told what was decided.
    pub(super) fn in_doubt(&self, bank: usize) -> bool {
        let open = &self.banks[bank].open;
        self.knobs.design == Design::TwoPhase
            && self.parts[bank].in_doubt()
            && open.iter().any(|open| open.prepared)
    }
}
