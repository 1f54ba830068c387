//! Where do two copies differ? One asks the other for hashes, as few as it can.
//!
//! Source: Merkle's tree (1987) walked from the root down, as replicas do it (DeCandia et al. 2007, section 4.7; Cassandra's
//! repair): equal hashes end a branch, unequal ones are asked one level further down in the next round trip. Beside it what it
//! competes with: one hash of everything, and the list of all leaves.
//!
//! Sans-IO: [`Sync`] says what it asks for and is told the answer; it knows neither time nor network. Each answer is held
//! against the hash that it hangs from, so that a wrong one is noticed at once.

use crate::merkle_tree::{Hash, Place, Rule, Shape, Tree};

/// How the differing blocks are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One hash of everything; if it differs, everything is fetched.
    Whole,
    /// The hashes of all blocks, at once.
    List,
    /// The tree from its root down, so many levels a question; at least 1.
    Tree(u8),
}

/// What one side asks the other for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The root, and how many blocks there are.
    Root,
    /// The hashes of all blocks.
    Leaves,
    /// The hashes of these places.
    Nodes(Vec<Place>),
}

/// What the other side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How many blocks it has.
    pub blocks: usize,
    /// The hashes asked for, in the order of the question.
    pub hashes: Vec<Hash>,
}

/// Answers a question about a tree; places that it does not have are left out.
pub fn answer(tree: &Tree, question: &Question) -> Answer {
    let hashes = match question {
        Question::Root => vec![tree.root()],
        Question::Leaves => tree.leaves().to_vec(),
        Question::Nodes(places) => (places.iter())
            .filter_map(|place| tree.at(*place).copied())
            .collect(),
    };
    Answer {
        blocks: tree.shape().leaves,
        hashes,
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the other side this.
    Ask(Question),
    /// Fetch these blocks, cut off what is beyond its last one, and compare the root ([`Sync::reached`]).
    Fetch(Vec<usize>),
    /// Nothing: the roots are equal.
    Same,
    /// Nothing: the other side is not what was promised.
    Refused,
}

/// Why an answer cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// More or fewer hashes than asked for.
    Length,
    /// Hashes that do not make up the one above them.
    Hash,
}

/// A node whose hash at the other side is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it is in the other side's tree.
    pub place: Place,
    /// Whether it is the same here.
    pub equal: bool,
    /// Whether it was sent; else it was reckoned from two that were.
    pub sent: bool,
}

/// The side that asks.
#[derive(Clone, Debug)]
pub struct Sync {
    method: Method,
    rule: Rule,
    step: Step,
    /// The other side's root.
    root: Option<Hash>,
    /// The root that the other side must have, if that is known from elsewhere.
    trusted: Option<Hash>,
    blocks: usize,
    /// Unequal nodes that are asked about next, and their hashes at the other side.
    open: Vec<(Place, Hash)>,
    /// What is known of the other side.
    pub seen: Vec<Seen>,
    /// Blocks that differ, and their hashes at the other side where they are known.
    pub differ: Vec<(usize, Option<Hash>)>,
    /// Hashes that were sent so far.
    pub hashes: u32,
    /// Questions that were answered so far.
    pub rounds: u32,
}

impl Sync {
    /// Begins with what this side has; `trusted` is a root from somewhere else.
    pub fn new(method: Method, mine: &Tree, trusted: Option<Hash>) -> Sync {
        let step = match method {
            _ if trusted == Some(mine.root()) => Step::Same,
            Method::List => Step::Ask(Question::Leaves),
            _ => Step::Ask(Question::Root),
        };
        Sync {
            method,
            rule: mine.shape().rule,
            step,
            root: None,
            trusted,
            blocks: 0,
            open: Vec::new(),
            seen: Vec::new(),
            differ: Vec::new(),
            hashes: 0,
            rounds: 0,
        }
    }

    /// What is to be done next.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The places that the other side has, once it has answered.
    pub fn shape(&self) -> Option<Shape> {
        let (leaves, rule) = (self.blocks, self.rule);
        self.root.map(|_| Shape { leaves, rule })
    }

