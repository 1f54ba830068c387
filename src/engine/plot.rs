//! Plots: samples of the tape drawn by plotters, on a canvas in the browser and as SVG natively.

use crate::ids::Ink;
use crate::probe::Statistic;
use crate::tape::Tape;
use crate::text::trim_number;
use crate::time::Time;
use plotters::coord::Shift;
use plotters::prelude::*;

/// A line has a point for each so many pixels: more could not be told apart, and each costs a call into the canvas.
const PIXELS_A_POINT: u32 = 2;
/// A dash of a twin's line is so many times as long as the line is broad.
const DASH_WIDTHS: u32 = 4;

/// The axis reaches so many times as far as the highest peak, so that no line is cut at the edge.
const HEADROOM: f64 = 1.04;

/// One plot of the tape; its words are `plot.<id>` and `plot.<id>.unit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot {
    /// Its words.
    pub id: &'static str,
    /// Its lines.
    pub lines: &'static [Line],
    /// What a sample is multiplied by to give the unit shown, such as 0.001 from µs to ms.
    pub scale: f64,
    /// The vertical axis reaches at least this far, in the unit shown.
    pub top_min: f64,
}

/// One line of a plot; its word is `line.<id>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Its word.
    pub id: &'static str,
    /// Which probe it reads.
    pub probe: usize,
    /// What it reads from it.
    pub statistic: Statistic,
    /// Its colour.
    pub ink: Ink,
    /// Whether the ground below it is tinted.
    pub area: bool,
}

impl Plot {
    /// A plot whose samples are in the unit shown, with an axis up to at least `top`.
    pub const fn of(id: &'static str, lines: &'static [Line], top: f64) -> Plot {
        Plot {
            id,
            lines,
            scale: 1.0,
            top_min: top,
        }
    }

    /// A plot of spans, which are sampled in µs, in ms; its axis reaches at least `top_ms`.
    pub const fn ms(id: &'static str, lines: &'static [Line], top_ms: f64) -> Plot {
        Plot {
            scale: 0.001,
            ..Plot::of(id, lines, top_ms)
        }
    }
}

impl Line {
    /// What is counted per second, or the mean of a level.
    pub const fn mean(id: &'static str, probe: usize, ink: Ink) -> Line {
        Line {
            id,
            probe,
            statistic: Statistic::Mean,
            ink,
            area: false,
        }
    }

    /// A quantile of a spread.
    pub const fn quantile(id: &'static str, probe: usize, q: f64, ink: Ink) -> Line {
        Line {
            statistic: Statistic::Quantile(q),
            ..Line::mean(id, probe, ink)
        }
    }

    /// The ground below it is tinted.
    pub const fn filled(self) -> Line {
        Line { area: true, ..self }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// This run.
    Solid,
    /// The twin.
    Dashed,
    /// The future that a fork left behind.
    Ghost,
}

/// A line with its samples, ready to draw.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Samples in the unit of the probe; not-a-number where there is nothing to draw.
    pub samples: &'a [f32],
    /// Number of the first sample.
    pub first: usize,
    /// How far apart they are.
    pub every: Time,
    /// Red, green, blue.
    pub colour: (u8, u8, u8),
    /// Whether the ground below it is tinted.
    pub area: bool,
    /// How it is drawn.
    pub stroke: Stroke,
    /// How many times as broad as the plot's first line: weights tell lines apart where hues do not.
    pub weight: u32,
}

