/** The export that a module is served by, where none is named. */

import { describe, expect, it } from 'vitest';
import { pickExport } from '../../src/app/exports.ts';

const app = () => {};
const pick = (exports: Record<string, unknown>) =>
  pickExport(exports, { path: 'app.js', exportName: undefined, isFactory: false });

describe('without :export', () => {
  it('the default export is taken, else the one named app', () => {
    expect(pick({ default: app })).toEqual({ value: app });
    expect(pick({ app })).toEqual({ value: app });
  });

  it('a default export that is never set does not hide the one named app', () => {
    expect(pick({ default: undefined, app })).toEqual({ value: app });
    expect(pick({ default: { default: undefined, app } })).toEqual({ value: app });
  });
});
