use crate::api::BudgetStatus::{self, *};
use crate::api::Time;
use crate::policy::Role;
use crate::policy::exception::{EXCEPTION, Request, approvers, request};
use crate::policy::requirement::{Claim, Claims, NewImage};
use rstest::rstest;

fn at(time: &str) -> Time {
    Time(format!("2026-03-31T{time}:00Z").parse().unwrap())
}

/// `000_…` §7, `001_…`, Exception Process, and `002_…`, Guardrails ("Gate failures require executive approval to override"):
/// all whom any of them names for the level.
#[rstest]
#[case(Healthy, false, &["development-manager", "on-call", "vp-engineering"])]
#[case(Healthy, true, &["development-manager", "on-call", "product-manager", "vp-engineering"])]
#[case(Warning, false, &["development-manager", "on-call", "vp-engineering"])]
#[case(Warning, true, &["development-manager", "on-call", "product-manager", "vp-engineering"])]
#[case(Critical, false, &["development-manager", "on-call", "service-owner", "sre", "engineering-manager", "vp-engineering"])]
#[case(Critical, true, &["development-manager", "on-call", "product-manager", "service-owner", "sre", "engineering-manager", "vp-engineering"])]
#[case(Emergency, false, &["development-manager", "on-call", "service-owner", "sre", "engineering-manager", "vp-engineering"])]
#[case(Emergency, true, &["development-manager", "on-call", "product-manager", "service-owner", "sre", "engineering-manager", "vp-engineering"])]
fn who_agrees_to_an_exception(#[case] status: BudgetStatus, #[case] notice: bool, #[case] expected: &[&str]) {
    assert_eq!(approvers(status, notice).iter().map(|role| role.as_str()).collect::<Vec<_>>(), expected);
}

/// The executive is asked whatever the reason and the level are, and nobody else stands in for them.
#[rstest]
fn without_the_executive_nothing_is_overridden(
    #[values("incident-mitigation", "urgent-security-fix", "legal-deadline")] reason: &str,
    #[values(Healthy, Warning, Critical, Emergency)] status: BudgetStatus,
) {
    let mut claims = vec![asked_for(reason)];
    let all = approvers(status, true);
    let below = all.iter().filter(|role| **role != Role::VpEngineering);
    claims.extend(below.map(|role| word(role.as_str(), &format!("the {role}"), true)));
    let far = |claims: &[Claim]| match request(Claims::new(claims, &[], at("12:00")), status, true, None) {
        Request::Waiting { missing, rejected: None, .. } => Some(missing),
        Request::Approved { .. } => None,
        unlike @ (Request::Waiting { .. } | Request::Incomplete { .. } | Request::None) => panic!("{unlike:?}"),
    };
    assert_eq!(far(&claims), Some(vec![Role::VpEngineering]));
    claims.push(word("vp-engineering", "vera", true));
    assert_eq!(far(&claims), None);
}

fn asked() -> Claim {
    asked_for("legal-deadline")
}

fn asked_for(reason: &str) -> Claim {
    let fact = |key: &str| {
        let text = if key == "reason" { reason } else { "because" };
        (key.to_owned(), text.to_owned())
    };
    Claim {
        kind: EXCEPTION.kind.to_owned(),
        role: None,
        author: "dana".to_owned(),
        passed: true,
        withdrawn: false,
        at: at("09:00"),
        until: None,
        facts: EXCEPTION.fields.iter().map(|field| fact(field.key)).collect(),
        machine: false,
        about: None,
    }
}

fn word(role: &str, author: &str, passed: bool) -> Claim {
    Claim { kind: "approval".to_owned(), role: Some(role.to_owned()), author: author.to_owned(), passed, ..asked() }
}

