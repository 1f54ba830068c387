//! Routing at a gateway: which rule a request meets, by host, path, method, headers and query.
//!
//! A prefix goes element by element: `/product` takes `/product/7`, never `/products`, and a slash at
//! its end changes nothing. Of several rules that match, the more specific wins. Sources: Kubernetes
//! "Ingress" (path types, host wildcards) and the Gateway API's HTTPRoute (order of precedence).

use std::cmp::Reverse;

/// How a rule looks at the path. Case counts, and nothing is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// The whole path, every slash included.
    Exact(String),
    /// Its first elements.
    Prefix(String),
}

impl PathMatch {
    /// The path that the rule was written with.
    pub fn path(&self) -> &str {
        match self {
            PathMatch::Exact(path) | PathMatch::Prefix(path) => path,
        }
    }

    /// Whether a request's path, without query, matches.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            PathMatch::Exact(exact) => path == exact,
            PathMatch::Prefix(prefix) => {
                let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// How many labels the star of `*.example.org` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcard {
    /// Exactly one (Ingress).
    OneLabel,
    /// One or more (Gateway API).
    AnyLabels,
}

/// Whether a host matches a rule's host. Case and port do not count; `*` is a wildcard only as the
/// whole first label.
pub fn host_matches(rule: &str, host: &str, wildcard: Wildcard) -> bool {
    let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let rule = rule.to_ascii_lowercase();
    let Some(suffix) = rule.strip_prefix('*').filter(|rest| rest.starts_with('.')) else {
        return rule == host;
    };
    host.strip_suffix(suffix).is_some_and(|labels| {
        !labels.is_empty()
            && !labels.starts_with('.')
            && (wildcard == Wildcard::AnyLabels || !labels.contains('.'))
    })
}

/// What a request must be like to meet a rule; all that is named must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The host, perhaps with a wildcard; `None` takes any.
    pub host: Option<String>,
    /// The path.
    pub path: PathMatch,
    /// The method; `None` takes any.
    pub method: Option<String>,
    /// Header fields with their values. Of names that differ only in case the first counts.
    pub headers: Vec<(String, String)>,
    /// Query parameters with their values. Of equal names the first counts.
    pub query: Vec<(String, String)>,
}

impl Rule {
    /// A rule that looks at the path alone.
    pub fn path(path: PathMatch) -> Rule {
        Rule {
            host: None,
            path,
            method: None,
            headers: Vec::new(),
            query: Vec::new(),
        }
    }

    /// Whether a request meets the rule.
    pub fn matches(&self, request: &Request, wildcard: Wildcard) -> bool {
        let host = |rule: &String| host_matches(rule, &request.host, wildcard);
        let header = |name: &str| first(&request.headers, |n| n.eq_ignore_ascii_case(name));
        let parameter = |name: &str| first(&request.query, |n| n == name);
        self.host.as_ref().is_none_or(host)
            && self.path.matches(&request.path)
            && self.method.as_ref().is_none_or(|m| *m == request.method)
            && (self.wanted_headers()).all(|(name, value)| header(name) == Some(value))
            && (self.wanted_query()).all(|(name, value)| parameter(name) == Some(value))
    }

    fn wanted_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let earlier = |i: usize, name: &str| {
            self.headers[..i]
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(name))
        };
        (self.headers.iter().enumerate())
            .filter(move |(i, (name, _))| !earlier(*i, name))
            .map(|(_, (name, value))| (name.as_str(), value.as_str()))
    }

    fn wanted_query(&self) -> impl Iterator<Item = (&str, &str)> {
        let earlier = |i: usize, name: &str| self.query[..i].iter().any(|(n, _)| n == name);
        (self.query.iter().enumerate())
            .filter(move |(i, (name, _))| !earlier(*i, name))
            .map(|(_, (name, value))| (name.as_str(), value.as_str()))
    }

    /// Larger is more specific: a host without wildcard, then the longer host; an exact path, then the
    /// longer path; a method; more headers; more query parameters.
    fn specificity(&self) -> impl Ord + use<> {
        let host = self.host.as_deref();
        (
            host.map(|host| (!host.starts_with("*."), host.len())),
            matches!(self.path, PathMatch::Exact(_)),
            self.path.path().len(),
            self.method.is_some(),
            self.wanted_headers().count(),
            self.wanted_query().count(),
        )
    }
}

fn first(pairs: &[(String, String)], is: impl Fn(&str) -> bool) -> Option<&str> {
    let pair = pairs.iter().find(|(name, _)| is(name));
    pair.map(|(_, value)| value.as_str())
}

