//! Who needs a node decides where it lives: the core, the chunk of a family, a lesson's part, or several parts as copies.

use super::linked::{Linked, Node, pinned};
use super::{Cuts, Piece, walk};
use std::collections::BTreeSet;

/// The doors through which a node is reached, one bit each.
type Colour = u128;

/// Where each node of a program lives.
pub(super) struct Homes {
    /// By the place of each node, the pieces that hold it, in order; none where nothing reaches it.
    of: Vec<Vec<Piece>>,
    /// How many families there are.
    pub(super) families: usize,
    /// By door, the families whose chunks its part needs.
    pub(super) needs: Vec<BTreeSet<usize>>,
}

impl Homes {
    /// The pieces that hold a node.
    pub(super) fn of(&self, linked: &Linked, node: Node) -> &[Piece] {
        &self.of[linked.place(node)]
    }

    /// Whether a piece holds a node.
    pub(super) fn holds(&self, linked: &Linked, piece: Piece, node: Node) -> bool {
        self.of(linked, node).contains(&piece)
    }

    /// Whether any node lives in a piece.
    pub(super) fn any(&self, piece: Piece) -> bool {
        self.of.iter().any(|homes| homes.contains(&piece))
    }

    /// Every piece that holds anything.
    pub(super) fn pieces(&self) -> BTreeSet<Piece> {
        self.of.iter().flatten().copied().collect()
    }

    /// The only piece that holds a node.
    pub(super) fn sole(&self, linked: &Linked, node: Node) -> Option<Piece> {
        match self.of(linked, node) {
            [piece] => Some(*piece),
            _ => None,
        }
    }

    /// Gives a node to the rest of each piece that holds it.
    pub(super) fn hold_back(&mut self, linked: &Linked, node: Node) {
        for piece in &mut self.of[linked.place(node)] {
            *piece = piece.rest().unwrap_or(*piece);
        }
    }

    /// Gives a node to the rest of one of the pieces that hold it.
    pub(super) fn hold_back_of(&mut self, linked: &Linked, node: Node, of: Piece) {
        for piece in self.of[linked.place(node)]
            .iter_mut()
            .filter(|piece| **piece == of)
        {
            *piece = piece.rest().unwrap_or(of);
        }
    }

    /// Gives a node to one more piece.
    pub(super) fn copy(&mut self, linked: &Linked, node: Node, to: Piece) {
        self.of[linked.place(node)].push(to);
    }

    /// Gives a node of rests back to the pieces that these belong to.
    pub(super) fn bring_back(&mut self, linked: &Linked, node: Node) {
        for piece in &mut self.of[linked.place(node)] {
            *piece = piece.without_rest();
        }
    }

    /// The functions of the program's own that a piece holds.
    pub(super) fn functions(&self, linked: &Linked, piece: Piece) -> impl Iterator<Item = u32> {
        linked
            .own()
            .filter(move |&index| self.holds(linked, piece, Node::Function(index)))
    }
}

/// Decides for each node where it lives.
///
/// # Errors
/// A door is exported or called directly, or there are more doors than can be told apart.
pub(super) fn decide(linked: &Linked, cuts: &Cuts<'_>) -> Result<Homes, String> {
    if linked.doors.len() > Colour::BITS as usize {
        return Err(format!("more than {} doors", Colour::BITS));
    }
    for &door in &linked.doors {
        if linked.roots.contains(&Node::Function(door)) {
            return Err("a lesson's door is exported".to_owned());
        }
    }
    let (shared, colours) = colours(linked);
    let families = families(linked, cuts, &colours);
    let mut of: Vec<Vec<Piece>> = linked
        .all()
        .map(|node| {
            let place = linked.place(node);
            match (shared[place], colours[place]) {
                (true, _) => vec![Piece::Core],
                (false, 0) => Vec::new(),
                (false, colour) => home(linked, cuts, &families, node, colour),
            }
        })
        .collect();
    // What the core names is the core's as well: it is there before any part.
    let settled: Vec<Node> = linked
        .all()
        .filter(|&node| of[linked.place(node)] == [Piece::Core])
        .collect();
    let mut seen = vec![false; linked.nodes()];
    walk(linked, &settled, |place, node| {
        let new = !is_door(linked, node) && !std::mem::replace(&mut seen[place], true);
        if new {
            of[place] = vec![Piece::Core];
        }
        new
    });
    let needs = (0..linked.doors.len())
        .map(|door| {
            let reached = colours.iter().zip(&of);
            let reached = reached.filter(|(colour, _)| *colour & (1 << door) != 0);
            let chunk = |(_, homes): (&Colour, &Vec<Piece>)| {
                // A part that holds its own copy has no need of a chunk's.
                let own = homes.contains(&Piece::Part(door));
                homes.iter().find_map(|piece| match piece {
                    Piece::Chunk(family) if !own && families[*family] & (1 << door) != 0 => {
                        Some(*family)
                    }
                    _ => None,
                })
            };
            reached.filter_map(chunk).collect()
        })
        .collect();
    Ok(Homes {
        of,
        families: cuts.families,
        needs,
    })
}

