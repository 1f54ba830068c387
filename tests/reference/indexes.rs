//! Trees that keep keys in order: shapes of AVL trees, bounds of heights, ranges.

use crate::table::{Case, run};
use algorithms::avl::{Avl, least_nodes};
use algorithms::btree::{BTree, Entry, Rule, height_at_most};
use algorithms::trace::untold;
use serde_json::{Value, json};

#[test]
fn btree_avl_range_index() {
    run(include_str!("btree_avl_range_index.json"), &[], &[], answer);
}

fn keys(list: &Value) -> Vec<u64> {
    let keys = list.as_array().into_iter().flatten();
    keys.map(|key| key.as_u64().expect("a key")).collect()
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["insert"]) {
        let mut tree = Avl::new();
        for (key, row) in keys(&case.input["insert"]).into_iter().zip(0..) {
            tree.insert(key, row, &mut untold);
        }
        for key in keys(&case.input["delete"]) {
            assert!(tree.remove(key, &mut untold), "{}: {key}", case.name);
        }
        let inorder: Vec<u64> = tree
            .range(0, u64::MAX, &mut untold)
            .iter()
            .map(|(key, _)| *key)
            .collect();
        return Some(json!({
            "preorder": tree.preorder(),
            "inorder": inorder,
            "height": tree.height(),
        }));
    }
    if case.takes(&["height_in_nodes"]) {
        return Some(json!({"min_nodes": least_nodes(case.count("height_in_nodes"))}));
    }
    if case.takes(&["n", "t"]) {
        return Some(json!({"height_at_most": height_at_most(case.need("n"), case.need("t"))}));
    }
    let entries: Vec<Entry> = keys(&case.input["keys"]).into_iter().zip(0..).collect();
    let (from, to) = (case.need("from"), case.need("to"));
    // Whichever way the tree came about.
    let bulk = BTree::of(&entries, 4, Rule::Growing);
    let mut grown = BTree::new(4, Rule::Half);
    let mut avl = Avl::new();
    for entry in entries {
        grown.insert(entry, &mut untold);
        avl.insert(entry.0, entry.1, &mut untold);
    }
    let found = bulk.range(from, to, &mut untold);
    assert_eq!(found, grown.range(from, to, &mut untold), "{}", case.name);
    assert_eq!(found, avl.range(from, to, &mut untold), "{}", case.name);
    let result: Vec<u64> = found.iter().map(|(key, _)| *key).collect();
    Some(json!({"result": result}))
}
