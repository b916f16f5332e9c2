//! The types of the language, and their unification.
//!
//! They are CEL's (cel-spec, "Values"), the network types and units of our libraries, and named records. `dyn` is
//! what a value has whose type only its reading tells; nothing becomes `dyn` unasked.

use std::fmt;
use std::sync::Arc;

/// A type of CEL, or of the language's own units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// The CEL type `bool`.
    Bool,
    /// `int`: 64 bits, signed
    Int,
    /// `uint`: 64 bits, unsigned
    Uint,
    /// `double`: IEEE 754, 64 bits
    Double,
    /// `string`: Unicode text
    String,
    /// The CEL type `bytes`.
    Bytes,
    /// `timestamp`: nanoseconds, years 0001 to 9999
    Timestamp,
    /// `duration`: nanoseconds, at most ±10,000 years
    Duration,
    /// The CEL type `null_type`.
    Null,
    /// `dyn`: checked when it is read
    Dyn,
    /// `type`: the type of types
    Type,
    /// The CEL type `list(A)`.
    List(Arc<Type>),
    /// The CEL type `map(K, V)`.
    Map(Arc<Type>, Arc<Type>),
    /// The CEL type `optional(A)`.
    Optional(Arc<Type>),
    /// A record of named fields.
    Record(Arc<Record>),
    /// `ip`: an IPv4 or IPv6 address
    Ip,
    /// `cidr`: a network
    Cidr,
    /// The extension type `url`.
    Url,
    /// `semver`: a semantic version
    Semver,
    /// A quantity of a unit; compared with its own kind only.
    Quantity(Unit),
    /// A type that an environment declares by name, with parameters.
    Opaque(Arc<str>, Arc<[Type]>),
    /// A type parameter.
    Var(u32),
    /// Type of an erroneous expression: it fits everywhere, so one mistake is one finding.
    Error,
}

/// The units of specs that have no type in CEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Type `percent`: values like `5%`.
    Percent,
    /// Type `rate`: values like `100/s`.
    Rate,
    /// Type `bytesize`: values like `64KiB`.
    ByteSize,
}

impl Unit {
    /// The name of its type and of the function that reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Rate => "rate",
            Self::ByteSize => "bytesize",
        }
    }
}

/// A record type. Two are the same type where their names are the same.
#[derive(Debug)]
pub struct Record {
    /// Name in messages, such as `request`.
    pub name: String,
    /// Its fields, in the order in which they are documented.
    pub fields: Vec<Field>,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Record {}

impl Record {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

/// A field of a record.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name of the field or variable.
    pub name: String,
    /// Type of its value.
    pub ty: Type,
    /// Reading it needs a guard (`has`, or the optional form).
    pub optional: bool,
    /// Reason that it cannot be known here; such a field is refused if it is read.
    pub hidden: Option<&'static str>,
    /// Which keys it has, if it is a map.
    pub keys: Keys,
    /// A map that has a value for each key that it is asked for.
    pub total: bool,
    /// Description, for the documentation.
    pub doc: &'static str,
}

/// The keys of a map that an environment knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Any text; a value may be missing.
    Any,
    /// Names of headers: in lower case; a value may be missing.
    Headers,
    /// These, and all of them are there.
    Only(Vec<String>),
}

impl Field {
    /// A field that is always there.
    #[must_use]
    pub fn new(name: impl Into<String>, ty: Type, doc: &'static str) -> Self {
        Self { name: name.into(), ty, optional: false, hidden: None, keys: Keys::Any, total: false, doc }
    }

    /// This field, which may be absent.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// This field, hidden: nothing here knows it. Says why.
    #[must_use]
    pub fn hidden(self, why: &'static str) -> Self {
        Self { hidden: Some(why), ..self }
    }

    /// This field, a map in which every key has a value.
    #[must_use]
    pub fn total(self) -> Self {
        Self { total: true, ..self }
    }

