/** TLS for the servers of a worker: one endpoint per server, with the newest certificates from the master. */

import { milliseconds } from '../../config/durations.ts';
import type { Settings } from '../../config/settings.ts';
import { report } from '../../errors.ts';
import { defaultTimeouts } from '../../http/limits.ts';
import { TlsEndpoint } from '../../http/tls/endpoint.ts';
import type { TlsFiles } from '../../ipc/messages.ts';
import type { Logger } from '../../logger.ts';
import { proxyProtocol } from './http-options.ts';
import { RepeatedWarning } from './repeated-warning.ts';

export class Tls {
  private readonly settings: Settings;
  private readonly log: Logger;
  private files: TlsFiles;
  private readonly endpoints: TlsEndpoint[] = [];
  private readonly crowded: RepeatedWarning;

  constructor(settings: Settings, log: Logger, files: TlsFiles) {
    this.settings = settings;
    this.log = log;
    this.files = files;
    this.crowded = new RepeatedWarning(log, 'too many TLS handshakes at once: the oldest are cut for new ones');
  }

  /** @param isRaw whether its connections are an app's, which speaks its own protocol */
  open(isRaw = false): TlsEndpoint {
    const { certReqs, ciphers, tlsMin, headerTimeout, http } = this.settings;
    const endpoint = new TlsEndpoint({
      files: this.files,
      policy: { clients: certReqs, ciphers, least: tlsMin },
      // Handshakes always have a time limit, even if request heads have none.
      handshakeMs: milliseconds(headerTimeout) || defaultTimeouts.headerMs,
      protocols: isRaw ? [] : protocolsOf(http),
      proxyProtocol: proxyProtocol(this.settings, this.log),
      onCrowded: () => this.crowded.say({}),
    });
    this.endpoints.push(endpoint);
    return endpoint;
  }

  update(files: TlsFiles): void {
    this.files = files;
    try {
      for (const endpoint of this.endpoints) endpoint.update(files);
    } catch (error) {
      const fields = { error: report(error).message };
      this.log.event('error', 'certificate_failed', fields, 'the certificates before stay in use');
    }
  }
}

function protocolsOf(http: Settings['http']): ('h2' | 'http/1.1')[] {
  const all = [
    ['h2', 'h2'],
    ['h1', 'http/1.1'],
  ] as const;
  return all.flatMap(([name, protocol]) => (http.includes(name) ? [protocol] : []));
}
