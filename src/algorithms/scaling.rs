//! Laws of scale: what more machines bring, what fan-out costs, and what redundancy saves.
//!
//! Sources: Amdahl (1967), Gustafson (1988), Gunther's Universal Scalability Law (*Guerrilla Capacity
//! Planning*), Dean and Barroso, "The Tail at Scale" (CACM 2013), order statistics, and the arithmetic
//! of independent failures. Shares and chances are 0 to 1. Every function answers `None` when an input
//! is not finite and in range.

/// Seconds in a year of 365.25 days.
pub const YEAR_S: f64 = 31_557_600.0;

fn share(value: f64) -> Option<f64> {
    (0.0..=1.0).contains(&value).then_some(value)
}

fn not_negative(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then_some(value)
}

fn positive(value: f64) -> Option<f64> {
    not_negative(value).filter(|&value| value > 0.0)
}

/// Amdahl's law: how much faster `workers` (above 0) do a job of which this share can be shared out.
pub fn amdahl(parallel_share: f64, workers: f64) -> Option<f64> {
    let parallel_share = share(parallel_share)?;
    Some(1.0 / (1.0 - parallel_share + parallel_share / positive(workers)?))
}

/// Its limit for ever more workers; infinite if all of the job can be shared out.
pub fn amdahl_limit(parallel_share: f64) -> Option<f64> {
    Some(1.0 / (1.0 - share(parallel_share)?))
}

/// Gustafson's law: how much more `workers` do in the same time if the part that can be shared out
/// grows with them.
pub fn gustafson(parallel_share: f64, workers: f64) -> Option<f64> {
    let parallel_share = share(parallel_share)?;
    Some(1.0 - parallel_share + parallel_share * positive(workers)?)
}

// region: usl
/// The Universal Scalability Law: capacity of `workers` relative to one, with contention `sigma`
/// (waiting for what is shared) and coherency `kappa` (agreeing, pair by pair), both 0 or more.
pub fn usl(sigma: f64, kappa: f64, workers: f64) -> Option<f64> {
    let (sigma, kappa) = (not_negative(sigma)?, not_negative(kappa)?);
    let workers = positive(workers)?;
    let load = 1.0 + sigma * (workers - 1.0) + kappa * workers * (workers - 1.0);
    // Below one worker the law may have no positive value.
    (load > 0.0).then(|| workers / load)
}
// endregion

/// The number of workers at which its capacity peaks: `√((1 − σ) / κ)`. `None` if it never does, as
/// without coherency, or if it falls from the first worker on (σ ≥ 1).
pub fn usl_peak(sigma: f64, kappa: f64) -> Option<f64> {
    let (sigma, kappa) = (not_negative(sigma)?, positive(kappa)?);
    (sigma < 1.0).then(|| ((1.0 - sigma) / kappa).sqrt())
}

/// The chance that at least one of `fanout` independent calls is slow if each is with chance `slow`.
pub fn any_slow(fanout: u32, slow: f64) -> Option<f64> {
    let slow = share(slow)?;
    if fanout == 0 {
        return Some(0.0);
    }
    // In logarithms, or rare events drown in the rounding of 1 − p.
    Some(-libm::expm1(f64::from(fanout) * log1m(slow)))
}

/// How rarely each of `fanout` calls may be slow if all of them together may be with chance `any`.
pub fn slow_allowed(fanout: u32, any: f64) -> Option<f64> {
    Some(-libm::expm1(
        log1m(share(any)?) / positive(f64::from(fanout))?,
    ))
}

/// `ln(1 − p)`; minus infinity for a certain event is right here.
fn log1m(chance: f64) -> f64 {
    if chance >= 1.0 {
        f64::NEG_INFINITY
    } else {
        libm::log1p(-chance)
    }
}

/// The harmonic number 1 + 1/2 + … + 1/n.
pub fn harmonic(n: u32) -> f64 {
    // From the small end, so that small terms are not lost.
    (1..=n).rev().map(|k| 1.0 / f64::from(k)).sum()
}

/// The mean of the `k`-th fastest of `n` independent exponential times of mean 1: `Hₙ − Hₙ₋ₖ`.
pub fn order_mean(k: u32, n: u32) -> Option<f64> {
    if k == 0 || k > n {
        return None;
    }
    Some((n - k + 1..=n).rev().map(|j| 1.0 / f64::from(j)).sum())
}

/// The time that the slowest of `n` exponential times of mean 1 stays under with chance `quantile`
/// (0 to below 1).
pub fn slowest_quantile(n: u32, quantile: f64) -> Option<f64> {
    let quantile = share(quantile).filter(|&q| q < 1.0)?;
    let each = libm::pow(quantile, 1.0 / positive(f64::from(n))?);
    Some(-log1m(each))
}

/// The time that the fastest of `n` such times stays under with chance `quantile`.
pub fn fastest_quantile(n: u32, quantile: f64) -> Option<f64> {
    let quantile = share(quantile).filter(|&q| q < 1.0)?;
    Some(-log1m(quantile) / positive(f64::from(n))?)
}

