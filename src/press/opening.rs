//! The lesson as it opens, written into its page: stage, caption, transport, tape and controls stand there before the
//! program does, which then takes over in the same places. What is pressed meanwhile `assets/boot.js` keeps and answers.
//!
//! Classes, order and words are those of the site's own views (`src/site`); `tests/browser/opening.spec.mjs` holds both against
//! each other. Ids differ, because for a moment both are in the document.

use crate::stills;
use crate::words::Texts;
use contract::page::{DRAWERS, KNOBS_SHOWN, icons};
use engine::knobs::Kind;
use engine::scene::{Part, PartId, Shape};
use engine::svg::{escape, glyph_path, names};
use engine::text::{fixed, trim_number};
use engine::{
    Act, Glyph, Ink, Knob, Player, Scale, Scene, Setup, Show, Time, Words, plot, scene, speed,
};
use lessons::Entry;
use std::fmt::Write;
use std::rc::Rc;

/// The seed that a lesson opens with.
const SEED: u32 = 1;
/// The widths of a stage, in CSS pixels, for which it is said how high its scene is; between them scenes change little.
const WIDTHS: std::ops::RangeInclusive<u16> = 280..=980;
const WIDTH_STEP: usize = 20;
/// The stage is drawn for three widths, in CSS pixels; style sheets show the one that comes nearest. In every window that has
/// room for all of the page, in an embed of usual size, and on a telephone:
const STAGES: [(&str, f32); 3] = [("wide", 964.0), ("middle", 600.0), ("narrow", 376.0)];

/// A lesson as it opens.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The stage, wide and narrow, with its key.
    pub stage: String,
    /// How high the scene is at each of the widths that are asked for, in CSS pixels: what `boot.js` fits the stage's room to.
    pub heights: String,
    /// The story.
    pub story: String,
    /// Transport and tape.
    pub tape: String,
    /// The panels beside the stage.
    pub side: String,
    /// The row that opens an embed's drawers.
    pub drawers: String,
    /// The buttons of the header.
    pub tools: String,
}

/// What is needed to write one: the lesson's words and the site's.
struct Writer<'a> {
    words: Rc<Words>,
    site: &'a Texts,
}

/// Writes a lesson as it opens.
pub fn opening(entry: &Entry, words: &Rc<Words>, site: &Texts) -> Opening {
    let player = Player::new((entry.open)(SEED));
    let writer = Writer {
        words: Rc::clone(words),
        site,
    };
    let run = player.main();
    let heights = WIDTHS.step_by(WIDTH_STEP).map(|width| {
        let height = writer.scene(run, f32::from(width)).height;
        format!("{height:.0}")
    });
    Opening {
        heights: heights.collect::<Vec<_>>().join(" "),
        stage: writer.stage(&player),
        story: writer.story(&player),
        tape: writer.tape(run),
        side: writer.side(run),
        drawers: writer.drawers(run),
        tools: writer.tools(words.ids().any(|id| id.starts_with("code."))),
    }
}

fn icon(path: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"{path}\" fill-rule=\"evenodd\"/></svg>"
    )
}

/// A text in which `**bold**` stands out.
fn rich(text: &str) -> String {
    let pieces = text.split("**").enumerate();
    let piece = |(at, piece): (usize, &str)| match at % 2 {
        1 => format!("<strong>{}</strong>", escape(piece)),
        _ => escape(piece),
    };
    pieces.map(piece).collect()
}

fn moving(glyph: Glyph, ink: Ink) -> String {
    let class = match glyph {
        Glyph::Response => "f-none s",
        _ => "f",
    };
    let path = glyph_path(glyph, scene::pt(5.0, 5.0), 4.6);
    format!(
        "<svg class=\"glyph\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path class=\"{class}-{}\" stroke-width=\"2\" d=\"{path}\"/></svg>",
        ink.name()
    )
}

