// Elements from text, never from HTML; styles by CSSOM, which the page's policy allows.

function el(tag, settings, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(settings || {})) {
    if (value == null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "text") node.textContent = value;
    else if (key === "style") for (const [name, part] of Object.entries(value)) node.style.setProperty(name, part);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child != null && child !== false) node.append(child);
  return node;
}

function svg(tag, settings, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(settings || {})) {
    if (key === "text") node.textContent = value;
    else if (value != null) node.setAttribute(key, value);
  }
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}

// A link that leaves the page; only to a web page.
function outward(address, ...children) {
  const good = /^https?:\/\//i.test(address || "");
  return good ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children) : el("span", {}, ...children);
}

const ALLOWED = new Set(["p", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "code", "pre", "table", "tr", "th", "td", "hr"]);

// The tree of a text panel.
function prose(nodes) {
  return (nodes || []).map((node) => {
    if (typeof node === "string") return document.createTextNode(node);
    const [tag, children, address] = node;
    if (tag === "a") return outward(address, prose(children));
    return el(ALLOWED.has(tag) ? tag : "span", {}, prose(children));
  });
}

// What a screen reader says of series.
function spokenSeries(panel) {
  const rows = (panel.series || []).slice(0, 5).map((row) => `${row.name} ${display(row.calcs.lastNotNull, row.config || panel.config)}`);
  const more = (panel.series || []).length - rows.length;
  return `${panel.title}: ${rows.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
