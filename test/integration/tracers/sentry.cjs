// Preloaded: Sentry, with each report written to standard error in place of being sent.

const Sentry = require('@sentry/node');

Sentry.init({
  dsn: 'http://key@127.0.0.1:9/1',
  beforeSend({ exception, user, request }) {
    const report = {
      message: exception.values[0].value,
      user: user?.id,
      path: request && new URL(request.url).pathname,
    };
    process.stderr.write(`REPORT ${JSON.stringify(report)}\n`);
    return null;
  },
});
