//! Heads that pass, with the lines that are left of them, and heads that do not.

use super::*;
use mesh_bundle::limits;

type Lines = Vec<(String, Vec<u8>)>;

fn lines(of: &[(&str, &str)]) -> Lines {
    of.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn start(version: Version, authority: Option<&str>) -> StartLine<'_> {
    StartLine { version, method: "GET", authority, target: Some("/a") }
}

fn admitted(of: &[(&str, &str)], trust: Trust) -> Result<Vec<String>, Rejection> {
    let mut lines = lines(of);
    lines.insert(0, ("host".to_owned(), b"orders".to_vec()));
    admit(&start(Version::Http11, None), &mut lines, trust)?;
    Ok(lines.into_iter().map(|(name, _)| name).collect())
}

fn verdict(version: Version, authority: Option<&str>, of: &[(&str, &str)]) -> Result<Admitted, Rejection> {
    admit(&start(version, authority), &mut lines(of), Trust::Mesh)
}

#[test]
fn the_host_is_stated_once_and_leaves_the_lines() {
    let mut left = lines(&[("host", "Orders.:8080"), ("accept", "*/*")]);
    let passed = admit(&start(Version::Http11, None), &mut left, Trust::Mesh).unwrap();
    assert_eq!((passed.authority.as_deref(), &*passed.host), (Some("Orders.:8080"), "orders"));
    assert_eq!(left, lines(&[("accept", "*/*")]));
    assert_eq!(verdict(Version::Http11, None, &[]), Err(Rejection::NoHost));
    assert_eq!(verdict(Version::Http10, None, &[]), Err(Rejection::NoHost));
    assert_eq!(
        verdict(Version::Http11, None, &[("host", "a"), ("host", "a")]),
        Err(Rejection::DuplicateHost)
    );
    for bad in ["", "a,b", "u@a", "a b", "a:", "a:99999", "a:x", "a/b", "a%41", "a..b"] {
        assert_eq!(verdict(Version::Http11, None, &[("host", bad)]), Err(Rejection::Host), "{bad:?}");
    }
}

#[test]
fn the_host_agrees_with_the_target() {
    let v2 = |of: &[(&str, &str)]| verdict(Version::Http2, Some("orders"), of).map(|passed| passed.authority);
    assert_eq!(v2(&[("host", "payments")]), Err(Rejection::HostMismatch));
    assert_eq!(v2(&[("host", "Orders")]), Ok(None));
    assert_eq!(v2(&[]), Ok(None));
    assert_eq!(verdict(Version::Http11, Some("orders"), &[]), Err(Rejection::NoHost));
    assert_eq!(verdict(Version::Http11, Some("u@orders"), &[("host", "u@orders")]), Err(Rejection::Host));
}

#[test]
fn lines_and_values_are_bounded() {
    let with = |count: usize, bytes: usize| {
        let mut all = lines(&[("host", "orders")]);
        all.extend((0..count).map(|_| ("x".to_owned(), vec![b'a'; bytes])));
        admit(&start(Version::Http11, None), &mut all, Trust::Mesh).map(|_| ())
    };
    assert_eq!(with(limits::HEADER_LINES - 1, 1), Ok(()));
    assert_eq!(with(limits::HEADER_LINES, 1), Err(Rejection::TooManyLines));
    assert_eq!(with(1, limits::VALUE_BYTES), Ok(()));
    assert_eq!(with(1, limits::VALUE_BYTES + 1), Err(Rejection::ValueTooLong));
}

#[test]
fn no_value_has_a_blank_at_an_end() {
    let with = |value: &str| admitted(&[("x", value)], Trust::Mesh).map(|_| ());
    for fine in ["", "a", "a b", "a\tb"] {
        assert_eq!(with(fine), Ok(()), "{fine:?}");
    }
    for bad in [" ", " a", "a ", "\ta", "a\t"] {
        assert_eq!(with(bad), Err(Rejection::BlankEnd), "{bad:?}");
    }
}

