//! The system: spiders fetch pages, and one hand indexes them and answers query after query.

use super::corpus::{self, Corpus, PAGES_MAX};
use super::probe;
use super::searcher::{Asked, Op, Searcher, Step, What};
use super::settings::{Find, Settings};
use algorithms::text_analysis::{Passage, words};
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::bench::{Bench, Played, State, Turn};
use std::sync::Arc;

pub(super) const PAGES: PartId = PartId::one("pages");
pub(super) const GATES: PartId = PartId::one("gates");
pub(super) const INDEX: PartId = PartId::one("index");
pub(super) const QUERY: PartId = PartId::one("query");
pub(super) const RESULTS: PartId = PartId::one("results");
/// Between two operations, and between two queries.
const GAP: Time = Time::ms(200);
/// Somebody asks again after 1.5 s, or up to twice as much.
const REST_MS: u64 = 1_500;
/// Pages that are crawled by hand.
pub(super) const CRAWLED: u32 = 500;
/// The action that writes a page, as a number of the sheet.
const WRITE: usize = 6;
/// So often a query of the learner's own is asked, unless another is chosen.
const OWN_ASKED: u32 = 8;
/// Of a walk the first comparisons are told: the rest is more of the same.
const TOLD: usize = 24;

const SEED: Stream = Stream::named("seed");
const FETCH: Stream = Stream::named("fetch");
const AGAIN: Stream = Stream::named("again");

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A step of the hand is over.
    Hand(Turn),
    /// The hand looks for work, if this number is still the last.
    Next(u32),
    /// A page is there, if it is still wanted.
    Fetched(u32, u32),
}

impl From<Turn> for Event {
    fn from(turn: Turn) -> Event {
        Event::Hand(turn)
    }
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Search {
    pub(super) craft: Searcher,
    pub(super) bench: Bench<Searcher>,
    /// Pages fetched so far: all up to this one.
    pub(super) fetched: u32,
    /// Fetched before one with a lower number.
    early: Vec<u32>,
    /// Being fetched.
    pub(super) flying: Vec<u32>,
    next: u32,
    crawl: u32,
    /// Work so far: the number of the present piece.
    pub(super) work: u32,
    cause: NoteId,
    /// The learner's own query, and how often it is asked still.
    own: Option<(Typed, u32)>,
    /// The last answer since anything was turned.
    pub(super) last: Option<Arc<Asked>>,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

fn count(n: impl Into<i64>) -> Arg {
    Arg::Count(n.into())
}

/// The word of a query.
pub(super) fn query_word(text: &str) -> &'static str {
    match text {
        "quick" => "knob.query.quick",
        "brown fox" => "knob.query.brown-fox",
        "jum*" => "knob.query.jum",
        "to be or not to be" => "knob.query.to-be",
        "university" => "knob.query.university",
        "trouble" => "knob.query.trouble",
        "the fox" => "knob.query.the-fox",
        "Foxes" => "knob.query.foxes",
        "jumped" => "stage.jumped",
        _ => "knob.query.quick-brown-fox",
    }
}

impl Search {
    /// What the hand has begun of its work.
    pub(super) fn step(&self) -> Option<Step> {
        self.bench.hand(0).step()
    }

    /// Whether pages are being indexed.
    pub(super) fn indexing(&self) -> bool {
        matches!(self.bench.hand(0).op, Some(Op::Index(..)))
    }

    /// Up to which page and word postings are there: the hand may be on the way.
    pub(super) fn reached(&self) -> (u32, u32) {
        match (self.bench.hand(0).op, self.step()) {
            (Some(Op::Index(..)), Some(step)) => match step.what {
                What::Word(page, word) => (page, word),
                What::Pages(page) => (page, u32::MAX),
                _ => (self.craft.indexed, u32::MAX),
            },
            _ => (self.craft.indexed, u32::MAX),
        }
    }

