//! Claims: what a beat says must be seen on the stage or in the plots at its moment.
//!
//! A view tells each figure that it draws by name ([`crate::scene::Pencil::figure`]), from the very variable that it
//! writes. A claim names one of them and what must hold of it, so that a test can hold captions against pictures.

use crate::ids::PartId;
use crate::plot::Plot;
use crate::scene::Scene;
use crate::tape::Tape;
use crate::time::Time;

/// Where a figure is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// On a part of the stage, by the name that its view gives the figure.
    On(PartId, &'static str),
    /// The last full sample of a plotted line, in the plot's unit: the plot and the line.
    Line(&'static str, &'static str),
}

impl Figure {
    /// Its value in a picture and on a tape at a moment; none if it is not there.
    pub fn read(self, scene: &Scene, plots: &[Plot], tape: &Tape, now: Time) -> Option<f64> {
        match self {
            Figure::On(part, name) => scene.figure(part, name),
            Figure::Line(plot, line) => {
                let plot = plots.iter().find(|one| one.id == plot)?;
                let line = plot.lines.iter().find(|one| one.id == line)?;
                let read = (line.probe, line.statistic);
                let at = tape.reads().iter().position(|other| *other == read)?;
                let samples = tape.samples_at(now);
                let value = *tape.line(at).get(samples.checked_sub(1)?)?;
                value.is_finite().then_some(f64::from(value) * plot.scale)
            }
        }
    }
}

/// What must hold of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holds {
    /// Nothing: it only fills a placeholder of the caption.
    Shown,
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// From so much to so much.
    Within(f64, f64),
    /// As much as another figure, up to so much.
    Same(Figure, f64),
    /// More than another figure.
    Above(Figure),
}

/// A figure, and what must hold of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Where it is read.
    pub figure: Figure,
    /// What must hold.
    pub holds: Holds,
}

/// The figure that a part's view calls `name`.
pub const fn figure(part: PartId, name: &'static str) -> Figure {
    Figure::On(part, name)
}

/// The figure at the end of a plotted line.
pub const fn line(plot: &'static str, line: &'static str) -> Figure {
    Figure::Line(plot, line)
}

impl Figure {
    /// It is shown, and fills a placeholder.
    pub const fn shown(self) -> Claim {
        self.holds(Holds::Shown)
    }
    /// It is exactly so much.
    pub const fn is(self, value: f64) -> Claim {
        self.holds(Holds::Within(value, value))
    }
    /// It is at least so much.
    pub const fn at_least(self, value: f64) -> Claim {
        self.holds(Holds::AtLeast(value))
    }
    /// It is at most so much.
    pub const fn at_most(self, value: f64) -> Claim {
        self.holds(Holds::AtMost(value))
    }
    /// It lies between the two.
    pub const fn within(self, least: f64, most: f64) -> Claim {
        self.holds(Holds::Within(least, most))
    }
    /// It equals another figure, up to `tolerance`.
    pub const fn same(self, other: Figure, tolerance: f64) -> Claim {
        self.holds(Holds::Same(other, tolerance))
    }
    /// It is more than another figure.
    pub const fn above(self, other: Figure) -> Claim {
        self.holds(Holds::Above(other))
    }
    const fn holds(self, holds: Holds) -> Claim {
        Claim {
            figure: self,
            holds,
        }
    }
}

impl Claim {
    /// Holds the claim against a picture and a tape at a moment; `read` gives the value of a figure.
    ///
    /// # Errors
    /// What is shown instead.
    pub fn check(self, read: impl Fn(Figure) -> Option<f64>) -> Result<f64, String> {
        let value = |figure| read(figure).ok_or_else(|| format!("{figure:?} is not shown"));
        let shown = value(self.figure)?;
        let holds = match self.holds {
            Holds::Shown => true,
            Holds::AtLeast(least) => shown >= least,
            Holds::AtMost(most) => shown <= most,
            Holds::Within(least, most) => (least..=most).contains(&shown),
            Holds::Same(other, tolerance) => (shown - value(other)?).abs() <= tolerance,
            Holds::Above(other) => shown > value(other)?,
        };
        if holds {
            Ok(shown)
        } else {
            Err(format!(
                "{:?} shows {shown}, not {:?}",
                self.figure, self.holds
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_held_against_what_is_shown() {
        const BUSY: Figure = figure(PartId::one("server"), "busy");
        const WORKERS: Figure = figure(PartId::one("server"), "workers");
        let read = |figure| match figure {
            BUSY => Some(2.0),
            WORKERS => Some(3.0),
            _ => None,
        };
        for right in [
            BUSY.shown(),
            BUSY.is(2.0),
            BUSY.at_most(2.0),
            WORKERS.above(BUSY),
            BUSY.same(WORKERS, 1.0),
        ] {
            assert!(right.check(read).is_ok(), "{right:?}");
        }
        let nowhere = figure(PartId::one("door"), "busy");
        for wrong in [
            BUSY.at_least(2.5),
            BUSY.above(WORKERS),
            BUSY.same(WORKERS, 0.5),
            BUSY.within(0.0, 1.0),
            nowhere.shown(),
        ] {
            assert!(wrong.check(read).is_err(), "{wrong:?}");
        }
    }
}