/// How far it is in words, with what would be recorded.
fn how_far(claims: &[Claim]) -> (String, Option<String>) {
    let authors = ["bob".to_owned()];
    let request = request(Claims::new(claims, &authors, at("12:00")), Healthy, false, None);
    let text = match &request {
        Request::None => "nobody asked".to_owned(),
        Request::Incomplete { problems, .. } => problems.join("; "),
        Request::Waiting { missing, rejected, .. } => {
            let roles: Vec<&str> = missing.iter().map(|role| role.as_str()).collect();
            format!("waits for [{}], rejected by {:?}", roles.join(", "), rejected.map(|claim| claim.author.as_str()))
        }
        Request::Approved { approvals, .. } => {
            format!(
                "approved by {}",
                approvals.iter().map(|claim| claim.author.as_str()).collect::<Vec<_>>().join(", ")
            )
        }
    };
    (text, request.recorded())
}

#[test]
fn an_exception_is_asked_for_agreed_to_and_recorded() {
    assert_eq!(how_far(&[]), ("nobody asked".to_owned(), None));
    assert_eq!(how_far(&[Claim { passed: false, ..asked() }]).0, "nobody asked");
    let mut short = asked();
    short.facts.remove("ticket");
    assert!(how_far(std::slice::from_ref(&short)).0.starts_with("facts.ticket is missing"));
    // Put right within the second that the API server's times tell: the order of the two says nothing.
    for both in [[short.clone(), asked()], [asked(), short]] {
        assert!(how_far(&both).0.starts_with("waits for"), "{}", how_far(&both).0);
    }
    let (manager, on_call) = (word("development-manager", "ann", true), word("on-call", "eve", true));
    let executive = word("vp-engineering", "vera", true);
    let waits = "waits for [development-manager, on-call, vp-engineering], rejected by None";
    assert_eq!(how_far(&[asked()]), (waits.to_owned(), None));
    assert_eq!(how_far(&[asked(), manager.clone()]).0, "waits for [on-call, vp-engineering], rejected by None");
    let agreed = [asked(), manager, on_call, executive];
    let recorded = "legal-deadline, asked by dana (31 Mar 09:00:00 UTC): because (because)";
    assert_eq!(how_far(&agreed), ("approved by ann, eve, vera".to_owned(), Some(recorded.to_owned())));
    let rejected = [&agreed[..], &[word("on-call", "sam", false)]].concat();
    assert_eq!(how_far(&rejected), ("waits for [], rejected by Some(\"sam\")".to_owned(), None));
}

/// Asked for of each image that comes new: by who said it first, and not before it is whole of all.
#[test]
fn an_exception_for_two_images_is_asked_for_by_who_was_first() {
    let images = ["a", "b"].map(|digest| NewImage { name: digest.to_owned(), digest: Some(digest.to_owned()) });
    let about = |digest: &str, author: &str, time: &str| Claim {
        about: Some(digest.to_owned()),
        author: author.to_owned(),
        at: at(time),
        ..asked()
    };
    let authors = ["bob".to_owned()];
    let of = |claims: &[Claim]| match request(
        Claims::new(claims, &authors, at("12:00")).bringing(&images),
        Healthy,
        false,
        None,
    ) {
        Request::Waiting { by, .. } => format!("waits, asked by {}", by.author),
        Request::Incomplete { by, problems } => format!("{}: {}", by.author, problems.join("; ")),
        other @ (Request::None | Request::Approved { .. }) => format!("{other:?}"),
    };
    assert_eq!(of(&[about("a", "dana", "08:00"), about("b", "eve", "09:00")]), "waits, asked by dana");
    assert_eq!(of(&[about("a", "eve", "09:00"), about("b", "dana", "08:00")]), "waits, asked by dana");
    let mut short = about("b", "eve", "09:00");
    short.facts.remove("ticket");
    let told = of(&[about("a", "dana", "08:00"), short]);
    assert!(told.starts_with("eve: facts.ticket is missing"), "{told}");
}

