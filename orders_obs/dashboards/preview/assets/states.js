// State timelines: for each series a band, cut where its value changes.

function drawStates(panel, host, view) {
  const merge = panel.kind === "state-timeline" && (panel.options || {}).mergeValues !== false;
  const [from, to] = [view.dashboard.from, view.dashboard.to];
  const place = (time) => Math.min(Math.max((time - from) / (to - from), 0), 1) * 100;
  const bands = panel.series.map((row, index) => {
    const config = configured(row, panel);
    const [min, max] = bounds(config, row.values);
    const pieces = [];
    row.values.forEach((value, at) => {
      const text = value == null ? null : display(value, config);
      const last = pieces[pieces.length - 1];
      const end = panel.times[at] + panel.step;
      if (text == null) return;
      if (merge && last && last.text === text && last.at === at - 1) { last.end = end; last.at = at; return; }
      pieces.push({ text, start: panel.times[at], end, at, color: valueColor(value, config, index, min, max) });
    });
    return el("div", { class: "state", role: "img", "aria-label": `${row.name}: ${pieces.slice(-3).map((piece) => `${piece.text} from ${stamp(piece.start, view.zone)}`).join(", ")}` },
      el("div", { class: "name", text: row.name, title: row.name }),
      el("div", { class: "band" }, pieces.map((piece) => {
        const width = place(piece.end) - place(piece.start);
        return el("i", { title: `${piece.text}, ${stamp(piece.start, view.zone)} to ${stamp(piece.end, view.zone)}`, style: { left: `${place(piece.start)}%`, width: `${width}%`, background: piece.color, color: inkOn(piece.color) } }, width > 6 && (panel.options || {}).showValue !== "never" ? el("span", { text: piece.text }) : null);
      })));
  });
  // Below ten minutes two of the four would be in the same minute, or seem to be.
  const tickStep = (to - from) / 4 >= 86400 ? 86400 : to - from < 600 ? 1 : 60;
  const ticks = [0, 0.25, 0.5, 0.75].map((share) => el("span", { text: clockText(from + share * (to - from), tickStep, view.zone) }));
  const longest = Math.max(...panel.series.map((row) => row.name.length));
  host.append(el("div", { class: "states", style: { "--name": `min(${longest + 1}ch, 34%)` } }, bands, el("div", { class: "ticks", "aria-hidden": "true" }, ticks)));
}
