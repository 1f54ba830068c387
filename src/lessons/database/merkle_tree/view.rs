//! The stage: two trees that face each other, the line between them, and below what each way of looking sends.

use super::model::{
    BARS, COPY, COUNT, Copies, End, LINE, Phase, SEAL, SOURCE, count, inner, leaves, root,
};
use super::settings::{HASH, How, Settings, Trust};
use algorithms::merkle_sync::{Question, Step};
use algorithms::merkle_tree::{Hash, Place, Rule, Shape, Tree};
use engine::scene::{Pencil, Point, Rect, pt};
use engine::text::tenths;
use engine::{Arg, Glyph, Ink, Scene, Time, text};
use kit::figures::binary_tree::{BinaryTree, NODE};
use kit::figures::label::{ending, fitting};
use kit::figures::{DOT, panel};

const MARGIN: f32 = 12.0;
/// The row of blocks under the leaves.
const BLOCK: f32 = 12.0;
/// Between the trees, where they stand beside each other and where one hangs from the other.
const GAP: f32 = 84.0;
const GAP_NARROW: f32 = 42.0;
const SEAL_H: f32 = 32.0;
/// The panels below.
const PANEL: f32 = 96.0;
const PANEL_NARROW: f32 = 68.0;
/// So many hashes of an answer are drawn.
const RINGS: usize = 6;
/// The bars begin at one hash.
const LEAST: u64 = HASH;

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Unknown,
    Asked,
    Equal,
    Differs,
    Mended,
    /// Sent for a proof, and made up from what was sent.
    Beside,
    Proved,
    Disproved,
}

impl Look {
    /// Ground, border, text, and how broad the border is.
    fn inks(self) -> (Ink, Ink, Ink, f32) {
        match self {
            Look::Unknown => (Ink::Card, Ink::Line, Ink::Secondary, 1.0),
            Look::Asked => (Ink::AccentSoft, Ink::Accent, Ink::Ink, 2.0),
            Look::Equal => (Ink::OkSoft, Ink::Ok, Ink::Ink, 1.5),
            Look::Differs => (Ink::Bad, Ink::Bad, Ink::OnBad, 1.0),
            Look::Mended => (Ink::OkSoft, Ink::Ok, Ink::Ink, 2.0),
            Look::Beside => (Ink::AccentSoft, Ink::Accent, Ink::Ink, 1.5),
            Look::Proved => (Ink::OkSoft, Ink::Ok, Ink::Ink, 2.0),
            Look::Disproved => (Ink::Bad, Ink::Bad, Ink::OnBad, 1.0),
        }
    }

    /// The colour of its edge and of its piece in the strip.
    fn line(self) -> Ink {
        match self {
            Look::Unknown => Ink::LineStrong,
            Look::Asked | Look::Beside => Ink::Accent,
            Look::Differs | Look::Disproved => Ink::Bad,
            Look::Equal | Look::Mended | Look::Proved => Ink::Ok,
        }
    }

    fn is_path(self) -> bool {
        matches!(
            self,
            Look::Differs | Look::Mended | Look::Proved | Look::Disproved
        )
    }
}

/// Where everything stands.
struct Stage {
    narrow: bool,
    trees: [BinaryTree; 2],
    panels: [Rect; 2],
    /// What parts a tree's frames: between the root and the rest, and between the rest and the leaves.
    cuts: [[f32; 2]; 2],
    seal: Rect,
    line: Rect,
    bars: Rect,
    count: Rect,
    /// Of which byte of each hash the digits are shown.
    byte: usize,
}

