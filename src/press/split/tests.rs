//! Small programs are compiled, cut and run in pieces, as the page does it.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};
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

/// Doors of two families and of none. `open_a` and `open_b` stand on `system`, which stands on `cluster`, as do `open_e` and
/// `open_f`; what they share otherwise is in the names of what they call.
const FAMILIES: &str = r#"
    #![no_std]
    #![no_main]
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
    unsafe extern "C" { fn loadlabRest(piece: u32); }
    #[unsafe(no_mangle)]
    pub extern "C" fn bring(piece: u32) { unsafe { loadlabRest(piece) } }

    mod system {
        static mut TURNS: [u32; 2] = [3, 4];
        #[inline(never)]
        pub fn run(words: &[u8], at: u32) -> u32 {
            let turns = unsafe { TURNS[at as usize & 1] += 1; TURNS[at as usize & 1] };
            match at {
                7 => late(at),
                8 => super::cluster::help(at),
                9 => super::cluster::late(at),
                _ => super::balance(words) + turns,
            }
        }
        #[inline(never)]
        pub fn late(at: u32) -> u32 { super::balance(b"what the system says late") ^ at }
    }
    mod cluster {
        #[inline(never)]
        pub fn help(at: u32) -> u32 { super::hash(b"help of the cluster").wrapping_add(at) }
        #[inline(never)]
        pub fn late(at: u32) -> u32 { super::hash(b"what the cluster says late").wrapping_mul(at) }
    }
    #[inline(never)]
    fn hash(words: &[u8]) -> u32 { words.iter().fold(17, |sum: u32, byte| sum.wrapping_mul(33) ^ *byte as u32) }
    #[inline(never)]
    fn balance(words: &[u8]) -> u32 { words.iter().fold(5, |sum: u32, byte| sum.wrapping_mul(31) + *byte as u32) }
    static TABLE: [u8; 16] = *b"copied with pair";
    #[inline(never)]
    fn pair(at: u32) -> u32 { if at & 6 == 6 { late_pair(at) } else { TABLE[at as usize & 15] as u32 ^ at } }
    #[inline(never)]
    fn late_pair(at: u32) -> u32 { (TABLE[at as usize & 7] as u32).wrapping_mul(at) }
    #[inline(never)]
    fn wide(words: &[u8]) -> u32 { words.iter().fold(1, |sum: u32, byte| sum.rotate_left(3) ^ *byte as u32) }
    #[inline(never)]
    fn common(words: &[u8]) -> u32 { words.iter().fold(2, |sum: u32, byte| sum.rotate_left(5) ^ *byte as u32) }

    #[inline(never)]
    fn open_a(at: u32) -> u32 { system::run(b"words of a", at) ^ wide(b"a") ^ common(b"a") }
    #[inline(never)]
    fn open_b(at: u32) -> u32 { system::run(b"words of b", at) ^ wide(b"b") ^ common(b"b") ^ pair(at) }
    #[inline(never)]
    fn open_c(at: u32) -> u32 { wide(b"words of c") ^ common(b"c") ^ pair(at) ^ at }
    #[inline(never)]
    fn open_d(at: u32) -> u32 { if at & 6 == 6 { late_of_d(at) } else { common(b"words of d") ^ at } }
    #[inline(never)]
    fn late_of_d(at: u32) -> u32 { common(b"what d says late").wrapping_mul(at) }
    #[inline(never)]
    fn open_e(at: u32) -> u32 { cluster::help(at) ^ common(b"words of e") }
    #[inline(never)]
    fn open_f(at: u32) -> u32 { cluster::late(at) ^ cluster::help(at ^ 1) ^ hash(b"words of f") }
    static DOORS: [fn(u32) -> u32; 6] = [open_a, open_b, open_c, open_d, open_e, open_f];
    #[unsafe(no_mangle)]
    pub extern "C" fn enter(door: usize, at: u32) -> u32 { DOORS[door % 6](at) }
"#;
const SYSTEM: usize = 0;
const CLUSTER: usize = 1;

fn family(symbol: &str) -> Option<usize> {
    let of = ["6system", "7cluster"];
    of.iter().position(|path| symbol.contains(path))
}

fn cuts<'a>(late: &'a dyn Fn(&str, Option<&str>) -> bool) -> Cuts<'a> {
    Cuts {
        door: &|symbol| symbol.contains("open_"),
        families: 2,
        family: &family,
        copies_most: 3,
        copied_bytes_most: 1_000,
        late,
        run_by: &|_, _| false,
        names: false,
    }
}

fn whole(_: &str, _: Option<&str>) -> bool {
    false
}

