//! Outlier detection: what one caller learns of its hosts from nothing but its own calls, as Envoy does.
//!
//! A [`Detector`] belongs to one caller and is told how each call ended. It puts a host aside, *ejects* it, after so many failures
//! in a row, or at a sweep because its success rate lies far below that of its peers; but never more than a share of all hosts. A
//! host that was put aside comes back by itself at the first sweep after its time. Each time that it is put aside again it stays
//! out longer; each sweep that it is well takes one from that factor.
//!
//! Sources: Envoy, *Outlier detection* (`docs/root/intro/arch_overview/upstream/outlier.rst`, `outlier_detection.proto`) and
//! `outlier_detection_impl.cc`. That one host may be put aside however small the share allowed is, was so until 2023
//! (envoyproxy/envoy#27909, #34796); now it must be asked for (`always_eject_one_host`), and is not done here.

/// When a host is put aside, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Failures in a row that put a host aside; none to look at none.
    pub in_a_row: Option<u32>,
    /// The rule of the sweep; none for no such rule.
    pub success_rate: Option<SuccessRate>,
    /// How long a host stays out the first time; the second time twice as long, and so on.
    pub base_us: u64,
    /// It is never put aside for longer.
    pub max_us: u64,
    /// At most so many per cent of all hosts may be aside.
    pub max_percent: u32,
}

impl Default for Settings {
    /// As Envoy has it, with the rule of failures in a row alone.
    fn default() -> Settings {
        Settings {
            in_a_row: Some(5),
            success_rate: None,
            base_us: 30_000_000,
            max_us: 300_000_000,
            max_percent: 10,
        }
    }
}

/// Who is an outlier by its success rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessRate {
    /// With fewer hosts to judge nobody is judged.
    pub hosts_min: usize,
    /// A host with fewer requests since the last sweep is not judged.
    pub requests_min: u32,
    /// How many deviations below the mean the line is.
    pub deviations: f64,
}

impl Default for SuccessRate {
    fn default() -> SuccessRate {
        SuccessRate {
            hosts_min: 5,
            requests_min: 100,
            deviations: 1.9,
        }
    }
}

/// What a caller knows of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Failures with no success between.
    pub in_a_row: u32,
    /// Since when it is aside; none if it is not.
    pub aside_since: Option<u64>,
    /// How many times as long as at first it stays out, or would stay out less one.
    pub times: u32,
    /// Requests since the last sweep, and how many of them went well.
    pub requests: u32,
    /// See [`Host::requests`].
    pub well: u32,
}

/// What was found out about a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// It is put aside for so long.
    Aside {
        /// Which host.
        host: usize,
        /// How long it is out at least.
        span_us: u64,
        /// How many times in a row that it is.
        times: u32,
    },
    /// It would be put aside, but there are too many already.
    Spared {
        /// Which host.
        host: usize,
        /// How many would be aside then.
        would_be: u32,
    },
    /// Its success rate lies below the line. Whether it is put aside comes next.
    Odd {
        /// Which host.
        host: usize,
        /// Its success rate in per cent.
        rate: f64,
        /// The line.
        line: f64,
    },
    /// It is used again.
    Returns {
        /// Which host.
        host: usize,
    },
}

/// One caller's view of its hosts. A host keeps its place for as long as it is there; an empty place is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detector {
    hosts: Vec<Option<Host>>,
}

impl Detector {
    /// Hosts come and go: a place that was empty gets a host of which nothing is known yet.
    pub fn follow(&mut self, is_there: impl IntoIterator<Item = bool>) {
        let mut places = 0;
        for (place, there) in is_there.into_iter().enumerate() {
            places = place + 1;
            if self.hosts.len() < places {
                self.hosts.push(None);
            }
            let host = &mut self.hosts[place];
            match there {
                true => _ = host.get_or_insert_default(),
                false => *host = None,
            }
        }
        self.hosts.truncate(places);
    }

    /// What it knows of a host.
    pub fn host(&self, host: usize) -> Option<&Host> {
        self.hosts.get(host)?.as_ref()
    }

    /// Whether a host is there and not aside.
    pub fn is_well(&self, host: usize) -> bool {
        self.host(host).is_some_and(|it| it.aside_since.is_none())
    }

    /// How many are there.
    pub fn count(&self) -> u32 {
        self.hosts.iter().flatten().count() as u32
    }

    /// How many of them are aside.
    pub fn aside(&self) -> u32 {
        let aside = |host: &&Host| host.aside_since.is_some();
        self.hosts.iter().flatten().filter(aside).count() as u32
    }

    /// When a host may return: at the first sweep from then on.
    pub fn until(&self, host: usize, settings: &Settings) -> Option<u64> {
        let host = self.host(host)?;
        Some(host.aside_since? + span(host.times, settings))
    }

