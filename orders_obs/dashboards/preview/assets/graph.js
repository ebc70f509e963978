// Graphs over time, by uPlot: lines, areas, stacks, bars and points; thresholds, annotations, exemplars; one crosshair for all.

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const LEAVE = { show: false };
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000];
const BINARY_STEPS = Array.from({ length: 80 }, (_, at) => 2 ** (at - 10));

function clockText(seconds, step, zone) {
  const text = stamp(seconds, zone);
  if (step >= 86400) return text.slice(5, 10);
  return step >= 60 ? text.slice(11, 16) : text.slice(11, 19);
}

function timeAxis(view) {
  return {
    scale: "x", stroke: cssVariable("--soft"), font: FONT, size: 28, space: 74, gap: 4, incrs: TIME_STEPS,
    grid: { stroke: cssVariable("--grid"), width: 1 }, ticks: LEAVE,
    values: (context, splits, __, ___, step) => within(context, splits, splits.map((at) => clockText(at, step, view.zone))),
  };
}

// A label that would reach beyond the plot is left out: at the origin it runs into the other axis's, or is cut.
function within(context, splits, texts) {
  const { min, max } = context.scales.x;
  const width = context.bbox.width / devicePixelRatio;
  if (!(width > 0) || !(max > min)) return texts;
  context.ctx.save();
  context.ctx.font = FONT;
  const kept = texts.map((text, index) => {
    const half = context.ctx.measureText(text).width / 2;
    const place = ((splits[index] - min) / (max - min)) * width;
    return place - half < 0 || place + half > width + 20 ? "" : text;
  });
  context.ctx.restore();
  return kept;
}

function zoned(seconds, view) {
  const at = new Date(seconds * 1000);
  return view.zone ? uPlot.tzDate(at, view.zone) : at;
}

function timeScale(view) {
  return { time: true, range: () => view.zoom || [view.dashboard.from, view.dashboard.to] };
}

function trimmed(text) {
  return text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
}

// Axis labels: as short as the numbers allow, all in the unit of each.
function tickText(config) {
  const format = formatter(config.unit);
  return (_, splits) => splits.map((value) => (value == null ? "" : config.decimals == null ? trimmed(format(value, null)) : format(value, config.decimals)));
}

function axisSize(context, values, axis, cycle) {
  const known = context.axes[axis];
  if (cycle > 1) return known._size;
  const widest = (values || []).reduce((longest, text) => (String(text).length > longest.length ? String(text) : longest), "");
  context.ctx.save();
  context.ctx.font = FONT;
  const width = context.ctx.measureText(widest).width;
  context.ctx.restore();
  return Math.ceil(width) + 16 + (known.label ? 18 : 0);
}

const configured = (row, panel) => row.config || panel.config || {};
const customOf = (row, panel) => configured(row, panel).custom || {};

// The lines as they are drawn: stacked ones are sums, and each is filled down to the one below.
function laidOut(panel, rows, visible, place) {
  const drawn = rows.map((row) => {
    const custom = customOf(row, panel);
    const log = (custom.scaleDistribution || {}).type === "log";
    const turned = custom.transform === "negative-Y" ? -1 : 1;
    return row.values.map((value) => (value == null || (log && value <= 0) ? null : value * turned));
  });
  const bands = [];
  const sums = {};
  rows.forEach((row, index) => {
    const custom = customOf(row, panel);
    const { mode, group } = custom.stacking || {};
    if ((mode !== "normal" && mode !== "percent") || !visible[index]) return;
    const key = `${group || "A"}/${scaleKey(row, panel)}`;
    const stack = (sums[key] = sums[key] || { total: null, below: drawn[index].map(() => 0), last: null });
    if (mode === "percent" && !stack.total) {
      stack.total = stack.below.map((_, at) => rows.reduce((sum, other, place) => sum + (visible[place] && scaleKey(other, panel) === scaleKey(row, panel) ? Math.abs(drawn[place][at] || 0) : 0), 0));
    }
    drawn[index] = drawn[index].map((value, at) => {
      const share = mode === "percent" ? (stack.total[at] ? (value || 0) / stack.total[at] : 0) : value || 0;
      stack.below[at] += share;
      return stack.below[at];
    });
    if (stack.last != null && custom.drawStyle !== "bars") bands.push({ series: [place(index), place(stack.last)] });
    stack.last = index;
  });
  return { drawn, bands };
}

