"""How a report looks: colours, light and dark, and where things stand."""

from __future__ import annotations

from typing import Final

LIGHT: Final = {
    "page": "#f5f6f8",
    "card": "#ffffff",
    "ink": "#1b2027",
    "soft": "#5a6472",
    "line": "#d9dde3",
    "grid": "#e9ecf0",
    "ok": "#2f6bd6",
    "bad": "#c63a22",
}
"""``ink`` is text, ``soft`` what explains it, ``line`` an edge, ``ok`` and ``bad`` are what the charts are about."""

DARK: Final = {
    "page": "#0f1216",
    "card": "#181c22",
    "ink": "#e8ebf0",
    "soft": "#a0a9b6",
    "line": "#3a424d",
    "grid": "#272d35",
    "ok": "#5b9bff",
    "bad": "#ff7a62",
}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


_PLACES: Final = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink)}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 24px}
h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:16px;margin:0}
p{margin:0}
.soft,caption,footer{color:var(--soft);font-size:13px}
.note{display:inline-block;margin-top:10px;padding:3px 10px;border:1px solid;border-radius:6px;color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:12px;margin:22px 0 12px;padding:0}
@media (max-width:560px){.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:12px 14px;min-width:0}
.tile dt{color:var(--soft);font-size:13px}
.tile dd{margin:0;font-size:22px;font-weight:600;line-height:1.3;white-space:nowrap;font-variant-numeric:tabular-nums}
.tile dd small{font-size:13px;font-weight:400;color:var(--soft)}
.tile.bad dd{color:var(--bad)}
.card{padding:16px 18px;margin:12px 0 0;min-width:0}
.head{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;margin-bottom:10px}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 12px}
.beside{display:grid;grid-template-columns:minmax(0,1fr) 190px;gap:8px 28px;align-items:center}
@media (max-width:760px){.beside{grid-template-columns:minmax(0,1fr)}}
.key::before{content:"";display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}
.key::before{background:var(--ok)}
.key.bad::before{background:var(--bad)}
.chart svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
@media (max-width:640px){svg text{font-size:22px}.beside svg text{font-size:18px}}
.up,.left{text-anchor:end}
.along{text-anchor:middle}
.grid{stroke:var(--grid)}
.axis{stroke:var(--line)}
.ok{fill:var(--ok)}
.bad{fill:var(--bad)}
.hover{fill:transparent}
.hover:hover{fill:var(--ink);fill-opacity:.08}
line.mark{stroke:var(--ink);stroke-dasharray:3 3;stroke-opacity:.7}
text.mark{fill:var(--ink);stroke:var(--card);stroke-width:4px;paint-order:stroke}
table{width:100%;border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:6px}
th,td{padding:5px 0 5px 14px;border-top:1px solid var(--grid);text-align:right;white-space:nowrap;vertical-align:top}
thead th,thead td{border-top:0}
thead th{color:var(--soft);font-weight:400;font-size:13px}
th:first-child{padding-left:0;text-align:left;font-weight:500;white-space:normal;overflow-wrap:anywhere}
th:first-child{min-width:110px}
.beside th:first-child{min-width:0}
.draws{width:34%;min-width:80px}
@media (max-width:640px){.draws{display:none}}
.draws svg{display:block;width:100%;height:10px;margin-top:6px}
.says td{border:0;padding:0 0 8px;color:var(--soft);font-size:13px}
.says td{text-align:left;white-space:normal;overflow-wrap:anywhere}
.rows{overflow-x:auto}
details{margin-top:8px}
summary{cursor:pointer;color:var(--soft);font-size:13px}
.long{max-height:320px;overflow:auto;margin-top:6px}
footer{margin-top:16px}
@media print{.card,.tile{break-inside:avoid}}
"""

STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}{_PLACES}"
)
