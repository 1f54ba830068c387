//! What the parts of the network keep: who follows whom, posts, outboxes, inboxes, copies that are still to be made, and the page that the
//! aggregator makes of them.

use super::{FANS_COMMON, LOOK_WORK};
use algorithms::feed::{Boxes, Graph, Number, Prices, User, newest};
use algorithms::hash::mix64;
use engine::Time;
use engine::tape::NoteId;
use kit::flow::Marks;
use kit::system::Values;
use std::collections::VecDeque;
use std::rc::Rc;

/// Users; the first is the star, those after her are known.
pub(super) const USERS: usize = 1_000;
pub(super) const STAR: User = 0;
pub(super) const KNOWN: usize = 9;
/// Followers of each who is known.
const KNOWN_SIZE: usize = 150;
/// The share of posts that those who are known write.
const KNOWN_SHARE: f64 = 0.15;
/// Numbers that inbox and outbox keep, and rows of a page.
const ROOM: usize = 50;
pub(super) const PAGE: usize = 20;
/// Posts that are remembered, and that were there before anybody looked.
const KEPT: usize = 4_096;
const HISTORY: u32 = 1_200;
const SALT: u64 = 0xfeed;

/// The knob `design`.
pub(super) const WRITE: u8 = 0;
pub(super) const READ: u8 = 1;
pub(super) const MIXED: u8 = 2;
pub(super) const PAIR: u8 = 3;

/// How feeds are built, as the knobs say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rule {
    pub(super) design: u8,
    pub(super) turns: bool,
    pub(super) above: usize,
    pub(super) skips: bool,
    pub(super) empty: bool,
    pub(super) copy: Time,
    pub(super) fetch: Time,
    pub(super) lossy: Option<usize>,
    pub(super) followers: usize,
    pub(super) asleep: f64,
    pub(super) posts: f64,
    pub(super) looks: f64,
    pub(super) every: Option<f64>,
    pub(super) reshares: f64,
    pub(super) held: bool,
}

impl Rule {
    pub(super) fn of(knobs: &Values) -> Rule {
        let above = |id: &str, off: u32| Some(knobs.whole(id)).filter(|it| *it != off);
        Rule {
            design: knobs.whole("design") as u8,
            turns: knobs.whole("order") == 1,
            above: knobs.whole("above") as usize,
            skips: knobs.whole("sleepers") == 1,
            empty: knobs.whole("return") == 1,
            copy: knobs.ms("copy"),
            fetch: knobs.ms("fetch"),
            lossy: above("lossy", super::LOSSY_OFF).map(|it| it as usize),
            followers: knobs.whole("followers") as usize,
            asleep: knobs.get("asleep") / 100.0,
            posts: knobs.get("posts"),
            looks: knobs.get("looks"),
            every: above("every", 0).map(f64::from),
            reshares: knobs.get("reshares") / 100.0,
            held: knobs.whole("early") == 1,
        }
    }

    /// Whether inboxes under one rule are as good for the other.
    fn keeps_inboxes(&self, other: &Rule) -> bool {
        let what = |it: &Rule| (it.design, it.above, it.skips, it.followers, it.asleep);
        // By pair, paces and prices decide.
        let pace = |it: &Rule| match it.design {
            PAIR => Some((it.posts, it.looks, it.every, it.copy, it.fetch)),
            _ => None,
        };
        what(self) == what(other) && pace(self) == pace(other) && self.lossy == other.lossy
    }
}

/// A post.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub(super) author: User,
    /// When it was written, µs; before zero for what was there already.
    pub(super) at_us: i64,
    /// Of the request that brought it.
    pub(super) dot: u32,
    pub(super) note: NoteId,
    pub(super) deleted: Option<Time>,
    /// The post that it shares, and the one that it answers.
    pub(super) shares: Option<Number>,
    pub(super) answers: Option<Number>,
    /// Copies to be made, and made; and how late these were in all.
    pub(super) copies: u32,
    pub(super) made: u32,
    pub(super) late: Time,
    /// When the last of them was made; at once if none was to be.
    pub(super) done: Option<Time>,
}

impl Post {
    pub(super) fn age(&self, now: Time) -> Time {
        Time::us((now.0 as i64 - self.at_us).max(0) as u64)
    }

    /// How late its copies were on average: not at all if it is fetched; none if none was made yet.
    pub(super) fn mean(&self) -> Option<Time> {
        match self.made {
            0 => self.done.map(|_| Time::ZERO),
            made => Some(Time::us(self.late.0 / u64::from(made))),
        }
    }
}

/// What an author writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) author: User,
    pub(super) shares: Option<Number>,
    pub(super) answers: Option<Number>,
}

/// A post whose copies are being made.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) post: Number,
    to: Rc<[User]>,
    next: usize,
    /// Copies that died with their worker.
    again: Vec<User>,
    made: u32,
}