/// What must be the learner's for a challenge to be offered, as `Player::withhold` has it: knobs to turn, and `actions`.
fn needs(run: &dyn Show, challenge: usize, knobs: &[(Knob, f64)]) -> String {
    let mut needs: Vec<&str> = Vec::new();
    for step in run.solution(challenge) {
        let need = match *step {
            Setup::Set(id, value) if knobs.iter().any(|(k, now)| k.id == id && *now != value) => id,
            Setup::Act(..) => "actions",
            _ => continue,
        };
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs.join(" ")
}

impl Writer<'_> {
    fn site(&self, id: &str) -> String {
        escape(self.site.get(id))
    }

    fn word(&self, id: &str) -> String {
        escape(self.words.get(id))
    }

    fn scene(&self, run: &dyn Show, width: f32) -> Scene {
        let mut scene = Scene::new(width, Rc::clone(&self.words));
        run.draw(&mut scene);
        scene
    }

    fn stage(&self, player: &Player) -> String {
        let run = player.main();
        let beat = player.beats().first();
        let points = beat.map_or(&[] as &[PartId], |beat| beat.points);
        let hides = beat.map_or(&[] as &[PartId], |beat| beat.hides);
        // As `src/site/stage.rs` marks parts: what lies on a card is pointed at with it.
        let mark = |scene: &Scene, part: &Part| {
            let cards = scene.parts().iter();
            let boxed = |card: &&Part| matches!(card.shapes.first(), Some(Shape::Box { .. }));
            let mut cards = cards.filter(|card| boxed(card) && names(points, card.id));
            if names(hides, part.id) {
                "veiled"
            } else if names(points, part.id) {
                "pointed"
            } else if points.is_empty() || cards.any(|card| card.frame.holds(&part.frame)) {
                ""
            } else {
                "dim"
            }
        };
        let label = self.site.get("lesson.stage");
        let scenes = STAGES.map(|(name, width)| (name, self.scene(run, width)));
        let key = run.key().iter().map(|&(glyph, ink)| {
            let name = escape(self.words.glyph(glyph, ink));
            format!("<li>{}{name}</li>", moving(glyph, ink))
        });
        format!(
            "<div class=\"stage-view\" data-shape=\"either\">{}</div><ul class=\"stage-key\">{}</ul>",
            stills::inline(&scenes, label, mark),
            key.collect::<String>()
        )
    }

    fn story(&self, player: &Player) -> String {
        let beats = player.beats();
        let dots = beats.iter().enumerate().map(|(at, beat)| {
            let step = self
                .site("story.step")
                .replace("{0}", &(at + 1).to_string())
                .replace("{1}", &beats.len().to_string());
            let now = if at == 0 {
                " aria-current=\"step\""
            } else {
                ""
            };
            let asks = beat.predict.map_or("", |_| " data-asks");
            format!(
                "<button class=\"dot\" type=\"button\" aria-label=\"{step}\"{now}{asks}></button>"
            )
        });
        let Some(first) = beats.first() else {
            return String::new();
        };
        let ask = first
            .predict
            .map(|(id, options)| self.ask(player.main(), id, options));
        let (state, weight) = match ask {
            Some(_) => ("predict", ""),
            None => ("say", " btn-primary"),
        };
        format!(
            "<section class=\"story\" data-hides=\"story\" data-state=\"{state}\" aria-label=\"{}\"><div class=\"story-head\">\
            <button class=\"btn\" type=\"button\" aria-disabled=\"true\">{}</button><div class=\"dots\">{}</div>\
            <button class=\"btn{weight}\" type=\"button\">{}</button></div>\
            <div class=\"story-text\"><p class=\"story-caption\">{}</p>{}</div></section>",
            self.site("story.label"),
            self.site("ui.back"),
            dots.collect::<String>(),
            self.site("ui.next"),
            rich(self.words.get(&format!("beat.{}", first.id))),
            ask.unwrap_or_default()
        )
    }

    /// A question that the story opens with.
    fn ask(&self, run: &dyn Show, id: &str, options: &[&str]) -> String {
        let scale = run.scales().iter().find(|scale| scale.question == id);
        let answers = match scale {
            Some(Scale {
                range: [min, max, step],
                unit,
                ..
            }) => {
                let knob = Knob {
                    id: "guess",
                    kind: Kind::Slider {
                        min: *min,
                        max: *max,
                        step: *step,
                    },
                    unit,
                    part: None,
                };
                let lock = self
                    .site("story.lock")
                    .replace("{0}", &self.value(&knob, *min));
                format!(
                    "{}<button class=\"answer\" type=\"button\">{lock}</button>",
                    self.control(&knob, *min, &self.site("story.number"))
                )
            }
            None => {
                let answer = |option: &&str| {
                    let answer = self.word(&format!("predict.{id}.{option}"));
                    format!("<button class=\"answer\" type=\"button\">{answer}</button>")
                };
                let answers: String = options.iter().map(answer).collect();
                format!("<div class=\"answers\">{answers}</div>")
            }
        };
        format!(
            "<fieldset class=\"predict\"><legend>{}</legend>{answers}</fieldset>",
            self.word(&format!("predict.{id}"))
        )
    }

    fn tape(&self, run: &dyn Show) -> String {
        let own = run.speed();
        let buttons = [
            ("play", icons::PLAY),
            ("step-back", icons::BACK),
            ("step-forward", icons::FORWARD),
            ("restart", icons::RESTART),
        ];
        let buttons = buttons.map(|(name, path)| {
            let label = self.site(&format!("ui.{name}"));
            format!(
                "<button class=\"icon-btn\" type=\"button\" data-button=\"{name}\" aria-label=\"{label}\">{}</button>",
                icon(path)
            )
        });
        let speeds = speed::offered(own).into_iter().map(|offered| {
            let on = if offered == own { " checked" } else { "" };
            let factor = speed::factor(offered);
            format!(
                "<label><input type=\"radio\" name=\"at-speed\"{on}><span>{factor}</span></label>"
            )
        });
        let span = plot::span(Time::ZERO, own);
        let ticks = plot::ticks(span).into_iter();
        let ticks =
            ticks.map(|(at, text)| format!("<span data-at=\"{}\">{text}</span>", fixed(at, 5)));
        let plots = run.plots().iter().map(|plot| {
            let lines = plot.lines.iter().enumerate().map(|(number, line)| {
                let swatch = match line.ink {
                    Ink::Accent => "swatch-accent",
                    Ink::Ok => "swatch-ok",
                    Ink::Bad => "swatch-bad",
                    Ink::Warn => "swatch-warn",
                    Ink::Hit => "swatch-line-hit",
                    Ink::MemberA => "swatch-member-a",
                    Ink::MemberB => "swatch-member-b",
                    Ink::MemberC => "swatch-member-c",
                    Ink::MemberD => "swatch-member-d",
                    _ => "swatch-line-secondary",
                };
                let broad = if plot::weight(number) == 1 { "" } else { " swatch-broad" };
                let name = self.word(&format!("line.{}", line.id));
                format!("<span class=\"legend\"><span class=\"swatch {swatch}{broad}\"></span>{name}</span>")
            });
            let lines = match plot.lines.len() {
                1 => String::new(),
                _ => format!("<small class=\"track-lines\">{}</small>", lines.collect::<String>()),
            };
            format!(
                "<div class=\"track\"><div class=\"track-label\">{}<small>0–{} {}</small></div>{lines}<div class=\"plot\"></div></div>",
                self.word(&format!("plot.{}", plot.id)),
                trim_number(plot.top_min),
                self.word(&format!("plot.{}.unit", plot.id)),
            )
        });
        let lists = ["tape.events", "tape.notes"].map(|word| {
            let name = self.site(word);
            format!(
                "<button class=\"link\" type=\"button\" aria-expanded=\"false\">{name}</button>"
            )
        });
        format!(
            "<section class=\"tape\" aria-label=\"{}\"><div class=\"transport\">{}<output class=\"clock\" aria-live=\"off\">{}</output>\
            <p class=\"latest\"></p><button class=\"btn plots-btn\" type=\"button\" aria-expanded=\"false\">{}</button>\
            <div class=\"segmented segmented-row\" role=\"group\" aria-label=\"{}\">{}</div></div>\
            <div class=\"tracks\" data-hides=\"tape\" data-at=\"0\"><div class=\"track\"><div class=\"track-label lane-lists\">{}</div><div class=\"lane\"></div></div>{}\
            <div class=\"axis\" aria-hidden=\"true\">{}</div><div class=\"playhead\"></div></div></section>",
            self.site("tape.label"),
            buttons.concat(),
            Time::ZERO.at_speed(own),
            self.site("drawer.plots"),
            self.site("tape.speed"),
            speeds.collect::<String>(),
            lists.concat(),
            plots.collect::<String>(),
            ticks.collect::<String>(),
        )
    }

    /// What a knob stands at, as the learner reads it.
    fn value(&self, knob: &Knob, value: f64) -> String {
        match knob.unit {
            "" => trim_number(value),
            unit => format!("{} {}", trim_number(value), escape(unit)),
        }
    }

    fn knob(&self, (knob, value): &(Knob, f64)) -> String {
        let label = self.word(&format!("knob.{}", knob.id));
        let control = self.control(knob, *value, &label);
        format!("<div class=\"knob-place\">{control}</div>")
    }

    fn control(&self, knob: &Knob, value: f64, label: &str) -> String {
        let id = knob.id;
        match knob.kind {
            Kind::Slider { min, max, step } => format!(
                "<div class=\"knob\"><label for=\"at-{id}\">{label}</label><output for=\"at-{id}\" aria-live=\"off\">{}</output>\
                <input class=\"range\" type=\"range\" id=\"at-{id}\" data-locks=\"{id}\" min=\"{}\" max=\"{}\" step=\"{}\" value=\"{}\" data-fill=\"{}%\"></div>",
                self.value(knob, value),
                trim_number(min),
                trim_number(max),
                trim_number(step),
                trim_number(value),
                fixed((value - min) / (max - min) * 100.0, 2)
            ),
            Kind::Choice(options) => {
                let options = options.iter().enumerate().map(|(at, option)| {
                    let on = if value as usize == at { " checked" } else { "" };
                    let text = self.word(&format!("knob.{id}.{option}"));
                    format!("<label><input type=\"radio\" name=\"at-{id}\" data-locks=\"{id}\"{on}><span>{text}</span></label>")
                });
                let options: String = options.collect();
                format!(
                    "<fieldset class=\"knob\"><legend>{label}</legend><div class=\"segmented\">{options}</div></fieldset>"
                )
            }
            Kind::Switch => {
                let on = if value > 0.0 { " checked" } else { "" };
                format!(
                    "<label class=\"switch knob\"><span>{label}</span><input type=\"checkbox\" role=\"switch\" data-locks=\"{id}\"{on}></label>"
                )
            }
        }
    }

    fn panel(&self, class: &str, name: &str, title: &str, body: &str) -> String {
        format!(
            "<section class=\"panel{class}\" data-panel=\"{name}\" data-hides=\"{name}\"><h2 class=\"panel-title\">{title}</h2>{body}</section>"
        )
    }

    fn side(&self, run: &dyn Show) -> String {
        let knobs = run.knobs();
        let own: Vec<_> = knobs
            .iter()
            .filter(|(knob, _)| knob.part.is_none())
            .collect();
        let mut out: String = own
            .iter()
            .take(KNOBS_SHOWN)
            .map(|knob| self.knob(knob))
            .collect();
        let _ = write!(
            out,
            "<details class=\"more\"><summary>{}</summary></details>",
            self.site("knob.more")
        );
        out = self.panel(" knobs", "knobs", &self.word("group.knobs"), &out);
        let actions = run.actions().iter().enumerate().map(|(spec, action)| {
            let can = run.can(Act {
                spec,
                target: run.aim(spec),
            });
            let name = self.word(&format!("action.{}", action.id));
            format!(
                "<button class=\"btn\" type=\"button\" aria-disabled=\"{}\">{name}</button>",
                !can
            )
        });
        let actions: String = actions.collect();
        if !actions.is_empty() {
            let actions = format!("<div class=\"actions\">{actions}</div>");
            out += &self.panel("", "actions", &self.site("panel.actions"), &actions);
        }
        let challenges = run.challenges();
        let challenges = challenges.iter().enumerate().map(|(challenge, id)| {
            format!(
                "<li class=\"challenge\" data-needs=\"{}\"><span class=\"tick\" aria-hidden=\"true\"></span><p><button class=\"link\" type=\"button\">{}</button></p>\
                <details class=\"hint\"><summary>{}</summary></details></li>",
                needs(run, challenge, &knobs),
                self.word(&format!("challenge.{id}")),
                self.site("challenge.hint")
            )
        });
        let challenges: String = challenges.collect();
        if !challenges.is_empty() {
            let measure = run.growth().map_or_else(String::new, |_| {
                let name = self.site("measure.open");
                format!("<button class=\"btn measure\" type=\"button\">{name}</button>")
            });
            let challenges = format!("<ol class=\"challenges\">{challenges}</ol>{measure}");
            out += &self.panel(
                "",
                "challenges",
                &self.site("panel.challenges"),
                &challenges,
            );
        }
        out
    }

    fn drawers(&self, run: &dyn Show) -> String {
        let has = |name: &str| match name {
            "actions" => !run.actions().is_empty(),
            "challenges" => !run.challenges().is_empty(),
            // An embed shows code only where its address asks for it.
            "code" => false,
            _ => true,
        };
        let drawers = DRAWERS.iter().filter(|(name, _)| has(name));
        let drawers = drawers.map(|(name, word)| {
            let word = self.site(word);
            format!("<button class=\"btn drawer\" type=\"button\" data-opens=\"{name}\" data-hides=\"{name}\" aria-expanded=\"false\">{word}</button>")
        });
        format!(
            "{}<span class=\"drawers-gap\"></span><button class=\"btn btn-quiet\" type=\"button\" data-hides=\"share\">{}</button>",
            drawers.collect::<String>(),
            self.site("ui.share")
        )
    }

    fn tools(&self, code: bool) -> String {
        let tools = [
            ("ui.compare", ""),
            ("code.tab", ""),
            ("ui.share", " data-hides=\"share\""),
            ("ui.embed", " data-hides=\"share\""),
            ("present.button", ""),
            ("ui.help", ""),
        ];
        let tools = tools
            .into_iter()
            .filter(|(word, _)| code || *word != "code.tab");
        let tools = tools.map(|(word, hides)| {
            format!(
                "<button class=\"btn\" type=\"button\"{hides}>{}</button>",
                self.site(word)
            )
        });
        format!(
            "<div class=\"tools\">{}</div>{}<button class=\"icon-btn menu-btn\" type=\"button\" aria-label=\"{}\">{}</button>",
            tools.collect::<String>(),
            theme(self.site),
            self.site("ui.menu"),
            icon(icons::MENU)
        )
    }
}

/// The button that changes the theme.
pub(crate) fn theme(site: &Texts) -> String {
    let label = site
        .get("theme.label")
        .replace("{0}", site.get("theme.auto"));
    format!(
        "<button class=\"icon-btn\" type=\"button\" aria-label=\"{}\">{}</button>",
        escape(&label),
        icon(icons::THEME)
    )
}
