//! Stemmers for English: Porter's of 1980, his second one of 2001, and a short list of lemmas.
//!
//! A stemmer cuts endings by rule, so that words of one family become one string, which need not be a word. Words are lower
//! case; anything but `a` to `z` counts as a consonant. Sources: M. F. Porter, *An algorithm for suffix stripping*, Program 14
//! (3), 1980, without the later departures of his C program; *The English (Porter2) stemming algorithm*, snowballstem.org.

/// The stem by Porter's algorithm of 1980.
pub fn porter(word: &str) -> String {
    let mut w = Word::new(word);
    // region: porter
    w.swap(
        &[("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")],
        |_, _| true,
    );
    if let Some(stem) = w.stem("eed") {
        w.cut_if("eed", "ee", w.measure(stem) > 0);
    } else if let Some((end, stem)) = w.first(&["ed", "ing"])
        && w.has_vowel(stem)
    {
        w.cut_if(end, "", true);
        if w.first(&["at", "bl", "iz"]).is_some() {
            w.push('e');
        } else if w.doubled(w.len()) && !w.ends(b"lsz") {
            w.pop();
        } else if w.measure(w.len()) == 1 && w.short_end(w.len()) {
            w.push('e');
        }
    }
    if let Some(stem) = w.stem("y") {
        w.cut_if("y", "i", w.has_vowel(stem));
    }
    w.swap(SECOND, |w, stem| w.measure(stem) > 0);
    w.swap(THIRD, |w, stem| w.measure(stem) > 0);
    // Of "tion" and "sion" the first letter stays.
    w.swap(FOURTH, |w, stem| {
        w.measure(stem + usize::from(w.text.ends_with("ion"))) > 1
    });
    // endregion
    if let Some(stem) = w.stem("e") {
        let m = w.measure(stem);
        w.cut_if("e", "", m > 1 || m == 1 && !w.short_end(stem));
    }
    if w.ends(b"l") && w.doubled(w.len()) && w.measure(w.len() - 1) > 1 {
        w.pop();
    }
    w.text
}

type Rules = &'static [(&'static str, &'static str)];

const SECOND: Rules = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("abli", "able"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];
const THIRD: Rules = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];
/// `sion` and `tion` lose their `ion`.
const FOURTH: Rules = &[
    ("ement", ""),
    ("ance", ""),
    ("ence", ""),
    ("able", ""),
    ("ible", ""),
    ("ment", ""),
    ("sion", "s"),
    ("tion", "t"),
    ("ant", ""),
    ("ent", ""),
    ("ism", ""),
    ("ate", ""),
    ("iti", ""),
    ("ous", ""),
    ("ive", ""),
    ("ize", ""),
    ("al", ""),
    ("er", ""),
    ("ic", ""),
    ("ou", ""),
];

