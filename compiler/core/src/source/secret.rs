//! Secrets in clear, by shapes that hardly anything else has.

use super::bytes::offset;
use crate::diag::{Diagnostic, FileId, Span, codes};

/// Findings for private keys (PEM), AWS access key ids, GitHub tokens, JSON Web Tokens and URLs with a password,
/// anywhere in a file. No finding shows the secret.
pub(super) fn scan(file: FileId, text: &str) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (opening, what, find) in SHAPES {
        for (at, _) in text.match_indices(opening) {
            let Some((before, rest)) = text.split_at_checked(at) else {
                continue;
            };
            let Some((start, length)) = find(before, rest) else {
                continue;
            };
            let (start, end) = (offset(at - start), offset(at + length));
            out.push(
                Diagnostic::new(
                    codes::SECRET,
                    Span::new(file, start, end),
                    format!("{what} stands here in clear"),
                )
                .help("change the secret, it is no longer one; refer to the new one by `{secret: name}`")
                .redacted(),
            );
        }
    }
    out
}

/// Given the text before and from the opening: how many bytes before it and from it on belong to the secret.
type Find = fn(&str, &str) -> Option<(usize, usize)>;

const SHAPES: &[(&str, &str, Find)] = &[
    ("-----BEGIN ", "a private key", private_key),
    ("AKIA", "an AWS access key id", access_key),
    ("ASIA", "an AWS access key id", access_key),
    ("ghp_", "a GitHub token", |b, r| token(b, r, 36)),
    ("gho_", "a GitHub token", |b, r| token(b, r, 36)),
    ("ghu_", "a GitHub token", |b, r| token(b, r, 36)),
    ("ghs_", "a GitHub token", |b, r| token(b, r, 36)),
    ("ghr_", "a GitHub token", |b, r| token(b, r, 36)),
    ("github_pat_", "a GitHub token", |b, r| token(b, r, 40)),
    ("eyJ", "a JSON Web Token", web_token),
    ("://", "a password in a URL", url_password),
];

fn private_key(_: &str, rest: &str) -> Option<(usize, usize)> {
    let line = rest.lines().next()?;
    let head = line.find("PRIVATE KEY-----")?;
    let end = rest.find("-----END ").and_then(|at| {
        let tail = rest.get(at..)?;
        Some(at + tail.find("KEY-----")? + "KEY-----".len())
    });
    Some((0, end.unwrap_or(head + "PRIVATE KEY-----".len())))
}

fn access_key(before: &str, rest: &str) -> Option<(usize, usize)> {
    let length = rest.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    (length == 20 && !ends_in_word(before)).then_some((0, length))
}

fn token(before: &str, rest: &str, least: usize) -> Option<(usize, usize)> {
    let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    (length >= least && !ends_in_word(before)).then_some((0, length))
}

/// Three parts in base64url, the first two of them JSON objects (`eyJ` is `{"`).
fn web_token(before: &str, rest: &str) -> Option<(usize, usize)> {
    if ends_in_word(before) || before.ends_with('.') {
        return None;
    }
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let length = rest.as_bytes().iter().take_while(|b| word(b)).count();
    let mut parts = rest.get(..length)?.split('.');
    let (head, body, signature) = (parts.next()?, parts.next()?, parts.next()?);
    (head.len() >= 10 && body.starts_with("eyJ") && signature.len() >= 16 && parts.next().is_none())
        .then_some((0, length))
}

/// `scheme://user:password@host`; a password made of a placeholder (`${X}`, `{x}`, `<x>`, `***`) is none.
fn url_password(before: &str, rest: &str) -> Option<(usize, usize)> {
    let authority = rest.get(3..)?;
    let end = authority.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '`' | '?' | '#'));
    let authority = authority.get(..end.unwrap_or(authority.len()))?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    if password.is_empty() || password.contains(['$', '{', '<', '*', '[']) {
        return None;
    }
    let scheme =
        before.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    Some((scheme.count(), 3 + authority.len()))
}

fn ends_in_word(before: &str) -> bool {
    before.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        scan(FileId(0), text)
            .iter()
            .map(|d| {
                assert!(d.redact);
                text.get(d.primary.span.start as usize..d.primary.span.end as usize).unwrap().to_owned()
            })
            .collect()
    }

    #[test]
    fn secrets_are_found_exactly_and_never_printed() {
        let token = format!("ghp_{}", "a1".repeat(18));
        let jwt = format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", "x".repeat(43));
        let pem = "-----BEGIN EC PRIVATE KEY-----\n  abc\n  -----END EC PRIVATE KEY-----";
        for secret in [token.as_str(), &jwt, pem, "AKIAABCDEFGHIJKLMNOP", "https://ana:hunter2@host.example"]
        {
            let text = format!("description: \"{secret}\" # x\n");
            assert_eq!(found(&text), [secret], "{text}");
            assert!(!scan(FileId(0), &text)[0].message.contains(secret));
        }
    }

    #[test]
    fn ordinary_text_is_no_secret() {
        let text = "certificate: { secret: tls/shop }\njwks: https://id.example:8443/jwks@v1\n\
                    a: AKIAshort\nb: eyJustAWord\nc: https://u:${PASSWORD}@host\nd: -----BEGIN CERTIFICATE-----\n\
                    e: ghp_short\nf: https://host/path:with@sign\n";
        assert_eq!(found(text), Vec::<String>::new());
    }
}
