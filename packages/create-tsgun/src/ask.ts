/** Asks people on a terminal for what the command line has not said. */

import {
  type Asked,
  type Choice,
  choose,
  type Language,
  nameProblem,
  type TemplateName,
  templateNames,
} from './options.ts';
import { templates } from './templates.ts';

/** @returns undefined where the user has given up */
export async function ask(asked: Asked): Promise<Choice | undefined> {
  const { cancel, isCancel, select, text } = await import('@clack/prompts');
  const directory =
    asked.directory ??
    (await text({
      message: 'Where shall the new app be?',
      placeholder: 'my-app',
      defaultValue: 'my-app',
      validate: (value) => (value ? nameProblem(value) : undefined),
    }));
  if (isCancel(directory)) return giveUp(cancel);
  const template =
    asked.template ??
    (await select<TemplateName>({
      message: 'Which template?',
      options: templateNames.map((name) => ({ value: name, label: name, hint: templates[name].title })),
    }));
  if (isCancel(template)) return giveUp(cancel);
  const language =
    asked.language ??
    (await select<Language>({
      message: 'Which language?',
      options: [
        { value: 'ts', label: 'TypeScript', hint: 'runs without a build' },
        { value: 'js', label: 'JavaScript' },
      ],
    }));
  if (isCancel(language)) return giveUp(cancel);
  return choose({ directory, template, language });
}

function giveUp(cancel: (message: string) => void): undefined {
  cancel('Nothing was made.');
  return undefined;
}
