//! Texts and lists.

use super::*;

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
    let times = list!["abc", 3.25, (), [9i64, 8], time("2023-02-03T23:31:20Z")];
    let named = map!["strKey" => "x", 6i64 => span("422s"), true => 42i64];
    calls! {
        "format"("%% and %%", list![]) = "% and %";
        "format"("%d %s%%", list![1i64, "A"]) = "1 A%";
        "format"("%s", list![times]) = "[abc, 3.25, null, [9, 8], 2023-02-03T23:31:20Z]";
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
        "format"("%f %f %f", list![2.7, 2i64, 3u64]) = "2.700000 2.000000 3.000000";
        "format"("%.0f %.0f %.0f", list![1.5, 2.5, 3.5001]) = "2 2 4";
        "format"("%.3f %.3f", list![123.4999, -123.4994]) = "123.500 -123.499";
        "format"("%.3f", list![1.2345]) = "1.234";
        "format"("%f", list!["Infinity"]) = Fails("invalid");
        "format"("%e %e", list![2.7, 3u64]) = "2.700000e+00 3.000000e+00";
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