#[test]
fn lengths_cannot_contradict() {
    let framing = |version, of: &[(&str, &str)]| {
        let mut all = lines(of);
        all.push(("host".to_owned(), b"a".to_vec()));
        admit(&start(version, None), &mut all, Trust::Mesh).map(|passed| passed.framing)
    };
    let v = Version::Http11;
    assert_eq!(framing(v, &[("content-length", "017")]), Ok(Framing::Length(17)));
    assert_eq!(framing(v, &[("transfer-encoding", "Chunked")]), Ok(Framing::Chunked));
    assert_eq!(framing(v, &[]), Ok(Framing::Unstated));
    let both = [("content-length", "1"), ("transfer-encoding", "chunked")];
    assert_eq!(framing(v, &both), Err(Rejection::BothLengths));
    for bad in ["+1", "1, 1", "-1", "0x1", "", "18446744073709551616"] {
        assert_eq!(framing(v, &[("content-length", bad)]), Err(Rejection::Length), "{bad:?}");
    }
    assert_eq!(framing(v, &[("content-length", "1"), ("content-length", "1")]), Err(Rejection::Length));
    for bad in ["gzip", "gzip, chunked", "chunked, chunked", ""] {
        assert_eq!(framing(v, &[("transfer-encoding", bad)]), Err(Rejection::TransferCoding), "{bad:?}");
    }
    let coded = [("transfer-encoding", "chunked")];
    assert_eq!(framing(Version::Http10, &coded), Err(Rejection::TransferCoding));
    assert_eq!(framing(Version::Http2, &coded), Err(Rejection::TransferCoding));
}

#[test]
fn targets_are_paths() {
    let target = |method, target| {
        let start = StartLine { method, target, ..start(Version::Http11, None) };
        admit(&start, &mut lines(&[("host", "a")]), Trust::Mesh).err()
    };
    assert_eq!(target("GET", Some("/")), None);
    assert_eq!(target("OPTIONS", Some("*")), None);
    assert_eq!(target("GET", Some("*")), Some(Rejection::Target));
    assert_eq!(target("GET", None), Some(Rejection::Target));
    assert_eq!(target("CONNECT", None), Some(Rejection::Upgrade));
}

#[test]
fn fixed_and_listed_fields_end_here() {
    let left = admitted(
        &[
            ("connection", "Keep-Alive, X-Secret"),
            ("keep-alive", "timeout=5"),
            ("x-secret", "1"),
            ("x-kept", "2"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-connection", "close"),
            ("te", "gzip"),
            ("expect", "100-continue"),
        ],
        Trust::Mesh,
    );
    assert_eq!(left.unwrap(), ["x-kept"]);
    assert_eq!(
        admitted(&[("te", "trailers, deflate;q=0.5"), ("connection", "te")], Trust::Mesh).unwrap(),
        ["te"]
    );
}

#[test]
fn framing_fields_cannot_be_listed_away() {
    let many = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q";
    for bad in ["content-length", "Host", "a b", many] {
        assert_eq!(admitted(&[("connection", bad)], Trust::Mesh), Err(Rejection::ConnectionField), "{bad}");
        assert_eq!(strip_response(&mut lines(&[("connection", bad)])), Err(BadConnectionField), "{bad}");
    }
    let mut response = lines(&[("connection", "x-a"), ("x-a", "1"), ("te", "x"), ("x-b", "2")]);
    strip_response(&mut response).unwrap();
    assert_eq!(response, lines(&[("x-b", "2")]));
}

#[test]
fn only_another_protocol_counts_as_an_upgrade() {
    let upgrade = |connection, to| admitted(&[("connection", connection), ("upgrade", to)], Trust::Mesh);
    assert_eq!(upgrade("Upgrade", "websocket"), Err(Rejection::Upgrade));
    assert_eq!(upgrade("Upgrade, HTTP2-Settings", "h2c").unwrap(), [""; 0]);
    assert_eq!(admitted(&[("upgrade", "websocket")], Trust::Mesh).unwrap(), [""; 0]);
}

#[test]
fn nobody_can_claim_to_be_somebody() {
    let claims = [
        ("x-source-service", "payments"),
        ("x-mesh-decision", "1"),
        ("x-forwarded-client-cert", "a"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=1"),
        ("x-real-ip", "10.0.0.1"),
        ("accept", "*/*"),
    ];
    assert_eq!(admitted(&claims, Trust::Stranger).unwrap(), ["accept"]);
    assert_eq!(
        admitted(&claims, Trust::Mesh).unwrap(),
        ["x-forwarded-for", "forwarded", "x-real-ip", "accept"]
    );
}

#[test]
fn a_refused_head_keeps_its_lines() {
    let mut all = lines(&[("host", "a"), ("connection", "content-length"), ("x-mesh-a", "1")]);
    let before = all.clone();
    assert!(admit(&start(Version::Http11, None), &mut all, Trust::Mesh).is_err());
    assert_eq!(all, before);
}
