import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Words between tags, and in the attributes that people hear or see. */
const written = /(?:^|[>}])\s*([A-Z][a-z]+(?: [a-z]+)+[^<>{}=;()]*)(?=[<{])|(?:title|alt|label|placeholder)="([^"]*[a-z] [^"]*)"/g;

test("every sentence stands among the texts, so that another language can follow", () => {
  for (const name of readdirSync(__dirname, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".tsx") || name.includes(".test.")) continue;
    const code = readFileSync(join(__dirname, name), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect([...code.matchAll(written)].map((match) => match[1] ?? match[2]), name).toEqual([]);
  }
});