/// What a gateway sees of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The Host header or `:authority`.
    pub host: String,
    /// The method, in capitals.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
}

impl Request {
    /// A request of this method and target, whose query is cut off and taken apart at `&` and `=`.
    pub fn new(method: &str, target: &str) -> Request {
        let target = target.split('#').next().unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_owned(), value.to_owned())
        };
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: (query.split('&').filter(|part| !part.is_empty()))
                .map(pair)
                .collect(),
            ..Request::default()
        }
    }
}

/// The rule that a request goes by: of those that match the most specific, of equals the first.
/// `None` is for the default backend, which is a 404 where there is none.
// region: route
pub fn route(rules: &[Rule], request: &Request, wildcard: Wildcard) -> Option<usize> {
    (rules.iter().enumerate())
        .filter(|(_, rule)| rule.matches(request, wildcard))
        .max_by_key(|(i, rule)| (rule.specificity(), Reverse(*i)))
        .map(|(i, _)| i)
}
// endregion

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(path: &str) -> Rule {
        Rule::path(PathMatch::Prefix(path.into()))
    }

    fn exact(path: &str) -> Rule {
        Rule::path(PathMatch::Exact(path.into()))
    }

    fn meets(rules: &[Rule], method: &str, target: &str) -> Option<usize> {
        route(rules, &Request::new(method, target), Wildcard::OneLabel)
    }

    #[test]
    fn a_prefix_goes_element_by_element() {
        for (rule, path, matches) in [
            ("/product", "/product", true),
            ("/product", "/product/7", true),
            ("/product", "/products", false),
            ("/product/", "/product", true),
            ("/product/", "/product/7/8", true),
            ("/product", "/Product", false),
            ("/product", "/", false),
            ("/product", "", false),
            ("/", "/anything", true),
            ("/", "", true),
            ("", "/anything", true),
            ("/a//b", "/a/b", false),
        ] {
            assert_eq!(prefix(rule).path.matches(path), matches, "{rule} {path}");
        }
        assert!(!exact("/login").path.matches("/login/"));
    }

    #[test]
    fn the_more_specific_rule_wins_wherever_it_stands() {
        let header = |rule: Rule, name: &str| Rule {
            headers: vec![(name.into(), "1".into()), (name.to_lowercase(), "2".into())],
            ..rule
        };
        let rules = [
            prefix("/"),
            prefix("/foo/"),
            exact("/foo"),
            header(prefix("/foo"), "Beta"),
            Rule {
                method: Some("POST".into()),
                ..prefix("/")
            },
            Rule {
                query: vec![("q".into(), "1".into())],
                ..prefix("/")
            },
            prefix("/foo"),
        ];
        assert_eq!(meets(&rules, "GET", "/foo"), Some(2));
        assert_eq!(meets(&rules, "GET", "/foo/"), Some(1));
        assert_eq!(meets(&rules, "POST", "/x?q=1"), Some(4));
        assert_eq!(meets(&rules, "GET", "/x?a&q=1&q=2#q"), Some(5));
        assert_eq!(meets(&rules, "GET", "/x?q=2&q=1"), Some(0));
        let mut request = Request::new("GET", "/foo/bar");
        request.headers = vec![("beta".into(), "1".into())];
        assert_eq!(route(&rules[3..], &request, Wildcard::OneLabel), Some(0));
        request.headers[0].1 = "2".into();
        assert_eq!(route(&rules[3..], &request, Wildcard::OneLabel), Some(3));
        assert_eq!(meets(&[prefix("/a"), prefix("/a")], "GET", "/a"), Some(0));
        assert_eq!(meets(&[], "GET", "/a"), None);
    }

    #[test]
    fn hosts_come_before_paths() {
        let host = |host: &str, rule: Rule| Rule {
            host: Some(host.into()),
            ..rule
        };
        let rules = [
            exact("/a"),
            host("*.shop.com", exact("/a")),
            host("*.eu.shop.com", prefix("/")),
            host("pay.shop.com", prefix("/")),
        ];
        let mut request = Request::new("GET", "/a");
        for (name, one, any) in [
            ("PAY.shop.com:443", 3, 3),
            ("web.shop.com", 1, 1),
            ("pay.eu.shop.com", 2, 2),
            ("a.b.shop.com", 0, 1),
            ("shop.com", 0, 0),
            (".shop.com", 0, 0),
        ] {
            request.host = name.into();
            assert_eq!(
                route(&rules, &request, Wildcard::OneLabel),
                Some(one),
                "{name}"
            );
            assert_eq!(
                route(&rules, &request, Wildcard::AnyLabels),
                Some(any),
                "{name}"
            );
        }
    }
}