    // region: report
    /// A call to a host has ended. What was under way when it was put aside says nothing more about it.
    pub fn report(
        &mut self,
        host: usize,
        well: bool,
        settings: &Settings,
        now: u64,
    ) -> Option<Finding> {
        let it = self.hosts.get_mut(host)?.as_mut()?;
        it.requests += 1;
        if well {
            it.well += 1;
            it.in_a_row = 0;
            return None;
        }
        it.in_a_row += 1;
        if it.in_a_row < settings.in_a_row? || it.aside_since.is_some() {
            return None;
        }
        it.in_a_row = 0;
        Some(self.eject(host, settings, now))
    }
    // endregion

    // region: eject
    fn eject(&mut self, host: usize, settings: &Settings, now: u64) -> Finding {
        let would_be = self.aside() + 1;
        let count = self.count();
        match self.hosts.get_mut(host).and_then(Option::as_mut) {
            Some(it) if 100 * would_be <= settings.max_percent * count => {
                it.aside_since = Some(now);
                // The factor grows no further once the longest time is reached.
                if u64::from(it.times) * settings.base_us < settings.max_us + settings.base_us {
                    it.times += 1;
                }
                let times = it.times;
                let span_us = span(times, settings);
                Finding::Aside {
                    host,
                    span_us,
                    times,
                }
            }
            _ => Finding::Spared { host, would_be },
        }
    }
    // endregion

    // region: sweep
    /// What happens every few seconds: who has been out for long enough returns, who was well is forgiven a little, and success
    /// rates since the last sweep are compared.
    pub fn sweep(&mut self, settings: &Settings, now: u64) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut rates = Vec::new();
        for (host, it) in self.hosts.iter_mut().enumerate() {
            let Some(it) = it else { continue };
            let (requests, well) = (it.requests, it.well);
            (it.requests, it.well) = (0, 0);
            match it.aside_since {
                None => it.times = it.times.saturating_sub(1),
                Some(since) if now >= since + span(it.times, settings) => {
                    (it.aside_since, it.in_a_row) = (None, 0);
                    found.push(Finding::Returns { host });
                }
                Some(_) => continue,
            }
            let enough = |rule: SuccessRate| requests >= rule.requests_min.max(1);
            if settings.success_rate.is_some_and(enough) {
                rates.push((host, 100.0 * f64::from(well) / f64::from(requests)));
            }
        }
        let Some(rule) = settings.success_rate else {
            return found;
        };
        if rates.len() < rule.hosts_min.max(1) {
            return found;
        }
        let line = line(rates.iter().map(|(_, rate)| *rate), rule.deviations);
        for (host, rate) in rates {
            if rate < line {
                found.push(Finding::Odd { host, rate, line });
                found.push(self.eject(host, settings, now));
            }
        }
        found
    }
    // endregion
}

/// For how long a host is out whose factor is `times`.
pub fn span(times: u32, settings: &Settings) -> u64 {
    (settings.base_us * u64::from(times)).min(settings.max_us.max(settings.base_us))
}

