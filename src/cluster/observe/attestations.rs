//! Attestations about one GatedRelease, or one RiskBudget: the one place where an object becomes what somebody attested.
//! Admission has proved their authors; statements are proved here by their signatures.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;
use crate::api::attestation::SubjectRef;
use crate::api::names::{RELEASE, label_value};
use crate::api::{AttestationSpec, Time};
use crate::cluster::kind::ATTESTATION;
use crate::cluster::{Cluster, Error};
use crate::policy::Attested;
use crate::release::snapshot::{
    ATTESTATIONS_AUTHOR_MAX, ATTESTATIONS_MAX, ATTESTATIONS_READ_MAX, AttestationSeen, Proof,
};
use crate::statement::{Issuers, verify};

/// How many with a statement that does not count are told of.
const REFUSED_MAX: usize = 50;

/// How many are read and heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of one author the newest so many, so that nobody drowns others.
    pub author: usize,
    /// Of all authors together.
    pub all: usize,
    /// That are looked at.
    pub read: usize,
}

impl Bounds {
    /// As they hold.
    pub const USUAL: Self =
        Self { author: ATTESTATIONS_AUTHOR_MAX, all: ATTESTATIONS_MAX, read: ATTESTATIONS_READ_MAX };
}

/// All about a release, in the order in which they were made. One that cannot be read is nobody's word. Of one author
/// the newest are heard, up to a bound: who says more takes back what they said before. Where there are too many all the
/// same, none is heard, and the second value says so: a rejection or a withdrawal may be among the others.
pub async fn of_release(
    cluster: &Cluster,
    namespace: &str,
    release: &str,
    issuers: &Issuers,
    bounds: Bounds,
) -> Result<(Vec<AttestationSeen>, bool), Error> {
    let subject = SubjectRef::release(release);
    let mut authors = Authors { most: bounds.author, said: BTreeMap::new() };
    let labels = label(release);
    let pages = cluster.list_pages(&ATTESTATION, namespace, &labels, bounds.read, |page| {
        page.into_iter().filter(|object| names(object, &subject)).for_each(|object| authors.hear(object));
    });
    let more = match pages.await {
        Ok(more) => more,
        // Somebody deleted the kind, and with it all that was said: users still have to be brought home.
        Err(Error::Refused { code: 404, .. }) => return Ok((Vec::new(), false)),
        Err(other) => return Err(other),
    };
    let said = authors.all();
    if more || said.len() > bounds.all {
        return Ok((Vec::new(), true));
    }
    let seen = said.into_iter().filter_map(|object| attested(object, &subject));
    Ok((newest(seen.map(|one| proved(one, namespace, issuers)).collect()), false))
}

/// All about a RiskBudget, in the order in which they were made: approvals of what it would allow more, charges, what people
/// did that they owed. One that cannot be read is nobody's word, nor is one that carries a statement: no signature stands for
/// any of these, their authors are proved at admission.
pub async fn of_budget(cluster: &Cluster, namespace: &str, budget: &str) -> Result<Vec<Attested>, Error> {
    let objects = cluster.list_all(&ATTESTATION, namespace, &label(budget)).await?;
    let subject = SubjectRef::budget(budget);
    let all = objects.into_iter().filter_map(|object| attested(object, &subject));
    let mut all: Vec<Attested> = all.filter(|one| one.spec.statement.is_none()).collect();
    all.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(all)
}

/// By what they are found: admission gives each the label of what it is about. A name that is too long for one has none, and
/// all of the namespace are looked through.
fn label(name: &str) -> String {
    if label_value(name) == name { format!("{RELEASE}={name}") } else { String::new() }
}

/// Whether it is about just this object; by the label others of its name are found as well.
fn names(object: &Value, subject: &SubjectRef) -> bool {
    serde_json::from_value(object["spec"]["releaseRef"].clone()).is_ok_and(|named: SubjectRef| named == *subject)
}

/// What each author said, of each the newest. Admission has proved who they are, also of those who bring statements.
struct Authors {
    most: usize,
    said: BTreeMap<String, Vec<Value>>,
}

