//! Boards: a lesson's stage at every beat on one page, for those who make it. Needs no browser build.

use crate::stills::{NARROW, WIDE};
use engine::svg::{document, escape};
use engine::{Player, Scene, Show, Words};
use lessons::Entry;
use std::fmt::Write;
use std::rc::Rc;

/// What stands before the pictures.
const HEAD: &str = "<!doctype html><meta charset=\"utf-8\"><style>\
    body{font:15px system-ui,sans-serif;margin:16px;background:Canvas;color:CanvasText;color-scheme:light dark}\
    .beat{display:grid;grid-template-columns:884px 320px;gap:16px;align-items:start}svg{width:100%;border:1px solid #8884}\
    h2{font-size:16px;font-weight:400;margin:24px 0 8px}.wrong{color:#c00}</style>\n";

/// The lesson's stage in seed `seed` at every beat, wide and narrow, with the sides compared and what is wrong with the
/// picture or with the claims of its caption.
pub fn html(lesson: &Entry, words: &Rc<Words>, seed: u32) -> String {
    let mut out = HEAD.to_owned();
    let mut player = Player::new((lesson.open)(seed));
    for beat in 0..player.beats().len() {
        if beat > 0 {
            player.jump(beat);
        }
        let view = player.beats()[beat];
        if view.predict.is_some() {
            player.guess(0);
        }
        let run = player.main();
        let at = run.position().at;
        let _ = write!(
            out,
            "<h2>{}. <code>{}</code> at {:.2} s: {}</h2>",
            beat + 1,
            view.id,
            at.as_s(),
            escape(words.get(&format!("beat.{}", view.id)))
        );
        if player.stuck().is_some() {
            out += "<p class=\"wrong\">It never comes.</p>";
        }
        for figure in view
            .shows
            .iter()
            .filter_map(|claim| wrong(run, words, claim))
        {
            let _ = write!(out, "<p class=\"wrong\">{}</p>", escape(&figure));
        }
        row(&mut out, run, words);
        if let Some(twin) = player.twin() {
            row(&mut out, &*twin.run, words);
        }
    }
    out
}

/// What a claim says of a picture with which it disagrees.
fn wrong(run: &dyn Show, words: &Rc<Words>, claim: &engine::Claim) -> Option<String> {
    let mut scene = Scene::new(WIDE, Rc::clone(words));
    run.draw(&mut scene);
    let now = run.position().at;
    let read = |figure: engine::Figure| figure.read(&scene, run.plots(), run.tape(), now);
    claim.check(read).err()
}

fn row(out: &mut String, run: &dyn Show, words: &Rc<Words>) {
    *out += "<div class=\"beat\">";
    let mut faults = Vec::new();
    for width in [WIDE, NARROW] {
        let mut scene = Scene::new(width, Rc::clone(words));
        run.draw(&mut scene);
        *out += &document(&scene, "");
        faults.extend(scene.faults());
    }
    *out += "</div>";
    for fault in faults {
        let _ = write!(out, "<p class=\"wrong\">{}</p>", escape(&fault));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beat_has_its_pictures_and_what_is_wrong_with_them() {
        let entry = &lessons::CATALOGUE[0];
        let beats = (entry.open)(1).beats().len();
        let page = html(entry, &Rc::default(), 1);
        assert_eq!(page.matches("<h2>").count(), beats);
        assert!(page.matches("<svg").count() >= 2 * beats);
    }
}
