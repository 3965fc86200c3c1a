/** Line drawings of 24 by 24, drawn with the colour of the text beside them. */
const drawings = {
  brand: "M5 5h14v15H5zM5 10h14M9 3v4M15 3v4M9 14h2M14 14h2M9 17h2",
  upload: "M12 16V5M7.5 9.5 12 5l4.5 4.5M5 16v3h14v-3",
  look: "M4 5h16v15H4zM4 10h16M9.5 10v10M14.5 10v10",
  choose: "M4 7h10M18 7h2M16 5v4M4 12h2M10 12h10M8 10v4M4 17h8M16 17h4M14 15v4",
  take: "M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14",
  mine: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  warn: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.3",
  close: "m6 6 12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M18 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM6 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM18 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.3 10.8l7.4-4M8.3 13.2l7.4 4",
  retry: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  print: "M7 8V4h10v4M7 17H4V9h16v8h-3M7 14h10v6H7z",
  next: "m9 5 7 7-7 7",
  back: "m15 5-7 7 7 7",
} as const;

export type IconName = keyof typeof drawings;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  );
}