function scaleKey(row, panel) {
  const config = configured(row, panel);
  const custom = config.custom || {};
  const stacking = (custom.stacking || {}).mode === "percent" ? "percent" : "";
  const log = (custom.scaleDistribution || {}).type === "log" ? `log${custom.scaleDistribution.log || 10}` : "";
  return ["y", config.unit || "", stacking, log, custom.axisPlacement === "right" ? "right" : ""].join(":");
}

function scaleOf(rows, panel) {
  const config = configured(rows[0], panel);
  const custom = config.custom || {};
  const distribution = custom.scaleDistribution || {};
  const percent = (custom.stacking || {}).mode === "percent";
  const marked = ["line", "dashed", "line+area", "dashed+area"].includes((custom.thresholdsStyle || {}).mode);
  const steps = marked ? thresholdSteps(config, 0, 1).map((step) => step.value).filter(Number.isFinite) : [];
  if (distribution.type === "log") {
    return { distr: 3, log: distribution.log === 2 ? 2 : 10 };
  }
  return {
    range: (_, low, high) => {
      if (percent) return [0, 1];
      let [min, max] = low == null ? [0, 1] : [low, high];
      // A threshold that is near is shown, so that one sees how far it is.
      for (const step of steps) if (step > max && step <= max * 2.5) max = step;
      if (custom.axisSoftMin != null) min = Math.min(min, custom.axisSoftMin);
      if (custom.axisSoftMax != null) max = Math.max(max, custom.axisSoftMax);
      if (custom.axisCenteredZero) { max = Math.max(Math.abs(min), Math.abs(max)); min = -max; }
      const stands = min >= 0 && (min <= max * 0.5 || (custom.stacking || {}).mode === "normal" || custom.drawStyle === "bars");
      const spread = max - min || Math.abs(max) || 1;
      const bottom = config.min != null ? config.min : stands ? 0 : min - spread * 0.1;
      let top = config.max != null ? config.max : max + spread * 0.08;
      if (!(top > bottom)) top = bottom + (Math.abs(bottom) || 1);
      return [bottom, top];
    },
  };
}

function pathOf(custom) {
  if (custom.drawStyle === "bars") return uPlot.paths.bars({ size: [custom.barWidthFactor || 0.6, 100], align: custom.barAlignment || 0 });
  if (custom.drawStyle === "points") return () => null;
  if (custom.lineInterpolation === "smooth") return uPlot.paths.spline();
  if (custom.lineInterpolation === "stepBefore") return uPlot.paths.stepped({ align: -1 });
  if (custom.lineInterpolation === "stepAfter") return uPlot.paths.stepped({ align: 1 });
  return uPlot.paths.linear();
}

function lineOf(row, panel, index, color, visible) {
  const custom = customOf(row, panel);
  const bars = custom.drawStyle === "bars";
  const opacity = (custom.fillOpacity != null ? custom.fillOpacity : 0) / 100;
  const style = custom.lineStyle || {};
  const points = custom.drawStyle === "points" || custom.showPoints === "always" ? true : custom.showPoints === "never" ? false : undefined;
  return {
    label: row.name, scale: scaleKey(row, panel), show: visible[index] && !hidden(row, panel, "viz"), stroke: color,
    width: custom.lineWidth != null ? custom.lineWidth : 1.5,
    fill: stackedBars(custom) ? between([cssVariable("--paper"), color], Math.max(opacity, 0.5)) : opacity > 0 ? (context) => filling(context, color, bars ? Math.max(opacity, 0.5) : opacity, custom.gradientMode) : undefined,
    dash: style.fill === "dash" ? style.dash || [10, 10] : style.fill === "dot" ? [0, 6] : undefined,
    cap: style.fill === "dot" ? "round" : undefined,
    paths: pathOf(custom),
    spanGaps: custom.spanNulls === true,
    points: { size: custom.pointSize || 5, fill: color, ...(points == null ? {} : { show: points }) },
  };
}

