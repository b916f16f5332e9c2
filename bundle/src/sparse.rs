//! Parts that most rules do not have.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a part is where nobody says anything.
pub trait Plain: Default + PartialEq + 'static {
    /// The default, to lend.
    const PLAIN: &'static Self;
}

/// A `T` that is its default nearly always, and then takes a pointer's room: ten thousand rules are moved and copied a
/// few times between a bundle's bytes and an engine.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sparse<T>(Option<Box<T>>);

impl<T> Sparse<T> {
    /// The value, unless it is the default.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T: Plain> From<T> for Sparse<T> {
    fn from(value: T) -> Self {
        Self((value != *T::PLAIN).then(|| Box::new(value)))
    }
}

impl<T: Plain> Deref for Sparse<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::PLAIN)
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Sparse<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Plain + Serialize> Serialize for Sparse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Plain + Deserialize<'de>> Deserialize<'de> for Sparse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
