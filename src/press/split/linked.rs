//! What the linker says of a program: its functions, its data, and which of them names which.

use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Linking,
    Operator, Parser, Payload, RelocationEntry, RelocationType, SymbolInfo, TypeRef,
};

/// A thing that can move: a function by its index, or a piece of data by its place in [`Linked::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Function(u32),
    Data(usize),
}

/// One active data segment.
pub(super) struct Segment<'a> {
    pub(super) address: u32,
    pub(super) bytes: &'a [u8],
    /// Where its bytes lie in the data section.
    section: Range<u64>,
}

/// A function of the program's own.
pub(super) struct Function<'a> {
    pub(super) type_index: u32,
    pub(super) body: FunctionBody<'a>,
}

/// A linked program that still carries the linker's notes.
pub(super) struct Linked<'a> {
    pub(super) imported_functions: u32,
    pub(super) imported_globals: u32,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) globals: Vec<wasmparser::GlobalType>,
    pub(super) table: wasmparser::TableType,
    pub(super) memory: wasmparser::MemoryType,
    /// Which function lies in which slot of the table.
    pub(super) slots: BTreeMap<u32, u32>,
    pub(super) segments: Vec<Segment<'a>>,
    /// Pieces of data that never overlap: the segment, and the bytes in it.
    pub(super) data: Vec<(usize, Range<u32>)>,
    /// What must stay: what the browser calls, and what nothing that the linker knows of names.
    pub(super) roots: Vec<Node>,
    /// For each node, what it names. Functions by index, then data.
    names: Vec<Vec<Node>>,
    /// The functions through which parts are entered, in the order in which data names them.
    pub(super) doors: Vec<u32>,
    /// The symbols of functions, where they have one.
    pub(super) symbols: BTreeMap<u32, &'a str>,
}

impl Linked<'_> {
    pub(super) fn functions_all(&self) -> u32 {
        self.imported_functions + self.functions.len() as u32
    }

    pub(super) fn nodes(&self) -> usize {
        self.functions_all() as usize + self.data.len()
    }

    /// The place of a node among all.
    pub(super) fn place(&self, node: Node) -> usize {
        match node {
            Node::Function(index) => index as usize,
            Node::Data(at) => self.functions_all() as usize + at,
        }
    }

    /// What a node names.
    pub(super) fn named_by(&self, node: Node) -> &[Node] {
        &self.names[self.place(node)]
    }
}

