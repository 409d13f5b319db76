/** What the checks need to know of a page in Markdown: its links, its anchors, and the code in it. */

export interface Page {
  /** The path of the file, from the repository's root on. */
  readonly name: string;
  readonly text: string;
}

const fence = /^( *)(`{3,})[^\n]*\n.*?^\1\2 *$/gms;
const inlineCode = /`[^`\n]+`/g;

/** The page with its code blanked out, so that every offset stays where it was. */
function withoutCode(text: string): string {
  const blank = (code: string) => code.replace(/[^\n]/g, ' ');
  return text.replace(fence, blank).replace(inlineCode, blank);
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

/** Links and pictures; not those in code. */
export function linksOf({ text }: Page): Link[] {
  const links: Link[] = [];
  for (const match of withoutCode(text).matchAll(/\]\(([^()\s]+)\)|^\[[^\]\n]+\]: (\S+)/gm))
    links.push({ target: match[1] ?? match[2] ?? '', line: lineAt(text, match.index) });
  return links;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The anchor of a heading, as GitHub makes it. The site makes its own the same way. */
export function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

export function anchorsOf({ text }: Page): Set<string> {
  const anchors = new Set<string>();
  const prose = text.replace(fence, '');
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const slug = slugOf(heading);
    let unique = slug;
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  for (const [, id = ''] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

/** Code between backticks, in a line or in a block, with its language. */
export function codeOf({ text }: Page): { code: string; language: string; line: number }[] {
  const blocks = [...text.matchAll(/^ *```(\w*)[^\n]*\n(.*?)^ *``` *$/gms)].map((match) => ({
    code: match[2] ?? '',
    language: match[1] ?? '',
    line: lineAt(text, match.index) + 1,
  }));
  const prose = text.replace(fence, (block) => block.replace(/[^\n]/g, ' '));
  const inline = [...prose.matchAll(inlineCode)].map((match) => ({
    code: match[0].slice(1, -1),
    language: 'inline',
    line: lineAt(text, match.index),
  }));
  return [...blocks, ...inline];
}
