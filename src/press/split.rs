//! Splitting: cuts the linked program into a core that every page loads and a part for each lesson, so that a
//! page moves one lesson's code however many there are.
//!
//! The linker's notes (`--emit-relocs`) tell which function and which piece of data names which. What can be
//! reached without passing a lesson's door stays in the core, as does what two lessons share; what can be reached
//! through one door alone is that lesson's part. Addresses and table slots stay as linked: instantiating a part
//! fills its slots of the table and its piece of the memory, after which the core may call its door.
//!
//! Of each of these pieces, what no start of a page runs goes into one more, its rest. Stubs stand in for it: the first
//! one that is called asks the page for the rest, and all of them then lead there.

mod emit;
mod linked;
mod rest;

use linked::{Linked, Node};
use std::collections::BTreeMap;
use wasmparser::{KnownCustom, Name, Naming, Parser, Payload, TypeRef};

/// A program in pieces.
#[derive(Debug)]
pub struct Pieces {
    /// What every page loads. Still to be passed through wasm-bindgen.
    pub core: Vec<u8>,
    /// One part for each door, in the order in which the program's data names them.
    pub parts: Vec<Part>,
    /// What of the core no start runs; none where nothing is held back, or where the program cannot ask for it.
    pub rest: Option<Vec<u8>>,
    /// The functions of the core by their symbols, with their sizes in bytes: where its weight comes from.
    pub core_functions: Vec<(String, usize)>,
}

/// What can be reached through one door alone.
#[derive(Debug)]
pub struct Part {
    /// The symbol of the door.
    pub door: String,
    /// Its code.
    pub code: Vec<u8>,
    /// What of it no start runs.
    pub rest: Option<Vec<u8>>,
}

/// The module name under which the other pieces import what the core exports.
pub const CORE: &str = "core";
/// The module name under which the rest of a part imports what the part exports.
pub const PART: &str = "part";
/// The function of the page that brings a rest, as the program imports it: the core's for 0, else that of the part
/// with this number.
pub const ASK: &str = "loadlabRest";
/// The name among a piece's exports of the global that tells whether its rest is there. A piece without a rest has none.
pub const RESTED: &str = "rested";
/// The name among a part's exports of the global that holds the part's number, from 1, where it has a rest.
pub const NUMBER: &str = "number";

/// Whose a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// Nobody reaches it.
    Nobody,
    Core,
    Part(usize),
    /// What the core can do without until it is asked for.
    Rest,
    /// What a part can do without.
    RestOf(usize),
}

/// How to cut.
pub struct Cuts<'a> {
    /// Whether a function, by its symbol, is one through which a part is entered: such functions must only be called
    /// by pointers that stand in data.
    pub door: &'a dyn Fn(&str) -> bool,
    /// Whether a function, by its symbol, is one that no start runs.
    pub late: &'a dyn Fn(&str) -> bool,
    /// Whether functions keep their symbols.
    pub names: bool,
}

