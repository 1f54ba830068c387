//! Writing the core and the parts of a program that is cut.

use super::linked::{Linked, Node, lasting};
use super::{CORE, Owner};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, FunctionSection, ImportSection, Module, RawSection, StartSection,
    TypeSection,
};
use wasmparser::{Parser, Payload};

/// Gaps between two pieces of one part that are closed rather than beginning a new segment, in bytes. They are
/// padding: what the linker leaves for alignment.
const PADDING_BYTES: u32 = 8;

/// The name of the table among the core's exports.
const TABLE: &str = "t";
/// The name of the memory among the core's exports, as wasm-bindgen knows it.
const MEMORY: &str = "memory";

/// What the core gives the parts, by the index in the linked program.
pub(super) struct Exports {
    functions: BTreeMap<u32, String>,
    globals: BTreeMap<u32, String>,
}

impl Exports {
    pub(super) fn new(linked: &Linked, owners: &[Owner]) -> Result<Self, String> {
        let mut functions = BTreeSet::new();
        for index in 0..linked.functions_all() {
            if let Owner::Part(_) = owners[linked.place(Node::Function(index))] {
                functions.extend(called(linked, owners, index));
            }
        }
        if functions
            .iter()
            .any(|&index| index < linked.imported_functions)
        {
            return Err("a lesson's code calls the browser".to_owned());
        }
        let functions = functions.into_iter().zip((0..).map(|n| format!("${n:x}")));
        // Few and tiny; the optimiser drops those that a part does not read.
        let globals = (linked.imported_globals..linked.globals.len() as u32)
            .filter(|&index| linked.globals[index as usize].mutable)
            .map(|index| (index, format!("g{index:x}")));
        Ok(Self {
            functions: functions.collect(),
            globals: globals.collect(),
        })
    }
}

/// The core's functions that one of a part's functions calls by name.
fn called<'a>(
    linked: &'a Linked,
    owners: &'a [Owner],
    index: u32,
) -> impl Iterator<Item = u32> + 'a {
    let named = linked.named_by(Node::Function(index)).iter();
    named.filter_map(|node| match node {
        Node::Function(other) if owners[linked.place(*node)] == Owner::Core => Some(*other),
        _ => None,
    })
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

/// The core: the program without what belongs to parts.
pub(super) fn core(
    wasm: &[u8],
    linked: &Linked,
    owners: &[Owner],
    exports: &Exports,
) -> Result<Vec<u8>, String> {
    let stays = |index: u32| !matches!(owners[linked.place(Node::Function(index))], Owner::Part(_));
    let mut renumber = Renumber {
        functions: (0..linked.functions_all())
            .filter(|&index| stays(index))
            .zip(0..)
            .collect(),
        globals: (0..linked.globals.len() as u32)
            .map(|index| (index, index))
            .collect(),
    };
    let mut module = Module::new();
    let mut code = CodeSection::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(said)? {
            Payload::FunctionSection(_) => {
                let mut section = FunctionSection::new();
                for (at, function) in linked.functions.iter().enumerate() {
                    if stays(linked.imported_functions + at as u32) {
                        section.function(function.type_index);
                    }
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
                for (index, name) in &exports.functions {
                    section.export(name, ExportKind::Func, renumber.functions[index]);
                }
                module.section(&section);
            }
            Payload::StartSection { func, .. } => {
                let function_index = renumber.functions[&func];
                module.section(&StartSection { function_index });
            }
            Payload::ElementSection(_) => {
                let kept = linked
                    .slots
                    .iter()
                    .filter(|(_, function)| stays(**function));
                module.section(&elements(kept, &renumber));
            }
            Payload::CodeSectionStart { .. } => {
                for (at, function) in linked.functions.iter().enumerate() {
                    if stays(linked.imported_functions + at as u32) {
                        renumber
                            .parse_function_body(&mut code, function.body.clone())
                            .map_err(said)?;
                    }
                }
                module.section(&code);
            }
            Payload::CodeSectionEntry(_) => {}
            Payload::DataSection(_) => {
                module.section(&core_data(linked, owners));
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
                // Types, imports, tables, memories, globals: as they stand.
                if let Some((id, range)) = other.as_section() {
                    let data = &wasm[range.start as usize..range.end as usize];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(module.finish())
}

/// The core's data, where the parts' pieces are zeros until a part brings them. The optimiser leaves zeros out.
fn core_data(linked: &Linked, owners: &[Owner]) -> DataSection {
    let mut section = DataSection::new();
    for (at, segment) in linked.segments.iter().enumerate() {
        let mut bytes = segment.bytes.to_vec();
        for (piece, (of, range)) in linked.data.iter().enumerate() {
            if *of == at && matches!(owners[linked.place(Node::Data(piece))], Owner::Part(_)) {
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

/// One part: the functions and data that only its door leads to.
pub(super) fn part(
    wasm: &[u8],
    linked: &Linked,
    owners: &[Owner],
    exports: &Exports,
    part: usize,
) -> Result<Vec<u8>, String> {
    let own: Vec<u32> = (linked.imported_functions..linked.functions_all())
        .filter(|&index| owners[linked.place(Node::Function(index))] == Owner::Part(part))
        .collect();
    let wanted: BTreeSet<u32> = own
        .iter()
        .flat_map(|&index| called(linked, owners, index))
        .collect();
    let function = |index: u32| &linked.functions[(index - linked.imported_functions) as usize];
    let mut renumber = Renumber {
        functions: wanted.iter().chain(&own).copied().zip(0..).collect(),
        globals: exports.globals.keys().copied().zip(0..).collect(),
    };

    let mut module = Module::new();
    let mut types = TypeSection::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::TypeSection(reader) = payload.map_err(said)? {
            renumber
                .parse_type_section(&mut types, reader)
                .map_err(said)?;
        }
    }
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
    for index in &wanted {
        let kind = EntityType::Function(function(*index).type_index);
        imports.import(CORE, &exports.functions[index], kind);
    }
    module.section(&imports);

    let mut functions = FunctionSection::new();
    for &index in &own {
        functions.function(function(index).type_index);
    }
    module.section(&functions);

    let slots = linked.slots.iter().filter(|(_, function)| {
        owners[linked.place(Node::Function(**function))] == Owner::Part(part)
    });
    module.section(&elements(slots, &renumber));

    let mut code = CodeSection::new();
    for &index in &own {
        renumber
            .parse_function_body(&mut code, function(index).body.clone())
            .map_err(said)?;
    }
    module.section(&code);
    module.section(&part_data(linked, owners, part));
    Ok(module.finish())
}

fn part_data(linked: &Linked, owners: &[Owner], part: usize) -> DataSection {
    let mut runs: Vec<(usize, Range<u32>)> = Vec::new();
    let mut before = None;
    for (piece, (segment, range)) in linked.data.iter().enumerate() {
        let own = owners[linked.place(Node::Data(piece))] == Owner::Part(part);
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
        let from = &linked.segments[segment];
        let bytes = &from.bytes[range.start as usize..range.end as usize];
        section.active(
            0,
            &address(from.address + range.start),
            bytes.iter().copied(),
        );
    }
    section
}
