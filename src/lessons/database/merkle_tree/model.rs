//! The system: a source, a copy of it, a line between them, and a comparison that runs over it.

use super::probe;
use super::settings::{Blocks, HASH, How, Odd, Settings, Spread, Trust};
use algorithms::merkle_sync::{self, Answer, Cost, Question, Step, Sync, cost, expected_hashes};
use algorithms::merkle_tree::{self, Hash, Place, Rule, Shape, Tree};
use engine::random::below;
use engine::tape::NoteId;
use engine::{Act, Arg, Context, Model, Note, PartId, Stream, Time, Tone, Typed};
use kit::flow::Leg;

pub(super) const SOURCE: usize = 0;
pub(super) const COPY: usize = 1;
pub(super) const SEAL: PartId = PartId::one("seal");
pub(super) const LINE: PartId = PartId::one("line");
pub(super) const COUNT: PartId = PartId::one("count");
pub(super) const BARS: PartId = PartId::one("bars");
/// All of a kind.
pub(super) const ROOTS: PartId = PartId::one("root");
pub(super) const INNERS: PartId = PartId::one("inner");
pub(super) const LEAVES: PartId = PartId::one("leaves");

/// Real bytes of a block; costs are those of the size that it stands for.
pub(super) const CHUNK: usize = 32;
/// Both trees are seen for so long before they are compared, and for so long where the learner has done something.
const OPENING: Time = Time::ms(60);
const LEAD: Time = Time::ms(12);
/// So often something is said even where nothing happens, so that a step always ends somewhere.
const TICK: Time = Time::s(20);

/// So many different texts of a learner's may be blocks of one file.
const OWN_MAX: usize = 32;

const CONTENT: Stream = Stream::named("content");
const DAMAGE: Stream = Stream::named("damage");

pub(super) const fn root(side: usize) -> PartId {
    PartId::nth("root", side as u16 + 1)
}
pub(super) const fn inner(side: usize) -> PartId {
    PartId::nth("inner", side as u16 + 1)
}
pub(super) const fn leaves(side: usize) -> PartId {
    PartId::nth("leaves", side as u16 + 1)
}

/// What one side holds.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) bytes: Vec<u8>,
    /// The tree that it built last.
    pub(super) tree: Tree,
    /// The root that it has kept from when its blocks were written.
    kept: Hash,
}

impl Side {
    fn build(&mut self, rule: Rule, own: &[Typed]) {
        self.tree = tree(&self.bytes, rule, own);
    }

    pub(super) fn blocks(&self) -> usize {
        self.bytes.len().div_ceil(CHUNK)
    }

    fn block(&self, i: usize) -> Option<&[u8]> {
        self.bytes.chunks(CHUNK).nth(i)
    }

    /// Whether its blocks make up the root that it has kept.
    pub(super) fn fits_itself(&self) -> bool {
        self.kept == self.tree.root()
    }
}

/// The tree over all blocks.
fn tree(bytes: &[u8], rule: Rule, own: &[Typed]) -> Tree {
    let leaves = bytes.chunks(CHUNK);
    let leaves = leaves.map(|block| rule.leaf(content(block, own)));
    Tree::of(leaves.collect(), rule)
}

/// Whether a block is what was typed, and zeros behind it.
fn holds(block: &[u8], own: Typed) -> bool {
    let rest = block.strip_prefix(own.text().as_bytes());
    rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// What is hashed of a block: all of it, or the text alone that a learner typed.
fn content<'a>(block: &'a [u8], own: &[Typed]) -> &'a [u8] {
    let found = own.iter().find(|own| holds(block, **own));
    found.map_or(block, |own| &block[..own.text().len()])
}

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Equal roots, equal blocks.
    Same,
    /// Equal roots, other blocks.
    Fooled,
    /// Copy has what Source has.
    Mended,
    /// Source is not what the seal promises.
    Refused,
    /// A proof that led to the root, or did not.
    Proved(bool),
}

/// What is under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Both trees are built.
    Built,
    /// A question is on its way to Source.
    Asks(Leg<()>),
    /// The answer is on its way to Copy: so many hashes.
    Hears(Leg<()>, usize),
    /// Blocks come, one behind another.
    Fetches(Stretch),
    /// The last block is hashed.
    Checks,
    Done(End),
}

