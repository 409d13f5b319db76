import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { readContents, renderLlmsText } from '../../docs/.vitepress/contents.ts';
import { makeFolder } from '../integration/harness.ts';

it('llms.txt lists the sections and pages of docs/index.md', () => {
  const path = join(makeFolder().path, 'index.md');
  writeFileSync(
    path,
    '---\nlayout: home\n---\n\n## Start\n\n- [First](first.md): what it is\n- no page\n\n## Go on\n\n- [B](b/README.md): more\n',
  );
  const text = renderLlmsText(readContents(pathToFileURL(path)));
  expect(text).toMatch(/^# tsgun\n\n> The application server for Node\.js.*\n\n## Start\n/);
  expect(text).toContain('\n## Start\n\n- [First](first.md): what it is\n\n## Go on\n\n- [B](b/README.md): more\n');
});
