#!/usr/bin/env python3
"""Recomputes rules.json from the text of docs/protocol.md (sections 2, 6 and 12) and of docs/rules.md (multi-krum).

    tests/vectors/check_rules.py [FILE]

Python's integers are exact, so every line below is the formula of the text. Needs the standard library only.
Exit code 1 when a value differs.
"""
import json
import math
import sys
from pathlib import Path

ONE = 1 << 16


def lower_median(values):
    """Section 6.2: the one value t with n - 1 - 2 #{v < t} >= 0 and 2 #{v <= t} - n >= 0."""
    n = len(values)
    found = {
        t
        for t in values
        if n - 1 - 2 * sum(v < t for v in values) >= 0 and 2 * sum(v <= t for v in values) - n >= 0
    }
    (median,) = found
    return median


def coherence(gram, weights):
    """Section 6.2; None when it leaves [0, 2^16], which no matrix of real updates does."""
    slots = range(len(weights))
    step = sum(weights[i] * weights[j] * gram[i][j] for i in slots for j in slots)
    denominator = sum(weights) * sum(weights[i] * gram[i][i] for i in slots)
    value = ONE * step // denominator if denominator else 0
    return value if 0 <= value <= ONE else None


def pay_shares(contributions, kept):
    total = sum(contributions[i] for i in kept)
    return [ONE * c // total if i in kept and total else 0 for i, c in enumerate(contributions)]


def agreement(gram, active, theta, trim_count):
    """Section 6.2."""
    slots = range(len(gram))
    norms = [math.isqrt(gram[i][i]) for i in slots]
    tau = lower_median([norms[i] for i in active])
    clip = [ONE if norms[i] <= tau else ONE * tau // norms[i] for i in slots]
    sums = [0] * len(gram)
    contributions = [0] * len(gram)
    for i in active:
        row = sorted(clip[j] * gram[i][j] for j in active if j != i)
        sums[i] = sum(row[trim_count : len(row) - trim_count])
        contributions[i] = max(0, (clip[i] * sums[i]) >> 32)
    median = lower_median([contributions[i] for i in active])
    kept = [i for i in active if 256 * contributions[i] >= max(1, theta * median)]
    shares = pay_shares(contributions, kept)
    weights = [share * factor // ONE for share, factor in zip(shares, clip)]
    own = {
        "norms": norms,
        "tau": tau,
        "clipFactors": clip,
        "agreements": [str(a) for a in sums],
        "median": str(median),
    }
    return outcome(gram, contributions, kept, shares, weights, own)


def multi_krum(gram, active, neighbours, selected):
    """The baseline multi-krum: the `selected` slots with the smallest (score, slot)."""
    slots = range(len(gram))
    scores = [0] * len(gram)
    for i in active:
        distances = sorted(gram[i][i] + gram[j][j] - 2 * gram[i][j] for j in active if j != i)
        scores[i] = sum(distances[:neighbours])
    kept = sorted(active, key=lambda i: (scores[i], i))[:selected]
    sums = [sum(gram[i][j] for j in kept if j != i) if i in kept else 0 for i in slots]
    contributions = [max(0, a) for a in sums]
    shares = pay_shares(contributions, kept)
    own = {"scores": [str(s) for s in scores], "agreements": [str(a) for a in sums]}
    return outcome(gram, contributions, kept, shares, shares, own)


def outcome(gram, contributions, kept, shares, weights, own):
    value = coherence(gram, weights)
    if value is None:
        return None
    return own | {
        "contributions": [str(c) for c in contributions],
        "kept": hex(sum(1 << i for i in kept)),
        "shares": shares,
        "weights": weights,
        "coherence": value,
        "packedShares": packed(shares),
        "packedWeights": packed(weights),
    }


def packed(elements):
    """Section 12.2: 17 bits each, 14 to a word, element 0 in the low bits; 0 for slots that are not active."""
    chunks = [elements[at : at + 14] for at in range(0, len(elements), 14)]
    return [word(sum(v << 17 * k for k, v in enumerate(chunk))) for chunk in chunks]


def word(value):
    return f"0x{value:064x}"


def matrix(upper, slots):
    entries = iter(upper)
    gram = [[0] * slots for _ in range(slots)]
    for i in range(slots):
        for j in range(i, slots):
            gram[i][j] = gram[j][i] = next(entries)
    if next(entries, None) is not None:
        raise ValueError("the upper triangle has more entries than the slots ask for")
    return gram


def differences(vector):
    """Yields the name of every value that is not what the protocol says, with both values."""
    slots = vector["slots"]
    mask = int(vector["active"], 16)
    active = [i for i in range(slots) if mask >> i & 1]
    gram = matrix(vector["gram"], slots)
    if mask >> slots:
        yield "active", f"below 2^{slots}", vector["active"]
    if "updates" in vector:
        updates = vector["updates"]
        given = [i for i, update in enumerate(updates) if update is not None]
        if given != active:
            yield "slots with an update", active, given
        entries = [value for i in given for value in updates[i]]
        if not all(-(1 << 15) <= value < 1 << 15 for value in entries):
            yield "updates", "16-bit entries", entries
        zero = [0] * vector["dimension"]
        rows = [zero if update is None else update for update in updates]
        products = [[sum(a * b for a, b in zip(u, v)) for v in rows] for u in rows]
        if products != gram:
            yield "gram", products, gram

    n = len(active)
    for rule, judge, words in [
        ("agreement", agreement, lambda t: [t["theta"], n * t["trim"] // 256]),
        (
            "multiKrum",
            multi_krum,
            lambda t: [n - n * t["byzantine"] // 256 - 2, max(2, n * t["selected"] // 256)],
        ),
    ]:
        found = vector[rule]
        policy = words(found["terms"])
        inputs = word(mask + (policy[0] << 128) + (policy[1] << 144))
        expected = {
            "terms": found["terms"],
            "policyWords": policy,
            "packedInputs": inputs,
            "outcome": judge(gram, active, *policy),
        }
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                yield f"{rule}.{name}", expected.get(name), found.get(name)


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "rules.json"
    rounds = json.loads(path.read_text())["rounds"]
    failures = 0
    for vector in rounds:
        for name, expected, found in differences(vector):
            failures += 1
            print(f"{path}: {vector['name']}: {name}\n  expected {expected}\n  found    {found}", file=sys.stderr)
    if failures or not rounds:
        print(f"{path}: {failures} values of {len(rounds)} rounds differ", file=sys.stderr)
        return 1
    print(f"{path}: {len(rounds)} rounds agree with docs/protocol.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
