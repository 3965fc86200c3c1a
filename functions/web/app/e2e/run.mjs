// Runs the flows in flows/ in Debian's Chromium against a running system, each in windows of several widths, and
// fails where one does not find what a person would, where axe finds fault, or where the browser complains of anything.
//
//   PAGE_URL   the system        PAGE_PDFS   a folder with lectures.pdf, tests.pdf, exams.pdf, broken.pdf
//   PAGE_SHOTS where screenshots go (none without it)    PAGE_FLOW  only flows whose name holds this, or one of several: a|b
//   PAGE_WIDTHS  only these widths, such as 390,1280
import { readFileSync, readdirSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const url = need("PAGE_URL");
const pdfs = need("PAGE_PDFS");
const shots = process.env.PAGE_SHOTS;
const here = new URL(".", import.meta.url).pathname;
const axe = readFileSync(join(here, "../node_modules/axe-core/axe.min.js"), "utf8");
const widths = (process.env.PAGE_WIDTHS ?? "360,390,768,1280").split(",").map(Number);
const heights = { 360: 640, 390: 844, 768: 1024, 1280: 800 };
const patience = 20_000;

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}

/** Every answer is looked at by itself; that the browser tells of it, too, is no second fault. */
const toldAgain = /Failed to load resource: (the server responded with a status of|net::ERR_)/;

/** The present of every flow: a Wednesday morning of the second semester, so that each run shows the same. */
const present = new Date("2026-08-05T09:40:00+02:00");

/** One run of a flow: a window of its own, and what a flow needs. */
async function run(browser, flow, width) {
  const complaints = [];
  const settings = {
    viewport: { width, height: heights[width] ?? 800 },
    locale: "en-ZA", timezoneId: "Africa/Johannesburg", hasTouch: width < 768, isMobile: false, acceptDownloads: true,
    serviceWorkers: flow.worker ? "allow" : "block", javaScriptEnabled: !flow.noScript, bypassCSP: false, colorScheme: "light",
    ...(flow.noScript ? {} : { permissions: ["clipboard-read", "clipboard-write"] }),
  };
  const context = await browser.newContext(settings);
  const refused = new Set();
  const page = await newPage(context, flow, complaints, refused);
  const name = `${flow.name} at ${width}`;
  const world = {
    page, context, url, width, contexts: [context],
    pdf: (kind) => join(pdfs, kind + ".pdf"),
    /** Holds the state that is shown to axe in both schemes, and keeps a picture of each. */
    async look(state, page = world.page) {
      await page.evaluate(() => scrollTo(0, 0)); // what sticks to the window would be in the middle of the picture
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        for (const fault of await faults(page)) complaints.push(`${state}, ${scheme}: ${fault}`);
        if (shots) await page.screenshot({ path: join(shots, `${state}-${width}-${scheme}.png`), fullPage: true });
      }
      await page.emulateMedia({ colorScheme: "light" });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) complaints.push(`${state}: the page is ${wide} pixels wider than the window`);
    },
    /** Agrees on the sign-in page of the stand-in of Google, as the first of its people or another. */
    async google(window, person) {
      if (person) await window.getByRole("radio", { name: person }).check();
      await window.getByRole("button", { name: "Allow" }).click();
      await window.getByRole("heading", { level: 1 }).waitFor();
    },
    /** The same person's other browser, at the first step. */
    async another() {
      const context = await browser.newContext(settings);
      world.contexts.push(context);
      const other = await newPage(context, flow, complaints, refused);
      await other.goto(url + "/");
      return other;
    },
    /** Prints how long each step took, and all of them. */
    record(title, rows) {
      const all = [...rows, { what: "in all", seconds: rows.reduce((sum, row) => sum + row.seconds, 0) }];
      console.log([title, ...all.map(({ what, seconds }) => `| ${what} | ${seconds.toFixed(1)} s |`)].join("\n"));
    },
    check(holds, what) {
      if (!holds) complaints.push(what);
    },
  };
  const began = Date.now();
  try {
    await page.goto(url + "/");
    await flow.run(world);
  } catch (e) {
    complaints.push(e.stack ?? String(e));
    if (shots) await page.screenshot({ path: join(shots, `failed-${flow.name.replaceAll(/\W+/g, "-")}-${width}.png`) }).catch(() => {});
  }
  for (const one of world.contexts) await one.close();
  for (const pattern of flow.refusals ?? []) if (!refused.has(pattern)) complaints.push(`no answer was ${pattern}, which the flow expects`);
  console.log(`${complaints.length ? "FAIL" : "ok  "} ${name} (${Date.now() - began} ms)`);
  for (const complaint of complaints) console.log(`     ${complaint}`);
  return complaints.length === 0;
}

/** A window whose faults are noted: errors, breaches of the policy, and refusals that the flow does not expect. */
async function newPage(context, flow, complaints, refused) {
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  if (!flow.noScript) {
    await page.clock.setFixedTime(present);
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
    });
  }
  page.on("console", (m) => m.type() === "error" && !toldAgain.test(m.text()) && complaints.push(`console: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
  page.on("response", (answer) => {
    const told = `${answer.status()} ${answer.url()}`;
    if (answer.status() < 400) return;
    const expected = (flow.refusals ?? []).filter((pattern) => pattern.test(told));
    if (expected.length === 0) complaints.push(`answer: ${told}`);
    for (const pattern of expected) refused.add(pattern);
  });
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED" && !flow.lost) complaints.push(`request: ${request.url()} ${why}`);
  });
  return page;
}

/** axe's violations, each in a line. */
async function faults(page) {
  // Through the debugger's protocol, which the page's policy does not hold back.
  if (!(await page.evaluate("typeof axe !== 'undefined'"))) await page.evaluate(axe);
  const violations = await page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)");
  return violations.map((v) => `axe: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join("; ").slice(0, 300)}`);
}

if (shots) mkdirSync(shots, { recursive: true });
const flows = [];
for (const file of readdirSync(join(here, "flows")).sort()) {
  const { flows: found } = await import(join(here, "flows", file));
  flows.push(...found);
}
const wanted = flows.filter((f) => (process.env.PAGE_FLOW ?? "").split("|").some((part) => f.name.includes(part)));
const queue = wanted.flatMap((flow) => (flow.widths ?? widths).filter((w) => widths.includes(w)).map((width) => ({ flow, width })));
let good = true;

/** Runs what is in the queue. Each worker has a browser of its own, for the pages of one share a clipboard. */
async function work() {
  const browser = await chromium.launch({
    executablePath: process.env.PAGE_CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: false,
    args: ["--disable-gpu", "--disable-component-update", "--disable-quic"],
  });
  for (let next = queue.shift(); next; next = queue.shift()) good = (await run(browser, next.flow, next.width)) && good;
  await browser.close();
}
await Promise.all([work(), work()]);
if (!good || wanted.length === 0) process.exit(1);
