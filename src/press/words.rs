//! Reads an `en.md`: titles, short texts by id, and prose.
//!
//! ```text
//! # Load balancing                title
//! Who gets the next request?      question: the first paragraph
//!                                 (a second paragraph is the summary)
//! ## knob                         the section gives the first part of the ids
//! - policy: Policy                word `knob.policy`
//! # Notes                         prose; `###` begins a section, [word](term:request) names a glyph
//! # Left out                      prose
//! # For the class                 prose for teachers, stands at the end of the notes
//! # Next                          a list of slugs
//! ```

use engine::scene::{Point, Shape};
use engine::{Glyph, Ink, Words, svg};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;

/// Something wrong in a file of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the reader of the message would open it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// All that an `en.md` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    /// Every word by id in the order of the file, `title`, `question` and `summary` among them.
    pub words: Vec<(String, String)>,
    /// The line each word stands on, for messages.
    pub lines: BTreeMap<String, usize>,
    /// The notes as HTML, one `<section>` for each heading; what is for the class stands at their end.
    pub notes: String,
    /// What the model leaves out, as HTML.
    pub left_out: String,
    /// The headings of what is for the class.
    pub class: Vec<String>,
    /// The lessons to go on with.
    pub next: Vec<String>,
}

impl Texts {
    /// The text of a word, or its id where there is none.
    pub fn get<'a>(&'a self, id: &'a str) -> &'a str {
        self.words
            .iter()
            .find(|(word, _)| word == id)
            .map_or(id, |(_, text)| text)
    }

    /// The words as the engine reads them.
    pub fn to_words(&self) -> Words {
        Words::new(self.words.iter().cloned())
    }

    /// The words whose ids begin with `section` and a dot, without that beginning, in the order of the file.
    pub fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.words.iter().filter_map(move |(id, text)| {
            Some((id.strip_prefix(section)?.strip_prefix('.')?, text.as_str()))
        })
    }
}

/// The chapter for teachers: what to see first, objectives, questions with answers.
pub const FOR_THE_CLASS: &str = "For the class";

/// Where a line stands.
enum Place {
    Start,
    Head,
    Words(String),
    Prose(Prose),
    Next,
}

#[derive(Clone, Copy, PartialEq)]
enum Prose {
    Notes,
    LeftOut,
    Class,
}

struct Reader<'a> {
    file: &'a str,
    texts: Texts,
    faults: Vec<Fault>,
    /// Words that a list item may still continue: its id.
    open: Option<String>,
    paragraphs: Vec<(usize, String)>,
}

/// Reads a file of words; `file` names it in messages.
///
/// # Errors
/// Everything that is wrong, in the order of the lines.
pub fn parse(file: &str, source: &str) -> Result<Texts, Vec<Fault>> {
    let mut reader = Reader {
        file,
        texts: Texts::default(),
        faults: Vec::new(),
        open: None,
        paragraphs: Vec::new(),
    };
    let mut place = Place::Start;
    let mut prose: Vec<(Prose, usize, String)> = Vec::new();
    let mut fenced = false;
    for (number, line) in source.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        if matches!(place, Place::Prose(_)) && line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if let Some(heading) = line.strip_prefix("# ").filter(|_| !fenced) {
            place = reader.chapter(number, heading.trim(), place);
            if let Place::Prose(which) = place {
                prose.push((which, number + 1, String::new()));
            }
            continue;
        }
        match &place {
            Place::Start => {
                if !line.trim().is_empty() {
                    reader.fault(number, "a file of words begins with `# Title`");
                    place = Place::Head;
                }
            }
            Place::Head | Place::Words(_) if line.starts_with("## ") => {
                reader.open = None;
                let name = line[3..].trim();
                if !is_id(name) {
                    reader.fault(
                        number,
                        format!("section `{name}` is no id: lower case letters, digits, - and ."),
                    );
                }
                place = Place::Words(name.to_owned());
            }
            Place::Head => reader.head(number, line),
            Place::Words(section) => reader.word(number, line, section),
            Place::Prose(_) => {
                if let Some((_, _, text)) = prose.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            Place::Next => reader.next(number, line),
        }
    }
    reader.finish_head();
    for (id, text) in reader.texts.words.clone() {
        let line = reader.texts.lines.get(&id).copied().unwrap_or(1);
        reader.plain(line, &id, &text);
    }
    let mut class = String::new();
    for (which, first_line, text) in prose {
        let html = reader.prose(which, first_line, &text);
        match which {
            Prose::Notes => reader.texts.notes = html,
            Prose::LeftOut => reader.texts.left_out = html,
            Prose::Class => {
                reader.texts.class = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("### "))
                    .map(str::to_owned)
                    .collect();
                class = html;
            }
        }
    }
    if !class.is_empty() {
        // It travels with the notes and reads as their last part.
        let _ = write!(
            reader.texts.notes,
            "<section class=\"for-class\">\n<h2>{FOR_THE_CLASS}</h2>\n{class}</section>\n"
        );
    }
    reader.faults.sort_by_key(|fault| fault.line);
    if reader.faults.is_empty() {
        Ok(reader.texts)
    } else {
        Err(reader.faults)
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
        && !text.starts_with(['.', '-'])
        && !text.ends_with(['.', '-'])
}

