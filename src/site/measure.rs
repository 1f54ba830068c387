//! Measuring to a million: a lesson's structure grows while the page stays alive, and its cost is drawn beside theory.
//!
//! The work is done in slices within the frames of an open dialog; who closes it ends the work and lets go of its memory.

use crate::desk::Desk;
use crate::live::{live, part};
use crate::place;
use engine::growth::{Growth, Survey, chart, sizes, written};
use engine::text::grouped;
use leptos::prelude::*;

/// Of each frame so many milliseconds are spent on it: the rest is for what else the page does.
const WORK_MS: f64 = 8.0;
/// The chart in a wide dialog and on a telephone, in units of its own: about as many as pixels, for its letters' sake.
const CHARTS: [(f32, f32); 2] = [(720.0, 300.0), (320.0, 230.0)];
/// Windows narrower than this have the second one.
const WIDE: f64 = 600.0;

/// A survey outside of signals, and what the document follows of it.
#[derive(Clone, Copy)]
struct Way {
    desk: Desk,
    survey: StoredValue<Option<Survey>, LocalStorage>,
    growth: &'static Growth,
    running: RwSignal<bool>,
    /// How many points there are, and the share of the whole that is done, in thousandths.
    points: RwSignal<usize>,
    share: RwSignal<u32>,
    said: RwSignal<String>,
}

impl Way {
    fn look<T>(self, look: impl FnOnce(&Survey) -> T) -> Option<T> {
        let looked = self
            .survey
            .try_with_value(|survey| survey.as_ref().map(look));
        looked.flatten()
    }

    /// Starts, stops, goes on, begins anew.
    fn press(self) {
        if self.running.get_untracked() {
            self.running.set(false);
            let size = self.look(|survey| survey.present().map_or(0, |(_, size)| size));
            self.said
                .set(self.filled("measure.stopped", &grouped(size.unwrap_or(0))));
            return;
        }
        if self.look(|survey| survey.present().is_none()) == Some(true) {
            self.survey.set_value(Some(Survey::new(self.growth)));
        }
        self.running.set(true);
        self.frame();
    }

    fn filled(self, word: &str, text: &str) -> String {
        self.desk.word(word).replace("{0}", text)
    }

    fn frame(self) {
        request_animation_frame(move || {
            // The dialog may be closed by now, and all of this gone.
            if self.running.try_get_untracked() != Some(true) {
                return;
            }
            let until = place::now_ms() + WORK_MS;
            let done = self.survey.try_update_value(|survey| {
                survey
                    .as_mut()
                    .is_none_or(|survey| survey.work(|| place::now_ms() < until))
            });
            self.show();
            match done {
                Some(false) => self.frame(),
                _ => {
                    self.running.set(false);
                    let most = grouped(self.growth.most);
                    self.said.set(self.filled("measure.done", &most));
                }
            }
        });
    }

    fn show(self) {
        let seen = self.look(|survey| {
            let points = survey.points().iter().map(Vec::len).sum();
            let line = survey
                .points()
                .iter()
                .rposition(|points| !points.is_empty());
            let last = line.and_then(|line| Some((line, survey.points()[line].last()?.0)));
            (points, (survey.share() * 1_000.0) as u32, last)
        });
        let Some((points, share, last)) = seen else {
            return;
        };
        if self.share.get_untracked() != share {
            self.share.set(share);
        }
        // A point is worth a word; all between would drown them.
        if self.points.get_untracked() != points {
            self.points.set(points);
            if let Some((line, size)) = last {
                let name = self
                    .desk
                    .word(&format!("growth.{}", self.growth.lines[line].id));
                let said = self.filled("measure.at", &name);
                self.said.set(said.replace("{1}", &grouped(size)));
            }
        }
    }
}

/// The dialog's content.
pub(crate) fn survey(desk: Desk) -> AnyView {
    let Some(growth) = desk.ask(|player| player.main().growth()).flatten() else {
        return ().into_any();
    };
    let way = Way {
        desk,
        survey: StoredValue::new_local(Some(Survey::new(growth))),
        growth,
        running: RwSignal::new(false),
        points: RwSignal::new(0),
        share: RwSignal::new(0),
        said: RwSignal::new(desk.word("measure.waits")),
    };
    let lines = growth.lines.iter().map(|line| {
        let ink = format!(
            "<path class=\"s-{}\" stroke-width=\"2\" d=\"M0 4H22\"/>",
            line.ink.name()
        );
        let name = desk.word(&format!("growth.{}", line.id));
        view! { <li><svg viewBox="0 0 22 8" aria-hidden="true" inner_html=ink></svg>{name}</li> }
    });
    let wide = window().inner_width().ok().and_then(|width| width.as_f64());
    let (width, height) = CHARTS[usize::from(wide.is_some_and(|wide| wide < WIDE))];
    let theory =
        "<path class=\"s-secondary\" stroke-width=\"6\" opacity=\"0.4\" d=\"M0 4H22\"/>".to_owned();
    let drawn = move || {
        way.points.track();
        way.look(|survey| chart(survey, width, height))
            .unwrap_or_default()
    };
    let button = move || {
        let word = match (way.running.get(), way.points.get(), way.share.get()) {
            (true, ..) => "measure.stop",
            (false, 0, _) => "measure.start",
            (false, _, 1_000) => "measure.again",
            _ => "measure.go-on",
        };
        desk.word(word)
    };
    let axes = format!(
        "{} / {}",
        desk.word("growth.unit"),
        desk.word("measure.keys")
    );
    let view = view! {
        <div class="dialog-body growth">
            <p>{desk.word("growth.about")}</p>
            <div class="growth-way">
                <button class="btn btn-primary" type="button" on:click=move |_| way.press()>{live(button)}</button>
                <p role="status">{live(move || way.said.get())}</p>
                <progress max="1000" value=live(move || way.share.get().to_string()) aria-label=desk.word("growth.title")></progress>
            </div>
            <figure>
                <figcaption>{axes}</figcaption>
                <div inner_html=live(drawn)></div>
            </figure>
            <ul class="growth-lines">{lines.collect_view()}
                <li><svg viewBox="0 0 22 8" aria-hidden="true" inner_html=theory></svg>{desk.word("measure.theory")}</li>
            </ul>
            <details class="more"><summary>{desk.word("measure.table")}</summary>{part(move || table(way))}</details>
        </div>
    };
    view.into_any()
}

/// All points as numbers, with what theory expects.
fn table(way: Way) -> impl IntoView {
    way.points.track();
    let (desk, growth) = (way.desk, way.growth);
    let heads = growth.lines.iter().map(|line| {
        let name = desk.word(&format!("growth.{}", line.id));
        let theory = desk.word("measure.theory");
        view! { <th scope="col">{name}</th><th scope="col">{theory}</th> }
    });
    let points = way
        .look(|survey| survey.points().to_vec())
        .unwrap_or_default();
    let rows = sizes(growth.most).enumerate().map(|(row, size)| {
        let cells = growth.lines.iter().zip(&points).map(|(line, points)| {
            let cost = points.get(row).map(|(_, cost)| written(*cost));
            let theory = written((line.theory)(size as f64));
            view! { <td>{cost}</td><td>{theory}</td> }
        });
        view! { <tr><th scope="row">{grouped(size)}</th>{cells.collect_view()}</tr> }
    });
    view! {
        <div class="table" role="group" tabindex="0" aria-label=desk.word("measure.table")>
            <table>
                <thead><tr><th scope="col">{desk.word("measure.keys")}</th>{heads.collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
