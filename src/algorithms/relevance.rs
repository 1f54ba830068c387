//! Relevance: in which order found pages are shown. BM25 by their words, PageRank by the links to them.
//!
//! Sources: Robertson and Zaragoza, *The Probabilistic Relevance Framework*, 2009, with Lucene's idf, which is never below zero,
//! and the factor k₁ + 1, which Lucene dropped in version 8 because it changes no order; Page, Brin, Motwani and Winograd, *The
//! PageRank Citation Ranking*, 1999.

/// How soon further occurrences of a word count for less.
pub const K1: f64 = 1.2;
/// How much the length of a page counts, 0 to 1.
pub const B: f64 = 0.75;
/// The share of readers that follow a link rather than go anywhere.
pub const DAMPING: f64 = 0.85;

// region: bm25
/// How much a term tells that `df` of `pages` pages have.
pub fn idf(pages: u32, df: u32) -> f64 {
    let (n, df) = (f64::from(pages), f64::from(df));
    libm::log(1.0 + (n - df + 0.5) / (df + 0.5))
}

/// A term's share in the score of a page that has it `tf` times and is `length` terms long, where pages have `mean` of them.
pub fn bm25(idf: f64, tf: u32, length: u32, mean: f64) -> f64 {
    let (tf, length) = (f64::from(tf), f64::from(length));
    idf * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * length / mean.max(1.0)))
}
// endregion

/// The rank of each page after so many rounds; they sum to 1. `links` names for each page, from 0, those that it leads to; a page
/// without links leads to all alike.
pub fn page_rank(links: &[Vec<u32>], rounds: u32) -> Vec<f64> {
    let n = links.len() as f64;
    let mut ranks = vec![1.0 / n; links.len()];
    for _ in 0..rounds {
        let dead = links.iter().zip(&ranks).filter(|(to, _)| to.is_empty());
        let lost: f64 = dead.map(|(_, rank)| rank).sum();
        let mut next = vec![(1.0 - DAMPING + DAMPING * lost) / n; links.len()];
        for (to, rank) in links.iter().zip(&ranks) {
            for page in to {
                next[*page as usize] += DAMPING * rank / to.len() as f64;
            }
        }
        ranks = next;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_and_short_pages_weigh_more_and_repeats_less_and_less() {
        assert!(idf(1_000, 1) > idf(1_000, 10) && idf(10, 10) > 0.0);
        let score = |tf, length| bm25(1.0, tf, length, 10.0);
        assert!(score(1, 5) > score(1, 20));
        let (one, two, many) = (score(1, 10), score(2, 10), score(1_000, 10));
        assert!(two - one < one && many < K1 + 1.0 && many > two);
    }

    #[test]
    fn ranks_sum_to_one_and_many_links_make_a_page_important() {
        let links = vec![vec![1, 2], vec![2], vec![], vec![2, 0]];
        let ranks = page_rank(&links, 30);
        assert!((ranks.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(ranks.iter().all(|rank| *rank <= ranks[2]));
        // One more round changes next to nothing.
        let more = page_rank(&links, 31);
        assert!(ranks.iter().zip(&more).all(|(a, b)| (a - b).abs() < 1e-3));
        // Two pages that lead to each other are alike.
        assert_eq!(page_rank(&[vec![1], vec![0]], 5), [0.5, 0.5]);
    }
}