    /// The word in the gates, if there is one, as it came and as it goes; whether it is a query's.
    pub(super) fn passing(&self) -> Option<(String, Passage, bool)> {
        match self.step()?.what {
            What::Word(page, word) => {
                let text = self.craft.corpus.text(page);
                let word = words(&text).nth(word as usize - 1)?;
                Some((word.to_owned(), self.craft.gates.pass(word), false))
            }
            What::Asked(word) => {
                let (word, passage) = self.craft.asked.as_ref()?.words.get(word)?.clone();
                Some((word.to_owned(), passage, true))
            }
            _ => None,
        }
    }

    /// What is asked; none before the first query since anything was turned.
    pub(super) fn asked(&self) -> Option<&Asked> {
        match self.bench.hand(0).op {
            Some(Op::Ask(..)) => self.craft.asked.as_deref(),
            _ => self.last.as_deref(),
        }
    }

    /// What is asked next.
    pub(super) fn query(&self, knobs: &Settings) -> &'static str {
        let own = self.own.filter(|(_, left)| *left > 0);
        own.map_or_else(|| corpus::text(knobs.query), |(own, _)| own.text())
    }

    /// The hand looks for work after so long.
    fn rest(&mut self, span: Time, cx: Cx<'_, '_>) {
        self.next = self.next.wrapping_add(1);
        cx.schedule(span, Event::Next(self.next));
    }

    /// Every spider that is free fetches the next page that a known one leads to.
    fn fetch(&mut self, spiders: u32, cx: Cx<'_, '_>) {
        loop {
            let page = self.fetched + (self.early.len() + self.flying.len()) as u32 + 1;
            let corpus = &self.craft.corpus;
            if self.flying.len() >= spiders as usize
                || page > corpus.count
                || page > 2 * self.fetched + 1
            {
                return;
            }
            let random = below(cx.random(FETCH), 600) as u64;
            let span = match corpus.by_hand(page) {
                true => Time::ms(100 + random),
                false => Time::us(8_000 + 25 * random),
            };
            self.flying.push(page);
            cx.schedule(span, Event::Fetched(page, self.crawl));
        }
    }

    fn fetched(&mut self, page: u32, spiders: u32, cx: Cx<'_, '_>) {
        self.flying.retain(|other| *other != page);
        self.early.push(page);
        while let Some(at) = self
            .early
            .iter()
            .position(|early| *early == self.fetched + 1)
        {
            self.early.swap_remove(at);
            self.fetched += 1;
        }
        if self.craft.corpus.by_hand(page) {
            self.cause = cx.say(Note::new("fetched").with(count(page)).about(PAGES));
        }
        self.fetch(spiders, cx);
        if self.bench.hand(0).state == State::Free && self.craft.indexed < self.fetched {
            self.rest(Time::ms(10), cx);
        }
    }

    fn begin(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        if self.bench.hand(0).state != State::Free {
            return;
        }
        let to = self.fetched;
        let op = if self.craft.indexed < to {
            Op::Index(self.craft.indexed + 1, to)
        } else if !self.flying.is_empty() {
            // The next page is not there yet.
            return;
        } else {
            let asks = self.bench.queue.pop_front();
            asks.unwrap_or_else(|| {
                let text = self.query(knobs);
                if let Some((_, left)) = &mut self.own {
                    *left = left.saturating_sub(1);
                }
                Op::Ask(text, false)
            })
        };
        self.work += 1;
        match op {
            Op::Index(from, to) => {
                let note = Note::new("indexes").with(count(from)).with(count(to));
                self.cause = cx.say(note.about(PAGES).dot(self.work));
            }
            Op::Ask(text, raw) => {
                self.last = None;
                let raw = raw || knobs.raw;
                let own = self.own.filter(|(own, _)| own.text() == text);
                let word = match (own, raw) {
                    (Some(_), true) => "asks-own-raw",
                    (Some(_), false) => "asks-own",
                    (None, true) => "asks-raw",
                    (None, false) => "asks",
                };
                let name = own.map_or(Arg::Word(query_word(text)), |(own, _)| Arg::Typed(own));
                let note = Note::new(word).with(name).about(QUERY);
                self.cause = cx.say(note.dot(self.work));
            }
        }
        self.bench.start(0, op, &mut self.craft, cx);
    }

