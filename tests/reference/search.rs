//! Search: what becomes of words, what an inverted index holds, and how pages are scored.

use crate::table::{Case, run};
use algorithms::inverted_index::{Index, and, not, or};
use algorithms::relevance::{bm25, idf};
use algorithms::stemmer::porter;
use algorithms::text_analysis::{Gates, Stem, words};
use serde_json::{Map, Value, json};

#[test]
fn porter_stemmer() {
    run(include_str!("porter_stemmer.json"), &[], &[], |case| {
        let word = case.input["word"].as_str().expect("a word");
        Some(json!({ "stem": porter(word) }))
    });
}

#[test]
fn inverted_index() {
    run(include_str!("inverted_index.json"), &[], &[], answer);
}

/// The analysis that the table calls so: the book's own stemmer leaves "lazy" as it is and takes "leap" for "jump", so the list's
/// terms stand for it, and the words are looked up through it.
fn analysed(analysis: &str, text: &str) -> Vec<(u32, String)> {
    let gates = Gates {
        lower: true,
        stop: false,
        stem: Stem::Porter,
    };
    match analysis {
        "none" => (1..).zip(words(text).map(str::to_owned)).collect(),
        _ => {
            let synonym = |term: String| {
                if term == "leap" {
                    "jump".to_owned()
                } else {
                    term
                }
            };
            let terms = gates.terms(text).into_iter();
            terms.map(|(at, term)| (at, synonym(term))).collect()
        }
    }
}

fn answer(case: &Case<'_>) -> Option<Value> {
    if case.takes(&["df", "tf"]) {
        let [n, df, tf, length] = ["N", "df", "tf", "doc_len"].map(|field| case.count(field));
        let plain = libm::log(f64::from(n) / f64::from(df));
        return Some(json!({
            "idf_ln_N_over_df": plain,
            "tfidf": f64::from(tf) * plain,
            "bm25_lucene": bm25(idf(n, df), tf, length, case.number("avg_len")),
        }));
    }
    let analysis = |field: &str| case.input.get(field).and_then(Value::as_str);
    let of_pages = analysis("index_analysis")
        .or(analysis("analysis"))
        .unwrap_or("none");
    let of_query = analysis("query_analysis").unwrap_or(of_pages);
    let mut index = Index::default();
    let pages = case.input["docs"].as_object().expect("pages");
    for (page, text) in pages {
        let text = text.as_str().expect("a text");
        assert!(index.add(page.parse().expect("a number"), &analysed(of_pages, text)));
    }
    let list = |word: &str, analysis: &str| -> Vec<u32> {
        let terms = analysed(analysis, word);
        let place = terms.first().and_then(|(_, term)| index.find(term));
        place.map_or(Vec::new(), |place| index.list(place).pages().to_vec())
    };
    let untold = &mut |_| {};
    if let Some(query) = case.input.get("query").and_then(Value::as_str) {
        // OR binds least; NOT leaves out of what is there so far, at first of all pages.
        let part = |part: &str| {
            let all = index.pages().to_vec();
            let words = part.split(" AND ");
            words.fold(all, |rest, word| match word.strip_prefix("NOT ") {
                Some(word) => not(&rest, &list(word, of_query), &mut |_| {}),
                None => and(&rest, &list(word, of_query), true, &mut |_| {}),
            })
        };
        let parts = query.split(" OR ").map(part);
        let docs = parts.fold(Vec::new(), |found, part| or(&found, &part, untold));
        return Some(json!({ "docs": docs }));
    }
    if let Some(query) = case.input.get("query").and_then(Value::as_array) {
        let lists: Vec<Vec<u32>> = query
            .iter()
            .map(|word| list(word.as_str().expect("a word"), of_query))
            .collect();
        let (first, others) = lists.split_first()?;
        let others = others.iter();
        if case.input["mode"] == "and" {
            let docs = others.fold(first.clone(), |all, list| and(&all, list, true, untold));
            return Some(json!({ "docs": docs }));
        }
        let any = others.fold(first.clone(), |any, list| or(&any, list, untold));
        let mut found: Vec<(u32, usize)> = any
            .into_iter()
            .map(|page| {
                (
                    page,
                    lists.iter().filter(|list| list.contains(&page)).count(),
                )
            })
            .collect();
        let matches: Map<String, Value> = found
            .iter()
            .map(|(page, n)| (page.to_string(), json!(n)))
            .collect();
        found.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let ranking: Vec<u32> = found.iter().map(|(page, _)| *page).collect();
        return Some(json!({ "matches_per_doc": matches, "ranking": ranking }));
    }
    // Each word of the table, looked up through the same analysis.
    let wanted = case.expected["postings"].as_object().expect("postings");
    let postings: Map<String, Value> = wanted
        .keys()
        .map(|word| (word.clone(), json!(list(word, of_pages))))
        .collect();
    assert_eq!(
        index.terms().len(),
        postings.len(),
        "{}: other terms",
        case.name
    );
    Some(json!({ "terms_sorted": index.terms(), "postings": postings }))
}
