//! Calls with what they give, edges first.

use super::*;
use crate::cel::value::{DURATIONS, LARGEST, Map, TIMESTAMPS};

/// What a call gives: a value, or the kind of its fault.
#[derive(Debug)]
enum Due {
    Gives(Value),
    Fails(&'static str),
}
use Due::Fails;

impl<T: Into<Value>> From<T> for Due {
    fn from(value: T) -> Self {
        Self::Gives(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Bytes(value.as_slice().into())
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::list(items.map(Into::into))
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

macro_rules! list {
    ($($item:expr),*) => { Value::list([$(Value::from($item)),*]) };
}

macro_rules! map {
    ($($key:expr => $value:expr),*) => {{
        let map = Map::default();
        $(map.insert($key.into(), $value.into()).unwrap();)*
        Value::Map(map.into())
    }};
}

/// `"name"(arguments) = result;` lines.
macro_rules! calls {
    ($($name:literal ($($argument:expr),*) = $due:expr;)*) => {
        $(check($name, &[$(Value::from($argument)),*], $due.into());)*
    };
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    (find(name).unwrap_or_else(|| panic!("{name}")).function.call)(arguments)
}

/// The value of a call that is right.
fn made(name: &str, argument: impl Into<Value>) -> Value {
    call(name, &[argument.into()]).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn ip(text: &str) -> Value {
    made("ip", text)
}

fn cidr(text: &str) -> Value {
    made("cidr", text)
}

fn time(text: &str) -> Value {
    made("timestamp", text)
}

fn span(text: &str) -> Value {
    made("duration", text)
}

#[track_caller]
fn check(name: &str, arguments: &[Value], due: Due) {
    let got = call(name, arguments);
    let kind = match &got {
        Ok(_) => "",
        Err(Fault::NoOverload(_)) => "overload",
        Err(Fault::NoSuchKey(_)) => "key",
        Err(Fault::DivideByZero) => "zero",
        Err(Fault::Overflow) => "range",
        Err(Fault::Index(_)) => "index",
        Err(Fault::Invalid(_)) => "invalid",
        Err(Fault::Budget) => "budget",
    };
    let right = match (&got, &due) {
        // Written, so that types, NaN and the sign of 0 count.
        (Ok(value), Due::Gives(due)) => format!("{value:?}") == format!("{due:?}"),
        (Err(_), Fails(due)) => kind == *due,
        _ => false,
    };
    assert!(right, "{name}({arguments:?}) gives {got:?}, due {due:?}");
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const MIN: i64 = i64::MIN;
const MAX: i64 = i64::MAX;
const UMAX: u64 = u64::MAX;

#[test]
fn arithmetic() {
    calls! {
        "+"(MAX, 1i64) = Fails("range");
        "+"(MAX, 0i64) = MAX;
        "+"(MIN, -1i64) = Fails("range");
        "+"(UMAX, 1u64) = Fails("range");
        "+"(0.1, 0.2) = 0.1 + 0.2;
        "+"(f64::MAX, f64::MAX) = INF;
        "+"(1i64, 1u64) = Fails("overload");
        "+"(1i64, 1.0) = Fails("overload");
        "+"("ta©", "😀") = "ta©😀";
        "+"("", "") = "";
        "+"("a", 1i64) = Fails("overload");
        "+"(b"ab", b"\xff") = b"ab\xff";
        "+"([1i64], [2i64]) = [1i64, 2];
        "+"(list![], list![]) = list![];
        "+"(span("1h"), span("30m")) = span("1h30m");
        "+"(time("2009-02-13T23:00:00Z"), span("240s")) = time("2009-02-13T23:04:00Z");
        "+"(span("-1s"), time("1970-01-01T00:00:00Z")) = time("1969-12-31T23:59:59Z");
        "+"(time("9999-12-31T23:59:59Z"), span("1s")) = Fails("range");
        "+"(time("0001-01-01T00:00:00Z"), span("-1ns")) = Fails("range");
        "+"(time("1970-01-01T00:00:00Z"), time("1970-01-01T00:00:00Z")) = Fails("overload");
        "+"(Value::Duration(*DURATIONS.end()), span("1ns")) = Fails("range");
        "+"("x".repeat(LARGEST).as_str(), "x") = Fails("budget");
        "-"(MIN, 1i64) = Fails("range");
        "-"(0u64, 1u64) = Fails("range");
        "-"(MIN) = Fails("range");
        "-"(MAX) = -MAX;
        "-"(0.0) = -0.0;
        "-"(5u64) = Fails("overload");
        "-"(time("9999-12-31T23:59:59Z"), time("0001-01-01T00:00:00Z")) = Fails("range");
        "-"(time("2009-02-13T23:31:00Z"), time("2009-02-13T23:29:00Z")) = span("120s");
        "-"(time("0001-01-01T00:00:00Z"), span("1ns")) = Fails("range");
        "-"(span("1s"), time("2009-02-13T23:29:00Z")) = Fails("overload");
        "-"(Value::Duration(*DURATIONS.start()), span("1ns")) = Fails("range");
        "*"(MIN, -1i64) = Fails("range");
        "*"(5_000_000_000u64, 5_000_000_000u64) = Fails("range");
        "*"(2.0, -8.988466e307) = -8.988466e307 * 2.0;
        "/"(MIN, -1i64) = Fails("range");
        "/"(7i64, -2i64) = -3i64;
        "/"(1i64, 0i64) = Fails("zero");
        "/"(1u64, 0u64) = Fails("zero");
        "/"(1.0, 0.0) = INF;
        "/"(-1.0, 0.0) = -INF;
        "/"(0.0, 0.0) = NAN;
        "%"(-7i64, 2i64) = -1i64;
        "%"(7i64, -2i64) = 1i64;
        "%"(MIN, -1i64) = Fails("range");
        "%"(1i64, 0i64) = Fails("zero");
        "%"(1u64, 0u64) = Fails("zero");
        "%"(1.0, 1.0) = Fails("overload");
        "!"(true) = false;
        "!"(1i64) = Fails("overload");
    }
}

#[test]
fn comparisons() {
    calls! {
        "=="(1i64, 1u64) = true;
        "=="(1i64, 1.0) = true;
        "=="(NAN, NAN) = false;
        "!="(NAN, NAN) = true;
        "=="(-0.0, 0.0) = true;
        "=="(MAX, 9.223_372_036_854_775_8e18) = true;
        "=="(1i64, "1") = false;
        "=="((), ()) = true;
        "=="(list![1i64, "a"], list![1.0, "a"]) = true;
        "=="(list![NAN], list![NAN]) = false;
        "=="(map!["a" => 1i64, 2i64 => "b"], map![2u64 => "b", "a" => 1.0]) = true;
        "=="(map!["a" => 1i64], map!["b" => 1i64]) = false;
        "=="(Value::Optional(None), Value::some(Value::Null)) = false;
        "=="(ip("2001:db8::1"), ip("2001:DB8:0::1")) = true;
        "=="(ip("127.0.0.1"), "127.0.0.1") = false;
        "=="(cidr("10.0.0.1/8"), cidr("10.0.0.0/8")) = false;
        "=="(made("semver", "1.0.0+a"), made("semver", "1.0.0+b")) = true;
        "=="(made("percent", "5%"), made("percent", "5.00%")) = true;
        "=="(made("rate", "60/m"), made("rate", "1/s")) = true;
        "=="(made("bytesize", "1KiB"), made("bytesize", "1024B")) = true;
        "<"(false, true) = true;
        "<"(1i64, 2u64) = true;
        "<"(-1i64, 0u64) = true;
        "<"(UMAX, -1i64) = false;
        "<"(1u64, 1.5) = true;
        "<"(1.5, 1i64) = false;
        "<"(1i64, NAN) = false;
        ">="(NAN, 1u64) = false;
        ">"(9.223_372_036_854_775_8e18, MAX) = false;
        ">="(MAX, 9.223_372_036_854_775_8e18) = true;
        "<="("a", "b") = true;
        "<"("Z", "a") = true;
        "<"("😀", "\u{ffff}") = false;
        "<"(b"\x00", b"") = false;
        "<"(time("1945-05-07T02:41:00Z"), time("1970-01-01T00:00:00Z")) = true;
        ">"(span("300s"), span("200s")) = true;
        "<"(made("percent", "0.5%"), made("percent", "5%")) = true;
        "<"(made("rate", "50/s"), made("rate", "3001/m")) = true;
        "<"(made("percent", "5%"), made("rate", "5/s")) = Fails("overload");
        "<"(made("semver", "1.0.0-rc.1"), made("semver", "1.0.0")) = true;
        "<"((), ()) = Fails("overload");
        "<"([1i64], [2i64]) = Fails("overload");
        "<"("foo", 1024i64) = Fails("overload");
        "<"(ip("10.0.0.1"), ip("10.0.0.2")) = Fails("overload");
        "in"(3.0, [1i64, 3]) = true;
        "in"(1i64, list![]) = false;
        "in"("a", ["ab"]) = false;
        "in"(NAN, [NAN]) = false;
        "in"([1i64], [[1i64]]) = true;
        "in"(2.0, map![2u64 => "b"]) = true;
        "in"(2.5, map![2u64 => "b"]) = false;
        "in"((), map![2u64 => "b"]) = false;
        "in"("b", map!["a" => "b"]) = false;
        "in"("a", "abc") = Fails("overload");
    }
}

#[test]
fn conversions() {
    calls! {
        "int"(UMAX) = Fails("range");
        "int"(1.9) = 1i64;
        "int"(-1.9) = -1i64;
        "int"(NAN) = Fails("range");
        "int"(INF) = Fails("range");
        "int"(9_223_372_036_854_774_784.0) = 9_223_372_036_854_774_784i64;
        "int"(9_223_372_036_854_775_807.0) = Fails("range");
        "int"(-9_223_372_036_854_775_808.0) = Fails("range");
        "int"("-9223372036854775808") = MIN;
        "int"("9223372036854775808") = Fails("range");
        "int"("1.0") = Fails("invalid");
        "int"("") = Fails("invalid");
        "int"(" 1") = Fails("invalid");
        "int"("٣") = Fails("invalid");
        "int"(time("1969-12-31T23:59:59.5Z")) = -1i64;
        "int"(true) = Fails("overload");
        "uint"(-1i64) = Fails("range");
        "uint"(3.9) = 3u64;
        "uint"(-0.5) = Fails("range");
        "uint"(-0.0) = 0u64;
        "uint"(18_446_744_073_709_551_616.0) = Fails("range");
        "uint"(NAN) = Fails("range");
        "uint"("18446744073709551615") = UMAX;
        "uint"("18446744073709551616") = Fails("range");
        "uint"("-1") = Fails("invalid");
        "uint"("+1") = Fails("invalid");
        "double"(UMAX) = 18_446_744_073_709_551_616.0;
        "double"("-0.0") = -0.0;
        "double"("1e400") = Fails("range");
        "double"("NaN") = NAN;
        "double"("-Infinity") = -INF;
        "double"("1_000") = Fails("invalid");
        "double"("") = Fails("invalid");
        "bool"("True") = true;
        "bool"("0") = false;
        "bool"("tRUE") = Fails("invalid");
        "bool"("yes") = Fails("invalid");
        "bool"(1i64) = Fails("overload");
        "string"(MIN) = "-9223372036854775808";
        "string"(UMAX) = "18446744073709551615";
        "string"(123.456) = "123.456";
        "string"(1e20) = "1e+20";
        "string"(true) = "true";
        "string"(b"\xc3\xbf") = "ÿ";
        "string"(b"\xff") = Fails("invalid");
        "string"(time("9999-12-31T23:59:59.999999999Z")) = "9999-12-31T23:59:59.999999999Z";
        "string"(span("1000000s")) = "1000000s";
        "string"(ip("2001:DB8:0:0::1")) = "2001:db8::1";
        "string"(cidr("10.1.0.0/8")) = "10.1.0.0/8";
        "string"(made("url", "HTTPS://A.example:443")) = "https://a.example/";
        "string"(made("semver", "1.2.3-rc.1+b")) = "1.2.3-rc.1+b";
        "string"(()) = Fails("overload");
        "string"(list![]) = Fails("overload");
        "bytes"("ÿ") = b"\xc3\xbf";
        "bytes"(1i64) = Fails("overload");
        "type"(1i64) = Value::Type("int".into());
        "type"(Value::Type("int".into())) = Value::Type("type".into());
        "type"(ip("::1")) = Value::Type("net.IP".into());
        "type"(()) = Value::Type("null_type".into());
        "type"(Value::Optional(None)) = Value::Type("optional_type".into());
        "dyn"(1u64) = 1u64;
        "base64.encode"(b"hello") = "aGVsbG8=";
        "base64.encode"(b"") = "";
        "base64.decode"("aGVsbG8") = b"hello";
        "base64.decode"("aGVsbG8=") = b"hello";
        "base64.decode"("a-_b") = Fails("invalid");
        "base64.decode"("a") = Fails("invalid");
    }
}

#[test]
fn texts() {
    calls! {
        "startsWith"("foobar", "") = true;
        "startsWith"("", "foo") = false;
        "endsWith"("forté", "té") = true;
        "contains"("abababc", "ababc") = true;
        "contains"("", "") = true;
        "matches"("hubba", "ubb") = true;
        "matches"("cows", "") = true;
        "matches"("cows", "^ow") = false;
        "matches"("mañana", "a+ñ+a+") = true;
        "matches"("x", "(") = Fails("invalid");
        "matches"("x", r"(a{1,100}){1,100}") = Fails("invalid");
        "charAt"("ta©o", 2i64) = "©";
        "charAt"("ta©o", 4i64) = "";
        "charAt"("ta©o", 5i64) = Fails("index");
        "charAt"("ta©o", -1i64) = Fails("index");
        "charAt"("", 0i64) = "";
        "indexOf"("ta©o©αT", "©") = 2i64;
        "indexOf"("tacocat", "") = 0i64;
        "indexOf"("tacocat", "", 3i64) = 3i64;
        "indexOf"("tacocat", "", 7i64) = 7i64;
        "indexOf"("tacocat", "at", 3i64) = 5i64;
        "indexOf"("tacocat", "at", 6i64) = -1i64;
        "indexOf"("tacocat", "at", 7i64) = -1i64;
        "indexOf"("tacocat", "at", 8i64) = Fails("index");
        "indexOf"("tacocat", "at", -1i64) = Fails("index");
        "indexOf"("ta", "tacocat") = -1i64;
        "lastIndexOf"("tacocat", "at") = 5i64;
        "lastIndexOf"("tacocat", "") = 7i64;
        "lastIndexOf"("tacocat", "", 3i64) = 3i64;
        "lastIndexOf"("ta©o©αT", "©", 3i64) = 2i64;
        "lastIndexOf"("ta©o©αT", "©", 4i64) = 4i64;
        "lastIndexOf"("ta©o©αT", "a©", 3i64) = 1i64;
        "lastIndexOf"("ta©o😀©", "a", 4i64) = 1i64;
        "lastIndexOf"("hello wello", "ello", 6i64) = 1i64;
        "lastIndexOf"("bananananana", "nana", 7i64) = 6i64;
        "lastIndexOf"("tacocat", "a", -1i64) = Fails("index");
        "lastIndexOf"("tacocat", "a", 30i64) = Fails("index");
        "lastIndexOf"("", "a") = -1i64;
        "substring"("ta©o©αT", 2i64, 6i64) = "©o©α";
        "substring"("ta©o©αT", 7i64) = "";
        "substring"("ta©o©αT", 8i64) = Fails("index");
        "substring"("tacocat", 4i64, 3i64) = Fails("index");
        "substring"("tacocat", -1i64, 3i64) = Fails("index");
        "substring"("tacocat", 1i64, 50i64) = Fails("index");
        "lowerAscii"("TacoCÆt Xii") = "tacocÆt xii";
        "upperAscii"("tacoCÆt é") = "TACOCÆT é";
        "trim"("\u{a0}\u{2028} \u{b}text\u{85}\u{3000}") = "text";
        "trim"("\u{180e}text\u{200b}\u{feff}") = "\u{180e}text\u{200b}\u{feff}";
        "replace"("hello hello", "he", "we") = "wello wello";
        "replace"("hello hello", "he", "we", -1i64) = "wello wello";
        "replace"("hello hello", "he", "we", 1i64) = "wello hello";
        "replace"("hello hello", "he", "we", 0i64) = "hello hello";
        "replace"("a©", "", "-") = "-a-©-";
        "replace"("a©", "", "-", 2i64) = "-a-©";
        "replace"("x".repeat(2048).as_str(), "x", "y".repeat(1024).as_str()) = Fails("budget");
        "split"("hello hello hello", " ") = ["hello", "hello", "hello"];
        "split"("hello hello hello", " ", 0i64) = list![];
        "split"("hello hello hello", " ", 1i64) = ["hello hello hello"];
        "split"("hello hello hello", " ", 2i64) = ["hello", "hello hello"];
        "split"("hello hello hello", " ", -1i64) = ["hello", "hello", "hello"];
        "split"("", ",") = [""];
        "split"("", "") = list![];
        "split"(",a,", ",") = ["", "a", ""];
        "split"("a©o", "") = ["a", "©", "o"];
        "split"("a©o", "", 2i64) = ["a", "©o"];
        "split"("a©o", "", 3i64) = ["a", "©", "o"];
        "split"("a©o", "", 9i64) = ["a", "©", "o"];
        "join"(["x", "y"]) = "xy";
        "join"(["x", "y"], "-") = "x-y";
        "join"(list![], "-") = "";
        "join"(list!["x", 1i64], "-") = Fails("overload");
        "join"(vec![Value::text("x"); 2048], "y".repeat(1024).as_str()) = Fails("budget");
        "strings.quote"("a\u{7}\u{8}\u{c}\n\r\t\u{b}\\\"\u{1}😀'") =
            "\"a\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\u{1}😀'\"";
        "reverse"("ta©o😀") = "😀o©at";
        "reverse"("") = "";
        "size"("πέντε😀") = 6i64;
        "size"("e\u{301}") = 2i64;
        "size"(b"\xc3\xbf") = 2i64;
        "size"(map!["a" => 1i64]) = 1i64;
        "size"(1i64) = Fails("overload");
    }
}

#[test]
fn formats() {
    let times = list!["abc", 3.14, (), [9i64, 8], time("2023-02-03T23:31:20Z")];
    let named = map!["strKey" => "x", 6i64 => span("422s"), true => 42i64];
    calls! {
        "format"("%% and %%", list![]) = "% and %";
        "format"("%d %s%%", list![1i64, "A"]) = "1 A%";
        "format"("%s", list![times]) = "[abc, 3.14, null, [9, 8], 2023-02-03T23:31:20Z]";
        "format"("%s", list![named]) = "{6: 422s, strKey: x, true: 42}";
        "format"("%s %s", list![map![], list![]]) = "{} []";
        "format"("%s %s", list![[NAN, INF], -INF]) = "[NaN, Infinity] -Infinity";
        "format"("%s", list![1e20]) = "100000000000000000000";
        "format"("%s", list![b"\xc3\xbf"]) = "ÿ";
        "format"("%s", list![b"\xff"]) = Fails("invalid");
        "format"("%s", list![Value::Type("int".into())]) = "int";
        "format"("%s %s", list![ip("::1"), made("percent", "5%")]) = "::1 5%";
        "format"("%s", list![Value::Optional(None)]) = Fails("invalid");
        "format"("%s", list![true]) = "true";
        "format"("%d %d %d", list![MIN, UMAX, NAN]) = "-9223372036854775808 18446744073709551615 NaN";
        "format"("%d", list![()]) = Fails("invalid");
        "format"("%d", list!["1"]) = Fails("invalid");
        "format"("%d", list![span("1s")]) = Fails("invalid");
        "format"("%f %f %f", list![2.71828, 2i64, 3u64]) = "2.718280 2.000000 3.000000";
        "format"("%.0f %.0f %.0f", list![1.5, 2.5, 3.5001]) = "2 2 4";
        "format"("%.3f %.3f", list![123.4999, -123.4994]) = "123.500 -123.499";
        "format"("%.3f", list![1.2345]) = "1.234";
        "format"("%f", list!["Infinity"]) = Fails("invalid");
        "format"("%e %e", list![2.71828, 3u64]) = "2.718280e+00 3.000000e+00";
        "format"("%.2e %.0e", list![0.000_012_345, 1e100]) = "1.23e-05 1e+100";
        "format"("%e", list![-INF]) = "-Infinity";
        "format"("%b %b %b %b", list![5i64, -5i64, true, UMAX]) =
            format!("101 -101 1 {}", "1".repeat(64)).as_str();
        "format"("%b", list!["abc"]) = Fails("invalid");
        "format"("%o %o", list![8i64, MIN]) = "10 -1000000000000000000000";
        "format"("%o", list![1.0]) = Fails("invalid");
        "format"("%x %X %x", list![30i64, -30i64, UMAX]) = "1e -1E ffffffffffffffff";
        "format"("%X %x", list!["Hello", b"\x00\xff"]) = "48656C6C6F 00ff";
        "format"("%x", list![0.5]) = Fails("invalid");
        "format"("%E", list![0.5]) = Fails("invalid");
        "format"("%a", list![1i64]) = Fails("invalid");
        "format"("%", list![1i64]) = Fails("invalid");
        "format"("%s %s", list![1i64]) = Fails("invalid");
        "format"("%.f", list![1.0]) = Fails("invalid");
        "format"("%.3", list![1.0]) = Fails("invalid");
        "format"("%.101f", list![1.0]) = Fails("invalid");
        "format"("%.99999999999999999999f", list![1.0]) = Fails("invalid");
        "format"("%5d", list![1i64]) = Fails("invalid");
        "format"("%s", list![1i64, 2i64]) = "1";
        "format"("%s%s%s", vec![Value::text(&"x".repeat(LARGEST / 2)); 3]) = Fails("budget");
    }
}

#[test]
fn lists_and_sets() {
    let nested = || list![1i64, [2i64], list![list![3i64], list![]]];
    calls! {
        "reverse"([1i64, 2]) = [2i64, 1];
        "lists.range"(3i64) = [0i64, 1, 2];
        "lists.range"(0i64) = list![];
        "lists.range"(-1i64) = list![];
        "lists.range"(MAX) = Fails("budget");
        "slice"([1i64, 2, 3, 4], 1i64, 3i64) = [2i64, 3];
        "slice"([1i64, 2], 2i64, 2i64) = list![];
        "slice"([1i64, 2], 2i64, 1i64) = Fails("index");
        "slice"([1i64, 2], -1i64, 1i64) = Fails("index");
        "slice"([1i64, 2], 0i64, 3i64) = Fails("index");
        "flatten"(nested()) = list![1i64, 2i64, [3i64], list![]];
        "flatten"(nested(), 0i64) = nested();
        "flatten"(nested(), 2i64) = [1i64, 2, 3];
        "flatten"(nested(), MAX) = [1i64, 2, 3];
        "flatten"(nested(), -1i64) = Fails("invalid");
        "distinct"(list![1i64, 2i64, 2.0, 2u64, 1i64]) = list![1i64, 2i64];
        "distinct"(list![1.0, 1i64, "b", "b", [1i64], [1.0]]) = list![1.0, "b", [1i64]];
        "distinct"([NAN, NAN]) = [NAN, NAN];
        "distinct"(list![]) = list![];
        "sort"([3i64, 1, 2]) = [1i64, 2, 3];
        "sort"(["b", "Z", "a", ""]) = ["", "Z", "a", "b"];
        "sort"([true, false]) = [false, true];
        "sort"([0.5, -INF, 0.0]) = [-INF, 0.0, 0.5];
        "sort"(list![]) = list![];
        "sort"(list![1i64, 1u64]) = Fails("invalid");
        "sort"(list![1i64, "b"]) = Fails("invalid");
        "sort"([1.0, NAN]) = Fails("invalid");
        "sort"([[1i64]]) = Fails("overload");
        "sort"(list![(), ()]) = Fails("overload");
        "first"([1i64, 2]) = Value::some(1i64.into());
        "first"(list![]) = Value::Optional(None);
        "last"([1i64, 2]) = Value::some(2i64.into());
        "last"("ab") = Fails("overload");
        "sets.contains"([1i64, 2], [2i64, 2]) = true;
        "sets.contains"([1i64], list![]) = true;
        "sets.contains"(list![], [1i64]) = false;
        "sets.contains"(list![1i64, 2u64], list![1.0, 2i64]) = true;
        "sets.contains"([[1i64], [2]], [[2.0]]) = true;
        "sets.equivalent"([1i64, 1], [1u64]) = true;
        "sets.equivalent"([1i64, 2], [1i64]) = false;
        "sets.equivalent"(list![], list![]) = true;
        "sets.intersects"([1i64, 2], [2i64, 3]) = true;
        "sets.intersects"([1i64], list![]) = false;
        "sets.intersects"([[1i64]], [[2i64]]) = false;
    }
}

#[test]
fn times() {
    let start = time("2009-02-13T23:31:30Z");
    let central = || Value::from("US/Central");
    calls! {
        "timestamp"("2009-02-13T23:31:30.5+01:00") = time("2009-02-13T22:31:30.500Z");
        "timestamp"("2024-02-29T00:00:00-23:59") = time("2024-02-29T23:59:00Z");
        "timestamp"("1970-01-01T00:00:00.1234567899Z") = Value::Timestamp(123_456_789);
        "timestamp"(1_000_000_000i64) = time("2001-09-09T01:46:40Z");
        "timestamp"(-1i64) = time("1969-12-31T23:59:59Z");
        "timestamp"(253_402_300_800i64) = Fails("range");
        "timestamp"(-62_135_596_801i64) = Fails("range");
        "timestamp"(MIN) = Fails("range");
        "timestamp"("0001-01-01T00:00:00Z") = Value::Timestamp(*TIMESTAMPS.start());
        "timestamp"("0001-01-01T00:00:00+00:01") = Fails("range");
        "timestamp"("0000-12-31T23:59:59Z") = Fails("range");
        "timestamp"("10000-01-01T00:00:00Z") = Fails("range");
        "timestamp"("2023-02-29T00:00:00Z") = Fails("invalid");
        "timestamp"("2023-01-01T24:00:00Z") = Fails("invalid");
        "timestamp"("2023-01-01T00:00:60Z") = Fails("invalid");
        "timestamp"("2023-01-01T00:00:00") = Fails("invalid");
        "timestamp"("2023-01-01T00:00:00.Z") = Fails("invalid");
        "timestamp"("2023-01-01 00:00:00Z") = Fails("invalid");
        "timestamp"("2023-01-01T00:00:00+1:00") = Fails("invalid");
        "timestamp"("2023-01-01T00:00:00Zé") = Fails("invalid");
        "timestamp"("2023-01-01") = Fails("invalid");
        "timestamp"("") = Fails("invalid");
        "string"(time("0001-01-01T00:00:00Z")) = "0001-01-01T00:00:00Z";
        "string"(time("2009-02-13T23:31:30.120Z")) = "2009-02-13T23:31:30.12Z";
        "string"(Value::Timestamp(-1)) = "1969-12-31T23:59:59.999999999Z";
        "duration"("1h30m") = span("5400s");
        "duration"("-1.5s") = Value::Duration(-1_500_000_000);
        "duration"("+1us1µs1μs1ns") = Value::Duration(3_001);
        "duration"(".5h") = span("30m");
        "duration"("1.s") = span("1s");
        "duration"("0") = Value::Duration(0);
        "duration"("1.0000000001s") = span("1s");
        "duration"("0.1234567891234567891234h") = Value::Duration(444_444_440_844);
        "duration"("9223372036.854775807s") = Value::Duration(*DURATIONS.end());
        "duration"("-9223372036.854775808s") = Value::Duration(*DURATIONS.start());
        "duration"("9223372036.854775808s") = Fails("range");
        "duration"("-320000000000s") = Fails("range");
        "duration"("99999999999999999999999999999999999999999h") = Fails("range");
        "duration"("") = Fails("invalid");
        "duration"("-") = Fails("invalid");
        "duration"("1") = Fails("invalid");
        "duration"("s") = Fails("invalid");
        "duration"(".s") = Fails("invalid");
        "duration"("1d") = Fails("invalid");
        "duration"("1e3s") = Fails("invalid");
        "duration"("1 s") = Fails("invalid");
        "duration"("--1s") = Fails("invalid");
        "duration"("1s-1s") = Fails("invalid");
        "string"(span("-0.5s")) = "-0.5s";
        "string"(span("0")) = "0s";
        "string"(Value::Duration(*DURATIONS.start())) = "-9223372036.854775808s";
        "getDate"(start.clone()) = 13i64;
        "getDayOfMonth"(start.clone()) = 12i64;
        "getDayOfMonth"(start.clone(), central()) = 12i64;
        "getDayOfMonth"(start.clone(), "+11:00") = 13i64;
        "getDayOfMonth"(time("2009-02-13T02:00:00Z"), "-02:30") = 11i64;
        "getDayOfWeek"(start.clone(), "UTC") = 5i64;
        "getDayOfWeek"(time("1969-12-28T00:00:00Z")) = 0i64;
        "getDayOfYear"(start.clone()) = 43i64;
        "getDayOfYear"(time("2024-12-31T00:00:00Z")) = 365i64;
        "getMonth"(start.clone()) = 1i64;
        "getFullYear"(start.clone()) = 2009i64;
        "getFullYear"(time("9999-12-31T23:59:59Z"), "+14:00") = 10_000i64;
        "getFullYear"(time("0001-01-01T00:00:00Z"), "America/New_York") = 0i64;
        "getHours"(start.clone(), "02:00") = 1i64;
        "getHours"(start.clone(), central()) = 17i64;
        "getHours"(time("2009-07-13T23:31:30Z"), central()) = 18i64;
        "getHours"(time("9999-12-31T23:59:59Z"), "Asia/Tokyo") = 8i64;
        "getMinutes"(start.clone(), "Asia/Kathmandu") = 16i64;
        "getSeconds"(start.clone()) = 30i64;
        "getMilliseconds"(time("2009-02-13T23:31:20.123456789Z")) = 123i64;
        "getMilliseconds"(Value::Timestamp(-1)) = 999i64;
        "getHours"(span("3730s")) = 1i64;
        "getMinutes"(span("3730s")) = 62i64;
        "getSeconds"(span("-3730.9s")) = -3730i64;
        "getMilliseconds"(span("123.321456789s")) = 321i64;
        "getDate"(span("1s")) = Fails("overload");
        "getHours"(span("1s"), "UTC") = Fails("overload");
    }
    let zones =
        ["", "Z", "Mars/Base", "us/central", "+2:00", "+15:00", "+02:60", "+-2:00", "02:00:00", ":", "Local"];
    for zone in zones {
        check("getHours", &[start.clone(), zone.into()], Fails("invalid"));
    }
}

#[test]
fn networks() {
    calls! {
        "ip"("fe80::1%en0") = Fails("invalid");
        "ip"("::ffff:192.168.0.1") = Fails("invalid");
        "ip"("::ffff:c0a8:1") = Fails("invalid");
        "ip"("192.168.0.01") = Fails("invalid");
        "ip"("192.168.0.1.0") = Fails("invalid");
        "ip"("[::1]") = Fails("invalid");
        "ip"(" 10.0.0.1") = Fails("invalid");
        "ip"("") = Fails("invalid");
        "isIP"("10.0.0.256") = false;
        "isIP"("::") = true;
        "isIP"(cidr("10.0.0.0/8")) = Fails("overload");
        "ip.isCanonical"("127.0.0.1") = true;
        "ip.isCanonical"("2001:DB8::68") = false;
        "ip.isCanonical"("2001:db8:0:0:0:0:0:68") = false;
        "ip.isCanonical"("x") = Fails("invalid");
        "family"(ip("10.0.0.1")) = 4i64;
        "family"(ip("::1")) = 6i64;
        "isUnspecified"(ip("::")) = true;
        "isUnspecified"(ip("0.0.0.0")) = true;
        "isLoopback"(ip("127.1.2.3")) = true;
        "isLoopback"(ip("::2")) = false;
        "isGlobalUnicast"(ip("255.255.255.255")) = false;
        "isGlobalUnicast"(ip("10.0.0.1")) = true;
        "isGlobalUnicast"(ip("fd00::1")) = true;
        "isGlobalUnicast"(ip("ff02::1")) = false;
        "isGlobalUnicast"(ip("fe80::1")) = false;
        "isGlobalUnicast"(ip("127.0.0.1")) = false;
        "isLinkLocalMulticast"(ip("224.0.0.1")) = true;
        "isLinkLocalMulticast"(ip("224.0.1.1")) = false;
        "isLinkLocalMulticast"(ip("ff12::1")) = true;
        "isLinkLocalMulticast"(ip("ff05::1")) = false;
        "isLinkLocalUnicast"(ip("169.254.1.1")) = true;
        "isLinkLocalUnicast"(ip("febf::1")) = true;
        "isLinkLocalUnicast"(ip("fec0::1")) = false;
        "cidr"("10.0.0.0/33") = Fails("invalid");
        "cidr"("10.0.0.0/08") = Fails("invalid");
        "cidr"("10.0.0.0/+8") = Fails("invalid");
        "cidr"("10.0.0.0/") = Fails("invalid");
        "cidr"("10.0.0.0") = Fails("invalid");
        "cidr"("::/129") = Fails("invalid");
        "cidr"("::/256") = Fails("invalid");
        "cidr"("::ffff:10.0.0.0/104") = Fails("invalid");
        "cidr"("fe80::1%en0/24") = Fails("invalid");
        "isCIDR"("::/0") = true;
        "isCIDR"("10.0.0.0") = false;
        "containsIP"(cidr("0.0.0.0/0"), "255.255.255.255") = true;
        "containsIP"(cidr("::/0"), "10.0.0.1") = false;
        "containsIP"(cidr("10.1.2.3/8"), ip("10.200.0.1")) = true;
        "containsIP"(cidr("10.0.0.1/32"), "10.0.0.2") = false;
        "containsIP"(cidr("2001:db8::/127"), "2001:db8::1") = true;
        "containsIP"(cidr("2001:db8::/127"), "2001:db8::2") = false;
        "containsIP"(cidr("10.0.0.0/8"), "x") = Fails("invalid");
        "containsCIDR"(cidr("192.168.0.0/24"), cidr("192.168.0.0/25")) = true;
        "containsCIDR"(cidr("192.168.0.0/24"), "192.168.0.0/23") = false;
        "containsCIDR"(cidr("0.0.0.0/0"), "::/0") = false;
        "containsCIDR"(cidr("10.0.0.0/8"), "10.0.0.0") = Fails("invalid");
        "ip"(cidr("192.168.0.7/24")) = ip("192.168.0.7");
        "masked"(cidr("192.168.0.7/24")) = cidr("192.168.0.0/24");
        "masked"(cidr("2001:db8::1/0")) = cidr("::/0");
        "masked"(cidr("2001:db8::1/128")) = cidr("2001:db8::1/128");
        "prefixLength"(cidr("::/0")) = 0i64;
    }
}

#[test]
fn optionals() {
    let none = || Value::Optional(None);
    calls! {
        "optional.of"(()) = Value::some(Value::Null);
        "optional.none"() = none();
        "optional.none"(1i64) = Fails("overload");
        "optional.ofNonZeroValue"(0u64) = none();
        "optional.ofNonZeroValue"(-0.0) = none();
        "optional.ofNonZeroValue"(NAN) = Value::some(NAN.into());
        "optional.ofNonZeroValue"("") = none();
        "optional.ofNonZeroValue"(()) = none();
        "optional.ofNonZeroValue"(map![]) = none();
        "optional.ofNonZeroValue"(span("0")) = none();
        "optional.ofNonZeroValue"(42i64) = Value::some(42i64.into());
        "hasValue"(Value::some(Value::Null)) = true;
        "hasValue"(none()) = false;
        "hasValue"(()) = Fails("overload");
        "value"(Value::some(1i64.into())) = 1i64;
        "value"(none()) = Fails("invalid");
        "or"(none(), Value::some(1i64.into())) = Value::some(1i64.into());
        "or"(Value::some(2i64.into()), none()) = Value::some(2i64.into());
        "or"(none(), 1i64) = Fails("overload");
        "orValue"(none(), "d") = "d";
        "orValue"(Value::some("v".into()), "d") = "v";
        "optional.unwrap"(list![none(), Value::some(1i64.into())]) = [1i64];
        "unwrapOpt"(list![]) = list![];
        "unwrapOpt"([1i64]) = Fails("overload");
    }
}

#[test]
fn numbers() {
    calls! {
        "math.greatest"(5i64) = 5i64;
        "math.greatest"(1i64, 1.0) = 1i64;
        "math.greatest"(5.4, 10i64, 3u64, -5.0, UMAX) = UMAX;
        "math.greatest"(-1.797_693e308, -1i64, -5i64) = -1i64;
        "math.greatest"(list![5.4, 10u64, 3u64]) = 10u64;
        "math.greatest"(list![]) = Fails("invalid");
        "math.greatest"() = Fails("overload");
        "math.greatest"("a") = Fails("overload");
        "math.greatest"(1i64, "a") = Fails("overload");
        "math.greatest"([1i64], [2i64]) = Fails("overload");
        "math.greatest"(1.0, NAN) = Fails("invalid");
        "math.least"(1u64, 1i64) = 1u64;
        "math.least"(MIN, 1i64) = MIN;
        "math.least"([-42.0, -21.5, -100.0]) = -100.0;
        "math.ceil"(-1.2) = -1.0;
        "math.ceil"(1i64) = Fails("overload");
        "math.floor"(-1.2) = -2.0;
        "math.round"(1.5) = 2.0;
        "math.round"(-1.5) = -2.0;
        "math.round"(2.5) = 3.0;
        "math.round"(NAN) = NAN;
        "math.trunc"(-1.9) = -1.0;
        "math.abs"(MIN) = Fails("range");
        "math.abs"(-1.5) = 1.5;
        "math.abs"(UMAX) = UMAX;
        "math.sign"(-32.0) = -1.0;
        "math.sign"(-0.0) = 0.0;
        "math.sign"(NAN) = NAN;
        "math.sign"(MIN) = -1i64;
        "math.sign"(100u64) = 1u64;
        "math.sqrt"(81i64) = 9.0;
        "math.sqrt"(985.25) = 31.388_692_231_439_016;
        "math.sqrt"(-15i64) = NAN;
        "math.isNaN"(NAN) = true;
        "math.isNaN"(1i64) = Fails("overload");
        "math.isInf"(-INF) = true;
        "math.isInf"(NAN) = false;
        "math.isFinite"(NAN) = false;
        "math.isFinite"(1.5) = true;
        "math.bitAnd"(-3i64, -5i64) = -7i64;
        "math.bitOr"(4i64, -2i64) = -2i64;
        "math.bitXor"(4i64, -2i64) = -6i64;
        "math.bitAnd"(1i64, 1u64) = Fails("overload");
        "math.bitNot"(-1i64) = 0i64;
        "math.bitNot"(0u64) = UMAX;
        "math.bitShiftLeft"(-1i64, 2i64) = -4i64;
        "math.bitShiftLeft"(1i64, 63i64) = MIN;
        "math.bitShiftLeft"(1i64, 64i64) = 0i64;
        "math.bitShiftLeft"(1u64, MAX) = 0u64;
        "math.bitShiftLeft"(1u64, -1i64) = Fails("invalid");
        "math.bitShiftLeft"(1u64, 1u64) = Fails("overload");
        "math.bitShiftRight"(-1024i64, 3i64) = 2_305_843_009_213_693_824i64;
        "math.bitShiftRight"(-1i64, 0i64) = -1i64;
        "math.bitShiftRight"(-1i64, 64i64) = 0i64;
        "math.bitShiftRight"(1024u64, 2i64) = 256u64;
        "math.bitShiftRight"(1i64, MIN) = Fails("invalid");
    }
}

#[test]
fn quantities() {
    for (name, text) in [
        ("percent", "5%"),
        ("percent", "99.995%"),
        ("percent", "0%"),
        ("rate", "50/s"),
        ("rate", "100/m"),
        ("rate", "7/h"),
        ("bytesize", "0B"),
        ("bytesize", "1536KiB"),
        ("bytesize", "2GiB"),
    ] {
        check("string", &[made(name, text)], text.into());
    }
    calls! {
        "string"(made("rate", "3600/h")) = "1/s";
        "percent"("101%") = Fails("invalid");
        "percent"("5") = Fails("invalid");
        "rate"("0/s") = Fails("invalid");
        "bytesize"("1MB") = Fails("invalid");
        "bytesize"(1i64) = Fails("overload");
    }
}

#[test]
fn urls_and_versions() {
    let url = || made("url", "https://User@EXAMPLE.com:8443/a/../b%20c?x=1&y=a%20b&x=2+3&z#f");
    let six = || made("url", "http://[2001:DB8::1]/");
    calls! {
        "getScheme"(url()) = "https";
        "getHost"(url()) = "example.com:8443";
        "getHostname"(url()) = "example.com";
        "getPort"(url()) = "8443";
        "getEscapedPath"(url()) = "/b%20c";
        "getQuery"(url()) = map!["x" => ["1", "2 3"], "y" => ["a b"], "z" => [""]];
        "getHost"(six()) = "[2001:db8::1]";
        "getHostname"(six()) = "2001:db8::1";
        "getPort"(six()) = "";
        "getQuery"(six()) = map![];
        "getHost"(made("url", "mailto:a@b")) = "";
        "isURL"("https://a") = true;
        "isURL"("/a") = false;
        "isURL"("a") = false;
        "isURL"("https://") = false;
        "isURL"("https://a b/") = false;
        "isURL"(r"https:\\a") = false;
        "isURL"("https://a/\n") = false;
        "isURL"(format!("https://a/{}", "x".repeat(8192)).as_str()) = false;
        "url"("../a") = Fails("invalid");
        "semver"("1.2") = Fails("invalid");
        "semver"("v1.2.3") = Fails("invalid");
        "semver"("01.2.3") = Fails("invalid");
        "isSemver"("1.2.3-rc.1+x") = true;
        "isSemver"("1") = false;
        "major"(made("semver", "1.2.3")) = 1i64;
        "minor"(made("semver", "1.2.3")) = 2i64;
        "patch"(made("semver", "1.2.3")) = 3i64;
        "major"(made("semver", "18446744073709551615.0.0")) = Fails("range");
        "isLessThan"(made("semver", "1.0.0-rc.2"), made("semver", "1.0.0-rc.10")) = true;
        "isGreaterThan"(made("semver", "1.0.0"), made("semver", "1.0.0+b")) = false;
        "compareTo"(made("semver", "2.0.0"), made("semver", "10.0.0")) = -1i64;
        "compareTo"(made("semver", "1.0.0+a"), made("semver", "1.0.0+b")) = 0i64;
        "compareTo"(made("semver", "1.0.0"), "1.0.0") = Fails("overload");
    }
}

#[test]
fn shared_parts_do_not_make_a_call_long() {
    // Forty levels of a list with the same list twice: two to the power of forty elements.
    let mut large = list![];
    for _ in 0..40 {
        large = list![large.clone(), large];
    }
    let one = list![large.clone()];
    for (name, arguments) in [
        ("==", vec![large.clone(), large.clone()]),
        ("in", vec![large.clone(), one.clone()]),
        ("flatten", vec![large.clone(), MAX.into()]),
        ("distinct", vec![one.clone()]),
        ("sets.contains", vec![one.clone(), one.clone()]),
        ("sort", vec![large]),
        ("format", vec!["%s".into(), one]),
    ] {
        // Not printed: that would be long as well.
        assert!(matches!(call(name, &arguments), Err(Fault::Budget)), "{name}");
    }
    // Many values that can be no keys are compared one by one, and so only up to a bound.
    let doubles = |count: u32| Value::list((0..count).map(|n| Value::Double(f64::from(n) + 0.5)));
    assert!(call("distinct", &[doubles(1_000)]).is_ok());
    check("distinct", &[doubles(100_000)], Fails("budget"));
    let texts = Value::list((0..100_000).map(|n: u32| Value::text(&n.to_string())));
    assert!(call("sets.equivalent", &[texts.clone(), texts]).is_ok());
}
