//! Queueing theory in closed form: what a simulated queue must agree with when it runs for long.
//!
//! Arrivals are Poisson and queues first come, first served. Rates are per unit of time and times in
//! that unit, whichever it is. Formulas after Kleinrock, *Queueing Systems* I (1975), and Erlang
//! (1917). Every function answers `None` when an input is not finite and in range, or when the queue
//! would grow without bound.

/// The four long-run means of a queue, tied together by Little's law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// L: customers waiting or in service.
    pub in_system: f64,
    /// Lq: customers waiting.
    pub in_queue: f64,
    /// W: time from arrival to departure.
    pub time_in_system: f64,
    /// Wq: time from arrival to the start of service.
    pub time_in_queue: f64,
}

impl Means {
    fn from_wait(arrival_rate: f64, time_in_queue: f64, service_time: f64) -> Means {
        let time_in_system = time_in_queue + service_time;
        Means {
            in_system: little(arrival_rate, time_in_system),
            in_queue: little(arrival_rate, time_in_queue),
            time_in_system,
            time_in_queue,
        }
    }
}

/// Little's law, L = λW: how many are inside when they arrive at this rate and stay this long.
pub fn little(arrival_rate: f64, time_in_system: f64) -> f64 {
    arrival_rate * time_in_system
}

/// M/M/1: exponential service at one server.
pub fn mm1(arrival_rate: f64, service_rate: f64) -> Option<Means> {
    mg1(arrival_rate, positive(service_rate)?.recip(), 1.0)
}

/// M/D/1: every service takes the same time.
pub fn md1(arrival_rate: f64, service_time: f64) -> Option<Means> {
    mg1(arrival_rate, service_time, 0.0)
}

/// M/G/1 by Pollaczek and Khinchine: `squared_variation` is the variance of the service time over the
/// square of its mean; 0 is constant, 1 exponential, more is heavier.
pub fn mg1(arrival_rate: f64, service_time_mean: f64, squared_variation: f64) -> Option<Means> {
    let arrival_rate = not_negative(arrival_rate)?;
    let service_time_mean = positive(service_time_mean)?;
    let squared_variation = not_negative(squared_variation)?;
    let utilisation = stable(arrival_rate * service_time_mean)?;
    let wait =
        utilisation * service_time_mean * (1.0 + squared_variation) / (2.0 * (1.0 - utilisation));
    Some(Means::from_wait(arrival_rate, wait, service_time_mean))
}

/// The time in an M/M/1 system that a share `quantile` (0 to below 1) of customers stays under: that
/// time is exponential with rate μ − λ.
pub fn mm1_sojourn_quantile(arrival_rate: f64, service_rate: f64, quantile: f64) -> Option<f64> {
    let mean = mm1(arrival_rate, service_rate)?.time_in_system;
    (0.0..1.0)
        .contains(&quantile)
        .then(|| -libm::log1p(-quantile) * mean)
}

/// The time in queue of an M/M/c system that a share `quantile` (0 to below 1) of customers stays under:
/// who must wait at all waits exponentially, with rate cμ − λ.
pub fn mmc_wait_quantile(
    arrival_rate: f64,
    service_rate: f64,
    servers: u32,
    quantile: f64,
) -> Option<f64> {
    let queue = mmc(arrival_rate, service_rate, servers)?;
    let quantile = (0.0..1.0).contains(&quantile).then_some(quantile)?;
    let spare_rate = f64::from(servers) * service_rate - arrival_rate;
    let waits_longer = (1.0 - quantile) / queue.wait_probability;
    Some(if waits_longer < 1.0 {
        -libm::log(waits_longer) / spare_rate
    } else {
        0.0
    })
}

