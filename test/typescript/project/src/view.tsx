import type { Shape } from '@lib/dto';

export const view = ({ sides }: Shape) => <b>{sides}</b>;
