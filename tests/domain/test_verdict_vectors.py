"""Verdicts that the page's own judge is held to, too (tests/web/domain/test_verdict.mjs)."""

import json
from typing import Any

import pytest

from domain.evidence import Evidence, record_from_json
from domain.resolution import Outcome, Rule, VoidReason
from domain.verify import Claim
from tests.vectors.make_verdicts import FILE, NAMES, cases, judged, names_of

VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]


def evidence_of(case: dict[str, Any]) -> Evidence:
    stored = case["stored_void"]
    return Evidence(
        rule=Rule(case["rule"]),
        record=record_from_json(json.dumps(case["record"])),
        void=None if stored is None else VoidReason(stored),
        ticks_sha256=case["ticks_sha256"],
    )


def claim_of(case: dict[str, Any]) -> Claim:
    fields: dict[str, Any] = case["claim"]
    outcome, rule = Outcome(fields["outcome"]), Rule(fields["rule"])
    return Claim(**{**fields, "outcome": outcome, "rule": rule})


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: str(case["name"]))
def test_the_verdict_and_its_faults_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    evidence = evidence_of(case)
    outcome, deciding, reason = judged(evidence.rule, evidence)
    assert (outcome, reason) == (case["outcome"], case["void_reason"])
    row = None
    if deciding is not None:
        row = [deciding.source, deciding.ts_ms, deciding.price_cents, deciding.trade_id]
    assert row == case["deciding_tick"]
    assert names_of(claim_of(case), evidence) == case["faults"]


def test_the_file_is_what_its_maker_makes() -> None:
    assert json.loads(json.dumps(cases())) == VECTORS


def test_every_outcome_reason_and_fault_has_a_case() -> None:
    assert {case["outcome"] for case in VECTORS} == set(Outcome)
    assert {case["void_reason"] for case in VECTORS} == {None, *VoidReason}
    assert {fault for case in VECTORS for fault in case["faults"]} == set(NAMES.values())
