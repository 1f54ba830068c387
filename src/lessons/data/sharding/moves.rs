//! Pieces that are cut and moved, shards that come and go, and what a crash leaves.

use super::space::{By, Space};
use super::{ROUTER_PART, SHARD, SPACE, Seen, shard_part};
use engine::{Arg, Note, Time, Tone};
use kit::system::{Cx, Deed, Draw, Event, Frame, Seat, System};

/// A piece that moves is so many jobs, one after the other on both sides.
pub(super) const JOBS: u8 = 10;
/// The class of such a job.
const MOVE: u8 = 4;
/// A shard that went down is back after so long; its copy takes over sooner.
pub(super) const DOWN: Time = Time::s(8);
const TAKES_OVER: Time = Time::s(2);
/// What a copy lacks was written within this span.
const LAG: Time = Time::ms(100);
/// Who may be there at most.
pub(super) const SHARDS_MAX: usize = 16;

/// A piece on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) piece: u32,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Jobs that both sides have done, and how many have yet to do the one under way.
    pub(super) done: u8,
    left: u8,
    /// Told apart from jobs of earlier moves.
    serial: u32,
}

/// What moves, and what shall be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moves {
    pub(super) now: Option<Move>,
    serial: u32,
    /// How many shards the pieces are to be dealt to, since one was added or is to go.
    pub(super) wanted: Option<usize>,
    /// Ranges cut, and pieces moved, since the rules changed.
    pub(super) cuts: u32,
    pub(super) moved: u32,
}

/// The last crash, and what became of the requests that users sent within some time of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) at: Time,
    /// What the shard was asked a second when it went down.
    pub(super) rate: f64,
    /// Requests asked within [`DOWN`], and within ten seconds: over, and of these failed.
    pub(super) soon: (u32, u32),
    pub(super) later: (u32, u32),
}

/// Shards that are to stay.
pub(super) fn shards(system: &System) -> usize {
    let members = system.node(SHARD).map(|live| &live.members);
    members.map_or(0, |all| all.iter().filter(|it| !it.leaving).count())
}

/// Whether a shard answers.
pub(super) fn is_up(system: &System, shard: usize) -> bool {
    let member = system.node(SHARD).and_then(|live| live.members.get(shard));
    member.is_some_and(|it| it.down.is_none())
}

fn seat(member: usize) -> Seat {
    Seat {
        node: SHARD,
        member,
    }
}

fn space(system: &System) -> &Space {
    &system.own::<Seen>().space
}

fn moves(system: &mut System) -> &mut Moves {
    &mut system.own_mut::<Seen>().moves
}

/// A shard joins and is given whole pieces, or the last one gives all of its pieces away.
pub(super) fn deal(wanted: usize, system: &mut System, cx: Cx<'_, '_>) {
    let before = shards(system);
    moves(system).wanted = Some(wanted);
    if wanted > before {
        system.scale(SHARD, wanted, cx);
    } else {
        let part = shard_part(wanted);
        let note = Note::new("empties").with(Arg::Part(part)).about(part);
        system.say(note.mark(Tone::Warn), cx);
    }
}

/// Undoes what cannot go on, and begins what is due.
pub(super) fn follow(system: &mut System, cx: Cx<'_, '_>) {
    if let Some(it) = moves(system).now {
        let gone = space(system).map.find(it.piece).is_none();
        if gone || !is_up(system, it.from) || !is_up(system, it.to) {
            moves(system).now = None;
            let note = Note::new("undone").with(Arg::Count(i64::from(it.piece)));
            let note = note.with(Arg::Part(shard_part(it.from))).about(SPACE);
            system.say(note.mark(Tone::Warn), cx);
        }
        return;
    }
    let (now, there) = (cx.now(), shards(system));
    let seen = system.own_mut::<Seen>();
    let rules = seen.rules;
    if let Some(cut) = seen.space.cut(&rules) {
        seen.moves.cuts += 1;
        let to = seen.space.calmest(there, now);
        let rows = cut.rows.map(|rows| Arg::Count(rows as i64));
        let note = Note::new("cut-in-two").with(Arg::Count(i64::from(cut.id)));
        let note = note.with(rows[0]).with(rows[1]).about(SPACE);
        let note = system.say(note.mark(Tone::Plain), cx);
        cx.because(note);
        return begin(cut.upper, to, system, cx);
    }
    let Some(wanted) = seen.moves.wanted else {
        return;
    };
    match seen.space.map.next_move(wanted) {
        Some((place, to)) => {
            let piece = seen.space.map.pieces()[place].id;
            begin(piece, to, system, cx);
        }
        None if wanted < there => system.scale(SHARD, wanted, cx),
        None => {}
    }
}

