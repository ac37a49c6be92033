use rstest::rstest;

use crate::classify::trailer::{Message, change_type, severity};

fn messages(texts: &[&str]) -> Vec<Message> {
    texts.iter().map(|text| Message { id: "4f2c9e1".to_owned(), text: (*text).to_owned() }).collect()
}

#[rstest]
#[case(&["fix: a"], "BugFix by fix: of commit 4f2c9e1")]
#[case(&["feat(api)!: a"], "Feature by feat: of commit 4f2c9e1")]
#[case(&["fix: a", "feat: b", "docs: c"], "Feature by feat: of commit 4f2c9e1")]
#[case(&["fix: a\n\nWhy.\n\nTidegate-Type: IncidentFix\nSigned-off-by: x"], "IncidentFix by Tidegate-Type of commit 4f2c9e1")]
#[case(&["feat: a", "x\n\ntidegate-type: SecurityFix"], "Feature by feat: of commit 4f2c9e1")]
#[case(&["feat: a\n\ntidegate-type: SecurityFix"], "SecurityFix by Tidegate-Type of commit 4f2c9e1")]
#[case(&["docs: a", "fix: b"], "BugFix by fix: of commit 4f2c9e1")]
#[case(&["chore: a", "Fix the thing", "see: that"], "nothing")]
#[case(&["x\n\nTidegate-Type: BugFix\n\nNot in the last paragraph."], "nothing")]
fn the_type(#[case] texts: &[&str], #[case] expected: &str) {
    let said = change_type(&messages(texts)).unwrap();
    assert_eq!(said.map_or("nothing".to_owned(), |said| format!("{} by {}", said.value, said.by)), expected);
}

#[test]
fn the_severity_is_the_least_bad_that_is_said() {
    let all = messages(&["a\n\nTidegate-Severity: P0", "b\n\nTidegate-Severity: P2", "c"]);
    assert_eq!(severity(&all).unwrap().unwrap().value.as_str(), "P2");
    assert_eq!(severity(&messages(&["a"])).unwrap(), None);
}

#[test]
fn a_repair_that_says_no_severity_has_none_of_another() {
    let said = |texts: &[&str]| severity(&messages(texts)).unwrap().map(|said| said.value.as_str());
    assert_eq!(said(&["fix: a\n\nTidegate-Severity: P0", "fix: b"]), None);
    assert_eq!(said(&["a\n\nTidegate-Severity: P0", "b\n\nTidegate-Type: IncidentFix"]), None);
    assert_eq!(said(&["fix: a\n\nTidegate-Severity: P0", "docs: b"]), Some("P0"));
}

#[test]
fn a_wrong_word_names_the_commit_and_the_words() {
    let why = change_type(&messages(&["a\n\nTidegate-Type: Bugfix"])).unwrap_err();
    assert!(why.starts_with("commit 4f2c9e1: Tidegate-Type: "), "{why}");
    assert!(why.contains("Bugfix") && why.contains("BugFix, Reliability"), "{why}");
}
