//! Publishing: takes what Trunk built, optimises it, and writes everything else of the site beside it.

use crate::packages::{self, attribute};
use crate::pages::{self, Assets, Chunk, REST, chunk_of, rest_of};
use crate::site::Site;
use crate::split::Code;
use crate::{authors, cuts, glue, offline};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest optimiser that understands what the compiler writes.
const BINARYEN_LEAST: u32 = 116;
/// What makes the program smallest once it is compressed: what finds likenesses leaves less of them to Brotli, which
/// finds more. The linker puts the stack first, so that the lowest addresses are only reached when that overflows.
const OPTIMISATIONS: [&str; 13] = [
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--skip-pass=merge-similar-functions",
    "--skip-pass=local-cse",
    "--skip-pass=code-folding",
    "--strip-producers",
    "--strip-target-features",
];
/// Kinds of files that hosts send compressed.
const COMPRESSED: [&str; 6] = ["html", "js", "css", "wasm", "json", "svg"];
/// The strongest setting: files are compressed once and sent often.
const BROTLI_QUALITY: u32 = 11;
/// The largest window that every browser takes.
const BROTLI_WINDOW: u32 = 22;
/// Files that compress to no less than this are left alone.
const WORTHWHILE_BYTES: usize = 64;

/// Finds what Trunk built in `folder`.
///
/// # Errors
/// The folder lacks `index.html`, or holds no wasm with its script, or several.
pub fn assets(folder: &Path) -> Result<Assets, String> {
    let index = folder.join("index.html");
    let template = fs::read_to_string(&index).map_err(|error| named(&index, &error))?;
    let mut programs: Vec<String> = fs::read_dir(folder)
        .map_err(|error| named(folder, &error))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with("_bg.wasm"))
        .collect();
    programs.sort();
    let [wasm] = &programs[..] else {
        return Err(format!(
            "{}: expected one *_bg.wasm, found {programs:?}",
            folder.display()
        ));
    };
    let script = wasm.replace("_bg.wasm", ".js");
    if !folder.join(&script).is_file() {
        return Err(format!("{}: {script} is missing", folder.display()));
    }
    let program = folder.join(wasm);
    let wasm_bytes = fs::metadata(&program)
        .map_err(|error| named(&program, &error))?
        .len();
    let stem = wasm.replace("_bg.wasm", "_");
    let mut code_bytes: BTreeMap<String, u64> = fs::read_dir(folder)
        .map_err(|error| named(folder, &error))?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let slug = name.strip_prefix(&stem)?.strip_suffix(".wasm")?.to_owned();
            (slug != "bg").then(|| Some((slug, entry.metadata().ok()?.len())))?
        })
        .collect();
    let is_rest = |name: &str| name == REST || name.ends_with(&rest_of(""));
    let rests = code_bytes.extract_if(.., |name, _| is_rest(name));
    let rests = rests.map(|(name, _)| name).collect();
    let chunks = code_bytes.extract_if(.., |name, _| name.ends_with(&chunk_of("")));
    let chunk = |(name, bytes): (String, u64)| {
        let lessons = Vec::new();
        let name = name.trim_end_matches(&chunk_of("")).to_owned();
        (name, Chunk { bytes, lessons })
    };
    let chunks = chunks.map(chunk).collect();
    Ok(Assets {
        template,
        script,
        wasm: wasm.clone(),
        wasm_bytes,
        code_bytes,
        chunks,
        rests,
    })
}

