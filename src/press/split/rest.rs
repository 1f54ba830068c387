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
    // A copy is late where all that hold it say so: each has it in its own rest.
    let late = |node: Node, name: &str| {
        let homes = homes.of(linked, node);
        let late = |piece: &Piece| match piece {
            Piece::Core | Piece::Chunk(_) => (cuts.late)(name),
            Piece::Part(_) => (cuts.late_in_parts)(name),
            _ => false,
        };
        !homes.is_empty() && homes.iter().all(late)
    };
    let held = |node: Node, index: u32| {
        let name = linked.symbols.get(&index);
        !pinned.contains(&index) && name.is_some_and(|name| late(node, name))
    };
    let mut from = linked.roots.clone();
    from.extend(pinned.iter().map(|&index| Node::Function(index)));
    // What a chunk has of others it has whether or not their rests are there.
    for node in linked.all() {
        for piece in homes.of(linked, node) {
            let Piece::Chunk(_) = piece else { continue };
            let others = linked.named_by(node).iter().copied();
            from.extend(others.filter(|&other| {
                let mut of = homes.of(linked, other).iter();
                of.all(|of| of != piece && *of != Piece::Core)
            }));
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
        homes.hold_back(linked, node);
    }
    // What one rest wants of another it calls as everybody does.
    let is_rest = |piece: &&Piece| piece.without_rest() != **piece;
    for index in linked.own() {
        let node = Node::Function(index);
        for rest in homes.of(linked, node).iter().filter(is_rest) {
            for &wanted in linked.named_by(node) {
                let held = homes.of(linked, wanted).iter().any(|of| is_rest(&of));
                if let (Node::Function(index), true) = (wanted, held)
                    && !homes.holds(linked, *rest, wanted)
                {
                    stubbed.insert(index);
                }
            }
        }
    }
    let slots = stubbed
        .into_iter()
        .map(|index| (index, linked.slot_of(index)))
        .collect();
    Some(Stubs { ask, slots })
}
