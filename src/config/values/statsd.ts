/** Where StatsD's server is, from the settings. */

import { Expected, parser } from './parser.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const form = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/;

/** `HOST:PORT` of another process. */
export const hostPort = parser<HostPort, string>(
  {
    type: 'string',
    pattern:
      '^(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]\\s/]+):([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])$',
  },
  (raw) => {
    const match = typeof raw === 'string' ? form.exec(raw) : null;
    const port = Number(match?.[3]);
    if (match === null || !(port >= 1 && port <= 65_535))
      throw new Expected('HOST:PORT or [V6]:PORT with a port from 1 to 65535');
    return { host: match[1] ?? match[2]!, port };
  },
  ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
);

/** A part of a line for StatsD. */
export const statsdText = parser<string>({ type: 'string', pattern: '^[^\\s|@#]*$' }, (raw) => {
  if (typeof raw !== 'string' || !/^[^\s|@#]*$/.test(raw)) throw new Expected('a text without spaces, |, @ and #');
  return raw;
});

interface StatsdSettings {
  readonly statsdHost: HostPort | undefined;
  readonly statsdPrefix: string;
  readonly dogstatsdTags: string;
}

/** As `Statsd` takes them; undefined if nothing is to be sent. */
export function statsdOptions({ statsdHost, statsdPrefix, dogstatsdTags }: StatsdSettings) {
  if (statsdHost === undefined) return undefined;
  const prefix = statsdPrefix === '' || statsdPrefix.endsWith('.') ? statsdPrefix : `${statsdPrefix}.`;
  return { ...statsdHost, prefix, tags: dogstatsdTags };
}
