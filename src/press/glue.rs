//! The script between the program and the browser, as wasm-bindgen writes it: made smaller.
//!
//! Both sides name each function of the other with its full path and a digest. Nobody else knows these names, so
//! short ones do; and comments and indentation are for readers of the source.

use std::collections::BTreeMap;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ExportSection, ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};

/// Whether only the script and the program know a name: those of closures are, and those of a package's types that this
/// program never gives away.
fn is_private(name: &str) -> bool {
    name.starts_with("__wb") || name.contains("__convert__") || name.starts_with("intounderlying")
}

/// Gives the private names short ones, in the script and in the program.
///
/// # Errors
/// The program cannot be read.
pub fn shorten(script: &str, program: &[u8]) -> Result<(String, Vec<u8>), String> {
    let said = |error: wasmparser::Error| format!("the program cannot be read: {error}");
    let mut names = BTreeMap::new();
    let mut note = |name: &str| {
        if is_private(name) && !names.contains_key(name) {
            names.insert(name.to_owned(), format!("_{:x}", names.len()));
        }
    };
    for payload in Parser::new(0).parse_all(program) {
        match payload.map_err(said)? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    note(import.map_err(said)?.name);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    note(export.map_err(said)?.name);
                }
            }
            _ => {}
        }
    }
    let short = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(program) {
        let payload = payload.map_err(said)?;
        match &payload {
            Payload::ImportSection(reader) => {
                let mut section = ImportSection::new();
                for import in reader.clone().into_imports() {
                    let import = import.map_err(said)?;
                    let kind = RoundtripReencoder
                        .entity_type(import.ty)
                        .map_err(|error| error.to_string())?;
                    section.import(import.module, &short(import.name), kind);
                }
                module.section(&section);
            }
            Payload::ExportSection(reader) => {
                let mut section = ExportSection::new();
                for export in reader.clone() {
                    let export = export.map_err(said)?;
                    let kind = RoundtripReencoder
                        .export_kind(export.kind)
                        .map_err(|error| error.to_string())?;
                    section.export(&short(export.name), kind, export.index);
                }
                module.section(&section);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = &program[range.start as usize..range.end as usize];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok((renamed(script, &names), module.finish()))
}

/// A script with other words in the place of some.
fn renamed(script: &str, names: &BTreeMap<String, String>) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut out = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(in_word) {
        let end = rest[start..]
            .find(|c| !in_word(c))
            .map_or(rest.len(), |end| start + end);
        let word = &rest[start..end];
        out += &rest[..start];
        out += names.get(word).map_or(word, String::as_str);
        rest = &rest[end..];
    }
    out + rest
}

/// A script without the lines that are comments and without indentation. Texts of several lines must not stand in it.
pub fn terse(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut within = false;
    for line in script.lines().map(str::trim) {
        let end = line.find("*/").map(|at| at + 2);
        within |= line.starts_with("/*") && end.is_none_or(|end| end == line.len());
        if !within && !line.is_empty() && !line.starts_with("//") {
            out += line;
            out.push('\n');
        }
        within &= !line.ends_with("*/");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::TypeRef;

    #[test]
    fn both_sides_get_the_same_short_names() {
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        let kind = wasm_encoder::EntityType::Function(0);
        imports.import("./site.js", "__wbg_new_0123456789abcdef", kind);
        imports.import("./site.js", "loadlabRest", kind);
        let mut exports = ExportSection::new();
        exports.export("__wbindgen_malloc", wasm_encoder::ExportKind::Func, 0);
        exports.export("openPage", wasm_encoder::ExportKind::Func, 1);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&exports);
        let script = "const a = { __wbg_new_0123456789abcdef: () => new __wbg_newer(), loadlabRest };\n\
            wasm.__wbindgen_malloc(); wasm.openPage();";
        let (script, program) = shorten(script, &module.finish()).expect("readable");
        assert_eq!(
            script,
            "const a = { _0: () => new __wbg_newer(), loadlabRest };\nwasm._1(); wasm.openPage();"
        );
        wasmparser::validate(&program).expect("a valid program");
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(&program) {
            match payload.expect("readable") {
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import.expect("readable");
                        assert!(matches!(import.ty, TypeRef::Func(0)));
                        found.push(import.name);
                    }
                }
                Payload::ExportSection(reader) => {
                    found.extend(
                        reader
                            .into_iter()
                            .map(|export| export.expect("readable").name),
                    );
                }
                _ => {}
            }
        }
        assert_eq!(found, ["_0", "loadlabRest", "_1", "openPage"]);
        assert!(shorten("", b"no program").is_err());
    }

    #[test]
    fn what_is_for_readers_goes() {
        let script = "/**\n * Why.\n */\nfunction a() {\n    // So.\n    return 1; // One.\n\n}\n/* b */\n/* pure */ c();";
        assert_eq!(
            terse(script),
            "function a() {\nreturn 1; // One.\n}\n/* pure */ c();\n"
        );
    }
}