// region: line
/// The line below which a success rate is odd: so many population deviations below the mean of all.
pub fn line(rates: impl Iterator<Item = f64> + Clone, deviations: f64) -> f64 {
    let count = rates.clone().count().max(1) as f64;
    let mean = rates.clone().sum::<f64>() / count;
    let variance = rates.map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / count;
    mean - deviations * variance.sqrt()
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn of(count: usize) -> Detector {
        let mut detector = Detector::default();
        detector.follow(vec![true; count]);
        detector
    }

    fn allowing(max_percent: u32) -> Settings {
        Settings {
            max_percent,
            ..Settings::default()
        }
    }

    /// Tells of failures in a row and returns what came of the last one.
    fn fail(
        detector: &mut Detector,
        host: usize,
        many: u32,
        at: &Settings,
        now: u64,
    ) -> Option<Finding> {
        (0..many)
            .map(|_| detector.report(host, false, at, now))
            .last()?
    }

    #[test]
    fn five_failures_in_a_row_put_a_host_aside_and_a_success_starts_the_count_again() {
        let (mut detector, at) = (of(5), allowing(20));
        assert_eq!(fail(&mut detector, 2, 4, &at, 0), None);
        assert_eq!(detector.report(2, true, &at, 0), None);
        assert_eq!(fail(&mut detector, 2, 4, &at, 0), None);
        let found = fail(&mut detector, 2, 1, &at, 7);
        let aside = Finding::Aside {
            host: 2,
            span_us: 30 * SECOND,
            times: 1,
        };
        assert_eq!(found, Some(aside));
        // What was still under way counts no second time.
        assert_eq!(fail(&mut detector, 2, 9, &at, 8), None);
        assert_eq!((detector.aside(), detector.is_well(2)), (1, false));
    }

    #[test]
    fn a_tenth_of_five_is_none_and_of_ten_is_one() {
        for (hosts, percent, allowed) in [
            (5, 10, 0),
            (5, 19, 0),
            (5, 20, 1),
            (10, 10, 1),
            (1, 20, 0),
            (1, 100, 1),
            (5, 100, 5),
        ] {
            let (mut detector, at) = (of(hosts), allowing(percent));
            for host in 0..hosts {
                let found = fail(&mut detector, host, 5, &at, 0);
                match found {
                    Some(Finding::Aside { .. }) => assert!(host < allowed),
                    Some(Finding::Spared { would_be, .. }) => {
                        assert!(host >= allowed);
                        assert_eq!(would_be as usize, allowed + 1);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(detector.aside() as usize, allowed, "{percent} % of {hosts}");
        }
    }

    #[test]
    fn a_host_that_is_spared_is_counted_anew() {
        let (mut detector, at) = (of(5), allowing(10));
        let spared = Some(Finding::Spared {
            host: 0,
            would_be: 1,
        });
        for _ in 0..3 {
            assert_eq!(fail(&mut detector, 0, 4, &at, 0), None);
            assert_eq!(fail(&mut detector, 0, 1, &at, 0), spared);
        }
    }

    #[test]
    fn it_returns_at_the_first_sweep_after_its_time_and_stays_longer_each_time() {
        let (mut detector, at) = (of(5), allowing(20));
        let mut now = 0;
        for times in 1..=12 {
            let found = fail(&mut detector, 1, 5, &at, now);
            let span_us = (30 * SECOND * times).min(300 * SECOND);
            assert!(matches!(found, Some(Finding::Aside { span_us: it, .. }) if it == span_us));
            assert_eq!(detector.until(1, &at), Some(now + span_us));
            assert!(detector.sweep(&at, now + span_us - 1).is_empty());
            now += span_us;
            assert_eq!(detector.sweep(&at, now), [Finding::Returns { host: 1 }]);
        }
        // Eleven times is where the factor ends; as many sweeps in health forgive all of it.
        assert_eq!(detector.host(1).map(|it| it.times), Some(11));
        for _ in 0..11 {
            assert!(detector.sweep(&at, now).is_empty());
        }
        assert_eq!(detector.host(1).map(|it| it.times), Some(0));
    }

    #[test]
    fn one_odd_one_among_n_stands_at_the_root_of_n_less_one() {
        for (sick, hosts, distance) in [
            (1, 5, 2.0),
            (1, 4, 3_f64.sqrt()),
            (2, 5, 1.5_f64.sqrt()),
            (2, 10, 2.0),
        ] {
            let rates = (0..hosts).map(|host| if host < sick { 80.0 } else { 100.0 });
            let mean = line(rates.clone(), 0.0);
            let deviation = mean - line(rates, 1.0);
            assert!(((mean - 80.0) / deviation - distance).abs() < 1e-12);
        }
    }

    #[test]
    fn the_sweep_finds_one_sick_host_of_five_and_neither_of_two() {
        let at = Settings {
            in_a_row: None,
            success_rate: Some(SuccessRate {
                requests_min: 20,
                ..SuccessRate::default()
            }),
            ..allowing(40)
        };
        for (sick, found) in [(1, 1), (2, 0)] {
            let mut detector = of(5);
            for host in 0..5 {
                for call in 0..30 {
                    assert_eq!(
                        detector.report(host, host >= sick || call % 5 > 0, &at, 0),
                        None
                    );
                }
            }
            detector.sweep(&at, SECOND);
            assert_eq!(detector.aside(), found, "{sick} sick");
        }
        // Too few requests, too few hosts.
        for (hosts, calls) in [(5, 19), (4, 30)] {
            let mut detector = of(hosts);
            for host in 0..hosts {
                (0..calls).for_each(|_| _ = detector.report(host, host > 0, &at, 0));
            }
            assert!(detector.sweep(&at, SECOND).is_empty());
        }
    }

    #[test]
    fn a_host_that_goes_while_it_is_aside_is_forgotten() {
        let (mut detector, at) = (of(5), allowing(20));
        fail(&mut detector, 4, 5, &at, 0);
        detector.follow([true, true, true, true, false]);
        assert_eq!((detector.aside(), detector.count()), (0, 4));
        assert_eq!(detector.report(4, false, &at, 0), None);
        detector.follow([true; 5]);
        assert_eq!(detector.host(4), Some(&Host::default()));
    }
}
