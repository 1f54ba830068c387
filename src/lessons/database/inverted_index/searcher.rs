//! What works: it indexes pages and answers queries, by lists, by bits, or by reading every page.

use super::corpus::Corpus;
use super::settings::{Find, Meaning, Rank, Settings};
use algorithms::inverted_index::{self as inverted, Index};
use algorithms::text_analysis::{Gates, Passage, Stem, words};
use algorithms::{horspool, relevance};
use engine::Time;
use kit::bench::{Craft, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A word goes through the gates, a comparison is made: so slow that both can be watched.
const WORD: Time = Time::ms(400);
const COMPARISON: Time = Time::ms(450);
const TERM: Time = Time::ms(300);
/// The longest that an index is built anew, that a query's words and its comparisons take, and that all pages are read.
const BUILD_MS: u64 = 1_800;
const GATES_MS: u64 = 1_200;
const TERMS_MS: u64 = 2_200;
const WALK_MS: u64 = 2_600;
const SCAN_MS: u64 = 9_000;
/// Longer work is shown in so many steps.
const STEPS_MAX: usize = 160;
const BATCHES: u32 = 40;
/// So many results are shown.
pub(super) const TOP: usize = 5;

/// What the hand is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Index these pages.
    Index(u32, u32),
    /// Answer a query: its text, and whether it goes past the gates.
    Ask(&'static str, bool),
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A word of a page goes through the gates; words count from 1.
    Word(u32, u32),
    /// All pages up to this one are indexed.
    Pages(u32),
    /// A word of the query goes through the gates; it counts from 0.
    Asked(usize),
    /// A term is looked at.
    Term(usize),
    /// Lists are compared: which pass, the two places, hits so far.
    Lists(usize, usize, usize, usize),
    /// Rows of bits are combined: which pass, how many words of 64.
    Bits(usize, usize),
    /// On a page, the position of a word of the query is looked at.
    Position(u32, usize, u32),
    /// A page is read.
    Read(u32),
}

/// What has been looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Comparisons in lists, of positions, of terms, and of words of bits.
    pub(super) compared: u32,
    /// Letters of pages.
    pub(super) letters: u32,
    /// Pages read.
    pub(super) pages: u32,
}

/// A step, with all that has been looked at by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) what: What,
    pub(super) cost: Cost,
}

/// A query and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) text: &'static str,
    pub(super) raw: bool,
    pub(super) settings: Settings,
    /// Its words, and what the gates made of them.
    pub(super) words: Vec<(&'static str, Passage)>,
    /// The terms that are looked for, and where in the query each stands.
    pub(super) terms: Vec<(u32, String)>,
    /// The places of the lists that are walked, in the order of the walk.
    pub(super) lists: Vec<usize>,
    /// The places of the terms that a prefix stands for.
    pub(super) range: Option<std::ops::Range<usize>>,
    /// What each pass over two lists left.
    pub(super) passes: Vec<Vec<u32>>,
    /// Where on a page the words of a phrase follow one another; none where they do not.
    pub(super) paths: Vec<(u32, Option<Vec<u32>>)>,
    /// The pages found, rising; none of them deleted.
    pub(super) found: Vec<u32>,
    /// The first of them in the order shown, with their scores.
    pub(super) top: Vec<(u32, f64)>,
    pub(super) cost: Cost,
}

/// The index, the pages, and how both are used.
#[derive(Clone, Debug)]
pub(super) struct Searcher {
    pub(super) corpus: Corpus,
    pub(super) settings: Settings,
    pub(super) index: Arc<Index>,
    /// The gates that the index was built with.
    pub(super) gates: Gates,
    /// Whether queries meet another stemmer than pages did.
    pub(super) stale: bool,
    pub(super) deleted: Option<u32>,
    /// Pages that have been indexed.
    pub(super) indexed: u32,
    /// What is asked, or was last.
    pub(super) asked: Option<Arc<Asked>>,
    word: Time,
    term: Time,
    pace: Time,
}

/// So long for each of `n` steps: as long as is best, and all of them at most so many ms.
fn paced(best: Time, n: usize, all_ms: u64) -> Time {
    best.min(Time::us(all_ms * 1_000 / n.max(1) as u64))
}

