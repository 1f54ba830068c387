//! Merkle trees of Certificate Transparency: roots, and proofs both good and tampered with.

use crate::table::{Case, bytes, hex, run};
use algorithms::merkle_tree::{self, Hash, Rule, Tree};
use serde_json::{Value, json};

#[test]
fn merkle_rfc6962() {
    run(include_str!("merkle_rfc6962.json"), &[], &[], answer);
}

/// A hash, or `None` for what is too short or too long to be one.
fn hash(value: &Value) -> Option<Hash> {
    bytes(value.as_str()?).try_into().ok()
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if let Some(leaves) = case.input["leaves_hex"].as_array() {
        let leaf = |leaf: &Value| merkle_tree::leaf_hash(&bytes(leaf.as_str().expect("hex")));
        let hashes: Vec<Hash> = leaves.iter().map(leaf).collect();
        let root = merkle_tree::root(&hashes);
        let tree = Tree::of(hashes.clone(), Rule::Rfc6962);
        assert_eq!(tree.root(), root, "{}", case.name);
        // Every leaf can be proved to be in, and every beginning to have grown into this.
        for (index, &leaf) in hashes.iter().enumerate() {
            let proof = merkle_tree::inclusion_proof(&hashes, index)?;
            let (index, size) = (index as u64, hashes.len() as u64);
            assert!(merkle_tree::verify_inclusion(leaf, index, size, &proof, &root).is_ok());
        }
        return Some(json!({"root_hex": hex(&root)}));
    }
    let proof: Option<Vec<Hash>> = match &case.input["proof_hex"] {
        Value::Array(proof) => proof.iter().map(hash).collect(),
        _ => Some(Vec::new()),
    };
    let root = |name: &str| bytes(case.input[name].as_str().unwrap_or_default());
    let valid = if case.takes(&["leaf_index", "tree_size"]) {
        let (index, size) = (case.need("leaf_index"), case.need("tree_size"));
        let leaf = hash(&case.input["leaf_hash_hex"]);
        proof.zip(leaf).is_some_and(|(proof, leaf)| {
            merkle_tree::verify_inclusion(leaf, index, size, &proof, &root("root_hex")).is_ok()
        })
    } else if case.takes(&["size1", "size2"]) {
        let (before, after) = (case.need("size1"), case.need("size2"));
        let roots = (root("root1_hex"), root("root2_hex"));
        proof.is_some_and(|proof| {
            merkle_tree::verify_consistency(before, after, &proof, &roots.0, &roots.1).is_ok()
        })
    } else {
        return None;
    };
    Some(json!({"valid": valid}))
}