/// Who agreed, agreed to what the request said then: changed words are agreed to anew, the same words said again are not.
#[rstest]
#[case::before_anybody_asked(&["agree 08:59", "ask 09:00"], "waits for [development-manager, on-call, vp-engineering] since 09:00")]
#[case::in_the_same_second(&["ask 09:00", "agree 09:00"], "approved")]
#[case::other_words(&["ask 09:00", "agree 09:30", "reword 10:00"], "waits for [development-manager, on-call, vp-engineering] since 10:00")]
#[case::and_again(&["ask 09:00", "agree 09:30", "reword 10:00", "agree 10:01"], "approved")]
#[case::the_former_words(&["ask 09:00", "agree 09:30", "reword 10:00", "ask 10:05"], "waits for [development-manager, on-call, vp-engineering] since 10:05")]
#[case::the_same_words(&["ask 09:00", "agree 09:30", "ask 10:00"], "approved")]
#[case::others_taken_back(&["ask 09:00", "agree 09:30", "reword 10:00", "take back 10:01"], "approved")]
#[case::asked_anew(&["ask 09:00", "agree 09:30", "take all back 10:00", "ask 10:01"], "waits for [development-manager, on-call, vp-engineering] since 10:01")]
#[case::for_the_attempt_before(&["ask 09:00", "agree 09:30", "open 10:00"], "waits for [development-manager, on-call, vp-engineering] since 10:00")]
#[case::for_this_attempt(&["ask 09:00", "open 09:30", "agree 09:30"], "approved")]
#[case::for_both_attempts(&["ask 09:00", "agree 09:30", "open 10:00", "agree 10:01"], "approved")]
#[case::to_other_words_of_this_attempt(&["ask 09:00", "open 09:10", "agree 09:30", "reword 10:00"], "waits for [development-manager, on-call, vp-engineering] since 10:00")]
#[case::not_agreed_at_all(&["ask 09:00", "reword 10:00"], "waits for [development-manager, on-call, vp-engineering]")]
fn who_agrees_agrees_to_the_words(#[case] said: &[&str], #[case] expected: &str) {
    let (mut claims, mut opened) = (Vec::new(), None);
    for one in said {
        let (what, time) = one.rsplit_once(' ').unwrap();
        let by = |author: &str, claim: Claim| Claim { author: author.to_owned(), at: at(time), ..claim };
        match what {
            "open" => opened = Some(at(time)),
            "ask" => claims.push(by("dana", asked())),
            "reword" => claims.push(by("eve", asked_for("incident-mitigation"))),
            "take back" => claims.push(by("eve", Claim { withdrawn: true, facts: Default::default(), ..asked() })),
            "take all back" => claims.push(by("dana", Claim { withdrawn: true, facts: Default::default(), ..asked() })),
            _ => claims.extend(
                [("development-manager", "ann"), ("on-call", "olaf"), ("vp-engineering", "vera")]
                    .map(|(role, author)| by(author, word(role, author, true))),
            ),
        }
    }
    let told = match request(Claims::new(&claims, &["bob".to_owned()], at("12:00")), Healthy, false, opened) {
        Request::Approved { .. } => "approved".to_owned(),
        Request::Waiting { missing, since, .. } => {
            let roles: Vec<&str> = missing.iter().map(|role| role.as_str()).collect();
            let since = since.map_or_else(String::new, |since| format!(" since {}", &since.to_string()[11..16]));
            format!("waits for [{}]{since}", roles.join(", "))
        }
        other @ (Request::None | Request::Incomplete { .. }) => format!("{other:?}"),
    };
    assert_eq!(told, expected);
}

#[test]
fn a_document_knows_its_fields() {
    let words = EXCEPTION.field("reason").unwrap().check.words();
    assert_eq!(words, Some(&["incident-mitigation", "urgent-security-fix", "legal-deadline"][..]));
    assert!(EXCEPTION.field("ticket").unwrap().check.words().is_none() && EXCEPTION.field("lunch").is_none());
    let keys = "reason, justification, change-complexity, blast-radius, rollback-time, mitigation-plan, ticket";
    assert_eq!(EXCEPTION.keys(), keys);
}
