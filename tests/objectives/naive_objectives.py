"""Example batches, and every objective again by plain loops over floats."""

from math import exp, log, sqrt

import torch
from torch import Tensor, nn

from hybridlib.objectives import Batch

DIFFERENT, REPEATED = list(range(7)), [0, 1, 2, 0, 3, 1, 4]


def unit(generator: torch.Generator, *shape: int) -> Tensor:
    vectors = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return nn.functional.normalize(vectors, dim=-1)


def example(seed: int, concepts: list[int] = DIFFERENT, d: int = 5, **changes: Tensor | None) -> Batch:
    """Return a float64 batch with all that objectives can ask for: two hard negatives a row, a teacher of d = 4."""
    generator, b = torch.Generator().manual_seed(seed), len(concepts)
    vectors = {
        name: unit(generator, *shape)
        for name, shape in {
            "queries": (b, d),
            "passages": (b, d),
            "hard_negatives": (b, 2, d),
            "second_queries": (b, d),
            "teacher_queries": (b, 4),
            "teacher_passages": (b, 4),
            "teacher_hard_negatives": (b, 2, 4),
        }.items()
    }
    numbers = {
        "concepts": torch.tensor(concepts),
        "query_language": torch.tensor([5, 7] * b)[:b],
        "passage_language": torch.tensor([5, 9, 9, 9, 7, 7, 9] * b)[:b],
        "hard_negative_concepts": torch.arange(2 * b).reshape(b, 2) % 5,
    }
    return Batch(**{**vectors, **numbers, **changes})


