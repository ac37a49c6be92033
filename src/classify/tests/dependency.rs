use rstest::rstest;

use super::found;

/// The same file with `1.2.3` in it, and with something else in its place.
fn with(path: &str, text: &str, version: &str) -> String {
    found(path, Some(text), Some(&text.replace("1.2.3", version)))
}

#[rstest]
#[case("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = { version = \"1.2.3\", features = [\"x\"] }\n")]
#[case("Cargo.toml", "[workspace.dependencies]\nb = \"1.2.3\"\n")]
#[case("Cargo.lock", "[[package]]\nname = \"b\"\nversion = \"1.2.3\"\nsource = \"registry+https://x\"\n")]
#[case("poetry.lock", "[[package]]\nname = \"b\"\nversion = \"1.2.3\"\n")]
#[case("package.json", "{\"name\": \"a\", \"devDependencies\": {\"b\": \"^1.2.3\"}}")]
#[case(
    "package-lock.json",
    "{\"packages\": {\"\": {}, \"node_modules/@c/b\": {\"version\": \"1.2.3\", \"resolved\": \"https://r/b-1.2.3.tgz\"}}}"
)]
#[case("package-lock.json", "{\"dependencies\": {\"b\": {\"version\": \"1.2.3\"}}}")]
#[case("pnpm-lock.yaml", "packages:\n  '@c/b@1.2.3(d@4)': {resolution: {integrity: sha512-a}}\n")]
#[case("yarn.lock", "b@^1.0.0, b@^1.1.0:\n  version \"1.2.3\"\n  resolved \"https://r/b-1.2.3.tgz#a\"\n")]
#[case(
    "yarn.lock",
    "__metadata:\n  version: 8\n\n\"b@npm:^1.0.0\":\n  version: 1.2.3\n  resolution: \"b@npm:1.2.3\"\n"
)]
#[case("go.mod", "module a\n\ngo 1.24\n\nrequire (\n\tb.org/c v1.2.3 // indirect\n)\n")]
#[case("go.sum", "b.org/c v1.2.3 h1:a=\nb.org/c v1.2.3/go.mod h1:b=\n")]
#[case("requirements.txt", "# why\nb[x]==1.2.3 ; python_version > '3' # here\n")]
#[case("pyproject.toml", "[project]\ndependencies = [\"b~=1.2.3\"]\n")]
#[case("pyproject.toml", "[tool.poetry.dependencies]\nb = \"^1.2.3\"\n")]
#[case(
    "pom.xml",
    "<project><properties><b.version>1.2.3</b.version></properties><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>${b.version}</version></dependency></dependencies></project>"
)]
#[case("gradle.lockfile", "a:b:1.2.3=runtimeClasspath\nempty=\n")]
#[case(
    "gradle/libs.versions.toml",
    "[versions]\nb = \"1.2.3\"\n[libraries]\nb = { module = \"a:b\", version.ref = \"b\" }\n"
)]
#[case(
    "Gemfile.lock",
    "GEM\n  remote: https://rubygems.org/\n  specs:\n    b (1.2.3)\n      c (>= 1)\n\nDEPENDENCIES\n  b\n"
)]
#[case("composer.json", "{\"require\": {\"a/b\": \"^1.2.3\"}}")]
#[case("composer.lock", "{\"packages\": [{\"name\": \"a/b\", \"version\": \"v1.2.3\"}], \"packages-dev\": []}")]
fn another_version(#[case] path: &str, #[case] text: &str) {
    assert_eq!(with(path, text, "1.3.0"), "dependency-minor", "{path}");
    assert_eq!(with(path, text, "2.0.0"), "dependency-major", "{path}");
}

#[rstest]
#[case::new("Cargo.toml", "[dependencies]\n", "[dependencies]\nb = \"1\"\n", "dependency-major")]
#[case::gone("Cargo.toml", "[dependencies]\nb = \"1\"\n", "[dependencies]\n", "dependency-minor")]
#[case::from_git(
    "Cargo.toml",
    "[dependencies]\nb = \"1\"\n",
    "[dependencies]\nb = { git = \"https://x\" }\n",
    "dependency-major"
)]
#[case::patched(
    "Cargo.toml",
    "[dependencies]\n",
    "[dependencies]\n[patch.crates-io]\nb = { path = \"b\" }\n",
    "dependency-major"
)]
#[case::own_version(
    "Cargo.toml",
    "[package]\nname = \"a\"\nversion = \"1.0.0\"\n",
    "[package]\nname = \"a\"\nversion = \"2.0.0\"\n",
    "metadata"
)]
#[case::more_than_dependencies(
    "Cargo.toml",
    "[profile.release]\nlto = true\n",
    "[profile.release]\nlto = false\n",
    "unclassified-code"
)]
#[case::scripts(
    "package.json",
    "{\"scripts\": {\"start\": \"a\"}}",
    "{\"scripts\": {\"start\": \"b\"}}",
    "unclassified-code"
)]
#[case::broken("package.json", "{}", "{", "dependency-major")]
#[case::another_registry(
    "package-lock.json",
    "{\"packages\": {\"node_modules/b\": {\"version\": \"1.0.0\", \"resolved\": \"https://r/b.tgz\"}}}",
    "{\"packages\": {\"node_modules/b\": {\"version\": \"1.0.0\", \"resolved\": \"https://evil/b.tgz\"}}}",
    "dependency-major"
)]
#[case::another_sum("go.sum", "b v1.0.0 h1:a=\n", "b v1.0.0 h1:c=\n", "dependency-major")]
#[case::replaced("go.mod", "module a\n", "module a\nreplace b => ../b\n", "dependency-major")]
#[case::another_index("requirements.txt", "b==1.0\n", "--index-url https://x\nb==1.0\n", "dependency-major")]
#[case::exclusion(
    "pom.xml",
    "<project><build><a>1</a></build></project>",
    "<project><build><a>2</a></build></project>",
    "unclassified-code"
)]
fn other_changes(#[case] path: &str, #[case] before: &str, #[case] after: &str, #[case] expected: &str) {
    assert_eq!(found(path, Some(before), Some(after)), expected);
}