impl Stage {
    fn of(copies: &Copies, scene: &mut Scene) -> Stage {
        let (w, narrow) = (scene.width, scene.narrow());
        let blocks = [SOURCE, COPY].map(|side| copies.sides[side].blocks().max(1));
        // The double of an odd one needs a place.
        let doubled = usize::from(copies.knobs.rule() == Rule::Bitcoin);
        let most = blocks[0].max(blocks[1]);
        let most = most + doubled * (most % 2);
        let room = scene.room;
        let below = if narrow {
            2.0 * PANEL_NARROW + 34.0
        } else {
            PANEL
        };
        let wide = if narrow {
            w - 2.0 * MARGIN
        } else {
            (w - 2.0 * MARGIN - GAP) / 2.0
        };
        // The higher of the two trees has to have room.
        let lowest = BinaryTree {
            area: Rect::default(),
            leaves: most,
            room: most,
            upside_down: false,
        };
        let least = lowest.height_min() + BLOCK + 4.0;
        let high = if narrow {
            let free = room.map_or(340.0, |room| room - below - GAP_NARROW - 40.0);
            (free / 2.0).min(170.0).max(least)
        } else {
            let free = room.map_or(244.0, |room| room - below - 30.0);
            free.clamp(180.0, 260.0).max(least)
        };
        let panels = if narrow {
            let upper = Rect::new(MARGIN, 8.0, wide, high);
            [
                upper,
                Rect {
                    y: 8.0 + high + GAP_NARROW,
                    ..upper
                },
            ]
        } else {
            let left = Rect::new(MARGIN, 8.0, wide, high);
            [
                left,
                Rect {
                    x: w - MARGIN - wide,
                    ..left
                },
            ]
        };
        let trees = [SOURCE, COPY].map(|side| {
            let (panel, upside_down) = (panels[side], narrow && side == COPY);
            let h = panel.h - BLOCK - 4.0;
            let y = if upside_down {
                panel.y + BLOCK + 4.0
            } else {
                panel.y
            };
            BinaryTree {
                area: Rect { y, h, ..panel },
                leaves: blocks[side],
                room: most,
                upside_down,
            }
        });
        let cuts = [SOURCE, COPY].map(|side| {
            let tree = &trees[side];
            let (top, bottom) = (
                tree.level(tree.depth()),
                tree.level(tree.thin().saturating_sub(1)),
            );
            let next = tree.level(tree.depth() - 1);
            if tree.upside_down {
                let y = (top.y + next.y + next.h) / 2.0;
                [y, bottom.y + bottom.h + 3.0]
            } else {
                let y = (top.y + top.h + next.y) / 2.0;
                [y.max(37.0).min(next.y - 3.0), bottom.y - 3.0]
            }
        });
        let roots = trees.map(|tree| tree.at(tree.depth(), 0));
        let gap = panels[SOURCE].y + high;
        let seal = if narrow {
            Rect::new(
                MARGIN,
                gap + (GAP_NARROW - SEAL_H) / 2.0,
                w / 2.0 - 42.0,
                SEAL_H,
            )
        } else {
            let free = roots[COPY].x - roots[SOURCE].x - NODE;
            // Between the second rows, too.
            let wide = (free - 60.0).min(wide / 2.0 + GAP - 32.0).min(230.0);
            // Lower where the rows of the trees stand close.
            let cut = cuts[SOURCE][0].min(cuts[COPY][0]);
            Rect::new((w - wide) / 2.0, 4.0, wide, SEAL_H.min(cut - 5.0))
        };
        let low = panels[COPY].y + high + 12.0;
        let line = if narrow {
            let x = seal.x + seal.w + 4.0;
            Rect::new(x, gap + 3.0, w - MARGIN - x, GAP_NARROW - 6.0)
        } else {
            let (x, y) = (MARGIN + wide + 4.0, seal.y + seal.h + 8.0);
            Rect::new(x, y, GAP - 8.0, panels[SOURCE].y + high - y)
        };
        let (bars, count) = if narrow {
            let count = Rect::new(MARGIN, low, wide, PANEL_NARROW);
            (
                Rect::new(MARGIN, low + PANEL_NARROW + 8.0, wide, PANEL),
                count,
            )
        } else {
            let free = w - 2.0 * MARGIN - 10.0;
            let right = (free * 0.36).clamp(196.0, 300.0);
            let bars = Rect::new(MARGIN, low, free - right, PANEL);
            (bars, Rect::new(w - MARGIN - right, low, right, PANEL))
        };
        let lowest = if narrow { bars } else { count };
        scene.height = lowest.y + lowest.h + 8.0;
        Stage {
            narrow,
            trees,
            panels,
            cuts,
            seal,
            line,
            bars,
            count,
            byte: telling(copies, &trees[SOURCE]),
        }
    }

    /// Where what travels is at a share of its way from Copy to Source, at the height of a level: dots of one answer follow each
    /// other.
    fn on_line(&self, share: f32, level: u8, behind: usize) -> Point {
        let l = self.line;
        let after = 9.0 * behind as f32;
        if self.narrow {
            let across = self.panels[SOURCE].x + self.panels[SOURCE].w / 2.0 - 20.0 + after;
            return pt(across, l.y + l.h * (1.0 - share));
        }
        let tree = &self.trees[SOURCE];
        let row = tree.level(level.min(tree.depth()));
        let y = (row.y + row.h / 2.0).clamp(l.y + 8.0, l.y + l.h - 8.0);
        let x = l.x + l.w * (1.0 - share);
        pt((x + after).min(l.x + l.w), y)
    }
}

/// What is known of the nodes, level by level, in the places of one side's tree.
struct Known(Vec<Vec<Look>>);

impl Known {
    fn of(copies: &Copies, side: usize) -> Known {
        let shape = copies.sides[side].tree.shape();
        let levels = (0..=shape.depth()).map(|level| vec![Look::Unknown; shape.width(level)]);
        let mut known = Known(levels.collect());
        let mended = copies.ended(End::Mended);
        for seen in &copies.sync.seen {
            let look = match seen.equal {
                true => Look::Equal,
                false if mended => Look::Mended,
                false => Look::Differs,
            };
            let top = copies.sync.shape().map(Shape::root) == Some(seen.place);
            known.put(seen.place, look);
            if top {
                known.put(shape.root(), look);
            }
        }
        for place in copies.asked_for() {
            known.put(*place, Look::Asked);
        }
        let under_way = matches!(copies.phase, Phase::Asks(_) | Phase::Hears(..));
        match copies.sync.step() {
            _ if !under_way || copies.proof.is_some() => {}
            Step::Ask(Question::Root) => known.put(shape.root(), Look::Asked),
            Step::Ask(Question::Leaves) => known.0[0].fill(Look::Asked),
            _ => {}
        }
        if copies.proof.is_some() {
            known.prove(copies, shape);
        }
        known
    }

    fn put(&mut self, place: Place, look: Look) {
        let level = self.0.get_mut(usize::from(place.level));
        if let Some(cell) = level.and_then(|level| level.get_mut(place.index as usize)) {
            *cell = look;
        }
    }

