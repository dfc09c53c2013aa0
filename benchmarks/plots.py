"""What the figures look like: bars of the engines, curves of latency, growth with events and with buyers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot

__all__ = ["draw_engines", "draw_growth", "draw_latencies", "draw_memory", "draw_parts"]

mpl.rcParams["svg.hashsalt"] = "stream-attr"  # the same figures make the same file


def draw_engines(rates: Mapping[str, Mapping[str, Sequence[float]]], file: Path) -> None:
    """Draw events a second of each engine, its rounds as a whisker, one panel for each broker."""
    figure, panels = pyplot.subplots(1, len(rates), figsize=(5 * len(rates), 3.2), sharey=True, squeeze=False)
    for panel, (broker, found) in zip(panels[0], rates.items(), strict=True):
        names = list(found)
        means = [statistics.mean(found[name]) for name in names]
        spread = [
            [mean - min(found[name]) for name, mean in zip(names, means, strict=True)],
            [max(found[name]) - mean for name, mean in zip(names, means, strict=True)],
        ]
        panel.barh(names, means, xerr=spread, color=["#2a6f97"] + ["#a9b8c2"] * (len(names) - 1))
        panel.invert_yaxis()
        panel.set_title(broker)
        panel.set_xlabel("events/s, all outputs")
    _save(figure, file)


def draw_latencies(curves: Mapping[str, Sequence[float]], file: Path) -> None:
    """Draw which share of the decisions was there after how long; milliseconds, sorted."""
    figure, panel = pyplot.subplots(figsize=(7, 3.6))
    for name, waited in curves.items():
        panel.plot(waited, [100 * (place + 1) / len(waited) for place in range(len(waited))], label=name)
    panel.axhline(99, color="#888888", linewidth=0.6)
    panel.set_xscale("log")
    panel.set_xlabel("milliseconds from produced to read as decided")
    panel.set_ylabel("% of decisions")
    panel.legend()
    _save(figure, file)


def draw_growth(points: Sequence[tuple[float, float]], file: Path) -> None:
    """Draw CPU time against millions of events, beside the line through the first point."""
    figure, panel = pyplot.subplots(figsize=(5, 3.2))
    millions, seconds = zip(*points, strict=True)
    panel.plot(millions, seconds, marker="o", label="measured")
    panel.plot(millions, [seconds[0] / millions[0] * one for one in millions], "--", label="linear")
    panel.set_xlabel("million events")
    panel.set_ylabel("seconds of CPU time")
    panel.legend()
    _save(figure, file)


def draw_memory(curves: Mapping[str, Sequence[tuple[float, float]]], file: Path) -> None:
    """Draw resident megabytes against buyers."""
    figure, panel = pyplot.subplots(figsize=(5, 3.2))
    for name, points in curves.items():
        buyers, resident = zip(*points, strict=True)
        panel.plot([one / 1_000 for one in buyers], resident, label=name)
    panel.legend()
    panel.set_ylim(bottom=0)
    panel.set_xlabel("thousand buyers")
    panel.set_ylabel("resident MB")
    _save(figure, file)


def draw_parts(bars: Mapping[str, Mapping[str, float]], file: Path) -> None:
    """Draw bars of parts, in microseconds for each event."""
    figure, panel = pyplot.subplots(figsize=(9, 3.2))
    lefts = dict.fromkeys(bars, 0.0)
    for part in next(iter(bars.values())):
        widths = [parts[part] for parts in bars.values()]
        panel.barh(list(bars), widths, left=list(lefts.values()), label=part)
        lefts = {name: left + width for (name, left), width in zip(lefts.items(), widths, strict=True)}
    panel.invert_yaxis()
    panel.set_xlabel("µs of CPU time an event")
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    _save(figure, file)


def _save(figure: pyplot.Figure, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
