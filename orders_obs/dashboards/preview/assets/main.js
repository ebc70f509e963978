// The page: one dashboard at a time, rows that open and shut, a theme, a zoom for all graphs.

const data = JSON.parse(document.getElementById("data").textContent);
const app = document.getElementById("app");
const live = el("div", { class: "unseen", "aria-live": "polite" });
let current = 0;
let views = [];

const dark = matchMedia("(prefers-color-scheme: dark)");
let chosen = "auto";
function applyTheme(name) {
  if (name) chosen = name;
  document.documentElement.dataset.shown = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
}

function makeView(dashboard) {
  const view = {
    dashboard, zone: zoneOf(dashboard.timezone), zoom: null, hovered: "", syncKey: `sync-${current}`, charts: [],
    say: (text) => { live.textContent = text; },
    setZoom: (zoom) => {
      view.zoom = zoom;
      reset.hidden = !zoom;
      view.charts.forEach((chart) => chart.zoom());
    },
    select: (context) => {
      const { left, width } = context.select;
      if (width < 8) return;
      const zoom = [context.posToVal(left, "x"), context.posToVal(left + width, "x")];
      context.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      view.setZoom(zoom);
    },
  };
  return view;
}

const reset = el("button", { type: "button", class: "button", hidden: true, text: "Reset zoom", onclick: () => views.forEach((view) => view.setZoom(null)) });

function head(dashboard) {
  const zone = zoneOf(dashboard.timezone) || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const panels = dashboard.sections.flatMap((section) => section.panels);
  const count = (state) => panels.filter((panel) => panel.state === state).length;
  const facts = [
    ["Time", `${stamp(dashboard.from, zone)} to ${stamp(dashboard.to, zone)} (${zone})`],
    ...dashboard.variables,
    ["Prometheus", data.prometheus], ...(data.jaeger ? [["Jaeger", data.jaeger]] : []), ["Drawn", stamp(data.generated, zone)],
  ];
  const tally = [[count("error"), "failed", "bad"], [count("empty"), "without data", ""], [count("placeholder"), "not drawn here", ""]].filter(([number]) => number > 0);
  return el("header", { class: "top" },
    el("div", { class: "title" }, el("h1", { text: dashboard.title }), dashboard.description && el("p", { class: "soft", text: dashboard.description })),
    el("div", { class: "tools" }, reset, themeButtons()),
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value })))),
    (dashboard.absent || []).map((text) => el("p", { class: "absent", role: "alert", text })),
    (tally.length > 0 || dashboard.problems.length > 0 || dashboard.notes.length > 0) && el("div", { class: "tally" },
      tally.map(([number, words, kind]) => el("span", { class: kind, text: `${number} ${words}` })),
      (count("error") > 0 || dashboard.problems.length > 0) && el("ul", {},
        panels.filter((panel) => panel.state === "error").map((panel) => el("li", {}, el("a", { href: `#${panel.id}`, text: panel.title || "Untitled", onclick: () => openAround(panel.id) }), `: ${panel.reason}`)),
        dashboard.problems.map((problem) => el("li", { class: "bad", text: problem }))),
      dashboard.notes.map((note) => el("span", { text: note }))));
}

function themeButtons() {
  const buttons = ["auto", "light", "dark"].map((name) => el("button", { type: "button", class: "button", "aria-pressed": String(chosen === name), text: name[0].toUpperCase() + name.slice(1), onclick: () => { applyTheme(name); render(); } }));
  return el("div", { class: "group", role: "group", "aria-label": "Theme" }, buttons);
}

const shut = new Map();
function openAround(id) {
  const row = document.getElementById(id)?.closest(".section");
  const button = row && row.querySelector(".rowhead button[aria-expanded=false]");
  if (button) button.click();
}

function sectionOf(section, key, view) {
  const grid = el("div", { class: "grid" });
  const waiting = section.panels.map((panel) => {
    const { node, body } = frame(panel, view);
    grid.append(node);
    return { panel, body };
  });
  // A graph needs its place's size, so it is drawn when its row is open.
  let done = false;
  const open = () => {
    if (done) return;
    done = true;
    for (const { panel, body } of waiting) {
      try {
        const chart = drawPanel(panel, body, view);
        if (chart) view.charts.push(chart);
      } catch (error) {
        console.error(error);
        body.replaceChildren(message({ ...panel, state: "placeholder", reason: `the page cannot draw it: ${error.message}` }));
      }
    }
  };
  if (!section.title) return { node: el("div", { class: "section" }, grid), open, shut: false };
  const closed = shut.has(key) ? shut.get(key) : section.collapsed;
  grid.hidden = closed;
  const button = el("button", { type: "button", "aria-expanded": String(!closed), onclick: () => {
    grid.hidden = !grid.hidden;
    shut.set(key, grid.hidden);
    button.setAttribute("aria-expanded", String(!grid.hidden));
    if (!grid.hidden) open();
  } }, el("span", { class: "arrow", "aria-hidden": "true" }), section.title, el("span", { class: "soft", text: `${section.panels.length} panel${section.panels.length === 1 ? "" : "s"}` }));
  return { node: el("div", { class: "section" }, el("h2", { class: "rowhead" }, button), grid), open, shut: closed };
}

function render() {
  views.forEach((view) => view.charts.forEach((chart) => chart.destroy()));
  const dashboard = data.dashboards[current];
  const view = makeView(dashboard);
  views = [view];
  reset.hidden = true;
  const parts = dashboard.sections.map((section, at) => sectionOf(section, `${current}/${at}`, view));
  const tabs = data.dashboards.length > 1 && el("nav", { class: "tabs", "aria-label": "Dashboards" }, data.dashboards.map((other, at) => el("button", { type: "button", class: "button", "aria-current": at === current ? "page" : null, text: other.title, onclick: () => { current = at; render(); } })));
  app.replaceChildren(...[tabs, head(dashboard), el("main", {}, parts.map((part) => part.node)), live].filter(Boolean));
  parts.filter((part) => !part.shut).forEach((part) => part.open());
  document.title = dashboard.title;
}

dark.addEventListener("change", () => { applyTheme(); render(); });
// Paper is white, and shows every row.
let before = null;
addEventListener("beforeprint", () => {
  before = { chosen, shut: new Map(shut) };
  data.dashboards[current].sections.forEach((_, at) => shut.set(`${current}/${at}`, false));
  applyTheme("light");
  render();
});
addEventListener("afterprint", () => {
  if (!before) return;
  shut.clear();
  before.shut.forEach((value, key) => shut.set(key, value));
  applyTheme(before.chosen);
  before = null;
  render();
});
applyTheme();
render();
document.documentElement.dataset.ready = "true";
