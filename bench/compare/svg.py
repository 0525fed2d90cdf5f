"""Bars as SVG: one row for each name, one bar for each value. Readable on light and dark pages."""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 150, 90, 16, 12, 48
COLOURS = ("#2a78d6", "#e08a1e")


def bars(title, series, legend):
    most = max((value for _, values in series for value in values), default=0) or 1
    count = max((len(values) for _, values in series), default=1)
    height = TOP + len(series) * (count * BAR + GAP) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
           'font-family="system-ui, sans-serif" font-size="13" role="img">',
           f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           f'<text x="12" y="22" font-size="14" font-weight="600" fill="#1a1a1a">{escape(title)}</text>']
    for i, name in enumerate(legend):
        out.append(f'<rect x="{LEFT + i * 70}" y="30" width="10" height="10" fill="{COLOURS[i]}"/>'
                   f'<text x="{LEFT + i * 70 + 15}" y="40" fill="#444444">{escape(name)}</text>')
    y = TOP
    for name, values in series:
        out.append(f'<text x="{LEFT - 10}" y="{y + len(values) * BAR / 2 + 5:.0f}" text-anchor="end" fill="#1a1a1a">{escape(name)}</text>')
        for i, value in enumerate(values):
            width = (WIDTH - LEFT - RIGHT) * value / most
            out.append(f'<rect x="{LEFT}" y="{y + 1}" width="{width:.1f}" height="{BAR - 2}" fill="{COLOURS[i]}"/>'
                       f'<text x="{LEFT + width + 6:.1f}" y="{y + BAR - 4}" fill="#444444">{number(value)}</text>')
            y += BAR
        y += GAP
    return "\n".join(out) + "\n</svg>\n"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
