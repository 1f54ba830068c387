//! Pulling a dot: what a lesson offers for it is done, once more for every stretch that the dot is pulled.

use crate::desk::Desk;
use crate::live::live;
use engine::show::Picked;
use engine::{Act, Arg};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, PointerEvent};

/// So little is a click with an unsteady hand, CSS pixels.
const CLICK: f64 = 8.0;
/// So far does it once more, CSS pixels.
const ONCE: f64 = 36.0;
/// No more often than this.
const MOST: u32 = 10;

/// A dot that a pointer is on.
#[derive(Clone, Copy)]
struct Pull {
    act: Act,
    /// Where it was taken, in CSS pixels of the window.
    from: (f64, f64),
    /// Whether it has been pulled further than a click, and then whether the run played before.
    played: Option<bool>,
}

/// What pulls dots on one stage.
#[derive(Clone, Copy)]
pub(crate) struct Puller {
    desk: Desk,
    side: usize,
    pull: StoredValue<Option<Pull>>,
    /// The click that follows a pull is none.
    ate: StoredValue<bool>,
    /// Where what is going to happen is told, from the corner of the stage, and how often it will be done.
    tip: RwSignal<Option<(f64, f64, u32)>>,
}

impl Puller {
    /// For a stage.
    pub(crate) fn new(desk: Desk, side: usize) -> Puller {
        Puller {
            desk,
            side,
            pull: StoredValue::new(None),
            ate: StoredValue::new(false),
            tip: RwSignal::new(None),
        }
    }

    /// The lesson's action that is done by pulling, where the learner may act.
    fn spec(self) -> Option<usize> {
        let specs = self.desk.ask(|player| player.main().actions())?;
        let spec = specs.iter().position(|action| action.pull);
        spec.filter(|_| self.desk.shows("actions"))
    }

    pub(crate) fn down(self, event: &PointerEvent) {
        self.ate.set_value(false);
        let Some(spec) = self.spec().filter(|_| event.button() == 0) else {
            return;
        };
        let Some(Picked::Dot(dot)) = self.desk.dot_at(self.side, event) else {
            return;
        };
        let act = Act {
            spec,
            target: dot as usize,
        };
        self.pull.set_value(Some(Pull {
            act,
            from: (event.client_x().into(), event.client_y().into()),
            played: None,
        }));
    }

    pub(crate) fn go(self, event: &PointerEvent) {
        let Some(mut pull) = self.pull.get_value() else {
            return;
        };
        let stage = event.current_target();
        let stage = stage.and_then(|stage| stage.dyn_into::<HtmlElement>().ok());
        let times = times(pull.from, event);
        if times == 0 && pull.played.is_none() {
            return;
        }
        if pull.played.is_none() {
            // Time stands still while somebody holds a part of it.
            pull.played = Some(self.desk.playing.get_untracked());
            self.pull.set_value(Some(pull));
            self.desk.act(|player| player.set_playing(false));
            if let Some(stage) = &stage {
                // Fails where the pointer is gone already; then no more comes of it.
                let _ = stage.set_pointer_capture(event.pointer_id());
            }
        }
        if let Some(stage) = stage {
            let corner = stage.get_bounding_client_rect();
            let x = f64::from(event.client_x()) - corner.x();
            let y = f64::from(event.client_y()) - corner.y();
            self.tip.set(Some((x, y, times)));
        }
    }

    /// The dot is let go: what was told is done, if it was not put back.
    pub(crate) fn up(self, event: &PointerEvent) {
        let times = self
            .pull
            .get_value()
            .map_or(0, |pull| times(pull.from, event));
        self.end(times);
    }

    /// The pointer was taken away: nothing is done.
    pub(crate) fn cancel(self) {
        self.end(0);
    }

    fn end(self, times: u32) {
        let pull = self.pull.get_value();
        self.pull.set_value(None);
        self.tip.set(None);
        let Some(Pull {
            act,
            played: Some(played),
            ..
        }) = pull
        else {
            return;
        };
        self.ate.set_value(true);
        self.desk.act(|player| {
            for _ in 0..times {
                player.act(act);
            }
            player.set_playing(played);
        });
        if times > 0 {
            self.desk
                .pick(Some((self.side, Picked::Dot(act.target as u32))));
        }
    }

    /// Whether a click is the end of a pull.
    pub(crate) fn ate(self) -> bool {
        let ate = self.ate.get_value();
        self.ate.set_value(false);
        ate
    }

    /// What is going to happen, beside the pointer.
    pub(crate) fn tip(self) -> impl IntoView {
        let text = move || {
            let (_, _, times) = self.tip.get()?;
            let specs = self.desk.ask(|player| player.main().actions())?;
            let id = specs.iter().find(|action| action.pull)?.id;
            let count = [Arg::Count(times.into())];
            Some(self.desk.fill(&format!("action.{id}.pull"), &count))
        };
        let place = move || {
            let (x, y, _) = self.tip.get().unwrap_or_default();
            format!("left:{x}px;top:{y}px")
        };
        view! {
            <Show when=move || self.tip.with(Option::is_some)>
                <div class="pull-tip" style=live(place)>{live(move || text().unwrap_or_default())}</div>
            </Show>
        }
    }
}

/// How often a pull to here does it; not at all where it is a click still.
fn times(from: (f64, f64), event: &PointerEvent) -> u32 {
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let (dx, dy) = (x - from.0, y - from.1);
    let far = (dx * dx + dy * dy).sqrt();
    if far < CLICK {
        0
    } else {
        (1 + (far / ONCE) as u32).min(MOST)
    }
}
