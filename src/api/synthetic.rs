//! Synthetic checks: requests that Tidegate itself makes of a new version before a stage passes, and Jobs that it starts for
//! that; what a manifest says of them, and what a record keeps.

use std::fmt;
use std::sync::LazyLock;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Span, Time};

/// What Tidegate asks of the new version alone when the bake time of a stage is over (`002_…`, Release: go or no-go after each
/// stage): a request of its own, or a Job of the namespace. The stage passes when each check has passed once in it; one that
/// fails more often than `retries` allows brings the change back.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.http) != has(self.job)").message(Message::Expression("'check ' + self.name + (has(self.http) ? ' has both http and job: take one away' : ' has neither http nor job: say what it asks, such as http: {path: /healthz}')".into())),
    validation = Rule::new("!has(self.timeout) || has(self.job) || self.timeout.matches('^([1-9]|10)s$')").message("timeout must lie between 1s and 10s for a check over http, such as 5s").field_path(".timeout"),
    validation = Rule::new("!has(self.timeout) || !has(self.job) || self.timeout.matches('^([1-9][0-9]s|[1-9]m|[1-5][0-9]m|1h)$')").message("timeout must lie between 10s and 1h for a Job, in seconds up to 99s, in minutes, or 1h, such as 5m").field_path(".timeout")
)]
pub struct SyntheticCheck {
    /// How it is called in messages and in the record.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The request, and what answers it well. Either this or `job`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "HttpCheck")]
    pub http: Option<HttpCheck>,
    /// The Job that finds out. Either this or `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "JobCheck")]
    pub job: Option<JobCheck>,
    /// How long one try over `http` may take until it is connected, and then again until it is answered, from 1s to 10s, default
    /// 5s; or how long a Job may take with all its tries, from 10s to 1h, default 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub timeout: Option<Span>,
    /// How many tries may fail in a stage before the change comes back. Over `http` one try is made each `analysis.interval`, and
    /// one that got no answer over HTTP, as stable got none, is no failed one; of a Job it is the `backoffLimit`. Default: 2.
    #[serde(default = "SyntheticCheck::default_retries")]
    #[schemars(range(max = 10))]
    pub retries: u32,
}

/// What a check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<'a> {
    /// A request to the Service of the new version.
    Http(&'a HttpCheck),
    /// A Job.
    Job(&'a JobCheck),
}

impl SyntheticCheck {
    /// What it does. Admission lets nothing through that says neither or both.
    pub fn asks(&self) -> Asks<'_> {
        static ROOT: LazyLock<HttpCheck> = LazyLock::new(HttpCheck::of_root);
        match (&self.job, &self.http) {
            (Some(job), _) => Asks::Job(job),
            (None, Some(http)) => Asks::Http(http),
            (None, None) => Asks::Http(&ROOT),
        }
    }

    /// How long one try may take, or a Job with all of its tries.
    pub fn within(&self) -> Span {
        self.timeout.unwrap_or(match self.asks() {
            Asks::Http(_) => Span::seconds(5),
            Asks::Job(_) => Span::minutes(5),
        })
    }

    const fn default_retries() -> u32 {
        2
    }
}

/// A Job that Tidegate starts from what a CronJob of the namespace says, as `kubectl create job --from=cronjob/…` does. It
/// runs as its template says, with that service account; Tidegate adds what it is told (`TIDEGATE_HOST` and others), its
/// bounds, and that the last lines of its log are kept.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobCheck {
    /// The CronJob, in the same namespace. Its owner must have allowed it by the label `tidegate.io/check: "true"`; one with
    /// `suspend: true` never runs by itself.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message("cronJob must be the name of a CronJob, such as cart-probe"))]
    pub cron_job: String,
}

/// A request over plain HTTP to the Service of the new version: never to another host, and redirects are not followed. Where not one
/// byte of HTTP comes back, stable is asked the same as a control.
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

    fn of_root() -> Self {
        Self {
            port: None,
            method: Method::default(),
            path: Self::default_path(),
            body: None,
            expect_status: Self::default_status(),
            expect_body: None,
        }
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
    /// Why the last try asked nobody, such as no connection to stable either; it counts neither way. Absent where the last try got to
    /// somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 160))]
    pub not_asked: Option<String>,
}