fn late(symbol: &str, _: Option<&str>) -> bool {
    symbol.contains("late")
}

fn linked(name: &str, options: &[&str]) -> Vec<u8> {
    compiled(name, SOURCE, options)
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("loadlab-split-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

fn compiled(name: &str, text: &str, options: &[&str]) -> Vec<u8> {
    let folder = folder(name);
    let (source, made): (PathBuf, PathBuf) = (folder.join("doors.rs"), folder.join("doors.wasm"));
    fs::write(&source, text).expect("written");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let run = Command::new(rustc)
        .args([
            "--edition=2024",
            "--target=wasm32-unknown-unknown",
            "--crate-type=cdylib",
        ])
        .args([
            "-Copt-level=1",
            "-Cpanic=abort",
            "-Csymbol-mangling-version=v0",
        ])
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

/// A program that was linked so that it can be cut and can ask for its rest.
fn asking(name: &str, text: &str) -> Vec<u8> {
    let options = ["-Clink-arg=--emit-relocs", "-Clink-arg=--allow-undefined"];
    compiled(name, text, &options)
}

fn cut(wasm: &[u8], cuts: &Cuts<'_>) -> Pieces {
    let pieces = split(wasm, cuts).expect("readable").expect("has notes");
    let chunks = pieces.chunks.iter().map(|chunk| &chunk.code);
    let parts = pieces.parts.iter().map(|part| &part.code);
    for code in chunks.chain(parts).chain([&pieces.core]) {
        for wasm in [Some(&code.first), code.rest.as_ref()]
            .into_iter()
            .flatten()
        {
            wasmparser::validate(wasm).expect("a valid piece");
        }
    }
    pieces
}

fn holds(wasm: &[u8], words: &[u8]) -> bool {
    wasm.windows(words.len()).any(|window| window == words)
}

/// Whether a piece has a function of this name.
fn has(code: &Code, name: &str) -> bool {
    let name = format!("{}{name}", name.len());
    code.functions
        .iter()
        .any(|(symbol, _)| symbol.ends_with(&name))
}

/// Runs a program as it was linked, and in pieces: enters its doors, some several times, each with numbers on which
/// something else happens. Tells what came out of both, and which rests the pieces asked for.
fn run(name: &str, wasm: &[u8], pieces: &Pieces, doors: &[usize], at: &[u32]) -> Ran {
    let folder = folder(&format!("run-{name}"));
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");
    let put = |name: &str, code: &Code| {
        write(&format!("{name}.wasm"), &code.first);
        if let Some(rest) = &code.rest {
            write(&format!("{name}.rest.wasm"), rest);
        }
    };
    write("whole.wasm", wasm);
    put("core", &pieces.core);
    for chunk in &pieces.chunks {
        put(&format!("chunk-{}", chunk.family), &chunk.code);
    }
    for (at, part) in pieces.parts.iter().enumerate() {
        put(&format!("part-{at}"), &part.code);
    }
    let needs: Vec<_> = pieces.parts.iter().map(|part| &part.needs).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("split/tests.mjs");
    let said = Command::new("node")
        .arg(script)
        .arg(&folder)
        .args([
            format!("{doors:?}"),
            format!("{at:?}"),
            format!("{needs:?}"),
        ])
        .output()
        .expect("these tests run programs in Node");
    fs::remove_dir_all(&folder).expect("removed");
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{errors}");
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// What came out of a run.
#[derive(serde::Deserialize)]
struct Ran {
    whole: Vec<i32>,
    pieces: Vec<i32>,
    asked: Vec<u32>,
}

/// In every order of opening the doors the same comes out of the pieces and of the whole.
fn runs_the_same(name: &str, wasm: &[u8], pieces: &Pieces) {
    let doors = pieces.parts.len();
    let again = (0..doors)
        .chain(0..doors)
        .skip(2)
        .step_by(2)
        .chain(0..doors);
    for order in [
        (0..doors).collect::<Vec<_>>(),
        (0..doors).rev().collect(),
        again.collect(),
    ] {
        let ran = run(name, wasm, pieces, &order, &[0, 1, 6, 7, 8, 9, 1_000]);
        assert_eq!(ran.whole.len(), order.len() * 7);
        assert_eq!(ran.pieces, ran.whole, "doors in the order {order:?}");
    }
}

#[test]
fn a_part_is_what_its_door_alone_leads_to() {
    let wasm = linked("cut", &["-Clink-arg=--emit-relocs"]);
    let pieces = cut(&wasm, &cuts(&whole));
    assert_eq!(pieces.parts.len(), 2);
    let (first, second) = (b"words of the first", b"what the second says");
    for (part, own, others) in [(0, &first[..], &second[..]), (1, second, first)] {
        let part = &pieces.parts[part].code;
        assert!(holds(&part.first, own) && !holds(&part.first, others));
        // What both lead to is copied.
        assert!(has(part, "sum") && has(part, "shared"));
    }
    let core = &pieces.core;
    assert!(!holds(&core.first, first) && !holds(&core.first, second));
    assert!(!has(core, "open_first") && !has(core, "sum") && core.functions.len() == 1);
    runs_the_same("a_part_is_what_its_door_alone_leads_to", &wasm, &pieces);
}

#[test]
fn what_is_too_large_to_be_copied_is_the_cores() {
    let wasm = linked("large", &["-Clink-arg=--emit-relocs"]);
    let mut cuts = cuts(&whole);
    cuts.copied_bytes_most = 1;
    let pieces = cut(&wasm, &cuts);
    assert!(has(&pieces.core, "sum") && has(&pieces.core, "shared"));
    assert!(
        pieces
            .parts
            .iter()
            .all(|part| part.code.functions.len() == 1)
    );
    runs_the_same(
        "what_is_too_large_to_be_copied_is_the_cores",
        &wasm,
        &pieces,
    );
}

#[test]
fn a_family_has_a_chunk_and_few_others_have_copies() {
    let wasm = asking("families", FAMILIES);
    let pieces = cut(&wasm, &cuts(&whole));
    let [system, cluster] = &pieces.chunks[..] else {
        panic!("two families")
    };
    assert_eq!((system.family, cluster.family), (SYSTEM, CLUSTER));
    let (system, cluster) = (&system.code, &cluster.code);
    let needs: Vec<_> = pieces.parts.iter().map(|part| &part.needs[..]).collect();
    let both = &[SYSTEM, CLUSTER][..];
    let (none, few) = (&[][..], &[CLUSTER][..]);
    assert_eq!(needs, [both, both, none, none, few, few]);
    // Of the layer itself, and what only lessons on it lead to.
    assert!(has(system, "run") && has(system, "late") && has(system, "balance"));
    assert!(has(cluster, "help") && has(cluster, "late") && has(cluster, "hash"));
    // Two lessons that have no layer in common hold a copy each, with its data; two of one layer hold one in its chunk.
    let part = |at: usize| &pieces.parts[at].code;
    for (function, of) in [
        ("pair", [false, true, true, false]),
        ("wide", [false, false, true, false]),
    ] {
        assert_eq!([0, 1, 2, 3].map(|at| has(part(at), function)), of);
    }
    assert!(has(system, "wide") && !has(cluster, "wide"));
    let table = b"copied with pair";
    for at in 0..6 {
        assert_eq!(holds(&part(at).first, table), at == 1 || at == 2);
    }
    // What more pieces would hold is the core's, and what anybody writes to.
    assert!(has(&pieces.core, "common") && pieces.core.functions.len() == 3);
    let turns = [3, 0, 0, 0, 4, 0, 0, 0];
    assert!(holds(&pieces.core.first, &turns) && !holds(&system.first, &turns));
    runs_the_same(
        "a_family_has_a_chunk_and_few_others_have_copies",
        &wasm,
        &pieces,
    );
}

#[test]
fn chunks_and_parts_have_rests_with_their_copies() {
    let wasm = asking("chunk-rest", FAMILIES);
    let pieces = cut(&wasm, &cuts(&late));
    let [system, cluster] = [0, 1].map(|at| &pieces.chunks[at].code);
    for (chunk, words) in [
        (system, &b"what the system says late"[..]),
        (cluster, b"what the cluster says late"),
    ] {
        let rest = chunk.rest.as_ref().expect("something is late");
        assert!(holds(rest, words) && !holds(&chunk.first, words));
        assert!(!has(chunk, "late"));
    }
    assert!(pieces.core.rest.is_none(), "nothing of the core is late");
    let words = b"what d says late";
    for (at, part) in pieces.parts.iter().enumerate() {
        let rest = part.code.rest.as_ref();
        assert!(!holds(&part.code.first, words) && !has(&part.code, "late_pair"));
        assert_eq!(rest.is_some_and(|rest| holds(rest, words)), at == 3);
        // Two parts hold copies of what is late.
        assert_eq!(rest.is_some(), [1, 2, 3].contains(&at));
    }
    runs_the_same(
        "chunks_and_parts_have_rests_with_their_copies",
        &wasm,
        &pieces,
    );
    let asked = |at: &[u32]| run("asked", &wasm, &pieces, &[0], at).asked;
    assert!(asked(&[0, 1]).is_empty(), "a start needs no rest");
    assert_eq!(asked(&[0, 7, 7]), [1], "once");
    assert_eq!(asked(&[7, 9, 7]), [1, 2], "each chunk its own");
    let of_part = run("of-part", &wasm, &pieces, &[3], &[0, 6, 7]).asked;
    assert_eq!(of_part, [2 + 3 + 1], "a part its own");
    let twice = run("copies", &wasm, &pieces, &[1, 2, 1], &[0, 6]).asked;
    assert_eq!(
        twice,
        [2 + 1 + 1, 2 + 2 + 1],
        "each of a copy's holders its own"
    );
}

#[test]
fn what_few_starts_run_is_late_but_for_their_parts() {
    // Late in the chunk of the cluster, which `open_f` runs at its start; in turn it runs what is late, too.
    let source = FAMILIES
        .replace(
            "super::hash(b\"what the cluster says late\").wrapping_mul(at)",
            "let at = if at == 9 { later(at) } else { at };
            super::hash(b\"what the cluster says late\").wrapping_mul(turn(at))",
        )
        .replace(
            "pub fn help(at: u32)",
            "fn later(at: u32) -> u32 { super::hash(b\"and what it never says at a start, late\") ^ at }
            static mut TIMES: [u32; 3] = [41, 42, 43];
            #[inline(never)]
            fn turn(at: u32) -> u32 { let turn = at as usize % 3; unsafe { TIMES[turn] += 1; TIMES[turn] ^ at } }
            #[inline(never)]
            pub fn help(at: u32)",
        );
    let wasm = asking("few", &source);
    let mut cuts = cuts(&late);
    cuts.run_by = &|symbol, door| symbol.ends_with("4late") && door.contains("open_f");
    let pieces = cut(&wasm, &cuts);
    let cluster = &pieces.chunks[CLUSTER].code;
    let (words, never) = (
        &b"what the cluster says late"[..],
        &b"and what it never says"[..],
    );
    assert!(!holds(&cluster.first, words) && !has(cluster, "late"));
    for (at, part) in pieces.parts.iter().enumerate() {
        assert_eq!(holds(&part.code.first, words), at == 5, "part {at}");
        assert_eq!(has(&part.code, "late"), at == 5, "part {at}");
        assert!(!holds(&part.code.first, never));
    }
    assert!(holds(
        cluster.rest.as_ref().expect("something is late"),
        never
    ));
    // What is written to is there once.
    let times = [41, 0, 0, 0, 42, 0, 0, 0, 43, 0, 0, 0];
    assert!(holds(&pieces.core.first, &times) && !holds(&pieces.parts[5].code.first, &times));
    runs_the_same(
        "what_few_starts_run_is_late_but_for_their_parts",
        &wasm,
        &pieces,
    );
    let asked = |doors: &[usize], at: &[u32]| run("few-asked", &wasm, &pieces, doors, at).asked;
    assert!(asked(&[5], &[0, 1]).is_empty(), "its part has a copy");
    assert_eq!(
        asked(&[5], &[9]),
        [2],
        "which runs what is late for it, too"
    );
    assert_eq!(asked(&[0], &[9]), [2], "for others it is late");
    assert!(
        asked(&[5, 0], &[0]).is_empty(),
        "who comes later has the copy as well"
    );
}

/// What a copy calls may be late in a chunk and in the part of a lesson that does not stand on it.
#[test]
fn what_a_copy_calls_comes_along_or_has_a_stub() {
    let source = FAMILIES
        .replace(
            "super::balance(b\"what the system says late\") ^ at",
            "super::both(b\"said by both\") ^ super::late_of_both(at) ^ at",
        )
        .replace(
            "fn open_c(at: u32) -> u32 {",
            "fn both(words: &[u8]) -> u32 { words.iter().fold(3, |sum: u32, byte| sum.rotate_left(7) ^ *byte as u32) }
            #[inline(never)]
            fn late_of_both(at: u32) -> u32 { both(b\"late in both\") ^ at }
            #[inline(never)]
            fn late_of_c(at: u32) -> u32 { both(b\"said by c\") ^ late_of_both(at) }
            #[inline(never)]
            fn open_c(at: u32) -> u32 { let at = if at == 7 { late_of_c(at) } else { at };",
        );
    let wasm = asking("both", &source);
    let mut cuts = cuts(&late);
    cuts.run_by = &|symbol, door| symbol.ends_with("6system4late") && door.contains("open_a");
    let pieces = cut(&wasm, &cuts);
    let (a, c) = (&pieces.parts[0].code, &pieces.parts[2].code);
    assert!(has(a, "late") && has(a, "both") && !has(a, "late_of_both"));
    assert!(!has(c, "both") && !has(&pieces.chunks[SYSTEM].code, "both"));
    runs_the_same(
        "what_a_copy_calls_comes_along_or_has_a_stub",
        &wasm,
        &pieces,
    );
    let asked = run("both-asked", &wasm, &pieces, &[0], &[0, 7, 7]).asked;
    assert_eq!(asked, [1], "for what even its start does not run");
}

#[test]
fn of_two_parts_one_may_hold_a_copy_back() {
    let wasm = asking("of-two", FAMILIES);
    let late = |symbol: &str, door: Option<&str>| {
        symbol.contains("4pair") && door.is_some_and(|door| door.contains("open_c"))
    };
    let pieces = cut(&wasm, &cuts(&late));
    assert!(has(&pieces.parts[1].code, "pair") && !has(&pieces.parts[2].code, "pair"));
    assert!(
        !has(&pieces.parts[2].code, "late_pair"),
        "nor what only that leads to"
    );
    assert!(pieces.parts[1].code.rest.is_none() && pieces.parts[2].code.rest.is_some());
    runs_the_same("of_two_parts_one_may_hold_a_copy_back", &wasm, &pieces);
    let asked = |doors: &[usize]| run("of-two", &wasm, &pieces, doors, &[0]).asked;
    assert_eq!(asked(&[2]), [2 + 2 + 1]);
    assert!(asked(&[1]).is_empty() && asked(&[1, 2]).is_empty());
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
    let wasm = asking("rest", &source);
    let pieces = cut(&wasm, &cuts(&late));
    let rest = pieces.core.rest.as_ref().expect("something is late");
    let words = b"what is said late";
    assert!(holds(rest, words) && !holds(&pieces.core.first, words));
    // The sum is used by both, so it is the core's.
    let stays = |name: &str| has(&pieces.core, name);
    assert!(stays("sum") && !stays("late"));
    assert!(cut(&wasm, &cuts(&whole)).core.rest.is_none());
}

/// A list of what is late that is out of date may cost bytes, but never anything else.
#[test]
fn a_stale_list_only_costs_bytes() {
    let wasm = asking("stale", FAMILIES);
    // Names of functions that are gone, or have other names since.
    let gone = |symbol: &str, _: Option<&str>| symbol.contains("no_longer_there");
    let pieces = cut(&wasm, &cuts(&gone));
    assert!(pieces.core.rest.is_none() && pieces.chunks.iter().all(|of| of.code.rest.is_none()));
    runs_the_same("a_stale_list_only_costs_bytes", &wasm, &pieces);
    // A lesson that the list does not know, whose start runs what the list calls late: it comes when it is called.
    let source = FAMILIES.replace(
        "fn open_d(at: u32) -> u32 { if at & 6 == 6 { late_of_d(at) } else { common(b\"words of d\") ^ at } }",
        "fn open_d(at: u32) -> u32 { new_of_d(at) ^ late_of_d(at) ^ system::run(b\"words of d\", 7) }
        #[inline(never)]
        fn new_of_d(at: u32) -> u32 { common(b\"what the list does not know\") ^ at }",
    );
    let wasm = asking("new-door", &source);
    let pieces = cut(&wasm, &cuts(&late));
    assert_eq!(pieces.parts[3].needs, [SYSTEM, CLUSTER]);
    assert!(has(&pieces.parts[3].code, "new_of_d"));
    runs_the_same("a_stale_list_only_costs_bytes", &wasm, &pieces);
    let asked = run("new-door", &wasm, &pieces, &[3], &[0]).asked;
    assert_eq!(asked, [2 + 3 + 1], "with its own come those of its chunks");
    // A list that calls everything late, doors and exports among it.
    let pieces = cut(&wasm, &cuts(&|_, _| true));
    runs_the_same("a_stale_list_only_costs_bytes", &wasm, &pieces);
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
    let wasm = asking("paths", &source);
    let path = b"doors.rs";
    assert!(holds(&wasm, path), "the linker put it there");
    let pieces = cut(&wasm, &cuts(&whole));
    assert!(!holds(&pieces.core.first, path));
    for part in &pieces.parts {
        assert!(!holds(&part.code.first, path));
    }
}

#[test]
fn without_the_linkers_notes_nothing_is_cut() {
    let wasm = linked("whole", &[]);
    assert!(split(&wasm, &cuts(&whole)).expect("readable").is_none());
    assert!(split(b"no program", &cuts(&whole)).is_err());
}
