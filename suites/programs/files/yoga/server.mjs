import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';

const typeDefs = 'type Query { hello(name: String): String }';
const resolvers = { Query: { hello: (_, { name }) => `hello ${name ?? 'world'}` } };
const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }) });
createServer(yoga).listen(process.env.PORT ?? 4000);
