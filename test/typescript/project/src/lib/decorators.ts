export interface Options {
  message?: string;
}

export const logged: string[] = [];

export function Log(name: string) {
  return (_target: object, _key?: string | symbol, _at?: unknown): void => void logged.push(name);
}

export function Required(options: Options = {}): PropertyDecorator {
  return (target, key) => Reflect.defineMetadata('required', options.message ?? 'required', target, key);
}