fn named(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Which lessons need which chunk, by its name; the catalogue counts as one.
pub type Needs = BTreeMap<String, Vec<String>>;

/// Writes pages, words, pictures and the service worker into `folder`; returns how many files. Pictures drawn before
/// are taken from `kept`; `needs` is what [`cut`] told.
///
/// # Errors
/// What Trunk built is incomplete, or a file cannot be read or written.
pub fn write(site: &Site, folder: &Path, kept: &Path, needs: &Needs) -> Result<usize, String> {
    let mut assets = assets(folder)?;
    for (name, chunk) in &mut assets.chunks {
        chunk.lessons = needs.get(name).cloned().unwrap_or_default();
    }
    let mut made: BTreeMap<String, Vec<u8>> = pages::files(site, &assets)?
        .into_iter()
        .map(|(path, text)| (path, text.into_bytes()))
        .collect();
    made.append(&mut pages::pictures(site, kept)?);
    // What Trunk built belongs to the version as well, and what press made stands in for its template.
    let mut all = read(folder)?;
    for (path, name) in pages::boot_copies(&assets.template) {
        if let Some(script) = all.get(&name) {
            made.insert(path, script.clone());
        }
    }
    all.extend(
        made.iter()
            .map(|(path, bytes)| (path.clone(), bytes.clone())),
    );
    let tables = packages::tables(&all, &authors::texts()?)?;
    all.extend(tables.clone());
    made.extend(tables);
    let version = offline::version(&all);
    let worker = offline::worker(&all, &version)?;
    made.insert("sw.js".to_owned(), worker.into_bytes());
    for (path, bytes) in &mut made {
        if path.ends_with(".html") {
            let page = String::from_utf8_lossy(bytes);
            *bytes = offline::stamp(&page, &version).into_bytes();
        }
        write_file(folder, path, bytes)?;
    }
    Ok(made.len())
}

/// Writes one file by its path from `folder`, and the folders it needs.
///
/// # Errors
/// It cannot be written.
pub fn write_file(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), String> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| named(parent, &error))?;
    }
    fs::write(&path, bytes).map_err(|error| named(&path, &error))
}

/// Every file of a folder by its path from there, parts joined by `/`.
///
/// # Errors
/// A file cannot be read.
pub fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| named(&folder, &error))? {
            let entry = entry.map_err(|error| named(&folder, &error))?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = format!("{prefix}{}", name.to_string_lossy());
            if path.is_dir() {
                folders.push((path, name + "/"));
            } else {
                let bytes = fs::read(&path).map_err(|error| named(&path, &error))?;
                files.insert(name, bytes);
            }
        }
    }
    Ok(files)
}

/// Cuts the program that Trunk built in `folder` into a core, chunks, each lesson's code and their rests, from what the
/// linker left at `linked`; `whole` as in [`cuts::pieces`]. Names keep Trunk's digest, so that pieces of different builds
/// never meet. Tells which lesson needs which chunk, or why nothing was cut.
///
/// # Errors
/// The program cannot be cut, or does not hold exactly these lessons, or a file cannot be replaced.
pub fn cut(
    folder: &Path,
    linked: &Path,
    slugs: &[&str],
    whole: bool,
) -> Result<Result<Needs, String>, String> {
    let Ok(program) = fs::read(linked) else {
        return Ok(Err(format!("{} is not there", linked.display())));
    };
    let Some(pieces) = cuts::pieces(&program, whole)? else {
        return Ok(Err("it was linked without --emit-relocs".to_owned()));
    };
    let doors: Vec<_> = pieces.parts.iter().map(|part| part.door.as_str()).collect();
    let names = cuts::part_names(&doors, slugs)?;
    let assets = assets(folder)?;
    let stem = assets.script.trim_end_matches(".js");
    let work = folder.join("cut.tmp");
    write_file(&work, "core.wasm", &pieces.core.first)?;
    let bound = Command::new("wasm-bindgen")
        .args([
            "--target",
            "web",
            "--no-typescript",
            "--no-demangle",
            "--out-name",
            stem,
            "--out-dir",
        ])
        .arg(&work)
        .arg(work.join("core.wasm"))
        .output();
    let bound = match bound {
        Ok(bound) if bound.status.success() => bound,
        Ok(failed) => {
            let said = String::from_utf8_lossy(&failed.stderr).trim().to_owned();
            return Err(format!("wasm-bindgen failed: {said}"));
        }
        Err(error) => {
            fs::remove_dir_all(&work).map_err(|error| named(&work, &error))?;
            return Ok(Err(format!("wasm-bindgen: {error}")));
        }
    };
    drop(bound);
    let (script, program) = (work.join(&assets.script), work.join(&assets.wasm));
    let script = fs::read_to_string(&script).map_err(|error| named(&script, &error))?;
    let program = fs::read(&program).map_err(|error| named(&program, &error))?;
    // Of a program that is looked into the names are wanted.
    let (script, program) = match whole {
        true => (script, program),
        false => glue::shorten(&glue::terse(&script), &program)?,
    };
    write_file(folder, &assets.script, script.as_bytes())?;
    write_file(folder, &assets.wasm, &program)?;
    let put = |name: &str, code: &Code| {
        write_file(folder, &assets.code(name), &code.first)?;
        match &code.rest {
            Some(rest) => write_file(folder, &assets.code(&rest_of(name)), rest),
            None => Ok(()),
        }
    };
    let mut needs = Needs::new();
    for chunk in &pieces.chunks {
        let name = cuts::FAMILIES[chunk.family].name;
        put(&chunk_of(name), &chunk.code)?;
        let parts = names.iter().zip(&pieces.parts);
        let parts = parts.filter(|(_, part)| part.needs.contains(&chunk.family));
        let lessons = parts.map(|(lesson, _)| (*lesson).to_owned()).collect();
        needs.insert(name.to_owned(), lessons);
    }
    for (name, part) in names.iter().zip(&pieces.parts) {
        put(name, &part.code)?;
    }
    if let Some(rest) = &pieces.core.rest {
        write_file(folder, &assets.code(REST), rest)?;
    }
    fs::remove_dir_all(&work).map_err(|error| named(&work, &error))?;
    Ok(Ok(needs))
}

