/** The app of each template, and what it needs. Each answers the same, so that one test is for all. */

import type { Language, TemplateName } from './options.ts';

export interface Template {
  readonly title: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Beside those of TypeScript itself. */
  readonly types: Readonly<Record<string, string>>;
  readonly app: (language: Language) => string;
}

export const templates: Readonly<Record<TemplateName, Template>> = {
  wsgi: {
    title: "tsgun's own interface, no framework",
    dependencies: {},
    types: {},
    app: (language) => {
      const type = language === 'ts' ? "import type { App } from 'tsgun';\n\nconst app: App =" : 'const app =';
      const note = language === 'ts' ? '' : "/** @type {import('tsgun').App} */\n";
      return `${note}${type} (env, startResponse) => {
  if (env.PATH_INFO === '/') {
    startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
    return ['Hello from tsgun\\n'];
  }
  if (env.PATH_INFO === '/health') {
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    return ['{"ok":true}'];
  }
  startResponse('404 Not Found', [['Content-Type', 'text/plain']]);
  return ['not found\\n'];
};

export default app;
`;
    },
  },
  express: {
    title: 'Express 5',
    dependencies: { express: '^5.1.0' },
    types: { '@types/express': '^5.0.0' },
    app: () => `import express from 'express';

const app = express();

app.get('/', (_req, res) => {
  res.type('text').send('Hello from tsgun\\n');
});

app.get('/health', (_req, res) => {
  res.json({ ok: true });
});

export default app;
`,
  },
  hono: {
    title: 'Hono',
    dependencies: { hono: '^4.9.0' },
    types: {},
    app: () => `import { Hono } from 'hono';

const app = new Hono();

app.get('/', (c) => c.text('Hello from tsgun\\n'));
app.get('/health', (c) => c.json({ ok: true }));

export default app;
`,
  },
  fastify: {
    title: 'Fastify 5',
    dependencies: { fastify: '^5.6.0' },
    types: {},
    app: () => `import fastify from 'fastify';

const app = fastify();

app.get('/', (_request, reply) => reply.type('text/plain').send('Hello from tsgun\\n'));
app.get('/health', () => ({ ok: true }));

export default app;
`,
  },
};
