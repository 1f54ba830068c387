//! Where this program is cut: which of its functions are doors, which belong to a family, and which no start runs.

use crate::pages::CATALOGUE;
use crate::split::{self, Cuts, Pieces};
use std::collections::{BTreeMap, BTreeSet};

/// A layer of the lessons that some of them stand on and others do not: these share its code as one chunk.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The name of its chunk, a word of small letters.
    pub name: &'static str,
    /// The module whose functions it is made of, and those that are made for its types.
    pub path: &'static str,
}

/// Every family. A module that does not exist has no functions, and so no chunk.
pub const FAMILIES: [Family; 3] = [
    Family {
        name: "system",
        path: "loadlab_kit::system",
    },
    Family {
        name: "cluster",
        path: "loadlab_kit::cluster",
    },
    Family {
        name: "bench",
        path: "loadlab_kit::bench",
    },
];

/// The name of a symbol, without the digests that tell crates and equal names apart.
pub fn name(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// A name for readers: the types within angle brackets stand without their modules.
pub fn short_name(symbol: &str) -> String {
    shortened(&name(symbol))
}

fn shortened(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let (mut depth, mut path) = (0, 0);
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() || c == '_' {
            out.push(c);
            continue;
        }
        if c == ':' && rest.next_if_eq(&':').is_some() {
            let goes_on = rest.peek().is_some_and(|c| c.is_alphabetic() || *c == '_');
            if depth > 0 && goes_on && path < out.len() {
                out.truncate(path);
                continue;
            }
            out.push_str("::");
        } else {
            match c {
                '<' => depth += 1,
                '>' if !out.ends_with('-') => depth -= 1,
                _ => {}
            }
            out.push(c);
        }
        path = out.len();
    }
    out
}

/// How the names of the crates begin that have lessons, and the one of what they share.
const LESSONS: [&str; 2] = ["loadlab_lessons", "loadlab_kit"];
/// How the names of the functions begin that open a lesson.
const LESSON_DOOR: &str = "loadlab_kit::listing::open";
/// The name of the function that opens the catalogue.
const CATALOGUE_DOOR: &str = "loadlab_site::catalogue::open";

/// Whether this is the symbol of a function that opens a lesson or the catalogue, which is where the program is cut.
fn is_door(symbol: &str) -> bool {
    let name = name(symbol);
    name.starts_with(LESSON_DOOR) || name == CATALOGUE_DOOR
}

/// The place in [`FAMILIES`] of the family that a function with this symbol belongs to: it is of its module, or made for
/// one of its types.
fn family(symbol: &str) -> Option<usize> {
    let name = name(symbol);
    let in_path = |c: char| c.is_alphanumeric() || c == '_';
    let of = |family: &Family| {
        let found = name.match_indices(family.path);
        let mut ends = found.map(|(at, _)| &name[at + family.path.len()..]);
        ends.any(|after| !after.starts_with(in_path))
    };
    FAMILIES.iter().position(of)
}

/// The names of the parts behind doors with these symbols; lessons stand in the order of the catalogue.
///
/// # Errors
/// There are more or fewer of them than lessons.
pub fn part_names<'a>(doors: &[&str], slugs: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let mut lessons = slugs.iter().copied();
    let names: Option<Vec<_>> = doors
        .iter()
        .map(|symbol| match name(symbol).starts_with(LESSON_DOOR) {
            true => lessons.next(),
            false => Some(CATALOGUE),
        })
        .collect();
    names.filter(|_| lessons.next().is_none()).ok_or_else(|| {
        let opened = doors
            .iter()
            .filter(|symbol| name(symbol).starts_with(LESSON_DOOR));
        let (opened, listed) = (opened.count(), slugs.len());
        format!("the program opens {opened} lessons, the catalogue has {listed}")
    })
}

/// What no start of a page runs, as `make starts` found it, and what few run: names of functions, one a line; behind those of
/// the latter, the pages that run it. What is new since, or has another name, stays where it is called, which is merely
/// larger; what is gone does no harm. No lesson's own function stands in it: of what is made for a lesson's types it has
/// kinds, with `_` in their place, which hold for lessons that are not written yet.
const LATE: &str = include_str!("split/late.txt");
/// What of its own part no start of a lesson runs: behind the slug in brackets the names of its functions, one a line.
const LATE_IN_PARTS: &str = include_str!("split/late_in_parts.txt");
/// What more pages' starts than this run is there for all.
const FEW: usize = 12;
/// Smaller functions of a lesson's own are not worth a line.
const LISTED_BYTES: u32 = 64;

