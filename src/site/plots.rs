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
    palette: &Palette,
) -> Vec<Trace<'a>> {
    plot.traces(main, twin, |ink| palette.rgb(ink))
}

/// Draws traces on a canvas over a time axis that ends at `span` and a vertical axis from 0 to `top`, which is in
/// the unit of the samples: see [`Plot::top`] and [`Plot::to_samples`]. Lines are `width` CSS pixels wide.
///
/// A canvas that is hidden, lost or broken stays as it is.
pub(crate) fn draw(
    canvas: &HtmlCanvasElement,
    traces: &[Trace<'_>],
    span: Time,
    top: f64,
    palette: &Palette,
    width: f64,
) {
    let (w, h) = (canvas.client_width(), canvas.client_height());
    if w <= 0 || h <= 0 || span == Time::ZERO || !top.is_finite() {
        return;
    }
    let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    let area = f64::from(w) * f64::from(h);
    let ratio = ratio.clamp(0.5, 8.0).min((PIXELS_MAX / area).sqrt());
    let size = (
        ((f64::from(w) * ratio) as u32).max(1),
        ((f64::from(h) * ratio) as u32).max(1),
    );
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

    let Some(backend) = CanvasBackend::with_canvas_object(canvas.clone()) else {
        return;
    };
    let width = (width * ratio).round().clamp(1.0, 32.0) as u32;
    // A failed drawing leaves a gap for a tenth of a second; the caller can do no better than draw again.
    let _ = plot::draw(&backend.into_drawing_area(), traces, span, top, width);
}

fn context_of(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}
