//! Splitting: a linker pass that cuts the linked program into pieces, so that a page moves the code of its own lesson
//! and of nobody else's, however many lessons there are.
//!
//! The input is one module, linked with `--emit-relocs`: the linker's notes tell which function and which piece of data
//! names which. The output is a **core** that every page loads, a **part** for each door (a function that opens a lesson),
//! a **chunk** for each family (a layer that some lessons stand on), and of each of these a **rest**, which comes later.
//! Nothing is moved: every piece of data keeps its address and every function its slot of the table, so pieces need no
//! dynamic linking. To instantiate one is to fill its places of the core's memory and table.
//!
//! # The passes
//!
//! 1. [`linked`] reads the module into a graph. Its nodes are functions and pieces of data; its edges are the notes.
//!    What the browser calls, and what is in the table for a reason that no note gives, are roots.
//! 2. [`homes`] colours each node with the set of doors that lead to it, and gives it a home by that set:
//!    * no door needed: the core;
//!    * one door: that door's part;
//!    * several, and the program may write to it: the core, since a second copy would begin anew;
//!    * several, all of one family: the family's chunk. The doors of a family are those that reach any of its functions;
//!      so what only lessons on a layer use follows it without being of it. What few of its many doors lead to is copied;
//!    * several, in few pieces, and small: a copy in each of these. Doors of one family hold theirs in its chunk;
//!    * any other: the core, with all that it names.
//! 3. [`rest`] moves what no start of a page runs out of core, chunks and parts. What that is has been measured; a stub stands
//!    for each function of it that others call, asks the page for the rest when it is called first, and goes on through
//!    the table. What few starts run of core and chunks goes there as well, and is copied into the parts of these few: its
//!    stub asks only where no copy has come.
//! 4. [`emit`] writes the pieces. A function that another piece calls is imported by the number of its slot, whoever fills
//!    it; what may not be there at that moment (chunks know nothing of each other) is called through the table. What
//!    wasm-bindgen will make of calls of the browser it makes in the core alone, which hands them on under names.
//! 5. [`fit`] looks through the finished pieces whether each finds the slots filled that it imports.
//!
//! # What holds
//!
//! * A node has one home, or several with equal copies of it. Which of them filled a slot last does not matter.
//! * The core names nothing outside of it but the doors, from data. So it runs without any part.
//! * What a node of a part names is there before the part is: in the core, in the part, or in a chunk that
//!   [`Part::needs`] tells of.
//! * What several pieces hold is never written to. What is written to is brought once.
//! * The list of what is late decides where code lies, never what it does. A name that it should not have costs a wait, a
//!   name that it lacks costs bytes, a name that nothing has costs nothing. `tests.rs` runs programs in pieces beside the
//!   same programs as linked, with lists that are right, empty, out of date and absurd.
//! * The order of pieces in the output follows from the input alone.
//!
//! # Why this is not somebody else's
//!
//! `wasm_split_cli_support` 0.2 (Leptos, Yew), and Dioxus' tool of the same origin, read the same notes. Their split points
//! are macros on functions: these become `async`, must not be generic and go through `extern "C"` with unsafe code in
//! the user's crate, which this workspace forbids; a lesson's door is one generic function that a table holds, and a frame
//! cannot wait. What split points share becomes a chunk for each set of them that occurs, of which
//! sixty lessons have hundreds; there are no families and no copies, so each page would ask for dozens of files. What a page
//! needs later in its life is not told apart. The tools belong to cargo-leptos and dx; Trunk does not run them.
//!
//! Binaryen's `wasm-split` (`--multi-split`) takes lists of functions, so the graph, the homes and the list would still be
//! ours. It moves functions only: data stays in the primary module, here some 5 KB for each lesson on every page, and a
//! function goes to one module, so what two need stays there as well. It instruments the program to find what is late,
//! which V8 tells without. It is not among the programs of the npm package `binaryen`, from which `wasm-opt` comes here.

mod emit;
mod fit;
mod homes;
mod linked;
mod rest;

