//! What there is: nodes with their lists, the news that goes round, what befell a member, and who accused whom.

use super::settings::Settings;
use algorithms::membership::{Membership, Node, RUMOUR, Word};
use algorithms::protocol::Id;
use algorithms::swim::Health;
use engine::random::unit;
use engine::tape::NoteId;
use engine::{Arg, Context, Glyph, Ink, Note, PartId, Time};
use kit::cluster::{self, Cluster, Dice, Face};
use kit::flow::Recently;

/// Places for nodes: the most that the knob gives, and those that join.
pub(super) const PLACES: Id = 108;
/// So many can join.
pub(super) const JOINS: Id = 8;
/// Further links of a chain than this are left out: it leads to its beginning at once.
const LINKS: u8 = 5;

/// What a node does all the time has one number, so that hundreds of pings are not hundreds of notes.
const STANDING: u32 = 1 << 30;

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A message arrives, or a clock ends.
    Net(cluster::Event),
    /// A round of rumours, of this beginning.
    Round(u32),
    /// A sleeper wakes.
    Wake(Id),
    /// The halves hear each other again.
    Healed(u32),
    /// A node joins, unless all began anew meanwhile.
    Joins,
    /// A node dies, in a run that nobody has touched.
    Dies,
}

impl From<cluster::Event> for Event {
    fn from(event: cluster::Event) -> Event {
        Event::Net(event)
    }
}

/// The protocol in a network that can be seen.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) rules: Membership,
    /// One way of a message, µs.
    pub(super) delay: f64,
}

mod face {
    use super::*;
    use algorithms::membership::{Ask, Timer};
    use algorithms::protocol::{OutOf, Protocol};

    impl Protocol for Talk {
        type Node = Node;
        type Disk = ();
        type Word = Word;
        type Timer = Timer;
        type Ask = Ask;

        fn boot(&self, me: Id, disk: Option<()>, out: &mut OutOf<Self>) -> Node {
            self.rules.boot(me, disk, out)
        }
        fn hear(&self, node: &mut Node, from: Id, word: Word, out: &mut OutOf<Self>) {
            self.rules.hear(node, from, word, out);
        }
        fn ring(&self, node: &mut Node, timer: Timer, out: &mut OutOf<Self>) {
            self.rules.ring(node, timer, out);
        }
        fn ask(&self, node: &mut Node, what: Ask, out: &mut OutOf<Self>) -> bool {
            self.rules.ask(node, what, out)
        }
        fn disk(&self, _: &Node) {}
        fn sound(&self, nodes: &[Option<&Node>]) -> Result<(), String> {
            self.rules.sound(nodes)
        }
    }
}

impl Face for Talk {
    type Brief = ();
    const OWN_LINKS: bool = false;

    fn brief(&self, _: &Node) {}

    fn travel(&self, _: &Word, dice: &mut Dice) -> Time {
        Time((self.delay * (0.75 + 0.5 * unit(dice))) as u64)
    }

    fn look(word: &Word) -> Option<(Glyph, Ink)> {
        let says = |health| {
            let mut news = word.news().iter();
            news.any(|item| item.belief.health == health)
        };
        let ink = match () {
            () if says(Health::Dead) => Ink::Bad,
            () if says(Health::Suspect) => Ink::Warn,
            () if says(Health::Alive) => Ink::Accent,
            () => Ink::Mark,
        };
        Some(match word {
            Word::Ping { .. } | Word::Help { .. } => (Glyph::Request, ink),
            Word::Ack { .. } => (Glyph::Response, ink),
            Word::Call { .. } | Word::Tell { .. } => (Glyph::Message, ink),
            Word::List { .. } => (Glyph::Replica, Ink::Hit),
        })
    }

    fn dot(between: (Id, Id), word: &Word, own: u32) -> u32 {
        let rumours = word.news().iter().any(|item| item.is_rumour());
        if rumours || matches!(word, Word::Help { .. }) {
            own
        } else {
            STANDING + u32::from(between.0)
        }
    }
}

/// Something new, and how it goes round.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    /// A newcomer, or the rumour.
    pub(super) about: Id,
    pub(super) began: Time,
    pub(super) note: NoteId,
    /// Rounds before it began.
    pub(super) before: u32,
    /// Rounds until half, and until all knew.
    pub(super) half: Option<u32>,
    pub(super) all: Option<u32>,
    /// Calls that brought it, and those that brought it to somebody new.
    pub(super) calls: u32,
    pub(super) fresh: u32,
}