/// Reads a program that was linked with `--emit-relocs`; `None` if it was not. `door` tells by the symbol whether
/// a function is one through which a part is entered.
pub(super) fn read<'a>(
    wasm: &'a [u8],
    door: impl Fn(&str) -> bool,
) -> Result<Option<Linked<'a>>, String> {
    let said = |error: wasmparser::Error| format!("the program cannot be read: {error}");
    let mut functions: Vec<Function> = Vec::new();
    let (mut types, mut bodies) = (Vec::new(), Vec::new());
    let (mut imported_functions, mut imported_globals) = (0, 0);
    let (mut globals, mut table, mut memory) = (Vec::new(), None, None);
    let mut slots = BTreeMap::new();
    let mut segments: Vec<Segment> = Vec::new();
    let mut exports = Vec::new();
    let mut code_start = 0;
    let mut symbols: Vec<SymbolInfo> = Vec::new();
    let mut notes: Vec<(u32, Vec<RelocationEntry>)> = Vec::new();
    let (mut sections, mut code_section, mut data_section) = (0, u32::MAX, u32::MAX);

    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(said)?;
        let here = sections;
        let start = payload.as_section().map_or(0, |(_, range)| range.start);
        if !matches!(
            payload,
            Payload::Version { .. } | Payload::CodeSectionEntry(_) | Payload::End(_)
        ) {
            sections += 1;
        }
        match payload {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    match import.map_err(said)?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => imported_functions += 1,
                        TypeRef::Global(of) => {
                            imported_globals += 1;
                            globals.push(of);
                        }
                        _ => return Err("the program imports a table or memory".to_owned()),
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for index in reader {
                    types.push(index.map_err(said)?);
                }
            }
            Payload::TableSection(reader) => {
                for found in reader {
                    table.get_or_insert(found.map_err(said)?.ty);
                }
            }
            Payload::MemorySection(reader) => {
                for found in reader {
                    memory.get_or_insert(found.map_err(said)?);
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    globals.push(global.map_err(said)?.ty);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(said)?;
                    if export.kind == ExternalKind::Func {
                        exports.push(Node::Function(export.index));
                    }
                }
            }
            Payload::StartSection { func, .. } => exports.push(Node::Function(func)),
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(said)?;
                    let (ElementKind::Active { offset_expr, .. }, ElementItems::Functions(items)) =
                        (element.kind, element.items)
                    else {
                        return Err(
                            "the program's table is not filled by plain functions".to_owned()
                        );
                    };
                    let first = constant(&offset_expr)?;
                    for (at, function) in items.into_iter().enumerate() {
                        slots.insert(first + at as u32, function.map_err(said)?);
                    }
                }
            }
            Payload::CodeSectionStart { .. } => {
                code_start = start;
                code_section = here;
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::DataSection(reader) => {
                data_section = here;
                for segment in reader {
                    let segment = segment.map_err(said)?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        return Err("the program has passive data".to_owned());
                    };
                    let end = segment.range.end - start;
                    segments.push(Segment {
                        address: constant(&offset_expr)?,
                        bytes: segment.data,
                        section: end - segment.data.len() as u64..end,
                    });
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(reader) => {
                    for subsection in reader.subsections() {
                        if let Linking::SymbolTable(map) = subsection.map_err(said)? {
                            for symbol in map {
                                symbols.push(symbol.map_err(said)?);
                            }
                        }
                    }
                }
                KnownCustom::Reloc(reader) => {
                    let entries: Result<Vec<_>, _> = reader.entries().into_iter().collect();
                    notes.push((reader.section_index(), entries.map_err(said)?));
                }
                _ => {}
            },
            _ => {}
        }
    }
    if symbols.is_empty() || notes.is_empty() {
        return Ok(None);
    }
    for (type_index, body) in types.into_iter().zip(bodies) {
        functions.push(Function { type_index, body });
    }
    let (Some(table), Some(memory)) = (table, memory) else {
        return Err("the program has no table or no memory".to_owned());
    };
    let data = pieces(&symbols);
    let mut linked = Linked {
        imported_functions,
        imported_globals,
        functions,
        globals,
        table,
        memory,
        slots,
        segments,
        data,
        roots: exports,
        names: Vec::new(),
        doors: Vec::new(),
        symbols: symbols
            .iter()
            .filter_map(|symbol| match symbol {
                SymbolInfo::Func { index, name, .. } => Some((*index, (*name)?)),
                _ => None,
            })
            .collect(),
    };
    linked.names = vec![Vec::new(); linked.nodes()];
    let mut in_table = vec![false; linked.functions_all() as usize];
    for (section, entries) in notes {
        for entry in entries {
            let source = if section == code_section {
                linked.function_at(u64::from(entry.offset) + code_start)
            } else if section == data_section {
                linked.data_at(u64::from(entry.offset))
            } else {
                continue; // Debug information names things, but needs none of them.
            };
            let Some(target) = target(&linked, &symbols, &entry) else {
                continue;
            };
            if let (Node::Function(index), true) = (target, takes_address(entry.ty)) {
                in_table[index as usize] = true;
            }
            match source {
                Some(source) => {
                    let place = linked.place(source);
                    linked.names[place].push(target);
                }
                None => linked.roots.push(target),
            }
        }
    }
    // A function in the table that no note names may be called in a way that the linker does not tell.
    for &function in linked.slots.values() {
        if !in_table[function as usize] {
            linked.roots.push(Node::Function(function));
        }
    }
    linked.doors = doors(&linked, door);
    Ok(Some(linked))
}

