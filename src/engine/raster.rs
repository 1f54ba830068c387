//! The rasteriser for moving things: draws each glyph once into a sprite and stamps crowds into a buffer of pixels.

use crate::scene::{Fit, Glyph, Ink, Particle};

/// From this many particles on, the page stamps into a buffer instead of calling the canvas for each.
pub const CROWD: usize = 1_000;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Width of the rim in the paper's colour that keeps particles legible over links, in scene units.
const HALO: f32 = 1.2;
/// Larger particles are drawn this large, in scene units, which bounds the memory of sprites.
const RADIUS_MAX: f32 = 24.0;

/// What particles that look alike have in common: shape, colour and radius in tenths of a unit.
pub type Kind = (Glyph, Ink, u32);

/// The kind of a particle; none if there is nothing to see.
pub fn kind(particle: &Particle) -> Option<Kind> {
    let Particle { x, y, r, .. } = *particle;
    let tenths = (r.min(RADIUS_MAX) * 10.0 + 0.5) as u32;
    let seen = x.is_finite() && y.is_finite() && !r.is_nan() && tenths > 0;
    (seen && particle.ink != Ink::None).then_some((particle.glyph, particle.ink, tenths))
}

/// One glyph drawn once: straight (not premultiplied) RGBA.
#[derive(Clone, Debug)]
pub struct Sprite {
    side: usize,
    pixels: Vec<[u8; 4]>,
    /// For each row: where something begins and ends.
    rows: Vec<(usize, usize)>,
}

impl Sprite {
    /// Draws a glyph at `scale` device pixels a scene unit, moved by `phase` pixels from the middle of the sprite.
    /// `colour` gives the value of an ink.
    pub fn new(
        (glyph, ink, tenths): Kind,
        scale: f32,
        phase: (f32, f32),
        colour: &dyn Fn(Ink) -> Rgb,
    ) -> Sprite {
        let r = tenths as f32 / 10.0;
        // A corner of the triangle's rim reaches twice as far as the rim is wide; one more pixel for the phase.
        let half = ((1.2 * r + 2.1 * HALO) * scale) as usize + 2;
        let side = 2 * half;
        let [body, paper] = [ink, Ink::Paper].map(colour);
        let mut pixels = Vec::with_capacity(side * side);
        for row in 0..side {
            for column in 0..side {
                // Sixteen samples a pixel give smooth enough edges.
                let (mut sum, mut covered) = ([0_u32; 3], 0);
                for i in 0..16 {
                    let (dx, dy) = ((i % 4) as f32 / 4.0 + 0.125, (i / 4) as f32 / 4.0 + 0.125);
                    let x = (column as f32 + dx - half as f32 - phase.0) / scale;
                    let y = (row as f32 + dy - half as f32 - phase.1) / scale;
                    let outside = distance(glyph, x, y, r);
                    let hollow = glyph == Glyph::Response && outside < -(2.0_f32.min(0.6 * r));
                    if outside > HALO {
                        continue;
                    }
                    let rgb = if outside > 0.0 || hollow { paper } else { body };
                    covered += 1;
                    for (sum, part) in sum.iter_mut().zip([rgb.0, rgb.1, rgb.2]) {
                        *sum += u32::from(part);
                    }
                }
                let [r, g, b] = sum.map(|sum| sum.checked_div(covered).unwrap_or(0) as u8);
                pixels.push([r, g, b, (covered * 255 / 16) as u8]);
            }
        }
        let rows = pixels.chunks_exact(side).map(|row| {
            let seen = |pixel: &[u8; 4]| pixel[3] > 0;
            let from = row.iter().position(seen).unwrap_or(0);
            (from, row.iter().rposition(seen).map_or(from, |at| at + 1))
        });
        let rows = rows.collect();
        Sprite { side, pixels, rows }
    }

