//! Gateway routing against Kubernetes' table of path types and the Gateway API's order of precedence.

use crate::table::{Case, run};
use algorithms::routing::{PathMatch, Request, Rule, Wildcard, host_matches, route};
use serde_json::{Value, json};

fn pairs(value: &Value) -> Vec<(String, String)> {
    let Some(object) = value.as_object() else {
        return Vec::new();
    };
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    object.iter().map(|(k, v)| (k.clone(), text(v))).collect()
}

fn rule(kind: &str, path: &str, conditions: &Value) -> Rule {
    let text = |field: &str| conditions[field].as_str().map(str::to_owned);
    Rule {
        host: text("host"),
        method: text("method"),
        headers: pairs(&conditions["headers"]),
        query: pairs(&conditions["query"]),
        ..Rule::path(match kind {
            "Exact" => PathMatch::Exact(path.to_owned()),
            _ => PathMatch::Prefix(path.to_owned()),
        })
    }
}

fn answer(case: &Case<'_>) -> Option<Value> {
    let text = |field: &str| case.input[field].as_str();
    if let (Some(rule), Some(host)) = (text("host_rule"), text("host")) {
        return Some(json!({"match": host_matches(rule, host, Wildcard::OneLabel)}));
    }
    let rules: Vec<Rule> = if let Some(paths) = case.input["paths"].as_array() {
        let kind = text("type")?;
        let path = |path: &Value| rule(kind, path.as_str().expect("a path"), &Value::Null);
        paths.iter().map(path).collect()
    } else {
        let of = |value: &Value| {
            let field = |name: &str| value[name].as_str().expect("a string");
            rule(field("type"), field("path"), value)
        };
        case.input["rules"].as_array()?.iter().map(of).collect()
    };
    let request = match &case.input["request"] {
        Value::String(target) => Request::new("GET", target),
        request => Request {
            host: request["host"].as_str().unwrap_or_default().to_owned(),
            headers: pairs(&request["headers"]),
            ..Request::new(request["method"].as_str()?, request["path"].as_str()?)
        },
    };
    let met = route(&rules, &request, Wildcard::OneLabel);
    let path = met.map(|i| &rules[i].path);
    Some(json!({
        "match": met.is_some(),
        "rule": path.map(PathMatch::path),
        "rule_type": path.map(|path| match path {
            PathMatch::Exact(_) => "Exact",
            PathMatch::Prefix(_) => "Prefix",
        }),
        "rule_index": met,
        "goes_to": met.is_none().then_some("default backend"),
    }))
}

#[test]
fn gateway_path_routing() {
    run(include_str!("gateway_path_routing.json"), &[], &[], answer);
}