/// The chance that a customer of an M/M/c system is still in it after `time` (0 or more).
pub fn mmc_sojourn_beyond(
    arrival_rate: f64,
    service_rate: f64,
    servers: u32,
    time: f64,
) -> Option<f64> {
    let queue = mmc(arrival_rate, service_rate, servers)?;
    let (time, waits) = (not_negative(time)?, queue.wait_probability);
    let spare_rate = f64::from(servers) * service_rate - arrival_rate;
    let served = libm::exp(-service_rate * time);
    // Wait and service are independent exponentials; where their rates meet, so does the formula. It is
    // written from the slower of the two, or it would overflow.
    let gap = ((spare_rate - service_rate) * time).abs();
    let ratio = if gap < 1e-9 {
        1.0
    } else {
        -libm::expm1(-gap) / gap
    };
    let slower = libm::exp(-service_rate.min(spare_rate) * time);
    Some(served + waits * service_rate * time * slower * ratio)
}

/// The time in an M/M/c system that a share `quantile` (0 to below 1) of customers stays under.
pub fn mmc_sojourn_quantile(
    arrival_rate: f64,
    service_rate: f64,
    servers: u32,
    quantile: f64,
) -> Option<f64> {
    let quantile = (0.0..1.0).contains(&quantile).then_some(quantile)?;
    let beyond = |time| mmc_sojourn_beyond(arrival_rate, service_rate, servers, time);
    let mut high = mmc(arrival_rate, service_rate, servers)?
        .means
        .time_in_system;
    while beyond(high)? > 1.0 - quantile {
        high *= 2.0;
    }
    let mut low = 0.0;
    // Halving closes in until floats leave nothing between.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Some(middle);
        }
        if beyond(middle)? > 1.0 - quantile {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The chance of finding an M/M/1 system empty.
pub fn mm1_idle(arrival_rate: f64, service_rate: f64) -> Option<f64> {
    Some(1.0 - stable(not_negative(arrival_rate)? / positive(service_rate)?)?)
}

/// What M/M/c answers: one queue, `c` equal servers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiServer {
    /// The share of its time that each server is busy.
    pub utilisation: f64,
    /// Offered load in erlangs: servers busy on average.
    pub offered_erlangs: f64,
    /// Erlang C: the chance that an arrival must wait.
    pub wait_probability: f64,
    /// The long-run means.
    pub means: Means,
}

/// M/M/c: exponential service at `servers` servers that share one queue.
pub fn mmc(arrival_rate: f64, service_rate: f64, servers: u32) -> Option<MultiServer> {
    let arrival_rate = not_negative(arrival_rate)?;
    let service_rate = positive(service_rate)?;
    let offered_erlangs = arrival_rate / service_rate;
    let utilisation = stable(offered_erlangs / positive(f64::from(servers))?)?;
    let wait_probability = erlang_c(servers, offered_erlangs)?;
    let spare_rate = f64::from(servers) * service_rate - arrival_rate;
    Some(MultiServer {
        utilisation,
        offered_erlangs,
        wait_probability,
        means: Means::from_wait(
            arrival_rate,
            wait_probability / spare_rate,
            service_rate.recip(),
        ),
    })
}

/// Erlang C: the chance that all servers are busy when nobody is turned away.
pub fn erlang_c(servers: u32, erlangs: f64) -> Option<f64> {
    let utilisation = stable(not_negative(erlangs)? / positive(f64::from(servers))?)?;
    let blocking = erlang_b(servers, erlangs)?;
    Some(blocking / (1.0 - utilisation * (1.0 - blocking)))
}

/// Erlang B: the chance of being turned away when nobody may wait (M/M/c/c).
pub fn erlang_b(servers: u32, erlangs: f64) -> Option<f64> {
    let erlangs = not_negative(erlangs)?;
    // By recursion over the servers: the factorials of the direct form overflow at 171.
    Some((1..=servers).fold(1.0, |blocking, server| {
        erlangs * blocking / (f64::from(server) + erlangs * blocking)
    }))
}