impl Task {
    pub(super) fn left(&self) -> u32 {
        self.to.len() as u32 - self.made
    }
}

/// What the aggregator threw out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thrown {
    pub(super) double: u32,
    pub(super) deleted: u32,
    pub(super) left: u32,
    pub(super) held: u32,
}

impl Thrown {
    pub(super) fn all(self) -> u32 {
        self.double + self.deleted + self.left + self.held
    }
    fn add(&mut self, other: Thrown) {
        self.double += other.double;
        self.deleted += other.deleted;
        self.left += other.left;
        self.held += other.held;
    }
}

/// A page: its posts, newest first, with whether each stands above nothing; and what was thrown out for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<(Number, bool)>,
    pub(super) thrown: Thrown,
    /// The same one by one, each with its word.
    pub(super) out: Vec<(Number, &'static str)>,
}

/// The star's last post, and how others fare beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    pub(super) post: Number,
    pub(super) at: Time,
    /// Copies of others that waited when she wrote.
    pub(super) ahead: u32,
    /// Copies of what others wrote in the two seconds after: still to be made; made, and how late in all.
    pub(super) open: u32,
    pub(super) made: u32,
    pub(super) late: Time,
    /// The same of ten seconds; how many were more than a second late; looks, and how many of them took over 30 ms.
    pub(super) open_10: u32,
    pub(super) made_10: u32,
    pub(super) late_10: u32,
    pub(super) looks: u32,
    pub(super) slow: u32,
}

impl Beside {
    pub(super) fn mean(&self) -> Option<Time> {
        (self.made > 0).then(|| Time::us(self.late.0 / u64::from(self.made)))
    }
}

/// An answer to the star.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) number: Number,
    /// Its readers who follow the star, too; of these so many had it before her post.
    pub(super) common: u32,
    pub(super) early: u32,
}

/// Half a second of work, in seconds of one worker.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    nth: u64,
    write: f64,
    read: f64,
}

const SLOT: Time = Time::ms(500);
const SLOTS: usize = 62;

/// Looks of the last moments: whose, and when.
pub(super) const FLASH: Time = Time::ms(400);
/// A look takes its mean over so long.
const RECENT: Time = Time::s(2);

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Feeds {
    pub(super) graph: Rc<Graph>,
    ranks: Rc<[u16]>,
    pub(super) rule: Rule,
    pub(super) set: bool,
    pub(super) turned: Time,
    /// Nobody has done anything: the star posts by herself. And whether her timer is set.
    pub(super) opens: bool,
    pub(super) opening: bool,
    /// Since when the rule holds, as far as work is concerned.
    pub(super) since: Time,
    /// Inboxes were made anew: what was measured says nothing any more.
    pub(super) renewed: bool,
    posts: VecDeque<Post>,
    first: Number,
    pub(super) outboxes: Boxes,
    pub(super) inboxes: Boxes,
    pub(super) tasks: VecDeque<Task>,
    /// Sleepers who came back.
    pub(super) woken: Vec<User>,
    /// The last of them, and what his look asked.
    pub(super) back: Option<(User, u32, bool)>,
    work: VecDeque<Slot>,
    pub(super) looks: VecDeque<(User, Time)>,
    /// Looks that were over in the last moments: when, and how long they took.
    pub(super) recent: VecDeque<(Time, Time)>,
    pub(super) thrown: Thrown,
    pub(super) beside: Option<Beside>,
    pub(super) answer: Option<Answer>,
    /// Answers that reached somebody before what they answer.
    pub(super) early: u32,
    /// Posts of the star, and turns of her clock.
    pub(super) by_star: u32,
    star_last: Option<Number>,
    clock: Option<f64>,
    pub(super) star_turn: u32,
    /// Fetches of the star's outbox since the rule holds.
    pub(super) star_fetched: u32,
    /// Followers of what was written since the rule holds, and copies for them.
    followed: u32,
    copied_to: u32,
    pub(super) you: User,
    pub(super) fan: User,
    pub(super) collector: User,
    /// The collector's last look: outboxes asked, how long it took.
    pub(super) collected: Option<(u32, Time)>,
    /// Looks since the surge began: the slowest, how many failed; and whether one is on.
    pub(super) surge: Option<(Time, u32, Time)>,
    /// Times that are to be measured: of copies, whether the star's, and of looks.
    pub(super) delays: Vec<(bool, Time, Time)>,
    pub(super) times: Vec<(Time, Time)>,
    pub(super) worked: [f64; 2],
    pub(super) told: Vec<Told>,
    pub(super) early_marks: Marks,
    pub(super) double_marks: Marks,
    theory: [f64; 2],
    /// The same, were everything copied to everybody.
    copied: [f64; 2],
}

/// A look that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) reader: User,
    pub(super) asked: Time,
    pub(super) took: Time,
    pub(super) dice: u64,
    pub(super) dot: u32,
}

