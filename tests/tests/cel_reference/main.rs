//! Our CEL against an interpreter: generated programs over generated requests.
//!
//! Ours is the way of a rule: source, check, lowering, canonical JSON, decode, program. The other is the `cel` crate over
//! the same source, on values that are made from the request a second time ([`reference`]). Where the crate cannot say
//! what the language means, the source has a second spelling for it ([`Respelled`]); how often that mattered is counted, and
//! one that never matters fails the test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

mod plants;
mod reference;

use std::collections::BTreeMap;
use std::time::Instant;

use mesh_bundle::expr::Expression;
use mesh_bundle::{PathPattern, canonical};
use mesh_compiler::cel::{Phase, condition};
use mesh_decision::expr::{Program, Tri};
use mesh_tests::cel::generate::{self, Generated};
use mesh_tests::cel::node::{Node, Respelled};
use mesh_tests::cel::samples::{self, Sample};
use mesh_tests::random::Random;
use reference::{Reference, World};

/// The same seed gives the same programs and requests. `MESH_SEED` takes another.
const SEED: u64 = 4;
/// Programs of the short run that are accepted, and requests for each.
const PROGRAMS: usize = 2_000;
const REQUESTS: usize = 50;
/// Requests to draw from.
const POOL: usize = 600;
/// Of a full run.
const FULL: usize = 20_000;

fn seed() -> u64 {
    std::env::var("MESH_SEED").map_or(SEED, |seed| seed.parse().unwrap())
}

/// Requests, each as the reference sees it.
struct Pool {
    samples: Vec<(Sample, World)>,
    /// Those whose path binds parameters.
    bound: Vec<usize>,
    pattern: PathPattern,
}

impl Pool {
    fn new(random: &mut Random, reference: &Reference) -> Self {
        let samples: Vec<(Sample, World)> = (0..POOL)
            .map(|_| {
                let sample = samples::sample(random);
                let world = reference.world(&sample);
                (sample, world)
            })
            .collect();
        let bound = (0..samples.len()).filter(|n| samples[*n].0.is_bound()).collect();
        Self { samples, bound, pattern: PathPattern::parse(samples::PATTERN).unwrap() }
    }

    fn draw(&self, random: &mut Random, bound: bool) -> Vec<usize> {
        let one = |random: &mut Random| {
            if bound { *random.one(&self.bound).unwrap() } else { random.below(self.samples.len()) }
        };
        (0..REQUESTS).map(|_| one(random)).collect()
    }

    fn ours(&self, program: &Program, sample: &Sample, bound: bool) -> Tri {
        sample.with(bound.then_some(&self.pattern), |context| program.evaluate(context))
    }
}

/// A rule as it reaches a proxy; none where it is refused.
fn rule(text: &str, bound: bool) -> Result<Expression, String> {
    let params = if bound { generate::bound() } else { &[] };
    let expression = condition(text, Phase::Inbound, params, false).map_err(|found| {
        found.iter().map(|f| format!("{}: {}", f.code, f.message)).collect::<Vec<_>>().join("; ")
    })?;
    let bytes = canonical::to_bytes(&expression).unwrap();
    let decoded: Expression = canonical::from_bytes(&bytes).unwrap();
    assert_eq!(decoded, expression, "{text}");
    Ok(decoded)
}

/// An accepted program with what the reference says of it.
struct Known {
    expression: Expression,
    bound: bool,
    requests: Vec<usize>,
    wanted: Vec<Tri>,
}

#[derive(Default)]
struct Tally {
    generated: usize,
    refused: BTreeMap<String, usize>,
    pairs: usize,
    values: BTreeMap<&'static str, usize>,
    excused: BTreeMap<Respelled, usize>,
    clean: usize,
}

#[test]
fn ours_and_the_reference_agree() {
    let start = Instant::now();
    let programs = if mesh_tests::full() { FULL } else { PROGRAMS };
    let mut random = Random::new(seed());
    let reference = Reference::new();
    let pool = Pool::new(&mut random, &reference);
    let mut tally = Tally::default();
    let mut known = Vec::new();
    while tally.pairs < programs * REQUESTS {
        tally.generated += 1;
        let generated = generate::program(&mut random);
        let text = generated.node.source();
        match rule(&text, generated.bound) {
            Ok(expression) => {
                let requests = pool.draw(&mut random, generated.bound);
                let wanted = compare(&generated, &expression, &requests, &pool, &reference, &mut tally);
                if known.len() < PROGRAMS {
                    known.push(Known { expression, bound: generated.bound, requests, wanted });
                }
            }
            Err(why) => *tally.refused.entry(first_words(&why)).or_default() += 1,
        }
    }
    report(&tally, programs, start);
    plants::all_are_found(&known, &pool);
    println!("{:.1} s", start.elapsed().as_secs_f64());
}

