import type { Settings } from '../config/settings.ts';

/**
 * `wsgi.multiprocess`: whether several workers serve the app (PEP 3333, "environ Variables"). As in gunicorn, the old and the new
 * worker of a reload do not count, although both may serve for a moment.
 */
export function isMultiprocess({ workers, maxWorkers }: Pick<Settings, 'workers' | 'maxWorkers'>): boolean {
  return Math.max(workers, maxWorkers) > 1;
}
