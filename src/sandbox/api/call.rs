//! What comes in and what goes out, as values; paths and queries taken apart.

use std::sync::Arc;

use serde_json::Value;

use super::resource::{Resource, Subresource, Table};
use super::watch::Watch;
use crate::sandbox::user::User;

/// A request, authenticated already.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub user: User,
    /// The HTTP method.
    pub method: http::Method,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// The raw query, without the question mark.
    pub query: String,
    /// `Content-Type`; empty where there is none.
    pub content_type: String,
    /// `Accept`; empty where there is none.
    pub accept: String,
    /// The body.
    pub body: Vec<u8>,
    /// `User-Agent`: names the field manager where the query does not.
    pub user_agent: String,
}

impl Call {
    /// What kubectl sends for somebody in the process; nothing as its body where that is null.
    pub fn kubectl(
        user: &User,
        method: http::Method,
        path: String,
        query: &str,
        content_type: &str,
        body: &Value,
    ) -> Self {
        Self {
            user: user.clone(),
            method,
            path,
            query: query.to_owned(),
            content_type: content_type.to_owned(),
            accept: "application/json".to_owned(),
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
            user_agent: "kubectl".to_owned(),
        }
    }
}

/// What is sent back.
#[derive(Debug)]
pub enum Answer {
    /// A whole response.
    Done {
        /// HTTP status.
        code: u16,
        /// Content type.
        content_type: &'static str,
        /// Body.
        body: Vec<u8>,
    },
    /// A watch: 200 and lines of JSON, to be fetched with `poll_watch`.
    Watch(Box<Watch>),
}

/// What a watch has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled {
    /// Lines of JSON, one an event; empty where nothing happened.
    Lines(Vec<u8>),
    /// The server has closed it.
    Ended,
}

/// The query, decoded.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(key, true), decode(value, true))
                })
                .collect(),
        )
    }

    /// A parameter; empty where it is missing.
    pub(super) fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn is(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1")
    }

    pub(super) fn has(&self, key: &str, value: &str) -> bool {
        self.0.iter().any(|(name, is)| name == key && is == value)
    }
}

/// Where a path leads.
pub(super) struct Route {
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: String,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<Subresource>,
}

/// A path that leads to something else than a resource is none; `Err` is a subresource that is not served.
pub(super) fn route(table: &Table, path: &str) -> Option<Result<Route, ()>> {
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, plural, rest @ ..]
            if table.at_path(group, version, plural).is_some_and(|found| found.namespaced) =>
        {
            (*namespace, (*plural, rest))
        }
        [plural, rest @ ..] => ("", (*plural, rest)),
        [] => return None,
    };
    let resource = Arc::clone(table.at_path(group, version, rest.0)?);
    let whole = |name: Option<&str>, subresource| Route {
        resource: Arc::clone(&resource),
        namespace: namespace.to_owned(),
        name: name.map(str::to_owned),
        subresource,
    };
    match rest.1 {
        [] => Some(Ok(whole(None, None))),
        [name] => Some(Ok(whole(Some(name), None))),
        [name, part] => {
            let part = resource.subresources.iter().copied().find(|sub| sub.as_str() == *part);
            Some(part.map(|part| whole(Some(name), Some(part))).ok_or(()))
        }
        _ => None,
    }
}

fn decode(text: &str, plus: bool) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' if plus => b' ',
            b'%' => {
                let ahead = bytes.clone().take(2).collect::<Vec<_>>();
                match std::str::from_utf8(&ahead).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    Some(value) if ahead.len() == 2 => {
                        bytes.nth(1);
                        value
                    }
                    _ => b'%',
                }
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
