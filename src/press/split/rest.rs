//! What no start runs, or few do: found by the names of its functions, and held back from core, chunks and parts. The parts
//! of the few have copies.

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
    /// By function of a rest that parts have copies of, one more slot, in which nothing stands until one of these or the
    /// rest is there: so a stub knows whether it has to ask.
    pub(super) empty: BTreeMap<u32, u32>,
}

impl Stubs {
    /// The slot through which the stub for a function goes on, and whether it is one that stands empty before.
    pub(super) fn stands_in(&self, function: u32) -> Option<(u32, bool)> {
        let slot = *self.slots.get(&function)?;
        let empty = self.empty.get(&function);
        Some((empty.copied().unwrap_or(slot), empty.is_some()))
    }
}

/// Gives to the rests what no start runs and what only that leads to; what few starts run, to their parts as well.
/// `None` if that is nothing, or if the program has no way to ask for it.
pub(super) fn hold_back(linked: &mut Linked, homes: &mut Homes, cuts: &Cuts<'_>) -> Option<Stubs> {
    let named = |(name, _): &(&str, u32)| name.contains(ASK);
    let ask = linked.imports.iter().position(named)? as u32;
    let mut pinned = pinned(linked);
    pinned.extend(&linked.doors);
    // A copy is late where all that hold it say so: each has it in its own rest.
    let late = |node: Node, name: &str| {
        let homes = homes.of(linked, node);
        let late = |piece: &Piece| match *piece {
            Piece::Core | Piece::Chunk(_) => (cuts.late)(name, None),
            Piece::Part(door) => (cuts.late)(name, Some(linked.symbol(linked.doors[door]))),
            _ => false,
        };
        !homes.is_empty() && homes.iter().all(late)
    };
    let held = |index: u32| {
        let name = linked.symbols.get(&index);
        !pinned.contains(&index) && name.is_some_and(|name| late(Node::Function(index), name))
    };
    let held: Vec<bool> = (0..linked.functions_all()).map(held).collect();
    // What a chunk has of others it has whether or not their rests are there.
    let mut wanted = Vec::new();
    for node in linked.all() {
        for piece in homes.of(linked, node) {
            let Piece::Chunk(_) = piece else { continue };
            let others = linked.named_by(node).iter().copied();
            wanted.extend(others.filter(|&other| {
                let mut of = homes.of(linked, other).iter();
                of.all(|of| of != piece && *of != Piece::Core)
            }));
        }
    }
    let mut from = linked.roots.clone();
    from.extend(pinned.iter().map(|&index| Node::Function(index)));
    from.extend(&wanted);
    let mut seen = vec![false; linked.nodes()];
    let mut stubbed = BTreeSet::new();
    walk(linked, &from, |place, node| {
        match node {
            Node::Function(index) if held[index as usize] => {
                stubbed.insert(index);
                return false;
            }
            _ => {}
        }
        !std::mem::replace(&mut seen[place], true)
    });
    for node in linked.all().filter(|&node| !seen[linked.place(node)]) {
        homes.hold_back(linked, node);
    }
    hold_back_copies(linked, homes, cuts, &pinned, &wanted, &mut stubbed);
    if stubbed.is_empty() {
        return None;
    }
    copy_to_parts(linked, homes, cuts, &held, &mut stubbed);
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
    let slots: BTreeMap<u32, u32> = stubbed
        .into_iter()
        .map(|index| (index, linked.slot_of(index)))
        .collect();
    let copied = |index: &&u32| {
        let of = homes.of(linked, Node::Function(**index));
        of.iter().any(|of| is_rest(&of)) && of.iter().any(|of| matches!(of, Piece::Part(_)))
    };
    let copied: Vec<u32> = slots.keys().filter(copied).copied().collect();
    let empty = copied
        .into_iter()
        .map(|index| (index, linked.new_slot(index)))
        .collect();
    Some(Stubs { ask, slots, empty })
}

