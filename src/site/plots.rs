//! The plots of the tape, drawn by plotters on canvases in device pixels.

use crate::stage::Palette;
use engine::plot::{self, Plot, Trace};
use engine::scene::Ink;
use engine::{Tape, Time};
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// More pixels than this cost more time than they add sharpness.
const PIXELS_MAX: f64 = 4_000_000.0;

/// The lines of a plot, with the ghost of the main tape and the lines of the twin's.
pub(crate) fn traces<'a>(
    plot: &Plot,
    main: &'a Tape,
    twin: Option<&'a Tape>,
    span: Time,
    palette: &Palette,
) -> Vec<Trace<'a>> {
    plot.traces(main, twin, span, |ink| palette.rgb(ink))
}

/// The canvas of a plot.
pub(crate) struct Sheet {
    canvas: HtmlCanvasElement,
    /// Its size in CSS pixels, as last measured: to ask whenever it is drawn would force a layout each time.
    size: (i32, i32),
}

impl Sheet {
    /// A canvas whose size is not known yet.
    pub(crate) fn new(canvas: HtmlCanvasElement) -> Sheet {
        Sheet {
            canvas,
            size: (0, 0),
        }
    }

    /// Reads its size.
    pub(crate) fn measure(&mut self) {
        self.size = (self.canvas.client_width(), self.canvas.client_height());
    }
}

/// Draws traces on a sheet over a time axis that ends at `span` and a vertical axis from 0 to `top`, which is in
/// the unit of the samples: see [`Plot::top`] and [`Plot::to_samples`]. Lines are `width` CSS pixels wide.
///
/// A canvas that is hidden, lost, broken or not measured yet stays as it is.
pub(crate) fn draw(
    sheet: &Sheet,
    traces: &[Trace<'_>],
    span: Time,
    top: f64,
    palette: &Palette,
    width: f64,
) {
    let Sheet {
        canvas,
        size: (w, h),
    } = sheet;
    if *w <= 0 || *h <= 0 || span == Time::ZERO || !top.is_finite() {
        return;
    }
    let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    let (w, h) = (f64::from(*w), f64::from(*h));
    let area = w * h;
    let ratio = ratio.clamp(0.5, 8.0).min((PIXELS_MAX / area).sqrt());
    let size = (((w * ratio) as u32).max(1), ((h * ratio) as u32).max(1));
    if (canvas.width(), canvas.height()) != size {
        canvas.set_width(size.0);
        canvas.set_height(size.1);
    }
    let Some(context) = context_of(canvas) else {
        return;
    };
    let (device_w, device_h) = (f64::from(size.0), f64::from(size.1));
    context.clear_rect(0.0, 0.0, device_w, device_h);
    let hairline = ratio.round().max(1.0);
    context.set_fill_style_str(&palette.css(Ink::Line));
    context.fill_rect(0.0, device_h - hairline, device_w, hairline);

    // A run that has measured nothing yet needs nothing of what draws lines.
    if !traces.is_empty() {
        let width = (width * ratio).round().clamp(1.0, 32.0) as u32;
        lines(canvas, &context, traces, span, top, width);
    }
}

/// Lets plotters draw the traces, `width` pixels wide.
#[inline(never)]
fn lines(
    canvas: &HtmlCanvasElement,
    context: &CanvasRenderingContext2d,
    traces: &[Trace<'_>],
    span: Time,
    top: f64,
    width: u32,
) {
    let Some(backend) = CanvasBackend::with_canvas_object(canvas.clone()) else {
        return;
    };
    let mut dash = |length: u32| {
        let length = f64::from(length).into();
        let pattern = js_sys::Array::of2(&length, &length);
        // Dashes of no length are none.
        let _ = context.set_line_dash(&pattern);
    };
    // A failed drawing leaves a gap for a tenth of a second; the caller can do no better than draw again.
    let _ = plot::draw(
        &backend.into_drawing_area(),
        traces,
        span,
        top,
        width,
        &mut dash,
    );
}

fn context_of(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}
