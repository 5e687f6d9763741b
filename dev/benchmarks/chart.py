"""The picture of the sync benchmark as SVG: bars by latency and contestant, the curve over the number of records."""

from __future__ import annotations

from html import escape
from math import log10

from .contestants import Figures

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 920, 340, 70, 50, 60
PANEL = 390
COLOURS = {"floor": "#9aa0a6", "ours": "#1a73e8", "benthos": "#e37400", "dlt": "#188038"}
STYLE = "font: 12px system-ui, sans-serif; fill: #3c4043"


def text(x: float, y: float, content: str, *, anchor: str = "middle", size: int = 12, weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
        f"{escape(content)}</text>"
    )


def bars(table: dict[str, dict[int, Figures]]) -> list[str]:
    """Records per second, on a logarithmic scale: the contestants are a power of ten apart."""
    names = list(table)
    latencies = list(next(iter(table.values())))
    rates = [figures.rate for by_latency in table.values() for figures in by_latency.values()]
    low, high = log10(min(rates)) - 0.3, log10(max(rates)) + 0.05
    base, span = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    drawn = [text(LEFT + PANEL / 2, 28, "60,000 records: records per second (log scale)", size=14, weight=600)]
    group = PANEL / len(latencies)
    width = group * 0.8 / len(names)
    for index, latency_ms in enumerate(latencies):
        for place, name in enumerate(names):
            rate = table[name][latency_ms].rate
            height = span * (log10(rate) - low) / (high - low)
            x = LEFT + index * group + group * 0.1 + place * width
            drawn.append(
                f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{width * 0.9:.1f}" height="{height:.1f}" '
                f'fill="{COLOURS[name]}"><title>{name}, {latency_ms} ms: {rate:,.0f} records/s</title></rect>'
            )
            drawn.append(text(x + width * 0.45, base - height - 4, f"{rate / 1000:.1f}k", size=10))
        drawn.append(text(LEFT + (index + 0.5) * group, base + 18, f"{latency_ms} ms a page"))
    for place, name in enumerate(names):
        x = LEFT + place * 90
        drawn.append(f'<rect x="{x}" y="{HEIGHT - 22}" width="10" height="10" fill="{COLOURS[name]}"/>')
        drawn.append(text(x + 16, HEIGHT - 13, name, anchor="start"))
    drawn.append(f'<line x1="{LEFT}" y1="{base}" x2="{LEFT + PANEL}" y2="{base}" stroke="#3c4043"/>')
    return drawn


def line(grown: list[Figures]) -> list[str]:
    """Seconds over records, both logarithmic: proportional is a straight line with slope one."""
    left, right, base = LEFT + PANEL + 70, WIDTH - 50, HEIGHT - BOTTOM
    drawn = [text((left + right) / 2, 28, "The script alone: seconds by records (log, log)", size=14, weight=600)]
    xs = [log10(figures.records) for figures in grown]
    ys = [log10(max(figures.seconds, 1e-3)) for figures in grown]
    low, high = min(ys) - 0.2, max(ys) + 0.2

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + (right - left) * (x - xs[0]) / (xs[-1] - xs[0]),
            base - (base - TOP) * (y - low) / (high - low),
        )

    points = [at(x, y) for x, y in zip(xs, ys, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    drawn.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS["ours"]}" stroke-width="2"/>')
    for (x, y), figures in zip(points, grown, strict=True):
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS["ours"]}"/>')
        drawn.append(text(x - 6, y - 10, f"{figures.seconds:.2f} s", size=11))
        drawn.append(text(x, base + 18, f"{figures.records:,}", size=11))
        drawn.append(text(x, base + 34, f"{figures.heap_mb:.0f} MB heap", size=11))
    drawn.append(f'<line x1="{left}" y1="{base}" x2="{right}" y2="{base}" stroke="#3c4043"/>')
    return drawn


def picture(table: dict[str, dict[int, Figures]], grown: list[Figures]) -> str:
    drawn = bars(table) + (line(grown) if grown else [])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" style="{STYLE}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(drawn)}</svg>\n'
    )
