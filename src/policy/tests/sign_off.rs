use crate::api::Weight;
use crate::policy::sign_off::{Role, SignOff, SignOffPoint, join};
use rstest::rstest;

const BEFORE_FULL: SignOffPoint = SignOffPoint::BeforeStage { weight: Weight::FULL };

fn sre(people: u8, when: SignOffPoint) -> SignOff {
    SignOff { role: Role::Sre, people, when, why: "", source: "" }
}

/// Two processes at once ask for what either asks for, nobody twice.
#[rstest]
#[case::more_people_later(&[sre(1, BEFORE_FULL)], &[sre(2, BEFORE_FULL)], &["2 sre before 100 %"])]
#[case::more_people_first(&[sre(2, BEFORE_FULL)], &[sre(1, BEFORE_FULL)], &["2 sre before 100 %"])]
#[case::as_many(&[sre(1, BEFORE_FULL)], &[sre(1, BEFORE_FULL)], &["sre before 100 %"])]
#[case::at_two_moments(&[sre(1, SignOffPoint::BeforeStart)], &[sre(1, BEFORE_FULL)], &["sre before the start", "sre before 100 %"])]
#[case::nobody(&[], &[], &[])]
fn two_lists_ask_for_the_larger_number(#[case] one: &[SignOff], #[case] other: &[SignOff], #[case] expected: &[&str]) {
    assert_eq!(join(one, other).iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn of_equal_demands_the_first_says_why() {
    let known = SignOff { why: "the enhanced process", ..sre(1, BEFORE_FULL) };
    let new = SignOff { why: "the emergency process", ..sre(1, BEFORE_FULL) };
    assert_eq!(join(&[known], &[new]), [known]);
    let more = SignOff { people: 2, ..new };
    assert_eq!(join(&[known], &[more]), [more]);
}
