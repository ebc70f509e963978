// Heat maps of histogram buckets: a column for each step, a row for each bucket, a colour for how many.

function drawHeat(panel, host, view) {
  const { buckets, times, step } = panel;
  const ramp = RAMPS[themeName()];
  const known = buckets.flatMap((bucket) => bucket.values).filter((value) => value > 0);
  const most = Math.max(...known, Number.MIN_VALUE);
  const tone = (value) => between(ramp, Math.sqrt(value / most));
  const unit = ((panel.options || {}).yAxis || {}).unit || (panel.config || {}).unit || "s";
  const cells = formatter(((panel.options || {}).cellValues || {}).unit || "short");
  const names = buckets.map((bucket) => (bucket.bound == null ? bucket.label : trimmed(formatter(unit)(bucket.bound, null))));
  const holder = el("div", { class: "canvas" });
  const box = el("div", { class: "tip", hidden: true });
  const paint = (context) => {
    const { ctx } = context;
    const { left, top, width, height } = context.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    buckets.forEach((bucket, row) => {
      const upper = context.valToPos(row + 1, "y", true);
      const lower = context.valToPos(row, "y", true);
      bucket.values.forEach((value, at) => {
        if (!(value > 0)) return;
        const from = context.valToPos(times[at] - step, "x", true);
        const to = context.valToPos(times[at], "x", true);
        if (to < left || from > left + width) return;
        ctx.fillStyle = tone(value);
        ctx.fillRect(Math.round(from), Math.round(upper), Math.max(1, Math.round(to) - Math.round(from)), Math.max(1, Math.round(lower) - Math.round(upper) - 1));
      });
    });
    ctx.restore();
    drawMarks(context, view);
  };
  const show = (context) => {
    const { left, top } = context.cursor;
    if (view.hovered !== panel.id || left == null || left < 0) { box.hidden = true; return; }
    const at = times.findIndex((time) => time >= context.posToVal(left, "x"));
    const row = Math.min(Math.max(Math.floor(context.posToVal(top, "y")), 0), buckets.length - 1);
    if (at < 0) { box.hidden = true; return; }
    const below = row > 0 ? names[row - 1] : "0";
    const value = buckets[row].values[at];
    box.replaceChildren(
      el("div", { class: "time", text: stamp(times[at], view.zone) }),
      el("div", { class: "line" }, el("span", { text: `${below} to ${names[row]}` }), el("b", { text: value == null ? "–" : cells(value, null) })),
    );
    box.hidden = false;
    const before = left + 16 + box.offsetWidth > context.over.clientWidth;
    box.style.left = `${Math.max(-50, before ? left - 16 - box.offsetWidth : left + 16)}px`;
    box.style.top = `${Math.max(-28, top - box.offsetHeight / 2)}px`;
  };
  const scale = el("div", { class: "ramp", role: "img", "aria-label": `Colours from 0 to ${cells(most, null)}` },
    el("span", { text: "0" }), ...ramp.map((_, at) => el("i", { style: { background: between(ramp, at / (ramp.length - 1)) } })), el("span", { text: known.length ? cells(most, null) : "–" }));
  host.append(holder, scale);
  const every = Math.ceil(buckets.length / 12);
  const chart = new uPlot(
    {
      width: Math.max(60, holder.clientWidth), height: Math.max(60, holder.clientHeight), padding: [12, 20, 0, 0], legend: LEAVE,
      tzDate: (seconds) => zoned(seconds, view),
      cursor: { sync: view.dashboard.sync ? { key: view.syncKey, setSeries: false, scales: ["x", null] } : undefined, points: LEAVE, drag: { x: true, y: false, setScale: false } },
      scales: { x: timeScale(view), y: { range: () => [0, Math.max(1, buckets.length)] } },
      series: [{}, { paths: () => null, points: LEAVE, scale: "y" }],
      axes: [timeAxis(view), {
        scale: "y", stroke: cssVariable("--soft"), font: FONT, gap: 4, size: axisSize, ticks: LEAVE, grid: LEAVE,
        splits: () => buckets.map((_, at) => at + 1).filter((at) => at % every === 0),
        values: (_, splits) => splits.map((at) => names[at - 1] || ""),
      }],
      hooks: { draw: [paint], setCursor: [show], setSelect: [(context) => view.select(context)] },
    },
    [times, times.map(() => null)],
    holder,
  );
  chart.over.append(box);
  steer(chart, { ...panel, series: [] }, view, box);
  chart.over.setAttribute("aria-label", `${panel.title}: heat map of ${buckets.length} buckets`);
  return follow(holder, view, () => chart, () => chart.destroy());
}