/// What is to be said as soon as somebody can.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// A post was taken.
    Posted(Number),
    /// Inboxes were made anew while the star's post was under way.
    Cut(Number),
    /// A look asked so many outboxes and took so long.
    Asked(User, u32, Time, u32),
    /// A sleeper is back; his feed was kept, or rebuilt, or is empty.
    Back(&'static str, User, Time, u32),
    /// A reader's page left something out.
    Out(&'static str, User, Number, u32),
}

impl Feeds {
    pub(super) fn new() -> Feeds {
        let sizes = sizes(600);
        let graph = Graph::draw(&sizes, SALT);
        let mut order: Vec<User> = (0..USERS as User).collect();
        order.sort_by_key(|it| mix64(SALT ^ u64::from(*it) << 8));
        let mut ranks = vec![0; USERS];
        for (rank, user) in order.iter().enumerate() {
            ranks[usize::from(*user)] = rank as u16;
        }
        let common = |author: User| {
            let each = graph.followers(author).iter();
            each.filter(|it| graph.is_followed(**it, STAR)).count()
        };
        let ordinary =
            || (KNOWN as User + 1..USERS as User).filter(|it| graph.is_followed(*it, STAR));
        let fan = ordinary().min_by_key(|it| {
            let size = graph.followers(*it).len();
            size.abs_diff(28) + common(*it).abs_diff(FANS_COMMON)
        });
        // You follow both, and stand where her copies come late; the collector is anybody. Both are awake, however many sleep.
        let fan = fan.unwrap_or(KNOWN as User + 1);
        let both = graph.followers(fan).iter().copied();
        let you = both.filter(|it| graph.is_followed(*it, STAR)).max();
        let you = you.unwrap_or(USERS as User - 1);
        let collector = if you == 500 { 501 } else { 500 };
        for (rank, user) in [(0, you), (1, collector)] {
            let place = ranks.iter().position(|it| *it == rank);
            ranks.swap(place.unwrap_or(0), usize::from(user));
        }
        let mut feeds = Feeds {
            ranks: ranks.into(),
            rule: Rule::default(),
            set: false,
            turned: Time::ZERO,
            opens: false,
            opening: false,
            since: Time::ZERO,
            renewed: false,
            posts: VecDeque::new(),
            first: 1,
            outboxes: Boxes::new(USERS, ROOM),
            inboxes: Boxes::new(USERS, ROOM),
            tasks: VecDeque::new(),
            woken: Vec::new(),
            back: None,
            work: VecDeque::new(),
            looks: VecDeque::new(),
            recent: VecDeque::new(),
            thrown: Thrown::default(),
            beside: None,
            answer: None,
            early: 0,
            by_star: 0,
            star_last: None,
            clock: None,
            star_turn: 0,
            star_fetched: 0,
            followed: 0,
            copied_to: 0,
            you,
            fan,
            collector,
            collected: None,
            surge: None,
            delays: Vec::new(),
            times: Vec::new(),
            worked: [0.0; 2],
            told: Vec::new(),
            early_marks: Marks::default(),
            double_marks: Marks::default(),
            theory: [0.0; 2],
            copied: [0.0; 2],
            graph: Rc::new(graph),
        };
        for nth in 0..HISTORY {
            let dice = mix64(SALT ^ mix64(u64::from(nth)));
            let author = match nth % 590 {
                300 => STAR,
                _ => author(dice),
            };
            let at_us = -500_000 * i64::from(HISTORY - nth);
            feeds.keep(Post::new(author, at_us));
        }
        feeds
    }

    /// The number of the post that comes next.
    fn next(&self) -> Number {
        self.first + self.posts.len() as u32
    }

    pub(super) fn post(&self, number: Number) -> Option<&Post> {
        self.posts.get(number.checked_sub(self.first)? as usize)
    }

    pub(super) fn post_mut(&mut self, number: Number) -> Option<&mut Post> {
        let place = number.checked_sub(self.first)? as usize;
        self.posts.get_mut(place)
    }

    /// The last posts, oldest first.
    pub(super) fn last(&self, many: usize) -> impl Iterator<Item = (Number, &Post)> {
        let skipped = self.posts.len().saturating_sub(many);
        let first = self.first + skipped as u32;
        (first..).zip(self.posts.iter().skip(skipped))
    }

    /// Remembers a post, and puts its number into its author's outbox.
    fn keep(&mut self, post: Post) -> Number {
        let number = self.next();
        self.posts.push_back(post);
        self.outboxes.put(post.author, number);
        if self.posts.len() > KEPT {
            self.posts.pop_front();
            self.first += 1;
        }
        number
    }

    /// How many of all look now and then.
    fn awake(&self) -> usize {
        let share = (1.0 - self.rule.asleep) * USERS as f64;
        libm::round(share) as usize
    }

    /// Whether a user never looks.
    pub(super) fn sleeps(&self, user: User) -> bool {
        let rank = self.ranks.get(usize::from(user)).copied();
        rank.is_some_and(|rank| usize::from(rank) >= self.awake()) && !self.woken.contains(&user)
    }

    /// Who looks, by an even draw.
    pub(super) fn looker(&self, unit: f64) -> User {
        let awake = self.awake().max(1);
        let rank = ((unit * awake as f64) as usize).min(awake - 1);
        let place = self.ranks.iter().position(|it| usize::from(*it) == rank);
        place.unwrap_or(0) as User
    }

    /// The next sleeper who might come back.
    pub(super) fn sleeper(&self) -> Option<User> {
        let mut all = (KNOWN as User + 1..USERS as User).filter(|it| self.sleeps(*it));
        all.find(|it| self.graph.follows(*it).len() >= 25)
    }

    /// Posts a second of an author, as far as knobs tell.
    fn pace(&self, author: User) -> f64 {
        match usize::from(author) {
            0 => self.rule.every.map_or(0.0, |every| 1.0 / every),
            1..=KNOWN => self.rule.posts * KNOWN_SHARE / KNOWN as f64,
            _ => self.rule.posts * (1.0 - KNOWN_SHARE) / (USERS - KNOWN - 1) as f64,
        }
    }

    /// Looks a second of a reader.
    fn looks_per_s(&self, reader: User) -> f64 {
        match self.sleeps(reader) {
            true => 0.0,
            false => self.rule.looks / self.awake().max(1) as f64,
        }
    }

    // region: designs
    /// Whether an author's posts are copied to a reader, or fetched when he looks.
    pub(super) fn is_copied(&self, author: User, reader: User) -> bool {
        if self.rule.skips && self.sleeps(reader) {
            return false;
        }
        match self.rule.design {
            WRITE => true,
            READ => false,
            MIXED => self.graph.followers(author).len() <= self.rule.above,
            _ => {
                let (copy, fetch) = (self.rule.copy.as_s(), self.rule.fetch.as_s());
                Prices { copy, fetch }.copies(self.pace(author), self.looks_per_s(reader))
            }
        }
    }
    // endregion

    /// Whether a reader has no inbox: he sleeps, and sleepers are left out.
    pub(super) fn is_dropped(&self, reader: User) -> bool {
        self.rule.skips && self.sleeps(reader)
    }

    /// The outboxes that a look asks, drawn anew where not all are.
    pub(super) fn asked(&self, reader: User, dice: u64) -> Vec<User> {
        let all = self.graph.follows(reader).iter().copied();
        let mut asked: Vec<User> = all.filter(|it| !self.is_copied(*it, reader)).collect();
        if let Some(most) = self.rule.lossy.filter(|most| asked.len() > *most) {
            asked.sort_by_key(|it| mix64(dice ^ mix64(u64::from(*it))));
            asked.truncate(most);
            asked.sort_unstable();
        }
        asked
    }

    // region: page
    /// The page that the aggregator makes for a reader of his inbox and of what it fetches: the newest, each once, of what is still
    /// true.
    pub(super) fn page(&self, reader: User, asked: &[User]) -> Page {
        let mut lists = vec![self.inboxes.of(reader)];
        lists.extend(asked.iter().map(|author| self.outboxes.of(*author)));
        let seen = |number: Number| lists.iter().any(|list| list.binary_search(&number).is_ok());
        let mut page = Page::default();
        let (mut rows, mut contents): (Vec<(Number, bool)>, Vec<Number>) = Default::default();
        newest(&lists, PAGE, |number| {
            let Some(post) = self.post(number) else {
                return false;
            };
            let content = post.shares.unwrap_or(number);
            let gone = self.post(content).is_none_or(|it| it.deleted.is_some());
            let early = post.answers.is_some_and(|to| {
                let there = self.post(to).filter(|it| it.deleted.is_none());
                there.is_some_and(|it| self.graph.is_followed(reader, it.author)) && !seen(to)
            });
            let (out, word) = if gone || post.deleted.is_some() {
                (&mut page.thrown.deleted, "out-deleted")
            } else if !self.graph.is_followed(reader, post.author) {
                (&mut page.thrown.left, "out-left")
            } else if contents.contains(&content) {
                (&mut page.thrown.double, "out-double")
            } else if early && self.rule.held {
                (&mut page.thrown.held, "out-held")
            } else {
                contents.push(content);
                rows.push((number, early));
                return true;
            };
            *out += 1;
            page.out.push((number, word));
            false
        });
        page.rows = rows;
        page
    }
    // endregion

    /// Somebody writes: the outbox has it at once, copies are to be made.
    pub(super) fn publish(&mut self, written: Written, dot: u32, now: Time) -> Number {
        let Written {
            author,
            shares,
            answers,
        } = written;
        let number = self.next();
        let readers = self.graph.followers(author).iter().copied();
        let to: Vec<User> = readers
            .filter(|it| self.is_copied(author, *it) && !self.loses(number, *it))
            .collect();
        let waiting: u32 = self.tasks.iter().map(Task::left).sum();
        let copies = to.len() as u32;
        self.followed += self.graph.followers(author).len() as u32;
        self.copied_to += copies;
        self.keep(Post {
            dot,
            shares,
            answers,
            copies,
            done: (copies == 0).then_some(now),
            ..Post::new(author, now.0 as i64)
        });
        if let Some(beside) = &mut self.beside
            && author != STAR
        {
            let since = now.since(beside.at);
            beside.open += if since < Time::s(2) { copies } else { 0 };
            beside.open_10 += if since < Time::s(10) { copies } else { 0 };
        }
        if author == STAR {
            self.by_star += 1;
            self.star_last = Some(number);
            self.answer = None;
            self.beside = Some(Beside {
                post: number,
                at: now,
                ahead: waiting,
                open: 0,
                made: 0,
                late: Time::ZERO,
                open_10: 0,
                made_10: 0,
                late_10: 0,
                looks: 0,
                slow: 0,
            });
        }
        if let Some(asked) = answers.and_then(|it| self.post(it)).map(|it| it.author) {
            let common = to.iter().filter(|it| self.graph.is_followed(**it, asked));
            self.answer = Some(Answer {
                number,
                common: common.count() as u32,
                early: 0,
            });
        }
        if !to.is_empty() {
            self.tasks.push_back(Task {
                post: number,
                to: to.into(),
                next: 0,
                again: Vec::new(),
                made: 0,
            });
        }
        self.told.push(Told::Posted(number));
        number
    }

    /// Whether the copy for a reader who follows too many is left out.
    fn loses(&self, number: Number, reader: User) -> bool {
        let follows = self.graph.follows(reader).len();
        let Some(most) = self.rule.lossy.filter(|most| follows > *most) else {
            return false;
        };
        let dice = mix64(mix64(u64::from(number)) ^ u64::from(reader));
        dice % follows as u64 >= most as u64
    }

    // region: turns
    /// The copy that the next free worker makes: of the post that came first, or one copy of each post in turn.
    pub(super) fn next_copy(&mut self) -> Option<(Number, User)> {
        let ready = |task: &Task| !task.again.is_empty() || task.next < task.to.len();
        let place = self.tasks.iter().position(ready)?;
        let task = self.tasks.get_mut(place)?;
        let reader = match task.again.pop() {
            Some(reader) => reader,
            None => {
                task.next += 1;
                task.to[task.next - 1]
            }
        };
        let post = task.post;
        if self.rule.turns
            && let Some(task) = self.tasks.remove(place)
        {
            self.tasks.push_back(task);
        }
        Some((post, reader))
    }
    // endregion

    /// A copy died with its worker, and is made once more.
    pub(super) fn copy_lost(&mut self, number: Number, reader: User) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.post == number) {
            task.again.push(reader);
        }
    }

    /// A copy is made. True if it was the post's last.
    pub(super) fn copy_made(&mut self, number: Number, reader: User, now: Time) -> bool {
        self.add_work(self.rule.copy.as_s(), 0.0, now);
        let Some(place) = self.tasks.iter().position(|task| task.post == number) else {
            // Inboxes were made anew meanwhile, and have it.
            return false;
        };
        let answers = self.post(number).and_then(|it| it.answers);
        let early = answers.is_some_and(|to| {
            let author = self.post(to).map(|it| it.author);
            author
                .is_some_and(|it| self.graph.is_followed(reader, it) && self.is_copied(it, reader))
                && !self.inboxes.has(reader, to)
        });
        self.inboxes.put(reader, number);
        if early {
            self.early += 1;
            if let Some(answer) = self.answer.as_mut().filter(|it| it.number == number) {
                answer.early += 1;
            }
        }
        let task = &mut self.tasks[place];
        task.made += 1;
        let last = task.left() == 0;
        if last {
            self.tasks.remove(place);
        }
        let Some(post) = self.post_mut(number) else {
            return last;
        };
        let (late, star) = (post.age(now), post.author == STAR);
        let at = Time::us(post.at_us.max(0) as u64);
        post.made += 1;
        post.late += late;
        if last {
            post.done = Some(now);
        }
        self.delays.push((star, late, at));
        if let Some(beside) = self.beside.as_mut().filter(|it| !star && at >= it.at) {
            let since = at.since(beside.at);
            if since < Time::s(2) {
                beside.open = beside.open.saturating_sub(1);
                beside.made += 1;
                beside.late += late;
            }
            if since < Time::s(10) {
                beside.open_10 = beside.open_10.saturating_sub(1);
                beside.made_10 += 1;
                beside.late_10 += u32::from(late > Time::s(1));
            }
        }
        last
    }

    /// The aggregator begins with a look: how many outboxes it asks, and how long it takes.
    pub(super) fn begins_look(
        &mut self,
        reader: User,
        returns: bool,
        dice: u64,
        dot: u32,
        now: Time,
    ) -> Time {
        let mut asked = self.asked(reader, dice).len() as u32;
        if returns {
            // Asleep until now: of the inbox that was dropped, nothing is left.
            let rebuilt = self.rule.skips && !self.rule.empty;
            let dropped = self.rule.skips;
            self.woken.push(reader);
            asked = self.asked(reader, dice).len() as u32;
            if rebuilt {
                asked = self.graph.follows(reader).len() as u32;
                self.fill(reader);
            }
            let took = LOOK_WORK + Time::us(self.rule.fetch.0 * u64::from(asked));
            let word = match (dropped, rebuilt) {
                (false, _) => "back",
                (true, true) => "rebuilt",
                (true, false) => "empty",
            };
            self.told.push(Told::Back(word, reader, took, dot));
            self.back = Some((reader, asked, dropped && !rebuilt));
        }
        if self.graph.is_followed(reader, STAR) && !self.is_copied(STAR, reader) {
            self.star_fetched += 1;
        }
        let took = LOOK_WORK + Time::us(self.rule.fetch.0 * u64::from(asked));
        if asked >= 100 {
            self.told.push(Told::Asked(reader, asked, took, dot));
        }
        if reader == self.collector && self.collects() {
            self.collected = Some((asked, Time::ZERO));
        }
        self.add_work(0.0, took.as_s(), now);
        took
    }

    /// A look is over.
    pub(super) fn looked(&mut self, look: Look, now: Time) {
        let Look {
            reader,
            asked,
            took,
            dice,
            dot,
        } = look;
        self.times.push((took, asked));
        self.recent.push_back((now, took));
        while self
            .recent
            .front()
            .is_some_and(|it| now.since(it.0) > RECENT)
        {
            self.recent.pop_front();
        }
        self.looks.push_back((reader, now));
        while self.looks.front().is_some_and(|it| now.since(it.1) > FLASH) {
            self.looks.pop_front();
        }
        if let Some(beside) = self.beside.as_mut()
            && asked >= beside.at
            && asked.since(beside.at) < Time::s(10)
        {
            beside.looks += 1;
            beside.slow += u32::from(took > Time::ms(30));
        }
        if let Some((from, _, slowest)) = &mut self.surge
            && asked >= *from
        {
            *slowest = (*slowest).max(took);
        }
        if reader == self.collector
            && let Some(collected) = &mut self.collected
        {
            collected.1 = took;
        }
        let authors = self.asked(reader, dice);
        let page = self.page(reader, &authors);
        self.thrown.add(page.thrown);
        let first = page.out.iter().find(|it| it.1 == "out-deleted");
        if let Some((number, word)) = first.or(page.out.first())
            && self.double_marks.due(now)
        {
            self.told.push(Told::Out(word, reader, *number, dot));
        }
    }

    /// A look failed: there was no place.
    pub(super) fn refused(&mut self, asked: Time) {
        if let Some((from, refused, _)) = &mut self.surge
            && asked >= *from
        {
            *refused += 1;
        }
    }

    /// Everything that inboxes hold under the rule is in them at once, and no copy is still to be made.
    fn renew(&mut self, now: Time) {
        for task in std::mem::take(&mut self.tasks) {
            if let Some(post) = self.post_mut(task.post) {
                post.copies = post.made;
                if post.author == STAR {
                    self.told.push(Told::Cut(task.post));
                }
            }
        }
        for reader in 0..USERS as User {
            match self.is_dropped(reader) {
                true => self.inboxes.clear(reader),
                false => self.fill(reader),
            }
        }
        (self.beside, self.answer, self.renewed) = (None, None, true);
        self.count_anew(now);
    }

    /// What is counted, is counted from here on.
    pub(super) fn count_anew(&mut self, now: Time) {
        self.since = now;
        (self.thrown, self.star_fetched) = (Thrown::default(), 0);
        (self.followed, self.copied_to) = (0, 0);
        self.work.clear();
        self.recent.clear();
        self.expect();
    }

    /// What paces lead to, by this rule and were everything copied.
    fn expect(&mut self) {
        self.theory = self.expected();
        let rule = self.rule;
        (self.rule.design, self.rule.skips) = (WRITE, false);
        self.copied = self.expected();
        self.rule = rule;
    }

    /// A reader's inbox is what it would be had the rule always held.
    fn fill(&mut self, reader: User) {
        let outboxes = self.outboxes.clone();
        let authors = self.graph.follows(reader).iter();
        let copied = authors.filter(|it| self.is_copied(**it, reader));
        let lists: Vec<&[Number]> = copied.map(|it| outboxes.of(*it)).collect();
        self.inboxes.fill(reader, &lists);
    }

    /// The knobs say this now.
    pub(super) fn turn(&mut self, knobs: &Values, now: Time) {
        let rule = Rule::of(knobs);
        let old = std::mem::replace(&mut self.rule, rule);
        if rule.followers != old.followers {
            let (collector, collects) = (self.collector, self.collects());
            let mut graph = Graph::draw(&sizes(rule.followers), SALT);
            if collects {
                (0..USERS as User).for_each(|it| _ = graph.follow(collector, it));
            }
            self.graph = Rc::new(graph);
        }
        if rule.asleep != old.asleep {
            self.woken.clear();
        }
        if !self.set || !rule.keeps_inboxes(&old) {
            self.renew(now);
        } else if rule != old {
            self.count_anew(now);
        }
        self.opens &= !self.set || rule == old;
        self.set = true;
    }

    /// Whether the collector follows everybody.
    pub(super) fn collects(&self) -> bool {
        self.graph.follows(self.collector).len() > 900
    }

    /// The collector follows everybody, or only whom he followed before.
    pub(super) fn collect(&mut self) -> bool {
        let collector = self.collector;
        let all = self.collects();
        self.collected = None;
        let mut graph = (*self.graph).clone();
        if all {
            let before = Graph::draw(&sizes(self.rule.followers), SALT);
            for author in 0..USERS as User {
                if !before.is_followed(collector, author) {
                    graph.unfollow(collector, author);
                }
            }
            self.graph = Rc::new(graph);
        } else {
            (0..USERS as User).for_each(|it| _ = graph.follow(collector, it));
            self.graph = Rc::new(graph);
            // What they wrote last is put into his inbox.
            self.fill(collector);
        }
        self.expect();
        !all
    }

    fn add_work(&mut self, write: f64, read: f64, now: Time) {
        let nth = now.0 / SLOT.0;
        if self.work.back().is_none_or(|it| it.nth != nth) {
            self.work.push_back(Slot {
                nth,
                ..Slot::default()
            });
        }
        if self.work.len() > SLOTS {
            self.work.pop_front();
        }
        if let Some(slot) = self.work.back_mut() {
            slot.write += write;
            slot.read += read;
        }
        self.worked[0] += write;
        self.worked[1] += read;
    }

    /// Work on write and on read, in workers, over so long or since the rule holds; and over how long that is.
    pub(super) fn work(&self, over: Time, now: Time) -> ([f64; 2], Time) {
        let first = (now.since(over).0).div_ceil(SLOT.0);
        let from = Time::us(first * SLOT.0).max(self.since);
        let slots = self.work.iter().filter(|it| it.nth >= first);
        let sum = slots.fold([0.0; 2], |sum, it| [sum[0] + it.write, sum[1] + it.read]);
        let span = now.since(from).max(SLOT);
        (sum.map(|it| it / span.as_s()), span)
    }

    /// Work on write and on read that these paces lead to, in workers.
    fn expected(&self) -> [f64; 2] {
        let (mut write, mut read) = (0.0, 0.0);
        let awake: Vec<f64> = (0..USERS as User).map(|it| self.looks_per_s(it)).collect();
        for reader in 0..USERS as User {
            let follows = self.graph.follows(reader);
            let most = self.rule.lossy.unwrap_or(usize::MAX);
            let kept = (most as f64 / follows.len().max(1) as f64).min(1.0);
            let copied = follows.iter().filter(|it| self.is_copied(**it, reader));
            let (mut paces, mut count) = (0.0, 0);
            copied.for_each(|it| {
                paces += self.pace(*it);
                count += 1;
            });
            write += paces * kept * self.rule.copy.as_s();
            let fetched = (follows.len() - count).min(most) as f64;
            let look = LOOK_WORK.as_s() + self.rule.fetch.as_s() * fetched;
            read += awake[usize::from(reader)] * look;
        }
        [write, read]
    }

    /// How long looks of the last two seconds took on average; none if nobody looked.
    pub(super) fn look_time(&self) -> Option<Time> {
        let all: u64 = self.recent.iter().map(|it| it.1.0).sum();
        let many = self.recent.len() as u64;
        (many > 0).then(|| Time::us(all / many.max(1)))
    }

    /// What theory expects, were everything copied to everybody.
    pub(super) fn all_copied(&self) -> [f64; 2] {
        self.copied
    }

    /// Followers of the star who look now and then.
    pub(super) fn star_readers(&self) -> usize {
        let readers = self.graph.followers(STAR).iter();
        readers.filter(|it| !self.sleeps(**it)).count()
    }

    /// What theory expects of [`Feeds::work`].
    pub(super) fn theory(&self) -> [f64; 2] {
        self.theory
    }

    /// The star's last post since somebody looks.
    pub(super) fn star_post(&self) -> Option<(Number, &Post)> {
        let number = self.star_last?;
        Some((number, self.post(number)?))
    }

    /// How long it has taken so far to get the star's last post into inboxes, or took until it was in the last.
    pub(super) fn star_so_far(&self, now: Time) -> Option<Time> {
        let (_, post) = self.star_post().filter(|it| it.1.copies > 0)?;
        Some(post.age(post.done.unwrap_or(now)))
    }

    /// How long it took until the star's last post was in the last inbox; none before.
    pub(super) fn star_done(&self) -> Option<Time> {
        let (_, post) = self.star_post()?;
        Some(post.age(post.done?))
    }

    /// How often a second the star's outbox is asked, as paces have it.
    pub(super) fn star_fetches_per_s(&self) -> f64 {
        let readers = self.graph.followers(STAR).iter();
        let asks = readers.filter(|it| !self.is_copied(STAR, **it));
        asks.map(|it| self.looks_per_s(*it)).sum()
    }

    /// The star's clock is set anew, if its knob was turned: to this many seconds.
    pub(super) fn new_clock(&mut self) -> Option<f64> {
        if self.clock == self.rule.every {
            return None;
        }
        self.clock = self.rule.every;
        self.star_turn += 1;
        self.clock
    }

    /// Everything that is under way is done at once, and everything is counted from here.
    pub(super) fn settle(&mut self, now: Time) {
        self.woken.clear();
        (self.back, self.collected, self.surge) = (None, None, None);
        self.early = 0;
        self.renew(now);
    }

    /// The share of copies that was spared of what was written since the rule holds; none if nothing was.
    pub(super) fn spared(&self) -> Option<f64> {
        let kept = f64::from(self.copied_to) / f64::from(self.followed);
        (self.followed > 0).then_some(1.0 - kept)
    }

    /// Copies that wait or are being made.
    pub(super) fn waiting(&self) -> u32 {
        self.tasks.iter().map(Task::left).sum()
    }

    /// The post that the field shows: the star's last for as long as it is under way and a while after, and a while after she deleted
    /// it; else the oldest that has copies to be made, else the newest.
    pub(super) fn shown(&self, now: Time) -> Option<Number> {
        let lately = |since: Time| now.since(since) < Time::s(8);
        let deleted = self
            .star_post()
            .filter(|it| it.1.deleted.is_some_and(lately));
        let star = self.beside.and_then(|it| {
            let post = self.post(it.post)?;
            let over = match post.copies {
                0 => it.at,
                _ => post.done.unwrap_or(now),
            };
            lately(over).then_some(it.post)
        });
        let star = deleted.map(|it| it.0).or(star);
        let oldest = self.tasks.front().map(|task| task.post);
        let newest = || self.last(1).next().map(|(number, _)| number);
        star.or(oldest).or_else(newest)
    }

    /// What a request that brings a post is about.
    pub(super) fn written(&self, dice: u64, unit: f64) -> Written {
        let author = author(dice);
        let reshares = usize::from(author) > KNOWN && unit <= self.rule.reshares;
        let back = 1 + (mix64(dice ^ 2) % 50) as u32;
        let shared = self.next().checked_sub(back);
        // Who shares what somebody shared, shares the same.
        let shares = shared
            .filter(|_| reshares)
            .and_then(|it| Some(self.post(it)?.shares.unwrap_or(it)));
        Written {
            author,
            shares,
            answers: None,
        }
    }
}

