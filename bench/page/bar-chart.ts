/** A bar chart as an SVG file, readable on light and dark pages. */

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The text behind the bar. */
  readonly text: string;
  readonly tone: "good" | "bad" | "plain";
}

export interface BarChart {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** A line across all bars, with its name. */
  readonly line: { readonly at: number; readonly name: string } | null;
  /** Longer bars are cut. Default: the longest. */
  readonly most?: number;
}

const WIDTH = 900;
const LABELS = 400;
const ROW = 26;
const TOP = 52;
const SCALE = WIDTH - LABELS - 110;

export function barChart({ title, bars, line, most }: BarChart): string {
  const longest = most ?? Math.max(line?.at ?? 0, ...bars.map(({ value }) => value));
  const place = (value: number) => (Math.min(value, longest) / longest) * SCALE;
  const height = TOP + bars.length * ROW + 12;
  const drawn = bars.map(({ label, value, text, tone }, index) => {
    const y = TOP + index * ROW;
    const end = LABELS + place(value);
    return [
      `<text x="${String(LABELS - 10)}" y="${String(y + 15)}" text-anchor="end">${escape(label)}</text>`,
      `<rect class="${tone}" x="${String(LABELS)}" y="${String(y + 3)}" width="${place(value).toFixed(1)}" height="${String(ROW - 8)}"/>`,
      `<text x="${(end + 8).toFixed(1)}" y="${String(y + 15)}">${escape(text)}</text>`,
    ].join("\n");
  });
  const across =
    line === null
      ? ""
      : `<line x1="${(LABELS + place(line.at)).toFixed(1)}" x2="${(LABELS + place(line.at)).toFixed(1)}" y1="${String(TOP - 6)}" y2="${String(height - 8)}"/>
<text class="name" x="${(LABELS + place(line.at)).toFixed(1)}" y="${String(TOP - 11)}" text-anchor="middle">${escape(line.name)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img" aria-label="${escape(title)}">
<style>
text { font: 13px sans-serif; fill: #1f2328; }
.title { font-weight: bold; }
.name { font-size: 11px; }
line { stroke: #1f2328; stroke-dasharray: 4 3; }
.good { fill: #2da44e; }
.bad { fill: #d9730d; }
.plain { fill: #4c78a8; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
line { stroke: #e6edf3; }
}
</style>
<text class="title" x="10" y="20">${escape(title)}</text>
${[across, ...drawn].filter((part) => part !== "").join("\n")}
</svg>
`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
