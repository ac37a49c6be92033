//! What HTTP clients of Tidegate's own are like that keep connections, and how much of an answer they take.

use std::sync::Arc;

use reqwest::Response;

/// The certificates of this machine, or of `SSL_CERT_FILE`. An image may have none: sources behind plain http need none,
/// and one behind https then says that its certificate is not trusted.
fn tls() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS could not be set up: {error}"))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Who asks, in the words of HTTP.
pub(crate) const USER_AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// A client to be: it says who asks, follows no redirects and trusts this machine's certificates.
pub(crate) fn http_client() -> Result<reqwest::ClientBuilder, String> {
    Ok(reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls()?))
}

/// What was read of an answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// As much of it as is read; there is more.
    Begins(Vec<u8>),
}

/// Reads `most` bytes of an answer and no more, whatever it says of its own length: who is asked may be broken, or worse.
pub(crate) async fn body(answer: &mut Response, most: usize) -> Result<Body, reqwest::Error> {
    let mut read = Vec::new();
    while let Some(part) = answer.chunk().await? {
        let room = most - read.len();
        if part.len() > room {
            read.extend_from_slice(&part[..room]);
            return Ok(Body::Begins(read));
        }
        read.extend_from_slice(&part);
    }
    Ok(Body::Whole(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use rstest::rstest;

    /// Longer than what comes at once.
    const LONG: usize = 300_000;

    #[rstest]
    #[case::room_is_left(LONG + 1, true)]
    #[case::just_so_much(LONG, true)]
    #[case::one_more(LONG - 1, false)]
    #[case::much_more(5, false)]
    #[case::nothing_is_read(0, false)]
    #[tokio::test]
    async fn an_answer_is_read_so_far_and_no_further(#[case] most: usize, #[case] whole: bool) {
        let pages = axum::Router::new().route("/", get(|| async { "x".repeat(LONG) }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let mut answer = http_client().unwrap().build().unwrap().get(url).send().await.unwrap();
        let read = body(&mut answer, most).await.unwrap();
        let (is_whole, read) = match read {
            Body::Whole(read) => (true, read),
            Body::Begins(read) => (false, read),
        };
        assert_eq!((is_whole, read.len()), (whole, most.min(LONG)));
    }
}
