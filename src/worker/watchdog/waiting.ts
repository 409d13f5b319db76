/** In place of a stack: where no code of the app is at work. */
export const waiting = 'waiting: it runs no JavaScript';
