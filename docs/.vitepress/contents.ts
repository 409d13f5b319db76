/** The list of pages on docs/index.md, from which the sidebar and llms.txt are made. */

import { readFileSync } from 'node:fs';

export interface Entry {
  readonly title: string;
  /** From docs/ on. */
  readonly file: string;
  readonly about: string;
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

export function readContents(index: URL): Section[] {
  const sections: { title: string; entries: Entry[] }[] = [];
  for (const line of readFileSync(index, 'utf8').split('\n')) {
    const heading = /^## (.+)/.exec(line)?.[1];
    if (heading !== undefined) sections.push({ title: heading, entries: [] });
    const [, title, file, about] = /^- \[(.+?)\]\((.+?)\): (.+)/.exec(line) ?? [];
    if (title !== undefined && file !== undefined && about !== undefined)
      sections.at(-1)?.entries.push({ title, file, about });
  }
  return sections;
}

/** https://llmstxt.org: a list of the pages in Markdown, for programs that read. */
export function renderLlmsText(sections: readonly Section[]): string {
  const lists = sections.map(
    ({ title, entries }) =>
      `## ${title}\n\n${entries.map(({ title, file, about }) => `- [${title}](${file}): ${about}`).join('\n')}\n`,
  );
  const summary =
    'The application server for Node.js: pre-forked workers, rolling reloads, three worker classes. `tsgun app.ts --workers 4`';
  return `# tsgun\n\n> ${summary}\n\n${lists.join('\n')}`;
}