fn first_words(why: &str) -> String {
    why.split("; ").next().unwrap_or(why).split_whitespace().take(9).collect::<Vec<_>>().join(" ")
}

fn report(tally: &Tally, accepted: usize, start: Instant) {
    println!(
        "seed {}: {} programs generated, {accepted} accepted, {} pairs, 0 differences; {} pairs on requests with \
         nothing repeated, none of them an error; {:.1} s",
        seed(),
        tally.generated,
        tally.pairs,
        tally.clean,
        start.elapsed().as_secs_f64()
    );
    println!("{:?}; excused: {:?}", tally.values, tally.excused);
    let mut refused: Vec<_> = tally.refused.iter().collect();
    refused.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    for (why, times) in refused.iter().take(12) {
        println!("{times:6} refused: {why}");
    }
    assert!(accepted * 2 > tally.generated, "most programs are refused");
    for (value, percent) in [("true", 20), ("false", 20), ("error", 3)] {
        let share = tally.values.get(value).copied().unwrap_or(0) * 100 / tally.pairs;
        assert!(share >= percent, "{share} % {value}, too few to test");
    }
    for why in Respelled::ALL {
        assert!(tally.excused.contains_key(&why), "{why:?} excuses nothing: take it out");
    }
}

fn name(value: Tri) -> &'static str {
    match value {
        Tri::True => "true",
        Tri::False => "false",
        Tri::Error => "error",
    }
}

fn compare(
    generated: &Generated,
    expression: &Expression,
    requests: &[usize],
    pool: &Pool,
    reference: &Reference,
    tally: &mut Tally,
) -> Vec<Tri> {
    let program = Program::new(expression).unwrap();
    let whys: Vec<Respelled> = Respelled::ALL.into_iter().filter(|why| generated.node.has(*why)).collect();
    let plain = reference.compile(&expression.text);
    let spelled = (!whys.is_empty()).then(|| reference.compile(&generated.node.spelled(&whys)));
    let mut wanted = Vec::with_capacity(requests.len());
    for number in requests {
        let (sample, world) = &pool.samples[*number];
        let ours = pool.ours(&program, sample, generated.bound);
        let theirs = reference::evaluate(&plain, world);
        let right = match &spelled {
            None => theirs,
            Some(spelled) => reference::evaluate(spelled, world),
        };
        if right != theirs {
            tally.excuse(&generated.node, &whys, theirs, world, reference);
        }
        if ours != right {
            differs(generated, sample, world, pool, reference);
        }
        if sample.clean {
            tally.clean += 1;
            assert_ne!(
                ours,
                Tri::Error,
                "an error where nothing is repeated: {}\n{sample:?}",
                expression.text
            );
        }
        tally.pairs += 1;
        *tally.values.entry(name(ours)).or_default() += 1;
        wanted.push(right);
    }
    wanted
}

impl Tally {
    /// Counts each spelling that alone makes a difference, else all.
    fn excuse(&mut self, node: &Node, whys: &[Respelled], theirs: Tri, world: &World, reference: &Reference) {
        let alone = |why: &Respelled| {
            reference::evaluate(&reference.compile(&node.spelled(&[*why])), world) != theirs
        };
        let deciding: Vec<Respelled> = whys.iter().copied().filter(|why| alone(why)).collect();
        for why in if deciding.is_empty() { whys.to_vec() } else { deciding } {
            *self.excused.entry(why).or_default() += 1;
        }
    }
}

/// Ours and theirs of a program on one request; none where it is refused.
fn both(
    node: &Node,
    bound: bool,
    sample: &Sample,
    world: &World,
    pool: &Pool,
    reference: &Reference,
) -> Option<(Tri, Tri)> {
    let expression = rule(&node.source(), bound).ok()?;
    let ours = pool.ours(&Program::new(&expression).unwrap(), sample, bound);
    Some((ours, reference::evaluate(&reference.compile(&node.spelled(&Respelled::ALL)), world)))
}

/// Shows the smallest program that still differs.
fn differs(generated: &Generated, sample: &Sample, world: &World, pool: &Pool, reference: &Reference) -> ! {
    let mut smallest = generated.node.clone();
    loop {
        let mut smaller = smallest.smaller();
        smaller.sort_by_key(Node::size);
        let less = smaller.into_iter().filter(|node| node.size() < smallest.size()).find(|node| {
            both(node, generated.bound, sample, world, pool, reference)
                .is_some_and(|(ours, right)| ours != right)
        });
        match less {
            Some(node) => smallest = node,
            None => break,
        }
    }
    let values = both(&smallest, generated.bound, sample, world, pool, reference);
    panic!(
        "seed {}: ours and theirs {values:?}\n  {}\n  as the reference reads it: {}\n  on {sample:?}\n  found as {}",
        seed(),
        smallest.source(),
        smallest.spelled(&Respelled::ALL),
        generated.node.source()
    )
}