    /// The way from a block to the root, and what is sent for it.
    fn prove(&mut self, copies: &Copies, shape: Shape) {
        let Some(proof) = &copies.proof else { return };
        let (on, beside) = match copies.phase {
            Phase::Done(End::Proved(true)) => (Look::Proved, Look::Beside),
            Phase::Done(_) => (Look::Disproved, Look::Beside),
            _ => (Look::Unknown, Look::Asked),
        };
        let holds = |place: Place| {
            let (from, to) = shape.span(place);
            (from..to).contains(&proof.block)
        };
        let mut place = shape.root();
        self.put(place, on);
        while place.level > 0 {
            let mut down = None;
            for child in shape.children(place) {
                let way = holds(child);
                self.put(child, if way { on } else { beside });
                if way {
                    down = Some(child);
                }
            }
            let Some(next) = down else { return };
            place = next;
        }
    }

    fn at(&self, place: Place) -> Look {
        let level = self.0.get(usize::from(place.level));
        let look = level.and_then(|level| level.get(place.index as usize));
        look.copied().unwrap_or(Look::Unknown)
    }
}

/// Two hexadecimal digits of a hash: those of a byte.
fn digits(hash: &Hash, byte: usize) -> String {
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    [digit(hash[byte] >> 4), digit(hash[byte] & 15)]
        .iter()
        .collect()
}

/// The first byte of which two digits tell all that differs apart, where it is drawn with its hash.
fn telling(copies: &Copies, tree: &BinaryTree) -> usize {
    let [source, copy] = [SOURCE, COPY].map(|side| &copies.sides[side].tree);
    let tells = |byte: &usize| {
        let alike = |a: &Hash, b: &Hash| a != b && a[*byte] == b[*byte];
        let same = |level: u8| {
            let mut places = (0..tree.width(level)).map(|index| Place {
                level,
                index: index as u32,
            });
            places.any(|place| {
                let two = source.at(place).zip(copy.at(place));
                two.is_some_and(|(a, b)| alike(a, b))
            })
        };
        let root = copy.root();
        !alike(&source.root(), &root)
            && !alike(&copies.seal, &root)
            && !(tree.thin()..tree.depth()).any(same)
    };
    (0..HASH as usize).find(tells).unwrap_or(0)
}

/// A number of bytes in the unit that suits it, with three digits at most.
fn bytes(scene: &Scene, n: u64) -> String {
    let (unit, per) = match n {
        0..1_000 => ("bytes.b", 1.0),
        1_000..1_000_000 => ("bytes.kb", 1e3),
        1_000_000..1_000_000_000 => ("bytes.mb", 1e6),
        _ => ("bytes.gb", 1e9),
    };
    let value = n as f64 / per;
    let digits = if value < 10.0 {
        100.0
    } else if value < 100.0 {
        10.0
    } else {
        1.0
    };
    scene.say(unit, &[Arg::Number((value * digits).round() / digits)])
}

pub(super) fn draw(copies: &Copies, _: &Settings, at: Time, scene: &mut Scene) {
    let stage = Stage::of(copies, scene);
    let known = [SOURCE, COPY].map(|side| Known::of(copies, side));
    for side in [SOURCE, COPY] {
        edges(
            &stage.trees[side],
            copies.sides[side].tree.shape(),
            &known[side],
            scene,
        );
    }
    for side in [SOURCE, COPY] {
        root_part(copies, &stage, side, &known[side], scene);
        inner_part(copies, &stage, side, &known[side], scene);
        leaves_part(copies, &stage, side, &known[side], at, scene);
    }
    seal(copies, &stage, scene);
    line(copies, &stage, at, scene);
    counts(copies, &stage, at, scene);
    bars(copies, &stage, at, scene);
}

/// From each node to its children, the untouched ones first.
fn edges(tree: &BinaryTree, shape: Shape, known: &Known, scene: &mut Scene) {
    let (mut plain, mut doubles, mut path) = (String::new(), String::new(), Vec::new());
    let mut todo = vec![shape.root()];
    while let Some(place) = todo.pop() {
        let mut children = 0;
        for child in shape.children(place) {
            children += 1;
            let look = known.at(child);
            let [above, below] = [place, child].map(|place| (place.level, place.index as usize));
            // In the strip nothing but the way is drawn.
            if look.is_path() && known.at(place).is_path() {
                path.push((tree.edge(above, below), look.line()));
            } else if child.level >= tree.thin() {
                plain += &tree.edge(above, below);
            }
            if child.level > tree.thin() || known.at(child).is_path() {
                todo.push(child);
            }
        }
        if children == 1 && place.level > tree.thin() {
            let from = tree.side(place.level, place.index as usize, true);
            let to = double(tree, place.level - 1);
            let y = if tree.upside_down { to.y + to.h } else { to.y };
            let [x0, y0, x1, y1] = [from.x, from.y, to.x + to.w / 2.0, y].map(tenths);
            doubles += &format!("M{x0} {y0}L{x1} {y1}");
        }
    }
    let mut pencil = scene.background();
    pencil.line(plain, Ink::LineStrong, 1.0);
    pencil.dashed_line(doubles, Ink::Warn, 1.0);
    for (d, ink) in path {
        pencil.line(d, ink, 2.5);
    }
}

/// Where the double of the last node of a level stands.
fn double(tree: &BinaryTree, level: u8) -> Rect {
    let last = tree.at(level, tree.width(level) - 1);
    let right = tree.area.x + tree.area.w;
    let x = (last.x + (tree.area.w / tree.room as f32).max(last.w + 2.0)).min(right - last.w);
    Rect { x, ..last }
}