impl Searcher {
    pub(super) fn new(seed: u32, settings: &Settings) -> Searcher {
        Searcher {
            corpus: Corpus::new(seed, settings.pages, settings.size),
            settings: settings.clone(),
            index: Arc::default(),
            gates: settings.gates(),
            stale: false,
            deleted: None,
            indexed: 0,
            asked: None,
            word: WORD,
            term: TERM,
            pace: COMPARISON,
        }
    }

    /// The index is thrown away.
    pub(super) fn clear(&mut self) {
        (self.index, self.indexed) = (Arc::default(), 0);
        (self.gates, self.stale) = (self.settings.gates(), false);
    }

    /// About how many bytes it keeps on the heap: an index is shared by all that have not changed it.
    pub(super) fn bytes(&self) -> usize {
        12 * self.index.tokens() + 96 * self.index.terms().len()
    }

    /// Whether the index is in order and has every word that the gates let through.
    pub(super) fn sound(&self) -> Result<(), String> {
        let index = &*self.index;
        if index.tokens() > 2_000 {
            // Too long to look through after every event.
            return Ok(());
        }
        let rising = |list: &[u32]| list.is_sorted_by(|a, b| a < b);
        let mut positions = 0;
        for at in 0..index.terms().len() {
            let list = index.list(at);
            positions += list.count();
            if !rising(list.pages()) || list.pages().last().is_some_and(|last| *last > self.indexed)
            {
                return Err(format!("the list of {} does not rise", index.terms()[at]));
            }
        }
        if !index.terms().is_sorted() || positions != index.tokens() {
            return Err(format!("{positions} positions of {} words", index.tokens()));
        }
        Ok(())
    }

    /// The gates of queries.
    pub(super) fn asking(&self, raw: bool) -> Gates {
        let mut gates = self.gates;
        if self.stale {
            gates.stem = if gates.stem == Stem::None {
                Stem::Porter
            } else {
                Stem::None
            };
        }
        if raw { Gates::OPEN } else { gates }
    }

    /// Adds pages to the index.
    pub(super) fn build(&mut self, from: u32, to: u32, trace: &mut dyn FnMut(What)) {
        let index = Arc::make_mut(&mut self.index);
        let batch = (to - from + 1).div_ceil(BATCHES);
        // The gates make the same of the same word.
        let mut known: BTreeMap<String, Passage> = BTreeMap::new();
        for page in from..=to {
            let text = self.corpus.text(page);
            let mut terms = Vec::new();
            for (word, at) in words(&text).zip(1..) {
                if !known.contains_key(word) {
                    known.insert(word.to_owned(), self.gates.pass(word));
                }
                let passage = &known[word];
                if !passage.dropped {
                    terms.push((at, passage.term.clone()));
                }
            }
            index.add(page, &terms);
            if to <= 8 || self.corpus.spam == Some(page) {
                (1..=words(&text).count() as u32).for_each(|word| trace(What::Word(page, word)));
            } else if (page - from + 1).is_multiple_of(batch) || page == to {
                trace(What::Pages(page));
            }
        }
        self.indexed = to;
    }

    /// Answers a query.
    pub(super) fn ask(&self, text: &'static str, raw: bool, trace: &mut dyn FnMut(Step)) -> Asked {
        let gates = self.asking(raw || self.settings.raw);
        // Of one word with an asterisk only the beginning is given; capitals become small, and no ending is cut.
        let mut only = words(text);
        let start = match (text.strip_suffix('*'), only.next(), only.next()) {
            (Some(_), Some(word), None) => Some(gates.pass(word).small),
            _ => None,
        };
        let start = start.as_deref();
        let passed: Vec<_> = words(text).map(|word| (word, gates.pass(word))).collect();
        let terms = match start {
            Some(start) => vec![(1, start.to_owned())],
            None => gates.terms(text),
        };
        let mut asked = Asked {
            text,
            raw: raw || self.settings.raw,
            settings: self.settings.clone(),
            words: passed,
            terms,
            lists: Vec::new(),
            range: None,
            passes: Vec::new(),
            paths: Vec::new(),
            found: Vec::new(),
            top: Vec::new(),
            cost: Cost::default(),
        };
        for word in 0..asked.words.len() {
            trace(Step {
                what: What::Asked(word),
                cost: Cost::default(),
            });
        }
        match self.settings.find {
            Find::Scan => self.scan(&mut asked, trace),
            _ => self.look_up(&mut asked, start, trace),
        }
        asked.found.retain(|page| self.deleted != Some(*page));
        self.rank(&mut asked);
        asked
    }