    /// Takes the answer to what was asked.
    ///
    /// # Errors
    /// [`Lie`] if it cannot be true; nothing is learned from it then.
    pub fn hear(&mut self, mine: &Tree, answer: Answer) -> Result<(), Lie> {
        let Step::Ask(question) = &self.step else {
            return Err(Lie::Length);
        };
        let count = answer.hashes.len();
        match question {
            Question::Root => {
                let [root] = answer.hashes[..] else {
                    return Err(Lie::Length);
                };
                self.hear_root(mine, root, answer.blocks, true);
            }
            Question::Leaves => {
                if count != answer.blocks {
                    return Err(Lie::Length);
                }
                self.hear_list(mine, answer.hashes);
            }
            Question::Nodes(_) => self.hear_nodes(mine, &answer)?,
        }
        self.rounds += 1;
        self.hashes += count as u32;
        Ok(())
    }

    fn hear_root(&mut self, mine: &Tree, root: Hash, blocks: usize, sent: bool) {
        (self.root, self.blocks) = (Some(root), blocks);
        let shape = Shape {
            leaves: blocks,
            rule: self.rule,
        };
        let equal = root == mine.root();
        let place = shape.root();
        if blocks > 0 {
            self.seen.push(Seen { place, equal, sent });
        }
        self.step = match self.method {
            _ if self.trusted.is_some_and(|trusted| trusted != root) => Step::Refused,
            _ if equal => Step::Same,
            Method::Whole => {
                self.differ = (0..blocks).map(|block| (block, None)).collect();
                self.fetch()
            }
            _ if place.level == 0 => {
                self.differ = (0..blocks).map(|block| (block, Some(root))).collect();
                self.fetch()
            }
            _ => {
                self.open = vec![(place, root)];
                self.ask(shape)
            }
        };
    }

    fn hear_list(&mut self, mine: &Tree, hashes: Vec<Hash>) {
        let theirs = Tree::of(hashes, self.rule);
        // A list tells two lists apart that share a root.
        let same = theirs.leaves() == mine.leaves();
        (self.root, self.blocks) = (Some(theirs.root()), theirs.shape().leaves);
        for (block, hash) in theirs.leaves().iter().enumerate() {
            let place = Place {
                level: 0,
                index: block as u32,
            };
            let equal = mine.leaves().get(block) == Some(hash);
            let sent = true;
            self.seen.push(Seen { place, equal, sent });
            if !equal {
                self.differ.push((block, Some(*hash)));
            }
        }
        self.step = match self.trusted {
            Some(trusted) if trusted != theirs.root() => Step::Refused,
            _ if same => Step::Same,
            _ => self.fetch(),
        };
    }

    // region: hear
    /// Equal hashes end a branch; unequal ones lead one question further down.
    fn hear_nodes(&mut self, mine: &Tree, answer: &Answer) -> Result<(), Lie> {
        let (shape, levels) = (self.shape().ok_or(Lie::Length)?, self.levels());
        let (mut hashes, mut told) = (answer.hashes.iter(), Vec::new());
        for (above, hash) in &self.open {
            let made_up = rebuild(shape, *above, levels, &mut hashes, &mut told);
            if made_up.ok_or(Lie::Length)? != *hash {
                return Err(Lie::Hash);
            }
        }
        if hashes.next().is_some() {
            return Err(Lie::Length);
        }
        self.open.clear();
        for (place, hash, sent) in told {
            let equal = mine.at_of(place, self.blocks) == Some(hash);
            self.seen.push(Seen { place, equal, sent });
            if !equal && place.level == 0 {
                let block = place.index as usize;
                let before = self.differ.partition_point(|(other, _)| *other < block);
                self.differ.insert(before, (block, Some(hash)));
            } else if !equal && sent {
                self.open.push((place, hash));
            }
        }
        self.step = if self.open.is_empty() {
            self.fetch()
        } else {
            self.ask(shape)
        };
        Ok(())
    }
    // endregion

    fn levels(&self) -> u8 {
        match self.method {
            Method::Tree(levels) => levels.max(1),
            _ => 1,
        }
    }

    /// The question about all that is open.
    fn ask(&self, shape: Shape) -> Step {
        let mut places = Vec::new();
        for (above, _) in &self.open {
            below(shape, *above, self.levels(), &mut places);
        }
        Step::Ask(Question::Nodes(places))
    }

    fn fetch(&self) -> Step {
        Step::Fetch(self.differ.iter().map(|(block, _)| *block).collect())
    }

    /// Whether a block that was fetched is the one whose hash was told. Of everything at once nothing is known of one.
    pub fn fits(&self, block: usize, hash: &Hash) -> bool {
        let told = self.differ.iter().find(|(differs, _)| *differs == block);
        told.is_some_and(|(_, told)| told.is_none_or(|told| told == *hash))
    }