/// Takes from the scripts and style sheets of a site what is only there for readers of their source.
///
/// # Errors
/// A file cannot be replaced.
pub fn terse(folder: &Path) -> Result<(), String> {
    for (path, bytes) in read(folder)? {
        if [".js", ".css"].iter().any(|kind| path.ends_with(kind)) {
            let text = String::from_utf8(bytes).map_err(|_| format!("{path} is no text"))?;
            write_file(folder, &path, glue::terse(&text).as_bytes())?;
        }
    }
    Ok(())
}

/// Gives short names to what only their own scripts know, in the two that every start fetches: the one that starts the program
/// and the one between it and the browser. Says whether the tool was there.
///
/// # Errors
/// The tool fails, or a script cannot be replaced.
pub fn minify(project: &Path, folder: &Path) -> Result<bool, String> {
    let tool = project.join("tests/node_modules/.bin/terser");
    if !tool.is_file() {
        return Ok(false);
    }
    let assets = assets(folder)?;
    let boot = Some(pages::boot_name(&assets.template)).filter(|name| !name.is_empty());
    // The script beside the program is a module: even its outermost names are its own.
    for (script, module) in [
        (boot, None),
        (Some(assets.script.clone()), Some("--module")),
    ] {
        let Some(path) = script.map(|name| folder.join(name)) else {
            continue;
        };
        let run = Command::new(&tool)
            .args(["--compress", "passes=2", "--mangle"])
            .args(module)
            .arg("--output")
            .args([&path, &path])
            .output()
            .map_err(|error| named(&tool, &error))?;
        if !run.status.success() {
            let why = String::from_utf8_lossy(&run.stderr);
            return Err(format!("{}: {}", path.display(), why.trim()));
        }
    }
    Ok(true)
}

/// Joins the style sheets of the page in `folder` into one: it is smaller than they are, and asked for once.
///
/// # Errors
/// A sheet is missing or cannot be replaced.
pub fn join_sheets(folder: &Path) -> Result<(), String> {
    let path = folder.join("index.html");
    let page = fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
    let tags = page
        .match_indices("<link ")
        .filter_map(|(at, _)| page[at..].split_inclusive('>').next())
        .filter(|tag| attribute(tag, "rel") == Some("stylesheet"));
    let tags: Vec<&str> = tags.collect();
    let Some(last) = tags.last() else {
        return Ok(());
    };
    let mut whole = String::new();
    let mut joined = page.clone();
    for tag in &tags {
        let address = attribute(tag, "href").unwrap_or_default();
        let sheet = folder.join(address.trim_start_matches("./"));
        whole += &fs::read_to_string(&sheet).map_err(|error| named(&sheet, &error))?;
        fs::remove_file(&sheet).map_err(|error| named(&sheet, &error))?;
        if tag != last {
            joined = joined.replacen(tag, "", 1);
        }
    }
    // Sheets lie beside each other, so what they name stays where it is.
    let address = attribute(last, "href").unwrap_or_default();
    let beside = address.rsplit_once('/').map_or(".", |(beside, _)| beside);
    let name = format!("{beside}/site-{}.css", offline::digest(whole.as_bytes()));
    write_file(folder, name.trim_start_matches("./"), whole.as_bytes())?;
    let joined = joined.replacen(last, &last.replace(address, &name), 1);
    write_file(folder, "index.html", joined.as_bytes())
}

/// What became of the wasm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimised {
    /// From so many bytes to so many.
    Yes(u64, u64),
    /// There is no optimiser, or only one too old.
    NoTool,
    /// It was not to be.
    Not,
}

