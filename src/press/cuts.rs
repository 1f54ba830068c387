//! Where this program is cut: which of its functions are doors, which belong to a family, and which no start runs.

use crate::pages::CATALOGUE;
use crate::split::{self, Cuts, Pieces};
use std::collections::BTreeSet;

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
        path: "loadlab_lessons::kit::system",
    },
    Family {
        name: "cluster",
        path: "loadlab_lessons::kit::cluster",
    },
    Family {
        name: "bench",
        path: "loadlab_lessons::kit::bench",
    },
];

/// The name of a symbol, without the digests that tell crates and equal names apart.
pub fn name(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// A name for readers: the types within angle brackets stand without their modules.
pub fn short_name(symbol: &str) -> String {
    let name = name(symbol);
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

/// How the names of the functions begin that open a lesson.
const LESSON_DOOR: &str = "loadlab_lessons::open";
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

/// What no start of a page runs, as `make starts` found it: names of functions of the core and of chunks, one a line. What
/// is new since, or has another name, stays where it is called, which is merely larger; what is gone does no harm.
const LATE: &str = include_str!("split/late.txt");

/// What is larger than this, in bytes as linked, is not copied into several lessons' files: who goes from one of them to
/// another would fetch it again.
const COPIED_BYTES_MOST: usize = 8_192;

/// Cuts a linked program as the site wants it; `None` if it was linked without `--emit-relocs`. `whole` leaves each piece
/// together with its rest and keeps the symbols of functions, which is what [`late`] reads.
///
/// # Errors
/// Those of [`split::split`].
pub fn pieces(linked: &[u8], whole: bool) -> Result<Option<Pieces>, String> {
    let known: BTreeSet<&str> = LATE.lines().collect();
    let cuts = Cuts {
        door: &is_door,
        families: FAMILIES.len(),
        family: &family,
        copied_bytes_most: COPIED_BYTES_MOST,
        late: &|symbol| !whole && known.contains(short_name(symbol).as_str()),
        names: whole,
    };
    split::split(linked, &cuts)
}

/// The list of what no start runs: all functions of the pieces of a program that was published whole, except those run.
/// These are told by index and size in bytes; those of other pieces may be among them. Tells also how many bytes were
/// run.
///
/// # Errors
/// A piece is damaged or has no names.
pub fn late(pieces: &[Vec<u8>], run: &BTreeSet<(u32, u32)>) -> Result<(String, u32), String> {
    let (mut first, mut late, mut bytes) = (BTreeSet::new(), BTreeSet::new(), 0);
    for piece in pieces {
        for (index, (symbol, size)) in split::functions(piece)? {
            let of = if run.contains(&(index, size)) {
                bytes += size;
                &mut first
            } else {
                &mut late
            };
            of.insert(short_name(symbol));
        }
    }
    // Several functions can have one name; one that is run keeps the others with it.
    let late: Vec<_> = late.difference(&first).cloned().collect();
    Ok((late.join("\n") + "\n", bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_after_their_doors() {
        let lesson = "_RINvCs1_15loadlab_lessons4openNtB2_1LEB2_";
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
        let draw = "_RNvNtNtCs1_15loadlab_lessons3kit6system4draw";
        assert_eq!(name(draw), "loadlab_lessons::kit::system::draw");
        assert_eq!(family(draw), Some(0));
        // `engine::step::<loadlab_lessons::kit::cluster::Net>`, made in any crate.
        let made = "_RINvCs1_6engine4stepNtNtNtCs2_15loadlab_lessons3kit7cluster3NetECs3_4site";
        assert_eq!(
            name(made),
            "engine::step::<loadlab_lessons::kit::cluster::Net>"
        );
        assert_eq!(family(made), Some(1));
        assert_eq!(
            family("_RNvNtNtCs1_15loadlab_lessons3kit7systems4draw"),
            None
        );
        assert_eq!(family("_RNvNtCs1_15loadlab_lessons3kit4draw"), None);
    }

    #[test]
    fn a_short_name_keeps_its_own_path_and_drops_those_of_types() {
        let made = "_RINvCs1_6engine4stepNtNtNtCs2_15loadlab_lessons3kit7cluster3NetECs3_4site";
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
    fn the_list_of_what_is_late_is_sorted_and_names_no_digests() {
        let lines: Vec<&str> = LATE.lines().collect();
        assert!(lines.is_sorted(), "run `make starts`, or sort the file");
        assert!(lines.iter().all(|line| short_name(line) == *line));
    }
}
