//! The words that programs and requests share, so that they meet.

pub(super) const METHODS: &[&str] = &["GET", "POST", "PUT", "get", "DELETE"];
pub(super) const PATHS: &[&str] = &[
    "/",
    "/orders",
    "/orders/7",
    "/orders/7/items/x",
    "/orders/canary/items/10.0.0.1",
    "/orders/A/items/10",
    "/api/v1/users",
    "/api/",
];
pub(super) const HOSTS: &[&str] = &["shop.example", "orders", "api.shop.example"];
pub(super) const SCHEMES: &[&str] = &["http", "https"];
pub(super) const PRINCIPALS: &[&str] = &[
    "spiffe://shop.example/prod/web",
    "spiffe://shop.example/prod/orders",
    "spiffe://other.example/prod/web",
    "",
];
pub(super) const DOMAINS: &[&str] = &["shop.example", "other.example", ""];
pub(super) const SERVICES: &[&str] = &["web", "orders", "payments", ""];
pub(super) const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.1.2.3",
    "127.0.0.1",
    "192.168.1.7",
    "169.254.1.1",
    "224.0.0.5",
    "255.255.255.255",
    "0.0.0.0",
    "::",
    "::1",
    "2001:db8::1",
    "fe80::1",
    "ff02::1",
    "ff12::1",
];
pub(super) const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.1.2.0/23",
    "127.0.0.0/8",
    "0.0.0.0/0",
    "192.168.1.7/32",
    "::/0",
    "2001:db8::/32",
    "fe80::/10",
    "2001:db8::/127",
];
pub(super) const VERSIONS: &[&str] = &["1.3", "1.2", ""];
/// Values of headers, parameters, cookies and labels.
pub(super) const VALUES: &[&str] = &[
    "",
    "a",
    "b",
    "A",
    "ab",
    "canary",
    "Canary",
    " canary ",
    "\tCANARY",
    "x1",
    "10",
    "9",
    "a,b",
    "true",
    "é",
    "É",
    "straße",
    "日本",
    "aéb",
    "\u{a0}x\u{2003}",
    "10.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "010.0.0.1",
    "web",
    "z",
];
/// What views make of them.
pub(super) const FORMS: &[&str] = &["canary", "CANARY", "a", "A", "AB", "é", "x", "GET", "get", "10", ""];
pub(super) const HEADERS: &[&str] = &["x", "x-team", "accept"];
pub(super) const PARAMETERS: &[&str] = &["q", "page", "näme", "a b"];
pub(super) const COOKIES: &[&str] = &["sid", "role"];
pub(super) const SOURCE_LABELS: &[&str] = &["tier", "team"];
pub(super) const DESTINATION_LABELS: &[&str] = &["zone", "tier"];
/// What the pattern of the rules binds.
pub(super) const BOUND: &[&str] = &["id", "item"];

pub(super) const LENGTHS: &[i64] = &[0, 1, 2, 3, 4, 6, 7, 8, 12];
pub(super) const COUNTS: &[i64] = &[0, 1, 2, 3];
pub(super) const PORTS: &[i64] = &[80, 443, 8080, 65_535];
pub(super) const SIZES: &[i64] = &[0, 1, 100, 1_024, 65_537, 9_007_199_254_740_991];
pub(super) const PARTS: &[i64] =
    &[0, 1, 2, 4, 5, 6, 11, 12, 23, 28, 30, 31, 59, 364, 365, 500, 1970, 2026, 2024];
pub(super) const FAMILIES: &[i64] = &[4, 6];

/// Timestamps as they are written, each in seconds and nanoseconds since 1970.
pub(super) const TIMES: &[(&str, i64, u32)] = &[
    ("1970-01-01T00:00:00Z", 0, 0),
    ("2024-02-29T23:59:59.999Z", 1_709_251_199, 999_000_000),
    ("2024-12-31T23:30:00Z", 1_735_687_800, 0),
    ("2026-01-01T00:00:00Z", 1_767_225_600, 0),
    ("2026-06-15T12:00:00.5Z", 1_781_524_800, 500_000_000),
    ("2026-06-15T12:00:00.500000001Z", 1_781_524_800, 500_000_001),
    ("2099-12-31T05:45:01Z", 4_102_379_101, 0),
];
/// Parts of times, with the most that each is.
pub(super) const RANGES: &[(&str, usize)] = &[
    ("getHours", 23),
    ("getMinutes", 59),
    ("getSeconds", 59),
    ("getMilliseconds", 999),
    ("getDate", 31),
    ("getDayOfMonth", 30),
    ("getMonth", 11),
    ("getDayOfWeek", 6),
    ("getDayOfYear", 365),
];
pub(super) const SPANS: &[&str] =
    &["0s", "1s", "-1s", "500ms", "1h", "90m", "24h", "-36h30m", "1ns", "8760h", "20454h0m0.5s"];
pub(super) const ZONES: &[&str] = &["UTC", "+02:00", "-02:30", "05:45", "-00:30", "+14:00"];

/// Regular expressions, each with what it is in a dialect with Unicode classes.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    ("^/orders/[0-9]+$", "^/orders/[0-9]+$"),
    ("^[a-z]+$", "^[a-z]+$"),
    ("canary|web", "canary|web"),
    ("^(GET|POST)$", "^(GET|POST)$"),
    ("^a.b$", "^a.b$"),
    ("^.$", "^.$"),
    ("^.{2,4}$", "^.{2,4}$"),
    ("[^a]", "[^a]"),
    ("^[^a-z]$", "^[^a-z]$"),
    ("^$", "^$"),
    ("", ""),
    (r"\d+", "[0-9]+"),
    (r"^\w+$", "^[0-9A-Za-z_]+$"),
    (r"^\W", "^[^0-9A-Za-z_]"),
    (r"\s", r"[\t\n\f\r ]"),
    (r"^\S+$", r"^[^\t\n\f\r ]+$"),
    (r"\bcanary\b", r"(?-u:\b)canary(?-u:\b)"),
    ("(?i)^canary$", "(?i)^canary$"),
    (r"\.example$", r"\.example$"),
    (r"^[[:alpha:]]+$", r"^[A-Za-z]+$"),
    ("é", "é"),
    ("^[éx]", "^[éx]"),
    ("(?i)STRASSE|ß", "(?i)STRASSE|ß"),
];
