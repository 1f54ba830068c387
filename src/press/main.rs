//! The command line of press.

use loadlab_press::packages::{self, Choice, Kind};
use loadlab_press::publish::{self, Optimised};
use loadlab_press::{board, check, cuts, new, pages, serve, share, sources, weigh};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
press pages [DIR] [--compress]   write pages, words and stills into a site that Trunk built
                                 (default: TRUNK_STAGING_DIR; in a release build also optimises and compresses;
                                 LOADLAB_HOME=https://host/base/ makes the addresses in previews absolute)
press serve [DIR] [--port N] [--base PATH] [--open]
                                 serve a built site (default: dist) without any fallback
press single SLUG [OUT] [--query QUERY] [--site DIR]
                                 one lesson as one HTML file that runs without a server (default: SLUG.html); QUERY is what
                                 the Embed dialog writes after the question mark of an address
press scorm SLUG,… [OUT] [--version 1.2|2004|cmi5] [--pass PERCENT] [--query QUERY] [--site DIR]
                                 lessons as a SCORM or cmi5 package; an OUT that ends in / becomes a folder
                                 (default: SLUG-scorm-VERSION.zip); with --pass so many
                                 per cent of its questions answered rightly pass; QUERY is for the first lesson, and what of
                                 it is not about that lesson alone for all
press cartridge SLUG,… [OUT] [--home URL] [--query QUERY] [--site DIR]
                                 links to lessons as a Common Cartridge (default: SLUG.imscc), to the site at URL
                                 (default: LOADLAB_HOME)
press split WASM DIR             cut a program that was linked with --emit-relocs, say what each piece weighs, and list
                                 each piece's functions with their sizes beside it, the largest first
press late DIR                   write src/press/split/late.txt and late_in_parts.txt: what no start runs, or few do, from the functions that starts ran, a page, an index and a size a line on standard input, of a site built with
                                 LOADLAB_WHOLE=1 (see make starts)
press weigh [DIR]                what each lesson's page moves over the wire; fails where that is too much (default: dist)
press new SLUG --layer LAYER     write the folder of a new lesson that already runs, on one of the layers system, events, cluster, bench and flow
press draw SLUG [OUT] [--seed N] a lesson's stage at every beat as one page, wide and narrow, with what is wrong in it
                                 (default: target/SLUG.html); needs no built site
press check                      list missing and unused words of every lesson";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("pages") => write_pages(&args[1..]),
        Some("serve") => serve_options(&args[1..])
            .and_then(|options| serve::serve(&options).map_err(|error| error.to_string())),
        Some("single") => single(&args[1..]),
        Some("scorm") => scorm(&args[1..]),
        Some("cartridge") => cartridge(&args[1..]),
        Some("split") => split_all(&args[1..]),
        Some("late") => late(&args[1..]),
        Some("weigh") => weigh_all(&args[1..]),
        Some("new") => new_lesson(&args[1..]),
        Some("draw") => draw(&args[1..]),
        Some("check") => check_all(),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write_pages(args: &[String]) -> Result<(), String> {
    let project = sources::project();
    let folder = args
        .iter()
        .find(|arg| !arg.starts_with("--"))
        .cloned()
        .or_else(|| std::env::var("TRUNK_STAGING_DIR").ok())
        .map(PathBuf::from)
        .ok_or("press pages: name the folder, or let Trunk run it")?;
    let release = std::env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "release")
        || args.iter().any(|arg| arg == "--compress");
    let mut needs = publish::Needs::new();
    if release {
        let whole = std::env::var("LOADLAB_WHOLE").is_ok_and(|whole| whole == "1");
        match publish::cut(&folder, &sources::linked(&project)?, &slugs(), whole)? {
            Ok(told) => needs = told,
            Err(why) => {
                eprintln!("press: the program stays whole, which is merely larger: {why}");
            }
        }
        // The optimiser would merge functions and give them new numbers.
        let optimised = match whole {
            true => Optimised::Not,
            false => publish::optimise(&project, &folder)?,
        };
        publish::terse(&folder)?;
        if !publish::minify(&project, &folder)? {
            eprintln!("press: no terser, so scripts are merely larger");
        }
        publish::join_sheets(&folder)?;
        match optimised {
            Optimised::Not => {}
            Optimised::Yes(before, after) => eprintln!(
                "press: wasm {} KB, {} KB after wasm-opt",
                before / 1024,
                after / 1024
            ),
            Optimised::NoTool => eprintln!(
                "press: no wasm-opt of version 116 or newer, so the site is merely larger"
            ),
        }
    }
    let mut site = sources::site(&project, lessons::CATALOGUE)?;
    site.home = share::home(std::env::var("LOADLAB_HOME").ok().as_deref())?;
    if site.home.is_none() && release {
        eprintln!("press: {}", share::HOMELESS);
    }
    let files = publish::write(&site, &folder, &project.join("target/press"), &needs)?;
    eprintln!("press: {files} files, {} lessons", site.lessons.len());
    if release {
        let (files, before, after) = publish::compress(&folder)?;
        eprintln!(
            "press: {files} compressed copies, {} KB instead of {} KB",
            after / 1024,
            before / 1024
        );
    }
    Ok(())
}