/// The stem by Porter's second algorithm, Snowball's `english` (as published before Snowball 3).
pub fn porter2(word: &str) -> String {
    if word.len() <= 2 {
        return word.to_owned();
    }
    if let Some((_, stem)) = EXCEPTIONS.iter().find(|(whole, _)| *whole == word) {
        return (*stem).to_owned();
    }
    let mut w = Word::new(word.strip_prefix('\'').unwrap_or(word));
    // A `y` that stands for a consonant is written `Y`.
    w.second = true;
    w.mark_y();
    let (r1, r2) = w.regions();
    w.swap(&[("'s'", ""), ("'s", ""), ("'", "")], |_, _| true);
    match w.first(&["sses", "ied", "ies", "us", "ss", "s"]) {
        Some(("sses", _)) => w.cut_if("sses", "ss", true),
        Some((end @ ("ied" | "ies"), stem)) => {
            w.cut_if(end, if stem > 1 { "i" } else { "ie" }, true)
        }
        Some(("s", stem)) => w.cut_if("s", "", stem > 0 && w.has_vowel(stem - 1)),
        _ => {}
    }
    if STAY.contains(&w.text.as_str()) {
        return w.plain();
    }
    if let Some((end, stem)) = w.first(&["eedly", "ingly", "edly", "eed", "ing", "ed"]) {
        if end.starts_with("ee") {
            w.cut_if(end, "ee", stem >= r1);
        } else if w.has_vowel(stem) {
            w.cut_if(end, "", true);
            if w.first(&["at", "bl", "iz"]).is_some() {
                w.push('e');
            } else if w.doubled(w.len()) && w.ends(b"bdfgmnprt") {
                w.pop();
            } else if w.short_end(w.len()) && r1 >= w.len() {
                w.push('e');
            }
        }
    }
    if let Some((end, stem)) = w.first(&["y", "Y"]) {
        w.cut_if(end, "i", stem > 1 && w.consonant(stem - 1));
    }
    w.swap(SECOND_2, |w, stem| {
        let before = w.text.as_bytes().get(stem.wrapping_sub(1)).copied();
        let end = &w.text[stem..];
        stem >= r1
            && match end {
                "ogi" => before == Some(b'l'),
                "li" => before.is_some_and(|letter| b"cdeghkmnrt".contains(&letter)),
                _ => true,
            }
    });
    w.swap(THIRD_2, |w, stem| {
        stem >= if &w.text[stem..] == "ative" {
            r2.max(r1)
        } else {
            r1
        }
    });
    w.swap(FOURTH_2, |w, stem| match &w.text[stem..] {
        // What stays of it stands before the region.
        "sion" | "tion" => stem + 1 >= r2,
        _ => stem >= r2,
    });
    if let Some(stem) = w.stem("e") {
        w.cut_if("e", "", stem >= r2 || stem >= r1 && !w.short_end(stem));
    } else if let Some(stem) = w.stem("l") {
        w.cut_if("l", "", stem >= r2 && w.text[..stem].ends_with('l'));
    }
    w.plain()
}

