// Tables: sorted by a press on a column's name.

function cellOf(value, column, panel, view, range) {
  const { config } = column;
  if (column.kind === "time") return el("td", { text: stamp(value, view.zone) });
  const link = panel.links && typeof value === "string" && Object.hasOwn(panel.links, value) ? panel.links[value] : null;
  if (link) return el("td", {}, outward(link, el("code", { text: value.slice(0, 16) })));
  const text = value == null && column.kind === "string" ? "" : display(value, config);
  const kind = ((config.custom || {}).cellOptions || {}).type || "auto";
  const number = column.kind === "number";
  const cell = el("td", { class: number ? "number" : null });
  if (number && (kind === "color-text" || kind === "color-background")) {
    const color = valueColor(value, config, 0, ...range);
    cell.style.setProperty(kind === "color-text" ? "color" : "background", color);
    if (kind === "color-background") cell.style.color = inkOn(color);
  }
  if (number && kind === "gauge" && value != null) {
    const share = Math.min(Math.max((value - range[0]) / (range[1] - range[0]), 0), 1);
    cell.append(el("span", { class: "cellbar" }, el("i", { style: { width: `${share * 100}%`, background: valueColor(value, config, 0, ...range) } })));
  }
  cell.append(text);
  return cell;
}

function drawTable(panel, host, view) {
  const shown = panel.columns.map((column, at) => ({ column, at })).filter(({ column }) => !(column.config.custom || {}).hidden);
  const ranges = panel.columns.map((column, at) => bounds(column.config, panel.rows.map((row) => row[at]).filter((value) => typeof value === "number")));
  const body = el("tbody");
  let order = { at: -1, down: false };
  const heads = [];
  const fill = () => {
    const rows = [...panel.rows];
    if (order.at >= 0) {
      const compare = (one, other) => (one == null || other == null ? (one == null ? 1 : 0) - (other == null ? 1 : 0) : typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)));
      rows.sort((one, other) => compare(one[order.at], other[order.at]) * (order.down ? -1 : 1));
    }
    body.replaceChildren(...rows.map((row) => el("tr", {}, shown.map(({ column, at }) => cellOf(row[at], column, panel, view, ranges[at])))));
    heads.forEach(({ head, at }) => head.setAttribute("aria-sort", order.at !== at ? "none" : order.down ? "descending" : "ascending"));
  };
  const titles = shown.map(({ column, at }) => {
    const head = el("th", { scope: "col", class: column.kind === "number" ? "number" : null }, el("button", { type: "button", text: column.name, onclick: () => { order = { at, down: order.at === at ? !order.down : column.kind === "number" }; fill(); } }));
    heads.push({ head, at });
    return head;
  });
  fill();
  const scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${panel.title}` },
    el("table", { class: "data" }, (panel.options || {}).showHeader === false ? null : el("thead", {}, el("tr", {}, titles)), body));
  host.append(scroll);
  // Columns beyond the edge are hinted at, since a phone shows no scroll bar.
  const look = () => host.classList.toggle("goes-on", scroll.scrollLeft + scroll.clientWidth < scroll.scrollWidth - 1);
  scroll.addEventListener("scroll", look, { passive: true });
  const observer = new ResizeObserver(look);
  observer.observe(scroll);
  observer.observe(scroll.firstElementChild);
  look();
  return { zoom: () => {}, destroy: () => observer.disconnect() };
}
