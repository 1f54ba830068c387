//! How long an HTTP cache may use an answer: what may be stored, when it is fresh, when stale will do.
//!
//! Sources: RFC 9111 (HTTP caching: sections 3, 4.2 and 5.2) and RFC 5861 (`stale-while-revalidate`,
//! `stale-if-error`). Header fields speak in whole seconds, clocks in microseconds since any one moment.

const SECOND_US: u64 = 1_000_000;
/// What a larger number of seconds counts as (RFC 9111, section 1.2.2).
pub const SECONDS_MAX: u64 = 1 << 31;

/// The directives of Cache-Control in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// Not to be stored.
    pub no_store: bool,
    /// To be validated before each use.
    pub no_cache: bool,
    /// Not for shared caches.
    pub private: bool,
    /// For shared caches, even where they would not dare.
    pub public: bool,
    /// Never to be used stale.
    pub must_revalidate: bool,
    /// Never to be used stale by shared caches.
    pub proxy_revalidate: bool,
    /// Its lifetime. A value that is no number counts as 0: stale.
    pub max_age_s: Option<u64>,
    /// Its lifetime in shared caches.
    pub s_maxage_s: Option<u64>,
    /// For how long it may be used stale while it is validated behind.
    pub stale_while_revalidate_s: Option<u64>,
    /// For how long it may be used stale if the origin fails.
    pub stale_if_error_s: Option<u64>,
}

impl Directives {
    /// Reads the field's value; of a directive that comes twice, the first holds. Unknown ones are
    /// ignored, names may be in any case. `no-cache` and `private` that name fields count in full, which
    /// is never wrong.
    pub fn parse(field: &str) -> Directives {
        let mut directives = Directives::default();
        for part in split_list(field) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let seconds = || Some(seconds(value));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" => directives.no_store = true,
                "no-cache" => directives.no_cache = true,
                "private" => directives.private = true,
                "public" => directives.public = true,
                "must-revalidate" => directives.must_revalidate = true,
                "proxy-revalidate" => directives.proxy_revalidate = true,
                "max-age" => directives.max_age_s = directives.max_age_s.or_else(seconds),
                "s-maxage" => directives.s_maxage_s = directives.s_maxage_s.or_else(seconds),
                "stale-while-revalidate" => {
                    let held = directives.stale_while_revalidate_s;
                    directives.stale_while_revalidate_s = held.or_else(seconds);
                }
                "stale-if-error" => {
                    let held = directives.stale_if_error_s;
                    directives.stale_if_error_s = held.or_else(seconds);
                }
                _ => {}
            }
        }
        directives
    }
}

/// The parts of a list, whose commas do not count within quotation marks.
fn split_list(field: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    field.split(move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

fn seconds(value: &str) -> u64 {
    let digits = value.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    // Only a number too large is left to fail.
    digits.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX)
}

/// An answer as it came, with the clock's readings about it. Times of the header fields are those of the
/// origin's clock, the others of the cache's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Cache-Control.
    pub directives: Directives,
    /// Age, from the caches that it passed.
    pub age_s: u64,
    /// Date, if it had one.
    pub date_us: Option<u64>,
    /// Expires, if it had one; a time that cannot be read is `Some(0)`: long past.
    pub expires_us: Option<u64>,
    /// Last-Modified, if it had one.
    pub last_modified_us: Option<u64>,
    /// When the request for it left.
    pub requested_us: u64,
    /// When it arrived.
    pub received_us: u64,
}

/// What a cache may do with a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Use it.
    Fresh,
    /// Use it and validate it behind.
    WhileRevalidate,
    /// Validate it first; if the origin fails, it may be used after all.
    UnlessError,
    /// Validate it first, and never use it without.
    Validate,
}

/// Statuses whose answers have a lifetime even if they do not say so (RFC 9110, section 15.1).
pub fn is_heuristically_cacheable(status: u16) -> bool {
    const STATUSES: [u16; 12] = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];
    STATUSES.contains(&status)
}

