//! What came of a synthetic check: whether the answer is the one that was wanted, and whether the new version was asked at all.
//!
//! What may not have reached the new version says nothing of it, as an absent figure does not. What reached it and was answered
//! wrongly, late or not at all a user would have met too.

use crate::api::synthetic::HttpCheck;

/// So many characters of a wrong answer are told.
const TOLD: usize = 60;

/// What came back: the status and as much of the body as was read; or why there is no answer.
pub type Reply = Result<(u16, Vec<u8>), Lost>;

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// How far it came.
    pub came: Came,
    /// What happened, in a few words.
    pub why: String,
}

/// How far a request without an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It could not be made, by what Tidegate itself is or may.
    NotMade,
    /// The Service's name did not resolve, or not in time.
    NoName,
    /// No connection came about, and nothing answered for the other side: a time-out, no way there, no port left on this side. A
    /// NetworkPolicy looks like that, and so does the network.
    NoWay,
    /// The connection was refused, while the Service had ready pods.
    Refused,
    /// The connection was made, and no whole answer came in time.
    Unanswered,
    /// The connection was made, and ended before a whole answer came, or with something that is no HTTP.
    Broken,
}

impl Came {
    /// Whether users of the new version would meet the same, so that it counts against it.
    pub const fn is_of_version(self) -> bool {
        match self {
            Self::NotMade | Self::NoName | Self::NoWay => false,
            Self::Refused | Self::Unanswered | Self::Broken => true,
        }
    }
}

/// What a try found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The answer is the one that was wanted.
    Passed,
    /// It is not, or a user would have got none either; why, in a few words that fit into a record.
    Failed(String),
    /// Nothing: the new version may not have been asked; why, in a few words.
    NotAsked(String),
}

/// What an answer, or its absence, comes to.
pub fn judge(check: &HttpCheck, reply: &Reply) -> Finding {
    match reply {
        Ok((status, body)) => wrong(check, *status, body).map_or(Finding::Passed, Finding::Failed),
        Err(Lost { came, why }) if came.is_of_version() => Finding::Failed(why.clone()),
        Err(Lost { why, .. }) => Finding::NotAsked(why.clone()),
    }
}

/// What is wrong with an answer; None where it is what was wanted.
fn wrong(check: &HttpCheck, status: u16, body: &[u8]) -> Option<String> {
    if status != check.expect_status {
        return Some(format!("answered {status}, not {}{}", check.expect_status, begins(body)));
    }
    let wanted = check.expect_body.as_ref().filter(|wanted| !contains(body, wanted.as_bytes()))?;
    Some(format!("answered {status} without {:?}{}", shortened(wanted), begins(body)))
}

fn contains(body: &[u8], wanted: &[u8]) -> bool {
    body.windows(wanted.len().max(1)).any(|window| window == wanted)
}

fn begins(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(": {}", shortened(&words.join(" "))) }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn check(body: Option<&str>) -> HttpCheck {
        HttpCheck { expect_body: body.map(str::to_owned), ..serde_json::from_value(json!({})).unwrap() }
    }

    #[rstest]
    #[case::right(None, Ok((200, b"hello".to_vec())), "")]
    #[case::empty(None, Ok((200, Vec::new())), "")]
    #[case::words(Some("\"up\":true"), Ok((200, b"{\"up\":true}".to_vec())), "")]
    #[case::status(None, Ok((503, b"no\n\n pods".to_vec())), "answered 503, not 200: no pods")]
    #[case::redirect(None, Ok((302, Vec::new())), "answered 302, not 200")]
    #[case::other_words(Some("up"), Ok((200, b"down".to_vec())), "answered 200 without \"up\": down")]
    #[case::words_of_nothing(Some("up"), Ok((200, Vec::new())), "answered 200 without \"up\"")]
    #[case::no_text(Some("up"), Ok((200, vec![0xff, 0, 1])), "answered 200 without \"up\": \u{fffd}")]
    fn an_answer_is_right_or_says_what_it_was(#[case] body: Option<&str>, #[case] reply: Reply, #[case] why: &str) {
        let found = if why.is_empty() { Finding::Passed } else { Finding::Failed(why.to_owned()) };
        assert_eq!(judge(&check(body), &reply), found);
    }

    #[rstest]
    #[case::not_made(Came::NotMade, false)]
    #[case::no_name(Came::NoName, false)]
    #[case::no_connection(Came::NoWay, false)]
    #[case::refused_by_ready_pods(Came::Refused, true)]
    #[case::too_slow_once_connected(Came::Unanswered, true)]
    #[case::broken_off(Came::Broken, true)]
    fn what_a_user_would_not_have_met_counts_against_nobody(#[case] came: Came, #[case] counts: bool) {
        let why = || "because".to_owned();
        let found = if counts { Finding::Failed(why()) } else { Finding::NotAsked(why()) };
        assert_eq!(judge(&check(None), &Err(Lost { came, why: why() })), found);
    }

    #[test]
    fn a_long_answer_is_told_in_part() {
        let found = judge(&check(None), &Ok((500, "é".repeat(10_000).into_bytes())));
        assert!(
            matches!(&found, Finding::Failed(why) if why.ends_with("é…") && why.chars().count() < 100),
            "{found:?}"
        );
    }
}
