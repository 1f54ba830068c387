//! What is remembered between visits, in local storage where there is one and for this visit where not.

use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static MEMORY: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Under this key is the lesson that was used last.
pub(crate) const LAST: &str = "last";

/// How far a learner has come in one lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Ids of the beats seen.
    #[serde(default)]
    pub(crate) beats: Vec<String>,
    /// How many beats there are.
    #[serde(default)]
    pub(crate) of: usize,
    /// Ids of the challenges reached.
    #[serde(default)]
    pub(crate) done: Vec<String>,
    /// The answer given to each question.
    #[serde(default)]
    pub(crate) guesses: BTreeMap<String, usize>,
}

// Access alone throws in a sandboxed frame, so every step is asked for and may be refused.
fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Whether anything is kept beyond this visit.
pub(crate) fn keeps() -> bool {
    storage().is_some()
}

/// What is kept under `key`.
pub(crate) fn get(key: &str) -> Option<String> {
    let key = format!("loadlab.{key}");
    storage()
        .and_then(|storage| storage.get_item(&key).ok()?)
        .or_else(|| MEMORY.with_borrow(|memory| memory.get(&key).cloned()))
}

/// Keeps `value` under `key`.
pub(crate) fn set(key: &str, value: &str) {
    let key = format!("loadlab.{key}");
    let kept = storage().is_some_and(|storage| storage.set_item(&key, value).is_ok());
    if !kept {
        MEMORY.with_borrow_mut(|memory| memory.insert(key, value.to_owned()));
    }
}

/// How far the learner has come in this lesson.
pub(crate) fn progress(slug: &str) -> Progress {
    get(&format!("progress.{slug}"))
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Changes and keeps the progress in this lesson.
pub(crate) fn update(slug: &str, change: impl FnOnce(&mut Progress)) {
    let before = progress(slug);
    let mut after = before.clone();
    change(&mut after);
    if after != before
        && let Ok(text) = serde_json::to_string(&after)
    {
        set(&format!("progress.{slug}"), &text);
    }
}

impl Progress {
    /// Adds an id to a list of ids unless it is there.
    pub(crate) fn add(list: &mut Vec<String>, id: &str) {
        if !list.iter().any(|known| known == id) {
            list.push(id.to_owned());
        }
    }
}
