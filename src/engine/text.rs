//! Text: how wide a line is in the page's font, and how numbers are written.

/// Advance widths of Inter for the characters from space to tilde, in thousandths of the size, at weights 400 and 600.
/// Read from the font file in `assets/fonts`; they let a scene be laid out, and tested, without a browser.
const INTER: [[u16; 95]; 2] = [
    [
        281, 288, 466, 633, 642, 982, 644, 300, 365, 365, 501, 662, 288, 460, 288, 360, 631, 407,
        610, 618, 646, 593, 620, 566, 619, 620, 288, 302, 662, 662, 662, 511, 966, 690, 654, 730,
        722, 601, 590, 746, 743, 269, 571, 672, 565, 903, 753, 765, 639, 765, 644, 642, 646, 744,
        690, 985, 682, 679, 629, 365, 360, 365, 471, 456, 323, 562, 612, 571, 612, 583, 370, 613,
        591, 242, 242, 549, 242, 876, 591, 600, 612, 612, 376, 528, 327, 591, 562, 818, 546, 562,
        552, 426, 333, 426, 662,
    ],
    [
        252, 321, 523, 644, 650, 1004, 663, 326, 373, 373, 540, 673, 319, 465, 319, 379, 660, 423,
        623, 636, 666, 612, 640, 576, 640, 640, 319, 329, 673, 673, 673, 543, 999, 728, 659, 737,
        722, 605, 588, 749, 746, 277, 580, 703, 565, 922, 759, 769, 645, 773, 652, 650, 660, 736,
        728, 1020, 720, 713, 652, 373, 379, 373, 481, 469, 351, 574, 624, 583, 624, 591, 389, 625,
        612, 262, 262, 569, 262, 900, 612, 609, 624, 624, 397, 549, 353, 612, 587, 839, 569, 588,
        566, 455, 359, 455, 673,
    ],
];

/// Width of one line in the units of `size`; characters outside ASCII count as wide digits.
pub fn width(text: &str, size: f32, bold: bool) -> f32 {
    let table = &INTER[usize::from(bold)];
    let advance = |c: char| match c {
        // Figures are tabular on the page, all as wide as a zero.
        '0'..='9' => table[usize::from(b'0' - b' ')],
        ' '..='~' => table[c as usize - ' ' as usize],
        '·' => 319,
        '…' => 956,
        _ => 680,
    };
    text.chars().map(|c| f32::from(advance(c))).sum::<f32>() * size / 1000.0
}

/// Breaks a text into lines no wider than `limit` (a single longer word keeps a line of its own).
pub fn wrap(text: &str, size: f32, bold: bool, limit: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if width(line, size, bold) + width(word, size, bold) + 0.3 * size <= limit =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A number with at most two decimals and no trailing zeros: `0.25`, `4`, `12.5`.
pub fn trim_number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// A span as people read it: `85 ms`, `1.2 s`, `45 s`.
pub fn span(time: crate::time::Time) -> String {
    let ms = time.as_ms();
    match ms {
        ..10.0 => format!("{} ms", trim_number((ms * 10.0).round() / 10.0)),
        ..1_000.0 => format!("{ms:.0} ms"),
        ..10_000.0 => format!("{:.1} s", ms / 1e3),
        _ => format!("{:.0} s", ms / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn numbers_and_spans_are_short() {
        assert_eq!(trim_number(0.25), "0.25");
        assert_eq!(trim_number(4.0), "4");
        assert_eq!(trim_number(-0.001), "0");
        assert_eq!(span(Time::us(850)), "0.9 ms");
        assert_eq!(span(Time::ms(85)), "85 ms");
        assert_eq!(span(Time::ms(1_234)), "1.2 s");
        assert_eq!(span(Time::s(45)), "45 s");
    }

    #[test]
    fn lines_wrap_inside_their_limit() {
        let lines = wrap("Still in rotation until the next check", 12.0, true, 90.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line, 12.0, true) <= 90.0));
        assert_eq!(lines.join(" "), "Still in rotation until the next check");
    }
}
