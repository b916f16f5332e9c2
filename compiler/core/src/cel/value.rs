//! Values at compile time: of constants, and of what policies read.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::types::Unit;

/// A value of an expression.
#[derive(Debug, Clone)]
pub enum Value {
    /// The value `null`.
    Null,
    /// A value of type `bool`.
    Bool(bool),
    /// A value of type `int`: 64 bits, signed.
    Int(i64),
    /// A value of type `uint`: 64 bits, unsigned.
    Uint(u64),
    /// A value of type `double`: IEEE 754, 64 bits.
    Double(f64),
    /// A value of type `string`: UTF-8.
    String(Arc<str>),
    /// A value of type `bytes`.
    Bytes(Arc<[u8]>),
    /// `timestamp`: nanoseconds since 1970-01-01T00:00:00Z, inside [`TIMESTAMPS`].
    Timestamp(i128),
    /// `duration`: nanoseconds, inside [`DURATIONS`].
    Duration(i128),
    /// A value of type `list`.
    List(Arc<[Value]>),
    /// `map`, and a record by the names of its fields.
    Map(Arc<Map>),
    /// A value of type `optional`; `None` is `optional.none()`.
    Optional(Option<Arc<Value>>),
    /// `type`, by its name at run time ([`super::types::Type::runtime_name`]).
    Type(Arc<str>),
    /// A value of type `ip`.
    Ip(IpAddr),
    /// `cidr`: an address, not masked, and the length of its prefix, at most 32 or 128.
    Cidr(IpAddr, u8),
    /// A value of type `url`, normalised.
    Url(Arc<url::Url>),
    /// A value of type `semver`.
    Semver(Arc<semver::Version>),
    /// A quantity in the smallest part of its unit: millionths of a percent, requests an hour in millionths, bytes.
    Quantity(Unit, i128),
}

/// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, in nanoseconds (cel-spec, "Timestamps").
pub const TIMESTAMPS: std::ops::RangeInclusive<i128> =
    -62_135_596_800_000_000_000..=253_402_300_799_999_999_999;

/// Durations in nanoseconds: what fits 64 bits (cel-spec lets an implementation bound them; so does Go's).
pub const DURATIONS: std::ops::RangeInclusive<i128> = (i64::MIN as i128)..=(i64::MAX as i128);

/// A map with the keys in one order: bools, numbers, texts.
#[derive(Debug, Clone, Default)]
pub struct Map(BTreeMap<Key, (Value, Value)>);

/// Equality of map keys: `1`, `1u` and `1.0` are the same key (cel-spec, "Maps").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Bool(bool),
    Number(i128),
    Text(Arc<str>),
}

impl Map {
    /// The value at a key; `None` where there is none, also for what can be no key.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.0.get(&Key::of(key)?).map(|(_, value)| value)
    }

    /// The value at a text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&Value> {
        self.0.get(&Key::Text(key.into())).map(|(_, value)| value)
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for a key that is not a bool, integer or text, or that is there already.
    pub fn insert(&mut self, key: Value, value: Value) -> Result<(), Fault> {
        let at = match (&key, Key::of(&key)) {
            (Value::Double(_), _) | (_, None) => {
                return Err(Fault::Invalid(format!("a {} cannot be a key of a map", key.type_name())));
            }
            (_, Some(at)) => at,
        };
        match self.0.insert(at, (key, value)) {
            None => Ok(()),
            Some(_) => Err(Fault::Invalid("a map has one key twice".into())),
        }
    }

    /// Keys and values in order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(Value, Value)> {
        self.0.values()
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<(&'a str, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (&'a str, Value)>>(fields: T) -> Self {
        let entry = |(name, value): (&str, Value)| {
            let name: Arc<str> = name.into();
            (Key::Text(name.clone()), (Value::String(name), value))
        };
        Self(fields.into_iter().map(entry).collect())
    }
}

impl Key {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) => Some(Self::Number(i128::from(*value))),
            Value::Uint(value) => Some(Self::Number(i128::from(*value))),
            Value::Double(value) if value.trunc() == *value && value.abs() <= 1.9e19 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^65 fits")]
                Some(Self::Number(*value as i128))
            }
            Value::String(value) => Some(Self::Text(value.clone())),
            _ => None,
        }
    }
}