use homes::Homes;
use linked::{Linked, Node};
use std::collections::BTreeMap;
use wasmparser::{KnownCustom, Name, Naming, Parser, Payload, TypeRef};

/// A program in pieces.
#[derive(Debug)]
pub struct Pieces {
    /// What every page loads. Still to be passed through wasm-bindgen.
    pub core: Code,
    /// What some parts load before they can be instantiated, in the order of the families.
    pub chunks: Vec<Chunk>,
    /// One part for each door, in the order in which the program's data names them.
    pub parts: Vec<Part>,
}

/// A piece of a program.
#[derive(Debug)]
pub struct Code {
    /// What comes first.
    pub first: Vec<u8>,
    /// What of it no start runs; none where nothing is held back, or where the program cannot ask for it.
    pub rest: Option<Vec<u8>>,
    /// The functions of what comes first by their symbols, with their sizes in bytes as linked: where its weight comes from.
    pub functions: Vec<(String, usize)>,
}

/// What several doors of one family lead to.
#[derive(Debug)]
pub struct Chunk {
    /// The place of its family in [`Cuts::families`].
    pub family: usize,
    /// Its code.
    pub code: Code,
}

/// What can be reached through one door alone, and its copies of what few others reach as well.
#[derive(Debug)]
pub struct Part {
    /// The symbol of the door.
    pub door: String,
    /// Its code.
    pub code: Code,
    /// The families whose chunks must be there before it.
    pub needs: Vec<usize>,
}

/// The module name under which the other pieces import what the core exports.
pub const CORE: &str = "core";
/// The function of the page that brings a rest, as the program imports it: the core's for 0, else that of the chunk or
/// part with this number. What comes before it must be there: the core's, and for a part its chunks'.
pub const ASK: &str = "loadlabRest";
/// The name among a piece's exports of the global that tells whether its rest is there. A piece without a rest has none.
pub const RESTED: &str = "rested";
/// The name among the exports of a chunk or part of the global that holds its number, from 1, where it has a rest. Chunks
/// have lower numbers than parts.
pub const NUMBER: &str = "number";

/// A file of the program, as far as the splitter tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Core,
    /// What the core can do without until it is asked for.
    Rest,
    /// What doors of a family share.
    Chunk(usize),
    /// What a family's chunk can do without.
    RestOf(usize),
    /// What is behind a door.
    Part(usize),
    /// What a part can do without.
    RestOfPart(usize),
}

impl Piece {
    /// The piece that a rest belongs to; any other is itself.
    fn without_rest(self) -> Self {
        match self {
            Self::Rest => Self::Core,
            Self::RestOf(family) => Self::Chunk(family),
            Self::RestOfPart(door) => Self::Part(door),
            other => other,
        }
    }

    /// The rest that a piece has; a rest has none.
    fn rest(self) -> Option<Self> {
        match self {
            Self::Core => Some(Self::Rest),
            Self::Chunk(family) => Some(Self::RestOf(family)),
            Self::Part(door) => Some(Self::RestOfPart(door)),
            _ => None,
        }
    }
}

/// How to cut.
pub struct Cuts<'a> {
    /// Whether a function, by its symbol, is one through which a part is entered: such functions must only be called
    /// by pointers that stand in data.
    pub door: &'a dyn Fn(&str) -> bool,
    /// How many families there are.
    pub families: usize,
    /// The family of a function, by its symbol, below [`Cuts::families`].
    pub family: &'a dyn Fn(&str) -> Option<usize>,
    /// So many pieces may hold copies of one node; what more would hold lies in the core.
    pub copies_most: usize,
    /// A function or a piece of data with more bytes than this is not copied into several pieces.
    pub copied_bytes_most: usize,
    /// Whether a function, by its symbol, is late: of the core or a chunk one that no start runs, or few do; of a part, told
    /// by the symbol of its door, one that the start behind that does not run.
    pub late: &'a dyn Fn(&str, Option<&str>) -> bool,
    /// Of a function of the core or a chunk that is late, whether the start behind a door runs it all the same, by the
    /// symbols of both.
    pub run_by: &'a dyn Fn(&str, &str) -> bool,
    /// Whether functions keep their symbols.
    pub names: bool,
}

