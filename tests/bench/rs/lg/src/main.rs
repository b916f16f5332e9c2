//! Minimal HTTP/1.1 load generator. Closed loop (default) or open loop (-r, latency from the
//! intended send time = no coordinated omission). TLS/mTLS. Only 127.0.0.1 is allowed.
use hdrhistogram::Histogram;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    io,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, pki_types::ServerName},
};
trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}
#[derive(Default)]
struct Stat {
    ok: u64,
    non2xx: BTreeMap<u16, u64>,
    stale: u64,
    mid: u64,
    conn_err: u64,
    conns: u64,
    bytes: u64,
    late: u64,
    tl: BTreeMap<u64, (u64, u64, u64)>,
}
struct Cfg {
    addr: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    req: Vec<u8>,
    resume: bool,
}
async fn connect(c: &Cfg) -> io::Result<Box<dyn Io>> {
    let s = TcpStream::connect(&c.addr).await?;
    s.set_nodelay(true)?;
    Ok(match &c.tls {
        None => Box::new(s),
        Some((t, n)) => Box::new(t.connect(n.clone(), s).await?),
    })
}
fn find(h: &[u8], n: &[u8]) -> Option<usize> {
    h.windows(n.len()).position(|w| w.eq_ignore_ascii_case(n))
}
/// Returns (status, close). Err(true) = EOF/err before the first byte on the response.
async fn once(
    io: &mut Box<dyn Io>,
    req: &[u8],
    buf: &mut Vec<u8>,
    st: &mut u64,
) -> Result<(u16, bool), bool> {
    if io.write_all(req).await.is_err() {
        return Err(true);
    }
    buf.clear();
    let head = loop {
        match io.read_buf(buf).await {
            Ok(0) | Err(_) => return Err(buf.is_empty()),
            Ok(_) => {}
        }
        if let Some(p) = find(buf, b"\r\n\r\n") {
            break p + 4;
        }
    };
    let h = &buf[..head];
    let code: u16 = std::str::from_utf8(&h[9..12]).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let close = find(h, b"connection: close").is_some();
    let mut need = None;
    if let Some(p) = find(h, b"\r\ncontent-length:") {
        let v = &h[p + 17..];
        let e = v.iter().position(|&b| b == b'\r').unwrap();
        need = std::str::from_utf8(&v[..e]).ok().and_then(|s| s.trim().parse::<usize>().ok());
    }
    match need {
        Some(n) => {
            while buf.len() < head + n {
                match io.read_buf(buf).await {
                    Ok(0) | Err(_) => return Err(false),
                    Ok(_) => {}
                }
            }
        }
        None => {
            while !buf.ends_with(b"0\r\n\r\n") {
                match io.read_buf(buf).await {
                    Ok(0) | Err(_) => return Err(false),
                    Ok(_) => {}
                }
            }
        }
    }
    *st += buf.len() as u64;
    Ok((code, close))
}
fn main() {
    let mut a: BTreeMap<String, String> = BTreeMap::new();
    let mut it = std::env::args().skip(1);
    while let Some(k) = it.next() {
        let v = if matches!(k.as_str(), "--reconnect" | "--insecure" | "--json") {
            "1".into()
        } else {
            it.next().unwrap()
        };
        a.insert(k, v);
    }
    let g = |k: &str, d: &str| a.get(k).cloned().unwrap_or(d.into());
    let url = g("--url", "http://127.0.0.1:8080/");
    let (scheme, rest) = url.split_once("://").unwrap();
    let (addr, path) = rest.split_once('/').map(|(x, y)| (x.to_string(), format!("/{y}"))).unwrap();
    assert!(addr.starts_with("127.0.0.1:"), "loopback only");
    let host = g("--host", "svc.local");
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let tls = (scheme == "https").then(|| {
        let mut roots = rustls::RootCertStore::empty();
        let rd = |p: &str| std::io::BufReader::new(std::fs::File::open(p).unwrap());
        for c in rustls_pemfile::certs(&mut rd(&g(
            "--ca",
            &format!("{}/certs/ca.crt", std::env::var("BENCH_HOME").unwrap_or_else(|_| ".bench".into())),
        ))) {
            roots.add(c.unwrap()).unwrap();
        }
        let b = rustls::ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_root_certificates(roots);
        let mut cc = match a.get("--cert") {
            Some(p) => b
                .with_client_auth_cert(
                    rustls_pemfile::certs(&mut rd(p)).map(|c| c.unwrap()).collect(),
                    rustls_pemfile::private_key(&mut rd(&a["--key"])).unwrap().unwrap(),
                )
                .unwrap(),
            None => b.with_no_client_auth(),
        };
        cc.alpn_protocols = vec![b"http/1.1".to_vec()];
        if !a.contains_key("--resume") {
            cc.resumption = rustls::client::Resumption::disabled();
        }
        (TlsConnector::from(Arc::new(cc)), ServerName::try_from(g("--sni", "svc.local")).unwrap())
    });
    let req = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: lg\r\nAccept: */*\r\n{}{}\r\n",
        a.get("--hdr").map(|h| format!("{h}\r\n")).unwrap_or_default(),
        if a.contains_key("--reconnect") { "Connection: close\r\n" } else { "" }
    )
    .into_bytes();
    let cfg = Rc::new(Cfg { addr, tls, req, resume: a.contains_key("--reconnect") });
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(31).build().unwrap();
    let ls = LocalSet::new();
    if let Some(code) = a.get("--until") {
        // poll with fresh connections until CODE; print ms since --t0 (epoch ms)
        let want: u16 = code.parse().unwrap();
        let t0: f64 = a.get("--t0").map(|s| s.parse().unwrap()).unwrap_or_else(now_ms);
        let lim: f64 = g("--timeout", "60").parse::<f64>().unwrap() * 1e3;
        return ls.block_on(&rt, async move {
            loop {
                let mut b = Vec::new();
                let mut n = 0;
                if let Ok(Ok(mut s)) = tokio::time::timeout(Duration::from_secs(5), connect(&cfg)).await {
                    if let Ok(Ok((c, _))) =
                        tokio::time::timeout(Duration::from_secs(5), once(&mut s, &cfg.req, &mut b, &mut n))
                            .await
                    {
                        if c == want {
                            println!("{:.1}", now_ms() - t0);
                            return;
                        }
                    }
                }
                if now_ms() - t0 > lim {
                    println!("timeout");
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    }
    let conns: usize = g("-c", "64").parse().unwrap();
    let dur: f64 = g("-d", "5").parse().unwrap();
    assert!(dur <= 120.0);
    let warm: f64 = g("-w", "1").parse().unwrap();
    let maxn: u64 = g("-n", "20000000").parse().unwrap();
    let rate: Option<f64> = a.get("-r").map(|s| s.parse().unwrap());
    let tl: Option<u64> = a.get("--timeline").map(|s| s.parse().unwrap());
    let st = Rc::new(RefCell::new(Stat::default()));
    let hist = Rc::new(RefCell::new(Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).unwrap()));
    let t0 = Instant::now();
    let wstart = t0 + Duration::from_secs_f64(warm);
    let end = wstart + Duration::from_secs_f64(dur);
    ls.block_on(&rt, async {
        let mut hs = vec![];
        for i in 0..conns {
            let (cfg, st, hist) = (cfg.clone(), st.clone(), hist.clone());
            hs.push(tokio::task::spawn_local(async move {
                let mut io: Option<Box<dyn Io>> = None;
                let mut fresh = true;
                let mut buf = Vec::with_capacity(16384);
                let step = rate.map(|r| Duration::from_secs_f64(conns as f64 / r));
                let mut next = t0 + step.map(|s| s.mul_f64(i as f64 / conns as f64)).unwrap_or_default();
                loop {
                    let mut start = Instant::now();
                    if let Some(s) = step {
                        if next > start {
                            tokio::time::sleep_until(next.into()).await;
                            start = Instant::now()
                        } else {
                            start = next;
                            st.borrow_mut().late += 1
                        }
                        next += s;
                    }
                    if Instant::now() >= end || st.borrow().ok >= maxn {
                        break;
                    }
                    if io.is_none() {
                        match connect(&cfg).await {
                            Ok(s) => {
                                io = Some(s);
                                fresh = true;
                                st.borrow_mut().conns += 1
                            }
                            Err(_) => {
                                st.borrow_mut().conn_err += 1;
                                note(&st, tl, t0, 0, true);
                                tokio::time::sleep(Duration::from_millis(1)).await;
                                continue;
                            }
                        }
                    }
                    let mut nb = 0;
                    let r = tokio::time::timeout(
                        Duration::from_secs(30),
                        once(io.as_mut().unwrap(), &cfg.req, &mut buf, &mut nb),
                    )
                    .await
                    .unwrap_or(Err(false));
                    let now = Instant::now();
                    let us = (now - start).as_micros() as u64;
                    if now < wstart {
                        match r {
                            Ok((_, false)) if !cfg.resume => {}
                            _ => io = None,
                        };
                        continue;
                    }
                    if now > end {
                        break;
                    }
                    let mut s = st.borrow_mut();
                    s.bytes += nb;
                    match r {
                        Ok((c, close)) => {
                            if (200..300).contains(&c) {
                                s.ok += 1
                            } else {
                                *s.non2xx.entry(c).or_default() += 1
                            };
                            drop(s);
                            hist.borrow_mut().saturating_record(us.max(1));
                            note(&st, tl, t0, us, !(200..300).contains(&c));
                            if close || cfg.resume {
                                io = None
                            }
                            fresh = false;
                        }
                        Err(early) => {
                            if early && !fresh {
                                s.stale += 1
                            } else {
                                s.mid += 1
                            }
                            drop(s);
                            note(&st, tl, t0, us, true);
                            io = None
                        }
                    }
                }
            }));
        }
        for h in hs {
            let _ = h.await;
        }
    });
    let s = st.borrow();
    let h = hist.borrow();
    let el = dur.min((Instant::now() - wstart).as_secs_f64());
    let q = |p: f64| h.value_at_quantile(p);
    let ru = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = ru.rsplit_once(") ").unwrap().1.split(' ').collect();
    println!(
        "rps={:.0} ok={} non2xx={:?} stale={} mid={} connerr={} conns={} p50={} p90={} p99={} p999={} max={} mean={:.0} late={} lgcpu={}",
        s.ok as f64 / el,
        s.ok,
        s.non2xx,
        s.stale,
        s.mid,
        s.conn_err,
        s.conns,
        q(0.5),
        q(0.9),
        q(0.99),
        q(0.999),
        h.max(),
        h.mean(),
        s.late,
        (f[11].parse::<u64>().unwrap() + f[12].parse::<u64>().unwrap()) as f64 / 100.0
    );
    if tl.is_some() {
        for (b, (n, e, m)) in &s.tl {
            println!("tl {b} n={n} err={e} maxus={m}");
        }
    }
}
fn note(st: &Rc<RefCell<Stat>>, tl: Option<u64>, t0: Instant, us: u64, err: bool) {
    if let Some(ms) = tl {
        let b = t0.elapsed().as_millis() as u64 / ms * ms;
        let mut s = st.borrow_mut();
        let e = s.tl.entry(b).or_default();
        e.0 += 1;
        e.1 += err as u64;
        e.2 = e.2.max(us);
    }
}
fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3
}
