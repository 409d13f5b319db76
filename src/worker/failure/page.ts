/** Shows an error of the app: a page for browsers, plain text for all other clients. Pure functions. */

export interface Failure {
  readonly title: string;
  readonly message: string;
  /** `FILE:LINE:COLUMN`, if known. */
  readonly place: string | undefined;
  readonly frame: string | undefined;
  readonly stack: string | undefined;
}

/**
 * How the page recognises the code whose error it shows: by an id that its stream repeats, or by the generation, for which it
 * asks.
 */
export type Shown = { readonly id: string } | { readonly generation: number };

/** The header field of a page's question which generation serves, in lower case. */
export const waitField = 'x-tsgun-wait';
/** The header field of the answer. */
export const generationField = 'X-Tsgun-Generation';

const hint = 'tsgun --reload tries again when a file is saved.';

export function renderText({ title, message, place, frame, stack }: Failure): string {
  return `${[`${title}: ${message}`, place, frame, stack, hint].filter(Boolean).join('\n\n')}\n`;
}

/** @param shown undefined if the page may not reload itself, because it answers a form */
export function renderPage({ title, message, place, frame, stack }: Failure, shown: Shown | undefined): string {
  const parts = [
    `<h1>${title}</h1>`,
    `<p class="message">${escaped(message)}</p>`,
    place && `<p class="place">${escaped(place)}</p>`,
    frame && `<pre class="frame">${escaped(frame).replace(/^&gt;.*$/m, '<b>$&</b>')}</pre>`,
    stack && `<pre>${escaped(stack)}</pre>`,
    `<p>${hint} ${shown !== undefined ? 'This page then comes back by itself.' : 'Send the form again then.'}</p>`,
    shown !== undefined && `<script>${scriptOf(shown)}</script>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${parts.filter(Boolean).join('\n')}
</body>
</html>
`;
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.4rem } .message { font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere }
.place { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
pre { font: 14px/1.5 ui-monospace, monospace; overflow-x: auto; padding: 1rem; border: 1px solid #8886; border-radius: 6px }
.frame b { background: #e5484d33; display: inline-block; min-width: 100% }
`;

function scriptOf(shown: Shown): string {
  return 'id' in shown
    ? `const id = '${shown.id}';${comeBack}`
    : `const generation = '${shown.generation}';${lookForNewCode}`;
}

/**
 * The same code serves on, so the page waits for another generation. It sends HEAD to the app's own address, which could have
 * an effect there; the field marks the request as the page's.
 */
const lookForNewCode = `
const look = async () => {
  try {
    const answer = await fetch(location.href, { method: 'HEAD', cache: 'no-store', headers: { '${waitField}': '1' } });
    const now = answer.headers.get('${generationField}');
    if (now !== null && now !== generation) return location.reload();
  } catch {}
  setTimeout(look, 500);
};
look();
`;

/** The connection stays open while the error is served. When a stop ends it, the page waits for the next start. */
const comeBack = `
const here = location.href.replace(/#.*/, '');
const back = () => fetch(here, { method: 'HEAD', cache: 'no-store' }).then(() => location.reload(), () => setTimeout(back, 500));
const waiting = new EventSource(here);
// The stream may belong to an earlier error than this page.
waiting.onmessage = ({ data }) => { if (data !== id) { waiting.close(); location.reload(); } };
waiting.onerror = () => { waiting.close(); back(); };
addEventListener('pagehide', () => waiting.close());
`;

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