impl Response {
    /// Whether a cache may store it, as an answer to a GET. `authorized` says that the request had an
    /// Authorization field.
    pub fn may_store(&self, shared: bool, authorized: bool) -> bool {
        let directives = &self.directives;
        let s_maxage = shared && directives.s_maxage_s.is_some();
        let allowed = !authorized
            || !shared
            || directives.must_revalidate
            || directives.public
            || directives.s_maxage_s.is_some();
        let lives = directives.public
            || directives.private && !shared
            || self.expires_us.is_some()
            || directives.max_age_s.is_some()
            || s_maxage
            || is_heuristically_cacheable(self.status);
        // Informational answers are not final; 206 and 304 need more than is known here.
        self.status >= 200
            && self.status != 304
            && !directives.no_store
            && !(shared && directives.private)
            && allowed
            && lives
    }

    /// The lifetime that it says it has: `s-maxage` for shared caches, else `max-age`, else Expires − Date.
    pub fn explicit_lifetime_us(&self, shared: bool) -> Option<u64> {
        let seconds = (self.directives.s_maxage_s.filter(|_| shared)).or(self.directives.max_age_s);
        if let Some(seconds) = seconds {
            return Some(seconds.saturating_mul(SECOND_US));
        }
        let date_us = self.date_us.unwrap_or(self.received_us);
        Some(self.expires_us?.saturating_sub(date_us))
    }

    /// Its lifetime; if it says none, a tenth of its age when it was sent, as is customary, where the
    /// status or `public` permits.
    pub fn lifetime_us(&self, shared: bool) -> u64 {
        self.explicit_lifetime_us(shared).unwrap_or_else(|| {
            let may_guess = is_heuristically_cacheable(self.status) || self.directives.public;
            let date_us = self.date_us.unwrap_or(self.received_us);
            let unchanged_us = self.last_modified_us.map(|at| date_us.saturating_sub(at));
            unchanged_us.filter(|_| may_guess).unwrap_or(0) / 10
        })
    }

    /// How old it was on arrival: the larger of what the clocks say and what it carried, the latter with
    /// the whole time of the request, since nobody knows which half of it was the way back.
    pub fn initial_age_us(&self) -> u64 {
        let apparent_us =
            (self.date_us).map_or(0, |date_us| self.received_us.saturating_sub(date_us));
        let delay_us = self.received_us.saturating_sub(self.requested_us);
        let carried_us = self.age_s.saturating_mul(SECOND_US);
        apparent_us.max(carried_us.saturating_add(delay_us))
    }

    /// How old it is.
    pub fn age_us(&self, now_us: u64) -> u64 {
        let here_us = now_us.saturating_sub(self.received_us);
        self.initial_age_us().saturating_add(here_us)
    }

    /// The Age field to send along: whole seconds.
    pub fn age_s(&self, now_us: u64) -> u64 {
        (self.age_us(now_us) / SECOND_US).min(SECONDS_MAX)
    }

    /// Whether its lifetime is longer than its age. At exactly its end it is not.
    pub fn is_fresh(&self, now_us: u64, shared: bool) -> bool {
        self.lifetime_us(shared) > self.age_us(now_us)
    }

    // region: use
    /// What a cache may do with it. `purged` marks it stale whatever its age.
    pub fn use_at(&self, now_us: u64, shared: bool, purged: bool) -> Use {
        let directives = &self.directives;
        if directives.no_cache {
            return Use::Validate;
        }
        if !purged && self.is_fresh(now_us, shared) {
            return Use::Fresh;
        }
        // RFC 5861 gives a licence of its own: who sends it beside s-maxage means it.
        if directives.must_revalidate || shared && directives.proxy_revalidate {
            return Use::Validate;
        }
        let stale_us = self.age_us(now_us).saturating_sub(self.lifetime_us(shared));
        let within = |allowed_s: Option<u64>| {
            allowed_s.is_some_and(|s| stale_us < s.saturating_mul(SECOND_US))
        };
        if within(directives.stale_while_revalidate_s) {
            Use::WhileRevalidate
        } else if within(directives.stale_if_error_s) {
            Use::UnlessError
        } else if shared && directives.s_maxage_s.is_some() || directives.stale_if_error_s.is_some()
        {
            Use::Validate
        } else {
            // Without a word against it, an answer may be used when the origin cannot be reached.
            Use::UnlessError
        }
    }
    // endregion
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = SECOND_US;

