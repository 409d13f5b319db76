/** `config.schema.json`: what a config file in JSON may hold, for editors (JSON Schema, draft 7). */

import { declarationOf, settingNames } from '../settings.ts';

export function renderSchema(): string {
  const properties = settingNames.map((name) => {
    const { help, more, parse, default: fallback, example } = declarationOf(name);
    const description = more === undefined ? help : `${help} ${more}`;
    return [name, { description, ...parse.schema, default: fallback, examples: [example] }];
  });
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Settings of tsgun',
    description: 'What tsgun.config.json may hold. Times are in seconds, sizes in bytes.',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