/// The load in erlangs at which `servers` servers turn away the share `blocking` (above 0, below 1).
pub fn erlang_b_load(servers: u32, blocking: f64) -> Option<f64> {
    if servers == 0 || !(blocking > 0.0 && blocking < 1.0) {
        return None;
    }
    let too_much = |erlangs| erlang_b(servers, erlangs).is_some_and(|share| share > blocking);
    let (mut low, mut high) = (0.0, f64::from(servers));
    while !too_much(high) && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    // Blocking grows with load, so halving the interval closes in until floats leave nothing between.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Some(middle);
        }
        if too_much(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// What M/M/1/K answers: room for K customers in all, the rest turned away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// The share of arrivals turned away.
    pub loss: f64,
    /// Customers served per unit of time.
    pub throughput: f64,
    /// The long-run means, of those let in.
    pub means: Means,
}

/// M/M/1/K: one exponential server and room for `capacity` customers, the one in service included.
/// Any load is stable, as the excess is turned away. `None` without room or arrivals.
pub fn mm1k(arrival_rate: f64, service_rate: f64, capacity: u32) -> Option<Bounded> {
    let service_rate = positive(service_rate)?;
    let utilisation = positive(positive(arrival_rate)? / service_rate)?;
    if capacity == 0 {
        return None;
    }
    // The chance of k inside is in proportion to ρ^k; counting down from the likelier end keeps the
    // powers from overflowing.
    let ratio = utilisation.min(utilisation.recip());
    let (mut weight, mut total, mut weighted) = (1.0, 0.0, 0.0);
    for step in 0..=capacity {
        let inside = if utilisation > 1.0 {
            capacity - step
        } else {
            step
        };
        total += weight;
        weighted += weight * f64::from(inside);
        if step < capacity {
            weight *= ratio;
        }
    }
    let (full, empty) = if utilisation > 1.0 {
        (1.0, weight)
    } else {
        (weight, 1.0)
    };
    let loss = full / total;
    let in_system = weighted / total;
    let throughput = service_rate * (1.0 - empty / total);
    let time_in_system = in_system / throughput;
    let time_in_queue = time_in_system - service_rate.recip();
    Some(Bounded {
        loss,
        throughput,
        means: Means {
            in_system,
            in_queue: little(throughput, time_in_queue),
            time_in_system,
            time_in_queue,
        },
    })
}

/// What a closed loop answers: a fixed number of customers who come, are served, think, and come again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    /// X: customers served per unit of time.
    pub throughput: f64,
    /// The share of its time that each server is busy.
    pub utilisation: f64,
    /// W and L of the station, without those who think.
    pub means: Means,
}

/// The response time of a closed loop, from X·(W + Z) = N: `customers` who think `think_time` between
/// answer and next question, at this throughput. `None` if so few cannot cause so much.
pub fn closed_response_time(customers: f64, throughput: f64, think_time: f64) -> Option<f64> {
    let cycle = not_negative(customers)? / positive(throughput)?;
    not_negative(cycle - not_negative(think_time)?)
}

/// The throughput of a closed loop with this response time, from the same law.
pub fn closed_throughput(customers: f64, response_time: f64, think_time: f64) -> Option<f64> {
    let cycle = not_negative(response_time)? + not_negative(think_time)?;
    Some(not_negative(customers)? / positive(cycle)?)
}

/// How many customers a closed loop holds, from the same law.
pub fn closed_customers(throughput: f64, response_time: f64, think_time: f64) -> Option<f64> {
    let cycle = not_negative(response_time)? + not_negative(think_time)?;
    Some(not_negative(throughput)? * cycle)
}

/// The number of customers at which a closed loop begins to queue: (D + Z) ÷ the bottleneck's demand.
/// Below it, more customers mean more throughput; above, longer waits.
pub fn closed_saturation(demand: f64, bottleneck_demand: f64, think_time: f64) -> Option<f64> {
    let cycle = not_negative(demand)? + not_negative(think_time)?;
    Some(cycle / positive(bottleneck_demand)?)
}