impl Plot {
    /// The lines of this plot on the tape, with the future that its last fork left behind and the twin's lines, all
    /// as far as a time axis reaches that ends at `span`: a lost future may be much longer than the new one.
    /// The main lines come last, so that they lie on top; `colour` gives the value of an ink.
    pub fn traces<'a>(
        &self,
        main: &'a Tape,
        twin: Option<&'a Tape>,
        span: Time,
        colour: impl Fn(Ink) -> (u8, u8, u8),
    ) -> Vec<Trace<'a>> {
        let shown = main.samples_at(span);
        let mut traces = Vec::with_capacity(3 * self.lines.len());
        let mut add = |at: usize, samples: &'a [f32], first: usize, stroke: Stroke| {
            let line = &self.lines[at];
            let samples = &samples[..samples.len().min(shown.saturating_sub(first))];
            if !samples.is_empty() {
                traces.push(Trace {
                    samples,
                    first,
                    every: main.every(),
                    colour: colour(line.ink),
                    area: line.area,
                    stroke,
                    weight: weight(at),
                });
            }
        };
        let place = |tape: &Tape, line: &Line| {
            let read = (line.probe, line.statistic);
            tape.reads().iter().position(|other| *other == read)
        };
        if let Some(ghost) = main.ghost() {
            for (number, line) in self.lines.iter().enumerate().rev() {
                let lost = place(main, line).and_then(|at| ghost.lines.get(at));
                if let Some(samples) = lost {
                    add(number, samples, ghost.first, Stroke::Ghost);
                }
            }
        }
        let solid = Some((main, Stroke::Solid));
        let dashed = twin.map(|twin| (twin, Stroke::Dashed));
        for (tape, stroke) in dashed.into_iter().chain(solid) {
            // The broad ones first, so that they do not hide the fine ones.
            for (number, line) in self.lines.iter().enumerate().rev() {
                if let Some(at) = place(tape, line) {
                    add(number, tape.line(at), 0, stroke);
                }
            }
        }
        traces
    }

    /// The top of the vertical axis that holds all these traces with some room above the highest: a round number in
    /// the unit shown.
    pub fn top(&self, traces: &[Trace<'_>]) -> f64 {
        round_up((greatest(traces) * self.scale * HEADROOM).max(self.top_min))
    }

    /// A value in the unit shown, in the unit of the samples.
    pub fn to_samples(&self, shown: f64) -> f64 {
        if self.scale > 0.0 {
            shown / self.scale
        } else {
            shown
        }
    }
}

/// How broad the line with this number is, as a multiple of the first.
pub const fn weight(line: usize) -> u32 {
    if line == 0 { 1 } else { 2 }
}

/// The end of the time axis for a tape that has reached `horizon`, of a lesson that opens at this speed: steps up rarely, so
/// that the picture rests. What plays in slow motion begins with a shorter axis: 48 seconds of watching, at most 12 s.
pub fn span(horizon: Time, speed: f64) -> Time {
    const STEPS_MS: [u64; 24] = [
        15, 30, 60, 120, 250, 500, 1_000, 2_000, 3_000, 5_000, 12_000, 20_000, 30_000, 45_000,
        60_000, 90_000, 120_000, 180_000, 300_000, 450_000, 600_000, 900_000, 1_800_000, 3_600_000,
    ];
    let least = (48.0 * speed).min(12.0);
    let wanted = (horizon.as_s() * 1.05).max(least) * 1e3;
    let step = STEPS_MS.into_iter().find(|ms| *ms as f64 >= wanted);
    step.map_or(Time::s(7_200), Time::ms)
}

/// Distance of the labels of a time axis that ends at `span`.
pub fn tick(span: Time) -> Time {
    const STEPS_MS: [u64; 20] = [
        2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000,
        60_000, 120_000, 300_000, 600_000, 1_200_000,
    ];
    let ms = span.as_ms();
    let step = STEPS_MS.into_iter().find(|step| ms / *step as f64 <= 6.5);
    Time::ms(step.unwrap_or(1_200_000))
}

/// The labels of a time axis that ends at `span`, each with its place on it from 0 to 1.
pub fn ticks(span: Time) -> Vec<(f64, String)> {
    let tick = tick(span);
    let label = |n: u64| {
        let at = Time(n * tick.0);
        let text = match tick < Time::ms(100) {
            true => format!("{} ms", at.0 / 1_000),
            false => moment(at),
        };
        (at.0 as f64 / span.0 as f64, text)
    };
    (0..=span.0 / tick.0.max(1)).map(label).collect()
}

/// A moment on a time axis: `12 s`, `0.5 s`, `2:30`.
fn moment(at: Time) -> String {
    let s = at.0 / 1_000_000;
    if !at.0.is_multiple_of(1_000_000) {
        format!("{} s", trim_number(at.as_s()))
    } else if s < 120 {
        format!("{s} s")
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

/// A round number at or above `value`: the top of a vertical axis.
pub fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(value)));
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps
        .into_iter()
        .map(|step| step * magnitude)
        .find(|top| *top >= value)
        .unwrap_or(value)
}