    /// This field, with the keys that its map may have.
    #[must_use]
    pub fn keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }
}

impl Type {
    /// The type `list(item)`.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// The type `map(key, value)`.
    #[must_use]
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// The type `optional(item)`.
    #[must_use]
    pub fn optional(item: Self) -> Self {
        Self::Optional(Arc::new(item))
    }

    /// True for `int`, `uint` and `double`.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// The name that `type(x)` gives (cel-spec, "Values"), without parameters.
    #[must_use]
    pub fn runtime_name(&self) -> &str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Null => "null_type",
            Self::Dyn | Self::Var(_) | Self::Error => "dyn",
            Self::Type => "type",
            Self::List(_) => "list",
            Self::Map(..) => "map",
            Self::Optional(_) => "optional_type",
            Self::Record(record) => &record.name,
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Url => "kubernetes.URL",
            Self::Semver => "kubernetes.Semver",
            Self::Quantity(unit) => unit.name(),
            Self::Opaque(name, _) => name,
        }
    }

    /// The type that a name of the language means where it stands as a value: `int`, `list`, `net.IP`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            "null_type" => Self::Null,
            "type" => Self::Type,
            "list" => Self::list(Self::Dyn),
            "map" => Self::map(Self::Dyn, Self::Dyn),
            "optional_type" => Self::optional(Self::Dyn),
            "net.IP" => Self::Ip,
            "net.CIDR" => Self::Cidr,
            _ => return None,
        })
    }

    /// Reads a type as signatures and claims schemas write it: `list(string)`, `map(string, A)`, where one capital
    /// letter is a type parameter.
    ///
    /// # Errors
    /// Says which part is not a type.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (ty, rest) = parse(text, 0)?;
        if rest.trim().is_empty() { Ok(ty) } else { Err(format!("`{rest}` follows the type")) }
    }

    fn each(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match self {
            Self::List(a) | Self::Optional(a) => a.each(visit),
            Self::Map(k, v) => {
                k.each(visit);
                v.each(visit);
            }
            Self::Opaque(_, parameters) => parameters.iter().for_each(|p| p.each(visit)),
            _ => {}
        }
    }

    /// True if it has a part that only reading tells.
    #[must_use]
    pub fn has_dyn(&self) -> bool {
        let mut found = false;
        self.each(&mut |ty| found |= *ty == Self::Dyn);
        found
    }

    /// A copy of the type with every leaf replaced.
    fn replaced(&self, with: &mut dyn FnMut(&Self) -> Self) -> Self {
        match self {
            Self::List(a) => Self::list(a.replaced(with)),
            Self::Optional(a) => Self::optional(a.replaced(with)),
            Self::Map(k, v) => Self::map(k.replaced(with), v.replaced(with)),
            Self::Opaque(name, parameters) => {
                Self::Opaque(name.clone(), parameters.iter().map(|p| p.replaced(with)).collect())
            }
            other => with(other),
        }
    }
}

/// Nesting of a written type.
const DEPTH: usize = 16;