/// Blocks on the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// When the first byte arrives, and what a block takes.
    pub(super) from: Time,
    pub(super) each: Time,
    pub(super) blocks: usize,
}

impl Stretch {
    /// How much of the block that follows so many others is there.
    pub(super) fn share(&self, at: Time, before: usize) -> f32 {
        let begun = self.from + Time(self.each.0 * before as u64);
        at.progress(begun, begun + self.each)
    }
}

/// What a proof of one block consists of.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) block: usize,
    /// From the leaf up, once they have come.
    pub(super) hashes: Vec<Hash>,
}

/// What can be due; of an earlier comparison's events nothing comes.
#[derive(Clone, Debug)]
pub enum Event {
    /// The comparison begins.
    Start(u32),
    /// The question is at Source.
    Asked(u32),
    /// Its answer is at Copy.
    Heard(u32, Answer),
    /// The next block is at Copy.
    Block(u32, usize),
    /// The last one is hashed.
    Checked(u32),
    /// A proof is at Copy.
    Proved(u32, Vec<Hash>),
    /// Time for a word on what is under way.
    Tick,
}

/// The running system.
#[derive(Clone, Debug)]
pub struct Copies {
    /// What all blocks are made from, and how many have been written anew since.
    seed: u32,
    written: u32,
    /// The blocks that the author published, and their root.
    author: Vec<u8>,
    pub(super) seal: Hash,
    /// What a learner typed to be a block.
    own: Vec<Typed>,
    pub(super) sides: [Side; 2],
    pub(super) sync: Sync,
    pub(super) phase: Phase,
    pub(super) proof: Option<Proof>,
    turn: u32,
    /// Blocks that have come, and how many of them Copy had already.
    pub(super) come: usize,
    pub(super) for_nothing: usize,
    /// When the comparison began, and when it was known which blocks differ.
    pub(super) begun: Time,
    pub(super) found: Option<Time>,
    /// Blocks that differed when it began.
    pub(super) differed: usize,
    /// What each way of looking costs.
    pub(super) costs: [Cost; 4],
    /// The side that was forged.
    pub(super) forged: Option<usize>,
    pub(super) doubled: bool,
    pub(super) shifted: bool,
    /// Bytes read to build trees so far.
    pub(super) read: u64,
    cause: NoteId,
    pub(super) knobs: Settings,
    pub(super) now: Time,
}

type Cx<'a, 'b> = &'a mut Context<'b, Event>;

pub(super) fn count(n: usize) -> Arg {
    Arg::Count(n as i64)
}

impl Copies {
    /// Block number `i` as it was written the `version`-th time: bytes that differ from those of any other.
    fn bytes_of(&self, i: usize, version: u32) -> [u8; CHUNK] {
        let mut name = [0; 12];
        name[..4].copy_from_slice(&self.seed.to_le_bytes());
        name[4..8].copy_from_slice(&(i as u32).to_le_bytes());
        name[8..].copy_from_slice(&version.to_le_bytes());
        merkle_tree::leaf_hash(&name)
    }

    /// Both sides hold what the author has published.
    fn fresh(&mut self) {
        self.own.clear();
        let blocks = 0..self.knobs.blocks.0;
        self.author = blocks.flat_map(|i| self.bytes_of(i, 0)).collect();
        let mut side = Side {
            bytes: self.author.clone(),
            tree: Tree::of(Vec::new(), self.knobs.rule()),
            kept: Hash::default(),
        };
        side.build(self.knobs.rule(), &self.own);
        side.kept = side.tree.root();
        self.seal = side.kept;
        self.sides = [side.clone(), side];
        (self.forged, self.doubled, self.shifted) = (None, false, false);
    }

    /// Flips a bit in so many blocks of the copy.
    fn break_blocks(&mut self, bad: usize, spread: Spread, cx: Cx<'_, '_>) {
        let n = self.sides[COPY].blocks();
        let first = below(cx.random(DAMAGE), n);
        let mut others: Vec<usize> = (0..n).filter(|i| *i != first).collect();
        for i in 0..bad.min(n) {
            let block = match spread {
                _ if i == 0 => first,
                Spread::Apart => (first + i * n / bad) % n,
                Spread::Beside => (first + i) % n,
                Spread::Random => others.swap_remove(below(cx.random(DAMAGE), others.len())),
            };
            if let Some(byte) = self.sides[COPY].bytes.get_mut(block * CHUNK) {
                *byte ^= 1;
            }
        }
    }

