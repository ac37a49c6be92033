use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::policy::Category;

const AT: &str = "2026-01-01T10:00:00.123456789Z";

fn spec(name: usize, text: &str) -> ReleaseRecordSpec {
    let name = "n".repeat(name);
    let mut spec: ReleaseRecordSpec = serde_json::from_value(json!({
        "release": name, "attempt": 4_294_967_295_u32, "workloadUid": "u".repeat(36), "revision": "r".repeat(10),
        "stable": "s".repeat(10), "stableReplicaSet": name, "riskBudget": name, "budgetBefore": name, "arm": "Workload",
        "previousDigest": format!("sha256:{}", "a".repeat(64)), "changedBy": text, "retry": "2026-01-01T10:00:00Z",
        "change": {"reference": text, "type": "SecurityFix", "severity": "P0", "categories": vec![text; 32]},
    }))
    .unwrap();
    trim(&mut spec);
    spec
}

fn status(text: &str, stages: usize, listed: usize, approvals: usize) -> ReleaseRecordStatus {
    let at_most = |characters| super::super::wording::at_most(characters, text);
    let roles = ["product-manager", "sre", "development-manager", "vp-engineering"];
    // The oldest are asked by the process, the others met requirements.
    let meets = |number: usize| vec!["penetration-test-sign-off"; if number < 4 { 0 } else { listed / 4 }];
    let approval = |number: usize| json!({"role": roles[number % 4], "author": at_most(256), "at": AT, "before": "100 %", "meets": meets(number)});
    let stage = json!({"weight": 100, "bake": "23h59m59s", "startedAt": AT, "passedAt": AT, "pods": {"new": 100, "of": 100}, "verdict": at_most(256)});
    serde_json::from_value(json!({
        "phase": "Rollback", "phaseSince": AT, "budget": {"status": "Emergency", "remainingPercent": 9.1},
        "assessment": {
            "points": 999, "score": at_most(160), "terms": vec![at_most(120); listed.min(16)], "gate": "G4", "why": at_most(256),
            "band": "Exhausted", "categories": vec!["schema-migration-additive"; listed.min(40)], "riskClass": "High", "diffLines": 99_999,
            "shown": vec![json!({"by": at_most(80), "names": vec!["penetration-test-sign-off"; listed / 4]}); listed.min(40)],
            "notShown": vec!["penetration-test-sign-off"; listed], "exception": at_most(256),
            "authors": {"names": vec!["a".repeat(61); 8], "known": true},
        },
        "charge": {"sequence": 999_999, "points": 999, "at": AT, "exception": true},
        "approvals": (0..approvals).map(approval).collect::<Vec<_>>(),
        "stages": vec![stage; stages], "stage": 19, "verify": "23h59m59s", "baselineLatency": 0.123_456_789,
        "hold": {"reason": "VerificationIncomplete", "message": at_most(1000), "since": AT, "deadline": AT},
        "promotion": {"resumedAt": AT, "rolledAt": AT, "halfAt": AT, "passedAt": AT, "homeAt": AT, "verifiedAt": AT},
        "rollback": {"trigger": "RouteNotEffective", "value": at_most(256), "threshold": at_most(256), "at": AT, "phase": "Promote",
                     "fromWeight": 100, "trafficTo": "t".repeat(63), "homeAt": AT, "took": "23h59m59s", "withinTimeBudget": false,
                     "stateAfter": at_most(256), "check": at_most(256)},
        "wouldHave": vec![json!({"trigger": "BusinessMetric", "value": at_most(128), "threshold": at_most(128), "at": AT}); listed.min(4)],
        "worsened": {"at": AT, "status": "Emergency", "remainingPercent": 9.1, "band": "Exhausted"},
        "outcome": "NotWithdrawn", "endedAt": AT, "summary": at_most(1000),
    }))
    .unwrap()
}

/// As a record is stored: name, spec and status in canonical JSON, its digest included.
fn stored(spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) -> usize {
    let digest = Some(format!("sha256:{}", "a".repeat(64)));
    let said = ReleaseRecordStatus { digest, ..status.clone() };
    serde_json_canonicalizer::to_vec(&json!({"spec": spec, "status": said})).unwrap().len()
}