    /// A step is over: what of it is worth a word.
    fn tell(&mut self, played: Played<Step>, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        let Some(step) = played.step else { return };
        let told = self.bench.hand(0).over <= TOLD;
        let asked = self.craft.asked.as_deref();
        let note = match step.what {
            What::Word(page, word) => {
                let text = self.craft.corpus.text(page);
                let mut all = words(&text);
                let passage = all
                    .nth(word as usize - 1)
                    .map(|word| self.craft.gates.pass(word));
                let dropped = passage.is_some_and(|passage| passage.dropped);
                let note = Note::new(if dropped { "left-out" } else { "posting" });
                let note = note.with(count(word)).with(count(page));
                note.about(if dropped { GATES } else { INDEX })
            }
            What::Asked(word) => match asked.and_then(|asked| asked.words.get(word)) {
                Some((_, passage)) if passage.dropped => Note::new("asked-left-out")
                    .with(count(word as i64 + 1))
                    .about(GATES),
                _ => return,
            },
            What::Term(at) if told => Note::new("looks").with(count(at as i64 + 1)).about(INDEX),
            What::Lists(pass, i, j, _) if told => {
                let Some(pair) = asked.and_then(|asked| self.pair(asked, pass, i, j)) else {
                    return;
                };
                let note = Note::new(if pair.0 == pair.1 { "equal" } else { "moves" });
                note.with(count(pair.0)).with(count(pair.1)).about(QUERY)
            }
            What::Position(page, ..) if told => {
                Note::new("position").with(count(page)).about(QUERY)
            }
            What::Read(page) if told => Note::new("reads")
                .with(count(page))
                .with(count(step.cost.letters))
                .about(PAGES),
            _ => return,
        };
        self.cause = cx.say(note.dot(self.work));
    }

    /// The two pages that are compared in a pass.
    pub(super) fn pair(
        &self,
        asked: &Asked,
        pass: usize,
        i: usize,
        j: usize,
    ) -> Option<(u32, u32)> {
        let index = &self.craft.index;
        let left = match pass.checked_sub(1) {
            None => index.list(*asked.lists.first()?).pages(),
            Some(before) => asked.passes.get(before)?,
        };
        let right = index.list(*asked.lists.get(pass + 1)?).pages();
        Some((*left.get(i)?, *right.get(j)?))
    }

    fn over(&mut self, op: Op, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        let index = &self.craft.index;
        if let Op::Index(_, to) = op {
            let note = Note::new("indexed")
                .with(count(to))
                .with(count(index.terms().len() as i64));
            cx.say(note.about(INDEX).dot(self.work));
            self.rest(GAP, cx);
            return;
        }
        let Some(asked) = self.craft.asked.clone() else {
            return;
        };
        let word = if asked.terms.is_empty() {
            "empty"
        } else if asked.found.is_empty()
            && asked.lists.len() < asked.terms.len()
            && asked.settings.find != Find::Scan
        {
            "unknown"
        } else {
            "answered"
        };
        let cost = asked.cost;
        let note = Note::new(word)
            .with(count(asked.found.len() as i64))
            .with(count(cost.compared))
            .with(count(cost.letters));
        let note = if word == "answered" {
            note
        } else {
            note.mark(Tone::Warn)
        };
        let answer = cx.say(note.about(RESULTS).dot(self.work));
        cx.because(answer);
        let scan = asked.settings.find == Find::Scan;
        cx.sample(
            if scan {
                probe::LETTERS
            } else {
                probe::COMPARED
            },
            f64::from(if scan { cost.letters } else { cost.compared }),
        );
        self.last = Some(asked);
        let random = below(cx.random(AGAIN), REST_MS as usize) as u64;
        self.rest(Time::ms(REST_MS + random), cx);
    }