/// Gives to the rest of each part what is late there, though other parts hold it as well and run it at their starts.
fn hold_back_copies(
    linked: &Linked,
    homes: &mut Homes,
    cuts: &Cuts<'_>,
    pinned: &BTreeSet<u32>,
    wanted: &[Node],
    stubbed: &mut BTreeSet<u32>,
) {
    for (door, &opens) in linked.doors.iter().enumerate() {
        let part = Piece::Part(door);
        let mut from = vec![Node::Function(opens)];
        from.extend(wanted);
        let mut seen = vec![false; linked.nodes()];
        walk(linked, &from, |place, node| {
            match node {
                Node::Function(index) if index != opens && linked.doors.contains(&index) => {
                    return false;
                }
                Node::Function(index)
                    if homes.holds(linked, part, node)
                        && !pinned.contains(&index)
                        && (cuts.late)(linked.symbol(index), Some(linked.symbol(opens))) =>
                {
                    stubbed.insert(index);
                    return false;
                }
                _ => {}
            }
            !std::mem::replace(&mut seen[place], true)
        });
        let held = linked
            .all()
            .filter(|&node| !seen[linked.place(node)] && homes.holds(linked, part, node));
        for node in held.collect::<Vec<_>>() {
            homes.hold_back_of(linked, node, part);
        }
    }
}

/// Gives a door's part copies of what its start runs of the rests of core and chunks, with all that this names but what
/// is late for this door, too: in the place of that stands a stub.
fn copy_to_parts(
    linked: &Linked,
    homes: &mut Homes,
    cuts: &Cuts<'_>,
    held: &[bool],
    stubbed: &mut BTreeSet<u32>,
) {
    let early = |homes: &Homes, node: Node, door: usize| {
        let mut of = homes.of(linked, node).iter();
        of.any(|of| match of {
            Piece::Core => true,
            Piece::Chunk(family) => homes.needs[door].contains(family),
            Piece::Part(of) => *of == door,
            _ => false,
        })
    };
    // What this door leads to has a home there; another door's function may have the same name.
    let led_to = |homes: &Homes, node: Node, door: usize| {
        let mut of = homes.of(linked, node).iter();
        of.any(|of| match of {
            Piece::Rest => true,
            Piece::RestOf(family) => homes.needs[door].contains(family),
            Piece::RestOfPart(of) => *of == door,
            _ => false,
        })
    };
    // By door, what its part gets a copy of.
    let mut copies: Vec<Vec<Node>> = Vec::new();
    let mut written = Vec::new();
    for (door, &opens) in linked.doors.iter().enumerate() {
        let opens = linked.symbol(opens);
        let run = |index: u32| (cuts.run_by)(linked.symbol(index), opens);
        let from: Vec<Node> = linked
            .own()
            .filter(|&index| held[index as usize] && run(index))
            .map(Node::Function)
            .collect();
        let mut seen = BTreeSet::new();
        walk(linked, &from, |_, node| {
            if early(homes, node, door) || !led_to(homes, node, door) {
                return false;
            }
            let own = homes.holds(linked, Piece::RestOfPart(door), node);
            match node {
                Node::Function(index) if own || held[index as usize] && !run(index) => {
                    stubbed.insert(index);
                    false
                }
                // What is written to is brought once.
                Node::Data(_) if linked.writable(node) => {
                    written.push(node);
                    false
                }
                _ => seen.insert(node),
            }
        });
        copies.push(seen.into_iter().collect());
    }
    for (door, nodes) in copies.into_iter().enumerate() {
        for node in nodes {
            homes.copy(linked, node, Piece::Part(door));
        }
    }
    // It comes with what it is of, and so does what it names; functions are called when their rest is there.
    while let Some(node) = written.pop() {
        let rest = |of: &Piece| of.without_rest() != *of;
        match node {
            Node::Function(index) if homes.of(linked, node).iter().any(rest) => {
                stubbed.insert(index);
            }
            Node::Data(_) if homes.of(linked, node).iter().any(rest) => {
                homes.bring_back(linked, node);
                written.extend_from_slice(linked.named_by(node));
            }
            _ => {}
        }
    }
}
