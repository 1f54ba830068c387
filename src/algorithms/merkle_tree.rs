//! Merkle tree: one hash for a list, short proofs that something is in it and that it only grew.
//!
//! Source: RFC 6962 and 9162 (Certificate Transparency). A leaf is hashed behind a 0, a node behind a 1, so
//! that neither passes for the other; a list splits at the largest power of two below its length, and
//! nothing is ever doubled. The proofs are checked as in transparency-dev/merkle.
//!
//! [`Tree`] keeps every level, by this rule or by Bitcoin's (`consensus/merkle.cpp` of Bitcoin Core), which doubles the last
//! node of an odd level and marks nothing: two lists can then share a root (CVE-2012-2459).

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The root of no leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

// region: marks
/// The hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// The hash of a node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let node = Sha256::new().chain_update([1]).chain_update(left);
    node.chain_update(right).finalize().into()
}
// endregion

/// Where a list of this length, at least 2, splits.
fn split(length: usize) -> usize {
    1 << (usize::BITS - 1 - (length - 1).leading_zeros())
}

/// The root over these leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// How a tree treats the last node of an odd level, and what tells leaves from nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// RFC 6962: it moves up as it is; leaves and nodes are marked.
    Rfc6962,
    /// Bitcoin: it is paired with itself; nothing is marked, and SHA-256 is taken twice.
    Bitcoin,
}

impl Rule {
    /// The hash of a leaf.
    pub fn leaf(self, data: &[u8]) -> Hash {
        match self {
            Rule::Rfc6962 => leaf_hash(data),
            Rule::Bitcoin => Sha256::digest(Sha256::digest(data)).into(),
        }
    }

    /// The hash of a node over two others.
    pub fn node(self, left: &Hash, right: &Hash) -> Hash {
        match self {
            Rule::Rfc6962 => node_hash(left, right),
            Rule::Bitcoin => {
                let both = Sha256::new().chain_update(left).chain_update(right);
                Sha256::digest(both.finalize()).into()
            }
        }
    }

    // region: odd
    /// The hash of a node that has one child only.
    pub(crate) fn lone(self, child: &Hash) -> Hash {
        match self {
            Rule::Rfc6962 => *child,
            Rule::Bitcoin => self.node(child, child),
        }
    }
    // endregion
}

/// A node's place: its level, counted from the leaves at 0, and its number in that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 0 for leaves.
    pub level: u8,
    /// From 0, from the left.
    pub index: u32,
}

/// Which places a tree over so many leaves has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many leaves; up to 2³¹.
    pub leaves: usize,
    /// What happens to the last of an odd level.
    pub rule: Rule,
}

impl Shape {
    /// The level of the root.
    pub fn depth(self) -> u8 {
        self.leaves.max(1).next_power_of_two().trailing_zeros() as u8
    }

    /// How many nodes a level has.
    pub fn width(self, level: u8) -> usize {
        self.leaves.div_ceil(1 << level)
    }

    /// Where a node first stands: one that only moved up is the one below it.
    fn lowest(self, mut place: Place) -> Place {
        while self.rule == Rule::Rfc6962
            && place.level > 0
            && 2 * place.index as usize + 1 >= self.width(place.level - 1)
        {
            place = Place {
                level: place.level - 1,
                index: 2 * place.index,
            };
        }
        place
    }

    /// The root's place.
    pub fn root(self) -> Place {
        self.lowest(Place {
            level: self.depth(),
            index: 0,
        })
    }

    /// The places that a node is made of: none for a leaf, one for a node that is its only child doubled.
    pub fn children(self, place: Place) -> impl Iterator<Item = Place> {
        let level = place.level.saturating_sub(1);
        let first = 2 * place.index;
        let last = (first + 2).min(self.width(level) as u32);
        let range = if place.level == 0 { 0..0 } else { first..last };
        range.map(move |index| self.lowest(Place { level, index }))
    }

    /// The leaves under a node: from the first up to before the last.
    pub fn span(self, place: Place) -> (usize, usize) {
        let from = (place.index as usize) << place.level;
        (from, (from + (1 << place.level)).min(self.leaves))
    }

