// Draws the icons of the installed page out of icon.svg: `node build/icons.mjs`, after a change of that. Needs Chromium.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const folder = new URL("../public/icons/", import.meta.url).pathname;
const drawing = readFileSync(folder + "icon.svg", "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", chromiumSandbox: false });
for (const [name, size, inset] of [["icon-180", 180, 0], ["icon-192", 192, 0], ["icon-512", 512, 0], ["maskable-512", 512, 0.1]]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  // A maskable icon fills its square, with what matters in the inner four fifths of it.
  const ground = inset ? "#0b5cad" : "transparent";
  await page.setContent(`<style>body{margin:0;background:${ground}}svg{display:block;width:${size * (1 - 2 * inset)}px;margin:${size * inset}px}</style>${drawing}`);
  await page.screenshot({ path: `${folder}${name}.png`, omitBackground: true });
}
await browser.close();