    fn response(cache_control: &str) -> Response {
        Response {
            status: 200,
            directives: Directives::parse(cache_control),
            date_us: Some(1_000 * S),
            requested_us: 1_000 * S,
            received_us: 1_001 * S,
            ..Response::default()
        }
    }

    #[test]
    fn directives_are_read_as_they_are_written() {
        let read = Directives::parse(
            "Max-Age=60, max-age=5 , S-MAXAGE=\"9\", x=1,no-cache=\"a, private\"",
        );
        assert_eq!((read.max_age_s, read.s_maxage_s), (Some(60), Some(9)));
        assert!(read.no_cache && !read.private);
        let odd = Directives::parse("max-age=-1, s-maxage=99999999999999999999, stale-if-error");
        assert_eq!(odd.max_age_s, Some(0));
        assert_eq!(odd.s_maxage_s, Some(SECONDS_MAX));
        assert_eq!(odd.stale_if_error_s, Some(0));
        assert_eq!(Directives::parse(""), Directives::default());
    }

    #[test]
    fn age_is_carried_on_and_ends_exactly() {
        let mut answer = response("s-maxage=60, max-age=5");
        assert_eq!(answer.lifetime_us(true), 60 * S);
        assert_eq!(answer.lifetime_us(false), 5 * S);
        assert_eq!(answer.initial_age_us(), S);
        assert!(answer.is_fresh(1_060 * S - 1, true));
        assert!(!answer.is_fresh(1_060 * S, true));
        answer.age_s = 40;
        assert_eq!(
            answer.initial_age_us(),
            41 * S,
            "the time of the request is added"
        );
        answer.date_us = Some(900 * S);
        assert_eq!(answer.initial_age_us(), 101 * S, "the clocks say more");
        assert_eq!(answer.age_s(1_002 * S + 1), 102);
    }

    #[test]
    fn without_a_word_a_tenth_of_the_time_unchanged() {
        let mut answer = response("");
        assert_eq!(answer.lifetime_us(true), 0);
        answer.last_modified_us = Some(500 * S);
        assert_eq!(answer.lifetime_us(true), 50 * S);
        answer.status = 302;
        assert_eq!(answer.lifetime_us(true), 0);
        answer.expires_us = Some(1_030 * S);
        assert_eq!(answer.lifetime_us(true), 30 * S);
        answer.expires_us = Some(0);
        assert_eq!(answer.lifetime_us(true), 0);
    }

    #[test]
    fn what_may_be_stored_depends_on_who_stores() {
        let may = |field, shared, authorized| response(field).may_store(shared, authorized);
        assert!(may("", true, false));
        assert!(!may("no-store, public", false, false));
        assert!(!may("private", true, false) && may("private", false, false));
        assert!(!may("max-age=9", true, true) && may("max-age=9", false, true));
        assert!(may("s-maxage=9", true, true) && may("public", true, true));
        let mut odd = response("s-maxage=9");
        odd.status = 302;
        assert!(odd.may_store(true, false) && !odd.may_store(false, false));
        odd.status = 103;
        assert!(!odd.may_store(true, false));
    }

    #[test]
    fn stale_answers_are_used_as_far_as_they_allow() {
        let at = |field, s, purged| response(field).use_at((1_000 + s) * S, true, purged);
        let field = "max-age=10, stale-while-revalidate=5, stale-if-error=20";
        assert_eq!(at(field, 9, false), Use::Fresh);
        assert_eq!(at(field, 9, true), Use::WhileRevalidate);
        assert_eq!(at(field, 10, false), Use::WhileRevalidate);
        assert_eq!(at(field, 15, false), Use::UnlessError);
        assert_eq!(at(field, 30, false), Use::Validate);
        assert_eq!(
            at("max-age=10, must-revalidate, stale-if-error=9", 10, false),
            Use::Validate
        );
        assert_eq!(at("max-age=10, no-cache", 1, false), Use::Validate);
        assert_eq!(at("s-maxage=10", 10, false), Use::Validate);
        assert_eq!(
            at("s-maxage=10, stale-while-revalidate=9", 10, false),
            Use::WhileRevalidate
        );
        assert_eq!(at("max-age=10", 10, false), Use::UnlessError);
        assert_eq!(at("max-age=10", u64::MAX / S / 2, false), Use::UnlessError);
    }
}
