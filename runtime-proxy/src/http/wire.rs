//! From and to hyper's messages. No other module of the request path names hyper's types.

use std::future::Future;

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Request, Response, Version};
use hyper::body::Incoming;

use super::body::Body;
use super::head::{Head, Headers, ResponseHead, Scheme, Target};

/// Runs hyper's own tasks on the thread that they belong to.
#[derive(Clone, Copy, Debug)]
pub struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// A request as a connection of the given scheme delivered it. Nothing is checked here: see [`super::admit`].
#[must_use]
pub fn request_from_wire(request: Request<Incoming>, scheme: Scheme) -> (Head, Body) {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.into_parts();
    let head = Head {
        method: parts.method,
        target: Target { scheme, authority: uri.authority, path: uri.path_and_query },
        version: parts.version,
        headers: headers_from_wire(parts.headers),
    };
    (head, Body::incoming(body))
}

/// A request for an upstream connection: origin form and `Host` for HTTP/1.1, absolute form (which becomes the
/// pseudo-fields) for HTTP/2. `None` if the target cannot be written, which a checked head never causes.
#[must_use]
pub fn request_to_wire(head: &Head, body: Body, version: Version) -> Option<Request<Body>> {
    let authority = head.target.authority.clone()?;
    let path = head.target.path.clone().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 1);
    let uri = if version == Version::HTTP_2 {
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
    *request.version_mut() = version;
    *request.headers_mut() = headers;
    Some(request)
}

/// An upstream's response.
#[must_use]
pub fn response_from_wire(response: Response<Incoming>) -> (ResponseHead, Body) {
    let (parts, body) = response.into_parts();
    let head = ResponseHead { status: parts.status, headers: headers_from_wire(parts.headers) };
    (head, Body::incoming(body))
}

/// A response for the client's connection.
#[must_use]
pub fn response_to_wire(head: ResponseHead, body: Body) -> Response<Body> {
    let mut headers = HeaderMap::with_capacity(head.headers.len() + 1);
    for (name, value) in head.headers.into_lines() {
        headers.append(name, value);
    }
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = headers;
    response
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
        let request = request_to_wire(&head(), Body::Empty, Version::HTTP_11).unwrap();
        assert_eq!(request.uri().to_string(), "/a?b=c");
        assert_eq!(request.headers().get(HOST).unwrap(), "orders:8080");
    }

    #[test]
    fn http2_gets_the_authority_and_no_host() {
        let request = request_to_wire(&head(), Body::Empty, Version::HTTP_2).unwrap();
        assert_eq!(request.uri().to_string(), "https://orders:8080/a?b=c");
        assert!(request.headers().get(HOST).is_none());
    }

    #[test]
    fn repeated_lines_stay_apart() {
        let request = request_to_wire(&head(), Body::Empty, Version::HTTP_2).unwrap();
        let back = headers_from_wire(request.into_parts().0.headers);
        let lines: Vec<_> = back.iter().map(|(n, v)| format!("{n}={}", v.to_str().unwrap())).collect();
        assert_eq!(lines, ["x-a=1", "x-a=3", "x-b=2"]);
    }
}
