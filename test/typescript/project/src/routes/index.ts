export enum Color {
  Red = 1,
  Green,
}
export const enum Size {
  Small = 's',
}
export namespace Limits {
  export const most = 7;
}
