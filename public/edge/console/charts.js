// Numbers per minute, drawn by uPlot. It sets styles of elements by CSSOM, which the policy allows, and writes no markup.

import { at } from "./dom.js";
import { clock, number } from "./format.js";

const HEIGHT = 150;
/** Steps of the axis: nothing here is counted in halves. */
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8].flatMap((unit) => [unit, 2 * unit, 5 * unit]);
const { uPlot } = globalThis;
const dark = matchMedia("(prefers-color-scheme: dark)");

/** A colour of the style sheet. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** By the id of the place. */
const charts = new Map();

/**
 * Draws numbers per minute, or brings them up to date.
 *
 * @param id Of the place: `<id>-plot` holds the chart, `<id>-now` what stands at the pointer, else at the last minute.
 * @param minutes Ms since the epoch, ascending.
 * @param lines Each `{ name, values, colour, fill }`; `colour` names a custom property. Null is not known.
 */
export function chart(id, minutes, lines) {
  const shown = charts.get(id) ?? { id, plot: null, lines, minutes };
  charts.set(id, shown);
  shown.lines = lines;
  shown.minutes = minutes;
  const data = [minutes.map((minute) => minute / 1000), ...lines.map(({ values }) => values)];
  if (shown.plot) shown.plot.setData(data);
  else draw(shown, data);
  tell(shown, null);
  describe(shown);
}

function draw(shown, data) {
  const place = at(`${shown.id}-plot`);
  shown.plot?.destroy();
  shown.plot = new uPlot(optionsOf(shown, place.clientWidth || 300), data, place);
}

function optionsOf(shown, width) {
  const axis = {
    stroke: () => colour("--quiet"),
    grid: { stroke: () => colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: "console" }, points: { size: 7 } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(5, (high ?? 0) * 1.15)] } },
    axes: [
      { ...axis, size: 26, grid: { show: false }, values: "{HH}:{mm}", space: 60 },
      {
        ...axis,
        size: 44,
        incrs: WHOLE,
        space: 36,
        values: (_plot, ticks) => ticks.map(number),
      },
    ],
    series: [
      {},
      ...shown.lines.map(({ name, colour: of, fill }) => ({
        label: name,
        stroke: () => colour(of),
        width: 1.75,
        ...(fill && { fill: () => `${colour(of)}22` }),
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => tell(shown, plot.cursor.idx ?? null)] },
  };
}

/** What the chart has at a minute; at its last one where the pointer is elsewhere. */
function tell({ id, lines, minutes }, index) {
  const place = index ?? minutes.length - 1;
  const words = lines.map(({ name, values }) => `${number(values[place])} ${name}`);
  at(`${id}-now`).textContent =
    minutes.length === 0 ? "" : `${clock(minutes[place]).slice(0, -3)}: ${words.join(", ")}`;
}

/** The chart in words, for whoever does not see it. */
function describe({ id, lines, minutes }) {
  const words = lines.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    return `${name}: ${number(known.reduce((sum, value) => sum + value, 0))} in all, ${number(Math.max(0, ...known))} in the highest minute`;
  });
  at(`${id}-plot`).setAttribute("aria-label", `${minutes.length} minutes. ${words.join("; ")}.`);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = charts.get(target.dataset.chart)?.plot;
    if (plot && contentRect.width > 0 && Math.round(contentRect.width) !== plot.width)
      plot.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
  }
});

for (const place of document.querySelectorAll(".plot")) sizes.observe(place);

// The colours stand in the canvas: it is drawn anew.
dark.addEventListener("change", () => {
  for (const shown of charts.values()) draw(shown, shown.plot.data);
});
