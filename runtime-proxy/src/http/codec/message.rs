//! Between our messages and the codec's.

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Request, Response, Version};

use super::body::Body;
use super::incoming::Incoming;
use super::protocol::Protocol;
use crate::http::head::{Head, Headers, ResponseHead, Scheme, Target};

/// A request as a connection of the given scheme delivered it. Nothing is checked here.
pub(super) fn request_from_wire(request: Request<hyper::body::Incoming>, scheme: Scheme) -> (Head, Body) {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.into_parts();
    let head = Head {
        method: parts.method,
        target: Target { scheme, authority: uri.authority, path: uri.path_and_query },
        version: parts.version,
        headers: headers_from_wire(parts.headers),
    };
    (head, arriving(body))
}

/// A request for an upstream connection: origin form and `Host` for HTTP/1.1, absolute form (which becomes the
/// pseudo-fields) for HTTP/2. `None` if the target cannot be written, which a checked head never causes.
pub(super) fn request_to_wire(head: &Head, body: Body, protocol: Protocol) -> Option<Request<Body>> {
    let authority = head.target.authority.clone()?;
    let path = head.target.path.clone().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 1);
    let uri = if protocol == Protocol::Http2 {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(match head.target.scheme {
            Scheme::Http => http::uri::Scheme::HTTP,
            Scheme::Https => http::uri::Scheme::HTTPS,
        });
        parts.authority = Some(authority);
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()?
    } else {
        headers.insert(HOST, HeaderValue::from_str(authority.as_str()).ok()?);
        Uri::from(path)
    };
    for (name, value) in head.headers.iter() {
        headers.append(name.clone(), value.clone());
    }
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = uri;
    *request.version_mut() = match protocol {
        Protocol::Http1 => Version::HTTP_11,
        Protocol::Http2 => Version::HTTP_2,
    };
    *request.headers_mut() = headers;
    Some(request)
}

/// An upstream's response.
pub(super) fn response_from_wire(response: Response<hyper::body::Incoming>) -> (ResponseHead, Body) {
    let (parts, body) = response.into_parts();
    let head = ResponseHead { status: parts.status, headers: headers_from_wire(parts.headers) };
    (head, arriving(body))
}

/// A response for the client's connection.
pub(super) fn response_to_wire(head: ResponseHead, body: Body) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 1);
    for (name, value) in head.headers.into_lines() {
        headers.append(name, value);
    }
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = headers;
    response
}

fn arriving(body: hyper::body::Incoming) -> Body {
    Incoming::new(body).map_or(Body::Empty, Body::Incoming)
}

fn headers_from_wire(map: HeaderMap) -> Headers {
    let mut headers = Headers::with_capacity(map.len() + 4);
    let mut last: Option<HeaderName> = None;
    for (name, value) in map {
        // A map yields the name once and `None` for each further line of it.
        if name.is_some() {
            last = name;
        }
        if let Some(name) = &last {
            headers.append(name.clone(), value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn head() -> Head {
        let mut headers = Headers::default();
        headers.append(HeaderName::from_static("x-a"), HeaderValue::from_static("1"));
        headers.append(HeaderName::from_static("x-b"), HeaderValue::from_static("2"));
        headers.append(HeaderName::from_static("x-a"), HeaderValue::from_static("3"));
        Head {
            method: Method::GET,
            target: Target {
                scheme: Scheme::Https,
                authority: Some("orders:8080".parse().unwrap()),
                path: Some("/a?b=c".parse().unwrap()),
            },
            version: Version::HTTP_2,
            headers,
        }
    }

    #[test]
    fn http1_gets_origin_form_and_host() {
        let request = request_to_wire(&head(), Body::Empty, Protocol::Http1).unwrap();
        assert_eq!(request.uri().to_string(), "/a?b=c");
        assert_eq!(request.headers().get(HOST).unwrap(), "orders:8080");
    }

    #[test]
    fn http2_gets_the_authority_and_no_host() {
        let request = request_to_wire(&head(), Body::Empty, Protocol::Http2).unwrap();
        assert_eq!(request.uri().to_string(), "https://orders:8080/a?b=c");
        assert!(request.headers().get(HOST).is_none());
    }

    #[test]
    fn repeated_lines_stay_apart() {
        let request = request_to_wire(&head(), Body::Empty, Protocol::Http2).unwrap();
        let back = headers_from_wire(request.into_parts().0.headers);
        let lines: Vec<_> = back.iter().map(|(n, v)| format!("{n}={}", v.to_str().unwrap())).collect();
        assert_eq!(lines, ["x-a=1", "x-a=3", "x-b=2"]);
    }
}