/// Optimises every wasm in `folder` for size, in place. Names stay: the same input gives an equivalent output.
///
/// # Errors
/// The optimiser fails, or a wasm cannot be replaced.
pub fn optimise(project: &Path, folder: &Path) -> Result<Optimised, String> {
    let Some(tool) = optimiser(project) else {
        return Ok(Optimised::NoTool);
    };
    let assets = assets(folder)?;
    let chunks = assets.chunks.keys().map(|name| chunk_of(name));
    let names = assets.code_bytes.keys().chain(&assets.rests).cloned();
    let codes = names.chain(chunks).map(|name| assets.code(&name));
    let programs = std::iter::once(assets.wasm.clone()).chain(codes);
    let programs: Vec<PathBuf> = programs.map(|name| folder.join(name)).collect();
    // The optimiser keeps one processor busy; the largest program comes first.
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let (mut before, mut after) = (0, 0);
        let take = || programs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        while let Some(program) = take() {
            let (was, is) = optimise_one(&tool, program)?;
            (before, after) = (before + was, after + is);
        }
        Ok::<_, String>((before, after))
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let (mut before, mut after) = (0, 0);
        for worker in workers {
            let done = worker.join().map_err(|_| "an optimiser's thread ended")?;
            let (was, is) = done?;
            (before, after) = (before + was, after + is);
        }
        Ok(Optimised::Yes(before, after))
    })
}

/// Optimises one program in place; returns its bytes before and after.
fn optimise_one(tool: &Path, program: &Path) -> Result<(u64, u64), String> {
    let size = |path: &Path| fs::metadata(path).map_err(|error| named(path, &error));
    let made = program.with_extension("wasm.tmp");
    let before = size(program)?.len();
    let run = Command::new(tool)
        .args(OPTIMISATIONS)
        .args([
            "--enable-bulk-memory",
            "--enable-nontrapping-float-to-int",
            "--enable-sign-ext",
            "--enable-mutable-globals",
            "--enable-reference-types",
            "--enable-multivalue",
            "--output",
        ])
        .arg(&made)
        .arg(program)
        .output()
        .map_err(|error| named(tool, &error))?;
    if !run.status.success() {
        return Err(format!(
            "{} failed: {}",
            tool.display(),
            String::from_utf8_lossy(&run.stderr).trim()
        ));
    }
    fs::rename(&made, program).map_err(|error| named(program, &error))?;
    Ok((before, size(program)?.len()))
}

/// The optimiser of the browser tests' packages, or that of the system; none if too old.
fn optimiser(project: &Path) -> Option<PathBuf> {
    [
        project.join("tests/node_modules/.bin/wasm-opt"),
        PathBuf::from("wasm-opt"),
    ]
    .into_iter()
    .find(|tool| {
        Command::new(tool)
            .arg("--version")
            .output()
            .ok()
            .and_then(|run| version(&String::from_utf8_lossy(&run.stdout)))
            .is_some_and(|version| version >= BINARYEN_LEAST)
    })
}