/// What of a status is decided by, as JSON.
fn decided(status: &ReleaseRecordStatus) -> Value {
    let stages: Vec<_> = status.stages.iter().map(|one| (one.spec, one.started_at, one.passed_at)).collect();
    let log = status.rollback.as_ref().map(|log| (log.trigger, log.at, log.home_at, log.traffic_to.clone()));
    let hold = status.hold.as_ref().map(|hold| (hold.reason.clone(), hold.since, hold.deadline));
    let assessed =
        status.assessment.as_ref().map(|it| (it.points, it.gate, it.exception.is_some(), it.not_shown.is_empty()));
    let agree = |role: &str| status.approvals.iter().any(|one| one.role == role && one.meets.is_empty());
    let asked = [agree("product-manager"), agree("development-manager")];
    json!([stages, log, hold, assessed, asked, &status.promotion, &status.charge, status.outcome, status.ended_at])
}

/// G3, four stages, ten requirements, four approvals, a rollback.
fn ordinary() -> (ReleaseRecordSpec, Value) {
    let at = "2026-01-01T10:00:00.123Z";
    let spec: ReleaseRecordSpec = serde_json::from_value(json!({
        "release": "checkout", "attempt": 41, "workloadUid": "0b6a5b0e-54d5-4c0a-9d5b-6a3c7a1f0b5e", "revision": "6c9f7d5b84".repeat(4),
        "stable": "1f9a7b3c5d".repeat(4), "stableReplicaSet": "checkout-7c5d9f8b64", "riskBudget": "checkout", "arm": "Canary",
        "previousDigest": format!("sha256:{}", "a".repeat(64)), "changedBy": "system:serviceaccount:flux-system:kustomize-controller",
        "change": {"reference": format!("git:{}", "4".repeat(40)), "type": "Feature", "categories": ["api-compatible", "dependency-minor"]},
    }))
    .unwrap();
    let approval = |role: &str| json!({"role": role, "author": format!("{role}@example.org"), "at": at, "before": "start", "meets": ["code-owner-review"]});
    let stage = |weight: u32| json!({"weight": weight, "bake": "15m", "startedAt": at, "passedAt": at, "verdict": "error rate 0.02 % of 12,042 requests (limit 1 %), p95 182 ms (stable 175 ms, limit 2 times)"});
    let term = "+6 API contract changes, dependency upgrades (000 §5.3, Diff Risk): api-compatible (attested by system:serviceaccount:ci:pipeline)";
    let status = json!({
        "phase": "Rollback", "phaseSince": at, "budget": {"status": "Healthy", "remainingPercent": 72.4, "band": "Green"},
        "assessment": {
            "points": 14, "score": "14 RP = 6 base + 10 diff + 0 context - 2 mitigations", "terms": vec![term; 6], "gate": "G3",
            "why": "14 RP → G3", "band": "Green", "categories": ["api-compatible", "dependency-minor"], "riskClass": "Medium", "diffLines": 312,
            "shown": [
                {"by": "system:serviceaccount:ci:pipeline", "names": [
                    "lint", "build", "unit-tests", "static-analysis", "sast", "sca", "staging-deploy", "smoke-tests", "integration-tests",
                    "e2e-tests", "feature-flag", "rollback-rehearsal",
                ]},
                {"by": "approvals", "names": ["peer-review", "code-owner-review", "release-captain"]},
                {"by": "ann@example.org", "names": ["release-plan", "observability", "manual-qa", "on-call-presence", "post-release-checklist"]},
                {"by": "Tidegate", "names": ["rollback-plan", "staged-rollout", "health-gates"]},
            ],
            "authors": {"names": ["bob@example.org", "ann@example.org"], "known": true},
        },
        "charge": {"sequence": 12, "points": 14, "at": at, "remaining": 141, "remainingAfter": 127},
        "approvals": (["code-owner", "release-captain", "senior-engineer", "sre"].map(approval)),
        "stages": ([5, 25, 50, 100].map(stage)), "stage": 3, "verify": "1h", "baselineLatency": 0.175,
        "promotion": {"resumedAt": at, "rolledAt": at, "halfAt": at, "passedAt": at, "homeAt": at},
        "rollback": {"trigger": "ErrorRate", "value": "2.4 % of 1,930 requests", "threshold": "1 %", "at": at, "phase": "Verify",
                     "fromWeight": 100, "trafficTo": "checkout-previous", "homeAt": at, "took": "38s", "withinTimeBudget": true,
                     "stateAfter": "The Deployment runs the version that came back, without traffic, until Git reverts or fixes it.",
                     "check": "Error rate 0.02 %, p95 175 ms after the rollback: as before."},
        "outcome": "RolledBack", "endedAt": at,
        "summary": "git:4444444 rolled back from 100 %: ErrorRate: 2.4 % of 1,930 requests, limit 1 %. The previous version serves until Git reverts or fixes it.",
    });
    (spec, status)
}

