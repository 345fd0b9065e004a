"""The style of the page.

One hue for each state, in two lightnesses; every pair of text and ground has at least 4.5:1 (tests/publish/test_page_style.py
computes it from these lines). State is never colour alone: a sign and a word say it too, and free boxes have open borders.
"""

from __future__ import annotations

# Name: light, dark.
COLOURS = {
    "ground": ("#f5f4f0", "#0f1216"),
    "sheet": ("#ffffff", "#181c22"),
    "inset": ("#f0efea", "#20252d"),
    "ink": ("#1b1d21", "#e9ebee"),
    "quiet": ("#5a5f68", "#a3abb6"),
    "line": ("#dcdad2", "#2d343e"),
    "vfio": ("#2746c9", "#9ab4ff"),
    "viable": ("#12693d", "#6fd49b"),
    "blocked": ("#b3211b", "#ff9a90"),
    "protected": ("#80500a", "#f0b95c"),
    "in-use": ("#48525f", "#b3bdc9"),
    "vfio-wash": ("#e9edfd", "#1d2748"),
    "viable-wash": ("#e2f4e9", "#12301f"),
    "blocked-wash": ("#fde9e7", "#431816"),
    "protected-wash": ("#fbf0d9", "#38290d"),
    "in-use-wash": ("#e9ebee", "#2a3038"),
}


def _variables(which: int) -> str:
    return "".join(f"--{name}:{pair[which]};" for name, pair in COLOURS.items())


_STATES = "".join(
    f".{name}{{--c:var(--{hue});--w:var(--{hue}-wash)}}"
    for name, hue in (
        ("vfio", "vfio"), ("viable", "viable"), ("blocked", "blocked"), ("protected", "protected"), ("in-use", "in-use"),
        ("idle", "in-use"), ("platform", "in-use"), ("unknown", "in-use"), ("unsafe", "blocked"),
    )
)  # fmt: skip

