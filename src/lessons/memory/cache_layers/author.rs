//! The author: what he writes, whom he tells to forget, and the moments at which actions have things happen.

use super::seen::Seen;
use super::{
    ACT_BAD, ACT_LOSE, ACT_POST, ACT_RECOUNT, ACT_UNLUCKY, APP_JOB, AUTHOR, BALANCER, DB, EDGE,
    HOT, LOSES, PAGE, PEOPLE, POST, QUIET, REDIS, UNLUCKY, VISITORS, figure, seat,
};
use algorithms::hash::mix64;
use engine::tape::NoteId;
use engine::{Arg, Note, Time, Tone};
use kit::system::{Cx, Deed, Draw, Event, Frame, Kind, NodeId, Seat, System, Values, thing};

/// A copy in Redis that lives so long yet, or longer, makes a bad moment to post.
pub(super) const BAD: Time = Time::s(10);
/// Whoever waits for a bad moment waits no longer than that.
const BAD_MAX: Time = Time::s(150);
/// Visits at the worst moments come so long before a copy's end.
const LAST: Time = Time::ms(250);
/// After an unlucky reader has set out, the author posts so much later: when that one has read and not yet stored.
const MEANWHILE: Time = Time::ms(250);
/// People that only actions send.
const STRANGERS: [u16; 4] = [PEOPLE, PEOPLE + 1, PEOPLE + 3, PEOPLE + 5];
/// Pages whose posts are followed.
const FOLLOWED: u32 = 10;
/// Of a post it is known how many read an older page in these spans after it.
pub(super) const SPANS: [[Time; 2]; 3] = [
    [Time::s(10), Time::s(12)],
    [Time::s(10), Time::s(20)],
    [Time::s(31), Time::s(45)],
];

/// What the author does once he has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing: clocks alone.
    #[default]
    Nothing,
    /// Deletes the key in Redis.
    After,
    /// Has deleted it before.
    Before,
    /// Purges Redis, then the balancer, then the CDN.
    Outward,
    /// Purges the CDN, then the balancer, then Redis.
    Inward,
    /// Gives the page a new name.
    Address,
}

impl Rule {
    fn of(choice: u32) -> Rule {
        match choice {
            0 => Rule::Nothing,
            1 => Rule::After,
            2 => Rule::Before,
            3 => Rule::Outward,
            4 => Rule::Inward,
            _ => Rule::Address,
        }
    }

    /// Whether it takes the old copy out of Redis.
    fn deletes(self) -> bool {
        !matches!(self, Rule::Nothing | Rule::Address)
    }
}

/// What is to happen at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A cache hears that it is to forget a name.
    Purge(NodeId),
    /// A visitor, or the app's job, asks for a page.
    Visit(Draw, NodeId),
    /// The author posts.
    Posts,
}

/// An order on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// Its timer.
    pub(super) number: u32,
    pub(super) due: Due,
    /// The name that it is about, and the request of the author that it follows.
    pub(super) key: u32,
    pub(super) dot: u32,
    pub(super) left: Time,
    pub(super) at: Time,
}

/// A post that is followed: how many visits in each of [`SPANS`] were told of an older page, and how many there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub(super) thing: u32,
    pub(super) version: u32,
    pub(super) at: Time,
    pub(super) old: [[u32; 2]; 3],
    /// The last time that anybody was told of an older page.
    pub(super) last_old: Option<Time>,
    /// It was the learner's.
    yours: bool,
}

/// What the author knows, and what is known of him.
#[derive(Clone, Debug, Default)]
pub(super) struct Author {
    pub(super) rule: Rule,
    step: Time,
    /// The table keeps the number of posts in a column.
    pub(super) keeps: bool,
    /// The next post loses its +1.
    pub(super) loses: bool,
    /// Posts on the hot page that its column lacks.
    pub(super) lost: u32,
    /// Since when a post waits for a bad moment.
    pub(super) bad: Option<Time>,
    /// Pages whose name is not the first one.
    names: Vec<(u32, u32)>,
    pub(super) orders: Vec<Order>,
    /// Orders that are given, not yet scheduled.
    given: Vec<(Time, Due, u32, u32)>,
    timers: u32,
    told: Vec<Note>,
    /// When the last post on the hot page was.
    pub(super) last: Option<Time>,
    pub(super) posts: Vec<Post>,
    /// Of posts since the last turn of a knob that are long enough ago: answers and old ones among them, by span, and how many posts.
    pub(super) measured: [[u32; 2]; 3],
    pub(super) judged: u32,
    /// The last word about the hot page in Redis: which version was written, and when Redis heard.
    wrote: (u32, Option<Time>),
    /// When Redis was found with an old page after it had been told.
    pub(super) race: Option<Time>,
    /// Posts of the learner in a row after which nobody read an older page for long.
    pub(super) clean: u32,
    yours: u32,
}

