//! What is under way on a worker and may outlive the bundle that decided it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use super::direction::Direction;
use super::prepare::Prepared;
use crate::http::Head;
use crate::listen::Peer;

/// How old a stream is when it is decided again; the next tick of its worker follows within a second.
pub(super) const AGE: Duration = Duration::from_secs(5);

/// A request whose end is not in sight, as it was decided.
pub(super) struct Stream {
    pub(super) direction: Direction,
    pub(super) peer: Rc<Peer>,
    pub(super) head: Head,
    pub(super) prepared: Rc<Prepared>,
    since: Instant,
    /// The activation that it was decided under last.
    serial: Cell<u64>,
    denied: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Stream {
    /// A request that came in at `since` and was decided under the activation `serial`.
    pub(super) fn new(
        direction: Direction,
        peer: Rc<Peer>,
        head: Head,
        prepared: Rc<Prepared>,
        since: Instant,
        serial: u64,
    ) -> Rc<Self> {
        let (serial, denied) = (Cell::new(serial), Cell::new(false));
        Rc::new(Self { direction, peer, head, prepared, since, serial, denied, waker: RefCell::default() })
    }

    /// It is denied from now on; whoever waits for it hears of it.
    pub(super) fn deny(&self) {
        self.denied.set(true);
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    fn wake_with(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }
}

/// The open streams of one worker.
#[derive(Default)]
pub(super) struct Streams(RefCell<Slab<Rc<Stream>>>);

impl Streams {
    /// The streams that are to be decided again under the activation `serial`: old enough, not denied yet, and decided
    /// under another one last. Each is given out once an activation.
    pub(super) fn due(&self, serial: u64, now: Instant) -> Vec<Rc<Stream>> {
        let streams = self.0.borrow();
        let due = streams.iter().map(|(_, stream)| stream).filter(|stream| {
            let old = now.saturating_duration_since(stream.since) >= AGE;
            old && !stream.denied.get() && stream.serial.get() != serial
        });
        due.inspect(|stream| stream.serial.set(serial)).map(Rc::clone).collect()
    }
}

/// A request's own view of its stream. It is among the open ones from the first wait on: most requests never wait.
pub(super) struct Watch {
    streams: Rc<Streams>,
    stream: Rc<Stream>,
    key: Option<usize>,
}

impl Watch {
    /// A stream that nobody waits for yet.
    pub(super) fn new(streams: Rc<Streams>, stream: Rc<Stream>) -> Self {
        Self { streams, stream, key: None }
    }

    /// Whether it is denied by now.
    pub(super) fn was_denied(&self) -> bool {
        self.stream.denied.get()
    }

    /// Whether it is denied now; wakes the task of `cx` when that changes.
    pub(super) fn is_denied(&mut self, cx: &Context<'_>) -> bool {
        if self.key.is_none() {
            self.key = Some(self.streams.0.borrow_mut().insert(Rc::clone(&self.stream)));
        }
        self.stream.wake_with(cx.waker());
        self.was_denied()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.streams.0.borrow_mut().try_remove(key);
        }
    }
}
