//! Writing the pieces of a program that is cut.

use super::homes::Homes;
use super::linked::{Linked, Node, lasting};
use super::rest::Stubs;
use super::{CORE, NUMBER, Piece, RESTED};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements,
    EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, Instruction, Module, NameMap, NameSection, RawSection, StartSection,
    TableSection, TypeSection, ValType,
};
use wasmparser::{Parser, Payload};

/// Gaps in the data of one piece that are closed rather than beginning a new segment, in bytes. They are
/// padding: what the linker leaves for alignment.
const PADDING_BYTES: u32 = 8;

/// Functions of at most so many bytes are copied rather than shared.
const COPIED_BYTES: usize = 40;

/// Whether a rest is there.
const FLAG: GlobalType = GlobalType {
    val_type: ValType::I32,
    mutable: true,
    shared: false,
};

/// The name of the table among the core's exports.
const TABLE: &str = "t";
/// The name of the memory among the core's exports, as wasm-bindgen knows it.
const MEMORY: &str = "memory";

/// What the pieces give each other, by the index in the linked program.
pub(super) struct Exports {
    /// Functions, and stubs, that other pieces call: the name under which they import it. The name of most is the number
    /// of a slot of the table, where the page finds it: that weighs less than a name and an export, and it does not
    /// matter which piece filled the slot.
    functions: BTreeMap<u32, String>,
    /// Those of them that the core hands on under a name.
    handed: BTreeSet<u32>,
    /// By function that a piece reaches through the table alone, its slot.
    slots: BTreeMap<u32, u32>,
    globals: BTreeMap<u32, String>,
}

impl Exports {
    pub(super) fn new(linked: &mut Linked, homes: &Homes, stubs: Option<&Stubs>) -> Self {
        let mut called = BTreeSet::new();
        for piece in homes
            .pieces()
            .into_iter()
            .filter(|&piece| piece != Piece::Core)
        {
            called.extend(Wanted::new(linked, homes, piece).outside);
            if matches!(piece, Piece::RestOf(_) | Piece::RestOfPart(_)) {
                called.extend(stubs.map(|stubs| stubs.ask));
            }
        }
        // What wasm-bindgen makes of calls of the browser it makes in the core alone.
        let (handed, own): (BTreeSet<u32>, BTreeSet<u32>) = called
            .into_iter()
            .partition(|&index| index < linked.imported_functions || linked.describes(index));
        // New slots in the order of the functions, whose numbers then rise from slot to slot.
        let slots: BTreeMap<u32, u32> = ordered(linked, own.into_iter())
            .into_iter()
            .map(|index| (index, linked.slot_of(index)))
            .collect();
        let numbers = slots.iter().map(|(&index, slot)| (index, slot.to_string()));
        let browsers = handed.iter().map(|&index| (index, format!("${index:x}")));
        // Few and tiny; the optimiser drops those that a piece does not read.
        let globals = (linked.imported_globals..linked.globals.len() as u32)
            .filter(|&index| linked.globals[index as usize].mutable)
            .map(|index| (index, format!("g{index:x}")));
        Self {
            functions: browsers.chain(numbers).collect(),
            handed,
            slots,
            globals: globals.collect(),
        }
    }
}

/// The functions that a piece needs to have or to reach.
struct Wanted {
    /// Those that it holds.
    own: Vec<u32>,
    /// Those of other pieces that it calls.
    outside: BTreeSet<u32>,
}

impl Wanted {
    fn new(linked: &Linked, homes: &Homes, piece: Piece) -> Self {
        let mut own: Vec<u32> = homes.functions(linked, piece).collect();
        // A rest has copies of the smallest functions that it would call in the core: there, each that others call
        // weighs a little on every page.
        let copies = piece.without_rest() != piece;
        let mut here: BTreeSet<u32> = own.iter().copied().collect();
        let mut outside = BTreeSet::new();
        let mut next = 0;
        while let Some(&index) = own.get(next) {
            next += 1;
            for &node in linked.named_by(Node::Function(index)) {
                let Node::Function(other) = node else {
                    continue;
                };
                if here.contains(&other) {
                    continue;
                }
                if copies && small(linked, homes, other) {
                    here.insert(other);
                    own.push(other);
                    continue;
                }
                // For its own rest a piece has stubs.
                let mut of = homes.of(linked, node).iter();
                if of.all(|of| of.without_rest() != piece) {
                    outside.insert(other);
                }
            }
        }
        Self { own, outside }
    }
}