/// The nodes of a level as boxes, and the double of the last where there is one.
fn nodes(
    pencil: &mut Pencil<'_>,
    tree: &BinaryTree,
    level: u8,
    known: &Known,
    (own, byte): (&Tree, usize),
) {
    let shape = own.shape();
    let places = (0..tree.width(level)).map(|index| Place {
        level,
        index: index as u32,
    });
    // By RFC 6962 what has only moved up stands where it was first.
    let stands = |place: &Place| {
        level == 0 || shape.rule == Rule::Bitcoin || shape.children(*place).count() == 2
    };
    let places: Vec<Place> = places.filter(stands).collect();
    let rect = |place: &Place| tree.at(level, place.index as usize);
    for place in &places {
        let said = own.at(*place).map(|hash| digits(hash, byte));
        node(
            pencil,
            rect(place),
            known.at(*place),
            said.unwrap_or_default(),
        );
    }
    // Over the boxes, so that no neighbour hides them.
    for place in &places {
        sign(pencil, rect(place), known.at(*place));
    }
    let odd = shape.rule == Rule::Bitcoin && tree.width(level) % 2 == 1 && level < tree.depth();
    if let Some(last) = places.last().filter(|_| odd) {
        let r = double(tree, level);
        pencil.dashed(r, 4.0, Ink::WarnSoft, Ink::Warn, 1.0);
        let said = own
            .at(*last)
            .map(|hash| digits(hash, byte))
            .unwrap_or_default();
        label(pencil, r, false, Ink::Ink, said);
    }
}

/// Digits in a box, if there is room.
fn label(pencil: &mut Pencil<'_>, rect: Rect, bold: bool, ink: Ink, said: String) {
    // All of a level or none of it.
    if text::width("dd", 11.0, true) <= rect.w {
        let at = pt(rect.x + rect.w / 2.0, rect.y + 12.0);
        pencil.centred(at, 11.0, bold, ink, said);
    }
}

/// One node as a box.
fn node(pencil: &mut Pencil<'_>, rect: Rect, look: Look, said: String) {
    let (ground, border, ink, width) = look.inks();
    pencil.bordered(rect, 4.0, ground, border, width);
    label(pencil, rect, look.is_path(), ink, said);
}

/// What is known of it, beside its colour.
fn sign(pencil: &mut Pencil<'_>, rect: Rect, look: Look) {
    let corner = pt(rect.x + rect.w, rect.y);
    match look {
        Look::Equal | Look::Mended | Look::Proved => {
            let [x, y] = [corner.x - 5.0, corner.y - 1.0].map(tenths);
            pencil.line(format!("M{x} {y}l2.5 2.5l4.5 -5"), Ink::Ok, 2.0);
        }
        Look::Differs | Look::Disproved => {
            pencil.mark(Glyph::Failure, corner, 4.0, Ink::Bad);
        }
        _ => {}
    }
}

fn root_part(copies: &Copies, stage: &Stage, side: usize, known: &Known, scene: &mut Scene) {
    let (tree, panel, own) = (&stage.trees[side], stage.panels[side], &copies.sides[side]);
    let shape = own.tree.shape();
    let rect = tree.at(tree.depth(), 0);
    let cut = stage.cuts[side][0];
    let frame = match (stage.narrow, side) {
        (true, COPY) => Rect::new(panel.x, cut, panel.w, panel.y + panel.h - cut),
        (true, _) => Rect::new(panel.x, panel.y - 4.0, panel.w, cut - panel.y + 4.0),
        (false, SOURCE) => Rect::new(
            panel.x,
            panel.y - 4.0,
            stage.seal.x - 6.0 - panel.x,
            cut - panel.y + 4.0,
        ),
        (false, _) => {
            let x = stage.seal.x + stage.seal.w + 6.0;
            Rect::new(x, panel.y - 4.0, panel.x + panel.w - x, cut - panel.y + 4.0)
        }
    };
    let look = known.at(shape.root());
    let blocks = scene.say("blocks", &[count(own.blocks())]);
    let fits = copies.forged == Some(side);
    let status = if fits {
        let word = if own.fits_itself() {
            "fits"
        } else {
            "fits-not"
        };
        [scene.say(word, &[]), scene.say("fits.short", &[])]
    } else {
        [blocks.clone(), blocks.clone()]
    };
    let state = scene.say(state_word(look), &[]);
    let hash = digits(&own.tree.root(), stage.byte);
    let name = scene.say(["source", "copy"][side], &[]);
    let equal = copies.sides[SOURCE].tree.root() == copies.sides[COPY].tree.root();
    let mut pencil = scene.thing(root(side), frame, format!("{hash}, {state}, {}", status[0]));
    pencil
        .figure("equal", f64::from(u8::from(equal)))
        .figure("fits", f64::from(u8::from(fits && own.fits_itself())));
    node(&mut pencil, rect, look, hash);
    sign(&mut pencil, rect, look);
    let ink = if fits { Ink::Ok } else { Ink::Secondary };
    let y = if tree.upside_down {
        frame.y + frame.h - 4.0
    } else {
        panel.y + 12.0
    };
    let name_w = text::width(&name, 14.5, true);
    let beside = side == COPY && !stage.narrow;
    let room = if beside {
        panel.x + panel.w - rect.x - rect.w - 10.0
    } else {
        rect.x - panel.x - 10.0
    };
    let under = frame.y + frame.h >= y + 20.0;
    let free = if under { room } else { room - name_w - 8.0 };
    let said = fitting(&status, 12.0, fits, free);
    if beside {
        let right = panel.x + panel.w;
        ending(&mut pencil, pt(right, y), 14.5, true, Ink::Ink, name);
        let at = if under {
            pt(right, y + 16.0)
        } else {
            pt(right - name_w - 8.0, y)
        };
        ending(&mut pencil, at, 12.0, fits, ink, said);
    } else {
        pencil.bold(pt(panel.x, y), 14.5, Ink::Ink, name);
        let at = if under {
            pt(panel.x, y + 16.0)
        } else {
            pt(panel.x + name_w + 8.0, y)
        };
        if fits {
            pencil.bold(at, 12.0, ink, said);
        } else {
            pencil.text(at, 12.0, ink, said);
        }
    }
}

