//! A compact representation of fields that most rules leave out.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type whose default, the value of an omitted field, is a constant.
pub trait StaticDefault: Default + PartialEq + 'static {
    /// The default, as a reference that can be lent.
    const DEFAULT: &'static Self;
}

/// A `T` that is nearly always at its default, and then takes the size of a pointer: ten thousand rules are moved and
/// copied a few times between a bundle's bytes and an engine.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Defaulted<T>(Option<Box<T>>);

impl<T> Defaulted<T> {
    /// The value, unless it is the default.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T: StaticDefault> From<T> for Defaulted<T> {
    fn from(value: T) -> Self {
        Self((value != *T::DEFAULT).then(|| Box::new(value)))
    }
}

impl<T: StaticDefault> Deref for Defaulted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::DEFAULT)
    }
}

impl<T: StaticDefault + fmt::Debug> fmt::Debug for Defaulted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: StaticDefault + Serialize> Serialize for Defaulted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: StaticDefault + Deserialize<'de>> Deserialize<'de> for Defaulted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