/// Where an active segment begins.
fn constant(expression: &wasmparser::ConstExpr) -> Result<u32, String> {
    let mut operators = expression.get_operators_reader();
    match operators.read() {
        Ok(Operator::I32Const { value }) => Ok(value.cast_unsigned()),
        _ => Err("the program is not linked to fixed addresses".to_owned()),
    }
}

fn takes_address(kind: RelocationType) -> bool {
    matches!(
        kind,
        RelocationType::TableIndexSleb | RelocationType::TableIndexI32
    )
}

/// The pieces of data that symbols tell of, in order. What overlaps is one piece.
fn pieces(symbols: &[SymbolInfo]) -> Vec<(usize, Range<u32>)> {
    let mut found: Vec<(usize, Range<u32>)> = symbols
        .iter()
        .filter_map(|symbol| match symbol {
            SymbolInfo::Data {
                symbol: Some(place),
                ..
            } if place.size > 0 => Some((
                place.index as usize,
                place.offset..place.offset + place.size,
            )),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(segment, bytes)| (*segment, bytes.start, bytes.end));
    let mut pieces: Vec<(usize, Range<u32>)> = Vec::new();
    for (segment, bytes) in found {
        match pieces.last_mut() {
            Some((last, before)) if *last == segment && bytes.start < before.end => {
                before.end = before.end.max(bytes.end);
            }
            _ => pieces.push((segment, bytes)),
        }
    }
    pieces
}

/// What a note points at; none for types, globals and addresses outside all data.
fn target(linked: &Linked, symbols: &[SymbolInfo], entry: &RelocationEntry) -> Option<Node> {
    use RelocationType as R;
    if matches!(entry.ty, R::TypeIndexLeb) {
        return None; // Its index is a type's, not a symbol's.
    }
    match symbols.get(entry.index as usize)? {
        SymbolInfo::Func { index, .. } => Some(Node::Function(*index)),
        SymbolInfo::Data {
            symbol: Some(place),
            ..
        } => linked
            .piece(place.index as usize, place.offset)
            .map(Node::Data),
        _ => None,
    }
}

/// The functions of a door's name that data names, in the order of the data.
fn doors(linked: &Linked, door: impl Fn(&str) -> bool) -> Vec<u32> {
    let named = |index| linked.symbols.get(index).is_some_and(|name| door(name));
    let references = (0..linked.data.len()).flat_map(|piece| linked.named_by(Node::Data(piece)));
    references
        .filter_map(|node| match node {
            Node::Function(index) if named(index) => Some(*index),
            _ => None,
        })
        .collect()
}

impl Linked<'_> {
    /// The function whose body holds this place in the file.
    fn function_at(&self, place: u64) -> Option<Node> {
        let after = self
            .functions
            .partition_point(|function| function.body.range().start <= place);
        let at = after.checked_sub(1)?;
        (place < self.functions[at].body.range().end)
            .then_some(Node::Function(self.imported_functions + at as u32))
    }

    /// The piece that holds this place in the data section.
    fn data_at(&self, place: u64) -> Option<Node> {
        let segment = self
            .segments
            .iter()
            .position(|segment| segment.section.contains(&place))?;
        let offset = (place - self.segments[segment].section.start) as u32;
        self.piece(segment, offset).map(Node::Data)
    }

    /// The piece that holds a byte of a segment.
    fn piece(&self, segment: usize, offset: u32) -> Option<usize> {
        let after = self
            .data
            .partition_point(|(of, bytes)| (*of, bytes.start) <= (segment, offset));
        let at = after.checked_sub(1)?;
        let (of, bytes) = &self.data[at];
        (*of == segment && bytes.contains(&offset)).then_some(at)
    }
}

/// The custom sections that still mean something once functions have new numbers.
pub(super) fn lasting(name: &str) -> bool {
    name != "linking"
        && name != "name"
        && !name.starts_with("reloc.")
        && !name.starts_with(".debug")
}
