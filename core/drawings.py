"""Small charts as server-rendered SVG: no script, no inline style, widths in percent so that they stretch."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 120, 36, 3
DECORATION = mark_safe('aria-hidden="true"')


def sparkline(values: Sequence[float], *, css: str = "") -> SafeString:
    """A line without axes: the shape of a figure over time. Fewer than two values draw nothing."""
    if len(values) < 2:
        return format_html('<svg class="spark {}" aria-hidden="true"></svg>', css)
    low, high = min(values), max(values)
    span = (high - low) or 1
    inner = SPARK_HEIGHT - 2 * SPARK_MARGIN
    points = [
        (i * SPARK_WIDTH / (len(values) - 1), SPARK_HEIGHT - SPARK_MARGIN - (v - low) / span * inner)
        for i, v in enumerate(values)
    ]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return format_html(
        '<svg class="spark {}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="spark-area" d="{}"/>'
        '<path class="spark-line" d="{}" vector-effect="non-scaling-stroke"/></svg>',
        css,
        SPARK_WIDTH,
        SPARK_HEIGHT,
        f"{line}L{SPARK_WIDTH} {SPARK_HEIGHT}L0 {SPARK_HEIGHT}Z",
        line,
    )


def meter(percent: float, *, css: str = "", label: str = "") -> SafeString:
    """A bar filled to `percent` (0 to 100, clamped). Without a label it is decoration."""
    filled = f"{max(0.0, min(100.0, float(percent))):.2f}"
    role = format_html('role="img" aria-label="{}"', label) if label else DECORATION
    return format_html(
        '<svg class="meter {}" {}><rect class="meter-track" width="100%" height="100%" rx="3"/>'
        '<rect class="meter-fill" width="{}%" height="100%" rx="3"/></svg>',
        css,
        role,
        filled,
    )


def stack(shares: Sequence[tuple[str, float]], *, label: str) -> SafeString:
    """One bar cut into parts: `shares` are (class, amount), in proportion to their sum."""
    whole = sum(amount for _, amount in shares) or 1
    edges = [0.0]
    for _, amount in shares:
        edges.append(edges[-1] + 100 * amount / whole)
    parts = format_html_join(
        "",
        '<rect class="{}" x="{}%" width="{}%" height="100%"/>',
        [
            (css, f"{start:.2f}", f"{end - start:.2f}")
            for (css, _), start, end in zip(shares, edges, edges[1:], strict=False)
            if end > start
        ],
    )
    return format_html('<svg class="stack" role="img" aria-label="{}">{}</svg>', label, parts)