    fn look_up(&self, asked: &mut Asked, start: Option<&str>, trace: &mut dyn FnMut(Step)) {
        let index = &*self.index;
        let mut cost = Cost::default();
        let mut tell = |what: What| {
            cost.compared += 1;
            trace(Step { what, cost });
        };
        let mut missing = asked.terms.is_empty();
        if let Some(start) = start {
            let range = index.prefix(start, &mut |at| tell(What::Term(at)));
            asked.lists = range.clone().collect();
            asked.range = Some(range);
        } else {
            for (_, term) in &asked.terms {
                match index.find(term) {
                    Some(list) if !asked.lists.contains(&list) => asked.lists.push(list),
                    Some(_) => {}
                    None => missing = true,
                }
            }
        }
        let any = start.is_some() || asked.settings.meaning == Meaning::Any;
        if asked.lists.is_empty() || missing && !any {
            (asked.lists, asked.cost) = (
                if any {
                    Vec::new()
                } else {
                    std::mem::take(&mut asked.lists)
                },
                cost,
            );
            return;
        }
        if !any {
            // The shortest list first: what is left is never longer.
            for end in 1..asked.lists.len() {
                let df = |at: usize| index.list(asked.lists[at]).pages().len();
                let place = (0..end).find(|at| df(*at) > df(end)).unwrap_or(end);
                asked.lists[place..=end].rotate_right(1);
            }
        }
        let mut so_far = index.list(asked.lists[0]).pages().to_vec();
        for (pass, list) in asked.lists[1..].iter().enumerate() {
            let next = index.list(*list).pages();
            let mut hits = 0;
            so_far = if asked.settings.find == Find::Bits {
                let last = self.indexed;
                let (mut row, other) = (inverted::bits(&so_far, last), inverted::bits(next, last));
                for (at, (word, other)) in row.iter_mut().zip(other).enumerate() {
                    *word = if any { *word | other } else { *word & other };
                    tell(What::Bits(pass, at));
                }
                inverted::set_bits(&row)
            } else {
                let mut compared = |(i, j, order): inverted::Compared| {
                    hits += usize::from(any || order.is_eq());
                    tell(What::Lists(pass, i, j, hits));
                };
                match any {
                    true => inverted::or(&so_far, next, &mut compared),
                    false => inverted::and(&so_far, next, true, &mut compared),
                }
            };
            asked.passes.push(so_far.clone());
        }
        if asked.settings.meaning == Meaning::Phrase && start.is_none() {
            let offsets: Vec<u32> = asked.terms.iter().map(|(offset, _)| *offset).collect();
            for page in &so_far {
                let list = |term: &String| {
                    index
                        .find(term)
                        .map_or(&[][..], |at| index.list(at).on(*page))
                };
                let lists: Vec<&[u32]> = asked.terms.iter().map(|(_, term)| list(term)).collect();
                let path =
                    inverted::follow(&lists, &offsets, asked.settings.slack, &mut |word, at| {
                        tell(What::Position(*page, word, at));
                    });
                asked.paths.push((*page, path));
            }
            let follows = asked.paths.iter().filter(|(_, path)| path.is_some());
            so_far = follows.map(|(page, _)| *page).collect();
        }
        (asked.found, asked.cost) = (so_far, cost);
    }