const EXCEPTIONS: Rules = &[
    ("skis", "ski"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("idly", "idl"),
    ("gently", "gentl"),
    ("ugly", "ugli"),
    ("early", "earli"),
    ("only", "onli"),
    ("singly", "singl"),
    ("sky", "sky"),
    ("news", "news"),
    ("howe", "howe"),
    ("atlas", "atlas"),
    ("cosmos", "cosmos"),
    ("bias", "bias"),
    ("andes", "andes"),
];
const STAY: [&str; 8] = [
    "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
];
const SECOND_2: Rules = &[
    ("ational", "ate"),
    ("ization", "ize"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("tional", "tion"),
    ("biliti", "ble"),
    ("lessli", "less"),
    ("entli", "ent"),
    ("ation", "ate"),
    ("alism", "al"),
    ("aliti", "al"),
    ("ousli", "ous"),
    ("iviti", "ive"),
    ("fulli", "ful"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("abli", "able"),
    ("izer", "ize"),
    ("ator", "ate"),
    ("alli", "al"),
    ("bli", "ble"),
    ("ogi", "og"),
    ("li", ""),
];
const THIRD_2: Rules = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("alize", "al"),
    ("icate", "ic"),
    ("iciti", "ic"),
    ("ative", ""),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];
/// As in the first algorithm, but for its last rule.
const FOURTH_2: Rules = match FOURTH.split_last() {
    Some((_, rules)) => rules,
    None => &[],
};

/// A word that is being cut. A place in it is also the length of what stands before.
struct Word {
    text: String,
    /// By the rules of Porter's second algorithm.
    second: bool,
}

impl Word {
    fn new(word: &str) -> Word {
        Word {
            text: word.to_owned(),
            second: false,
        }
    }

    fn len(&self) -> usize {
        self.text.len()
    }

    fn push(&mut self, letter: char) {
        self.text.push(letter);
    }

    fn pop(&mut self) {
        self.text.pop();
    }

    /// Whether the last letter is one of these.
    fn ends(&self, letters: &[u8]) -> bool {
        let last = self.text.as_bytes().last();
        last.is_some_and(|last| letters.contains(last))
    }

    /// A `y` is a consonant at the start and after a vowel; in the second algorithm, where it is written `Y`.
    fn consonant(&self, at: usize) -> bool {
        match self.text.as_bytes()[at] {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' if self.second => false,
            b'y' => at == 0 || !self.consonant(at - 1),
            _ => true,
        }
    }

    fn has_vowel(&self, until: usize) -> bool {
        (0..until).any(|at| !self.consonant(at))
    }

    /// How many times a vowel is followed by a consonant: Porter's *m*.
    fn measure(&self, until: usize) -> usize {
        let pairs = (1..until).filter(|at| self.consonant(*at) && !self.consonant(at - 1));
        pairs.count()
    }

    /// Two equal consonants before a place.
    fn doubled(&self, until: usize) -> bool {
        let bytes = self.text.as_bytes();
        until > 1 && bytes[until - 1] == bytes[until - 2] && self.consonant(until - 1)
    }

    /// Consonant, vowel, consonant other than w, x and y before a place; in the second algorithm also vowel and consonant alone.
    fn short_end(&self, until: usize) -> bool {
        let bytes = self.text.as_bytes();
        let two = |until: usize| self.consonant(until - 1) && !self.consonant(until - 2);
        match until {
            0 | 1 => false,
            2 => self.second && two(2),
            _ => two(until) && self.consonant(until - 3) && !b"wxyY".contains(&bytes[until - 1]),
        }
    }

    /// Where this ending begins.
    fn stem(&self, end: &str) -> Option<usize> {
        self.text.ends_with(end).then(|| self.len() - end.len())
    }

    /// The first of these endings, and where it begins.
    fn first<'a>(&self, ends: &[&'a str]) -> Option<(&'a str, usize)> {
        ends.iter().find_map(|end| Some((*end, self.stem(end)?)))
    }

    fn cut_if(&mut self, end: &str, becomes: &str, holds: bool) {
        if holds {
            self.text.truncate(self.len() - end.len());
            self.text.push_str(becomes);
        }
    }

    /// The longest of these endings is replaced, if its condition holds; no shorter one is tried.
    fn swap(&mut self, rules: &[(&str, &str)], holds: impl Fn(&Word, usize) -> bool) {
        let fits = rules.iter().filter(|(end, _)| self.text.ends_with(end));
        if let Some((end, becomes)) = fits.max_by_key(|(end, _)| end.len()) {
            let holds = holds(self, self.len() - end.len());
            self.cut_if(end, becomes, holds);
        }
    }

    fn mark_y(&mut self) {
        let mut vowel = true;
        let mut marked = String::with_capacity(self.len());
        for letter in self.text.chars() {
            let consonant = letter == 'y' && vowel;
            marked.push(if consonant { 'Y' } else { letter });
            vowel = !consonant && "aeiouy".contains(letter) || (marked.is_empty());
        }
        self.text = marked;
    }

    /// Where the regions R1 and R2 begin.
    fn regions(&self) -> (usize, usize) {
        let after = |from: usize| {
            let pair = |at: &usize| self.consonant(*at) && !self.consonant(at - 1);
            (from + 1..self.len())
                .find(pair)
                .map_or(self.len(), |at| at + 1)
        };
        let starts = ["gener", "commun", "arsen"];
        let start = starts.iter().find(|start| self.text.starts_with(**start));
        let r1 = start.map_or_else(|| after(0), |start| start.len());
        (r1, after(r1))
    }

    fn plain(&self) -> String {
        self.text.replace('Y', "y")
    }
}

/// The word that a dictionary has for this one, if the list knows it; else the word itself.
pub fn lemma(word: &str) -> &str {
    let found = LEMMAS.iter().find(|(form, _)| *form == word);
    found.map_or(word, |(_, lemma)| lemma)
}