    /// A side reads and hashes all that it holds.
    fn build(&mut self, side: usize) {
        self.sides[side].build(self.knobs.rule(), &self.own);
        self.read += self.file_bytes(side);
    }

    /// The bytes that a side's blocks stand for.
    pub(super) fn file_bytes(&self, side: usize) -> u64 {
        let held = self.sides[side].bytes.len() as u64;
        held * self.knobs.block_bytes() / CHUNK as u64
    }

    /// Both sides build their trees, and compare them after `lead`.
    fn begin(&mut self, lead: Time, cx: Cx<'_, '_>) {
        self.build(COPY);
        self.begin_built(lead, cx);
    }

    /// The same where Copy's tree is built already.
    fn begin_built(&mut self, lead: Time, cx: Cx<'_, '_>) {
        self.build(SOURCE);
        self.turn += 1;
        let [source, copy] = [SOURCE, COPY].map(|side| &self.sides[side]);
        let blocks = source.blocks().max(copy.blocks());
        self.differed = (0..blocks)
            .filter(|i| source.block(*i) != copy.block(*i))
            .count();
        self.costs = How::ALL.map(|how| cost(how.method(), &copy.tree, &source.tree));
        self.restart(cx);
        self.cause = cx.cause();
        let span = |side| Arg::Span(self.knobs.hashed(self.file_bytes(side)));
        let blocks = |side: usize| count(self.sides[side].blocks());
        let published = count(self.author.len() / CHUNK);
        for said in [
            note("sealed", SEAL, &[published]),
            note(
                "built",
                root(SOURCE),
                &[blocks(SOURCE), Arg::Part(root(SOURCE)), span(SOURCE)],
            ),
            note("hashed", leaves(COPY), &[blocks(COPY), span(COPY)]),
        ] {
            cx.because(self.cause);
            cx.say(said);
        }
        cx.say(note("paired", inner(COPY), &[]));
        cx.say(note(
            "built",
            root(COPY),
            &[blocks(COPY), Arg::Part(root(COPY)), span(COPY)],
        ));
        self.cause = cx.cause();
        cx.schedule(lead, Event::Start(self.turn));
    }

    /// Nothing is known of the other side.
    fn restart(&mut self, cx: Cx<'_, '_>) {
        let trusted = (self.knobs.trust == Trust::Seal).then_some(self.seal);
        let method = self.knobs.method.method();
        self.sync = Sync::new(method, &self.sides[COPY].tree, trusted);
        (self.phase, self.proof, self.found) = (Phase::Built, None, None);
        (self.come, self.for_nothing) = (0, 0);
        self.begun = cx.now();
    }

    /// A note in the chain of this comparison.
    fn say(&mut self, note: Note, cx: Cx<'_, '_>) {
        cx.because(self.cause);
        self.cause = cx.say(note);
    }

    fn start(&mut self, cx: Cx<'_, '_>) {
        self.begun = cx.now();
        self.say(note("begins", COUNT, &[]), cx);
        if self.knobs.trust == Trust::Seal {
            let same = self.sides[COPY].tree.root() == self.seal;
            let (word, tone) = if same {
                ("seal-same", Tone::Ok)
            } else {
                ("seal-differs", Tone::Bad)
            };
            self.say(Note::new(word).about(SEAL).mark(tone), cx);
        }
        self.go_on(cx);
    }

