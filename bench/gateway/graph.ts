// The graph of the benchmark: devices over three subgraphs. Every value follows from the device's number and the request's
// variables, so that the gateways' answers can be compared.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import type { Subgraph } from '../../platform/graph/subgraph.ts';

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

export const services: readonly { readonly name: string; readonly sdl: string }[] = [
  {
    name: 'inventory',
    sdl: `${link}
      type Site { name: String! city: String! }
      type Device @key(fields: "id") { id: ID! name: String! model: String! address: String! site: Site! }
      type Query { devices(first: Int!, from: Int!): [Device!]! }`,
  },
  {
    name: 'health',
    sdl: `${link}
      enum Status { ONLINE DEGRADED ERROR }
      type Health { status: Status! latencyMs: Float! checkedAt: String! }
      type Device @key(fields: "id") { id: ID! health: Health }`,
  },
  {
    name: 'traffic',
    sdl: `${link}
      type Traffic { receivedBytes: Int! sentBytes: Int! errors: Int! }
      type Device @key(fields: "id") { id: ID! traffic(windowSeconds: Int!): Traffic }`,
  },
];

const entityCount = 50;

export const query = `query Devices($from: Int!, $windowSeconds: Int!) {
  devices(first: ${entityCount}, from: $from) {
    id
    name
    model
    address
    site { name city }
    health { status latencyMs checkedAt }
    traffic(windowSeconds: $windowSeconds) { receivedBytes sentBytes errors }
  }
}`;

interface Reference {
  readonly id: string;
}

const models = ['edge-100', 'edge-200', 'core-900'];
const statuses = ['ONLINE', 'DEGRADED', 'ERROR'];
const startMs = Date.UTC(2026, 0, 1);

function device(number: number) {
  const site = number % 40;
  return {
    id: `device-${number}`,
    name: `device number ${number}`,
    model: models[number % models.length],
    address: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    site: { name: `site-${site}`, city: `City ${site % 7}` },
  };
}

function numberOf(reference: Reference): number {
  return Number(reference.id.slice('device-'.length));
}

const resolvers: Readonly<Record<string, object>> = {
  inventory: {
    Query: {
      devices: (_: unknown, { first, from }: { first: number; from: number }) =>
        Array.from({ length: first }, (_item, index) => device(from + index)),
    },
    Device: { __resolveReference: (reference: Reference) => device(numberOf(reference)) },
  },
  health: {
    Device: {
      __resolveReference: ({ id }: Reference) => ({ id }),
      health: (reference: Reference) => {
        const number = numberOf(reference);
        return {
          status: statuses[number % 11 === 0 ? 2 : number % 5 === 0 ? 1 : 0],
          latencyMs: (number % 1000) / 8,
          checkedAt: new Date(startMs + number * 1000).toISOString(),
        };
      },
    },
  },
  traffic: {
    Device: {
      __resolveReference: ({ id }: Reference) => ({ id }),
      traffic: (reference: Reference, { windowSeconds }: { windowSeconds: number }) => {
        const number = numberOf(reference);
        return {
          receivedBytes: (number % 9973) * windowSeconds,
          sentBytes: (number % 7919) * windowSeconds,
          errors: number % 3,
        };
      },
    },
  },
};

/** New executable schemas. */
export function createSubgraphs(): readonly Subgraph[] {
  return services.map(({ name, sdl }) => ({
    name,
    schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers[name] ?? {} }] as Parameters<
      typeof buildSubgraphSchema
    >[0]),
  }));
}

interface Variables {
  readonly from: number;
  readonly windowSeconds: number;
}

/** Rarely the same twice, so that no cache of answers helps. */
export function randomVariables(): Variables {
  return { from: Math.floor(Math.random() * 1_000_000), windowSeconds: 1 + Math.floor(Math.random() * 3600) };
}

/** Content of a complete answer to these variables: no errors, and all of the last device. */
export function isWhole(answer: string, { from, windowSeconds }: Variables): boolean {
  const last = from + entityCount - 1;
  return (
    !answer.includes('"errors":[') &&
    answer.includes(`"device-${last}"`) &&
    answer.includes(new Date(startMs + last * 1000).toISOString()) &&
    answer.includes(`"receivedBytes":${(last % 9973) * windowSeconds}`)
  );
}
