// Reports an error before and after another user's request has come, where both can be under way in one thread.

const { isMainThread } = require('node:worker_threads');
const Sentry = require('@sentry/node');

let release;
const both = new Promise((resolve) => (release = resolve));

module.exports = async (req, res) => {
  const user = req.url.slice(1);
  if (user !== 'nobody') Sentry.setUser({ id: user });
  if (user === 'anna') {
    Sentry.captureException(new Error('first of anna'));
    process.stderr.write('anna waits\n');
    if (isMainThread) await both;
    Sentry.captureException(new Error('second of anna'));
  } else {
    Sentry.captureException(new Error(`of ${user}`));
    if (user === 'nobody') release();
  }
  res.end(user);
};