    /// How many different nodes it has: 2n − 1 by RFC 6962.
    pub fn nodes(self) -> usize {
        let moved = |level: &u8| {
            let below = self.width(level - 1);
            self.rule == Rule::Rfc6962 && below % 2 == 1
        };
        let all: usize = (0..=self.depth()).map(|level| self.width(level)).sum();
        all - (1..=self.depth()).filter(moved).count()
    }
}

/// A tree with all its levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    rule: Rule,
    /// From the leaves up to the root.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Builds it over these hashes of leaves.
    pub fn of(leaves: Vec<Hash>, rule: Rule) -> Tree {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let up = below.chunks(2).map(|pair| match pair {
                [left, right] => rule.node(left, right),
                _ => rule.lone(&pair[0]),
            });
            let up = up.collect();
            levels.push(up);
        }
        Tree { rule, levels }
    }

    /// Its places.
    pub fn shape(&self) -> Shape {
        Shape {
            leaves: self.levels[0].len(),
            rule: self.rule,
        }
    }

    /// Its root; the hash of nothing if it has no leaves.
    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|top| top.first());
        top.copied().unwrap_or_else(empty_root)
    }

    /// The hash of a place, if there is one.
    pub fn at(&self, place: Place) -> Option<&Hash> {
        let level = self.levels.get(usize::from(place.level))?;
        level.get(place.index as usize)
    }

    /// The hash that a place would have if there were so many leaves; none where leaves are missing.
    pub fn at_of(&self, place: Place, leaves: usize) -> Option<Hash> {
        let shape = Shape {
            leaves,
            ..self.shape()
        };
        let (from, to) = shape.span(place);
        if to - from == 1 << place.level {
            return self.at(place).copied();
        }
        let under = Tree::of(self.levels[0].get(from..to)?.to_vec(), self.rule);
        let lone = under.shape().depth()..place.level;
        Some(lone.fold(under.root(), |hash, _| self.rule.lone(&hash)))
    }

    /// The hashes of its leaves.
    pub fn leaves(&self) -> &[Hash] {
        &self.levels[0]
    }

    /// Whether two neighbours that share a parent are equal: under Bitcoin's rule another, shorter list may then have the
    /// same root. Bitcoin Core refuses blocks in which it finds that.
    pub fn has_doubles(&self) -> bool {
        let doubled = |level: &Vec<Hash>| {
            level
                .chunks(2)
                .any(|pair| pair.len() == 2 && pair[0] == pair[1])
        };
        self.levels.iter().any(doubled)
    }
}

/// The proof that the leaf with this index is in: the hashes beside its way, from the leaf up. `None`
/// beyond the end.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, beside) = match index.checked_sub(left.len()) {
        None => (inclusion_proof(left, index)?, root(right)),
        Some(index) => (inclusion_proof(right, index)?, root(left)),
    };
    proof.push(beside);
    Some(proof)
}

/// The proof that the tree of the first `size` leaves grew into this one. Of an empty tree, and of the
/// same one, there is nothing to prove. `None` beyond the end.
pub fn consistency_proof(leaves: &[Hash], size: usize) -> Option<Vec<Hash>> {
    if size > leaves.len() {
        return None;
    }
    if size == 0 {
        return Some(Vec::new());
    }
    Some(subproof(leaves, size, true))
}

/// `whole` says that the verifier knows the root of the first `size` leaves already.
fn subproof(leaves: &[Hash], size: usize, whole: bool) -> Vec<Hash> {
    if size == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, beside) = match size.checked_sub(left.len()) {
        None | Some(0) => (subproof(left, size, whole), root(right)),
        Some(size) => (subproof(right, size, false), root(left)),
    };
    proof.push(beside);
    proof
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// An index or a size that cannot be.
    Range,
    /// More or fewer hashes than the sizes ask for.
    Length,
    /// The hashes lead to another root.
    Root,
}

/// How many hashes of a proof stand where ways may still part, and how many beyond, where the leaf lies
/// on the right edge.
fn parts(index: u64, size: u64) -> (u32, u32) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner, border)
}

fn chain_inner(seed: Hash, proof: &[Hash], index: u64) -> Hash {
    (proof.iter().enumerate()).fold(seed, |hash, (i, beside)| {
        if index >> i & 1 == 0 {
            node_hash(&hash, beside)
        } else {
            node_hash(beside, &hash)
        }
    })
}

fn chain_right(seed: Hash, proof: &[Hash]) -> Hash {
    let under = |hash, beside: &Hash| node_hash(beside, &hash);
    proof.iter().fold(seed, under)
}

