// Express 4 under the name that package.json gives it, to have both here.
declare module 'express4' {
  export { default } from 'express';
}