    /// Does what comes next.
    fn go_on(&mut self, cx: Cx<'_, '_>) {
        let round = self.sync.rounds + 1;
        match self.sync.step().clone() {
            Step::Ask(question) => {
                let (word, part, n) = match &question {
                    Question::Root => ("asks-root", root(COPY), 1),
                    Question::Leaves => ("asks-list", leaves(COPY), self.sides[SOURCE].blocks()),
                    Question::Nodes(places) => {
                        let low = places.iter().all(|place| place.level == 0);
                        let part = if low { leaves(COPY) } else { inner(COPY) };
                        ("asks", part, places.len())
                    }
                };
                let told = [count(n), Arg::Count(i64::from(round))];
                self.say(note(word, part, &told).dot(round), cx);
                let hop = self.knobs.hop();
                self.phase = Phase::Asks(Leg::new((), cx.now(), hop, false));
                cx.schedule(hop, Event::Asked(self.turn));
            }
            Step::Fetch(blocks) => self.fetch(&blocks, cx),
            Step::Same => {
                let same = self.sides[SOURCE].bytes == self.sides[COPY].bytes;
                if self.sync.rounds > 0 && same {
                    self.say(note("same", COUNT, &[]).mark(Tone::Ok), cx);
                } else if self.sync.rounds > 0 {
                    let told = [SOURCE, COPY].map(|side| count(self.sides[side].blocks()));
                    self.say(note("fooled", COUNT, &told).mark(Tone::Bad), cx);
                }
                // What only the seal was asked says nothing of Source.
                let fooled = self.sync.rounds > 0 && !same;
                self.end(if fooled { End::Fooled } else { End::Same }, cx);
            }
            Step::Refused => {
                self.say(note("refused", COUNT, &[]).mark(Tone::Bad), cx);
                self.end(End::Refused, cx);
            }
        }
    }

    fn end(&mut self, end: End, cx: Cx<'_, '_>) {
        self.found = self.found.or(Some(cx.now()));
        self.phase = Phase::Done(end);
    }

    fn asked(&mut self, cx: Cx<'_, '_>) {
        let hop = self.knobs.hop();
        if let Some(proof) = &self.proof {
            let source = &self.sides[SOURCE].tree;
            let hashes = merkle_tree::inclusion_proof(source.leaves(), proof.block);
            let hashes = hashes.unwrap_or_default();
            let span = hop + self.knobs.on_line(HASH * hashes.len() as u64);
            self.phase = Phase::Hears(Leg::new((), cx.now(), span, true), hashes.len());
            cx.schedule(span, Event::Proved(self.turn, hashes));
            return;
        }
        let Step::Ask(question) = self.sync.step() else {
            return;
        };
        let told = merkle_sync::answer(&self.sides[SOURCE].tree, question);
        let span = hop + self.knobs.on_line(HASH * told.hashes.len() as u64);
        self.phase = Phase::Hears(Leg::new((), cx.now(), span, true), told.hashes.len());
        cx.schedule(span, Event::Heard(self.turn, told));
    }

    fn heard(&mut self, answer: Answer, cx: Cx<'_, '_>) {
        let (n, known) = (answer.hashes.len(), self.sync.seen.len());
        // The other side is honest about its own tree, so there is nothing that could be noticed here.
        if self.sync.hear(&self.sides[COPY].tree, answer).is_err() {
            return;
        }
        let told = self.sync.seen[known..].iter().filter(|seen| seen.sent);
        let unequal = told.filter(|seen| !seen.equal).count();
        let part = match self.sync.seen.last().map(|seen| seen.place) {
            Some(place) if place.level == 0 => leaves(COPY),
            _ if self.sync.rounds == 1 => root(COPY),
            _ => inner(COPY),
        };
        let told = note("told", part, &[count(n), count(unequal)]);
        self.say(told.dot(self.sync.rounds), cx);
        self.go_on(cx);
    }

    fn fetch(&mut self, blocks: &[usize], cx: Cx<'_, '_>) {
        self.found = Some(cx.now());
        let told = [
            count(blocks.len()),
            Arg::Count(self.sync.hashes.into()),
            Arg::Count(self.sync.rounds.into()),
        ];
        let word = match self.knobs.method {
            How::Whole => "found-all",
            _ => "found",
        };
        self.say(note(word, leaves(COPY), &told).mark(Tone::Warn), cx);
        let each = Arg::Span(self.knobs.on_line(self.knobs.block_bytes()));
        self.say(note("fetches", COUNT, &[count(blocks.len()), each]), cx);
        let each = self.knobs.on_line(self.knobs.block_bytes());
        let from = cx.now() + self.knobs.hop() + self.knobs.hop();
        self.phase = Phase::Fetches(Stretch {
            from,
            each,
            blocks: blocks.len(),
        });
        let wait = from.since(cx.now());
        match blocks.len() {
            0 => cx.schedule(wait, Event::Checked(self.turn)),
            _ => cx.schedule(wait + each, Event::Block(self.turn, 0)),
        }
    }

