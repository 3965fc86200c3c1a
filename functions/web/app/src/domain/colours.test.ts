import { expect, test } from "vitest";
import { assignColours, palette } from "./colours";

const modules = [
  "COS 212",
  "COS 226",
  "WTW 114",
  "STK 220",
  "PHY 131",
  "IMY 210",
  "EBN 111",
  "JPO 110",
  "COS 284",
  "WTW 285",
  "FSK 116",
];

test("modules have colours of their own while there are any", () => {
  const colours = assignColours(modules, {});
  expect(new Set(Object.values(colours)).size).toBe(palette.length);
});

test("a chosen colour is kept, and given to no other", () => {
  const colours = assignColours(modules, { "WTW 114": "gold" });
  expect(colours["WTW 114"]!.name).toBe("Banana");
  expect(Object.values(colours).filter((colour) => colour.css === "gold").length).toBe(1);
});

test("a module that comes later changes no other colour", () => {
  const before = assignColours(modules.slice(1), {});
  const kept = Object.fromEntries(Object.entries(before).map(([module, colour]) => [module, colour.css]));
  expect(assignColours(modules, kept)).toMatchObject(before);
});

test("more modules than colours still have one each", () => {
  const many = Array.from({ length: 40 }, (_, at) => `MOD ${at}`);
  expect(Object.keys(assignColours(many, {})).length).toBe(40);
});
