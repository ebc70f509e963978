// Numbers: stat tiles with their course, gauges, bars of a gauge, shares of a whole.

function numberOf(row, panel, index) {
  const config = configured(row, panel);
  const value = row.calcs[panel.calc];
  const [min, max] = bounds(config, panel.kind === "stat" ? row.values : panel.series.map((other) => other.calcs[panel.calc]));
  return { config, value, min, max, color: valueColor(value, { ...config, color: config.color || { mode: "thresholds" } }, index, min, max), text: display(value, config) };
}

// The course behind a number.
function course(row, color) {
  const known = row.values.filter((value) => value != null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const spread = Math.max(...known) - low || 1;
  const last = row.values.length - 1;
  const parts = [];
  let open = false;
  let area = "";
  let first = 0;
  row.values.forEach((value, at) => {
    if (value == null) { open = false; return; }
    const x = ((at / last) * 100).toFixed(2);
    const y = (28 - ((value - low) / spread) * 26).toFixed(2);
    if (!open) first = x;
    parts.push(`${open ? "L" : "M"}${x} ${y}`);
    area += open ? `L${x} ${y}` : `${area ? `V30H${first}Z` : ""}M${x} 30V${y}`;
    open = true;
  });
  return svg("svg", { class: "course", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { d: `${area}V30Z`, fill: faded(color, 0.18) }), svg("path", { d: parts.join(""), fill: "none", stroke: color, "stroke-width": "1.5", "vector-effect": "non-scaling-stroke" }));
}

function drawStat(panel, host) {
  const options = panel.options || {};
  const many = panel.series.length > 1;
  const mode = options.textMode && options.textMode !== "auto" ? options.textMode : many ? "value_and_name" : "value";
  host.classList.add("tiles");
  panel.series.forEach((row, index) => {
    const { color, text } = numberOf(row, panel, index);
    const filled = String(options.colorMode || "value").startsWith("background");
    const ink = filled ? inkOn(color) : options.colorMode === "none" ? cssVariable("--ink") : color;
    const shown = mode === "name" ? row.name : text;
    const tile = el("div", { class: "tile", role: "group", "aria-label": `${row.name}: ${text}`, style: { color: ink, "--letters": String(Math.max(4, shown.length)), ...(filled ? { background: color } : {}) } },
      mode !== "none" && el("div", { class: "value", text: shown }),
      mode === "value_and_name" && el("div", { class: "name", text: row.name }),
      options.graphMode !== "none" && course(row, filled ? ink : color));
    host.append(tile);
  });
}

const RIM = 220;

function arc(radius, from, to) {
  const at = (share) => {
    const angle = ((90 + (360 - RIM) / 2 + share * RIM) * Math.PI) / 180;
    return `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${radius} ${radius} 0 ${(to - from) * RIM > 180 ? 1 : 0} 1 ${at(to)}`;
}

function drawGauge(panel, host) {
  host.classList.add("tiles");
  const options = panel.options || {};
  panel.series.forEach((row, index) => {
    const { config, value, color, text } = numberOf(row, panel, index);
    const min = config.min != null ? config.min : 0;
    const max = config.max != null ? config.max : 100;
    const share = value == null ? 0 : Math.min(Math.max((value - min) / (max - min), 0), 1);
    const steps = thresholdSteps(config, min, max);
    const rim = options.showThresholdMarkers === false ? [] : steps.map((step, at) => {
      const from = Math.min(Math.max((Math.max(step.value, min) - min) / (max - min), 0), 1);
      const to = at + 1 < steps.length ? Math.min(Math.max((steps[at + 1].value - min) / (max - min), 0), 1) : 1;
      return to > from ? svg("path", { d: arc(47, from, to), stroke: colorOf(step.color), "stroke-width": "3", fill: "none" }) : null;
    });
    host.append(el("div", { class: "tile gauge", role: "meter", "aria-label": row.name, "aria-valuenow": value == null ? min : value, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text },
      svg("svg", { viewBox: "0 0 100 78", "aria-hidden": "true" },
        ...rim,
        svg("path", { d: arc(38, 0, 1), stroke: cssVariable("--track"), "stroke-width": "11", fill: "none" }),
        share > 0 ? svg("path", { d: arc(38, 0, share), stroke: color, "stroke-width": "11", fill: "none" }) : null,
        svg("text", { x: "50", y: "56", "text-anchor": "middle", "font-size": String(Math.min(17, 80 / Math.max(4, text.length))), "font-weight": "600", fill: color, text })),
      (panel.series.length > 1 || options.showThresholdLabels) && el("div", { class: "name", text: row.name })));
  });
}

function drawBarGauge(panel, host) {
  const upright = (panel.options || {}).orientation === "vertical";
  host.classList.add("rows", upright ? "upright" : "lying");
  panel.series.forEach((row, index) => {
    const { value, min, max, color, text } = numberOf(row, panel, index);
    const share = value == null ? 0 : Math.min(Math.max((value - min) / (max - min), 0), 1);
    const bar = el("div", { class: "bar" }, el("i", { style: { [upright ? "height" : "width"]: `${share * 100}%`, background: color } }));
    host.append(el("div", { class: "row", role: "meter", "aria-label": row.name, "aria-valuenow": value == null ? min : value, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text },
      el("div", { class: "name", text: row.name, title: row.name }), bar, el("b", { text, style: { color } })));
  });
}

function drawPie(panel, host) {
  const rows = panel.series.map((row, index) => ({ row, value: Math.max(0, row.calcs[panel.calc] || 0), color: seriesColor(row, index, panel) }));
  const total = rows.reduce((sum, { value }) => sum + value, 0) || 1;
  const donut = (panel.options || {}).pieType === "donut";
  const radius = donut ? 38 : 24;
  const round = 2 * Math.PI * radius;
  let before = 0;
  const pieces = rows.map(({ value, color }) => {
    const length = (value / total) * round;
    const piece = svg("circle", { cx: "50", cy: "50", r: String(radius), fill: "none", stroke: color, "stroke-width": donut ? "18" : "48", "stroke-dasharray": `${length} ${round - length}`, "stroke-dashoffset": String(-before), transform: "rotate(-90 50 50)" });
    before += length;
    return piece;
  });
  host.classList.add("pie");
  host.append(svg("svg", { viewBox: "0 0 100 100", role: "img", "aria-label": spokenSeries({ ...panel, series: panel.series.map((row) => ({ ...row, calcs: { lastNotNull: row.calcs[panel.calc] } })) }) }, ...pieces),
    el("ul", { class: "legend list" }, rows.map(({ row, value, color }) => el("li", {}, el("span", { class: "series" }, el("i", { class: "swatch", style: { background: color } }), el("span", { text: row.name })), el("span", { class: "calc" }, el("b", { text: display(value, configured(row, panel)) }), ` ${formatter("percentunit")(value / total, 0)}`)))));
}
