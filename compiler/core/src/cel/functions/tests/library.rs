//! Times, networks, URLs and versions, and the bounds of all.

use super::*;

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