function stackedBars(custom) {
  const mode = (custom.stacking || {}).mode;
  return custom.drawStyle === "bars" && (mode === "normal" || mode === "percent");
}

function filling(context, color, opacity, gradient) {
  if (gradient !== "opacity" && gradient !== "hue") return faded(color, opacity);
  const { top, height } = context.bbox;
  if (!(height > 0)) return faded(color, opacity);
  const fill = context.ctx.createLinearGradient(0, top, 0, top + height);
  fill.addColorStop(0, faded(color, Math.min(1, opacity * 1.5)));
  fill.addColorStop(1, faded(color, 0));
  return fill;
}

function drawThresholds(context, panel, row, key) {
  const config = configured(row, panel);
  const mode = ((config.custom || {}).thresholdsStyle || {}).mode || "off";
  const scale = context.scales[key];
  if (mode === "off" || !scale || scale.min == null) return;
  const steps = thresholdSteps(config, config.min != null ? config.min : scale.min, config.max != null ? config.max : scale.max);
  const { left, top, width, height } = context.bbox;
  const place = (value) => Math.min(Math.max(context.valToPos(value, key, true), top), top + height);
  const { ctx } = context;
  ctx.save();
  steps.forEach((step, index) => {
    const color = colorOf(step.color);
    if (mode.includes("area") && color !== "transparent") {
      const from = index === 0 ? top + height : place(step.value);
      const to = index + 1 < steps.length ? place(steps[index + 1].value) : top;
      ctx.fillStyle = faded(color, 0.1);
      ctx.fillRect(left, to, width, from - to);
    }
    if (mode !== "area" && index > 0 && step.value <= scale.max && step.value >= scale.min && color !== "transparent") {
      ctx.strokeStyle = color;
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(mode.startsWith("dashed") ? [8 * devicePixelRatio, 6 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(left, place(step.value));
      ctx.lineTo(left + width, place(step.value));
      ctx.stroke();
    }
  });
  ctx.restore();
}

function drawMarks(context, view) {
  const { ctx } = context;
  const { left, top, width, height } = context.bbox;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height + 6 * ratio);
  ctx.clip();
  for (const mark of view.dashboard.marks) {
    const from = context.valToPos(mark.start, "x", true);
    const to = context.valToPos(mark.end, "x", true);
    const color = colorOf(mark.color, cssVariable("--accent"));
    if (to - from > 2) {
      ctx.fillStyle = faded(color, 0.12);
      ctx.fillRect(from, top, to - from, height);
    }
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(from, top);
    ctx.lineTo(from, top + height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(from - 4 * ratio, top + height + 6 * ratio);
    ctx.lineTo(from + 4 * ratio, top + height + 6 * ratio);
    ctx.lineTo(from, top + height);
    ctx.fill();
  }
  ctx.restore();
}

// Exemplars are elements, so that each is a link; one above the scale stands at its edge.
function placeExemplars(context, panel, key, layer, view) {
  layer.replaceChildren();
  const scale = context.scales[key];
  const [from, to] = [context.scales.x.min, context.scales.x.max];
  if (!scale || scale.min == null) return;
  const format = formatter((panel.config || {}).unit);
  for (const point of panel.exemplars || []) {
    if (point.time < from || point.time > to) continue;
    const x = context.valToPos(point.time, "x");
    const y = context.valToPos(Math.min(Math.max(point.value, scale.min), scale.max), key);
    const text = `${format(point.value, null)} at ${stamp(point.time, view.zone)}${point.trace ? `, trace ${point.trace}` : ""}`;
    const dot = outward(point.link);
    dot.className = "exemplar";
    dot.title = text;
    dot.tabIndex = -1;
    dot.setAttribute("aria-label", `Exemplar: ${text}`);
    dot.style.left = `${x}px`;
    dot.style.top = `${y}px`;
    layer.append(dot);
  }
}

function tooltip(panel, rows, colors, visible, view, place) {
  const box = el("div", { class: "tip", hidden: true });
  const mode = ((panel.options || {}).tooltip || {}).mode || "single";
  const order = ((panel.options || {}).tooltip || {}).sort || "none";
  const show = (context) => {
    const { idx, left, top } = context.cursor;
    if (mode === "none" || idx == null || left == null || left < 0) { box.hidden = true; return; }
    let lines = rows.map((row, index) => ({ row, index, value: row.values[idx] })).filter(({ row, index, value }) => visible[index] && value != null && !hidden(row, panel, "tooltip") && !hidden(row, panel, "viz"));
    if (mode === "single" && lines.length > 1) {
      const distance = ({ index }) => Math.abs(context.valToPos(context.data[place(index)][idx], context.series[place(index)].scale) - top);
      lines = [lines.reduce((best, line) => (distance(line) < distance(best) ? line : best))];
    }
    if (order !== "none") lines.sort((one, other) => (order === "desc" ? other.value - one.value : one.value - other.value));
    const most = lines.slice(0, 12);
    const [from, to] = [context.posToVal(left - 5, "x"), context.posToVal(left + 5, "x")];
    const near = view.dashboard.marks.filter((mark) => mark.start <= to && mark.end >= from).slice(0, 3);
    box.replaceChildren(
      el("div", { class: "time", text: stamp(context.data[0][idx], view.zone) }),
      ...most.map(({ row, index, value }) => el("div", { class: "line" }, el("i", { class: "swatch", style: { background: colors[index] } }), el("span", { text: row.name }), el("b", { text: display(value, configured(row, panel)) }))),
      ...(lines.length > most.length ? [el("div", { class: "soft", text: `and ${lines.length - most.length} more` })] : []),
      ...near.map((mark) => el("div", { class: "soft", text: `▲ ${mark.text}` })),
    );
    box.hidden = lines.length === 0 && near.length === 0;
    const width = context.over.clientWidth;
    const own = box.offsetWidth;
    const before = left + 16 + own > width && left - 16 - own > -60;
    box.style.left = `${Math.max(-50, before ? left - 16 - own : Math.min(left + 16, width - own + 8))}px`;
    box.style.top = `${Math.max(-28, Math.min(top, context.over.clientHeight) - box.offsetHeight / 2)}px`;
  };
  return { box, show };
}

function drawGraph(panel, host, view) {
  const rows = panel.series;
  const colors = rows.map((row, index) => seriesColor(row, index, panel));
  const visible = rows.map(() => true);
  const groups = new Map();
  rows.forEach((row) => groups.set(scaleKey(row, panel), [...(groups.get(scaleKey(row, panel)) || []), row]));
  const keys = [...groups.keys()];
  const holder = el("div", { class: "canvas" });
  const layer = el("div", { class: "exemplars" });
  // Of stacked bars the highest is drawn first, so that those below it stand before it.
  const turned = rows.some((row) => stackedBars(customOf(row, panel)));
  const place = (index) => (turned ? rows.length - index : index + 1);
  const ordered = (list) => (turned ? [...list].reverse() : list);
  const tip = tooltip(panel, rows, colors, visible, view, place);
  let chart = null;
  const build = () => {
    const { drawn, bands } = laidOut(panel, rows, visible, place);
    const axes = [timeAxis(view)];
    keys.forEach((key, at) => {
      const row = groups.get(key)[0];
      const config = configured(row, panel);
      const custom = config.custom || {};
      if (custom.axisPlacement === "hidden") return;
      const percent = (custom.stacking || {}).mode === "percent";
      axes.push({
        scale: key, side: custom.axisPlacement === "right" || (at > 0 && custom.axisPlacement !== "left") ? 1 : 3,
        stroke: cssVariable("--soft"), font: FONT, labelFont: FONT, gap: 4, space: 36, size: axisSize, ticks: LEAVE,
        label: custom.axisLabel || undefined, labelSize: 18,
        grid: { show: at === 0 && custom.axisGridShow !== false, stroke: cssVariable("--grid"), width: 1 },
        values: tickText(percent ? { unit: "percentunit" } : config),
        ...(BINARY_UNITS.has(config.unit) ? { incrs: BINARY_STEPS } : {}),
        ...(config.decimals === 0 && !percent ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 5e4, 1e5, 1e6, 1e7, 1e8, 1e9] } : {}),
      });
    });
    chart = new uPlot(
      {
        width: Math.max(60, holder.clientWidth), height: Math.max(60, holder.clientHeight),
        padding: [8, keys.length > 1 ? 0 : 20, 0, 0],
        tzDate: (seconds) => zoned(seconds, view),
        legend: LEAVE,
        cursor: {
          sync: view.dashboard.sync ? { key: view.syncKey, setSeries: false, scales: ["x", null] } : undefined,
          points: { size: 7, width: 2 }, drag: { x: true, y: false, setScale: false },
        },
        scales: { x: timeScale(view), ...Object.fromEntries(keys.map((key) => [key, scaleOf(groups.get(key), panel)])) },
        series: [{}, ...ordered(rows.map((row, index) => lineOf(row, panel, index, colors[index], visible)))],
        bands, axes,
        hooks: {
          drawAxes: [(context) => keys.forEach((key) => drawThresholds(context, panel, groups.get(key)[0], key))],
          draw: [(context) => { drawMarks(context, view); placeExemplars(context, panel, keys[0], layer, view); }],
          setCursor: [(context) => { if (view.hovered === panel.id) tip.show(context); else tip.box.hidden = true; }],
          setSelect: [(context) => view.select(context)],
        },
      },
      [panel.times, ...ordered(drawn)],
      holder,
    );
    chart.over.append(layer, tip.box);
    steer(chart, panel, view, tip.box);
  };
  const rebuild = () => { if (chart) chart.destroy(); build(); };
  const names = legend(panel, rows, colors, visible, rebuild);
  if (names && names.classList.contains("side")) host.classList.add("beside");
  host.append(holder, ...(names ? [names] : []));
  build();
  return follow(holder, view, () => chart, () => chart && chart.destroy());
}

