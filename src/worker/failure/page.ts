/** An error of the app as people read it: a page for browsers, plain text for everything else. Pure. */

export interface Failure {
  readonly message: string;
  /** `FILE:LINE:COLUMN`, where it is known. */
  readonly place: string | undefined;
  readonly frame: string | undefined;
  readonly stack: string | undefined;
}

const title = 'The app cannot be served';
const hint = 'tsgun --reload tries again when a file is saved.';

export function renderText({ message, place, frame, stack }: Failure): string {
  return `${[`${title}: ${message}`, place, frame, stack, hint].filter(Boolean).join('\n\n')}\n`;
}

/** @param id what the stream of the same error says; undefined where the page may not load itself again, as it answers a form */
export function renderPage({ message, place, frame, stack }: Failure, id: string | undefined): string {
  const parts = [
    `<h1>${title}</h1>`,
    `<p class="message">${escaped(message)}</p>`,
    place && `<p class="place">${escaped(place)}</p>`,
    frame && `<pre class="frame">${escaped(frame).replace(/^&gt;.*$/m, '<b>$&</b>')}</pre>`,
    stack && `<pre>${escaped(stack)}</pre>`,
    `<p>${hint} ${id !== undefined ? 'This page then comes back by itself.' : 'Send the form again then.'}</p>`,
    id !== undefined && `<script>const id = '${id}';${comeBack}</script>`,
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
