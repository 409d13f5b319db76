/** The documentation as a site: `npm run docs:build`. The pages are the files in docs/ as they stand. */

import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { slugOf } from '../../test/docs/markdown.ts';
import { readContents, renderLlmsText } from './contents.ts';

const docs = fileURLToPath(new URL('..', import.meta.url));
const sections = readContents(new URL('../index.md', import.meta.url));
const pages = ['index.md', ...sections.flatMap(({ entries }) => entries.map(({ file }) => file))];

const linkOf = (file: string) => `/${file.replace(/(README)?\.md$/, '')}`;

/** In characters: code of this length is not cut, because it fits into a line of a phone. */
const shortLength = 26;

/** Files of the repository that pages link to. They are part of the site, as plain text. */
const linkedFiles = new Set<string>();

export default defineConfig({
  title: 'tsgun',
  description: 'The application server for Node.js',
  lang: 'en',
  cleanUrls: true,
  rewrites: { 'decisions/README.md': 'decisions/index.md' },
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Settings', link: '/settings' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
    ],
    sidebar: sections.map(({ title, entries }) => ({
      text: title,
      items: entries.map(({ title, file }) => ({ text: title, link: linkOf(file) })),
    })),
  },
  markdown: {
    anchor: { slugify: slugOf },
    languageAlias: { haproxy: 'nginx', caddy: 'nginx' },
    config(md) {
      const renderFence = md.renderer.rules.fence;
      md.renderer.rules.fence = (tokens, index, options, env, self) => {
        const { info = '', content = '' } = tokens[index] ?? {};
        if (info.trim() === 'mermaid') return `<Diagram text="${encodeURIComponent(content)}" />`;
        return renderFence?.(tokens, index, options, env, self) ?? '';
      };
      const renderLink = md.renderer.rules.link_open;
      md.core.ruler.push('short_code', ({ tokens }) => {
        for (const { children } of tokens)
          for (const token of children ?? [])
            if (token.type === 'code_inline' && token.content.length <= shortLength) token.attrJoin('class', 'short');
      });
      md.core.ruler.push('links_out_of_docs', ({ tokens, env }) => {
        for (const { children } of tokens)
          for (const token of children ?? []) {
            const href = token.type === 'link_open' ? (token.attrGet('href') ?? '') : '';
            if (!href.startsWith('../')) continue;
            const path = normalize(join(docs, dirname(env.relativePath), href));
            if (path.startsWith(docs)) continue;
            const name = path.slice(join(docs, '..').length).replace(/^\//, '');
            // A folder cannot be shown.
            if (!existsSync(path) || statSync(path).isDirectory()) token.attrs = [];
            else {
              linkedFiles.add(name);
              token.attrs = [
                ['href', `/files/${name}.txt`],
                ['target', '_blank'],
              ];
            }
          }
      });
      if (renderLink !== undefined)
        md.renderer.rules.link_open = (tokens, index, options, env, self) =>
          tokens[index]?.attrGet('href') == null
            ? self.renderToken(tokens, index, options)
            : renderLink(tokens, index, options, env, self);
    },
  },
  buildEnd({ outDir }) {
    for (const name of linkedFiles) {
      const target = join(outDir, 'files', `${name}.txt`);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(docs, '..', name), target);
    }
    for (const file of pages.slice(1)) {
      const target = join(outDir, file);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(docs, file), target);
    }
    writeFileSync(join(outDir, 'llms.txt'), renderLlmsText(sections));
  },
});
