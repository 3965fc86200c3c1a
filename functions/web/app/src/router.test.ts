import { expect, test } from "vitest";
import { href, parseRoute, steps } from "./router";

test("each step's link leads to it", () => {
  for (const step of steps) expect(parseRoute(href(step)).step).toBe(step);
  expect(parseRoute(href("look", "exams"))).toEqual({ step: "look", rest: "exams" });
});

test("what names no step is the first one", () => {
  for (const hash of ["", "#", "#main", "#/nothing", "#/LOOK", "#//look"]) expect(parseRoute(hash).step).toBe("upload");
});
