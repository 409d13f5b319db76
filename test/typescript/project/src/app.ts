/** All that a project in TypeScript may have and that Node itself does not run. Its answer is what the test expects. */

import * as path from 'path';
import { Dto, Engine, Shape } from '@lib/dto';
import { plain, reads } from '@all';
import data, { greeting } from './data.json';
import { Color, Limits, Size } from './routes';
import { logged } from './lib/decorators.js';
import { User } from './lib/user';
import legacy from './lib/legacy.cjs';
import assigned from './lib/assigned.cjs';
import written, * as writtenToo from './lib/written.mjs';
import { times } from 'src/lib/legacy.cjs';
import { view } from './view';

const count: number = 'not a number';

const report = async () => {
  const { default: Lazy, named } = await import('./lazy');
  const dto = new Dto({ sides: 3 }, new Engine());
  return {
    decorators: {
      logged,
      required: Reflect.getMetadata('required', Dto.prototype, 'engine'),
      type: Reflect.getMetadata('design:type', Dto.prototype, 'engine') === Engine,
      parameters: Reflect.getMetadata('design:paramtypes', Dto)?.map(nameOf),
      returns: Reflect.getMetadata('design:returntype', Dto.prototype, 'start') === Promise,
      cycle: nameOf(Reflect.getMetadata('design:type', User.prototype, 'first')),
    },
    properties: { shape: dto.shape, own: Object.keys(dto), started: await dto.start(1) },
    json: [greeting, data.count],
    jsx: [view({ sides: 4 }), plain('p')],
    enums: [Color[1], Size.Small, Limits.most],
    modules: [legacy.file, times, assigned.base, written, writtenToo.file, reads, path.sep, User.post().constructor.name],
    lazy: Lazy.value + named,
    typeError: count,
    main: {
      require: require.main === module,
      file: path.basename(require.main?.filename ?? 'none'),
      argument: path.basename(process.argv[1] ?? ''),
      meta: import.meta.main,
    },
    names: [path.basename(__filename), path.basename(import.meta.url), import.meta.filename === __filename, import.meta.dirname === __dirname],
  };
};

export default async (env: Record<string, unknown>, startResponse: (status: string, headers: [string, string][]) => void) => {
  if (env.PATH_INFO === '/fail') fail({ sides: 1 });
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [JSON.stringify(await report())];
};

function nameOf(type: { name: string } | undefined): string | undefined {
  return type?.name;
}

function fail({ sides }: Shape): never {
  throw new Error(`this is line 58: ${sides}`);
}