/// Whether a rest copies a function rather than calling it in the core.
fn small(linked: &Linked, homes: &Homes, index: u32) -> bool {
    let node = Node::Function(index);
    let of_browser =
        |node: &Node| matches!(node, Node::Function(other) if *other < linked.imported_functions);
    index >= linked.imported_functions
        && homes.sole(linked, node) == Some(Piece::Core)
        && linked.bytes(node) <= COPIED_BYTES
        && !linked.describes(index)
        && !linked.named_by(node).iter().any(of_browser)
}

/// Whether a function stands in its slot of the table wherever a piece is instantiated. A part comes after all that it
/// needs; of chunks, each knows of the core and itself alone.
fn stands(linked: &Linked, homes: &Homes, piece: Piece, index: u32) -> bool {
    let mut of = homes.of(linked, Node::Function(index)).iter();
    matches!(piece.without_rest(), Piece::Part(_))
        || of.any(|of| matches!(of, Piece::Core | Piece::Rest) || *of == piece.without_rest())
}

/// Gives functions and globals their new numbers.
struct Renumber {
    functions: BTreeMap<u32, u32>,
    globals: BTreeMap<u32, u32>,
}

impl Reencode for Renumber {
    type Error = String;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<String>> {
        self.functions
            .get(&index)
            .copied()
            .ok_or_else(|| Error::UserError(format!("function {index} is not here")))
    }

    fn global_index(&mut self, index: u32) -> Result<u32, Error<String>> {
        self.globals
            .get(&index)
            .copied()
            .ok_or_else(|| Error::UserError(format!("global {index} is not here")))
    }
}

fn said(error: impl std::fmt::Display) -> String {
    format!("the program cannot be cut: {error}")
}