impl Author {
    pub(super) fn turns(&mut self, knobs: &Values) {
        self.rule = Rule::of(knobs.whole("author"));
        self.step = knobs.s("step");
        self.keeps = knobs.whole("posts") == 1;
        self.loses &= self.keeps;
        (self.measured, self.judged) = ([[0; 2]; 3], 0);
        // What was written under another rule says nothing about this one.
        self.posts.clear();
    }

    /// The name by which a page is asked for.
    pub(super) fn name_of(&self, thing: u32) -> u32 {
        let named = self.names.iter().find(|(it, _)| *it == thing);
        named.map_or(thing, |(_, nth)| thing | (nth << 16))
    }

    fn rename(&mut self, thing: u32) {
        match self.names.iter_mut().find(|(it, _)| *it == thing) {
            Some((_, nth)) => *nth = (*nth + 1) & 0x7fff,
            None => self.names.push((thing, 1)),
        }
    }

    // region: orders
    /// What follows a write: whom the author tells to forget the page, and after how long each hears.
    fn orders(&mut self, key: u32, dot: u32) {
        let after = match self.rule {
            Rule::Nothing | Rule::Before => return,
            Rule::Address => return self.rename(thing(key)),
            Rule::After => &[(REDIS, 0)][..],
            Rule::Outward => &[(REDIS, 0), (BALANCER, 1), (EDGE, 2)],
            Rule::Inward => &[(EDGE, 2), (BALANCER, 3), (REDIS, 4)],
        };
        for (node, steps) in after {
            let span = Time(self.step.0 * steps);
            self.given.push((span, Due::Purge(*node), key, dot));
        }
    }
    // endregion

    /// A visit was told of a version of a page.
    pub(super) fn hears(&mut self, page: u32, version: u32, now: Time) {
        for post in self.posts.iter_mut().filter(|post| post.thing == page) {
            let (since, old) = (now.since(post.at), version < post.version);
            for (span, count) in SPANS.iter().zip(&mut post.old) {
                if since >= span[0] && since < span[1] {
                    count[0] += 1;
                    count[1] += u32::from(old);
                }
            }
            if old {
                post.last_old = Some(now);
                if post.yours && since >= Time::s(1) {
                    (self.clean, post.yours) = (0, false);
                }
            }
        }
    }

    /// The share of answers in a span after a post that told of an older page, over the posts that are known by now.
    pub(super) fn share(&self, span: usize) -> Option<f64> {
        let [all, old] = self.measured[span];
        (all > 0).then(|| f64::from(old) / f64::from(all))
    }

    /// The last post on the hot page.
    pub(super) fn last_post(&self) -> Option<&Post> {
        self.posts.iter().rev().find(|post| post.thing == HOT)
    }
}

/// A draw of an action's own.
fn draw(nth: u32, (class, person, key): (u8, u16, u32)) -> Draw {
    Draw {
        dice: mix64(u64::from(nth) ^ 0x5eed),
        key,
        person,
        class,
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
        author.wrote.1 = Some(now);
    }
    let part = figure::part(REDIS);
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
        let told = told.about(figure::part(DB)).dot(number);
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
        let told = told.about(figure::part(AUTHOR)).dot(number);
        author.told.push(told.mark(Tone::Learner));
        author.last = Some(now);
        let before = author.rule == Rule::Before;
        author.wrote = (version, author.wrote.1.filter(|_| before));
    }
    author.orders(draw.key, number);
}