/// The number in `wasm-opt version 132 (version_132)`.
fn version(said: &str) -> Option<u32> {
    said.strip_prefix("wasm-opt version ")?
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Writes a Brotli copy beside each file that hosts send compressed; returns (files, bytes before, bytes after).
///
/// # Errors
/// A file cannot be read or written.
pub fn compress(folder: &Path) -> Result<(usize, usize, usize), String> {
    let mut total = (0, 0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| named(&folder, &error))? {
            let path = entry.map_err(|error| named(&folder, &error))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let kind = path.extension().and_then(|kind| kind.to_str());
            let (Some(kind), Some(name)) = (kind, path.file_name()) else {
                continue;
            };
            if !COMPRESSED.contains(&kind) {
                continue;
            }
            let plain = fs::read(&path).map_err(|error| named(&path, &error))?;
            let packed = brotli(&plain).map_err(|error| named(&path, &error))?;
            if packed.len() + WORTHWHILE_BYTES > plain.len() {
                continue;
            }
            let mut name = name.to_owned();
            name.push(".br");
            let beside = path.with_file_name(name);
            fs::write(&beside, &packed).map_err(|error| named(&beside, &error))?;
            total = (total.0 + 1, total.1 + plain.len(), total.2 + packed.len());
        }
    }
    Ok(total)
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut writer =
        brotli::CompressorWriter::new(&mut packed, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(plain)?;
    writer.flush()?;
    drop(writer);
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, emptied before.
    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("loadlab-press-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn finds_the_one_program() {
        let folder = folder("assets");
        fs::write(folder.join("index.html"), "page").expect("written");
        assert!(assets(&folder).expect_err("none").contains("expected one"));
        fs::write(folder.join("site-1_bg.wasm"), [0; 9]).expect("written");
        assert!(
            assets(&folder)
                .expect_err("no script")
                .contains("site-1.js")
        );
        fs::write(folder.join("site-1.js"), "").expect("written");
        let found = assets(&folder).expect("complete");
        assert_eq!((found.script.as_str(), found.wasm_bytes), ("site-1.js", 9));
        assert!(found.code_bytes.is_empty(), "the program is whole");
        fs::write(folder.join("site-1_fan-out.wasm"), [0; 5]).expect("written");
        let cut = assets(&folder).expect("complete");
        assert_eq!(cut.code_bytes, [("fan-out".to_owned(), 5)].into());
        assert_eq!(cut.code("fan-out"), "site-1_fan-out.wasm");
        let rests = [rest_of(&chunk_of("system")), REST.to_owned()];
        for name in [rests[0].as_str(), REST, &chunk_of("system")] {
            fs::write(folder.join(cut.code(name)), [0; 5]).expect("written");
        }
        let held_back = assets(&folder).expect("complete");
        assert_eq!(held_back.code_bytes, cut.code_bytes);
        assert_eq!(held_back.rests, rests.into());
        let (name, chunk) = held_back.chunks.first_key_value().expect("a chunk");
        assert_eq!((name.as_str(), chunk.bytes), ("system", 5));
        assert!(folder.join("site-1_system.chunk.rest.wasm").is_file());
        fs::write(folder.join("site-2_bg.wasm"), [0; 9]).expect("written");
        assert!(assets(&folder).is_err(), "two");
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn compressed_copies_unpack_to_the_same() {
        let folder = folder("compress");
        fs::create_dir(folder.join("l")).expect("made");
        let text = "<p>again and again</p>".repeat(100);
        fs::write(folder.join("l/index.html"), &text).expect("written");
        fs::write(folder.join("short.svg"), "<svg/>").expect("written");
        fs::write(folder.join("font.woff2"), &text).expect("written");
        assert_eq!(compress(&folder).map(|(files, ..)| files), Ok(1));
        let packed = fs::read(folder.join("l/index.html.br")).expect("written");
        let mut plain = Vec::new();
        io::copy(
            &mut brotli::Decompressor::new(&packed[..], 4096),
            &mut plain,
        )
        .expect("unpacks");
        assert_eq!(plain, text.as_bytes());
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn one_sheet_stands_for_all() {
        let folder = folder("sheets");
        let page = "<link rel=\"icon\" href=\"./i.svg\">\n<link rel=\"stylesheet\" href=\"./style/a-1.css\">\n\
            <link rel=\"stylesheet\" href=\"./style/b-2.css\">\n<p>";
        write_file(&folder, "index.html", page.as_bytes()).expect("written");
        assert!(
            join_sheets(&folder)
                .expect_err("missing")
                .contains("a-1.css")
        );
        write_file(&folder, "style/a-1.css", b"a { src: url(\"../f\") }\n").expect("written");
        write_file(&folder, "style/b-2.css", b"b { c: d }\n").expect("written");
        join_sheets(&folder).expect("complete");
        let files = read(&folder).expect("readable");
        let sheets: Vec<_> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".css"))
            .collect();
        let [(path, sheet)] = sheets[..] else {
            panic!("one sheet, not {sheets:?}")
        };
        assert_eq!(sheet, b"a { src: url(\"../f\") }\nb { c: d }\n");
        let joined = String::from_utf8_lossy(&files["index.html"]);
        let link = format!("<link rel=\"stylesheet\" href=\"./{path}\">\n<p>");
        assert!(
            joined.ends_with(&link) && joined.matches("stylesheet").count() == 1,
            "{joined}"
        );
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn reads_the_version_of_the_optimiser() {
        assert_eq!(version("wasm-opt version 132 (version_132)\n"), Some(132));
        assert_eq!(version("wasm-opt version 108"), Some(108));
        assert_eq!(version("something else"), None);
    }
}