impl Authors {
    fn hear(&mut self, object: Value) {
        let said = self.said.entry(text(&object, "/spec/author").unwrap_or_default().to_owned()).or_default();
        said.push(object);
        // Not at each one: twice as many are kept until they are sorted.
        if said.len() > self.most.saturating_mul(2) {
            Self::cut(said, self.most);
        }
    }

    fn cut(said: &mut Vec<Value>, most: usize) {
        // Times as an API server writes them are in the order of their texts.
        said.sort_by(|one, other| {
            text(one, "/metadata/creationTimestamp").cmp(&text(other, "/metadata/creationTimestamp"))
        });
        said.drain(..said.len().saturating_sub(most));
    }

    fn all(mut self) -> Vec<Value> {
        self.said.values_mut().for_each(|said| Self::cut(said, self.most));
        self.said.into_values().flatten().collect()
    }
}

/// All that count, and the newest that do not: as it takes no right of its own to make these, they are not carried along.
fn newest(all: Vec<AttestationSeen>) -> Vec<AttestationSeen> {
    let (mut refused, mut heard): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|one| matches!(one.proof, Proof::Refused(_)));
    refused.sort_by_key(|one| one.at);
    refused.drain(..refused.len().saturating_sub(REFUSED_MAX));
    heard.extend(refused);
    heard.sort_by_key(|one| one.at);
    heard
}

/// An object about this subject as what somebody attested.
fn attested(mut object: Value, subject: &SubjectRef) -> Option<Attested> {
    // What is being deleted was taken back.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let name = text(&object, "/metadata/name")?.to_owned();
    let at: Time = text(&object, "/metadata/creationTimestamp")?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    (spec.release_ref == *subject).then_some(Attested { name, at, spec })
}

/// With whose word it is. Reading a statement is a part of reading: what it says is nobody's word before its signature was
/// looked at.
fn proved(one: Attested, namespace: &str, issuers: &Issuers) -> AttestationSeen {
    let Attested { at, spec, .. } = one;
    let proof = match &spec.statement {
        None => Proof::Author,
        Some(text) => match verify(issuers, namespace, &spec, text, at) {
            Ok(signed) => Proof::Signed(signed),
            Err(why) => Proof::Refused(why.to_string()),
        },
    };
    AttestationSeen { spec, at, proof }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Span;
    use crate::statement::Words;
    use crate::statement::tests::sign::{self, With};
    use serde_json::json;

    const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

    /// As the API server shows one that a relay brought.
    fn object(made: &str, token: &str) -> Value {
        json!({
            "metadata": {"name": "a", "creationTimestamp": made},
            "spec": {"releaseRef": {"name": "checkout"}, "revision": DIGEST, "type": "sast", "author": "relay",
                "statement": {"token": token}},
        })
    }

    fn token() -> String {
        let spec: AttestationSpec = serde_json::from_value(object("", "-")["spec"].clone()).unwrap();
        let audience = Words::of("shop", &spec).audience("tidegate").unwrap();
        sign::token(&json!({"alg": "RS256", "kid": "rsa"}), &sign::claims(&audience), With::Rsa)
    }

    fn read(object: Value, issuers: &Issuers) -> AttestationSeen {
        proved(attested(object, &SubjectRef::release("checkout")).unwrap(), "shop", issuers)
    }

    fn proof(object: Value, issuers: &Issuers) -> Proof {
        read(object, issuers).proof
    }

    #[test]
    fn a_statement_is_its_signers_word_and_judged_by_when_it_was_made() {
        let issuers = Issuers::parse(&sign::issuers().to_string()).unwrap();
        let Proof::Signed(signed) = proof(object("2026-01-02T10:00:00Z", &token()), &issuers) else {
            panic!("it does not count")
        };
        assert!(signed.by.starts_with("ci.example.com/acme/checkout/"), "{}", signed.by);
        let Proof::Refused(why) = proof(object("2026-01-02T10:10:00Z", &token()), &issuers) else {
            panic!("a copy that was made later counts")
        };
        assert!(why.starts_with("it expired "), "{why}");
        assert!(matches!(proof(object("2026-01-02T10:00:00Z", &token()), &Issuers::default()), Proof::Refused(_)));
    }

    #[test]
    fn without_a_statement_it_is_its_authors_word() {
        let mut plain = object("2026-01-02T10:00:00Z", "-");
        plain["spec"].as_object_mut().unwrap().remove("statement");
        assert_eq!(proof(plain, &Issuers::default()), Proof::Author);
    }

    #[test]
    fn of_one_author_the_newest_are_heard_and_others_are_heard_beside_them() {
        let said = |author: &str, second: u32| json!({"metadata": {"creationTimestamp": format!("2026-01-02T10:00:{second:02}Z")}, "spec": {"author": author}});
        let mut authors = Authors { most: 2, said: BTreeMap::new() };
        for second in [9, 3, 7, 1, 5, 8, 2] {
            authors.hear(said("relay", second));
        }
        authors.hear(said("ann", 0));
        assert_eq!(authors.all(), [said("ann", 0), said("relay", 8), said("relay", 9)]);
    }

    /// Who may only create attestations makes many that do not count: what was proved is heard all the same.
    #[test]
    fn what_does_not_count_takes_no_place() {
        let plain = read(object("2026-01-02T10:00:00Z", "-"), &Issuers::default());
        let at = |seconds, proof: Proof| AttestationSeen {
            at: plain.at.plus(Span::seconds(seconds)),
            proof,
            ..plain.clone()
        };
        let mut all = vec![at(0, Proof::Author)];
        all.extend((1..=5_000).map(|second| at(second, Proof::Refused("no".to_owned()))));
        let heard = newest(all);
        assert_eq!((heard.len(), &heard[0].proof), (1 + REFUSED_MAX, &Proof::Author));
        assert_eq!(heard.last().unwrap().at, plain.at.plus(Span::seconds(5_000)));
    }
}

