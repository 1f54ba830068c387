//! What is said when a node has done something: what it was before, held against what it is now.

use super::group::{Brief, Group, Node, Role, Timer, Word};
use super::state::{COUNTS, Cx, LADDER, Orchestra, node, note, server};
use algorithms::protocol::Id;
use algorithms::{bully, raft, ring_election};
use engine::{Arg, Time, Tone};
use kit::cluster::{Spur, Turn};

/// Says what a turn changes, and keeps what the ladder shows.
pub(super) fn turn(model: &mut Orchestra, turn: &Turn<Group>, cx: Cx<'_, '_>) {
    let (me, Some(now)) = (turn.at, model.brief(turn.at)) else {
        return;
    };
    let dots = (model.cluster.next_dot(), turn.out.sent.len());
    let Some(was) = turn.was else {
        say("boots", me, &[], dots, cx);
        return begun(model, me, now, dots, cx);
    };
    let change = Change { me, was, now, dots };
    match &turn.spur {
        Spur::Rang(Timer::Raft(timer)) => raft_rings(model, &change, *timer, cx),
        Spur::Heard(from, Word::Raft(word)) => raft_hears(model, &change, *from, word, turn, cx),
        Spur::Rang(timer) => plain_rings(model, &change, *timer, cx),
        Spur::Heard(from, Word::Bully(word)) => bully_hears(model, &change, *from, *word, cx),
        Spur::Heard(from, Word::Ring(word)) => ring_hears(model, &change, *from, *word, turn, cx),
        Spur::Booted | Spur::Asked => {}
    }
}

/// A node before and after, and the dots of what it sends.
struct Change {
    me: Id,
    was: Brief,
    now: Brief,
    dots: (u32, usize),
}

impl Change {
    /// It leads, and did not before.
    fn wins(&self) -> bool {
        self.now.role == Role::Leads && self.was.role != Role::Leads
    }

    /// It led, and does not any more.
    fn falls(&self) -> bool {
        self.was.role == Role::Leads && self.now.role != Role::Leads
    }
}

/// Says something about a node and what it sends; `more` comes after its name.
fn say(word: &'static str, me: Id, more: &[Arg], (first, count): (u32, usize), cx: Cx<'_, '_>) {
    let mut told = vec![Arg::Part(node(me))];
    told.extend(more);
    let mut said = note(word, node(me), &told).dots(first, count);
    match word {
        "leads" | "leads-alone" | "leads-by-number" => said = said.mark(Tone::Ok),
        "stands-down" | "no-majority" | "deposed" => said = said.mark(Tone::Warn),
        "asks" | "asks-again" | "holds" | "asks-round" => said = said.mark(Tone::Plain),
        _ => {}
    }
    cx.say(said);
}

fn count(n: u64) -> Arg {
    Arg::Count(n as i64)
}

/// For how long the clock ran that has just ended.
fn waited(model: &Orchestra, me: Id, timer: Timer, at: Time) -> Arg {
    let clock = model.cluster.clock(me, timer);
    Arg::Span(clock.map_or(Time::ZERO, |clock| at.since(clock.wound)))
}

/// An election ends: the ladder gets a rung.
fn wins(model: &mut Orchestra, me: Id, now: Brief, cx: Cx<'_, '_>) {
    model.elected(now.term, me, cx.now());
    let Some(rung) = model
        .rungs
        .iter()
        .rev()
        .find(|rung| rung.leader.is_some_and(|(id, _)| id == me))
    else {
        return;
    };
    let (term, span) = (count(rung.term), Arg::Span(cx.now().since(rung.began)));
    cx.say(note("elected", LADDER, &[term, Arg::Part(node(me)), span]));
    let sent = Arg::Count(i64::from(rung.sent()));
    cx.say(note("took", COUNTS, &[term, sent]));
}

/// Under bully who starts holds an election at once; a group of one leads at once.
fn begun(model: &mut Orchestra, me: Id, now: Brief, dots: (u32, usize), cx: Cx<'_, '_>) {
    match now.role {
        Role::Leads => {
            model.election(now.term, me, cx.now());
            say("leads-alone", me, &[], dots, cx);
            wins(model, me, now, cx);
        }
        Role::Asks | Role::Candidate => {
            model.election(now.term, me, cx.now());
            say("holds", me, &[], dots, cx);
        }
        Role::Follows => {}
    }
}