/// The machine repairman (M/M/c//N): `customers` who think and are served exponentially, first come,
/// first served, at `servers` servers. Throughput may be 0 only without customers.
pub fn closed_loop(
    customers: u32,
    think_time: f64,
    service_time: f64,
    servers: u32,
) -> Option<Closed> {
    let (think, service) = (not_negative(think_time)?, positive(service_time)?);
    if servers == 0 {
        return None;
    }
    // From one number inside to the next: who thinks may come, who is served may go. The largest weight
    // is kept at 1, so that nothing overflows.
    let (mut weight, mut total, mut weighted, mut busy) = (1.0, 0.0, 0.0, 0.0);
    for inside in 0..=customers {
        let served = f64::from(inside.min(servers));
        if think == 0.0 && inside < customers {
            // Nobody thinks: everybody is inside.
            continue;
        }
        total += weight;
        weighted += weight * f64::from(inside);
        busy += weight * served;
        let next_served = f64::from((inside + 1).min(servers));
        weight *= f64::from(customers - inside) * service / (think * next_served);
        if weight > 1e200 {
            for sum in [&mut total, &mut weighted, &mut busy] {
                *sum /= weight;
            }
            weight = 1.0;
        }
    }
    let (in_system, busy) = (weighted / total, busy / total);
    let throughput = busy / service;
    let in_queue = in_system - busy;
    let per_customer = |number: f64| if busy > 0.0 { number / throughput } else { 0.0 };
    Some(Closed {
        throughput,
        utilisation: busy / f64::from(servers),
        means: Means {
            in_system,
            in_queue,
            time_in_system: per_customer(in_system),
            time_in_queue: per_customer(in_queue),
        },
    })
}

/// The supermarket model (Mitzenmacher 2001): mean time in system, in units of the mean service time,
/// when each arrival joins the shortest of `choices` queues drawn at random among infinitely many
/// servers, each loaded to `utilisation`. One choice is M/M/1.
pub fn supermarket(choices: u32, utilisation: f64) -> Option<f64> {
    let utilisation = stable(not_negative(utilisation)?)?;
    match choices {
        0 => None,
        1 => Some((1.0 - utilisation).recip()),
        _ => {
            let choices = f64::from(choices);
            let (mut sum, mut exponent) = (0.0, 0.0);
            loop {
                let term = libm::pow(utilisation, exponent);
                if sum + term == sum {
                    return Some(sum);
                }
                sum += term;
                exponent = choices * (exponent + 1.0);
            }
        }
    }
}

fn not_negative(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then_some(value)
}

fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

