/** Options of Node for the workers, as a setting. Whether Node takes them is asked elsewhere. */

import { Expected, parser } from './parser.ts';

/** Options that would make a worker run something else, or nothing. */
const foreignModes =
  /^(-[ehpcivr]*[ehpciv]|--(eval|print|check|interactive|test|watch|run|help|version|v8-options|completion-bash|prof-process)(=.*)?|--?)$/;

/** Options of Node, as `$NODE_OPTIONS` has them: in one text, separated by spaces, with double quotes around spaces; or a list. */
export const nodeOptions = parser<readonly string[], string | readonly string[]>(
  {
    anyOf: [
      { type: 'string', pattern: '^\\s*(-|$)' },
      { type: 'array', items: { type: 'string', pattern: '^-' } },
    ],
  },
  (raw) => {
    const words = typeof raw === 'string' ? splitWords(raw) : raw;
    if (!Array.isArray(words)) throw new Expected('options of Node');
    return words.map((word, index) => {
      if (typeof word !== 'string' || word === '' || word.includes('\0')) throw new Expected('options of Node', word);
      // Without one before it, whose value it could be, it would be the program that Node runs.
      const isValue = index > 0 && /^-[^=]*$/.test(String(words[index - 1]));
      if (!word.startsWith('-') && !isValue) throw new Expected('options of Node, each with a dash in front', word);
      if (foreignModes.test(word)) throw new Expected('options of Node with which it still runs the app', word);
      return word;
    });
  },
  (words) => (words.length === 0 || words.some((word) => /[\s"]/.test(word)) ? words : words.join(' ')),
);

function splitWords(text: string): string[] {
  if ((text.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1)
    throw new Expected('options of Node with a closing quote', text);
  // A word has both quotes of each pair: the second may be missing below only so that no search for it is in vain.
  return [...text.matchAll(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g)].map(([word]) =>
    word.replace(/"((?:\\.|[^"\\])*)"?/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
  );
}