    /// Width and height, in device pixels; always even.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// The same with colours multiplied by their alpha, ready to be laid over others.
    fn multiplied(mut self) -> Sprite {
        for [r, g, b, a] in &mut self.pixels {
            for part in [r, g, b] {
                *part = ((u32::from(*part) * u32::from(*a) + 127) / 255) as u8;
            }
        }
        self
    }
}

/// About how far a point lies outside of a glyph around the origin; negative inside. The same outlines as
/// [`crate::svg::glyph_path`].
fn distance(glyph: Glyph, x: f32, y: f32, r: f32) -> f32 {
    match glyph {
        Glyph::Request | Glyph::Response => (x * x + y * y).sqrt() - r,
        // The slanted sides rise 1.8 for each 1 across; 2.059 is the length of that step.
        Glyph::Failure => ((1.8 * x.abs() - y - r) / 2.059).max(y - 0.8 * r),
        Glyph::Message => x.abs().max(y.abs()) - 0.85 * r,
        Glyph::Replica => (x.abs() + y.abs() - 1.15 * r) * std::f32::consts::FRAC_1_SQRT_2,
        Glyph::Heartbeat => (x.abs() - 1.0).max(y.abs() - r),
    }
}

/// A set of sprites for one kind of particle.
#[derive(Clone, Debug)]
struct Stamp {
    kind: Kind,
    /// At whole pixels and half a pixel to the right, down and both, so that slow things do not jump. Multiplied.
    phases: [Sprite; 4],
}

/// A picture of particles: straight (not premultiplied) RGBA, row by row, as `ImageData` wants it.
#[derive(Clone, Debug, Default)]
pub struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
    /// Rows that may hold something.
    touched: (usize, usize),
    scale: f32,
    stamps: Vec<Stamp>,
}

impl Raster {
    /// Makes the buffer this large, in device pixels, and clears it.
    fn clear(&mut self, width: usize, height: usize) {
        if (width, height) == (self.width, self.height) {
            let (from, to) = self.touched;
            self.pixels[from * width..to * width].fill([0; 4]);
        } else {
            (self.width, self.height) = (width, height);
            self.pixels = vec![[0; 4]; width * height];
        }
        self.touched = (height, height);
    }

    /// Forgets the sprites, after the colours have changed.
    pub fn forget(&mut self) {
        self.stamps.clear();
    }

    /// The pixels.
    pub fn pixels(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// Paints particles, later ones over earlier ones, into a clear buffer of this width and height in device
    /// pixels. `colour` gives the value of an ink and is asked once for each kind of particle until
    /// [`Raster::forget`]; it is not generic, so that all this is compiled here, where speed counts more than size.
    pub fn paint(
        &mut self,
        (width, height): (usize, usize),
        particles: &[Particle],
        fit: Fit,
        colour: &dyn Fn(Ink) -> Rgb,
    ) {
        self.clear(width, height);
        if fit.scale != self.scale {
            self.scale = fit.scale;
            self.stamps.clear();
        }
        let mut stamp = 0;
        for particle in particles {
            let (x, y) = (
                particle.x * fit.scale + fit.left,
                particle.y * fit.scale + fit.top,
            );
            let Some(kind) = kind(particle) else {
                continue;
            };
            // Neighbours in the list are mostly of one kind.
            if self.stamps.get(stamp).is_none_or(|s| s.kind != kind) {
                stamp = self.stamp(kind, colour);
            }
            // Casts saturate, so a particle far outside simply misses every row.
            let (x2, y2) = ((2.0 * x + 0.5) as i32, (2.0 * y + 0.5) as i32);
            let phase = ((x2 & 1) + 2 * (y2 & 1)) as usize;
            let sprite = &self.stamps[stamp].phases[phase];
            let half = (sprite.side / 2) as i32;
            let (left, top) = ((x2 >> 1) - half, (y2 >> 1) - half);
            let rows = (
                top.clamp(0, self.height as i32) as usize,
                (top + sprite.side as i32).clamp(0, self.height as i32) as usize,
            );
            if rows.0 < rows.1 {
                self.touched = if self.touched.0 == self.touched.1 {
                    rows
                } else {
                    (self.touched.0.min(rows.0), self.touched.1.max(rows.1))
                };
            }
            print(sprite, &mut self.pixels, self.width, rows, (left, top));
        }
        self.straighten();
    }

    /// Divides the colours by their alpha again, where there is something to divide.
    fn straighten(&mut self) {
        let (from, to) = self.touched;
        for [r, g, b, a] in &mut self.pixels[from * self.width..to * self.width] {
            if *a != 0 && *a != 255 {
                let a = u32::from(*a);
                for part in [r, g, b] {
                    *part = ((u32::from(*part) * 255 + a / 2) / a).min(255) as u8;
                }
            }
        }
    }

    fn stamp(&mut self, kind: Kind, colour: &dyn Fn(Ink) -> Rgb) -> usize {
        if let Some(found) = self.stamps.iter().position(|s| s.kind == kind) {
            return found;
        }
        let phases = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)]
            .map(|phase| Sprite::new(kind, self.scale, phase, colour).multiplied());
        self.stamps.push(Stamp { kind, phases });
        self.stamps.len() - 1
    }
}

