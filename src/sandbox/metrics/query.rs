//! From the text of a query to its reply.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use promql_parser::parser::{self, Expr};

use super::eval::{Eval, Store};
use super::guard;
use super::reply::{Problem, Reply, Value};
use super::tsdb::Tsdb;
use crate::api::Time;

/// How many parsed queries are kept.
const PARSED_MAX: usize = 512;

type Parsed = Result<Arc<Expr>, Problem>;

/// Queries that were parsed, for all databases: thousands of worlds ask the same. It changes how long an answer takes and
/// never what it says.
static PARSED: LazyLock<Mutex<BTreeMap<String, Parsed>>> = LazyLock::new(|| Mutex::new(BTreeMap::new()));

/// The query as an expression.
pub(super) fn parsed(query: &str) -> Parsed {
    let mut known = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(parsed) = known.get(query) {
        return parsed.clone();
    }
    let parsed = parse(query);
    if known.len() >= PARSED_MAX {
        known.clear();
    }
    known.insert(query.to_owned(), parsed.clone());
    parsed
}

/// Whether a query can be read as PromQL; why not, as Prometheus words it.
pub fn readable(query: &str) -> Result<(), String> {
    parsed(query).map(drop).map_err(|problem| match problem {
        Problem::BadData(why) | Problem::Execution(why) => why,
    })
}

fn parse(query: &str) -> Parsed {
    let refused = |why: String| Problem::BadData(format!("parse error: {why}"));
    let code = guard::checked(query).map_err(refused)?;
    let expr = parser::parse(&code).map_err(refused)?;
    guard::shallow(&expr).map_err(refused)?;
    Ok(Arc::new(expr))
}

impl Tsdb {
    /// Answers an instant query as `GET /api/v1/query?query=…&time=…` does.
    pub fn query(&self, promql: &str, at: Time) -> Reply {
        self.query_of(promql, at, Store::Whole)
    }

    /// Answers from all stores or from half of them.
    pub(super) fn query_of(&self, promql: &str, at: Time, store: Store) -> Reply {
        self.changed(promql, at, store, |value| value)
    }

    /// Answers with a value that is made of the true one; a refusal stays one.
    pub(super) fn changed(&self, promql: &str, at: Time, store: Store, change: impl FnOnce(Value) -> Value) -> Reply {
        let at = at.0.as_millisecond();
        let mut eval = Eval::new(self, at, store);
        match eval.value(promql) {
            Ok(value) => Reply::success(at, &change(value), eval.warnings()),
            Err(why) => Reply::refused(&why),
        }
    }
}

impl Eval<'_> {
    /// The value of a query.
    pub(super) fn value(&mut self, promql: &str) -> Result<Value, Problem> {
        let expr = parsed(promql)?;
        self.result(&expr)
    }
}
