/** The look of a report: narrow and wide, light and dark, on paper. No font, picture or script is fetched. */
export const style = `
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --text: #1c2330; --soft: #5b6675; --line: #dfe3e9;
  --code: #f1f3f6; --red: #c22f2f; --redbg: #fdeeee; --green: #1f7a43; --amber: #93610a; --blue: #2a62b8; --mark: #fff2c9; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161d; --card: #1a2029; --text: #e4e8ee; --soft: #9aa6b5;
  --line: #2d3541; --code: #131921; --red: #ff8a80; --redbg: #35201f; --green: #6fcf97; --amber: #e5b95c;
  --blue: #8ab4f8; --mark: #3d3413; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
h4 { font-size: .8rem; margin: 1rem 0 .25rem; color: var(--soft); text-transform: uppercase; letter-spacing: .04em; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
code, pre, .bytes { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .8125rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--code); padding: .6rem .75rem; border-radius: 6px; margin: .5rem 0 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .fault b { color: var(--red); } .tiles .pass b { color: var(--green); } .tiles .model b { color: var(--amber); }
.card { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--blue); border-radius: 8px; padding: 1rem 1.1rem; margin: 0 0 1rem; }
.card.broken { border-left-color: var(--red); }
.card > header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
.card .seen { font-size: 1.05rem; margin-top: .35rem; overflow-wrap: anywhere; }
.badge { font-size: .75rem; font-weight: 600; border-radius: 99px; padding: .1rem .6rem; border: 1px solid currentColor; white-space: nowrap; }
.fault, .broken .badge { color: var(--red); } .pass { color: var(--green); } .model { color: var(--amber); }
.odd .badge, .odd { color: var(--blue); } .not-offered, .not-run { color: var(--soft); }
.card, .tiles li, .card.odd { color: var(--text); }
figure { margin: .75rem 0 0; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
figcaption { background: var(--code); padding: .35rem .75rem; font-size: .8125rem; color: var(--soft); overflow-wrap: anywhere; }
.bytes { list-style: none; margin: 0; padding: .35rem 0; }
.bytes li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; padding: .1rem .75rem; }
.bytes time { color: var(--soft); text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bytes span { white-space: pre-wrap; overflow-wrap: anywhere; }
.bytes .marked { background: var(--mark); }
.bytes .gap span, .bytes .end span { color: var(--soft); font-style: italic; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); }
td:last-child, .clients th, .clients td { overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { border-top: 0; color: var(--soft); font-size: .8rem; }
.scroll { overflow-x: auto; } .scroll td { overflow-wrap: normal; }
.scroll .word { overflow-wrap: anywhere; min-width: 9rem; }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .35rem .75rem; margin: .75rem 0 0; } dt { color: var(--soft); } dd { margin: 0; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--soft); }
a { color: var(--blue); }
meter { width: 7rem; }
@media (max-width: 36rem) { .clients tr { display: block; border-top: 1px solid var(--line); padding: .3rem 0; }
  .clients th, .clients td { display: block; border: 0; padding: 0; }
  dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: .5rem; }
  .bytes li { grid-template-columns: 1fr; gap: 0; } .bytes time { text-align: left; } }
@media print { :root { --bg: #fff; } body { font-size: 11pt; } main { max-width: none; padding: 0; }
  .card, .tiles li { break-inside: avoid; } details::details-content { content-visibility: visible; height: auto; } }
`;