    fn block(&mut self, nth: usize, cx: Cx<'_, '_>) {
        let Some((i, _)) = self.sync.differ.get(nth).copied() else {
            return;
        };
        let from = i * CHUNK;
        let block = self.sides[SOURCE].block(i).unwrap_or_default().to_vec();
        let had = self.sides[COPY].block(i) == Some(&block[..]);
        let copy = &mut self.sides[COPY].bytes;
        if copy.len() < from + block.len() {
            copy.resize(from + block.len(), 0);
        }
        copy[from..from + block.len()].copy_from_slice(&block);
        self.come += 1;
        self.for_nothing += usize::from(had);
        let word = if had { "block-again" } else { "block" };
        let told = note(word, leaves(COPY), &[count(i + 1)]);
        let told = told.dot(nth as u32 + 1);
        self.say(if had { told.mark(Tone::Warn) } else { told }, cx);
        if nth + 1 < self.sync.differ.len() {
            let each = self.knobs.on_line(self.knobs.block_bytes());
            cx.schedule(each, Event::Block(self.turn, nth + 1));
        } else {
            self.phase = Phase::Checks;
            let span = self.knobs.hashed(self.knobs.block_bytes());
            cx.schedule(span, Event::Checked(self.turn));
        }
    }

    fn checked(&mut self, cx: Cx<'_, '_>) {
        let source = self.sides[SOURCE].bytes.len();
        let rule = self.knobs.rule();
        let copy = &mut self.sides[COPY];
        copy.bytes.truncate(source);
        copy.build(rule, &self.own);
        copy.kept = copy.tree.root();
        let word = match self.forged {
            Some(SOURCE) => "swallowed",
            _ => "mended",
        };
        let tone = if self.forged == Some(SOURCE) {
            Tone::Bad
        } else {
            Tone::Ok
        };
        self.say(note("rebuilt", root(COPY), &[]), cx);
        let told = [count(self.come), Arg::Count(self.sync.hashes.into())];
        self.say(note(word, COUNT, &told).mark(tone), cx);
        if self.forged == Some(COPY) {
            self.forged = None;
        }
        (self.doubled, self.shifted) = (false, false);
        self.end(End::Mended, cx);
    }

    /// Says how far it is, or that it is the learner's turn.
    fn tick(&mut self, cx: Cx<'_, '_>) {
        let sent = Arg::Number((self.blocks_sent(cx.now()) / 1_000_000) as f64);
        cx.say(match self.phase {
            Phase::Fetches(_) => Note::new("goes-on").with(sent),
            _ => Note::new("rests"),
        });
        cx.because(NoteId::NONE);
        cx.schedule(TICK, Event::Tick);
    }

    /// Copy asks for the proof that one of its blocks belongs to the root.
    fn prove(&mut self, cx: Cx<'_, '_>) {
        self.turn += 1;
        let shared = self.sides[SOURCE].blocks().min(self.sides[COPY].blocks());
        let bad = (0..shared).find(|i| self.sides[SOURCE].block(*i) != self.sides[COPY].block(*i));
        // One that is bad, if there is any: of a good one, and of a whole tree, there is less to learn.
        let block = bad.unwrap_or(shared * 2 / 3);
        self.restart(cx);
        self.build(COPY);
        self.proof = Some(Proof {
            block,
            hashes: Vec::new(),
        });
        self.cause = cx.cause();
        let hop = self.knobs.hop();
        self.phase = Phase::Asks(Leg::new((), cx.now(), hop, false));
        self.say(
            note("asks-proof", leaves(COPY), &[count(block + 1)]).dot(1),
            cx,
        );
        cx.schedule(hop, Event::Asked(self.turn));
    }

    fn proved(&mut self, hashes: Vec<Hash>, cx: Cx<'_, '_>) {
        let Some(proof) = &mut self.proof else {
            return;
        };
        let block = proof.block;
        proof.hashes = hashes;
        let whole = match self.knobs.trust {
            Trust::Seal => self.seal,
            Trust::Other => self.sides[SOURCE].tree.root(),
        };
        let mine = self.sides[COPY].tree.leaves().get(block).copied();
        let size = self.sides[SOURCE].blocks() as u64;
        let holds = mine.is_some_and(|leaf| {
            merkle_tree::verify_inclusion(leaf, block as u64, size, &proof.hashes, &whole).is_ok()
        });
        let n = proof.hashes.len();
        let (word, tone) = if holds {
            ("proved", Tone::Ok)
        } else {
            ("not-proved", Tone::Bad)
        };
        let told = [count(block + 1), count(n)];
        self.say(note(word, leaves(COPY), &told).dot(1).mark(tone), cx);
        self.end(End::Proved(holds), cx);
    }