/// The same as others have it: what is different, as a merge patch.
#[rstest]
#[case::rolled_back_late(json!({}))]
#[case::conservative(json!({
    "rollback": null, "verify": "24h", "outcome": "Succeeded", "budget": {"status": "Warning", "remainingPercent": 41.7},
    "promotion": {"resumedAt": AT, "rolledAt": AT, "halfAt": AT, "passedAt": AT, "homeAt": AT, "verifiedAt": AT},
    "summary": "git:4444444 is in the Deployment, verified for 24h: no limit was exceeded.",
}))]
#[case::an_exception_in_an_incident(json!({
    "charge": {"sequence": 12, "points": 36, "at": AT, "exception": true, "remaining": 9, "remainingAfter": -27},
    "assessment": {
        "gate": "G4", "band": "Red", "why": "24 RP → G4; Red: +1; an incident goes on: only fixes and exceptions", "riskClass": "High",
        "exception": "eve@example.org: customers cannot pay; agreed to by development-manager, on-call, product-manager, vp-engineering",
        "notShown": ["penetration-test", "manual-qa"],
    },
    "worsened": {"at": AT, "status": "Critical", "remainingPercent": 22.5, "band": "Red"},
    "rollback": null, "outcome": "Succeeded", "summary": "git:4444444 is in the Deployment, verified for 1h.",
    "approvals": (["development-manager", "on-call", "product-manager", "vp-engineering"].map(|role| json!({
        "role": role, "author": format!("{role}@example.org"), "at": AT, "before": "start", "meets": ["exception"],
    }))),
}))]
#[case::superseded_unseen(json!({
    "charge": null, "stages": [], "stage": 0, "promotion": null, "rollback": null, "outcome": "Superseded",
    "summary": "git:4444444 was superseded by git:5555555 before any user met it; it costs nothing.",
}))]
fn an_ordinary_record_takes_less_than_six_kilobytes_and_is_not_cut(#[case] patch: Value) {
    let (spec, mut status) = ordinary();
    merge(&mut status, patch);
    let before: ReleaseRecordStatus = serde_json::from_value(status).unwrap();
    let mut after = before.clone();
    assert!(!fit(&spec, &mut after) && after == before);
    assert!(stored(&spec, &after) <= 6 * 1024, "{}", stored(&spec, &after));
}

fn merge(object: &mut Value, patch: Value) {
    json_patch::merge(object, &patch);
}

#[test]
fn known_categories_are_never_cut() {
    let longest = Category::ALL.iter().map(|one| one.as_str().len()).max().unwrap();
    assert!(longest <= WORD, "{longest}");
}

#[test]
fn what_was_cut_is_told_and_counted() {
    let mut all: Vec<String> = (0..20).map(|number| format!("one-{number}")).collect();
    list(&mut all, 8);
    assert_eq!((all.len(), all[8].as_str()), (9, "and 12 more"));
    all.push("late".to_owned());
    list(&mut all, 8);
    assert_eq!(all.len(), 9, "{all:?}");
    list(&mut all, 2);
    assert_eq!(all[..2], ["one-0", "one-1"]);
    assert!(told(&all[2]).is_some_and(|more| more >= 18), "{all:?}");
    let mut text = "a \"quoted\" text".to_owned();
    cut(&mut text, 9);
    assert_eq!(text, "a \"qu…");
}

/// Everything at its bound, in letters that take most room.
#[test]
fn the_largest_record_takes_nine_kilobytes() {
    for letter in ["x", "\"", "😀", "\u{1}"] {
        let spec = spec(253, &letter.repeat(256));
        let mut status = status(&letter.repeat(2_000), 20, 48, 64);
        let before = decided(&status);
        assert!(fit(&spec, &mut status));
        assert!(stored(&spec, &status) <= RECORD_MAX, "{letter:?}: {}", stored(&spec, &status));
        assert_eq!(decided(&status), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_record_fits_keeps_what_is_decided_by_and_is_cut_once(
        name in 1_usize..=253,
        text in "\\PC{0,400}",
        stages in 0_usize..=20,
        listed in 0_usize..=48,
        approvals in 0_usize..=64,
    ) {
        let spec = spec(name, &text);
        let mut status = status(&text, stages, listed, approvals);
        let before = decided(&status);
        fit(&spec, &mut status);
        prop_assert!(stored(&spec, &status) <= RECORD_MAX, "{}", stored(&spec, &status));
        prop_assert_eq!(decided(&status), before);
        let once = status.clone();
        prop_assert!(!fit(&spec, &mut status));
        prop_assert_eq!(status, once);
    }
}