/// A piece begins to move, if both sides are up.
fn begin(piece: u32, to: usize, system: &mut System, cx: Cx<'_, '_>) {
    let map = &space(system).map;
    let Some(place) = map.find(piece) else { return };
    let from = map.pieces()[place].owner;
    if from == to || !is_up(system, from) || !is_up(system, to) {
        return;
    }
    let all = moves(system);
    all.serial += 1;
    let serial = all.serial;
    all.now = Some(Move {
        piece,
        from,
        to,
        done: 0,
        left: 0,
        serial,
    });
    let note = Note::new("moves").with(Arg::Count(i64::from(piece)));
    let note = note.with(Arg::Part(shard_part(from)));
    system.say(note.with(Arg::Part(shard_part(to))).about(SPACE), cx);
    next_pair(system, cx);
}

/// Both sides begin the next job.
fn next_pair(system: &mut System, cx: Cx<'_, '_>) {
    let Some(it) = &mut moves(system).now else {
        return;
    };
    it.left = 2;
    let (from, to) = (it.from, it.to);
    let draw = Draw {
        key: it.serial,
        class: MOVE,
        ..Draw::default()
    };
    for member in [from, to] {
        system.begin_job(seat(member), draw, 0, cx);
    }
}

// region: moved
/// A side has done its job. After the last one the piece has another owner, in one step.
pub(super) fn job_done(job: &Frame, system: &mut System, cx: Cx<'_, '_>) {
    let Some(it) = &mut moves(system).now else {
        return;
    };
    if it.serial != job.draw.key {
        return;
    }
    it.left -= 1;
    if it.left > 0 {
        return;
    }
    it.done += 1;
    if it.done < JOBS {
        return next_pair(system, cx);
    }
    let it = *it;
    let seen = system.own_mut::<Seen>();
    seen.moves.now = None;
    let Some(place) = seen.space.map.find(it.piece) else {
        return;
    };
    seen.space.map.give(place, it.to);
    seen.moves.moved += 1;
    if seen.rules.by == By::Date {
        // All heat may be elsewhere now: what all carry together is told of the map as it is.
        seen.space.begin_count(&seen.rules, cx.now());
    } else {
        seen.space.expect(&seen.rules, cx.now());
    }
    let note = Note::new("moved").with(Arg::Count(i64::from(it.piece)));
    let note = note.with(Arg::Part(shard_part(it.to))).about(SPACE);
    system.say(note.mark(Tone::Ok), cx);
}
// endregion

/// A shard has gone down: somebody sees to it.
pub(super) fn crashed(shard: usize, system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let seen = system.own_mut::<Seen>();
    let rate = seen.space.rate(shard, now);
    seen.crash = Some(Crash {
        at: now,
        rate,
        soon: (0, 0),
        later: (0, 0),
    });
    let copied = seen.rules.copies > 0;
    cx.schedule(back_after(copied), Event::Timer(shard as u32));
}

/// How long a shard is down by itself.
fn back_after(copied: bool) -> Time {
    if copied { TAKES_OVER } else { DOWN }
}

/// A shard that is still down comes back, or its copy takes its place.
pub(super) fn comes_back(shard: usize, system: &mut System, cx: Cx<'_, '_>) {
    let copied = system.own::<Seen>().rules.copies > 0;
    let member = system.node(SHARD).and_then(|live| live.members.get(shard));
    let Some(down) = member.and_then(|it| it.down) else {
        return;
    };
    if cx.now().since(down) < back_after(copied) {
        return;
    }
    if copied {
        let since = Time(down.0.saturating_sub(LAG.0));
        let lost = system.own_mut::<Seen>().space.lose(shard, since);
        let part = shard_part(shard);
        let note = Note::new("copy-takes-over").with(Arg::Part(part));
        let note = note.with(Arg::Count(lost as i64)).about(ROUTER_PART);
        let note = system.say(note.mark(Tone::Ok), cx);
        cx.because(note);
    }
    system.deed(Deed::Recover(SHARD), shard, cx);
}