    /// Whether what this side has now is what the other side has.
    pub fn reached(&self, mine: &Tree) -> bool {
        self.root == Some(mine.root()) && self.blocks == mine.shape().leaves
    }
}

/// The places so many levels below one, leaves where there are no more.
fn below(shape: Shape, place: Place, levels: u8, places: &mut Vec<Place>) {
    if levels == 0 || place.level == 0 {
        places.push(place);
        return;
    }
    for child in shape.children(place) {
        below(shape, child, levels - 1, places);
    }
}

/// Makes up the hash of a place from those so many levels below it, and tells all on the way: place, hash, and whether it was
/// sent. None if there are not enough.
fn rebuild<'a>(
    shape: Shape,
    place: Place,
    levels: u8,
    hashes: &mut impl Iterator<Item = &'a Hash>,
    told: &mut Vec<(Place, Hash, bool)>,
) -> Option<Hash> {
    let mut made = Vec::with_capacity(2);
    for child in shape.children(place) {
        let sent = levels == 1 || child.level == 0;
        let hash = if sent {
            *hashes.next()?
        } else {
            rebuild(shape, child, levels - 1, hashes, told)?
        };
        told.push((child, hash, sent));
        made.push(hash);
    }
    match made[..] {
        [left, right] => Some(shape.rule.node(&left, &right)),
        [only] => Some(shape.rule.lone(&only)),
        _ => None,
    }
}

/// What an exchange costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Hashes sent.
    pub hashes: u32,
    /// Round trips until the differing blocks are known.
    pub rounds: u32,
    /// Blocks to be fetched.
    pub blocks: u32,
}

/// Runs the whole exchange at once.
pub fn cost(method: Method, mine: &Tree, theirs: &Tree) -> Cost {
    let mut sync = Sync::new(method, mine, None);
    while let Step::Ask(question) = sync.step() {
        let told = answer(theirs, question);
        if sync.hear(mine, told).is_err() {
            break;
        }
    }
    Cost {
        hashes: sync.hashes,
        rounds: sync.rounds,
        blocks: sync.differ.len() as u32,
    }
}

