//! The author: what he does once he has written, what he knows, and what is known of his posts.

use super::{BALANCER, EDGE, REDIS, seat};
use engine::tape::NoteId;
use engine::{Note, Time};
use kit::system::{Draw, NodeId, Seat, Values, thing};

/// Caches that hear orders: both edges, the balancer, Redis.
pub(super) const SHARED: [Seat; 4] = [
    seat(EDGE),
    Seat {
        node: EDGE,
        member: 1,
    },
    seat(BALANCER),
    seat(REDIS),
];
/// Redis among them.
const IN_REDIS: usize = 3;
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

    /// Whether edges are told nothing, and go on answering with a name that is still asked for.
    pub(super) fn leaves_edges(self) -> bool {
        matches!(self, Rule::Nothing | Rule::After | Rule::Before)
    }
}

/// What is to happen at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A cache hears that it is to forget a name.
    Purge(NodeId),
    /// A visitor, or the app's job, asks for a page.
    Visit(Draw, NodeId),
    /// The author posts, and whether the learner has him do so.
    Posts(bool),
    /// The second edge begins, empty.
    Opens,
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
    pub(super) yours: bool,
}

/// What the author knows, and what is known of him.
#[derive(Clone, Debug, Default)]
pub(super) struct Author {
    pub(super) rule: Rule,
    pub(super) step: Time,
    /// The table keeps the number of posts in a column.
    pub(super) keeps: bool,
    /// The next post loses its +1.
    pub(super) loses: bool,
    /// Posts on the hot page that its column lacks.
    pub(super) lost: u32,
    /// Since when a post waits for a bad moment.
    pub(super) bad: Option<Time>,
    /// Pages whose name is not the first one.
    pub(super) names: Vec<(u32, u32)>,
    pub(super) orders: Vec<Order>,
    /// Orders that are given, not yet scheduled.
    pub(super) given: Vec<(Time, Due, u32, u32)>,
    pub(super) timers: u32,
    /// The CDN keeps pages, and has just begun to.
    pub(super) edges: bool,
    pub(super) begins: bool,
    pub(super) told: Vec<Note>,
    /// The last word about a post of his.
    pub(super) note: Option<NoteId>,
    /// When the last post on the hot page was.
    pub(super) last: Option<Time>,
    pub(super) posts: Vec<Post>,
    /// Of posts since the last turn of a knob that are long enough ago: answers and old ones among them, by span, and how many posts.
    pub(super) measured: [[u32; 2]; 3],
    pub(super) judged: u32,
    /// When each of [`SHARED`] was told to forget the hot page, since it was last written.
    pub(super) heard: [Option<Time>; SHARED.len()],
    /// Whether it was found with an old one all the same.
    pub(super) again: [bool; SHARED.len()],
    /// Posts of the learner in a row after which nobody read an older page for long.
    pub(super) clean: u32,
    pub(super) yours: u32,
}

impl Author {
    pub(super) fn turns(&mut self, knobs: &Values) {
        self.rule = Rule::of(knobs.whole("author"));
        self.step = knobs.s("step");
        self.keeps = knobs.whole("posts") == 1;
        self.loses &= self.keeps;
        let edges = knobs.whole("cdn") > 0;
        self.begins |= edges && !self.edges;
        self.edges = edges;
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
    pub(super) fn orders(&mut self, key: u32, dot: u32) {
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

    /// Whether Redis has an old page that came after it was told to forget it.
    pub(super) fn raced(&self) -> bool {
        self.again[IN_REDIS]
    }

    /// A cache is told to forget the hot page.
    pub(super) fn tells(&mut self, node: NodeId, now: Time) {
        for (seat, heard) in SHARED.iter().zip(&mut self.heard) {
            if seat.node == node {
                *heard = Some(now);
            }
        }
    }

    /// The last post on the hot page.
    #[cfg(test)]
    pub(super) fn last_post(&self) -> Option<&Post> {
        self.posts
            .iter()
            .rev()
            .find(|post| post.thing == super::HOT)
    }
}