/// Behind each name of a list, the words of its line.
fn lines(list: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    list.lines().map(|line| {
        let (name, pages) = line.split_once('\t').unwrap_or((line, ""));
        (name, pages.split_whitespace().collect())
    })
}

/// By page, what of its part is late.
fn sections(list: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut sections: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut page = "";
    for line in list.lines() {
        match line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            Some(slug) => page = slug,
            None => {
                sections.entry(page).or_default().insert(line);
            }
        }
    }
    sections
}

/// The page that a door opens: a lesson's slug, which its module is called after, or the catalogue.
fn page_of(door: &str) -> String {
    let name = name(door);
    let lesson = LESSONS.iter().find_map(|of| name.split_once(of));
    let Some((_, path)) = lesson else {
        return CATALOGUE.to_owned();
    };
    let in_name = |c: char| c == '_' || c.is_alphanumeric();
    let module = path.split("::").nth(1).unwrap_or_default();
    module
        .split(|c| !in_name(c))
        .next()
        .unwrap_or_default()
        .replace('_', "-")
}

/// The name under which the list may have a function of a part: its own, or its kind where it is made for a lesson's types.
/// `None` for a lesson's own function.
fn kind(symbol: &str) -> Option<String> {
    let name = name(symbol);
    let of_lessons = |name: &str| LESSONS.iter().any(|of| name.contains(of));
    if !of_lessons(&name) {
        return Some(shortened(&name));
    }
    let mut out = String::with_capacity(name.len());
    // Within a list of what something is made for, how deep.
    let mut within = 0;
    for c in name.chars() {
        let in_name = |c: char| c == ':' || c == '_' || c.is_alphanumeric();
        match c {
            '<' if within > 0 || out.ends_with(in_name) => {
                if within == 0 {
                    out += "<_>";
                }
                within += 1;
            }
            '>' if within > 0 => within -= 1,
            _ if within > 0 => {}
            _ => out.push(c),
        }
    }
    (!of_lessons(&out)).then(|| shortened(&out))
}

/// So many pieces may hold copies of one node. A copy costs those who go from one of these lessons to another; the core costs
/// everybody.
const COPIES_MOST: usize = 6;
/// What is larger than this, in bytes as linked, is not copied into several lessons' files: who goes from one of them to
/// another would fetch it again. The largest copy so far are the letters of all scripts in small, 11,696 bytes.
const COPIED_BYTES_MOST: usize = 16_384;

/// Cuts a linked program as the site wants it; `None` if it was linked without `--emit-relocs`. `whole` leaves each piece
/// together with its rest and keeps the symbols of functions, which is what [`late`] reads.
///
/// # Errors
/// Those of [`split::split`].
pub fn pieces(linked: &[u8], whole: bool) -> Result<Option<Pieces>, String> {
    let known: BTreeMap<&str, Vec<&str>> = lines(LATE).collect();
    let in_parts = sections(LATE_IN_PARTS);
    let cuts = Cuts {
        door: &is_door,
        families: FAMILIES.len(),
        family: &family,
        copies_most: COPIES_MOST,
        copied_bytes_most: COPIED_BYTES_MOST,
        late: &|symbol, door| {
            let Some(door) = door else {
                return !whole && known.contains_key(short_name(symbol).as_str());
            };
            let of_all = |kind: String| known.get(kind.as_str()).is_some_and(Vec::is_empty);
            let own = || {
                let late = in_parts.get(page_of(door).as_str());
                late.is_some_and(|late| late.contains(short_name(symbol).as_str()))
            };
            !whole && (kind(symbol).is_some_and(of_all) || own())
        },
        run_by: &|symbol, door| {
            let pages = known.get(short_name(symbol).as_str());
            pages.is_some_and(|pages| !pages.is_empty() && pages.contains(&&*page_of(door)))
        },
        names: whole,
    };
    split::split(linked, &cuts)
}

/// A function that was run: its index and its size in bytes.
pub type Run = (u32, u32);

/// What `make starts` measured, as the lists say it, and how many bytes were run.
#[derive(Debug)]
pub struct Lists {
    /// What [`LATE`] is to hold.
    pub late: String,
    /// What [`LATE_IN_PARTS`] is to hold.
    pub in_parts: String,
    /// Bytes that any start ran.
    pub run_bytes: u32,
}