/// The word for what is known of a node.
fn state_word(look: Look) -> &'static str {
    match look {
        Look::Unknown => "state.unknown",
        Look::Asked => "state.asked",
        Look::Equal => "state.equal",
        Look::Differs => "state.differs",
        Look::Mended => "state.mended",
        Look::Beside => "state.beside",
        Look::Proved => "state.proved",
        Look::Disproved => "state.disproved",
    }
}

/// What is known of some levels, in words.
fn tally(known: &[Vec<Look>], scene: &Scene) -> String {
    let counted = |wanted: Look| -> usize {
        let row = |row: &Vec<Look>| row.iter().filter(|look| **look == wanted).count();
        known.iter().map(row).sum()
    };
    let told = [Look::Equal, Look::Differs, Look::Unknown].map(|look| count(counted(look)));
    scene.say("tally", &told)
}

fn inner_part(copies: &Copies, stage: &Stage, side: usize, known: &Known, scene: &mut Scene) {
    let (tree, panel, own) = (&stage.trees[side], stage.panels[side], &copies.sides[side]);
    let [cut, low] = stage.cuts[side];
    let (from, to) = if tree.upside_down {
        (low, cut)
    } else {
        (cut, low)
    };
    let frame = Rect::new(panel.x - 3.0, from, panel.w + 6.0, to - from);
    let levels = tree.thin().max(1)..tree.depth();
    let rows = &known.0[usize::from(levels.start)..usize::from(levels.end)];
    let said = tally(rows, scene);
    let mut pencil = scene.thing(inner(side), frame, said);
    for level in levels {
        nodes(&mut pencil, tree, level, known, (&own.tree, stage.byte));
    }
}

/// A piece of a row as path data.
fn piece(rect: Rect) -> String {
    let [x, y, w, h] = [rect.x, rect.y, rect.w, rect.h].map(tenths);
    format!("M{x} {y}h{w}v{h}h-{w}Z")
}

/// Levels with too many nodes for boxes: neighbours that look alike are one piece.
fn strip(pencil: &mut Pencil<'_>, tree: &BinaryTree, known: &Known) {
    for level in 0..tree.thin() {
        let row = &known.0[usize::from(level)];
        let whole = tree.level(level);
        let ground = Rect::new(whole.x, whole.y + 1.5, whole.w, whole.h - 3.0);
        pencil.area(piece(ground), Ink::Rail);
        let mut from = 0;
        while from < row.len() {
            let alike = row[from..]
                .iter()
                .take_while(|look| **look == row[from])
                .count();
            if row[from] != Look::Unknown {
                let (first, last) = (tree.at(level, from), tree.at(level, from + alike - 1));
                let w = last.x + last.w - first.x;
                pencil.area(piece(Rect { w, ..first }), row[from].line());
            }
            from += alike;
        }
    }
}

fn leaves_part(
    copies: &Copies,
    stage: &Stage,
    side: usize,
    known: &Known,
    at: Time,
    scene: &mut Scene,
) {
    let (tree, panel, own) = (&stage.trees[side], stage.panels[side], &copies.sides[side]);
    let cut = stage.cuts[side][1];
    let frame = if tree.upside_down {
        Rect::new(panel.x - 3.0, panel.y, panel.w + 6.0, cut - panel.y)
    } else {
        Rect::new(panel.x - 3.0, cut, panel.w + 6.0, panel.y + panel.h - cut)
    };
    let said = tally(&known.0[..1], scene);
    let blocks = scene.say("blocks", &[count(own.blocks())]);
    let differ = copies.sync.differ.len();
    let mut value = format!("{blocks}, {said}");
    let typed = copies.own(side);
    for (block, text) in &typed {
        let hash = own.tree.leaves().get(*block);
        let hash = hash.map_or_else(String::new, |hash| {
            (0..4).map(|byte| digits(hash, byte)).collect()
        });
        let said = scene.say("own", &[count(block + 1), Arg::Typed(*text)]);
        value.push_str(". ");
        value.push_str(&said.replace("{2}", &hash));
    }
    let mut pencil = scene.thing(leaves(side), frame, value);
    pencil
        .figure("blocks", own.blocks() as f64)
        .figure("differ", differ as f64);
    strip(&mut pencil, tree, known);
    if tree.thin() == 0 {
        nodes(&mut pencil, tree, 0, known, (&own.tree, stage.byte));
    }
    // The blocks themselves: those that differ are hatched until they have come.
    let y = if tree.upside_down {
        panel.y
    } else {
        panel.y + panel.h - BLOCK
    };
    let cell = |i: usize| {
        let leaf = tree.at(0, i);
        let w = leaf.w.max(5.0);
        let x = (leaf.x + (leaf.w - w) / 2.0).clamp(panel.x, panel.x + panel.w - w);
        Rect::new(x, y, w, BLOCK)
    };
    let source = copies.sides[SOURCE].blocks();
    if tree.thin() > 0 {
        let whole = tree.level(0);
        pencil.filled(
            Rect {
                y,
                h: BLOCK,
                ..whole
            },
            2.0,
            Ink::HitSoft,
        );
    } else {
        for i in 0..tree.leaves {
            // What is beyond the end of the source is cut off in the end.
            if i < source && typed.iter().any(|(block, _)| *block == i) {
                pencil.bordered(cell(i), 2.0, Ink::AccentSoft, Ink::Accent, 2.0);
            } else if i < source {
                pencil.bordered(cell(i), 2.0, Ink::HitSoft, Ink::Hit, 1.0);
            } else {
                pencil.dashed(cell(i), 2.0, Ink::WarnSoft, Ink::Warn, 1.0);
            }
        }
    }
    if side == COPY && copies.found.is_some() {
        fetched(copies, tree, at, &mut pencil, cell);
    }
}

