// Google Calendar's colours of events, so that a module looks the same on the page, in the file, in the feed and in
// Google's calendar. The API takes colours by the name that CSS gives to the nearest one.

export interface Colour {
  /** Google's id. */
  id: string;
  /** Google's name for it. */
  name: string;
  /** The CSS colour that the API takes for it. */
  css: string;
  /** How Google shows it. */
  hex: string;
}

const rows = `1 Lavender mediumpurple #7986cb
2 Sage mediumseagreen #33b679
3 Grape darkorchid #8e24aa
4 Flamingo lightcoral #e67c73
5 Banana gold #f6bf26
6 Tangerine orangered #f4511e
7 Peacock dodgerblue #039be5
8 Graphite dimgray #616161
9 Blueberry royalblue #3f51b5
10 Basil seagreen #0b8043
11 Tomato crimson #d50000`;

export const palette: Colour[] = rows.split("\n").map((row) => {
  const [id, name, css, hex] = row.split(" ") as [string, string, string, string];
  return { id, name, css, hex };
});

/** The palette in an order in which the first few are easy to tell apart. */
const order = ["7", "6", "10", "3", "5", "11", "9", "2", "4", "1", "8"];

const inOrder = order.map((id) => palette.find((colour) => colour.id === id)!);

/** The colour of that CSS name, if it is one of Google's. */
export function colourOf(css: string | undefined): Colour | undefined {
  return palette.find((colour) => colour.css === css);
}

/**
 * Gives each module a colour of the palette: its own, if it has one, else one that no other has while there are any. With what
 * it gave before as chosen, modules that come later change no other's colour.
 */
export function assignColours(modules: string[], chosen: Record<string, string>): Record<string, Colour> {
  const colours: Record<string, Colour> = {};
  const taken = new Set<Colour>();
  for (const module of modules) {
    const own = colourOf(chosen[module]);
    if (own) taken.add((colours[module] = own));
  }
  for (const module of [...modules].sort()) {
    if (colours[module]) continue;
    if (taken.size >= inOrder.length) taken.clear();
    taken.add((colours[module] = inOrder.find((colour) => !taken.has(colour))!));
  }
  return colours;
}

/** Relative luminance, WCAG 2.1. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours, from 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Black or white, whichever is easier to read on the colour. */
export function inkOn(hex: string): "#000000" | "#ffffff" {
  return contrast(hex, "#000000") >= contrast(hex, "#ffffff") ? "#000000" : "#ffffff";
}
