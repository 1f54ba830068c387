//! Templates of packages: text with names in braces, and lines that stand once for each entry of a list. A page fills the same ones
//! (`assets/packages.js`), so the language is as small as the two can be held equal in.
//!
//! `{name}` stands for a text, escaped for HTML and XML, of the innermost entry that has it. The lines between `%each list`
//! and its `%end` are repeated.

use engine::svg::escape;
use serde_json::Value;

const EACH: &str = "%each ";
const END: &str = "%end";

/// Fills a template.
pub fn fill(template: &str, data: &Value) -> String {
    let lines: Vec<&str> = template.split_inclusive('\n').collect();
    let mut out = String::new();
    put(&lines, &[data], &mut out);
    out
}

/// What the innermost entry that knows the name has for it.
fn find<'a>(scopes: &[&'a Value], name: &str) -> Option<&'a Value> {
    scopes.iter().rev().find_map(|scope| scope.get(name))
}

fn put(lines: &[&str], scopes: &[&Value], out: &mut String) {
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        let Some(list) = line.strip_prefix(EACH) else {
            words(line, scopes, out);
            continue;
        };
        let end = at + length(&lines[at..]);
        let entries = find(scopes, list.trim_end()).and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            put(&lines[at..end], &[scopes, &[entry]].concat(), out);
        }
        at = end + 1;
    }
}

/// So many lines stand before the end of the list that was begun.
fn length(lines: &[&str]) -> usize {
    let mut open = 1;
    let closes = |line: &&str| {
        open += i32::from(line.starts_with(EACH)) - i32::from(line.starts_with(END));
        open == 0
    };
    lines.iter().position(closes).unwrap_or(lines.len())
}

fn words(line: &str, scopes: &[&Value], out: &mut String) {
    let mut rest = line;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        *out += before;
        let end = from.find('}').unwrap_or(0);
        let text = from.get(1..end).and_then(|name| find(scopes, name));
        match text.and_then(Value::as_str) {
            Some(text) => {
                *out += &escape(text);
                rest = &from[end + 1..];
            }
            None => {
                out.push('{');
                rest = &from[1..];
            }
        }
    }
    *out += rest;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_escaped_and_lists_are_repeated() {
        let template =
            "<{a}> {none} { a }\n%each list\n{b}-{a}:\n%each own\n  {b}\n%end\n%end\nend {";
        let data = json!({ "a": "<&\">", "list": [
            { "b": "1", "own": [{ "b": "x" }, {}] },
            { "b": "2", "a": "own" },
        ] });
        assert_eq!(
            fill(template, &data),
            "<&lt;&amp;&quot;&gt;> {none} { a }\n1-&lt;&amp;&quot;&gt;:\n  x\n  1\n2-own:\nend {"
        );
        assert_eq!(fill("%each none\nx\n%end\ny", &data), "y");
    }
}