/// How many hashes the tree asks for on average where `bad` blocks differ at random places: those of the children of each node
/// that has one of them below it, and the root.
pub fn expected_hashes(shape: Shape, bad: usize) -> f64 {
    let n = shape.leaves;
    // That at least one lies among so many leaves.
    let some = |leaves: usize| {
        let others = n.saturating_sub(leaves) as f64;
        let none = (0..bad.min(n)).map(|i| ((others - i as f64) / (n - i) as f64).max(0.0));
        1.0 - none.product::<f64>()
    };
    let mut sum = 1.0;
    for level in 1..=shape.depth() {
        let whole = n >> level;
        let rest = n - (whole << level);
        sum += 2.0 * whole as f64 * some(1 << level);
        if rest > 1 << (level - 1) {
            sum += 2.0 * some(rest);
        } else if rest > 0 && shape.rule == Rule::Bitcoin {
            sum += some(rest);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _};
    use rand_pcg::Pcg32;

    const METHODS: [Method; 5] = [
        Method::Whole,
        Method::List,
        Method::Tree(1),
        Method::Tree(2),
        Method::Tree(3),
    ];
    const RULES: [Rule; 2] = [Rule::Rfc6962, Rule::Bitcoin];

    fn leaf(rule: Rule, block: usize, bad: bool) -> Hash {
        rule.leaf(&[block as u8, (block >> 8) as u8, u8::from(bad)])
    }

    fn tree(rule: Rule, blocks: usize, bad: &[usize]) -> Tree {
        let leaves = (0..blocks).map(|block| leaf(rule, block, bad.contains(&block)));
        Tree::of(leaves.collect(), rule)
    }

    /// Runs an exchange and repairs; gives the blocks that were fetched.
    fn mended(method: Method, mine: &Tree, theirs: &Tree) -> (Sync, Vec<usize>) {
        let rule = mine.shape().rule;
        let mut sync = Sync::new(method, mine, None);
        let mut leaves = mine.leaves().to_vec();
        loop {
            match sync.step().clone() {
                Step::Ask(question) => sync.hear(mine, answer(theirs, &question)).unwrap(),
                Step::Same => return (sync, Vec::new()),
                Step::Refused => panic!("nothing was promised"),
                Step::Fetch(blocks) => {
                    leaves.resize(theirs.leaves().len(), [0; 32]);
                    for block in &blocks {
                        let hash = theirs.leaves()[*block];
                        assert!(sync.fits(*block, &hash));
                        assert!(method == Method::Whole || !sync.fits(*block, &[0; 32]));
                        leaves[*block] = hash;
                    }
                    assert!(sync.reached(&Tree::of(leaves, rule)), "{method:?}");
                    return (sync, blocks);
                }
            }
        }
    }

    #[test]
    fn every_set_of_bad_blocks_is_found_and_nothing_else() {
        for rule in RULES {
            for blocks in 1..=9_usize {
                let theirs = tree(rule, blocks, &[]);
                for set in 0..1_usize << blocks {
                    let bad: Vec<usize> = (0..blocks).filter(|i| set >> i & 1 == 1).collect();
                    let mine = tree(rule, blocks, &bad);
                    for method in METHODS {
                        let (sync, fetched) = mended(method, &mine, &theirs);
                        if method == Method::Whole {
                            let all = if bad.is_empty() { 0 } else { blocks };
                            assert_eq!((fetched.len(), sync.hashes), (all, 1));
                        } else {
                            assert_eq!(fetched, bad, "{method:?}, {rule:?}, {blocks}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn random_sets_of_a_thousand_are_found() {
        let mut rng = Pcg32::seed_from_u64(1);
        for blocks in [64, 100, 777, 1_024] {
            let theirs = tree(Rule::Rfc6962, blocks, &[]);
            for _ in 0..6 {
                let most = 1 << (rng.next_u32() % 9);
                let mut bad: Vec<usize> = (0..most)
                    .map(|_| rng.next_u32() as usize % blocks)
                    .collect();
                bad.sort_unstable();
                bad.dedup();
                let mine = tree(Rule::Rfc6962, blocks, &bad);
                for method in &METHODS[1..] {
                    let (sync, fetched) = mended(*method, &mine, &theirs);
                    assert_eq!(fetched, bad);
                    assert!((sync.hashes as usize) < 2 * blocks);
                }
            }
        }
    }

    #[test]
    fn copies_of_other_lengths_become_alike() {
        for rule in RULES {
            for (mine, theirs) in (0..=11).flat_map(|a| (1..=11).map(move |b| (a, b))) {
                for bad in [&[][..], &[0], &[1, 4, 7]] {
                    for method in METHODS {
                        mended(method, &tree(rule, mine, bad), &tree(rule, theirs, &[]));
                    }
                }
            }
        }
    }

    #[test]
    fn as_many_hashes_and_rounds_as_theory_says() {
        for depth in 2..=10_u32 {
            let blocks = 1_usize << depth;
            let theirs = tree(Rule::Rfc6962, blocks, &[]);
            let run =
                |method, bad: &[usize]| cost(method, &tree(Rule::Rfc6962, blocks, bad), &theirs);
            let is = |hashes, rounds, blocks| Cost {
                hashes,
                rounds,
                blocks,
            };
            let n = blocks as u32;
            let all: Vec<usize> = (0..blocks).collect();
            assert_eq!(run(Method::Tree(1), &[]), is(1, 1, 0));
            assert_eq!(
                run(Method::Tree(1), &[blocks / 3]),
                is(2 * depth + 1, depth + 1, 1)
            );
            assert_eq!(run(Method::Tree(1), &all), is(2 * n - 1, depth + 1, n));
            assert_eq!(run(Method::List, &[1]), is(n, 1, 1));
            assert_eq!(run(Method::Whole, &[1]), is(1, 1, n));
            let fewer = 1 + depth.div_ceil(2);
            assert_eq!(
                run(Method::Tree(2), &[blocks / 3]),
                is(2 * depth + 1, fewer, 1)
            );
        }
    }

    #[test]
    fn random_damage_costs_what_theory_expects() {
        let mut rng = Pcg32::seed_from_u64(7);
        let expected = |rule, leaves, bad| expected_hashes(Shape { leaves, rule }, bad);
        for (bad, says) in [
            (0, 1.0),
            (1, 9.0),
            (2, 13.5),
            (3, 17.1),
            (8, 27.0),
            (16, 31.0),
        ] {
            let expected = expected(Rule::Rfc6962, 16, bad);
            assert!((expected - says).abs() < 0.07, "{bad}: {expected}");
        }
        for rule in RULES {
            for (blocks, bad) in [(16, 1), (16, 2), (16, 3), (16, 8), (13, 2), (5, 3), (7, 7)] {
                let theirs = tree(rule, blocks, &[]);
                let runs = 1_000;
                let mut sum = 0;
                for _ in 0..runs {
                    let mut places: Vec<usize> = (0..blocks).collect();
                    let mut set = Vec::new();
                    for _ in 0..bad {
                        set.push(places.swap_remove(rng.next_u32() as usize % places.len()));
                    }
                    sum += cost(Method::Tree(1), &tree(rule, blocks, &set), &theirs).hashes;
                }
                let mean = f64::from(sum) / f64::from(runs);
                let expected = expected(rule, blocks, bad);
                assert!(
                    (mean - expected).abs() < 0.3,
                    "{bad} of {blocks}: {mean} of {expected}"
                );
            }
        }
        // From where on the list is shorter.
        let marked = |leaves, bad| expected(Rule::Rfc6962, leaves, bad);
        assert!(marked(16, 2) < 16.0 && marked(16, 3) > 16.0);
        assert!(marked(1_024, 170) < 1_024.0 && marked(1_024, 171) > 1_024.0);
    }

    #[test]
    fn a_wrong_answer_is_noticed_and_another_root_refused() {
        let (mine, theirs) = (tree(Rule::Rfc6962, 16, &[5]), tree(Rule::Rfc6962, 16, &[]));
        let mut sync = Sync::new(Method::Tree(1), &mine, None);
        sync.hear(&mine, answer(&theirs, &Question::Root)).unwrap();
        let Step::Ask(question) = sync.step().clone() else {
            panic!("the roots differ");
        };
        let told = answer(&theirs, &question);
        for at in 0..told.hashes.len() {
            let mut wrong = told.clone();
            wrong.hashes[at][3] ^= 1;
            assert_eq!(sync.hear(&mine, wrong), Err(Lie::Hash));
        }
        let mut short = told.clone();
        short.hashes.pop();
        assert_eq!(sync.hear(&mine, short), Err(Lie::Length));
        let mut long = told.clone();
        long.hashes.push([0; 32]);
        assert_eq!(sync.hear(&mine, long), Err(Lie::Length));
        assert_eq!(sync.hear(&mine, told), Ok(()));
        for method in METHODS {
            // What is promised is here already, or not there.
            let here = Sync::new(method, &theirs, Some(theirs.root()));
            assert_eq!(*here.step(), Step::Same);
            let mut sync = Sync::new(method, &mine, Some([7; 32]));
            let Step::Ask(question) = sync.step().clone() else {
                panic!("this is not what was promised");
            };
            sync.hear(&mine, answer(&theirs, &question)).unwrap();
            assert_eq!(*sync.step(), Step::Refused);
        }
    }

    #[test]
    fn a_doubled_block_fools_the_root_but_not_the_list() {
        let theirs = tree(Rule::Bitcoin, 5, &[]);
        let mut leaves = theirs.leaves().to_vec();
        leaves.push(leaves[4]);
        let mine = Tree::of(leaves, Rule::Bitcoin);
        assert_eq!(
            cost(Method::Tree(1), &mine, &theirs),
            Cost {
                hashes: 1,
                rounds: 1,
                blocks: 0
            }
        );
        let (sync, _) = mended(Method::List, &mine, &theirs);
        assert_eq!(*sync.step(), Step::Fetch(Vec::new()));
        assert!(mine.has_doubles() && !theirs.has_doubles());
    }

    /// A walk that forgets the sibling of a bad node would still find one bad block: two tell.
    #[test]
    fn a_walk_that_follows_one_child_only_is_caught() {
        let (mine, theirs) = (tree(Rule::Rfc6962, 8, &[1, 6]), tree(Rule::Rfc6962, 8, &[]));
        let mut sync = Sync::new(Method::Tree(1), &mine, None);
        while let Step::Ask(question) = sync.step().clone() {
            sync.hear(&mine, answer(&theirs, &question)).unwrap();
            if sync.open.len() > 1 {
                sync.open.truncate(1);
                sync.step = sync.ask(theirs.shape());
            }
        }
        assert_eq!(sync.differ.len(), 1, "the mutated walk misses a block");
        let mut leaves = mine.leaves().to_vec();
        leaves[1] = theirs.leaves()[1];
        assert!(
            !sync.reached(&Tree::of(leaves, Rule::Rfc6962)),
            "and the root tells"
        );
    }
}
