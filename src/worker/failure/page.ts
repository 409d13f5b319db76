/** An error of the app as people read it: a page for browsers, plain text for everything else. Pure. */

export interface Failure {
  readonly title: string;
  readonly message: string;
  /** `FILE:LINE:COLUMN`, where it is known. */
  readonly place: string | undefined;
  readonly frame: string | undefined;
  readonly stack: string | undefined;
}

/** What a page knows of the code that it shows the error of: what its stream says, or the generation, which is asked for. */
export type Shown = { readonly id: string } | { readonly generation: number };

/** Of a request by which a page asks which generation serves; in small letters. */
export const waitField = 'x-tsgun-wait';
/** Of its answer. */
export const generationField = 'X-Tsgun-Generation';

const hint = 'tsgun --reload tries again when a file is saved.';

export function renderText({ title, message, place, frame, stack }: Failure): string {
  return `${[`${title}: ${message}`, place, frame, stack, hint].filter(Boolean).join('\n\n')}\n`;
}

/** @param shown undefined where the page may not load itself again, as it answers a form */
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

/** The code serves on, so only another generation is worth a look. A HEAD of the app's own address could have an effect: the field tells them apart. */
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

/** The connection stays open as long as the error is served. When a stop ends it, the page waits for the next start. */
const comeBack = `
const here = location.href.replace(/#.*/, '');
const back = () => fetch(here, { method: 'HEAD', cache: 'no-store' }).then(() => location.reload(), () => setTimeout(back, 500));
const waiting = new EventSource(here);
// An old connection may have brought the page of the error before.
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
