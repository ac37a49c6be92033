//! What counts as a rollback, and so waits for nothing: records tell whether users were served by it lately.

use super::{Checkers, NAMESPACE, Rule, Seen, text, time};
use crate::api::Time;
use crate::cluster::kind::GATED_RELEASE;

/// An attempt that ended, as its record told.
#[derive(Debug)]
pub(super) struct Ended {
    release: String,
    revision: String,
    stable: Option<String>,
    outcome: String,
    /// It was itself a rollback.
    went_back: bool,
    at: Time,
}

/// A record was written.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let (Some(release), Some(revision)) = (text(after, "/spec/release"), text(after, "/spec/revision")) else { return };
    let went_back = text(after, "/spec/change/type") == Some("Rollback");
    // Of what ran ungated a record repeats what was claimed.
    if seen.before.is_none() && went_back && text(after, "/spec/closedAs").is_none() {
        believed(checkers, seen, release, revision);
    }
    let was = seen.before.and_then(|before| text(before, "/status/outcome"));
    if let (None, Some(outcome), Some(at)) = (was, text(after, "/status/outcome"), time(after, "/status/endedAt")) {
        checkers.ended.push(Ended {
            release: release.to_owned(),
            revision: revision.to_owned(),
            stable: text(after, "/spec/stable").map(str::to_owned),
            outcome: outcome.to_owned(),
            went_back,
            at,
        });
    }
}

fn believed(checkers: &mut Checkers, seen: &Seen<'_>, release: &str, revision: &str) {
    let ended: Vec<&Ended> = checkers.ended.iter().filter(|one| one.release == release).collect();
    // A GatedRelease that was made anew knows what its last record tells, and that is less than what went before.
    let made =
        seen.objects.get(&GATED_RELEASE, NAMESPACE, release).and_then(|it| time(it, "/metadata/creationTimestamp"));
    let anew = made.zip(ended.first()).is_none_or(|(made, first)| made >= first.at);
    if !anew && !is_way_back(&ended, revision) {
        let says =
            format!("{} ships {revision} as a rollback: no user was served by it lately, or it was left", seen.name);
        checkers.violated(Rule::Believed, seen.now, says);
    }
}

/// Whether users were served by a revision, and it neither came back since nor was left by a rollback.
fn is_way_back(ended: &[&Ended], revision: &str) -> bool {
    let Some(served) = served(ended, revision) else { return false };
    !(served + 1..ended.len()).any(|place| {
        let (before, one) = (&ended[..place], ended[place]);
        let came_back = matches!(one.outcome.as_str(), "RolledBack" | "NotWithdrawn")
            && one.revision == revision
            && one.stable.as_deref() != Some(revision);
        let returns = one.outcome == "Bypassed" || one.outcome == "Succeeded" && one.went_back;
        let left = returns
            && one.revision != revision
            && self::served(before, &one.revision).is_some_and(|older| older < served)
            && is_way_back(before, &one.revision);
        came_back || left
    })
}

/// The last time that a revision completed.
fn served(ended: &[&Ended], revision: &str) -> Option<usize> {
    ended.iter().rposition(|one| one.revision == revision && matches!(one.outcome.as_str(), "Succeeded" | "Bootstrap"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn ended(line: &str) -> Vec<Ended> {
        let one = |word: &str| {
            let (revision, outcome) = word.split_once(':').unwrap();
            let went_back = outcome == "Back";
            let outcome = if went_back { "Succeeded" } else { outcome };
            Ended {
                release: "web".to_owned(),
                revision: revision.to_owned(),
                stable: None,
                outcome: outcome.to_owned(),
                went_back,
                at: Time("2026-01-01T09:00:00Z".parse().unwrap()),
            }
        };
        line.split(' ').map(one).collect()
    }

    #[rstest]
    #[case::left_as_it_was("a:Bootstrap b:Succeeded", "a", true)]
    #[case::never_ran("a:Bootstrap b:Succeeded", "c", false)]
    #[case::came_back("a:Bootstrap b:RolledBack", "b", false)]
    #[case::never_completed("a:Bootstrap b:Bypassed c:Succeeded", "b", false)]
    #[case::left_by_a_rollback("a:Bootstrap b:Succeeded a:Back", "b", false)]
    #[case::left_under_break_glass("a:Bootstrap b:Succeeded a:Bypassed", "b", false)]
    #[case::the_way_back_failed("a:Bootstrap b:Succeeded a:RolledBack", "a", false)]
    #[case::what_it_failed_for_stays("a:Bootstrap b:Succeeded a:RolledBack", "b", true)]
    #[case::back_and_further_back("a:Bootstrap b:Succeeded c:Succeeded b:Back", "a", true)]
    #[case::completed_again("a:Bootstrap b:Succeeded a:Back b:Succeeded c:Succeeded", "b", true)]
    fn a_way_back(#[case] line: &str, #[case] revision: &str, #[case] is: bool) {
        let all = ended(line);
        assert_eq!(is_way_back(&all.iter().collect::<Vec<_>>(), revision), is);
    }
}
