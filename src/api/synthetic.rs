//! Synthetic checks: requests that Tidegate itself makes of a new version before a stage passes; what a manifest says of
//! them, and what a record keeps.

use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Span, Time};

/// A request that Tidegate makes of the new version alone when the bake time of a stage is over (`002_…`, Release: go or
/// no-go after each stage). The stage passes when each check has passed once in it; one that fails more often than
/// `retries` allows brings the change back.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyntheticCheck {
    /// How it is called in messages and in the record.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The request, and what answers it well.
    pub http: HttpCheck,
    /// How long one try may take, at most 10s. Default: 5s.
    #[serde(default = "SyntheticCheck::default_timeout")]
    #[x_kube(validation = Rule::new("self.matches('^([1-9]|10)s$')").message("timeout must lie between 1s and 10s, such as 5s"))]
    pub timeout: Span,
    /// How many tries may fail in a stage before the change comes back; one try each `analysis.interval`. Default: 2.
    #[serde(default = "SyntheticCheck::default_retries")]
    #[schemars(range(max = 10))]
    pub retries: u32,
}

impl SyntheticCheck {
    const fn default_timeout() -> Span {
        Span::seconds(5)
    }

    const fn default_retries() -> u32 {
        2
    }
}

/// A request over HTTP to the Service of the new version: never to another host, and redirects are not followed.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheck {
    /// The port of the Service. Default: its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16", range(min = 1))]
    pub port: Option<u16>,
    /// The method. Default: GET.
    #[serde(default)]
    pub method: Method,
    /// The path, with its query where it has one, such as `/cart?probe=1`. Default: `/`.
    #[serde(default = "HttpCheck::default_path")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^/[!-~]*$') && !self.contains('#')").message("path must begin with / and have neither spaces nor #, such as /healthz"))]
    pub path: String,
    /// What is sent along, as `application/json`; only with POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 4096))]
    pub body: Option<String>,
    /// The status code that is right. Default: 200.
    #[serde(default = "HttpCheck::default_status")]
    #[schemars(range(min = 100, max = 599))]
    pub expect_status: u16,
    /// What the first 64 KiB of the answer must contain. Not looked at where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 256))]
    pub expect_body: Option<String>,
}

impl HttpCheck {
    fn default_path() -> String {
        "/".to_owned()
    }

    const fn default_status() -> u16 {
        200
    }
}

/// The method of a check's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads the status only.
    Head,
    /// Sends the body; the program must bear what a check does.
    Post,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        })
    }
}

/// How a check went in the stage that is going on. Gone once the stage passed.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRecord {
    /// The check's name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// When it was tried last.
    pub at: Time,
    /// How many tries failed.
    pub failed: u32,
    /// Whether it passed.
    pub passed: bool,
    /// What the last try that failed found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 160))]
    pub said: String,
}