impl Post {
    fn new(author: User, at_us: i64) -> Post {
        Post {
            author,
            at_us,
            dot: 0,
            note: NoteId::NONE,
            deleted: None,
            shares: None,
            answers: None,
            copies: 0,
            made: 0,
            late: Time::ZERO,
            done: None,
        }
    }
}

/// Followers of each user: of the star, those who are known, all others.
fn sizes(star: usize) -> Vec<usize> {
    let ordinary = |nth: usize| 10 + (mix64(SALT ^ 7 ^ (nth as u64) << 4) % 37) as usize;
    let size = |nth: usize| match nth {
        0 => star,
        1..=KNOWN => KNOWN_SIZE,
        _ => ordinary(nth),
    };
    (0..USERS).map(size).collect()
}

/// Who writes, by what was drawn.
fn author(dice: u64) -> User {
    let unit = (mix64(dice ^ 5) >> 11) as f64 / (1_u64 << 53) as f64;
    let known = KNOWN as f64;
    let place = match unit / KNOWN_SHARE {
        share if share < 1.0 => 1.0 + share * known,
        _ => {
            let share = (unit - KNOWN_SHARE) / (1.0 - KNOWN_SHARE);
            1.0 + known + share * (USERS as f64 - 1.0 - known)
        }
    };
    (place as usize).min(USERS - 1) as User
}