/// The lists of what is late in a program that was published whole: of core and chunks, and of parts by the page they are of.
/// `run` has what the starts of each page ran; those of all pages under the name `*`. Functions are told by index and
/// size; those of other pieces may be among them.
///
/// # Errors
/// A piece is damaged or has no names.
pub fn late(
    shared: &[Vec<u8>],
    parts: &BTreeMap<&str, Vec<u8>>,
    run: &BTreeMap<String, BTreeSet<Run>>,
) -> Result<Lists, String> {
    let any: BTreeSet<Run> = run.values().flatten().copied().collect();
    let mut run_bytes = 0;
    // By name, whose starts run it. Several functions can have one name; one that is run keeps the others with it.
    let mut pages: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for piece in shared {
        for (index, (symbol, size)) in split::functions(piece)? {
            let of = pages.entry(short_name(symbol)).or_default();
            let run = run.iter().filter(|(_, run)| run.contains(&(index, size)));
            of.extend(run.map(|(page, _)| page.as_str()));
            run_bytes += if any.contains(&(index, size)) {
                size
            } else {
                0
            };
        }
    }
    let needed = |pages: &BTreeSet<&str>| pages.contains(EVERY) || pages.len() > FEW;
    let early = pages.iter().filter(|(_, pages)| needed(pages));
    let early: BTreeSet<String> = early.map(|(name, _)| name.clone()).collect();
    pages.retain(|_, pages| !needed(pages));
    // Of parts, kinds that none of them runs are as late as what no start runs of the core.
    let (mut first, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for piece in parts.values() {
        for (index, (symbol, size)) in split::functions(piece)? {
            let ran = any.contains(&(index, size));
            run_bytes += if ran { size } else { 0 };
            if let Some(kind) = kind(symbol) {
                if ran { &mut first } else { &mut kinds }.insert(kind);
            }
        }
    }
    // What the core has of the same name and its starts run stays.
    for kind in kinds
        .difference(&first)
        .filter(|kind| !early.contains(*kind))
    {
        pages.entry(kind.clone()).or_default();
    }
    // The same name may be run in a part, which then keeps it, as in a chunk or the core.
    for kind in &first {
        if pages.get(kind).is_some_and(BTreeSet::is_empty) {
            pages.remove(kind);
        }
    }
    let mut late = String::new();
    for (name, pages) in &pages {
        late += name;
        if !pages.is_empty() {
            late += "\t";
            late += &pages.iter().copied().collect::<Vec<_>>().join(" ");
        }
        late += "\n";
    }
    let mut in_parts = String::new();
    for (&page, piece) in parts {
        let (mut first, mut late) = (BTreeSet::new(), BTreeSet::new());
        for (index, (symbol, size)) in split::functions(piece)? {
            let ran = [page, EVERY].iter().any(|page| {
                let run = run.get(*page);
                run.is_some_and(|run| run.contains(&(index, size)))
            });
            let of_all =
                kind(symbol).is_some_and(|kind| pages.get(&kind).is_some_and(BTreeSet::is_empty));
            if ran {
                first.insert(short_name(symbol));
            } else if !of_all && size >= LISTED_BYTES {
                late.insert(short_name(symbol));
            }
        }
        in_parts += &format!("[{page}]\n");
        for name in late.difference(&first) {
            in_parts += name;
            in_parts += "\n";
        }
    }
    Ok(Lists {
        late,
        in_parts,
        run_bytes,
    })
}

/// The name under which stands what the starts of all pages may run.
pub const EVERY: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_after_their_doors() {
        let lesson = "_RINvNtCs1_11loadlab_kit7listing4openNtCs2_7lessons1LEB2_";
        let catalogue = "_RNvNtCs1_12loadlab_site9catalogue4open";
        assert!(is_door(lesson) && is_door(catalogue));
        assert!(!is_door("_RNvNtCs1_12loadlab_site9catalogue6opener"));
        let named = part_names(&[lesson, catalogue, lesson], &["a", "b"]);
        assert_eq!(named, Ok(vec!["a", CATALOGUE, "b"]));
        for slugs in [&["a"][..], &["a", "b", "c"]] {
            assert!(part_names(&[lesson, catalogue, lesson], slugs).is_err());
        }
    }

    #[test]
    fn a_family_is_a_module_and_what_is_made_for_its_types() {
        let draw = "_RNvNtCs1_11loadlab_kit6system4draw";
        assert_eq!(name(draw), "loadlab_kit::system::draw");
        assert_eq!(family(draw), Some(0));
        // `engine::step::<loadlab_kit::cluster::Net>`, made in any crate.
        let made = "_RINvCs1_6engine4stepNtNtCs2_11loadlab_kit7cluster3NetECs3_4site";
        assert_eq!(name(made), "engine::step::<loadlab_kit::cluster::Net>");
        assert_eq!(family(made), Some(1));
        assert_eq!(family("_RNvNtCs1_11loadlab_kit7systems4draw"), None);
        assert_eq!(family("_RNvCs1_11loadlab_kit4draw"), None);
    }

    #[test]
    fn a_short_name_keeps_its_own_path_and_drops_those_of_types() {
        let made = "_RINvCs1_6engine4stepNtNtCs2_11loadlab_kit7cluster3NetECs3_4site";
        assert_eq!(short_name(made), "engine::step::<Net>");
        // Names that are no symbols stand as they are, so a list can be read back.
        for (name, short) in [
            (
                "<a::B<c::d::E, fn(f::G) -> h::I> as j::K>::l::{closure#0}",
                "<B<E, fn(G) -> I> as K>::l::{closure#0}",
            ),
            (
                "a::b::<c::d::{closure#1}::{closure#0}>",
                "a::b::<d::{closure#1}::{closure#0}>",
            ),
            ("<<a::B>::c as d::E>::f", "<<B>::c as E>::f"),
        ] {
            assert_eq!(short_name(name), short);
            assert_eq!(short_name(short), short);
        }
    }

    #[test]
    fn a_kind_is_the_same_for_every_lesson_and_no_lessons_own() {
        for lesson in ["fan_out::FanOut", "caching::Remembering"] {
            let run = format!("loadlab_engine::run::Run<loadlab_lessons::{lesson}>");
            for (name, listed) in [
                (
                    format!("<{run} as loadlab_engine::show::Show>::audit"),
                    Some("<Run<_> as Show>::audit"),
                ),
                (
                    format!("core::sort::<u8, <{run}>::a::{{closure#0}}>"),
                    Some("core::sort::<_>"),
                ),
                (
                    format!("<loadlab_lessons::{lesson} as engine::Model>::step::<u8>"),
                    None,
                ),
            ] {
                assert_eq!(kind(&name).as_deref(), listed);
            }
        }
        let of_library = "core::sort::<u8, <u8 as core::cmp::Ord>::lt>";
        assert_eq!(
            kind(of_library).as_deref(),
            Some("core::sort::<u8, <u8 as Ord>::lt>")
        );
    }

    /// A piece with functions of these names, each a byte longer than the one before.
    fn piece(names: &[&str]) -> Vec<u8> {
        use wasm_encoder::{
            CodeSection, Function, FunctionSection, Module, NameMap, NameSection, TypeSection,
        };
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let mut map = NameMap::new();
        for (at, name) in names.iter().enumerate() {
            functions.function(0);
            let mut body = Function::new([]);
            for _ in 0..at {
                body.instructions().nop();
            }
            body.instructions().end();
            code.function(&body);
            map.append(at as u32, name);
        }
        let mut said = NameSection::new();
        said.functions(&map);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        module.section(&said);
        module.finish()
    }

    #[test]
    fn what_no_part_runs_is_late_unless_many_starts_run_the_cores() {
        let sort = "core::sort::<u8, <u8 as core::cmp::Ord>::lt>";
        let shared = [piece(&["site::begin", sort, "site::end"])];
        let part = piece(&["a::own", "a::other", "a::more", sort]);
        let parts = BTreeMap::from([("a", part)]);
        // Of the core's functions, by place: the bodies have a byte of locals, one of the end, and their own.
        let listed = |pages: usize, place: u32| {
            let run = (0..pages).map(|page| (format!("page-{page}"), [(place, 2 + place)].into()));
            let lists = late(&shared, &parts, &run.collect()).expect("readable");
            let short = short_name(sort);
            let of = lines(&lists.late).find(|(name, _)| *name == short);
            of.map(|(_, pages)| pages.len())
        };
        assert_eq!(listed(FEW + 1, 1), None, "many starts run it");
        assert_eq!(listed(2, 1), Some(2), "two starts have copies of it");
        assert_eq!(listed(FEW + 1, 0), Some(0), "nobody runs it");
    }

    #[test]
    fn the_list_of_what_is_late_is_sorted_and_names_no_digests() {
        let names: Vec<&str> = lines(LATE).map(|(name, _)| name).collect();
        assert!(names.is_sorted(), "run `make starts`, or sort the file");
        assert!(names.iter().all(|name| short_name(name) == *name));
        for late in sections(LATE_IN_PARTS).values() {
            assert!(late.iter().all(|name| short_name(name) == *name));
        }
        // An algorithm may bear the name of the lesson about it.
        let late = LATE.replace("loadlab_algorithms::", "");
        let lessons = lessons::CATALOGUE.iter().map(|entry| entry.card.slug);
        for path in lessons.map(|slug| format!("::{}::", slug.replace('-', "_"))) {
            assert!(!late.contains(&path), "{path}");
        }
    }
}
