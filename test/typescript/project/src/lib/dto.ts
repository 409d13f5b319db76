import 'reflect-metadata';
import { Log, type Options, Required } from './decorators';

export interface Shape {
  sides: number;
}

export class Engine {
  start(): string {
    return 'started';
  }
}

@Log('class')
export class Dto {
  @Required() name!: string;
  @Required({ message: 'no engine' } satisfies Options) readonly engine?: Engine;

  constructor(
    @Log('shape') public readonly shape: Shape,
    private readonly motor: Engine,
  ) {}

  @Log('method')
  start(times: number, at?: Date): Promise<string> {
    return Promise.resolve(`${this.motor.start()} ${times} ${typeof at}`);
  }
}
