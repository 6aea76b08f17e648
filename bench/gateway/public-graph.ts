// The graph and the query of the open benchmark of federation gateways (github.com/graphql-hive/graphql-gateways-benchmark): users,
// products and reviews in four subgraphs, which refer to each other several times in one request. Schema, query and amounts of data are the
// same; the texts are our own. There are no variables, so a gateway may join equal requests in progress.
import type { BenchGraph, Service } from './workload.ts';

const link = (names: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: [${names}])`;

const users = ['ada', 'grace', 'edsger', 'barbara', 'donald', 'radia'].map((username, index) => ({
  id: `${index + 1}`,
  name: `${username} of house ${index + 1}`,
  username,
  birthday: 500_000_000 + index,
}));

const products = [
  [899, 100],
  [1299, 1000],
  [15, 20],
  [499, 100],
  [1299, 1000],
  [6999, 300],
  [3999, 2000],
  [100_000, 6000],
  [9999, 800],
].map(([price, weight], index) => ({ upc: `${index + 1}`, name: `Product ${index + 1}`, price, weight }));

const outOfStock = new Set(['2', '3', '4', '8']);

const sentence = 'It arrived on time, works as described, and has not failed once since it was put to use. ';

/** The product and the length of the text of each review. */
const reviewed: readonly (readonly [upc: string, length: number])[] = [
  ...(['1', '2'] as const).flatMap((upc) => [446, 290, 272, 146].map((length) => [upc, length] as const)),
  ['3', 146],
  ['4', 146],
  ['4', 862],
];

const reviews = reviewed.map(([upc, length], index) => ({
  id: `${index + 1}`,
  body: sentence.repeat(10).slice(0, length),
  product: { upc },
  author: { id: '1', username: users[0]?.username },
}));

interface UserReference {
  readonly id: string;
}

interface ProductReference {
  readonly upc: string;
}

interface Shipped extends ProductReference {
  readonly price?: number | null;
  readonly weight?: number | null;
}

const userById = ({ id }: UserReference) => users.find((user) => user.id === id);

const services: readonly Service[] = [
  {
    name: 'accounts',
    sdl: `${link('"@key", "@shareable"')}
      type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }
      type Query { me: User user(id: ID!): User users: [User] }`,
    resolvers: {
      Query: {
        me: () => users[0],
        user: (_: unknown, reference: UserReference) => userById(reference),
        users: () => users,
      },
      User: { __resolveReference: userById },
    },
  },
  {
    name: 'inventory',
    sdl: `${link('"@key", "@external", "@requires"')}
      type Product @key(fields: "upc") {
        upc: String!
        weight: Int @external
        price: Int @external
        inStock: Boolean
        shippingEstimate: Int @requires(fields: "price weight")
      }`,
    resolvers: {
      Product: {
        __resolveReference: (reference: Shipped) => ({ ...reference, inStock: !outOfStock.has(reference.upc) }),
        shippingEstimate: ({ price, weight }: Shipped) =>
          price == null || weight == null ? null : price > 1000 ? 0 : Math.floor(weight / 2),
      },
    },
  },
  {
    name: 'products',
    sdl: `${link('"@key"')}
      type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }
      type Query { topProducts(first: Int = 5): [Product] }`,
    resolvers: {
      Query: { topProducts: (_: unknown, { first }: { first: number }) => products.slice(0, first) },
      Product: { __resolveReference: ({ upc }: ProductReference) => products.find((product) => product.upc === upc) },
    },
  },
  {
    name: 'reviews',
    sdl: `${link('"@key", "@external", "@provides"')}
      type Review @key(fields: "id") { id: ID! body: String product: Product author: User @provides(fields: "username") }
      type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
      type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
    resolvers: {
      Review: { __resolveReference: ({ id }: { id: string }) => reviews.find((review) => review.id === id) },
      User: { __resolveReference: ({ id }: UserReference) => ({ id }), reviews: () => reviews.slice(0, 2) },
      Product: {
        __resolveReference: ({ upc }: ProductReference) => ({ upc }),
        reviews: ({ upc }: ProductReference) => reviews.filter(({ product }) => product.upc === upc),
      },
    },
  },
];

const query = `
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query TestQuery {
  users {
    ...User
    reviews {
      ...Review
      product { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } }
    }
  }
  topProducts {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}`;

export const publicGraph: BenchGraph = {
  services,
  workloads: {
    public: {
      query,
      variables: () => ({}),
      isWhole: (answer) =>
        !answer.includes('"errors":[') && answer.includes('"topProducts":[') && answer.length > 50_000,
    },
  },
  small: { leaf: 'upc', of: (fields) => `{ topProducts(first: 1) { ${fields} } }` },
};
