// The legend of a graph: a list or a table with numbers; a press shows one series alone, with Ctrl it hides one.

const CALC_NAMES = {
  lastNotNull: "Last", last: "Last", firstNotNull: "First", first: "First", min: "Min", max: "Max", mean: "Mean", median: "Median",
  sum: "Total", count: "Count", countAll: "Count all", range: "Range", diff: "Difference", diffperc: "Difference %", delta: "Delta", stdDev: "StdDev",
  variance: "Variance", changeCount: "Changes", distinctCount: "Distinct", step: "Step", logmin: "Min > 0",
};
const NO_UNIT = new Set(["count", "countAll", "changeCount", "distinctCount"]);

function calcText(name, value, config) {
  if (value == null) return "–";
  if (NO_UNIT.has(name)) return formatter("none")(value, null);
  if (name === "diffperc") return formatter("percent")(value, null);
  return display(value, { ...config, mappings: [] });
}

function legend(panel, rows, colors, visible, changed) {
  const options = (panel.options && panel.options.legend) || {};
  const shown = rows.map((row, index) => ({ row, index })).filter(({ row }) => !hidden(row, panel, "legend"));
  const by = options.sortBy && (options.calcs || []).find((calc) => CALC_NAMES[calc] === String(options.sortBy).replace(" *", ""));
  if (by) shown.sort((one, other) => ((one.row.calcs[by] ?? -Infinity) - (other.row.calcs[by] ?? -Infinity)) * (options.sortDesc ? -1 : 1));
  if (options.sortBy === "Name") shown.sort((one, other) => one.row.name.localeCompare(other.row.name) * (options.sortDesc ? -1 : 1));
  if (options.showLegend === false || options.displayMode === "hidden" || shown.length === 0) return null;
  const calcs = options.calcs || [];
  const buttons = [];
  const refresh = () => buttons.forEach(({ button, index }) => button.setAttribute("aria-pressed", String(visible[index])));
  const press = (index, event) => {
    const alone = visible.every((on, at) => on === (at === index));
    if (event.ctrlKey || event.metaKey || event.shiftKey) visible[index] = !visible[index];
    else visible.forEach((_, at) => { visible[at] = alone || at === index; });
    refresh();
    changed();
  };
  const name = ({ row, index }) => {
    const swatch = el("i", { class: "swatch", style: { background: colors[index] } });
    const button = el("button", { type: "button", class: "series", "aria-pressed": "true", title: row.name, onclick: (event) => press(index, event) }, swatch, el("span", { text: row.name }));
    buttons.push({ button, index });
    return button;
  };
  const configOf = (row) => row.config || panel.config;
  const side = options.placement === "right" ? " side" : "";
  if (options.displayMode === "table") {
    const head = el("tr", {}, el("th", { scope: "col", text: "Series" }), calcs.map((calc) => el("th", { scope: "col", class: "number", text: CALC_NAMES[calc] || calc })));
    const lines = shown.map((entry) => el("tr", {}, el("td", {}, name(entry)), calcs.map((calc) => el("td", { class: "number", text: calcText(calc, entry.row.calcs[calc], configOf(entry.row)) }))));
    return el("div", { class: `legend${side}`, tabindex: "0", role: "region", "aria-label": `Legend of ${panel.title}` }, el("table", {}, el("thead", {}, head), el("tbody", {}, lines)));
  }
  const items = shown.map((entry) => el("li", {}, name(entry), calcs.map((calc) => el("span", { class: "calc" }, `${CALC_NAMES[calc] || calc}: `, el("b", { text: calcText(calc, entry.row.calcs[calc], configOf(entry.row)) })))));
  return el("ul", { class: `legend list${side}`, "aria-label": `Legend of ${panel.title}` }, items);
}

function hidden(row, panel, where) {
  const config = row.config || panel.config || {};
  const from = (config.custom || {}).hideFrom || {};
  return Boolean(from[where]);
}