    /// The bytes of blocks that have come by a moment.
    pub(super) fn blocks_sent(&self, at: Time) -> u64 {
        let bytes = self.knobs.block_bytes();
        let whole = self.come as u64 * bytes;
        let Phase::Fetches(stretch) = self.phase else {
            return whole;
        };
        whole + (bytes as f64 * f64::from(stretch.share(at, self.come))) as u64
    }

    /// Hashes that have been sent.
    pub(super) fn hashes(&self) -> usize {
        let proof = self.proof.as_ref().map_or(0, |proof| proof.hashes.len());
        self.sync.hashes as usize + proof
    }

    /// Whether the search is over and has found blocks that differ.
    pub(super) fn has_found(&self) -> bool {
        self.found.is_some() && !self.sync.differ.is_empty()
    }

    /// Places that are asked for.
    pub(super) fn asked_for(&self) -> &[Place] {
        let under_way = matches!(self.phase, Phase::Asks(_) | Phase::Hears(..));
        match self.sync.step() {
            Step::Ask(Question::Nodes(places)) if under_way && self.proof.is_none() => places,
            _ => &[],
        }
    }

    pub(super) fn ended(&self, end: End) -> bool {
        self.phase == Phase::Done(end)
    }

    fn look(&mut self, cx: Cx<'_, '_>) {
        self.now = cx.now();
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let shape = self.sides[SOURCE].tree.shape();
        for (probe, value) in [
            (
                probe::BLOCKS,
                mb(self.come as u64 * self.knobs.block_bytes()),
            ),
            (probe::HASHES, mb(HASH * self.hashes() as u64)),
            (probe::ASKED, self.hashes() as f64),
            (probe::LIST, shape.leaves as f64),
            (probe::NODES, shape.nodes() as f64),
            (probe::EXPECTED, expected_hashes(shape, self.differed)),
            (probe::READ, mb(self.read) / 1e3),
        ] {
            cx.sample(probe, value);
        }
    }
}

/// A note about a part.
fn note(word: &'static str, part: PartId, args: &[Arg]) -> Note {
    let whole = args
        .iter()
        .fold(Note::new(word), |note, arg| note.with(*arg));
    whole.about(part)
}

/// What the learner does, in the order of the sheet's actions.
mod act {
    pub(super) const FLIP: usize = 0;
    pub(super) const THREE: usize = 1;
    pub(super) const FRONT: usize = 2;
    pub(super) const FORGE: usize = 3;
    pub(super) const DOUBLE: usize = 4;
    pub(super) const WRITE: usize = 5;
    pub(super) const PROVE: usize = 6;
    pub(super) const FRESH: usize = 7;
}

impl Model for Copies {
    type Knobs = Settings;
    type Event = Event;
    type Action = Act;

    fn new(knobs: &Settings, cx: Cx<'_, '_>) -> Copies {
        let side = Side {
            bytes: Vec::new(),
            tree: Tree::of(Vec::new(), knobs.rule()),
            kept: Hash::default(),
        };
        let mut copies = Copies {
            seed: below(cx.random(CONTENT), u32::MAX as usize) as u32,
            written: 0,
            author: Vec::new(),
            seal: Hash::default(),
            own: Vec::new(),
            sync: Sync::new(knobs.method.method(), &side.tree, None),
            sides: [side.clone(), side],
            phase: Phase::Built,
            proof: None,
            turn: 0,
            come: 0,
            for_nothing: 0,
            begun: cx.now(),
            found: None,
            differed: 0,
            costs: Default::default(),
            forged: None,
            doubled: false,
            shifted: false,
            read: 0,
            cause: NoteId::NONE,
            knobs: knobs.clone(),
            now: cx.now(),
        };
        copies.fresh();
        copies.break_blocks(knobs.bad as usize, knobs.spread, cx);
        copies.begin(OPENING, cx);
        cx.because(NoteId::NONE);
        cx.schedule(TICK, Event::Tick);
        copies.look(cx);
        copies
    }

