"""Line charts as SVG, without a library."""

import html
import math

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 40, 48
COLORS = ("#c0392b", "#2471a3", "#229954", "#b9770e", "#7d3c98", "#707b7c", "#17a589", "#5d4037")


def _nice(most):
    """The end of an axis that begins at 0, and its step."""
    if most <= 0:
        return 1, 1
    step = 10 ** math.floor(math.log10(most))
    for factor in (0.2, 0.5, 1, 2):
        if most / (step * factor) <= 6:
            step *= factor
            break
    return math.ceil(most / step) * step, step


def _text(x, y, text, **more):
    attributes = " ".join(f'{key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{html.escape(str(text))}</text>'


def _decades(values):
    """The powers of ten around values that are above 0."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0 ** power for power in range(low, max(high, low + 1) + 1)]


def chart(title, x_label, y_label, series, log_y=False):
    """One chart as an SVG group. `series` is {name: [(x, y)]}; x is on a logarithmic axis, and with
    `log_y` y, too."""
    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    if log_y:
        ticks = _decades(ys)
    else:
        top, step = _nice(max(ys, default=1))
        ticks = [i * step for i in range(int(round(top / step)) + 1)]

    def at_x(x):
        return LEFT + (wide * (math.log10(x) - low) / (high - low) if high > low else wide / 2)

    def at_y(y):
        part = math.log(y / ticks[0]) / math.log(ticks[-1] / ticks[0]) if log_y else y / ticks[-1]
        return TOP + tall * (1 - part)

    parts = [_text(LEFT, 20, title, font_weight="bold", font_size=14),
             _text(LEFT + wide / 2, HEIGHT - 10, x_label, text_anchor="middle"),
             _text(LEFT, TOP - 8, y_label)]
    for tick in ticks:
        y = at_y(tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}h{wide}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{tick:,g}", text_anchor="end"))
    for x in xs:
        parts.append(_text(at_x(x), TOP + tall + 18, f"{x:,}", text_anchor="middle"))
    for i, (name, points) in enumerate(series.items()):
        color = COLORS[i % len(COLORS)]
        line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{color}"/>'
                  for x, y in points]
        parts.append(_text(WIDTH - RIGHT + 12, TOP + 16 * i + 8, name, fill=color))
    return "\n".join(parts)


def write(path, charts):
    """Writes several charts, two a row, to one file."""
    rows = (len(charts) + 1) // 2
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} '
                  f'{rows * HEIGHT}" font-family="sans-serif" font-size="11">\n'
                  f'<rect width="100%" height="100%" fill="white"/>\n')
        for i, group in enumerate(charts):
            out.write(f'<g transform="translate({i % 2 * WIDTH} {i // 2 * HEIGHT})">\n{group}\n</g>\n')
        out.write("</svg>\n")