/// Does an action.
pub(super) fn act(spec: usize, system: &mut System, knobs: &Values, cx: Cx<'_, '_>) {
    let nth = system.requests();
    match spec {
        ACT_POST => give(system, Time::ZERO, Due::Posts),
        ACT_BAD => {
            let now = cx.now();
            system.own_mut::<Seen>().author.bad = Some(now);
            let told = Note::new("waits-bad").about(figure::part(AUTHOR));
            system.say(told.mark(Tone::Learner), cx);
        }
        ACT_UNLUCKY => {
            let key = system.own::<Seen>().author.name_of(HOT);
            for node in [EDGE, BALANCER, REDIS] {
                system.purge_key(seat(node), key);
            }
            let told = Note::new("unlucky").about(figure::part(REDIS));
            system.say(told.mark(Tone::Learner), cx);
            let draw = draw(nth, (UNLUCKY, STRANGERS[3], key));
            give(system, Time::ZERO, Due::Visit(draw, VISITORS));
            give(system, MEANWHILE, Due::Posts);
        }
        ACT_LOSE => {
            system.own_mut::<Seen>().author.loses = true;
            let told = Note::new("will-lose").about(figure::part(AUTHOR));
            system.say(told.mark(Tone::Learner), cx);
        }
        ACT_RECOUNT => recount(system, cx),
        super::ACT_WORST => worst(nth, system, knobs, cx),
        _ => {
            for node in super::CACHE_NODES {
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
    let told = Note::new("worst").about(figure::part(REDIS));
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
    system.say(told.about(figure::part(DB)).mark(Tone::Ok), cx);
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
        Due::Posts => {
            let loses = std::mem::take(&mut author.loses);
            author.yours += u32::from(!loses);
            let key = author.name_of(HOT);
            let class = if loses { LOSES } else { POST };
            let draw = draw(number, (class, 0, key));
            system.request(AUTHOR.0, draw, 0, cx);
        }
        Due::Visit(draw, from) => system.request(from.0, draw, 0, cx),
        Due::Purge(node) => {
            if node == REDIS && thing(order.key) == HOT {
                author.wrote.1 = Some(cx.now());
            }
            let members = system.node(node).map_or(0, |live| live.members.len());
            for member in 0..members {
                system.purge_key(Seat { node, member }, order.key);
            }
            for member in 0..members {
                let part = figure::part_of(node, member);
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
        // Nothing in the system makes an author post; what he orders follows from that.
        cx.because(NoteId::NONE);
        let note = system.say(told, cx);
        cx.because(note);
    }
    let bad = system.own::<Seen>().author.bad;
    if let Some(since) = bad
        && (is_bad(system, now) || now.since(since) >= BAD_MAX)
    {
        system.own_mut::<Seen>().author.bad = None;
        give(system, Time::ZERO, Due::Posts);
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

/// Whether Redis keeps the hot page for a while yet.
fn is_bad(system: &System, now: Time) -> bool {
    let Some(Kind::Cache(rule)) = system.node(REDIS).map(|live| &live.node.kind) else {
        return false;
    };
    let key = system.own::<Seen>().author.name_of(HOT);
    let age = system.copy_of(seat(REDIS), 0, key, now).map(|(_, age)| age);
    let left = age.map(|age| rule.life.since(age));
    rule.life == Time::ZERO || left.is_some_and(|left| left >= BAD)
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

/// Whether Redis holds an old page though it was told to forget it.
fn races(system: &mut System, cx: Cx<'_, '_>) {
    let now = cx.now();
    let author = &system.own::<Seen>().author;
    let key = author.name_of(HOT);
    let (version, heard) = author.wrote;
    let kept = system
        .copies(seat(REDIS))
        .and_then(|copies| copies.peek(u64::from(key)));
    let raced = author.rule.deletes()
        && heard.is_some_and(|heard| {
            kept.is_some_and(|kept| kept.value.version < version && kept.kept_us > heard.0)
        });
    if raced && author.race.is_none() {
        system.own_mut::<Seen>().author.race = Some(now);
        let part = figure::part(REDIS);
        let told = Note::new("race").with(Arg::Part(part)).about(part);
        system.say(told.mark(Tone::Bad), cx);
    } else if !raced {
        system.own_mut::<Seen>().author.race = None;
    }
}
