//! The connections of one worker: their bounds, and how they end.
//!
//! Deadlines are watched by one sweep a tick over all connections, so that a request costs no timer of its own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;

/// Bounds of one worker's connections. A tick is a second in the running proxy.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most connections at once; one more is closed at accept.
    pub connections: usize,
    /// Ticks from the first byte of a head to its last.
    pub head_ticks: u64,
    /// Ticks without a request and without a byte after which a kept-alive connection is closed.
    pub idle_ticks: u64,
}

impl Default for Bounds {
    /// 16,384 connections a worker; 30 s for a head (hyper's own default); 75 s idle (nginx's default).
    fn default() -> Self {
        Self { connections: 16_384, head_ticks: 30, idle_ticks: 75 }
    }
}

/// All connections of one worker.
pub struct Connections {
    bounds: Bounds,
    now: Rc<Cell<u64>>,
    next: Cell<u64>,
    draining: Cell<bool>,
    open: RefCell<BTreeMap<u64, Rc<Connection>>>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Rc<Self> {
        Rc::new(Self {
            bounds,
            now: Rc::new(Cell::new(1)),
            next: Cell::new(0),
            draining: Cell::new(false),
            open: RefCell::default(),
        })
    }

    /// How many are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// Registers a new connection; `None` when there are too many, or no new ones are taken.
    pub(super) fn open(self: &Rc<Self>) -> Option<Registered> {
        if self.draining.get() || self.len() >= self.bounds.connections {
            return None;
        }
        let key = self.next.get();
        self.next.set(key + 1);
        let connection = Rc::new(Connection {
            now: Rc::clone(&self.now),
            last_byte: Cell::new(self.now.get()),
            head_since: Cell::new(Some(self.now.get())),
            in_flight: Cell::new(0),
            command: Cell::new(None),
            waker: RefCell::default(),
        });
        self.open.borrow_mut().insert(key, Rc::clone(&connection));
        Some(Registered { connections: Rc::clone(self), key, connection })
    }

    /// One tick later: ends the connections whose time is up.
    pub fn tick(&self) {
        let now = self.now.get() + 1;
        self.now.set(now);
        for connection in self.open.borrow().values() {
            if connection.in_flight.get() > 0 {
                continue;
            }
            let head_late =
                connection.head_since.get().is_some_and(|since| now - since > self.bounds.head_ticks);
            if head_late {
                connection.command(Command::Kill);
            } else if now - connection.last_byte.get() > self.bounds.idle_ticks {
                connection.command(Command::Drain);
            }
        }
    }

    /// Takes no new connections and lets the open ones end after their requests: `connection: close`, GOAWAY.
    pub fn drain(&self) {
        self.draining.set(true);
        for connection in self.open.borrow().values() {
            connection.command(Command::Drain);
        }
    }

    /// Ends every connection now.
    pub fn kill(&self) {
        self.draining.set(true);
        for connection in self.open.borrow().values() {
            connection.command(Command::Kill);
        }
    }
}

/// A connection's place in the register, given back when dropped.
pub(super) struct Registered {
    connections: Rc<Connections>,
    key: u64,
    pub(super) connection: Rc<Connection>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.connections.open.borrow_mut().remove(&self.key);
    }
}

/// What a connection is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Finish what is in flight, then close.
    Drain,
    /// Close now.
    Kill,
}

/// The state of one connection.
pub(super) struct Connection {
    now: Rc<Cell<u64>>,
    last_byte: Cell<u64>,
    /// When the head under way began; `None` between requests and during them.
    head_since: Cell<Option<u64>>,
    in_flight: Cell<u32>,
    command: Cell<Option<Command>>,
    waker: RefCell<Option<Waker>>,
}

impl Connection {
    pub(super) fn on_read(&self) {
        self.last_byte.set(self.now.get());
        if self.in_flight.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(self.now.get()));
        }
    }

    pub(super) fn on_write(&self) {
        self.last_byte.set(self.now.get());
    }

    /// Whether the connection is to close now.
    pub(super) fn is_killed(&self) -> bool {
        self.command.get() == Some(Command::Kill)
    }

    /// Whether to drain, once.
    pub(super) fn take_drain(&self) -> bool {
        let drain = self.command.get() == Some(Command::Drain);
        if drain {
            self.command.set(None);
        }
        drain
    }

    pub(super) fn wake_with(&self, waker: &Waker) {
        let mut slot = self.waker.borrow_mut();
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// A request's head is complete.
    pub(super) fn begin(self: &Rc<Self>) -> InFlight {
        self.head_since.set(None);
        self.in_flight.set(self.in_flight.get() + 1);
        InFlight(Rc::clone(self))
    }

    fn command(&self, command: Command) {
        self.command.set(Some(command));
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// Held from a request's head to the end of its response's body: meanwhile the connection is not idle.
pub struct InFlight(Rc<Connection>);

impl Clone for InFlight {
    fn clone(&self) -> Self {
        self.0.in_flight.set(self.0.in_flight.get().saturating_add(1));
        Self(Rc::clone(&self.0))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get().saturating_sub(1));
        self.0.last_byte.set(self.0.now.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { connections: 2, head_ticks: 3, idle_ticks: 5 };

    fn ticks(connections: &Connections, count: usize) {
        for _ in 0..count {
            connections.tick();
        }
    }

    #[test]
    fn a_slow_head_is_killed_and_a_prompt_one_is_not() {
        let all = Connections::new(BOUNDS);
        let (slow, prompt) = (all.open().unwrap(), all.open().unwrap());
        let request = prompt.connection.begin();
        ticks(&all, 3);
        assert!(!slow.connection.is_killed());
        slow.connection.on_read();
        all.tick();
        assert!(slow.connection.is_killed(), "another byte buys no time");
        assert!(!prompt.connection.is_killed());
        drop(request);
    }

    #[test]
    fn an_idle_connection_is_drained_but_not_during_a_request() {
        let all = Connections::new(BOUNDS);
        let one = all.open().unwrap();
        let request = one.connection.begin();
        ticks(&all, 20);
        assert!(!one.connection.take_drain());
        drop(request);
        ticks(&all, 5);
        assert!(!one.connection.take_drain());
        all.tick();
        assert!(one.connection.take_drain());
    }

    #[test]
    fn the_cap_holds_and_places_are_given_back() {
        let all = Connections::new(BOUNDS);
        let (one, _two) = (all.open().unwrap(), all.open().unwrap());
        assert!(all.open().is_none());
        drop(one);
        assert_eq!(all.len(), 1);
        assert!(all.open().is_some());
    }

    #[test]
    fn draining_takes_nobody_new() {
        let all = Connections::new(BOUNDS);
        let one = all.open().unwrap();
        all.drain();
        assert!(all.open().is_none());
        assert!(one.connection.take_drain());
        all.kill();
        assert!(one.connection.is_killed());
    }
}
