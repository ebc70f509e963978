// Values with units, as Grafana writes them. Its rules are measured by the tests against a table of its own outputs.

const SI = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const COUNT = ["", "K", "M", "B", "T"];
const SHORT = ["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint", " Sext", " Sept"];

// Digits after the point where nobody says how many: three that count, and none for a whole number.
function ownDecimals(value) {
  if (value % 1 === 0) return 0;
  return Math.max(0, 2 - Math.floor(Math.log(Math.abs(value)) / Math.LN10));
}

function fixed(value, decimals) {
  if (!Number.isFinite(value)) return value.toLocaleString("en-US");
  const digits = decimals == null ? ownDecimals(value) : decimals;
  if (value === 0) return value.toFixed(Math.min(100, digits));
  const factor = digits ? 10 ** digits : 1;
  const text = String(Math.round(value * factor) / factor);
  if (text.includes("e")) return text;
  const point = text.indexOf(".");
  const missing = digits - (point < 0 ? 0 : text.length - point - 1);
  return missing > 0 ? (point < 0 ? text + "." : text) + "0".repeat(missing) : text;
}

// Scales by powers of a factor; `names[offset]` is the unit itself.
function scaled(factor, names, offset) {
  return (value, decimals) => {
    if (!Number.isFinite(value)) return value.toLocaleString("en-US");
    const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) / Math.log10(factor));
    const kept = Math.min(Math.max(power, -offset), names.length - 1 - offset);
    return fixed(value / factor ** kept, decimals) + names[offset + kept];
  };
}

function counted(name) {
  const scale = scaled(1000, COUNT, 0);
  return (value, decimals) => `${scale(value, decimals)} ${name}`;
}

function binary(unit, offset) {
  return scaled(1024, BINARY.map((prefix) => ` ${prefix}${unit}`), offset || 0);
}

function metric(unit) {
  return scaled(1000, SI.map((prefix) => ` ${prefix}${unit}`), SI.indexOf(""));
}

function suffixed(unit) {
  return (value, decimals) => `${fixed(value, decimals)} ${unit}`;
}

function money(sign) {
  const scale = scaled(1000, COUNT, 0);
  return (value, decimals) => `${value < 0 ? "-" : ""}${sign}${scale(Math.abs(value), decimals)}`;
}

// Units of time: each bound in the unit itself, what it is divided by, and the word; a long word has a plural.
const TIMES = {
  ns: [[1e3, 1, "ns"], [1e6, 1e3, "µs"], [1e9, 1e6, "ms"], [6e10, 1e9, "s"], [3.6e12, 6e10, "min"], [8.64e13, 3.6e12, "hour"], [Infinity, 8.64e13, "day"]],
  "µs": [[1e3, 1, "µs"], [1e6, 1e3, "ms"], [Infinity, 1e6, "s"]],
  ms: [[1e3, 1, "ms"], [6e4, 1e3, "s"], [3.6e6, 6e4, "min"], [8.64e7, 3.6e6, "hour"], [3.1536e10, 8.64e7, "day"], [Infinity, 3.1536e10, "year"]],
  s: [[1e-6, 1e-9, "ns"], [1e-3, 1e-6, "µs"], [1, 1e-3, "ms"], [60, 1, "s"], [3600, 60, "min"], [86400, 3600, "hour"], [604800, 86400, "day"], [31536000, 604800, "week"], [Infinity, 31556900, "year"]],
  m: [[60, 1, "min"], [1440, 60, "hour"], [10080, 1440, "day"], [604800, 10080, "week"], [Infinity, 525948, "year"]],
  h: [[24, 1, "hour"], [168, 24, "day"], [8760, 168, "week"], [Infinity, 8760, "year"]],
  d: [[7, 1, "day"], [365, 7, "week"], [Infinity, 365, "year"]],
};
const PLURAL = new Set(["min", "hour", "day", "week", "year"]);

function timed(unit) {
  const base = TIMES[unit].find((row) => row[1] === 1);
  return (value, decimals) => {
    if (value === 0 && unit === "s") return "0 s";
    const size = Math.abs(value);
    const [, divisor, word] = value === 0 ? base : TIMES[unit].find((row) => size < row[0]) || TIMES[unit].at(-1);
    // Below a second Grafana multiplies, which rounds otherwise than a division.
    const shown = divisor < 1 ? value * Math.round(1 / divisor) : value / divisor;
    const plural = PLURAL.has(word) && (divisor > 1 || unit === "d") && Math.abs(shown) > 1 ? "s" : "";
    return `${fixed(shown, decimals)} ${word}${plural}`;
  };
}

const LENGTHS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1], ["millisecond", 0.001]];

function spelled(perSecond, word) {
  const text = (value, decimals) => {
    if (value === 0) return `0 ${word}s`;
    if (value < 0) return `${text(-value, decimals)} ago`;
    let left = value * perSecond * 1000;
    let more = decimals || 0;
    const parts = [];
    for (const [name, seconds] of LENGTHS) {
      if (more < 0) break;
      const length = seconds * 1000;
      if (left / length >= 1 || parts.length) {
        const whole = Math.floor(left / length);
        parts.push(`${whole} ${name}${whole === 1 ? "" : "s"}`);
        left %= length;
        more -= 1;
      }
    }
    return parts.join(", ");
  };
  return text;
}