fn raft_rings(model: &mut Orchestra, change: &Change, timer: raft::Timer, cx: Cx<'_, '_>) {
    let Change { me, was, now, dots } = *change;
    match timer {
        raft::Timer::Election => {
            let span = waited(model, me, Timer::Raft(timer), cx.now());
            let term = count(now.term);
            match (was.role, now.role) {
                (Role::Candidate, _) => {
                    let vain = [count(was.term)];
                    cx.say(note("nobody", LADDER, &vain));
                    say("asks-again", me, &[vain[0], term], dots, cx);
                }
                (_, Role::Asks) => say("asks-whether", me, &[span, count(now.term + 1)], dots, cx),
                _ => say("asks", me, &[span, term], dots, cx),
            }
            if now.role != Role::Asks && now.term > was.term {
                model.election(now.term, me, cx.now());
                model.vote(now.term, me, me, true, cx.now());
            }
            if change.wins() {
                say("leads-alone", me, &[], dots, cx);
                wins(model, me, now, cx);
            }
        }
        raft::Timer::Heartbeat => say("beats", me, &[count(now.term)], dots, cx),
        raft::Timer::Quorum if change.falls() => say("no-majority", me, &[], dots, cx),
        raft::Timer::Quorum | raft::Timer::Silence => {}
    }
}

fn raft_hears(
    model: &mut Orchestra,
    change: &Change,
    from: Id,
    word: &raft::Word<super::group::Order>,
    turn: &Turn<Group>,
    cx: Cx<'_, '_>,
) {
    let Change { me, was, now, dots } = *change;
    let other = Arg::Part(node(from));
    if change.falls() {
        say("stands-down", me, &[count(now.term)], (0, 0), cx);
    }
    match word {
        raft::Word::Ask { term, last, pre } => {
            let answer = turn.out.sent.iter().find_map(|(_, word)| match word {
                Word::Raft(raft::Word::Vote { granted, .. }) => Some(*granted),
                _ => None,
            });
            let Some(granted) = answer else {
                return say("ignores", me, &[other], (0, 0), cx);
            };
            let behind = match model.cluster.node(me) {
                Some(Node::Raft(node)) => !node.disk.log.is_covered_by(*last),
                _ => false,
            };
            match (granted, *pre) {
                (true, true) => say("would-vote", me, &[other, count(*term)], dots, cx),
                (true, false) => say("votes", me, &[other, count(*term)], dots, cx),
                (false, true) if !behind && *term > now.term => {
                    say("hears-leader", me, &[other], dots, cx);
                }
                (false, _) if *term < now.term || (*pre && *term <= now.term) => {
                    say("later-term", me, &[other, count(now.term)], dots, cx);
                }
                (false, false) if now.voted.is_some_and(|vote| vote != from) => {
                    let vote = Arg::Part(node(now.voted.unwrap_or(me)));
                    say("voted-already", me, &[other, vote], dots, cx);
                }
                (false, _) if behind => say("knows-more", me, &[other], dots, cx),
                (false, _) => say("has-leader", me, &[other], dots, cx),
            }
            if !pre {
                model.vote(*term, me, from, granted, cx.now());
            }
        }
        raft::Word::Vote { granted, .. } => {
            let votes = |model: &Orchestra| {
                let rung = model.rungs.iter().rev().find(|rung| rung.term == now.term);
                Arg::Count(rung.map_or(0, |rung| rung.votes_of(me)) as i64)
            };
            match (was.role, now.role) {
                (_, Role::Leads) if change.wins() => {
                    say("leads", me, &[count(now.term), votes(model)], dots, cx);
                    wins(model, me, now, cx);
                }
                (Role::Asks, Role::Candidate) => {
                    model.election(now.term, me, cx.now());
                    model.vote(now.term, me, me, true, cx.now());
                    say("would-win", me, &[count(now.term)], dots, cx);
                }
                (Role::Asks, Role::Follows) => say("would-not-win", me, &[], (0, 0), cx),
                (Role::Candidate, Role::Follows) if now.term > was.term => {
                    say("hears-term", me, &[other, count(now.term)], (0, 0), cx);
                }
                (Role::Candidate, Role::Follows) => {
                    say("refused", me, &[count(now.term)], (0, 0), cx);
                }
                (Role::Candidate, _) if *granted => {
                    say("has-vote", me, &[other], (0, 0), cx);
                }
                _ => {}
            }
        }
        raft::Word::Append { entries, .. } => {
            if was.leader != now.leader && now.leader == Some(from) {
                say("obeys", me, &[other, count(now.term)], (0, 0), cx);
            }
            let mut orders = entries.iter().filter_map(|entry| entry.command);
            if now.last < was.last
                || (now.last == was.last
                    && !entries.is_empty()
                    && was.commit < was.last
                    && was.term < now.term)
            {
                say("gives-way", me, &[other], (0, 0), cx);
            }
            if now.last > was.last
                && let Some(order) = orders.next_back()
            {
                let what = Arg::Part(server(usize::from(order.server)));
                say("writes", me, &[what], (0, 0), cx);
            }
        }
        raft::Word::Appended { .. } => {}
    }
}

