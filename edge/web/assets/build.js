// Builds ../static from the pinned packages and our own sheets. The result is committed, so that a build of the product
// needs no Node; the hash in each address is taken by Go when it starts.
import { copyFileSync, mkdirSync, readFileSync, statSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const nhsuk = join(here, "node_modules/nhsuk-frontend/dist/nhsuk");

// What each marker colour of kit.scss means. Derived colours (a shade of a marker) appear as values of their own.
const roles = {
  "#a10001": "accent", "#a10002": "surface", "#a10007": "critical", "#a1000f": "ink-2", "#a10011": "line-2",
  "#a10012": "line", "#710006": "critical-hover", "#820008": "critical-hover", "#510005": "critical-hover",
  "#a20001": "accent", "#a20002": "ink", "#a20003": "on-accent", "#a20004": "paper", "#a20005": "surface",
  "#a20006": "ink-2", "#a20007": "focus", "#a20008": "on-focus", "#a20009": "critical", "#a2000a": "done",
  "#a2000b": "line", "#a2000c": "line-2", "#a2000d": "sunk", "#a2000e": "surface", "#a2000f": "link",
  "#a20010": "link-hover", "#a20011": "accent", "#a20012": "on-accent", "#a20013": "accent-hover",
  "#a20014": "critical-solid", "#a20015": "critical-hover",
  "rgba(162, 0, 2, 0.99)": "ink", "rgba(162, 0, 3, 0.99)": "on-accent", "rgba(162, 0, 3, 0.6)": "on-accent",
};
const printed = new Set(["#000000", "rgba(0, 0, 0, 0.99)"]);

function kit() {
  const { css } = sass.compile(join(here, "kit.scss"), { loadPaths: [join(here, "node_modules")], quietDeps: true });
  const unknown = new Set();
  const themed = css
    .replace(/#[0-9a-f]{6}\b|rgba\([^)]*\)/g, (colour) => {
      if (printed.has(colour)) return colour;
      if (!roles[colour]) unknown.add(colour);
      return `var(--ww-${roles[colour]})`;
    })
    .replace(/url\("\/assets\/images\/([a-z-]+\.svg)"\)/g, (_, name) => {
      const svg = readFileSync(join(nhsuk, "assets/images", name));
      return `url("data:image/svg+xml;base64,${svg.toString("base64")}")`;
    });
  if (unknown.size) throw new Error(`colours without a role: ${[...unknown].join(", ")}`);
  return themed;
}

const own = ["tokens.css", "layout.css", "components.css", "charts.css", "print.css"];
const sheet = [kit(), ...own.map((name) => readFileSync(join(here, name), "utf8"))].join("\n");
if (/@font-face|frutiger|https?:\/\//i.test(sheet)) throw new Error("the sheet names a remote font or address");

mkdirSync(out, { recursive: true });
const { css } = sass.compileString(sheet, { style: "compressed", syntax: "css" });
writeFileSync(join(out, "wardwatch.css"), `/*! Components: nhsuk-frontend 10.6.1, MIT, (c) NHS England. See notices.txt. */\n${css}\n`);
writeFileSync(join(out, "htmx.js"), readFileSync(join(here, "node_modules/htmx.org/dist/htmx.min.js"), "utf8").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
for (const name of ["app.js", "mark.svg", "notices.txt"]) copyFileSync(join(here, name), join(out, name));

const total = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
if (total > 512 * 1024) throw new Error(`static files are ${total} bytes, more than 0.5 MB`);
console.log(`edge/web/static: ${total} bytes`);
