/** Certificates from the master, which sends them on request, and again when they have changed. */

import type { Settings } from '../config/settings.ts';
import { sendToMaster } from '../ipc/channel.ts';
import type { TlsFiles } from '../ipc/messages.ts';
import type { Logger } from '../logger.ts';
import { Tls } from './classes/tls.ts';

export class Certificates {
  private files: TlsFiles | undefined = undefined;
  private onFirst: (() => void) | undefined = undefined;
  private tls: Tls | undefined = undefined;

  take(files: TlsFiles): void {
    this.files = files;
    this.onFirst?.();
    this.tls?.update(files);
  }

  /** Waits for the first certificates. The master's deadline for the boot limits that. */
  async open(settings: Settings, log: Logger): Promise<Tls> {
    const first = new Promise<void>((resolve) => (this.onFirst = resolve));
    void sendToMaster({ type: 'certificates' });
    await first;
    this.tls = new Tls(settings, log, this.files!);
    return this.tls;
  }
}