_RULES = """
*{box-sizing:border-box;margin:0}
body{background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
.top,main,footer{max-width:78rem;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem)}
code{font:max(.8125rem,.86em)/1.4 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
h1{font-size:clamp(1.15rem,3.4vw,1.5rem);font-weight:600;line-height:1.25;letter-spacing:-.01em}
h2{font-size:1.05rem;font-weight:650;margin:2.75rem 0 .75rem;letter-spacing:-.005em}
h2 small,h3+small{font-weight:400;color:var(--quiet);font-size:.875rem;margin-left:.25rem}
h3{font-size:.95rem;font-weight:650}
small{color:var(--quiet);font-size:.8125rem}
ul,ol{list-style:none;padding:0}
i{font-style:normal}
em{font-style:normal;color:var(--protected);font-size:.8125rem}
q{quotes:none;color:var(--quiet)}
summary{cursor:pointer;color:var(--quiet);font-size:.8125rem;padding:.25rem 0}
summary:focus-visible,a:focus-visible{outline:2px solid var(--vfio);outline-offset:2px;border-radius:3px}
a{color:var(--vfio);text-underline-offset:.2em}
.top{padding-top:clamp(1.5rem,5vw,3.25rem)}
.notice{background:var(--blocked-wash);color:var(--blocked);font-weight:600;text-align:center;padding:.6rem 1rem}
.node-name{color:var(--quiet);font-size:.875rem}
time{white-space:nowrap}
.verdict{font-size:clamp(1.7rem,6.2vw,2.9rem);font-weight:700;line-height:1.12;letter-spacing:-.025em;margin:1.1rem 0 .6rem;
 color:var(--c);text-wrap:balance}
.tally{color:var(--quiet)}.tally strong{color:var(--ink)}
.sign{display:inline-flex;gap:.35em;align-items:baseline;font-size:.75rem;font-weight:650;color:var(--c);
 background:var(--w);border-radius:99px;padding:.1rem .6rem}
.cards{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr))}
.card{background:var(--sheet);border:1px solid var(--line);border-top:3px solid var(--c);border-radius:8px;padding:.85rem 1rem}
.card header{display:flex;flex-wrap:wrap;gap:.3rem .6rem;align-items:baseline;margin-bottom:.4rem}
.card>p{margin:.3rem 0}.remedy{color:var(--quiet)}.remedy strong{color:var(--ink);font-weight:600}
.remedy code{background:var(--inset);color:var(--ink);padding:.05rem .2rem;border-radius:3px;
 box-decoration-break:clone;-webkit-box-decoration-break:clone}
.evidence{display:grid;gap:.25rem;font-size:.8125rem;padding:.2rem 0 .3rem}
.band{display:block;width:100%;height:.75rem;border-radius:4px}
.band rect{fill:var(--c);stroke:var(--ground);stroke-width:2}
.band .platform{fill:var(--line)}.band .viable{fill:var(--c)}
.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;margin:.75rem 0 1rem;font-size:.8125rem;color:var(--quiet)}
.legend li{display:flex;gap:.15rem .45rem;align-items:baseline}.legend strong{color:var(--ink)}
.legend .sign,.legend strong,.counts .sign{flex:none;white-space:nowrap}.legend span{flex:1;min-width:8rem}
@media(max-width:46rem){.legend li{display:grid;grid-template-columns:6.75rem 1.75rem 1fr}
 .legend .sign{justify-self:start}.legend strong{text-align:right}}
.counts{display:flex;flex-wrap:wrap;gap:.4rem;margin-bottom:.6rem}
.boxes{display:grid;grid-auto-flow:dense;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr))}
.box{background:var(--sheet);border:1px solid var(--c);border-radius:8px;padding:.6rem .75rem .7rem;min-width:0}
.box.viable{border-style:dashed}
.box.blocked,.box.unsafe{border-width:2px}
.box.vfio{box-shadow:inset 4px 0 0 var(--c);padding-left:1rem}
.box.platform,.box.in-use,.box.idle,.box.unknown{border-color:var(--line)}
.box>header,.node>header,.dog>header{display:flex;flex-wrap:wrap;gap:.25rem .6rem;
 justify-content:space-between;align-items:baseline}
.wide{grid-column:1/-1}
.wide>ul,.pair>ul{display:grid;gap:0 1.5rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
.wide>ul>li,.pair>ul>li{align-content:start}
@media(min-width:46rem){.pair{grid-column:span 2}}
.box>ul>li{display:grid;grid-template-columns:auto 1fr;gap:0 .6rem;align-items:baseline;padding:.45rem 0 0}
.box>ul>li+li{margin-top:.45rem;border-top:1px solid var(--line)}
.wide>ul>li,.pair>ul>li{margin-top:.45rem;border-top:1px solid var(--line)}
.box>ul>li>:nth-child(n+3){grid-column:1/-1}
.driver{justify-self:end;font-size:.8125rem;font-weight:600;color:var(--c);text-align:right}
.driver i{font-size:.75rem}
.name{font-size:.875rem;line-height:1.35}
.why{color:var(--blocked);font-size:.8125rem}
.more{font-size:.8125rem;color:var(--quiet);padding-top:.4rem;max-height:20rem;overflow:auto}
.fold{margin-top:.75rem}.fold>summary{font-size:.875rem;padding:.5rem 0}
.nodes,.dogs,.facts,.kept{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr))}
.node,.dog,.facts article,.kept>li{background:var(--sheet);border:1px solid var(--line);border-radius:8px;
 padding:.85rem 1rem;min-width:0}
.cpus{display:block;max-width:100%;height:auto;margin:.6rem 0 .2rem}
.cpu{fill:var(--in-use)}.isolated{fill:none;stroke:var(--vfio);stroke-width:2}
.pools{display:grid;gap:.65rem;margin-top:.7rem}
.pools li{display:grid;grid-template-columns:4rem 1fr;gap:.1rem .6rem;align-items:center}
.pools small{grid-column:2}
.size{font-weight:600;font-size:.875rem;font-variant-numeric:tabular-nums}
.none{color:var(--quiet);font-size:.875rem}
.bar{width:100%;height:1rem;border-radius:4px;background:var(--inset)}
.free{fill:var(--viable-wash);stroke:var(--viable);stroke-width:2}.used{fill:var(--viable)}
.unsaid{fill:var(--in-use-wash);stroke:var(--in-use);stroke-width:2}
.swatch{width:1.5rem;height:.75rem;border-radius:3px;vertical-align:-.05rem}
.key{font-size:.8125rem;color:var(--quiet);margin-top:.6rem}
.vain{color:var(--protected);margin-bottom:.75rem}
.facts{grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}
dl{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,4fr);gap:.3rem .75rem;margin-top:.5rem;font-size:.875rem}
dt{color:var(--quiet)}.flag{font-weight:600;color:var(--c)}
.text-protected,.unsure{color:var(--protected)}.unsure{margin-bottom:.75rem}
.dog p{font-size:.875rem;color:var(--quiet);margin-top:.3rem}.dog .why{color:var(--blocked)}
.settings{margin-top:.75rem;display:grid;gap:.2rem}
.kept ul{font-size:.875rem;margin-top:.35rem}
.problems{font-size:.875rem;display:grid;gap:.3rem;margin:.25rem 0 1rem}.problems b{color:var(--protected)}
footer{display:flex;flex-wrap:wrap;gap:.5rem 2rem;justify-content:space-between;
 margin-top:3.5rem;padding-top:1rem;padding-bottom:2rem}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;font-size:.875rem}
@media print{.box,.card,.node{break-inside:avoid}}
"""

STYLE = (
    f":root{{color-scheme:light dark;{_variables(0)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_variables(1)}}}}}{_STATES}{_RULES}"
)
