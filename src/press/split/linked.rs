//! What the linker says of a program: its functions, its data, and which of them names which.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Linking, Name,
    Operator, Parser, Payload, RelocationEntry, RelocationType, SymbolInfo, TypeRef,
};

/// How the linker calls the segment of what nothing ever writes to.
const READ_ONLY: &str = ".rodata";

/// How the names of the imports begin through which wasm-bindgen is told of types.
const DESCRIBE: &str = "__wbindgen_describe";

/// A thing that can move: a function by its index, or a piece of data by its place in [`Linked::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Function(u32),
    Data(usize),
}

/// One active data segment.
pub(super) struct Segment<'a> {
    pub(super) address: u32,
    pub(super) bytes: Cow<'a, [u8]>,
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
    /// How many parameters each type of function has.
    pub(super) parameters: Vec<u32>,
    pub(super) imported_functions: u32,
    /// The names and types of imported functions.
    pub(super) imports: Vec<(&'a str, u32)>,
    pub(super) imported_globals: u32,
    pub(super) functions: Vec<Function<'a>>,
    pub(super) globals: Vec<wasmparser::GlobalType>,
    pub(super) table: wasmparser::TableType,
    pub(super) memory: wasmparser::MemoryType,
    /// Which function lies in which slot of the table.
    pub(super) slots: BTreeMap<u32, u32>,
    /// In which slot each function lies, once that was asked.
    of_function: BTreeMap<u32, u32>,
    pub(super) segments: Vec<Segment<'a>>,
    /// Pieces of data that never overlap: the segment, and the bytes in it. What begins as zeros lies in a segment behind
    /// all others, which no file holds.
    pub(super) data: Vec<(usize, Range<u32>)>,
    /// The segments that nothing ever writes to.
    read_only: BTreeSet<usize>,
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

    /// Whether wasm-bindgen reads this function to learn types, and puts something else in the place of calls to it.
    pub(super) fn describes(&self, index: u32) -> bool {
        let told = |node: &Node| match node {
            Node::Function(index) => self
                .imports
                .get(*index as usize)
                .is_some_and(|(name, _)| name.starts_with(DESCRIBE)),
            Node::Data(_) => false,
        };
        self.symbol(index).contains("describe")
            || self.named_by(Node::Function(index)).iter().any(told)
    }

    /// How many bytes a function's body or a piece of data has.
    pub(super) fn bytes(&self, node: Node) -> usize {
        match node {
            Node::Function(index) => index
                .checked_sub(self.imported_functions)
                .map_or(0, |at| self.functions[at as usize].body.as_bytes().len()),
            Node::Data(at) => self.data[at].1.len(),
        }
    }

    /// Whether the program may write to a piece of data, as far as the linker tells.
    pub(super) fn writable(&self, node: Node) -> bool {
        match node {
            Node::Function(_) => false,
            Node::Data(at) => !self.read_only.contains(&self.data[at].0),
        }
    }

    /// Every node.
    pub(super) fn all(&self) -> impl Iterator<Item = Node> + use<> {
        let functions = (0..self.functions_all()).map(Node::Function);
        functions.chain((0..self.data.len()).map(Node::Data))
    }

    /// The program's own functions.
    pub(super) fn own(&self) -> Range<u32> {
        self.imported_functions..self.functions_all()
    }

    /// The symbol of a function; empty where it has none.
    pub(super) fn symbol(&self, index: u32) -> &str {
        self.symbols.get(&index).copied().unwrap_or_default()
    }

    /// The type of a function, imported or not.
    pub(super) fn type_of(&self, index: u32) -> u32 {
        match index.checked_sub(self.imported_functions) {
            Some(at) => self.functions[at as usize].type_index,
            None => self.imports[index as usize].1,
        }
    }

    /// The slot of the table in which a function lies; one that lies in none gets a new one.
    pub(super) fn slot_of(&mut self, function: u32) -> u32 {
        if self.of_function.is_empty() {
            self.of_function = self.slots.iter().map(|(&slot, &of)| (of, slot)).collect();
        }
        if let Some(&slot) = self.of_function.get(&function) {
            return slot;
        }
        let slot = self.new_slot(function);
        self.of_function.insert(function, slot);
        slot
    }

    /// One more slot of the table for a function.
    pub(super) fn new_slot(&mut self, function: u32) -> u32 {
        let slot = self.table.initial as u32;
        self.slots.insert(slot, function);
        let size = u64::from(slot) + 1;
        self.table.initial = size;
        self.table.maximum = self.table.maximum.map(|most| most.max(size));
        slot
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
    let (mut parameters, mut imports) = (Vec::new(), Vec::new());
    let mut imported_globals = 0;
    let (mut globals, mut table, mut memory) = (Vec::new(), None, None);
    let mut slots = BTreeMap::new();
    let mut segments: Vec<Segment> = Vec::new();
    let mut exports = Vec::new();
    let mut code_start = 0;
    let mut symbols: Vec<SymbolInfo> = Vec::new();
    let mut read_only = BTreeSet::new();
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
            Payload::TypeSection(reader) => {
                for group in reader.into_iter_err_on_gc_types() {
                    parameters.push(group.map_err(said)?.params().len() as u32);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.map_err(said)?;
                    match import.ty {
                        TypeRef::Func(of) | TypeRef::FuncExact(of) => {
                            imports.push((import.name, of));
                        }
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
                        bytes: Cow::Borrowed(segment.data),
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
                KnownCustom::Name(reader) => {
                    for subsection in reader {
                        let Name::Data(map) = subsection.map_err(said)? else {
                            continue;
                        };
                        for naming in map {
                            let naming = naming.map_err(said)?;
                            if naming.name == READ_ONLY {
                                read_only.insert(naming.index as usize);
                            }
                        }
                    }
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
    forget_paths(&mut segments, &data);
    let mut linked = Linked {
        parameters,
        imported_functions: imports.len() as u32,
        imports,
        imported_globals,
        functions,
        globals,
        table,
        memory,
        slots,
        of_function: BTreeMap::new(),
        segments,
        data,
        read_only,
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

/// The size of `core::panic::Location` in bytes: address and length of a path, line, column.
const LOCATION_BYTES: u32 = 16;

/// Takes from the data the paths of packages' sources, which are of the machine that built the program, and where in
/// them panics arise: no reader of such a message has these files. The project's own paths stay, being relative.
fn forget_paths(segments: &mut [Segment], data: &[(usize, Range<u32>)]) {
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
    let mut found = Vec::new();
    for (segment, range) in data {
        if range.len() as u32 != LOCATION_BYTES {
            continue;
        }
        let bytes = &segments[*segment].bytes[range.start as usize..range.end as usize];
        let (address, length) = (word(&bytes[..4]), word(&bytes[4..8]));
        let path = segments.iter().enumerate().find_map(|(at, segment)| {
            let start = address.checked_sub(segment.address)? as usize;
            let end = start.checked_add(length as usize)?;
            let path = segment.bytes.get(start..end)?;
            (path.starts_with(b"/") && path.ends_with(b".rs")).then_some((at, start..end))
        });
        if let Some(path) = path {
            found.push((*segment, range.start as usize, path));
        }
    }
    for (segment, at, (paths, path)) in found {
        // An empty text stands at any address but 0.
        let nowhere = [1, 0, 0, 0].map(u32::to_le_bytes).concat();
        segments[segment].bytes.to_mut()[at..at + nowhere.len()].copy_from_slice(&nowhere);
        segments[paths].bytes.to_mut()[path].fill(0);
    }
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
    for index in linked.own().filter(|&index| linked.describes(index)) {
        pinned.insert(index);
        pinned.extend(functions(linked.named_by(Node::Function(index))));
    }
    pinned
}
