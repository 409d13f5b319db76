/**
 * Bars as SVG: a panel for each measure, a row for each contestant, readable on light and on dark. Three panels stand side by
 * side: the column of a page is about 700 pixels wide, and a wider picture is shrunk until nobody can read it.
 */

const labelWidth = 232;
const panelWidth = 152;
const valueWidth = 62;
const gap = 18;
const titleHeight = 38;
/** Of the first band's bars. */
const top = 84;
const rowHeight = 34;
const barHeight = 18;
const bottom = 46;
const perBand = 3;
/** What fits into the width of the picture, at the size of a note. */
const noteLength = 110;

const style = `
  svg { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }
  .page { fill: #ffffff } text { fill: #1f2328 } .quiet { fill: #59636e; font-size: 11px } .title { font-size: 16px; font-weight: 600 }
  .head { font-weight: 600 } .line { stroke: #d1d9e0 } .sync { fill: #0969da } .threaded { fill: #bc4c00 } .async { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .line { stroke: #3d444d } .sync { fill: #4493f8 } .threaded { fill: #f0883e } .async { fill: #3fb950 }
  }`;

/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {string} kind a class of the style: sync, threaded or async
 *
 * @typedef {object} Panel
 * @property {string} head
 * @property {string} unit
 * @property {string} better
 * @property {readonly (number | undefined)[]} values a bar's, in order; undefined where there is none, NaN where there can be none
 * @property {(value: number) => string} show
 */

/**
 * @param {{ title: string, note: string, bars: readonly Bar[], panels: readonly Panel[] }} chart
 * @returns {string}
 */
export function drawChart({ title, note, bars, panels }) {
  const width = labelWidth + perBand * (panelWidth + gap) + gap;
  const bandHeight = top - titleHeight + bars.length * rowHeight;
  const bands = Math.ceil(panels.length / perBand);
  const notes = wrapped(note);
  const height = titleHeight + bands * bandHeight + bottom + (notes.length - 1) * 15;
  const bandTop = (band) => titleHeight + band * bandHeight;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(gap, 28, title, 'title'),
    ...Array.from({ length: bands }, (_, band) =>
      bars.map(({ name }, row) => text(gap, rowAt(bandTop(band), row) + barHeight - 4, name)),
    ).flat(),
    ...panels.flatMap((panel, index) => {
      const x = labelWidth + (index % perBand) * (panelWidth + gap);
      return drawPanel(panel, x, bandTop(Math.floor(index / perBand)), bars);
    }),
    ...notes.map((line, index) => text(gap, height - 14 - (notes.length - 1 - index) * 15, line, 'quiet')),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

const rowAt = (bandTop, row) => bandTop + top - titleHeight + row * rowHeight;

/** @returns {string[]} lines, cut between words */
function wrapped(note) {
  const lines = [''];
  for (const word of note.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length > noteLength) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trimStart());
  }
  return lines;
}

function drawPanel({ head, unit, better, values, show }, x, bandTop, bars) {
  const y = (row) => rowAt(bandTop, row);
  const largest = Math.max(...values.filter((value) => value > 0), Number.MIN_VALUE);
  const scale = (panelWidth - valueWidth) / largest;
  return [
    text(x, bandTop + 16, head, 'head'),
    text(x, bandTop + 32, `${unit}; ${better} is better`, 'quiet'),
    `<line class="line" x1="${x}" y1="${y(0) - 4}" x2="${x}" y2="${y(bars.length) - 8}"/>`,
    ...values.flatMap((value, row) => {
      if (value === undefined) return [text(x + 6, y(row) + barHeight - 5, 'not run', 'quiet')];
      if (Number.isNaN(value)) return [text(x + 6, y(row) + barHeight - 5, 'none', 'quiet')];
      const length = Math.max(1, value * scale);
      const bar = `<rect class="${bars[row].kind}" x="${x}" y="${y(row)}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`;
      return [bar, text(x + length + 6, y(row) + barHeight - 4, show(value))];
    }),
  ];
}

function text(x, y, content, kind) {
  const attribute = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${x.toFixed(0)}" y="${y}"${attribute}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