/// Clocks of bully and of the ring.
fn plain_rings(model: &mut Orchestra, change: &Change, timer: Timer, cx: Cx<'_, '_>) {
    let Change { me, now, dots, .. } = *change;
    let span = waited(model, me, timer, cx.now());
    match timer {
        Timer::Bully(bully::Timer::Heartbeat) | Timer::Ring(ring_election::Timer::Heartbeat) => {
            return say("beats-plain", me, &[], dots, cx);
        }
        Timer::Bully(bully::Timer::Answers) => {
            say("leads-by-number", me, &[span], dots, cx);
            return wins(model, me, now, cx);
        }
        _ => {}
    }
    model.election(0, me, cx.now());
    let word = if matches!(timer, Timer::Ring(_)) {
        "asks-round"
    } else {
        "asks-higher"
    };
    say(word, me, &[span], dots, cx);
    if change.wins() {
        say("leads-alone", me, &[], dots, cx);
        wins(model, me, now, cx);
    }
}

fn bully_hears(
    model: &mut Orchestra,
    change: &Change,
    from: Id,
    word: bully::Word,
    cx: Cx<'_, '_>,
) {
    let Change { me, was, now, dots } = *change;
    let other = Arg::Part(node(from));
    match word {
        bully::Word::Election => {
            say("answers", me, &[other], dots, cx);
            // Who leads already says so again, which ends this election too.
            let open = model.rungs.back().is_some_and(|rung| rung.leader.is_none());
            if now.role == Role::Leads && (change.wins() || open) {
                say("leads-highest", me, &[], dots, cx);
                wins(model, me, now, cx);
            }
        }
        bully::Word::Answer => say("leaves-it", me, &[other], (0, 0), cx),
        bully::Word::Coordinator | bully::Word::Heartbeat => {
            if from < me {
                if now.role != Role::Follows && was.role == Role::Follows {
                    model.election(0, me, cx.now());
                    say("will-not-obey", me, &[other], dots, cx);
                    if change.wins() {
                        wins(model, me, now, cx);
                    }
                }
            } else if was.leader != now.leader {
                let word = if change.falls() {
                    "deposed"
                } else {
                    "obeys-plain"
                };
                say(word, me, &[other], (0, 0), cx);
            }
        }
    }
}

fn ring_hears(
    model: &mut Orchestra,
    change: &Change,
    from: Id,
    word: ring_election::Word,
    turn: &Turn<Group>,
    cx: Cx<'_, '_>,
) {
    let Change { me, was, now, dots } = *change;
    match word {
        ring_election::Word::Candidate(id) if id == me => {
            say("came-round", me, &[], dots, cx);
            wins(model, me, now, cx);
        }
        ring_election::Word::Candidate(id) => {
            let sends = |(_, word): &(Id, Word)| match word {
                Word::Ring(ring_election::Word::Candidate(sent)) => Some(*sent),
                _ => None,
            };
            let number = Arg::Part(node(id));
            match turn.out.sent.iter().find_map(sends) {
                Some(sent) if sent == id => say("passes", me, &[number], dots, cx),
                Some(_) => say("sends-own", me, &[number], dots, cx),
                None => say("swallows", me, &[number], dots, cx),
            }
        }
        ring_election::Word::Elected(id) if id != me => {
            say("obeys-plain", me, &[Arg::Part(node(id))], dots, cx);
        }
        ring_election::Word::Elected(_) => {}
        ring_election::Word::Heartbeat if was.leader != now.leader => {
            if now.leader.is_none() {
                model.election(0, me, cx.now());
                say("will-not-obey", me, &[Arg::Part(node(from))], dots, cx);
            } else {
                let word = if change.falls() {
                    "deposed"
                } else {
                    "obeys-plain"
                };
                say(word, me, &[Arg::Part(node(from))], (0, 0), cx);
            }
        }
        ring_election::Word::Heartbeat => {}
    }
}
