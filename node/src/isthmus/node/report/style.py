"""The style of the report's page: light and dark by the reader's system, and print. Nothing is loaded from elsewhere.

The four colours of the bars are told apart with every common colour blindness. Source: Okabe and Ito, "Color universal
design" (2008); lightness differs too, so that they survive a grey printer.
"""

from typing import Final

CSS: Final = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1a212b; --soft: #566070; --line: #dfe3e9; --track: #eceff3;
  --sound: #0072b2; --damaged: #d55e00; --placeholder: #e3a008; --missing: #aab3bf;
  --act: #a63c00; --act-ground: #fdeee4; --good: #0b6b4f; --good-ground: #e3f4ee; --know: #30598c;
  --know-ground: #e8eff8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2028; --ink: #e8ecf1; --soft: #a3adba; --line: #303945; --track: #262e38;
    --sound: #56b4e9; --damaged: #f0803c; --placeholder: #f0c94a; --missing: #66717f;
    --act: #ffb38a; --act-ground: #3a2115; --good: #7fd8b8; --good-ground: #12312a; --know: #a9c9f0;
    --know-ground: #1b2b40;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 0.4rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 3rem 0 0.3rem; }
h3 { font-size: 1.05rem; margin: 0; }
h4 { font-size: 0.8125rem; font-weight: 600; color: var(--soft); margin: 1.4rem 0 0.4rem; }
p { margin: 0.3rem 0 1rem; max-width: 46rem; }
.card + p { margin-top: 1rem; } h2 + .card { margin-top: 0.9rem; } .findings + p { margin-top: 0.8rem; }
.lead, .soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; padding: 1.25rem 1.4rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem; margin: 1.8rem 0; }
.tiles dt { color: var(--soft); font-size: 0.875rem; }
.tiles dd { margin: 0; }
.tiles .number { font-size: 2rem; font-weight: 650; line-height: 1.25; letter-spacing: -0.02em; }
.tiles .soft { font-size: 0.875rem; }
.findings { list-style: none; margin: 0.8rem 0 0; padding: 0; display: grid; gap: 0.6rem; }
.findings li { display: grid; grid-template-columns: 5.2rem 1fr; gap: 0.9rem; align-items: baseline; }
.findings.wide li { padding: 0.85rem 1.1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; }
.tag { font-size: 0.75rem; font-weight: 650; text-align: center; border-radius: 1rem; padding: 0.12rem 0.5rem; }
.act .tag { color: var(--act); background: var(--act-ground); }
.know .tag { color: var(--know); background: var(--know-ground); }
.good .tag { color: var(--good); background: var(--good-ground); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-size: 0.8125rem; vertical-align: bottom; }
th, td { padding: 0.42rem 0.7rem; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
td.n, th.n { text-align: right; white-space: nowrap; }
td.n small { color: var(--soft); font-size: 0.75rem; margin-left: 0.35rem; display: inline-block; min-width: 3.6em; }
td.chart { width: 34%; min-width: 9rem; }
tbody th { font-weight: 500; }
tbody th small { display: block; color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; }
svg.bar { height: 0.875rem; border-radius: 0.25rem; }
svg.histogram { height: auto; }
.sound, .column { fill: var(--sound); } .damaged { fill: var(--damaged); } .placeholder { fill: var(--placeholder); }
.missing { fill: var(--missing); } .track { fill: var(--track); }
.grid { stroke: var(--line); stroke-dasharray: 2 4; } .base { stroke: var(--missing); }
.label { fill: var(--soft); font-size: 12.5px; }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.4rem; padding: 0; margin: 0 0 0.9rem; list-style: none;
  font-size: 0.875rem; }
.legend svg { width: 0.8rem; height: 0.8rem; display: inline-block; margin-right: 0.45rem; border-radius: 0.2rem;
  vertical-align: -0.05rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1rem;
  margin-top: 1rem; align-items: start; }
.field header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem;
  margin-bottom: 0.7rem; }
.field header .soft { font-size: 0.875rem; white-space: nowrap; }
.facts { margin: 0.8rem 0 0; display: grid; grid-template-columns: repeat(3, auto); gap: 0.1rem 1.2rem;
  font-size: 0.875rem; justify-content: space-between; }
.facts div { display: flex; flex-direction: column; }
.facts dt { color: var(--soft); font-size: 0.8125rem; } .facts dd { margin: 0; font-variant-numeric: tabular-nums; }
.field .findings { margin-top: 1rem; font-size: 0.875rem; }
details { margin-top: 0.5rem; font-size: 0.875rem; }
summary { cursor: pointer; color: var(--soft); font-size: 0.8125rem; width: fit-content; }
summary:focus-visible { outline: 2px solid var(--sound); outline-offset: 3px; border-radius: 0.2rem; }
details .scroll { max-height: 18rem; overflow-y: auto; margin-top: 0.4rem; }
.terms dt { font-weight: 600; margin-top: 0.8rem; } .terms dd { margin: 0.1rem 0 0; max-width: 46rem; }
footer { margin-top: 3rem; padding-top: 1.2rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: 0.875rem; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.6rem; }
  .findings li { grid-template-columns: 1fr; gap: 0.3rem; } .tag { justify-self: start; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --track: #eee; --sound: #0072b2;
    --damaged: #d55e00; --placeholder: #e3a008; --missing: #aab3bf; --act: #7a2b00; --act-ground: #fff;
    --know: #1f3d63; --know-ground: #fff; --good: #064a36; --good-ground: #fff; }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } .card, tr, .findings li { break-inside: avoid; } h2 { break-after: avoid; }
  details:not([open]) { display: none; } .tag { border: 1px solid; }
}
"""
"""One style sheet, for a `<style>` element; it holds no `<` and no address."""