fn stable(utilisation: f64) -> Option<f64> {
    (utilisation < 1.0).then_some(utilisation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn the_models_agree_where_they_meet() {
        for load in [0.05, 0.5, 0.93] {
            let one = mm1(load, 1.0).unwrap();
            let many = mmc(load, 1.0, 1).unwrap();
            close(many.means.time_in_system, one.time_in_system);
            close(many.wait_probability, load);
            close(supermarket(1, load).unwrap(), one.time_in_system);
            close(
                md1(load, 1.0).unwrap().time_in_queue,
                one.time_in_queue / 2.0,
            );
            close(mm1_idle(load, 1.0).unwrap(), 1.0 - load);
            // A room that is never full might as well be infinite.
            let roomy = mm1k(load, 1.0, 2_000).unwrap();
            close(roomy.means.time_in_system, one.time_in_system);
            close(roomy.means.in_queue, one.in_queue);
        }
        close(mm1k(0.7, 1.0, 1).unwrap().loss, erlang_b(1, 0.7).unwrap());
    }

    #[test]
    fn the_bounded_queue_loses_what_it_does_not_serve() {
        for load in [0.2, 1.0, 1.3, 40.0] {
            for capacity in [1, 5, 900] {
                let queue = mm1k(load, 1.0, capacity).unwrap();
                close(queue.throughput, load * (1.0 - queue.loss));
            }
        }
    }

    #[test]
    fn blocking_and_load_are_inverse() {
        for servers in [1, 7, 300] {
            for share in [1e-6, 0.01, 0.5, 0.999] {
                let load = erlang_b_load(servers, share).unwrap();
                close(erlang_b(servers, load).unwrap(), share);
            }
        }
    }

    #[test]
    fn the_median_is_below_the_mean() {
        let median = mm1_sojourn_quantile(0.5, 1.0, 0.5).unwrap();
        close(median, 2.0 * core::f64::consts::LN_2);
    }

    #[test]
    fn percentiles_agree_where_models_meet() {
        for quantile in [0.0, 0.5, 0.99, 0.999] {
            close(
                mmc_sojourn_quantile(0.8, 1.0, 1, quantile).unwrap(),
                mm1_sojourn_quantile(0.8, 1.0, quantile).unwrap(),
            );
            // Rates of waiting and of service meet at λ = (c − 1)·μ.
            let near = mmc_sojourn_quantile(2.0 + 1e-7, 1.0, 3, quantile).unwrap();
            let at = mmc_sojourn_quantile(2.0, 1.0, 3, quantile).unwrap();
            assert!((near - at).abs() < 1e-5, "{near} {at}");
        }
        close(mmc_wait_quantile(0.8, 1.0, 1, 0.1).unwrap(), 0.0);
        close(
            mmc_wait_quantile(0.8, 1.0, 1, 0.9).unwrap(),
            libm::log(8.0) / 0.2,
        );
    }

    #[test]
    fn closed_loops_keep_their_law() {
        for customers in [1, 5, 40, 2_000] {
            for (think, servers) in [(4.0, 1), (4.0, 3), (0.001, 7), (0.0, 2)] {
                let closed = closed_loop(customers, think, 0.5, servers).unwrap();
                let law = closed.throughput * (closed.means.time_in_system + think);
                close(law, f64::from(customers));
                let response =
                    closed_response_time(f64::from(customers), closed.throughput, think).unwrap();
                assert!((response - closed.means.time_in_system).abs() < 1e-6 * response);
                assert!(closed.utilisation <= 1.0 + 1e-12);
            }
        }
        // One customer never waits; as many servers as customers are never short.
        close(closed_loop(1, 2.0, 3.0, 1).unwrap().throughput, 0.2);
        close(closed_loop(9, 2.0, 3.0, 9).unwrap().throughput, 9.0 / 5.0);
        assert_eq!(closed_loop(0, 2.0, 3.0, 1).unwrap().throughput, 0.0);
        close(closed_saturation(0.5, 0.5, 4.5).unwrap(), 10.0);
        close(closed_customers(2.0, 1.0, 4.0).unwrap(), 10.0);
        close(closed_throughput(10.0, 1.0, 4.0).unwrap(), 2.0);
    }

    #[test]
    fn what_has_no_answer_gets_none() {
        assert_eq!(closed_loop(3, 1.0, 0.0, 1), None);
        assert_eq!(closed_loop(3, 1.0, 1.0, 0), None);
        assert_eq!(closed_response_time(1.0, 2.0, 4.0), None);
        assert_eq!(closed_throughput(1.0, 0.0, 0.0), None);
        assert_eq!(mmc_sojourn_quantile(3.0, 1.0, 3, 0.5), None);
        assert_eq!(mmc_wait_quantile(1.0, 1.0, 3, 1.0), None);
        assert_eq!(mm1(1.0, 1.0), None);
        assert_eq!(mm1(-0.1, 1.0), None);
        assert_eq!(mm1(f64::NAN, 1.0), None);
        assert_eq!(mm1(0.5, 0.0), None);
        assert_eq!(mg1(0.5, 1.0, -1.0), None);
        assert_eq!(mmc(3.0, 1.0, 3), None);
        assert_eq!(mmc(0.0, 1.0, 0), None);
        assert_eq!(mm1k(0.5, 1.0, 0), None);
        assert_eq!(erlang_b(2, f64::INFINITY), None);
        assert_eq!(erlang_b_load(0, 0.5), None);
        assert_eq!(erlang_b_load(3, 1.0), None);
        assert_eq!(supermarket(0, 0.5), None);
        assert_eq!(supermarket(2, 1.0), None);
        assert_eq!(mm1_sojourn_quantile(0.5, 1.0, 1.0), None);
    }
}