/// Forms and their lemmas: a dictionary in miniature.
const LEMMAS: Rules = &[
    ("am", "be"),
    ("are", "be"),
    ("been", "be"),
    ("being", "be"),
    ("is", "be"),
    ("was", "be"),
    ("were", "be"),
    ("best", "good"),
    ("better", "good"),
    ("bridges", "bridge"),
    ("brought", "bring"),
    ("came", "come"),
    ("children", "child"),
    ("dogs", "dog"),
    ("did", "do"),
    ("does", "do"),
    ("done", "do"),
    ("feet", "foot"),
    ("found", "find"),
    ("foxes", "fox"),
    ("gave", "give"),
    ("given", "give"),
    ("goes", "go"),
    ("gone", "go"),
    ("went", "go"),
    ("had", "have"),
    ("has", "have"),
    ("jumped", "jump"),
    ("jumping", "jump"),
    ("jumps", "jump"),
    ("knew", "know"),
    ("known", "know"),
    ("larger", "large"),
    ("largest", "large"),
    ("lazier", "lazy"),
    ("leaped", "leap"),
    ("leaping", "leap"),
    ("leaps", "leap"),
    ("leapt", "leap"),
    ("made", "make"),
    ("men", "man"),
    ("mice", "mouse"),
    ("quicker", "quick"),
    ("quickest", "quick"),
    ("ran", "run"),
    ("running", "run"),
    ("runs", "run"),
    ("said", "say"),
    ("saw", "see"),
    ("seen", "see"),
    ("summers", "summer"),
    ("took", "take"),
    ("taken", "take"),
    ("thought", "think"),
    ("times", "time"),
    ("troubled", "trouble"),
    ("troubles", "trouble"),
    ("troubling", "trouble"),
    ("universes", "universe"),
    ("universities", "university"),
    ("women", "woman"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn porters_own_examples() {
        for (word, stem) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("bled", "bled"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("filing", "file"),
            ("happy", "happi"),
            ("relational", "relat"),
            ("electriciti", "electr"),
            ("adoption", "adopt"),
            ("petition", "petit"),
            ("controll", "control"),
            ("quickly", "quickli"),
            ("university", "univers"),
            ("universe", "univers"),
            ("troubling", "troubl"),
        ] {
            assert_eq!(porter(word), stem, "{word}");
        }
    }

    #[test]
    fn snowballs_own_examples() {
        for (word, stem) in [
            ("consign", "consign"),
            ("consigned", "consign"),
            ("consistency", "consist"),
            ("consolatory", "consolatori"),
            ("consolingly", "consol"),
            ("knackeries", "knackeri"),
            ("knightly", "knight"),
            ("knots", "knot"),
            ("generate", "generat"),
            ("generally", "general"),
            ("quickly", "quick"),
            ("hopped", "hop"),
            ("ties", "tie"),
            ("cries", "cri"),
            ("gas", "gas"),
            ("gaps", "gap"),
            ("kiwis", "kiwi"),
            ("luxuriated", "luxuri"),
            ("hoped", "hope"),
            ("say", "say"),
            ("by", "by"),
            ("youth", "youth"),
            ("boyish", "boyish"),
            ("skies", "sky"),
            ("dying", "die"),
            ("succeed", "succeed"),
            ("adoption", "adopt"),
        ] {
            assert_eq!(porter2(word), stem, "{word}");
        }
    }

    #[test]
    fn nothing_that_is_written_breaks_a_stemmer() {
        for word in [
            "", "'", "y", "yy", "é", "'s", "ies", "ing", "eed", "ss", "e", "ll", "ion",
        ] {
            assert!(porter(word).len() <= word.len() + 1);
            assert!(porter2(word).len() <= word.len() + 1);
        }
        assert_eq!(lemma("troubling"), "trouble");
        assert_eq!(lemma("quickly"), "quickly");
    }
}