/// What moves on the stage, with the colour it usually has there.
const TERMS: [(Glyph, Ink); 6] = [
    (Glyph::Request, Ink::Accent),
    (Glyph::Response, Ink::Ok),
    (Glyph::Failure, Ink::Bad),
    (Glyph::Message, Ink::Accent),
    (Glyph::Replica, Ink::Hit),
    (Glyph::Heartbeat, Ink::Ok),
];

/// The beginning of a term; one that names a glyph carries its shape and colour.
fn term(name: &str) -> String {
    let Some((glyph, ink)) = TERMS.iter().find(|(glyph, _)| glyph.name() == name) else {
        return format!("<span class=\"term term-{name}\">");
    };
    let mut picture = svg::Writer::default();
    let mark = Shape::Mark {
        glyph: *glyph,
        at: Point { x: 5.0, y: 5.0 },
        r: 4.5,
        ink: *ink,
    };
    svg::shape(&mark, &mut picture);
    format!(
        "<span class=\"term term-{name} term-{}\"><svg class=\"glyph\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">{}</svg>",
        ink.name(),
        picture.finish()
    )
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, what: impl Into<String>) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line,
            what: what.into(),
        });
    }

    fn add(&mut self, line: usize, id: String, text: &str) {
        if let Some(first) = self.texts.lines.get(&id).copied() {
            self.fault(line, format!("word `{id}` stands on line {first} already"));
            return;
        }
        self.texts.lines.insert(id.clone(), line);
        self.texts.words.push((id, text.to_owned()));
    }

    fn chapter(&mut self, line: usize, heading: &str, from: Place) -> Place {
        self.open = None;
        if matches!(from, Place::Start) {
            self.add(line, "title".to_owned(), heading);
            return Place::Head;
        }
        match heading {
            "Notes" => Place::Prose(Prose::Notes),
            "Left out" => Place::Prose(Prose::LeftOut),
            FOR_THE_CLASS => Place::Prose(Prose::Class),
            "Next" => Place::Next,
            _ => {
                self.fault(
                    line,
                    format!(
                        "`# {heading}` is none of `# Notes`, `# Left out`, `# {FOR_THE_CLASS}`, `# Next`"
                    ),
                );
                Place::Head
            }
        }
    }

    fn head(&mut self, number: usize, line: &str) {
        let line = line.trim();
        match (&mut self.paragraphs[..], self.open.as_ref()) {
            _ if line.is_empty() => self.open = None,
            ([.., (_, text)], Some(_)) => {
                text.push(' ');
                text.push_str(line);
            }
            _ => {
                self.paragraphs.push((number, line.to_owned()));
                // While the paragraph lasts, further lines belong to it.
                self.open = Some(String::new());
            }
        }
    }

    fn finish_head(&mut self) {
        let mut paragraphs = std::mem::take(&mut self.paragraphs).into_iter();
        let title = self.texts.lines.get("title").copied().unwrap_or(1);
        let Some((line, question)) = paragraphs.next() else {
            self.fault(
                title,
                "the question is missing: the first paragraph under the title",
            );
            return;
        };
        let (summary_line, summary) = paragraphs
            .next()
            .unwrap_or_else(|| (line, question.clone()));
        if let Some((line, _)) = paragraphs.next() {
            self.fault(
                line,
                "only a question and a summary stand under the title; prose belongs under `# Notes`",
            );
        }
        for (id, line, text) in [
            ("question", line, &question),
            ("summary", summary_line, &summary),
        ] {
            self.add(line, id.to_owned(), text);
        }
    }

    fn word(&mut self, number: usize, line: &str, section: &str) {
        if line.trim().is_empty() {
            self.open = None;
            return;
        }
        if let (true, Some(id)) = (line.starts_with(' '), &self.open) {
            if let Some((_, text)) = self.texts.words.iter_mut().find(|(word, _)| word == id) {
                text.push(' ');
                text.push_str(line.trim());
            }
            return;
        }
        let item = line.strip_prefix("- ").and_then(|item| {
            let (id, text) = item.split_once(':')?;
            Some((id.trim(), text.trim()))
        });
        match item {
            Some((id, _)) if !is_id(id) => self.fault(
                number,
                format!("`{id}` is no id: lower case letters, digits, - and ."),
            ),
            Some((id, "")) => self.fault(number, format!("word `{section}.{id}` has no text")),
            Some((id, text)) => {
                let id = format!("{section}.{id}");
                self.add(number, id.clone(), text);
                self.open = Some(id);
            }
            None => self.fault(
                number,
                "expected `- id: text`, an indented second line of a text, or `## section`",
            ),
        }
    }

    /// Words are plain text; captions may hold **bold**.
    fn plain(&mut self, line: usize, id: &str, text: &str) {
        let marks = text.matches("**").count();
        if marks > 0 && !id.starts_with("beat.") {
            self.fault(
                line,
                format!("`{id}` holds **bold**, which only captions (beat.*) may"),
            );
        } else if marks % 2 == 1 {
            self.fault(line, format!("`{id}` opens ** and does not close it"));
        }
        // Only prose is slanted: in a caption a single star would be read as one.
        if id.starts_with("beat.") && text.matches('*').count() != 2 * marks {
            self.fault(line, format!("`{id}` holds a single *"));
        }
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            rest = &rest[open + 1..];
            let inside = rest.split_once('}').map(|(inside, _)| inside);
            if inside.is_none_or(|inside| inside.parse::<u8>().is_err()) {
                self.fault(
                    line,
                    format!("`{id}` holds a placeholder that is not {{0}}, {{1}} or {{2}}"),
                );
            }
        }
    }

    fn next(&mut self, number: usize, line: &str) {
        match line.strip_prefix("- ").map(str::trim) {
            Some(slug) if is_id(slug) => self.texts.next.push(slug.to_owned()),
            None if line.trim().is_empty() => {}
            _ => self.fault(number, "expected `- slug` of a lesson to go on with"),
        }
    }

    fn prose(&mut self, which: Prose, first_line: usize, source: &str) -> String {
        let mut events: Vec<Event<'_>> = Vec::new();
        // What closes each open link: the ends of links do not say where they led.
        let mut links: Vec<bool> = Vec::new();
        let mut in_section = false;
        let markup = |text: &str| Event::Html(CowStr::from(text.to_owned()));
        for (event, range) in Parser::new_ext(source, Options::ENABLE_TABLES).into_offset_iter() {
            let line = first_line + source[..range.start].matches('\n').count();
            if which == Prose::Notes
                && !in_section
                && matches!(&event, Event::Start(tag) if !matches!(tag, Tag::Heading { .. }))
            {
                events.push(markup("<section>\n"));
                in_section = true;
            }
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    if level != HeadingLevel::H3 || which == Prose::LeftOut {
                        self.fault(
                            line,
                            "prose is divided by `### headings`, and only under `# Notes` and `# For the class`",
                        );
                    }
                    if which == Prose::Class {
                        events.push(markup("<h3>"));
                        continue;
                    }
                    if in_section {
                        events.push(markup("</section>\n"));
                    }
                    events.push(markup("<section>\n<h2>"));
                    in_section = true;
                }
                Event::End(TagEnd::Heading(_)) if which == Prose::Class => {
                    events.push(markup("</h3>\n"));
                }
                Event::End(TagEnd::Heading(_)) => events.push(markup("</h2>\n")),
                Event::Start(Tag::Link { dest_url, .. })
                    if dest_url.strip_prefix("term:").is_some_and(is_id) =>
                {
                    events.push(Event::InlineHtml(CowStr::from(term(&dest_url[5..]))));
                    links.push(true);
                }
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }) => {
                    if !dest_url.starts_with("https://") {
                        self.fault(
                            line,
                            format!("link to `{dest_url}`: only term:… and https://… work at every address"),
                        );
                    }
                    links.push(false);
                    events.push(Event::Start(Tag::Link {
                        link_type,
                        dest_url,
                        title,
                        id,
                    }));
                }
                Event::End(TagEnd::Link) if links.pop() == Some(true) => {
                    events.push(Event::InlineHtml(CowStr::from("</span>")));
                }
                Event::Html(_) | Event::InlineHtml(_) => {
                    self.fault(line, "prose is Markdown alone, without HTML");
                }
                Event::Start(Tag::Image { .. }) => {
                    self.fault(line, "prose holds no images: the stage is the picture");
                }
                other => events.push(other),
            }
        }
        if in_section {
            events.push(markup("</section>\n"));
        }
        let mut out = String::new();
        html::push_html(&mut out, events.into_iter());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: &str = "# Fake lesson\n\nWho goes first,\nand why?\n\nTwo servers race & one wins.\n\n\
        ## knob\n- policy: Policy\n- policy.round-robin: Round robin\n\n## beat\n- start: You see **two\n  servers**: one & two.\n\n\
        # Notes\nThe [requests](term:policy) come in.\n\n### Second\n- one\n- two\n\n# Left out\nThe *network*.\n\n# Next\n- caching\n";

    #[test]
    fn a_file_gives_words_in_order_prose_and_next() {
        let texts = parse("en.md", LESSON).expect("well formed");
        assert_eq!(
            texts
                .words
                .iter()
                .map(|(id, _)| id.as_str())
                .collect::<Vec<_>>(),
            [
                "title",
                "knob.policy",
                "knob.policy.round-robin",
                "beat.start",
                "question",
                "summary"
            ]
        );
        assert_eq!(texts.get("question"), "Who goes first, and why?");
        assert_eq!(texts.get("summary"), "Two servers race & one wins.");
        assert_eq!(
            texts.get("beat.start"),
            "You see **two servers**: one & two."
        );
        assert_eq!(
            texts.notes,
            "<section>\n<p>The <span class=\"term term-policy\">requests</span> come in.</p>\n</section>\n\
             <section>\n<h2>Second</h2>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n</section>\n"
        );
        assert_eq!(texts.left_out, "<p>The <em>network</em>.</p>\n");
        assert_eq!(texts.next, ["caching"]);
        assert_eq!(texts.section("knob").next(), Some(("policy", "Policy")));
    }

    #[test]
    fn a_term_that_moves_on_the_stage_carries_its_glyph() {
        let texts = parse(
            "en.md",
            "# A\nWhy?\n\n# Notes\nA [request](term:request).\n",
        )
        .expect("well formed");
        assert!(
            texts
                .notes
                .contains("<span class=\"term term-request term-accent\"><svg class=\"glyph\""),
            "{}",
            texts.notes
        );
        assert!(texts.notes.contains("</svg>request</span>."));
    }

    #[test]
    fn what_is_for_the_class_ends_the_notes() {
        let source = "# A\nWhy?\n\n# Notes\nNow.\n\n# For the class\n### Objectives\n- one\n\n# Left out\nx\n";
        let texts = parse("en.md", source).expect("well formed");
        assert_eq!(texts.class, ["Objectives"]);
        assert_eq!(
            texts.notes,
            "<section>\n<p>Now.</p>\n</section>\n<section class=\"for-class\">\n<h2>For the class</h2>\n\
             <h3>Objectives</h3>\n<ul>\n<li>one</li>\n</ul>\n</section>\n"
        );
    }

    #[test]
    fn the_question_stands_in_for_a_missing_summary() {
        let texts = parse("en.md", "# A\nWhy?\n").expect("well formed");
        assert_eq!(texts.get("summary"), "Why?");
    }

    /// Each fault by (source, line, part of the message).
    #[test]
    fn faults_name_file_and_line() {
        for (source, line, says) in [
            ("Hello\n", 1, "begins with `# Title`"),
            ("# A\n", 1, "question is missing"),
            ("# A\nWhy?\n\n## Knob\n", 4, "is no id"),
            (
                "# A\nWhy?\n\n## knob\n- a: x\n- a: y\n",
                6,
                "stands on line 5",
            ),
            ("# A\nWhy?\n\n## knob\n- a:\n", 5, "has no text"),
            ("# A\nWhy?\n\n## knob\nwords\n", 5, "expected `- id: text`"),
            ("# A\nWhy?\n\n## knob\n- a: **b**\n", 5, "only captions"),
            ("# A\nWhy?\n\n## beat\n- a: **b\n", 5, "does not close"),
            ("# A\nWhy?\n\n## say\n- a: {who}\n", 5, "placeholder"),
            ("# A\nWhy?\n\n# Extra\n", 4, "none of"),
            (
                "# A\nWhy?\n\n# Notes\n\nx [y](z.html)\n",
                6,
                "every address",
            ),
            ("# A\nWhy?\n\n# Notes\n<b>x</b>\n", 5, "without HTML"),
            ("# A\nWhy?\n\n# Notes\n## Big\n", 5, "divided by"),
            ("# A\nWhy?\n\n# Next\nsoon\n", 5, "expected `- slug`"),
        ] {
            let faults = parse("l/en.md", source).expect_err(source);
            let fault = faults
                .iter()
                .find(|fault| fault.what.contains(says))
                .unwrap_or_else(|| panic!("{source:?}: no {says:?} in {faults:?}"));
            assert_eq!(
                (fault.line, fault.file.as_str()),
                (line, "l/en.md"),
                "{source:?}"
            );
            assert!(fault.to_string().starts_with(&format!("l/en.md:{line}: ")));
        }
    }
}