fn new_lesson(args: &[String]) -> Result<(), String> {
    let (slug, layer) = match args {
        [slug, flag, layer] | [flag, layer, slug] if flag == "--layer" => (slug, layer),
        _ => return Err("press new: say press new SLUG --layer LAYER".to_owned()),
    };
    for file in new::lesson(&sources::project(), slug, layer)? {
        eprintln!("press: {file}");
    }
    Ok(())
}

fn draw(args: &[String]) -> Result<(), String> {
    let project = sources::project();
    let (mut names, mut seed) = (Vec::new(), 1);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seed" => {
                let number = args.next().and_then(|number| number.parse().ok());
                seed = number.ok_or("press draw: --seed wants a whole number")?;
            }
            name => names.push(name),
        }
    }
    let slug = *names.first().ok_or("press draw: name the lesson")?;
    let templates = lessons::TEMPLATES.iter().map(|(_, entry)| entry);
    let entry = lessons::CATALOGUE
        .iter()
        .chain(templates)
        .find(|entry| entry.card.slug == slug);
    let entry = entry.ok_or_else(|| {
        format!(
            "press draw: there is no lesson `{slug}`; there are {}",
            slugs().join(", ")
        )
    })?;
    let words = sources::read(&project, &sources::lesson_file(slug))?.to_words();
    let page = board::html(entry, &words.into(), seed);
    let out = names
        .get(1)
        .map_or_else(|| format!("target/{slug}.html"), |out| (*out).to_owned());
    publish::write_file(&project, &out, page.as_bytes())?;
    eprintln!("press: {out}");
    Ok(())
}

/// The lessons in the order of the catalogue.
fn slugs() -> Vec<&'static str> {
    lessons::CATALOGUE
        .iter()
        .map(|entry| entry.card.slug)
        .collect()
}

fn late(args: &[String]) -> Result<(), String> {
    let folder = Path::new(
        args.first()
            .ok_or("press late: name the folder of the site")?,
    );
    let run = std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
    let mut pages: BTreeMap<String, BTreeSet<cuts::Run>> = BTreeMap::new();
    for line in run.lines() {
        let mut words = line.split(' ');
        let mut word = || {
            words
                .next()
                .ok_or("press late: expected lines of a page, an index and a size")
        };
        let (page, index, size) = (word()?, word()?.parse(), word()?.parse());
        let run = (index.map_err(|_| line)?, size.map_err(|_| line)?);
        pages.entry(page.to_owned()).or_default().insert(run);
    }
    if pages.is_empty() {
        return Err("press late: no function was run, so nothing was measured".to_owned());
    }
    let assets = publish::assets(folder)?;
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let chunks = assets.chunks.keys().map(|name| pages::chunk_of(name));
    let shared = chunks.map(|name| assets.code(&name));
    let shared = shared.chain([assets.wasm.clone()]).map(|name| read(&name));
    let shared = shared.collect::<Result<Vec<_>, _>>()?;
    let parts = assets.code_bytes.keys();
    let parts = parts.map(|page| Ok::<_, String>((page.as_str(), read(&assets.code(page))?)));
    let parts = parts.collect::<Result<_, _>>()?;
    let lists = cuts::late(&shared, &parts, &pages)?;
    eprintln!(
        "press: {} bytes are run, {} names are late",
        lists.run_bytes,
        lists.late.lines().count()
    );
    for (name, list) in [("late", lists.late), ("late_in_parts", lists.in_parts)] {
        let path = format!("src/press/split/{name}.txt");
        publish::write_file(&sources::project(), &path, list.as_bytes())?;
    }
    Ok(())
}