/// Something that befell a member, and what the lists made of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ordeal {
    pub(super) of: Id,
    pub(super) since: Time,
    /// When somebody first suspected it, and when all held it for dead.
    pub(super) first: Option<Time>,
    pub(super) dead: Option<Time>,
    /// When all held it for alive again.
    pub(super) back: Option<Time>,
    /// Whether any list ever called it dead, and for how long it slept.
    pub(super) called_dead: bool,
    pub(super) slept: Time,
}

/// How a member stands in the lists of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) alive: usize,
    pub(super) suspect: usize,
    pub(super) dead: usize,
    pub(super) unknown: usize,
}

impl Column {
    pub(super) fn lists(&self) -> usize {
        self.alive + self.suspect + self.dead + self.unknown
    }
}

/// The running system.
#[derive(Clone)]
pub struct Village {
    pub(super) cluster: Cluster<Talk>,
    /// How many members there are, and how many there can be.
    pub(super) size: Id,
    pub(super) room: Id,
    /// Why each list says what it says, and how many links there are to the beginning.
    pub(super) why: Vec<(NoteId, u8)>,
    /// What befell each member.
    pub(super) woes: Vec<NoteId>,
    /// What each node said of its ping that was not answered.
    pub(super) asked: Vec<NoteId>,
    /// What the network does.
    pub(super) losing: NoteId,
    pub(super) cutting: NoteId,
    pub(super) news: Option<News>,
    pub(super) rumours: u64,
    pub(super) ordeal: Option<Ordeal>,
    pub(super) rounds: u32,
    /// How often all began anew.
    pub(super) begun: u32,
    /// Accusations since a knob was turned or something befell somebody; of members that ran, and by each node.
    pub(super) accused: u32,
    pub(super) falsely: u32,
    pub(super) accusers: Vec<u16>,
    pub(super) since: Time,
    pub(super) sleeps: Vec<(Id, Time)>,
    pub(super) slow: Option<Id>,
    /// Members 1 to this one are one half of the last cut.
    pub(super) half: Id,
    pub(super) cuts: kit::flow::Episode,
    pub(super) healed: Option<Time>,
    pub(super) recent: Recently<1>,
    pub(super) touched: bool,
    pub(super) knobs: Settings,
    pub(super) now: Time,
    pub(super) shares: [usize; 3],
}

pub(super) type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) const fn node(id: Id) -> PartId {
    PartId::nth("node", id as u16)
}

pub(super) const LISTS: PartId = PartId::one("lists");
pub(super) const LOAD: PartId = PartId::one("load");
pub(super) const CALLS: PartId = PartId::one("calls");
pub(super) const ACCUSED: PartId = PartId::one("accused");

/// The actions, in the order of the buttons.
pub(super) mod deed {
    pub(crate) const JOIN: usize = 0;
    pub(crate) const CRASH: usize = 1;
    pub(crate) const SLEEP: usize = 2;
    pub(crate) const SLOW: usize = 3;
    pub(crate) const CUT: usize = 4;
    pub(crate) const HEAL: usize = 5;
    pub(crate) const TELL: usize = 6;
    pub(crate) const LOSE: usize = 7;
    pub(crate) const HOLD: usize = 8;
}

impl Village {
    pub(super) fn ids(&self) -> std::ops::RangeInclusive<Id> {
        1..=self.size
    }

    /// The first node that runs, `favourite` if it does.
    pub(super) fn first_that_runs(&self, favourite: Id) -> Option<Id> {
        let mut ids = std::iter::once(favourite).chain(self.ids());
        ids.find(|id| self.cluster.runs(*id))
    }

    /// What the list of one says of another.
    pub(super) fn health(&self, list: Id, of: Id) -> Option<Health> {
        Some(self.cluster.node(list)?.belief(of)?.health)
    }

    /// Whether a list has the news: of a rumour the newest.
    pub(super) fn knows(&self, list: Id, about: Id) -> bool {
        let belief = self.cluster.node(list).and_then(|node| node.belief(about));
        belief.is_some_and(|belief| about != RUMOUR || belief.incarnation == self.rumours)
    }

