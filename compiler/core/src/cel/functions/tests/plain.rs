//! Operators, conversions, numbers and optionals.

use super::*;

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
        "=="(MAX, TWO_63) = true;
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
        ">"(TWO_63, MAX) = false;
        ">="(MAX, TWO_63) = true;
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
        "math.sqrt"(985.25) = 985.25_f64.sqrt();
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