/// Blocks that differ, and those that have come. Where there is no room for each, neighbours are one piece.
fn fetched(
    copies: &Copies,
    tree: &BinaryTree,
    at: Time,
    pencil: &mut Pencil<'_>,
    cell: impl Fn(usize) -> Rect,
) {
    let all: Vec<usize> = copies.sync.differ.iter().map(|(block, _)| *block).collect();
    let come = if copies.ended(End::Mended) {
        all.len()
    } else {
        copies.come
    };
    let mut nth = 0;
    while nth < all.len() {
        let first = all[nth];
        let alike = (nth..all.len())
            .take_while(|i| all[*i] == first + i - nth && (*i < come) == (nth < come))
            .count();
        let alike = if tree.thin() > 0 { alike } else { 1 };
        nth += alike;
        // The copy may be the shorter one.
        let last = (first + alike).min(tree.leaves);
        if first >= last {
            continue;
        }
        let (a, b) = (cell(first), cell(last - 1));
        let r = Rect {
            w: b.x + b.w - a.x,
            ..a
        };
        if nth <= come {
            pencil.bordered(r, 2.0, Ink::OkSoft, Ink::Ok, 2.0);
        } else {
            pencil.bordered(r, 2.0, Ink::BadHatch, Ink::Bad, 1.5);
        }
    }
    if let (Phase::Fetches(stretch), Some(block)) = (&copies.phase, all.get(come)) {
        let r = cell((*block).min(tree.leaves - 1));
        let w = r.w * stretch.share(at, come);
        pencil.filled(Rect { w, ..r }, 2.0, Ink::Hit);
    }
}

/// The root that the author has published, and who has it.
fn seal(copies: &Copies, stage: &Stage, scene: &mut Scene) {
    let asked = copies.knobs.trust == Trust::Seal;
    let has = [SOURCE, COPY].map(|side| copies.sides[side].tree.root() == copies.seal);
    let title = scene.say("seal", &[]);
    let hash = digits(&copies.seal, stage.byte);
    let who = scene.say(
        match has {
            [true, true] => "seal.both",
            [true, false] => "seal.source",
            [false, true] => "seal.copy",
            [false, false] => "seal.none",
        },
        &[],
    );
    let detail = if asked {
        vec![who]
    } else {
        ["seal.idle", "seal.idle.short"]
            .map(|word| scene.say(word, &[]))
            .to_vec()
    };
    let r = stage.seal;
    let mut pencil = scene.thing(SEAL, r, format!("{hash}, {}", detail[0]));
    pencil
        .figure("source", f64::from(u8::from(has[SOURCE])))
        .figure("copy", f64::from(u8::from(has[COPY])));
    if asked {
        pencil.bordered(r, 8.0, Ink::AccentSoft, Ink::Accent, 2.0);
    } else {
        pencil.dashed(r, 8.0, Ink::None, Ink::LineStrong, 1.0);
    }
    let bad = asked && !(has[SOURCE] && has[COPY]);
    let ink = if bad { Ink::Bad } else { Ink::Secondary };
    let middle = r.x + r.w / 2.0;
    let title = format!("{title} {hash}");
    if r.h < 30.0 {
        let texts = [format!("{title}: {}", detail[0]), title];
        let said = fitting(&texts, 12.0, true, r.w - 12.0);
        let at = pt(middle, r.y + r.h / 2.0 + 4.0);
        pencil.centred(at, 12.0, true, if bad { Ink::Bad } else { Ink::Ink }, said);
        return;
    }
    let title = fitting(&[title], 12.0, true, r.w - 12.0);
    pencil.centred(pt(middle, r.y + 13.5), 12.0, true, Ink::Ink, title);
    let detail = fitting(&detail, 11.0, bad, r.w - 12.0);
    pencil.centred(pt(middle, r.y + 26.5), 11.0, bad, ink, detail);
}