    /// How a member stands with the others, or who has the rumour.
    pub(super) fn column(&self, of: Id) -> Column {
        let mut column = Column::default();
        for list in self.ids() {
            if list == of || !self.cluster.is_up(list) {
                continue;
            }
            let health = self.health(list, of).filter(|_| self.knows(list, of));
            *match health {
                Some(Health::Alive) => &mut column.alive,
                Some(Health::Suspect) => &mut column.suspect,
                Some(Health::Dead) => &mut column.dead,
                None => &mut column.unknown,
            } += 1;
        }
        column
    }

    /// How many nodes have the news, of how many.
    pub(super) fn knowing(&self, about: Id) -> (usize, usize) {
        let column = self.column(about);
        let itself = usize::from(about != RUMOUR && self.cluster.is_up(about));
        let lists = column.lists() + itself;
        (lists - column.unknown, lists)
    }

    /// How many lists suspect somebody who is up, or hold it for dead, all counted.
    pub(super) fn wrong(&self) -> usize {
        let mut wrong = 0;
        for of in self.ids().filter(|id| self.cluster.is_up(*id)) {
            let column = self.column(of);
            wrong += column.suspect + column.dead;
        }
        wrong
    }

    /// The member whose column is looked at: what the latest thing that happened is about.
    pub(super) fn focus(&self) -> Option<Id> {
        let (news, ordeal) = (self.news, self.ordeal);
        match (news, ordeal) {
            (Some(news), Some(ordeal)) if ordeal.since < news.began => Some(news.about),
            (_, Some(ordeal)) => Some(ordeal.of),
            (Some(news), None) => Some(news.about),
            (None, None) => None,
        }
    }

    /// The news, if it is the latest thing that happened.
    pub(super) fn latest_news(&self) -> Option<News> {
        let ordeal = self.ordeal.map_or(Time::ZERO, |ordeal| ordeal.since);
        self.news.filter(|news| news.began >= ordeal)
    }

    /// Whether each of one half holds each of the other for dead, all of whom run.
    pub(super) fn two_worlds(&self) -> bool {
        self.half > 0
            && self.ids().all(|list| {
                let mut others = self
                    .ids()
                    .filter(|of| (*of <= self.half) != (list <= self.half));
                others.all(|of| self.health(list, of) == Some(Health::Dead))
            })
    }

    /// Whether each that runs holds each that runs for alive.
    pub(super) fn is_whole(&self) -> bool {
        let runs = |id: &Id| self.cluster.runs(*id);
        let alive = |list: Id, of: Id| self.health(list, of) == Some(Health::Alive);
        self.ids()
            .filter(runs)
            .all(|list| self.ids().filter(runs).all(|of| alive(list, of)))
    }

    /// Whether nobody tells the news any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.news.is_some_and(|news| {
            let began = self.rounds > news.before;
            began && !self.cluster.nodes().any(|(_, node)| node.tells(news.about))
        })
    }

    /// Who accused most, and how often.
    pub(super) fn keenest(&self) -> (Id, u16) {
        let mut keenest = (0, 0);
        for (id, count) in (1..).zip(&self.accusers) {
            if *count > keenest.1 {
                keenest = (id, *count);
            }
        }
        keenest
    }

    fn at(&self, list: Id, of: Id) -> usize {
        usize::from(list) * (usize::from(self.room) + 1) + usize::from(of)
    }

    /// Remembers why a list says what it says of a member.
    pub(super) fn because_of(&mut self, list: Id, of: Id, note: NoteId, links: u8) {
        let at = self.at(list, of);
        if let Some(why) = self.why.get_mut(at) {
            *why = (note, links);
        }
    }

    /// Why a list says what it says of a member, shortened where the chain is long; `root` is where it began.
    pub(super) fn reason(&self, list: Id, of: Id, root: NoteId) -> (NoteId, u8) {
        let why = self.why.get(self.at(list, of)).copied();
        let (note, links) = why.unwrap_or((NoteId::NONE, 0));
        if links >= LINKS {
            (root, 0)
        } else {
            (note, links)
        }
    }
}

/// What a node does all the time, once and for all its pings, answers and lists.
pub(super) fn pings(id: Id) -> Note {
    let told = [Arg::Part(node(id))];
    note("pings", node(id), &told).dot(STANDING + u32::from(id))
}

/// A note about a part.
pub(super) fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}