    fn on_event(&mut self, event: Event, _: &Settings, cx: Cx<'_, '_>) {
        match event {
            Event::Start(turn) if turn == self.turn => self.start(cx),
            Event::Asked(turn) if turn == self.turn => self.asked(cx),
            Event::Heard(turn, answer) if turn == self.turn => self.heard(answer, cx),
            Event::Block(turn, nth) if turn == self.turn => self.block(nth, cx),
            Event::Checked(turn) if turn == self.turn => self.checked(cx),
            Event::Proved(turn, hashes) if turn == self.turn => self.proved(hashes, cx),
            Event::Tick => self.tick(cx),
            _ => {}
        }
        self.look(cx);
    }

    fn on_knobs(&mut self, knobs: &Settings, cx: Cx<'_, '_>) {
        self.knobs = knobs.clone();
        self.fresh();
        self.break_blocks(knobs.bad as usize, knobs.spread, cx);
        self.begin(LEAD, cx);
        self.look(cx);
    }

    fn can(&self, action: Act) -> bool {
        match action.spec {
            act::FORGE => action.target <= COPY,
            act::DOUBLE => self.sides[COPY].blocks() == self.knobs.blocks.0,
            act::FRONT => self.sides[COPY].blocks() <= self.knobs.blocks.0,
            act::PROVE => self.knobs.odd == Odd::Up,
            _ => true,
        }
    }

    fn aim(&self, spec: usize) -> usize {
        if spec == act::FORGE { COPY } else { 0 }
    }

    fn on_action(&mut self, action: Act, knobs: &Settings, cx: Cx<'_, '_>) {
        let n = self.sides[COPY].blocks();
        let learner = |word, part| Note::new(word).about(part).mark(Tone::Learner);
        match action.spec {
            act::FLIP => {
                cx.say(learner("flip", leaves(COPY)));
                self.break_blocks(1, Spread::Random, cx);
                self.begin(LEAD, cx);
            }
            act::THREE => {
                cx.say(learner("three", leaves(COPY)));
                self.break_blocks(3, Spread::Apart, cx);
                self.begin(LEAD, cx);
            }
            act::FRONT => {
                cx.say(learner("front", leaves(COPY)));
                self.sides[COPY].bytes.insert(0, 0);
                self.shifted = true;
                self.begin(LEAD, cx);
            }
            act::FORGE => {
                let side = action.target.min(COPY);
                self.written += 1;
                let block = below(cx.random(DAMAGE), self.sides[side].blocks());
                let told = [count(block + 1), Arg::Part(root(side))];
                cx.say(note("forge", leaves(side), &told).mark(Tone::Learner));
                let forged = self.bytes_of(block, self.written);
                self.overwrite(side, block, &forged);
                self.forged = Some(side);
                // Whoever can change a block can build the tree anew, and put its root in place of the one that was kept.
                self.sides[side].build(knobs.rule(), &self.own);
                self.sides[side].kept = self.sides[side].tree.root();
                self.begin(LEAD, cx);
            }
            act::DOUBLE => {
                cx.say(learner("double", leaves(COPY)));
                let last = self.sides[COPY].bytes.chunks(CHUNK).next_back();
                let last = last.unwrap_or_default().to_vec();
                self.sides[COPY].bytes.extend(last);
                self.doubled = true;
                self.begin(LEAD, cx);
            }
            act::WRITE => {
                self.written += 1;
                let block = below(cx.random(DAMAGE), n.min(self.sides[SOURCE].blocks()));
                let told = [count(block + 1)];
                cx.say(note("write", leaves(SOURCE), &told).mark(Tone::Learner));
                self.build(COPY);
                let new = self.bytes_of(block, self.written);
                for side in [SOURCE, COPY] {
                    self.overwrite(side, block, &new);
                }
                // The author publishes what is written.
                let from = block * CHUNK;
                self.author[from..from + CHUNK].copy_from_slice(&new);
                self.seal = tree(&self.author, knobs.rule(), &self.own).root();
                self.begin_built(LEAD, cx);
            }
            act::PROVE => {
                cx.say(learner("prove", leaves(COPY)));
                self.prove(cx);
            }
            act::FRESH => {
                cx.say(learner("fresh", leaves(COPY)));
                self.fresh();
                self.begin(LEAD, cx);
            }
            _ => {}
        }
        self.look(cx);
    }