/// The line, and what travels along it.
fn line(copies: &Copies, stage: &Stage, at: Time, scene: &mut Scene) {
    let words = scene.say(
        "line",
        &[
            Arg::Number(copies.knobs.rtt),
            Arg::Number(copies.knobs.line),
        ],
    );
    let l = stage.line;
    let middle = scene.width / 2.0;
    let level = match copies.sync.step() {
        _ if copies.proof.is_some() => 0,
        Step::Ask(Question::Root) => stage.trees[SOURCE].depth(),
        Step::Ask(Question::Nodes(places)) => {
            places.iter().map(|place| place.level).max().unwrap_or(0)
        }
        _ => 0,
    };
    // Two rails: questions and answers above, blocks below.
    let mut pencil = scene.link(LINE, l, words);
    if stage.narrow {
        for x in [middle - 20.0, middle + 54.0] {
            pencil.line(
                format!("M{} {}v{}", tenths(x), tenths(l.y), tenths(l.h)),
                Ink::LineStrong,
                1.5,
            );
        }
    } else {
        let y = stage.on_line(0.0, level, 0).y;
        let asks = matches!(copies.phase, Phase::Asks(_) | Phase::Hears(..));
        let low = l.y + l.h - 6.0;
        for (y, ink) in [
            (y, if asks { Ink::Accent } else { Ink::None }),
            (low, Ink::LineStrong),
        ] {
            pencil.line(
                format!("M{} {}h{}", tenths(l.x), tenths(y), tenths(l.w)),
                ink,
                1.5,
            );
        }
    }
    let round = copies.sync.rounds + 1;
    match copies.phase {
        Phase::Asks(leg) => {
            let to = stage.on_line(leg.share(at), level, 0);
            scene.particle(to, DOT + 1.0, Glyph::Request, Ink::Accent, round);
        }
        Phase::Hears(leg, hashes) => {
            for nth in 0..hashes.min(RINGS) {
                let to = stage.on_line(1.0 - leg.share(at), level, RINGS.min(hashes) - 1 - nth);
                scene.particle(to, DOT, Glyph::Response, Ink::Ok, round);
            }
        }
        Phase::Fetches(stretch) if stretch.blocks > 0 && at >= stretch.from => {
            let share = stretch.share(at, copies.come);
            let to = if stage.narrow {
                pt(middle + 54.0, l.y + l.h * share)
            } else {
                pt(l.x + l.w * share, l.y + l.h - 6.0)
            };
            scene.particle(
                to,
                DOT + 2.0,
                Glyph::Message,
                Ink::Hit,
                copies.come as u32 + 1,
            );
        }
        _ => {}
    }
}

/// The word for where the comparison is.
fn phase_word(copies: &Copies) -> (&'static str, Ink) {
    match copies.phase {
        Phase::Built => ("phase.built", Ink::Ink),
        Phase::Asks(_) | Phase::Hears(..) if copies.proof.is_some() => {
            ("phase.proves", Ink::Accent)
        }
        Phase::Asks(_) | Phase::Hears(..) => ("phase.looks", Ink::Accent),
        Phase::Fetches(_) if copies.knobs.method == How::Whole => ("phase.all", Ink::Bad),
        Phase::Fetches(_) => ("phase.found", Ink::Bad),
        Phase::Checks => ("phase.checks", Ink::Accent),
        Phase::Done(End::Same) if copies.sync.rounds == 0 => ("phase.sealed", Ink::Ok),
        Phase::Done(End::Same) => ("phase.same", Ink::Ok),
        Phase::Done(End::Fooled) => ("phase.fooled", Ink::Bad),
        Phase::Done(End::Mended) if copies.forged == Some(SOURCE) => ("phase.swallowed", Ink::Bad),
        Phase::Done(End::Mended) if copies.for_nothing > 0 => ("phase.nothing", Ink::Warn),
        Phase::Done(End::Mended) => ("phase.mended", Ink::Ok),
        Phase::Done(End::Refused) => ("phase.refused", Ink::Bad),
        Phase::Done(End::Proved(true)) => ("phase.proved", Ink::Ok),
        Phase::Done(End::Proved(false)) => ("phase.disproved", Ink::Bad),
    }
}

/// What the comparison has taken so far.
fn counts(copies: &Copies, stage: &Stage, at: Time, scene: &mut Scene) {
    let r = stage.count;
    let shape = copies.sides[SOURCE].tree.shape();
    let (nodes, hashes) = (shape.nodes(), copies.hashes());
    let proofs = u32::from(
        copies
            .proof
            .as_ref()
            .is_some_and(|proof| !proof.hashes.is_empty()),
    );
    let rounds = copies.sync.rounds + proofs;
    let sent = copies.blocks_sent(at);
    let differ = copies.sync.differ.len();
    let until = copies.found.unwrap_or(at);
    let waited = match copies.phase {
        Phase::Built => Time::ZERO,
        _ => until.since(copies.begun),
    };
    let (word, ink) = phase_word(copies);
    let title = scene.say(word, &[count(differ)]);
    let titles = match copies.phase {
        Phase::Built => {
            let read = bytes(scene, copies.file_bytes(COPY));
            let span = Arg::Span(copies.knobs.hashed(copies.file_bytes(COPY)));
            let span = scene.words().write(&span);
            let fill = |word| {
                scene
                    .say(word, &[])
                    .replace("{0}", &read)
                    .replace("{1}", &span)
            };
            vec![fill("phase.built"), fill("phase.built.short")]
        }
        _ => vec![title],
    };
    let rows = [
        (
            "row.hashes",
            scene.say("of", &[count(hashes), count(nodes)]),
        ),
        (
            "row.rounds",
            scene.say(
                "rounds",
                &[
                    Arg::Count(rounds.into()),
                    Arg::Span(Time(waited.0 / 1_000 * 1_000)),
                ],
            ),
        ),
        ("row.blocks", bytes(scene, sent)),
    ];
    let rows = rows.map(|(word, said)| (scene.say(word, &[]), said));
    let spoken = rows.iter().map(|(name, said)| format!("{name} {said}"));
    let spoken: Vec<String> = spoken.chain([titles[0].clone()]).collect();
    let mut pencil = scene.thing(COUNT, r, spoken.join(", "));
    pencil
        .figure("hashes", hashes as f64)
        .figure("nodes", nodes as f64)
        .figure("rounds", f64::from(rounds))
        .figure("mb", (sent as f64 / 1e6).round())
        .figure("read", (copies.file_bytes(COPY) as f64 / 1e6).round())
        .figure("block-mb", copies.knobs.block_bytes() as f64 / 1e6);
    panel(&mut pencil, r, "");
    let said = fitting(&titles, 13.5, true, r.w - 20.0);
    pencil.bold(pt(r.x + 10.0, r.y + 19.0), 13.5, ink, said);
    let step = (r.h - 26.0) / 3.0;
    for (nth, (name, said)) in rows.into_iter().enumerate() {
        let y = r.y + 22.0 + step * (nth as f32 + 0.72);
        let room = r.w - 30.0 - text::width(&said, 13.0, true);
        pencil.text(
            pt(r.x + 10.0, y),
            12.0,
            Ink::Secondary,
            fitting(&[name], 12.0, false, room),
        );
        ending(
            &mut pencil,
            pt(r.x + r.w - 10.0, y),
            13.0,
            true,
            Ink::Ink,
            said,
        );
    }
}

