/** The files of a new project, by name. Pure. */

import type { Choice } from './options.ts';
import { templates } from './templates.ts';

/** @param tsgun the version, or where else to take it from */
export function projectFiles({ name, template, language }: Choice, tsgun: string): Record<string, string> {
  const { title, dependencies, types, app } = templates[template];
  const appFile = `src/app.${language}`;
  const isTypeScript = language === 'ts';
  const json = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  const development = { typescript: '^7.0.0', '@types/node': '^20.19.0', ...types };
  return {
    'package.json': json({
      name,
      version: '0.1.0',
      private: true,
      type: 'module',
      engines: { node: '>=20.19' },
      scripts: {
        dev: `tsgun ${appFile} --reload --workers 1`,
        start: `tsgun ${appFile}`,
        test: 'node --test',
        ...(isTypeScript ? { types: 'tsc' } : {}),
      },
      dependencies: { ...dependencies, tsgun },
      ...(isTypeScript ? { devDependencies: development } : {}),
    }),
    [appFile]: app(language),
    'test/app.test.js': test(appFile),
    [`tsgun.config.${language}`]: config,
    ...(isTypeScript ? { 'tsconfig.json': json(tsconfig) } : {}),
    Dockerfile: dockerfile(appFile, language),
    '.dockerignore': 'node_modules\n.git\n.env\n*.log\n',
    '.gitignore': 'node_modules/\n.env\n*.log\n',
    'README.md': readme(name, title, appFile, isTypeScript),
  };
}

const test = (appFile: string) => `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inject } from 'tsgun';

// Through tsgun's HTTP engine, without a socket.
const ask = (path) => inject('${appFile}', path);

test('greets', async () => {
  const answer = await ask('/');
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), 'Hello from tsgun\\n');
});

test('is healthy', async () => {
  assert.deepEqual(await (await ask('/health')).json(), { ok: true });
});

test('knows no other path', async () => {
  assert.equal((await ask('/nowhere')).status, 404);
});
`;

const config = `import { defineConfig } from 'tsgun';

export default defineConfig({
  // As many as this machine, or this container, has CPUs.
  workers: 'auto',
  // How long requests may take to finish at a stop or a reload.
  gracefulTimeout: 30,
});
`;

const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
  },
  include: ['src', '*.ts'],
};

const dockerfile = (appFile: string, language: string) => `FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json* ./
RUN if [ -f package-lock.json ]; then npm ci --omit=dev; else npm install --omit=dev; fi
COPY src ./src
COPY tsgun.config.${language} ./
USER node
EXPOSE 8000
# tsgun is the container's first process: a stop of the container stops it gracefully.
CMD ["node_modules/.bin/tsgun", "${appFile}", "--bind", "0.0.0.0:8000"]
`;

const readme = (name: string, title: string, appFile: string, isTypeScript: boolean) => `# ${name}

An app for [tsgun](https://www.npmjs.com/package/tsgun) (${title}).

\`\`\`sh
npm run dev      # serves http://127.0.0.1:8000, again after each save
npm test         # asks the app through tsgun's engine
npm start        # as in production
${isTypeScript ? 'npm run types    # checks the types\n' : ''}docker build -t ${name} . && docker run --publish 8000:8000 ${name}
\`\`\`

The app is \`${appFile}\`, the settings are in \`tsgun.config.${isTypeScript ? 'ts' : 'js'}\`.
`;
