//! What no start runs: found by the names of its functions, and held back from the pieces.

use super::linked::{Linked, Node};
use super::{ASK, Owner, walk};
use std::collections::{BTreeMap, BTreeSet};

/// The stubs that stand in a piece for what is held back of it.
pub(super) struct Stubs {
    /// The import that brings a rest.
    pub(super) ask: u32,
    /// By function of a rest, the slot of the table in which it will stand.
    pub(super) slots: BTreeMap<u32, u32>,
}

/// Gives to the rest what no start runs and what only that leads to. `None` if that is nothing, or if the program has
/// no way to ask for it.
pub(super) fn hold_back(
    linked: &mut Linked,
    owners: &mut [Owner],
    late: impl Fn(&str) -> bool,
) -> Option<Stubs> {
    let named = |(name, _): &(&str, u32)| name.contains(ASK);
    let ask = linked.imports.iter().position(named)? as u32;
    let mut pinned = pinned(linked);
    pinned.extend(&linked.doors);
    let held = |index: u32| {
        !pinned.contains(&index) && linked.symbols.get(&index).is_some_and(|name| late(name))
    };
    let mut seen = vec![false; linked.nodes()];
    let mut stubbed = BTreeSet::new();
    let mut from = linked.roots.clone();
    from.extend(pinned.iter().map(|&index| Node::Function(index)));
    walk(linked, &from, |place, node| {
        match node {
            Node::Function(index) if owners[place] != Owner::Nobody && held(index) => {
                stubbed.insert(index);
                return false;
            }
            _ => {}
        }
        !std::mem::replace(&mut seen[place], true)
    });
    if stubbed.is_empty() {
        return None;
    }
    for (owner, seen) in owners.iter_mut().zip(seen) {
        *owner = match *owner {
            Owner::Core if !seen => Owner::Rest,
            Owner::Part(part) if !seen => Owner::RestOf(part),
            other => other,
        }
    }
    // What the rest of a part wants of the core's rest it calls as everybody does.
    for index in linked.imported_functions..linked.functions_all() {
        if !matches!(
            owners[linked.place(Node::Function(index))],
            Owner::RestOf(_)
        ) {
            continue;
        }
        let wanted = linked.named_by(Node::Function(index)).iter();
        stubbed.extend(wanted.filter_map(|node| match node {
            Node::Function(other) if owners[linked.place(*node)] == Owner::Rest => Some(*other),
            _ => None,
        }));
    }
    let slots = stubbed
        .into_iter()
        .map(|index| (index, linked.slot_of(index)))
        .collect();
    Some(Stubs { ask, slots })
}

/// The functions that must stay: imports, what the browser calls, and what wasm-bindgen reads to learn the types of
/// all these; the last are gone when it is done.
pub(super) fn pinned(linked: &Linked) -> BTreeSet<u32> {
    let functions = |nodes: &[Node]| -> Vec<u32> {
        let function = |node: &Node| match node {
            Node::Function(index) => Some(*index),
            Node::Data(_) => None,
        };
        nodes.iter().filter_map(function).collect()
    };
    let mut pinned: BTreeSet<u32> = (0..linked.imported_functions).collect();
    pinned.extend(functions(&linked.roots));
    for index in
        (linked.imported_functions..linked.functions_all()).filter(|&index| linked.describes(index))
    {
        pinned.insert(index);
        pinned.extend(functions(linked.named_by(Node::Function(index))));
    }
    pinned
}
