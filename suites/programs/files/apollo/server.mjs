import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const typeDefs = 'type Query { hello(name: String): String }';
const resolvers = { Query: { hello: (_, { name }) => `hello ${name ?? 'world'}` } };
const server = new ApolloServer({ typeDefs, resolvers });
const { url } = await startStandaloneServer(server, { listen: { port: Number(process.env.PORT ?? 4000) } });
console.log(`ready at ${url}`);
