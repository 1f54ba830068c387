//! The tape of a scripted run of every lesson has the same hash natively and in wasm.
//!
//! `tests/fingerprints.txt` holds the hashes, one line a lesson, in the order of the alphabet. After a deliberate change of a model run
//! `UPDATE=1 cargo test -p loadlab-tests --test fingerprints` natively; the wasm run then has to agree.

use loadlab_tests::scripted;

fn fingerprints() -> String {
    let mut lines = Vec::new();
    let templates = lessons::TEMPLATES.iter().map(|(_, entry)| entry);
    for entry in lessons::CATALOGUE.iter().chain(templates) {
        let run = scripted(entry);
        let (place, hash) = (run.position(), run.tape().fingerprint());
        lines.push(format!(
            "{} {} events {hash:016x}\n",
            entry.card.slug, place.events
        ));
    }
    lines.sort();
    lines.concat()
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen_test::wasm_bindgen_test]
fn tapes_are_the_same_in_wasm() {
    assert_eq!(fingerprints(), include_str!("fingerprints.txt"));
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn tapes_are_the_same_natively() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fingerprints.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, fingerprints()).unwrap();
    }
    assert_eq!(fingerprints(), std::fs::read_to_string(file).unwrap());
}