fn weigh_all(args: &[String]) -> Result<(), String> {
    let folder = args.first().map_or("dist", String::as_str);
    let (table, heavy) = weigh::table(&weigh::weigh(&publish::read(Path::new(folder))?)?);
    eprint!("{table}");
    if heavy.is_empty() {
        return Ok(());
    }
    // Of the site the names are gone; the linker's program of the last release build has them.
    let linked = std::fs::read(sources::linked(&sources::project())?).unwrap_or_default();
    let pieces = cuts::pieces(&linked, false).ok().flatten();
    for excess in heavy {
        eprintln!("press weigh: {}", excess.said);
        for piece in &excess.pieces {
            match &pieces {
                Some(pieces) => eprint!(
                    "largest of {piece}, in bytes as linked:\n{}",
                    weigh::largest(pieces, &slugs(), piece)?
                ),
                None => eprintln!(
                    "(a release build on this machine would tell what {piece} is made of)"
                ),
            }
        }
    }
    Err("press weigh: something is too heavy".to_owned())
}

fn split_all(args: &[String]) -> Result<(), String> {
    let [wasm, folder] = args else {
        return Err("press split: name the program and a folder".to_owned());
    };
    let linked = std::fs::read(wasm).map_err(|error| format!("{wasm}: {error}"))?;
    let pieces = cuts::pieces(&linked, false)?
        .ok_or("press split: this program was linked without --emit-relocs")?;
    let doors: Vec<&str> = pieces.parts.iter().map(|part| part.door.as_str()).collect();
    let names = cuts::part_names(&doors, &slugs())?;
    let chunks = pieces.chunks.iter();
    let chunks = chunks.map(|chunk| {
        (
            pages::chunk_of(cuts::FAMILIES[chunk.family].name),
            &chunk.code,
        )
    });
    let parts = names.iter().map(|name| (*name).to_owned());
    let parts = parts.zip(pieces.parts.iter().map(|part| &part.code));
    let folder = Path::new(folder);
    for (name, code) in [("core".to_owned(), &pieces.core)]
        .into_iter()
        .chain(chunks)
        .chain(parts)
    {
        eprint!("press: {name} {} KB", code.first.len() / 1024);
        publish::write_file(folder, &format!("{name}.wasm"), &code.first)?;
        if let Some(rest) = &code.rest {
            eprint!(", its rest {} KB", rest.len() / 1024);
            publish::write_file(folder, &format!("{}.wasm", pages::rest_of(&name)), rest)?;
        }
        eprintln!();
        let mut functions: Vec<_> = code.functions.iter().collect();
        functions.sort_unstable_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let list: String = functions
            .iter()
            .map(|(symbol, bytes)| format!("{bytes} {}\n", cuts::short_name(symbol)))
            .collect();
        publish::write_file(folder, &format!("{name}.txt"), list.as_bytes())?;
    }
    Ok(())
}

fn serve_options(args: &[String]) -> Result<serve::Options, String> {
    let mut options = serve::Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || {
            args.next()
                .ok_or(format!("press serve: {arg} needs a value"))
        };
        match arg.as_str() {
            "--port" => {
                let port = value()?;
                options.port = port
                    .parse()
                    .map_err(|_| format!("press serve: `{port}` is no port"))?;
            }
            "--base" => options.base = value()?.clone(),
            "--open" => options.open = true,
            unknown if unknown.starts_with('-') => {
                return Err(format!("press serve: unknown option {unknown}\n\n{HELP}"));
            }
            folder => options.folder = PathBuf::from(folder),
        }
    }
    Ok(options)
}

/// What `single`, `scorm` and `cartridge` are asked for.
struct Order {
    slugs: Vec<String>,
    out: Option<String>,
    kind: Kind,
    pass: Option<u8>,
    query: String,
    home: Option<String>,
    site: packages::Files,
}

impl Order {
    /// The name of a file whose name nobody chose.
    fn out(&self, end: &str) -> String {
        let name = match &self.slugs[..] {
            [slug] => slug,
            _ => "course",
        };
        self.out.clone().unwrap_or(format!("{name}{end}"))
    }
}

