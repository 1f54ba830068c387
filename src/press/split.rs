//! Splitting: cuts the linked program into a core that every page loads and a part for each lesson, so that a
//! page moves one lesson's code however many there are.
//!
//! The linker's notes (`--emit-relocs`) tell which function and which piece of data names which. What can be
//! reached without passing a lesson's door stays in the core, as does what two lessons share; what can be reached
//! through one door alone is that lesson's part. Addresses and table slots stay as linked: instantiating a part
//! fills its slots of the table and its piece of the memory, after which the core may call its door.

mod emit;
mod linked;

use linked::{Linked, Node};

/// A program in pieces.
#[derive(Debug)]
pub struct Pieces {
    /// What every page loads. Still to be passed through wasm-bindgen.
    pub core: Vec<u8>,
    /// One part for each door, in the order in which the program's data names them.
    pub parts: Vec<Vec<u8>>,
    /// The functions of the core by their symbols, with their sizes in bytes: where its weight comes from.
    pub core_functions: Vec<(String, usize)>,
}

/// The module name under which a part imports what the core exports.
pub const CORE: &str = "core";

/// Whose a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Nobody reaches it.
    Nobody,
    Core,
    Part(usize),
}

/// Cuts a program that was linked with `--emit-relocs`; `None` if it was linked without. `door` tells by its symbol
/// whether a function is one through which a part is entered: such functions must only be called by pointers that
/// stand in data.
///
/// # Errors
/// The program cannot be read, or calls a door directly, or a part calls the browser.
pub fn split(wasm: &[u8], door: impl Fn(&str) -> bool) -> Result<Option<Pieces>, String> {
    let Some(linked) = linked::read(wasm, door)? else {
        return Ok(None);
    };
    let owners = owners(&linked)?;
    let exports = emit::Exports::new(&linked, &owners)?;
    let parts = (0..linked.doors.len())
        .map(|part| emit::part(wasm, &linked, &owners, &exports, part))
        .collect::<Result<_, _>>()?;
    let core = emit::core(wasm, &linked, &owners, &exports)?;
    let core_functions = (linked.imported_functions..)
        .zip(&linked.functions)
        .filter(|(index, _)| {
            !matches!(owners[linked.place(Node::Function(*index))], Owner::Part(_))
        })
        .map(|(index, function)| {
            let symbol = linked.symbols.get(&index).copied().unwrap_or_default();
            let range = function.body.range();
            (symbol.to_owned(), (range.end - range.start) as usize)
        })
        .collect();
    Ok(Some(Pieces {
        core,
        parts,
        core_functions,
    }))
}

/// Decides for each node whose it is.
fn owners(linked: &Linked) -> Result<Vec<Owner>, String> {
    let mut owners = vec![Owner::Nobody; linked.nodes()];
    for &door in &linked.doors {
        if linked.roots.contains(&Node::Function(door)) {
            return Err("a lesson's door is exported".to_owned());
        }
    }
    walk(linked, &linked.roots, |place, node| {
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

    fn is_door(symbol: &str) -> bool {
        symbol.contains("open_")
    }

    fn linked(name: &str, options: &[&str]) -> Vec<u8> {
        let folder =
            std::env::temp_dir().join(format!("loadlab-split-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let (source, made): (PathBuf, PathBuf) =
            (folder.join("doors.rs"), folder.join("doors.wasm"));
        fs::write(&source, SOURCE).expect("written");
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

    fn holds(wasm: &[u8], words: &[u8]) -> bool {
        wasm.windows(words.len()).any(|window| window == words)
    }

    #[test]
    fn a_part_is_what_its_door_alone_leads_to() {
        let wasm = linked("cut", &["-Clink-arg=--emit-relocs"]);
        let pieces = split(&wasm, is_door).expect("readable").expect("has notes");
        assert_eq!(pieces.parts.len(), 2);
        let (first, second) = (b"words of the first", b"what the second says");
        for (part, own, others) in [(0, &first[..], &second[..]), (1, second, first)] {
            let part = &pieces.parts[part];
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
    fn without_the_linkers_notes_nothing_is_cut() {
        let wasm = linked("whole", &[]);
        assert!(split(&wasm, is_door).expect("readable").is_none());
        assert!(split(b"no program", is_door).is_err());
    }
}
