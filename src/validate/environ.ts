/** What a server puts into an environ (PEP 3333, "environ Variables"). */

import { Readable } from 'node:stream';
import { assert, show } from './assert.ts';

const required = [
  'REQUEST_METHOD',
  'SCRIPT_NAME',
  'PATH_INFO',
  'QUERY_STRING',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'wsgi.version',
  'wsgi.url_scheme',
  'wsgi.input',
  'wsgi.errors',
  'wsgi.multithread',
  'wsgi.multiprocess',
  'wsgi.run_once',
];

/** Their values are in CONTENT_TYPE and CONTENT_LENGTH, and nowhere else. */
const misplaced = ['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH'];

/** @throws AssertionError */
export function checkEnviron(env: unknown): void {
  assert(typeof env === 'object' && env !== null && !Array.isArray(env), `the environ is an object, not ${show(env)}`);
  const values = env as Readonly<Record<string, unknown>>;
  for (const name of required) assert(name in values, `the environ has no ${name}`);
  for (const name of misplaced) assert(!(name in values), `the environ has ${name}; it is ${name.slice(5)} there`);
  for (const name of Object.keys(values)) {
    if (name.includes('.') || values[name] === undefined) continue;
    assert(typeof values[name] === 'string', `${name} in the environ is a text, not ${show(values[name])}`);
    assert(isBytes(values[name]), `${name} holds bytes as latin1, not ${show(values[name])}`);
  }
  checkRequest(values);
  checkOwn(values);
}

function checkRequest(values: Readonly<Record<string, unknown>>): void {
  const { REQUEST_METHOD: method, SCRIPT_NAME: script, PATH_INFO: path, CONTENT_LENGTH: length } = values;
  assert(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(String(method)), `REQUEST_METHOD is a token, not ${show(method)}`);
  assert(script === '' || String(script).startsWith('/'), `SCRIPT_NAME begins with / or is empty, not ${show(script)}`);
  assert(script !== '/', 'SCRIPT_NAME is not /; an app at the root has an empty one and / in PATH_INFO');
  const isOfServer = path === '*' && method === 'OPTIONS';
  assert(path === '' || String(path).startsWith('/') || isOfServer, `PATH_INFO begins with /, not ${show(path)}`);
  assert(script !== '' || path !== '', 'one of SCRIPT_NAME and PATH_INFO is not empty; PATH_INFO is at least /');
  assert(length === undefined || length === '' || /^\d+$/.test(String(length)), `CONTENT_LENGTH is ${show(length)}`);
  assert(values.SERVER_NAME !== '' && values.SERVER_PORT !== '', 'SERVER_NAME and SERVER_PORT are never empty');
  const protocol = values.SERVER_PROTOCOL;
  assert(/^HTTP\/\d(\.\d)?$/.test(String(protocol)), `SERVER_PROTOCOL is HTTP/N.N, not ${show(protocol)}`);
}

function checkOwn(values: Readonly<Record<string, unknown>>): void {
  const version = values['wsgi.version'];
  assert(Array.isArray(version) && version.join() === '1,0', `wsgi.version is [1, 0], not ${show(version)}`);
  const scheme = values['wsgi.url_scheme'];
  assert(scheme === 'http' || scheme === 'https', `wsgi.url_scheme is http or https, not ${show(scheme)}`);
  for (const name of ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once'])
    assert(typeof values[name] === 'boolean', `${name} is true or false, not ${show(values[name])}`);
  const input = values['wsgi.input'];
  assert(input instanceof Readable, `wsgi.input is a Readable, not ${show(input)}`);
  const errors = values['wsgi.errors'] as NodeJS.WritableStream | undefined;
  assert(typeof errors?.write === 'function', `wsgi.errors has write(), which ${show(errors)} has not`);
  assert(errors.writable, 'wsgi.errors has been ended: an app only writes to it');
  const { 'wsgi.file_wrapper': wrapper, 'tsgun.signal': signal } = values;
  assert(wrapper === undefined || typeof wrapper === 'function', `wsgi.file_wrapper is a class, not ${show(wrapper)}`);
  assert(signal === undefined || signal instanceof AbortSignal, `tsgun.signal is an AbortSignal, not ${show(signal)}`);
}

function isBytes(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0xff) return false;
  return true;
}