// The graph follows its place's size, and can be redrawn and taken away.
function follow(holder, view, current, destroy) {
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const chart = current();
      const [width, height] = [holder.clientWidth, holder.clientHeight];
      if (chart && width > 0 && height > 0 && (Math.abs(width - chart.width) > 1 || Math.abs(height - chart.height) > 1)) chart.setSize({ width, height });
    });
  });
  observer.observe(holder);
  return {
    zoom: () => {
      const [min, max] = timeScale(view).range();
      if (current()) current().setScale("x", { min, max });
    },
    destroy: () => { observer.disconnect(); cancelAnimationFrame(frame); destroy(); },
  };
}

// Mouse, touch and keys: arrows move the crosshair, Escape undoes the zoom.
function steer(chart, panel, view, box) {
  const over = chart.over;
  over.tabIndex = 0;
  over.setAttribute("role", "img");
  over.setAttribute("aria-label", `${spokenSeries(panel)}. Arrow keys read the values.`);
  const here = () => { view.hovered = panel.id; };
  over.addEventListener("mouseenter", here);
  over.addEventListener("mousemove", here, true);
  over.addEventListener("focus", here);
  over.addEventListener("mouseleave", () => { box.hidden = true; });
  over.addEventListener("blur", () => { box.hidden = true; });
  over.addEventListener("dblclick", () => view.setZoom(null));
  over.addEventListener("keydown", (event) => {
    if (event.key === "Escape") view.setZoom(null);
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const times = chart.data[0];
    const old = chart.cursor.idx != null ? chart.cursor.idx : direction > 0 ? -1 : times.length;
    const index = Math.min(Math.max(old + direction * (event.shiftKey ? 10 : 1), 0), times.length - 1);
    here();
    chart.setCursor({ left: chart.valToPos(times[index], "x"), top: over.clientHeight / 3 });
    view.say(box.hidden ? "" : box.innerText.replace(/\n/g, " "));
  });
}
