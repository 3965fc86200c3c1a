import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What every step may use, the lowest first. */
const layers = ["domain", "texts", "api", "state", "shell"];
const steps = ["upload", "look", "choose", "take", "mine", "sample"];

test("what all steps share imports none of them, and no layer one above it", () => {
  for (const layer of layers) {
    for (const name of readdirSync(join(__dirname, layer), { recursive: true, encoding: "utf8" })) {
      if (!/\.tsx?$/.test(name) || name.includes(".test.")) continue;
      const source = readFileSync(join(__dirname, layer, name), "utf8");
      const used = [...source.matchAll(/(?:from|import) ?\(?"(?:\.\.\/)+(\w+)[/"]/g)].map((match) => match[1]!);
      const above = [...steps, ...layers.slice(layers.indexOf(layer) + 1)];
      expect(used.filter((other) => above.includes(other)), `${layer}/${name}`).toEqual([]);
    }
  }
});
