//! The code that runs: named regions of the sources, cut out for the page that shows them.
//!
//! A region lies between the lines `// region: name` and `// endregion` of a file. Both lines, and those of regions within,
//! are left out of what is shown.

use engine::Code;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// The most lines of a region: what fits a screen is read.
const LINES_MAX: usize = 45;
const BEGIN: &str = "// region: ";
const END: &str = "// endregion";

/// A region as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// Its name: the page's words for it are `code.<name>`.
    pub name: String,
    /// The file, from the project's top.
    pub file: String,
    /// The number of the first line in the file, from 1.
    pub from: usize,
    /// The lines, moved to the left together.
    pub lines: Vec<String>,
    /// Which lines, from 0, make which events happen.
    pub marks: Vec<(String, Vec<usize>)>,
}

/// The regions that a lesson shows.
///
/// # Errors
/// All that is wrong with them, one line each: a file or region that is not there, one that is too long, an event whose text no line holds.
pub fn regions(project: &Path, code: &[Code]) -> Result<Vec<Region>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut regions = Vec::new();
    for code in code {
        let file = format!("src/{}", code.file);
        let source = match fs::read_to_string(project.join(&file)) {
            Ok(source) => source,
            Err(error) => {
                wrong.push(format!("{file}: {error}"));
                continue;
            }
        };
        match cut(&source, code) {
            Ok(region) => regions.push(Region { file, ..region }),
            Err(faults) => wrong.extend(faults.into_iter().map(|fault| format!("{file}: {fault}"))),
        }
    }
    if wrong.is_empty() {
        Ok(regions)
    } else {
        Err(wrong)
    }
}

fn cut(source: &str, code: &Code) -> Result<Region, Vec<String>> {
    let name = code.region;
    let lines: Vec<&str> = source.lines().collect();
    let begins = |line: &&str| line.trim().strip_prefix(BEGIN) == Some(name);
    let Some(begin) = lines.iter().position(begins) else {
        return Err(vec![format!("there is no region `{name}`")]);
    };
    if lines[begin + 1..].iter().any(begins) {
        return Err(vec![format!("there are two regions `{name}`")]);
    }
    let mut depth = 1;
    let mut kept = Vec::new();
    for line in &lines[begin + 1..] {
        let text = line.trim();
        if text == END {
            depth -= 1;
            if depth == 0 {
                break;
            }
        } else if text.starts_with(BEGIN) {
            depth += 1;
        } else {
            kept.push(*line);
        }
    }
    if depth > 0 {
        return Err(vec![format!("the region `{name}` does not end")]);
    }
    let mut faults = Vec::new();
    if kept.is_empty() || kept.len() > LINES_MAX {
        faults.push(format!(
            "the region `{name}` has {} lines, not 1 to {LINES_MAX}",
            kept.len()
        ));
    }
    let indent = |line: &&&str| line.len() - line.trim_start().len();
    let left = kept.iter().filter(|line| !line.trim().is_empty());
    let left = left.map(|line| indent(&line)).min().unwrap_or(0);
    let lines: Vec<String> = kept
        .iter()
        .map(|line| line.get(left..).unwrap_or_default().to_owned())
        .collect();
    let mut marks: Vec<(String, Vec<usize>)> = Vec::new();
    for (event, text) in code.marks {
        let holds = |(at, line): (usize, &String)| line.contains(text).then_some(at);
        let found: Vec<usize> = lines.iter().enumerate().filter_map(holds).collect();
        if found.is_empty() {
            faults.push(format!(
                "no line of the region `{name}` holds `{text}` of `{event}`"
            ));
        }
        match marks.iter_mut().find(|(known, _)| known == event) {
            Some((_, lines)) => lines.extend(found),
            None => marks.push(((*event).to_owned(), found)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Region {
        name: name.to_owned(),
        file: String::new(),
        from: begin + 2,
        lines,
        marks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn a() {}\n\n    // region: turn\n    /// Next.\n    fn turn() {\n        // region: inner\n        self.at += 1;\n        // endregion\n\n        go();\n    }\n    // endregion\n";

    fn code(region: &'static str, marks: &'static [(&'static str, &'static str)]) -> Code {
        Code {
            file: "a.rs",
            region,
            marks,
        }
    }

    #[test]
    fn a_region_is_cut_out_and_moved_to_the_left() {
        let region = cut(
            SOURCE,
            &code(
                "turn",
                &[("picked", "at += 1"), ("picked", "go()"), ("seen", "fn")],
            ),
        )
        .unwrap();
        assert_eq!(region.from, 4);
        assert_eq!(
            region.lines,
            [
                "/// Next.",
                "fn turn() {",
                "    self.at += 1;",
                "",
                "    go();",
                "}"
            ]
        );
        assert_eq!(
            region.marks,
            [
                ("picked".to_owned(), vec![2, 4]),
                ("seen".to_owned(), vec![1])
            ]
        );
        assert_eq!(
            cut(SOURCE, &code("inner", &[])).unwrap().lines,
            ["self.at += 1;"]
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        let said = |source: &str, code: Code| cut(source, &code).unwrap_err().join("; ");
        assert_eq!(
            said(SOURCE, code("other", &[])),
            "there is no region `other`"
        );
        assert!(said("// region: a\nx", code("a", &[])).contains("does not end"));
        assert!(said("// region: a\n// endregion\n", code("a", &[])).contains("has 0 lines"));
        assert!(
            said(
                "// region: a\n// endregion\n// region: a\n// endregion",
                code("a", &[])
            )
            .contains("two")
        );
        let text = said(SOURCE, code("turn", &[("picked", "stop()")]));
        assert_eq!(
            text,
            "no line of the region `turn` holds `stop()` of `picked`"
        );
        let long = format!(
            "// region: a\n{}// endregion\n",
            "x\n".repeat(LINES_MAX + 1)
        );
        assert!(said(&long, code("a", &[])).contains("has 46 lines"));
    }
}