#[cfg(all(test, feature = "sandbox"))]
mod paged {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::custom_resource_definitions;
    use crate::cluster::{Leadership, SystemClock};
    use crate::sandbox::api::ApiServer;
    use crate::sandbox::objects::Objects as _;
    use crate::sandbox::present::bare::{Bare, CRD, NAMESPACE, admin};

    #[tokio::test]
    async fn those_of_one_release_are_heard_and_none_where_they_are_too_many() {
        let mut api = ApiServer::new(1);
        for crd in custom_resource_definitions() {
            api.create(&admin(), &CRD, serde_json::to_value(crd).unwrap()).unwrap();
        }
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        let all = [("web", "ci"), ("other", "ci"), ("web", "ann"), ("web", "ci"), ("web", "ci")];
        for (number, (release, author)) in all.into_iter().enumerate() {
            let attestation = json!({
                "metadata": {"name": format!("a-{number}"), "namespace": "shop", "labels": {RELEASE: release}},
                "spec": {"releaseRef": {"name": release}, "revision": "abc", "type": "lint", "author": author},
            });
            api.create(&admin(), &ATTESTATION, attestation).unwrap();
        }
        let client = Bare::new(api).client(admin());
        let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "tidegate-0");
        let heard = async |author, all, most| {
            let bounds = Bounds { author, all, read: most };
            let (heard, too_many) = of_release(&cluster, "shop", "web", &Issuers::default(), bounds).await.unwrap();
            (heard.len(), too_many)
        };
        assert_eq!(heard(3, 4, 4).await, (4, false), "all");
        assert_eq!(heard(1, 2, 4).await, (2, false), "one of each author: nobody drowns another");
        assert_eq!(heard(3, 3, 4).await, (0, true), "more than are heard of all authors");
        assert_eq!(heard(3, 4, 3).await, (0, true), "more than are read");
    }

    #[tokio::test]
    async fn where_the_kind_was_deleted_nothing_was_said() {
        let mut api = ApiServer::new(1);
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        let client = Bare::new(api).client(admin());
        let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "tidegate-0");
        let answer = cluster.list(&ATTESTATION, "shop", "").await.unwrap_err();
        assert!(matches!(answer, Error::Refused { code: 404, .. }), "{answer}");
        let bounds = Bounds { author: 2, all: 2, read: 2 };
        let (heard, too_many) = of_release(&cluster, "shop", "web", &Issuers::default(), bounds).await.unwrap();
        assert_eq!((heard.len(), too_many), (0, false));
    }
}
