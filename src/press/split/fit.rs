//! Whether the pieces fit: what one imports by the number of a slot must stand there when it comes.

use super::{Code, Pieces};
use std::collections::BTreeSet;
use wasmparser::{ElementItems, ElementKind, Operator, Parser, Payload};

/// What a piece has to do with slots.
#[derive(Default)]
struct Slots {
    filled: BTreeSet<u32>,
    imported: BTreeSet<u32>,
}

/// Follows each way in which pieces come after one another.
///
/// # Errors
/// A piece cannot be read, or would find a slot empty: a fault of the splitter, told before a page meets it.
pub(super) fn check(pieces: &Pieces) -> Result<(), String> {
    let mut core = BTreeSet::new();
    let core_rest = comes(&pieces.core, &mut core, "the core")?;
    let mut chunks = Vec::new();
    for chunk in &pieces.chunks {
        let mut there = core.clone();
        let rest = comes(&chunk.code, &mut there, "a chunk")?;
        follows(rest, &[&there, &core_rest.filled], "a chunk's rest")?;
        chunks.push((
            chunk.family,
            there,
            slots(chunk.code.rest.as_deref())?.filled,
        ));
    }
    for part in &pieces.parts {
        let needed = || {
            chunks
                .iter()
                .filter(|(family, ..)| part.needs.contains(family))
        };
        let mut there: BTreeSet<u32> = core.clone();
        there.extend(needed().flat_map(|(_, first, _)| first));
        let what = format!("the part of {}", part.door);
        let rest = comes(&part.code, &mut there, &what)?;
        there.extend(&core_rest.filled);
        there.extend(needed().flat_map(|(_, _, rest)| rest));
        follows(rest, &[&there], &format!("{what}, its rest"))?;
    }
    Ok(())
}

/// A piece comes where some slots are filled, and fills its own. What its rest has to do with slots is for later.
fn comes(code: &Code, there: &mut BTreeSet<u32>, what: &str) -> Result<Slots, String> {
    let first = slots(Some(&code.first))?;
    there.extend(follows(first, &[there], what)?);
    slots(code.rest.as_deref())
}

/// What a piece fills, if all that it imports is there.
fn follows(piece: Slots, there: &[&BTreeSet<u32>], what: &str) -> Result<BTreeSet<u32>, String> {
    let missing = |slot: &&u32| !there.iter().any(|there| there.contains(slot));
    match piece.imported.iter().find(missing) {
        Some(slot) => Err(format!(
            "{what} wants slot {slot}, which nothing fills before it"
        )),
        None => Ok(piece.filled),
    }
}

fn slots(wasm: Option<&[u8]>) -> Result<Slots, String> {
    let said = |error: wasmparser::Error| format!("a piece cannot be read: {error}");
    let mut found = Slots::default();
    let Some(wasm) = wasm else { return Ok(found) };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(said)? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    found
                        .imported
                        .extend(import.map_err(said)?.name.parse::<u32>());
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    let element = element.map_err(said)?;
                    let ElementKind::Active { offset_expr, .. } = element.kind else {
                        continue;
                    };
                    let first = offset_expr.get_operators_reader().read().map_err(said)?;
                    let (Operator::I32Const { value }, ElementItems::Functions(functions)) =
                        (first, element.items)
                    else {
                        continue;
                    };
                    found
                        .filled
                        .extend((value as u32..).take(functions.count() as usize));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::{Chunk, Part};
    use super::*;
    use wasm_encoder::{
        CodeSection, ConstExpr, ElementSection, Elements, EntityType, Function, FunctionSection,
        ImportSection, Module, RefType, TableSection, TableType, TypeSection,
    };

    /// A piece that imports what stands in some slots, and fills others.
    fn piece(imported: &[u32], filled: &[u32]) -> Vec<u8> {
        let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
        types.ty().function([], []);
        for slot in imported {
            imports.import("core", &slot.to_string(), EntityType::Function(0));
        }
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 9,
            maximum: None,
            shared: false,
        });
        let mut elements = ElementSection::new();
        for slot in filled {
            let own = [imported.len() as u32];
            let at = ConstExpr::i32_const(*slot as i32);
            elements.active(None, &at, Elements::Functions(own.as_slice().into()));
        }
        let mut body = Function::new([]);
        body.instructions().end();
        let mut code = CodeSection::new();
        code.function(&body);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions);
        module.section(&tables).section(&elements).section(&code);
        module.finish()
    }

    fn code(first: Vec<u8>, rest: Option<Vec<u8>>) -> Code {
        Code {
            first,
            rest,
            functions: Vec::new(),
        }
    }

    /// A core that fills 1, with a rest that fills 2; a chunk that fills 3, and a part that wants some slots, as its rest does.
    fn pieces(needs: &[usize], part: &[u32], rest: &[u32]) -> Pieces {
        let chunk = Chunk {
            family: 4,
            code: code(piece(&[1], &[3]), Some(piece(&[2, 3], &[5]))),
        };
        let part = Part {
            door: "door".to_owned(),
            code: code(piece(part, &[6]), Some(piece(rest, &[7]))),
            needs: needs.to_vec(),
        };
        Pieces {
            core: code(piece(&[], &[1]), Some(piece(&[1], &[2]))),
            chunks: vec![chunk],
            parts: vec![part],
        }
    }

    #[test]
    fn what_is_wanted_must_be_there_before() {
        assert_eq!(check(&pieces(&[4], &[1, 3], &[1, 2, 3, 5, 6])), Ok(()));
        // Of a rest, of a chunk that it does not need, of itself, of nobody.
        for (needs, part) in [(4, 2), (4, 5), (0, 3), (4, 6), (4, 8)] {
            let told = check(&pieces(&[needs], &[part], &[])).expect_err("nothing is there");
            assert!(told.contains(&format!("slot {part}")), "{told}");
        }
        for (needs, rest) in [(0, 3), (0, 5), (4, 7)] {
            let told = check(&pieces(&[needs], &[], &[rest])).expect_err("nothing is there");
            assert!(told.contains("its rest wants"), "{told}");
        }
    }
}
