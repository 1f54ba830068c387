//! The rasteriser for crowds: draws particles into a buffer of pixels when there are too many for canvas calls.

use crate::scene::{Glyph, Ink, Particle};

/// From this many particles on, the page uses the rasteriser.
pub const CROWD: usize = 1_000;

/// A picture of particles: straight (not premultiplied) RGBA, row by row, as `ImageData` wants it.
#[derive(Clone, Debug, Default)]
pub struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    sprites: Vec<Sprite>,
}

/// One glyph drawn once: coverage of each pixel, 0 to 255.
#[derive(Clone, Debug)]
struct Sprite {
    glyph: Glyph,
    radius_tenths: u32,
    side: usize,
    coverage: Vec<u8>,
}

impl Raster {
    /// Makes the buffer this large, in device pixels, and clears it.
    pub fn clear(&mut self, width: usize, height: usize) {
        if (width, height) == (self.width, self.height) {
            self.pixels.fill(0);
        } else {
            (self.width, self.height) = (width, height);
            self.pixels = vec![0; width * height * 4];
        }
    }

    /// The pixels.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Draws particles; `scale` is device pixels a scene unit, `colour` gives the value of an ink.
    pub fn draw(
        &mut self,
        particles: &[Particle],
        scale: f32,
        colour: impl Fn(Ink) -> (u8, u8, u8),
    ) {
        for particle in particles {
            let sprite = self.sprite(particle.glyph, particle.r * scale);
            let rgb = colour(particle.ink);
            self.stamp(sprite, particle.x * scale, particle.y * scale, rgb);
        }
    }

    fn sprite(&mut self, glyph: Glyph, radius: f32) -> usize {
        let radius_tenths = (radius * 10.0) as u32;
        let same = |s: &Sprite| s.glyph == glyph && s.radius_tenths == radius_tenths;
        self.sprites.iter().position(same).unwrap_or_else(|| {
            self.sprites.push(Sprite::new(glyph, radius_tenths));
            self.sprites.len() - 1
        })
    }

    fn stamp(&mut self, sprite: usize, x: f32, y: f32, (r, g, b): (u8, u8, u8)) {
        let sprite = &self.sprites[sprite];
        let half = sprite.side as f32 / 2.0;
        // Casts of negative or huge values saturate, so a particle far outside simply misses every row below.
        let (left, top) = ((x - half + 0.5) as i64, (y - half + 0.5) as i64);
        for row in 0..sprite.side {
            let py = top + row as i64;
            if py < 0 || py >= self.height as i64 {
                continue;
            }
            let from = (-left).clamp(0, sprite.side as i64) as usize;
            let to = (self.width as i64 - left).clamp(0, sprite.side as i64) as usize;
            if from >= to {
                continue;
            }
            let start = (py as usize * self.width + (left + from as i64) as usize) * 4;
            let line = &mut self.pixels[start..start + (to - from) * 4];
            let coverage = &sprite.coverage[row * sprite.side + from..row * sprite.side + to];
            for (pixel, alpha) in line.chunks_exact_mut(4).zip(coverage) {
                match *alpha {
                    0 => {}
                    255 => pixel.copy_from_slice(&[r, g, b, 255]),
                    // The newer particle's edge wins where two overlap: at these sizes nobody sees the difference.
                    alpha => pixel.copy_from_slice(&[r, g, b, alpha.max(pixel[3])]),
                }
            }
        }
    }
}

impl Sprite {
    fn new(glyph: Glyph, radius_tenths: u32) -> Sprite {
        let r = radius_tenths as f32 / 10.0;
        let side = (2.0 * r) as usize + 3;
        let centre = side as f32 / 2.0;
        let mut coverage = Vec::with_capacity(side * side);
        for row in 0..side {
            for column in 0..side {
                // Sixteen samples a pixel give smooth enough edges.
                let inside = (0..16).filter(|i| {
                    let (dx, dy) = ((i % 4) as f32 / 4.0 + 0.125, (i / 4) as f32 / 4.0 + 0.125);
                    covers(
                        glyph,
                        column as f32 + dx - centre,
                        row as f32 + dy - centre,
                        r,
                    )
                });
                coverage.push((inside.count() * 255 / 16) as u8);
            }
        }
        Sprite {
            glyph,
            radius_tenths,
            side,
            coverage,
        }
    }
}

/// Whether a glyph of radius `r` around the origin covers a point.
fn covers(glyph: Glyph, x: f32, y: f32, r: f32) -> bool {
    match glyph {
        Glyph::Request => x * x + y * y <= r * r,
        Glyph::Response => {
            let inner = (r - 2.0).max(0.4 * r);
            (inner * inner..=r * r).contains(&(x * x + y * y))
        }
        Glyph::Failure => y <= 0.8 * r && y >= -r && x.abs() <= (y + r) / 1.8,
        Glyph::Message => x.abs() <= 0.85 * r && y.abs() <= 0.85 * r,
        Glyph::Replica => x.abs() + y.abs() <= 1.15 * r,
        Glyph::Heartbeat => x.abs() <= 1.0 && y.abs() <= r,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn alpha(raster: &Raster, x: usize, y: usize) -> u8 {
        raster.pixels()[(y * raster.width + x) * 4 + 3]
    }

    #[test]
    fn shapes_differ_without_colour() {
        let mut raster = Raster::default();
        raster.clear(40, 20);
        raster.draw(
            &[
                particle(10.5, 10.5, Glyph::Request),
                particle(30.5, 10.5, Glyph::Response),
            ],
            1.0,
            |_| (9, 9, 9),
        );
        assert_eq!(alpha(&raster, 10, 10), 255);
        assert_eq!(alpha(&raster, 30, 10), 0);
        assert!(alpha(&raster, 30, 7) > 0);
    }

    #[test]
    fn particles_outside_are_clipped() {
        let mut raster = Raster::default();
        raster.clear(16, 16);
        let at = [-3.0, 0.0, 15.9, 40.0, -1e9, 1e9, f32::NAN];
        for x in at {
            for y in at {
                raster.draw(&[particle(x, y, Glyph::Message)], 1.0, |_| (1, 1, 1));
            }
        }
        assert_eq!(raster.pixels().len(), 16 * 16 * 4);
    }
}