    /// The query that is under way is dropped; the hand looks for work soon.
    fn anew(&mut self, cx: Cx<'_, '_>) {
        if !self.indexing() {
            self.bench.give_up(0, cx.now());
            self.last = None;
            self.rest(GAP, cx);
        }
    }

    /// The index is built again, of all pages that have been fetched.
    fn rebuild(&mut self, cx: Cx<'_, '_>) {
        self.bench.give_up(0, cx.now());
        self.craft.clear();
        self.last = None;
        self.opens(cx);
        self.rest(GAP, cx);
    }

    /// Other pages, all of them fetched.
    fn others(&mut self, knobs: &Settings) {
        let seed = self.craft.corpus.seed;
        let was = std::mem::replace(
            &mut self.craft.corpus,
            Corpus::new(seed, knobs.pages, knobs.size),
        );
        self.craft.corpus.take_over(&was);
        self.craft.deleted = None;
        self.crawl += 1;
        self.flying.clear();
        self.early.clear();
        self.fetched = self.craft.corpus.count;
    }

    /// What stands there, for whoever asks why.
    fn opens(&self, cx: Cx<'_, '_>) {
        cx.because(NoteId::NONE);
        let corpus = &self.craft.corpus;
        cx.say(Note::new("pages").with(count(corpus.count)).about(PAGES));
        for (word, part) in [
            ("gates", GATES),
            ("index", INDEX),
            ("query", QUERY),
            ("results", RESULTS),
        ] {
            cx.because(NoteId::NONE);
            cx.say(Note::new(word).about(part));
        }
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let index = &self.craft.index;
        let (terms, tokens) = (index.terms().len() as f64, index.tokens() as f64);
        cx.sample(probe::TERMS, terms);
        cx.sample(probe::TOKENS, tokens);
        // A page number and a position take four bytes each.
        let postings: usize = (0..index.terms().len())
            .map(|at| index.list(at).pages().len())
            .sum();
        cx.sample(probe::POSTINGS, 4.0 * postings as f64);
        cx.sample(probe::POSITIONS, 4.0 * (postings as f64 + tokens));
        cx.sample(
            probe::BITS,
            terms * f64::from(self.craft.indexed / 64 + 1) * 8.0,
        );
    }
}

impl Model for Search {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Search {
        let seed = below(cx.random(SEED), 1 << 30) as u32;
        let mut search = Search {
            craft: Searcher::new(seed, knobs),
            bench: Bench::new(1, cx.now()),
            fetched: 1,
            early: Vec::new(),
            flying: Vec::new(),
            next: 0,
            crawl: 0,
            work: 0,
            cause: NoteId::NONE,
            own: None,
            last: None,
            now: cx.now(),
        };
        // One page is indexed already; of other pages than the first three all have been fetched.
        if search.craft.corpus.count > 3 {
            search.fetched = search.craft.corpus.count;
        }
        search.craft.build(1, 1, &mut |_| {});
        search.opens(cx);
        search.fetch(knobs.spiders, cx);
        search.rest(Time::ms(10), cx);
        search.look(cx);
        search
    }

