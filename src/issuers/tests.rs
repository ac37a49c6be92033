use std::collections::BTreeMap;

use futures::future::BoxFuture;
use rstest::rstest;

use super::*;

const DOCUMENT: &str = "https://ci.example.com/.well-known/openid-configuration";
const GOOD: &str = r#"{"issuer": "https://ci.example.com", "jwks_uri": "https://ci.example.com/keys"}"#;
const KEYS: &str =
    r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// What is published, by address.
struct Published(BTreeMap<&'static str, &'static str>);

impl Fetch for Published {
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        let found = self.0.get(url).map(|body| body.as_bytes().to_vec()).ok_or("answered 404 Not Found".to_owned());
        Box::pin(async move { found })
    }
}

#[rstest]
#[case::published(&[(DOCUMENT, GOOD), ("https://ci.example.com/keys", KEYS)], Ok(1))]
#[case::silent(&[], Err("openid-configuration: answered 404 Not Found"))]
#[case::no_document(&[(DOCUMENT, "<html>")], Err("is no discovery document"))]
#[case::another_issuer(&[(DOCUMENT, r#"{"issuer": "https://other", "jwks_uri": "https://ci.example.com/keys"}"#)],
    Err(r#"is of issuer "https://other", not "https://ci.example.com"; write oidc.issuer as it stands there"#))]
#[case::not_https(&[(DOCUMENT, r#"{"issuer": "https://ci.example.com", "jwks_uri": "http://ci.example.com/keys"}"#)],
    Err("which is not https; give the keys with oidc.jwks"))]
#[case::no_keys(&[(DOCUMENT, GOOD), ("https://ci.example.com/keys", r#"{"keys": []}"#)], Err("no key in it is of RSA"))]
#[tokio::test]
async fn keys_are_where_the_issuer_says(
    #[case] published: &[(&'static str, &'static str)],
    #[case] expected: Result<usize, &str>,
) {
    let found = discover(&Published(published.iter().copied().collect()), "https://ci.example.com").await;
    match (found, expected) {
        (Ok(keys), Ok(count)) => assert_eq!(keys.all().len(), count),
        (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
        (answer, _) => panic!("{answer:?}"),
    }
}

const ISSUERS: &str = "
issuers:
- name: ci
  oidc: {issuer: 'https://ci.example.com', audience: tidegate}
  trust: [{subjects: [acme/web], releases: [shop/web], types: [unit-tests]}]
";

fn keys(issuers: &Issuers) -> Result<Vec<String>, String> {
    let Party::Oidc { keys, .. } = &issuers.all()[0].party else { panic!("{issuers:?}") };
    keys.clone().map(|keys| keys.all().iter().filter_map(|key| key.id().map(str::to_owned)).collect())
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_takes_nothing_back() {
    let answers = Published([(DOCUMENT, GOOD), ("https://ci.example.com/keys", KEYS)].into());
    let silent = Published(BTreeMap::new());
    let issuers = Issuers::parse(ISSUERS).unwrap();
    assert_eq!(keys(&issuers), Err("the keys of https://ci.example.com were not fetched yet".to_owned()));

    let (issuers, whole) = looked(&issuers, &silent).await;
    assert!(!whole);
    assert!(keys(&issuers).unwrap_err().ends_with("answered 404 Not Found"));

    let (issuers, whole) = looked(&issuers, &answers).await;
    assert!(whole);
    assert_eq!(keys(&issuers), Ok(vec!["a".to_owned()]));

    let (issuers, whole) = looked(&issuers, &silent).await;
    assert!(!whole);
    assert_eq!(keys(&issuers), Ok(vec!["a".to_owned()]));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let why = load(Path::new("/nowhere/issuers.yaml")).unwrap_err();
    assert!(why.starts_with("--issuers /nowhere/issuers.yaml: "), "{why}");
}

#[tokio::test]
async fn only_other_keys_are_news() {
    let trusted = Trusted::new(Issuers::parse(ISSUERS).unwrap());
    let changes = trusted.changes();
    trusted.set(Issuers::parse(ISSUERS).unwrap());
    assert!(!changes.has_changed().unwrap());
    trusted.set(Issuers::parse(ISSUERS).unwrap().with_keys("ci", Keys::of_jwks(KEYS)));
    assert!(changes.has_changed().unwrap());
    assert_eq!(keys(&trusted.now()), Ok(vec!["a".to_owned()]));
}
