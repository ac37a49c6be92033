//! What is due with the certificates: a pure decision.
//!
//! The API server must trust an authority before anything is served that the authority signed. So a new authority is made
//! first and announced beside the former one; only when it has been announced for [`SETTLES`] a certificate is signed by
//! it; and the former is forgotten a day after that. At no moment is a certificate served that is not trusted.

use crate::api::{Span, Time};

/// How long an authority is good for.
pub const AUTHORITY_LIFE: Span = Span::days(365);
/// How long a serving certificate is good for.
pub const CERTIFICATE_LIFE: Span = Span::days(90);
/// How far the start of what is made is set back, for clocks that are behind.
pub const SET_BACK: Span = Span::hours(1);
/// How long all API servers may take to notice a changed webhook configuration.
pub const SETTLES: Span = Span::minutes(1);
/// How long the former authority stays trusted after the new one has signed: longer than any replica takes to notice.
pub const FORMER_KEPT: Span = Span::days(1);

// What an authority signs when it is nearly due itself must not outlive it.
const _: () = assert!(AUTHORITY_LIFE.as_millis() / 3 >= CERTIFICATE_LIFE.as_millis());

/// From when to when something is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Time,
    /// The last.
    pub until: Time,
}

impl Validity {
    /// Whether two thirds of its life have passed.
    fn is_due(self, now: Time) -> bool {
        let life = self.until.since(self.from).as_millis();
        now.since(self.from).as_millis() >= life / 3 * 2
    }

    fn is_over(self, now: Time) -> bool {
        now >= self.until
    }
}

/// Who signed the serving certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The present authority.
    Authority,
    /// The one before it, which is trusted still.
    Former,
    /// Somebody whom the API server does not trust.
    Stranger,
}

/// The serving certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serving {
    /// When it is good.
    pub validity: Validity,
    /// Who signed it.
    pub signer: Signer,
    /// Whether it has the names by which the API server calls.
    pub names_fit: bool,
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The authority that signs.
    pub authority: Option<Validity>,
    /// The one before it.
    pub former: Option<Validity>,
    /// What is served.
    pub serving: Option<Serving>,
    /// For how long the API server has been known to trust the authority; none where it does not yet.
    pub trusted_for: Option<Span>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing at present.
    Nothing,
    /// A new authority; the present one becomes the former.
    Authority,
    /// A serving certificate, signed by the authority.
    Certificate,
    /// The former authority need not be trusted any more.
    Forget,
}

/// What is due now.
pub fn due(seen: &Seen, now: Time) -> Due {
    if seen.authority.is_none_or(|authority| authority.is_due(now)) {
        return Due::Authority;
    }
    let Some(serving) = seen.serving else { return Due::Certificate };
    // Nobody can call with it: nothing is lost by signing before the API server knows.
    if serving.validity.is_over(now) || !serving.names_fit {
        return Due::Certificate;
    }
    match serving.signer {
        Signer::Stranger => Due::Certificate,
        Signer::Former if seen.trusted_for.is_some_and(|span| span >= SETTLES) => Due::Certificate,
        Signer::Former => Due::Nothing,
        Signer::Authority if serving.validity.is_due(now) => Due::Certificate,
        Signer::Authority => {
            let forget = |former: Validity| former.is_over(now) || now.since(serving.validity.from) >= FORMER_KEPT;
            if seen.former.is_some_and(forget) { Due::Forget } else { Due::Nothing }
        }
    }
}