/// The greatest sample of all traces.
pub fn greatest(traces: &[Trace<'_>]) -> f64 {
    traces
        .iter()
        .flat_map(|trace| trace.samples)
        .fold(0.0_f32, |a, b| a.max(*b))
        .into()
}

/// Draws traces over a time axis that ends at `span` and a vertical axis from 0 to `top` (in the unit of the samples).
/// Before each line, `dash` is told how many pixels its dashes are long, 0 where it has none: what draws on a canvas
/// dashes a whole line at once, where plotters' own dashes are a path each.
///
/// # Errors
/// What the drawing backend reports; a lost canvas, say.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    traces: &[Trace<'_>],
    span: Time,
    top: f64,
    width: u32,
    dash: &mut dyn FnMut(u32),
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let mut chart =
        ChartBuilder::on(area).build_cartesian_2d(0.0..span.as_s(), 0.0..top.max(1e-9))?;
    let columns = (area.dim_in_pixel().0 / PIXELS_A_POINT).max(1) as usize;
    for trace in traces {
        let (r, g, b) = trace.colour;
        let faint = if trace.stroke == Stroke::Ghost {
            0.28
        } else {
            1.0
        };
        let colour = RGBColor(r, g, b);
        for (run, something) in runs(trace, columns, span) {
            // Where there is nothing a line is a hairline, however broad it is where there is something.
            let width = if something { width * trace.weight } else { 1 };
            let style = colour.mix(faint).stroke_width(width);
            if trace.area && trace.stroke == Stroke::Solid {
                let ground = colour.mix(0.12);
                chart.draw_series(AreaSeries::new(run.iter().copied(), 0.0, ground))?;
            }
            dash(match trace.stroke {
                Stroke::Dashed => DASH_WIDTHS * width,
                Stroke::Solid | Stroke::Ghost => 0,
            });
            chart.draw_series(LineSeries::new(run, style))?;
            dash(0);
        }
    }
    Ok(())
}

/// The points of a line, and whether any of them lies above zero.
type Stretch = (Vec<(f64, f64)>, bool);

