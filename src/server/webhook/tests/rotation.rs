use k8s_openapi::api::core::v1::Secret;
use rstest::rstest;
use serde_json::json;

use crate::api::{Span, Time};
use crate::server::webhook::certificates::Held;
use crate::server::webhook::rotation::{
    AUTHORITY_LIFE, CERTIFICATE_LIFE, Due, SETTLES, Seen, Serving, Signer, Validity, due,
};

fn start() -> Time {
    Time("2027-01-01T00:00:00Z".parse().unwrap())
}

fn made(days_ago: u64, life: Span) -> Validity {
    let from = Time(start().0 - Span::days(days_ago).as_signed());
    Validity { from, until: from.plus(life) }
}

fn serving(days_ago: u64, signer: Signer) -> Serving {
    Serving { validity: made(days_ago, CERTIFICATE_LIFE), signer, names_fit: true }
}

/// All is well, and a year ago there was another authority.
fn well() -> Seen {
    Seen {
        authority: Some(made(100, AUTHORITY_LIFE)),
        former: None,
        serving: Some(serving(30, Signer::Authority)),
        trusted_for: Some(Span::days(1)),
    }
}

#[rstest]
#[case::all_is_well(well(), Due::Nothing)]
#[case::nothing_is_there(Seen { authority: None, former: None, serving: None, trusted_for: None }, Due::Authority)]
#[case::only_an_authority(Seen { serving: None, trusted_for: None, ..well() }, Due::Certificate)]
#[case::the_authority_was_lost(Seen { authority: None, ..well() }, Due::Authority)]
#[case::the_authority_before_two_thirds(Seen { authority: Some(made(242, AUTHORITY_LIFE)), ..well() }, Due::Nothing)]
#[case::and_after(Seen { authority: Some(made(244, AUTHORITY_LIFE)), ..well() }, Due::Authority)]
#[case::the_certificate_before_two_thirds(Seen { serving: Some(serving(59, Signer::Authority)), ..well() }, Due::Nothing)]
#[case::and_after_them(Seen { serving: Some(serving(60, Signer::Authority)), ..well() }, Due::Certificate)]
#[case::another_name(
    Seen { serving: Some(Serving { names_fit: false, ..serving(1, Signer::Authority) }), ..well() },
    Due::Certificate
)]
#[case::a_stranger_signed(Seen { serving: Some(serving(1, Signer::Stranger)), trusted_for: None, ..well() }, Due::Certificate)]
#[case::the_new_authority_is_not_announced(
    Seen { serving: Some(serving(30, Signer::Former)), trusted_for: None, ..well() },
    Due::Nothing
)]
#[case::it_is_but_not_everywhere(
    Seen { serving: Some(serving(30, Signer::Former)), trusted_for: Some(Span::seconds(59)), ..well() },
    Due::Nothing
)]
#[case::it_is(Seen { serving: Some(serving(30, Signer::Former)), trusted_for: Some(SETTLES), ..well() }, Due::Certificate)]
#[case::never_announced_and_the_certificate_is_over(
    Seen { serving: Some(serving(90, Signer::Former)), trusted_for: None, ..well() },
    Due::Certificate
)]
#[case::the_former_is_kept_for_a_day(
    Seen { former: Some(made(244, AUTHORITY_LIFE)), serving: Some(serving(0, Signer::Authority)), ..well() },
    Due::Nothing
)]
#[case::then_forgotten(
    Seen { former: Some(made(244, AUTHORITY_LIFE)), serving: Some(serving(1, Signer::Authority)), ..well() },
    Due::Forget
)]
fn what_is_due(#[case] seen: Seen, #[case] expected: Due) {
    assert_eq!(due(&seen, start()), expected);
}

fn names() -> Vec<String> {
    vec!["web.ns.svc".to_owned()]
}

/// Everything that is due at a moment, as a replica does it in one look. `trusted` is what API servers trust, and since when.
fn look(mut held: Held, trusted: (&str, Time), now: Time) -> Held {
    for _ in 0..3 {
        let trusts = held.authority().is_some_and(|authority| trusted.0.contains(authority));
        let trusted_for = trusts.then(|| now.since(trusted.1));
        let due = due(&held.seen(&names(), trusted_for), now);
        held = held.renewed(due, &names(), now).unwrap();
    }
    held
}

fn first(now: Time) -> Held {
    look(Held::default(), ("", now), now)
}

fn stored(held: &Held) -> Held {
    let data = held.data();
    let data: serde_json::Map<_, _> =
        data.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    Held::read(&serde_json::from_value::<Secret>(json!({"data": data})).unwrap())
}

#[test]
fn for_three_years_what_is_served_is_good_and_was_trusted_before_it_was_served() {
    let mut now = start();
    let mut held = first(now);
    // What API servers trust, and since when.
    let (mut bundle, mut since) = (held.bundle(), now);
    let mut authorities = 1;
    for _ in 0..3 * 365 * 2 {
        let before = held.clone();
        now = now.plus(Span::hours(12));
        held = look(stored(&held), (&bundle, since), now);
        let seen = held.seen(&names(), None);
        let serving = seen.serving.unwrap();
        assert!(serving.validity.from < now && now < serving.validity.until, "{now}: {serving:?}");
        assert_ne!(serving.signer, Signer::Stranger, "{now}");
        if serving.signer == Signer::Authority {
            assert!(bundle.contains(held.authority().unwrap()), "{now}: served before it was announced");
        }
        authorities += u32::from(before.authority() != held.authority());
        if held.bundle() != bundle {
            (bundle, since) = (held.bundle(), now);
        }
        assert!(bundle.matches("BEGIN CERTIFICATE").count() <= 2, "{now}");
    }
    assert_eq!(authorities, 5, "one every eight months");
}

#[test]
fn what_does_not_belong_together_counts_as_absent() {
    let (one, other) = (first(start()), first(start()));
    let (mut data, others) = (one.data(), other.data());
    data["tls.key"] = others["tls.key"].clone();
    data["ca.crt"] = json!("bm8gY2VydGlmaWNhdGU=");
    data.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let read = Held::read(&serde_json::from_value(json!({"data": data})).unwrap());
    let seen = read.seen(&names(), None);
    assert_eq!((seen.authority, seen.serving), (None, None));
    assert_eq!(due(&seen, start()), Due::Authority);
}

#[test]
fn keys_are_not_shown() {
    let shown = format!("{:?}", first(start()));
    assert!(shown.contains("BEGIN CERTIFICATE") && !shown.contains("PRIVATE"), "{shown}");
}