/// Lays a sprite over the pixels; `rows` are those of the buffer that it meets.
fn print(
    sprite: &Sprite,
    pixels: &mut [[u8; 4]],
    width: usize,
    rows: (usize, usize),
    (left, top): (i32, i32),
) {
    for y in rows.0..rows.1 {
        let row = (y as i32 - top) as usize;
        let (from, to) = sprite.rows[row];
        // Clipped on both sides; a row that is missed has its end before its beginning.
        let from = from.max(left.saturating_neg().max(0) as usize);
        let to = to.min((width as i32 - left).max(0) as usize);
        if from >= to {
            continue;
        }
        let over = &sprite.pixels[row * sprite.side + from..row * sprite.side + to];
        let first = y * width + (left + from as i32) as usize;
        for (under, over) in pixels[first..first + over.len()].iter_mut().zip(over) {
            *under = blend(*under, *over);
        }
    }
}

/// One multiplied pixel over another. Rows are so short and edges so many that computing every pixel, two channels
/// at once, is faster than telling the opaque ones apart.
fn blend(under: [u8; 4], over: [u8; 4]) -> [u8; 4] {
    const PAIR: u32 = 0x00ff_00ff;
    let rest = 255 - u32::from(over[3]);
    // Divides by 255 and rounds exactly: errors that lean one way would add up where many lie on each other. What is
    // opaque stays so, and no channel can overflow into the next.
    let fade = |pair: u32| {
        let sum = pair * rest + 0x0080_0080;
        ((sum + ((sum >> 8) & PAIR)) >> 8) & PAIR
    };
    let (under, over) = (u32::from_le_bytes(under), u32::from_le_bytes(over));
    let faded = fade(under & PAIR) | (fade((under >> 8) & PAIR) << 8);
    over.wrapping_add(faded).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Fit = Fit {
        scale: 1.0,
        left: 0.0,
        top: 0.0,
    };

    fn particle(x: f32, y: f32, glyph: Glyph) -> Particle {
        Particle {
            x,
            y,
            r: 4.0,
            glyph,
            ink: Ink::Accent,
            dot: 1,
        }
    }
    fn colour(ink: Ink) -> Rgb {
        if ink == Ink::Paper {
            (250, 250, 250)
        } else {
            (9, 9, 9)
        }
    }
    fn at(raster: &Raster, x: usize, y: usize) -> [u8; 4] {
        raster.pixels[y * raster.width + x]
    }

    #[test]
    fn shapes_differ_without_colour() {
        let mut raster = Raster::default();
        let particles = [
            particle(10.5, 10.5, Glyph::Request),
            particle(30.5, 10.5, Glyph::Response),
        ];
        raster.paint((40, 20), &particles, ONE, &colour);
        assert_eq!(at(&raster, 10, 10), [9, 9, 9, 255]);
        assert_eq!(at(&raster, 30, 10), [250, 250, 250, 255]);
        assert_eq!(at(&raster, 30, 7), [9, 9, 9, 255]);
    }

    #[test]
    fn a_rim_of_paper_surrounds_each() {
        let glyphs = [
            Glyph::Request,
            Glyph::Response,
            Glyph::Failure,
            Glyph::Message,
            Glyph::Replica,
            Glyph::Heartbeat,
        ];
        for glyph in glyphs {
            let mut raster = Raster::default();
            let fit = Fit {
                scale: 3.0,
                left: 0.0,
                top: 0.0,
            };
            raster.paint((60, 60), &[particle(10.0, 10.0, glyph)], fit, &colour);
            let row: Vec<[u8; 4]> = (0..60).map(|x| at(&raster, x, 30)).collect();
            let first = row.iter().find(|pixel| pixel[3] == 255).unwrap();
            assert!(first[0] > 200, "{glyph:?} begins with {first:?}");
            assert!(row.iter().any(|pixel| pixel[..] == [9, 9, 9, 255]));
            assert!(raster.touched.0 > 5 && raster.touched.1 < 55);
        }
    }

    #[test]
    fn layers_keep_their_colour() {
        let mut raster = Raster::default();
        let paper = |_| (250, 250, 250);
        for layers in [1, 2, 40] {
            let heap = vec![particle(10.3, 10.2, Glyph::Request); layers];
            raster.paint((20, 20), &heap, ONE, &paper);
            for pixel in raster.pixels.iter().filter(|pixel| pixel[3] > 0) {
                assert!(pixel[0] > 240, "{pixel:?} in {layers}");
            }
        }
    }

    #[test]
    fn half_pixels_count() {
        let draw = |x: f32| {
            let mut raster = Raster::default();
            raster.paint((20, 20), &[particle(x, 10.0, Glyph::Message)], ONE, &colour);
            raster.pixels
        };
        assert_eq!(draw(10.0), draw(10.1));
        assert_ne!(draw(10.0), draw(10.5));
    }

    #[test]
    fn clearing_leaves_nothing() {
        let mut raster = Raster::default();
        for y in [2.0, 17.0, 9.0] {
            raster.paint((20, 20), &[particle(10.0, y, Glyph::Failure)], ONE, &colour);
        }
        raster.paint((20, 20), &[], ONE, &colour);
        assert!(raster.pixels().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn blending_stays_within_its_channels() {
        for a in 0..=255_u8 {
            for under in [[0; 4], [255; 4], [255, 0, 255, 255], [7, 90, 120, 130]] {
                let over = [a, 0, a / 2, a];
                let mixed = blend(under, over);
                for i in 0..4 {
                    let faded = f64::from(under[i]) * f64::from(255 - a) / 255.0;
                    let exact = u32::from(over[i]) + (faded + 0.5) as u32;
                    assert_eq!(exact, mixed[i].into(), "{under:?} {over:?} {mixed:?}");
                }
                assert!(under[3] < 255 || mixed[3] == 255);
            }
        }
    }

    #[test]
    fn particles_outside_are_clipped() {
        let mut raster = Raster::default();
        let at = [
            -3.0,
            0.0,
            15.9,
            40.0,
            -1e9,
            1e9,
            f32::MAX,
            f32::NAN,
            f32::INFINITY,
        ];
        for x in at {
            for y in at {
                for r in at {
                    let particle = Particle {
                        r,
                        ..particle(x, y, Glyph::Message)
                    };
                    raster.paint((16, 16), &[particle], ONE, &colour);
                }
            }
        }
        assert_eq!(raster.pixels().len(), 16 * 16 * 4);
    }
}