/// Reason that an evaluation gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The function does not take these values.
    #[error("no such overload: {0}")]
    NoOverload(String),
    /// A map lacks the key, or a record the field.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// `/ 0` or `% 0`
    #[error("division by zero")]
    DivideByZero,
    /// Arithmetic beyond the type.
    #[error("the result is out of range")]
    Overflow,
    /// An index outside of a list or text.
    #[error("index out of range: {0}")]
    Index(String),
    /// A value that cannot be converted, or read.
    #[error("{0}")]
    Invalid(String),
    /// More steps or bytes than an evaluation may take.
    #[error("the evaluation takes too long")]
    Budget,
}

/// The most bytes or elements that one value may have at compile time. A function whose result may be larger than
/// its arguments together checks before it builds.
pub const LARGEST: usize = 1 << 20;

impl Value {
    /// A string value with this text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::String(text.into())
    }

    /// A length or an index as a value. What is in memory is far shorter than 2^63.
    #[must_use]
    pub fn length(length: usize) -> Self {
        Self::Int(i64::try_from(length).unwrap_or(i64::MAX))
    }

    /// A list value of these items.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// An optional with a value.
    #[must_use]
    pub fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The name of its type ([`super::types::Type::runtime_name`]).
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Quantity(unit, _) => unit.name(),
        }
    }

    /// CEL's `==`: numbers by their value, lists and maps by their parts, unlike types are unequal, NaN is unequal to
    /// itself (cel-spec, "Equality").
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|other| v.equals(other)))
            }
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (None, None) => true,
                _ => false,
            },
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a, n), Self::Cidr(b, m)) => a == b && n == m,
            (Self::Url(a), Self::Url(b)) => a == b,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// CEL's order, for `<` and its kin: numbers across their types, texts and bytes by bytes, times, quantities of
    /// one unit. `None` for the rest and for NaN.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Uint(a), Self::Uint(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Self::Uint(a), Self::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Self::Int(a), Self::Double(b)) => order_mixed(i128::from(*a), *b),
            (Self::Uint(a), Self::Double(b)) => order_mixed(i128::from(*a), *b),
            (Self::Double(a), Self::Int(b)) => order_mixed(i128::from(*b), *a).map(Ordering::reverse),
            (Self::Double(a), Self::Uint(b)) => order_mixed(i128::from(*b), *a).map(Ordering::reverse),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) | (Self::Duration(a), Self::Duration(b)) => {
                Some(a.cmp(b))
            }
            (Self::Semver(a), Self::Semver(b)) => Some(a.cmp_precedence(b)),
            (Self::Quantity(u, a), Self::Quantity(v, b)) if u == v => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// An integer beside a double: as doubles, as the conformance suite has it (`gte_dyn_int_big_lossy_double`).
fn order_mixed(int: i128, double: f64) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "the rule: an integer is compared as the nearest double")]
    (int as f64).partial_cmp(&double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_across_types() {
        assert_eq!(Value::Int(i64::MAX).order(&Value::Uint(1 << 63)), Some(Ordering::Less));
        assert_eq!(Value::Double(1.5).order(&Value::Uint(1)), Some(Ordering::Greater));
        assert_eq!(Value::Int(-1).order(&Value::Uint(u64::MAX)), Some(Ordering::Less));
        assert_eq!(Value::Int(0).order(&Value::Double(f64::NAN)), None);
        assert!(Value::Int(3).equals(&Value::Double(3.0)) && !Value::Int(3).equals(&Value::text("3")));
    }

    #[test]
    fn keys_are_one_across_types_of_numbers() {
        let mut map = Map::default();
        map.insert(Value::Uint(1), Value::text("a")).unwrap();
        assert!(map.get(&Value::Double(1.0)).is_some() && map.get(&Value::Double(1.5)).is_none());
        assert!(map.insert(Value::Int(1), Value::Null).is_err(), "one key twice");
        assert!(map.insert(Value::Double(2.0), Value::Null).is_err(), "not a key");
    }
}