/// The core: the program without what belongs to other pieces. `names` keeps the symbols of its functions.
pub(super) fn core(
    wasm: &[u8],
    linked: &Linked,
    homes: &Homes,
    exports: &Exports,
    stubs: Option<&Stubs>,
    names: bool,
) -> Result<Vec<u8>, String> {
    let stub_for = |index: u32| {
        let held = homes.holds(linked, Piece::Rest, Node::Function(index));
        stubs.filter(|_| held)?.stands_in(index)
    };
    let stays =
        |index: u32| in_core(linked, homes, Node::Function(index)) || stub_for(index).is_some();
    let own = ordered(linked, linked.own().filter(|&index| stays(index)));
    let imported = 0..linked.imported_functions;
    let mut renumber = Renumber {
        functions: imported.chain(own.iter().copied()).zip(0..).collect(),
        globals: (0..linked.globals.len() as u32)
            .map(|index| (index, index))
            .collect(),
    };
    // Behind the program's own functions stand those that hand the browser's on to other pieces, and the one that makes
    // sure that the rest is there.
    let handed: Vec<u32> = exports.handed.iter().copied().collect();
    let handing = linked.imported_functions + own.len() as u32;
    let ensure = handing + handed.len() as u32;
    let rested = linked.globals.len() as u32;
    let mut module = Module::new();
    let mut code = CodeSection::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(said)? {
            Payload::TypeSection(reader) => {
                let mut section = TypeSection::new();
                renumber
                    .parse_type_section(&mut section, reader)
                    .map_err(said)?;
                section.ty().function([], []);
                module.section(&section);
            }
            Payload::FunctionSection(_) => {
                let mut section = FunctionSection::new();
                for &index in own.iter().chain(&handed) {
                    section.function(linked.type_of(index));
                }
                if stubs.is_some() {
                    section.function(linked.parameters.len() as u32);
                }
                module.section(&section);
            }
            Payload::TableSection(_) => {
                let mut section = TableSection::new();
                section.table(RoundtripReencoder.table_type(linked.table).map_err(said)?);
                module.section(&section);
            }
            Payload::GlobalSection(reader) => {
                let mut section = GlobalSection::new();
                renumber
                    .parse_global_section(&mut section, reader)
                    .map_err(said)?;
                if stubs.is_some() {
                    section.global(FLAG, &ConstExpr::i32_const(0));
                }
                module.section(&section);
            }
            Payload::ExportSection(reader) => {
                let mut section = ExportSection::new();
                renumber
                    .parse_export_section(&mut section, reader)
                    .map_err(said)?;
                section.export(TABLE, ExportKind::Table, 0);
                for (index, name) in &exports.globals {
                    section.export(name, ExportKind::Global, *index);
                }
                if stubs.is_some() {
                    section.export(RESTED, ExportKind::Global, rested);
                }
                for (index, at) in handed.iter().zip(handing..) {
                    section.export(&exports.functions[index], ExportKind::Func, at);
                }
                module.section(&section);
            }
            Payload::StartSection { func, .. } => {
                let function_index = renumber.functions[&func];
                module.section(&StartSection { function_index });
            }
            Payload::ElementSection(_) => {
                let kept = linked.slots.iter().filter(|(slot, function)| {
                    stays(**function) && !empty(stubs, **slot, **function)
                });
                module.section(&elements(kept, &renumber));
            }
            Payload::CodeSectionStart { .. } => {
                for &index in &own {
                    if let Some((slot, empty)) = stub_for(index) {
                        let of = linked.type_of(index);
                        let parameters = linked.parameters[of as usize];
                        let asks = Some(Asks { ensure, empty });
                        code.function(&stub(parameters, asks, slot, of));
                        continue;
                    }
                    let function = &linked.functions[(index - linked.imported_functions) as usize];
                    renumber
                        .parse_function_body(&mut code, function.body.clone())
                        .map_err(said)?;
                }
                for &index in &handed {
                    let of = linked.type_of(index);
                    let to = renumber.functions[&index];
                    code.function(&handing_on(linked.parameters[of as usize], to));
                }
                if let Some(stubs) = stubs {
                    code.function(&ensuring(rested, stubs.ask, 0));
                }
                module.section(&code);
            }
            Payload::CodeSectionEntry(_) => {}
            Payload::DataSection(_) => {
                module.section(&core_data(linked, homes));
            }
            Payload::CustomSection(custom) => {
                if lasting(custom.name()) {
                    module.section(&CustomSection {
                        name: custom.name().into(),
                        data: custom.data().into(),
                    });
                }
            }
            other => {
                // Imports and memories: as they stand.
                if let Some((id, range)) = other.as_section() {
                    let data = &wasm[range.start as usize..range.end as usize];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    if names {
        module.section(&symbols(linked, &own, &renumber));
    }
    Ok(module.finish())
}

/// Functions in the order that compresses best: those beside each other take the same and end alike.
fn ordered(linked: &Linked, functions: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut functions: Vec<u32> = functions.collect();
    functions.sort_by_cached_key(|&index| {
        let function = &linked.functions[(index - linked.imported_functions) as usize];
        let backwards: Vec<u8> = function.body.as_bytes().iter().rev().copied().collect();
        (function.type_index, backwards)
    });
    functions
}

/// The symbols of a piece's functions.
fn symbols(linked: &Linked, own: &[u32], renumber: &Renumber) -> NameSection {
    let mut map = NameMap::new();
    for index in own {
        if let Some(symbol) = linked.symbols.get(index) {
            map.append(renumber.functions[index], symbol);
        }
    }
    let mut section = NameSection::new();
    section.functions(&map);
    section
}

/// How a stub asks for what it stands for.
#[derive(Clone, Copy)]
struct Asks {
    /// The function that makes sure that the rest is there.
    ensure: u32,
    /// Whether its slot is empty until somebody has brought it, who need not be the rest.
    empty: bool,
}

/// Whether a slot stays empty where there is but a stub for a function.
fn empty(stubs: Option<&Stubs>, slot: u32, function: u32) -> bool {
    stubs.is_some_and(|stubs| stubs.empty.get(&function) == Some(&slot))
}

/// Stands in a piece for a function that another brings into its slot of the table: makes sure that it is there, where
/// it comes only when it is asked for, and goes on to it.
fn stub(parameters: u32, asks: Option<Asks>, slot: u32, type_index: u32) -> Function {
    let mut body = Function::new([]);
    if let Some(Asks { ensure, empty }) = asks {
        if empty {
            body.instruction(&Instruction::I32Const(slot.cast_signed()));
            body.instruction(&Instruction::TableGet(0));
            body.instruction(&Instruction::RefIsNull);
            body.instruction(&Instruction::If(BlockType::Empty));
        }
        body.instruction(&Instruction::Call(ensure));
        if empty {
            body.instruction(&Instruction::End);
        }
    }
    for parameter in 0..parameters {
        body.instruction(&Instruction::LocalGet(parameter));
    }
    body.instruction(&Instruction::I32Const(slot.cast_signed()));
    body.instruction(&Instruction::CallIndirect {
        type_index,
        table_index: 0,
    });
    body.instruction(&Instruction::End);
    body
}

/// Asks the page for the rest of the piece with this number unless it is there.
fn ensuring(rested: u32, ask: u32, number: usize) -> Function {
    let mut body = Function::new([]);
    body.instruction(&Instruction::GlobalGet(rested));
    body.instruction(&Instruction::I32Eqz);
    body.instruction(&Instruction::If(BlockType::Empty));
    body.instruction(&Instruction::I32Const(number as i32));
    body.instruction(&Instruction::Call(ask));
    body.instruction(&Instruction::End);
    body.instruction(&Instruction::End);
    body
}

/// Calls a function of the browser for another piece: what wasm-bindgen makes of such calls it makes in the core alone.
fn handing_on(parameters: u32, to: u32) -> Function {
    let mut body = Function::new([]);
    for parameter in 0..parameters {
        body.instruction(&Instruction::LocalGet(parameter));
    }
    body.instruction(&Instruction::Call(to));
    body.instruction(&Instruction::End);
    body
}

/// Whether a node stays in the core. What nothing reaches does as well.
fn in_core(linked: &Linked, homes: &Homes, node: Node) -> bool {
    matches!(homes.of(linked, node), [] | [Piece::Core])
}

/// The core's data, where what belongs to other pieces is zeros until they bring it. The optimiser leaves zeros out.
fn core_data(linked: &Linked, homes: &Homes) -> DataSection {
    let mut section = DataSection::new();
    for (at, segment) in linked.segments.iter().enumerate() {
        let mut bytes = segment.bytes.to_vec();
        for (piece, (of, range)) in linked.data.iter().enumerate() {
            if *of == at && !in_core(linked, homes, Node::Data(piece)) {
                bytes[range.start as usize..range.end as usize].fill(0);
            }
        }
        section.active(0, &address(segment.address), bytes);
    }
    section
}

fn address(at: u32) -> ConstExpr {
    ConstExpr::i32_const(at.cast_signed())
}

/// Slots in runs: each run of neighbours is one element.
fn elements<'a>(
    slots: impl Iterator<Item = (&'a u32, &'a u32)>,
    renumber: &Renumber,
) -> ElementSection {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (&slot, function) in slots {
        let function = renumber.functions[function];
        match runs.last_mut() {
            Some((first, run)) if *first + run.len() as u32 == slot => run.push(function),
            _ => runs.push((slot, vec![function])),
        }
    }
    let mut section = ElementSection::new();
    for (first, run) in runs {
        section.active(None, &address(first), Elements::Functions(run.into()));
    }
    section
}

/// Any piece but the core: the functions and data that live in it. `names` as for [`core`].
pub(super) fn piece(
    wasm: &[u8],
    linked: &Linked,
    homes: &Homes,
    exports: &Exports,
    stubs: Option<&Stubs>,
    piece: Piece,
    names: bool,
) -> Result<Vec<u8>, String> {
    let Wanted { own, outside } = Wanted::new(linked, homes, piece);
    let own = ordered(linked, own.into_iter());
    // The stubs of a piece for its rest, with the slots in which that will stand, and the piece's number.
    let number = match piece {
        Piece::Chunk(family) => family + 1,
        Piece::Part(door) => homes.families + door + 1,
        _ => 0,
    };
    let held: Vec<(u32, u32, bool)> = match (piece.rest(), stubs) {
        (Some(rest), Some(stubs)) => {
            let stub_for = |index| {
                let (slot, empty) = stubs.stands_in(index)?;
                Some((index, slot, empty))
            };
            homes.functions(linked, rest).filter_map(stub_for).collect()
        }
        _ => Vec::new(),
    };
    let asks = stubs.map(|stubs| stubs.ask).filter(|_| !held.is_empty());
    // What may not be there yet is called through the table.
    let (mut imported, mut handing) = (BTreeSet::new(), Vec::new());
    for index in outside {
        match exports.slots.get(&index) {
            Some(&slot) if !stands(linked, homes, piece, index) => handing.push((index, slot)),
            _ => {
                imported.insert(index);
            }
        }
    }
    imported.extend(asks);
    let function = |index: u32| &linked.functions[(index - linked.imported_functions) as usize];
    let stand_ins = held.iter().map(|(index, ..)| index);
    let stand_ins = stand_ins.chain(handing.iter().map(|(index, _)| index));
    let all = imported.iter().chain(&own).chain(stand_ins.clone());
    let mut renumber = Renumber {
        functions: all.copied().zip(0..).collect(),
        globals: exports.globals.keys().copied().zip(0..).collect(),
    };
    let ensure = renumber.functions.len() as u32;
    let rested = exports.globals.len() as u32;

    let mut module = Module::new();
    let mut types = TypeSection::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::TypeSection(reader) = payload.map_err(said)? {
            renumber
                .parse_type_section(&mut types, reader)
                .map_err(said)?;
        }
    }
    types.ty().function([], []);
    module.section(&types);

    let mut imports = ImportSection::new();
    let memory = RoundtripReencoder
        .memory_type(linked.memory)
        .map_err(said)?;
    let table = RoundtripReencoder.table_type(linked.table).map_err(said)?;
    imports.import(CORE, MEMORY, EntityType::Memory(memory));
    imports.import(CORE, TABLE, EntityType::Table(table));
    for (index, name) in &exports.globals {
        let global = RoundtripReencoder
            .global_type(linked.globals[*index as usize])
            .map_err(said)?;
        imports.import(CORE, name, EntityType::Global(global));
    }
    for index in &imported {
        let kind = EntityType::Function(linked.type_of(*index));
        imports.import(CORE, &exports.functions[index], kind);
    }
    module.section(&imports);

    let mut functions = FunctionSection::new();
    for index in own.iter().chain(stand_ins) {
        functions.function(function(*index).type_index);
    }
    if asks.is_some() {
        functions.function(linked.parameters.len() as u32);
    }
    module.section(&functions);

    if asks.is_some() {
        let mut globals = GlobalSection::new();
        globals.global(FLAG, &ConstExpr::i32_const(0));
        let fixed = GlobalType {
            mutable: false,
            ..FLAG
        };
        globals.global(fixed, &ConstExpr::i32_const(number as i32));
        module.section(&globals);
        let mut given = ExportSection::new();
        given.export(RESTED, ExportKind::Global, rested);
        given.export(NUMBER, ExportKind::Global, rested + 1);
        module.section(&given);
    }

    // Of a function that others hold as well, each of them fills the slot: the same stands there, whoever was last.
    let here: BTreeSet<u32> = homes.functions(linked, piece).collect();
    let stand_ins: BTreeSet<u32> = held.iter().map(|&(index, ..)| index).collect();
    let slots = linked.slots.iter().filter(|(slot, function)| {
        here.contains(function) || stand_ins.contains(function) && !empty(stubs, **slot, **function)
    });
    module.section(&elements(slots, &renumber));

    let mut code = CodeSection::new();
    for &index in &own {
        renumber
            .parse_function_body(&mut code, function(index).body.clone())
            .map_err(said)?;
    }
    let asking = held
        .iter()
        .map(|&(index, slot, empty)| (index, slot, Some(Asks { ensure, empty })));
    let handing = handing.iter().map(|&(index, slot)| (index, slot, None));
    for (index, slot, asks) in asking.chain(handing) {
        let of = function(index).type_index;
        code.function(&stub(linked.parameters[of as usize], asks, slot, of));
    }
    if let Some(ask) = asks {
        code.function(&ensuring(rested, renumber.functions[&ask], number));
    }
    module.section(&code);
    module.section(&piece_data(linked, homes, piece));
    if names {
        module.section(&symbols(linked, &own, &renumber));
    }
    Ok(module.finish())
}

fn piece_data(linked: &Linked, homes: &Homes, piece: Piece) -> DataSection {
    let mut runs: Vec<(usize, Range<u32>)> = Vec::new();
    let mut before = None;
    for (at, (segment, range)) in linked.data.iter().enumerate() {
        let own = homes.holds(linked, piece, Node::Data(at));
        if own {
            match runs.last_mut() {
                Some((of, run))
                    if before == Some(true)
                        && of == segment
                        && range.start - run.end < PADDING_BYTES =>
                {
                    run.end = range.end;
                }
                _ => runs.push((*segment, range.clone())),
            }
        }
        before = Some(own);
    }
    let mut section = DataSection::new();
    for (segment, range) in runs {
        let Some(from) = linked.segments.get(segment) else {
            continue; // It begins as zeros, which the memory is full of.
        };
        let bytes = &from.bytes[range.start as usize..range.end as usize];
        section.active(
            0,
            &address(from.address + range.start),
            bytes.iter().copied(),
        );
    }
    section
}
