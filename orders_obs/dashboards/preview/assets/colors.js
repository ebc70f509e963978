// Grafana's colour names in two themes. In the light one each is dark enough to be seen on white (3 : 1 at the least).

const NAMED = {
  dark: {
    green: ["#37872D", "#56A64B", "#73BF69", "#96D98D", "#C8F2C2"],
    yellow: ["#E0B400", "#F2CC0C", "#FADE2A", "#FFEE52", "#FFF899"],
    red: ["#E02F44", "#E8404F", "#F2495C", "#FF7383", "#FFA6B0"],
    blue: ["#2A69CF", "#4A80DE", "#5794F2", "#8AB8FF", "#C0D8FF"],
    orange: ["#FA6400", "#FF780A", "#FF9830", "#FFB357", "#FFCB7D"],
    purple: ["#A352CC", "#AE65D2", "#B877D9", "#CA95E5", "#DEB6F2"],
  },
  light: {
    green: ["#116329", "#19692F", "#1A7F37", "#2C9147", "#37994F"],
    yellow: ["#6B4900", "#7D5600", "#8F6300", "#A87400", "#B07C00"],
    red: ["#A40E26", "#B81C2B", "#CF222E", "#E5484D", "#EB5A5F"],
    blue: ["#0A4DA8", "#0B5BC4", "#1168D9", "#3C82E3", "#4C8DE6"],
    orange: ["#953800", "#A94000", "#BC4C00", "#D6600F", "#DB6A1C"],
    purple: ["#5F32B0", "#6E40C9", "#8250DF", "#9A6EE8", "#A178EA"],
  },
};
const SHADES = ["dark-", "semi-dark-", "", "light-", "super-light-"];
const PALETTES = {
  dark: ["#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#2FC6B8", "#FFB357", "#FF8FB8", "#96D98D", "#CA95E5", "#9FA7B3", "#D4A017"],
  light: ["#1A7F37", "#946800", "#1168D9", "#BC4C00", "#CF222E", "#0A4DA8", "#8250DF", "#0B7A75", "#953800", "#BF3989", "#3D7A12", "#5F32B0", "#57606A", "#7D5600"],
};
const GRADIENTS = {
  "continuous-GrYlRd": ["green", "yellow", "red"], "continuous-RdYlGr": ["red", "yellow", "green"],
  "continuous-BlYlRd": ["blue", "yellow", "red"], "continuous-YlRd": ["yellow", "red"],
  "continuous-BlPu": ["blue", "purple"], "continuous-YlBl": ["yellow", "blue"],
  "continuous-blues": ["super-light-blue", "dark-blue"], "continuous-reds": ["super-light-red", "dark-red"],
  "continuous-greens": ["super-light-green", "dark-green"], "continuous-purples": ["super-light-purple", "dark-purple"],
};
// From few to many, against the panel of each theme.
const RAMPS = {
  dark: ["#1F3A63", "#1D5FA8", "#2E8BC0", "#35B7A0", "#9AD94C", "#FDE74C"],
  light: ["#D6E6F8", "#9CC4EE", "#4F9BDF", "#1F74C4", "#12509A", "#0A2F66"],
};

function themeName() {
  return document.documentElement.dataset.shown === "dark" ? "dark" : "light";
}

function cssVariable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The CSS colour of a name of Grafana's or of a colour that the dashboard spells; `fallback` where it is none.
function colorOf(name, fallback) {
  const text = String(name || "").trim();
  if (text === "text") return cssVariable("--ink");
  if (text === "transparent") return "transparent";
  for (const [index, shade] of SHADES.entries()) {
    const hue = text.slice(shade.length);
    if (text.startsWith(shade) && Object.hasOwn(NAMED[themeName()], hue)) return NAMED[themeName()][hue][index];
  }
  return text && CSS.supports("color", text) ? text : fallback || cssVariable("--soft");
}