/// Checks that a leaf of this hash has this index in the tree of this size and root. A root that is no
/// hash at all is the root of nothing.
///
/// # Errors
/// [`ProofError`] if the proof does not show it.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &[u8],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (inner, border) = parts(index, size);
    if proof.len() as u64 != u64::from(inner + border) {
        return Err(ProofError::Length);
    }
    let (inner, border) = proof.split_at(inner as usize);
    let reached = chain_right(chain_inner(leaf, inner, index), border);
    if reached == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree of one size and root grew into another. Growth from nothing proves nothing, so it
/// is refused.
///
/// # Errors
/// [`ProofError`] if the proof does not show it.
pub fn verify_consistency(
    size_before: u64,
    size_after: u64,
    proof: &[Hash],
    root_before: &[u8],
    root_after: &[u8],
) -> Result<(), ProofError> {
    let same = |a: &[u8], b: &[u8]| {
        if a == b {
            Ok(())
        } else {
            Err(ProofError::Root)
        }
    };
    if size_after < size_before {
        return Err(ProofError::Range);
    }
    if size_before == size_after {
        return if proof.is_empty() {
            same(root_before, root_after)
        } else {
            Err(ProofError::Length)
        };
    }
    if size_before == 0 {
        return Err(ProofError::Range);
    }
    let (inner, border) = parts(size_before - 1, size_after);
    let shift = size_before.trailing_zeros();
    let inner = inner - shift;
    // A tree of a power of two is its own beginning; of others the proof names the last full part.
    let (seed, rest) = if size_before.is_power_of_two() {
        let seed = root_before.try_into().map_err(|_| ProofError::Root)?;
        (seed, proof)
    } else {
        let (seed, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*seed, rest)
    };
    if rest.len() as u64 != u64::from(inner + border) {
        return Err(ProofError::Length);
    }
    let index = (size_before - 1) >> shift;
    let (inner, border) = rest.split_at(inner as usize);
    // The old root is made of what lies left of the way only.
    let left: Vec<Hash> = (inner.iter().enumerate())
        .filter(|(i, _)| index >> i & 1 == 1)
        .map(|(_, hash)| *hash)
        .collect();
    same(&chain_right(chain_right(seed, &left), border), root_before)?;
    same(
        &chain_right(chain_inner(seed, inner, index), border),
        root_after,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&[i])).collect()
    }

    #[test]
    fn every_proof_of_every_small_tree_holds_and_no_other() {
        for size in 1..=17 {
            let all = leaves(size);
            let whole = root(&all);
            for index in 0..all.len() {
                let proof = inclusion_proof(&all, index).unwrap();
                let verify = |leaf: usize, index: usize, proof: &[Hash]| {
                    verify_inclusion(all[leaf], index as u64, u64::from(size), proof, &whole)
                };
                assert_eq!(verify(index, index, &proof), Ok(()));
                let other = (index + 1) % all.len();
                if other != index {
                    assert!(verify(other, index, &proof).is_err());
                    assert!(verify(index, other, &proof).is_err());
                }
                let longer = [proof.clone(), vec![whole]].concat();
                assert_eq!(verify(index, index, &longer), Err(ProofError::Length));
            }
            assert_eq!(inclusion_proof(&all, all.len()), None);
            for before in 1..=all.len() {
                let proof = consistency_proof(&all, before).unwrap();
                let old = root(&all[..before]);
                let verify = |old: &Hash, new: &Hash, proof: &[Hash]| {
                    verify_consistency(before as u64, u64::from(size), proof, old, new)
                };
                assert_eq!(verify(&old, &whole, &proof), Ok(()), "{before} of {size}");
                assert!(verify(&old, &empty_root(), &proof).is_err());
                assert!(verify(&empty_root(), &whole, &proof).is_err());
                let longer = [proof, vec![whole]].concat();
                assert!(verify(&old, &whole, &longer).is_err());
            }
            assert_eq!(consistency_proof(&all, all.len() + 1), None);
        }
    }

    #[test]
    fn a_tree_has_the_root_of_the_rule_and_every_place_once() {
        for size in 0..=40 {
            let all = leaves(size);
            let tree = Tree::of(all.clone(), Rule::Rfc6962);
            assert_eq!(tree.root(), root(&all), "{size}");
            let shape = tree.shape();
            let mut places = vec![shape.root()];
            let mut next = 0;
            while let Some(place) = places.get(next).copied().filter(|_| size > 0) {
                let (from, to) = shape.span(place);
                assert_eq!(
                    tree.at(place),
                    Some(&root(&all[from..to])),
                    "{place:?} of {size}"
                );
                places.extend(shape.children(place));
                next += 1;
            }
            if size > 0 {
                assert_eq!(places.len(), 2 * all.len() - 1);
                assert_eq!(shape.nodes(), places.len());
            }
        }
    }

    #[test]
    fn children_in_another_order_give_another_root_and_no_node_passes_for_a_leaf() {
        let all = leaves(4);
        let swapped = [all[1], all[0], all[2], all[3]];
        assert_ne!(root(&swapped), root(&all));
        let (left, right) = (node_hash(&all[0], &all[1]), node_hash(&all[2], &all[3]));
        assert_eq!(node_hash(&left, &right), root(&all));
        // Two blocks that hold what the upper nodes are made of.
        let joined = |a: &Hash, b: &Hash| [a.as_slice(), b.as_slice()].concat();
        let blocks = [joined(&all[0], &all[1]), joined(&all[2], &all[3])];
        let fake = |rule: Rule| blocks.iter().map(|block| rule.leaf(block)).collect();
        assert_ne!(
            Tree::of(fake(Rule::Rfc6962), Rule::Rfc6962).root(),
            root(&all)
        );
        // Without marks they share the root.
        let unmarked = Tree::of(all, Rule::Bitcoin);
        assert_eq!(
            Tree::of(fake(Rule::Bitcoin), Rule::Bitcoin).root(),
            unmarked.root()
        );
    }

    #[test]
    fn bitcoin_doubles_and_notices() {
        let of = |count: u8| {
            let leaves = (0..count).map(|i| Rule::Bitcoin.leaf(&[i]));
            Tree::of(leaves.collect(), Rule::Bitcoin)
        };
        for size in 1..=40_u8 {
            let tree = of(size);
            assert!(!tree.has_doubles(), "{size}");
            assert_eq!(tree.at(tree.shape().root()), Some(&tree.root()));
            let mut longer = tree.leaves().to_vec();
            longer.extend(tree.leaves().last().copied());
            let longer = Tree::of(longer, Rule::Bitcoin);
            let fooled = size > 1 && size % 2 == 1;
            assert_eq!(longer.root() == tree.root(), fooled, "{size}");
            assert!(!fooled || longer.has_doubles());
            let marked = |tree: &Tree| Tree::of(tree.leaves().to_vec(), Rule::Rfc6962).root();
            assert_ne!(marked(&longer), marked(&tree));
        }
    }

    /// Block 100,000 of Bitcoin: four transactions and the root in its header, as explorers write them, last byte first.
    #[test]
    fn a_block_of_bitcoin_has_the_root_of_its_header() {
        let hash = |text: &str| -> Hash {
            let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
            std::array::from_fn(|i| byte(31 - i))
        };
        let transactions = [
            "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
            "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
            "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
            "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
        ];
        let tree = Tree::of(transactions.map(hash).to_vec(), Rule::Bitcoin);
        let header = "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766";
        assert_eq!(tree.root(), hash(header));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let hash = empty_root();
        assert_eq!(
            verify_inclusion(hash, 0, 0, &[], &hash),
            Err(ProofError::Range)
        );
        assert_eq!(
            verify_inclusion(hash, u64::MAX, u64::MAX, &[], &hash),
            Err(ProofError::Range)
        );
        assert_eq!(
            verify_inclusion(hash, u64::MAX - 1, u64::MAX, &[], &hash),
            Err(ProofError::Length)
        );
        assert_eq!(
            verify_consistency(0, 5, &[], &hash, &hash),
            Err(ProofError::Range)
        );
        assert_eq!(verify_consistency(0, 0, &[], &hash, &hash), Ok(()));
        assert_eq!(
            verify_consistency(5, 4, &[], &hash, &hash),
            Err(ProofError::Range)
        );
        assert_eq!(
            verify_consistency(3, u64::MAX, &[], &hash, &hash),
            Err(ProofError::Length)
        );
        assert_eq!(consistency_proof(&[], 0), Some(Vec::new()));
    }
}
