// A bar chart: a group of bars for each row of the table.

const MOST_BARS = 60;

function drawBars(panel, host, view) {
  const lying = (panel.options || {}).orientation === "horizontal";
  const rows = panel.rows.slice(0, MOST_BARS);
  const all = rows.flatMap((row) => panel.y.map((at) => row[at])).filter((value) => value != null);
  const config = panel.y.length ? panel.columns[panel.y[0]].config : panel.config;
  const [min, max] = bounds({ ...config, min: config.min != null ? config.min : 0 }, all);
  const label = (row) => (panel.x == null ? panel.title : panel.columns[panel.x].kind === "time" ? stamp(row[panel.x], view.zone) : display(row[panel.x], panel.columns[panel.x].config));
  host.classList.add("rows", lying ? "lying" : "upright");
  for (const row of rows) {
    const bars = panel.y.map((at, index) => {
      const column = panel.columns[at];
      const value = row[at];
      const share = value == null ? 0 : Math.min(Math.max((value - min) / (max - min), 0), 1);
      const color = seriesColor({ config: column.config, calcs: { lastNotNull: value }, values: [value], name: column.name }, index);
      const text = display(value, column.config);
      return [el("div", { class: "bar", title: `${column.name}: ${text}` }, el("i", { style: { [lying ? "width" : "height"]: `${share * 100}%`, background: color } })), el("b", { text })];
    });
    host.append(el("div", { class: "row", role: "group", "aria-label": `${label(row)}: ${panel.y.map((at) => display(row[at], panel.columns[at].config)).join(", ")}` },
      el("div", { class: "name", text: label(row), title: label(row) }), bars.flat()));
  }
}