/// The binary logarithm, straight between powers of two: enough for an axis.
fn lg(n: u64) -> f32 {
    let n = n.max(1);
    let whole = n.ilog2();
    whole as f32 + (n as f32 / (1_u64 << whole) as f32) - 1.0
}

/// What each way of looking sends, on one axis.
fn bars(copies: &Copies, stage: &Stage, at: Time, scene: &mut Scene) {
    let r = stage.bars;
    let block = copies.knobs.block_bytes();
    let total = copies.file_bytes(SOURCE).max(2_000 * LEAST);
    let now = copies.knobs.method;
    let walk = if now == How::Two { How::Two } else { How::Tree };
    let ways = [How::Whole, How::List, walk];
    let cost = |how: How| copies.costs[how as usize];
    let names = ways.map(|how| {
        scene.say(
            match how {
                How::Whole => "bar.whole",
                How::List => "bar.list",
                How::Tree => "bar.tree",
                How::Two => "bar.two",
            },
            &[],
        )
    });
    let running = |how: How| how == now && copies.proof.is_none();
    let sent = ways.map(|how| {
        if running(how) {
            (HASH * copies.hashes() as u64, copies.blocks_sent(at))
        } else {
            (
                HASH * u64::from(cost(how).hashes),
                block * u64::from(cost(how).blocks),
            )
        }
    });
    let said = sent.map(|(hashes, blocks)| {
        let [hashes, blocks] = [hashes, blocks].map(|n| bytes(scene, n));
        scene
            .say("bar.sum", &[])
            .replace("{0}", &hashes)
            .replace("{1}", &blocks)
    });
    let spoken: Vec<String> = names
        .iter()
        .zip(&said)
        .map(|(name, said)| format!("{name} {said}"))
        .collect();
    let title = scene.say("bars", &[]);
    let ticks = [
        (1_000, "1 kB"),
        (1_000_000, "1 MB"),
        (1_000_000_000, "1 GB"),
    ];
    let mut pencil = scene.thing(BARS, r, spoken.join(", "));
    pencil
        .figure("whole", (sent[0].1 as f64 / 1e6).round())
        .figure("list-hashes", f64::from(cost(How::List).hashes))
        .figure("tree-hashes", f64::from(cost(walk).hashes));
    panel(&mut pencil, r, title);
    let wide = |texts: &[String], size| {
        texts
            .iter()
            .map(|t| text::width(t, size, false))
            .fold(0.0, f32::max)
    };
    let left = r.x + 19.0 + wide(&names, 11.5);
    let right = r.x + r.w - 16.0 - wide(&said, 11.0).max(96.0);
    let x = |n: u64| {
        let share = (lg(n) - lg(LEAST)) / (lg(total * 2) - lg(LEAST));
        left + (right - left) * share.clamp(0.0, 1.0)
    };
    for (n, label) in ticks.into_iter().filter(|(n, _)| *n <= total) {
        let at = x(n);
        pencil.line(
            format!("M{} {}v48", tenths(at), tenths(r.y + 25.0)),
            Ink::Line,
            1.0,
        );
        pencil.centred(pt(at, r.y + r.h - 10.0), 11.0, false, Ink::Secondary, label);
    }
    for (nth, how) in ways.into_iter().enumerate() {
        let y = r.y + 26.0 + 16.0 * nth as f32;
        let (hashes, blocks) = sent[nth];
        let bold = running(how);
        let ink = if bold { Ink::Ink } else { Ink::Secondary };
        let name = pt(r.x + 10.0, y + 10.0);
        if bold {
            pencil.bold(name, 11.5, ink, names[nth].as_str());
        } else {
            pencil.text(name, 11.5, ink, names[nth].as_str());
        }
        let (h, y0) = if bold { (11.0, y) } else { (7.0, y + 2.0) };
        if hashes + blocks > 0 {
            let (first, last) = (x(hashes).max(left + 2.0), x(hashes + blocks));
            if blocks > 0 {
                let rest = Rect::new(first, y0, (last - first).max(2.0), h);
                if bold {
                    pencil.filled(rest, 2.0, Ink::Hit);
                } else {
                    pencil.bordered(rest.grown(-0.5), 1.5, Ink::HitSoft, Ink::Hit, 1.0);
                }
            }
            let rect = Rect::new(left, y0, first - left, h);
            pencil.filled(rect, 1.5, Ink::Accent);
        }
        ending(
            &mut pencil,
            pt(r.x + r.w - 10.0, y + 10.0),
            11.0,
            bold,
            ink,
            said[nth].as_str(),
        );
    }
}
