// A panel: its head, what it draws or why it draws nothing, and a dialogue with its queries and data.

const DRAWERS = {
  timeseries: drawGraph, heatmap: drawHeat, stat: drawStat, gauge: drawGauge, bargauge: drawBarGauge, piechart: drawPie,
  table: drawTable, barchart: drawBars, "state-timeline": drawStates, "status-history": drawStates,
};

function dialogue(panel, view) {
  const close = el("button", { type: "button", class: "button", text: "Close" });
  const box = el("dialog", { class: "details", "aria-label": `Details of ${panel.title}` },
    el("header", {}, el("h3", { text: panel.title || "Untitled" }), close),
    panel.description && el("p", { text: panel.description }),
    panel.notes.length > 0 && el("ul", { class: "notes" }, panel.notes.map((note) => el("li", { text: note }))),
    panel.queries.map((query) => el("section", {}, el("h4", { text: `Query ${query.ref} · ${query.source}` }), el("pre", { text: query.text || "(empty)" }), (query.error || query.reason) && el("p", { class: query.error ? "bad" : "soft", text: query.error || query.reason }))),
    panel.step && panel.queries.length > 0 && el("p", { class: "soft", text: `Step: ${formatter("s")(panel.step, null)}` }),
    numbersTable(panel),
    (panel.exemplars || []).some((point) => point.trace) && exemplarTable(panel, view));
  close.addEventListener("click", () => box.close());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

function numbersTable(panel) {
  if (!panel.series || panel.series.length === 0) return null;
  const calcs = ["min", "mean", "max", "lastNotNull"];
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Series" }, el("table", { class: "data" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: "Series" }), calcs.map((calc) => el("th", { scope: "col", class: "number", text: CALC_NAMES[calc] })))),
    el("tbody", {}, panel.series.map((row) => el("tr", {}, el("td", { text: row.name }), calcs.map((calc) => el("td", { class: "number", text: calcText(calc, row.calcs[calc], configured(row, panel)) })))))));
}

function exemplarTable(panel, view) {
  const slowest = [...panel.exemplars].sort((one, other) => other.value - one.value).slice(0, 20);
  const format = formatter((panel.config || {}).unit);
  return el("section", {}, el("h4", { text: "Exemplars, the highest first" }), el("table", { class: "data" }, el("tbody", {}, slowest.map((point) => el("tr", {}, el("td", { class: "number", text: format(point.value, null) }), el("td", { text: stamp(point.time, view.zone) }), el("td", {}, outward(point.link, el("code", { text: point.trace }))))))));
}

function message(panel) {
  const words = {
    error: [panel.queries.length > 0 ? "Query failed" : "Cannot be read", panel.reason],
    placeholder: ["Not drawn in a preview", panel.reason],
    empty: ["No data", "The query works, and has no series in this time."],
  }[panel.state];
  const queries = panel.queries.filter((query) => query.text).slice(0, 5);
  return el("div", { class: `message ${panel.state}`, role: panel.state === "error" ? "alert" : "note" },
    el("strong", { text: words[0] }), el("p", { text: words[1] }),
    panel.state !== "empty" && queries.map((query) => el("pre", { text: query.text })));
}

function drawn(panel) {
  return panel.kind === "text" || Boolean(panel.series || panel.rows || panel.buckets);
}

function frame(panel, view) {
  const [x, y, w, h] = panel.grid;
  const title = panel.title || (panel.kind === "text" ? "" : "Untitled");
  const body = el("div", { class: "body" });
  const count = panel.notes.length;
  const node = el("section", {
    class: `panel ${panel.kind === "text" ? "text" : ""} ${panel.transparent ? "clear" : ""}`, id: panel.id, "aria-label": title || "Text",
    style: { "grid-column": `${x + 1} / span ${w}`, "grid-row": `${y + 1} / span ${h}`, "--h": String(h) },
  },
    title && el("header", {}, el("h3", { text: title, title: panel.description || title }),
      count > 0 && el("span", { class: "flag", title: panel.notes.join("\n"), text: `${count} note${count > 1 ? "s" : ""}` }),
      panel.kind !== "text" && el("button", { type: "button", class: "more", "aria-label": `Queries and data of ${title}`, title: "Queries and data", text: "⋯", onclick: () => dialogue(panel, view) })),
    body);
  // A panel of which one query failed shows what the others brought, under the error.
  if (panel.kind !== "text" && (panel.state !== "ok" || !drawn(panel))) body.append(message(panel));
  return { node, body };
}

function drawPanel(panel, body, view) {
  if (panel.kind === "text") { body.append(el("div", { class: "prose" }, prose(panel.text))); return null; }
  const drawer = DRAWERS[panel.kind];
  const nothing = panel.state === "empty" || panel.state === "placeholder" || !drawn(panel);
  if (!drawer || nothing || (panel.series && panel.series.length === 0)) return null;
  const host = el("div", { class: `draw ${panel.kind}` });
  body.append(host);
  return drawer(panel, host, view);
}
