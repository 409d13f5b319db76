/** The examples in deploy/ for proxies and Docker, as far as they can be tested without Docker. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from './config/command-line.ts';
import { onTestFinished } from './current.ts';

const read = (name: string) => readFileSync(`deploy/${name}`, 'utf8');
const has = (program: string) => spawnSync('which', [program]).status === 0;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsgun-deploy-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('the proxies’ own checks', () => {
  it.skipIf(!has('nginx'))('nginx accepts nginx.conf', () => {
    const path = folder();
    writeFileSync(
      join(path, 'nginx.conf'),
      `pid ${path}/nginx.pid; error_log stderr; events {} http { access_log off; include ${resolve('deploy/nginx.conf')}; }`,
    );
    const { status, stderr } = spawnSync('nginx', ['-t', '-p', path, '-c', join(path, 'nginx.conf')], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')]);
  });

  it.skipIf(!has('haproxy'))('HAProxy accepts haproxy.cfg', () => {
    const { status, stdout, stderr } = spawnSync('haproxy', ['-c', '-f', 'deploy/haproxy.cfg'], { encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.not.stringContaining('ALERT')]);
  });

  it.skipIf(!has('caddy'))('Caddy accepts the Caddyfile', () => {
    const args = ['adapt', '--config', 'deploy/Caddyfile', '--adapter', 'caddyfile', '--validate'];
    expect(spawnSync('caddy', args, { encoding: 'utf8', env: { ...process.env, HOME: folder() } }).status).toBe(0);
  });
});

describe('docs/deploying.md', () => {
  const page = readFileSync('docs/deploying.md', 'utf8');
  const lines = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));

  it.each([
    ['nginx', 'nginx.conf'],
    ['dockerfile', 'docker/Dockerfile'],
    ['yaml', 'kubernetes/deployment.yaml'],
  ])('shows lines of the file for %s', (language, file) => {
    const block = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
    expect(lines(block)).not.toEqual([]);
    expect(lines(block).filter((line) => !lines(read(file)).includes(line))).toEqual([]);
  });
});

const dockerfile = (name: string) => {
  const text = read(`docker/${name}`).replaceAll('\\\n', ' ');
  const jsonOf = (word: string) => {
    const rest = new RegExp(`^${word} (.*)$`, 'm').exec(text)?.[1] ?? '';
    return JSON.parse(rest.slice(rest.indexOf('['))) as string[];
  };
  return { text, jsonOf };
};

describe.each(['Dockerfile', 'Dockerfile.distroless'])('%s', (name) => {
  const { text, jsonOf } = dockerfile(name);

  it('builds in a first stage, and does not run as root', () => {
    expect(text.match(/^FROM /gm)).toHaveLength(2);
    const last = text.slice(text.lastIndexOf('FROM '));
    expect(last).toMatch(/^USER node$|:nonroot$/m);
    expect(last).not.toMatch(/npm (ci|install)/);
  });

  it('starts tsgun itself, with settings that exist', async () => {
    expect(jsonOf('ENTRYPOINT').at(-1)).toMatch(/tsgun/);
    expect((await settingsOf(jsonOf('CMD'))).healthPath).toBe('/up');
  });
});

it('the health checks of both tell a good service from a bad one', () => {
  const [program, other] = ['Dockerfile', 'Dockerfile.distroless'].map((name) =>
    dockerfile(name).jsonOf('HEALTHCHECK').at(-1),
  );
  expect(program).toBe(other);
  expect(program).toContain("'http://127.0.0.1:8000/up'");
  const ask = (answer: string) => spawnSync(process.execPath, ['-e', `fetch = () => ${answer}; ${program}`]).status;
  const answers = ['Promise.resolve({ ok: true })', 'Promise.resolve({ ok: false })', 'Promise.reject(new Error())'];
  expect(answers.map(ask)).toEqual([0, 1, 1]);
});
