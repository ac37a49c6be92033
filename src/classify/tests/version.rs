use rstest::rstest;

use crate::classify::version::Step::{self, Major, Minor, Same};
use crate::classify::version::{requirement_step, step};

#[rstest]
#[case("1.2.3", "1.2.3", Same)]
#[case("1.2.3", "1.2.4", Minor)]
#[case("1.2.3", "1.3.0", Minor)]
#[case("1.3.0", "1.2.3", Minor)]
#[case("1.2.3", "2.0.0", Major)]
#[case("2.0.0", "1.9.9", Major)]
#[case("v1.2.3", "v1.2.4", Minor)]
#[case("0.4.1", "0.4.2", Minor)]
#[case("0.4.1", "0.5.0", Major)]
#[case("0.0.1", "0.0.2", Major)]
#[case("1.0.0-rc.1", "1.0.0", Major)]
#[case("1.4b2", "1.4", Major)]
#[case("1.2.3+build.1", "1.2.3+build.2", Minor)]
#[case("5.3.1.Final", "5.3.2.Final", Minor)]
#[case("32.0-jre", "32.1-jre", Minor)]
#[case("1.2", "1.2.0.4", Minor)]
#[case("latest", "stable", Major)]
#[case("${version}", "1.0", Major)]
#[case("", "1.0", Major)]
#[case("99999999999999999999999.1", "1.0", Major)]
fn between_versions(#[case] before: &str, #[case] after: &str, #[case] expected: Step) {
    assert_eq!(step(before, after), expected);
}

#[rstest]
#[case("^1.2", "^1.4", Minor)]
#[case("^1.2", "~1.4", Minor)]
#[case("1.2", "=1.2", Minor)]
#[case("^1.2", "^2.0", Major)]
#[case("~> 3.0", "~> 3.1", Minor)]
#[case("==1.0", "==1.1", Minor)]
#[case(">=1.0", ">=1.1", Minor)]
#[case("1.0", ">=1.0", Major)]
#[case(">=1,<2", ">=1,<3", Major)]
#[case("1.x", "1.2", Major)]
#[case("*", "1.0", Major)]
#[case("git+https://a/b", "1.0", Major)]
#[case("^1 || ^2", "^1 || ^2", Same)]
fn between_requirements(#[case] before: &str, #[case] after: &str, #[case] expected: Step) {
    assert_eq!(requirement_step(before, after), expected);
}