fn parse(text: &str, depth: usize) -> Result<(Type, &str), String> {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_'))).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut parameters = Vec::new();
    if let Some(inner) = rest.strip_prefix('(') {
        if depth == DEPTH {
            return Err(format!("a type is nested deeper than {DEPTH}"));
        }
        rest = inner;
        loop {
            let (parameter, after) = parse(rest, depth + 1)?;
            parameters.push(parameter);
            let after = after.trim_start();
            match (after.strip_prefix(','), after.strip_prefix(')')) {
                (Some(more), _) => rest = more,
                (None, Some(more)) => {
                    rest = more;
                    break;
                }
                (None, None) => return Err("a type misses its `)`".into()),
            }
        }
    }
    let ty = match (name, parameters.as_slice()) {
        ("list", [item]) => Type::list(item.clone()),
        ("optional", [item]) => Type::optional(item.clone()),
        ("map", [key, value]) => Type::map(key.clone(), value.clone()),
        ("dyn", []) => Type::Dyn,
        ("timestamp", []) => Type::Timestamp,
        ("duration", []) => Type::Duration,
        ("ip", []) => Type::Ip,
        ("cidr", []) => Type::Cidr,
        ("url", []) => Type::Url,
        ("semver", []) => Type::Semver,
        ("percent", []) => Type::Quantity(Unit::Percent),
        ("rate", []) => Type::Quantity(Unit::Rate),
        ("bytesize", []) => Type::Quantity(Unit::ByteSize),
        ("null", []) => Type::Null,
        (name, []) if name.len() == 1 && name.chars().all(|c| c.is_ascii_uppercase()) => {
            Type::Var(name.bytes().map(|b| u32::from(b - b'A')).sum())
        }
        (name, []) => match Type::by_name(name) {
            Some(Type::List(_) | Type::Map(..) | Type::Optional(_)) | None => {
                return Err(format!("`{name}` is not a type"));
            }
            Some(ty) => ty,
        },
        (name, _) => return Err(format!("`{name}` is not a type with {} parameters", parameters.len())),
    };
    Ok((ty, rest))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(item) => write!(f, "optional({item})"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Null => f.write_str("null"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::Url => f.write_str("url"),
            Self::Semver => f.write_str("semver"),
            Self::Var(number) => match char::from_u32(u32::from(b'A') + number) {
                Some(letter) if *number < 26 => write!(f, "{letter}"),
                _ => write!(f, "T{number}"),
            },
            Self::Opaque(name, parameters) if !parameters.is_empty() => {
                write!(f, "{name}(")?;
                for (i, parameter) in parameters.iter().enumerate() {
                    write!(f, "{}{parameter}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            other => f.write_str(other.runtime_name()),
        }
    }
}

/// Substitution of type parameters that inference has found so far.
#[derive(Debug, Clone, Default)]
pub struct Unifier {
    bound: Vec<Option<Type>>,
}

impl Unifier {
    /// A parameter that stands for nothing yet.
    pub fn fresh(&mut self) -> Type {
        self.bound.push(None);
        Type::Var(u32::try_from(self.bound.len() - 1).unwrap_or(u32::MAX))
    }

    /// The types of a signature with parameters of their own.
    pub fn instantiate(&mut self, types: &[Type]) -> Vec<Type> {
        let mut own: Vec<(u32, Type)> = Vec::new();
        let mut renamed = Vec::with_capacity(types.len());
        for ty in types {
            let one = ty.replaced(&mut |leaf| match leaf {
                Type::Var(number) => match own.iter().find(|(n, _)| n == number) {
                    Some((_, ty)) => ty.clone(),
                    None => {
                        let new = self.fresh();
                        own.push((*number, new.clone()));
                        new
                    }
                },
                other => other.clone(),
            });
            renamed.push(one);
        }
        renamed
    }

    /// The type with every parameter that is known put in.
    #[must_use]
    pub fn resolve(&self, ty: &Type) -> Type {
        ty.replaced(&mut |leaf| match leaf {
            Type::Var(number) => match self.get(*number) {
                Some(bound) => self.resolve(&bound),
                None => leaf.clone(),
            },
            other => other.clone(),
        })
    }

    /// As [`Unifier::resolve`], where what nothing determines is `dyn` (cel-spec, "Gradual type checking").
    #[must_use]
    pub fn settle(&self, ty: &Type) -> Type {
        self.resolve(ty).replaced(&mut |leaf| match leaf {
            Type::Var(_) => Type::Dyn,
            other => other.clone(),
        })
    }

    /// Makes both types one, or says no; then some parameters may be bound, so try on a clone where that matters.
    /// `dyn` fits everything.
    pub fn unify(&mut self, a: &Type, b: &Type) -> bool {
        let (a, b) = (self.shallow(a), self.shallow(b));
        match (&a, &b) {
            (Type::Var(x), Type::Var(y)) if x == y => true,
            // A parameter that met `dyn` stays open to it: `[dyn(1), 1]` is a list of `dyn`.
            (Type::Var(x), other) | (other, Type::Var(x)) => self.bind(*x, other),
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => true,
            (Type::List(x), Type::List(y)) | (Type::Optional(x), Type::Optional(y)) => self.unify(x, y),
            (Type::Map(k1, v1), Type::Map(k2, v2)) => self.unify(k1, k2) && self.unify(v1, v2),
            (Type::Opaque(n1, p1), Type::Opaque(n2, p2)) => {
                n1 == n2 && p1.len() == p2.len() && p1.iter().zip(p2.iter()).all(|(x, y)| self.unify(x, y))
            }
            (x, y) => x == y,
        }
    }

    /// The type of either of two values: as [`Unifier::unify`], and `dyn` wins over what it meets. `None` where they
    /// have no type in common.
    pub fn join(&mut self, a: &Type, b: &Type) -> Option<Type> {
        let mut trial = self.clone();
        if !trial.unify(a, b) {
            return None;
        }
        *self = trial;
        Some(self.wider(a, b))
    }

    fn wider(&self, a: &Type, b: &Type) -> Type {
        let (a, b) = (self.shallow(a), self.shallow(b));
        match (&a, &b) {
            (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
            (Type::Error, other) | (other, Type::Error) => other.clone(),
            (Type::List(x), Type::List(y)) => Type::list(self.wider(x, y)),
            (Type::Optional(x), Type::Optional(y)) => Type::optional(self.wider(x, y)),
            (Type::Map(k1, v1), Type::Map(k2, v2)) => Type::map(self.wider(k1, k2), self.wider(v1, v2)),
            (Type::Opaque(name, p1), Type::Opaque(_, p2)) => {
                Type::Opaque(name.clone(), p1.iter().zip(p2.iter()).map(|(x, y)| self.wider(x, y)).collect())
            }
            _ => a,
        }
    }

    fn get(&self, number: u32) -> Option<Type> {
        self.bound.get(usize::try_from(number).ok()?)?.clone()
    }

    fn shallow(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        while let Type::Var(number) = ty {
            match self.get(number) {
                Some(bound) => ty = bound,
                None => break,
            }
        }
        ty
    }

    fn bind(&mut self, number: u32, to: &Type) -> bool {
        let to = self.resolve(to);
        let mut within = false;
        to.each(&mut |ty| within |= *ty == Type::Var(number));
        if within {
            return false;
        }
        match usize::try_from(number).ok().and_then(|n| self.bound.get_mut(n)) {
            Some(slot) => {
                *slot = Some(to);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_what_they_write() {
        for text in
            ["list(int)", "map(string, list(A))", "optional(dyn)", "duration", "bytesize", "null_type"]
        {
            let ty = Type::parse(text).unwrap();
            assert_eq!(Type::parse(&ty.to_string()).unwrap(), ty, "{text}");
        }
        for bad in ["", "lst(int)", "list", "list(int", "map(int)", "int)", &"list(".repeat(100)] {
            assert!(Type::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_are_found_and_dyn_wins() {
        let mut unifier = Unifier::default();
        let types = unifier.instantiate(&[Type::parse("A").unwrap(), Type::parse("list(A)").unwrap()]);
        let [item, list] = types.as_slice() else { panic!("two") };
        assert!(unifier.unify(list, &Type::list(Type::Int)));
        assert_eq!(unifier.settle(item), Type::Int);
        assert!(!unifier.unify(item, &Type::String));
        let joined = unifier.join(&Type::list(Type::Dyn), &Type::list(Type::Int)).unwrap();
        assert_eq!(joined, Type::list(Type::Dyn));
        assert_eq!(unifier.join(&Type::Int, &Type::Uint), None);
        let open = unifier.fresh();
        assert!(!unifier.unify(&open, &Type::list(open.clone())), "no type contains itself");
    }
}