fn order(args: &[String]) -> Result<Order, String> {
    let mut plain = Vec::new();
    let (mut kind, mut site) = (Kind::Scorm12, "dist".to_owned());
    let (mut pass, mut query, mut home) = (None, String::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("press: {arg} needs a value"));
        match arg.as_str() {
            "--pass" => {
                let asked = value()?;
                let percent = asked.parse().ok().filter(|percent| *percent <= 100);
                pass = Some(percent.ok_or(format!(
                    "press: `{asked}` is no pass mark; 0 to 100 per cent are"
                ))?);
            }
            "--site" => site.clone_from(value()?),
            "--home" => home = Some(value()?.clone()),
            "--query" => {
                let asked = contract::parse(value()?.trim_start_matches('?'));
                if !asked.warnings.is_empty() {
                    return Err(format!("press: {}", asked.warnings.join("; ")));
                }
                query = asked.query();
            }
            "--version" => {
                let asked = value()?;
                kind = Kind::parse(asked).ok_or(format!(
                    "press: `{asked}` is no kind of package; 1.2, 2004 and cmi5 are"
                ))?;
            }
            unknown if unknown.starts_with('-') => {
                return Err(format!("press: unknown option {unknown}\n\n{HELP}"));
            }
            other => plain.push(other.to_owned()),
        }
    }
    let mut plain = plain.into_iter();
    let slugs = plain.next().ok_or("press: name the lesson")?;
    let mut slugs: Vec<String> = slugs.split(',').map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    slugs.retain(|slug| seen.insert(slug.clone()));
    Ok(Order {
        slugs,
        out: plain.next(),
        kind,
        pass,
        query,
        home,
        site: publish::read(Path::new(&site))?,
    })
}

fn single(args: &[String]) -> Result<(), String> {
    let order = order(args)?;
    let [slug] = &order.slugs[..] else {
        return Err("press: one file holds one lesson".to_owned());
    };
    let page = packages::single(&order.site, slug, &order.query)?;
    let out = order.out(".html");
    publish::write_file(Path::new(""), &out, page.as_bytes())?;
    eprintln!("press: {out}, {} KB", page.len() / 1024);
    Ok(())
}

fn put_package(out: &str, files: &packages::Files) -> Result<(), String> {
    if out.ends_with('/') {
        for (path, bytes) in files {
            publish::write_file(Path::new(out), path, bytes)?;
        }
        return Ok(());
    }
    publish::write_file(Path::new(""), out, &packages::zip(files)?)
}

fn scorm(args: &[String]) -> Result<(), String> {
    let order = order(args)?;
    let slugs: Vec<&str> = order.slugs.iter().map(String::as_str).collect();
    let choice = Choice {
        slugs: &slugs,
        query: &order.query,
        pass: order.pass,
    };
    let files = packages::package(&order.site, order.kind, &choice)?;
    let name = match order.kind {
        Kind::Cmi5 => "cmi5".to_owned(),
        kind => format!("scorm-{}", kind.name()),
    };
    let out = order.out(&format!("-{name}.zip"));
    put_package(&out, &files)?;
    eprintln!("press: {out}, {} files, {name}", files.len());
    Ok(())
}

fn cartridge(args: &[String]) -> Result<(), String> {
    let order = order(args)?;
    let home = order.home.clone().or(std::env::var("LOADLAB_HOME").ok());
    let home = share::home(home.as_deref())?;
    let home = home.ok_or("press: say where the site is with --home https://host/base/")?;
    let home = format!("{}/", home.trim_end_matches('/'));
    let slugs: Vec<&str> = order.slugs.iter().map(String::as_str).collect();
    let choice = Choice {
        slugs: &slugs,
        query: &order.query,
        pass: None,
    };
    let files = packages::cartridge(&order.site, &home, &choice)?;
    let out = order.out(".imscc");
    put_package(&out, &files)?;
    eprintln!("press: {out}, {} links to {home}", files.len() - 1);
    Ok(())
}

fn check_all() -> Result<(), String> {
    let project = sources::project();
    let site = sources::site(&project, lessons::CATALOGUE)?;
    let mut wrong = Vec::new();
    match share::home(std::env::var("LOADLAB_HOME").ok().as_deref()) {
        Ok(Some(home)) => eprintln!("press: previews in other sites will name {home}"),
        Ok(None) => eprintln!("press: {}", share::HOMELESS),
        Err(error) => wrong.push(error),
    }
    for (entry, page) in lessons::CATALOGUE.iter().zip(&site.lessons) {
        wrong.extend(check::lesson(&project, entry, &page.texts, &site.chapters));
    }
    if wrong.is_empty() {
        eprintln!(
            "press: the words of {} lessons are complete",
            site.lessons.len()
        );
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}