    fn on_event(&mut self, event: Event, knobs: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Next(number) if number == self.next => self.begin(knobs, cx),
            Event::Fetched(page, crawl) if crawl == self.crawl => {
                self.fetched(page, knobs.spiders, cx)
            }
            Event::Hand(turn) => {
                if let Some(played) = self.bench.on_event(turn) {
                    self.tell(played, cx);
                    if let Some(op) = self.bench.go_on(played.hand, &mut self.craft, cx) {
                        self.over(op, cx);
                        self.look(cx);
                    }
                }
            }
            _ => {}
        }
        self.now = cx.now();
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        let was = std::mem::replace(&mut self.craft.settings, knobs.clone());
        if was.query != knobs.query {
            self.own = None;
        }
        let others = was.pages != knobs.pages || was.size != knobs.size;
        if others {
            self.others(knobs);
        }
        if others || was.gates() != knobs.gates() {
            self.rebuild(cx);
        } else if was.spiders == knobs.spiders {
            self.anew(cx);
        }
        self.fetch(knobs.spiders, cx);
        self.look(cx);
    }

    fn on_action(&mut self, act: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        let say = |word, part, cx: Cx<'_, '_>| {
            cx.say(Note::new(word).about(part).mark(Tone::Learner));
        };
        match act.spec {
            0 => {
                say("raw", GATES, cx);
                self.bench.queue.push_front(Op::Ask("Foxes", true));
            }
            1 => {
                self.craft.stale = !self.craft.stale;
                say(if self.craft.stale { "stale" } else { "fresh" }, GATES, cx);
                self.bench.queue.push_front(Op::Ask("jumped", false));
            }
            2 => {
                let top = self.last.as_ref().and_then(|last| last.top.first());
                let page = top.map_or(1, |(page, _)| *page);
                let (word, page) = match self.craft.deleted.take() {
                    Some(page) => ("restored", page),
                    None => ("deleted", *self.craft.deleted.insert(page)),
                };
                cx.say(
                    Note::new(word)
                        .with(count(page))
                        .about(PAGES)
                        .mark(Tone::Learner),
                );
            }
            3 => {
                let corpus = &mut self.craft.corpus;
                match corpus.spam {
                    None => {
                        corpus.count += 1;
                        corpus.spam = Some(corpus.count);
                        say("spam", PAGES, cx);
                    }
                    spam if self.craft.deleted == spam => {
                        self.craft.deleted = None;
                        say("spam-back", PAGES, cx);
                    }
                    spam => {
                        self.craft.deleted = spam;
                        say("spam-gone", PAGES, cx);
                    }
                }
            }
            4 => {
                self.craft.corpus.count += CRAWLED;
                say("crawl", PAGES, cx);
            }
            _ => return,
        }
        self.bench.queue.truncate(4);
        self.fetch(knobs.spiders, cx);
        self.anew(cx);
        self.look(cx);
    }

    fn refuses(&self, act: Act, text: &str) -> Option<&'static str> {
        if words(text).next().is_none() {
            return Some("no-word");
        }
        (act.spec == WRITE && !self.craft.corpus.has_room()).then_some("enough")
    }

    fn on_typed(&mut self, act: Act, text: Typed, knobs: &Settings, cx: Cx<'_, '_>) {
        if act.spec == WRITE {
            self.craft.corpus.write(text);
            let note = Note::new("written").with(count(self.craft.corpus.count));
            let note = note.with(Arg::Typed(text)).about(PAGES);
            cx.say(note.mark(Tone::Learner));
            self.fetch(knobs.spiders, cx);
        } else {
            self.own = Some((text, OWN_ASKED));
            self.bench.queue.clear();
            let note = Note::new("own")
                .with(Arg::Typed(text))
                .with(count(OWN_ASKED));
            cx.say(note.about(QUERY).mark(Tone::Learner));
        }
        self.anew(cx);
        self.look(cx);
    }

    fn can(&self, act: Act) -> bool {
        act.spec != 4 || self.craft.corpus.count + CRAWLED <= PAGES_MAX
    }

    fn bytes(&self) -> usize {
        self.craft.bytes() + self.bench.bytes()
    }

    fn audit(&self) -> Result<(), String> {
        self.craft.sound()?;
        let known = self.fetched as usize + self.early.len() + self.flying.len();
        if known > self.craft.corpus.count as usize {
            return Err(format!("{known} pages of {}", self.craft.corpus.count));
        }
        Ok(())
    }
}