/// Cuts a program that was linked with `--emit-relocs`; `None` if it was linked without.
///
/// # Errors
/// The program cannot be read, or calls a door directly.
pub fn split(wasm: &[u8], cuts: &Cuts<'_>) -> Result<Option<Pieces>, String> {
    let Some(mut linked) = linked::read(wasm, cuts.door)? else {
        return Ok(None);
    };
    let mut owners = owners(&linked)?;
    let stubs = rest::hold_back(&mut linked, &mut owners, cuts.late);
    let exports = emit::Exports::new(&mut linked, &owners, stubs.as_ref());
    let piece = |owner| {
        emit::piece(
            wasm,
            &linked,
            &owners,
            &exports,
            stubs.as_ref(),
            owner,
            cuts.names,
        )
    };
    let any = |owner| owners.contains(&owner);
    let rest = any(Owner::Rest).then(|| piece(Owner::Rest)).transpose()?;
    let mut parts = Vec::new();
    for (part, door) in linked.doors.iter().enumerate() {
        let late = any(Owner::RestOf(part)).then(|| piece(Owner::RestOf(part)));
        parts.push(Part {
            door: linked
                .symbols
                .get(door)
                .copied()
                .unwrap_or_default()
                .to_owned(),
            code: piece(Owner::Part(part))?,
            rest: late.transpose()?,
        });
    }
    let core = emit::core(wasm, &linked, &owners, &exports, stubs.as_ref(), cuts.names)?;
    let core_functions = (linked.imported_functions..)
        .zip(&linked.functions)
        .filter(|(index, _)| owners[linked.place(Node::Function(*index))] == Owner::Core)
        .map(|(index, function)| {
            let symbol = linked.symbols.get(&index).copied().unwrap_or_default();
            let range = function.body.range();
            (symbol.to_owned(), (range.end - range.start) as usize)
        })
        .collect();
    Ok(Some(Pieces {
        core,
        parts,
        rest,
        core_functions,
    }))
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

/// Decides for each node whose it is.
fn owners(linked: &Linked) -> Result<Vec<Owner>, String> {
    let mut owners = vec![Owner::Nobody; linked.nodes()];
    for &door in &linked.doors {
        if linked.roots.contains(&Node::Function(door)) {
            return Err("a lesson's door is exported".to_owned());
        }
    }
    let mut roots = linked.roots.clone();
    roots.extend(rest::pinned(linked).into_iter().map(Node::Function));
    walk(linked, &roots, |place, node| {
        let door = matches!(node, Node::Function(index) if linked.doors.contains(&index));
        let new = owners[place] == Owner::Nobody && !door;
        if new {
            owners[place] = Owner::Core;
        }
        new
    });
    for (part, &door) in linked.doors.iter().enumerate() {
        let mut shared = Vec::new();
        walk(
            linked,
            &[Node::Function(door)],
            |place, node| match owners[place] {
                Owner::Nobody => {
                    owners[place] = Owner::Part(part);
                    true
                }
                Owner::Part(other) if other != part => {
                    shared.push(node);
                    false
                }
                _ => false,
            },
        );
        walk(linked, &shared, |place, _| {
            let new = owners[place] != Owner::Core;
            owners[place] = Owner::Core;
            new
        });
    }
    Ok(owners)
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
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    /// Two doors in a table; each leads to words of its own, both to a shared function.
    const SOURCE: &str = r#"
        #![no_std]
        #![no_main]
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
        static mut SHARED: [u32; 4] = [7; 4];
        #[inline(never)]
        fn shared(at: usize) -> u32 { unsafe { SHARED[at & 3] += 1; SHARED[at & 3] } }
        #[inline(never)]
        fn sum(words: &[u8]) -> u32 { words.iter().map(|byte| *byte as u32).sum::<u32>() + shared(words.len()) }
        #[inline(never)]
        fn open_first(at: u32) -> u32 { sum(b"words of the first") ^ at }
        #[inline(never)]
        fn open_second(at: u32) -> u32 { sum(b"what the second says").rotate_left(at) }
        static DOORS: [fn(u32) -> u32; 2] = [open_first, open_second];
        #[unsafe(no_mangle)]
        pub extern "C" fn enter(door: usize, at: u32) -> u32 { DOORS[door & 1](at) }
    "#;

    fn cuts<'a>(late: &'a dyn Fn(&str) -> bool) -> Cuts<'a> {
        Cuts {
            door: &|symbol| symbol.contains("open_"),
            late,
            names: false,
        }
    }

    fn whole(_: &str) -> bool {
        false
    }

    fn linked(name: &str, options: &[&str]) -> Vec<u8> {
        compiled(name, SOURCE, options)
    }

    fn compiled(name: &str, text: &str, options: &[&str]) -> Vec<u8> {
        let folder =
            std::env::temp_dir().join(format!("loadlab-split-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let (source, made): (PathBuf, PathBuf) =
            (folder.join("doors.rs"), folder.join("doors.wasm"));
        fs::write(&source, text).expect("written");
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let run = Command::new(rustc)
            .args([
                "--edition=2024",
                "--target=wasm32-unknown-unknown",
                "--crate-type=cdylib",
            ])
            .args(["-Copt-level=1", "-Cpanic=abort"])
            .args(options)
            .arg("-o")
            .arg(&made)
            .arg(&source)
            .output()
            .expect("rustc runs");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        let wasm = fs::read(&made).expect("made");
        fs::remove_dir_all(&folder).expect("removed");
        wasm
    }

    /// A program, and its pieces where what is called late is what no start runs.
    fn without_late(name: &str, text: &str) -> (Vec<u8>, Pieces) {
        let options = ["-Clink-arg=--emit-relocs", "-Clink-arg=--allow-undefined"];
        let wasm = compiled(name, text, &options);
        let held = |symbol: &str| symbol.contains("late");
        let pieces = split(&wasm, &cuts(&held)).expect("readable");
        (wasm, pieces.expect("has notes"))
    }

    fn holds(wasm: &[u8], words: &[u8]) -> bool {
        wasm.windows(words.len()).any(|window| window == words)
    }

    #[test]
    fn a_part_is_what_its_door_alone_leads_to() {
        let wasm = linked("cut", &["-Clink-arg=--emit-relocs"]);
        let pieces = split(&wasm, &cuts(&whole))
            .expect("readable")
            .expect("has notes");
        assert_eq!(pieces.parts.len(), 2);
        let (first, second) = (b"words of the first", b"what the second says");
        for (part, own, others) in [(0, &first[..], &second[..]), (1, second, first)] {
            let part = &pieces.parts[part].code;
            wasmparser::validate(part).expect("a valid part");
            assert!(holds(part, own) && !holds(part, others));
        }
        wasmparser::validate(&pieces.core).expect("a valid core");
        assert!(!holds(&pieces.core, first) && !holds(&pieces.core, second));
        let symbols = |name: &str| {
            pieces
                .core_functions
                .iter()
                .filter(|(symbol, _)| symbol.contains(name))
                .count()
        };
        assert_eq!(
            (symbols("open_"), symbols("sum"), symbols("enter")),
            (0, 1, 1)
        );
    }

    #[test]
    fn the_rest_is_what_no_start_runs() {
        let source = SOURCE.replace(
            "static DOORS",
            "unsafe extern \"C\" { fn loadlabRest(piece: u32); }
            #[inline(never)]
            fn late(at: u32) -> u32 { sum(b\"what is said late\").wrapping_mul(at) }
            #[unsafe(no_mangle)]
            pub extern \"C\" fn maybe(at: u32) -> u32 { if at == 7 { unsafe { loadlabRest(0) } } late(at) }
            static DOORS",
        );
        let (wasm, pieces) = without_late("rest", &source);
        let rest = pieces.rest.expect("something is late");
        wasmparser::validate(&rest).expect("a valid piece");
        wasmparser::validate(&pieces.core).expect("a valid core");
        let late = b"what is said late";
        assert!(holds(&rest, late) && !holds(&pieces.core, late));
        // The sum is used by both, so it is the core's.
        let stays = |name: &str| {
            pieces
                .core_functions
                .iter()
                .any(|(symbol, _)| symbol.contains(name))
        };
        assert!(stays("sum") && stays("maybe") && !stays("late"));
        let whole = split(&wasm, &cuts(&whole))
            .expect("readable")
            .expect("has notes");
        assert!(whole.rest.is_none());
    }

    #[test]
    fn a_part_has_a_rest_of_its_own() {
        let source = SOURCE.replace(
            "fn open_first(at: u32) -> u32 { sum(b\"words of the first\") ^ at }",
            "fn open_first(at: u32) -> u32 { if at == 7 { late(at) } else { own(at) } }
            unsafe extern \"C\" { fn loadlabRest(piece: u32); }
            #[unsafe(no_mangle)]
            pub extern \"C\" fn maybe(at: u32) { unsafe { loadlabRest(at) } }
            #[inline(never)]
            fn own(at: u32) -> u32 { sum(b\"words of the first\") ^ at }
            #[inline(never)]
            fn late(at: u32) -> u32 { sum(b\"what is said late\").wrapping_mul(own(at)) }",
        );
        let (_, pieces) = without_late("own-rest", &source);
        assert!(pieces.rest.is_none(), "nothing of the core is late");
        let [first, second] = &pieces.parts[..] else {
            panic!("two doors")
        };
        assert!(first.door.contains("open_first") && second.rest.is_none());
        let rest = first.rest.as_deref().expect("something is late");
        let late = b"what is said late";
        for piece in [rest, &first.code, &second.code, &pieces.core] {
            wasmparser::validate(piece).expect("a valid piece");
            assert_eq!(holds(piece, late), piece == rest);
        }
        // The rest asks the part for what both use, and the core for what all use.
        assert!(holds(rest, PART.as_bytes()) && holds(rest, CORE.as_bytes()));
        assert!(holds(&first.code, RESTED.as_bytes()) && !holds(&second.code, RESTED.as_bytes()));
    }

    #[test]
    fn paths_of_the_machine_that_built_it_go() {
        let source = SOURCE
            .replace(
                "fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }",
                "fn panic(info: &core::panic::PanicInfo) -> ! {
                    if let Some(place) = info.location() {
                        unsafe { tell(place.file().as_ptr(), place.line()) }
                    }
                    loop {}
                }
                unsafe extern \"C\" { fn tell(file: *const u8, line: u32); }",
            )
            .replace("SHARED[at & 3] += 1;", "SHARED[at] += 1;");
        let wasm = compiled(
            "paths",
            &source,
            &["-Clink-arg=--emit-relocs", "-Clink-arg=--allow-undefined"],
        );
        let path = b"doors.rs";
        assert!(holds(&wasm, path), "the linker put it there");
        let pieces = split(&wasm, &cuts(&whole))
            .expect("readable")
            .expect("has notes");
        wasmparser::validate(&pieces.core).expect("a valid core");
        assert!(!holds(&pieces.core, path));
        for part in &pieces.parts {
            assert!(!holds(&part.code, path));
        }
    }

    #[test]
    fn without_the_linkers_notes_nothing_is_cut() {
        let wasm = linked("whole", &[]);
        assert!(split(&wasm, &cuts(&whole)).expect("readable").is_none());
        assert!(split(b"no program", &cuts(&whole)).is_err());
    }
}
