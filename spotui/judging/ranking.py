"""Ranking by comparisons (Bradley and Terry, 1952): how strong each is, from who beat whom how often."""

import math
from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import Final

Wins = Mapping[tuple[int, int], float]
"""How often the first of a pair beat the second."""

PRIOR: Final = 0.5
"""Wins that either side of every compared pair is given: one that never lost would be infinitely strong."""

_STEPS: Final = 200
_CLOSE: Final = 1e-6

_Games = dict[int, dict[int, tuple[float, float]]]
"""For each, against whom it was compared: its wins and all comparisons, the prior's included."""

_Graph = dict[int, dict[int, float]]


def strengths(wins: Wins, *, prior: float = PRIOR) -> dict[int, float]:
    """The strengths under which these wins are the most likely, in natural-log units; the lowest number
    has 0.

    The chance that one beats another is the logistic function of the difference. Found by Newton steps, none
    longer than one nat for any pair, so that each makes the wins more likely (Bach, Electronic Journal of
    Statistics 4, 2010). Thousands of prompts, each compared with the one before it, take a few dozen steps.

    Args:
        wins: Wins of one over the other; a tie is half a win for either.
        prior: Wins added to both sides of every pair that was compared; with 0 it is the plain maximum.

    Raises:
        ValueError: There is no finite maximum: somebody beat or lost to all they are compared with.
    """
    games = _games(wins, prior)
    for rivals in games.values():
        won, played = map(sum, zip(*rivals.values(), strict=True))
        if won in (0, played):
            raise ValueError("somebody always won or always lost, so there is no finite maximum")
    found = dict.fromkeys(games, 0.0)
    for _ in range(_STEPS):
        step = _newton_step(found, games)
        longest = max((abs(step[one] - step[two]) for one in games for two in games[one]), default=0.0)
        scale = 1 / max(1.0, longest)
        found = {one: strength + scale * step[one] for one, strength in found.items()}
        if longest < _CLOSE:
            break
    base = found[min(found)] if found else 0.0
    return {one: strength - base for one, strength in sorted(found.items())}


def _games(wins: Wins, prior: float) -> _Games:
    games: _Games = {}
    for one, two in sorted({pair for pair, count in wins.items() if count}):
        for first, second in ((one, two), (two, one)):
            won = wins.get((first, second), 0.0) + prior
            lost = wins.get((second, first), 0.0) + prior
            games.setdefault(first, {})[second] = won, won + lost
    return games


def _newton_step(strengths: Mapping[int, float], games: _Games) -> dict[int, float]:
    curvature: _Graph = {one: {} for one in games}
    slope = dict.fromkeys(games, 0.0)
    for one, rivals in games.items():
        for other, (won, played) in rivals.items():
            chance = 1 / (1 + math.exp(strengths[other] - strengths[one]))
            slope[one] += won - played * chance
            curvature[one][other] = played * chance * (1 - chance)
    return _solve(curvature, slope)


def _solve(weights: _Graph, sources: Mapping[int, float]) -> dict[int, float]:
    """The potentials in a network of conductances with a current into each node; each part has a node at 0.

    Nodes with the fewest neighbours are taken out first, and their neighbours are joined in their place. A
    chain stays a chain that way, however long it is.
    """
    graph = {node: dict(neighbours) for node, neighbours in weights.items()}
    currents = dict(sources)
    queue = [(len(neighbours), node) for node, neighbours in graph.items()]
    heapify(queue)
    taken_out: list[tuple[int, dict[int, float], float]] = []
    while queue:
        degree, node = heappop(queue)
        if node not in graph or degree != len(graph[node]):
            continue
        neighbours = graph.pop(node)
        total = sum(neighbours.values())
        taken_out.append((node, neighbours, total))
        for one, weight in neighbours.items():
            del graph[one][node]
            currents[one] += currents[node] * weight / total
        for (one, weight), (two, other_weight) in combinations(neighbours.items(), 2):
            joint = weight * other_weight / total
            graph[one][two] = graph[one].get(two, 0.0) + joint
            graph[two][one] = graph[two].get(one, 0.0) + joint
        for one in neighbours:
            heappush(queue, (len(graph[one]), one))
    found: dict[int, float] = {}
    for node, neighbours, total in reversed(taken_out):
        inflow = currents[node] + sum(weight * found[one] for one, weight in neighbours.items())
        found[node] = inflow / total if neighbours else 0.0
    return found