function clock(value) {
  if (value < 0) return `${clock(-value)} ago`;
  const parts = [value / 3600, (value % 3600) / 60, value % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

// A time as ISO 8601 has it, in a zone; in the browser's own where none is given. Of the locales Sweden's is that.
const CLOCKS = new Map();
function stamp(seconds, zone) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return "";
  if (!CLOCKS.has(zone)) CLOCKS.set(zone, new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone }));
  return CLOCKS.get(zone).format(at);
}

// The zone of a dashboard's setting; undefined for the browser's.
function zoneOf(setting) {
  if (!setting || setting === "browser") return undefined;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: setting === "utc" ? "UTC" : setting }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const plain = (value, decimals) => fixed(value, decimals);
const truth = (yes, no) => (value) => (value ? yes : no);
const UNITS = {
  none: plain,
  string: (value) => String(value),
  short: scaled(1000, SHORT, 0),
  percent: (value, decimals) => `${fixed(value, decimals)}%`,
  percentunit: (value, decimals) => `${fixed(100 * value, decimals)}%`,
  humidity: suffixed("%H"),
  celsius: suffixed("°C"),
  sci: (value, decimals) => (decimals == null ? value.toExponential() : value.toExponential(decimals)),
  locale: (value, decimals) => value.toLocaleString("en-US", decimals == null ? {} : { maximumFractionDigits: decimals }),
  bytes: binary("B"), kbytes: binary("B", 1), mbytes: binary("B", 2), gbytes: binary("B", 3),
  bits: binary("b"), binBps: binary("B/s"), binbps: binary("b/s"),
  decbytes: metric("B"), Bps: metric("B/s"), bps: metric("b/s"), hertz: metric("Hz"),
  reqps: counted("req/s"), rps: counted("rd/s"), wps: counted("wr/s"), ops: counted("ops/s"), iops: counted("io/s"),
  eps: counted("evt/s"), cps: counted("c/s"), reqpm: counted("req/m"), opm: counted("ops/m"), rpm: counted("rd/m"),
  wpm: counted("wr/m"), cpm: counted("c/m"), epm: counted("evt/m"), pps: metric("p/s"), mps: counted("msg/s"),
  bool: truth("True", "False"), bool_yes_no: truth("Yes", "No"), bool_on_off: truth("On", "Off"),
  currencyUSD: money("$"), currencyEUR: money("€"), currencyGBP: money("£"), currencyJPY: money("¥"),
  dtdurations: spelled(1, "second"), dtdurationms: spelled(0.001, "millisecond"), dthms: clock,
  dateTimeAsIso: (value) => stamp(value / 1000),
};
for (const unit of Object.keys(TIMES)) UNITS[unit] = timed(unit);

const BINARY_UNITS = new Set(["bytes", "kbytes", "mbytes", "gbytes", "bits", "binBps", "binbps"]);

// The function that writes values of a unit.
function formatter(unit) {
  if (!unit) return plain;
  if (Object.hasOwn(UNITS, unit)) return UNITS[unit];
  const [, kind, rest] = /^(\w+):(.+)$/.exec(unit) || [];
  if (kind === "prefix") return (value, decimals) => rest + fixed(value, decimals);
  if (kind === "suffix") return suffixed(rest);
  if (kind === "count") return counted(rest);
  if (kind === "currency") return money(rest);
  if (kind === "si") return metric(rest);
  if (kind === "bool") {
    const [yes, no] = rest.split("/");
    return truth(yes, no == null ? "-" : no);
  }
  return suffixed(unit);
}

// A value as its field's configuration asks: what a mapping says, else its number with the unit.
function display(value, config) {
  const mapped = mapping(value, config);
  if (mapped && mapped.text != null && mapped.text !== "") return String(mapped.text);
  if (value == null) return config && config.noValue ? String(config.noValue) : "–";
  if (typeof value !== "number") return String(value);
  return formatter(config && config.unit)(value, config ? config.decimals : null);
}

// The first value mapping that fits a value; null where there is none.
function mapping(value, config) {
  for (const entry of (config && config.mappings) || []) {
    const options = entry.options || {};
    if (entry.type === "value") {
      const key = String(value);
      if (value != null && Object.hasOwn(options, key)) return options[key];
    } else if (entry.type === "range" && typeof value === "number") {
      const above = options.from == null || value >= options.from;
      const below = options.to == null || value <= options.to;
      if (above && below) return options.result || null;
    } else if (entry.type === "special") {
      const fits = { null: value == null, "null+nan": value == null, true: value === true, false: value === false, empty: value === "" };
      if (fits[options.match]) return options.result || null;
    } else if (entry.type === "regex" && typeof value === "string") {
      const [, body, flags] = /^\/(.*)\/(\w*)$/s.exec(options.pattern || "") || [null, options.pattern || "", ""];
      try {
        if (new RegExp(body, flags).test(value)) return options.result || null;
      } catch {
        // A pattern that is none maps nothing.
      }
    }
  }
  return null;
}
