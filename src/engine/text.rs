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

/// Width of one line in the units of `size`; other letters than those of ASCII count as wide digits, ideographs and emoji as a
/// whole em, and marks that stand on others as nothing.
pub fn width(text: &str, size: f32, bold: bool) -> f32 {
    let table = &INTER[usize::from(bold)];
    let advance = |c: char| match c {
        // Figures are tabular on the page, all as wide as a zero.
        '0'..='9' => table[usize::from(b'0' - b' ')],
        ' '..='~' => table[c as usize - ' ' as usize],
        '·' => 319,
        '…' => 956,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe0f}' => 0,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{fdff}' | '\u{ff00}'.. => 1_000,
        _ => 680,
    };
    text.chars().map(|c| f32::from(advance(c))).sum::<f32>() * size / 1000.0
}

/// Whether a character is written from right to left: Hebrew, Arabic and the scripts beside them.
pub const fn from_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
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

/// A length of a drawing, to a tenth: `12.5`, `4`, `-0.3`. What lies halfway goes away from zero.
pub fn tenths(value: f32) -> String {
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    match tenths % 10 {
        0 => format!("{sign}{}", tenths / 10),
        part => format!("{sign}{}.{part}", tenths / 10),
    }
}

/// A number with so many decimals, at most five; what lies halfway, as near as can be told, goes to the even
/// neighbour. The library would write any number exactly, for which it needs more code than all else that a page
/// writes.
pub fn fixed(value: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals.min(5));
    let scale = [1_u64, 10, 100, 1_000, 10_000, 100_000][decimals];
    let scaled = libm::rint(value.abs() * scale as f64);
    // Beyond, not all whole numbers are numbers.
    if scaled.is_nan() || scaled > 9e15 {
        return format!("{value:.decimals$}");
    }
    let scaled = scaled as u64;
    let sign = if value < 0.0 && scaled > 0 { "-" } else { "" };
    let (whole, part) = (scaled / scale, scaled % scale);
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0decimals$}"),
    }
}

/// A number with at most two decimals and no trailing zeros: `0.25`, `4`, `12.5`.
pub fn trim_number(value: f64) -> String {
    let text = fixed(value, 2);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// Reads a decimal number: a sign, digits, a point, an exponent, each but the digits optional. Exact for up to 15
/// digits and powers of ten up to 22 (Clinger, "How to Read Floating Point Numbers Accurately", 1990), which is all
/// that knobs and times need; beyond, the last digit may differ from the library's reading, whose tables would weigh
/// more in every page than all the words of a lesson. No infinities, no NaN.
pub fn number(text: &str) -> Option<f64> {
    let (negative, text) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut digits, mut scale, mut whole) = (0_u64, 0_i32, true);
    let (mut seen, mut rest) = (false, text.iter());
    while let Some(&byte) = rest.next() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                // Later digits of a very long number only move its point.
                if digits < 100_000_000_000_000_000 {
                    digits = digits * 10 + u64::from(byte - b'0');
                    scale -= i32::from(!whole);
                } else {
                    scale = scale.saturating_add(i32::from(whole));
                }
            }
            b'.' if whole => whole = false,
            b'e' | b'E' => {
                let exponent = std::str::from_utf8(rest.as_slice()).ok()?;
                scale = scale.saturating_add(exponent.parse::<i16>().ok()?.into());
                break;
            }
            _ => return None,
        }
    }
    let digits = digits as f64;
    let power = libm::pow(10.0, f64::from(scale.abs()));
    let value = if scale < 0 {
        digits / power
    } else {
        digits * power
    };
    let value = if negative { -value } else { value };
    (seen && value.is_finite()).then_some(value)
}

/// A span as people read it: `85 ms`, `1.2 s`, `45 s`.
pub fn span(time: crate::time::Time) -> String {
    let ms = time.as_ms();
    match ms {
        ..10.0 => format!("{} ms", trim_number((ms * 10.0).round() / 10.0)),
        ..1_000.0 => format!("{} ms", fixed(ms, 0)),
        ..10_000.0 => format!("{} s", fixed(ms / 1e3, 1)),
        _ => format!("{} s", fixed(ms / 1e3, 0)),
    }
}

/// A whole number as people write it: `1,000,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    #[test]
    fn whole_numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1_000, 1_000_000].map(grouped),
            ["0", "999", "1,000", "1,000,000"]
        );
    }

    #[test]
    fn decimals_are_those_of_the_library() {
        for value in [
            0.0,
            0.004,
            0.0051,
            0.125,
            2.5,
            3.5,
            99.995,
            1_234.567,
            7e14,
            1e300,
            f64::NAN,
        ] {
            for decimals in 0..=3_u8 {
                let places = usize::from(decimals);
                assert_eq!(fixed(value, decimals), format!("{value:.places$}"));
                let below = format!("{:.places$}", -value - 1.0);
                assert_eq!(fixed(-value - 1.0, decimals), below);
            }
        }
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(trim_number(-0.001), "0");
        assert_eq!(trim_number(100.0), "100");
    }

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

    #[test]
    fn numbers_are_read_as_the_library_reads_them() {
        for text in [
            "0",
            "-0.5",
            "12.50",
            ".5",
            "5.",
            "+3",
            "1e3",
            "2.5E-3",
            "0.1",
            "123456789012345",
            "0.000001",
            "7200",
            "16",
            "1e22",
            "-9.75e2",
        ] {
            assert_eq!(number(text), text.parse().ok(), "{text}");
        }
        let mut state = 1_u64;
        for _ in 0..10_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let value = ((state >> 20) % 10_000_000_000) as f64 / 1_000_000.0;
            let text = value.to_string();
            assert_eq!(number(&text), Some(value), "{text}");
        }
    }

    #[test]
    fn tenths_are_what_the_library_writes() {
        let mut state = 1_u64;
        for _ in 0..10_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let value = (state >> 40) as f32 / 4_096.0 - 2_000.0;
            let rounded = (value * 10.0).round() / 10.0 + 0.0;
            assert_eq!(tenths(value), format!("{rounded}"), "{value}");
        }
        assert_eq!(tenths(-0.04), "0");
        assert_eq!(tenths(f32::NAN), "0");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            " ",
            "-",
            ".",
            "e5",
            "1e",
            "1e1.5",
            "inf",
            "NaN",
            "0x10",
            "1_000",
            "1,5",
            "--1",
            "1.2.3",
            "1e999",
            "1e99999999999",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
        // However long, the size is right.
        let long = number(&"9".repeat(300)).expect("finite");
        assert!((long / 1e300 - 1.0).abs() < 1e-12);
        assert!(
            (number(&format!("0.{}1", "0".repeat(40))).expect("finite") / 1e-41 - 1.0).abs()
                < 1e-12
        );
    }
}
