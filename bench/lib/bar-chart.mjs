/** One measure of several peers as bars, an SVG that reads well on light and on dark. The thin line through a bar's end shows all of its runs. */

const width = 720;
const labelWidth = 210;
const valueWidth = 90;
const rowHeight = 26;
const barHeight = 16;
const top = 64;
const bottom = 16;
const scale = (value, largest) => (value / largest) * (width - labelWidth - valueWidth);

const style = `
  svg { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }
  .page { fill: #ffffff } text { fill: #1f2328 } .quiet { fill: #59636e; font-size: 11px } .title { font-size: 16px; font-weight: 600 }
  .line { stroke: #1f2328 } .axis { stroke: #d1d9e0 } .tsgun { fill: #0969da } .Node { fill: #1a7f37 } .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .line { stroke: #f0f6fc } .axis { stroke: #3d444d } .tsgun { fill: #4493f8 } .Node { fill: #3fb950 } .other { fill: #6e7681 }
  }`;

/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {'tsgun' | 'Node' | 'other'} kind
 * @property {import('./statistics.mjs').Summary | undefined} value undefined where nothing was measured
 */

/**
 * @param {{ title: string, unit: string, better: 'more' | 'less', bars: readonly Bar[], show: (value: number) => string }} chart
 * @returns {string}
 */
export function drawBars({ title, unit, better, bars, show }) {
  const height = top + bars.length * rowHeight + bottom;
  const largest = Math.max(...bars.map(({ value }) => value?.high ?? 0), Number.MIN_VALUE);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(16, 26, title, 'title'),
    text(16, 46, `${unit}; ${better} is better`, 'quiet'),
    `<line class="axis" x1="${labelWidth}" y1="${top - 4}" x2="${labelWidth}" y2="${height - bottom}"/>`,
    ...bars.flatMap((bar, row) => drawBar(bar, top + row * rowHeight, largest, show)),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function drawBar({ name, kind, value }, y, largest, show) {
  const label = text(16, y + barHeight - 3, name);
  if (value === undefined) return [label, text(labelWidth + 6, y + barHeight - 4, 'not measured', 'quiet')];
  const length = Math.max(1, scale(value.median, largest));
  const [low, high] = [value.low, value.high].map((each) => labelWidth + scale(each, largest));
  const middle = y + barHeight / 2;
  const spread =
    high - low < 1
      ? []
      : [`<line class="line" x1="${low.toFixed(1)}" y1="${middle}" x2="${high.toFixed(1)}" y2="${middle}"/>`];
  return [
    label,
    `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    ...spread,
    text(Math.max(labelWidth + length, high) + 6, y + barHeight - 3, show(value.median)),
  ];
}

function text(x, y, content, kind) {
  const attribute = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${x.toFixed(0)}" y="${y}"${attribute}>${escaped(content)}</text>`;
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
