//! What both makers of a lesson's page share: press, which writes it at rest, and the site, which runs it in the same place.

/// So many knobs are in view; the others are behind a fold.
pub const KNOBS_SHOWN: usize = 6;

/// The drawers of an embed, by the name of what they hold and the word on their button. Wide embeds show all but the plots.
pub const DRAWERS: [(&str, &str); 5] = [
    ("tape", "drawer.plots"),
    ("knobs", "drawer.knobs"),
    ("actions", "panel.actions"),
    ("challenges", "panel.challenges"),
    ("code", "code.tab"),
];

/// The paths of icons, in a box of 16 by 16: the subset of the font holds none.
pub mod icons {
    #![allow(
        missing_docs,
        reason = "each is named after the button that it stands on"
    )]
    pub const PAUSE: &str = "M3 2h3.4v12H3zM9.6 2H13v12H9.6z";
    pub const PLAY: &str = "M4 2v12l10-6z";
    pub const BACK: &str = "M2.5 2.5h2v11h-2zM13.5 2.5v11L5.5 8z";
    pub const FORWARD: &str = "M11.5 2.5h2v11h-2zM2.5 2.5v11l8-5.5z";
    pub const RESTART: &str =
        "M8 2.6a5.4 5.4 0 1 1-5.2 4l1.7.450A3.65 3.65 0 1 0 8 4.35V7L3.8 3.5 8 0z";
    pub const THEME: &str = "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 3v10A5 5 0 0 1 8 3z";
    pub const MENU: &str = "M2 7h3v3H2zM6.5 7h3v3h-3zM11 7h3v3h-3z";
    pub const CLOSE: &str = "M3.2 4.3 4.3 3.2 8 6.9l3.7-3.7 1.1 1.1L9.1 8l3.7 3.7-1.1 1.1L8 9.1l-3.7 3.7-1.1-1.1L6.9 8z";
}
