/** `workerClass` → `worker-class`, the form of the command line. A file of its own, as workers need it and not the table. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
