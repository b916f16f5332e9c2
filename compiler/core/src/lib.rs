//! Spec in, program out: YAML with spans, checks, CEL, lowering, plan.
