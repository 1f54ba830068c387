//! Merkle tree: one hash for a list, short proofs that something is in it and that it only grew.
//!
//! Source: RFC 6962 and 9162 (Certificate Transparency). A leaf is hashed behind a 0, a node behind a 1, so
//! that neither passes for the other; a list splits at the largest power of two below its length, and
//! nothing is ever doubled. The proofs are checked as in transparency-dev/merkle.

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The root of no leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

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
