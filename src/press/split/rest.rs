//! What no start runs: found by the names of its functions, and held back from core, chunks and parts.

use super::homes::Homes;
use super::linked::{Linked, Node, pinned};
use super::{ASK, Cuts, Piece, walk};
use std::collections::{BTreeMap, BTreeSet};

/// The stubs that stand in a piece for what is held back of it.
pub(super) struct Stubs {
    /// The import that brings a rest.
    pub(super) ask: u32,
    /// By function of a rest, the slot of the table in which it will stand.
    pub(super) slots: BTreeMap<u32, u32>,
}

/// Gives to the rests what no start runs and what only that leads to. `None` if that is nothing, or if the program has
/// no way to ask for it.
pub(super) fn hold_back(linked: &mut Linked, homes: &mut Homes, cuts: &Cuts<'_>) -> Option<Stubs> {
    let named = |(name, _): &(&str, u32)| name.contains(ASK);
    let ask = linked.imports.iter().position(named)? as u32;
    let mut pinned = pinned(linked);
    pinned.extend(&linked.doors);
    let late = |node: Node, name: &str| match homes.sole(linked, node) {
        Some(Piece::Core | Piece::Chunk(_)) => (cuts.late)(name),
        Some(Piece::Part(_)) => (cuts.late_in_parts)(name),
        _ => false,
    };
    let held = |node: Node, index: u32| {
        let name = linked.symbols.get(&index);
        !pinned.contains(&index) && name.is_some_and(|name| late(node, name))
    };
    let mut from = linked.roots.clone();
    from.extend(pinned.iter().map(|&index| Node::Function(index)));
    for node in linked.all() {
        match homes.of(linked, node) {
            [] | [Piece::Core | Piece::Part(_)] => {}
            // What one chunk has of another it has whether or not the other's rest is there.
            [Piece::Chunk(family)] => {
                let others = linked.named_by(node).iter().copied();
                from.extend(others.filter(|&other| {
                    matches!(homes.sole(linked, other), Some(Piece::Chunk(of)) if of != *family)
                }));
            }
            // Copies are in no rest.
            _ => from.push(node),
        }
    }
    let mut seen = vec![false; linked.nodes()];
    let mut stubbed = BTreeSet::new();
    walk(linked, &from, |place, node| {
        match node {
            Node::Function(index) if held(node, index) => {
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
    for node in linked.all().filter(|&node| !seen[linked.place(node)]) {
        if let Some(rest) = homes.sole(linked, node).and_then(Piece::rest) {
            homes.move_to(linked, node, rest);
        }
    }
    // What one rest wants of another it calls as everybody does.
    let is_rest = |piece: &Piece| piece.without_rest() != *piece;
    for index in linked.own() {
        let of = homes.sole(linked, Node::Function(index)).filter(is_rest);
        let Some(rest) = of else { continue };
        for &node in linked.named_by(Node::Function(index)) {
            let other = homes.sole(linked, node).filter(is_rest);
            if let (Node::Function(wanted), Some(other)) = (node, other)
                && other != rest
            {
                stubbed.insert(wanted);
            }
        }
    }
    let slots = stubbed
        .into_iter()
        .map(|index| (index, linked.slot_of(index)))
        .collect();
    Some(Stubs { ask, slots })
}
