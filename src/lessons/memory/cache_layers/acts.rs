//! What befalls the author's posts: actions, orders that are due, moments that somebody waits for.

use super::author::{Due, Order, Post, Rule, SHARED, SPANS};
use super::parts::{life, part, part_of};
use super::seen::Seen;
use super::{
    ACT_BAD, ACT_LOSE, ACT_POST, ACT_RECOUNT, ACT_UNLUCKY, ACT_WORST, APP_JOB, AUTHOR, BALANCER,
    CACHE_NODES, DB, EDGE, HOT, LOSES, PAGE, PEOPLE, POST, QUIET, REDIS, UNLUCKY, VISITORS, seat,
};
use algorithms::hash::mix64;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use kit::system::{Cx, Deed, Draw, Event, Frame, Kind, Seat, System, Values, thing};

/// A copy in Redis that lives so long yet, or longer, makes a bad moment to post.
const BAD: Time = Time::s(10);
/// But not one that has just come: what was asked for beside it may be under way.
const CALM: Time = Time::s(1);
/// Whoever waits for a bad moment waits no longer than that.
const BAD_MAX: Time = Time::s(150);
/// Visits at the worst moments come so long before a copy's end.
const LAST: Time = Time::ms(250);
/// After an unlucky reader has set out, the author posts so much later: when that one has read and not yet stored.
const MEANWHILE: Time = Time::ms(250);
/// Once the CDN keeps pages, its second edge begins so much later than the first: else the copies of both would end at the same
/// moments ever after.
const OPENS: Time = Time::s(31);
/// In the warm-up he posts so late that, when somebody first looks, one edge has renewed its copy since and the other has not.
const BEFORE: Time = Time::s(105);
/// Said of an edge that goes on answering with an old page.
const LIVES_ON: &str = "lives-on";
/// People that only actions send.
const STRANGERS: [u16; 4] = [PEOPLE, PEOPLE + 1, PEOPLE + 3, PEOPLE + 5];
/// Pages whose posts are followed.
const FOLLOWED: u32 = 10;

/// A draw of an action's own.
fn draw(nth: u32, (class, person, key): (u8, u16, u32)) -> Draw {
    Draw {
        dice: mix64(u64::from(nth) ^ 0x5eed),
        key,
        person,
        class,
        region: 0,
    }
}

/// The author's request, or a call of it, sets out for the table.
pub(super) fn begins(number: u32, key: u32, system: &mut System, now: Time) {
    if system.own::<Seen>().author.rule != Rule::Before {
        return;
    }
    system.purge_key(seat(REDIS), key);
    let author = &mut system.own_mut::<Seen>().author;
    if thing(key) == HOT {
        author.tells(REDIS, now);
    }
    let part = part(REDIS);
    let told = Note::new("purges").with(Arg::Part(part)).about(part);
    author.told.push(told.dot(number));
}

/// The author's request is over.
pub(super) fn written(request: &Frame, system: &mut System, now: Time) {
    let (draw, number) = (request.draw, request.number);
    if draw.class == APP_JOB || request.failed.is_some() {
        return;
    }
    let page = thing(draw.key);
    let version = system.version(DB, page);
    let author = &mut system.own_mut::<Seen>().author;
    if draw.class == LOSES {
        author.lost += 1;
        let told = Note::new("lost-one").with(Arg::Count(i64::from(version)));
        let told = told.about(part(DB)).dot(number);
        author.told.push(told.mark(Tone::Bad));
        return;
    }
    let yours = page == HOT && author.yours > 0;
    author.yours -= u32::from(yours);
    if page < FOLLOWED {
        author.posts.push(Post {
            thing: page,
            version,
            at: now,
            old: [[0; 2]; 3],
            last_old: None,
            yours,
        });
    }
    if page == HOT {
        let told = Note::new("posted").with(Arg::Count(i64::from(version)));
        let told = told.about(part(AUTHOR)).dot(number);
        let tone = if yours { Tone::Learner } else { Tone::Warn };
        author.told.push(told.mark(tone));
        author.last = Some(now);
        if author.rule != Rule::Before {
            author.heard = Default::default();
        }
        if author.rule.leaves_edges() {
            lives_on(draw.key, number, system, now);
        }
    }
    system.own_mut::<Seen>().author.orders(draw.key, number);
}

