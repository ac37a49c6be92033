//! What came of a synthetic check: whether the answer is the one that was wanted, and whether the new version was asked at all.
//!
//! What answers over HTTP was asked. Where not one byte of HTTP came back, it may be the version, and it may as well be what lies
//! between: a mesh that wants mutual TLS, a NetworkPolicy, the network. Stable, asked the same, tells the two apart.

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
    /// It was tried, and not one byte of HTTP came back: no connection, a refused one, one that ended or stayed silent, something
    /// that is no HTTP. A pod that serves nobody looks like that, and so does one that serves users and not Tidegate.
    Unheard,
    /// An answer began over HTTP, and was not whole in time or was cut off.
    CutShort,
}

/// What a try found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The answer is the one that was wanted.
    Passed,
    /// It is not, or there is none where stable gives one; why, in a few words that fit into a record.
    Failed(String),
    /// Nothing: the new version may not have been asked; why, in a few words.
    NotAsked(String),
}

/// Whether a reply says so little that stable is asked the same, as a control.
pub fn needs_control(reply: &Reply) -> bool {
    reply.as_ref().is_err_and(|lost| lost.came == Came::Unheard)
}

/// What an answer, or its absence, comes to. `control` is what stable replied to the same request at the same time; None where it was
/// not asked, or nobody of it is ready.
pub fn judge(check: &HttpCheck, reply: &Reply, control: Option<&Reply>) -> Finding {
    let (why, came) = match reply {
        Ok((status, body)) => return wrong(check, *status, body).map_or(Finding::Passed, Finding::Failed),
        Err(Lost { came, why }) => (why, came),
    };
    match came {
        Came::CutShort => Finding::Failed(why.clone()),
        Came::NotMade => Finding::NotAsked(why.clone()),
        Came::Unheard => match control {
            // What the body says may well be the version.
            Some(Ok((status, _))) if *status == check.expect_status => {
                Finding::Failed(format!("{why}; stable answers {status}"))
            }
            Some(Ok((status, _))) => Finding::NotAsked(format!("{why}; stable answers {status}, which tells nothing")),
            Some(Err(_)) => Finding::NotAsked(format!("{why}; nor does stable answer")),
            None => Finding::NotAsked(why.clone()),
        },
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
        assert_eq!(judge(&check(body), &reply, None), found);
    }

    fn lost(came: Came) -> Reply {
        Err(Lost { came, why: "because".to_owned() })
    }

    #[rstest]
    #[case::not_made(Came::NotMade, None, Finding::NotAsked("because".to_owned()))]
    #[case::cut_short(Came::CutShort, None, Finding::Failed("because".to_owned()))]
    #[case::cut_short_as_stable_is(Came::CutShort, Some(lost(Came::CutShort)), Finding::Failed("because".to_owned()))]
    #[case::nobody_to_ask_beside(Came::Unheard, None, Finding::NotAsked("because".to_owned()))]
    #[case::stable_is_heard(Came::Unheard, Some(Ok((200, Vec::new()))), Finding::Failed("because; stable answers 200".to_owned()))]
    #[case::stable_is_heard_and_says_its_own(Came::Unheard, Some(Ok((200, b"v1".to_vec()))), Finding::Failed("because; stable answers 200".to_owned()))]
    #[case::nor_is_stable(Came::Unheard, Some(lost(Came::Unheard)), Finding::NotAsked("because; nor does stable answer".to_owned()))]
    #[case::stable_is_cut_short(Came::Unheard, Some(lost(Came::CutShort)), Finding::NotAsked("because; nor does stable answer".to_owned()))]
    #[case::stable_could_not_be_asked(Came::Unheard, Some(lost(Came::NotMade)), Finding::NotAsked("because; nor does stable answer".to_owned()))]
    #[case::stable_knows_no_such_page(Came::Unheard, Some(Ok((404, Vec::new()))), Finding::NotAsked("because; stable answers 404, which tells nothing".to_owned()))]
    fn what_came_back_without_http_counts_against_the_version_where_stable_answers_well(
        #[case] came: Came,
        #[case] control: Option<Reply>,
        #[case] found: Finding,
    ) {
        assert_eq!(needs_control(&lost(came)), came == Came::Unheard);
        assert_eq!(judge(&check(Some("v2")), &lost(came), control.as_ref()), found);
    }

    #[test]
    fn a_wrong_answer_is_the_versions_whatever_stable_says() {
        let reply = Ok((500, Vec::new()));
        assert!(!needs_control(&reply));
        let found = judge(&check(None), &reply, Some(&lost(Came::Unheard)));
        assert_eq!(found, Finding::Failed("answered 500, not 200".to_owned()));
    }

    #[test]
    fn a_long_answer_is_told_in_part() {
        let found = judge(&check(None), &Ok((500, "é".repeat(10_000).into_bytes())), None);
        assert!(
            matches!(&found, Finding::Failed(why) if why.ends_with("é…") && why.chars().count() < 100),
            "{found:?}"
        );
    }
}
