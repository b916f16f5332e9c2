//! The request of `meshc route`, from its arguments.

use std::net::IpAddr;

use mesh_bundle::Program;
use mesh_bundle::expr::Instant;
use mesh_compiler::spec::{ByteSize, Scalar as _};
use mesh_decision::head::Version;
use mesh_decision::host;
use mesh_decision::journey::Ask;

use crate::callers::caller;
use crate::failure::Failure;
use crate::load::{Today, now};
use crate::text::clean;

/// Facts about a request that its URL does not say.
#[derive(Debug, clap::Args)]
pub(super) struct Facts {
    /// A header line; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The caller's address: a stranger's as the gateway sees it, a service's as the callee sees it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    ip: Option<String>,
    /// The server name of the client's TLS handshake, '' for none; the URL's host if absent
    #[arg(long, value_name = "HOST", value_parser = server_name)]
    sni: Option<String>,
    /// The size of the body, such as 512 (bytes) or 2MiB, as `content-length` states it
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<u64>,
    /// The scheme in which the request reaches its first proxy, if not the URL's: TLS may end before it
    #[arg(long, value_name = "http|https", value_parser = ["http", "https"])]
    scheme: Option<String>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header line is written 'name: value'")?;
    let name = name.trim().to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) || value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("not a header line (RFC 9110 section 5.1)".to_owned());
    }
    Ok((name, value.trim().to_owned()))
}

/// An address as proxies see it: an IPv4 address in an IPv6 one is that IPv4 address.
fn address(text: &str) -> Result<String, String> {
    let address = text.parse::<IpAddr>().map_err(|_| "not an IP address like 203.0.113.7")?;
    Ok(address.to_canonical().to_string())
}

fn server_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    match host::canonical(text) {
        Ok(name) if !text.contains([':', '[']) => Ok(name.into_owned()),
        _ => Err("not a host like shop.example".to_owned()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    let size = text.parse::<u64>().ok().or_else(|| ByteSize::parse(text).map(ByteSize::bytes));
    size.ok_or_else(|| "not a number of bytes like 512 or 2MiB".to_owned())
}

/// The request that is asked about.
///
/// # Errors
/// For a URL that is none, for a caller whom the mesh does not have, and for a size that is stated twice.
pub(super) fn ask(
    method: &str,
    url: &str,
    as_caller: Option<&str>,
    facts: &Facts,
    today: Today,
    program: &Program,
) -> Result<Ask, Failure> {
    let wrong = |what: &str| Failure::cannot(format!("`{}` {what}", clean(url)));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("is not a URL like https://host/path"))?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(wrong("has another scheme than http and https"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    // A given day begins at midnight (UTC).
    let seconds = today.now.map_or_else(now, |date| date.days() * 86_400);
    let now = Instant::new(seconds, 0)
        .ok_or_else(|| Failure::cannot("the clock of this machine is outside of the years 1 to 9999"))?;
    let caller = as_caller.map(|text| caller(text, program)).transpose()?;
    Ok(Ask {
        method: method.to_owned(),
        version: Version::default(),
        scheme: facts.scheme.clone().unwrap_or(scheme),
        authority: authority.to_owned(),
        target,
        headers: facts.lines()?,
        caller,
        ip: facts.ip.clone(),
        sni: facts.sni.clone(),
        now,
    })
}

impl Facts {
    /// The header lines, that of the size among them.
    fn lines(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let given = self.headers.iter();
        let mut lines: Vec<(String, Vec<u8>)> =
            given.map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        if let Some(size) = self.size {
            let framing = ["content-length", "transfer-encoding"];
            if let Some((name, _)) = lines.iter().find(|(name, _)| framing.contains(&name.as_str())) {
                let message = format!("both `--size` and `-H '{name}: ...'` say how long the body is");
                return Err(Failure::cannot(message).help("leave one of them out"));
            }
            lines.push(("content-length".to_owned(), size.to_string().into_bytes()));
        }
        Ok(lines)
    }
}
