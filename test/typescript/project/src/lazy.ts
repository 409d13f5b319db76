export default class Lazy {
  static readonly value = 1;
}
export const named = 2;