function channels(color) {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(color);
  if (hex) {
    const short = hex[1].length < 6;
    return [0, 1, 2].map((at) => parseInt(short ? hex[1][at] + hex[1][at] : hex[1].slice(at * 2, at * 2 + 2), 16));
  }
  const numbers = /rgba?\(([^)]+)\)/.exec(color);
  return numbers ? numbers[1].split(/[\s,/]+/).slice(0, 3).map(Number) : [128, 128, 128];
}

function faded(color, share) {
  return `rgba(${channels(color).join(", ")}, ${share})`;
}

function between(colors, share) {
  const place = Math.min(Math.max(share, 0), 1) * (colors.length - 1);
  const low = Math.min(Math.floor(place), colors.length - 2);
  const [one, other] = [channels(colors[low]), channels(colors[low + 1])];
  return `rgb(${one.map((part, at) => Math.round(part + (other[at] - part) * (place - low))).join(", ")})`;
}

// One of five shades of a colour: the further, the nearer to the ink, so that each can be seen in both themes.
function shade(color, index) {
  return between([color, themeName() === "dark" ? "#ffffff" : "#000000"], [0, 0.22, 0.42, 0.6, 0.76][index % 5]);
}

function luminance(color) {
  const [r, g, b] = channels(color).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Black or white, whichever is read better on a colour.
function inkOn(color) {
  return luminance(color) > 0.179 ? "#000000" : "#ffffff";
}

// The steps of a field's thresholds as absolute values, lowest first; percentages are of min to max.
function thresholdSteps(config, min, max) {
  const thresholds = (config && config.thresholds) || {};
  const percent = thresholds.mode === "percentage";
  const steps = Array.isArray(thresholds.steps) ? thresholds.steps : [];
  return steps
    .map((step, index) => ({
      color: step.color,
      value: index === 0 || step.value == null ? -Infinity : percent ? min + ((max - min) * step.value) / 100 : Number(step.value),
    }))
    .sort((one, other) => one.value - other.value);
}

function thresholdColor(value, config, min, max) {
  let found = "text";
  for (const step of thresholdSteps(config, min, max)) if (value >= step.value) found = step.color;
  return colorOf(found);
}

// The bounds of a field: what it says, else those of its values.
function bounds(config, values) {
  const known = values.filter((value) => value != null);
  const min = config.min != null ? config.min : Math.min(0, ...known);
  const max = config.max != null ? config.max : Math.max(...known, min + Number.EPSILON);
  return [min, max > min ? max : min + 1];
}

// The colour of one value of a field.
function valueColor(value, config, index, min, max) {
  const mapped = mapping(value, config);
  if (mapped && mapped.color) return colorOf(mapped.color);
  const color = (config && config.color) || {};
  const mode = color.mode || "thresholds";
  if (mode === "fixed") return colorOf(color.fixedColor);
  if (mode === "shades") return shade(colorOf(color.fixedColor), index);
  if (Object.hasOwn(GRADIENTS, mode) && typeof value === "number") {
    return between(GRADIENTS[mode].map((name) => colorOf(name)), (value - min) / (max - min));
  }
  if (mode === "thresholds" && typeof value === "number") return thresholdColor(value, config, min, max);
  if (mode === "thresholds") return colorOf("text");
  return seriesColor({ config }, index);
}

// The colour of a line.
function seriesColor(row, index, panel) {
  const config = row.config || (panel && panel.config) || {};
  const color = config.color || {};
  const mode = color.mode || "palette-classic";
  if (mode === "fixed") return colorOf(color.fixedColor);
  if (mode === "shades") return shade(colorOf(color.fixedColor), index);
  if (mode === "thresholds" || mode.startsWith("continuous")) {
    const value = row.calcs ? row.calcs[{ min: "min", max: "max" }[color.seriesBy] || "lastNotNull"] : null;
    if (value != null) return valueColor(value, config, index, ...bounds(config, row.values || []));
  }
  const palette = PALETTES[themeName()];
  if (mode === "palette-classic-by-name" && row.name) {
    let sum = 0;
    for (const letter of row.name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
    return palette[sum % palette.length];
  }
  return palette[index % palette.length];
}
