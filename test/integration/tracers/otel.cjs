// Preloaded: OpenTelemetry as its documentation says, with an exporter that writes each span to standard error.

const { FastifyOtelInstrumentation } = require('@fastify/otel');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { name, kind, attributes, status, parentSpanContext } = span;
      const { traceId } = span.spanContext();
      const said = { name, kind, attributes, status, parent: parentSpanContext?.spanId, traceId };
      process.stderr.write(`SPAN ${JSON.stringify(said)}\n`);
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
};

const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
for (const Instrumentation of [HttpInstrumentation, ExpressInstrumentation])
  new Instrumentation().setTracerProvider(provider);
new FastifyOtelInstrumentation({ registerOnInitialization: true }).setTracerProvider(provider);
