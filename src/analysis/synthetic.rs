//! Whether an answer to a synthetic check is the one that was wanted.

use crate::api::synthetic::HttpCheck;

/// So many characters of a wrong answer are told.
const TOLD: usize = 60;

/// What came back: the status and as much of the body as was read; or why nothing did.
pub type Reply = Result<(u16, Vec<u8>), String>;

/// Whether this is what was wanted; why not, in a few words that fit into a record.
pub fn judge(check: &HttpCheck, reply: &Reply) -> Result<(), String> {
    let (status, body) = reply.as_ref().map_err(Clone::clone)?;
    if *status != check.expect_status {
        return Err(format!("answered {status}, not {}{}", check.expect_status, begins(body)));
    }
    match &check.expect_body {
        Some(wanted) if !contains(body, wanted.as_bytes()) => {
            Err(format!("answered {status} without {:?}{}", shortened(wanted), begins(body)))
        }
        Some(_) | None => Ok(()),
    }
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
    #[case::away(None, Err("no answer within 5s".to_owned()), "no answer within 5s")]
    fn an_answer_is_right_or_says_what_it_was(#[case] body: Option<&str>, #[case] reply: Reply, #[case] why: &str) {
        assert_eq!(judge(&check(body), &reply).err().unwrap_or_default(), why);
    }

    #[test]
    fn a_long_answer_is_told_in_part() {
        let why = judge(&check(None), &Ok((500, "é".repeat(10_000).into_bytes()))).unwrap_err();
        assert!(why.ends_with("é…") && why.chars().count() < 100, "{why}");
    }
}
