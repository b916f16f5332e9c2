//! One exchange with a service: the request goes out, the head of its answer comes back.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use http::StatusCode;
use mesh_decision::head::strip_response;

use super::end::refuse;
use super::prepare::Prepared;
use super::record::Record;
use super::refusal::Answer;
use super::streams::Watch;
use crate::http::{Body, ResponseHead};
use crate::upstream::{self, Call, Failure, Outcome, Response, UpstreamService};

/// Sends a request and hears the head of its answer; `Err` is what is answered instead.
pub(super) async fn exchange(
    mut record: Record,
    call: Call<'_>,
    body: Body,
    prepared: &Prepared,
) -> Result<(Record, Response), (ResponseHead, Body)> {
    let (worker, service) = (Rc::clone(&record.worker), call.service);
    let sending = upstream::send(call, body, worker.means());
    let result = unless_denied(record.watch.as_mut(), sending).await.and_then(|outcome| {
        note(&mut record, service, &outcome);
        outcome.result.map_err(|failure| Answer::new(failure.status(), failure.word()))
    });
    let mut response = match result {
        Ok(response) => response,
        Err(answer) => {
            record.about(&prepared.host, prepared.path());
            return Err(refuse(record, answer));
        }
    };
    if strip_response(&mut response.head.headers).is_err() {
        record.tag.ended(Err(Failure::Reset), None);
        return Err(refuse(record, Answer::new(StatusCode::BAD_GATEWAY, "bad-response")));
    }
    Ok((record, response))
}

/// The outcome of `call`, or an answer where a newer bundle denies the request before there is one.
async fn unless_denied<T>(mut watch: Option<&mut Watch>, call: impl Future<Output = T>) -> Result<T, Answer> {
    let mut call = pin!(call);
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
        Poll::Pending if watch.as_deref_mut().is_some_and(|watch| watch.is_denied(cx)) => {
            Poll::Ready(Err(Answer::new(StatusCode::FORBIDDEN, "denied-since")))
        }
        Poll::Pending => Poll::Pending,
    })
    .await
}

fn note(record: &mut Record, service: &UpstreamService, outcome: &Outcome) {
    record.endpoint = outcome.endpoint;
    record.retries = outcome.retries;
    let result = outcome.result.as_ref().map(|response| response.head.status).map_err(|failure| *failure);
    record.tag.ended(result, Some(&service.outcomes));
    let metrics = &record.worker.shared.metrics;
    if outcome.retries > 0 {
        metrics.retried(&service.name, outcome.retries);
    }
    if outcome.ejected > 0 {
        metrics.ejected(&service.name, outcome.ejected);
    }
}