def dot(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def negatives(batch: Batch, i: int) -> list[int]:
    return [j for j, concept in enumerate(batch.concepts.tolist()) if concept != batch.concepts[i]]


def hard(batch: Batch, i: int, teacher: bool = False) -> list[list[float]]:
    vectors = batch.teacher_hard_negatives if teacher else batch.hard_negatives
    if vectors is None:
        return []
    concepts = [-1] * vectors[..., 0].numel()
    if batch.hard_negative_concepts is not None:
        concepts = batch.hard_negative_concepts.flatten().tolist()
    return [v for v, c in zip(vectors.flatten(0, 1).tolist(), concepts, strict=True) if c != batch.concepts[i]]


def candidate_similarities(batch: Batch, i: int, teacher: bool = False, queries: str = "queries") -> list[float]:
    """Similarity of query i to its passage, then to all its negatives."""
    query = getattr(batch, "teacher_queries" if teacher else queries)[i].tolist()
    passages = (batch.teacher_passages if teacher else batch.passages).tolist()
    others = [passages[j] for j in negatives(batch, i)] + hard(batch, i, teacher)
    return [dot(query, passage) for passage in [passages[i], *others]]


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def choice(similarities: list[float], t: float) -> float:
    """-log softmax of the first."""
    return -log(exp(similarities[0] / t) / sum(exp(s / t) for s in similarities))


def infonce(batch: Batch, t: float) -> float:
    return mean(choice(candidate_similarities(batch, i), t) for i in range(len(batch.queries)))


def memory_bank(batch: Batch, stored: list[tuple[list[float], int]], t: float) -> float:
    """InfoNCE with stored passages, each with its concept."""
    values = []
    for i, (query, concept) in enumerate(zip(batch.queries.tolist(), batch.concepts.tolist(), strict=True)):
        old = [dot(query, passage) for passage, other in stored if other != concept]
        values.append(choice(candidate_similarities(batch, i) + old, t))
    return mean(values)


def exchanged(batch: Batch) -> Batch:
    return Batch(batch.passages, batch.queries, batch.concepts)


def symmetric_infonce(batch: Batch, t: float) -> float:
    return (infonce(batch, t) + infonce(exchanged(batch), t)) / 2


def hybrid_paper(batch: Batch) -> float:
    total = 0.0
    for i, (u, v) in enumerate(zip(batch.queries.tolist(), batch.passages.tolist(), strict=True)):
        own = exp(dot(u, v))
        total -= log(own / (own + sum(exp(dot(u, n)) for n in hard(batch, i))))
    return total


def two_views(batch: Batch, one_view) -> float:
    """Mean over both directions and all rows of one_view(positive, across, within)."""
    values = []
    for view in (batch, exchanged(batch)):
        u, v = view.queries.tolist(), view.passages.tolist()
        for i in range(len(u)):
            across, within = ([dot(u[i], x[j]) for j in negatives(batch, i)] for x in (v, u))
            values.append(one_view(dot(u[i], v[i]), across, within))
    return mean(values)


def simclr(batch: Batch, t: float) -> float:
    return two_views(batch, lambda own, across, within: choice([own, *across, *within], t))


def dcl(batch: Batch, t: float) -> float:
    return two_views(batch, lambda own, across, within: -own / t + log(sum(exp(s / t) for s in across + within)))


def dhel(batch: Batch, t: float) -> float:
    return two_views(batch, lambda own, across, within: -own / t + log(sum(exp(s / t) for s in within)))


def supcon(batch: Batch, t: float) -> float:
    texts, concepts = batch.queries.tolist() + batch.passages.tolist(), batch.concepts.tolist() * 2
    values = []
    for i, text in enumerate(texts):
        others = [a for a in range(len(texts)) if a != i]
        total = sum(exp(dot(text, texts[a]) / t) for a in others)
        values.append(mean(-log(exp(dot(text, texts[p]) / t) / total) for p in others if concepts[p] == concepts[i]))
    return mean(values)


def siglip(batch: Batch, scale: float, bias: float) -> float:
    def log_sigmoid(x: float) -> float:
        return -log(1 + exp(-x))

    total = 0.0
    u, v = batch.queries.tolist(), batch.passages.tolist()
    for i in range(len(u)):
        total -= log_sigmoid(scale * dot(u[i], v[i]) + bias)
        total -= sum(log_sigmoid(-scale * dot(u[i], v[j]) - bias) for j in negatives(batch, i))
    return total / len(u)


def negative_pairs(batch: Batch) -> list[float]:
    u, v = batch.queries.tolist(), batch.passages.tolist()
    return [dot(u[i], v[j]) for i in range(len(u)) for j in negatives(batch, i)]


def spectral(batch: Batch) -> float:
    positives = [dot(u, v) for u, v in zip(batch.queries.tolist(), batch.passages.tolist(), strict=True)]
    return -2 * mean(positives) + mean(s**2 for s in negative_pairs(batch))


def vrns(batch: Batch, n: int) -> float:
    return mean((s + 1 / (n - 1)) ** 2 for s in negative_pairs(batch))


def balanced_infonce(batch: Batch, t: float) -> float:
    languages, u, v = batch.passage_language.tolist(), batch.queries.tolist(), batch.passages.tolist()
    total = 0.0
    for i in range(len(u)):
        by_language: dict[int, list[float]] = {}
        for j in negatives(batch, i):
            by_language.setdefault(languages[j], []).append(exp(dot(u[i], v[j]) / t))
        own, count = exp(dot(u[i], v[i]) / t), len(negatives(batch, i))
        total -= log(own / (own + count * mean(mean(terms) for terms in by_language.values())))
    return total / len(u)


def gist(batch: Batch, t: float, margin: float) -> float:
    u, v = batch.queries.tolist(), batch.passages.tolist()
    guide_u, guide_v = batch.teacher_queries.tolist(), batch.teacher_passages.tolist()
    values = []
    for i in range(len(u)):
        pairs = [(u[i], v[j], guide_u[i], guide_v[j]) for j in negatives(batch, i)]
        pairs += [(u[i], u[j], guide_u[i], guide_u[j]) for j in negatives(batch, i)]
        pairs += [(v[i], v[j], guide_v[i], guide_v[j]) for j in negatives(batch, i)]
        pairs += [(u[i], x, guide_u[i], g) for x, g in zip(hard(batch, i), hard(batch, i, teacher=True), strict=True)]
        bound = dot(guide_u[i], guide_v[i]) - margin
        kept = [dot(x, y) for x, y, guide_x, guide_y in pairs if dot(guide_x, guide_y) <= bound]
        values.append(choice([dot(u[i], v[i]), *kept], t))
    return mean(values)


def margin_mse(batch: Batch) -> float:
    squares = []
    for i in range(len(batch.queries)):
        student, teacher = (candidate_similarities(batch, i, teacher=which) for which in (False, True))
        squares += [((student[0] - s) - (teacher[0] - g)) ** 2 for s, g in zip(student[1:], teacher[1:], strict=True)]
    return mean(squares)


def divergence(first: list[float], second: list[float], t: float) -> float:
    """KL(softmax(first / t) || softmax(second / t))."""
    p, q = ([exp(s / t) / sum(exp(x / t) for x in part) for s in part] for part in (first, second))
    return sum(a * log(a / b) for a, b in zip(p, q, strict=True))


def kl(batch: Batch, t: float) -> float:
    rows = range(len(batch.queries))
    return mean(
        divergence(candidate_similarities(batch, i, teacher=True), candidate_similarities(batch, i), t) for i in rows
    )


def lakda(batch: Batch, t: float, share: float) -> float:
    apart = mean(
        divergence(candidate_similarities(batch, i, queries="second_queries"), candidate_similarities(batch, i), 1.0)
        for i in range(len(batch.queries))
    )
    return (1 - share) * infonce(batch, t) + share * apart


def mimo_half(projection: nn.Linear, students: Tensor, teachers: Tensor) -> float:
    weight, bias = projection.weight.tolist(), projection.bias.tolist()
    values = []
    for student, teacher in zip(students.tolist(), teachers.tolist(), strict=True):
        projected = [dot(row, student) + b for row, b in zip(weight, bias, strict=True)]
        values.append(1 - dot(projected, teacher) / sqrt(dot(projected, projected) * dot(teacher, teacher)))
    return mean(values)