/// The edges that go on answering with an old page, and for how long.
fn lives_on(key: u32, dot: u32, system: &mut System, now: Time) {
    let life = life(system, EDGE);
    let newest = system.version(DB, HOT);
    for member in 0..2 {
        let copy = system.copy_of(Seat { node: EDGE, member }, 0, key, now);
        let old = copy.filter(|(kept, age)| kept.version < newest && *age < life);
        let Some((kept, age)) = old else { continue };
        let part = part_of(EDGE, member);
        let told = Note::new(LIVES_ON)
            .with(Arg::Part(part))
            .with(Arg::Count(i64::from(kept.version)))
            .with(Arg::Count(life.since(age).as_s() as i64));
        let author = &mut system.own_mut::<Seen>().author;
        author.told.push(told.about(part).dot(dot));
    }
}

/// Does an action.
pub(super) fn act(spec: usize, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let nth = system.requests();
    match spec {
        ACT_POST => give(system, Time::ZERO, Due::Posts(true)),
        ACT_BAD => {
            let now = cx.now();
            system.own_mut::<Seen>().author.bad = Some(now);
            let told = Note::new("waits-bad").about(part(AUTHOR));
            system.say(told.mark(Tone::Learner), cx);
        }
        ACT_UNLUCKY => {
            let key = system.own::<Seen>().author.name_of(HOT);
            for node in [EDGE, BALANCER, REDIS] {
                system.purge_key(seat(node), key);
            }
            let told = Note::new("unlucky").about(part(REDIS));
            system.say(told.mark(Tone::Learner), cx);
            let draw = draw(nth, (UNLUCKY, STRANGERS[3], key));
            give(system, Time::ZERO, Due::Visit(draw, VISITORS));
            give(system, MEANWHILE, Due::Posts(true));
        }
        ACT_LOSE => {
            system.own_mut::<Seen>().author.loses = true;
            let told = Note::new("will-lose").about(part(AUTHOR));
            system.say(told.mark(Tone::Learner), cx);
        }
        ACT_RECOUNT => recount(system, cx),
        ACT_WORST => worst(nth, system, knobs, cx),
        _ => {
            for node in CACHE_NODES {
                let members = system.node(node).map_or(0, |live| live.members.len());
                for member in 0..members {
                    system.deed(Deed::Flush(node), member, cx);
                }
            }
        }
    }
}

/// A quiet page is asked for by the app itself, then by a visitor each time that a copy is about to end.
fn worst(nth: u32, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let told = Note::new("worst").about(part(REDIS));
    system.say(told.mark(Tone::Learner), cx);
    let key = QUIET;
    let job = draw(nth, (APP_JOB, 0, key));
    give(system, Time::ZERO, Due::Visit(job, AUTHOR));
    let mut at = Time::ZERO;
    let [a, b, c, _] = STRANGERS;
    for (id, who) in [("redis", a), ("balancer", b), ("cdn", c), ("browser", c)] {
        let life = knobs.s(id);
        if life > Time::ZERO {
            at += life - LAST;
        }
        let visit = draw(nth, (PAGE, who, key));
        give(system, at, Due::Visit(visit, VISITORS));
    }
}

fn recount(system: &mut System, cx: Cx<'_, '_>) {
    let lost = std::mem::take(&mut system.own_mut::<Seen>().author.lost);
    system.add_versions(DB, HOT, lost);
    let version = system.version(DB, HOT);
    let told = Note::new("recounted").with(Arg::Count(i64::from(version)));
    system.say(told.about(part(DB)).mark(Tone::Ok), cx);
}

fn give(system: &mut System, span: Time, due: Due) {
    let author = &mut system.own_mut::<Seen>().author;
    author.given.push((span, due, 0, 0));
}

/// An order is due.
pub(super) fn timer(number: u32, system: &mut System, cx: Cx<'_, '_>) {
    let author = &mut system.own_mut::<Seen>().author;
    let at = author.orders.iter().position(|it| it.number == number);
    let Some(order) = at.map(|at| author.orders.remove(at)) else {
        return;
    };
    match order.due {
        Due::Posts(yours) => {
            let loses = std::mem::take(&mut author.loses);
            author.yours += u32::from(yours && !loses);
            let key = author.name_of(HOT);
            let class = if loses { LOSES } else { POST };
            let draw = draw(number, (class, 0, key));
            system.request(AUTHOR.0, draw, 0, cx);
        }
        Due::Visit(draw, from) => system.request(from.0, draw, 0, cx),
        Due::Opens => {
            cx.because(NoteId::NONE);
            system.deed(Deed::Flush(EDGE), 1, cx);
        }
        Due::Purge(node) => {
            if thing(order.key) == HOT {
                author.tells(node, cx.now());
            }
            let members = system.node(node).map_or(0, |live| live.members.len());
            for member in 0..members {
                system.purge_key(Seat { node, member }, order.key);
            }
            for member in 0..members {
                let part = part_of(node, member);
                let told = Note::new("purges").with(Arg::Part(part)).about(part);
                system.say(told.dot(order.dot), cx);
            }
        }
    }
}