/// Data of the core names the doors; nothing else may.
fn is_door(linked: &Linked, node: Node) -> bool {
    matches!(node, Node::Function(index) if linked.doors.contains(&index))
}

/// Which nodes are reached without passing a door, and through which doors the others are.
fn colours(linked: &Linked) -> (Vec<bool>, Vec<Colour>) {
    let mut shared = vec![false; linked.nodes()];
    let mut roots = linked.roots.clone();
    roots.extend(pinned(linked).into_iter().map(Node::Function));
    walk(linked, &roots, |place, node| {
        !is_door(linked, node) && !std::mem::replace(&mut shared[place], true)
    });
    let mut colours = vec![0; linked.nodes()];
    for (at, &door) in linked.doors.iter().enumerate() {
        let bit: Colour = 1 << at;
        walk(linked, &[Node::Function(door)], |place, _| {
            let new = !shared[place] && colours[place] & bit == 0;
            if new {
                colours[place] |= bit;
            }
            new
        });
    }
    (shared, colours)
}

/// What at most one in so many of a family's doors lead to is not for its chunk.
const FAMILY_FEW: u32 = 4;

/// Of a family's functions a door reaches at least one in so many, if it belongs to the family. Fewer tell nothing: the
/// compiler merges functions of equal code, and what is left bears the name of one of them.
const FAMILY_LEAST: u32 = 8;

/// The doors of each family: those that reach a good part of its functions.
fn families(linked: &Linked, cuts: &Cuts<'_>, colours: &[Colour]) -> Vec<Colour> {
    let mut reached = vec![vec![0_u32; linked.doors.len()]; cuts.families];
    let mut all = vec![0_u32; cuts.families];
    for index in linked.own() {
        let colour = colours[linked.place(Node::Function(index))];
        if let (true, Some(family)) = (colour != 0, (cuts.family)(linked.symbol(index))) {
            all[family] += 1;
            for (door, count) in reached[family].iter_mut().enumerate() {
                *count += u32::from(colour & (1 << door) != 0);
            }
        }
    }
    let members = |(counts, all): (&Vec<u32>, &u32)| {
        let doors = counts.iter().enumerate();
        let members = doors.filter(|(_, count)| **count > 0 && **count * FAMILY_LEAST >= *all);
        members.fold(0, |colour, (door, _)| colour | 1 << door)
    };
    reached.iter().zip(&all).map(members).collect()
}

/// Where a node lives that is reached through doors alone.
fn home(
    linked: &Linked,
    cuts: &Cuts<'_>,
    families: &[Colour],
    node: Node,
    colour: Colour,
) -> Vec<Piece> {
    if colour.count_ones() == 1 {
        return vec![Piece::Part(colour.trailing_zeros() as usize)];
    }
    if linked.writable(node) {
        return vec![Piece::Core]; // Several pieces that brought it would each begin it anew.
    }
    let small = linked.bytes(node) <= cuts.copied_bytes_most;
    let within = |of: &Colour| colour & !of == 0;
    if let Some(family) = families.iter().position(within) {
        // What few of many want they hold themselves.
        let few = colour.count_ones() * FAMILY_FEW <= families[family].count_ones();
        if few && small && colour.count_ones() as usize <= cuts.copies_most {
            let doors = (0..linked.doors.len()).filter(|door| colour & (1 << door) != 0);
            return doors.map(Piece::Part).collect();
        }
        return vec![Piece::Chunk(family)];
    }
    // Doors of one family hold one copy together, in its chunk.
    let (mut pieces, mut left) = (Vec::new(), colour);
    for (family, of) in families.iter().enumerate() {
        if (left & of).count_ones() > 1 {
            pieces.push(Piece::Chunk(family));
            left &= !of;
        }
    }
    let doors = (0..linked.doors.len()).filter(|door| left & (1 << door) != 0);
    pieces.extend(doors.map(Piece::Part));
    if pieces.len() <= cuts.copies_most && small {
        pieces
    } else {
        vec![Piece::Core]
    }
}