/// The chance that at least `need` of `nodes` independent nodes are up.
pub fn k_of_n(node: f64, need: u32, nodes: u32) -> Option<f64> {
    let up = share(node)?;
    if need > nodes {
        return Some(0.0);
    }
    // One node after the other: the chance of each number of nodes up, with no factorial to overflow.
    let mut chances = vec![0.0; nodes as usize + 1];
    chances[0] = 1.0;
    for node in 0..nodes as usize {
        for ups in (0..=node).rev() {
            let here = chances[ups];
            chances[ups] = here * (1.0 - up);
            chances[ups + 1] += here * up;
        }
    }
    // What is rarer is summed first.
    let enough = chances[need as usize..].iter().rev();
    Some(enough.sum::<f64>().min(1.0))
}

/// The availability of what needs all its parts.
pub fn in_series(parts: &[f64]) -> Option<f64> {
    parts
        .iter()
        .try_fold(1.0, |all, &part| Some(all * share(part)?))
}

/// The availability of what needs any one of its parts.
pub fn in_parallel(parts: &[f64]) -> Option<f64> {
    let none = (parts.iter()).try_fold(1.0, |none, &part| Some(none * (1.0 - share(part)?)))?;
    Some(1.0 - none)
}

/// Up for so long, down for so long: MTBF over MTBF + MTTR.
pub fn availability(up_mean: f64, down_mean: f64) -> Option<f64> {
    let (up, down) = (not_negative(up_mean)?, not_negative(down_mean)?);
    positive(up + down).map(|cycle| up / cycle)
}

/// How long it is down in a time of this length.
pub fn downtime(availability: f64, length: f64) -> Option<f64> {
    Some((1.0 - share(availability)?) * not_negative(length)?)
}

/// The same in seconds a year.
pub fn downtime_year_s(availability: f64) -> Option<f64> {
    downtime(availability, YEAR_S)
}

/// How many times the work of one machine `machines` do if each repeats every write: reads are shared
/// out, writes are not, which is Amdahl's law with the reads as the share that can be.
pub fn replicated_capacity(write_share: f64, machines: f64) -> Option<f64> {
    amdahl(1.0 - share(write_share)?, machines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) {
        let a = a.expect("an answer");
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{a} is not {b}");
    }

    #[test]
    fn the_laws_agree_where_they_meet() {
        for workers in [1.0, 7.0, 500.0] {
            close(amdahl(0.9, workers), usl(0.1, 0.0, workers).unwrap());
            close(amdahl(1.0, workers), workers);
            close(amdahl(0.0, workers), 1.0);
            close(
                replicated_capacity(0.1, workers),
                workers / (0.9 + 0.1 * workers),
            );
        }
        close(amdahl_limit(0.75), 4.0);
        assert_eq!(amdahl_limit(1.0), Some(f64::INFINITY));
        close(gustafson(0.5, 9.0), 5.0);
        let peak = usl_peak(0.05, 0.02).unwrap();
        let at = |n| usl(0.05, 0.02, n).unwrap();
        assert!(at(peak) > at(peak - 0.1) && at(peak) > at(peak + 0.1));
    }

    #[test]
    fn fan_out_waits_for_the_slowest() {
        close(
            any_slow(7, 0.01),
            1.0 - 0.99_f64 * 0.99 * 0.99 * 0.99 * 0.99 * 0.99 * 0.99,
        );
        close(any_slow(10, 1e-18), 1e-17);
        assert_eq!(any_slow(0, 1.0), Some(0.0));
        close(any_slow(3, 1.0), 1.0);
        close(slow_allowed(100, any_slow(100, 0.003).unwrap()), 0.003);
        close(order_mean(7, 7), harmonic(7));
        close(order_mean(1, 7), 1.0 / 7.0);
        close(slowest_quantile(1, 0.5), core::f64::consts::LN_2);
        close(fastest_quantile(10, 0.5), core::f64::consts::LN_2 / 10.0);
    }

    #[test]
    fn redundancy_multiplies_failures_away() {
        close(k_of_n(0.9, 1, 2), 0.99);
        close(k_of_n(0.9, 2, 2), 0.81);
        close(k_of_n(0.5, 0, 3), 1.0);
        close(k_of_n(0.99, 1, 1_000), 1.0);
        close(k_of_n(0.5, 500, 1_000), 0.5126125090891804);
        assert_eq!(k_of_n(0.9, 3, 2), Some(0.0));
        close(in_series(&[0.99, 0.9]), 0.891);
        close(in_parallel(&[0.99, 0.9]), 0.999);
        close(in_series(&[]), 1.0);
        close(availability(999.0, 1.0), 0.999);
        close(downtime_year_s(0.0), YEAR_S);
    }

    #[test]
    fn what_has_no_answer_gets_none() {
        assert_eq!(amdahl(1.1, 2.0), None);
        assert_eq!(amdahl(0.5, 0.0), None);
        assert_eq!(usl(-0.1, 0.0, 2.0), None);
        assert_eq!(usl_peak(0.1, 0.0), None);
        assert_eq!(usl_peak(1.0, 0.1), None);
        assert_eq!(any_slow(3, f64::NAN), None);
        assert_eq!(order_mean(0, 3), None);
        assert_eq!(order_mean(4, 3), None);
        assert_eq!(slowest_quantile(3, 1.0), None);
        assert_eq!(slowest_quantile(0, 0.5), None);
        assert_eq!(k_of_n(-0.1, 1, 2), None);
        assert_eq!(in_series(&[2.0]), None);
        assert_eq!(availability(0.0, 0.0), None);
        assert_eq!(downtime(0.5, f64::INFINITY), None);
    }
}