/// Splits a trace at gaps and where it leaves zero or comes back to it, and thins it to about one point a column,
/// keeping the highest of those that share one.
fn runs(trace: &Trace<'_>, columns: usize, span: Time) -> Vec<Stretch> {
    let shown = (span.0 / trace.every.0.max(1)) as usize;
    let stride = shown.div_ceil(columns).max(1);
    let mut runs: Vec<Stretch> = vec![(Vec::new(), false)];
    for (i, chunk) in trace.samples.chunks(stride).enumerate() {
        let value = chunk.iter().fold(f32::NAN, |a, b| a.max(*b));
        let at = Time((trace.first + i * stride + chunk.len()) as u64 * trace.every.0).as_s();
        let Some((run, something)) = runs.last_mut() else {
            break;
        };
        if !value.is_finite() {
            if !run.is_empty() {
                runs.push((Vec::new(), false));
            }
            continue;
        }
        let (point, some) = ((at, f64::from(value)), value > 0.0);
        match run.last().copied() {
            None => *something = some,
            // The stretch with something in it takes the ways up and down.
            Some(before) if some && !*something => runs.push((vec![before], true)),
            Some(_) if !some && *something => {
                run.push(point);
                runs.push((Vec::new(), false));
            }
            Some(_) => {}
        }
        if let Some((run, _)) = runs.last_mut() {
            run.push(point);
        }
    }
    runs.retain(|(run, _)| run.len() > 1);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::SAMPLE_EVERY;

    fn trace(samples: &[f32]) -> Trace<'_> {
        Trace {
            samples,
            first: 0,
            every: SAMPLE_EVERY,
            colour: (1, 2, 3),
            area: true,
            stroke: Stroke::Solid,
            weight: 1,
        }
    }

    #[test]
    fn gaps_split_a_line() {
        let samples = [1.0, 2.0, f32::NAN, 3.0, 4.0, 5.0];
        let runs = runs(&trace(&samples), 1_000, Time::s(2));
        assert_eq!(
            runs.iter().map(|run| run.0.len()).collect::<Vec<_>>(),
            [2, 3]
        );
    }

    #[test]
    fn a_line_at_zero_is_apart_from_what_leaves_it() {
        let samples = [0.0, 0.0, 2.0, 3.0, 0.0, 0.0];
        let runs = runs(&trace(&samples), 1_000, Time::s(2));
        let seen: Vec<_> = runs.iter().map(|(run, some)| (run.len(), *some)).collect();
        assert_eq!(seen, [(2, false), (4, true), (2, false)]);
    }

    #[test]
    fn a_spike_survives_thinning() {
        let mut samples = vec![1.0; 10_000];
        samples[7_777] = 99.0;
        let runs = runs(&trace(&samples), 100, Time::s(2_000));
        assert!(runs[0].0.len() <= 101);
        assert!(runs[0].0.iter().any(|(_, value)| *value == 99.0));
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!(round_up(48.0), 50.0);
        assert_eq!(round_up(0.0), 1.0);
        assert_eq!(round_up(f64::NAN), 1.0);
        assert_eq!(span(Time::s(13), 1.0), Time::s(20));
        assert_eq!(tick(Time::s(20)), Time::s(5));
        // In slow motion the first seconds fill the axis.
        assert_eq!(span(Time::ms(100), 0.05), Time::s(3));
        assert_eq!(tick(Time::s(3)), Time::ms(500));
        assert_eq!(span(Time::s(4), 0.002), Time::s(5));
        assert_eq!(span(Time::ms(2), 0.000_25), Time::ms(15));
        assert_eq!(tick(Time::ms(15)), Time::ms(5));
    }

    #[test]
    fn a_plot_finds_its_lines_on_the_tapes() {
        const PLOT: Plot = Plot {
            id: "latency",
            lines: &[Line {
                id: "p99",
                probe: 1,
                statistic: Statistic::Quantile(0.99),
                ink: Ink::Warn,
                area: false,
            }],
            scale: 0.001,
            top_min: 10.0,
        };
        let reads = vec![(0, Statistic::Mean), (1, Statistic::Quantile(0.99))];
        let mut main = Tape::new(reads.clone(), SAMPLE_EVERY);
        for i in 0..4 {
            main.push_samples(&[0.0, 1_000.0 * i as f32]);
        }
        main.fork(Time::ms(400), 0, 2);
        let mut twin = Tape::new(reads, SAMPLE_EVERY);
        twin.push_samples(&[0.0, 48_000.0]);
        let colour = |ink| {
            if ink == Ink::Warn {
                (7, 7, 7)
            } else {
                (0, 0, 0)
            }
        };
        let traces = PLOT.traces(&main, Some(&twin), Time::s(12), colour);
        let seen: Vec<_> = traces
            .iter()
            .map(|t| (t.stroke, t.first, t.samples.len()))
            .collect();
        assert_eq!(
            seen,
            [
                (Stroke::Ghost, 2, 2),
                (Stroke::Dashed, 0, 1),
                (Stroke::Solid, 0, 2)
            ]
        );
        assert!(traces.iter().all(|t| t.colour == (7, 7, 7)));
        assert_eq!(PLOT.top(&traces), 50.0);
        assert_eq!(PLOT.to_samples(50.0), 50_000.0);
        assert_eq!(PLOT.top(&[]), 10.0);
        let near = PLOT.traces(&main, None, Time::ms(600), colour);
        assert_eq!(
            near[0].samples,
            [2_000.0],
            "the lost future ends with the axis"
        );
    }

    #[test]
    fn it_draws_as_svg() {
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, (300, 60)).into_drawing_area();
            let traces = [
                trace(&[1.0, 2.0, 3.0]),
                Trace {
                    stroke: Stroke::Dashed,
                    ..trace(&[1.0, 2.0, 3.0])
                },
            ];
            let mut told = Vec::new();
            draw(&root, &traces, Time::s(1), 4.0, 2, &mut |dash| {
                told.push(dash);
            })
            .unwrap();
            assert_eq!(told, [0, 0, 8, 0]);
        }
        assert!(svg.contains("polyline") && svg.contains("polygon"), "{svg}");
    }
}