    // region: scan
    /// Reads every page: `LIKE '%fox%'`, whatever the case.
    fn scan(&self, asked: &mut Asked, trace: &mut dyn FnMut(Step)) {
        let small = asked.text.to_ascii_lowercase();
        let whole = small.trim_end_matches('*');
        let patterns: Vec<&str> = match asked.settings.meaning {
            Meaning::Phrase => vec![whole],
            _ => whole.split_whitespace().collect(),
        };
        let mut cost = Cost::default();
        for page in 1..=self.indexed {
            let text = self.corpus.text(page).to_ascii_lowercase();
            let mut has = |pattern: &&str| {
                let (found, read) = horspool::find(pattern.as_bytes(), text.as_bytes());
                cost.letters += read as u32;
                found.is_some()
            };
            let fits = match asked.settings.meaning {
                Meaning::Any => patterns.iter().any(&mut has),
                _ => patterns.iter().all(&mut has),
            };
            if fits {
                asked.found.push(page);
            }
            cost.pages += 1;
            trace(Step {
                what: What::Read(page),
                cost,
            });
        }
        asked.cost = cost;
    }
    // endregion

    /// Puts the pages found in their order; of many only the first.
    fn rank(&self, asked: &mut Asked) {
        let index = &*self.index;
        let pages = index.pages().len() as u32;
        let mean = index.tokens() as f64 / f64::from(pages.max(1));
        let ranks = match asked.settings.rank {
            Rank::Linked => {
                let links = |page| {
                    self.corpus
                        .links(page)
                        .into_iter()
                        .filter(|to| *to <= self.indexed)
                        .map(|to| to - 1)
                        .collect()
                };
                let links: Vec<Vec<u32>> = (1..=self.indexed).map(links).collect();
                relevance::page_rank(&links, 30)
            }
            _ => Vec::new(),
        };
        for page in &asked.found {
            let mut score = 0.0;
            for list in &asked.lists {
                let list = index.list(*list);
                let tf = list.on(*page).len() as u32;
                score += match asked.settings.rank {
                    Rank::Matched => f64::from(tf.min(1)),
                    _ => relevance::bm25(
                        relevance::idf(pages, list.pages().len() as u32),
                        tf,
                        index.length(*page),
                        mean,
                    ),
                };
            }
            if let Some(rank) = ranks.get(*page as usize - 1) {
                score *= rank * f64::from(pages);
            }
            let place = asked.top.iter().position(|(_, other)| *other < score);
            asked
                .top
                .insert(place.unwrap_or(asked.top.len()), (*page, score));
            asked.top.truncate(TOP);
        }
    }
}

impl Craft for Searcher {
    type Op = Op;
    type Step = Step;

    fn run(&mut self, _: usize, op: &Op, trace: &mut dyn FnMut(Step)) -> Verdict {
        match *op {
            Op::Index(from, to) => {
                let mut steps = Vec::new();
                self.build(from, to, &mut |what| steps.push(what));
                // What comes for the first time can be watched; what is built anew is not told twice.
                let again =
                    from == 1 || !self.corpus.by_hand(from) || self.corpus.spam == Some(from);
                self.word = if again {
                    paced(WORD, steps.len(), BUILD_MS)
                } else {
                    WORD
                };
                let cost = Cost::default();
                steps
                    .into_iter()
                    .for_each(|what| trace(Step { what, cost }));
            }
            Op::Ask(text, raw) => {
                let mut steps = Vec::new();
                let asked = self.ask(text, raw, &mut |step| steps.push(step));
                let gates = asked.words.len();
                self.word = paced(WORD, gates, GATES_MS);
                let terms = steps
                    .iter()
                    .filter(|step| matches!(step.what, What::Term(_)))
                    .count();
                self.term = paced(TERM, terms, TERMS_MS);
                // Of long work only every so many steps are shown; each knows all that was looked at before.
                let (first, walk) = steps.split_at(gates + terms);
                let every = walk.len().div_ceil(STEPS_MAX).max(1);
                let shown: Vec<Step> = walk.iter().rev().step_by(every).rev().copied().collect();
                let scan = asked.settings.find == Find::Scan;
                self.pace = paced(
                    COMPARISON,
                    shown.len(),
                    if scan { SCAN_MS } else { WALK_MS },
                );
                first.iter().chain(&shown).for_each(|step| trace(*step));
                self.asked = Some(Arc::new(asked));
            }
        }
        Verdict::Done
    }

    fn begin(&mut self, _: usize, step: Step) -> Time {
        match step.what {
            What::Word(..) | What::Pages(_) | What::Asked(_) => self.word,
            What::Term(_) => self.term,
            _ => self.pace,
        }
    }
}