    fn refuses(&self, _: Act, text: &str) -> Option<&'static str> {
        let known = self.own.iter().find(|own| own.text() == text);
        if text.len() > CHUNK {
            Some("no-room")
        } else if known.is_some_and(|own| self.place_of(SOURCE, *own).is_some()) {
            Some("there")
        } else if known.is_none() && self.own.len() >= OWN_MAX {
            Some("enough")
        } else {
            None
        }
    }

    fn on_typed(&mut self, _: Act, text: Typed, knobs: &Settings, cx: Cx<'_, '_>) {
        let bytes = text.text().as_bytes();
        let mut new = [0; CHUNK];
        new[..bytes.len()].copy_from_slice(bytes);
        let block = below(cx.random(DAMAGE), self.author.len() / CHUNK);
        let told = [Arg::Typed(text), count(block + 1), count(bytes.len())];
        cx.say(note("own", leaves(SOURCE), &told).mark(Tone::Learner));
        if !self.own.contains(&text) {
            self.own.push(text);
        }
        // The author publishes it, and Source has it at once.
        let from = block * CHUNK;
        self.author[from..from + CHUNK].copy_from_slice(&new);
        self.seal = tree(&self.author, knobs.rule(), &self.own).root();
        self.overwrite(SOURCE, block, &new);
        self.sides[SOURCE].build(knobs.rule(), &self.own);
        self.sides[SOURCE].kept = self.sides[SOURCE].tree.root();
        self.begin(LEAD, cx);
        self.look(cx);
    }

    fn bytes(&self) -> usize {
        6 * CHUNK * self.knobs.blocks.0
    }

    fn audit(&self) -> Result<(), String> {
        let shape: Shape = self.sides[SOURCE].tree.shape();
        let hashes = self.sync.hashes as usize;
        if hashes > shape.nodes() {
            return Err(format!("{hashes} hashes of {}", shape.nodes()));
        }
        if self.come > self.sync.differ.len() {
            return Err(format!(
                "{} blocks came, {} differ",
                self.come,
                self.sync.differ.len()
            ));
        }
        let same = self.sides[SOURCE].bytes == self.sides[COPY].bytes;
        // What a question names is all that differs: a search that ends has missed nothing.
        let missed = || {
            let [source, copy] = &self.sides;
            let differs = |i: &usize| source.block(*i) != copy.block(*i);
            let told = |i: &usize| {
                self.sync
                    .differ
                    .binary_search_by_key(i, |(block, _)| *block)
                    .is_ok()
            };
            (0..source.blocks()).find(|i| differs(i) && !told(i))
        };
        match self.phase {
            Phase::Fetches(_) if self.come == 0 && missed().is_some() => {
                Err(format!("block {:?} was missed", missed()))
            }
            Phase::Done(End::Mended) if !same || !self.sync.reached(&self.sides[COPY].tree) => {
                Err("mended, and not the same".into())
            }
            Phase::Done(End::Fooled)
                if self.knobs.odd == Odd::Up || !self.sides[COPY].tree.has_doubles() =>
            {
                Err("marked hashes are fooled".into())
            }
            Phase::Fetches(_)
                if self.knobs.method != How::Whole
                    && self.sync.differ.len() > self.differed + 1 =>
            {
                Err("more is fetched than differs".into())
            }
            _ => Ok(()),
        }
    }
}

impl Copies {
    /// Puts another block in the place of one.
    fn overwrite(&mut self, side: usize, block: usize, new: &[u8; CHUNK]) {
        let from = block * CHUNK;
        let bytes = &mut self.sides[side].bytes;
        let to = (from + CHUNK).min(bytes.len());
        if from < to {
            bytes[from..to].copy_from_slice(&new[..to - from]);
        }
    }

    /// Which block of a side is what was typed.
    fn place_of(&self, side: usize, own: Typed) -> Option<usize> {
        let mut blocks = self.sides[side].bytes.chunks(CHUNK);
        blocks.position(|block| holds(block, own))
    }

    /// What was typed and is on this side, with its block, in the order of the blocks.
    pub(super) fn own(&self, side: usize) -> Vec<(usize, Typed)> {
        let found = self.own.iter();
        let found = found.filter_map(|own| Some((self.place_of(side, *own)?, *own)));
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        found
    }

    /// Whether this is a file of so many blocks.
    pub(super) fn has(&self, blocks: usize) -> bool {
        self.knobs.blocks == Blocks(blocks)
    }
}