/// Cuts a program that was linked with `--emit-relocs`; `None` if it was linked without.
///
/// # Errors
/// The program cannot be read, or calls a door directly; or the pieces do not fit each other, which is a fault of this pass.
pub fn split(wasm: &[u8], cuts: &Cuts<'_>) -> Result<Option<Pieces>, String> {
    let Some(mut linked) = linked::read(wasm, cuts.door)? else {
        return Ok(None);
    };
    let mut homes = homes::decide(&linked, cuts)?;
    let stubs = rest::hold_back(&mut linked, &mut homes, cuts);
    let exports = emit::Exports::new(&mut linked, &homes, stubs.as_ref());
    let (linked, homes, stubs) = (&linked, &homes, stubs.as_ref());
    let piece = |piece| emit::piece(wasm, linked, homes, &exports, stubs, piece, cuts.names);
    let code = |first: Vec<u8>, of: Piece| {
        let rest = of.rest().filter(|&rest| homes.any(rest)).map(piece);
        Ok::<_, String>(Code {
            first,
            rest: rest.transpose()?,
            functions: sizes(linked, homes, of),
        })
    };
    let core = emit::core(wasm, linked, homes, &exports, stubs, cuts.names)?;
    let mut chunks = Vec::new();
    for family in 0..cuts.families {
        let of = Piece::Chunk(family);
        // Where all of it is late, it still has the stubs.
        if homes.any(of) || homes.any(Piece::RestOf(family)) {
            let code = code(piece(of)?, of)?;
            chunks.push(Chunk { family, code });
        }
    }
    let mut parts = Vec::new();
    for (at, (&door, needs)) in linked.doors.iter().zip(&homes.needs).enumerate() {
        let of = Piece::Part(at);
        parts.push(Part {
            door: linked.symbol(door).to_owned(),
            code: code(piece(of)?, of)?,
            needs: needs.iter().copied().collect(),
        });
    }
    let pieces = Pieces {
        core: code(core, Piece::Core)?,
        chunks,
        parts,
    };
    fit::check(&pieces)?;
    Ok(Some(pieces))
}

/// The functions of a piece by their symbols, with their sizes in bytes.
fn sizes(linked: &Linked, homes: &Homes, piece: Piece) -> Vec<(String, usize)> {
    let functions = homes.functions(linked, piece);
    let size = |index| linked.bytes(Node::Function(index));
    functions
        .map(|index| (linked.symbol(index).to_owned(), size(index)))
        .collect()
}

/// A program's own functions by their indices: the symbol of each, from the name section, and its size in bytes.
///
/// # Errors
/// The program is damaged or has no names.
pub fn functions(wasm: &[u8]) -> Result<BTreeMap<u32, (&str, u32)>, String> {
    let said = |error: wasmparser::Error| format!("the program cannot be read: {error}");
    let mut next = 0;
    let mut sizes = BTreeMap::new();
    let mut found = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(said)? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    next += u32::from(matches!(import.map_err(said)?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => {
                sizes.insert(next, body.as_bytes().len() as u32);
                next += 1;
            }
            Payload::CustomSection(custom) => {
                let KnownCustom::Name(reader) = custom.as_known() else {
                    continue;
                };
                for subsection in reader {
                    let Name::Function(map) = subsection.map_err(said)? else {
                        continue;
                    };
                    for naming in map {
                        let Naming { index, name } = naming.map_err(said)?;
                        if let Some(size) = sizes.get(&index) {
                            found.insert(index, (name, *size));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    if found.is_empty() {
        return Err("the program has no names".to_owned());
    }
    Ok(found)
}

/// Visits what can be reached; `enter` says whether a node is new.
fn walk(linked: &Linked, from: &[Node], mut enter: impl FnMut(usize, Node) -> bool) {
    let mut left = from.to_vec();
    while let Some(node) = left.pop() {
        if enter(linked.place(node), node) {
            left.extend_from_slice(linked.named_by(node));
        }
    }
}

#[cfg(test)]
mod tests;