/// Says what was written down, gives orders, and looks for moments that somebody waits for.
pub(super) fn report(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let before = cx.cause();
    for told in std::mem::take(&mut system.own_mut::<Seen>().author.told) {
        // Nothing in the system makes an author post; what he orders, and what lives on, follows from that.
        if told.word != LIVES_ON {
            cx.because(NoteId::NONE);
        }
        let note = system.say(told, cx);
        if told.word != LIVES_ON {
            cx.because(note);
            system.own_mut::<Seen>().author.note = Some(note);
        }
    }
    if std::mem::take(&mut system.own_mut::<Seen>().author.begins) {
        if system.own::<Seen>().author.timers == 0 {
            give(system, BEFORE, Due::Posts(false));
        }
        give(system, OPENS, Due::Opens);
    }
    let bad = system.own::<Seen>().author.bad;
    if let Some(since) = bad
        && (is_bad(system, now) || now.since(since) >= BAD_MAX)
    {
        system.own_mut::<Seen>().author.bad = None;
        give(system, Time::ZERO, Due::Posts(true));
    }
    let author = &mut system.own_mut::<Seen>().author;
    for (span, due, key, dot) in std::mem::take(&mut author.given) {
        author.timers += 1;
        let number = author.timers;
        author.orders.push(Order {
            number,
            due,
            key,
            dot,
            left: now,
            at: now + span,
        });
        cx.schedule(span, Event::Timer(number));
    }
    cx.because(before);
    judge(system, now);
    if !system.own::<Seen>().author.keeps && system.own::<Seen>().author.lost > 0 {
        // Who counts each time finds all.
        recount(system, cx);
    }
    races(system, cx);
}

/// Whether Redis keeps the hot page for a while yet, and has had it long enough that nothing of before is under way.
fn is_bad(system: &System, now: Time) -> bool {
    let Some(Kind::Cache(rule)) = system.node(REDIS).map(|live| &live.node.kind) else {
        return false;
    };
    let key = system.own::<Seen>().author.name_of(HOT);
    let age = system.copy_of(seat(REDIS), 0, key, now).map(|(_, age)| age);
    let left = age.map(|age| rule.life.since(age));
    let calm = age.is_some_and(|age| age >= CALM);
    rule.life == Time::ZERO || (calm && left.is_some_and(|left| left >= BAD))
}

/// Posts that are long enough ago count.
fn judge(system: &mut System, now: Time) {
    let author = &mut system.own_mut::<Seen>().author;
    while let Some(post) = author.posts.first() {
        let [.., [_, over]] = SPANS;
        if now.since(post.at) < over {
            break;
        }
        author.posts.remove(0);
    }
    for post in &mut author.posts {
        // Once, when its first span is over.
        let over = now.since(post.at) >= SPANS[0][1];
        if over && post.old[0] != [u32::MAX; 2] && post.old[0][0] > 0 {
            let [all, old] = std::mem::replace(&mut post.old[0], [u32::MAX; 2]);
            author.measured[0][0] += all;
            author.measured[0][1] += old;
            author.judged += 1;
        }
        if over && std::mem::take(&mut post.yours) {
            author.clean += 1;
        }
    }
}

/// Finds caches that hold an old page which came after they were told to forget it.
fn races(system: &mut System, cx: Cx<'_, '_>) {
    let key = system.own::<Seen>().author.name_of(HOT);
    let (now, newest) = (cx.now(), system.version(DB, HOT));
    let before = cx.cause();
    for (nth, seat) in SHARED.into_iter().enumerate() {
        let author = &system.own::<Seen>().author;
        let (heard, known, posted) = (author.heard[nth], author.again[nth], author.note);
        let copies = system.copies(seat);
        let kept = copies.and_then(|copies| copies.peek(u64::from(key)));
        let life = life(system, seat.node);
        let kept = kept.filter(|kept| kept.is_fresh(life.0, now.0));
        let again = heard
            .zip(kept)
            .is_some_and(|(heard, kept)| kept.value.version < newest && kept.kept_us >= heard.0);
        if again && !known {
            let version = kept.map_or(0, |kept| kept.value.version);
            let part = part_of(seat.node, seat.member);
            let told = Note::new("again")
                .with(Arg::Part(part))
                .with(Arg::Count(i64::from(version)));
            // What brought it is soon forgotten; that somebody posted is not.
            cx.because(posted.unwrap_or(NoteId::NONE));
            system.say(told.about(part).mark(Tone::Bad), cx);
        }
        system.own_mut::<Seen>().author.again[nth] = again;
    }
    cx.because(before);
}
